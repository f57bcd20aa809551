"""More events than anybody reads: which are listed, and where all of them are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.files.csv_text import read_numbers
from eventstudy.fitting import FittedStudy
from eventstudy.runs import verify_run, write_run
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults
from eventstudy.windows.alignment import Laying

CONFIG = StudyConfig(estimation=(-120, -11), event=(-5, 5), windows=("0:1", "-1:1"), calibrate=0)  # type: ignore[arg-type]
MAIN = Window(0, 1)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study of thirty events is one of many."""
    monkeypatch.setattr(AbnormalReturns, "MANY", 25)
    monkeypatch.setattr(FittedStudy, "LISTED", 6)
    monkeypatch.setattr("eventstudy.runs.contents.AT_A_TIME", 7)


def study() -> EventStudyResults:
    market = Market(n=30, seed=4, rho=0.2)
    # Two events without prices.
    market.frame[["F03", "F20"]] = np.nan
    market.table["direction"] = ["adverse", "adverse", "relief"] * 10
    return market.fit()


def test_all_events_are_listed_where_they_can_be_read() -> None:
    results = study()
    assert results.listed(MAIN) is results
    assert results.listed_rows(MAIN).tolist() == list(range(30))


@pytest.mark.usefixtures("few")
def test_the_most_unusual_events_are_listed_and_those_that_were_dropped() -> None:
    results = study()
    t = np.abs(results.abnormal.scar(MAIN))
    largest = np.argsort(-np.nan_to_num(t))[:6]
    assert results.listed_rows(MAIN).tolist() == sorted([*largest, 3, 20])


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_a_run_of_many_lists_some_and_has_all_in_parquet(tmp_path: Path) -> None:
    results = study()
    run = write_run(results, tmp_path, "many", config=CONFIG)
    assert verify_run(run).ok
    shown = pd.read_csv(run / "events.csv")
    assert len(shown) == 8
    for name, expected in (
        ("car", results.car([(0, 1), (-1, 1)])), ("models", results.models()),
        ("abnormal_returns", results.abnormal_returns()),
    ):  # fmt: skip
        found = pd.read_parquet(run / "long" / f"{name}.parquet")
        keys = [c for c in ("event_id", "start", "stop", "tau") if c in found]
        expected = expected[list(found)]  # in Python with columns of the user
        a, b = (table.sort_values(keys).reset_index(drop=True) for table in (found, expected))
        pd.testing.assert_frame_equal(a, b, check_dtype=False, check_exact=True)
    every = pd.read_parquet(run / "long" / "events.parquet")
    assert every["event_id"].tolist() == results.events["event_id"].tolist()
    assert (every["status"] != "ok").sum() == 2


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_what_a_run_of_many_says_is_of_all_events(tmp_path: Path) -> None:
    results = study()
    run = write_run(results, tmp_path, "many", config=CONFIG)
    document = json.loads((run / "results.json").read_text())
    setup = document["setup"]
    assert (setup["n_events"], setup["n_used"], len(document["events"])) == (30, 28, 8)
    tests = read_numbers(run / "tables" / "tests.csv")
    assert set(tests["test"]) == {
        name for name, own in STATISTICS.items() if own.core and not own.per_event
    }
    groups = pd.read_csv(run / "tables" / "tests_by_group.csv")
    assert set(groups["test"]) == set(tests["test"])
    own = tests[(tests["test"] == "bmp_kp") & (tests["start"] == 0)].iloc[0]
    assert own["n_events"] == 28
    assert own["statistic"] == results.test("bmp_kp", MAIN).statistic
    used = results.events[results.ok]
    days, by_id = used["day0"], used.set_index("event_id")["day0"]
    for event in document["events"]:
        if event["is_used"]:
            same = (days == by_id[event["cells"]["event_id"]]).sum() - 1
            assert event["detail"]["n_same_session"] == same
    page, text = (run / "report.html").read_text(), (run / "report.md").read_text()
    note = "6 of 28 events are listed, those with the largest CAR relative to its standard error"
    assert note in page
    assert "30 announcements read: 28 used, 2 dropped" in text
    assert "30 announcements read: 28 used, 2 dropped" in page


def test_parquet_is_asked_for_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    from eventstudy.errors import ConfigError
    from eventstudy.runs.contents import require_parquet_for

    plain = builtins.__import__

    def without(name: str, *rest: object, **others: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return plain(name, *rest, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    require_parquet_for(AbnormalReturns.MANY)
    with pytest.raises(ConfigError, match="run of 5,001 events: Parquet files need pyarrow"):
        require_parquet_for(AbnormalReturns.MANY + 1)


@pytest.mark.slow
def test_the_days_of_very_many_events_are_laid_out_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many windows are tested: what else would grow with them is the time of a run."""
    rng = np.random.default_rng(3)
    n, firms, days = 6000, 400, pd.bdate_range("2019-01-01", periods=600)
    index = rng.normal(0, 0.01, len(days))
    returns = pd.DataFrame(index[:, None] + rng.normal(0, 0.02, (len(days), firms)), days)
    returns = returns.add_prefix("F").assign(M=index)
    day, firm = np.divmod(rng.choice(500 * firms, n, replace=False), firms)
    directions = np.resize(["adverse", "relief"], n)
    columns = {"ticker": returns.columns[firm], "announced_at": days[80 + day]}
    events = pd.DataFrame({**columns, "direction": directions})
    laid_out = [0]
    lay = Laying.laid

    def counted(laying: Laying) -> dict[str, np.ndarray]:
        laid_out[0] += len(laying.rows)
        return lay(laying)

    monkeypatch.setattr(Laying, "laid", counted)
    usual: dict[str, Any] = {"estimation": (-70, -11), "event": (-10, 10), "engine": "batch"}
    study = es.EventStudy(events, returns, benchmark="M", main=MAIN, repeat="keep-all", **usual)
    results = study.fit()
    findings = results.findings(config=StudyConfig(calibrate=0, event_pages=2, **usual))
    assert results.is_large
    assert len(findings.sample.windows) == 8
    assert laid_out[0] <= 6 * n
