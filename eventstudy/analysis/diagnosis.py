"""What kind of study this is, which tests suit it, and why, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..pvalues import p_is
from ..significance import STATISTICS
from ..significance._base import InapplicableError
from ..significance._correlation import PAIRWISE_LIMIT, SMALL_FACTOR
from ..significance.date_clustered import clustered_t
from ..significance.wild_bootstrap import merged_dates
from ..windows import Window
from .situation import SKEWNESS_EVENTS, Situation, measure
from .verdicts import DOUBTFUL, Verdict, disagreement, judge, percent

if TYPE_CHECKING:
    from ..results import EventStudyResults, WindowLike

# From here on a reader should know of missing days, and of firms that move together.
MATERIAL_MISSING, MATERIAL_FACTOR = 0.05, 1.1
# A larger share of the events on one date leaves a clustered variance next to nothing to average over.
LARGE_DATE = 1 / 3
# Tests that take the variance of the estimation days as that of the window, the most robust first.
TAKEN_AS_BEFORE = ("portfolio", "patell_kp", "cda")
KINDS = {
    "none": "No event has all days of {window}.",
    "single": "There is one event: its abnormal return is compared with the firm's own estimation days.",
    "one_date": "All {n:,} events are on one date: there is one effective observation of any common shock, "
    "which no test can tell from the event.",
    "dispersed": "The {n:,} events are on {dates:,} dates, and {shared}.",
    "same_date_groups": "The {n:,} events are on {dates:,} dates ({low:,} to {high:,} a date, "
    "median {median:,g}); {shared}.",
    "close_dates": "The {n:,} events are on {dates:,} dates, some so close that windows {window} of "
    "different dates share sessions: {overlap} of the pairs of events. Merging dates fewer than {L} "
    "sessions apart leaves {clusters}.",
}


@dataclass(frozen=True, kw_only=True)
class Diagnosis(Situation):
    """A situation, and what follows from it for the tests (docs/methods.md, Choosing).

    Attributes
    ----------
    recommended : tuple of str
        The headline test first, then those to be read beside it.
    verdicts : tuple of Verdict
        One for every registered test that speaks of this number of events.
    merged_p : float
        Close dates: two-sided p of the date-clustered t with dates merged, 3 clusters or more; else NaN.
    """

    recommended: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    merged_p: float

    @property
    def table(self) -> pd.DataFrame:
        """Columns test, trust, reason; recommended tests first."""
        first = {name: i for i, name in enumerate(self.recommended)}
        rows = [(v.test, v.trust, v.reason) for v in self.verdicts]
        rows.sort(key=lambda row: first.get(row[0], len(first)))
        return pd.DataFrame(rows, columns=["test", "trust", "reason"])

    @property
    def disagreement(self) -> str:
        """What to say where BMP-KP leads on close dates and rejects, and calendar time does not; else ""."""
        if self.kind != "close_dates" or self.recommended[:1] != ("bmp_kp",):
            return ""
        return disagreement({v.test: v for v in self.verdicts})

    @property
    def caution(self) -> str:
        """What to say where there are too few events for a test, with the p that holds if variance stays."""
        if not self.few or self.recommended:
            return ""
        told = f"With {self.n_events} events an effect cannot be told from a rise in variance"
        p = {v.test: v.pvalue for v in self.verdicts}
        gives = (f"{STATISTICS[name].label} gives {p_is(p[name])}" for name in self.if_not_raised)
        return "; if it did not rise, ".join([told, *gives]) + "."

    @property
    def if_not_raised(self) -> tuple[str, ...]:
        """The test whose p holds if the variance did not rise, where there are too few events; else none."""
        if not self.few or self.recommended:
            return ()
        found = {v.test for v in self.verdicts if v.trust == DOUBTFUL}
        return tuple(name for name in TAKEN_AS_BEFORE if name in found)[:1]

    @property
    def large_date(self) -> bool:
        """Whether one date has so many of the events that the others are to be seen alone, two or more."""
        left = round(self.n_events * (1 - self.largest_date)) if self.n_dates > 1 else 0
        return left > 1 and self.events_per_date[2] > 1 and self.largest_date > LARGE_DATE

    @property
    def late(self) -> str:
        """What to say where prices begin within the estimation window; else ""."""
        if not self.late_events:
            return ""
        return (
            f"The returns of {_count(self.late_events, 'event')} begin later than the estimation window: of "
            f"its {self.estimation_length:,} days as few as {self.shortest_estimation:,} were used."
        )

    @property
    def text(self) -> list[str]:
        """The diagnosis in sentences."""
        return [*_of_dates(self), *_of_returns(self), *_of_data(self), *_of_tests(self)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, None for NaN: kind, numbers, recommended, verdicts and the sentences."""
        plain = {**asdict(self), "window": str(self.window), "text": self.text}
        plain["verdicts"] = [{**v, "pvalue": _plain(v["pvalue"])} for v in plain["verdicts"]]
        return {key: _plain(value) for key, value in plain.items()}

    def __str__(self) -> str:
        return "\n".join([*self.text, "", self.table.to_string(index=False, justify="left")])

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.text)
        return words + str(self.table.to_html(index=False, border=0))


def diagnose(results: EventStudyResults, window: WindowLike | None = None) -> Diagnosis:
    """Tell what kind of study this is and which tests to trust over `window`.

    Parameters
    ----------
    results : EventStudyResults
    window : window, optional
        By default [0,1] if the event window holds it, else the first standard window.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window.
    """
    asked = results.main if window is None else Window.of(window)
    found = measure(results, asked)
    names, verdicts = judge(found, results.abnormal)
    facts = {key: getattr(found, key) for key in found.__dataclass_fields__}
    return Diagnosis(**facts, recommended=names, verdicts=verdicts, merged_p=_merged_p(results, found))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None
    return value


def _merged_p(results: EventStudyResults, s: Situation) -> float:
    if s.kind != "close_dates":
        return np.nan
    sample = results.abnormal.sample(s.window)
    try:
        value = clustered_t(sample.car(s.window), merged_dates(sample, s.window))
    except InapplicableError:
        return np.nan
    return value.pvalue("two-sided")


def _of_dates(d: Diagnosis) -> Iterator[str]:
    low, median, high = d.events_per_date
    shared = f"windows {d.window} of different dates share no session"
    if d.overlapping_pairs:
        of = percent(d.overlapping_pairs)
        shared = f"few windows {d.window} of different dates share sessions: {of} of the pairs"
    yield KINDS[d.kind].format(
        window=d.window, n=d.n_events, dates=d.n_dates, low=low, high=high, median=median,
        overlap=percent(d.overlapping_pairs), L=len(d.window), clusters=_count(d.n_clusters, "group"),
        shared=shared,
    )  # fmt: skip
    if d.large_date:
        yield f"One date alone has {percent(d.largest_date)} of the events: see the result without it."
    if d.repeated_firms:
        has = "has" if d.repeated_firms == 1 else "have"
        yield f"{_count(d.repeated_firms, 'ticker')} {has} several events."


def _of_returns(d: Diagnosis) -> Iterator[str]:
    if d.n_events < 2:
        return
    if not np.isfinite(d.factor):
        yield "The correlation of the events cannot be estimated: too few common estimation days."
    elif d.factor < SMALL_FACTOR:
        yield (
            f"The firms' residuals cancel (r = {d.rbar:.3f}, 1+(N-1)r = {d.factor:.2f}): does the benchmark "
            "hold the firms?"
        )
    elif d.factor > MATERIAL_FACTOR:
        worth = f"{d.n_events:,} events tell as much as {d.effective_n:,.1f} independent ones"
        yield (
            f"Firms move together: the mean correlation r = {d.rbar:.3f} multiplies the variance of the mean "
            f"by {d.factor:.2f}{f', so that {worth}' * (d.kind != 'one_date')}."
        )
    if d.n_events > PAIRWISE_LIMIT:
        yield (
            f"With more than {PAIRWISE_LIMIT:,} events r comes from sums over sessions in place of all pairs."
        )
    if d.variance_raised:
        yield (
            f"Abnormal returns vary more in the window than before: {d.variance_ratio:.2f} times day by day, "
            f"{d.kappa:.2f} across events."
        )
    if d.skewed:
        cars = f"CARs {d.skewness:+.2f}, " if d.n_events >= SKEWNESS_EVENTS else ""
        yield (
            f"Returns are skewed ({cars}estimation residuals {d.residual_skewness:+.2f}): ranks and signs "
            "that take them as symmetric are not to be trusted."
        )


def _of_data(d: Diagnosis) -> Iterator[str]:
    if d.late:
        yield d.late
    if d.missing_days > MATERIAL_MISSING:
        yield (
            f"Trading is thin: {percent(d.missing_days)} of the estimation days have no return; the shortest "
            f"estimation has {d.shortest_estimation:,} days."
        )
    if d.multi_day > 0:
        yield f"{percent(d.multi_day)} of the returns in the event window span several sessions."
    if d.time_unknown > 0:
        yield (
            f"{percent(d.time_unknown)} of the announcements carry no hour: the reaction may come a day "
            "later, so that a window should hold days 0 and 1."
        )


def _of_tests(d: Diagnosis) -> Iterator[str]:
    if not d.recommended:
        yield from filter(None, [d.caution])
        return
    verdicts = {v.test: v for v in d.verdicts}
    headline, *others = (STATISTICS[name].label for name in d.recommended)
    leading = verdicts[d.recommended[0]]
    beside = f"; read {_list(others)} beside it" if others else ""
    yield f"{headline} leads ({p_is(leading.pvalue)}){beside}."
    more = leading.reason.removeprefix("headline").lstrip("; ")
    if more:
        yield f"{more}." if more.startswith("BMP-KP rejects") else f"{headline}: {more}."
    if np.isfinite(d.merged_p):
        yield f"Clustered by the {_count(d.n_clusters, 'group')} of merged dates, {p_is(d.merged_p)}."
    if d.kind == "one_date":
        yield "Repeat the study on placebo dates, and on firms that the event leaves alone on the same days."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _list(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
