"""Daily prices from Yahoo Finance, through yfinance."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from ..errors import BadAnswerError, PriceError
from ..utility import pd
from ..words import make_error, words
from ._base import Action, Provenance, clean, in_range, unique
from ._prices import Answer, Names, Prices, Progress, cut_range
from ._registered import Place, price_source
from ._wire import HOST, Wire

if TYPE_CHECKING:
    from .sizes import Sizes

SETTLED = timedelta(minutes=30)
METADATA = {
    "currency": "currency", "instrument": "instrumentType", "timezone": "exchangeTimezoneName",
}  # fmt: skip
ACTIONS = {"Dividends": "dividend", "Stock Splits": "split", "Capital Gains": "capital_gain"}


class YahooProvider:
    """Prices from Yahoo Finance.

    Parameters
    ----------
    session : curl_cffi.requests.Session, optional
        Used as it is, with its own time-outs. By default a session is made that caps every time-out
        and takes proxies and certificates from the environment.
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
    ``close`` is adjusted for splits, ``adj_close`` for dividends too, as Yahoo gives them, without
    repairs. The row of a session that may not have ended yet is left out. A rate limit, a fault of
    the server or an answer that is not prices is tried twice more, with growing pauses; an
    unreachable network is not.
    """

    name = "yahoo"

    def __init__(
        self, session: Any = None, workers: int = 8, timeout: float = 10.0, *,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._wire, self._now = Wire(session, workers, timeout, sleep), now

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Download the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            A failure is an UnknownSymbolError, NoPricesError, RateLimitedError, NetworkError or
            BadAnswerError. After three failures of the network, or by the rate limit, in a row the
            rest fails without being asked.

        Raises
        ------
        NetworkError
            When Yahoo does not answer a first, small request within 4 seconds, or the network
            failed for every symbol.
        """
        wanted = unique(symbols)
        if not wanted:
            return Prices.of({}, {})

        def _ask(yfinance: Any, session: Any, symbol: str) -> Answer:
            ticker = yfinance.Ticker(symbol, session=session)
            return self._answer(ticker, symbol, start, end)

        outcomes = self._wire.ask_all(_ask, wanted, progress)
        failures = {s: error for s, error in outcomes.items() if isinstance(error, PriceError)}
        return Prices.of({s: a for s, a in outcomes.items() if isinstance(a, Answer)}, failures)

    def sizes(self, symbols: Sequence[str], start: date, end: date) -> Sizes:
        """Download the market values of firms on their sessions.

        Parameters
        ----------
        symbols : sequence of str
        start, end : date
            Inclusive.

        Returns
        -------
        Sizes
            Failures as for `fetch`, and NoPricesError for a symbol without share counts.

        Raises
        ------
        NetworkError
            As for `fetch`.

        Notes
        -----
        Asks for share counts, and for closes and splits until today: see
        :func:`.sizes.market_values`.
        """
        from .sizes import Sizes, market_values

        today = self._now().date()
        earliest = start - timedelta(days=Sizes.OLDEST_COUNT)

        def _ask(yfinance: Any, session: Any, symbol: str) -> pd.DataFrame:
            ticker = yfinance.Ticker(symbol, session=session)
            history = ticker.history(**self._options(earliest, today))
            counts = ticker.get_shares_full(start=earliest.isoformat(), end=today.isoformat())
            currency = str(ticker.get_history_metadata().get("currency") or "")
            return market_values(symbol, history, counts, currency, start, end)

        wanted = unique(symbols)
        return Sizes.of(self._wire.ask_all(_ask, wanted) if wanted else {}, self.name)

    def _options(self, start: date, end: date) -> dict[str, Any]:
        """Return all options of `Ticker.history`, as their defaults change."""
        return {
            "start": start.isoformat(), "end": (end + timedelta(days=1)).isoformat(),
            "interval": "1d", "prepost": False, "actions": True, "auto_adjust": False,
            "back_adjust": False, "repair": False, "keepna": True, "rounding": False,
            "timeout": self._wire.timeout,
        }  # fmt: skip

    def _answer(self, ticker: Any, symbol: str, start: date, end: date) -> Answer:
        import yfinance

        history = ticker.history(**self._options(start, end))
        metadata = ticker.get_history_metadata()
        now = self._now()
        _refuse_another(symbol, str(metadata.get("symbol") or ""))
        finished = _finished(history, metadata, now)
        table = finished.rename(columns=lambda name: name.lower().replace(" ", "_"))
        rows, notes = clean(table.assign(date=_days(finished)), symbol)
        rows = in_range(rows, start, end)
        if len(finished) < len(history):
            notes = (*notes, "the last session had not ended and is left out")
        notes = (*notes, *_holes(rows))
        moment, library = now.astimezone(UTC), f"yfinance {yfinance.__version__}"
        texts: Any = {name: str(metadata.get(key) or "") for name, key in METADATA.items()}
        texts |= {"retrieved_at": moment.isoformat(timespec="seconds"), "note": "; ".join(notes)}
        provenance = Provenance(self.name, HOST, library=library, **texts)
        return cut_range(symbol, Answer(rows, provenance, tuple(_actions(finished))), start, end)


def _refuse_another(symbol: str, answered: str) -> None:
    """Raise if an answer names another symbol than was asked; ``USDCNY=X`` is ``CNY=X``."""
    wanted, named = (name.upper() for name in (symbol, answered))
    if wanted.endswith("=X"):
        wanted = wanted.removeprefix("USD")
        named = named.removeprefix("USD")
    if wanted != named:
        error = make_error(BadAnswerError, "yahoo.another", where=symbol, answered=answered or "-")
        error.is_transient = True
        raise error


def _finished(history: pd.DataFrame, metadata: Mapping[str, Any], now: datetime) -> pd.DataFrame:
    """Return the rows of sessions that have ended; the index is exchange midnight, with time zone.

    The row of today, in the time zone of the exchange, stays only if the regular session in Yahoo's
    metadata is of that day and ended half an hour ago, the delay of some quotes.
    """
    if history.empty:
        return history
    today = now.astimezone(history.index[0].tzinfo).date()
    regular = (metadata.get("currentTradingPeriod") or {}).get("regular") or {}
    close = regular.get("end")
    ended = isinstance(close, datetime) and close.date() == today and close + SETTLED <= now
    days = _days(history).date
    finished: pd.DataFrame = history[(days < today) | (ended & (days == today))]
    return finished


def _days(history: pd.DataFrame) -> pd.DatetimeIndex:
    """Return the dates of the sessions by the clock of the exchange."""
    return cast("pd.DatetimeIndex", history.index).tz_localize(None).normalize()


def _actions(history: pd.DataFrame) -> list[Action]:
    """Return the dividends, splits and distributions of `history`, in order of date."""
    return sorted(
        Action(f"{day:%Y-%m-%d}", kind, float(value))
        for column, kind in ACTIONS.items()
        if column in history
        for day, value in history.loc[history[column] > 0, column].items()
    )


def _holes(rows: pd.DataFrame) -> list[str]:
    """Return a note on sessions that Yahoo lists without a close."""
    empty = rows.loc[rows["close"].isna(), "date"]
    if empty.empty:
        return []
    days = words().some(f"{day:%Y-%m-%d}" for day in empty)
    return [f"{len(empty)} sessions without a close ({days})"]


@price_source("yahoo", "Yahoo Finance through yfinance, downloaded anew", needs_network=True)
def _open(text: str, place: Place) -> YahooProvider:
    return YahooProvider()
