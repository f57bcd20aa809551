"""Other events of a firm: days that are left out of estimation, and windows that overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..utility import BoolArray, IntArray, ObjectArray, chunks
from ..windows import EventWindows


def mask_other_events(windows: EventWindows, firms: ObjectArray, used: BoolArray) -> EventWindows:
    """Return the windows without estimation days in event windows of the firm's other events.

    Parameters
    ----------
    windows : EventWindows
        n events.
    firms : (n,) object array
        Ticker of each event.
    used : (n,) bool array
        Events whose windows count.
    """
    mask = np.zeros((len(windows), len(windows.estimation)), dtype=bool)
    in_window = np.zeros(len(windows.sessions) + 1, dtype=bool)
    event = windows.event_positions
    for rows in _same(firms, used):
        # An event window lies behind its own estimation window: all are those of other events.
        in_window[event[rows]], in_window[-1] = True, False
        mask[rows] = in_window[windows.take(rows).positions[:, : mask.shape[1]]]
        in_window[event[rows]] = False
    return windows.without(mask)


def find_other_news(windows: EventWindows, firms: ObjectArray, used: BoolArray) -> BoolArray:
    """Return which days after the estimation window are in an event window of another event.

    Parameters
    ----------
    windows : EventWindows
        n events.
    firms : (n,) object array
        Ticker of each event.
    used : (n,) bool array
        Events whose windows count.

    Returns
    -------
    (n, G+L2) bool array
        Days of the gap between the windows, and of the event window; of no columns where no firm
        has several events.
    """
    groups = _same(firms, used)
    if not groups or windows.source is None:
        return np.zeros((len(windows), 0), dtype=bool)
    n_gap = windows.event.start - windows.estimation.stop - 1
    out = np.zeros((len(windows), n_gap + len(windows.event)), dtype=bool)
    covering = np.zeros(len(windows.sessions) + 1, dtype=np.int64)
    for rows in groups:
        event = windows.event_positions[rows]
        np.add.at(covering, event, 1)
        covering[-1] = 0
        days = windows.take(rows).without_gap().event_positions
        # The days of an event window are covered by that window itself.
        out[rows] = covering[days] > np.r_[np.zeros(n_gap), np.ones(len(windows.event))]
        covering[event] = 0
    return out


def find_overlaps(
    windows: EventWindows, firms: ObjectArray, used: BoolArray, *, kept_only: bool = False
) -> IntArray:
    """Return for each event an earlier one of the firm whose event window overlaps, else -1, (n,).

    Parameters
    ----------
    windows : EventWindows
    firms : (n,) object array
    used : (n,) bool array
        Events whose windows count.
    kept_only : bool
        Whether an event that overlaps is left out, so that a later one may stay.
    """
    event, beyond = windows.event_positions, len(windows.sessions)
    first = np.where(event >= 0, event, beyond).min(axis=1)
    last = event.max(axis=1)
    out = np.full(len(firms), -1, dtype=np.int64)

    def share(earlier: IntArray, later: IntArray) -> BoolArray:
        """Return which pairs of events have a session of their event windows in common."""
        shared: BoolArray = (first[later] <= last[earlier]) & (first[earlier] <= last[later])
        near = np.flatnonzero(shared)
        for chunk in chunks(len(near)):
            pairs = near[chunk]
            later_days = event[later[pairs], :, None]
            earlier_days = event[earlier[pairs], None, :]
            is_same = (later_days == earlier_days) & (later_days >= 0)
            shared[pairs] = is_same.any(axis=(1, 2))
        return shared

    groups = [rows[np.argsort(windows.day0[rows], kind="stable")] for rows in _same(firms, used)]
    if not kept_only:
        none = np.empty(0, np.int64)
        earlier = np.concatenate([none, *(rows[:-1] for rows in groups)])
        later = np.concatenate([none, *(rows[1:] for rows in groups)])
        shared = share(earlier, later)
        out[later[shared]] = earlier[shared]
        return out
    for rows in groups:
        before = rows[:1]
        for i in np.split(rows[1:], len(rows) - 1):
            if share(before, i)[0]:
                out[i] = before
            else:
                before = i
    return out


def _same(firms: ObjectArray, used: BoolArray) -> list[IntArray]:
    """Return the events of each firm that has several."""
    rows = np.flatnonzero(used)
    firm = pd.factorize(firms[rows])[0]
    order = rows[np.argsort(firm, kind="stable")]
    return [group for group in np.split(order, np.cumsum(np.bincount(firm))[:-1]) if len(group) > 1]
