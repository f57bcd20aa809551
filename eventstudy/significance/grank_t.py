"""Generalized rank test of Kolari and Pynnonen."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..typing import FloatArray
from ..windows import Window
from ._base import InapplicableError, Value, statistic
from ._correlation import mean_correlation
from ._mean import t_of_mean
from ._ranks import Totals, scaled_ranks


@statistic(
    "grank_t",
    label="GRANK-T",
    minimum=10,
    robust=("yes", "no", "yes", "no"),
    null="the CAR of the window ranks like any estimation day",
    reference="t(M-1)",
    source="Kolari and Pynnonen (2011)",
    about_mean=False,
    core=True,
)
def grank_t(sample: AbnormalReturns, window: Window) -> Value:
    """Return Z sqrt((T - 2) / (T - 1 - Z^2)) with T - 2 degrees of freedom, T = M + 1.

    The window is squeezed to one value per event, SCAR / sd(SCAR) across events, and ranked among
    the standardised estimation residuals; S includes that value, so that the statistic equals the
    OLS t of the mean ranks on a dummy for the window.
    """
    y = grank(sample, window).days.scaled(mean_correlation(sample, window).same_date)
    known = np.isfinite(y)
    T = int(known.sum())
    S = np.sqrt((y[known] ** 2).sum() / T)
    Z = y[-1] / S if S > 0 else 0.0
    room = T - 1 - Z**2
    if room <= 0:
        raise InapplicableError("every event has an extreme rank: the statistic has no finite value")
    return Value(float(Z * np.sqrt((T - 2) / room)), float(T - 2))


class Grank(NamedTuple):
    """What the tests need of the centred ranks: day totals, the window last, and its sum and variance."""

    days: Totals
    event: float
    variance: float


def grank(sample: AbnormalReturns, window: Window) -> Grank:
    """Return the sums of the ranks; their variance is that of independent events, sum (T-1) / (12 (T+1))."""
    if ("grank", window) not in sample.memo:
        scar = sample.scar(window)
        t_of_mean(scar)
        of = partial(_sums, window=window, sd=float(scar.std(ddof=1)))
        days, *rest = zip(*sample.map(of), strict=True)
        totals = Totals(*(np.sum(own, axis=0) for own in zip(*days, strict=True)))
        sample.memo["grank", window] = Grank(totals, *(float(np.sum(own)) for own in rest))
    return sample.memo["grank", window]  # type: ignore[no-any-return]


def _sums(sample: AbnormalReturns, *, window: Window, sd: float) -> Grank:
    scores = event_and_residual_ranks(sample, window, sd)
    T = np.isfinite(scores).sum(axis=1)
    variance = float(((T - 1) / (12 * (T + 1))).sum())
    return Grank(Totals.of(scores), float(scores[:, -1].sum()), variance)


def event_and_residual_ranks(sample: AbnormalReturns, window: Window, sd: float) -> FloatArray:
    """Centred ranks of the M standardised residuals and, last, of SCAR / sd, shape (n, L1+1).

    `sd` is the standard deviation of the SCARs across all events.
    """
    residuals = sample.resid / np.sqrt(sample.sigma2)[:, None]
    return scaled_ranks(np.column_stack([residuals, sample.scar(window) / sd]))
