"""Records of arrays by event, of which some events are taken without copying what nobody asks for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .typing import BoolArray, IntArray


class ByEvent:
    """A frozen record of which the fields `by_event` are arrays with a row per event.

    The rows of a record that was cut from another are taken when they are first asked for: a sample of
    most events is no second study.
    """

    by_event: ClassVar[tuple[str, ...]]

    def cut(self, which: IntArray | BoolArray | slice, /, **fields: Any) -> Self:
        """Return the record with some rows of every array by event, and other `fields` in their place."""
        names = [f.name for f in dataclasses.fields(self) if f.name not in self.by_event]  # type: ignore[arg-type]
        new = object.__new__(type(self))
        new.__dict__.update({name: self.__dict__[name] for name in names} | fields, _whole=self, _cut=which)
        return new

    def altered(self, **fields: Any) -> Self:
        """Return the record with other `fields` on which nothing that it holds depends."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__ | fields)
        return new

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Take the rows of an array by event, once."""
            if name not in type(self).by_event or "_whole" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__} has no {name}")
            self.__dict__[name] = own = getattr(self._whole, name)[self._cut]
            return own

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays, not where they were cut from."""
        asked = {name: getattr(self, name) for name in self.by_event}
        return {k: v for k, v in self.__dict__.items() if k not in ("_whole", "_cut")} | asked
