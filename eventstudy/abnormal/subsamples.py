"""Samples of a study: what is computed of single events is computed once, for all samples that
share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from ..calendars.window import Window
from ..errors import ConfigError
from ..utility.chunks import CHUNK, KEPT
from ..utility.lazy_records import ByEvent, Pieces
from ..utility.registry import did_you_mean
from ..utility.typing import BoolArray, FloatArray, IntArray
from ..utility.workers import current
from ..windows.event_windows import EventWindows
from .conventions import Conventions

Found = TypeVar("Found")

# What is kept of an object and depends on its conventions.
BY_CONVENTION = ("unextended", "caar", "complete", "_from_start")
# What is made anew when it is asked for, of many events.
LEFT_OUT = ("resid", "x_estimation")


class Sampled(ByEvent):
    """Events of a study, of which samples are taken: those of a window, of a group, those left
    after some.

    Attributes
    ----------
    memo : dict
        What has been computed from this object already.
    parent, rows : record and (n,) int array, optional
        The study that these events were taken from, and which of its events they are.
    """

    if TYPE_CHECKING:
        windows: EventWindows
        nobs: IntArray
        runs: Any
        conventions: Conventions
        memo: dict[object, Any]
        parent: Self | None
        rows: IntArray | None
        estimation_days: Callable[[Any], Mapping[str, FloatArray]] | None

        def valid(self, window: Window) -> BoolArray: ...

    def __len__(self) -> int:
        return len(self.nobs)

    def made(self, name: str) -> Any:
        """Make the residuals and regressors of the estimation days where they are not kept."""
        if self.estimation_days is None or name not in LEFT_OUT:
            return super().made(name)
        self.__dict__.update(self.estimation_days(self))
        return self.__dict__[name]

    def map(self, function: Callable[[Self], Found]) -> Iterator[Found]:
        """Yield what a function finds in the events, in chunks that fit into memory, in their
        order."""
        one = len(self) <= CHUNK
        return current().threads(function, [self] if one else Pieces(self))

    def once(self, key: object, compute: Callable[[Self], FloatArray]) -> FloatArray:
        """Return an array by event, computed once for the study that the events were taken from.

        Of each event by itself: what another event changes must not be asked for in this way.
        """
        if self.parent is not None and self.rows is not None and "_whole" in self.__dict__:
            return self.parent.once(key, compute)[self.rows]
        if key not in self.memo:
            self.memo[key] = compute(self)
            self.memo[key].flags.writeable = False
        return self.memo[key]  # type: ignore[no-any-return]

    @property
    def larger(self) -> tuple[Self, IntArray] | None:
        """The many events that most of these were taken from, and which of those were left; else
        None."""
        whole: Self = self.__dict__.get("_whole", self)
        which = self.__dict__.get("_cut")
        if (
            which is None
            or isinstance(which, slice)
            or len(whole) <= KEPT
            or 2 * len(self) < len(whole)
        ):
            return None
        if which.dtype != bool and (which[0] < 0 or (np.diff(which) <= 0).any()):
            # Events that come twice, or in another order, are no part of the sums of all.
            return None
        left = np.ones(len(whole), dtype=np.bool_)
        left[which] = False
        return whole, np.flatnonzero(left)

    def take(self, rows: IntArray | BoolArray | slice) -> Self:
        """Return some events, by position or mask."""
        own = np.arange(len(self)) if self.rows is None else self.rows
        runs = None if self.runs is None else self.runs.take(rows)
        whole = self if self.parent is None else self.parent
        return self.cut(
            rows, windows=self.windows.take(rows), runs=runs, memo={}, parent=whole, rows=own[rows]
        )

    def under(self, **changes: Any) -> Self:
        """Return the same abnormal returns for tests under other conventions.

        Raises
        ------
        ConfigError
            For an unknown convention or choice.
        """
        known = [f.name for f in fields(Conventions)]
        for name in changes:
            if name not in known:
                remedy = did_you_mean(name, known) or "known: " + ", ".join(known)
                raise ConfigError("unknown convention", value=name, remedy=remedy)
        parent = None if self.parent is None else self.parent.under(**changes)
        # Correlations of residuals depend on no convention, and are what costs most.
        kept: dict[object, Any] = {
            k: v for k, v in self.memo.items() if isinstance(k, tuple) and k[0] == "correlations"
        }
        changed = replace(self.conventions, **changes)
        new = self.altered(conventions=changed, memo=kept, parent=parent)
        for name in BY_CONVENTION:
            new.__dict__.pop(name, None)
        return new

    def sample(self, window: Window) -> Self:
        """Return the events that are valid for `window` (itself if all are)."""
        if window not in self.memo:
            valid = self.valid(window)
            self.memo[window] = self if valid.all() else self.take(valid)
        return self.memo[window]  # type: ignore[no-any-return]


def chosen(rows: Any, n: int) -> BoolArray | IntArray:
    """Return a mask of n events, or positions among them, as an array."""
    found = np.asarray(rows)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "biu"):
        remedy = 'give a mask, such as results.events["direction"] == "adverse", or positions'
        value = rows if isinstance(rows, str) else type(rows).__name__
        raise ConfigError("neither a mask of the events nor positions", value=value, remedy=remedy)
    if found.dtype == bool:
        if len(found) != n:
            raise ConfigError(f"a mask of {n} events is needed", value=f"a mask of {len(found)}")
        return found
    found = found.astype(np.int64)
    if found.size and not -n <= found.min() <= found.max() < n:
        raise ConfigError(f"there are {n} events, counted from 0", value=found.tolist())
    return found
