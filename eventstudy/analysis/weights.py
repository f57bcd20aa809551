"""Weighted means of CARs, and what events cost in money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError
from ..significance._base import InapplicableError, pvalue
from ..significance._correlation import NO_PAIR, PAIRWISE_LIMIT, car_correlations, mean_correlation
from ..significance._loadings import ROUNDING
from ..utility.numbers import p_is
from ..utility.registry import Registry, did_you_mean
from ..utility.typing import BoolArray, FloatArray, Measure
from ..utility.units import WORDS
from ._benchmark import require_returns
from .market_values import no_numbers, unvalued

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike, WindowsLike

LEVEL = 0.95
# Column of the market value before the event.
SIZE = "mcap"
WEIGHTS: Registry[Callable[[FloatArray, FloatArray], FloatArray]] = Registry("weighting")


class Combination(NamedTuple):
    """A weighted sum of CARs, its standard errors, and why the first of these is missing."""

    estimate: float = np.nan
    se: float = np.nan
    se_independent: float = np.nan
    statistic: float = np.nan
    pvalue: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    kappa: float = np.nan
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """Weighted mean CAR over one window (decimal), H0: it is zero.

    Attributes
    ----------
    weights : {"equal", "value", "precision"}
    window : Window
    n_events : int
        Events that have weight.
    estimate : float
    se : float
        Of correlated events with event-induced variance, sqrt(w'Om w max(1, kappa)).
    se_independent : float
        sqrt(sum w^2 Var(CAR)).
    statistic, pvalue, ci_low, ci_high : float
        estimate / se, referred to t(N-1) where the event raises variance (kappa > 1), for one event
        to t(M-k), else to N(0,1); the interval is at 95%.
    kappa : float
        var(SCAR) / (1 - r), by how much the event raised the variance; NaN for one event.
    reason : str
        Why there is no standard error, or which events have no weight.
    measure : str
        What is studied.
    """

    weights: str
    window: Window
    n_events: int
    estimate: float
    se: float
    se_independent: float
    statistic: float
    pvalue: float
    ci_low: float
    ci_high: float
    kappa: float
    reason: str = ""
    measure: Measure = "return"

    @property
    def z_independent(self) -> float:
        """estimate / se_independent: J1 for equal weights (MacKinlay 1997), z for weights by
        precision."""
        return self.estimate / self.se_independent

    def __str__(self) -> str:
        head = f"{self.weights}-weighted CAAR{self.window} of {self.n_events}"
        w = WORDS[self.measure]
        size = f": {w.plain(self.estimate)}" if self.n_events else ""
        rest = (
            f" (95% {w.plain(self.ci_low)} to {w.plain(self.ci_high)}),"
            f" z = {self.statistic:.3f}, {p_is(self.pvalue, 4)}"
        )
        return "; ".join(
            filter(None, (head + size + (rest if np.isfinite(self.se) else ""), self.reason))
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


@dataclass(frozen=True, eq=False, slots=True)
class DollarLoss:
    """Abnormal gain or loss of market value, CAR_i x market value; in the unit of the market
    values.

    Attributes
    ----------
    window : Window
    events : DataFrame
        event_id, ticker, the column of market values, car, adl, se (of the single event) of the
        events that have a market value.
    total, se, se_independent, statistic, pvalue, ci_low, ci_high, kappa, reason
        Of the sum over events, as in :class:`WeightedMean`.
    """

    window: Window
    events: pd.DataFrame
    total: float
    se: float
    se_independent: float
    statistic: float
    pvalue: float
    ci_low: float
    ci_high: float
    kappa: float
    reason: str = ""

    def __str__(self) -> str:
        head = f"abnormal change of market value{self.window} of {len(self.events)}"
        size = f": {self.total:,.6g}" if len(self.events) else ""
        rest = f" (95% {self.ci_low:,.6g} to {self.ci_high:,.6g}), {p_is(self.pvalue, 4)}"
        return "; ".join(
            filter(None, (head + size + (rest if np.isfinite(self.se) else ""), self.reason))
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.events.to_html(border=0, index=False)}"


def weighted_caar(
    results: FittedStudy, window: WindowLike, weights: str = "equal", column: str = SIZE
) -> WeightedMean:
    """Return the weighted mean CAR over `window`; weights sum to one over the events that have one.

    Parameters
    ----------
    results : FittedStudy
    window : window
    weights : {"equal", "value", "precision"}
        Alike, by market value, or by 1/Var(CAR).
    column : str
        Column of the events with the market value *before* the window; later values depend on the
        CAR. For ``mcap`` the market values of the study go first, if it has any.

    Raises
    ------
    ConfigError
        For unknown weights or column.
    """
    raw, asked = WEIGHTS[weights], Window.of(window)
    valid, reason = results.abnormal.valid(asked), ""
    size = np.full(len(valid), np.nan)
    if weights == "value":
        size, valid, reason = _with_size(results, valid, column, asked)
    sample = _taken(results.abnormal, asked, valid)
    own = raw(size[valid], sample.var_car(asked))
    combined = _combined(sample, asked, own / own.sum(), reason)
    return WeightedMean(weights, asked, len(sample), *combined, results.panel.measure)


def dollar_loss(results: FittedStudy, window: WindowLike, column: str = SIZE) -> DollarLoss:
    """Return the abnormal change of market value of each event and of all, ADL_i = CAR_i x market
    value.

    Market values must be in one currency, and the study of returns. For parameters and errors see
    :func:`weighted_caar`.
    """
    require_returns(results)
    asked = Window.of(window)
    size, valid, reason = _with_size(results, results.abnormal.valid(asked), column, asked)
    sample, size = _taken(results.abnormal, asked, valid), size[valid]
    car, sd = sample.car(asked), np.sqrt(sample.var_car(asked))
    frame = pd.DataFrame({
        **results.ids_of(np.flatnonzero(valid)), column: size, "car": car, "adl": car * size,
        "se": sd * size,
    })  # fmt: skip
    return DollarLoss(asked, frame, *_combined(sample, asked, size, reason))


def aggregates(
    results: FittedStudy, windows: WindowsLike | None = None, column: str = SIZE
) -> pd.DataFrame:
    """Return the weighted means over all windows, in the fields of :class:`WeightedMean`.

    Weights by value are left out if there are no market values.
    """
    chosen = [name for name in WEIGHTS if name != "value" or has_sizes(results, column)]
    rows = []
    for window in results.windows_of(windows):
        means = (asdict(weighted_caar(results, window, name, column)) for name in chosen)
        rows += [{"start": window.start, "stop": window.stop, **mean} for mean in means]
    names = [
        "start",
        "stop",
        *(f.name for f in fields(WeightedMean) if f.name not in ("window", "measure")),
    ]
    return pd.DataFrame(rows, columns=names)


def market_values(
    results: FittedStudy, windows: WindowsLike | None = None, column: str = SIZE
) -> pd.DataFrame:
    """Return the abnormal change of market value of all events over all windows, one row each."""
    rows = []
    for window in results.windows_of(windows):
        loss = dollar_loss(results, window, column)
        own = {
            f.name: getattr(loss, f.name)
            for f in fields(DollarLoss)
            if f.name not in ("window", "events")
        }
        rows.append(
            {"start": window.start, "stop": window.stop, "n_events": len(loss.events), **own}
        )
    return pd.DataFrame(rows)


@WEIGHTS.register("equal")
def equal(size: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the same weight for all."""
    return np.ones(len(size))


@WEIGHTS.register("value")
def value(size: FloatArray, variance: FloatArray) -> FloatArray:
    """Return market values."""
    return size


@WEIGHTS.register("precision")
def precision(size: FloatArray, variance: FloatArray) -> FloatArray:
    """Return 1/Var(CAR)."""
    return 1 / variance


def _combined(
    sample: AbnormalReturns, window: Window, weights: FloatArray, reason: str
) -> Combination:
    """Return sum w CAR with sqrt(w'Om w max(1, kappa)), Om_ij = rho_ij o_ij sd_i sd_j."""
    from scipy.special import ndtri, stdtrit

    if not len(sample):
        return Combination(reason=reason or "no event has all days of the window")
    scaled = weights * np.sqrt(sample.var_car(window))
    total, alone = float(weights @ sample.car(window)), float(np.sqrt((scaled**2).sum()))
    try:
        kappa = _inflation(sample, window)
        variance = _quadratic(sample, window, scaled)
        if not variance > ROUNDING * alone**2:
            raise InapplicableError(
                "w'Om w is not positive: the correlations contradict each other"
            )
    except InapplicableError as error:
        reasons = "; ".join(filter(None, (str(error), reason)))
        return Combination(total, se_independent=alone, reason=reasons)
    se = float(np.sqrt(variance * np.fmax(1, kappa)))
    df, upper = _freedom(sample, kappa), 0.5 + LEVEL / 2
    half = float(ndtri(upper) if np.isinf(df) else stdtrit(df, upper)) * se
    p = pvalue(total / se, df)
    return Combination(total, se, alone, total / se, p, total - half, total + half, kappa, reason)


def _freedom(sample: AbnormalReturns, kappa: float) -> float:
    """Return the degrees of freedom: those of the variance across events where it enters, else
    infinite.

    With N(0,1) and four times the variance 5 events would reject in 10.9 % of null samples, 10 in
    8.1 %.
    """
    if len(sample) == 1:
        return float(sample.df_resid[0])
    return float(len(sample) - 1) if kappa > 1 else np.inf


def _inflation(sample: AbnormalReturns, window: Window) -> float:
    """Return kappa = var(SCAR) / (1 - r), NaN for one event."""
    if len(sample) < 2:
        return np.nan
    r = mean_correlation(sample, window).rbar
    if not r < 1:
        raise InapplicableError(NO_PAIR)
    return float(sample.scar(window).var(ddof=1) / (1 - r))


def _quadratic(sample: AbnormalReturns, window: Window, scaled: FloatArray) -> float:
    """Return sum_ij rho_ij o_ij s_i s_j; above 2,000 events every pair has the mean of rho o."""
    if len(sample) <= PAIRWISE_LIMIT:
        return float(scaled @ _correlations(sample, window) @ scaled)
    own = float((scaled**2).sum())
    return own + mean_correlation(sample, window).rbar * (float(scaled.sum()) ** 2 - own)


def _correlations(sample: AbnormalReturns, window: Window) -> FloatArray:
    """Return the correlations of the CARs, kept until another window is asked for: all weights need
    them."""
    asked, found = sample.memo.get("car_correlations", (None, None))
    if asked != window:
        found = car_correlations(sample, window)
        sample.memo["car_correlations"] = window, found
    return found  # type: ignore[no-any-return]


def _taken(abnormal: AbnormalReturns, window: Window, chosen: BoolArray) -> AbnormalReturns:
    """Return the chosen events: the sample that tests share, if they are all that are valid."""
    sample = abnormal.sample(window)
    return sample if chosen.sum() == len(sample) else abnormal.take(chosen)


def has_sizes(results: FittedStudy, column: str = SIZE) -> bool:
    """Tell whether there are market values: of the study, or in a column of the events."""
    return column in results.events or (column == SIZE and results.sizes is not None)


def _with_size(
    results: FittedStudy, valid: BoolArray, column: str, window: Window
) -> tuple[FloatArray, BoolArray, str]:
    """Return market values (n,), the valid events that have one, and a word on those that have
    none.

    Where the study has market values they are those before the first day of the window, whatever
    the column says: numbers of two origins are never weighed against each other.
    """
    reasons = np.full(len(valid), "", dtype=object)
    if column == SIZE and results.sizes is not None:
        size, reasons = results.sizes.before(window.start), results.sizes.reasons
    elif column in results.events:
        size = pd.to_numeric(results.events[column], errors="coerce").to_numpy(dtype=float)
        reasons = no_numbers(results.events[column], column)
    else:
        hint = did_you_mean(column, [str(c) for c in results.events.columns])
        raise ConfigError("the events have no such column", value=column, remedy=hint)
    known = np.isfinite(size) & (size > 0)
    ids = results.events["event_id"].to_numpy(object)
    return size, valid & known, "; ".join(unvalued(ids, reasons, valid & ~known, column))
