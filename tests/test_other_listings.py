"""One firm, one news: several listings of an announcement, and several announcements of one day 0."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import SHARED, Market
from pages import MAIN, findings, page
from run_folders import QUICK

from eventstudy.analysis import CountedOnce
from eventstudy.calendars import Exchange, bundled_rows
from eventstudy.cli.main import main
from eventstudy.findings.finished_run import read_findings
from eventstudy.fitting import find_other_listings
from eventstudy.report import Terminal
from eventstudy.report.sentences.caveats import asides
from eventstudy.report.tables.checks import list_checks
from eventstudy.studies import EventStudyResults

DOORS = SHARED / "market-data" / "doors" / "prices"
US = SHARED / "market-data" / "prices"


def listed(tickers: list[str], companies: list[str] | None = None) -> EventStudyResults:
    """Fit one announcement of firms of these tickers, all on one date."""
    market = Market(len(tickers), dates=1, effect=-0.05, seed=4)
    market.table["ticker"] = tickers
    if companies is not None:
        market.table["company"] = companies
    names = dict(zip(market.tickers, tickers, strict=True))
    return market.fit(market.frame.rename(columns=names))


def test_listings_are_of_one_firm_by_their_company_or_by_the_table() -> None:
    names = ["Acme", " ACME", "Other", "TSMC", "Taiwan Semiconductor", "tsmc", ""]
    results = listed(["A", "B", "C", "TSM", "2330.TW", "T", "U"], names)
    reasons = find_other_listings(results, "company", MAIN)
    firsts = [getattr(text, "facts", {}).get("event", "") for text in reasons]
    # T has the name of a listing that the table knows.
    assert firsts == ["", "e0", "", "", "e3", "e3", ""]
    by_table = find_other_listings(results, "ticker", MAIN)
    assert [bool(text) for text in by_table] == [i == 4 for i in range(7)]


@pytest.mark.parametrize(
    ("stamps", "n"),
    [
        (("2022-10-07T10:00-04:00", "2022-10-07T22:00+08:00"), 1),
        (("2022-10-07", "2022-10-07"), 1),
        (("2022-10-07", "2022-10-08"), 0),
        (("2022-10-07T10:00-04:00", "2022-10-07T10:01-04:00"), 0),
    ],
)
def test_an_announcement_is_the_same_at_the_same_instant_or_date(
    stamps: tuple[str, str], n: int
) -> None:
    results = listed(["TSM", "2330.TW"])
    results.events["announced_at"] = list(stamps)
    assert sum(map(bool, find_other_listings(results, "ticker", MAIN))) == n


def test_two_announcements_at_one_time_are_not_each_other() -> None:
    """Both of each listing, such as before the open and after the close of one date."""
    market = Market(4, dates=1, effect=-0.05, seed=4)
    market.table["ticker"] = ["TSM", "TSM", "2330.TW", "2330.TW"]
    market.table.loc[[1, 3], "day0"] += pd.offsets.BDay()
    names = {"F00": "TSM", "F02": "2330.TW"}
    results = market.fit(market.frame.rename(columns=names))
    reasons = find_other_listings(results, "ticker", MAIN)
    assert [getattr(text, "facts", {}).get("event", "") for text in reasons] == ["", "", "e0", "e1"]


def test_what_counts_twice_is_said_with_the_answer_of_each_firm_once() -> None:
    results = listed(["A", "B", "TSM", "2330.TW", "C", "D"])
    once = CountedOnce.of(results, MAIN)
    assert once is not None
    assert (once.n, once.tickers, once.column) == (1, ("TSM", "2330.TW"), "ticker")
    single = results.subset([0, 1, 2, 4, 5]).answer(MAIN)
    assert once.answer.effect == single.effect
    assert once.answer.pvalue == single.pvalue
    study = findings(results)
    [said] = [text for text in asides(study) if "counts more than once" in text]
    assert said.startswith("One announcement counts more than once (TSM and 2330.TW).")
    assert said.endswith("--firm ticker.")
    assert "counts more than once" in " ".join(str(Terminal(study).text()).split())
    assert "Each firm counted once" in page(results)
    check = list_checks(study)[1]
    assert (check.kind, check.n_events, check.pvalue) == ("once", 5, single.pvalue)
    assert CountedOnce.of(results.subset([0, 1, 2]), MAIN) is None


def test_each_row_of_the_table_has_a_source_and_a_date() -> None:
    rows = list(bundled_rows("listings.csv"))
    tickers = [row["ticker"] for row in rows]
    assert len(set(tickers)) == len(tickers)
    for row in rows:
        assert pd.Timestamp(row["as_of"]) < pd.Timestamp("2026-12-01")
        assert row["source"]
        assert Exchange.of(row["ticker"])
    assert all(sum(row["firm"] == firm for row in rows) > 1 for firm in {r["firm"] for r in rows})


@pytest.mark.slow
@pytest.mark.skipif(not DOORS.exists(), reason="no real prices")
def test_tsm_and_its_share_in_taipei_count_once_on_request(tmp_path: Path) -> None:
    (tmp_path / "px").mkdir()
    for folder, symbol in ((DOORS, "TSM"), (DOORS, "2330.TW"), (DOORS, "^TWII"), (US, "^GSPC")):
        (tmp_path / "px" / f"{symbol}.csv").write_bytes((folder / f"{symbol}.csv").read_bytes())
    events = tmp_path / "tsm.csv"
    rows = ["TSM,2023-12-05T10:00-05:00,TSMC", "2330.TW,2023-12-05T23:00+08:00,TSMC"]
    events.write_text("\n".join(["ticker,announced_at,company", *rows]), "utf-8")
    options = ["-p", str(tmp_path / "px"), "-e", "-100:-21", "--out", str(tmp_path / "out")]
    command = ["run", str(events), *options, *QUICK]
    both = CliRunner().invoke(main, command)
    assert both.exit_code == 0, both.output
    assert "One announcement counts more than once (TSM and 2330.TW)." in both.stdout
    said = read_findings(tmp_path / "out" / "tsm").sample.once
    assert said is not None
    once = CliRunner().invoke(main, [*command, "--firm", "company", "--name", "once"])
    assert once.exit_code == 0, once.output
    answer = read_findings(tmp_path / "out" / "once").sample.answer
    assert answer.n_events == 1
    assert said.answer.effect.estimate == answer.effect.estimate
    assert said.answer.pvalue == answer.pvalue


@pytest.mark.slow
def test_two_announcements_with_one_day0_are_one_event_with_both_names(tmp_path: Path) -> None:
    events = tmp_path / "two.csv"
    rows = [
        "a,AMD,2022-10-07,Rules",
        "b,AMD,2022-10-07T09:00-04:00,More rules",
        "c,AAPL,2022-08-02,",
    ]
    events.write_text("\n".join(["event_id,ticker,announced_at,title", *rows]), "utf-8")
    out = tmp_path / "out"
    options = ["--prices", "sample", "--offline", "--out", str(out), *QUICK[:2]]
    result = CliRunner().invoke(main, ["run", str(events), *options])
    assert result.exit_code == 0, result.output
    assert "part of its event: b of a" in result.stderr
    study = read_findings(out / "two")
    first, second, _ = study.events
    assert (first.is_used, second.is_used, first.merged) == (True, False, ("b",))
    assert second.reason == "part of event a: same listing and day 0"
    assert study.sample.answer.n_events == 2
    assert study.sample.answer.missing is not None
    assert study.sample.answer.missing.n_listed == 2, "announcements, not rows"
    assert not [n for n in study.dropped if n[0].code != "same_session"]
    page_of = {event.cells["event_id"]: (out / "two" / event.page) for event in study.events}
    assert "It is one event with b: same listing and day" in page_of["a"].read_text("utf-8")
    assert "part of event a" in page_of["b"].read_text("utf-8")
    report = (out / "two" / "report.html").read_text("utf-8")
    assert "one event with b" in report
    table = pd.read_csv(out / "two" / "events.csv")
    assert table["status"].tolist() == ["ok", "dropped", "ok"]
    assert "merged" in table["flags"][0]
