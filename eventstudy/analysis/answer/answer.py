"""The answer of a study: the test that decides, its estimate, interval and verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import WeightedSums
from ...fitting import FittedStudy, WindowLike, awaits_days
from ...significance import FULL_SAMPLE, STATISTICS, SignificanceTest, decisive_scars, scar_variance
from ...utility import TestName
from ...words import LEVEL, Reason, has, say
from ..interval import Interval, detectable, inflation, plain_average, plain_values
from ..placebos.calibrated import Calibrated
from .influence import Caveat, Influence, LeftOut, Names, leave_outs
from .missing import MOST_MISSING, Missing
from .one_event import OneEvent, measure_one_event, other_days_variance
from .unequal_reactions import UnequalReactions, measure_unequal

Verdict = Literal["different", "not_different", "no_result", "provisional"]
# The main test of a sample that is large enough for every test.
FULL_TEST = STATISTICS.main(FULL_SAMPLE)
# A smaller mean correlation leaves a shared shock next to nothing to work through.
SHARED = 0.02
# Events that move together as much on fewer of the other dates may owe it to a shared shock.
RARE = 0.01


@dataclass(frozen=True, slots=True)
class Overturn:
    """Numbers that say what would change the verdict of an answer.

    A number is NaN if it is not computed for these events. The page docs/methods/answer.md has the
    formulas.

    Attributes
    ----------
    recent_variance : tuple of float
        Up to four events: the factor k of each event. It is the variance of returns around the
        event, divided by their variance in the estimation window, and at least 1. The main test
        multiplies the variance by k.
    variance_multiple : float
        Up to four events: the factor by which the assumed variance would have to change for p to be
        5%.
    spread_pvalue : float
        Two to four events: the p-value of BMP-KP, which takes the variance from the differences
        between the events.
    shared_shock : float
        Five or more events with the verdict "different" and correlated CARs: the factor by which
        the covariance of the firms' returns would have to rise for p to be 5%.
    largest_t : float
        Five or more events: the largest |t| that BMP-KP can have if all events have the same
        effect. If it is below the critical value, the firms differ too much in volatility for the
        test.
    smallest_effect : float
        The smallest true effect that the main test finds with a probability of 80%, as a decimal.
        It is computed from the standard error of the effect.
    leave_one_out : tuple of LeftOut
        Two to four events: the main result without each event.
    firm_variance : float
        Up to four events: the variance of the abnormal returns in the event window but outside the
        tested window, divided by their variance on estimation days.
    one_event : OneEvent, optional
        One event: comparisons with earlier windows and with other firms, over the main window.
    """

    recent_variance: tuple[float, ...] = ()
    variance_multiple: float = np.nan
    spread_pvalue: float = np.nan
    shared_shock: float = np.nan
    largest_t: float = np.nan
    smallest_effect: float = np.nan
    leave_one_out: tuple[LeftOut, ...] = ()
    one_event: OneEvent | None = None
    firm_variance: float = np.nan


@dataclass(frozen=True, slots=True)
class Answer:
    """The main result of a study over one window (docs/methods/answer.md).

    Attributes
    ----------
    verdict : {"different", "not_different", "no_result", "provisional"}
        "different" if the main test has p < 0.05; the 95% interval of the effect then excludes
        zero. "provisional" while the window of an event has days in the future.
    test : str
        Name of the main test, which the program chooses by the number of events.
    pvalue : float
        Two-sided p-value of the main test. NaN with the verdicts "no_result" and "provisional".
    effect : Interval
        The mean CAR with weights proportional to 1/s, as a decimal. Here s is the standard error of
        each CAR.
    n_events, n_dates : int
        Number of events in the effect, and of their different dates.
    n_short : int
        Number of events with a CAR but with too few estimation days for the main test. They are
        only in `plain_average`.
    market_implied : float
        Mean return over the window that the model expected, with the same weights as `effect`
        (decimal).
    plain_average : Interval
        The mean CAR with equal weights. The verdict does not depend on it.
    overturn : Overturn
        What would change the verdict.
    reason : str
        Why there is no result; "" if there is one.
    influence : Influence, optional
        How the effect changes without single events, dates, clusters of dates and firms. Only over
        the main window.
    caveat : Caveat, optional
        The most important warning about the verdict.
    calibrated : Calibrated, optional
        The p-value among repetitions of the study on other dates; None if the study was not
        repeated.
    missing : Missing, optional
        The announcements that are not in the answer; None if no announcement is missing.
    unequal : UnequalReactions, optional
        The result if firms react differently to the news. Only over the main window, and only if
        events on shared dates differ more than without news.
    """

    DIFFERENT: ClassVar[Verdict] = "different"
    NOT_DIFFERENT: ClassVar[Verdict] = "not_different"
    NO_RESULT: ClassVar[Verdict] = "no_result"
    PROVISIONAL: ClassVar[Verdict] = "provisional"

    verdict: Verdict
    test: TestName
    pvalue: float = np.nan
    effect: Interval = field(default_factory=Interval)
    n_events: int = 0
    n_dates: int = 0
    market_implied: float = np.nan
    plain_average: Interval = field(default_factory=Interval)
    overturn: Overturn = field(default_factory=Overturn)
    reason: str = ""
    n_short: int = 0
    influence: Influence | None = None
    caveat: Caveat | None = None
    calibrated: Calibrated | None = None
    missing: Missing | None = None
    unequal: UnequalReactions | None = None

    @property
    def n_averaged(self) -> int:
        """Number of events in `plain_average`: also those with few estimation days."""
        return self.n_events + self.n_short

    @property
    def doubtful_rate(self) -> Calibrated | None:
        """The calibration of up to four events, if it contradicts their p-value; None otherwise."""
        numbers = self.calibrated
        is_few = numbers is not None and 0 < self.n_events < FULL_SAMPLE
        return numbers if is_few and numbers and numbers.contradicts(self.pvalue) else None

    def find_caveat(self) -> Caveat | None:
        """Return the first caveat that holds, in a fixed order; None if no caveat holds."""
        code, facts = next(_caveats(self), ("", {}))
        return Caveat(code, facts) if code else None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as in ``study.json``, with None instead of NaN."""
        record = plain_values(asdict(self))
        for interval in (record["effect"], record["plain_average"]):
            del interval["se"], interval["df"]
        test = {name: record.pop(name) for name in ("verdict", "test", "pvalue")}
        return {**test, **record.pop("effect"), **record}

    @classmethod
    def of(cls, study: FittedStudy, window: WindowLike | None = None) -> Answer:
        """Return the answer of a study over `window`; while events wait for days it has no verdict.

        Parameters
        ----------
        study : FittedStudy
        window : window, optional
            By default the main one.

        Returns
        -------
        Answer
            Of :func:`decide`, computed once for a study.
        """
        chosen = study.main if window is None else Window.of(window)
        return study.remember(("answer", chosen), lambda: _answer(study, chosen))


def main_test_of(study: FittedStudy, window: WindowLike | None = None) -> str:
    """Return the name of the test that decides over `window`.

    Parameters
    ----------
    study : FittedStudy
    window : window, optional
        By default the main one.

    Returns
    -------
    str
    """
    return Answer.of(study, window).test


def default_tests(study: FittedStudy) -> list[str]:
    """Return the names of the tests that summaries show by default, the main test first."""
    usual = (name for name in study.all_tests if STATISTICS[name].core)
    return list(dict.fromkeys([main_test_of(study), *usual]))


def verdict_of(study: FittedStudy, window: Window) -> Answer:
    """Return the answer of a study over `window` without its influence and its caveat.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Returns
    -------
    Answer
        Without a verdict and p while events wait for days of the window.
    """

    def verdict() -> Answer:
        answer = decide(study.abnormal, window, list(map(str, study.events["event_id"].array)))
        if awaits_days(study, window):
            return replace(answer, verdict=Answer.PROVISIONAL, pvalue=np.nan, overturn=Overturn())
        return answer

    return study.remember(("verdict", window), verdict)


def _answer(study: FittedStudy, window: Window) -> Answer:
    answer = verdict_of(study, window)
    if answer.verdict != Answer.PROVISIONAL and np.isfinite(answer.pvalue) and window == study.main:
        if answer.n_events == 1:
            single = measure_one_event(study, window)
            answer = replace(answer, overturn=replace(answer.overturn, one_event=single))
        unequal = measure_unequal(study.abnormal.tested(window), window, answer.effect.estimate)
        influence = Influence.of(study, window, answer.effect, answer.pvalue).brief()
        answer = replace(answer, influence=influence, unequal=unequal)
    if answer.n_events and answer.n_events < len(study.events):
        answer = replace(answer, missing=Missing.of(study, window))
    return replace(answer, caveat=answer.find_caveat())


def decide(abnormal: AbnormalReturns, window: Window, event_ids: Sequence[str] = ()) -> Answer:
    r"""Return the answer of abnormal returns over `window`.

    Parameters
    ----------
    abnormal : AbnormalReturns
        n events; those without all days of the window are left out, and those with too short a
        history but for the plain average.
    window : Window
    event_ids : sequence of str
        Names of the n events, for the answer without each; by default their places.

    Returns
    -------
    Answer

    Notes
    -----
    With z_i = CAR_i / s_i the estimate is

    .. math:: d = \sum_i z_i \Big/ \sum_i 1/s_i .

    Its standard error is d over the statistic of the main test, computed from the right-hand side
    so that it exists where d is zero: f sd(z) / (sqrt(N) mean(1/s)), f^2 = (1 + (N-1) r) / (1 - r),
    for five events or more; sqrt(sum nu/(nu-2)) sqrt(1 + (N-1) max(r, 0)) / sum 1/s for two to
    four; s for one. Of one to four events s is the standard error of the CAR times the root of k
    (``AbnormalReturns.recent_variance``). The interval leaves out zero exactly where the verdict is
    ``different``.
    """
    valid = abnormal.sample(window)
    sample = abnormal.tested(window)
    n = len(sample)
    short = len(valid) - len(sample)
    if len(valid) == 0:
        name = STATISTICS.main(int(np.isfinite(abnormal.sigma2).sum()))
        return Answer(Answer.NO_RESULT, name, reason="no event has all days of the window")
    average: dict[str, Any] = {"plain_average": plain_average(abnormal, window), "n_short": short}
    if n == 0:
        why = Reason("short_histories", n=short, needed=valid.least_history)
        return Answer(Answer.NO_RESULT, STATISTICS.main(short), reason=str(why), **average)
    test = STATISTICS[STATISTICS.main(n)](sample, window)
    common: dict[str, Any] = {
        "n_events": n, "n_dates": len(np.unique(sample.windows.day0)),
        "market_implied": _implied(sample, window), **average,
    }  # fmt: skip
    if not np.isfinite(test.pvalue):
        return Answer(Answer.NO_RESULT, test.name, reason=str(test.reason), **common)
    effect = weighted_effect(sample, window, test)
    verdict = Answer.DIFFERENT if test.pvalue < LEVEL else Answer.NOT_DIFFERENT
    ids = list(event_ids) or list(map(str, range(len(abnormal))))
    used = [ids[i] for i in np.flatnonzero(abnormal.in_tests(window))]
    least = detectable(effect.se, effect.df)
    overturn = _overturn(sample, window, test, least, Names(used, used, used, used))
    return Answer(verdict, test.name, test.pvalue, effect, overturn=overturn, **common)


def _caveats(answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the caveats that hold, the most important first."""
    is_decided = np.isfinite(answer.pvalue)
    if answer.verdict == Answer.NO_RESULT or not answer.n_events:
        return
    if is_decided and answer.missing is not None:
        yield from _missing_caveats(answer.n_events, answer.missing)
    if answer.n_dates == 1:
        yield "one_event" if answer.n_events == 1 else "one_date", {}
    if is_decided and answer.n_events < FULL_SAMPLE:
        yield "few", {}
    code, facts = answer.influence.caveat() if answer.influence else ("", {})
    if code in ("carried", "hidden"):
        yield code, facts
    if answer.verdict == Answer.DIFFERENT and (times := _unusual_sharing(answer)):
        yield "shared_shock", {"times": times, "needed": answer.overturn.shared_shock}
    if is_decided and answer.calibrated and answer.calibrated.overturns(answer.pvalue):
        yield "calibrated", {"p": answer.calibrated.pvalue}
    if code:
        yield code, facts


def _missing_caveats(n_events: int, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield that the largest fall is missing, and that many announcements are."""
    facts: dict[str, Any] = {"used": n_events, "total": missing.n_listed}
    if missing.fall is not None:
        yield "fall_missing", {**facts, **asdict(missing.fall)}
    if missing.count > MOST_MISSING * missing.n_listed:
        lack, n = next(iter(missing.lacks.items()))
        facts |= {"lack": lack, "n": n}
        if missing.place is not None:
            facts["place"] = asdict(missing.place)
        yield "many_missing", facts


def _unusual_sharing(answer: Answer) -> float:
    """Return how much more the events moved together, where that could overturn the verdict."""
    numbers, needed = answer.calibrated, answer.overturn.shared_shock
    if numbers is None or not np.isfinite(needed) or not numbers.shared_share < RARE:
        return 0.0
    return numbers.shared_movement if numbers.shared_movement > needed else 0.0


def say_too_early(n_events: int, n_used: int, window: Window) -> str:
    """Return that some used events wait for days of a window, which is true of provisional ones.

    Parameters
    ----------
    n_events, n_used : int
        Events that have all days so far, and all used events.
    window : Window
    """
    n = len(window)
    days = say(f"days.all_{n}") if has(f"days.all_{n}") else say("days.all", n=n)
    return say("answer.provisional", n=n_events, total=n_used, days=days)


def weighted_effect(sample: AbnormalReturns, window: Window, test: SignificanceTest) -> Interval:
    """Return the precision-weighted mean CAR with the error that inverts the main test.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    test : SignificanceTest
        The main one.
    """
    n = len(sample)
    z, s = decisive_scars(sample, window)
    if n == 1:
        return Interval.of(sample.car(window)[0], s[0], test.df)
    precision = float((1 / s).sum())
    if n >= FULL_SAMPLE:
        spread = inflation(sample, window) * z.std(ddof=1) * np.sqrt(n)
    else:
        factor = max(WeightedSums(sample, window).factor[1], 1.0)
        spread = np.sqrt(scar_variance(sample).sum() * factor)
    return Interval.of(z.sum() / precision, spread / precision, test.df)


def _implied(sample: AbnormalReturns, window: Window) -> float:
    """Return the sum of the expected returns of the window in the weights of the estimate."""
    weight = 1 / decisive_scars(sample, window)[1]
    expected = np.nansum(sample.expected[:, sample.columns(window)], axis=1)
    return float(weight @ expected / weight.sum())


def _overturn(
    sample: AbnormalReturns, window: Window, test: SignificanceTest, least: float, names: Names
) -> Overturn:
    n = len(sample)
    ratio = (test.statistic / Interval.quantile(test.df)) ** 2

    if n < FULL_SAMPLE:
        rows = leave_outs(sample, window, names) if n > 1 else ()
        each = tuple(LeftOut.of(leave_out) for leave_out in rows if leave_out.kind == "event")
        spread = STATISTICS[FULL_TEST](sample, window).pvalue
        return Overturn(
            tuple(sample.recent_variance(window).tolist()), ratio, spread, smallest_effect=least,
            leave_one_out=each, firm_variance=other_days_variance(sample, window),
        )  # fmt: skip
    shared = _shared_shock(sample, window, ratio) if test.pvalue < LEVEL else np.nan
    largest = _largest_t(sample, window)
    return Overturn(shared_shock=shared, largest_t=largest, smallest_effect=least)


def _shared_shock(sample: AbnormalReturns, window: Window, ratio: float) -> float:
    """Return ((t/t_crit)^2 (1 + (N-1) r) - (1 - r)) / (N r); NaN where r is next to nothing."""
    r, factor = WeightedSums(sample, window).factor
    return (ratio * factor - (1 - r)) / (len(sample) * r) if r > SHARED else np.nan


def _largest_t(sample: AbnormalReturns, window: Window) -> float:
    precision = 1 / np.sqrt(sample.var_car(window))
    spread = inflation(sample, window) * precision.std(ddof=1) / precision.mean()
    return float(np.sqrt(len(sample)) / spread) if spread > 0 else np.inf
