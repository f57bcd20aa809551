"""The page: equal bytes, and numbers that are those of the results."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import MAIN, findings, page, plain, with_columns

from eventstudy.analysis.answer import Answer as Decision
from eventstudy.calendars.window import Window
from eventstudy.report.sections.answer import answer, brief
from eventstudy.report.sections.path import describe_path
from eventstudy.study import EventStudyResults
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


def test_the_answer_is_about_the_leading_group() -> None:
    """Twelve events of group a have no price on day 0, so it has no result and b leads."""
    market = Market(20, dates=7, effect=-0.06, seed=3)
    for i, day in enumerate(market.table["day0"][:12]):
        market.frame.iloc[market.frame.index.get_loc(day), i] = np.nan
    results = with_columns(market.fit(), direction=["a"] * 12 + ["b"] * 8)
    study, text = findings(results, by="direction"), page(results, "direction")
    assert [(s.group, s.answer.n_events) for s in study.samples] == [("b", 8), ("a", 0), ("", 8)]
    assert str(answer(study)) in plain(text.partition('class="answer">')[2].partition("</p>")[0])
    assert str(brief(study, study.groups[1])) in plain(text)


def test_groups_come_with_their_own_answers(split: EventStudyResults) -> None:
    study, text = findings(split, by="direction"), plain(page(split, "direction"))
    adverse, relief = study.groups
    assert [s.n_used for s in (adverse, relief, study.pooled)] == [12, 8, 20]
    assert str(answer(study)) in text
    assert all(str(brief(study, sample)) in text for sample in (relief, study.pooled))
    assert "circle: adverse; square: relief; " in text


@pytest.mark.parametrize("effect", [0.0, -0.06])
def test_key_figures_repeat_the_answer(effect: float) -> None:
    results = Market(12, effect=effect, seed=3).fit()
    found, text = results.answer(MAIN), unescape(page(results))
    keys = dict(re.findall(r'<dt>(.*?)</dt><dd class="v[^>]*>(.*?)</dd>', text))
    assert keys["Effect over [0,\u00a01]"] == numbers.percent(found.effect.estimate)
    assert keys["Plain average"] == numbers.percent(found.plain_average.estimate)
    k, of = re.fullmatch(
        r"(\d+) in ([\d,]+)", keys["If the news did nothing"].replace("under ", "")
    ).groups()
    assert int(k) / int(of.replace(",", "")) == pytest.approx(found.pvalue, abs=0.005)
    for effect_of in (found.effect, found.plain_average):
        assert f"95%\u00a0interval {numbers.span(effect_of.ci_low, effect_of.ci_high)}</dd>" in text


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
    scripts = re.findall("<script.*?>", text)
    assert scripts == ["<script>"]
    assert "<img" not in text
    assert not re.search(r"<[^>]*\s(on\w+|style)=", text)
    assert "<b>adverse" not in text
    assert "x" * 300 not in text
    assert "y" * 300 not in text
    links = set(re.findall(r'<a href="([^#"][^"]*)"([^>]*)>', text))
    assert {link for link in links if not link[0].endswith((".csv", "index.html"))} == {
        ("https://example.com/a?b=1&amp;c=2", ' rel="noopener noreferrer"')
    }


@pytest.mark.parametrize("n", [1, 2, 5])
def test_small_samples_have_a_page(fallen: EventStudyResults, n: int) -> None:
    text = page(fallen.subset(np.arange(len(fallen)) < n))
    assert f"{n} of {n}" in text
    assert 'id="path"' in text


def test_a_page_without_a_usable_event_lists_every_reason() -> None:
    market = Market(6)
    text = page(market.fit(market.frame.drop(columns=market.tickers)))
    assert "<strong>No result: none of the 6 announcements could be used.</strong>" in text
    assert 'id="tests"' not in text
    for ticker in market.tickers:
        assert f"no price data: {ticker}" in text


def test_the_page_to_explore_is_linked_where_it_is(fallen: EventStudyResults) -> None:
    texts = [page(fallen, interactive=there) for there in (True, False)]
    assert ['href="report-interactive.html"' in text for text in texts] == [True, False]


def test_names_from_right_to_left_leave_the_sentence_as_it_is(fallen: EventStudyResults) -> None:
    named = with_columns(fallen, company=["شركة الاتصالات"] + ["Firm"] * 19)
    one = named.subset(np.arange(len(fallen)) == 0)
    said = page(one).partition('class="answer">')[2].partition("</p>")[0]
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
