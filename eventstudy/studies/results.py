"""Results of a study: all tests, tables and figures, as methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
import pandas as pd

from .. import analysis, report
from ..calendars import Window
from ..events import Events
from ..findings import Findings, FinishedRun, find_group
from ..fitting import CONFOUNDER, FittedStudy, WindowLike, WindowsLike, with_market_values
from ..settings import StudyConfig
from ..utility import IntArray, did_you_mean
from ..words import has, say
from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from statsmodels.regression.linear_model import RegressionResults

# Notes under a summary.
NAMED = 3
# Members that other parts of the package share, which no reader needs: neither the completion of a
# notebook nor the reference shows them.
INNER = (
    "LISTED", "MOST_GROUPS", "group_column", "ids_of", "instead_of", "is_large", "layout", "listed",
    "listed_rows", "memo", "of", "other_clock", "records", "refit", "remember", "row_of",
)  # fmt: skip
# Columns of the events that are ours.
NOT_OWN = (*Events.COLUMNS, CONFOUNDER)


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(FittedStudy):
    """Results of :meth:`EventStudy.fit`. Tests are chosen here and never refit the model.

    A group or a subset of the events has all methods as well.

    Attributes
    ----------
    events : DataFrame
        The events with day0, benchmark (the index used), status ("ok" or "dropped"), reason, flags
        and nobs.
    abnormal : AbnormalReturns
        Abnormal returns with their variances, one row per event; those of dropped events are NaN.
    panel : ReturnsPanel
        The returns that were used.
    model : LinearModel
    engine : {"statsmodels", "batch"}
    config : StudyConfig, optional
        The settings that the study was asked for with; `settings` has them in any case.
    sizes : MarketValues, optional
        Market values before each day of the event windows.

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

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say which method has what a name that is not here asks for."""
            if name.startswith("_"):
                raise AttributeError(name)
            hint = say(f"names.{name}") if has(f"names.{name}") else ""
            public = (known for known in dir(type(self)) if not known.startswith("_"))
            hint = hint or did_you_mean(name, public)
            raise AttributeError(f"results have no {name!r}" + f": {hint}" * bool(hint))

    def __dir__(self) -> list[str]:
        """Return the names that a reader needs."""
        return [name for name in super().__dir__() if name not in INNER]

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

        Examples
        --------
        >>> results.of_group("relief").answer(group="").n_events
        16
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

        Examples
        --------
        >>> answer = results.answer()
        >>> answer.verdict, round(answer.effect.estimate, 4), round(answer.pvalue, 3)
        ('different', -0.0068, 0.026)
        """
        chosen = self.main if window is None else Window.of(window)
        name, study = find_group(self, group)
        answer = analysis.Answer.of(study, chosen)
        numbers = {f.name: getattr(answer, f.name) for f in fields(answer)}
        write = partial(self._say, chosen, name)
        return figures.DrawnAnswer(**numbers, group=name, write=write)

    def _say(self, window: Window, group: str) -> str:
        """Return the answer of a group over a window in words."""
        findings = self.findings()
        if window != self.main:
            findings = self.findings(config=replace(self.settings, windows=(window,)))
        if group == findings.sample.group:
            return str(report.Terminal(findings).text())
        sample = next(sample for sample in findings.samples if sample.group == group)
        return report.Terminal(findings).answer(sample)

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

        Examples
        --------
        >>> round(results.power().smallest_effect, 4)
        0.0084
        """
        chosen = self.main if window is None else Window.of(window)
        answer = analysis.Answer.of(self.of_group(group), chosen)
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

        Examples
        --------
        >>> len(results.influence().frame())
        78
        """
        chosen = self.main if window is None else Window.of(window)
        study = self.of_group(group)
        answer = analysis.Answer.of(study, chosen)
        influence = analysis.Influence.of(study, chosen, answer.effect, answer.pvalue)
        return figures.DrawnInfluence(**vars(influence))

    def plot_path(
        self, ax: Axes | None = None, *, group: str | None = None, **look: Unpack[report.Look]
    ) -> Axes:
        """Draw the shares against what the market implied, the figure of the answer.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; by default the axes of a new figure.
        group : str, optional
            As for :meth:`of_group`: by default the group that the report begins with.
        **look : str or color
            `title`, `color` and `label` of the shares.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If there is no such group, or no event of it has the days of the main window.

        Examples
        --------
        >>> results.plot_path().get_title()
        'Shares against what the market implied, 54 events'
        """
        return report.plot_path(self, ax, group=group, **look)

    def plot_caar(
        self, window: WindowLike | None = None, by: str | None = None, ax: Axes | None = None,
        **look: Unpack[report.Look],
    ) -> Axes:  # fmt: skip
        """Draw the CAAR since the day before the main window, with its pointwise 95% band.

        Before that day it is minus the CAAR of the days up to there.

        Parameters
        ----------
        window : window, optional
            Shaded; by default the main window.
        by : str, optional
            Column of the events: one path for each of the first three groups, with a legend.
        ax : Axes, optional
            Drawn into; by default the axes of a new figure.
        **look : str or color
            `title`, `color` and `label` of the path.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the events have no column `by`.

        Examples
        --------
        >>> axes = results.plot_caar((0, 1), by="direction", title="Announcements")
        >>> axes.get_xlabel()
        'Trading days from the announcement'
        """
        return report.plot_caar(self, window, by, ax, **look)

    def plot_car_forest(
        self, window: WindowLike | None = None, ax: Axes | None = None, **look: Unpack[report.Look]
    ) -> Axes:
        """Draw the CAR over `window` of each event with its 95% interval, and the effect.

        What has p below 0.05 is filled, the effect (a diamond) by the main test. Of more than 60
        events the ends of the order are drawn.

        Parameters
        ----------
        window : window, optional
            By default the main window.
        ax : Axes, optional
            Drawn into; by default the axes of a new figure.
        **look : str or color
            `title`, `color` and `label` of the events.

        Returns
        -------
        Axes

        Examples
        --------
        >>> axes = results.of_group("relief").plot_car_forest(title="Relief")
        >>> axes.get_title()
        'Relief'
        """
        return report.plot_car_forest(self, window, ax, **look)

    def plot_event(
        self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None,
        **look: Unpack[report.Look],
    ) -> Axes:  # fmt: skip
        """Draw AR as bars, and the CAR since the day before the main window with its 95% range.

        The range is that of the CAR without an event. Before that day the CAR is minus that of the
        days up to there.

        Parameters
        ----------
        event_id : str
        window : window, optional
            Shaded; by default the main window.
        ax : Axes, optional
            Drawn into; by default the axes of a new figure.
        **look : str or color
            `title`, `color` and `label` of the CAR.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            For an unknown or dropped event.

        Examples
        --------
        >>> axes = results.plot_event(results.car()["event_id"].iloc[0])
        >>> len(axes.get_lines()) > 0
        True
        """
        return report.plot_event(self, event_id, window, ax, **look)

    def main_test(self, window: WindowLike | None = None) -> str:
        """Return the name of the test that decides over `window`.

        Parameters
        ----------
        window : window, optional
            By default the main one.

        Returns
        -------
        str

        Examples
        --------
        >>> results.main_test()
        'bmp_kp'
        """
        return analysis.main_test_of(self, window)

    def multiple(
        self, kind: str, *, window: WindowLike | None = None,
        windows: Iterable[WindowLike] | None = None, test: str | None = None,
        by: str | None = None, methods: Iterable[str] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Test a family of hypotheses and adjust its p-values for their number.

        Declare the family before looking at the study. Formulas and sources:
        :func:`eventstudy.analysis.cross_section.multiple_testing.family`.

        Parameters
        ----------
        kind : {"events", "days", "windows", "groups"}
            The t of each event alone over `window`; `test` on each day of the event window, over
            each of `windows`, or over `window` in each group of the column `by`.
        window : window, optional
            By default the main one.
        windows : iterable of windows, optional
            By default the standard windows that fit into the event window.
        test : str, optional
            By default the main test. For events this is ``event_t_regime``, which allows for
            violent times and gives the p of their pages; ``event_t`` gives the p of the textbook.
        by : str, optional
            By default the column that splits the report: group, else direction.
        methods : iterable of {"holm", "bh", "by", "romano_wolf"}, optional
            By default all that apply.

        Returns
        -------
        DataFrame
            label, n_events, estimate (decimal), statistic, pvalue, one column per method, reason.
            Hypotheses without a p-value stay NaN and are not counted.

        Raises
        ------
        ConfigError
            For an unknown kind, method, test or column, and for Romano-Wolf of single events.

        Examples
        --------
        >>> family = results.multiple("windows", windows=[(0, 0), (0, 1)], methods=["holm"])
        >>> family[["label", "pvalue", "holm"]].round(3)
           label  pvalue  holm
        0  [0,0]   0.050   0.1
        1  [0,1]   0.056   0.1
        """
        return analysis.family(
            self, kind, window=window, windows=windows, test=test, by=by, methods=methods
        )

    def difference(
        self, column: str, one: str | None = None, other: str | None = None, *,
        window: WindowLike | None = None, method: str | None = None,
    ) -> analysis.Difference:  # fmt: skip
        """Test whether the mean CAR over `window` differs between two groups of events.

        Sources: :func:`eventstudy.analysis.cross_section.groups.difference`.

        Parameters
        ----------
        column : str
            Column of the events that holds the groups.
        one, other : str, optional
            Needed if there are more than two groups.
        window : window, optional
            By default the main one.
        method : {"date_clustered", "welch"}, optional
            By default date_clustered, and welch with a reason where that is not defined.

        Returns
        -------
        Difference

        Raises
        ------
        ConfigError
            For an unknown column, group or method.

        Examples
        --------
        >>> adverse_less_relief = results.difference("direction")
        >>> round(adverse_less_relief.difference, 4), round(adverse_less_relief.pvalue, 2)
        (-0.0085, 0.26)
        """
        return analysis.difference(self, column, one, other, window=window, method=method)

    def weighted(
        self, window: WindowLike, weights: str = "equal", column: str = "mcap"
    ) -> analysis.WeightedMean:
        """Return the weighted mean CAR over `window`; the weights sum to one.

        Its variance: :func:`eventstudy.analysis.over_time.weights.weighted_caar`.

        Parameters
        ----------
        window : window
        weights : {"equal", "value", "precision"}
            Alike, by market value, or by 1/Var(CAR).
        column : str
            Column of the events with the market value *before* the window; later values depend on
            the CAR. For ``mcap`` the market values of the study go first, if it has any.

        Returns
        -------
        WeightedMean
            Of the events that have a weight.

        Raises
        ------
        ConfigError
            For unknown weights or column.

        Examples
        --------
        >>> print(results.weighted((0, 1), "precision"))
        precision-weighted CAAR[0,1] of 70: -0.52% (95% -1.01% to -0.02%), z = -2.091, p = 0.0402
        """
        return analysis.weighted_caar(self, window, weights, column)

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> analysis.DollarLoss:
        """Return the abnormal change of market value of each event and of all.

        Parameters
        ----------
        window : window
        column : str
            Column of market values, all in one currency; see :meth:`weighted`.

        Returns
        -------
        DollarLoss
            ADL_i = CAR_i times market value.

        Raises
        ------
        ConfigError
            For an unknown column, and if the study is not one of returns.

        Examples
        --------
        >>> worth = results.events.assign(mcap=2e9)
        >>> loss = dataclasses.replace(results, events=worth).dollar_loss((0, 1))
        >>> loss.events[["ticker", "car", "adl"]].head(1).round(3)
          ticker    car         adl
        0    XOM -0.004 -8167604.52
        """
        return analysis.dollar_loss(self, window, column)

    def abhar(
        self, window: WindowLike, against: Literal["market", "model"] = "market", **changes: Any
    ) -> pd.DataFrame:
        """Test whether the mean buy-and-hold abnormal return over `window` is zero.

        Formulas and sources: :func:`eventstudy.analysis.over_time.long_horizon.abhar`.

        Parameters
        ----------
        window : window
        against : {"market", "model"}
            The event's benchmark, or the model's expected returns.
        **changes
            Conventions for this call: ``draws``, ``seed``.

        Returns
        -------
        DataFrame
            One row per test (t, Hall, Johnson, Johnson resampled): test, n_events, estimate (the
            mean BHAR, decimal), statistic, distribution, pvalue (two-sided), critical_low,
            critical_high (5 %, two-sided), note. NaN where a test does not apply, with its reason,
            and for all tests while days of the window are yet to come.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, for an unknown benchmark or convention,
            and if the study is not one of returns.

        Examples
        --------
        >>> results.abhar((0, 5))[["test", "estimate", "pvalue"]].head(2).round(3)
           test  estimate  pvalue
        0     t    -0.005   0.345
        1  hall    -0.005   0.340
        """
        return analysis.abhar(self, window, against, **changes)

    def calendar_portfolio(
        self, window: WindowLike, *, weights: Literal["equal", "value"] = "equal",
        lags: int | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Test whether the portfolio of the firms in their event window has an abnormal return.

        The regression and its sources:
        :func:`eventstudy.analysis.over_time.calendar_portfolio.calendar_portfolio`.

        Parameters
        ----------
        window : window
            A firm is in the portfolio on the sessions of its window.
        weights : {"equal", "value"}
            Value weights are market values before the window, as for :meth:`weighted`.
        lags : int, optional
            Of Newey and West; by default max(L-1, 1).

        Returns
        -------
        DataFrame
            One row per method: method, alpha (decimal per session), se, t, df, pvalue (two-sided),
            beta, one ``beta_<name>`` per further factor, sessions, mean_firms, note. NaN below 10
            sessions, with the reason in `note`.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, for unknown weights, for value weights
            without market values, and if the study is not one of returns.

        Examples
        --------
        >>> results.calendar_portfolio((0, 5))[["method", "alpha", "t"]].round(4).head(2)
          method   alpha       t
        0    ols -0.0002 -0.2221
        1    hc1 -0.0002 -0.2210
        """
        return analysis.calendar_portfolio(self, window, weights=weights, lags=lags)

    def diagnose(self, window: WindowLike | None = None) -> analysis.Diagnosis:
        """Return the kind of a study, and how far to trust each test over `window`.

        Parameters
        ----------
        window : window, optional
            By default [0,1] if the event window holds it, else the first standard window.

        Returns
        -------
        Diagnosis

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window.

        Examples
        --------
        >>> trust = results.diagnose().table.set_index("test")["trust"]
        >>> trust["bmp_kp"], trust["patell"], trust["patell_u"]
        ('valid', 'valid with care', 'not valid')
        """
        return analysis.diagnose(self, window)

    def diagnostics(self, *, lags: int = 5) -> pd.DataFrame:
        """Return diagnostics of the estimation of each usable event.

        What each is, and its source:
        :func:`eventstudy.analysis.cross_section.regressions.diagnostics`.

        Parameters
        ----------
        lags : int
            Lags of the tests for autocorrelation.

        Returns
        -------
        DataFrame
            event_id, ticker, nobs (M), missing, r2, r2_adjusted, durbin_watson, autocorrelation,
            ljung_box_p, arch_p, jarque_bera_p, skewness, kurtosis, breusch_pagan_p, chow_f,
            chow_p, cusum_p, condition. NaN where days or regressors do not suffice.

        Examples
        --------
        >>> results.diagnostics()[["ticker", "nobs", "r2"]].head(2).round(2)
          ticker  nobs    r2
        0    XOM   220  0.30
        1    XOM   199  0.22
        """
        return analysis.diagnostics(self, lags=lags)

    def regression(self, event_id: str) -> RegressionResults:
        """Return the regression of one event, on exactly the days that the study used.

        Parameters
        ----------
        event_id : str

        Returns
        -------
        statsmodels RegressionResults
            Its data carry the dates and the names of the parameters; ``.summary()`` prints it. For
            models that are not least squares it is the least squares on the same design instead.

        Raises
        ------
        ConfigError
            For an unknown or dropped event, and for a model that estimates no regression.

        Examples
        --------
        >>> first = results.car()["event_id"].iloc[0]
        >>> results.regression(first).params.round(2)["beta"].item()
        0.85
        """
        return analysis.regression(self, event_id)

    def placebo_firms(
        self, window: WindowLike, *, peers: str = "peers", test: str | None = None,
        draws: int | None = None,
    ) -> analysis.Placebo:  # fmt: skip
        """Compare the study with the same announcements made about other firms, on the same days.

        What is drawn, and why: :func:`eventstudy.analysis.placebos.placebo.placebo_firms`.

        Parameters
        ----------
        window : window
        peers : str
            Column of the events with peers of each firm, ``A;B;C``; their prices must be in the
            panel.
        test : str
            Statistic that is compared, by default BMP, of one event its t.
        draws : int, optional
            By default ``conventions.draws``; seeded by ``conventions.seed``.

        Returns
        -------
        Placebo

        Raises
        ------
        ConfigError
            If there is no such column.

        Examples
        --------
        >>> news = pd.DataFrame({"ticker": ["NVDA"], "announced_at": ["2022-10-07"],
        ...                      "peers": ["AMD;AAPL;AMZN;XOM;CVX"]})
        >>> placebo = es.study(news, "sample", benchmark="^GSPC").placebo_firms((0, 1))
        >>> placebo.n_events
        1
        """
        return analysis.placebo_firms(self, window, peers=peers, test=test, draws=draws)

    def summary(
        self, windows: WindowsLike | None = None, names: Iterable[str] | None = None
    ) -> analysis.Summary:
        """Return answers and tests of a study by window in short.

        Parameters
        ----------
        windows : windows, optional
            By default the standard ones that fit into the event window.
        names : iterable of str, optional
            Tests to show; by default the main test and the usual ones.

        Returns
        -------
        Summary

        Examples
        --------
        >>> int(results.summary((0, 1), ["bmp_kp", "sign"]).frame.loc["[0,1]", "N"])
        70
        """
        return analysis.summary(self, windows, names)

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
            An event has the last value of its firm before its window, if that is at most 370 days
            old.

        Examples
        --------
        >>> values = {"ticker": ["XOM"], "date": ["2017-04-20"], "mcap": [3.4e11]}
        >>> pd.DataFrame(values).to_csv("values.csv", index=False)
        >>> valued = results.with_market_values("values.csv")
        >>> int(np.isfinite(valued.sizes.before(0)).sum())
        3
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

        Examples
        --------
        >>> results.regress("direction").table[["term", "estimate", "pvalue"]].round(4)
                          term  estimate  pvalue
        0                const   -0.0077  0.0421
        1  direction[T.relief]    0.0085  0.2547
        """
        fit = analysis.regress_car(self, columns, window, **options)
        return figures.DrawnRegression(**vars(fit))

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

        Examples
        --------
        >>> results.explain("C(direction)").table[["term", "estimate", "pvalue"]].round(4)
                             term  estimate  pvalue
        0                   const   -0.0077  0.0421
        1  C(direction)[T.relief]    0.0085  0.2547
        """
        chosen = self.main if window is None else window
        if isinstance(formulas, str):
            fit = analysis.explain(self, formulas, chosen, **options)
            return figures.DrawnRegression(**vars(fit))
        named = formulas if isinstance(formulas, Mapping) else {text: text for text in formulas}
        fits = {
            head: analysis.explain(self, text, chosen, **options) for head, text in named.items()
        }
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

        Examples
        --------
        >>> numbers = results.calibrate(draws=99)
        >>> 0 < numbers.pvalue < 0.2, len(numbers.placebos)
        (True, 99)
        """
        numbers = analysis.calibrate(self.of_group(group), window, **options)
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

        Examples
        --------
        >>> folder = results.save("reports", "announcements")
        >>> (folder / "report.html").exists()
        True
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

        Examples
        --------
        >>> findings = results.findings()
        >>> str(findings.setup.main), findings.sample.group
        ('[0,1]', 'adverse')
        """
        if config is None and name == "study":
            return self.remember("findings", lambda: FinishedRun.of(self).findings)
        return FinishedRun.of(self, config, name=name).findings

    def to_json(self, *, config: StudyConfig | None = None) -> str:
        """Return the text of ``results.json``; ``eventstudy schema results`` prints its form.

        Examples
        --------
        >>> json.loads(results.to_json())["schema"]
        'eventstudy-results/2'
        """
        return FinishedRun(self.findings(config=config)).text

    def to_markdown(self, *, config: StudyConfig | None = None) -> str:
        """Return the report as Markdown.

        Examples
        --------
        >>> results.to_markdown().splitlines()[0]
        '# 54 adverse announcements, 22 companies, 2017–2022'
        """
        return str(self._export(config).files("md")["report.md"])

    def to_latex(self, table: str = "caar", *, config: StudyConfig | None = None) -> str:
        """Return a LaTeX table.

        Parameters
        ----------
        table : {"caar", "robustness", "events", "regression"}
            ``caar`` is of windows by tests, ``robustness`` of the answer with other choices and of
            p adjusted for the number of windows. All fit a default article.
        config : StudyConfig, optional

        Returns
        -------
        str

        Examples
        --------
        >>> "booktabs" in results.to_latex("caar")
        True
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

        Examples
        --------
        >>> results.to_excel("study.xlsx").name
        'study.xlsx'
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

        Examples
        --------
        >>> results.to_parquet("returns.parquet").name
        'returns.parquet'
        """
        return self._exported("parquet", path, config)

    def _exported(self, kind: str, path: str | Path, config: StudyConfig | None) -> Path:
        return report.Export(FinishedRun.of(self, config)).write_file(kind, Path(path))

    def _export(self, config: StudyConfig | None) -> report.Export:
        return report.Export(FinishedRun(self.findings(config=config)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was read otherwise than it is written, and what was put aside.

        Examples
        --------
        >>> results.notes
        ()
        """
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

        Examples
        --------
        >>> results.car((0, 1))[["car", "se", "pvalue"]].head(2).round(3)
             car     se  pvalue
        0 -0.004  0.012   0.727
        1 -0.007  0.012   0.582
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

        Examples
        --------
        >>> results.wide([(0, 1), (-1, 1)])[["ticker", "[0,1]", "[-1,1]"]].head(3).round(3)
          ticker  [0,1]  [-1,1]
        0    XOM -0.004  -0.003
        1    XOM -0.007  -0.007
        2    XOM -0.018  -0.028
        """
        rows = self._used
        cars = {str(w): self.abnormal.car(w)[rows] for w in self.windows_of(windows)}
        return self._with_own_columns(pd.DataFrame({**self.ids_of(rows), **cars}), rows)

    def tidy(self) -> pd.DataFrame:
        """Return one row for each used event and day: its abnormal return and your own columns.

        Examples
        --------
        >>> len(results.tidy()) == 70 * 21
        True
        """
        rows = np.repeat(self._used, len(self.abnormal.event))
        return self._with_own_columns(self.abnormal_returns(), rows)

    def models(self) -> pd.DataFrame:
        """Return event_id, ticker, nobs, parameters, sigma, r2 and standard errors of each event.

        The error of ``beta`` is ``se_beta``; it is of the kind that ``cov`` names.

        Examples
        --------
        >>> results.models()[["ticker", "nobs", "beta", "se_beta"]].head(2).round(2)
          ticker  nobs  beta  se_beta
        0    XOM   220  0.85     0.09
        1    XOM   199  0.87     0.12
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
        statement = report.Statement.of(self.findings())
        return f"{statement.headline} {statement.caveat}".strip()

    def __str__(self) -> str:
        return "\n".join([str(self.answer()), *self._first_notes()])

    def _first_notes(self) -> list[str]:
        """Return the notes that stand under an answer."""
        notes = self.notes[:NAMED]
        more = len(self.notes) - NAMED
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
    texts = cells.astype(str).str.strip()
    filled = texts[texts != ""]
    is_code = filled.str.match(r"[+-]?0\d").any()
    if filled.empty or is_code or pd.to_numeric(filled, errors="coerce").isna().any():
        return cells
    return pd.to_numeric(texts.where(texts != ""))
