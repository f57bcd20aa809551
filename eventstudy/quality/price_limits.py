"""Daily price limits: the closes that were as far from the last one as an exchange allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..calendars import bundled_rows
from ..utility import BoolArray, DateArray, FloatArray, IntArray

# (price from which it holds, tick)
Ticks = tuple[tuple[float, float], ...]
CENT: Ticks = ((0, 0.01),)


@dataclass(frozen=True, slots=True)
class LimitRule:
    """What a board allows a close to move from the last one, from one day on.

    Attributes
    ----------
    board : str
        Rules of one board follow each other in time.
    symbols : str
        Regular expression that the whole symbol matches.
    since : str
        First day, YYYY-MM-DD. Before its first rule a board has no known limit.
    percent : float
        Largest move as a share: 0.1. The smallest of them where there are several; not used where
        there are amounts.
    free : int
        Sessions after the listing that have no limit; the first session of all is one of them.
    st : bool
        Whether the rule is for shares under special treatment (ST, *ST).
    ticks : tuple of (price, tick)
        Steps of the price: the tick from each price on; () = not known, so that returns decide.
    inward : bool
        Whether limit prices are rounded towards the last close; otherwise half up.
    amounts : tuple of (price, amount)
        Largest move in the currency of the price, from each last close on; () = a share of it.
    widened : bool
        Whether the exchange widens the limit of a share on some days: then no close is beyond it.
    strict : bool
        Whether a close beyond the limit is proof of a fault, as far as closes are on the tick.
    shares : tuple of (price, share)
        Largest move as a share, from each last close on; a lower close has no known limit. () =
        `percent` at each price.
    fall : float, optional
        Largest fall as a share where it differs from the largest rise; NaN = not known.
    exchanges : str
        Codes of the exchanges, whose indices and funds move no further than the first board here.
    """

    board: str
    symbols: str
    since: str
    percent: float
    free: int = 0
    st: bool = False
    ticks: Ticks = CENT
    inward: bool = False
    amounts: Ticks = ()
    widened: bool = False
    strict: bool = False
    shares: Ticks = ()
    fall: float | None = None
    exchanges: str = ""

    # A row a rule of data/price_limits.csv, with its source; ticks are 0.01 where none are given.
    # The first match decides on the board. Of what is not there no limit is known, unless its
    # closes show one (`find_piles`).
    ALL: ClassVar[tuple[LimitRule, ...]] = ()

    @classmethod
    def of(
        cls, symbol: str, rules: Sequence[LimitRule] | None = None, *, st: bool = False
    ) -> tuple[LimitRule, ...]:
        """Return the rules of the first board that a symbol matches, in order of time.

        Parameters
        ----------
        symbol : str
        rules : sequence of LimitRule, optional
            Default `ALL`.
        st : bool
            Whether the share is under special treatment (ST, *ST).

        Returns
        -------
        tuple of LimitRule
            Empty where no limit is known.
        """
        matches = [
            rule
            for rule in (cls.ALL if rules is None else rules)
            if (st or not rule.st) and re.fullmatch(rule.symbols, symbol)
        ]
        board = [rule for rule in matches if rule.board == matches[0].board]
        return tuple(sorted(board, key=lambda rule: rule.since))

    @classmethod
    def largest_move(cls, symbol: str, exchange: str, day: np.datetime64 | str) -> float | None:
        """Return the largest move of a symbol in one session as a share, or None where not known.

        An index or a fund moves no further than the shares of its exchange: a symbol without a
        board of its own has the limit of the first board of `exchange`.

        Parameters
        ----------
        symbol, exchange : str
            Symbol of Yahoo; code of an exchange, such as ``"XTAI"``.
        day : datetime64 or str

        Returns
        -------
        float or None
            None is not known, which is not "none"; also where the limit depends on the price, or
            differs for rises and falls.

        Examples
        --------
        >>> LimitRule.largest_move("2330.TW", "XTAI", "2025-04-07")
        0.1
        >>> LimitRule.largest_move("^TWII", "XTAI", "2015-05-29")
        0.07
        >>> LimitRule.largest_move("HSBA.L", "XLON", "2025-04-07") is None
        True
        """
        board = cls.of(symbol)
        if not board:
            market = [rule for rule in cls.ALL if exchange in rule.exchanges.split()]
            of_exchange = [rule for rule in market if not rule.st]
            board = tuple(rule for rule in of_exchange if rule.board == of_exchange[0].board)
        in_force = [rule for rule in board if np.datetime64(rule.since) <= np.datetime64(day)]
        if not in_force:
            return None
        rule = max(in_force, key=lambda rule: rule.since)
        depends = len(rule.shares) > 1 or rule.amounts or rule.fall is not None
        return None if depends else rule.percent

    def share(self, last: FloatArray, sign: FloatArray) -> FloatArray:
        """Return the largest move from each last close as a share of it; NaN where not known.

        Parameters
        ----------
        last : (n,) float array
        sign : (n,) float array
            -1 for a fall, 1 for a rise.
        """
        if self.amounts:
            return tick_of(last, self.amounts) / last
        share = np.full(len(last), self.percent)
        if self.shares:
            share = np.where(last >= self.shares[0][0], tick_of(last, self.shares), np.nan)
        return share if self.fall is None else np.where(sign < 0, self.fall, share)


def _steps(cell: str) -> Ticks:
    """Return the steps of a cell such as ``0:0.01 10:0.05``."""
    pairs = (step.split(":") for step in cell.split())
    return tuple((float(price), float(step)) for price, step in pairs)


def _rule(row: dict[str, str]) -> LimitRule:
    flags: Any = {name: row[name] == "yes" for name in ("st", "inward", "widened", "strict")}
    ticks = () if row["ticks"] == "?" else _steps(row["ticks"]) or CENT
    shares = _steps(row["limit"]) if ":" in row["limit"] else ()
    percents = [share for _, share in shares] or [float(row["limit"])]
    fall = None
    if row["fall"]:
        fall = np.nan if row["fall"] == "?" else float(row["fall"])
        percents += [fall] * bool(np.isfinite(fall))
    names = row["board"], row["symbols"], row["since"]
    return LimitRule(
        *names, min(percents), int(row["free"]), ticks=ticks, amounts=_steps(row["amounts"]),
        shares=shares, fall=fall, exchanges=row["exchanges"], **flags,
    )  # fmt: skip


LimitRule.ALL = tuple(map(_rule, bundled_rows("price_limits.csv")))
# A move of an adjusted price is at the limit within half a tick, or these bounds of half a tick.
NARROWEST, WIDEST = 0.0006, 0.006
# Closes pile up at a whole percentage from LEAST on if so many lie within PILE below it, and so few
# as far below that, that chance does it with a probability below SURE, FEWEST at least.
LEAST, PILE, SURE, FEWEST = 0.05, 0.003, 1e-6, 7


@dataclass(frozen=True, eq=False, slots=True)
class LimitDays:
    """What price limits did to one symbol on each of its T rows.

    Attributes
    ----------
    state : (T,) int array
        +1 or -1: closed at the upper or lower limit; +2 or -2: traded at no other price; 0:
        neither.
    approx : (T,) bool array
        Judged from the return because there is no unadjusted close on the tick.
    beyond : (T,) float array
        The return where the close lies outside the limits, else NaN.
    proven : (T,) bool array
        Whether that is certain: a strict rule, closes on the tick, a trade in the session before
        (never where `unseen` is not known), and not in the first sessions of the data that a
        listing may have free.
    piles : tuple of float
        Limits that the closes show and no rule names, as shares.
    """

    state: IntArray
    approx: BoolArray
    beyond: FloatArray
    proven: BoolArray
    piles: tuple[float, ...] = ()

    @property
    def at_limit(self) -> IntArray:
        """+1 up, -1 down, 0 not at a limit."""
        return np.sign(self.state)


def limit_price(
    last: FloatArray, move: FloatArray | float, ticks: Ticks = CENT, *, inward: bool = False
) -> FloatArray:
    """Return the limit price of each last close on the tick, rounded half up or towards it.

    Parameters
    ----------
    last : (n,) float array
        Last closes in the currency of the prices.
    move : (n,) float array or float
        Largest move as a share, with its sign: -0.1.
    ticks : tuple of (price, tick)
    inward : bool
        Round towards `last`.

    Returns
    -------
    (n,) float array

    Notes
    -----
    .. math:: P^L_t = \\mathrm{round}(P_{t-1} (1 + m))

    on the tick of the unrounded limit price. Closes that a source keeps in single precision are
    brought back onto the tick first.
    """
    step = tick_of(last, ticks)
    target = np.round(last / step) * step * (1 + np.asarray(move))
    step = tick_of(target, ticks)
    steps = target / step
    if inward:
        rounded = np.where(np.asarray(move) > 0, np.floor(steps + 1e-6), np.ceil(steps - 1e-6))
    else:
        rounded = np.floor(steps + 0.5 + 1e-6)
    return np.asarray(rounded * step, dtype=float)


def tick_of(price: FloatArray, ticks: Ticks = CENT) -> FloatArray:
    """Return the tick at each price.

    Parameters
    ----------
    price : (n,) float array
    ticks : tuple of (price, tick)

    Returns
    -------
    (n,) float array
    """
    starts, steps = np.array(ticks, dtype=float).T
    at = np.searchsorted(starts, np.asarray(price) + 1e-9, side="right") - 1
    return np.asarray(steps[np.maximum(at, 0)], dtype=float)


def daily_limits(
    dates: DateArray, close: FloatArray, rules: Sequence[LimitRule], *,
    adjusted: FloatArray | None = None,
    ohl: tuple[FloatArray, FloatArray, FloatArray] | None = None, unseen: BoolArray | None = None,
    listed: bool = False,
) -> LimitDays:  # fmt: skip
    """Return on which days one symbol closed at a price limit.

    The limit price is last close x (1 +- percent) on the tick. On a day that the adjustment of
    prices changes, the last close is that without the dividend. Where closes are not on the tick,
    because they are adjusted or because it is such a day, the return decides: abs(R) within half a
    tick of percent.

    Parameters
    ----------
    dates, close : (T,) arrays
        Closes before adjustment; NaN = no trade, which the limit of the next day is not counted
        from.
    rules : sequence of LimitRule
        Of the symbol's board, in order of time.
    adjusted : (T,) float array, optional
    ohl : three (T,) float arrays, optional
        Open, high and low; without them no day is known to be locked.
    unseen : (T,) bool array, optional
        Whether the source has left out sessions before a row. Then no close is beyond the limit.
    listed : bool
        Whether the first row is the first session after the listing.

    Returns
    -------
    LimitDays
        All zero, and NaN, where there are fewer than two closes. On days without a rule it has the
        limits that the closes show (`find_piles`).
    """
    n = len(dates)
    state = np.zeros(n, np.int64)
    approx = np.zeros(n, bool)
    beyond = np.full(n, np.nan)
    proven = np.zeros(n, bool)
    result = LimitDays(state, approx, beyond, proven)
    traded = np.flatnonzero((close > 0) & (close < np.inf))
    if len(traded) < 2:
        return result
    last = traded[:-1]
    now = traded[1:]
    reference = close[last]
    unadjusted = np.ones(len(now), dtype=bool)
    if adjusted is not None:
        change = (adjusted[last] / close[last]) / (adjusted[now] / close[now])
        unadjusted = ~(np.abs(change - 1) > 1e-4)
        reference = np.where(unadjusted, reference, reference * change)
    moves = close[now] / reference - 1
    least = min([r.percent for r in rules], default=np.inf)
    near = np.flatnonzero(np.abs(moves) > least - WIDEST)
    starts = np.array([r.since for r in rules], dtype="datetime64[D]")
    in_force = np.searchsorted(starts, dates[now[near]], side="right") - 1
    for k in np.unique(in_force[in_force >= 0]):
        rule = rules[k]
        at = near[in_force == k]
        at = at[at + 1 >= rule.free] if listed else at
        row = now[at]
        ref = reference[at]
        move = moves[at]
        price = close[now[at]]
        share = rule.share(ref, np.sign(move))
        # Where ticks are not known no close is on them.
        limit = np.full(len(ref), np.nan)
        step = PILE * ref
        exact = np.zeros(len(ref), dtype=bool)
        if rule.ticks:
            limit = limit_price(ref, np.sign(move) * share, rule.ticks, inward=rule.inward)
            step = tick_of(limit, rule.ticks)
            exact = unadjusted[at] & _on_tick(price, rule.ticks) & _on_tick(ref, rule.ticks)
            # Some adjusted closes lie on the tick by chance.
            exact &= _on_tick(close[traded], rule.ticks).mean() >= 0.5
        wide = np.clip((1.0 if rule.inward else 0.55) * step / ref, NARROWEST, WIDEST)
        excess = np.abs(move) - share
        hit = np.where(exact, np.abs(price - limit) < 0.3 * step, np.abs(excess) <= wide)
        over = np.where(exact, np.sign(move) * (price - limit) > 0.7 * step, excess > wide)
        over &= not rule.widened
        state[row] = np.sign(move).astype(np.int64) * hit * (1 + _one_price(row, price, ohl))
        approx[row] = hit & ~exact
        if unseen is not None:
            over &= ~unseen[row]
            proven[row] = over & exact & (row - last[at] == 1) & (row >= rule.free) & rule.strict
        beyond[row] = np.where(over, move, np.nan)
    is_seen = now - last == 1
    if unseen is not None:
        is_seen &= ~unseen[now]
    if rules:
        is_seen &= dates[now] < starts[0]
    at, limits = find_piles(np.where(is_seen, moves, 0.0))
    if not len(at):
        return result
    row = now[at]
    if ohl is not None:
        # A close at its limit is the highest or the lowest price of its day.
        edge = np.where(moves[at] > 0, ohl[1][row], ohl[2][row])
        is_edge = ~(np.abs(close[row] / edge - 1) > NARROWEST)
        at = at[is_edge]
        row = row[is_edge]
        limits = limits[is_edge]
    state[row] = np.sign(moves[at]).astype(np.int64) * (1 + _one_price(row, close[row], ohl))
    approx[row] = True
    return replace(result, piles=tuple(np.unique(limits).tolist()))


def limits_of_returns(
    dates: DateArray, returns: FloatArray, rules: Sequence[LimitRule]
) -> IntArray:
    """Return the days on which returns lie at a price limit: +1 up, -1 down, 0 neither.

    Parameters
    ----------
    dates : (T,) datetime64 array
    returns : (T,) float array
        Simple returns, each of one session that had a trade.
    rules : sequence of LimitRule
        Of the symbol's board, in order of time. If one depends on the price, no limit is known.
    """
    if any(rule.amounts or rule.shares for rule in rules):
        return np.zeros(len(returns), np.int64)
    days = np.concatenate([dates[:1] - np.timedelta64(1, "D"), dates])
    # Any price will do: without ticks the return alone decides.
    close = np.cumprod(np.concatenate([[1.0], 1.0 + returns]))
    found = daily_limits(days, close, [replace(rule, ticks=()) for rule in rules])
    return found.at_limit[1:]


def find_piles(moves: FloatArray) -> tuple[IntArray, FloatArray]:
    r"""Return the moves that lie at a price limit which the moves themselves show, and the limits.

    Parameters
    ----------
    moves : (n,) float array
        Moves of one session each, in order of time; 0 where there is none to be looked at.

    Returns
    -------
    at : (k,) int array
        Positions of the moves at a limit.
    limits : (k,) float array
        As shares.

    Notes
    -----
    A limit cuts the moves off: they pile up at it, and none is beyond. Of the moves as large as a
    whole percentage or larger, n in a row lie at it (up to `PILE` below, rounding above), while b
    lie as far below them in the same time. If densities fall with the size of a move, as without a
    limit, then

    .. math:: P(\text{n in a row}) \le \left(\frac{b + 1}{b + 1 + n}\right)^n

    about, which is to be below `SURE`: 7 moves in a row with none below, 9 with one. Days far apart
    may belong to one run; a limit that was changed is found on either side.
    """
    sizes = np.abs(moves)
    whole = np.ceil(np.round(100 * (sizes - NARROWEST), 9)) / 100
    is_near = (sizes >= whole - PILE) & (whole >= LEAST)
    candidates, counts = np.unique(whole[is_near], return_counts=True)
    at = [np.empty(0, np.int64)]
    limits = [np.empty(0)]
    for limit in candidates[counts >= FEWEST].tolist():
        large = np.flatnonzero(sizes >= limit - PILE)
        is_beyond = sizes[large] > limit + NARROWEST
        edges = np.flatnonzero(np.diff(is_beyond, prepend=True, append=True))
        starts = edges[::2]
        stops = edges[1::2]
        is_long = stops - starts >= FEWEST
        for first, stop in zip(starts[is_long], stops[is_long], strict=True):
            pile = large[first:stop]
            between = sizes[pile[0] : pile[-1]]
            below = np.count_nonzero((between >= limit - 2 * PILE) & (between < limit - PILE)) + 1
            if (below / (below + len(pile))) ** len(pile) < SURE:
                at.append(pile)
                limits.append(np.full(len(pile), limit))
    return np.concatenate(at), np.concatenate(limits)


def _one_price(
    rows: IntArray, close: FloatArray, ohl: tuple[FloatArray, FloatArray, FloatArray] | None
) -> BoolArray:
    if ohl is None:
        return np.zeros(len(rows), dtype=bool)
    equal = [np.isclose(price[rows], close, rtol=1e-5, atol=0.0) for price in ohl]
    return np.asarray(np.all(equal, axis=0))


def _on_tick(price: FloatArray, ticks: Ticks) -> BoolArray:
    """Return which prices lie on the tick, as well as single precision can tell."""
    steps = price / tick_of(price, ticks)
    return np.asarray(np.abs(steps - np.round(steps)) < 2e-4 + 1e-7 * steps)
