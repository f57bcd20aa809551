"""Buy-and-hold abnormal returns and tests of their mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError
from ..significance._base import InapplicableError, Value, pvalue
from ..significance._bootstrap import QUANTILES, johnson_bootstrap
from ..significance._mean import t_of_mean
from ..significance._skewness import hall_t, johnson_t
from ..utility.typing import BoolArray, FloatArray, IntArray
from ._benchmark import benchmark_returns, covers, require_returns

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy, WindowLike

Against = Literal["market", "model"]
# Fewer events than this do not show their skewness.
FEW = 20
TESTS: dict[str, Callable[[FloatArray], Value]] = {
    "t": t_of_mean,
    "hall": hall_t,
    "johnson": johnson_t,
}
COLUMNS = (
    "test", "n_events", "estimate", "statistic", "distribution", "pvalue", "critical_low",
    "critical_high",
    "note",
)  # fmt: skip


def abhar(
    results: FittedStudy, window: WindowLike, against: Against = "market", **changes: Any
) -> pd.DataFrame:
    """Test whether the mean buy-and-hold abnormal return over `window` is zero.

    Parameters
    ----------
    results : FittedStudy
    window : window
    against : {"market", "model"}
        BHAR = prod(1+R) - prod(1+R_m) with the event's benchmark, or - prod(1+E[R]) with the
        model's expected returns.
    **changes
        Conventions for this call: ``draws``, ``seed``.

    Returns
    -------
    DataFrame
        One row per test: ``t``, N-1 degrees of freedom; ``hall`` and ``johnson``, the same adjusted
        for skewness; ``johnson_bootstrap``, Johnson's t among resamples of size floor(N/4) centred
        at the sample mean. Columns test, n_events, estimate (the mean BHAR, decimal), statistic,
        distribution, pvalue (two-sided), critical_low, critical_high (5 %, two-sided), note. A test
        that does not apply is NaN, with its reason in `note`.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window, for an unknown benchmark or convention, and
        if the study is not one of returns.

    Notes
    -----
    Log returns are turned into simple ones first. Events that lack a day of the window are left out
    and counted: if they lack it because they were delisted, the rest are survivors. BHARs of
    overlapping windows are dependent, and none of these tests allows for that: `note` says so, and
    :func:`~eventstudy.analysis.calendar_portfolio.calendar_portfolio` is then the one to read.

    Source: Barber and Lyon (1997); Lyon, Barber and Tsai (1999); Hall (1992); Johnson (1978).
    """
    window = Window.of(window)
    abnormal = results.abnormal.under(**changes)
    values = bhar(results, window, against)
    kept = np.isfinite(values) & results.ok
    shared = _notes(abnormal, kept, results.ok, window)
    held, rows = values[kept], []
    for name in (*TESTS, "johnson_bootstrap"):
        try:
            own = _bootstrap(held, abnormal) if name not in TESTS else _against_t(TESTS[name](held))
            note = shared
        except InapplicableError as error:
            own, note = (np.nan, "", np.nan, np.nan, np.nan), [str(error), *shared]
        mean = float(held.mean()) if len(held) else np.nan
        rows.append((name, len(held), mean, *own, "; ".join(note)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def bhar(results: FittedStudy, window: WindowLike, against: Against = "market") -> FloatArray:
    """Return the buy-and-hold abnormal return of every event, shape (n,).

    NaN where the event, or its benchmark, lacks a day of the window. Parameters as in
    :func:`abhar`.
    """
    require_returns(results)
    window = Window.of(window)
    if against not in get_args(Against):
        raise ConfigError(
            "unknown benchmark of a buy-and-hold return",
            value=against,
            remedy="use market or model",
        )
    abnormal = results.abnormal
    if against == "model":
        return abnormal.bhar(window)
    cols, windows = abnormal.columns(window), abnormal.windows
    market, spans = benchmark_returns(results)
    firm = windows.event_returns[:, cols]
    # A halt that has left the clock is in the firm's return and not in the benchmark's.
    alike = (abnormal.length[:, cols] == abnormal.spans[:, cols]).all(axis=1)
    whole = abnormal.valid(window) & covers(spans[:, cols]) & alike
    return np.where(whole, _held(firm, windows.kind) - _held(market[:, cols], windows.kind), np.nan)


def _held(returns: FloatArray, kind: str) -> FloatArray:
    """Return what one unit grows to over the days of (n, L) returns, shape (n,)."""
    growth: FloatArray = np.nanprod(np.exp(returns) if kind == "log" else 1 + returns, axis=1)
    return growth


def _against_t(value: Value) -> tuple[float, str, float, float, float]:
    from scipy.special import stdtrit

    low, high = (float(stdtrit(value.df, q)) for q in QUANTILES)
    return value.statistic, f"t({value.df:g})", pvalue(value.statistic, value.df), low, high


def _bootstrap(
    values: FloatArray, abnormal: AbnormalReturns
) -> tuple[float, str, float, float, float]:
    c = abnormal.conventions
    b = johnson_bootstrap(values, draws=c.draws, seed=c.seed)
    return (
        b.statistic,
        f"{c.draws} resamples of {b.size}",
        b.pvalue,
        b.critical_low,
        b.critical_high,
    )


def _notes(abnormal: AbnormalReturns, kept: BoolArray, ok: BoolArray, window: Window) -> list[str]:
    """Say what to know of the sample: events left out, few events, windows that overlap."""
    notes, n = [], int(kept.sum())
    if out := int(ok.sum()) - n:
        lack = "event lacks" if out == 1 else "events lack"
        notes.append(f"{out} {lack} days of the window and {'is' if out == 1 else 'are'} left out")
    if n < FEW:
        notes.append(f"{n} event{'s' * (n != 1)}, {FEW} needed to rely on it")
    if share := overlapping(abnormal.windows.event_positions[kept][:, abnormal.columns(window)]):
        notes.append(
            f"the windows of {share:.1%} of the pairs of events overlap: their returns are "
            "dependent, "
            "which these tests ignore"
        )
    return notes


def overlapping(positions: IntArray) -> float:
    """Return the share of the pairs of windows (n, L) that have a stretch of the calendar in
    common."""
    n = len(positions)
    if n < 2:
        return 0.0
    starts = np.sort(positions[:, 0])
    stops = np.sort(positions[:, -1])
    # A pair is apart if one starts after the other has stopped.
    apart = (n - np.searchsorted(starts, stops, side="right")).sum()
    return float(1 - apart / (n * (n - 1) / 2))
