"""From an announcement to day 0: which exchange a ticker trades on, and the first session able to react."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import importlib.metadata
import io
import os
import re
import sys
import tempfile
import warnings
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import DataError
from .registry import did_you_mean
from .typing import BoolArray, DateArray

ASSUMED_TIME = dt.time(12)
FIRST_DAY, LAST_DAY = "1990-01-01", "2035-12-31"
EARLIER_FIRST_DAY = {"XNYS": "1950-01-03"}
CACHE_FORMAT = 1
NO_CALENDAR = 'give the session itself in a "day0" column and use calendar = "data"'


@dataclass(frozen=True, slots=True)
class Exchange:
    """One market.

    Attributes
    ----------
    code : str
        Market identifier code, e.g. ``"XSHE"``.
    calendar : str or None
        Name of its calendar in exchange_calendars; None where there is none.
    name : str
        The market in words.
    benchmark : str or None
        Symbol of the usual local index; None where none is known.
    """

    code: str
    calendar: str | None
    name: str
    benchmark: str | None = None


NEW_YORK = Exchange("XNYS", "XNYS", "New York (NYSE, Nasdaq)", "^GSPC")

EXCHANGES: dict[str, Exchange] = {
    "": NEW_YORK,
    "AE": Exchange("XDFM", None, "Dubai"),
    "AQ": Exchange("AQXE", "XLON", "Aquis", "^FTSE"),
    "AS": Exchange("XAMS", "XAMS", "Amsterdam", "^AEX"),
    "AT": Exchange("XATH", "ASEX", "Athens", "GD.AT"),
    "AX": Exchange("XASX", "XASX", "Australia", "^AXJO"),
    "BA": Exchange("XBUE", "XBUE", "Buenos Aires", "^MERV"),
    "BD": Exchange("XBUD", "XBUD", "Budapest", "^BUX.BD"),
    "BE": Exchange("XBER", "XFRA", "Berlin", "^GDAXI"),
    "BK": Exchange("XBKK", "XBKK", "Thailand", "^SET.BK"),
    "BM": Exchange("XBMS", "XFRA", "Bremen", "^GDAXI"),
    "BO": Exchange("XBOM", "XBOM", "Bombay", "^BSESN"),
    "BR": Exchange("XBRU", "XBRU", "Brussels", "^BFX"),
    "CA": Exchange("XCAI", None, "Egypt", "^CASE30"),
    "CBT": Exchange("XCBT", "CMES", "Chicago Board of Trade"),
    "CL": Exchange("XBOG", "XBOG", "Colombia"),
    "CME": Exchange("XCME", "CMES", "Chicago Mercantile Exchange"),
    "CMX": Exchange("CECS", "CMES", "New York Commodities Exchange"),
    "CN": Exchange("CNSX", "XTSE", "Canadian Securities Exchange", "^GSPTSE"),
    "CO": Exchange("XCSE", "XCSE", "Copenhagen", "^OMXC25"),
    "CR": Exchange("XCAR", None, "Caracas"),
    "DE": Exchange("XETR", "XETR", "Xetra", "^GDAXI"),
    "DU": Exchange("XDUS", "XDUS", "Dusseldorf", "^GDAXI"),
    "F": Exchange("XFRA", "XFRA", "Frankfurt", "^GDAXI"),
    "HA": Exchange("XHAN", None, "Hanover", "^GDAXI"),
    "HE": Exchange("XHEL", "XHEL", "Helsinki", "^OMXH25"),
    "HK": Exchange("XHKG", "XHKG", "Hong Kong", "^HSI"),
    "HM": Exchange("XHAM", "XHAM", "Hamburg", "^GDAXI"),
    "IC": Exchange("XICE", "XICE", "Iceland"),
    "IL": Exchange("ILSE", "XLON", "London (international order book)", "^FTSE"),
    "IR": Exchange("XDUB", "XDUB", "Dublin", "^ISEQ"),
    "IS": Exchange("XIST", "XIST", "Istanbul", "XU100.IS"),
    "JK": Exchange("XIDX", "XIDX", "Indonesia", "^JKSE"),
    "JO": Exchange("XJSE", "XJSE", "Johannesburg", "^J203.JO"),
    "KL": Exchange("XKLS", "XKLS", "Malaysia", "^KLSE"),
    "KQ": Exchange("KQKS", "XKRX", "Korea (KOSDAQ)", "^KQ11"),
    "KS": Exchange("XKRX", "XKRX", "Korea", "^KS11"),
    "KW": Exchange("XKUW", None, "Kuwait"),
    "L": Exchange("XLON", "XLON", "London", "^FTSE"),
    "LS": Exchange("XLIS", "XLIS", "Lisbon", "PSI20.LS"),
    "MC": Exchange("XMAD", "XMAD", "Madrid", "^IBEX"),
    "ME": Exchange("MISX", "XMOS", "Moscow", "IMOEX.ME"),
    "MI": Exchange("XMIL", "XMIL", "Milan", "FTSEMIB.MI"),
    "MU": Exchange("XMUN", "XFRA", "Munich", "^GDAXI"),
    "MX": Exchange("XMEX", "XMEX", "Mexico", "^MXX"),
    "NE": Exchange("NEOE", "XTSE", "Cboe Canada", "^GSPTSE"),
    "NS": Exchange("XNSE", "XBOM", "National Stock Exchange of India", "^NSEI"),
    "NX": Exchange("XEUR", "XEUR", "Euronext"),
    "NYB": Exchange("IFUS", "IEPA", "ICE Futures US"),
    "NYM": Exchange("XNYM", "CMES", "New York Mercantile Exchange"),
    "NZ": Exchange("XNZE", "XNZE", "New Zealand", "^NZ50"),
    "OL": Exchange("XOSL", "XOSL", "Oslo", "OSEBX.OL"),
    "PA": Exchange("XPAR", "XPAR", "Paris", "^FCHI"),
    "PR": Exchange("XPRA", "XPRA", "Prague"),
    "PS": Exchange("XPHS", "XPHS", "Philippines", "PSEI.PS"),
    "QA": Exchange("XQAT", None, "Qatar"),
    "RG": Exchange("XRIS", "XRIS", "Riga"),
    "RO": Exchange("XBSE", "XBSE", "Bucharest"),
    "SA": Exchange("BVMF", "BVMF", "Sao Paulo", "^BVSP"),
    "SG": Exchange("XSTU", "XSTU", "Stuttgart", "^GDAXI"),
    "SI": Exchange("XSES", "XSES", "Singapore", "^STI"),
    "SN": Exchange("XSGO", "XSGO", "Santiago", "^IPSA"),
    "SR": Exchange("XSAU", "XSAU", "Saudi Arabia", "^TASI.SR"),
    "SS": Exchange("XSHG", "XSHG", "Shanghai", "000300.SS"),
    "ST": Exchange("XSTO", "XSTO", "Stockholm", "^OMX"),
    "SW": Exchange("XSWX", "XSWX", "Switzerland", "^SSMI"),
    "SZ": Exchange("XSHE", "XSHG", "Shenzhen", "000300.SS"),
    "T": Exchange("XTKS", "XTKS", "Tokyo", "^N225"),
    "TA": Exchange("XTAE", "XTAE", "Tel Aviv", "^TA125.TA"),
    "TI": Exchange("ETLX", "XMIL", "EuroTLX", "FTSEMIB.MI"),
    "TL": Exchange("XTAL", "XTAL", "Tallinn"),
    "TO": Exchange("XTSE", "XTSE", "Toronto", "^GSPTSE"),
    "TW": Exchange("XTAI", "XTAI", "Taiwan", "^TWII"),
    "TWO": Exchange("ROCO", "XTAI", "Taipei (over the counter)", "^TWII"),
    "V": Exchange("XTSX", "XTSX", "TSX Venture", "^GSPTSE"),
    "VI": Exchange("XWBO", "XWBO", "Vienna", "^ATX"),
    "VN": Exchange("XSTC", None, "Vietnam"),
    "VS": Exchange("XLIT", "XLIT", "Vilnius"),
    "WA": Exchange("XWAR", "XWAR", "Warsaw"),
    "XA": Exchange("CXAW", "XASX", "Cboe Australia", "^AXJO"),
    "XC": Exchange("CHIX", "XLON", "Cboe UK", "^FTSE"),
    "XD": Exchange("CEUX", "XLON", "Cboe Europe", "^FTSE"),
}

# Bank of Russia, notices of 28 February and 23 March 2022: no trading in equities on the Moscow Exchange.
CLOSURES = {"XMOS": (("2022-02-28", "2022-03-23"),)}

# indices that are nobody's default benchmark, or the default of several markets
_INDEX_SUFFIX = {
    "^FTSE": "L", "^FTMC": "L", "^FTAS": "L", "^GDAXI": "DE", "^MDAXI": "DE", "^SDAXI": "DE", "^STOXX": "DE",
    "^STOXX50E": "DE", "^GSPTSE": "TO", "^DJI": "", "^IXIC": "", "^NDX": "", "^NYA": "", "^RUT": "",
    "^SOX": "", "^VIX": "", "^W5000": "", "^HSCE": "HK", "^SBF120": "PA", "^NSEBANK": "NS", "^OMXS30": "ST",
    "^AORD": "AX", "^KS200": "KS",
}  # fmt: skip

_OTHER_NOTATIONS = {
    "US": "", "N": "", "O": "", "OQ": "", "SH": "SS", "CH": "SS", "XSHG": "SS", "XSHE": "SZ", "HKG": "HK",
    "LN": "L", "LON": "L", "JP": "T", "GR": "DE", "FP": "PA", "KR": "KS", "KRX": "KS", "MM": "ME",
    "MCX": "ME", "MOEX": "ME", "NSE": "NS", "BSE": "BO",
}  # fmt: skip


def suffix_of(ticker: str) -> str:
    """Return the market suffix of a Yahoo symbol without its dot (``"SZ"``), ``""`` where there is none."""
    return ticker.rpartition(".")[2] if "." in ticker else ""


def exchange_of(ticker: str) -> Exchange | None:
    """Return the exchange a Yahoo symbol trades on.

    Parameters
    ----------
    ticker : str
        Symbol such as ``"002415.SZ"``; without a suffix it trades in New York.

    Returns
    -------
    Exchange or None
        None only for an index symbol (leading ``^``) whose home isn't known.

    Raises
    ------
    DataError
        The suffix is unknown, or its market has no trading calendar.
    """
    suffix = suffix_of(ticker)
    if ticker.startswith("^") and not suffix:
        return _home_of_index(ticker)
    exchange = EXCHANGES.get(suffix)
    if exchange is None:
        raise DataError(f"unknown market suffix .{suffix}", value=ticker, remedy=_suffix_hint(ticker, suffix))
    if exchange.calendar is None:
        what = f"there is no trading calendar for {exchange.name} (.{suffix})"
        raise DataError(what, value=ticker, remedy=NO_CALENDAR)
    return exchange


def _home_of_index(symbol: str) -> Exchange | None:
    if symbol in _INDEX_SUFFIX:
        return EXCHANGES[_INDEX_SUFFIX[symbol]]
    return next((e for e in EXCHANGES.values() if e.benchmark == symbol), None)


def _suffix_hint(ticker: str, suffix: str) -> str:
    stem = ticker[: -len(suffix) - 1]
    hints = []
    if suffix.upper() in EXCHANGES:
        hints.append(f"did you mean '{stem}.{suffix.upper()}'?")
    elif hint := _nearest_suffix(suffix.upper()):
        hints.append(hint)
    if len(suffix) == 1:
        hints.append(f"a class of shares is written with a dash: {stem}-{suffix}")
    return " ".join(hints) or "suffixes are those of Yahoo, e.g. .L .DE .HK .SS .SZ .T"


def _nearest_suffix(suffix: str) -> str:
    if suffix in _OTHER_NOTATIONS:
        meant = _OTHER_NOTATIONS[suffix]
        return f"did you mean '.{meant}'?" if meant else "New York symbols have no suffix"
    return did_you_mean(f".{suffix}", [f".{s}" for s in EXCHANGES if s])


@dataclass(frozen=True, eq=False, slots=True)
class Sessions:
    """The sessions of one market in order.

    Attributes
    ----------
    code : str
        Name of the calendar, used in messages.
    tz : str
        Time zone of the market (IANA name).
    dates : DateArray, shape (n_sessions,)
        Session dates, ``datetime64[D]``, ascending.
    opens, closes : DateArray, shape (n_sessions,)
        First and last minute of each session in UTC, ``datetime64[s]``.
    """

    code: str
    tz: str
    dates: DateArray
    opens: DateArray
    closes: DateArray

    def __len__(self) -> int:
        return len(self.dates)

    def position(self, date: dt.date | np.datetime64) -> int:
        """Return the index of the first session on or after `date`.

        Raises
        ------
        DataError
            `date` is before the first or after the last session known.
        """
        day = np.array(date).astype("datetime64[D]")[()]
        if day < self.dates[0]:
            raise self._out_of_bounds(day, "before the first", self.dates[0])
        if day > self.dates[-1]:
            raise self._out_of_bounds(day, "after the last", self.dates[-1])
        return int(np.searchsorted(self.dates, day))

    def first_after(self, instant: dt.datetime) -> int:
        """Return the index of the first session that closes strictly later than `instant`.

        An announcement at the closing second belongs to the next session.

        Parameters
        ----------
        instant : datetime
            With a time zone.

        Raises
        ------
        DataError
            `instant` is before the day of the first session, or not before the last close known.
        """
        moment = np.datetime64(instant.astimezone(dt.UTC).replace(tzinfo=None), "s")
        if instant.astimezone(zoneinfo.ZoneInfo(self.tz)).date() < self.dates[0].item():
            raise self._out_of_bounds(instant.isoformat(), "before the first", self.dates[0])
        index = int(np.searchsorted(self.closes, moment, side="right"))
        if index == len(self.closes):
            raise self._out_of_bounds(instant.isoformat(), "after the last", self.dates[-1])
        return index

    def _out_of_bounds(self, value: object, side: str, bound: np.datetime64) -> DataError:
        what = f"calendar {self.code}: {value} is {side} session known, {bound}"
        return DataError(what, remedy=NO_CALENDAR)


@functools.cache
def sessions(calendar_name: str) -> Sessions:
    """Return every session of a calendar, as far back and ahead as is known.

    The schedule is built once by exchange_calendars and then kept in `cache_dir`; a cache that cannot be
    read or written is ignored. Days in `CLOSURES` are taken out.

    Parameters
    ----------
    calendar_name : str
        Name in exchange_calendars, e.g. ``"XSHG"``: `Exchange.calendar`.

    Raises
    ------
    DataError
        There is no such calendar.
    """
    path = _cache_path(calendar_name)
    schedule = _read_cache(path, calendar_name)
    if schedule is None:
        schedule = _build(calendar_name)
        _write_cache(path, schedule)
    return _freeze(_without_closures(schedule))


def data_sessions(code: str, tz: str, dates: DateArray, like: Sessions | None) -> Sessions:
    """Return sessions taken from the dates found in price data.

    Parameters
    ----------
    code, tz : str
        Name for messages and IANA time zone of the market.
    dates : DateArray, shape (n_sessions,)
        Dates with prices; sorted and made unique here.
    like : Sessions or None
        Calendar of the exchange. Its hours are used on the dates it knows, and on other dates the local
        hours of its nearest earlier session. Without it the hours are 09:30 to 16:00.

    Raises
    ------
    DataError
        `dates` is empty.
    """
    days = np.unique(dates.astype("datetime64[D]"))
    if not len(days):
        raise DataError("has no sessions", where=code)
    opens = _hours(days, tz, like, "opens", dt.time(9, 30))
    closes = _hours(days, tz, like, "closes", dt.time(16))
    return _freeze(Sessions(code, tz, days, opens, closes))


def _hours(days: DateArray, tz: str, like: Sessions | None, which: str, usual: dt.time) -> DateArray:
    """Return the opening or closing instants (UTC) of `days`."""
    if like is None:
        return np.array([_local(day, usual, tz) for day in days], dtype="datetime64[s]")
    known: DateArray = getattr(like, which)
    at = np.clip(np.searchsorted(like.dates, days, side="right") - 1, 0, None)
    out = known[at].copy()
    for i in np.flatnonzero(like.dates[at] != days):
        out[i] = _local(days[i], _local_time(known[at[i]], like.tz), like.tz)
    return out


def _local_time(instant: np.datetime64, tz: str) -> dt.time:
    utc: dt.datetime = instant.astype("datetime64[s]").item()
    return utc.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(tz)).time()


def _local(day: np.datetime64[dt.date], time: dt.time, tz: str) -> dt.datetime:
    wall = dt.datetime.combine(day.item(), time, zoneinfo.ZoneInfo(tz))
    return wall.astimezone(dt.UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Announcement:
    """When the news came out: an instant where the time is known, otherwise a date.

    Attributes
    ----------
    date : date or None
        The date, for a stamp without a time.
    instant : datetime or None
        The instant in UTC, for a stamp with a time.
    tz : str or None
        Time zone the stamp was given in; None for a bare date, or a time with its own offset.
    """

    date: dt.date | None = None
    instant: dt.datetime | None = None
    tz: str | None = None


def day0_position(announcement: Announcement, sessions: Sessions, *, cutoff_minutes: float = 0) -> int:
    """Return the index of day 0, the first session whose close can reflect the news.

    A time before the close (less `cutoff_minutes`) belongs to that session, later ones to the next. A date
    with a time zone is taken as noon there; a date without one is that session, or the next when the market
    is shut.

    Raises
    ------
    DataError
        The announcement lies outside the sessions known.
    """
    if announcement.instant is not None:
        return sessions.first_after(announcement.instant + dt.timedelta(minutes=cutoff_minutes))
    if announcement.date is None:
        raise DataError("an announcement needs a date or an instant", value=announcement)
    if announcement.tz is None:
        return sessions.position(announcement.date)
    noon = dt.datetime.combine(announcement.date, ASSUMED_TIME)
    return sessions.first_after(to_instant(noon, announcement.tz))


def to_instant(wall: dt.datetime, tz: str) -> dt.datetime:
    """Return a wall-clock time of a zone in UTC.

    Raises
    ------
    DataError
        The clocks of `tz` skipped that time, or showed it twice.
    """
    zone = zoneinfo.ZoneInfo(tz)
    earlier, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if earlier == later:
        return earlier
    if earlier.astimezone(zone).replace(tzinfo=None) == wall:
        what = f"this time came twice in {tz} (clocks went back)"
    else:
        what = f"this time did not exist in {tz} (clocks went forward)"
    raise DataError(what, value=str(wall), remedy="give the time with its offset from UTC, e.g. -05:00")


@functools.cache
def known_zones() -> frozenset[str]:
    """Return the names of all IANA time zones."""
    return frozenset(zoneinfo.available_timezones())


def cache_dir() -> Path:
    """Return the per-user folder of things that can be made again; it need not exist.

    Raises
    ------
    RuntimeError
        The home folder cannot be told.
    """
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "eventstudy"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "eventstudy" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "eventstudy"
    return Path.home() / ".cache" / "eventstudy"


def _cache_path(name: str) -> Path | None:
    version = importlib.metadata.version("exchange_calendars")
    if not re.fullmatch(r"\w+", name):
        return None
    try:
        return cache_dir() / f"calendar-{name}-{version}-{CACHE_FORMAT}.npz"
    except RuntimeError:
        return None


def _read_cache(path: Path | None, name: str) -> Sessions | None:
    if path is None:
        return None
    # a damaged file fails in many ways (zlib, struct, zipfile, numpy), none of them worth a message
    with contextlib.suppress(Exception), np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
        found = Sessions(name, str(kept["tz"]), kept["dates"], kept["opens"], kept["closes"])
        return found if _is_sound(found) else None
    return None


def _is_sound(found: Sessions) -> bool:
    shapes = {found.dates.shape, found.opens.shape, found.closes.shape}
    kinds = [a.dtype == np.dtype(f"datetime64[{u}]") for a, u in zip(_arrays(found), "Dss", strict=True)]
    ascending = all(bool(np.all(a[1:] > a[:-1])) for a in _arrays(found))
    return len(shapes) == 1 and all(kinds) and len(found) > 0 and ascending and found.tz in known_zones()


def _write_cache(path: Path | None, schedule: Sessions) -> None:
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                dates, opens, closes = _arrays(schedule)
                np.savez_compressed(file, tz=np.array(schedule.tz), dates=dates, opens=opens, closes=closes)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def _build(name: str) -> Sessions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars as xc

        # the bounds are known to the class only, and every calendar covers this short range
        try:
            kind = type(xc.get_calendar(name, start="2022-01-03", end="2022-12-28"))
        except xc.errors.InvalidCalendarName:
            hint = did_you_mean(name, xc.get_calendar_names())
            raise DataError("there is no such trading calendar", value=name, remedy=hint) from None
        first, last = _later(_first_day(name), kind.bound_min()), _earlier(kind.bound_max())
        calendar = kind(start=first, end=last)
    table = calendar.schedule
    opens, closes = (
        table[c].dt.tz_convert(None).to_numpy().astype("datetime64[s]") for c in ("open", "close")
    )
    return Sessions(name, str(calendar.tz), table.index.to_numpy().astype("datetime64[D]"), opens, closes)


def _first_day(name: str) -> str:
    return EARLIER_FIRST_DAY.get(name, FIRST_DAY)


def _later(day: str, bound: Any) -> str:
    return day if bound is None else max(day, f"{bound:%Y-%m-%d}")


def _earlier(bound: Any) -> str:
    return LAST_DAY if bound is None else min(LAST_DAY, f"{bound:%Y-%m-%d}")


def _without_closures(schedule: Sessions) -> Sessions:
    shut: BoolArray = np.zeros(len(schedule), dtype=np.bool_)
    for first, last in CLOSURES.get(schedule.code, ()):
        shut |= (schedule.dates >= np.datetime64(first)) & (schedule.dates <= np.datetime64(last))
    return Sessions(schedule.code, schedule.tz, *(array[~shut] for array in _arrays(schedule)))


def _freeze(schedule: Sessions) -> Sessions:
    for array in _arrays(schedule):
        array.flags.writeable = False
    return schedule


def _arrays(schedule: Sessions) -> tuple[DateArray, DateArray, DateArray]:
    return schedule.dates, schedule.opens, schedule.closes
