"""Prices, or returns that the user holds already, on the sessions of each exchange."""

from __future__ import annotations

from .closes import closes_of
from .panel import DATA_CALENDAR, ReturnsPanel
from .sessions import NO_ZONE, returns_of
from .table import CELLS, FrameTable, Key, ReturnsTable, places, portions
from .wide import LARGE_MEDIAN, LIKE_PERCENT, civil_dates, wide_returns

__all__ = [
    "CELLS",
    "DATA_CALENDAR",
    "LARGE_MEDIAN",
    "LIKE_PERCENT",
    "NO_ZONE",
    "FrameTable",
    "Key",
    "ReturnsPanel",
    "ReturnsTable",
    "civil_dates",
    "closes_of",
    "places",
    "portions",
    "returns_of",
    "wide_returns",
]
