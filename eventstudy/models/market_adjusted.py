"""The market-adjusted model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel
from ._engines import Fit


@MODELS.register("market_adjusted")
@dataclass(frozen=True)
class MarketAdjusted(LinearModel):
    """R = R_m + e: nothing is estimated but the variance.

    Parameters
    ----------
    centred : bool
        Variance around the mean of R - R_m with M-1 degrees of freedom, or around zero with M.
    """

    name = "market_adjusted"
    label = "market-adjusted model"
    formula = "E[R_it] = R_mt"
    source = "Brown and Warner (1980, 1985)"

    centred: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """None."""
        return ()

    def design(self, windows: EventWindows) -> FloatArray:
        """Return no regressor, shape (n, L1+L2, 0)."""
        return np.empty((*windows.returns.shape, 0))

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return less the market's, shape (n, L1+L2)."""
        return windows.returns - windows.factors[:, :, 0]

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Return the variance; either engine has nothing to fit."""
        del X, windows, engine
        return variance_only(y, complete, centred=self.centred)


def variance_only(y: FloatArray, complete: BoolArray, *, centred: bool) -> Fit:
    """Return the fit of a model without parameters: the variance of y (n, L1) on the complete
    days."""
    n, nobs = len(y), complete.sum(axis=1)
    df = nobs - centred
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(complete, y, 0.0).sum(axis=1) / nobs if centred else np.zeros(n)
        sse = (np.where(complete, y - mean[:, None], 0.0) ** 2).sum(axis=1)
        sigma2 = np.where(df > 0, sse / df, np.nan)
    empty = np.empty((n, 0, 0))
    return Fit(
        params=np.empty((n, 0)), cov_params=empty, bread=empty, sigma2=sigma2,
        r2=np.full(n, np.nan),
        nobs=nobs, df_resid=df, collinear=np.zeros(n, bool),
    )  # fmt: skip
