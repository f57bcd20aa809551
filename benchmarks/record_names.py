"""Time and memory to look for the shares of 3,415 made names among 25,000.

python benchmarks/record_names.py
"""

from __future__ import annotations

import random
import resource
import time

from eventstudy.records.names import Listing, Names

NAMED, SHARES = 3415, 25_000
COMMON = [
    "global",
    "tech",
    "motor",
    "power",
    "steel",
    "china",
    "energy",
    "bank",
    "data",
    "union",
    "east",
    "bright",
    "stone",
]


def make_names(count: int, seed: int) -> list[str]:
    """Return made-up names of two to four words; some words come in many names."""
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = COMMON + ["".join(draw.choices(letters, k=draw.randint(4, 9))) for _ in range(4000)]
    return [
        " ".join(draw.choices(words, k=draw.randint(2, 4))) + " Co., Ltd." for _ in range(count)
    ]


def main() -> None:
    """Print CPU seconds, and the peak memory of the process."""
    shares = Names(Listing(f"{k:06d}.SZ", name) for k, name in enumerate(make_names(SHARES, 1)))
    named = make_names(NAMED, 2)
    for what, look in (
        ("same name", lambda name: shares.same([name])),
        ("similar", shares.similar),
    ):
        start = time.process_time()
        for name in named:
            look(name)
        print(f"{what:<10} {time.process_time() - start:6.2f} s")
    print(f"{'memory':<10} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
