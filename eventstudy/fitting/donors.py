"""Which firms are donors of an event: those without news of their own in its windows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ..utility.catalogue import say
from ..utility.typing import ObjectArray
from ..windows.alignment import EMPTY
from ..windows.event_windows import EventWindows
from .layout import Layout


def without_announcing_donors(layout: Layout, windows: EventWindows, firms: ObjectArray) -> Layout:
    """Return the layout without donors that have news of their own in the windows of an event.

    A donor leaves the pool of an event if a session of the event window of one of its own
    announcements is in the estimation or the event window of this event. In the first its reaction
    would shape the weights, in the second it would be subtracted from that of the event. Sessions
    between the windows enter neither: news there cost no donor. All announcements of the list
    count, used or not.

    Parameters
    ----------
    layout : Layout
    windows : EventWindows
    firms : (n,) object array
        Whose announcements these are; "" where one is a repetition.
    """
    rows, panel, event = layout.factor_rows.copy(), layout.panel, windows.event_positions
    # Behind the last symbol stand those of places without a row, -1 and -2.
    symbols = np.array([*(symbol for symbol, _ in panel.keys), "", ""], dtype=object)[rows]
    at = {firm: event[firms == firm] for firm in set(firms) & set(symbols[:, layout.donors].flat)}
    is_used = (rows >= 0) & layout.donors & (layout.rows >= 0)[:, None]
    for i in np.flatnonzero((is_used & np.isin(symbols, list(at))).any(axis=1)):
        days = windows.take(np.array([i])).positions
        days = days[days >= 0]
        busy = [symbol for symbol in set(symbols[i]) & at.keys() if np.isin(days, at[symbol]).any()]
        rows[i, is_used[i] & np.isin(symbols[i], busy)] = EMPTY
    counts = Counter(symbols[rows != layout.factor_rows])
    if not counts:
        return layout
    total = int((layout.rows >= 0).sum())
    texts = [say("donors.of_events", symbol=s, n=n, total=total) for s, n in counts.most_common()]
    note = say("donors.announcing", donors=texts)
    return replace(layout, factor_rows=rows, panel=replace(panel, notes=(note, *panel.notes)))
