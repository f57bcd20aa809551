"""The differences between two runs and their causes, and the log that a refreshed run keeps."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from ..errors import AlteredError, EventStudyError, RunFolderError
from ..events import Events
from ..files import OUTCOME, inside
from ..prices import FrozenProvider
from ..returns import Benchmarks
from ..utility import Flag
from ..words import say
from .comparison import MOVED, Answer, Comparison, Move, Moved, Revision, is_moved, price_revision
from .origin import ASKED, EVENTS, SIZES
from .plan import NAMING_FILES
from .record import Record, seal
from .rows import DAMAGED
from .verify import verify_files

# The events of a run by name, each with its cells by column.
Rows = Mapping[str, Mapping[str, str]]
# What differs by name: (before, after).
Pairs = dict[str, tuple[Any, Any]]

# Columns of a run's events that are not the user's.
_OURS = {*OUTCOME, Events.CANDIDATES, "confounder", Benchmarks.NAMED}
# Settings and columns that day 0 follows from.
_OF_DAY0 = {"halt", "calendar", "cutoff_minutes"}
_CELLS_OF_DAY0 = {"announced_at", "tz", "when", "day0", "ticker"}
# What the comparison takes from single files of a run.
_PARTS = {
    "tables/car.csv": ("statuses", "moves"),
    "events.csv": ("added", "removed", "edited", "days", "statuses", "moves"),
    FrozenProvider.TABLE: ("prices",),
}
# Settings that say only where prices come from.
_WHENCE = ("prices", "fill", "store", "vintage", "offline")
# Settings that move no CAR; prices are compared themselves.
_ASIDE = {
    *_WHENCE,
    "windows", "tests", "by", "calibrate", "regress", "regress_cov", "draws", "seed",
    "grid", "event_pages", "figures", "size", "title",
}  # fmt: skip
SCHEMA = "eventstudy-changes/1"
LOG, PAGE = "changes.json", "changes.md"
# Refreshes that are remembered.
MAX_ENTRIES = 100


def compare_runs(one: str | Path, other: str | Path, *, moved: float = MOVED) -> Comparison:
    """Compare two saved studies, and return which results differ and why.

    Parameters
    ----------
    one, other : path
        The folders of the earlier study (`one`) and of the later study (`other`), as
        ``eventstudy run`` or ``results.save()`` writes them.
    moved : float
        The function reports only changes of a CAR that are larger than this decimal (0.0001 is
        0.01%).

    Returns
    -------
    Comparison

    Raises
    ------
    RunFolderError
        If one of the two folders is not the folder of a study.
    AlteredError
        If files in a folder were changed or removed, so the studies cannot be compared.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.run_study(news, es.StudyConfig(prices="sample"))
    >>> first, second = results.save("reports", "first"), results.save("reports", "second")
    >>> es.compare_runs(first, second).moves
    ()
    """
    a = Record.read(one)
    b = Record.read(other)
    damaged = {record: _altered(record) for record in (a, b)}
    altered = [f"{r.folder}: {line}" for r, lines in damaged.items() for line in lines.values()]
    try:
        comparison = compare_records(a, b, threshold=moved)
    except DAMAGED as error:
        if not altered and isinstance(error, EventStudyError):
            raise
        kind: type[RunFolderError] = AlteredError if altered else RunFolderError
        remedy = "restore the run, or run the study again"
        why = ", ".join(altered) or f"their tables are damaged: {type(error).__name__} {error}"
        raise kind(f"the runs cannot be compared ({why[:300]})", remedy=remedy) from None
    return _leave_out(comparison, {*damaged[a], *damaged[b]}, altered)


def _altered(record: Record) -> dict[str, str]:
    """Return the files of a run that are not as they were written, and what became of them."""
    state = verify_files(record)
    changed = {file: f"changed {file}" for file in state.changed}
    return {file: f"missing {file}" for file in state.missing} | changed


def _leave_out(
    comparison: Comparison, files: Collection[str], altered: Iterable[str]
) -> Comparison:
    """Return a comparison with no difference that `altered` files make: that is no revision."""
    parts = [part for file, parts in _PARTS.items() if file in files for part in parts]
    empty: dict[str, Any] = {part: type(getattr(comparison, part))() for part in parts}
    return replace(comparison, altered=tuple(altered), **empty)


def compare_records(a: Record, b: Record, *, threshold: float = MOVED) -> Comparison:
    """Return the differences of two runs that were read, as :func:`compare_runs` does.

    Parameters
    ----------
    a, b : Record
    threshold : float
        A CAR that moved by no more (decimal) is left out.

    Returns
    -------
    Comparison
    """
    old = _rows(a)
    new = _rows(b)
    both = [name for name in new if name in old]
    unequal = _unequal_prices(a, b)
    files = [[sha for place, sha in r.inputs.items() if place in EVENTS] for r in (a, b)]
    same_file = bool(files[0]) and files[0] == files[1]
    sources = _unlike(_entries(a, "source"), _entries(b, "source"))
    leads = [r.facts.answers[0].group if r.facts.answers else "" for r in (a, b)]
    changes: dict[str, Any] = {
        "added": tuple(name for name in new if name not in old),
        "removed": tuple(name for name in old if name not in new),
        "edited": {} if same_file else _edits(old, new, both),
        "settings": _unlike(*(_settings(r, whence=bool(unequal)) for r in (a, b))),
        "versions": _unlike(a.facts.versions, b.facts.versions),
        "prices": _price_revisions(a, b, unequal),
        "sources": {symbol: pair for symbol, pair in sources.items() if symbol in unequal},
        "files": _files(a, b),
        "statuses": _statuses(a, b, old, new, both),
        "lead": {"group": tuple(leads)} if all(leads) and leads[0] != leads[1] else {},
    }
    unexplained = "not known" if same_file else "events file changed"
    changes["days"] = _days(old, new, both, changes, unexplained)
    indices = _unlike(*({e: rows[e].get("benchmark", "") for e in both} for rows in (old, new)))
    apart = _moves(a, b, set(both), threshold)
    moves = [replace(m, why=_causes(m, old, new, b, changes, indices)) for m in apart]
    return Comparison(
        **changes, moves=tuple(moves), answers=_answers(a, b, threshold),
        main=str(b.config.main), moved=threshold, measure=b.config.measure,
    )  # fmt: skip


def _rows(record: Record) -> Rows:
    events = record.cells("events.csv").set_index("event_id", drop=False)
    return cast("Rows", events.to_dict("index"))


def _entries(record: Record, key: str) -> dict[str, Any]:
    """Return one of the facts that a run has on the prices of each symbol."""
    return {symbol: getattr(entry, key) for symbol, entry in record.facts.prices.items()}


def _causes(
    move: Move, old: Rows, rows: Rows, record: Record, changes: Mapping[str, Any], indices: Pairs
) -> tuple[str, ...]:  # fmt: skip
    """Return why the CAR of an event may have moved, the nearest cause first.

    Of the second run are the `rows` and the `record`; `changes` are the differences, and `indices`
    the benchmarks that differ.
    """
    event = move.event_id
    row, config = rows[event], record.config
    edited = changes["edited"].get(event, ())
    day = changes["days"].get(event)
    why = []
    if edited:
        why.append(f"event edited: {', '.join(edited)}")
    if day:
        why.append(f"day 0 moved from {day.before} to {day.after}")
    if event in indices and "benchmark" not in edited:
        why.append("benchmark {1} instead of {0}".format(*indices[event]))
    is_further = move.before is None or not _is_open(row)
    if is_further and move.after is not None and _is_open(old[event]):
        why.append(Move.FURTHER)
    near = _symbols(row, record)
    reach = (-config.estimation.start, max(config.event.stop, 0))
    is_in_one = None in (move.before, move.after) and Move.FURTHER not in why
    for symbol, revision in changes["prices"].items():
        if symbol not in near or not row["day0"]:
            continue
        if revision.touches(row["day0"], *reach):
            why.append(f"prices of {symbol} revised")
        if is_in_one and revision.ends_within(row["day0"], *reach):
            why.append(f"prices of {symbol} {revision.ends}")
    why += [_source(s, *pair) for s, pair in changes["sources"].items() if s in near]
    why += [f"setting {name}" for name in changes["settings"] if name not in _ASIDE]
    # A kept file of market values moves no CAR.
    why += [f"{file} changed" for file in changes["files"] if Path(file).parts[-3:-2] != ("size",)]
    touched = {*changes["added"], *changes["edited"]} - {event}
    if any(rows[e]["ticker"] == row["ticker"] for e in touched):
        why.append("another event of the firm")
    if not why and (changes["added"] or changes["removed"] or changes["edited"]):
        why.append("other events")
    if not why and changes["versions"]:
        why.append(f"versions: {', '.join(changes['versions'])}")
    return tuple(why or ["not known"])


def _source(symbol: str, before: str, after: str) -> str:
    """Return what became of the source of a symbol, blank for a run without its prices."""
    if not before:
        return f"prices of {symbol}, none before"
    if not after:
        return f"no prices of {symbol} any more"
    return f"prices of {symbol} from another source"


def _symbols(row: Mapping[str, str], record: Record) -> set[str]:
    """Return the symbols that an event or a setting names, and all exchange rates."""
    config = record.config
    cells = [*row.values(), config.benchmark, *config.named_series.values()]
    rates = {symbol for symbol in record.facts.prices if "=" in symbol}
    return {symbol for cell in cells for symbol in Benchmarks.members(cell)} | rates


def _edits(old: Rows, new: Rows, both: list[str]) -> dict[str, Pairs]:
    """Return the edits of the events file: (before, after) by event and column."""
    edits = {event: _unlike(_cells(old[event]), _cells(new[event])) for event in both}
    return {event: edit for event, edit in edits.items() if edit}


def _cells(row: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of an event that its events file names, the benchmark among them."""
    named = {**row, "benchmark": row[Benchmarks.NAMED]} if row.get(Benchmarks.NAMED) else row
    return {column: cell for column, cell in named.items() if column not in _OURS}


def _days(
    old: Rows, new: Rows, both: list[str], changes: Mapping[str, Any], unexplained: str
) -> dict[str, Moved]:
    """Return the days 0 that differ, and why; `unexplained` where no reason is known."""
    settings = [f"setting {name}" for name in changes["settings"] if name in _OF_DAY0]
    days = {}
    for event in both:
        before = old[event]["day0"]
        after = new[event]["day0"]
        ticker = new[event]["ticker"]
        cells = [name for name in changes["edited"].get(event, ()) if name in _CELLS_OF_DAY0]
        prices = [f"prices of {ticker} revised"] * (ticker in changes["prices"])
        why = [f"event edited: {', '.join(cells)}"] * bool(cells) + settings + prices
        if before != after:
            days[event] = Moved(before, after, tuple(why or [unexplained]))
    return days


def _statuses(a: Record, b: Record, old: Rows, new: Rows, both: list[str]) -> Pairs:
    """Return the statuses that differ; a reason of the same kind in other words does not."""
    statuses = _unlike(_states(a, old, both), _states(b, new, both))
    reworded = {e for e, code in a.reasons.items() if code != "other" and b.reasons.get(e) == code}
    return {event: pair for event, pair in statuses.items() if event not in reworded}


def _states(record: Record, rows: Rows, both: list[str]) -> dict[str, str]:
    """Return the statuses of events by name."""
    cars = _cars(record)
    main = record.config.main
    states = {}
    for event in both:
        row = rows[event]
        has_car = cars.get((event, row["ticker"], main.start, main.stop)) is not None
        if row["status"] != "ok":
            states[event] = f"dropped: {row['reason']}"
        else:
            states[event] = "provisional" if _is_open(row) and not has_car else "ok"
    return states


def _is_open(row: Mapping[str, str]) -> bool:
    """Return whether the event window is not over yet."""
    return Flag.INCOMPLETE_WINDOW in row["flags"].split(";")


def _settings(record: Record, *, whence: bool) -> dict[str, Any]:
    """Return all settings, but for files, whose contents are compared; paths as seen from the run.

    Without `whence` those are left out that say where prices come from, which differ where these do
    not.
    """
    config = dict(record.facts.config)
    origin = dict(record.manifest["origin"])
    source = {name: origin.get(name, config.get(name, "")) for name in _WHENCE}
    source |= {"size": ASKED} if record.config.size == ASKED else {}
    settings = {k: v for k, v in config.items() if k not in NAMING_FILES} | source
    return {k: v for k, v in settings.items() if whence or k not in _WHENCE}


def _unequal_prices(a: Record, b: Record) -> set[str]:
    """Return the symbols of either run whose prices are not the same to the last bit."""
    old = _entries(a, "sha256")
    new = _entries(b, "sha256")
    return {s for s in {*old, *new} if not old.get(s) or old[s] != new.get(s)}


def _price_revisions(a: Record, b: Record, unequal: set[str]) -> dict[str, Revision]:
    """Return the revised prices of the symbols that both runs have."""
    if not all((record.folder / FrozenProvider.TABLE).is_file() for record in (a, b)):
        return {}
    names = [name for name in a.facts.prices if name in unequal and name in b.facts.prices]
    places = [inside(run.folder, FrozenProvider.TABLE) for run in (a, b)] if names else []
    tables = list(map(FrozenProvider.read_table, places))
    revisions = {}
    for name in names:
        before, after = (table[table["symbol"] == name] for table in tables)
        revisions[name] = price_revision(before, after, b.config.measure)
    return {name: revision for name, revision in revisions.items() if revision}


def _files(a: Record, b: Record) -> tuple[str, ...]:
    """Return the places of inputs, events and prices aside, that differ or are in one run only."""
    ours = (*EVENTS, FrozenProvider.TABLE, SIZES)
    pairs = _unlike(a.inputs, b.inputs).items()
    return tuple(place for place, pair in pairs if place not in ours and any(pair))


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> Pairs:
    pairs = {name: (a.get(name, ""), b.get(name, "")) for name in dict.fromkeys([*a, *b])}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _moves(a: Record, b: Record, both: set[str], threshold: float) -> Iterator[Move]:
    """Yield the CARs that moved, without the causes."""
    old = _cars(a)
    new = _cars(b)
    for key in new:
        event, ticker, start, stop = key
        if event in both and key in old and is_moved(old[key], new[key], threshold):
            yield Move(event, ticker, f"[{start},{stop}]", old[key], new[key], ())


def _cars(record: Record) -> dict[tuple[str, str, int, int], float | None]:
    cells = record.cells("tables/car.csv")
    rows = cells.reindex(columns=["event_id", "ticker", "start", "stop", "car"])
    each = rows.itertuples(index=False)
    return {(r[0], r[1], int(r[2]), int(r[3])): float(r[4]) if r[4] else None for r in each}


def _answers(a: Record, b: Record, threshold: float) -> tuple[Answer, ...]:
    old, new = ({entry["group"]: entry for entry in r.manifest["answers"]} for r in (a, b))
    groups = dict.fromkeys([*new, *old])
    answers = (Answer(group, old.get(group), new.get(group)) for group in groups)
    return tuple(answer for answer in answers if answer.differs(threshold))


def log_changes(stage: Path, target: Path, *, threshold: float = MOVED) -> Comparison | None:
    """Write ``changes.json`` and ``changes.md``: the newest differences first.

    Parameters
    ----------
    stage : Path
        The new run folder, complete.
    target : Path
        The folder whose place it will take, with the log so far; it need not be there.
    threshold : float
        A CAR that moved by no more (decimal) is left out.

    Returns
    -------
    Comparison or None
        The differences; None if there was no run that can be compared.
    """
    now = Record.read(stage)
    log = read_changes(target)
    comparison = None
    altered = dict[str, str]()
    with suppress(*DAMAGED):
        before = Record.read(target)
        altered = _altered(before)
        comparison = compare_records(before, now, threshold=threshold)
        comparison = _leave_out(comparison, altered, altered.values())
    if not (comparison and comparison.same):
        first = say("outbox.damaged", files=list(altered.values())) if altered else "First run."
        text = comparison.markdown() if comparison else f"{first}\n"
        head = {"id": uuid4().hex, "at": now.manifest["written_at"], "text": text}
        entry = {**head, **(comparison.to_dict() if comparison else {})}
        log = [entry, *log][:MAX_ENTRIES]
    document = {"schema": SCHEMA, "changes": log}
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    (stage / LOG).write_text(text + "\n", encoding="utf-8", newline="\n")
    page = "# Changes\n\n" + "\n".join(f"## {entry['at']}\n\n{entry['text']}" for entry in log)
    (stage / PAGE).write_text(page, encoding="utf-8", newline="\n")
    seal(stage, now.manifest, target)
    return comparison


def read_changes(folder: Path) -> list[dict[str, Any]]:
    """Return the log of a run folder, newest first; nothing if there is none."""
    try:
        log = list(json.loads(inside(folder, LOG).read_text(encoding="utf-8"))["changes"])
        return [entry for entry in log if {"at", "text"} <= entry.keys()]
    except DAMAGED:
        return []
