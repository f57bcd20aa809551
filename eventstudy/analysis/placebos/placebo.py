"""Randomisation inference: the study repeated on firms without events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns, Conventions
from ...calendars import Window
from ...errors import ConfigError
from ...fitting import FittedStudy, Layout, WindowLike, awaits_days, rows_of
from ...returns import Benchmarks
from ...significance import STATISTICS
from ...utility import BoolArray, DateArray, FloatArray, IntArray
from ...words import Paragraph, Reason, make_error, words
from .shifted_dates import MIN_SHARE, days_of, layout_of

# The statistic that is compared by default.
TEST = STATISTICS.for_role("placebo studies")
# |T*| that equals |T| but for rounding counts as at least as large.
EQUAL = 1e-9


@dataclass(frozen=True)
class Placebo(Paragraph):
    r"""Comparison of a study with placebo studies of other firms on the same dates.

    Attributes
    ----------
    test, window : str, Window
        Name of the test whose statistic was compared, and the window.
    n_events : int
        Number of events in the statistic of the study.
    statistic, pvalue : float
        Statistic T of the study, and p = (1 + k) / (1 + n). Here n is the number of placebo
        studies, and k counts those with a statistic \|T*\| >= \|T\|. The p-value is NaN if `reason`
        is not empty.
    draws : DataFrame
        One row per placebo study: draw (its number), n_events, mean_car and statistic.
    reason : str
        Why there is no p-value; "" if there is one.
    """

    test: str
    window: Window
    n_events: int
    statistic: float
    pvalue: float
    draws: pd.DataFrame
    reason: str = ""

    def __str__(self) -> str:
        head = f"Placebo firms, {self.test} over {self.window}: "
        if self.reason:
            return head + self.reason
        p = f"{words().p_is(self.pvalue, 4)} among {len(self.draws)} placebos"
        return f"{head}statistic {self.statistic:.3f}, {p}"


def placebo_firms(
    study: FittedStudy, window: WindowLike, *, peers: str = Benchmarks.PEERS,
    test: str | None = None, draws: int | None = None,
) -> Placebo:  # fmt: skip
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
    where there are enough. If nothing happened and the firms are alike, so are all draws, and p is
    exact however small the number of peers: samples of peers alone share most of their firms, and
    the treated are outside them more often than p says. Firms of the list of events are no peers.
    It is the only answer to a shock that hit the market, or the industry, on the day.

    References
    ----------
    .. [1] Fisher, R. A. (1935). The Design of Experiments, chapter 2. Oliver and Boyd.
    """
    layout = layout_of(study)
    window = Window.of(window)
    is_single = study.abnormal.valid(window).sum() == 1
    test = test or (STATISTICS.main(1) if is_single else TEST)
    if peers not in study.events:
        raise make_error(ConfigError, "wrong.no_peers", value=peers)
    pools = peers_of(study, layout, peers)
    lacking = int(sum(len(pool) == 0 for pool, ok in zip(pools, study.ok, strict=True) if ok))
    conventions = study.abnormal.conventions
    rng = np.random.default_rng(conventions.seed)
    placebos, samples = [], set()
    if lacking <= (1 - MIN_SHARE) * len(study):
        day0 = days_of(study)
        blocks = _blocks(pools, layout.rows, day0, study.abnormal.valid(window))
        for draw in range(conventions.draws if draws is None else draws):
            rows = _drawn(blocks, day0, rng)
            if row := _study(study, window, test, replace(layout, rows=rows)):
                placebos.append((draw, *row))
                samples.add(tuple(tuple(sorted(rows[events])) for events, _ in blocks))
    # Placebo windows end where they end, limit or not.
    observed = STATISTICS[test](study.abnormal.unextended, window)
    table = pd.DataFrame(placebos, columns=["draw", "n_events", "mean_car", "statistic"])
    reason = str(observed.reason) if np.isnan(observed.statistic) else _shortage(len(samples))
    if awaits_days(study, window):
        reason = str(Reason("days_to_come"))
    p = np.nan if reason else rank_pvalue(observed.statistic, table["statistic"].to_numpy())
    if lacking and reason:
        reason = f"{lacking} events have no untreated peer with prices; {reason}"
    return Placebo(test, window, observed.n_events, observed.statistic, p, table, reason)


def _study(
    study: FittedStudy, window: Window, test: str, layout: Layout
) -> tuple[int, float, float] | None:
    """Return N, mean CAR and statistic of the study with other firms; None if unusable."""
    abnormal = fit_around(study, layout, days_of(study), window)
    # A variance from few days is not the one that the study has.
    well_estimated = abnormal.nobs >= MIN_SHARE * study.abnormal.nobs
    keep = study.abnormal.valid(window) & well_estimated & abnormal.valid(window)
    if keep.sum() < MIN_SHARE * study.abnormal.valid(window).sum():
        return None
    value = STATISTICS[test](abnormal.take(keep), window)
    if not np.isfinite(value.statistic):
        return None
    return value.n_events, value.estimate, value.statistic


def fit_around(
    study: FittedStudy, layout: Layout, day0: DateArray, window: Window
) -> AbnormalReturns:
    """Return the abnormal returns of a layout of n events around `day0` (n,), as in a study.

    Parameters
    ----------
    study : FittedStudy
        Its model, estimation window and conventions count.
    layout : Layout
    day0 : (n,) datetime64[D] array
    window : Window
        Event days that are needed.
    """
    windows = layout.around(day0, estimation=study.abnormal.windows.estimation, event=window)
    engine: Any = "batch" if study.model.cov_type == "nonrobust" else "statsmodels"
    abnormal = study.model.fit(windows, engine=engine)
    return replace(abnormal, conventions=study.abnormal.conventions)


def _shortage(n: int) -> str:
    """Return why so many different samples of firms give no p-value; "" if they do."""
    if n >= Conventions.FEWEST_PLACEBOS:
        return ""
    count = f"{n} different sample{'s' * (n != 1)} of firms {'are' if n != 1 else 'is'} possible"
    needed = Conventions.FEWEST_PLACEBOS
    return f"only {count}, at least {needed} are needed for a p-value: give more peers"


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


def peers_of(study: FittedStudy, layout: Layout, column: str = Benchmarks.PEERS) -> list[IntArray]:
    """Return the rows of each event's peers in the panel.

    Parameters
    ----------
    study : FittedStudy
    layout : Layout
    column : str
        Of the events, with peers as ``A;B;C``; firms of the list are none.
    """
    treated = set(study.events["ticker"])
    pools = []
    for text, calendar in zip(study.events[column], layout.calendars, strict=True):
        names = Benchmarks.members(str(text), treated)
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
