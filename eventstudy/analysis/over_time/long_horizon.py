"""Buy-and-hold abnormal returns and tests of their mean; returns of the benchmarks."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...errors import ConfigError, InapplicableError
from ...fitting import FittedStudy, WindowLike, awaits_days, day0_to_come
from ...significance import TESTS_OF_VALUES, mean_test
from ...utility import BoolArray, FloatArray, IntArray
from ...words import make_error, say
from ..answer.answer import say_too_early


def benchmark_returns(study: FittedStudy) -> tuple[FloatArray, IntArray]:
    """Return the benchmark's returns on event days and the sessions each spans, two (n, L2) arrays.

    They are those of the panel, whatever the model is, and are not summed over the span of the
    firm's returns. NaN and 0 where the benchmark has no return.
    """
    return _panel_returns(study, "benchmark")


def _panel_returns(study: FittedStudy, column: str) -> tuple[FloatArray, IntArray]:
    """Return returns and sessions of the series that a column of the events names, as above."""
    panel, windows = study.panel, study.abnormal.windows
    calendars = [panel.calendar_of(code) for code in study.events["exchange"]]
    pairs = zip(study.events[column], calendars, strict=True)
    row = np.array([panel.row(s, c) for s, c in pairs], dtype=np.int64)[:, None]
    at = windows.event_positions
    has_return = (row >= 0) & (at >= 0)
    values = np.where(has_return, panel.values[row, at], np.nan)
    return values, np.where(has_return, panel.spans[row, at], 0)


def covers(spans: IntArray) -> BoolArray:
    """Return which rows of spans (n, L) cover exactly their L days, the last one included."""
    L = spans.shape[1]
    begins = np.where(spans > 0, np.arange(L) - spans + 1, 0)
    return np.asarray((spans.sum(axis=1) == L) & (spans[:, -1] > 0) & (begins >= 0).all(axis=1))


Against = Literal["market", "model"]
# Fewer events than this do not show their skewness.
FEW = 20
COLUMNS = (
    "test", "n_events", "estimate", "statistic", "distribution", "pvalue", "critical_low",
    "critical_high", "note",
)  # fmt: skip


def abhar(
    study: FittedStudy, window: WindowLike, against: Against = "market", **changes: Any
) -> pd.DataFrame:
    r"""Test whether the mean buy-and-hold abnormal return over `window` is zero.

    Parameters
    ----------
    study : FittedStudy
    window : window
    against : {"market", "model"}
        The event's benchmark, or the model's expected returns.
    **changes
        Conventions for this call: ``draws``, ``seed``.

    Returns
    -------
    DataFrame
        One row per test: ``t``, N-1 degrees of freedom; ``hall`` and ``johnson``, the same adjusted
        for skewness; ``johnson_bootstrap``, Johnson's t among resamples of size floor(N/4) centred
        at the sample mean. Columns test, n_events, estimate (the mean BHAR, decimal), statistic,
        distribution, pvalue (two-sided), critical_low, critical_high (5 %, two-sided), note. A test
        that does not apply is NaN, with its reason in `note`. So are all while days of the window
        are yet to come: then the answer over this window is provisional as well.

    Raises
    ------
    ConfigError
        If the window reaches beyond the event window, for an unknown benchmark or convention, and
        if the study is not one of returns.

    Notes
    -----
    With the return of the benchmark or the model in the place of m,

    .. math:: BHAR_i = \prod_t (1 + R_{it}) - \prod_t (1 + R_{mt}) .

    Log returns are turned into simple ones first. Events that lack a day of the window are left out
    and counted: if they lack it because they were delisted, the remaining ones are survivors. BHARs
    of overlapping windows are dependent, and none of these tests allows for that: `note` says so,
    and a calendar-time portfolio is then the one to read.

    References
    ----------
    .. [1] Barber, B. M. and Lyon, J. D. (1997). Detecting long-run abnormal stock returns. Journal
       of Financial Economics 43, 341-372.
    .. [2] Lyon, J. D., Barber, B. M. and Tsai, C.-L. (1999). Improved methods for tests of long-run
       abnormal stock returns. Journal of Finance 54, 165-201.
    .. [3] Hall, P. (1992). On the removal of skewness by transformation. Journal of the Royal
       Statistical Society B 54, 221-228.
    .. [4] Johnson, N. J. (1978). Modified t tests and confidence intervals for asymmetrical
       populations. Journal of the American Statistical Association 73, 536-544.
    """
    window = Window.of(window)
    abnormal = study.abnormal.under(**changes)
    values = bhar(study, window, against)
    kept = np.isfinite(values) & study.ok
    shared = _notes(abnormal, kept, study.ok, window)
    held, rows = values[kept], []
    is_early = awaits_days(study, window)
    if is_early:
        n = int((abnormal.valid(window) & study.ok).sum())
        total = len(study) + int(day0_to_come(study).sum())
        shared = [say_too_early(n, total, window).removesuffix("."), *shared]
    shared += [say("reason.below_total_loss", n=n)] if (n := int((held < -1).sum())) else []
    for name in TESTS_OF_VALUES:
        result, note = (np.nan, "", np.nan, np.nan, np.nan), shared
        try:
            result = result if is_early else _tested(name, held, abnormal)
        except InapplicableError as error:
            note = [str(error), *shared]
        mean = float(held.mean()) if len(held) else np.nan
        rows.append((name, len(held), mean, *result, "; ".join(note)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def bhar(study: FittedStudy, window: WindowLike, against: Against = "market") -> FloatArray:
    """Return the buy-and-hold abnormal return (decimal) of every event, shape (n,).

    Parameters
    ----------
    study : FittedStudy
    window : window
    against : {"market", "model"}
        As in :func:`abhar`.

    Returns
    -------
    (n,) float array
        NaN where the event, or its benchmark, lacks a day of the window.

    Raises
    ------
    ConfigError
        For an unknown benchmark, and for a study of a measure other than returns.
    """
    study.abnormal.require_returns()
    window = Window.of(window)
    if against not in get_args(Against):
        raise make_error(ConfigError, "wrong.against", value=against)
    abnormal = study.abnormal
    if against == "model":
        return abnormal.bhar(window)
    cols, windows = abnormal.columns(window), abnormal.windows
    market, spans = benchmark_returns(study)
    firm = windows.event_returns[:, cols]
    # A halt that has left the clock is in the firm's return and not in the benchmark's.
    _, sessions = _panel_returns(study, "ticker")
    alike = (sessions[:, cols] <= abnormal.spans[:, cols]).all(axis=1)
    complete = abnormal.valid(window) & covers(spans[:, cols]) & alike
    excess = _held(firm, windows.kind) - _held(market[:, cols], windows.kind)
    return np.where(complete, excess, np.nan)


def _held(returns: FloatArray, kind: str) -> FloatArray:
    """Return the value of one unit after the days of (n, L) returns, shape (n,)."""
    return np.asarray(np.nanprod(np.exp(returns) if kind == "log" else 1 + returns, axis=1))


def _tested(
    name: str, values: FloatArray, abnormal: AbnormalReturns
) -> tuple[float, str, float, float, float]:
    """Return the statistic of a mean, its law in words, its p-value, and its critical values."""
    c = abnormal.conventions
    value, law, ends = mean_test(name, values, draws=c.draws, seed=c.seed)
    return value.statistic, law, value.pvalue("two-sided"), *ends


def _notes(abnormal: AbnormalReturns, used: BoolArray, ok: BoolArray, window: Window) -> list[str]:
    """Return cautions about the sample: events left out, few events, windows that overlap."""
    notes, n = [], int(used.sum())
    if out := int(ok.sum()) - n:
        lack = "event lacks" if out == 1 else "events lack"
        notes.append(f"{out} {lack} days of the window and {'is' if out == 1 else 'are'} left out")
    if n < FEW:
        notes.append(f"{n} event{'s' * (n != 1)}, {FEW} needed to rely on it")
    if share := overlapping(abnormal.windows.event_positions[used][:, abnormal.columns(window)]):
        pairs = f"the windows of {share:.1%} of the pairs of events overlap"
        notes.append(f"{pairs}: their returns are dependent, which these tests ignore")
    return notes


def overlapping(positions: IntArray) -> float:
    """Return the share of the pairs of windows (n, L) that have sessions in common."""
    n = len(positions)
    if n < 2:
        return 0.0
    starts = np.sort(positions[:, 0])
    stops = np.sort(positions[:, -1])
    # A pair is apart if one starts after the other has stopped.
    apart = (n - np.searchsorted(starts, stops, side="right")).sum()
    return float(1 - apart / (n * (n - 1) / 2))
