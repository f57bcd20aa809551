"""The studies that R packages were run on: inputs, outputs, and our fit of the same data."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.windows import EventWindows, build_windows

HERE = Path(__file__).parent / "reference" / "r"
ESTIMATION, EVENT = Window(-260, -11), Window(-10, 10)
WINDOWS = ["[-10,10]", "[-5,5]", "[-3,3]", "[-1,1]", "[0,1]", "[0,0]", "[-10,-1]", "[2,10]"]
# Their files have 12 significant digits.
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
ENGINES = ["statsmodels", "batch"]

DISPERSED, CLUSTERED, MISSING = "a_normal_dispersed", "b_clustered", "d_missing_thin"
SINGLE, REPEATED, FACTORS = "f_single", "g_repeated_firms", "i_factors"
COMPLETE = [DISPERSED, CLUSTERED, REPEATED, FACTORS]
MODEL_NAMES = ["market", "market_adjusted", "constant_mean"]
THREE_MODELS = [(case, model) for case in (DISPERSED, CLUSTERED) for model in MODEL_NAMES]


def table(case: str, name: str, model: str = "market") -> pd.DataFrame:
    """Read an output; `name` is PROGRAM__WHAT, and the file of another model has its prefix before
    WHAT."""
    program, what = name.split("__")
    infix = {
        "baseR": {"market_adjusted": "mktadj_", "constant_mean": "meanadj_"},
        "EventStudy": {"market_adjusted": "mktadj_", "constant_mean": "meanadj_"},
        "estudy2": {"market_adjusted": "mrkt_adj_", "constant_mean": "mean_adj_"},
    }
    return read(HERE / case / f"{program}__{infix.get(program, {}).get(model, '')}{what}.csv")


@functools.cache
def read(path: Path) -> pd.DataFrame:
    """Read a CSV file, gzipped if it is large."""
    return pd.read_csv(path if path.exists() else path.with_name(path.name + ".gz"))


def events(case: str) -> pd.DataFrame:
    """Return event_id, ticker and date of the events."""
    return read(HERE / case / "inputs" / "events.csv")


def returns(case: str) -> pd.DataFrame:
    """Return the returns on the market's days, wide; the market is the column MKT."""
    folder = HERE / case / "inputs"
    market = read(folder / "market.csv").set_index("date")["return"]
    firms = read(folder / "firms.csv").pivot(index="date", columns="ticker", values="return")
    return firms.reindex(market.index).assign(MKT=market)


def windows_of(
    case: str,
    estimation: Window = ESTIMATION,
    event: Window = EVENT,
    frame: pd.DataFrame | None = None,
    factors: tuple[str, ...] = ("MKT",),
) -> EventWindows:
    """Lay out the events of a case; `frame` may bring more columns than the case's own returns."""
    panel = ReturnsPanel.from_frame(returns(case) if frame is None else frame)
    own = events(case)
    return build_windows(
        panel,
        calendars=["data"] * len(own),
        day0=own["date"].to_numpy().astype("datetime64[D]"),
        rows=np.array([panel.row(ticker, "data") for ticker in own["ticker"]]),
        factor_rows=np.array([[panel.row(f, "data") for f in factors]] * len(own)),
        estimation=estimation,
        event=event,
    )


@functools.cache
def fit(
    case: str,
    model: str = "market",
    engine: str = "statsmodels",
    estimation: Window = ESTIMATION,
    event: Window = EVENT,
) -> Any:
    """Return our abnormal returns; every event can be estimated."""
    factors = () if model == "constant_mean" else ("MKT",)
    ours = MODELS[model]().fit(windows_of(case, estimation, event, factors=factors), engine=engine)
    assert set(ours.problem) == {""}
    return ours


def by_day(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a long column of events x days as an array (n, L2)."""
    return frame.pivot(index="event_id", columns="rel_day", values=column).to_numpy(float)


def of(ours: Any, test: str, window: Window) -> float:
    """Return one statistic of ours."""
    return STATISTICS[test](ours, window).statistic


def daily(ours: Any, test: str) -> np.ndarray:
    """Return one statistic of ours for every day of the event window, shape (L2,)."""
    return np.array([of(ours, test, Window(int(d), int(d))) for d in ours.event.days])


def t_of(values: np.ndarray) -> np.ndarray:
    """Mean over rows, divided by its standard error."""
    return values.mean(axis=0) / (values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def same_day_correlation(resid: np.ndarray) -> float:
    """Mean correlation of all pairs of residual series (n, L1), paired by *event* day."""
    return float(np.corrcoef(resid)[np.triu_indices(len(resid), 1)].mean())


def close(actual: Any, expected: Any, message: str = "") -> None:
    """Assert equality to the digits that their files have."""
    np.testing.assert_allclose(
        np.asarray(actual, float), np.asarray(expected, float), err_msg=message, **CLOSE
    )
