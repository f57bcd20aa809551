"""Other events of the same firm: masked from the estimation window, and told where event windows overlap."""

from __future__ import annotations

from dataclasses import replace

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
    L1 = len(windows.estimation)
    estimation, event = windows.positions[:, :L1], windows.positions[:, L1:]
    mask = np.zeros(estimation.shape, dtype=bool)
    for own in _same(firms, used):
        for i in own:
            others = event[own[own != i]]
            mask[i] = np.isin(estimation[i], others[others >= 0])
    mask &= np.isfinite(windows.returns[:, :L1])
    returns, spans, length = windows.returns.copy(), windows.spans.copy(), windows.length.copy()
    returns[:, :L1][mask], spans[:, :L1][mask], length[:, :L1][mask] = np.nan, 0, 0
    return replace(windows, returns=returns, spans=spans, length=length, masked=mask.sum(axis=1))


def overlapping(
    windows: EventWindows, firms: ObjectArray, used: BoolArray, *, kept_only: bool = False
) -> IntArray:
    """Return for each event an earlier one of the same firm whose event window overlaps its own, else -1."""
    event = windows.positions[:, len(windows.estimation) :]
    out = np.full(len(firms), -1, dtype=np.int64)
    for own in _same(firms, used):
        order = own[np.argsort(windows.day0[own], kind="stable")]
        before = order[0]
        for i in order[1:]:
            overlaps = bool(np.isin(event[i][event[i] >= 0], event[before]).any())
            out[i] = before if overlaps else -1
            before = before if kept_only and overlaps else i
    return out


def _same(firms: ObjectArray, used: BoolArray) -> list[IntArray]:
    """Return the events of each firm that has several."""
    _, which = np.unique(firms.astype(str), return_inverse=True)
    which = np.where(used, which.ravel(), -1)
    counts = np.bincount(which[used], minlength=1) if used.any() else np.zeros(1, np.int64)
    return [np.flatnonzero(which == k) for k in np.flatnonzero(counts > 1)]
