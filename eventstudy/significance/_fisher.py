"""Statistics whose law is Fisher's F."""

from __future__ import annotations

from ._base import Value


def f_value(statistic: float, df1: float, df2: float) -> Value:
    """Return an F-statistic with P(F(df1, df2) >= statistic); it has no other tail of interest."""
    from scipy.special import fdtrc

    return Value(
        float(statistic),
        float("nan"),
        f"F({df1:g},{df2:g})",
        upper=float(fdtrc(df1, df2, statistic)),
    )
