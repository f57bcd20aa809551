"""Nights of a scheduled job over the wire: what a fault of one symbol does, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from run_folders import SHORT, contents, started
from yahoo_standin import Series, Yahoo, synthetic

from eventstudy.runs import Record
from eventstudy.runs.rows import list_states

FIRMS = ("AAPL", "NVDA")
# Some session has closed since, whatever day and hour it is.
LAST = date.today() - timedelta(days=6)  # noqa: DTZ011


class Job:
    """A study with one open event of each firm, refreshed by a program of its own each night."""

    def __init__(self, folder: Path, yahoo: Yahoo, announced: date) -> None:
        self.yahoo, self.run = yahoo, folder / "out" / "events"
        rows = [f"e-{firm},{firm},{announced}" for firm in FIRMS]
        (folder / "events.csv").write_text("\n".join(["event_id,ticker,announced_at", *rows, ""]))
        self.options = [folder / "events.csv", "--out", folder / "out", *SHORT[2:-1]]
        self.env = {**yahoo.env(), "EVENTSTUDY_STORE": str(folder / "store.sqlite")}

    def refresh(self, last: date | None = None, *more: str) -> tuple[int, str]:
        """Return exit code and stderr of a night on which prices until `last` are there."""
        if last:
            self.serve(last)
        done = started("refresh", *self.options, *more, **self.env)
        text = done.communicate(timeout=300)[1]
        return done.returncode, text

    def serve(self, last: date) -> None:
        """Have all prices until `last`, and no others."""
        for symbol in (*FIRMS, "^GSPC"):
            self.yahoo.series[symbol] = synthetic(symbol, start=date(2024, 1, 2), end=last)

    def ends(self) -> dict[str, str]:
        """Return the last day of each symbol in the run."""
        return {symbol: entry.last for symbol, entry in Record.read(self.run).facts.prices.items()}


def gone(yahoo: Yahoo, series: Series) -> None:
    del yahoo.series[series.symbol]


def of_another_name(yahoo: Yahoo, series: Series) -> None:
    yahoo.series[series.symbol] = replace(series, symbol="OTHER")


def of_another_firm(yahoo: Yahoo, series: Series) -> None:
    rows = synthetic("OTHER", start=date(2024, 1, 2), end=series.rows[-1][0]).rows
    yahoo.series[series.symbol] = replace(series, rows=rows)


def half(yahoo: Yahoo, series: Series) -> None:
    yahoo.series[series.symbol] = replace(series, rows=series.rows[: len(series.rows) // 2])


def at_fault(yahoo: Yahoo, series: Series) -> None:
    series.fault = "500"


SLOW = [
    pytest.param(fault, marks=pytest.mark.slow)
    for fault in (of_another_name, of_another_firm, half, at_fault)
]


@pytest.mark.parametrize("fault", [gone, *SLOW])
def test_a_fault_of_one_symbol_holds_back_its_own_events(
    fault: Callable[[Yahoo, Series], None], tmp_path: Path
) -> None:
    """The others are up to date, the exit code says that something waits, and so does the
    monitor."""
    earlier = LAST - timedelta(days=4)
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, LAST - timedelta(days=6))
        assert job.refresh(earlier)[0] == 0
        before = job.ends()
        job.serve(LAST)
        fault(yahoo, yahoo.series["NVDA"])
        for _ in range(2):  # the second one finds nothing new
            code, text = job.refresh()
            assert code == 3, text
            assert "eventstudy: NVDA: " in text
            assert "its events keep the prices that they had" in text
            after = job.ends()
            assert after["NVDA"] == before["NVDA"]
            assert after["AAPL"] == after["^GSPC"] > before["AAPL"]
        assert [state.state for state in list_states(job.run)] == ["failed"]
        cells = Record.read(job.run).cells("events.csv").set_index("event_id")
        assert (cells["status"] == "ok").all()
        assert "incomplete_window" in cells.loc["e-NVDA", "flags"]
        assert job.refresh(LAST) == (0, "")
        assert set(job.ends().values()) == {after["AAPL"]}
        assert [state.state for state in list_states(job.run)] == ["good"]


def test_all_symbols_at_fault_are_a_fault_of_the_source(tmp_path: Path) -> None:
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, LAST - timedelta(days=6))
        assert job.refresh(LAST - timedelta(days=4))[0] == 0
        before = contents(job.run, without="")
        for series in [*yahoo.series.values()]:
            of_another_name(yahoo, series)
        code, text = job.refresh()
        assert (code, contents(job.run, without="")) == (75, before)
        assert "the last report is unchanged" in text


def test_a_firm_whose_prices_ended_long_ago_is_not_waited_for(tmp_path: Path) -> None:
    """Thirty days after the others had newer prices, which is said in a note."""
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, LAST - timedelta(days=45))
        assert job.refresh(LAST - timedelta(days=40))[0] == 0
        for days, expected in ((15, 3), (5, 0)):
            job.serve(LAST - timedelta(days=days))
            del yahoo.series["NVDA"]
            code, text = job.refresh()
            assert code == expected, text
            assert "NVDA: stored prices used as they are" in text


def test_a_loss_that_is_accepted_is_not_waited_for(tmp_path: Path) -> None:
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, LAST - timedelta(days=6))
        assert job.refresh(LAST - timedelta(days=4))[0] == 0
        job.serve(LAST)
        del yahoo.series["NVDA"]
        code, text = job.refresh(None, "--accept-loss")
        assert code == 0, text
        assert list(Record.read(job.run).facts.given_up) == ["NVDA"]
        assert job.refresh()[0] == 0
