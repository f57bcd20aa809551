"""How often the verdict of a study is "different": where nothing happens, and where something does.

    python benchmarks/verdicts.py --samples 2000 --json benchmarks/verdicts.json
    python benchmarks/verdicts.py --json benchmarks/verdicts.json --show

A cell is a design with one kind of shocks, window [0,1]; each sample counts twice, without an
effect and with one. Counts are added to the file, so that more samples may follow; --show prints
docs/verdicts.md. The exit code is 1 if a cell that is not a known weak one misses its bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from designs import Design, simulate
from shifted_dates import shifted_study, shifts
from verdict_cells import KINDS, LEVEL, REAL, STUDIES, WINDOW, Cell, Counts, cells
from verdict_page import failures, page

from eventstudy.abnormal import AbnormalReturns, Conventions
from eventstudy.analysis import Answer
from eventstudy.analysis.answer.answer import decide
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.utility import IntArray, one_thread

CHUNK = 50


def count(cell: tuple[str, str], seeds: Iterable[np.random.SeedSequence]) -> IntArray:
    """Return the `Counts` of some samples of a cell as an array."""
    effect, total = STUDIES[cell[0]].effect, np.zeros(len(Counts._fields), dtype=np.int64)
    with one_thread():
        for seed in seeds:
            fit = draw(*cell, seed)
            none, some = decide(fit, WINDOW), decide(moved := shifted(fit, effect), WINDOW)
            rejects = [answer.verdict == Answer.DIFFERENT for answer in (none, some)]
            has = [answer.verdict != Answer.NO_RESULT for answer in (none, some)]
            agrees = [
                not is_result or rejected != holds(answer, 0.0)
                for is_result, rejected, answer in zip(has, rejects, (none, some), strict=True)
            ]
            alone = STATISTICS[STATISTICS.main(len(fit))](moved, WINDOW).pvalue < LEVEL
            total += np.array([
                1, rejects[0], holds(none, 0.0), not all(has), not all(agrees), rejects[1], alone,
                holds(some, effect),
            ])  # fmt: skip
    return total


def holds(answer: Answer, value: float) -> bool:
    """Return whether the interval of an answer holds a value."""
    return answer.effect.ci_low <= value <= answer.effect.ci_high


def draw(design: str, kind: str, seed: np.random.SeedSequence) -> AbnormalReturns:
    """Return the abnormal returns of one sample without an effect."""
    rng = np.random.default_rng(seed)
    if design == REAL:
        return shifted_study(int(seed.spawn_key[-1]), rng, **KINDS[kind])
    study = STUDIES[design]
    drawn = Design("", study.dates, **{**dict(study.more), **KINDS[kind]})
    return MODELS["market"]().fit(simulate(drawn, rng), engine="batch")


def shifted(fit: AbnormalReturns, effect: float) -> AbnormalReturns:
    """Return abnormal returns with an effect on day 0; the correlations of residuals stay."""
    ar = fit.ar.copy()
    ar[:, -fit.event.start] += effect
    return fit.as_study(ar=ar)


def run(cell: tuple[str, str], begin: int, end: int, workers: int) -> Counts:
    """Return the counts of the samples `begin` to `end` of a cell; each has a seed of its own."""
    name = " | ".join(cell)
    seeds = np.random.SeedSequence([Conventions.SEED, zlib.crc32(name.encode())]).spawn(end)[begin:]
    chunks = [seeds[i : i + CHUNK] for i in range(0, len(seeds), CHUNK)]
    if workers < 2:
        return Counts(*sum(map(partial(count, cell), chunks)).tolist())  # type: ignore[union-attr]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return Counts(*sum(pool.map(partial(count, cell), chunks)).tolist())  # type: ignore[union-attr]


def most(cell: tuple[str, str], samples: int) -> int:
    """Return how many samples of a cell there can be."""
    return min(samples, len(shifts())) if cell[0] == REAL else samples


def extend(stored: dict[str, list[int]], options: argparse.Namespace) -> Iterator[str]:
    """Add samples to the counts of the cells, yield what was done."""
    for cell in options.cells:
        name, start = " | ".join(cell), time.perf_counter()
        before = Counts(*stored.get(name, ()))
        end = most(cell, options.samples)
        if before.samples >= end:
            continue
        more = run(cell, before.samples, end, options.workers)
        stored[name] = [a + b for a, b in zip(before, more, strict=True)]
        yield f"{name}: {Counts(*stored[name])}, {time.perf_counter() - start:.1f} s"


def results(stored: dict[str, list[int]]) -> list[Cell]:
    """Return the cells that were counted, in order."""
    return [Cell(*c, Counts(*stored[k])) for c in cells() if (k := " | ".join(c)) in stored]


def main(arguments: list[str] | None = None) -> int:
    """Count samples and keep them in a file, or print the page; return 1 if a bound is missed."""
    options = _options(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    file: Path | None = options.json
    stored = json.loads(file.read_text()) if file and file.exists() else {}
    for line in () if options.show else extend(stored, options):
        print(line, file=sys.stderr, flush=True)
        if file:
            file.write_text(_compact(stored))
    found = results(stored)
    print("\n".join(page(found)))
    return int(failures(found) != ["nothing"])


def _compact(stored: dict[str, list[int]]) -> str:
    """Return JSON with a cell a line."""
    kept = [k for c in cells() if (k := " | ".join(c)) in stored]
    return "{\n" + ",\n".join(f" {json.dumps(k)}: {stored[k]}" for k in kept) + "\n}\n"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    parser.add_argument("--samples", type=int, default=2000, help="of each cell, with those stored")
    parser.add_argument(
        "--cells", type=_cells, default=cells(), help="parts of names, as '3 dates,thin'; all"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where counts are kept; samples are added")
    parser.add_argument("--show", action="store_true", help="run nothing, print what the file has")
    return parser.parse_args(arguments)


def _cells(text: str) -> list[tuple[str, str]]:
    parts = text.split(",")
    chosen = [cell for cell in cells() if all(part in " | ".join(cell) for part in parts)]
    if not chosen:
        raise argparse.ArgumentTypeError(f"no cell has {text!r} in its name")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
