"""Mean CARs, and shares against what the market implied, day by day."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import WeightedSums
from ...fitting import FittedStudy
from ...significance import STATISTICS, DateClusters, decisive_scars
from ...utility import FloatArray, IntArray
from ...words import LEVEL
from ..answer.answer import weighted_effect
from ..interval import Interval, inflation, plain_average

# Intervals of fewer events are so wide as to flatten everything else.
BAND_EVENTS = 5


@dataclass(frozen=True, eq=False)
class Path95:
    """Mean abnormal returns by day with pointwise 95% intervals (decimal), each of shape (L2,).

    Attributes
    ----------
    days : IntArray
        Event days.
    aar, caar : FloatArray
        Mean AR of the events whose return is of the day alone, and mean CAR from the first day up
        to it, of the events that have all of it; NaN where none has. Days that close at a price
        limit are not extended.
    aar_half, caar_half : FloatArray
        Half the width of the interval; NaN where fewer than five events of a sample enter.
    aar_counts, counts : IntArray
        Events in each point of `aar` and `caar`.
    """

    days: IntArray
    aar: FloatArray
    caar: FloatArray
    aar_half: FloatArray
    caar_half: FloatArray
    aar_counts: IntArray
    counts: IntArray

    @property
    def has_band(self) -> bool:
        """Whether some point has an interval."""
        return bool(np.isfinite(self.caar_half).any())

    def beside_others(self) -> Path95:
        """Return the path for a scale that it shares: without the band of a single event."""
        return replace(self, caar_half=np.where(self.counts < BAND_EVENTS, np.nan, self.caar_half))

    @classmethod
    def of(cls, study: FittedStudy) -> Path95:
        """Return the path of a study, with half the width of each day's interval."""
        return study.remember(("path",), lambda: _caar_path(study))


def _caar_path(study: FittedStudy) -> Path95:
    prepare_windows(study)
    a = study.abnormal.unextended
    unextended = replace(study, abnormal=a)
    windows = by_day(a.event), up_to_day(a.event)
    aar_half, caar_half = (np.array([_half(unextended, w) for w in ws]) for ws in windows)
    return Path95(a.event.days, a.aar, a.caar, aar_half, caar_half, a.in_aar, a.complete)


def by_day(event: Window) -> list[Window]:
    """Return each event day as a window."""
    return [Window(int(t), int(t)) for t in event.days]


def up_to_day(event: Window) -> list[Window]:
    """Return the windows from the first event day to each of them."""
    return [Window(event.start, int(t)) for t in event.days]


def from_main(event: Window, start: int) -> list[Window | None]:
    """Return for each event day the window from the day before the main window, or back to it.

    Parameters
    ----------
    event : Window
    start : int
        First day of the main window. For the day before it there is none.
    """
    days = map(int, event.days)
    return [
        None if t == start - 1 else Window(start, t) if t >= start else Window(t + 1, start - 1)
        for t in days
    ]


def prepare_windows(study: FittedStudy, windows: Iterable[Window] = ()) -> None:
    """Compute the correlations of all windows of tables and pictures at once, on the first call.

    Parameters
    ----------
    study : FittedStudy
    windows : iterable of Window
        Windows of a large study that are to be tested, beside those of its settings.
    """
    study.remember(("prepared",), lambda: _prepared(study, tuple(windows)))


def _prepared(study: FittedStudy, windows: tuple[Window, ...]) -> bool:
    a, main = study.abnormal, study.main
    column = study.group_column(study.settings.by) if study.is_large else ""
    if column and a.taken_from is None:
        groups = list(study.groups(column).values())
        for group in groups:
            prepare_windows(group, windows)
        a.made_up_of([group.abnormal for group in groups])
    paths = [*by_day(a.event), *up_to_day(a.event)]
    tested = [*study.settings.tested, *(windows if a.is_of_many else ())]
    each = [*tested, *filter(None, from_main(a.event, main.start))]
    WeightedSums.prepare(a, each + paths * (a.unextended is a), main)
    if a.unextended is not a:
        WeightedSums.prepare(a.unextended, paths, main)
    return True


def _half(study: FittedStudy, window: Window) -> float:
    """Return half the width of the interval of the mean CAR."""
    n = int(study.abnormal.valid(window).sum())
    if n < BAND_EVENTS and len(study) > 1:
        return math.nan
    average = plain_average(study.abnormal, window)
    return average.ci_high - average.estimate


# Clusters of dates that a band for the whole path needs.
FEWEST_CLUSTERS = 6


@dataclass(frozen=True, eq=False)
class ImpliedPath:
    r"""The path of the shares and that which the market implied, each array of shape (L2,).

    Attributes
    ----------
    days : IntArray
        Event days.
    base, end : int
        The day before the main window, whose level is 100, and the last day of the window, or the
        first close off the price limit of the one event whose window that extends.
    implied, shares : FloatArray
        Levels; NaN where no event has the days up to there. Each gap is the effect over the days
        between (in points of 100 %), so at `end` it is that of the answer. One event whose window a
        price limit extends has the levels of its price and of the compounded expected returns.
    half : FloatArray
        Half the width of the 95% band around `implied`; the shares leave it exactly where the
        effect over the days between differs from zero.
    critical : float
        The 95% quantile of the largest \|t\| of all days, for a band that chance leaves on no day
        in 19 of 20 studies; NaN with fewer than six clusters of dates.
    se : FloatArray
        Standard error of each gap, in the same points.
    counts : IntArray
        Events in each point.
    is_price : bool
        Whether the levels are those of a price that ran to its limit: no gap is then an effect.
    by : str
        What implied the level, see ``ImpliedPath.name_source``.
    """

    # The level of the shares on the day before the main window.
    BASE: ClassVar[float] = 100.0

    days: IntArray
    base: int
    end: int
    implied: FloatArray
    shares: FloatArray
    half: FloatArray
    critical: float
    se: FloatArray
    counts: IntArray
    is_price: bool = False
    by: str = "market"

    @property
    def gap(self) -> FloatArray:
        """Shares less implied, in points."""
        return self.shares - self.implied

    @property
    def path_half(self) -> FloatArray:
        """Half the width of the band for the whole path, in points."""
        return self.critical * self.se

    @classmethod
    def of(cls, study: FittedStudy) -> ImpliedPath | None:
        r"""Return the path of the shares against the market implied, of the events of the answer.

        Parameters
        ----------
        study : FittedStudy

        Returns
        -------
        ImpliedPath or None
            None without an event of the main window.

        Notes
        -----
        With a the first day of the main window, w_i = (1/s_i) / sum 1/s_i in the errors of that
        window, ER the expected returns and d[.] the effect of a window (docs/methods/answer.md),

        .. math:: E_t = 100 (1 + \sum_{k=a}^{t} \sum_i w_i ER_{ik}), \quad A_t = E_t + 100\, d[a, t]

        for t >= a; before day a - 1 both go backwards: 100 (1 - sum) from t + 1 to a - 1, and
        A_t = E_t - 100 d[t+1, a-1]. Returns are added, not compounded.

        That of one event is seen day by day: on a day at a price limit it stands where the
        share closed. If its main window is extended, both lines are compounded instead, so
        that A_t is the price. The gap is then no CAR, and the band around E_t is still that
        of the added abnormal returns.
        """
        return study.remember(("implied path",), lambda: _path(study))

    @classmethod
    def of_event(cls, study: FittedStudy, i: int) -> ImpliedPath | None:
        """Return the path of one event of a study, as a study of this event alone has it.

        It is seen day by day: a share cannot fall at once as far as until it left its price limit.

        Parameters
        ----------
        study : FittedStudy
        i : int
            Row of the event.

        Returns
        -------
        ImpliedPath or None
            None if the event has no CAR over the main window.
        """
        abnormal, main = study.abnormal, study.main
        if not np.isfinite(abnormal.car(main)[i]):
            return None
        days, end = abnormal.event.days, main.stop
        expected = abnormal.expected[i, abnormal.columns(abnormal.event)]
        gap, se = (ImpliedPath.BASE * values[i] for values in ImpliedPath.gaps_of_events(study))
        level = _level(study, np.nan_to_num(expected))
        shares = level + gap
        is_price = study.panel.measure == "return" and bool(abnormal.extended(main)[i])
        if is_price:
            end, level, shares = _compounded(study, i, gap)
        half = Interval.quantile(float(abnormal.df_resid[i])) * se
        counts = np.isfinite(gap).astype(np.int64)
        return ImpliedPath(
            days, main.start - 1, end, level, shares, half, np.nan, se, counts, is_price,
            by=_implied_by(study),
        )  # fmt: skip

    @staticmethod
    def gaps_of_events(study: FittedStudy) -> tuple[FloatArray, FloatArray]:
        """Return the CAR of each event since the day before the main window, and its error.

        Before that day it is minus the CAR of the days up to there. A CAR that would run on
        beyond the day, to the first close off a price limit, ends on the day; the error is
        that of the main test of one event.

        Parameters
        ----------
        study : FittedStudy

        Returns
        -------
        gap, se : (n, L2) float arrays
            Decimal returns; NaN where the CAR is missing, 0 on the day before the main window.
        """
        return study.remember(("gaps",), lambda: _gaps(study))

    @staticmethod
    def name_source(factors: Collection[str], measure: str = "return") -> str:
        """Return what the shares are set against.

        Parameters
        ----------
        factors : collection of str
            Names of the factors of the model.
        measure : str

        Returns
        -------
        str
            ``market``; ``model`` where the factors have no market; ``own`` without
            factors, as then a share has only its own average; ``normal`` of measures
            other than the return.
        """
        if measure != "return":
            return "normal"
        if "market" in factors:
            return "market"
        return "model" if factors else "own"

    @staticmethod
    def caar_around(study: FittedStudy) -> Path95:
        """Return the path of the mean CAR since the day before the main window, with its 95% band.

        Before that day it is minus the mean CAR of the days up to there. The band of a
        single event is that of its main test.

        Parameters
        ----------
        study : FittedStudy
        """
        path, main, days = Path95.of(study), study.main, study.abnormal.event.days
        if len(study) == 1:
            (row,) = np.flatnonzero(study.ok)
            gap, se = (values[row] for values in ImpliedPath.gaps_of_events(study))
            half = Interval.quantile(float(study.abnormal.df_resid[row])) * se
            return replace(path, caar=gap, caar_half=half, counts=np.isfinite(gap).astype(np.int64))
        caar = np.zeros(len(days))
        half = np.zeros(len(days))
        counts = np.full(len(days), study.abnormal.valid(main).sum())
        for k, window in enumerate(from_main(study.abnormal.event, main.start)):
            if window is not None:
                average = plain_average(study.abnormal, window)
                counts[k] = study.abnormal.valid(window).sum()
                caar[k] = average.estimate if window.start == main.start else -average.estimate
                half[k] = average.ci_high - average.estimate
        if len(study) < BAND_EVENTS:
            half[:] = np.nan
        return replace(path, caar=caar, caar_half=half, counts=counts)


def _path(study: FittedStudy) -> ImpliedPath | None:
    abnormal, main = study.abnormal, study.main
    rows = np.flatnonzero(abnormal.in_tests(main))
    if len(rows) < 2:
        return ImpliedPath.of_event(study, int(rows[0])) if len(rows) else None
    sample, days = abnormal.tested(main), abnormal.event.days
    weights = 1 / decisive_scars(sample, main)[1]
    expected = np.nan_to_num(sample.expected[:, sample.columns(abnormal.event)])
    base = main.start - 1
    prepare_windows(study)
    windows = from_main(abnormal.event, main.start)
    none = Interval(0.0, 0.0, 0.0, 0.0, np.inf)
    effects = [_effect_of(abnormal, w) if w else none for w in windows]
    sign = np.where(days > base, 1.0, -1.0)
    gap = ImpliedPath.BASE * sign * np.array([effect.estimate for effect in effects])
    half = ImpliedPath.BASE * np.array([effect.ci_high - effect.estimate for effect in effects])
    counts = np.array([len(abnormal.tested(w)) if w else len(sample) for w in windows])
    level = _level(study, weights @ expected / weights.sum())
    return ImpliedPath(
        days, base, main.stop, level, level + gap, half,
        _critical(abnormal, [w for w in windows if w]),
        ImpliedPath.BASE * np.array([effect.se for effect in effects]), counts,
        by=_implied_by(study),
    )  # fmt: skip


def _implied_by(study: FittedStudy) -> str:
    factors = [factor.name for factor in study.model.factors]
    return ImpliedPath.name_source(factors, study.panel.measure)


def _level(study: FittedStudy, daily: FloatArray) -> FloatArray:
    """Return the level of the market implied, 100 on the day before the main window, (L2,).

    Parameters
    ----------
    study : FittedStudy
    daily : (L2,) float array
        Expected returns of the days of the event window.
    """
    if study.panel.measure != "return":
        daily = np.zeros_like(daily)
    total = np.cumsum(daily)
    at_base = float(total[study.abnormal.event.days == study.main.start - 1].sum())
    return np.asarray(ImpliedPath.BASE * (1 + total - at_base))


def _gaps(study: FittedStudy) -> tuple[FloatArray, FloatArray]:
    abnormal, start = study.abnormal, study.main.start
    gap = np.zeros((len(study.events), len(abnormal.event)))
    se = np.zeros_like(gap)
    for k, window in enumerate(from_main(abnormal.event, start)):
        if window is not None:
            sign = 1.0 if window.start == start else -1.0
            car, se[:, k] = _car_and_error(abnormal, window)
            runs_on = abnormal.extended(window)
            if runs_on.any():
                ending_here, error = _car_and_error(abnormal.unextended, window)
                car = np.where(runs_on, ending_here, car)
                se[runs_on, k] = error[runs_on]
            gap[:, k] = sign * car
    return gap, se


def _car_and_error(abnormal: AbnormalReturns, window: Window) -> tuple[FloatArray, FloatArray]:
    """Return the CAR of each event and the error of the main test of one event, (n,) each."""
    variance = abnormal.recent_variance(window) * abnormal.var_car(window)
    return abnormal.car(window), np.sqrt(variance)


def _compounded(study: FittedStudy, i: int, gap: FloatArray) -> tuple[int, FloatArray, FloatArray]:
    """Return the last day, and both levels, of an event whose main window a price limit extends.

    Returns as large as these add up to another level than that of the price.
    """
    abnormal, main = study.abnormal, study.main
    cols = abnormal.columns(abnormal.event)
    expected = abnormal.expected[i, cols]
    ar = abnormal.unextended.ar[i, cols]
    days, last = abnormal.event.days, abnormal.sessions_of(main)[1][i]
    to_log = np.positive if study.panel.kind == "log" else np.log1p
    totals = [np.cumsum(to_log(np.nan_to_num(r))) for r in (expected, expected + ar)]
    level, shares = (ImpliedPath.BASE * np.exp(t - t[days == main.start - 1].sum()) for t in totals)
    end = days[abnormal.windows.dates[i] >= last]
    return int(end[0] if len(end) else days[-1]), level, np.where(np.isfinite(gap), shares, np.nan)


def _effect_of(abnormal: AbnormalReturns, window: Window) -> Interval:
    """Return the effect alone of the answer over a window; NaN without a result."""
    sample = abnormal.tested(window)
    if len(sample) == 0:
        return Interval()
    test = STATISTICS[STATISTICS.main(len(sample))](sample, window)
    return weighted_effect(sample, window, test) if np.isfinite(test.pvalue) else Interval()


def _critical(abnormal: AbnormalReturns, windows: list[Window]) -> float:
    """Return the 95% quantile of the largest |t| over the windows, by sign flips of clusters."""
    largest = None
    for stars in _flipped(abnormal, windows):
        largest = stars if largest is None else np.maximum(largest, stars)
    return np.nan if largest is None else float(np.quantile(largest, 1 - LEVEL))


def _flipped(abnormal: AbnormalReturns, windows: list[Window]) -> Iterator[FloatArray]:
    """Yield the |t| of each window's standardised CARs under shared flips of dates, (B,)."""
    usable = abnormal.take(np.isfinite(abnormal.sigma2))
    cluster = DateClusters.merged(usable, max(windows, key=len)).number
    clusters = dict(zip(usable.windows.day0.tolist(), cluster.tolist(), strict=True))
    n = len(np.unique(cluster))
    if n < FEWEST_CLUSTERS:
        return
    conventions = abnormal.conventions
    signs, _ = DateClusters.draw_signs(n, conventions.draws, conventions.seed)
    for window in windows:
        sample = abnormal.tested(window)
        present = [clusters[day] for day in sample.windows.day0.tolist()]
        clusters_in = np.unique(present)
        if len(clusters_in) >= FEWEST_CLUSTERS:
            own = DateClusters.of(np.array(present))
            yield np.abs(own.flipped_t(sample.scar(window), signs[:, clusters_in]))


@dataclass(frozen=True)
class Surroundings:
    """What happened before and after the main window, as a share of the whole.

    Attributes
    ----------
    run_up, drift : Interval
        Effects from the first event day to the day before the main window, and from the day after
        it to the last event day (decimal).
    run_up_share, drift_share : tuple of three float
        Run-up over run-up and main effect; drift over the main effect (below 0 is a reversal): the
        ratio and its 95% interval by Fieller's method, NaN where that is not bounded.
    first_day : int
        The day from which the run-up is farthest from zero in standard errors.
    first_day_pvalue : float
        Of that: the share of sign flips whose largest |t| is as large; NaN with fewer than six
        clusters of dates.
    """

    run_up: Interval
    drift: Interval
    run_up_share: tuple[float, float, float]
    drift_share: tuple[float, float, float]
    first_day: int
    first_day_pvalue: float

    @classmethod
    def of(cls, study: FittedStudy) -> Surroundings | None:
        """Return run-up and drift of a study, of the events that have all days of the event window.

        Parameters
        ----------
        study : FittedStudy

        Returns
        -------
        Surroundings or None
            None without days on both sides of the main window, or with fewer than five events.

        References
        ----------
        .. [1] Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal
           Statistical Society B 16, 175-185.
        """
        abnormal, main, event = study.abnormal, study.main, study.abnormal.event
        if event.start >= main.start or event.stop <= main.stop:
            return None
        before = Window(event.start, main.start - 1)
        after = Window(main.stop + 1, event.stop)
        sample = abnormal.tested(event)
        if len(sample) < 5:
            return None
        w = 1 / np.sqrt(sample.var_car(main))
        pre, now, post = (w * sample.car(x) / w.sum() for x in (before, main, after))
        f = inflation(sample, event)
        starts = [Window(int(day), before.stop) for day in before.days]
        ts = np.array([_t_of(_effect_of(abnormal, x)) for x in starts])
        first = int(np.nanargmax(np.abs(ts))) if np.isfinite(ts).any() else 0
        stars = list(_flipped(abnormal, starts))
        largest = np.max(stars, axis=0) if len(stars) == len(starts) else np.empty(0)
        reached = (largest >= abs(ts[first]) - 1e-9).sum()
        p = (1 + reached) / (1 + len(largest)) if len(largest) else np.nan
        return Surroundings(
            _effect_of(abnormal, before), _effect_of(abnormal, after),
            _ratio(pre, pre + now, f), _ratio(post, now, f), int(before.days[first]), float(p),
        )  # fmt: skip


def _t_of(effect: Interval) -> float:
    return effect.estimate / effect.se if effect.se > 0 else np.nan


def _ratio(top: FloatArray, foot: FloatArray, f: float) -> tuple[float, float, float]:
    """Return sum(top) / sum(foot) with its interval, errors inflated by the correlation."""
    n = len(top)
    x = float(top.sum())
    y = float(foot.sum())
    c = Interval.quantile(n - 1.0) ** 2 * f**2 * n * np.cov(top, foot)
    a = y**2 - c[1, 1]
    b = x * y - c[0, 1]
    d = x**2 - c[0, 0]
    root = b**2 - a * d
    if not (a > 0 and root >= 0):
        return x / y if y else np.nan, np.nan, np.nan
    return x / y, float((b - np.sqrt(root)) / a), float((b + np.sqrt(root)) / a)
