"""What the findings have of each group of events, by window and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..analysis.answer import Answer
from ..analysis.caar_path import Path95
from ..analysis.diagnosis import Diagnosis
from ..calendars.window import Window
from ..utility.catalogue import Reason


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
    """

    test: str
    statistic: float
    pvalue: float
    distribution: str
    n_events: int
    trust: str
    false_alarms: float
    reasons: tuple[Reason, ...]

    @property
    def reason(self) -> str:
        """The reasons in one text."""
        return "; ".join(self.reasons)


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
        CARs whose t-test of the single event has p below 0.05.
    bhar : float
        Mean buy-and-hold abnormal return (decimal).
    is_extended : bool
        Whether some CAR runs on beyond a price limit.
    """

    window: Window
    answer: Answer
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
        return next((one for one in self.tests if one.test == name), None)


@dataclass(frozen=True, slots=True)
class CarRemark:
    """An event whose CAR over a window is missing, or runs on beyond the window.

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
class Sample:
    """What one group of events shows; the group "" are all events together.

    Attributes
    ----------
    group : str
    n_events, n_used : int
        Events of the group in the file, and events used.
    main : WindowFinding
        Over the main window.
    windows : tuple of WindowFinding
        Over the windows tested.
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
        Pairs of events with too few common days, which took the mean correlation of the others.
    flags : dict of str to int
        Number of used events with each flag.
    lacking, extended : tuple of CarRemark
        Used events without a CAR over the main window, and those whose CAR runs on beyond it.
    n_lacking : int
        How many have no CAR; more than `lacking` where only some are listed.
    shortest_estimation : int
        Smallest number of complete estimation days of a used event.
    """

    group: str
    n_events: int
    n_used: int
    main: WindowFinding
    windows: tuple[WindowFinding, ...]
    day0: WindowFinding | None
    shown: tuple[str, ...]
    firm: str
    news: tuple[str, ...]
    path: Path95 | None
    diagnosis: Diagnosis | None
    at_limit: int
    filled_pairs: int
    flags: Mapping[str, int]
    lacking: tuple[CarRemark, ...]
    extended: tuple[CarRemark, ...]
    n_lacking: int
    shortest_estimation: int

    def over(self, window: Window) -> WindowFinding:
        """Return what the sample shows over a window that was computed.

        Raises
        ------
        KeyError
            For another window.
        """
        every = (self.main, *self.windows, *([self.day0] if self.day0 else []))
        for finding in every:
            if finding.window == window:
                return finding
        raise KeyError(window)

    @property
    def answer(self) -> Answer:
        """The answer over the main window."""
        return self.main.answer
