"""Abnormal returns and all that is cumulated from them, with exact forecast errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..calendars import Window, weekdays_closed
from ..errors import ConfigError
from ..utility import (
    CHUNK,
    KEPT,
    AnyArray,
    BoolArray,
    DateArray,
    FloatArray,
    IntArray,
    ObjectArray,
    chunks,
    current,
    did_you_mean,
)
from ..windows import EventWindows
from ..words import make_error
from .conventions import Conventions
from .estimates import RUN, Estimates, RecentDays, Runs

T = TypeVar("T")
Rows = TypeVar("Rows", bound=AnyArray)

# The share of a short estimation window that the usual minimum history does not exceed.
MOST_HISTORY = 0.75
# In place of a fact that is not known.
_UNKNOWN: Any = object()
# Facts that do not depend on abnormal returns.
CORRELATIONS = ("correlations", "mean_correlation")


@dataclass(frozen=True, eq=False, repr=False)
class AbnormalReturns:
    r"""Abnormal returns of n events on L1 estimation and L2 event days; k estimated parameters.

    Tests take a sample: some events of a study, by the days of a window, by group, or without some.
    A sample holds only the row numbers of its events. An array is taken from that of the study when
    it is asked for.

    Attributes
    ----------
    study : Estimates
        The arrays of all events of the study.
    rows : (n,) int array or slice
        Rows of these events there.
    conventions : Conventions
        Choices of the tests where authors differ.
    taken_from : AbnormalReturns, optional
        The sample that these events were taken from; None for the whole study.
    facts : dict
        What was computed of these events, for all conventions.

    Notes
    -----
    With c selecting the days of a window, and the forecast errors of an event sharing one parameter
    error (its days are not independent):

    .. math:: Var(CAR) = c'Vc = \sum_{t \in W} noise_t + c' X^* Cov(\hat\theta) X^{*\prime} c

    The (n, L2, L2) matrix is never built. Missing data: an abnormal return that follows h missing
    sessions spans h + 1 of them; an event without all days of a window has no CAR there
    (:meth:`valid`).

    References
    ----------
    Salinger, M. (1992), Standard errors in event studies, Journal of Financial and Quantitative
    Analysis 27, 39-53. Mikkelson, W. H. and Partch, M. M. (1988), Withdrawn security offerings,
    Journal of Financial and Quantitative Analysis 23, 119-133.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["NVDA", "AMD"], "announced_at": ["2022-10-07"] * 2})
    >>> abnormal = es.run_study(news, es.StudyConfig(prices="sample")).abnormal
    >>> isinstance(abnormal, es.AbnormalReturns), abnormal.ar.shape
    (True, (2, 21))
    >>> abnormal.car(es.Window(0, 1)).round(3).tolist()
    [-0.031, -0.074]
    """

    # Of more events only some are listed one by one, and only the usual tests are computed.
    MANY: ClassVar[int] = 5000

    study: Estimates
    rows: IntArray | slice = field(default_factory=lambda: slice(None))
    conventions: Conventions = field(default_factory=Conventions)
    taken_from: AbnormalReturns | None = None
    facts: dict[Any, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<abnormal returns of {len(self)} events over {self.event}, model {self.model}>"

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def event(self) -> Window:
        """The event window."""
        return self.study.windows.event

    @property
    def k(self) -> int:
        """Number of parameters estimated per event."""
        return int(self.study.params.shape[1])

    @property
    def ar(self) -> FloatArray:
        """Abnormal returns (decimal), shape (n, L2); NaN where missing, never 0."""
        return self.taken(self.study.ar)

    @property
    def resid(self) -> FloatArray:
        """Estimation residuals, shape (n, L1); NaN on days left out."""
        return self.taken(self.study.resid)

    @property
    def expected(self) -> FloatArray:
        """Normal returns that the model expects, shape (n, L2)."""
        return self.taken(self.study.expected)

    @property
    def spans(self) -> IntArray:
        """Days of the event's clock that each abnormal return spans, (n, L2); 0 = missing."""
        return self.taken(self.study.spans)

    @property
    def length(self) -> IntArray:
        """Sessions that each abnormal return spans, shape (n, L2); 0 where missing."""
        return self.taken(self.study.length)

    @property
    def x_event(self) -> FloatArray:
        """Regressors of the event days, shape (n, L2, k)."""
        return self.taken(self.study.x_event)

    @property
    def nobs(self) -> IntArray:
        """M, the complete estimation days, shape (n,)."""
        return self.taken(self.study.nobs)

    @property
    def df_resid(self) -> IntArray:
        """M - k, shape (n,)."""
        return self.taken(self.study.df_resid)

    @property
    def sigma2(self) -> FloatArray:
        """Residual variance e'e/(M-k), shape (n,)."""
        return self.taken(self.study.sigma2)

    @property
    def noise(self) -> FloatArray:
        """Variance of the noise of each event day, shape (n, L2).

        It is s2 times the sessions of the return, or the forecast of a model of variance. The error
        of the parameters comes on top of it (:attr:`var_ar`).
        """
        return self.taken(self.study.noise)

    @property
    def params(self) -> FloatArray:
        """Estimates, shape (n, k)."""
        return self.taken(self.study.params)

    @property
    def cov_params(self) -> FloatArray:
        """Covariance of the estimates, shape (n, k, k)."""
        return self.taken(self.study.cov_params)

    @property
    def bread(self) -> FloatArray:
        """(X'X)^-1, shape (n, k, k)."""
        return self.taken(self.study.bread)

    @property
    def r2(self) -> FloatArray:
        """Share of the variance that the model explains, shape (n,)."""
        return self.taken(self.study.r2)

    @property
    def problem(self) -> ObjectArray:
        """Why an event could not be estimated, shape (n,); "" otherwise."""
        return self.taken(self.study.problem)

    @property
    def remark(self) -> ObjectArray:
        """A remark on an event that was estimated, shape (n,); "" where there is none."""
        return self.taken(self.study.remark)

    def taken(self, array: Rows) -> Rows:
        """Return the rows of these events, of an array with a row for each event of the study."""
        return array[self.rows]  # type: ignore[return-value]

    def over(self, array: Rows, window: Window) -> Rows:
        """Return the rows of these events and the days of a window, of an array by event day.

        Parameters
        ----------
        array : (N, L2, ...) array
            Of all N events of the study.
        window : Window

        Returns
        -------
        (n, L, ...) array
        """
        return array[:, self.columns(window)][self.rows]  # type: ignore[return-value]

    @cached_property
    def positions(self) -> IntArray:
        """Rows of these events in the study, shape (n,)."""
        rows = self.rows
        return np.arange(len(self.study.nobs))[rows] if isinstance(rows, slice) else rows

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.study.model

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the k estimates."""
        return self.study.parameters

    @cached_property
    def windows(self) -> EventWindows:
        """Returns and factors of these events on their windows."""
        study = self.study.windows
        return study if self.taken_from is None else study.take(self.rows)

    @cached_property
    def runs(self) -> Runs | None:
        """For each day the return until the first close off a price limit; None without limits."""
        return None if self.study.runs is None else self.study.runs.take(self.rows)

    @property
    def x_estimation(self) -> FloatArray:
        """Regressors of the estimation days, shape (n, L1, k)."""
        if self.study.x_estimation is not None:
            return self.taken(self.study.x_estimation)
        assert self.study.regressors is not None  # noqa: S101
        return self.study.regressors(self.windows)

    @property
    def is_of_many(self) -> bool:
        """Whether events are so many, or some of so many, that only usual tests are computed."""
        return len(self.all_events) > self.MANY

    @property
    def all_events(self) -> AbnormalReturns:
        """The study that these events were taken from, under the same conventions."""
        return self if self.taken_from is None else self.taken_from.all_events

    def take(self, rows: IntArray | BoolArray | slice) -> AbnormalReturns:
        """Return some events, by position or mask."""
        if self.taken_from is None and isinstance(rows, slice):
            # A slice of the study has views of its arrays, no copies.
            return AbnormalReturns(self.study, rows, self.conventions, self)
        return AbnormalReturns(self.study, self.positions[rows], self.conventions, self)

    def where(self, rows: BoolArray) -> AbnormalReturns:
        """Return the events of a mask: one sample for all windows that have the same events."""
        if rows.all():
            return self
        mask = rows.tobytes()
        facts = self.cached(("facts", mask), dict[Any, Any], any_convention=True)
        return self.cached(("events", mask), lambda: replace(self.take(rows), facts=facts))

    def as_study(self, **arrays: Any) -> AbnormalReturns:
        """Return these events as a study of their own, with other `arrays` where they are given.

        What was computed of correlations stays where only abnormal returns are others.
        """
        known = {k: v for k, v in self.facts.items() if k[0] in CORRELATIONS}
        facts = known if list(arrays) == ["ar"] else {}
        study = replace(self.study.take(self.rows), **arrays)
        return AbnormalReturns(study, conventions=self.conventions, facts=facts)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays of these events."""
        return vars(AbnormalReturns(self.study.take(self.rows), conventions=self.conventions))

    def under(self, **changes: Any) -> AbnormalReturns:
        """Return the same abnormal returns for tests under other conventions.

        Raises
        ------
        ConfigError
            For an unknown convention or choice.
        """
        names = [f.name for f in fields(Conventions)]
        for name in changes:
            if name not in names:
                remedy = did_you_mean(name, names) or "known: " + ", ".join(names)
                raise ConfigError("unknown convention", value=name, remedy=remedy)
        conventions = replace(self.conventions, **changes)
        whole = None if self.taken_from is None else self.taken_from.under(**changes)
        return replace(self, conventions=conventions, taken_from=whole)

    @cached_property
    def unextended(self) -> AbnormalReturns:
        """The same abnormal returns with windows that end where they end, limit or not."""
        return self if self.study.runs is None else self.under(limits="none")

    def by_chunk(self, function: Callable[[AbnormalReturns], T]) -> Iterator[T]:
        """Yield the results of a function of events, in chunks that fit into memory, in order."""
        if len(self) <= CHUNK:
            return iter([function(self)])
        return current().threads(lambda rows: function(self.take(rows)), chunks(len(self)))

    def cached(
        self, key: tuple[Any, ...], compute: Callable[[], T], *, any_convention: bool = False
    ) -> T:
        """Return what a function computes of this sample, called on first use only.

        Parameters
        ----------
        key : tuple
            The name of the fact, and what it depends on.
        compute : callable
            Takes no argument.
        any_convention : bool
            Whether the fact is the same under all conventions.

        Returns
        -------
        object
            What `compute` has returned.
        """
        key = key if any_convention else (*key, self.conventions)
        value = self.facts.get(key, _UNKNOWN)
        if value is _UNKNOWN:
            value = self.facts[key] = compute()
        return value  # type: ignore[no-any-return]

    def kept(self, key: tuple[Any, ...]) -> Any:
        """Return what was kept of this sample under its conventions; None if nothing was."""
        return self.facts.get((*key, self.conventions))

    def keep(self, key: tuple[Any, ...], value: object) -> None:
        """Keep what was computed elsewhere of this sample under its conventions.

        Parameters
        ----------
        key : tuple
            As for :meth:`cached`.
        value : object
        """
        self.facts[*key, self.conventions] = value

    def of_each_event(
        self, key: tuple[Any, ...], compute: Callable[[AbnormalReturns], Rows]
    ) -> Rows:
        """Return an array by event, computed once for the study that the events were taken from.

        Parameters
        ----------
        key : tuple
        compute : callable
            Takes events and returns their array. The value of an event must not depend on the
            events beside it.

        Returns
        -------
        (n, ...) array
            Rows of these events; not to be written to.
        """
        study = self.all_events
        array = study.cached(key, lambda: compute(study))
        array.flags.writeable = False
        return array if study is self else self.taken(array)

    @property
    def groups(self) -> list[AbnormalReturns]:
        """Groups that make up these events: sums over all are theirs, added up."""
        groups = self.facts.get(("groups",), [])
        return [replace(g, conventions=self.conventions, taken_from=self) for g in groups]

    def made_up_of(self, groups: list[AbnormalReturns]) -> None:
        """Name groups that were taken from these events; without effect unless they are all."""
        if sum(map(len, groups)) == len(self):
            self.facts["groups",] = groups

    @property
    def is_group(self) -> bool:
        """Whether these are a group of those that make up the events they were taken from."""
        whole = self.taken_from
        return whole is not None and any(g.facts is self.facts for g in whole.groups)

    @property
    def left_out(self) -> IntArray | None:
        """The few of many events, as rows of `taken_from`, that these are without; else None."""
        whole = self.taken_from
        if whole is None or not KEPT < len(whole) <= 2 * len(self):
            return None
        for events in (self, whole):
            if (np.diff(events.positions) <= 0).any():
                # Events that come twice, or in another order, are no subset of the sums of all.
                return None
        is_left_out = np.ones(len(self.study.nobs), dtype=np.bool_)
        is_left_out[self.rows] = False
        return np.flatnonzero(is_left_out[whole.rows])

    def sample(self, window: Window) -> AbnormalReturns:
        """Return the events that are valid for `window` (itself if all are)."""
        return self.where(self.valid(window))

    @property
    def least_history(self) -> int:
        """Fewest complete estimation days of an event in standardised tests."""
        least = self.conventions.min_history
        if least > Conventions.HISTORY:
            return least
        return min(least, int(MOST_HISTORY * len(self.windows.estimation)))

    @property
    def has_history(self) -> BoolArray:
        """Which events have that many, shape (n,)."""
        return np.asarray(self.nobs >= self.least_history)

    def in_tests(self, window: Window) -> BoolArray:
        """Return which valid events standardised tests take, shape (n,); a single one stays."""
        valid = self.valid(window)
        return valid if valid.sum() == 1 else valid & self.has_history

    def tested(self, window: Window) -> AbnormalReturns:
        """Return the events that standardised tests take (the :meth:`sample` if these are all)."""
        return self.where(self.in_tests(window))

    @cached_property
    def var_ar(self) -> FloatArray:
        """Prediction-error variance of each AR, shape (n, L2): noise + x*' Cov(theta) x*."""
        variance = self.noise + form(self.x_event, self.cov_params)
        return np.where(np.isfinite(self.ar), variance, np.nan)

    @cached_property
    def sar(self) -> FloatArray:
        """Standardised abnormal returns AR / sqrt(Var(AR)), shape (n, L2) (Patell 1976)."""
        return self.ar / np.sqrt(self.var_ar)

    def sar_over(self, window: Window) -> FloatArray:
        """Return the `sar` of the days of a window, shape (n, L)."""
        days = self.columns(window)
        return self.of_each_event(("sar", window), lambda study: study.sar[:, days].copy())

    def columns(self, window: Window) -> slice:
        """Return the columns of the event window that `window` covers.

        Raises
        ------
        ConfigError
            If it reaches beyond the event window.
        """
        if window not in self.event:
            raise make_error(ConfigError, "wrong.beyond", value=str(window), event=self.event)
        return slice(window.start - self.event.start, window.stop - self.event.start + 1)

    def positions_over(self, window: Window) -> IntArray:
        """Return the days of a window as columns of ``windows.sessions``, (n, L); -1 = none."""
        return self.over(self.study.windows.event_positions, window)

    def inside(self, window: Window) -> BoolArray:
        """Return which abnormal returns of the window begin and end inside it, shape (n, L)."""
        spans = self.over(self.study.spans, window)
        return np.asarray((spans > 0) & (spans <= np.arange(1, len(window) + 1)))

    def covered(self, window: Window) -> IntArray:
        """Return the days of `window` that abnormal returns inside it cover, shape (n,)."""
        spans = self.over(self.study.spans, window)
        return np.asarray(np.where(self.inside(window), spans, 0).sum(axis=1))

    def delayed(self, window: Window) -> BoolArray:
        """Return which events close the last day of `window` at a price limit, shape (n,)."""
        if self.runs is None or self.conventions.limits == "none":
            return np.zeros(len(self), dtype=bool)
        return self.runs.at_limit[:, self.columns(window).stop - 1] & self.inside(window)[:, -1]

    def valid(self, window: Window) -> BoolArray:
        """Return which events can be used over `window`, shape (n,): those with all its days.

        Days bridged by a return that spans several sessions count as present if the return ends and
        begins inside the window; a window that ends while trading is halted is not complete. By
        convention ``missing`` an event with some of the days is enough; by ``limits`` one that
        closes the window at a price limit leaves it (drop), or needs a close off the limit later on
        (extend).
        """
        return self.of_each_event(("valid", window), lambda study: study._valid(window))

    def _valid(self, window: Window) -> BoolArray:
        covered = self.covered(window)
        delayed = self.delayed(window)
        need = len(window) if self.conventions.missing == "drop" else 1
        complete: BoolArray = covered >= need
        if self.conventions.limits == "drop":
            return complete & ~delayed
        if self.runs is None or not delayed.any():
            return complete
        reopened = np.isfinite(self.runs.ar[:, self.columns(window).stop - 1])
        return complete & (~delayed | reopened)

    def car(self, window: Window) -> FloatArray:
        """Return the cumulative abnormal return, decimal, shape (n,); NaN unless :meth:`valid`."""
        return self.of_each_event(("car", window), lambda study: study._car(window))

    def mean_car(self, window: Window) -> float:
        """Return the mean CAR; NaN without events."""
        if not len(self):
            return np.nan
        return self.cached(("mean_car", window), lambda: float(self.car(window).mean()))

    def var_car(self, window: Window) -> FloatArray:
        """Return the prediction-error variance of the CAR, c'Vc, (n,); NaN unless :meth:`valid`."""
        return self.of_each_event(("var_car", window), lambda study: study._var_car(window))

    def _car(self, window: Window) -> FloatArray:
        total = self._entering(window, "ar").sum(axis=1) * self._rescaled(window)
        return np.where(self.valid(window), total, np.nan)

    def _var_car(self, window: Window) -> FloatArray:
        x = self._summed(window)
        noise = self._entering(window, "noise").sum(axis=1)
        variance = noise + np.einsum("nk,nkj,nj->n", x, self.cov_params, x)
        return np.where(self.valid(window), variance * self._rescaled(window) ** 2, np.nan)

    def extended(self, window: Window) -> BoolArray:
        """Return which CARs over `window` run on to the first close off a price limit, (n,)."""
        if self.conventions.limits != "extend":
            return np.zeros(len(self), dtype=bool)
        return self.valid(window) & self.delayed(window)

    def sessions_of(self, window: Window) -> tuple[IntArray, DateArray]:
        """Return the number of sessions that the CAR covers, and the last of them, each (n,).

        Sessions of an extended window and those that a return bridges count; 0 and NaT without a
        CAR.
        """
        cols = self.columns(window)
        inside = self.inside(window)
        valid = self.valid(window)
        run_on = self.extended(window)
        length = np.where(inside, self.over(self.study.length, window), 0)
        count = length.sum(axis=1)
        for i in np.flatnonzero((length > self.over(self.study.spans, window)).any(axis=1)):
            _, at, begins = self._places(i, cols)
            count[i] = (at - begins)[inside[i]].sum()
        last = self.windows.dates[:, cols.stop - 1].copy()
        for i in np.flatnonzero(run_on):
            later = self._run_on(i, cols.stop - 1)
            count[i] = count[i] + len(later)
            last[i] = self.windows.sessions[later[-1]]
        return np.where(valid, count, 0), np.where(valid, last, np.datetime64("NaT", "D"))

    def level_car(self, window: Window) -> FloatArray:
        """Return CARs with the variance of L single sessions, shape (n,).

        Tests that compare CARs with sums of as many estimation days need them. It is the sum of the
        abnormal returns inside the window, times the root of L over the sessions that they cover.
        That factor is 1 unless a halt has left the clock, or days are missing by convention.
        """
        inside = self.inside(window)
        total = np.where(inside, self.over(self.study.ar, window), 0.0).sum(axis=1)
        sessions = np.where(inside, self.over(self.study.length, window), 0).sum(axis=1)
        scaled = total * np.sqrt(len(window) / np.maximum(sessions, 1))
        return np.where(self.valid(window), scaled, np.nan)

    def _entering(self, window: Window, name: str) -> FloatArray:
        """Return the `ar`, `noise` or `x_event` that enters the CAR, 0 elsewhere, (n, L[, k]).

        Limit days of the window and the days until the next free close are one compounded return,
        which stands on the first of them (docs/methods/price-limits.md).
        """
        cols = self.columns(window)
        enters = self.inside(window)
        values: FloatArray = self.over(getattr(self.study, name), window)
        if self.runs is not None and self.conventions.limits == "extend":
            begins, covered = self.runs.joined(cols, enters)
            values = values.copy()
            values[begins] = getattr(self.runs, RUN[name])[:, cols][begins]
            enters = enters & ~covered
        return np.where(enters if values.ndim == 2 else enters[:, :, None], values, 0.0)

    def _run_on(self, i: int | np.intp, day: int) -> IntArray:
        """Return the sessions after an event day until the close off the limit, as columns."""
        assert self.runs is not None  # noqa: S101
        calendar, number = self._clock(i)
        at = np.searchsorted(calendar, self.windows.event_positions[i, day])
        later = self.runs.length[i, day] - self.length[i, day]
        return np.asarray(calendar[at + 1 : np.searchsorted(number, number[at] + later) + 1])

    def _clock(self, i: int | np.intp) -> tuple[IntArray, IntArray]:
        """Return the sessions of the exchange of an event, as columns, and the number of each.

        Weekdays that the exchange was closed for longer than a holiday are counted as well.
        """
        calendar = self.windows.calendars[self.windows.calendar[i]]
        closed = weekdays_closed(self.windows.sessions[calendar])
        return calendar, np.arange(len(calendar)) + np.cumsum(closed)

    def _places(self, i: int | np.intp, cols: slice) -> tuple[IntArray, IntArray, IntArray]:
        """Return the sessions of an exchange, and the places where returns end and begin there."""
        calendar, number = self._clock(i)
        at = np.searchsorted(calendar, self.windows.event_positions[i, cols])
        return calendar, at, np.searchsorted(number, number[at] - self.length[i, cols])

    def _summed(self, window: Window) -> FloatArray:
        """Return the sums of the regressors of the days that enter the CAR, shape (n, k)."""
        return np.asarray(np.einsum("nlk->nk", self._entering(window, "x_event")))

    def _rescaled(self, window: Window) -> FloatArray:
        """Return L over the days covered, (n,), by convention ``missing="rescale"``; else 1."""
        if self.conventions.missing != "rescale":
            return np.ones(len(self))
        return len(window) / np.maximum(self.covered(window), 1)

    def car_t(self, window: Window) -> FloatArray:
        """Return CAR / sqrt(Var(CAR)), the t of each event, shape (n,)."""
        return self.car(window) / np.sqrt(self.var_car(window))

    def car_pvalues(self, window: Window, raised: FloatArray | float = 1.0) -> FloatArray:
        """Return the two-sided p-value of each event's CAR by Student's t, shape (n,); or NaN.

        Parameters
        ----------
        window : Window
        raised : (n,) float array
            By which the variance of each CAR is multiplied.

        Returns
        -------
        (n,) float array
            NaN for events that are not :meth:`valid`.
        """
        from scipy.special import stdtr

        t = self.car_t(window) / np.sqrt(raised)
        finite = np.where(np.isfinite(t), t, np.nan)
        with np.errstate(invalid="ignore"):
            p = 2 * stdtr(self.df_resid.astype(float), -np.abs(finite))
        return np.asarray(np.minimum(1.0, p))

    def car_half_widths(self, window: Window, raised: FloatArray | float = 1.0) -> FloatArray:
        """Return half the width of the 95% interval of each CAR, (n,); NaN without a CAR.

        Parameters
        ----------
        window : Window
        raised : (n,) float array
            By which the variance of each CAR is multiplied.

        Returns
        -------
        (n,) float array
            Decimal; NaN for events that are not :meth:`valid`.
        """
        from scipy.special import stdtrit

        with np.errstate(invalid="ignore"):
            half = stdtrit(self.df_resid, 0.975) * np.sqrt(raised * self.var_car(window))
        return np.asarray(half, dtype=float)

    def scar(self, window: Window) -> FloatArray:
        r"""Return the standardised CARs, shape (n,); NaN unless :meth:`valid`.

        Notes
        -----
        By convention ``scar`` exact, or the sum of Patell (1976):

        .. math:: \frac{CAR}{\sqrt{c'Vc}} \quad \text{or} \quad
            \frac{1}{\sqrt L} \sum_{t \in W} SAR_t
        """
        if self.conventions.scar == "exact":
            return self.car_t(window)
        inside = self.inside(window)
        sar = np.where(inside, self.sar[:, self.columns(window)], 0.0)
        total = sar.sum(axis=1) / np.sqrt(np.maximum(inside.sum(axis=1), 1))
        return np.where(self.valid(window), total, np.nan)

    def recent_variance(self, window: Window) -> FloatArray:
        r"""Return how many times the variance of its estimation window a firm has around an event.

        Parameters
        ----------
        window : Window
            [a, b].

        Returns
        -------
        (n,) float array
            k, at least 1. It is 1 for models that forecast a variance of their own.

        Notes
        -----
        With E_s[z] the mean of the days up to s, each day with .94 of the weight of the next, the
        squared returns of the market :math:`q_t` and errors of the firm :math:`u_t^2` in units of
        their variance in the estimation window, and m = min(-2, a-1):

        .. math::

            k_0 = E_{a-1}[q], \quad k_m = E_b[q'], \quad
            k_u = E_m[\min(u^2, 6 \max(1, k_m))], \quad k = \max(1, \sqrt{k_u k_m})

        where q' is q, but on the days of the window at most 6 max(1, k_0). A model without a market
        takes the index of the event; without any, k = max(1, k_u). The two limits keep news from
        passing as volatility: a leak, an earlier announcement, or one that moves the index itself.
        The window of an event that a price limit extends ends on its last day.
        Missing data: days without a return are left out of the means; k is 1 without any.

        References
        ----------
        The weights are those of J. P. Morgan/Reuters (1996), RiskMetrics technical document, 4th
        edition.
        """
        key = ("recent variance", window)
        if len(self.all_events) <= KEPT:
            return self.of_each_event(key, lambda study: study._recent_variance(window))
        if len(self) < CHUNK:
            return self.cached(key, lambda: self._recent_variance(window))

        def in_chunks(study: AbnormalReturns) -> FloatArray:
            return np.concatenate(list(study.by_chunk(lambda some: some._recent_variance(window))))

        return self.of_each_event(key, in_chunks)

    def _recent_variance(self, window: Window) -> FloatArray:
        recent = self.recent_days
        if recent is None:
            return np.ones(len(self))
        squares = recent.errors**2 / self.sigma2[:, None]
        k = recent.ratio(squares, recent.market_variance(window), window)
        for stop, rows in self._later_stops(window):
            longer = Window(window.start, stop)
            k[rows] = recent.ratio(squares, recent.market_variance(longer), longer)[rows]
        return k

    def _later_stops(self, window: Window) -> Iterator[tuple[int, BoolArray]]:
        """Yield the event days on which windows end that a price limit extends, and whose."""
        runs_on = self.extended(window)
        if not runs_on.any():
            return
        last = self.sessions_of(window)[1][:, None]
        stops = self.event.start + (self.windows.dates <= last).sum(axis=1) - 1
        for stop in np.unique(stops[runs_on]).tolist():
            yield stop, runs_on & (stops == stop)

    @property
    def recent_days(self) -> RecentDays | None:
        """What came just before each event; None for a model with a variance of its own."""
        recent = self.study.recent
        if recent is None:
            return None
        return self.cached(("recent days",), lambda: recent(self), any_convention=True)

    def require_returns(self) -> None:
        """Raise ConfigError unless these are returns: nobody holds volume or volatility."""
        if (measure := self.windows.measure) != "return":
            raise ConfigError("this needs a study of returns", where="measure", value=measure)

    def bhar(self, window: Window) -> FloatArray:
        r"""Return the buy-and-hold abnormal returns against the model, decimal, shape (n,).

        Notes
        -----
        .. math:: BHAR = \prod_{t \in W} (1 + R_t) - \prod_{t \in W} (1 + E[R_t])

        over the sessions that the CAR covers. Log returns are turned into simple ones first. NaN
        unless :meth:`valid`, and for volume, turnover and volatility, which nobody can hold.
        """
        cols = self.columns(window)
        if self.windows.measure != "return":
            return np.full(len(self), np.nan)
        expected = self.expected[:, cols]
        actual = expected + self.over(self.study.ar, window)
        run_on = self.extended(window)
        if self.runs is not None and run_on.any():
            expected = expected.copy()
            actual[run_on, -1] = self.runs.actual[run_on, cols.stop - 1]
            expected[run_on, -1] = self.runs.expected[run_on, cols.stop - 1]
        if self.windows.kind == "log":
            actual = np.expm1(actual)
            expected = np.expm1(expected)
        inside = self.inside(window)
        grown = [np.prod(1 + np.where(inside, r, 0.0), axis=1) for r in (actual, expected)]
        return np.where(self.valid(window), grown[0] - grown[1], np.nan)

    @cached_property
    def aar(self) -> FloatArray:
        """Mean abnormal return of each day, shape (L2,), limits not extended; NaN without any.

        It is of the events whose return covers only this day: a return over several sessions does
        not belong to its last day.
        """
        return _mean(np.where(self.spans == 1, self.ar, np.nan))

    @property
    def in_aar(self) -> IntArray:
        """Number of events in each point of `aar`, shape (L2,)."""
        return np.asarray(((self.spans == 1) & np.isfinite(self.ar)).sum(axis=0))

    @cached_property
    def caar(self) -> FloatArray:
        """Mean CAR from the first day of the event window up to each day, shape (L2,).

        It is of the events that have all of these days, limits not extended; the cumulated AAR if
        all have them. NaN where none has.
        """
        return np.array([car.mean() if len(car) else np.nan for car in self._from_start])

    @cached_property
    def complete(self) -> IntArray:
        """Number of events in each point of `caar`, shape (L2,)."""
        return np.array(list(map(len, self._from_start)))

    @cached_property
    def _from_start(self) -> list[FloatArray]:
        """The CARs from the first day up to each, of the events that have all of these days."""
        cars = (self.unextended.car(Window(self.event.start, int(t))) for t in self.event.days)
        return [car[np.isfinite(car)] for car in cars]

    def loading_parts(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Return what makes the weight of a day's error in the CAR (docs/methods/tests.md).

        Returns
        -------
        pull : (n, k) float array
            -c'X*(X'X)^-1, which times the regressors is the weight of an estimation day.
        event : (n, L2) float array
            1 on the days of the window that are covered, else 0.
        """
        pull = -np.einsum("nk,nkj->nj", self._summed(window), self.bread)
        inside = self.inside(window)
        spans = self.over(self.study.spans, window)
        event = np.zeros_like(self.ar)
        covered = event[:, self.columns(window)]
        for back in range(int(spans.max(initial=1))):
            reached = inside[:, back:] & (spans[:, back:] > back)
            covered[:, : len(window) - back][reached] = 1.0
        return pull, event

    def hidden(self, window: Window) -> list[tuple[int, IntArray]]:
        """Return events and the sessions that their CAR covers in addition to the days of `window`.

        Halted sessions that have left the clock, and the sessions after the window until a close
        off the price limit; as columns of ``windows.sessions``.
        """
        is_bridged = self.cached(
            ("bridged",), lambda: (self.length > self.spans).any(), any_convention=True
        )
        if self.runs is None and not is_bridged:
            return []
        cols = self.columns(window)
        inside = self.inside(window)
        delayed = self.delayed(window) & (self.conventions.limits == "extend")
        spans = self.over(self.study.spans, window)
        bridged = inside & (self.over(self.study.length, window) > spans)
        out = []
        for i in np.flatnonzero(bridged.any(axis=1) | delayed):
            calendar, at, begins = self._places(i, cols)
            pieces = [calendar[begins[t] + 1 : at[t]] for t in np.flatnonzero(bridged[i])]
            if delayed[i]:
                pieces.append(self._run_on(i, cols.stop - 1))
            sessions = np.concatenate(pieces)
            if len(sessions):
                out.append((int(i), sessions))
        return out


def form(x: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return the quadratic forms x'Ax of n events and L days, shape (n, L).

    Parameters
    ----------
    x : (n, L, k) float array
    matrix : (n, k, k) float array
        A.
    """
    return np.asarray(np.einsum("nlk,nlk->nl", x @ matrix, x))


def _mean(values: FloatArray) -> FloatArray:
    """Return the mean over events of each column, NaN where none is finite."""
    count = np.isfinite(values).sum(axis=0)
    return np.asarray(np.nansum(values, axis=0) / np.where(count > 0, count, np.nan))
