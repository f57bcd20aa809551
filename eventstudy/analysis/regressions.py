"""The estimation regression of one event, and the diagnostics of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..errors import ConfigError
from ..models._engines import batch
from ..utility.chunks import joined
from ..utility.registry import did_you_mean
from ..utility.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults

    from ..fitting.fitted import FittedStudy

LAGS = 5
# Tests over lags are asymptotic: with fewer days per lag than this there is no result.
DAYS_PER_LAG = 3
COLUMNS = (
    "missing", "r2", "r2_adjusted", "durbin_watson", "autocorrelation", "ljung_box_p", "arch_p",
    "jarque_bera_p", "skewness", "kurtosis", "breusch_pagan_p", "chow_f", "chow_p", "cusum_p",
    "condition",
)  # fmt: skip


class Compact(NamedTuple):
    """Events with the same number M of estimation days, the others left out: e (r, M), X (r, M,
    k)."""

    rows: IntArray
    e: FloatArray
    X: FloatArray


def regression(results: FittedStudy, event_id: str) -> RegressionResults:
    """Return the regression of one event, on exactly the days that the study used.

    Parameters and their covariance are those of the study. For models that are not least squares
    (robust, Scholes-Williams, GARCH) it is the least squares on the same design instead.

    Returns
    -------
    statsmodels RegressionResults
        Its data carry the dates and the names of the parameters; ``.summary()`` prints it.

    Raises
    ------
    ConfigError
        For an unknown or dropped event, and for a model that estimates no regression.
    """
    from statsmodels.regression.linear_model import OLS

    i = _row(results, event_id)
    a = results.abnormal.take(np.array([i]))
    if not a.parameters:
        raise ConfigError(f"the {results.model.label} estimates no regression", value=event_id)
    y, known = response(a)[0], np.isfinite(a.resid[0])
    dates = pd.DatetimeIndex(
        a.windows.sessions[a.windows.estimation_positions[0, known]], name="date"
    )
    X = pd.DataFrame(a.x_estimation[0, known], index=dates, columns=list(a.parameters))
    firm = pd.Series(y[known], index=dates, name=str(results.events["ticker"].iloc[i]))
    cov_type = results.model.cov_type
    # The lags of the study's own estimation (Newey and West's rule).
    lags = {"maxlags": int(4 * (known.sum() / 100) ** (2 / 9))} if cov_type == "HAC" else None
    return OLS(firm, X, hasconst=True).fit(cov_type=cov_type, cov_kwds=lags)


def diagnostics(results: FittedStudy, *, lags: int = LAGS) -> pd.DataFrame:
    """Return diagnostics of the estimation of each usable event, in the columns of
    ``diagnostics.csv``.

    Columns, after event_id, ticker and nobs (M):

    missing : share of the estimation days without a usable return; days masked for other events of
    the firm
        do not count
    r2, r2_adjusted : of the study's estimates durbin_watson, autocorrelation, ljung_box_p :
    first-order and first `lags` autocorrelations of the
        residuals (Durbin and Watson 1950; Ljung and Box 1978, chi2(lags))
    arch_p : LM test of `lags` lags in the squared residuals (Engle 1982, chi2(lags)) jarque_bera_p,
    skewness, kurtosis : normality of the residuals (Jarque and Bera 1980; 3 is normal)
    breusch_pagan_p : variance that depends on the regressors (Koenker 1981, chi2) chow_f, chow_p :
    other parameters in the second half of the window (Chow 1960, F(k, M-2k)) cusum_p : drift of the
    cumulated residuals (Ploberger and Kramer 1992) condition : condition number of the regressors
    in unit length

    Days that are missing are left out and their neighbours taken as adjacent. NaN where days or
    regressors do not suffice. Residuals are the study's own; the Chow test is that of least squares
    on its design.
    """
    a = results.abnormal.take(results.ok)
    parts = a.map(lambda events: _of_estimations(events, lags))
    ids = results.events.loc[results.ok, ["event_id", "ticker"]].reset_index(drop=True)
    return ids.assign(nobs=a.nobs, **joined(len(a), parts))


def _of_estimations(a: AbnormalReturns, lags: int) -> dict[str, FloatArray]:
    """Return the columns of the diagnostics of some events."""
    out = {name: np.full(len(a), np.nan) for name in COLUMNS}
    with np.errstate(invalid="ignore", divide="ignore"):
        out["missing"] = 1 - (a.nobs + a.windows.masked) / a.resid.shape[1]
        out["r2"] = a.r2
        out["r2_adjusted"] = 1 - (1 - a.r2) * (a.nobs - 1) / a.df_resid
        for part in by_length(a):
            for name, values in {**_of_residuals(part, lags), **_of_regressors(part)}.items():
                out[name][part.rows] = values
            out["cusum_p"][part.rows] = _cusum(part.e, (a.nobs - a.df_resid)[part.rows])
        if a.parameters and len(a):
            out["chow_f"], out["chow_p"] = chow(a)
    return out


def by_length(a: AbnormalReturns) -> Iterator[Compact]:
    """Yield the events by the number of their estimation days; events without a day are left
    out."""
    known = np.isfinite(a.resid)
    count = known.sum(axis=1)
    for M in np.unique(count[count > 0]):
        rows = np.flatnonzero(count == M)
        own = known[rows]
        X = a.x_estimation[rows] if a.parameters else np.empty((*own.shape, 0))
        yield Compact(
            rows, a.resid[rows][own].reshape(-1, M), X[own].reshape(len(rows), M, X.shape[2])
        )


def response(a: AbnormalReturns) -> FloatArray:
    """Return what the regression explains, (n, L1): fitted plus residual, NaN on days left out."""
    fitted: FloatArray = np.einsum("nlk,nk->nl", np.nan_to_num(a.x_estimation), a.params)
    return a.resid + fitted


def chow(a: AbnormalReturns) -> tuple[FloatArray, FloatArray]:
    """Return F and p of equal parameters in both halves of the estimation window, two (n,)
    arrays."""
    from scipy.stats import f

    known, k = np.isfinite(a.resid), a.k
    early = np.arange(known.shape[1]) < known.shape[1] // 2
    y, X = response(a), a.x_estimation
    whole, first, second = (_sse(y, X, days) for days in (known, known & early, known & ~early))
    apart, df = first + second, known.sum(axis=1) - 2 * k
    F = ((whole - apart) / k) / (apart / np.where(df > 0, df, np.nan))
    return F, f.sf(F, k, df)


def _sse(y: FloatArray, X: FloatArray, days: BoolArray) -> FloatArray:
    fit = batch(y, X, days)
    sse: FloatArray = fit.sigma2 * fit.df_resid
    return sse


def _of_residuals(part: Compact, lags: int) -> dict[str, FloatArray]:
    from scipy.stats import chi2
    from statsmodels.stats.stattools import durbin_watson, jarque_bera
    from statsmodels.tsa.stattools import acf, q_stat

    e, M = part.e, part.e.shape[1]
    _, normal_p, skewness, kurtosis = jarque_bera(e, axis=1)
    own = np.array([acf(row, nlags=1, fft=False) for row in e])[:, 1]
    out = {
        "durbin_watson": durbin_watson(e, axis=1), "autocorrelation": own,
        "jarque_bera_p": normal_p, "skewness": skewness, "kurtosis": kurtosis,
    }  # fmt: skip
    if lags * DAYS_PER_LAG <= M:
        rho = [acf(row, nlags=lags, fft=False)[1:] for row in e]
        out["ljung_box_p"] = np.array([q_stat(row, M)[1][-1] for row in rho])
        z = (e / e.std(axis=1, keepdims=True)) ** 2
        before = np.stack([z[:, lags - j : M - j] for j in range(1, lags + 1)], axis=2)
        out["arch_p"] = chi2.sf((M - lags) * _r2(z[:, lags:], _with_constant(before)), lags)
    return out


def _of_regressors(part: Compact) -> dict[str, FloatArray]:
    from scipy.stats import chi2

    e, X = part.e, part.X
    M, k = X.shape[1:]
    if k == 0:
        return {}
    constant = np.ptp(X[:, :, 0], axis=1) == 0
    z, df = (e / e.std(axis=1, keepdims=True)) ** 2, k - constant
    r2 = np.where(constant, _r2(z, X), _r2(z, _with_constant(X)))
    unit = X / np.sqrt((X**2).sum(axis=1, keepdims=True))
    singular = ~np.isfinite(unit).all(axis=(1, 2))
    condition = np.linalg.cond(np.where(singular[:, None, None], 0.0, unit))
    return {
        "breusch_pagan_p": np.where(df > 0, chi2.sf(M * r2, np.maximum(df, 1)), np.nan),
        "condition": np.where(singular, np.inf, condition),
    }


def _with_constant(X: FloatArray) -> FloatArray:
    return np.concatenate([np.ones((*X.shape[:2], 1)), X], axis=2)


def _r2(z: FloatArray, Z: FloatArray) -> FloatArray:
    """Return the R2 of z (r, M) on Z (r, M, k), one of each row."""
    return batch(z, Z, np.ones(z.shape, dtype=np.bool_)).r2


def _cusum(e: FloatArray, ddof: IntArray) -> FloatArray:
    from statsmodels.stats.diagnostic import breaks_cusumolsresid

    centred = e - e.mean(axis=1, keepdims=True)
    return np.array(
        [breaks_cusumolsresid(row, ddof=d)[1] for row, d in zip(centred, ddof, strict=True)]
    )


def _row(results: FittedStudy, event_id: str) -> int:
    events = results.events
    ids = events["event_id"].astype(str).tolist()
    if str(event_id) not in ids:
        raise ConfigError("no such event", value=event_id, remedy=did_you_mean(str(event_id), ids))
    i = ids.index(str(event_id))
    if not results.ok[i]:
        row: Any = events.iloc[i]
        raise ConfigError(f"the event was dropped: {row['reason']}", value=event_id)
    return i
