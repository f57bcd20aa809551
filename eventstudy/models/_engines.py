"""Two ways to the same least squares: statsmodels event by event, or all events at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from ..utility import BoolArray, FloatArray, IntArray, ObjectArray

CovType = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"]

# Beyond this condition number of the scaled cross-products the regressors are taken as collinear.
COLLINEAR = 1e10
ESTIMATES = ("params", "cov_params", "bread", "sigma2", "r2")


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
    problem, remark : (n,) object
        Why an event has no estimates, and a remark on those it has; "" otherwise.
    forecast : (n, L2) array, optional
        Variance of the error of each event day where it is not s2.
    """

    params: FloatArray
    cov_params: FloatArray
    bread: FloatArray
    sigma2: FloatArray
    r2: FloatArray
    nobs: IntArray
    df_resid: IntArray
    collinear: BoolArray
    problem: ObjectArray = field(default_factory=lambda: np.empty(0, dtype=object))
    remark: ObjectArray = field(default_factory=lambda: np.empty(0, dtype=object))
    forecast: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("problem", "remark"):
            if len(getattr(self, name)) != len(self.nobs):
                object.__setattr__(self, name, np.full(len(self.nobs), "", dtype=object))

    @property
    def k(self) -> int:
        """Number of estimated parameters."""
        return int(self.params.shape[1])

    def blanked(self, rows: BoolArray) -> Fit:
        """Return the fit with the estimates of `rows` set to NaN; itself if there are none."""
        if not rows.any():
            return self
        blank = {name: getattr(self, name).copy() for name in ESTIMATES}
        for array in blank.values():
            array[rows] = np.nan
        return replace(self, **blank)


def batch(
    y: FloatArray, X: FloatArray, complete: BoolArray, cov_type: CovType = "nonrobust"
) -> Fit:
    """Return least squares of all events at once, from masked cross-products.

    Parameters
    ----------
    y : (n, L1) float array
    X : (n, L1, k) float array
    complete : (n, L1) bool array
        Only these days enter.
    cov_type : str
        Ignored: the covariance is the classical one.
    """
    Y, Z = _columns(y, X, complete)
    nobs = complete.sum(axis=1)
    k = len(Z)
    cross = _cross(Z, Z)
    bad = (nobs <= k) | _collinear(cross)
    bread = np.full(cross.shape, np.nan)
    bread[~bad] = np.linalg.inv(cross[~bad])
    params = np.einsum("nkj,nj->nk", bread, _cross(Z, [Y])[:, :, 0])
    sigma2, r2 = _spread(Y, Z, params, nobs)
    cov_params = sigma2[:, None, None] * bread
    collinear = bad & (nobs > k)
    return Fit(params, cov_params, bread, sigma2, r2, nobs, nobs - k, collinear)


def statsmodels(
    y: FloatArray, X: FloatArray, complete: BoolArray, cov_type: CovType = "nonrobust"
) -> Fit:
    """Return least squares of each event by ``statsmodels.api.OLS``.

    Parameters
    ----------
    y, X, complete
        As in :func:`batch`.
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
    """
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
            _one(fit, i, y[i, complete[i]], Z, cov_type)
    return fit


def around(params: FloatArray, y: FloatArray, X: FloatArray, complete: BoolArray) -> Fit:
    """Return the fit of estimates by another method, with the variance of least squares.

    Parameters
    ----------
    params : (n, k) float array
        The estimates.
    y, X, complete
        As in :func:`batch`.
    """
    fit = batch(y, X, complete)
    sigma2, r2 = _spread(*_columns(y, X, complete), params, fit.nobs)
    cov = sigma2[:, None, None] * fit.bread
    return replace(fit, params=params, sigma2=sigma2, cov_params=cov, r2=r2)


def _columns(
    y: FloatArray, X: FloatArray, complete: BoolArray
) -> tuple[FloatArray, list[FloatArray]]:
    """Return y and the k regressors one by one, each (n, L1) and 0 on days that are not complete.

    The days of an event lie side by side, so that sums over them have the same bits however X lies.
    """
    columns = [y, *np.moveaxis(X, 2, 0)]
    if complete.all():
        columns = [c if c.strides[1] == c.itemsize else c.copy() for c in columns]
    else:
        columns = [np.where(complete, c, 0.0) for c in columns]
    return columns[0], columns[1:]


def _cross(left: list[FloatArray], right: list[FloatArray]) -> FloatArray:
    """Return the sums of products of columns over days, (n, len(left), len(right))."""
    out = np.empty((len(right[0]) if right else 0, len(left), len(right)))
    for a, b in np.ndindex(len(left), len(right)):
        mirrored = left is right and b < a
        out[:, a, b] = out[:, b, a] if mirrored else np.einsum("nl,nl->n", left[a], right[b])
    return out


def _spread(
    Y: FloatArray, Z: list[FloatArray], params: FloatArray, nobs: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return e'e/(M-k) and the centred R2 around `params`, (n,) each; Y, Z are 0 off the M days."""
    e, product = Y, np.empty_like(Y)
    for j, z in enumerate(Z):
        np.multiply(z, params[:, j, None], out=product)
        e = np.subtract(e, product, out=None if e is Y else e)
    df = nobs - len(Z)
    sse = np.einsum("nl,nl->n", e, e)
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma2 = np.where(df > 0, sse / np.maximum(df, 1), np.nan)
        r2 = 1 - sse / (np.einsum("nl,nl->n", Y, Y) - Y.sum(axis=1) ** 2 / nobs)
    return sigma2, r2


def _one(fit: Fit, i: np.intp, y: FloatArray, Z: FloatArray, cov_type: CovType) -> None:
    from statsmodels.regression.linear_model import OLS

    # Newey and West's own rule for the number of lags.
    lags = {"maxlags": int(4 * (len(y) / 100) ** (2 / 9))} if cov_type == "HAC" else None
    result = OLS(y, Z, hasconst=True).fit(cov_type=cov_type, cov_kwds=lags)
    fit.params[i], fit.cov_params[i] = result.params, result.cov_params()
    fit.bread[i], fit.sigma2[i] = result.normalized_cov_params, result.mse_resid
    with np.errstate(invalid="ignore", divide="ignore"):
        fit.r2[i] = 1 - np.divide(result.ssr, result.centered_tss)


def _collinear(cross: FloatArray) -> BoolArray:
    """Return which of the cross-products (n, k, k) are singular once columns have unit length."""
    if not cross.shape[1]:
        return np.zeros(len(cross), dtype=bool)
    length = np.sqrt(np.einsum("nkk->nk", cross))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = cross / (length[:, :, None] * length[:, None, :])
    singular = ~np.isfinite(scaled).all(axis=(1, 2))
    scaled[singular] = np.eye(cross.shape[1])
    values = np.linalg.eigvalsh(scaled)
    return np.asarray(singular | (values[:, -1] > COLLINEAR * np.maximum(values[:, 0], 0.0)))


LeastSquares = Callable[[FloatArray, FloatArray, BoolArray, CovType], Fit]
ENGINES: dict[str, LeastSquares] = {"statsmodels": statsmodels, "batch": batch}
