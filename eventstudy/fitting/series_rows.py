"""Which rows of the panel each event uses; windows can be laid around any day 0 from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..calendars.window import Window
from ..models import LinearModel
from ..returns import ReturnsPanel
from ..returns.benchmarks import members
from ..returns.load import series_of
from ..returns.series import MARKET, Factor
from ..utility.typing import BoolArray, DateArray, IntArray
from ..windows.event_windows import EventWindows, build_windows
from ..windows.panel_slices import EMPTY

if TYPE_CHECKING:
    from ..events.table import Events


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
        """Return the windows of all events around `day0`, shape (n,); `kept` as in
        :func:`build_windows`."""
        return build_windows(
            self.panel, calendars=list(self.calendars), day0=day0, rows=self.rows, lags=self.lags,
            factor_rows=self.factor_rows, keep_spans=self.keep_spans, estimation=estimation,
            event=event,
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
    symbols = [
        series_of(f, events, benchmarks=benchmarks, series=series, columns=columns) for f in names
    ]
    whole = [own for f, own in zip(names, symbols, strict=True) if not f.several]
    panel = panel.with_portfolios(
        (s, c) for own in whole for s, c in zip(own, calendars, strict=True)
    )
    notes = [note for f in names for note in _own_firms(f, events, series)]
    lost = [
        note
        for f, own in zip(names, symbols, strict=True)
        for note in _without_prices(f, own, panel, calendars)
    ]
    panel = replace(panel, notes=(*notes, *panel.notes), notices=(*panel.notices, *lost))
    placed = [_placed(panel, f, own, calendars) for f, own in zip(names, symbols, strict=True)]
    rows = rows_of(panel, events.table["ticker"].tolist(), calendars)
    return Layout(
        panel=panel,
        calendars=tuple(calendars),
        rows=rows,
        factor_rows=np.hstack([np.empty((len(rows), 0), np.int64), *placed]),
        lags=tuple(
            f.lag for f, own in zip(names, placed, strict=True) for _ in range(own.shape[1])
        ),
        keep_spans=model.keep_spans,
        symbols={f.name: own for f, own in zip(names, symbols, strict=True)},
    )


def rows_of(panel: ReturnsPanel, symbols: Iterable[str], calendars: Sequence[str]) -> IntArray:
    """Return the row of each symbol on its calendar, shape (n,); -1 if there is none."""
    return np.array(
        [panel.row(s, c) for s, c in zip(symbols, calendars, strict=True)], dtype=np.int64
    )


def _own_firms(factor: Factor, events: Events, series: Mapping[str, str]) -> list[str]:
    """Return a note on the tickers of a column with several that are events themselves, and not
    used."""
    table = events.table
    if not factor.several or factor.name in series or factor.name not in table:
        return []
    firms = set(table["ticker"].tolist())
    own = dict.fromkeys(s for text in table[factor.name] for s in members(str(text)) if s in firms)
    what = f"{factor.name} left out because they are firms of the list of events"
    return [f"{what}: {', '.join(own)}"] if own else []


def _without_prices(
    factor: Factor, symbols: Sequence[str], panel: ReturnsPanel, calendars: Sequence[str]
) -> list[str]:
    """Return a note on the members of portfolios, and of series with several, that have no
    prices."""
    cells = [
        (symbol, calendar)
        for text, calendar in dict.fromkeys(zip(symbols, calendars, strict=True))
        if factor.several or ";" in text
        for symbol in members(text)
    ]
    lost = dict.fromkeys(symbol for symbol, calendar in cells if panel.row(symbol, calendar) < 0)
    named = "the benchmark" if factor.name == MARKET.name else factor.name
    what = factor.name if factor.several else f"members of {named}"
    return [f"{what} left out because they have no prices: {', '.join(lost)}"] if lost else []


def _placed(
    panel: ReturnsPanel, factor: Factor, symbols: list[str], calendars: Sequence[str]
) -> IntArray:
    """Return the rows of one factor, shape (n, 1); of one with several tickers (n, J), -2 behind
    the last."""
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
