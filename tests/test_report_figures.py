"""Figures: their numbers, their bytes, and that a strict page may hold them."""

from __future__ import annotations

import re
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from conftest import Market
from pages import MAIN, page, with_columns
from scipy import stats

from eventstudy.errors import ConfigError
from eventstudy.report.figures import event_figures as labels
from eventstudy.report.figures import plots
from eventstudy.report.figures import svg_canvas as canvas
from eventstudy.report.figures.car_axis import CarAxis
from eventstudy.studies import EventStudyResults
from eventstudy.utility import numbers


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


def drawn(figure: str) -> ET.Element:
    return ET.fromstring(figure)


def tips(figure: str) -> list[str]:
    """Return what a figure shows to those who point at it."""
    return [title.text or "" for title in drawn(figure).iterfind("rect/title")]


def places(figure: str, kind: str) -> list[tuple[float, float]]:
    """Return the points of the paths of a class, in pixels."""
    paths = drawn(figure).iterfind(f"path[@class='{kind}']")
    pairs = (re.findall(r"[ML]?(-?[\d.]+) (-?[\d.]+)", path.get("d", "")) for path in paths)
    return [(float(x), float(y)) for pair in pairs for x, y in pair]


@pytest.fixture(scope="module")
def holed() -> EventStudyResults:
    """Twelve events, of which one lacks its last day and two all days from day +2 on."""
    market = Market(12, seed=5)
    frame = market.frame.copy()
    days = [frame.index.get_loc(day) for day in market.table["day0"]]
    for i, (first, stop) in enumerate([(5, 6), (2, 6), (2, 6)]):
        frame.iloc[days[i] + first : days[i] + stop, i] = np.nan
    return market.fit(frame)


def one_event(*missing: int) -> EventStudyResults:
    """Return one event whose prices lack some event days."""
    market = Market(1, dates=1)
    frame = market.frame.copy()
    zero = frame.index.get_loc(market.table["day0"][0])
    frame.iloc[[zero + t for t in missing], 0] = np.nan
    return market.fit(frame)


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
    obstacles = {"marks": points, "lines": [level], "cloud": (np.empty(0), np.empty(0))}
    found = [
        label.box
        for label in labels.place_labels(["day 0", "day +1", "day +2"], points, edge, **obstacles)
    ]
    assert not any(a.meets(b) for i, a in enumerate(found) for b in found[:i])
    assert not any(box.top < 150 < box.foot for box in found)
    assert all(box.start >= 0 and box.stop <= 500 for box in found)
    assert labels.group_points([(10, 10), (200, 10), (14, 12)]) == [[0, 2], [1]]


def test_ids_differ_between_figures_of_a_page(split: EventStudyResults) -> None:
    ids = re.findall(r' id="([^"]+)"', page(split, "direction"))
    assert len(ids) == len(set(ids))


def test_the_axis_of_cars_holds_all_of_them_and_cuts_long_intervals() -> None:
    cars = [SimpleNamespace(car=0.01 * k, half=0.02 + (k == 3)) for k in range(20)]
    axis = CarAxis.of(cars)
    assert axis.bound >= 0.19
    cut = drawn(axis.mark(0.03, -0.99, 1.05))
    assert len(cut.findall(".//*[@class='sb cut']")) == 2
    (zero,) = (place for place, label in axis.ticks if label == "0")
    assert zero == "50.00%"
    assert ' full"' in axis.mark(0.01, 0.0, 0.02, is_filled=True)
    assert axis.mark(np.nan, np.nan, np.nan) == ""
    assert CarAxis.of([SimpleNamespace(car=np.nan, half=np.nan)]).ticks == ()


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
        axes, answer = results.plot_car_forest(MAIN), results.answer(MAIN)
        (mark,) = (line for line in axes.lines if line.get_marker() == "D")
        is_filled = mark.get_markerfacecolor() == mark.get_color()
        assert is_filled == (answer.verdict == "different")
        assert mark.get_xdata()[0] == answer.effect.estimate
        ends = axes.collections[-1].get_segments()[0][:, 0]
        np.testing.assert_allclose(ends, [answer.effect.ci_low, answer.effect.ci_high])


def test_a_long_forest_says_how_many_events_it_leaves_out() -> None:
    axes = Market(70, dates=30).fit().plot_car_forest(MAIN)
    assert len(axes.get_yticks()) == 61
    assert "10 events" in axes.get_title(loc="left")


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
    assert numbers.percent(car) in ax.get_title(loc="left")


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
