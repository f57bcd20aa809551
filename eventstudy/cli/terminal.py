"""The short answer for a terminal, in plain ASCII that any console and log can show."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..analysis.answer import PROVISIONAL, answer_of, main_test_of
from ..analysis.cross_section import not_possible
from ..analysis.opinions import VALID, WITH_CARE
from ..calendars.window import Window
from ..fitting.config import MAIN
from ..fitting.listed_events import place_of_all
from ..prices.quality.fault_kinds import SPOKEN
from ..prices.quality.return_faults import RETURN_FAULTS
from ..report.content.shown_tests import cells, rate_text, shown_tests
from ..report.content.tables import faults_in_windows
from ..report.content.window_reach import lacking, remedies
from ..report.content.wording import reason_head
from ..report.html.robustness import of_groups
from ..significance import STATISTICS
from ..utility.csv_text import read_csv
from ..utility.numbers import LEVELS, p_is, pvalue
from ..utility.typing import FloatArray
from ..utility.units import in_its_words, words
from .shared import ascii_text

if TYPE_CHECKING:
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy

SKETCH_ROWS = 7
HEAD_WIDTH = 9
DROPPED_SHOWN = 8
TEXT_WIDTH = 79


def percent(value: float) -> str:
    """Return a decimal as ``+1.23%``, or ``-`` if it is missing; log points without their unit."""
    unit = "%" if words().unit == "%" else ""
    return f"{round(words().scale * value, 2) + 0.0:+.2f}{unit}" if np.isfinite(value) else "-"


def p_text(value: float) -> str:
    """Return a p-value with the digits that tell its stars."""
    return ascii_text(pvalue(value, levels=LEVELS))


@in_its_words
def summary_text(results: FittedStudy, config: StudyConfig) -> str:
    """Return windows with effect, interval and p of the main test, and the other tests of the main
    window."""
    # The average of one event is its effect.
    several = len(results) > 1
    head = ["days", "N", "effect", "95% interval", "p", *["plain average"] * several]
    rows = [_row(results, window, config.main)[: len(head)] for window in config.tested]
    unit = f"Effect: {words().what} in {words().axis}. " * bool(words().what)
    note = f"{unit}p: {_deciding(results, config)}."
    others = _others(results, config)
    return "\n".join([_grid(head, rows), *_wrapped(note), *others])


def _deciding(results: FittedStudy, config: StudyConfig) -> str:
    """Return the main test, and the windows of fewer events in which another one decides."""
    labels = {
        window: STATISTICS[main_test_of(results, window)].label
        for window in (config.main, *config.tested)
    }
    label = labels[config.main]
    others = [f"{other} over {window}" for window, other in labels.items() if other != label]
    return ", ".join([f"{label} (main test)", *others])


def _row(results: FittedStudy, window: Window, main: Window) -> list[str]:
    found = answer_of(results, window)
    low, high = (percent(end) for end in (found.effect.ci_low, found.effect.ci_high))
    return [
        f"{window}{' main' * (window == main)}", f"{found.n_events:,}",
        percent(found.effect.estimate),
        f"{low} to {high}" if low != "-" else "-", p_text(found.pvalue),
        percent(found.plain_average.estimate),
    ]  # fmt: skip


def _others(results: FittedStudy, config: StudyConfig) -> list[str]:
    """Return the other tests of the main window by how far to trust them; what is not valid is left
    out.

    None while the answer is provisional: no p-value goes before it.
    """
    if answer_of(results, config.main).verdict == PROVISIONAL:
        return []
    names = shown_tests(results, config.main, config.tests)[1:]
    shown = cells(results, config.main, names)
    lines = []
    for trust in (VALID, WITH_CARE):
        each = [
            f"{STATISTICS[name].label} {p_text(cell.result.pvalue)}"
            + f" (false alarms {rate_text(cell)})" * (trust == WITH_CARE and bool(rate_text(cell)))
            for name, cell in shown.items()
            if cell.trust == trust
        ]
        if each:
            lines += _wrapped(f"Other tests of {config.main}, {trust}: {', '.join(each)}.")
    return lines


def beside(folder: Path, group: str = "") -> list[str]:
    """Return what the tables of a run say of variants, placebo studies and a regression, if it has
    them.

    Variants and placebo studies are those of `group`, as is the answer; "" for all events.
    """
    variants, placebo, terms = (
        _read(folder, n) for n in ("variants", f"placebo{'_by_group' * bool(group)}", "regression")
    )
    lines = (
        [_variant(row, group) for row in _named(of_groups(variants, [group]))]
        if len(variants)
        else []
    )
    own = placebo[placebo.iloc[:, 0] == group] if group and len(placebo) else placebo
    who = f", {group}" * bool(group)
    for row in _named(own):
        rank = f"{p_is(row.pvalue)} among {row.draws:,}" if np.isfinite(row.pvalue) else row.reason
        lines.append(
            f"Placebo {row.kind}{who} ({STATISTICS[row.test].label} {row.statistic:+.2f}): {rank}"
        )
    if len(terms) and (why := not_possible(terms)):
        lines.append(f"CAR on {terms['term'].iloc[0]}: {why}")
    elif len(terms):
        wild = "wild_pvalue" if "wild_pvalue" in terms else "pvalue"
        each = (f"{t.term} {t.estimate:+.3g} ({p_is(getattr(t, wild))})" for t in _named(terms))
        who, first = ", all groups" * bool(group), terms.iloc[0]
        about = [
            f"N = {first['n_events']:,}, errors {first['errors']}",
            *filter(None, [first["notes"]]),
        ]
        lines.append(f"CAR on characteristics{who}: {', '.join(each)}; {'; '.join(about)}")
    return ["\n".join(_wrapped(text)) for text in lines if text]


def _read(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of a run, names of groups as text; empty if it has none of this name."""
    file = folder / f"tables/{name}.csv"
    texts: dict[Any, Any] = {0: str, "group": str} if name == "variants" else {0: str}
    return read_csv(file, converters=texts | {"notes": str}) if file.is_file() else pd.DataFrame()


def _variant(row: Any, group: str) -> str:
    """Return what one variant says of the group, or of all events where it has none; nothing of the
    study."""
    if row.variant == MAIN:
        return ""
    name = row.variant + f", {row.group or 'all events'}" * bool(group)
    if not row.n_events:
        return f"Variant {name}: {row.reason}"
    window, test = Window(row.start, row.stop), STATISTICS[row.test].label
    p = p_is(row.pvalue) if np.isfinite(row.pvalue) else row.reason
    return (
        f"Variant {name}: {percent(row.estimate)} over {window}, {test} {p}, N = {row.n_events:,}"
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, TEXT_WIDTH, break_on_hyphens=False, subsequent_indent=indent)


def _named(tests: pd.DataFrame) -> list[Any]:
    return list(tests.itertuples(index=False))


def _grid(head: list[str], rows: list[list[str]]) -> str:
    """Align cells to the right under a head that is wrapped to short lines."""
    wrapped = [textwrap.wrap(text, HEAD_WIDTH, break_long_words=False) for text in head]
    height = max(map(len, wrapped))
    above = [[([""] * (height - len(w)) + w)[k] for w in wrapped] for k in range(height)]
    widths = [max(len(row[j]) for row in [*above, *rows]) for j in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in [*above, *rows]
    ]
    return "\n".join([*lines[:height], "-" * max(map(len, lines)), *lines[height:]])


@in_its_words
def sketch(results: FittedStudy) -> str:
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
    canvas = [
        ["-" if row == zero else " " for _ in range(2 * len(days) - 1)]
        for row in range(SKETCH_ROWS)
    ]
    for column, (value, day) in enumerate(zip(path, days, strict=True)):
        for row in range(SKETCH_ROWS if day == 0 else 0):
            canvas[row][2 * column] = "|" if row != zero else "+"
        if np.isfinite(value):
            canvas[round((value - low) / step)][2 * column] = "o"
    labels = {0: percent(low), SKETCH_ROWS - 1: percent(high), zero: "0"}
    lines = [
        f"{labels.get(row, ''):>8} {''.join(canvas[row])}".rstrip()
        for row in reversed(range(SKETCH_ROWS))
    ]
    axis = [" "] * (2 * len(days) + 3)
    for text, column in (
        (f"{days[0]:+d}", 0),
        ("0", int(-days[0])),
        (f"{days[-1]:+d}", len(days) - 1),
    ):
        if 0 <= column < len(days):
            axis[2 * column : 2 * column + len(text)] = text
    return "\n".join(["CAAR by event day", *lines, " " * 9 + "".join(axis).rstrip()])


def losses(results: FittedStudy, main: Window | None = None, *, written: bool = True) -> str:
    """Return what was dropped and why, the most frequent reason first, and which events leave
    `main`."""
    lost = _without(results, main) if main else ""
    dropped = results.events[~results.ok]
    if dropped.empty:
        return lost or "No event was dropped."
    heads = dropped["reason"].map(reason_head)
    kinds = Counter(heads)
    lines = [
        (
            f"Dropped {len(dropped):,} of {len(results.events):,} "
            f"event{'s' * (len(results.events) != 1)}:"
        )
    ]
    for kind, count in kinds.most_common(DROPPED_SHOWN):
        event = dropped[heads == kind].iloc[0]
        lines.append(f"  {count:4,d}  {kind}, e.g. {event['event_id']}{_detail(event['reason'])}")
    more = [f"  every event and its reason: {place_of_all(results)} of the run"] if written else []
    return "\n".join([*lines, *more, *filter(None, [lost])])


@in_its_words
def _without(results: FittedStudy, main: Window) -> str:
    """Return the used events without a CAR over `main`, each with the reason, and what to do."""
    found = lacking(results, main)
    if not found:
        return ""
    lines = [f"Used, but without a CAR over {main}: {len(found):,} of {len(results):,} events"]
    lines += [f"  {ascii_text(str(one))}" for one in found[:DROPPED_SHOWN]]
    left = len(found) - DROPPED_SHOWN
    lines += [f"  and {left:,} more: the report has them all"] * (left > 0)
    return "\n".join([*lines, *(f"  {line}" for line in _wrapped(remedies(found)))])


def seen_faults(results: FittedStudy) -> str:
    """Return how many faults of prices or returns touch windows of used events, by kind; "" without
    any.

    Of an event that was dropped the reason says what its prices lack.
    """
    used = results.subset(results.ok) if len(results) else results
    kinds = (
        Counter(fault.kind for fault in faults_in_windows(used)) if len(results) else Counter[str]()
    )
    if not kinds:
        return ""
    words = {**SPOKEN, **{kind: reason.spoken for kind, reason in RETURN_FAULTS.items()}}
    what = ", ".join(f"{count:,} {words[kind][count > 1]}" for kind, count in kinds.most_common())
    total, data = (
        sum(kinds.values()),
        "returns" if kinds.keys() <= RETURN_FAULTS.keys() else "prices",
    )
    text = (
        f"{total:,} fault{'s' * (total != 1)} of {data} in the windows: {what}; tables/faults.csv "
        "of the run"
    )
    return "\n".join(_wrapped(text))


def excess_loss(results: FittedStudy, main: Window, *, strict: bool, max_loss: float) -> str:
    """Return which events have no result for `main`, if these are more than allowed; ""
    otherwise."""
    events = results.events.assign(lost=~results.abnormal.valid(main))
    return excess(events, main, strict=strict, max_loss=max_loss)


def excess(events: pd.DataFrame, main: Window, *, strict: bool, max_loss: float) -> str:
    """Return what :func:`excess_loss` does, of a table of events with a column `lost`."""
    share_lost = events["lost"].mean()
    if share_lost == 0 or (share_lost <= max_loss and not strict):
        return ""
    limit = "--strict" if strict else f"--max-loss {max_loss:g}"
    head = f"{share_lost:.0%} of the events have no result for {main}, more than {limit} allows"
    own = [
        f"  {event['event_id']} ({event['ticker']}): {event['reason'] or f'lacks days of {main}'}"
        for event in events[events["lost"]].to_dict("records")
    ]
    rest = len(own) - DROPPED_SHOWN
    more = [f"  and {rest:,} more: events.csv of the run"] * (rest > 0)
    return "\n".join([head, *own[:DROPPED_SHOWN], *more])


def _detail(reason: str) -> str:
    _, colon, detail = reason.partition(":")
    return f": {detail.strip()}" if colon else ""
