"""Daily prices of the Moscow exchange, from its public server ISS."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .. import errors
from ..calendars import Sessions
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
    scale_for_splits,
)
from ._prices import Answer, cut_range
from ._registered import Place, price_source

if TYPE_CHECKING:
    from ..wire import Wire

HOST = "iss.moex.com"
SUFFIX = ".ME"
ZONE = "Europe/Moscow"
SHARES = "TQBR"
# The boards that are read, each with its market, and the column of its close.
MARKETS = {SHARES: ("shares", "LEGALCLOSEPRICE"), "SNDX": ("index", "CLOSE")}
NUMBERS = {"OPEN": "open", "HIGH": "high", "LOW": "low", "VOLUME": "volume"}
ROUBLES = ("RUB", "SUR")
# From this record date on trades had settled after one session, before after two.
ONE_SESSION = date(2023, 8, 1)


class _Server(Server):
    """What ISS answers during one fetch."""

    title = "the Moscow exchange"
    host = HOST

    def __init__(self, wire: Wire, now: datetime) -> None:
        super().__init__(wire, now)
        self.yesterday = self.last_day(ZONE)

    def list_notices(self, answers: Collection[Answer]) -> Iterator[str]:
        """Yield that dividends may be lacking."""
        shares = [a for a in answers if a.provenance.instrument == "EQUITY"]
        if shares:
            yield say("moex.dividends", n=len(shares))

    def read(self, symbol: str, start: date, end: date) -> Answer:
        """Return the prices of a symbol, adjusted for what is known today."""
        code = symbol.removesuffix(SUFFIX)
        if code == symbol or not re.fullmatch(r"[A-Z0-9_-]+", code):
            raise make_error(errors.UnknownSymbolError, "moex.spelling", where=symbol)
        columns = ("secid", "boardid", "history_from", "history_till")
        rows, _ = self._ask(f"securities/{code}", "boards", columns, code)
        boards = {str(row["boardid"]): row for row in rows}
        board = next((name for name in MARKETS if name in boards), "")
        if not board:
            fault = "moex.other_boards" if boards else "moex.unknown"
            names = sorted(boards)
            raise make_error(errors.UnknownSymbolError, fault, where=symbol, boards=names)
        splits: list[Action] = []
        dividends: list[Action] = []
        notes = [say("moex.index_close")]
        if board == SHARES:
            splits = [split for name, split in self._splits if name == code]
            dividends, foreign = self._list_dividends(code)
            notes = [say("moex.main_close")]
            if foreign:
                notes.append(say("moex.foreign", n=foreign))
        # A dividend after `end` changes the adjusted closes by its share of the close before it.
        until = max([str(end), *(action.date for action in dividends)])
        history = self._list_days(code, board, start, min(until, str(self.yesterday)))
        if history.empty:
            first, last = (boards[board][f"history_{side}"] or "-" for side in ("from", "till"))
            facts: Row = {"start": start, "end": end, "first": first, "last": last, "board": board}
            raise make_error(errors.OtherDaysError, "moex.other_days", where=symbol, **facts)
        actions = _adjust(history, splits, dividends)
        table, changes = clean(history, symbol)
        provenance = Provenance(
            MoexProvider.name, HOST, currency="RUB", timezone=ZONE,
            instrument="EQUITY" if board == SHARES else "INDEX",
            retrieved_at=self.now.astimezone(UTC).isoformat(timespec="seconds"),
            note="; ".join([*notes, say("online.shape"), *changes]),
        )  # fmt: skip
        return cut_range(symbol, Answer(table, provenance, actions), start, end)

    def _ask(
        self, path: str, block: str, columns: tuple[str, ...], code: str = "", **query: object
    ) -> tuple[list[Row], Row]:
        """Return the rows of a block by the names of its columns, and where it stands in all rows.

        The first of `columns` has the security, which must be `code` if that is given.
        """
        url = f"https://{HOST}/iss/{path}.json?{urlencode({'iss.meta': 'off', **query})}"
        body = self.wire.get(url, wants="json", hosts=(HOST,)).body
        with known_form(url):
            answer = json.loads(body)
            rows = _list_rows(answer[block])
            cursor = answer.get(f"{block}.cursor")
            place = _list_rows(cursor)[0] if cursor else {}
            lacking = [name for name in columns if name not in answer[block]["columns"]]
            others = {str(row.get(columns[0])) for row in rows} - {code}
        if lacking:
            raise make_error(FormError, "online.columns", where=url, names=lacking)
        if code and others:
            raise make_error(FormError, "online.another", where=url, names=sorted(others))
        return rows, place

    @cached_property
    def _splits(self) -> list[tuple[str, Action]]:
        """The splits of all shares until the last day, each with the code of its share."""
        path = "statistics/engines/stock/splits"
        rows, _ = self._ask(path, "splits", ("secid", "tradedate", "before", "after"))
        splits = []
        with known_form(path):
            for row in rows:
                day = date.fromisoformat(row["tradedate"])
                if day <= self.yesterday:
                    ratio = float(row["after"]) / float(row["before"])
                    splits.append((row["secid"], Action(str(day), "split", ratio)))
        return splits

    def _list_dividends(self, code: str) -> tuple[list[Action], int]:
        """Return the dividends in roubles by ex-date, as paid, and the number of the others."""
        path = f"securities/{code}/dividends"
        columns = ("secid", "registryclosedate", "value", "currencyid")
        rows, _ = self._ask(path, "dividends", columns, code)
        dividends = []
        with known_form(path):
            in_roubles = [row for row in rows if row["currencyid"] in ROUBLES]
            for row in in_roubles:
                day = _find_ex_date(date.fromisoformat(row["registryclosedate"]))
                value = float(row["value"])
                if value > 0 and day <= self.yesterday:
                    dividends.append(Action(str(day), "dividend", value))
        return sorted(dividends), len(rows) - len(in_roubles)

    def _list_days(self, code: str, board: str, first: date, last: str) -> pd.DataFrame:
        """Return the raw numbers of each day, page by page; the close is of one kind throughout."""
        market, close = MARKETS[board]
        path = f"history/engines/stock/markets/{market}/boards/{board}/securities/{code}"
        columns: tuple[str, ...] = ("SECID", "BOARDID", "TRADEDATE", close)
        if board == SHARES:
            columns += ("NUMTRADES",)
        rows: list[Row] = []
        total = 0
        while True:
            query = {"from": first, "till": last, "start": len(rows)}
            page, place = self._ask(path, "history", columns, code, **query)
            if place and place.get("INDEX") != len(rows):
                raise make_error(FormError, "moex.page", where=path, n=len(rows))
            total = max(total, int(place.get("TOTAL") or 0))
            if not page:
                break
            if page[0] in rows:
                raise make_error(FormError, "moex.page", where=path, n=len(rows))
            rows += page
        if len(rows) < total:
            raise make_error(FormError, "moex.short", where=path, n=len(rows), total=total)
        others = {str(row["BOARDID"]) for row in rows} - {board}
        others |= {str(row.get("CURRENCYID") or "RUB") for row in rows} - {*ROUBLES}
        if others:
            raise make_error(FormError, "online.another", where=path, names=sorted(others))
        with known_form(path):
            table = pd.DataFrame(rows, columns=[*columns, *NUMBERS])
            frame = pd.DataFrame({"date": pd.to_datetime(table["TRADEDATE"], format="%Y-%m-%d")})
            for column, name in {**NUMBERS, close: "close"}.items():
                frame[name] = table[column].astype("float64")
            if board == SHARES:
                traded = table["NUMTRADES"].astype("float64") > 0
                frame["close"] = frame["close"].where(traded)
        return frame


def _list_rows(block: Row) -> list[Row]:
    """Return the rows of a block by the names of its columns."""
    return [dict(zip(block["columns"], row, strict=True)) for row in block["data"]]


def _find_ex_date(record_date: date) -> date:
    """Return the first session whose buyers are not yet on the books on the record date."""
    sessions = Sessions.of("XMOS").dates
    until = np.searchsorted(sessions, np.datetime64(record_date), side="right")
    return sessions[until - (1 if record_date >= ONE_SESSION else 2)].item()  # type: ignore[no-any-return]


def _adjust(
    days: pd.DataFrame, splits: list[Action], dividends: list[Action]
) -> tuple[Action, ...]:
    """Adjust raw numbers in place for splits, and the adjusted closes for dividends too.

    Returns the actions, dividends in the unit of the adjusted closes.
    """
    scale_for_splits(days, splits)
    dividends = [in_todays_shares(dividend, splits) for dividend in dividends]
    days["adj_close"] = days["close"]
    for dividend in dividends:
        before = days["date"] < dividend.date
        closes = days.loc[before, "close"].dropna()
        if len(closes) and not before.all():
            days.loc[before, "adj_close"] *= 1 - dividend.value / closes.iloc[-1]
    return tuple(sorted([*splits, *dividends]))


class MoexProvider(OnlineProvider):
    """Prices of the Moscow exchange, as its server ISS gives them to anybody.

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
    Symbols are spelt as Yahoo does: ``SBER.ME``, ``IMOEX.ME``. The close of a share is that of the
    main session (LEGALCLOSEPRICE), beside which the index is computed, not the last trade of the
    evening (CLOSE); a day without it has no close. Prices and volumes are adjusted for the splits
    that the exchange lists, ``adj_close`` also for dividends in roubles, of which its list lacks
    some. The day that is not over in Moscow is left out. Written from documentation and recorded
    answers of others.
    """

    name = "moex"
    server = _Server


@price_source(
    "moex",
    "closes of the main session of the Moscow exchange, from its server: SBER.ME, IMOEX.ME",
    needs_network=True,
)
def _open(text: str, place: Place) -> MoexProvider:
    return MoexProvider()
