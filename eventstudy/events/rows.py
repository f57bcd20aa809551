"""One row of the events file: what it says, and everything that is wrong with it."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import unicodedata
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import get_args

import numpy as np

from ..calendars import CalendarChoice, Exchange, Sessions, Symbol
from ..errors import ConfigError, DataError, Problem
from ..files import strip
from ..utility import Flag, did_you_mean
from ..words import make_error, say
from . import announcements as news

REQUIRED = ("ticker", "announced_at")
OPTIONAL = ("event_id", "tz", "when", "benchmark", "day0")
KNOWN = (*REQUIRED, *OPTIONAL, "exchange", "flags")
# Letters of the longest symbol in New York, which a name may exceed.
LONGEST_US = 5
# Digits of the code of a share in Shanghai, Shenzhen and Seoul.
CODE_LENGTH = 6
_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9&=_-]*(\.[A-Z0-9]+)?")
# A PERMNO, CUSIP or ISIN, which tells of no exchange.
_IDENTIFIER = re.compile(r"\d+|[A-Z0-9]{8,12}")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
NO_LINE = 0
FARTHEST_DAY0 = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every row."""

    calendar: CalendarChoice
    today: dt.date
    cutoff_minutes: float
    # Whether every stamp is at midnight in no zone, as dates are that are written with a time.
    dates_only: bool = False

    @classmethod
    def of(
        cls, calendar: CalendarChoice, today: dt.date | None = None, cutoff_minutes: float = 0
    ) -> Rules:
        """Return the rules for a calendar, with the moment after which news are in the future.

        Parameters
        ----------
        calendar : {"exchange", "data"}
        today : date or datetime, optional
            Default now.
        cutoff_minutes : float

        Raises
        ------
        ConfigError
            For an unknown calendar.
        """
        if calendar not in get_args(CalendarChoice):
            raise make_error(ConfigError, "wrong.calendar", where="calendar", value=calendar)
        now = dt.datetime.now(dt.UTC) if today is None else today
        if isinstance(now, dt.datetime) and now.tzinfo is None:
            now = now.replace(tzinfo=dt.UTC)
        return cls(calendar, now, cutoff_minutes)

    def for_stamps(self, stamps: Sequence[str]) -> Rules:
        """Return the rules of a file with these stamps."""
        return replace(self, dates_only=len(stamps) > 1 and all(map(news.MIDNIGHT.search, stamps)))


@dataclass(slots=True)
class Row:
    """Cells of one row, or of many that have the same, and what is known of them so far."""

    cells: dict[str, str]
    exchange: Exchange | None = None
    day0: dt.date | None = None
    # The sessions that could be day 0, where these are several.
    candidates: tuple[dt.date, ...] = ()
    flags: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def fault(self, column: str, reason: str, value: object = None, remedy: str = "") -> None:
        """Add a fault to the row.

        Parameters
        ----------
        column : str
        reason : str
        value : object
            The cell; None is not shown.
        remedy : str
        """
        text = None if value is None else short(str(value))
        self.problems.append(Problem(NO_LINE, column, reason, text, remedy))

    @contextlib.contextmanager
    def faults_of(self, column: str) -> Iterator[None]:
        """Add the error that reading a cell raises to the faults of the row."""
        try:
            yield
        except DataError as error:
            self.fault(column, error.what, error.value, error.remedy)

    @property
    def sessions(self) -> Sessions | None:
        """The sessions of its exchange; None where they are not known."""
        calendar = self.exchange and self.exchange.calendar
        return Sessions.of(calendar) if calendar else None


def control_characters(column: str, cell: str) -> list[Problem]:
    """Return a fault if a cell holds a control character.

    Parameters
    ----------
    column, cell : str
    """
    if not (bad := CONTROL.search(cell)):
        return []
    reason = say("symbol.control", character=ord(bad[0]))
    return [Problem(NO_LINE, column, reason, short(cell), "delete it")]


def check_ticker(row: Row, rules: Rules) -> None:
    """Set the exchange of a row from its ticker.

    Parameters
    ----------
    row : Row
    rules : Rules
    """
    ticker = row["ticker"]
    if not ticker:
        row.fault("ticker", "is empty")
    elif rules.calendar == "data":
        is_symbol = _SYMBOL.fullmatch(ticker) and not _IDENTIFIER.fullmatch(ticker)
        row.exchange = Symbol(ticker).home if is_symbol else None
    else:
        for reason, remedy in _symbol_faults(ticker):
            row.fault("ticker", reason, ticker, remedy)
        symbol = _without_spaces(ticker).upper()
        if _SYMBOL.fullmatch(symbol) and not ticker.isdigit():
            row.exchange = _find_exchange(row, "ticker", symbol)


def _find_exchange(row: Row, column: str, symbol: str) -> Exchange | None:
    """Return the exchange of a symbol; where it is not known a fault is added to the row."""
    with row.faults_of(column):
        exchange = Exchange.of(symbol)
        if exchange is None and column == "ticker":
            row.fault(column, say("symbol.index"), symbol, say("symbol.index.remedy"))
        return exchange
    return None


def _symbol_faults(symbol: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the spelling of a Yahoo symbol, and the remedy."""
    start = symbol
    if not symbol.isascii():
        odd = dict.fromkeys(letter for letter in symbol if not letter.isascii())
        names = [f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in odd]
        yield "has letters outside A-Z: " + ", ".join(names), "type it again on a Latin keyboard"
        return
    if re.search("[;,]", symbol):
        yield say("symbol.several"), say("symbol.several.remedy")
        return
    if len(words := symbol.split()) > 1:
        symbol = _without_spaces(symbol)
        is_symbol = Symbol.of_bloomberg(start) or len(words[-1]) == 1
        hint = f"did you mean {symbol!r}?" if is_symbol else say("symbol.spaces.remedy")
        yield say("symbol.spaces"), hint
    if symbol != symbol.upper() and _SYMBOL.fullmatch(symbol.upper()):
        is_name = symbol.isalpha() and symbol.istitle() and len(symbol) > LONGEST_US
        hint = say("symbol.name.remedy") if is_name else f"did you mean {symbol.upper()!r}?"
        yield say("symbol.name") if is_name else "has small letters", hint
        symbol = symbol.upper()
    if symbol.isdigit():
        digits = (4, ".HK") if len(symbol) < CODE_LENGTH - 1 else (CODE_LENGTH, ".SZ, .SS or .KS")
        example = symbol.zfill(digits[0]) + digits[1]
        yield say("symbol.number"), say("symbol.number.remedy", example=example)
    elif symbol == start and not _SYMBOL.fullmatch(symbol):
        hint = f"did you mean {meant!r}?" if (meant := Symbol.of_notation(symbol)) else ""
        yield "is not a Yahoo symbol (A-Z, 0-9, ^ & = _ -, then . and a market suffix)", hint
    padded = Symbol(symbol).padded
    if padded != symbol:
        yield "has lost leading zeros", f"did you mean {padded!r}?"


def _without_spaces(symbol: str) -> str:
    """Return the Yahoo symbol that one with a space may be: Bloomberg's, or a share class."""
    words = symbol.split()
    return (len(words) > 1 and Symbol.of_bloomberg(symbol)) or "-".join(words)


def check_benchmark(row: Row, rules: Rules) -> None:
    """Note what is wrong with the benchmark, given the ticker.

    Parameters
    ----------
    row : Row
    rules : Rules
    """
    benchmark = row["benchmark"]
    if not benchmark:
        return
    if benchmark.upper() == row["ticker"].upper():
        row.fault("benchmark", "is the stock itself", benchmark)
    if rules.calendar == "data":
        return
    for symbol in filter(None, map(strip, benchmark.split(";"))):
        for reason, remedy in _symbol_faults(symbol):
            row.fault("benchmark", reason, symbol, remedy)
        if symbol.isascii() and Symbol(symbol.upper()).home is None:
            _find_exchange(row, "benchmark", symbol.upper())


def check_day0(row: Row, rules: Rules) -> None:
    """Set day 0 of a row: the one given, else that of its announcement on its exchange.

    Parameters
    ----------
    row : Row
    rules : Rules
    """
    announcement = _check_announcement(row, rules)
    stated = _given_day0(row, rules)
    if announcement is None or (rules.calendar == "exchange" and row.exchange is None):
        row.day0 = stated
        return
    _settle_day0(row, announcement, stated, rules)
    if row.day0 and rules.calendar == "exchange" and (home := row.sessions):
        is_assumed = home.is_assumed(np.array([row.day0], dtype="datetime64[D]"))[0]
        row.flags += [Flag.ASSUMED_SESSION] * bool(is_assumed)


def _settle_day0(
    row: Row, announcement: news.Announcement, stated: dt.date | None, rules: Rules
) -> None:
    """Set day 0 of a row, and the sessions that could be it where the time is not known."""
    candidates: tuple[dt.date, ...] = ()
    with row.faults_of("announced_at") if stated is None else contextlib.suppress(DataError):
        row.day0, candidates = _day0_by_clock(row, announcement, rules)
    if stated is not None:
        if row.day0 and abs(stated - row.day0) > FARTHEST_DAY0:
            row.fault("day0", "is more than a year from the announcement", row["day0"])
        row.flags += [Flag.DAY0_GIVEN] if stated != row.day0 else []
        row.day0 = stated
        # A day 0 that is given decides, unless the row says, as those of a run do, "time unknown".
        if stated not in candidates or Flag.TIME_UNKNOWN not in Flag.of(row["flags"]):
            return
    if len(candidates) > 1:
        row.candidates = candidates
        row.flags.append(Flag.TIME_UNKNOWN)


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of all IANA time zones."""
    return frozenset(zoneinfo.available_timezones())


def _check_announcement(row: Row, rules: Rules) -> news.Announcement | None:
    zone, when = row["tz"], None
    with row.faults_of("when"):
        when = news.parse_when(row["when"])
    if zone and zone not in _time_zones():
        # Names such as EST have no summer time, so none of them is proposed.
        names = sorted(name for name in _time_zones() if "/" in name)
        places = {name.rpartition("/")[2].casefold(): name for name in reversed(names)}
        meant = news.ZONES.get(zone.upper()) or places.get(zone.replace(" ", "_").casefold())
        remedy = f"did you mean {meant!r}?" if meant else did_you_mean(zone, names)
        remedy = remedy or "use an IANA name such as America/New_York or Asia/Shanghai"
        row.fault("tz", "unknown time zone", zone, remedy)
        zone = "UTC"
    if not row["announced_at"]:
        row.fault("announced_at", "is empty", remedy="write YYYY-MM-DD or a timestamp")
        return None
    with row.faults_of("announced_at"):
        stamp = row["announced_at"]
        announcement = news.parse_announcement(stamp, zone, dates_only=rules.dates_only)
        if zone != row["tz"]:
            return None
        if _in_future(announcement, row.sessions, rules.today):
            raise DataError("is in the future", value=row["announced_at"])
        _check_part_of_day(row, announcement.instant, when)
        return replace(announcement, when=when)
    return None


def _check_part_of_day(row: Row, instant: dt.datetime | None, when: news.When | None) -> None:
    """Add a fault to the row if the time of its announcement denies the part of the day."""
    if when and instant and row.sessions:
        with contextlib.suppress(DataError):
            parts = news.parts_of_day(instant, row.sessions)
            if when not in parts:
                remedy = f"write {' or '.join(parts)}, or leave it blank"
                row.fault("when", "contradicts the time of the announcement", row["when"], remedy)


def _in_future(announcement: news.Announcement, home: Sessions | None, today: dt.date) -> bool:
    if not isinstance(today, dt.datetime):
        day = announcement.date or (announcement.instant.date() if announcement.instant else today)
        return day > today
    if announcement.instant is not None:
        return announcement.instant > today
    zone = announcement.tz or (home.tz if home else "UTC")
    local = today.astimezone(zoneinfo.ZoneInfo(zone)).date()
    return announcement.date is not None and announcement.date > local


def _given_day0(row: Row, rules: Rules) -> dt.date | None:
    if not row["day0"]:
        return None
    with row.faults_of("day0"):
        day = news.parse_date(news.MIDNIGHT.sub("", row["day0"]))
        if rules.calendar == "exchange" and (home := row.sessions):
            session = home.dates[home.position(day)]
            if session != np.datetime64(day) and not home.is_assumed(np.array([session]))[0]:
                facts = {"calendar": home.code, "next": session}
                raise make_error(DataError, "sessions.closed", value=str(day), **facts)
        return day
    return None


def _day0_by_clock(
    row: Row, announcement: news.Announcement, rules: Rules
) -> tuple[dt.date, tuple[dt.date, ...]]:
    """Return day 0 and every session that could be it; these are days where none is known."""
    by_data = rules.calendar == "data"
    if by_data and announcement.date is not None:
        return _day0_by_date(announcement.date, announcement.when)
    exchange, cutoff = row.sessions, rules.cutoff_minutes
    if exchange is None:
        day = dt.date.fromisoformat(row["announced_at"][:10])
        return _day0_by_date(day, announcement.when)
    try:
        candidates = news.candidate_positions(announcement, exchange, cutoff_minutes=cutoff)
        position = news.day0_position(announcement, exchange, cutoff_minutes=cutoff)
    except DataError:
        if by_data and announcement.instant is not None:
            local = announcement.instant.astimezone(zoneinfo.ZoneInfo(exchange.tz)).date()
            return local, (local,)
        raise
    days = exchange.dates[candidates.start : candidates.stop].tolist()
    return days[position - candidates.start], tuple(days)


def _day0_by_date(day: dt.date, when: news.When | None) -> tuple[dt.date, tuple[dt.date, ...]]:
    """Return the same where no hours are known: the next session is the first from the next day."""
    days: tuple[dt.date, ...] = (day, day + news.ONE_DAY)
    if when is not None:
        days = days[1:] if when is news.When.AFTER_CLOSE else days[:1]
    return days[0], days


def short(value: str, width: int = 60) -> str:
    """Return a text cut to `width` characters.

    Parameters
    ----------
    value : str
    width : int
    """
    return value if len(value) <= width else value[: width - 1] + "…"
