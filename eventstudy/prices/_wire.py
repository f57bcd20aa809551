"""How Yahoo Finance is reached through yfinance: patience, time-outs, and what its errors mean."""

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

from ..errors import (
    BadAnswerError,
    NetworkError,
    NoPricesError,
    PriceError,
    RateLimitedError,
    UnknownSymbolError,
)

HOST = "query2.finance.yahoo.com"
# Paths of prices and of share counts.
DATA = ("/v8/finance/chart/", "/ws/fundamentals-timeseries/")
PROBE_TIMEOUT = 4.0
SIDE_TIMEOUT = 4.0
RETRIES = 2
BREAK_AFTER = 3
# What the numbers of libcurl's errors mean.
CAUSES = {
    "5": "the name of the proxy is not known", "6": "the name of the host is not known",
    "7": "no connection",
    "28": "no answer in time", "35": "no secure connection", "52": "an empty answer",
    "55": "the connection broke", "56": "the connection broke",
    "60": "its certificate is not trusted",
}  # fmt: skip
T = TypeVar("T")


class ServerFaultError(Exception):
    """Yahoo answered a request for prices with a status of 500 or more."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"HTTP status {status}")


class Breaker:
    """Gives up after some symbols in a row failed by the network or by the rate limit; safe among
    threads."""

    def __init__(self, limit: int) -> None:
        self._lock, self._limit = threading.Lock(), limit
        self._run: list[PriceError] = []

    def record(self, outcome: object) -> None:
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
        return type(last)(
            f"not asked after {self._limit} failures in a row: {last.what}", where=symbol
        )


@dataclass(frozen=True)
class Wire:
    """How many symbols are asked at once, and how patiently; parameters as for `YahooProvider`."""

    session: Any
    workers: int
    timeout: float
    sleep: Callable[[float], object]

    def ask_all(
        self,
        ask: Callable[[Any, Any, str], T],
        symbols: list[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, T | PriceError]:
        """Return what `ask` (yfinance, session, symbol) returns for each symbol, or why it failed.

        Raises
        ------
        NetworkError
            When Yahoo does not answer a first, small request, or the network failed for every
            symbol.
        """
        session, breaker = self.session or capped_session(self.timeout), Breaker(BREAK_AFTER)
        probe(session)
        with yfinance_quiet() as yfinance:

            def one(symbol: str) -> T | PriceError:
                refused = breaker.refuse(symbol)
                if refused is not None:
                    return refused
                outcome = self._patiently(lambda: ask(yfinance, session, symbol), symbol)
                breaker.record(outcome)
                return outcome

            outcomes = self._each(one, symbols, progress or (lambda done, total: None))
        errors = [found for found in outcomes.values() if isinstance(found, NetworkError)]
        if len(errors) == len(symbols):
            failed = outcomes[symbols[0]]
            raise unreachable(failed.what if isinstance(failed, NetworkError) else "")
        return outcomes

    def _each(
        self,
        one: Callable[[str], T | PriceError],
        symbols: list[str],
        progress: Callable[[int, int], None],
    ) -> dict[str, T | PriceError]:
        # yfinance sets up its caches at the first request, and loses them when threads race to be
        # first
        outcomes = {symbols[0]: one(symbols[0])}
        progress(1, len(symbols))
        with ThreadPoolExecutor(self.workers) as pool:
            pending = {pool.submit(one, symbol): symbol for symbol in symbols[1:]}
            for future in as_completed(pending):
                outcomes[pending[future]] = future.result()
                progress(len(outcomes), len(symbols))
        return outcomes

    def _patiently(self, ask: Callable[[], T], symbol: str) -> T | PriceError:
        """Ask for one symbol, again where that may help."""
        for attempt in range(RETRIES + 1):
            outcome = _outcome(ask, symbol)
            if not isinstance(outcome, RateLimitedError | BadAnswerError) or attempt == RETRIES:
                break
            self.sleep(2.0**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            forget_answers()
        return outcome


def _outcome(ask: Callable[[], T], symbol: str) -> T | PriceError:
    try:
        return ask()
    except PriceError as error:
        return error
    except Exception as error:
        return classify(error, symbol)


def classify(error: Exception, symbol: str) -> PriceError:
    """Return the failure that an exception of yfinance or of its HTTP library means."""
    name = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if name == "YFRateLimitError" or status == 429:
        return RateLimitedError(
            "Yahoo limits the rate of requests",
            where=symbol,
            remedy="wait some minutes and run again",
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
    if isinstance(error, ServerFaultError):
        return BadAnswerError(
            f"Yahoo's server is at fault ({error})", where=symbol, remedy="run again later"
        )
    if isinstance(error, OSError) and not isinstance(error, ValueError) and status < 400:
        return NetworkError(
            f"no answer from Yahoo ({short(error)})", where=symbol, remedy="run again later"
        )
    return BadAnswerError(
        f"Yahoo's answer is not prices ({name}: {short(error)})",
        where=symbol,
        remedy="run again later",
    )


def short(error: Exception) -> str:
    """Return the cause of an exception, without what the HTTP library adds to it."""
    text = str(error).removeprefix("Failed to perform, ").partition("\n")[0].partition(". See ")[0]
    code = re.match(r"curl: \((\d+)\) *(.*)", text)
    return (CAUSES.get(code[1]) or code[2][:80] if code else text[:160]) or type(error).__name__


def unreachable(reason: str) -> NetworkError:
    return NetworkError(
        f"Yahoo Finance cannot be reached ({reason})",
        where=HOST,
        remedy="check the network, HTTPS_PROXY and REQUESTS_CA_BUNDLE, or use --offline",
    )


def probe(session: Any) -> None:
    """Raise NetworkError unless the host answers at all; any HTTP status is an answer."""
    try:
        session.get(f"https://{HOST}/", timeout=PROBE_TIMEOUT)
    except OSError as error:
        raise unreachable(short(error)) from error


def capped_session(timeout: float) -> Any:
    """Return a session that gives up early, and says when the server is at fault.

    yfinance asks for a cookie before the prices, with time-outs of 30 s that its caller cannot set,
    and reads a server's fault with a JSON body as an unknown ticker.
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
    """Yield yfinance set to raise its errors and log nothing, and give the caller's settings back
    after."""
    import yfinance

    # yfinance forces its own deprecation warnings to be shown, at import
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"yfinance")
    logger, debug, network = (
        logging.getLogger("yfinance"),
        yfinance.config.debug,
        yfinance.config.network,
    )
    before = logger.level, debug.hide_exceptions, network.retries
    logger.setLevel(logging.CRITICAL + 1)
    debug.hide_exceptions, network.retries = False, 0
    forget_answers()
    try:
        yield yfinance
    finally:
        logger.setLevel(before[0])
        debug.hide_exceptions, network.retries = before[1:]


def forget_answers() -> None:
    """Empty yfinance's memory of answers, which keeps bad ones too and outlives a session."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
