"""Rank of the mean CAR among those of placebo windows."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._correlation import mean_correlation
from ._placebo import block_sums, placebo_rank
from ._ranks import day_sums


@statistic(
    "placebo_windows",
    label="Placebo windows",
    minimum=1,
    robust=("yes", "no", "no", "yes"),
    null="the mean CAR is drawn like the mean sums of as many estimation days",
    reference="placebo rank",
    source="Gelbach, Helland and Klick (2013), for the mean of several events",
    uses_residuals=True,
)
def placebo_windows(sample: AbnormalReturns, window: Window) -> Value:
    """Return CAAR / sd(placebo CAARs), compared by its rank among them.

    A placebo CAAR is the mean over events of the block-deleted prediction errors of one block of L
    estimation days, the same in event time for all: events on one date stay together, those of
    different dates are taken as independent, and variance that the event adds looks like an effect.
    Blocks that fewer events have are scaled to the variance of the others, as in the CDA t. Blocks
    overlap, so that long windows have few of their own (L = 11 of 120 days: 8 % instead of 5).
    """
    n = len(sample)
    same_date = mean_correlation(sample, window).same_date if n > 1 else 0.0
    placebo = day_sums(block_sums(sample, len(window)), same_date)
    total = sample.unextended.level_car(window).sum() / np.sqrt(n * (1 + (n - 1) * same_date))
    return placebo_rank(float(total), placebo)
