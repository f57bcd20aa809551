"""Brown and Forsythe's test of event-induced variance."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic
from .rank_variance import standardised


@statistic(
    "brown_forsythe",
    label="Brown-Forsythe (variance)",
    minimum=10,
    robust=("no", "no", "n/a", "fair"),
    null="standardised abnormal returns of the window spread around their median like those of "
    "other days",
    reference="t(days-2), its square is F(1,days-2)",
    source="Brown and Forsythe (1974)",
    about_mean=False,
    uses_residuals=True,
)
def brown_forsythe(sample: AbnormalReturns, window: Window) -> Value:
    """Return the two-sample t of |SAR - median|, event days against estimation days.

    The firm-days of all events are pooled: over one day an event has one value only, and
    standardised ones are of equal variance under the null. Its square is the F of Levene's test
    around medians; the sign says whether the variance rose. The median takes out an effect that the
    events share, not their differences: those are what event-induced variance is.
    """
    from scipy.stats import ttest_ind

    values, L1 = standardised(sample), sample.resid.shape[1]
    groups = (
        v[np.isfinite(v)] for v in (values[:, L1:][:, sample.columns(window)], values[:, :L1])
    )
    event, estimation = (np.abs(v - np.median(v)) for v in groups)
    if len(event) < 3:
        raise InapplicableError(f"{len(event)} event days, at least 3 are needed for a spread")
    return Value(
        float(ttest_ind(event, estimation).statistic), float(len(event) + len(estimation) - 2)
    )
