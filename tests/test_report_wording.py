"""How sentences are put together: capitals, separators, expected counts, settings, names of
tests."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import Market
from pages import MAIN, findings, page, plain, with_columns
from situations import placed

from eventstudy.report import Terminal
from eventstudy.report.formats.pages import markdown
from eventstudy.report.sentences.answer import count_subject, name_group
from eventstudy.report.sentences.caveats import headline
from eventstudy.report.sentences.top import describe_setup, find_limitations
from eventstudy.report.tables.events import group_lede
from eventstudy.report.tables.methods import settings_text
from eventstudy.settings import StudyConfig
from eventstudy.words import capitalised, say, words


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
    assert capitalised(name) == name


@pytest.mark.parametrize("text", ["headline", "windows of dates overlap", "a", "no data: x"])
def test_a_sentence_begins_with_a_capital(text: str) -> None:
    assert capitalised(text) == text[0].upper() + text[1:]


@pytest.mark.slow
def test_counts_in_sentences_have_separators() -> None:
    found = placed([150 + i % 6 for i in range(1200)], seed=3).fit().diagnose(MAIN)
    for text in [*found.text, say("terminal.more_groups", n=3076)]:
        assert not re.search(r"(?<![\d.,])\d{4,}(?![\d.])", text), text
    assert "1,200" in found.text[0]


@pytest.mark.parametrize(
    ("number", "text"), [(3802.35, "3,802"), (12.5, "12"), (3.2, "3.2"), (3.0, "3"), (0.15, "0.15")]
)
def test_expected_counts_have_the_digits_that_count(number: float, text: str) -> None:
    assert words().expected(number) == text


@pytest.mark.slow
def test_a_p_below_the_level_never_reads_as_the_level() -> None:
    low, high = 0.0, 0.02
    for _ in range(60):
        results = Market(12, seed=5, effect=(low + high) / 2).fit()
        p = results.answer(MAIN).pvalue
        if 0.0495 < p < 0.05:
            break
        low, high = (low, (low + high) / 2) if p < 0.05 else ((low + high) / 2, high)
    said = words().pvalue(p)
    assert re.fullmatch(r"0\.049\d+", said)
    study = findings(results)
    shown = [page(results), markdown(study), str(Terminal(study).text(verbose=True))]
    shown += [str(results.test("bmp_kp", MAIN)), str(results.summary([MAIN]))]
    assert all(said in text for text in shown)
    sentences = [headline(study), *shown]
    assert not any(re.search(r"p\s=\s0\.050?\b", text) for text in sentences)
    assert f"p\u00a0=\u00a0{words().p(p)[4:]}" in sentences[0]


def test_settings_are_printed_for_a_reader() -> None:
    text = settings_text({**StudyConfig().to_dict(), "tests": [], "fpc": False})
    assert not re.search(r"[{}\[\]]|False|None", text)
    assert "fpc: no" in text
    assert settings_text({"model_options": {"lags": 2}}) == "model options: lags = 2"
    assert "{}" not in plain(page(Market(12, seed=5).fit()))


def test_how_it_was_computed_is_no_warning() -> None:
    study = findings(replace(Market(12, seed=5).fit(), engine="batch"))
    assert say("setup.batch") in describe_setup(study)
    assert not any("batch" in text for text in find_limitations(study))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kinds", "code", "names"),
    [
        (("moved", "quiet"), "move_several", ["a"]),
        (("quiet", "quiet"), "no_move_several", []),
        (("none", "moved"), "move_one", ["b"]),
        (("none", "quiet"), "no_move_one", []),
        (("none", "none"), "none", []),
    ],
)
def test_groups_are_counted_by_their_verdicts(
    kinds: tuple[str, ...], code: str, names: list[str]
) -> None:
    """Groups of twelve events that moved, did not, or have no price on day 0."""
    market = Market(24, dates=24, seed=5)
    for i, day in enumerate(market.table["day0"]):
        at, kind = market.frame.index.get_loc(day), kinds[i // 12]
        market.frame.iloc[at, i] += {"moved": -0.06, "quiet": 0, "none": np.nan}[kind]
    results = with_columns(market.fit(), direction=["a"] * 12 + ["b"] * 12)
    study = findings(results, by="direction")
    decided = [g.group for g in study.groups if g.answer.verdict in ("different", "not_different")]
    facts = {"n": len(decided), "name": "".join(decided[:1]), "k": words().word(len(names))}
    lede = say(f"groups.{code}", main=MAIN, names="".join(names), **facts)
    assert group_lede(study) == lede


@pytest.mark.parametrize(
    ("column", "missing"),
    [("direction", "a direction"), ("industry", "an industry"), ("", "a group")],
)
def test_events_of_a_blank_group_are_those_without_one(column: str, missing: str) -> None:
    assert count_subject(1, name_group("(blank)", column)) == f"1 announcement without {missing}"
