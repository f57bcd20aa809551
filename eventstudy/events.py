"""The events file: every row checked, every fault of every row told at once, then one table of events."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import difflib
import hashlib
import html
import io
import math
import os
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from .calendars import (
    EXCHANGES,
    Announcement,
    Exchange,
    day0_position,
    exchange_of,
    known_zones,
    sessions,
    suffix_of,
    to_instant,
)
from .errors import ConfigError, DataError, EventsFileError, EventStudyError, Problem
from .registry import did_you_mean
from .typing import BoolArray, CalendarChoice, IntArray

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("ticker", "announced_at")
OPTIONAL = ("event_id", "tz", "benchmark", "day0")
FIXED = ("event_id", "ticker", "announced_at", "tz", "exchange", "benchmark", "day0", "flags")
FIRST_YEAR, LAST_YEAR = 1950, 2100

_ALIASES = {
    "ticker": ("symbol", "ric", "stock", "code", "permno", "security"),
    "announced_at": ("date", "eventdate", "announced", "announcement", "announcementdate", "timestamp"),
    "tz": ("timezone", "zone"),
}  # fmt: skip
_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9&=_-]*(\.[A-Z0-9]+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?) ?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
_OTHER_DATE = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?:[T ].*)?", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ZERO_WIDTH = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_DIGITS_IN_CODE = {"SS": 6, "SZ": 6, "HK": 4, "KS": 6, "KQ": 6}
_SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet (.xlsx)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (.xls)",
    b"\x1f\x8b": "compressed (.gz)",
    b"\xff\xfe": "encoded as UTF-16",
    b"\xfe\xff": "encoded as UTF-16",
}
_SAVE_AS = "save it as 'CSV UTF-8'"
_WHOLE_ROW = "-"


@dataclass(frozen=True, eq=False)
class Events:
    """Events in the order of the file; the row position is the only key.

    Attributes
    ----------
    table : DataFrame, shape (n_events, ...)
        One row per announcement and listing, index 0, 1, 2 ... Columns: ``event_id``, ``ticker``,
        ``announced_at`` (as in the file), ``tz``, ``exchange`` (market identifier code), ``benchmark``,
        ``day0`` (session date without a zone, ``datetime64[s]``), ``flags`` (words joined by ``;``), then
        every other column of the file as text. An empty cell is ``""``.
    source : str
        File name, or ``"frame"``.
    sha256 : str
        Hash of the file's bytes, or of the frame written as CSV.
    columns_in : tuple of str
        Columns of the input in their order.

    Notes
    -----
    Flags: ``time_unknown``, the stamp is a date without an hour; ``day0_given``, the
    file's day 0 differs from the one the clock gives. Words of an input column ``flags`` are kept.
    """

    table: pd.DataFrame
    source: str
    sha256: str
    columns_in: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Events({len(self)} events, {len(self.symbols)} tickers, source={self.source!r})"

    def _repr_html_(self) -> str:
        body: str = self.table.to_html(max_rows=20, escape=True)
        return f"<p>{html.escape(repr(self))}</p>\n{body}"

    @property
    def symbols(self) -> list[str]:
        """Tickers, each once, in order of first appearance."""
        return list(dict.fromkeys(self.table["ticker"]))

    def take(self, rows: BoolArray | IntArray | Sequence[bool] | Sequence[int]) -> Events:
        """Return the events at `rows`, numbered anew from 0.

        Parameters
        ----------
        rows : array, shape (n_events,) of bool or (m,) of int
            Mask, or positions in the order wanted.

        Raises
        ------
        DataError
            A mask of another length, or a position out of range.
        """
        wanted = np.asarray(rows)
        if wanted.dtype == bool:
            if wanted.shape != (len(self),):
                raise DataError(f"a mask of {len(self)} events is needed", value=wanted.shape)
            wanted = np.flatnonzero(wanted)
        wanted = wanted.astype(np.int64)
        if wanted.size and not (-len(self) <= wanted.min() and wanted.max() < len(self)):
            raise DataError(f"there are {len(self)} events", value=int(wanted.max()))
        return replace(self, table=self.table.iloc[wanted].reset_index(drop=True))


def read_events(
    path: str | os.PathLike[str],
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> Events:
    """Read an events file and find day 0 of each event.

    Parameters
    ----------
    path : path
        Text in UTF-8, a header line, cells separated by comma, semicolon, tab or ``|``. Needed columns:
        ``ticker`` and ``announced_at`` (a date, a timestamp with its offset, or one with a zone in ``tz``).
        Optional: ``event_id``, ``tz``, ``benchmark``, ``day0``. All other columns are kept as they are.
    calendar : {"exchange", "data"}
        ``"exchange"``: day 0 is a session of the ticker's exchange, told by its suffix. ``"data"``: any
        name is a ticker, and day 0 is the date itself until price data say which dates are sessions.
    today : date or datetime, optional
        Announcements after it are faults; default now.
    cutoff_minutes : float
        News in the last `cutoff_minutes` before a close belong to the next session.

    Raises
    ------
    EventsFileError
        The file has faults; all are listed.
    EventStudyError
        The file cannot be read.
    """
    found, problems = check_events(path, calendar=calendar, today=today, cutoff_minutes=cutoff_minutes)
    return _all_or_nothing(str(path), found, problems)


def check_events(
    path: str | os.PathLike[str],
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> tuple[Events | None, list[Problem]]:
    """Read an events file as far as it can be read.

    Parameters are those of `read_events`.

    Returns
    -------
    events : Events or None
        The rows without faults; None where there are none, or the header is faulty.
    problems : list of Problem
        Every fault, by line.

    Raises
    ------
    EventStudyError
        The file cannot be read.
    """
    rules = _Rules.of(calendar, today, cutoff_minutes)
    raw = _read_bytes(path)
    rows, problems = _split_bytes(raw)
    found, more = _check_rows(rows, rules, source=Path(path).name, sha256=hashlib.sha256(raw).hexdigest())
    return found, sorted([*problems, *more], key=lambda p: p.line)


def events_from_frame(
    frame: pd.DataFrame,
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> Events:
    """Return the events of a DataFrame, checked as in `read_events`.

    Missing values are empty cells; a date-time at midnight without a zone is a date. The line of a problem
    is the row's position + 2, its line in a CSV of the frame.

    Raises
    ------
    EventsFileError
        The frame has faults; all are listed.
    """
    rules = _Rules.of(calendar, today, cutoff_minutes)
    cells = [[_strip(str(name)) for name in frame.columns]]
    cells += [[_cell_text(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(cells)
    sha256 = hashlib.sha256(text.getvalue().encode("utf-8", "surrogatepass")).hexdigest()
    found, problems = _check_rows(list(enumerate(cells, 1)), rules, source="frame", sha256=sha256)
    return _all_or_nothing("frame", found, problems)


def parse_announcement(text: str, tz: str = "") -> Announcement:
    """Read a stamp: ``YYYY-MM-DD``, or an ISO 8601 timestamp with an offset or a zone.

    Parameters
    ----------
    text : str
        The stamp.
    tz : str
        IANA zone, ``""`` for none. With an offset in `text` the two must agree.

    Raises
    ------
    DataError
        The stamp is unreadable, before 1950, needs a zone, contradicts it, or names a time which the clocks
        of the zone skipped or showed twice.
    """
    stamp = _STAMP.fullmatch(text)
    if not stamp:
        return Announcement(date=_parse_date(text), tz=tz or None)
    day, time, offset = stamp.groups()
    _parse_date(day)
    wall = dt.datetime.fromisoformat(f"{day}T{time}")
    if offset:
        return Announcement(instant=_with_offset(wall, offset, tz), tz=tz or None)
    if not tz:
        remedy = "add its offset (e.g. -05:00 or Z), or a zone such as America/New_York in the column 'tz'"
        raise DataError("a time needs a time zone", value=text, remedy=remedy)
    return Announcement(instant=to_instant(wall, tz), tz=tz)


def _with_offset(wall: dt.datetime, offset: str, tz: str) -> dt.datetime:
    shift = "+00:00" if offset in "Zz" else f"{offset[:3]}:{offset[-2:]}"
    try:
        stamp = dt.datetime.fromisoformat(f"{wall.isoformat()}{shift}")
    except ValueError:
        raise DataError("there is no such offset from UTC", value=offset, remedy="e.g. -05:00") from None
    if tz:
        local = stamp.astimezone(zoneinfo.ZoneInfo(tz))
        if local.replace(tzinfo=None) != wall:
            what = f"the offset contradicts the zone {tz}, {local:%z} at that moment"
            raise DataError(what, value=f"{wall}{offset}", remedy="drop one of the two")
    return stamp.astimezone(dt.UTC)


def _parse_date(text: str) -> dt.date:
    """Return an ISO date within the years accepted."""
    if not _DATE.fullmatch(text):
        raise _unreadable(text)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise DataError("there is no such day", value=text, remedy="write YYYY-MM-DD") from None
    if day.year < FIRST_YEAR:
        raise DataError(f"is before {FIRST_YEAR}", value=text)
    if day.year > LAST_YEAR:
        raise DataError("is in the future", value=text)
    return day


def _unreadable(text: str) -> DataError:
    """Return the error for a text that is no ISO date, with the date it was probably meant to be."""
    if serial := _SERIAL.fullmatch(text):
        day = dt.date(1899, 12, 30) + dt.timedelta(days=int(serial[1]))
        return DataError("is a spreadsheet's day number", value=text, remedy=f"write the date, {day}")
    if parts := _OTHER_DATE.fullmatch(text):
        return _from_readings(text, sorted(_readings(*parts.groups())))
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        return _from_readings(text, sorted(_readings(text[:4], text[4:6], text[6:])))
    what = "is neither a date nor a timestamp"
    return DataError(what, value=text, remedy="write YYYY-MM-DD or YYYY-MM-DDTHH:MM with an offset")


def _from_readings(text: str, readings: list[dt.date]) -> DataError:
    if not readings:
        return DataError("there is no such day", value=text, remedy="write YYYY-MM-DD")
    if len(readings) > 1:
        either = " or ".join(f"{day} ({day.day} {day:%B})" for day in readings)
        return DataError("is ambiguous", value=text, remedy=f"write {either}")
    if text.startswith(str(readings[0])):
        remedy = "the time must be HH:MM or HH:MM:SS, 00:00 to 23:59:59, and an offset like -05:00"
        return DataError("there is no such time of day", value=text, remedy=remedy)
    return DataError("dates are written YYYY-MM-DD", value=text, remedy=f"write {readings[0]}")


def _readings(first: str, second: str, third: str) -> set[dt.date]:
    """Return the days that three numbers can mean."""
    orders = [(first, second, third)] if len(first) == 4 else [(third, second, first), (third, first, second)]
    days = set()
    for year, month, day in orders:
        century = {2: 2000, 4: 0}.get(len(year), -9999)
        with contextlib.suppress(ValueError):
            days.add(dt.date(century + int(year), int(month), int(day)))
    return days


@dataclass(frozen=True, slots=True)
class _Rules:
    """What holds for every row."""

    calendar: CalendarChoice
    today: dt.date
    cutoff_minutes: float

    @classmethod
    def of(cls, calendar: CalendarChoice, today: dt.date | None, cutoff_minutes: float) -> _Rules:
        if calendar not in get_args(CalendarChoice):
            known = " or ".join(map(repr, get_args(CalendarChoice)))
            raise ConfigError("unknown calendar", where="calendar", value=calendar, remedy=f"use {known}")
        now = dt.datetime.now(dt.UTC) if today is None else today
        if isinstance(now, dt.datetime) and now.tzinfo is None:
            now = now.replace(tzinfo=dt.UTC)
        return cls(calendar, now, cutoff_minutes)


@dataclass(slots=True)
class _Row:
    """One row and what is known of it so far."""

    line: int
    cells: dict[str, str]
    exchange: Exchange | None = None
    day0: dt.date | None = None
    flags: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def fault(self, column: str, what: str, value: object = None, remedy: str = "") -> None:
        shown = None if value is None else _short(str(value))
        self.problems.append(Problem(self.line, column, what, shown, remedy))

    def fault_of(self, column: str, error: DataError) -> None:
        self.fault(column, error.what, error.value, error.remedy)


_Lines = list[tuple[int, list[str]]]


def _all_or_nothing(path: str, found: Events | None, problems: list[Problem]) -> Events:
    if problems or found is None:
        raise EventsFileError(path, problems)
    return found


def _read_bytes(path: str | os.PathLike[str]) -> bytes:
    where = str(path)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        remedy = did_you_mean(Path(path).name, _names_beside(Path(path)))
        raise EventStudyError("there is no such file", where=where, remedy=remedy) from None
    except IsADirectoryError:
        raise EventStudyError("is a folder, not a file", where=where) from None
    except (OSError, ValueError) as error:
        raise EventStudyError(f"cannot be read ({error})", where=where) from None


def _names_beside(path: Path) -> list[str]:
    try:
        return [p.name for p in path.parent.iterdir() if p.is_file()]
    except OSError:
        return []


def _split_bytes(raw: bytes) -> tuple[_Lines, list[Problem]]:
    """Return the rows that are not empty, each with its first line, header first."""
    for signature, what in _SIGNATURES.items():
        if raw.startswith(signature):
            return [], [Problem(1, _WHOLE_ROW, f"the file is {what}", remedy=_SAVE_AS)]
    if raw.count(0) > len(raw) / 4:
        return [], [Problem(1, _WHOLE_ROW, "the file is encoded as UTF-16, or not text", remedy=_SAVE_AS)]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", raw[: error.start])) + 1
        byte = f"0x{raw[error.start]:02x}"
        return [], [Problem(line, _WHOLE_ROW, "the file is not UTF-8: unreadable byte", byte, _SAVE_AS)]
    return _split_text(text)


def _split_text(text: str) -> tuple[_Lines, list[Problem]]:
    rows: _Lines = []
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append(_broken_row(line, str(error)))
        else:
            if any(_strip(cell) for cell in cells):
                rows.append((line, cells))
    if not rows and not problems:
        remedy = "the first line names the columns, among them " + " and ".join(REQUIRED)
        problems.append(Problem(1, _WHOLE_ROW, "the file is empty", remedy=remedy))
    return rows, problems


def _broken_row(line: int, error: str) -> Problem:
    if "field limit" in error:
        what = f"a cell is longer than {csv.field_size_limit():,} characters"
        return Problem(line, _WHOLE_ROW, what, remedy="is a quote missing at the end of a cell?")
    if "end of data" in error:
        what = "a quote that opens in this row is never closed"
        return Problem(line, _WHOLE_ROW, what, remedy="the rows after it are lost in the cell")
    what = "the quotes of this row do not pair up"
    return Problem(line, _WHOLE_ROW, what, remedy="a quote inside a quoted cell is written twice")


def _delimiter(text: str) -> str:
    """Return the separator that makes the header readable, or else the one that cuts it into most cells."""
    header = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    cuts = {mark: [_canonical(name) for name in header.split(mark)] for mark in ",;\t|"}
    return max(cuts, key=lambda mark: (len(set(REQUIRED) & set(cuts[mark])), len(cuts[mark])))


def _check_rows(
    rows: _Lines, rules: _Rules, *, source: str, sha256: str
) -> tuple[Events | None, list[Problem]]:
    if not rows:
        return None, []
    (line, names), *body = rows
    columns, problems = _check_header(line, names)
    if not set(REQUIRED) <= set(columns):
        return None, problems
    if not body:
        problems.append(Problem(line, _WHOLE_ROW, "there are no events below the header"))
    checked = [_check_row(line, cells, columns, rules) for line, cells in body]
    whole = [row for row in checked if row.cells]
    _check_repeats(whole)
    _check_ids(whole)
    good = [] if problems else [row for row in whole if not row.problems]
    problems += [problem for row in checked for problem in row.problems]
    if not good:
        return None, problems
    return Events(_table(good, columns), source, sha256, tuple(columns)), problems


def _canonical(name: str) -> str:
    bare = _strip(name).strip('"')
    return bare.lower() if bare.lower() in (*REQUIRED, *OPTIONAL, "exchange", "flags") else bare


def _check_header(line: int, names: list[str]) -> tuple[list[str], list[Problem]]:
    """Return the columns, known ones in lower case, and the faults of the header."""
    columns = [_canonical(name) for name in names]
    problems = []
    for i, column in enumerate(columns):
        if not column:
            problems.append(Problem(line, _WHOLE_ROW, f"column {i + 1} of the header has no name"))
        elif column in columns[:i]:
            problems.append(Problem(line, column, f"the header names this column twice (column {i + 1})"))
        elif _CONTROL.search(column):
            problems.append(Problem(line, _WHOLE_ROW, "the header holds a control character", _short(column)))
    problems += [
        Problem(line, required, "column is missing", remedy=_rename(required, columns))
        for required in REQUIRED
        if required not in columns
    ]
    if "tz" not in columns and (other := _alias("tz", columns)):
        problems.append(Problem(line, other, "column is unknown", remedy="rename it to 'tz'"))
    return columns, problems


def _rename(wanted: str, columns: list[str]) -> str:
    spare = [c for c in columns if c and c not in (*REQUIRED, *OPTIONAL)]
    if other := _alias(wanted, spare) or next(iter(difflib.get_close_matches(wanted, spare, 1)), ""):
        return f"rename {other!r} to {wanted!r}"
    return "the first line must name " + " and ".join(REQUIRED)


def _alias(wanted: str, columns: list[str]) -> str:
    return next((c for c in columns if re.sub(r"[\s_-]", "", c.lower()) in _ALIASES[wanted]), "")


def _check_row(line: int, cells: list[str], columns: list[str], rules: _Rules) -> _Row:
    """Return the row with day 0 and all its faults; without cells where they can't be told apart."""
    if len(cells) != len(columns):
        row = _Row(line, {})
        hint = "a text that holds the separator needs double quotes" if len(cells) > len(columns) else ""
        row.fault(_WHOLE_ROW, f"{len(cells)} cells where the header has {len(columns)}", remedy=hint)
        return row
    known = (*REQUIRED, *OPTIONAL, "exchange", "flags")
    pairs = zip(columns, cells, strict=True)
    row = _Row(line, {c: _strip(cell) if c in known else cell for c, cell in pairs})
    _check_characters(row)
    _check_ticker(row, rules)
    _check_benchmark(row, rules)
    announcement = _check_announcement(row, rules)
    _find_day0(row, announcement, rules)
    return row


def _check_characters(row: _Row) -> None:
    for column, cell in row.cells.items():
        if bad := _CONTROL.search(cell):
            row.fault(column, f"holds the control character U+{ord(bad[0]):04X}", cell, "delete it")


def _check_ticker(row: _Row, rules: _Rules) -> None:
    ticker = row["ticker"]
    if not ticker:
        row.fault("ticker", "is empty")
    elif rules.calendar == "data":
        row.exchange = _exchange_if_known(ticker)
    else:
        for what, remedy in _symbol_faults(ticker):
            row.fault("ticker", what, ticker, remedy)
        if ticker.isascii() and not ticker.isdigit():
            _check_exchange(row, "-".join(ticker.split()).upper())


def _exchange_if_known(ticker: str) -> Exchange | None:
    if ticker.isdigit() or not _SYMBOL.fullmatch(ticker):
        return None
    return EXCHANGES.get(suffix_of(ticker))


def _check_exchange(row: _Row, ticker: str) -> None:
    try:
        row.exchange = exchange_of(ticker)
    except DataError as error:
        row.fault_of("ticker", error)
        return
    if row.exchange is None:
        row.fault("ticker", "the exchange of this index is unknown", ticker, 'use calendar = "data"')


def _symbol_faults(symbol: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the spelling of a Yahoo symbol, and the remedy."""
    start = symbol
    if not symbol.isascii():
        strange = {
            f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip(): None for c in symbol if not c.isascii()
        }
        yield "has letters outside A-Z: " + ", ".join(strange), "type it again on a Latin keyboard"
        return
    if len(symbol.split()) > 1:
        symbol = "-".join(symbol.split())
        yield "has a space inside", f"did you mean {symbol!r}?"
    if symbol != symbol.upper():
        yield "has small letters", f"did you mean {symbol.upper()!r}?"
        symbol = symbol.upper()
    if symbol.isdigit():
        remedy = (
            "a market suffix such as .SZ, .SS or .HK is lost, and perhaps leading zeros (000725.SZ, 0700.HK)"
        )
        yield "is only a number", remedy
    elif symbol == start and not _SYMBOL.fullmatch(symbol):
        yield "is not a Yahoo symbol (A-Z, 0-9, ^ & = _ -, then . and a market suffix)", ""
    stem, _, suffix = symbol.rpartition(".")
    if stem.isdigit() and len(stem) < _DIGITS_IN_CODE.get(suffix, 0):
        yield "has lost leading zeros", f"did you mean '{stem.zfill(_DIGITS_IN_CODE[suffix])}.{suffix}'?"


def _check_benchmark(row: _Row, rules: _Rules) -> None:
    benchmark = row["benchmark"]
    if not benchmark:
        return
    if benchmark.upper() == row["ticker"].upper():
        row.fault("benchmark", "is the stock itself", benchmark)
    if rules.calendar == "data":
        return
    for what, remedy in _symbol_faults(benchmark):
        row.fault("benchmark", what, benchmark, remedy)
    if benchmark.isascii() and suffix_of(benchmark.upper()) not in EXCHANGES:
        try:
            exchange_of(benchmark.upper())
        except DataError as error:
            row.fault_of("benchmark", error)


def _check_announcement(row: _Row, rules: _Rules) -> Announcement | None:
    zone = row["tz"]
    if zone and zone not in known_zones():
        row.fault("tz", "unknown time zone", zone, _zone_hint(zone))
        zone = "UTC"
    if not row["announced_at"]:
        row.fault("announced_at", "is empty", remedy="write YYYY-MM-DD or a timestamp")
        return None
    try:
        announcement = parse_announcement(row["announced_at"], zone)
    except DataError as error:
        row.fault_of("announced_at", error)
        return None
    if zone != row["tz"]:
        return None
    if _in_future(announcement, row.exchange, rules.today):
        row.fault("announced_at", "is in the future", row["announced_at"])
        return None
    return announcement


def _zone_hint(zone: str) -> str:
    hint = did_you_mean(zone, sorted(known_zones()))
    return hint or "use an IANA name such as America/New_York or Asia/Shanghai"


def _in_future(announcement: Announcement, exchange: Exchange | None, today: dt.date) -> bool:
    if not isinstance(today, dt.datetime):
        day = announcement.date or (announcement.instant.date() if announcement.instant else today)
        return day > today
    if announcement.instant is not None:
        return announcement.instant > today
    zone = announcement.tz or (sessions(exchange.calendar).tz if exchange and exchange.calendar else "UTC")
    return (
        announcement.date is not None and announcement.date > today.astimezone(zoneinfo.ZoneInfo(zone)).date()
    )


def _find_day0(row: _Row, announcement: Announcement | None, rules: _Rules) -> None:
    """Set the row's day 0: the one given, else the one the clock gives."""
    given = _given_day0(row, rules)
    if announcement is None or (rules.calendar == "exchange" and row.exchange is None):
        row.day0 = given
        return
    try:
        row.day0 = _day0_by_clock(row, announcement, rules)
    except DataError as error:
        if given is None:
            row.fault_of("announced_at", error)
    if given is not None:
        row.flags += ["day0_given"] if given != row.day0 else []
        row.day0 = given
    elif announcement.instant is None:
        row.flags.append("time_unknown")


def _given_day0(row: _Row, rules: _Rules) -> dt.date | None:
    if not row["day0"]:
        return None
    try:
        day = _parse_date(_MIDNIGHT.sub("", row["day0"]))
        if rules.calendar == "exchange" and row.exchange and row.exchange.calendar:
            _require_session(day, row.exchange.calendar)
    except DataError as error:
        row.fault_of("day0", error)
        return None
    return day


def _require_session(day: dt.date, calendar: str) -> None:
    known = sessions(calendar)
    session = known.dates[known.position(day)]
    if session != np.datetime64(day):
        remedy = f"the next session is {session}"
        raise DataError(f"is not a session of calendar {calendar}", value=str(day), remedy=remedy)


def _day0_by_clock(row: _Row, announcement: Announcement, rules: _Rules) -> dt.date | None:
    by_data = rules.calendar == "data"
    if by_data and announcement.date is not None:
        return announcement.date
    if row.exchange is None or row.exchange.calendar is None:
        return dt.date.fromisoformat(row["announced_at"][:10])
    known = sessions(row.exchange.calendar)
    try:
        found = known.dates[day0_position(announcement, known, cutoff_minutes=rules.cutoff_minutes)]
    except DataError:
        if by_data and announcement.instant is not None:
            return announcement.instant.astimezone(zoneinfo.ZoneInfo(known.tz)).date()
        raise
    return dt.date.fromisoformat(str(found))


def _check_ids(rows: list[_Row]) -> None:
    """Report ids used twice, then give an id to the events without one."""
    seen: dict[str, int] = {}
    for row in rows:
        name = row["event_id"]
        if name in seen:
            row.fault("event_id", f"is already used on line {seen[name]}", name)
        elif name:
            seen[name] = row.line
    for row in rows:
        if not row["event_id"] and not row.problems:
            row.cells["event_id"] = _unused(f"{row['ticker']}-{row.day0}", seen)
            seen[row["event_id"]] = row.line


def _unused(stem: str, taken: Iterable[str]) -> str:
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}-{count}"
    return name


def _check_repeats(rows: list[_Row]) -> None:
    seen: dict[tuple[str, dt.date], int] = {}
    for row in rows:
        if row.day0 is None or not row["ticker"]:
            continue
        first = seen.setdefault((row["ticker"], row.day0), row.line)
        if first != row.line:
            what = f"has the same day 0 ({row.day0}) as the event on line {first}"
            row.fault("ticker", what, row["ticker"], "keep one row per listing and day 0")


def _table(rows: list[_Row], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    found: dict[str, pd.Series] = {}
    for column in dict.fromkeys((*FIXED, *columns)):
        found[column] = pd.Series([row[column] for row in rows], dtype=str)
    found["exchange"] = pd.Series([row.exchange.code if row.exchange else "" for row in rows], dtype=str)
    found["flags"] = pd.Series([_join_flags(row) for row in rows], dtype=str)
    found["day0"] = pd.Series(np.array([row.day0 for row in rows], dtype="datetime64[s]"))
    return pd.DataFrame(found)


def _join_flags(row: _Row) -> str:
    words = [word.strip() for word in row["flags"].split(";")]
    return ";".join(dict.fromkeys(word for word in (*words, *row.flags) if word))


def _cell_text(value: object) -> str:
    """Return a cell of a frame as it would stand in a CSV file."""
    if isinstance(value, str):
        return value
    if value is None or str(value) in ("NaT", "<NA>") or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, dt.datetime):
        bare = value.tzinfo is None and value.time() == dt.time()
        return value.date().isoformat() if bare else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _strip(cell: str) -> str:
    return cell.strip().strip(_ZERO_WIDTH).strip()


def _short(value: str, width: int = 60) -> str:
    return value if len(value) <= width else value[: width - 1] + "…"
