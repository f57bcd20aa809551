"""Markdown: the report for a reader of plain text, with the findings of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from ...analysis.opinions import percent as rate
from ...calendars.window import Window
from ...significance import STATISTICS
from ...utility.numbers import (
    MISSING,
    clipped,
    count,
    date_iso,
    day,
    percent,
    pvalue,
    span,
    window_text,
)
from ...utility.units import speaking_of, words
from ..content.finished_run import Finished
from ..content.paper_tables import Panel, WindowRow, event_rows, labels, panels
from ..content.wording import FLAGS, flag_words, flags_of
from ..html.methods import settings_text
from .markdown_robustness import groups_and_robustness
from .markdown_text import block, inert, items, table

MOST_PANELS = 6


def markdown(run: Finished) -> str:
    """Return ``report.md``: answer, windows by tests, events, robustness, diagnosis, losses,
    methods."""
    sections = (
        _top, _windows, _path, _events, groups_and_robustness, _diagnosis, _ledger, _methods,
        _provenance,
    )  # fmt: skip
    with speaking_of(run.measure):
        return "\n\n".join(part for section in sections for part in section(run) if part) + "\n"


def _top(run: Finished) -> Iterator[str]:
    text = run.document["text"]
    yield f"# {inert(run.document['name'])}"
    yield f"**{block(text['answer'])}**"
    yield block(" ".join(text["asides"]))
    yield items(text["others"])
    yield table(["Key figure", "Value", ""], text["keys"], left=3) if text["keys"] else ""
    yield block(text["setup"])
    yield items(text["warnings"])


def _windows(run: Finished) -> Iterator[str]:
    shown, left = panels(run, MOST_PANELS)
    if not shown:
        return
    yield "## Windows and tests"
    for panel in shown:
        if len(shown) > 1:
            yield f"### {inert(_who(run, panel))}"
        yield _grid(panel, run.main)
    more = f" {count(left, 'more group')}: tables/tests_by_group.csv." if left else ""
    yield (
        "Effect with its 95% interval and p by the main test, and plain average (CAAR), in "
        f"{words().axis}; "
        "other tests: p-values of those that are valid here. Only the main window is the answer; "
        "the others "
        "are not corrected for multiple looks. In full precision: tables/tests.csv, "
        f"tables/caar.csv.{more}"
    )


def _who(run: Finished, panel: Panel) -> str:
    if not panel.group:
        return "All events"
    return f"{clipped(run.document['group_column'], 40)} = {clipped(panel.group, 60)}"


def _grid(panel: Panel, main: Window) -> str:
    others = [name for name in panel.tests if name != panel.main]
    effect, average = (f"{name}, {words().head}" for name in ("Effect", "CAAR"))
    head = [
        "Window",
        "N",
        effect,
        "95% CI",
        f"p, {labels((panel.main,))[0]}",
        average,
        *labels(tuple(others)),
    ]
    return table(head, [_window_line(row, main, panel.main, others) for row in panel.rows])


def _window_line(row: WindowRow, main: Window, test: str, others: list[str]) -> list[str]:
    """Return the cells of a window; where too few events have it for `test`, p is that of the test
    named."""
    by = f" ({labels((row.main,))[0]})" * (row.main != test)
    window = f"{window_text(row.window)}{', main' * (row.window == main)}"
    cells = {cell.name: pvalue(cell.pvalue) for cell in row.cells}
    return [
        window, f"{row.n_events:,}", percent(row.effect, unit=False),
        span(row.low, row.high, unit=False),
        f"{pvalue(row.pvalue)}{by}", percent(row.caar, unit=False),
        *(cells[name] for name in others),
    ]  # fmt: skip


def _path(run: Finished) -> Iterator[str]:
    """Give the path by day, of the group of the answer."""
    aar, column = run.tables["aar"], run.document["group_column"]
    lead = run.document["samples"][0]["group"]
    if lead:
        by_group = run.tables["aar_by_group"]
        aar = by_group[by_group[column] == lead]
    if not len(aar) or not run.document["n_used"]:
        return
    yield "## Path"
    head = ["Day", "N", f"AAR, {words().head}", "N complete", f"CAAR, {words().head}"]
    rows = [
        [
            day(t["tau"]), f"{t['n_events']:,}", percent(t["aar"], unit=False),
            f"{t['n_complete']:,}",
            percent(t["caar"], unit=False),
        ]
        for t in aar.to_dict("records")
    ]  # fmt: skip
    yield table(head, rows)
    yield (
        f"The {block(run.document['text']['subject'])}. AAR: mean abnormal return of the day, of "
        "the N "
        "events that have one. CAAR: mean CAR from the first day shown, of the events complete up "
        "to the "
        "day. No day is extended beyond a price limit."
    )


def _events(run: Finished) -> Iterator[str]:
    rows = event_rows(run)
    if not rows:
        return
    yield "## Events"
    grouped = ["Group"] * bool(rows[0].group)
    head = [
        "Day 0",
        "Event",
        *grouped,
        "Id",
        "Flags",
        f"CAR, {words().head}",
        f"SE, {words().head}",
        "p",
    ]
    yield table(
        head,
        [
            [
                r.date, r.name, *[r.group] * bool(grouped), clipped(r.event_id, 60),
                clipped(", ".join(map(flag_words, flags_of(r.flags)))),
                percent(r.car, unit=False), percent(r.se, sign=False, unit=False), pvalue(r.pvalue),
            ]
            for r in rows
        ],
        left=4 + len(grouped),
    )  # fmt: skip
    yield f"CAR over {window_text(run.main)}, by CAR; p is that of the t-test of the single event."


def _diagnosis(run: Finished) -> Iterator[str]:
    text = run.document["text"]
    if not run.document["n_used"]:
        return
    yield "## Diagnosis"
    yield block(" ".join(text["diagnosis"]))
    lead = run.document["samples"][0]["group"]
    found = run.document["group_diagnoses"].get(lead, run.document["diagnosis"])
    rows = [
        [
            STATISTICS[v["test"]].label, v["trust"], clipped(v["reason"], 400),
            MISSING if v["false_alarms"] is None else rate(v["false_alarms"]),
            pvalue(np.nan if v["pvalue"] is None else v["pvalue"]),
        ]
        for v in found["opinions"]
    ]  # fmt: skip
    yield table(["Test", "Trust", "Why", "False alarms", "p"], rows, left=3)


def _ledger(run: Finished) -> Iterator[str]:
    events, used, n = run.events, run.document["n_used"], run.document["n_events"]
    yield "## Dropped and flagged"
    dropped = events[events["status"] != "ok"]
    lost = f"{n - used:,} dropped" if n > used else "none dropped"
    yield f"{count(n, 'announcement')} read: {used:,} used, {lost}."
    if n > len(events):
        yield f"{len(events):,} of them are listed; the folder long of the run has all."
    if len(dropped):
        rows = [
            [
                date_iso(e["day0"]),
                clipped(e["event_id"], 60),
                clipped(e["ticker"], 40),
                clipped(e["reason"]),
            ]
            for e in dropped.to_dict("records")
        ]
        yield table(["Day 0", "Event", "Ticker", "Reason"], rows, left=4)
    text = run.document["text"]
    for title, found in (
        ("Without a CAR", text["lacking"]),
        ("Extended by a price limit", text["extended"]),
    ):
        yield f"### {title} over {window_text(run.main)}" if found else ""
        yield items(found)
        yield block(text.get("remedies", "")) if found is text["lacking"] else ""
    flags = Counter(
        f for cell in events.loc[events["status"] == "ok", "flags"] for f in set(flags_of(cell))
    )
    if flags and n == len(events):
        known = sorted(flags.items(), key=lambda item: (-item[1], item[0]))
        rows = [
            [clipped(flag_words(f), 60), words().say(FLAGS.get(f, "")), f"{n:,}"] for f, n in known
        ]
        yield table(["Flag", "Meaning", "Events used"], rows, left=2)


def _methods(run: Finished) -> Iterator[str]:
    text = run.document["text"]
    if text["methods"]:
        yield "## Methods"
        yield from map(block, text["methods"])
        yield items(text["references"])


def _provenance(run: Finished) -> Iterator[str]:
    found, config = run.document["provenance"], run.document["config"]
    yield "## Provenance"
    settings = settings_text(config)
    versions = ", ".join(f"{k} {v}" for k, v in (found.get("versions") or {}).items())
    lines = {
        "Reproduce": found.get("command"), "Events": found.get("events_source"),
        "SHA-256 of the events": found.get("events_sha256"), "Settings": settings,
        "Software": versions,
    }  # fmt: skip
    yield items(f"{name}: {clipped(value, 2000)}" for name, value in lines.items() if value)
    prices = found.get("prices") or {}
    keys = ("source", "detail", "first", "last", "rows")
    rows = [
        [symbol, *(clipped(entry.get(k, "")) for k in keys)]
        for symbol, entry in sorted(prices.items())
    ]
    yield (
        table(["Symbol", "Source", "Detail", "First", "Last", "Rows"], rows, left=5) if rows else ""
    )
