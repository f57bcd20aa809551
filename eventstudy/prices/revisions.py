"""Admission of a fetch to the price cache: what a source changed, and what may not be believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ..utility import FloatArray
from ..words import say
from ._base import DATE_DTYPE, NUMBER_COLUMNS, Action, matrix_of, stamp
from ._database import Held

# Yahoo's values are float32: two identical questions differ at the seventh digit.
TOLERANCE = 2e-6
LARGEST_SPLIT = 20
# Returns of two fetches disagree on a day if they differ by more than this share of the median
# move. In recorded downloads of one series at most 2% of days do, in those of two at least 55%.
SHARE_OF_MOVE, SMALLEST_MOVE = 0.25, 5e-4
MOST_UNLIKE, FEWEST_RETURNS = 0.25, 6
CLOSES = ["close", "adj_close"]

Outcome = Literal[
    "new", "same", "append", "rebase", "revision", "source", "apart", "older", "held_back",
    "accepted",
]  # fmt: skip


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
        another); ``held_back`` (the answer cannot be believed); ``accepted`` (it was, by the user).
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

    A day that is stored is never lost, and an answer that cannot be of the same series changes
    nothing.

    Parameters
    ----------
    old : Held or None
        What is stored.
    new : Held
        What was fetched.
    exact : bool
        `new` is what the user gave: it is believed, and where closes agree its values are taken,
        which may differ by a volume, or a digit.

    Returns
    -------
    Merged

    Notes
    -----
    Rows of two adjustments or two sources are never put together. An answer is held back if it is
    in another currency or time zone, ends before the stored prices, has no day in common with them,
    or disagrees in more than `MOST_UNLIKE` of the returns. Splits and dividends, and corrections of
    a few days, change few returns.
    """
    if old is None:
        return Merged("new", new)
    before, after = old.provenance.source, new.provenance.source
    if before != after:
        words = say("price_cache.source", before=before, after=after)
        return Merged("source", new, replaces=True, notice=f"{new.symbol}: {words}", note=words)
    if exact or new.fetched_at < old.fetched_at:
        return _merged(old, new, exact=exact)
    if why := _find_misfit(old, new):
        return Merged("held_back", old, changed=False, note=why)
    lost = _find_lost_days(old, new)
    if not len(lost):
        return _merged(old, new)
    completed = _complete(old, new, lost)
    words = say("price_cache.left_out", n=len(lost), extent=_span(lost))
    if completed is None:
        return Merged("held_back", old, changed=False, note=words)
    merged = _merged(old, completed)
    notice = say("price_cache.kept", symbol=new.symbol, text=words)
    notices = filter(None, [merged.notice, notice])
    return replace(merged, notice="; ".join(notices), note=_joined([merged.note, words]))


def _merged(old: Held, new: Held, *, exact: bool = False) -> Merged:
    """Return `old` after an answer that is believed and lacks no day."""
    change = compare(old, new)
    if change.outcome == "same":
        return _overlaid(old, new) if exact else _appended(old, new)
    if new.fetched_at < old.fetched_at:
        return Merged("older", old, changed=False, note=change.words)
    if change.outcome != "revision":
        return Merged(change.outcome, new, replaces=True, note=change.words)
    return _revised(old, new, change.words)


def _find_misfit(old: Held, new: Held) -> str:
    """Return why an answer cannot be of the series that is stored; "" if it can."""
    stored, answered = old.provenance, new.provenance
    if stored.currency and answered.currency and stored.currency != answered.currency:
        facts = {"new": answered.currency, "old": stored.currency}
        return say("price_cache.other_currency", **facts)
    if stored.timezone and answered.timezone and not _are_equal(stored.timezone, answered.timezone):
        return say("price_cache.other_zone", new=answered.timezone, old=stored.timezone)
    before = _priced(old.rows)
    after = _priced(new.rows)
    if before.empty or after.empty:
        return ""
    last, end = (f"{rows['date'].iloc[-1]:%Y-%m-%d}" for rows in (before, after))
    if end < last and new.covers(last, last):
        return say("price_cache.short", end=end, last=last)
    pairs = before.merge(after, on="date", suffixes=("", "_new"))
    if pairs.empty:
        return say("price_cache.apart")
    for column in CLOSES:
        closes = pairs[[column, f"{column}_new"]].dropna().to_numpy()
        unlike, n = _count_unlike(closes)
        if unlike > max(FEWEST_RETURNS, MOST_UNLIKE * n):
            return say("price_cache.unlike", share=unlike / n, n=n)
    return ""


def _are_equal(first: str, second: str) -> bool:
    """Return whether two time zones have the same clock, in winter and in summer."""
    days = (datetime(2026, 1, 15), datetime(2026, 7, 15))  # noqa: DTZ001 - civil times
    clocks = [[ZoneInfo(zone).utcoffset(day) for day in days] for zone in (first, second)]
    return clocks[0] == clocks[1]


def _count_unlike(closes: FloatArray) -> tuple[int, int]:
    """Return how many returns of two series of closes, shape (n, 2), disagree, and of how many."""
    returns = np.diff(np.log(closes), axis=0)
    if len(returns) == 0:
        return 0, 0
    move = float(np.median(np.abs(returns[:, 0])))
    difference = np.abs(returns[:, 0] - returns[:, 1])
    return int((difference > max(SHARE_OF_MOVE * move, SMALLEST_MOVE)).sum()), len(returns)


def _find_lost_days(old: Held, new: Held) -> np.ndarray:
    """Return the days of `old` for which `new` was asked, and that lack a close that is stored."""
    before, after = _numbers_by_day(old, new)
    is_lost = (before[CLOSES].notna() & after[CLOSES].isna()).any(axis=1)
    return before.index[is_lost].to_numpy()


def _numbers_by_day(old: Held, new: Held) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the numbers of `old` for the range that `new` was asked for, and those of `new`."""
    before, after = (held.rows.set_index("date")[[*NUMBER_COLUMNS]] for held in (old, new))
    before = before.loc[new.coverage[0] : new.coverage[1]]
    return before, after.reindex(before.index)


def _complete(old: Held, new: Held, lost: np.ndarray) -> Held | None:
    """Return `new` with the stored rows of the days that it lacks, on its base.

    None if that base is not known, since closes were changed between the days before and after.
    What was asked counts as asked only as far as there are prices.
    """
    before, after = _numbers_by_day(old, new)
    ratio = after[CLOSES] / before[CLOSES]
    earlier = ratio.ffill()
    later = ratio.bfill()
    earlier, later = earlier.fillna(later).loc[lost], later.fillna(earlier).loc[lost]
    if ((earlier / later - 1).abs() > SMALLEST_MOVE).any(axis=None):
        return None
    rows = before.loc[lost].copy()
    rows["adj_close"] *= earlier["adj_close"].fillna(earlier["close"])
    for column in ("open", "high", "low", "close"):
        rows[column] *= earlier["close"]
    rows["volume"] /= earlier["close"]
    answered = new.rows[~new.rows["date"].isin(lost)].set_index("date")[[*NUMBER_COLUMNS]]
    table = pd.concat([answered, rows]).sort_index().reset_index(names="date")
    table.insert(0, "symbol", new.symbol)
    table = table.astype({"symbol": "str", "date": DATE_DTYPE})
    provenance = stamp(new.provenance, table)
    coverage = max(old.coverage[0], new.coverage[0]), provenance.last
    return replace(new, rows=table, provenance=provenance, coverage=coverage)


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
    before = _priced(old.rows)
    after = _priced(new.rows)
    if before.empty or after.empty:
        return Change("apart", say("price_cache.apart"))
    last = before["date"].iloc[-1]
    before = before[(before["date"] >= new.coverage[0]) & (before["date"] <= new.coverage[1])]
    after = after[(after["date"] >= old.rows["date"].iloc[0]) & (after["date"] <= last)]
    old_days = before["date"].to_numpy()
    new_days = after["date"].to_numpy()
    days, i, j = np.intersect1d(old_days, new_days, return_indices=True)
    if len(before) == len(after) == 0:
        return Change("apart", say("price_cache.apart"))
    vanished = np.setdiff1d(old_days, days)
    added = np.setdiff1d(new_days, days)
    pairs = ((before[c].to_numpy()[i], after[c].to_numpy()[j]) for c in CLOSES)
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
    split = _step(close)
    dividend = _step(adjusted / close)
    if len(vanished) or len(added) or split is None or dividend is None or dividend[0] > 1:
        return _described("revision", named)
    is_rebase = split[1] == 0 or _is_split(*split, days, volumes, old, new)
    return _described("rebase" if is_rebase else "revision", named)


def _priced(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows[CLOSES].notna().any(axis=1)]


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
    ratio: float, count: int, days: np.ndarray, volumes: tuple[FloatArray, FloatArray], old: Held,
    new: Held,
) -> bool:  # fmt: skip
    """Return whether a split explains closes times `ratio` on the first `count` days."""
    ex = str(days[count - 1].astype("datetime64[D]"))
    added = set(new.actions) - set(old.actions)
    splits = [action.value for action in added if action.kind == "split" and action.date > ex]
    if splits and abs(float(np.prod(splits)) * ratio - 1) <= TOLERANCE:
        return True
    inverse = max(ratio, 1 / ratio)
    nearest = Fraction(inverse).limit_denominator(LARGEST_SPLIT)
    before = volumes[0][:count]
    after = volumes[1][:count]
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
        provenance = old.provenance
        if new.coverage[0] <= provenance.first:
            provenance = replace(provenance, retrieved_at=new.provenance.retrieved_at)
        same = replace(old, coverage=coverage, actions=actions, provenance=provenance)
        is_changed = coverage != old.coverage or provenance != old.provenance
        return Merged("same", same, changed=is_changed)
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
    before = matrix_of(old)
    after = matrix_of(new)
    _, i, j = np.intersect1d(before[0], after[0], return_indices=True)
    equal = (before[:, i] == after[:, j]) | (np.isnan(before[:, i]) & np.isnan(after[:, j]))
    days = np.concatenate([np.setxor1d(before[0], after[0]), before[0, i][~equal.all(axis=0)]])
    return np.sort(days).astype("int64").astype("datetime64[D]")


def _joined(notes: Iterable[str]) -> str:
    """Return notes as one text, each clause once."""
    clauses = (clause for note in notes for clause in note.split("; "))
    return "; ".join(dict.fromkeys(filter(None, clauses)))
