"""The estimation regression of one event, and the diagnostics of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...errors import ConfigError
from ...fitting import FittedStudy
from ...models import batch
from ...utility import BoolArray, FloatArray, IntArray, joined

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults


LAGS = 5
# Tests over lags are asymptotic: with fewer days per lag than this there is no result.
DAYS_PER_LAG = 3
COLUMNS = (
    "missing", "r2", "r2_adjusted", "durbin_watson", "autocorrelation", "ljung_box_p", "arch_p",
    "jarque_bera_p", "skewness", "kurtosis", "breusch_pagan_p", "chow_f", "chow_p", "cusum_p",
    "condition",
)  # fmt: skip


class Compact(NamedTuple):
    """Events with the same number M of estimation days: rows (r,), e (r, M), X (r, M, k)."""

    rows: IntArray
    e: FloatArray
    X: FloatArray


def regression(study: FittedStudy, event_id: str) -> RegressionResults:
    """Return the regression of one event, on exactly the days that the study used.

    Parameters
    ----------
    study : FittedStudy
    event_id : str

    Returns
    -------
    statsmodels RegressionResults
        Its data carry the dates and the names of the parameters; ``.summary()`` prints it.

    Raises
    ------
    ConfigError
        For an unknown or dropped event, and for a model that estimates no regression.

    Notes
    -----
    Parameters and their covariance are those of the study. For models that are not least squares
    (robust, Scholes-Williams, GARCH) it is the least squares on the same design instead.
    """
    from statsmodels.regression.linear_model import OLS

    i = study.row_of(event_id)
    a = study.abnormal.take(np.array([i]))
    if not a.parameters:
        raise ConfigError(f"the {study.model.label} estimates no regression", value=event_id)
    y = response(a)[0]
    has_resid = np.isfinite(a.resid[0])
    at = a.windows.estimation_positions[0, has_resid]
    dates = pd.DatetimeIndex(a.windows.sessions[at], name="date")
    X = pd.DataFrame(a.x_estimation[0, has_resid], index=dates, columns=list(a.parameters))
    firm = pd.Series(y[has_resid], index=dates, name=str(study.events["ticker"].iloc[i]))
    cov_type = study.model.cov_type
    # The lags of the study's own estimation (Newey and West's rule).
    lags = {"maxlags": int(4 * (has_resid.sum() / 100) ** (2 / 9))} if cov_type == "HAC" else None
    return OLS(firm, X, hasconst=True).fit(cov_type=cov_type, cov_kwds=lags)


def diagnostics(study: FittedStudy, *, lags: int = LAGS) -> pd.DataFrame:
    """Return diagnostics of the estimation of each usable event.

    Parameters
    ----------
    study : FittedStudy
    lags : int
        Lags of the tests for autocorrelation.

    Returns
    -------
    DataFrame
        In the columns of ``diagnostics.csv``: event_id, ticker, nobs (M), missing, r2, r2_adjusted,
        durbin_watson, autocorrelation, ljung_box_p, arch_p, jarque_bera_p, skewness, kurtosis,
        breusch_pagan_p, chow_f, chow_p, cusum_p, condition. NaN where days or regressors do not
        suffice.

    Notes
    -----
    `missing` is the share of the estimation days without a usable return; days masked for other
    events of the firm do not count. `r2` and `r2_adjusted` are those of the study's estimates,
    `autocorrelation` is the first-order one of the residuals (3 is the kurtosis of a normal law),
    `chow_f` compares the parameters in both halves of the window, F(k, M-2k), and `condition` is
    the condition number of the regressors in unit length. Days that are missing are left out and
    their neighbours taken as adjacent. Residuals are those of the study; the Chow test is that of
    least squares on its design.

    References
    ----------
    .. [1] Durbin, J. and Watson, G. S. (1950). Testing for serial correlation in least squares
       regression. Biometrika 37, 409-428.
    .. [2] Ljung, G. M. and Box, G. E. P. (1978). On a measure of lack of fit in time series models.
       Biometrika 65, 297-303.
    .. [3] Engle, R. F. (1982). Autoregressive conditional heteroscedasticity with estimates of the
       variance of United Kingdom inflation. Econometrica 50, 987-1007.
    .. [4] Jarque, C. M. and Bera, A. K. (1980). Efficient tests for normality, homoscedasticity and
       serial independence of regression residuals. Economics Letters 6, 255-259.
    .. [5] Koenker, R. (1981). A note on studentizing a test for heteroscedasticity. Journal of
       Econometrics 17, 107-112.
    .. [6] Chow, G. C. (1960). Tests of equality between sets of coefficients in two linear
       regressions. Econometrica 28, 591-605.
    .. [7] Ploberger, W. and Kramer, W. (1992). The CUSUM test with OLS residuals. Econometrica 60,
       271-285.
    """
    a = study.abnormal.take(study.ok)
    columns = a.by_chunk(lambda events: _of_estimations(events, lags))
    ids = study.events.loc[study.ok, ["event_id", "ticker"]].reset_index(drop=True)
    return ids.assign(nobs=a.nobs, **joined(len(a), columns))


def _of_estimations(a: AbnormalReturns, lags: int) -> dict[str, FloatArray]:
    """Return the columns of the diagnostics of some events."""
    from statsmodels.stats.diagnostic import breaks_cusumolsresid

    out = {name: np.full(len(a), np.nan) for name in COLUMNS}
    with np.errstate(invalid="ignore", divide="ignore"):
        out["missing"] = 1 - (a.nobs + a.windows.masked) / a.resid.shape[1]
        out["r2"] = a.r2
        out["r2_adjusted"] = 1 - (1 - a.r2) * (a.nobs - 1) / a.df_resid
        for events in by_length(a):
            for name, values in {**_of_residuals(events, lags), **_of_regressors(events)}.items():
                out[name][events.rows] = values
            pairs = zip(events.e, (a.nobs - a.df_resid)[events.rows], strict=True)
            p = [breaks_cusumolsresid(e - e.mean(), ddof)[1] for e, ddof in pairs]
            out["cusum_p"][events.rows] = p
        if a.parameters and len(a):
            out["chow_f"], out["chow_p"] = chow(a)
    return out


def by_length(a: AbnormalReturns) -> Iterator[Compact]:
    """Yield the events by the number of their estimation days; those without a day are left out."""
    has_resid = np.isfinite(a.resid)
    count = has_resid.sum(axis=1)
    regressors = a.x_estimation if a.parameters else np.empty((*has_resid.shape, 0))
    for M in np.unique(count[count > 0]):
        rows = np.flatnonzero(count == M)
        days = has_resid[rows]
        e = a.resid[rows][days].reshape(-1, M)
        X = regressors[rows][days].reshape(len(rows), M, regressors.shape[2])
        yield Compact(rows, e, X)


def response(a: AbnormalReturns) -> FloatArray:
    """Return what the regression explains, (n, L1): fitted plus residual, NaN on days left out."""
    fitted: FloatArray = np.einsum("nlk,nk->nl", np.nan_to_num(a.x_estimation), a.params)
    return a.resid + fitted


def chow(a: AbnormalReturns) -> tuple[FloatArray, FloatArray]:
    """Return F and p of equal parameters in both halves of the estimation, two (n,) arrays."""
    from scipy.special import fdtrc

    has_resid, k = np.isfinite(a.resid), a.k
    early = np.arange(has_resid.shape[1]) < has_resid.shape[1] // 2
    y, X = response(a), a.x_estimation
    spells = has_resid, has_resid & early, has_resid & ~early
    pooled, first, second = (_sse(y, X, days) for days in spells)
    split = first + second
    df = has_resid.sum(axis=1) - 2 * k
    F = ((pooled - split) / k) / (split / np.where(df > 0, df, np.nan))
    return F, fdtrc(k, df, np.maximum(F, 0))


def _sse(y: FloatArray, X: FloatArray, days: BoolArray) -> FloatArray:
    fit = batch(y, X, days)
    return np.asarray(fit.sigma2 * fit.df_resid)


def _of_residuals(events: Compact, lags: int) -> dict[str, FloatArray]:
    from scipy.special import chdtrc
    from statsmodels.stats.stattools import durbin_watson, jarque_bera

    e, M = events.e, events.e.shape[1]
    _, normal_p, skewness, kurtosis = jarque_bera(e, axis=1)
    rho = _autocorrelations(e, max(lags, 1))
    out = {
        "durbin_watson": durbin_watson(e, axis=1), "autocorrelation": rho[:, 0],
        "jarque_bera_p": normal_p, "skewness": skewness, "kurtosis": kurtosis,
    }  # fmt: skip
    if lags * DAYS_PER_LAG <= M:
        terms = (1.0 / (M - np.arange(1, lags + 1))) * rho[:, :lags] ** 2
        out["ljung_box_p"] = chdtrc(lags, M * (M + 2) * np.cumsum(terms, axis=1)[:, -1])
        z = (e / e.std(axis=1, keepdims=True)) ** 2
        before = np.stack([z[:, lags - j : M - j] for j in range(1, lags + 1)], axis=2)
        out["arch_p"] = chdtrc(lags, (M - lags) * _r2(z[:, lags:], _with_constant(before)))
    return out


def _autocorrelations(e: FloatArray, lags: int) -> FloatArray:
    """Return the autocorrelations of each row of residuals at lags 1, 2, ..., (r, lags)."""
    centred = [row - row.mean() for row in e]
    last = e.shape[1] - 1
    sums = [np.correlate(row, row, "full")[last : last + lags + 1] for row in centred]
    covariances = np.array(sums) / e.shape[1]
    return np.asarray(covariances[:, 1:] / covariances[:, :1])


def _of_regressors(events: Compact) -> dict[str, FloatArray]:
    from scipy.special import chdtrc

    e, X = events.e, events.X
    M, k = X.shape[1:]
    if k == 0:
        return {}
    constant = np.ptp(X[:, :, 0], axis=1) == 0
    z = (e / e.std(axis=1, keepdims=True)) ** 2
    df = k - constant
    r2 = np.where(constant, _r2(z, X), _r2(z, _with_constant(X)))
    unit = X / np.sqrt((X**2).sum(axis=1, keepdims=True))
    singular = ~np.isfinite(unit).all(axis=(1, 2))
    condition = np.linalg.cond(np.where(singular[:, None, None], 0.0, unit))
    p = np.where(df > 0, chdtrc(np.maximum(df, 1), M * r2), np.nan)
    return {"breusch_pagan_p": p, "condition": np.where(singular, np.inf, condition)}


def _with_constant(X: FloatArray) -> FloatArray:
    return np.concatenate([np.ones((*X.shape[:2], 1)), X], axis=2)


def _r2(z: FloatArray, Z: FloatArray) -> FloatArray:
    """Return the R2 of z (r, M) on Z (r, M, k), one of each row."""
    return batch(z, Z, np.ones(z.shape, dtype=np.bool_)).r2
