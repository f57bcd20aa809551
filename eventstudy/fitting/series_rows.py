"""Which rows of the panel each event uses; windows can be laid around any day 0 from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from ..calendars.window import Window
from ..events.table import Events
from ..models import LinearModel
from ..returns import ReturnsPanel
from ..returns.benchmarks import members
from ..returns.series import MARKET, Factor, Sources, series_of
from ..utility.typing import BoolArray, DateArray, IntArray, ObjectArray
from ..windows.alignment import EMPTY
from ..windows.event_windows import EventWindows, build_windows


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
        self, day0: DateArray, *, estimation: Window, event: Window, keep_estimation: bool = True
    ) -> EventWindows:
        """Return the windows of all events around `day0`.

        Parameters
        ----------
        day0 : (n,) datetime64 array
        estimation, event : Window
        keep_estimation : bool
            Whether estimation days are held; see :func:`build_windows`.
        """
        return build_windows(
            self.panel, calendars=list(self.calendars), day0=day0, rows=self.rows, lags=self.lags,
            factor_rows=self.factor_rows, keep_spans=self.keep_spans, estimation=estimation,
            event=event, keep_days=keep_estimation,
        )  # fmt: skip

    def without(self, reasons: ObjectArray) -> Layout:
        """Return the layout without the firms of events that have a reason, shape (n,)."""
        return replace(self, rows=np.where(reasons == "", self.rows, -1))

    def take(self, events: IntArray | BoolArray) -> Layout:
        """Return the layout of some events, by position or mask."""
        at = np.arange(len(self.rows))[events]
        symbols = {name: [tickers[i] for i in at] for name, tickers in self.symbols.items()}
        return replace(
            self, calendars=tuple(self.calendars[i] for i in at), rows=self.rows[at],
            factor_rows=self.factor_rows[at], symbols=symbols,
        )  # fmt: skip


def lay_out(
    panel: ReturnsPanel,
    events: Events,
    model: LinearModel,
    calendars: Sequence[str],
    sources: Sources,
) -> Layout:
    """Return the rows that a model needs for each event.

    Parameters
    ----------
    panel : ReturnsPanel
    events : Events
    model : LinearModel
    calendars : sequence of str
        Calendar of each event.
    sources : Sources

    Raises
    ------
    ConfigError
        If a series is nowhere to be found.
    """
    symbols = {f: series_of(f, events, sources) for f in model.factors}
    single = [zip(s, calendars, strict=True) for f, s in symbols.items() if not f.several]
    panel = panel.with_portfolios(chain.from_iterable(single))
    notes = [note for f in symbols for note in _own_firms(f, events, sources.series)]
    gaps = [note for f in symbols for note in _without_prices(f, symbols[f], panel, calendars)]
    panel = replace(panel, notes=(*notes, *panel.notes), notices=(*panel.notices, *gaps))
    rows = rows_of(panel, events.table["ticker"].tolist(), calendars)
    placed = {f: _placed(panel, f, tickers, calendars) for f, tickers in symbols.items()}
    factor_rows = np.hstack([np.empty((len(rows), 0), np.int64), *placed.values()])
    lags = tuple(f.lag for f in placed for _ in range(placed[f].shape[1]))
    names = {f.name: tickers for f, tickers in symbols.items()}
    return Layout(panel, tuple(calendars), rows, factor_rows, lags, model.keep_spans, names)


def rows_of(panel: ReturnsPanel, symbols: Iterable[str], calendars: Sequence[str]) -> IntArray:
    """Return the row of each symbol on its calendar, shape (n,); -1 if there is none.

    Parameters
    ----------
    panel : ReturnsPanel
    symbols : iterable of n str
    calendars : sequence of n str
    """
    rows = [panel.row(s, c) for s, c in zip(symbols, calendars, strict=True)]
    return np.array(rows, dtype=np.int64)


def _own_firms(factor: Factor, events: Events, series: Mapping[str, str]) -> list[str]:
    """Return a note on tickers of a column that are events themselves, and so not used."""
    table = events.table
    if not factor.several or factor.name in series or factor.name not in table:
        return []
    firms = set(table["ticker"].tolist())
    named = (s for text in table[factor.name] for s in members(str(text)))
    excluded = dict.fromkeys(s for s in named if s in firms)
    reason = f"{factor.name} left out because they are firms of the list of events"
    return [f"{reason}: {', '.join(excluded)}"] if excluded else []


def _without_prices(
    factor: Factor, symbols: Sequence[str], panel: ReturnsPanel, calendars: Sequence[str]
) -> list[str]:
    """Return a note on members of portfolios and series that have no prices."""
    texts = dict.fromkeys(zip(symbols, calendars, strict=True))
    cells = ((s, c) for text, c in texts if factor.several or ";" in text for s in members(text))
    missing = dict.fromkeys(symbol for symbol, calendar in cells if panel.row(symbol, calendar) < 0)
    named = "the benchmark" if factor.name == MARKET.name else factor.name
    subject = factor.name if factor.several else f"members of {named}"
    note = f"{subject} left out because they have no prices: {', '.join(missing)}"
    return [note] if missing else []


def _placed(
    panel: ReturnsPanel, factor: Factor, symbols: list[str], calendars: Sequence[str]
) -> IntArray:
    """Return the rows of one factor, (n, 1); for several tickers (n, J), -2 after the last."""
    if not factor.several:
        return rows_of(panel, symbols, calendars)[:, None]
    pairs = zip(symbols, calendars, strict=True)
    rows = [[panel.row(s, c) for s in members(text)] for text, c in pairs]
    cells = [[row for row in cell if row >= 0] for cell in rows]
    out = np.full((len(cells), max(1, *map(len, cells))), EMPTY, dtype=np.int64)
    for i, cell in enumerate(cells):
        out[i, : len(cell)] = cell
    return out
