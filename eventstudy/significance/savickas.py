"""Savickas' test: event dummies in the mean and the variance of a GARCH model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.catalogue import Reason
from ..utility.typing import FloatArray
from ._base import Value, statistic, t_of_mean

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
    "savickas", label="GARCH dummy t", minimum=5, robust=("no", "no", "yes", "fair"),
    null="the mean of gamma_i / sqrt(h_i) is zero", reference="t(N-1)", source="Savickas (2003)",
    model="garch",
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
        theta = None if sample.remark[i] else fitted(series)
        if theta is None:
            cols = sample.columns(window)
            total = np.where(sample.inside(window)[i], sample.ar[i, cols], 0.0).sum()
            root.memo[key] = float(total / (scale * np.sqrt(m.sum()))), True
        else:
            h = variances(theta, series)[series.first :]
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


def fitted(series: Series) -> FloatArray | None:
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
    e, h = errors(theta, series), variances(theta, series)
    if not (h > LOWEST).all():
        return -LARGE
    h = h * series.sessions
    return float(-0.5 * (np.log(h) + e**2 / h).sum())


def errors(theta: FloatArray, series: Series) -> FloatArray:
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


def variances(theta: FloatArray, series: Series) -> FloatArray:
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
    e2 = errors(theta, series) ** 2 / series.sessions
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
