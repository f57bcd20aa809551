"""Standard errors of a regression of CARs: of independent events, or clustered by date."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import NotPossibleError
from ..significance.date_clustered import MIN_DATES
from ..significance.wild_bootstrap import MIN_CLUSTERS
from ..utility.typing import FloatArray, IntArray
from ._clustered import (
    ClusterError,
    decisive,
    inverse_root,
    loadings,
    satterthwaite,
    scores,
    wild_pvalues,
)
from ._design import CONSTANT, Design

# With fewer dates the reference law of a clustered t is itself an approximation.
FEW_DATES = 10
LARGE_SHARE = 1 / 3
# 1 minus the leverage of an event: below this it alone determines a coefficient.
ALONE = 1e-9
# So many terms are named.
SHOWN = 3
# Scores of dates this small beside those of their events are zero but for rounding.
ROUNDING = 1e-10


class Errors(NamedTuple):
    """Covariance of the estimates, degrees of freedom, bootstrap p-values, notes, and the fit."""

    fit: Any
    V: FloatArray
    df: FloatArray
    wild: FloatArray | None = None
    notes: tuple[str, ...] = ()


def by_event(fit: Any, X: FloatArray, design: Design, cov: str) -> Errors:
    """Return errors that take events as independent."""
    N, k = X.shape
    if cov == "known_variance":
        root = inverse_root(X)
        return Errors(fit, root @ root.T, np.full(k, np.inf))
    if cov not in ("nonrobust", "scaled"):
        _check_leverage(X, design, cov)
        fit = fit.get_robustcov_results(cov, use_t=True)
    return Errors(fit, np.asarray(fit.cov_params()), np.full(k, float(N - k)))


def by_date(
    fit: Any, X: FloatArray, y: FloatArray, e: FloatArray, dates: IntArray, se: ClusterError
) -> Errors:
    """Return errors clustered by date, with bootstrap p-values if dates are few."""
    size = np.bincount(dates)
    (N, k), G = X.shape, len(size)
    if G < MIN_DATES:
        raise NotPossibleError(
            f"{G} dates, at least {MIN_DATES} are needed to cluster by date", where="cov"
        )
    A = loadings(X, dates, se)
    S = scores(A, e, dates)
    if (np.abs(S).max(axis=0) <= ROUNDING * np.abs(A * e[:, None]).max(axis=0)).any():
        raise NotPossibleError(
            "the columns tell every date from the others: nothing is left to estimate errors by "
            "date from",
            where="cov", remedy="leave out what is the same for all events of a date",
        )  # fmt: skip
    if se == "CR1":
        fit = fit.get_robustcov_results("cluster", groups=dates, use_t=True)
    df = np.full(k, G - 1.0) if se == "CR1" else satterthwaite(X, A, dates)
    notes = []
    if alone := decisive(X, dates):
        day = "date determines" if alone == 1 else "dates determine"
        notes.append(f"{alone} {day} a coefficient alone, whose error leaves them out")
    if size.max() / N > LARGE_SHARE:
        notes.append(f"the largest date holds {size.max() / N:.0%} of the events")
    if len(size) >= FEW_DATES:
        return Errors(fit, S.T @ S, df, notes=tuple(notes))
    least = f"; it cannot fall below {2.0 ** (1 - G):g}" if G < MIN_CLUSTERS else ""
    notes.append(f"{G} dates: read wild_pvalue, a wild cluster bootstrap, beside pvalue{least}")
    return Errors(fit, S.T @ S, df, wild_pvalues(X, y, dates, A), tuple(notes))


def _check_leverage(X: FloatArray, design: Design, cov: str) -> None:
    """Refuse HC2 and HC3 where the residual of an event is zero whatever its CAR."""
    leverage = (np.linalg.qr(X)[0] ** 2).sum(axis=1)
    alone = leverage > 1 - ALONE
    if cov not in ("HC2", "HC3") or not alone.any():
        return
    single = (design.X != 0).sum(axis=0) == 1
    terms = [term for term, once in zip(design.terms, single, strict=True) if once]
    named = terms or [name for name in dict.fromkeys(design.origin) if name != CONSTANT]
    rest = f" and {len(named) - SHOWN} more" * (len(named) > SHOWN)
    raise NotPossibleError(
        f"{cov} is not defined where one event alone determines a coefficient",
        value=", ".join(named[:SHOWN]) + rest,
        remedy="merge them with others, or leave the column out",
    )  # fmt: skip
