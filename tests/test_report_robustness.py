"""The section on robustness shows what the tables hold, and nothing without them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import Market, short_histories
from pages import MAIN, findings, page, with_columns

from eventstudy.findings import Findings
from eventstudy.report.formats.latex import latex_table
from eventstudy.report.tables.robustness import (
    Analysis,
    robustness,
    write_amount,
    write_families_note,
)
from eventstudy.studies import EventStudyResults
from eventstudy.words import say, words


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    """Twenty events on seven dates in two groups, with a market value and a characteristic."""
    fitted = Market(20, dates=7, effect=-0.04, seed=3).fit()
    size, late = 100.0 + np.arange(20), np.arange(20) % 4
    return with_columns(fitted, direction=["adverse"] * 12 + ["relief"] * 8, mcap=size, late=late)


@pytest.fixture(scope="module")
def study(results: EventStudyResults) -> Findings:
    return findings(results, by="direction", regress=("late",))


def analyses(study: Findings) -> dict[str, Analysis]:
    return {analysis.name: analysis for analysis in robustness(study)}


def rows_of(analysis: Analysis) -> list[list[str]]:
    assert analysis.table is not None
    return [analysis.table.write_cells(row) for row in analysis.table.rows]


def of_lead(study: Findings, name: str) -> pd.DataFrame:
    """Return the rows about the group of the headline, over the main window."""
    table = study.tables[f"{name}_by_group"]
    rows = table[table["direction"] == "adverse"]
    if "start" in rows:
        rows = rows[(rows["start"] == MAIN.start) & (rows["stop"] == MAIN.stop)]
    return rows


@pytest.mark.slow
def test_without_tables_there_is_no_analysis(study: Findings) -> None:
    assert robustness(replace(study, tables={})) == ()


def test_analyses_and_files(study: Findings) -> None:
    files = {name: analysis.files for name, analysis in analyses(study).items()}
    assert files == {
        "specifications": ("specifications.csv",),
        "choices": ("specifications_by_choice.csv",),
        "weights": ("aggregates_by_group.csv", "market_value_by_group.csv"),
        "families": ("families_by_group.csv",),
        "regression": ("regression.csv",),
    }
    assert all(analysis.title for analysis in analyses(study).values())


def test_weights(study: Findings, results: EventStudyResults) -> None:
    table = of_lead(study, "aggregates")
    assert table["estimate"].iloc[0] == pytest.approx(results.abnormal.car(MAIN)[:12].mean())
    assert table["weights"].tolist() == ["equal", "value", "precision"]
    assert [row[1:] for row in rows_of(analyses(study)["weights"])] == [
        [str(r.n_events), words().percent(r.estimate, unit=False), words().span(r.ci_low, r.ci_high, unit=False),
         words().pvalue(r.pvalue)]
        for r in table.itertuples()
    ]  # fmt: skip


def test_money(study: Findings, results: EventStudyResults) -> None:
    row = of_lead(study, "market_value").iloc[0]
    values = results.abnormal.car(MAIN)[:12] * (100 + np.arange(12))
    assert row["total"] == pytest.approx(values.sum())
    facts = {name: write_amount(row[name]) for name in ("total", "ci_low", "ci_high")}
    assert analyses(study)["weights"].lede == say(
        "robustness.money.total_interval",
        n=12, p=row["pvalue"], unit=say("robustness.money.unit"), **facts,
    )  # fmt: skip


def test_many_hypotheses(study: Findings) -> None:
    table, analysis = study.beside("families"), analyses(study)["families"]
    events = table[table["family"] == "events"]
    raw, holm = (int((events[m] < 0.05).sum()) for m in ("pvalue", "holm"))
    assert raw > 1
    who = "12 adverse announcements"
    facts = {"raw": raw, "holm": holm, "who": who, "expected": words().expected(0.6)}
    assert analysis.lede == say("robustness.families.lede", **facts)
    of_events, of_days, _ = rows_of(analysis)
    days = table[table["family"] == "days"]
    methods = ("pvalue", "holm", "bh", "by", "romano_wolf")
    assert of_events[-1] == "–", "Romano-Wolf needs several events to a hypothesis"
    assert of_days[1:] == ["11", *(str((days[m] < 0.05).sum()) for m in methods)]


def test_the_note_says_which_p_romano_wolf_adjusts() -> None:
    study = findings(short_histories())
    note = analyses(study)["families"].note
    assert "date-clustered t of the plain average" in note
    clustered = study.sample.main.test("date_clustered")
    assert clustered is not None
    assert (clustered.n_events, study.sample.answer.n_events) == (12, 10)
    assert "also has 2 announcements with too short a history" in note
    assert note in " ".join(latex_table(study, "robustness").split())
    assert "too short" not in write_families_note(findings(short_histories(short=0)))


def test_regression_of_the_cars(study: Findings) -> None:
    table, analysis = study.tables["regression"], analyses(study)["regression"]
    rows = rows_of(analysis)
    order = [*range(1, len(table)), 0]
    shown = (100 * table["step"] * table["estimate"]).iloc[order]
    found = [float(row[1].replace("−", "-").rstrip("%")) for row in rows]
    assert found == pytest.approx(shown, abs=5e-3)
    assert [row[3] for row in rows] == [words().pvalue(p) for p in table["pvalue"].iloc[order]]
    compared = [words().pvalue(p) for p in table["compared_pvalue"].iloc[order]]
    assert [row[4] for row in rows] == compared
    facts = {"n": 20, "dates": 7, "r2": table["r2"].iloc[0]}
    assert analysis.lede.endswith(say("robustness.regression.counts", **facts))
    assert rows[-1][0] == "Constant"


@pytest.mark.slow
def test_a_regression_that_failed_says_why(results: EventStudyResults) -> None:
    study = findings(with_columns(results, late=1.0), regress=("late",))
    analysis = analyses(study)["regression"]
    assert (analysis.table, analysis.files) == (None, ())
    assert str(study.tables["regression"]["reason"].iloc[0]) in analysis.lede


@pytest.mark.parametrize(
    ("value", "text"),
    [(-43682766587.6, "−43.7\u00a0billion"), (1.5e6, "+1.50\u00a0million"), (950.4, "+950"),
     (-43200.0, "−43,200"), (9.1e11, "+910\u00a0billion")],
)  # fmt: skip
def test_large_amounts_have_three_digits_and_a_unit(value: float, text: str) -> None:
    assert write_amount(value) == text


def test_other_firms(study: Findings) -> None:
    row = {"direction": "adverse", "start": 0, "stop": 1, "test": "bmp", "n_events": 12,
           "statistic": -2.5, "pvalue": 4 / 40, "reason": "", "draws": 39}  # fmt: skip
    tables = {**study.tables, "placebo_by_group": pd.DataFrame([row])}
    tables["placebo_draws_by_group"] = pd.DataFrame({"direction": ["adverse"], "statistic": [1.0]})
    analysis = analyses(replace(study, tables=tables))["firms"]
    assert "39 times. In 3 of these studies" in analysis.lede
    assert words().signed(-2.5) in analysis.lede
    tables["placebo_by_group"] = pd.DataFrame([{**row, "pvalue": np.nan, "reason": "too few"}])
    analysis = analyses(replace(study, tables=tables))["firms"]
    assert analysis.lede == say("robustness.failed", why="too few")


def test_each_part_says_which_events_it_is_about(
    study: Findings, results: EventStudyResults
) -> None:
    pooled = say("robustness.pooled", n=20)
    names = [a.name for a in robustness(study) if a.lede.startswith(pooled)]
    assert names == ["regression"]
    everything = robustness(findings(results, by="none"))
    assert not any(pooled in analysis.lede for analysis in everything)
    assert everything[0].files == ("specifications.csv",)


@pytest.mark.slow
def test_each_analysis_of_its_own_is_a_folded_line(results: EventStudyResults) -> None:
    text = page(results, "direction", regress=("late",))
    codes = re.findall(r'<details id="(\w+)"', text)
    assert codes == [
        "announcements", "days", "checks_table", "choices", "groups", "shock", "power", "weights",
        "families", "regression", "data", "method", "words", "files",
    ]  # fmt: skip
