"""Which rows of the panel each event uses; windows can be laid around any day 0 from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .gather import EMPTY
from .loading.benchmarks import members
from .loading.load import series_of
from .models import Factor, LinearModel
from .returns import ReturnsPanel
from .typing import BoolArray, DateArray, IntArray
from .windows import EventWindows, Window, build_windows

if TYPE_CHECKING:
    from .events.table import Events


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the returns of n events are.

    Attributes
    ----------
    panel : ReturnsPanel
    calendars : tuple of n str
        Calendar of each event, a key of ``panel.calendars``.
    rows : (n,) int array
        Row of the panel that holds the firm; -1 if there is none.
    factor_rows : (n, f) int array
        Rows that hold the factors of the model.
    lags : tuple of f int
        Sessions by which each factor is moved.
    keep_spans : bool
        Whether returns over several sessions stay in the estimation window.
    symbols : mapping of str to list of n str
        The series that the model needs, each with its symbol for every event.
    """

    panel: ReturnsPanel
    calendars: tuple[str, ...]
    rows: IntArray
    factor_rows: IntArray
    lags: tuple[int, ...]
    keep_spans: bool
    symbols: Mapping[str, list[str]]

    def around(
        self, day0: DateArray, *, estimation: Window, event: Window, kept: bool = True
    ) -> EventWindows:
        """Return the windows of all events around `day0`, shape (n,); `kept` as in :func:`build_windows`."""
        return build_windows(
            self.panel, calendars=list(self.calendars), day0=day0, rows=self.rows, lags=self.lags,
            factor_rows=self.factor_rows, keep_spans=self.keep_spans, estimation=estimation, event=event,
            kept=kept,
        )  # fmt: skip

    def take(self, events: IntArray | BoolArray) -> Layout:
        """Return the layout of some events, by position or mask."""
        at = np.arange(len(self.rows))[events]
        symbols = {name: [own[i] for i in at] for name, own in self.symbols.items()}
        return replace(
            self, calendars=tuple(self.calendars[i] for i in at), rows=self.rows[at],
            factor_rows=self.factor_rows[at], symbols=symbols,
        )  # fmt: skip


def lay_out(
    panel: ReturnsPanel,
    events: Events,
    model: LinearModel,
    calendars: Sequence[str],
    *,
    benchmarks: Sequence[str],
    series: Mapping[str, str],
    columns: Collection[str],
) -> Layout:
    """Return the rows that a model needs for each event.

    Parameters
    ----------
    panel : ReturnsPanel
    events : Events
    model : LinearModel
    calendars : sequence of str
        Calendar of each event.
    benchmarks : sequence of str
        Benchmark of each event.
    series : mapping of str to ticker
        Series that are the same for all events.
    columns : collection of str
        Names of the factors in the panel.

    Raises
    ------
    ConfigError
        If a series is nowhere to be found.
    """
    names = model.factors
    symbols = [series_of(f, events, benchmarks=benchmarks, series=series, columns=columns) for f in names]
    whole = [own for f, own in zip(names, symbols, strict=True) if not f.several]
    panel = panel.with_portfolios((s, c) for own in whole for s, c in zip(own, calendars, strict=True))
    notes = [note for f in names if f.several for note in _left_out(f, events, panel, calendars)]
    panel = replace(panel, notes=(*notes, *panel.notes))
    placed = [_placed(panel, f, own, calendars) for f, own in zip(names, symbols, strict=True)]
    rows = rows_of(panel, events.table["ticker"].tolist(), calendars)
    return Layout(
        panel=panel,
        calendars=tuple(calendars),
        rows=rows,
        factor_rows=np.hstack([np.empty((len(rows), 0), np.int64), *placed]),
        lags=tuple(f.lag for f, own in zip(names, placed, strict=True) for _ in range(own.shape[1])),
        keep_spans=model.keep_spans,
        symbols={f.name: own for f, own in zip(names, symbols, strict=True)},
    )


def rows_of(panel: ReturnsPanel, symbols: Iterable[str], calendars: Sequence[str]) -> IntArray:
    """Return the row of each symbol on its calendar, shape (n,); -1 if there is none."""
    return np.array([panel.row(s, c) for s, c in zip(symbols, calendars, strict=True)], dtype=np.int64)


def _left_out(factor: Factor, events: Events, panel: ReturnsPanel, calendars: Sequence[str]) -> list[str]:
    """Return notes on the tickers of a column with several that are not used."""
    table = events.table
    if factor.name not in table:
        return []
    firms = set(table["ticker"].tolist())
    cells = [
        (s, c) for text, c in zip(table[factor.name], calendars, strict=True) for s in members(str(text))
    ]
    own = dict.fromkeys(s for s, _ in cells if s in firms)
    lost = dict.fromkeys(s for s, c in cells if s not in firms and panel.row(s, c) < 0)
    said = {"are firms of the list of events": own, "have no prices": lost}
    return [f"{factor.name} left out because they {why}: {', '.join(s)}" for why, s in said.items() if s]


def _placed(panel: ReturnsPanel, factor: Factor, symbols: list[str], calendars: Sequence[str]) -> IntArray:
    """Return the rows of one factor, shape (n, 1); of one with several tickers (n, J), -2 behind the last."""
    if not factor.several:
        return rows_of(panel, symbols, calendars)[:, None]
    cells = [
        [r for s in members(text) if (r := panel.row(s, c)) >= 0]
        for text, c in zip(symbols, calendars, strict=True)
    ]
    out = np.full((len(cells), max(1, *map(len, cells))), EMPTY, dtype=np.int64)
    for i, cell in enumerate(cells):
        out[i, : len(cell)] = cell
    return out
