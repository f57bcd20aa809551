"""Which tests to trust in a situation: their grades crossed with what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import erfc, prod, sqrt

import numpy as np

from ..abnormal import AbnormalReturns
from ..listing import part_of_many
from ..pvalues import p_is
from ..significance import STATISTICS, SignificanceTest, Statistic
from ..significance._correlation import SMALLEST_FACTOR
from .situation import MATERIAL_FACTOR, REJECTS, SKEWNESS_EVENTS, Situation

RECOMMENDED, USABLE, DOUBTFUL, NOT_HERE = "recommended", "usable", "doubtful", "not here"
# A test that rejects three times as often as it says is not to be used at all.
WORST_SIZE = 0.15
# Share of events with residuals that are not normal, above which a test of variance for normal returns fails.
NON_NORMAL = 0.25
# The headline, and what stands beside it, by kind of situation (docs/methods.md, Choosing).
PLANS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "single": ("event_t", "sq"),
    "one_date": ("bmp_kp", "grank_t", "corrado_zivney_sign"),
    "dispersed": ("bmp_kp", "bmp", "grank_t", "cross_sectional"),
    "same_date_groups": ("bmp_kp", "grank_t", "wild_bootstrap", "date_clustered"),
    "close_dates": ("bmp_kp", "calendar_time", "wild_bootstrap"),
}
# For want of the headline, the first of these that nothing speaks against.
FALLBACKS = (
    "calendar_time", "wild_bootstrap", "date_clustered", "grank_t", "bmp", "corrado_zivney_sign",
    "cross_sectional", "wilcoxon", "portfolio", "patell_kp", "cda",
)  # fmt: skip
# What pairs exchanges that are never open together a session apart.
LAGGED = ("bmp_kp", "patell_kp", "grank_z_kp")
# Windows on end for this share of the estimation days leave calendar time no power against a short effect.
LONG_RUN = 0.25
# What skewness does not harm.
FOR_SKEWNESS = ("corrado", "corrado_zivney_sign")
# What is compared with estimation residuals: large ones are missing where days at a price limit are bounds.
WITH_RESIDUALS = (
    "sq", "placebo_windows", "cda", "corrado", "corrado_zivney", "corrado_zivney_sign", "grank_t", "grank_z",
    "grank_z_kp", "generalized_sign", "rank_variance", "brown_forsythe",
)  # fmt: skip
STEPS = ("sign_exact",)
# An F of all events sees the variance of each: no factor says how often it rejects.
OF_EVERY_EVENT = ("mvrm", "mvrm_wilks")
REACHES = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to think of one test here.

    Attributes
    ----------
    test : str
        Canonical name.
    trust : {"recommended", "usable", "doubtful", "not here"}
    reason : str
    pvalue : float
        Two-sided; NaN where the test does not apply.
    """

    test: str
    trust: str
    reason: str
    pvalue: float

    @property
    def usable(self) -> bool:
        """Whether the p-value may be relied on."""
        return self.trust in (RECOMMENDED, USABLE)


def judge(s: Situation, abnormal: AbnormalReturns) -> tuple[tuple[str, ...], tuple[Verdict, ...]]:
    """Return the recommended tests, headline first, and a verdict on every test of this number of events.

    Of very many events a verdict on the tests that the plan has for them, and on those of summaries.
    """
    entries = [entry for entry in STATISTICS.values() if entry.per_event == (s.n_events == 1)]
    if part_of_many(abnormal):
        able = {*PLANS[s.kind], *FOR_SKEWNESS}
        entries = [entry for entry in entries if entry.core or entry.name in able]
    found = {entry.name: verdict(s, entry, entry(abnormal, s.window)) for entry in entries}
    names = recommend(s, found)
    for i, name in enumerate(names):
        found[name] = replace(found[name], trust=RECOMMENDED, reason=_role(s, found, names, i))
    return names, tuple(found.values())


def verdict(s: Situation, entry: Statistic, result: SignificanceTest) -> Verdict:
    """Return the verdict on one test, before any is recommended."""
    if not np.isfinite(result.pvalue):
        return Verdict(entry.name, NOT_HERE, result.reason, np.nan)
    strikes = list(_strikes(s, entry))
    if result.reason:
        strikes.append((DOUBTFUL, result.reason))
    worst = max((trust for trust, _ in strikes), key=[USABLE, DOUBTFUL, NOT_HERE].index, default=USABLE)
    reason = "; ".join(why for _, why in strikes) or "nothing found here speaks against it"
    return Verdict(entry.name, worst, reason, result.pvalue)


def recommend(s: Situation, found: Mapping[str, Verdict]) -> tuple[str, ...]:
    """Return the headline and the tests beside it, those that nothing speaks against.

    Few events have no headline that something speaks against: they are not tested then.
    """
    plan = PLANS[s.kind] + (FOR_SKEWNESS if s.skewed else ())
    if _trust(found, "wild_bootstrap") == USABLE:
        plan = tuple(name for name in plan if name != "date_clustered")
    by_trust = {t: [n for n in (*plan, *FALLBACKS) if _trust(found, n) == t] for t in (USABLE, DOUBTFUL)}
    headline = (by_trust[USABLE] or ([] if s.few else by_trust[DOUBTFUL]))[:1]
    return tuple(dict.fromkeys([*headline, *(name for name in plan if name in by_trust[USABLE])]))


def size(factor: float) -> float:
    """Return how often a 5% test rejects whose variance is `factor` times what it takes it to be."""
    return erfc(REACHES / sqrt(2 * factor)) if factor > 0 else 0.0


def percent(share: float) -> str:
    """Return a share as whole percent, or one digit below 10%."""
    return f"{100 * share:.0f}%" if share >= 0.095 or share == 0 else f"{100 * share:.1g}%"


def disagreement(found: Mapping[str, Verdict]) -> str:
    """Return a sentence if BMP-KP rejects at 5% and the calendar-time test does not; else ""."""
    one, other = (found[name].pvalue if name in found else np.nan for name in ("bmp_kp", "calendar_time"))
    if not one < REJECTS <= other or found["calendar_time"].trust not in (RECOMMENDED, USABLE):
        return ""
    return (
        f"BMP-KP rejects ({p_is(one)}) and the calendar-time test does not ({p_is(other)}): if the event "
        "raised the variance that the firms have in common, only the second holds its size"
    )


def _strikes(s: Situation, entry: Statistic) -> Iterator[tuple[str, str]]:
    """Yield what speaks against a test: how badly, and why."""
    whys = [*_of_dependence(s, entry), *_of_variance(s, entry)]
    measured = {why: factor for why, factor in whys if factor is not None}
    if measured:
        trust, why = _graded("; ".join(measured), prod(measured.values()))
        # The steps of an exact law lie below 5 %, so that the rate of a continuous one is none of its own.
        yield trust, "; ".join(measured) if entry.name in STEPS else why
    yield from ((DOUBTFUL, why) for why, factor in whys if factor is None)
    yield from _of_design(s, entry)
    if s.few and entry.variance == "no":
        yield DOUBTFUL, f"{s.n_events} events cannot tell an effect from a rise in variance"
    if s.skewed and entry.skewness == "no":
        shape = s.skewness if s.n_events >= SKEWNESS_EVENTS else s.residual_skewness
        yield DOUBTFUL, f"abnormal returns are skewed ({shape:+.1f})"
    # A test of variance that skewness harms is harmed by fat tails as well.
    if entry.variance == "n/a" and entry.skewness == "no" and s.non_normal > NON_NORMAL:
        yield DOUBTFUL, f"residuals of {percent(s.non_normal)} of the events are not normal"


def _of_design(s: Situation, entry: Statistic) -> Iterator[tuple[str, str]]:
    """Yield what some tests cannot do whatever the returns are."""
    if s.apart and entry.clustering == "yes" and entry.name not in LAGGED:
        yield DOUBTFUL, "exchanges are never open together: one announcement is on two sessions"
    if entry.name == "calendar_time" and s.run_share > LONG_RUN:
        yield DOUBTFUL, "windows cover so many sessions on end that a short effect drowns in quiet days"
    if entry.name == "corrado_zivney_sign" and not _signs_reach(s):
        yield DOUBTFUL, "even equal signs of all events on all days would not reach 5%"
    if s.variance_raised and entry.name in OF_EVERY_EVENT:
        yield NOT_HERE, "the variance in the window is raised, which its F sees of every single event"
    if s.skewed and s.variance_in_doubt and entry.name in FOR_SKEWNESS:
        yield DOUBTFUL, "skewed returns that vary more in the window, as they may here, have another median"
    if s.censored and entry.name in WITH_RESIDUALS:
        yield DOUBTFUL, "estimation days at a price limit are bounds, which its residuals lack"
    if s.n_events > 1 and s.factor <= SMALLEST_FACTOR and entry.variance != "n/a":
        yield NOT_HERE, "the residuals cancel, as if the benchmark were made of the firms: their mean is zero"


def _signs_reach(s: Situation) -> bool:
    """Tell whether the largest sign statistic, sqrt(L N / (1 + (N-1) r0)), is significant."""
    return s.n_events * len(s.window) / (1 + (s.n_events - 1) * s.same_date_r) >= REACHES**2


def _of_dependence(s: Situation, entry: Statistic) -> Iterator[tuple[str, float]]:
    """Yield what of the dependence a test does not account for, and by how much its variance is short."""
    whys = []
    if entry.clustering == "no" and s.clustered:
        whys.append(f"events share dates: {percent(s.same_date_pairs)} of pairs")
    if entry.overlap == "no" and s.overlapping:
        whys.append(f"windows of different dates overlap: {percent(s.overlapping_pairs)} of pairs")
    if whys and _material(s, entry):
        yield " and ".join(whys), _unaccounted(s, entry)


def _material(s: Situation, entry: Statistic) -> bool:
    """Tell whether the dependence may make a test reject too often, as far as was measured.

    A negative correlation is not counted on.
    """
    if entry.variance == "n/a" or not np.isfinite(s.factor):
        return True
    return not max(1.0, _unaccounted(s, entry)) + s.factor_error <= MATERIAL_FACTOR


def _unaccounted(s: Situation, entry: Statistic) -> float:
    """Return by how much the variance of the mean exceeds what the test takes it to be."""
    # The law of tests of variance is another.
    if entry.variance == "n/a" or not np.isfinite(s.factor):
        return 1.0
    if entry.clustering == "yes":
        return s.factor / (1 + (s.n_events - 1) * s.same_date_r)
    return s.factor / (1 - s.rbar) if entry.variance == "yes" else s.factor


def _of_variance(s: Situation, entry: Statistic) -> Iterator[tuple[str, float | None]]:
    """Yield a variance that a test does not allow for, and by how much it is raised; None if nobody knows."""
    if not s.variance_raised or entry.variance not in ("no", "weak"):
        return
    theta = s.theta
    why = f"the variance in the window is {theta:.1f} times that before"
    if entry.variance == "no" and entry.name not in OF_EVERY_EVENT:
        yield why, theta
    elif entry.variance == "weak" and size(theta) > WORST_SIZE:
        yield why, None


def _graded(why: str, factor: float) -> tuple[str, str]:
    rejects = size(factor)
    told = (
        f", so that it rejects about {percent(rejects)} of true nulls and not 5%" if rejects > 0.055 else ""
    )
    return (NOT_HERE if rejects > WORST_SIZE else DOUBTFUL), why + told


def _trust(found: Mapping[str, Verdict], name: str) -> str:
    return found[name].trust if name in found else NOT_HERE


def _role(s: Situation, found: Mapping[str, Verdict], names: tuple[str, ...], i: int) -> str:
    """Return the reason of recommended test number i."""
    if i > 0:
        return "beside the headline"
    own, first = found[names[0]], PLANS[s.kind][0]
    shape = "returns are skewed: if the event tripled the variance too, it rejects up to 9% of true nulls"
    place = "" if names[0] == first else f"in place of {STATISTICS[first].label} ({found[first].reason})"
    caution = own.reason if own.trust == DOUBTFUL else shape if s.skewed and s.variance_in_doubt else ""
    differ = disagreement(found) if s.kind == "close_dates" else ""
    return "; ".join(filter(None, (f"headline {place}".strip(), caution, differ)))
