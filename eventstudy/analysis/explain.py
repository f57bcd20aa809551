"""Regressions of CARs by formula, and several of them side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..calendars.window import Window
from ..errors import ConfigError, NotPossibleError
from ..fitting.fitted import FittedStudy, WindowLike, names_of
from ..significance.clusters import number_dates
from ._car_errors import ClusterError
from ._regressors import CONSTANT, Design, require_rank
from .cross_section import CarRegression, Cov, Weights, complete_events, estimate

# A cluster that is no column: the session of day 0.
DATE = "date"
# What stands on the left of each formula.
CAR = "car_over_window"
ALLOWED = 'it holds columns, C(), Q("a column"), I(), np.log() and the like, and + - * : / only'
# A name in a formula, not behind a point, and not that of a function, an argument or a module.
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*(?:[(.]|=(?!=)))")
# What a formula may hold, without blanks and with a quotation mark for each quoted text. Python
# evaluates formulas: no call but of these functions, no attribute, no bracket gets through.
_SAFE = re.compile(
    r"(?:[+*/:),<>=!-]|(?<![\w)\"])\(|\d+(?:\.\d+)?|[A-Za-z_]\w*(?![\w.(\"])|(?<=[(,=])\""
    r"|(?:np\.(?:log|log1p|log10|exp|sqrt|abs|sign)|C|Q|I|Treatment|Sum)\()*",
    re.ASCII,
)
_QUOTED = re.compile(r"(Q\()?(\"[^\"]*\"|'[^']*')")


def explain(
    study: FittedStudy, formula: str, window: WindowLike = (0, 1), *,
    cluster: str | Iterable[str] = (), cov: Cov = "HC3", weights: Weights = "equal",
    se: ClusterError = "CR2",
) -> CarRegression:  # fmt: skip
    """Regress CARs on a formula of columns of the events.

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
        One column of the events or two by which errors are clustered, in place of `cov`; ``date``
        is the session of day 0 unless the events have such a column. Of two the errors are CR1.
    cov, weights, se : str
        As for :func:`~eventstudy.analysis.cross_section.regress_car`.

    Returns
    -------
    CarRegression
        Notes name levels that one event alone has.

    Raises
    ------
    ConfigError
        For an unknown column, or a formula that cannot be read.
    NotPossibleError
        A ConfigError: as for ``regress_car``; where a term is not finite, such as a log of zero.

    References
    ----------
    .. [1] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2011). Robust inference with multiway
       clustering. Journal of Business & Economic Statistics 29, 238-249.
    .. [2] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181.
    """
    window, right = Window.of(window), str(formula).rpartition("~")[2].strip()
    if "\\" in right or not _SAFE.fullmatch("".join(_QUOTED.sub(_as_mark, right).split())):
        raise ConfigError("a formula that cannot be read", value=formula, remedy=ALLOWED)
    by = names_of(cluster) if cluster else []
    named = [name for name in by if name != DATE or DATE in study.events]
    names = list(dict.fromkeys([*columns_of(right), *named]))
    rows, series, dropped = complete_events(study, names, window)
    cells = {name: _whole(values) for name, values in series}
    sample = study.abnormal.take(rows)
    codes = {name: pd.factorize(values)[0] for name, values in cells.items() if name in by}
    clusters = {name: codes[name] if name in codes else number_dates(sample) for name in by}
    design = _design(right, pd.DataFrame(cells, index=range(len(rows))))
    kinds: Any = {"weights": weights, "cov": cov, "se": se, "clusters": clusters}
    return estimate(sample, design, window, dropped, **kinds)


def _as_mark(quoted: re.Match[str]) -> str:
    return f'{quoted[1] or ""}"'


def columns_of(formula: str) -> list[str]:
    """Return the names in a formula that stand for columns, each once."""
    quoted = [text[1:-1] for is_name, text in _QUOTED.findall(formula) if is_name]
    names = [name for name in _NAME.findall(_QUOTED.sub(" ", formula)) if name != "np"]
    return list(dict.fromkeys([*names, *quoted]))


def _whole(cells: pd.Series) -> pd.Series:
    """Return whole numbers as such: levels are named by them."""
    is_whole = pd.api.types.is_float_dtype(cells) and (cells % 1 == 0).all()
    return cells.astype("int64") if is_whole else cells


def _design(formula: str, cells: pd.DataFrame) -> Design:
    from statsmodels.formula.api import ols

    try:
        with np.errstate(all="ignore"):
            model = ols(f"{CAR} ~ {formula}", cells.assign(**{CAR: 0.0}))
        if not model.exog_names:
            raise ValueError("it has no term")
    except Exception as error:
        problem, remedy = "a formula that cannot be read", str(error).partition("\n")[0]
        raise ConfigError(problem, value=formula, remedy=remedy) from None
    X = np.asarray(model.exog, dtype=float)
    terms = [CONSTANT if name == "Intercept" else name for name in model.exog_names]
    if len(X) < len(cells) or not np.isfinite(X).all():
        remedy = "is it a log of zero, or a division by zero? leave these events out by subset()"
        raise NotPossibleError("a term is not finite", value=formula, remedy=remedy)
    require_rank(X, terms)
    single = [term for term, n in zip(terms, (X != 0).sum(axis=0), strict=True) if n == 1]
    notes = [f"one event alone has {', '.join(single)}: its coefficient describes this event only"]
    notes = [*notes * bool(single), *_bases_of_one_event(formula, cells, single)]
    return Design(X, tuple(terms), tuple(terms), tuple(notes))


def _bases_of_one_event(formula: str, cells: pd.DataFrame, single: list[str]) -> Iterator[str]:
    """Yield a note on each level that one event has and no term of its own tells."""
    squeezed = formula.replace(" ", "")
    for name in cells:
        is_text = not pd.api.types.is_numeric_dtype(cells[name])
        counts = cells[name].value_counts() if is_text or f"C({name}" in squeezed else pd.Series()
        for level in counts.index[counts == 1]:
            if not any(f"{level}]" in term for term in single):
                yield f"one event alone has {level} of {name}, against which others are compared"


@dataclass(frozen=True, eq=False, repr=False)
class SideBySide:
    """Regressions of CARs by name, as columns of one table."""

    regressions: Mapping[str, CarRegression]

    def frame(self) -> pd.DataFrame:
        """Return one row a term, in order of first appearance.

        Returns
        -------
        DataFrame
            Columns (name, estimate), (name, se) and (name, pvalue). The last rows have the number
            of events and R2 as estimates.
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
