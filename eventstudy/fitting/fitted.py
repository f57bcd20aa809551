"""The record of a fitted study and its tables; of very many events the most unusual are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..errors import ConfigError
from ..events import Events, rows_where
from ..files import BLANK, OUTCOME
from ..models import Engine, LinearModel
from ..prices import Sizes
from ..returns import ReturnsPanel
from ..settings import StudyConfig
from ..significance import STATISTICS, Alternative, SignificanceTest
from ..utility import BoolArray, Flag, FloatArray, IntArray, ObjectArray, did_you_mean
from ..words import Reason, make_error
from .firms import name_firms
from .layout import Layout

T = TypeVar("T")
WindowLike = Window | tuple[int, int] | str
WindowsLike = WindowLike | Iterable[WindowLike]
TESTS = [
    "test", "start", "stop", "n_events", "statistic", "pvalue", "distribution", "estimate",
    "reason",
]  # fmt: skip
# Code of the reason of an event that waits for the price of its day 0.
TO_COME = "day0_to_come"


@dataclass(frozen=True, eq=False)
class MarketValues:
    """Market values of n events before each of the L2 days of their event windows.

    Attributes
    ----------
    values : (n, L2) float array
        At the last close before each day, in units of `currency`; NaN where not known.
    start : int
        First day of the event window.
    currency : str
    reasons : (n,) object array
        Why an event has none; "" for those that have.
    origin : Sizes
        What they were taken from.
    """

    values: FloatArray
    start: int
    currency: str
    reasons: ObjectArray
    origin: Sizes

    def before(self, day: int) -> FloatArray:
        """Return the market values (n,) before a day of the event window."""
        return self.values[:, day - self.start]

    def take(self, rows: IntArray | BoolArray) -> MarketValues:
        """Return those of some events."""
        return replace(self, values=self.values[rows], reasons=self.reasons[rows])


@dataclass(frozen=True, eq=False, repr=False)
class FittedStudy:
    """The record of a fitted study: what was estimated of which events, and the tables of it.

    Attributes
    ----------
    abnormal : AbnormalReturns
        One row per event, in the order of `events`; rows of dropped events are NaN.
    events : DataFrame
        The events with day0, benchmark (the index used), status ("ok" or "dropped"), reason, flags
        and nobs.
    panel : ReturnsPanel
    model : LinearModel
    engine : str
    layout : Layout, optional
        Where the returns of the events are, for other dates and firms.
    sizes : MarketValues, optional
        Market values before each day of the event windows; else those in the column ``mcap`` count.
    specifications : DataFrame, optional
        The specifications of the grid, where the settings name one; of no subset.
    other_clock : callable, optional
        Makes the study anew by the other setting of ``halt``.
    config : StudyConfig, optional
        The settings of a study that was asked for with all of them: its windows are the usual ones.
    refit : callable, optional
        Fits the study of other settings to the same returns; of no subset.
    instead_of : str
        Model that was asked for where the index of the only event is not free; else "".
    first_window : Window, optional
        The main window of a study without ``config``; by default the usual one.
    """

    # Events of very many that pages, lists and texts have: the most unusual ones.
    LISTED: ClassVar[int] = 500
    # Pairs of groups grow with the square of their number.
    MOST_GROUPS: ClassVar[int] = 6

    abnormal: AbnormalReturns
    events: pd.DataFrame
    panel: ReturnsPanel
    model: LinearModel
    engine: Engine
    layout: Layout | None = None
    sizes: MarketValues | None = None
    #: Table of the results under other settings, such as other models or windows. The setting
    #: ``grid`` lists values of these settings, and the table has one row for each combination of
    #: the values. The attribute is None if the setting ``grid`` is empty, and for a subset of
    #: events. The function :func:`eventstudy.robustness` computes such a table for any study.
    #:
    #: >>> models = {"model": ["market", "market_adjusted"], "car": ["0:1"],
    #: ...           "estimation": ["-250:-31"]}
    #: >>> with_grid = es.study("events.csv", prices="sample", grid=models)
    #: >>> with_grid.specifications[["model", "estimate", "pvalue"]].round(4)
    #:              model  estimate  pvalue
    #: 0           market   -0.0068  0.0258
    #: 1  market_adjusted   -0.0086  0.0095
    specifications: pd.DataFrame | None = None
    other_clock: Callable[[], FittedStudy] | None = None
    config: StudyConfig | None = None
    refit: Callable[[StudyConfig], FittedStudy] | None = None
    instead_of: str = ""
    first_window: Window | None = None
    memo: dict[Any, Any] = field(init=False, default_factory=dict, repr=False)

    def __len__(self) -> int:
        return int(self.ok.sum())

    @cached_property
    def ok(self) -> BoolArray:
        """Whether the study used each event: True for used, False for dropped events.

        Examples
        --------
        >>> int(results.ok.sum()), len(results.events)
        (70, 230)
        """
        return np.asarray(self.events["status"].to_numpy() == "ok", dtype=bool)

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The rows of `events`, each a cell by column."""
        rows = self.events.to_dict("records")
        return [{str(name): cell for name, cell in row.items()} for row in rows]

    @cached_property
    def firms(self) -> list[str]:
        """The company of each event, as :func:`name_firms` names it in the whole study."""
        tickers = self.events["ticker"].astype(str).tolist()
        companies = self.events["company"].tolist() if "company" in self.events else tickers
        return name_firms(companies, tickers)

    @property
    def main(self) -> Window:
        """The main window of the study, over which the main result is computed.

        It is the first window in the settings. If the settings name no window, it is [0,1]. If
        [0,1] does not fit into the event window, it is the first window that the study tests.

        Examples
        --------
        >>> print(results.main)
        [0,1]
        """
        return self.settings.main

    def test(
        self, name: str, window: WindowLike, *, alternative: Alternative = "two-sided",
        **conventions: Any,
    ) -> SignificanceTest:  # fmt: skip
        """Return the result of one significance test over one window.

        The command ``eventstudy list tests`` prints the names of all tests.

        Parameters
        ----------
        name : str
            Name of the test, such as ``"bmp_kp"``.
        window : window
            A :class:`Window` object, a pair such as ``(0, 1)``, or a text such as ``"0:1"``. The
            numbers count trading days from day 0.
        alternative : {"two-sided", "less", "greater"}
            What the p-value is for: an effect that is not zero, negative or positive.
        **conventions
            Settings of the test, such as ``scar="sum"``. The class :class:`Conventions` explains
            them.

        Returns
        -------
        SignificanceTest
            Result of the test for the events without missing days in the window. If the test cannot
            be computed, or if the window of some events is not over yet, the statistic and the
            p-value are NaN, and the attribute `reason` says why.

        Raises
        ------
        ConfigError
            If the test or a setting does not exist, or if the window reaches beyond the event
            window.

        Examples
        --------
        >>> for name in ("bmp_kp", "corrado_zivney", "sign"):
        ...     print(results.test(name, (0, 1)))
        BMP-KP: t(69) = -1.95, p = 0.0556, 70 events
        Corrado-Zivney rank: N(0,1) = -1.54, p = 0.1247, 70 events
        Sign: N(0,1) = -2.15, p = 0.0314, 70 events
        """
        abnormal = self.abnormal.under(**conventions) if conventions else self.abnormal
        test = STATISTICS[name](abnormal, Window.of(window), alternative=alternative)
        if awaits_days(self, Window.of(window)):
            nothing: Any = dict.fromkeys(("statistic", "pvalue", "df"), np.nan)
            return replace(test, **nothing, law="", reason=Reason("days_to_come"))
        return test

    def tests(
        self, windows: WindowsLike | None = None, names: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Return the results of all tests over all windows, with one row per test and window.

        Parameters
        ----------
        windows : window or iterable of window, optional
            Windows of the tests. The default is the windows in the settings of the study.
        names : iterable of str, optional
            Names of the tests. The default is the tests in the attribute :attr:`all_tests`. If only
            one event has a CAR over one of the windows, the default also has the tests of single
            events.

        Returns
        -------
        DataFrame
            One row per test and window. The columns start and stop are the first and the last day
            of the window, and n_events is the number of events. The columns statistic, distribution
            and pvalue have the result of the two-sided test. The column estimate is the mean CAR as
            a decimal. If a test cannot be computed, or if the window of some events is not over
            yet, its numbers are NaN, and the column reason says why.

        Examples
        --------
        >>> results.tests((0, 1))[["test", "n_events", "statistic", "pvalue"]].head(3).round(3)
             test  n_events  statistic  pvalue
        0  bmp_kp        70     -1.947   0.056
        1     bmp        70     -2.004   0.049
        2  patell        70     -2.333   0.020
        """
        tested = self.windows_of(windows)
        chosen = list(names) if names else [*self.all_tests, *self._of_one_car(tested)]
        results = [(w, self.test(name, w)) for w in tested for name in chosen]
        rows = [(t.name, w.start, w.stop, *(getattr(t, c) for c in TESTS[3:])) for w, t in results]
        return pd.DataFrame(rows, columns=TESTS)

    @property
    def all_tests(self) -> list[str]:
        """Names of the significance tests that can be computed for this number of events.

        A study of one event has other tests than a study of several events. For more than 5,000
        events, the list has only nine common tests, such as ``bmp``.

        Examples
        --------
        >>> results.all_tests[:3]
        ['bmp_kp', 'bmp', 'patell']
        """
        single = len(self) == 1
        applicable = (name for name, entry in STATISTICS.items() if entry.per_event == single)
        core_only = self.abnormal.is_of_many
        return [name for name in applicable if STATISTICS[name].core or not core_only]

    def _of_one_car(self, windows: list[Window]) -> list[str]:
        """Return the tests of single events, if a window has the CAR of one event only."""
        if len(self) < 2 or all(self.abnormal.valid(w).sum() != 1 for w in windows):
            return []
        return [name for name, entry in STATISTICS.items() if entry.per_event]

    @property
    def aar(self) -> pd.Series[float]:
        """Mean abnormal return (AAR) of the events on each day of the event window, as a decimal.

        Examples
        --------
        >>> results.aar.head(2).round(4).tolist()
        [-0.0012, 0.0009]
        """
        return pd.Series(self.abnormal.aar, self._tau, name="aar")

    @property
    def caar(self) -> pd.Series[float]:
        """Mean CAR (CAAR) from the first day of the event window up to each day, as a decimal.

        The mean for a day uses the events without missing days up to this day.

        Examples
        --------
        >>> results.caar.head(2).round(4).tolist()
        [-0.0012, -0.0003]
        """
        return pd.Series(self.abnormal.caar, self._tau, name="caar")

    @property
    def _tau(self) -> pd.Index[int]:
        return pd.Index(self.abnormal.event.days, name="tau")

    def aar_table(self) -> pd.DataFrame:
        """Return the mean abnormal return and the mean CAR of each day of the event window.

        The column tau is the day, counted in trading days from day 0. The column aar is the mean
        abnormal return of the day, over the events whose return covers exactly this day. Their
        number is n_events. The column caar is the mean CAR from the first day of the event window
        up to this day, over the events without missing days in between. Their number is n_complete.
        These CARs are never extended because of a price limit.

        Examples
        --------
        >>> results.aar_table()[["tau", "n_events", "aar", "caar"]].head(2).round(4)
           tau  n_events     aar    caar
        0  -10        70 -0.0012 -0.0012
        1   -9        70  0.0009 -0.0003
        """
        return pd.DataFrame({
            "tau": self.aar.index, "n_events": self.abnormal.in_aar, "aar": self.aar.to_numpy(),
            "n_complete": self.abnormal.complete, "caar": self.caar.to_numpy(),
        })  # fmt: skip

    def car_table(self, windows: WindowsLike | None = None) -> pd.DataFrame:
        """Return the CAR of each used event over each window, with its t-test.

        The method :meth:`EventStudyResults.car` explains the columns, and adds your own columns of
        the events file. The column n_sessions is the number of sessions in the CAR. A return over h
        sessions adds h to this number. If the window of an event is extended because of a price
        limit, the number includes the added sessions.

        Examples
        --------
        >>> results.car_table((0, 1)).shape
        (70, 19)
        """
        rows = np.flatnonzero(self.ok)
        return pd.concat([self._car(w, rows) for w in self.windows_of(windows)], ignore_index=True)

    def _car(self, window: Window, rows: IntArray) -> pd.DataFrame:
        a = self.abnormal
        t = a.car_t(window)[rows]
        half = a.car_half_widths(window)
        car = a.car(window)
        k = np.full(len(a), np.nan) if self.is_large else a.recent_variance(window)
        raised = a.car_half_widths(window, k)
        sessions, last = a.sessions_of(window)
        return pd.DataFrame({
            **self.ids_of(rows), "start": window.start, "stop": window.stop,
            "car": car[rows], "se": np.sqrt(a.var_car(window))[rows], "statistic": t,
            "pvalue": a.car_pvalues(window)[rows], "scar": a.scar(window)[rows],
            "bhar": a.bhar(window)[rows], "n_days": a.covered(window)[rows],
            "ci_low": (car - half)[rows], "ci_high": (car + half)[rows],
            "n_sessions": sessions[rows], "last_session": last[rows].astype("datetime64[s]"),
            "variance_multiple": k[rows], "pvalue_regime": a.car_pvalues(window, k)[rows],
            "ci_low_regime": (car - raised)[rows], "ci_high_regime": (car + raised)[rows],
        })  # fmt: skip

    def abnormal_returns(self) -> pd.DataFrame:
        """Return the abnormal returns of the used events, one row per event and day.

        The column tau counts the trading days from day 0, and date is the date of the day. The
        column ret is the return, expected is the normal return from the model, and ar is the
        abnormal return. The column se is the standard error of the abnormal return, and sar is ar /
        se.

        Examples
        --------
        >>> results.abnormal_returns()[["ticker", "tau", "ret", "expected"]].head(2).round(4)
          ticker  tau     ret  expected
        0    XOM  -10  0.0058    0.0010
        1    XOM   -9 -0.0030   -0.0013
        """
        a, rows = self.abnormal, np.flatnonzero(self.ok)
        ids = {name: np.repeat(values, len(a.event)) for name, values in self.ids_of(rows).items()}
        returns = a.windows.event_returns[rows]
        dates = a.windows.dates[rows].astype("datetime64[s]")
        return pd.DataFrame({
            **ids, "tau": np.tile(a.event.days, len(rows)), "date": dates.ravel(),
            "ret": returns.ravel(), "expected": a.expected[rows].ravel(), "ar": a.ar[rows].ravel(),
            "se": np.sqrt(a.var_ar[rows]).ravel(), "sar": a.sar[rows].ravel(),
        })  # fmt: skip

    def model_table(self) -> pd.DataFrame:
        """Return the estimated models of the used events, one row per event.

        The column nobs is the number of estimation days, sigma is the standard deviation of the
        residuals, and r2 is R squared. Each parameter has a column of its name, such as ``beta``.

        Examples
        --------
        >>> results.model_table()[["ticker", "nobs", "beta", "r2"]].head(2).round(2)
          ticker  nobs  beta    r2
        0    XOM   220  0.85  0.30
        1    XOM   199  0.87  0.22
        """
        a, rows = self.abnormal, np.flatnonzero(self.ok)
        estimates = {name: a.params[rows, j] for j, name in enumerate(a.parameters)}
        tail = {"sigma": np.sqrt(a.sigma2[rows]), "r2": a.r2[rows]}
        return pd.DataFrame({**self.ids_of(rows), "nobs": a.nobs[rows], **estimates, **tail})

    def row_of(self, event_id: str) -> int:
        """Return the row of a used event.

        Parameters
        ----------
        event_id : str

        Returns
        -------
        int

        Raises
        ------
        ConfigError
            For an unknown event, and for a dropped one (with its reason).
        """
        ids = self.events["event_id"].astype(str).tolist()
        if str(event_id) not in ids:
            remedy = did_you_mean(str(event_id), ids)
            raise ConfigError("no such event", value=event_id, remedy=remedy)
        row = ids.index(str(event_id))
        if not self.ok[row]:
            reason = self.events["reason"].iloc[row]
            raise ConfigError(f"the event was dropped: {reason}", value=event_id)
        return row

    def subset(self, rows: str | BoolArray | IntArray | pd.Series[bool] | Sequence[int]) -> Self:
        """Return the results for some of the events. The model is not estimated again.

        Parameters
        ----------
        rows : str, (n,) array or Series of bool, or array of int
            Which events to keep, in one of three forms:

            - a condition on columns of the events, such as ``"direction == 'adverse' and not
              flagged"``
            - an array of True or False with one element for each event
            - an array of row numbers of the attribute `events`, from 0

        Returns
        -------
        EventStudyResults
            Results with the same methods.

        Raises
        ------
        ConfigError
            If the argument `rows` is not valid, for example if a row number does not exist.

        Examples
        --------
        >>> adverse = results.subset("direction == 'adverse'")
        >>> adverse.car((0, 1))[["ticker", "car", "se"]].head(3).round(3)
          ticker    car     se
        0    XOM -0.004  0.012
        1    XOM -0.007  0.012
        2    XOM -0.018  0.010
        """
        n = len(self.events)
        rows = chosen(rows_where(self.events, rows) if isinstance(rows, str) else rows, n)
        rows = np.arange(n)[rows]
        layout = None if self.layout is None else self.layout.take(rows)
        # One row is a view, which costs a twentieth of a copy: each event page is such a subset.
        taken = self.events[rows[0] : rows[0] + 1] if len(rows) == 1 else self.events.iloc[rows]
        events = taken.reset_index(drop=True)
        sizes = None if self.sizes is None else self.sizes.take(rows)
        abnormal = self.abnormal.take(rows)
        sample: Any = {"abnormal": abnormal, "events": events, "layout": layout, "sizes": sizes}
        make = self.other_clock
        other = (lambda: self.remember("other clock", make).subset(rows)) if make else None
        subset = replace(self, specifications=None, other_clock=other, refit=None, **sample)
        # Fills cached properties of the subset.
        vars(subset)["settings"] = self.settings
        vars(subset)["firms"] = [self.firms[i] for i in rows.tolist()]
        if not self.is_large:
            vars(subset)["records"] = [self.records[i] for i in rows.tolist()]
        return subset

    def groups(self, column: str | Iterable[str]) -> dict[Any, Self]:
        """Return the results of each group of events, the largest group first.

        The events of a group have the same value in the column that you name. If you name several
        columns, the events of a group have the same value in each column, and the name of the group
        is the tuple of these values. Dropped events count in the size of a group. A group without
        any used event is left out.

        Parameters
        ----------
        column : str or iterable of str
            Column of the events, or several columns.

        Returns
        -------
        dict of str to EventStudyResults

        Raises
        ------
        ConfigError
            If a column that you name does not exist.

        Examples
        --------
        >>> for direction, group in results.groups("direction").items():
        ...     print(direction, group.test("bmp_kp", (0, 1)))
        adverse BMP-KP: t(53) = -2.29, p = 0.0258, 54 events
        relief BMP-KP: t(15) = 0.19, p = 0.8516, 16 events
        >>> len(results.groups("role"))
        11
        """
        names = names_of(column)
        is_single = isinstance(column, str)
        cells = [self.column(name).astype(str).replace("", BLANK) for name in names]
        values = cells[0] if is_single else pd.Series(zip(*cells, strict=True), dtype=object)

        def groups() -> dict[Any, Self]:
            codes, labels = pd.factorize(values)
            used = np.bincount(codes[self.ok], minlength=len(labels))
            order = np.argsort(-np.bincount(codes), kind="stable")
            return {labels[k]: self.subset(codes == k) for k in order.tolist() if used[k]}

        return dict(self.remember(("groups", *names, is_single), groups))

    @property
    def is_large(self) -> bool:
        """Whether the events are too many to be listed one by one."""
        return len(self.events) > AbnormalReturns.MANY

    def listed_rows(self, window: Window) -> IntArray:
        r"""Return the events that are listed, ascending: all, or of very many a part.

        These are the 500 used events with the largest \|CAR / se\| over a window, and the first 500
        that were dropped.
        """
        if not self.is_large:
            return np.arange(len(self.events))
        a = self.abnormal
        size = np.abs(np.nan_to_num(a.car(window) / np.sqrt(a.var_car(window))))
        used = np.flatnonzero(self.ok)
        dropped = np.flatnonzero(~self.ok)
        largest = used[np.argsort(-size[used], kind="stable")[: self.LISTED]]
        return np.sort(np.concatenate([largest, dropped[: self.LISTED]]))

    def listed(self, window: Window) -> Self:
        """Return the study of the events that are listed, by their CARs over a window."""
        if not self.is_large:
            return self
        rows = self.listed_rows(window)
        return self.remember(("listed", window), lambda: self.subset(rows))

    def group_column(self, by: str = "") -> str:
        """Return the column that splits the events; "" for none, as where no event could be used.

        Without a wish this is ``group``, else ``direction``, if the used events have several values
        of it: adverse and relieving announcements are not one sample.

        Parameters
        ----------
        by : str
            The column; "" = ``group`` or ``direction``, "none" = no column.

        Raises
        ------
        ConfigError
            If there is no such column.
        """
        if by == "none" or len(self) == 0:
            return ""
        if by:
            self.column(by)
            return by
        used = self.events[self.ok]
        for name in ("group", "direction"):
            if name in used and len(used[name].unique()) > 1:
                return name
        return ""

    @property
    def is_pooled(self) -> bool:
        """Whether these are events of several groups of the report."""
        column = self.group_column(self.settings.by)
        return bool(column) and len(self.column(column)[self.ok].unique()) > 1

    def column(self, name: str) -> pd.Series[Any]:
        """Return a column of the events table by its name.

        If there is no such column, the method raises ConfigError and suggests the name with the
        most similar spelling.

        Examples
        --------
        >>> results.column("direction").head(2).tolist()
        ['adverse', 'adverse']
        """
        if name not in self.events:
            names = list(map(str, self.events.columns))
            made = [column for column in names if column in {*OUTCOME, *Events.REPLACED}]
            given = [column for column in names if column not in made]
            hint = did_you_mean(str(name), given) or f"they have {', '.join([*given, *made])}"
            raise ConfigError("the events have no such column", value=name, remedy=hint)
        return self.events[name]

    def remember(self, key: object, compute: Callable[[], T]) -> T:
        """Return what a function computes of this study, called on first use only.

        Parameters
        ----------
        key : hashable
        compute : callable
            Takes no argument.
        """
        if key not in self.memo:
            self.memo[key] = compute()
        return self.memo[key]  # type: ignore[no-any-return]

    @cached_property
    def settings(self) -> StudyConfig:
        """The settings of the study.

        If no :class:`StudyConfig` was given, these settings have the windows and the model of the
        study, and the defaults for everything else.

        Examples
        --------
        >>> results.settings.prices, str(results.settings.estimation)
        ('sample', '[-250,-31]')
        """
        around: Any = {"estimation": self.abnormal.windows.estimation, "event": self.abnormal.event}
        if self.first_window is not None:
            around["windows"] = (self.first_window,)
        return self.config or StudyConfig(**around, model=self.model.name)

    def windows_of(self, windows: WindowsLike | None) -> list[Window]:
        """Convert a window, or a list of windows, to a list of Window objects.

        If `windows` is None, the method returns the windows in the settings of the study.

        Examples
        --------
        >>> [str(window) for window in results.windows_of([(0, 0), (0, 3)])]
        ['[0,0]', '[0,3]']
        """
        chosen = self.settings.tested if windows is None else Window.several(windows)
        if not chosen:
            raise ConfigError("no window", remedy="name one, such as (0, 1), or several")
        return list(chosen)

    def ids_of(self, rows: IntArray) -> Mapping[str, Any]:
        """Return event_id and ticker of some rows, as columns of a table."""
        return {name: self.events[name].to_numpy()[rows] for name in ("event_id", "ticker")}

    def __repr__(self) -> str:
        counts = f"{len(self)} of {len(self.events)} events"
        return f"<event study: {counts}, {self.model.label}, {self.abnormal.event}>"


def awaits_days(study: FittedStudy, window: Window) -> bool:
    """Return whether events lack days of `window` because those days are yet to come.

    These are used events, and those that are dropped because day 0 itself is yet to come.

    Parameters
    ----------
    study : FittedStudy
    window : Window
    """

    def awaits() -> bool:
        if day0_to_come(study).any():
            return True
        lacking = study.ok & ~study.abnormal.valid(window)
        flags = study.events.loc[lacking, "flags"] if lacking.any() else ()
        return any(Flag.INCOMPLETE_WINDOW in Flag.of(cell) for cell in flags)

    return study.remember(("awaits days", window), awaits)


def day0_to_come(study: FittedStudy) -> BoolArray:
    """Return which events are dropped because day 0 is shortly after the last prices, shape (n,).

    Parameters
    ----------
    study : FittedStudy
    """

    def wait() -> BoolArray:
        out = np.zeros(len(study.ok), dtype=bool)
        if study.ok.all():
            return out
        reasons = study.events["reason"].to_numpy(object)
        for i in np.flatnonzero(~study.ok):
            out[i] = getattr(reasons[i], "code", "") == TO_COME
        return out

    return study.remember("day0 to come", wait)


def chosen(rows: Any, n: int) -> BoolArray | IntArray:
    """Return a mask of n events, or positions among them, as an array.

    Parameters
    ----------
    rows : array_like
        Mask or positions; negative positions count from the end.
    n : int

    Raises
    ------
    ConfigError
        If it is neither, or does not fit n events.
    """
    array = np.asarray(rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biu"):
        value = rows if isinstance(rows, str) else type(rows).__name__
        raise make_error(ConfigError, "wrong.no_mask", value=value)
    if array.dtype == bool:
        if len(array) != n:
            raise ConfigError(f"a mask of {n} events is needed", value=f"a mask of {len(array)}")
        return array
    array = array.astype(np.int64)
    if array.size and not -n <= array.min() <= array.max() < n:
        raise ConfigError(f"there are {n} events, counted from 0", value=array.tolist())
    return array


def names_of(columns: str | Iterable[str]) -> list[str]:
    """Return the names of one column or of several."""
    is_single = isinstance(columns, str) or not isinstance(columns, Iterable)
    return [columns] if is_single else list(columns)  # type: ignore[list-item]
