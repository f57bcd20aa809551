"""``review.csv``: the candidates for a person to look at, and what she wrote beside them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..calendars import Exchange, Sessions
from ..errors import DataError
from ..events import Events
from ..files import Sheet, quoted, replacing, unquoted
from ..words import make_error
from .candidates import Candidate, Match
from .decisions import Decision, ids_in

if TYPE_CHECKING:
    import pandas as pd

# What the person fills in, and what the tool writes before that.
PERSON = (
    "decision", "chosen_ticker", "announced_at", "tz", "when", "role", "direction", "confounders",
    "note",
)  # fmt: skip
COLUMNS = (
    "candidate_id", "state", "source", "action_id", "verb", "list", "entity_as_printed",
    "also_named", "document_number", "fr_citation", "url", "excerpt", "evidence_sha256",
    "retrieved_at", "public_no_later_than", "time_basis", "effective_on", "printed_on", "ticker",
    "exchange", "match", "alternatives", "relation", "not_listed_then", "day0", "day0_candidates",
    "session_then", "same_day", "already", "earlier", *PERSON,
)  # fmt: skip
# What no cell may hold, but for the ends of lines.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Sessions within which two events of a share are near, and how many earlier ones are named.
NEAR, MOST_EARLIER = 5, 8
STATES = ("new", "stale", "decided", "in events", "gone")


@dataclass(frozen=True)
class Row:
    """A candidate, what is known of its day 0, and what was decided.

    Attributes
    ----------
    candidate : Candidate
    facts : mapping of str to str
        Cells that follow from the events file and the calendar.
    decision : Decision or None
        The last one.
    typed : mapping of str to str
        What the person wrote and has not been taken yet; with ``evidence_sha256``, the evidence
        that she looked at.
    is_listed : bool
        Whether the list has its event.
    """

    candidate: Candidate
    facts: Mapping[str, str]
    decision: Decision | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    is_listed: bool = False

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.decision is None:
            return "new"
        if self.decision.evidence_sha256 != self.candidate.evidence:
            return "stale"
        return "in events" if self.is_listed else "decided"

    @property
    def waits(self) -> bool:
        """Whether it waits for a decision and has a share, or names like that of one."""
        return self.state in ("new", "stale") and self.candidate.match is not Match.NONE

    def cells(self) -> dict[str, str]:
        """Return its cells in ``review.csv`` by column."""
        candidate, action, named = self.candidate, self.candidate.action, self.candidate.named
        proof = candidate.proof
        cells = {
            "candidate_id": candidate.id, "state": self.state, "source": action.source,
            "action_id": action.key, "verb": action.verb, "list": action.listing,
            "entity_as_printed": named.name,
            "also_named": "; ".join((*named.former_names, *named.other_names)),
            "document_number": action.document_number, "fr_citation": action.citation,
            "url": proof.action.url, "excerpt": proof.excerpt,
            "evidence_sha256": candidate.evidence,
            "retrieved_at": _stamp(proof.retrieved_at),
            "public_no_later_than": candidate.announced_at,
            "time_basis": str(candidate.clock.basis),
            "effective_on": _stamp(action.effective_on), "printed_on": _stamp(action.printed_on),
            "ticker": candidate.ticker, "match": str(candidate.match),
            "alternatives": "; ".join(candidate.alternatives),
            "relation": "issuer itself" if candidate.ticker else "unknown",
            "not_listed_then": candidate.not_listed_then,
        }  # fmt: skip
        decided = {} if self.decision is None else as_typed(self.decision)
        if self.state == "stale":
            decided["decision"] = ""  # nobody has decided on this evidence
        return cells | dict(self.facts) | decided | dict(self.typed)


def _stamp(moment: dt.date | None) -> str:
    if isinstance(moment, dt.datetime):
        return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat() if moment else ""


def as_typed(decision: Decision) -> dict[str, str]:
    """Return a decision as the person's columns."""
    cells = {name: getattr(decision, name) for name in PERSON if name != "chosen_ticker"}
    return {**cells, "chosen_ticker": decision.ticker}


def make_rows(
    candidates: Sequence[Candidate],
    events: Events | None,
    decisions: Mapping[str, Decision],
    reviewed: Mapping[str, ReadRow],
) -> list[Row]:
    """Return a row for each candidate.

    Parameters
    ----------
    candidates : sequence of Candidate
    events : Events or None
        The list as it is; None where there is none yet.
    decisions : mapping of str to Decision
        The last one by candidate.
    reviewed : mapping of str to ReadRow
        What stands in the review, by candidate.
    """
    days = _days_of(candidates)
    known = _KnownEvents(events)
    by_share = defaultdict(list)
    for candidate in candidates:
        if candidate.id in days:
            by_share[candidate.ticker].append(candidate)
    rows = []
    for candidate in candidates:
        decision = decisions.get(candidate.id)
        facts: dict[str, str] = {}
        if candidate.id in days:
            facts = days[candidate.id]
            facts |= known.around(candidate.ticker, facts["day0"])
            same_day = [
                other.id for other in by_share[candidate.ticker]
                if other is not candidate and days[other.id]["day0"] == facts["day0"]
            ]  # fmt: skip
            facts["same_day"] = "; ".join(same_day)
        line = reviewed.get(candidate.id)
        typed = {} if line is None else _not_taken(line, decision)
        is_listed = candidate.id in known.record_ids
        rows.append(Row(candidate, facts, decision, typed, is_listed))
    return rows


def _not_taken(line: ReadRow, decision: Decision | None) -> dict[str, str]:
    """Return what a person wrote on a line beside what was decided, with the evidence then."""
    decided = {} if decision is None else as_typed(decision)
    typed = dict(line.typed)
    if not any(typed.values()) or typed in (decided, {**decided, "decision": ""}):
        return {}
    return {**typed, "evidence_sha256": line.evidence_sha256} if typed["decision"] else typed


def _days_of(candidates: Iterable[Candidate]) -> dict[str, dict[str, str]]:
    """Return what the calendar says of each candidate with a share and a time, by its id."""
    import pandas as pd

    placed = [c for c in candidates if c.ticker and c.announced_at]
    if not placed:
        return {}
    table = pd.DataFrame(
        {
            "event_id": [c.id for c in placed],
            "ticker": [c.ticker for c in placed],
            "announced_at": [c.announced_at for c in placed],
            "tz": [c.tz if len(c.announced_at) == 10 else "" for c in placed],
        }
    )
    checked, _ = Events.check(table)
    events = Events.of(checked)
    if events is None:
        return {}
    days = {}
    for row in events.table.to_dict("records"):
        day0 = f"{row['day0']:%Y-%m-%d}"
        days[row["event_id"]] = {
            "exchange": row["exchange"], "day0": day0,
            "day0_candidates": row.get(Events.CANDIDATES, ""),
        }  # fmt: skip
    for candidate in placed:
        if candidate.id in days:
            days[candidate.id]["session_then"] = _session_then(candidate)
    return days


def _session_then(candidate: Candidate) -> str:
    from ..events import parts_of_day

    moment = candidate.clock.public_by
    exchange = Exchange.of(candidate.ticker)
    if not isinstance(moment, dt.datetime) or exchange is None or exchange.calendar is None:
        return ""
    try:
        parts = parts_of_day(moment, Sessions.of(exchange.calendar))
    except DataError:
        return ""
    return str(parts[0]) if len(parts) == 1 else "closed day"


class _KnownEvents:
    """The events that the list has already, by their share."""

    def __init__(self, events: Events | None) -> None:
        self.record_ids: set[str] = set()
        self._by_share: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._exchanges: dict[str, str] = {}
        if events is None or not len(events):
            return
        table: pd.DataFrame = events.table
        for row in table.to_dict("records"):
            ids = row.get("record_id") or ""
            self.record_ids.update(ids_in(ids))
            if not ids:
                day0 = f"{row['day0']:%Y-%m-%d}"
                self._by_share[row["ticker"]].append((day0, row["event_id"], row["exchange"]))

    def around(self, ticker: str, day0: str) -> dict[str, str]:
        """Return which events of a share are near a day, and which came before it.

        Parameters
        ----------
        ticker : str
        day0 : str
            ISO 8601.
        """
        near = []
        before = []
        for day, event_id, exchange in sorted(self._by_share[ticker], reverse=True):
            distance = _sessions_between(exchange, day, day0)
            if abs(distance) <= NEAR:
                near.append(event_id)
            elif distance > 0:
                before.append(f"{event_id} ({distance})")
        return {"already": "; ".join(near), "earlier": "; ".join(before[:MOST_EARLIER])}


def _sessions_between(exchange: str, first: str, last: str) -> int:
    """Return the number of sessions from one day to another."""
    home = Exchange.of_code(exchange)
    if home is None or home.calendar is None:
        return int(np.busday_count(first, last))
    dates = Sessions.of(home.calendar).dates
    positions = np.searchsorted(dates, np.array([first, last], dtype="datetime64[D]"))
    return int(positions[1] - positions[0])


def write_review(path: Path, rows: Iterable[Row], gone: Mapping[str, Mapping[str, str]]) -> None:
    """Write ``review.csv`` whole: equal rows give equal bytes, and no cell is a formula.

    Parameters
    ----------
    path : Path
    rows : iterable of Row
    gone : mapping of str to (mapping of str to str)
        What was decided, or written, on candidates that the record has no more.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = row.cells()
        writer.writerow([quoted(_CONTROL.sub("", cells.get(name, ""))) for name in COLUMNS])
    for candidate_id, typed in gone.items():
        cells = {"candidate_id": candidate_id, "state": "gone", **typed}
        writer.writerow([quoted(cells.get(name, "")) for name in COLUMNS])
    content = text.getvalue().encode()
    if not path.exists() or path.read_bytes() != content:
        with replacing(path) as stage:
            stage.write_bytes(content)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of a review as a person saved it.

    Attributes
    ----------
    line : int
    candidate_id, evidence_sha256 : str
    state, match : str
        As they were written.
    typed : mapping of str to str
        The person's columns.
    ticker : str or None
        The tool's ticker, which is not hers to change; None where that column is gone.
    """

    line: int
    candidate_id: str
    evidence_sha256: str
    state: str
    match: str
    typed: Mapping[str, str]
    ticker: str | None = None

    @property
    def waited(self) -> bool:
        """Whether it waited for a decision when it was written."""
        return self.state in ("new", "stale") and self.match != str(Match.NONE)


def read_review(path: Path) -> list[ReadRow]:
    """Return the rows of a review, saved by whatever program: CSV or a workbook.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        If it cannot be read, or lacks a column.
    """
    sheet, problems, _ = Sheet.of(path, ("candidate_id", "decision"))
    problems += [] if sheet is None else sheet.odd_rows()
    if sheet is None or problems:
        first = problems[0]
        where = f"{path}:{first.line}"
        raise make_error(DataError, "records.review_unreadable", where=where, why=first.what)
    names = [unquoted(name.strip()) for name in sheet.names]
    missing = [name for name in ("candidate_id", "evidence_sha256", *PERSON) if name not in names]
    if missing:
        raise make_error(DataError, "records.review_columns", where=str(path), names=missing)
    return list(_read_rows(sheet, names))


def _read_rows(sheet: Sheet, names: Sequence[str]) -> Iterator[ReadRow]:
    # The person's announced_at stands behind the tool's columns of other names.
    for line, cells in zip(sheet.lines.tolist(), sheet.rows(), strict=True):
        row = {name: unquoted(cell).strip() for name, cell in zip(names, cells, strict=True)}
        typed = {name: row[name] for name in PERSON}
        if row["candidate_id"]:
            yield ReadRow(
                line, row["candidate_id"], row["evidence_sha256"], row.get("state", ""),
                row.get("match", ""), typed, row.get("ticker"),
            )  # fmt: skip
