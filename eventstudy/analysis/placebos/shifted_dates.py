"""A sample of events on other days, very many times: where its dates go, and every test there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from ...abnormal import AbnormalReturns, Conventions
from ...calendars import Window
from ...dependence import WeightedSums
from ...errors import ConfigError
from ...fitting import FittedStudy, Layout
from ...models import LinearModel
from ...significance import FULL_SAMPLE, STATISTICS, DateClusters, SignificanceTest
from ...utility import (
    CHUNK,
    AnyArray,
    BoolArray,
    DateArray,
    FloatArray,
    IntArray,
    chunks,
    current,
    one_thread,
)
from ..interval import Interval, inflation
from .calibrated import shared_movement

# A draw whose sample is much smaller than the study's has another distribution.
MIN_SHARE = 0.8
# Of fewer common shifts each cluster of dates gets a shift of its own.
ENOUGH = 500
# Fits by search, such as of GARCH with 30 to 50 ms each, that other dates take at most in a run.
MOST_FITS = 5000
# Pairs of more events take longer together than in each draw by itself.
MOST_TOGETHER = 200
# Where clusters move by themselves, so many times the draws are tried.
SPARE = 4
# Numbers that steps of this share of a circle take to a part of it are spread out for any part.
GOLDEN = (5**0.5 - 1) / 2
Progress = Callable[[int, int], None]
_NO_MOVES: IntArray = np.empty((0, 1), np.int64)


@dataclass(frozen=True, eq=False)
class Shifts:
    """Where the dates of a sample go in each draw.

    Attributes
    ----------
    sessions : (T,) datetime64[D] array
        The clock: the sessions of all exchanges of the sample.
    first, count : int
        The sessions among which dates move in a circle: those with a full estimation window before
        and the event window after them.
    starts : (G,) int array
        First session of each cluster of dates that moves by itself; one for all together.
    moves : (draws, G) int array
        By how many sessions each cluster moves.
    """

    sessions: DateArray
    first: int
    count: int
    starts: IntArray
    moves: IntArray

    def __len__(self) -> int:
        return len(self.moves)

    @property
    def are_common(self) -> bool:
        """Whether all dates move together."""
        return len(self.starts) == 1

    def effective(self, day0: DateArray, rho: FloatArray, window: Window) -> float:
        r"""Return to how many independent draws these are worth.

        Parameters
        ----------
        day0 : (n,) datetime64 array
            Dates of the sample as they are.
        rho : (n, n) float array
            Correlations of the errors of its firms on common sessions.
        window : Window
            L days.

        Notes
        -----
        Draws s and s' share days: an event with itself, and with others that s' puts where s puts
        it, as between dates at regular gaps. With o_ij(d) the share of the window that event i, d
        sessions later than in the study, has in common with event j as it is in the study,

        .. math:: \frac{B^2}{\sum_{s,s'} c_{s-s'}^2}, \quad
            c_d = \frac{\sum_{ij} \rho_{ij} o_{ij}(d)}{\sum_{ij} \rho_{ij} o_{ij}(0)} .

        The correlation is squared since p is two-sided. Where clusters move by themselves, the sum
        over pairs of draws is that which their chances have.
        """
        B = len(self)
        L = len(window)
        if not B:
            return 0.0
        at = np.searchsorted(self.sessions, day0)
        cluster = self._clusters(at)
        apart = (at[:, None] - at) % self.count
        if self.are_common:
            shared = self._shared(np.zeros_like(apart), apart, rho, L)[0]
            moves = np.bincount(self.moves[:, 0] % self.count, minlength=self.count)
            pairs = np.array([moves @ np.roll(moves, d) for d in range(self.count)])
            return float(B**2 / (pairs @ (shared / shared[0]) ** 2))
        usual, spread = 0.0, 0.0
        for c in np.unique(cluster):
            rows = cluster == c
            shared = self._shared(np.tile(cluster, (rows.sum(), 1)), apart[rows], rho[rows], L)
            usual += shared[c, 0]
            spread += shared.var(axis=1).sum()
        square = (spread + (rho.sum() * L / self.count) ** 2) / usual**2
        return float(B / (1 + (B - 1) * square))

    def _shared(self, cluster: IntArray, apart: IntArray, rho: FloatArray, L: int) -> FloatArray:
        """Return the days shared with the events of each cluster by how far one draw is from
        another, weighted by the correlation of the firms, (G, count); arrays are of pairs."""
        size = (len(self.starts), self.count)
        flat = (cluster * self.count + apart).ravel()
        gaps = np.bincount(flat, rho.ravel(), size[0] * size[1]).reshape(size)
        out = np.zeros(size)
        for days in range(1 - L, L):
            out += (1 - abs(days) / L) * np.roll(gaps, days, axis=1)
        return out

    def _clusters(self, at: IntArray) -> IntArray:
        """Return the cluster of each session, (n,)."""
        return np.maximum(np.searchsorted(self.starts, at, side="right") - 1, 0)

    def places(self, day0: DateArray) -> IntArray:
        """Return the session of each date in each draw, (draws, n).

        Parameters
        ----------
        day0 : (n,) datetime64 array
            Dates as they are; not only those of the sample that the shifts were made for.
        """
        at = np.searchsorted(self.sessions, day0)
        moves = self.moves[:, self._clusters(at)]
        return np.asarray(self.first + (at - self.first + moves) % self.count)

    def among(self, quiet: BoolArray, day0: DateArray) -> Shifts:
        """Return the shifts that take enough of the events to a day without news of their firm.

        Parameters
        ----------
        quiet : (n, count) bool array
            The sessions of the circle that are such days.
        day0 : (n,) datetime64 array
        """
        free = quiet[np.arange(len(day0)), self.places(day0) - self.first]
        return replace(self, moves=self.moves[free.mean(axis=1) >= MIN_SHARE])


def shifts_of(study: FittedStudy, window: Window, draws: int) -> Shifts:
    """Return the shifts of a sample, at most `draws`; none where the prices reach too few days.

    Parameters
    ----------
    study : FittedStudy
    window : Window
        Events whose CARs over it share a session are a cluster.
    draws : int

    Notes
    -----
    All dates move by the same number of sessions, at least the length of the event window, in a
    circle: each number once, in ascending order; of more than `draws` a part that is spread over
    all and begins where the seed of the conventions says, so that fewer draws are among more. Where
    there are fewer than `draws` and than 500, each cluster of dates moves by a number of its own,
    drawn with that seed.
    """
    layout, a = layout_of(study), study.abnormal
    used = np.flatnonzero(a.valid(window) & study.ok)
    clocks = [layout.panel.calendars[name] for name in {layout.calendars[i] for i in used}]
    columns = np.unique(np.concatenate([np.empty(0, np.int64), *clocks]))
    none = Shifts(layout.panel.sessions[columns], 0, 1, np.zeros(1, np.int64), _NO_MOVES)
    if not used.size:
        return none
    ends = np.array([_usable(layout, i, a.windows.estimation, a.event) for i in used.tolist()])
    need = int(np.ceil(MIN_SHARE * len(used))) - 1
    first = int(np.searchsorted(columns, np.sort(ends[:, 0])[need]))
    count = int(np.searchsorted(columns, -np.sort(-ends[:, 1])[need], side="right")) - first
    moves = np.arange(len(a.event), count - len(a.event) + 1)
    if len(moves) < Conventions.FEWEST_PLACEBOS:
        return none
    day0 = days_of(study)[used]
    quiet = _quiet(study, used, window, columns[first : first + count])
    together = replace(none, first=first, count=count, moves=moves[:, None]).among(quiet, day0)
    clusters = DateClusters.merged(a.take(used), window).number
    if len(together) >= min(draws, ENOUGH) or not clusters.any():
        some = _spread(len(together), draws, a.conventions.seed)
        return replace(together, moves=together.moves[some])
    at = np.searchsorted(none.sessions, day0)
    starts = np.sort([at[clusters == c].min() for c in np.unique(clusters)])
    rng = np.random.default_rng(a.conventions.seed)
    drawn = rng.choice(moves, size=(SPARE * draws, len(starts)))
    apart = replace(together, starts=starts, moves=drawn).among(quiet, day0)
    return replace(apart, moves=apart.moves[:draws])


def layout_of(study: FittedStudy) -> Layout:
    """Return where the returns of a study are; ConfigError where it does not say so."""
    if study.layout is None:
        raise ConfigError("these results do not know where their returns came from")
    return study.layout


def days_of(study: FittedStudy) -> DateArray:
    """Return day 0 of each event, (n,)."""
    return study.events["day0"].to_numpy().astype("datetime64[D]")


def _usable(layout: Layout, i: int, estimation: Window, event: Window) -> tuple[int, int]:
    """Return the first and last column of day 0 for which event i has returns of all days."""
    panel, calendar = layout.panel, layout.panel.calendars[layout.calendars[i]]
    rows = [row for row in (layout.rows[i], *layout.factor_rows[i]) if row >= 0]
    priced = np.flatnonzero((panel.spans[np.ix_(rows, calendar)] > 0).all(axis=0))
    if not priced.size:
        return int(calendar[-1]), int(calendar[0])
    first = priced[0] - estimation.start
    last = priced[-1] - event.stop
    return int(calendar[min(first, len(calendar) - 1)]), int(calendar[max(last, 0)])


def _quiet(study: FittedStudy, used: IntArray, window: Window, circle: IntArray) -> BoolArray:
    """Return on which days of the circle a window lies clear of news of the firm, (n, days)."""
    layout = layout_of(study)
    news = layout.announced(study.events["ticker"].to_numpy(object)[used])
    out = np.empty((len(used), len(circle)), dtype=bool)
    for row, i in enumerate(used):
        calendar = layout.panel.calendars[layout.calendars[i]]
        days = np.searchsorted(calendar, circle)[:, None] + window.days
        out[row] = ~news[row, calendar[np.minimum(days, len(calendar) - 1)]].any(axis=1)
    return out


def _spread(n: int, count: int, seed: int) -> IntArray:
    """Return at most `count` of n numbers in order, spread over all; fewer are among more."""
    places = (np.random.default_rng(seed).random() + GOLDEN * np.arange(n)) % 1
    return np.sort(np.argsort(places)[:count])


class Draws(NamedTuple):
    """Every test in every draw; NaN where a draw keeps too few events, or a test has no value.

    Attributes
    ----------
    pvalue, statistic : (draws, windows, tests) float arrays
    estimate : (draws, windows) float array
        Mean CAR (decimal).
    n_events : (draws, windows) int array
    rejected : (draws, windows, effects) float array
        Share of the two signs with which the first test finds each effect at 5%.
    shared : (draws, windows) float array
        How much the events moved together, see :func:`shared_movement`.
    """

    pvalue: FloatArray
    statistic: FloatArray
    estimate: FloatArray
    n_events: IntArray
    rejected: FloatArray
    shared: FloatArray


def draw(
    study: FittedStudy, windows: Sequence[Window], tests: Sequence[str], shifts: Shifts, *,
    effects: Sequence[float] = (), progress: Progress | None = None,
) -> Draws:  # fmt: skip
    """Return every test over every window of the study on other days.

    Parameters
    ----------
    study : FittedStudy
    windows : sequence of Window
    tests : sequence of str
    shifts : Shifts
    effects : sequence of float
        Added to every CAR (decimal), with either sign, to see whether the first test finds them.
    progress : callable, optional
        Called with (draws done, draws in all).

    Notes
    -----
    The model is estimated anew for all events of some draws at once. In estimation windows the
    event windows of all announcements of the firm are left out, and an event whose tested days
    touch one leaves the draw, as does one with less than 80 % of the estimation days that it has in
    the study. A draw counts if it keeps 80 % of the events. The bits depend on no number of
    workers.
    """
    plan = _Plan.of(study, tuple(windows), tuple(tests), tuple(effects))
    places = shifts.places(plan.day0)
    n = max(len(plan.day0), 1)
    pieces = chunks(len(places), max(1, CHUNK // n))
    work = partial(_tested, plan, shifts.sessions, common=shifts.are_common)
    out = []
    for piece, result in zip(pieces, current().map(work, [places[p] for p in pieces]), strict=True):
        out.append(result)
        if progress:
            progress(piece.stop, len(places))
    return Draws(*(np.concatenate(arrays) for arrays in zip(*out, strict=True)))


def draw_cars(study: FittedStudy, window: Window, draws: int) -> FloatArray:
    """Return the CARs of a study on other days, (draws, n); NaN for events that leave a draw.

    Parameters
    ----------
    study : FittedStudy
        Of n events, all used.
    window : Window
    draws : int
        At most so many; a draw that keeps less than 80 % of the events is left out.
    """
    plan = _Plan.of(study, (window,), (), ())
    shifts = shifts_of(study, window, draws)
    places = shifts.places(plan.day0)
    n = len(plan.day0)
    out = np.full(places.shape, np.nan)
    for piece in chunks(len(places), max(1, CHUNK // max(n, 1))):
        a, usable = plan.fitted(shifts.sessions[places[piece].ravel()])
        out[piece] = np.where(usable, a.car(window), np.nan).reshape(-1, n)
    by_date = np.argsort(days_of(study), kind="stable")
    cars = np.empty_like(out)
    cars[:, by_date] = out
    keeps_enough: BoolArray = np.isfinite(cars).mean(axis=1) >= MIN_SHARE
    return cars[keeps_enough]


@dataclass(frozen=True, eq=False)
class _Plan:
    """What a draw needs of a study: little enough to be sent to another process.

    The events are in the order of their dates; `news` is (n, T), the sessions in an event window of
    the firm; `least` the fewest estimation days of each event; `valid` (windows, n), the events
    that the study itself has over each window, of which a draw keeps most.
    """

    layout: Layout
    model: LinearModel
    conventions: Conventions
    estimation: Window
    event: Window
    day0: DateArray
    news: BoolArray
    least: AnyArray
    valid: BoolArray
    windows: tuple[Window, ...]
    tests: tuple[str, ...]
    effects: tuple[float, ...]

    @classmethod
    def of(
        cls, study: FittedStudy, windows: tuple[Window, ...], tests: tuple[str, ...],
        effects: tuple[float, ...],
    ) -> _Plan:  # fmt: skip
        """Return what all draws have in common.

        Parameters
        ----------
        study : FittedStudy
        windows : tuple of Window
        tests : tuple of str
        effects : tuple of float
            Added to the CARs for power, decimal returns.
        """
        a, day0 = study.abnormal, days_of(study)
        rows = np.flatnonzero(study.ok)
        rows = rows[np.argsort(day0[rows], kind="stable")]
        layout = layout_of(study)
        news = layout.announced(study.events["ticker"].to_numpy(object)[rows])
        least = MIN_SHARE * (a.nobs + a.windows.masked)[rows]
        valid = np.array([a.valid(window)[rows] for window in windows], dtype=bool)
        event = a.event
        if all(STATISTICS[test].main_from for test in tests):
            # A main test looks at no other day than those of its window.
            event = Window(min(w.start for w in windows), max(w.stop for w in windows))
        return cls(
            layout.take(rows).lean, study.model, a.conventions, a.windows.estimation, event,
            day0[rows], news, least, valid, windows, tests, effects,
        )  # fmt: skip

    def fitted(self, days: DateArray) -> tuple[AbnormalReturns, BoolArray]:
        """Return the abnormal returns around other days, and which events can be used, (B n,)."""
        B = len(days) // len(self.day0)
        event = np.tile(np.arange(len(self.day0)), B)
        layout = self.layout.take(event)
        days = layout.panel.sessions_of(layout.calendars, days)
        windows = layout.around(days, estimation=self.estimation, event=self.event)
        windows = windows.without(self._near_news(event, windows.estimation_positions))
        if any(STATISTICS[test].scales_variance for test in self.tests):
            after = windows.without_gap().event_positions
            windows = windows.altered(other_news=self._near_news(event, after))
        engine: Any = "batch" if self.model.cov_type == "nonrobust" else "statsmodels"
        a = replace(self.model.fit(windows, engine=engine), conventions=self.conventions)
        first = min(w.start for w in self.windows)
        last = max(w.stop for w in self.windows)
        at = windows.event_positions[:, a.columns(Window(first, last))]
        touches = self._near_news(event, at).any(axis=1)
        return a, ~touches & (a.nobs + windows.masked >= self.least[event])

    def _near_news(self, event: IntArray, columns: IntArray) -> BoolArray:
        """Return which columns of the panel (m, L) are in an event window of the event's firm."""
        out, before = np.zeros(columns.shape, dtype=bool), self.news_before
        reach = np.maximum(columns[:, 0], 0), columns.max(axis=1) + 1
        near = np.flatnonzero(before[event, reach[1]] > before[event, reach[0]])
        at = columns[near]
        out[near] = self.news[event[near, None], at] & (at >= 0)
        return out

    @cached_property
    def news_before(self) -> IntArray:
        """Number of sessions with news of the firm before each, (n, T+1)."""
        return np.pad(np.cumsum(self.news, axis=1), ((0, 0), (1, 0)))


def _tested(plan: _Plan, sessions: DateArray, places: IntArray, *, common: bool) -> Draws:
    """Return the draws of some places, (B, n)."""
    B, n = places.shape
    pair = (B, len(plan.windows))
    out = Draws(
        np.full((*pair, len(plan.tests)), np.nan), np.full((*pair, len(plan.tests)), np.nan),
        np.full(pair, np.nan), np.zeros(pair, np.int64),
        np.full((*pair, len(plan.effects)), np.nan), np.full(pair, np.nan),
    )  # fmt: skip
    if not B:
        return out
    with one_thread():
        a, usable = plan.fitted(sessions[places.ravel()])
        axis = np.searchsorted(sessions, plan.layout.panel.sessions)
        for w, window in enumerate(plan.windows):
            in_draw = (usable & a.valid(window)).reshape(B, n) & plan.valid[w]
            in_draw &= (in_draw.sum(axis=1) >= MIN_SHARE * plan.valid[w].sum())[:, None]
            samples = [a.take(b * n + np.flatnonzero(in_draw[b])) for b in range(B)]
            together = common and 1 < n <= MOST_TOGETHER and a.has_history[in_draw.ravel()].all()
            done = np.zeros(B, dtype=bool)
            if together:
                done = WeightedSums(a, window).give_to(samples, in_draw, places, axis)
            # By itself a draw looks for its correlations in no larger study.
            samples = [sample if done[b] else sample.as_study() for b, sample in enumerate(samples)]
            for b, sample in enumerate(samples):
                _fill(out, plan, (b, w), sample)
    return out


def _fill(out: Draws, plan: _Plan, at: tuple[int, int], sample: AbnormalReturns) -> None:
    """Put the tests of one draw over one window into their places."""
    if not len(sample):
        return
    window = plan.windows[at[1]]
    results = [STATISTICS[name](sample, window) for name in plan.tests]
    out.pvalue[at] = [result.pvalue for result in results]
    out.statistic[at] = [result.statistic for result in results]
    out.n_events[at] = results[0].n_events
    out.estimate[at] = results[0].estimate
    out.shared[at] = shared_movement(sample, window)
    if plan.effects and np.isfinite(results[0].statistic):
        out.rejected[at] = _find_effects(sample, window, np.array(plan.effects), results[0])


def _find_effects(
    sample: AbnormalReturns, window: Window, effects: FloatArray, found: SignificanceTest
) -> FloatArray:
    """Return the share of the two signs with which a main test finds each effect, (effects,).

    An effect on all events adds a multiple of it to each standardised CAR. BMP-KP takes its spread
    from these; main tests of fewer events do not, and are linear in the effect.
    """
    test = STATISTICS[found.name]
    last = sample.columns(window).stop - 1
    ar = sample.ar.copy()
    ar[:, last] += 1.0
    altered = sample.as_study(ar=ar)
    signed = np.array([effects, -effects])
    if test.main_from == FULL_SAMPLE:
        scar = sample.scar(window)
        slope = altered.scar(window) - scar
        z = scar + signed[..., None] * slope
        spread = inflation(sample, window) * z.std(axis=-1, ddof=1) / np.sqrt(len(sample))
        statistics = z.mean(axis=-1) / spread
    else:
        statistics = found.statistic + signed * (test(altered, window).statistic - found.statistic)
    return np.asarray((np.abs(statistics) > Interval.quantile(found.df)).mean(axis=0))
