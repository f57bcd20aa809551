"""Models of normal returns; the order here is the order in which users see them."""

from __future__ import annotations

from ..returns.series import MARKET, Factor
from ._base import MODELS, LinearModel
from . import (
    market,
    market_adjusted,
    constant_mean,
    factor_models,
    two_index,
    scholes_williams,
    dimson,
    trade_to_trade,
    robust,
    garch,
    matched,
    synthetic_control,
)
from ._options import make_model, options_of

__all__ = ["MARKET", "MODELS", "Factor", "LinearModel", "make_model", "options_of"]
