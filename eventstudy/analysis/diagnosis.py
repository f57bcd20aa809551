"""What kind of study this is, which tests suit it, and why, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..calendars.window import Window
from ..significance._correlation import PAIRWISE_LIMIT, SMALL_FACTOR
from .answer import main_test
from .opinions import Opinion, opinions, percent
from .situation import SKEWNESS_EVENTS, Situation, measure

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

# From here on a reader should know of missing days, and of firms that move together.
MATERIAL_MISSING, MATERIAL_FACTOR = 0.05, 1.1
# A larger share of the events on one date leaves a clustered variance next to nothing to average
# over.
LARGE_DATE = 1 / 3
KINDS = {
    "none": "No event has all days of {window}.",
    "single": "There is one event: its abnormal return is compared with the firm's own estimation "
    "days.",
    "one_date": "All {n:,} events are on one date: no test can tell them from another shock of "
    "that day.",
    "dispersed": "The {n:,} events are on {dates:,} dates, and {shared}.",
    "same_date_groups": "The {n:,} events are on {dates:,} dates ({low:,} to {high:,} a date, "
    "median {median:,g}); {shared}.",
    "close_dates": "The {n:,} events are on {dates:,} dates. Some are so close that windows "
    "{window} of "
    "different dates share sessions ({overlap} of the pairs of events). Merging dates fewer than "
    "{L} "
    "sessions apart leaves {clusters}.",
}


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
        """Whether one date has so many of the events that the others are to be seen alone, two or
        more."""
        left = round(self.n_events * (1 - self.largest_date)) if self.n_dates > 1 else 0
        return left > 1 and self.events_per_date[2] > 1 and self.largest_date > LARGE_DATE

    @property
    def late(self) -> str:
        """What to say where prices begin within the estimation window; else ""."""
        if not self.late_events:
            return ""
        return (
            f"The returns of {_count(self.late_events, 'event')} begin later than the estimation "
            "window: of "
            f"its {self.estimation_length:,} days as few as {self.shortest_estimation:,} were used."
        )

    @property
    def text(self) -> list[str]:
        """The diagnosis in sentences."""
        return [*_of_dates(self), *_of_returns(self), *_of_data(self)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, None for NaN: kind, numbers, main_test, opinions and the
        sentences."""
        plain = {**asdict(self), "window": str(self.window), "text": self.text}
        plain["opinions"] = [{k: _plain(v) for k, v in one.items()} for one in plain["opinions"]]
        return {key: _plain(value) for key, value in plain.items()}

    def __str__(self) -> str:
        return "\n".join([*self.text, "", self.table.to_string(index=False, justify="left")])

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.text)
        return words + str(self.table.to_html(index=False, border=0))


def diagnose(results: FittedStudy, window: WindowLike | None = None) -> Diagnosis:
    """Return what kind of study this is, and how far to trust each test over `window`.

    Parameters
    ----------
    results : FittedStudy
    window : window, optional
        By default [0,1] if the event window holds it, else the first standard window.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window.
    """
    chosen = results.main if window is None else Window.of(window)
    if ("diagnosis", chosen) not in results.memo:
        results.memo["diagnosis", chosen] = _diagnosis(results, chosen)
    return results.memo["diagnosis", chosen]  # type: ignore[no-any-return]


def _diagnosis(study: FittedStudy, window: Window) -> Diagnosis:
    situation = measure(study, window)
    facts = {key: getattr(situation, key) for key in situation.__dataclass_fields__}
    name = main_test(situation.n_events or len(study))
    return Diagnosis(**facts, main_test=name, opinions=opinions(situation, study.abnormal))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None
    return value


def _of_dates(d: Diagnosis) -> Iterator[str]:
    low, median, high = d.events_per_date
    shared = f"windows {d.window} of different dates share no session"
    if d.overlapping_pairs:
        of = percent(d.overlapping_pairs)
        shared = f"few windows {d.window} of different dates share sessions: {of} of the pairs"
    yield KINDS[d.kind].format(
        window=d.window, n=d.n_events, dates=d.n_dates, low=low, high=high, median=median,
        overlap=percent(d.overlapping_pairs), L=len(d.window),
        clusters=_count(d.n_clusters, "group"),
        shared=shared,
    )  # fmt: skip
    if d.large_date:
        yield (
            f"One date alone has {percent(d.largest_date)} of the events: see the result without "
            "it."
        )
    if d.repeated_firms:
        word = "ticker appears" if d.repeated_firms == 1 else "tickers appear"
        yield f"{d.repeated_firms:,} {word} more than once."


def _of_returns(d: Diagnosis) -> Iterator[str]:
    if d.n_events < 2:
        return
    if not np.isfinite(d.factor):
        yield "The correlation of the events cannot be estimated: too few common estimation days."
    elif d.factor < SMALL_FACTOR:
        yield (
            f"The firms' residuals cancel (r = {d.rbar:.3f}, 1+(N-1)r = {d.factor:.2f}): does the "
            "benchmark "
            "hold the firms?"
        )
    elif d.factor > MATERIAL_FACTOR:
        yield (
            f"Firms move together: the mean correlation r = {d.rbar:.3f} multiplies the variance "
            "of the mean "
            f"by {d.factor:.2f}."
        )
        if d.kind != "one_date":
            worth = f"about {d.effective_n:,.0f} independent ones"
            yield f"The {d.n_events:,} events carry the information of {worth}."
    if d.r_set_to_zero:
        yield (
            "The mean correlation is negative and rests on short histories, so it is taken as zero."
        )
    if d.n_events > PAIRWISE_LIMIT:
        yield (
            f"With more than {PAIRWISE_LIMIT:,} events r comes from sums over sessions in place "
            "of all pairs."
        )
    if d.variance_raised:
        yield (
            f"Returns were more variable than usual on these days: {d.variance_ratio:.1f} times "
            "day by day, "
            f"{d.kappa:.1f} times across events."
        )
    if d.skewed:
        cars = f"CARs {d.skewness:+.2f}, " if d.n_events >= SKEWNESS_EVENTS else ""
        yield (
            f"Returns are skewed ({cars}estimation residuals {d.residual_skewness:+.2f}). Rank "
            "and sign "
            "tests that assume symmetry give false alarms."
        )


def _of_data(d: Diagnosis) -> Iterator[str]:
    if d.late:
        yield d.late
    if d.missing_days > MATERIAL_MISSING:
        yield (
            f"Trading is thin: {percent(d.missing_days)} of the estimation days have no return; "
            "the shortest "
            f"estimation has {d.shortest_estimation:,} days."
        )
    if d.multi_day > 0:
        yield f"{percent(d.multi_day)} of the returns in the event window span several sessions."
    if d.time_unknown > 0:
        who = "None" if d.time_unknown == 1 else "Not every one"
        yield f"{who} of the announcements has a time of day, so the reaction may show a day later."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
