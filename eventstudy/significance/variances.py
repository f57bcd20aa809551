"""Event-induced variance: tests of it, and Savickas' test of the mean, with dummies in GARCH."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns, form
from ..calendars.window import Window
from ..utility.catalogue import Reason
from ..utility.typing import FloatArray
from ._base import Value, require, require_count, statistic, t_of_mean
from ._ranks import Totals, rank_z, scaled_ranks

# A persistence this close to one has no long-run variance to return to.
STATIONARY = 1 - 1e-6
STARTS = ((0.05, 0.90), (0.10, 0.80), (0.05, 0.50), (0.20, 0.70))
FIRST_STEPS, MOST_STEPS = 12, 200
LOWEST = 1e-8
LARGE = 1e10


class Series(NamedTuple):
    """One event in units of its residual deviation: M estimation days, a gap, m event days.

    Attributes
    ----------
    y, market, sessions : (M+m,) float arrays
        The firm, its benchmark, and the sessions that each return covers.
    gap : int
        Sessions between the last estimation day and the first day of the window.
    first : int
        M, the place of the first day of the window.
    backcast : float
        Mean squared residual of least squares, from which the recursion starts.
    """

    y: FloatArray
    market: FloatArray
    sessions: FloatArray
    gap: int
    first: int
    backcast: float


@statistic(
    "patell_u", label="Patell U (variance)", minimum=5, robust=("no", "no", "n/a", "no"),
    null="standardised abnormal returns have the variance that the estimation window implies",
    reference="N(0,1)", source="Patell (1976)", about_mean=False, standardised=True,
)  # fmt: skip
def patell_u(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the standardised excess of squared SARs over their variance before the event.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1); positive where returns vary more.

    Raises
    ------
    InapplicableError
        If an event has four degrees of freedom or fewer.

    Notes
    -----
    Sums run over events and days of the window:

    .. math::

        U = \sum_{i,t} \Bigl[ SAR_{it}^2 \frac{\nu_i - 2}{\nu_i} - 1 \Bigr] \Big/
        \sqrt{\sum_{i,t} \frac{2 (\nu_i - 1)}{\nu_i - 4}}

    The law holds for normal returns only. Real returns reject far too often (17 % with t5), so it
    is never the main test. Missing data: a missing day does not count.

    References
    ----------
    Patell, J. M. (1976), Corporate forecasts of earnings per share and stock price behavior:
    empirical tests, Journal of Accounting Research 14, 246-276.
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
    null="absolute abnormal returns of the window rank like those of other days",
    reference="N(0,1)", source="Corrado (1989), of absolute values", about_mean=False,
    uses_residuals=True, standardised=True,
)  # fmt: skip
def rank_variance(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Corrado's rank statistic of |SAR|, positive where abnormal returns are larger.

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
    .. math:: Z = \frac{\sum_{t \in W} g_t}{\sqrt L \, S}

    with the day sums g of the centred ranks of |SAR| (:func:`corrado`, :func:`standardise`). A
    mean effect makes |SAR| larger as well as a variance does. :func:`brown_forsythe` tells them
    apart; this one holds for events on one date and for heavy tails. Missing data: a missing day
    has no rank.

    References
    ----------
    Corrado, C. J. (1989), A nonparametric test for abnormal security-price performance in event
    studies, Journal of Financial Economics 23, 385-395; there of signed values.
    """
    return rank_z(sample, window, Totals.once(sample, "rank_variance", rank_magnitudes))


@statistic(
    "brown_forsythe", label="Brown-Forsythe (variance)", minimum=10,
    robust=("no", "no", "n/a", "fair"),
    null="standardised abnormal returns of the window spread around their median like those of "
    "other days",
    reference="t(days-2), its square is F(1,days-2)", source="Brown and Forsythe (1974)",
    about_mean=False, uses_residuals=True, standardised=True,
)  # fmt: skip
def brown_forsythe(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the two-sample t of |SAR - median|, event days against estimation days.

    Parameters
    ----------
    sample : AbnormalReturns
        N events, all valid for `window`; decimal returns.
    window : Window

    Returns
    -------
    Value
        The statistic and n_1 + n_2 - 2 degrees of freedom of Student's t.

    Raises
    ------
    InapplicableError
        For fewer than three event days.

    Notes
    -----
    With firm-days pooled over events, n_1 in the window and n_2 in the estimation window:

    .. math:: z_{jd} = |SAR_{jd} - \operatorname{median}_j|, \quad
        t = \frac{\bar z_1 - \bar z_2}{s_p \sqrt{1/n_1 + 1/n_2}}

    Over one day an event has one value only, and standardised ones are of equal variance under the
    null, hence the pooling. The square of t is the F of Levene's test around medians; the sign says
    whether the variance rose. The median takes out an effect that the events share, not their
    differences: those are what event-induced variance is. Missing data: missing days are left out.

    References
    ----------
    Brown, M. B. and Forsythe, A. B. (1974), Robust tests for the equality of variances, Journal of
    the American Statistical Association 69, 364-367.
    """
    from scipy.stats import ttest_ind

    days, ahead = np.split(standardise(sample), [sample.resid.shape[1]], axis=1)
    groups = (v[np.isfinite(v)] for v in (ahead[:, sample.columns(window)], days))
    event, estimation = (np.abs(v - np.median(v)) for v in groups)
    require_count(len(event), 3, "event_days_for_spread")
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
    x, nu = np.nan_to_num(sample.x_estimation), sample.df_resid[:, None]
    free = 1 - form(x, sample.bread)
    remaining = nu * sample.sigma2[:, None] * free - sample.resid**2
    spread = np.sqrt(np.where(remaining > 0, remaining, np.nan) / (nu - 1))
    return np.hstack([sample.resid / spread, sample.sar])


@statistic(
    "savickas", label="GARCH dummy t", minimum=5, robust=("no", "no", "yes", "fair"),
    null="the mean of gamma_i / sqrt(h_i) is zero", reference="t(N-1)", source="Savickas (2003)",
    model="garch", standardised=True,
)  # fmt: skip
def savickas(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t of the mean event dummy over the root of its GARCH variance.

    Parameters
    ----------
    sample : AbnormalReturns
        N events of the model ``garch``, all valid for `window`; decimal returns.
    window : Window

    Returns
    -------
    Value
        The statistic and N-1 degrees of freedom of Student's t; a caution with the number of events
        that are fitted by least squares.

    Raises
    ------
    InapplicableError
        For one event, or events with the same value.

    Notes
    -----
    The t of the mean of :math:`S_i`, over the days of the window with :math:`m_t` sessions each:

    .. math::

        S_i = \frac{\gamma_i \sum_t m_t}{\sqrt{\sum_t m_t h_t}}

        R_t = \alpha + \beta R_{mt} + \gamma D_t + e_t, \quad
        h_t = w + a e_{t-1}^2 + b h_{t-1} + d D_t, \quad d \ge 0

    by quasi maximum likelihood on the estimation window and the days of `window`, for which D is 1
    (Balaban and Constantinou 2006). A return over m sessions has m times intercept, dummy and
    variance. On a single day d is not identified and stays zero. An event whose likelihood has no
    stationary optimum enters with the variance of least squares. Missing data: as in the CAR;
    sessions between the two windows are passed over, their variance is the forecast. Price limits
    do not extend the window.

    References
    ----------
    Savickas, R. (2003), Event-induced volatility and tests for abnormal performance, Journal of
    Financial Research 26, 165-178.
    """
    scaled = np.array([_scaled(sample, i, window) for i in range(len(sample))])
    value = t_of_mean(scaled[:, 0])
    n = int(scaled[:, 1].sum())
    return value._replace(caution=Reason("no_optimum", n=n, total=len(sample))) if n else value


def _scaled(sample: AbnormalReturns, i: int, window: Window) -> tuple[float, bool]:
    """Return S of one event, and whether it is of least squares; computed once for a study."""
    root, row = sample.parent or sample, i if sample.rows is None else int(sample.rows[i])
    key = ("savickas", row, window)
    if key not in root.memo:
        series, scale = series_of(sample, i, window)
        m = series.sessions[series.first :]
        theta = None if sample.remark[i] else fit_series(series)
        if theta is None:
            cols = sample.columns(window)
            total = np.where(sample.inside(window)[i], sample.ar[i, cols], 0.0).sum()
            root.memo[key] = float(total / (scale * np.sqrt(m.sum()))), True
        else:
            h = filter_variances(theta, series)[series.first :]
            root.memo[key] = float(theta[2] * m.sum() / np.sqrt((m * h).sum())), False
    return root.memo[key]  # type: ignore[no-any-return]


def series_of(sample: AbnormalReturns, i: int, window: Window) -> tuple[Series, float]:
    """Return the series of one event, and the residual deviation that is its unit.

    Parameters
    ----------
    sample : AbnormalReturns
    i : int
        Row of the event.
    window : Window
    """
    cols = sample.columns(window)
    used, inside = np.isfinite(sample.resid[i]), sample.inside(window)[i]
    x = np.concatenate([sample.x_estimation[i, used], sample.x_event[i, cols][inside]])
    e = np.concatenate([sample.resid[i, used], sample.ar[i, cols][inside]])
    scale = float(np.sqrt(sample.sigma2[i]))
    between = sample.event.start + cols.start - sample.windows.estimation.stop - 1
    begins = int(np.argmax(inside) - sample.spans[i, cols][np.argmax(inside)] + 1)
    gap = between + int(np.argmax(used[::-1])) + begins
    y, first = (e + x @ sample.params[i]) / scale, int(used.sum())
    backcast = float((e[:first] ** 2).mean()) / scale**2
    return Series(y, x[:, 1] / scale, x[:, 0], gap, first, backcast), scale


def fit_series(series: Series) -> FloatArray | None:
    """Return (alpha, beta, gamma, w, a, b, d) of the highest likelihood, None if not stationary.

    The likelihood has several hills: a climb begins at each start and ends from the highest place.
    """
    begun = [_climb(start, series, FIRST_STEPS)[0] for start in _starts(series)]
    highest = max(begun, key=lambda theta: loglik(theta, series))
    theta, done = _climb(highest, series, MOST_STEPS)
    inner = theta[3] > LOWEST and theta[4] + theta[5] < STATIONARY - LOWEST
    return theta if done and inner and np.isfinite(theta).all() else None


def _climb(start: FloatArray, series: Series, steps: int) -> tuple[FloatArray, bool]:
    """Return the parameters that `steps` steps uphill reach, and whether they are an optimum."""
    from scipy.optimize import minimize

    unbounded, share = (None, None), (0.0, 1.0)
    single = len(series.y) - series.first == 1
    bounds = [unbounded] * 3 + [(LOWEST, None), share, share, (0.0, 0.0 if single else None)]
    persistent = {"type": "ineq", "fun": lambda theta: STATIONARY - theta[4] - theta[5]}
    result = minimize(
        lambda theta: -loglik(theta, series), start, method="SLSQP", bounds=bounds,
        constraints=[persistent], options={"maxiter": steps, "ftol": 1e-9},
    )  # fmt: skip
    return result.x, bool(result.success)


def _starts(series: Series) -> list[FloatArray]:
    """Return least squares with several dynamics of the variance."""
    M, L = series.first, len(series.y) - series.first
    dummy = np.r_[np.zeros(M), series.sessions[M:]]
    X = np.column_stack([series.sessions, series.market, dummy])
    coef = np.linalg.lstsq(X, series.y, rcond=None)[0]
    ratio = float(((series.y - X @ coef)[M:] ** 2).sum() / max(L - 1, 1))
    excess = max(ratio - 1, 0.0) if L > 1 else 0.0
    return [np.r_[coef, 1 - a - b, a, b, excess] for a, b in STARTS]


def loglik(theta: FloatArray, series: Series) -> float:
    """Return the Gaussian log likelihood without its constant.

    Parameters
    ----------
    theta : (7,) float array
        alpha, beta, gamma, w, a, b, d.
    series : Series
    """
    e, h = find_errors(theta, series), filter_variances(theta, series)
    if not (h > LOWEST).all():
        return -LARGE
    h = h * series.sessions
    return float(-0.5 * (np.log(h) + e**2 / h).sum())


def find_errors(theta: FloatArray, series: Series) -> FloatArray:
    """Return the returns less their mean, shape (M+m,).

    Parameters
    ----------
    theta : (7,) float array
    series : Series
    """
    alpha, beta, gamma = theta[:3]
    e: FloatArray = series.y - beta * series.market - alpha * series.sessions
    e[series.first :] -= gamma * series.sessions[series.first :]
    return e


def filter_variances(theta: FloatArray, series: Series) -> FloatArray:
    """Return the variance h of one session on each day, shape (M+m,).

    Parameters
    ----------
    theta : (7,) float array
    series : Series

    Notes
    -----
    The recursion starts from the mean squared residual of least squares; over a gap it tends to the
    long-run variance.
    """
    from scipy.signal import lfilter

    w, a, b, d = theta[3:]
    e2 = find_errors(theta, series) ** 2 / series.sessions
    M = series.first
    past: FloatArray = np.r_[series.backcast, e2[: M - 1]]
    h, _ = lfilter([1.0], [1.0, -b], w + a * past, zi=np.array([b * series.backcast]))
    ahead = w + a * e2[M - 1] + b * h[-1]
    for _ in range(series.gap):
        ahead = w + (a + b) * ahead
    event = []
    for t in range(M, len(e2)):
        event.append(ahead + d)
        ahead = w + a * e2[t] + b * event[-1]
    return np.asarray(np.r_[h, event])
