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
    calendar_time,
    date_clustered,
    wild_bootstrap,
    patell_kp,
    cda,
    portfolio,
    corrado_zivney,
    corrado_zivney_sign,
    grank_z,
    sign,
    wilcoxon,
    hall,
    johnson,
    jackknife,
    patell_u,
    event_t,
)

__all__ = ["STATISTICS", "SignificanceTest", "Statistic"]
