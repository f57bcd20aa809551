"""The table of events, by CAR, with the means on top."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from ...analysis.answer import DIFFERENT, PROVISIONAL, answer_of
from ...calendars.window import Window
from ...fitting.large_samples import many
from ...fitting.listed_events import listed, listed_note, listed_rows
from ...significance import STATISTICS
from ...utility.csv_text import BLANK
from ...utility.numbers import (
    LEVEL,
    MISSING,
    NBSP,
    clipped,
    count,
    date_iso,
    expected,
    level_text,
    number_word,
    p_is,
    parameter_letter,
    percent,
    pvalue,
    signed,
    span,
    window_text,
)
from ...utility.units import words
from ..content.window_reach import lacking
from ..content.wording import (
    NEUTRAL_FLAGS,
    common_flags,
    firm_name,
    flag_counts,
    flag_words,
    flags_of,
)
from ..figures.sparklines import sparks
from ..figures.style import PALETTE

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

_NOTE = "p is that of the t-test of the single event"
_BHAR_NOTE = (
    "; BHAR, in percent, is the buy-and-hold return less the expected one, over the same sessions"
)
# Share of interval ends that the axis of the events table must hold; longer intervals are cut.
ENDS_SHOWN = 0.95
FEW_ROWS = 10
# Classes of a column, the widest first, by the letters that a word must have.
WIDTHS = {"wide": 11, "middle": 8}
_DESCRIPTIONS = ("instrument", "headline", "title", "action", "description", "source_title")


@dataclass(frozen=True, slots=True)
class Mark:
    """Place of a value and its interval on an axis in percent of its width.

    `cut` has "l" and "r" for the ends of the interval that lie beyond the axis.
    """

    x: str
    low: str
    high: str
    shape: str
    color: str
    filled: bool
    cut: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the table of events, or a mean on top of it.

    `values` are CAR and p in full, to sort by; `why` says why there is no CAR.
    """

    date: str
    name: str
    ticker: str
    sub: str
    fit: str
    url: str
    group: str
    car: str
    interval: str
    pvalue: str
    bhar: str
    flags: tuple[tuple[str, bool], ...]
    mark: Mark | None
    values: tuple[str, str] = ("", "")
    why: str = ""
    page: str = ""
    spark: Markup | str = ""

    @property
    def tip(self) -> str:
        """What pointing at the mark tells."""
        ci = f" (95% CI {self.interval})" if self.interval not in ("", MISSING) else ""
        return f"CAR {self.car}{ci}, p {self.pvalue}"


@dataclass(frozen=True, slots=True)
class EventTable:
    """All events used, by CAR, with the means of the groups on top.

    `path` is the head of the small paths, `wide` the class of a table whose groups have long words.
    """

    means: tuple[EventRow, ...]
    rows: tuple[EventRow, ...]
    groups: tuple[str, ...]
    flags: tuple[str, ...]
    ticks: tuple[tuple[str, str], ...]
    wide: str
    key: str
    lede: str
    notes: tuple[str, ...]
    path: str = ""


def event_table(
    results: FittedStudy,
    window: Window,
    groups: Mapping[str, FittedStudy],
    column: str,
    families: pd.DataFrame | None = None,
    pages: Mapping[int, str] | None = None,
) -> EventTable:
    """Return every event used with its CAR over `window`, and the means of `groups` on top.

    `families` is ``tables/families.csv``, from which the correction for many events is taken;
    `pages` are the addresses of the pages of events by their row.
    """
    part, row_of = listed(results, window), listed_rows(results, window)
    half, car = part.abnormal.car_half_widths(window), part.abnormal.car(window)
    p = results.car([window])["pvalue"].to_numpy(dtype=float)
    own = p if part is results else part.car([window])["pvalue"].to_numpy(dtype=float)
    bound, said_once = axis_bound(car, half), common_flags(results)
    used, samples = np.flatnonzero(part.ok), groups or {"": results}
    styles = _styles(part, groups, column)
    drawn = sparks(part, samples if len(results) > 1 else {}, styles)
    bhar, chance = part.abnormal.bhar(window), dict(zip(used.tolist(), own.tolist(), strict=True))
    known, reasons = np.isfinite(car), _reasons(part, window)
    order = sorted(used.tolist(), key=lambda i: (not known[i], car[i] if known[i] else 0.0, i))
    rows = tuple(
        _event_row(
            part, i, column, said_once, (pages or {}).get(int(row_of[i]), ""),
            car=percent(car[i], unit=False), bhar=_bhar(bhar[i]), pvalue=pvalue(chance[i]),
            values=(_full(car[i]), _full(chance[i])), why=reasons.get(i, ""),
            interval=span(car[i] - half[i], car[i] + half[i], unit=False) if known[i] else "",
            spark=drawn.events.get(i, ""),
            mark=mark_of(car[i], half[i], bound, styles[i], filled=bool(chance[i] < LEVEL)),
        )
        for i in order
    )  # fmt: skip
    means = (
        _mean_row(name, g, window, bound, k, drawn.means.get(name, ""))
        for k, (name, g) in enumerate(samples.items())
        if g.abnormal.valid(window).any()
    )
    names = tuple(dict.fromkeys(clipped(name) for name in groups)) if column else ()
    return EventTable(
        means=tuple(means) if len(results) > 1 else (),
        rows=rows,
        groups=names,
        wide=_width(names),
        flags=tuple(sorted({flag for row in rows for flag, _ in row.flags})),
        ticks=axis_ticks(bound) if known.any() else (),
        key=_shape_key(list(groups)) if len(groups) > 1 else "",
        path=drawn.head,
        lede=_events_lede(p, families),
        notes=(
            *_event_notes(results, car, half, bound, said_once, window),
            *filter(None, [drawn.note]),
        ),
    )


def _styles(results: FittedStudy, groups: Mapping[str, FittedStudy], column: str) -> list[int]:
    """Return the place of the group of each event among the groups."""
    order = {name: i for i, name in enumerate(groups)}
    return [order.get(_group_of(event, column), 0) for event in results.records]


def _group_of(event: Mapping[str, Any], column: str) -> str:
    return (str(event.get(column, "")) or BLANK) if column else ""


def _event_row(
    results: FittedStudy, i: int, column: str, said_once: list[str], page: str, **shown: Any
) -> EventRow:
    """Return the row of an event; `shown` are the numbers and marks of its CAR."""
    event = results.records[i]
    flags = tuple(
        (flag_words(f)[:40], f not in NEUTRAL_FLAGS)
        for f in flags_of(event["flags"])
        if f not in said_once
    )
    return EventRow(
        date=date_iso(event["day0"]), name=event_name(event), ticker=clipped(event["ticker"]),
        sub=_event_sub(event), fit=_fit(results, i), url=safe_url(event.get("source_url", "")),
        group=clipped(_group_of(event, column)), flags=flags, page=page, **shown,
    )  # fmt: skip


def _mean_row(
    name: str, sample: FittedStudy, window: Window, bound: float, style: int, spark: Markup | str
) -> EventRow:
    found = answer_of(sample, window)
    effect = found.effect
    what = f"{STATISTICS[found.test].label} {p_is(found.pvalue)}"
    if not np.isfinite(found.pvalue):
        what = "provisional" if found.verdict == PROVISIONAL else found.reason
    of_mean = f"{found.n_events:,} {clipped(name, 60)}" if name else count(found.n_events, "event")
    return EventRow(
        date="", name=f"Effect of {of_mean}",
        ticker="", fit="", url="", group=clipped(name), sub=what,
        car=percent(effect.estimate, unit=False),
        interval=span(effect.ci_low, effect.ci_high, unit=False),
        pvalue=pvalue(found.pvalue), bhar=_bhar(_mean_bhar(sample, window)), flags=(),
        mark=mark_of(
            effect.estimate, effect.ci_high - effect.estimate, bound, style,
            filled=found.verdict == DIFFERENT, mean=True,
        ),
        spark=spark,
    )  # fmt: skip


def _full(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""


def _bhar(value: float) -> str:
    return percent(value, unit=False) if np.isfinite(value) and not words().quantity else ""


def _reasons(results: FittedStudy, window: Window) -> dict[int, str]:
    """Return why an event has no CAR over `window`, by its row."""
    lost = np.flatnonzero(results.ok & ~results.abnormal.valid(window))
    return {int(i): one.said for i, one in zip(lost, lacking(results, window), strict=False)}


def _width(names: Iterable[str]) -> str:
    """Return the class of a column of groups by the letters of their longest word."""
    longest = max((len(word) for name in names for word in name.split()), default=0)
    return next((kind for kind, least in WIDTHS.items() if longest >= least), "")


def _shape_key(names: list[str]) -> str:
    """Say which shape stands for which group."""
    shown = [clipped(name, 40) for name in names]
    last = shown[2] if len(shown) == 3 else "other groups"
    shapes = zip(("circle", "square", "triangle"), [*shown[:2], last][: len(shown)], strict=False)
    return "; ".join(f"{shape}: {name}" for shape, name in shapes) + "; "


def _mean_bhar(sample: FittedStudy, window: Window) -> float:
    bhar = sample.abnormal.sample(window).bhar(window)
    return float(bhar.mean()) if len(bhar) else math.nan


def event_name(event: Mapping[str, Any]) -> str:
    """Return what a reader calls an event: the company, else the ticker."""
    return firm_name(event)


def _event_sub(event: Mapping[str, Any]) -> str:
    what = next((str(event[c]) for c in _DESCRIPTIONS if str(event.get(c) or "").strip()), "")
    return clipped(what or event["event_id"])


def _fit(results: FittedStudy, i: int) -> str:
    """Return slopes, fit and days of the estimation of one event: ``β 1.33, R² 0.54, 220 days``."""
    a = results.abnormal
    slopes = [
        f"{parameter_letter(name)}{NBSP}{signed(value, sign=False)}"
        for name, value in zip(a.parameters, a.params[i], strict=True)
        if name != "alpha"
    ]
    fit = [f"R²{NBSP}{signed(a.r2[i], sign=False)}"] if slopes else []
    return ", ".join([*slopes, *fit, count(int(a.nobs[i]), "day").replace(" ", NBSP)])


def safe_url(value: object) -> str:
    """Return an http(s) address, or "" for anything else."""
    text = str(value).strip()
    return (
        text if re.fullmatch(r"https?://[^\s\x00-\x1f<>\"'`]{1,2000}", text, re.IGNORECASE) else ""
    )


def axis_bound(car: np.ndarray[Any, Any], half: np.ndarray[Any, Any]) -> float:
    """Return the end of a symmetric axis that holds all CARs and most intervals (decimal)."""
    ends = np.abs(np.concatenate([car - half, car + half]))
    ends = ends[np.isfinite(ends)]
    if len(ends) == 0:
        return 0.01
    share = ENDS_SHOWN if len(car) > FEW_ROWS else 1.0
    return max(float(np.nanmax(np.abs(car))), float(np.quantile(ends, share)), 1e-4) * 1.06


def mark_of(
    x: float, half: float, bound: float, style: int, *, filled: bool, mean: bool = False
) -> Mark | None:
    """Return where a value and its interval stand on an axis of +-`bound`; None for a missing
    value."""
    if not np.isfinite(x):
        return None
    h = half if np.isfinite(half) else 0.0
    cut = "l" * bool(x - h < -bound) + "r" * bool(x + h > bound)
    shape = "D" if mean else PALETTE[min(style, 2)][2]
    return Mark(
        _place(x, bound), _place(max(x - h, -bound), bound), _place(min(x + h, bound), bound),
        shape, ("b", "o", "i")[min(style, 2)], filled, cut,
    )  # fmt: skip


def _place(x: float, bound: float) -> str:
    return f"{50 + 50 * x / bound:.2f}%"


def axis_ticks(bound: float) -> tuple[tuple[str, str], ...]:
    """Return the place and label of round ticks on either side of zero."""
    largest = words().scale * bound * 0.8
    power = 10.0 ** math.floor(math.log10(largest))
    step = max(m * power for m in (1, 2, 5) if m * power <= largest)
    decimals = max(0, -math.floor(math.log10(step)))
    scale = words().scale
    return tuple(
        (_place(t / scale, bound), signed(t, decimals) if t else "0") for t in (-step, 0.0, step)
    )


def _events_lede(p: np.ndarray[Any, Any], families: pd.DataFrame | None) -> str:
    p = p[np.isfinite(p)]
    if len(p) < 2:
        return ""
    small = int((p < LEVEL).sum())
    differ = "differs from zero on its own" if small == 1 else "differ from zero on their own"
    return (
        f"{small:,} of {len(p):,} CARs {differ} at "
        f"{level_text(LEVEL)}, where {expected(LEVEL * len(p))} would by "
        f"chance{_corrected(families)}."
    )


def _corrected(families: pd.DataFrame | None) -> str:
    """Say what is left after Holm's correction for the number of events; "" if it was not
    computed."""
    if families is None:
        return ""
    holm = families.loc[families["family"] == "events", "holm"].dropna()
    if holm.empty:
        return ""
    left = int((holm < LEVEL).sum())
    many = f"{number_word(left) if left else 'none'} {'does' if left < 2 else 'do'}"
    return f"; after Holm’s correction {many} (smallest adjusted {p_is(holm.min())})"


def _event_notes(
    results: FittedStudy,
    car: np.ndarray[Any, Any],
    half: np.ndarray[Any, Any],
    bound: float,
    said_once: list[str],
    window: Window,
) -> tuple[str, ...]:
    notes = [f"{_NOTE}{'' if words().quantity else _BHAR_NOTE}."]
    cut = int((np.abs(car) + half > bound).sum())
    if cut:
        notes.append(
            f"{count(cut, 'interval')} {'goes' if cut == 1 else 'go'} on beyond the axis (arrow)."
        )
    lacking = 0 if many(results) else int((results.ok & ~np.isfinite(car)).sum())
    if lacking:
        which = f"{count(lacking, 'event')} at the end {'lacks' if lacking == 1 else 'lack'}"
        notes.append(f"{which} days of {window_text(window)}, each with its reason.")
    counts = flag_counts(results)
    notes += [
        f"{clipped(flag_words(f), 60).capitalize()}: {counts[f]:,} of {len(results):,} events, "
        "not tagged."
        for f in said_once
    ]
    return tuple(filter(None, [listed_note(results), *notes]))
