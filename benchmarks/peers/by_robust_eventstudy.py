"""robust-eventstudy: the market model of each event; its tests compare groups of events on one
calendar."""
# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["robust-eventstudy==0.1.0", "numpy==2.4.6", "pandas==3.0.6", "scipy==1.17.1"]
# ///

import numpy as np
import pandas as pd
from protocol import DAYS, EVENT, MARKET, Numbers, Sample, Work, run
from robust_eventstudy.returns import MarketModel


def prepare(sample: Sample) -> Work:
    # Its windows are in days of the calendar, ends included: sessions become days in succession.
    dates = pd.date_range("2001-01-01", periods=len(sample.dates))
    series = [pd.Series(own, index=dates) for own in sample.returns]
    model = MarketModel(estimation_window=DAYS - 1, gap_window=-EVENT[0], market_proxy=MARKET)
    model.set_market_returns(pd.Series(sample.market, index=dates))

    def work() -> Numbers:
        found = [
            model.compute_abnormal_returns(series[firm], dates[day], EVENT)["car"]
            for firm, day in zip(sample.firm, sample.day, strict=True)
        ]
        return {"caar": np.mean(found)}

    return work


run(prepare)
