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
    """Results of a fitted study.

    The methods run tests on the results. No method fits the model again.

    The results of a group or of a subset of the events have the same methods.

    Attributes
    ----------
    events : DataFrame
        The table of events. The table has the columns day0, benchmark (the index used), status
        ("ok" or "dropped"), reason, flags and nobs.
    abnormal : AbnormalReturns
        Abnormal returns and their variances, with one row per event. All values of a dropped event
        are NaN.
    panel : ReturnsPanel
        The returns from which the study was computed.
    model : LinearModel
    engine : {"statsmodels", "batch"}
    config : StudyConfig, optional
        The settings of the study. The attribute `settings` holds the settings even if `config` is
        None.
    sizes : MarketValues, optional
        Market values of the firms before each day of the event windows.

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
            A value of the column that splits the study; "" for all events together. The setting
            ``by`` names this column. The default column is ``group`` or ``direction``, if the
            column has several values. The default group is the one that the report begins with.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        ConfigError
            If no event belongs to this group.

        Examples
        --------
        >>> results.of_group("relief").answer(group="").n_events
        16
        """
        return find_group(self, group)[1]

    def answer(
        self, window: WindowLike | None = None, *, group: str | None = None
    ) -> figures.DrawnAnswer:
        """Return the verdict, the main test, the effect and its interval, as in the report.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default the main window.
        group : str, optional
            Name of a group of the events (see :meth:`of_group`). By default the group that the
            report begins with.

        Returns
        -------
        DrawnAnswer
            The answer. When printed, it shows the text of ``eventstudy run`` with its caveat.

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
        """Return how likely the main test is to find an effect, for effects of different sizes.

        The values come from the closed form of the test's power.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default the main window.
        group : str, optional
            Name of a group of the events (see :meth:`of_group`). By default the group that the
            report begins with.

        Returns
        -------
        DrawnPower
            The power, which prints as a sentence. ``frame()`` and ``plot()`` give the power curve.
            :meth:`calibrate` gives the power measured on other dates of the firms.

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
        """Return the answers after leaving out one event, date, cluster of dates or firm at a time.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default the main window.
        group : str, optional
            Name of a group of the events (see :meth:`of_group`). By default the group that the
            report begins with.

        Returns
        -------
        DrawnInfluence
            The answers. The printed text says how single announcements, dates and firms change the
            answer. ``frame()`` has one row per answer.

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
        """Draw the path of the shares and the path that the market implied.

        The report shows the same figure with its answer.

        Parameters
        ----------
        ax : Axes, optional
            Matplotlib axes to draw into. By default the axes of a new figure.
        group : str, optional
            Name of a group of the events (see :meth:`of_group`). By default the group that the
            report begins with.
        **look : str or color
            `title`, `color` and `label` of the path of the shares.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the group does not exist, or none of its events has the days of the main window.

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
        """Draw the mean CAR (CAAR) of each day with its pointwise 95% band.

        The CAAR is cumulated from the day before the main window. On this zero day the path is 0.
        On an earlier day, the path is minus the CAAR from the next day up to the zero day.

        Parameters
        ----------
        window : window, optional
            Window to shade, in event days. By default the main window.
        by : str, optional
            Column that splits the events into groups. The figure has one path for each of the first
            three groups, and a legend.
        ax : Axes, optional
            Matplotlib axes to draw into. By default the axes of a new figure.
        **look : str or color
            `title`, `color` and `label` of the path.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the events do not have the column `by`.

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
        """Draw each event's CAR over `window` with its 95% interval, and the mean effect.

        Markers with p below 0.05 are filled. The mean effect is a diamond, and its p-value comes
        from the main test. If there are more than 60 events, the figure shows only the events with
        the smallest and the largest CARs.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default the main window.
        ax : Axes, optional
            Matplotlib axes to draw into. By default the axes of a new figure.
        **look : str or color
            `title`, `color` and `label` of the markers of the events.

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
        """Draw the abnormal returns of one event as bars, and its CAR as a line.

        The CAR is cumulated from the day before the main window. On this zero day the line is 0. On
        an earlier day, the line is minus the CAR from the next day up to the zero day. The
        shaded 95% range shows the CARs to expect without an event.

        Parameters
        ----------
        event_id : str
        window : window, optional
            Window to shade, in event days. By default the main window.
        ax : Axes, optional
            Matplotlib axes to draw into. By default the axes of a new figure.
        **look : str or color
            `title`, `color` and `label` of the CAR.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the event is unknown or was dropped.

        Examples
        --------
        >>> axes = results.plot_event(results.car()["event_id"].iloc[0])
        >>> len(axes.get_lines()) > 0
        True
        """
        return report.plot_event(self, event_id, window, ax, **look)

    def main_test(self, window: WindowLike | None = None) -> str:
        """Return the name of the main test over `window`, which decides the verdict.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default the main window.

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
        """Test several hypotheses and adjust their p-values for the number of tests.

        Choose the family of hypotheses before you see the results. For formulas and sources see
        :func:`eventstudy.analysis.cross_section.multiple_testing.family`.

        Parameters
        ----------
        kind : {"events", "days", "windows", "groups"}
            Family of hypotheses. "events": the t-test of each single event over `window`. "days":
            `test` on each day of the event window. "windows": `test` over each of `windows`.
            "groups": `test` over `window` in each group of the column `by`.
        window : window, optional
            Window of event days. By default the main window.
        windows : iterable of windows, optional
            Windows of the family "windows". By default the standard windows that fit into the event
            window.
        test : str, optional
            Name of the test. By default the main test. For the family "events" the default is
            ``event_t_regime``. The test ``event_t_regime`` allows for times of high volatility and
            gives the same p-value as the pages of single events. ``event_t`` gives the textbook
            p-value.
        by : str, optional
            Column of the groups. By default the column that splits the report: ``group``, or
            ``direction`` if there is no ``group``.
        methods : iterable of {"holm", "bh", "by", "romano_wolf"}, optional
            Methods of adjustment. By default all methods that apply.

        Returns
        -------
        DataFrame
            One row per hypothesis. The columns are label, n_events, estimate (decimal), statistic,
            pvalue, one column per method, and reason. The adjusted p-values of a hypothesis without
            a p-value are NaN, and the hypothesis is not counted as a test.

        Raises
        ------
        ConfigError
            If the kind, method, test or column is unknown, or if Romano-Wolf is asked for single
            events.

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

        For sources see :func:`eventstudy.analysis.cross_section.groups.difference`.

        Parameters
        ----------
        column : str
            Column of the events that holds the groups.
        one, other : str, optional
            Names of the two groups, needed if the column has more than two groups.
        window : window, optional
            Window of event days. By default the main window.
        method : {"date_clustered", "welch"}, optional
            Test of the difference. By default "date_clustered". If the test "date_clustered" is not
            defined, the method is "welch" and a reason is given.

        Returns
        -------
        Difference

        Raises
        ------
        ConfigError
            If the column, a group or the method is unknown.

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
        """Return the weighted mean CAR over `window`, with weights that sum to one.

        The page of :func:`eventstudy.analysis.over_time.weights.weighted_caar` explains its
        variance.

        Parameters
        ----------
        window : window
        weights : {"equal", "value", "precision"}
            Weights of the events: equal, by market value ("value"), or by 1/Var(CAR) ("precision").
        column : str
            Column of the events with the market value *before* the window. A later market value
            would depend on the CAR. If `column` is ``mcap`` and the study has market values from
            :meth:`with_market_values`, these market values are used instead of the column.

        Returns
        -------
        WeightedMean
            The weighted mean over the events that have a weight.

        Raises
        ------
        ConfigError
            If the weights or the column are unknown.

        Examples
        --------
        >>> print(results.weighted((0, 1), "precision"))
        precision-weighted CAAR[0,1] of 70: -0.52% (95% -1.01% to -0.02%), z = -2.091, p = 0.0402
        """
        return analysis.weighted_caar(self, window, weights, column)

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> analysis.DollarLoss:
        """Return the abnormal change of market value for each event, and the sum over all events.

        Parameters
        ----------
        window : window
        column : str
            Column of the events with market values, all in one currency; see :meth:`weighted`.

        Returns
        -------
        DollarLoss
            For each event i the change ADL_i, which is CAR_i times the market value. The sum of the
            changes of all events is also given.

        Raises
        ------
        ConfigError
            If the column is unknown, or the study does not measure returns.

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

        For formulas and sources see :func:`eventstudy.analysis.over_time.long_horizon.abhar`.

        Parameters
        ----------
        window : window
        against : {"market", "model"}
            What the returns are compared with: the benchmark of the event ("market"), or the
            expected returns of the model ("model").
        **changes
            Conventions for this call only: ``draws`` and ``seed``.

        Returns
        -------
        DataFrame
            One row per test: t, Hall, Johnson, and Johnson resampled. The columns are test,
            n_events, estimate (the mean buy-and-hold abnormal return, BHAR, as a decimal),
            statistic, distribution, pvalue (two-sided), critical_low and critical_high (5 %,
            two-sided), and note. If a test does not apply, its numbers are NaN and `note` gives the
            reason. All tests are NaN while days of the window lie in the future.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, `against` or a convention is unknown, or
            the study does not measure returns.

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
        """Test the abnormal return of a portfolio that holds the firms in their event windows.

        For the regression and its sources see
        :func:`eventstudy.analysis.over_time.calendar_portfolio.calendar_portfolio`.

        Parameters
        ----------
        window : window
            Window of event days. A firm is in the portfolio on the sessions of this window.
        weights : {"equal", "value"}
            Weights of the firms. "value" uses market values before the window, as for
            :meth:`weighted`.
        lags : int, optional
            Number of lags of the Newey-West standard errors. By default max(L-1, 1) for a window of
            L days.

        Returns
        -------
        DataFrame
            One row per method of standard errors. The columns are method, alpha (decimal per
            session), se, t, df, pvalue (two-sided), beta, one ``beta_<name>`` per further factor,
            sessions, mean_firms and note. With fewer than 10 sessions the values are NaN, and
            `note` gives the reason.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, the weights are unknown, market values
            are missing for value weights, or the study does not measure returns.

        Examples
        --------
        >>> results.calendar_portfolio((0, 5))[["method", "alpha", "t"]].round(4).head(2)
          method   alpha       t
        0    ols -0.0002 -0.2221
        1    hc1 -0.0002 -0.2210
        """
        return analysis.calendar_portfolio(self, window, weights=weights, lags=lags)

    def diagnose(self, window: WindowLike | None = None) -> analysis.Diagnosis:
        """Return which tests are valid over `window`, with the features of the data that decide.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default [0,1] if the event window contains it, otherwise the
            first standard window.

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
        """Return numbers that show how well the model fits each used event (diagnostics).

        For the meaning and the source of each diagnostic see
        :func:`eventstudy.analysis.cross_section.regressions.diagnostics`.

        Parameters
        ----------
        lags : int
            Number of lags of the tests for autocorrelation.

        Returns
        -------
        DataFrame
            One row per event. The columns are event_id, ticker, nobs (M), missing, r2, r2_adjusted,
            durbin_watson, autocorrelation, ljung_box_p, arch_p, jarque_bera_p, skewness, kurtosis,
            breusch_pagan_p, chow_f, chow_p, cusum_p and condition. A diagnostic is NaN if there are
            too few days or regressors.

        Examples
        --------
        >>> results.diagnostics()[["ticker", "nobs", "r2"]].head(2).round(2)
          ticker  nobs    r2
        0    XOM   220  0.30
        1    XOM   199  0.22
        """
        return analysis.diagnostics(self, lags=lags)

    def regression(self, event_id: str) -> RegressionResults:
        """Return the estimated regression of one event, over the days that the study used.

        Parameters
        ----------
        event_id : str

        Returns
        -------
        statsmodels RegressionResults
            The regression. The data of the regression carry the dates and the names of the
            parameters, and ``.summary()`` prints the regression. If the model is not fitted by
            least squares, the result is a least-squares regression on the same regressors.

        Raises
        ------
        ConfigError
            If the event is unknown or was dropped, or if the model estimates no regression.

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
        """Compare the study with studies in which other firms have the announcements of its firms.

        Firms are drawn at random, as :func:`eventstudy.analysis.placebos.placebo.placebo_firms`
        explains.

        Parameters
        ----------
        window : window
        peers : str
            Column of the events with the peers of each firm, written ``A;B;C``. The panel must hold
            the returns of the peers.
        test : str
            Test whose statistic is compared. The default is "bmp". If there is only one event, the
            default is the single-event t.
        draws : int, optional
            Number of random assignments of the announcements to other firms. By default
            ``conventions.draws``. ``conventions.seed`` is the seed of the random numbers.

        Returns
        -------
        Placebo

        Raises
        ------
        ConfigError
            If the events do not have the column `peers`.

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
        """Return a short table of the answers and tests of the study for each window.

        Parameters
        ----------
        windows : windows, optional
            Windows of the table. By default the standard windows that fit into the event window.
        names : iterable of str, optional
            Names of the tests to show. By default the main test and the usual tests.

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
        """Return the results with market values from Yahoo Finance or a file.

        Parameters
        ----------
        source : str or Path
            ``yahoo``, or a file with the columns ticker, date, and mcap or shares.
        **options
            Options of the function :func:`eventstudy.fitting.market_values.with_market_values`.

        Returns
        -------
        EventStudyResults
            The results with market values. Each event gets the last market value of its firm before
            the window, if that value is at most 370 days old.

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
        """Regress the CARs of the events on columns of the events file, with a constant.

        Parameters
        ----------
        columns : str or iterable of str
            Columns that explain the CARs. A column of numbers enters unchanged. A column of text
            enters as one dummy for each value except the first.
        window : window, optional
            Window of event days. By default the main window.
        **options
            Options of `regress_car`, such as ``weights="precision"``.

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
        """Regress the CARs of the events on a formula of columns of the events file.

        An example of a formula is ``"size + C(sector) + direction:leverage"``.

        Parameters
        ----------
        formulas : str, iterable of str, or mapping of str to str
            One or more formulas. Several formulas give several regressions. The keys of a mapping
            become the column heads of the table.
        window : window, optional
            Window of event days. By default the main window.
        **options
            Options of the function `explain`, such as ``cluster="date"``.

        Returns
        -------
        DrawnRegression or DrawnRegressions
            One :class:`CarRegression` for one formula. Several formulas give one object with a
            table of all regressions (``frame()``). One regression and several regressions have the
            methods ``plot()``, ``to_latex()`` and ``to_html()``.

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
        """Return how often the tests raise a false alarm on other days of the same firms.

        Parameters
        ----------
        window : window, optional
            Window of event days. By default the main window.
        group : str, optional
            Name of a group of the events (see :meth:`of_group`). By default the group that the
            report begins with.
        **options
            Options of the function :func:`eventstudy.analysis.robustness.calibration.calibrate`.

        Returns
        -------
        Calibration
            The false-alarm rates of the tests. ``plot()`` draws the power curve.

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
        """Write the run folder ``out/name`` with report, tables, figures, prices and manifest.

        If ``out/name`` already holds a run with other settings or events, the old run is not
        replaced. The new run is then called ``name-2``, ``name-3`` and so on.

        Parameters
        ----------
        out : path
            Folder that contains the run folders.
        name : str
            Name of the run.
        config : StudyConfig, optional
            Settings that choose the windows, tests and groups of the report.
        force : bool
            Whether to replace a run of this name even if its settings or events differ.

        Returns
        -------
        Path
            The run folder.

        Raises
        ------
        RunFolderError
            If the folder cannot be written, or is not a run folder.

        Examples
        --------
        >>> folder = results.save("reports", "announcements")
        >>> (folder / "report.html").exists()
        True
        """
        from ..runs import write_run

        return write_run(self, Path(out), name, config=config or self.settings, force=force)

    def findings(self, *, config: StudyConfig | None = None, name: str = "study") -> Findings:
        """Return the document with all results, from which every report format is made.

        Parameters
        ----------
        config : StudyConfig, optional
            Settings that choose the windows, tests and groups. The windows of the default settings
            are the windows of the study.
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
        """Return the results as the text of ``results.json``.

        The command ``eventstudy schema results`` prints the schema of this text.

        Examples
        --------
        >>> json.loads(results.to_json())["schema"]
        'eventstudy-results/2'
        """
        return FinishedRun(self.findings(config=config)).text

    def to_markdown(self, *, config: StudyConfig | None = None) -> str:
        """Return the report of the study as Markdown text.

        Examples
        --------
        >>> results.to_markdown().splitlines()[0]
        '# 54 adverse announcements, 22 companies, 2017–2022'
        """
        return str(self._export(config).files("md")["report.md"])

    def to_latex(self, table: str = "caar", *, config: StudyConfig | None = None) -> str:
        """Return one table of the report as LaTeX text.

        Parameters
        ----------
        table : {"caar", "robustness", "events", "regression"}
            Table to return. The table ``caar`` has the windows and their tests. The table
            ``robustness`` has the answer under other choices, and p-values adjusted for the number
            of windows. The table ``events`` has the events. The table ``regression`` has the
            regression of the CARs. Every table fits the page of a default LaTeX article.
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
        """Write the tables of the study as an Excel workbook, one sheet per table.

        The method needs the extra ``excel``.

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
        """Write the long table of abnormal returns as a Parquet file.

        The method needs the extra ``parquet``.

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
        """Notes on entries that the program interpreted, and on data that it did not use.

        Examples
        --------
        >>> results.notes
        ()
        """
        return tuple(dict.fromkeys(map(str, (*self.panel.notices, *self.panel.notes))))

    def car(self, windows: WindowsLike | None = None) -> pd.DataFrame:
        """Return the CAR of each used event over each window, with the columns of the events file.

        Parameters
        ----------
        windows : window or iterable of window, optional
            Windows of the CARs. By default the windows in the settings of the study. If the
            settings have no windows, the standard windows.

        Returns
        -------
        DataFrame
            One row per window and event. The columns start with event_id, ticker, start, stop, car
            (decimal), se, statistic, pvalue, scar, bhar, n_days, ci_low, ci_high, n_sessions,
            last_session, variance_multiple and pvalue_regime. Your own columns follow. statistic
            and pvalue come from the exact t-test of a single event. n_days counts the days of the
            window that the event has. ci_low and ci_high are the ends of the 95% interval.
            ``variance_multiple`` is the firm's variance around the event, relative to the
            estimation window. ``pvalue_regime`` is the p-value that the report shows; it allows for
            ``variance_multiple``. In a study of more than 5,000 events ``pvalue_regime`` is NaN.
            Columns of numbers in your events file stay numbers. Values are NaN if the event lacks
            days of the window.

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
        """Return one row per used event, with one column of CARs per window.

        Parameters
        ----------
        windows : window or iterable of window, optional
            Windows of the CARs. The default windows are the default windows of :meth:`car`.

        Returns
        -------
        DataFrame
            One row per event. The columns are event_id, ticker, one column of CARs (decimal) per
            window such as ``[0,1]``, and your own columns.

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
        """Return one row per used event and day, with the abnormal return and your own columns.

        Examples
        --------
        >>> len(results.tidy()) == 70 * 21
        True
        """
        rows = np.repeat(self._used, len(self.abnormal.event))
        return self._with_own_columns(self.abnormal_returns(), rows)

    def models(self) -> pd.DataFrame:
        """Return the estimated model of each used event, one row per event.

        The columns are event_id, ticker, nobs, the parameters, sigma, r2 and the standard errors.
        The standard error of ``beta`` is the column ``se_beta``. The column ``cov`` names the kind
        of standard errors.

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
