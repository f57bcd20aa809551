"""What every price source gives back: one long table, the failures, the provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from ..errors import NoPricesError, PriceError, UnknownSymbolError
from ._actions import Action, between

if TYPE_CHECKING:
    import pandas as pd

    from ..utility.typing import FloatArray

COLUMNS = ("symbol", "date", "open", "high", "low", "close", "adj_close", "volume")
PRICE_COLUMNS = ("open", "high", "low", "close", "adj_close")
NUMBER_COLUMNS = (*PRICE_COLUMNS, "volume")
DATE_DTYPE: Literal["datetime64[ns]"] = "datetime64[ns]"

# How the error for a symbol without prices in the range says what there is.
THERE = "prices are there from"

Progress = Callable[[int, int], None]
FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True)
class Provenance:
    """Where the rows of one symbol came from.

    Parameters
    ----------
    source : str
        Name of the price source, as in `PROVIDERS`.
    detail : str
        File name without its folder, or the host asked.
    retrieved_at : str
        ISO 8601 time in UTC of the retrieval; empty for data that were not retrieved.
    library : str
        Library and version that did the retrieval.
    currency : str
        Currency of the prices as the source spells it (``GBp`` is pence); empty when unknown.
    first, last : str
        ISO dates of the first and the last row; empty without rows.
    rows : int
        Number of rows.
    sha256 : str
        Hash of `canonical_bytes` of the rows.
    note : str
        What was changed or noticed on the way, in words, separated by ``"; "``.
    instrument : str
        Kind of instrument in the source's words, e.g. ``EQUITY`` or ``INDEX``.
    timezone : str
        IANA time zone of the exchange.
    """

    source: str
    detail: str = ""
    retrieved_at: str = ""
    library: str = ""
    currency: str = ""
    first: str = ""
    last: str = ""
    rows: int = 0
    sha256: str = ""
    note: str = ""
    instrument: str = ""
    timezone: str = ""


@runtime_checkable
class PriceProvider(Protocol):
    """A source of daily prices."""

    name: str

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the daily prices of `symbols` from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols : sequence of str
            Tickers, e.g. ``"002415.SZ"``; duplicates are asked once.
        start, end : date
            First and last session date wanted, inclusive.
        progress : callable, optional
            Called with the number of symbols done and the number of all symbols.

        Returns
        -------
        Prices
            Every symbol asked for is either in ``table`` or in ``failures``.

        Raises
        ------
        NetworkError
            When the source cannot be reached at all.
        """
        ...


@dataclass(frozen=True, eq=False)
class Prices:
    """Daily prices of many symbols.

    Parameters
    ----------
    table : DataFrame
        Columns `COLUMNS`, sorted by symbol and date, unique in (symbol, date). ``date`` holds naive
        session dates (datetime64[ns]); prices and volume are float64, NaN when missing, in the
        currency that the symbol's provenance names.
    failures : dict of str to PriceError
        Symbols that were asked for and have no rows, with the reason.
    provenance : dict of str to Provenance
        One entry for each symbol of `table`.
    notices : tuple of str
        What the user must be told whatever the output format.
    actions : dict of str to tuple of Action
        Dividends, splits and distributions of the symbols that have any, where the source tells.
    stale : dict of str to PriceError
        Symbols of ``table`` whose rows were stored before, as the source did not answer, and why.
    """

    table: pd.DataFrame
    failures: dict[str, PriceError] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    actions: dict[str, tuple[Action, ...]] = field(default_factory=dict)
    stale: dict[str, PriceError] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        parts: Mapping[str, pd.DataFrame],
        failures: Mapping[str, PriceError],
        provenance: Mapping[str, Provenance],
        notices: Iterable[str] = (),
        actions: Mapping[str, tuple[Action, ...]] | None = None,
        stale: Mapping[str, PriceError] | None = None,
    ) -> Prices:
        """Assemble prices from one cleaned table a symbol."""
        import pandas as pd

        names = sorted(parts)
        table = (
            pd.concat([parts[name] for name in names], ignore_index=True)
            if names
            else empty_table()
        )
        return cls(
            table=table,
            failures=dict(sorted(failures.items())),
            provenance={name: provenance[name] for name in names},
            notices=tuple(dict.fromkeys(notices)),
            actions={name: found for name in names if (found := (actions or {}).get(name))},
            stale={name: why for name in names if (why := (stale or {}).get(name))},
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have rows, in alphabetical order."""
        return tuple(sorted(self.provenance))

    def parts(self) -> dict[str, pd.DataFrame]:
        """Return the rows of each symbol, shape (n_sessions, 8), by symbol."""
        grouped = self.table.groupby("symbol", sort=True)
        return {str(name): rows.reset_index(drop=True) for name, rows in grouped}

    def merge(self, other: Prices) -> Prices:
        """Return the symbols of both; where both have a symbol, the rows of `self` are kept whole.

        Rows of two sources are never mixed within a symbol: a splice of two adjustments is a false
        return. A symbol that has rows in either is no failure.
        """
        parts = {**other.parts(), **self.parts()}
        failures = {**self.failures, **other.failures}
        return Prices.of(
            parts,
            {symbol: error for symbol, error in failures.items() if symbol not in parts},
            {**other.provenance, **self.provenance},
            (*self.notices, *other.notices),
            {
                symbol: (self if symbol in self.provenance else other).actions.get(symbol, ())
                for symbol in parts
            },
            {
                **{s: why for s, why in other.stale.items() if s not in self.provenance},
                **self.stale,
            },
        )

    def select(
        self,
        symbols: Iterable[str] | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Prices:
        """Return some symbols and dates; ``first``, ``last``, ``rows`` and ``sha256`` follow the
        selection.

        Parameters
        ----------
        symbols : iterable of str, optional
            All symbols, failed ones too, when omitted.
        start, end : date, optional
            First and last date, inclusive.

        Returns
        -------
        Prices
            A symbol that is not here fails with UnknownSymbolError, one without rows in the range
            with NoPricesError.
        """
        wanted = unique(symbols) if symbols is not None else [*self.symbols, *self.failures]
        mine = self.parts()
        parts, failures, provenance = {}, {}, {}
        for symbol in wanted:
            if symbol not in mine:
                failures[symbol] = self.failures.get(symbol) or UnknownSymbolError(
                    "not among these prices", where=symbol
                )
                continue
            rows = in_range(mine[symbol], start, end)
            if rows.empty:
                failures[symbol] = no_rows(symbol, mine[symbol], start, end)
                continue
            parts[symbol] = rows
            whole = len(rows) == len(mine[symbol])
            provenance[symbol] = (
                self.provenance[symbol] if whole else stamp(self.provenance[symbol], rows)
            )
        actions = {symbol: between(found, start, end) for symbol, found in self.actions.items()}
        return Prices.of(parts, failures, provenance, self.notices, actions, self.stale)


def collect(
    symbols: Iterable[str],
    start: date,
    end: date,
    read: Callable[[str], tuple[pd.DataFrame, Provenance]],
    progress: Progress | None = None,
) -> Prices:
    """Return what `read` gives for each symbol: the whole of a `fetch` for a source that is read
    one by one.

    Parameters
    ----------
    symbols : iterable of str
        Duplicates are read once.
    start, end : date
        Inclusive.
    read : callable
        Takes a symbol and returns all its rows as `clean` makes them, and their provenance without
        extent and hash; raises PriceError.
    progress : callable, optional
        Called with the number of symbols done and the number of all symbols.

    Returns
    -------
    Prices
        A symbol without a close in the range fails with NoPricesError.
    """
    parts, failures, provenance = {}, {}, {}
    wanted = unique(symbols)
    for done, symbol in enumerate(wanted, 1):
        try:
            whole, described = read(symbol)
            rows = in_range(whole, start, end)
            if not has_prices(rows):
                raise no_rows(symbol, whole, start, end)
            parts[symbol] = rows
            provenance[symbol] = (
                described if len(rows) == described.rows else stamp(described, rows)
            )
        except PriceError as error:
            failures[symbol] = error
        if progress:
            progress(done, len(wanted))
    return Prices.of(parts, failures, provenance)


def unique(symbols: Iterable[str]) -> list[str]:
    """Return the symbols without repetitions, in the order given."""
    return list(dict.fromkeys(symbols))


def empty_table() -> pd.DataFrame:
    """Return a price table without rows, with the right columns and dtypes."""
    import pandas as pd

    numbers = {name: pd.Series(dtype="float64") for name in NUMBER_COLUMNS}
    return pd.DataFrame(
        {"symbol": pd.Series(dtype="str"), "date": pd.Series(dtype=DATE_DTYPE), **numbers}
    )


def in_range(rows: pd.DataFrame, start: date | None, end: date | None) -> pd.DataFrame:
    """Return the rows dated from `start` to `end`, both inclusive; None leaves a side open."""
    import pandas as pd

    keep = pd.Series(True, index=rows.index)
    if start is not None:
        keep &= rows["date"] >= pd.Timestamp(start)
    if end is not None:
        keep &= rows["date"] <= pd.Timestamp(end)
    return rows if keep.all() else rows[keep].reset_index(drop=True)


def no_rows(symbol: str, rows: pd.DataFrame, start: date | None, end: date | None) -> NoPricesError:
    """Return the error for a symbol whose `rows` hold no price between `start` and `end`."""
    wanted = f"no prices from {start or 'the beginning'} to {end or 'the end'}"
    priced = rows[rows[list(PRICE_COLUMNS)].notna().any(axis=1)]
    if priced.empty:
        return NoPricesError(wanted, where=symbol)
    have = f"{priced['date'].min():%Y-%m-%d} to {priced['date'].max():%Y-%m-%d}"
    return NoPricesError(wanted, where=symbol, remedy=f"{THERE} {have}")


def has_prices(rows: pd.DataFrame) -> bool:
    """Return whether any row has a close, adjusted or not."""
    return bool(rows[["close", "adj_close"]].notna().any(axis=None))


def canonical_bytes(symbol: str, matrix: FloatArray) -> bytes:
    """Return the bytes that identify the rows of a symbol, made from an array as `matrix_of`
    returns it.

    The symbol in UTF-8, a line feed, the array as little-endian float64, row by row; every missing
    value is the same NaN.
    """
    import numpy as np

    return (
        symbol.encode() + b"\n" + np.where(np.isnan(matrix), np.nan, matrix).astype("<f8").tobytes()
    )


def matrix_of(rows: pd.DataFrame) -> FloatArray:
    """Return an array of shape (7, n_rows): days since 1970-01-01, then the numbers."""
    import numpy as np

    days = rows["date"].to_numpy().astype("datetime64[D]").astype("int64")
    return np.vstack([days, *(rows[column].to_numpy() for column in NUMBER_COLUMNS)])


def stamp(provenance: Provenance, rows: pd.DataFrame) -> Provenance:
    """Return `provenance` with the extent and the hash of one symbol's `rows` filled in."""
    return stamped(provenance, "" if rows.empty else str(rows["symbol"].iloc[0]), matrix_of(rows))


def stamped(provenance: Provenance, symbol: str, matrix: FloatArray) -> Provenance:
    """Return what `stamp` does for the rows of an array, without a frame, for speed."""
    import numpy as np

    ends = (
        matrix[0, [0, -1]].astype("int64").astype("datetime64[D]").astype(str)
        if matrix.size
        else ("", "")
    )
    digest = hashlib.sha256(canonical_bytes(symbol, matrix)).hexdigest()
    first, last = (str(np.asarray(day)) for day in ends)
    return replace(provenance, first=first, last=last, rows=matrix.shape[1], sha256=digest)
