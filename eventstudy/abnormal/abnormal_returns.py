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
    r"""Abnormal returns of n events, each on L1 estimation days and L2 event days.

    A model with k estimated parameters gives the normal returns.

    A statistical test takes a sample of events: the events that have all days of a window, one
    group of events, or all events but a few. A sample stores only the row numbers of its events.
    When an attribute of a sample is first used, the rows of the sample are cut from the array of
    the whole study.

    Attributes
    ----------
    study : Estimates
        The arrays of all events of the study.
    rows : (n,) int array or slice
        Row numbers of the n events in `study`.
    conventions : Conventions
        Choices of the tests where published methods differ.
    taken_from : AbnormalReturns, optional
        The larger sample that the events were taken from; None for the whole study.
    facts : dict
        Results already computed for the events, under all conventions used so far.

    Notes
    -----
    The vector c selects the days of a window. The forecast errors of all days of an event contain
    the same error of the estimated parameters. So the days of the event are not independent:

    .. math:: Var(CAR) = c'Vc = \sum_{t \in W} noise_t + c' X^* Cov(\hat\theta) X^{*\prime} c

    The program never builds the matrix of shape (n, L2, L2). Missing data: an abnormal return that
    follows h missing sessions spans h + 1 sessions. An event that lacks days of a window has no CAR
    over that window (:meth:`valid`).

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
        """The event window of the study."""
        return self.study.windows.event

    @property
    def k(self) -> int:
        """Number of parameters that the model estimates for each event."""
        return int(self.study.params.shape[1])

    @property
    def ar(self) -> FloatArray:
        """Abnormal returns as decimals, shape (n, L2); a missing return is NaN, never 0."""
        return self.taken(self.study.ar)

    @property
    def resid(self) -> FloatArray:
        """Residuals of the estimation, shape (n, L1); NaN on days that the estimation left out."""
        return self.taken(self.study.resid)

    @property
    def expected(self) -> FloatArray:
        """Normal returns that the model expects on the event days, shape (n, L2)."""
        return self.taken(self.study.expected)

    @property
    def spans(self) -> IntArray:
        """Number of event days that each abnormal return covers, shape (n, L2); 0 if missing."""
        return self.taken(self.study.spans)

    @property
    def length(self) -> IntArray:
        """Number of sessions that each abnormal return covers, shape (n, L2); 0 if missing."""
        return self.taken(self.study.length)

    @property
    def x_event(self) -> FloatArray:
        """Explanatory variables (regressors) on the event days, shape (n, L2, k)."""
        return self.taken(self.study.x_event)

    @property
    def nobs(self) -> IntArray:
        """Number M of complete estimation days of each event, shape (n,)."""
        return self.taken(self.study.nobs)

    @property
    def df_resid(self) -> IntArray:
        """Degrees of freedom of the residuals of each event, M - k, shape (n,)."""
        return self.taken(self.study.df_resid)

    @property
    def sigma2(self) -> FloatArray:
        """Residual variance e'e/(M-k) of each event, shape (n,)."""
        return self.taken(self.study.sigma2)

    @property
    def noise(self) -> FloatArray:
        """Variance of the residual of each event day, shape (n, L2).

        `noise` is the residual variance times the number of sessions in the return. For a model
        that forecasts the variance, such as GARCH, `noise` is the forecast. :attr:`var_ar` adds the
        error of the estimated parameters.
        """
        return self.taken(self.study.noise)

    @property
    def params(self) -> FloatArray:
        """Estimated parameters of each event, shape (n, k)."""
        return self.taken(self.study.params)

    @property
    def cov_params(self) -> FloatArray:
        """Covariance matrix of the estimated parameters of each event, shape (n, k, k)."""
        return self.taken(self.study.cov_params)

    @property
    def bread(self) -> FloatArray:
        """The matrix (X'X)^-1 of the estimation days of each event, shape (n, k, k)."""
        return self.taken(self.study.bread)

    @property
    def r2(self) -> FloatArray:
        """Share of the variance of returns that the model explains for each event, shape (n,)."""
        return self.taken(self.study.r2)

    @property
    def problem(self) -> ObjectArray:
        """Reason why an event has no estimates of the model, shape (n,); "" for other events."""
        return self.taken(self.study.problem)

    @property
    def remark(self) -> ObjectArray:
        """Remark on the estimation for an event, shape (n,); "" for an event without a remark."""
        return self.taken(self.study.remark)

    def taken(self, array: Rows) -> Rows:
        """Return the rows of these events from an array that has one row per event of the study."""
        return array[self.rows]  # type: ignore[return-value]

    def over(self, array: Rows, window: Window) -> Rows:
        """Return the part of an array for these events and the days of a window.

        Parameters
        ----------
        array : (N, L2, ...) array
            Array with one row for each of the N events of the study and one column per event day.
        window : Window

        Returns
        -------
        (n, L, ...) array
        """
        return array[:, self.columns(window)][self.rows]  # type: ignore[return-value]

    @cached_property
    def positions(self) -> IntArray:
        """Row numbers of these events in the study, shape (n,)."""
        rows = self.rows
        return np.arange(len(self.study.nobs))[rows] if isinstance(rows, slice) else rows

    @property
    def model(self) -> str:
        """Name of the model of normal returns."""
        return self.study.model

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the k estimated parameters."""
        return self.study.parameters

    @cached_property
    def windows(self) -> EventWindows:
        """Returns and factors of these events on the estimation and event windows."""
        study = self.study.windows
        return study if self.taken_from is None else study.take(self.rows)

    @cached_property
    def runs(self) -> Runs | None:
        """Abnormal returns from each event day to the first close off a price limit.

        The attribute is None if no price limits are known.
        """
        return None if self.study.runs is None else self.study.runs.take(self.rows)

    @property
    def x_estimation(self) -> FloatArray:
        """Explanatory variables (regressors) on the estimation days, shape (n, L1, k)."""
        if self.study.x_estimation is not None:
            return self.taken(self.study.x_estimation)
        assert self.study.regressors is not None  # noqa: S101
        return self.study.regressors(self.windows)

    @property
    def is_of_many(self) -> bool:
        """Whether the study has more than 5,000 events, so only the usual tests are computed."""
        return len(self.all_events) > self.MANY

    @property
    def all_events(self) -> AbnormalReturns:
        """All events of the whole study, under the conventions of this sample."""
        return self if self.taken_from is None else self.taken_from.all_events

    def take(self, rows: IntArray | BoolArray | slice) -> AbnormalReturns:
        """Return a sample of some of these events, chosen by position or by a mask."""
        if self.taken_from is None and isinstance(rows, slice):
            # A slice of the study has views of its arrays, no copies.
            return AbnormalReturns(self.study, rows, self.conventions, self)
        return AbnormalReturns(self.study, self.positions[rows], self.conventions, self)

    def where(self, rows: BoolArray) -> AbnormalReturns:
        """Return the sample of the events that a mask selects.

        Windows that select the same events share one sample.
        """
        if rows.all():
            return self
        mask = rows.tobytes()
        facts = self.cached(("facts", mask), dict[Any, Any], any_convention=True)
        return self.cached(("events", mask), lambda: replace(self.take(rows), facts=facts))

    def as_study(self, **arrays: Any) -> AbnormalReturns:
        """Return these events as a separate study, where `arrays` replace arrays of the same name.

        If only the abnormal returns `ar` are replaced, correlations that were computed before are
        kept.
        """
        known = {k: v for k, v in self.facts.items() if k[0] in CORRELATIONS}
        facts = known if list(arrays) == ["ar"] else {}
        study = replace(self.study.take(self.rows), **arrays)
        return AbnormalReturns(study, conventions=self.conventions, facts=facts)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays of these events."""
        return vars(AbnormalReturns(self.study.take(self.rows), conventions=self.conventions))

    def under(self, **changes: Any) -> AbnormalReturns:
        """Return these abnormal returns with other conventions for the tests.

        Raises
        ------
        ConfigError
            If a convention is unknown, or has an unknown value.
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
        """These abnormal returns, with windows that price limits do not extend."""
        return self if self.study.runs is None else self.under(limits="none")

    def by_chunk(self, function: Callable[[AbnormalReturns], T]) -> Iterator[T]:
        """Yield the result of a function for each group of events, in their order.

        A chunk is small enough to fit into memory.
        """
        if len(self) <= CHUNK:
            return iter([function(self)])
        return current().threads(lambda rows: function(self.take(rows)), chunks(len(self)))

    def cached(
        self, key: tuple[Any, ...], compute: Callable[[], T], *, any_convention: bool = False
    ) -> T:
        """Return the result of a function for this sample, and call the function only once.

        Parameters
        ----------
        key : tuple
            The name of the result, followed by all values that the result depends on.
        compute : callable
            Function without arguments that computes the result.
        any_convention : bool
            Whether the result is the same under all conventions.

        Returns
        -------
        object
            The value that `compute` returned.
        """
        key = key if any_convention else (*key, self.conventions)
        value = self.facts.get(key, _UNKNOWN)
        if value is _UNKNOWN:
            value = self.facts[key] = compute()
        return value  # type: ignore[no-any-return]

    def kept(self, key: tuple[Any, ...]) -> Any:
        """Return the result stored for this sample under its conventions, or None."""
        return self.facts.get((*key, self.conventions))

    def keep(self, key: tuple[Any, ...], value: object) -> None:
        """Store a result for this sample under its conventions.

        Parameters
        ----------
        key : tuple
            Name of the result and the values that the result depends on, as for :meth:`cached`.
        value : object
        """
        self.facts[*key, self.conventions] = value

    def of_each_event(
        self, key: tuple[Any, ...], compute: Callable[[AbnormalReturns], Rows]
    ) -> Rows:
        """Return an array with one row per event, and compute the array only once per study.

        Parameters
        ----------
        key : tuple
        compute : callable
            Function that takes abnormal returns of some events, and returns an array with a row for
            each of these events. The value of an event must not depend on other events.

        Returns
        -------
        (n, ...) array
            Rows of these events. Do not change the values of this array.
        """
        study = self.all_events
        array = study.cached(key, lambda: compute(study))
        array.flags.writeable = False
        return array if study is self else self.taken(array)

    @property
    def groups(self) -> list[AbnormalReturns]:
        """Groups that together contain all of these events; empty if no groups were named.

        A sum over all events is the sum of the sums over the groups.
        """
        groups = self.facts.get(("groups",), [])
        return [replace(g, conventions=self.conventions, taken_from=self) for g in groups]

    def made_up_of(self, groups: list[AbnormalReturns]) -> None:
        """Name the groups that these events consist of.

        The call has no effect if the groups do not contain all of the events.
        """
        if sum(map(len, groups)) == len(self):
            self.facts["groups",] = groups

    @property
    def is_group(self) -> bool:
        """Whether these events are one of the groups named for the sample they were taken from."""
        whole = self.taken_from
        return whole is not None and any(g.facts is self.facts for g in whole.groups)

    @property
    def left_out(self) -> IntArray | None:
        """Rows of `taken_from` that this sample leaves out of a large sample; otherwise None."""
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
        """Return the sample of the events that have all days of `window`.

        If all events have all days, the sample is the same object.
        """
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
        """Whether each event has enough estimation days for standardised tests, shape (n,)."""
        return np.asarray(self.nobs >= self.least_history)

    def in_tests(self, window: Window) -> BoolArray:
        """Return whether each event enters standardised tests over `window`, shape (n,).

        An event enters if it has all days of the window (:meth:`valid`) and enough complete
        estimation days. If only one event has all days of the window, this event enters in any
        case.
        """
        valid = self.valid(window)
        return valid if valid.sum() == 1 else valid & self.has_history

    def tested(self, window: Window) -> AbnormalReturns:
        """Return the sample of the events that enter standardised tests over `window`."""
        return self.where(self.in_tests(window))

    @cached_property
    def var_ar(self) -> FloatArray:
        """Variance of the prediction error of each AR, noise + x*' Cov(theta) x*, shape (n, L2)."""
        variance = self.noise + form(self.x_event, self.cov_params)
        return np.where(np.isfinite(self.ar), variance, np.nan)

    @cached_property
    def sar(self) -> FloatArray:
        """Standardised abnormal returns AR / sqrt(Var(AR)), shape (n, L2) (Patell 1976)."""
        return self.ar / np.sqrt(self.var_ar)

    def sar_over(self, window: Window) -> FloatArray:
        """Return the standardised abnormal returns on the days of a window, shape (n, L)."""
        days = self.columns(window)
        return self.of_each_event(("sar", window), lambda study: study.sar[:, days].copy())

    def columns(self, window: Window) -> slice:
        """Return the columns of the event window that the days of `window` have, as a slice.

        Raises
        ------
        ConfigError
            If `window` reaches beyond the event window.
        """
        if window not in self.event:
            raise make_error(ConfigError, "wrong.beyond", value=str(window), event=self.event)
        return slice(window.start - self.event.start, window.stop - self.event.start + 1)

    def positions_over(self, window: Window) -> IntArray:
        """Return the columns of ``windows.sessions`` for each day of `window`, shape (n, L).

        The column of a day without a session is -1.
        """
        return self.over(self.study.windows.event_positions, window)

    def inside(self, window: Window) -> BoolArray:
        """Return whether each abnormal return begins and ends inside the window, shape (n, L)."""
        spans = self.over(self.study.spans, window)
        return np.asarray((spans > 0) & (spans <= np.arange(1, len(window) + 1)))

    def covered(self, window: Window) -> IntArray:
        """Return the number of days of `window` that have abnormal returns, shape (n,).

        An abnormal return counts only if it begins and ends inside the window.
        """
        spans = self.over(self.study.spans, window)
        return np.asarray(np.where(self.inside(window), spans, 0).sum(axis=1))

    def delayed(self, window: Window) -> BoolArray:
        """Return whether each event ends `window` at a price limit, shape (n,)."""
        if self.runs is None or self.conventions.limits == "none":
            return np.zeros(len(self), dtype=bool)
        return self.runs.at_limit[:, self.columns(window).stop - 1] & self.inside(window)[:, -1]

    def valid(self, window: Window) -> BoolArray:
        """Return whether each event has all days of `window`, shape (n,).

        A return over several sessions counts for all its days if the return begins and ends inside
        the window. If the window ends while trading is halted, the event lacks days.

        The convention ``missing`` can admit events that have only some days of the window. The
        convention ``limits`` concerns events that close the window at a price limit. The choice
        "drop" removes an event that closes the window at a limit. The choice "extend" requires that
        the share later closes off the limit.
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
        """Return the cumulative abnormal returns (CAR) as decimals, shape (n,).

        The CAR of an event that lacks days of the window is NaN (see :meth:`valid`).
        """
        return self.of_each_event(("car", window), lambda study: study._car(window))

    def mean_car(self, window: Window) -> float:
        """Return the mean CAR over `window`; NaN if the sample has no events."""
        if not len(self):
            return np.nan
        return self.cached(("mean_car", window), lambda: float(self.car(window).mean()))

    def var_car(self, window: Window) -> FloatArray:
        """Return the variance c'Vc of the prediction error of each CAR, shape (n,).

        The variance for an event that lacks days of the window is NaN (see :meth:`valid`).
        """
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
        """Return whether a price limit extends `window` for each event, shape (n,).

        An extended window runs until the first close off the price limit.
        """
        if self.conventions.limits != "extend":
            return np.zeros(len(self), dtype=bool)
        return self.valid(window) & self.delayed(window)

    def sessions_of(self, window: Window) -> tuple[IntArray, DateArray]:
        """Return the number of sessions that each CAR covers and the last of these sessions.

        The numbers and the last sessions are two arrays of shape (n,). The number includes all
        sessions of a return over several sessions, and the sessions that a price limit adds to the
        window. For an event without a CAR, the number is 0 and the session NaT.
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
        """Return each CAR, scaled to the variance of a sum over L single sessions, shape (n,).

        Tests that compare a CAR with sums over L estimation days need a CAR with the variance of
        these sums.
        The scaled CAR is the sum of the abnormal returns inside the window, multiplied by sqrt(L /
        sessions covered). The factor is 1 unless halted sessions are skipped, or the convention
        ``missing`` admits missing days.
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
        """Return the t statistic CAR / sqrt(Var(CAR)) of each event, shape (n,)."""
        return self.car(window) / np.sqrt(self.var_car(window))

    def car_pvalues(self, window: Window, raised: FloatArray | float = 1.0) -> FloatArray:
        """Return the two-sided p-value of each event's CAR from Student's t, shape (n,).

        Parameters
        ----------
        window : Window
        raised : (n,) float array
            Factor by which the variance of each CAR is multiplied.

        Returns
        -------
        (n,) float array
            P-value of each event; NaN for events that lack days of the window (see :meth:`valid`).
        """
        from scipy.special import stdtr

        t = self.car_t(window) / np.sqrt(raised)
        finite = np.where(np.isfinite(t), t, np.nan)
        with np.errstate(invalid="ignore"):
            p = 2 * stdtr(self.df_resid.astype(float), -np.abs(finite))
        return np.asarray(np.minimum(1.0, p))

    def car_half_widths(self, window: Window, raised: FloatArray | float = 1.0) -> FloatArray:
        """Return half the width of the 95% interval of each CAR, shape (n,).

        Parameters
        ----------
        window : Window
        raised : (n,) float array
            Factor by which the variance of each CAR is multiplied.

        Returns
        -------
        (n,) float array
            Half the width of each interval as a decimal; NaN for events that lack days of the
            window (see :meth:`valid`).
        """
        from scipy.special import stdtrit

        with np.errstate(invalid="ignore"):
            half = stdtrit(self.df_resid, 0.975) * np.sqrt(raised * self.var_car(window))
        return np.asarray(half, dtype=float)

    def scar(self, window: Window) -> FloatArray:
        r"""Return the standardised CAR of each event, shape (n,); NaN if the event lacks days.

        Notes
        -----
        The convention ``scar`` chooses the exact form or the sum of Patell (1976):

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
        r"""Return the variance of each firm around its event relative to its estimation window.

        Parameters
        ----------
        window : Window
            The window [a, b], in event days.

        Returns
        -------
        (n,) float array
            The ratio k of the variance around the event to the variance in the estimation window,
            at least 1. The ratio is 1 for models that forecast a variance.

        Notes
        -----
        :math:`q_t` is the squared return of the market over its variance in the estimation window.
        :math:`u_t^2` is the squared error of the firm over its variance in the estimation window.
        E_s[z] is the mean of z on the days up to s, where each day has .94 of the weight of the
        next day. With m = min(-2, a-1):

        .. math::

            k_0 = E_{a-1}[q], \quad k_m = E_b[q'], \quad
            k_u = E_m[\min(u^2, 6 \max(1, k_m))], \quad k = \max(1, \sqrt{k_u k_m})

        On the days of the window q' is the smaller of q and 6 max(1, k_0); on other days q' equals
        q. For a model without a market, q comes from the index of the event. Without any index, k =
        max(1, k_u). The limits 6 max(1, k_m) and 6 max(1, k_0) keep the news itself from counting
        as volatility: a leak, an earlier announcement, or news that moves the index. If a price
        limit extends the window of an event, b is the last day of the extended window. Missing
        data: the means leave out days without a return; k is 1 if no day has a return.

        References
        ----------
        Source of the weights: J. P. Morgan/Reuters (1996), RiskMetrics technical document, 4th
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
        """Returns just before each event; None for a model that forecasts the variance."""
        recent = self.study.recent
        if recent is None:
            return None
        return self.cached(("recent days",), lambda: recent(self), any_convention=True)

    def require_returns(self) -> None:
        """Raise ConfigError unless the study measures returns.

        No investor can hold volume or volatility.
        """
        if (measure := self.windows.measure) != "return":
            raise ConfigError("this needs a study of returns", where="measure", value=measure)

    def bhar(self, window: Window) -> FloatArray:
        r"""Return the buy-and-hold abnormal returns against the model as decimals, shape (n,).

        Notes
        -----
        .. math:: BHAR = \prod_{t \in W} (1 + R_t) - \prod_{t \in W} (1 + E[R_t])

        The products run over the sessions that the CAR covers. Log returns are converted to simple
        returns first. The BHAR is NaN for an event that lacks days of the window (:meth:`valid`).
        In a study of volume, turnover or volatility all BHARs are NaN, because no investor can hold
        these quantities.
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
        """Mean abnormal return (AAR) of each event day, shape (L2,); NaN if no event has a return.

        The mean of a day takes only returns that cover this session alone. A return over several
        sessions does not count for its last day. A price limit does not extend a day.
        """
        return _mean(np.where(self.spans == 1, self.ar, np.nan))

    @property
    def in_aar(self) -> IntArray:
        """Number of events in the mean abnormal return (`aar`) of each event day, shape (L2,)."""
        return np.asarray(((self.spans == 1) & np.isfinite(self.ar)).sum(axis=0))

    @cached_property
    def caar(self) -> FloatArray:
        """Mean CAR (CAAR) from the first event day up to each event day, shape (L2,).

        The mean of each day takes the events that have all days up to this day. If every event has
        all days, the CAAR is the sum of `aar`. A window that ends at a price limit is not extended
        here. The mean of a day is NaN if no event has all days up to this day.
        """
        return np.array([car.mean() if len(car) else np.nan for car in self._from_start])

    @cached_property
    def complete(self) -> IntArray:
        """Number of events in the mean CAR (`caar`) of each event day, shape (L2,)."""
        return np.array(list(map(len, self._from_start)))

    @cached_property
    def _from_start(self) -> list[FloatArray]:
        """The CARs from the first day up to each, of the events that have all of these days."""
        cars = (self.unextended.car(Window(self.event.start, int(t))) for t in self.event.days)
        return [car[np.isfinite(car)] for car in cars]

    def loading_parts(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Return the weights of each day's error in the CAR (docs/methods/tests.md).

        Returns
        -------
        pull : (n, k) float array
            The vector -c'X*(X'X)^-1 of each event. Its product with the regressors of an estimation
            day is the weight of that day.
        event : (n, L2) float array
            Weight 1 on the days of the window that the CAR covers, and 0 on other days.
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
        """Return the sessions that a CAR covers in addition to the days of `window`.

        The list has pairs of an event's position and its sessions, as columns of
        ``windows.sessions``. Additional sessions are halted sessions that event time skips, and
        sessions after the window until the first close off the price limit.
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
