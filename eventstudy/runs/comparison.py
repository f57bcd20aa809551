"""The differences between two runs, as a record and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, timedelta
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..analysis import Answer as AnswerOfStudy
from ..words import speaking_of, words

# A CAR that moved by one basis point; a p-value as far as the third decimal.
MOVED, SAME_PVALUE = 1e-4, 1e-3
# What else an answer states; each version words it in its own way.
_FACTS = ("window", "test", "n_events", "n_lacking", "n_used")
# Lines of one heading, and of the CARs over other windows; all are in the JSON.
MAX_LINES, MAX_ELSEWHERE = 20, 8
# Returns that differ by less are those of prices rounded in another way.
SAME_RETURN = 1e-6
# Prices with as many decimals or more are exact.
EXACT_DECIMALS = 10
# Days that are named.
SHOWN = 20
# Members of a comparison that are no differences.
_ABOUT = ("main", "moved", "measure")


@dataclass(frozen=True, slots=True)
class Move:
    """A CAR that differs between two runs; None where a run has none."""

    # Why a CAR moved of an event whose window was not over.
    FURTHER: ClassVar[str] = "new sessions"

    event_id: str
    ticker: str
    window: str
    before: float | None
    after: float | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A day 0 that differs between two runs (ISO dates, "" for none)."""

    before: str
    after: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answers of two runs for a group of events; None where a run does not have it."""

    group: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def flipped(self) -> bool:
        """Whether the verdict is another one, or the effect is significant with the other sign."""
        if self.before is None or self.after is None:
            return True
        pair = self.before, self.after
        signs = [math.copysign(1, answer["estimate"] or 0.0) for answer in pair]
        verdicts = [answer["verdict"] for answer in pair]
        has_turned = verdicts[0] == AnswerOfStudy.DIFFERENT and signs[0] != signs[1]
        return verdicts[0] != verdicts[1] or has_turned

    def differs(self, threshold: float) -> bool:
        """Return whether the answers state something else, in whatever words.

        An effect that moved by no more than the threshold (decimal) is the same.
        """
        if self.before is None or self.after is None or self.flipped:
            return True
        tolerances = {**dict.fromkeys(_FACTS), "estimate": threshold, "pvalue": SAME_PVALUE}
        pairs = ((self.before.get(name), self.after.get(name), t) for name, t in tolerances.items())
        return any(a != b if t is None else is_moved(a, b, t) for a, b, t in pairs)


def is_moved(before: float | None, after: float | None, threshold: float) -> bool:
    """Return whether a number differs by more than a threshold, or is in one run only.

    Parameters
    ----------
    before, after : float or None
    threshold : float

    Returns
    -------
    bool
    """
    if before is None or after is None:
        return before is not after
    return abs(before - after) > threshold


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
        Status of the events that have another: ``ok``, ``provisional`` (the main window is not over
        yet), or why an event was dropped. The same kind of reason in other words is no other
        status.
    moves : tuple of Move
        CARs that moved by more than `moved`, in every window.
    answers : tuple of Answer
        Groups whose answer has another verdict, window, test or number of events, whose effect
        moved by more than `moved`, or whose p-value by more than 0.001.
    lead : mapping of str to (before, after)
        The group of the first sentence, if both runs have groups and it is another one.
    settings, versions : mapping of str to (before, after)
    prices : mapping of str to Revision
        Symbols whose prices are not the same.
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
    sources: Mapping[str, tuple[str, str]]
    files: tuple[str, ...]
    lead: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    main: str = ""
    moved: float = field(default=MOVED)
    measure: str = "return"
    altered: tuple[str, ...] = ()

    @property
    def completed(self) -> tuple[str, ...]:
        """Events whose main window was not over in the first run, and is in the second."""
        firsts = (m for m in self.moves if m.window == self.main and m.before is None)
        return tuple(m.event_id for m in firsts if Move.FURTHER in m.why)

    @property
    def flips(self) -> tuple[Answer, ...]:
        """Groups with another verdict."""
        return tuple(answer for answer in self.answers if answer.flipped)

    @property
    def differences(self) -> dict[str, Any]:
        """What differs, by the names of the parts; those that are empty as well."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _ABOUT}

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(self.differences.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind of difference, where there are any."""
        differences = {**self.differences, "completed": self.completed, "flips": self.flips}
        return {name: len(items) for name, items in differences.items() if items}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values = {"same": self.same, **asdict(self), "completed": list(self.completed)}
        values["prices"] = {symbol: r.to_dict() for symbol, r in self.prices.items()}
        values["answers"] = [{**asdict(a), "flipped": a.flipped} for a in self.answers]
        return values

    def __str__(self) -> str:
        return _joined(self, "{}:", "\n  ", "\n") or "nothing differs"

    def markdown(self) -> str:
        """Return the comparison as Markdown."""
        text = _joined(self, "**{}**\n", "\n- ", "\n\n") or "Nothing differs."
        return f"{text}\n"


def _joined(comparison: Comparison, head: str, item: str, section: str) -> str:
    """Return the differences in a form; "" if there are none."""
    with speaking_of(comparison.measure):
        parts = [(head.format(name), *lines) for name, lines in _sections(comparison)]
    return section.join(map(item.join, parts))


def _sections(c: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Yield headings and their lines, the most important first."""
    split = "by" in c.settings or any(not answer.group and answer.flipped for answer in c.answers)
    answers: dict[bool, list[str]] = {True: [], False: []}
    for answer in c.answers:
        answers[answer.flipped] += _answer(answer, split=split)
    edits = [f"{e}: {_arrows(cells)}" for e, cells in c.edited.items()]
    days = [f"{e}: {_arrow(d.before, d.after)}, {'; '.join(d.why)}" for e, d in c.days.items()]
    states = [f"{e}: {a} -> {b}" for e, (a, b) in c.statuses.items() if e not in c.completed]
    main = {move.event_id: move for move in c.moves if move.window == c.main}
    moves = list(map(_move, sorted(main.values(), key=_size)))
    others = sorted((move for move in c.moves if move.window != c.main), key=_size)
    elsewhere = [f"{move.window} {_move(move)}" for move in others]
    cars = {e: f"{e}: CAR over {c.main} {_value(move.after)}" for e, move in main.items()}
    completed = [cars.get(e, e) for e in c.completed]
    revisions = c.prices.items()
    sections = {
        "Not as it was written": c.altered,
        "The first sentence is of another group": [_arrow(*pair) for pair in c.lead.values()],
        "Another verdict": answers[True],
        "Events added": c.added,
        "Events removed": c.removed,
        "Events edited": edits,
        "Day 0 moved": days,
        "Windows that are complete now": completed,
        "Status": states,
        f"CARs over {c.main} that moved by more than {_least(c.moved)}": moves,
        "CARs over other windows that moved": _first_lines(elsewhere, MAX_ELSEWHERE),
        "Prices revised": [f"{s}: {r}" for s, r in revisions if r.days],
        "Prices of more days": [f"{s}: prices {r.ends}" for s, r in revisions if r.is_longer],
        "Prices of fewer days": [f"{s}: prices {r.ends}" for s, r in revisions if r.is_shorter],
        "Source of prices": _sources(c.sources),
        "Files changed": c.files,
        "Settings": [f"{k}: {_setting(a)} -> {_setting(b)}" for k, (a, b) in c.settings.items()],
        _versions_head(c): [f"{k}: {_arrow(*pair)}" for k, pair in c.versions.items()],
        "Answer": answers[False],
    }
    for head, lines in sections.items():
        if first := _first_lines(filter(None, lines)):
            yield head, first


def _versions_head(c: Comparison) -> str:
    """Return the heading of the versions: whether anything else could have changed the answer."""
    others = (c.prices, c.sources, c.files, c.settings, c.added, c.removed, c.edited)
    return "Versions" if any(others) else "The program changed, not the prices"


def _arrow(before: str, after: str, *, blank: str = "none") -> str:
    return f"{before or blank} -> {after or blank}"


def _sources(sources: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return a line for each change, with the symbols that have it."""
    alike: dict[tuple[str, str], list[str]] = {}
    for symbol, pair in sources.items():
        alike.setdefault(pair, []).append(symbol)
    return [f"{words().and_more(symbols)}: {_arrow(*pair)}" for pair, symbols in alike.items()]


def _answer(answer: Answer, *, split: bool) -> list[str]:
    """Return the two answers for a group.

    Of a group that only one run has: that there are no such events, unless the runs `split` them in
    other ways.
    """
    none = "no such events"
    if split:
        none = "no group of its own" if answer.group else "told by group"
    stated = (answer.before, answer.after)
    texts = [f"{a['text']} {a.get('caveat', '')}".rstrip() if a else none for a in stated]
    texts[1] += "" if answer.after else " any more" if answer.group else " now"
    lines = [f"{word}: {text}" for word, text in zip(("was", "is"), texts, strict=True)]
    return [f"{answer.group}, {line}" if answer.group else line for line in lines]


def _move(move: Move) -> str:
    values = " -> ".join(map(_value, (move.before, move.after)))
    return f"{move.event_id} ({move.ticker}): {values}, {'; '.join(move.why)}"


def _size(move: Move) -> float:
    """Return minus the size of a move, those from or to nothing first."""
    if move.before is None or move.after is None:
        return -float("inf")
    return -abs(move.after - move.before)


def _value(value: float | None) -> str:
    return "none" if value is None else words().in_ascii(value)


def _least(threshold: float) -> str:
    return f"{threshold * 1e4:g} bp" if words().unit == "%" else f"{words().scale * threshold:g}"


def _arrows(cells: Any) -> str:
    return ", ".join(f"{name} {_arrow(*pair, blank='blank')}" for name, pair in cells.items())


def _setting(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text or "default"


def _first_lines(lines: Iterable[str], limit: int = MAX_LINES) -> list[str]:
    listed = list(lines)
    more = len(listed) - limit
    return [*listed[:limit], *([f"... and {more} more"] if more > 0 else [])]


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of the prices of one symbol.

    Attributes
    ----------
    days : tuple of str
        Dates whose return (or other measure) differs, or that only one run has.
    first : tuple of (date, before, after)
        The first of them with its price in both runs; NaN where there is none.
    before, after : str
        Last day in either run; "" where it has none.
    values : int
        Number of prices (or other values) that differ: one close makes two returns.
    """

    days: tuple[str, ...]
    first: tuple[str, float, float] | None
    before: str
    after: str
    values: int = 0

    @property
    def is_longer(self) -> bool:
        """Whether the second run has later prices."""
        return self.after > self.before

    @property
    def is_shorter(self) -> bool:
        """Whether the first run has later prices."""
        return self.after < self.before

    @property
    def ends(self) -> str:
        """The last day in both runs, in words."""
        return f"until {self.after or 'none'}, {self.before or 'none'} before"

    def touches(self, day0: str, before: int, after: int) -> bool:
        """Return whether a day that differs is in the windows of an event.

        Parameters
        ----------
        day0 : str
            ISO date.
        before, after : int
            Sessions that the windows reach before and after day 0.

        Returns
        -------
        bool
        """
        start, stop = _reach(day0, before, after)
        return any(start <= day <= stop for day in self.days)

    def ends_within(self, day0: str, before: int, after: int) -> bool:
        """Return whether one run alone has the last prices of the windows of an event.

        Parameters
        ----------
        day0 : str
        before, after : int
            As in `touches`.

        Returns
        -------
        bool
        """
        start, stop = _reach(day0, before, after)
        first, last = sorted([self.before, self.after])
        return first != last and first < stop and start <= last

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        ends = {"until_before": self.before, "until_after": self.after}
        count = {"n_days": len(self.days), "n_values": self.values}
        return {**count, "days": list(self.days[:SHOWN]), **ends, "what": str(self)}

    def __str__(self) -> str:
        if not self.days or self.first is None:
            return f"prices {self.ends}"
        day, *prices = self.first
        old, new = ("none" if math.isnan(price) else f"{price:.10g}" for price in prices)
        first = day if self.values == 1 else f"{self.values} days, first on {day}"
        return f"revised on {first} ({old} before, {new} now)"


def _reach(day0: str, before: int, after: int) -> tuple[str, str]:
    """Return the first and last day that sessions before and after day 0 may reach."""
    middle = date.fromisoformat(day0)
    start = middle - timedelta(days=int(1.6 * before) + 20)
    stop = middle + timedelta(days=int(1.6 * after) + 20)
    return str(start), str(stop)


def price_revision(old: pd.DataFrame, new: pd.DataFrame, measure: str) -> Revision | None:
    """Return the difference of the prices of one symbol, in what a measure is made of.

    Parameters
    ----------
    old, new : DataFrame
        Rows of a table of prices.
    measure : str

    Returns
    -------
    Revision or None
        None if they are the same.
    """
    columns = {"return": ["price"], "volatility": ["high", "low"]}.get(measure, ["volume"])
    old = _dated(old)
    new = _dated(new)
    first = max(old.index[0], new.index[0])
    last = min(old.index[-1], new.index[-1])
    a = old.loc[first:last, columns]
    b = new.loc[first:last, columns]
    dates = a.index.union(b.index)
    a = a.reindex(dates)
    b = b.reindex(dates)
    pairs = ((a[name].to_numpy(float), b[name].to_numpy(float), name) for name in columns)
    different = np.any([_differ(x, y, name == "price") for x, y, name in pairs], axis=0)
    days = tuple(f"{day:%Y-%m-%d}" for day in dates[different])
    ends = f"{old.index[-1]:%Y-%m-%d}", f"{new.index[-1]:%Y-%m-%d}"
    if not days and ends[0] == ends[1]:
        return None
    x, y = (table[columns[0]].to_numpy(float) for table in (a, b))
    at = int(different.argmax())
    first_day = (days[0], float(x[at]), float(y[at])) if days else None
    n = _values(x, y) if columns == ["price"] else 0
    return Revision(days, first_day, *ends, min(n or len(days), len(days)))


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one symbol by date, with the price that returns are made of."""
    dated = rows.set_index("date")
    return dated.assign(price=dated["close" if dated["adj_close"].isna().all() else "adj_close"])


def _values(a: Any, b: Any) -> int:
    """Return the number of prices that differ by another factor than most, that of a new base."""
    ratio = b / a
    base = np.nanmedian(ratio) if np.isfinite(ratio).any() else 1.0
    # The base is rounded as well.
    rounding = 0.0 if base == 1 else 2 * _rounding(a, b)
    apart = np.abs(ratio / base - 1) > SAME_RETURN + rounding
    return int((apart | (np.isnan(a) != np.isnan(b))).sum())


def _differ(a: Any, b: Any, price: bool) -> Any:
    """Return the days on which two series differ; prices by returns: a new base is no revision."""
    one_sided = np.isnan(a) != np.isnan(b)
    tolerance = SAME_RETURN * np.abs(a)
    if price:
        on_day = _rounding(a, b)
        before = pd.Series(on_day).ffill().shift().to_numpy()
        # Beside a price that is the same in both, another one is a revision, however small.
        rounding = np.where((on_day > 0) & (before > 0), on_day + before, 0.0)
        a, b = (np.append(np.nan, x[1:] / pd.Series(x).ffill()[:-1] - 1) for x in (a, b))
        tolerance = SAME_RETURN + rounding * np.abs(1 + b)
    return one_sided | (np.abs(a - b) > tolerance)


def _rounding(a: Any, b: Any) -> Any:
    """Return how far off the ratio of two rounded prices may be, relative, shape (T,).

    Each is off by up to half a unit of its last decimal; two equal prices are taken as exact.
    """
    halves = [0.5 * 10.0 ** -_decimals(prices) / np.abs(prices) for prices in (a, b)]
    return np.where(a == b, 0.0, halves[0] + halves[1])


def _decimals(prices: Any) -> int:
    """Return how many decimals the prices have."""
    known = prices[np.isfinite(prices)]
    for n in range(EXACT_DECIMALS):
        if np.array_equal(np.round(known, n), known):
            return n
    return EXACT_DECIMALS
