"""The short answer for a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import Market
from pages import CONFIG, MAIN, page
from pages import findings as found
from run_folders import AT, DAYS, QUICK, Project, invoke
from situations import CLOSE, DISPERSED, ONE, placed

from eventstudy.cli.main import main
from eventstudy.findings import Findings
from eventstudy.report import Terminal
from eventstudy.report.formats.terminal import p_text, percent_text, summary, text_table
from eventstudy.report.sentences.answer import split_answer
from eventstudy.report.tables.columns import NAME, Column, Kind
from eventstudy.report.tables.table import Row, make_table
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults
from eventstudy.words import ascii_text, words

STUDIES = {
    "one": placed([160], effect=-0.3),
    "few": placed([160, 165, 170], effect=-0.06, seed=3),
    "one_date": placed(ONE, rho=0.3, seed=33),
    "close": placed(CLOSE, rho=0.4, seed=37),
    "dispersed": placed(DISPERSED, seed=35),
    "different": Market(20, dates=7, effect=-0.04, seed=3),
}


def findings_of(results: EventStudyResults, config: StudyConfig = CONFIG) -> Findings:
    return results.findings(config=config)


def summary_of(results: EventStudyResults, config: StudyConfig = CONFIG) -> str:
    findings = findings_of(results, config)
    return summary(findings, findings.sample)


def long_text(findings: Findings) -> str:
    return str(Terminal(findings).text("report.html", verbose=True))


@pytest.mark.parametrize("kind", STUDIES)
def test_the_table_has_the_answer_of_each_window(kind: str) -> None:
    results = STUDIES[kind].fit()
    text = summary_of(results)
    lines = text.splitlines()
    assert text.isascii()
    assert max(map(len, lines)) <= 79
    rows = [line for line in lines if line.strip().startswith("[")]
    assert [row[: row.index("]") + 1].strip() for row in rows] == [
        f"[{w.start:{'+' * bool(w.start)}}, {w.stop:{'+' * bool(w.stop)}}]" for w in CONFIG.tested
    ]
    for row, window in zip(rows, CONFIG.tested, strict=True):
        found = results.answer(window)
        cells = row.partition("]")[2].split()
        role = "main" if window == MAIN else "before" if window.stop < 0 else "after"
        assert (cells[0] == role) == (window == MAIN or window.stop < 0 or window.start > 0)
        effect = ascii_text(words().span(found.effect.ci_low, found.effect.ci_high))
        assert cells[cells[0] == role :][:-1] == [
            str(found.n_events), percent_text(found.effect.estimate), *effect.split(),
            p_text(found.pvalue),
        ]  # fmt: skip
    assert f"({STATISTICS[results.answer(MAIN).test].label})" in text


@pytest.mark.parametrize("kind", STUDIES)
def test_other_tests_have_p_false_alarms_and_a_verdict(kind: str) -> None:
    findings = findings_of(STUDIES[kind].fit())
    block = long_text(findings).partition("Other tests of [0, +1]")[2]
    lines = block.partition("\n\n")[0].splitlines()
    opinions = {test.test: test for test in findings.sample.main.tests}
    for name in findings.sample.shown[1:]:
        own, label = opinions[name], STATISTICS[name].label
        rows = [line.strip() for line in lines if line.strip().startswith(f"{label} ")]
        shown = own.trust != "not valid" and np.isfinite(own.pvalue)
        assert len(rows) == shown, name
        if shown:
            verdict = "different" if own.pvalue < 0.05 else "not different"
            care = ", with care" * (own.trust == "valid with care")
            rate = f"{own.false_alarms:.1%}" if np.isfinite(own.false_alarms) else "-"
            assert rows[0].removeprefix(label).split(maxsplit=2) == [
                p_text(own.pvalue), rate, verdict + care,
            ]  # fmt: skip


def test_tests_asked_for_stand_in_place_of_the_usual_ones() -> None:
    results = STUDIES["dispersed"].fit()
    text = long_text(findings_of(results, CONFIG.with_options({"tests": ["hall"]})))
    assert re.search(rf"\(Hall\) +{p_text(results.test('hall', MAIN).pvalue)} ", text)
    assert "GRANK" not in text


def test_without_a_main_test_a_row_has_no_effect() -> None:
    market = Market(15, dates=1, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    results = market.fit(frame, model="market_adjusted")
    rows = map(str.split, summary_of(results).splitlines())
    row = next(row for row in rows if row[:3] == ["[0,", "+1]", "main"])
    assert row == ["[0,", "+1]", "main", "15", "-", "-", "-", "-"]


def no_result() -> Findings:
    market = Market(15, dates=1, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    return findings_of(market.fit(frame, model="market_adjusted"))


def too_early() -> Findings:
    market = placed([160, 165, 198], seed=3)
    return findings_of(market.fit(market.frame.iloc[: 198 + 1]))


def many_groups() -> Findings:
    results = Market(24, dates=7, seed=3).fit()
    results.events["direction"] = [f"kind {'x' * 40} {i % 8}" for i in range(24)]
    return findings_of(results, CONFIG.with_options({"by": "direction"}))


def long_names() -> Findings:
    results = STUDIES["one"].fit()
    results.events["company"] = "An exceedingly long name of a company " * 3
    results.events["news"] = "Other news of that day. " * 40
    return findings_of(results)


SITUATIONS = {
    **{kind: lambda kind=kind: findings_of(STUDIES[kind].fit()) for kind in STUDIES},
    "no result": no_result, "too early": too_early, "groups": many_groups, "names": long_names,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", SITUATIONS)
def test_the_answer_fits_one_screen(kind: str) -> None:
    findings = SITUATIONS[kind]()
    for verbose in (False, True):
        text = Terminal(findings).text("reports/events/report.html", verbose=verbose)
        lines = str(text).splitlines()
        assert max(map(len, lines)) <= 79
        assert verbose or len(lines) <= 25
        assert str(text).isascii()
        (head, strong), (_, weak) = text.pieces
        assert (strong, weak) == (True, False)
        assert " ".join(head.split()) == ascii_text(split_answer(findings)[0]).replace("\n", " ")
        assert "p =\n" not in str(text)
    assert "-v, or open reports/events/report.html" in str(
        Terminal(findings).text("reports/events/report.html")
    )


def test_a_long_path_stays_whole() -> None:
    page = f"reports/{'x' * 90}/report.html"
    text = str(Terminal(findings_of(STUDIES["few"].fit())).text(page))
    assert text.splitlines()[-1].endswith(page)
    assert len(text.splitlines()) <= 25


def test_an_early_study_has_no_p_of_its_main_window() -> None:
    text = str(Terminal(too_early()).text("report.html"))
    assert text.startswith("Too early to say")
    row = next(line for line in text.splitlines() if " main " in line)
    assert row.split()[-1] == "-"
    assert "Other tests" not in long_text(too_early())


def test_before_and_after_are_said_with_their_p() -> None:
    config = CONFIG.with_options({"windows": ["0:1", "-5:-2", "2:5"]})
    findings = findings_of(STUDIES["dispersed"].fit(), config)
    before, after = (
        next(w.answer.pvalue for w in findings.sample.windows if side(w.window))
        for side in (lambda w: w.stop < 0, lambda w: w.start > 0)
    )
    assert min(before, after) >= 0.05
    line = f"No significant move before ({words().p(before)}) or after ({words().p(after)})."
    assert line.replace("\xa0", " ") in str(Terminal(findings).text(""))


@pytest.mark.slow
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
    said = invoke("run", *(o for o in project.options if o != "--quiet"), "--verbose")
    assert re.findall(r"direction = (\w+), ", said) == ["few", "many"]
    document = json.loads((project.run / "results.json").read_text(encoding="utf-8"))
    assert [sample["group"] for sample in document["samples"]] == ["few", "many", ""]
    assert document["answer"]["many"]["verdict"] == "no_result"


@pytest.mark.slow
def test_analyses_are_those_of_the_tables() -> None:
    results = Market(20, dates=7, seed=3).fit()
    plain = long_text(results.findings(config=CONFIG))
    results.events["late"] = np.arange(20) % 4
    config = CONFIG.with_options({"regress": ["late"]})
    findings = results.findings(config=config)
    terms = findings.tables["regression"]
    text = long_text(findings)
    assert text.isascii()
    assert text != plain
    (row,) = (line.split() for line in text.splitlines() if line.strip().startswith("Late "))
    assert row[1] == f"{100 * terms['step'][1] * terms['estimate'][1]:+.2f}%"
    assert row[-2:] == [p_text(terms["pvalue"][1]), p_text(terms["compared_pvalue"][1])]


@pytest.mark.slow
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
            main,
            ["run", str(events), "--prices", source, "--offline", "--out", str(tmp_path), *QUICK],
        )
        assert done.exit_code == 0, done.output
        line = "Used 2 of 5. Dropped: 2 no price data on day 0, 1 no price data"
        assert line in done.stdout
        assert "faults of prices" not in done.stdout
        page = (tmp_path / "events" / "report.html").read_text(encoding="utf-8")
        assert ">no price data on day\u00a00: AAPL ends 2022-12-28" in page


def flat(findings: Findings) -> str:
    """Return the long text on one line, its spaces plain."""
    return " ".join(long_text(findings).split())


@pytest.mark.slow
def test_a_chosen_test_that_is_not_valid_says_why() -> None:
    """It is on the page as well; one that nobody chose is in tables/tests.csv alone."""
    results = Market(2, dates=1).fit()
    study = found(results, tests=("hall",))
    assert "(Hall), not valid here: p = -; 2 events, at least 3 are needed" in flat(study)
    assert "Chosen, but not valid for these events" in page(results, tests=("hall",))
    assert "not valid" not in flat(found(results))


def test_a_table_that_is_too_wide_keeps_its_names() -> None:
    """Five models beside each other leave no room for the window within 79 letters."""
    models = ("market", "scholes_williams", "theil_sen", "constant_mean", "garch")
    values = {"name": "[-10, 10]", **dict.fromkeys(models, "-5.37 (<0.001)")}
    columns = [NAME, *(Column(model, Kind.NUMBER, head=model) for model in models)]
    text = text_table(make_table("robustness.specifications", columns, [Row(values)]))
    head, row = text.split("\n")[-2:]
    assert head.split()[0] == "window"
    assert row.split()[:2] == ["[-10,", "10]"]
    assert row.count("-5.37 (<0.001)") == 5
