"""Randomisation inference: the study repeated on other dates, and on firms without events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError
from ..fitting.config import FEWEST_PLACEBOS
from ..fitting.fitted import FittedStudy, WindowLike
from ..fitting.layout import Layout, rows_of
from ..returns.benchmarks import PEERS, members
from ..significance import STATISTICS, main_test, name_for_role
from ..utility.numbers import p_is
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray
from ..utility.units import Paragraph
from ..windows.event_windows import EventWindows

# The statistic that is compared by default.
TEST = name_for_role("placebo studies")
# A placebo whose sample is much smaller than the study's has another distribution.
MIN_SHARE = 0.8
WEEK = 7
# |T*| that equals |T| but for rounding counts as at least as large.
EQUAL = 1e-9
# Of a draw its name, and events, mean CAR and statistic of its study.
Draw = tuple[int, int, float, float]
DRAWN = {"dates": "shift", "firms": "draw"}
# What there is too little of, by the kind of placebo, and what to do.
SHORTAGE = {
    "dates": ("placebo date{}", "prices must reach further back"),
    "firms": ("different sample{} of firms", "give more peers"),
}


@dataclass(frozen=True)
class Placebo(Paragraph):
    r"""Rank of the study among placebo studies.

    Attributes
    ----------
    kind : {"dates", "firms"}
    test, window : str, Window
        The statistic that was compared, and over which window.
    n_events : int
    statistic, pvalue : float
        p = (1 + #{\|T*\| >= \|T\|}) / (1 + draws); NaN with a `reason`.
    draws : DataFrame
        One row a placebo study: ``shift`` (in sessions or weeks) or ``draw``, n_events, mean CAR,
        statistic.
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
        p = f"{p_is(self.pvalue, 4)} among {len(self.draws)} placebos"
        return f"{head}statistic {self.statistic:.3f}, {p}"


def placebo_dates(
    study: FittedStudy, window: WindowLike, *, test: str | None = None, draws: int | None = None
) -> Placebo:
    """Compare the study with itself on dates without events.

    Parameters
    ----------
    study : FittedStudy
    window : window
    test : str
        Statistic that is compared, by default BMP, of one event its t; mean CAR or mean SCAR
        reject too often when the event raises variance.
    draws : int, optional
        At most this number; by default ``conventions.draws``.

    Returns
    -------
    Placebo
        With a reason in place of a p-value if the prices reach too few other dates (fewer than 39).

    Notes
    -----
    All events are moved by one common shift, so that spacing and correlation stay; the model is
    estimated anew for each. Shifts are full sessions, or full weeks where events are on several
    calendars, whose holidays differ. An event leaves a placebo whose windows touch an event window
    of the same firm, or that has less than 80 % of its estimation days; a placebo that keeps less
    than 80 % of the events is no draw. Of more shifts than `draws` evenly spaced ones are taken:
    nothing is random.

    References
    ----------
    .. [1] Gelbach, J. B., Helland, E. and Klick, J. (2013). Valid inference in single-firm,
       single-event studies. American Law and Economics Review 15, 495-541.
    """
    layout, plan, rows = _layout(study), _Plan.of(study, window, test), list[Draw]()
    max_draws = study.abnormal.conventions.draws if draws is None else draws
    for shift, day0 in _shifts(study, layout):
        if len(rows) >= max_draws:
            break
        if row := _study(plan, layout, day0):
            rows.append((shift, *row))
    return _compared(plan, "dates", rows, len(rows))


def placebo_firms(
    study: FittedStudy,
    window: WindowLike,
    *,
    peers: str = PEERS,
    test: str | None = None,
    draws: int | None = None,
) -> Placebo:
    """Compare the study with the same announcements made about other firms, on the same days.

    Parameters
    ----------
    study : FittedStudy
    window : window
    peers : str
        Column of the events with peers of each firm, ``A;B;C``; their prices must be in the panel.
    test : str
        Statistic that is compared, by default BMP, of one event its t.
    draws : int, optional
        By default ``conventions.draws``; seeded by ``conventions.seed``.

    Returns
    -------
    Placebo

    Raises
    ------
    ConfigError
        If there is no such column.

    Notes
    -----
    Each draw gives every announcement to a firm drawn from the firm that it was about and its
    peers, and those of other announcements of the date with the same peers; none twice on one date
    where there are enough. If nothing happened all draws are alike, so p is exact however small the
    number of peers: samples of peers alone share most of their firms, and the treated are outside
    them more often than p says. Firms of the list of events are no peers. It is the only answer to
    a shock that hit the market, or the industry, on the day.

    References
    ----------
    .. [1] Fisher, R. A. (1935). The Design of Experiments, chapter 2. Oliver and Boyd.
    """
    layout, window = _layout(study), Window.of(window)
    plan = _Plan.of(study, window, test)
    if peers not in study.events:
        remedy = "add one with tickers: A;B;C"
        raise ConfigError("the events have no column of peers", value=peers, remedy=remedy)
    pools = peers_of(study, layout, peers)
    lacking = int(sum(len(pool) == 0 for pool, ok in zip(pools, study.ok, strict=True) if ok))
    conventions = study.abnormal.conventions
    rng = np.random.default_rng(conventions.seed)
    placebos, samples = [], set()
    if lacking <= (1 - MIN_SHARE) * len(study):
        day0 = days_of(study.events["day0"])
        blocks = _blocks(pools, layout.rows, day0, study.abnormal.valid(window))
        for draw in range(conventions.draws if draws is None else draws):
            rows = _drawn(blocks, day0, rng)
            if row := _study(plan, replace(layout, rows=rows), day0, elsewhere=True):
                placebos.append((draw, *row))
                samples.add(tuple(tuple(sorted(rows[events])) for events, _ in blocks))
    placebo = _compared(plan, "firms", placebos, len(samples))
    if not (lacking and placebo.reason):
        return placebo
    reason = f"{lacking} events have no untreated peer with prices; {placebo.reason}"
    return replace(placebo, reason=reason)


class _Plan(NamedTuple):
    """The study, the window and the test of its placebos."""

    study: FittedStudy
    window: Window
    test: str

    @classmethod
    def of(cls, study: FittedStudy, window: WindowLike, test: str | None) -> _Plan:
        window = Window.of(window)
        usual = main_test(1) if study.abnormal.valid(window).sum() == 1 else TEST
        return cls(study, window, test or usual)


def _layout(study: FittedStudy) -> Layout:
    if study.layout is None:
        raise ConfigError("these results do not know where their returns came from")
    return study.layout


def days_of(days: pd.Series[pd.Timestamp]) -> DateArray:
    return days.to_numpy().astype("datetime64[D]")


def _study(
    plan: _Plan, layout: Layout, day0: DateArray, *, elsewhere: bool = False
) -> tuple[int, float, float] | None:
    """Return N, mean CAR and statistic of the study around `day0`; None if unusable.

    Events that touch an event of the study are left out, unless the returns are those of firms
    `elsewhere`.
    """
    study, window, test = plan
    abnormal = fit_around(study, layout, day0, window)
    # A variance from few days is not the one that the study has.
    well_estimated = abnormal.nobs >= MIN_SHARE * study.abnormal.nobs
    keep = study.abnormal.valid(window) & well_estimated & abnormal.valid(window)
    if not elsewhere:
        keep &= ~_touching(study, abnormal.windows)
    if keep.sum() < MIN_SHARE * study.abnormal.valid(window).sum():
        return None
    value = STATISTICS[test](abnormal.take(keep), window)
    if not np.isfinite(value.statistic):
        return None
    return value.n_events, value.estimate, value.statistic


def fit_around(
    study: FittedStudy, layout: Layout, day0: DateArray, window: Window
) -> AbnormalReturns:
    """Return the abnormal returns of a layout of n events around `day0` (n,), as in a study."""
    windows = layout.around(day0, estimation=study.abnormal.windows.estimation, event=window)
    engine: Any = "batch" if study.model.cov_type == "nonrobust" else "statsmodels"
    abnormal = study.model.fit(windows, engine=engine)
    return replace(abnormal, conventions=study.abnormal.conventions)


def _compared(
    plan: _Plan, kind: Literal["dates", "firms"], rows: list[Draw], different: int
) -> Placebo:
    """Return the rank of the study among placebos, `different` of which differ (by default all)."""
    study, window, test = plan
    # Placebo windows end where they end, limit or not.
    observed = STATISTICS[test](study.abnormal.unextended, window)
    table = pd.DataFrame(rows, columns=[DRAWN[kind], "n_events", "mean_car", "statistic"])
    reason = str(observed.reason) if np.isnan(observed.statistic) else ""
    if not reason and different < FEWEST_PLACEBOS:
        noun, remedy = SHORTAGE[kind]
        count = noun.format("s" * (different != 1)) + (" are" if different != 1 else " is")
        least = f"at least {FEWEST_PLACEBOS} are needed for a p-value"
        reason = f"only {different} {count} possible, {least}: {remedy}"
    p = np.nan if reason else rank_pvalue(observed.statistic, table["statistic"].to_numpy())
    return Placebo(kind, test, window, observed.n_events, observed.statistic, p, table, reason)


def rank_pvalue(statistic: float, draws: FloatArray) -> float:
    r"""Return (1 + #{\|T*\| >= \|T\|}) / (1 + n).

    Parameters
    ----------
    statistic : float
    draws : (n,) float array

    Returns
    -------
    float
    """
    reached = np.abs(draws) >= np.abs(statistic) - EQUAL
    return float((1 + reached.sum()) / (1 + len(draws)))


def _shifts(study: FittedStudy, layout: Layout) -> Iterator[tuple[int, DateArray]]:
    """Yield shifts and the days 0 that they lead to, spread over all that the sessions allow.

    A shift moves every event by at least the length of the event window.
    """
    day0 = days_of(study.events["day0"])
    least = len(study.abnormal.event)
    panel, used = layout.panel, study.ok
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
    low = int((first - day0[used].min()).astype(int) // WEEK)
    high = int((last - day0[used].max()).astype(int) // WEEK)
    for shift in _spread(low, high, -(-least // 5)):
        shifted = day0 + np.timedelta64(WEEK * shift, "D")
        yield shift, panel.sessions_of(layout.calendars, shifted)


def _spread(low: int, high: int, least: int) -> Iterable[int]:
    """Return the shifts of at least `least`, in an order whose every beginning is spread out."""
    shifts = np.array([s for s in range(low, high + 1) if abs(s) >= least], dtype=np.int64)
    # The golden ratio's multiples fill an interval evenly however many are taken.
    order = np.argsort((np.arange(len(shifts)) * 0.6180339887498949) % 1.0, kind="stable")
    return [int(s) for s in shifts[order]]


def _touching(study: FittedStudy, shifted: EventWindows) -> BoolArray:
    """Return which shifted windows touch an event window of the same firm, shape (n,)."""
    event = study.abnormal.windows.event_positions
    firms = study.events["ticker"].to_numpy()
    same = np.equal.outer(firms, firms)
    (first, last), (begin, end) = _ends(shifted.positions), _ends(event)
    meets = np.less_equal.outer(first, end) & np.greater_equal.outer(last, begin)
    return np.asarray((same & meets).any(axis=1))


def _ends(positions: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and the last session in the panel of each event, two (n,) arrays."""
    has_session = positions >= 0
    never = np.iinfo(np.int64).max
    first = np.where(has_session, positions, never).min(axis=1)
    return first, np.where(has_session, positions, -1).max(axis=1)


def peers_of(study: FittedStudy, layout: Layout, column: str = PEERS) -> list[IntArray]:
    """Return the rows of each event's peers in the panel."""
    treated = set(study.events["ticker"])
    pools = []
    for text, calendar in zip(study.events[column], layout.calendars, strict=True):
        names = members(str(text), treated)
        rows = rows_of(layout.panel, names, [calendar] * len(names))
        pools.append(rows[rows >= 0])
    return pools


def _blocks(
    pools: list[IntArray], firms: IntArray, day0: DateArray, used: BoolArray
) -> list[tuple[IntArray, IntArray]]:
    """Return the events that share date and peers, with the rows of these peers and their firms."""
    blocks: dict[tuple[np.datetime64, tuple[int, ...]], list[int]] = {}
    for i, pool in enumerate(pools):
        if len(pool) and used[i]:
            blocks.setdefault((day0[i], tuple(np.unique(pool).tolist())), []).append(i)
    groups = [(np.array(events), np.array(peers)) for (_, peers), events in blocks.items()]
    return [(events, np.union1d(peers, firms[events])) for events, peers in groups]


def _drawn(
    blocks: list[tuple[IntArray, IntArray]], day0: DateArray, rng: np.random.Generator
) -> IntArray:
    """Return a row for each event, (n,); none twice on a date unless there are too few."""
    used: dict[np.datetime64, set[int]] = {}
    rows = np.full(len(day0), -1, dtype=np.int64)
    for at in rng.permutation(len(blocks)):
        events, firms = blocks[at]
        gone = used.setdefault(day0[events[0]], set())
        free = np.array([row for row in firms if row not in gone], dtype=np.int64)
        free = free if len(free) >= len(events) else firms
        rows[events] = rng.choice(free, len(events), replace=False)
        gone.update(rows[events].tolist())
    return rows
