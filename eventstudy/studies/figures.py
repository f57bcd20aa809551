"""Figures, tables and files of a fitted study, as methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..analysis.answer import Answer
from ..analysis.calibration import Calibration
from ..analysis.influence import Influence
from ..analysis.interval import Power
from ..events.checks import REPLACED
from ..events.rows import KNOWN
from ..events.table import FIXED
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy, WindowsLike
from ..fitting.inputs import CONFOUNDER
from ..report.figures.event_plots import plot_estimation, plot_event, plot_price
from ..report.figures.plots import plot_ar_heatmap, plot_caar, plot_car_forest, plot_path
from ..report.figures.robustness_plots import plot_answer, plot_influence, plot_power
from ..utility.catalogue import say
from ..utility.frames import with_numbers
from ..utility.typing import IntArray
from ..utility.units import Paragraph

if TYPE_CHECKING:
    from ..findings.finished_run import FinishedRun
    from ..findings.types import Findings

# Columns of the events that are ours.
NOT_OWN = (*FIXED, *KNOWN, *REPLACED, CONFOUNDER)


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


@dataclass(frozen=True, eq=False, repr=False)
class StudyWithFigures(FittedStudy):
    """A fitted study that draws itself and writes its reports."""

    plot_path = plot_path
    plot_caar = plot_caar
    plot_car_forest = plot_car_forest
    plot_ar_heatmap = plot_ar_heatmap
    plot_event = plot_event
    plot_price = plot_price
    plot_estimation = plot_estimation

    def save(
        self, out: str | Path = "reports", name: str = "study", *, config: StudyConfig | None = None
    ) -> Path:
        """Write the run folder ``out/name`` (report, tables, figures, prices, manifest).

        Parameters
        ----------
        out : path
            Folder of the runs.
        name : str
            Name of the run.
        config : StudyConfig, optional
            Decides windows, tests and groups of the report.

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

        return write_run(self, Path(out), name, config=config or self.settings)

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
        return self._finished(config, name).findings

    def to_json(self, *, config: StudyConfig | None = None) -> str:
        """Return the text of ``results.json``; ``eventstudy schema results`` prints its form."""
        from ..findings.finished_run import results_text

        return results_text(self.findings(config=config))

    def to_markdown(self, *, config: StudyConfig | None = None) -> str:
        """Return the report as Markdown."""
        from ..report.formats.markdown import markdown

        return markdown(self.findings(config=config))

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
        from ..report.formats.latex import latex_table

        return latex_table(self.findings(config=config), table)

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
        from ..report.formats.formats import export_file

        return export_file(self._finished(config), kind, Path(path))

    def _finished(self, config: StudyConfig | None, name: str = "study") -> FinishedRun:
        from ..findings.finished_run import finish_run

        return finish_run(self, config=config, name=name)

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
            has), ci_low, ci_high (95%), n_sessions, last_session, then your own columns, those of
            numbers as numbers. NaN where the event lacks days of the window.
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
