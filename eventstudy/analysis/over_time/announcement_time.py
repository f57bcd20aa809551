"""How a result depends on announcements whose date is known and whose time is not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...calendars import Window
from ...events import Events
from ...fitting import FittedStudy, WindowLike
from ...utility import Flag, FloatArray, IntArray

COLUMNS = ["dating", "start", "stop", "n_events", "n_uncertain", "caar"]
DAY0 = Window(0, 0)


def depend_on_time(study: FittedStudy, window: WindowLike = DAY0) -> pd.DataFrame:
    """Return the mean CAR as dated, and with uncertain events on their other possible session.

    Parameters
    ----------
    study : FittedStudy
    window : window

    Returns
    -------
    DataFrame
        Two rows, ``dating`` as_dated and other_session. Columns start, stop, n_events (events with
        a CAR), n_uncertain (those of them that are dated to one of several possible sessions), caar
        (plain average, decimal). No row where no event with a CAR is uncertain.

    Notes
    -----
    The window of an event that moves by s sessions is [start + s, stop + s] of the same abnormal
    returns: nothing is estimated anew. An event that lacks these days leaves the second mean.
    """
    window = Window.of(window)
    shifts = find_shifts(study)
    is_uncertain = shifts != 0
    if window not in study.abnormal.event or not is_uncertain[study.abnormal.valid(window)].any():
        return pd.DataFrame(columns=COLUMNS)
    cars = {
        "as_dated": study.abnormal.car(window),
        "other_session": shift_cars(study, window, shifts),
    }
    rows = []
    for name, car in cars.items():
        has_car = study.ok & np.isfinite(car)
        n_uncertain = int(is_uncertain[has_car].sum())
        mean = car[has_car].mean() if has_car.any() else np.nan
        rows.append((name, window.start, window.stop, int(has_car.sum()), n_uncertain, mean))
    return pd.DataFrame(rows, columns=COLUMNS)


def find_shifts(study: FittedStudy) -> IntArray:
    """Return the sessions from day 0 to the other session that is possible, 0 without one, (n,).

    The other session is the last that could be day 0, or the first if the event is dated to the
    last. An event whose day 0 is the session on which trading resumed does not move.

    Parameters
    ----------
    study : FittedStudy
    """
    table, panel = study.events, study.panel
    out = np.zeros(len(table), dtype=np.int64)
    if Events.CANDIDATES not in table:
        return out
    columns = (table[name].tolist() for name in (Events.CANDIDATES, "exchange", "day0", "flags"))
    for i, (cell, exchange, day0, flags) in enumerate(zip(*columns, strict=True)):
        if not cell or Flag.HALT_SHIFTED in Flag.of(flags):
            continue
        sessions = panel.sessions[panel.calendars.get(panel.calendar_of(exchange), slice(None))]
        days = np.array([np.datetime64(day0, "D"), *cell.split(";")], dtype="datetime64[D]")
        zero, first, *_, last = np.searchsorted(sessions, days)
        out[i] = last - zero or first - zero
    return out


def shift_cars(study: FittedStudy, window: Window, shifts: IntArray) -> FloatArray:
    """Return the CARs (n,) over a window that each event moves by its own number of sessions.

    Parameters
    ----------
    study : FittedStudy
    window : Window
    shifts : (n,) int array

    Returns
    -------
    (n,) float array
        NaN where the event lacks days of the window, or the window leaves the event window.
    """
    a, out = study.abnormal, np.full(len(shifts), np.nan)
    for step in np.unique(shifts).tolist():
        later = Window(window.start + step, window.stop + step)
        rows = shifts == step
        if later in a.event:
            out[rows] = a.car(later)[rows]
    return out
