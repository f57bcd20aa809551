"""Word: the report as a document that co-authors edit, with real tables."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from ...errors import ConfigError, how_to_install
from ...findings import Findings
from ...words import LEVEL, make_error, say, speaking_of
from ..tables.columns import Kind
from ..tables.table import Table
from .figure_files import chart
from .pages import markdown_context
from .templating import visible_line

# Of a document the same twice.
NO_TIME = datetime(2000, 1, 1)  # noqa: DTZ001 - python-docx takes no zone
STYLE = "Table Grid"
# Points of the text in tables, and inches of a letter of it.
SMALL, LETTER = 8, 0.07
# The longest text that makes a column wider, and the letters that the edges of a cell take.
WIDEST, PADDING = 26, 3
# Inches of the picture: the text of a page.
WIDTH = 6.0
# Rows of a table that stays on one page; of a longer one the head is repeated.
SHORT = 20
# Parts of the page that a paper has: all that its methods describe. The report has the others.
KEPT = (
    "announcements", "groups", "announcement_time", "firms", "weights", "families", "regression",
    "data", "method", "files",
)  # fmt: skip


def word(findings: Findings) -> bytes:
    """Return ``report.docx``: answer, caveat, picture, tables and methods.

    Raises
    ------
    ConfigError
        If the extra ``word`` is not installed.
    """
    try:
        import docx
        from docx.shared import Inches, Pt
    except ImportError:
        command = how_to_install("python-docx")
        raise make_error(ConfigError, "wrong.no_docx", command=command) from None
    document = docx.Document()
    document.styles["Normal"].font.size = Pt(10)
    with speaking_of(findings.setup.measure):
        context = markdown_context(findings)
        first = context["first"]
        document.core_properties.title = visible_line(first.title)
        document.core_properties.author = ""
        document.core_properties.created = document.core_properties.modified = NO_TIME
        document.add_heading(visible_line(first.title), 1)
        if first.as_of:
            _say(document, first.as_of)
        _say(document, f"{first.headline}.").runs[0].bold = True
        _say(document, first.deck)
        if picture := chart(findings):
            document.add_picture(io.BytesIO(picture), Inches(WIDTH))
        if context["checks"]:
            document.add_heading(say("checks.title"), 2)
            _say(document, say("checks.table.note"), is_kept=True)
            _add_table(document, context["checks"])
        kept = [fold for fold in context["folds"] if fold.code in KEPT]
        for fold in [*context["sections"], *kept]:
            document.add_heading(visible_line(fold.title), 2)
            _say(document, fold.finding, is_kept=True)
            for block in fold.blocks:
                table = block if isinstance(block, Table) else getattr(block, "table", None)
                if table is not None:
                    _add_table(document, table)
                elif not hasattr(block, "picture"):
                    _say(document, getattr(block, "text", block))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _say(document: Any, text: object, *, is_kept: bool = False) -> Any:
    """Add a paragraph, perhaps on the page of the next; nothing in it is a field or a command."""
    paragraph = document.add_paragraph(visible_line(text))
    paragraph.paragraph_format.keep_with_next = is_kept
    return paragraph


def _add_table(document: Any, table: Table) -> None:
    """Add a table behind its caption, with a row for the title of each block."""
    from docx.oxml import OxmlElement
    from docx.shared import Inches

    about = f". {table.about}" if table.about else ""
    if table.caption:
        _say(document, f"{table.caption}{about}", is_kept=True)
    heads = [column.page_head for column in table.columns]
    rows = [heads]
    titles = set()
    # Rows and columns of text that is bold: heads, and p below 0.05.
    bold = {(0, k) for k in range(len(heads))}
    for part in table.blocks:
        if part.title:
            titles.add(len(rows))
            bold.add((len(rows), 0))
            rows.append([part.title] + [""] * (len(heads) - 1))
        for row in part.rows:
            for k, column in enumerate(table.columns):
                value = row.values.get(column.key)
                if column.kind is Kind.PVALUE and isinstance(value, float) and value < LEVEL:
                    bold.add((len(rows), k))
            rows.append(table.write_text(row))
    drawn = document.add_table(rows=len(rows), cols=len(heads), style=STYLE)
    drawn.autofit = False
    shares = _share_width([row for k, row in enumerate(rows) if k not in titles])
    for column, share in zip(drawn.columns, shares, strict=True):
        column.width = Inches(share)
    joined = len(rows) - 1 if len(rows) <= SHORT else 1
    for k, (line, texts) in enumerate(zip(drawn.rows, rows, strict=True)):
        for mark in ("w:cantSplit", *["w:tblHeader"] * (not k)):
            line._tr.get_or_add_trPr().append(OxmlElement(mark))
        if k in titles:
            line.cells[0].merge(line.cells[-1])
            texts = texts[:1]
        _fill(line.cells, texts, table, shares)
        for at in range(len(texts)):
            if (k, at) in bold and texts[at]:
                line.cells[at].paragraphs[0].runs[0].bold = True
            line.cells[at].paragraphs[0].paragraph_format.keep_with_next = k < joined
    document.add_paragraph()


def _share_width(rows: list[list[str]]) -> list[float]:
    """Return the inches of each column: room for its longest word, and more by its longest text."""
    words = []
    more = []
    for texts in zip(*rows, strict=True):
        longest = max((len(word) for text in texts for word in text.split()), default=0)
        words.append(longest + PADDING)
        more.append(max(min(max(map(len, texts)), WIDEST) - longest, 0))
    if not any(more):
        more = [1] * len(more)
    unit = min(WIDTH / sum(words), LETTER)
    rest = (WIDTH - unit * sum(words)) / sum(more)
    return [unit * word + rest * length for word, length in zip(words, more, strict=True)]


def _fill(cells: Any, texts: list[str], table: Table, shares: list[float]) -> None:
    """Write texts into the first cells of a row, numbers to the right."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Inches, Pt

    for cell, text, column, share in zip(cells, texts, table.columns, shares, strict=False):
        cell.text = visible_line(text)
        for run in cell.paragraphs[0].runs:
            run.font.size = Pt(SMALL)
        cell.paragraphs[0].paragraph_format.space_after = Pt(0)
        if len(texts) > 1:
            cell.width = Inches(share)
            if column.is_number:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
