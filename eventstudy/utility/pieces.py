"""Many events in chunks, so that temporary arrays stay in the cache, and lazy records of arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from .typing import AnyArray, BoolArray, IntArray

# Events of a chunk. The same for any number of workers, so that they compute the same bits.
CHUNK = 500
# The estimation days of so many events are kept. Of more events only the residuals are; the rest is
# laid out again, chunk by chunk, whenever it is asked for: writing 20 kB an event to memory takes
# longer than to gather them anew.
KEPT = 2000
# All estimation days of more events than this would not fit into memory.
HOLDABLE = 50_000
# Of work that is done event by event, so that a study of some hundred keeps several workers busy.
SMALL_CHUNK = 50
# Rows of more bytes, taken from an array that is held, are taken again whenever they are asked for:
# every window has a sample of its own, and their copies would be many times the study.
LASTING = 1 << 21


def chunks(n: int, size: int = CHUNK) -> list[slice]:
    """Cut n events into slices of at most `size`; one that is empty where there are none.

    Parameters
    ----------
    n : int
    size : int
    """
    return [slice(first, min(first + size, n)) for first in range(0, max(n, 1), size)]


def joined(n: int, pieces: Iterable[Mapping[str, AnyArray]]) -> dict[str, Any]:
    """Return the arrays of n events from those of chunks, each taken up before the next is made.

    Parameters
    ----------
    n : int
    pieces : iterable of mapping of str to array
    """
    arrays: dict[str, AnyArray] = {}
    first = 0
    for piece in pieces:
        size = len(next(iter(piece.values())))
        if size == n:
            return dict(piece)
        for name, rows in piece.items():
            if not first:
                arrays[name] = np.empty((n, *rows.shape[1:]), rows.dtype)
            arrays[name][first : first + size] = rows
        first += size
    return arrays


@cache
def _not_by_event(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind) if f.name not in kind.by_event)


class ByEvent:
    """A frozen record of which the fields `by_event` are arrays with a row per event.

    The rows of a record that was cut from another are taken when they are first asked for: a sample
    of most events is no second study. What a record does not hold it makes (:meth:`computed`).
    """

    by_event: ClassVar[tuple[str, ...]]

    def cut(self, rows: IntArray | BoolArray | slice, /, **fields: Any) -> Self:
        """Return the record with some rows of every array by event, and other `fields` replaced.

        Parameters
        ----------
        rows : (m,) int array, (n,) bool array or slice
        **fields
            Fields that are not arrays by event.
        """
        held = {name: self.__dict__[name] for name in _not_by_event(type(self))}  # type: ignore[arg-type]
        return type(self).holding(**held | fields, _whole=self, _cut=rows)

    @classmethod
    def holding(cls, **held: Any) -> Self:
        """Return a record that holds just this and makes the rest when it is asked for."""
        new = object.__new__(cls)
        new.__dict__.update(held)
        return new

    def altered(self, **fields: Any) -> Self:
        """Return the record with other `fields` on which nothing that it holds depends."""
        return type(self).holding(**self.__dict__ | fields)

    def holds(self, name: str) -> bool:
        """Return whether the array `name` is here, or where this record was cut from."""
        whole = self.__dict__.get("_whole")
        return name in self.__dict__ or (whole is not None and whole.holds(name))

    def computed(self, name: str) -> Any:
        """Return the array `name`, which the record does not hold; to be overridden."""
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def over(self, name: str, columns: slice) -> Any:
        """Return some columns of the array `name`, whose rows are not kept for that.

        Parameters
        ----------
        name : str
        columns : slice
        """
        if name in self.__dict__ or not self.holds(name):
            return getattr(self, name)[:, columns]
        return self.__dict__["_whole"]._rows(name, self.__dict__["_cut"], columns)

    def _rows(
        self, name: str, rows: IntArray | BoolArray | slice, columns: slice | None = None
    ) -> Any:
        """Return some rows of an array that is held, without keeping those in between."""
        if name in self.__dict__:
            array = self.__dict__[name]
            return (array if columns is None else array[:, columns])[rows]
        through = self.__dict__["_cut"]
        if isinstance(through, slice):
            through = np.arange(*through.indices(len(self.__dict__["_whole"])))
        elif through.dtype == bool:
            through = self.__dict__["_cut"] = np.flatnonzero(through)
        return self.__dict__["_whole"]._rows(name, through[rows], columns)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return an array by event; it is held from then on unless its rows are large."""
            if name not in type(self).by_event:
                raise AttributeError(f"{type(self).__name__} has no {name}")
            if not self.holds(name):
                self.__dict__[name] = self.computed(name)
                return self.__dict__[name]
            array = self.__dict__["_whole"]._rows(name, self.__dict__["_cut"])
            if array.nbytes <= LASTING:
                self.__dict__[name] = array
            return array

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays, not where they were cut from."""
        arrays = {name: getattr(self, name) for name in self.by_event}
        return {k: v for k, v in self.__dict__.items() if k not in ("_whole", "_cut")} | arrays


class Takes(Protocol):
    """What can be taken apart."""

    def __len__(self) -> int: ...

    def take(self, rows: slice, /) -> Self: ...


Record = TypeVar("Record", bound=Takes)


class Pieces(Sequence[Record], Generic[Record]):
    """A record in chunks, each taken in its turn and released after it."""

    def __init__(self, record: Record, size: int = CHUNK) -> None:
        self.record, self.slices = record, chunks(len(record), size)

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, i: Any) -> Any:
        return self.record.take(self.slices[i])
