"""The t-statistic of a mean across events."""

from __future__ import annotations

import numpy as np

from ..utility.typing import FloatArray
from ._base import InapplicableError, Value

# Values that differ by less than this share of their size are equal but for rounding.
EQUAL = 1e-12


def t_of_mean(values: FloatArray) -> Value:
    """Return the t-statistic of the mean of N values, and N-1."""
    n = len(values)
    if n < 2:
        raise InapplicableError(f"{n} event, at least 2 are needed for a variance across events")
    sd = values.std(ddof=1)
    if sd <= EQUAL * np.abs(values).max():
        raise InapplicableError(
            "all events have the same value: there is no variance across events"
        )
    return Value(float(values.mean() / (sd / np.sqrt(n))), float(n - 1))
