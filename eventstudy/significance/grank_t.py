"""Generalized rank test of Kolari and Pynnonen."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value, statistic
from ._correlation import mean_correlation
from ._mean import t_of_mean
from ._ranks import DECIMALS, Totals, scaled_ranks


@statistic(
    "grank_t",
    label="GRANK-T",
    minimum=10,
    robust=("yes", "no", "yes", "no"),
    null="the CAR of the window ranks like any estimation day",
    reference="t(M-1)",
    source="Kolari and Pynnonen (2011)",
    about_mean=False,
    skewed=(0.062, 0.196),
    core=True,
    uses_residuals=True,
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
        raise InapplicableError(
            "every event has an extreme rank: the statistic has no finite value"
        )
    return Value(float(Z * np.sqrt((T - 2) / room)), float(T - 2))


class Grank(NamedTuple):
    """What the tests need of the centred ranks: day totals, the window last, and its sum and
    variance."""

    days: Totals
    event: float
    variance: float


def grank(sample: AbnormalReturns, window: Window) -> Grank:
    """Return the sums of the ranks; their variance is that of independent events, sum (T-1) / (12
    (T+1)).

    The value of an event raises the ranks of the residuals above it by one, and of those equal to
    it by a half: the residuals are ranked once for all windows.
    """
    if ("grank", window) not in sample.memo:
        scar = sample.scar(window)
        t_of_mean(scar)
        residuals = Totals.once(sample, "residual_ranks", residual_ranks)
        of = partial(_inserted, window=window, sd=float(scar.std(ddof=1)))
        raised, event, variance = (np.sum(own, axis=0) for own in zip(*sample.map(of), strict=True))
        total = np.append(residuals.total + raised, event)
        days = Totals(total, np.append(residuals.days, len(sample)))
        sample.memo["grank", window] = Grank(days, float(event), float(variance))
    return sample.memo["grank", window]  # type: ignore[no-any-return]


def residual_ranks(events: AbnormalReturns) -> FloatArray:
    """Ranks K of the M standardised residuals of each event among themselves, K / (M+2) - 1/2, (n,
    L1)."""
    values = _standardised(events)
    M = np.isfinite(values).sum(axis=1, keepdims=True)
    ranks: FloatArray = (scaled_ranks(values) + 0.5) * ((M + 1) / (M + 2)) - 0.5
    return ranks


def _standardised(events: AbnormalReturns) -> FloatArray:
    values: FloatArray = np.round(events.resid / np.sqrt(events.sigma2)[:, None], DECIMALS)
    return values


def _inserted(
    events: AbnormalReturns, *, window: Window, sd: float
) -> tuple[FloatArray, float, float]:
    """Return by how much SCAR / sd raises the ranks of the residuals (L1,), its own, and their
    variance."""
    residuals, scar = _standardised(events), np.round(events.scar(window) / sd, DECIMALS)[:, None]
    above = (residuals > scar) + 0.5 * (residuals == scar)
    M = np.isfinite(residuals).sum(axis=1)
    own = (M - above.sum(axis=1) + 1) / (M + 2) - 0.5
    return (
        (above / (M + 2)[:, None]).sum(axis=0),
        float(own.sum()),
        float((M / (12 * (M + 2))).sum()),
    )
