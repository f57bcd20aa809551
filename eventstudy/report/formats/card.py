"""The card to forward: headline, path, interval, caveat, source, as one picture (SVG and PNG)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.implied_path import ImpliedPath
from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import clipped
from ...utility.units import speaking_of
from ..figures.answer_figures import last_of
from ..figures.path_plot import draw_levels
from ..figures.plots import METADATA
from ..sections.answer import answer
from ..sections.caveats import write_caveat_of
from ..sections.methods import source_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT, EDGE, DPI = 1200, 675, 48, 100
# Left, right of the chart, with room for its ticks and for the names at its ends.
LEFT, RIGHT = 112, 950
PAPER, INK, MUTED, GRID, SHADE, BAND, BLUE = (
    "#fcfbf8", "#1a1e22", "#565c63", "#e4dfd4", "#f0e7d2", "#e4e2dc", "#0b5394",
)  # fmt: skip
# Those that are installed; glyphs that the first lacks come from the next.
CJK = ("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "DejaVu Sans")
SERIF = ("Charter", "Georgia", "Times New Roman", "Liberation Serif", "DejaVu Serif", *CJK)
SANS = ("Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", *CJK)
# Sizes of the headline and of the lines below it, in pixels, from the largest; the lines and the
# pixels that they may take.
HEADS, LINES = (48, 40, 32), (21, 19, 17, 15, 13)
MOST_HEADS, MOST_BELOW, LEADING = 104, 170, 1.34
# Points of a pixel, the least height of a chart, and the height of the name of a line.
POINT, LOWEST, NAME = 72 / DPI, 120, 46


def card(findings: Findings) -> dict[str, bytes]:
    """Return ``card.svg`` and ``card.png`` of 1200 x 675 pixels; light, whatever the style.

    The caveat is never left out: letters shrink until all of it fits.
    """
    import matplotlib as mpl

    style: Any = {
        "svg.fonttype": "none", "svg.hashsalt": "eventstudy", "font.family": _installed(SANS),
        "text.color": INK, "text.parse_math": False, "xtick.color": MUTED, "ytick.color": MUTED,
    }  # fmt: skip
    with mpl.rc_context(), speaking_of(findings.setup.measure), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(style)
        # A reader of SVG has the glyphs of scripts that the fonts of this machine lack.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure, files = _drawn(findings), {}
        for kind in ("svg", "png"):
            file = io.BytesIO()
            figure.savefig(file, format=kind, dpi=DPI, metadata=METADATA[kind])
            files[f"card.{kind}"] = file.getvalue()
    return files


def _installed(families: tuple[str, ...]) -> list[str]:
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return [name for name in families if name in installed]


def _drawn(findings: Findings) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure((WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=PAPER)
    corner, size = (EDGE / WIDTH, 1 - 39 / HEIGHT), (1 - 2 * EDGE / WIDTH, 5 / HEIGHT)
    figure.add_artist(Rectangle(corner, *size, color=INK, linewidth=0))
    (head, _), (sentence, _) = answer(findings).pieces
    _write(figure, 70, [clipped(findings.name, 80)], 20, fontweight="bold")
    serif = {"family": _installed(SERIF), "fontweight": "bold"}
    large, heads = _fitted(figure, [head.strip().removesuffix(".")], HEADS, MOST_HEADS, **serif)
    top = _write(figure, 80 + large, heads, large, **serif)
    caveat = write_caveat_of(findings, findings.sample)
    small, lines = _fitted(figure, [sentence.strip(), caveat], LINES, MOST_BELOW)
    foot = HEIGHT - 57 - LEADING * small * (len(lines) - 1)
    _write(figure, HEIGHT - 23, [source_line(findings)], 17, color=MUTED)
    implied = findings.sample.implied
    if implied is not None:
        _draw_chart(figure, implied, top - 0.7 * large, foot - small)
    _write(figure, top if implied is None else foot, lines, small)
    return figure


def _write(figure: Figure, y: float, lines: list[str], size: float, **style: Any) -> float:
    """Write lines at the left edge, the first with its foot at y; return the foot of the next."""
    for line in lines:
        figure.text(EDGE / WIDTH, 1 - y / HEIGHT, line, fontsize=size * POINT, **style)
        y += (LEADING if size < HEADS[-1] else 1.14) * size
    return y


def _fitted(
    figure: Figure, texts: list[str], sizes: tuple[int, ...], most: float, **style: Any
) -> tuple[int, list[str]]:
    """Return the largest size at which wrapped texts take no more than `most` pixels."""
    for size in sizes:
        lines = [line for text in texts for line in _wrapped(figure, text, size, style)]
        if len(lines) * size <= most:
            break
    return size, lines


def _wrapped(figure: Figure, text: str, size: float, style: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a text; a word that no line can hold stays whole."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip()
        drawn = figure.text(0, 0, longer, fontsize=size * POINT, **style)
        width = drawn.get_window_extent().width
        drawn.remove()
        if line and width > WIDTH - 2 * EDGE:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _draw_chart(figure: Figure, path: ImpliedPath, top: float, foot: float) -> None:
    """Draw the path between two heights, in pixels from the top."""
    height = max(foot - top - 78, LOWEST)
    box = (LEFT / WIDTH, 1 - (top + height) / HEIGHT, (RIGHT - LEFT) / WIDTH, height / HEIGHT)
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=19 * POINT)
    axes.grid(visible=True, axis="y", color=GRID, zorder=0.5)
    caption = say("card.axis", base=path.base)
    axes.set_xlabel(caption, loc="left", color=MUTED, fontsize=17 * POINT, labelpad=5)
    colors = {"color": BLUE, "band": BAND, "window": SHADE}
    panel = draw_levels(axes, path, size=29 * POINT, **colors)
    ends = {
        name: last_of(levels)
        for name, levels in (("implied", path.implied), ("shares", path.shares))
    }
    if not all(map(np.isfinite, ends.values())):
        return
    middle, half = np.mean(list(ends.values())), NAME * POINT / panel.y.step() / 2
    for name, level in ends.items():
        side = 1 if (level, name) == max((v, n) for n, v in ends.items()) else -1
        y = middle + side * max(half, abs(level - middle))
        is_shares, text = name == "shares", f"{say(f'figure.{name}')}\n{level:.1f}"
        axes.annotate(text, (1, y), (9, 0), ("axes fraction", "data"), "offset points", va="center",
                      fontsize=19 * POINT, linespacing=1.1,
                      color=BLUE if is_shares else MUTED,
                      fontweight="bold" if is_shares else "normal")  # fmt: skip
