"""What every program of the comparison does: reads the sample, works, and prints one line of JSON.

Plain numpy, because it runs in the environments of all programs. The line has `events`, `seconds`
(user and system CPU seconds of the work, without imports and reading), `memory` (peak MB of the
process while it works, with all that it holds) and `numbers`.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

ESTIMATION, EVENT = (-260, -11), (-10, 10)
DAYS = ESTIMATION[1] - ESTIMATION[0] + 1
MARKET = "MKT"
# Loads what a program loads when it is first used.
WARM_UP = 20


class Sample(NamedTuple):
    """Returns without holes, and events: event i is of firm `firm[i]`, its day 0 is column
    `day[i]`."""

    dates: np.ndarray  # (T,) datetime64[D], sessions of New York
    market: np.ndarray  # (T,)
    returns: np.ndarray  # (firms, T)
    firm: np.ndarray  # (n,)
    day: np.ndarray  # (n,)

    @property
    def tickers(self) -> list[str]:
        """Names of the firms."""
        return [f"F{i:05d}" for i in range(len(self.returns))]

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Date, market and firms by name."""
        return {
            "date": self.dates,
            MARKET: self.market,
            **dict(zip(self.tickers, self.returns, strict=True)),
        }

    @property
    def events(self) -> list[tuple[str, np.datetime64]]:
        """Ticker and date of each event."""
        names = self.tickers
        return [(names[i], date) for i, date in zip(self.firm, self.dates[self.day], strict=True)]

    def head(self, events: int) -> Sample:
        """Return the first events, which are of the first firms."""
        return self._replace(
            returns=self.returns[:events], firm=self.firm[:events], day=self.day[:events]
        )

    def save(self, file: Path) -> None:
        """Write the sample for all programs."""
        np.savez(file, **self._asdict())


Numbers = dict[str, float]
Work = Callable[[], Numbers]


def read(file: str) -> Sample:
    """Read what `Sample.save` wrote."""
    with np.load(file) as stored:
        return Sample(**{name: stored[name] for name in Sample._fields})


def statistics(car: np.ndarray, variance: np.ndarray) -> Numbers:
    """Return the mean CAR and what is told of it, from CARs and their forecast variances."""
    scar, nu, root = car / np.sqrt(variance), DAYS - 2, np.sqrt(len(car))
    return {
        "caar": car.mean(),
        "patell": scar.sum() / root / np.sqrt(nu / (nu - 2)),
        "bmp": scar.mean() / scar.std(ddof=1) * root,
        "cross_sectional": car.mean() / car.std(ddof=1) * root,
        "j1": car.sum() / np.sqrt(variance.sum()),
    }


def run(prepare: Callable[[Sample], Work]) -> None:
    """Measure the work that a program prepares: `program FILE SECONDS MEGABYTES`."""
    file, seconds, megabytes = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))
    sample = read(file)
    prepare(sample.head(WARM_UP))()
    work = prepare(sample)
    gc.collect()
    end = int(cpu() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, end + 9))
    forget_peak()
    before = cpu()
    numbers = work()
    found = {"events": len(sample.firm), "seconds": cpu() - before, "memory": peak()}
    print(json.dumps({**found, "numbers": {name: float(value) for name, value in numbers.items()}}))


def cpu() -> float:
    """Return the user and system seconds of this process and of those that it has waited for."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def forget_peak() -> None:
    """Let the peak of memory start from what is in use now, where the system can do that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Return the peak of memory in MB. That of `getrusage` starts with the memory of the parent."""
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
