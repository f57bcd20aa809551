"""easy-es: `run_study` with its market model and `calculate_car_stats`."""
# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "easy-es==0.1.8",
#   "numpy==2.4.6",
#   "pandas==2.2.3",
#   "scipy==1.17.1",
#   "statsmodels==0.14.6",
# ]
# ///

import numpy as np
import pandas as pd
from easy_es.event_study_model import EventStudy
from easy_es.utils import calculate_car_stats
from protocol import DAYS, EVENT, Numbers, Sample, Work, run


def prepare(sample: Sample) -> Work:
    study = EventStudy(
        estimation_days=DAYS, gap_days=0, window_before=-EVENT[0], window_after=EVENT[1],
        estimator_type="capm", n_cores=1,
    )  # fmt: skip
    # It takes days of the calendar around an event and sessions out of them; as given they are too
    # few.
    study.AUX_OFFSET = 150
    firms, T = sample.returns.shape
    dates = pd.to_datetime(sample.dates).astype(str).to_numpy(object)
    study.add_returns(
        ret_df=pd.DataFrame({
            "Ret": sample.returns.ravel(), "Date": np.tile(dates, firms),
            "ticker": np.repeat(np.array(sample.tickers, object), T), "Volume": 1.0,
        })
    )  # fmt: skip
    factors = {"Mkt-RF": sample.market, "SMB": 0.0, "HML": 0.0, "RF": 0.0}
    study.add_factors(pd.DataFrame({"Date": pd.to_datetime(sample.dates).date, **factors}))
    events = pd.DataFrame(sample.events, columns=["ticker", "event_date"])

    def work() -> Numbers:
        last = calculate_car_stats(study.run_study(events)).iloc[-1]
        return {"caar": last["mean"], "cross_sectional": last["t_stat"]}

    return work


run(prepare)
