"""Cross-sectional test of event dummies in a GARCH model's mean and variance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value, statistic
from ._mean import t_of_mean

MODEL = "garch"
# A persistence this close to one has no long-run variance to return to.
STATIONARY = 1 - 1e-6
STARTS = ((0.05, 0.90), (0.10, 0.80), (0.05, 0.50), (0.20, 0.70))
FIRST_STEPS, MOST_STEPS = 12, 200
LOWEST = 1e-8
LARGE = 1e10


class Series(NamedTuple):
    """One event in units of its residual deviation: M estimation days, a gap, and m days of the
    window.

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
    "savickas",
    label="GARCH dummy t",
    minimum=5,
    robust=("no", "no", "yes", "fair"),
    null="the mean of gamma_i / sqrt(h_i) is zero",
    reference="t(N-1)",
    source="Savickas (2003)",
)
def savickas(sample: AbnormalReturns, window: Window) -> Value:
    """Return the t of the mean S_i = gamma_i sum(m_t) / sqrt(sum(m_t h_t)) over the days of the
    window.

    R_t = alpha + beta R_mt + gamma D_t + e_t, h_t = w + a e^2_t-1 + b h_t-1 + d D_t, d >= 0, by
    quasi maximum likelihood on the estimation window and the days of `window`, for which D_t is 1
    (Balaban and Constantinou 2006). Sessions between the two are passed over; their variance is the
    forecast. A return over m_t sessions has m_t times intercept, dummy and variance. On a single
    day d is not identified and stays zero. An event whose likelihood has no stationary optimum
    enters with the variance of least squares, and is counted in the caution. For the model `garch`
    only; missing days as in the CAR, price limits are not extended.
    """
    if sample.model != MODEL:
        raise InapplicableError(f"for the model {MODEL} only (--model {MODEL})")
    scaled = np.array([_scaled(sample, i, window) for i in range(len(sample))])
    value = t_of_mean(scaled[:, 0])
    lacking = int(scaled[:, 1].sum())
    caution = f"{lacking} of {len(sample)} events by least squares: their likelihood has no optimum"
    return value._replace(caution=caution) if lacking else value


def _scaled(sample: AbnormalReturns, i: int, window: Window) -> tuple[float, bool]:
    """Return S of one event, and whether it comes from least squares; kept for groups of the same
    study."""
    root, row = sample.parent or sample, i if sample.rows is None else int(sample.rows[i])
    key = ("savickas", row, window)
    if key not in root.memo:
        series, scale = series_of(sample, i, window)
        found = None if sample.remark[i] else fitted(series)
        if found is None:
            cols = sample.columns(window)
            total = np.where(sample.inside(window)[i], sample.ar[i, cols], 0.0).sum()
            m = series.sessions[series.first :].sum()
            root.memo[key] = float(total / (scale * np.sqrt(m))), True
        else:
            gamma, h = found[2], variances(found, series)[series.first :]
            m = series.sessions[series.first :]
            root.memo[key] = float(gamma * m.sum() / np.sqrt((m * h).sum())), False
    kept: tuple[float, bool] = root.memo[key]
    return kept


def series_of(sample: AbnormalReturns, i: int, window: Window) -> tuple[Series, float]:
    """Return the series of event i for a window, and the residual deviation that is its unit."""
    cols = sample.columns(window)
    seen, inside = np.isfinite(sample.resid[i]), sample.inside(window)[i]
    x = np.concatenate([sample.x_estimation[i, seen], sample.x_event[i, cols][inside]])
    e = np.concatenate([sample.resid[i, seen], sample.ar[i, cols][inside]])
    scale = float(np.sqrt(sample.sigma2[i]))
    between = sample.event.start + cols.start - sample.windows.estimation.stop - 1
    begins = int(np.argmax(inside) - sample.spans[i, cols][np.argmax(inside)] + 1)
    gap = between + int(np.argmax(seen[::-1])) + begins
    y = (e + x @ sample.params[i]) / scale
    first = int(seen.sum())
    return Series(
        y, x[:, 1] / scale, x[:, 0], gap, first, float((e[:first] ** 2).mean()) / scale**2
    ), scale


def fitted(series: Series) -> FloatArray | None:
    """Return (alpha, beta, gamma, w, a, b, d) of the highest likelihood, or None without a
    stationary one.

    The likelihood has several hills: from each start the climb is begun, from the highest place it
    is ended.
    """
    begun = [_climb(start, series, FIRST_STEPS)[0] for start in _starts(series)]
    theta, done = _climb(max(begun, key=lambda own: loglik(own, series)), series, MOST_STEPS)
    inner = theta[3] > LOWEST and theta[4] + theta[5] < STATIONARY - LOWEST
    return theta if done and inner and np.isfinite(theta).all() else None


def _climb(start: FloatArray, series: Series, steps: int) -> tuple[FloatArray, bool]:
    """Return where the likelihood leads to in so many steps, and whether that is an optimum."""
    from scipy.optimize import minimize

    unbounded, share = (None, None), (0.0, 1.0)
    single = len(series.y) - series.first == 1
    bounds = [unbounded] * 3 + [(LOWEST, None), share, share, (0.0, 0.0 if single else None)]
    persistent = {"type": "ineq", "fun": lambda theta: STATIONARY - theta[4] - theta[5]}
    found = minimize(
        lambda theta: -loglik(theta, series), start, method="SLSQP", bounds=bounds,
        constraints=[persistent], options={"maxiter": steps, "ftol": 1e-9},
    )  # fmt: skip
    return found.x, bool(found.success)


def _starts(series: Series) -> list[FloatArray]:
    """Return least squares with several dynamics of the variance."""
    M, L = series.first, len(series.y) - series.first
    dummy = np.r_[np.zeros(M), series.sessions[M:]]
    X = np.column_stack([series.sessions, series.market, dummy])
    coef = np.linalg.lstsq(X, series.y, rcond=None)[0]
    excess = (
        max(float(((series.y - X @ coef)[M:] ** 2).sum() / max(L - 1, 1)) - 1, 0.0)
        if L > 1
        else 0.0
    )
    return [np.r_[coef, 1 - a - b, a, b, excess] for a, b in STARTS]


def loglik(theta: FloatArray, series: Series) -> float:
    """Gaussian log likelihood without its constant."""
    e, h = errors(theta, series), variances(theta, series)
    if not (h > LOWEST).all():
        return -LARGE
    h = h * series.sessions
    return float(-0.5 * (np.log(h) + e**2 / h).sum())


def errors(theta: FloatArray, series: Series) -> FloatArray:
    """Return y less its mean, (M+m,)."""
    alpha, beta, gamma = theta[:3]
    e: FloatArray = series.y - beta * series.market - alpha * series.sessions
    e[series.first :] -= gamma * series.sessions[series.first :]
    return e


def variances(theta: FloatArray, series: Series) -> FloatArray:
    """Return h of one session on each day, (M+m,).

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
    every: FloatArray = np.r_[h, event]
    return every
