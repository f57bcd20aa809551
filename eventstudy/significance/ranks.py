"""Rank tests: Corrado's and Corrado and Zivney's over days, Kolari and Pynnonen's of the CAR."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums, require
from ..utility import FloatArray, IntArray
from ._base import Value, statistic, t_of_mean

# docs/methods/tests.md: without rounding, noise of 1e-17 would break ties.
DECIMALS = 12
# Day sums below this are the rounding of sums that cancel.
TIED = 1e-9

# Scores of events, (n, T).
Scores = Callable[[AbnormalReturns], FloatArray]


class Totals(NamedTuple):
    """Sums of the scores of each day, and the number of scores, each (T,)."""

    total: FloatArray
    days: IntArray

    @classmethod
    def of(cls, scores: FloatArray) -> Totals:
        """Return the totals of scores (n, T); NaN = no score."""
        scored = np.isfinite(scores)
        return cls(np.where(scored, scores, 0.0).sum(axis=0), scored.sum(axis=0))

    @classmethod
    def over(cls, sample: AbnormalReturns, scores: Scores) -> Totals:
        """Return the totals of scores that are computed chunk by chunk.

        Parameters
        ----------
        sample : AbnormalReturns
        scores : callable
            Takes events and returns their scores, (n, T).
        """
        totals = list(sample.by_chunk(lambda events: cls.of(scores(events))))
        return cls(*(np.sum(arrays, axis=0) for arrays in zip(*totals, strict=True)))

    @classmethod
    def once(cls, sample: AbnormalReturns, name: str, scores: Scores) -> Totals:
        """Return the totals of scores of each event by itself, kept under `name`.

        Parameters
        ----------
        sample : AbnormalReturns
            Of a sample of most of many events the totals are those of all less those of the rest.
        name : str
        scores : callable
            As in :meth:`over`.
        """
        key = ("totals", name)
        return sample.cached(key, lambda: cls._added(sample, name, scores), any_convention=True)

    @classmethod
    def _added(cls, sample: AbnormalReturns, name: str, scores: Scores) -> Totals:
        """Return the totals from others that are known, or over all events.

        A group does not take its totals from those of all, which are the sum over the groups.
        """
        left_out, whole = sample.left_out, sample.taken_from
        if left_out is not None and whole is not None and not sample.is_group:
            every = cls.once(whole, name, scores)
            minus = cls.over(whole.take(left_out), scores)
            return cls(every.total - minus.total, every.days - minus.days)
        if groups := sample.groups:
            totals = [cls.once(group, name, scores) for group in groups]
            return cls(*(sum(arrays) for arrays in zip(*totals, strict=True)))
        return cls.over(sample, scores)

    def scaled(self, same_date: float) -> FloatArray:
        r"""Return the sums scaled to equal variance across days, shape (T,); NaN without scores.

        Notes
        -----
        With :math:`N_t` scores on day t and the mean same-date correlation :math:`r_0`:

        .. math:: g_t = \sum_i U_{it} / \sqrt{N_t (1 + (N_t - 1) r_0)}
        """
        scale = np.sqrt(self.days * (1 + (self.days - 1) * same_date))
        return np.where(self.days > 0, self.total / np.where(self.days > 0, scale, 1.0), np.nan)


def scaled_ranks(values: FloatArray) -> FloatArray:
    """Return the centred ranks K/(T_i+1) - 1/2 of each row, shape (n, T); NaN without a value.

    Examples
    --------
    >>> scaled_ranks(np.array([[0.03, -0.01, np.nan, 0.03]]))
    array([[ 0.125, -0.25 ,    nan,  0.125]])
    """
    values = np.round(values, DECIMALS)
    return np.asarray(_ranked(values) / (np.isfinite(values).sum(axis=1, keepdims=True) + 1) - 0.5)


def _ranked(values: FloatArray) -> FloatArray:
    """Rank each row from 1; rows with ties, which are rare, by scipy."""
    order = np.argsort(values, axis=1)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, values.shape[1] + 1)[None], axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        from scipy.stats import rankdata

        ranks[tied] = rankdata(values[tied], axis=1, nan_policy="omit")
    ranks[np.isnan(values)] = np.nan
    return ranks


def day_sums(scores: FloatArray, same_date: float) -> FloatArray:
    """Return the day sums of scores, scaled to equal variance across days, shape (T,).

    Parameters
    ----------
    scores : (n, T) float array
        NaN = no score; a day without any is NaN.
    same_date : float
        Mean same-date correlation r0 (docs/methods/tests.md, unequal histories).
    """
    return Totals.of(scores).scaled(same_date)


def same_date_mean(sample: AbnormalReturns, window: Window) -> float:
    """Return r0, the mean same-date correlation of the events; 0 for one event.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    return WeightedSums(sample, window).correlation.same_date if len(sample) > 1 else 0.0


def scaled_total(sample: AbnormalReturns, window: Window, same_date: float) -> float:
    """Return the sum of the CARs over sqrt(N (1 + (N-1) r0)), with windows that end where they end.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window
    same_date : float
        r0.
    """
    n = len(sample)
    total = sample.unextended.level_car(window).sum() / np.sqrt(n * (1 + (n - 1) * same_date))
    return float(total)


def all_days(sample: AbnormalReturns) -> FloatArray:
    """Return residuals and abnormal returns side by side, shape (n, L1+L2); see event_days."""
    return np.hstack([sample.resid, event_days(sample)])


def event_days(sample: AbnormalReturns) -> FloatArray:
    """Return the abnormal returns (n, L2); one over m sessions is divided by sqrt(m)."""
    return sample.ar / np.sqrt(np.maximum(sample.length, 1))


def positive_cars(sample: AbnormalReturns, window: Window) -> int:
    """Return the number of CARs above 0 after rounding.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    return int((np.round(sample.car(window), DECIMALS) > 0).sum())


def rank_z(sample: AbnormalReturns, window: Window, totals: Totals) -> Value:
    r"""Return the standardised sum of the day sums of scores over the window.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window
        The tested window. It has L days.
    totals : Totals
        Of the scores of all T = L1+L2 days.

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1).

    Raises
    ------
    InapplicableError
        If all scores are tied, or no event has a return of a day of the window.

    Notes
    -----
    .. math:: Z = \frac{\sum_{t \in W} g_t}{\sqrt L \, S}, \quad
        S^2 = \frac1T \sum_t g_t^2

    g are the scaled day sums (:meth:`Totals.scaled`). By convention ``fpc`` Z is divided by
    sqrt((T-L)/(T-1)) as well: the sum is that of L draws without replacement. Days without any
    score count neither in L nor in T.
    """
    g = totals.scaled(same_date_mean(sample, window))
    scored = np.isfinite(g)
    S = np.sqrt((g[scored] ** 2).mean())
    require(not S < TIED, "tied_ranks")
    inside = g[-len(sample.event) :][sample.columns(window)]
    days = np.isfinite(inside).sum()
    require(days > 0, "no_single_session")
    T = scored.sum()
    finite = np.sqrt((T - days) / (T - 1)) if sample.conventions.fpc else 1.0
    return Value(float(np.nansum(inside) / (np.sqrt(days) * S * finite)), np.inf)


@statistic(
    "corrado", label="Corrado rank", minimum=5, robust=("yes", "no", "weak", "yes"),
    null="abnormal returns have the same mean rank in the window as on other days",
    reference="N(0,1)",
    source="Corrado (1989); Cowan (1992) for several days", about_mean=False, core=True,
    uses_residuals=True, for_skewness=True,
)  # fmt: skip
def corrado(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic that compares the ranks in the window with those on all days.

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
        If the mean rank of the events is the same on all days.

    Notes
    -----
    .. math::

        Z = \frac{\sum_{t \in W} g_t}{\sqrt L \, S}, \quad
        g_t = \frac{1}{\sqrt{N_t}} \sum_i \Bigl( \frac{K_{it}}{T_i + 1} - \frac12 \Bigr), \quad
        S^2 = \frac1T \sum_t g_t^2

    - :math:`K_{it}` is the rank of the abnormal return of event i on day t. For each event, the
      test ranks the abnormal returns of the estimation window and of the *entire* event window
      together.
    - :math:`T_i` is the number of these abnormal returns of event i.
    - :math:`N_t` is the number of events with a return on day t.
    - W is the tested window. It has L days.
    - The sum in :math:`S^2` goes over all T days of the estimation window and the event window.

    Missing data: a missing day has no rank. If some events have no return on day t, the test scales
    :math:`g_t` so that its variance equals the variance of the other days. If prices are missing,
    the next return covers m sessions. On event days, the test divides this return by the root of m
    before it ranks it.

    References
    ----------
    Corrado, C. J. (1989), A nonparametric test for abnormal security-price performance in event
    studies, Journal of Financial Economics 23, 385-395. Cowan, A. R. (1992), Nonparametric event
    study tests, Review of Quantitative Finance and Accounting 2, 343-358.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("corrado", (0, 1)))
    Corrado rank: N(0,1) = 0.12, p = 0.9055, 6 events
    """
    return rank_z(sample, window, Totals.once(sample, "corrado", ranks))


@statistic(
    "corrado_zivney", label="Corrado-Zivney rank", minimum=10, robust=("yes", "no", "yes", "no"),
    null="standardised abnormal returns have the same mean rank in the window as on other days",
    reference="N(0,1)", source="Corrado and Zivney (1992)", about_mean=False,
    skewed=(0.061, 0.172), uses_residuals=True, standardised=True,
)  # fmt: skip
def corrado_zivney(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Corrado's z-statistic, with event days scaled by their spread across events.

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
        If there is one event, if the mean rank of the events is the same on all days, or if no day
        of the window has ranks.

    Notes
    -----
    .. math:: \frac{e_{it}}{s_i} \text{ (estimation)}, \quad
        \frac{AR_{it}}{s_i \, sd_t(AR / s)} \text{ (event days)}

    - :math:`e_{it}` is the residual of event i on estimation day t, and :math:`s_i` the standard
      deviation of these residuals.
    - :math:`AR_{it}` is the abnormal return of event i on event day t.
    - :math:`sd_t` is the standard deviation of :math:`AR_{it} / s_i` across the events with a
      return on event day t. Its divisor is the number of these events minus 1.

    The test ranks these values in place of the abnormal returns. The rest of the formula is that of
    :func:`corrado`.

    Missing data are treated as in :func:`corrado`. If fewer than two events have a return on an
    event day, the day has no ranks.

    References
    ----------
    Corrado, C. J. and Zivney, T. L. (1992), The specification and power of the sign test in event
    study hypothesis tests using daily stock returns, Journal of Financial and Quantitative Analysis
    27, 465-478.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("corrado_zivney", (0, 1)))
    Corrado-Zivney rank: N(0,1) = 0.00, p = 0.9976, 12 events
    """

    def totals() -> Totals:
        return Totals.over(sample, partial(standardised_ranks, spread=spread_across(sample)))

    return rank_z(sample, window, sample.cached(("corrado_zivney",), totals))


@statistic(
    "corrado_zivney_sign", label="Corrado-Zivney sign", minimum=5,
    robust=("yes", "no", "yes", "yes"),
    null="the abnormal returns of an event exceed their median as often in the window as on other "
    "days",
    reference="N(0,1)", source="Corrado and Zivney (1992)", about_mean=False,
    uses_residuals=True, for_skewness=True,
)  # fmt: skip
def corrado_zivney_sign(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic that compares the signs in the window with those on all days.

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
        If the signs of all events sum to zero on every day. For example, this is so if the abnormal
        return of every event is constant over time.

    Notes
    -----
    .. math:: G_{it} = \operatorname{sign}(AR_{it} - \operatorname{median}_i)

    - :math:`AR_{it}` is the abnormal return of event i on day t.
    - :math:`\operatorname{median}_i` is the median abnormal return of event i, over the estimation
      window and the event window together.
    - :math:`G_{it}` is 1, -1 or 0. The test uses it in place of the rank of the abnormal return.
      The rest of the formula is that of :func:`corrado`.

    Missing data are treated as in :func:`corrado`.

    References
    ----------
    Corrado, C. J. and Zivney, T. L. (1992), The specification and power of the sign test in event
    study hypothesis tests using daily stock returns, Journal of Financial and Quantitative Analysis
    27, 465-478.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("corrado_zivney_sign", (0, 1)))
    Corrado-Zivney sign: N(0,1) = 0.00, p = 1.0000, 6 events
    """
    return rank_z(sample, window, Totals.once(sample, "corrado_zivney_sign", signs))


def ranks(sample: AbnormalReturns) -> FloatArray:
    """Return the centred ranks of all days, shape (n, L1+L2)."""
    return scaled_ranks(all_days(sample))


def standardised_ranks(sample: AbnormalReturns, *, spread: FloatArray) -> FloatArray:
    """Return the centred ranks of all days over s_i and, on event days, `spread`, (n, L1+L2).

    Parameters
    ----------
    sample : AbnormalReturns
    spread : (L2,) float array
        Standard deviation across events of each event day.
    """
    values = all_days(sample) / np.sqrt(sample.sigma2)[:, None]
    values[:, -len(spread) :] /= spread
    return scaled_ranks(values)


def spread_across(sample: AbnormalReturns) -> FloatArray:
    """Return the deviation across events of AR / s_i by event day, (L2,); NaN where it is 0."""
    event = event_days(sample) / np.sqrt(sample.sigma2)[:, None]
    require(len(event) >= 2, "events_for_variance", n=len(event), needed=2)
    count = np.isfinite(event).sum(axis=0)
    mean = np.nansum(event, axis=0) / np.maximum(count, 1)
    square = np.nansum((event - mean) ** 2, axis=0) / np.maximum(count - 1, 1)
    return np.where((count > 1) & (square > 0), np.sqrt(square), np.nan)


def signs(sample: AbnormalReturns) -> FloatArray:
    """Return whether each day is above the median of the event, 1, 0 or -1, shape (n, L1+L2)."""
    values = np.round(all_days(sample), DECIMALS)
    ordered = np.sort(values, axis=1)
    days = np.isfinite(values).sum(axis=1, keepdims=True)
    below, above = (
        np.take_along_axis(ordered, np.maximum(place, 0), axis=1)
        for place in ((days - 1) // 2, days // 2)
    )
    return np.sign(np.round(values - (below + above) / 2, DECIMALS))


NULL = (
    "on average over the events, the standardised CAR of the window is larger than half of the "
    "standardised abnormal returns of the estimation days"
)


@statistic(
    "grank_t", label="GRANK-T", minimum=10, robust=("yes", "no", "yes", "no"), null=NULL,
    reference="t(M-1)", source="Kolari and Pynnonen (2011)", about_mean=False,
    skewed=(0.062, 0.196), core=True, uses_residuals=True, standardised=True,
)  # fmt: skip
def grank_t(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean rank of the CARs among estimation residuals.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom, M-1. M is the number of estimation days.

    Raises
    ------
    InapplicableError
        If there is one event, or if all events have the same standardised CAR. The function also
        raises this error if the ranks of the window are so extreme that the formula has no value.

    Notes
    -----
    .. math::

        t = Z \sqrt{\frac{T - 2}{T - 1 - Z^2}}, \quad Z = \frac{g_0}{S}, \quad
        S^2 = \frac1T \sum_t g_t^2

    - T = M + 1 is the number of days: the M estimation days, and day 0. The whole window counts as
      day 0.
    - :math:`g_t` is the sum of the centred ranks of all events on day t.
    - The sum in :math:`S^2` goes over all T days.

    Each event has T ranks. They are the ranks of T values: the M residuals divided by their
    standard deviation, and SCAR / sd(SCAR). Here SCAR is the CAR of the event divided by its
    standard error, and sd(SCAR) is the standard deviation of SCAR across events. A centred rank is
    the rank divided by T + 1, minus one half.

    Missing data: a missing residual has no rank. If some events have no residual on day t, the test
    scales :math:`g_t` so that its variance equals the variance of the other days.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2011), Nonparametric rank tests for event studies, Journal of
    Empirical Finance 18, 953-971.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("grank_t", (0, 1)))
    GRANK-T: t(219) = -0.46, p = 0.6465, 12 events
    """
    y = grank(sample, window).days.scaled(WeightedSums(sample, window).correlation.same_date)
    y = y[np.isfinite(y)]
    T = len(y)
    S = np.sqrt((y**2).sum() / T)
    Z = y[-1] / S if S > 0 else 0.0
    room = T - 1 - Z**2
    require(not room <= 0, "extreme_ranks")
    return Value(float(Z * np.sqrt((T - 2) / room)), float(T - 2))


@statistic(
    "grank_z", label="GRANK-Z", minimum=10, robust=("no", "no", "yes", "no"), null=NULL,
    reference="N(0,1)", source="Kolari and Pynnonen (2011)", about_mean=False,
    skewed=(0.064, 0.198), uses_residuals=True, standardised=True,
)  # fmt: skip
def grank_z(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic of the mean rank of the CARs, for events that are independent.

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

    Raises
    ------
    InapplicableError
        If there is one event, or if all events have the same standardised CAR.

    Notes
    -----
    .. math:: Z = \sum_i U_{i0} \Big/ \sqrt{\sum_i \frac{T_i - 1}{12 (T_i + 1)}}

    - :math:`U_{i0}` is the centred rank of the window of event i: its rank divided by :math:`T_i +
      1`, minus one half. As in :func:`grank_t`, the standardised CAR of the window is ranked among
      the standardised residuals of the event.
    - :math:`T_i` is the number of ranks of event i: one for each estimation day, and one for the
      window.

    Missing data: a missing residual has no rank.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2011), Nonparametric rank tests for event studies, Journal of
    Empirical Finance 18, 953-971.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("grank_z", (0, 1)))
    GRANK-Z: N(0,1) = -0.45, p = 0.6542, 12 events
    """
    sums = grank(sample, window)
    return Value(float(sums.event / np.sqrt(sums.variance)), np.inf)


@statistic(
    "grank_z_kp", label="GRANK-Z-KP", minimum=10, robust=("yes", "yes", "yes", "no"), null=NULL,
    reference="N(0,1)", source="Kolari and Pynnonen (2010, 2011), both combined",
    about_mean=False, skewed=(0.064, 0.198), pairs_next_session=True, uses_residuals=True,
    standardised=True,
)  # fmt: skip
def grank_z_kp(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the z-statistic of the mean rank of the CARs, adjusted for correlation of events.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window

    Returns
    -------
    Value
        The z-statistic. If 1 + (N-1) r in the formula below is less than 0.5, the result has a
        warning.

    Raises
    ------
    InapplicableError
        If :func:`grank_z` raises this error, if the mean correlation r of the formula below cannot
        be estimated, or if 1 + (N-1) r is not above 0.1.

    Notes
    -----
    .. math:: Z_{KP} = Z \, / \sqrt{1 + (N - 1) \bar r}

    - Z is the statistic of :func:`grank_z`.
    - :math:`\bar r` is the correlation between the standardised CARs of two events, averaged over
      all pairs of events, as in the test BMP-KP.

    If events share dates and the news raises only the variance of each firm's own shock, the test
    is too cautious: it has fewer than 5% false alarms.

    Missing data are treated as in :func:`grank_z`.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2010), Event study testing with cross-sectional correlation of
    abnormal returns, Review of Financial Studies 23, 3996-4025; (2011), Nonparametric rank tests
    for event studies, Journal of Empirical Finance 18, 953-971.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"] * 2
    >>> days = pd.bdate_range("2016-03-01", periods=12, freq="80B")
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("grank_z_kp", (0, 1)))
    GRANK-Z-KP: N(0,1) = -0.45, p = 0.6539, 12 events
    """
    _, factor = WeightedSums(sample, window).factor
    z = grank_z(sample, window).statistic / np.sqrt(factor)
    return Value(float(z), np.inf, caution=WeightedSums.caution(factor))


class Grank(NamedTuple):
    """Day totals of the centred ranks, the window last, and its sum and variance."""

    days: Totals
    event: float
    variance: float


def grank(sample: AbnormalReturns, window: Window) -> Grank:
    """Return the sums of the centred ranks of the residuals and of the window.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window

    Raises
    ------
    InapplicableError
        If there is one event, or all SCARs are equal.

    Notes
    -----
    The variance is that of independent events, sum (T-1) / (12 (T+1)). The value of an event raises
    the ranks of the residuals above it by one, and of those equal to it by a half: the residuals
    are ranked once for all windows.
    """
    return sample.cached(("grank", window), lambda: _grank(sample, window))


def _grank(sample: AbnormalReturns, window: Window) -> Grank:
    scar = sample.scar(window)
    t_of_mean(scar)  # raises for one event, or equal SCARs
    residuals = Totals.once(sample, "residual_ranks", residual_ranks)
    inserted = sample.by_chunk(partial(_inserted, window=window, sd=float(scar.std(ddof=1))))
    raised, event, variance = (np.sum(terms, axis=0) for terms in zip(*inserted, strict=True))
    total = np.append(residuals.total + raised, event)
    days = Totals(total, np.append(residuals.days, len(sample)))
    return Grank(days, float(event), float(variance))


def residual_ranks(events: AbnormalReturns) -> FloatArray:
    """Return the centred ranks K / (M+2) - 1/2 of the M residuals of each event, shape (n, L1)."""
    values = _standardised(events)
    M = np.isfinite(values).sum(axis=1, keepdims=True)
    return np.asarray((scaled_ranks(values) + 0.5) * ((M + 1) / (M + 2)) - 0.5)


def _standardised(events: AbnormalReturns) -> FloatArray:
    return np.round(events.resid / np.sqrt(events.sigma2)[:, None], DECIMALS)


def _inserted(
    events: AbnormalReturns, *, window: Window, sd: float
) -> tuple[FloatArray, float, float]:
    """Return by how much SCAR / sd raises the ranks of the residuals (L1,), its rank, its variance.

    Ranks are sums over events of centred ranks.
    """
    residuals = _standardised(events)
    scar = np.round(events.scar(window) / sd, DECIMALS)[:, None]
    above = (residuals > scar) + 0.5 * (residuals == scar)
    M = np.isfinite(residuals).sum(axis=1)
    rank = (M - above.sum(axis=1) + 1) / (M + 2) - 0.5
    raised = (above / (M + 2)[:, None]).sum(axis=0)
    variance = (M / (12 * (M + 2))).sum()
    return raised, float(rank.sum()), float(variance)
