"""The table of events: the numbers of the results in one order, for every format."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Market, short_histories
from pages import MAIN, findings, with_columns

from eventstudy.findings import Findings
from eventstudy.report.tables.events import (
    count_significant,
    events_table,
    find_common_flags,
    safe_url,
)
from eventstudy.report.tables.robustness import robustness
from eventstudy.studies import EventStudyResults
from eventstudy.words import words


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def study(fallen: EventStudyResults) -> Findings:
    return findings(
        with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8), by="direction"
    )


def test_flags_stand_beneath_the_name(fallen: EventStudyResults) -> None:
    flags = ["day0_given"] * 3 + ["missing_days"] * 3 + [""] * 14
    rows = events_table(findings(with_columns(fallen, flags=flags))).rows
    tags = [row.remark for row in rows]
    assert tags.count("day0 given") == tags.count("missing days") == 3


def test_a_flag_of_nearly_all_events_is_said_once(fallen: EventStudyResults) -> None:
    study = findings(with_columns(fallen, flags=["missing_days"] * 17 + [""] * 3))
    assert find_common_flags(study) == {"missing_days": 17}
    assert not any(row.remark for row in events_table(study).rows)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//x", "http://a b", "nan", ""]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert safe_url(url) == ""
    assert safe_url("HTTPS://example.com/x") == "HTTPS://example.com/x"


@pytest.mark.slow
def test_the_lede_counts_what_is_significant(fallen: EventStudyResults, study: Findings) -> None:
    lede, p = count_significant(study).replace("\u00a0", " "), fallen.car([MAIN])["pvalue"]
    n = int((p < 0.05).sum())
    assert study.pooled.main.significant == n
    assert lede.startswith(words().word(n, capital=True))
    assert words().p_is(min(1.0, 20 * p.min())) in lede
    without = replace(study, tables={})
    assert "Holm" not in count_significant(without)


def test_the_lede_counts_the_family_that_holm_corrects() -> None:
    """An event with a short history has a p of its own; so it is one of the moves."""
    study = findings(short_histories())
    families = study.tables["families"].query("family == 'events'")
    assert len(families) == 12
    by_hand = min(1.0, 12 * families["pvalue"].min())
    lede = count_significant(study).replace("\u00a0", " ")
    assert "of the 12 moves" in lede
    assert words().p_is(by_hand).replace("\u00a0", " ") in lede
    assert "of the 12 moves" in count_significant(replace(study, tables={}))
    (many,) = (analysis for analysis in robustness(study) if analysis.name == "families")
    assert " of 12 announcements " in many.lede
