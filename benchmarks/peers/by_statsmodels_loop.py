"""The obvious program: `sm.OLS` event by event, forecast variance of the whole window, then the
tests."""

import numpy as np
import statsmodels.api as sm
from protocol import ESTIMATION, EVENT, Numbers, Sample, Work, run, statistics


def prepare(sample: Sample) -> Work:
    before, after = (np.arange(first, last + 1) for first, last in (ESTIMATION, EVENT))

    def work() -> Numbers:
        car, variance = np.empty(len(sample.firm)), np.empty(len(sample.firm))
        for i, (firm, day) in enumerate(zip(sample.firm, sample.day, strict=True)):
            y, x = sample.returns[firm], sample.market
            fit = sm.OLS(y[day + before], sm.add_constant(x[day + before])).fit()
            X = sm.add_constant(x[day + after])
            ar = y[day + after] - X @ fit.params
            V = fit.mse_resid * np.eye(len(after)) + X @ fit.cov_params() @ X.T
            car[i], variance[i] = ar.sum(), V.sum()
        return statistics(car, variance)

    return work


run(prepare)
