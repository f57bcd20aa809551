"""Returns of each event's benchmark on the days of its event window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from ..utility.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy


def benchmark_returns(results: FittedStudy) -> tuple[FloatArray, IntArray]:
    """Return the benchmark's returns and the sessions that each spans, two (n, L2) arrays.

    As the panel has them, whatever the model is: not summed over the span of the firm's own
    returns. NaN and 0 where the benchmark has no return.
    """
    panel, windows = results.panel, results.abnormal.windows
    calendars = [panel.calendar_of(code) for code in results.events["exchange"]]
    pairs = zip(results.events["benchmark"], calendars, strict=True)
    row = np.array([panel.row(s, c) for s, c in pairs], dtype=np.int64)[:, None]
    at = windows.event_positions
    known = (row >= 0) & (at >= 0)
    values = np.where(known, panel.values[row, at], np.nan)
    return values, np.where(known, panel.spans[row, at], 0)


def require_returns(results: FittedStudy) -> None:
    """Raise ConfigError if the study is of volume, turnover or volatility: they are held by
    nobody."""
    if results.panel.measure != "return":
        raise ConfigError(
            "this needs a study of returns", where="measure", value=results.panel.measure
        )


def covers(spans: IntArray) -> BoolArray:
    """Tell which rows of spans (n, L) cover exactly their L days, the last one included."""
    L = spans.shape[1]
    begins = np.where(spans > 0, np.arange(L) - spans + 1, 0)
    whole: BoolArray = (spans.sum(axis=1) == L) & (spans[:, -1] > 0) & (begins >= 0).all(axis=1)
    return whole
