"""Randomisation inference: the whole study again on dates without events, and on firms without
events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ..calendars.window import Window
from ..errors import ConfigError
from ..fitting.config import FEWEST_PLACEBOS
from ..fitting.series_rows import Layout, rows_of
from ..returns.benchmarks import PEERS, members
from ..significance import STATISTICS
from ..utility.numbers import p_is
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray
from ..windows.event_windows import EventWindows

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

# A placebo whose sample is much smaller than the study's has another distribution.
MIN_SHARE = 0.8
WEEK = 7
# |T*| that equals |T| but for rounding counts as at least as large.
EQUAL = 1e-9


@dataclass(frozen=True)
class Placebo:
    """Rank of the study among placebo studies.

    Attributes
    ----------
    kind : {"dates", "firms"}
    test, window : str, Window
        The statistic that was compared, and over which window.
    n_events : int
    statistic, pvalue : float
        p = (1 + #{|T*| >= |T|}) / (1 + draws); NaN with a `reason`.
    draws : DataFrame
        One row a placebo study: what was moved (``shift`` in sessions or weeks, or ``draw``),
        n_events, mean CAR, statistic.
    reason : str
        Why there is no p-value; "" otherwise.
    """

    kind: Literal["dates", "firms"]
    test: str
    window: Window
    n_events: int
    statistic: float
    pvalue: float
    draws: pd.DataFrame
    reason: str = ""

    def __str__(self) -> str:
        head = f"Placebo {self.kind}, {self.test} over {self.window}: "
        if self.reason:
            return head + self.reason
        return (
            head
            + f"statistic {self.statistic:.3f}, {p_is(self.pvalue, 4)} among {len(self.draws)} "
            "placebos"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def placebo_dates(
    results: FittedStudy, window: WindowLike, *, test: str = "bmp", draws: int | None = None
) -> Placebo:
    """Compare the study with itself on dates without events.

    All events are moved by one common shift, so that spacing and correlation stay; the model is
    estimated anew for each. Shifts are whole sessions, or whole weeks where events are on several
    calendars, whose holidays differ. An event leaves a placebo whose windows touch an event window
    of the same firm, or that has less than 80 % of its estimation days; a placebo that keeps less
    than 80 % of the events is no draw. Of more shifts than `draws` evenly spaced ones are taken:
    nothing is random.

    Parameters
    ----------
    results : FittedStudy
    window : window
    test : str
        Statistic that is compared; mean CAR or mean SCAR reject too often when the event raises
        variance.
    draws : int, optional
        At most this many; by default ``conventions.draws``.

    Returns
    -------
    Placebo
        With a reason in place of a p-value if the prices reach too few other dates (fewer than 39).
    """
    layout, window = _layout(results), Window.of(window)
    most = results.abnormal.conventions.draws if draws is None else draws
    shifts = _shifts(results, layout)
    found: list[tuple[int, int, float, float]] = []
    for shift, day0 in shifts:
        if len(found) >= most:
            break
        row = _study(results, layout, day0, window, test)
        if row is not None:
            found.append((shift, *row))
    return _compared(results, "dates", test, window, found, "shift")


def placebo_firms(
    results: FittedStudy,
    window: WindowLike,
    *,
    peers: str = PEERS,
    test: str = "bmp",
    draws: int | None = None,
) -> Placebo:
    """Compare the study with the same announcements made about other firms, on the same days.

    Each draw gives every announcement to a firm drawn from the firm that it was about and its
    peers, and those of other announcements of the date with the same peers; none twice on one date
    where there are enough. If nothing happened all draws are alike, so that p is exact however few
    the peers are: samples of peers alone share most of their firms, and the treated are outside
    them more often than p says. Firms of the list of events are no peers. It is the only answer to
    a shock that hit the whole market, or the whole industry, on the day.

    Parameters
    ----------
    results : FittedStudy
    window : window
    peers : str
        Column of the events with peers of each firm, ``A;B;C``; their prices must be in the panel.
    test : str
    draws : int, optional
        By default ``conventions.draws``; seeded by ``conventions.seed``.

    Raises
    ------
    ConfigError
        If there is no such column.

    Notes
    -----
    Source: Fisher (1935), chapter 2: the randomisation test.
    """
    layout, window = _layout(results), Window.of(window)
    if peers not in results.events:
        raise ConfigError(
            "the events have no column of peers", value=peers, remedy="add one with tickers: A;B;C"
        )
    pools = _pools(results, layout, peers)
    lacking = int(sum(len(pool) == 0 for pool, ok in zip(pools, results.ok, strict=True) if ok))
    conventions = results.abnormal.conventions
    rng = np.random.default_rng(conventions.seed)
    found, samples = [], set()
    if lacking <= (1 - MIN_SHARE) * len(results):
        day0 = _dates(results.events["day0"])
        blocks = _blocks(pools, layout.rows, day0, results.abnormal.valid(window))
        for draw in range(conventions.draws if draws is None else draws):
            rows = _drawn(blocks, day0, rng)
            row = _study(results, replace(layout, rows=rows), day0, window, test, elsewhere=True)
            if row is not None:
                found.append((draw, *row))
                samples.add(tuple(tuple(sorted(rows[events])) for events, _ in blocks))
    placebo = _compared(results, "firms", test, window, found, "draw", different=len(samples))
    if lacking and placebo.reason:
        return replace(
            placebo, reason=f"{lacking} events have no untreated peer with prices; {placebo.reason}"
        )
    return placebo


def _layout(results: FittedStudy) -> Layout:
    if results.layout is None:
        raise ConfigError("these results do not know where their returns came from")
    return results.layout


def _dates(days: pd.Series[pd.Timestamp]) -> DateArray:
    return days.to_numpy().astype("datetime64[D]")


def _study(
    results: FittedStudy,
    layout: Layout,
    day0: DateArray,
    window: Window,
    test: str,
    *,
    elsewhere: bool = False,
) -> tuple[int, float, float] | None:
    """Return N, mean CAR and statistic of the study around `day0`; None if unusable.

    Events that touch an own event are left out, unless the returns are those of firms `elsewhere`.
    """
    windows = layout.around(day0, estimation=results.abnormal.windows.estimation, event=window)
    abnormal = results.model.fit(
        windows, engine="batch" if results.model.cov_type == "nonrobust" else "statsmodels"
    )
    abnormal = replace(abnormal, conventions=results.abnormal.conventions)
    # A variance from few days is not the one that the study has.
    whole = abnormal.nobs >= MIN_SHARE * results.abnormal.nobs
    keep = results.abnormal.valid(window) & whole & abnormal.valid(window)
    if not elsewhere:
        keep &= ~_touching(results, windows)
    if keep.sum() < MIN_SHARE * results.abnormal.valid(window).sum():
        return None
    value = STATISTICS[test](abnormal.take(keep), window)
    return (
        (value.n_events, value.estimate, value.statistic) if np.isfinite(value.statistic) else None
    )


def _compared(
    results: FittedStudy,
    kind: Literal["dates", "firms"],
    test: str,
    window: Window,
    found: list[tuple[int, int, float, float]],
    what: str,
    different: int | None = None,
) -> Placebo:
    """Return the rank of the study among what was found, of which so many are `different`, by
    default all."""
    different = len(found) if different is None else different
    # Placebo windows end where they end, limit or not.
    own = STATISTICS[test](results.abnormal.unextended, window)
    table = pd.DataFrame(found, columns=[what, "n_events", "mean_car", "statistic"])
    reason = own.reason if np.isnan(own.statistic) else ""
    if not reason and different < FEWEST_PLACEBOS:
        more = "prices must reach further back" if kind == "dates" else "give more peers"
        one, several = (
            ("date", "dates") if kind == "dates" else ("sample of firms", "samples of firms")
        )
        which = (
            f"{'placebo' if kind == 'dates' else 'different'} {one if different == 1 else several}"
        )
        which += f" {'is' if different == 1 else 'are'} possible"
        reason = (
            f"only {different} {which}, at least {FEWEST_PLACEBOS} are needed for a p-value: {more}"
        )
    p = np.nan
    if not reason:
        p = float(rank_pvalue(own.statistic, table["statistic"].to_numpy()))
    return Placebo(kind, test, window, own.n_events, own.statistic, p, table, reason)


def rank_pvalue(statistic: float, draws: FloatArray) -> float:
    """Return (1 + #{|T*| >= |T|}) / (1 + n) of draws (n,)."""
    reached = np.abs(draws) >= np.abs(statistic) - EQUAL
    return float((1 + reached.sum()) / (1 + len(draws)))


def _shifts(results: FittedStudy, layout: Layout) -> Iterator[tuple[int, DateArray]]:
    """Yield shifts and the days 0 that they lead to, spread over all that the sessions allow.

    A shift moves every event by at least the length of the event window.
    """
    day0 = _dates(results.events["day0"])
    least = len(results.abnormal.event)
    panel, used = layout.panel, results.ok
    if not used.any():
        return
    names = {c for c, ok in zip(layout.calendars, used, strict=True) if ok}
    if len(names) == 1:
        sessions = panel.sessions[panel.calendars[names.pop()]]
        at = np.searchsorted(sessions, day0)
        inside = np.flatnonzero(used)
        low, high = -int(at[inside].min()), len(sessions) - 1 - int(at[inside].max())
        for shift in _spread(low, high, least):
            yield shift, sessions[np.clip(at + shift, 0, len(sessions) - 1)]
        return
    first, last = panel.sessions[0], panel.sessions[-1]
    days = day0[used]
    low, high = (
        int((first - days.min()).astype(int) // WEEK),
        int((last - days.max()).astype(int) // WEEK),
    )
    for shift in _spread(low, high, -(-least // 5)):
        moved = day0 + np.timedelta64(WEEK * shift, "D")
        yield shift, panel.sessions_of(layout.calendars, moved)


def _spread(low: int, high: int, least: int) -> Iterable[int]:
    """Return all shifts from low to high of at least `least`; any beginning of them is spread
    out."""
    shifts = np.array([s for s in range(low, high + 1) if abs(s) >= least], dtype=np.int64)
    # The golden ratio's multiples fill an interval evenly however many are taken.
    order = np.argsort((np.arange(len(shifts)) * 0.6180339887498949) % 1.0, kind="stable")
    return [int(s) for s in shifts[order]]


def _touching(results: FittedStudy, moved: EventWindows) -> BoolArray:
    """Tell which moved windows touch an event window of the same firm, shape (n,)."""
    event = results.abnormal.windows.event_positions
    firms = results.events["ticker"].to_numpy()
    same = np.equal.outer(firms, firms)
    (first, last), (begin, end) = _ends(moved.positions), _ends(event)
    meets = np.less_equal.outer(first, end) & np.greater_equal.outer(last, begin)
    touching: BoolArray = (same & meets).any(axis=1)
    return touching


def _ends(positions: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and the last session of each event, of the sessions that the panel has, each
    (n,)."""
    known = positions >= 0
    far = np.iinfo(np.int64).max
    return np.where(known, positions, far).min(axis=1), np.where(known, positions, -1).max(axis=1)


def _pools(results: FittedStudy, layout: Layout, column: str) -> list[IntArray]:
    """Return the rows of each event's peers in the panel."""
    treated = set(results.events["ticker"])
    pools = []
    for text, calendar in zip(results.events[column], layout.calendars, strict=True):
        names = members(str(text), treated)
        rows = rows_of(layout.panel, names, [calendar] * len(names))
        pools.append(rows[rows >= 0])
    return pools


def _blocks(
    pools: list[IntArray], own: IntArray, day0: DateArray, used: BoolArray
) -> list[tuple[IntArray, IntArray]]:
    """Return the events that share date and peers, with the rows of these peers and of their own
    firms."""
    found: dict[tuple[np.datetime64, tuple[int, ...]], list[int]] = {}
    for i, pool in enumerate(pools):
        if len(pool) and used[i]:
            found.setdefault((day0[i], tuple(np.unique(pool).tolist())), []).append(i)
    return [
        (np.array(events), np.union1d(np.array(peers), own[events]))
        for (_, peers), events in found.items()
    ]


def _drawn(
    blocks: list[tuple[IntArray, IntArray]], day0: DateArray, rng: np.random.Generator
) -> IntArray:
    """Return the row of a firm for each event, shape (n,); none twice on a date unless there are
    too few."""
    taken: dict[np.datetime64, set[int]] = {}
    rows = np.full(len(day0), -1, dtype=np.int64)
    for at in rng.permutation(len(blocks)):
        events, firms = blocks[at]
        gone = taken.setdefault(day0[events[0]], set())
        free = np.array([row for row in firms if row not in gone], dtype=np.int64)
        free = free if len(free) >= len(events) else firms
        rows[events] = rng.choice(free, len(events), replace=False)
        gone.update(rows[events].tolist())
    return rows
