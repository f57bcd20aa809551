"""Draw the picture of the README from the numbers in reports/hikvision-2019/case.json.

python tools/make_readme_picture.py docs/_static/hikvision.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

CASE = Path(__file__).parents[1] / "reports" / "hikvision-2019" / "case.json"
BLUE, GREY, SHADE = "#0B5394", "#9AA0A6", "#EFEADD"
TITLE = "Hikvision, 22 May 2019: shares did {car:.1f}% worse than the market implied (p = {p})"
NOTE = "Return beyond what the market implied, each day.\nGrey: 95 of 100 quiet days end here."


def draw(case: dict[str, Any], picture: Path) -> None:
    """Write the picture of a kept case.

    Parameters
    ----------
    case : dict
    picture : Path
    """
    windows = {name: column["values"] for name, column in case["windows"].items()}
    main = list(zip(windows["start"], windows["stop"], strict=True)).index(tuple(case["main"]))
    days = case["days"]["tau"]["values"]
    returns = [100 * ar for ar in case["days"]["ar"]["values"]]
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots()
    band = 196 * case["fit"]["sigma"]
    axes.axhspan(-band, band, color=GREY, alpha=0.2, lw=0)
    axes.axvspan(-0.5, 1.5, color=SHADE, lw=0, zorder=0)
    axes.bar(days, returns, width=0.6, color=[BLUE if day in (0, 1) else GREY for day in days])
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(days, [f"{day:+d}".replace("-", "−") if day else "day 0" for day in days])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:+.0f}%".replace("-", "−") if y else "0")
    axes.set_title(
        TITLE.format(car=-100 * windows["car"][main], p=windows["pvalue"][main]),
        loc="left", fontweight="bold",
    )  # fmt: skip
    axes.text(10.4, -6.9, NOTE, ha="right", va="bottom", color="#565C63")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(picture, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    draw(json.loads(CASE.read_text(encoding="utf-8")), Path(sys.argv[1]))
