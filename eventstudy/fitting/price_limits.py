"""Price limits delay a price: a day that closes at one is joined with those until the first free
close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..abnormal.limit_runs import Runs
from ..calendars.window import Window
from ..models import LinearModel
from ..utility.chunks import chunks
from ..utility.typing import BoolArray, DateArray, Engine, IntArray
from ..windows.event_windows import EventWindows
from .series_rows import Layout

# Longer runs of closes at a limit are left without a price: thirty days without a market are a
# halt.
LONGEST_RUN = 30


def with_runs(
    abnormal: AbnormalReturns,
    model: LinearModel,
    layout: Layout,
    day0: DateArray,
    *,
    engine: Engine,
) -> AbnormalReturns:
    """Return the abnormal returns with their runs (docs/methods.md, 1.6); itself if no day closes
    at a limit.

    A run is one return over its sessions, compounded; the normal returns and the variances of its
    days are summed.
    """
    windows = abnormal.windows
    event, estimation = windows.event, windows.estimation
    wide = Window(event.start, event.stop + LONGEST_RUN)
    hit = at_limit(layout, windows.event_positions)
    rows = np.flatnonzero(hit.any(axis=1))
    if len(rows) == 0:
        return abnormal
    runs = Runs(
        at_limit=hit,
        ar=abnormal.ar.copy(),
        noise=abnormal.noise.copy(),
        actual=abnormal.expected + abnormal.ar,
        expected=abnormal.expected.copy(),
        length=abnormal.length.copy(),
        x=abnormal.x_event.copy(),
    )
    L1 = len(estimation)
    for part in chunks(len(rows)):
        own, hits = layout.take(rows[part]), windows.take(rows[part])
        longer = own.around(day0[rows[part]], estimation=estimation, event=wide)
        # The estimation days are those of the study, less what it masked.
        for name in ("returns", "spans", "length"):
            getattr(longer, name)[:, :L1] = getattr(hits, name)[:, :L1]
        fit = model.fit(replace(longer, bounds=hits.bounds), engine=engine)
        closes = at_limit(own, longer.event_positions)
        for row, i in enumerate(rows[part]):
            for t in np.flatnonzero(hit[i]):
                _join(runs, int(i), int(t), fit, row, closes[row])
    return abnormal.altered(runs=runs)


def at_limit(layout: Layout, positions: IntArray) -> BoolArray:
    """Tell which days of events (n, L) close at a price limit."""
    if layout.panel.limits is None or len(layout.panel.limits) == 0:
        return np.zeros(positions.shape, dtype=bool)
    rows = layout.rows[:, None]
    known = (rows >= 0) & (positions >= 0)
    found: BoolArray = known & (
        layout.panel.limits[np.maximum(rows, 0), np.maximum(positions, 0)] != 0
    )
    return found


def _join(runs: Runs, i: int, t: int, fit: AbnormalReturns, own: int, closes: BoolArray) -> None:
    """Put the run of event i (row `own` of the longer fit) that begins on day t in its place."""
    free = np.flatnonzero(~closes[t:] & (fit.spans[own, t:] > 0))
    span = slice(t, t + int(free[0]) + 1) if len(free) else slice(t, t)
    seen = fit.spans[own, span] > 0
    # Sessions without trade within the run are bridged by a later return of it.
    covered = fit.spans[own, span].sum() - max(int(fit.spans[own, t]) - 1, 0)
    if not seen.any() or covered != len(seen):
        runs.ar[i, t] = np.nan
        return
    ar, expected = fit.ar[own, span][seen], fit.expected[own, span][seen]
    actual = ar + expected
    simple = fit.windows.kind == "simple"
    total = np.prod(1 + actual) - 1 if simple else actual.sum()
    runs.ar[i, t] = total - expected.sum()
    runs.actual[i, t] = total
    runs.expected[i, t] = np.prod(1 + expected) - 1 if simple else expected.sum()
    runs.noise[i, t] = fit.noise[own, span][seen].sum()
    runs.length[i, t] = fit.length[own, span].sum()
    runs.x[i, t] = fit.x_event[own, span][seen].sum(axis=0)


def with_bounds(windows: EventWindows, layout: Layout) -> EventWindows:
    """Return the windows with the returns of estimation days that close at a limit set apart as
    bounds.

    The first day of a run of such closes shows that its return lies beyond the limit. The later
    days and the first free close after them carry what was left over: they say nothing of their own
    day, and are missing.
    """
    L1 = len(windows.estimation)
    state = _states(layout, windows.positions[:, :L1])
    hit = state != 0
    after = np.zeros_like(hit)
    after[:, 1:] = hit[:, :-1]
    own = windows.returns[:, :L1]
    single = hit & ~after & (windows.length[:, :L1] == 1) & (np.sign(own) == np.sign(state))
    returns = windows.returns.copy()
    returns[:, :L1] = np.where(hit | after, np.nan, own)
    return replace(windows, returns=returns, bounds=np.where(single, own, np.nan))


def _states(layout: Layout, positions: IntArray) -> IntArray:
    limits, rows = layout.panel.limits, layout.rows[:, None]
    if limits is None or len(limits) == 0:
        return np.zeros(positions.shape, dtype=np.int64)
    known = (rows >= 0) & (positions >= 0)
    return np.where(known, limits[np.maximum(rows, 0), np.maximum(positions, 0)], 0)
