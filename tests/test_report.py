"""The page: equal bytes, and numbers that are those of the results."""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import Market
from pages import MAIN, findings, page, with_columns

from eventstudy.analysis.answer import Answer as Decision
from eventstudy.calendars.window import Window
from eventstudy.report.sections.path import describe_path
from eventstudy.studies import EventStudyResults
from eventstudy.utility import numbers
from eventstudy.utility.catalogue import say


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


def test_page_has_equal_bytes_for_equal_inputs(split: EventStudyResults) -> None:
    assert page(split, "direction") == page(split, "direction")


def test_cells_of_the_events_file_are_text(fallen: EventStudyResults) -> None:
    names = [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "x" * 5000,
        "شركة النفط",
        "华为技术",
    ]
    hostile = with_columns(
        fallen,
        company=names * 4,
        event_id=names * 4,
        source_url=[
            "javascript:alert(1)",
            "https://example.com/a?b=1&c=2",
            'http://x" onclick="y',
            "",
            "ftp://x",
        ]
        * 4,
        flags=['"><script>alert(2)</script>'] * 10 + [""] * 10,
        direction=["<b>adverse</b>"] * 12 + ["y" * 3000] * 8,
    )
    text = page(hostile, "direction", name="<script>alert(0)</script>")
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"<[^>]*\s(on\w+|style)=", text)
    assert "&lt;b&gt;adverse" in text
    assert "x" * 300 not in text
    assert "y" * 300 not in text
    assert "<a " not in text


def test_a_page_without_a_usable_event_lists_every_reason() -> None:
    market = Market(6)
    text = page(market.fit(market.frame.drop(columns=market.tickers)))
    assert "<h1>No result: none of the 6 announcements could be used</h1>" in text
    assert '<details id="data" open>' in text
    assert 'id="tests"' not in text
    for ticker in market.tickers:
        assert f"no price data: {ticker}" in text


def test_names_from_right_to_left_leave_the_sentence_as_it_is(fallen: EventStudyResults) -> None:
    named = with_columns(fallen, company=["شركة الاتصالات"] + ["Firm"] * 19)
    one = named.subset(np.arange(len(fallen)) == 0)
    said = page(one).partition("<h1>")[2].partition("</h1>")[0]
    assert "<bdi>شركة الاتصالات</bdi>" in said


@pytest.mark.parametrize("effect", [0.0, -0.06])
def test_the_path_gives_the_answers_before_on_and_after_day_zero(effect: float) -> None:
    market = Market(12, seed=5, effect=effect)
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        at = market.frame.index.get_loc(day)
        market.frame.loc[market.frame.index[[at - 3, at + 3]], ticker] += effect
    results = market.fit()
    windows = {"before": Window(-5, -2), "after": Window(2, 5)}
    lede = describe_path(findings(results, windows=(MAIN, *windows.values())).sample)
    for when, window in windows.items():
        found = results.answer(window)
        assert found.verdict == ("different" if effect else "not_different")
        code = f"path.{when}" if effect else f"path.not_{when}"
        assert say(code, value=full(found), window=window) in lede
    assert say("path.day0", value=full(results.answer(Window(0, 0)))) in lede


def full(found: Decision) -> str:
    """Return estimate, interval and p as they stand in a sentence with full digits."""
    d = found.effect
    interval = f"95%\u00a0interval {numbers.span(d.ci_low, d.ci_high)}"
    return f"{numbers.percent(d.estimate)} ({interval}, {numbers.p_prose(found.pvalue)})"
