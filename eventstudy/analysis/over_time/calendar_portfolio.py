"""Calendar-time portfolios: regressions of their returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from ...calendars import Window
from ...errors import ConfigError
from ...events import Events
from ...fitting import FittedStudy, WindowLike, awaits_days
from ...significance import MIN_SESSIONS
from ...utility import BoolArray, FloatArray, IntArray
from ...words import say
from .long_horizon import benchmark_returns
from .weights import with_size

Weights = Literal["equal", "value"]
MARKET, RISKLESS = "market", "rf"
# Series of single events, not factors of all firms.
OWN_SERIES = ("match", "donors")
METHODS = ("ols", "hc1", "newey_west", "wls")


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Returns of a portfolio by session.

    Attributes
    ----------
    sessions : (T,) datetime64[D] array
    returns : (T,) float array
        Decimal, simple, in excess of the riskless rate if the model has one.
    factors : (T, f) float array
        Means over the firms, with the portfolio's weights.
    names : tuple of f str
    firms : (T,) int array
    notes : tuple of str
    """

    sessions: np.ndarray[Any, np.dtype[np.datetime64]]
    returns: FloatArray
    factors: FloatArray
    names: tuple[str, ...]
    firms: IntArray
    notes: tuple[str, ...]

    @property
    def slopes(self) -> list[str]:
        """Names of the columns of the slopes, that of the benchmark first."""
        return ["beta", *(f"beta_{name}" for name in self.names[1:])]


def calendar_portfolio(
    study: FittedStudy, window: WindowLike, *, weights: Weights = "equal", lags: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    r"""Test whether the portfolio of the firms in their event window has an abnormal return.

    Parameters
    ----------
    study : FittedStudy
    window : window
        A firm is in the portfolio on the sessions of its window.
    weights : {"equal", "value"}
        Value weights are the market values of the study before the window, else the column ``mcap``
        of the events, as for :func:`~eventstudy.analysis.over_time.weights.weighted_caar`.
    lags : int, optional
        Of Newey and West; by default max(L-1, 1).

    Returns
    -------
    DataFrame
        One row per method: ``ols``; ``hc1``; ``newey_west``; ``wls``, which minimises sum N_t
        e_t^2. Columns method, alpha (decimal per session), se, t, df, pvalue (two-sided), beta, one
        ``beta_<name>`` per further factor, sessions, mean_firms, note. NaN below 10 sessions, with
        the reason in `note`.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window, for unknown weights, for value weights
        without market values, and if the study is not one of returns.

    Notes
    -----
    H0: alpha = 0 in the regression over calendar sessions

    .. math:: R_{pt} - r_{ft} = \alpha + b'F_t + e_t .

    Cross-correlation and overlap of events are in the variance of e over time. Log returns of firms
    and benchmarks are turned into simple ones. Factors are the benchmark and the model's other
    factors of the same session, less ``rf`` where the model has it. Sessions are those of all
    exchanges together; autocorrelation is taken in their order, gaps skipped. A firm with two
    events on one session counts once, returns over several sessions are left out, and an event that
    lacks days is in on the days that it has: leaving it out would keep survivors only. So a window
    that is not over yet has a p as well, and a note. The test
    ``calendar_time`` is the mean-AR version. Newey-West errors are too small with few sessions: 9 %
    rejections at 5 % with 35 sessions in 300 samples.

    References
    ----------
    .. [1] Fama, E. F. (1998). Market efficiency, long-term returns, and behavioral finance. Journal
       of Financial Economics 49, 283-306.
    .. [2] Mitchell, M. L. and Stafford, E. (2000). Managerial decisions and long-term stock price
       performance. Journal of Business 73, 287-329.
    """
    study.abnormal.require_returns()
    window = Window.of(window)
    book = portfolio(study, window, weights=weights)
    T, f = book.factors.shape
    rows: Iterable[dict[str, Any]] = ({"method": method} for method in METHODS)
    notes = list(book.notes)
    if awaits_days(study, window):
        notes.append(say("reason.days_to_come"))
    if (least := max(MIN_SESSIONS, f + 2)) > T:
        notes.insert(0, f"{T} sessions, at least {least} are needed")
    else:
        rows = regressions(book, max(len(window) - 1, 1) if lags is None else lags)
    counts = {"sessions": T, "mean_firms": float(book.firms.mean()) if T else np.nan}
    rows = [{**row, **counts, "note": "; ".join(notes)} for row in rows]
    estimates = ["method", "alpha", "se", "t", "df", "pvalue", *book.slopes]
    return pd.DataFrame(rows, columns=[*estimates, "sessions", "mean_firms", "note"])


def portfolio(study: FittedStudy, window: WindowLike, *, weights: Weights = "equal") -> Portfolio:
    """Return the portfolio of the firms in their window by session.

    Parameters
    ----------
    study : FittedStudy
    window : window
    weights : {"equal", "value"}

    Returns
    -------
    Portfolio
        As in :func:`calendar_portfolio`.
    """
    a, w = study.abnormal, study.abnormal.windows
    cols = a.columns(Window.of(window))
    L1 = len(study.abnormal.windows.estimation)
    weight, without = _weights(study, weights, Window.of(window))
    series = _series(study)
    names, factors, spans = _factors(study, series)
    y = w.returns[:, L1:][:, cols]
    if w.kind == "log":
        y = np.expm1(y)
    if RISKLESS in series:
        y = y - series[RISKLESS][:, cols]
    F = factors[:, cols]
    spans = spans[:, cols]
    has_return = (weight > 0)[:, None] & np.isfinite(y)
    # A return over several sessions is none of the portfolio's on any one of them.
    one_day = (w.length[:, L1:][:, cols] == 1) & (spans == 1) & np.isfinite(F).all(axis=2)
    position = w.positions[:, L1:][:, cols]
    used, twice = _once(study, has_return & one_day, position)
    event = np.nonzero(used)[0]
    at, session = np.unique(position[used], return_inverse=True)
    mass = weight[event]
    T = len(at)
    total = np.bincount(session, mass, T)
    firms = np.bincount(session, minlength=T)
    columns = (np.bincount(session, mass * v, T) / total for v in (y[used], *F[used].T))
    means = np.column_stack(list(columns))
    left_out = _notes(int((has_return & ~one_day).sum()), twice)
    notes = tuple(filter(None, (without, *left_out)))
    return Portfolio(w.sessions[at], means[:, 0], means[:, 1:], names, firms, notes)


def regressions(book: Portfolio, lags: int) -> Iterator[dict[str, Any]]:
    """Yield alpha, its error and the slopes by each method; t with T - f - 1 degrees of freedom.

    Parameters
    ----------
    book : Portfolio
    lags : int
        Of Newey and West.

    Yields
    ------
    dict
        One row of :func:`calendar_portfolio`.
    """
    from statsmodels.regression.linear_model import OLS, WLS

    X = np.column_stack([np.ones(len(book.returns)), book.factors])
    ols = OLS(book.returns, X)
    fits = {
        "ols": ols.fit(),
        "hc1": ols.fit(cov_type="HC1", use_t=True),
        "newey_west": ols.fit(cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True),
        "wls": WLS(book.returns, X, weights=book.firms).fit(),
    }
    for method, fit in fits.items():
        slopes = dict(zip(book.slopes, fit.params[1:], strict=True))
        yield {
            "method": method, "alpha": fit.params[0], "se": fit.bse[0], "t": fit.tvalues[0],
            "df": fit.df_resid, "pvalue": fit.pvalues[0], **slopes,
        }  # fmt: skip


def _weights(study: FittedStudy, weights: Weights, window: Window) -> tuple[FloatArray, str]:
    """Return the weight of each event, 0 if it is not in, and which usable ones lack a value."""
    if weights not in get_args(Weights):
        raise ConfigError("unknown weights", value=weights, remedy="use equal or value")
    if weights == "equal":
        return study.ok.astype(float), ""
    size, valid, note = with_size(study, study.ok, Events.SIZE, window)
    return np.where(valid, size, 0.0), f"{note}, left out" if note else ""


def _factors(
    study: FittedStudy, series: Mapping[str, FloatArray]
) -> tuple[tuple[str, ...], FloatArray, IntArray]:
    """Return names, values (n, L2, f) and the span (n, L2) of the factors, the benchmark first.

    A model with factors of its own and no benchmark brings these alone; one without either takes
    the benchmark of the events.
    """
    names = [name for name in series if name not in (MARKET, RISKLESS, *OWN_SERIES)]
    values = [series[name] for name in names]
    market, spans = benchmark_returns(study)
    if MARKET not in series and names:
        return tuple(names), np.stack(values, axis=2), np.ones(market.shape, dtype=np.int64)
    market = np.expm1(market) if study.abnormal.windows.kind == "log" else market
    first = market - series[RISKLESS] if RISKLESS in series else market
    return (MARKET, *names), np.stack([first, *values], axis=2), spans


def _series(study: FittedStudy) -> dict[str, FloatArray]:
    """Return the values on event days (n, L2) of each series of the model that is not lagged."""
    factors, w = study.model.factors, study.abnormal.windows
    if any(f.several for f in factors):
        return {}
    ahead = w.factors[:, len(w.estimation) :]
    return {f.name: ahead[:, :, j] for j, f in enumerate(factors) if f.lag == 0}


def _once(study: FittedStudy, used: BoolArray, position: IntArray) -> tuple[BoolArray, int]:
    """Return `used` (n, L) with each firm once per session, and the number of firm-days removed."""
    e = study.events
    listing = pd.factorize(e["ticker"].astype(str) + "\n" + e["exchange"].astype(str))[0]
    event, day = np.nonzero(used)
    repeated = pd.DataFrame({"firm": listing[event], "at": position[used]}).duplicated().to_numpy()
    once = used.copy()
    once[event[repeated], day[repeated]] = False
    return once, int(repeated.sum())


def _notes(several: int, twice: int) -> Iterator[str]:
    for count, why in (
        (several, "with a return over several sessions, or without a factor, left out"),
        (twice, "of a firm with two events on one session counted once"),
    ):
        if count:
            yield f"{count} firm-day{'s' * (count != 1)} {why}"
