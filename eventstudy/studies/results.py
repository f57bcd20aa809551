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
from ..files import names_beside, with_numbers
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
    "LISTED", "MOST_GROUPS", "group_column", "ids_of", "instead_of", "is_large", "is_pooled",
    "firms", "layout", "listed", "first_window", "listed_rows", "memo", "of", "other_clock",
    "records", "refit", "remember", "row_of",
)  # fmt: skip
# How alike a name must be to be proposed: one that is only similar has something else.
VERY_LIKE = 0.88
# Columns of the events that are ours.
NOT_OWN = (*Events.COLUMNS, CONFOUNDER)


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(FittedStudy):
    """Results of an event study, with methods for its tests, tables and figures.

    The methods :meth:`of_group` and :meth:`subset` return the results for some of the events, as an
    object of the same class. If the events have groups, :meth:`answer`, :meth:`plot_path` and other
    methods with an argument `group` are about one group. All other methods, such as :meth:`tests`,
    :meth:`test`, :attr:`aar` and :meth:`plot_caar`, are about all events together:
    ``results.of_group().tests()`` has the tests of the group that the answer is about.

    Attributes
    ----------
    events : DataFrame
        The events, with the columns of the events file and columns that the study adds. The column
        benchmark has the index that the study used for the event. The column status is "ok" or
        "dropped", and reason says why an event was dropped. The column nobs is the number of days
        from which the model was estimated.
    abnormal : AbnormalReturns
        The abnormal returns of the events and their variances, with one row per event. For a
        dropped event, all values are NaN.
    panel : ReturnsPanel
        The returns of all shares and indices of the study.
    model : LinearModel
        The model of normal returns.
    engine : {"statsmodels", "batch"}
        How the model was estimated, as in :class:`StudyConfig`.
    config : StudyConfig, optional
        The settings of the study. None if the study was made with :class:`EventStudy`. See also
        :attr:`settings`.
    sizes : MarketValues, optional
        Market values of the firms before each day of the event windows. None unless the setting
        ``size`` or the method :meth:`with_market_values` added them.

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

        The events of a group have the same value in the column that the setting ``by`` of
        :class:`StudyConfig` names (by default ``group`` or ``direction``).

        Parameters
        ----------
        group : str, optional
            Name of the group, such as "relief"; "" for all events together. The default is the
            group that the report is about: of the groups with a result, the one with the most
            events.

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
        """Return the main result: the mean effect, its 95% interval, the main test and a verdict.

        The effect is the mean CAR with weights proportional to 1 / (standard error of the CAR). The
        verdict is "different" if the main test has p < 0.05, and "not_different" otherwise. It is
        "provisional" while the window of an event has days in the future, and "no_result" if the
        test cannot be computed.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.

        Returns
        -------
        DrawnAnswer
            The answer. The numbers of its attribute `effect` are decimals. If you print the answer,
            you get the text that the command ``eventstudy run`` prints.

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

        The power for a size is the probability that the test gives p < 0.05 if the true effect has
        this size.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.

        Returns
        -------
        DrawnPower
            The attribute `smallest_effect` is the effect with a power of 80%, as a decimal. The
            methods ``frame()`` and ``plot()`` show the power for several sizes of the effect.

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

        Event dates whose windows overlap form a cluster.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.

        Returns
        -------
        DrawnInfluence
            The method ``frame()`` of this object returns a table with one row for each event, date,
            firm or cluster that is left out. If you print the object, you see whether one of them
            changes the main result.

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
        """Draw the value of the shares day by day, and their value without an effect of the news.

        The value without an effect is computed from the normal returns. Both lines are averages
        over the events, with the same weights as in the main result. On the day before the main
        window, both lines are 100.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw into. The default is a new figure.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.
        **look : str or color
            `title` of the figure, and `color` and `label` of the line of the shares.

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
        """Draw the mean CAR (CAAR) as a line over the event window, with a 95% interval per day.

        The line is 0 on the base day b, which is the day before the main window. On a later day t,
        the line is the CAAR over the window [b+1, t]. On an earlier day t, the line is minus the
        CAAR over the window [t+1, b].

        Parameters
        ----------
        window : window, optional
            Window that the figure shades. The default is the main window.
        by : str, optional
            Column that splits the events into groups. The figure then has one line for each of the
            three largest groups, and a legend.
        ax : Axes, optional
            Axes to draw into. The default is a new figure.
        **look : str or color
            `title` of the figure, and `color` and `label` of its first line.

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
        """Draw the CAR of each event with its 95% interval, and the mean effect of the events.

        The intervals of the events are those from ci_low_regime to ci_high_regime in the table of
        :meth:`car`. The marker of an event is filled if its p-value (pvalue_regime) is below 0.05.
        The mean effect is a diamond, and its p-value comes from the main test. If there are more
        than 60 events, the figure shows only the 30 smallest and the 30 largest CARs.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.
        ax : Axes, optional
            Axes to draw into. The default is a new figure.
        **look : str or color
            `title` of the figure, and `color` and `label` of the markers of the events.

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

        The line is the CAR since the day before the main window. On earlier days, it is drawn as in
        :meth:`plot_caar`. If the news has no effect, the line lies in the shaded range around zero
        with a probability of 95% on each day.

        Parameters
        ----------
        event_id : str
            Name of the event, as in the column event_id.
        window : window, optional
            Window that the figure shades. The default is the main window.
        ax : Axes, optional
            Axes to draw into. The default is a new figure.
        **look : str or color
            `title` of the figure, and `color` and `label` of the line of the CAR.

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
        """Return the name of the significance test that decides the verdict of the answer.

        The program chooses this test by the number of events.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.

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
            Which numbers are zero under the hypotheses:

            - "events": the CAR of each event over `window`
            - "days": the mean abnormal return of each day of the event window
            - "windows": the mean CAR over each of the `windows`
            - "groups": the mean CAR of each group of events over `window`
        window : window, optional
            Window of the CARs. The default is the main window.
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
            Romano-Wolf. The default is all four methods, or the first three for the kind "events".

        Returns
        -------
        DataFrame
            One row per hypothesis. The column label names the hypothesis, n_events is the number of
            events, and estimate is the effect as a decimal. The columns statistic and pvalue have
            the result of the test. For each method of adjustment, a column of the same name has the
            adjusted p-values. Romano-Wolf adjusts another p than the column pvalue: that of the
            date-clustered t of the plain average of all events with a CAR.

            A hypothesis without a p-value does not count in the adjustment. Its adjusted p-values
            are NaN, and the column reason says why.

        Raises
        ------
        ConfigError
            If the kind, a method, the test or the column does not exist, or if you choose
            "romano_wolf" for the kind "events".

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
        window: WindowLike | None = None,
    ) -> analysis.Difference:  # fmt: skip
        """Test whether the mean CAR differs between two groups of events.

        The test is that of the regression of the CARs on the group, :meth:`explain`, and has its
        standard errors.

        Parameters
        ----------
        column : str
            Column of the events that names the group of each event.
        one, other : str, optional
            Names of the two groups. They are needed only if the column has more than two groups.
        window : window, optional
            Window of the CARs. The default is the main window.

        Returns
        -------
        Difference
            The attribute `difference` is the mean CAR of `one` minus that of `other`, as a decimal.

        Raises
        ------
        ConfigError
            If the column or a group does not exist.

        Examples
        --------
        >>> adverse_less_relief = results.difference("direction")
        >>> round(adverse_less_relief.difference, 4), round(adverse_less_relief.pvalue, 2)
        (-0.0085, 0.25)
        """
        return analysis.difference(self, column, one, other, window=window)

    def weighted(
        self, window: WindowLike, weights: str = "equal", column: str = "mcap"
    ) -> analysis.WeightedMean:
        """Return the weighted mean CAR of the events, and a test whether it is zero.

        Parameters
        ----------
        window : window
            Window of the CARs, such as ``(0, 1)``.
        weights : {"equal", "value", "precision"}
            Equal weights of the events, or weights proportional to the market values of the firms
            ("value") or to 1 / Var(CAR) ("precision").
        column : str
            Column of the events with the market value of each firm *before* the window: a later
            value would already contain the effect of the event. If the method
            :meth:`with_market_values` has added market values to the study, these values replace
            the column ``mcap``.

        Returns
        -------
        WeightedMean
            The attribute `estimate` is the weighted mean as a decimal. With the weights "value",
            the mean leaves out events without a market value.

        Raises
        ------
        ConfigError
            If the kind of weights or the column does not exist.

        Examples
        --------
        >>> print(results.weighted((0, 1), "precision"))
        precision-weighted CAAR[0,1] of 70: -0.52% (95% -1.01% to -0.02%), t = -2.091, p = 0.0402
        """
        return analysis.weighted_caar(self, window, weights, column)

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> analysis.DollarLoss:
        """Return the abnormal change of market value for each event, and the sum of these changes.

        Parameters
        ----------
        window : window
            Window of the CARs, such as ``(0, 1)``.
        column : str
            Column of the events with the market value of each firm before the window. All values
            must be in one currency.

        Returns
        -------
        DollarLoss
            The attribute `total` is the sum of all changes. In the table `events`, the column adl
            has the change of each event: its CAR times the market value of the firm. Events without
            a market value are left out.

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
        """Test whether the mean buy-and-hold abnormal return of the events is zero.

        The tests assume that the events are independent.

        Parameters
        ----------
        window : window
            Window of the buy-and-hold returns, such as ``(0, 5)``.
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
            reason.

            While the window of any event has days in the future, the numbers of the tests are NaN.
            The column estimate then has the mean of the events whose windows are over.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, if the value of an argument is not valid,
            or if the study does not measure returns.

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
        factors of the model. The constant alpha is the mean abnormal return per session.

        Parameters
        ----------
        window : window
            Window during which the portfolio holds a firm, such as ``(0, 5)``.
        weights : {"equal", "value"}
            Equal weights of the firms, or weights proportional to their market values before the
            window ("value").
        lags : int, optional
            Number of lags of the Newey-West standard errors. The default is max(L-1, 1) for a
            window of L days.

        Returns
        -------
        DataFrame
            One row per method of estimation: ``ols``, ``hc1``, ``newey_west`` and ``wls``. The
            column alpha is the constant as a decimal. The columns se, t, df and pvalue (two-sided)
            have the standard error and the t-test of alpha. The column beta is the slope of the
            market, and a column ``beta_<name>`` is the slope of another factor. The column sessions
            is the number of sessions with a firm in the portfolio, and mean_firms is the mean
            number of firms on these sessions. With fewer than 10 sessions the numbers are NaN, and
            the column note gives the reason.

        Raises
        ------
        ConfigError
            If the window reaches beyond the event window, if the study does not measure returns, or
            if it has no market values for the weights "value".

        Examples
        --------
        >>> results.calendar_portfolio((0, 5))[["method", "alpha", "t"]].round(4).head(2)
          method   alpha       t
        0    ols -0.0002 -0.2221
        1    hc1 -0.0002 -0.2210
        """
        return analysis.calendar_portfolio(self, window, weights=weights, lags=lags)

    def diagnose(self, window: WindowLike | None = None) -> analysis.Diagnosis:
        """Return for each significance test whether it is valid for these events, and why.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.

        Returns
        -------
        Diagnosis
            The attribute `table` has one row per test. The column false_alarms estimates how often
            the test finds an effect at the 5% level where there is none. The column trust is
            "valid" up to a rate of 7%, "valid with care" up to 12%, and "not valid" above. The
            column reason says which feature of the data speaks against the test.

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
            One row per event. A diagnostic is NaN if it needs more estimation days or regressors
            than there are. Columns that end in ``_p`` have p-values. The columns are:

            - nobs: number of estimation days
            - missing: proportion of the days in the estimation window without a usable return
            - r2, r2_adjusted: fit of the model
            - durbin_watson, autocorrelation, ljung_box_p: autocorrelation of the residuals
            - arch_p, breusch_pagan_p: changes in the variance of the residuals
            - jarque_bera_p, skewness, kurtosis: comparison of the residuals with a normal
              distribution
            - chow_f, chow_p, cusum_p: changes of the parameters during the estimation window
            - condition: condition number of the regressors

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
            Name of the event, as in the column event_id.

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
        peers, on the same date. A firm that has an event itself is not used as a peer.

        Parameters
        ----------
        window : window
            Window of the CARs, such as ``(0, 1)``.
        peers : str
            Column of the events with the tickers of the peers of each firm, written ``A;B;C``. The
            study must have the returns of these peers. The program loads these returns if the
            column has the name ``peers``, the study has at most 1,000 events, and the setting
            ``calibrate`` is not 0.
        test : str
            Test whose statistic is compared. The default is "bmp", or "event_t_regime" for one
            event.
        draws : int, optional
            Number of placebo studies. The default is the setting ``draws`` of :class:`Conventions`.
            The setting ``seed`` is the seed of the random numbers.

        Returns
        -------
        Placebo
            The attribute `pvalue` is small if few placebo studies have a statistic as extreme as
            that of the study. It is NaN if fewer than 39 different samples of firms are possible.

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
        """Return a short table with the mean effect and the p-values of tests for each window.

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
            The table. Its attribute `frame` is a DataFrame.

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
            from its date. Numbers of shares are multiplied by the closes of the share. A close is
            valid for 100 days.

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
            Columns that explain the CARs. A column with numbers is one regressor. A column with
            text has a dummy variable for each value except the first in alphabetical order.
        window : window, optional
            Window of the CARs. The default is the main window.
        **options
            The options ``weights``, ``cov``, ``se`` and ``labels`` of :meth:`explain`, such as
            ``weights="precision"``.

        Returns
        -------
        DrawnRegression
            Its attribute `table` has one row per coefficient.

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

        An example of a formula is ``"size + C(sector) + direction:leverage"``. Events with a
        missing value in a column of the formula are left out.

        Parameters
        ----------
        formulas : str, iterable of str, or mapping of str to str
            Each formula gives one regression. The keys of a mapping are the column heads in the
            table of the regressions.
        window : window, optional
            Window of the CARs. The default is the main window.
        **options
            Options ``cluster``, ``cov``, ``se``, ``weights``, ``labels`` and ``rank``, such as
            ``cluster="date"``. The page "In a notebook" of the manual explains them.

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

        The method repeats the study with the dates of the events moved to other days. A significant
        result on the moved dates is a false alarm.

        Parameters
        ----------
        window : window, optional
            Window of the CARs. The default is the main window.
        group : str, optional
            Name of a group of events, as in :meth:`of_group`.
        **options
            ``draws=99`` means at most 99 repetitions of the study (by default 499), and ``tests``
            lists the names of the tests.

        Returns
        -------
        Calibration
            The attribute `sizes` is a table with the rates of false alarms of each test. If fewer
            than 39 repetitions are possible, the attribute `reason` says so. The method ``plot()``
            draws the power of the main test for effects of different sizes.

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

        If this folder already has the results of a study with different settings or events, the
        method does not replace them. It then writes to ``name-2``, ``name-3`` and so on. If the
        setting ``figures`` is not empty, the run folder also has image files of the figures.

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
        """Return one object with all results, from which the program writes its reports.

        Parameters
        ----------
        config : StudyConfig, optional
            Settings that choose the windows, tests and groups.
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
            The table to return:

            - "caar": the mean effect and the test results for each window
            - "robustness": the main result without some events, and with other windows, models and
              tests; also the p-values of the windows, adjusted for their number
            - "events": the list of the events
            - "regression": the regression of the CARs on the columns in the setting ``regress``
        config : StudyConfig, optional
            Settings that choose the windows, tests and groups.

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
            Settings that choose the windows, tests and groups.

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
        """Write the abnormal returns as a Parquet file, with one row per used event and day.

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
            One row per window and event. If an event has missing days in the window, its CAR and
            all numbers computed from the CAR are NaN, unless the setting ``missing`` of
            :class:`Conventions` allows missing days. The columns are:

            - event_id, ticker: the event and its share
            - start, stop: first and last day of the window, counted from day 0
            - car: the CAR as a decimal
            - se, statistic, pvalue: standard error of the CAR and its t-test
            - ci_low, ci_high: ends of the 95% interval of the CAR
            - scar: the standardised CAR
            - bhar: the buy-and-hold abnormal return
            - n_days: number of days of the window for which the event has data
            - n_sessions, last_session: number of sessions in the CAR, and the last of them
            - variance_multiple: variance of the firm's returns around the event, divided by their
              variance in the estimation window, and at least 1
            - pvalue_regime, ci_low_regime, ci_high_regime: p-value and 95% interval if the variance
              of the CAR is multiplied by variance_multiple

            In a study of more than 5,000 events, the last four columns of this list are NaN. The
            columns of your events file follow. One with the name of a column above, such as `se`,
            becomes ``own_se``.

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
        """Return the CARs of the used events, with one row per event and one column per window.

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
        """Return the abnormal returns of the used events, with one row per event and day.

        The table has the columns of :meth:`abnormal_returns`, followed by the columns of your
        events file. One with the name of a column before it, such as `se`, becomes ``own_se``.

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
        own = [str(name) for name in self.events if name not in NOT_OWN]
        cells = {}
        for column, name in names_beside(own, table.columns).items():
            cells[name] = with_numbers(self.events[column]).to_numpy()[rows]
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
