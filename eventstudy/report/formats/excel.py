"""An Excel workbook: one sheet a table, numbers as numbers, text as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import ConfigError, how_to_install
from ..content.finished_run import Finished

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_LETTERS, SHEET_LETTERS, WIDEST = 32_767, 31, 60
# Read in this order; the others follow by name.
FIRST = ("tests", "tests_by_group", "caar", "caar_by_group", "car", "events", "aar", "aar_by_group")
PERCENT, LOG, P, PLAIN, COUNT, DATE = (
    "0.00%",
    "0.0000",
    '[<0.001]"<0.001";0.000',
    "0.00",
    "#,##0",
    "yyyy-mm-dd",
)
_P_VALUES = {"pvalue", "holm", "bh", "by", "romano_wolf", "wild_pvalue"}
_VALUES = {
    "ret", "expected", "ar", "se", "car", "bhar", "aar", "caar", "estimate", "mean_one",
    "mean_other",
    "difference", "ci_low", "ci_high", "aar_low", "aar_high", "caar_low", "caar_high", "median",
    "se_independent", "sigma", "mean_car",
}  # fmt: skip
# Tables whose numbers are coefficients or money.
_NOT_RETURNS = {"regression", "market_value", "models"}
# Excel would take a cell that begins so as a formula once it is edited.
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def write_excel(run: Finished, path: Path) -> None:
    """Write the workbook; equal runs give equal bytes.

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
            "Excel needs a package that is not installed", value="xlsxwriter",
            remedy=how_to_install("excel"),
        ) from None  # fmt: skip
    off = {f"strings_to_{what}": False for what in ("formulas", "urls", "numbers")}
    with xlsxwriter.Workbook(path, {**off, "remove_timezone": True}) as book:
        book.set_properties(
            {"title": run.document["name"][:255], "created": pd.Timestamp(2000, 1, 1)}
        )
        sheets = Sheets(book, run)
        sheets.overview()
        for name, table in ordered(run):
            sheets.add(name, table)


def ordered(run: Finished) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of a run in the order of the sheets."""
    tables = {**run.tables, "events": run.events}
    for name in sorted(tables, key=lambda n: (FIRST.index(n) if n in FIRST else len(FIRST), n)):
        yield name, tables[name]


def sheet_name(name: str) -> str:
    """Return a name that Excel takes for a sheet."""
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:SHEET_LETTERS].strip() or "table"


def _provenance(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a run was computed from, one line each; prices have their own sheets."""
    for name, value in found.items():
        plain = (
            ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else value
        )
        if plain and name != "prices":
            yield f"{name.replace('_', ' ')}: {plain}"


def number_format(table: str, column: str, values: pd.Series[Any], *, returns: bool) -> str:
    """Return the format of a column of numbers or dates."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return DATE
    if pd.api.types.is_integer_dtype(values):
        return COUNT if column.startswith("n_") or column == "rows" else "0"
    if column in _P_VALUES or column.endswith("_p"):
        return P
    table = table.removesuffix("_by_group")
    value = column in _VALUES or (table, column) == ("calendar_portfolio", "alpha")
    if value and (table not in _NOT_RETURNS or column == "sigma"):
        return PERCENT if returns else LOG
    return LOG if table in _NOT_RETURNS else PLAIN


class Sheets:
    """A workbook that is being written, and the formats of its cells."""

    def __init__(self, book: Workbook, run: Finished) -> None:
        self.book, self.run = book, run
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.text = book.add_format({"num_format": "@"})
        self.guarded = book.add_format({"num_format": "@", "quote_prefix": True})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
        self.numbers: dict[str, Format] = {}

    def overview(self) -> None:
        """Write the answer and what it rests on."""
        d, sheet = self.run.document, self.book.add_worksheet("overview")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 100)
        text = d["text"]
        lines = [
            ("Study", d["name"]), ("Answer", text["answer"]),
            *(("", line) for line in text["asides"]),
            *((label, f"{value} ({remark})") for label, value, remark in text["keys"]),
            ("Set-up", text["setup"]),
            *(("Warning", line) for line in text["warnings"]),
            ("Diagnosis", " ".join(text["diagnosis"])),
            *(("Methods", line) for line in text["methods"]),
            *(("Provenance", line) for line in _provenance(d["provenance"])),
        ]  # fmt: skip
        for i, (label, line) in enumerate(lines):
            sheet.write_string(i, 0, label or " ", self.head)
            sheet.write_string(i, 1, str(line)[:MOST_LETTERS], self.wrapped)

    def add(self, name: str, table: pd.DataFrame) -> None:
        """Write one table, its head frozen, filtered, and as wide as what stands in it."""
        sheet = self.book.add_worksheet(sheet_name(name))
        for j, column in enumerate(table.columns):
            sheet.write_string(0, j, str(column), self.head)
            self._column(sheet, name, j, table[column])
        sheet.freeze_panes(1, 0)
        if len(table.columns):
            sheet.autofilter(0, 0, len(table), len(table.columns) - 1)

    def _column(self, sheet: Worksheet, name: str, j: int, values: pd.Series[Any]) -> None:
        column = str(values.name)
        longest = len(column) + 3
        if values.dtype == object or pd.api.types.is_string_dtype(values):
            longest = max(longest, int(values.str.len().max()) if len(values) else 0)
            for i, text in enumerate(values, start=1):
                if text:
                    form = self.guarded if _FORMULA.match(text) else self.text
                    sheet.write_string(i, j, text[:MOST_LETTERS], form)
        else:
            shown = self._format(number_format(name, column, values, returns=self.run.returns))
            for i, value in enumerate(values, start=1):
                self._number(sheet, i, j, value, shown)
        sheet.set_column(j, j, min(max(longest, 10), WIDEST))

    def _number(self, sheet: Worksheet, i: int, j: int, value: Any, shown: Format) -> None:
        if isinstance(value, pd.Timestamp):
            sheet.write_datetime(i, j, value.to_pydatetime(), shown)
        elif isinstance(value, (bool, np.bool_)):
            sheet.write_boolean(i, j, bool(value))
        elif pd.notna(value) and np.isfinite(value):
            sheet.write_number(i, j, float(value), shown)
        elif pd.notna(value):
            sheet.write_string(i, j, str(value), self.text)

    def _format(self, code: str) -> Format:
        if code not in self.numbers:
            self.numbers[code] = self.book.add_format({"num_format": code})
        return self.numbers[code]
