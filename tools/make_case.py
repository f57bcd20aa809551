"""Write a kept case: the first event of events.csv in derived numbers, from prices of your own.

The prices stay where they are. What is written is rounded: abnormal returns, their sums, alpha and
sigma to 0.0001 percentage points, errors to 0.01 percentage points, t to two decimals. More digits
of the errors would give away the return of the market on each day, and with it that of the firm.

    python tools/make_case.py FOLDER_OF_PRICES
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from eventstudy.calendars import Window
from eventstudy.findings import Case
from eventstudy.findings.document import to_json
from eventstudy.findings.kept_case import CELLS
from eventstudy.report.tables.kept_cases import describe_case, draw_case
from eventstudy.runs.kept_case import CASE, compute_case
from eventstudy.settings import StudyConfig

ROOT = Path(__file__).resolve().parents[1]
NAME, EVENT = "hikvision-2019", "hikvision-2019-05-22-report"
BENCHMARK, NAMED, ESTIMATION = "399001.SZ", "000300.SS", Window(-250, -31)
# What is known of the files that the prices were read from.
SOURCES = {
    "002415.SZ": "a public file of daily closes in CNY, adjusted for dividends and bonus issues",
    "399001.SZ": "Yahoo Finance, as recorded in 2021",
}

ABOUT = """# hikvision-2019

The first event of the list, Hikvision on 22 May 2019, as numbers that may be shipped: its prices
may not.

{lede}

| file | what |
|---|---|
| `case.json` | the numbers, the settings, where the prices were from, the SHA-256 of their rows |
| `abnormal.svg` | the share against what the market implied |

Shipped are: {n} abnormal returns and their sums; alpha, beta, sigma, R², complete days and degrees
of freedom of the market model (index {benchmark}, simple returns, days {estimation} before day 0);
of {windows} windows the CAR, its standard error, t, and p of three tests; day 0 against {named},
the index that the events file names and Yahoo has from March 2021 on only; and of each series of
prices its source, first and last day, number of rows and hash.

Not shipped are: prices, returns of the firm and of the index, expected returns, and errors of
single days. Errors are rounded to 0.01 percentage points, t to two decimals and p to three, since
more digits would give away the return of the index on each day.

`eventstudy verify reports/hikvision-2019` checks the files.
`eventstudy reproduce reports/hikvision-2019` fetches the prices from Yahoo Finance, computes the
numbers again and compares them within 0.1 percentage points.
`python tools/make_case.py FOLDER` wrote this folder.
"""


def make(prices: str) -> Case:
    """Return the case without its hashes."""
    with (ROOT / "events.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["event_id"] == EVENT)
    event = {cell: row[cell] for cell in CELLS}
    configs = (
        StudyConfig(prices=prices, benchmark=index, model="market", estimation=ESTIMATION)
        for index in (BENCHMARK, NAMED)
    )
    case, other = (compute_case(event, config, NAME) for config in configs)
    day0 = other.over(Window(0, 0))
    index = {"benchmark": NAMED, "beta": other.fit["beta"], **day0}
    index = {key: index[key] for key in ("benchmark", "beta", "car", "statistic")}
    series = case.prices.assign(source=case.prices["symbol"].map(SOURCES))
    return replace(case, event=event, other_index=index, prices=series)


def figure_of(case: Case) -> str:
    """Return the wide figure as a picture of its own, with the colours of the page."""
    sheet = files("eventstudy").joinpath("report", "templates", "answer.css").read_text("utf-8")
    rules = [
        line
        for line in sheet.splitlines()
        if line.startswith((":root", "svg", "@media screen and (prefers"))
    ]
    svg = re.match(r"<svg .*?</svg>", str(draw_case(case)), re.DOTALL)
    assert svg
    head, _, body = svg[0].partition(">")
    space = '<svg xmlns="http://www.w3.org/2000/svg" overflow="visible" style="margin-left:2em"'
    return head.replace("<svg", space, 1) + f"><style>{''.join(rules)}</style>{body}\n"


def write(case: Case, folder: Path) -> None:
    """Write the folder anew, and the copy that the package ships."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    days = f"{-ESTIMATION.start} to {-ESTIMATION.stop}"
    about = ABOUT.format(
        lede=describe_case(case), benchmark=case.benchmark, named=NAMED, estimation=days,
        n=len(case.days), windows=len(case.windows),
    )  # fmt: skip
    texts = {"README.md": about, "abnormal.svg": figure_of(case)}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    case = replace(case, files=hashes)
    text = to_json(replace(case, sha256=case.hash))
    for path in (folder / CASE, ROOT / "eventstudy" / "data" / f"{NAME}.json"):
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(make(sys.argv[1]), ROOT / "reports" / NAME)
