"""All models, by name: each family registers its own when it is imported."""

from __future__ import annotations

from . import factor_models, garch, market, robust
from ._base import REGISTERED

# Each registers its models when it is imported; ``_base.ORDER`` is the order that users see.
FAMILIES = (market, factor_models, robust, garch)
MODELS = REGISTERED
