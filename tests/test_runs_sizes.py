"""Market values that were revised: a file that was edited, and share counts that Yahoo has
changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from run_folders import DAYS, FIRMS, SHORT, Project, contents, invoke, started
from yahoo_standin import Yahoo, synthetic

from eventstudy.runs import reproduce_run, verify_run
from eventstudy.runs.compare import read_changes


@pytest.mark.slow
def test_an_edited_file_of_market_values_is_named(tmp_path: Path) -> None:
    """It moves no CAR."""
    made = Project(tmp_path)
    sizes = tmp_path / "sizes.csv"

    def write(*rows: str) -> None:
        known = [f"{firm},{DAYS[100]:%Y-%m-%d},{k + 1}e9,USD" for k, firm in enumerate(FIRMS[:4])]
        sizes.write_text("\n".join(["ticker,date,mcap,currency", *known, *rows, ""]))

    write()
    asked = ["refresh", *made.options[:-1], "--size", sizes]
    assert "refreshed: first run" in invoke(*asked)
    assert invoke(*asked).startswith("nothing new")
    sizes.write_text(sizes.read_text().replace(",2e9", ",2.5e9"))
    said = invoke(*asked)
    assert "refreshed: sizes.csv changed" in said
    assert "Files changed:\n  data/size/1/sizes.csv" in said
    change = read_changes(made.run)[0]
    assert change["moves"] == []


@pytest.mark.slow
def test_share_counts_that_changed_at_the_source(tmp_path: Path) -> None:
    """Not looked for; counts that are lost are loud, and given up when that is asked for."""
    events = tmp_path / "events.csv"
    events.write_text("event_id,ticker,announced_at\na,AAPL,2020-08-06\nn,NVDA,2020-06-01\n")
    ends = {"start": date(2019, 1, 2), "end": date(2021, 3, 31)}
    firms = [synthetic(s, **ends, counts={date(2020, 1, 2): 1e6}) for s in ("AAPL", "NVDA")]
    run = tmp_path / "out" / "events"
    with Yahoo(*firms, synthetic("^GSPC", **ends)) as yahoo:
        env = {**yahoo.env(), "EVENTSTUDY_STORE": str(tmp_path / "store.sqlite")}

        def refresh(*more: str, code: int = 0) -> str:
            options = ["--size", "yahoo", "--out", tmp_path / "out", *SHORT[2:-1]]
            done = started("refresh", events, *options, *more, **env)
            out, err = done.communicate(timeout=300)
            assert done.returncode == code, err
            return out + err

        assert "refreshed: first run" in refresh()
        assert "nothing new" in refresh()
        firms[0].counts[date(2020, 7, 1)] = 1.1e6
        asked = len(yahoo.log)
        assert "nothing new" in refresh()
        assert len(yahoo.log) == asked
        assert reproduce_run(run).exact
        before = contents(run, without="")
        firms[1].counts.clear()
        events.write_text(events.read_text() + "z,AAPL,2020-05-06\n")
        lost = refresh(code=75)
        assert "NVDA: no market value: no shares outstanding" in lost
        assert "the last report is unchanged; --accept-loss goes on without" in lost
        assert contents(run, without="") == before
        said = refresh("--accept-loss")
        assert "no usable market value (no shares outstanding from this source): n" in said
        assert "nothing new" in refresh()
    assert verify_run(run).ok
