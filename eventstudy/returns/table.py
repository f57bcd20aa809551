"""Tables of returns in frames and files: wide or long in, some symbols at a time out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..files import InputFile, frame_of, with_index
from ..prices import Prices
from ..quality import MissingCodes
from ..utility import BoolArray, DateArray, FloatArray, IntArray, pd
from ..words import make_error, say

# Cells of a table that are held at a time, beside those of the panel.
CELLS = 2**22
# Cells of a long file that are held at a time: each portion is another pass over the file.
LONG_CELLS = 2**26
ROWS = 2**17
# So many columns of a table without dates are named.
NAMED = 8


class FrameTable:
    """The returns of a frame as :func:`wide_returns` reads it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._wide = wide_returns(frame)
        self.symbols: Mapping[str, int] = places(map(str, self._wide.columns))

    @cached_property
    def dates(self) -> DateArray:
        """The dates, (T,) datetime64[D] array."""
        return self._columns([]).index.to_numpy().astype("datetime64[D]")

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        """Yield the returns of some symbols."""
        for portion in portions(symbols, CELLS // max(len(self.dates), 1)):
            yield portion, self._columns([self.symbols[s] for s in portion]).to_numpy(float).T

    def _columns(self, numbers: list[int]) -> pd.DataFrame:
        return self._wide.iloc[:, numbers]


class _WideFile(FrameTable):
    """A Parquet file with a column for each symbol."""

    def __init__(self, file: Any, date: str | None) -> None:
        schema = file.schema_arrow
        about: Mapping[str, Any] = schema.pandas_metadata or {}
        index = [name for name in about.get("index_columns", ()) if isinstance(name, str)]
        if date is None and not index:
            raise make_error(DataError, "wrong.undated_returns", value=schema.names[:5])
        self._file, self._date = file, date or index[0]
        self._names = [name for name in schema.names if name not in (self._date, *index)]
        self.symbols = places(name.strip() for name in self._names)

    def _columns(self, numbers: list[int]) -> pd.DataFrame:
        names = [self._names[number] for number in numbers]
        table = self._file.read(columns=[self._date, *names]).select([self._date, *names])
        table = table.rename_columns(["date", *map(str.strip, names)])
        return wide_returns(table.to_pandas(ignore_metadata=True))


class _LongFile:
    """A Parquet file with a row for each symbol and date."""

    def __init__(self, path: Path, columns: tuple[str, str, str]) -> None:
        from pyarrow import dataset

        self._file, self._columns = dataset.dataset(path, format="parquet"), columns

    @cached_property
    def _found(self) -> tuple[Any, Any]:
        """Each date and each ticker of the file, as Arrow arrays."""
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = list(self._columns[:2])
        values = [_plain(pa.array([], self._file.schema.field(name).type)) for name in columns]
        for batch in self._file.to_batches(columns=columns, batch_size=ROWS):
            for k, name in enumerate(columns):
                more = _plain(batch.column(name)).unique()
                values[k] = pa.concat_arrays([values[k], more]).unique()
        if not len(values[0]):
            raise make_error(DataError, "wrong.no_return")
        return values[0], pc.drop_null(values[1])

    @cached_property
    def _days(self) -> tuple[DateArray, IntArray]:
        """The dates in order, and the place among them of each that was found."""
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
            cells = np.sort(np.concatenate([at for at, _ in self._cells(tickers)]))
            k, t = divmod(int(cells[1:][np.diff(cells) == 0][0]), len(self.dates))
            raise DataError(say("wrong.twice"), value=f"{symbols[k]} {self.dates[t]}")
        return out

    def _cells(self, tickers: list[Any]) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield places in the flat array of tickers x dates, and the returns there."""
        import pyarrow as pa
        import pyarrow.compute as pc

        date, ticker, ret = self._columns
        days = self._found[0]
        wanted = pa.array(tickers, self._found[1].type)
        places_of = self._days[1]
        # Row groups without any of the tickers are not read.
        chosen = pc.field(ticker).isin(wanted)
        options: dict[str, Any] = {"columns": list(self._columns), "batch_size": ROWS}
        for batch in self._file.to_batches(filter=chosen, **options):
            who = pc.index_in(_plain(batch.column(ticker)), value_set=wanted).to_numpy()
            when = places_of[pc.index_in(_plain(batch.column(date)), value_set=days).to_numpy()]
            at = who.astype(np.int64) * len(self.dates) + when
            yield at, self._decimal(batch.column(ret).to_pandas(), at, tickers)

    def _decimal(self, cells: pd.Series[Any], at: IntArray, tickers: list[Any]) -> FloatArray:
        numbers = numbers_of(cells)
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


def table_of(path: str | Path | pd.DataFrame) -> FrameTable | _LongFile:
    """Return the returns of a frame or file (CSV, Parquet), wide or long with date, ticker, ret.

    Raises
    ------
    ConfigError
        There is no such file, or pyarrow is not installed.
    DataError
        The file cannot be read as such.
    """
    if not isinstance(path, str | Path):
        return FrameTable(with_index(frame_of(path, "returns", say("wrong.returns.remedy"))))
    path = Path(path)
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return FrameTable(InputFile(path).table())
    with InputFile(path).parquet() as (_, pq):
        file = pq.ParquetFile(path)
    date, long = _columns_of(file.schema_arrow.names)
    return _LongFile(path, long) if long else _WideFile(file, date)


def present_days(
    table: FrameTable | _LongFile, symbols: Sequence[str]
) -> Callable[[str], tuple[DateArray, BoolArray]]:
    """Return what gives the dates on which a symbol has a return, and which of these are 0.

    They are read when first asked.

    Parameters
    ----------
    table : FrameTable
        Or what :func:`table_of` gives.
    symbols : sequence of str
        All that will be asked for.
    """

    @cache
    def bits() -> dict[str, NDArray[np.uint8]]:
        out: dict[str, NDArray[np.uint8]] = {}
        for names, block in table.blocks(symbols):
            held = np.stack([~np.isnan(block), block == 0], axis=1)
            out |= zip(names, np.packbits(held, axis=2), strict=True)
        return out

    def days(symbol: str) -> tuple[DateArray, BoolArray]:
        held = np.unpackbits(bits()[symbol], axis=1, count=len(table.dates)).astype(bool)
        is_present, is_zero = held
        return np.asarray(table.dates[is_present]), is_zero[is_present]

    return days


@contextmanager
def of_file(name: str) -> Iterator[None]:
    """Say of faults of returns, which know the cell at most, that they are of this file."""
    try:
        yield
    except DataError as error:
        cell = "" if error.where in ("returns", name) else error.where
        error.where = ", ".join(filter(None, (name, cell)))
        raise


def places(names: Iterator[str]) -> dict[str, int]:
    """Return the place of each name.

    Raises
    ------
    DataError
        If one is there twice.
    """
    out: dict[str, int] = {}
    for i, name in enumerate(names):
        if out.setdefault(name, i) != i:
            raise DataError("a ticker has two columns", where="returns", value=name)
    return out


def portions(symbols: Sequence[str], size: int) -> Iterator[list[str]]:
    """Yield the symbols, at most `size` at a time.

    Parameters
    ----------
    symbols : sequence of str
    size : int
    """
    step = max(size, 1)
    return (list(symbols[start : start + step]) for start in range(0, len(symbols), step))


def wide_returns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a wide frame of returns (dates ascending x symbols) from a wide or a long one.

    Parameters
    ----------
    frame : DataFrame

    Raises
    ------
    DataError
        On a missing column, a date that cannot be read, a cell that is no number, or a day that
        occurs twice for one symbol.
    """
    date, long = _columns_of(frame.columns)
    if long:
        cells = frame[list(long)].copy()
        cells.columns = pd.Index(["date", "ticker", "ret"])
        twice = cells.duplicated(["date", "ticker"])
        if twice.any():
            row = cells[twice].iloc[0]
            cell = f"{row['ticker']} {row['date']}"
            raise DataError(say("wrong.twice"), value=cell, remedy=say("crsp.twice"))
        wide = cells.set_index(["date", "ticker"])["ret"].unstack("ticker")
    elif date is not None:
        wide = frame.set_index(date)
    elif isinstance(frame.index, pd.RangeIndex) and not frame.empty:
        columns = [*map(str, frame.columns[:NAMED]), *["..."] * (len(frame.columns) > NAMED)]
        raise DataError("no date column", value=", ".join(columns), remedy=say("wrong.no_dates"))
    else:
        wide = frame
    dates = civil_dates(wide.index)
    numbers = _numbers(wide)
    numbers.index = dates
    numbers.columns = pd.Index([str(c).strip() for c in numbers.columns])
    if numbers.index.has_duplicates:
        day = numbers.index[numbers.index.duplicated()][0].date()
        raise DataError("a date occurs twice", value=str(day))
    return numbers.sort_index()


def _columns_of(names: Iterable[Any]) -> tuple[Any, tuple[Any, Any, Any] | None]:
    """Return the column of the dates, or None, and the three of a long table where it is one."""
    named = {str(name).strip().lower(): name for name in names}
    date = named.get("date")
    ticker = named.get("ticker", named.get("symbol"))
    ret = named.get("ret", named.get("return"))
    if ret is None:
        return date, None
    if ticker is None or date is None:
        raise DataError(say("wrong.long_table"), value=list(names))
    return date, (date, ticker, ret)


def civil_dates(written: pd.Index) -> pd.DatetimeIndex:
    """Return the civil dates as written: a time zone must not move one to another day.

    Raises
    ------
    DataError
        On one that cannot be read.
    """
    days = pd.Series(written.astype(str)).str.slice(0, 10)
    dates = pd.to_datetime(days, errors="coerce", format="ISO8601")
    bad = dates.isna() | ~dates.between(str(Prices.FIRST_DAY), str(Prices.LAST_DAY))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise make_error(DataError, "wrong.date", where="returns", value=str(written[at]))
    return pd.DatetimeIndex(dates)


def _numbers(wide: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with all columns as numbers."""
    is_numeric = np.array([pd.api.types.is_numeric_dtype(kind) for kind in wide.dtypes], dtype=bool)
    if is_numeric.all():
        return wide.copy(deep=False)
    numbers: pd.DataFrame = wide.apply(numbers_of)
    bad = numbers.isna() & wide.notna()
    if bad.to_numpy().any():
        r, c = np.argwhere(bad.to_numpy())[0]
        where = f"{wide.columns[c]} on {wide.index[r]}"
        cell = str(wide.iloc[r, c])
        raise DataError("a return that is no number", where=where, value=cell)
    return numbers


def numbers_of(cells: pd.Series[Any]) -> pd.Series[float]:
    """Return cells as numbers, the code of each letter in its place; NaN for any other text.

    Parameters
    ----------
    cells : Series
    """
    try:
        numbers: pd.Series[float] = pd.to_numeric(cells, errors="coerce")
    except OverflowError:
        # An integer of more than 300 digits is infinite.
        numbers = pd.to_numeric(cells.astype(str), errors="coerce")
    texts = (numbers.isna() & cells.notna()).to_numpy(bool)
    if not texts.any():
        return numbers
    values = numbers.to_numpy(float, copy=True)
    stripped = cells[texts].astype(str).str.strip()
    values[texts] = stripped.map(MissingCodes.TEXTS).to_numpy(float)
    return pd.Series(values, cells.index, name=cells.name)
