"""The doors for a notebook: a study, and its results with everything that one may ask of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .analysis.answer import answer_of, default_tests, main_test_of
from .calendars.window import Window
from .fitting.config import StudyConfig
from .fitting.fit import StudyInputs
from .fitting.fitted import FittedStudy, WindowLike, WindowsLike

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from statsmodels.regression.linear_model import RegressionResults

    from .analysis.answer import Answer
    from .analysis.cross_section import CarRegression
    from .analysis.diagnosis import Diagnosis
    from .analysis.groups import Difference
    from .analysis.long_horizon import Against
    from .analysis.placebo import Placebo
    from .analysis.summary import Summary
    from .analysis.weights import DollarLoss, WeightedMean
    from .events.table import Events


@dataclass(frozen=True, eq=False, repr=False)
class EventStudy(StudyInputs):
    """A study of announcements, ready to be fitted.

    Parameters
    ----------
    events : Events, DataFrame or path
        A frame or a file is read as by :func:`events_from_frame` and :func:`read_events`.
    returns : ReturnsPanel or DataFrame
        Must hold the events' tickers and benchmarks; what it lacks drops the event, with a reason.
        A frame is read as by :meth:`ReturnsPanel.from_frame`.
    model : str or LinearModel
        Name of a registered model, or an instance.
    estimation, event : Window or (start, stop)
        In trading days of each event's exchange; the event day is 0.
    benchmark : str
        One index for all events; by default the events' own or their exchanges'.
    benchmark_policy : {"fallback", "strict"}
        Whether an index of the exchange replaces one that the events name where this lacks days.
    engine : {"statsmodels", "batch"}
        Least squares event by event, or all at once; the numbers agree to rounding.
    min_estimation : int
        Events with fewer complete estimation days are flagged ``short_estimation``.
    factors : DataFrame, optional
        Decimal returns of factors, dates x names, for models that need them (:func:`read_factors`).
    series : mapping of str to ticker
        Further series of the model that are the same for all events, such as ``{"world": "URTH"}``.
    conventions : Conventions
        What tests do where authors differ.
    halt : {"calendar", "shift"}
        Whether the clock runs on through a halt, or halted sessions leave it: day 0 is then the
        session on which trading resumes.
    repeat : {"mask", "first", "keep-all"}
        Whether estimation days within an event window of another event of the firm are left out;
        with "first" an event whose window overlaps that of an earlier one of the firm is left out
        as well.
    left_out : sequence of n str
        Why each event is not to be used; "" for those that are. By default all are.

    Raises
    ------
    ConfigError
        For what is no such thing, an unknown model or choice, or windows that are none or overlap.
    """

    def fit(self) -> EventStudyResults:
        """Estimate the model for every event and return abnormal returns and what follows from
        them.

        Raises
        ------
        ConfigError
            If the model needs a series that there is not.
        """
        return EventStudyResults.of(self.fitted())

    def regression(self, event_id: str) -> RegressionResults:
        """Return the statsmodels regression of one event; see
        :meth:`EventStudyResults.regression`."""
        return self.fit().regression(event_id)

    def __repr__(self) -> str:
        model = self.model if isinstance(self.model, str) else self.model.name
        return f"<event study of {len(self.events)} events, model {model}, not fitted yet>"

    def _repr_html_(self) -> str:
        said = f"{repr(self)[1:-1]}: fit() estimates it"
        return f"<p>{escape(said)}</p>{self.returns._repr_html_()}{self.events._repr_html_()}"


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(FittedStudy):
    """Results of :meth:`EventStudy.fit`. Tests are chosen here and never refit the model.

    Its fields and tables are those of :class:`~eventstudy.fitting.fitted.FittedStudy`.
    """

    @classmethod
    def of(cls, study: FittedStudy) -> EventStudyResults:
        """Return the results of a fitted study."""
        return cls(**{f.name: getattr(study, f.name) for f in fields(study) if f.init})

    def main_test(self, window: WindowLike | None = None) -> str:
        """Return the name of the test that decides over `window`, by default the main one."""
        return main_test_of(self, window)

    def answer(self, window: WindowLike | None = None) -> Answer:
        """Return verdict, main test, estimate and interval over `window`; see
        ``analysis.answer.decide``."""
        return answer_of(self, window)

    @property
    def default_tests(self) -> list[str]:
        """Names of the tests that summaries show unless others are named, the main test first."""
        return default_tests(self)

    def multiple(self, kind: str, **options: Any) -> pd.DataFrame:
        """Return a family of hypotheses with adjusted p-values; see
        ``analysis.multiple_testing.family``."""
        from .analysis.multiple_testing import family

        return family(self, kind, **options)

    def difference(
        self, column: str, one: str | None = None, other: str | None = None, **options: Any
    ) -> Difference:
        """Return the difference of two groups and its test; see ``analysis.groups.difference``."""
        from .analysis.groups import difference

        return difference(self, column, one, other, **options)

    def weighted(
        self, window: WindowLike, weights: str = "equal", column: str = "mcap"
    ) -> WeightedMean:
        """Return the weighted mean CAR; see ``analysis.weights.weighted_caar``."""
        from .analysis.weights import weighted_caar

        return weighted_caar(self, window, weights, column)

    def with_market_values(self, source: str | Path, **options: Any) -> EventStudyResults:
        """Return the results with market values of Yahoo or a file; see
        ``analysis.market_values``."""
        from .analysis.market_values import with_market_values

        return EventStudyResults.of(with_market_values(self, source, **options))

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> DollarLoss:
        """Return the abnormal change of market value; see ``analysis.weights.dollar_loss``."""
        from .analysis.weights import dollar_loss

        return dollar_loss(self, window, column)

    def regress(
        self, columns: str | Iterable[str], window: WindowLike = (0, 1), **options: Any
    ) -> CarRegression:
        """Regress CARs on columns of the events; see ``analysis.cross_section.regress_car``."""
        from .analysis.cross_section import regress_car

        return regress_car(self, columns, window, **options)

    def abhar(
        self, window: WindowLike, against: Against = "market", **conventions: Any
    ) -> pd.DataFrame:
        """Return tests of the mean buy-and-hold return; see ``analysis.long_horizon.abhar``."""
        from .analysis.long_horizon import abhar

        return abhar(self, window, against, **conventions)

    def calendar_portfolio(self, window: WindowLike, **options: Any) -> pd.DataFrame:
        """Return the alpha of a calendar-time portfolio; see ``analysis.calendar_portfolio``."""
        from .analysis.calendar_portfolio import calendar_portfolio

        return calendar_portfolio(self, window, **options)

    def diagnose(self, window: WindowLike | None = None) -> Diagnosis:
        """Return what kind of study this is, and how far to trust each test; see
        ``analysis.diagnosis``."""
        from .analysis.diagnosis import diagnose

        return diagnose(self, window)

    def diagnostics(self) -> pd.DataFrame:
        """Return diagnostics of each estimation; see ``analysis.regressions.diagnostics``."""
        from .analysis.regressions import diagnostics

        return diagnostics(self)

    def regression(self, event_id: str) -> RegressionResults:
        """Return the estimation regression of one event; see
        ``analysis.regressions.regression``."""
        from .analysis.regressions import regression

        return regression(self, event_id)

    def placebo_dates(self, window: WindowLike, **options: Any) -> Placebo:
        """Return the rank of the study among itself on other dates; see ``analysis.placebo``."""
        from .analysis.placebo import placebo_dates

        return placebo_dates(self, window, **options)

    def placebo_firms(self, window: WindowLike, **options: Any) -> Placebo:
        """Return the rank of the study among other firms of the day; see ``analysis.placebo``."""
        from .analysis.placebo import placebo_firms

        return placebo_firms(self, window, **options)

    def summary(
        self, windows: WindowsLike | None = None, names: Iterable[str] | None = None
    ) -> Summary:
        """Return effect, CAAR and p-values by window, the main test first; prints as text, and as a
        table."""
        from .analysis.summary import summary

        return summary(self, windows, names)

    def __str__(self) -> str:
        return f"{self!r}\n{self.summary()}"

    def _repr_html_(self) -> str:
        head = (
            f"{len(self)} of {len(self.events)} events, {self.model.label}, {self.abnormal.event}"
        )
        return f"<p><b>Event study</b>: {escape(head)}</p>{self.summary()._repr_html_()}"

    def plot_caar(
        self, window: WindowLike | None = None, by: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the CAAR path with its pointwise 95% band, by group if asked for; return the
        Axes."""
        from .report.figures.caar_plots import plot_caar

        return plot_caar(self, _window(window), by, ax)

    def plot_car_forest(self, window: WindowLike = (0, 1), ax: Axes | None = None) -> Axes:
        """Draw the CAR of each event with its 95% interval; return the Axes."""
        from .report.figures.caar_plots import plot_car_forest

        return plot_car_forest(self, Window.of(window), ax=ax)

    def plot_event(
        self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw AR and CAR of one event; return the Axes."""
        from .report.figures.event_plots import plot_event

        return plot_event(self, event_id, _window(window), ax)

    def plot_price(
        self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the price of one event against what the model expected; return the Axes."""
        from .report.figures.event_plots import plot_price

        return plot_price(self, event_id, _window(window), ax)

    def plot_estimation(
        self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the estimation days of one event with the line of the model; return the Axes."""
        from .report.figures.event_plots import plot_estimation

        return plot_estimation(self, event_id, _window(window), ax)

    def plot_ar_heatmap(self, window: WindowLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw the abnormal returns of all events and days as colours; return the Axes."""
        from .report.figures.event_plots import plot_ar_heatmap

        return plot_ar_heatmap(self, _window(window), ax)

    def save(
        self, out: str | Path = "reports", name: str = "study", *, config: StudyConfig | None = None
    ) -> Path:
        """Write the run folder ``out/name`` (report, tables, figures, prices, manifest); return its
        path."""
        from .runs import write_run

        return write_run(
            self, Path(out), name, config=config or StudyConfig(event=self.abnormal.event)
        )

    def to_json(self, *, config: StudyConfig | None = None) -> str:
        """Return the text of ``results.json``; its form is in
        ``eventstudy/data/results.schema.json``."""
        from .report.content.finished_run import finished
        from .report.formats import as_json

        return as_json(finished(self, config=config).document)

    def to_markdown(self, *, config: StudyConfig | None = None) -> str:
        """Return the report as Markdown."""
        from .report.content.finished_run import finished
        from .report.formats import markdown

        return markdown(finished(self, config=config))

    def to_latex(self, table: str = "caar", *, config: StudyConfig | None = None) -> str:
        """Return a LaTeX table: "caar" (windows by tests), "events", or "regression"."""
        from .report.content.finished_run import finished
        from .report.formats import latex_table

        return latex_table(finished(self, config=config), table)

    def to_excel(self, path: str | Path, *, config: StudyConfig | None = None) -> Path:
        """Write a workbook with one sheet a table (extra ``excel``); return its path."""
        from .report.content.finished_run import finished
        from .report.formats import export_file

        return export_file(finished(self, config=config), "xlsx", Path(path))

    def to_parquet(self, path: str | Path, *, config: StudyConfig | None = None) -> Path:
        """Write the long table of abnormal returns (extra ``parquet``); return its path."""
        from .report.content.finished_run import finished
        from .report.formats import export_file

        return export_file(finished(self, config=config), "parquet", Path(path))


def run_study(
    events: Events | pd.DataFrame | str | Path,
    config: StudyConfig | None = None,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> EventStudyResults:
    """Get the returns that `config` names and fit the study: what ``eventstudy run`` does before it
    writes.

    Parameters
    ----------
    events : Events, DataFrame or path
        A frame or a file is read as by :func:`events_from_frame` and :func:`read_events`.
    config : StudyConfig, optional
    offline : bool
        Never use the network.
    store, vintage : str
        As for :func:`load_returns`.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    """
    from .runs.compute import compute_study

    study = compute_study(
        events, config, offline=offline, store=store, vintage=vintage, progress=progress
    )
    return EventStudyResults.of(study)


def _window(window: WindowLike | None) -> Window | None:
    return None if window is None else Window.of(window)
