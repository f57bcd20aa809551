"""Single-event t-test."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic


@statistic(
    "event_t",
    label="Single-event t",
    minimum=1,
    robust=("n/a", "n/a", "no", "no"),
    null="the CAR of this event is zero",
    reference="t(M-k), exact under normality",
    source="MacKinlay (1997); Salinger (1992) for the variance of the CAR",
    per_event=True,
    core=True,
)
def event_t(sample: AbnormalReturns, window: Window) -> Value:
    """Return CAR / sqrt(c'Vc) of the one event of the sample, with M-k degrees of freedom.

    For many events the same numbers stand in the table of CARs, one row per event.
    """
    if len(sample) != 1:
        raise InapplicableError("tests one event at a time: see the table of CARs")
    return Value(float(sample.car_t(window)[0]), float(sample.df_resid[0]))
