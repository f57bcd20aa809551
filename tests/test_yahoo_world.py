"""The shipped events on what Yahoo really has of their symbols, through the real yfinance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from run_folders import invoke
from yahoo_standin import Series, Yahoo
from yahoo_world import FIRST, GONE, world

import eventstudy as es
from eventstudy.calendars import Window
from eventstudy.findings.finished_run import read_findings
from eventstudy.runs import Record
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Flag

HIKVISION, SOON = "hikvision-2019-05-22-report", "hoshine-2021-06-23-wro"
BEGINS = "000300.SS has no prices before 11 March 2021"
LINE = f"Benchmark: 1 of 3 events uses 399001.SZ and 1 uses 000001.SS because {BEGINS}"


@pytest.fixture(scope="module")
def yahoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yahoo]:
    """Lead this process to the stand-in; the cache of calendars is that of all tests."""
    cache = tmp_path_factory.getbasetemp().parent / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        with Yahoo(*world()) as served:
            for name, value in served.env().items():
                patch.setenv(name, value)
            yield served


@dataclass(frozen=True)
class Shipped:
    """The study of events.csv by either policy, and the symbols that were asked for."""

    wish: EventStudyResults
    strict: EventStudyResults
    symbols: frozenset[str]


@pytest.fixture(scope="module")
def shipped(yahoo: Yahoo) -> Shipped:
    events = es.read_events(ROOT / "events.csv")
    panel = es.load_returns(events, "yahoo")
    asked = frozenset(call["path"].rpartition("/")[2] for call in yahoo.charts())
    wish, strict = (
        es.EventStudy(events, panel, engine="batch", benchmark_policy=policy).fit()
        for policy in ("fallback", "strict")
    )
    return Shipped(wish, strict, asked)


def mainland(results: EventStudyResults) -> pd.DataFrame:
    events = results.events
    return events[events["ticker"].str.endswith((".SS", ".SZ"))].set_index("event_id", drop=False)


def ar0_of(firm: Series, index: Series, day: str) -> tuple[float, int]:
    """Return the abnormal return of a day by a regression on days -250 to -31, and its number of
    days."""
    closes = pd.DataFrame({
        name: {pd.Timestamp(row[0]): row[4] for row in own.rows}
        for name, own in {"firm": firm, "index": index}.items()
    }).sort_index()  # fmt: skip
    returns = closes[: pd.Timestamp(day)].pct_change(fill_method=None)
    past = returns.iloc[-251:-31].dropna()
    slope, level = np.polyfit(past["index"], past["firm"], 1)
    return float(returns["firm"].iloc[-1] - level - slope * returns["index"].iloc[-1]), len(past)


@pytest.mark.slow
def test_the_first_case_has_a_result(yahoo: Yahoo, shipped: Shipped) -> None:
    results = shipped.wish
    case = results.events[results.events["event_id"] == HIKVISION].iloc[0]
    assert (case["status"], case["benchmark"], case["benchmark_named"]) == (
        "ok",
        "399001.SZ",
        "000300.SS",
    )
    assert Flag.BENCHMARK_FALLBACK in case["flags"].split(";")
    expected, days = ar0_of(yahoo.series["002415.SZ"], yahoo.series["399001.SZ"], "2019-05-22")
    assert case["nobs"] == days == 220
    assert results.abnormal.car(Window(0, 0))[case.name] == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_mainland_rows_have_results_and_one_line_says_by_which_index(shipped: Shipped) -> None:
    rows = mainland(shipped.wish)
    assert len(rows) == 40
    assert (rows["status"] == "ok").sum() >= 29
    lost = rows[rows["status"] == "dropped"]
    assert not lost["reason"].str.contains("benchmark").any(), lost["reason"].tolist()
    early = rows["flags"].str.contains(Flag.BENCHMARK_FALLBACK)
    assert (rows["benchmark"][~early] == "000300.SS").all()
    counts = rows["benchmark"][early].value_counts()
    assert set(counts.index) == {"399001.SZ", "000001.SS"}
    who = " and ".join(f"{n} use {name}" for name, n in counts.items()).replace(
        " ", " of 230 events ", 1
    )
    (line,) = [text for text in shipped.wish.panel.notices if "000300.SS" in text]
    assert line == f"Benchmark: {who} because {BEGINS}"


@pytest.mark.slow
def test_indices_are_asked_for_in_rounds(shipped: Shipped) -> None:
    assert {"399001.SZ", "000001.SS"} <= shipped.symbols
    assert shipped.symbols.isdisjoint({"ASHR", "SPY", "2800.HK"})


@pytest.mark.slow
def test_a_strict_policy_drops_them_with_a_reason(shipped: Shipped) -> None:
    rows, wish = mainland(shipped.strict), mainland(shipped.wish)
    assert rows["status"][HIKVISION] == "dropped"
    lost = rows[rows["status"] == "dropped"]
    named = lost[lost["day0"] <= pd.Timestamp(FIRST["000300.SS"])]
    assert len(named) == 22
    begins = "no price data for the benchmark on day 0: 000300.SS begins 2021-03-12, day 0 is "
    assert named["reason"].str.startswith(begins).all()
    assert named["reason"].str.contains("other indices of the exchange: ").all()
    assert "benchmark_named" not in rows
    assert (rows["benchmark"] == "000300.SS").all()
    rest = rows.index.difference(named.index)
    assert (rows["status"][rest] == wish["status"][rest]).all()
    assert not any(text.startswith("Benchmark") for text in shipped.strict.panel.notices)


@pytest.mark.slow
def test_what_yahoo_has_no_more_and_what_was_not_traded(shipped: Shipped) -> None:
    results = shipped.wish
    events, ar = results.events.set_index("event_id"), results.abnormal.ar
    gone = events["ticker"].str.endswith(".ME") | events["ticker"].isin(GONE)
    assert gone.sum() == 11
    assert (events["status"][gone] == "dropped").all()
    assert events["reason"][gone].str.contains("does not know the symbol, or no longer").all()
    for listing in "ah":
        halted = events.index.get_loc(f"zte-2018-04-16-denial-{listing}")
        days = results.abnormal.event.days
        assert np.isnan(ar[halted, days >= 0]).all(), (
            "suspended: flat rows without volume are no returns"
        )
        assert np.isfinite(ar[halted, days < 0]).all()
    typhoon = np.datetime64("2017-08-23")
    assert typhoon not in results.panel.sessions[results.panel.calendars["XHKG"]]


@pytest.fixture(scope="module")
def run(yahoo: Yahoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of three events: before the index begins, soon after, and when it has all days."""
    place = tmp_path_factory.mktemp("study")
    rows = pd.read_csv(ROOT / "events.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["event_id"].isin([HIKVISION, SOON, "inspur-2023-03-02-entity"])]
    rows.to_csv(place / "events.csv", index=False)
    assert f"NOTE: {LINE}\n" in run_of(place, "wish")
    return place / "out" / "wish"


def run_of(place: Path, name: str, *options: str, file: str = "events.csv", code: int = 0) -> str:
    """Run the three events into a folder; return what was said, the benchmarks at most once."""
    where = (
        "--out",
        place / "out",
        "--name",
        name,
        "--store",
        place / "store",
        "--draws",
        "99",
        "--calibrate",
        "0",
    )
    said = invoke("run", place / file, *where, *options, code=code)
    assert said.count("Benchmark: ") <= 1
    return said


@pytest.mark.slow
def test_a_run_says_it_once_and_keeps_what_it_used(run: Path) -> None:
    record = Record.read(run)
    assert {"000300.SS", "399001.SZ", "000001.SS"} <= set(record.manifest["prices"])
    for file in ("report.html", "report.md"):
        assert (run / file).read_text(encoding="utf-8").count(LINE) == 1
    notices = [str(note.text) for note in read_findings(run).notes if note.is_notice]
    assert notices.count(LINE) == 1
    (page,) = (run / "events").glob("0001-*.html")
    text = page.read_text(encoding="utf-8")
    assert 'Index</th><td class="l">SZSE Component (399001.SZ)</td>' in text
    assert f"399001.SZ is used because {BEGINS}." in text
    assert es.reproduce_run(run).exact


@pytest.mark.slow
def test_a_refresh_stays_and_a_comparison_names_the_index(run: Path) -> None:
    assert "nothing new" in invoke("refresh", run)
    place = run.parents[1]
    text = (place / "events.csv").read_text(encoding="utf-8")
    (place / "edited.csv").write_text(
        text.replace("Hangzhou Hikvision", "Hikvision"), encoding="utf-8"
    )
    said = run_of(place, "strict", "--benchmark-policy", "strict", file="edited.csv")
    assert "Benchmark: " not in said
    other = run.parent / "strict"
    assert es.reproduce_run(other).exact
    found = es.compare_runs(other, run)
    assert found.settings == {"benchmark_policy": ("strict", "fallback")}
    assert set(found.statuses) == {HIKVISION}
    assert {move.event_id for move in found.moves} == {SOON}
    assert all("benchmark 000001.SS instead of 000300.SS" in move.why for move in found.moves)
    assert found.edited == {HIKVISION: {"company": ("Hikvision", "Hangzhou Hikvision")}}


@pytest.mark.slow
def test_an_option_is_strict(run: Path) -> None:
    said = run_of(run.parents[1], "named", "--benchmark", "000300.SS", "--strict", code=3)
    assert "000300.SS begins 2021-03-12, day 0 is 2019-05-22" in said
    assert "Benchmark: " not in said
