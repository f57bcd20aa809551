"""What every model of normal returns shares: estimation, forecast and its error."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..abnormal import AbnormalReturns
from ..registry import Registry
from ..typing import BoolArray, Engine, FloatArray, ObjectArray
from ..windows import EventWindows
from ._engines import ENGINES, Fit

MODELS: Registry[type[LinearModel]] = Registry("model")

# A smaller residual standard deviation than this is a price that does not move, not a forecast.
NO_VARIANCE = 1e-10
# docs/methods.md, 1.4: fewer complete estimation days than k + 5 leave no usable variance.
SPARE_DAYS = 5


class LinearModel:
    """A model of normal returns that is linear in its parameters.

    A subclass states what it needs (`factors`), what it estimates (`parameters`) and how the
    regressors are made (`design`); estimation, abnormal returns and their exact prediction-error
    variance follow from that (docs/methods.md, 2).
    """

    name: ClassVar[str]
    label: ClassVar[str]
    factors: ClassVar[tuple[str, ...]] = ("market",)
    parameters: ClassVar[tuple[str, ...]]
    formula: ClassVar[str]
    source: ClassVar[str]

    def design(self, windows: EventWindows) -> FloatArray:
        """Return the regressors, shape (n, L1+L2, k).

        A return that spans m sessions has the intercept m and the sum of the factor (docs/methods.md, 1.5).
        """
        raise NotImplementedError

    def response(self, windows: EventWindows) -> FloatArray:
        """Return what is explained, shape (n, L1+L2): the firm's return."""
        return windows.returns

    def fit(self, windows: EventWindows, *, engine: Engine = "statsmodels") -> AbnormalReturns:
        """Estimate on the estimation window and forecast the event window.

        Parameters
        ----------
        windows : EventWindows
            n events; days with a missing return or regressor are left out of the estimation.
        engine : {"statsmodels", "batch"}

        Returns
        -------
        AbnormalReturns
            Rows of events that cannot be estimated are NaN; `problem` says why.
        """
        y, X = self.response(windows), self.design(windows)
        L1 = len(windows.estimation)
        complete = np.isfinite(y) & np.isfinite(X).all(axis=2)
        fit = self.estimate(y[:, :L1], X[:, :L1], complete[:, :L1], engine=engine)
        fit, problem = checked(fit, _moves(windows.returns[:, :L1]))
        spans = np.where(complete, windows.spans, 0)
        explained = np.einsum("nlk,nk->nl", np.nan_to_num(X), fit.params) if fit.k else np.zeros_like(y)
        ar = np.where(complete & (problem == "")[:, None], y - explained, np.nan)
        return AbnormalReturns(
            model=self.name,
            parameters=self.parameters,
            windows=windows,
            ar=ar[:, L1:],
            resid=ar[:, :L1],
            expected=(windows.returns - ar)[:, L1:],
            spans=np.where(np.isfinite(ar[:, L1:]), spans[:, L1:], 0),
            x_estimation=X[:, :L1],
            x_event=X[:, L1:],
            nobs=fit.nobs,
            df_resid=fit.df_resid,
            sigma2=fit.sigma2,
            params=fit.params,
            cov_params=fit.cov_params,
            bread=fit.bread,
            r2=fit.r2,
            problem=problem,
        )

    def estimate(self, y: FloatArray, X: FloatArray, complete: BoolArray, *, engine: Engine) -> Fit:
        """Estimate the parameters of n events from y (n, L1) and X (n, L1, k) on the complete days."""
        return ENGINES[engine](y, X, complete)


def checked(fit: Fit, moves: BoolArray) -> tuple[Fit, ObjectArray]:
    """Blank the fits that carry no information and say why, one text per event."""
    need = fit.k + SPARE_DAYS
    problem = np.full(len(fit.nobs), "", dtype=object)
    with np.errstate(invalid="ignore"):
        flat = ~(np.sqrt(fit.sigma2) > NO_VARIANCE) | ~moves
    problem[flat] = "the residuals have no variance: the price does not move, or is the benchmark itself"
    problem[fit.collinear] = "the benchmark does not vary over the estimation window"
    for i in np.flatnonzero(fit.nobs < need):
        problem[i] = f"{fit.nobs[i]} usable days in the estimation window, at least {need} are needed"
    return fit.blanked(problem != ""), problem


def _moves(returns: FloatArray) -> BoolArray:
    """Tell which events have estimation returns (n, L1) that differ, shape (n,)."""
    known = np.isfinite(returns)
    low = np.where(known, returns, np.inf).min(axis=1)
    high = np.where(known, returns, -np.inf).max(axis=1)
    moves: BoolArray = high > low
    return moves
