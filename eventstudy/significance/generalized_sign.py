"""Cowan's generalized sign test."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value, statistic
from ._placebo import consecutive_sums
from ._ranks import DECIMALS


@statistic(
    "generalized_sign",
    label="Generalized sign",
    minimum=10,
    robust=("no", "no", "yes", "yes"),
    null="CARs are positive as often as sums of as many estimation days",
    reference="N(0,1)",
    source="Cowan (1992)",
    about_mean=False,
    core=True,
    uses_residuals=True,
)
def generalized_sign(sample: AbnormalReturns, window: Window) -> Value:
    """Return (n+ - N p) / sqrt(N p (1 - p)).

    p is the mean over events of the share of positive sums of L consecutive estimation residuals
    (not of single days: sums of skewed returns are positive at another rate).
    """
    L = len(window)
    if len(sample.windows.estimation) < L:
        raise InapplicableError("the window is longer than the estimation window")
    share = sample.once(("positive_share", L), partial(_shares, length=L))
    if np.isnan(share).all():
        raise InapplicableError(f"no event has {L} consecutive estimation days without a gap")
    p = float(np.nanmean(share))
    if not 0 < p < 1:
        raise InapplicableError("no sum of estimation days, or all of them, are positive")
    n = len(sample)
    positive = int((np.round(sample.car(window), DECIMALS) > 0).sum())
    return Value((positive - n * p) / np.sqrt(n * p * (1 - p)), np.inf)


def _shares(study: AbnormalReturns, *, length: int) -> FloatArray:
    return np.concatenate(list(study.map(lambda events: positive_share(events.resid, length))))


def positive_share(resid: FloatArray, length: int) -> FloatArray:
    """Share of positive sums of `length` consecutive residuals, shape (n,); NaN if all have a
    gap."""
    sums = consecutive_sums(resid, length)
    whole = np.isfinite(sums).sum(axis=1)
    share: FloatArray = (np.round(sums, DECIMALS) > 0).sum(axis=1) / np.where(
        whole > 0, whole, np.nan
    )
    return share
