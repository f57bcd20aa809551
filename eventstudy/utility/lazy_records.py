"""Records of arrays by event: rows are taken, and arrays made, when first needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from .chunks import CHUNK, chunks
from .typing import BoolArray, IntArray

# Rows of more bytes, taken from an array that is held, are taken again whenever they are asked for:
# every window has a sample of its own, and their copies would be many times the study.
LASTING = 1 << 21


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
        names = [f.name for f in dataclasses.fields(self) if f.name not in self.by_event]  # type: ignore[arg-type]
        return type(self).holding(
            **{n: self.__dict__[n] for n in names} | fields, _whole=self, _cut=rows
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
