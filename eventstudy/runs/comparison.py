"""The differences between two runs, as a record and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..analysis.answer import DIFFERENT, NO_RESULT, NOT_DIFFERENT
from ..utility.units import speaking_of, words
from .lost_prices import some
from .price_revisions import Revision

# A CAR that moved by one basis point.
MOVED = 1e-4
# Lines of one heading, and of the CARs over other windows; all are in the JSON.
SHOWN, ASIDE = 20, 8
# What the verdicts of version 0.1 are called now; "depends on the test" has no successor.
OLD_VERDICTS = {
    "different from zero": DIFFERENT, "not distinguishable from zero": NOT_DIFFERENT,
    "no result": NO_RESULT,
    "not tested": NO_RESULT,
}  # fmt: skip
_DIFFERENCES = (
    "added", "removed", "edited", "days", "statuses", "moves", "answers", "settings", "versions",
    "prices",
    "sizes", "sources", "files", "altered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """A CAR that is not what it was; None where there is none."""

    event_id: str
    ticker: str
    window: str
    before: float | None
    after: float | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A day 0 that is not what it was (ISO dates, "" for none)."""

    before: str
    after: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the two runs answer for a group of events; None where it is not in the run."""

    group: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def flipped(self) -> bool:
        """Whether the verdict is another one, or the effect is significant with the other sign."""
        if self.before is None or self.after is None:
            return True
        signs = [math.copysign(1, own["estimate"] or 0.0) for own in (self.before, self.after)]
        verdicts = [
            OLD_VERDICTS.get(own["verdict"], own["verdict"]) for own in (self.before, self.after)
        ]
        return verdicts[0] != verdicts[1] or (verdicts[0] == DIFFERENT and signs[0] != signs[1])


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between two runs.

    Attributes
    ----------
    added, removed : tuple of str
        Events of the second run only, and of the first only.
    edited : mapping of str to mapping
        What is not the same in the row of an event in the events file: (before, after) by column.
    days : mapping of str to Moved
        Events with another day 0, which may follow from the announcement, a setting or prices.
    statuses : mapping of str to (before, after)
        Status of the events that have another: ``ok``, ``provisional`` (the window is not over
        yet), or why an event was dropped. The same kind of reason in other words is no other
        status.
    moves : tuple of Move
        CARs that moved by more than `moved`, in every window.
    answers : tuple of Answer
        Groups whose answer is another sentence.
    settings, versions : mapping of str to (before, after)
    prices : mapping of str to Revision
        Symbols whose prices are not the same.
    sizes : mapping of str to Revision
        Firms whose market values (``tables/sizes.csv``) are not the same.
    sources : mapping of str to (before, after)
        Symbols that only one run has, or that come from another source.
    files : tuple of str
        Other inputs that are not the same.
    main : str
        The main window of the second run.
    moved : float
    measure : str
        What the second run studies.
    altered : tuple of str
        Files of either run that are not as they were written.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    edited: Mapping[str, Mapping[str, tuple[str, str]]]
    days: Mapping[str, Moved]
    statuses: Mapping[str, tuple[str, str]]
    moves: tuple[Move, ...]
    answers: tuple[Answer, ...]
    settings: Mapping[str, tuple[Any, Any]]
    versions: Mapping[str, tuple[str, str]]
    prices: Mapping[str, Revision]
    sizes: Mapping[str, Revision]
    sources: Mapping[str, tuple[str, str]]
    files: tuple[str, ...]
    main: str = ""
    moved: float = field(default=MOVED)
    measure: str = "return"
    altered: tuple[str, ...] = ()

    @property
    def completed(self) -> tuple[str, ...]:
        """Events whose window was not over in the first run, and is in the second."""
        return tuple(
            e for e, (old, new) in self.statuses.items() if old == "provisional" and new == "ok"
        )

    @property
    def flips(self) -> tuple[Answer, ...]:
        """Groups with another verdict."""
        return tuple(answer for answer in self.answers if answer.flipped)

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(getattr(self, name) for name in _DIFFERENCES)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind of difference, where there are any."""
        found = {name: getattr(self, name) for name in (*_DIFFERENCES, "completed", "flips")}
        return {name: len(own) for name, own in found.items() if own}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        series = {
            name: {symbol: own.to_dict() for symbol, own in getattr(self, name).items()}
            for name in ("prices", "sizes")
        }
        answers = [{**asdict(answer), "flipped": answer.flipped} for answer in self.answers]
        own = asdict(self) | series | {"answers": answers, "completed": list(self.completed)}
        plain: dict[str, Any] = {"same": self.same, **own}
        return plain

    def __str__(self) -> str:
        return as_text(self)


def as_text(found: Comparison) -> str:
    """Return the differences as plain text."""
    if found.same:
        return "nothing differs"
    with speaking_of(found.measure):
        parts = [
            "\n".join([f"{head}:", *(f"  {line}" for line in own)])
            for head, own in _sections(found)
        ]
    return "\n".join(parts)


def as_markdown(found: Comparison) -> str:
    """Return the differences as Markdown."""
    if found.same:
        return "Nothing differs.\n"
    with speaking_of(found.measure):
        heads = [(f"**{head}**", [f"- {line}" for line in own]) for head, own in _sections(found)]
    return "\n\n".join("\n".join([head, "", *own]) for head, own in heads) + "\n"


def _sections(found: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Yield headings and their lines, the most important first."""
    split = "by" in found.settings or any(
        not answer.group and answer.flipped for answer in found.answers
    )
    flips = [line for answer in found.flips for line in _answer(answer, split=split)]
    other = [
        line
        for answer in found.answers
        if not answer.flipped
        for line in _answer(answer, split=split)
    ]
    edits = [f"{e}: {_arrows(cells)}" for e, cells in found.edited.items()]
    days = [
        f"{e}: {d.before or 'none'} -> {d.after or 'none'}, {'; '.join(d.why)}"
        for e, d in found.days.items()
    ]
    states = [
        f"{e}: {a} -> {b}" for e, (a, b) in found.statuses.items() if e not in found.completed
    ]
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
        "Market values of other days": [
            f"{s}: {own}" for s, own in found.sizes.items() if not own.days
        ],
        "Source of prices": _sources(found.sources),
        "Files changed": list(found.files),
        "Settings": [f"{k}: {_plain(a)} -> {_plain(b)}" for k, (a, b) in found.settings.items()],
        "Versions": [
            f"{k}: {a or 'none'} -> {b or 'none'}" for k, (a, b) in found.versions.items()
        ],
        "Answer": other,
    }
    yield from (
        (head, own) for head, lines in sections.items() if (own := _some(filter(None, lines)))
    )


def _sources(found: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return a line for each change, with the symbols that have it."""
    alike: dict[tuple[str, str], list[str]] = {}
    for symbol, pair in found.items():
        alike.setdefault(pair, []).append(symbol)
    return [f"{some(own)}: {a or 'none'} -> {b or 'none'}" for (a, b), own in alike.items()]


def _answer(answer: Answer, *, split: bool) -> list[str]:
    """Return what was said of a group and what is.

    Of one that only one run has: that there are no such events, unless the runs `split` them in
    other ways.
    """
    none = (
        "no such events"
        if not split
        else "no group of its own"
        if answer.group
        else "told by group"
    )
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
