"""Prices, or returns that the user holds already, on the sessions of each exchange."""

from __future__ import annotations

from ..prices.quality.return_columns import CODE_TEXTS, LARGE_MEDIAN
from ..prices.quality.gate_report import LIKE_PERCENT
from .closes import closes_of
from .panel import DATA_CALENDAR, ReturnsPanel
from .sessions import NO_ZONE, returns_of
from .table import CELLS, FrameTable, Key, ReturnsTable, places, portions
from .wide import civil_dates, numbers_of, wide_returns

__all__ = [
    "CELLS",
    "CODE_TEXTS",
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
    "numbers_of",
    "places",
    "portions",
    "returns_of",
    "wide_returns",
]
