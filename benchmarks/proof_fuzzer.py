"""Prove studies that are drawn at random, and print each whose proof does not agree with its run.

    python benchmarks/proof_fuzzer.py [--studies 200] [--seed N] [--jobs 2] [--shrink]

Each study is one of real shape: exchanges of several calendars, one of which may have been closed
for weeks or be open on Sundays; shares whose price stands still, that miss sessions, are halted,
new, or at a price limit; several events on a date and of a firm; rows that are dropped. Its files
are written, `eventstudy run` studies them, and `eventstudy proof` computes its numbers again by a
program that shares no code with it. A number that differs, a proof that is refused, a warning and
an exit code other than 0 are failures: then the exit code is 1.

A study depends on its seed alone: study k has the seed N + k. N is 1000 by default.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shlex
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from drawn_studies import DrawnStudy, Outcome, outcome_of, smallest

# Lines of a failure that are printed.
LINES = 12


class Proved(NamedTuple):
    """A study that was drawn: its seed, options, and what became of it."""

    seed: int
    options: list[str]
    events: int
    outcome: Outcome


def prove(seed: int, base: Path) -> Proved:
    """Draw a study into a folder of its own, and prove it.

    Parameters
    ----------
    seed : int
    base : path
        Holds the folders of the studies, each by its seed.
    """
    study = DrawnStudy(base / str(seed), seed)
    outcome = outcome_of(study.folder, study.options)
    return Proved(seed, study.options, len(study.news), outcome)


def main() -> int:
    """Print a line a study; return 1 if one failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a new folder for the files of the studies")
    parser.add_argument("--shrink", action="store_true", help="make failures as small as possible")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    begin, numbers, failures = time.perf_counter(), 0, 0
    with tempfile.TemporaryDirectory() as place, multiprocessing.Pool(asked.jobs) as pool:
        base = asked.keep or Path(place)
        seeds = range(asked.seed, asked.seed + asked.studies)
        for proved in pool.imap(partial(prove, base=base), seeds):
            numbers += proved.outcome.numbers
            if proved.outcome.failure:
                failures += 1
                tell(proved)
                if asked.shrink:
                    shrink(base / str(proved.seed), proved.options)
            else:
                print(f"{proved.seed}: {proved.outcome.numbers} numbers agree", flush=True)
    seconds = time.perf_counter() - begin
    print(f"{asked.studies} studies, {numbers} numbers agree, {failures} failures, {seconds:.0f} s")
    return int(bool(failures))


def tell(proved: Proved) -> None:
    """Print a failure, and how to see it again."""
    failure, numbers, text = proved.outcome.failure, proved.outcome.numbers, proved.outcome.text
    print(f"{proved.seed}: FAILED, {failure}; {proved.events} events, {shlex.join(proved.options)}")
    lines = [line[:200] for line in text.splitlines() if not line.startswith("NOTE")]
    print(*(f"    {line}" for line in (lines[:LINES] if numbers else lines[-LINES:])), sep="\n")
    command = f"python benchmarks/proof_fuzzer.py --studies 1 --seed {proved.seed}"
    print(f"  alone: {command}", flush=True)


def shrink(folder: Path, options: list[str]) -> None:
    """Make a study that failed as small as it still fails, and print it."""
    options = smallest(folder, options)
    print(f"  smallest: {shlex.join(options)}")
    print((folder / "events.csv").read_text(encoding="utf-8"), flush=True)


if __name__ == "__main__":
    sys.exit(main())
