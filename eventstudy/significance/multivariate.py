"""Tests of events on one date in one multivariate regression: portfolio t, MVRM F, Wilks' F."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import require
from ..utility import FloatArray
from ._base import Value, f_value, statistic


@statistic(
    "portfolio", label="Portfolio t", minimum=1, robust=("yes", "n/a", "no", "yes"),
    null="the CAR of the equal-weight portfolio of the events is zero", reference="t(M-k)",
    source="Jaffe (1974); Mandelker (1974)",
)  # fmt: skip
def portfolio(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the CAR of an equal-weight portfolio of events on one date.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events with the same date, as decimals (0.01 is 1%). Each event has
        returns on all days of `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The t-statistic, and its M-k degrees of freedom. M is the number of estimation days, and k
        is the number of parameters of the model.

    Raises
    ------
    InapplicableError
        If the events are on several dates, or if they differ in estimation days, event days or
        benchmark. The function also raises this error if the model forecasts the variance of each
        day, as GARCH does, or if all residuals of the portfolio are zero.

    Notes
    -----
    .. math::

        t = \frac{CAAR}{\sqrt{s_p^2 \, 1' V 1}}, \quad
        s_p^2 = \frac1{M - k} \sum_t \bar e_t^2

    - CAAR is the mean CAR of the events, which is the CAR of the portfolio.
    - :math:`\bar e_t` is the residual of the portfolio on estimation day t: the mean residual of
      the events.
    - V is the matrix :math:`I + X^* (X'X)^{-1} X^{*\prime}`, so :math:`1' V 1` is the sum of its
      elements.
    - X has the regressors of the estimation days, and :math:`X^*` the regressors of the window.

    Missing data: the test is not defined if, on some day, one event has a return and another has
    none. Price limits: the test never extends a window, even if the setting ``limits`` is "extend".

    References
    ----------
    Jaffe, J. F. (1974), Special information and insider trading, Journal of Business 47, 410-428.
    Mandelker, G. (1974), Risk and return: the case of merging firms, Journal of Financial Economics
    1, 303-335.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> firms = ["AAPL", "AMD", "MSFT", "NVDA"]
    >>> news = pd.DataFrame({"ticker": firms, "announced_at": "2018-06-15"})
    >>> print(es.study(news, "sample").test("portfolio", (0, 1)))
    Portfolio t: t(218) = 0.69, p = 0.4929, 4 events
    """
    system = common_system(sample.unextended, window, ranked=False)
    s2 = (system.residuals.mean(axis=1) ** 2).sum() / system.nu
    require(s2 != 0, "flat_portfolio")
    t = system.gamma.sum(axis=0).mean() / np.sqrt(s2 * system.V.sum())
    return Value(float(t), float(system.nu))


@statistic(
    "mvrm", label="MVRM F", minimum=1, robust=("yes", "n/a", "no", "fair"),
    null="the CAR of every event is zero", reference="rank of days, F(N,nu-N+1) for several days",
    source="Schipper and Thompson (1983)", about_mean=False, of_every_event=True,
)  # fmt: skip
def mvrm(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the F-statistic for the hypothesis that the CAR of every event is zero.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events with the same date, as decimals (0.01 is 1%). Each event has
        returns on all days of `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The F-statistic. For a window of several days, the p-value comes from Fisher's F
        distribution with N and nu-N+1 degrees of freedom. For a window of one day, the p-value
        comes from the rank of the event day among the estimation days. The notes explain nu and the
        rank.

    Raises
    ------
    InapplicableError
        If the events are on several dates, or if they differ in estimation days, event days or
        benchmark. The function also raises this error if N is not less than nu, if the residuals of
        some events are linearly dependent, or if the model forecasts the variance of each day, as
        GARCH does.

    Notes
    -----
    .. math::

        F = \frac{\nu - N + 1}{N \nu} T^2, \quad T^2 = \frac1d \gamma' S^{-1} \gamma, \quad
        S = \frac{E'E}{\nu}

    - :math:`\gamma` is the vector of the CARs of the N events.
    - E is the matrix of their residuals on the M estimation days.
    - :math:`\nu` is M-k, where k is the number of parameters of the model.
    - d is the sum of all elements of the matrix V of :func:`portfolio`.

    Only large values of :math:`T^2` are evidence of an effect.

    For a window of one day, the test also computes :math:`T^2` for each estimation day, from a
    model that was estimated without this day. The p-value comes from the rank of the event day's
    :math:`T^2` among these numbers.

    For a longer window, the F distribution is exact only for normal returns. Over two days, a 5%
    test gives 8 to 9% false alarms if returns have fat tails (Student's t with 5 degrees of
    freedom). It gives 11 to 12% if returns are skewed.

    Missing data are treated as in :func:`portfolio`.

    References
    ----------
    Schipper, K. and Thompson, R. (1983), The impact of merger-related regulations on the
    shareholders of acquiring firms, Journal of Accounting Research 21, 184-221.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> firms = ["AAPL", "AMD", "MSFT", "NVDA"]
    >>> news = pd.DataFrame({"ticker": firms, "announced_at": "2018-06-15"})
    >>> print(es.study(news, "sample").test("mvrm", (0, 1)))
    MVRM F: F(4,215) = 0.77, p = 0.5471, 4 events
    """
    system = common_system(sample, window)
    n, nu = system.residuals.shape[1], system.nu
    observed = quadratic(system, system.gamma.sum(axis=0)) / system.V.sum()
    F = f_value(observed * (nu - n + 1) / n, n, nu - n + 1)
    if len(window) > 1:
        return F
    days = left_out(system)
    upper = (1 + (days >= observed).sum()) / (len(days) + 1)
    return Value(F.statistic, np.nan, "placebo days", upper=float(upper))


@statistic(
    "mvrm_wilks", label="MVRM Wilks F", minimum=1, robust=("yes", "n/a", "no", "no"),
    null="every abnormal return of every event in the window is zero",
    reference="F(N L,Rao), exact under normality if N or L is 1 or 2",
    source="Wilks (1932); Rao (1951); Schipper and Thompson (1983)", about_mean=False,
    of_every_event=True,
)  # fmt: skip
def mvrm_wilks(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the F-statistic for the hypothesis that all abnormal returns of the events are zero.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events with the same date, as decimals (0.01 is 1%). Each event has
        returns on all days of `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The F-statistic by Rao's formula. The p-value comes from Fisher's F distribution with N L
        and df_2 degrees of freedom. The notes have the formula of df_2.

    Raises
    ------
    InapplicableError
        If :func:`mvrm` raises this error.

    Notes
    -----
    .. math::

        \Lambda = \frac{|E'E|}{|E'E + G' V^{-1} G|}, \quad
        F = \frac{1 - \Lambda^{1/s}}{\Lambda^{1/s}} \frac{df_2}{N L}

        s^2 = \frac{N^2 L^2 - 4}{N^2 + L^2 - 5}, \quad
        df_2 = s \Bigl(\nu + L - \frac{N + L + 1}{2}\Bigr) - \frac{N L}{2} + 1

    - E is the matrix of the residuals of the N events on the estimation days.
    - G is the matrix of the abnormal returns in the window, with L rows and N columns.
    - The bars stand for determinants.
    - V is the matrix of :func:`portfolio`.
    - :math:`\nu` is the number of estimation days minus the number of parameters of the model.

    For a window of one day, F equals the F of :func:`mvrm`, but the p-value still comes from the F
    distribution.

    The test gives too many false alarms. Over one day, it gives about 10% instead of 5% if returns
    have fat tails, and 15% if they are skewed.

    Missing data are treated as in :func:`portfolio`.

    References
    ----------
    Wilks, S. S. (1932), Certain generalizations in the analysis of variance, Biometrika 24,
    471-494. Rao, C. R. (1951), An asymptotic expansion of the distribution of Wilks' criterion,
    Bulletin of the International Statistical Institute 33, 177-180.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> firms = ["AAPL", "AMD", "MSFT", "NVDA"]
    >>> news = pd.DataFrame({"ticker": firms, "announced_at": "2018-06-15"})
    >>> print(es.study(news, "sample").test("mvrm_wilks", (0, 1)))
    MVRM Wilks F: F(8,430) = 0.99, p = 0.4452, 4 events
    """
    system = common_system(sample, window)
    E, (L, n) = system.residuals.T @ system.residuals, system.gamma.shape
    G = system.gamma.T @ np.linalg.solve(system.V, system.gamma)
    log = np.linalg.slogdet(E)[1] - np.linalg.slogdet(E + G)[1]
    s = np.sqrt((n**2 * L**2 - 4) / (n**2 + L**2 - 5)) if n**2 + L**2 > 5 else 1.0
    df2 = s * (system.nu + L - (n + L + 1) / 2) - n * L / 2 + 1
    return f_value(np.expm1(-log / s) * df2 / (n * L), n * L, df2)


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
    """Return the regression that events on one date have in common.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window
    ranked : bool
        Whether the covariance of their residuals must be regular.

    Raises
    ------
    InapplicableError
        If they differ in date, days or regressors, or are too many for an (N, N) covariance.
    """
    require(len(np.unique(sample.windows.day0)) <= 1, "several_dates")
    used = np.isfinite(sample.resid).all(axis=0)
    cols = sample.columns(window)
    spans = sample.length[:, cols]
    days = spans[0] > 0
    x = sample.x_estimation[:, used]
    x_event = sample.x_event[:, cols][:, days]
    alike = all((values == values[:1]).all() for values in (spans, x, x_event, sample.df_resid))
    require(alike and (sample.nobs == used.sum()).all(), "events_differ")
    usual = np.allclose(sample.noise[:, cols], sample.sigma2[:, None] * spans, rtol=1e-9, atol=0)
    require(usual, "variance_of_each_event")
    residuals = sample.resid[:, used].T
    bread = sample.bread[0]
    nu = int(sample.df_resid[0])
    if nu < sample.nobs[0] - sample.k:
        residuals = residuals - residuals.mean(axis=0)
    if ranked:
        _check_rank(residuals, nu)
    V = np.diag(spans[0, days].astype(float)) + x_event[0] @ bread @ x_event[0].T
    hat = np.einsum("mk,kj,mj->m", x[0], bread, x[0])
    return System(residuals, sample.ar[:, cols][:, days].T, hat, V, nu)


def _check_rank(residuals: FloatArray, nu: int) -> None:
    n = residuals.shape[1]
    require(n < nu, "events_per_freedom", n=n, df=nu)
    scale = np.sqrt((residuals**2).sum(axis=0))
    is_full = (scale != 0).all() and np.linalg.matrix_rank(residuals / scale) == n
    require(is_full, "dependent_residuals")


def quadratic(system: System, values: FloatArray) -> FloatArray:
    """Return the quadratic forms v'(E'E)^-1 v of rows, shape (...).

    Parameters
    ----------
    system : System
    values : (..., N) float array
    """
    E = system.residuals
    return np.asarray((values * np.linalg.solve(E.T @ E, values.T).T).sum(axis=-1))


def left_out(system: System) -> FloatArray:
    r"""Return T2/nu of each estimation day predicted without itself, shape (M,).

    Notes
    -----
    .. math:: \frac{q}{(1 - h) (1 - q / (1 - h))}, \quad q = e' (E'E)^{-1} e
    """
    q = quadratic(system, system.residuals)
    keep = 1 - system.hat
    return q / (1 - q / keep) / keep
