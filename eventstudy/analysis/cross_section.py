"""Regressions of CARs on characteristics of the events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError, NotPossibleError
from ..significance._base import pvalue
from ..significance.date_clustered import dates_of
from ..significance.wild_bootstrap import merged_dates
from ..utility.typing import FloatArray, IntArray
from ._car_errors import Errors, by_date, by_event
from ._clustered import ClusterError
from ._design import Design, cells_of, design_of

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

Weights = Literal["equal", "precision"]
Cov = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "date", "scaled", "known_variance"]
# Mean weighted squared residual within which the variances of the CARs explain the residuals.
TRUSTED = (0.8, 1.25)


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
        With the errors of the table; with classical ones in place of "CR2" and "known_variance".
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
    def _head(self) -> str:
        kind = "WLS, weights 1/Var(CAR)" if self.weights == "precision" else "OLS"
        counts = f"{self.n_events} events on {self.n_dates} dates"
        return (
            f"CAR{self.window} on characteristics: {kind}, {counts}, errors {self.cov}, R2 "
            f"{self.r2:.4f}"
        )

    def __str__(self) -> str:
        return "\n".join(
            [self._head, self.table.round(4).to_string(index=False, na_rep="-"), *self.notes]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = self.table.round(4).to_html(index=False, na_rep="–", border=0)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{escape(self._head)}</p>{body}<ul>{notes}</ul>"


def regress_car(
    results: FittedStudy,
    columns: str | Iterable[str],
    window: WindowLike = (0, 1),
    *,
    weights: Weights = "equal",
    cov: Cov = "HC3",
    se: ClusterError = "CR2",
) -> CarRegression:
    """Regress CARs on columns of the events, with a constant. H0 of each row: the coefficient is
    zero.

    Parameters
    ----------
    results : FittedStudy
    columns : str or iterable of str
        Columns of the events. Numbers enter as they are; text as dummies against its first level in
        alphabetical order, which the term names. Events with a missing value are left out and
        counted.
    window : window
    weights : {"equal", "precision"}
        Ordinary least squares, or weights 1/Var(CAR).
    cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date", "scaled", "known_variance"}
        HC and classical errors have t(N-k). "date" clusters by event date. For precision weights
        "scaled" is the classical error, s2 (X'WX)^-1, and "known_variance" is (X'WX)^-1 with
        N(0,1): to be trusted only if the mean weighted squared residual, which `notes` report, is
        about 1.
    se : {"CR2", "CR1"}
        Error of "date": CR2 with Satterthwaite degrees of freedom, or CR1 with t(G-1), which
        over-rejects when dates have unequal numbers of events.

    Returns
    -------
    CarRegression
        With fewer than 10 dates "date" adds the p-values of a wild cluster bootstrap: the null
        imposed on the residuals, signs of whole dates flipped, all 2^G of them.

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
    Effects that differ between events make the variance of the CARs other than proportional to 1/w,
    so that classical errors are safe neither with nor without weights (Harrington and Shrider
    2007).

    Source: MacKinnon and White (1985): HC3; Bell and McCaffrey (2002): CR2; Cameron, Gelbach and
    Miller (2008): wild cluster bootstrap.
    """
    window = Window.of(window)
    _check(weights, cov, se)
    names = [columns] if isinstance(columns, str) else list(columns)
    rows, series, dropped = _complete(results, names, window)
    if not len(rows):
        raise NotPossibleError(
            "no event is left", value=", ".join(_counts(dropped)) or None,
            remedy="fill the columns, or leave one out" * bool(dropped),
        )  # fmt: skip
    design = design_of(series, len(rows))
    N, k = design.X.shape
    if k >= N:
        what = f"{N} event{'s' * (N != 1)} cannot determine {k} coefficients"
        remedy = "merge values of a column, or leave one out"
        raise NotPossibleError(what, value=", ".join(names), remedy=remedy)
    sample = results.abnormal.take(rows)
    root = 1 / np.sqrt(sample.var_car(window)) if weights == "precision" else np.ones(N)
    fit, dates = _fit(sample.car(window), design, root**2, weights), dates_of(sample)
    X, y = design.X * root[:, None], sample.car(window) * root
    e = y - X @ fit.params.to_numpy()
    errors = by_date(fit, X, y, e, dates, se) if cov == "date" else by_event(fit, X, design, cov)
    scale = [_scale(float((e**2).mean()), cov)] if weights == "precision" else []
    notes = (
        *_counts(dropped),
        *design.notes,
        *scale,
        *errors.notes,
        *_dependence(sample, window, dates, cov),
    )
    table = _table(design.terms, fit.params.to_numpy(), errors)
    return CarRegression(
        table, window, weights, se if cov == "date" else cov, N, len(np.unique(dates)),
        float(fit.rsquared),
        dropped, notes, errors.fit,
    )  # fmt: skip


def not_possible(table: pd.DataFrame) -> str:
    """Return why the regression of a table could not be estimated, and what to do; "" if it was."""
    found = table.iloc[0].get("reason", "")
    return f"not possible: {found}" if isinstance(found, str) and found else ""


def _check(weights: str, cov: str, se: str) -> None:
    for value, known, where in (
        (weights, Weights, "weights"),
        (cov, Cov, "cov"),
        (se, ClusterError, "se"),
    ):
        if value not in get_args(known):
            raise ConfigError(
                "unknown choice",
                where=where,
                value=value,
                remedy="use " + ", ".join(get_args(known)),
            )
    if cov in ("scaled", "known_variance") and weights != "precision":
        raise ConfigError("this error needs precision weights", where="cov", value=cov)


def _complete(
    results: FittedStudy, names: list[str], window: Window
) -> tuple[IntArray, list[tuple[str, pd.Series]], dict[str, str]]:
    """Return the rows of the events that enter, their columns, and why others do not."""
    ids = results.events["event_id"].astype(str)
    twice = ids[results.ok & ids.duplicated().to_numpy()]
    if len(twice):
        raise NotPossibleError(
            "event ids occur twice", value=twice.iloc[0], remedy="give each event its own"
        )
    rows = np.flatnonzero(results.ok)
    if not len(rows):
        return rows, [], {}
    used = results.events.iloc[rows]
    cells = [(name, *cells_of(used, name)) for name in names]
    lacks = {f"no value of {name}": missing for name, _, missing in cells}
    lacks = {f"lacks days of {window}": ~np.isfinite(results.abnormal.car(window)[rows]), **lacks}
    dropped: dict[str, str] = {}
    for reason, mask in lacks.items():
        for name in used["event_id"][mask]:
            dropped.setdefault(str(name), reason)
    keep = ~np.any(list(lacks.values()), axis=0)
    return (
        rows[keep],
        [(name, values[keep].reset_index(drop=True)) for name, values, _ in cells],
        dropped,
    )


def _fit(car: FloatArray, design: Design, weight: FloatArray, weights: str) -> Any:
    from statsmodels.regression.linear_model import OLS, WLS

    X = pd.DataFrame(design.X, columns=list(design.terms))
    y = pd.Series(car, name="CAR")
    return (WLS(y, X, weights=weight) if weights == "precision" else OLS(y, X)).fit()


def _dependence(sample: AbnormalReturns, window: Window, dates: IntArray, cov: str) -> list[str]:
    """Say which dependence between events the errors leave out."""
    G, notes = len(np.unique(dates)), []
    if cov != "date" and len(dates) > G:
        notes.append(
            "events share dates: these errors take them as independent, those by date do not"
        )
    if len(np.unique(merged_dates(sample, window))) < G:
        notes.append("windows of different dates overlap: these errors take them as independent")
    return notes


def _table(terms: tuple[str, ...], b: FloatArray, errors: Errors) -> pd.DataFrame:
    from scipy.special import ndtri, stdtrit

    se, df = np.sqrt(np.diag(errors.V)), errors.df
    half = se * np.array([ndtri(0.975) if np.isinf(nu) else stdtrit(nu, 0.975) for nu in df])
    table = pd.DataFrame({
        "term": terms, "estimate": b, "se": se, "statistic": b / se, "df": df,
        "pvalue": [pvalue(t, nu) for t, nu in zip(b / se, df, strict=True)],
        "ci_low": b - half, "ci_high": b + half,
    })  # fmt: skip
    return table if errors.wild is None else table.assign(wild_pvalue=errors.wild)


def _counts(dropped: dict[str, str]) -> list[str]:
    """Say how many events are left out for each reason."""
    reasons = list(dropped.values())
    return [f"{reasons.count(reason)} left out: {reason}" for reason in dict.fromkeys(reasons)]


def _scale(mean: float, cov: str) -> str:
    """Say what the mean weighted squared residual is, and whether known variances can be
    trusted."""
    trusted = TRUSTED[0] <= mean <= TRUSTED[1]
    text = f"mean weighted squared residual {mean:.3g}"
    if trusted or cov != "known_variance":
        return text + (
            "" if trusted else ": the variances of the CARs do not explain the residuals"
        )
    return text + ", not about 1: known_variance is not to be trusted here, use HC3"
