"""Other events of the same firm: masked from the estimation window, and told where event windows overlap."""

from __future__ import annotations

import numpy as np

from .typing import BoolArray, IntArray, ObjectArray
from .windows import EventWindows


def masked(windows: EventWindows, firms: ObjectArray, used: BoolArray) -> EventWindows:
    """Return the windows without estimation days in an event window of another event of the same firm.

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
    taken = np.zeros(len(windows.sessions) + 1, dtype=bool)
    event = windows.event_positions
    for own in _same(firms, used):
        # An event window lies behind its own estimation window: those of all events are those of the others.
        taken[event[own]], taken[-1] = True, False
        mask[own] = taken[windows.take(own).positions[:, : mask.shape[1]]]
        taken[event[own]] = False
    return windows.without(mask)


def overlapping(
    windows: EventWindows, firms: ObjectArray, used: BoolArray, *, kept_only: bool = False
) -> IntArray:
    """Return for each event an earlier one of the same firm whose event window overlaps its own, else -1."""
    event = windows.event_positions
    known, far = event >= 0, len(windows.sessions)
    first, last = np.where(known, event, far).min(axis=1), np.where(known, event, -1).max(axis=1)
    out = np.full(len(firms), -1, dtype=np.int64)

    def shares(i: int, before: int) -> bool:
        near = first[i] <= last[before] and first[before] <= last[i]
        return bool(near) and bool(np.isin(event[i][known[i]], event[before]).any())

    for own in _same(firms, used):
        order = own[np.argsort(windows.day0[own], kind="stable")]
        if kept_only:
            before = order[0]
            for i in order[1:]:
                out[i] = before if shares(i, before) else -1
                before = i if out[i] < 0 else before
        else:
            one, then = order[:-1], order[1:]
            near = (first[then] <= last[one]) & (first[one] <= last[then])
            for before, i in zip(one[near], then[near], strict=True):
                out[i] = before if shares(i, before) else -1
    return out


def _same(firms: ObjectArray, used: BoolArray) -> list[IntArray]:
    """Return the events of each firm that has several."""
    import pandas as pd

    rows = np.flatnonzero(used)
    which = pd.factorize(firms[rows])[0]
    order = rows[np.argsort(which, kind="stable")]
    return [own for own in np.split(order, np.cumsum(np.bincount(which))[:-1]) if len(own) > 1]
