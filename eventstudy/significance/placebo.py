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
    null="the mean CAR has the same distribution in the window as in periods of the same length in "
    "the estimation window",
    reference="placebo rank",
    source="Gelbach, Helland and Klick (2013), extended to several events", uses_residuals=True,
)  # fmt: skip
def placebo_windows(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the mean CAR divided by the standard deviation of such means before the event.

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
        The statistic. The p-value comes from the rank of the mean CAR among the placebo values (see
        the notes). With fewer than 40 placebo values, the result has a warning.

    Raises
    ------
    InapplicableError
        If the window is longer than the estimation window, or if there are fewer than two different
        placebo values.

    Notes
    -----
    .. math:: \frac{CAAR}{sd(CAAR^*)}, \quad p_{low} = \frac{1 + \#\{CAAR^* \le CAAR\}}{n + 1}

    - CAAR is the mean CAR of the events.
    - :math:`CAAR^*` is a placebo value: the mean over the events of the sum of abnormal returns in
      a block. A block has L consecutive estimation days.
    - n is the number of blocks, so there are n placebo values. Their standard deviation is
      :math:`sd(CAAR^*)`.
    - :math:`\#\{CAAR^* \le CAAR\}` is the number of placebo values that are not above CAAR.
    - :math:`p_{low}` is the one-sided p-value of a negative effect. The two-sided p-value is twice
      the smaller of the two one-sided p-values.

    The abnormal returns of a block come from models that were estimated without the block.

    If windows are long, the test gives too many false alarms. With L = 11 and 120 estimation days,
    up to 8% of tests are false alarms instead of 5%.

    Missing data: if an event lacks a return in a block, the placebo value of this block leaves out
    the event. A mean over fewer events has a larger variance, so the program scales this placebo
    value down to the variance of the others.

    References
    ----------
    Gelbach, J. B., Helland, E. and Klick, J. (2013), Valid inference in single-firm, single-event
    studies, American Law and Economics Review 15, 495-541. The paper describes the test for one
    event.

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
    null="the CAR of this event has the same distribution in the window as in periods of the same "
    "length in the estimation window",
    reference="placebo rank", source="Gelbach, Helland and Klick (2013)", about_mean=False,
    per_event=True, uses_residuals=True, role="event rank",
)  # fmt: skip
def sq(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the CAR of one event divided by the standard deviation of its CARs before the event.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of one event as decimals (0.01 is 1%). The event must have returns on all
        days of `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The statistic. The p-value comes from the rank of the CAR among the placebo values (see the
        notes). With fewer than 40 placebo values, the result has a warning.

    Raises
    ------
    InapplicableError
        If the window is longer than the estimation window, or if there are fewer than two different
        placebo values.

    Notes
    -----
    .. math:: \frac{CAR}{sd(CAR^*)}, \quad p_{low} = \frac{1 + \#\{CAR^* \le CAR\}}{n + 1}

    - CAR is the CAR of the event over the window.
    - :math:`CAR^*` is a placebo value: the sum of the abnormal returns in a block. A block has L
      consecutive estimation days.
    - n is the number of blocks, so there are n placebo values. Their standard deviation is
      :math:`sd(CAR^*)`.
    - :math:`\#\{CAR^* \le CAR\}` is the number of placebo values that are not above CAR.
    - :math:`p_{low}` is the one-sided p-value of a negative effect. The two-sided p-value is twice
      the smaller of the two one-sided p-values.

    The abnormal returns of a block come from a model that was estimated without the block.
    One-sided p-values are right even if returns are skewed.

    Missing data: the test leaves out a block if one of its days has no abnormal return.

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
    null="the firm is no further from its synthetic control than the donors are from theirs",
    reference="rank among donors", source="Abadie, Diamond and Hainmueller (2010)",
    about_mean=False, per_event=True, model="synthetic_control",
)  # fmt: skip
def placebo_in_space(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return |CAR| of one event divided by the RMSE of its synthetic control before the event.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of one event as decimals (0.01 is 1%), computed with the model
        ``synthetic_control``.
    window : Window

    Returns
    -------
    Value
        The statistic |CAR| / RMSE. The p-value comes from the rank of this statistic among the
        statistics of the donors (see the notes). With fewer than 20 donors, the result has a
        warning.

    Notes
    -----
    .. math:: \frac{|CAR|}{RMSE}, \quad p = \frac{1 + \#\{\text{donors} \ge \text{event}\}}{1 + J}

    - RMSE is the root of the mean squared error on the estimation days. The error of a day is the
      return of the firm minus the return of its synthetic control.
    - J is the number of donors. Each donor gets a synthetic control too, which is a mix of the
      other J-1 donors. So each donor has a ratio |CAR| / RMSE over the same days as the event.
    - :math:`\#\{\text{donors} \ge \text{event}\}` is the number of donors whose ratio is at least
      as large as the ratio of the event.

    The ratio has no sign, so one-sided and two-sided p-values are equal.

    Missing data: if the firm has no return on a day, the test leaves out this day for the donors
    too.

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
