"""The coefficients of a regression on one axis, by the errors that decide and by others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from ...words import say, words
from .strip import LINE, Layout, MarkRow, draw_rows
from .svg_canvas import WIDE, text_width

if TYPE_CHECKING:
    from ..tables.regressions import RegressionTable


def draw_coefficients(table: RegressionTable, *, width: int) -> Markup:
    """Return the slopes of the last regression, or its constant alone, by both kinds of errors.

    Parameters
    ----------
    table : RegressionTable
    width : int
        WIDE or NARROW.
    """
    rows = list(_rows(table))
    pixels, widest, kind = (560, 230.0, "wide") if width == WIDE else (358, 190.0, "narrow")
    longest = max((text_width(row.name) for row in rows), default=0.0)
    layout = Layout(pixels, min(longest + 18, widest), pixels - 56.0, LINE, kind)
    desc = say("regression.picture_about")
    return draw_rows(rows, layout, title=table.headline, desc=desc, head="p", cut=np.inf)


def _rows(table: RegressionTable) -> Iterator[MarkRow]:
    slopes = [row for row in table.rows if not row.is_constant]
    for row in slopes or table.rows:
        cell = row.cells[-1]
        if cell:
            p, kind = words().pvalue(cell.pvalue), row.label
            yield MarkRow(row.label, cell.effect, p, cell.is_clear, kind=kind)
            compared = cell.compared_effect, cell.compared
            yield MarkRow(table.compared, *compared, is_clear=False, kind=kind, is_muted=True)
