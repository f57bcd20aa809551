"""The short answer for a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import Market
from eventstudy.analysis.verdicts import percent
from pages import CONFIG, MAIN
from run_folders import Project, invoke
from situations import CLOSE, DISPERSED, GROUPS, ONE, placed

from eventstudy.cli.main import main
from eventstudy.cli.terminal import beside, kind_of_study, p_text, summary_text
from eventstudy.report.answer import headline


def test_the_recommended_test_comes_first_and_weak_ones_are_in_brackets() -> None:
    results = placed(ONE, rho=0.3, seed=33).fit()
    text = summary_text(results, CONFIG)
    row = next(line.split() for line in text.splitlines() if line.strip().startswith("[0,1]"))
    kp, beside, bmp = (p_text(results.test(n, MAIN).pvalue) for n in ("bmp_kp", "grank_t", "bmp"))
    assert row[3:5] == [kp, beside]
    assert f"({bmp})" in row
    assert "stars" not in text, "there are none"
    assert "not to be relied on" in text
    assert "(BMP, " in text, "tests with the same fault are named together"
    assert ": events share dates)" in text
    assert text.isascii()


def test_stars_are_explained_where_there_are_some() -> None:
    text = summary_text(Market(20, dates=7, effect=-0.04, seed=3).fit(), CONFIG)
    assert "%***" in text
    assert "stars from BMP-KP: *** p<0.01" in text


def test_nothing_is_in_brackets_where_nothing_is_doubtful() -> None:
    text = summary_text(placed([160]).fit(), CONFIG)
    assert "not to be relied on" not in text


def test_a_test_asked_for_stands_beside_the_recommended_one() -> None:
    text = summary_text(placed(DISPERSED, seed=35).fit(), CONFIG.with_options({"tests": ["hall"]}))
    head = text.partition("window")[2].partition("\n")[0]
    assert head.index("BMP-KP") < head.index("(Hall)")


@pytest.mark.parametrize("asked", [[], ["bmp", "patell", "wilcoxon"]])
def test_the_sentence_on_brackets_is_about_the_table_beside_it(asked: list[str]) -> None:
    words = {
        w: i for i, w in enumerate(["no", "one", "two", "three", "four", "five", "six", "seven", "eight"])
    }
    told = 0
    for seed in range(30, 36):
        results = placed(GROUPS, rho=0.3, seed=seed, effect=-0.012).fit()
        said = headline(results, MAIN, names=asked)
        found = re.search(r"Of the (\w+) tests in brackets (\w+) gives? p \S+ 0.05 .*?\(([^)]*)\)", said)
        if found is None:
            continue
        config = CONFIG.with_options({"tests": asked})
        row = re.search(r"\[0,1\].*", summary_text(results, config))[0]  # type: ignore[index]
        assert row.count("(") == words[found[1]]
        assert words[found[2]] == len(found[3].split(", "))
        for one in found[3].split(", "):
            assert f"({one.split()[-1]})" in row
        told += 1
    assert told


def test_the_group_of_the_answer_comes_first_in_the_tables(tmp_path: Path) -> None:
    """Twelve rows cannot be tested, as they lack prices but for one: the other group leads."""
    project = Project(tmp_path)
    text = project.events.read_text(encoding="utf-8").splitlines()
    gone = [f"g{i},GONE{i},2020-08-03,MKT,many" for i in range(5)]
    rows = [f"{line},{'many' if i == 0 else 'few'}" for i, line in enumerate(text[1:])]
    project.events.write_text("\n".join([f"{text[0]},direction", *rows, *gone, ""]), encoding="utf-8")
    options = [o for o in project.options if o != "--quiet"]
    said = invoke("run", *options)
    heads = re.findall(r"direction = (\w+): ", said)
    lead = re.search(r"of the \d+ (\w+) announcements|1 (\w+) announcement", said)
    assert set(heads) == {"many", "few"}
    document = json.loads((project.run / "results.json").read_text(encoding="utf-8"))
    assert heads[0] == document["samples"][0]["group"], lead


def test_kind_of_study_in_one_line() -> None:
    results = placed(CLOSE, rho=0.4, seed=37).fit()
    found = results.diagnose(MAIN)
    assert kind_of_study(results, MAIN) == (
        f"8 dates, 8 with several events; windows [0,1] of different dates overlap: "
        f"{percent(found.overlapping_pairs)} of pairs; effective number of events {found.effective_n:.0f}"
    )
    assert kind_of_study(placed([160]).fit(), MAIN) == ""


def test_lines_on_placebos_and_regression_are_those_of_the_tables(tmp_path: Path) -> None:
    assert beside(tmp_path) == []
    results = Market(20, dates=7, seed=3).fit()
    results.events["late"] = np.arange(20) % 4
    folder = results.save(tmp_path, config=CONFIG.with_options({"placebo": 39, "regress": ["late"]}))
    placebo, terms = (pd.read_csv(folder / "tables" / f"{n}.csv") for n in ("placebo", "regression"))
    one, other = beside(folder)
    assert f"p = {p_text(placebo['pvalue'][0])} among 39" in one
    assert f"late {terms['estimate'][1]:+.3g} (p = {p_text(terms['pvalue'][1])})" in other


def test_a_diagnosis_is_plain_json() -> None:
    found = placed(ONE, rho=0.3, seed=33).fit().diagnose()
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (plain["kind"], plain["window"]) == ("one_date", "[0,1]")
    assert plain["recommended"] == list(found.recommended)
    assert plain["factor"] == found.factor
    assert [v["test"] for v in plain["verdicts"]] == [v.test for v in found.verdicts]
    assert plain["merged_p"] is None, "not a number"


def test_events_beyond_the_data_have_a_line_of_their_own_and_no_fault_is_counted_for_them(
    tmp_path: Path,
) -> None:
    """The end of a series touches the windows of a dropped event only, whose reason says it."""
    rows = ["AAPL,2023-09-06", "AAPL,2020-08-06", "NVDA,2022-08-31", "TSLA,2020-08-06", "XOM,2024-01-10"]
    events = tmp_path / "events.csv"
    events.write_text("\n".join(["ticker,announced_at", *rows]), encoding="utf-8")
    for source in ("sample", "auto"):
        done = CliRunner().invoke(
            main, ["run", str(events), "--prices", source, "--offline", "--out", str(tmp_path)]
        )
        assert done.exit_code == 0, done.output
        assert "     2  no price data on day 0, e.g. AAPL-2023-09-06: AAPL ends 2022-12-28" in done.stdout
        assert "     1  no price data, e.g. TSLA-2020-08-06: " in done.stdout
        assert "faults of prices" not in done.stdout
        page = (tmp_path / "events" / "report.html").read_text(encoding="utf-8")
        assert "Dropped: 2 · no price data on day 0</summary>" in page
