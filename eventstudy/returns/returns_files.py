"""Returns that the user holds already: from a table, or a Parquet file read in portions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..prices.quality.return_faults import CODE_TEXTS
from ..utility import typing as kinds
from ..utility.tables import read_table, reading_parquet
from ..utility.typing import DateArray, FloatArray, IntArray
from .benchmarks import chains_of
from .load import indices_of, needed, sessions_of
from .panel import ReturnsPanel
from .panel_rows import DATA_CALENDAR
from .table import (
    CELLS,
    FrameTable,
    ReturnsTable,
    civil_dates,
    no_return,
    numbers_of,
    places,
    portions,
    wide_returns,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events
    from .series import NeedsSeries

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
    with reading_parquet(path.name) as (_, pq):
        file = pq.ParquetFile(path)
    named = {name.strip().lower(): name for name in file.schema_arrow.names}
    ret = named.get("ret", named.get("return"))
    if ret is None:
        return _Wide(file, named.get("date"))
    ticker = named.get("ticker", named.get("symbol"))
    if ticker is None or "date" not in named:
        fault = "a long table of returns needs the columns date, ticker and ret"
        raise DataError(fault, value=list(file.schema_arrow.names))
    return _Long(file, (named["date"], ticker, ret))


class _Wide:
    """A file with a column for each symbol."""

    def __init__(self, file: Any, date: str | None) -> None:
        schema = file.schema_arrow
        about: Mapping[str, Any] = schema.pandas_metadata or {}
        index = [name for name in about.get("index_columns", ()) if isinstance(name, str)]
        if date is None and not index:
            reason, remedy = "the table of returns has no dates", "name a column date"
            raise DataError(reason, value=schema.names[:5], remedy=remedy)
        self._file, self._date = file, date or index[0]
        names = [name for name in schema.names if name not in (self._date, *index)]
        self.symbols: Mapping[str, int] = places(name.strip() for name in names)
        self._names = names

    @cached_property
    def dates(self) -> DateArray:
        return self._read([]).index.to_numpy().astype("datetime64[D]")

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        for portion in portions(symbols, CELLS // max(len(self.dates), 1)):
            names = [self._names[self.symbols[s]] for s in portion]
            yield portion, self._read(names).to_numpy(float).T

    def _read(self, names: list[str]) -> pd.DataFrame:
        """Return some columns, in the order given."""
        table = self._file.read(columns=[self._date, *names]).select([self._date, *names])
        table = table.rename_columns(["date", *map(str.strip, names)])
        return wide_returns(table.to_pandas(ignore_metadata=True), CODE_TEXTS)


class _Long:
    """A file with a row for each symbol and date."""

    def __init__(self, file: Any, columns: tuple[str, str, str]) -> None:
        self._file, self._columns = file, columns

    @cached_property
    def _found(self) -> tuple[Any, Any]:
        """Each date and each ticker of the file, as Arrow arrays."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values: list[Any] = [None, None]
        for batch in self._file.iter_batches(ROWS, columns=list(self._columns[:2])):
            for k, name in enumerate(self._columns[:2]):
                new = _plain(batch.column(name)).unique()
                before = [] if values[k] is None else [values[k]]
                values[k] = pa.concat_arrays([*before, new]).unique()
        if values[0] is None:
            raise no_return()
        return values[0], pc.drop_null(values[1])

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
        tickers = dict(zip(symbols, written, strict=True))
        # In the order of a sorted file, so that few of its parts are read for each portion.
        ordered = sorted(symbols, key=tickers.__getitem__)
        for portion in portions(ordered, LONG_CELLS // len(self.dates)):
            yield portion, self._portion(portion, [tickers[s] for s in portion])

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
        ends = tickers[0], tickers[-1]
        groups = [k for k in range(self._file.num_row_groups) if self._may_hold(k, *ends)]
        for batch in self._file.iter_batches(ROWS, row_groups=groups, columns=list(self._columns)):
            who = pc.index_in(_plain(batch.column(ticker)), value_set=wanted)
            batch, who = batch.filter(who.is_valid()), who.drop_null().to_numpy()
            if len(who):
                when = places_of[pc.index_in(_plain(batch.column(date)), value_set=days).to_numpy()]
                at = who.astype(np.int64) * len(self.dates) + when
                yield at, self._decimal(batch.column(ret).to_pandas(), at, tickers)

    def _may_hold(self, group: int, first: Any, last: Any) -> bool:
        """Return whether a row group can hold a ticker from `first` to `last`."""
        metadata = self._file.metadata
        columns = map(metadata.row_group(group).column, range(metadata.num_columns))
        column = next(c for c in columns if c.path_in_schema == self._columns[1])
        ends = column.statistics
        if ends is None or not ends.has_min_max or not isinstance(ends.min, type(first)):
            return True
        return bool(ends.min <= last and ends.max >= first)

    def _twice(self, symbols: list[str], tickers: list[Any]) -> DataError:
        count = np.zeros(len(symbols) * len(self.dates), np.int64)
        for at, _ in self._cells(tickers):
            np.add.at(count, at, 1)
        k, t = divmod(int(np.argmax(count > 1)), len(self.dates))
        cell = f"{symbols[k]} {self.dates[t]}"
        return DataError("two returns for one ticker and day", value=cell)

    def _decimal(self, cells: pd.Series[Any], at: IntArray, tickers: list[Any]) -> FloatArray:
        numbers = numbers_of(cells, CODE_TEXTS)
        bad = np.flatnonzero(numbers.isna() & cells.notna())
        if len(bad):
            k, t = divmod(int(at[bad[0]]), len(self.dates))
            where = f"{tickers[k]} on {self.dates[t]}"
            cell = str(cells.iloc[bad[0]])
            raise DataError("a return that is no number", where=where, value=cell)
        return np.asarray(numbers, dtype=float)


def _plain(cells: Any) -> Any:
    """Return cells of Arrow without a dictionary."""
    return cells.dictionary_decode() if hasattr(cells, "dictionary_decode") else cells


def read_returns(
    path: str | Path,
    events: Events,
    *,
    benchmark: str = "",
    benchmark_policy: kinds.BenchmarkPolicy = "fallback",
    model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None,
    calendar: kinds.CalendarChoice | None = None,
    kind: kinds.ReturnKind = "simple",
) -> ReturnsPanel:
    """Return the returns of a file (CSV or Parquet; wide or long) for the events.

    Parameters
    ----------
    path : str or Path
    events : Events
    benchmark, benchmark_policy, model, series, calendar, kind : optional
        As for :func:`load_returns`.

    Returns
    -------
    ReturnsPanel

    Raises
    ------
    DataError
        If the file cannot be read as such, or holds none of the symbols.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> days = pd.Index(["2022-10-06", "2022-10-07"], name="date")
    >>> pd.DataFrame({"AMD": [0.01, -0.1], "^GSPC": [0.0, -0.03]}, index=days).to_csv("returns.csv")
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> panel = es.read_returns("returns.csv", es.events_from_frame(news))
    >>> panel.values.tolist()
    [[0.01, -0.1], [0.0, -0.03]]
    """
    name = Path(path).name
    with of_file(name):
        table = _table_of(path)
        keys = list(needed(events, benchmark, model, series, peers=True))
        chains = chains_of(events, benchmark, benchmark_policy)
        codes = [code or DATA_CALENDAR for code in events.table["exchange"]]
        have = table.symbols
        missing = {s: f"{name} has no column or rows for it" for s, _ in keys if s not in have}
        if not any(s in have for s, _ in keys):
            tickers = ", ".join(list(missing)[:5])
            raise DataError("the file has none of the tickers", where=name, value=tickers)
        further = [(s, k) for chain, k in zip(chains, codes, strict=True) for s in chain[1:]]
        keys = list(dict.fromkeys([*keys, *(key for key in further if key[0] in have)]))
        available = list(dict.fromkeys(s for s, _ in keys if s in have))
        indices, days = indices_of(events, benchmark, benchmark_policy), Days(table, available)
        sessions = sessions_of(keys, days, calendar or events.calendar, indices)
        origin = {s: {"source": "returns file", "detail": name} for s in available}
        about: Any = {"kind": kind, "where": name, "failures": missing, "provenance": origin}
        return ReturnsPanel.from_table(table, keys=keys, sessions=sessions, **about)


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
    """The dates on which each symbol has a return, read when one is first needed."""

    def __init__(self, table: ReturnsTable, symbols: Sequence[str]) -> None:
        self._table, self._symbols = table, symbols

    @cached_property
    def _bits(self) -> dict[str, NDArray[np.uint8]]:
        out: dict[str, NDArray[np.uint8]] = {}
        for names, block in self._table.blocks(self._symbols):
            out |= zip(names, np.packbits(~np.isnan(block), axis=1), strict=True)
        return out

    def __getitem__(self, symbol: str) -> DateArray:
        dates = self._table.dates
        return np.asarray(dates[np.unpackbits(self._bits[symbol], count=len(dates)).astype(bool)])

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
