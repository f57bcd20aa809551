"""Sample-quantile test of a single event."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic
from ._placebo import block_sums, placebo_rank


@statistic(
    "sq",
    label="SQ (sample quantile)",
    minimum=1,
    robust=("n/a", "n/a", "no", "yes"),
    null="the CAR of this event is drawn like the sums of as many estimation days",
    reference="placebo rank",
    source="Gelbach, Helland and Klick (2013)",
    about_mean=False,
    per_event=True,
    uses_residuals=True,
)
def sq(sample: AbnormalReturns, window: Window) -> Value:
    """Return CAR / sd(placebo sums), compared by its rank among them.

    The placebo sums are those of every block of L consecutive estimation days, predicted without
    that block: sums of in-sample residuals are too narrow for long windows. One-sided p-values hold
    under skewness, unlike those of the t-test.
    """
    if len(sample) != 1:
        raise InapplicableError("tests one event at a time")
    return placebo_rank(
        float(sample.unextended.level_car(window)[0]), block_sums(sample, len(window))[0]
    )
