"""Prices, or returns of a file or frame, on the sessions of each exchange."""

from __future__ import annotations

from .panel import ReturnsPanel
from .sessions import DATA_CALENDAR
from .table import FrameTable

__all__ = ["DATA_CALENDAR", "FrameTable", "ReturnsPanel"]
