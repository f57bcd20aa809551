"""The grid of a specification curve: the choices that a study could have made otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import prod
from typing import Any

from ..calendars.window import Window, plain_value
from ..errors import ConfigError
from ..utility import typing as kinds
from .settings import read

# Specifications that a table and a figure can show.
MOST_SPECIFICATIONS = 2000
MODELS = ("market", "market_adjusted", "constant_mean")
ESTIMATIONS = (Window(-250, -31), Window(-150, -31))
CARS = (Window(0, 0), Window(0, 1), Window(-1, 1), Window(0, 5))


@dataclass(frozen=True, slots=True)
class Grid:
    """Lists of choices; the specifications are all of their combinations.

    The choice of the study itself always counts, and stands alone where a list is empty.

    Attributes
    ----------
    model : tuple of str
        Models of normal returns.
    estimation : tuple of Window
        Estimation windows.
    car : tuple of Window
        Windows of the effect; empty = those that the study tests.
    sample : tuple of str
        Where-expressions over the columns of the events, such as "direction == 'adverse'" or
        "without flagged"; "" = all events of the answer.
    halt : tuple of {"calendar", "shift"}
        Treatments of halts.
    """

    model: tuple[str, ...] = ()
    estimation: tuple[Window, ...] = ()
    car: tuple[Window, ...] = ()
    sample: tuple[str, ...] = ()
    halt: tuple[kinds.Halt, ...] = ()

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> Grid:
        """Return the grid of lists as TOML has them.

        Raises
        ------
        ConfigError
            For an unknown name, a value of the wrong type, or too many specifications.
        """
        grid = cls(**read(cls, lists))
        n = prod(len(choices) or 1 for choices in grid.to_dict().values())
        if n > MOST_SPECIFICATIONS:
            problem, remedy = "too many specifications", f"at most {MOST_SPECIFICATIONS:,}"
            raise ConfigError(problem, value=f"{n:,}", remedy=f"{remedy}; shorten a list")
        return grid

    def to_dict(self) -> dict[str, list[str]]:
        """Return the lists that are not empty as TOML has them."""
        lists = {f.name: plain_value(getattr(self, f.name)) for f in fields(self)}
        return {name: choices for name, choices in lists.items() if choices}


def usual_grid(event: Window) -> dict[str, list[str]]:
    """Return what is varied where nothing is named: models, and windows that suit `event`."""
    estimations = tuple(window for window in ESTIMATIONS if window.stop < event.start)
    return Grid(MODELS, estimations, tuple(w for w in CARS if w in event)).to_dict()
