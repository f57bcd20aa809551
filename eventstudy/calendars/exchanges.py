"""Which exchange a ticker trades on, with its calendar and its usual index."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files

from ..errors import DataError
from ..words import make_error


@dataclass(frozen=True, slots=True)
class Exchange:
    """One market: a row of ``data/exchanges.csv``.

    Attributes
    ----------
    code : str
        Market identifier code, e.g. ``"XSHE"``.
    calendar : str or None
        Name of its calendar in exchange_calendars, alone or with the hour and zone at which its
        days end (``XNYS 14:30``). ``weekdays`` and ``daily`` are markets without an exchange, such
        as currencies: ``weekdays 17:00 America/New_York``. None where there is none.
    name : str
        The market in words.
    benchmark : str or None
        Symbol of the usual local index; None where none is known.
    currency : str
        What its shares are quoted in; "" where there are several.
    stand_ins : tuple of str
        What takes the place of `benchmark` where it has no prices, best first: another index of the
        market, or a fund that holds it.
    kind : {"share", "index", "future", "rate", "coin"}
        What is traded there: shares, futures, exchange rates or cryptocurrencies.
    """

    code: str
    calendar: str | None
    name: str
    benchmark: str | None = None
    currency: str = ""
    stand_ins: tuple[str, ...] = ()
    kind: str = "share"

    @property
    def chain(self) -> tuple[str, ...]:
        """The usual index and what stands in for it where it has no prices, best first."""
        return (self.benchmark, *self.stand_ins) if self.benchmark else ()

    @property
    def indices(self) -> tuple[str, ...]:
        """Its indices and the funds that hold them, best first."""
        at_home = (index for index, home in _HOMES_OF_INDICES.items() if home is self)
        return tuple(dict.fromkeys((*self.chain, *at_home)))

    @classmethod
    def all(cls) -> tuple[Exchange, ...]:
        """Return every market that has a code."""
        return tuple(_BY_CODE.values())

    @classmethod
    def of_code(cls, code: str) -> Exchange | None:
        """Return the market with a code; None for another one."""
        return _BY_CODE.get(code)

    @classmethod
    def of(cls, ticker: str) -> Exchange | None:
        """Return the exchange a Yahoo symbol trades on.

        Parameters
        ----------
        ticker : str
            Symbol such as ``"002415.SZ"``; without a suffix it trades in New York.

        Returns
        -------
        Exchange or None
            None only for an index symbol (leading ``^``) whose home isn't known.

        Raises
        ------
        DataError
            The suffix is unknown, or its market has no trading calendar.
        """
        symbol = Symbol(ticker)
        exchange = symbol.home
        if symbol.is_bare_index:
            return exchange
        suffix = symbol.suffix
        if exchange is None:
            hint = _suffix_hint(ticker, suffix)
            raise DataError(f"unknown market suffix .{suffix}", value=ticker, remedy=hint)
        if exchange.calendar is None:
            facts = {"name": exchange.name, "suffix": suffix}
            raise make_error(DataError, "sessions.none", value=ticker, **facts)
        return exchange


def bundled_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of this package."""
    text = (files("eventstudy") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


class Symbol(str):
    """The name of a series, as Yahoo spells it: what it is, and where it trades.

    Examples
    --------
    >>> [Symbol(text).kind for text in ("AMD", "^TWII", "IMOEX.ME", "CL=F", "RUB=X", "BTC-USD")]
    ['share', 'index', 'index', 'future', 'rate', 'coin']
    """

    __slots__ = ()

    @property
    def suffix(self) -> str:
        """Its market suffix without the dot (``"SZ"``), or ""."""
        return self.rpartition(".")[2] if "." in self else ""

    @property
    def is_bare_index(self) -> bool:
        """Whether it is an index without a suffix, such as ``^GSPC``."""
        return self.startswith("^") and not self.suffix

    @property
    def kind(self) -> str:
        """What it is: ``share``, ``index``, ``future``, ``rate`` or ``coin``."""
        if self in _BENCHMARKS:
            return "index"
        instrument = _instrument_of(self)
        return instrument.kind if instrument else "share"

    @property
    def home(self) -> Exchange | None:
        """Its exchange, that of an index included; None where it is not known.

        Futures, exchange rates and cryptocurrencies have hours of their own.
        """
        instrument = _instrument_of(self)
        if instrument and instrument.code:
            return instrument
        return _HOMES_OF_INDICES.get(self) if self.is_bare_index else EXCHANGES.get(self.suffix)

    @property
    def currency(self) -> str:
        """Its currency, or "" where unknown; B shares are not quoted in yuan."""
        for shape, currency in _B_SHARES.items():
            if re.fullmatch(shape, self):
                return currency
        return self.home.currency if self.home else ""

    @property
    def index_name(self) -> str:
        """What an index is called, such as ``S&P 500``; the symbol where no name is known."""
        return _index_names().get(self, str(self))

    @property
    def padded(self) -> str:
        """The symbol with the leading zeros of its code, as spreadsheets lose them."""
        stem, _, suffix = self.rpartition(".")
        return f"{stem.zfill(_DIGITS.get(suffix, 0))}.{suffix}" if stem.isdigit() else str(self)

    @classmethod
    def of_bloomberg(cls, ticker: str) -> str:
        """Return the Yahoo symbol of a ticker such as ``700 HK`` or ``BRK/B US Equity``, or ""."""
        *names, code = ticker.upper().removesuffix(" EQUITY").split()
        name = "-".join(names)
        if code in ("CH", "C1", "C2") and re.fullmatch(r"\d{6}", name):
            code = "CG" if name[0] in "69" else "CS"
        if not name or code not in _BLOOMBERG:
            return ""
        return _at_yahoo(name.rstrip("/").replace("/", "-"), _BLOOMBERG[code])

    @classmethod
    def of_notation(cls, ticker: str) -> str:
        """Return the Yahoo symbol of a ticker such as ``NASDAQ:NVDA`` or ``$NVDA``, or ""."""
        exchange, _, code = ticker.upper().rpartition(":")
        if exchange:
            return _at_yahoo(code, _NOTATIONS[exchange]) if exchange in _NOTATIONS else ""
        return code[1:] if code[:1] in ("$", "#") else ""

    @classmethod
    def of_index(cls, word: str) -> str:
        """Return the symbol of an index that Yahoo calls otherwise, "" where none is known.

        Parameters
        ----------
        word : str
            Its name, or its code at Bloomberg or Reuters.

        Examples
        --------
        >>> [Symbol.of_index(word) for word in ("SPX", "S&P 500", "DAX", "^DAX", "NVDA")]
        ['^GSPC', '^GSPC', '^GDAXI', '^GDAXI', '']
        """
        return _index_codes().get(_bare_code(word), "")


@cache
def _index_names() -> dict[str, str]:
    return {row["symbol"]: row["name"] for row in bundled_rows("index_names.csv")}


@cache
def _index_codes() -> dict[str, str]:
    """Return the symbol of each index by what else it is called: its name, codes of others."""
    codes = dict[str, str]()
    for row in bundled_rows("index_names.csv"):
        symbol = row["symbol"]
        for code in (row["name"], symbol.partition(".")[0], *row["codes"].split()):
            codes.setdefault(_bare_code(code), symbol)
    return codes


def _bare_code(text: str) -> str:
    return "".join(filter(str.isalnum, text.upper()))


def _exchange(row: dict[str, str]) -> Exchange:
    stand_ins = tuple(row["stand_ins"].split())
    benchmark = row["benchmark"] or None
    calendar = row["calendar"] or None
    return Exchange(row["code"], calendar, row["name"], benchmark, row["currency"], stand_ins)


def _suffixes(column: str) -> Iterator[tuple[str, str]]:
    return ((word, row["suffix"]) for row in _ROWS for word in row[column].split())


# A row a suffix of Yahoo. `indices`: all that are at home there, the default of several markets or
# of none too. `bloomberg`, `notations`: the codes that Bloomberg, and Reuters, Google and others
# have for it. Bloomberg joins the class of a share to its name in Stockholm and Copenhagen, so
# these have none.
_ROWS = bundled_rows("exchanges.csv")
EXCHANGES = {row["suffix"]: _exchange(row) for row in _ROWS}
# Shapes of symbols that are no shares; those without a code trade where their suffix says.
_INSTRUMENTS = [
    (
        re.compile(row["symbols"]),
        Exchange(row["code"], row["calendar"], row["name"], None, row["currency"], (), row["kind"]),
    )
    for row in bundled_rows("instruments.csv")
]
_TRADED = (*EXCHANGES.values(), *(traded for _, traded in _INSTRUMENTS if traded.code))
_BY_CODE = {exchange.code: exchange for exchange in _TRADED}
_BENCHMARKS = frozenset(exchange.benchmark for exchange in EXCHANGES.values())
_DIGITS = {row["suffix"]: int(row["digits"]) for row in _ROWS if row["digits"]}
_HOMES_OF_INDICES = {index: EXCHANGES[suffix] for index, suffix in _suffixes("indices")}
_BLOOMBERG = dict(_suffixes("bloomberg"))
_NOTATIONS = dict(_suffixes("code")) | _BLOOMBERG | dict(_suffixes("notations"))
_B_SHARES = {r"900\d{3}\.SS": "USD", r"200\d{3}\.SZ": "HKD"}


@lru_cache(4096)
def _instrument_of(symbol: str) -> Exchange | None:
    """Return what is traded under a symbol that is no share, with its hours; None for a share."""
    return next((traded for shape, traded in _INSTRUMENTS if shape.fullmatch(symbol)), None)


def _at_yahoo(code: str, suffix: str) -> str:
    """Return the symbol of a share by its code at an exchange, and the suffix of that."""
    return Symbol(f"{code}.{suffix}").padded if suffix else code


def _suffix_hint(ticker: str, suffix: str) -> str:
    """Return how a ticker with an unknown suffix is written: by a known notation, else by looks."""
    stem, upper = ticker[: -len(suffix) - 1], suffix.upper()
    if upper in _NOTATIONS and not _NOTATIONS[upper]:
        return f"shares of New York have no suffix: write {stem!r}"
    if meant := upper if upper in EXCHANGES else _NOTATIONS.get(upper, ""):
        return f"did you mean {_at_yahoo(stem, meant)!r}?"
    if len(suffix) == 1:
        return f"a class of shares is written with a dash: '{stem}-{suffix}'"
    if alike := get_close_matches(upper, EXCHANGES, 1):
        return f"did you mean '{stem}.{alike[0]}'?"
    return "use a suffix of Yahoo, such as .L .DE .HK .SS .SZ .T"
