"""The market model where estimation days close at a price limit: Tobit by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ConfigError
from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import LinearModel
from ._engines import ENGINES, Fit
from .market import Market

# The gradient of the mean log likelihood, in units of the residual standard deviation, at the
# optimum.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class CensoredMarket(Market):
    """R* = alpha + beta R_m + e, of which a close at a limit shows only that it lies beyond.

    The log likelihood of an event is the sum of log phi((R - x'b)/s) - log s over free days and of
    log Phi(-+(R - x'b)/s) over days at the upper (-) or lower (+) limit, with R the return to the
    limit. It is maximised in b/s and 1/s, in which it is concave (Olsen 1978). s2 is the estimate
    times M/(M-2), the covariance of b the inverse of the observed information times the same, M
    with the days at a limit. Events without such days are fitted by least squares.
    """

    label = "market model, censored at price limits"
    formula = "E[R*_it] = alpha_i + beta_i R_mt by Tobit"
    source = "Tobin (1958); Chou (1997)"
    exact = False

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Fit the events that have days at a limit one by one, around least squares on their free
        days."""
        fit = ENGINES[engine](y, X, complete, self.cov_type)
        bounds = windows.bounds
        limit = np.isfinite(bounds) & np.isfinite(X).all(axis=2)
        params, cov, sigma2 = fit.params.copy(), fit.cov_params.copy(), fit.sigma2.copy()
        remark = fit.remark.copy()
        for i in np.flatnonzero(limit.any(axis=1) & np.isfinite(fit.params).all(axis=1)):
            free, own = complete[i], limit[i]
            found = tobit(y[i, free], X[i, free], bounds[i, own], X[i, own], fit.params[i])
            if found is None:
                remark[i] = (
                    "the censored model did not converge: least squares without the days at a limit"
                )
                continue
            params[i], cov[i], sigma2[i] = found
        bread = cov / sigma2[:, None, None]
        return replace(
            fit, params=params, cov_params=cov, sigma2=sigma2, bread=bread, remark=remark
        )


def tobit(
    y: FloatArray, X: FloatArray, bound: FloatArray, Z: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, float] | None:
    """Return the parameters, their covariance and the residual variance of one event; None if not
    found.

    Parameters
    ----------
    y : (m,); X : (m, k)
        Returns and regressors of free days.
    bound : (c,); Z : (c, k)
        Returns to the limit, above 0 for an upper and below 0 for a lower one.
    start : (k,)
        Least squares on the free days.
    """
    from scipy.optimize import minimize

    scale, k, M = float(np.std(y - X @ start)), X.shape[1], len(y) + len(bound)
    if not scale > 0:
        return None
    u, v, side = y / scale, bound / scale, np.sign(bound)
    found = minimize(
        lambda p: _loss(p, u, X, v, Z, side)[0] / M,
        np.append(start / scale, 1.0),
        jac=lambda p: _loss(p, u, X, v, Z, side)[1] / M,
        hess=lambda p: _loss(p, u, X, v, Z, side)[2] / M,
        method="trust-exact",
        options={"gtol": TOLERANCE},
    )
    delta, theta = found.x[:k], found.x[k]
    if not theta > 0 or not np.abs(found.jac).max() < np.sqrt(TOLERANCE):
        return None
    step = np.hstack([np.eye(k) / theta, -delta[:, None] / theta**2])
    information = _loss(found.x, u, X, v, Z, side)[2]
    few = M / (M - k)
    cov = few * scale**2 * step @ np.linalg.solve(information, step.T)
    return scale * delta / theta, cov, few * (scale / theta) ** 2


def _loss(
    p: FloatArray, u: FloatArray, X: FloatArray, v: FloatArray, Z: FloatArray, side: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return minus the log likelihood at (b/s, 1/s), its gradient and its Hessian."""
    from scipy.special import log_ndtr

    delta, theta = p[:-1], p[-1]
    if theta <= 0:
        return np.inf, np.zeros(len(p)), np.eye(len(p))
    e, own = theta * u - X @ delta, np.hstack([-X, u[:, None]])
    w, far = side * (theta * v - Z @ delta), side[:, None] * np.hstack([-Z, v[:, None]])
    log_tail = log_ndtr(-w)
    ratio = np.exp(-(w**2) / 2 - log_tail) / np.sqrt(2 * np.pi)
    value = (e @ e) / 2 + len(u) * (np.log(2 * np.pi) / 2 - np.log(theta)) - log_tail.sum()
    gradient = own.T @ e + far.T @ ratio
    gradient[-1] -= len(u) / theta
    hessian = own.T @ own + (far * (ratio * (ratio - w))[:, None]).T @ far
    hessian[-1, -1] += len(u) / theta**2
    return float(value), gradient, hessian


def censored(model: LinearModel) -> LinearModel:
    """Return the market model for censored estimation days.

    Raises
    ------
    ConfigError
        For any other model, or a robust covariance.
    """
    if type(model) is not Market or model.cov_type != "nonrobust":
        raise ConfigError(
            "days at a price limit are censored in the market model only", where="limits",
            value="censored",
            remedy="use --model market without --cov, or --limits extend",
        )  # fmt: skip
    return CensoredMarket()
