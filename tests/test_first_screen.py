"""The first screen of the report: one number everywhere, the words of each verdict, room for all."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from conftest import Market
from hypothesis import given
from hypothesis import strategies as st
from pages import MAIN, findings, page, with_columns

from eventstudy.analysis import Answer, Interval
from eventstudy.calendars import Window
from eventstudy.findings import Findings
from eventstudy.report.figures.answer_figures import effect_of
from eventstudy.report.figures.labels import Box, lead_names
from eventstudy.report.figures.strip import RADII, Strip, StripMark, draw_strip, stack
from eventstudy.report.figures.svg_canvas import NARROW, WIDE, text_width
from eventstudy.report.formats.pages import render_report
from eventstudy.report.page.first_screen import days_outside, first_screen
from eventstudy.report.sentences.answer import short_name
from eventstudy.report.tables.checks import list_checks
from eventstudy.report.tables.windows import windows_table
from eventstudy.words import Reason, words

STUDIES = {
    "many": {"n": 20, "dates": 9, "effect": -0.03, "seed": 3},
    "quiet": {"n": 20, "dates": 9, "effect": 0.0, "seed": 4},
    "rise": {"n": 9, "dates": 9, "effect": 0.04, "seed": 5},
    "three": {"n": 3, "dates": 3, "effect": -0.06, "seed": 6},
    "one": {"n": 1, "dates": 1, "effect": -0.2, "seed": 7},
    "one quiet": {"n": 1, "dates": 1, "effect": 0.0, "seed": 8},
    "one date": {"n": 12, "dates": 1, "effect": -0.04, "seed": 9},
}


@cache
def study_of(name: str) -> Findings:
    return findings(Market(**STUDIES[name]).fit())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", STUDIES)
def test_one_number_stands_in_headline_bracket_key_and_table(name: str) -> None:
    study = study_of(name)
    first, answer = first_screen(study), study.sample.answer
    effect = answer.effect
    assert first.chart is not None
    assert effect_of(first.chart.path) == pytest.approx(effect.estimate, abs=1e-12)
    assert first.keys[0].value == words().percent(effect.estimate)
    main = next(row for row in windows_table(study).blocks[0].rows if row.is_main)
    assert main.values["effect"] == effect.estimate
    assert main.values["interval"] == (effect.ci_low, effect.ci_high)
    assert main.values["pvalue"] == answer.pvalue
    if answer.verdict == Answer.DIFFERENT:
        assert words().size(effect.estimate) in first.headline
    assert first.strip is None or first.strip.average == effect


@pytest.mark.parametrize("name", STUDIES)
def test_the_shares_leave_the_band_exactly_if_the_verdict_is_different(name: str) -> None:
    study = study_of(name)
    path = study.sample.implied
    assert path is not None
    at = int(np.flatnonzero(path.days == path.end)[0])
    leaves = abs(path.gap[at]) > path.half[at]
    assert leaves == (study.sample.answer.verdict == Answer.DIFFERENT)


@pytest.mark.parametrize(
    ("name", "headline", "sentence", "caveat"),
    [
        (
            "many",
            r"Shares (fell|did) \d+\.\d% (more|worse)",
            r"Average of 20 announcements on nine dates",
            "",
        ),
        ("quiet", "No clear move: shares stayed within chance", "80% power", ""),
        ("rise", r"Shares (rose|did) \d+\.\d% (more|better)", "Average of nine announcements", ""),
        (
            "three",
            r"Shares .*\d+\.\d%",
            "Average of three announcements on three",
            "as much as usual",
        ),
        ("one", r"F00 .*\d+\.\d%", "One announcement", "other news of the same days;"),
        ("one quiet", "No clear move: F00 stayed", "One announcement", "other news"),
        ("one date", r"Shares .*\d+\.\d%", "on one date", "announcements fall on one date"),
    ],
)
def test_words_of_each_verdict(name: str, headline: str, sentence: str, caveat: str) -> None:
    first = first_screen(study_of(name))
    assert re.search(headline, first.headline)
    assert not first.headline.endswith(".")
    assert sentence in first.sentence
    assert caveat in " ".join(first.caveat)
    assert not re.search("caused|significant|BMP", first.headline)


def test_prices_are_called_stored_only_where_they_stand_in_for_others() -> None:
    results = Market(**STUDIES["three"]).fit()  # type: ignore[arg-type]

    def as_of(notice: str) -> str:
        panel = replace(results.panel, notices=(notice,))
        return first_screen(findings(replace(results, panel=panel))).as_of

    why = "Yahoo cannot be reached"
    assert "stored" not in as_of("the column 'date' of the events is read as announced_at")
    assert as_of(Reason("sample_used", why=why, n=1, symbols=["F00"])).endswith("bundled prices")
    assert as_of(Reason("stored_used", symbol="F00", why=why)).endswith("bundled prices")


def test_a_verb_of_direction_needs_both_to_have_moved() -> None:
    study = study_of("many")
    falls = study.sample.answer
    for implied, verb in ((-0.01, "fell"), (0.01, "did")):
        answer = replace(falls, market_implied=implied)
        main = replace(study.sample.main, answer=answer)
        sample = replace(study.sample, main=main)
        assert f"Shares {verb} " in first_screen(replace(study, samples=(sample,))).headline


@pytest.mark.parametrize("name", ["one", "three", "many"])
def test_each_file_that_a_page_links_is_in_the_run(name: str, tmp_path: Path) -> None:
    run = Market(**STUDIES[name]).fit().save(tmp_path, "run")  # type: ignore[arg-type]
    for at in (run / "report.html", next((run / "events").glob("0001-*.html"))):
        links = re.findall(r' href="([^"#]+)"', at.read_text(encoding="utf-8"))
        assert any(link.endswith(".csv") for link in links)
        for link in links:
            assert (at.parent / link).exists(), link


def test_a_move_before_is_called_significant_and_one_after_not() -> None:
    study = study_of("one quiet")
    main = study.sample.main
    sides = [
        replace(main, window=Window(*days), answer=replace(main.answer, pvalue=p))
        for days, p in (((-5, -2), 0.01), ((2, 5), 0.5))
    ]
    sample = replace(study.sample, windows=(main, *sides))
    chart = first_screen(replace(study, samples=(sample,))).chart
    assert chart is not None
    assert re.match(r"Significant move before \(.*p\u00a0=\u00a00\.01\)\. No significant move after",
                    chart.note)  # fmt: skip


def test_no_result_and_too_early() -> None:
    nothing = findings(Market(4).fit().subset(np.zeros(4, dtype=bool)))
    assert first_screen(nothing).headline.startswith("No result")
    text = render_report(nothing)
    assert "<svg" not in text
    market = Market(6, dates=6, seed=2)
    market.frame = market.frame.iloc[: market.frame.index.get_loc(market.table["day0"].max()) + 1]
    early = findings(market.fit())
    assert first_screen(early).headline.startswith("Too early to say")


def test_four_figures_repeat_the_headline() -> None:
    for name in STUDIES:
        keys = first_screen(study_of(name)).keys
        assert len(keys) == 4
        assert not re.search(
            "BMP|detect", " ".join(f"{k.label} {k.value} {k.remark}" for k in keys)
        )


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Best Buy Co., Inc.", "Best Buy"),
        ("Meta Platforms (Facebook)", "Meta Platforms"),
        ("Merck & Co", "Merck"),
        ("PepsiCo, Inc.", "PepsiCo"),
        ("ZTE Corporation", "ZTE"),
        ("Corp", "Corp"),
        ("", ""),
        ("Hangzhou Hikvision", "Hangzhou Hikvision"),
        ("BP p.l.c. plc", "BP p.l.c."),
        ("A very long name of a company that goes on", "A very long name of a com…"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_name(name) == short


@pytest.mark.slow
def test_title_of_the_study() -> None:
    results = Market(20, dates=9, seed=3).fit()
    made = first_screen(findings(results)).title
    assert re.fullmatch(r"20 announcements, 20 companies, 2020", made.replace("\u00a0", " "))
    assert first_screen(findings(results, title="My study")).title == "My study"
    assert "My &lt;b&gt;" in page(results, title="My <b>")
    named = with_columns(Market(1, dates=1).fit(), company="Best Buy Co., Inc.")
    assert first_screen(findings(named)).title.startswith("Best Buy, ")


@given(
    st.lists(st.floats(0, 600), min_size=1, max_size=120),
    st.sampled_from(RADII),
)
def test_dots_do_not_touch(xs: list[float], radius: float) -> None:
    x = np.sort(xs)
    y = stack(x, radius)
    apart = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    apart[np.diag_indices(len(x))] = np.inf
    assert apart.min() >= 2 * radius


@given(
    st.lists(
        st.tuples(st.text("abcdefgh WM,.", min_size=1, max_size=30), st.floats(0, 640)),
        min_size=1,
        max_size=40,
    )
)
def test_names_touch_neither_each_other_nor_a_dot(points: list[tuple[str, float]]) -> None:
    xs = np.array([x for _, x in points])
    ys = 64 + stack(xs, 2.0)
    dots = [Box(x - 2, x + 2, y - 2, y + 2) for x, y in zip(xs, ys, strict=True)]
    names = [(name, x, float(y)) for (name, x), y in zip(points, ys, strict=True)]
    placed = lead_names(names, dots, (12.0, 28.0), 660, 6)
    assert len(placed) <= 6
    boxes = []
    for name in placed:
        length = text_width(names[name.i][0], size=12.0)
        boxes.append(Box(name.start, name.start + length, name.foot - 11, name.foot + 3))
        assert name.start >= 0
        assert name.start + length <= 660
        assert name.line[2:] == names[name.i][1:], "the line ends at its dot"
    assert not any(a.meets(b) for k, a in enumerate(boxes) for b in [*boxes[k + 1 :], *dots])
    for k, one in enumerate(placed):
        points = np.linspace(one.line[:2], one.line[2:], 50).T
        assert not any(box.holds((points[0], points[1])) for box in boxes[:k] + boxes[k + 1 :])
        for other in placed[:k]:
            assert (one.line[0] - other.line[0]) * (one.line[2] - other.line[2]) >= 0


def test_the_ends_are_named_first() -> None:
    effect = Interval.of(0.01, 0.002, 30)
    marks = tuple(
        StripMark(f"Firm {i:02d}, Jan 2020", f"F{i}", Interval.of(v, 0.01, 30), False)
        for i, v in enumerate(np.linspace(-0.1, 0.1, 40))
    )
    strip = Strip("t", "a", marks, effect, np.empty(0))
    for width, most in ((WIDE, 6), (NARROW, 2)):
        figure = draw_strip(strip, width=width)
        drawn = [unescape(t) for t in re.findall(r'class="small"[^>]*>([^<]*)<', figure)]
        assert {marks[0].name, marks[-1].name} <= set(drawn)
        assert len(drawn) <= most
        assert figure.count('class="lead"') == len(drawn)


def test_the_name_of_the_only_event_lies_above_the_dots() -> None:
    effect = Interval.of(0.0, 0.01, 30)
    mark = StripMark("1 Jan 2020", "1 Jan", effect, False)
    for n in (3, 12, 20):
        figure = draw_strip(Strip("t", "a", (mark,), effect, np.zeros(n)), width=WIDE)
        dots = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)m-", figure)]
        names = [float(y) for y in re.findall(r'class="bt c halo" x="[\d.]+" y="([\d.]+)"', figure)]
        assert min(names) > 11
        assert max(names) < min(dots)


def test_a_check_that_leaves_out_several_leads_to_the_table() -> None:
    study = study_of("many")
    checks = [c for c in list_checks(study) if c.kind == "leave_out" and not c.p_range]
    several = {c.link for c in checks if c.n_events < 19}
    assert several == {"#all"}
    assert all(re.fullmatch(r"#e\d+", c.link) for c in checks if c.n_events == 19)


@pytest.mark.parametrize("name", ["many", "one", "one date"])
def test_the_page_has_no_script_loads_nothing_and_names_no_address(name: str) -> None:
    results = Market(**STUDIES[name]).fit()  # type: ignore[arg-type]
    text = render_report(findings(results, event_pages=99))
    assert "<script" not in text
    assert "style=" not in text
    assert "src=" not in text
    links = re.findall(r'<(\w+)[^>]* href="(?!#)([^"]*)"', text)
    assert {tag for tag, _ in links} == {"a"}, "what a reader clicks, and nothing that is loaded"
    assert all(re.fullmatch(r"(events|tables)/[\w-]+\.(html|csv)", link) for _, link in links)
    assert not re.search("https?://", re.sub(r"xmlns\S+", "", text))


def test_folded_lines_have_findings_and_their_order() -> None:
    text = page(Market(20, dates=9, effect=-0.03, seed=3).fit())
    folds = re.findall(r'<details id="(\w+)"[^>]*><summary><h2>(.*?)</h2><span>(.*?)</span>', text)
    codes = [code for code, _, _ in folds]
    assert codes[0] == "announcements"
    assert codes[-4:] == ["data", "method", "words", "files"]
    assert all(title and finding for _, title, finding in folds)
    assert "yellow" not in text
    assert re.findall(r'<section id="(\w+)"', text) == ["windows", "tests"]


def test_dots_and_checks_lead_to_a_part_of_the_page_and_rows_to_their_page() -> None:
    results = Market(20, dates=9, effect=-0.03, seed=3).fit()
    text = render_report(findings(results, event_pages=99))
    anchors = re.findall(r' id="([^"]+)"', text)
    assert len(anchors) == len(set(anchors))
    links = re.findall(r'<a href="#([^"]+)"', text)
    assert set(links) <= set(anchors)
    rows = dict(re.findall(r'<tr id="(e\d+)"><th scope="row"><a href="(events/[^"]+)"', text))
    assert len(rows) == 20
    wide = text.partition('<figure class="strip">')[2].partition("</svg>")[0]
    assert sorted(re.findall(r'<a href="#(e\d+)" tabindex="-1"', wide)) == sorted(rows)
    assert 'role="group"' in wide, "a screen reader skips the links of an image"
    named = re.findall(r"<a href=\"#e\d+\" tabindex=\"-1\"><title>([^<]+)</title>", wide)
    assert len(named) == 20
    checks = text.partition('<figure class="checks"')[2].partition("</svg>")[0]
    leading = set(re.findall(r'<a href="#(\w+)"', checks))
    assert {"tests", "windows", "combinations"} <= leading
    folded = re.findall(r'<details id="(\w+)"', text)
    assert not leading & set(folded), "a browser opens a fold for what is within it alone"
    assert re.search(r'<a href="#e\d+"><title>Leave out ', checks)


def test_tests_are_in_blocks_and_those_not_valid_are_missing() -> None:
    study = study_of("many")
    blocks = windows_table(study).blocks
    assert [row.is_main for row in blocks[0].rows].count(True) == 1
    named = {test.test for test in study.sample.main.tests if test.trust == "not valid"}
    from eventstudy.significance import STATISTICS

    labels = {STATISTICS[name].label for name in named if name in study.sample.shown}
    assert not labels & {row.name for block in blocks[1:] for row in block.rows}
    assert study.setup.main == MAIN


@pytest.mark.parametrize(
    ("out", "said"), [([], ""), ([3], "day +3"), ([2, 4, 5], "days +2 and +4 to +5"), ([0, 1], "")]
)
def test_days_outside_the_band_are_one_or_several(out: list[int], said: str) -> None:
    path = findings(Market(n=6, seed=5).fit()).sample.implied
    assert path is not None
    gap = np.where(np.isin(path.days, out), 2 * path.half + 1, 0.0)
    assert (path.base, path.end) == (-1, 1)
    assert days_outside(replace(path, shares=path.implied + gap)) == said
