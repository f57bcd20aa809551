"""Rank tests: Corrado's and Corrado and Zivney's over days, Kolari and Pynnonen's of the CAR."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums, require
from ..utility import FloatArray
from ._base import Value, statistic, t_of_mean
from ._ranks import DECIMALS, Totals, all_days, event_days, rank_z, scaled_ranks


@statistic(
    "corrado", label="Corrado rank", minimum=5, robust=("yes", "no", "weak", "yes"),
    null="abnormal returns of the window rank like those of other days", reference="N(0,1)",
    source="Corrado (1989); Cowan (1992) for windows", about_mean=False, core=True,
    uses_residuals=True, for_skewness=True,
)  # fmt: skip
def corrado(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Corrado's rank statistic of the window among all days.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window
        L days.

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1).

    Raises
    ------
    InapplicableError
        If all ranks are tied.

    Notes
    -----
    .. math::

        Z = \frac{\sum_{t \in W} g_t}{\sqrt L \, S}, \quad
        g_t = \frac{1}{\sqrt{N_t}} \sum_i \Bigl( \frac{K_{it}}{T_i + 1} - \frac12 \Bigr), \quad
        S^2 = \frac1T \sum_t g_t^2

    Ranks K run over the estimation window and the *entire* event window. Missing data: a missing
    day has no rank, and day sums allow for unequal histories (:meth:`Totals.scaled`); a return over
    m sessions enters divided by the root of m.

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
    null="standardised abnormal returns of the window rank like those of other days",
    reference="N(0,1)", source="Corrado and Zivney (1992)", about_mean=False,
    skewed=(0.061, 0.172), uses_residuals=True, standardised=True,
)  # fmt: skip
def corrado_zivney(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Corrado's rank statistic of values that are re-standardised on event days.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window
        L days.

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1).

    Raises
    ------
    InapplicableError
        For one event, or if all ranks are tied.

    Notes
    -----
    As :func:`corrado`, with the ranks of

    .. math:: \frac{e_{it}}{s_i} \text{ (estimation)}, \quad
        \frac{AR_{it}}{s_i \, sd_t(AR / s)} \text{ (event days)}

    where :math:`sd_t` is the standard deviation across events on day t, with divisor N-1. That
    takes out variance which the event adds. Missing data: as in :func:`corrado`; a day with fewer
    than two events has no ranks.

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
    null="abnormal returns of the window exceed the event's median as often as those of other days",
    reference="N(0,1)", source="Corrado and Zivney (1992)", about_mean=False,
    uses_residuals=True, for_skewness=True,
)  # fmt: skip
def corrado_zivney_sign(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the standardised sum of signs of abnormal returns around each event's median.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window
        L days.

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1).

    Raises
    ------
    InapplicableError
        If all signs are zero.

    Notes
    -----
    As :func:`corrado`, with signs in place of centred ranks:

    .. math:: G_{it} = \operatorname{sign}(AR_{it} - \operatorname{median}_i)

    The median is that of all days of the event. Missing data: as in :func:`corrado`.

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


NULL = "the CAR of the window ranks like any estimation day"


@statistic(
    "grank_t", label="GRANK-T", minimum=10, robust=("yes", "no", "yes", "no"), null=NULL,
    reference="t(M-1)", source="Kolari and Pynnonen (2011)", about_mean=False,
    skewed=(0.062, 0.196), core=True, uses_residuals=True, standardised=True,
)  # fmt: skip
def grank_t(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the generalized rank t of the window.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window

    Returns
    -------
    Value
        The statistic and T-2 = M-1 degrees of freedom of Student's t.

    Raises
    ------
    InapplicableError
        For one event or equal SCARs, and if every event has an extreme rank.

    Notes
    -----
    The window is one value per event, SCAR / sd(SCAR), ranked among the M standardised estimation
    residuals; T = M + 1. With day sums g of the centred ranks, the window being day 0:

    .. math::

        t = Z \sqrt{\frac{T - 2}{T - 1 - Z^2}}, \quad Z = \frac{g_0}{S}, \quad
        S^2 = \frac1T \sum_t g_t^2

    S includes the window, so that t equals the OLS t of the mean ranks on a dummy for the window.
    Missing data: residuals that are missing have no rank; day sums allow for unequal histories.

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
    r"""Return the generalized rank z of the window, the events taken as independent.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1).

    Raises
    ------
    InapplicableError
        For one event, or equal SCARs.

    Notes
    -----
    With the centred rank :math:`U_{i0}` of the window among the :math:`T_i = M_i + 1` values of
    event i:

    .. math:: Z = \sum_i U_{i0} \Big/ \sqrt{\sum_i \frac{T_i - 1}{12 (T_i + 1)}}

    Missing data: as in :func:`grank_t`.

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
    reference="N(0,1)", source="Kolari and Pynnonen (2010, 2011), combined here",
    about_mean=False, skewed=(0.064, 0.198), pairs_next_session=True, uses_residuals=True,
    standardised=True,
)  # fmt: skip
def grank_z_kp(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the generalized rank z, adjusted for cross-correlation and overlapping windows.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1); a caution where 1 + (N-1) r is below 0.5.

    Raises
    ------
    InapplicableError
        As :func:`grank_z`, and where r cannot be estimated or 1 + (N-1) r is not clearly positive.

    Notes
    -----
    .. math:: Z_{KP} = Z \, / \sqrt{1 + (N - 1) \bar r}

    r is the overlap-weighted mean correlation of BMP-KP. An extension of ours, for windows of
    different dates that overlap, where GRANK-T fails; like BMP-KP it is conservative where the
    event adds idiosyncratic variance. Missing data: as in :func:`grank_t`.

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
        For one event, or equal SCARs.

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
