"""Weighted means of CARs, and the cost of events in money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import Limits, WeightedSums, require
from ...errors import InapplicableError
from ...events import Events
from ...fitting import (
    FittedStudy,
    WindowLike,
    WindowsLike,
    awaits_days,
    no_numbers,
    unvalued,
)
from ...returns import Measure
from ...significance import pvalue
from ...utility import BoolArray, FloatArray, Registry
from ...words import Paragraph, Reason, words
from ..interval import Interval, write_estimate

# Weights of events by their market values and the variances of their CARs.
WEIGHTS: Registry[Callable[[FloatArray, FloatArray], FloatArray]] = Registry("weighting")
WEIGHTS.register("equal")(lambda size, variance: np.ones(len(size)))
WEIGHTS.register("value")(lambda size, variance: size)
WEIGHTS.register("precision")(lambda size, variance: 1 / variance)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class WeightedSum(Paragraph):
    """A weighted sum of CARs over one window, with a test of the null hypothesis that it is zero.

    Attributes
    ----------
    window : Window
    estimate : float
        The sum of the CARs times their weights w.
    se : float
        Standard error sqrt(w'Om w max(1, kappa)). Here Om is the covariance matrix of the CARs.
    se_independent : float
        Standard error of independent events, sqrt(sum w^2 Var(CAR)).
    statistic, pvalue, ci_low, ci_high : float
        The statistic is estimate / se; ci_low and ci_high are the ends of the 95% interval. They
        use the t distribution with N-1 degrees of freedom if kappa > 1, and otherwise the normal
        distribution. For one event they use the t distribution with the degrees of freedom of its
        estimation.
    kappa : float
        Factor by which the event raised the variance: var(SCAR) / (1 - r). Here SCAR is the
        standardised CAR and r the mean correlation between the events. NaN for one event.
    reason : str
        Why there is no standard error, or which events have no weight.
    """

    window: Window
    estimate: float = np.nan
    se: float = np.nan
    se_independent: float = np.nan
    statistic: float = np.nan
    pvalue: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    kappa: float = np.nan
    reason: str = ""


@dataclass(frozen=True, eq=False, repr=False, slots=True, kw_only=True)
class WeightedMean(WeightedSum):
    """Weighted mean CAR over one window (decimal): a :class:`WeightedSum` of weights that sum to 1.

    Attributes
    ----------
    weights : {"equal", "value", "precision"}
    n_events : int
        Number of events with a weight.
    measure : str
        What the study measures, such as "return".
    """

    weights: str
    n_events: int
    measure: Measure = "return"

    def __str__(self) -> str:
        head = f"{self.weights}-weighted CAAR{self.window} of {self.n_events}"
        test = ""
        if np.isfinite(self.statistic):
            letter = "z" if self.kappa <= 1 else "t"
            test = f"{letter} = {self.statistic:.3f}, {words().p_is(self.pvalue, 4)}"
        ends = self.ci_low, self.ci_high
        show = words(self.measure).in_ascii
        return write_estimate(head, self.estimate, ends, test, self.reason, show)


@dataclass(frozen=True, eq=False, repr=False, slots=True, kw_only=True)
class DollarLoss(WeightedSum):
    """Abnormal change of market value: the sum of CAR times market value over the events.

    Attributes
    ----------
    events : DataFrame
        One row per event with a market value: event_id, ticker, the market value, car, adl (the CAR
        times the market value) and se (standard error of adl).
    """

    events: pd.DataFrame

    @property
    def total(self) -> float:
        """The sum over the events, in the currency of the market values."""
        return self.estimate

    def __str__(self) -> str:
        head = f"abnormal change of market value{self.window} of {len(self.events)}"
        test = words().p_is(self.pvalue, 4) if np.isfinite(self.pvalue) else ""
        ends = self.ci_low, self.ci_high
        return write_estimate(head, self.estimate, ends, test, self.reason, "{:,.6g}".format)

    def _repr_html_(self) -> str:
        return Paragraph._repr_html_(self) + self.events.to_html(border=0, index=False)


def weighted_caar(
    study: FittedStudy, window: WindowLike, weights: str = "equal", column: str = Events.SIZE
) -> WeightedMean:
    r"""Return the weighted mean CAR over `window`; the weights sum to one.

    Parameters
    ----------
    study : FittedStudy
    window : window
    weights : {"equal", "value", "precision"}
        Alike, by market value, or by 1/Var(CAR).
    column : str
        Column of the events with the market value *before* the window; later values depend on the
        CAR. For ``mcap`` the market values of the study go first, if it has any.

    Returns
    -------
    WeightedMean
        Of the events that have a weight.

    Raises
    ------
    ConfigError
        For unknown weights or column.

    Notes
    -----
    With the correlation rho and the overlap o of the windows,

    .. math:: \operatorname{Var} = \max(1, \kappa) \sum_{ij} w_i w_j \rho_{ij} o_{ij} s_i s_j .

    References
    ----------
    .. [1] MacKinlay, A. C. (1997). Event studies in economics and finance. Journal of Economic
       Literature 35, 13-39.
    """
    weigh = WEIGHTS[weights]
    window = Window.of(window)
    valid, reason = study.abnormal.valid(window), ""
    size = np.full(len(valid), np.nan)
    if weights == "value":
        size, valid, reason = with_size(study, valid, column, window)
    sample = _taken(study.abnormal, window, valid)
    raw = weigh(size[valid], sample.var_car(window))
    combined = _combined(study, sample, window, raw / raw.sum(), reason)
    measure = study.panel.measure
    return WeightedMean(weights=weights, n_events=len(sample), measure=measure, **combined)


def dollar_loss(study: FittedStudy, window: WindowLike, column: str = Events.SIZE) -> DollarLoss:
    """Return the abnormal change of market value of each event and of all.

    Parameters
    ----------
    study : FittedStudy
        A study of returns.
    window : window
    column : str
        Column of market values, all in one currency; see :func:`weighted_caar`.

    Returns
    -------
    DollarLoss
        ADL_i = CAR_i times market value.

    Raises
    ------
    ConfigError
        For an unknown column, and if the study is not one of returns.
    """
    study.abnormal.require_returns()
    window = Window.of(window)
    size, valid, reason = with_size(study, study.abnormal.valid(window), column, window)
    sample = _taken(study.abnormal, window, valid)
    size = size[valid]
    car = sample.car(window)
    sd = np.sqrt(sample.var_car(window))
    frame = pd.DataFrame({
        **study.ids_of(np.flatnonzero(valid)), column: size, "car": car, "adl": car * size,
        "se": sd * size,
    })  # fmt: skip
    return DollarLoss(events=frame, **_combined(study, sample, window, size, reason))


def aggregates(
    study: FittedStudy, windows: WindowsLike | None = None, column: str = Events.SIZE
) -> pd.DataFrame:
    """Return the weighted means over all windows, one row each.

    Parameters
    ----------
    study : FittedStudy
    windows : windows, optional
    column : str
        Column of market values; without any, weights by value are left out.

    Returns
    -------
    DataFrame
        start, stop, weights, n_events, and the numbers of :class:`WeightedSum`.
    """
    chosen = [name for name in WEIGHTS if name != "value" or has_sizes(study, column)]
    pairs = [(window, name) for window in study.windows_of(windows) for name in chosen]
    means = [weighted_caar(study, window, name, column) for window, name in pairs]
    rows = [{"weights": mean.weights, "n_events": mean.n_events} for mean in means]
    return _table(means, rows)


def market_values(
    study: FittedStudy, windows: WindowsLike | None = None, column: str = Events.SIZE
) -> pd.DataFrame:
    """Return the abnormal change of market value of all events over all windows, one row each.

    Parameters
    ----------
    study : FittedStudy
    windows : windows, optional
    column : str
        Column of market values.

    Returns
    -------
    DataFrame
        start, stop, n_events, and the numbers of :class:`WeightedSum`, `estimate` as `total`.
    """
    losses = [dollar_loss(study, window, column) for window in study.windows_of(windows)]
    rows = [{"n_events": len(loss.events)} for loss in losses]
    return _table(losses, rows).rename(columns={"estimate": "total"})


def _table(sums: Sequence[WeightedSum], facts: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return sums as a table, the further facts of each behind its window."""
    _, *names = (f.name for f in fields(WeightedSum))
    numbers = [{name: getattr(each, name) for name in names} for each in sums]
    windows = [asdict(each.window) for each in sums]
    rows = zip(windows, facts, numbers, strict=True)
    return pd.DataFrame([{**window, **more, **row} for window, more, row in rows])


def _combined(
    study: FittedStudy, sample: AbnormalReturns, window: Window, weights: FloatArray, reason: str
) -> dict[str, Any]:
    """Return the fields of a sum; its error is sqrt(w'Om w max(1, kappa)), Om = rho o sd sd'."""
    if not len(sample):
        return {"window": window, "reason": reason or "no event has all days of the window"}
    scaled = weights * np.sqrt(sample.var_car(window))
    total = float(weights @ sample.car(window))
    se_independent = float(np.sqrt((scaled**2).sum()))
    facts = {"window": window, "estimate": total, "se_independent": se_independent}
    try:
        kappa = _inflation(sample, window)
        variance = float(WeightedSums(sample, window).variance(scaled))
        require(variance > Limits.ROUNDING * se_independent**2, "no_variance_of_weights")
    except InapplicableError as error:
        reasons = "; ".join(filter(None, (str(error), reason)))
        return {**facts, "reason": reasons}
    se = float(np.sqrt(variance * np.fmax(1, kappa)))
    df = _freedom(sample, kappa)
    t = total / se
    low = total - Interval.quantile(df) * se
    high = total + Interval.quantile(df) * se
    test = {"statistic": t, "pvalue": pvalue(t, df)}
    if awaits_days(study, window):
        test = {}
        reason = "; ".join(filter(None, (Reason("days_to_come"), reason)))
    ends = {"se": se, "ci_low": low, "ci_high": high}
    return {**facts, **ends, **test, "kappa": kappa, "reason": reason}


def _freedom(sample: AbnormalReturns, kappa: float) -> float:
    """Return N-1 where the variance across events enters, M-k of a single event, else infinity.

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
    r = WeightedSums(sample, window).correlation.rbar
    require(r < 1, "no_common_days")
    return float(sample.scar(window).var(ddof=1) / (1 - r))


def _taken(abnormal: AbnormalReturns, window: Window, chosen: BoolArray) -> AbnormalReturns:
    """Return the chosen events: the sample that tests share, if they are all that are valid."""
    sample = abnormal.sample(window)
    return sample if chosen.sum() == len(sample) else abnormal.take(chosen)


def has_sizes(study: FittedStudy, column: str = Events.SIZE) -> bool:
    """Return whether the study, or a column of its events, has market values.

    Parameters
    ----------
    study : FittedStudy
    column : str

    Returns
    -------
    bool
    """
    return column in study.events or (column == Events.SIZE and study.sizes is not None)


def with_size(
    study: FittedStudy, valid: BoolArray, column: str, window: Window
) -> tuple[FloatArray, BoolArray, str]:
    """Return market values (n,), the valid events that have one, and a note on those without.

    Parameters
    ----------
    study : FittedStudy
    valid : (n,) bool array
    column : str
        Of the events, with market values.
    window : Window

    Notes
    -----
    Where the study has market values they are those before the first day of the window, whatever
    the column says: numbers of two origins are never weighed against each other.
    """
    reasons = np.full(len(valid), "", dtype=object)
    if column == Events.SIZE and study.sizes is not None:
        size, reasons = study.sizes.before(window.start), study.sizes.reasons
    else:
        cells = study.column(column)
        size = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
        reasons = no_numbers(cells, column)
    positive = np.isfinite(size) & (size > 0)
    ids = study.events["event_id"].to_numpy(object)
    return size, valid & positive, "; ".join(unvalued(ids, reasons, valid & ~positive, column))
