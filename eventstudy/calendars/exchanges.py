"""Which exchange a ticker trades on, with its calendar and its usual index."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from ..errors import DataError
from ..utility import did_you_mean
from ..words import make_error

SHARE = "share"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One market: a row of ``data/exchanges.csv``.

    Attributes
    ----------
    code : str
        Market identifier code, e.g. ``"XSHE"``.
    calendar : str or None
        Name of its calendar in exchange_calendars; None where there is none.
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
    kind: str = SHARE

    @property
    def chain(self) -> tuple[str, ...]:
        """The usual index and what stands in for it where it has no prices, best first."""
        return (self.benchmark, *self.stand_ins) if self.benchmark else ()


def bundled_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of this package."""
    text = (files("eventstudy") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


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


def find_index(word: str) -> str:
    """Return the symbol of an index that Yahoo calls otherwise, "" where none is known.

    Parameters
    ----------
    word : str
        Its name, or its code at Bloomberg or Reuters.

    Examples
    --------
    >>> [find_index(word) for word in ("SPX", "S&P 500", "DAX", "^DAX", "NVDA")]
    ['^GSPC', '^GSPC', '^GDAXI', '^GDAXI', '']
    """
    return _index_codes().get(_bare_code(word), "")


def name_index(symbol: str) -> str:
    """Return what an index is called, such as ``S&P 500``; the symbol where no name is known.

    Parameters
    ----------
    symbol : str
    """
    return _index_names().get(symbol, symbol)


def _exchange(row: dict[str, str]) -> Exchange:
    stand_ins = tuple(row["stand_ins"].split())
    benchmark, calendar = row["benchmark"] or None, row["calendar"] or None
    return Exchange(row["code"], calendar, row["name"], benchmark, row["currency"], stand_ins)


def _suffixes(column: str) -> Iterator[tuple[str, str]]:
    return ((word, row["suffix"]) for row in _ROWS for word in row[column].split())


# A row a suffix of Yahoo. `indices`: all that are at home there, the default of several markets or
# of none too. `bloomberg`, `notations`: the codes that Bloomberg, Reuters and others have for it.
# Bloomberg joins the class of a share to its name in Stockholm and Copenhagen, so these have none.
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
BY_CODE = {exchange.code: exchange for exchange in _TRADED}
_BENCHMARKS = frozenset(exchange.benchmark for exchange in EXCHANGES.values())
DIGITS_IN_CODE = {row["suffix"]: int(row["digits"]) for row in _ROWS if row["digits"]}
_HOMES_OF_INDICES = {index: EXCHANGES[suffix] for index, suffix in _suffixes("indices")}
_BLOOMBERG = dict(_suffixes("bloomberg"))
_NOTATIONS = _BLOOMBERG | dict(_suffixes("notations"))
_B_SHARES = {r"900\d{3}\.SS": "USD", r"200\d{3}\.SZ": "HKD"}


def from_bloomberg(ticker: str) -> str:
    """Return the Yahoo symbol of a ticker such as ``700 HK`` or ``BRK/B US Equity``, or ""."""
    *names, code = ticker.upper().removesuffix(" EQUITY").split()
    name = "-".join(names)
    if code in ("CH", "C1", "C2") and re.fullmatch(r"\d{6}", name):
        code = "CG" if name[0] in "69" else "CS"
    if not name or code not in _BLOOMBERG:
        return ""
    suffix, stem = _BLOOMBERG[code], name.rstrip("/").replace("/", "-")
    stem = stem.zfill(DIGITS_IN_CODE.get(suffix, 0)) if stem.isdigit() else stem
    return f"{stem}.{suffix}" if suffix else stem


def suffix_of(ticker: str) -> str:
    """Return the market suffix of a Yahoo symbol without its dot (``"SZ"``), or ""."""
    return ticker.rpartition(".")[2] if "." in ticker else ""


def kind_of(symbol: str) -> str:
    """Return what a symbol is: ``share``, ``index``, ``future``, ``rate`` or ``coin``.

    Parameters
    ----------
    symbol : str
        As Yahoo spells it.

    Examples
    --------
    >>> [kind_of(symbol) for symbol in ("AMD", "^TWII", "IMOEX.ME", "CL=F", "RUB=X", "BTC-USD")]
    ['share', 'index', 'index', 'future', 'rate', 'coin']
    """
    if symbol in _BENCHMARKS:
        return "index"
    instrument = _instrument_of(symbol)
    return instrument.kind if instrument else SHARE


@lru_cache(4096)
def _instrument_of(symbol: str) -> Exchange | None:
    """Return what is traded under a symbol that is no share, with its hours; None for a share."""
    return next((traded for shape, traded in _INSTRUMENTS if shape.fullmatch(symbol)), None)


def home_of(symbol: str) -> Exchange | None:
    """Return the exchange of a symbol, an index included; None where it is not known.

    Futures, exchange rates and cryptocurrencies have hours of their own.
    """
    instrument = _instrument_of(symbol)
    if instrument and instrument.code:
        return instrument
    suffix = suffix_of(symbol)
    is_index = symbol.startswith("^") and not suffix
    return _HOMES_OF_INDICES.get(symbol) if is_index else EXCHANGES.get(suffix)


def indices_of(code: str) -> tuple[str, ...]:
    """Return the indices of an exchange and the funds that hold them, best first.

    Parameters
    ----------
    code : str
        Of the exchange; another has none.
    """
    exchange = BY_CODE.get(code)
    at_home = (index for index, home in _HOMES_OF_INDICES.items() if home is exchange)
    return tuple(dict.fromkeys((*exchange.chain, *at_home))) if exchange else ()


def quoted_in(symbol: str) -> str:
    """Return the currency of a symbol, or "" where unknown; B shares are not quoted in yuan."""
    home = home_of(symbol)
    matches = (currency for text, currency in _B_SHARES.items() if re.fullmatch(text, symbol))
    return next(matches, home.currency if home else "")


def exchange_of(ticker: str) -> Exchange | None:
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
    suffix, exchange = suffix_of(ticker), home_of(ticker)
    if ticker.startswith("^") and not suffix:
        return exchange
    if exchange is None:
        hint = _suffix_hint(ticker, suffix)
        raise DataError(f"unknown market suffix .{suffix}", value=ticker, remedy=hint)
    if exchange.calendar is None:
        facts = {"name": exchange.name, "suffix": suffix}
        raise make_error(DataError, "sessions.none", value=ticker, **facts)
    return exchange


def _suffix_hint(ticker: str, suffix: str) -> str:
    stem = ticker[: -len(suffix) - 1]
    hints = []
    if suffix.upper() in EXCHANGES:
        hints.append(f"did you mean '{stem}.{suffix.upper()}'?")
    elif suffix.upper() in _NOTATIONS:
        meant = _NOTATIONS[suffix.upper()]
        hints.append(f"did you mean '.{meant}'?" if meant else "New York symbols have no suffix")
    else:
        choices = [f".{choice}" for choice in EXCHANGES if choice]
        hints += filter(None, [did_you_mean(f".{suffix.upper()}", choices)])
    if len(suffix) == 1:
        hints.append(f"a class of shares is written with a dash: {stem}-{suffix}")
    return " ".join(hints) or "suffixes are those of Yahoo, e.g. .L .DE .HK .SS .SZ .T"
