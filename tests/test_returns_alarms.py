"""No clean return is taken for a fault: simulated shares of many kinds, and real ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED

from eventstudy.quality import ReturnKind
from eventstudy.returns import ReturnsPanel
from eventstudy.utility import FloatArray

KINDS: tuple[ReturnKind, ...] = ("simple", "log")


def student(df: int, low: float, high: float) -> Callable[[np.random.Generator, int], FloatArray]:
    def draw(rng: np.random.Generator, size: int) -> FloatArray:
        return np.maximum(rng.uniform(low, high) * rng.standard_t(df, size), -0.95)

    return draw


def penny(rng: np.random.Generator, size: int) -> FloatArray:
    jumps = rng.choice([0.5, -0.5], size)
    values = np.where(rng.random(size) < 0.03, jumps, student(3, 0.04, 0.1)(rng, size))
    return np.clip(values, -0.9, 3.0)


def thin(rng: np.random.Generator, size: int) -> FloatArray:
    return np.where(
        rng.random(size) < rng.uniform(0.3, 0.95), 0.0, student(3, 0.01, 0.05)(rng, size)
    )


def ticks(rng: np.random.Generator, size: int) -> FloatArray:
    price = rng.integers(1, 4, size + 1).astype(float)
    return price[1:] / price[:-1] - 1


def news(rng: np.random.Generator, size: int) -> FloatArray:
    values = student(4, 0.005, 0.02)(rng, size)
    values[rng.integers(70, size - 20)] = rng.uniform(-0.9, 0.95)
    return values


CLEAN = {
    "t3": student(3, 0.005, 0.025), "t4": student(4, 0.005, 0.03), "penny": penny, "thin": thin,
    "ticks": ticks, "news": news,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("design", CLEAN)
def test_no_clean_return_is_taken_as_missing(design: str, kind: ReturnKind) -> None:
    """200 columns of 1,000 returns each."""
    rng = np.random.default_rng(7)
    values = np.array([CLEAN[design](rng, 1000) for _ in range(200)])
    days = pd.bdate_range("2015-01-01", periods=1000)
    frame = pd.DataFrame(values.T, days, [f"S{k}" for k in range(200)])
    panel = ReturnsPanel.from_frame(frame if kind == "simple" else np.log1p(frame), kind=kind)
    assert [f for f in panel.faults if f.is_impossible] == []
    assert np.isfinite(panel.values).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_real_return_is_taken_as_missing(kind: ReturnKind) -> None:
    """ZTE fell by 42 % when trading resumed, SMIC by 25 %: both are in them."""
    folder = SHARED / "market-data" / "prices"
    if not folder.is_dir():
        pytest.skip("no recorded prices here")
    closes = {}
    for path in sorted(folder.glob("*.csv")):
        table = pd.read_csv(path, index_col="date")
        closes[path.stem] = table[
            "close" if table["adj_close"].isna().all() else "adj_close"
        ].pct_change()
    frame = pd.DataFrame(closes)
    assert frame["0763.HK"].min() < -0.41
    panel = ReturnsPanel.from_frame(frame if kind == "simple" else np.log1p(frame), kind=kind)
    assert panel.faults == ()
