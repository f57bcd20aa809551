"""Regressions of CARs on characteristics of the events: numbers as they are, text as dummies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError, NotPossibleError
from ..fitting.fitted import FittedStudy, WindowLike, names_of
from ..significance._base import pvalue
from ..significance.clusters import merge_dates, number_dates
from ..utility.typing import FloatArray, IntArray
from ._car_errors import ClusterError, Errors, errors_by, find_errors
from ._regressors import CONSTANT, Design, cells_of, design_of
from .interval import quantile

# 1 minus the leverage of an event: below this it alone determines a coefficient.
MIN_SLACK = 1e-9
# So many terms are named.
MAX_TERMS = 3


Weights = Literal["equal", "precision"]
Cov = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "date"]


@dataclass(frozen=True, eq=False)
class CarRegression:
    """A regression of CARs on characteristics; prints as text, and as a table in a notebook.

    Attributes
    ----------
    table : DataFrame
        term, estimate, se, statistic, df, pvalue, ci_low, ci_high (95 %); with errors clustered on
        fewer than 10 dates also wild_pvalue.
    window : Window
    weights, cov : str
        As asked for; `cov` is "CR2" or "CR1" where it was "date".
    n_events, n_dates : int
    r2 : float
        Weighted if the regression is.
    dropped : dict
        Why a usable event is not in, by event_id.
    notes : tuple of str
    fit : statsmodels RegressionResults
        With the errors of the table; with classical ones in place of "CR2".
    """

    table: pd.DataFrame
    window: Window
    weights: str
    cov: str
    n_events: int
    n_dates: int
    r2: float
    dropped: dict[str, str]
    notes: tuple[str, ...]
    fit: Any = field(repr=False)

    @property
    def params(self) -> pd.Series[float]:
        """Estimates by term."""
        return self._by_term["estimate"]

    @property
    def bse(self) -> pd.Series[float]:
        """Standard errors by term."""
        return self._by_term["se"]

    @property
    def pvalues(self) -> pd.Series[float]:
        """Two-sided p-values by term."""
        return self._by_term["pvalue"]

    def conf_int(self) -> pd.DataFrame:
        """Return the ends of the 95% intervals by term."""
        return self._by_term[["ci_low", "ci_high"]]

    @property
    def _by_term(self) -> pd.DataFrame:
        return self.table.set_index("term")

    def with_facts(self) -> pd.DataFrame:
        """Return the table with what all of its rows share: events, dates, R2, errors and notes."""
        facts = {name: getattr(self, name) for name in ("n_events", "n_dates", "r2")}
        return self.table.assign(**facts, errors=self.cov, notes="; ".join(self.notes))

    @property
    def _head(self) -> str:
        kind = "WLS, weights 1/Var(CAR)" if self.weights == "precision" else "OLS"
        counts = f"{self.n_events} events on {self.n_dates} dates"
        fit = f"{kind}, {counts}, errors {self.cov}, R2 {self.r2:.4f}"
        return f"CAR{self.window} on characteristics: {fit}"

    def __str__(self) -> str:
        table = self.table.round(4).to_string(index=False, na_rep="-")
        return "\n".join([self._head, table, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = self.table.round(4).to_html(index=False, na_rep="–", border=0)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{escape(self._head)}</p>{body}<ul>{notes}</ul>"


def regress_car(
    study: FittedStudy,
    columns: str | Iterable[str],
    window: WindowLike | None = None,
    *,
    weights: Weights = "equal",
    cov: Cov = "HC3",
    se: ClusterError = "CR2",
) -> CarRegression:
    """Regress CARs on columns of the events, with a constant.

    Parameters
    ----------
    study : FittedStudy
    columns : str or iterable of str
        Columns of the events. Numbers enter as they are; text as dummies against its first level in
        alphabetical order, which the term names. Events with a missing value are left out and
        counted.
    window : window, optional
        By default the main one.
    weights : {"equal", "precision"}
        Ordinary least squares, or weights 1/Var(CAR).
    cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date"}
        HC and classical errors have t(N-k); "nonrobust" is s2 (X'WX)^-1 with weights. "date"
        clusters by event date.
    se : {"CR2", "CR1"}
        Error of "date": CR2 with Satterthwaite degrees of freedom, or CR1 with t(G-1), which
        over-rejects when dates have unequal numbers of events.

    Returns
    -------
    CarRegression
        With fewer than 10 dates "date" adds the p-values of a wild cluster bootstrap: the null
        imposed on the residuals, signs of all events of a date flipped, all 2^G of them.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window; for an unknown column or option.
    NotPossibleError
        A ConfigError: for event ids that occur twice, columns that are constant, collinear or mix
        numbers and text, too few events or dates, and HC2 or HC3 where one event alone determines a
        coefficient (HC1 is defined there).

    Notes
    -----
    H0 of each row: the coefficient is zero. Effects that differ between events make the variance of
    the CARs other than proportional to 1/w, so classical errors are safe neither with nor without
    weights (Harrington and Shrider).

    References
    ----------
    .. [1] MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance
       matrix estimators with improved finite sample properties. Journal of Econometrics 29,
       305-325 (HC3).
    .. [2] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181 (CR2).
    .. [3] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008). Bootstrap-based improvements for
       inference with clustered errors. Review of Economics and Statistics 90, 414-427.
    .. [4] Harrington, S. E. and Shrider, D. G. (2007). All events induce variance: analyzing
       abnormal returns when effects vary across firms. Journal of Financial and Quantitative
       Analysis 42, 229-256.
    """
    window, names = Window.of(study.main if window is None else window), names_of(columns)
    rows, series, dropped = complete_events(study, names, window)
    design, sample = design_of(series, len(rows)), study.abnormal.take(rows)
    return estimate(sample, design, window, dropped, weights=weights, cov=cov, se=se)


def estimate(
    sample: AbnormalReturns, design: Design, window: Window, dropped: dict[str, str], *,
    weights: Weights = "equal", cov: Cov = "HC3", se: ClusterError = "CR2",
    clusters: Mapping[str, IntArray] | None = None,
) -> CarRegression:  # fmt: skip
    """Return the regression of the CARs of N events on their regressors.

    Parameters
    ----------
    sample : AbnormalReturns
    design : Design
    window : Window
    dropped : dict
        Why other events are not in, by event_id.
    weights, cov, se : str
        As for :func:`regress_car`.
    clusters : mapping of str to (N,) int array, optional
        The one or two columns by which errors are clustered, in place of `cov`.

    Returns
    -------
    CarRegression
    """
    _check(weights, cov, se)
    N, k = design.X.shape
    if k >= N:
        reason = f"{N} event{'s' * (N != 1)} cannot determine {k} coefficients"
        remedy, named = "merge values of a column, or leave one out", dict.fromkeys(design.origin)
        columns = ", ".join(name for name in named if name != CONSTANT)
        raise NotPossibleError(reason, value=columns, remedy=remedy)
    root = 1 / np.sqrt(sample.var_car(window)) if weights == "precision" else np.ones(N)
    fit, dates = _fit(sample.car(window), design, root**2, weights), number_dates(sample)
    X, y = design.X * root[:, None], sample.car(window) * root
    clusters = {"date": dates} if cov == "date" and not clusters else clusters or {}
    if cov in ("HC2", "HC3") and not clusters:
        _check_leverage(X, design, cov)
    e = y - X @ fit.params.to_numpy()
    if clusters:
        errors, cov_label = errors_by(fit, X, y, e, clusters, se)
    else:
        errors, cov_label = find_errors(fit, X, cov), cov
    scale = f"mean weighted squared residual {(e**2).mean():.3g}" if weights == "precision" else ""
    warnings = *filter(None, [scale]), *errors.notes, *_dependence(sample, window, dates, clusters)
    return CarRegression(
        _table(design.terms, fit.params.to_numpy(), errors), window, weights,
        cov_label, N, len(np.unique(dates)), float(fit.rsquared), dropped,
        (*_counts(dropped), *design.notes, *warnings), errors.fit,
    )  # fmt: skip


def not_possible(table: pd.DataFrame) -> str:
    """Return why the regression of a table could not be estimated, and what to do; "" if it was."""
    reason = table.iloc[0].get("reason", "")
    return f"not possible: {reason}" if isinstance(reason, str) and reason else ""


def _check(weights: str, cov: str, se: str) -> None:
    choices = {"weights": (weights, Weights), "cov": (cov, Cov), "se": (se, ClusterError)}
    for name, (value, literal) in choices.items():
        if value not in get_args(literal):
            remedy = "use " + ", ".join(get_args(literal))
            raise ConfigError("unknown choice", where=name, value=value, remedy=remedy)


def complete_events(
    study: FittedStudy, names: list[str], window: Window
) -> tuple[IntArray, list[tuple[str, pd.Series]], dict[str, str]]:
    """Return the rows of the events that enter, their columns, and why others do not.

    Parameters
    ----------
    study : FittedStudy
    names : list of str
    window : Window

    Raises
    ------
    NotPossibleError
        If there are none, or event ids occur twice.
    """
    ids = study.events["event_id"].astype(str)
    twice = ids[study.ok & ids.duplicated().to_numpy()]
    if len(twice):
        remedy = "give each event its own"
        raise NotPossibleError("event ids occur twice", value=twice.iloc[0], remedy=remedy)
    rows = np.flatnonzero(study.ok)
    used = study.events.iloc[rows]
    cells = [(name, *cells_of(study.column(name).iloc[rows], name)) for name in names]
    lacks = {f"no value of {name}": missing for name, _, missing in cells}
    lacks = {f"lacks days of {window}": ~np.isfinite(study.abnormal.car(window)[rows]), **lacks}
    dropped: dict[str, str] = {}
    for reason, mask in lacks.items():
        for name in used["event_id"][mask]:
            dropped.setdefault(str(name), reason)
    keep = ~np.any(list(lacks.values()), axis=0)
    if not keep.any():
        remedy = "fill the columns, or leave one out" * bool(dropped)
        value = ", ".join(_counts(dropped)) or None
        raise NotPossibleError("no event is left", value=value, remedy=remedy)
    series = [(name, values[keep].reset_index(drop=True)) for name, values, _ in cells]
    return rows[keep], series, dropped


def _fit(car: FloatArray, design: Design, weight: FloatArray, weights: str) -> Any:
    from statsmodels.regression.linear_model import OLS, WLS

    X = pd.DataFrame(design.X, columns=list(design.terms))
    y = pd.Series(car, name="CAR")
    return (WLS(y, X, weights=weight) if weights == "precision" else OLS(y, X)).fit()


def _dependence(
    sample: AbnormalReturns, window: Window, dates: IntArray, clusters: Mapping[str, IntArray]
) -> list[str]:
    """Return notes on the dependence between events that the errors leave out."""
    G, notes = len(np.unique(dates)), []
    as_independent = "these errors take them as independent"
    by_date = any(pd.Series(c).groupby(dates).nunique().max() == 1 for c in clusters.values())
    if not by_date and len(dates) > G:
        notes.append(f"events share dates: {as_independent}; errors by date do not")
    if len(np.unique(merge_dates(sample, window))) < G:
        notes.append(f"windows of different dates overlap: {as_independent}")
    return notes


def _table(terms: tuple[str, ...], b: FloatArray, errors: Errors) -> pd.DataFrame:
    se, df = np.sqrt(np.diag(errors.V)), errors.df
    half = se * np.array([quantile(nu) for nu in df])
    table = pd.DataFrame({
        "term": terms, "estimate": b, "se": se, "statistic": b / se, "df": df,
        "pvalue": [pvalue(t, nu) for t, nu in zip(b / se, df, strict=True)],
        "ci_low": b - half, "ci_high": b + half,
    })  # fmt: skip
    return table if errors.wild is None else table.assign(wild_pvalue=errors.wild)


def _counts(dropped: dict[str, str]) -> list[str]:
    """Return how many events are left out for each reason."""
    reasons = list(dropped.values())
    return [f"{reasons.count(reason)} left out: {reason}" for reason in dict.fromkeys(reasons)]


def _check_leverage(X: FloatArray, design: Design, cov: str) -> None:
    """Refuse HC2 and HC3 where the residual of an event is zero whatever its CAR."""
    leverage = (np.linalg.qr(X)[0] ** 2).sum(axis=1)
    if (leverage <= 1 - MIN_SLACK).all():
        return
    single = (design.X != 0).sum(axis=0) == 1
    terms = [term for term, once in zip(design.terms, single, strict=True) if once]
    named = terms or [name for name in dict.fromkeys(design.origin) if name != CONSTANT]
    remainder = f" and {len(named) - MAX_TERMS} more" * (len(named) > MAX_TERMS)
    reason = f"{cov} is not defined where one event alone determines a coefficient"
    value, remedy = (
        ", ".join(named[:MAX_TERMS]),
        "use HC1, merge them with others, or leave the column out",
    )
    raise NotPossibleError(reason, value=value + remainder, remedy=remedy)
