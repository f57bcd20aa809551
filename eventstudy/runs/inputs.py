"""The series that a run was computed from, kept with it."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from ..returns import ReturnsPanel

# A quarter of the time of the highest level, and files of prices 2 % larger.
LEVEL = 4


def frozen(panel: ReturnsPanel) -> tuple[str, pd.DataFrame]:
    """Return what the study was computed from: ``prices`` or ``returns``, and the long table."""
    if panel.prices is not None:
        return "prices", panel.prices
    dates = panel.sessions.astype("datetime64[s]")
    rows = [
        pd.DataFrame({"date": dates, "ticker": symbol, "ret": panel.values[i]})
        for i, (symbol, _) in enumerate(panel.keys)
    ]
    table = pd.concat(rows, ignore_index=True).drop_duplicates(["date", "ticker"])
    return "returns", table.dropna()


def gzipped(data: bytes) -> bytes:
    """Return compressed bytes that are equal for equal data."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", LEVEL, buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()
