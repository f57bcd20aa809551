"""Sentences, figures and the page: exact words, equal bytes, and numbers that are those of the results."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from conftest import Market

from eventstudy.config import StudyConfig
from eventstudy.report import facts, plots, references, wording
from eventstudy.report.html import formula, render_report
from eventstudy.report.sections import safe_url
from eventstudy.results import EventStudyResults
from eventstudy.significance import STATISTICS
from eventstudy.windows import Window

MAIN = Window(0, 1)
CONFIG = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5))
PROVENANCE = {
    "events_source": "events.csv",
    "events_sha256": "ab" * 32,
    "versions": {"eventstudy": "0.1.0"},
    "command": "eventstudy run events.csv",
    "prices": {
        "F00": {"source": "files", "detail": "a.csv", "first": "2020-01-01", "last": "2020-12-31", "rows": 9}
    },
    "notices": [],
}


def page(results: EventStudyResults, by: str = "", name: str = "a study") -> str:
    groups = results.groups(by) if by else {}
    config = replace(CONFIG, by=by)
    return render_report(results, config=config, name=name, groups=groups, provenance=PROVENANCE)


def with_columns(results: EventStudyResults, **columns: object) -> EventStudyResults:
    return replace(results, events=results.events.assign(**columns))


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def quiet() -> EventStudyResults:
    """Twelve events without an effect."""
    return Market(12, seed=5).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.01024, "−1.02%"), (0.003, "+0.30%"), (0.0, "0.00%"), (-0.00001, "0.00%"), (np.nan, "–")],
)
def test_percent_has_a_true_minus_and_no_sign_at_zero(value: float, text: str) -> None:
    assert wording.percent(value) == text


@pytest.mark.parametrize(
    ("p", "text", "stars"),
    [
        (0.0612, "p = 0.061", "*"),
        (0.00099, "p < 0.001", "***"),
        (1.0, "p = 1.000", ""),
        (0.02, "p = 0.020", "**"),
    ],
)
def test_p_is_never_written_as_zero(p: float, text: str, stars: str) -> None:
    assert (wording.p_is(p), wording.stars(p)) == (text, stars)


def test_other_formats() -> None:
    assert wording.window_text(Window(-10, 2)) == "[−10,\u00a02]"
    assert [wording.day(t) for t in (-1, 0, 1)] == ["−1", "0", "+1"]
    assert wording.date_prose("2022-09-01").replace("\u00a0", " ") == "1 Sep 2022"
    assert wording.date_iso(pd.Timestamp("2022-09-01")) == "2022-09-01"
    assert wording.span(-0.0204, 0.0001) == "−2.04% to +0.01%"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.reason_head("4 usable days in the estimation window, at least 7 are needed") == (
        "too few usable days in the estimation window"
    )


@pytest.mark.parametrize(
    ("reason", "short", "general"),
    [("1 events, 5 needed to rely on it", "1 event, 5 needed", "fewer than 5 events"),
     ("3 sessions, at least 10 are needed", "3 sessions, at least 10 are needed", "fewer than 10 sessions"),
     ("1 event, at least 2 are needed for a variance", "1 event, at least 2 are needed for a variance",
      "fewer than 2 events for a variance"),
     ("all ranks are tied", "all ranks are tied", "all ranks are tied")],
)  # fmt: skip
def test_reasons_in_short(reason: str, short: str, general: str) -> None:
    assert (wording.reason_text(reason), wording.reason_general(reason)) == (short, general)


@pytest.mark.parametrize("sample", ["fallen", "quiet"])
def test_headline_is_made_of_the_results(sample: str, request: pytest.FixtureRequest) -> None:
    results: EventStudyResults = request.getfixturevalue(sample)
    test, found = results.test("bmp_kp", MAIN), facts.interval(results, MAIN)
    dates = results.events["day0"].nunique()
    verdict = "different from zero" if test.pvalue < 0.05 else "not distinguishable from zero"
    expected = (
        f"Over [0, 1] the {len(results)} adverse announcements moved the shares by "
        f"{100 * test.estimate:+.2f}% on average "
        f"(95% CI {100 * found.low:+.2f}% to {100 * found.high:+.2f}%): "
        f"{verdict} at the 5% level (BMP-KP {wording.p_is(test.pvalue)}, {dates} dates)."
    )
    said = wording.answer(results, MAIN, subject="adverse announcements")
    assert str(said).replace("\u00a0", " ").replace("−", "-") == expected
    assert [text for text, strong in said.parts if strong][1] == verdict


def test_the_two_samples_have_the_two_verdicts(fallen: EventStudyResults, quiet: EventStudyResults) -> None:
    assert ": different from zero" in wording.headline(fallen, MAIN)
    assert "not distinguishable from zero" in wording.headline(quiet, MAIN)


def test_one_event_is_compared_with_its_model(fallen: EventStudyResults) -> None:
    one = fallen.subset(np.arange(len(fallen)) == 0)
    said = wording.headline(one, MAIN)
    p = one.test("event_t", MAIN).pvalue
    assert said.startswith("Over [0,\u00a01] F00 moved ")
    assert f"against what the market model expected (95%\u00a0CI {wording.span(*_car_interval(one))})" in said
    assert f"(exact t {wording.p_is(p)})" in said
    assert said.endswith("One event cannot separate the announcement from other news on the same days.")


def _car_interval(one: EventStudyResults) -> tuple[float, float]:
    from scipy import stats

    row = one.car([MAIN]).iloc[0]
    half = stats.t.ppf(0.975, one.abnormal.df_resid[0]) * row["se"]
    return row["car"] - half, row["car"] + half


def test_one_date_is_one_observation_of_a_common_shock() -> None:
    said = wording.headline(Market(8, dates=1).fit(), MAIN)
    assert "1 date)" in said
    assert said.endswith("All events share one date: one effective observation of any common shock.")


def test_few_events_are_not_tested(fallen: EventStudyResults) -> None:
    said = wording.headline(fallen.subset(np.arange(len(fallen)) < 4), MAIN)
    assert "not tested (4 events, 5 needed)" in said
    assert "CI" not in said


def test_nothing_usable_says_why_and_what_to_do() -> None:
    market = Market(6)
    said = wording.headline(market.fit(market.frame.drop(columns=market.tickers)), MAIN)
    assert said == (
        "No result: none of 6 announcements could be used. Most frequent reason: no price data (6 of 6). "
        "Check the tickers, or choose another source of prices."
    )


def test_open_windows_make_the_answer_provisional() -> None:
    market = Market(12)
    last = market.table["day0"].sort_values().iloc[-3]
    results = market.fit(market.frame.loc[:last])
    said = wording.headline(results, MAIN)
    n = results.test("bmp_kp", MAIN).n_events
    assert 0 < n < len(results)
    assert said.startswith(f"Provisional: {n} of {len(results)} events have complete windows.")
    assert "zero" not in said
    assert wording.limitations(results, MAIN)[0].startswith("Provisional:")


def test_tests_that_disagree_are_named_with_what_they_ignore() -> None:
    fitted = [Market(20, dates=4, rho=0.3, effect=-0.012, seed=seed).fit() for seed in range(30)]
    cases = [r for r in fitted if r.test("bmp_kp", MAIN).pvalue > 0.05 > r.test("bmp", MAIN).pvalue]
    assert cases
    for results in cases:
        said = wording.headline(results, MAIN)
        assert "not distinguishable from zero" in said
        assert f"BMP {wording.pvalue(results.test('bmp', MAIN).pvalue)}" in said
        assert "not valid here" in said
        assert "shared dates" in said


def test_valid_tests_of_the_mean_that_disagree_leave_no_verdict() -> None:
    fitted = [Market(16, dates=16, effect=-0.009, seed=seed).fit() for seed in range(40)]
    day = Window(0, 0)
    p = [[r.test(name, day).pvalue for name in ("bmp_kp", "cross_sectional")] for r in fitted]
    cases = [(r, t) for r, (kp, t) in zip(fitted, p, strict=True) if (kp < 0.05) != (t < 0.05)]
    assert cases
    for results, other in cases:
        said = wording.headline(results, day)
        assert "depends on the test at the 5% level" in said
        assert f"Cross-sectional t {wording.p_is(other)}" in said


def test_limitations_come_most_serious_first(split: EventStudyResults) -> None:
    results = with_columns(split, benchmark="^GSPC", flags="time_unknown")
    found = wording.limitations(replace(results, engine="batch"), MAIN)
    assert [text.split()[0] for text in found] == ["Events", "^GSPC", "Every", "Estimated"]
    assert "pooled" in found[0]
    assert not wording.limitations(with_columns(split, direction="adverse", benchmark="^GDAXI"), MAIN)


@pytest.mark.parametrize(
    ("symbol", "price"),
    [("^GSPC", True), ("000300.SS", True), ("399001.SZ", True), ("IMOEX.ME", True), ("SPY", False),
     ("510300.SS", False), ("^GDAXI", False), ("MCFTR.ME", False)],
)  # fmt: skip
def test_price_indices(symbol: str, price: bool) -> None:
    assert wording.is_price_index(symbol) is price


def test_interval_is_the_cross_sectional_one_corrected_as_in_bmp_kp(fallen: EventStudyResults) -> None:
    from scipy import stats

    car = fallen.abnormal.car(MAIN)
    factor = fallen.test("bmp", MAIN).statistic / fallen.test("bmp_kp", MAIN).statistic
    half = stats.t.ppf(0.975, 19) * car.std(ddof=1) / np.sqrt(20) * factor
    found = facts.interval(fallen, MAIN)
    assert found.corrected
    np.testing.assert_allclose([found.low, found.high], car.mean() + np.array([-half, half]), rtol=1e-12)


def test_validity_follows_the_grades(fallen: EventStudyResults, quiet: EventStudyResults) -> None:
    shared = facts.cells(fallen, Window(0, 0))
    assert shared["bmp_kp"].valid
    assert shared["grank_t"].valid
    assert shared["bmp"].ignores == ("shared dates",)
    dispersed = facts.cells(quiet, Window(0, 0))
    assert dispersed["bmp"].valid
    assert dispersed["patell"].ignores == ("the variance that events add",)
    assert "overlapping windows" in facts.cells(quiet, Window(-5, 5))["grank_t"].ignores


def test_svg_is_deterministic_and_needs_no_styles(fallen: EventStudyResults) -> None:
    path = plots.path_of(fallen)
    drawn = [
        plots.svg(plots.path_figure(path, MAIN, n_events=20), "A path", "What it shows") for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    root = ET.fromstring(drawn[0])
    assert root.get("role") == "img"
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert not any("style" in element.attrib for element in root.iter())
    assert all(word not in drawn[0] for word in ("<style", "<?xml", "DOCTYPE", "url(", "xlink"))
    tips = [e.text for e in root.iter("{http://www.w3.org/2000/svg}title")][1:]
    assert len(tips) == 11
    aar, caar, half = path.aar[5], path.caar[5], path.caar_half[5]
    assert tips[5] == (
        f"Day 0: AAR {wording.percent(aar)}, CAAR {wording.percent(caar)} "
        f"(95% CI {wording.span(caar - half, caar + half)}), 20 events"
    )


@pytest.fixture(scope="module")
def holed() -> EventStudyResults:
    """Twelve events, of which one lacks its last day and two all days from day +2 on."""
    market = Market(12, seed=5)
    frame = market.frame.copy()
    days = [frame.index.get_loc(day) for day in market.table["day0"]]
    for i, (first, stop) in enumerate([(5, 6), (2, 6), (2, 6)]):
        frame.iloc[days[i] + first : days[i] + stop, i] = np.nan
    return market.fit(frame)


def test_path_ends_where_the_table_of_windows_does(holed: EventStudyResults) -> None:
    path, whole = plots.path_of(holed), Window(-5, 5)
    assert path.counts.tolist() == [12] * 7 + [10] * 3 + [9]
    assert path.caar[-1] == holed.test("bmp_kp", whole).estimate == facts.interval(holed, whole).estimate
    text = unescape(page(holed))
    total = wording.percent(path.caar[-1])
    assert f"From day −5 to day +5 it adds up to {total} (9 of 12 events)." in text
    assert "9 to 12 events of 12 enter: each point is the mean of those" in text
    counts = re.findall(r"<td[^>]*>([^<]*)</td>", re.search(r'<tr data-row="events">(.*?)</tr>', text)[1])
    assert counts == [str(holed.abnormal.valid(w).sum()) for w in CONFIG.tested]


def one_event(*missing: int) -> EventStudyResults:
    """Return one event whose prices lack some event days."""
    market = Market(1, dates=1)
    frame = market.frame.copy()
    zero = frame.index.get_loc(market.table["day0"][0])
    frame.iloc[[zero + t for t in missing], 0] = np.nan
    return market.fit(frame)


def test_one_event_without_its_last_days_is_labelled_at_its_last_point() -> None:
    results = one_event(0, 1, 2, 3, 4, 5)
    path = plots.path_of(results)
    assert path.last == 4
    assert path.end == results.abnormal.car(Window(-5, -1))[0]
    figure = plots.path_figure(path, MAIN, n_events=1)
    upper, lower = figure.axes
    assert upper.get_xlim() == lower.get_xlim() == (-5.5, 5.5)
    label = next(t for t in upper.texts if t.get_text() == f"CAR {wording.percent(path.end)}")
    assert label.xy == (-0.5, path.end)
    text = page(results)
    assert "No complete path: no event has all days from day −5 to day +5." in text
    assert "6 days have no point, as the event does not have all days up to there." in text
    assert "A day without a bar has no return of its own." in text
    assert "adds up to" not in text


def test_a_path_without_any_point_has_its_axis() -> None:
    path = plots.path_of(one_event(-5))
    nothing = np.full(11, np.nan)
    empty = replace(path, counts=0 * path.counts, aar=nothing, caar=nothing, caar_half=nothing)
    assert empty.last is None
    assert plots.path_figure(empty, MAIN, n_events=1).axes[1].get_xlim() == (-5.5, 5.5)


def test_few_events_have_no_band(split: EventStudyResults) -> None:
    path = plots.path_of(split.subset(np.arange(4)))
    assert np.isnan(path.caar_half).all()
    assert plots.shared_limits({"a": path})[0] == min(path.caar.min(), 0)
    assert "No band where fewer than 5 events enter." in page(split.subset(np.arange(4)))
    assert np.isfinite(plots.path_of(split.subset(np.arange(5))).caar_half).all()
    alone = plots.path_of(split.subset(np.arange(1)))
    assert np.isfinite(alone.caar_half).all()
    assert np.isnan(alone.beside_others().caar_half).all()


def test_intervals_of_the_table_are_missing_where_the_test_is_not_relied_on() -> None:
    market = Market(5, dates=5, seed=5)
    frame = market.frame.copy()
    frame.iloc[frame.index.get_loc(market.table["day0"][0]) + np.arange(2, 6), 0] = np.nan
    row = page(market.fit(frame)).partition("95% CI, %</th>")[2].partition("</tr>")[0]
    shown = [text == "–" for text in re.findall(r"<td[^>]*>(.*?)<span", row)]
    assert shown == [w.stop > 1 for w in CONFIG.tested]


def test_ids_differ_between_figures_of_a_page(split: EventStudyResults) -> None:
    ids = re.findall(r' id="([^"]+)"', page(split, "direction"))
    assert len(ids) == len(set(ids))


def test_plots_return_axes_and_leave_given_ones_in_place(fallen: EventStudyResults) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert fallen.plot_caar(ax=ax) is ax
    line = next(line for line in ax.lines if len(line.get_xdata()) == 11)
    np.testing.assert_allclose(line.get_ydata(), fallen.caar.to_numpy())
    forest = fallen.plot_car_forest(MAIN)
    assert forest.get_yticklabels()[0].get_text() == "Mean"
    assert len(forest.get_yticks()) == 21


def test_a_long_forest_says_how_many_events_it_leaves_out() -> None:
    results = Market(70, dates=30).fit()
    assert "10 events in the middle are left out" in plots.plot_car_forest(results, MAIN).get_title(
        loc="left"
    )


def test_figures_are_files_with_equal_bytes(fallen: EventStudyResults, tmp_path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        plots.write_figures(with_columns(fallen, event_id="华为 $x$"), tmp_path / folder, window=MAIN)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == ["caar.png", "caar.svg", "car.png", "car.svg"]
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def test_page_has_equal_bytes_for_equal_inputs(split: EventStudyResults) -> None:
    assert page(split, "direction") == page(split, "direction")


def test_every_cell_of_windows_by_tests_is_that_of_the_results(fallen: EventStudyResults) -> None:
    text = page(fallen)
    rows = dict(re.findall(r'<tr data-test="(\w+)"[^>]*>(.*?)</tr>', text, re.DOTALL))
    table = fallen.tests(CONFIG.tested, fallen.default_tests)
    assert set(rows) == set(table["test"])
    for name, row in rows.items():
        cells = re.findall(r'<td class="([^"]*)">(.*?)<span class="sub">(.*?)</span></td>', row)
        assert len(cells) == len(CONFIG.tested)
        for (css, p, statistic), expected in zip(
            cells, table[table["test"] == name].itertuples(), strict=True
        ):
            window = Window(expected.start, expected.stop)
            assert unescape(p).strip("()") == wording.pvalue(expected.pvalue)
            assert statistic == wording.signed(expected.statistic)
            cell = facts.cells(fallen, window)[name]
            assert p.startswith("(") is (not cell.valid and p != wording.MISSING)
            assert ("sig" in css) is (cell.valid and expected.pvalue < 0.05)
    caar = re.findall(r"<td[^>]*>([^<]*)</td>", re.search(r'<tr data-row="caar">(.*?)</tr>', text)[1])
    first = table[table["test"] == "bmp_kp"]["estimate"]
    assert caar == [wording.percent(v, unit=False) for v in first]


def test_every_car_of_the_events_table_is_that_of_the_results(fallen: EventStudyResults) -> None:
    text = page(fallen).partition('id="events"')[2].partition("</table>")[0].rpartition("<tbody>")[2]
    shown = re.findall(r'<td class="num c-n">([^<]*)<span', text)
    car = fallen.car([MAIN]).sort_values("car")
    assert shown == [wording.percent(v, unit=False) for v in car["car"]]
    assert re.findall(r'<td class="num c-p">([^<]*)</td>', text) == [
        wording.pvalue(p).replace("<", "&lt;") for p in car["pvalue"]
    ]


def headings(results: EventStudyResults) -> dict[str, str]:
    """Return the heading under which the page has each test."""
    found = {}
    for body in page(results).split('<tr class="grp">')[1:]:
        title = re.search(r'<span class="stay">(.*?)</span>', body)[1]
        found |= dict.fromkeys(re.findall(r'<tr data-test="(\w+)"', body), title)
    return found


def test_headings_hold_for_the_events_of_every_window(holed: EventStudyResults) -> None:
    for results in (holed, Market(12, dates=12, seed=5).fit(), Market(20, dates=7, seed=3).fit()):
        for name, title in headings(results).items():
            row = [facts.cells(results, w)[name] for w in CONFIG.tested]
            valid = [c.valid for c in row if np.isfinite(c.result.pvalue)]
            everywhere, somewhere = bool(valid) and all(valid), any(valid)
            assert title.startswith("Valid in every window") is everywhere
            assert title.startswith("Valid in some") is (somewhere and not everywhere)


def test_dates_shared_in_one_window_only_count_there() -> None:
    market = Market(12, dates=11, seed=5)
    frame = market.frame.copy()
    frame.iloc[frame.index.get_loc(market.table["day0"][0]) + np.arange(1, 6), 0] = np.nan
    results = market.fit(frame)
    assert facts.crowding(results, Window(0, 0)).shared
    assert not facts.crowding(results, MAIN).shared
    assert facts.cells(results, Window(0, 0))["bmp"].ignores == ("shared dates",)
    assert headings(results)["bmp_kp"].startswith("Valid in every window although events share dates")


def test_equal_reasons_are_one_short_sentence(fallen: EventStudyResults) -> None:
    text = page(fallen.subset(np.arange(len(fallen)) < 3))
    note = re.search(r'</table></div>\n<p class="note">(.*?)</p>', text.partition('id="tests"')[2])[1]
    assert note.count("fewer than 5 events") == note.count("fewer than 10 events") == 1
    assert len(note) < 300


def test_the_largest_group_that_can_be_tested_leads(fallen: EventStudyResults) -> None:
    direction = ["a"] * 8 + ["b"] * 6 + ["c"] * 6
    groups = with_columns(fallen, direction=direction).groups("direction")
    assert wording.leading(groups, MAIN) == "a"
    assert wording.leading({k: v.subset(np.arange(4)) for k, v in groups.items()}, MAIN) == "a"
    groups["a"] = groups["a"].subset(np.arange(4))
    assert wording.leading(groups, MAIN) == "b"
    assert wording.leading({}, MAIN) == ""


def test_the_answer_is_about_the_leading_group(fallen: EventStudyResults) -> None:
    groups = with_columns(fallen, direction=["a"] * 12 + ["b"] * 8).groups("direction")
    groups["a"] = groups["a"].subset(np.arange(4))
    text = render_report(fallen, config=CONFIG, name="n", groups=groups, provenance=PROVENANCE)
    assert "the 8 b announcements moved" in re.sub(r"<[^>]+>", "", text)
    assert text.index("Mean of 8 b") < text.index("Mean of 4 a")


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


def test_few_notes_are_listed_and_many_counted(fallen: EventStudyResults) -> None:
    def listed(n: int) -> list[str]:
        panel = replace(fallen.panel, notes=tuple(f"note {i}" for i in range(n)))
        return wording.limitations(replace(fallen, panel=panel), MAIN)

    assert listed(5)[-5:] == [f"note {i}." for i in range(5)]
    assert listed(7)[-2:] == ["note 4.", "2 similar notes not listed."]


def test_groups_come_with_their_own_answers(split: EventStudyResults) -> None:
    text = page(split, "direction")
    assert "the 12 adverse announcements" in text
    assert "The 8 relief announcements: " in text
    assert "The 20 announcements together: " in text
    assert "circle: adverse; square: relief; " in text
    assert "are pooled" not in text


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
    assert "<b>adverse" not in text
    assert "x" * 300 not in text
    assert "y" * 300 not in text
    links = set(re.findall(r'<a href="([^#"][^"]*)"([^>]*)>', text))
    assert {link for link in links if not link[0].endswith(".csv")} == {
        ("https://example.com/a?b=1&amp;c=2", ' rel="noopener noreferrer"')
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x", "http://a b", "nan", ""])
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
    assert "<strong>No result:</strong>" in text
    assert 'id="tests"' not in text
    for ticker in market.tickers:
        assert f"no price data: {ticker}" in text


def test_dropped_events_keep_their_own_reason() -> None:
    market = Market(12)
    text = page(market.fit(market.frame.drop(columns=["F03"])))
    assert "12 announcements read: 11 used, 1 dropped" in text
    assert re.search(r"Dropped: 1 · no price data</summary>.*?no price data: F03", text, re.DOTALL)


def test_provenance_is_shown(fallen: EventStudyResults) -> None:
    text = page(fallen)
    for part in ("eventstudy run events.csv", "ab" * 32, "eventstudy 0.1.0", "files (1)", "model market"):
        assert part in text


def test_many_events_stay_small() -> None:
    text = page(Market(160, dates=30).fit())
    assert text.count('<td class="num c-n">') == 161
    assert len(text.encode()) < 160 * 3000


def test_every_source_has_its_reference() -> None:
    for entry in STATISTICS.values():
        years = re.findall(r"\d{4}", entry.source)
        assert len(references.references([entry.source])) == len(years) > 0, entry.name
    assert [r[0] for r in references.references(["Brown and Warner (1980, 1985)"])] == [
        "Brown, S. J. and Warner, J. B. (1980)",
        "Brown, S. J. and Warner, J. B. (1985)",
    ]


def test_formula_is_set_and_escaped() -> None:
    assert (
        str(formula("E[R_it] = alpha_i + <b>"))
        == "E[<i>R</i><sub>it</sub>] = <i>α</i><sub>i</sub> + &lt;b&gt;"
    )
