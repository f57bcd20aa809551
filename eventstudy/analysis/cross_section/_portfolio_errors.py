"""Errors of the coefficients of a regression of CARs: each is the return of a portfolio."""

from __future__ import annotations

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import Limits, WeightedSums, require
from ...errors import InapplicableError
from ...significance import consecutive_sums
from ...utility import FloatArray
from ...words import Reason
from ._car_errors import Errors
from ._regressors import Design

LABEL = "portfolio"
# Of more events the correlations of all pairs take minutes.
MOST_EVENTS = 5 * Limits.PAIRWISE
# A characteristic that goes so closely with one of the estimation days is taken for it.
MEASURED_THERE, FEWEST_COMPARED = 0.95, 8


def portfolio_errors(
    sample: AbnormalReturns, window: Window, X: FloatArray, A: FloatArray
) -> Errors:
    r"""Return errors of coefficients as those of the abnormal returns of long-short portfolios.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`.
    window : Window
        L days.
    X : (N, k) float array
        Regressors.
    A : (k, N) float array
        (X'WX)^-1 X'W: the weights of the events in each portfolio.

    Returns
    -------
    Errors
        With t of the event with the fewest degrees of freedom; NaN and a reason where no variance
        is known.

    Notes
    -----
    .. math:: V = A C A', \quad C_{il} = \rho_{il} o_{il} \sqrt{Var_i Var_l}

    with the correlations and overlaps of :func:`~eventstudy.dependence.pairs.quadratic`.
    V_k is the same with each weight times the root of k_jd, how much the part of date d in
    portfolio j moved before the event against usual (:func:`recent_variances`), and x_j is the
    dispersion of the residuals on the event days against usual (:func:`dispersion`):

    .. math:: Var(b_j) = \max\Big( V_{k,jj}, \; V_{jj} + \max(0, x_j - 1) \sum_i A_{ji}^2 Var_i
        \Big)

    Off the diagonal V_k is scaled to these variances. Missing data: a pair with too few common
    sessions has the mean correlation of the others.

    References
    ----------
    .. [1] Cohn, J. B., Johnson, T. L., Liu, Z. and Wardlaw, M. I. Past is prologue: inference from
       the cross section of returns around an event. Programs and data (2026):
       doi 10.17632/np3ktdbpnp.2.
    .. [2] Jaffe, J. F. (1974). Special information and insider trading. Journal of Business 47,
       410-428.
    """
    k = len(A)
    try:
        require(len(sample) <= MOST_EVENTS, "many_for_portfolios", n=len(sample), most=MOST_EVENTS)
        variance, C = _variances(sample, window, X, A)
    except InapplicableError as error:
        return Errors.none(LABEL, k, str(error))
    is_none = ~np.isfinite(variance)
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(variance / np.diag(C))
    reason = str(Reason("no_variance_of_weights")) if is_none.any() else ""
    df = np.full(k, float(sample.df_resid.min()))
    return Errors(LABEL, C * np.outer(scale, scale), df, reason=reason)


def _variances(
    sample: AbnormalReturns, window: Window, X: FloatArray, A: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the variance of each coefficient (k,), and V_k, (k, k)."""
    k = len(A)
    var = sample.var_car(window)
    recent = A * np.sqrt(recent_variances(sample, window, A))
    both = WeightedSums(sample, window).variance(np.vstack([A, recent]).T * np.sqrt(var)[:, None])
    V = np.diag(both)[:k]
    C = both[k:, k:]
    independent = A**2 @ var
    x = dispersion(sample, window, X, A)
    raised = V + np.maximum(0.0, x - 1) * independent
    is_positive = (Limits.ROUNDING * independent < V) & (np.diag(C) > Limits.ROUNDING * independent)
    return np.where(is_positive, np.maximum(np.diag(C), raised), np.nan), C


def residual_sums(sample: AbnormalReturns, length: int) -> FloatArray:
    """Return the sums of consecutive residuals of N events, (S, N).

    The days that an event has are counted from the first one on; S is that of the event with the
    fewest.

    Parameters
    ----------
    sample : AbnormalReturns
    length : int
        L, the days of a sum.

    Raises
    ------
    InapplicableError
        If an event has fewer days than a sum.
    """
    resid = sample.resid
    has_day = np.isfinite(resid)
    fewest = int(has_day.sum(axis=1).min())
    require(fewest >= length, "long_window")
    days = np.argsort(~has_day, axis=1, kind="stable")[:, :fewest]
    return consecutive_sums(np.take_along_axis(resid, days, axis=1), length).T


def dispersion(sample: AbnormalReturns, window: Window, X: FloatArray, A: FloatArray) -> FloatArray:
    r"""Return how much more than usual the CARs differ from their fit, for each coefficient, (k,).

    Parameters
    ----------
    sample, window, X, A
        As for :func:`portfolio_errors`.

    Notes
    -----
    .. math:: x_j = \frac{\sum_i A_{ji}^2 e_i^2}{\frac 1S \sum_s \sum_i A_{ji}^2 e_{is}^2}

    e are the residuals of the regression, e_s those of the same regression of the sums of L
    estimation residuals of each event (:func:`residual_sums`).
    """

    def spread(values: FloatArray) -> FloatArray:
        e = values - values @ A.T @ X.T
        return np.asarray(e**2 @ (A**2).T)

    usual = spread(residual_sums(sample, len(window))).mean(axis=0)
    return np.asarray(spread(sample.car(window)) / usual)


def recent_variances(sample: AbnormalReturns, window: Window, A: FloatArray) -> FloatArray:
    """Return how much more than usual each date's part of each portfolio varied lately, (k, N).

    Parameters
    ----------
    sample, window, A
        As for :func:`portfolio_errors`.

    Notes
    -----
    The factor of ``AbnormalReturns.recent_variance``, of the errors
    sum_i A_ji u_it over the events of one date, and of the mean variance of their markets. Errors
    are added up by event day, on the days on which all events of the date have one.
    """
    k = np.ones(A.shape)
    recent, day0 = sample.recent_days, sample.windows.day0
    if recent is None:
        return k
    of_market = recent.market_variance(window)
    n_parameters = sample.nobs - sample.df_resid
    is_before = np.arange(len(recent.days)) < sample.resid.shape[1]
    for date in np.unique(day0):
        rows = np.flatnonzero(day0 == date)
        errors = A[:, rows] @ recent.errors[rows]
        before = errors[:, is_before & np.isfinite(errors).all(axis=0)]
        usual = (before**2).sum(axis=1) / max(before.shape[1] - n_parameters[rows].max(), 1)
        has_errors = usual > 0
        squares = errors[has_errors] ** 2 / usual[has_errors, None]
        markets = of_market[rows][np.isfinite(of_market[rows])]
        market = np.full(len(squares), markets.mean() if len(markets) else np.nan)
        k[np.ix_(has_errors, rows)] = recent.ratio(squares, market, window)[:, None]
    return k


def rank_pvalues(b: FloatArray, placebo: FloatArray) -> FloatArray:
    r"""Return (1 + #{|b*_j| >= |b_j|}) / (1 + B) of each coefficient, (k,).

    Parameters
    ----------
    b : (k,) float array
    placebo : (B, k) float array
        Coefficients where nothing happened; NaN are left out.
    """
    drawn = np.isfinite(placebo)
    larger = (np.abs(placebo) >= np.abs(b) * (1 - 1e-9)) & drawn
    return np.asarray((1 + larger.sum(axis=0)) / (1 + drawn.sum(axis=0)))


def measured_before(sample: AbnormalReturns, design: Design) -> list[str]:
    """Return the numbers that were measured on the estimation days, by their labels.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    design : Design

    Returns
    -------
    list of str
        Those whose correlation with the mean or deviation of the returns, the residual deviation
        or a parameter of the model on these days is at least 0.95 in size.
    """
    if len(sample) < FEWEST_COMPARED:
        return []
    returns = sample.windows.returns[:, : sample.resid.shape[1]]
    measures = np.column_stack([
        np.nanmean(returns, axis=1), np.nanstd(returns, axis=1), np.sqrt(sample.sigma2),
        sample.params,
    ])  # fmt: skip
    names = []
    for term, x in zip(design.terms, design.X.T, strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            closeness = np.corrcoef(x, measures, rowvar=False)[0, 1:]
        if term.kind == "number" and (np.abs(closeness) >= MEASURED_THERE).any():
            names.append(term.label)
    return names
