"""The section on the path: its figure, and what it shows before, on and after day 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from ...abnormal.limit_runs import EXTENDING
from ...analysis.answer import answer_of
from ...analysis.caar_path import BAND_EVENTS, Path95, path_of
from ...calendars.window import Window
from ...utility.numbers import LEVEL, count, day, p_prose, percent, span, window_text
from ...utility.units import words
from ..content.answer import full_interval
from ..content.shown_tests import exact_law
from ..content.subject import Page
from ..figures import caar_plots as plots
from ..figures.matplotlib_svg import svg
from .events import event_name

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy


def path_section(page: Page) -> dict[str, Any]:
    """Return the figure of the events of the answer, what it shows, and its values."""
    sample, n = page.sample, len(page.sample)
    path = path_of(sample)
    what = f"CAR of {_name(sample)}" if n == 1 else f"CAAR of {n:,} {page.subject}"
    average = "AR" if n == 1 else "AAR"
    notes = (
        path_words(n),
        band_note(sample) if path.has_band else "",
        path_note(path, n),
        limit_note(sample),
    )
    return {
        "lede": path_lede(sample, page.config.tested, path),
        "caption": f"{what} from day {day(int(path.days[0]))}, and {average} of each day",
        "wide": _picture(path, what, page.main, n, plots.WIDE),
        "narrow": _picture(path, what, page.main, n, plots.NARROW),
        "values": path_values(path),
        "note": " ".join(filter(None, notes)),
    }


def _name(sample: FittedStudy) -> str:
    return event_name(sample.records[int(np.argmax(sample.ok))])


def _picture(path: Path95, what: str, main: Window, n_events: int, width: int) -> Markup:
    figure = plots.path_figure(path, main, n_events=n_events, width=width)
    desc = (
        f"Line{' with 95% band' * path.has_band} "
        f"from day {day(int(path.days[0]))} to {day(int(path.days[-1]))}, "
        f"ending at {percent(path.end)}; bars of each day below. "
        "The values are listed after it."
    )
    size = "wide" if width == plots.WIDE else "narrow"
    return Markup(svg(figure, f"{what}, {size} figure", desc, css_class=size))  # noqa: S704


def path_lede(results: FittedStudy, windows: Iterable[Window], path: Path95) -> str:
    """Return what the path shows before, on and after day 0, by the main test."""
    shown = list(windows)
    before = next((w for w in shown if w.stop < 0), None)
    after = next((w for w in shown if w.start > 0), None)
    zero = Window(0, 0) if Window(0, 0) in results.abnormal.event else None
    said = [
        _finding(results, before, "before the announcement"),
        _finding(results, zero, ""),
        _finding(results, after, "after it"),
        _total(path, len(results)),
    ]
    return " ".join(text for text in said if text)


def _total(path: Path95, n_events: int) -> str:
    """Say what the whole path adds up to, and for how many events if not for all."""
    first, last = (day(int(t)) for t in path.days[[0, -1]])
    n = int(path.counts[-1])
    if n == 0:
        return f"No complete path: no event has all days from day {first} to day {last}."
    some = "" if n == n_events else f" ({n:,} of {count(n_events, 'event')})"
    subject = "it" if n_events == 1 else "the plain average"
    return f"From day {first} to day {last} {subject} adds up to {percent(path.caar[-1])}{some}."


def events_between(path: Path95) -> str:
    """Return how many events enter the points of a path: ``5 events``, ``3 to 5 events``."""
    drawn = path.counts[path.counts > 0]
    least, most = int(drawn.min(initial=path.counts.max())), int(path.counts.max())
    return f"{f'{least:,} to ' if least < most else ''}{count(most, 'event')}"


def path_note(path: Path95, n_events: int) -> str:
    """Say how many events enter the points of the path, and what is missing; "" if nothing is."""
    drawn, first = path.counts[path.counts > 0], day(int(path.days[0]))
    gaps = len(path.days) - drawn.size
    said = []
    if drawn.size and drawn.min() < n_events:
        verb = "enters" if drawn.max() == 1 else "enter"
        said.append(
            f"{events_between(path)} of {n_events:,} {verb}: each point is the mean of those that "
            "have "
            f"all days from day {first} to its own."
        )
    if 0 < drawn.min(initial=n_events) < BAND_EVENTS and n_events > 1:
        said.append(f"No band where fewer than {BAND_EVENTS} events enter.")
    if gaps:
        missing = "1 day has" if gaps == 1 else f"{gaps} days have"
        who = "the event does not have" if n_events == 1 else "no event has"
        said.append(f"{missing} no point, as {who} all days up to there.")
    if np.isnan(path.aar).any():
        said.append("A day without a bar has no return of its own.")
    return " ".join(said)


def path_words(n_events: int) -> str:
    """Say how the path and the bars are built."""
    if n_events == 1:
        return ""
    return (
        "CAAR: mean of the CARs from the first day up to each, of the events that have all of "
        "these days. " + words().say("AAR: mean of the abnormal returns of the day alone.")
    )


def limit_note(sample: FittedStudy) -> str:
    """Say that windows run on beyond a price limit and the path does not; "" where no day closes at
    one."""
    runs, convention = sample.abnormal.runs, sample.abnormal.conventions.limits
    if runs is None or convention not in EXTENDING or not runs.at_limit.any():
        return ""
    n = int(runs.at_limit.any(axis=1).sum())
    return (
        "Each day ends at its own close here, also where that is at a price limit "
        f"({count(n, 'event')}); "
        "windows that end there run on to the first close off it, so that they differ."
    )


def _finding(results: FittedStudy, window: Window | None, when: str) -> str:
    """Say what one window shows; `when` is "" for day 0."""
    if window is None or not np.isfinite(answer_of(results, window).effect.estimate):
        return ""
    found = answer_of(results, window)
    p = f", {p_prose(found.pvalue)}" if np.isfinite(found.pvalue) else ""
    number = f"{percent(found.effect.estimate)} ({full_interval(found.effect)}{p})"
    if not when:
        on = ", run on to the first close off a price limit," * bool(
            results.abnormal.extended(window).any()
        )
        return f"Day 0{on} is {number}."
    clear = "Significant move" if found.pvalue < LEVEL else "No significant move"
    return f"{clear} {when}: {window_text(window)} is {number}."


def path_values(path: Path95) -> list[tuple[str, ...]]:
    """Return day, AAR, its interval, CAAR and its interval, as text, one row a day."""
    return [
        (
            day(int(t)),
            percent(aar, unit=False),
            span(aar - h, aar + h, unit=False),
            percent(caar, unit=False),
            span(caar - H, caar + H, unit=False),
        )
        for t, aar, h, caar, H in zip(
            path.days, path.aar, path.aar_half, path.caar, path.caar_half, strict=True
        )
    ]


def band_note(sample: FittedStudy) -> str:
    if len(sample) == 1:
        kind = "exact" if exact_law(sample.model) else "approximate"
        return (
            f"The band is the {kind} 95% interval of the CAR up to each day, not of the whole "
            "path at once."
        )
    return (
        "Bands are pointwise 95% intervals of the plain average, from the spread across events, "
        "corrected "
        "for their correlation as in BMP-KP. They do not cover the whole path at once."
    )
