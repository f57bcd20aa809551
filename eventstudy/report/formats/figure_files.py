"""The folder ``figures/``: figures of the answer as SVG, PDF and PNG, in a style of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

from ...analysis.implied_path import implied_path_of
from ...errors import ConfigError
from ...findings.types import Findings
from ...utility.units import speaking_of
from ..figures.plots import Look, plot_caar, plot_car_forest, plot_path
from ..sections.answer import split_answer
from ..sections.methods import source_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...fitting.fitted import FittedStudy

INK, MUTED, GRID, BLUE, ORANGE = "#1a1e22", "#565c63", "#e4dfd4", "#0b5394", "#a63e00"
# Texts stay texts, and equal figures have equal bytes.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "eventstudy", "path.simplify": False,
    "figure.figsize": (10, 5.2), "font.size": 11, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": GRID, "axes.titlelocation": "left", "axes.titleweight": "bold",
    "text.color": INK, "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED,
    "legend.frameon": False, "savefig.dpi": 144, "text.parse_math": False,
    **dict.fromkeys((f"axes.spines.{side}" for side in ("top", "right", "left", "bottom")), False),
}  # fmt: skip
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None},
}


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


def write_figures(results: FittedStudy, folder: Path, findings: Findings) -> None:
    """Write the figures of the answer with its headline; none if it is about no event.

    Parameters
    ----------
    results : FittedStudy
        Equal results give equal bytes.
    folder : Path
        One that is there.
    findings : Findings
        Of the same study: its answer, main window and sources.
    """
    from cycler import cycler
    from matplotlib.style import context

    column, group, main = findings.setup.group_column, findings.sample.group, findings.setup.main
    study = results.groups(column)[group] if group else results
    if len(study) == 0:
        return
    style = STYLE | {"axes.prop_cycle": cycler(color=(BLUE, ORANGE, INK))}
    with context(["default", style]), speaking_of(findings.setup.measure), catch_warnings():
        # A reader of SVG or PDF has the glyphs of scripts that the font of matplotlib lacks.
        filterwarnings("ignore", message="Glyph .* missing from font")
        look = Look(title=split_answer(findings)[0].removesuffix("."))
        drawn = {
            "caar": plot_caar(study, main, **look),
            "car": plot_car_forest(study, main, **look),
        }
        if study.main == main and implied_path_of(study) is not None:
            drawn["path"] = plot_path(study, **look)
        for name, axes in drawn.items():
            figure: Any = axes.figure
            figure.supxlabel(source_line(findings), x=0.01, ha="left", fontsize=9, color=MUTED)
            for kind, metadata in METADATA.items():
                figure.savefig(folder / f"{name}.{kind}", metadata=metadata)
