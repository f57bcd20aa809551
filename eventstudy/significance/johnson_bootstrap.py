"""Johnson's modified t-statistic against its bootstrap law."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from . import _bootstrap
from ._base import Value, statistic


@statistic(
    "johnson_bootstrap",
    label="Johnson bootstrap",
    minimum=20,
    robust=("no", "no", "yes", "yes"),
    null="the mean CAR is zero",
    reference="bootstrap",
    source="Lyon, Barber and Tsai (1999)",
)
def johnson_bootstrap(sample: AbnormalReturns, window: Window) -> Value:
    """Return Johnson's t, compared with that of resamples of N/4 events around the mean CAR.

    The tails are (1 + #) / (1 + B), so that p < 0.05 is what lies outside the 2.5 and 97.5 percent
    quantiles. Resamples are drawn from the CARs in the order of their size, which neither the order
    of the events nor a change of all signs alters.
    """
    car = sample.car(window)
    ordered = car[np.argsort(np.abs(car))]
    draws, seed = sample.conventions.draws, sample.conventions.seed
    result = _bootstrap.johnson_bootstrap(ordered, draws=draws, seed=seed)
    return Value(result.statistic, np.nan, "bootstrap", result.lower, result.upper)
