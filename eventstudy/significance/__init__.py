"""Tests of significance; the order here is the order in which users see them."""

from ._base import STATISTICS, SignificanceTest, Statistic
from . import (
    bmp_kp,
    bmp,
    patell,
    grank_t,
    corrado,
    generalized_sign,
    cross_sectional,
    event_t,
)

__all__ = ["STATISTICS", "SignificanceTest", "Statistic"]
