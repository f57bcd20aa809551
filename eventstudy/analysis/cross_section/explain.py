"""Regressions of CARs by formula, and several of them side by side."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...abnormal import Conventions
from ...calendars import Window
from ...errors import ConfigError
from ...fitting import FittedStudy, WindowLike, names_of
from ...significance import DateClusters
from ...utility import IntArray
from ...words import make_error, say
from ..placebos.shifted_dates import draw_cars
from ._car_errors import ClusterError, NotPossibleError
from ._portfolio_errors import rank_pvalues, residual_sums
from ._regressors import CONSTANT, Design, Labels, name_terms, require_rank, require_variation
from .cross_section import CarRegression, Cov, Lines, Weights, complete_events, estimate

# A cluster that is no column: the session of day 0.
DATE = "date"
# What stands on the left of each formula.
CAR = "car_over_window"
ALLOWED = 'it holds columns, C(), Q("a column"), I(), np.log() and the like, and + - * : / only'
FUNCTIONS = {
    "C", "Q", "I", "Treatment", "Sum", "np.log", "np.log1p", "np.log10", "np.exp", "np.sqrt",
    "np.abs", "np.sign",
}  # fmt: skip
# What the syntax tree of a formula holds beside names, numbers, texts and calls of these.
_PARTS = (
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow,
    ast.UnaryOp, ast.UAdd, ast.USub,
    ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
    ast.Tuple, ast.keyword, ast.Load,
)  # fmt: skip
# What a column is called in the formula of a list of columns.
_ALIAS = re.compile(r"^column_(\d+)")
# What makes a formula of a name that no column has.
_FORMULA = re.compile(r"[+*:()~]")


def refuse_formula(name: str, columns: Container[str]) -> None:
    """Raise ConfigError if a name, which should be one of the columns, is a formula.

    Parameters
    ----------
    name : str
    columns : container of str
    """
    if name not in columns and _FORMULA.search(name):
        raise make_error(ConfigError, "wrong.formula", where="regress", value=name)


def regress_car(
    study: FittedStudy, columns: str | Iterable[str], window: WindowLike | None = None, *,
    weights: Weights = "equal", cov: Cov = "HC3", se: ClusterError = "CR2",
    labels: Labels | None = None,
) -> CarRegression:  # fmt: skip
    """Regress CARs on columns of the events, with a constant.

    Parameters
    ----------
    study : FittedStudy
    columns : str or iterable of str
        Columns of the events. Numbers enter as they are; text as dummies against its first level in
        alphabetical order. Events with a missing value are left out and counted.
    window : window, optional
        By default the main one.
    weights, cov, se, labels : see :func:`explain`

    Returns
    -------
    CarRegression

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window; for an unknown column or option.
    NotPossibleError
        A ConfigError: for event ids that occur twice, columns that are constant, collinear or mix
        numbers and text, and too few events.
    """
    window = Window.of(study.main if window is None else window)
    names = names_of(columns)
    for name in names:
        refuse_formula(name, study.events.columns)
    rows, series, dropped = complete_events(study, names, window)
    # Names that no column of a user can clash with, whatever letters that has.
    aliases = {f"column_{i}": name for i, name in enumerate(names)}
    cells = {alias: values for alias, (_, values) in zip(aliases, series, strict=True)}
    formula = " + ".join(aliases) or "1"
    design = _design(formula, pd.DataFrame(cells, index=range(len(rows))), labels or {}, aliases)
    kinds: Any = {"weights": weights, "cov": cov, "se": se}
    return estimate(study.abnormal.take(rows), design, window, dropped, **kinds)


def explain(
    study: FittedStudy, formula: str, window: WindowLike = (0, 1), *,
    cluster: str | Iterable[str] = (), cov: Cov = "HC3", weights: Weights = "equal",
    se: ClusterError = "CR2", labels: Labels | None = None, rank: bool = False,
) -> CarRegression:  # fmt: skip
    r"""Regress CARs on a formula of columns of the events.

    Parameters
    ----------
    study : FittedStudy
    formula : str
        In the language of R, such as ``"size + C(sector) + direction:leverage"``: text and ``C()``
        enter as dummies against the first level in alphabetical order, ``np.log(size)`` and the
        like are allowed, ``Q("my column")`` names a column with a space. Events with a missing
        value of a column are left out and counted.
    window : window
    cluster : str or iterable of str, optional
        One column of the events or two by which the compared errors are clustered, in place of
        `cov`; ``date`` is the session of day 0 unless the events have such a column. Of two the
        errors are CR1.
    cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date"}
        Errors that are compared with those that decide. HC and classical errors have t(N-k);
        "nonrobust" is s2 (X'WX)^-1 with weights; "date" clusters by event date.
    weights : {"equal", "precision"}
        Ordinary least squares, or weights 1/Var(CAR).
    se : {"CR2", "CR1"}
        Error of clusters: CR2 with Satterthwaite degrees of freedom, or CR1 with t(G-1), which
        over-rejects when clusters have unequal numbers of events. With fewer than 10 clusters the p
        is that of a wild cluster bootstrap with all 2^G flips of signs.
    labels : mapping of str to str, optional
        Words for the rows of tables: of a column, of one class of it (``{"sector=oil": "Oil"}``),
        or of the constant (``const``). Words that end in ", per 10%" set the step of a number.
    rank : bool
        Whether each coefficient is also ranked among those of other days: with one date among those
        of the estimation days, else among those of shifted calendars.

    Returns
    -------
    CarRegression

    Raises
    ------
    ConfigError
        For an unknown column, or a formula that cannot be read.
    NotPossibleError
        A ConfigError: as for :func:`regress_car`; where a term is not finite, such as a log of
        zero.

    Notes
    -----
    The errors that decide are chosen by the design alone, for all coefficients at once. If CR2 by
    date (dates whose windows share a session count as one) has at least 10 Satterthwaite degrees of
    freedom for each slope, they are CR2 by date; else they are those of portfolios
    of firms (`portfolio_errors`). HC errors and clusters that
    part events of one date take them as independent, and are far too small if firms that are alike
    move together. Errors from residuals give no p for a class of fewer than five events.

    H0 of each row: the coefficient is zero. Portfolio errors ask whether these firms moved apart on
    these dates, errors by date whether such firms do on average. Effects that differ between events
    make the variance of the CARs other than proportional to 1/w, so classical errors are safe
    neither with nor without weights (Harrington and Shrider).

    References
    ----------
    .. [1] Cohn, J. B., Johnson, T. L., Liu, Z. and Wardlaw, M. I. Past is prologue: inference from
       the cross section of returns around an event. Programs and data (2026):
       doi 10.17632/np3ktdbpnp.2.
    .. [2] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181 (CR2).
    .. [3] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008). Bootstrap-based improvements for
       inference with clustered errors. Review of Economics and Statistics 90, 414-427.
    .. [4] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2011). Robust inference with multiway
       clustering. Journal of Business & Economic Statistics 29, 238-249.
    .. [5] Harrington, S. E. and Shrider, D. G. (2007). All events induce variance: analyzing
       abnormal returns when effects vary across firms. Journal of Financial and Quantitative
       Analysis 42, 229-256.
    """
    window = Window.of(window)
    right = " ".join(str(formula).rpartition("~")[2].splitlines()).strip()
    regressors = columns_of(right)
    by = names_of(cluster) if cluster else []
    named = [name for name in by if name != DATE or DATE in study.events]
    names = list(dict.fromkeys([*regressors, *named]))
    rows, series, dropped = complete_events(study, names, window)
    cells = {name: _whole(values) for name, values in series}
    sample = study.abnormal.take(rows)
    codes = {name: pd.factorize(values)[0] for name, values in cells.items() if name in by}
    dates = DateClusters.by_date(sample).number
    clusters = {name: codes.get(name, dates) for name in by}
    table = pd.DataFrame({name: cells[name] for name in regressors}, index=range(len(rows)))
    design = _design(right, table, labels or {})
    kinds: Any = {"weights": weights, "cov": cov, "se": se, "clusters": clusters}
    fit = estimate(sample, design, window, dropped, **kinds)
    return _ranked(study, rows, design, fit) if rank else fit


def _ranked(
    study: FittedStudy, rows: IntArray, design: Design, fit: CarRegression
) -> CarRegression:
    """Return a regression with the rank of each coefficient among those of other days."""
    sample, window = study.abnormal.take(rows), fit.window
    lines = Lines.of(sample, design, window, fit.weights)
    if fit.n_dates == 1:
        cars = residual_sums(sample, len(window))
    else:
        cars = draw_cars(study.subset(rows), window, Conventions.CALIBRATE)
    placebo = np.array([lines.refitted(row) for row in cars]).reshape(len(cars), len(lines.A))
    p = rank_pvalues(lines.b, placebo)
    drawn = len(placebo)
    code = "regression.ranked_one_date" if fit.n_dates == 1 else "regression.ranked"
    if drawn < Conventions.FEWEST_PLACEBOS:
        p, code = np.full(len(p), np.nan), "regression.not_ranked"
    note = say(code, n=drawn, needed=Conventions.FEWEST_PLACEBOS)
    return replace(fit, table=fit.table.assign(rank_pvalue=p), notes=(*fit.notes, note))


def columns_of(formula: str) -> list[str]:
    """Return the columns that a formula names, each once.

    Python evaluates formulas, so only what is meant gets through: a list of what its syntax tree
    may hold, of which nothing but a few functions is called.

    Parameters
    ----------
    formula : str
        Its right-hand side, in one line.

    Raises
    ------
    ConfigError
        For a formula that holds anything else.
    """
    try:
        if "\\" in formula:
            raise SyntaxError("a quoted name stands as it is")
        # An interaction is a product to Python, which reads no colon there.
        tree = ast.parse(formula.replace(":", "*"), mode="eval")
        return list(dict.fromkeys(_columns_in(tree.body, formula)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigError("a formula that cannot be read", value=formula, remedy=ALLOWED) from None


def _columns_in(node: ast.AST, formula: str) -> Iterator[str]:
    """Yield the columns in a part of a formula; SyntaxError for what may not be there."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if name not in FUNCTIONS:
            raise SyntaxError(f"no function of formulas: {name}")
        for part in (*node.args, *node.keywords):
            if name == "Q" and isinstance(part, ast.Constant):
                yield str(ast.literal_eval(ast.get_source_segment(formula, part) or ""))
            else:
                yield from _columns_in(part, formula)
    elif isinstance(node, ast.Constant) and type(node.value) in (str, int, float):
        return
    elif isinstance(node, _PARTS):
        for part in ast.iter_child_nodes(node):
            yield from _columns_in(part, formula)
    else:
        raise SyntaxError(f"no part of a formula: {type(node).__name__}")


def _whole(cells: pd.Series) -> pd.Series:
    """Return whole numbers as such: levels are named by them."""
    is_whole = pd.api.types.is_float_dtype(cells) and (cells % 1 == 0).all()
    return cells.astype("int64") if is_whole else cells


def _design(
    formula: str, cells: pd.DataFrame, labels: Labels, aliases: Mapping[str, str] | None = None
) -> Design:
    """Return the regressors of a formula; `aliases` are columns by their names in it."""
    from statsmodels.formula.api import ols

    is_listed = aliases is not None
    aliases = aliases or {str(name): str(name) for name in cells}
    require_variation({name: cells[alias] for alias, name in aliases.items()})
    try:
        with np.errstate(all="ignore"):
            model = ols(f"{CAR} ~ {formula}", cells.assign(**{CAR: 0.0}))
        if not model.exog_names:
            raise ValueError("it has no term")
    except Exception as error:
        problem, remedy = "a formula that cannot be read", str(error).partition("\n")[0]
        raise ConfigError(problem, value=formula, remedy=remedy) from None
    X = np.asarray(model.exog, dtype=float)
    names = list(model.exog_names)
    if is_listed:
        # Columns stay in the order in which they were named.
        places = [_ALIAS.match(name) for name in names]
        order = np.argsort([int(place[1]) if place else -1 for place in places], kind="stable")
        X = X[:, order]
        names = [names[i] for i in order]
    names = [CONSTANT if name == "Intercept" else name for name in names]
    names = [_ALIAS.sub(lambda m: aliases.get(m[0], m[0]), name) for name in names]
    if len(X) < len(cells) or not np.isfinite(X).all():
        raise make_error(NotPossibleError, "wrong.not_finite", value=formula)
    terms = name_terms(names, X, {name: cells[a] for a, name in aliases.items()}, labels)
    require_rank(X, terms)
    return Design(X, terms)


@dataclass(frozen=True, eq=False, repr=False)
class SideBySide:
    """Several regressions of CARs, each of which is a column of one table."""

    regressions: Mapping[str, CarRegression]

    def frame(self) -> pd.DataFrame:
        """Return one table of all regressions, with one row per term.

        Returns
        -------
        DataFrame
            Each regression has three columns: (name, estimate), (name, se) and (name, pvalue). The
            last two rows have the number of events and R2 in the columns of the estimates.
        """
        tables = {}
        for name, regression in self.regressions.items():
            table = regression.table.set_index("term")[["estimate", "se", "pvalue"]]
            facts = pd.Series({"n_events": float(regression.n_events), "r2": regression.r2})
            tables[name] = pd.concat([table, facts.to_frame("estimate")])
        joined = pd.concat(tables, axis=1, sort=False).rename_axis(index="term")
        return joined.loc[[*(t for t in joined.index if t not in facts.index), *facts.index]]

    def __str__(self) -> str:
        return self.frame().round(4).to_string(na_rep="-")

    __repr__ = __str__
