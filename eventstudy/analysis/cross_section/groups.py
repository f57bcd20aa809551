"""Tests whether two groups of events differ: clustered by date, and Welch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...calendars import Window
from ...dependence import require
from ...errors import ConfigError, InapplicableError
from ...fitting import FittedStudy, WindowLike, awaits_days
from ...returns import Measure
from ...significance import DateClusters, pvalue
from ...utility import BoolArray, FloatArray, IntArray, Registry, did_you_mean
from ...words import Paragraph, Reason, make_error, words
from ..interval import Interval, write_estimate


class Pair(NamedTuple):
    """CARs of the events of two groups, whether each is of the first, and its date; each (n,).

    `near` is true if windows of different dates overlap, `is_early` while events wait for days.
    """

    car: FloatArray
    first: BoolArray
    date: IntArray
    near: bool = False
    is_early: bool = False


class Outcome(NamedTuple):
    """Standard error, statistic and law of a difference; `quantile` is that of the 95% interval."""

    se: float = np.nan
    statistic: float = np.nan
    df: float = np.nan
    pvalue: float = np.nan
    quantile: float = np.nan
    reason: str = ""


COMPARISONS: Registry[Callable[[Pair], Outcome]] = Registry("method")


@dataclass(frozen=True, slots=True)
class Difference(Paragraph):
    """Difference of the mean CARs of two groups of events: `one` minus `other`, as a decimal.

    Attributes
    ----------
    one, other : str
        Names of the groups.
    window : Window
    n_one, n_other : int
        Number of events of each group with a CAR over the window.
    mean_one, mean_other, difference, se, ci_low, ci_high : float
        The mean CARs, their difference, its standard error and the ends of its 95% interval. NaN if
        a number cannot be computed.
    statistic, df, pvalue : float
        Test of the null hypothesis that the means are equal.
    method : {"date_clustered", "welch"}
        The test.
    reason : str
        Why there is no test, or a warning about the test.
    measure : str
        What the study measures, such as "return".
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
        head = f"{self.one} - {self.other}, CAR{self.window}"
        counts = f"N = {self.n_one} and {self.n_other}"
        test = f"{self.method} t = {self.statistic:.3f}, {words().p_is(self.pvalue, 4)}, {counts}"
        test, ends = test * bool(np.isfinite(self.pvalue)), (self.ci_low, self.ci_high)
        show = words(self.measure).in_ascii
        return write_estimate(head, self.difference, ends, test, self.reason, show)


def difference(
    study: FittedStudy, column: str, one: str | None = None, other: str | None = None, *,
    window: WindowLike | None = None, method: str | None = None,
) -> Difference:  # fmt: skip
    """Test whether the mean CAR over `window` differs between two groups of events.

    Parameters
    ----------
    study : FittedStudy
    column : str
        Column of the events that holds the groups.
    one, other : str, optional
        Needed if there are more than two groups.
    window : window, optional
        By default the main one.
    method : {"date_clustered", "welch"}, optional
        By default date_clustered, and welch with a reason where that is not defined.

    Returns
    -------
    Difference

    Raises
    ------
    ConfigError
        For an unknown column, group or method.

    References
    ----------
    .. [1] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181.
    .. [2] Welch, B. L. (1947). The generalization of "Student's" problem when several different
       population variances are involved. Biometrika 34, 28-35.
    """
    names = _names(study, column, one, other)
    window = study.main if window is None else Window.of(window)
    pair, subject = _pair(study, column, names, window), (*names, window)
    result = _compared(pair, subject, method or "date_clustered")
    if method is None and not np.isfinite(result.se):
        caution = f"{result.reason}: events taken as independent"
        result = _compared(pair, subject, "welch", caution)
    return replace(result, measure=study.panel.measure)


def differences(study: FittedStudy, column: str, window: WindowLike | None = None) -> pd.DataFrame:
    """Return every pair of groups under every method, one row each.

    Parameters
    ----------
    study : FittedStudy
    column : str
    window : window, optional
        By default the main one.

    Returns
    -------
    DataFrame
        In the fields of :class:`Difference`.
    """
    window = study.main if window is None else Window.of(window)
    rows = []
    for names in combinations(study.groups(column), 2):
        pair = _pair(study, column, names, window)
        tests = [_compared(pair, (*names, window), m) for m in COMPARISONS]
        rows += [{**asdict(d), "window": str(window)} for d in tests]
    return pd.DataFrame(rows, columns=[f.name for f in fields(Difference) if f.name != "measure"])


@COMPARISONS.register("date_clustered")
def clustered(pair: Pair) -> Outcome:
    r"""Return the CR2 t of the group dummy with events clustered by date, and its Satterthwaite df.

    Parameters
    ----------
    pair : Pair

    Returns
    -------
    Outcome

    Raises
    ------
    InapplicableError
        With fewer than three dates, and if a group has one date only, which would count as if it
        did not vary.

    Notes
    -----
    I - H_gg of a constant and a dummy has the eigenvalue 1 - n_gk/N_k on the mean of each group k.
    With S_gk the sum of deviations of group k on date g,

    .. math:: \operatorname{Var} = \sum_g (T_{g1} - T_{g2})^2, \quad
       T_{gk} = S_{gk} / (N_k \sqrt{1 - n_{gk}/N_k}).

    What events of both groups share on a date cancels.

    References
    ----------
    .. [1] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181.
    """
    label = np.stack([pair.first, ~pair.first])
    size = np.stack([np.bincount(pair.date, weights=in_group).astype(float) for in_group in label])
    needed = DateClusters.FEWEST
    require(size.shape[1] >= needed, "dates_needed", n=size.shape[1], needed=needed)
    require(((size > 0).sum(axis=1) >= 2).all(), "group_on_one_date")
    N = size.sum(axis=1, keepdims=True)
    mean = label @ pair.car / N[:, 0]
    deviation = pair.car - np.where(pair.first, mean[0], mean[1])
    total = np.stack([np.bincount(pair.date, weights=deviation * in_group) for in_group in label])
    T = total / (N * np.sqrt(1 - size / N))
    se = float(np.sqrt(((T[0] - T[1]) ** 2).sum()))
    require(se > 0, "flat_across_dates")
    caution = "windows of different dates overlap, which clustering by date ignores" * pair.near
    return _student(se, float((mean[0] - mean[1]) / se), _satterthwaite(size), caution)


def _satterthwaite(size: FloatArray) -> float:
    """Return tr(G)^2 / tr(G^2), G_gh = q_g'q_h, from the events of each group and date, (2, G)."""
    N = size.sum(axis=1, keepdims=True)
    u = size / (N * np.sqrt(1 - size / N)) / np.sqrt(N)
    within = (size / N**2).sum(axis=0)
    between = (u**2).sum(axis=0)
    squares = (within**2).sum() + ((u @ u.T) ** 2).sum() - (between**2).sum()
    return float(within.sum() ** 2 / squares)


@COMPARISONS.register("welch")
def welch(pair: Pair) -> Outcome:
    """Return Welch's t of independent events with its degrees of freedom.

    Parameters
    ----------
    pair : Pair

    Returns
    -------
    Outcome

    Raises
    ------
    InapplicableError
        If a group has fewer than two events, or neither varies.

    References
    ----------
    .. [1] Welch, B. L. (1947). The generalization of "Student's" problem when several different
       population variances are involved. Biometrika 34, 28-35.
    """
    from scipy import stats

    first = pair.car[pair.first]
    second = pair.car[~pair.first]
    require(min(len(first), len(second)) >= 2, "two_events_a_group")
    require(np.ptp(first) != 0 or np.ptp(second) != 0, "flat_groups")
    t = stats.ttest_ind(first, second, equal_var=False)
    se = float(np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)))
    return _student(se, float(t.statistic), float(t.df))


def _student(se: float, statistic: float, df: float, caution: str = "") -> Outcome:
    return Outcome(se, statistic, df, pvalue(statistic, df), Interval.quantile(df), caution)


def _compared(
    pair: Pair, subject: tuple[str, str, Window], method: str, why: str = ""
) -> Difference:
    """Return the difference of the groups and window of `subject`, and `why` it is not another."""
    compare = COMPARISONS[method]
    first = pair.car[pair.first]
    second = pair.car[~pair.first]
    mean, mean_other = (float(v.mean()) if len(v) else np.nan for v in (first, second))
    gap = mean - mean_other
    try:
        require(len(first) and len(second), "empty_group")
        value = compare(pair)
        if pair.is_early:
            reason = str(Reason("days_to_come"))
            value = value._replace(statistic=np.nan, pvalue=np.nan, reason=reason)
    except InapplicableError as error:
        value = Outcome(reason=str(error))
    half = value.quantile * value.se
    return Difference(
        *subject, len(first), len(second), mean, mean_other, gap, value.se, gap - half, gap + half,
        value.statistic, value.df, value.pvalue, method,
        "; ".join(filter(None, (why, value.reason))),
    )  # fmt: skip


def _pair(study: FittedStudy, column: str, names: tuple[str, str], window: Window) -> Pair:
    groups = study.groups(column)
    samples = [groups[name].abnormal.sample(window) for name in names]
    day0, date = np.unique(np.concatenate([s.windows.day0 for s in samples]), return_inverse=True)
    first = np.repeat([True, False], list(map(len, samples)))
    near = bool((np.diff(day0) < len(window)).any())
    is_early = any(awaits_days(groups[name], window) for name in names)
    cars = np.concatenate([s.car(window) for s in samples])
    return Pair(cars, first, date.ravel(), near, is_early)


def _names(
    study: FittedStudy, column: str, first_name: str | None, second_name: str | None
) -> tuple[str, str]:
    groups = list(study.groups(column))
    for name in (first_name, second_name):
        if name is not None and name not in groups:
            remedy = did_you_mean(name, groups) or "known: " + ", ".join(groups)
            raise ConfigError("no such group", where=column, value=name, remedy=remedy)
    remaining = [g for g in groups if g not in (first_name, second_name)]
    missing = (first_name is None) + (second_name is None)
    same = first_name is not None and first_name == second_name
    if len(remaining) < missing or (missing and len(remaining) > missing) or same:
        raise make_error(ConfigError, "wrong.two_groups", where=column, value=groups)
    return first_name or remaining.pop(0), second_name or remaining.pop(0)
