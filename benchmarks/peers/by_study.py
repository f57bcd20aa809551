"""What users of ours write: a study of an event list and a frame of returns, and its tests."""

import numpy as np
import pandas as pd
from protocol import ESTIMATION, EVENT, MARKET, Numbers, Sample, Work, run

from eventstudy.events import events_from_frame
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudy


def prepare(sample: Sample) -> Work:
    tickers, dates = zip(*sample.events, strict=True)
    events = events_from_frame(
        pd.DataFrame({"ticker": tickers, "announced_at": np.array(dates).astype(str)}),
        calendar="data",
    )
    panel = ReturnsPanel.from_frame(pd.DataFrame(sample.columns).set_index("date"))

    def work() -> Numbers:
        # The other programs know nothing of other events of a firm.
        results = EventStudy(
            events,
            panel,
            estimation=ESTIMATION,
            event=EVENT,
            benchmark=MARKET,
            engine="batch",
            repeat="keep-all",
        ).fit()
        found = {name: results.test(name, EVENT) for name in ("patell", "bmp", "cross_sectional")}
        return {
            "caar": found["bmp"].estimate,
            **{name: test.statistic for name, test in found.items()},
        }

    return work


run(prepare)
