"""Prices of a server that answers CSV or JSON at an address with symbol and days in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from .. import errors
from ..utility import pd
from ..words import make_error, say, words
from ._asked import AskedProvider, Meaning, fill_variables
from ._online import classify
from ._prices import Names, Prices, Progress
from .files import csv_table

if TYPE_CHECKING:
    from ..wire import Wire

_PLACE = re.compile(r"\{(symbol|start|end)(?::([^{}]+))?\}")
STOOQ = "stooq.com"


class UrlProvider(AskedProvider):
    """Prices of a server, by https.

    Parameters
    ----------
    label, meaning
        As for `AskedProvider`.
    url : str
        Address with ``{symbol}``, and perhaps ``{start}`` and ``{end}``: ISO dates, or
        ``{start:%Y%m%d}``. ``{env:NAME}`` is the value of a variable, here and in headers.
    format : {"csv", "json"}
    rows : str
        Where JSON has the rows, such as ``data.prices[*]``; "" if it is a list of them.
    names : str
        Where JSON has the names of columns, if rows are lists of cells.
    headers : mapping of str to str
    limit_keys : sequence of str
        Keys of JSON, or words of a single line, that mean a limit.
    pause : float
        Seconds between two requests.

    Raises
    ------
    ConfigError
        If the address cannot be one, or is of a server that gives prices to people only.
    """

    is_remote = True

    def __init__(
        self, label: str, meaning: Meaning, url: str, *, format: str = "csv",  # noqa: A002
        rows: str = "", names: str = "", headers: Mapping[str, str] | None = None,
        limit_keys: Sequence[str] = (), pause: float = 0.2,
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        host = parts.netloc
        if (parts.hostname or "").endswith(STOOQ):
            raise make_error(errors.ConfigError, "asked.stooq", where=label)
        if parts.scheme != "https" or re.search(r"[{}@]|^$", host):
            raise make_error(errors.ConfigError, "asked.host", where=label)
        unknown = re.sub(r"\{env:\w+\}", "", _PLACE.sub("", url))
        if "{symbol}" not in url or "{" in unknown:
            raise make_error(errors.ConfigError, "asked.template", where=label)
        if format not in ("csv", "json"):
            raise make_error(errors.ConfigError, "asked.format", where=label, value=format)
        super().__init__(label, meaning)
        # Prices of one vendor are none of another.
        self.name = host
        self.url = url
        self.format = format
        self.rows = rows
        self.names = names
        self.headers = headers or {}
        self.limit_keys = limit_keys
        self.pause = pause
        self._limited = False

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Download the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            After an answer that means a limit, and after three faults of the server in a row, the
            rest fails without being asked.

        Raises
        ------
        ConfigError
            If a variable is not set.
        NetworkError
            When the network failed for every symbol.
        """
        from ..wire import Wire

        self._wire: Wire = Wire(pause=self.pause)
        self._limited = False
        self._sent = {name: fill_variables(v, self.label) for name, v in self.headers.items()}
        prices = super().fetch(symbols, start, end, progress=progress)
        faults = list(prices.failures.values())
        is_silent = all(isinstance(fault, errors.NetworkError) for fault in faults)
        if faults and is_silent and not prices.symbols:
            raise faults[0]
        return prices

    def ask(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return what the server answers for one symbol."""
        (symbol,) = symbols
        if not symbol.strip("."):
            raise make_error(errors.UnknownSymbolError, "asked.dots", where=symbol)
        if self._limited:
            raise make_error(errors.RateLimitedError, "asked.limited", where=symbol)
        values: dict[str, Any] = {"symbol": symbol, "start": start, "end": end}

        def fill(match: re.Match[str]) -> str:
            return quote(format(values[match[1]], match[2] or ""), safe="")

        url = _PLACE.sub(fill, self.url)
        url = fill_variables(url, self.label, lambda value: quote(value, safe=""))
        try:
            answer = self._wire.get(url, wants="text", hosts=(self.name,), headers=self._sent)
        except errors.RecordError as fault:
            if not isinstance(fault, errors.WireError):
                fault.remedy = say("asked.compare")
            failure = classify(fault, symbol, self.name)
            if fault.status in (401, 403):
                failure = make_error(errors.BadAnswerError, "asked.refused", where=symbol)
            raise failure from None
        return self._read_answer(answer.body, symbol)

    def _read_answer(self, body: bytes, symbol: str) -> pd.DataFrame:
        text = body.decode("utf-8-sig", "replace").strip()
        if text.startswith("<"):
            raise make_error(errors.BadAnswerError, "asked.page", where=symbol)
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        is_line = not isinstance(document, dict | list) and "\n" not in text
        heads = document if isinstance(document, dict) else text if is_line else ()
        if any(key in heads for key in self.limit_keys):
            self._limited = True
            raise make_error(errors.RateLimitedError, "asked.limited", where=symbol)
        if not text or document == []:
            return pd.DataFrame()
        if self.format == "csv":
            return csv_table(body, self.path.name)
        try:
            table = _table_at(document, self.rows, self.names)
        except (LookupError, TypeError, ValueError, AssertionError):
            found = words().some(document, 8) if isinstance(document, dict) else ""
            path = self.rows or "[*]"
            facts = {"where": symbol, "path": path, "found": found}
            raise make_error(errors.BadAnswerError, "asked.json", **facts) from None
        return table.set_axis(range(1, len(table) + 1))


def _table_at(document: Any, rows: str, names: str) -> pd.DataFrame:
    """Return the table of a JSON document: objects, lists of cells with names, or columns."""
    found = _at(document, rows)
    if not isinstance(found, list | dict):
        raise TypeError
    return pd.DataFrame(found, columns=_at(document, names) if names and found else None)


def _at(document: Any, path: str) -> Any:
    """Return what is at a path such as ``data.prices[*]`` or ``chart.result[0].rows``."""
    for step in re.findall(r"[^.\[\]]+", path):
        if step != "*":
            document = document[int(step) if isinstance(document, list) else step]
    return document
