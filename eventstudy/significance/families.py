"""All tests, by name: each family registers its own when it is imported."""

from __future__ import annotations

from . import clusters, means, multivariate, placebo, ranks, signs, standardised, variances
from ._base import REGISTERED, Role

# Each registers its tests when it is imported; ``_base.ORDER`` is the order that users see.
FAMILIES = (standardised, means, clusters, multivariate, ranks, placebo, signs, variances)
STATISTICS = REGISTERED


def main_test(n_events: int) -> str:
    """Return the name of the test that decides, by the number of events alone.

    Notes
    -----
    It is the test with the largest `main_from` of at most `n_events`. Of one to four the variance
    of the event days cannot be estimated from these days, so it is that of the estimation days,
    raised where returns varied more just before. Five or more have BMP adjusted for correlation
    (docs/methods/answer.md).
    """
    sizes = {test.main_from: name for name, test in STATISTICS.items() if test.main_from}
    return sizes[max(size for size in sizes if size <= max(n_events, 1))]


def name_for_role(role: Role) -> str:
    """Return the name of the built-in test with a role in other analyses."""
    return next(name for name, test in STATISTICS.items() if test.role == role)
