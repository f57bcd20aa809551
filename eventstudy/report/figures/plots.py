"""Figures of a study with matplotlib: methods of the results, which follow rcParams."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from functools import cache, wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, cast

import numpy as np

from ...analysis import Answer, ImpliedPath, Interval
from ...calendars import Window
from ...errors import ConfigError
from ...findings import Event, find_group
from ...fitting import FittedStudy, WindowLike
from ...words import capitalised, clipped, say, speaking_of, words
from .answer_figures import BAND, WINDOW, draw_levels, name_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MARKERS = "os^"
FOREST_ROWS = 60
MEAN_ROW = -1.5
# Pixels of an inch in a notebook, each drawn as four.
SCREEN = 72

F = TypeVar("F", bound=Callable[..., Any])


class Look(TypedDict, total=False):
    """What a reader can set of a plot: its title ("" for none), colour, and name in a legend."""

    title: str
    color: Any
    label: str


def in_its_words(function: F) -> F:
    """Let a function of results write in the words of their measure."""

    @wraps(function)
    def speaking(results: Any, /, *args: Any, **kwargs: Any) -> Any:
        with speaking_of(results.panel.measure):
            return function(results, *args, **kwargs)

    return cast("F", speaking)


@in_its_words
def plot_path(
    results: FittedStudy, ax: Axes | None = None, *, group: str | None = None, **look: Unpack[Look]
) -> Axes:
    """Draw the shares against what the market implied, the figure of the answer.

    Parameters
    ----------
    results : FittedStudy
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    group : str, optional
        A value of the column that splits the study; "" for all events together. By default the
        group that the report begins with.
    **look : str or color
        `title`, `color` and `label` of the shares.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        If there is no such group, or no event of it has the days of the main window.
    """
    _, study = find_group(results, group)
    path = ImpliedPath.of(study)
    axes = new_axes(ax)
    if path is None:
        raise ConfigError("no event has all days of the main window", value=str(study.main))
    draw_levels(axes, path, color=look.get("color", "C0"), label=look.get("label"))
    axes.set_ylabel(say("plot.level", base=path.base))
    axes.legend(loc="best")
    facts = {"n": len(study), "line": capitalised(name_lines(path)["line"])}
    facts["implied"] = say(f"answer.implied_{path.by}", n=len(study))
    return titled(name_days(axes), "plot.path", look, **facts)


@in_its_words
def plot_caar(
    results: FittedStudy, window: WindowLike | None = None, by: str | None = None,
    ax: Axes | None = None, **look: Unpack[Look],
) -> Axes:  # fmt: skip
    """Draw the CAAR since the day before the main window, with its pointwise 95% band.

    Before that day it is minus the CAAR of the days up to there.

    Parameters
    ----------
    results : FittedStudy
    window : window, optional
        Shaded; by default the main window.
    by : str, optional
        Column of the events: one path for each of the first three groups, with a legend.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    **look : str or color
        `title`, `color` and `label` of the path.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        If the events have no column `by`.
    """
    groups = results.groups(by) if by is not None else {}
    paths = {
        name: ImpliedPath.caar_around(group).beside_others()
        for name, group in list(groups.items())[: len(MARKERS)]
    }
    n_more = len(groups) - len(paths)
    paths = paths or {look.get("label", say("plot.caar_label")): ImpliedPath.caar_around(results)}
    axes = shaded_axes(ax, window_of(results, window))
    colors = look.get("color", "C0"), "C1", "C2"
    for color, marker, (name, path) in zip(colors, MARKERS, paths.items(), strict=False):
        low = path.caar - path.caar_half
        high = path.caar + path.caar_half
        axes.fill_between(path.days, low, high, color=color, linewidth=0, zorder=1, alpha=0.2)
        axes.plot(path.days, path.caar, color=color, linewidth=2, marker=marker, markersize=5,
                  label=clipped(name, 40), zorder=3)  # fmt: skip
    label_returns(axes.yaxis, _name_sums("plot.cumulated", results))
    band = "_band" * any(path.has_band for path in paths.values())
    code = f"plot.{'car' if len(results) == 1 else 'caar'}{band}"
    if by is not None:
        axes.legend(loc="best")
        code = f"plot.caar_by{band}{'_more' * (n_more > 0)}"
    facts = {"n": len(results), "by": clipped(by or "", 40), "more": n_more}
    facts["together"] = say_together(results)
    return titled(name_days(axes), code, look, **facts)


@in_its_words
def plot_car_forest(
    results: FittedStudy, window: WindowLike | None = None, ax: Axes | None = None,
    **look: Unpack[Look],
) -> Axes:  # fmt: skip
    """Draw the CAR over `window` of each event with its 95% interval, and the effect as a diamond.

    What has p below 0.05 is filled, the effect by the main test. Of more than 60 events the ends of
    the order are drawn.

    Parameters
    ----------
    results : FittedStudy
    window : window, optional
        By default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    **look : str or color
        `title`, `color` and `label` of the events.

    Returns
    -------
    Axes
    """
    window = window_of(results, window)
    answer = Answer.of(results, window)
    abnormal = results.abnormal
    car = abnormal.car(window)
    half = abnormal.car_half_widths(window, abnormal.recent_variance(window))
    names = name_events(results)
    ends = FOREST_ROWS // 2
    rows = sorted(np.flatnonzero(np.isfinite(car)).tolist(), key=lambda i: (car[i], names[i]))
    n_hidden = max(0, len(rows) - FOREST_ROWS)
    rows = [*rows[:ends], *rows[-ends:]] if n_hidden else rows
    axes = new_axes(ax, 1.5 + 0.28 * len(rows))
    color = look.get("color", "C0")
    for y, i in enumerate(rows):
        is_clear = bool(abs(car[i]) > half[i])
        label = look.get("label", say("plot.events")) * (y == 0)
        draw_point(axes, y, car[i], half[i], color, "o", is_filled=is_clear, label=label)
    reach = answer.effect.ci_high - answer.effect.estimate
    is_clear = answer.verdict == Answer.DIFFERENT
    draw_point(axes, MEAN_ROW, answer.effect.estimate, reach, ink(axes), "D",
               is_filled=is_clear, label=say("plot.effect"))  # fmt: skip
    named: dict[float, str] = {MEAN_ROW: say("plot.effect")}
    named |= {y: names[i] for y, i in enumerate(rows)}
    name_rows(axes, named, say("plot.car_axis", axis=words().axis, window=window))
    code = "plot.forest_more" if n_hidden else "plot.forest"
    together = say_together(results)
    return titled(axes, code, look, window=window, more=n_hidden, together=together)


def say_together(results: FittedStudy) -> str:
    """Return what a title says of results of all groups together; "" for others."""
    return say("plot.together") if results.is_pooled else ""


def draw_point(
    axes: Axes, y: float, x: float, half: float, color: Any, marker: str, *, is_filled: bool,
    label: str = "",
) -> None:  # fmt: skip
    """Draw a point on a row, with its interval; one that is not filled has the background.

    Parameters
    ----------
    axes : Axes
    y, x, half : float
        Row, value, and half the width of the interval.
    color : color
    marker : str
    is_filled : bool
    label : str
        Name in a legend.
    """
    axes.hlines(y, x - half, x + half, color=color, linewidth=1.8, zorder=2)
    axes.plot([x], [y], marker=marker, markersize=7, color=color, linestyle="none", zorder=3,
              markerfacecolor=color if is_filled else axes.get_facecolor(),
              markeredgewidth=1.6, label=label)  # fmt: skip


def name_rows(axes: Axes, names: Mapping[Any, str], label: str) -> None:
    """Name rows from the top down, in letters that fit, and mark the effect of zero.

    Parameters
    ----------
    axes : Axes
    names : mapping of float to str
        By row, ascending.
    label : str
        Of the returns.
    """
    figure: Any = axes.figure
    room = 60 * figure.get_figheight() * axes.get_position().height / max(1, len(names))
    size = min(axes.xaxis.label.get_fontsize(), room)
    rows = list(names)
    axes.set_yticks(rows, list(names.values()), parse_math=False, fontsize=size)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(rows[-1] + 0.7, rows[0] - 0.8)
    axes.axvline(0, color=ink(axes), linewidth=1, zorder=1.5)
    label_returns(axes.xaxis, label)


def name_events(results: FittedStudy) -> list[str]:
    """Return the company and the date of each event."""
    days = results.events["day0"].map(words().date)
    firms = (clipped(Event.firm_of(row), 32) for _, row in results.events.iterrows())
    return [f"{firm}, {date}" if date else firm for firm, date in zip(firms, days, strict=True)]


@in_its_words
def plot_event(
    results: FittedStudy, event_id: str, window: WindowLike | None = None, ax: Axes | None = None,
    **look: Unpack[Look],
) -> Axes:  # fmt: skip
    """Draw AR as bars, and the CAR since the day before the main window with its 95% range.

    The range is that of the CAR without an event. Before that day the CAR is minus that of the days
    up to there.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : window, optional
        Shaded; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    **look : str or color
        `title`, `color` and `label` of the CAR.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        For an unknown or dropped event.
    """
    row = results.row_of(event_id)
    main = window_of(results, window)
    axes = shaded_axes(ax, main)
    color = look.get("color", "C0")
    days = results.abnormal.event.days
    gap, se = (values[row] for values in ImpliedPath.gaps_of_events(results))
    half = Interval.quantile(float(results.abnormal.df_resid[row])) * se
    axes.fill_between(days, -half, half, color=ink(axes), alpha=BAND, linewidth=0, zorder=0.8,
                      label=say("plot.range"))  # fmt: skip
    axes.bar(days, results.abnormal.ar[row], width=0.66, color=color, alpha=0.35, zorder=2,
             label="AR")  # fmt: skip
    axes.plot(days, gap, color=color, linewidth=2, marker="o", markersize=5, zorder=3,
              label=look.get("label", "CAR"))  # fmt: skip
    label_returns(axes.yaxis, _name_sums("plot.abnormal", results))
    car = float(results.abnormal.car(main)[row])
    facts = {"event": name_events(results)[row], "window": main, "car": car}
    return titled(name_days(axes), "plot.event", look, **facts)


def _name_sums(code: str, results: FittedStudy) -> str:
    """Return the name of an axis of sums since the day before the main window."""
    return say(code, axis=words().axis, base=results.main.start - 1)


def window_of(results: FittedStudy, window: WindowLike | None) -> Window:
    """Return a window, by default the main one.

    Parameters
    ----------
    results : FittedStudy
    window : window, optional
    """
    return results.main if window is None else Window.of(window)


def new_axes(ax: Axes | None, height: float = 0.0) -> Axes:
    """Return axes, by default those of a new figure.

    Parameters
    ----------
    ax : Axes, optional
    height : float
        Inches of a new figure; 0 = as rcParams have it.
    """
    if ax is not None:
        return ax
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    width, usual = rcParams["figure.figsize"]
    figure = Figure((width, height or usual), layout="constrained")
    return figure.subplots(subplot_kw={"axes_class": shown_axes()})


@cache
def shown_axes() -> type[Axes]:
    """Return axes that a notebook shows: figures made without pyplot have no display of their own.

    With pyplot every figure would be kept until it is closed, and need a screen on some machines.
    """
    from matplotlib.axes import Axes

    class ShownAxes(Axes):
        """Axes whose figure is the display of a cell that ends with them."""

        def _repr_png_(self) -> tuple[bytes, dict[str, float]]:
            file = BytesIO()
            figure = cast("Figure", self.figure)
            figure.savefig(file, format="png", dpi=2 * SCREEN)
            width, height = SCREEN * figure.get_size_inches()
            return file.getvalue(), {"width": float(width), "height": float(height)}

    return ShownAxes


def ink(axes: Axes) -> Any:
    """Return the colour of the texts of axes."""
    return axes.title.get_color()


def shaded_axes(ax: Axes | None, window: Window) -> Axes:
    """Return axes with the window shaded, and day 0 and the level 0 marked.

    Parameters
    ----------
    ax : Axes, optional
    window : Window
    """
    axes = new_axes(ax)
    ends = (window.start - 0.5, window.stop + 0.5)
    axes.axvspan(*ends, color=ink(axes), alpha=WINDOW, linewidth=0, zorder=0)
    axes.axvline(0, color=ink(axes), linewidth=1, linestyle=(0, (3, 3)), zorder=2.5)
    axes.axhline(0, color=ink(axes), linewidth=1, zorder=1.5)
    return axes


def label_returns(axis: Axis, label: str) -> None:
    """Label an axis of returns, whose ticks are in percent, or in log points of other measures.

    Parameters
    ----------
    axis : Axis
    label : str
    """
    scale = words().scale
    unit = "%" if words().unit == "%" else ""

    def write(tick: float, _: object) -> str:
        text = f"{scale * tick:+.6g}" if tick else "0"
        return text.replace("-", "\N{MINUS SIGN}") + unit

    axis.set_major_formatter(write)
    axis.set_label_text(label, parse_math=False)


def name_days(axes: Axes) -> Axes:
    """Name the axis of event days, whose ticks are whole days."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel(say("plot.days"))
    return axes


def titled(axes: Axes, code: str, look: Look | None = None, **facts: Any) -> Axes:
    """Set the title, with what is cumulated unless these are returns.

    Parameters
    ----------
    axes : Axes
    code : str
        Of the sentence in the catalogue.
    look : Look, optional
        Has another title, perhaps.
    **facts
        What the sentence says.
    """
    subject = say("plot.of", subject=words().what, axis=words().axis) if words().what else ""
    title = (look or {}).get("title", say(code, of=subject, **facts))
    axes.set_title(textwrap.fill(title, 60), parse_math=False)
    return axes
