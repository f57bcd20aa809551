"""Tests of significance, one file a family; ``_base.ORDER`` is the order that users see."""

from ._base import FULL_SAMPLE, STATISTICS, InapplicableError, SignificanceTest, Statistic, Value
from ._base import main_test, name_for_role, statistic
from .standardised import decisive_scars
from ._recent_variance import recent_variance
from . import standardised, means, clusters, multivariate, ranks, placebo, signs, variances

__all__ = [
    "FULL_SAMPLE", "STATISTICS", "InapplicableError", "SignificanceTest", "Statistic", "Value",
    "decisive_scars", "main_test", "name_for_role", "recent_variance", "statistic",
]  # fmt: skip
