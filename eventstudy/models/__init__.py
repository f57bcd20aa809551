"""Models of normal returns, one file a family; ``_base.ORDER`` is the order that users see."""

from __future__ import annotations

from ..returns.series import MARKET, Factor
from ._base import MODELS, EstimationData, LinearModel, make_model, options_of
from . import market, factor_models, robust, garch

__all__ = [
    "MARKET", "MODELS", "EstimationData", "Factor", "LinearModel", "make_model", "options_of",
]  # fmt: skip
