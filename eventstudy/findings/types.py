"""Findings: the typed document of a study and its setup, from which every format is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd

from .. import analysis
from ..abnormal import Conventions
from ..calendars import Window
from ..files import BLANK
from ..fitting import name_firms
from ..models import Engine
from ..quality import ReturnKind
from ..returns import Measure
from ..settings import StudyConfig
from ..utility import Day, TestName
from ..words import Reason
from .event_series import Estimation, Fault, Fit, PricePath


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model of normal returns, as the methods describe it.

    Attributes
    ----------
    name, label, formula, source : str
        As in the registry of models.
    factors, parameters : tuple of str
        Names of the factors of the model and of what it estimates for each event.
    least_squares, exact, forecasts_variance : bool
        How it is estimated, and whether the variance of a CAR is that of the estimator.
    cov_type : str
        Covariance of the parameters, "nonrobust" for the classical one.
    freedom_lost : tuple of int
        Values of M - degrees of freedom over the used events, ascending.
    instead_of : str
        Model that was asked for where the index of the only event is not free; else "".
    """

    name: str
    label: str
    formula: str
    source: str
    factors: tuple[str, ...]
    parameters: tuple[str, ...]
    least_squares: bool
    exact: bool
    forecasts_variance: bool
    cov_type: str
    freedom_lost: tuple[int, ...]
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the study is: its settings, model, windows, and how many events it has.

    Attributes
    ----------
    settings : dict
        The settings by their names in a study file.
    measure, kind, engine : str
        What is studied ("return", "volume" ...), simple or log returns, and the engine of the fit.
    model : ModelFacts
    main, estimation, event : Window
    tested : tuple of Window
        The windows of the tables, in their order.
    conventions : dict
        What tests do where authors differ, see :class:`~eventstudy.Conventions`.
    group_column : str
        Column that splits the events; "" for one sample.
    n_events, n_used, n_firms : int
        Events in the file, events used, and companies of all events in the answer.
    is_sampled : bool
        Whether only the most unusual of very many events are listed one by one.
    first, last : str
        Earliest and latest day 0 of the used events (ISO date); "" without any.
    benchmarks, directions : tuple of str
        Distinct values of the used events.
    estimation_days : tuple of int
        Smallest and largest number of complete estimation days; empty without used events.
    has_repeats : bool
        Whether a ticker has several used events.
    overlapped, confounded, extended : int
        Events left out for an earlier event of the firm, events left out for other news, and
        events whose CAR runs on beyond a price limit in some window.
    issues : dict of str to int
        Price-data issues in the windows of used events by kind, the most frequent first.
    currency, sizes_source : str
        Of the market values; "" without any.
    """

    settings: Annotated[Mapping[str, Any], StudyConfig]
    measure: Measure
    kind: ReturnKind
    engine: Engine
    model: ModelFacts
    main: Window
    estimation: Window
    event: Window
    tested: tuple[Window, ...]
    conventions: Annotated[Mapping[str, Any], Conventions]
    group_column: str
    n_events: int
    n_used: int
    n_firms: int
    is_sampled: bool
    first: Day
    last: Day
    benchmarks: tuple[str, ...]
    directions: tuple[str, ...]
    estimation_days: tuple[int, ...]
    has_repeats: bool
    overlapped: int
    confounded: int
    extended: int
    issues: Mapping[str, int]
    currency: str
    sizes_source: str


SCHEMA = "eventstudy-results/2"


@dataclass(frozen=True, eq=False, slots=True)
class Findings:
    """The document of a study: what it found, in plain values, without a sentence.

    Attributes
    ----------
    schema : str
        ``eventstudy-results/2``.
    name : str
    setup : Setup
    samples : tuple of Sample
        The group of the answer first, the other groups, and all events together (the group "").
    events : tuple of Event
        Those that are listed one by one, in the order of the file.
    dropped : tuple of (Reason, int)
        Kinds of reasons with the number of events, the most frequent first.
    notes : tuple of Note
        On the data.
    tables : dict of str to table
        Analyses that stand beside the answer, by file name; each table a list of columns.
    provenance : dict
        Source and checksum of the events, versions, command, prices by symbol.
    """

    # The JSON may hold members that are no fields here: the answers by group, and where a run is.
    is_open: ClassVar = True
    schema: str
    name: str
    setup: Setup
    samples: tuple[Sample, ...]
    events: tuple[Event, ...]
    dropped: tuple[tuple[Reason, int], ...]
    notes: tuple[Note, ...]
    tables: Mapping[str, pd.DataFrame]
    provenance: Mapping[str, Any]

    @property
    def sample(self) -> Sample:
        """The sample that the answer is about."""
        return self.samples[0]

    @property
    def pooled(self) -> Sample:
        """All events together."""
        return self.samples[-1]

    @property
    def groups(self) -> tuple[Sample, ...]:
        """The groups, that of the answer first; empty for one sample."""
        return self.samples[:-1]

    @property
    def used(self) -> tuple[Event, ...]:
        """The listed events that were used."""
        return tuple(event for event in self.events if event.is_used)

    @property
    def firms(self) -> dict[str, str]:
        """The company of each listed event, by its id."""
        cells = [event.cells for event in self.events]
        companies = [row.get("company") for row in cells]
        firms = name_firms(companies, [row["ticker"] for row in cells])
        return dict(zip([row["event_id"] for row in cells], firms, strict=True))

    def count_firms(self, sample: Sample) -> int:
        """Return how many companies the answer of a sample is about; 0 if not all are listed."""
        if self.setup.is_sampled:
            return 0
        main = self.setup.main
        short = {remark.event_id for remark in sample.short}
        firms = self.firms
        ids = {
            event.cells["event_id"]
            for event in self.of_group(sample.group)
            if np.isfinite(event.car(main).car)
        }
        return len({firms[event_id] for event_id in ids - short})

    def of_event(self, event: Event) -> Findings:
        """Return the findings of one used event that has a page, as of a study of it alone."""
        if event.detail is None or event.detail.sample is None:
            raise ValueError(f"{event.cells['event_id']} has no answer of its own")
        index = (str(event.cells["benchmark"]),)
        setup = replace(
            self.setup, n_events=1, n_used=1, n_firms=1, group_column="", benchmarks=index,
            first=event.day0, last=event.day0, is_sampled=False,
        )  # fmt: skip
        return replace(
            self, setup=setup, samples=(event.detail.sample,), events=(event,), dropped=(),
            tables={},
        )  # fmt: skip

    def of_group(self, group: str) -> list[Event]:
        """Return the listed events of a group that were used; all of them for the group ""."""
        column = self.setup.group_column
        return [e for e in self.used if group in ("", e.cells.get(column) or BLANK)]

    def beside(self, name: str, sample: Sample | None = None) -> pd.DataFrame:
        """Return a table about the events of a sample, by default the answer's; empty if none."""
        sample = sample or self.sample
        if not sample.group:
            return self.tables.get(name, pd.DataFrame())
        table = self.tables.get(f"{name}_by_group", pd.DataFrame())
        if table.empty:
            return table
        column = table.columns[0]
        return table[table[column] == sample.group].drop(columns=column)

    def over_main(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table that are over the main window; none without a table."""
        if table.empty:
            return table
        main = self.setup.main
        return table[(table["start"] == main.start) & (table["stop"] == main.stop)]


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the data.

    Attributes
    ----------
    text : Reason
        With the code of what happened; ``symbol`` among its facts where it is about one series.
    is_notice : bool
        Whether it is about the source of the data, not about one series of them.
    is_warning : bool
        Whether it may change the reading of the answer.
    is_serious : bool
        Whether all numbers are wrong if it is true.
    """

    text: Reason
    is_notice: bool
    is_warning: bool
    is_serious: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one group of events shows; the group "" are all events together.

    Attributes
    ----------
    group : str
    n_events, n_used : int
        Events of the group in the file, and events used.
    main, windows : WindowFinding, and a tuple of them
        Over the main window, and over the windows tested.
    day0 : WindowFinding, optional
        Over day 0 alone; None if the event window does not hold it.
    shown : tuple of str
        Tests that pages show, the main test first.
    firm : str
        Name of the company if all events with a CAR are of one; else "".
    news : tuple of str
        Cells of the events file that name other news, of a sample of one event.
    path : Path95, optional
        Mean abnormal returns by day; None for very short records of one event.
    diagnosis : Diagnosis, optional
        Over the main window.
    at_limit : int
        Events with a day that closes at a price limit, where windows are extended.
    filled_pairs : int
        Pairs of events of the answer with too few common days, which took the mean correlation of
        the others.
    flags : dict of str to int
        Number of used events with each flag.
    lacking, extended : tuple of CarRemark
        Used events without a CAR over the main window, and those whose CAR runs on beyond it.
    limit_days : tuple of str
        Of a sample of one event: days of the main window that closed at a price limit.
    n_lacking : int
        How many have no CAR; more than `lacking` where only some are listed.
    n_to_come : int
        Events that are dropped because day 0 is shortly after the last prices.
    shortest_estimation : int
        Smallest number of complete estimation days of a used event.
    short : tuple of CarRemark
        Events with too short a history, in the plain average only.
    halts : ClockAnswers, optional
        The answer with and without events whose trading was suspended; None where none was lost.
    once : CountedOnce, optional
        The answer with each firm counted once; None where no announcement has several listings.
    market : Reason
        Why the market model cannot be used on the days of the one used event; "" if it can.
    weekdays_closed : int
        For how many weekdays its exchange was closed within the main window; 0 for holidays.
    implied, around : ImpliedPath and Surroundings, optional
        Shares against the market implied (other measures: against normal); run-up and drift, of
        returns alone.
    """

    group: str
    n_events: int
    n_used: int
    main: WindowFinding
    windows: tuple[WindowFinding, ...] = ()
    day0: WindowFinding | None = None
    shown: tuple[TestName, ...] = ()
    firm: str
    news: tuple[str, ...]
    path: analysis.Path95 | None = None
    diagnosis: analysis.Diagnosis | None = None
    at_limit: int = 0
    filled_pairs: int = 0
    flags: Mapping[str, int] = field(default_factory=dict)
    lacking: tuple[CarRemark, ...]
    extended: tuple[CarRemark, ...]
    limit_days: tuple[Day, ...] = ()
    n_lacking: int
    n_to_come: int = 0
    shortest_estimation: int = 0
    short: tuple[CarRemark, ...] = ()
    halts: analysis.ClockAnswers | None = None
    once: analysis.CountedOnce | None = None
    market: Reason = Reason.NONE
    weekdays_closed: int = 0
    implied: analysis.ImpliedPath | None = None
    around: analysis.Surroundings | None = None

    def over(self, window: Window) -> WindowFinding:
        """Return what the sample shows over a window that was computed.

        Raises
        ------
        KeyError
            For another window.
        """
        every = (self.day0, *self.windows, self.main)
        return {finding.window: finding for finding in every if finding}[window]

    @property
    def answer(self) -> analysis.Answer:
        """The answer over the main window."""
        return self.main.answer


@dataclass(frozen=True, slots=True)
class WindowFinding:
    """What one sample shows over one window.

    Attributes
    ----------
    window : Window
    answer : Answer
    tests : tuple of TestFinding
        In the order of the registry, and then those that only the settings name.
    median : float
        Median CAR (decimal).
    positive, moved : int
        CARs above zero, and CARs with the sign of the plain average.
    moved_by_chance : float
        How many CARs would have that sign on quiet days; NaN where that is unknown.
    significant : int
        CARs whose t-test of the single event has p below 0.05, also those of events with too short
        a history.
    bhar : float
        Mean buy-and-hold abnormal return (decimal).
    is_extended : bool
        Whether some CAR runs on beyond a price limit.
    """

    window: Window
    answer: analysis.Answer
    tests: tuple[TestFinding, ...]
    median: float
    positive: int
    moved: int
    moved_by_chance: float
    significant: int
    bhar: float
    is_extended: bool

    def test(self, name: str) -> TestFinding | None:
        """Return the finding of one test; None if it was not computed."""
        return next((test for test in self.tests if test.test == name), None)


@dataclass(frozen=True, slots=True)
class TestFinding:
    """One test over one window, with the opinion on it.

    Attributes
    ----------
    test : str
        Canonical name.
    statistic, pvalue : float
        NaN where the test does not apply.
    distribution : str
        Reference law in words.
    n_events : int
    trust : {"valid", "valid with care", "not valid"}
    false_alarms : float
        Estimated rate at which the 5% test rejects a true null here; NaN where nobody knows.
    reasons : tuple of Reason
        Why it does not apply, or what it does not allow for; empty otherwise.
    is_measured : bool
        Whether `false_alarms` was measured on other dates of these firms; else it follows from a
        formula.
    """

    test: TestName
    statistic: float
    pvalue: float
    distribution: str
    n_events: int
    trust: analysis.Trust
    false_alarms: float
    reasons: tuple[Reason, ...]
    is_measured: bool = False

    @property
    def reason(self) -> str:
        """The reasons in one text."""
        return "; ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class CarRemark:
    """An event of whose CAR over a window something must be said: missing, extended, short.

    Attributes
    ----------
    event_id, name : str
    reason : Reason
        Why, with what helps as its remedy.
    """

    event_id: str
    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Event:
    """One listed event.

    Attributes
    ----------
    cells : dict of str to str
        The row of ``events.csv`` but for its outcome.
    is_used : bool
    day0 : str
        ISO date; "" if it is unknown.
    reason : Reason
        Why it was dropped; "" if it was used.
    flags : tuple of str
        See :class:`~eventstudy.utility.flags.Flag`.
    params : tuple of float
        Estimates in the order of the model's parameters; empty for a dropped event.
    r2, sigma : float
        Fit and residual standard deviation a day (decimal).
    nobs : int
        Complete estimation days.
    cars : tuple of EventCar
        Over the main window and the windows tested.
    page : str
        Address of the page of the event within the run; "" if it has none.
    detail : EventDetail, optional
        What that page shows.
    merged : tuple of str
        Ids of other announcements that are part of this event.
    """

    cells: Mapping[str, Any]
    is_used: bool
    day0: Day
    reason: Reason
    flags: tuple[str, ...]
    params: tuple[float, ...]
    r2: float
    sigma: float
    nobs: int
    cars: tuple[EventCar, ...]
    page: str
    detail: EventDetail | None
    merged: tuple[str, ...] = ()

    @staticmethod
    def firm_of(cells: Mapping[str, Any] | pd.Series[Any]) -> str:
        """Return the company of an event, or its ticker where that is blank."""
        company = cells.get("company")
        is_named = isinstance(company, str) and company.strip()
        return str(company if is_named else cells["ticker"]).strip()

    @property
    def name(self) -> str:
        """The company, or the ticker where that is blank."""
        return self.firm_of(self.cells)

    def car(self, window: Window) -> EventCar:
        """Return the CAR over a window that was computed; KeyError for another one."""
        for car in self.cars:
            if car.window == window:
                return car
        raise KeyError(window)


@dataclass(frozen=True, slots=True)
class EventCar:
    """The CAR of one event over one window (decimal), with its t-test.

    Attributes
    ----------
    window : Window
    car, se, half : float
        CAR, its standard error, and half the width of its 95% interval; NaN without a CAR.
    statistic, pvalue, bhar : float
    reason : Reason
        Why there is no CAR; "" where there is one.
    until : str
        Last session (ISO date) of a CAR that runs on beyond its window; "" otherwise.
    until_day : int, optional
        That session as event day; None beyond the event window.
    """

    window: Window
    car: float
    se: float
    half: float
    statistic: float
    pvalue: float
    bhar: float
    reason: Reason
    until: Day
    until_day: int | None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval."""
        return self.car - self.half, self.car + self.half

    @property
    def error(self) -> float:
        """The standard error by which the statistic, p and interval judge: larger on violent days.

        Of a CAR of zero it is `se`.
        """
        return abs(self.car / self.statistic) if self.statistic else self.se


@dataclass(frozen=True, slots=True)
class EventDetail:
    """What the page of one event shows beyond its row.

    Attributes
    ----------
    sample : Sample, optional
        The event as a study of its own, over the main window; None for a dropped event.
    price : PricePath, optional
        None without prices around the event.
    fit : Fit, optional
    estimation : Estimation, optional
    remark : str
        What happened in the estimation; "" if nothing did.
    stand_in : Reason
        Why another index is used than the one named; "" otherwise.
    same_session : tuple of str
        Names of the other used events of this day 0, a few of `n_same_session`.
    n_same_session, n_other_dates : int
    other_dates : tuple of str
        Day 0 (ISO) of the other events of the listing, a few of `n_other_dates`.
    faults : tuple of Fault
    news : tuple of str
        Cells of the events file that name other news.
    currency : str
    halt_drift : Reason
        How many sessions of alpha the expected return over a halt leaves out; "" if none.
    fall : Fall, optional
        What became of the price of an event without a CAR over the main window; None for others,
        and where nobody knows.
    """

    sample: Sample | None
    price: PricePath | None
    fit: Fit | None
    estimation: Estimation | None
    remark: str
    stand_in: Reason
    same_session: tuple[str, ...]
    n_same_session: int
    other_dates: tuple[Day, ...]
    n_other_dates: int
    faults: tuple[Fault, ...]
    news: tuple[str, ...]
    currency: str
    halt_drift: Reason = Reason.NONE
    fall: analysis.Fall | None = None
