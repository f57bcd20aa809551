"""From decisions to events in the list, and never otherwise."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from ..events import Events
from ..files import bare as bare_name
from ..files import quoted
from ..words import make_error
from .candidates import Candidate
from .clocks import TimeBasis
from .decisions import Decision
from .names import fold
from .review import Row
from .types import bare

# Columns of an event that came from a record.
COLUMNS = (
    "event_id", "announced_at", "tz", "when", "company", "ticker", "authority", "instrument",
    "action", "direction", "role", "source", "source_url", "confidence", "basis", "selection",
    "confounders", "document_number", "public_no_later_than", "time_basis", "record_id",
    "retrieved_at", "evidence_sha256", "census", "decided_by",
)  # fmt: skip
# Those that are as somebody decided.
AS_DECIDED = (
    "announced_at", "tz", "when", "ticker", "direction", "role", "confounders", "evidence_sha256",
    "decided_by",
)  # fmt: skip
# Letters of a company's name in the id of its event.
LONGEST_NAME = 48
# Names that the reader of events takes for two of them.
_ALIASES = {"symbol": "ticker", "date": "announcedat", "eventdate": "announcedat"}


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was decided: one share and one day 0, of one candidate or several.

    Attributes
    ----------
    rows : tuple of Row
        The candidates.
    decisions : tuple of Decision
        On each of them.
    day0 : str
    """

    rows: tuple[Row, ...]
    decisions: tuple[Decision, ...]
    day0: str

    def cells(self, census: Mapping[tuple[str, str], str]) -> dict[str, str]:
        """Return its cells by column.

        Parameters
        ----------
        census : mapping of (str, str) to str
            What is said of each action, by source and key, all of whose shares are decided.
        """
        first, decision = self.rows[0], self.decisions[0]
        candidate, action = first.candidate, first.candidate.action
        proof = candidate.proof
        counts = {census[c.action.source, c.action.key] for c in self.candidates
                  if (c.action.source, c.action.key) in census}  # fmt: skip
        listings = dict.fromkeys(c.action.listing for c in self.candidates)
        day = decision.announced_at[:10]
        name = re.sub(r"\W+", "-", fold(candidate.named.name))
        if len(name) > LONGEST_NAME:
            name = name[:LONGEST_NAME].rpartition("-")[0]
        listing = re.sub(r"\W+", "-", action.listing.casefold()).strip("-")
        market = decision.ticker.rpartition(".")[2].lower() if "." in decision.ticker else "us"
        title = bare(proof.action.title)
        return {
            "event_id": f"{name}-{day}-{listing}-{market}",
            **{name: getattr(decision, name) for name in AS_DECIDED},
            "company": candidate.named.name, "authority": action.authority,
            "instrument": "; ".join(filter(None, listings)), "action": action.verb,
            "source": title, "source_url": proof.action.url,
            "confidence": "confirmed", "basis": _basis_of(candidate, decision),
            "selection": "census" if counts else "record",
            "document_number": action.document_number,
            "public_no_later_than": candidate.announced_at,
            "record_id": "; ".join(c.id for c in self.candidates),
            "retrieved_at": first.cells()["retrieved_at"],
            "time_basis": str(candidate.clock.basis), "census": "; ".join(sorted(counts)),
        }  # fmt: skip

    @property
    def candidates(self) -> list[Candidate]:
        """Its candidates."""
        return [row.candidate for row in self.rows]


def join_events(decided: Sequence[tuple[Row, Decision]]) -> list[Event]:
    """Return the events of decisions: those of one share and one day 0 are one.

    Parameters
    ----------
    decided : sequence of (Row, Decision)
        All of which are ``yes``.
    """
    import pandas as pd

    if not decided:
        return []
    columns = ("ticker", "announced_at", "tz", "when")
    cells = {name: [getattr(decision, name) for _, decision in decided] for name in columns}
    events = Events.given(pd.DataFrame(cells))
    joined = defaultdict(list)
    for pair, day0 in zip(decided, events.table["day0"], strict=True):
        joined[pair[1].ticker, f"{day0:%Y-%m-%d}"].append(pair)
    found = []
    for (_, day0), pairs in joined.items():
        rows, decisions = zip(*pairs, strict=True)
        found.append(Event(rows, decisions, day0))
    return found


def _basis_of(candidate: Candidate, decision: Decision) -> str:
    """Return of which kind the first public moment of an event is, as in the bundled list."""
    action = candidate.proof.action
    if decision.announced_at != candidate.announced_at:
        return "first report"
    if candidate.clock.basis in (TimeBasis.SEEN, TimeBasis.CONTRADICTED):
        return "first seen"
    if action.claimed == action.printed_on:
        return "printed date"
    return "effective date" if action.claimed == action.effective_on else "official release"


def rows_with_commas(raw: bytes) -> list[str]:
    """Return the lines of an events file, each with its end.

    Parameters
    ----------
    raw : bytes

    Raises
    ------
    ConfigError
        If its cells are separated otherwise: such a file is not written to.
    """
    lines = list(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    head = next(csv.reader(lines), [])
    if len(head) == 1 and re.search(r"[;|\t]", head[0]):
        raise make_error(ConfigError, "records.no_commas", value=head[0][:40])
    return lines


def append_events(raw: bytes, events: Sequence[Mapping[str, str]]) -> bytes:
    """Return an events file with further rows at its end; the rows before stay as they are.

    Where the file lacks a column, the rows before get a blank cell of it at their end.

    Parameters
    ----------
    raw : bytes
        The file; empty for a new one.
    events : sequence of mapping of str to str
        Cells by column.
    """
    lines = rows_with_commas(raw)
    text = "".join(lines)
    head = next(csv.reader(lines), [])
    known = [_ALIASES.get(bare_name(name), bare_name(name)) for name in head]
    new = [
        name for name in COLUMNS
        if bare_name(name) not in known and (not head or any(event[name] for event in events))
    ]  # fmt: skip
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    out = io.StringIO()
    if not head:
        out.write(_line(new, end))
    elif new:
        out.write(_with_cells(lines, new, end))
    else:
        out.write(text + ("" if text.endswith(("\n", "\r")) else end))
    for event in events:
        cells = {bare_name(name): value for name, value in event.items()}
        out.write(_line([cells.get(name, "") for name in (*known, *map(bare_name, new))], end))
    mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    return mark + out.getvalue().encode()


def _with_cells(rows: Sequence[str], new: Sequence[str], end: str) -> str:
    """Return a CSV with further columns, blank in each row but the header."""
    reader = csv.reader(rows)
    out = []
    first = 0
    for k, row in enumerate(reader):
        written = "".join(rows[first : reader.line_num]).rstrip("\r\n")
        first = reader.line_num
        more = "," + ",".join(new) if k == 0 else "," * len(new) * bool(row)
        out.append(f"{written}{more}{end}")
    return "".join(out)


def _line(cells: Iterable[str], end: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerow(map(quoted, cells))
    return text.getvalue()


def name_apart(events: Sequence[dict[str, str]], taken: Iterable[str]) -> list[dict[str, str]]:
    """Return events with ids that no other event has.

    Parameters
    ----------
    events : sequence of dict
    taken : iterable of str
        Ids of the list.
    """
    used = set(taken)
    named = []
    for event in events:
        name, number = event["event_id"], 2
        while name in used:
            name = f"{event['event_id']}-{number}"
            number += 1
        used.add(name)
        named.append({**event, "event_id": name})
    return named


def count_census(
    rows: Iterable[Row], decisions: Mapping[str, Decision], named: Mapping[tuple[str, str], int]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], tuple[int, int]]]:
    """Return what to say of each action all of whose shares are decided, and what others lack.

    Parameters
    ----------
    rows : iterable of Row
    decisions : mapping of str to Decision
        The last on each candidate. A ``no`` needs a note to count.
    named : mapping of (str, str) to int
        How many were named in each action, by its source and key.

    Returns
    -------
    census : dict of (str, str) to str
        By source and key, such as "ofac/cmic/2021-06-03: 59 named, 36 with a share".
    lacking : dict of (str, str) to (int, int)
        Of the others on which something was decided: shares that are not, and those with a ``no``
        without a note.
    """
    by_action = defaultdict(list)
    for row in rows:
        action = row.candidate.action
        if action.verb == "added" and row.candidate.ticker:
            by_action[action.source, action.key].append(row.candidate)
    census = {}
    lacking = {}
    for key, shares in by_action.items():
        last = [_valid(candidate, decisions.get(candidate.id)) for candidate in shares]
        undecided = last.count(None)
        unsaid = sum(one is not None and one.decision == "no" and not one.note for one in last)
        if not undecided and not unsaid:
            firms = {candidate.firm for candidate in shares}
            counts = f"{named[key]} named, {len(firms)} with a share"
            census[key] = f"{'/'.join(key)}: {counts}"
        elif undecided < len(shares):
            lacking[key] = undecided, unsaid
    return census, lacking


def _valid(candidate: Candidate, decision: Decision | None) -> Decision | None:
    """Return the decision on the evidence that there is now; None without one."""
    is_valid = decision is not None and decision.evidence_sha256 == candidate.evidence
    return decision if is_valid else None
