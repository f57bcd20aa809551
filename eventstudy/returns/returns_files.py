"""Returns that the user holds already, from a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from ..utility.optional_parquet import parquet_modules
from ..utility.typing import BenchmarkPolicy, CalendarChoice, DateArray, ReturnKind
from . import DATA_CALENDAR, FrameTable, ReturnsPanel, ReturnsTable
from .benchmarks import chains_of
from .load import needed_keys
from .market_days import indices_of, sessions_of
from .parquet_files import parquet_table

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events
    from .series import NeedsSeries


def read_returns(
    path: str | Path,
    events: Events,
    *,
    benchmark: str = "",
    benchmark_policy: BenchmarkPolicy = "fallback",
    model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None,
    calendar: CalendarChoice | None = None,
    kind: ReturnKind = "simple",
) -> ReturnsPanel:
    """Read a file of returns (CSV or Parquet; wide, or long with date, ticker, ret) for the events.

    Raises
    ------
    DataError
        If the file cannot be read as such, or holds none of the symbols.
    """
    name = Path(path).name
    with of_file(name):
        table = _table_of(path)
        keys = needed_keys(events, benchmark, model, series, peers=True)
        links = zip(
            chains_of(events, benchmark, benchmark_policy), events.table["exchange"], strict=True
        )
        have = table.symbols
        missing = {s: f"{name} has no column or rows for it" for s, _ in keys if s not in have}
        if not any(s in have for s, _ in keys):
            raise DataError(
                "the file has none of the tickers", where=name, value=", ".join(list(missing)[:5])
            )
        stand_ins = dict.fromkeys(
            (s, code or DATA_CALENDAR) for chain, code in links for s in chain[1:]
        )
        keys = list(dict.fromkeys([*keys, *(key for key in stand_ins if key[0] in have)]))
        found = list(dict.fromkeys(s for s, _ in keys if s in have))
        return ReturnsPanel.from_table(
            table,
            kind=kind,
            where=name,
            keys=keys,
            sessions=sessions_of(
                keys,
                Days(table, found),
                calendar or events.calendar,
                indices_of(events, benchmark, benchmark_policy),
            ),
            failures=missing,
            provenance={s: {"source": "returns file", "detail": name} for s in found},
        )


@contextmanager
def of_file(name: str) -> Iterator[None]:
    """Say of faults of returns, which know the cell at most, that they are of this file."""
    try:
        yield
    except DataError as error:
        cell = "" if error.where in ("returns", name) else error.where
        error.where = ", ".join(filter(None, (name, cell)))
        raise


class Days(Mapping[str, DateArray]):
    """The dates on which each symbol has a return; the table is read for them when one is asked
    for."""

    def __init__(self, table: ReturnsTable, symbols: Sequence[str]) -> None:
        self._table, self._symbols = table, symbols

    @cached_property
    def _bits(self) -> dict[str, NDArray[np.uint8]]:
        blocks = self._table.blocks(self._symbols)
        return {
            s: bits
            for own, block in blocks
            for s, bits in zip(own, np.packbits(~np.isnan(block), axis=1), strict=True)
        }

    def __getitem__(self, symbol: str) -> DateArray:
        dates = self._table.dates
        days: DateArray = dates[np.unpackbits(self._bits[symbol], count=len(dates)).astype(bool)]
        return days

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._symbols)

    def __iter__(self) -> Iterator[str]:
        return iter(self._symbols)

    def __len__(self) -> int:
        return len(self._symbols)


def _table_of(path: str | Path) -> ReturnsTable:
    if Path(path).suffix.lower() == ".parquet" and Path(path).is_file():
        return parquet_table(Path(path))
    return FrameTable(read_table(path))


def read_table(path: str | Path, *, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read a CSV or Parquet file into a frame of plain columns; those named in `text` stay text in
    a CSV."""
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise ConfigError("no such file", value=str(path))
    try:
        if path.suffix.lower() == ".parquet":
            parquet_modules(path.name)
            return pd.read_parquet(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = csv.Sniffer().sniff(file.readline()).delimiter
        own = dict.fromkeys(("ticker", "symbol", *text), str)
        return pd.read_csv(
            path,
            sep=separator,
            dtype=own,
            encoding="utf-8-sig",
            float_precision="round_trip",
            low_memory=False,
        )
    except ConfigError:
        raise
    except Exception as error:
        raise DataError(
            "the file cannot be read as a table", where=path.name, remedy=str(error).splitlines()[0]
        ) from None
