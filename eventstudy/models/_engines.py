"""Two ways to the same least squares: statsmodels event by event, or all events at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..typing import BoolArray, FloatArray, IntArray

# Beyond this condition number of the scaled cross-products the regressors are taken as collinear.
COLLINEAR = 1e10


@dataclass(frozen=True, eq=False)
class Fit:
    """Least squares of n events.

    Attributes
    ----------
    params : (n, k); cov_params, bread : (n, k, k)
        Estimates, their covariance, and (X'X)^-1. NaN where there was nothing to estimate.
    sigma2, r2 : (n,)
        e'e/(M-k) and the centred R2.
    nobs, df_resid : (n,) int
    collinear : (n,) bool
    """

    params: FloatArray
    cov_params: FloatArray
    bread: FloatArray
    sigma2: FloatArray
    r2: FloatArray
    nobs: IntArray
    df_resid: IntArray
    collinear: BoolArray

    @property
    def k(self) -> int:
        """Number of estimated parameters."""
        return int(self.params.shape[1])

    def blanked(self, rows: BoolArray) -> Fit:
        """Return the fit with the estimates of `rows` set to NaN."""
        names = ("params", "cov_params", "bread", "sigma2", "r2")
        blank = {}
        for name in names:
            array = getattr(self, name).copy()
            array[rows] = np.nan
            blank[name] = array
        return replace(self, **blank)


def batch(y: FloatArray, X: FloatArray, complete: BoolArray) -> Fit:
    """Fit all events at once from masked cross-products.

    Parameters
    ----------
    y : (n, L1); X : (n, L1, k); complete : (n, L1)
        Only days marked complete enter.
    """
    n, _, k = X.shape
    w = complete.astype(float)
    Y, Z = np.where(complete, y, 0.0), np.where(complete[:, :, None], X, 0.0)
    nobs = complete.sum(axis=1)
    cross = np.einsum("nlk,nlj->nkj", Z, Z)
    bad = (nobs <= k) | _collinear(cross)
    bread = np.full((n, k, k), np.nan)
    bread[~bad] = np.linalg.inv(cross[~bad])
    params = np.einsum("nkj,nj->nk", bread, np.einsum("nlk,nl->nk", Z, Y))
    e = (Y - np.einsum("nlk,nk->nl", Z, params)) * w
    df = nobs - k
    with np.errstate(invalid="ignore", divide="ignore"):
        sse = (e**2).sum(axis=1)
        sigma2 = np.where(df > 0, sse / np.maximum(df, 1), np.nan)
        mean = Y.sum(axis=1) / nobs
        r2 = 1 - sse / (w * (Y - mean[:, None]) ** 2).sum(axis=1)
    return Fit(params, sigma2[:, None, None] * bread, bread, sigma2, r2, nobs, df, bad & (nobs > k))


def statsmodels(y: FloatArray, X: FloatArray, complete: BoolArray) -> Fit:
    """Fit each event with ``statsmodels.api.OLS``; arguments as in :func:`batch`."""
    n, _, k = X.shape
    nobs = complete.sum(axis=1)
    fit = Fit(
        params=np.full((n, k), np.nan), cov_params=np.full((n, k, k), np.nan),
        bread=np.full((n, k, k), np.nan), sigma2=np.full(n, np.nan), r2=np.full(n, np.nan),
        nobs=nobs, df_resid=nobs - k, collinear=np.zeros(n, bool),
    )  # fmt: skip
    for i in np.flatnonzero(nobs > k):
        Z = X[i, complete[i]]
        fit.collinear[i] = bool(_collinear((Z.T @ Z)[None])[0])
        if not fit.collinear[i]:
            _one(fit, i, y[i, complete[i]], Z)
    return fit


def _one(fit: Fit, i: np.intp, y: FloatArray, Z: FloatArray) -> None:
    from statsmodels.regression.linear_model import OLS

    result = OLS(y, Z, hasconst=True).fit()
    fit.params[i], fit.cov_params[i] = result.params, result.cov_params()
    fit.bread[i], fit.sigma2[i] = result.normalized_cov_params, result.mse_resid
    with np.errstate(invalid="ignore", divide="ignore"):
        fit.r2[i] = 1 - np.divide(result.ssr, result.centered_tss)


def _collinear(cross: FloatArray) -> BoolArray:
    """Tell which of the cross-products (n, k, k) are singular once columns have unit length."""
    length = np.sqrt(np.einsum("nkk->nk", cross))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = cross / (length[:, :, None] * length[:, None, :])
    singular = ~np.isfinite(scaled).all(axis=(1, 2))
    scaled[singular] = np.eye(cross.shape[1])
    collinear: BoolArray = singular | (np.linalg.cond(scaled) > COLLINEAR)
    return collinear


ENGINES: dict[str, Callable[[FloatArray, FloatArray, BoolArray], Fit]] = {
    "statsmodels": statsmodels,
    "batch": batch,
}
