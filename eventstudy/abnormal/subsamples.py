"""Samples of a study: arrays by event are computed once, for all samples that share the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from ..calendars import Window
from ..errors import ConfigError
from ..utility import (
    CHUNK,
    KEPT,
    AnyArray,
    BoolArray,
    ByEvent,
    FloatArray,
    IntArray,
    Pieces,
    current,
    did_you_mean,
)
from ..windows import EventWindows
from .conventions import HISTORY, Conventions

T = TypeVar("T")
Rows = TypeVar("Rows", bound=AnyArray)

# Cached attributes that depend on the conventions.
BY_CONVENTION = ("unextended", "caar", "complete", "_from_start")
# The share of a short estimation window that the usual minimum history does not exceed.
MOST_HISTORY = 0.75
# Arrays that are made on demand where there are many events.
ON_DEMAND = ("resid", "x_estimation")


class Sampled(ByEvent):
    """Events of a study, from which samples are taken: by window, by group, or without some events.

    Attributes
    ----------
    memo : dict
        Results computed from this object, by key.
    parent, rows : record and (n,) int array, optional
        The study that these events were taken from, and their rows there.
    """

    if TYPE_CHECKING:
        windows: EventWindows
        nobs: IntArray
        runs: Runs | None
        conventions: Conventions
        memo: dict[object, Any]
        parent: Self | None
        rows: IntArray | None
        estimation_days: Callable[[Any, str], FloatArray] | None

        def valid(self, window: Window) -> BoolArray: ...

    def __len__(self) -> int:
        return len(self.nobs)

    def computed(self, name: str) -> Any:
        """Make the residuals and regressors of the estimation days where they are not kept."""
        if self.estimation_days is None or name not in ON_DEMAND:
            return super().computed(name)
        return self.estimation_days(self, name)

    def map(self, function: Callable[[Self], T]) -> Iterator[T]:
        """Yield the results of a function of events, in chunks that fit into memory, in order."""
        return current().threads(function, [self] if len(self) <= CHUNK else Pieces(self))

    def once(self, key: object, compute: Callable[[Self], Rows]) -> Rows:
        """Return an array by event, computed once for the study that the events were taken from.

        Parameters
        ----------
        key : hashable
            Name in `memo`.
        compute : callable
            Takes events and returns their array. The value of an event must not depend on the
            events beside it.
        """
        if key in self.memo:
            return self.memo[key]  # type: ignore[no-any-return]
        if self.parent is None or self.rows is None or "_whole" not in self.__dict__:
            self.memo[key] = array = compute(self)
        else:
            array = self.parent.once(key, compute)[self.rows]  # type: ignore[assignment]
            if len(array) <= CHUNK:
                self.memo[key] = array
        array.flags.writeable = False
        return array

    def remember(self, key: object, compute: Callable[[], T]) -> T:
        """Return what a function computes of this sample, called on first use only.

        Parameters
        ----------
        key : hashable
        compute : callable
            Takes no argument; what it returns may depend on the conventions.
        """
        if key not in self.memo:
            self.memo[key] = compute()
        return self.memo[key]  # type: ignore[no-any-return]

    @property
    def parts(self) -> list[Self]:
        """Groups that make up these events: sums over all are theirs, added up."""
        return self.memo.get("parts", [])  # type: ignore[no-any-return]

    def made_up_of(self, groups: list[Self]) -> None:
        """Name groups that were taken from these events; without effect unless they are all."""
        if sum(map(len, groups)) == len(self):
            self.memo["parts"] = groups

    @property
    def larger(self) -> tuple[Self, IntArray] | None:
        """The many events that most of these were taken from, and the rows dropped; else None."""
        study: Self = self.__dict__.get("_whole", self)
        rows = self.__dict__.get("_cut")
        is_large = KEPT < len(study) <= 2 * len(self)
        if rows is None or isinstance(rows, slice) or not is_large:
            return None
        if rows.dtype != bool and (rows[0] < 0 or (np.diff(rows) <= 0).any()):
            # Events that come twice, or in another order, are no subset of the sums of all.
            return None
        dropped = np.ones(len(study), dtype=np.bool_)
        dropped[rows] = False
        return study, np.flatnonzero(dropped)

    def take(self, rows: IntArray | BoolArray | slice) -> Self:
        """Return some events, by position or mask."""
        study_rows = np.arange(len(self)) if self.rows is None else self.rows
        runs = None if self.runs is None else self.runs.take(rows)
        return self.cut(
            rows, windows=self.windows.take(rows), runs=runs, memo={},
            parent=self if self.parent is None else self.parent, rows=study_rows[rows],
        )  # fmt: skip

    def under(self, **changes: Any) -> Self:
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
        parent = None if self.parent is None else self.parent.under(**changes)
        # Correlations of residuals depend on no convention, and cost most.
        values = [(k, v) for k, v in self.memo.items() if isinstance(k, tuple)]
        memo: dict[object, Any] = {k: v for k, v in values if k[0] == "correlations"}
        conventions = replace(self.conventions, **changes)
        new = self.altered(conventions=conventions, memo=memo, parent=parent)
        for name in BY_CONVENTION:
            new.__dict__.pop(name, None)
        return new

    def sample(self, window: Window) -> Self:
        """Return the events that are valid for `window` (itself if all are)."""
        return self.where(self.valid(window))

    def where(self, rows: BoolArray) -> Self:
        """Return the events of a mask: one sample for all windows that have the same events."""
        if rows.all():
            return self
        return self.remember(("events", rows.tobytes()), lambda: self.take(rows))

    @property
    def least_history(self) -> int:
        """Fewest complete estimation days of an event in standardised tests."""
        least = self.conventions.min_history
        if least > HISTORY:
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

    def tested(self, window: Window) -> Self:
        """Return the events that standardised tests take (the :meth:`sample` if these are all)."""
        return self.where(self.in_tests(window))


def chosen(rows: Any, n: int) -> BoolArray | IntArray:
    """Return a mask of n events, or positions among them, as an array.

    Parameters
    ----------
    rows : array_like
        Mask or positions; negative positions count from the end.
    n : int

    Raises
    ------
    ConfigError
        If it is neither, or does not fit n events.
    """
    array = np.asarray(rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biu"):
        remedy = 'give a mask, such as results.events["direction"] == "adverse", or positions'
        value = rows if isinstance(rows, str) else type(rows).__name__
        raise ConfigError("neither a mask of the events nor positions", value=value, remedy=remedy)
    if array.dtype == bool:
        if len(array) != n:
            raise ConfigError(f"a mask of {n} events is needed", value=f"a mask of {len(array)}")
        return array
    array = array.astype(np.int64)
    if array.size and not -n <= array.min() <= array.max() < n:
        raise ConfigError(f"there are {n} events, counted from 0", value=array.tolist())
    return array


# The fields of Runs that replace those of single days.
RUN = {"ar": "ar", "noise": "noise", "x_event": "x"}


@dataclass(frozen=True, eq=False)
class Runs:
    """Each event day joined with the sessions after it until the first close off a price limit.

    Attributes
    ----------
    at_limit : (n, L2) bool array
        Whether the day closes at a limit; elsewhere the run is the day itself.
    ar, noise : (n, L2) float arrays
        Abnormal return of the run, compounded, and the variance of its error; NaN if no close off
        the limit was found.
    actual, expected : (n, L2) float arrays
        Return and normal return of the run, compounded.
    length : (n, L2) int array
        Sessions of the run.
    x : (n, L2, k) float array
        Regressors, summed over the run.
    """

    at_limit: BoolArray
    ar: FloatArray
    noise: FloatArray
    actual: FloatArray
    expected: FloatArray
    length: IntArray
    x: FloatArray

    def joined(self, cols: slice, inside: BoolArray) -> tuple[BoolArray, BoolArray]:
        """Return the days of a window on which a run begins, and the later days that it covers.

        A run begins on its first limit day in the window, so windows that cover the same sessions
        have the same run.

        Parameters
        ----------
        cols : slice
            The columns of the window.
        inside : (n, L) bool array
            Whether the return of a day begins and ends inside the window.

        Returns
        -------
        begins, covered : (n, L) bool arrays
            A run without a later close off the limit is not joined.
        """
        at_limit = self.at_limit[:, cols] & inside
        can_begin = at_limit & np.isfinite(self.ar[:, cols])
        begins, covered = np.zeros_like(at_limit), np.zeros_like(at_limit)
        is_open = np.zeros(len(at_limit), dtype=bool)
        for t in range(at_limit.shape[1]):
            covered[:, t] = is_open
            begins[:, t] = can_begin[:, t] & ~is_open
            is_open = (is_open | begins[:, t]) & (at_limit[:, t] | ~inside[:, t])
        return begins, covered

    def take(self, rows: IntArray | BoolArray | slice) -> Runs:
        """Return the runs of some events."""
        return Runs(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})
