"""The spread of false-alarm rates over simulated panels, beside the error that is stated for them.

    python benchmarks/effective_draws.py --panels 300

A panel has normal shocks of known correlation and no estimation. BMP-KP is computed on 999 shifts
of the dates of each design; their share with p < .05 differs between panels. A ratio of 1 means
that the stated error, the root of p(1-p) over the effective draws, is right. "Own date alone" is
what was stated before: one event, against itself d sessions later, has the correlation 1 - d/L.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats
from verdict_cells import WINDOW

from eventstudy.abnormal import Conventions
from eventstudy.analysis import Calibrated
from eventstudy.analysis.placebos.shifted_dates import Shifts, _spread
from eventstudy.utility import FloatArray, IntArray

T, DRAWS, LEVEL = 1950, 999, 0.05
L = len(WINDOW)
SCATTERED = np.sort(np.random.default_rng(1).choice(np.arange(100, 1800), 20, replace=False))
# Day 0 of each event, and the correlation of the firms of a session.
DESIGNS: dict[str, tuple[IntArray, float]] = {
    "25 firms on one date": (np.full(25, 500), 0.3),
    "10 dates x 5 firms, irregular": (np.repeat(SCATTERED[::2], 5), 0.3),
    "10 dates x 5 firms, every 30 sessions": (np.repeat(300 + 30 * np.arange(10), 5), 0.3),
    "20 single dates, irregular": (SCATTERED, 0.3),
    "10 consecutive days x 5 firms": (np.repeat(500 + np.arange(10), 5), 0.3),
}


def share(at: IntArray, rho: float, places: IntArray, rng: np.random.Generator) -> float:
    """Return the share of draws of one panel in which BMP-KP has p < .05."""
    n = len(at)
    shocks = np.sqrt(rho) * rng.standard_normal(T)[:, None]
    shocks = shocks + np.sqrt(1 - rho) * rng.standard_normal((T, n))
    later = [shocks[(places + day) % T, np.arange(n)] for day in range(L)]
    z = np.sum(later, axis=0) / np.sqrt(L)
    overlap = np.clip(1 - np.abs(at[:, None] - at) / L, 0, None)
    r = rho * (overlap.sum() - n) / (n * (n - 1))
    t = z.mean(axis=1) / z.std(axis=1, ddof=1) * np.sqrt(n * (1 - r) / (1 + (n - 1) * r))
    return float((np.abs(t) > stats.t.ppf(1 - LEVEL / 2, n - 1)).mean())


def matrix(n: int, rho: float) -> FloatArray:
    return np.full((n, n), rho) + (1 - rho) * np.eye(n)


def main() -> None:
    """Print a row a design."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=300)
    panels = parser.parse_args().panels
    days = np.datetime64("2010-01-01") + np.arange(T)
    moves = np.arange(21, T - 20)
    moves = moves[_spread(len(moves), DRAWS, Conventions.SEED)]
    shifts = Shifts(days, 0, T, np.zeros(1, np.int64), moves[:, None])
    counts = np.bincount(moves)
    weights = 1 - np.abs(np.arange(1 - L, L)) / L
    before = DRAWS**2 / (counts @ np.convolve(counts, weights, "same"))
    print("| design | spread over panels | effective draws | ratio | own date alone |")
    print("|---|--:|--:|--:|--:|")
    for name, (at, rho) in DESIGNS.items():
        rng, places = np.random.default_rng(Conventions.SEED), shifts.places(days[at])
        rates = [share(at, rho, places, rng) for _ in range(panels)]
        worth = shifts.effective(days[at], matrix(len(at), rho), WINDOW)
        stated = [Calibrated.draws_error(float(np.mean(rates)), draws) for draws in (worth, before)]
        ratio, ratio_before = np.std(rates, ddof=1) / stated
        spread = f"{100 * np.std(rates, ddof=1):.2f}"
        print(f"| {name} | {spread} | {worth:.0f} | {ratio:.2f} | {ratio_before:.2f} |", flush=True)


if __name__ == "__main__":
    main()
