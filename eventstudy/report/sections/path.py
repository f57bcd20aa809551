"""The path of the mean abnormal return: what it shows before, on and after day 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...analysis.caar_path import BAND_EVENTS, Path95
from ...findings.samples import Sample, WindowFinding
from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import LEVEL, day, p_prose, percent, span
from ...utility.units import words
from .answer import full_interval, has_exact_law, subject


@dataclass(frozen=True, slots=True)
class PathSection:
    """The path of the events of the answer.

    Attributes
    ----------
    lede, caption, note : str
    path : Path95
    values : list of tuple
        Day, AAR, its interval, CAAR, and its interval, as text.
    n_events : int
    """

    lede: str
    caption: str
    note: str
    path: Path95
    values: list[tuple[str, str, str, str, str]]
    n_events: int


def path_section(findings: Findings) -> PathSection | None:
    """Return the path of the events of the answer; None if no event was used."""
    sample = findings.sample
    path, n = sample.path, sample.n_used
    if path is None:
        return None
    notes = (
        "" if n == 1 else say("path.mean") + " " + words().say(say("path.day_mean")),
        band_note(findings, sample) if path.has_band else "",
        points_note(path, n),
        say("path.at_limit", n=sample.at_limit) if sample.at_limit else "",
    )
    return PathSection(
        lede=path_lede(sample),
        caption=say(
            "path.caption",
            path=path_name(findings, sample),
            first=int(path.days[0]),
            datum=words().what or "return",
        ),
        note=" ".join(filter(None, notes)),
        path=path,
        values=path_values(path),
        n_events=n,
    )


def path_name(findings: Findings, sample: Sample) -> str:
    """Return the name of the line of a sample, such as ``CAAR of 11 adverse announcements``.

    Parameters
    ----------
    findings : Findings
    sample : Sample

    Returns
    -------
    str
    """
    if sample.n_used == 1:
        return say("path.of_one", firm=sample.firm)
    return say("path.of_several", n=sample.n_used, subject=subject(findings, sample))


def path_lede(sample: Sample) -> str:
    """Return what the path shows before, on and after day 0, by the main test."""
    before = next((w for w in sample.windows if w.window.stop < 0), None)
    after = next((w for w in sample.windows if w.window.start > 0), None)
    texts = (_shown(before, "before"), _shown(sample.day0, "day0"), _shown(after, "after"))
    total = _total(sample.path, sample.n_used) if sample.path else ""
    return " ".join(filter(None, [*texts, total]))


def _shown(finding: WindowFinding | None, when: str) -> str:
    """Return what one window shows; "" without an estimate."""
    if finding is None or not np.isfinite(finding.answer.effect.estimate):
        return ""
    result = finding.answer
    p = f", {p_prose(result.pvalue)}" if np.isfinite(result.pvalue) else ""
    facts = {
        "value": f"{percent(result.effect.estimate)} ({full_interval(result.effect)}{p})",
        "window": finding.window,
    }
    if when == "day0":
        return say("path.day0_extended" if finding.is_extended else "path.day0", **facts)
    return say(f"path.{when}" if result.pvalue < LEVEL else f"path.not_{when}", **facts)


def _total(path: Path95, n_events: int) -> str:
    """Return what the whole path adds up to, and for how many events if not for all."""
    n = int(path.counts[-1])
    facts = {
        "first": int(path.days[0]),
        "last": int(path.days[-1]),
        "value": float(path.caar[-1]),
        "n": n,
        "total": n_events,
    }
    if n == 0:
        return say("path.incomplete", **facts)
    kind = "one" if n_events == 1 else "all" if n == n_events else "some"
    return say(f"path.total_{kind}", **facts)


def events_between(path: Path95) -> str:
    """Return how many events enter the points of a path: ``5 events``, ``3 to 5 events``."""
    drawn = path.counts[path.counts > 0]
    least, most = int(drawn.min(initial=path.counts.max())), int(path.counts.max())
    return say("path.events" if least == most else "path.events_between", least=least, most=most)


def points_note(path: Path95, n_events: int) -> str:
    """Return how many events enter the points of the path, and what is missing.

    Parameters
    ----------
    path : Path95
    n_events : int
        Used events of the sample.

    Returns
    -------
    str
        "" if every point has all events.
    """
    return " ".join(_about_points(path, n_events))


def _about_points(path: Path95, n_events: int) -> Iterator[str]:
    drawn = path.counts[path.counts > 0]
    gaps = len(path.days) - drawn.size
    if drawn.size and drawn.min() < n_events:
        yield say(
            "path.points",
            between=events_between(path),
            total=n_events,
            most=int(drawn.max()),
            first=int(path.days[0]),
        )
    if 0 < drawn.min(initial=n_events) < BAND_EVENTS and n_events > 1:
        yield say("path.no_band", least=BAND_EVENTS)
    if gaps:
        yield say("path.gaps_one" if n_events == 1 else "path.gaps", n=gaps)
    if np.isnan(path.aar).any():
        yield say("path.no_bar")


def band_note(findings: Findings, sample: Sample) -> str:
    """Return what the band of the path means.

    Parameters
    ----------
    findings : Findings
    sample : Sample

    Returns
    -------
    str
    """
    if sample.n_used > 1:
        return say("path.bands")
    return say("path.band_exact" if has_exact_law(findings.setup.model) else "path.band_rough")


def path_values(path: Path95) -> list[tuple[str, str, str, str, str]]:
    """Return day, AAR, its interval, CAAR and its interval, as text, one row a day."""
    columns = (path.days, path.aar, path.aar_half, path.caar, path.caar_half)
    return [
        (
            day(int(t)),
            percent(aar, unit=False),
            span(aar - h, aar + h, unit=False),
            percent(caar, unit=False),
            span(caar - H, caar + H, unit=False),
        )
        for t, aar, h, caar, H in zip(*columns, strict=True)
    ]
