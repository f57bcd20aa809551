"""What is missing from an answer: the largest fall of a price, and many announcements."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT, SHARED, Market
from pages import MAIN, findings, page
from run_folders import QUICK

import eventstudy as es
from eventstudy.analysis import Fall, Missing
from eventstudy.analysis.answer.missing import Place
from eventstudy.calendars import Window
from eventstudy.cli.main import main
from eventstudy.events import Events
from eventstudy.findings.finished_run import read_findings
from eventstudy.quality import SeriesFault
from eventstudy.report import Terminal
from eventstudy.report.figures.stacked_bars import draw_stacks
from eventstudy.report.figures.svg_canvas import NARROW, WIDE
from eventstudy.report.formats.figure_files import card
from eventstudy.report.sentences.caveats import list_caveats, second_sentence
from eventstudy.report.tables.checks import list_checks, say_fragility
from eventstudy.report.tables.events import missing_table
from eventstudy.returns import ReturnsPanel
from eventstudy.runs import compare_runs
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import Reason

REAL = SHARED / "market-data" / "prices"


def caveat(results: EventStudyResults) -> str:
    study = findings(results)
    return second_sentence(study)


def halted(market: Market, i: int, growth: list[float], n: int) -> EventStudyResults:
    """Fit a market whose firm i has no price on n sessions from its day 0 on, and then moves by
    `growth`: its first return spans all of them."""
    frame = market.frame.copy()
    at = frame.index.get_loc(market.table["day0"][i])
    frame.iloc[at : at + n, i] = np.nan
    frame.iloc[at + n : at + n + len(growth), i] = growth
    panel = ReturnsPanel.from_frame(frame)
    spans = panel.spans.copy()
    spans[panel.row(market.tickers[i], "data"), at + n] = n + 1
    events = Events(table=market.table, source="frame", sha256="")
    around = {"estimation": (-120, -11), "event": (-5, 5)}
    return EventStudy(events, replace(panel, spans=spans), **around).fit()  # type: ignore[arg-type]


def closed_at_limit(results: EventStudyResults, i: int, first: int, n: int) -> EventStudyResults:
    """Return results whose firm i closes at its limit on n sessions from the column `first` on."""
    panel = results.panel
    limits = np.zeros(panel.values.shape, dtype=np.int8)
    limits[panel.row(f"F{i:02d}", "data"), first : first + n] = -1
    return replace(results, panel=replace(panel, limits=limits))


def test_a_fall_goes_on_to_the_first_close_off_the_limit() -> None:
    """Suspended for 12 sessions, then two closes at the limit: 0.9 * 0.9 * 0.97 - 1 = -21.43%."""
    market = Market(5, dates=5, effect=-0.05, seed=8)
    results = halted(market, 2, [-0.1, -0.1, -0.03, 0.2], 12)
    at = market.frame.index.get_loc(market.table["day0"][2])
    fall = Fall.of(closed_at_limit(results, 2, at + 12, 2), 2, MAIN)
    assert fall is not None
    assert fall.change == pytest.approx(0.9 * 0.9 * 0.97 - 1)
    days = [str(market.frame.index[at + k].date()) for k in (-1, 14, -1, 12)]
    assert [fall.first, fall.last, fall.stopped, fall.resumed] == days
    assert (fall.n_idle, fall.lack) == (12, "suspended")
    free = Fall.of(results, 2, MAIN)
    assert free is not None
    assert free.change == pytest.approx(-0.1), "without a limit it ends with the first close"
    never = Fall.of(closed_at_limit(results, 2, at + 12, 400), 2, MAIN)
    assert never is None, "no close is off the limit"


@pytest.mark.slow
def test_the_largest_fall_that_is_missing_is_the_second_sentence_everywhere() -> None:
    market = Market(5, dates=5, effect=-0.05, seed=8, days=260)
    results = halted(market, 2, [-0.4], 42)
    results = replace(results, events=results.events.assign(company="Halted Shares Co., Ltd"))
    study = findings(results)
    said = (
        "Four of five announcements are in this average. "
        "Halted Shares is not: it was suspended for two months, then fell 40%."
    )
    # All events are of one name here, but the missing one has a ticker of its own.
    assert second_sentence(study) == said
    assert said in " ".join(str(Terminal(study).text()).split())
    assert said in page(results)
    drawn = " ".join(" ".join(ET.fromstring(card(study)["card.svg"]).itertext()).split())
    assert said.removesuffix(".") in drawn


def test_a_short_gap_is_no_suspension() -> None:
    results = halted(Market(5, dates=5, seed=8), 2, [-0.09], 3)
    assert caveat(results).startswith(
        "Four of five announcements are in this average. "
        "F02 is not: it lacks prices on these days, and fell 9.0%."
    )


@pytest.mark.slow
def test_a_smaller_fall_and_a_rise_are_not_the_second_sentence() -> None:
    market = Market(5, dates=5, effect=-0.05, seed=8)
    largest = market.fit().abnormal.car(MAIN).min()
    for growth in (0.5 * largest, 0.3):
        results = halted(market, 2, [growth], 12)
        missing = results.answer().missing
        assert missing == Missing(5, {"suspended": 1}, by_place={"": {"used": 4, "suspended": 1}})
        assert "Halted" not in caveat(results)


def test_a_fall_of_the_whole_market_is_no_larger_than_that_of_the_others() -> None:
    """The missing share falls by less than the others, whose CARs take the market off."""
    market = Market(6, dates=1, effect=-0.02, seed=8)
    frame = market.frame.copy()
    at = frame.index.get_loc(market.table["day0"][0])
    for name, beta in zip(market.tickers, (1.0, 1.2, 1.4, 1.0, 1.1, 0.9), strict=True):
        frame.loc[frame.index[at], name] -= 0.2 * beta
    frame.loc[frame.index[at], "MKT"] -= 0.2
    frame.iloc[: at - 20, 5] = np.nan
    results = market.fit(frame)
    fall = Fall.of(results, 5, MAIN)
    assert fall is not None
    assert fall.change < results.abnormal.car(MAIN)[:5].min()
    counts = {"": {"used": 5, "history": 1}}
    assert results.answer().missing == Missing(6, {"history": 1}, by_place=counts)


def test_a_move_that_may_be_an_error_is_no_fall() -> None:
    market = Market(5, dates=5, effect=-0.05, seed=8)
    results = halted(market, 2, [-0.9], 12)
    assert results.answer().missing.fall is not None  # type: ignore[union-attr]
    day = str(market.frame.index[market.frame.index.get_loc(market.table["day0"][2]) + 12].date())
    fault = SeriesFault("F02", day, day, "suspect_split", "near 10:1", "flagged, unaltered")
    doubted = replace(results, panel=replace(results.panel, faults=(fault,)))
    assert Fall.of(doubted, 2, MAIN) is None


def test_a_fall_to_the_last_price_of_a_series_is_named() -> None:
    """It looks like a split, and no later price can tell."""
    market = Market(5, dates=5, effect=-0.05, seed=8, days=260)
    frame = market.frame.copy()
    at = frame.index.get_loc(market.table["day0"][2])
    frame.iloc[at, 2] = -0.6
    frame.iloc[at + 1 :, 2] = np.nan
    day, last = (str(frame.index[k].date()) for k in (at, -1))
    faults = (
        SeriesFault("F02", day, day, "suspect_split", "near 2.5:1", "flagged, unaltered"),
        SeriesFault("F02", day, last, "ended", f"last price on {day}", "no return after"),
    )
    panel = replace(ReturnsPanel.from_frame(frame), faults=faults)
    events = Events(table=market.table, source="frame", sha256="")
    around = {"estimation": (-120, -11), "event": (-5, 5)}
    results = EventStudy(events, panel, **around).fit()  # type: ignore[arg-type]
    fall = Fall.of(results, 2, MAIN)
    assert fall is not None
    assert (fall.lack, fall.change, fall.last) == ("ended", pytest.approx(-0.6), day)
    assert "F02 is not: it fell 60% to its last price" in caveat(results)
    assert results.answer().missing.lacks == {"ended": 1}  # type: ignore[union-attr]
    unended = replace(results, panel=replace(panel, faults=faults[:1]))
    assert Fall.of(unended, 2, MAIN) is None, "later prices may yet come"


@pytest.mark.parametrize(("lost", "n", "is_said"), [(1, 5, False), (2, 9, True), (2, 10, False)])
def test_more_than_a_fifth_is_said(lost: int, n: int, is_said: bool) -> None:
    market = Market(n, dates=n, effect=-0.06, seed=3)
    results = market.fit(market.frame.drop(columns=market.tickers[:lost]))
    answer = results.answer()
    counts = {"": {"used": n - lost, "prices": lost}}
    assert answer.missing == Missing(n, {"prices": lost}, by_place=counts)
    assert (answer.caveat.code == "many_missing") is is_said  # type: ignore[union-attr]


@pytest.mark.slow
def test_the_words_of_what_is_missing() -> None:
    market = Market(20, dates=20, effect=-0.06, seed=3)
    fewer = market.frame.drop(columns=market.tickers[:6])
    assert caveat(market.fit(fewer)) == (
        "Only 14 of 20 announcements are in this average; the other six have no prices at hand."
    )
    fewer.iloc[:130, :2] = np.nan
    text = caveat(market.fit(fewer))
    assert text == (
        "Only 12 of 20 announcements are in this average; "
        "of the other eight, six have no prices at hand."
    )
    few = Market(2, dates=2, effect=-0.2)
    alone = findings(few.fit(few.frame.drop(columns="F01")))
    lost, news = list_caveats(alone)
    assert lost == (
        "Only one of two announcements is in this answer; the other one has no prices at hand."
    )
    assert news.startswith("One announcement cannot be told from other news of the same days;")


def test_an_announcement_with_two_rows_is_not_missing() -> None:
    market = Market(4, dates=4, effect=-0.06, seed=3)
    results = market.fit(market.frame.drop(columns="F03"))
    events = results.events.copy()
    events["reason"] = events["reason"].astype(object)
    events.at[3, "reason"] = Reason("other_listing", event="e0")
    assert Missing.of(replace(results, events=events), MAIN) == Missing(
        3, {}, by_place={"": {"used": 3}}
    )


@pytest.mark.slow
def test_the_index_and_what_is_mailed_carry_it(tmp_path: Path) -> None:
    rows = ["AMD,2022-10-07", "AAPL,2022-08-02", "NOWHERE,2022-08-02"]
    said = "Only two of three announcements are in this average; the other one has no prices"
    options = ["--prices", "sample", "--offline", "--out", str(tmp_path / "out")]
    events = tmp_path / "events.csv"
    for name, more in (("old", []), ("new", ["JPM,2022-03-08", "ABSENT,2022-03-08"])):
        events.write_text("\n".join(["ticker,announced_at", *rows, *more]), "utf-8")
        quick = ["--event-pages", "0", "--calibrate", "0", "--name", name]
        result = CliRunner().invoke(main, ["run", str(events), *options, *quick])
        assert result.exit_code == 0, result.output
    assert said in (tmp_path / "out" / "index.html").read_text("utf-8")
    changes = compare_runs(tmp_path / "out" / "old", tmp_path / "out" / "new").markdown()
    assert said in changes
    assert "Only three of five announcements are in this average" in changes


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="no real prices")
def test_zte_of_2018_is_the_second_sentence(tmp_path: Path) -> None:
    """30.57 on 16 April to 12.97 on 26 June 2018, the first close off the limit: 58% (the figures
    of the exchange)."""
    rows = [
        ("smic", "0981.HK", "2020-12-18T08:00-05:00", "SMIC"),
        ("nvidia", "NVDA", "2022-08-31T16:30-04:00", "NVIDIA"),
        ("micron", "MU", "2023-05-21T12:00-04:00", "Micron Technology Inc."),
        ("zte", "000063.SZ", "2018-04-16T09:00-04:00", "ZTE Corporation"),
    ]
    table = pd.DataFrame(rows, columns=["event_id", "ticker", "announced_at", "company"])
    table.to_csv(tmp_path / "four.csv", index=False)
    options = ["-p", str(REAL), "--out", str(tmp_path / "out"), *QUICK]
    result = CliRunner().invoke(main, ["run", str(tmp_path / "four.csv"), *options])
    assert result.exit_code == 0, result.output
    said = (
        "Three of four announcements are in this average. "
        "ZTE is not: it was suspended for two months, then fell 58%."
    )
    assert said in " ".join(result.stdout.split())
    drawn = CliRunner().invoke(main, ["card", str(tmp_path / "out" / "four")])
    assert drawn.exit_code == 0, drawn.output
    text = " ".join(ET.fromstring((tmp_path / "out" / "four.svg").read_bytes()).itertext()).split()
    assert said.removesuffix(".") in " ".join(text)
    fall = read_findings(tmp_path / "out" / "four").sample.answer.missing.fall
    assert fall.change == pytest.approx(12.9671 / 30.5722 - 1, abs=1e-4)
    table = missing_table(read_findings(tmp_path / "out" / "four"))
    assert table is not None, "the caveat speaks of one, so the section counts it"
    assert [column.key for column in table.columns] == ["name", "used", "suspended"]


def test_no_price_on_day_0_is_another_reason_than_no_prices() -> None:
    news = {"ticker": ["AMD", "NVDA", "NVDA", "ZZZZ"]}
    news["announced_at"] = ["2022-10-07", "2022-08-31T16:30-04:00", "1999-06-01", "2022-10-07"]
    table = missing_table(
        es.run_study(pd.DataFrame(news), es.StudyConfig(prices="sample", calibrate=0)).findings()
    )
    assert table is not None
    assert table.rows[0].values == {"name": "New York", "used": 2, "prices": 1, "day0": 1}


def test_exchanges_are_counted_as_the_list_has_them() -> None:
    """Against the list of the committed run, counted by pandas."""
    folder = ROOT / "reports" / "sanctions-sample"
    table = missing_table(read_findings(folder))
    assert table is not None
    events = pd.read_csv(folder / "events.csv", keep_default_na=False)
    adverse = events[events["direction"] == "adverse"]
    used = adverse["status"] == "ok"
    suffix = adverse["ticker"].str.extract(r"\.(\w+)$")[0].fillna("")
    rows = {row.name: row.values for row in table.rows}
    for name, endings in {"New York": [""], "Hong Kong": ["HK"], "Moscow": ["ME"]}.items():
        is_here = suffix.isin(endings)
        assert rows[name].get("used", 0) == (used & is_here).sum()
        lost = rows[name].get("prices", 0) + rows[name].get("day0", 0)
        assert lost == (~used & is_here).sum()
    total = sum(n for values in rows.values() for n in values.values() if isinstance(n, int))
    assert total == len(adverse)
    assert "speaks for New York only" in table.caption
    picture = draw_stacks(table, width=WIDE, title="t")
    (blue,) = re.findall(r'class="bar" x="[\d.]+" y="24" width="([\d.]+)"', picture)
    greys = re.findall(r'class="lack[^"]*" x="[\d.]+" y="24" width="([\d.]+)"', picture)
    share = float(blue) / (float(blue) + sum(map(float, greys)))
    assert share == pytest.approx(used.sum() / (suffix == "").sum(), abs=0.002)


def test_an_exchange_is_named_once_for_all_its_announcements(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named: list[str] = []
    name_of = Place.name_of

    def noted(code: str) -> str:
        named.append(code)
        return name_of(code)

    monkeypatch.setattr(Place, "name_of", staticmethod(noted))
    results = Market(12, seed=8).fit()
    for window in (MAIN, Window(0, 0)):
        assert Missing.of(results, window).count == 0
    assert named == results.events["exchange"].unique().tolist()


def test_small_exchanges_and_rare_reasons_are_one_row_and_one_column() -> None:
    study = findings(Market(8, seed=3).fit())
    places = {f"P{i}": {"used": 20 - i, "prices": 3} for i in range(9)}
    places["P8"] |= {"index": 4, "limit": 2, "other": 1}
    lacks = {"prices": 27, "index": 4, "limit": 2, "other": 1}
    missing = Missing(178, lacks, by_place=places)
    sample = study.sample
    answer = replace(sample.main.answer, missing=missing)
    sample = replace(sample, main=replace(sample.main, answer=answer))
    table = missing_table(replace(study, samples=(sample,)))
    assert table is not None
    assert [column.key for column in table.columns] == ["name", "used", "prices", "index", "other"]
    assert [row.name for row in table.rows][:7] == [f"P{i}" for i in range(7)]
    (last,) = table.rows[7:]
    assert last.values == {
        "name": "Two smaller exchanges", "used": 13 + 12, "prices": 6, "index": 4, "other": 3,
    }  # fmt: skip
    heads = tuple(replace(column, head="too soon after another") for column in table.columns)
    picture = draw_stacks(replace(table, columns=heads), width=NARROW, title="t")
    ends = [float(x) + 122 for x in re.findall(r'x="([\d.]+)" y="[\d.]+">too soon', picture)]
    assert len(ends) == 4
    assert max(ends) < 358, "the kinds stay within the picture"


def test_in_how_many_checks_it_holds_is_what_the_rows_say() -> None:
    study = read_findings(ROOT / "reports" / "sanctions-sample")
    text = (ROOT / "reports" / "sanctions-sample" / "report.md").read_text(encoding="utf-8")
    rows = text.partition("## What could change this answer")[2].partition("\n## ")[0]
    p = [float(value) for value in re.findall(r"\| ([01]\.\d+) \|$", rows, re.MULTILINE)]
    main, *others = p
    held = sum((value < 0.05) == (main < 0.05) for value in others)
    assert f"Holds in {held} of {len(others)} checks." in text
    checks = list_checks(study)
    assert say_fragility(study, checks[:1]) == ""
    assert say_fragility(study, (checks[0], checks[0])) == "Holds in all 1 check"
