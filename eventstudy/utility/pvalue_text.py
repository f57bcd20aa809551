"""How p-values are written, the same for tests, tables, terminal and page."""

from __future__ import annotations

import numpy as np

MISSING = "–"
LEVEL = 0.05
# Of the stars.
LEVELS = (0.01, LEVEL, 0.1)


def pvalue(p: float, decimals: int = 3, levels: tuple[float, ...] = (LEVEL,)) -> str:
    """Format a p-value: ``0.061``, ``<0.001``; below one of `levels` by less than that,
    ``0.0497``."""
    if not np.isfinite(p):
        return MISSING
    least = 10.0**-decimals
    if p < least:
        return f"<{least:.{decimals}f}"
    while any(p < level <= round(p, decimals) for level in levels):
        decimals += 1
    return f"{p:.{decimals}f}"


def p_is(p: float, decimals: int = 3) -> str:
    """Write out a p-value: ``p = 0.061``, ``p < 0.001``."""
    text = pvalue(p, decimals)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def p_prose(p: float) -> str:
    """Write a p-value for a sentence: two decimals, three near 0.05 and below 0.01; it does not
    break."""
    decimals = 3 if p < 0.01 or 0.045 <= p < 0.055 else 2
    return p_is(p, decimals).replace(" ", "\u00a0")


def stars(p: float) -> str:
    """Return the stars of text output: ``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    return "*" * sum(p < level for level in LEVELS)
