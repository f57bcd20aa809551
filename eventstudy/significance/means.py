"""Tests of the mean CAR across independent events: plain, jackknifed, adjusted for skewness."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import require
from ..utility import FloatArray, chunks
from ._base import EQUAL, Value, statistic, t_of_mean

NULL = "the mean CAR is zero"
MIN_VALUES = 3
# Resamples are a quarter of the sample (Lyon, Barber and Tsai 1999).
SHARE = 4
QUANTILES = (0.025, 0.975)
# Values that are drawn at a time.
BLOCK = 1 << 20


@statistic(
    "cross_sectional", label="Cross-sectional t", minimum=2, robust=("no", "no", "yes", "fair"),
    core=True, null=NULL, reference="t(N-1)", source="Brown and Warner (1980)",
)  # fmt: skip
def cross_sectional(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean CAR, based on the differences between the CARs.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom, N-1.

    Raises
    ------
    InapplicableError
        If there is one event, or all events have the same CAR.

    Notes
    -----
    .. math:: t = \frac{CAAR}{sd(CAR) / \sqrt N}

    - CAAR is the mean CAR of the N events.
    - sd(CAR) is the standard deviation of the CARs, with the divisor N-1.

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
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("cross_sectional", (0, 1)))
    Cross-sectional t: t(5) = -0.87, p = 0.4233, 6 events
    """
    return t_of_mean(sample.car(window))


@statistic(
    "jackknife", label="Jackknife", minimum=2, robust=("no", "no", "yes", "fair"), null=NULL,
    reference="t(N-1)", source="Tukey (1958); Giaccotto and Sfiridis (1996)",
)  # fmt: skip
def jackknife(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean CAR, computed by leaving out one event at a time.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom, N-1.

    Raises
    ------
    InapplicableError
        If there is one event, or all events have the same CAR.

    Notes
    -----
    .. math:: p_i = N \, CAAR - (N - 1) \, CAAR_{(-i)}

    - CAAR is the mean CAR of the N events, and :math:`CAAR_{(-i)}` the mean CAR without event i.
    - :math:`p_i` is the pseudo-value of event i.

    The statistic is the textbook t-statistic of the N pseudo-values.

    Missing data are treated as in :func:`cross_sectional`.

    References
    ----------
    Tukey, J. W. (1958), Bias and confidence in not-quite large samples (abstract), Annals of
    Mathematical Statistics 29, 614. Giaccotto, C. and Sfiridis, J. M. (1996), Hypothesis testing in
    event studies: the case of variance changes, Journal of Economics and Business 48, 349-370.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("jackknife", (0, 1)))
    Jackknife: t(5) = -0.87, p = 0.4233, 6 events
    """
    car = sample.car(window)
    n = len(car)
    without = (car.sum() - car) / (n - 1) if n > 1 else np.zeros(n)
    return t_of_mean(n * car.mean() - (n - 1) * without)


@statistic(
    "hall", label="Skewness-adjusted t (Hall)", minimum=20, robust=("no", "no", "yes", "yes"),
    null=NULL, reference="t(N-1)", source="Hall (1992)",
)  # fmt: skip
def hall(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean CAR, corrected for skewness by Hall's formula.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom, N-1.

    Raises
    ------
    InapplicableError
        If there are fewer than three events, or all events have the same CAR.

    Notes
    -----
    .. math:: t_H = t + \frac{g}{\sqrt N} \Bigl(\frac{t^2}{3} + \frac16\Bigr)
        + \frac{g^2 t^3}{27 N}

    - t is the statistic of :func:`cross_sectional`.
    - g is the skewness of the N CARs, corrected for bias.

    Missing data are treated as in :func:`cross_sectional`.

    References
    ----------
    Hall, P. (1992), On the removal of skewness by transformation, Journal of the Royal Statistical
    Society, Series B 54, 221-228.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 4
    >>> days = pd.bdate_range("2016-03-01", periods=24, freq="60B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("hall", (0, 1)))
    Skewness-adjusted t (Hall): t(23) = 0.32, p = 0.7534, 24 events
    """
    return hall_t(sample.car(window))


@statistic(
    "johnson", label="Skewness-adjusted t (Johnson)", minimum=20, robust=("no", "no", "yes", "yes"),
    null=NULL, reference="t(N-1)", source="Johnson (1978); Lyon, Barber and Tsai (1999)",
)  # fmt: skip
def johnson(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean CAR, corrected for skewness by Johnson's formula.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom, N-1.

    Raises
    ------
    InapplicableError
        If there is one event, or all events have the same CAR.

    Notes
    -----
    .. math:: t_J = t + \frac{g}{6 \sqrt N} (2 t^2 + 1), \quad
        g = \frac{\sum_i (CAR_i - CAAR)^3}{N s^3}

    - t is the statistic of :func:`cross_sectional`.
    - g is the skewness of the CARs.
    - CAAR is the mean CAR of the N events.
    - s is the standard deviation of the CARs, with the divisor N-1.

    Missing data are treated as in :func:`cross_sectional`.

    References
    ----------
    Johnson, N. J. (1978), Modified t tests and confidence intervals for asymmetrical populations,
    Journal of the American Statistical Association 73, 536-544. Lyon, J. D., Barber, B. M. and
    Tsai, C.-L. (1999), Improved methods for tests of long-run abnormal stock returns, Journal of
    Finance 54, 165-201.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 4
    >>> days = pd.bdate_range("2016-03-01", periods=24, freq="60B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("johnson", (0, 1)))
    Skewness-adjusted t (Johnson): t(23) = 0.32, p = 0.7539, 24 events
    """
    return johnson_t(sample.car(window))


@statistic(
    "johnson_bootstrap", label="Johnson bootstrap", minimum=20, robust=("no", "no", "yes", "yes"),
    null=NULL, reference="bootstrap", source="Lyon, Barber and Tsai (1999)",
)  # fmt: skip
def johnson_bootstrap(sample: AbnormalReturns, window: Window) -> Value:
    """Return Johnson's t-statistic of the mean CAR, with a p-value from random samples of the CARs.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`. The settings ``draws`` and ``seed`` of ``sample.conventions`` are the number B of
        random samples and the seed of the random numbers.
    window : Window

    Returns
    -------
    Value
        The t-statistic of :func:`johnson`. The p-value comes from the rank of this statistic among
        the statistics of B random samples.

    Raises
    ------
    InapplicableError
        If there are fewer than 12 events, or all events have the same CAR.

    Notes
    -----
    The test draws B random samples. Each has floor(N/4) CARs, drawn with replacement from the CARs
    of the study. For each random sample, the test computes Johnson's statistic of the hypothesis
    that its mean equals the mean CAR of the study.

    The one-sided p-value of a positive mean is (1 + m) / (1 + B). Here m is the number of random
    samples whose statistic is at least as large as the statistic of the study. For a negative mean,
    m counts the statistics that are at most as large. The two-sided p-value is twice the smaller of
    these two p-values.

    Missing data are treated as in :func:`cross_sectional`.

    References
    ----------
    Lyon, J. D., Barber, B. M. and Tsai, C.-L. (1999), Improved methods for tests of long-run
    abnormal stock returns, Journal of Finance 54, 165-201.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("johnson_bootstrap", (0, 1)))
    Johnson bootstrap: bootstrap = -0.76, p = 0.5960, 12 events (12 events, 20 needed to rely on it)
    """
    car = sample.car(window)
    ordered = car[np.argsort(np.abs(car))]
    draws, seed = sample.conventions.draws, sample.conventions.seed
    return resample_johnson(ordered, draws=draws, seed=seed)[0]


def hall_t(values: FloatArray) -> Value:
    """Return Hall's transformed t of the mean of N values (:func:`hall`), with N-1 degrees."""
    from scipy.stats import skew

    t, df = t_of_mean(values)[:2]
    n = len(values)
    require(n >= MIN_VALUES, "events_for_skewness", n=n, needed=MIN_VALUES)
    g = float(skew(values, bias=False))
    return Value(t + g * (t**2 / 3 + 1 / 6) / np.sqrt(n) + g**2 * t**3 / (27 * n), df)


def johnson_t(values: FloatArray) -> Value:
    """Return Johnson's modified t of the mean of N values (:func:`johnson`), with N-1 degrees."""
    df = t_of_mean(values).df
    return Value(float(johnson_statistic(values[None])[0]), df)


OF_VALUES: dict[str, Callable[[FloatArray], Value]] = {
    "t": t_of_mean, "hall": hall_t, "johnson": johnson_t,
}  # fmt: skip
RESAMPLED = "johnson_bootstrap"
# The tests of the mean of any values, such as buy-and-hold returns, by the names of their rows.
TESTS_OF_VALUES = (*OF_VALUES, RESAMPLED)


def johnson_statistic(rows: FloatArray, centre: float = 0.0) -> FloatArray:
    """Return Johnson's statistic of the hypothesis mean = `centre` for each row, shape (B,).

    Parameters
    ----------
    rows : (B, m) float array
        A row without variance has an infinite statistic with the sign of its deviation.
    centre : float
    """
    m = rows.shape[1]
    deviation = rows - rows.mean(axis=1, keepdims=True)
    s = rows.std(axis=1, ddof=1)
    gap = rows.mean(axis=1) - centre
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.sqrt(m) * gap / s
        g = (deviation**3).sum(axis=1) / (m * s**3)
        adjusted = t + g * (2 * t**2 + 1) / (6 * np.sqrt(m))
    varies = s > EQUAL * np.abs(rows).max(axis=1)
    return np.where(varies, adjusted, np.where(gap == 0, 0.0, np.copysign(np.inf, gap)))


def resample_johnson(
    values: FloatArray, *, draws: int, seed: int
) -> tuple[Value, tuple[float, float]]:
    """Return Johnson's t of a mean with its place among resamples, and their 2.5 and 97.5 % points.

    Parameters
    ----------
    values : (N,) float array
    draws, seed : int
        B, and the seed of the generator.

    Returns
    -------
    Value
        The tails are (1 + #{t* <= t}) / (1 + B) and (1 + #{t* >= t}) / (1 + B).
    (float, float)
        Outside of these the hypothesis is rejected at 5 %.

    Raises
    ------
    InapplicableError
        If a resample would hold fewer than 3 values, or the values do not differ.

    Notes
    -----
    The hypothesis is that the mean is zero. Resamples of size floor(N/4), drawn with replacement,
    are centred at the sample mean (Lyon, Barber and Tsai 1999).
    """
    n = len(values)
    size = n // SHARE
    observed = johnson_t(values).statistic
    require(n >= SHARE * MIN_VALUES, "events_to_resample", n=n, needed=SHARE * MIN_VALUES)
    rng = np.random.default_rng(seed)
    mean = float(values.mean())
    blocks = chunks(draws, max(1, BLOCK // size))
    drawn = (rng.integers(0, n, (block.stop - block.start, size)) for block in blocks)
    stars = np.concatenate([johnson_statistic(values[index], mean) for index in drawn])
    tails = (stars <= observed, stars >= observed)
    lower, upper = ((1 + int(tail.sum())) / (1 + draws) for tail in tails)
    # Between finite and infinite neighbours there is nothing to interpolate.
    finite = np.isfinite(stars).all()
    low, high = np.quantile(stars, QUANTILES, method="linear" if finite else "nearest")
    return Value(observed, np.nan, "bootstrap", lower, upper), (float(low), float(high))


def mean_test(
    name: str, values: FloatArray, *, draws: int, seed: int
) -> tuple[Value, str, tuple[float, float]]:
    """Return a test of the mean of any values, its law in words, and its two critical values.

    Parameters
    ----------
    name : str
        One of :data:`TESTS_OF_VALUES`.
    values : (N,) float array
    draws, seed : int
        Of the test that draws.

    Raises
    ------
    InapplicableError
        If the values are too few, or do not differ.
    """
    from scipy.special import stdtrit

    if name == RESAMPLED:
        value, ends = resample_johnson(values, draws=draws, seed=seed)
        return value, f"{draws} resamples of {len(values) // SHARE}", ends
    value = OF_VALUES[name](values)
    low, high = stdtrit(value.df, QUANTILES)
    return value, f"t({value.df:g})", (float(low), float(high))
