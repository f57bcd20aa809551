"""Prices, or returns that the user holds already, on the sessions of each exchange."""

from __future__ import annotations

from .closes import closes_of
from .panel import DATA_CALENDAR, Key, ReturnsPanel
from .sessions import NO_ZONE, returns_of
from .wide import LARGE_MEDIAN, LIKE_PERCENT, wide_returns

__all__ = [
    "DATA_CALENDAR",
    "LARGE_MEDIAN",
    "LIKE_PERCENT",
    "NO_ZONE",
    "Key",
    "ReturnsPanel",
    "closes_of",
    "returns_of",
    "wide_returns",
]
