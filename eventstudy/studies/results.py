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
from ..words import find_hint, say
from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from statsmodels.regression.linear_model import RegressionResults

# Notes under a summary.
NAMED = 3
# Members that other parts of the package share, which no reader needs: neither the completion of a
# notebook nor the reference shows them.
INNER = (
    "LISTED", "MOST_GROUPS", "group_column", "ids_of", "instead_of", "is_large", "is_pooled", "layout",
    "listed", "first_window", "listed_rows", "memo", "of", "other_clock", "records", "refit", "remember",
    "row_of",
)  # fmt: skip
# How alike a name must be to be proposed: one that is only similar has something else.
VERY_LIKE = 0.88
# Columns of the events that are ours.
NOT_OWN = (*Events.COLUMNS, CONFOUNDER)


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(FittedStudy):
    """Results of a fitted study.

    The methods :meth:`of_group` and :meth:`subset` return the results for some of the events, as an
    object of the same class. If the events have groups, :meth:`answer`, :meth:`plot_path` and other
    methods with an argument `group` are about one group. All other methods, such as :meth:`tests`,
    :meth:`test`, :attr:`aar` and :meth:`plot_caar`, are about all events together:
    ``results.of_group().tests()`` has the tests of the group that the answer is about.

    Attributes
    ----------
    events : DataFrame
        The table of events, with the columns of the events file. The study adds several columns.
        The column benchmark has the index that the study used, and status is "ok" or "dropped". The
        column reason says why an event was dropped, and nobs is the number of estimation days.
    abnormal : AbnormalReturns
        Abnormal returns and their variances, with one row per event. For a dropped event, all
        values are NaN.
    panel : ReturnsPanel
        The returns of all shares and indices of the study.
    model : LinearModel
    engine : {"statsmodels", "batch"}
    config : StudyConfig, optional
        The settings of the study. None if the study was made with :class:`EventStudy`. See also
        :attr:`settings`.
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
            hint = find_hint(f"names.{name.lower()}")
            public = (known for known in dir(self) if not known.startswith("_"))
            hint = hint or did_you_mean(name.lower(), public, like=VERY_LIKE)
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
            Name of the group; "" for all events together. The names are in the column that the
            report uses for its groups (setting ``by``). Without the argument `group`, the method
            returns the results of the group that the first sentence of the report is about.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        ConfigError
            If there is no group of this name.

        Examples
        --------
        >>> results.of_group("relief").answer(group="").n_events
        16
        """
        return find_group(self, group)[1]

    def answer(
        self, window: WindowLike | None = None, *, group: str | None = None
    ) -> figures.DrawnAnswer:
        """Return the main result of the study: the effect, its interval and the main test.

        The verdict in the answer says whether the effect differs from zero.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.

        Returns
        -------
        DrawnAnswer
            The answer. If you print the answer, you get the text that the command ``eventstudy
            run`` prints.

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
        """Return the power of the main test for effects of different sizes.

        The power is the probability that the test finds an effect of a given size.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.

        Returns
        -------
        DrawnPower
            The power of the test. If you print the object, you see the effect that the test finds
            in 80% of studies. The methods ``frame()`` and ``plot()`` of the object show the power
            for each size of the effect.

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
        """Return how the main result changes without one event, date, firm or cluster of dates.

        Dates whose windows overlap form a cluster.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.

        Returns
        -------
        DrawnInfluence
            The method ``frame()`` of this object returns a table with one row for each event, date,
            firm or cluster that is left out. If you print the object, it shows which single
            announcements, dates or firms change the main result.

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
        """Draw the value of the shares on each event day, and their value without an effect.

        The value without an effect is computed from the normal returns. Both lines are averages
        over the events, with the same weights as in the main result. On the day before the main
        window, both lines are 100.

        Parameters
        ----------
        ax : Axes, optional
            Matplotlib axes to draw into. The default is a new figure.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.
        **look : str or color
            Optional arguments for the line of the shares: `title`, `color` and `label`.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the group does not exist, or if all its events have missing days in the main window.

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
        """Draw the mean CAR (CAAR) as a path over the event days, with a 95% band for each day.

        The base day b is the day before the main window. On this day, the path is 0. On a day t
        after the base day, the path is the CAAR over the window [b+1, t]. On a day t before the
        base day, the path is minus the CAAR over the window [t+1, b].

        Parameters
        ----------
        window : window, optional
            Window that the figure shades, in event days. The default is the main window.
        by : str, optional
            Column that splits the events into groups. The figure then has one path for each of the
            three largest groups, and a legend.
        ax : Axes, optional
            Matplotlib axes to draw into. The default is a new figure.
        **look : str or color
            Optional arguments: `title` of the figure, and `color` and `label` of its main curve.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the events do not have the column that `by` names.

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
        """Draw the CAR of each event with its 95% interval, and the mean effect.

        The marker of an event is filled if its p-value is below 0.05. The mean effect is a diamond,
        and its p-value comes from the main test. If there are more than 60 events, the figure shows
        only the 30 smallest and the 30 largest CARs.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.
        ax : Axes, optional
            Matplotlib axes to draw into. The default is a new figure.
        **look : str or color
            Optional arguments for the markers of the events: `title`, `color` and `label`.

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

        The line is drawn as in :meth:`plot_caar`, with the CAR of the event in place of the CAAR.
        If the news has no effect, the line lies in the shaded range with a probability of 95% on
        each day.

        Parameters
        ----------
        event_id : str
        window : window, optional
            Window that the figure shades, in event days. The default is the main window.
        ax : Axes, optional
            Matplotlib axes to draw into. The default is a new figure.
        **look : str or color
            Optional arguments for the line of the CAR: `title`, `color` and `label`.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If the event does not exist or was dropped.

        Examples
        --------
        >>> axes = results.plot_event(results.car()["event_id"].iloc[0])
        >>> len(axes.get_lines()) > 0
        True
        """
        return report.plot_event(self, event_id, window, ax, **look)

    def main_test(self, window: WindowLike | None = None) -> str:
        """Return the name of the main test over `window`.

        The main test is the significance test that decides the verdict of the answer.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.

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
        """Test several hypotheses and adjust their p-values for the number of hypotheses.

        The adjusted p-values are valid only if you choose the hypotheses before you see the
        results.

        Parameters
        ----------
        kind : {"events", "days", "windows", "groups"}
            With "events", each hypothesis is about the CAR of one event over `window`. With "days",
            it is about the mean abnormal return of one event day. With "windows", it is about the
            mean CAR over one of the `windows`. With "groups", it is about the mean CAR of one group
            over `window`.
        window : window, optional
            Window in event days. The default is the main window.
        windows : iterable of windows, optional
            Windows for the kind "windows". The default is the windows in the settings of the study.
        test : str, optional
            Name of the test. The default is the main test. For the kind "events", the default is
            ``event_t_regime``.
        by : str, optional
            Column that defines the groups. The default is the column that the report uses for its
            groups.
        methods : iterable of {"holm", "bh", "by", "romano_wolf"}, optional
            Methods that adjust the p-values: Holm, Benjamini-Hochberg, Benjamini-Yekutieli and
            Romano-Wolf. The default is all four methods. For the kind "events", the default is the
            first three methods.

        Returns
        -------
        DataFrame
            One row per hypothesis. The column label names the hypothesis, n_events is the number of
            events, and estimate is the effect as a decimal. The columns statistic and pvalue have
            the result of the test. For each method of adjustment, a column of the same name has the
            adjusted p-values. If the test of a hypothesis has no p-value, its adjusted p-values are
            NaN and the column reason says why. The adjustment counts only the hypotheses that have
            a p-value.

        Raises
        ------
        ConfigError
            If the kind, a method, the test or the column does not exist. The error is also raised
            if you choose "romano_wolf" for the kind "events".

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

        Parameters
        ----------
        column : str
            Column of the events that names the group of each event.
        one, other : str, optional
            Names of the two groups. They are needed only if the column has more than two groups.
        window : window, optional
            Window in event days. The default is the main window.
        method : {"date_clustered", "welch"}, optional
            Test of the difference. The test "date_clustered" is a t-test with standard errors
            clustered by event date. The test "welch" is Welch's t-test, which assumes independent
            events. The default is "date_clustered". If "date_clustered" cannot be computed, the
            default is "welch", and the result gives the reason.

        Returns
        -------
        Difference

        Raises
        ------
        ConfigError
            If the column, a group or the method does not exist.

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

        Parameters
        ----------
        window : window
        weights : {"equal", "value", "precision"}
            Weights of the events. With "equal", all weights are equal. With "value", the weights
            are proportional to the market values of the firms. With "precision", the weights are
            proportional to 1 / Var(CAR).
        column : str
            Column of the events with the market value of each firm *before* the window. A later
            market value would already contain the effect of the event. If the method
            :meth:`with_market_values` has added market values to the study, these values replace
            the column ``mcap``.

        Returns
        -------
        WeightedMean
            The weighted mean CAR, with its interval and its test. With the weights "value", the
            mean leaves out events without a market value.

        Raises
        ------
        ConfigError
            If the kind of weights or the column does not exist.

        Examples
        --------
        >>> print(results.weighted((0, 1), "precision"))
        precision-weighted CAAR[0,1] of 70: -0.52% (95% -1.01% to -0.02%), z = -2.091, p = 0.0402
        """
        return analysis.weighted_caar(self, window, weights, column)

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> analysis.DollarLoss:
        """Return the abnormal change of market value for each event, and the sum of these changes.

        Parameters
        ----------
        window : window
        column : str
            Column of the events with the market value of each firm before the window. All values
            must be in one currency.

        Returns
        -------
        DollarLoss
            The changes and their sum. The change of an event (column adl) is its CAR times the
            market value of the firm.

        Raises
        ------
        ConfigError
            If the column does not exist, or if the study does not measure returns.

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

        Parameters
        ----------
        window : window
        against : {"market", "model"}
            What the return of a share is compared with: the return of its benchmark ("market"), or
            the normal return of the model ("model").
        **changes
            Values of ``draws`` and ``seed`` for this call, in place of the values in the
            :class:`Conventions` of the study.

        Returns
        -------
        DataFrame
            One row for each of four tests: the t-test, the skewness-adjusted t-tests of Hall and of
            Johnson, and Johnson's test with critical values from resampling. The column estimate
            has the mean buy-and-hold abnormal return as a decimal, and n_events has the number of
            events. The columns statistic, distribution and pvalue have the result of the two-sided
            test. The columns critical_low and critical_high have the critical values at the 5%
            level. If a test cannot be computed, its numbers are NaN, and the column note gives the
            reason. As long as the window of any event has days in the future, the numbers of the
            tests are NaN, and the column estimate has the mean of the events whose windows are
            over.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, if the value of the argument `against` or
            of a setting is not valid, or if the study does not measure returns.

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
        """Test whether a portfolio of the firms with a recent event earns an abnormal return.

        On each session, the portfolio holds every firm with an event whose window contains this
        session. The return of the portfolio is regressed on the returns of the market and of other
        factors of the model. The constant alpha of the regression is the mean abnormal return per
        session.

        Parameters
        ----------
        window : window
            Window in event days during which the portfolio holds a firm.
        weights : {"equal", "value"}
            Weights of the firms in the portfolio: equal weights ("equal"), or weights proportional
            to the market values before the window ("value").
        lags : int, optional
            Number of lags of the Newey-West standard errors. The default is max(L-1, 1) for a
            window of L days.

        Returns
        -------
        DataFrame
            One row per method of estimation: ``ols``, ``hc1``, ``newey_west`` and ``wls``. The
            column alpha is the abnormal return per session as a decimal. The columns se, t, df and
            pvalue (two-sided) have the standard error and the t-test of alpha. The column beta is
            the slope of the market, and a column ``beta_<name>`` is the slope of another factor.
            The column sessions is the number of sessions with a firm in the portfolio, and
            mean_firms is the average number of firms on these sessions. With fewer than 10 sessions
            the numbers are NaN, and the column note gives the reason.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, if the kind of weights does not exist, or
            if the study does not measure returns. The error is also raised for the weights "value"
            if the study has no market values.

        Examples
        --------
        >>> results.calendar_portfolio((0, 5))[["method", "alpha", "t"]].round(4).head(2)
          method   alpha       t
        0    ols -0.0002 -0.2221
        1    hc1 -0.0002 -0.2210
        """
        return analysis.calendar_portfolio(self, window, weights=weights, lags=lags)

    def diagnose(self, window: WindowLike | None = None) -> analysis.Diagnosis:
        """Return which tests are valid over `window`, and which features of the data decide this.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.

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
        """Return diagnostics of the estimated model for each used event.

        Parameters
        ----------
        lags : int
            Number of lags in the tests for autocorrelation.

        Returns
        -------
        DataFrame
            One row per event. The column nobs is the number of estimation days, and missing is the
            proportion of estimation days without a return. The columns r2 and r2_adjusted show the
            fit.

            Three columns show whether the residuals are autocorrelated: durbin_watson,
            autocorrelation and ljung_box_p. The columns arch_p and breusch_pagan_p show whether the
            variance of the residuals changes. The columns jarque_bera_p, skewness and kurtosis
            compare the residuals with a normal distribution. The columns chow_f, chow_p and cusum_p
            show whether the parameters change during the estimation window. The column condition is
            the condition number of the regressors. A diagnostic is NaN if it needs more estimation
            days or regressors than there are.

        Examples
        --------
        >>> results.diagnostics()[["ticker", "nobs", "r2"]].head(2).round(2)
          ticker  nobs    r2
        0    XOM   220  0.30
        1    XOM   199  0.22
        """
        return analysis.diagnostics(self, lags=lags)

    def regression(self, event_id: str) -> RegressionResults:
        """Return the regression from which the model of one event was estimated.

        Parameters
        ----------
        event_id : str

        Returns
        -------
        statsmodels RegressionResults
            If the model is not estimated by least squares, the result is a least-squares regression
            with the same regressors.

        Raises
        ------
        ConfigError
            If the event does not exist or was dropped, or if the model has no regression to
            estimate.

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
        """Compare the study with placebo studies, which assign the announcements to peer firms.

        Each placebo study assigns each announcement at random to the firm itself or to one of its
        peers, on the same date. If several announcements have the same date and the same peers, a
        placebo study can also assign each of these announcements to the firm of another one. The
        p-value is small if few placebo studies have a statistic as extreme as the statistic of the
        study.

        Parameters
        ----------
        window : window
        peers : str
            Column of the events with the tickers of the peers of each firm, written ``A;B;C``. The
            study must have the returns of these peers. The program loads these returns if the
            column has the name ``peers``, the study has at most 1,000 events, and the setting
            ``calibrate`` is not 0.
        test : str
            Test whose statistic is compared. The default is "bmp", or "event_t_regime" if
            there is only one event.
        draws : int, optional
            Number of placebo studies. The default is the setting ``draws`` of :class:`Conventions`.
            The setting ``seed`` is the seed of the random numbers.

        Returns
        -------
        Placebo

        Raises
        ------
        ConfigError
            If the events do not have the column that `peers` names.

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
        """Return a short table with the mean effect and the test results for each window.

        Parameters
        ----------
        windows : windows, optional
            Windows of the table. The default is the windows in the settings of the study.
        names : iterable of str, optional
            Names of the tests in the table. The default is the main test and some common tests,
            such as ``bmp``.

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
        """Return a copy of the results with market values from Yahoo Finance or a file.

        Parameters
        ----------
        source : str or Path
            ``"yahoo"``, or a file with the columns ticker and date, and with the column mcap
            (market value) or shares (number of shares).
        **options
            With ``currency="USD"``, the program converts the market values to US dollars. The
            argument ``currency`` is needed if the firms are quoted in several currencies. With
            ``offline=True``, the network is never used.

        Returns
        -------
        EventStudyResults
            The results with market values. For each window, an event gets the last market value of
            its firm before the window. A market value or a number of shares is valid for 370 days
            from its date. If the source has numbers of shares, the program multiplies them by the
            closes of the share. A close is valid for 100 days.

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
        """Regress the CARs of the events on columns of the events file and a constant.

        Parameters
        ----------
        columns : str or iterable of str
            Columns that explain the CARs. A column with numbers is one regressor. For a column with
            text, each value except the first in alphabetical order has a dummy variable.
        window : window, optional
            Window in event days. The default is the main window.
        **options
            Other options of the regression, such as ``weights="precision"``.

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
        """Regress the CARs of the events on a formula that names columns of the events file.

        An example of a formula is ``"size + C(sector) + direction:leverage"``.

        Parameters
        ----------
        formulas : str, iterable of str, or mapping of str to str
            One or more formulas. Each formula gives one regression. If you give a mapping, its keys
            are the column heads in the table of the regressions.
        window : window, optional
            Window in event days. The default is the main window.
        **options
            Other options of the regression, such as ``cluster="date"``.

        Returns
        -------
        DrawnRegression or DrawnRegressions
            If `formulas` is a string, the result is one regression. Otherwise it is an object whose
            method ``frame()`` returns all regressions in one table. Both objects have the methods
            ``plot()``, ``to_latex()`` and ``to_html()``.

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
        """Return how often the tests raise a false alarm on dates on which the firms have no event.

        The method repeats the study on dates without announcements. A significant result on such
        dates is a false alarm.

        Parameters
        ----------
        window : window, optional
            Window in event days. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.
        **options
            Optional arguments, such as ``draws=99`` for at most 99 repetitions of the study.

        Returns
        -------
        Calibration
            The false-alarm rates of the tests. The method ``plot()`` of this object draws the power
            of the main test for effects of different sizes.

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
        """Write the report, tables and data of the study to the run folder ``out/name``.

        If this run folder already has the results of a study with different settings or events, the
        method does not replace them. The new run folder gets the name ``name-2``, ``name-3`` and so
        on. If the setting ``figures`` is not empty, the run folder also has image files of the
        figures.

        Parameters
        ----------
        out : path
            Folder in which the run folder is created.
        name : str
            Name of the run folder.
        config : StudyConfig, optional
            Settings that choose the windows, tests and groups of the report. The default is the
            settings of the study.
        force : bool
            If true, the method also replaces a run folder that is from other settings or events.

        Returns
        -------
        Path
            The run folder.

        Raises
        ------
        RunFolderError
            If the folder cannot be written, or if an existing folder of this name is not a run
            folder.

        Examples
        --------
        >>> folder = results.save("reports", "announcements")
        >>> (folder / "report.html").exists()
        True
        """
        from ..runs import write_run

        return write_run(self, Path(out), name, config=config or self.settings, force=force)

    def findings(self, *, config: StudyConfig | None = None, name: str = "study") -> Findings:
        """Return all results of the study in one object, from which the program makes every report.

        Parameters
        ----------
        config : StudyConfig, optional
            Settings that choose the windows, tests and groups. The default is the settings of the
            study.
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
        """Return all results of the study as JSON text, as in the file ``results.json``.

        The command ``eventstudy schema results`` describes the fields of this text.

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
            The table to return. The table "caar" has the mean effect and the test results for each
            window. The table "robustness" has the main result under settings that differ from those
            of the study. It also has p-values that are adjusted for the number of windows. The
            table "events" lists the events. The table "regression" has the regression of the CARs
            on the columns in the setting ``regress``.
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

        To install the packages for this method, run ``pip install "eventstudy-kit[excel]"``.

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
        """Write the abnormal returns as a Parquet file with one row per event and day.

        To install the package for this method, run ``pip install "eventstudy-kit[parquet]"``.

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
        """Notes on data that the program did not use, or used only with a change or an assumption.

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
            Windows of the CARs. The default is the windows in the settings of the study.

        Returns
        -------
        DataFrame
            One row per window and event. The columns start and stop are the first and the last day
            of the window. The column car is the CAR as a decimal, and bhar is the buy-and-hold
            abnormal return. The columns se, statistic and pvalue have the standard error of the CAR
            and its t-test. The column scar is the standardised CAR. The 95% interval of the CAR
            runs from ci_low to ci_high.

            The column n_days is the number of days of the window on which the event has data. The
            column n_sessions is the number of sessions in the CAR, and last_session is the last of
            these sessions.

            The column variance_multiple is the variance of the firm's returns around the event,
            divided by their usual variance. The p-value in the column pvalue_regime allows for this
            ratio. So does the 95% interval from ci_low_regime to ci_high_regime. In a study of more
            than 5,000 events, these four columns are NaN.

            The columns of your events file follow. For an event with missing days in the window,
            the CAR and all numbers computed from it are NaN.

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
            Windows of the CARs. The default is the windows in the settings of the study.

        Returns
        -------
        DataFrame
            One row per event, with the columns event_id and ticker. The CARs of each window, as
            decimals, are in a column with the name of the window, such as ``[0,1]``. The columns of
            your events file follow.

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
        """Return the abnormal returns with one row per event and day.

        The table has the columns of :meth:`abnormal_returns`, and the columns of your events file.
        Dropped events are not in the table.

        Examples
        --------
        >>> len(results.tidy()) == 70 * 21
        True
        """
        rows = np.repeat(self._used, len(self.abnormal.event))
        return self._with_own_columns(self.abnormal_returns(), rows)

    def models(self) -> pd.DataFrame:
        """Return the estimated model of each used event, one row per event.

        The column nobs is the number of estimation days, sigma is the standard deviation of the
        residuals, and r2 is R squared. Each parameter, such as ``beta``, has one column for its
        estimate and another column for its standard error, such as ``se_beta``.

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
