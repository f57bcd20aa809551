"""Models of normal returns; the order here is the order in which users see them."""

from ._base import MODELS, LinearModel
from . import market, market_adjusted, constant_mean

__all__ = ["MODELS", "LinearModel"]
