"""Our engine: windows, fit of all events at once, and tests."""

import numpy as np
from floor import Drawn
from protocol import EVENT, Numbers, Sample, Work, run
from speed import fitted

from eventstudy.calendars import Window
from eventstudy.significance import STATISTICS


def prepare(sample: Sample) -> Work:
    values, window = np.vstack([sample.returns, sample.market]), Window(*EVENT)
    drawn = Drawn(values, sample.firm, sample.day)
    panel = drawn.panel

    def work() -> Numbers:
        fit = fitted(drawn, panel, engine="batch")
        found = {
            name: STATISTICS[name](fit, window) for name in ("patell", "bmp", "cross_sectional")
        }
        own = {
            "caar": found["bmp"].estimate,
            "j1": fit.car(window).sum() / np.sqrt(fit.var_car(window).sum()),
        }
        return {**own, **{name: test.statistic for name, test in found.items()}}

    return work


run(prepare)
