"""An Excel workbook: the answer on its first sheet with a chart, behind it tables in words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...analysis import ImpliedPath, Interval
from ...errors import ConfigError, how_to_install
from ...findings import Findings, FinishedRun, Sample
from ...significance import STATISTICS
from ...words import LEVEL, make_error, say, speaking_of, words
from ..page.first_screen import first_screen, title_of
from ..sentences.answer import split_answer
from ..sentences.caveats import asides, second_sentence
from ..sentences.top import key_figures
from ..tables.checks import checks_table
from ..tables.columns import EFFECT, EVENTS, INTERVAL, NAME, PVALUE, Column, Kind, Outlet, columns
from ..tables.events import dropped_lede, in_order, write_flag
from ..tables.methods import provenance, source_line
from ..tables.table import Row, Table, effect_values, make_table
from ..tables.windows import windows_lede, windows_table

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_LETTERS, MOST_ROWS, WIDEST, LINE = 32_767, 100_000, 60, 118
BLUE, MUTED, BAND, MAIN = "#0B5394", "#565C63", "#E4E2DC", "#F0E7D2"
# Formats of the numbers of columns by their kind; other cells are texts.
FORMS = {
    Kind.EFFECT: "+0.00%;\N{MINUS SIGN}0.00%;0.00%", Kind.ERROR: "0.00%", Kind.LEVEL: "0.00",
    Kind.PVALUE: '[<0.0005]"<0.001";0.000', Kind.RATE: "0%", Kind.SHARE: "0%", Kind.COUNT: "0",
    Kind.NUMBER: "0.00", Kind.DATE: "d mmm yyyy",
}  # fmt: skip
IN_LOGS = {Kind.EFFECT: "+0.0000;\N{MINUS SIGN}0.0000;0.0000", Kind.ERROR: "0.0000"}
# Excel would take a cell that begins so as a formula once it is edited.
_FORMULA = re.compile(r"^[=+\-@\t\r]")
# An interval is two columns.
ENDS = columns(Kind.EFFECT, "ci_low", "ci_high")
PATH = (
    *columns(Kind.COUNT, "tau"), *columns(Kind.LEVEL, "shares", "implied"),
    *columns(Kind.EFFECT, "gap"), *columns(Kind.LEVEL, "low", "width"),
)  # fmt: skip
WINDOWS = (
    *columns(Kind.TEXT, "group", "window", "trust", "test", "remark"), EVENTS, EFFECT, INTERVAL,
    *columns(Kind.NUMBER, "statistic"), PVALUE, *columns(Kind.RATE, "false_alarms"),
)  # fmt: skip
ANNOUNCEMENTS = (
    NAME, *columns(Kind.TEXT, "ticker", "announced_at"), *columns(Kind.DATE, "day0"),
    *columns(Kind.TEXT, "group", "used"), EFFECT, INTERVAL, PVALUE,
    *columns(Kind.TEXT, "why", "flags", "event_id"),
)  # fmt: skip
DAYS = (
    NAME, *columns(Kind.DATE, "date"), *columns(Kind.COUNT, "tau"),
    *columns(Kind.EFFECT, "ret", "expected", "ar"), *columns(Kind.TEXT, "event_id"),
)  # fmt: skip
ISSUES = (
    *columns(Kind.TEXT, "symbol"), *columns(Kind.DATE, "date", "last"),
    *columns(Kind.TEXT, "kind", "detail", "action"),
)  # fmt: skip
SETTINGS = columns(Kind.TEXT, "name", "setting")

Records = Iterable[Mapping[Any, Any]]


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
        command = how_to_install("xlsxwriter")
        raise make_error(ConfigError, "wrong.no_excel", command=command) from None
    file, findings = io.BytesIO(), run.findings
    options = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")}
    options["remove_timezone"] = True
    with speaking_of(findings.setup.measure), xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": findings.name[:255], "created": pd.Timestamp(2000, 1, 1)})
        writer = Writer(book)
        writer.summarise(findings)
        by = ImpliedPath.name_source(findings.setup.model.factors, findings.setup.measure)
        implied = say(f"figure.implied_{by}")
        for code, shown, records in _sheets(run):
            rows = map(Row, records)
            writer.add(code, make_table(f"workbook.{code}", shown, rows, implied=implied))
    return file.getvalue()


def _sheets(run: FinishedRun) -> Iterator[tuple[str, Sequence[Column], Records]]:
    """Yield the sheets behind the first: key of their words, columns, and values of the rows."""
    findings, tables = run.findings, run.tables
    if findings.sample.implied is not None:
        yield "path", PATH, _path(findings.sample.implied)
    tests = [values for sample in findings.samples for values in _tests(sample)]
    yield "windows", WINDOWS, tests
    yield "announcements", ANNOUNCEMENTS, _announcements(findings)
    checks = checks_table(findings)
    yield "checks", checks.columns, (row.values for row in checks.rows)
    names = {event.cells["event_id"]: event.name for event in findings.events}
    days = tables["abnormal_returns"]
    days = days.assign(name=days["event_id"].astype(str).map(names))
    yield "days", DAYS, days.to_dict("records")
    yield "issues", ISSUES, tables.get("faults", pd.DataFrame()).to_dict("records")
    sources = provenance(findings)
    pairs: list[tuple[str, str]] = [(say("workbook.verdict"), findings.sample.answer.verdict)]
    pairs += [(name, str(setting)) for name, setting in findings.setup.settings.items()]
    pairs += [(n, sources[n]) for n in ("command", "events", "sha256", "prices", "software")]
    yield "settings", SETTINGS, ({"name": n, "setting": text} for n, text in pairs)


def _path(implied: ImpliedPath) -> list[dict[Any, Any]]:
    """Return the path day by day, with the band as its lower end and its width."""
    table = {
        "tau": implied.days, "shares": implied.shares, "implied": implied.implied, "gap":
        implied.gap / ImpliedPath.BASE, "low": implied.implied - implied.half, "width": 2 *
        implied.half,
    }  # fmt: skip
    return pd.DataFrame(table).to_dict("records")


def _tests(sample: Sample) -> Iterator[dict[str, Any]]:
    """Yield each test of each window with its class; the effect is that of the main test."""
    group = sample.group or say("workbook.all")
    for finding in sample.windows:
        result, window = finding.answer, words().window(finding.window)
        for test in sorted(finding.tests, key=lambda t: t.test != result.test):
            name = test.test
            values = {
                "group": group, "window": window, "trust": test.trust, "remark": test.reason,
                # A finished run may have a test of another package.
                "test": STATISTICS[name].label if name in STATISTICS else name,
                "events": test.n_events, "statistic": test.statistic, "pvalue": test.pvalue,
                "false_alarms": test.false_alarms,
            }  # fmt: skip
            if name == result.test:
                values |= {**effect_values(result.effect), "pvalue": result.pvalue}
                values["trust"] = say("workbook.main")
                if result.unequal is not None:
                    values["false_alarms"] = say("tests.unequal_rate")
            yield values


def _announcements(findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield the announcements as on the page, the dropped ones last."""
    column, main = findings.setup.group_column, findings.setup.main
    short = {remark.event_id: str(remark.reason) for remark in findings.pooled.short}
    for event in in_order(findings):
        car, cells = event.car(main) if event.is_used else None, event.cells
        why = str(car.reason if car else event.reason) or short.get(cells["event_id"], "")
        values = {
            **cells, "name": event.name, "day0": event.day0, "group": cells.get(column, ""),
            "used": say(f"workbook.{'no' if why else 'yes'}"), "why": why,
            "flags": "; ".join(map(write_flag, event.flags)),
        }  # fmt: skip
        if car:
            values |= effect_values(Interval(car.car, car.error, *car.interval))
            values["pvalue"] = car.pvalue
        yield values


def _with_ends(table: Table, head: str = "") -> Table:
    """Return the table with the ends of an interval in two columns, and a head of the names."""
    ends = [replace(end, head=say(f"column.{end.key}")) for end in ENDS]
    split: list[Column] = []
    for column in table.columns:
        split += ends if column.kind is Kind.INTERVAL else [column]
    if head:
        split[0] = replace(split[0], head=head)
    return replace(table, columns=tuple(split))


def _is_missing(cell: Any) -> bool:
    return cell is None or cell == "" or (not isinstance(cell, str) and bool(pd.isna(cell)))


def _letters(cell: Any, kind: Kind) -> int:
    """Return how many letters a cell needs."""
    if _is_missing(cell):
        return 0
    is_text = isinstance(cell, str) and kind is not Kind.DATE
    return len(cell[:MOST_LETTERS]) + 1 if is_text else 12


class Writer:
    """A workbook that is being written, and the formats of its cells."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.formats: dict[str, Format] = {}
        self.forms = FORMS if words().unit == "%" else FORMS | IN_LOGS

    def form(self, **properties: Any) -> Format:
        """Return the format with some properties of XlsxWriter.

        Parameters
        ----------
        **properties
            Such as ``bold=True``.
        """
        key = str(sorted(properties.items()))
        self.formats[key] = self.formats.get(key) or self.book.add_format(properties)
        return self.formats[key]

    def add(self, code: str, table: Table) -> None:
        """Write a sheet, its head frozen, filtered, and as wide as its cells; none without rows.

        Parameters
        ----------
        code : str
            Its title, below ``[workbook]`` in the catalogue.
        table : Table
        """
        rows, table = table.rows, _with_ends(table)
        if not rows:
            return
        page = self.book.add_worksheet(say(f"workbook.{code}.title"))
        last = len(rows[:MOST_ROWS])
        look = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        self.write(page, 0, table.columns, rows[:last], **look)
        for j, column in enumerate(table.columns):
            letters = [_letters(row.values.get(column.key), column.kind) for row in rows[:last]]
            page.set_column(j, j, min(max([*letters, len(column.head) + 3, 9]), WIDEST))
            if column.kind is Kind.PVALUE:
                grey = {"type": "cell", "criteria": ">=", "value": LEVEL}
                page.conditional_format(1, j, last, j, {**grey, "format": self.form(color=MUTED)})
        if len(rows) > last:
            self.cell(page, last + 1, 0, say("workbook.cut", n=len(rows) - last))
        page.freeze_panes(1, 1)
        page.autofilter(0, 0, last, len(table.columns) - 1)

    def write(
        self, page: Worksheet, at: int, shown: Sequence[Column], rows: Sequence[Row], **look: Any
    ) -> int:
        """Write a table from a row of the sheet on; return the row below it, and one more.

        Parameters
        ----------
        page : Worksheet
        at : int
            Row of the heads.
        shown : sequence of Column
        rows : sequence of Row
        **look
            Properties of the heads.
        """
        for j, column in enumerate(shown):
            self.cell(page, at, j, column.head, **look)
        for i, row in enumerate(rows, at + 1):
            shade = {"bg_color": MAIN} if row.is_main else {}
            for j, column in enumerate(shown):
                self.cell(page, i, j, row.values.get(column.key), column.kind, **shade)
        return at + len(rows) + 2

    def cell(
        self, page: Worksheet, i: int, j: int, cell: Any, kind: Kind = Kind.TEXT, **look: Any
    ) -> None:
        """Write a cell, unless it is missing.

        Parameters
        ----------
        page : Worksheet
        i, j : int
            Row and column.
        cell : object
        kind : Kind
            Of its column; a text is written as it is.
        **look
            Properties of its format.
        """
        if _is_missing(cell):
            return
        if kind is Kind.DATE:
            form = self.form(num_format=self.forms[kind], **look)
            page.write_datetime(i, j, pd.Timestamp(cell).to_pydatetime(), form)
        elif isinstance(cell, str) or kind not in self.forms:
            text = str(cell)[:MOST_LETTERS]
            guard = {"quote_prefix": True} if _FORMULA.match(text) else {}
            page.write_string(i, j, text, self.form(num_format="@", **guard, **look))
        elif np.isfinite(cell):
            page.write_number(i, j, float(cell), self.form(num_format=self.forms[kind], **look))

    def summarise(self, findings: Findings) -> None:
        """Write the answer, its key figures, the windows, the checks, and notes."""
        page = self.book.add_worksheet(say("workbook.summary"))
        for j, width in enumerate((36, 16, 12, 12, 10, 14, 40)):
            page.set_column(j, j, width)
        page.hide_gridlines(2)
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        head, sentence = split_answer(findings)
        self._line(page, 0, head, bold=True, size=18)
        second = second_sentence(findings)
        self._line(page, 1, second, bold=True)
        self._line(page, 2, sentence)
        fragility = first_screen(findings).fragility
        notes = [f"{fragility}."] if fragility else []
        notes += [note for note in asides(findings) if note != second]
        self.cell(page, 3, 0, f"{title_of(findings)}. {source_line(findings)}", color=MUTED)
        for j, key in zip((0, 1, 3, 5, 6), key_figures(findings), strict=False):
            self.cell(page, 5, j, key.label, color=MUTED, size=10, text_wrap=True)
            self.cell(page, 6, j, key.value, bold=True, size=16)
            self.cell(page, 7, j, key.remark, color=MUTED, size=9, text_wrap=True)
        row = 9
        if findings.setup.n_used:
            row = self._numbers(page, row, findings)
            notes.append(windows_lede(findings))
        for text in (*notes, dropped_lede(findings), say("workbook.cite")):
            self._line(page, row, text, size=9)
            row += 1

    def _line(self, page: Worksheet, i: int, text: str, **look: Any) -> None:
        """Write wrapped text across the page, in a row that is high enough."""
        size = look.get("size", 11)
        page.merge_range(i, 0, i, 6, "", self.form(text_wrap=True, valign="top", **look))
        self.cell(page, i, 0, text, text_wrap=True, valign="top", **look)
        page.set_row(i, 1.4 * size * max(1, -(-len(text) * size // (11 * LINE))))

    def _numbers(self, page: Worksheet, row: int, findings: Findings) -> int:
        """Write the windows and the checks; return the row below."""
        look = {"color": MUTED, "bottom": 1, "text_wrap": True}
        table = _with_ends(windows_table(findings).shown(Outlet.SHEET), say("workbook.window"))
        row = self.write(page, row, table.columns, table.blocks[0].rows, **look)
        table = checks_table(findings).only("name", "effect", "interval", "pvalue")
        if not table.rows:
            return row
        table = _with_ends(table, say("checks.title"))
        return self.write(page, row, table.columns, table.rows, **look)
