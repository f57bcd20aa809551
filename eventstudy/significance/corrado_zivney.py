"""Corrado and Zivney's rank test."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value, statistic
from ._ranks import Totals, all_days, event_days, rank_z, scaled_ranks


@statistic(
    "corrado_zivney",
    label="Corrado-Zivney rank",
    minimum=10,
    robust=("yes", "no", "yes", "no"),
    null="standardised abnormal returns of the window rank like those of other days",
    reference="N(0,1)",
    source="Corrado and Zivney (1992)",
    about_mean=False,
    skewed=(0.061, 0.172),
    uses_residuals=True,
)
def corrado_zivney(sample: AbnormalReturns, window: Window) -> Value:
    """As Corrado's rank test, with event-day values divided by that day's spread across events."""
    if "corrado_zivney" not in sample.memo:
        sample.memo["corrado_zivney"] = Totals.over(
            sample, partial(ranks, spread=spread_across(sample))
        )
    return rank_z(sample, window, sample.memo["corrado_zivney"])


def ranks(sample: AbnormalReturns, *, spread: FloatArray) -> FloatArray:
    """Return the centred ranks of all days, over s_i and on event days over `spread` (L2,), (n,
    L1+L2)."""
    values = all_days(sample) / np.sqrt(sample.sigma2)[:, None]
    values[:, -len(spread) :] /= spread
    return scaled_ranks(values)


def spread_across(sample: AbnormalReturns) -> FloatArray:
    """Return the standard deviation across events of AR / s_i on each event day, (L2,); NaN where
    it is 0."""
    event = event_days(sample) / np.sqrt(sample.sigma2)[:, None]
    if len(event) < 2:
        raise InapplicableError("1 event, at least 2 are needed for a variance across events")
    count = np.isfinite(event).sum(axis=0)
    mean = np.nansum(event, axis=0) / np.maximum(count, 1)
    square = np.nansum((event - mean) ** 2, axis=0) / np.maximum(count - 1, 1)
    return np.where((count > 1) & (square > 0), np.sqrt(square), np.nan)
