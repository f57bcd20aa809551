"""event-study-toolkit of PyPI: its market model, and its tests of the full sample, a window a
study.

It reckons in days of the NYSE: the days of a case become those in succession. It answers no case
with missing returns.
"""
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

import json
import sys
from pathlib import Path

import pandas as pd
import pandas_market_calendars as mcal
from event_study_toolkit.eventstudy import eventstudy

NAMES = {
    "caar": "car_mean", "cross_sectional": "car_t", "patell": "tpatell", "bmp": "scar_t",
    "sign": "tsign", "generalized_sign": "gen_z",
}  # fmt: skip
NYSE = mcal.get_calendar("NYSE").schedule("2000-01-01", "2010-01-01").index


def answers(folder: Path) -> dict[str, float]:
    """Answer one case."""
    case = json.loads((folder / "case.json").read_text())
    returns = pd.read_csv(folder / "returns.csv", index_col="date")
    events = pd.read_csv(folder / "events.csv")
    if case["model"] != "market" or returns.isna().any(axis=None):
        return {}
    # Room before the first day: the package wants a whole estimation window on its calendar.
    session = dict(zip(returns.index, NYSE[300:], strict=False))
    panel = pd.concat(
        pd.DataFrame({
            "permno": event, "date": list(session.values()), "ret_dlst_adj": returns[ticker].array,
            "vwretd": returns[case["market"]].array,
        })
        for event, ticker in zip(events["event_id"], events["ticker"], strict=True)
    )  # fmt: skip
    dated = pd.DataFrame({"permno": events["event_id"], "EVT_DATE": events["date"].map(session)})
    first, last = case["estimation"]
    found = {}
    for text in case["windows"]:
        start, end = json.loads(text)
        study = eventstudy(
            last - first + 1, start - last - 1, start, end, panel, dated.assign(group=1),
            groups=["group"],
        )  # fmt: skip
        for event, car, sigma in study.getCARS("market")[["permno", "car", "sigma"]].to_numpy():
            found[f"car/{text}/{event:.0f}"], found[f"sigma/{event:.0f}"] = car, sigma
        tests = study.getFullSampleTestStatistic("market").iloc[0]
        found |= {f"{ours}/{text}": tests[theirs] for ours, theirs in NAMES.items()}
    return {name: float(value) for name, value in found.items()}


for name in sys.argv[1:]:
    (Path(name) / "answers.json").write_text(json.dumps(answers(Path(name))))
