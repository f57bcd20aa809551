"""The series that a model needs for each event."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Factor(NamedTuple):
    """A series that a model needs beside the firm's own.

    Attributes
    ----------
    name : str
        ``market`` is the benchmark of the event. Any other name is looked for in the columns of the
        events (a ticker for each event), in the setting `series` (a ticker for all) and in the
        factor files.
    lag : int
        Sessions by which it is moved: -1 is the session before.
    several : bool
        Whether the column holds several tickers, each a series of its own.
    """

    name: str
    lag: int = 0
    several: bool = False


MARKET = Factor("market")


class NeedsSeries(Protocol):
    """What loading needs to know of a model: the series that it takes."""

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The series of the model."""
        ...
