"""Other events of the same firm: masked from the estimation window, and told where event windows
overlap."""

from __future__ import annotations

import numpy as np

from ..utility.chunks import chunks
from ..utility.typing import BoolArray, IntArray, ObjectArray
from ..windows.event_windows import EventWindows


def masked(windows: EventWindows, firms: ObjectArray, used: BoolArray) -> EventWindows:
    """Return the windows without estimation days in an event window of another event of the same
    firm.

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
        # An event window lies behind its own estimation window: those of all events are those of
        # the others.
        taken[event[own]], taken[-1] = True, False
        mask[own] = taken[windows.take(own).positions[:, : mask.shape[1]]]
        taken[event[own]] = False
    return windows.without(mask)


def overlapping(
    windows: EventWindows, firms: ObjectArray, used: BoolArray, *, kept_only: bool = False
) -> IntArray:
    """Return for each event an earlier one of the same firm whose event window overlaps its own,
    else -1."""
    event, far = windows.event_positions, len(windows.sessions)
    first, last = np.where(event >= 0, event, far).min(axis=1), event.max(axis=1)
    out = np.full(len(firms), -1, dtype=np.int64)

    def share(one: IntArray, then: IntArray) -> BoolArray:
        """Tell which pairs of events have a session of their event windows in common."""
        shared: BoolArray = (first[then] <= last[one]) & (first[one] <= last[then])
        near = np.flatnonzero(shared)
        for part in chunks(len(near)):
            here, there = event[then[near[part]], :, None], event[one[near[part]], None, :]
            shared[near[part]] = ((here == there) & (here >= 0)).any(axis=(1, 2))
        return shared

    groups = [own[np.argsort(windows.day0[own], kind="stable")] for own in _same(firms, used)]
    if not kept_only:
        none = np.empty(0, np.int64)
        one = np.concatenate([none, *(own[:-1] for own in groups)])
        then = np.concatenate([none, *(own[1:] for own in groups)])
        shared = share(one, then)
        out[then[shared]] = one[shared]
        return out
    for own in groups:
        before = own[:1]
        for i in np.split(own[1:], len(own) - 1):
            if share(before, i)[0]:
                out[i] = before
            else:
                before = i
    return out


def _same(firms: ObjectArray, used: BoolArray) -> list[IntArray]:
    """Return the events of each firm that has several."""
    import pandas as pd

    rows = np.flatnonzero(used)
    which = pd.factorize(firms[rows])[0]
    order = rows[np.argsort(which, kind="stable")]
    return [own for own in np.split(order, np.cumsum(np.bincount(which))[:-1]) if len(own) > 1]
