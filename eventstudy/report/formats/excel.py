"""An Excel workbook: one sheet a table, numbers as numbers, text as text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import ConfigError, how_to_install
from ...findings.finished_run import FinishedRun
from ...findings.types import Findings
from ...utility.units import speaking_of
from ..sections.methods import methods, provenance
from ..sections.top import top
from ..sections.windows import trust

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_LETTERS, SHEET_LETTERS, WIDEST = 32_767, 31, 60
# Read in this order; the others follow by name.
FIRST = ("tests", "tests_by_group", "caar", "caar_by_group", "car", "events", "aar", "aar_by_group")
PERCENT, LOG, P, PLAIN, COUNT, DATE = (
    "0.00%", "0.0000", '[<0.001]"<0.001";0.000', "0.00", "#,##0", "yyyy-mm-dd"
)  # fmt: skip
_P_VALUES = {"pvalue", "holm", "bh", "by", "romano_wolf", "wild_pvalue"}
_VALUES = {
    "ret", "expected", "ar", "se", "car", "bhar", "aar", "caar", "estimate", "mean_one",
    "mean_other", "difference", "ci_low", "ci_high", "aar_low", "aar_high", "caar_low", "caar_high",
    "median", "se_independent", "sigma", "mean_car", "weighted_caar", "weighted_se", "weighted_low",
    "weighted_high",
}  # fmt: skip
# Tables whose numbers are coefficients or money.
_NOT_RETURNS = {"regression", "market_value", "models"}
# Excel would take a cell that begins so as a formula once it is edited.
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def workbook(run: FinishedRun) -> bytes:
    """Return the workbook; equal runs give equal bytes.

    Text is stored as text and marked so where it would become a formula when edited; a missing
    number is an empty cell.

    Raises
    ------
    ConfigError
        If the extra ``excel`` is not installed.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise ConfigError(
            "Excel needs the package xlsxwriter, which is not installed",
            remedy=how_to_install("excel"),
        ) from None
    file, settings = io.BytesIO(), ("formulas", "urls", "numbers")
    options = {f"strings_to_{kind}": False for kind in settings}
    with xlsxwriter.Workbook(file, {**options, "remove_timezone": True}) as book:
        title = run.findings.name[:255]
        book.set_properties({"title": title, "created": pd.Timestamp(2000, 1, 1)})
        sheets = Sheets(book, run)
        sheets.overview()
        for name, table in ordered(run):
            sheets.add(name, table)
    return file.getvalue()


def ordered(run: FinishedRun) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of a run in the order of the sheets."""
    tables = {**run.tables, "events": run.events}
    for name in sorted(tables, key=lambda n: (FIRST.index(n) if n in FIRST else len(FIRST), n)):
        yield name, tables[name]


def overview(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield the lines of the first sheet: a label, and a sentence."""
    with speaking_of(findings.setup.measure):
        head, sources, judged = top(findings), provenance(findings), trust(findings)
        yield "Study", findings.name
        yield "Answer", str(head.answer)
        yield from (("", line) for line in head.asides)
        yield from ((key.label, f"{key.value} ({key.remark})") for key in head.keys)
        yield "Set-up", head.setup
        yield from (("Warning", line) for line in head.warnings)
        if judged:
            yield "Diagnosis", " ".join(judged.text)
        yield from (("Methods", paragraph.text) for paragraph in methods(findings).paragraphs)
        for name in ("command", "events", "sha256", "prices", "settings", "software"):
            if text := getattr(sources, name):
                yield "Provenance", f"{name}: {text}"


def sheet_name(name: str) -> str:
    """Return a name that Excel takes for a sheet."""
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:SHEET_LETTERS].strip() or "table"


def number_format(table: str, column: str, values: pd.Series[Any], *, returns: bool) -> str:
    """Return the format of a column of numbers or dates.

    Parameters
    ----------
    table, column : str
        Their names.
    values : Series
        The cells.
    returns : bool
        Whether values of the study are returns, to be shown in percent, and not log points.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return DATE
    if pd.api.types.is_integer_dtype(values):
        return COUNT if column.startswith("n_") or column == "rows" else "0"
    if column in _P_VALUES or column.endswith("_p"):
        return P
    table = table.removesuffix("_by_group")
    is_value = column in _VALUES or (table, column) == ("calendar_portfolio", "alpha")
    if is_value and (table not in _NOT_RETURNS or column == "sigma"):
        return PERCENT if returns else LOG
    return LOG if table in _NOT_RETURNS else PLAIN


class Sheets:
    """A workbook that is being written, and the formats of its cells."""

    def __init__(self, book: Workbook, run: FinishedRun) -> None:
        self.book, self.run = book, run
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.text = book.add_format({"num_format": "@"})
        self.guarded = book.add_format({"num_format": "@", "quote_prefix": True})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
        self.numbers: dict[str, Format] = {}

    def overview(self) -> None:
        """Write the answer and what it rests on."""
        sheet = self.book.add_worksheet("overview")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 100)
        for i, (label, line) in enumerate(overview(self.run.findings)):
            sheet.write_string(i, 0, label or " ", self.head)
            sheet.write_string(i, 1, line[:MOST_LETTERS], self.wrapped)

    def add(self, name: str, table: pd.DataFrame) -> None:
        """Write one table, its head frozen, filtered, and as wide as its cells.

        Parameters
        ----------
        name : str
            File name of the table.
        table : DataFrame
        """
        sheet = self.book.add_worksheet(sheet_name(name))
        for j, column in enumerate(table.columns):
            sheet.write_string(0, j, str(column), self.head)
            self._column(sheet, name, j, table[column])
        sheet.freeze_panes(1, 0)
        if len(table.columns):
            sheet.autofilter(0, 0, len(table), len(table.columns) - 1)

    def _column(self, sheet: Worksheet, name: str, j: int, values: pd.Series[Any]) -> None:
        widths = [len(str(values.name)) + 3, 10]
        if values.dtype == object or pd.api.types.is_string_dtype(values):
            for i, text in enumerate(values.fillna("").astype(str), start=1):
                if text:
                    form = self.guarded if _FORMULA.match(text) else self.text
                    sheet.write_string(i, j, text[:MOST_LETTERS], form)
                    widths.append(len(text))
        else:
            returns = self.run.findings.setup.measure == "return"
            form = self._format(number_format(name, str(values.name), values, returns=returns))
            for i, value in enumerate(values, start=1):
                self._number(sheet, i, j, value, form)
        sheet.set_column(j, j, min(max(widths), WIDEST))

    def _number(self, sheet: Worksheet, i: int, j: int, value: Any, form: Format) -> None:
        if pd.isna(value):
            return
        if isinstance(value, pd.Timestamp):
            sheet.write_datetime(i, j, value.to_pydatetime(), form)
        elif isinstance(value, (bool, np.bool_)):
            sheet.write_boolean(i, j, bool(value))
        elif np.isfinite(value):
            sheet.write_number(i, j, float(value), form)
        else:
            sheet.write_string(i, j, str(value), self.text)

    def _format(self, code: str) -> Format:
        if code not in self.numbers:
            self.numbers[code] = self.book.add_format({"num_format": code})
        return self.numbers[code]
