"""Do two groups of events differ? Welch, clustered by date, and by permutation of the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ..abnormal.conventions import Conventions
from ..calendars.window import Window
from ..errors import ConfigError
from ..significance._base import InapplicableError, pvalue
from ..significance.date_clustered import MIN_DATES
from ..significance.wild_bootstrap import EQUAL
from ..utility.numbers import p_is
from ..utility.registry import Registry, did_you_mean
from ..utility.typing import BoolArray, FloatArray, IntArray, Measure
from ..utility.units import WORDS
from ._relabel import ENUMERATE_UP_TO, arrangements, count, draws, strata_of, welch_t

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

LEVEL = 0.95


class Pair(NamedTuple):
    """CARs of the events of two groups, whether each is of the first, and its date; each (n,).

    `near` tells that windows of different dates overlap.
    """

    car: FloatArray
    first: BoolArray
    date: IntArray
    near: bool = False


class Outcome(NamedTuple):
    """Standard error, statistic and law of a difference; `quantile` is that of the 95% interval."""

    se: float = np.nan
    statistic: float = np.nan
    df: float = np.nan
    pvalue: float = np.nan
    quantile: float = np.nan
    reason: str = ""


COMPARISONS: Registry[Callable[[Pair, Conventions], Outcome]] = Registry("method")


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of the mean CAR of two groups of events, one minus other (decimal).

    Attributes
    ----------
    one, other : str
        Names of the groups.
    window : Window
    n_one, n_other : int
        Events that are valid for the window.
    mean_one, mean_other, difference, se, ci_low, ci_high : float
        NaN where there is none; the interval is at 95%.
    statistic, df, pvalue : float
        H0: the means are equal. `df` is NaN for a permutation.
    method : {"date_clustered", "welch", "permutation"}
    reason : str
        Why there is no test, or what to know of the one given.
    measure : str
        What is studied.
    """

    one: str
    other: str
    window: Window
    n_one: int
    n_other: int
    mean_one: float
    mean_other: float
    difference: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    df: float
    pvalue: float
    method: str
    reason: str = ""
    measure: Measure = "return"

    def __str__(self) -> str:
        head, w = f"{self.one} - {self.other}, CAR{self.window}", WORDS[self.measure]
        size = f": {w.plain(self.difference)}" if np.isfinite(self.difference) else ""
        test = (
            f" (95% {w.plain(self.ci_low)} to {w.plain(self.ci_high)}), {self.method}"
            f" t = {self.statistic:.3f}, {p_is(self.pvalue, 4)}, N = {self.n_one} and "
            f"{self.n_other}"
        )
        return "; ".join(
            filter(None, (head + size + (test if np.isfinite(self.pvalue) else ""), self.reason))
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def difference(
    results: FittedStudy,
    column: str,
    one: str | None = None,
    other: str | None = None,
    *,
    window: WindowLike = (0, 1),
    method: str | None = None,
) -> Difference:
    """Test whether the mean CAR over `window` differs between two groups of events.

    Parameters
    ----------
    results : FittedStudy
    column : str
        Column of the events that holds the groups.
    one, other : str, optional
        Needed if there are more than two groups.
    window : window
    method : {"date_clustered", "welch", "permutation"}, optional
        By default date_clustered, and welch with a reason where that is not defined.

    Raises
    ------
    ConfigError
        For an unknown column, group or method.
    """
    names, asked = _names(results, column, one, other), Window.of(window)
    pair, conventions = _pair(results, column, names, asked), results.abnormal.conventions
    result = _compared(pair, names, asked, method or "date_clustered", conventions)
    if method is None and not np.isfinite(result.pvalue):
        why = f"{result.reason}: events taken as independent"
        result = _compared(pair, names, asked, "welch", conventions, why)
    return replace(result, measure=results.panel.measure)


def differences(results: FittedStudy, column: str, window: WindowLike = (0, 1)) -> pd.DataFrame:
    """Return every pair of groups under every method, one row each, in the fields of
    :class:`Difference`."""
    groups, asked = list(results.groups(column)), Window.of(window)
    rows = []
    for names in combinations(groups, 2):
        pair = _pair(results, column, names, asked)
        compared = (
            _compared(pair, names, asked, m, results.abnormal.conventions) for m in COMPARISONS
        )
        rows += [{**asdict(d), "window": str(asked)} for d in compared]
    return pd.DataFrame(rows, columns=[f.name for f in fields(Difference) if f.name != "measure"])


@COMPARISONS.register("date_clustered")
def clustered(pair: Pair, conventions: Conventions) -> Outcome:
    """Return the CR2 t of the group dummy with events clustered by date, and its Satterthwaite df.

    Notes
    -----
    I - H_gg of a constant and a dummy has the eigenvalue 1 - n_gk/N_k on the mean of each group k,
    so that Var = sum_g (T_g1 - T_g2)^2 with T_gk = S_gk / (N_k sqrt(1 - n_gk/N_k)), S_gk the sum of
    deviations of group k on date g (Bell and McCaffrey 2002). What events of both groups share on a
    date cancels. Not defined if a group has one date only, which would count as if it did not vary.
    """
    label = np.stack([pair.first, ~pair.first])
    size = np.stack([np.bincount(pair.date, weights=own).astype(float) for own in label])
    if size.shape[1] < MIN_DATES:
        raise InapplicableError(f"{size.shape[1]} dates, at least {MIN_DATES} are needed")
    if ((size > 0).sum(axis=1) < 2).any():
        raise InapplicableError("all events of a group are on one date")
    N = size.sum(axis=1, keepdims=True)
    mean = label @ pair.car / N[:, 0]
    deviation = pair.car - np.where(pair.first, mean[0], mean[1])
    total = np.stack([np.bincount(pair.date, weights=deviation * own) for own in label])
    T = total / (N * np.sqrt(1 - size / N))
    se = float(np.sqrt(((T[0] - T[1]) ** 2).sum()))
    if not se > 0:
        raise InapplicableError("the abnormal returns do not vary across dates")
    caution = (
        "windows of different dates overlap, which clustering by date ignores" if pair.near else ""
    )
    return _student(se, float((mean[0] - mean[1]) / se), _satterthwaite(size), caution)


def _satterthwaite(size: FloatArray) -> float:
    """Return tr(G)^2 / tr(G^2), G_gh = q_g'q_h, from the events of each group and date, shape (2,
    G)."""
    N = size.sum(axis=1, keepdims=True)
    u = size / (N * np.sqrt(1 - size / N)) / np.sqrt(N)
    own, apart = (size / N**2).sum(axis=0), (u**2).sum(axis=0)
    return float(own.sum() ** 2 / ((own**2).sum() + ((u @ u.T) ** 2).sum() - (apart**2).sum()))


@COMPARISONS.register("welch")
def welch(pair: Pair, conventions: Conventions) -> Outcome:
    """Return Welch's t of independent events with its own degrees of freedom (Welch 1947)."""
    from scipy import stats

    one, other = pair.car[pair.first], pair.car[~pair.first]
    if min(len(one), len(other)) < 2:
        raise InapplicableError("each group needs two events")
    if np.ptp(one) == 0 and np.ptp(other) == 0:
        raise InapplicableError("the abnormal returns of neither group vary")
    t = stats.ttest_ind(one, other, equal_var=False)
    se = float(np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)))
    return _student(se, float(t.statistic), float(t.df))


@COMPARISONS.register("permutation")
def permuted(pair: Pair, conventions: Conventions) -> Outcome:
    """Return Welch's t compared with that of permuted labels (Janssen 1997).

    On a date that has both groups the labels change places within the date; dates of one group only
    are exchanged whole. All arrangements up to 4,096, else seeded draws with p = (1 + #) / (1 + B).
    The interval is difference -+ q se, q the 95% quantile of |t*|.
    """
    observed = welch(pair, conventions)
    strata, n = strata_of(pair.first, pair.date), len(pair.car)
    many = count(strata)
    if many < 2:
        raise InapplicableError("the labels cannot be permuted: each group has its own date")
    complete = many <= ENUMERATE_UP_TO
    labels = arrangements(strata, n) if complete else draws(
        strata, n, number=conventions.draws, seed=conventions.seed
    )  # fmt: skip
    stars = np.abs(welch_t(pair.car, labels))
    reached = int((stars >= abs(observed.statistic) - EQUAL).sum())
    p = float((reached + (not complete)) / (len(stars) + (not complete)))
    # The number of arrangements may be larger than any float.
    if many < 1 / (1 - LEVEL):
        few = f"{many} arrangements of the labels: p cannot be below {1 / many:.3g}"
        return Outcome(observed.se, observed.statistic, pvalue=p, reason=few)
    return Outcome(
        observed.se,
        observed.statistic,
        np.nan,
        p,
        float(np.quantile(stars, LEVEL, method="higher")),
    )


def _student(se: float, statistic: float, df: float, caution: str = "") -> Outcome:
    from scipy import stats

    quantile = float(stats.t.ppf(0.5 + LEVEL / 2, df))
    return Outcome(se, statistic, df, pvalue(statistic, df), quantile, caution)


def _compared(
    pair: Pair,
    names: tuple[str, str],
    window: Window,
    method: str,
    conventions: Conventions,
    why: str = "",
) -> Difference:
    compare = COMPARISONS[method]
    one, other = pair.car[pair.first], pair.car[~pair.first]
    mean, mean_other = (float(v.mean()) if len(v) else np.nan for v in (one, other))
    gap = mean - mean_other
    try:
        if not (len(one) and len(other)):
            raise InapplicableError("a group has no event with all days of the window")
        value = compare(pair, conventions)
    except InapplicableError as error:
        value = Outcome(reason=str(error))
    half = value.quantile * value.se
    return Difference(
        *names, window, len(one), len(other), mean, mean_other, gap, value.se, gap - half,
        gap + half,
        value.statistic, value.df, value.pvalue, method,
        "; ".join(filter(None, (why, value.reason))),
    )  # fmt: skip


def _pair(results: FittedStudy, column: str, names: tuple[str, str], window: Window) -> Pair:
    groups = results.groups(column)
    samples = [groups[name].abnormal.sample(window) for name in names]
    day0, date = np.unique(np.concatenate([s.windows.day0 for s in samples]), return_inverse=True)
    first = np.repeat([True, False], [len(s) for s in samples])
    near = bool((np.diff(day0) < len(window)).any())
    return Pair(np.concatenate([s.car(window) for s in samples]), first, date.ravel(), near)


def _names(
    results: FittedStudy, column: str, one: str | None, other: str | None
) -> tuple[str, str]:
    groups = list(results.groups(column))
    for name in (one, other):
        if name is not None and name not in groups:
            remedy = did_you_mean(name, groups) or "known: " + ", ".join(groups)
            raise ConfigError("no such group", where=column, value=name, remedy=remedy)
    rest = [g for g in groups if g not in (one, other)]
    missing = (one is None) + (other is None)
    if (
        len(rest) < missing
        or (missing and len(rest) > missing)
        or (one is not None and one == other)
    ):
        raise ConfigError(
            "a difference is between two groups",
            where=column,
            value=groups,
            remedy="name one and other",
        )
    first, second = one or rest.pop(0), other or rest.pop(0)
    return first, second
