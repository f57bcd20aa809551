"""Regressions of CARs on characteristics of the events, and which of their errors decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import Limits
from ...errors import ConfigError
from ...fitting import FittedStudy, awaits_days
from ...significance import DateClusters, f_value, pvalue
from ...utility import FloatArray, IntArray, did_you_mean, one_thread
from ...words import capitalised, make_error, say, uncapitalised
from ..interval import Interval
from ._car_errors import ClusterError, Errors, NotPossibleError, errors_by, independent_errors
from ._portfolio_errors import LABEL as PORTFOLIO
from ._portfolio_errors import measured_before, portfolio_errors
from ._regressors import CONSTANT, Design, Term, cells_of

# Degrees of freedom of every slope from which on errors by date decide.
ENOUGH_FREEDOM = 10.0
# Of a smaller class errors from the residuals of its events say nothing.
SMALLEST_CLASS = 5
BY_DATE = "CR2"

Weights = Literal["equal", "precision"]
Cov = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "date"]


@dataclass(frozen=True)
class JointTest:
    """A joint F test whether several coefficients are zero.

    Attributes
    ----------
    statistic : float
        F statistic; NaN if there is no test.
    df1, df2, pvalue : float
        Degrees of freedom and p-value.
    reason : str
        Why there is no test; "" if there is one.
    """

    statistic: float = np.nan
    df1: float = np.nan
    df2: float = np.nan
    pvalue: float = np.nan
    reason: str = ""


@dataclass(frozen=True, eq=False)
class CarRegression:
    """A regression of the CARs of the events on their characteristics.

    The program chooses the main standard errors itself. The table also has other standard errors
    for comparison.

    Attributes
    ----------
    table : DataFrame
        One row per coefficient. The column term names the coefficient. The columns estimate, se,
        statistic, df, pvalue, ci_low and ci_high (95% interval) use the main standard errors, and
        p_reason says why there is no p-value. The columns compared_se, compared_low, compared_high,
        compared_pvalue and compared_reason use the errors in `compared`. With ``rank=True``,
        rank_pvalue is the p-value of the rank of the estimate among those of other days. The
        columns label, kind, base, count, step and per describe the coefficient in printed tables.
    window : Window
    weights : str
        "equal" or "precision".
    cov : {"portfolio", "CR2"}
        Kind of the main standard errors.
    compared : str
        Kind of the standard errors for comparison, such as "HC3".
    is_published : bool
        Whether the errors for comparison treat events as independent that are not.
    n_events, n_dates : int
        Number of events in the regression, and of their dates.
    r2 : float
        R squared; of the weighted regression if there are weights.
    dropped : dict
        The events that are not in the regression, by event_id, and why.
    notes : tuple of str
        Notes on the data and on the standard errors.
    terms : tuple of Term
        The regressors.
    errors : tuple of Errors
        All standard errors that were computed. The method :meth:`by` returns their tables.
    fit : statsmodels RegressionResults
        The fit, with classical standard errors.
    """

    CONSTANT: ClassVar[str] = CONSTANT
    BY_PORTFOLIO: ClassVar[str] = PORTFOLIO
    # Fewer events of a class are too few for its p.
    SMALLEST_CLASS: ClassVar[int] = SMALLEST_CLASS

    table: pd.DataFrame
    window: Window
    weights: str
    cov: str
    compared: str
    is_published: bool
    n_events: int
    n_dates: int
    r2: float
    dropped: dict[str, str]
    notes: tuple[str, ...]
    terms: tuple[Term, ...] = field(repr=False)
    errors: tuple[Errors, ...] = field(repr=False)
    fit: Any = field(repr=False)

    @property
    def params(self) -> pd.Series[float]:
        """Estimates of the coefficients, by term."""
        return self._by_term["estimate"]

    @property
    def bse(self) -> pd.Series[float]:
        """Main standard errors of the coefficients, by term."""
        return self._by_term["se"]

    @property
    def pvalues(self) -> pd.Series[float]:
        """Two-sided p-values of the coefficients, by term."""
        return self._by_term["pvalue"]

    def conf_int(self) -> pd.DataFrame:
        """Return the ends of the 95% intervals of the coefficients, by term."""
        return self._by_term[["ci_low", "ci_high"]]

    @property
    def main_errors(self) -> Errors:
        """The main standard errors."""
        return next(each for each in self.errors if each.label == self.cov)

    @property
    def _b(self) -> FloatArray:
        return self.table["estimate"].to_numpy(dtype=float)

    @property
    def _by_term(self) -> pd.DataFrame:
        return self.table.set_index("term")

    def by(self, errors: str) -> pd.DataFrame:
        """Return the table of the coefficients with the standard errors that you name.

        Parameters
        ----------
        errors : str
            Name of standard errors that were computed, such as "portfolio", "CR2" or "HC3".

        Returns
        -------
        DataFrame
            The columns are term, estimate, se, statistic, df, pvalue, ci_low, ci_high and p_reason.
            If the errors are clustered on fewer than 10 dates, the table also has wild_pvalue.

        Raises
        ------
        ConfigError
            If these standard errors were not computed.
        """
        every = {each.label: each for each in self.errors}
        if errors not in every:
            remedy = did_you_mean(errors, list(every)) or "there are " + ", ".join(every)
            raise ConfigError("no such errors", value=errors, remedy=remedy)
        numbers = numbers_of(self._b, every[errors], self.terms)
        return pd.concat([self.table["term"], numbers], axis=1)

    def joint(self, terms: Iterable[str] = ()) -> JointTest:
        r"""Return a joint test that coefficients are zero, by the errors that decide.

        Parameters
        ----------
        terms : iterable of str, optional
            By default all but the constant.

        Raises
        ------
        ConfigError
            For an unknown term.

        Notes
        -----
        .. math:: T^2 \frac{\nu - q + 1}{q \nu} \sim F(q, \nu - q + 1), \quad T^2 = b' V^{-1} b

        of q coefficients, with the smallest degrees of freedom of theirs (Hotelling).
        """
        names = self.table["term"].tolist()
        chosen = list(terms) or [name for name in names if name != CONSTANT]
        for name in chosen:
            if name not in names:
                raise ConfigError("no such term", value=name, remedy=did_you_mean(name, names))
        rows = [names.index(name) for name in chosen]
        errors = self.main_errors
        return _joint(self._b[rows], errors.V[np.ix_(rows, rows)], errors.df[rows])

    def with_facts(self) -> pd.DataFrame:
        """Return the table with columns alike in all rows: events, dates, R2, errors and notes."""
        names = ("n_events", "n_dates", "r2", "compared", "is_published")
        facts = {name: getattr(self, name) for name in names}
        several = len(self.table) > 2
        joint = self.joint().pvalue if several else np.nan
        facts |= {"n_left_out": len(self.dropped), "joint_pvalue": joint, "errors": self.cov}
        notes = (note if note.endswith(".") else f"{note}." for note in self.notes)
        return self.table.assign(**facts, notes=" ".join(notes))

    def __str__(self) -> str:
        return self.table.to_string(index=False, na_rep="-")

    __repr__ = __str__

    @staticmethod
    def why_not(table: pd.DataFrame) -> str:
        """Return why the regression of a table was not possible, and what to do; "" if it was."""
        reason = table.iloc[0].get("reason", "")
        return f"not possible: {reason}" if isinstance(reason, str) and reason else ""


def _joint(b: FloatArray, V: FloatArray, dfs: FloatArray) -> JointTest:
    q = len(b)
    if not np.isfinite(V).all() or not q:
        return JointTest(reason=say("regression.no_joint"))
    df = float(dfs.min())
    if df <= q:
        return JointTest(reason=say("regression.few_for_joint", n=q, df=df))
    statistic = float(b @ np.linalg.solve(V, b)) * (df - q + 1) / (q * df)
    value = f_value(statistic, q, df - q + 1)
    return JointTest(statistic, q, df - q + 1, float(value.upper))


@one_thread()
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
        As for :func:`~eventstudy.analysis.cross_section.explain.explain`.
    clusters : mapping of str to (N,) int array, optional
        The one or two columns by which the compared errors are clustered, in place of `cov`.

    Returns
    -------
    CarRegression
    """
    _check(weights, cov, se)
    lines = Lines.of(sample, design, window, weights)
    dates = DateClusters.by_date(sample).number
    merged = DateClusters.merged(sample, window).number
    by_date = lines.clustered_or_none({"date": merged}, "CR2")._replace(label=BY_DATE)
    is_by_date = bool(by_date.df[design.slopes].min() >= ENOUGH_FREEDOM)
    every = [by_date]
    if not is_by_date or len(dates) <= Limits.PAIRWISE:
        every.append(portfolio_errors(sample, window, lines.X, lines.A))
    main = by_date if is_by_date else every[-1]
    clustering = {"date": dates} if cov == "date" and not clusters else clusters or {}
    by_dates = list(clustering) == ["date"] and se == "CR2"
    is_known = by_dates and np.array_equal(merged, clustering["date"])
    if clustering and not (is_known and is_by_date):
        compared = by_date if is_known else lines.clustered_or_none(clustering, se)
        if compared.label == BY_DATE and not is_known:
            # Dates as they are, though windows of some share a session.
            compared = compared._replace(label=f"{BY_DATE} by date")
    else:
        clustering, kind = {}, "HC3" if cov == "date" else cov
        compared = independent_errors(kind, lines.A, lines.X, lines.e, lines.weight)
    table = _table(lines, design, main, compared)
    is_published = not _covers(clustering, merged)
    notes = (
        *_counts(dropped), *design.notes, *_notes_on_weights(lines, weights),
        *notes_on_errors(sample, design, main),
        *_notes_on_compared(design, compared, dates, is_published=is_published),
    )  # fmt: skip
    return CarRegression(
        table, window, weights, main.label, compared.label, is_published, len(dates),
        len(np.unique(dates)), float(lines.fit.rsquared), dropped, notes, design.terms,
        tuple({each.label: each for each in (*every, compared)}.values()), lines.fit,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lines:
    """The least squares of N CARs on k regressors.

    Attributes
    ----------
    y : (N,) float array
        CARs (decimal).
    X : (N, k) float array
    weight : (N,) float array
    A : (k, N) float array
        (X'WX)^-1 X'W, by which CARs become coefficients.
    fit : statsmodels RegressionResults
    """

    y: FloatArray
    X: FloatArray
    weight: FloatArray
    A: FloatArray
    fit: Any

    @classmethod
    def of(cls, sample: AbnormalReturns, design: Design, window: Window, weights: str) -> Lines:
        """Return the least squares of the CARs of a sample.

        Parameters
        ----------
        sample : AbnormalReturns
        design : Design
        window : Window
        weights : {"equal", "precision"}

        Raises
        ------
        NotPossibleError
            If there are not more events than regressors.
        """
        from statsmodels.regression.linear_model import OLS, WLS

        N, k = design.X.shape
        if k >= N:
            named = dict.fromkeys(name for term in design.terms for name in term.columns)
            raise make_error(NotPossibleError, "wrong.many_terms", value=", ".join(named), n=N, k=k)
        car = sample.car(window)
        weight = np.ones(N)
        X = pd.DataFrame(design.X, columns=[term.name for term in design.terms])
        model = OLS(pd.Series(car, name="CAR"), X)
        if weights == "precision":
            weight = np.asarray(1 / sample.var_car(window))
            model = WLS(pd.Series(car, name="CAR"), X, weights=weight)
        root = np.sqrt(weight)
        A = np.asarray(np.linalg.pinv(design.X * root[:, None]) * root)
        return cls(car, design.X, weight, A, model.fit())

    @property
    def b(self) -> FloatArray:
        """The coefficients, (k,)."""
        return self.A @ self.y

    @property
    def e(self) -> FloatArray:
        """The residuals, (N,)."""
        return self.y - self.X @ self.b

    def refitted(self, cars: FloatArray) -> FloatArray:
        """Return the coefficients of other CARs of the same events, (k,).

        Parameters
        ----------
        cars : (N,) float array
            NaN for an event without one; all coefficients are NaN where the others do not determine
            them.
        """
        has_car = np.isfinite(cars)
        if has_car.all():
            return self.A @ cars
        root = np.sqrt(self.weight[has_car])
        X = self.X[has_car] * root[:, None]
        b, _, rank, _ = np.linalg.lstsq(X, cars[has_car] * root, rcond=None)
        return np.asarray(b) if rank == X.shape[1] else np.full(X.shape[1], np.nan)

    def clustered_or_none(self, clusters: Mapping[str, IntArray], se: ClusterError) -> Errors:
        """Return errors clustered by one column or two; NaN and the reason where there are none.

        Parameters
        ----------
        clusters : mapping of str to (N,) int array
        se : {"CR2", "CR1"}
        """
        root = np.sqrt(self.weight)
        try:
            return errors_by(self.X * root[:, None], self.y * root, self.e * root, clusters, se)
        except NotPossibleError as error:
            label = f"{se} by {' and '.join(clusters)}"
            return Errors.none(label, self.X.shape[1], str(error))


def _check(weights: str, cov: str, se: str) -> None:
    choices = {"weights": (weights, Weights), "cov": (cov, Cov), "se": (se, ClusterError)}
    for name, (value, literal) in choices.items():
        if value not in get_args(literal):
            remedy = "use " + ", ".join(get_args(literal))
            raise ConfigError("unknown choice", where=name, value=value, remedy=remedy)


def _covers(clusters: Mapping[str, IntArray], merged: IntArray) -> bool:
    """Return whether events that share days are in one cluster, or no two events share any."""
    if len(np.unique(merged)) == len(merged):
        return True
    return any(pd.Series(c).groupby(merged).nunique().max() == 1 for c in clusters.values())


def _table(lines: Lines, design: Design, main: Errors, compared: Errors) -> pd.DataFrame:
    """Return one row a term: what it is called, the errors that decide, and compared ones."""
    terms = pd.DataFrame(list(map(asdict, design.terms))).drop(columns="columns")
    numbers, second = (numbers_of(lines.b, each, design.terms) for each in (main, compared))
    p = second["wild_pvalue" if "wild_pvalue" in second else "pvalue"]
    table = pd.concat([terms.rename(columns={"name": "term"}), numbers], axis=1)
    columns = {"compared_se": "se", "compared_low": "ci_low", "compared_high": "ci_high"}
    compared_numbers = {name: second[source] for name, source in columns.items()}
    return table.assign(**compared_numbers, compared_pvalue=p, compared_reason=second["p_reason"])


def numbers_of(b: FloatArray, errors: Errors, terms: Sequence[Term]) -> pd.DataFrame:
    """Return the numbers of k coefficients by one kind of errors.

    Parameters
    ----------
    b : (k,) float array
    errors : Errors
    terms : sequence of k Term

    Returns
    -------
    DataFrame
        estimate, se, statistic, df, pvalue, ci_low, ci_high, p_reason, and wild_pvalue if there are
        any. Errors from the residuals of a class of fewer than five events have no p.
    """
    se, df = np.sqrt(np.diag(errors.V)), errors.df
    is_none = np.zeros(len(b), dtype=bool)
    if errors.label != PORTFOLIO:
        is_none = np.array([term.smallest < SMALLEST_CLASS for term in terms])
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(is_none, np.nan, b / se)
    p = [pvalue(value, nu) if value == value else np.nan for value, nu in zip(t, df, strict=True)]
    half = np.where(is_none, np.nan, se * np.array([Interval.quantile(nu) for nu in df]))
    reasons = [
        say("regression.small_class", n=term.smallest) if none else errors.reason
        for term, none in zip(terms, is_none, strict=True)
    ]
    table = pd.DataFrame({
        "estimate": b, "se": se, "statistic": t, "df": df, "pvalue": p, "ci_low": b - half,
        "ci_high": b + half, "p_reason": reasons,
    })  # fmt: skip
    if errors.wild is None:
        return table
    return table.assign(wild_pvalue=np.where(is_none, np.nan, errors.wild))


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
        raise make_error(NotPossibleError, "wrong.ids_twice", value=twice.iloc[0])
    rows = np.flatnonzero(study.ok)
    used = study.events.iloc[rows]
    cells = [(name, *cells_of(study.column(name).iloc[rows], name)) for name in names]
    lacks = {f"no value of {name}": missing for name, _, missing in cells}
    open_yet = ", which is not over yet" if awaits_days(study, window) else ""
    has_no_car = ~np.isfinite(study.abnormal.car(window)[rows])
    lacks = {f"lacks days of {window}{open_yet}": has_no_car, **lacks}
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


def _counts(dropped: dict[str, str]) -> list[str]:
    """Return how many events are left out for each reason."""
    reasons = list(dropped.values())
    return [f"{reasons.count(reason)} left out: {reason}" for reason in dict.fromkeys(reasons)]


def _notes_on_weights(lines: Lines, weights: Weights) -> list[str]:
    if weights == "equal":
        return []
    return [say("regression.scale", value=(lines.weight * lines.e**2).mean())]


def notes_on_errors(sample: AbnormalReturns, design: Design, main: Errors) -> list[str]:
    """Return what the errors that decide rest on, and what they do not see.

    Parameters
    ----------
    sample : AbnormalReturns
    design : Design
    main : Errors
    """
    dates = DateClusters.by_date(sample).number
    facts = {"n": len(dates), "dates": len(np.unique(dates))}
    if main.label != PORTFOLIO:
        return [say("regression.by_date", **facts), *main.notes]
    code = "one_date" if facts["dates"] == 1 else "few_dates"
    notes = [say(f"regression.{code}", **facts)]
    if named := measured_before(sample, design):
        first, *later = named
        names = [capitalised(first), *map(uncapitalised, later)]
        notes.append(say("regression.measured", names=names, n=len(names)))
    return [*notes, say(f"regression.{code}_limit"), *main.notes]


def _notes_on_compared(
    design: Design, compared: Errors, dates: IntArray, *, is_published: bool
) -> list[str]:
    """Return what the errors that are compared are, and where they have no p."""
    notes = []
    if is_published and not compared.reason:
        code = "one_date" if len(np.unique(dates)) == 1 else "few_dates"
        notes.append(say(f"regression.published_{code}", errors=compared.label))
    if compared.reason:
        notes.append(say("regression.none_beside", errors=compared.label, why=compared.reason))
    slopes = [term for term in design.terms if term.name != CONSTANT]
    if small := [term.label for term in slopes if 1 < term.smallest < SMALLEST_CLASS]:
        notes.append(say("regression.small_classes", names=small))
    if lone := [term.label for term in slopes if term.smallest == 1]:
        notes.append(say("regression.lone_classes", names=lone))
    return [*notes, *compared.notes]
