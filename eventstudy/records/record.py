"""The record of a list of events: what was found, what waits, and what was decided."""

from __future__ import annotations

import datetime as dt
import json
import mimetypes
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import (
    AlteredError,
    BusyError,
    ConfigError,
    DataError,
    EventsFileError,
    EventStudyError,
    RecordError,
)
from ..events import Events
from ..files import locked, replacing
from ..utility import did_you_mean
from ..wire import Wire
from ..words import make_error, say
from .accept import AS_DECIDED, append_events, count_census, join_events, name_apart
from .candidates import find_candidates
from .dating import Dated, date_events, with_cells
from .decisions import DECISIONS, Decision, Decisions, folder_beside, ids_in
from .describe import describe_found
from .judge import judge
from .names import Names
from .review import ReadRow, Row, as_typed, make_rows, read_review, write_review
from .settings import RecordSettings
from .shelf import Shelf
from .sources import make_source
from .types import Named, RecordSource
from .white_house import DatedPage, WhiteHouse

REVIEW, PENDING, ASKED = "review.csv", ".pending.json", ".asked.json"
# How far a look goes back behind the last one.
OVERLAP = dt.timedelta(days=10)


@dataclass(frozen=True)
class Found:
    """What a look at the record found.

    Attributes
    ----------
    rows : list of Row
        Every candidate.
    named : list of Named
        Everybody named, companies or not.
    failures : mapping of str to EventStudyError
        Why a source could not be asked, by its name; what was kept of it is read all the same.
    fresh : list of Row
        Those that wait and did not before.
    sources : tuple of str
        That were read.
    """

    rows: list[Row]
    named: list[Named]
    failures: Mapping[str, EventStudyError]
    fresh: list[Row]
    sources: tuple[str, ...]

    @property
    def waiting(self) -> list[Row]:
        """Rows that wait for a decision, and have a share or a similar name."""
        return [row for row in self.rows if row.waits]

    def describe(self) -> list[str]:
        """Return what was found, a line each."""
        return list(describe_found(self.sources, self.named, self.rows))


@dataclass(frozen=True)
class Accepted:
    """What was taken from a review.

    Attributes
    ----------
    decisions : list of Decision
        The new ones.
    events : list of dict
        Cells of the events that were added, first those of an accept that was interrupted.
    unchanged : int
        How many events the list had before.
    census : mapping of (str, str) to str
        What is said of each action all of whose shares are decided, by its source and key.
    lacking : mapping of (str, str) to (int, int)
        Of the other actions on which something was decided: shares that are not, and those with a
        *no* that has no note.
    kept : list of Row
        Candidates with a *no* whose event is in the list: a person takes it out there.
    resumed : int
        How many of the events an accept before had decided, which was interrupted.
    """

    decisions: list[Decision]
    events: list[dict[str, str]]
    unchanged: int
    census: Mapping[tuple[str, str], str]
    lacking: Mapping[tuple[str, str], tuple[int, int]]
    kept: list[Row]
    resumed: int = 0

    def describe(self, events: Path) -> list[str]:
        """Return what was taken, a line each.

        Parameters
        ----------
        events : Path
            The list.
        """
        answers = Counter(one.decision for one in self.decisions)
        facts = {"yes": answers["yes"], "no": answers["no"], "n": len(self.decisions)}
        lines = [say("accepted.decided", **facts)]
        counts = {"added": len(self.events), "unchanged": self.unchanged}
        lines.append(say("accepted.events", events=events, **counts))
        lines += [say("accepted.resumed", n=self.resumed)] * bool(self.resumed)
        joined = sum(event["record_id"].count(";") for event in self.events)
        lines += [say("accepted.joined", n=joined)] * bool(joined)
        for row in self.kept:
            named = row.candidate.named.name
            lines.append(say("accepted.kept", name=named, id=row.candidate.id, events=events))
        lines += [say("accepted.census", text=text) for text in self.census.values()]
        for key, (undecided, unsaid) in self.lacking.items():
            facts = {"undecided": undecided, "n": unsaid}
            lines.append(say("accepted.lacking", action="/".join(key), **facts))
        return lines


class EventRecord:
    """The record beside a list of events: the folder ``events.record`` beside ``events.csv``.

    Parameters
    ----------
    events : path
        The list, a CSV; it need not exist yet.
    folder : path, optional
        Where the record is kept.

    Raises
    ------
    ConfigError
        If the list is no CSV.
    """

    def __init__(self, events: str | Path, folder: str | Path | None = None) -> None:
        self.events = Path(events)
        self.folder = Path(folder) if folder else folder_beside(self.events)
        if self.events.suffix.lower() != ".csv":
            raise make_error(ConfigError, "records.no_csv", where=str(self.events))

    @property
    def review(self) -> Path:
        """The file of what waits."""
        return self.folder / REVIEW

    @property
    def settings(self) -> RecordSettings:
        """What ``record.toml`` says."""
        return RecordSettings.read(self.folder)

    @property
    def decisions(self) -> Decisions:
        """What was decided."""
        return Decisions(self.folder / DECISIONS)

    def find(
        self,
        sources: Sequence[str] = (),
        since: dt.date | None = None,
        *,
        names: Sequence[Path] = (),
        pages: Sequence[str] = (),
        contact: str = "",
        offline: bool = False,
        tell: Callable[[list[Row]], object] = lambda rows: None,
    ) -> Found:
        """Look at the record, and write what waits for a decision; no event is added.

        What is given here is kept in ``record.toml``, so that the next look is the same.

        Parameters
        ----------
        sources : sequence of str
            Further sources.
        since : date, optional
            First day of the actions that are looked at.
        names : sequence of Path
            Further names files.
        pages : sequence of str
            Addresses of further pages that date what a list names.
        contact : str
            Who asks.
        offline : bool
            Read what is kept and ask nobody.
        tell : callable
            Takes the rows that wait and did not before; called before these are written.

        Raises
        ------
        EventStudyError
            If the list, the decisions, the review, a names file or a kept answer cannot be read.
        """
        today = dt.datetime.now(dt.UTC).date()
        with self._held():
            settings = self.settings.added(
                sources=sources, since=since, names=[str(path.absolute()) for path in names],
                pages=pages,
            )  # fmt: skip
            settings = replace(settings, contact=contact or settings.contact)
            readers = [_reader(name, settings) for name in settings.sources]
            if not readers:
                raise make_error(ConfigError, "records.no_sources", where=str(self.folder))
            # What cannot be read is not kept in the settings either.
            Names.read([Path(name) for name in settings.names])
            if offline:
                self._require_answers(readers)
            settings.write(self.folder)
            failures = {} if offline else self._ask(readers, settings, today)
            named, rows = self._read(settings, readers, today)
            waited = {line.candidate_id for line in self._reviewed() if line.waited}
            fresh = [row for row in rows if row.waits and row.candidate.id not in waited]
            tell(fresh)
            self._write(rows)
        return Found(rows, named, failures, fresh, settings.sources)

    def accept(self, by: str, review: Path | None = None) -> Accepted:
        """Take the decisions of a review; the only step that adds events.

        Parameters
        ----------
        by : str
            Who decides: a name.
        review : Path, optional
            Default ``review.csv`` of the record.

        Raises
        ------
        EventsFileError
            If the review, or the list, has faults; all are listed, and nothing is changed.
        DataError
            If there is no review.
        AlteredError
            If an event has no *yes* among the decisions, or these are not as they were written.
        """
        if not by.strip():
            raise make_error(ConfigError, "records.nobody", where="--by")
        path = review or self.review
        if not path.exists():
            raise make_error(DataError, "records.no_review", where=str(path))
        at = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._held():
            resumed = self._finish()
            settings = self.settings
            readers = [_reader(name, settings) for name in settings.sources]
            today = dt.datetime.now(dt.UTC).date()
            named, rows = self._read(settings, readers, today)
            by_id = {row.candidate.id: row for row in rows}
            before = self._list()
            gone = self.decisions.last.keys() - by_id.keys()
            new = judge(path, read_review(path), by_id, gone, by.strip(), at)
            pairs = [
                (by_id[one.candidate_id], one) for one in new
                if one.decision == "yes" and not by_id[one.candidate_id].is_listed
            ]  # fmt: skip
            latest = self.decisions.last | {one.candidate_id: one for one in new}
            census, lacking = count_census(rows, latest, _count_named(named))
            kept = [
                by_id[one.candidate_id] for one in new
                if one.decision == "no" and by_id[one.candidate_id].is_listed
            ]  # fmt: skip
            taken = [] if before is None else list(before.table["event_id"])
            events = name_apart([event.cells(census) for event in join_events(pairs)], taken)
            self._require_good(events)
            events = resumed + self._commit(new, events)
            for name, decision in latest.items():
                if name in by_id:
                    row = by_id[name]
                    is_listed = row.is_listed or decision.decision == "yes"
                    by_id[name] = replace(row, decision=decision, typed={}, is_listed=is_listed)
            self._write(list(by_id.values()))
        unchanged = len(taken) - len(resumed)
        return Accepted(new, events, unchanged, census, lacking, kept, len(resumed))

    def keep(self, url: str, file: Path, at: dt.datetime | None = None) -> None:
        """Keep a page that a person saved, as an answer of its address.

        Parameters
        ----------
        url : str
        file : Path
        at : datetime, optional
            When it was saved, with a zone; by default now.

        Raises
        ------
        ConfigError
            If it is no address, or a time to come.
        """
        if not re.match(r"https://[\w.-]+/", url):
            raise make_error(ConfigError, "records.not_https", value=url)
        if at is not None and at > dt.datetime.now(dt.UTC):
            raise make_error(ConfigError, "records.in_future", value=str(at))
        kind = mimetypes.guess_type(file.name)[0] or ""
        with self._held():
            Shelf(self.folder).keep(url, file.read_bytes(), kind=kind, at=at)

    def date(self, *, contact: str = "", offline: bool = False, write: bool = False) -> list[Dated]:
        """Return the events that cite a document, with when that was public at the latest.

        Parameters
        ----------
        contact : str
            Who asks; default that of ``record.toml``.
        offline : bool
            Read what is kept and ask nobody.
        write : bool
            Whether to fill in the columns ``document_number``, ``public_no_later_than`` and
            ``time_basis`` of the list. What stands in ``announced_at`` stays.

        Raises
        ------
        EventsFileError
            If the list has faults.
        ConfigError
            If nobody is named who asks.
        """
        with self._held():
            listed = self._list()
            if listed is None:
                return []
            settings = replace(self.settings, contact=contact or self.settings.contact)
            settings.write(self.folder)
            shelf = Shelf(self.folder) if offline else self._online(settings)
            events = [
                {str(k): str(v) for k, v in row.items()} for row in listed.table.to_dict("records")
            ]
            dated = date_events(events, shelf, offline=offline)
            cells = {one.event_id: one.cells for one in dated if one.cells}
            if write and cells:
                content = with_cells(self.events.read_bytes(), cells)
                with replacing(self.events.resolve()) as stage:
                    stage.write_bytes(content)
        return dated

    def rows(self) -> list[Row]:
        """Return every candidate as it stands, from what is kept."""
        settings = self.settings
        readers = [_reader(name, settings) for name in settings.sources]
        return self._read(settings, readers, dt.datetime.now(dt.UTC).date())[1]

    def event(self, event_id: str) -> tuple[dict[str, str], list[Row]]:
        """Return the cells of an event of the list, and its candidates.

        Parameters
        ----------
        event_id : str

        Raises
        ------
        ConfigError
            If the list has no such event.
        """
        listed = self._list()
        names = [] if listed is None else list(listed.table["event_id"])
        if event_id not in names:
            hint = did_you_mean(event_id, names)
            raise make_error(ConfigError, "records.no_event", value=event_id, hint=hint)
        assert listed is not None  # noqa: S101
        cells = listed.table.iloc[names.index(event_id)]
        event = {str(name): str(cell) for name, cell in cells.items()}
        wanted = event.get("record_id", "").split("; ")
        if not any(wanted):
            return event, []
        return event, [row for row in self.rows() if row.candidate.id in wanted]

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the record: one process at a time looks or accepts."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with locked(self.folder, what="this record", busy=BusyError):
                yield
        finally:
            with suppress(OSError):  # there is something in it
                self.folder.rmdir()

    def _require_answers(self, readers: Sequence[RecordSource]) -> None:
        """Raise RecordError for a source of which nothing is kept: it would read as "none"."""
        shelf = Shelf(self.folder)
        for reader in readers:
            places = [f"https://{host}/" for host in reader.hosts]
            if not any(shelf.urls(place) for place in places):
                raise make_error(RecordError, "shelf.lacking", where=reader.name, hosts=places)

    def _online(self, settings: RecordSettings) -> Shelf:
        """Return the shelf with a connection; ConfigError where nobody is named who asks."""
        if not settings.contact:
            raise make_error(ConfigError, "records.no_contact", where=str(self.folder))
        if "@" not in settings.contact and "://" not in settings.contact:
            facts = {"contact": settings.contact}
            raise make_error(ConfigError, "records.contact", where=str(self.folder), **facts)
        return Shelf(self.folder, Wire(settings.contact))

    def _ask(
        self, readers: Sequence[RecordSource], settings: RecordSettings, today: dt.date
    ) -> dict[str, EventStudyError]:
        """Ask every source for what came since the last look; return why some could not be asked.

        A look goes back ten days behind the last one: some documents are shown late.
        """
        shelf = self._online(settings)
        failures: dict[str, EventStudyError] = {}
        path = self.folder / ASKED
        asked: dict[str, list[str]] = json.loads(path.read_bytes()) if path.exists() else {}
        for reader in readers:
            since = settings.since
            first, last = map(dt.date.fromisoformat, asked.get(reader.name, (str(today),) * 2))
            if first <= since:
                since = max(since, last - OVERLAP)
            try:
                reader.ask(shelf, since, today)
            except EventStudyError as error:
                if error.exit_code != BusyError.exit_code:
                    raise
                failures[reader.name] = error
            else:
                asked[reader.name] = [str(min(first, settings.since)), str(today)]
        with replacing(path) as stage:
            stage.write_text(json.dumps(asked, indent=0, sort_keys=True), encoding="utf-8")
        return failures

    def _read(
        self, settings: RecordSettings, readers: Sequence[RecordSource], today: dt.date
    ) -> tuple[list[Named], list[Row]]:
        """Return who is named in kept answers, and the candidates."""
        shelf = Shelf(self.folder)
        named: list[Named] = []
        for reader in readers:
            found = reader.read(shelf, settings.since, today)
            named += [entry.without_controls() for entry in found]
        pages: list[DatedPage] = list(WhiteHouse().pages(shelf))
        names = Names.read([Path(name) for name in settings.names])
        decided = self.decisions.last
        listed = self._list()
        if listed is not None and "record_id" in listed.table:
            self.decisions.require(dict(listed.table[["event_id", "record_id"]].to_numpy()))
        candidates = find_candidates(named, pages, names, decided.keys())
        typed = {line.candidate_id: line for line in self._reviewed()}
        return named, make_rows(candidates, listed, decided, typed)

    def _list(self) -> Events | None:
        """Return the list as it is; None where there is none yet.

        Raises
        ------
        EventsFileError
            If it has faults: an event that is not read cannot be compared.
        """
        raw = self.events.read_bytes() if self.events.exists() else b""
        if len(raw.strip().splitlines()) < 2:
            return None
        checked, problems = Events.check(self.events)
        if problems:
            raise EventsFileError(str(self.events), problems)
        return Events.of(checked)

    def _require_good(self, events: Sequence[dict[str, str]]) -> None:
        """Raise EventsFileError if the list would have faults with further events."""
        raw = self.events.read_bytes() if self.events.exists() else b""
        with TemporaryDirectory() as folder:
            path = Path(folder, self.events.name)
            path.write_bytes(append_events(raw, events))
            problems = Events.check(path)[1] if events else []
        if problems:
            raise EventsFileError(str(self.events), problems, what="list with the new events")

    def _commit(
        self, new: Sequence[Decision], events: Sequence[dict[str, str]]
    ) -> list[dict[str, str]]:
        """Write decisions and events so that a process killed in between leaves both or neither.

        Returns the events, as `_finish` does.
        """
        note = {"decisions": [asdict(one) for one in new], "events": list(events)}
        with replacing(self.folder / PENDING) as stage:
            stage.write_text(json.dumps(note), encoding="utf-8")
        if new:
            self.decisions.add(new)
        return self._finish()

    def _finish(self) -> list[dict[str, str]]:
        """Add the events of decisions that were written; drop those of decisions that were not.

        Returns
        -------
        list of dict
            Cells of the events that were added.

        Raises
        ------
        AlteredError
            If an event is not that of a *yes* among the decisions.
        """
        pending = self.folder / PENDING
        if not pending.exists():
            return []
        missing: list[dict[str, str]] = []
        try:
            note = json.loads(pending.read_text(encoding="utf-8"))
            new = {one.candidate_id: one for one in (Decision(**x) for x in note["decisions"])}
            is_written = self.decisions.last.items() >= new.items()
            if is_written and not all(_is_decided(event, new) for event in note["events"]):
                raise ValueError(note)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise make_error(AlteredError, "records.pending", where=str(pending)) from None
        if is_written and note["events"]:
            there = self._list()
            known = set() if there is None else set(there.table.get("record_id", ()))
            missing = [event for event in note["events"] if event["record_id"] not in known]
        if missing:
            self.events.touch()  # with the usual rights
            raw = self.events.read_bytes()
            # Where it is a link, the file that it leads to.
            with replacing(self.events.resolve()) as stage:
                stage.write_bytes(append_events(raw, missing))
        pending.unlink()
        return missing

    def _reviewed(self) -> list[ReadRow]:
        """Return the rows of the review as they stand; none where there is no review."""
        return read_review(self.review) if self.review.exists() else []

    def _write(self, rows: Sequence[Row]) -> None:
        known = {row.candidate.id for row in rows}
        gone = {
            line.candidate_id: line.typed for line in self._reviewed() if any(line.typed.values())
        }
        gone |= {name: as_typed(one) for name, one in self.decisions.last.items()}
        write_review(self.review, rows, {k: v for k, v in gone.items() if k not in known})


def count_stale(events: Path) -> int:
    """Return how many events of a list rest on evidence that changed after the decision.

    Parameters
    ----------
    events : Path
        The list. Without a record beside it there are none.
    """
    review = folder_beside(events) / REVIEW
    lines = read_review(review) if review.exists() else []
    return sum(line.state == "stale" for line in lines)


def list_waiting(place: Path) -> Iterator[tuple[Path, int]]:
    """Yield the records in a folder with the number of candidates that wait for a decision.

    Parameters
    ----------
    place : Path
    """
    for folder in sorted(place.glob("*.record")):
        if (folder / REVIEW).exists():
            yield folder, sum(line.waited for line in read_review(folder / REVIEW))


def _is_decided(event: Mapping[str, str], decisions: Mapping[str, Decision]) -> bool:
    """Return whether an event is what was decided: a *yes* to each candidate, and its cells."""
    taken = [decisions[name] for name in ids_in(event["record_id"])]
    return {one.decision for one in taken} == {"yes"} and all(
        event[name] == getattr(taken[0], name) for name in AS_DECIDED
    )


def _reader(name: str, settings: RecordSettings) -> RecordSource:
    """Return a source, told what the settings say of it."""
    if name == WhiteHouse.name:
        return WhiteHouse(settings.pages)
    return make_source(name)


def _count_named(named: Sequence[Named]) -> dict[tuple[str, str], int]:
    """Return how many each action named, by its source and key."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for entry in named:
        if entry.action.verb == "added":
            counts[entry.action.source, entry.action.key] += 1
    return counts
