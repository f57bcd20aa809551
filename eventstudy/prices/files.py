"""Prices from the user's own files: a folder with one file a ticker, or one table of many
tickers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import BadAnswerError, ConfigError, DataError, PriceError, UnknownSymbolError
from ..utility.optional_parquet import parquet_modules
from ..utility.registry import did_you_mean
from ._base import DATE_DTYPE, NUMBER_COLUMNS, Prices, Progress, Provenance, collect
from ._clean import clean

if TYPE_CHECKING:
    import pandas as pd

    OnRead = Callable[[str, pd.DataFrame, pd.DataFrame], None]

SUFFIXES = (".csv", ".csv.gz", ".parquet")
MISSING_WORDS = ("", "na", "n/a", "nan", "null", "none", "-")
ALIASES = {
    "ticker": "symbol",
    "datetime": "date",
    "timestamp": "date",
    "adjclose": "adj_close",
    "adjusted": "adj_close",
    "adjustedclose": "adj_close",
    "adjcls": "adj_close",
}
KNOWN = ("symbol", "date", "currency", *NUMBER_COLUMNS)
EARLIEST = "1800-01-01"


class FilesProvider:
    """Prices from files on disk.

    Parameters
    ----------
    path : str or Path
        A folder that holds ``<ticker>.csv`` (also ``.csv.gz``, ``.parquet``), or one such file:
        with the columns ``symbol`` (or ``ticker``), ``date`` and prices; or with ``date`` and a
        column of adjusted closes for each ticker; or with ``date`` and the prices of the ticker
        that the file is named after.

    on_read : callable, optional
        Called with each ticker that is read, its rows as the file has them, and as they are after
        `clean`.

    Raises
    ------
    ConfigError
        When nothing is at `path`, or it is neither a folder nor a ``.csv``, ``.csv.gz`` or
        ``.parquet`` file.

    Notes
    -----
    Column names are read without regard to case, spaces and underscores (``Adj Close`` is
    ``adj_close``). Dates are ``YYYY-MM-DD`` or ``YYYYMMDD``; a time of day after the date is
    ignored. Empty cells are missing values. A ticker is only ever compared with the names in the
    folder and never becomes part of a path.
    """

    name = "files"

    def __init__(self, path: str | Path, on_read: OnRead | None = None) -> None:
        self.path, self._on_read = Path(path), on_read
        if not self.path.exists():
            raise ConfigError("no such file or folder of prices", value=str(path))
        if self.path.is_file() and not _suffix(self.path):
            raise ConfigError(
                "unknown kind of price file",
                value=self.path.name,
                remedy=f"use {', '.join(SUFFIXES)}",
            )

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the prices from `start` to `end`, both inclusive.

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
        return collect(symbols, start, end, self._read, progress)

    def symbols(self) -> tuple[str, ...]:
        """Return the tickers that have a file, or a place in the table, in alphabetical order."""
        return tuple(sorted(self._members if self.path.is_dir() else self._groups))

    def _read(self, symbol: str) -> tuple[pd.DataFrame, Provenance]:
        """Return all rows of `symbol`, cleaned, and their provenance without the extent."""
        if self.path.is_dir():
            file = self._file_of(symbol)
            frame = _columns(_read_file(file), file.name)
            if "date" not in frame:
                raise BadAnswerError("no date column", where=f"{file.name}:1", value=_listed(frame))
        else:
            file, frame = self.path, self._group_of(symbol)
        typed = _typed(frame, file.name)
        rows, notes = clean(typed, symbol)
        if self._on_read:
            self._on_read(symbol, typed, rows)
        if "adj_close" not in frame:
            notes = (*notes, "no adjusted closes")
        return rows, Provenance(
            self.name, file.name, currency=_currency(frame, file.name), note="; ".join(notes)
        )

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
            raise UnknownSymbolError(
                f"no {symbol}.csv in the folder {self.path.name!r} ({len(self._members)} tickers)",
                where=symbol,
                remedy=did_you_mean(symbol, self._members),
            )
        if len(files) > 1:
            names = ", ".join(file.name for file in files)
            raise BadAnswerError(
                "several files for one ticker", where=symbol, value=names, remedy="keep one"
            )
        return files[0]

    @functools.cached_property
    def _groups(self) -> Mapping[str, pd.DataFrame]:
        try:
            return _split(_read_file(self.path), self.path)
        except PriceError as error:
            raise DataError(
                error.what, where=error.where, value=error.value, remedy=error.remedy
            ) from error

    def _group_of(self, symbol: str) -> pd.DataFrame:
        groups = self._groups
        if symbol not in groups:
            raise UnknownSymbolError(
                f"not in {self.path.name} ({len(groups)} tickers)",
                where=symbol,
                remedy=did_you_mean(symbol, list(groups)),
            )
        return groups[symbol]


def _suffix(file: Path) -> str:
    return next((suffix for suffix in SUFFIXES if file.name.lower().endswith(suffix)), "")


def _split(frame: pd.DataFrame, file: Path) -> dict[str, pd.DataFrame]:
    """Return the rows of each ticker of a table of any of the three kinds."""
    named = _columns(frame, file.name)
    if "date" not in named:
        raise BadAnswerError("no date column", where=f"{file.name}:1", value=_listed(frame))
    if "symbol" in named:
        return _split_long(named, file.name)
    if "close" in named or "adj_close" in named:
        return {file.name[: -len(_suffix(file))]: named}
    tickers = [str(column) for column in named if column != "date"]
    if not tickers:
        raise BadAnswerError("no price column", where=f"{file.name}:1")
    return {name: named[["date", name]].rename(columns={name: "adj_close"}) for name in tickers}


def _split_long(frame: pd.DataFrame, file: str) -> dict[str, pd.DataFrame]:
    _require_price(frame, file)
    tickers = frame["symbol"].fillna("").astype(str).str.strip()
    blank = tickers.index[tickers == ""]
    if len(blank):
        raise BadAnswerError("no ticker", where=f"{file}:{blank[0]}: symbol")
    return {str(name): rows for name, rows in frame.drop(columns="symbol").groupby(tickers)}


def _columns(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Return `frame` with the common names for the columns we know, other names as they are."""
    names = []
    for column in map(str, frame):
        key = "".join(letter for letter in column.lower() if letter.isalnum())
        name = ALIASES.get(key, key)
        names.append(name if name in KNOWN else column.strip())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadAnswerError("column occurs twice", where=f"{file}:1", value=twice)
    return frame.set_axis(names, axis=1)


def _typed(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Return date and number columns with their dtypes; the index holds line numbers."""
    _require_price(frame, file)
    given = [column for column in NUMBER_COLUMNS if column in frame]
    numbers = {column: _numbers(frame[column], column, file) for column in given}
    return frame[[]].assign(date=_dates(frame["date"], file), **numbers)


def _require_price(frame: pd.DataFrame, file: str) -> None:
    if "close" not in frame and "adj_close" not in frame:
        raise BadAnswerError(
            "no close or adj_close column", where=f"{file}:1", value=_listed(frame)
        )


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, frame))


def _dates(cells: pd.Series[Any], file: str) -> pd.Series[pd.Timestamp]:
    import pandas as pd

    dates: pd.Series[pd.Timestamp]
    if pd.api.types.is_datetime64_any_dtype(cells):
        dates = cells.dt.tz_localize(None).dt.normalize()
    else:
        text = cells.astype(str).str.strip()
        day = text.str.extract(r"^(\d{4}-\d{2}-\d{2}|\d{8})(?:[T ].*)?$", expand=False)
        dates = pd.to_datetime(day.str.replace("-", ""), format="%Y%m%d", errors="coerce")
    bad = dates.isna() | (dates < pd.Timestamp(EARLIEST))
    if bad.any():
        line = bad.index[bad][0]
        where = f"{file}:{line}: date"
        raise BadAnswerError(
            "not a date", where=where, value=str(cells[line]), remedy="write YYYY-MM-DD"
        )
    return dates.astype(DATE_DTYPE)


def _numbers(cells: pd.Series[Any], column: str, file: str) -> pd.Series[float]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    with suppress(ValueError, OverflowError):
        known = pd.to_numeric(cells, errors="raise").astype("float64")
        if known.notna().all():
            return _exact(cells)
    text = cells.fillna("").astype(str).str.strip()
    missing = text.str.lower().isin(MISSING_WORDS)
    numbers = pd.to_numeric(text.mask(missing), errors="coerce").astype("float64")
    bad = numbers.isna() & ~missing
    if bad.any():
        line = bad.index[bad][0]
        raise BadAnswerError(
            "not a number",
            where=f"{file}:{line}: {column}",
            value=str(cells[line]),
            remedy="write 1234.5, without thousands separators",
        )
    return _exact(text.mask(missing, "nan"))


def _exact(cells: pd.Series[Any]) -> pd.Series[float]:
    """Return the numbers of text as Python reads it: to_numeric is wrong in the last bit of long
    ones."""
    import pandas as pd

    return pd.Series(cells.to_numpy(object).astype("float64"), index=cells.index)


def _currency(frame: pd.DataFrame, file: str) -> str:
    if "currency" not in frame:
        return ""
    found = sorted(set(frame["currency"].fillna("").astype(str).str.strip()) - {""})
    if len(found) > 1:
        raise BadAnswerError(
            "several currencies for one ticker", where=file, value=", ".join(found)
        )
    return found[0] if found else ""


def _read_file(file: Path) -> pd.DataFrame:
    """Return the cells of a file; the index holds line numbers (CSV) or row numbers (Parquet)."""
    if _suffix(file) == ".parquet":
        return _read_parquet(file)
    return _read_csv(file)


def _read_csv(file: Path) -> pd.DataFrame:
    import gzip
    import zlib

    import pandas as pd

    opened = gzip.open if _suffix(file) == ".csv.gz" else open
    try:
        with opened(file, "rt", encoding="utf-8-sig", newline="") as stream:
            header, lines, rows = _cells(stream, file.name)
    except UnicodeDecodeError as error:
        raise BadAnswerError(
            "not UTF-8 text", where=file.name, remedy="save it as CSV UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise BadAnswerError(f"cannot be read ({why})", where=file.name) from error
    return pd.DataFrame(rows, columns=header, index=lines, dtype="str")


def _cells(stream: TextIO, file: str) -> tuple[list[str], list[int], list[list[str]]]:
    import csv

    first = stream.readline()
    if not first.strip():
        raise BadAnswerError("no header line", where=f"{file}:1")
    delimiter = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter))
    lines, rows = [], []
    for line, row in _numbered(csv.reader(stream, delimiter=delimiter), file):
        if len(row) != len(header):
            what = f"{len(row)} cells, the header has {len(header)}"
            raise BadAnswerError(what, where=f"{file}:{line}")
        lines.append(line)
        rows.append(row)
    return header, lines, rows


def _numbered(reader: Iterator[list[str]], file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, with their line numbers, which start after the
    header's."""
    import csv

    line = 1
    try:
        for row in reader:
            line += 1
            if any(cell.strip() for cell in row):
                yield line, row
    except csv.Error as error:
        raise BadAnswerError(str(error), where=f"{file}:{line + 1}") from error


def _read_parquet(file: Path) -> pd.DataFrame:
    import pandas as pd

    parquet_modules(file.name)
    try:
        frame = pd.read_parquet(file, engine="pyarrow")
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BadAnswerError(f"cannot be read as Parquet ({reason})", where=file.name) from error
    if frame.index.name is not None:
        frame = frame.reset_index()
    return frame.set_axis(range(1, len(frame) + 1), axis=0)
