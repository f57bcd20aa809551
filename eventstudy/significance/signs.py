"""Tests of the signs of CARs: sign, exact sign, generalized sign, and Wilcoxon's signed ranks."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import require
from ..utility import FloatArray
from ._base import Value, statistic
from .placebo import consecutive_sums
from .ranks import DECIMALS, positive_cars

EVEN = "CARs are positive and negative with equal chance"
# Of more CARs, or with ties, Wilcoxon's statistic has its normal law.
EXACT_LIMIT = 60


@statistic(
    "sign", label="Sign", minimum=10, robust=("no", "no", "yes", "no"), null=EVEN,
    reference="N(0,1)", source="Brown and Warner (1980)", about_mean=False, skewed=(0.122, 0.496),
)  # fmt: skip
def sign(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic that compares the number of positive CARs with half of the events.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The z-statistic.

    Notes
    -----
    .. math:: z = \frac{n_+ - N/2}{\sqrt N / 2}

    - :math:`n_+` is the number of positive CARs. The test first rounds CARs to 12 decimals. A CAR
      of zero is not positive.
    - N is the number of events.

    Missing data: the test leaves out an event that has no abnormal return on some day of the
    window, unless the setting ``missing`` keeps the event.

    References
    ----------
    Brown, S. J. and Warner, J. B. (1980), Measuring security price performance, Journal of
    Financial Economics 8, 205-258.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("sign", (0, 1)))
    Sign: N(0,1) = -1.15, p = 0.2482, 12 events
    """
    n = len(sample)
    z = (positive_cars(sample, window) - n / 2) / (np.sqrt(n) / 2)
    return Value(float(z), np.inf)


@statistic(
    "sign_exact", label="Sign (exact)", minimum=6, robust=("no", "no", "yes", "no"), null=EVEN,
    reference="binomial(N,1/2)", source="Dixon and Mood (1946)", about_mean=False,
    skewed=(0.122, 0.496),
)  # fmt: skip
def sign_exact(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic of the sign test, and its p-value from the binomial distribution.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The z-statistic of :func:`sign`, with an exact p-value.

    Notes
    -----
    .. math:: P(n_+ \le k) = 2^{-N} \sum_{j \le k} \binom{N}{j}

    - :math:`n_+` is the number of positive CARs, counted as in :func:`sign`.
    - N is the number of events.

    The two-sided p-value is twice the smaller one-sided p-value. With fewer than 6 events, the
    two-sided p-value cannot be below 0.05.

    Missing data are treated as in :func:`sign`.

    References
    ----------
    Dixon, W. J. and Mood, A. M. (1946), The statistical sign test, Journal of the American
    Statistical Association 41, 557-566.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("sign_exact", (0, 1)))
    Sign (exact): exact = 0.00, p = 1.0000, 6 events
    """
    from scipy.special import bdtr, bdtrc

    n = len(sample)
    positive = positive_cars(sample, window)
    lower = float(bdtr(positive, n, 0.5))
    upper = float(bdtrc(positive - 1, n, 0.5)) if positive else 1.0
    return Value(sign(sample, window).statistic, np.nan, "exact", lower, upper)


@statistic(
    "generalized_sign", label="Generalized sign", minimum=10, robust=("no", "no", "yes", "yes"),
    null="CARs are positive as often in the window as in periods of the same length in the "
    "estimation window",
    reference="N(0,1)",
    source="Cowan (1992)", about_mean=False, core=True, uses_residuals=True,
)  # fmt: skip
def generalized_sign(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic of the number of positive CARs, compared with estimation days.

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
        The z-statistic.

    Raises
    ------
    InapplicableError
        If no event has L consecutive estimation days, or if all sums of residuals over L
        consecutive estimation days have the same sign.

    Notes
    -----
    .. math:: z = \frac{n_+ - N \hat p}{\sqrt{N \hat p (1 - \hat p)}}

    - :math:`n_+` is the number of positive CARs.
    - N is the number of events.
    - :math:`\hat p` is the mean of :math:`p_i` over the events.
    - To get :math:`p_i`, the test sums the residuals of event i over every L consecutive estimation
      days. The proportion of positive sums is :math:`p_i`.

    Missing data: the test leaves out a sum if one of its L residuals is missing. Missing CARs are
    treated as in :func:`sign`.

    References
    ----------
    Cowan, A. R. (1992), Nonparametric event study tests, Review of Quantitative Finance and
    Accounting 2, 343-358.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("generalized_sign", (0, 1)))
    Generalized sign: N(0,1) = -1.06, p = 0.2879, 12 events
    """
    L = len(window)
    require(len(sample.windows.estimation) >= L, "long_window")
    share = sample.of_each_event(("positive_share", L), partial(_shares, length=L))
    require(not np.isnan(share).all(), "no_spell", length=L)
    p = float(np.nanmean(share))
    require(0 < p < 1, "one_sign")
    n = len(sample)
    return Value((positive_cars(sample, window) - n * p) / np.sqrt(n * p * (1 - p)), np.inf)


def _shares(study: AbnormalReturns, *, length: int) -> FloatArray:
    return np.concatenate(list(study.by_chunk(lambda events: positive_share(events.resid, length))))


def positive_share(resid: FloatArray, length: int) -> FloatArray:
    """Return the share of positive sums of consecutive residuals, shape (n,); NaN without a sum.

    Parameters
    ----------
    resid : (n, L1) float array
    length : int
        Days of a sum; a sum with a gap does not count.
    """
    sums = consecutive_sums(resid, length)
    count = np.isfinite(sums).sum(axis=1)
    positive = (np.round(sums, DECIMALS) > 0).sum(axis=1)
    return np.asarray(positive / np.where(count > 0, count, np.nan))


@statistic(
    "wilcoxon", label="Wilcoxon", minimum=6, robust=("no", "no", "yes", "no"),
    null="CARs are symmetric about zero", reference="exact, N(0,1) with ties or above 60 events",
    source="Wilcoxon (1945)", about_mean=False, skewed=(0.07, 0.226),
)  # fmt: skip
def wilcoxon(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic of Wilcoxon's signed-rank test of the CARs.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The z-statistic. The p-value comes from the exact distribution of the sum of ranks. If two
        CARs have the same size, or if there are more than 60 CARs, the p-value comes from z and the
        standard normal distribution N(0,1).

    Raises
    ------
    InapplicableError
        If every CAR is zero.

    Notes
    -----
    .. math::

        z = \frac{W_+ - N (N + 1) / 4}{\sqrt{N (N + 1)(2N + 1) / 24 - \sum_j (t_j^3 - t_j) / 48}}

    - N is the number of CARs that are not zero. The test first rounds CARs to 12 decimals.
    - :math:`W_+` is the sum of the ranks of the positive CARs. The ranks are those of all N values
      of |CAR|.
    - :math:`t_j` is the number of CARs in tie j. Several equal values of |CAR| form a tie.

    Missing data: the test leaves out an event that has no abnormal return on some day of the
    window, unless the setting ``missing`` keeps the event.

    References
    ----------
    Wilcoxon, F. (1945), Individual comparisons by ranking methods, Biometrics Bulletin 1, 80-83.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("wilcoxon", (0, 1)))
    Wilcoxon: exact = -0.73, p = 0.5625, 6 events
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    car = np.round(sample.car(window), DECIMALS)
    car = car[car != 0]
    n = len(car)
    require(n > 0, "zero_cars")
    ranks = rankdata(np.abs(car))
    _, ties = np.unique(ranks, return_counts=True)
    variance = n * (n + 1) * (2 * n + 1) / 24 - (ties**3 - ties).sum() / 48
    z = float((ranks[car > 0].sum() - n * (n + 1) / 4) / np.sqrt(variance))
    if n > EXACT_LIMIT or (ties > 1).any():
        return Value(z, np.inf)
    exact = partial(signed_rank, car, method="exact")
    lower, upper = (float(exact(alternative=side).pvalue) for side in ("less", "greater"))
    return Value(z, np.nan, "exact", lower, upper)
