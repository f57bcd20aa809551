"""Halted sessions leave the clock of an event: day 0 is the session on which trading resumes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ConfigError
from ..returns import ReturnsPanel
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray
from ..windows.alignment import TRADED
from ..windows.event_windows import EventWindows
from ..windows.multi_session import covers
from .series_rows import Layout


def resumed(layout: Layout, windows: EventWindows, days: DateArray) -> tuple[Layout, DateArray]:
    """Return the layout with a clock of traded sessions where there was a halt, and the days 0 on
    it, (n,).

    Raises
    ------
    ConfigError
        If the model has leads or lags.
    """
    if any(layout.lags):
        raise ConfigError(
            "leads and lags of the market have no place on a clock without halted sessions",
            where="halt", value="shift", remedy="use --halt calendar, or another model",
        )  # fmt: skip
    layout = shifted(layout, halted(windows, layout))
    around = layout.around(
        days, estimation=windows.estimation, event=windows.event, kept=windows.kept
    )
    moved = np.array([TRADED in name for name in layout.calendars]) & (around.day0 >= 0)
    return layout, np.where(moved, around.sessions[around.day0], days)


def halted(windows: EventWindows, layout: Layout) -> BoolArray:
    """Tell which events have a session in their event window that a later return bridges, shape
    (n,).

    Only gaps of the firm count: where the benchmark alone has none, the market did not halt. A day
    whose return was refused is no halt.
    """
    event = windows.event_positions
    out = np.zeros(len(event), dtype=bool)
    for i in np.flatnonzero(layout.rows >= 0):
        own = layout.panel.calendars[layout.calendars[i]]
        out[i] = np.isin(event[i], own[bridged(layout.panel.spans[layout.rows[i], own])]).any()
    return out


def bridged(spans: IntArray) -> BoolArray:
    """Tell which sessions (T,) lie within a return over several sessions, its own last one
    aside."""
    edge = np.zeros(len(spans) + 1, dtype=np.int64)
    longer = np.flatnonzero(spans > 1)
    np.add.at(edge, np.maximum(longer - spans[longer] + 1, 0), 1)
    np.add.at(edge, longer, -1)
    inside: BoolArray = np.cumsum(edge[:-1]) > 0
    return inside


def shifted(layout: Layout, events: BoolArray) -> Layout:
    """Return the layout with a clock of traded sessions for some events (docs/methods.md, 1.5).

    tau = -1 is the last session on which the firm traded before day 0, tau = 0 the first from day 0
    on; its return spans the halt, and so do the factors, summed over the same sessions.

    Parameters
    ----------
    layout : Layout
    events : (n,) bool array
        Whose clock is to leave out sessions without trade.
    """
    panel, calendars = layout.panel, list(layout.calendars)
    rows, factors = layout.rows.copy(), layout.factor_rows.copy()
    for i in np.flatnonzero(events & (layout.rows >= 0)):
        base, symbol = calendars[i], panel.keys[rows[i]][0]
        name = f"{base}{TRADED}{symbol}"
        own = panel.calendars[base]
        traded = np.flatnonzero(~bridged(panel.spans[rows[i], own]))
        panel = replace(panel, calendars={**panel.calendars, name: own[traded]})
        panel = panel.with_rows({(symbol, name): (panel.values[rows[i]], panel.spans[rows[i]])})
        rows[i] = panel.row(symbol, name)
        for j, factor in enumerate(layout.factor_rows[i]):
            if factor >= 0:
                key = (panel.keys[factor][0], name)
                panel = panel.with_rows({key: _summed(panel, factor, own, traded)})
                factors[i, j] = panel.row(*key)
        calendars[i] = name
    if layout.panel.limits is not None:
        panel = replace(
            panel, limits=_limits(layout.panel.limits, layout.rows, rows, len(panel.keys))
        )
    return replace(layout, panel=panel, calendars=tuple(calendars), rows=rows, factor_rows=factors)


def _limits(limits: IntArray, old: IntArray, new: IntArray, n: int) -> IntArray:
    """Return the closes at a limit for n rows, those of the firms' new rows being those of their
    old ones."""
    out = np.zeros((n, limits.shape[1]), dtype=limits.dtype)
    out[: len(limits)] = limits
    out[new[new >= 0]] = limits[old[new >= 0]]
    return out


def _summed(
    panel: ReturnsPanel, row: int, own: IntArray, traded: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return a factor summed over the sessions since the one traded before, and how many these
    are."""
    values, spans = (
        np.full(panel.values.shape[1], np.nan),
        np.zeros(panel.values.shape[1], np.int64),
    )
    theirs, lengths = panel.values[row, own], panel.spans[row, own]
    before = np.r_[traded[:1] - 1, traded[:-1]]
    for last, t in zip(before, traded, strict=True):
        run = slice(last + 1, t + 1)
        if covers(lengths[run]):
            values[own[t]], spans[own[t]] = np.nansum(theirs[run]), t - last
    return values, spans
