"""What was decided on candidates, by whom and when: a file that only grows."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from pathlib import Path

from ..errors import AlteredError
from ..files import quoted, replacing, unquoted
from ..words import make_error


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided on a candidate.

    Attributes
    ----------
    candidate_id, evidence_sha256 : str
        The candidate, and the evidence that was looked at.
    decision : {"yes", "no"}
    ticker, announced_at, tz, when, role, direction, confounders, note : str
        As they stand in the event.
    also : str
        Ids of candidates that are the same event.
    decided_by, decided_at : str
        A name, and a time in UTC.
    """

    candidate_id: str
    evidence_sha256: str
    decision: str
    ticker: str
    announced_at: str
    tz: str
    when: str
    role: str
    direction: str
    confounders: str
    also: str
    note: str
    decided_by: str
    decided_at: str


DECISIONS = "decisions.csv"
COLUMNS = (*(field.name for field in fields(Decision)), "chain")


class Decisions:
    """The decisions on the candidates of a list.

    Parameters
    ----------
    path : Path
        ``decisions.csv``; each row has the hash of itself and of the row before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # The hash of the last row, by which rows that are gone are noticed.
        self._head = path.with_name(f".{path.stem}.head")

    @cached_property
    def all(self) -> list[Decision]:
        """Every decision, the oldest first.

        Raises
        ------
        AlteredError
            If a row is not as it was written.
        """
        head = self._head.read_text(encoding="utf-8") if self._head.exists() else ""
        if not self.path.exists():
            if head:
                raise self._altered(1)
            return []
        decisions = []
        chains = [""]
        chain = ""
        rows = csv.reader(io.StringIO(self.path.read_text(encoding="utf-8"), newline=""))
        if tuple(next(rows, ())) != COLUMNS:
            raise self._altered(1)
        for *cells, written in rows:
            if len(cells) != len(COLUMNS) - 1:
                raise self._altered(rows.line_num)
            decision = Decision(*map(unquoted, cells))
            chain = _link(chain, decision)
            if written != chain:
                raise self._altered(rows.line_num)
            decisions.append(decision)
            chains.append(chain)
        if head not in chains:  # the last rows are gone
            raise self._altered(len(decisions) + 2)
        return decisions

    @property
    def last(self) -> dict[str, Decision]:
        """The last decision on each candidate, by its id."""
        return {decision.candidate_id: decision for decision in self.all}

    def require(self, record_ids: Mapping[str, str]) -> None:
        """Raise AlteredError unless somebody said yes to every candidate of some events.

        Parameters
        ----------
        record_ids : mapping of str to str
            Cells of ``record_id`` by event; one that is blank names no candidate.
        """
        taken = {one.candidate_id for one in self.all if one.decision == "yes"}
        lacking = [
            event
            for event, cell in record_ids.items()
            if cell and not taken.issuperset(ids_in(cell))
        ]
        if lacking:
            where = str(self.path)
            raise make_error(
                AlteredError, "records.undecided", where=where, n=len(lacking), events=lacking
            )

    @property
    def sha256(self) -> str:
        """Hash of the file; "" where there is none yet."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest() if self.path.exists() else ""

    @classmethod
    def beside(cls, events: Path) -> Decisions:
        """Return the decisions on the record beside a list."""
        return cls(folder_beside(events) / DECISIONS)

    def chain_of(self, n: int) -> str:
        """Return the hash of the first n decisions; "" if there are fewer, or none."""
        chain = ""
        for decision in self.all[:n]:
            chain = _link(chain, decision)
        return chain if len(self.all) >= n else ""

    def add(self, decisions: Iterable[Decision]) -> Decisions:
        """Write further decisions behind those that are there, all or none; return all of them."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        chain = ""
        for decision in (*self.all, *decisions):
            chain = _link(chain, decision)
            writer.writerow((*map(quoted, astuple(decision)), chain))
        with replacing(self.path) as stage:
            stage.write_text(text.getvalue(), encoding="utf-8", newline="")
        with replacing(self._head) as stage:
            stage.write_text(chain, encoding="utf-8")
        return Decisions(self.path)

    def _altered(self, line: int) -> AlteredError:
        return make_error(AlteredError, "records.altered", where=f"{self.path}:{line}")


def _link(chain: str, decision: Decision) -> str:
    text = "\x1f".join((chain, *astuple(decision)))
    return hashlib.sha256(text.encode()).hexdigest()


def ids_in(cell: str) -> list[str]:
    """Return the candidates of an event, by its cell of ``record_id``."""
    return [name for name in cell.split("; ") if name]


def folder_beside(events: Path) -> Path:
    """Return where the record of a list is kept: ``events.record`` beside ``events.csv``."""
    return events.parent / f"{events.stem}.record"


def decisions_beside(events: Path) -> dict[str, str]:
    """Return what is told of the decisions beside a list: their hash, number and newest time.

    Parameters
    ----------
    events : Path
        The list. Without a record beside it nothing is told.
    """
    decisions = Decisions.beside(events)
    if not decisions.path.exists():
        return {}
    every = decisions.all
    facts = {"decisions_sha256": decisions.sha256, "decisions": str(len(every))}
    facts["chain"] = decisions.chain_of(len(every))
    return facts | {"decided_at": max((one.decided_at for one in every), default="")}


def require_decided(events: Path, record_ids: Mapping[str, str]) -> None:
    """Raise AlteredError if a list has an event of its record to which nobody said yes.

    Parameters
    ----------
    events : Path
        The list. Without a record beside it nothing is asked.
    record_ids : mapping of str to str
        Cells of ``record_id`` by event.
    """
    if folder_beside(events).exists():
        Decisions.beside(events).require(record_ids)
