"""Records of arrays by event: events are taken without copying, and arrays made when they are asked
for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar, overload

import numpy as np

from .chunks import CHUNK, chunks
from .typing import BoolArray, IntArray

# Rows of more bytes, taken from an array that is held, are taken again whenever they are asked for:
# every window has a sample of its own, and their copies would be many times the study.
LASTING = 1 << 21


class ByEvent:
    """A frozen record of which the fields `by_event` are arrays with a row per event.

    The rows of a record that was cut from another are taken when they are first asked for: a sample
    of most events is no second study. What a record does not hold at all it makes (:meth:`made`).
    """

    by_event: ClassVar[tuple[str, ...]]

    def cut(self, which: IntArray | BoolArray | slice, /, **fields: Any) -> Self:
        """Return the record with some rows of every array by event, and other `fields` in their
        place."""
        names = [f.name for f in dataclasses.fields(self) if f.name not in self.by_event]  # type: ignore[arg-type]
        return type(self).holding(
            **{n: self.__dict__[n] for n in names} | fields, _whole=self, _cut=which
        )

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
        """Tell whether the array `name` is here, or where this record was cut from."""
        return name in self.__dict__ or (
            "_whole" in self.__dict__ and self.__dict__["_whole"].holds(name)
        )

    def made(self, name: str) -> Any:
        """Return the array `name`, which the record does not hold; overridden where one can be
        made."""
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def over(self, name: str, columns: slice) -> Any:
        """Return some columns of the array `name`, whose rows are not kept for that."""
        if name in self.__dict__ or not self.holds(name):
            return getattr(self, name)[:, columns]
        return self.__dict__["_whole"]._rows(name, self.__dict__["_cut"], columns)

    def _rows(
        self, name: str, which: IntArray | BoolArray | slice, columns: slice | None = None
    ) -> Any:
        """Return some rows of an array that is held, without keeping those in between."""
        if name in self.__dict__:
            own = self.__dict__[name]
            return (own if columns is None else own[:, columns])[which]
        through = self.__dict__["_cut"]
        if isinstance(through, slice):
            through = np.arange(*through.indices(len(self.__dict__["_whole"])))
        elif through.dtype == bool:
            through = self.__dict__["_cut"] = np.flatnonzero(through)
        return self.__dict__["_whole"]._rows(name, through[which], columns)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Take the rows of an array by event, or make it; once, unless large rows are held
            elsewhere."""
            if name not in type(self).by_event:
                raise AttributeError(f"{type(self).__name__} has no {name}")
            held = self.holds(name)
            own = (
                self.__dict__["_whole"]._rows(name, self.__dict__["_cut"])
                if held
                else self.made(name)
            )
            if not held or own.nbytes <= LASTING:
                self.__dict__[name] = own
            return own

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays, not where they were cut from."""
        asked = {name: getattr(self, name) for name in self.by_event}
        return {k: v for k, v in self.__dict__.items() if k not in ("_whole", "_cut")} | asked


class Takes(Protocol):
    """What can be taken apart."""

    def __len__(self) -> int: ...

    def take(self, rows: slice, /) -> Self: ...


Record = TypeVar("Record", bound=Takes)


class Pieces(Sequence[Record], Generic[Record]):
    """A record in chunks, each taken when it is its turn, so that what a piece makes goes with
    it."""

    def __init__(self, whole: Record, size: int = CHUNK) -> None:
        self.whole, self.parts = whole, chunks(len(whole), size)

    def __len__(self) -> int:
        return len(self.parts)

    @overload
    def __getitem__(self, i: int) -> Record: ...
    @overload
    def __getitem__(self, i: slice) -> list[Record]: ...
    def __getitem__(self, i: int | slice) -> Record | list[Record]:
        if isinstance(i, slice):
            return [self.whole.take(part) for part in self.parts[i]]
        return self.whole.take(self.parts[i])
