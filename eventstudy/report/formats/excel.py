"""An Excel workbook: the answer on its first sheet with a chart, behind it tables in words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...analysis import BASE, ImpliedPath, Interval
from ...errors import ConfigError, how_to_install
from ...findings import Findings, FinishedRun, Sample
from ...significance import STATISTICS
from ...words import LEVEL, make_error, say, speaking_of, window_text, words
from ..figures.svg_canvas import roomy
from ..page.first_screen import title_of
from ..sentences.answer import split_answer
from ..sentences.caveats import asides, second_sentence
from ..sentences.top import key_figures
from ..tables.checks import list_checks
from ..tables.events import dropped_lede, in_order, write_flag
from ..tables.methods import provenance, source_line
from ..tables.windows import list_tests, windows_lede

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_LETTERS, MOST_ROWS, WIDEST, LINE = 32_767, 100_000, 60, 118
BLUE, MUTED, BAND, MAIN = "#0B5394", "#565C63", "#E4E2DC", "#F0E7D2"
# Formats of the kinds of columns: returns, levels, p-values, shares, counts, numbers and dates.
KINDS = {
    "r": "+0.00%;\N{MINUS SIGN}0.00%;0.00%", "l": "0.00", "p": '[<0.0005]"<0.001";0.000',
    "s": "0%", "i": "0", "n": "0.00", "d": "d mmm yyyy", "t": "@",
}  # fmt: skip
LOG = "+0.0000;\N{MINUS SIGN}0.0000;0.0000"
# Excel would take a cell that begins so as a formula once it is edited.
_FORMULA = re.compile(r"^[=+\-@\t\r]")
# Columns of the numbers of the answer, which have names for other programs.
NAMES = {"estimate": "B", "ci_low": "C", "ci_high": "D", "p_value": "E"}
Rows = Iterable[Sequence[Any]]


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
        for code, kinds, rows in _sheets(run):
            writer.add(code, kinds, list(rows))
    return file.getvalue()


def _sheets(run: FinishedRun) -> Iterator[tuple[str, str, Rows]]:
    """Yield the sheets behind the first: key of their words, kinds of their columns, rows."""
    findings, tables, implied = run.findings, run.tables, run.findings.sample.implied
    names = {event.cells["event_id"]: event.name for event in findings.events}
    if implied is not None:
        low, gap = implied.implied - implied.half, implied.gap / BASE
        columns = (implied.days, implied.shares, implied.implied, gap, low, 2 * implied.half)
        yield "path", "illrll", zip(*columns, strict=True)
    yield "windows", "tttttirrrnps", (row for s in findings.samples for row in _tests(s))
    yield "announcements", "tttdttrrrpttt", _announcements(findings)
    checks = list_checks(findings)
    answers = [(c.name, c.n_events, *_numbers(c.effect), c.p_range or c.pvalue) for c in checks]
    yield "checks", "tirrrp", answers
    days = tables["abnormal_returns"][["event_id", "date", "tau", "ret", "expected", "ar"]]
    each_day = days.itertuples(index=False)
    yield "days", "tdirrrt", ((names.get(str(row[0]), ""), *row[1:], row[0]) for row in each_day)
    yield "issues", "tddttt", tables.get("faults", pd.DataFrame()).itertuples(index=False)
    settings, sources = findings.setup.settings.items(), provenance(findings)
    rows: list[tuple[str, str]] = [(say("workbook.verdict"), findings.sample.answer.verdict)]
    rows += [(name, str(setting)) for name, setting in settings]
    rows += [(n, sources[n]) for n in ("command", "events", "sha256", "prices", "software")]
    yield "settings", "tt", rows


def _numbers(effect: Interval) -> tuple[float, float, float]:
    return effect.estimate, effect.ci_low, effect.ci_high


def _tests(sample: Sample) -> Iterator[Sequence[Any]]:
    """Yield each test of each window with its class; the effect is that of the main test."""
    group = sample.group or say("workbook.all")
    for finding in sample.windows:
        result, window = finding.answer, window_text(finding.window)
        for test in sorted(finding.tests, key=lambda t: t.test != result.test):
            is_main, name = test.test == result.test, test.test
            # A finished run may have a test of another package.
            label = STATISTICS[name].label if name in STATISTICS else name
            trust = say("workbook.main") if is_main else test.trust
            head = group, window, trust, label, test.reason, test.n_events
            numbers = _numbers(result.effect if is_main else Interval())
            p = result.pvalue if is_main else test.pvalue
            is_open = is_main and result.unequal is not None
            rate = say("tests.unequal_rate") if is_open else test.false_alarms
            yield *head, *numbers, test.statistic, p, rate


def _announcements(findings: Findings) -> Iterator[Sequence[Any]]:
    """Yield the announcements as on the page, the dropped ones last."""
    column, main = findings.setup.group_column, findings.setup.main
    for event in in_order(findings):
        car, cells = event.car(main) if event.is_used else None, event.cells
        numbers = (car.car, *car.interval, car.pvalue) if car else (np.nan,) * 4
        yield (
            event.name, cells["ticker"], cells["announced_at"], event.day0, cells.get(column, ""),
            say(f"workbook.{'yes' if car else 'no'}"), *numbers,
            str(car.reason if car else event.reason), "; ".join(map(write_flag, event.flags)),
            cells["event_id"],
        )  # fmt: skip


class Writer:
    """A workbook that is being written, and the formats of its cells."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.formats: dict[str, Format] = {}
        self.kinds = KINDS if words().unit == "%" else KINDS | {"r": LOG}

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

    def add(self, code: str, kinds: str, rows: Sequence[Sequence[Any]]) -> None:
        """Write a sheet, its head frozen, filtered, and as wide as its cells; none without rows.

        Parameters
        ----------
        code : str
            Its words, below ``[workbook]`` in the catalogue.
        kinds : str
            A letter of `KINDS` for each column.
        rows : sequence of sequences
        """
        if not rows:
            return
        page, last = self.book.add_worksheet(say(f"workbook.{code}.title")), len(rows[:MOST_ROWS])
        columns = list(zip(*rows[:last], strict=True))
        for j, head in enumerate(say(f"workbook.{code}.columns").split("|")):
            self.cell(page, 0, j, head, bold=True, bottom=1, text_wrap=True, valign="top")
            letters = [self.cell(page, i + 1, j, c, kinds[j]) for i, c in enumerate(columns[j])]
            page.set_column(j, j, min(max([*letters, len(head) + 3, 9]), WIDEST))
            if kinds[j] == "p":
                grey = {"type": "cell", "criteria": ">=", "value": LEVEL}
                page.conditional_format(1, j, last, j, {**grey, "format": self.form(color=MUTED)})
        if len(rows) > last:
            self.cell(page, last + 1, 0, say("workbook.cut", n=len(rows) - last))
        page.freeze_panes(1, 1)
        page.autofilter(0, 0, last, len(columns) - 1)

    def cell(self, page: Worksheet, i: int, j: int, cell: Any, kind: str = "t", **look: Any) -> int:
        """Write a cell, unless it is missing; return the letters that it needs.

        Parameters
        ----------
        page : Worksheet
        i, j : int
            Row and column.
        cell : object
        kind : str
            A letter of `KINDS`.
        **look
            Properties of its format.
        """
        if cell is None or cell == "" or (not isinstance(cell, str) and pd.isna(cell)):
            return 0
        if kind == "d":
            form = self.form(num_format=KINDS[kind], **look)
            page.write_datetime(i, j, pd.Timestamp(cell).to_pydatetime(), form)
        elif isinstance(cell, str) or kind == "t":
            text = str(cell)[:MOST_LETTERS]
            guard = {"quote_prefix": True} if _FORMULA.match(text) else {}
            page.write_string(i, j, text, self.form(num_format="@", **guard, **look))
            return len(text) + 1
        elif np.isfinite(cell):
            page.write_number(i, j, float(cell), self.form(num_format=self.kinds[kind], **look))
        return 12

    def summarise(self, findings: Findings) -> None:
        """Write the answer, its key figures, the chart, the windows, the checks, and notes."""
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
        notes = [note for note in asides(findings) if note != second]
        self.cell(page, 3, 0, f"{title_of(findings)}. {source_line(findings)}", color=MUTED)
        for j, key in zip((0, 1, 3, 5, 6), key_figures(findings), strict=False):
            self.cell(page, 5, j, key.label, color=MUTED, size=10, text_wrap=True)
            self.cell(page, 6, j, key.value, bold=True, size=16)
            self.cell(page, 7, j, key.remark, color=MUTED, size=9, text_wrap=True)
        row, implied = 9, findings.sample.implied
        if implied is not None:
            self._chart(page, row, implied, f"{head} {sentence}")
            row += 19
        if findings.setup.n_used:
            lines = list_tests(findings)[0].lines
            main = next(i for i, line in enumerate(lines) if line.is_main)
            for name, column in NAMES.items():
                self.book.define_name(name, f"='{page.get_name()}'!${column}${row + 2 + main}")
            rows = [
                (t.name, *_numbers(t.effect), t.pvalue, t.rate_range or t.false_alarms)
                for t in lines
            ]
            row = self._block(page, row, "summary_windows", "trrrps", rows, main)
            checks = [
                (c.name, *_numbers(c.effect), c.p_range or c.pvalue) for c in list_checks(findings)
            ]
            row = self._block(page, row, "summary_checks", "trrrp", checks) if checks else row
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

    def _block(
        self, page: Worksheet, row: int, code: str, kinds: str, rows: Rows, shaded: int = -1
    ) -> int:
        """Write a table of the first sheet; return the row below it, and one more."""
        for j, head in enumerate(say(f"workbook.{code}").split("|")):
            self.cell(page, row, j, head, color=MUTED, bottom=1, text_wrap=True)
        for i, cells in enumerate(rows):
            row, look = row + 1, {"bg_color": MAIN} if i == shaded else {}
            for j, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
                self.cell(page, row, j, cell, kind, **look)
        return row + 2

    def _chart(self, page: Worksheet, row: int, implied: ImpliedPath, text: str) -> None:
        """Draw the path as a chart that can be edited; its numbers are on the sheet of the path."""
        sheet = say("workbook.path.title")
        low, high = implied.implied - implied.half, implied.implied + implied.half
        low_end, high_end = roomy([implied.shares, low, high], zero=False)
        area = self.book.add_chart({"type": "area", "subtype": "stacked"})
        line, n = self.book.add_chart({"type": "line"}), len(implied.days)
        bare, last = {"none": True}, [{"delete": True}] * (n - 1)
        labels = {"series_name": True, "value": False, "position": "right", "custom": last}
        dash = {"line": {"color": MUTED, "width": 1.5, "dash_type": "dash"}, "data_labels": labels}
        full = {"line": {"color": BLUE, "width": 2.25}, "data_labels": labels}
        for chart, column, code, look in (
            (area, 4, "workbook.low", {"fill": bare, "border": bare}),
            (area, 5, "figure.band", {"fill": {"color": BAND}, "border": bare}),
            (line, 2, f"figure.implied_{implied.by}", dash), (line, 1, "figure.shares", full),
        ):  # fmt: skip
            ends = {"categories": [sheet, 1, 0, n, 0], "values": [sheet, 1, column, n, column]}
            chart.add_series({"name": say(code), **ends, **look})
        area.combine(line)
        area.set_title({"none": True})
        area.set_legend({"none": True})
        scale = {"min": low_end, "max": high_end, "num_format": "0"}
        area.set_y_axis({**scale, "name": say("workbook.level")})
        area.set_x_axis({"name": say("workbook.day"), "label_position": "low"})
        page.insert_chart(row, 0, area, {"description": text[:400], "x_scale": 2, "y_scale": 1.25})
