"""Calendar-time portfolios: one return per session of the firms that are in their event window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from ..calendars.window import Window
from ..errors import ConfigError
from ..significance._base import InapplicableError, pvalue
from ..significance.calendar_time import MIN_SESSIONS
from ..utility.typing import BoolArray, FloatArray, IntArray
from ._benchmark import benchmark_returns, require_returns
from ._jaffe_mandelker import jaffe_mandelker

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

Weights = Literal["equal", "value"]
MARKET, RISKLESS, MARKET_VALUE = "market", "rf", "mcap"
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


def calendar_portfolio(
    results: FittedStudy,
    window: WindowLike,
    *,
    weights: Weights = "equal",
    min_firms: int = 1,
    lags: int | None = None,
) -> pd.DataFrame:
    """Test whether the portfolio of the firms in their window has an abnormal return: alpha of a
    regression.

    R_p - rf = alpha + b'F + e over calendar sessions. H0: alpha = 0. Cross-correlation and overlap
    of events are in the variance of e over time.

    Parameters
    ----------
    results : FittedStudy
    window : window
        A firm is in the portfolio on the sessions of its window.
    weights : {"equal", "value"}
        Value weights are the column ``mcap`` of the events: give the value before the event, never
        after it.
    min_firms : int
        Sessions with fewer firms are left out.
    lags : int, optional
        Of Newey and West; by default max(L-1, 1).

    Returns
    -------
    DataFrame
        One row per method: ``ols``; ``hc1``; ``newey_west``; ``wls``, which minimises sum N_t
        e_t^2; ``jaffe_mandelker``, the mean over sessions of the mean AR divided by the standard
        deviation of the same portfolio's estimation residuals, which has no alpha. Columns method,
        alpha (decimal per session), se, t, df, pvalue (two-sided), beta, one ``beta_<name>`` per
        further factor, sessions, mean_firms, note. NaN below 10 sessions, with the reason in
        `note`.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window, for unknown weights, for value weights
        without a usable column ``mcap``, and if the study is not one of returns.

    Notes
    -----
    Log returns of firms and benchmarks are turned into simple ones. Factors are the benchmark and
    the model's other factors of the same session, less ``rf`` where the model has it. Sessions are
    those of all exchanges together; autocorrelation is taken in their order, gaps skipped. A firm
    with two events on one session counts once, returns over several sessions are left out, and an
    event that lacks days is in on the days that it has: leaving it out would keep survivors only.
    The test ``calendar_time`` is the mean-AR version. Newey-West errors are too small with few
    sessions: 9 % rejections at 5 % with 35 sessions in 300 samples.

    Source: Jaffe (1974); Mandelker (1974); Fama (1998); Mitchell and Stafford (2000).
    """
    require_returns(results)
    window = Window.of(window)
    book = portfolio(results, window, weights=weights, min_firms=min_firms)
    T, f = book.factors.shape
    note = "; ".join(book.notes)
    rows: list[dict[str, Any]] = []
    if max(MIN_SESSIONS, f + 2) > T:
        reason = f"{T} sessions, at least {max(MIN_SESSIONS, f + 2)} are needed"
        rows = [{"method": m, "note": "; ".join(filter(None, (reason, note)))} for m in METHODS]
    else:
        lag = max(len(window) - 1, 1) if lags is None else lags
        rows = [{**row, "note": note} for row in regressions(book, lag)]
    counts = {"sessions": T, "mean_firms": float(book.firms.mean()) if T else np.nan}
    jm = _jaffe_mandelker_row(results, window, weights, min_firms)
    names = ["beta", *(f"beta_{name}" for name in book.names[1:])]
    columns = [
        "method",
        "alpha",
        "se",
        "t",
        "df",
        "pvalue",
        *names,
        "sessions",
        "mean_firms",
        "note",
    ]
    return pd.DataFrame([*({**row, **counts} for row in rows), jm], columns=columns)


def portfolio(
    results: FittedStudy, window: WindowLike, *, weights: Weights = "equal", min_firms: int = 1
) -> Portfolio:
    """Return the portfolio of the firms in their window by session, as in
    :func:`calendar_portfolio`."""
    a, w = results.abnormal, results.abnormal.windows
    cols, L1 = a.columns(Window.of(window)), len(results.abnormal.windows.estimation)
    weight, without = _weights(results, weights)
    names, factors, spans = _factors(results)
    y = w.returns[:, L1:][:, cols]
    if w.kind == "log":
        y = np.expm1(y)
    rate = _riskless(results)
    y = y if rate is None else y - rate[:, cols]
    F, spans = factors[:, cols], spans[:, cols]
    there = (weight > 0)[:, None] & np.isfinite(y)
    # A return over several sessions is none of the portfolio's on any one of them.
    one_day = (w.length[:, L1:][:, cols] == 1) & (spans == 1) & np.isfinite(F).all(axis=2)
    position = w.positions[:, L1:][:, cols]
    used, twice = _once(results, there & one_day, position)
    event = np.nonzero(used)[0]
    at, which = np.unique(position[used], return_inverse=True)
    mass, T = weight[event], len(at)
    total, firms = np.bincount(which, mass, T), np.bincount(which, minlength=T)
    means = np.array([np.bincount(which, mass * v, T) / total for v in (y[used], *F[used].T)])
    keep = firms >= min_firms
    notes = _notes(without, int((there & ~one_day).sum()), twice, int((~keep).sum()), min_firms)
    return Portfolio(
        w.sessions[at][keep], means[0][keep], means[1:].T[keep], names, firms[keep], tuple(notes)
    )


def regressions(book: Portfolio, lags: int) -> Iterator[dict[str, Any]]:
    """Yield alpha, its error and the slopes by each method; t with T - f - 1 degrees of freedom."""
    from statsmodels.regression.linear_model import OLS, WLS

    X = np.column_stack([np.ones(len(book.returns)), book.factors])
    ols = OLS(book.returns, X)
    fits = {
        "ols": ols.fit(),
        "hc1": ols.fit(cov_type="HC1", use_t=True),
        "newey_west": ols.fit(cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True),
        "wls": WLS(book.returns, X, weights=book.firms).fit(),
    }
    slopes = ["beta", *(f"beta_{name}" for name in book.names[1:])]
    for method, fit in fits.items():
        yield {
            "method": method, "alpha": fit.params[0], "se": fit.bse[0], "t": fit.tvalues[0],
            "df": fit.df_resid, "pvalue": fit.pvalues[0],
            **dict(zip(slopes, fit.params[1:], strict=True)),
        }  # fmt: skip


def _weights(results: FittedStudy, weights: Weights) -> tuple[FloatArray, int]:
    """Return the weight of each event, 0 for those that are not in, and how many usable ones lack a
    value."""
    if weights not in get_args(Weights):
        raise ConfigError("unknown weights", value=weights, remedy="use equal or value")
    ok = results.ok
    if weights == "equal":
        return ok.astype(float), 0
    if MARKET_VALUE not in results.events:
        raise ConfigError("value weights need a column of the events", value=MARKET_VALUE)
    cells = results.events[MARKET_VALUE]
    values = pd.to_numeric(cells, errors="coerce").to_numpy(float)
    known = np.isfinite(values) & (values > 0)
    wrong = ok & ~known & (cells.notna() & (cells.astype(str) != "")).to_numpy()
    if wrong.any():
        raise ConfigError(
            "a market value that is no positive number",
            where=str(results.events["event_id"][wrong].iloc[0]), value=cells[wrong].iloc[0],
        )  # fmt: skip
    return np.where(ok & known, values, 0.0), int((ok & ~known).sum())


def _factors(results: FittedStudy) -> tuple[tuple[str, ...], FloatArray, IntArray]:
    """Return names, values (n, L2, f) and the span (n, L2) of the factors, the benchmark first.

    A model with factors of its own and no benchmark brings these alone; one without either takes
    the benchmark of the events.
    """
    w = results.abnormal.windows
    own = w.factors[:, len(w.estimation) :]
    market, spans = benchmark_returns(results)
    market = np.expm1(market) if w.kind == "log" else market
    columns = _columns(results)
    names = [n for n in columns if n not in (MARKET, RISKLESS, *OWN_SERIES)]
    series = [own[:, :, columns[n]] for n in names]
    if MARKET not in columns and names:
        return tuple(names), np.stack(series, axis=2), np.ones(market.shape, dtype=np.int64)
    rate = _riskless(results)
    first = market if rate is None else market - rate
    return (MARKET, *names), np.stack([first, *series], axis=2), spans


def _columns(results: FittedStudy) -> dict[str, int]:
    """Return the column of ``windows.factors`` of each series of the model that is not lagged."""
    factors = results.model.factors
    if any(f.several for f in factors):
        return {}
    return {f.name: j for j, f in enumerate(factors) if f.lag == 0}


def _riskless(results: FittedStudy) -> FloatArray | None:
    """Return the riskless rate of each event day, (n, L2), if the model has one."""
    w, columns = results.abnormal.windows, _columns(results)
    return w.factors[:, len(w.estimation) :, columns[RISKLESS]] if RISKLESS in columns else None


def _once(results: FittedStudy, used: BoolArray, position: IntArray) -> tuple[BoolArray, int]:
    """Return `used` (n, L) with each firm once per session, and how many firm-days that takes
    away."""
    e = results.events
    listing = pd.factorize(e["ticker"].astype(str) + "\n" + e["exchange"].astype(str))[0]
    event, day = np.nonzero(used)
    repeated = pd.DataFrame({"firm": listing[event], "at": position[used]}).duplicated().to_numpy()
    once = used.copy()
    once[event[repeated], day[repeated]] = False
    return once, int(repeated.sum())


def _notes(without: int, several: int, twice: int, thin: int, min_firms: int) -> Iterator[str]:
    for count, what, why in (
        (without, "event", "without a market value left out"),
        (several, "firm-day", "with a return over several sessions, or without a factor, left out"),
        (twice, "firm-day", "of a firm with two events on one session counted once"),
        (thin, "session", f"with fewer than {min_firms} firms left out"),
    ):
        if count:
            yield f"{count} {what}{'s' * (count != 1)} {why}"


def _jaffe_mandelker_row(
    results: FittedStudy, window: Window, weights: Weights, min_firms: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"method": "jaffe_mandelker"}
    try:
        test = jaffe_mandelker(
            results.abnormal,
            window,
            _weights(results, weights)[0],
            min_firms=min_firms,
            minimum=MIN_SESSIONS,
        )
    except InapplicableError as error:
        return {**row, "note": str(error)}
    return {
        **row, "t": test.statistic, "df": test.df, "pvalue": pvalue(test.statistic, test.df),
        "sessions": test.sessions, "mean_firms": test.mean_firms, "note": test.note,
    }  # fmt: skip
