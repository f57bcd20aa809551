"""Firms of one date that move more than usual: the main test, and the one that adds their spread.

    python benchmarks/unequal_reactions.py --samples 800

Prints the table of docs/methods/answer.md: false alarms and power at 5%, over the window [0,1].
"""

from __future__ import annotations

import argparse
import zlib

import numpy as np
from designs import Design, dates, simulate
from verdict_cells import KINDS, LEVEL, STUDIES, UNEQUAL, WINDOW
from verdicts import shifted

from eventstudy.abnormal import AbnormalReturns, Conventions
from eventstudy.analysis.answer.answer import decide
from eventstudy.analysis.answer.unequal_reactions import added_interval
from eventstudy.models import MODELS
from eventstudy.utility import one_thread

RAISED = {
    "nothing": {},
    "the firms' own variance x3": KINDS["own x3"],
    "effects differ by 4%": KINDS["effects differ"],
    "all variance x2": {"own": 2, "common": 2},
    "all variance x3": {"own": 3, "common": 3},
}


def rejects(fit: AbnormalReturns) -> tuple[bool, bool]:
    """Return whether the main test, and the one that adds the spread, have p < .05."""
    answer = decide(fit, WINDOW)
    added = added_interval(fit.tested(WINDOW), WINDOW, answer.effect.estimate)
    return answer.pvalue < LEVEL, added.pvalue < LEVEL


def main() -> None:
    """Print a row for each kind of shocks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=800)
    samples, study = parser.parse_args().samples, STUDIES[UNEQUAL]
    print("| what was raised | main test | if the spread is the firms' own |\n|---|--:|--:|")
    for name, kind in RAISED.items():
        drawn = Design("", dates(25), **{**dict(study.more), **kind})
        seeds = np.random.SeedSequence([Conventions.SEED, zlib.crc32(name.encode())]).spawn(samples)
        counts = np.zeros((2, 2))
        with one_thread():
            for seed in seeds:
                windows = simulate(drawn, np.random.default_rng(seed))
                fit = MODELS["market"]().fit(windows, engine="batch")
                counts += [rejects(fit), rejects(shifted(fit, study.effect))]
        (size, added_size), (power, added_power) = 100 * counts / samples
        cells = f"{size:.1f}; {power:.0f} | {added_size:.1f}; {added_power:.0f}"
        print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
