"""Draw twelve records on Hikvision over the cumulative abnormal return of its shares.

python tools/make_records_picture.py PRICES docs/_static/hikvision-records.svg

PRICES is a folder with 002415.SZ.csv and 000300.SS.csv (columns date and adj_close or close), such
as a folder that `eventstudy prices export` wrote.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

STYLE = Path(__file__).parents[1] / "eventstudy" / "data" / "figures.mplstyle"
BEGIN, END = "2018-07-02", "2026-09-30"
BLUE, GREY = "#0b5394", "#8a8f94"


@dataclass(frozen=True)
class Mark:
    """A record: its number and first possible day 0, how well its time is known, and its line."""

    number: int
    day: str
    kind: str  # minute, day, or none (no event)
    label: str
    level: int


# docs/explanation/hikvision-records.md has their sources.
MARKS = (
    Mark(1, "2018-08-13", "none", "purchases (NDAA)", 1),
    Mark(2, "2019-05-22", "day", "leak: New York Times", 3),
    Mark(3, "2019-10-08", "day", "Entity List", 0),
    Mark(4, "2020-06-29", "day", "DoD list", 1),
    Mark(5, "2020-11-13", "day", "order 13959", 2),
    Mark(6, "2021-03-15", "day", "FCC list", 0),
    Mark(7, "2021-06-04", "minute", "NS-CMIC list", 3),
    Mark(8, "2021-06-04", "day", "1260H list", 1),
    Mark(9, "2022-05-05", "day", "leak: Financial Times", 0),
    Mark(10, "2025-01-07", "none", "1260H again", 1),
    Mark(11, "2026-02-24", "none", "1260H withdrawn", 2),
    Mark(12, "2026-06-09", "none", "1260H again", 0),
)


def read_returns(folder: Path, ticker: str) -> pd.Series[float]:
    """Return the daily returns of a ticker."""
    table = pd.read_csv(folder / f"{ticker}.csv", index_col="date", parse_dates=True)
    price = table["adj_close"] if "adj_close" in table else table["close"]
    return price[price > 0].pct_change(fill_method=None)


def draw_mark(axes: Axes, mark: Mark, height: float) -> None:
    """Draw one record."""
    color = GREY if mark.kind == "none" else BLUE
    face = color if mark.kind == "minute" else "white"
    x = pd.Timestamp(mark.day)
    axes.plot(x, height, "o", ms=13, mec=color, mfc=face, mew=1.8, zorder=4)
    ink = "white" if mark.kind == "minute" else color
    axes.annotate(
        str(mark.number), (x, height), ha="center", va="center", color=ink, fontsize=8, zorder=5
    )


def main(folder: Path, target: Path) -> None:
    """Write the picture."""
    mpl.style.use(str(STYLE))
    share, index = (read_returns(folder, name) for name in ("002415.SZ", "000300.SS"))
    beyond = (share - index).dropna()[BEGIN:].cumsum() * 100
    figure, (curve, strip) = plt.subplots(
        2, 1, figsize=(10, 5.6), sharex=True, height_ratios=(3, 1.45), layout="constrained"
    )
    curve.plot(beyond.index, beyond, color="#1a1e22", lw=1)
    curve.axhline(0, color="#c9c3b5", lw=0.8)
    curve.set_ylabel("percentage points")
    curve.set_title("Hikvision beyond the CSI 300, cumulated since July 2018", fontsize=12)
    last = beyond.index[-1]
    curve.annotate(
        "no prices here after",
        (last, beyond.iloc[-1]),
        xytext=(8, 0),
        textcoords="offset points",
        color=GREY,
        va="center",
        fontsize=9,
    )
    for mark in MARKS:
        x = pd.Timestamp(mark.day)
        at = beyond.index.searchsorted(x)
        color = GREY if mark.kind == "none" else BLUE
        face = color if mark.kind == "minute" else "white"
        if at < len(beyond):
            curve.plot(
                x,
                np.asarray(beyond)[at],
                "o",
                ms=6,
                mec=color,
                mfc=face,
                zorder=4 + (mark.kind == "minute"),
            )
        draw_mark(strip, mark, mark.level)
        strip.annotate(
            mark.label,
            (x, mark.level),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color="#565c63",
        )
        if mark.kind != "none" and at < len(beyond):
            for axes in (curve, strip):
                axes.axvline(x, color=BLUE, lw=0.5, alpha=0.35, zorder=1)
    strip.set_ylim(-0.7, 3.7)
    strip.set_yticks([])
    strip.grid(visible=False)
    strip.set_xlim(pd.Timestamp(BEGIN), pd.Timestamp(END) + pd.Timedelta(days=270))
    strip.xaxis.set_major_locator(mdates.YearLocator())
    strip.xaxis.set_major_formatter(mdates.DateFormatter("%Y"))
    strip.set_xlabel(
        "filled: a record gives the minute. Hollow: only a day. Grey: no event", fontsize=10
    )
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
