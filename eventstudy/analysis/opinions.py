"""How far to trust each test: the false alarms that its assumptions cost with these events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import erfc, isfinite, prod, sqrt

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..fitting.fitted import part_of_many
from ..significance import STATISTICS, SignificanceTest, Statistic
from ..significance._correlation import SMALLEST_FACTOR
from ..utility.catalogue import Reason
from .situation import KAPPA_EVENTS, SKEWNESS_EVENTS, Situation

VALID, WITH_CARE, NOT_VALID = "valid", "valid with care", "not valid"
# Largest false-alarm rates of a valid 5% test, and of one that is valid with care.
VALID_UP_TO, WITH_CARE_UP_TO = 0.07, 0.12
# Below this a rate differs from 5% by no more than chance and rounding.
NOMINAL = 0.055
# Share of events with residuals that are not normal above which a test of variance for normal
# returns fails, and how often it then rejects at least (docs/methods.md, 5: t(5)).
NON_NORMAL, NON_NORMAL_RATE = 0.25, 0.17
# The median of a skewed law moves with its scale: at twice the variance ranks and signs about it
# reject in 13% or more (docs/methods.md, 5).
SKEWED_AND_RAISED = 0.13
# Skewness for which false-alarm rates of a test are listed (columns D5, D2 of docs/methods.md, 5).
SKEWNESS_LISTED = (0.0, 0.7, 2.0)
CRITICAL = 1.959963984540054
# False-alarm rate, NaN where only the direction is known, and why.
Objection = tuple[float, Reason]


@dataclass(frozen=True, slots=True)
class Opinion:
    """A judgement on one test of these events.

    Attributes
    ----------
    test : str
        Canonical name.
    trust : {"valid", "valid with care", "not valid"}
        By the false-alarm rate: up to 7%, up to 12%, above.
    false_alarms : float
        Estimated rate at which a 5% test of this design rejects a true null; NaN where nobody
        knows.
    reasons : tuple of Reason
        What it does not allow for; empty where nothing speaks against it.
    pvalue : float
        Two-sided; NaN where the test does not apply.
    """

    test: str
    trust: str
    false_alarms: float
    reasons: tuple[Reason, ...]
    pvalue: float

    @property
    def reason(self) -> str:
        """The reasons in one text; "" where nothing speaks against the test."""
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
    if part_of_many(abnormal):
        entries = [entry for entry in entries if entry.core or entry.for_skewness]
    return tuple(opinion(s, entry, entry(abnormal, s.window)) for entry in entries)


def opinion(s: Situation, entry: Statistic, result: SignificanceTest) -> Opinion:
    """Return the opinion on one test.

    Parameters
    ----------
    s : Situation
    entry : Statistic
        The registered test.
    result : SignificanceTest
        Its result for these events.

    Returns
    -------
    Opinion
    """
    if not isfinite(result.pvalue):
        return Opinion(entry.name, NOT_VALID, np.nan, (Reason.of(result.reason),), np.nan)
    objections = list(_objections(s, entry))
    if result.reason:
        objections.append((np.nan, Reason.of(result.reason)))
    rates = [rate for rate, _ in objections if isfinite(rate)]
    unknown = len(rates) < len(objections)
    rate = max(rates, default=np.nan if unknown else 0.05)
    reasons = tuple(reason for _, reason in objections)
    return Opinion(entry.name, _class(rate, unknown=unknown), rate, reasons, result.pvalue)


def false_alarms(factor: float) -> float:
    """Return the rejection rate of a 5% test if the variance is `factor` times the assumed one."""
    return erfc(CRITICAL / sqrt(2 * factor)) if factor > 0 else 0.0


def _class(rate: float, *, unknown: bool) -> str:
    if rate > WITH_CARE_UP_TO:
        return NOT_VALID
    return WITH_CARE if unknown or rate > VALID_UP_TO else VALID


def _objections(s: Situation, entry: Statistic) -> Iterator[Objection]:
    """Yield the objections to a test of these events."""
    measured = [*_dependence(s, entry), *_variance(s, entry)]
    rate = false_alarms(max(1.0, prod(factor for factor, _ in measured)))
    if rate > NOMINAL:
        yield from ((rate, reason) for factor, reason in measured if factor > 1)
    yield from _shape(s, entry)
    if s.censored and entry.uses_residuals:
        yield np.nan, Reason("censored_residuals")
    if s.n_events > 1 and s.factor <= SMALLEST_FACTOR and entry.variance != "n/a":
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


def _shape(s: Situation, entry: Statistic) -> Iterator[Objection]:
    """Yield objections to a test that follow from the shape of the returns."""
    shape = s.skewness if s.n_events >= SKEWNESS_EVENTS else s.implied_skewness
    if s.skewed and entry.skewed:
        rate = float(np.interp(abs(shape), SKEWNESS_LISTED, (0.05, *entry.skewed)))
        yield rate, Reason("skewed", skewness=shape)
    if s.skewed and s.variance_raised and entry.for_skewness:
        yield SKEWED_AND_RAISED, Reason("skewed_and_variable")
    if entry.variance == "n/a" and entry.skewness == "no" and s.non_normal > NON_NORMAL:
        yield NON_NORMAL_RATE, Reason("non_normal", share=s.non_normal)
    if entry.of_every_event and s.variance_raised:
        yield 1.0, Reason("variable_every_event")
