"""From decisions in a review to events in the list, and never otherwise."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import EventsFileError, Problem
from ..events import Events
from ..files import bare, quoted
from ..words import say
from .candidates import Candidate
from .decisions import Decision
from .names import fold
from .review import ReadRow, Row

# Columns of an event that came from a record.
COLUMNS = (
    "event_id", "announced_at", "tz", "when", "company", "ticker", "authority", "instrument",
    "action", "direction", "role", "source", "source_url", "confidence", "basis", "selection",
    "confounders", "document_number", "public_no_later_than", "time_basis", "record_id",
    "retrieved_at", "evidence_sha256", "census", "decided_by",
)  # fmt: skip
ANSWERS = ("yes", "no")
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
        name = re.sub(r"\W+", "-", fold(candidate.named.name))[:40].strip("-")
        listing = re.sub(r"\W+", "-", action.listing.casefold()).strip("-")
        market = decision.ticker.rpartition(".")[2].lower() if "." in decision.ticker else "us"
        return {
            "event_id": f"{name}-{day}-{listing}-{market}",
            "announced_at": decision.announced_at, "tz": decision.tz, "when": decision.when,
            "company": candidate.named.name, "ticker": decision.ticker,
            "authority": action.authority, "instrument": "; ".join(filter(None, listings)),
            "action": action.verb, "direction": decision.direction, "role": decision.role,
            "source": proof.action.title, "source_url": proof.action.url,
            "confidence": "confirmed", "basis": "official release",
            "selection": "census" if counts else "record", "confounders": decision.confounders,
            "document_number": action.document_number,
            "public_no_later_than": candidate.announced_at,
            "record_id": "; ".join(c.id for c in self.candidates),
            "retrieved_at": first.cells()["retrieved_at"],
            "evidence_sha256": candidate.evidence, "time_basis": str(candidate.clock.basis),
            "census": "; ".join(sorted(counts)), "decided_by": decision.decided_by,
        }  # fmt: skip

    @property
    def candidates(self) -> list[Candidate]:
        """Its candidates."""
        return [row.candidate for row in self.rows]


def judge(
    path: Path, read: Sequence[ReadRow], rows: Mapping[str, Row], by: str, at: str
) -> list[Decision]:
    """Return the new decisions that a review holds.

    Parameters
    ----------
    path : Path
        The review, for messages.
    read : sequence of ReadRow
    rows : mapping of str to Row
        The candidates as they are now, by id.
    by, at : str
        Who decides, and when.

    Raises
    ------
    EventsFileError
        If a row is faulty; all faults are listed, and nothing is taken.
    """
    problems: list[Problem] = []
    decisions: list[Decision] = []
    lines: list[int] = []
    for line in read:
        row = rows.get(line.candidate_id)
        answer = line.typed["decision"].casefold()
        if not answer or (row is not None and _is_taken(line, row)):
            continue
        faults = list(_faults(line, row, answer))
        problems += faults
        if row is not None and not faults:
            decisions.append(_decision(line, row, answer, by, at))
            lines.append(line.line)
    problems += _faults_of_stamps(decisions, lines)
    if problems:
        raise EventsFileError(str(path), sorted(problems, key=lambda problem: problem.line))
    return decisions


def _is_taken(line: ReadRow, row: Row) -> bool:
    """Return whether a line says what was decided last, on the evidence that there is now."""
    last = row.decision
    if last is None or last.evidence_sha256 != row.candidate.evidence:
        return False
    if line.evidence_sha256 not in ("", row.candidate.evidence):
        return False
    answer = line.typed["decision"].casefold()
    return _decision(line, row, answer, last.decided_by, last.decided_at) == last


def _decision(line: ReadRow, row: Row, answer: str, by: str, at: str) -> Decision:
    typed, candidate = line.typed, row.candidate
    stamp = typed["announced_at"] or candidate.announced_at
    zone = typed["tz"]
    if not zone and not typed["announced_at"]:
        zone = candidate.tz
    return Decision(
        candidate_id=candidate.id, evidence_sha256=candidate.evidence, decision=answer,
        ticker=typed["chosen_ticker"].upper() or candidate.ticker, announced_at=stamp, tz=zone,
        when=typed["when"], role=typed["role"], direction=typed["direction"],
        confounders=typed["confounders"], also="", note=typed["note"],
        decided_by=by, decided_at=at,
    )  # fmt: skip


def _faults(line: ReadRow, row: Row | None, answer: str) -> Iterable[Problem]:
    """Yield what is wrong with a line that has a decision, but for its ticker and its stamp."""

    def fault(column: str, code: str, value: str | None = None, **facts: object) -> Problem:
        # In a spreadsheet a cell of several lines is one row: the name finds it there.
        name = "" if row is None else f"{row.candidate.named.name}: "
        remedy = say(f"review.{code}.remedy", **facts)
        return Problem(line.line, column, f"{name}{say(f'review.{code}', **facts)}", value, remedy)

    if row is None:
        yield fault("candidate_id", "unknown", line.candidate_id)
        return
    candidate, typed = row.candidate, line.typed
    if answer not in ANSWERS:
        yield fault("decision", "answer", typed["decision"])
        return
    if line.evidence_sha256 != candidate.evidence:
        was, now = line.evidence_sha256[:4] or "none", candidate.evidence[:4]
        yield fault("evidence_sha256", "changed", was=was, now=now)
    if answer == "no":
        return
    chosen = typed["chosen_ticker"].upper()
    if not candidate.ticker and not (chosen and typed["note"]):
        yield fault("chosen_ticker", "no_ticker", chosen or None, match=candidate.match)
    if _is_same_code(chosen, candidate):
        yield fault("chosen_ticker", "other_market", chosen, ticker=candidate.ticker)
    elif candidate.ticker and chosen not in ("", candidate.ticker) and not typed["note"]:
        yield fault("note", "other_ticker", chosen, ticker=candidate.ticker)
    if candidate.action.verb != "added" and not typed["note"]:
        yield fault("note", "verb", verb=candidate.action.verb)
    stamp = typed["announced_at"] or candidate.announced_at
    if not stamp:
        yield fault("announced_at", "no_time")
    elif candidate.announced_at and stamp[:10] > candidate.announced_at[:10]:
        yield fault("announced_at", "too_late", stamp, bound=candidate.announced_at)


def _is_same_code(chosen: str, candidate: Candidate) -> bool:
    """Return whether a ticker has the code of the printed one, and another market."""
    code, _, market = chosen.rpartition(".")
    printed = candidate.ticker.rpartition(".")
    return bool(code) and code.lstrip("0") == printed[0].lstrip("0") and market != printed[2]


def _faults_of_stamps(decisions: Sequence[Decision], lines: Sequence[int]) -> list[Problem]:
    """Return what the reader of events says of tickers and stamps that were decided."""
    import pandas as pd

    taken = [k for k, decision in enumerate(decisions) if decision.decision == "yes"]
    if not taken:
        return []
    columns = ("ticker", "announced_at", "tz", "when")
    cells = {name: [getattr(decisions[k], name) for k in taken] for name in columns}
    _, problems = Events.check(pd.DataFrame(cells))
    # The reader numbers the rows of a table from 2.
    of_review = {k + 2: lines[position] for k, position in enumerate(taken)}
    return [replace(problem, line=of_review.get(problem.line, 1)) for problem in problems]


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
    text = raw.decode("utf-8-sig")
    lines = list(io.StringIO(text, newline=""))
    head = next(csv.reader(lines), [])
    known = [_ALIASES.get(bare(name), bare(name)) for name in head]
    new = [
        name for name in COLUMNS
        if bare(name) not in known and (not head or any(event[name] for event in events))
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
        cells = {bare(name): value for name, value in event.items()}
        out.write(_line([cells.get(name, "") for name in (*known, *map(bare, new))], end))
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
) -> dict[tuple[str, str], str]:
    """Return what to say of each action all of whose shares are decided.

    Parameters
    ----------
    rows : iterable of Row
    decisions : mapping of str to Decision
        The last on each candidate. A ``no`` needs a note to count.
    named : mapping of (str, str) to int
        How many were named in each action, by its source and key.

    Returns
    -------
    dict of (str, str) to str
        By source and key, such as "59 named, 36 with a share".
    """
    by_action = defaultdict(list)
    for row in rows:
        action = row.candidate.action
        if action.verb == "added" and row.candidate.ticker:
            by_action[action.source, action.key].append(row.candidate)
    census = {}
    for key, shares in by_action.items():
        if all(_is_decided(candidate, decisions.get(candidate.id)) for candidate in shares):
            firms = {fold(candidate.named.name) for candidate in shares}
            counts = f"{named[key]} named, {len(firms)} with a share"
            census[key] = f"{'/'.join(key)}: {counts}"
    return census


def _is_decided(candidate: Candidate, decision: Decision | None) -> bool:
    if decision is None or decision.evidence_sha256 != candidate.evidence:
        return False
    return decision.decision == "yes" or bool(decision.note)
