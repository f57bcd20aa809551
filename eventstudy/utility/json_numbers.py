"""Numbers in JSON, which has neither infinite nor missing ones."""

from __future__ import annotations

import math


def json_number(value: float) -> float | str | None:
    """Return a number as it stands in JSON: an infinite one as text, a missing one as null.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> [json_number(value) for value in (0.5, math.inf, -math.inf, math.nan)]
    [0.5, 'inf', '-inf', None]
    """
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)
