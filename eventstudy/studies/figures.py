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
        """Draw the numbers of this object.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw into. The default is a new figure.

        Returns
        -------
        Axes
        """
        return type(self)._draw(self, ax)


class CalibrationWithFigure(_Drawn, Paragraph, Calibration):
    """The rates of false alarms of the tests, with a figure of the power of the main test."""

    _draw = plot_power


class _Columns:
    """Regressions as columns of a table for a paper or a page, as text, and as a figure."""

    @property
    def columns(self) -> Mapping[str, CarRegression]:
        """The regressions by the heads of their columns."""
        regressions: Mapping[str, CarRegression] = getattr(self, "regressions", {"": self})
        return regressions

    def plot(self, ax: Axes | None = None, **look: Unpack[Look]) -> Axes:
        """Draw the coefficients of the regressions with their 95% intervals.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw into. The default is a new figure.
        **look : str or color
            `title` of the figure, and `color` of the first regression.
        """
        return Regressions(self.columns).plot(ax, **look)

    def to_latex(self) -> str:
        """Return a LaTeX table of at most 330 points, with stars and errors in parentheses."""
        return Regressions(self.columns).latex()

    def to_html(self) -> str:
        """Return the text and the table of the regressions as a part of an HTML page."""
        return Regressions(self.columns).html()

    def __str__(self) -> str:
        return Regressions(self.columns).text()

    __repr__ = __str__
    _repr_html_ = to_html


class DrawnRegression(_Columns, CarRegression):
    """A regression of CARs, with the methods ``plot()``, ``to_latex()`` and ``to_html()``."""


class DrawnRegressions(_Columns, SideBySide):
    """Several regressions of CARs, with the methods ``frame()``, ``plot()`` and ``to_latex()``."""


@dataclass(frozen=True, repr=False)
class DrawnAnswer(_Drawn, Paragraph, Answer):
    """The main result of a study, as text (``print``), as a table (``frame()``) and as a figure.

    The attribute `group` is the group of events that the answer is about, and "" for all events.
    The function `write` returns the answer in words.
    """

    group: str = ""
    write: Callable[[], str] = field(default=lambda: "", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as in ``results.json``."""
        record = super().to_dict()
        del record["group"], record["write"]
        return record

    def frame(self) -> pd.DataFrame:
        """Return one row of numbers: verdict, test, p-value, effect, interval, plain average."""
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
    """The power of the main test for effects of different sizes, with a figure."""

    _draw = plot_power


class DrawnInfluence(_Drawn, Influence):
    """The main result without single events, dates or firms, with a figure."""

    __repr__ = Influence.__str__
    _draw = plot_influence
