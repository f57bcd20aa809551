"""Draw the picture of the README from the committed run reports/sanctions-sample.

python tools/make_readme_picture.py docs/_static/readme.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

PATH = Path(__file__).parents[1] / "reports" / "sanctions-sample" / "tables" / "path_by_group.csv"
BLUE, DARK, GREY, SHADE = "#0B5394", "#565C63", "#9AA0A6", "#EFEADD"
TITLE = "{n} adverse announcements: shares fell {effect:.1f}% more than the market implied"
BAND = "Grey: on any one day, 19 of 20 studies without an effect are here."


def draw(days: pd.DataFrame, picture: Path) -> None:
    """Write the path of the shares and of what the market implied (the day before is 100)."""
    shares, implied = days["shares"], days["implied"]
    half = 50 * (days["gap_high"] - days["gap_low"])
    effect = -100 * days.loc[1, "gap"]
    figure = Figure(figsize=(10, 2.4), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-0.5, 1.5, color=SHADE, lw=0, zorder=0)
    axes.fill_between(days.index, implied - half, implied + half, color=GREY, alpha=0.25, lw=0)
    axes.plot(implied, color=DARK, ls="--")
    axes.plot(shares, color=BLUE, lw=2.5, marker="o")
    axes.plot([1, 1], [shares[1], implied[1]], color="black", marker="_", lw=2)
    axes.text(1.1, shares[1] + 0.22, f"−{effect:.1f}%", fontweight="bold", size=13)
    axes.text(5.1, implied.iloc[-1], "market implied", color=DARK, va="center")
    axes.text(5.1, shares.iloc[-1], "shares", color=BLUE, va="center", fontweight="bold")
    axes.text(-5, 98.2, BAND, color=DARK)
    axes.text(0.5, 100.9, "announcement day\nand the day after", ha="center", va="top", color=DARK)
    axes.set_xticks(days.index, [f"{d:+d}".replace("-", "−") if d else "day 0" for d in days.index])
    axes.set_yticks([99, 100])
    axes.set_ylim(98.1, 101)
    axes.set_xlim(-5.2, 6.4)
    title = TITLE.format(n=days["n_events"].max(), effect=effect)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(picture, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    rows = pd.read_csv(PATH).query("direction == 'adverse' and -5 <= tau <= 5")
    draw(rows.set_index("tau"), Path(sys.argv[1]))
