"""event-study-toolkit: its calendar, its merge of events and returns, and the tests of the full
sample."""
# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#   "event-study-toolkit==1.0.0",
#   "numpy==2.4.6",
#   "pandas==3.0.6",
#   "scipy==1.17.1",
#   "statsmodels==0.15.0",
# ]
# ///

import sys

import numpy as np
import pandas as pd
from event_study_toolkit.eventstudy import eventstudy
from protocol import DAYS, EVENT, Numbers, Sample, Work, run


def prepare(sample: Sample) -> Work:
    if len(np.unique(sample.firm)) < len(sample.firm):
        sys.exit("takes one event of a firm")
    firms, T = sample.returns.shape
    returns = pd.DataFrame({
        "permno": np.repeat(np.arange(firms), T),
        "date": np.tile(sample.dates.astype("datetime64[ns]"), firms),
        "ret_dlst_adj": sample.returns.ravel(), "vwretd": np.tile(sample.market, firms),
    })  # fmt: skip
    events = pd.DataFrame({
        "permno": sample.firm, "EVT_DATE": sample.dates[sample.day].astype("datetime64[ns]"),
        "group": 1
    })  # fmt: skip

    def work() -> Numbers:
        study = eventstudy(
            estperiod=DAYS,
            gap=0,
            start=EVENT[0],
            end=EVENT[1],
            data=returns,
            events=events,
            groups=["group"],
        )
        found = study.getFullSampleTestStatistic("market").iloc[0]
        names = {
            "caar": "car_mean",
            "patell": "tpatell",
            "bmp": "scar_t",
            "cross_sectional": "car_t",
        }
        return {ours: found[theirs] for ours, theirs in names.items()}

    return work


run(prepare)
