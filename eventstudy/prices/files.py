"""Prices from the user's files: a folder with one file a ticker, or one table of many tickers."""

from __future__ import annotations

import functools
import gzip
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import (
    BadAnswerError,
    ConfigError,
    DataError,
    NetworkError,
    NoPricesError,
    PriceError,
    UnknownSymbolError,
)
from ..files import BLANK_WORDS, InputFile, as_text, frame_of, is_cut_off, with_index
from ..utility import did_you_mean, np, pd
from ..words import make_error, say, words
from ._base import NUMBER_COLUMNS, Provenance, clean
from ._days import bad_cell, read_days, refuse_spacing
from ._layout import (
    ADJUSTED,
    CLOSES,
    is_close,
    lacks_column,
    lay_out,
    plain_numbers,
    without_points,
)
from ._parquet import ParquetParts
from ._prices import Names, Prices, Progress, collect

if TYPE_CHECKING:
    from ..utility import FloatArray

OnRead: TypeAlias = "Callable[[str, pd.DataFrame, pd.DataFrame], None]"
# In 100 series of prices at most 0.2 % of the values have another sign than the one before (oil at
# -37 dollars), in their returns at least 37 %.
FEWEST_CHANGES, MOST_CHANGES = 10, 0.2
# Cumulative returns begin within a step or two of zero, up and down, and are small at first.
FIRST_CELLS, STEPS_FROM_ZERO, SHARE_OF_LEVEL = 21, 2, 0.07
SUFFIXES = (".csv", ".csv.gz", ".parquet", ".dta", ".xlsx")


class FilesProvider:
    """Prices from files on disk.

    Parameters
    ----------
    path : str or Path
        A folder that holds ``<ticker>.csv`` (also ``.csv.gz``, ``.parquet``, ``.dta``, ``.xlsx``),
        or one such file:
        with the columns ``symbol`` (or ``ticker``), ``date`` and prices; or with ``date`` and a
        column of adjusted closes for each ticker; or with ``date`` and the prices of the ticker
        that the file is named after.
    on_read : callable, optional
        Called with each ticker that is read, its rows as in the file, and its rows after `clean`.

    Raises
    ------
    ConfigError
        When nothing is at `path`, or it is neither a folder nor a file of a kind that is read.

    Notes
    -----
    Column names are read without regard to case, spaces and underscores (``Adj Close`` is
    ``adj_close``), and in the words of other programs and languages; a header may have a second
    line of tickers. Dates are ``YYYY-MM-DD``, ``YYYYMMDD`` or another form whose file shows which
    number is the day. The note of a symbol says what was taken for what. Empty cells are missing
    values. A ticker is only ever compared with the names in the folder and never becomes part of a
    path.
    """

    name = "files"
    # A chain of sources asks it for every symbol.
    is_local = True

    def __init__(self, path: str | Path, on_read: OnRead | None = None) -> None:
        self.path, self._on_read = Path(path), on_read
        self._is_folder = self.path.is_dir()
        if not self.path.exists():
            raise ConfigError("no such file or folder of prices", value=str(path))
        if self.path.is_file() and not _suffix(self.path):
            names = ", ".join(SUFFIXES)
            raise make_error(ConfigError, "wrong.price_file", value=self.path.name, kinds=names)

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            A ticker without a file or rows fails with UnknownSymbolError, one without prices in the
            range with NoPricesError, one whose file has a fault with BadAnswerError, which names
            file, line and column.

        Raises
        ------
        DataError
            When a file of many tickers cannot be read as a table.
        ConfigError
            When a Parquet file is met and pyarrow is not installed.
        """
        if self._parts:
            self._read_parts(symbols, self._parts)
        return collect(symbols, start, end, self._read, progress)

    def symbols(self) -> tuple[str, ...]:
        """Return the tickers that have a file, or a place in the table, in alphabetical order."""
        return tuple(sorted(self._members if self._is_folder else self._tickers))

    def _read(self, symbol: str) -> tuple[pd.DataFrame, Provenance]:
        """Return all rows of `symbol`, cleaned, and their provenance without the extent."""
        if self._is_folder:
            path = self._file_of(symbol)
            (table, layout), file = _table(path), path.name
            frame = _rows_of(symbol, table, file)
        else:
            (frame, layout), file = self._group_of(symbol), self.path.name
        dated, zone = _typed(frame, file, symbol)
        typed, judged = _adjusted(dated, frame, file)
        _refuse_returns(typed, symbol, file)
        rows, notes = clean(typed, symbol)
        refuse_spacing(rows, file)
        if self._on_read:
            self._on_read(symbol, typed, rows)
        note = "; ".join(filter(None, [*layout, zone, *notes, judged]))
        return rows, Provenance(self.name, file, currency=_currency(frame, file), note=note)

    @functools.cached_property
    def _members(self) -> dict[str, list[Path]]:
        members: dict[str, list[Path]] = {}
        try:
            files = sorted(self.path.iterdir())
        except OSError as error:
            raise ConfigError(f"cannot be read ({error.strerror})", where=str(self.path)) from None
        for file in files:
            if file.is_file() and (suffix := _suffix(file)):
                members.setdefault(file.name[: -len(suffix)], []).append(file)
        return members

    def _file_of(self, symbol: str) -> Path:
        files = self._members.get(symbol)
        if not files:
            number = words().count(len(self._members), "ticker")
            place = f"the folder {self.path.name!r} ({number})"
            hint = did_you_mean(symbol, self._members)
            raise UnknownSymbolError(f"no {symbol}.csv in {place}", where=symbol, remedy=hint)
        if len(files) > 1:
            names, message = ", ".join(f.name for f in files), "several files for one ticker"
            raise BadAnswerError(message, where=symbol, value=names, remedy="keep one")
        return files[0]

    @functools.cached_property
    def _parts(self) -> ParquetParts | None:
        """The file where it can be read for some tickers."""
        if self._is_folder or _suffix(self.path) != ".parquet":
            return None
        with suppress(DataError, PriceError):
            parts = ParquetParts(self.path)
            return parts if parts.symbols else None
        return None

    @property
    def _tickers(self) -> Collection[str]:
        return self._parts.symbols if self._parts else self._groups

    @functools.cached_property
    def _groups(self) -> dict[str, tuple[pd.DataFrame, list[str]]]:
        """The rows of each ticker, and what was taken for what; of parts those that were read."""
        if self._parts:
            return {}
        with refusing():
            table, layout = self._whole
            return {name: (rows, layout) for name, rows in _split(table, self.path).items()}

    @functools.cached_property
    def _whole(self) -> tuple[pd.DataFrame, list[str]]:
        return _table(self.path)

    def _read_parts(self, symbols: Names, parts: ParquetParts) -> None:
        new = [s for s in symbols if s in parts.symbols and s not in self._groups]
        if new:
            with refusing():
                table, layout = lay_out(parts.read(new), self.path.name)
                for name, rows in _split(table, self.path).items():
                    self._groups[name] = rows, layout

    def _group_of(self, symbol: str) -> tuple[pd.DataFrame, list[str]]:
        groups, tickers = self._groups, self._tickers
        if symbol not in groups:
            message = f"no {symbol} in {self.path.name} ({words().count(len(tickers), 'ticker')})"
            hint = self._name_cause(symbol, list(tickers))
            raise UnknownSymbolError(message, where=symbol, remedy=hint)
        return groups[symbol]

    def _name_cause(self, symbol: str, tickers: list[str]) -> str:
        """Return why the file may lack a symbol: its sheets, its name, or a misspelt ticker."""
        suffix = _suffix(self.path)
        if suffix == ".xlsx" and len(sheets := InputFile(self.path).sheets()) > 1:
            return say("price_rows.first_sheet", names=sheets)
        if suffix and tickers == [self.path.name[: -len(suffix)]]:
            return say("price_rows.named_by_file", ticker=tickers[0], symbol=symbol)
        return did_you_mean(symbol, tickers)


class FrameProvider(FilesProvider):
    """Prices from tables in memory, read as files with the same cells are.

    Parameters
    ----------
    prices : DataFrame, Series or mapping of str to DataFrame or Series
        Long (``symbol``, ``date`` and prices), or wide (dates as index or in ``date``, a column of
        adjusted closes for each ticker), or as ``yfinance.download`` has it; or a table for each
        ticker, whose series without another name are adjusted closes.

    Raises
    ------
    ConfigError
        If they are none of these, or the prices of one ticker without a name.
    """

    name = "frame"
    # A chain of sources asks it for every symbol.
    is_local = True

    def __init__(self, prices: Any) -> None:
        self.path, self._on_read, self._is_folder = Path(self.name), None, False
        if isinstance(prices, Mapping):
            self._groups = {str(name): self._rows_of(str(name), prices[name]) for name in prices}
            return
        self._whole = _lay_out_frame(prices, self.name, "")
        if "symbol" not in self._whole[0] and CLOSES & set(self._whole[0]):
            raise make_error(ConfigError, "wrong.nameless_prices")

    def _rows_of(self, symbol: str, prices: Any) -> tuple[pd.DataFrame, list[str]]:
        where = f"{self.name} of {symbol}"
        table, notes = _lay_out_frame(prices, where, symbol)
        return _rows_of(symbol, table, where), notes


def _lay_out_frame(prices: Any, where: str, symbol: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a table in memory as `lay_out` does; `symbol` is its ticker where it has one."""
    if isinstance(prices, pd.Series):
        is_wide = prices.index.nlevels == 1 and not symbol
        is_named = prices.name is not None and (is_wide or is_close(prices.name))
        prices = prices.to_frame(prices.name if is_named else "adj_close")
    table = with_index(frame_of(prices, "prices", say("wrong.no_provider.remedy")))
    return lay_out(table.set_axis(range(2, len(table) + 2)), where)


@contextmanager
def refusing() -> Iterator[None]:
    """Say that a fault of a table is one of all its tickers."""
    try:
        yield
    except NetworkError:
        raise
    except PriceError as error:
        raise DataError(
            error.what, where=error.where, value=error.value, remedy=error.remedy
        ) from error


def _suffix(file: Path) -> str:
    return next((suffix for suffix in SUFFIXES if file.name.lower().endswith(suffix)), "")


def _table(file: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return a file with common names for its columns, and what was taken for what."""
    table, notes = lay_out(_read_file(file), file.name)
    if table.empty:
        raise make_error(NoPricesError, "wrong.no_rows", where=file.name)
    return table, notes


def _rows_of(symbol: str, frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Return the rows of a ticker in the file that is named after it."""
    if "symbol" not in frame:
        return frame
    groups = split_long(frame, file)
    if len(groups) == 1:
        return frame
    if symbol not in groups:
        raise make_error(BadAnswerError, "wrong.other_tickers", where=file, value=", ".join(groups))
    return groups[symbol]


def _split(frame: pd.DataFrame, file: Path) -> dict[str, pd.DataFrame]:
    """Return the rows of each ticker of a table, be it long, wide or of one ticker."""
    if "symbol" in frame:
        return split_long(frame, file.name)
    if CLOSES & set(frame):
        return {file.name[: -len(_suffix(file))]: frame}
    tickers = [str(column) for column in frame if column != "date"]
    if not tickers:
        raise BadAnswerError("no price column", where=f"{file.name}:1")
    return {name: frame[["date", name]].rename(columns={name: "adj_close"}) for name in tickers}


def split_long(frame: pd.DataFrame, file: str) -> dict[str, pd.DataFrame]:
    """Return the rows of each ticker of a long table.

    Parameters
    ----------
    frame : DataFrame
        With a column ``symbol``; the index holds line numbers.
    file : str

    Raises
    ------
    BadAnswerError
        If there is no close, or a row has no ticker.
    """
    _require_price(frame, file)
    tickers = as_text(frame["symbol"])
    blank = tickers.index[tickers == ""]
    if len(blank):
        raise BadAnswerError("no ticker", where=f"{file}:{blank[0]}: symbol")
    return {str(name): rows for name, rows in frame.drop(columns="symbol").groupby(tickers)}


def _typed(frame: pd.DataFrame, file: str, symbol: str) -> tuple[pd.DataFrame, str]:
    """Return date and number columns with their dtypes, and a note where dates were worked out.

    The index holds line numbers.
    """
    _require_price(frame, file)
    columns, commas = [column for column in NUMBER_COLUMNS if column in frame], ""
    table, points = without_points(frame[columns])
    try:
        numbers = table[[]].assign(**{c: _numbers(table[c], file) for c in columns})
    except BadAnswerError:
        plain, commas = plain_numbers(table)
        numbers = table[[]].assign(**{c: _numbers(plain[c], file) for c in columns})
    days, note = read_days(frame["date"], numbers, symbol, file)
    return numbers.assign(date=days), "; ".join(filter(None, [points, commas, note]))


def _adjusted(typed: pd.DataFrame, frame: pd.DataFrame, file: str) -> tuple[pd.DataFrame, str]:
    """Return rows with adjusted closes where a file says of its closes what they are, and a note.

    Without an adjusted close, the headers of yfinance and its columns of dividends or splits mean
    that closes are adjusted, unless they fall by the dividends. Other files have none.
    """
    if "adj_close" in typed:
        return typed, ""
    columns = {str(name).strip().lower(): name for name in frame}
    if not ({"dividends", "stock splits", ADJUSTED} & set(columns)):
        return typed, ""
    typed = typed.sort_values("date", kind="stable")
    close: FloatArray = np.asarray(typed["close"], dtype=np.float64)
    if "dividends" not in columns:
        return typed.assign(adj_close=close), "closes taken as adjusted"
    from ..quality import add_dividends

    cells = _numbers(frame[columns["dividends"]].loc[typed.index], file)
    dividends: FloatArray = np.asarray(cells, dtype=np.float64)
    start = np.asarray(typed["open"], dtype=np.float64) if "open" in typed else close
    adjusted = add_dividends(close, start, dividends)
    if adjusted is None:
        return typed.assign(adj_close=close), "closes taken as adjusted"
    return typed.assign(adj_close=adjusted), "dividends added to closes"


def _refuse_returns(typed: pd.DataFrame, symbol: str, file: str) -> None:
    """Raise the error for returns in the place of prices: daily ones, or cumulative ones.

    The daily ones change their sign all the time.
    """
    for column in sorted(CLOSES & set(typed)):
        cells = typed.sort_values("date", kind="stable")[column].to_numpy()
        cells = cells[np.isfinite(cells)]
        moves = np.sign(cells[cells != 0])
        changes = np.diff(moves) != 0
        if len(changes) >= FEWEST_CHANGES and changes.mean() > MOST_CHANGES:
            facts: Any = {"symbol": symbol, "n": int((moves < 0).sum()), "total": len(moves)}
            raise make_error(BadAnswerError, "wrong.returns_as_prices", where=file, **facts)
        if len(cells) >= FIRST_CELLS and _begins_at_zero(start := cells[:FIRST_CELLS]):
            facts = {"symbol": symbol, "first": start[0], "n": FIRST_CELLS, "last": start[-1]}
            raise make_error(BadAnswerError, "wrong.cumulative_as_prices", where=file, **facts)


def _begins_at_zero(cells: FloatArray) -> bool:
    steps = np.diff(cells)
    step = np.median(np.abs(steps))
    is_small = step > SHARE_OF_LEVEL * np.median(np.abs(cells))
    is_near = np.min(np.abs(cells)) <= STEPS_FROM_ZERO * step
    return bool(is_small and is_near and min(steps) < 0 < max(steps))


def _require_price(frame: pd.DataFrame, file: str) -> None:
    if not CLOSES & set(frame):
        raise lacks_column("wrong.no_close_column", frame, file)


def _numbers(cells: pd.Series[Any], file: str) -> pd.Series[float]:
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    with suppress(TypeError, ValueError, OverflowError):
        if pd.to_numeric(cells, errors="raise").astype("float64").notna().all():
            return _exact(cells)
    text = cells.fillna("").astype(str).str.strip()
    missing = text.str.lower().isin(BLANK_WORDS)
    numbers = pd.to_numeric(text.mask(missing), errors="coerce").astype("float64")
    bad = numbers.isna() & ~missing
    if bad.any():
        raise bad_cell("wrong.not_number", cells, bad, file)
    return _exact(text.mask(missing, "nan"))


def _exact(cells: pd.Series[Any]) -> pd.Series[float]:
    """Return the numbers in text as Python reads them: to_numeric errs in the last bit of some."""
    return pd.Series(cells.to_numpy(object).astype("float64"), index=cells.index)


def _currency(frame: pd.DataFrame, file: str) -> str:
    if "currency" not in frame:
        return ""
    names = sorted(set(frame["currency"].fillna("").astype(str).str.strip()) - {""})
    if len(names) > 1:
        raise make_error(BadAnswerError, "wrong.currencies", where=file, value=", ".join(names))
    return names[0] if names else ""


def _read_file(file: Path) -> pd.DataFrame:
    """Return the cells of a file; the index holds line numbers (CSV) or row numbers (Parquet)."""
    if _suffix(file) == ".xlsx":
        return InputFile(file).sheet()
    kind = {".parquet": "Parquet", ".dta": "Stata"}.get(_suffix(file))
    if kind is None:
        return _read_csv(file)
    try:
        frame = with_index(InputFile(file).table())
    except DataError as error:
        fault = f"cannot be read as {kind} ({error.remedy})"
        raise BadAnswerError(fault, where=error.where) from error
    return frame.set_axis(range(1, len(frame) + 1), axis=0)


def _read_csv(file: Path) -> pd.DataFrame:
    try:
        InputFile(file).require()
        raw = file.read_bytes()
        raw = gzip.decompress(raw) if file.name.lower().endswith(".gz") else raw
    except DataError as error:
        raise BadAnswerError(error.what, where=file.name, remedy=error.remedy) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadAnswerError(f"cannot be read ({reason})", where=file.name) from error
    table = csv_table(raw, file.name)
    if raw.endswith((b"\n", b"\r", b'"')):
        return table
    cells = table.iloc[:, -1]
    if is_cut_off(cells.tolist()):
        where = f"{file.name}:{table.index[-1]}: {cells.name}"
        raise make_error(BadAnswerError, "wrong.cut_off", where=where, value=cells.iloc[-1])
    return table


def csv_table(raw: bytes, name: str) -> pd.DataFrame:
    """Return the cells of CSV text; the index holds line numbers.

    Parameters
    ----------
    raw : bytes
    name : str
        Of the file, for errors.

    Raises
    ------
    BadAnswerError
        If it is no such text, or a row has other cells than the header.
    """
    from ..files import Sheet

    sheet, faults = Sheet.of_csv(raw, ("date", "close"), has_points=True)
    faults += sheet.odd_rows() if sheet else []
    if sheet is None or faults:
        fault = min(faults, key=lambda fault: fault.line)
        where = f"{name}:{fault.line}"
        raise BadAnswerError(fault.what, where=where, value=fault.value, remedy=fault.remedy)
    cells = {k: list(column) for k, column in enumerate(sheet.columns)}
    return pd.DataFrame(cells, sheet.lines, dtype="str").set_axis(sheet.names, axis=1)
