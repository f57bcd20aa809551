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
# Days of the shorter estimation window.
SHORTER = 120
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
        Windows of the effect; empty = those of the settings, else the four usual ones.
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


def usual_grid(estimation: Window, event: Window, measure: kinds.Measure) -> dict[str, list[str]]:
    """Return what is varied where nothing is named: three models, two estimation windows, windows.

    Parameters
    ----------
    estimation : Window
        That of the study; the shorter one has its last 120 days.
    event : Window
        Which holds all windows of the effect.
    measure : {"return", "volume", "turnover", "volatility"}
        Only returns have other models.
    """
    shorter = Window(estimation.stop - SHORTER + 1, estimation.stop)
    estimations = (estimation, shorter) if len(estimation) > SHORTER else ()
    models = MODELS if measure == "return" else ()
    return Grid(models, estimations, tuple(w for w in CARS if w in event)).to_dict()
