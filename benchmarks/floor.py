"""The least work: seeded events, and batched numpy for fit, AR, CAR, forecast error, Patell and
BMP."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.returns import DATA_CALENDAR, ReturnsPanel
from eventstudy.utility import FloatArray, IntArray

ESTIMATION, EVENT = (-260, -11), (-10, 10)
MARKET = "MKT"


class Drawn(NamedTuple):
    """Returns of firms and, in the last row, the market, and events by row and column of day 0."""

    values: FloatArray
    firm: IntArray
    day0: IntArray

    @property
    def panel(self) -> ReturnsPanel:
        """The returns as the library holds them."""
        n, T = self.values.shape
        names = [*(f"S{i:05d}" for i in range(n - 1)), MARKET]
        return ReturnsPanel(
            keys=tuple((name, DATA_CALENDAR) for name in names), values=self.values,
            spans=np.isfinite(self.values).astype(np.int16),
            calendars={DATA_CALENDAR: np.arange(T)},
            sessions=np.busday_offset("1990-01-01", np.arange(T), roll="forward"),
        )  # fmt: skip


def draw(
    events: int, *, firms: int = 500, sessions: int = 2500, holes: float = 0.05, seed: int = 1
) -> Drawn:
    """Draw a market model of `firms` with a share of `holes`, and `events` of it without effect."""
    rng = np.random.default_rng(seed)
    market = rng.standard_normal(sessions) * 0.01
    beta, sigma = rng.normal(1, 0.3, (firms, 1)), rng.uniform(0.01, 0.03, (firms, 1))
    values = 2e-4 + market * beta + rng.standard_normal((firms, sessions)) * sigma
    values[rng.random(values.shape) < holes] = np.nan
    first, last = -ESTIMATION[0], sessions - EVENT[1]
    at = rng.choice(
        firms * (last - first), size=events, replace=events > firms * (last - first) // 2
    )
    return Drawn(np.vstack([values, market]), at // (last - first), first + at % (last - first))


def floor(drawn: Drawn, window: tuple[int, int]) -> tuple[float, float]:
    """Return Patell's Z and BMP's t of the events that have all days of `window`."""
    _, scar, nu = scars(drawn, window)
    ok = np.isfinite(scar)
    scar, nu = scar[ok], nu[ok]
    patell = scar.sum() / np.sqrt((nu / (nu - 2)).sum())
    return float(patell), float(scar.mean() / scar.std(ddof=1) * np.sqrt(len(scar)))


def scars(drawn: Drawn, window: tuple[int, int]) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return of each event the CAR over `window`, the CAR in forecast errors, and the degrees of
    freedom."""
    days = np.r_[np.arange(ESTIMATION[0], ESTIMATION[1] + 1), np.arange(EVENT[0], EVENT[1] + 1)]
    at = drawn.day0[:, None] + days
    R, M = drawn.values[drawn.firm[:, None], at], drawn.values[-1][at]
    L1 = ESTIMATION[1] - ESTIMATION[0] + 1
    w = np.isfinite(R[:, :L1])
    y, x = np.where(w, R[:, :L1], 0.0), np.where(w, M[:, :L1], 0.0)
    n = w.sum(axis=1)
    mx, my = x.sum(axis=1) / n, y.sum(axis=1) / n
    sxx = np.einsum("nl,nl->n", x, x) - n * mx**2
    sxy = np.einsum("nl,nl->n", x, y) - n * mx * my
    beta = sxy / sxx
    sse = np.einsum("nl,nl->n", y, y) - n * my**2 - beta * sxy
    s2 = sse / (n - 2)
    ar = R[:, L1:] - (my - beta * mx)[:, None] - beta[:, None] * M[:, L1:]
    cols = slice(window[0] - EVENT[0], window[1] - EVENT[0] + 1)
    L = window[1] - window[0] + 1
    car = ar[:, cols].sum(axis=1)
    gap = M[:, L1:][:, cols].sum(axis=1) - L * mx
    return car, car / np.sqrt(s2 * (L + L**2 / n + gap**2 / sxx)), n - 2
