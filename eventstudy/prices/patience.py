"""What each online source did when it was last asked, and until when it must not be asked again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ..errors import DataError, NetworkError, PriceError, RateLimitedError
from ..utility import sqlite3
from ..words import make_error
from . import _database as disk
from ._prices import Names, PriceProvider, Prices, Progress
from .store import StoreProvider

# How long a source that asks us to wait is left alone, unless it says for how long.
REST = timedelta(hours=1)
TABLE = """CREATE TABLE IF NOT EXISTS sources
    (name TEXT PRIMARY KEY, asked TEXT, answered TEXT, fault TEXT, until TEXT) WITHOUT ROWID"""
PUT = "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)"
GET = "SELECT name, asked, answered, fault, until FROM sources"
IS_THERE = "SELECT count(*) FROM sqlite_master WHERE name = 'sources'"


@dataclass(frozen=True, slots=True)
class SourceState:
    """What an online source did when it was last asked; times are ISO 8601 in UTC, "" for never.

    Attributes
    ----------
    name : str
    asked, answered : str
        When it was last asked, and when it last answered.
    fault : str
        Why it had none when it was last asked; "" if it had.
    until : str
        When it may be asked again; "" = at any time.
    """

    name: str
    asked: str = ""
    answered: str = ""
    fault: str = ""
    until: str = ""


class SourceStates:
    """The states of online sources, kept in the file of the price cache.

    Parameters
    ----------
    store : str or Path, optional
        As for `StoreProvider`.
    """

    def __init__(self, store: str | Path | None = None) -> None:
        self._database = StoreProvider(store).database

    def read(self) -> dict[str, SourceState]:
        """Return the states by name of the source; none where nothing was noted."""
        with self._database.reading() as connection:
            if connection is None or not connection.execute(IS_THERE).fetchone()[0]:
                return {}
            return {row[0]: SourceState(*row) for row in connection.execute(GET)}

    def note(self, state: SourceState) -> None:
        """Keep a state; one that cannot be written is not kept."""
        with suppress(OSError, sqlite3.OperationalError, DataError):
            self._database.path.parent.mkdir(parents=True, exist_ok=True)
            with self._database.writing() as connection, disk.transaction(connection):
                connection.execute(TABLE)
                row = (state.name, state.asked, state.answered, state.fault, state.until)
                connection.execute(PUT, row)

    @property
    def is_kept(self) -> bool:
        """Whether there is a file that states are kept in."""
        return self._database.path.is_file()

    def forget_waits(self) -> list[str]:
        """Let every source be asked at once, and return those that were to be left alone."""
        waiting = [state for state in self.read().values() if state.until]
        for state in waiting:
            self.note(replace(state, until=""))
        return [state.name for state in waiting]


class PatientProvider:
    """An online source that is left alone for as long as it asks, or for an hour.

    Parameters
    ----------
    source : PriceProvider
    states : SourceStates
    now : callable
        Returns the present time, aware of its time zone.
    """

    def __init__(
        self, source: PriceProvider, states: SourceStates,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.name = source.name
        self.source = source
        self._states = states
        self._now = now

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices of the source, or that it must not be asked yet.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices

        Raises
        ------
        NetworkError
            When the source cannot be reached at all.
        """
        before = SourceState(self.name)
        with suppress(DataError):  # a cache that cannot be read is no reason not to ask
            before = self._states.read().get(self.name, before)
        now = _written(self._now())
        # A note from the future is one of a clock that was wrong.
        if before.asked <= now < before.until:
            facts = {"source": self.name, "until": _clock(before.until), "why": before.fault}
            waits: dict[str, PriceError] = {}
            for symbol in symbols:
                waits[symbol] = make_error(RateLimitedError, "source.waits", where=symbol, **facts)
            return Prices.of({}, waits)
        try:
            prices = self.source.fetch(symbols, start, end, progress=progress)
        except NetworkError as error:
            self._states.note(replace(before, asked=now, fault=error.what, until=""))
            raise
        limits = [e for e in prices.failures.values() if isinstance(e, RateLimitedError)]
        is_silent = bool(limits) and not prices.symbols
        # A limit may be of one symbol alone; twice in a row it is of the source.
        is_blocked = len(limits) > 1 or (is_silent and before.fault == limits[0].what)
        if not is_silent and not is_blocked:
            if before.fault or self._states.is_kept:
                self._states.note(SourceState(self.name, now, now))
            return prices
        answered = now if prices.symbols else before.answered
        state = SourceState(self.name, now, answered, limits[0].what)
        if not is_blocked:
            self._states.note(state)
            return prices
        until = _written(max((e.until for e in limits if e.until), default=self._now() + REST))
        self._states.note(replace(state, until=until))
        failures = dict(prices.failures)
        facts = {"source": self.name, "until": _clock(until), "why": limits[0].what}
        for symbol, failure in prices.failures.items():
            if isinstance(failure, RateLimitedError):
                failures[symbol] = make_error(type(failure), "source.waits", where=symbol, **facts)
        return replace(prices, failures=failures)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _clock(moment: str) -> str:
    """Return a time for a message, such as 2026-11-30 19:05 UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC"
