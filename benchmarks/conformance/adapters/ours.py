"""This package, by the door that its users take: a list of events and a frame of returns."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.files import read_csv


def answers(folder: Path) -> dict[str, float]:
    """Answer one case."""
    case = json.loads((folder / "case.json").read_text())
    listed = pd.read_csv(folder / "events.csv", dtype=str)
    listed = listed.rename(columns={"date": "announced_at"}).assign(benchmark=case["market"])
    results = es.EventStudy(
        es.events_from_frame(listed, calendar="data"),
        read_csv(folder / "returns.csv", index_col="date", parse_dates=True),
        model=case["model"],
        estimation=tuple(case["estimation"]),
        event=tuple(case["event"]),
        engine="batch",
        # The cases take all estimation days, also those in the window of another event.
        repeat="keep-all",
    ).fit()
    fit, ids = results.abnormal, listed["event_id"]
    found = by_event("sigma", ids, np.sqrt(fit.sigma2))
    for name, column in zip(("alpha", "beta"), fit.params.T, strict=False):
        found |= by_event(name, ids, column)
    for text in case["windows"]:
        window = es.Window.of(text)
        found |= by_event(f"car/{text}", ids, fit.car(window))
        found |= by_event(f"se_car/{text}", ids, np.sqrt(fit.var_car(window)))
        for name in es.STATISTICS:
            if not {name, f"p.{name}"}.isdisjoint(case["asked"]):
                test = results.test(name, window)
                found[f"{name}/{text}"], found[f"p.{name}/{text}"] = test.statistic, test.pvalue
        found[f"caar/{text}"] = np.nanmean(fit.car(window))
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def by_event(name: str, ids: pd.Series, values: np.ndarray) -> dict[str, float]:
    """Name a number of each event."""
    return {f"{name}/{event}": value for event, value in zip(ids, values, strict=True)}


for name in sys.argv[1:]:
    (Path(name) / "answers.json").write_text(json.dumps(answers(Path(name))))
