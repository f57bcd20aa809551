"""Figures: their numbers, their bytes, and that a strict page may hold them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from conftest import Market
from matplotlib.figure import Figure
from pages import CONFIG, MAIN, page, with_columns
from scipy import stats

from eventstudy.analysis import caar_path as paths
from eventstudy.calendars.window import Window
from eventstudy.errors import ConfigError
from eventstudy.report.content import wording
from eventstudy.report.figures import caar_plots as plots
from eventstudy.report.figures import label_placement as labels
from eventstudy.report.figures import svg_canvas as canvas
from eventstudy.report.figures.matplotlib_svg import svg
from eventstudy.study import EventStudyResults


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


def test_a_figure_leaves_out_what_is_no_character_of_xml() -> None:
    figure = Figure()
    figure.text(0, 0, "a\ufffeb\uffffc")
    assert ">abc</text>" in svg(figure, "A text", "What it shows")


def test_svg_is_deterministic_and_needs_no_styles(fallen: EventStudyResults) -> None:
    path = paths.path_of(fallen)
    drawn = [
        svg(plots.path_figure(path, MAIN, n_events=20), "A path", "What it shows") for _ in range(2)
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
    path, whole = paths.path_of(holed), Window(-5, 5)
    assert path.counts.tolist() == [12] * 7 + [10] * 3 + [9]
    average = holed.answer(whole).plain_average
    assert (path.caar[-1], path.caar_half[-1]) == (
        average.estimate,
        average.ci_high - average.estimate,
    )
    text = unescape(page(holed))
    total = wording.percent(path.caar[-1])
    assert f"From day −5 to day +5 the plain average adds up to {total} (9 of 12 events)." in text
    assert "9 to 12 events of 12 enter: each point is the mean of those" in text
    counts = re.findall(
        r"<td[^>]*>([^<]*)</td>", re.search(r'<tr data-row="events">(.*?)</tr>', text)[1]
    )
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
    path = paths.path_of(results)
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


def test_the_name_of_the_main_window_stays_within_its_axis() -> None:
    path = paths.path_of(Market(6, dates=6).fit())
    for window, x, side in (
        (Window(0, 1), 0.5, "center"),
        (Window(-5, -4), -5.5, "left"),
        (Window(5, 5), 5.5, "right"),
    ):
        upper = plots.path_figure(path, window, n_events=6).axes[0]
        label = next(t for t in upper.texts if t.get_text().startswith("main window"))
        assert (label.xy[0], label.get_ha()) == (x, side)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(-39.5, 16.5, [-30, -20, -10, 0, 10]), (-37, 6, [-30, -20, -10, 0, 10]), (-37, 1, [-30, -20, -10, 0]),
     (0, 9, [0, 2, 4, 6, 8]), (16.2, 19.1, [16.5, 17, 17.5, 18, 18.5, 19])],
)  # fmt: skip
def test_axes_have_three_to_six_ticks_and_one_on_each_side_that_values_reach(
    low: float, high: float, shown: list[float]
) -> None:
    most = 6 if low > 9 else 5
    ends = canvas.sided(low, high, most)
    assert [t for t, _ in canvas.ticks(*ends, most, canvas.signed_label)] == shown


def test_names_of_points_are_clear_of_each_other_and_of_lines() -> None:
    xs = np.linspace(0, 500, 400)
    edge, level = labels.Box(0, 500, 0, 300), (xs, np.full(400, 150.0))
    points = [(250.0, 150.0), (258.0, 170.0), (496.0, 40.0)]
    told = {"marks": points, "lines": [level], "cloud": (np.empty(0), np.empty(0))}
    found = [
        label.box for label in labels.placed(["day 0", "day +1", "day +2"], points, edge, **told)
    ]
    assert not any(a.meets(b) for i, a in enumerate(found) for b in found[:i])
    assert not any(box.top < 150 < box.foot for box in found)
    assert all(box.left >= 0 and box.right <= 500 for box in found)
    assert labels.together([(10, 10), (200, 10), (14, 12)]) == [[0, 2], [1]]


def test_a_path_without_any_point_has_its_axis() -> None:
    path = paths.path_of(one_event(-5))
    nothing = np.full(11, np.nan)
    empty = replace(path, counts=0 * path.counts, aar=nothing, caar=nothing, caar_half=nothing)
    assert empty.last is None
    assert plots.path_figure(empty, MAIN, n_events=1).axes[1].get_xlim() == (-5.5, 5.5)


def test_few_events_have_no_band(split: EventStudyResults) -> None:
    path = paths.path_of(split.subset(np.arange(4)))
    assert np.isnan(path.caar_half).all()
    assert plots.shared_limits({"a": path})[0] == min(path.caar.min(), 0)
    assert "No band where fewer than 5 events enter." in page(split.subset(np.arange(4)))
    assert np.isfinite(paths.path_of(split.subset(np.arange(5))).caar_half).all()
    alone = paths.path_of(split.subset(np.arange(1)))
    assert np.isfinite(alone.caar_half).all()
    assert np.isnan(alone.beside_others().caar_half).all()


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
    assert forest.get_yticklabels()[0].get_text() == "Effect"
    assert len(forest.get_yticks()) == 21


def test_the_mark_of_the_effect_is_filled_where_it_is_different(fallen: EventStudyResults) -> None:
    for results in (fallen, Market(12, seed=5).fit()):
        mark, found = plots._mean_mark(results, MAIN), results.answer(MAIN)
        assert mark.filled == (found.verdict == "different")
        assert mark.car == found.effect.estimate
        assert mark.car + mark.half == pytest.approx(found.effect.ci_high)


def test_a_long_forest_says_how_many_events_it_leaves_out() -> None:
    results = Market(70, dates=30).fit()
    assert "10 events in the middle are left out" in plots.plot_car_forest(results, MAIN).get_title(
        loc="left"
    )


def test_figures_are_files_with_equal_bytes(fallen: EventStudyResults, tmp_path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        plots.write_figures(
            with_columns(fallen, event_id="华为 $x$"), tmp_path / folder, window=MAIN
        )
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    figures = ("ar_heatmap", "caar", "car")
    assert names == sorted(f"{n}.{kind}" for n in figures for kind in ("pdf", "png", "svg"))
    assert all(
        (tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names
    )


def test_caar_by_group_has_a_path_for_each(split: EventStudyResults) -> None:
    axes = split.plot_caar(by="direction")
    paths_drawn = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 11]
    for drawn, part in zip(paths_drawn, split.groups("direction").values(), strict=True):
        np.testing.assert_allclose(drawn, part.caar.to_numpy())
    assert {t.get_text().split()[0] for t in axes.texts} == {"adverse", "relief"}
    with pytest.raises(ConfigError, match="no such column"):
        split.plot_caar(by="sector")


def test_event_is_drawn_with_its_own_numbers(fallen: EventStudyResults) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert fallen.plot_event("e3", ax=ax) is ax
    own = fallen.abnormal_returns().query("event_id == 'e3'")
    heights = [
        bar.get_height()
        for bar in ax.patches
        if hasattr(bar, "get_height") and bar.get_width() < 0.7
    ]
    np.testing.assert_allclose(heights, own["ar"])
    line = next(line for line in ax.lines if len(line.get_xdata()) == 11)
    np.testing.assert_allclose(line.get_ydata(), own["ar"].cumsum())
    car = fallen.car([MAIN]).query("event_id == 'e3'")["car"].iloc[0]
    assert wording.percent(car) in ax.get_title(loc="left")


def test_price_is_the_compounded_return_against_the_compounded_expectation(
    fallen: EventStudyResults,
) -> None:
    axes = fallen.plot_price("e3", (0, 1))
    own = fallen.abnormal_returns().query("event_id == 'e3'").set_index("tau")
    expected, actual = (line for line in axes.lines if len(line.get_xdata()) == 21)
    days, close = actual.get_xdata(), actual.get_ydata()
    assert days.tolist() == list(range(-15, 6))
    np.testing.assert_allclose(close[days >= 0], 100 * np.cumprod(1 + own["ret"].loc[0:]))
    model = expected.get_ydata()
    assert np.isnan(model[days < -1]).all()
    np.testing.assert_allclose(model[days >= 0], 100 * np.cumprod(1 + own["expected"].loc[0:]))
    band = axes.collections[0].get_paths()[0].vertices
    half = stats.t.ppf(0.975, fallen.abnormal.df_resid[3]) * np.sqrt(
        fallen.abnormal.var_car(MAIN)[3]
    )
    at_one = np.unique(band[band[:, 0] == 1][:, 1])
    np.testing.assert_allclose(at_one, model[days == 1] * np.array([1 - half, 1 + half]))


def test_estimation_is_drawn_against_the_benchmark(fallen: EventStudyResults) -> None:
    axes = fallen.plot_estimation("e3")
    cloud = axes.lines[0]
    assert len(cloud.get_xdata()) == fallen.abnormal.nobs[3]
    slope, intercept = np.polyfit(cloud.get_xdata(), cloud.get_ydata(), 1)
    line = next(
        line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2
    )
    (x0, x1), (y0, y1) = line.get_xdata(), line.get_ydata()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(slope)
    assert y0 - slope * x0 == pytest.approx(intercept)
    assert axes.get_xlabel() == "return of MKT"


@pytest.mark.parametrize(
    ("model", "axis"), [("constant_mean", "event day"), ("ff3", "expected by the model")]
)
def test_estimation_of_other_models(model: str, axis: str) -> None:
    results = Market(3, dates=3).fit(model=model)
    assert results.plot_estimation("e0").get_xlabel() == axis


def test_heatmap_has_events_by_car_and_leaves_missing_days_blank(holed: EventStudyResults) -> None:
    axes = holed.plot_ar_heatmap(MAIN)
    (image,) = axes.images
    shown = image.get_array()
    order = np.argsort(holed.abnormal.car(MAIN))
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), ~np.isfinite(holed.abnormal.ar[order]))
    np.testing.assert_allclose(
        shown.compressed(), holed.abnormal.ar[order][np.isfinite(holed.abnormal.ar[order])]
    )
    assert [t.get_text() for t in axes.get_yticklabels()] == holed.events["event_id"].iloc[
        order
    ].tolist()


def test_figures_of_unknown_and_dropped_events_say_why() -> None:
    market = Market(4, dates=4)
    results = market.fit(market.frame.drop(columns="F03"))
    with pytest.raises(ConfigError, match="no such event"):
        results.plot_event("e9")
    for draw in (results.plot_event, results.plot_price, results.plot_estimation):
        with pytest.raises(ConfigError, match="the event was dropped: no price data"):
            draw("e3")
