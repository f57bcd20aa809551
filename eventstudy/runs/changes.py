"""Differences between two runs in words, and the log of changes that a refreshed run keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import RunFolderError
from ..report.measures import speaking_of, words
from .losses import some
from .manifest import seal
from .record import Record

if TYPE_CHECKING:
    from .compare import Answer, Comparison, Move

SCHEMA = "eventstudy-changes/1"
LOG, PAGE = "changes.json", "changes.md"
# Refreshes that are remembered.
KEPT = 100
# A CAR that moved by one basis point.
MOVED = 1e-4
# Lines of one heading, and of the CARs over other windows; all are in the JSON.
SHOWN, ASIDE = 20, 8


def as_text(found: Comparison) -> str:
    """Return the differences as plain text."""
    if found.same:
        return "nothing differs"
    with speaking_of(found.measure):
        parts = ["\n".join([f"{head}:", *(f"  {line}" for line in own)]) for head, own in _sections(found)]
    return "\n".join(parts)


def as_markdown(found: Comparison) -> str:
    """Return the differences as Markdown."""
    if found.same:
        return "Nothing differs.\n"
    with speaking_of(found.measure):
        heads = [(f"**{head}**", [f"- {line}" for line in own]) for head, own in _sections(found)]
    return "\n\n".join("\n".join([head, "", *own]) for head, own in heads) + "\n"


def log_changes(stage: Path, target: Path, *, moved: float = MOVED) -> Comparison | None:
    """Write ``changes.json`` and ``changes.md``: what changed now, and below that what did before.

    Parameters
    ----------
    stage : Path
        The new run folder, complete.
    target : Path
        The folder whose place it will take, with the log so far; it need not be there.
    moved : float
        A CAR that moved by no more is not told.

    Returns
    -------
    Comparison or None
        What changed; None if there was no run that can be compared.
    """
    from .compare import compare_records

    now, log, found = Record.read(stage), read_changes(target), None
    with suppress(RunFolderError):
        found = compare_records(Record.read(target), now, moved=moved)
    if not (found and found.same):
        text = as_markdown(found) if found else "First run.\n"
        head = {"id": uuid4().hex, "at": now.manifest["written_at"], "text": text}
        entry = {**head, **(found.to_dict() if found else {})}
        log = [entry, *log][:KEPT]
    _write(stage, log)
    seal(stage, now.manifest)
    return found


def _write(stage: Path, log: list[dict[str, Any]]) -> None:
    text = json.dumps({"schema": SCHEMA, "changes": log}, indent=1, ensure_ascii=False, sort_keys=True)
    (stage / LOG).write_text(text + "\n", encoding="utf-8", newline="\n")
    page = "# Changes\n\n" + "\n".join(f"## {entry['at']}\n\n{entry['text']}" for entry in log)
    (stage / PAGE).write_text(page, encoding="utf-8", newline="\n")


def read_changes(folder: Path) -> list[dict[str, Any]]:
    """Return the log of a run folder, newest first; nothing if there is none."""
    try:
        found: list[dict[str, Any]] = json.loads((folder / LOG).read_text(encoding="utf-8"))["changes"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return found


def _sections(found: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Yield headings and their lines, the most important first."""
    split = "by" in found.settings or any(not answer.group and answer.flipped for answer in found.answers)
    flips = [line for answer in found.flips for line in _answer(answer, split=split)]
    other = [line for answer in found.answers if not answer.flipped for line in _answer(answer, split=split)]
    edits = [f"{e}: {_arrows(cells)}" for e, cells in found.edited.items()]
    days = [
        f"{e}: {d.before or 'none'} -> {d.after or 'none'}, {'; '.join(d.why)}" for e, d in found.days.items()
    ]
    states = [f"{e}: {a} -> {b}" for e, (a, b) in found.statuses.items() if e not in found.completed]
    main = {move.event_id: move for move in found.moves if move.window == found.main}
    moves = [_move(move) for move in sorted(main.values(), key=_size)]
    aside = [move for move in sorted(found.moves, key=_size) if move.window != found.main]
    others = [f"{move.window} {_move(move)}" for move in aside]
    completed = [_completed(event, main.get(event), found.main) for event in found.completed]
    revised = [f"{symbol}: {own}" for symbol, own in found.prices.items() if own.days]
    ends = {symbol: own for symbol, own in found.prices.items() if not own.days}
    longer = [f"{symbol}: {own}" for symbol, own in ends.items() if own.after > own.before]
    shorter = [f"{symbol}: {own}" for symbol, own in ends.items() if own.after < own.before]
    sections = {
        "Not as it was written": list(found.altered),
        "Another verdict": flips,
        "Events added": list(found.added),
        "Events removed": list(found.removed),
        "Events edited": edits,
        "Day 0 moved": days,
        "Windows that are complete now": completed,
        "Status": states,
        f"CARs over {found.main} that moved by more than {_least(found.moved)}": moves,
        "CARs over other windows that moved": _some(others, ASIDE),
        "Prices revised": revised,
        "Prices of more days": longer,
        "Prices of fewer days": shorter,
        "Market values revised": [f"{s}: {own}" for s, own in found.sizes.items() if own.days],
        "Market values of other days": [f"{s}: {own}" for s, own in found.sizes.items() if not own.days],
        "Source of prices": _sources(found.sources),
        "Files changed": list(found.files),
        "Settings": [f"{k}: {_plain(a)} -> {_plain(b)}" for k, (a, b) in found.settings.items()],
        "Versions": [f"{k}: {a or 'none'} -> {b or 'none'}" for k, (a, b) in found.versions.items()],
        "Answer": other,
    }
    yield from ((head, own) for head, lines in sections.items() if (own := _some(filter(None, lines))))


def _sources(found: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return a line for each change, with the symbols that have it."""
    alike: dict[tuple[str, str], list[str]] = {}
    for symbol, pair in found.items():
        alike.setdefault(pair, []).append(symbol)
    return [f"{some(own)}: {a or 'none'} -> {b or 'none'}" for (a, b), own in alike.items()]


def _answer(answer: Answer, *, split: bool) -> list[str]:
    """Return what was said of a group and what is.

    Of one that only one run has: that there are no such events, unless the runs `split` them in other ways.
    """
    none = "no such events" if not split else "no group of its own" if answer.group else "told by group"
    said = [own["text"] if own else none for own in (answer.before, answer.after)]
    said[1] += "" if answer.after else " any more" if answer.group else " now"
    lines = [f"{word}: {text}" for word, text in zip(("was", "is"), said, strict=True)]
    return [f"{answer.group}, {line}" if answer.group else line for line in lines]


def _move(move: Move) -> str:
    values = " -> ".join(_value(value) for value in (move.before, move.after))
    return f"{move.event_id} ({move.ticker}): {values}, {'; '.join(move.why)}"


def _size(move: Move) -> float:
    """Return minus the size of a move, those from or to nothing first."""
    if move.before is None or move.after is None:
        return -float("inf")
    return -abs(move.after - move.before)


def _completed(event: str, move: Move | None, main: str) -> str:
    return f"{event}: CAR over {main} {_value(move.after)}" if move else event


def _value(value: float | None) -> str:
    return "none" if value is None else words().plain(value)


def _least(moved: float) -> str:
    return f"{moved * 1e4:g} bp" if words().unit == "%" else f"{words().scale * moved:g}"


def _arrows(cells: Any) -> str:
    return ", ".join(f"{name} {a or 'blank'} -> {b or 'blank'}" for name, (a, b) in cells.items())


def _plain(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text or "default"


def _some(lines: Iterable[str], shown: int = SHOWN) -> list[str]:
    listed = list(lines)
    more = len(listed) - shown
    return [*listed[:shown], *([f"... and {more} more"] if more > 0 else [])]
