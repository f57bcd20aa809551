"""The commands ``eventstudy events ...``: from the public record to a list of events."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import shared
from .options import JSON, QUIET, SWITCH, Row, options
from .prices import DAY
from .refresh import delivering, split_command

if TYPE_CHECKING:
    from ..records import EventRecord, Found
    from ..records import Row as Candidate

EXIT_CODES = """\b
Exit codes: 0 done, also if candidates wait, 1 data or disk, 2 wrong usage, 3 something waits and
--fail-if-new is given, 4 a kept file is altered, 75 a source did not answer (try later),
130 interrupted."""

LIST = click.Path(path_type=Path)
RECORD: Row = ("--record", (LIST, "DIR"), "Folder of the record. [default: EVENTS.record]")
MOMENT = {"type": click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"])}
FILES = {"type": LIST, "metavar": "FILE", "multiple": True}
LOOK: tuple[Row, ...] = (
    ("--source sources", "NAME ...", "A source (eventstudy list records). May be repeated."),
    ("--since", DAY, "First day of the actions that are looked at."),
    ("--names", FILES, "Your shares, with columns symbol and name. May be repeated."),
    ("--page pages", "URL ...", "A page that gives the minute of a listing. May be repeated."),
    ("--contact", (str, "MAIL"), "Your address, for those who run the servers."),
    ("--offline", SWITCH, "Read what is kept and ask nobody."),
    RECORD,
)  # fmt: skip
# Rows that `review` shows, by the word of --show.
SHOWN = ("waiting", "identifier", "same", "similar", "stale", "all")


@click.group(epilog=EXIT_CODES)
def events() -> None:
    """Find events in the public record, decide on each, and add what was decided.

    This is no sanctions screening: a company without a candidate may still be listed. Nothing is
    ever added without a decision that a person wrote.
    """


@events.command(epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@options(*LOOK, JSON, QUIET)
def find(
    events: Path, sources: tuple[str, ...], since: date | None, names: tuple[Path, ...],
    pages: tuple[str, ...], contact: str | None, offline: bool, record: Path | None,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Look at the public record for EVENTS, and write what waits for your decision.

    EVENTS stays as it is. What is given here is kept in record.toml of the record, so that the next
    look needs no options.
    """
    from ..errors import how_to_install
    from ..records import EventRecord
    from ..words import say

    kept = EventRecord(events, record)
    found = kept.find(
        sources, since, names=names, pages=pages, contact=contact or "", offline=offline
    )
    if kept.settings.names and find_spec("rapidfuzz") is None:
        shared.notify(say("records.slow_names", command=how_to_install("rapidfuzz")))
    _report(kept, found, as_json=as_json, quiet=quiet)
    _end_on_failures(found)


@events.command(epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@click.argument("candidate", required=False)
@options(("--show", list(SHOWN), "Which candidates. [default: waiting]"), RECORD, JSON)
def review(
    events: Path, candidate: str | None, show: str | None, record: Path | None, as_json: bool
) -> None:
    """Show what waits for a decision, or one CANDIDATE with its evidence."""
    from ..records import EventRecord

    rows = EventRecord(events, record).rows()
    if candidate:
        _show_one(rows, candidate, as_json=as_json)
        return
    chosen = [row for row in rows if _is_shown(row, show or "waiting")]
    if as_json:
        shared.print_json([row.cells() for row in chosen])
        return
    for row in chosen:
        cells = row.cells()
        share = cells["ticker"] or f"({cells['match']})"
        day = cells["public_no_later_than"][:10]
        head = f"{cells['candidate_id']} {day} {cells['verb']:<9} {share:<14}"
        shared.display(f"{head} {cells['entity_as_printed']}")
    shared.display(f"{len(chosen)} candidates", err=True)


@events.command(epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@click.argument("review", type=LIST, required=False)
@options(("--by", {"metavar": "NAME", "required": True}, "Who decides."), RECORD, JSON, QUIET)
def accept(
    events: Path, review: Path | None, by: str, record: Path | None, as_json: bool, quiet: bool
) -> None:
    """Take the decisions written in REVIEW, and add the events that were decided to EVENTS.

    REVIEW is review.csv of the record, or a copy that a spreadsheet saved. All of it is taken, or
    nothing.
    """
    from ..records import EventRecord

    kept = EventRecord(events, record)
    taken = kept.accept(by, review)
    answers = Counter(one.decision for one in taken.decisions)
    if as_json:
        census = [{"action": "/".join(key), "text": text} for key, text in taken.census.items()]
        shared.print_json({"decided": answers, "added": taken.events, "census": census})
        return
    if quiet:
        return
    for line in taken.describe(events):
        shared.display(line)
    if taken.events:
        shared.display(f"Next: eventstudy run {shlex.quote(str(events))}")


@events.command(epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@options(
    ("--on-change", {"metavar": "COMMAND", "callback": split_command}, "Run it for what is new."),
    ("--fail-if-new", SWITCH, "Exit with 3 while something waits for a decision."),
    RECORD, JSON, QUIET,
)  # fmt: skip
def watch(
    events: Path, on_change: str | None, fail_if_new: bool, record: Path | None, as_json: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Look again at what record.toml of EVENTS names, and tell what is new; made for schedulers.

    A night without news writes nothing but its time. EVENTS stays as it is.
    """
    from ..records import EventRecord
    from ..runs import Outbox

    kept = EventRecord(events, record)
    told = []

    def tell(rows: list[Candidate]) -> None:
        told.extend(rows)
        if rows and on_change:
            Outbox(kept.folder).announce([row.candidate.id for row in rows])

    with delivering(on_change, kept.folder) as failures:
        found = kept.find(tell=tell)
    _report(kept, found, as_json=as_json, quiet=quiet or not told)
    _end_on_failures(found)
    if failures:
        sys.exit(shared.LATER)
    if fail_if_new and found.waiting:
        sys.exit(shared.INCOMPLETE)


@events.command(epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@click.argument("url")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options(
    ("--at", MOMENT, "When it was saved. [default: now]"),
    RECORD,
)  # fmt: skip
def keep(events: Path, url: str, file: Path, at: datetime | None, record: Path | None) -> None:
    """Keep a FILE that you saved from URL, such as a page that a server shows to people only.

    "find --offline" then reads it as an answer of that address.
    """
    from ..records import EventRecord

    if at is not None and at.tzinfo is None:  # a bare date: it was there by the end of that day
        at = at.replace(hour=23, minute=59, second=59, tzinfo=UTC)
    EventRecord(events, record).keep(url, file, at)
    shared.display(f"Kept {file} as an answer of {url}.")


@events.command("date", epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@options(
    ("--write", SWITCH, "Fill in document_number, public_no_later_than and time_basis in EVENTS."),
    ("--contact", (str, "MAIL"), "Your address, for those who run the servers."),
    ("--offline", SWITCH, "Read what is kept and ask nobody."), RECORD, JSON,
)  # fmt: skip
def date_(
    events: Path, write: bool, contact: str | None, offline: bool, record: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show when the documents that EVENTS cites were public at the latest.

    An event cites a document of the Federal Register by its number in document_number, or in
    source_url. announced_at stays as it is; "eventstudy check" compares both.
    """
    from ..records import EventRecord

    dated = EventRecord(events, record).date(contact=contact or "", offline=offline, write=write)
    if as_json:
        rows = [
            {"event_id": one.event_id, "announced_at": one.announced_at, **one.cells}
            for one in dated
        ]
        shared.print_json(rows)
    for one in [] if as_json else dated:
        known = " ".join(list(one.cells.values())[1:]) or "no answer has this document"
        shared.display(f"{one.event_id} {one.announced_at}: {one.number} {known}")
    failures = {str(one.failure) for one in dated if one.failure}
    for failure in sorted(failures):
        shared.display(f"eventstudy: {failure}", err=True)
    if failures:
        sys.exit(shared.LATER)


@events.command("cite", epilog=EXIT_CODES)
@click.argument("events", type=LIST)
@click.argument("event_id")
@options(("--bibtex", SWITCH, "As an entry of BibTeX."), RECORD)
def cite_event(events: Path, event_id: str, bibtex: bool, record: Path | None) -> None:
    """Print the citation of an event: its document, and what was seen when."""
    from ..records import EventRecord, cite, cite_bibtex

    event, rows = EventRecord(events, record).event(event_id)
    shared.display(cite_bibtex(event, rows) if bibtex else cite(event, rows), nl=not bibtex)


def _report(kept: EventRecord, found: Found, *, as_json: bool, quiet: bool) -> None:
    """Print what was found."""
    waiting = found.waiting
    if as_json:
        cells = [row.cells() for row in waiting]
        failures = {name: str(error) for name, error in found.failures.items()}
        shared.print_json({"waiting": cells, "new": len(found.fresh), "failures": failures})
        return
    if quiet:
        return
    shared.display("Not a sanctions screening: a company without a candidate may still be listed.")
    for line in found.describe():
        shared.display(line)
    shared.display(f"{kept.review}: {len(waiting)} rows wait for a decision.")
    shared.display(f"Nothing was added to {kept.events}.")
    if waiting:
        command = f"eventstudy events accept {shlex.quote(str(kept.events))}"
        shared.display("Next: write yes or no into its column decision, then")
        shared.display(f'  {command} --by "Your Name"')


def _end_on_failures(found: Found) -> None:
    for name, error in found.failures.items():
        shared.display(f"eventstudy: {name}: {error}", err=True)
    if found.failures:
        sys.exit(shared.LATER)


def _is_shown(row: Candidate, show: str) -> bool:
    if show == "waiting":
        return row.waits
    match = str(row.candidate.match).partition(" ")[0]
    return show in ("all", match, row.state)


def _show_one(rows: list[Candidate], name: str, *, as_json: bool) -> None:
    """Print one candidate; a part of its id will do."""
    from ..errors import ConfigError

    found = [row for row in rows if name in row.candidate.id]
    if len(found) != 1:
        problem = "no candidate" if not found else f"{len(found)} candidates"
        remedy = "eventstudy events review --show all has all"
        raise ConfigError(f"{problem} of that id", value=name, remedy=remedy)
    if as_json:
        shared.print_json(found[0].cells())
        return
    from ..records import describe_row

    for line in describe_row(found[0]):
        shared.display(line)
