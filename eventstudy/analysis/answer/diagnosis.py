"""The kind of a study, the tests that suit it, and how far to trust each with these events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from math import erfc, isfinite, prod, sqrt
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import Limits
from ...fitting import FittedStudy, WindowLike
from ...significance import STATISTICS, SignificanceTest, Statistic
from ...words import Reason, say
from .situation import KAPPA_EVENTS, SKEWNESS_EVENTS, Situation, measure

Trust = Literal["valid", "valid with care", "not valid"]
# Largest false-alarm rates of a valid 5% test, and of one that is valid with care.
VALID_UP_TO, WITH_CARE_UP_TO = 0.07, 0.12
# Below this a rate differs from 5% by no more than chance and rounding.
NOMINAL = 0.055
# Share of events with residuals that are not normal above which a test of variance for normal
# returns fails, and how often it then rejects at least (docs/methods/size.md: t(5)).
NON_NORMAL, NON_NORMAL_RATE = 0.25, 0.17
# The median of a skewed law moves with its scale: ranks and signs about it are not valid. At
# twice the variance corrado rejects in 28 to 99% and corrado_zivney_sign in 8 to 53%, by the length
# of the window (docs/methods/size.md: DS). One rate stands for both, just above what is valid with
# care.
SKEWED_AND_RAISED = 0.13
# Skewness for which false-alarm rates of a test are listed (docs/methods/size.md: D5, D2).
SKEWNESS_LISTED = (0.0, 0.7, 2.0)
CRITICAL = 1.959963984540054
# From here on a reader should know of missing days, and of firms that move together.
MATERIAL_MISSING, MATERIAL_FACTOR = 0.05, 1.1
# A larger share of the events on one date leaves a clustered variance little to average over.
LARGE_DATE = 1 / 3
# Reasons that other dates do not show: the news itself raises the variance.
RAISED = frozenset({"more_variable", "violent_days", "skewed_and_variable", "variable_every_event"})
# False-alarm rate, NaN where only the direction is known, and why.
Objection = tuple[float, Reason]


@dataclass(frozen=True, slots=True)
class Opinion:
    """A judgement whether one test is valid for the events of a study.

    Attributes
    ----------
    test : str
        Name of the test.
    trust : {"valid", "valid with care", "not valid"}
        By the rate of false alarms: "valid" up to 7%, "valid with care" up to 12%, "not valid"
        above.
    false_alarms : float
        Estimated rate at which the test rejects a true null hypothesis at the 5% level, for events
        like these. NaN if the rate is not known.
    reasons : tuple of Reason
        Features of the data that the test does not allow for; empty if there are none.
    pvalue : float
        Two-sided p-value of the test; NaN if the test cannot be computed.
    is_measured : bool
        Whether the rate was measured on other dates. If not, it is computed by a formula.
    """

    test: str
    trust: Trust
    false_alarms: float
    reasons: tuple[Reason, ...]
    pvalue: float
    is_measured: bool = False

    @property
    def reason(self) -> str:
        """The reasons in one text; "" if nothing speaks against the test."""
        return "; ".join(self.reasons)


def opinions(s: Situation, abnormal: AbnormalReturns) -> tuple[Opinion, ...]:
    """Return an opinion on every test of this number of events; of very many, on the usual tests.

    Parameters
    ----------
    s : Situation
    abnormal : AbnormalReturns

    Returns
    -------
    tuple of Opinion
    """
    entries = [entry for entry in STATISTICS.values() if entry.per_event == (s.n_events == 1)]
    if abnormal.is_of_many:
        entries = [entry for entry in entries if entry.core or entry.for_skewness]
    measure = abnormal.windows.measure
    return tuple(opinion(s, entry, entry(abnormal, s.window), measure) for entry in entries)


def opinion(
    s: Situation, entry: Statistic, result: SignificanceTest, measure: str = "return"
) -> Opinion:
    """Return the opinion on one test.

    Parameters
    ----------
    s : Situation
    entry : Statistic
        The registered test.
    result : SignificanceTest
        Its result for these events.
    measure : str
        What is studied.

    Returns
    -------
    Opinion
    """
    if not isfinite(result.pvalue):
        return Opinion(entry.name, Diagnosis.NOT_VALID, np.nan, (Reason.of(result.reason),), np.nan)
    objections = list(_objections(s, entry, measure))
    if result.reason:
        objections.append((np.nan, Reason.of(result.reason)))
    rates = [rate for rate, _ in objections if isfinite(rate)]
    unknown = len(rates) < len(objections)
    rate = max(rates, default=np.nan if unknown else 0.05)
    reasons = tuple(reason for _, reason in objections)
    return Opinion(entry.name, class_of(rate, unknown=unknown), rate, reasons, result.pvalue)


def with_rate(judged: Any, rate: float, error: float, draws: int) -> Any:
    """Return an opinion with the rate of false alarms that was measured on other dates.

    Parameters
    ----------
    judged : Opinion
        Or what has its fields.
    rate, error : float
        NaN where the test was not drawn; its Monte Carlo standard error.
    draws : int

    Returns
    -------
    Opinion
        With the rate that follows from the variance, where the news raised it and that is larger:
        other dates do not show it.
    """
    if not isfinite(rate + judged.pvalue):
        return judged
    raised = any(reason.code in RAISED for reason in judged.reasons) and judged.false_alarms > rate
    note = Reason("measured_quiet" if raised else "measured", rate=rate, error=error, n=draws)
    rate = judged.false_alarms if raised else rate
    reasons = (*judged.reasons, note) if judged.reasons or rate > VALID_UP_TO else ()
    found = {"trust": class_of(rate), "false_alarms": rate, "reasons": reasons}
    return replace(judged, **found, is_measured=not raised)


def false_alarms(factor: float) -> float:
    """Return the rejection rate of a 5% test if the variance is `factor` times the assumed one."""
    return erfc(CRITICAL / sqrt(2 * factor)) if factor > 0 else 0.0


def class_of(rate: float, *, unknown: bool = False) -> Trust:
    """Return the class of a test with such a rate of false alarms.

    Parameters
    ----------
    rate : float
    unknown : bool
        Whether an objection is of unknown size.
    """
    if rate > WITH_CARE_UP_TO:
        return Diagnosis.NOT_VALID
    return Diagnosis.WITH_CARE if unknown or rate > VALID_UP_TO else Diagnosis.VALID


def _objections(s: Situation, entry: Statistic, measure: str) -> Iterator[Objection]:
    """Yield the objections to a test of these events."""
    measured = [*_dependence(s, entry), *_variance(s, entry)]
    rate = false_alarms(max(1.0, prod(factor for factor, _ in measured)))
    if rate > NOMINAL:
        yield from ((rate, reason) for factor, reason in measured if factor > 1)
    yield from _shape(s, entry, measure)
    if s.n_events > 1 and s.factor <= Limits.SMALLEST_FACTOR and entry.variance != "n/a":
        yield 1.0, Reason("residuals_cancel")


def _dependence(s: Situation, entry: Statistic) -> Iterator[Objection]:
    """Yield by how much ignored correlation raises the variance of the mean, and its causes."""
    if entry.variance == "n/a" or not np.isfinite(s.factor):
        return
    causes = {
        "share_dates": entry.clustering == "no" and s.same_date_pairs,
        "overlap": entry.overlap == "no" and s.overlapping_pairs,
        "session_later": s.session_later and not entry.pairs_next_session,
    }
    if ignored := [cause for cause, applies in causes.items() if applies]:
        yield _unaccounted(s, entry), Reason("dependence", causes=ignored)


def _unaccounted(s: Situation, entry: Statistic) -> float:
    """Return the variance of the mean over the one that the test assumes."""
    if entry.clustering == "yes":
        return s.factor / (1 + (s.n_events - 1) * s.same_date_r)
    return s.factor / (1 - s.rbar) if entry.variance == "yes" else s.factor


def _variance(s: Situation, entry: Statistic) -> Iterator[Objection]:
    """Yield by how much the variance in the window exceeds what a test takes it to be.

    A rank test ("weak") sees about the root of it: 8.6 to 10.4% at twice the variance.
    """
    if entry.variance not in ("no", "weak") or entry.of_every_event:
        return
    if s.n_events >= KAPPA_EVENTS and s.theta > 1:
        factor = s.theta if entry.variance == "no" else sqrt(s.theta)
        yield factor, Reason("more_variable", times=s.theta)
    if s.recent_variance > 1 and not entry.scales_variance:
        factor = s.recent_variance if entry.variance == "no" else sqrt(s.recent_variance)
        yield factor, Reason("violent_days", times=s.recent_variance)


def _shape(s: Situation, entry: Statistic, measure: str) -> Iterator[Objection]:
    """Yield objections to a test that follow from the shape of the returns."""
    shape = s.skewness if s.n_events >= SKEWNESS_EVENTS else s.implied_skewness
    if s.skewed and entry.skewed:
        rate = float(np.interp(abs(shape), SKEWNESS_LISTED, (0.05, *entry.skewed)))
        yield rate, Reason("skewed" if measure == "return" else "skewed_values", skewness=shape)
    if s.skewed and s.variance_raised and entry.for_skewness:
        yield SKEWED_AND_RAISED, Reason("skewed_and_variable")
    if entry.variance == "n/a" and entry.skewness == "no" and s.non_normal > NON_NORMAL:
        yield NON_NORMAL_RATE, Reason("non_normal", share=s.non_normal)
    if entry.of_every_event and s.variance_raised:
        yield 1.0, Reason("variable_every_event")


@dataclass(frozen=True, kw_only=True)
class Diagnosis(Situation):
    """Features of the data, and what follows from them for each test (docs/methods/answer.md).

    Attributes
    ----------
    main_test : str
        Name of the test that decides the verdict.
    opinions : tuple of Opinion
        One judgement for each test that can be computed for this number of events.
    """

    VALID: ClassVar[Trust] = "valid"
    WITH_CARE: ClassVar[Trust] = "valid with care"
    NOT_VALID: ClassVar[Trust] = "not valid"
    CLASSES: ClassVar[tuple[Trust, ...]] = (VALID, WITH_CARE, NOT_VALID)

    main_test: str
    opinions: tuple[Opinion, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per test, the main test first: columns test, trust, false_alarms and reason."""
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
    def still(self) -> str:
        """Sentence on prices that stand still where events share sessions; "" if they move."""
        if self.still_days <= Limits.STANDSTILL or self.kind in ("none", "single", "dispersed"):
            return ""
        is_many = self.n_events > Limits.PAIRWISE
        name = "diagnosis.still_many" if is_many else "diagnosis.still"
        return say(name, share=self.still_days, limit=Limits.PAIRWISE)

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
    name = STATISTICS.main(situation.n_events or len(study))
    judged = opinions(situation, study.abnormal)
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
    elif d.factor < Limits.SMALL_FACTOR:
        yield say("diagnosis.cancel", **facts)
    elif d.factor > MATERIAL_FACTOR:
        yield say("diagnosis.together", **facts)
        if d.kind != "one_date":
            yield say("diagnosis.effective", n=d.n_events, effective=d.effective_n)
    if d.r_set_to_zero:
        yield say("diagnosis.zero_correlation")
    if d.n_events > Limits.PAIRWISE:
        yield say("diagnosis.by_sums", limit=Limits.PAIRWISE)
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
    if d.still:
        yield d.still
    if d.multi_day > 0:
        yield say("diagnosis.multi_day", share=d.multi_day)
    if d.time_unknown > 0:
        yield say("diagnosis.no_time" if d.time_unknown == 1 else "diagnosis.some_times")
