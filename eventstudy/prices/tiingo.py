"""Daily prices of US shares and funds from Tiingo, by a key of one's own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from .. import errors
from ..calendars import Sessions, Symbol
from ..utility import np, pd
from ..words import make_error, say
from ._base import Action, Provenance, clean
from ._online import (
    FormError,
    OnlineProvider,
    Row,
    Server,
    in_todays_shares,
    known_form,
    next_midnight,
    read_rows,
    scale_for_splits,
)
from ._prices import Answer, cut_range
from ._registered import Place, price_source

CALENDAR = "XNYS"
# Its days end at midnight of this time, in summer too.
EASTERN = timezone(timedelta(hours=-5))
COLUMNS = {
    "open": "open", "high": "high", "low": "low", "close": "close", "adjClose": "adj_close",
    "volume": "volume", "divCash": "dividend", "splitFactor": "split",
}  # fmt: skip


class _Server(Server):
    """What Tiingo answers during one fetch."""

    title = "Tiingo"
    host = "api.tiingo.com"
    variable = "TIINGO_API_KEY"
    page = "https://www.tiingo.com/account/api/token"

    def read(self, symbol: str, start: date, end: date) -> Answer:
        """Return the prices of a symbol, adjusted for what is known today."""
        if Symbol(symbol).kind != "share" or not re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", symbol):
            raise make_error(errors.UnknownSymbolError, "tiingo.spelling", where=symbol)
        # Yahoo's BAC-PL, a preferred share, is BAC-P-L here.
        code = re.sub(r"-P([A-Z])$", r"-P-\1", symbol).lower()
        sessions = Sessions.of(CALENDAR)
        # Splits and dividends after `end` change what is before it.
        days = self.list_days(symbol, code, start, sessions.tz)
        notes = [say("tiingo.closes"), say("online.shape")]
        due = sessions.dates[sessions.dates >= np.datetime64(start)]
        if days.empty or days["date"].min() > due[0]:
            first, last = self.find_extent(symbol, code)
            if days.empty or str(end) < first:
                facts: Row = {"title": self.title, "start": start, "end": end}
                facts |= {"first": first or "-", "last": last or "-"}
                raise make_error(errors.OtherDaysError, "online.other_days", where=symbol, **facts)
            if first > str(start):
                notes.append(say("tiingo.begins", first=first))
        actions = _list_actions(days)
        scale_for_splits(days, [action for action in actions if action.kind == "split"])
        table, changes = clean(days, symbol)
        provenance = Provenance(
            TiingoProvider.name, self.host, currency="USD", timezone=sessions.tz,
            retrieved_at=self.now.astimezone(UTC).isoformat(timespec="seconds"),
            note="; ".join([*notes, *changes]),
        )  # fmt: skip
        return cut_range(symbol, Answer(table, provenance, actions), start, end)

    def list_days(self, symbol: str, code: str, start: date, tz: str) -> pd.DataFrame:
        """Return all rows from a day on until the last day that is over, raw but for adj_close."""
        last = self.last_day(tz)
        if start > last:
            return read_rows([], COLUMNS)
        query = {"startDate": start, "endDate": last, "format": "json", "resampleFreq": "daily"}
        rows = self.ask(symbol, f"tiingo/daily/{code}/prices", list, self.headers(), **query)
        days = read_rows(rows, COLUMNS)
        days = days[days["date"].between(str(start), str(last))].reset_index(drop=True)
        if not (days["split"] > 0).all():
            raise make_error(FormError, "online.form", why="splitFactor")
        return days

    def find_extent(self, symbol: str, code: str) -> tuple[str, str]:
        """Return the first and the last day that Tiingo has of a ticker; "" where it has none."""
        answer = self.ask(symbol, f"tiingo/daily/{code}", dict, self.headers())
        with known_form():
            ticker = str(answer["ticker"])
            first = answer["startDate"] or ""
            last = answer["endDate"] or ""
            if ticker.lower() != code:
                raise make_error(FormError, "online.another", names=[ticker])
            return first[:10], last[:10]

    def headers(self) -> dict[str, str]:
        """Return the header with the key."""
        return {"Authorization": f"Token {self.read_key()}"}

    def find_end(self, said: str) -> datetime | None:
        """Return the end of the hour or of the day; None for a month's limit of symbols."""
        if "hour" in said.lower():
            hour = self.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return hour + timedelta(hours=1)
        if "daily" in said.lower():
            return next_midnight(self.now, EASTERN)
        return None


def _list_actions(days: pd.DataFrame) -> tuple[Action, ...]:
    """Return dividends, in the unit of the adjusted closes, and splits, both by ex-date."""
    by_day = days.drop_duplicates("date").set_index("date")
    factors = by_day.loc[by_day["split"] != 1, "split"]
    paid = by_day.loc[by_day["dividend"] > 0, "dividend"]
    splits = [Action(f"{day:%Y-%m-%d}", "split", float(value)) for day, value in factors.items()]
    actions = list(splits)
    for day, value in paid.items():
        actions.append(in_todays_shares(Action(f"{day:%Y-%m-%d}", "dividend", value), splits))
    return tuple(sorted(actions))


class TiingoProvider(OnlineProvider):
    """Prices of US shares and funds from Tiingo, for those who have a key.

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
    The key is read from the environment, TIINGO_API_KEY, and kept nowhere. Symbols are spelt as
    Yahoo does: ``AAPL``, ``BRK-B``. Closes, other prices and volumes are adjusted for splits here;
    ``adj_close`` is Tiingo's, for splits and dividends. The day that is not over in New York is
    left out. A ticker that two firms have used holds the newer one: where the series begins later
    than was asked, the provenance says when. Written from documentation and recorded answers of
    others.
    """

    name = "tiingo"
    server = _Server


@price_source(
    "tiingo", "US shares and funds from Tiingo, by the key in TIINGO_API_KEY", needs_network=True
)
def _open(text: str, place: Place) -> TiingoProvider:
    return TiingoProvider()
