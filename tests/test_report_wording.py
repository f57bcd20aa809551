"""How sentences are put together: capitals, separators, expected counts, settings, names of
tests."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, page, section
from situations import placed

from eventstudy.cli.terminal import summary_text
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.content import answer, wording
from eventstudy.report.content import data_notes as limits
from eventstudy.report.content.finished_run import finished
from eventstudy.report.formats.markdown import markdown
from eventstudy.report.html import groups
from eventstudy.report.html.methods import settings_text
from eventstudy.study import EventStudyResults
from eventstudy.utility import numbers as pvalues


@pytest.mark.parametrize(
    "name",
    [
        "query2.finance.example answered 503",
        "events.csv has one row",
        "https://a.example/b",
        "eBay x",
    ],
)
def test_a_name_keeps_its_letters(name: str) -> None:
    assert wording.capitalised(name) == name


@pytest.mark.parametrize("text", ["headline", "windows of dates overlap", "a", "no data: x"])
def test_a_sentence_begins_with_a_capital(text: str) -> None:
    assert wording.capitalised(text) == text[0].upper() + text[1:]


def test_a_notice_that_begins_with_a_host_is_not_capitalised() -> None:
    results = Market(12, seed=5).fit()
    panel = replace(results.panel, notices=("query2.finance.example did not answer",))
    assert "query2.finance.example did not answer." in limits.limitations(
        replace(results, panel=panel), MAIN
    )


def test_counts_in_sentences_have_separators() -> None:
    found = placed([150 + i % 6 for i in range(1200)], seed=3).fit().diagnose(MAIN)
    for text in [*found.text, wording.count(3076, "event")]:
        assert not re.search(r"(?<![\d.,])\d{4,}(?![\d.])", text), text
    assert found.text[0].startswith("The 1,200 events are on ")


@pytest.mark.parametrize(
    ("number", "text"), [(3802.35, "3,802"), (12.5, "12"), (3.2, "3.2"), (3.0, "3"), (0.15, "0.15")]
)
def test_expected_counts_have_the_digits_that_count(number: float, text: str) -> None:
    assert wording.expected(number) == text


def test_a_p_below_the_level_never_reads_as_the_level() -> None:
    low, high = 0.0, 0.02
    for _ in range(60):
        results = Market(12, seed=5, effect=(low + high) / 2).fit()
        p = results.answer(MAIN).pvalue
        if 0.0495 < p < 0.05:
            break
        low, high = (low, (low + high) / 2) if p < 0.05 else ((low + high) / 2, high)
    said = pvalues.pvalue(p)
    assert re.fullmatch(r"0\.049\d+", said)
    run = finished(results, config=CONFIG)
    shown = [page(results), markdown(run), summary_text(results, CONFIG)]
    shown += [str(results.test("bmp_kp", MAIN)), str(results.summary([MAIN]))]
    assert all(said in text for text in shown)
    sentences = [answer.headline(results, MAIN), *shown]
    assert not any(re.search(r"p\s=\s0\.050?\b", text) for text in sentences)
    assert f"p\u00a0=\u00a0{pvalues.p_prose(p)[4:]}" in sentences[0]


def test_settings_are_printed_for_a_reader() -> None:
    text = settings_text({**StudyConfig().to_dict(), "variants": {}, "tests": [], "fpc": False})
    assert not re.search(r"[{}\[\]]|False|None", text)
    assert "fpc: no" in text
    assert "variants" not in text
    assert settings_text({"variants": {"adjusted": {"model": "x"}}}) == "variants: adjusted"
    assert settings_text({"model_options": {"lags": 2}}) == "model options: lags = 2"
    plain = re.sub(r"<[^>]+>", "", unescape(section(page(Market(12, seed=5).fit()), "provenance")))
    assert "{}" not in plain


def test_how_it_was_computed_is_no_warning() -> None:
    text = page(replace(Market(12, seed=5).fit(), engine="batch"))
    assert "engine batch" in text.partition('class="setup">')[2].partition("</p>")[0]
    assert "engine batch" not in text.partition('class="warn">')[2].partition("</div>")[0]


def test_groups_are_counted_by_their_verdicts() -> None:
    moved, quiet = Market(20, effect=-0.06, seed=3).fit(), Market(12, seed=5).fit()
    none = quiet.subset(np.zeros(len(quiet), dtype=bool))

    def lede(*samples: EventStudyResults) -> str:
        return groups.group_rows(dict(zip("abc", samples, strict=False)), MAIN)[1]

    assert lede(moved, quiet) == "A significant move in one of the 2 groups over [0,\u00a01]: a."
    assert lede(quiet, quiet) == "No significant move in any of the 2 groups over [0,\u00a01]."
    assert "in the one group with a verdict over [0,\u00a01]: b." in lede(none, moved)
    assert "in b, the one group with a verdict, over" in lede(none, quiet)
    assert lede(none, none) == "No result for any group over [0,\u00a01]."


def test_groups_left_out_are_counted() -> None:
    results = Market(32, seed=5).fit()
    results = replace(
        results, events=results.events.assign(direction=[f"g{i % 8}" for i in range(32)])
    )
    text = unescape(page(results, by="direction"))
    assert "2 more groups in the table of groups below." in text
    assert "The first 6 of 8 groups are drawn; the table has all." in section(text, "groups")


@pytest.mark.parametrize(
    ("column", "said"), [("direction", "a direction"), ("industry", "an industry"), ("", "a group")]
)
def test_events_of_a_blank_group_are_those_without_one(column: str, said: str) -> None:
    one = wording.of_number(1, wording.subject_of("(blank)", column))
    assert one == f"1 announcement without {said}"
