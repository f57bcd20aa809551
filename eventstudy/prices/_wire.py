"""Requests to Yahoo Finance through yfinance: retries, time-outs, and the meaning of errors."""

from __future__ import annotations

import logging
import random
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .. import errors
from ..words import has, make_error, say

HOST = "query2.finance.yahoo.com"
# Paths of prices and of share counts.
DATA = ("/v8/finance/chart/", "/ws/fundamentals-timeseries/")
PROBE_TIMEOUT = 4.0
SIDE_TIMEOUT = 4.0
RETRIES = 2
BREAK_AFTER = 3
T = TypeVar("T")


class ServerFaultError(Exception):
    """Yahoo answered a request for prices with a status of 500 or more."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"HTTP status {status}")


class Breaker:
    """Give up after `limit` failures in a row by the network or the rate limit; thread-safe.

    Two rate limits that are the first answers end all at once.
    """

    def __init__(self, limit: int) -> None:
        self._lock, self._limit, self._answered = threading.Lock(), limit, False
        self._run: list[errors.PriceError] = []

    def record(self, outcome: object) -> None:
        """Count the outcome of one symbol."""
        with self._lock:
            if len(self._run) >= self._limit:
                return
            if isinstance(outcome, errors.NetworkError | errors.RateLimitedError):
                is_first = isinstance(outcome, errors.RateLimitedError) and not self._answered
                self._run += [outcome] * (self._limit - 1 if is_first else 1)
            else:
                self._answered = True
                self._run.clear()

    def refuse(self, symbol: str) -> errors.PriceError | None:
        """Return the failure of a symbol that need not be asked, or None."""
        with self._lock:
            if len(self._run) < self._limit:
                return None
            last = self._run[-1]
        facts = {"where": symbol, "remedy": last.remedy, "why": last.what}
        return make_error(type(last), "yahoo.not_asked", **facts)


@dataclass(frozen=True)
class Wire:
    """Number of symbols asked at once, and time-outs; parameters as for `YahooProvider`."""

    session: Any
    workers: int
    timeout: float
    sleep: Callable[[float], object]

    def ask_all(
        self, ask: Callable[[Any, Any, str], T], symbols: list[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, T | errors.PriceError]:  # fmt: skip
        """Return the answer of `ask` for each symbol, or why it failed.

        Parameters
        ----------
        ask : callable
            Takes yfinance, the session and a symbol.
        symbols : list of str
        progress : callable, optional

        Returns
        -------
        dict of str to object or PriceError

        Raises
        ------
        NetworkError
            When Yahoo does not answer a first, small request, or the network failed for every
            symbol.
        """
        session = self.session or capped_session(self.timeout)
        breaker = Breaker(BREAK_AFTER)
        probe(session)
        with yfinance_quiet() as yfinance:

            def ask_symbol(symbol: str) -> T | errors.PriceError:
                refused = breaker.refuse(symbol)
                if refused is not None:
                    return refused
                outcome = self._retry(lambda: ask(yfinance, session, symbol), symbol, breaker)
                breaker.record(outcome)
                return outcome

            advance = progress or (lambda done, total: None)
            # yfinance sets up its caches at the first request, and loses them when threads race.
            # A rate limit may be of one symbol, so a second one is asked before the others.
            outcomes: dict[str, T | errors.PriceError] = {}
            for symbol in symbols[:2]:
                outcomes[symbol] = ask_symbol(symbol)
                advance(len(outcomes), len(symbols))
                if not isinstance(outcomes[symbol], errors.RateLimitedError):
                    break
            with ThreadPoolExecutor(self.workers) as pool:
                others = symbols[len(outcomes) :]
                pending = {pool.submit(ask_symbol, symbol): symbol for symbol in others}
                for future in as_completed(pending):
                    outcomes[pending[future]] = future.result()
                    advance(len(outcomes), len(symbols))
        silent = [o for o in outcomes.values() if isinstance(o, errors.NetworkError)]
        if len(silent) == len(outcomes):
            raise unreachable(silent[0].what)
        return outcomes

    def _retry(self, ask: Callable[[], T], symbol: str, breaker: Breaker) -> T | errors.PriceError:
        """Ask for one symbol, again where that may help and others have not failed meanwhile."""
        for attempt in range(RETRIES + 1):
            try:
                return ask()
            except Exception as error:
                failure = error if isinstance(error, errors.PriceError) else classify(error, symbol)
            may_pass = isinstance(failure, errors.RateLimitedError | errors.BadAnswerError)
            if not may_pass or attempt == RETRIES or breaker.refuse(symbol):
                break
            self.sleep(2.0**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            forget_answers()
        return failure


def classify(error: Exception, symbol: str) -> errors.PriceError:
    """Return the failure of a symbol that an exception means.

    Parameters
    ----------
    error : Exception
        Of yfinance or its HTTP library.
    symbol : str

    Returns
    -------
    PriceError
    """
    name = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", 0)
    reason = str(getattr(error, "yahoo_reason", "") or "")
    kind: type[errors.PriceError] = errors.BadAnswerError
    code = "odd"
    if name == "YFRateLimitError" or status == 429:
        kind, code = errors.RateLimitedError, "limited"
    elif name == "YFTzMissingError" or 400 <= status < 500 or "No data found" in reason:
        kind, code = errors.UnknownSymbolError, "unknown"
    elif name == "YFPricesMissingError":
        kind, code = errors.NoPricesError, "no_prices"
    elif isinstance(error, ServerFaultError):
        code = "at_fault"
    elif isinstance(error, OSError) and not isinstance(error, ValueError) and status < 400:
        kind, code = errors.NetworkError, "no_answer"
    facts = {"name": name, "why": short(error), "reason": reason or "no reason given"}
    failure = make_error(kind, f"yahoo.{code}", where=symbol, **facts)
    # Yahoo says of what it does not have that it has not: all else may pass.
    is_lack = kind is errors.NoPricesError and bool(reason)
    failure.is_transient = kind is not errors.UnknownSymbolError and not is_lack
    return failure


def short(error: Exception) -> str:
    """Return the cause of an exception, without additions of the HTTP library."""
    text = str(error).removeprefix("Failed to perform, ").partition("\n")[0].partition(". See ")[0]
    code = re.match(r"curl: \((\d+)\) *(.*)", text)
    known = f"curl.{code[1]}" if code else ""
    cause = say(known) if has(known) else code[2][:80] if code else text[:160]
    return cause or type(error).__name__


def unreachable(reason: str) -> errors.UnreachableError:
    """Return the error for a host that does not answer."""
    return make_error(errors.UnreachableError, "yahoo.unreachable", where=HOST, why=reason)


def probe(session: Any) -> None:
    """Raise NetworkError unless the host answers at all; any HTTP status is an answer."""
    try:
        session.get(f"https://{HOST}/", timeout=PROBE_TIMEOUT)
    except OSError as error:
        raise unreachable(short(error)) from error


def capped_session(timeout: float) -> Any:
    """Return a session whose requests for prices take at most `timeout` seconds.

    It raises ServerFaultError where the server is at fault: yfinance takes such an answer with a
    JSON body for an unknown ticker. yfinance also asks for a cookie before the prices, with
    time-outs of 30 s that its caller cannot set.
    """
    from curl_cffi import requests

    class CappedSession(requests.Session[Any]):
        def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
            wants_data = urlsplit(url).path.startswith(DATA)
            cap = timeout if wants_data else SIDE_TIMEOUT
            options["timeout"] = min(options.get("timeout") or cap, cap)
            response = super().request(method, url, *args, **options)
            if wants_data and response.status_code >= 500:
                raise ServerFaultError(response.status_code)
            return response

    return CappedSession(impersonate="chrome")


@contextmanager
def yfinance_quiet() -> Iterator[Any]:
    """Yield yfinance, set to raise its errors and log nothing; restore its settings afterwards."""
    import yfinance

    _ignore_warnings("yfinance")
    logger = logging.getLogger("yfinance")
    debug, network = yfinance.config.debug, yfinance.config.network
    before = logger.level, debug.hide_exceptions, network.retries
    logger.setLevel(logging.CRITICAL + 1)
    debug.hide_exceptions, network.retries = False, 0
    forget_answers()
    try:
        yield yfinance
    finally:
        logger.setLevel(before[0])
        debug.hide_exceptions, network.retries = before[1:]


def _ignore_warnings(module: str) -> None:
    """Show no warning of a module: they are for those who develop it.

    yfinance asks at import for its deprecations to be shown. That filter goes: where threads of
    pandas change the list of filters, Python can pass over the one before it.
    """
    filters: Any = warnings.filters
    for entry in [*filters]:
        if getattr(entry[3], "pattern", "").lstrip("^") == module:
            filters.remove(entry)
    warnings.filterwarnings("ignore", module=module)


def forget_answers() -> None:
    """Empty yfinance's memory of answers, which keeps bad ones too and outlives a session."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
