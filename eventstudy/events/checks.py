"""All rows of the events file at once: whatever several rows have in common is judged once."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

import numpy as np

from ..calendars import CalendarChoice, Sessions, Symbol
from ..errors import ConfigError, Problem
from ..files import (
    OUTCOME,
    DateOrder,
    SecurityColumns,
    Sheet,
    TextColumn,
    bare,
    misread_numbers,
    strip,
)
from ..utility import DateArray, Flag, IntArray, did_you_mean
from ..words import make_error, say, words
from . import rows as one_row
from .announcements import told_time
from .documents import note_documents
from .rows import Row, Rules, check_benchmark, check_day0, check_ticker

_ALIASES = {
    "ticker": ("symbol", "ric", "stock", "code", "permno", "security"),
    "announced_at": (
        "date", "eventdate", "announced", "announcement", "announcementdate", "timestamp",
        "datum",
    ),
    "tz": ("timezone", "zone"),
}  # fmt: skip
# The name of a column of times of day, with nothing between its words.
_OF_TIMES = re.compile(
    r"(release|announce(d|ment)?|ann|news|publi(c|shed|cation)|event|report(ed|ing)?|earnings|market"
    r"|trading|local)?(times?|timing|tims|session|hours?|clock|partofday)"
    r"(of(day|release|announcement|news|event))?(et|est|edt|cet|utc|gmt|ny|local)?"
)
# Those that are taken for them where a table is given in Python.
UNDERSTOOD = ("symbol", "date", "eventdate")
# Columns that split events into groups where they are there; their cells are stripped.
GROUPS = ("group", "direction")
# The sessions that could be day 0, joined by ";", of events where these are several.
CANDIDATES = "day0_candidates"
# What a run writes in their place; day0 and flags of the user are heeded.
REPLACED = ("exchange", CANDIDATES, "benchmark_named", "status", "reason", "nobs")
# Dates in lists of events by PERMNO and other identifiers.
SAS_DATES = ("%Y%m%d", "%d%b%Y")
# Of a market value, which is a number whatever else the column holds.
SIZE = "mcap"
# A longer way from an announcement to day 0 than any holiday.
SHUT = np.timedelta64(10, "D")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
# So small a group may be a misspelt larger one that is so alike, with the same first letter,
# numbers and single letters. Among more groups none is looked for.
SMALL_GROUP, MISSPELT, MANY_GROUPS = 2, 0.85, 100
_MARK = re.compile(r"\d+|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
Faults = dict[int, list[Problem]]


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """The rows without a fault.

    Attributes
    ----------
    columns_in : list of str
        Columns of the input in their order.
    cells : mapping of str to TextColumn
        Their cells, and those of ``event_id``, ``exchange``, ``day0_candidates`` and ``flags``.
    day0 : (n,) datetime64[D] array
    notices : tuple of str
        What may not mean what was meant, though it is no fault.
    source, sha256, calendar : str
        As :class:`Events` has them.
    """

    columns_in: list[str]
    cells: Mapping[str, TextColumn]
    day0: DateArray
    notices: tuple[str, ...] = ()
    source: str = ""
    sha256: str = ""
    calendar: CalendarChoice = "exchange"

    def __len__(self) -> int:
        return len(self.day0)

    def column(self, name: str) -> TextColumn:
        """Return a column; of empty cells where there is none of that name."""
        return self.cells[name] if name in self.cells else TextColumn.blank(len(self))


def check_sheet(sheet: Sheet, rules: Rules) -> tuple[Checked | None, list[Problem]]:
    """Return the rows of a sheet that are good, and every fault of the others.

    Parameters
    ----------
    sheet : Sheet
    rules : Rules

    Returns
    -------
    checked : Checked or None
        The rows without a fault; None where there are none, or the header is faulty.
    problems : list of Problem
        Every fault, by line.
    """
    columns, problems = _check_header(sheet.header, sheet.names)
    if not set(one_row.REQUIRED) <= set(columns):
        return None, problems
    if not len(sheet.lines) and not sheet.odd:
        problems.append(Problem(sheet.header, "", "there are no events below the header"))
    named = zip(columns, sheet.columns, strict=True)
    trimmed = (*one_row.KNOWN, *GROUPS)
    cells = {n: column.changed(strip) if n in trimmed else column for n, column in named}
    problems += _times_apart(sheet.header, cells)
    rules = rules.for_stamps(cells["announced_at"].texts)
    judged, day0, faults = _judge(cells, len(sheet.lines), rules)
    ids = _named(cells, day0, sheet.lines, faults)
    row_faults = [replace(p, line=int(sheet.lines[i])) for i in faults for p in faults[i]]
    row_faults += sheet.odd_rows()
    good = np.array([i not in faults for i in range(len(sheet.lines))], dtype=bool)
    checked = None
    if good.any() and not problems:
        rows = np.flatnonzero(good)
        selected = {name: column.take(rows) for name, column in {**cells, **judged}.items()}
        derived = {"event_id": TextColumn.of([ids[i] for i in rows])}
        notices = notices_of({name: selected[name] for name in columns}, rules.calendar)
        merged = _note_merged(selected, day0[rows], list(derived["event_id"]))
        misspelt = _note_misspelt(selected, sheet.lines[rows])
        notices = (*sheet.notices, *notices, *misspelt, *_note_shut(selected, day0[rows]), *merged)
        notices += tuple(_note_indices(selected))
        if rules.calendar == "exchange":
            notices += note_documents(selected, day0[rows], derived["event_id"].texts)
        checked = Checked(columns, {**selected, **derived}, day0[rows], notices)
    return checked, sorted([*problems, *row_faults], key=lambda fault: fault.line)


def with_known_names(sheet: Sheet, chosen: Mapping[str, str]) -> Sheet:
    """Return a sheet whose columns of tickers and dates have their names, with a notice of each.

    Parameters
    ----------
    sheet : Sheet
    chosen : mapping of str to str
        The column that is meant by ``ticker`` and ``announced_at``; "" or none: the one with this
        name, or with a usual one.

    Raises
    ------
    ConfigError
        If there is no such column, or several that may be meant.
    """
    names = list(map(strip, sheet.names))
    notices = list(sheet.notices)
    columns = list(sheet.columns)
    by_identifier = bool(SecurityColumns(names).in_place_of_ticker)
    for wanted in one_row.REQUIRED:
        name = _meant(wanted, chosen.get(wanted, ""), names)
        if by_identifier and wanted == "announced_at" and name in names:
            columns[names.index(name)] = columns[names.index(name)].changed(_iso_date)
        if name != wanted:
            names[names.index(name)] = wanted
            is_ticker = wanted == "ticker" and by_identifier
            code = "events.read_as_identifier" if is_ticker else "events.read_as"
            notices.append(say(code, column=repr(name), name=wanted))
    if "announced_at" in names:
        place = names.index("announced_at")
        columns[place], order = _with_iso_dates(columns[place])
        if order:
            notices.append(say(f"events.{order}_first"))
    return replace(sheet, names=names, columns=columns, notices=notices)


def names_events(names: list[str], chosen: Mapping[str, str]) -> bool:
    """Return whether a header names the columns that events need.

    Parameters
    ----------
    names : list of str
    chosen : mapping of str to str
        As for `with_known_names`.
    """
    names = list(map(strip, names))
    return all(
        chosen[wanted] in names if chosen.get(wanted) else _usual(wanted, names)
        for wanted in one_row.REQUIRED
    )


def _with_iso_dates(column: TextColumn) -> tuple[TextColumn, str]:
    """Return dates as ISO 8601 has them, where their file proves it, and what came first."""
    order = DateOrder.of(column.texts)
    return column.changed(order.iso), order.first


def _iso_date(text: str) -> str:
    """Return a date as SAS and CRSP write it, 20120229 or 29FEB2012, as ISO 8601 has it."""
    for form in SAS_DATES:
        with suppress(ValueError):
            return dt.datetime.strptime(text.strip(), form).date().isoformat()  # noqa: DTZ007
    return text


def _usual(wanted: str, names: list[str]) -> list[str]:
    """Return the names that may mean a needed column: itself, or else usual ones."""
    columns = list(map(_canonical, names))
    if wanted in columns:
        return [wanted]
    identifier = SecurityColumns(names).in_place_of_ticker if wanted == "ticker" else ""
    usual = [c for c in _aliases(wanted, columns) if bare(c) in UNDERSTOOD]
    return usual or list(filter(None, [identifier]))


def _meant(wanted: str, chosen: str, names: list[str]) -> str:
    """Return which name means a needed column; the needed one where none does."""
    usual = _usual(wanted, names)
    if chosen and chosen not in names:
        facts: Any = {"remedy": did_you_mean(chosen, names), "names": names}
        raise make_error(ConfigError, "events.no_column", value=chosen, **facts)
    if chosen not in ("", wanted) and usual == [wanted]:
        raise make_error(ConfigError, "events.two_columns", value=chosen, wanted=wanted)
    if not chosen and len(usual) > 1:
        option = "date" if wanted == "announced_at" else wanted
        either = f" or --{option} ".join(usual)
        facts = {"wanted": wanted, "option": option, "first": repr(usual[0]), "either": either}
        raise make_error(ConfigError, "events.several_columns", value=", ".join(usual), **facts)
    return chosen or (usual[0] if usual else wanted)


def _check_header(line: int, names: list[str]) -> tuple[list[str], list[Problem]]:
    """Return the columns, known ones in lower case, and the faults of the header."""
    columns = list(map(_canonical, names))
    problems = []
    for i, column in enumerate(columns):
        if not column:
            remedy = "" if i else say("events.index")
            problems.append(Problem(line, "", say("events.nameless", n=i + 1), None, remedy))
        elif column in columns[:i]:
            problems.append(Problem(line, column, say("events.named_twice", n=i + 1)))
        elif one_row.CONTROL.search(column):
            problems.append(Problem(line, "", say("events.control"), one_row.short(column)))
    lacking = {name: _rename(name, columns) for name in one_row.REQUIRED if name not in columns}
    problems += [Problem(line, n, "column is missing", None, hint) for n, hint in lacking.items()]
    if "tz" not in columns and (alias := next(iter(_aliases("tz", columns)), "")):
        problems.append(Problem(line, alias, "column is unknown", remedy="rename it to 'tz'"))
    return columns, problems


def _times_apart(line: int, cells: Mapping[str, TextColumn]) -> Iterator[Problem]:
    """Yield a fault for each column of times that nothing would read, beside bare dates."""
    stamps = cells["announced_at"]
    is_bare = np.array([bool(_ISO.fullmatch(text)) for text in stamps.texts], bool)[stamps.codes]
    for name in {"when", "day0"} & cells.keys():
        is_bare &= np.array([not text for text in cells[name].texts], bool)[cells[name].codes]
    for name, column in cells.items():
        key = re.sub(r"\W", "", bare(name))
        if not _OF_TIMES.fullmatch(key):
            continue
        # A column of hours has numbers such as 16.
        minutes = ":00" if key.endswith("hour") else ""
        texts = map(strip, column.texts)
        told = [told_time(f"{text}{minutes}" if text.isdigit() else text) for text in texts]
        is_told = np.array([bool(part) for part in told], bool)[column.codes]
        apart = np.flatnonzero(is_bare & is_told)
        if len(apart):
            code, stamp = column.codes[apart[0]], stamps.codes[apart[0]]
            remedy = say(f"events.apart.{told[code]}", day=stamps.texts[stamp])
            yield Problem(line, name, say("events.apart"), column.texts[code], remedy)


def _canonical(name: str) -> str:
    bare = strip(name).strip('"')
    return bare.lower() if bare.lower() in one_row.KNOWN else bare


def _rename(wanted: str, columns: list[str]) -> str:
    spare = [c for c in columns if c and c not in (*one_row.REQUIRED, *one_row.OPTIONAL)]
    close = [*_aliases(wanted, spare), *difflib.get_close_matches(wanted, spare, 1)]
    for alias in close[:1]:
        return f"rename {alias!r} to {wanted!r}"
    if wanted == "ticker" and "lei" in map(str.lower, columns):
        return say("events.lei")
    return "the first line must name " + " and ".join(one_row.REQUIRED)


def _aliases(wanted: str, columns: list[str]) -> list[str]:
    return [c for c in columns if bare(c) in _ALIASES[wanted]]


def _judge(
    cells: Mapping[str, TextColumn], n: int, rules: Rules
) -> tuple[dict[str, TextColumn], DateArray, Faults]:
    """Return exchange, candidates and flags of each row, day 0 (NaT where unknown), and faults."""
    faults: Faults = {}
    for name, column in cells.items():
        control = [one_row.control_characters(name, text) for text in column.texts]
        _spread(control, column.codes, faults)
    first, traded = _judged(cells, ["ticker"], n, lambda row: check_ticker(row, rules), faults)
    _judged(cells, ["benchmark", "ticker"], n, lambda row: check_benchmark(row, rules), faults)
    codes = [row.exchange.code if row.exchange else "" for row in first]
    exchanges = {code: row.exchange for code, row in zip(codes, first, strict=True)}
    exchange = TextColumn.coded(codes, traded)

    def day0_of(row: Row) -> None:
        row.exchange = exchanges[row["exchange"]]
        check_day0(row, rules)

    dated_by = {**cells, "exchange": exchange}
    names = ["announced_at", "tz", "when", "day0", "flags", "exchange"]
    dated, day = _judged(dated_by, names, n, day0_of, faults)
    day0 = np.array([row.day0 for row in dated], dtype="datetime64[D]")[day]
    raised = TextColumn.coded([";".join(row.flags) for row in dated], day)
    flags = _joined_flags(cells.get("flags", TextColumn.blank(n)), raised)
    candidates = TextColumn.coded([";".join(map(str, row.candidates)) for row in dated], day)
    return {"exchange": exchange, CANDIDATES: candidates, "flags": flags}, day0, faults


def _judged(
    cells: Mapping[str, TextColumn], names: Sequence[str], n: int, check: Callable[[Row], None],
    faults: Faults,
) -> tuple[list[Row], IntArray]:  # fmt: skip
    """Judge each combination of cells in some columns once.

    Returns the combinations and which of them each row has; their faults are added to those of the
    rows.
    """
    columns = {name: cells.get(name, TextColumn.blank(n)) for name in names}
    first, number = TextColumn.combine(*(column.codes for column in columns.values()))
    combinations = zip(*(column.take(first) for column in columns.values()), strict=True)
    rows = [Row(dict(zip(names, texts, strict=True))) for texts in combinations]
    for row in rows:
        check(row)
    _spread([row.problems for row in rows], number, faults)
    return rows, number


def _spread(faults_of: Sequence[Sequence[Problem]], number: IntArray, faults: Faults) -> None:
    """Add the faults of combinations to those of the rows that have them."""
    bad = np.array([len(group) > 0 for group in faults_of], dtype=bool)
    if bad.any():
        for i in np.flatnonzero(bad[number]).tolist():
            faults.setdefault(i, []).extend(faults_of[number[i]])


def _joined_flags(first: TextColumn, second: TextColumn) -> TextColumn:
    """Return the words of two columns of n rows, each once."""
    rows, number = TextColumn.combine(first.codes, second.codes)
    cells = map(";".join, zip(first.take(rows), second.take(rows), strict=True))
    return TextColumn.coded([";".join(dict.fromkeys(Flag.of(cell))) for cell in cells], number)


def _note_merged(cells: Mapping[str, TextColumn], day0: DateArray, ids: list[str]) -> list[str]:
    """Return a notice on announcements that are one event: of one listing with one day 0."""
    days = day0.astype(np.int64)
    first, number = TextColumn.combine(cells["ticker"].codes, days - days.min(initial=0))
    groups = {name: list(cells[name]) for name in GROUPS if name in cells}
    merged = np.flatnonzero(first[number] != np.arange(len(ids))).tolist()
    names = []
    for i in merged:
        same = first[number[i]]
        texts = (
            f"{name} {column[i]!r}" for name, column in groups.items() if column[i] != column[same]
        )
        facts = {"event": ids[i], "first": ids[same], "differs": " and ".join(texts)}
        code = "other_kind" if facts["differs"] else "one"
        names.append(say(f"events.merged.{code}", **facts))
    return [say("events.merged", n=len(merged), names=words().and_more(names))] if merged else []


def _named(
    cells: Mapping[str, TextColumn], day0: DateArray, lines: IntArray, faults: Faults
) -> list[str]:
    """Return the id of each row, made where there is none; add a fault where it repeats."""
    ids = list(cells.get("event_id", TextColumn.blank(len(lines))))
    rows: dict[str, int] = {}
    for i, name in enumerate(ids):
        if name and (first := rows.setdefault(name, i)) != i:
            reason = f"is already used on line {lines[first]}"
            fault = Problem(int(lines[i]), "event_id", reason, one_row.short(name))
            faults.setdefault(i, []).append(fault)
    days, number = np.unique(day0, return_inverse=True)
    written = days.astype(str)
    for i, (ticker, day) in enumerate(zip(cells["ticker"], number.tolist(), strict=True)):
        if not ids[i] and i not in faults:
            stem = f"{ticker}-{written[day]}"
            further = (f"{stem}-{k}" for k in count(2))
            ids[i] = next(name for name in chain([stem], further) if name not in rows)
            rows[ids[i]] = i
    return ids


def notices_of(cells: Mapping[str, TextColumn], calendar: CalendarChoice) -> tuple[str, ...]:
    """Return what is to be said of the good rows of a file, given its columns by name.

    Parameters
    ----------
    cells : mapping of str to TextColumn
    calendar : {"exchange", "data"}
    """
    out = []
    replaced = [name for name in REPLACED if name in cells]
    if replaced and not set(OUTCOME) <= set(cells):
        out.append(say("events.replaced", names=replaced))
    odd = [text for text in cells["ticker"].texts if Symbol(text).kind != "share"]
    if odd and calendar == "exchange":
        out.append(say("events.no_share", names=words().and_more(odd)))
        if hours := dict.fromkeys(filter(None, map(_hours_of, odd))):
            out.append(say("events.own_hours", hours=hours))
    for name, column in cells.items():
        if odd := misread_numbers(column.texts, has_numbers=name == SIZE):
            listed = words().and_more(map(repr, odd))
            out.append(say("events.no_numbers", column=name, cells=listed))
    for name in GROUPS:
        if name in cells:
            out += note_alike(name, cells[name].texts)
    if "company" in cells:
        out += _note_companies(cells["ticker"], cells["company"])
    return tuple(out)


def _hours_of(symbol: str) -> str:
    """Return when the days of a symbol that is no share end; "" for an index of shares."""
    home = Symbol(symbol).home
    if home is None or home.calendar is None or home.kind == "share":
        return ""
    _, time, *zone = home.calendar.split(" ")
    tz = zone[0] if zone else Sessions.of(home.calendar).tz
    return say("events.hours", name=home.name, end=f"{time} {tz}")


def _note_shut(cells: Mapping[str, TextColumn], day0: DateArray) -> list[str]:
    """Return a notice on events whose exchange was shut for long after their announcement."""
    stamps = cells["announced_at"]
    days = [text[:10] if _ISO.match(text) else "NaT" for text in stamps.texts]
    announced = np.array(days, dtype="datetime64[D]")[stamps.codes]
    late = np.flatnonzero(day0 - announced > SHUT)
    tickers = list(cells["ticker"])
    named = [f"{tickers[i]} on {announced[i]} (day 0 is {day0[i]})" for i in late]
    return [say("events.shut", names=words().and_more(named))] * bool(named)


def note_alike(column: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield a notice for each set of groups whose names differ in case and white space only.

    Parameters
    ----------
    column : str
    texts : iterable of str
        Its distinct cells.
    """
    spellings: dict[str, list[str]] = {}
    for text in texts:
        spellings.setdefault(" ".join(text.split()).casefold(), []).append(text)
    for names in spellings.values():
        if len(names) > 1:
            yield say("events.alike", column=column, names=map(repr, names))


def _note_companies(tickers: TextColumn, companies: TextColumn) -> Iterator[str]:
    """Yield a notice if tickers have several companies, but for case and white space."""
    names: dict[str, dict[str, str]] = {}
    for ticker, company in dict.fromkeys(zip(tickers, companies, strict=True)):
        key = " ".join(company.split()).casefold()
        if key:
            names.setdefault(ticker, {}).setdefault(key, company)
    several = []
    for ticker, each in names.items():
        if len(each) > 1:
            several.append(f"{ticker} ({words().listed(map(repr, each.values()))})")
    if several:
        yield say("events.companies", n=len(several), names=words().and_more(several))


def _note_indices(cells: Mapping[str, TextColumn]) -> Iterator[str]:
    """Yield a notice for each column of index symbols in a list that names no benchmarks."""
    for name, column in cells.items() if "benchmark" not in cells else ():
        texts = list(filter(None, column.texts))
        if texts and name not in one_row.KNOWN and all(text.startswith("^") for text in texts):
            yield say("events.indices", column=repr(name), first=repr(texts[0]))


def _note_misspelt(cells: Mapping[str, TextColumn], lines: IntArray) -> Iterator[str]:
    """Yield a notice for each small group whose name is nearly that of a larger one."""
    for name in GROUPS:
        column = cells.get(name, TextColumn.blank(len(lines)))
        sizes = np.bincount(column.codes, minlength=len(column.texts)).tolist()
        groups = dict(zip(column.texts, sizes, strict=True))
        marks = {text: [text[:1], *_MARK.findall(text)] for text in groups}
        for code, (text, size) in enumerate(groups.items()):
            if not 0 < size <= SMALL_GROUP or len(groups) > MANY_GROUPS:
                continue
            others = [t for t, n in groups.items() if n > size and marks[t] == marks[text]]
            if hint := did_you_mean(text, others, like=MISSPELT):
                line = lines[np.argmax(column.codes == code)]
                yield say("events.misspelt", line=line, column=name, text=repr(text), hint=hint)
