"""Results of a study: all tests, tables and figures, as methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..analysis import (
    Answer,
    Influence,
    abhar,
    calendar_portfolio,
    calibrate,
    diagnose,
    diagnostics,
    difference,
    dollar_loss,
    explain,
    family,
    main_test_of,
    placebo_firms,
    regress_car,
    regression,
    summary,
    weighted_caar,
)
from ..calendars import Window
from ..events import Events
from ..findings import Findings, FinishedRun, find_group
from ..fitting import CONFOUNDER, FittedStudy, WindowLike, WindowsLike, with_market_values
from ..report import Export, Statement, Terminal, plot_caar, plot_car_forest, plot_event, plot_path
from ..settings import StudyConfig
from ..utility import IntArray
from ..words import say
from . import figures

# Notes under a summary.
NAMED = 3
# Columns of the events that are ours.
NOT_OWN = (*Events.COLUMNS, CONFOUNDER)


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(FittedStudy):
    """Results of :meth:`EventStudy.fit`. Tests are chosen here and never refit the model.

    Its fields and tables are those of :class:`~eventstudy.fitting.fitted.FittedStudy`.

    Examples
    --------
    >>> import eventstudy as es
    >>> results = es.run_study("events.csv", es.StudyConfig(prices="sample"))
    >>> isinstance(results, es.EventStudyResults)
    True
    >>> answer = results.answer()
    >>> answer.group, answer.verdict, round(answer.effect.estimate, 4)
    ('adverse', 'different', -0.0068)
    >>> results.answer(group="").n_events
    70
    >>> adverse = results.groups("direction")["adverse"]
    >>> print(adverse.test("bmp_kp", (0, 1)))
    BMP-KP: t(53) = -2.29, p = 0.0258, 54 events
    """

    plot_path = plot_path
    plot_caar = plot_caar
    plot_car_forest = plot_car_forest
    plot_event = plot_event
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

    def of_group(self, group: str | None = None) -> EventStudyResults:
        """Return the results of one group of the events.

        Parameters
        ----------
        group : str, optional
            A value of the column that splits the study (the setting ``by``: by default ``group`` or
            ``direction``, where it has several values); "" for all events together. By default the
            group that the report begins with.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        ConfigError
            If there is no such group.
        """
        return find_group(self, group)[1]

    def answer(
        self, window: WindowLike | None = None, *, group: str | None = None
    ) -> figures.DrawnAnswer:
        """Return verdict, main test, estimate and interval, those of the report.

        Parameters
        ----------
        window : window, optional
            By default the main one.
        group : str, optional
            As for :meth:`of_group`: by default the group that the report begins with.

        Returns
        -------
        DrawnAnswer
            Printed it is what ``eventstudy run`` prints, with the caveat.
        """
        chosen = self.main if window is None else Window.of(window)
        name, study = find_group(self, group)
        answer = Answer.of(study, chosen)
        numbers = {f.name: getattr(answer, f.name) for f in fields(answer)}
        write = partial(self._say, chosen, name)
        return figures.DrawnAnswer(**numbers, group=name, write=write)

    def _say(self, window: Window, group: str) -> str:
        """Return the answer of a group over a window in words."""
        findings = self.findings()
        if window != self.main:
            findings = self.findings(config=replace(self.settings, windows=(window,)))
        if group == findings.sample.group:
            return str(Terminal(findings).text())
        sample = next(sample for sample in findings.samples if sample.group == group)
        return Terminal(findings).answer(sample)

    def power(
        self, window: WindowLike | None = None, *, group: str | None = None
    ) -> figures.DrawnPower:
        """Return which effects the answer would find, by the closed form of its test.

        Parameters
        ----------
        window : window, optional
            By default the main one.
        group : str, optional
            As for :meth:`of_group`: by default the group that the report begins with.

        Returns
        -------
        DrawnPower
            A sentence; ``frame()`` and ``plot()`` have the curve. ``calibrate()`` has the same on
            other dates of the firms.
        """
        chosen = self.main if window is None else Window.of(window)
        answer = Answer.of(self.of_group(group), chosen)
        least, df = answer.overturn.smallest_effect, answer.effect.df
        return figures.DrawnPower.of(chosen, answer.test, least, df)

    def influence(
        self, window: WindowLike | None = None, *, group: str | None = None
    ) -> figures.DrawnInfluence:
        """Return the answer without each event, date, cluster of dates and firm.

        Parameters
        ----------
        window : window, optional
            By default the main one.
        group : str, optional
            As for :meth:`of_group`: by default the group that the report begins with.

        Returns
        -------
        DrawnInfluence
            Its text is what single announcements, dates and firms change; ``frame()`` has all rows.
        """
        chosen = self.main if window is None else Window.of(window)
        study = self.of_group(group)
        answer = Answer.of(study, chosen)
        influence = Influence.of(study, chosen, answer.effect, answer.pvalue)
        return figures.DrawnInfluence(**vars(influence))

    def with_market_values(self, source: str | Path, **options: Any) -> EventStudyResults:
        """Return the results with market values of Yahoo or a file.

        Parameters
        ----------
        source : str or Path
            ``yahoo``, or a file with ticker, date, and mcap or shares.
        **options
            As for :func:`eventstudy.fitting.market_values.with_market_values`.

        Returns
        -------
        EventStudyResults
        """
        return EventStudyResults.of(with_market_values(self, source, **options))

    def regress(
        self, columns: str | Iterable[str], window: WindowLike | None = None, **options: Any
    ) -> figures.DrawnRegression:
        """Regress CARs on columns of the events, with a constant.

        Parameters
        ----------
        columns : str or iterable of str
            Numbers enter as they are; text as dummies against its first level.
        window : window, optional
            By default the main one.
        **options
            As for `regress_car`, such as ``weights="precision"``.

        Returns
        -------
        DrawnRegression
        """
        return figures.DrawnRegression(**vars(regress_car(self, columns, window, **options)))

    def explain(
        self, formulas: str | Iterable[str] | Mapping[str, str], window: WindowLike | None = None,
        **options: Any,
    ) -> figures.DrawnRegression | figures.DrawnRegressions:  # fmt: skip
        """Regress CARs on a formula, such as ``"size + C(sector) + direction:leverage"``.

        Parameters
        ----------
        formulas : str, iterable of str, or mapping of str to str
            Several are estimated one by one; of a mapping the keys are the heads of their columns.
        window : window, optional
            By default the main one.
        **options
            As for `explain`, such as ``cluster="date"``.

        Returns
        -------
        DrawnRegression or DrawnRegressions
            A :class:`CarRegression`, or several side by side (``frame()``); both have ``plot()``,
            ``to_latex()`` and ``to_html()``.
        """
        chosen = self.main if window is None else window
        if isinstance(formulas, str):
            return figures.DrawnRegression(**vars(explain(self, formulas, chosen, **options)))
        named = formulas if isinstance(formulas, Mapping) else {text: text for text in formulas}
        fits = {head: explain(self, text, chosen, **options) for head, text in named.items()}
        return figures.DrawnRegressions(fits)

    def calibrate(
        self, window: WindowLike | None = None, *, group: str | None = None, **options: Any
    ) -> figures.CalibrationWithFigure:
        """Return how often the tests of the study are wrong on its own firms' other days.

        Parameters
        ----------
        window : window, optional
            By default the main one.
        group : str, optional
            As for :meth:`of_group`: by default the group that the report begins with.
        **options
            As for :func:`eventstudy.analysis.robustness.calibration.calibrate`.

        Returns
        -------
        Calibration
            With its power curve as ``plot()``.
        """
        numbers = calibrate(self.of_group(group), window, **options)
        return figures.CalibrationWithFigure(**vars(numbers))

    def save(
        self, out: str | Path = "reports", name: str = "study", *,
        config: StudyConfig | None = None, force: bool = False,
    ) -> Path:  # fmt: skip
        """Write the run folder ``out/name`` (report, tables, figures, prices, manifest).

        A run of other settings or events stays as it is: this one is then ``name-2`` ...

        Parameters
        ----------
        out : path
            Folder of the runs.
        name : str
            Name of the run.
        config : StudyConfig, optional
            Decides windows, tests and groups of the report.
        force : bool
            Replace the run of that name, whatever its settings and events.

        Returns
        -------
        Path
            The run folder.

        Raises
        ------
        RunFolderError
            If the folder cannot be written, or is no run.
        """
        from ..runs import write_run

        return write_run(self, Path(out), name, config=config or self.settings, force=force)

    def findings(self, *, config: StudyConfig | None = None, name: str = "study") -> Findings:
        """Return the document of the study, from which every format is drawn.

        Parameters
        ----------
        config : StudyConfig, optional
            Decides windows, tests and groups; by default one with the windows of the study.
        name : str
            Name of the study.

        Returns
        -------
        Findings
        """
        if config is None and name == "study":
            return self.remember("findings", lambda: FinishedRun.of(self).findings)
        return FinishedRun.of(self, config, name=name).findings

    def to_json(self, *, config: StudyConfig | None = None) -> str:
        """Return the text of ``results.json``; ``eventstudy schema results`` prints its form."""
        return FinishedRun(self.findings(config=config)).text

    def to_markdown(self, *, config: StudyConfig | None = None) -> str:
        """Return the report as Markdown."""
        return str(self._export(config).files("md")["report.md"])

    def to_latex(self, table: str = "caar", *, config: StudyConfig | None = None) -> str:
        """Return a LaTeX table.

        Parameters
        ----------
        table : {"caar", "events", "regression"}
            ``caar`` is of windows by tests.
        config : StudyConfig, optional

        Returns
        -------
        str
        """
        return self._export(config).latex(table)

    def to_excel(self, path: str | Path, *, config: StudyConfig | None = None) -> Path:
        """Write a workbook with one sheet a table (extra ``excel``).

        Parameters
        ----------
        path : path
        config : StudyConfig, optional

        Returns
        -------
        Path
        """
        return self._exported("xlsx", path, config)

    def to_parquet(self, path: str | Path, *, config: StudyConfig | None = None) -> Path:
        """Write the long table of abnormal returns (extra ``parquet``).

        Parameters
        ----------
        path : path
        config : StudyConfig, optional

        Returns
        -------
        Path
        """
        return self._exported("parquet", path, config)

    def _exported(self, kind: str, path: str | Path, config: StudyConfig | None) -> Path:
        return Export(FinishedRun.of(self, config)).write_file(kind, Path(path))

    def _export(self, config: StudyConfig | None) -> Export:
        return Export(FinishedRun(self.findings(config=config)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was read otherwise than it is written, and what was put aside."""
        return tuple(dict.fromkeys(map(str, (*self.panel.notices, *self.panel.notes))))

    def car(self, windows: WindowsLike | None = None) -> pd.DataFrame:
        """Return the CAR of each used event over each window, and the columns of the events file.

        Parameters
        ----------
        windows : window or iterable of window, optional
            By default those that the study was asked for, else the standard ones.

        Returns
        -------
        DataFrame
            One row a window and event: event_id, ticker, start, stop, car (decimal), se, statistic
            and pvalue (exact single-event t), scar, bhar, n_days (of the window that the event
            has), ci_low, ci_high (95%), n_sessions, last_session, variance_multiple (how many
            times as variable as in its estimation window the firm was around the event) and
            pvalue_regime (the p that allows for it, as a report has it; NaN above 5,000 events),
            then your own columns, those of numbers as numbers. NaN where the event lacks days of
            the window.
        """
        table = self.car_table(windows)
        return self._with_own_columns(table, np.tile(self._used, len(table) // max(len(self), 1)))

    def wide(self, windows: WindowsLike | None = None) -> pd.DataFrame:
        """Return one row for each used event, with a column of CARs for each window.

        Parameters
        ----------
        windows : window or iterable of window, optional
            As for :meth:`car`.

        Returns
        -------
        DataFrame
            event_id, ticker, the CARs (decimal) by window such as ``[0,1]``, your own columns.
        """
        rows = self._used
        cars = {str(w): self.abnormal.car(w)[rows] for w in self.windows_of(windows)}
        return self._with_own_columns(pd.DataFrame({**self.ids_of(rows), **cars}), rows)

    def tidy(self) -> pd.DataFrame:
        """Return one row for each used event and day: its abnormal return and your own columns."""
        days = np.repeat(self._used, len(self.abnormal.event))
        return self._with_own_columns(self.abnormal_returns(), days)

    def models(self) -> pd.DataFrame:
        """Return event_id, ticker, nobs, parameters, sigma, r2 and standard errors of each event.

        The error of ``beta`` is ``se_beta``; it is of the kind that ``cov`` names.
        """
        a = self.abnormal
        errors = np.sqrt(np.diagonal(a.cov_params[self._used], axis1=1, axis2=2))
        names = [f"se_{name}" for name in a.parameters]
        return self.model_table().join(pd.DataFrame(errors, columns=names))

    @property
    def _used(self) -> IntArray:
        """Positions of the used events."""
        return np.flatnonzero(self.ok)

    def _with_own_columns(self, table: pd.DataFrame, rows: IntArray) -> pd.DataFrame:
        """Return a table of events, by position, with the user's own columns of their file."""
        names = [str(name) for name in self.events if name not in (*NOT_OWN, *table.columns)]
        cells = {name: with_numbers(self.events[name]).to_numpy()[rows] for name in names}
        return table.assign(**cells)

    def __repr__(self) -> str:
        if self.is_large:
            return super().__repr__()
        findings = self.findings()
        statement = Statement.of(findings)
        return f"{statement.headline} {statement.caveat}".strip()

    def __str__(self) -> str:
        return "\n".join([str(self.answer()), *self._first_notes()])

    def _first_notes(self) -> list[str]:
        """Return the notes that stand under an answer."""
        notes, more = self.notes[:NAMED], len(self.notes) - NAMED
        last = [say("results.more_notes", n=more)] if more > 0 else []
        return [*(say("results.note", text=text) for text in notes), *last]

    def _repr_html_(self) -> str:
        from ..report import render_cell

        if self.is_large:
            return f"<p>{escape(repr(self))}</p>"
        return render_cell(self.findings(), self.notes)


def with_numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of texts as numbers if each that is not blank is one; codes such as 007 stay.

    Blank cells of numbers are NaN.
    """
    import pandas as pd

    texts = cells.astype(str).str.strip()
    filled = texts[texts != ""]
    is_code = filled.str.match(r"[+-]?0\d").any()
    if filled.empty or is_code or pd.to_numeric(filled, errors="coerce").isna().any():
        return cells
    return pd.to_numeric(texts.where(texts != ""))
