"""Whether two groups of events differ: the regression of the CARs on the group."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations

import numpy as np
import pandas as pd

from ...calendars import Window
from ...dependence import require
from ...errors import ConfigError, InapplicableError
from ...files import BLANK
from ...fitting import FittedStudy, WindowLike
from ...returns import Measure
from ...utility import ObjectArray, did_you_mean
from ...words import Paragraph, make_error, uncapitalised, words
from ..interval import write_estimate
from ._car_errors import NotPossibleError
from ._regressors import CONSTANT, Design, Term
from .cross_section import CarRegression, estimate, notes_on_errors


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
    method : {"portfolio", "CR2", ""}
        The standard errors, as in :class:`CarRegression`. Empty if there is no test.
    reason : str
        What the test rests on, or why there is none.
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
    se: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    statistic: float = np.nan
    df: float = np.nan
    pvalue: float = np.nan
    method: str = ""
    reason: str = ""
    measure: Measure = "return"

    def __str__(self) -> str:
        head = f"{self.one} - {self.other}, CAR{self.window}"
        counts = f"N = {self.n_one} and {self.n_other}"
        test = f"{self.method} t = {self.statistic:.3f}, {words().p_is(self.pvalue, 4)}, {counts}"
        test, ends = test * bool(np.isfinite(self.pvalue)), (self.ci_low, self.ci_high)
        reason = uncapitalised(self.reason)
        show = words(self.measure).in_ascii
        return write_estimate(head, self.difference, ends, test, reason, show)


def difference(
    study: FittedStudy, column: str, one: str | None = None, other: str | None = None, *,
    window: WindowLike | None = None,
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

    Returns
    -------
    Difference

    Raises
    ------
    ConfigError
        For an unknown column or group.

    Notes
    -----
    The test is that of the slope in the regression of the CARs on the group,
    :func:`~eventstudy.analysis.cross_section.explain.explain`: its errors allow for what events of
    one date share.
    """
    names = _names(study, column, one, other)
    window = study.main if window is None else Window.of(window)
    return _compared(study, column, names, window)


def differences(study: FittedStudy, column: str, window: WindowLike | None = None) -> pd.DataFrame:
    """Return every pair of groups, one row each.

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
    pairs = combinations(study.groups(column), 2)
    rows = [asdict(_compared(study, column, pair, window)) for pair in pairs]
    table = pd.DataFrame(rows, columns=[f.name for f in fields(Difference) if f.name != "measure"])
    return table.assign(window=str(window))


def _compared(study: FittedStudy, column: str, pair: tuple[str, str], window: Window) -> Difference:
    """Return the difference of two groups with the errors of the regression on the group."""
    names, has_car = _cells(study, column), study.ok & np.isfinite(study.abnormal.car(window))
    car, other = (study.abnormal.car(window)[has_car & (names == name)] for name in pair)
    means = [float(values.mean()) if len(values) else np.nan for values in (car, other)]
    plain = Difference(
        *pair, window, len(car), len(other), means[0], means[1], means[0] - means[1],
        measure=study.panel.measure,
    )  # fmt: skip
    base = BLANK if BLANK in pair else min(pair)
    try:
        require(len(car) and len(other), "empty_group")
        fit, basis = study.remember(
            ("differences", column, base, window), lambda: _regression(study, column, base, window)
        )
    except (InapplicableError, NotPossibleError) as error:
        return replace(plain, reason=str(error))
    sign = 1 if base == pair[1] else -1
    term = _term(column, pair[0] if sign == 1 else pair[1])
    row = next(row for row in fit.table.to_dict("records") if row["term"] == term)
    low, high = sorted([sign * row["ci_low"], sign * row["ci_high"]])
    return replace(
        plain, se=row["se"], ci_low=low, ci_high=high, statistic=sign * row["statistic"],
        df=row["df"], pvalue=row["pvalue"], method=fit.cov, reason=row["p_reason"] or basis,
    )  # fmt: skip


def _regression(
    study: FittedStudy, column: str, base: str, window: Window
) -> tuple[CarRegression, str]:
    """Return the regression of the CARs on the groups against one, and what its errors rest on.

    As in a formula, events with a blank cell are left out, unless they are the group `base`.
    """
    names, car = _cells(study, column), study.abnormal.car(window)
    rows = np.flatnonzero(study.ok & np.isfinite(car) & ((names != BLANK) | (base == BLANK)))
    names, sample = names[rows], study.abnormal.take(rows)
    counts = {str(name): int((names == name).sum()) for name in dict.fromkeys(names)}
    n_base, n = counts.pop(base), len(rows)
    X = np.column_stack([np.ones(n), *(names == name for name in counts)])
    terms = [
        Term(_term(column, name), (column,), name, "class", base, k, min(k, n_base))
        for name, k in counts.items()
    ]
    design = Design(X, (Term(CONSTANT, (), "", "constant", "", n, n), *terms))
    fit = estimate(sample, design, window, {})
    return fit, " ".join(notes_on_errors(sample, design, fit.main_errors))


def _cells(study: FittedStudy, column: str) -> ObjectArray:
    """Return the group of each event, as `study.groups` names it."""
    return study.column(column).astype(str).replace("", BLANK).to_numpy()


def _term(column: str, group: str) -> str:
    return f"{column}[T.{group}]"


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
