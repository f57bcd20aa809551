"""All tests, by name: each family registers its own when it is imported."""

from __future__ import annotations

from . import clusters, means, multivariate, placebo, ranks, signs, standardised, variances
from ._base import REGISTERED

# Each registers its tests when it is imported; ``_base.ORDER`` is the order that users see.
FAMILIES = (standardised, means, clusters, multivariate, ranks, placebo, signs, variances)
STATISTICS = REGISTERED
