"""Single-event F-test of Chow."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic
from ._fisher import f_value


@statistic(
    "event_f",
    label="Single-event F (Chow)",
    minimum=1,
    robust=("n/a", "n/a", "no", "no"),
    null="every abnormal return of this event in the window is zero",
    reference="F(L,M-k), exact under normality",
    source="Chow (1960)",
    about_mean=False,
    per_event=True,
)
def event_f(sample: AbnormalReturns, window: Window) -> Value:
    """Return AR' V^-1 AR / L with L and M-k degrees of freedom: do the days differ from the
    forecast?

    It is the F of the event-day dummies in one regression over both windows, and for one day the
    square of the single-event t. Effects that cancel over the window show here and not in the CAR.
    """
    if len(sample) != 1:
        raise InapplicableError("tests one event at a time")
    cols = sample.columns(window)
    seen = sample.inside(window)[0]
    ar, x = sample.ar[0, cols][seen], sample.x_event[0, cols][seen]
    V = np.diag(sample.noise[0, cols][seen]) + x @ sample.cov_params[0] @ x.T
    return f_value(float(ar @ np.linalg.solve(V, ar)) / len(ar), len(ar), float(sample.df_resid[0]))
