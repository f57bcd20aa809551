"""Abnormal returns and all that is cumulated from them, with exact forecast errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    r"""Abnormal returns of the events of a study, and their variances.

    An abnormal return is the return of a share minus its normal return, which the model predicts.
    The results of a study have an object of this class in their attribute ``abnormal``. Its arrays
    have one row per event. For a dropped event, the numbers in the row are NaN. The event days are
    the days of the event window, and the estimation days are those of the estimation window.

    Attributes
    ----------
    study : Estimates
        Arrays of the whole study, with one row per event.
    rows : (n,) int array or slice
        Row of each of the n events of this object in the arrays of `study`.
    conventions : Conventions
        Settings of the significance tests, such as the treatment of missing days.
    taken_from : AbnormalReturns, optional
        The object from which :meth:`take` or :meth:`sample` took these events. None if this object
        has all events of the study.
    facts : dict
        Results that this object has already computed.

    Notes
    -----
    The CAR (cumulative abnormal return) of an event over a window W is the sum of its abnormal
    returns on the days of W. All these abnormal returns use the same parameter estimates, so their
    prediction errors are correlated. The variance of the CAR includes this correlation:

    .. math:: Var(CAR) = c'Vc = \sum_{t \in W} noise_t + c' X^* Cov(\hat\theta) X^{*\prime} c

    - V is the covariance matrix of the prediction errors of the event days.
    - c has 1 for each day of the window and 0 for each other event day.
    - X* has the regressors of the event days, and theta are the parameters of the model.
    - noise_t is the variance of the model's error on day t.

    Missing data: if a share has no price from Tuesday to Thursday, its return of Friday covers four
    sessions. By default, an event has a CAR over a window only if its returns cover exactly the
    days of the window (see :meth:`valid`).

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
        """The event window of the study, for example ``Window(-10, 10)``."""
        return self.study.windows.event

    @property
    def k(self) -> int:
        """Number of parameters that the model estimates for each event."""
        return int(self.study.params.shape[1])

    @property
    def ar(self) -> FloatArray:
        """Abnormal returns as decimals, shape (events, event days). Missing values are NaN."""
        return self.taken(self.study.ar)

    @property
    def resid(self) -> FloatArray:
        """Residuals of the model on the estimation days, shape (events, estimation days).

        The residual is NaN on a day that the estimation does not use.
        """
        return self.taken(self.study.resid)

    @property
    def expected(self) -> FloatArray:
        """Normal returns that the model predicts, as decimals, shape (events, event days)."""
        return self.taken(self.study.expected)

    @property
    def spans(self) -> IntArray:
        """Number of event days that each abnormal return covers, shape (events, event days).

        After two days without a price, the next return covers three days. For a missing return, the
        number is 0.
        """
        return self.taken(self.study.spans)

    @property
    def length(self) -> IntArray:
        """Number of trading sessions that each abnormal return covers, shape (events, event days).

        The number is larger than :attr:`spans` in two cases:

        - The return covers a trading halt whose sessions are not event days (setting
          ``halt="shift"``).
        - The exchange was closed for more than ten weekdays. These weekdays count as sessions.
        """
        return self.taken(self.study.length)

    @property
    def x_event(self) -> FloatArray:
        """Regressors of the model on the event days, shape (events, event days, parameters)."""
        return self.taken(self.study.x_event)

    @property
    def nobs(self) -> IntArray:
        """Number of estimation days that the model uses for each event, shape (events,).

        The model does not use a day on which the return of the share or a regressor is missing.
        """
        return self.taken(self.study.nobs)

    @property
    def df_resid(self) -> IntArray:
        """Residual degrees of freedom of each event, shape (events,).

        For a model fitted by least squares, the value is :attr:`nobs` minus :attr:`k`.
        """
        return self.taken(self.study.df_resid)

    @property
    def sigma2(self) -> FloatArray:
        """Residual variance of the model for each event, shape (events,).

        For a model with parameters, the variance is the sum of the squared residuals divided by
        :attr:`df_resid`.
        """
        return self.taken(self.study.sigma2)

    @property
    def noise(self) -> FloatArray:
        """Variance of the model's error on each event day, shape (events, event days).

        For a return over m sessions, the variance is m times the residual variance :attr:`sigma2`.
        A model such as GARCH forecasts the variance of each session, and the program adds up these
        forecasts. The estimation error of the parameters is only in :attr:`var_ar`.
        """
        return self.taken(self.study.noise)

    @property
    def params(self) -> FloatArray:
        """Estimated parameters of the model for each event, shape (events, parameters)."""
        return self.taken(self.study.params)

    @property
    def cov_params(self) -> FloatArray:
        """Covariance matrix of the k estimated parameters of each event, shape (events, k, k)."""
        return self.taken(self.study.cov_params)

    @property
    def bread(self) -> FloatArray:
        """The matrix (X'X)^-1 of each event, shape (events, k, k).

        X has one row per estimation day and one column for each of the k regressors.
        """
        return self.taken(self.study.bread)

    @property
    def r2(self) -> FloatArray:
        """R squared of the model of each event, shape (events,); NaN without parameters."""
        return self.taken(self.study.r2)

    @property
    def problem(self) -> ObjectArray:
        """Reason why the program could not estimate the model of an event, shape (events,).

        The reason is "" if the model was estimated.
        """
        return self.taken(self.study.problem)

    @property
    def remark(self) -> ObjectArray:
        """Remark on the estimation of each event, shape (events,); "" = no remark."""
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
        """Row of each event in the arrays of the whole study, shape (events,)."""
        rows = self.rows
        return np.arange(len(self.study.nobs))[rows] if isinstance(rows, slice) else rows

    @property
    def model(self) -> str:
        """Name of the model of normal returns, such as ``market``."""
        return self.study.model

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the estimated parameters, such as ``alpha`` and ``beta``."""
        return self.study.parameters

    @cached_property
    def windows(self) -> EventWindows:
        """The returns of the shares and of the model's factors, as an EventWindows object."""
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
        """Regressors on the estimation days, shape (events, estimation days, parameters)."""
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
        """Return the abnormal returns of some of the events.

        The argument `rows` selects the events: an array of their numbers in this object (the first
        is 0), a boolean mask, or a slice.
        """
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
        """Return a copy of this object with other settings of the significance tests.

        The arguments are settings of :class:`Conventions`, such as ``missing="zero"``.

        Raises
        ------
        ConfigError
            If a setting does not exist or has an unknown value.
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
        """Return the abnormal returns of the events that have a CAR over `window`.

        The method :meth:`valid` says which events these are. The new object has all event days, not
        only those of `window`.
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
        """Whether each event has enough estimation days for standardised tests, shape (events,).

        A standardised test divides each CAR by its standard error. The setting ``min_history`` of
        :class:`Conventions` says how many estimation days are enough.
        """
        return np.asarray(self.nobs >= self.least_history)

    def in_tests(self, window: Window) -> BoolArray:
        """Return True for each event that standardised tests over `window` use, shape (events,).

        A standardised test divides each CAR by its standard error. It needs a CAR (:meth:`valid`)
        and enough estimation days (:attr:`has_history`). If only one event has a CAR, the test uses
        it even if it has few estimation days.
        """
        valid = self.valid(window)
        return valid if valid.sum() == 1 else valid & self.has_history

    def tested(self, window: Window) -> AbnormalReturns:
        """Return the abnormal returns of the events that standardised tests over `window` use.

        The method :meth:`in_tests` says which events these are.
        """
        return self.where(self.in_tests(window))

    @cached_property
    def var_ar(self) -> FloatArray:
        r"""Variance of the prediction error of each abnormal return, shape (events, event days).

        .. math:: noise + x' C x

        - :attr:`noise` is the variance of the model's error on the day.
        - x has the regressors of the day (:attr:`x_event`).
        - C is the covariance matrix of the estimated parameters (:attr:`cov_params`).
        """
        variance = self.noise + form(self.x_event, self.cov_params)
        return np.where(np.isfinite(self.ar), variance, np.nan)

    @cached_property
    def sar(self) -> FloatArray:
        """Standardised abnormal returns, shape (events, event days).

        The program divides each abnormal return by its standard error, the square root of
        :attr:`var_ar` (Patell 1976).
        """
        return self.ar / np.sqrt(self.var_ar)

    def sar_over(self, window: Window) -> FloatArray:
        """Return the columns of :attr:`sar` for the days of `window`, shape (events, days)."""
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
        """Return True for each return that begins and ends inside `window`, shape (events, days).

        The value is False if the return is missing, or if it also covers days before the window.
        """
        spans = self.over(self.study.spans, window)
        return np.asarray((spans > 0) & (spans <= np.arange(1, len(window) + 1)))

    def covered(self, window: Window) -> IntArray:
        """Return how many days of `window` the returns of each event cover, shape (events,).

        Only returns that begin and end inside the window count. A return over h days counts as h
        days.
        """
        spans = self.over(self.study.spans, window)
        return np.asarray(np.where(self.inside(window), spans, 0).sum(axis=1))

    def delayed(self, window: Window) -> BoolArray:
        """Return whether each event ends `window` at a price limit, shape (n,)."""
        if self.runs is None or self.conventions.limits == "none":
            return np.zeros(len(self), dtype=bool)
        return self.runs.at_limit[:, self.columns(window).stop - 1] & self.inside(window)[:, -1]

    def valid(self, window: Window) -> BoolArray:
        """Return True for each event that has a CAR over `window`, shape (events,).

        By default, an event has a CAR if its returns cover exactly the days of the window. For
        example, a share has no price on day 0, so its return of day 1 covers two days. The event
        then has a CAR over [0, 1], but not over [1, 1].

        Two settings of :class:`Conventions` change the result:

        - With ``missing="rescale"`` or ``missing="zero"``, an event has a CAR if its returns cover
          at least one day of the window.
        - The setting ``limits`` is about a share that closes at a price limit on the last day of
          the window. With "drop", its event has no CAR. With "extend", the event has no CAR if the
          share closes at the limit on all later days, up to 30 sessions after the event window.
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
        """Return the cumulative abnormal return (CAR) of each event as a decimal, shape (events,).

        The value is NaN if the event has no CAR (see :meth:`valid`). If the program extends the
        window of an event at a price limit, the CAR covers the extended window.
        """
        return self.of_each_event(("car", window), lambda study: study._car(window))

    def mean_car(self, window: Window) -> float:
        """Return the mean CAR of all events over `window`, as a decimal.

        The mean is NaN if one of the events has no CAR, or if there are no events. The method
        :meth:`sample` selects the events with a CAR.
        """
        if not len(self):
            return np.nan
        return self.cached(("mean_car", window), lambda: float(self.car(window).mean()))

    def var_car(self, window: Window) -> FloatArray:
        """Return the variance of the prediction error of each CAR, shape (events,).

        Its square root is the standard error of the CAR. The variance is NaN if the event has no
        CAR (see :meth:`valid`).
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
        """Return True for each event whose window the program extends, shape (events,).

        With the setting ``limits="extend"`` of :class:`Conventions`, the program extends a window
        whose last day closes at a price limit. The extended window ends on the first session that
        does not close at the limit.
        """
        if self.conventions.limits != "extend":
            return np.zeros(len(self), dtype=bool)
        return self.valid(window) & self.delayed(window)

    def sessions_of(self, window: Window) -> tuple[IntArray, DateArray]:
        """Return how many sessions the CAR of each event covers, and the date of the last session.

        The method returns two arrays of shape (events,):

        - the number of sessions, or 0 for an event without a CAR. If the program extends the window
          at a price limit, the added sessions count too.
        - the date of the last session, or NaT for an event without a CAR.
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
        """Return each CAR divided by its standard error (a t-statistic), shape (events,).

        The value is NaN if the event has no CAR (see :meth:`valid`).
        """
        return self.car(window) / np.sqrt(self.var_car(window))

    def car_pvalues(self, window: Window, raised: FloatArray | float = 1.0) -> FloatArray:
        """Return the two-sided p-value of each CAR from Student's t distribution.

        Parameters
        ----------
        window : Window
        raised : (n,) float array or float
            Factor by which the variance of each CAR is multiplied, for example the factor k of
            :meth:`recent_variance`.

        Returns
        -------
        (n,) float array
            One p-value per event; NaN if the event has no CAR (see :meth:`valid`).
        """
        from scipy.special import stdtr

        t = self.car_t(window) / np.sqrt(raised)
        finite = np.where(np.isfinite(t), t, np.nan)
        with np.errstate(invalid="ignore"):
            p = 2 * stdtr(self.df_resid.astype(float), -np.abs(finite))
        return np.asarray(np.minimum(1.0, p))

    def car_half_widths(self, window: Window, raised: FloatArray | float = 1.0) -> FloatArray:
        """Return half the width of the 95% confidence interval of each CAR.

        Parameters
        ----------
        window : Window
        raised : (n,) float array or float
            Factor by which the variance of each CAR is multiplied, for example the factor k of
            :meth:`recent_variance`.

        Returns
        -------
        (n,) float array
            One half-width per event, as a decimal; NaN if the event has no CAR (see
            :meth:`valid`).
        """
        from scipy.special import stdtrit

        with np.errstate(invalid="ignore"):
            half = stdtrit(self.df_resid, 0.975) * np.sqrt(raised * self.var_car(window))
        return np.asarray(half, dtype=float)

    def scar(self, window: Window) -> FloatArray:
        r"""Return the standardised CAR of each event, shape (events,).

        Notes
        -----
        By default (``scar="exact"`` in :class:`Conventions`), the program divides the CAR by its
        standard error. With ``scar="sum"``, it adds up standardised abnormal returns:

        .. math:: \frac{1}{\sqrt L} \sum_{t \in W} SAR_t

        - SAR_t is the standardised abnormal return (:attr:`sar`) of day t of the window W.
        - L is the number of abnormal returns in the sum.

        The value is NaN if the event has no CAR (see :meth:`valid`).
        """
        if self.conventions.scar == "exact":
            return self.car_t(window)
        inside = self.inside(window)
        sar = np.where(inside, self.sar[:, self.columns(window)], 0.0)
        total = sar.sum(axis=1) / np.sqrt(np.maximum(inside.sum(axis=1), 1))
        return np.where(self.valid(window), total, np.nan)

    def recent_variance(self, window: Window) -> FloatArray:
        r"""Return the variance of returns around each event, relative to the estimation window.

        Parameters
        ----------
        window : Window
            The window [a, b]: its first day is a, and its last day is b.

        Returns
        -------
        (n,) float array
            The factor k of each event: the variance of returns around the event, divided by that
            in the estimation window. A factor below 1 is set to 1.

        Notes
        -----
        .. math::

            k_0 = E_{a-1}[q], \quad k_m = E_b[q'], \quad
            k_u = E_s[\min(u^2, 6 \max(1, k_m))], \quad k = \max(1, \sqrt{k_u k_m})

        - q is the squared deviation of the market's return from its mean, divided by the variance
          of the market's return. Mean and variance are those of the estimation days.
        - q' equals q before the window. On the days of the window, q' is at most 6 max(1, k_0).
        - u is the abnormal return of the share, divided by its standard error. On an estimation
          day, it is the residual divided by its standard deviation.
        - E_t[z] is a weighted mean of z from the first estimation day to day t. The weight of each
          day is 0.94 times the weight of the next day.
        - s is day -2. If the window begins before day -1, s is day a-1.

        Special cases:

        - If the model forecasts the variance itself, such as GARCH, k is 1.
        - If the model has no market, q is computed from the returns of the event's index.
        - If there is no index either, k = max(1, k_u) with k_u = E_s[u^2].
        - If the program extends the window at a price limit, b is the last day added.
        - Days in the event window of another event of the firm do not enter k_u.

        Missing data: the means leave out days without a return. If the share has no return up to
        day s, k is 1.

        References
        ----------
        JP Morgan and Reuters (1996), RiskMetrics technical document, 4th edition. The weight 0.94
        comes from this document.
        """
        key = ("recent variance", window)
        if len(self) <= KEPT < len(self.all_events):
            return self.cached(key, lambda: self._recent_variance(window))
        self.prepare_recent([window])
        return self.of_each_event(key, lambda study: study._recent_variance(window))

    def prepare_recent(self, windows: Iterable[Window]) -> None:
        """Compute :meth:`recent_variance` over many windows in one pass over very many events.

        Parameters
        ----------
        windows : iterable of Window
        """
        study = self.all_events
        new = [w for w in windows if study.kept(("recent variance", w)) is None]
        if len(study) <= KEPT or not new:
            return
        each = study.by_chunk(lambda some: np.stack([some._recent_variance(w) for w in new]))
        for window, k in zip(new, np.concatenate(list(each), axis=1), strict=True):
            study.keep(("recent variance", window), k)

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
        r"""Return the buy-and-hold abnormal return (BHAR) of each event as a decimal.

        Notes
        -----
        .. math:: BHAR = \prod_{t \in W} (1 + R_t) - \prod_{t \in W} (1 + E[R_t])

        - R_t is the return of the share, and E[R_t] is its normal return. By default,
          :meth:`EventStudyResults.abhar` uses the return of the benchmark in place of E[R_t].
        - A return over several sessions is one factor of each product.
        - The program first converts log returns to simple returns.

        The BHAR is NaN if the event has no CAR (see :meth:`valid`). In a study of volume, turnover
        or volatility, every BHAR is NaN.
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
        """Mean abnormal return (AAR) of each event day as a decimal, shape (event days,).

        The mean of a day uses only events whose return covers this day alone. If no event has such
        a return, the AAR of the day is NaN.
        """
        return _mean(np.where(self.spans == 1, self.ar, np.nan))

    @property
    def in_aar(self) -> IntArray:
        """Number of events in the mean :attr:`aar` of each event day, shape (event days,)."""
        return np.asarray(((self.spans == 1) & np.isfinite(self.ar)).sum(axis=0))

    @cached_property
    def caar(self) -> FloatArray:
        """Mean CAR (CAAR) from the first event day up to each event day, shape (event days,).

        The mean up to a day uses the events that have a CAR from the first event day to this day.
        If no event has one, the mean is NaN. If no return is missing, the CAAR is the cumulative
        sum of :attr:`aar`. The program does not extend these windows at a price limit.
        """
        return np.array([car.mean() if len(car) else np.nan for car in self._from_start])

    @cached_property
    def complete(self) -> IntArray:
        """Number of events in the mean :attr:`caar` of each event day, shape (event days,)."""
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
