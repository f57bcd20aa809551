"""How often the rule says that one announcement, date or cluster of dates carries the answer.

    OMP_NUM_THREADS=1 python benchmarks/influence.py --samples 600

Samples with p between .01 and .05: in homogeneous ones all events have the effect (or none has),
in the others those of one group alone. Beside the rule stands how often some leave-out merely turns
the verdict (docs/methods/influence.md).
"""

from __future__ import annotations

import argparse
import sys
import zlib
from dataclasses import replace

import numpy as np
from designs import EVENT, Design, dates, simulate

from eventstudy.abnormal import Conventions
from eventstudy.analysis import Influence
from eventstudy.analysis.answer.answer import decide
from eventstudy.analysis.answer.influence import Names, measure_influence
from eventstudy.calendars import Window
from eventstudy.models import MODELS

WINDOW, CLOSE = Window(0, 1), (0.01, 0.05)
# In percent: how often the rule may name a set of homogeneous samples, and must name the true one.
MOST_BY_CHANCE, FEWEST_FOUND = 7.0, 75.0
# Each design with the effect of all events, and that of the events of its largest date.
STUDIES: dict[str, tuple[Design, float, float]] = {
    "10 dates x 5": (Design("", dates(*[5] * 10)), 0.008, 0.09),
    "6 dates x 5": (Design("", dates(*[5] * 6)), 0.011, 0.07),
    "40 dates and 1 of 10": (Design("", dates(*[1] * 40, 10)), 0.008, 0.045),
    "10 dates x 5, correlated": (Design("", dates(*[5] * 10), rho=0.1), 0.009, 0.09),
}


def influence(design: Design, effect: float, group: float, rng: np.random.Generator) -> Influence:
    """Return the influence in one sample: an effect of all events, and one of the largest date."""
    windows = simulate(replace(design, effect=effect), rng)
    day, count = np.unique(windows.day0, return_counts=True)
    rows = windows.day0 == day[np.argmax(count)]
    returns = windows.returns.copy()
    returns[rows, len(windows.estimation) - EVENT.start] += group
    fit = MODELS["market"]().fit(windows.altered(returns=returns), engine="batch")
    names = [f"e{i}" for i in range(len(fit))]
    answer = decide(fit, WINDOW)
    return measure_influence(
        fit.tested(WINDOW), WINDOW, Names(names, names, names, names), answer.effect, answer.pvalue
    )


def shares(name: str, samples: int, *, homogeneous: bool) -> tuple[int, float, float]:
    """Return the samples with p near 5%, and in which share of them the rule, and mere turning,
    name a set.

    Parameters
    ----------
    name : str
        Of a design.
    samples : int
    homogeneous : bool
        Whether all events have the effect, rather than the largest date alone.
    """
    design, every, group = STUDIES[name]
    effects = (every, 0.0) if homogeneous else (0.0, group)
    seeds = np.random.SeedSequence([Conventions.SEED, zlib.crc32(name.encode()), int(homogeneous)])
    carried, turned = [], []
    for seed in seeds.spawn(samples):
        found = influence(design, *effects, np.random.default_rng(seed))
        if CLOSE[0] < found.pvalue < CLOSE[1]:
            carried.append(found.carried_by is not None)
            turned.append(any(row.pvalue >= CLOSE[1] for row in found.leave_outs))
    return len(carried), 100 * float(np.mean(carried)), 100 * float(np.mean(turned))


def main() -> int:
    """Print a row a design; return 1 where the rule names a set too often, or too seldom."""
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    parser.add_argument("--samples", type=int, default=600)
    options = parser.parse_args()
    print("| design | effect of | samples | carries, % | turns, % |\n|---|---|--:|--:|--:|")
    outside = False
    for name in STUDIES:
        for homogeneous in (True, False):
            n, carried, turned = shares(name, options.samples, homogeneous=homogeneous)
            who = "all" if homogeneous else "one date"
            print(f"| {name} | {who} | {n} | {carried:.1f} | {turned:.1f} |", flush=True)
            limit = MOST_BY_CHANCE if homogeneous else FEWEST_FOUND
            slack = 2 * np.sqrt(limit * (100 - limit) / n)
            outside |= bool(carried > limit + slack if homogeneous else carried < limit - slack)
    return int(outside)


if __name__ == "__main__":
    sys.exit(main())
