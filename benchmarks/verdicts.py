"""How often the verdict of a study is "different": where nothing happens, and where something does.

    python benchmarks/verdicts.py --samples 500 --workers 1

Six designs (docs/methods.md, The answer), each without an effect and with one. For each: how
often the verdict rejects; how often the former rule rejects, in which BMP-KP and each applicable of
calendar time, wild bootstrap and cross-sectional t had to; coverage of the interval; and samples in
which interval and verdict disagree (none may).
"""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import numpy as np
from designs import DESIGNS, K1, Design, dates, simulate

from eventstudy.abnormal.conventions import SEED
from eventstudy.analysis.answer import DIFFERENT, decide
from eventstudy.calendars.window import Window
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.utility.typing import FloatArray

WINDOW, CHUNK = Window(0, 1), 25
VETO = ("calendar_time", "wild_bootstrap", "cross_sectional")
# Each design with the effect on day 0 of its power.
STUDIES: dict[str, tuple[Design, float]] = {
    "40 overlapping dates": (Design("", dates(*[1] * 40, apart=1), rho=0.1), 0.014),
    "10 dates x 5": (Design("", dates(*[5] * 10), rho=0.1), 0.01),
    "50 dispersed": (DESIGNS["D0"], 0.008),
    "3 dates x 10": (Design("", dates(*[10] * 3), rho=0.1), 0.025),
    "6 dates x 5": (Design("", dates(*[5] * 6), rho=0.1), 0.018),
    "3 clusters, sector variance x2": (replace(K1, own=1), 0.02),
}


def outcomes(design: Design, effect: float, seeds: list[np.random.SeedSequence]) -> FloatArray:
    """Return rejections of verdict and of veto rule, coverage, and contradictions, (n, 4)."""
    rows = []
    for seed in seeds:
        windows = simulate(replace(design, effect=effect), np.random.default_rng(seed))
        fit = MODELS["market"]().fit(windows, engine="batch")
        found = decide(fit, WINDOW)
        p = np.array([STATISTICS[name](fit, WINDOW).pvalue for name in VETO])
        different, low, high = found.verdict == DIFFERENT, found.effect.ci_low, found.effect.ci_high
        vetoed = different and bool((p[np.isfinite(p)] < 0.05).all())
        rows.append([different, vetoed, low <= effect <= high, different == (low <= 0 <= high)])
    return np.array(rows, dtype=float)


def study(name: str, effect: float, samples: int, workers: int) -> FloatArray:
    """Return the four shares of one design in percent."""
    design = STUDIES[name][0]
    seeds = np.random.SeedSequence([SEED, zlib.crc32(name.encode()), int(effect > 0)]).spawn(
        samples
    )
    chunks = [seeds[i : i + CHUNK] for i in range(0, samples, CHUNK)]
    with ProcessPoolExecutor(max(workers, 1), mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(partial(outcomes, design, effect), chunks))
    return 100 * np.concatenate(parts).mean(axis=0)


def main() -> int:
    """Print a row a design; return 1 if interval and verdict ever disagree."""
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("| design | effect, % | different | veto rule of 0.1 | coverage | incoherent |")
    print("|---|--:|--:|--:|--:|--:|")
    worst = 0.0
    for name, (_, effect) in STUDIES.items():
        for size in (0.0, effect):
            row = study(name, size, options.samples, options.workers)
            print(
                "|",
                " | ".join([name, *(f"{value:.1f}" for value in (100 * size, *row))]),
                "|",
                flush=True,
            )
            worst = max(worst, row[3])
    return int(worst > 0)


if __name__ == "__main__":
    sys.exit(main())
