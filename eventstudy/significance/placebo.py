"""Ranks among placebos: blocks of estimation days, and the donors of a synthetic control."""

from __future__ import annotations

from functools import partial
from itertools import combinations_with_replacement

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import require
from ..errors import InapplicableError
from ..models import convex_weights
from ..utility import KEPT, FloatArray
from ..words import Reason
from ._base import Value, statistic
from .ranks import DECIMALS, day_sums, same_date_mean, scaled_total

# With fewer placebo windows the two-sided p cannot fall below 0.05, with fewer donors p cannot.
ENOUGH, ENOUGH_DONORS = 40, 20


@statistic(
    "placebo_windows", label="Placebo windows", minimum=1, robust=("yes", "no", "no", "yes"),
    null="the mean CAR varies like mean sums over equally many estimation days",
    reference="placebo rank",
    source="Gelbach, Helland and Klick (2013), for the mean of several events", uses_residuals=True,
)  # fmt: skip
def placebo_windows(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the scaled mean CAR, and its rank among the means of other periods.

    Parameters
    ----------
    sample : AbnormalReturns
        Decimal abnormal returns of N events that have all days of `window`.
    window : Window
        A window of L days.

    Returns
    -------
    Value
        The statistic, and p-values from its rank among the placebo values. The result has a caution
        if there are fewer than 40 placebo windows.

    Raises
    ------
    InapplicableError
        If the window is longer than the estimation window, or fewer than two placebo values differ.

    Notes
    -----
    .. math:: \frac{CAAR}{sd(CAAR^*)}, \quad p_{low} = \frac{1 + \#\{CAAR^* \le CAAR\}}{n + 1}

    CAAR is the mean CAR of the events. A placebo value :math:`CAAR^*` comes from one block of L
    estimation days, which are the same event days for all events. The model of each event is
    estimated without the block. The placebo value is the mean over events of the sum of the
    prediction errors in the block (:func:`block_sums`). The number of blocks is n. Events on one
    date stay together in a block, and events on different dates count as independent. If the news
    makes returns more variable, the test mistakes the added variance for an effect. If windows are
    long, few blocks do not overlap. So long windows give too many false alarms (for L = 11 and 120
    estimation days: 8 % instead of 5 %). Missing data: a block with a gap is left out for the
    event. Blocks of fewer events are scaled to the variance of the other blocks.

    References
    ----------
    Gelbach, J. B., Helland, E. and Klick, J. (2013), Valid inference in single-firm, single-event
    studies, American Law and Economics Review 15, 495-541; there for one event.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("placebo_windows", (0, 1)))
    Placebo windows: placebo windows = -1.73, p = 0.0727, 6 events
    """
    same_date = same_date_mean(sample, window)
    placebo = day_sums(block_sums(sample, len(window)), same_date)
    return placebo_rank(scaled_total(sample, window, same_date), placebo)


@statistic(
    "sq", label="SQ (sample quantile)", minimum=1, robust=("n/a", "n/a", "no", "yes"),
    null="the CAR of this event varies like sums over equally many estimation days",
    reference="placebo rank", source="Gelbach, Helland and Klick (2013)", about_mean=False,
    per_event=True, uses_residuals=True, role="event rank",
)  # fmt: skip
def sq(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the scaled CAR of one event, and its rank among sums over earlier periods.

    Parameters
    ----------
    sample : AbnormalReturns
        Decimal abnormal returns of one event that has all days of `window`.
    window : Window
        A window of L days.

    Returns
    -------
    Value
        The statistic, and p-values from its rank among the placebo values. The result has a caution
        if there are fewer than 40 placebo windows.

    Raises
    ------
    InapplicableError
        If the window is longer than the estimation window, or fewer than two placebo values differ.

    Notes
    -----
    .. math:: \frac{CAR}{sd(CAR^*)}, \quad p_{low} = \frac{1 + \#\{CAR^* \le CAR\}}{n + 1}

    Every block of L consecutive estimation days has a placebo value :math:`CAR^*`: the sum of the
    prediction errors of its days. The number of blocks is n. Each block is predicted by a model
    that was estimated without the block, because sums of in-sample residuals vary too little over
    long windows. One-sided p-values of the test are right even with skewed returns, unlike
    one-sided p-values of the t-test. Missing data: a block with a gap is left out.

    References
    ----------
    Gelbach, J. B., Helland, E. and Klick, J. (2013), Valid inference in single-firm, single-event
    studies, American Law and Economics Review 15, 495-541.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> print(es.study(news, "sample").test("sq", (0, 1)))
    SQ (sample quantile): placebo windows = -2.10, p = 0.0364, 1 event
    """
    car = float(sample.unextended.level_car(window)[0])
    return placebo_rank(car, block_sums(sample, len(window))[0])


@statistic(
    "placebo_in_space", label="Placebo in space", minimum=1, robust=("n/a", "n/a", "no", "yes"),
    null="the firm is no further from its synthetic control than donors are from theirs",
    reference="rank among donors", source="Abadie, Diamond and Hainmueller (2010)",
    about_mean=False, per_event=True, model="synthetic_control",
)  # fmt: skip
def placebo_in_space(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return |CAR| of one event divided by its earlier error, and the rank among its donors.

    Parameters
    ----------
    sample : AbnormalReturns
        Decimal abnormal returns of one event, by the model ``synthetic_control``.
    window : Window

    Returns
    -------
    Value
        The statistic, and a p-value from its rank among the donors. The result has a caution if
        there are fewer than 20 donors.

    Notes
    -----
    .. math:: \frac{|CAR|}{RMSE}, \quad p = \frac{1 + \#\{\text{donors} \ge \text{event}\}}{1 + J}

    RMSE is the root mean squared error on the estimation days. Each of the J donors gets a
    synthetic control from the other J-1 donors, on the days of the event. The p-value is the share
    of ratios, of donors and event, that are at least as large as the ratio of the event. The ratio
    is large for effects of either sign. Missing data: days that the event lacks are left out for
    the donors as well.

    References
    ----------
    Abadie, A., Diamond, A. and Hainmueller, J. (2010), Synthetic control methods for comparative
    case studies, Journal of the American Statistical Association 105, 493-505.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> donors = "AAPL;AMZN;CVX;GE;JNJ;JPM;MSFT;PFE;WMT;XOM"
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"], "donors": [donors]})
    >>> results = es.study(news, "sample", model="synthetic_control")
    >>> print(results.test("placebo_in_space", (0, 1)))
    Placebo in space: donors = 3.66, p = 0.0909, 1 event (10 donors, 20 needed for p below 0.05)
    """
    past, ahead = np.split(sample.windows.factors[0], [sample.resid.shape[1]])
    Z = past[np.isfinite(sample.resid[0])]
    cols = sample.columns(window)
    total = ahead[cols][np.isfinite(sample.ar[0, cols])].sum(axis=0)
    used = Z.any(axis=0)
    donors = _ratios(Z[:, used], total[used])
    n = len(donors)
    rmse = np.sqrt(np.nanmean(sample.resid[0] ** 2))
    ratio = float(abs(sample.unextended.car(window)[0]) / rmse)
    above = int((np.round(donors - ratio, DECIMALS) >= 0).sum())
    few = Reason("donors_for_rank", n=n, needed=ENOUGH_DONORS) if n < ENOUGH_DONORS else ""
    return Value(ratio, np.nan, "donors", upper=(1 + above) / (1 + n), caution=few)


def _ratios(Z: FloatArray, total: FloatArray) -> FloatArray:
    """Return |CAR| / RMSE of each donor against a synthetic control of the other donors, (J,).

    Z (M, J) are returns on the estimation days, `total` (J,) those summed over the window.
    """
    out = np.empty(len(total))
    for j in range(len(total)):
        peers = np.delete(np.arange(len(total)), j)
        w = convex_weights(Z[:, j], Z[:, peers])
        gap = Z[:, j] - Z[:, peers] @ w
        rmse = np.sqrt((gap**2).mean())
        out[j] = abs(total[j] - total[peers] @ w) / rmse if rmse > 0 else np.inf
    return out


def block_sums(sample: AbnormalReturns, length: int) -> FloatArray:
    r"""Return the sums of block-deleted prediction errors of all blocks, shape (n, L1-L+1).

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    length : int
        L, the consecutive estimation days of a block.

    Raises
    ------
    InapplicableError
        If a block would be longer than the estimation window, or the regressors do not vary once it
        is left out.

    Notes
    -----
    The sum of the errors of a forecast that does not know the block B:

    .. math:: 1' (I - H_{BB})^{-1} e_B, \quad
        (I - H_{BB})^{-1} = I + X_B (X'X - X_B' X_B)^{-1} X_B'

    so that no (L, L) matrix is built. NaN where the block has a gap, or too few days remain to
    estimate from.
    """
    require(length <= len(sample.windows.estimation), "long_window")

    def summed(events: AbnormalReturns) -> FloatArray:
        return np.concatenate(list(events.by_chunk(partial(_block_sums, length=length))))

    if len(sample.all_events) > KEPT:
        return summed(sample)
    try:
        return sample.of_each_event(("block sums", length), summed)
    except InapplicableError:
        # Another event of the study may be collinear: these alone are not.
        return summed(sample)


def _block_sums(sample: AbnormalReturns, length: int) -> FloatArray:
    e, k = sample.resid, sample.k
    used = np.isfinite(e)
    regressors = sample.x_estimation
    x = [np.where(used, regressors[:, :, j], 0.0) for j in range(k)]
    y = np.where(used, e, 0.0)
    sums = consecutive_sums(np.where(sample.windows.length[:, : e.shape[1]] > 1, np.nan, e), length)
    remaining = np.empty((*sums.shape, k, k))
    cross = np.empty((*sums.shape, k))
    for a, b in combinations_with_replacement(range(k), 2):
        product = x[a] * x[b]
        total = product.sum(axis=1, keepdims=True)
        remaining[:, :, a, b] = total - consecutive_sums(product, length)
        remaining[:, :, b, a] = remaining[:, :, a, b]
    for a in range(k):
        cross[:, :, a] = consecutive_sums(x[a] * y, length)
    enough = sample.nobs - length > k
    remaining[~enough] = np.eye(k)
    try:
        change = np.linalg.solve(remaining, cross[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise InapplicableError(Reason("collinear_block")) from None
    for a in range(k):
        sums += consecutive_sums(x[a], length) * change[:, :, a]
    return np.where(enough[:, None], sums, np.nan)


def placebo_rank(observed: float, placebo: FloatArray) -> Value:
    """Return observed / sd(placebo), with its ranks (1 + #) / (n + 1) as tails.

    Parameters
    ----------
    observed : float
    placebo : (n,) float array
        NaN are left out.

    Raises
    ------
    InapplicableError
        If fewer than two placebos differ.

    Examples
    --------
    >>> value = placebo_rank(-3.0, np.arange(-2.0, 3.0))
    >>> round(value.statistic, 4), round(value.lower, 4), value.upper
    (-1.8974, 0.1667, 1.0)
    """
    placebo = placebo[np.isfinite(placebo)]
    n = len(placebo)
    excess = np.round(placebo - observed, DECIMALS)
    require(n >= 2 and np.ptp(placebo) != 0, "placebo_windows_needed", n=n, needed=2)
    lower, upper = (float((1 + tail.sum()) / (n + 1)) for tail in (excess <= 0, excess >= 0))
    few = Reason("placebo_windows_for_rank", n=n, needed=ENOUGH) if n < ENOUGH else ""
    t = float(observed / placebo.std(ddof=1))
    return Value(t, np.nan, "placebo windows", lower, upper, few)


def consecutive_sums(values: FloatArray, length: int) -> FloatArray:
    """Return the sums of consecutive days, shape (n, L1-L+1); NaN where one of them is missing.

    Parameters
    ----------
    values : (n, L1) float array
    length : int
        L, the days of a sum.

    Examples
    --------
    >>> consecutive_sums(np.array([[1.0, 2.0, 4.0, np.nan]]), 2)
    array([[ 3.,  6., nan]])
    """
    count = values.shape[1] - length + 1
    sums = values[:, :count].copy()
    for first in range(1, length):
        sums += values[:, first : first + count]
    return sums
