"""``eventstudy check``: the events of a file and their day 0, or all faults of the file."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Problem
from .options import JSON, options
from .shared import EVENTS, EXIT_CODES, NO_STUDY, USAGE, display, notify, print_json

if TYPE_CHECKING:
    from ..events import Checked


@click.command(epilog=EXIT_CODES)
@click.argument("events", type=EVENTS)
@options(("--calendar", ["exchange", "data"], "As for run."), JSON)
def check(events: Path, calendar: Any, as_json: bool) -> None:
    """Check EVENTS and show the day 0 of each event; exit with 1 if any row is bad.

    Of a study file (.toml) the settings are checked as well, with the files and columns that they
    name: all that ``run`` would refuse. Exit with 2 if any is wrong.
    """
    from ..events import Events as Listed
    from ..records import count_stale, require_decided
    from ..returns import usual_calendar
    from ..words import say

    study, faults = events, list[Problem]()
    is_study = study.suffix.lower() == ".toml"
    if is_study:
        events, good, problems, faults = check_study(study)
    else:
        good, problems = Listed.check(events, calendar or usual_calendar(events))
    if events.name and events.with_suffix(".plan.json").is_file():
        from ..runs import Plan

        Plan.beside(events)  # one that was changed is said here too
    if good is not None:
        require_decided(
            events, dict(zip(good.column("event_id"), good.column("record_id"), strict=True))
        )
    rows = [] if good is None else _checked(good)
    notices = () if good is None else good.notices
    if as_json:
        document: dict[str, Any] = {"settings": list(map(asdict, faults))} if is_study else {}
        document |= {"events": rows, "problems": list(map(asdict, problems)), "notices": notices}
        print_json(document)
    else:
        _show(rows)
        notify(*notices)
        if stale := count_stale(events):
            notify(say("found.stale", n=stale))
        for path, problems_ in ((study, faults), (events, problems)):
            for problem in problems_:
                display(f"{path}:{problem}", err=True)
        count = len(faults) + len(problems)
        counted = "1 event is good" if len(rows) == 1 else f"{len(rows)} events are good"
        display(f"{counted}, {count} problem{'s' * (count != 1)} found", err=True)
    if faults or problems:
        sys.exit(USAGE if faults else NO_STUDY)


def check_study(path: Path) -> tuple[Path, Checked | None, list[Problem], list[Problem]]:
    """Return the events file that a study file names, its good rows, and faults of both files."""
    from .. import errors, files, fitting, prices, runs, settings
    from ..events import Events

    try:
        file = settings.StudyFile.read(path)
        faults = list[Problem]()
    except settings.StudyFileError as error:
        file, faults = error.valid, list(error.problems)
    run, config = file.check()
    more: list[tuple[str, errors.EventStudyError]] = []
    is_read = file.run or file.study or not faults
    if is_read and not run.events and all(fault.column != "events" for fault in faults):
        problem, remedy = "the study file names no events", "such as events.csv"
        more.append(("events", errors.ConfigError(problem, where="events", remedy=remedy)))
    good, problems = None, list[Problem]()
    try:
        if run.events:
            files.checked_name(run.name or Path(run.events).stem)
            good, problems = Events.check(run.events, config.calendar, config.columns)
    except errors.EventStudyError as error:
        more.append(("events", error))
    vintage = prices.moment(run.vintage) if run.vintage else ""
    events = Events.of(good)
    listed = events or Events.none()
    more += runs.refusals(fitting.StudyInputs(listed, config, run.offline, run.store, vintage))
    if good and events:
        good = replace(good, notices=events.with_bare_cells(config.by).notices)
    faults = sorted([*faults, *file.problems(more)], key=lambda fault: fault.line)
    return Path(run.events), good, problems, faults


def _checked(good: Checked) -> list[dict[str, Any]]:
    from ..events import Events

    names = ("event_id", "ticker", "announced_at", "when", "exchange")
    lists = (Events.CANDIDATES, "flags")
    texts = (good.column(name) for name in lists)
    several = ([list(filter(None, text.split(";"))) for text in column] for column in texts)
    columns = [*map(good.column, names), good.day0.astype(str).tolist(), *several]
    keys = (*names, "day0", *lists)
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _show(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        when = f"  {row['when']}" * bool(row["when"])
        others = [day for day in row["day0_candidates"] if day != row["day0"]]
        remarks = ", ".join([*row["flags"], *(f"or {day}" for day in others)])
        remark = f"  ({remarks})" * bool(remarks)
        display(f"{row['day0']}  {row['ticker']:<12} {row['event_id']}{when}{remark}")
