"""Results that draw themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analysis.answer import Answer
from ..analysis.calibration import Calibration
from ..analysis.influence import Influence
from ..analysis.interval import Power
from ..report.figures.robustness_plots import plot_answer, plot_influence, plot_power
from ..utility.catalogue import say
from ..utility.units import Paragraph


class CalibrationWithFigure(Paragraph, Calibration):
    """A calibration that draws itself."""

    plot = plot_power


class DrawnAnswer(Paragraph, Answer):
    """An answer as a table (``frame()``), a figure and a sentence (``str``)."""

    def frame(self) -> pd.DataFrame:
        """Return its numbers as one row: verdict, test, p, effect, interval, plain average."""
        numbers = self.to_dict()
        row = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
        average = numbers["plain_average"]
        return pd.DataFrame([row | {f"plain_{name}": value for name, value in average.items()}])

    def __str__(self) -> str:
        facts = {"n": self.n_events, "dates": self.n_dates, "p": self.pvalue, "why": self.reason}
        effect, code = self.effect, "sentence" if np.isfinite(self.pvalue) else "none"
        ends = (effect.ci_low, effect.ci_high)
        return say(f"answer.{code}", value=effect.estimate, ends=ends, **facts)

    plot = plot_answer


class DrawnPower(Paragraph, Power):
    """Which effects the answer finds, which draws itself."""

    plot = plot_power


class DrawnInfluence(Influence):
    """What the answer owes to single sets of events, which draws itself."""

    __repr__ = Influence.__str__
    plot = plot_influence
