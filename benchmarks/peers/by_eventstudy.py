"""eventstudy: `Multiple.from_list` over the market model of each event, and its t."""
# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#   "eventstudy==0.1a12", "numpy==2.4.6", "pandas==3.0.6", "scipy==1.17.1", "statsmodels==0.15.0"
# ]
# ///

from protocol import DAYS, EVENT, MARKET, Numbers, Sample, Work, run

from eventstudy import Multiple, Single


def prepare(sample: Sample) -> Work:
    # What `Single.import_returns` does with a file.
    Single._save_parameter("returns", sample.columns)
    events = [
        {"security_ticker": ticker, "market_ticker": MARKET, "event_date": date}
        for ticker, date in sample.events
    ]

    def work() -> Numbers:
        found = Multiple.from_list(
            events,
            Single.market_model,
            event_window=EVENT,
            estimation_size=DAYS,
            buffer_size=0,
            ignore_errors=False,
        )
        return {"caar": found.CAAR[-1], "j1": found.tstat[-1]}

    return work


run(prepare)
