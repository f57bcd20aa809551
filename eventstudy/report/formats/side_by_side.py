"""Regressions of CARs side by side: as text, for a paper, as a page, and as a figure."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ...analysis import CarRegression
from ..figures.strip import draw_coefficients
from ..figures.svg_canvas import pair
from ..sentences.answer import write_days
from ..tables.regressions import RegressionTable, tabulate
from ..tables.table import join_remark
from .latex import regression_file
from .templating import environment, style
from .terminal import align, plain, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Letters of the names of coefficients in one line.
NAME_WIDTH = 32
# Letters of a label that tell regressions of a run apart.
KEY_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Regressions:
    """Regressions of CARs side by side.

    Attributes
    ----------
    fits : mapping of str to CarRegression
        By their heads.
    """

    fits: Mapping[str, CarRegression]

    @property
    def table(self) -> RegressionTable:
        """All of them as one table; those whose head is their formula are numbered."""
        return _table_of(self.fits)

    def text(self) -> str:
        """Return what they say, with a table of each."""
        return "\n\n".join(_text_of(head, fit) for head, fit in self.fits.items())

    def latex(self, name: str = "study") -> str:
        """Return them as a table of LaTeX.

        Parameters
        ----------
        name : str
            Of the run.
        """
        return regression_file(self.table, name, self._key())

    def _key(self) -> str:
        """Return what the label of a table has: the same after new prices, another by all else."""
        asked = []
        for fit in self.fits.values():
            terms = [str(term) for term in fit.table["term"]]
            asked.append([*terms, str(fit.window), fit.weights, fit.compared])
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:KEY_LENGTH]

    def html(self) -> str:
        """Return them as a part of a page."""
        css = Markup(style("regression.css")["css"])  # noqa: S704
        return self._page(page=None, css=css, style_hash="", picture="")

    def page(self, title: str) -> str:
        """Return them as a page by itself.

        Parameters
        ----------
        title : str
        """
        picture = pair(lambda width: draw_coefficients(self.table, width=width))
        styles = style("answer.css", "regression.css")
        return self._page(page={"title": title, "about": ""}, picture=picture, **styles)

    def _page(self, **context: Any) -> str:
        template = environment().get_template("regression.html.j2")
        return template.render(table=self.table, **context)

    def plot(self, ax: Axes | None = None, **look: Any) -> Axes:
        """Draw the coefficients with their 95% intervals, as `plot_coefficients` does.

        Parameters
        ----------
        ax : Axes, optional
        **look : str or color
        """
        from ..figures.robustness_plots import plot_coefficients

        return plot_coefficients(self.fits, ax, **look)

    def draw(self, path: Path) -> None:
        """Draw the coefficients into a file, by its ending.

        Parameters
        ----------
        path : Path
        """
        from .figure_files import save_figure

        save_figure(self.plot(), path)


def _table_of(fits: Mapping[str, CarRegression]) -> RegressionTable:
    tables = {head: fit.with_facts() for head, fit in fits.items()}
    window = next(iter(fits.values())).window
    notes = [fit.notes for fit in fits.values()]
    return tabulate(tables, notes, window, write_days(window))


def _text_of(head: str, fit: CarRegression) -> str:
    """Return what one regression says, its table and its notes."""
    table = _table_of({"": fit})
    sentences = f"{table.headline}. {table.caveat} {table.evidence}"
    rows = [[join_remark(row.label, row.remark, "; "), *row.texts] for row in table.rows]
    foot = [f"{label}: {'p = ' * (place > 0)}{texts[0]}" for label, _, texts, place in table.foot]
    name = wrapped(f"{head}:") if head else ""
    lines = [name, wrapped(sentences), "", *_aligned(["", *table.columns], rows), ""]
    notes = list(map(wrapped, table.notes))
    return "\n".join([*lines, wrapped("; ".join(foot) + "."), *notes]).strip()


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose first cells go on below where they are long."""
    wrapped = [textwrap.wrap(plain(row[0]), NAME_WIDTH) for row in rows]
    lines: list[list[str]] = []
    for names, row in zip(wrapped, rows, strict=True):
        lines.append([names[0], *row[1:]])
        lines += [[f"  {name}", *[""] * (len(row) - 1)] for name in names[1:]]
    yield align(head, lines)
