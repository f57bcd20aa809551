"""Where the returns of each event are, and what becomes of days without a free price.

Windows can be laid around any day 0 from a layout. Halts leave the clock of an event; closes at a
price limit are joined to the first free one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from ..abnormal import AbnormalReturns, Runs
from ..calendars import Window
from ..errors import ConfigError
from ..events import Events
from ..models import Engine, LinearModel
from ..returns import Benchmarks, Factor, ReturnsPanel, Sources
from ..utility import BoolArray, DateArray, FloatArray, IntArray, ObjectArray, chunks
from ..windows import EMPTY, HALT_DRIFT, TRADED, EventWindows, build_windows, covers
from ..words import make_error, say


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
    donors : (f,) bool array
        Which factors are members of a series of several tickers.
    keep_spans : bool
        Whether returns over several sessions stay in the estimation window.
    symbols : mapping of str to list of n str
        The series that the model needs, each with its symbol for every event.
    market_rows : (n,) int array
        Rows that hold the index of each event, which not every model needs; -1 if there is none.
    halt_drift : int
        Sessions of a halt that has left the clock for which alpha is expected, at most.
    treated : (m,) object array and (m, L2) int array, optional
        Firms of all announcements of the study, "" where one is a repetition, and the columns of
        their event windows.
    stops : (n, T) bool array, optional
        Columns of the panel on which the index of an event is not free; None where that changes
        nothing.
    """

    # Sessions for which a run of closes at a price limit is followed beyond the event window.
    LONGEST_RUN: ClassVar[int] = 30

    panel: ReturnsPanel
    calendars: tuple[str, ...]
    rows: IntArray
    factor_rows: IntArray
    lags: tuple[int, ...]
    donors: BoolArray
    keep_spans: bool
    symbols: Mapping[str, list[str]]
    market_rows: IntArray
    halt_drift: int = HALT_DRIFT
    treated: tuple[ObjectArray, IntArray] | None = None
    stops: BoolArray | None = None

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
            event=event, keep_days=keep_estimation, halt_drift=self.halt_drift,
            market_rows=self.market_rows,
        )  # fmt: skip

    def without(self, reasons: ObjectArray) -> Layout:
        """Return the layout without the firms of events that have a reason, shape (n,)."""
        return replace(self, rows=np.where(reasons == "", self.rows, -1))

    def announced(self, firms: ObjectArray) -> BoolArray:
        """Return which columns of the panel lie in an event window of each firm, (n, T).

        Parameters
        ----------
        firms : (n,) object array
        """
        out = np.zeros((len(firms), len(self.panel.sessions)), dtype=bool)
        if self.treated is not None:
            names, columns = self.treated
            for i, firm in enumerate(firms):
                at = columns[names == firm]
                out[i, at[at >= 0]] = True
        return out

    @property
    def lean(self) -> Layout:
        """The layout without what its panel was made of, to be sent to another process."""
        made_of: Any = {"prices": None, "fetched": None, "limits": None, "faults": ()}
        panel = replace(self.panel, failures={}, notes=(), notices=(), provenance={}, **made_of)
        return replace(self, panel=panel, symbols={}, treated=None)

    def series_of_event(self, i: int) -> list[str]:
        """Return the symbols, and names of factors, of the model's series that event i uses."""
        cells = [series[i] for series in self.symbols.values()]
        symbols = [symbol for cell in cells for symbol in Benchmarks.members(cell)]
        return [symbol.removeprefix(Factor.PREFIX) for symbol in symbols]

    def take(self, events: IntArray | BoolArray) -> Layout:
        """Return the layout of some events, by position or mask."""
        at = np.arange(len(self.rows))[events]
        symbols = {name: [tickers[i] for i in at] for name, tickers in self.symbols.items()}
        return replace(
            self, calendars=tuple(self.calendars[i] for i in at), rows=self.rows[at],
            factor_rows=self.factor_rows[at], market_rows=self.market_rows[at], symbols=symbols,
            stops=None if self.stops is None else self.stops[at],
        )  # fmt: skip

    def halts(self, windows: EventWindows) -> BoolArray:
        """Return which events have a session in their event window that a return bridges, (n,).

        Only gaps of the firm count: where the benchmark alone has none, the market did not
        halt. A day whose return was refused is no halt.

        Parameters
        ----------
        windows : EventWindows
        """
        event = windows.event_positions
        out = np.zeros(len(event), dtype=bool)
        for i in np.flatnonzero(self.rows >= 0):
            columns = self.panel.calendars[self.calendars[i]]
            closed = columns[find_bridged(self.panel.spans[self.rows[i], columns])]
            out[i] = np.isin(event[i], closed).any()
        return out


def lay_out(
    panel: ReturnsPanel, events: Events, model: LinearModel, calendars: Sequence[str],
    sources: Sources,
) -> Layout:  # fmt: skip
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
    symbols = {f: sources.symbols_of(f, events) for f in model.factors}
    single = [zip(s, calendars, strict=True) for f, s in symbols.items() if not f.several]
    single.append(zip(sources.benchmarks, calendars, strict=True))
    panel = panel.with_portfolios(chain.from_iterable(single))
    gaps = [note for f in symbols for note in _without_prices(f, symbols[f], panel, calendars)]
    panel = replace(panel, notices=(*panel.notices, *gaps))
    rows = rows_of(panel, events.table["ticker"].tolist(), calendars)
    placed = {f: _placed(panel, f, tickers, calendars) for f, tickers in symbols.items()}
    factor_rows = np.hstack([np.empty((len(rows), 0), np.int64), *placed.values()])
    lags = tuple(f.lag for f in placed for _ in range(placed[f].shape[1]))
    donors = np.array([f.several for f in placed for _ in range(placed[f].shape[1])], dtype=bool)
    names = {f.name: tickers for f, tickers in symbols.items()}
    return Layout(
        panel, tuple(calendars), rows, factor_rows, lags, donors, model.keep_spans, names,
        rows_of(panel, sources.benchmarks, calendars),
    )  # fmt: skip


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


def _without_prices(
    factor: Factor, symbols: Sequence[str], panel: ReturnsPanel, calendars: Sequence[str]
) -> list[str]:
    """Return a note on members of portfolios and series that have no prices."""
    texts = dict.fromkeys(zip(symbols, calendars, strict=True))
    missing = dict[str, None]()
    for text, calendar in texts:
        if factor.several or ";" in text:
            symbols_of = Benchmarks.members(text)
            missing |= dict.fromkeys(s for s in symbols_of if panel.row(s, calendar) < 0)
    is_market = factor.name == Factor.MARKET.name
    code = "series" if factor.several else "benchmark" if is_market else "members"
    return [say(f"left_out.{code}", name=factor.name, symbols=missing)] if missing else []


def _placed(
    panel: ReturnsPanel, factor: Factor, symbols: list[str], calendars: Sequence[str]
) -> IntArray:
    """Return the rows of one factor, (n, 1); for several tickers (n, J), -2 after the last."""
    if not factor.several:
        return rows_of(panel, symbols, calendars)[:, None]
    pairs = zip(symbols, calendars, strict=True)
    rows = [[panel.row(s, c) for s in Benchmarks.members(text)] for text, c in pairs]
    cells = [[row for row in cell if row >= 0] for cell in rows]
    out = np.full((len(cells), max(1, *map(len, cells))), EMPTY, dtype=np.int64)
    for i, cell in enumerate(cells):
        out[i, : len(cell)] = cell
    return out


def resume_after_halts(
    layout: Layout, windows: EventWindows, days: DateArray
) -> tuple[Layout, DateArray]:
    """Return the layout, with a clock of traded sessions after a halt, and the days 0 on it, (n,).

    Parameters
    ----------
    layout : Layout
    windows : EventWindows
    days : (n,) datetime64 array
        Days 0 on the clock of the calendar.

    Raises
    ------
    ConfigError
        If the model has leads or lags.
    """
    if any(layout.lags):
        raise make_error(ConfigError, "setting.shifted_lags", where="halt", value="shift")
    layout = shift_clocks(layout, layout.halts(windows))
    estimation, event, keeps = windows.estimation, windows.event, windows.keeps_days
    around = layout.around(days, estimation=estimation, event=event, keep_estimation=keeps)
    is_shifted = np.array([TRADED in name for name in layout.calendars]) & (around.day0 >= 0)
    return layout, np.where(is_shifted, around.sessions[around.day0], days)


def find_bridged(spans: IntArray) -> BoolArray:
    """Return which sessions (T,) lie within a return over several sessions, before its last."""
    edge = np.zeros(len(spans) + 1, dtype=np.int64)
    longer = np.flatnonzero(spans > 1)
    np.add.at(edge, np.maximum(longer - spans[longer] + 1, 0), 1)
    np.add.at(edge, longer, -1)
    return np.cumsum(edge[:-1]) > 0


def shift_clocks(layout: Layout, events: BoolArray) -> Layout:
    """Return the layout with a clock of traded sessions for some events.

    tau = -1 is the last session on which the firm traded before day 0, tau = 0 the first from day 0
    on; its return spans the halt, and so do the factors, summed over the same sessions
    (docs/methods/missing-days.md).

    Parameters
    ----------
    layout : Layout
    events : (n,) bool array
        Whose clock is to leave out sessions without trade.
    """
    panel, calendars = layout.panel, list(layout.calendars)
    rows = layout.rows.copy()
    series = np.column_stack([layout.factor_rows, layout.market_rows])
    for i in np.flatnonzero(events & (layout.rows >= 0)):
        base = calendars[i]
        symbol = panel.keys[rows[i]][0]
        name = f"{base}{TRADED}{symbol}"
        columns = panel.calendars[base]
        traded = np.flatnonzero(~find_bridged(panel.spans[rows[i], columns]))
        panel = replace(panel, calendars={**panel.calendars, name: columns[traded]})
        panel = panel.with_rows({(symbol, name): (panel.values[rows[i]], panel.spans[rows[i]])})
        rows[i] = panel.row(symbol, name)
        for j, row in enumerate(series[i]):
            if row >= 0:
                key = (panel.keys[row][0], name)
                if panel.row(*key) < 0:
                    panel = panel.with_rows({key: _summed(panel, row, columns, traded)})
                series[i, j] = panel.row(*key)
        calendars[i] = name
    if layout.panel.limits is not None:
        limits = _limits(layout.panel.limits, layout.rows, rows, len(panel.keys))
        panel = replace(panel, limits=limits)
    return replace(
        layout, panel=panel, calendars=tuple(calendars), rows=rows, factor_rows=series[:, :-1],
        market_rows=series[:, -1],
    )  # fmt: skip


def _limits(limits: IntArray, old: IntArray, new: IntArray, n: int) -> IntArray:
    """Return the closes at a limit for n rows; new rows of firms have those of the old."""
    out = np.zeros((n, limits.shape[1]), dtype=limits.dtype)
    out[: len(limits)] = limits
    out[new[new >= 0]] = limits[old[new >= 0]]
    return out


def _summed(
    panel: ReturnsPanel, row: int, columns: IntArray, traded: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return a factor summed over the sessions since the last traded one, and their number."""
    values = np.full(len(panel.sessions), np.nan)
    spans = np.zeros(len(panel.sessions), np.int64)
    theirs = panel.values[row, columns]
    lengths = panel.spans[row, columns]
    before = np.r_[traded[:1] - 1, traded[:-1]]
    for last, t in zip(before, traded, strict=True):
        run = slice(last + 1, t + 1)
        if covers(lengths[run]):
            values[columns[t]], spans[columns[t]] = np.nansum(theirs[run]), t - last
    return values, spans


# Longer runs of closes at a limit have no price: thirty days without a market are a halt.


def with_runs(
    abnormal: AbnormalReturns, model: LinearModel, layout: Layout, day0: DateArray, engine: Engine
) -> AbnormalReturns:
    r"""Return the abnormal returns with their runs of closes at a price limit joined.

    A run is one return over its sessions, compounded; the normal returns and the variances of its
    days are summed (docs/methods/price-limits.md). Without a day that closes at a limit the
    abnormal returns stay as they are.

    Parameters
    ----------
    abnormal : AbnormalReturns
    model : LinearModel
    layout : Layout
    day0 : (n,) datetime64 array
    engine : {"statsmodels", "batch"}

    Notes
    -----
    .. math:: R_{run} = \\prod_t (1 + R_t) - 1, \\quad AR_{run} = R_{run} - \\sum_t E[R_t]
    """
    windows = abnormal.windows
    event, estimation = windows.event, windows.estimation
    wide = Window(event.start, event.stop + Layout.LONGEST_RUN)
    hit = is_cut(layout, windows.event_positions)
    rows = np.flatnonzero(hit.any(axis=1))
    if len(rows) == 0:
        return abnormal
    days = {name: getattr(abnormal, name).copy() for name in ("ar", "noise", "expected", "length")}
    actual = abnormal.expected + abnormal.ar
    runs = Runs(at_limit=hit, actual=actual, x=abnormal.x_event.copy(), **days)
    L1 = len(estimation)
    for chunk in chunks(len(rows)):
        chunk_layout = layout.take(rows[chunk])
        chunk_windows = windows.take(rows[chunk])
        longer = chunk_layout.around(day0[rows[chunk]], estimation=estimation, event=wide)
        # The estimation days are those of the study, less what it masked.
        for name in ("returns", "spans", "length"):
            getattr(longer, name)[:, :L1] = getattr(chunk_windows, name)[:, :L1]
        fit = model.fit(longer, engine=engine)
        closes = is_cut(chunk_layout, longer.event_positions)
        for row, i in enumerate(rows[chunk]):
            for t in np.flatnonzero(hit[i]):
                _join(runs, int(i), int(t), fit, row, closes[row])
    return replace(abnormal, study=replace(abnormal.study, runs=runs))


def at_limit(layout: Layout, positions: IntArray) -> BoolArray:
    """Return which days of events (n, L) close at a price limit.

    Parameters
    ----------
    layout : Layout
    positions : (n, L) int array
        Columns of the panel; -1 = none.
    """
    limits, rows = layout.panel.limits, layout.rows[:, None]
    if limits is None or len(limits) == 0:
        return np.zeros(positions.shape, dtype=bool)
    has_return = (rows >= 0) & (positions >= 0)
    return np.asarray(has_return & (limits[np.maximum(rows, 0), np.maximum(positions, 0)] != 0))


def is_cut(layout: Layout, positions: IntArray) -> BoolArray:
    """Return on which days (n, L) a share closes at its limit, or its index is not free.

    Parameters
    ----------
    layout : Layout
    positions : (n, L) int array
        Columns of the panel; -1 = none.
    """
    limited = at_limit(layout, positions)
    if layout.stops is None:
        return limited
    stopped = np.take_along_axis(layout.stops, np.maximum(positions, 0), axis=1)
    return limited | (stopped & (positions >= 0))


def _join(runs: Runs, i: int, t: int, fit: AbnormalReturns, row: int, closes: BoolArray) -> None:
    """Put the run of event i (row `own` of the longer fit) that begins on day t in its place."""
    free = np.flatnonzero(~closes[t:] & (fit.spans[row, t:] > 0))
    span = slice(t, t + int(free[0]) + 1) if len(free) else slice(t, t)
    traded = fit.spans[row, span] > 0
    # Sessions without trade within the run are bridged by a later return of it.
    covered = fit.spans[row, span].sum() - max(int(fit.spans[row, t]) - 1, 0)
    if not traded.any() or covered != len(traded):
        runs.ar[i, t] = np.nan
        return
    ar = fit.ar[row, span][traded]
    expected = fit.expected[row, span][traded]
    actual = ar + expected
    simple = fit.windows.kind == "simple"
    total = np.prod(1 + actual) - 1 if simple else actual.sum()
    runs.ar[i, t] = total - expected.sum()
    runs.actual[i, t] = total
    runs.expected[i, t] = np.prod(1 + expected) - 1 if simple else expected.sum()
    runs.noise[i, t] = fit.noise[row, span][traded].sum()
    runs.length[i, t] = fit.length[row, span].sum()
    runs.x[i, t] = fit.x_event[row, span][traded].sum(axis=0)
