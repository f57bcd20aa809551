"""Results that draw themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import pandas as pd

from ..analysis import Answer, Calibration, CarRegression, Influence, Power, SideBySide
from ..report import Look, Regressions, plot_answer, plot_influence, plot_power
from ..words import Paragraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _Drawn:
    """Numbers that draw themselves."""

    _draw: ClassVar[Callable[..., Axes]]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw these numbers.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; by default the axes of a new figure.

        Returns
        -------
        Axes
        """
        return type(self)._draw(self, ax)


class CalibrationWithFigure(_Drawn, Paragraph, Calibration):
    """A calibration that draws itself."""

    _draw = plot_power


class _Columns:
    """Regressions as columns of a table for a paper or a page, as text, and as a figure."""

    @property
    def columns(self) -> Mapping[str, CarRegression]:
        """The regressions by the heads of their columns."""
        regressions: Mapping[str, CarRegression] = getattr(self, "regressions", {"": self})
        return regressions

    def plot(self, ax: Axes | None = None, **look: Unpack[Look]) -> Axes:
        """Draw the coefficients with their 95% intervals.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; by default the axes of a new figure.
        **look : str or color
            `title`, and `color` of the first regression.
        """
        return Regressions(self.columns).plot(ax, **look)

    def to_latex(self) -> str:
        """Return a table of LaTeX of at most 330 points, with stars and errors in parentheses."""
        return Regressions(self.columns).latex()

    def to_html(self) -> str:
        """Return what the regressions say and their table as a part of a page of HTML."""
        return Regressions(self.columns).html()

    def __str__(self) -> str:
        return Regressions(self.columns).text()

    __repr__ = __str__
    _repr_html_ = to_html


class DrawnRegression(_Columns, CarRegression):
    """A regression of CARs that draws itself."""


class DrawnRegressions(_Columns, SideBySide):
    """Several regressions of CARs side by side, which draw themselves."""


@dataclass(frozen=True, repr=False)
class DrawnAnswer(_Drawn, Paragraph, Answer):
    """An answer as a table (``frame()``), a figure and what the command prints (``str``).

    `group` is the group of events that it is about, "" for all; `write` returns it in words.
    """

    group: str = ""
    write: Callable[[], str] = field(default=lambda: "", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as it stands in ``results.json``."""
        record = super().to_dict()
        del record["group"], record["write"]
        return record

    def frame(self) -> pd.DataFrame:
        """Return its numbers as one row: verdict, test, p, effect, interval, plain average."""
        numbers = self.to_dict()
        row = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
        average = numbers["plain_average"]
        return pd.DataFrame([row | {f"plain_{name}": value for name, value in average.items()}])

    def __str__(self) -> str:
        return self.write()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    _draw = plot_answer


class DrawnPower(_Drawn, Paragraph, Power):
    """Which effects the answer finds, which draws itself."""

    _draw = plot_power


class DrawnInfluence(_Drawn, Influence):
    """What the answer owes to single sets of events, which draws itself."""

    __repr__ = Influence.__str__
    _draw = plot_influence
