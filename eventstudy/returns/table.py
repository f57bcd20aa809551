"""Tables of returns: wide or long in, wide out, some symbols at a time laid on the sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ..errors import DataError
from ..prices.quality.gate import Gate, Verdict
from ..prices.quality.return_faults import CODE_TEXTS
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray, ReturnKind
from .sessions import compounded, located

if TYPE_CHECKING:
    import pandas as pd

# Cells of a table that are held at a time, beside those of the panel.
CELLS = 2**22
# So many columns of a table without dates are named.
NAMED = 8
NO_LETTERS: Mapping[str, float] = MappingProxyType({})
Key = tuple[str, str]


class ReturnsTable(Protocol):
    """Returns of many symbols on the same dates.

    Attributes
    ----------
    dates : (T,) datetime64[D] array
        Ascending.
    symbols : collection of str
    """

    @property
    def dates(self) -> DateArray: ...
    @property
    def symbols(self) -> Collection[str]: ...

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        """Yield the returns of some symbols, (m, T) for m of them at a time; NaN = missing."""
        ...


class FrameTable:
    """The returns of a frame as :func:`wide_returns` reads it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._wide = wide_returns(frame, CODE_TEXTS)
        self.dates: DateArray = self._wide.index.to_numpy().astype("datetime64[D]")
        self.symbols: Mapping[str, int] = places(map(str, self._wide.columns))

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        """Yield the returns of some symbols."""
        for portion in portions(symbols, CELLS // max(len(self.dates), 1)):
            yield portion, self._wide.iloc[:, [self.symbols[s] for s in portion]].to_numpy(float).T


def no_return() -> DataError:
    """Return the error for a table without any return."""
    remedy = "give dates x tickers, or date, ticker, ret"
    return DataError("there is no return at all", remedy=remedy)


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


class Laid(NamedTuple):
    """Rows of a panel (n, T), returns on days without a session, and the gate's verdict."""

    values: FloatArray
    outside: IntArray
    verdict: Verdict


class Clock(NamedTuple):
    """The T sessions of a panel; by calendar, the dates of its sessions and their columns."""

    sessions: DateArray
    dates: Mapping[str, DateArray]
    columns: Mapping[str, IntArray]

    @classmethod
    def of(cls, dates: Mapping[str, DateArray]) -> Clock:
        """Return the clock of calendars, each with its sessions, ascending."""
        union = np.unique(np.concatenate(list(dates.values())))
        return cls(union, dates, {name: np.searchsorted(union, d) for name, d in dates.items()})


def laid_out(
    table: ReturnsTable, keys: list[Key], clock: Clock, kind: ReturnKind, where: str
) -> Laid:
    """Return the rows of a panel from a table of returns.

    Columns with values that do not simply pass the gate are read again when all have been looked
    at.

    Parameters
    ----------
    table : ReturnsTable
    keys : sequence of n (symbol, calendar)
    clock : Clock
    kind : {"simple", "log"}
    where : str
        The file, for what is said.
    """
    rows = _Rows(table.dates, keys, clock, kind)
    gate = Gate(table.dates, list(rows.of), kind, where)
    for symbols, block in table.blocks(list(rows.of)):
        rows.lay(symbols, block, ~gate.look(symbols, block))
    verdict = gate.verdict()
    for symbols, block in table.blocks(verdict.symbols) if verdict.symbols else ():
        rows.lay(symbols, verdict.cleaned(symbols, block), np.ones(len(symbols), dtype=bool))
    return Laid(rows.values, rows.outside, verdict)


class _Rows:
    """The rows of a panel while they are laid on the sessions of their calendars."""

    def __init__(self, dates: DateArray, keys: list[Key], clock: Clock, kind: ReturnKind) -> None:
        self.of: dict[str, list[int]] = {}
        for i, (symbol, _) in enumerate(keys):
            self.of.setdefault(symbol, []).append(i)
        self.values = np.full((len(keys), len(clock.sessions)), np.nan)
        self.outside = np.zeros(len(keys), np.int64)
        self._dates, self._keys, self._clock, self._kind = dates, keys, clock, kind
        self._maps = {n: _Map.of(dates, days, clock.columns[n]) for n, days in clock.dates.items()}

    def lay(self, symbols: Sequence[str], block: FloatArray, passed: BoolArray) -> None:
        """Lay returns of symbols on the sessions of their calendars.

        Parameters
        ----------
        symbols : sequence of m str
        block : (m, T) float array
            Decimal returns on the dates of the table; NaN = missing.
        passed : (m,) bool array
            Symbols to lay; the others keep NaN.
        """
        present = np.isfinite(block)
        stray = {name: present[:, m.closed].sum(axis=1) > 0 for name, m in self._maps.items()}
        for k in np.flatnonzero(passed).tolist():
            for i in self.of[symbols[k]]:
                name = self._keys[i][1]
                if stray[name][k]:
                    days = self._clock.dates[name]
                    row, self.outside[i] = compounded(self._dates, block[k], days, self._kind)
                    self.values[i, self._clock.columns[name]] = row
                else:
                    self.values[i, self._maps[name].columns] = block[k, self._maps[name].open]


class _Map(NamedTuple):
    """Which dates of a table are sessions, the columns that these are, and which dates are none."""

    open: IntArray
    columns: IntArray
    closed: IntArray

    @classmethod
    def of(cls, dates: DateArray, sessions: DateArray, columns: IntArray) -> _Map:
        """Return which dates of a table are sessions of a calendar.

        Parameters
        ----------
        dates : (T,) datetime64 array
            Of the table.
        sessions : (S,) datetime64 array
            Of the calendar, ascending.
        columns : (S,) int array
            Columns of the sessions in the panel.

        Returns
        -------
        _Map
        """
        at, hit = located(dates, sessions)
        return cls(np.flatnonzero(hit), columns[at[hit]], np.flatnonzero(~hit))


def wide_returns(frame: pd.DataFrame, letters: Mapping[str, float] = NO_LETTERS) -> pd.DataFrame:
    """Return a wide frame of returns (dates ascending x symbols) from a wide or a long one.

    Parameters
    ----------
    frame : DataFrame
    letters : mapping of str to float, optional
        The codes that stand for cells which are such letters.

    Raises
    ------
    DataError
        On a missing column, a date that cannot be read, a cell that is no number, or a day that
        occurs twice for one symbol.
    """
    import pandas as pd

    named = {str(c).strip().lower(): c for c in frame.columns}
    if "ret" in named or "return" in named:
        ticker = named.get("ticker", named.get("symbol"))
        if ticker is None or "date" not in named:
            reason = "a long table of returns needs the columns date, ticker and ret"
            raise DataError(reason, value=list(frame.columns))
        cells = frame[[named["date"], ticker, named.get("ret", named.get("return"))]].copy()
        cells.columns = pd.Index(["date", "ticker", "ret"])
        twice = cells.duplicated(["date", "ticker"])
        if twice.any():
            row = cells[twice].iloc[0]
            cell = f"{row['ticker']} {row['date']}"
            raise DataError("two returns for one ticker and day", value=cell)
        wide = cells.set_index(["date", "ticker"])["ret"].unstack("ticker")  # noqa: PD010 - no aggregation wanted
    elif "date" in named:
        wide = frame.set_index(named["date"])
    elif isinstance(frame.index, pd.RangeIndex) and not frame.empty:
        columns = [*map(str, frame.columns[:NAMED]), *["..."] * (len(frame.columns) > NAMED)]
        remedy = "name the column of the dates 'date'"
        raise DataError("no date column", value=", ".join(columns), remedy=remedy)
    else:
        wide = frame
    dates = civil_dates(wide.index)
    numbers = _numbers(wide, letters)
    numbers.index = dates
    numbers.columns = pd.Index([str(c).strip() for c in numbers.columns])
    if numbers.index.has_duplicates:
        day = numbers.index[numbers.index.duplicated()][0].date()
        raise DataError("a date occurs twice", value=str(day))
    return numbers.sort_index()


def civil_dates(written: pd.Index) -> pd.DatetimeIndex:
    """Return the civil dates as written: a time zone must not move one to another day.

    Raises
    ------
    DataError
        On one that cannot be read.
    """
    import pandas as pd

    days = pd.Series(written.astype(str)).str.slice(0, 10)
    dates = pd.to_datetime(days, errors="coerce", format="ISO8601")
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        text, remedy = str(written[at]), "use YYYY-MM-DD"
        raise DataError("a date that cannot be read", where="returns", value=text, remedy=remedy)
    return pd.DatetimeIndex(dates)


def _numbers(wide: pd.DataFrame, letters: Mapping[str, float]) -> pd.DataFrame:
    """Return the frame with all columns as numbers."""
    import pandas as pd

    is_numeric = np.array([pd.api.types.is_numeric_dtype(kind) for kind in wide.dtypes], dtype=bool)
    if is_numeric.all():
        return wide.copy(deep=False)
    numbers: pd.DataFrame = wide.apply(numbers_of, letters=letters)
    bad = numbers.isna() & wide.notna()
    if bad.to_numpy().any():
        r, c = np.argwhere(bad.to_numpy())[0]
        where, cell = f"{wide.columns[c]} on {wide.index[r]}", str(wide.iloc[r, c])
        raise DataError("a return that is no number", where=where, value=cell)
    return numbers


def numbers_of(
    cells: pd.Series[Any], letters: Mapping[str, float] = NO_LETTERS
) -> pd.Series[float]:
    """Return cells as numbers, the code of each letter in its place; NaN for any other text.

    Parameters
    ----------
    cells : Series
    letters : mapping of str to float
        The code that stands for each letter.
    """
    import pandas as pd

    numbers: pd.Series[float] = pd.to_numeric(cells, errors="coerce")
    texts = (numbers.isna() & cells.notna()).to_numpy(bool)
    if not (letters and texts.any()):
        return numbers
    values = numbers.to_numpy(float, copy=True)
    values[texts] = cells[texts].astype(str).str.strip().map(letters).to_numpy(float)
    return pd.Series(values, cells.index, name=cells.name)
