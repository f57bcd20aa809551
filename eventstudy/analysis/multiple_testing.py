"""Many hypotheses at once: Holm, Benjamini-Hochberg, Benjamini-Yekutieli, Romano-Wolf."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError
from ..significance import STATISTICS
from ..significance._base import InapplicableError
from ..significance.date_clustered import clustered_t
from ..significance.wild_bootstrap import (
    ENUMERATE_UP_TO,
    EQUAL,
    MIN_CLUSTERS,
    all_signs,
    flipped_t,
    merged_dates,
)
from ..utility.registry import Registry
from ..utility.typing import FloatArray, IntArray
from .answer import main_test_of

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

# Our names, and those of statsmodels.stats.multitest.
ADJUSTMENTS: Registry[str] = Registry("adjustment")
ADJUSTMENTS.register("holm")("holm")
ADJUSTMENTS.register("bh")("fdr_bh")
ADJUSTMENTS.register("by")("fdr_by")
ROMANO_WOLF = "romano_wolf"


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """That the mean CAR of some events over a window is zero."""

    label: str
    sample: AbnormalReturns
    window: Window


class Asked(NamedTuple):
    """What a family is made of: the window or windows, the test and the column of groups asked
    for."""

    window: Window
    test: str
    by: str
    windows: Iterable[WindowLike] | None


Family: TypeAlias = "Callable[[FittedStudy, Asked], tuple[pd.DataFrame, list[Hypothesis]]]"
FAMILIES: Registry[Family] = Registry("family of hypotheses")


def family(
    results: FittedStudy,
    kind: str,
    *,
    window: WindowLike = (0, 1),
    windows: Iterable[WindowLike] | None = None,
    test: str | None = None,
    by: str | None = None,
    methods: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Test a family of hypotheses, declared before looking, and adjust its p-values for their
    number.

    Parameters
    ----------
    results : FittedStudy
    kind : {"events", "days", "windows", "groups"}
        The single-event t of each event over `window`; `test` on each day of the event window, over
        each of `windows`, or over `window` in each group of the column `by`.
    window : window
    windows : iterable of windows, optional
        By default the standard windows that fit into the event window.
    test : str, optional
        By default the main test.
    by : str, optional
        By default the column that splits the report: group, else direction.
    methods : iterable of {"holm", "bh", "by", "romano_wolf"}, optional
        By default all that apply.

    Returns
    -------
    DataFrame
        label, n_events, estimate (decimal), statistic, pvalue, one column per method, reason.
        Hypotheses without a p-value stay NaN and are not counted.

    Raises
    ------
    ConfigError
        For an unknown kind, method, test or column, and for Romano-Wolf of single events.

    Notes
    -----
    Holm (1979) bounds the probability of any false rejection; Benjamini and Hochberg (1995) the
    expected share of false ones under independence or positive dependence, Benjamini and Yekutieli
    (2001) under any. Romano-Wolf, which also bounds the probability of any, rests on the
    date-clustered t whatever `test` is: see :func:`stepdown`.
    """
    make = FAMILIES[kind]
    frame, hypotheses = make(results, Asked(Window.of(window), test or "", by or "", windows))
    reason = frame.pop("reason")
    chosen = [*ADJUSTMENTS, ROMANO_WOLF] if hypotheses else list(ADJUSTMENTS)
    for method in chosen if methods is None else methods:
        if method == ROMANO_WOLF:
            frame[method], more = _romano_wolf(results, hypotheses)
            reason = pd.Series(
                ["; ".join(filter(None, pair)) for pair in zip(reason, more, strict=True)]
            )
        else:
            frame[method] = adjusted(frame["pvalue"].to_numpy(), method)
    return frame.assign(reason=reason)


def adjusted(pvalues: FloatArray | Sequence[float], method: str) -> FloatArray:
    """Return p-values adjusted for their number, shape (m,); NaN stays NaN and is not counted.

    Parameters
    ----------
    pvalues : (m,) array
    method : {"holm", "bh", "by"}
    """
    from statsmodels.stats.multitest import multipletests

    theirs, p = ADJUSTMENTS[method], np.asarray(pvalues, dtype=float)
    out, known = np.full(p.shape, np.nan), ~np.isnan(p)
    if known.any():
        out[known] = multipletests(p[known], method=theirs)[1]
    return out


def stepdown(
    values: Sequence[FloatArray], clusters: Sequence[IntArray], signs: FloatArray, *, complete: bool
) -> FloatArray:
    """Return stepdown p-values of "mean k is zero", k = 1..m, by sign flips of whole clusters,
    shape (m,).

    Parameters
    ----------
    values : m arrays (n_k,)
        CARs of the events of each hypothesis.
    clusters : m arrays (n_k,)
        Column of `signs` of each event: one draw of a date is shared by all hypotheses.
    signs : (B, G) array of -1 and 1
    complete : bool
        Whether `signs` are all 2^G flips, the data themselves among them.

    Raises
    ------
    InapplicableError
        If a hypothesis has fewer than three clusters, or values that do not vary.

    Notes
    -----
    p_(j) = max(p_(j-1), (1 + #{max_{k>=j} |t*_k| >= |t_(j)|}) / (1 + B)) with |t_(1)| >= |t_(2)| >=
    ... the CR2 date-clustered t; the plain share if the flips are complete (Romano and Wolf 2005,
    2016).
    """
    observed, stars = [], []
    for own, cluster in zip(values, clusters, strict=True):
        present, local = np.unique(cluster, return_inverse=True)
        observed.append(abs(clustered_t(own, local).statistic))
        stars.append(np.abs(flipped_t(own, local, signs[:, present])))
    return _stepdown(np.array(observed), np.column_stack(stars), complete)


def _stepdown(observed: FloatArray, stars: FloatArray, complete: bool) -> FloatArray:
    """Return p-values of m statistics |t| from their joint draws (B, m)."""
    order = np.argsort(-observed, kind="stable")
    largest = np.maximum.accumulate(stars[:, order[::-1]], axis=1)[:, ::-1]
    reached = (largest >= observed[order] - EQUAL).sum(axis=0)
    p = np.empty(len(observed))
    p[order] = np.maximum.accumulate((reached + (not complete)) / (len(stars) + (not complete)))
    return p


def rademacher(G: int, draws: int, seed: int) -> tuple[FloatArray, bool]:
    """Return signs (B, G), and whether they are all 2^G of them, as they are for up to 12
    clusters."""
    if G <= ENUMERATE_UP_TO:
        return all_signs(G), True
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(draws, G)), False


def _romano_wolf(
    results: FittedStudy, hypotheses: Sequence[Hypothesis]
) -> tuple[FloatArray, list[str]]:
    """Return the p-value of each hypothesis, and why it has none.

    Dates closer than the longest window are one cluster.
    """
    if not hypotheses:
        raise ConfigError(
            "Romano-Wolf needs several events to a hypothesis", remedy="use holm, bh or by"
        )
    values = [h.sample.car(h.window) for h in hypotheses]
    clusters = _clusters(results, hypotheses)
    reasons = [_obstacle(v, c) for v, c in zip(values, clusters, strict=True)]
    fit = [k for k, reason in enumerate(reasons) if not reason]
    p = np.full(len(hypotheses), np.nan)
    if fit:
        conventions = results.abnormal.conventions
        present = np.unique(np.concatenate([clusters[k] for k in fit]))
        local = [np.searchsorted(present, clusters[k]) for k in fit]
        signs, complete = rademacher(len(present), conventions.draws, conventions.seed)
        p[fit] = stepdown([values[k] for k in fit], local, signs, complete=complete)
    return p, reasons


def _clusters(results: FittedStudy, hypotheses: Sequence[Hypothesis]) -> list[IntArray]:
    """Return the cluster of each event of each hypothesis, numbered alike for all."""
    whole = results.abnormal.take(results.ok)
    dates, first = np.unique(whole.windows.day0, return_index=True)
    number = merged_dates(whole, max((h.window for h in hypotheses), key=len))[first]
    return [number[np.searchsorted(dates, h.sample.windows.day0)] for h in hypotheses]


def _obstacle(values: FloatArray, cluster: IntArray) -> str:
    present, local = np.unique(cluster, return_inverse=True)
    if len(present) < MIN_CLUSTERS:
        clusters = f"{len(present)} cluster{'s' * (len(present) != 1)}"
        return f"Romano-Wolf: {clusters} of dates, at least {MIN_CLUSTERS} are needed"
    try:
        clustered_t(values, local)
    except InapplicableError as error:
        return f"Romano-Wolf: {error}"
    return ""


@FAMILIES.register("events")
def _events(results: FittedStudy, asked: Asked) -> tuple[pd.DataFrame, list[Hypothesis]]:
    car = results.car([asked.window]).rename(columns={"event_id": "label", "car": "estimate"})
    known = car["estimate"].notna()
    car = car.assign(
        n_events=known.astype(int), reason=np.where(known, "", "the event lacks days of the window")
    )
    return car[["label", "n_events", "estimate", "statistic", "pvalue", "reason"]].copy(), []


@FAMILIES.register("days")
def _days(results: FittedStudy, asked: Asked) -> tuple[pd.DataFrame, list[Hypothesis]]:
    days = [Window(int(t), int(t)) for t in results.abnormal.event.days]
    return _tested(
        [Hypothesis(str(d.start), results.abnormal.sample(d), d) for d in days],
        asked.test or main_test_of(results),
    )


@FAMILIES.register("windows")
def _windows(results: FittedStudy, asked: Asked) -> tuple[pd.DataFrame, list[Hypothesis]]:
    windows = results.windows_of(asked.windows)
    return _tested(
        [Hypothesis(str(w), results.abnormal.sample(w), w) for w in windows],
        asked.test or main_test_of(results),
    )


@FAMILIES.register("groups")
def _groups(results: FittedStudy, asked: Asked) -> tuple[pd.DataFrame, list[Hypothesis]]:
    from ..fitting.fitted import group_column

    column, window = asked.by or group_column(results, ""), asked.window
    if not column:
        raise ConfigError("no column splits the events", remedy="name one with by=")
    groups = results.groups(column).items()
    return _tested(
        [Hypothesis(name, g.abnormal.sample(window), window) for name, g in groups],
        asked.test or main_test_of(results),
    )


def _tested(hypotheses: list[Hypothesis], test: str) -> tuple[pd.DataFrame, list[Hypothesis]]:
    tests = [STATISTICS[test](h.sample, h.window) for h in hypotheses]
    frame = pd.DataFrame({
        "label": [h.label for h in hypotheses], "n_events": [t.n_events for t in tests],
        "estimate": [t.estimate for t in tests], "statistic": [t.statistic for t in tests],
        "pvalue": [t.pvalue for t in tests], "reason": [t.reason for t in tests],
    })  # fmt: skip
    return frame, hypotheses
