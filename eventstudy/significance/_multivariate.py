"""The multivariate regression of all events on one date: what its tests share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import InapplicableError


class System(NamedTuple):
    """N events on the same M estimation days and the L returns of one window.

    Attributes
    ----------
    residuals : (M, N) float array
    gamma : (L, N) float array
        Abnormal returns, the coefficients of the dummies of the event days.
    hat : (M,) float array
        Leverage of each estimation day.
    V : (L, L) float array
        Covariance of the abnormal returns of one event over its residual variance.
    nu : int
        M - k.
    """

    residuals: FloatArray
    gamma: FloatArray
    hat: FloatArray
    V: FloatArray
    nu: int


def common_system(sample: AbnormalReturns, window: Window, *, ranked: bool = True) -> System:
    """Return the regression that the events of `sample` have in common.

    With `ranked` the covariance of their residuals must be regular.

    Raises
    ------
    InapplicableError
        If they differ in date, days or regressors, or are too many for an (N, N) covariance.
    """
    if len(np.unique(sample.windows.day0)) > 1:
        raise InapplicableError("the events are not on one date")
    used, cols = np.isfinite(sample.resid).all(axis=0), sample.columns(window)
    spans = sample.length[:, cols]
    seen = spans[0] > 0
    x, x_event = sample.x_estimation[:, used], sample.x_event[:, cols][:, seen]
    alike = all((values == values[:1]).all() for values in (spans, x, x_event))
    same_df = (sample.df_resid == sample.df_resid[0]).all()
    if not alike or not same_df or (sample.nobs != used.sum()).any():
        raise InapplicableError("the events differ in benchmark or days")
    if not np.allclose(sample.noise[:, cols], sample.sigma2[:, None] * spans, rtol=1e-9, atol=0):
        raise InapplicableError("the model forecasts a variance of its own for each event")
    residuals, bread = sample.resid[:, used].T, sample.bread[0]
    if sample.df_resid[0] < sample.nobs[0] - sample.k:
        residuals = residuals - residuals.mean(axis=0)
    if ranked:
        _check_rank(residuals, int(sample.df_resid[0]))
    V = np.diag(spans[0, seen].astype(float)) + x_event[0] @ bread @ x_event[0].T
    hat = np.einsum("mk,kj,mj->m", x[0], bread, x[0])
    return System(residuals, sample.ar[:, cols][:, seen].T, hat, V, int(sample.df_resid[0]))


def _check_rank(residuals: FloatArray, nu: int) -> None:
    n = residuals.shape[1]
    if n >= nu:
        raise InapplicableError(
            f"{n} events on one date, fewer than the {nu} degrees of freedom needed"
        )
    scale = np.sqrt((residuals**2).sum(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(residuals / scale) < n:
        raise InapplicableError("the residuals of the events are linearly dependent")
