"""Prices that are asked for by a template or a query; their rows are read as those of files."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import (
    BadAnswerError,
    ConfigError,
    NoPricesError,
    UnknownSymbolError,
    how_to_install,
    keep_secret,
)
from ..files import as_text
from ..utility import pd
from ..words import make_error, say, words
from ._base import Provenance, unique
from ._days import stamps_of
from ._layout import ADJUSTED, CLOSES, lay_out
from ._prices import Names, Prices, Progress, collect
from .files import FilesProvider, refusing, split_long

# How packages are called that are installed by another name than they are imported by.
INSTALLED_AS = {"psycopg2": "psycopg2-binary", "psycopg": "'psycopg[binary]'"}
_VARIABLE = re.compile(r"\{env:(\w*)\}")


@dataclass(frozen=True)
class Meaning:
    """What the rows of a source mean.

    Parameters
    ----------
    currency : str
        "" where the rows say, or nobody knows.
    adjusted : bool
        Whether closes are adjusted; a column of adjusted closes wins.
    zone : str
        IANA zone in which a stamp with a zone has its day; "" for that of the exchange.
    columns : dict of str to str
        Names in the source by ours.
    symbols : dict of str to str
        Symbols in the source by ours, where they differ.
    """

    currency: str = ""
    adjusted: bool = False
    zone: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    symbols: dict[str, str] = field(default_factory=dict)

    def named(self, names: Sequence[object]) -> list[str]:
        """Return the columns of a source as we call them; another of that name is set aside."""
        ours = {theirs: name for name, theirs in self.columns.items()}
        return [
            ours.get(str(name)) or (f"{name} (unread)" if name in self.columns else str(name))
            for name in names
        ]

    def spell(self, symbol: str) -> str:
        """Return a symbol as the source spells it."""
        return self.symbols.get(symbol, symbol)


class AskedProvider(FilesProvider):
    """A source that is asked for symbols and days.

    Parameters
    ----------
    label : str
        What the source is called where it is written down: nothing of an address or a query.
    meaning : Meaning

    Attributes
    ----------
    is_remote : bool
        Whether its rows count as retrieved when they are asked for.
    most : int
        Symbols that are asked for at once; 1 for a source that is asked symbol by symbol.
    """

    name = "asked"
    is_remote = False
    most = 1

    def __init__(self, label: str, meaning: Meaning) -> None:
        self.label = label
        self.meaning = meaning
        self.path = Path(say("asked.answer", label=label.replace("/", " ")))
        self._on_read = None
        self._is_folder = False
        self._groups: dict[str, tuple[pd.DataFrame, list[str]]] = {}

    @abstractmethod
    def ask(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return the rows of symbols, as the source spells them; the index holds row numbers."""

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices

        Raises
        ------
        ConfigError
            If a package, a variable or a file is missing.
        DataError
            If the query fails, or its rows cannot be read as a table.
        NetworkError
            If the source cannot be reached at all.
        """
        wanted = unique(symbols)
        self._groups = {}
        if self.most > 1:
            for first in range(0, len(wanted), self.most):
                with refusing():
                    self._take(wanted[first : first + self.most], start, end)

        def read(symbol: str) -> tuple[pd.DataFrame, Provenance]:
            if self.most == 1:
                self._take([symbol], start, end)
            rows, provenance = self._read(symbol)
            at = datetime.now(UTC).isoformat(timespec="seconds") if self.is_remote else ""
            return rows, replace(provenance, detail=self.label, retrieved_at=at)

        return collect(wanted, start, end, read, progress)

    def _take(self, symbols: list[str], start: date, end: date) -> None:
        """Ask for some symbols, and keep the rows of each."""
        file = self.path.name
        frame = self.ask([self.meaning.spell(symbol) for symbol in symbols], start, end)
        if frame.shape[1] == 0:
            return
        lacking = set(self.meaning.columns.values()).difference(map(str, frame))
        if lacking:
            names = words().some(map(str, frame), 8)
            value = ", ".join(sorted(lacking))
            raise make_error(BadAnswerError, "asked.column", where=file, value=value, names=names)
        table, notes = lay_out(frame.set_axis(self.meaning.named(list(frame)), axis=1), file)
        if table.empty:
            return
        table = self._with_meaning(table, file)
        if "symbol" in table:
            ours = {self.meaning.spell(symbol): symbol for symbol in symbols}
            cells = as_text(table["symbol"])
            table = table.assign(symbol=cells.map(lambda text: ours.get(text, text)))
            groups = split_long(table, file)
        elif not CLOSES & set(table):
            columns = [symbol for symbol in symbols if self.meaning.spell(symbol) in table]
            groups = {
                symbol: table[["date", self.meaning.spell(symbol)]].set_axis(
                    ["date", "adj_close"], axis=1
                )
                for symbol in columns
            }
        elif self.most == 1:
            groups = {symbols[0]: table}
        else:
            raise make_error(BadAnswerError, "asked.no_symbol", where=file)
        if self.most == 1 and len(groups) == 1:
            # Asked for one symbol, whatever the source calls it.
            groups = dict(zip(symbols, groups.values(), strict=True))
        self._groups.update((symbol, (rows, notes)) for symbol, rows in groups.items())

    def _with_meaning(self, table: pd.DataFrame, file: str) -> pd.DataFrame:
        """Return a table with what the source file says of it."""
        meaning = self.meaning
        if meaning.currency and "currency" in table:
            raise make_error(ConfigError, "asked.two_currencies", where=file)
        if meaning.currency:
            table = table.assign(currency=meaning.currency)
        if meaning.adjusted and "close" in table:
            table = table.assign(**{ADJUSTED: True})
        wall, instants, _ = stamps_of(table["date"])
        # Midnight on every day is that of a date, in no zone.
        if not meaning.zone or instants is None or (wall == wall.dt.normalize()).all():
            return table
        there = instants.dt.tz_localize("UTC").dt.tz_convert(ZoneInfo(meaning.zone))
        return table.assign(date=there.dt.tz_localize(None))

    def _group_of(self, symbol: str) -> tuple[pd.DataFrame, list[str]]:
        if symbol not in self._groups:
            is_alone = self.most == 1
            kind: Any = NoPricesError if is_alone else UnknownSymbolError
            code = "asked.empty" if is_alone else "asked.unknown"
            raise make_error(kind, code, where=symbol, source=self.label)
        return self._groups[symbol]


def fill_variables(text: str, where: str, change: Callable[[str], str] = str) -> str:
    """Return a text with the values of the variables that it names as ``{env:NAME}``.

    Parameters
    ----------
    text, where : str
    change : callable, optional
        Makes of a value what is put into the text.

    Raises
    ------
    ConfigError
        If a variable is not set, or holds what no header and no address may hold.
    """

    def value_of(match: re.Match[str]) -> str:
        value = os.environ.get(match[1], "").strip()
        if not value:
            raise make_error(ConfigError, "asked.variable", where=where, value=match[1])
        if not value.isascii() or not value.isprintable():
            raise make_error(ConfigError, "asked.letters", where=where, value=match[1])
        return change(keep_secret(value))

    return _VARIABLE.sub(value_of, text)


def module(name: str, where: str) -> Any:
    """Return a module of an optional package; ConfigError with what to install if it lacks."""
    try:
        return import_module(name)
    except ImportError:
        raise lacks_package(name, where) from None


def lacks_package(name: str, where: str) -> ConfigError:
    """Return the error for a package that is not installed."""
    command = how_to_install(INSTALLED_AS.get(name, name))
    return make_error(ConfigError, "asked.package", where=where, name=name, command=command)
