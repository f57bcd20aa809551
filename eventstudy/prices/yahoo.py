"""Daily prices from Yahoo Finance, through yfinance."""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import (
    BadAnswerError,
    NetworkError,
    NoPricesError,
    PriceError,
    RateLimitedError,
    UnknownSymbolError,
)
from ._actions import Action, between
from ._base import Prices, Progress, Provenance, clean, has_prices, in_range, no_rows, stamp, unique

if TYPE_CHECKING:
    import pandas as pd

HOST = "query2.finance.yahoo.com"
CHART = "/v8/finance/chart/"
PROBE_TIMEOUT = 4.0
SIDE_TIMEOUT = 4.0
RETRIES = 2
BREAK_AFTER = 3
SETTLED = timedelta(minutes=30)
RENAMED = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
}
ACTIONS = {"Dividends": "dividend", "Stock Splits": "split", "Capital Gains": "capital_gain"}
HOLES_SHOWN = 3


@dataclass(frozen=True)
class _Answer:
    rows: pd.DataFrame
    provenance: Provenance
    actions: tuple[Action, ...]


class _ServerFaultError(Exception):
    """Yahoo answered a request for prices with a status of 500 or more."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"HTTP status {status}")


class _Breaker:
    """Gives up after some symbols in a row failed by the network or by the rate limit; safe among threads."""

    def __init__(self, limit: int) -> None:
        self._lock, self._limit = threading.Lock(), limit
        self._run: list[PriceError] = []

    def record(self, outcome: _Answer | PriceError) -> None:
        """Count the outcome of one symbol."""
        with self._lock:
            if len(self._run) >= self._limit:
                return
            if isinstance(outcome, NetworkError | RateLimitedError):
                self._run.append(outcome)
            else:
                self._run.clear()

    def refuse(self, symbol: str) -> PriceError | None:
        """Return the failure of a symbol that need not be asked any more."""
        with self._lock:
            if len(self._run) < self._limit:
                return None
            last = self._run[-1]
        return type(last)(f"not asked after {self._limit} failures in a row: {last.what}", where=symbol)


class YahooProvider:
    """Prices from Yahoo Finance.

    Parameters
    ----------
    session : curl_cffi.requests.Session, optional
        Used as it is, with its own time-outs. By default a session is made that caps every time-out and takes
        proxies and certificates from the environment.
    workers : int
        Number of tickers asked at the same time.
    timeout : float
        Seconds that one request for prices may take.
    sleep : callable
        Waits the given seconds between attempts.
    now : callable
        Returns the present time, aware of its time zone.

    Notes
    -----
    ``close`` is adjusted for splits, ``adj_close`` for dividends too, as Yahoo gives them, without repairs.
    The row of a session that may not have ended yet is left out. A rate limit, a fault of the server or an
    answer that is not prices is tried twice more, with growing pauses; an unreachable network is not.
    """

    name = "yahoo"

    def __init__(
        self,
        session: Any = None,
        workers: int = 8,
        timeout: float = 10.0,
        *,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session, self._workers, self._timeout = session, workers, timeout
        self._sleep, self._now = sleep, now

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Download the prices from `start` to `end`, both inclusive.

        Returns
        -------
        Prices
            A failure is an UnknownSymbolError, NoPricesError, RateLimitedError, NetworkError or
            BadAnswerError. After three failures of the network, or by the rate limit, in a row the rest fails
            without being asked.

        Raises
        ------
        NetworkError
            When Yahoo does not answer a first, small request within 4 seconds, or the network failed for
            every symbol.
        """
        wanted = unique(symbols)
        if not wanted:
            return Prices.of({}, {}, {})
        session = self._session or _capped_session(self._timeout)
        _probe(session)
        with _yfinance() as yfinance:
            ask = functools.partial(self._ask_patiently, yfinance, session, start=start, end=end)
            outcomes = self._ask_all(ask, wanted, progress)
        failures = {symbol: found for symbol, found in outcomes.items() if isinstance(found, PriceError)}
        if all(isinstance(failures.get(symbol), NetworkError) for symbol in wanted):
            raise _unreachable(failures[wanted[0]].what)
        answers = {symbol: found for symbol, found in outcomes.items() if isinstance(found, _Answer)}
        return Prices.of(
            {symbol: answer.rows for symbol, answer in answers.items()},
            failures,
            {symbol: answer.provenance for symbol, answer in answers.items()},
            actions={symbol: answer.actions for symbol, answer in answers.items()},
        )

    def _ask_all(
        self, ask: Callable[[str], _Answer | PriceError], symbols: list[str], progress: Progress | None
    ) -> dict[str, _Answer | PriceError]:
        breaker = _Breaker(BREAK_AFTER)

        def one(symbol: str) -> _Answer | PriceError:
            refused = breaker.refuse(symbol)
            if refused is not None:
                return refused
            outcome = ask(symbol)
            breaker.record(outcome)
            return outcome

        # yfinance sets up its caches at the first request, and loses them when threads race to be first
        outcomes = {symbols[0]: one(symbols[0])}
        _tell(progress, 1, len(symbols))
        with ThreadPoolExecutor(self._workers) as pool:
            pending = {pool.submit(one, symbol): symbol for symbol in symbols[1:]}
            for future in as_completed(pending):
                outcomes[pending[future]] = future.result()
                _tell(progress, len(outcomes), len(symbols))
        return outcomes

    def _ask_patiently(
        self, yfinance: Any, session: Any, symbol: str, *, start: date, end: date
    ) -> _Answer | PriceError:
        """Ask for one symbol, again where that may help."""
        for attempt in range(RETRIES + 1):
            outcome = self._ask(yfinance, session, symbol, start, end)
            if not isinstance(outcome, RateLimitedError | BadAnswerError) or attempt == RETRIES:
                break
            self._sleep(2.0**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            _forget_answers()
        return outcome

    def _ask(self, yfinance: Any, session: Any, symbol: str, start: date, end: date) -> _Answer | PriceError:
        try:
            ticker = yfinance.Ticker(symbol, session=session)
            history = ticker.history(
                start=start.isoformat(),
                end=(end + timedelta(days=1)).isoformat(),
                interval="1d",
                prepost=False,
                actions=True,
                auto_adjust=False,
                back_adjust=False,
                repair=False,
                keepna=True,
                rounding=False,
                timeout=self._timeout,
            )
            return self._answer(symbol, history, ticker.get_history_metadata(), start, end)
        except PriceError as error:
            return error
        except Exception as error:
            return _classify(error, symbol)

    def _answer(
        self, symbol: str, history: pd.DataFrame, metadata: Mapping[str, Any], start: date, end: date
    ) -> _Answer:
        import pandas as pd
        import yfinance

        now = self._now()
        finished = _finished(history, metadata, now)
        table = finished.rename(columns=RENAMED)
        dates = [pd.Timestamp(day.date()) for day in finished.index]
        rows, notes = clean(table.assign(date=dates), symbol)
        rows = in_range(rows, start, end)
        if len(finished) < len(history):
            notes = (*notes, "the session that had not ended is left out")
        if not has_prices(rows):
            raise no_rows(symbol, rows, start, end)
        notes = (*notes, *_holes(rows))
        provenance = Provenance(
            self.name,
            HOST,
            retrieved_at=now.astimezone(UTC).isoformat(timespec="seconds"),
            library=f"yfinance {yfinance.__version__}",
            currency=str(metadata.get("currency") or ""),
            note="; ".join(notes),
            instrument=str(metadata.get("instrumentType") or ""),
            timezone=str(metadata.get("exchangeTimezoneName") or ""),
        )
        return _Answer(rows, stamp(provenance, rows), between(_actions(finished), start, end))


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress:
        progress(done, total)


def _finished(history: pd.DataFrame, metadata: Mapping[str, Any], now: datetime) -> pd.DataFrame:
    """Return the rows of sessions that have ended; `history` is indexed by exchange midnight, aware.

    The row of today, in the time zone of the exchange, stays only when the regular session that Yahoo names
    is of that day and ended half an hour ago, the delay of some quotes.
    """
    if history.empty:
        return history
    today = now.astimezone(history.index[0].tzinfo).date()
    regular = (metadata.get("currentTradingPeriod") or {}).get("regular") or {}
    close = regular.get("end")
    ended = isinstance(close, datetime) and close.date() == today and close + SETTLED <= now
    return history[[day.date() < today or (ended and day.date() == today) for day in history.index]]


def _actions(history: pd.DataFrame) -> list[Action]:
    """Return the dividends, splits and distributions of `history`, in order of date."""
    found = [
        Action(f"{day:%Y-%m-%d}", kind, float(value))
        for column, kind in ACTIONS.items()
        if column in history
        for day, value in history[column].items()
        if value > 0
    ]
    return sorted(found)


def _holes(rows: pd.DataFrame) -> list[str]:
    """Return a note on sessions that Yahoo lists without a close."""
    empty = rows.loc[rows["close"].isna(), "date"]
    if empty.empty:
        return []
    days = ", ".join(f"{day:%Y-%m-%d}" for day in empty.iloc[:HOLES_SHOWN])
    more = ", ..." if len(empty) > HOLES_SHOWN else ""
    return [f"{len(empty)} sessions without a close ({days}{more})"]


def _classify(error: Exception, symbol: str) -> PriceError:
    """Return the failure that an exception of yfinance or of its HTTP library means."""
    name = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if name == "YFRateLimitError" or status == 429:
        return RateLimitedError(
            "Yahoo limits the rate of requests", where=symbol, remedy="wait some minutes and run again"
        )
    reason = str(getattr(error, "yahoo_reason", "") or "")
    if name == "YFTzMissingError" or 400 <= status < 500 or "No data found" in reason:
        return UnknownSymbolError(
            "Yahoo does not know the symbol, or no longer",
            where=symbol,
            remedy="look it up on finance.yahoo.com, or give the prices as a file",
        )
    if name == "YFPricesMissingError":
        return NoPricesError(
            f"Yahoo has no prices in the range ({reason or 'no reason given'})",
            where=symbol,
            remedy="look at the first and the last day of the listing",
        )
    if isinstance(error, _ServerFaultError):
        return BadAnswerError(f"Yahoo's server is at fault ({error})", where=symbol, remedy="run again later")
    if isinstance(error, OSError) and not isinstance(error, ValueError) and status < 400:
        return NetworkError(f"no answer from Yahoo ({_short(error)})", where=symbol, remedy="run again later")
    return BadAnswerError(
        f"Yahoo's answer is not prices ({name}: {_short(error)})", where=symbol, remedy="run again later"
    )


def _short(error: Exception) -> str:
    """Return the first clause of an exception's message, without the advice of the HTTP library."""
    text = str(error).removeprefix("Failed to perform, ").partition("\n")[0].partition(". See ")[0]
    return text[:160] or type(error).__name__


def _unreachable(reason: str) -> NetworkError:
    return NetworkError(
        f"Yahoo Finance cannot be reached ({reason})",
        where=HOST,
        remedy="check the network, HTTPS_PROXY and REQUESTS_CA_BUNDLE, or use --offline",
    )


def _probe(session: Any) -> None:
    """Raise NetworkError unless the host answers at all; any HTTP status is an answer."""
    try:
        session.get(f"https://{HOST}/", timeout=PROBE_TIMEOUT)
    except OSError as error:
        raise _unreachable(_short(error)) from error


def _capped_session(timeout: float) -> Any:
    """Return a session that gives up early, and says when the server is at fault.

    yfinance asks for a cookie before the prices, with time-outs of 30 s that its caller cannot set, and reads
    a server's fault with a JSON body as an unknown ticker.
    """
    from curl_cffi import requests

    class CappedSession(requests.Session[Any]):
        def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
            wants_prices = urlsplit(url).path.startswith(CHART)
            cap = timeout if wants_prices else SIDE_TIMEOUT
            options["timeout"] = min(options.get("timeout") or cap, cap)
            response = super().request(method, url, *args, **options)
            if wants_prices and response.status_code >= 500:
                raise _ServerFaultError(response.status_code)
            return response

    return CappedSession(impersonate="chrome")


@contextmanager
def _yfinance() -> Iterator[Any]:
    """Yield yfinance set to raise its errors and log nothing, and give the caller's settings back after."""
    import yfinance

    # yfinance forces its own deprecation warnings to be shown, at import
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"yfinance")
    logger, debug, network = logging.getLogger("yfinance"), yfinance.config.debug, yfinance.config.network
    before = logger.level, debug.hide_exceptions, network.retries
    logger.setLevel(logging.CRITICAL + 1)
    debug.hide_exceptions, network.retries = False, 0
    _forget_answers()
    try:
        yield yfinance
    finally:
        logger.setLevel(before[0])
        debug.hide_exceptions, network.retries = before[1:]


def _forget_answers() -> None:
    """Empty yfinance's memory of answers, which keeps bad ones too and outlives a session."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
