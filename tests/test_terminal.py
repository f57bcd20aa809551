"""The short answer for a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import Market
from pages import CONFIG, MAIN
from run_folders import AT, DAYS, Project, invoke
from situations import CLOSE, DISPERSED, ONE, placed

from eventstudy.cli.main import main
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.formats.terminal import (
    p_text,
    percent_text,
    sketch,
    summary,
    terminal_text,
)
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults
from eventstudy.utility.numbers import share_text

STUDIES = {
    "one": placed([160], effect=-0.3),
    "few": placed([160, 165, 170], effect=-0.06, seed=3),
    "one_date": placed(ONE, rho=0.3, seed=33),
    "close": placed(CLOSE, rho=0.4, seed=37),
    "dispersed": placed(DISPERSED, seed=35),
    "different": Market(20, dates=7, effect=-0.04, seed=3),
}


def summary_of(results: EventStudyResults, config: StudyConfig = CONFIG) -> str:
    findings = results.findings(config=config)
    return summary(findings, findings.sample)


@pytest.mark.parametrize("kind", STUDIES)
def test_the_table_has_the_answer_of_each_window(kind: str) -> None:
    results = STUDIES[kind].fit()
    text = summary_of(results)
    lines = text.splitlines()
    assert text.isascii()
    assert max(map(len, lines)) <= 79
    rows = [line for line in lines if line.strip().startswith("[")]
    assert [row.split()[0] for row in rows] == [str(window) for window in CONFIG.tested]
    for row, window in zip(rows, CONFIG.tested, strict=True):
        found = results.answer(window)
        low, high = (percent_text(end) for end in (found.effect.ci_low, found.effect.ci_high))
        assert row.replace("main", "").split()[1:] == [
            str(found.n_events), percent_text(found.effect.estimate), low, "to", high,
            p_text(found.pvalue),
            *[percent_text(found.plain_average.estimate)] * (len(results) > 1),
        ]  # fmt: skip
        assert ("main" in row) == (window == MAIN)
    assert f"p: {STATISTICS[results.answer(MAIN).test].label} (main test)." in text


@pytest.mark.parametrize("kind", STUDIES)
def test_other_tests_stand_beneath_by_how_far_to_trust_them(kind: str) -> None:
    results = STUDIES[kind].fit()
    beneath = " ".join(summary_of(results).partition("(main test).")[2].split())
    opinions = {v.test: v for v in results.diagnose(MAIN).opinions}
    for name in results.default_tests[1:]:
        own, label = opinions[name], STATISTICS[name].label
        part = beneath.partition(f"[0,1], {own.trust}: ")[2].partition(": ")[0]
        shown = re.search(rf"(?:^|, ){re.escape(label)} (\S+?)[,.]? ", f"{part} ")
        assert bool(shown) == (own.trust != "not valid"), name
        if shown:
            assert shown[1] == p_text(own.pvalue)


def test_the_rate_of_false_alarms_is_named_where_it_is_above_what_a_test_says() -> None:
    text = " ".join(summary_of(STUDIES["different"].fit()).split())
    own = {v.test: v for v in STUDIES["different"].fit().diagnose(MAIN).opinions}["patell"]
    assert own.trust == "valid with care"
    assert (
        f"Patell Z {p_text(own.pvalue)} (false alarms about {share_text(own.false_alarms)})" in text
    )


def test_tests_asked_for_stand_in_place_of_the_usual_ones() -> None:
    results = STUDIES["dispersed"].fit()
    text = summary_of(results, CONFIG.with_options({"tests": ["hall"]}))
    assert f"(Hall) {p_text(results.test('hall', MAIN).pvalue)}" in text
    assert "GRANK" not in text


def test_without_a_main_test_a_row_has_the_plain_average_alone() -> None:
    market = Market(15, dates=1, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    results = market.fit(frame, model="market_adjusted")
    row = next(line.split() for line in summary_of(results).splitlines() if "main" in line)
    average = results.answer(MAIN).plain_average.estimate
    assert row == ["[0,1]", "main", "15", "-", "-", "-", percent_text(average)]


def test_the_group_of_the_answer_comes_first_in_the_tables(tmp_path: Path) -> None:
    """Of the six rows of one group five have no prices, and one none on day 1: the other group
    leads."""
    project = Project(tmp_path)
    prices = project.prices / "AAA.csv"
    lines, after = prices.read_text(encoding="utf-8").splitlines(), f"{DAYS[AT[0] + 1]:%Y-%m-%d},"
    prices.write_text(
        "\n".join(line for line in lines if not line.startswith(after)), encoding="utf-8"
    )
    text = project.events.read_text(encoding="utf-8").splitlines()
    gone = [f"g{i},GONE{i},2020-08-03,MKT,many" for i in range(5)]
    rows = [f"{line},{'many' if i == 0 else 'few'}" for i, line in enumerate(text[1:])]
    project.events.write_text(
        "\n".join([f"{text[0]},direction", *rows, *gone, ""]), encoding="utf-8"
    )
    said = invoke("run", *(o for o in project.options if o != "--quiet"))
    assert re.findall(r"direction = (\w+): ", said) == ["few", "many"]
    document = json.loads((project.run / "results.json").read_text(encoding="utf-8"))
    assert [sample["group"] for sample in document["samples"]] == ["few", "many", ""]
    assert document["answer"]["many"]["verdict"] == "no_result"


def test_analyses_are_those_of_the_tables() -> None:
    results = Market(20, dates=7, seed=3).fit()
    plain = terminal_text(results.findings(config=CONFIG))
    results.events["late"] = np.arange(20) % 4
    config = CONFIG.with_options({"placebo": 39, "regress": ["late"]})
    findings = results.findings(config=config)
    placebo, terms = (findings.tables[name] for name in ("placebo", "regression"))
    text = terminal_text(findings)
    assert text.isascii()
    more = " ".join(line for line in text.splitlines() if line not in plain.splitlines())
    assert "of 39 shifted calendars" in " ".join(more.split())
    assert f"(p = {p_text(placebo['pvalue'][0])})" in " ".join(more.split())
    (row,) = (line.split() for line in text.splitlines() if line.strip().startswith("late "))
    assert row[1] == f"{100 * terms['estimate'][1]:+.2f}"
    assert row[-1] == p_text(terms["pvalue"][1])


def test_the_sketch_has_a_point_for_each_day() -> None:
    path = STUDIES["different"].fit().findings(config=CONFIG).sample.path
    assert path is not None
    _, *rows, axis = sketch(path).splitlines()
    columns = [i for row in rows for i, letter in enumerate(row[9:]) if letter == "o"]
    assert sorted(columns) == [2 * i for i in range(len(path.days))]
    assert axis.split() == ["-5", "0", "+5"]


def test_events_beyond_the_data_have_a_line_of_their_own_and_no_fault_is_counted_for_them(
    tmp_path: Path,
) -> None:
    """The end of a series touches the windows of a dropped event only, whose reason says it."""
    rows = [
        "AAPL,2023-09-06",
        "AAPL,2020-08-06",
        "NVDA,2022-08-31",
        "TSLA,2020-08-06",
        "XOM,2024-01-10",
    ]
    events = tmp_path / "events.csv"
    events.write_text("\n".join(["ticker,announced_at", *rows]), encoding="utf-8")
    for source in ("sample", "auto"):
        done = CliRunner().invoke(
            main, ["run", str(events), "--prices", source, "--offline", "--out", str(tmp_path)]
        )
        assert done.exit_code == 0, done.output
        assert (
            "     2  no price data on day 0, e.g. AAPL-2023-09-06: AAPL ends 2022-12-28"
            in done.stdout
        )
        assert "     1  no price data, e.g. TSLA-2020-08-06: " in done.stdout
        assert "faults of prices" not in done.stdout
        page = (tmp_path / "events" / "report.html").read_text(encoding="utf-8")
        assert "Dropped: 2 · no price data on day 0</summary>" in page
