"""The short answer for a terminal, in plain ASCII that any console and log can show."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .report.measures import in_its_words, words
from .significance import STATISTICS
from .typing import FloatArray
from .windows import Window

if TYPE_CHECKING:
    from .config import StudyConfig
    from .results import EventStudyResults

STARS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))
SKETCH_ROWS = 7
HEAD_WIDTH = 9
DROPPED_SHOWN = 8


def percent(value: float) -> str:
    """Return a decimal as ``+1.23%``, or ``-`` if it is missing; log points without their unit."""
    unit = "%" if words().unit == "%" else ""
    return f"{words().scale * value:+.2f}{unit}" if np.isfinite(value) else "-"


def p_text(value: float) -> str:
    """Return a p-value with three decimals; ``<0.001`` instead of zeros."""
    if not np.isfinite(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def stars(p: float) -> str:
    """Return *** for p < 0.01, ** for p < 0.05, * for p < 0.1."""
    return next((mark for level, mark in STARS if p < level), "")


@in_its_words
def summary_text(results: EventStudyResults, config: StudyConfig) -> str:
    """Return the table of windows: N, CAAR with stars by the recommended test, and p-values."""
    tests = results.tests(config.tested, config.tests or results.default_tests)
    names = list(dict.fromkeys(tests["test"]))
    lead = results.recommended if results.recommended in names else names[0]
    names = [lead, *(n for n in names if n != lead)]
    head = ["window", "N", "CAAR", *(STATISTICS[n].label for n in names)]
    rows = [_row(tests, window, names) for window in config.tested]
    unit = f"CAAR of {words().what} in {words().axis}; " if words().what else ""
    note = f"{unit}p-values; stars from {STATISTICS[lead].label}: *** p<0.01, ** p<0.05, * p<0.1"
    weak = {t.test: t.reason for t in _named(tests) if t.reason and np.isfinite(t.pvalue)}
    cautions = [f"({STATISTICS[name].label}: {reason})" for name, reason in weak.items()]
    head_of = ["in brackets, not to be relied on:"] if cautions else []
    return "\n".join([_grid(head, rows), note, *head_of, *cautions])


def _named(tests: pd.DataFrame) -> list[Any]:
    return list(tests.itertuples(index=False))


def _row(tests: pd.DataFrame, window: Window, names: list[str]) -> list[str]:
    own = {t.test: t for t in _named(tests) if (t.start, t.stop) == (window.start, window.stop)}
    lead, cells = own[names[0]], [own[name] for name in names]
    mark = "" if lead.reason else stars(lead.pvalue)
    shown = [p_text(t.pvalue) for t in cells]
    weak = [bool(t.reason) and np.isfinite(t.pvalue) for t in cells]
    caar = percent(lead.estimate) + mark.ljust(3)
    return [
        str(window),
        str(lead.n_events),
        caar,
        *(f"({p})" if w else p for p, w in zip(shown, weak, strict=True)),
    ]


def _grid(head: list[str], rows: list[list[str]]) -> str:
    """Align cells to the right under a head that is wrapped to short lines."""
    wrapped = [textwrap.wrap(text, HEAD_WIDTH, break_long_words=False) for text in head]
    height = max(map(len, wrapped))
    above = [[([""] * (height - len(w)) + w)[k] for w in wrapped] for k in range(height)]
    widths = [max(len(row[j]) for row in [*above, *rows]) for j in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [*above, *rows]
    ]
    return "\n".join([*lines[:height], "-" * max(map(len, lines)), *lines[height:]])


@in_its_words
def sketch(results: EventStudyResults) -> str:
    """Return the CAAR path as a small drawing in text, event days from left to right."""
    path: FloatArray = results.abnormal.caar
    days = results.abnormal.event.days
    if not np.isfinite(path).any():
        return ""
    low, high = min(0.0, float(np.nanmin(path))), max(0.0, float(np.nanmax(path)))
    if high == low:
        return ""
    step = (high - low) / (SKETCH_ROWS - 1)
    zero = round(-low / step)
    canvas = [["-" if row == zero else " " for _ in range(2 * len(days) - 1)] for row in range(SKETCH_ROWS)]
    for column, (value, day) in enumerate(zip(path, days, strict=True)):
        for row in range(SKETCH_ROWS if day == 0 else 0):
            canvas[row][2 * column] = "|" if row != zero else "+"
        if np.isfinite(value):
            canvas[round((value - low) / step)][2 * column] = "o"
    labels = {0: percent(low), SKETCH_ROWS - 1: percent(high), zero: "0"}
    lines = [
        f"{labels.get(row, ''):>8} {''.join(canvas[row])}".rstrip() for row in reversed(range(SKETCH_ROWS))
    ]
    axis = [" "] * (2 * len(days) + 3)
    for text, column in ((f"{days[0]:+d}", 0), ("0", int(-days[0])), (f"{days[-1]:+d}", len(days) - 1)):
        if 0 <= column < len(days):
            axis[2 * column : 2 * column + len(text)] = text
    return "\n".join(["CAAR by event day", *lines, " " * 9 + "".join(axis).rstrip()])


def losses(results: EventStudyResults, *, written: bool = True) -> str:
    """Return what was dropped and why, the most frequent reason first."""
    dropped = results.events[~results.ok]
    if dropped.empty:
        return "No event was dropped."
    kinds = Counter(reason.split(":")[0] for reason in dropped["reason"])
    lines = [f"Dropped {len(dropped)} of {len(results.events)} events:"]
    for kind, count in kinds.most_common(DROPPED_SHOWN):
        event = dropped[[reason.split(":")[0] == kind for reason in dropped["reason"]]].iloc[0]
        lines.append(f"  {count:4d}  {kind}, e.g. {event['event_id']}{_detail(event['reason'])}")
    more = ["  every event and its reason: events.csv of the run"] if written else []
    return "\n".join([*lines, *more])


def _detail(reason: str) -> str:
    _, colon, detail = reason.partition(":")
    return f": {detail.strip()}" if colon else ""
