"""Returns from a Parquet file, read for the symbols that are needed and some of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from ..utility.optional_parquet import parquet_modules
from ..utility.typing import DateArray, FloatArray, IntArray
from . import (
    CELLS,
    CODE_TEXTS,
    ReturnsTable,
    civil_dates,
    numbers_of,
    places,
    portions,
    wide_returns,
)

if TYPE_CHECKING:
    import pandas as pd

# Cells of a long file that are held at a time: each portion is another pass over the file.
LONG_CELLS = 2**26
ROWS = 2**17


def parquet_table(path: Path) -> ReturnsTable:
    """Return the returns of a Parquet file: wide, or long with date, ticker, ret.

    Raises
    ------
    ConfigError
        pyarrow is not installed.
    DataError
        The file cannot be read as such.
    """
    pa, pq = parquet_modules(path.name)
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        remedy = str(error).partition("\n")[0]
        raise DataError(
            "the file cannot be read as a table", where=path.name, remedy=remedy
        ) from None
    named = {name.strip().lower(): name for name in file.schema_arrow.names}
    ret = named.get("ret", named.get("return"))
    if ret is None:
        return _Wide(file, named.get("date"))
    ticker = named.get("ticker", named.get("symbol"))
    if ticker is None or "date" not in named:
        what = "a long table of returns needs the columns date, ticker and ret"
        raise DataError(what, value=list(file.schema_arrow.names))
    return _Long(file, (named["date"], ticker, ret))


class _Wide:
    """A file with a column for each symbol."""

    def __init__(self, file: Any, date: str | None) -> None:
        schema = file.schema_arrow
        about: Mapping[str, Any] = schema.pandas_metadata or {}
        index = [name for name in about.get("index_columns", ()) if isinstance(name, str)]
        if date is None and not index:
            remedy = "name a column date"
            raise DataError(
                "the table of returns has no dates", value=schema.names[:5], remedy=remedy
            )
        self._file, self._date = file, date or index[0]
        names = [name for name in schema.names if name not in (self._date, *index)]
        self.symbols: Mapping[str, int] = places(name.strip() for name in names)
        self._names = names

    @cached_property
    def dates(self) -> DateArray:
        days: DateArray = self._read([]).index.to_numpy().astype("datetime64[D]")
        return days

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        for own in portions(symbols, CELLS // max(len(self.dates), 1)):
            yield own, self._read([self._names[self.symbols[s]] for s in own]).to_numpy(float).T

    def _read(self, names: list[str]) -> pd.DataFrame:
        """Return some columns, in the order given."""
        table = self._file.read(columns=[self._date, *names]).select([self._date, *names])
        frame = table.rename_columns(["date", *map(str.strip, names)]).to_pandas(
            ignore_metadata=True
        )
        return wide_returns(frame, CODE_TEXTS)


class _Long:
    """A file with a row for each symbol and date."""

    def __init__(self, file: Any, columns: tuple[str, str, str]) -> None:
        self._file, self._columns = file, columns

    @cached_property
    def _found(self) -> tuple[Any, Any]:
        """Each date and each ticker of the file, as Arrow arrays."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found: list[Any] = [None, None]
        for batch in self._file.iter_batches(ROWS, columns=list(self._columns[:2])):
            for k, name in enumerate(self._columns[:2]):
                own = _plain(batch.column(name)).unique()
                found[k] = own if found[k] is None else pa.concat_arrays([found[k], own]).unique()
        if found[0] is None:
            raise DataError(
                "there is no return at all", remedy="give dates x tickers, or date, ticker, ret"
            )
        return found[0], pc.drop_null(found[1])

    @cached_property
    def _days(self) -> tuple[DateArray, IntArray]:
        """The dates in order, and the place among them of each that was found."""
        import pandas as pd

        days = civil_dates(pd.Index(self._found[0].to_pandas())).to_numpy().astype("datetime64[D]")
        return np.unique(days, return_inverse=True)

    @property
    def dates(self) -> DateArray:
        return self._days[0]

    @cached_property
    def symbols(self) -> Mapping[str, int]:
        return places(str(ticker).strip() for ticker in self._found[1].to_pylist())

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        written = self._found[1].take([self.symbols[s] for s in symbols]).to_pylist()
        given = dict(zip(symbols, written, strict=True))
        # in the order of the file, if it is sorted, so that few of its parts are read for each
        # portion
        for own in portions(sorted(symbols, key=given.__getitem__), LONG_CELLS // len(self.dates)):
            yield own, self._portion(own, [given[s] for s in own])

    def _portion(self, symbols: list[str], tickers: list[Any]) -> FloatArray:
        out = np.full((len(symbols), len(self.dates)), np.nan)
        filled, rows = np.zeros(out.size, dtype=bool), 0
        for at, values in self._cells(tickers):
            out.reshape(-1)[at], filled[at] = values, True
            rows += len(at)
        if rows > np.count_nonzero(filled):
            raise self._twice(symbols, tickers)
        return out

    def _cells(self, tickers: list[Any]) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield places in the flat array of tickers x dates, and the returns there."""
        import pyarrow as pa
        import pyarrow.compute as pc

        date, ticker, ret = self._columns
        days, wanted = self._found[0], pa.array(tickers, self._found[1].type)
        places_of = self._days[1]
        groups = [
            g
            for g in range(self._file.num_row_groups)
            if self._may_hold(g, tickers[0], tickers[-1])
        ]
        for batch in self._file.iter_batches(ROWS, row_groups=groups, columns=list(self._columns)):
            who = pc.index_in(_plain(batch.column(ticker)), value_set=wanted)
            batch, who = batch.filter(who.is_valid()), who.drop_null().to_numpy()
            if len(who):
                when = places_of[pc.index_in(_plain(batch.column(date)), value_set=days).to_numpy()]
                at = who.astype(np.int64) * len(self.dates) + when
                yield at, self._decimal(batch.column(ret).to_pandas(), at, tickers)

    def _may_hold(self, group: int, first: Any, last: Any) -> bool:
        """Tell whether a row group can hold a ticker from `first` to `last`."""
        parts = (
            self._file.metadata.row_group(group).column(j)
            for j in range(self._file.metadata.num_columns)
        )
        found = next(part for part in parts if part.path_in_schema == self._columns[1]).statistics
        if found is None or not found.has_min_max or not isinstance(found.min, type(first)):
            return True
        return bool(found.min <= last and found.max >= first)

    def _twice(self, symbols: list[str], tickers: list[Any]) -> DataError:
        count = np.zeros(len(symbols) * len(self.dates), np.int64)
        for at, _ in self._cells(tickers):
            np.add.at(count, at, 1)
        k, t = divmod(int(np.argmax(count > 1)), len(self.dates))
        return DataError(
            "two returns for one ticker and day", value=f"{symbols[k]} {self.dates[t]}"
        )

    def _decimal(self, cells: pd.Series[Any], at: IntArray, tickers: list[Any]) -> FloatArray:
        numbers = numbers_of(cells, CODE_TEXTS)
        bad = np.flatnonzero(numbers.isna() & cells.notna())
        if len(bad):
            k, t = divmod(int(at[bad[0]]), len(self.dates))
            where = f"{tickers[k]} on {self.dates[t]}"
            raise DataError(
                "a return that is no number", where=where, value=str(cells.iloc[bad[0]])
            )
        return np.asarray(numbers, dtype=float)


def _plain(cells: Any) -> Any:
    """Return cells of Arrow without a dictionary."""
    return cells.dictionary_decode() if hasattr(cells, "dictionary_decode") else cells
