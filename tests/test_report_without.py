"""The answer without some of the events: the same rows on the page, in Markdown and in the CSV."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from exported import markdown_tables, number
from pages import CONFIG, MAIN, cells_of, page, section
from situations import placed

from eventstudy.report.content.finished_run import finished
from eventstudy.report.content.tables import study_tables
from eventstudy.report.formats.markdown import markdown
from eventstudy.study import EventStudyResults

AT = [150] * 5 + [153, 156, 160, 163, 166, 170, 172]


def flagged(market: Market) -> EventStudyResults:
    """Fit events of which some have flags, and one of these lacks the main window."""
    market.table["flags"] = ["time_unknown"] * 3 + [""] * (len(market.table) - 3)
    at = market.frame.index.get_loc(market.table["day0"][1])
    return market.fit(market.frame.assign(F01=market.frame["F01"].mask(np.arange(200) == at + 1)))


def rows_of(results: EventStudyResults) -> tuple[list[list[str]], list[list[str]], pd.DataFrame]:
    """Return the rows of page and Markdown without their heads, and those of the CSV of the main
    test."""
    tables = study_tables(results, CONFIG)
    ledger = section(unescape(page(results, tables=tables)), "ledger").partition(
        "The answer without"
    )[2]
    of_page = [
        [re.sub("<span.*|<[^>]+>", "", head), *cells_of(row)]
        for row in re.findall(r"<tr>(?=<th scope=\"row)(.*?)</tr>", ledger)
        for head in re.findall(r"<th.*?</th>", row)
    ]
    found = finished(results, config=CONFIG, tables=tables)
    told = markdown_tables(markdown(found))
    of_markdown = next((t[1:] for t in told if t[0][0] == "Events" and t[0][1] == "Test"), [])
    table = found.over_main("without_flagged")
    return (
        of_page,
        of_markdown,
        table[table["test"] == results.main_test(MAIN)] if len(table) else table,
    )


@pytest.mark.parametrize("at", [AT, [150 + 3 * i for i in range(12)]])
def test_page_markdown_and_csv_have_the_same_rows(at: list[int]) -> None:
    results = flagged(placed(at, seed=3, effect=-0.02))
    (every, *of_page), of_markdown, table = rows_of(results)
    whole = results.answer(MAIN)
    assert int(every[2]) == whole.n_events == 11
    assert number(every[3]) == pytest.approx(100 * whole.effect.estimate, abs=0.0051)
    assert [row[0].lower() for row in of_page] == [f.replace("_", " ") for f in table["left_out"]]
    assert [row[0].removeprefix("without ") for row in of_markdown] == [
        row[0].lower() for row in of_page
    ]
    for one, other, own in zip(of_page, of_markdown, table.to_dict("records"), strict=True):
        assert int(one[2]) == int(other[2]) == own["n_events"]
        assert (
            number(one[3])
            == number(other[3])
            == pytest.approx(100 * own["weighted_caar"], abs=0.0051)
        )
        assert one[4] == other[4]
    left = results.events["flags"].str.contains("time_unknown")
    assert "time_unknown" in set(table["left_out"])
    own = table.set_index("left_out").loc["time_unknown"]
    assert own["n_events"] == int((results.abnormal.valid(MAIN) & ~left).sum()), (
        "the flagged one lacks it"
    )


def test_without_the_date_that_has_most_of_the_events() -> None:
    market = placed(AT, seed=3, effect=-0.02)
    results = market.fit()
    advice = "One date alone has 42% of the events: see the result without it."
    assert advice in results.diagnose(MAIN).text
    table = rows_of(results)[2].set_index("left_out")
    (name,) = [n for n in table.index if n.startswith("date ")]
    assert name == f"date {market.frame.index[150]:%Y-%m-%d}"
    alone = results.subset(np.array(AT) != 150)
    assert table.loc[name, "n_events"] == 7
    assert table.loc[name, "pvalue"] == pytest.approx(alone.answer(MAIN).pvalue)
    assert table.loc[name, "weighted_caar"] == pytest.approx(alone.answer(MAIN).effect.estimate)


@pytest.mark.parametrize("at", [[150] * 6 + [156], [150 + 3 * i for i in range(12)], [150] * 8])
def test_no_advice_where_no_other_events_are_left(at: list[int]) -> None:
    results = placed(at, seed=3).fit()
    assert "One date alone" not in " ".join(results.diagnose(MAIN).text)
    assert not [n for n in rows_of(results)[2].get("left_out", []) if n.startswith("date ")]
