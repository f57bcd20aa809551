"""A review as a person saved it: what she decided, and everything that is wrong with it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import DataError, EventsFileError, Problem
from ..events import Events, parse_announcement
from ..words import say
from .candidates import Candidate
from .decisions import Decision
from .review import ReadRow, Row

ANSWERS = ("yes", "no")


def judge(
    path: Path, read: Sequence[ReadRow], rows: Mapping[str, Row], gone: Collection[str], by: str,
    at: str,
) -> list[Decision]:  # fmt: skip
    """Return the new decisions that a review holds.

    Parameters
    ----------
    path : Path
        The review, for messages.
    read : sequence of ReadRow
    rows : mapping of str to Row
        The candidates as they are now, by id.
    gone : collection of str
        Candidates that were decided on and that the record has no more.
    by, at : str
        Who decides, and when.

    Raises
    ------
    EventsFileError
        If a row is faulty; all faults are listed, and nothing is taken.
    """
    problems: list[Problem] = []
    decisions: list[Decision] = []
    lines: dict[str, int] = {}
    for line in read:
        row = rows.get(line.candidate_id)
        is_old = row is None and (line.candidate_id in gone or line.state == "gone")
        if not line.typed["decision"] or is_old or (row is not None and _is_taken(line, row)):
            continue
        faults = list(_faults(line, row, lines.get(line.candidate_id)))
        lines.setdefault(line.candidate_id, line.line)
        problems += faults
        if row is not None and not faults:
            decisions.append(_decision(line, row, by, at))
    problems += _faults_of_stamps(decisions, lines)
    if problems:
        in_order = sorted(problems, key=lambda problem: problem.line)
        raise EventsFileError(str(path), in_order, what="review")
    return decisions


def _is_taken(line: ReadRow, row: Row) -> bool:
    """Return whether a line says what was decided last, on the evidence that there is now."""
    last = row.decision
    if last is None or last.evidence_sha256 != row.candidate.evidence:
        return False
    if line.evidence_sha256 not in ("", row.candidate.evidence):
        return False
    return _decision(line, row, last.decided_by, last.decided_at) == last


def _decision(line: ReadRow, row: Row, by: str, at: str) -> Decision:
    typed, candidate = line.typed, row.candidate
    zone = typed["tz"]
    if not zone and not typed["announced_at"]:
        zone = candidate.tz
    return Decision(
        candidate_id=candidate.id, evidence_sha256=candidate.evidence,
        decision=typed["decision"].casefold(),
        ticker=typed["chosen_ticker"].upper() or candidate.ticker,
        announced_at=typed["announced_at"] or candidate.announced_at, tz=zone,
        when=typed["when"], role=typed["role"], direction=typed["direction"],
        confounders=typed["confounders"], also="", note=typed["note"],
        decided_by=by, decided_at=at,
    )  # fmt: skip


def _faults(line: ReadRow, row: Row | None, before: int | None) -> Iterator[Problem]:
    """Yield what is wrong with a line that has a decision.

    Parameters
    ----------
    line : ReadRow
    row : Row or None
        Its candidate.
    before : int or None
        Line on which the same candidate was decided on before.
    """

    def fault(column: str, code: str, value: str | None = None, **facts: object) -> Problem:
        # In a spreadsheet a cell of several lines is one row: name and share find it there.
        name = "" if row is None else f"{row.candidate.named.name} {row.candidate.ticker}: "
        remedy = say(f"review.{code}.remedy", **facts)
        return Problem(line.line, column, f"{name}{say(f'review.{code}', **facts)}", value, remedy)

    if row is None:
        yield fault("candidate_id", "unknown", line.candidate_id)
        return
    candidate, typed = row.candidate, line.typed
    if before is not None:
        yield fault("candidate_id", "twice", line=before)
        return
    if typed["decision"].casefold() not in ANSWERS:
        yield fault("decision", "answer", typed["decision"])
        return
    if line.evidence_sha256 != candidate.evidence:
        was, now = line.evidence_sha256[:4] or "none", candidate.evidence[:4]
        yield fault("evidence_sha256", "changed", was=was, now=now)
    if line.ticker not in (None, candidate.ticker):
        yield fault("ticker", "not_yours", line.ticker, ticker=candidate.ticker or "blank")
    if typed["decision"].casefold() == "no":
        return
    chosen, note = typed["chosen_ticker"].upper(), typed["note"]
    if not candidate.ticker and not (chosen and note):
        yield fault("chosen_ticker", "no_ticker", chosen or None, match=candidate.match)
    if _is_same_code(chosen, candidate):
        yield fault("chosen_ticker", "other_market", chosen, ticker=candidate.ticker)
    elif candidate.ticker and chosen not in ("", candidate.ticker) and not note:
        yield fault("note", "other_ticker", chosen, ticker=candidate.ticker)
    if candidate.action.verb != "added" and not note:
        yield fault("note", "verb", verb=candidate.action.verb)
    stamp = typed["announced_at"] or candidate.announced_at
    if not stamp:
        yield fault("announced_at", "no_time")
    elif _is_late(stamp, typed["tz"], candidate):
        yield fault("announced_at", "too_late", stamp, bound=candidate.announced_at)
    elif stamp != candidate.announced_at and not note:
        yield fault("note", "earlier", stamp)


def _is_same_code(chosen: str, candidate: Candidate) -> bool:
    """Return whether a ticker has the code of the printed one, and another market."""
    code, _, market = chosen.rpartition(".")
    printed = candidate.ticker.rpartition(".")
    return bool(code) and code.lstrip("0") == printed[0].lstrip("0") and market != printed[2]


def _is_late(stamp: str, tz: str, candidate: Candidate) -> bool:
    """Return whether all of a time lies behind that at which a candidate was public at the latest.

    What cannot be read is not late: the reader of events says what is wrong with it.
    """
    public_by = candidate.clock.public_by
    if public_by is None:
        return False
    try:
        typed = parse_announcement(stamp, tz)
        home = zoneinfo.ZoneInfo(tz or candidate.tz)
    except (DataError, KeyError, ValueError):
        return False
    begins = typed.instant
    if begins is None:
        assert typed.date is not None  # noqa: S101
        begins = dt.datetime.combine(typed.date, dt.time(), home)
    if isinstance(public_by, dt.datetime):
        return begins > public_by
    day_after = public_by + dt.timedelta(days=1)
    return begins >= dt.datetime.combine(day_after, dt.time(), zoneinfo.ZoneInfo(candidate.tz))


def _faults_of_stamps(decisions: Sequence[Decision], lines: Mapping[str, int]) -> list[Problem]:
    """Return what the reader of events says of tickers and stamps that were decided."""
    import pandas as pd

    taken = [decision for decision in decisions if decision.decision == "yes"]
    if not taken:
        return []
    columns = ("ticker", "announced_at", "tz", "when")
    cells = {name: [getattr(decision, name) for decision in taken] for name in columns}
    _, problems = Events.check(pd.DataFrame(cells))
    found = []
    for problem in problems:
        # The reader numbers the rows of a table from 2.
        decision = taken[problem.line - 2] if problem.line > 1 else taken[0]
        found.append(replace(problem, line=lines[decision.candidate_id]))
    return found
