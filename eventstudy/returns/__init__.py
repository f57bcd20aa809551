"""Prices, or returns of a file or frame, on the sessions of each exchange."""

from __future__ import annotations

from .panel import ReturnsPanel
from .table import FrameTable

__all__ = ["FrameTable", "ReturnsPanel"]
