"""The least work: batched numpy, in chunks that stay in the cache."""

import numpy as np
from floor import Drawn, scars
from protocol import EVENT, Numbers, Sample, Work, run, statistics

CHUNK = 500


def prepare(sample: Sample) -> Work:
    values, n = np.vstack([sample.returns, sample.market]), len(sample.firm)

    def work() -> Numbers:
        car, scar = np.empty(n), np.empty(n)
        for at in range(0, n, CHUNK):
            own = slice(at, at + CHUNK)
            car[own], scar[own], _ = scars(Drawn(values, sample.firm[own], sample.day[own]), EVENT)
        return statistics(car, np.square(car / scar))

    return work


run(prepare)
