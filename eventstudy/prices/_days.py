"""The days that the stamps of prices mean, in the time zone of the symbol's exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..calendars import Symbol
from ..errors import BadAnswerError
from ..utility import np, pd
from ..words import make_error, say, words
from ._base import DATE_DTYPE, FIRST_DAY

if TYPE_CHECKING:
    from ..calendars import Sessions
    from ..utility import IntArray

DAY = r"(\d{4}-\d{2}-\d{2}|\d{8})"
# Behind the day: hour, minute, and a zone.
TIME = r"[T ]\s*(\d{1,2}):(\d{2})(?::[\d.]+)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
# Days from a price to the next, and the sessions between.
SPACINGS = {
    "weekly": (5, 9, 5), "monthly": (26, 36, 21), "quarterly": (85, 97, 63),
    "yearly": (355, 375, 250),
}  # fmt: skip
FEWEST_GAPS, NEARLY_ALL = 5, 0.9
# Stamps a day of prices that are not daily; of few days more, as clocks apart can join two.
SEVERAL, SEVERAL_OF_FEW = 1.5, 2


def read_days(
    cells: pd.Series[Any], numbers: pd.DataFrame, symbol: str, file: str
) -> tuple[pd.Series[pd.Timestamp], str]:
    """Return the days of the rows of a symbol, and a note where they are not those written.

    Parameters
    ----------
    cells : (n,) Series
        Text, or datetimes with or without a zone; the index holds line numbers.
    numbers : DataFrame
        Prices and volumes of the same rows.
    symbol, file : str

    Returns
    -------
    days : (n,) Series of datetime64
    note : str

    Raises
    ------
    BadAnswerError
        On the first cell that is no date.

    Notes
    -----
    A stamp with a zone is one of the zone of the exchange; if all are at midnight they may be dates
    as well. Stamps without a zone are read as written, or in UTC. Of two ways to read them that one
    is taken which leaves fewer prices on days on which the exchange was closed.
    """
    from ..calendars import Sessions

    wall, instant, has_times = stamps_of(cells)
    days = wall.dt.normalize() if has_times else wall
    bad = days.isna() | (days < pd.Timestamp(FIRST_DAY))
    if bad.any():
        raise bad_cell("wrong.not_date", cells, bad, file)
    is_priced = numbers.notna().any(axis=1) if has_times or instant is not None else slice(None)
    if has_times:
        _refuse_bars(wall[is_priced], file)
    home = Symbol(symbol).home
    is_dated = not has_times or bool((wall == days)[is_priced].all())
    if home is None or home.calendar is None or (is_dated and instant is None):
        return days.astype(DATE_DTYPE), ""
    schedule = Sessions.of(home.calendar)
    local = _local_days(wall if instant is None else instant, schedule)
    if is_dated or instant is None:
        n_closed = _count_closed(days[is_priced], schedule)
        if n_closed <= _count_closed(local[is_priced], schedule):
            # The dates as they are written fit the exchange as well or better.
            local = days
    code = "utc" if instant is None else "zone"
    note = say(f"price_rows.{code}", zone=schedule.tz) if (local != days).any() else ""
    return local.astype(DATE_DTYPE), note


def _refuse_bars(stamps: pd.Series[Any], file: str) -> None:
    """Raise the error for prices several times a day; on a few days the later may be a revision."""
    stamps = stamps.drop_duplicates()
    counts = stamps.dt.normalize().value_counts()
    most = SEVERAL if len(counts) > FEWEST_GAPS else SEVERAL_OF_FEW
    if counts.sum() > most * len(counts):
        n = max(2, int(counts.median()))
        raise make_error(BadAnswerError, "wrong.intraday", where=file, n=n)


def refuse_spacing(rows: pd.DataFrame, file: str) -> None:
    """Raise the error for prices that are weekly or rarer.

    Parameters
    ----------
    rows : DataFrame
        One symbol's, by date.
    file : str

    Raises
    ------
    BadAnswerError
        If nine in ten prices are as far from the one before as those of a week, month, quarter or
        year.
    """
    is_priced = ~(np.isnan(rows["close"].to_numpy()) & np.isnan(rows["adj_close"].to_numpy()))
    days = rows["date"].to_numpy()[is_priced].astype("datetime64[D]")
    gaps = np.diff(days.astype(np.int64))
    for spacing, (shortest, longest, sessions_between) in SPACINGS.items():
        is_such = (gaps >= shortest) & (gaps <= longest)
        if len(gaps) >= FEWEST_GAPS and is_such.mean() > NEARLY_ALL:
            facts: Any = {"n": sessions_between, "spacing": spacing}
            raise make_error(BadAnswerError, "wrong.spacing", where=file, **facts)


def stamps_of(cells: pd.Series[Any]) -> tuple[pd.Series[Any], pd.Series[Any] | None, bool]:
    """Return stamps as written, in UTC if all have a zone, and whether any has a time of day.

    Parameters
    ----------
    cells : (n,) Series
        As for `read_days`.

    Returns
    -------
    wall : (n,) Series of datetime64
        NaT where a cell is no date.
    instants : (n,) Series of datetime64 or None
    has_times : bool
    """
    if pd.api.types.is_datetime64_any_dtype(cells):
        zone = cells.dt.tz
        instant = None if zone is None else cells.dt.tz_convert("UTC").dt.tz_localize(None)
        wall = cells.dt.tz_localize(None)
        return wall, instant, bool((wall != wall.dt.normalize()).any())
    text = cells.astype(str).str.strip()
    day = text.str.extract(f"^{DAY}(?:[T ].*)?$", expand=False)
    wall = pd.to_datetime(day.str.replace("-", ""), format="%Y%m%d", errors="coerce")
    if (text == day).all():
        return wall, None, False
    times = text.str.extract(f"^{DAY}{TIME}")
    hours, minutes = (pd.to_numeric(times[group]).fillna(0) for group in (1, 2))
    wall += pd.to_timedelta(60 * hours + minutes, unit="min")
    if times[3].isna().any():
        return wall, None, True
    instant = wall - pd.to_timedelta(times[3].map(_offset_of), unit="min")
    return wall, instant, True


def _offset_of(zone: str) -> int:
    """Return the minutes by which a zone such as ``+08:00`` is ahead of UTC."""
    if zone[0] not in "+-":
        return 0
    minutes = 60 * int(zone[1:3]) + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def _local_days(instants: pd.Series[Any], schedule: Sessions) -> pd.Series[Any]:
    """Return the days of an exchange at instants in UTC; one that never closes has its own ends."""
    if schedule.closes[0] - schedule.opens[0] < np.timedelta64(1, "D"):
        there = instants.dt.tz_localize("UTC").dt.tz_convert(schedule.tz)
        local: pd.Series[Any] = there.dt.tz_localize(None).dt.normalize()
        return local
    at: IntArray = np.searchsorted(schedule.closes, instants.to_numpy(), side="right")
    days = schedule.dates[np.minimum(at, len(schedule) - 1)]
    return pd.Series(days.astype(DATE_DTYPE), instants.index)


def _count_closed(days: pd.Series[Any], schedule: Sessions) -> int:
    """Return how many days are none of the sessions, as far as these are known."""
    dates = days.to_numpy().astype("datetime64[D]")
    return int((~schedule.is_assumed(dates) & ~np.isin(dates, schedule.dates)).sum())


def bad_cell(code: str, cells: pd.Series[Any], bad: pd.Series[bool], file: str) -> BadAnswerError:
    """Return the error for the bad cells of a column: their lines, and the first of them.

    Parameters
    ----------
    code : str
        Of the error.
    cells, bad : (n,) Series
        The index holds line numbers.
    file : str
    """
    lines = bad.index[bad]
    where = f"{file}:{words().some(map(str, lines), 8)}: {cells.name}"
    return make_error(BadAnswerError, code, where=where, value=str(cells[lines[0]]))
