"""Rejection rates of the tests on simulated events: size where nothing happens, power where
something does.

    python benchmarks/size.py --designs D0,C0 --tests bmp,bmp_kp --samples 2000 --workers 2 --json
    sizes.json

The designs are in designs.py; sizes.csv has rates of an independently written program, most of them
from 10,000 samples. A rate that differs by more than 1.5 percentage points and three standard
errors has a star; the exit code is 1 if one of the acceptance cells of tables.py differs by more
than 1.5 points.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from designs import DESIGNS, Design, simulate
from tables import cells, listing, markdown
from variants import VARIANTS, PValue, registered

from eventstudy.abnormal import Conventions
from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.utility import IntArray

LEVEL, CHUNK = 0.05, 50

Rates = dict[str, dict[str, tuple[int, int]]]


def applicable(design: Design, names: Iterable[str] = ()) -> dict[str, PValue]:
    """Return the tests of one event, or of many, and the variants of a design; only `names` if
    any."""
    per_event = len(design.dates) == 1
    own = {k: registered(k) for k, test in STATISTICS.items() if test.per_event == per_event}
    own |= {k: VARIANTS[k] for k in design.variants}
    return {k: p for k, p in own.items() if not names or k in names}


def count(
    design: Design, names: tuple[str, ...], seeds: Iterable[np.random.SeedSequence]
) -> IntArray:
    """Return how often each test rejected and how often it applied, (2, windows, tests); a sample a
    seed."""
    tests, model = applicable(design, names).values(), MODELS[design.model]()
    total = np.zeros((2, len(design.windows), len(tests)), dtype=np.int64)
    for seed in seeds:
        fit = model.fit(simulate(design, np.random.default_rng(seed)), engine="batch")
        p = np.array([[test(fit, Window(*w)) for test in tests] for w in design.windows])
        total += np.stack([p < LEVEL, np.isfinite(p)])
    return total


def rejections(
    name: str,
    samples: int,
    *,
    names: tuple[str, ...] = (),
    seed: int = Conventions.SEED,
    workers: int = 0,
) -> Rates:
    """Return, by window and test, in how many samples it rejected and in how many it applied.

    Each sample has its own seed: the numbers depend neither on `workers`, the number of processes
    beside this one, nor on the other designs.
    """
    design = DESIGNS[name]
    seeds = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).spawn(samples)
    chunks = [seeds[i : i + CHUNK] for i in range(0, samples, CHUNK)]
    run = partial(count, design, names)
    if workers == 0:
        total = sum(map(run, chunks))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            total = sum(pool.map(run, chunks))
    rates: Rates = {}
    for w, rejected, applied in zip(design.windows, *total, strict=True):
        pairs = zip(rejected.tolist(), applied.tolist(), strict=True)
        rates[str(Window(*w))] = {
            k: p for k, p in zip(applicable(design, names), pairs, strict=True) if p[1]
        }
    return rates


def main(arguments: list[str] | None = None) -> int:
    """Run designs, print their rates, keep them in a file; return 1 if an acceptance cell fails."""
    options = _options(arguments)
    stored = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    # A sample is many small arrays: a second thread for each of their products only costs. For the
    # workers.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    results: dict[str, Any] = stored if options.show else {}
    for name in () if options.show else options.designs:
        results[name] = _run(name, options)
        print(f"{name}: {results[name]['seconds']} s", file=sys.stderr)
        if options.json:
            merged = stored | results
            ordered = {n: merged[n] for n in DESIGNS if n in merged}
            options.json.write_text(_compact(ordered))
    windows = dict.fromkeys(w for own in results.values() for w in own["rates"])
    tables = (line for w in windows for line in (f"window {w}", "", *markdown(results, w), ""))
    print("\n".join(tables if options.table else listing(results)))
    return int(any(cell.accepted is False for cell in cells(results)))


def _run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the rates of one design, and how they were made."""
    how = {"seed": options.seed, "workers": options.workers}
    start = time.perf_counter()
    rates = rejections(name, options.samples, names=options.tests, **how)
    packages = {"eventstudy": "eventstudy-kit", "numpy": "numpy", "scipy": "scipy"}
    return {
        "says": DESIGNS[name].says,
        "samples": options.samples,
        **how,
        "seconds": round(time.perf_counter() - start, 1),
        "versions": {
            "python": platform.python_version(),
            **{k: version(v) for k, v in packages.items()},
        },
        "rates": rates,
    }


def _compact(results: dict[str, Any]) -> str:
    """Return JSON with the two counts of a rate on one line."""
    return re.sub(r"\[\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2]", json.dumps(results, indent=1)) + "\n"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    tests = [*STATISTICS, *VARIANTS]
    parser.add_argument(
        "--designs", type=_names(DESIGNS), default=tuple(DESIGNS), help="default: all"
    )
    parser.add_argument("--tests", type=_names(tests), default=(), help="default: all that apply")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=Conventions.SEED)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--json", type=Path, help="results replace those of the same designs in this file"
    )
    parser.add_argument("--show", action="store_true", help="run nothing, print what the file has")
    parser.add_argument("--table", action="store_true", help="Markdown tables, one for each window")
    return parser.parse_args(arguments)


def _names(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of names separated by commas that have to be `known`."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        unknown = [n for n in names if n not in known]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"unknown: {', '.join(unknown)}; known: {', '.join(known)}"
            )
        return names

    return read


if __name__ == "__main__":
    sys.exit(main())
