"""What the page says of the further analyses of a run is what the tables hold, and nothing without
them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import CONFIG, MAIN, cells_of, page, section, with_columns

from eventstudy.report.content import wording
from eventstudy.report.content.tables import study_tables
from eventstudy.report.html import regression, robustness
from eventstudy.study import EventStudyResults
from eventstudy.utility import numbers as pvalues


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    """Twenty events on seven dates in two groups, with a market value and a characteristic."""
    fitted = Market(20, dates=7, effect=-0.04, seed=3).fit()
    size, late = 100.0 + np.arange(20), np.arange(20) % 4
    return with_columns(fitted, direction=["adverse"] * 12 + ["relief"] * 8, mcap=size, late=late)


@pytest.fixture(scope="module")
def tables(results: EventStudyResults) -> dict[str, pd.DataFrame]:
    return study_tables(results, replace(CONFIG, regress=("late",), placebo=39))


@pytest.fixture(scope="module")
def text(results: EventStudyResults, tables: dict[str, pd.DataFrame]) -> str:
    return unescape(page(results, "direction", tables=tables))


def main_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["start"] == MAIN.start) & (table["stop"] == MAIN.stop)]


def of_lead(tables: dict[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Return the rows that are about the group of the headline."""
    table = tables[f"{name}_by_group"]
    return table[table["direction"] == "adverse"]


def rows_of(text: str, caption: str) -> list[list[str]]:
    """Return the cells of the rows of the table with this caption."""
    table = (
        text.partition(f"<caption>{caption}")[2].partition("</table>")[0].partition("<tbody>")[2]
    )
    return [cells_of(row) for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)]


def test_without_tables_nothing_is_said(results: EventStudyResults) -> None:
    text = page(results, "direction")
    assert 'id="robustness"' not in text
    assert "minus" not in section(text, "groups")
    assert 'id="diagnosis"' in text


def test_sections_stand_in_the_order_of_the_design(text: str) -> None:
    order = [
        "path",
        "tests",
        "events",
        "groups",
        "robustness",
        "diagnosis",
        "ledger",
        "methods",
        "provenance",
    ]
    assert re.findall(r'<section id="(\w+)"', text) == order


def test_weights(text: str, tables: dict[str, pd.DataFrame], results: EventStudyResults) -> None:
    table = main_rows(of_lead(tables, "aggregates"))
    assert table["estimate"].iloc[0] == pytest.approx(results.abnormal.car(MAIN)[:12].mean())
    shown = rows_of(section(text, "robustness"), "Weighted mean CAR")
    assert table["weights"].tolist() == ["equal", "value", "precision"]
    assert shown == [
        [str(r.n_events), wording.percent(r.estimate, unit=False),
         wording.span(r.ci_low, r.ci_high, unit=False), pvalues.pvalue(r.pvalue)]
        for r in table.itertuples()
    ]  # fmt: skip


def test_money(text: str, tables: dict[str, pd.DataFrame], results: EventStudyResults) -> None:
    row = main_rows(of_lead(tables, "market_value")).iloc[0]
    assert row["total"] == pytest.approx(
        (results.abnormal.car(MAIN)[:12] * (100 + np.arange(12))).sum()
    )
    shown = [wording.signed(row[k], 0) for k in ("total", "ci_low", "ci_high")]
    assert (
        f"12 events that have one is {shown[0]} in all (95%\u00a0CI {shown[1]} to {shown[2]}"
        in text
    )


def test_many_hypotheses(text: str, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["families"]
    events = table[table["family"] == "events"]
    raw, holm, bh = ((events[m] < 0.05).sum() for m in ("pvalue", "holm", "bh"))
    said = section(text, "robustness")
    assert raw > 1
    assert (
        f"{raw} of 20 events have p < 0.05 on their own, {holm} after Holm, {bh} after Benjamini"
        in said
    )
    shown = rows_of(said, "Hypotheses with")
    days = table[table["family"] == "days"]
    methods = ("pvalue", "holm", "bh", "by", "romano_wolf")
    assert shown[0][-1] == "–", "Romano-Wolf needs several events to a hypothesis"
    assert shown[1] == ["11", *(str((days[m] < 0.05).sum()) for m in methods)]


def test_differences_of_groups(text: str, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["differences"].set_index("method")
    by_date = table.loc["date_clustered"]
    [shown] = rows_of(section(text, "groups"), "Differences of the mean CAR")
    interval = wording.span(by_date["ci_low"], by_date["ci_high"], unit=False)
    p = [pvalues.pvalue(table["pvalue"][m]) for m in ("date_clustered", "welch", "permutation")]
    assert shown == ["12 and 8", wording.percent(by_date["difference"], unit=False), interval, *p]
    assert f"{wording.percent(by_date['difference'])} (95% CI" in section(text, "groups")


def test_regression_of_the_cars(text: str, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["regression"]
    shown = rows_of(section(text, "robustness"), "Regression of the CAR")
    assert [float(row[0].replace("−", "-")) for row in shown] == pytest.approx(
        100 * table["estimate"], abs=5e-3
    )
    column = "wild_pvalue" if "wild_pvalue" in table else "pvalue"
    assert [row[-1] for row in shown] == [pvalues.pvalue(p) for p in table[column]]
    errors = regression.ERRORS.get(table["errors"][0], table["errors"][0])
    assert f"20 events on 7 dates, least squares, errors {errors}" in text
    assert "Intercept" in section(text, "robustness")


@pytest.mark.parametrize(
    ("value", "text"),
    [(-43682766587.6, "−43.7\u00a0billion"), (1.5e6, "+1.50\u00a0million"), (950.4, "+950"),
     (-43200.0, "−43,200"), (9.1e11, "+910\u00a0billion")],
)  # fmt: skip
def test_large_amounts_have_three_digits_and_a_unit(value: float, text: str) -> None:
    assert robustness._amount(value) == text


def test_coefficients_have_the_decimals_of_their_error() -> None:
    row = {"term": "mcap", "estimate": 1.234e-6, "se": 3.4e-7, "ci_low": 5.5e-7, "ci_high": 1.9e-6}
    found = regression._row({**row, "statistic": 3.6, "p": 0.001}, "p")
    assert found[1:4] == ("+0.000123", "0.000034", "+0.000055 to +0.000190")


def test_placebo_studies(text: str, tables: dict[str, pd.DataFrame]) -> None:
    row, draws = of_lead(tables, "placebo").iloc[0], of_lead(tables, "placebo_draws")["statistic"]
    assert row["n_events"] == 12
    said = section(text, "robustness")
    assert row["draws"] == len(draws) == 39
    larger = (draws.abs() >= abs(row["statistic"])).sum()
    assert f"{larger} of 39 ha" in said
    assert f"({pvalues.p_is(row['pvalue'])})" in said
    assert f"the study {wording.signed(row['statistic'])}" in said
    assert said.count("<svg") == 2


def test_too_few_placebo_dates_are_a_reason_without_a_figure(
    results: EventStudyResults, tables: dict[str, pd.DataFrame]
) -> None:
    few = tables["placebo_by_group"].assign(
        pvalue=np.nan, reason="7 placebo dates, at least 39 are needed"
    )
    said = section(
        page(results, "direction", tables={**tables, "placebo_by_group": few}), "robustness"
    )
    assert "Placebo dates: 7 placebo dates, at least 39 are needed." in said
    assert "<svg" not in said


def test_each_part_says_which_events_it_is_about(
    text: str, results: EventStudyResults, tables: dict[str, pd.DataFrame]
) -> None:
    said = section(text, "robustness")
    assert "For the 12 adverse announcements, over" in said
    assert said.count("All 20 events together, of all groups.") == 2, "families and regression"
    assert "tables/aggregates_by_group.csv" in said
    whole = section(unescape(page(results, tables=tables)), "robustness")
    assert "For all 20 events, over" in whole
    assert "together" not in whole
    assert "tables/aggregates.csv" in whole


def test_faults_of_the_estimations(text: str, tables: dict[str, pd.DataFrame]) -> None:
    table, said = tables["diagnostics"], section(text, "diagnosis")
    for name, what in (("arch_p", "ARCH"), ("ljung_box_p", "autocorrelated"), ("chow_p", "Chow")):
        assert re.search(rf"<li>{(table[name] < 0.05).sum()} of 20: [^<]*{what}", said)
    worst = re.findall(r'<th scope="row"><bdi>(e\d+)</bdi></th>', said)
    many = (table.filter(regex="arch_p|ljung_box_p|chow_p|cusum_p|jarque_bera_p") < 0.05).sum(
        axis=1
    )
    many.index = table["event_id"]
    assert [many[name] for name in worst] == sorted(many, reverse=True)[: len(worst)]
    assert all(many[name] for name in worst)
