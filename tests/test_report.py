"""The page: equal bytes, and numbers that are those of the results."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, PROVENANCE, loose, page, section, with_columns

from eventstudy.analysis.answer import Answer
from eventstudy.analysis.caar_path import path_of
from eventstudy.calendars.window import Window
from eventstudy.models import MODELS
from eventstudy.models.censored import CensoredMarket
from eventstudy.report.content import references
from eventstudy.report.content.tables import study_tables
from eventstudy.report.html.events import safe_url
from eventstudy.report.html.methods import formula
from eventstudy.report.html.page import render_report
from eventstudy.report.html.path import path_lede
from eventstudy.significance import STATISTICS
from eventstudy.study import EventStudyResults
from eventstudy.utility import numbers as pvalues
from eventstudy.utility import numbers as wording


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


def test_every_car_of_the_events_table_is_that_of_the_results(fallen: EventStudyResults) -> None:
    text = (
        page(fallen).partition('id="events"')[2].partition("</table>")[0].rpartition("<tbody>")[2]
    )
    shown = re.findall(r'<td class="num c-n"[^>]*>([^<]*)<span', text)
    car = fallen.car([MAIN]).sort_values("car")
    assert shown == [wording.percent(v, unit=False) for v in car["car"]]
    assert re.findall(r'<td class="num c-p"[^>]*>([^<]*)</td>', text) == [
        pvalues.pvalue(p).replace("<", "&lt;") for p in car["pvalue"]
    ]


def test_the_answer_is_about_the_leading_group() -> None:
    """Twelve events of group a have no price on day 0, so it has no result and b leads."""
    market = Market(20, dates=7, effect=-0.06, seed=3)
    for i, day in enumerate(market.table["day0"][:12]):
        market.frame.iloc[market.frame.index.get_loc(day), i] = np.nan
    text = unescape(page(with_columns(market.fit(), direction=["a"] * 12 + ["b"] * 8), "direction"))
    assert (
        "Average of 8 b announcements on "
        in text.partition('class="answer">')[2].partition("</p>")[0]
    )
    assert "The 12 a announcements: <strong>no result" in text


def test_every_event_shows_its_estimation(fallen: EventStudyResults) -> None:
    text = page(fallen).replace("\u00a0", " ")
    for row in fallen.models().itertuples():
        beta, r2 = (wording.signed(v, sign=False) for v in (row.beta, row.r2))
        assert f"β {beta}, R² {r2}, {row.nobs} days" in text


def test_flags_about_day_zero_are_no_warnings(fallen: EventStudyResults) -> None:
    flags = ["day0_given"] * 3 + ["missing_days"] * 3 + [""] * 14
    text = page(with_columns(fallen, flags=flags))
    assert text.count('<span class="tag fact"><bdi>day0 given') == 3
    assert text.count('<span class="tag flag"><bdi>missing days') == 3


def test_groups_come_with_their_own_answers(split: EventStudyResults) -> None:
    text = page(split, "direction")
    assert "Average of 12 adverse announcements" in text
    assert "The 8 relief announcements: " in text
    assert "The 20 announcements together: " in text
    assert "circle: adverse; square: relief; " in text
    assert "are pooled" not in text


@pytest.mark.parametrize("effect", [0.0, -0.06])
def test_key_figures_repeat_the_answer(effect: float) -> None:
    results = Market(12, effect=effect, seed=3).fit()
    found, text = results.answer(MAIN), unescape(page(results))
    keys = dict(re.findall(r'<dt>(.*?)</dt><dd class="v[^>]*>(.*?)</dd>', text))
    assert keys["Effect over [0,\u00a01]"] == wording.percent(found.effect.estimate)
    assert keys["Plain average"] == wording.percent(found.plain_average.estimate)
    k, of = re.fullmatch(
        r"(\d+) in ([\d,]+)", keys["If the news did nothing"].replace("under ", "")
    ).groups()
    assert int(k) / int(of.replace(",", "")) == pytest.approx(found.pvalue, abs=0.005)
    for effect_of in (found.effect, found.plain_average):
        assert f"95%\u00a0interval {wording.span(effect_of.ci_low, effect_of.ci_high)}</dd>" in text


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


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//x", "http://a b", "nan", ""]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert safe_url(url) == ""
    assert safe_url("HTTPS://example.com/x") == "HTTPS://example.com/x"


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
    told = {"name": "x", "groups": {}, "provenance": PROVENANCE}
    texts = [
        render_report(fallen, config=replace(CONFIG, interactive=there), **told)
        for there in (True, False)
    ]
    assert ['href="report-interactive.html"' in text for text in texts] == [True, False]


def test_equal_reasons_of_dropped_events_are_said_once(fallen: EventStudyResults) -> None:
    reasons = [
        "no price data: none" if i < 8 else "no price data: other" if i == 8 else ""
        for i in range(20)
    ]
    events = fallen.events.assign(
        reason=reasons, status=["dropped" if r else "ok" for r in reasons]
    )
    own = section(page(replace(fallen, events=events)), "ledger")
    assert (own.count("no price data: none"), own.count("no price data: other")) == (1, 1)
    assert all(own.count(f"<bdi>{name}</bdi>") == 1 for name in events["event_id"][:9])


def test_names_from_right_to_left_leave_the_sentence_as_it_is(fallen: EventStudyResults) -> None:
    named = with_columns(fallen, company=["شركة الاتصالات"] + ["Firm"] * 19)
    one = named.subset(np.arange(len(fallen)) == 0)
    said = page(one).partition('class="answer">')[2].partition("</p>")[0]
    assert "<bdi>شركة الاتصالات</bdi> stayed within chance of " in said


def test_dropped_events_keep_their_own_reason() -> None:
    market = Market(12)
    text = page(market.fit(market.frame.drop(columns=["F03"])))
    assert "12 announcements read: 11 used, 1 dropped" in text
    assert re.search(r"Dropped: 1 · no price data</summary>.*?no price data: F03", text, re.DOTALL)


def test_provenance_is_shown(fallen: EventStudyResults) -> None:
    text = page(fallen)
    for part in (
        "eventstudy run events.csv",
        "ab" * 32,
        "eventstudy 0.1.0",
        "files (1)",
        "model: market",
    ):
        assert part in text


def test_many_events_stay_small() -> None:
    text = page(Market(160, dates=30).fit())
    assert text.count('<td class="num c-n"') == 161
    assert len(text.encode()) < 160 * 3000


def test_the_events_lede_says_what_is_left_after_holm(fallen: EventStudyResults) -> None:
    text = page(fallen, tables={"families": study_tables(fallen, CONFIG)["families"]})
    smallest = min(1.0, 20 * fallen.car([MAIN])["pvalue"].min())
    said = re.search(r"after Holm’s correction (\w+) (does|do) \(smallest adjusted (.*?)\)", text)
    assert loose(said[3]).replace("&lt;", "<") == pvalues.p_is(smallest)
    assert not said[1].isdigit()
    assert (said[1] == "none") == (smallest >= 0.05)


def test_marks_tell_their_numbers(fallen: EventStudyResults) -> None:
    tips = re.findall(r"<title>(CAR [^<]*)</title>", page(fallen))
    row = fallen.car([MAIN]).sort_values("car").iloc[0]
    ci = wording.span(row["ci_low"], row["ci_high"], unit=False)
    p = pvalues.pvalue(row["pvalue"]).replace("<", "&lt;")
    assert tips[1] == f"CAR {wording.percent(row['car'], unit=False)} (95% CI {ci}), p {p}"
    assert len(tips) == 21


@pytest.mark.parametrize("effect", [0.0, -0.06])
def test_the_path_gives_the_answers_before_on_and_after_day_zero(effect: float) -> None:
    market = Market(12, seed=5, effect=effect)
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        at = market.frame.index.get_loc(day)
        market.frame.loc[market.frame.index[[at - 3, at + 3]], ticker] += effect
    results = market.fit()
    windows = {"before the announcement": Window(-5, -2), "after it": Window(2, 5)}
    lede = path_lede(results, windows.values(), path_of(results))
    for when, window in windows.items():
        found = results.answer(window)
        assert found.verdict == ("different" if effect else "not_different")
        clear = "Significant move" if effect else "No significant move"
        assert f"{clear} {when}: {wording.window_text(window)} is {full(found)}" in lede
    assert f"Day 0 is {full(results.answer(Window(0, 0)))}." in lede


def full(found: Answer) -> str:
    """Return estimate, interval and p as they stand in a sentence with full digits."""
    d = found.effect
    interval = f"95%\u00a0interval {wording.span(d.ci_low, d.ci_high)}"
    return f"{wording.percent(d.estimate)} ({interval}, {pvalues.p_prose(found.pvalue)})"


def test_references_are_there_as_bibtex(fallen: EventStudyResults) -> None:
    text = page(fallen).partition('id="bibtex"')[2].partition("</pre>")[0]
    assert text.count("@article{") == page(fallen).partition('class="refs"')[2].partition("</ol>")[
        0
    ].count("<li>")
    assert references.bibtex(references.references(["Kolari and Pynnönen (2010)"])) == "\n".join([
        "@article{kolari2010,",
        '  author = {Kolari, J. W. and Pynn{\\"o}nen, S.},',
        "  title = {{Event study testing with cross-sectional correlation of abnormal returns}},",
        "  journal = {Review of Financial Studies},", "  year = {2010},", "  volume = {23},",
        "  pages = {3996--4025}", "}",
    ])  # fmt: skip
    whole = references.bibtex(references.REFERENCES.values())
    keys = re.findall(r"@article\{(\w+),", whole)
    assert whole.isascii()
    assert len(keys) == len(set(keys)) == len(references.REFERENCES)


def test_every_source_has_its_reference() -> None:
    for entry in STATISTICS.values():
        years = re.findall(r"\d{4}", entry.source)
        assert len(references.references([entry.source])) == len(years) > 0, entry.name
    for model in (*MODELS.values(), CensoredMarket):
        years = re.findall(r"\d{4}", model.source)
        assert len(references.references([model.source])) == len(years), model.name
    assert [r[0] for r in references.references(["Brown and Warner (1980, 1985)"])] == [
        "Brown, S. J. and Warner, J. B. (1980)",
        "Brown, S. J. and Warner, J. B. (1985)",
    ]


def test_sentences_name_references_too() -> None:
    said = "Families are corrected after Holm (1979), Bell and McCaffrey (2002); (Tobin 1958; Chou 1997)"
    found = [entry[0] for entry in references.references([said])]
    assert [name.split(",")[0] for name in found] == ["Bell", "Chou", "Holm", "Tobin"]


def test_formula_is_set_and_escaped() -> None:
    assert (
        str(formula("E[R_it] = alpha_i + <b>"))
        == "E[<i>R</i><sub>it</sub>] = <i>α</i><sub>i</sub> + &lt;b&gt;"
    )
