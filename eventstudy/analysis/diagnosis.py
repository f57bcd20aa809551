"""The kind of a study, the tests that suit it, and the reasons, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from ..calendars.window import Window
from ..fitting.fitted import FittedStudy, WindowLike
from ..significance import main_test
from ..significance._correlation import SMALL_FACTOR
from ..significance._pairs import PAIRWISE_LIMIT
from ..utility.catalogue import say
from .opinions import Opinion, opinions
from .situation import SKEWNESS_EVENTS, Situation, measure

# From here on a reader should know of missing days, and of firms that move together.
MATERIAL_MISSING, MATERIAL_FACTOR = 0.05, 1.1
# A larger share of the events on one date leaves a clustered variance little to average over.
LARGE_DATE = 1 / 3


@dataclass(frozen=True, kw_only=True)
class Diagnosis(Situation):
    """A situation, and what follows from it for the tests (docs/methods.md, The answer).

    Attributes
    ----------
    main_test : str
        The test that decides, by the number of events alone.
    opinions : tuple of Opinion
        One for every registered test that speaks of this number of events.
    """

    main_test: str
    opinions: tuple[Opinion, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Columns test, trust, false_alarms, reason; the main test first."""
        rows = [(v.test, v.trust, v.false_alarms, v.reason) for v in self.opinions]
        rows.sort(key=lambda row: row[0] != self.main_test)
        return pd.DataFrame(rows, columns=["test", "trust", "false_alarms", "reason"])

    @property
    def large_date(self) -> bool:
        """Whether one date has so many of the events that the result without it should be read."""
        n_elsewhere = round(self.n_events * (1 - self.largest_date)) if self.n_dates > 1 else 0
        return n_elsewhere > 1 and self.events_per_date[2] > 1 and self.largest_date > LARGE_DATE

    @property
    def late(self) -> str:
        """Sentence on prices that begin within the estimation window; "" if none do."""
        if not self.late_events:
            return ""
        days = {"length": self.estimation_length, "shortest": self.shortest_estimation}
        return say("diagnosis.late", n=self.late_events, **days)

    @property
    def text(self) -> list[str]:
        """The diagnosis in sentences."""
        return [*_of_dates(self), *_of_returns(self), *_of_data(self)]

    def __str__(self) -> str:
        return "\n".join([*self.text, "", self.table.to_string(index=False, justify="left")])

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.text)
        return words + str(self.table.to_html(index=False, border=0))


def diagnose(study: FittedStudy, window: WindowLike | None = None) -> Diagnosis:
    """Return the kind of a study, and how far to trust each test over `window`.

    Parameters
    ----------
    study : FittedStudy
    window : window, optional
        By default [0,1] if the event window holds it, else the first standard window.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window.
    """
    chosen = study.main if window is None else Window.of(window)
    return study.remember(("diagnosis", chosen), lambda: _diagnosis(study, chosen))


def _diagnosis(study: FittedStudy, window: Window) -> Diagnosis:
    situation = measure(study, window)
    name, judged = main_test(situation.n_events or len(study)), opinions(situation, study.abnormal)
    return Diagnosis(**vars(situation), main_test=name, opinions=judged)


def _of_dates(d: Diagnosis) -> Iterator[str]:
    low, median, high = d.events_per_date
    facts: dict[str, Any] = {"window": d.window, "n": d.n_events, "dates": d.n_dates}
    facts |= {"L": len(d.window), "low": low, "high": high, "median": median}
    some = "some" if d.overlapping_pairs else "none"
    shared = say(f"diagnosis.shared_{some}", window=d.window, share=d.overlapping_pairs)
    facts |= {"overlap": d.overlapping_pairs, "clusters": d.n_clusters, "shared": shared}
    yield say(f"diagnosis.{d.kind}", **facts)
    if d.large_date:
        yield say("diagnosis.large_date", share=d.largest_date)
    if d.repeated_firms:
        yield say("diagnosis.repeated_firms", n=d.repeated_firms)


def _of_returns(d: Diagnosis) -> Iterator[str]:
    if d.n_events < 2:
        return
    facts = {"r": d.rbar, "factor": d.factor, "n": d.n_events}
    if not np.isfinite(d.factor):
        yield say("diagnosis.no_correlation")
    elif d.factor < SMALL_FACTOR:
        yield say("diagnosis.cancel", **facts)
    elif d.factor > MATERIAL_FACTOR:
        yield say("diagnosis.together", **facts)
        if d.kind != "one_date":
            yield say("diagnosis.effective", n=d.n_events, effective=d.effective_n)
    if d.r_set_to_zero:
        yield say("diagnosis.zero_correlation")
    if d.n_events > PAIRWISE_LIMIT:
        yield say("diagnosis.by_sums", limit=PAIRWISE_LIMIT)
    if d.variance_raised:
        yield say("diagnosis.variable", ratio=d.variance_ratio, kappa=d.kappa)
    if d.skewed:
        code = "skewed" if d.n_events >= SKEWNESS_EVENTS else "skewed_residuals"
        yield say(f"diagnosis.{code}", cars=d.skewness, residuals=d.residual_skewness)


def _of_data(d: Diagnosis) -> Iterator[str]:
    if d.late:
        yield d.late
    if d.missing_days > MATERIAL_MISSING:
        yield say("diagnosis.thin", share=d.missing_days, shortest=d.shortest_estimation)
    if d.multi_day > 0:
        yield say("diagnosis.multi_day", share=d.multi_day)
    if d.time_unknown > 0:
        yield say("diagnosis.no_time" if d.time_unknown == 1 else "diagnosis.some_times")
