"""The page: equal bytes, and numbers that are those of the results."""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import Market
from pages import page, with_columns

from eventstudy.studies import EventStudyResults


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


@pytest.mark.slow
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
    links = re.findall(r'href="([^"]*)"', text)
    assert all(link.startswith(("#", "tables/", "events/")) for link in links), "none of a cell"


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
