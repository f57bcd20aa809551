"""What a reader of events is told though nothing is at fault: numbers, groups, columns, odd
tickers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from eventstudy.cli.main import main
from eventstudy.events import Events, read_events
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults, run_study

TICKERS = ("AAPL", "MSFT", "NVDA")


def listed(tmp_path: Path, columns: str, *rows: str, separator: str = ",") -> Path:
    """Return a file of events on three shares of the sample with further columns."""
    head = [f"{t}{separator}2019-05-0{6 + i}" for i, t in enumerate(TICKERS)]
    lines = [f"{one}{separator}{two}" for one, two in zip(head, rows, strict=True)]
    file = tmp_path / "events.csv"
    file.write_text("\n".join([f"ticker{separator}announced_at{separator}{columns}", *lines, ""]))
    return file


def studied(events: Events | Path, **config: object) -> EventStudyResults:
    return run_study(events, StudyConfig(prices="sample", **config), offline=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas_are_read_where_no_comma_separates(tmp_path: Path, separator: str) -> None:
    cells = [
        separator.join(row) for row in (("1,5", "2,5", "1,5 m"), ("2", "", "2"), ("3,25", "1", "x"))
    ]
    file = listed(tmp_path, separator.join(("mcap", "size", "label")), *cells, separator=separator)
    events = read_events(file)
    assert events.table["mcap"].tolist() == ["1.5", "2", "3.25"]
    assert events.table["size"].tolist() == ["2.5", "", "1"]
    assert events.table["label"].tolist() == ["1,5 m", "2", "x"], "text stays"
    said = [
        f"{name}: commas are read as decimal points, '{n},5' as {n}.5"
        for name, n in (("mcap", 1), ("size", 2))
    ]
    assert list(events.notices) == said
    results = studied(events, regress=["size"])
    assert set(said) <= set(results.panel.notices)
    assert results.weighted((0, 1), "value").n_events == 3


def test_a_market_value_that_is_no_number_is_not_called_negative(tmp_path: Path) -> None:
    file = listed(tmp_path, "mcap,size", '"1,5","1,5"', '2,"2,5"', "1OO,3")
    events = read_events(file)
    assert list(events.notices) == [
        "mcap: text and no numbers: '1,5', '1OO'; write 1234.5, without thousands separators",
        "size: text and no numbers: '1,5', '2,5'; write 1234.5, without thousands separators",
    ]
    reason = studied(events).weighted((0, 1), "value").reason
    ids = events.table["event_id"]
    assert (
        f"no usable market value (mcap is not a number, such as '1,5'): {ids[0]}, {ids[2]}"
        in reason
    )
    assert "no positive" not in reason


def test_a_small_group_that_is_nearly_a_larger_one_is_told(tmp_path: Path) -> None:
    """Other numbers, single letters or first letters are other names."""
    groups = ("adverse,firm A", "advrse,firm A", "adverse,firm B", "adverse,", "unadverse,firm A")
    rows = [f"NVDA,2019-05-{6 + i:02},{cells}" for i, cells in enumerate(groups)]
    file = tmp_path / "events.csv"
    file.write_text("\n".join(["ticker,announced_at,direction,group", *rows, ""]))
    events = read_events(file)
    assert list(events.notices) == ["line 3: direction 'advrse'; did you mean 'adverse'?"]


def test_groups_have_no_white_space_around_them_and_their_case_is_told(tmp_path: Path) -> None:
    file = listed(
        tmp_path, "direction,sector,note", "adverse,tech ,a ", "adverse ,tech,b", " Adverse,Tech,c"
    )
    events = read_events(file)
    assert events.table["direction"].tolist() == ["adverse", "adverse", "Adverse"]
    assert events.table["note"].tolist() == ["a ", "b", "c"], "what is carried stays as it is"
    said = "direction: 'adverse', 'Adverse' are different groups; spell them alike to join them"
    assert list(events.notices) == [said]
    results = studied(events, by="sector")
    assert {name: len(part) for name, part in results.groups("sector").items()} == {
        "tech": 2,
        "Tech": 1,
    }
    assert said.replace("direction", "sector").replace("adverse", "tech").replace(
        "Adverse", "Tech"
    ) in (results.panel.notices)


@pytest.mark.slow
def test_columns_that_a_run_has_of_its_own(tmp_path: Path) -> None:
    file = listed(tmp_path, "reason,nobs", "a,1", "b,2", "c,3")
    (notice,) = read_events(file).notices
    assert notice.endswith("reason, nobs")
    run = studied(file).save(tmp_path)
    assert read_events(run / "events.csv").notices == (), (
        "those of a run are replaced by those of the next"
    )


def test_names_that_no_exchange_trades(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    rows = [f"{ticker},2019-05-06" for ticker in ("BTC-USD", "EURUSD=X", "GC=F", "BRK-B", "AAPL")]
    file.write_text("\n".join(["ticker,announced_at", *rows, ""]))
    no_index, hours = read_events(file).notices
    assert no_index.startswith("BTC-USD, EURUSD=X, GC=F: no shares, so no index is their market")
    assert hours.endswith("gold futures end their day at 13:30 America/New_York")
    assert read_events(file, calendar="data").notices == ()


def test_an_exchange_that_was_shut_for_weeks_is_named(tmp_path: Path) -> None:
    """Moscow was closed from 28 February to 24 March 2022."""
    file = tmp_path / "events.csv"
    rows = ["GAZP.ME,2022-03-01", "GAZP.ME,2019-01-01", "600000.SS,2023-01-21", "AAPL,2019-05-06"]
    file.write_text("\n".join(["ticker,announced_at", *rows, ""]))
    [said] = read_events(file).notices
    assert said == (
        "GAZP.ME on 2022-03-01 (day 0 is 2022-03-24): the exchange was shut in between, and the "
        "return of day 0 spans that time"
    )


def test_check_says_them_as_run_does(tmp_path: Path) -> None:
    file = listed(tmp_path, "sector,status", "tech,1", "Tech,2", "tech,3")
    study = tmp_path / "study.toml"
    study.write_text(f'events = "{file.name}"\nby = "sector"\nprices = "sample"\n')
    own = "the events.csv of a run has its own columns instead of status"
    groups = "sector: 'tech', 'Tech' are different groups; spell them alike to join them"
    done = CliRunner().invoke(main, ["check", str(file)])
    assert (done.exit_code, f"NOTE: {own}\n" in done.stderr) == (0, True)
    assert json.loads(CliRunner().invoke(main, ["check", str(study), "--json"]).stdout)[
        "notices"
    ] == [
        own,
        groups,
    ]
