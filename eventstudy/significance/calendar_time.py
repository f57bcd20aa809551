"""Calendar-time test of mean daily abnormal returns."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import IntArray
from ._base import InapplicableError, Value, statistic
from ._mean import t_of_mean

MIN_SESSIONS = 10


@statistic(
    "calendar_time",
    label="Calendar time",
    minimum=5,
    robust=("yes", "yes", "yes", "fair"),
    null="the mean daily abnormal return of the firms in their window is zero",
    reference="t(sessions-1)",
    source="Jaffe (1974); Mandelker (1974); Fama (1998)",
    about_mean=False,
    core=True,
)
def calendar_time(sample: AbnormalReturns, window: Window) -> Value:
    """Return the t of the daily means over the calendar, divided by sqrt(1 + D/M).

    One mean per session over the firms whose window covers it; D is the mean length of runs of
    consecutive sessions, M the mean number of estimation days: the error of the parameters is
    common to the days of a run.
    """
    cols = sample.columns(window)
    position = sample.windows.over("event_positions", cols)
    ar = sample.over("ar", cols)
    seen = np.isfinite(ar) & sample.inside(window)
    sessions, which = np.unique(position[seen], return_inverse=True)
    if len(sessions) < MIN_SESSIONS:
        raise InapplicableError(f"{len(sessions)} sessions, at least {MIN_SESSIONS} are needed")
    which = which.ravel()
    daily = np.bincount(which, weights=ar[seen]) / np.bincount(which)
    t, df = t_of_mean(daily)[:2]
    return Value(float(t / np.sqrt(1 + mean_run(sessions) / sample.nobs.mean())), df)


def mean_run(sessions: IntArray) -> float:
    """Return the mean length of the runs of consecutive sessions, given ascending columns (T,)."""
    return len(sessions) / (1 + int((np.diff(sessions) > 1).sum()))
