"""How far to trust each test here: the false alarms that its assumptions cost with these events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import erfc, isfinite, prod, sqrt

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..fitting.large_samples import part_of_many
from ..significance import STATISTICS, SignificanceTest, Statistic
from ..significance._correlation import SMALLEST_FACTOR
from .situation import KAPPA_EVENTS, SKEWNESS_EVENTS, Situation

VALID, WITH_CARE, NOT_VALID = "valid", "valid with care", "not valid"
# Largest false-alarm rates of a valid 5% test, and of one that is valid with care.
VALID_UP_TO, WITH_CARE_UP_TO = 0.07, 0.12
# Below this a rate differs from 5% by no more than chance and rounding.
NOMINAL = 0.055
# Share of events with residuals that are not normal, above which a test of variance for normal
# returns fails, and how often it then rejects at least (docs/methods.md, 5: t with 5 degrees of
# freedom).
NON_NORMAL, NON_NORMAL_RATE = 0.25, 0.17
# The median of a skewed law moves with its scale: at twice the variance ranks and signs about it
# reject in 13% or more (docs/methods.md, 5).
SKEWED_AND_RAISED = 0.13
# Skewness for which the false-alarm rates of a test are listed (columns D5 and D2 of
# docs/methods.md, 5).
SKEWNESS_LISTED = (0.0, 0.7, 2.0)
CRITICAL = 1.959963984540054
# False-alarm rate, NaN where only the direction is known, and why.
Objection = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What to think of one test here.

    Attributes
    ----------
    test : str
        Canonical name.
    trust : {"valid", "valid with care", "not valid"}
        By the false-alarm rate: up to 7%, up to 12%, above.
    false_alarms : float
        Estimated rate at which a 5% test of this design rejects a true null; NaN where nobody
        knows.
    reason : str
        What it does not allow for; "" where nothing speaks against it.
    pvalue : float
        Two-sided; NaN where the test does not apply.
    """

    test: str
    trust: str
    false_alarms: float
    reason: str
    pvalue: float


def opinions(s: Situation, abnormal: AbnormalReturns) -> tuple[Opinion, ...]:
    """Return an opinion on every test of this number of events; of very many, on the usual
    tests."""
    entries = [entry for entry in STATISTICS.values() if entry.per_event == (s.n_events == 1)]
    if part_of_many(abnormal):
        entries = [entry for entry in entries if entry.core or entry.for_skewness]
    return tuple(opinion(s, entry, entry(abnormal, s.window)) for entry in entries)


def opinion(s: Situation, entry: Statistic, result: SignificanceTest) -> Opinion:
    """Return the opinion on one test."""
    if not isfinite(result.pvalue):
        return Opinion(entry.name, NOT_VALID, np.nan, result.reason, np.nan)
    objections = list(_objections(s, entry))
    if result.reason:
        objections.append((np.nan, result.reason))
    rates = [rate for rate, _ in objections if isfinite(rate)]
    unknown = len(rates) < len(objections)
    rate = max(rates, default=np.nan if unknown else 0.05)
    return Opinion(
        entry.name,
        _class(rate, unknown=unknown),
        rate,
        "; ".join(why for _, why in objections),
        result.pvalue,
    )


def false_alarms(factor: float) -> float:
    """Return how often a 5% test rejects a true null whose variance is `factor` times what it
    assumes."""
    return erfc(CRITICAL / sqrt(2 * factor)) if factor > 0 else 0.0


def percent(share: float) -> str:
    """Return a share as whole percent, or one digit below 10%."""
    return f"{100 * share:.0f}%" if share >= 0.095 or share == 0 else f"{100 * share:.1g}%"


def _class(rate: float, *, unknown: bool) -> str:
    if rate > WITH_CARE_UP_TO:
        return NOT_VALID
    return WITH_CARE if unknown or rate > VALID_UP_TO else VALID


def _objections(s: Situation, entry: Statistic) -> Iterator[Objection]:
    """Yield what speaks against a test of these events."""
    measured = [*_dependence(s, entry), *_variance(s, entry)]
    rate = false_alarms(max(1.0, prod(factor for factor, _ in measured)))
    if rate > NOMINAL:
        yield rate, "; ".join(why for factor, why in measured if factor > 1)
    yield from _shape(s, entry)
    if s.censored and entry.uses_residuals:
        yield np.nan, "estimation days at a price limit are bounds, which its residuals lack"
    if s.n_events > 1 and s.factor <= SMALLEST_FACTOR and entry.variance != "n/a":
        yield 1.0, "the residuals cancel, as if the benchmark were made of the firms"


def _dependence(s: Situation, entry: Statistic) -> Iterator[tuple[float, str]]:
    """Yield by how much correlation that a test ignores raises the variance of its mean, and whose
    it is."""
    if entry.variance == "n/a" or not np.isfinite(s.factor):
        return
    whys = []
    if entry.clustering == "no" and s.same_date_pairs:
        whys.append("events share dates")
    if entry.overlap == "no" and s.overlapping_pairs:
        whys.append("windows of different dates overlap")
    if s.session_later and not entry.pairs_next_session:
        whys.append("the same news reaches some exchanges a session later")
    if whys:
        yield _unaccounted(s, entry), " and ".join(whys)


def _unaccounted(s: Situation, entry: Statistic) -> float:
    """Return by how much the variance of the mean exceeds what the test takes it to be."""
    if entry.clustering == "yes":
        return s.factor / (1 + (s.n_events - 1) * s.same_date_r)
    return s.factor / (1 - s.rbar) if entry.variance == "yes" else s.factor


def _variance(s: Situation, entry: Statistic) -> Iterator[tuple[float, str]]:
    """Yield by how much the variance in the window exceeds what a test takes it to be.

    A rank test ("weak") sees about the root of it: 8.6 to 10.4% at twice the variance.
    """
    if entry.variance not in ("no", "weak") or entry.of_every_event:
        return
    if s.n_events >= KAPPA_EVENTS and s.theta > 1:
        yield (
            s.theta if entry.variance == "no" else sqrt(s.theta),
            (f"returns were {s.theta:.1f} times as variable as usual"),
        )


def _shape(s: Situation, entry: Statistic) -> Iterator[Objection]:
    """Yield what the shape of the returns does to a test."""
    shape = s.skewness if s.n_events >= SKEWNESS_EVENTS else s.implied_skewness
    if s.skewed and entry.skewed:
        rate = float(np.interp(abs(shape), SKEWNESS_LISTED, (0.05, *entry.skewed)))
        yield rate, f"abnormal returns are skewed ({shape:+.1f})"
    if s.skewed and s.variance_raised and entry.for_skewness:
        yield (
            SKEWED_AND_RAISED,
            "skewed returns that are more variable than usual have another median",
        )
    if entry.variance == "n/a" and entry.skewness == "no" and s.non_normal > NON_NORMAL:
        yield NON_NORMAL_RATE, f"residuals of {percent(s.non_normal)} of the events are not normal"
    if entry.of_every_event and s.variance_raised:
        yield 1.0, "returns were more variable than usual, which its F sees in every single event"
