"""All rows of the events file at once: whatever several rows have in common is judged once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import Problem
from ..utility.typing import DateArray, IntArray
from .announcements import MIDNIGHT
from .cells import WHOLE_ROW, Column, Sheet, distinct
from .csvfile import strip
from .header import check_header
from .notices import GROUPS, notices_of
from .rows import (
    KNOWN,
    REQUIRED,
    Row,
    Rules,
    check_benchmark,
    check_day0,
    check_ticker,
    control_characters,
    short,
)

Faults = dict[int, list[Problem]]


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """The rows without a fault.

    Attributes
    ----------
    columns_in : list of str
        Columns of the input in their order.
    cells : mapping of str to Column
        Their cells, and those of ``event_id``, ``exchange`` and ``flags``.
    day0 : (n,) datetime64[D] array
    notices : tuple of str
        What may not mean what was meant, though it is no fault.
    """

    columns_in: list[str]
    cells: Mapping[str, Column]
    day0: DateArray
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.day0)

    def column(self, name: str) -> Column:
        """Return a column; of empty cells where there is none of that name."""
        return self.cells[name] if name in self.cells else Column.blank(len(self))


def check_sheet(sheet: Sheet, rules: Rules) -> tuple[Checked | None, list[Problem]]:
    """Check all rows.

    Returns
    -------
    checked : Checked or None
        The rows without a fault; None where there are none, or the header is faulty.
    problems : list of Problem
        Every fault, by line.
    """
    columns, problems = check_header(sheet.header, sheet.names)
    if not set(REQUIRED) <= set(columns):
        return None, problems
    if not len(sheet.lines) and not sheet.odd:
        problems.append(Problem(sheet.header, WHOLE_ROW, "there are no events below the header"))
    given = zip(columns, sheet.columns, strict=True)
    cells = {
        name: column.changed(strip) if name in (*KNOWN, *GROUPS) else column
        for name, column in given
    }
    stamps = cells["announced_at"].texts
    rules = replace(rules, dates_only=len(stamps) > 1 and all(map(MIDNIGHT.search, stamps)))
    exchange, flags, day0, faults = _judge(cells, len(sheet.lines), rules)
    _note_repeats(cells["ticker"], day0, sheet.lines, faults)
    ids = _named(cells, day0, sheet.lines, faults)
    found = [replace(p, line=int(sheet.lines[i])) for i, own in faults.items() for p in own]
    found += sheet.odd_rows()
    good = np.array([i not in faults for i in range(len(sheet.lines))], dtype=bool)
    checked = None
    if good.any() and not problems:
        rows = np.flatnonzero(good)
        taken = {
            name: column.take(rows) for name, column in (*cells.items(), ("exchange", exchange))
        }
        own = {"event_id": Column.of([ids[i] for i in rows]), "flags": flags.take(rows)}
        said = notices_of({name: taken[name] for name in columns}, rules.calendar)
        checked = Checked(columns, {**taken, **own}, day0[rows], (*sheet.notices, *said))
    return checked, sorted([*problems, *found], key=lambda p: p.line)


def _judge(
    cells: Mapping[str, Column], n: int, rules: Rules
) -> tuple[Column, Column, DateArray, Faults]:
    """Return exchange, flags and day 0 (NaT where unknown) of each row, and the faults by row."""
    faults: Faults = {}
    for name, column in cells.items():
        found = [control_characters(name, text) for text in column.texts]
        _spread(found, column.codes, faults)
    first, traded = _judged(cells, ["ticker"], n, lambda row: check_ticker(row, rules), faults)
    _judged(cells, ["benchmark", "ticker"], n, lambda row: check_benchmark(row, rules), faults)
    exchanges = {row.exchange.code if row.exchange else "": row.exchange for row in first}
    exchange = Column.of([row.exchange.code if row.exchange else "" for row in first])
    exchange = Column(exchange.codes[traded], exchange.texts)

    def day0_of(row: Row) -> None:
        row.exchange = exchanges[row["exchange"]]
        check_day0(row, rules)

    own = {**cells, "exchange": exchange}
    dated, day = _judged(own, ["announced_at", "tz", "day0", "exchange"], n, day0_of, faults)
    day0 = np.array([row.day0 for row in dated], dtype="datetime64[D]")[day]
    words = Column.of([";".join(row.flags) for row in dated])
    flags = _joined_flags(
        cells.get("flags", Column.blank(n)), Column(words.codes[day], words.texts)
    )
    return exchange, flags, day0, faults


def _judged(
    cells: Mapping[str, Column],
    names: Sequence[str],
    n: int,
    check: Callable[[Row], None],
    faults: Faults,
) -> tuple[list[Row], IntArray]:
    """Judge each combination of cells in some columns once.

    Returns the combinations and which of them each row has; their faults are added to those of the
    rows.
    """
    columns = {name: cells.get(name, Column.blank(n)) for name in names}
    first, number = distinct(*(column.codes for column in columns.values()))
    texts = [
        map(column.texts.__getitem__, column.codes[first].tolist()) for column in columns.values()
    ]
    rows = [Row(dict(zip(names, own, strict=True))) for own in zip(*texts, strict=True)]
    for row in rows:
        check(row)
    _spread([row.problems for row in rows], number, faults)
    return rows, number


def _spread(found: Sequence[Sequence[Problem]], number: IntArray, faults: Faults) -> None:
    """Add the faults of combinations to those of the rows that have them."""
    bad = np.array([len(own) > 0 for own in found], dtype=bool)
    if bad.any():
        for i in np.flatnonzero(bad[number]).tolist():
            faults.setdefault(i, []).extend(found[number[i]])


def _joined_flags(given: Column, own: Column) -> Column:
    """Return the words of two columns, each once."""
    first, number = distinct(given.codes, own.codes)
    texts = []
    for i in first:
        both = f"{given.texts[given.codes[i]]};{own.texts[own.codes[i]]}"
        words = dict.fromkeys(word.strip() for word in both.split(";"))
        texts.append(";".join(word for word in words if word))
    joined = Column.of(texts)
    return Column(joined.codes[number], joined.texts)


def _note_repeats(ticker: Column, day0: DateArray, lines: IntArray, faults: Faults) -> None:
    """Add a fault to each row whose ticker and day 0 an earlier row has."""
    named = np.array([text != "" for text in ticker.texts], dtype=bool)
    rows = np.flatnonzero(named[ticker.codes] & ~np.isnat(day0))
    days = day0[rows].astype(np.int64)
    first, number = distinct(ticker.codes[rows], days - days.min(initial=0))
    earlier = rows[first[number]]
    for i, same in zip(
        rows[rows != earlier].tolist(), earlier[rows != earlier].tolist(), strict=True
    ):
        what = f"has the same day 0 ({day0[i]}) as the event on line {lines[same]}"
        value = short(ticker.texts[ticker.codes[i]])
        fault = Problem(int(lines[i]), "ticker", what, value, "keep one row per listing and day 0")
        faults.setdefault(i, []).append(fault)


def _named(
    cells: Mapping[str, Column], day0: DateArray, lines: IntArray, faults: Faults
) -> list[str]:
    """Return the id of each row; add a fault where it is used already, make one where there is
    none."""
    ids = list(cells.get("event_id", Column.blank(len(lines))))
    seen: dict[str, int] = {}
    for i, name in enumerate(ids):
        if name and (first := seen.setdefault(name, i)) != i:
            what = f"is already used on line {lines[first]}"
            faults.setdefault(i, []).append(Problem(int(lines[i]), "event_id", what, short(name)))
    days, number = np.unique(day0, return_inverse=True)
    written = days.astype(str)
    for i, (name, ticker, day) in enumerate(
        zip(ids, cells["ticker"], number.tolist(), strict=True)
    ):
        if not name and i not in faults:
            name = f"{ticker}-{written[day]}"
            ids[i] = name = _unused(name, seen) if name in seen else name
            seen[name] = i
    return ids


def _unused(stem: str, taken: Iterable[str]) -> str:
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}-{count}"
    return name
