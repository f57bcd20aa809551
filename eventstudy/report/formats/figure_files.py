"""Pictures with matplotlib: the folder ``figures/`` (SVG, PDF, PNG), and the card to forward."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

import numpy as np

from ...analysis import ImpliedPath
from ...errors import ConfigError
from ...findings import Findings
from ...fitting import FittedStudy
from ...words import clipped, say, speaking_of
from ..figures.answer_figures import draw_levels, near_days
from ..figures.plots import Look, plot_caar, plot_car_forest, plot_path
from ..figures.svg_canvas import day_ticks
from ..page.first_screen import first_screen, title_of
from ..sentences.answer import say_spread, split_answer
from ..sentences.caveats import list_caveats
from ..tables.methods import source_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, BLUE = "#1a1e22", "#565c63", "#0b5394"
STYLE = str(Path(__file__).parents[2] / "data" / "figures.mplstyle")
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None},
}
WIDTH, HEIGHT, EDGE, DPI = 1200, 675, 48, 100
# Points of a pixel; left and right of the chart, and its least height; height of a line's name.
POINT, LEFT, RIGHT, LOWEST, NAME = 72 / DPI, 112, 950, 120, 46
PAPER, COLORS = "#fcfbf8", {"color": BLUE, "window": "#f0e7d2", "band": "#e4e2dc"}
# Those that are installed; glyphs that the first lacks come from the next.
CJK = ("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "DejaVu Sans")
SERIF = ("Charter", "Georgia", "Times New Roman", "Liberation Serif", "DejaVu Serif", *CJK)
SANS = ("Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", *CJK)
# Sizes of the headline, the caveat and the lines below the chart, and the height they may take.
HEADS, LINES, MOST_HEADS, MOST_LINES, LEADING = (48, 40, 32), (21, 19, 17, 15, 13), 104, 170, 1.34
CAVEATS, MOST_CAVEAT = (25, 23, 21, 19, 17, 15, 13), 52


@contextmanager
def _styled(findings: Findings, **more: Any) -> Iterator[None]:
    """Draw with the style of these pictures and in the words of a study's measure."""
    from matplotlib.style import context

    with context(["default", STYLE, more]), speaking_of(findings.setup.measure), catch_warnings():
        # A reader of SVG or PDF has the glyphs of scripts that the fonts of this machine lack.
        filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def save_figure(axes: Axes, path: Path) -> None:
    """Write the figure of axes as SVG, PNG or PDF, by the ending of the file.

    Parameters
    ----------
    axes : Axes
    path : Path

    Raises
    ------
    ConfigError
        For another ending.
    """
    if (kind := path.suffix.lower().lstrip(".")) not in METADATA:
        raise ConfigError("no ending of a figure", value=path.name, remedy="use svg, png or pdf")
    figure: Any = axes.figure
    figure.savefig(path, metadata=METADATA[kind])


def write_figures(
    results: FittedStudy, folder: Path, findings: Findings, *, is_plain: bool = False
) -> None:
    """Write the figures of the answer with its headline; none if it is about no event.

    Parameters
    ----------
    results : FittedStudy
        Equal results give equal bytes.
    folder : Path
        One that is there.
    findings : Findings
        Of the same study: its answer, main window and sources.
    is_plain : bool
        Leave out titles and sources, for a paper that has its own captions.
    """
    column, group, main = findings.setup.group_column, findings.sample.group, findings.setup.main
    study = results.groups(column)[group] if group else results
    if len(study) == 0:
        return
    with _styled(findings):
        look = Look(title="" if is_plain else split_answer(findings)[0].removesuffix("."))
        # A plain average, which may differ from the effect of the headline, has its own title.
        drawn = {"caar": plot_caar(study, main, **(look if is_plain else Look()))}
        drawn["car"] = plot_car_forest(study, main, **look)
        if study.main == main and ImpliedPath.of(study) is not None:
            drawn["path"] = plot_path(study, **look)
        for name, axes in drawn.items():
            figure: Any = axes.figure
            if not is_plain:
                source = source_line(findings)
                figure.supxlabel(source, x=0.01, ha="left", fontsize=9, color=MUTED)
            for kind, metadata in METADATA.items():
                figure.savefig(folder / f"{name}.{kind}", metadata=metadata)


def card(findings: Findings) -> dict[str, bytes]:
    """Return ``card.svg`` and ``card.png`` of 1200 x 675 pixels; light, whatever the style.

    The caveat is never left out: letters shrink until all of it fits.
    """
    with _styled(findings, **{"font.family": _installed(SANS), "axes.grid": False}):
        figure = _drawn(findings)
        return {f"card.{kind}": _save(figure, kind) for kind in ("svg", "png")}


def chart(findings: Findings) -> bytes | None:
    """Return the chart of the card alone (PNG), or None if there is no path to draw."""
    implied = findings.sample.implied
    if implied is None:
        return None
    with _styled(findings, **{"font.family": _installed(SANS), "axes.grid": False}):
        figure = _blank()
        _draw_chart(figure, near_days(implied), EDGE, HEIGHT - EDGE)
        return _save(figure, "png")


def _save(figure: Figure, kind: str) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=DPI, metadata=METADATA[kind])
    return file.getvalue()


def _blank() -> Figure:
    from matplotlib.figure import Figure

    return Figure((WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=PAPER)


def _installed(families: tuple[str, ...]) -> list[str]:
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return [name for name in families if name in installed]


def _drawn(findings: Findings) -> Figure:
    from matplotlib.patches import Rectangle

    figure = _blank()
    corner, implied = (EDGE / WIDTH, 1 - 39 / HEIGHT), findings.sample.implied
    figure.add_artist(Rectangle(corner, 1 - 2 * EDGE / WIDTH, 5 / HEIGHT, color=INK, linewidth=0))
    head, sentence = split_answer(findings)
    serif: Any = {"family": _installed(SERIF), "fontweight": "bold"}
    _write(figure, 70, [clipped(title_of(findings), 80)], 20, fontweight="bold")
    large, heads = _fitted(figure, [head.removesuffix(".")], HEADS, MOST_HEADS, **serif)
    top = _write(figure, 80 + large, heads, large, **serif)
    caveat, *more = list_caveats(findings) or [""]
    more += say_spread(findings.sample.answer)
    if fragility := first_screen(findings).fragility:
        more.append(f"{fragility}.")
    size, lines = _fitted(figure, [caveat], CAVEATS, MOST_CAVEAT, fontweight="bold")
    top = _write(figure, top - large + 1.3 * size, lines, size, fontweight="bold") + large - size
    small, lines = _fitted(figure, [sentence, " ".join(more)], LINES, MOST_LINES)
    foot = HEIGHT - 57 - LEADING * small * (len(lines) - 1)
    _write(figure, HEIGHT - 23, [source_line(findings)], 17, color=MUTED)
    if implied is not None:
        _draw_chart(figure, near_days(implied), top - 0.7 * large, foot - small)
    _write(figure, top if implied is None else foot, lines, small)
    return figure


def _write(figure: Figure, y: float, lines: list[str], size: float, **style: Any) -> float:
    """Write lines at the left edge, the first with its foot at y; return the foot of the next."""
    for line in lines:
        figure.text(EDGE / WIDTH, 1 - y / HEIGHT, line, fontsize=size * POINT, **style)
        y += (LEADING if size < HEADS[-1] else 1.14) * size
    return y


def _fitted(
    figure: Figure, texts: list[str], sizes: Sequence[int], height: float, **style: Any
) -> tuple[int, list[str]]:
    """Return the largest size at which wrapped texts take no more than `height` pixels."""
    for size in sizes:
        style["fontsize"] = size * POINT
        lines = [line for text in texts for line in _wrapped(figure, text, style)]
        if len(lines) * size <= height:
            break
    return size, lines


def _wrapped(figure: Figure, text: str, style: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a text; a word that no line can hold stays whole."""
    line, drawn = "", figure.text(0, 0, "", **style)
    for word in filter(None, text.split(" ")):
        drawn.set_text(f"{line} {word}".strip())
        if line and drawn.get_window_extent().width > WIDTH - 2 * EDGE:
            yield line
            drawn.set_text(word)
        line = drawn.get_text()
    drawn.remove()
    yield from filter(None, [line])


def _draw_chart(figure: Figure, path: ImpliedPath, top: float, foot: float) -> None:
    """Draw the path between two heights, in pixels from the top."""
    height = max(foot - top - 78, LOWEST)
    box = (LEFT / WIDTH, 1 - (top + height) / HEIGHT, (RIGHT - LEFT) / WIDTH, height / HEIGHT)
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    axes.tick_params(length=0, labelsize=19 * POINT)
    axes.grid(visible=True, axis="y")
    axes.set_xticks(*zip(*day_ticks(path.days, 11), strict=True))
    caption = say("card.axis", base=path.base)
    axes.set_xlabel(caption, loc="left", color=MUTED, fontsize=17 * POINT, labelpad=5)
    panel = draw_levels(axes, path, size=29 * POINT, **COLORS)
    ends = [(f"implied_{path.by}", path.implied[-1], MUTED), ("shares", path.shares[-1], BLUE)]
    ends.sort(key=lambda end: (end[1], end[0]))
    middle = (ends[0][1] + ends[1][1]) / 2
    half = NAME * POINT / panel.y.step() / 2
    for side, (name, level, color) in zip((-1, 1), ends, strict=True):
        y = middle + side * max(half, abs(level - middle))
        text = say(f"figure.{name}")
        if np.isfinite(y):
            axes.annotate(f"{text}\n{level:.1f}", (1, y), (9, 0), ("axes fraction", "data"),
                          "offset points", va="center", fontsize=19 * POINT, color=color,
                          fontweight="bold" if name == "shares" else "normal")  # fmt: skip
