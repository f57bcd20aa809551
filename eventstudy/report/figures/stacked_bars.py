"""Bars of counts that are stacked in a row: how many announcements are used, and how many not."""

from __future__ import annotations

from itertools import accumulate

from markupsafe import Markup

from ...words import say
from ..tables.table import Table
from .svg_canvas import WIDE, picture, rect, text, text_width

# Pixels of a row, of a bar in it, above the rows, and between the names of the kinds, also below.
LINE, BAR, HEAD, APART = 24.0, 16.0, 24.0, 18.0
# Styles of the kinds, the first for what is used.
STYLES = ("bar", "lack", "lack more", "lack rest")


def draw_stacks(table: Table, *, width: int, title: str) -> Markup:
    """Return a bar for each row of a table of counts, in pieces by column.

    Parameters
    ----------
    table : Table
        The first column has the names, the others have counts.
    width : int
        WIDE or NARROW.
    title : str
        Name of the picture.
    """
    pixels, kind = (760, "wide") if width == WIDE else (358, "narrow")
    kinds = table.columns[1:]
    counts = [[int(row.values.get(column.key) or 0) for column in kinds] for row in table.rows]
    longest = max(text_width(row.name) for row in table.rows)
    start = min(longest + 14, pixels * 0.45)
    scale = (pixels - start - 40) / max(map(sum, counts))
    marks = []
    x = top = 0.0
    for style, column in zip(STYLES, kinds, strict=False):
        size = 16 + text_width(column.head, size=12.0)
        if x and x + size > pixels:
            x, top = 0.0, top + APART
        marks.append(rect(x, top + 2, 11, 11, style))
        marks.append(text(x + 16, top + 12, column.head, "small"))
        x += size + APART
    for at, (row, pieces) in enumerate(zip(table.rows, counts, strict=True)):
        y = top + HEAD + LINE * at
        marks.append(text(start - 10, y + 13, row.name, "e"))
        ends = [start + scale * end for end in accumulate(pieces, initial=0)]
        for style, n, left, right in zip(STYLES, pieces, ends, ends[1:], strict=False):
            if not n:
                continue
            marks.append(rect(left, y, right - left, BAR, style))
            label = f"{n:,}"
            if right - left > text_width(label, size=12.0) + 6:
                over = " over" * (style == "bar")
                marks.append(text((left + right) / 2, y + 12.5, label, f"small c{over}"))
            elif n == sum(pieces):
                marks.append(text(right + 6, y + 12.5, label, "small"))
        if max(pieces) < sum(pieces):
            marks.append(text(ends[-1] + 8, y + 12.5, f"= {sum(pieces):,}", "small m"))
    height = int(top + HEAD + LINE * len(counts))
    desc = say("missing.desc", n=len(counts))
    return picture(pixels, height, marks, title=title, desc=desc, kind=kind)
