"""The bundled excerpt of real prices, for trying the tool without a network."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ..errors import PriceError, UnknownSymbolError
from ._base import Prices, Progress, Provenance, has_prices, in_range, no_rows, stamp, unique
from ._clean import clean

if TYPE_CHECKING:
    import pandas as pd

FILE = "sample.csv.gz"
NOTE = "bundled sample: adjusted closes only, see NOTICE"


class SampleProvider:
    """Adjusted closes of some US stocks and the S&P 500 index, shipped with the package.

    The dates of the excerpt end at different days for different symbols; a fetch gives what is
    there.
    """

    name = "sample"

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the adjusted closes that the sample has; all other number columns are NaN.

        Returns
        -------
        Prices
            UnknownSymbolError for a symbol outside the sample, NoPricesError when nothing overlaps
            `start` to `end`; a range that is covered in part gives that part.
        """
        parts, failures, provenance = {}, {}, {}
        wanted = unique(symbols)
        for done, symbol in enumerate(wanted, 1):
            found = _fetch_one(symbol, start, end)
            if isinstance(found, PriceError):
                failures[symbol] = found
            else:
                parts[symbol] = found
                provenance[symbol] = stamp(
                    Provenance(self.name, FILE, currency="USD", note=NOTE), found
                )
            if progress:
                progress(done, len(wanted))
        return Prices.of(parts, failures, provenance)

    def symbols(self) -> tuple[str, ...]:
        """Return the tickers of the sample, in alphabetical order."""
        return tuple(sorted(_sample().columns))


def _fetch_one(symbol: str, start: date, end: date) -> pd.DataFrame | PriceError:
    import pandas as pd

    sample = _sample()
    if symbol not in sample:
        return UnknownSymbolError(f"not in the bundled sample ({contents()})", where=symbol)
    series = sample[symbol].dropna()
    whole, _ = clean(pd.DataFrame({"date": series.index, "adj_close": series.to_numpy()}), symbol)
    rows = in_range(whole, start, end)
    return rows if has_prices(rows) else no_rows(symbol, whole, start, end)


@functools.lru_cache(maxsize=1)
def contents() -> str:
    """Return what the sample has, and from when to when, as its own dates say."""
    sample = _sample()
    stocks = [name for name in sample if not str(name).startswith("^")]
    indices = [str(name) for name in sample if str(name).startswith("^")]
    ends: dict[str, list[str]] = {}
    for name in sample:
        ends.setdefault(f"{sample[name].dropna().index[-1]:%Y-%m-%d}", []).append(str(name))
    usual, *rest = sorted(ends, key=lambda end: -len(ends[end]))
    other = "".join(f", {', '.join(ends[end])} to {end}" for end in rest)
    extent = f"{sample.index.min():%Y-%m-%d} to {usual}{other}"
    return f"{len(stocks)} US shares and {', '.join(indices)}: {extent}"


@functools.lru_cache(maxsize=1)
def _sample() -> pd.DataFrame:
    """Return the sample, shape (n_sessions, n_symbols), NaN where a symbol has no price."""
    import gzip
    import io
    from importlib.resources import files

    import pandas as pd

    packed = (files("eventstudy") / "data" / FILE).read_bytes()
    text = io.BytesIO(gzip.decompress(packed))
    return pd.read_csv(text, index_col="date", parse_dates=["date"], float_precision="round_trip")
