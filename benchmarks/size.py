"""Rejection rates of the tests on simulated events: size where nothing happens, power where something does.

Brown-Warner style: market model, M = 120, beta ~ N(1, .3), sigma ~ U(.01, .03), market and errors are
standardised Student t(5); N = 50 events, or 20 on one date.

    D0  dispersed dates                       D1  the same, event-day variance doubled
    C0  one date, correlation .10             C1  the same, event-day variance doubled
    P1  5 dates x 10 firms, variance doubled  O1  10 consecutive dates x 5 firms, variance doubled
    DP  D0 with +0.5 % on day 0 (power)
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.windows import EventWindows, Window

ESTIMATION, EVENT = Window(-130, -11), Window(-5, 5)
RHO = 0.10


@dataclass(frozen=True, slots=True)
class Design:
    """Dates of the events (offsets in sessions), variance on the event day, and the effect on day 0."""

    dates: tuple[int, ...]
    variance: float = 1.0
    effect: float = 0.0
    rho: float = RHO


DISPERSED = tuple(140 * i for i in range(50))
DESIGNS = {
    "D0": Design(DISPERSED),
    "D1": Design(DISPERSED, variance=2.0),
    "C0": Design((0,) * 20),
    "C1": Design((0,) * 20, variance=2.0),
    "P1": Design(tuple(140 * (i // 10) for i in range(50)), variance=2.0),
    "O1": Design(tuple(i // 5 for i in range(50)), variance=2.0),
    "DP": Design(DISPERSED, effect=0.005),
}


def simulate(design: Design, rng: np.random.Generator) -> EventWindows:
    """Draw one sample: calendar-aligned market and common shocks, so that dates overlap as they would."""
    n, dates = len(design.dates), np.array(design.dates)
    days = np.concatenate([ESTIMATION.days, EVENT.days]) - ESTIMATION.start
    used, column = np.unique(dates[:, None] + days, return_inverse=True)
    column = column.reshape(n, len(days))

    def shocks(*shape: int) -> np.ndarray:
        return rng.standard_t(5, shape) / np.sqrt(5 / 3)

    market, common = 0.01 * shocks(len(used)), shocks(len(used))
    noise = np.sqrt(design.rho) * common[column] + np.sqrt(1 - design.rho) * shocks(n, len(days))
    at = len(ESTIMATION) - EVENT.start
    noise[:, at] *= np.sqrt(design.variance)
    beta, sigma = rng.normal(1, 0.3, n), rng.uniform(0.01, 0.03, n)
    returns = beta[:, None] * market[column] + sigma[:, None] * noise
    returns[:, at] += design.effect
    return EventWindows(
        ESTIMATION,
        EVENT,
        returns,
        spans=np.ones(returns.shape, dtype=np.int64),
        factors=market[column][:, :, None],
        positions=column,
        day0=column[:, at],
        sessions=np.arange(len(used)).astype("datetime64[D]"),
        hours=np.tile([0.0, 24.0], (n, 1)),
        calendar=np.zeros(n, dtype=np.int64),
        calendars=(np.arange(len(used)),),
    )


def rejections(name: str, samples: int, window: Window, seed: int = 20251119) -> dict[str, float]:
    """Return the share of samples in which each test rejects at 5 %, two-sided."""
    design, model = DESIGNS[name], MODELS["market"]()
    tests = {k: t for k, t in STATISTICS.items() if not t.per_event}
    count = dict.fromkeys(tests, 0)
    for child in np.random.SeedSequence([seed, list(DESIGNS).index(name)]).spawn(samples):
        fit = model.fit(simulate(design, np.random.default_rng(child)), engine="batch")
        for key, test in tests.items():
            count[key] += test(fit, window).pvalue < 0.05
    return {key: hits / samples for key, hits in count.items()}


def main() -> None:
    """Print a table: designs across, tests down, percent."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--window", default="0:0")
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS), choices=list(DESIGNS))
    options = parser.parse_args()
    table = {}
    for name in options.designs:
        print(f"{name} ...", file=sys.stderr)
        table[name] = rejections(name, options.samples, Window.of(options.window))
    se = 100 * np.sqrt(0.05 * 0.95 / options.samples)
    print(f"Rejections in percent at 5 %, window {options.window}, {options.samples} samples (s.e. {se:.2f})")
    print(f"{'test':<18}" + "".join(f"{name:>7}" for name in table))
    for test in next(iter(table.values())):
        print(f"{test:<18}" + "".join(f"{100 * table[name][test]:7.1f}" for name in table))


if __name__ == "__main__":
    main()
