"""Results of a study: all tests, tables and figures, as methods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..analysis.answer import answer_of, default_tests, influence_of, main_test_of
from ..analysis.calendar_portfolio import calendar_portfolio
from ..analysis.calibration import calibrate
from ..analysis.computed import with_market_values
from ..analysis.cross_section import CarRegression, regress_car
from ..analysis.diagnosis import Diagnosis, diagnose
from ..analysis.explain import explain, side_by_side
from ..analysis.groups import Difference, difference
from ..analysis.long_horizon import Against, abhar
from ..analysis.multiple_testing import Summary, family, summary
from ..analysis.placebo import Placebo, placebo_firms
from ..analysis.regressions import diagnostics, regression
from ..analysis.weights import DollarLoss, WeightedMean, dollar_loss, weighted_caar
from ..calendars.window import Window
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy, WindowLike, WindowsLike, names_of
from ..utility.catalogue import say
from .figures import (
    CalibrationWithFigure,
    DrawnAnswer,
    DrawnInfluence,
    DrawnPower,
    StudyWithFigures,
)

# Notes under a summary.
NAMED = 3

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(StudyWithFigures):
    """Results of :meth:`EventStudy.fit`. Tests are chosen here and never refit the model.

    Its fields and tables are those of :class:`~eventstudy.fitting.fitted.FittedStudy`.

    Examples
    --------
    >>> import eventstudy as es
    >>> results = es.run_study("events.csv", es.StudyConfig(prices="sample"))
    >>> isinstance(results, es.EventStudyResults), results
    (True, <event study: 70 of 230 events, market model, [-10,10]>)
    >>> adverse = results.groups("direction")["adverse"]
    >>> adverse.answer((0, 1)).verdict
    'different'
    >>> print(adverse.test("bmp_kp", (0, 1)))
    BMP-KP: t(53) = -2.29, p = 0.0258, 54 events
    """

    @classmethod
    def of(cls, study: FittedStudy, config: StudyConfig | None = None) -> EventStudyResults:
        """Return the results of a fitted study.

        Parameters
        ----------
        study : FittedStudy
        config : StudyConfig, optional
            The settings that it was asked for with, if all are known.

        Returns
        -------
        EventStudyResults
        """
        record = {f.name: getattr(study, f.name) for f in fields(study) if f.init}
        return cls(**{**record, "config": config or study.config})

    def main_test(self, window: WindowLike | None = None) -> str:
        """Return the name of the test that decides over `window`, by default the main one."""
        return main_test_of(self, window)

    def answer(self, window: WindowLike | None = None) -> DrawnAnswer:
        """Return verdict, main test, estimate and interval over `window` (the main one)."""
        answer = answer_of(self, window)
        return DrawnAnswer(**{f.name: getattr(answer, f.name) for f in fields(answer)})

    def power(self, window: WindowLike | None = None) -> DrawnPower:
        """Return which effects the answer would find, by the closed form of its test.

        Parameters
        ----------
        window : window, optional
            By default the main one.

        Returns
        -------
        DrawnPower
            A sentence; ``frame()`` and ``plot()`` have the curve. ``calibrate()`` has the same on
            other dates of the firms.
        """
        chosen = self.main if window is None else Window.of(window)
        answer = answer_of(self, chosen)
        return DrawnPower.of(chosen, answer.test, answer.overturn.smallest_effect, answer.effect)

    def influence(self, window: WindowLike | None = None) -> DrawnInfluence:
        """Return the answer without each event, date, cluster of dates and firm.

        Parameters
        ----------
        window : window, optional
            By default the main one.

        Returns
        -------
        DrawnInfluence
            Its text is what single announcements, dates and firms change; ``frame()`` has all rows.
        """
        chosen = self.main if window is None else Window.of(window)
        return DrawnInfluence(**vars(influence_of(self, chosen, answer_of(self, chosen))))

    @property
    def default_tests(self) -> list[str]:
        """Names of the tests that summaries show unless others are named, the main test first."""
        return default_tests(self)

    def multiple(self, kind: str, **options: Any) -> pd.DataFrame:
        """Return a family of hypotheses with adjusted p-values.

        Parameters
        ----------
        kind : {"events", "days", "windows", "groups"}
        **options
            As for :func:`eventstudy.analysis.multiple_testing.family`.

        Returns
        -------
        DataFrame
            One row a hypothesis.
        """
        return family(self, kind, **options)

    def difference(
        self, column: str, one: str | None = None, other: str | None = None, **options: Any
    ) -> Difference:
        """Return the difference of the mean CARs of two groups and its test.

        Parameters
        ----------
        column : str
            Column of the events that holds the groups.
        one, other : str, optional
            Needed if there are more than two groups.
        **options
            As for :func:`eventstudy.analysis.groups.difference`.

        Returns
        -------
        Difference
            One minus other (decimal).
        """
        return difference(self, column, one, other, **options)

    def weighted(
        self, window: WindowLike, weights: str = "equal", column: str = "mcap"
    ) -> WeightedMean:
        """Return the weighted mean CAR over `window`.

        Parameters
        ----------
        window : window
        weights : {"equal", "value", "precision"}
        column : str
            Column with the market value before the window.

        Returns
        -------
        WeightedMean
            See :func:`eventstudy.analysis.weights.weighted_caar`.
        """
        return weighted_caar(self, window, weights, column)

    def with_market_values(self, source: str | Path, **options: Any) -> EventStudyResults:
        """Return the results with market values of Yahoo or a file.

        Parameters
        ----------
        source : str or Path
            ``yahoo``, or a file with ticker, date, and mcap or shares.
        **options
            As for :func:`eventstudy.analysis.computed.with_market_values`.

        Returns
        -------
        EventStudyResults
        """
        return EventStudyResults.of(with_market_values(self, source, **options))

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> DollarLoss:
        """Return the abnormal change of market value over `window`.

        Parameters
        ----------
        window : window
        column : str
            Column of market values, all in one currency.

        Returns
        -------
        DollarLoss
            See :func:`eventstudy.analysis.weights.dollar_loss`.
        """
        return dollar_loss(self, window, column)

    def regress(
        self, columns: str | Iterable[str], window: WindowLike | None = None, **options: Any
    ) -> CarRegression:
        """Regress CARs on columns of the events.

        Parameters
        ----------
        columns : str or iterable of str
        window : window, optional
            By default the main one.
        **options
            As for :func:`eventstudy.analysis.cross_section.regress_car`.

        Returns
        -------
        CarRegression
        """

        return regress_car(self, columns, self.main if window is None else window, **options)

    def explain(
        self, formulas: str | Iterable[str], window: WindowLike | None = None, **options: Any
    ) -> CarRegression | pd.DataFrame:
        """Regress CARs on a formula, such as ``"size + C(sector) + direction:leverage"``.

        Parameters
        ----------
        formulas : str or iterable of str
            Several are estimated one by one.
        window : window, optional
            By default the main one.
        **options
            As for :func:`eventstudy.analysis.explain.explain`, such as ``cluster="date"``.

        Returns
        -------
        CarRegression or DataFrame
            Of several formulas the table of them side by side.
        """
        chosen = self.main if window is None else window
        fits = {text: explain(self, text, chosen, **options) for text in names_of(formulas)}
        return fits[formulas] if isinstance(formulas, str) else side_by_side(fits)

    def abhar(
        self, window: WindowLike, against: Against = "market", **conventions: Any
    ) -> pd.DataFrame:
        """Return tests of the mean buy-and-hold abnormal return.

        Parameters
        ----------
        window : window
        against : {"market", "model"}
        **conventions
            ``draws``, ``seed``.

        Returns
        -------
        DataFrame
            See :func:`eventstudy.analysis.long_horizon.abhar`.
        """
        return abhar(self, window, against, **conventions)

    def calendar_portfolio(self, window: WindowLike, **options: Any) -> pd.DataFrame:
        """Return the alpha of a calendar-time portfolio of the firms in their event window.

        Parameters
        ----------
        window : window
        **options
            As for :func:`eventstudy.analysis.calendar_portfolio.calendar_portfolio`.

        Returns
        -------
        DataFrame
            One row a method.
        """
        return calendar_portfolio(self, window, **options)

    def diagnose(self, window: WindowLike | None = None) -> Diagnosis:
        """Return the kind of the study, and how far to trust each test over `window`."""
        return diagnose(self, window)

    def diagnostics(self) -> pd.DataFrame:
        """Return diagnostics of the estimation of each event, one row each."""
        return diagnostics(self)

    def regression(self, event_id: str) -> RegressionResults:
        """Return the estimation regression of one event, as statsmodels has it."""
        return regression(self, event_id)

    def calibrate(self, window: WindowLike | None = None, **options: Any) -> CalibrationWithFigure:
        """Return how often the tests of the study are wrong on its own firms' other days.

        Parameters
        ----------
        window : window, optional
            By default the main one.
        **options
            As for :func:`eventstudy.analysis.calibration.calibrate`.

        Returns
        -------
        Calibration
            With its power curve as ``plot()``.
        """
        return CalibrationWithFigure(**vars(calibrate(self, window, **options)))

    def placebo_firms(self, window: WindowLike, **options: Any) -> Placebo:
        """Return the rank of the study among other firms on the same days.

        Parameters
        ----------
        window : window
        **options
            As for :func:`eventstudy.analysis.placebo.placebo_firms`.

        Returns
        -------
        Placebo
        """
        return placebo_firms(self, window, **options)

    def summary(
        self, windows: WindowsLike | None = None, names: Iterable[str] | None = None
    ) -> Summary:
        """Return effect, CAAR and p-values by window; prints as text, and as a table in a notebook.

        Parameters
        ----------
        windows : windows, optional
            By default the standard ones that fit into the event window.
        names : iterable of str, optional
            Tests to show; by default the main test and the usual ones.

        Returns
        -------
        Summary
        """
        return summary(self, windows, names)

    def __str__(self) -> str:
        return "\n".join([f"{self!r}\n{self.summary()}", *self._first_notes()])

    def _first_notes(self) -> list[str]:
        """Return the notes that stand under a summary."""
        notes, more = self.notes[:NAMED], len(self.notes) - NAMED
        last = [say("results.more_notes", n=more)] if more > 0 else []
        return [*(say("results.note", text=text) for text in notes), *last]

    def _repr_html_(self) -> str:
        head = (
            f"{len(self)} of {len(self.events)} events, {self.model.label}, {self.abnormal.event}"
        )
        notes = "".join(f"<p>{escape(text)}</p>" for text in self._first_notes())
        return f"<p><b>Event study</b>: {escape(head)}</p>{self.summary()._repr_html_()}{notes}"
