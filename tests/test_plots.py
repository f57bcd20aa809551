"""Figures with matplotlib: their numbers, that they follow a style and stay where they are put."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import Market
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from pages import CONFIG, MAIN, with_columns

from eventstudy.analysis import ImpliedPath
from eventstudy.calendars import Window
from eventstudy.cli.run import run
from eventstudy.errors import ConfigError
from eventstudy.findings.event_series import price_path
from eventstudy.report import write_figures
from eventstudy.report.figures.answer_figures import EDGES
from eventstudy.report.sentences.answer import split_answer
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults
from eventstudy.words import words


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


PLOTS = ("plot_path", "plot_caar", "plot_car_forest")
PLOTS_OF_ONE = ("plot_event",)


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_plots_follow_the_style_and_stay_in_their_axes(
    fallen: EventStudyResults, style: str
) -> None:
    """Nothing has the colour of the background, and no text lies outside the figure."""
    with plt.style.context(style):
        figure = Figure(figsize=(24, 14), layout="constrained")
        cells = figure.subplots(2, 4).ravel()
        for ax, name in zip(cells, (*PLOTS, *PLOTS_OF_ONE), strict=False):
            event = ("e3",) if name in PLOTS_OF_ONE else ()
            look = {"title": "mine", "color": "C4", "label": "curve"}
            assert getattr(fallen, name)(*event, ax=ax, **look) is ax
            assert ax.get_title() == "mine"
            assert ax.get_xlabel()
            labels = ax.get_legend_handles_labels()[1]
            assert "curve" in labels
            assert all(to_rgba(line.get_color()) != ax.get_facecolor() for line in ax.lines)
        figure.canvas.draw()
        for ax in cells[:4]:
            for text in ax.texts:
                box = text.get_window_extent()
                assert ax.bbox.x0 - 2 <= box.x0
                assert box.x1 <= ax.bbox.x1 + 2
        assert figure.axes[0].title.get_color() == plt.rcParams["text.color"]


def test_path_is_that_of_the_answer(fallen: EventStudyResults) -> None:
    axes, path = fallen.plot_path(), ImpliedPath.of(fallen)
    assert path is not None
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_array_equal(drawn["Shares"], path.shares)
    np.testing.assert_array_equal(drawn["Market implied"], path.implied)
    edges = [line.get_ydata() for line in axes.lines if line.get_alpha() == EDGES]
    np.testing.assert_array_equal(edges, [path.implied - path.half, path.implied + path.half])
    number = axes.texts[0].get_text()
    assert number == words().rough(fallen.answer(MAIN).effect.estimate)


def test_plots_return_axes_and_leave_given_ones_in_place(fallen: EventStudyResults) -> None:
    ax = Figure().subplots()
    assert fallen.plot_caar(ax=ax) is ax
    line = next(line for line in ax.lines if len(line.get_xdata()) == 11)
    np.testing.assert_allclose(line.get_ydata(), since_day_before(fallen), atol=1e-15)
    forest = fallen.plot_car_forest(MAIN)
    assert forest.get_yticklabels()[0].get_text() == "Effect"
    assert len(forest.get_yticks()) == 21


def test_a_notebook_shows_what_no_axes_were_given_for(fallen: EventStudyResults) -> None:
    """As IPython asks for it; pyplot has no figure to close."""
    for axes in (fallen.plot_caar(), fallen.answer().plot()):
        png, size = axes._repr_png_()  # type: ignore[attr-defined]
        assert png.startswith(b"\x89PNG")
        assert size["width"] == 72 * axes.figure.get_figwidth()
    assert not plt.get_fignums()


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
    assert "10 events" in axes.get_title()


@pytest.mark.slow
def test_figures_are_files_with_equal_bytes(split: EventStudyResults, tmp_path: Path) -> None:
    results = with_columns(split, company="华为 $x$")
    findings = results.findings(config=CONFIG)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_figures(results, tmp_path / folder, findings)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    figures = ("caar", "car", "path")
    assert names == sorted(f"{n}.{kind}" for n in figures for kind in ("pdf", "png", "svg"))
    assert all(
        (tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names
    )
    text = (tmp_path / "a" / "car.svg").read_text(encoding="utf-8")
    for part in (split_answer(findings)[0].split()[0], "Source: eventstudy", "华为 $x$, "):
        assert part in text


def test_plain_figures_have_no_title_and_no_source(
    split: EventStudyResults, tmp_path: Path
) -> None:
    findings = split.findings(config=CONFIG)
    texts = {}
    for is_plain in (False, True):
        folder = tmp_path / str(is_plain)
        folder.mkdir()
        write_figures(split, folder, findings, is_plain=is_plain)
        texts[is_plain] = {f.name: f.read_text(encoding="utf-8") for f in folder.glob("*.svg")}
    assert set(texts[True]) == {"caar.svg", "car.svg", "path.svg"}
    headline = " ".join(split_answer(findings)[0].split()[:3])
    for name, text in texts[True].items():
        titled = texts[False][name]
        assert "Source: eventstudy" in titled
        assert (headline if name != "caar.svg" else "CAAR of") in titled
        for part in ("Source: eventstudy", headline, "CAAR of"):
            assert part not in text
        assert "in percent" in text or "Trading days" in text, "axes keep their names"


@pytest.mark.parametrize(
    ("words", "style"),
    [
        ([], None),
        (["--figures"], "titled"),
        (["--figures", "plain"], "plain"),
        (["--figures=plain"], "plain"),
        (["--figures", "--offline"], "titled"),
    ],
)
def test_a_style_behind_the_option_is_of_it_and_a_list_is_not(
    words: list[str], style: str | None
) -> None:
    for arguments in ([*words, "events.csv"], ["events.csv", *words]):
        context = run.make_context("run", [*arguments])
        assert context.params["figures"] == style
        assert "events.csv" in str(context.params)


def test_true_is_the_style_of_before(tmp_path: Path) -> None:
    for value, style in ((True, "titled"), (False, ""), ("plain", "plain")):
        assert StudyConfig().with_options({"figures": value}).figures == style
    with pytest.raises(ConfigError, match="titled"):
        StudyConfig().with_options({"figures": "plian"})


def since_day_before(results: EventStudyResults) -> np.ndarray:
    """Return the CAAR since the day before the main window, from the table of abnormal returns."""
    ar = results.abnormal_returns().pivot(index="event_id", columns="tau", values="ar")
    sums = ar.mean().cumsum()
    return (sums - sums[-1]).to_numpy()


def test_caar_by_group_has_a_path_for_each(split: EventStudyResults) -> None:
    axes = split.plot_caar(by="direction")
    paths_drawn = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 11]
    for drawn, part in zip(paths_drawn, split.groups("direction").values(), strict=True):
        np.testing.assert_allclose(drawn, since_day_before(part), atol=1e-15)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["adverse", "relief"]
    with pytest.raises(ConfigError, match="no such column"):
        split.plot_caar(by="sector")


def test_what_is_of_all_groups_together_says_so(split: EventStudyResults) -> None:
    for results, is_said in ((split, True), (split.of_group(), False)):
        titles = (results.plot_caar().get_title(), results.plot_car_forest().get_title())
        assert [", all groups together" in title for title in titles] == [is_said, is_said]
        assert (" together, of all groups" in results.summary(MAIN).note) == is_said


def test_event_is_drawn_with_its_own_numbers(fallen: EventStudyResults) -> None:
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
    sums = own["ar"].cumsum()
    np.testing.assert_allclose(line.get_ydata(), sums - sums[own["tau"] == -1].item(), atol=1e-15)
    assert line.get_ydata()[own["tau"] == MAIN.stop].item() == pytest.approx(
        fallen.car([MAIN]).query("event_id == 'e3'")["car"].item(), abs=1e-15
    )
    car = fallen.car([MAIN]).query("event_id == 'e3'")["car"].iloc[0]
    assert words().percent(car) in ax.get_title()


def test_price_is_the_compounded_return(fallen: EventStudyResults) -> None:
    path = price_path(fallen, 3, Window(0, 1))
    assert path is not None
    own = fallen.abnormal_returns().query("event_id == 'e3'").set_index("tau")
    assert path.days.tolist() == list(range(-15, 6))
    np.testing.assert_allclose(path.close[path.days >= 0], 100 * np.cumprod(1 + own["ret"].loc[0:]))


def test_figures_of_unknown_and_dropped_events_say_why() -> None:
    market = Market(4, dates=4)
    results = market.fit(market.frame.drop(columns="F03"))
    with pytest.raises(ConfigError, match="no such event"):
        results.plot_event("e9")
    with pytest.raises(ConfigError, match="the event was dropped: no price data"):
        results.plot_event("e3")
