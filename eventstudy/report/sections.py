"""The exhibits of the page as plain values, every number already in words: the template only places them."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..significance import STATISTICS
from ..windows import Window
from .facts import Cell, cells, crowding, hazards, interval
from .measures import words
from .plots import BAND_EVENTS, PALETTE, own_half_widths
from .wording import (
    FLAGS,
    LEVEL,
    MISSING,
    NBSP,
    NEARLY_ALL,
    NEUTRAL_FLAGS,
    clipped,
    count,
    date_iso,
    date_prose,
    day,
    flag_counts,
    flag_words,
    flags_of,
    level_text,
    listed,
    p_is,
    parameter_letter,
    percent,
    pvalue,
    reason_general,
    reason_head,
    reason_text,
    signed,
    span,
    window_text,
)

if TYPE_CHECKING:
    from ..results import EventStudyResults
    from .plots import Path95

_NOTE = "p is that of the exact t-test of the single event"
_BHAR_NOTE = "; BHAR is the buy-and-hold return less the expected one"
LISTED_FLAGS = 8
# Share of interval ends that the axis of the events table must hold; longer intervals are cut.
ENDS_SHOWN = 0.95
FEW_ROWS = 10
_DESCRIPTIONS = ("instrument", "headline", "title", "action", "description", "source_title")


@dataclass(frozen=True, slots=True)
class GridCell:
    """Text of one test over one window."""

    pvalue: str
    statistic: str
    valid: bool
    significant: bool
    main: bool


@dataclass(frozen=True, slots=True)
class GridRow:
    """One test over all windows."""

    name: str
    label: str
    about: str
    recommended: bool
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Windows by tests of one sample, the tests grouped by where they are valid."""

    windows: tuple[tuple[str, str, bool], ...]
    events: tuple[str, ...]
    caar: tuple[str, ...]
    intervals: tuple[tuple[str, str], ...]
    positive: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[GridRow, ...]], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Place of a value and its interval on an axis in percent of its width."""

    x: str
    low: str
    high: str
    shape: str
    color: str
    filled: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the table of events, or a mean on top of it."""

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


@dataclass(frozen=True, slots=True)
class EventTable:
    """All events used, by CAR, with the means of the groups on top."""

    means: tuple[EventRow, ...]
    rows: tuple[EventRow, ...]
    ticks: tuple[tuple[str, str], ...]
    key: str
    lede: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Events dropped for one kind of reason."""

    reason: str
    events: tuple[tuple[str, str, str, str, str], ...]


def significance_grid(
    results: EventStudyResults, windows: Iterable[Window], main: Window, names: Iterable[str] | None
) -> Grid:
    """Return windows by tests; `main` is the window of the headline."""
    shown = list(windows)
    by_window = {w: cells(results, w, names) for w in shown}
    found = [interval(results, w) for w in shown]
    return Grid(
        windows=tuple((window_text(w), window_role(w, main), w == main) for w in shown),
        events=tuple(f"{int(results.abnormal.valid(w).sum()):,}" for w in shown),
        caar=tuple(percent(i.estimate, unit=False) for i in found),
        intervals=tuple(_interval_ends(results, w) for w in shown),
        positive=tuple(_positive(results, w) for w in shown),
        groups=_grouped(results, by_window, main),
        notes=_reason_notes(by_window),
    )


def _interval_ends(results: EventStudyResults, window: Window) -> tuple[str, str]:
    """Return the ends of the interval, missing where the recommended test cannot be relied on."""
    if results.test(results.recommended, window).reason:
        return MISSING, ""
    found = interval(results, window)
    return percent(found.low, unit=False), percent(found.high, unit=False)


def window_role(window: Window, main: Window) -> str:
    """Return what a window is for: main, leakage before or drift after the event, or nothing."""
    if window == main:
        return "main"
    return "leakage" if window.stop < 0 else "drift" if window.start > 0 else ""


def _positive(results: EventStudyResults, window: Window) -> tuple[str, str]:
    car = results.abnormal.sample(window).car(window)
    if len(car) == 0:
        return MISSING, ""
    return f"{int((car > 0).sum()):,}", percent(float(np.median(car)), unit=False)


def _grouped(
    results: EventStudyResults, by_window: Mapping[Window, Mapping[str, Cell]], main: Window
) -> tuple[tuple[str, tuple[GridRow, ...]], ...]:
    """Group the tests by where they are valid, each window being judged by its own events."""
    titles = _validity_titles(results, by_window)
    kinds: dict[str, list[GridRow]] = {kind: [] for kind in titles}
    for name in by_window[main]:
        row = {w: tests[name] for w, tests in by_window.items()}
        kinds[_validity(row.values())].append(
            _grid_row(name, row, main, recommended=name == results.recommended)
        )
    return tuple((titles[kind], tuple(rows)) for kind, rows in kinds.items() if rows)


def _validity(row: Iterable[Cell]) -> str:
    """Return the kind of :func:`_validity_titles` that holds for a test over these windows."""
    shown = list(row)
    computed = [cell for cell in shown if np.isfinite(cell.result.pvalue)]
    valid = sum(cell.valid for cell in shown)
    if valid and valid == len(computed):
        return "all" if valid == len(shown) else "computed"
    if valid:
        return "some"
    return "none" if any(cell.ignores for cell in computed) else "few"


def _validity_titles(results: EventStudyResults, windows: Iterable[Window]) -> dict[str, str]:
    troubles = hazards(results, windows)
    how = f" although {listed(troubles)}" if troubles else ": no dates are shared and no windows overlap"
    if len(results) == 1:
        how = ", if the returns of the event are normal"
    return {
        "all": f"Valid in every window{how}",
        "computed": f"Valid in every window that has a p-value{how}",
        "some": "Valid in some windows only, in brackets in the others",
        "few": "Not to be relied on in any window, for the reason below the table",
        "none": "Not valid here, shown because readers expect them",
    }


def _grid_row(name: str, row: Mapping[Window, Cell], main: Window, *, recommended: bool) -> GridRow:
    entry = STATISTICS[name]
    texts = tuple(_grid_cell(cell, main=window == main) for window, cell in row.items())
    return GridRow(name, entry.label, _faults(row) or words().say(f"Null: {entry.null}."), recommended, texts)


def _faults(row: Mapping[Window, Cell]) -> str:
    """Say what a test ignores, and over which windows where not over all."""
    computed = {w: cell for w, cell in row.items() if np.isfinite(cell.result.pvalue)}
    where: dict[str, list[Window]] = {}
    for window, cell in computed.items():
        for fault in cell.ignores:
            where.setdefault(fault, []).append(window)
    by_windows: dict[tuple[Window, ...], list[str]] = {}
    for fault, windows in where.items():
        by_windows.setdefault(tuple(windows), []).append(fault)
    said = (listed(faults) + _over(windows, computed) for windows, faults in by_windows.items())
    return f"Ignores {', '.join(said)}." if where else ""


def _over(windows: Collection[Window], everywhere: Iterable[Window]) -> str:
    """Say over which windows something holds: nothing for all, "except over" for most."""
    others = [w for w in everywhere if w not in windows]
    if not others:
        return ""
    most = len(others) < len(windows)
    return f"{' except' if most else ''} over {listed(window_text(w) for w in (others if most else windows))}"


def _grid_cell(cell: Cell, *, main: bool) -> GridCell:
    p = pvalue(cell.result.pvalue)
    return GridCell(
        p if cell.valid or p == MISSING else f"({p})",
        signed(cell.result.statistic),
        cell.valid,
        cell.valid and cell.result.pvalue < LEVEL,
        main,
    )


def _reason_notes(by_window: Mapping[Window, Mapping[str, Cell]]) -> tuple[str, ...]:
    """Say why cells are missing or unreliable, equal reasons in one sentence."""
    alike: dict[tuple[str, tuple[Window, ...]], list[str]] = {}
    names = next(iter(by_window.values()))
    for name in names:
        row = {window: tests[name] for window, tests in by_window.items()}
        for reason, windows in _reasons_of(row, STATISTICS[name].minimum).items():
            alike.setdefault((reason, tuple(windows)), []).append(STATISTICS[name].label)
    return tuple(
        f"{'All tests' if len(labels) == len(names) > 1 else listed(labels)}{_over(windows, by_window)}: "
        f"{reason}."
        for (reason, windows), labels in alike.items()
    )


def _reasons_of(row: Mapping[Window, Cell], minimum: int) -> dict[str, list[Window]]:
    """Return the reasons of one test with their windows; too few events hold wherever they are too few."""
    few = f"fewer than {count(minimum, 'event')}"
    found: dict[str, list[Window]] = {}
    for window, cell in row.items():
        for reason in filter(None, cell.result.reason.split("; ")):
            found.setdefault(reason_general(reason), []).append(window)
    if few in found:
        found[few] = [window for window, cell in row.items() if 0 < cell.result.n_events < minimum]
    return found


def path_lede(results: EventStudyResults, windows: Iterable[Window], path: Path95) -> str:
    """Return what the path shows before, on and after day 0, from the recommended test."""
    shown = list(windows)
    before = next((w for w in shown if w.stop < 0), None)
    after = next((w for w in shown if w.start > 0), None)
    zero = Window(0, 0) if Window(0, 0) in results.abnormal.event else None
    said = [
        _finding(results, before, "Before the event", "leakage"),
        _finding(results, zero, "", ""),
        _finding(results, after, "Afterwards", "drift"),
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
    return f"From day {first} to day {last} it adds up to {percent(path.caar[-1])}{some}."


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
            f"{events_between(path)} of {n_events:,} {verb}: each point is the mean of those that have "
            f"all days from day {first} to its own, as in the table of windows."
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


def _finding(results: EventStudyResults, window: Window | None, lead: str, absent: str) -> str:
    """Say what one window shows; "no sign of" only where the test does not reject."""
    test = results.test(results.recommended, window) if window else None
    if window is None or test is None or not np.isfinite(test.estimate):
        return ""
    p = "" if test.reason else f" ({p_is(test.pvalue)})"
    if not lead:
        return f"Day 0 is {percent(test.estimate)}{p}."
    number = f"{window_text(window)} is {percent(test.estimate)}{p}"
    if p and test.pvalue >= LEVEL:
        return f"{lead} there is no sign of {absent}: {number}."
    return f"{lead}, {number}."


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


def event_table(
    results: EventStudyResults, window: Window, groups: Mapping[str, EventStudyResults], column: str
) -> EventTable:
    """Return every event used with its CAR over `window`, and the means of `groups` on top."""
    half = own_half_widths(results, window)
    car, bhar = results.abnormal.car(window), results.abnormal.bhar(window)
    p = results.car([window]).set_axis(np.flatnonzero(results.ok))["pvalue"]
    bound = axis_bound(car, half)
    said_once = common_flags(results)
    order = {name: i for i, name in enumerate(groups)}
    known = np.isfinite(car)
    rows = []
    for i in sorted(np.flatnonzero(results.ok), key=lambda i: (not known[i], car[i] if known[i] else 0.0, i)):
        event = {str(k): v for k, v in results.events.iloc[i].items()}
        own = str(event.get(column, "")) or ("(blank)" if column else "")
        style = order.get(own, 0)
        rows.append(
            EventRow(
                date=date_iso(event["day0"]),
                name=event_name(event),
                ticker=clipped(event["ticker"]),
                sub=_event_sub(event),
                fit=_fit(results, int(i)),
                url=safe_url(event.get("source_url", "")),
                group=clipped(own) if column else "",
                car=percent(car[i], unit=False),
                interval=span(car[i] - half[i], car[i] + half[i], unit=False),
                pvalue=pvalue(p[i]),
                bhar=percent(bhar[i], unit=False),
                flags=tuple(
                    (flag_words(f)[:40], f not in NEUTRAL_FLAGS)
                    for f in flags_of(event["flags"])
                    if f not in said_once
                ),
                mark=_mark(car[i], half[i], bound, style, filled=bool(p[i] < LEVEL)),
            )
        )
    samples = groups or {"": results}
    means = tuple(_mean_row(name, g, window, bound, order.get(name, 0)) for name, g in samples.items())
    return EventTable(
        means=means if len(results) > 1 else (),
        rows=tuple(rows),
        ticks=_ticks(bound),
        key=_shape_key(list(groups)) if len(groups) > 1 else "",
        lede=_events_lede(p.to_numpy(dtype=float)),
        notes=_event_notes(results, car, half, bound, said_once, window),
    )


def _mean_row(name: str, sample: EventStudyResults, window: Window, bound: float, style: int) -> EventRow:
    found, test = interval(sample, window), sample.test(sample.recommended, window)
    tested = not test.reason
    half = found.high - found.estimate if tested else math.nan
    label = STATISTICS[test.name].label
    what = f"{label} {p_is(test.pvalue)}" if tested else f"not tested: {reason_text(test.reason)}"
    significant = bool(tested and test.pvalue < LEVEL)
    ci = span(found.low, found.high, unit=False) if tested else ""
    return EventRow(
        date="", name=f"Mean of {test.n_events:,} {clipped(name, 60)}".strip(),
        ticker="", fit="", url="", group="",
        sub=what, car=percent(found.estimate, unit=False), interval=ci,
        pvalue=pvalue(test.pvalue) if tested else MISSING,
        bhar=percent(_mean_bhar(sample, window), unit=False), flags=(),
        mark=_mark(found.estimate, half, bound, style, filled=significant, mean=True),
    )  # fmt: skip


def _shape_key(names: list[str]) -> str:
    """Say which shape stands for which group."""
    shown = [clipped(name, 40) for name in names]
    last = shown[2] if len(shown) == 3 else "other groups"
    shapes = zip(("circle", "square", "triangle"), [*shown[:2], last][: len(shown)], strict=False)
    return "; ".join(f"{shape}: {name}" for shape, name in shapes) + "; "


def _mean_bhar(sample: EventStudyResults, window: Window) -> float:
    bhar = sample.abnormal.sample(window).bhar(window)
    return float(bhar.mean()) if len(bhar) else math.nan


def event_name(event: Mapping[str, Any]) -> str:
    """Return what a reader calls an event: the company, else the ticker."""
    company = event.get("company")
    return clipped(company if isinstance(company, str) and company.strip() else event["ticker"])


def _event_sub(event: Mapping[str, Any]) -> str:
    what = next((str(event[c]) for c in _DESCRIPTIONS if str(event.get(c) or "").strip()), "")
    return clipped(what or event["event_id"])


def _fit(results: EventStudyResults, i: int) -> str:
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
    return text if re.fullmatch(r"https?://[^\s\x00-\x1f<>\"'`]{1,2000}", text, re.IGNORECASE) else ""


def axis_bound(car: np.ndarray[Any, Any], half: np.ndarray[Any, Any]) -> float:
    """Return the end of a symmetric axis that holds all CARs and most intervals (decimal)."""
    ends = np.abs(np.concatenate([car - half, car + half]))
    ends = ends[np.isfinite(ends)]
    if len(ends) == 0:
        return 0.01
    share = ENDS_SHOWN if len(car) > FEW_ROWS else 1.0
    return max(float(np.nanmax(np.abs(car))), float(np.quantile(ends, share)), 1e-4) * 1.06


def _mark(
    x: float, half: float, bound: float, style: int, *, filled: bool, mean: bool = False
) -> Mark | None:
    if not np.isfinite(x):
        return None
    h = half if np.isfinite(half) else 0.0
    shape = "D" if mean else PALETTE[min(style, 2)][2]
    return Mark(
        _place(x, bound), _place(max(x - h, -bound), bound), _place(min(x + h, bound), bound),
        shape, ("b", "o", "i")[min(style, 2)], filled,
    )  # fmt: skip


def _place(x: float, bound: float) -> str:
    return f"{50 + 50 * x / bound:.2f}%"


def _ticks(bound: float) -> tuple[tuple[str, str], ...]:
    """Return the place and label of round ticks on either side of zero."""
    largest = words().scale * bound * 0.8
    power = 10.0 ** math.floor(math.log10(largest))
    step = max(m * power for m in (1, 2, 5) if m * power <= largest)
    decimals = max(0, -math.floor(math.log10(step)))
    scale = words().scale
    return tuple((_place(t / scale, bound), signed(t, decimals) if t else "0") for t in (-step, 0.0, step))


def common_flags(results: EventStudyResults) -> list[str]:
    """Return the flags that nearly every event carries."""
    return [f for f, n in flag_counts(results).items() if n > NEARLY_ALL * len(results) and len(results) > 1]


def _events_lede(p: np.ndarray[Any, Any]) -> str:
    p = p[np.isfinite(p)]
    if len(p) < 2:
        return ""
    small = int((p < LEVEL).sum())
    chance = f"{LEVEL * len(p):.2f}".rstrip("0").rstrip(".")
    return (
        f"{small:,} of {len(p):,} CARs {'differs' if small == 1 else 'differ'} from zero on their own at "
        f"{level_text(LEVEL)}, where {chance} would by chance."
    )


def _event_notes(
    results: EventStudyResults,
    car: np.ndarray[Any, Any],
    half: np.ndarray[Any, Any],
    bound: float,
    said_once: list[str],
    window: Window,
) -> tuple[str, ...]:
    notes = [f"{_NOTE}{'' if words().quantity else _BHAR_NOTE}."]
    cut = int((np.abs(car) + half > bound).sum())
    if cut:
        notes.append(f"{count(cut, 'interval')} {'is' if cut == 1 else 'are'} cut at the edge of the axis.")
    lacking = int((results.ok & ~np.isfinite(car)).sum())
    if lacking:
        which = f"{count(lacking, 'event')} at the end {'lacks' if lacking == 1 else 'lack'}"
        notes.append(f"{which} days of {window_text(window)}.")
    counts = flag_counts(results)
    notes += [
        f"{clipped(flag_words(f), 60).capitalize()}: {counts[f]:,} of {len(results):,} events, not tagged."
        for f in said_once
    ]
    return tuple(notes)


def dropped(results: EventStudyResults) -> tuple[Dropped, ...]:
    """Return the dropped events by kind of reason, most frequent first; each keeps its own reason."""
    kinds: dict[str, list[tuple[str, str, str, str, str]]] = {}
    for event in results.events[~results.ok].to_dict("records"):
        line = {str(k): v for k, v in event.items()}
        kinds.setdefault(reason_head(str(line["reason"])), []).append((
            date_iso(line["day0"]), event_name(line), clipped(line["ticker"]), clipped(line["event_id"]),
            clipped(line["reason"], 400),
        ))  # fmt: skip
    return tuple(
        Dropped(clipped(reason), tuple(events))
        for reason, events in sorted(kinds.items(), key=lambda item: -len(item[1]))
    )


def flagged(results: EventStudyResults, window: Window) -> list[tuple[str, str, str, str, str, str]]:
    """Return flag, meaning, events flagged, events left, and CAAR and p without the flagged ones."""
    rows = []
    common = common_flags(results)
    telling = [item for item in flag_counts(results).most_common() if item[0] not in common]
    for flag, n in telling[:LISTED_FLAGS]:
        has = np.array([flag in flags_of(cell) for cell in results.events["flags"]], dtype=bool)
        rest = results.subset(results.ok & ~has)
        test = rest.test(rest.recommended, window) if len(rest) else None
        rows.append((
            clipped(flag_words(flag), 60).capitalize(), _flag_meaning(flag), f"{n:,}", f"{len(rest):,}",
            percent(test.estimate, unit=False) if test else MISSING,
            pvalue(test.pvalue) if test and not test.reason else MISSING,
        ))  # fmt: skip
    return rows


def _flag_meaning(flag: str) -> str:
    return words().say(FLAGS.get(flag, ""))


def group_rows(
    groups: Mapping[str, EventStudyResults], window: Window
) -> tuple[list[tuple[str, str, str, str, str, str]], str]:
    """Return name, events, dates, CAAR, interval and p of each group, and the sentence above them."""
    rows, differ, tested = [], [], 0
    for name, sample in groups.items():
        test, found = sample.test(sample.recommended, window), interval(sample, window)
        able = not test.reason
        tested += able
        if able and test.pvalue < LEVEL:
            differ.append(clipped(name, 60))
        rows.append((
            clipped(name, 80), f"{test.n_events:,}", f"{crowding(sample, window).dates:,}",
            percent(found.estimate, unit=False),
            span(found.low, found.high, unit=False) if able else "",
            pvalue(test.pvalue) if able else f"not tested: {reason_text(test.reason)}",
        ))  # fmt: skip
    return rows, _groups_lede(differ, tested, window)


def _groups_lede(differ: list[str], tested: int, window: Window) -> str:
    """Say how many of the groups tested differ from zero."""
    if not tested:
        return f"No group has enough events to be tested over {window_text(window)}."
    which = f": {listed(differ)}" if differ else ""
    verb = "differs" if len(differ) == 1 else "differ"
    who = f"{len(differ) or 'none'} of the {tested} groups tested {verb}"
    if tested == 1:
        who = f"the one group tested {'differs' if differ else 'does not differ'}"
    return f"Over {window_text(window)} {who} from zero at the {level_text(LEVEL)} level{which}."


def period(results: EventStudyResults) -> str:
    """Return the first and last day 0 in words."""
    days = results.events.loc[results.ok, "day0"]
    first, last = date_prose(days.min()), date_prose(days.max())
    return first if first == last else f"{first} to {last}"
