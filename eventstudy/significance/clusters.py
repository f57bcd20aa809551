"""Clusters of dates, and tests by them: CR2 errors, wild bootstrap, calendar time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums, require
from ..utility import FloatArray, IntArray, chunks
from ._base import Value, statistic, t_of_mean
from .ranks import Totals, same_date_mean, scaled_total

# Signs that are drawn at a time, and what they are.
BLOCK = 1 << 20
SIGNS: FloatArray = np.array([-1.0, 1.0])


@dataclass(frozen=True, eq=False)
class DateClusters:
    """Which of n events share a date.

    Attributes
    ----------
    number : (n,) int array
        The cluster of each event, from 0 to G-1.
    FEWEST, FEWEST_TO_FLIP : int
        Clusters that a variance across them needs, and flips of their signs.
    ENUMERATED : int
        Of up to so many clusters all flips of their signs are taken.
    TIE : float
        |t*| that equals |t| but for rounding counts as at least as large.
    """

    number: IntArray
    FEWEST: ClassVar[int] = 3
    FEWEST_TO_FLIP: ClassVar[int] = 6
    ENUMERATED: ClassVar[int] = 12
    TIE: ClassVar[float] = 1e-9

    @classmethod
    def by_date(cls, sample: AbnormalReturns) -> DateClusters:
        """Return the events of a sample by their day 0."""
        return cls.of(sample.windows.day0)

    @classmethod
    def of(cls, labels: IntArray) -> DateClusters:
        """Return clusters from any labels of n events."""
        return cls(np.unique(labels, return_inverse=True)[1].ravel())

    @classmethod
    def merged(cls, sample: AbnormalReturns, window: Window) -> DateClusters:
        """Return clusters in which all events are whose CARs share a session.

        Parameters
        ----------
        sample : AbnormalReturns
            n events.
        window : Window
            A window of L days.

        Notes
        -----
        On one calendar these are dates fewer than L sessions apart. Events of exchanges that are
        never open together share a cluster if their windows are within a session of each other.
        """
        first, last = WeightedSums(sample, window).session_ends
        order = np.argsort(first, kind="stable")
        reach = np.maximum.accumulate(last[order])
        number: IntArray = np.empty(len(order), np.int64)
        number[order] = np.r_[0, np.cumsum(first[order][1:] > reach[:-1])]
        return cls(number)

    @property
    def count(self) -> int:
        """G, the number of clusters."""
        return int(self.number.max(initial=-1)) + 1

    @property
    def sizes(self) -> FloatArray:
        """Events of each cluster, (G,)."""
        return np.bincount(self.number).astype(float)

    def require_flips(self) -> None:
        """Raise InapplicableError for fewer clusters than sign flips need."""
        needed = self.FEWEST_TO_FLIP
        require(self.count >= needed, "clusters_needed", n=self.count, needed=needed)

    def t(self, values: FloatArray) -> Value:
        """Return the CR2 t-statistic of a mean and its Satterthwaite degrees of freedom.

        Parameters
        ----------
        values : (n,) float array

        Raises
        ------
        InapplicableError
            For fewer than three clusters, or no variance across them.

        Examples
        --------
        >>> values = np.array([0.02, 0.01, 0.03, -0.01, 0.0, 0.04, 0.02])
        >>> value = DateClusters(np.array([0, 0, 0, 1, 1, 2, 3])).t(values)
        >>> round(value.statistic, 7), round(value.df, 7)
        (1.8860222, 2.3684211)
        """
        size, n = self.sizes, len(values)
        require(len(size) >= self.FEWEST, "dates_needed", n=len(size), needed=self.FEWEST)
        total = np.bincount(self.number, weights=values - values.mean())
        variance = (total**2 / (1 - size / n)).sum()
        require(variance > 0 and np.isfinite(variance), "same_value_of_dates")
        # The sum over pairs of dates of n_g^2 n_h^2 / ((N - n_g) (N - n_h)).
        share = size**2 / (n - size)
        df = n**2 / ((size**2).sum() + share.sum() ** 2 - (share**2).sum())
        return Value(float(n * values.mean() / np.sqrt(variance)), float(df))

    def flipped_t(self, values: FloatArray, signs: FloatArray) -> FloatArray:
        """Return the CR2 t of the mean of the flipped values, shape (draws,).

        Parameters
        ----------
        values : (n,) float array
        signs : (draws, G) float array
            The sign of each cluster in each draw.
        """
        size, n = self.sizes, len(values)
        total = np.bincount(self.number, weights=values)
        mean = signs @ total / n
        deviation = signs * total - size * mean[:, None]
        variance = (deviation**2 / (1 - size / n)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(variance > 0, n * mean / np.sqrt(variance), np.sign(mean) * np.inf)

    def t_of_flips(self, values: FloatArray, *, draws: int, seed: int) -> FloatArray:
        """Return the t-statistics under sign flips of whole clusters, shape (2^G,) or (draws,).

        Parameters
        ----------
        values : (n,) float array
        draws, seed : int
            Of more than 12 clusters: seeded draws and their mirrors, which make the p-value
            independent of the sign of the effect.
        """
        G = self.count
        if G <= self.ENUMERATED:
            return self.flipped_t(values, self.all_signs(G))
        rng = np.random.default_rng(seed)
        half = (draws + 1) // 2
        stars = np.concatenate([
            self.flipped_t(values, rng.choice(SIGNS, size=(block.stop - block.start, G)))
            for block in chunks(half, max(1, BLOCK // G))
        ])  # fmt: skip
        return np.concatenate([stars, -stars])[:draws]

    @staticmethod
    def all_signs(G: int) -> FloatArray:
        """Return the 2^G rows of G signs, the identity first."""
        bits = (np.arange(2**G)[:, None] >> np.arange(G)) & 1
        return np.where(bits == 0, 1.0, -1.0)

    @classmethod
    def draw_signs(cls, G: int, draws: int, seed: int) -> tuple[FloatArray, bool]:
        """Return signs (B, G), and whether they are all 2^G of them: of up to 12 clusters.

        Parameters
        ----------
        G : int
            Number of clusters.
        draws : int
        seed : int

        Returns
        -------
        (B, G) float array, bool
        """
        if G <= cls.ENUMERATED:
            return cls.all_signs(G), True
        return np.random.default_rng(seed).choice(SIGNS, size=(draws, G)), False


@statistic(
    "date_clustered", label="Date-clustered t", minimum=5, robust=("yes", "no", "yes", "fair"),
    null="the mean CAR is zero", reference="t(Satterthwaite)",
    source="Bell and McCaffrey (2002): CR2 for a mean",
)  # fmt: skip
def date_clustered(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean CAR, with CR2 standard errors clustered by date.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events on G dates as decimals (0.01 is 1%). Each event has returns on
        all days of `window`.
    window : Window

    Returns
    -------
    Value
        The t-statistic, and its degrees of freedom by Satterthwaite's formula (df in the notes).

    Raises
    ------
    InapplicableError
        If there are fewer than three dates, or if all dates have the same mean CAR.

    Notes
    -----
    .. math::

        t = \frac{N \, CAAR}{\sqrt{\sum_g S_g^2 / (1 - n_g / N)}}, \quad
        S_g = \sum_{i \in g} (CAR_i - CAAR)

        df = N^2 \Big/ \Bigl[ \sum_g n_g^2 + \sum_{g \ne h}
        \frac{n_g^2 n_h^2}{(N - n_g)(N - n_h)} \Bigr]

    - CAAR is the mean CAR of the N events.
    - The sums run over the dates g and h. The date of an event is its day 0.
    - :math:`n_g` is the number of events on date g.
    - df is the number of degrees of freedom, by Satterthwaite's formula.

    The divisor :math:`1 - n_g / N` is the correction CR2 for a small number of clusters.

    Missing data: the test leaves out an event that has no abnormal return on some day of the
    window, unless the setting ``missing`` keeps the event.

    References
    ----------
    Bell, R. M. and McCaffrey, D. F. (2002), Bias reduction in standard errors for linear regression
    with multi-stage samples, Survey Methodology 28, 169-181.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("date_clustered", (0, 1)))
    Date-clustered t: t(5) = -0.87, p = 0.4233, 6 events
    """
    return DateClusters.by_date(sample).t(sample.car(window))


@statistic(
    "wild_bootstrap", label="Wild bootstrap by date", minimum=6,
    robust=("yes", "yes", "yes", "fair"), core=True, role="sign flips", null="the mean CAR is zero",
    reference="sign flips", source="Cameron, Gelbach and Miller (2008)",
)  # fmt: skip
def wild_bootstrap(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the date-clustered t-statistic, with a p-value from changed signs of the CARs.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`. The settings ``draws`` and ``seed`` of ``sample.conventions`` are the number B of
        combinations of signs and the seed of the random numbers.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The t-statistic of :func:`date_clustered`, computed with the clusters of the notes in place
        of dates. The p-value comes from the t-statistics of the CARs with changed signs.

    Raises
    ------
    InapplicableError
        If there are fewer than six clusters (see the notes), or if all clusters have the same mean
        CAR.

    Notes
    -----
    .. math:: CAR_i^* = v_{g(i)} CAR_i, \quad v_g = \pm 1

    - g(i) is the cluster of event i. Events on dates that are fewer than L sessions apart are in
      one cluster, because their windows overlap.
    - :math:`v_g` is the sign by which the test multiplies all CARs of cluster g.
    - :math:`CAR_i^*` are the CARs with changed signs. The test computes the t-statistic again from
      them.

    With G clusters there are 2^G combinations of signs. If G is at most 12, the test takes all of
    them. The one-sided p-value is the proportion of combinations whose t is at least as large as
    the t of the study.

    With more clusters, the test takes B combinations. It draws half of them at random; the other
    half has all signs of the first half reversed. If m combinations have a t at least as large as
    the t of the study, the one-sided p-value is (1 + m) / (1 + B).

    The two-sided p-value is twice the smaller one-sided p-value. If some exchanges of the study are
    never open together, dates that are L sessions apart are in one cluster too.

    Missing data are treated as in :func:`date_clustered`.

    References
    ----------
    Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008), Bootstrap-based improvements for
    inference with clustered errors, Review of Economics and Statistics 90, 414-427.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("wild_bootstrap", (0, 1)))
    Wild bootstrap by date: sign flips = -0.87, p = 0.4062, 6 events
    """
    clusters = DateClusters.merged(sample, window)
    clusters.require_flips()
    car, c = sample.car(window), sample.conventions
    t = clusters.t(car).statistic
    stars = clusters.t_of_flips(car, draws=c.draws, seed=c.seed)
    drawn = clusters.count > DateClusters.ENUMERATED
    tails = (stars <= t + clusters.TIE, stars >= t - clusters.TIE)
    lower, upper = (float((tail.sum() + drawn) / (len(stars) + drawn)) for tail in tails)
    return Value(t, np.nan, "sign flips", lower, upper)


MIN_SESSIONS = 10


@statistic(
    "cda", label="CDA t", minimum=1, robust=("yes", "no", "no", "yes"), null="the mean CAR is zero",
    reference="t(M-1)", source="Brown and Warner (1985)", uses_residuals=True,
)  # fmt: skip
def cda(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean CAR, with a standard error from the estimation days.

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
        The t-statistic and its degrees of freedom, M-1. M is the number of estimation days.

    Raises
    ------
    InapplicableError
        If the mean residual of the events is the same on all estimation days.

    Notes
    -----
    .. math:: t = \frac{CAAR}{sd(\overline{AR}_{est}) \sqrt L}

    - CAAR is the mean CAR of the events.
    - :math:`\overline{AR}_{est}` is the mean residual of all events on one estimation day. Its
      standard deviation sd is taken over the M estimation days.
    - L is the number of days of the window.

    Missing data: if some events have no residual on an estimation day, the test scales the mean of
    this day. The scaled mean has the same variance as the means of the other days.

    Price limits: the test never extends a window, even if the setting ``limits`` is "extend".

    References
    ----------
    Brown, S. J. and Warner, J. B. (1985), Using daily stock returns: the case of event studies,
    Journal of Financial Economics 14, 3-31.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("cda", (0, 1)))
    CDA t: t(219) = -1.71, p = 0.0879, 6 events
    """
    same_date = same_date_mean(sample, window)
    y = Totals.once(sample, "cda", lambda events: events.resid).scaled(same_date)
    y = y[np.isfinite(y)]
    require(len(y) >= 2 and y.std() != 0, "flat_mean_residual")
    total = scaled_total(sample, window, same_date)
    return Value(float(total / (y.std(ddof=1) * np.sqrt(len(window)))), float(len(y) - 1))


@statistic(
    "calendar_time", label="Calendar time", minimum=5, robust=("yes", "yes", "yes", "fair"),
    role="calendar time",
    null="a portfolio that holds each firm during its window has a mean daily abnormal return of "
    "zero",
    reference="t(sessions-1)", source="Jaffe (1974); Mandelker (1974); Fama (1998)",
    about_mean=False, core=True,
)  # fmt: skip
def calendar_time(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the mean daily abnormal return of all firms in their windows.

    Parameters
    ----------
    sample : AbnormalReturns
        The abnormal returns of N events, as decimals (0.01 is 1%).
    window : Window
        The tested window of each firm, in days counted from day 0.

    Returns
    -------
    Value
        The t-statistic, and its S-1 degrees of freedom. S is the number of trading days on which at
        least one firm is in its window.

    Raises
    ------
    InapplicableError
        If S is less than 10, or if all daily means are equal.

    Notes
    -----
    .. math:: t = \frac{\bar a}{s_a / \sqrt S} \Big/ \sqrt{1 + D / \bar M}

    - S is the number of trading days on which at least one firm is in its window. On each of these
      days, the daily mean is the mean abnormal return of all firms that are in their window.
    - :math:`\bar a` is the mean of the S daily means, and :math:`s_a` their standard deviation.
    - D is the mean length of the blocks of days: S divided by the number of blocks. A block is a
      run of the S days without a gap. A gap is one trading day or more, of any exchange of the
      firms, on which no firm is in its window.
    - :math:`\bar M` is the number of estimation days, averaged over the events.

    All abnormal returns of an event contain the same estimation error of alpha and beta. The
    divisor with :math:`D / \bar M` allows for this error.

    Missing data: if a firm has no abnormal return on a day, the mean of this day leaves out the
    firm.

    References
    ----------
    Jaffe, J. F. (1974), Special information and insider trading, Journal of Business 47, 410-428.
    Mandelker, G. (1974), Risk and return: the case of merging firms, Journal of Financial Economics
    1, 303-335. Fama, E. F. (1998), Market efficiency, long-term returns, and behavioral finance,
    Journal of Financial Economics 49, 283-306.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("calendar_time", (0, 1)))
    Calendar time: t(11) = -0.82, p = 0.4292, 6 events
    """
    position = sample.positions_over(window)
    ar = sample.over(sample.study.ar, window)
    used = np.isfinite(ar) & sample.inside(window)
    sessions, number = np.unique(position[used], return_inverse=True)
    require(len(sessions) >= MIN_SESSIONS, "sessions_needed", n=len(sessions), needed=MIN_SESSIONS)
    number = number.ravel()
    daily = np.bincount(number, weights=ar[used]) / np.bincount(number)
    t, df = t_of_mean(daily)[:2]
    calendars = (sample.windows.calendars[c] for c in np.unique(sample.windows.calendar))
    trading_days = np.unique(np.concatenate(list(calendars)))
    run = mean_run(np.searchsorted(trading_days, sessions))
    return Value(float(t / np.sqrt(1 + run / sample.nobs.mean())), df)


def mean_run(sessions: IntArray) -> float:
    """Return the mean length of the runs of consecutive sessions among ascending columns (T,).

    Examples
    --------
    >>> mean_run(np.array([1, 2, 3, 7, 9]))
    1.6666666666666667
    """
    return len(sessions) / (1 + int((np.diff(sessions) > 1).sum()))
