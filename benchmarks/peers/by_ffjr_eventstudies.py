"""ffjr-eventstudies: `MultipleEvents.from_list` over the market model of each event, and its t."""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "ffjr-eventstudies==0.2.0",
#   "numpy==1.26.4",
#   "pandas==3.0.6",
#   "scipy==1.17.1",
#   "statsmodels==0.15.0",
# ]
# ///

import pandas as pd
from eventstudies import MultipleEvents, SingleEvent
from protocol import DAYS, EVENT, MARKET, Numbers, Sample, Work, run


def prepare(sample: Sample) -> Work:
    SingleEvent.import_returns(dataframe=pd.DataFrame(sample.columns))
    events = [
        {"ticker": ticker, "mkt_idx": MARKET, "event_date": date} for ticker, date in sample.events
    ]

    def work() -> Numbers:
        found = MultipleEvents.from_list(
            events,
            SingleEvent.MarketModel,
            event_window=EVENT,
            est_size=DAYS,
            buffer_size=0,
            ignore_errors=False,
        )
        return {"caar": found.CAAR[-1], "j1": found.tstat[-1]}

    return work


run(prepare)
