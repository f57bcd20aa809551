"""The bundled excerpt of real prices, for trying the tool without a network."""

from __future__ import annotations

import functools
from datetime import date

from ..errors import UnknownSymbolError
from ..files import read_csv
from ..utility import did_you_mean, pd
from ._base import Provenance, clean
from ._prices import Names, Prices, Progress, collect
from ._registered import Place, price_source

FILE = "sample.csv.gz"
CONTENTS = (
    "25 US shares and ^GSPC: 2014-01-02 to 2022-12-28, AMZN, GOOG, META, NFLX, NVDA to 2023-09-21"
)
NOTE = "bundled sample: adjusted closes only, see NOTICE"


class SampleProvider:
    """Adjusted closes of some US stocks and the S&P 500 index, shipped with the package.

    The excerpt ends on different days for different symbols; a fetch returns the available days.
    """

    name = "sample"
    # A chain of sources asks it for every symbol.
    is_local = True

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the adjusted closes that the sample has; all other number columns are NaN.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            UnknownSymbolError for a symbol outside the sample, NoPricesError when nothing overlaps
            `start` to `end`; a range that is covered in part gives that part.
        """
        return collect(symbols, start, end, self._read, progress)

    def symbols(self) -> tuple[str, ...]:
        """Return the tickers of the sample, in alphabetical order."""
        return tuple(sorted(_sample().columns))

    def _read(self, symbol: str) -> tuple[pd.DataFrame, Provenance]:
        sample = _sample()
        if symbol not in sample:
            hint = did_you_mean(symbol, sample.columns, like=0.7)
            message = f"not in the bundled sample ({CONTENTS})"
            raise UnknownSymbolError(message, where=symbol, remedy=hint)
        closes = sample[symbol].dropna().rename("adj_close")
        rows, _ = clean(closes.reset_index(), symbol)
        return rows, Provenance(self.name, FILE, currency="USD", note=NOTE)


@functools.lru_cache(maxsize=1)
def _sample() -> pd.DataFrame:
    """Return the sample, shape (n_sessions, n_symbols), NaN where a symbol has no price."""
    from importlib.resources import files

    with (files("eventstudy") / "data" / FILE).open("rb") as packed:
        return read_csv(packed, compression="gzip", index_col="date", parse_dates=["date"])


@price_source("sample", f"the bundled sample, adjusted closes ({CONTENTS})")
def _open(text: str, place: Place) -> SampleProvider:
    return SampleProvider()
