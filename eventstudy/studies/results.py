"""Results of a study: all tests, tables and figures, as methods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from ..analysis.answer import answer_of, default_tests, influence_of, main_test_of
from ..analysis.calendar_portfolio import calendar_portfolio
from ..analysis.calibration import calibrate
from ..analysis.computed import with_market_values
from ..analysis.cross_section import CarRegression, regress_car
from ..analysis.diagnosis import diagnose
from ..analysis.explain import explain, side_by_side
from ..analysis.groups import difference
from ..analysis.long_horizon import abhar
from ..analysis.multiple_testing import family, summary
from ..analysis.placebo import placebo_firms
from ..analysis.regressions import diagnostics, regression
from ..analysis.weights import dollar_loss, weighted_caar
from ..calendars.window import Window
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy, WindowLike, names_of
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

    main_test = main_test_of
    multiple = family
    difference = difference
    weighted = weighted_caar
    dollar_loss = dollar_loss
    abhar = abhar
    calendar_portfolio = calendar_portfolio
    diagnose = diagnose
    diagnostics = diagnostics
    regression = regression
    placebo_firms = placebo_firms
    summary = summary

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
