"""What sources have in common that ask a server for one symbol after the other."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from .. import errors
from ..utility import pd
from ..words import clipped, make_error, say
from ._base import Action, unique
from ._prices import Answer, Names, Prices, Progress, gather

if TYPE_CHECKING:
    from ..wire import Response, Wire

SCALED = ["open", "high", "low", "close"]
# What vendors say in the place of rows: of a limit, of a key, of a symbol.
LIMIT = re.compile(r"run over your|request allocation|symbol look ?up|exceeded your", re.IGNORECASE)
NO_KEY = re.compile(r"invalid token|supply a token|unauthenticated", re.IGNORECASE)
UNKNOWN = re.compile(r"\bticker\b.*\bnot found", re.IGNORECASE)
Row = dict[str, Any]


class FormError(errors.WireError):
    """An answer that is not of the form that is known."""

    status = 200


class Server:
    """What a server answers during one fetch.

    Parameters
    ----------
    wire : Wire
    now : datetime
        With a time zone.

    Raises
    ------
    ConfigError
        Without a key, where the server wants one.
    """

    title: ClassVar[str]
    host: ClassVar[str]
    # The variable of the environment with the key, and the page where one gets it.
    variable: ClassVar[str] = ""
    page: ClassVar[str] = ""

    def __init__(self, wire: Wire, now: datetime) -> None:
        self.wire = wire
        self.now = now
        if self.variable:
            self.read_key()

    def read(self, symbol: str, start: date, end: date) -> Answer:
        """Return the prices of a symbol, both ends inclusive."""
        raise NotImplementedError

    def list_notices(self, answers: Collection[Answer]) -> Iterator[str]:
        """Yield what is to be said of all answers."""
        return iter(())

    def read_key(self) -> str:
        """Return the key, which is kept nowhere; ConfigError without one."""
        key = os.environ.get(self.variable, "").strip()
        if not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            code = "online.bad_key" if key else "online.no_key"
            facts: Row = {"title": self.title, "variable": self.variable, "page": self.page}
            raise make_error(errors.ConfigError, code, **facts)
        return key

    def last_day(self, tz: str) -> date:
        """Return the last day that is over in a time zone."""
        return self.now.astimezone(ZoneInfo(tz)).date() - timedelta(days=1)

    def ask(
        self, symbol: str, path: str, kind: type, headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> Any:  # fmt: skip
        """Return the JSON of a kind that a vendor answers; what it says in its place is a fault."""
        url = f"https://{self.host}/{path}?{urlencode(query)}"

        def heed(response: Response) -> None:
            self.heed(response, symbol)

        hosts = (self.host,)
        response = self.wire.get(url, wants="json", hosts=hosts, headers=headers, heed=heed)
        answer = json.loads(response.body)
        if not isinstance(answer, kind):
            why = clipped(response.body.decode("utf-8", "replace"), 160)
            raise make_error(FormError, "online.form", why=why)
        return answer

    def heed(self, response: Response, symbol: str) -> None:
        """Raise what the words of a vendor mean, whatever the status that they come with."""
        body = response.body.lstrip()
        status = response.status
        if body.startswith(b"<") or status >= 500:
            return
        said = words_of(body)
        if status == 402 or LIMIT.search(said):
            limit = make_error(errors.WireError, "online.limit", why=said)
            limit.status = 429
            limit.until = self.find_end(said)
            raise limit
        if status in (401, 403) or NO_KEY.search(said):
            facts: Row = {"title": self.title, "variable": self.variable, "status": status}
            raise make_error(errors.ConfigError, "online.refused", why=said or "-", **facts)
        if UNKNOWN.search(said):
            raise make_error(
                errors.UnknownSymbolError, "online.unknown", where=symbol, title=self.title
            )
        if said and status in (200, 404):
            raise make_error(FormError, "online.form", why=said)

    def find_end(self, said: str) -> datetime | None:
        """Return when a limit ends, by what is said of it; None where that is not known."""
        return None


class OnlineProvider:
    """A source of prices that asks a server for one symbol after the other.

    Parameters
    ----------
    pause : float
        Seconds between two requests.
    timeout : float
        Seconds that the server may be silent.
    now : callable
        Returns the present time, aware of its time zone.
    """

    name: str
    server: ClassVar[type[Server]]

    def __init__(
        self, *, pause: float = 0.2, timeout: float = 30.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._pause = pause
        self._timeout = timeout
        self._now = now

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Download the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            A failure is an UnknownSymbolError, NoPricesError, OtherDaysError, RateLimitedError,
            NetworkError or BadAnswerError. After three failures of the server in a row the rest
            fails without being asked.

        Raises
        ------
        ConfigError
            Without the key that the server wants, or if it refuses the key.
        NetworkError
            When the network failed for every symbol.
        """
        from ..wire import Wire

        server = self.server(Wire(pause=self._pause, timeout=self._timeout), self._now())

        def read(symbol: str) -> Answer:
            try:
                return server.read(symbol, start, end)
            except errors.RecordError as fault:
                failure = classify(fault, symbol, server.title)
            # Outside: no address, which may have a key, is in the chain of the failure.
            raise failure

        answers, failures = gather(unique(symbols), read, progress)
        networks = [e for e in failures.values() if isinstance(e, errors.NetworkError)]
        if networks and len(networks) == len(failures) and not answers:
            raise networks[0]
        return Prices.of(answers, failures, server.list_notices(answers.values()))


def classify(fault: errors.RecordError, symbol: str, title: str) -> errors.PriceError:
    """Return the failure of a symbol that a fault of the server means.

    Parameters
    ----------
    fault : RecordError
        Of `Wire`.
    symbol : str
    title : str
        What the server is called.
    """
    kind: type[errors.PriceError] = errors.BadAnswerError
    if fault.status in (402, 429):
        kind = errors.RateLimitedError
    elif fault.status in (404, 410) and not isinstance(fault, errors.WireError):
        kind = errors.UnknownSymbolError
    elif isinstance(fault, errors.WireError) and not fault.status:
        kind = errors.NetworkError
    until = fault.until if isinstance(fault, errors.WireError) else None
    remedy = fault.remedy
    if until:
        remedy = say("online.after", until=f"{until.astimezone(UTC):%Y-%m-%d %H:%M}")
    facts = {"remedy": remedy, "why": fault.what, "title": title}
    failure = make_error(kind, "online.fault", where=symbol, **facts)
    failure.is_transient = isinstance(fault, errors.WireError) or fault.status == 402
    if isinstance(failure, errors.RateLimitedError):
        failure.until = until
    return failure


def next_midnight(now: datetime, zone: tzinfo) -> datetime:
    """Return the end of the present day of a time zone."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)


def words_of(body: bytes) -> str:
    """Return what a vendor says in the place of data, "" for data and for half of them."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("["):
        return ""
    try:
        answer = json.loads(text)
    except ValueError:
        return "" if text.startswith("{") else clipped(text)
    if isinstance(answer, dict):
        answer = answer.get("detail") or answer.get("error") or answer.get("message") or ""
    return clipped(answer or "")


@contextmanager
def known_form(url: str = "") -> Iterator[None]:
    """Raise FormError where what is read in it is of another form."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        why = clipped(error, 160)
        raise make_error(FormError, "online.form", where=url, why=why) from error


def read_rows(rows: list[Row], columns: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of a vendor as a table.

    Parameters
    ----------
    rows : list of dict
        As received, each with a `date` that begins with YYYY-MM-DD: its session.
    columns : mapping of str to str
        Their names of numbers, each with that in the table.

    Returns
    -------
    DataFrame
        ``date`` and the numbers as float64; all of them NaN where a number is null.

    Raises
    ------
    FormError
        If they are no such rows.
    """
    with known_form():
        lacking = sorted({name for row in rows for name in ("date", *columns) if name not in row})
    if lacking:
        raise make_error(FormError, "online.columns", names=lacking)
    with known_form():
        days = [row["date"][:10] for row in rows]
        table = pd.DataFrame({"date": pd.to_datetime(days, format="%Y-%m-%d")})
        for name, ours in columns.items():
            table[ours] = pd.Series([row[name] for row in rows], dtype="float64")
    return table


def scale_for_splits(days: pd.DataFrame, splits: Iterable[Action]) -> None:
    """Adjust raw prices and volumes in place for later splits."""
    for split in splits:
        before = days["date"] < split.date
        days.loc[before, SCALED] /= split.value
        days.loc[before, "volume"] *= split.value


def in_todays_shares(dividend: Action, splits: Iterable[Action]) -> Action:
    """Return a dividend as paid in the unit of adjusted closes: for a share after all splits."""
    later = [split.value for split in splits if split.date > dividend.date]
    return replace(dividend, value=dividend.value / math.prod(later))
