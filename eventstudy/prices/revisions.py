"""Changes of a source in earlier prices, and the merge of a fetch with stored rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ..utility.catalogue import say
from ..utility.typing import FloatArray
from ._base import DATE_DTYPE, NUMBER_COLUMNS, Action, matrix_of, stamp
from ._database import Held

# Yahoo's values are float32: two identical questions differ at the seventh digit.
TOLERANCE = 2e-6
LARGEST_SPLIT = 20

Outcome = Literal["new", "same", "append", "rebase", "revision", "source", "apart", "older"]


class Change(NamedTuple):
    """The difference of two fetches of one symbol on the days that both cover.

    Attributes
    ----------
    outcome : {"same", "rebase", "revision", "apart"}
        Equal; explained by a dividend or a split since; not explained; no day in common.
    words : str
        The same for a reader.
    """

    outcome: Outcome
    words: str = ""


@dataclass(frozen=True, eq=False)
class Merged:
    """A stored symbol after a fetch.

    Parameters
    ----------
    outcome : str
        ``new``; ``same``; ``append``; ``rebase``; ``revision``; ``source`` (another source took
        over); ``apart`` (no day in common); ``older`` (the answer is older than what is stored, and
        another).
    held : Held
        To be kept from now on.
    changed : bool
        Whether `held` differs from what was stored.
    replaces : bool
        Whether `held` lacks some of the earlier rows, so that a vintage needs rows of its own.
    notice : str
        A message for the user.
    note : str
        For the record of fetches.
    """

    outcome: Outcome
    held: Held
    changed: bool = True
    replaces: bool = False
    notice: str = ""
    note: str = ""


def merge(old: Held | None, new: Held, *, exact: bool = False) -> Merged:
    """Append `new` to `old` if they agree where both have prices; otherwise `new` replaces it.

    Parameters
    ----------
    old : Held or None
        What is stored.
    new : Held
        What was fetched.
    exact : bool
        Where closes agree, take the values of `new`: they may differ by a volume, or a digit.

    Returns
    -------
    Merged

    Notes
    -----
    Rows of two adjustments or two sources are never put together.
    """
    if old is None:
        return Merged("new", new)
    before, after = old.provenance.source, new.provenance.source
    if before != after:
        words = say("price_cache.source", before=before, after=after)
        return Merged("source", new, replaces=True, notice=f"{new.symbol}: {words}", note=words)
    change = compare(old, new)
    if change.outcome == "same":
        return _overlaid(old, new) if exact else _appended(old, new)
    if new.fetched_at < old.fetched_at:
        return Merged("older", old, changed=False, note=change.words)
    if change.outcome != "revision":
        return Merged(change.outcome, new, replaces=True, note=change.words)
    return _revised(old, new, change.words)


def _revised(old: Held, held: Held, changes: str, *, replaces: bool = True) -> Merged:
    """Return `held` in place of `old`, with a note and a notice on the changes."""
    words = say("price_cache.revised", day=old.fetched_at[:10], changes=changes)
    noted = replace(held.provenance, note=_joined([held.provenance.note, words]))
    notice = say("price_cache.kept_as_vintage", symbol=held.symbol, text=words)
    held = replace(held, provenance=noted)
    return Merged("revision", held, replaces=replaces, notice=notice, note=words)


def compare(old: Held, new: Held) -> Change:
    """Compare the closes of two fetches on the days of `old` that `new` covers.

    Parameters
    ----------
    old, new : Held
        Of one symbol; relative differences below `TOLERANCE` are none.

    Returns
    -------
    Change
        ``rebase`` when all differences are (a) closes times one ratio before a date, with the
        volumes divided by it or a split of that ratio among the new actions, and (b) adjusted
        closes times one further ratio below 1 before a date, as after a dividend.
    """
    before, after = _priced(old.rows), _priced(new.rows)
    if before.empty or after.empty:
        return Change("apart", say("price_cache.apart"))
    last = before["date"].iloc[-1]
    before = before[(before["date"] >= new.coverage[0]) & (before["date"] <= new.coverage[1])]
    after = after[(after["date"] >= old.rows["date"].iloc[0]) & (after["date"] <= last)]
    old_days, new_days = before["date"].to_numpy(), after["date"].to_numpy()
    days, i, j = np.intersect1d(old_days, new_days, return_indices=True)
    if len(before) == len(after) == 0:
        return Change("apart", say("price_cache.apart"))
    vanished, added = np.setdiff1d(old_days, days), np.setdiff1d(new_days, days)
    pairs = ((before[c].to_numpy()[i], after[c].to_numpy()[j]) for c in ("close", "adj_close"))
    close, adjusted = (_ratio(*pair) for pair in pairs)
    off = [~(np.abs(ratio - 1) <= TOLERANCE) for ratio in (close, adjusted)]
    named = {
        "closes": (days[off[0]], close[off[0]]),
        "adjusted_closes": (days[off[1]], adjusted[off[1]]),
        "vanished": (vanished, np.ones(0)),
        "appeared": (added, np.ones(0)),
    }
    if not any(len(dates) for dates, _ in named.values()):
        return Change("same")
    volumes = before["volume"].to_numpy()[i], after["volume"].to_numpy()[j]
    split, dividend = _step(close), _step(adjusted / close)
    if len(vanished) or len(added) or split is None or dividend is None or dividend[0] > 1:
        return _described("revision", named)
    is_rebase = split[1] == 0 or _is_split(*split, days, volumes, old, new)
    return _described("rebase" if is_rebase else "revision", named)


def _priced(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows[["close", "adj_close"]].notna().any(axis=1)]


def _ratio(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return after / before; 1 where both are missing, NaN where one is."""
    return np.where(np.isnan(before) & np.isnan(after), 1.0, after / before)


def _step(ratio: FloatArray) -> tuple[float, int] | None:
    """Return (level, count) if `ratio` is `level` on the first `count` days, then 1."""
    count = int((~(np.abs(ratio - 1) <= TOLERANCE)).sum())
    if count == 0:
        return 1.0, 0
    level = float(np.median(ratio[:count]))
    constant = np.abs(ratio[:count] / level - 1) <= TOLERANCE
    return (level, count) if constant.all() and abs(level - 1) > TOLERANCE else None


def _is_split(
    ratio: float,
    count: int,
    days: np.ndarray,
    volumes: tuple[FloatArray, FloatArray],
    old: Held,
    new: Held,
) -> bool:
    """Return whether a split explains closes times `ratio` on the first `count` days."""
    ex = str(days[count - 1].astype("datetime64[D]"))
    added = set(new.actions) - set(old.actions)
    splits = [action.value for action in added if action.kind == "split" and action.date > ex]
    if splits and abs(float(np.prod(splits)) * ratio - 1) <= TOLERANCE:
        return True
    inverse = max(ratio, 1 / ratio)
    nearest = Fraction(inverse).limit_denominator(LARGEST_SPLIT)
    before, after = volumes[0][:count], volumes[1][:count]
    traded = (before > 0) & (after > 0)
    follows = np.isclose(after[traded] * ratio, before[traded], rtol=1e-3, atol=max(1.0, ratio))
    return abs(float(nearest) / inverse - 1) <= TOLERANCE and bool(traded.any() and follows.all())


def _described(outcome: Outcome, named: dict[str, tuple[np.ndarray, FloatArray]]) -> Change:
    texts = []
    for code, (days, ratio) in named.items():
        if len(days):
            sizes = np.abs(ratio - 1)
            size = float(np.nanmax(sizes)) if np.isfinite(sizes).any() else 0.0
            extent = say("price_cache.extent", span=_span(days), size=size) if size else _span(days)
            texts.append(say(f"price_cache.{code}", n=len(days), extent=extent))
    return Change(outcome, ", ".join(texts))


def _span(days: np.ndarray) -> str:
    first, last = (str(day.astype("datetime64[D]")) for day in (days[0], days[-1]))
    return first if first == last else f"{first} to {last}"


def _appended(old: Held, new: Held) -> Merged:
    """Return `old` with the rows of `new` before its first and after its last price."""
    actions = tuple(sorted({*old.actions, *new.actions}))
    last = _priced(old.rows)["date"].iloc[-1]
    head = new.rows[new.rows["date"] < old.rows["date"].iloc[0]]
    tail = new.rows[new.rows["date"] > last]
    tail = tail if len(_priced(tail)) else tail[tail["date"] > old.rows["date"].iloc[-1]]
    if head.empty and tail.empty:
        coverage = _coverage(old, new)
        same = replace(old, coverage=coverage, actions=actions)
        return Merged("same", same, changed=coverage != old.coverage)
    replaces = len(tail) > 0 and bool(tail["date"].iloc[0] <= old.rows["date"].iloc[-1])
    before = old.rows[old.rows["date"] <= last] if replaces else old.rows
    rows = pd.concat([head, before, tail], ignore_index=True)
    note = _joined([old.provenance.note, new.provenance.note])
    held = _both(old, new, rows, actions, note)
    return Merged("append", held, replaces=replaces, note=f"{len(head) + len(tail)} rows")


def _overlaid(old: Held, new: Held) -> Merged:
    """Return `old` with every value of `new`, whose closes agree, in its place."""
    above, below = (held.rows.set_index("date")[[*NUMBER_COLUMNS]] for held in (new, old))
    rows = above.combine_first(below)[[*NUMBER_COLUMNS]].reset_index()
    rows.insert(0, "symbol", old.symbol)
    rows = rows.astype({"symbol": "str", "date": DATE_DTYPE})
    first, last = old.rows["date"].iloc[[0, -1]]
    changed = _changed(old.rows, rows[rows["date"].between(first, last)])
    held = _both(old, new, rows, old.actions, new.provenance.note)
    changes = []
    if len(changed):
        changes.append(say("price_cache.values", n=len(changed), extent=_span(changed)))
    if held.provenance.currency != old.provenance.currency:
        changes.append(say("price_cache.currency", currency=held.provenance.currency))
    if not changes:
        return _appended(old, new)
    return _revised(old, held, ", ".join(changes), replaces=len(changed) > 0)


def _both(old: Held, new: Held, rows: pd.DataFrame, actions: tuple[Action, ...], note: str) -> Held:
    """Return `rows` of both fetches with the provenance of the newer one."""
    currency = new.provenance.currency or old.provenance.currency
    provenance = stamp(replace(new.provenance, note=note, currency=currency), rows)
    fetched_at = max(old.fetched_at, new.fetched_at)
    return Held(old.symbol, rows, provenance, actions, _coverage(old, new), fetched_at)


def _coverage(old: Held, new: Held) -> tuple[str, str]:
    firsts, lasts = zip(old.coverage, new.coverage, strict=True)
    return min(firsts), max(lasts)


def _changed(old: pd.DataFrame, new: pd.DataFrame) -> np.ndarray:
    """Return the days on which rows differ in a value, or that only `old` or `new` has."""
    before, after = matrix_of(old), matrix_of(new)
    _, i, j = np.intersect1d(before[0], after[0], return_indices=True)
    equal = (before[:, i] == after[:, j]) | (np.isnan(before[:, i]) & np.isnan(after[:, j]))
    days = np.concatenate([np.setxor1d(before[0], after[0]), before[0, i][~equal.all(axis=0)]])
    return np.sort(days).astype("int64").astype("datetime64[D]")


def _joined(notes: Iterable[str]) -> str:
    """Return notes as one text, each clause once."""
    clauses = (clause for note in notes for clause in note.split("; "))
    return "; ".join(dict.fromkeys(filter(None, clauses)))
