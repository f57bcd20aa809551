"""Daily prices of many exchanges from EODHD, by a key of one's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from .. import errors
from ..calendars import Sessions, Symbol
from ..words import clipped, make_error, say
from ._base import Provenance, clean
from ._online import SCALED, OnlineProvider, Row, Server, known_form, next_midnight, read_rows
from ._prices import Answer, cut_range
from ._registered import Place, price_source

if TYPE_CHECKING:
    from ..wire import Wire

COLUMNS = {
    "open": "open", "high": "high", "low": "low", "close": "close",
    "adjusted_close": "adj_close", "volume": "volume",
}  # fmt: skip
# Its code of an exchange by Yahoo's suffix: two that differ have other codes there.
EXCHANGES = {
    "": "US", "AX": "AU", "BO": "BSE", "DE": "XETRA", "KS": "KO", "L": "LSE", "NS": "NSE",
    "SS": "SHG", "SZ": "SHE",
} | {
    code: code
    for code in (
        "AS", "BR", "CO", "F", "HE", "HK", "KQ", "LS", "MC", "MI", "OL", "PA", "SA", "ST", "SW",
        "TO", "TW", "V", "VI",
    )
}  # fmt: skip
# Those of which the code is sure: Yahoo's without the caret.
INDICES = ("^DJI", "^FCHI", "^GDAXI", "^GSPC", "^HSI", "^IXIC", "^N225", "^NDX", "^STOXX50E")
# The last digit of an adjusted close.
STEP = 1e-4


class _Server(Server):
    """What EODHD answers during one fetch."""

    title = "EODHD"
    host = "eodhd.com"
    variable = "EODHD_API_TOKEN"
    page = "https://eodhd.com/cp/dashboard"

    def __init__(self, wire: Wire, now: datetime) -> None:
        super().__init__(wire, now)
        self.warnings: set[str] = set()

    def list_notices(self, answers: Collection[Answer]) -> Iterator[str]:
        """Yield what EODHD warns of."""
        for warning in sorted(self.warnings):
            yield say("eodhd.warning", why=warning)

    def read(self, symbol: str, start: date, end: date) -> Answer:
        """Return the prices of a symbol as EODHD adjusts them."""
        code = spell(symbol)
        home = Symbol(symbol).home
        tz = Sessions.of(home.calendar).tz if home and home.calendar else "UTC"
        last = min(end, self.last_day(tz))
        query: Row = {"from": start, "to": last, "period": "d", "order": "a", "fmt": "json"}
        answer: list[Row] = []
        if start <= last:
            answer = self.ask(symbol, f"api/eod/{code}", list, api_token=self.read_key(), **query)
        with known_form():
            # A free plan says so beside the rows, or in their place.
            warnings = sorted({clipped(row["warning"]) for row in answer if row.get("warning")})
        self.warnings.update(warnings)
        rows = [row for row in answer if "date" in row or "warning" not in row]
        days = read_rows(rows, COLUMNS)
        days = days[days["date"].between(str(start), str(last))]
        if days.empty:
            facts: Row = {"title": self.title, "start": start, "end": end}
            remedy = "; ".join(warnings)
            raise make_error(
                errors.NoPricesError, "online.no_prices", where=symbol, remedy=remedy, **facts
            )
        notes = [say("eodhd.closes"), say("online.shape"), *warnings]
        idle = (days["volume"] == 0) & (days[SCALED].nunique(axis=1) == 1)
        if idle.any() and not code.endswith(".INDX"):
            notes.append(say("eodhd.idle", n=int(idle.sum())))
            days = days[~idle]
        points = STEP / days["adj_close"].where(days["adj_close"] > 0).min() * 1e4
        if points > 1:
            notes.append(say("eodhd.rounded", points=points))
        table, changes = clean(days, symbol)
        provenance = Provenance(
            EodhdProvider.name, self.host, timezone=tz,
            retrieved_at=self.now.astimezone(UTC).isoformat(timespec="seconds"),
            note="; ".join([*notes, *changes]),
        )  # fmt: skip
        return cut_range(symbol, Answer(table, provenance), start, end)

    def find_end(self, said: str) -> datetime | None:
        """Return midnight in Greenwich, where the limit is that of the day."""
        if "daily" in said.lower():
            return next_midnight(self.now, UTC)
        return None


def spell(symbol: str) -> str:
    """Return EODHD's code of a symbol; UnknownSymbolError where none is known.

    Examples
    --------
    >>> [spell(symbol) for symbol in ("BRK-B", "VOD.L", "^GSPC")]
    ['BRK-B.US', 'VOD.LSE', 'GSPC.INDX']
    """
    if symbol in INDICES:
        return f"{symbol.removeprefix('^')}.INDX"
    stem, _, suffix = symbol.rpartition(".") if "." in symbol else (symbol, "", "")
    is_share = Symbol(symbol).kind == "share" and re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", stem)
    if not is_share or suffix not in EXCHANGES:
        fault = "eodhd.exchange" if is_share else "eodhd.spelling"
        facts: Row = {"suffix": suffix, "indices": INDICES}
        raise make_error(errors.UnknownSymbolError, fault, where=symbol, **facts)
    return f"{stem}.{EXCHANGES[suffix]}"


class EodhdProvider(OnlineProvider):
    """Prices of some 30 exchanges from EODHD, for those who have a key.

    Parameters
    ----------
    pause : float
        Seconds between two requests.
    timeout : float
        Seconds that the server may be silent.
    now : callable
        Returns the present time, aware of its time zone.

    Notes
    -----
    The key is read from the environment, EODHD_API_TOKEN, and kept nowhere. Symbols are spelt as
    Yahoo does: ``AAPL``, ``VOD.L``, ``0700.HK``, ``^GSPC``. ``adj_close`` is EODHD's, for splits
    and dividends, with four decimals; its ``close`` is neither raw nor adjusted for splits alone.
    Rows without trade (volume 0, one price) are left out, but those of indices. The currency is
    not in the answer and not asked for. The day that is not over on the exchange is left out.
    Written from documentation and recorded answers of others.
    """

    name = "eodhd"
    server = _Server


@price_source(
    "eodhd", "some 30 exchanges from EODHD, by the key in EODHD_API_TOKEN", needs_network=True
)
def _open(text: str, place: Place) -> EodhdProvider:
    return EodhdProvider()
