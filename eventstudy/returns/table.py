"""Returns that the user holds already, some symbols at a time, laid on the sessions of each
exchange."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ..errors import DataError
from ..prices.quality.gate import Gate
from ..prices.quality.gate_report import Verdict
from ..prices.quality.return_columns import CODE_TEXTS
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray, ReturnKind
from .sessions import compounded
from .wide import wide_returns

if TYPE_CHECKING:
    import pandas as pd

# Cells of a table that are held at a time, beside those of the panel.
CELLS = 2**22
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
        """Yield the returns of some symbols, (m, T) for m of them at a time; NaN where there is
        none."""
        ...


class FrameTable:
    """The returns of a frame as :func:`wide_returns` reads it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._wide = wide_returns(frame, CODE_TEXTS)
        self.dates: DateArray = self._wide.index.to_numpy().astype("datetime64[D]")
        self.symbols: Mapping[str, int] = places(map(str, self._wide.columns))

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        """Yield the returns of some symbols."""
        for own in portions(symbols, CELLS // max(len(self.dates), 1)):
            yield own, self._wide.iloc[:, [self.symbols[s] for s in own]].to_numpy(float).T


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
    """Yield the symbols, at most `size` at a time."""
    step = max(size, 1)
    return (list(symbols[start : start + step]) for start in range(0, len(symbols), step))


class Laid(NamedTuple):
    """Rows of a panel (n, T), returns that fell on days without a session by row, and what was
    seen."""

    values: FloatArray
    outside: IntArray
    verdict: Verdict


def laid_out(
    table: ReturnsTable,
    keys: Sequence[Key],
    sessions: Mapping[str, DateArray],
    columns: Mapping[str, IntArray],
    width: int,
    kind: ReturnKind,
    where: str,
) -> Laid:
    """Return the rows of a panel from a table of returns.

    Columns with values that do not simply pass the gate are read again when all have been looked
    at.

    Parameters
    ----------
    table : ReturnsTable
    keys : sequence of n (symbol, calendar)
    sessions, columns : mapping of calendar to (S,) arrays
        Dates of its sessions, and the columns of the panel that they are.
    width : int
        Columns of the panel.
    kind : {"simple", "log"}
    where : str
        The file, for what is said.
    """
    rows = _Rows(table.dates, keys, sessions, columns, width, kind)
    gate = Gate(table.dates, list(rows.of), kind, where)
    for symbols, block in table.blocks(list(rows.of)):
        rows.lay(symbols, block, ~gate.look(symbols, block))
    verdict = gate.verdict()
    for symbols, block in table.blocks(verdict.symbols) if verdict.symbols else ():
        rows.lay(symbols, verdict.cleaned(symbols, block), np.ones(len(symbols), dtype=bool))
    return Laid(rows.values, rows.outside, verdict)


class _Rows:
    """The rows of a panel while they are laid on the sessions of their calendars."""

    def __init__(
        self,
        dates: DateArray,
        keys: Sequence[Key],
        sessions: Mapping[str, DateArray],
        columns: Mapping[str, IntArray],
        width: int,
        kind: ReturnKind,
    ) -> None:
        self.of: dict[str, list[int]] = {}
        for i, (symbol, _) in enumerate(keys):
            self.of.setdefault(symbol, []).append(i)
        self.values, self.outside = (
            np.full((len(keys), width), np.nan),
            np.zeros(len(keys), np.int64),
        )
        self._dates, self._keys, self._kind = dates, keys, kind
        self._sessions, self._columns = sessions, columns
        self._maps = {name: _Map.of(dates, sessions[name], columns[name]) for name in sessions}

    def lay(self, symbols: Sequence[str], block: FloatArray, passed: BoolArray) -> None:
        """Lay the returns (m, T) of those of m symbols that have passed (m,)."""
        present = np.isfinite(block)
        stray = {name: present[:, m.closed].sum(axis=1) > 0 for name, m in self._maps.items()}
        for k in np.flatnonzero(passed).tolist():
            for i in self.of[symbols[k]]:
                name = self._keys[i][1]
                if stray[name][k]:
                    laid, self.outside[i] = compounded(
                        self._dates, block[k], self._sessions[name], self._kind
                    )
                    self.values[i, self._columns[name]] = laid
                else:
                    self.values[i, self._maps[name].columns] = block[k, self._maps[name].open]


class _Map(NamedTuple):
    """Which dates of a table are sessions, the columns that these are, and which dates are none."""

    open: IntArray
    columns: IntArray
    closed: IntArray

    @classmethod
    def of(cls, dates: DateArray, sessions: DateArray, columns: IntArray) -> _Map:
        at = np.searchsorted(sessions, dates)
        hit = np.zeros(len(dates), dtype=bool)
        hit[at < len(sessions)] = sessions[at[at < len(sessions)]] == dates[at < len(sessions)]
        return cls(np.flatnonzero(hit), columns[at[hit]], np.flatnonzero(~hit))
