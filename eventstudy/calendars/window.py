"""Windows of trading days in event time, and the usual ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from ..errors import ConfigError
from ..utility import IntArray
from ..words import make_error


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A range of trading days around an event, such as ``Window(-1, 1)``.

    The days are numbered from day 0, the first session on which the share could react to the news.
    The first day `start` and the last day `stop` belong to the window.

    Raises
    ------
    ConfigError
        If `start` is later than `stop`.

    Examples
    --------
    >>> import eventstudy as es
    >>> window = es.Window(-1, 1)
    >>> len(window), str(window)
    (3, '[-1,1]')
    >>> es.Window.of("0:1")
    Window(start=0, stop=1)
    """

    start: int
    stop: int

    # What is used unless another window is asked for. Many announcements carry no hour, so that
    # day 0 or day 1 is the first reaction: these are the main window (docs/methods/dates.md).
    ESTIMATION: ClassVar[Window]
    EVENT: ClassVar[Window]
    MAIN: ClassVar[Window]

    def __post_init__(self) -> None:
        if self.start > self.stop:
            raise make_error(ConfigError, "wrong.window_ends", value=str(self))

    @classmethod
    def of(cls, value: Window | tuple[int, int] | list[int] | str) -> Window:
        """Return the Window that `value` describes.

        The value may be a Window, a tuple such as ``(0, 1)``, or a text such as ``"0:1"`` or
        ``"[0,1]"``.

        Raises
        ------
        ConfigError
            If `value` is something else.
        """
        if isinstance(value, Window):
            return value
        if isinstance(value, str):
            match = re.fullmatch(r"\s*\[?\s*([+-]?\d{1,6})\s*[:,]\s*([+-]?\d{1,6})\s*\]?\s*", value)
            if match is None:
                raise make_error(ConfigError, "wrong.window_text", value=value)
            return cls(int(match[1]), int(match[2]))
        if not (_whole_numbers(value) and len(value) == 2):
            raise make_error(ConfigError, "wrong.window", value=value)
        return cls(int(value[0]), int(value[1]))

    @classmethod
    def several(cls, value: Window | tuple[int, int] | str | Iterable[Any]) -> tuple[Window, ...]:
        """Return a tuple of Window objects, also if `value` describes only one window.

        A tuple of two numbers such as ``(0, 1)`` is one window, from day 0 to day 1.
        """
        if isinstance(value, (Window, str)) or not isinstance(value, Iterable):
            return (cls.of(value),)
        members = list(value)
        return (cls.of(members),) if _whole_numbers(members) else tuple(map(cls.of, members))

    def require_before(self, event: Window) -> None:
        """Check that this window, an estimation window, ends before the event window starts.

        Parameters
        ----------
        event : Window
            The event window.

        Raises
        ------
        ConfigError
            If the last day of this window is not before the first day of the event window.
        """
        if self.stop >= event.start:
            raise make_error(ConfigError, "wrong.windows_overlap", value=f"{self} and {event}")

    @property
    def days(self) -> IntArray:
        """The day numbers of the window as an array: -1, 0 and 1 for the window [-1, 1]."""
        return np.arange(self.start, self.stop + 1)

    def __len__(self) -> int:
        return self.stop - self.start + 1

    def __contains__(self, item: object) -> bool:
        if isinstance(item, Window):
            return self.start <= item.start and item.stop <= self.stop
        return isinstance(item, int) and self.start <= item <= self.stop

    def __str__(self) -> str:
        return f"[{self.start},{self.stop}]"


def _whole_numbers(value: object) -> bool:
    """Return whether `value` is a sequence of whole numbers, at least one."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(v, Real) and not isinstance(v, bool) and v == v // 1 for v in value)
    )


Window.ESTIMATION = Window(-250, -31)
Window.EVENT = Window(-10, 10)
Window.MAIN = Window(0, 1)
