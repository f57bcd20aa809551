"""CPU seconds of 360 specifications of the list of the project on the bundled prices.

.venv/bin/python benchmarks/specifications.py

3 models x 5 estimation windows x 6 windows x 4 samples: 15 fits that all cells share.
"""

from __future__ import annotations

import time
from pathlib import Path

import eventstudy as es

EVENTS = Path(__file__).parents[1] / "events.csv"
GRID = {
    "model": ["market", "market_adjusted", "constant_mean"],
    "estimation": ["-250:-31", "-200:-31", "-150:-31", "-120:-21", "-250:-11"],
    "car": ["0:0", "0:1", "-1:1", "0:5", "-3:3", "-5:5"],
    "sample": ["", "without flagged", "not repeated", "confidence == 'confirmed'"],
}


def main() -> None:
    """Print the number of specifications, what they say, and the CPU seconds."""
    es.robustness(EVENTS, {"car": ["0:1"]}, es.StudyConfig(prices="sample"), offline=True)
    begun = time.process_time()
    results = es.robustness(EVENTS, GRID, es.StudyConfig(prices="sample"), offline=True)
    seconds = time.process_time() - begun
    print(f"{len(results.table)} specifications: {seconds:.1f} CPU seconds")
    print(results)


if __name__ == "__main__":
    main()
