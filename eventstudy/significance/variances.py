"""Tests of event-induced variance."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns, form
from ..calendars import Window
from ..dependence import require
from ..utility import FloatArray
from ._base import Value, statistic
from .ranks import Totals, rank_z, scaled_ranks


@statistic(
    "patell_u", label="Patell U (variance)", minimum=5, robust=("no", "no", "n/a", "no"),
    null="standardised abnormal returns have the same variance in the window as before",
    reference="N(0,1)", source="Patell (1976)", about_mean=False, standardised=True,
)  # fmt: skip
def patell_u(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Patell's U, which compares the variance of returns in the window with that before it.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The z-statistic, which is positive if returns vary more in the window than on estimation
        days.

    Raises
    ------
    InapplicableError
        If an event has at most four more estimation days than the model has parameters.

    Notes
    -----
    .. math::

        U = \sum_{i,t} \Bigl[ SAR_{it}^2 \frac{\nu_i - 2}{\nu_i} - 1 \Bigr] \Big/
        \sqrt{\sum_{i,t} \frac{2 (\nu_i - 1)}{\nu_i - 4}}

    - The two sums run over the events i and the days t of the window.
    - :math:`SAR_{it}` is the standardised abnormal return of event i on day t: the abnormal return
      divided by its standard error.
    - :math:`\nu_i` is the number of estimation days of event i minus the number of parameters of
      the model.

    The p-value is right only if returns are normal. If returns follow Student's t distribution with
    5 degrees of freedom, which has fat tails, 17% of tests are false alarms instead of 5%.

    Missing data: both sums leave out days on which the event has no abnormal return.

    References
    ----------
    Patell, J. M. (1976), Corporate forecasts of earnings per share and stock price behavior:
    empirical tests, Journal of Accounting Research 14, 246-276.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("patell_u", (0, 1)))
    Patell U (variance): N(0,1) = 15.27, p < 0.0001, 6 events
    """
    nu = sample.df_resid
    require((nu > 4).all(), "few_degrees", n=int((nu <= 4).sum()), most=4)
    square = sample.sar_over(window) ** 2
    counted = np.isfinite(square) & sample.inside(window)
    excess = np.where(counted, square * ((nu - 2) / nu)[:, None] - 1, 0.0).sum()
    spread = (counted * (2 * (nu - 1) / (nu - 4))[:, None]).sum()
    return Value(float(excess / np.sqrt(spread)), np.inf)


@statistic(
    "rank_variance", label="Rank of |SAR| (variance)", minimum=5,
    robust=("yes", "no", "n/a", "yes"),
    null="absolute standardised abnormal returns have the same mean rank in the window as on other "
    "days",
    reference="N(0,1)", source="Corrado (1989), of absolute values", about_mean=False,
    uses_residuals=True, standardised=True, role="raised variance",
)  # fmt: skip
def rank_variance(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic of Corrado's rank test, applied to absolute abnormal returns.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The z-statistic. It is positive if abnormal returns are larger in size in the window than on
        other days.

    Raises
    ------
    InapplicableError
        If the mean rank of the events is the same on all days.

    Notes
    -----
    .. math:: Z = \frac{\sum_{t \in W} g_t}{\sqrt L \, S}

    - SAR is the standardised abnormal return of a day: the abnormal return divided by its standard
      error. On an estimation day, the standard error comes from a model that was estimated without
      this day.
    - :math:`g_t` and S are computed as in :func:`corrado`, but from the ranks of |SAR|.
    - W is the tested window. It has L days.

    An effect on the mean of returns also makes |SAR| larger. If this effect is the same for all
    events, the test :func:`brown_forsythe` does not mistake it for a change of the variance. If
    returns have heavy tails, the rank test stays valid: about 5% of tests are false alarms.

    Missing data: a missing day has no rank.

    References
    ----------
    Corrado, C. J. (1989), A nonparametric test for abnormal security-price performance in event
    studies, Journal of Financial Economics 23, 385-395. In the paper, the test ranks abnormal
    returns with their signs.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("rank_variance", (0, 1)))
    Rank of |SAR| (variance): N(0,1) = 0.44, p = 0.6635, 6 events
    """
    return rank_z(sample, window, Totals.once(sample, "rank_variance", rank_magnitudes))


@statistic(
    "brown_forsythe", label="Brown-Forsythe (variance)", minimum=10,
    robust=("no", "no", "n/a", "fair"),
    null="standardised abnormal returns have the same mean distance from their median in the "
    "window and on other days",
    reference="t(days-2), its square is F(1,days-2)", source="Brown and Forsythe (1974)",
    about_mean=False, uses_residuals=True, standardised=True,
)  # fmt: skip
def brown_forsythe(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return a t-statistic that compares the spread of returns on event days and estimation days.

    Parameters
    ----------
    sample : AbnormalReturns
        The abnormal returns of N events, as decimals (0.01 is 1%).
    window : Window
        The tested window, in days counted from day 0.

    Returns
    -------
    Value
        The t-statistic, and its n_1 + n_2 - 2 degrees of freedom (n_1 and n_2 are explained below).

    Raises
    ------
    InapplicableError
        If the tested windows of all events together have fewer than three abnormal returns.

    Notes
    -----
    .. math:: z_{jd} = |SAR_{jd} - \operatorname{median}_j|, \quad
        t = \frac{\bar z_1 - \bar z_2}{s_p \sqrt{1/n_1 + 1/n_2}}

    - Group j = 1 has the :math:`n_1` values of SAR of all events on the days of the tested window.
      Group j = 2 has the :math:`n_2` values of SAR on the estimation days.
    - The values of group j are :math:`SAR_{jd}` with d = 1, 2, and so on. SAR is an abnormal return
      divided by its standard error. On an estimation day, the standard error comes from a model
      that was estimated without this day.
    - :math:`z_{jd}` is the absolute difference between :math:`SAR_{jd}` and the median of group j.
      Its mean in group j is :math:`\bar z_j`.
    - :math:`s_p` is the pooled standard deviation of all :math:`z_{jd}`.

    If t is positive, returns vary more on event days. The square of t is the F statistic of
    Levene's test around medians. If the effects of events differ, the test counts the differences
    as variance.

    Missing data: the test leaves out days without a return.

    References
    ----------
    Brown, M. B. and Forsythe, A. B. (1974), Robust tests for the equality of variances, Journal of
    the American Statistical Association 69, 364-367.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("brown_forsythe", (0, 1)))
    Brown-Forsythe (variance): t(2662) = -0.31, p = 0.7602, 12 events
    """
    from scipy.stats import ttest_ind

    days, ahead = np.split(standardise(sample), [sample.resid.shape[1]], axis=1)
    groups = (v[np.isfinite(v)] for v in (ahead[:, sample.columns(window)], days))
    event, estimation = (np.abs(v - np.median(v)) for v in groups)
    require(len(event) >= 3, "event_days_for_spread", n=len(event), needed=3)
    df = float(len(event) + len(estimation) - 2)
    return Value(float(ttest_ind(event, estimation).statistic), df)


def rank_magnitudes(sample: AbnormalReturns) -> FloatArray:
    """Return the centred ranks of |SAR|, shape (n, L1+L2)."""
    return scaled_ranks(np.abs(standardise(sample)))


def standardise(sample: AbnormalReturns) -> FloatArray:
    r"""Return every day standardised as if it were the event day, shape (n, L1+L2).

    Notes
    -----
    On estimation days, with s estimated without day t and the leverage h,

    .. math:: \frac{e_t}{s_{(t)} \sqrt{1 - h_t}}

    and on event days the SAR: both follow t. With one s for all, residuals are bounded and event
    days look more variable than they are.
    """
    x = np.nan_to_num(sample.x_estimation)
    nu = sample.df_resid[:, None]
    free = 1 - form(x, sample.bread)
    remaining = nu * sample.sigma2[:, None] * free - sample.resid**2
    spread = np.sqrt(np.where(remaining > 0, remaining, np.nan) / (nu - 1))
    return np.hstack([sample.resid / spread, sample.sar])
