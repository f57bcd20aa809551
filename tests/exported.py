"""A run whose events carry every cell that could do harm, and readers of each format."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from conftest import Market
from markdown_it import MarkdownIt

from eventstudy.files.csv_text import read_numbers
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults

CONFIG = StudyConfig().with_options({
    "event": "-5:5", "estimation": "-120:-11", "regress": ["direction"], "draws": 99, "calibrate": 0,
})  # fmt: skip
HOSTILE = [
    '<script>alert("1")</script>', '=HYPERLINK("http://evil.example","x")', r"\input{/etc/passwd}",
    "../../etc",
    "a|b `c` *d* __e__ ~~f~~ [x](javascript:alert(1)) ![y](http://evil.example/p.png)",
    "www.evil.example https://evil.example me@evil.example <http://evil.example>",
    "50% & $x^2$ #h _u_ {} ~",
    "L" * 5000, "شركة الاتصالات", "华为技术", "NA", "-1", "+1", "@SUM(1)", "'q' \"r\"",
    "&lt;b&gt; &#60; &amp;", "0012", "1e5", "- [ ] item", "# head",
    "[id]: http://evil.example", "\u202egnp.exe", "a\u2028b",
]  # fmt: skip


MARKED = ("'=", "'+", "'-", "'@")


def hostile_market() -> EventStudyResults:
    """Return a study of these names, in two groups, one event dropped, one without all days of
    [-5,5]."""
    market = Market(n=len(HOSTILE) + 1, dates=20, effect=-0.02)
    market.table["company"] = [*HOSTILE, "plain"]
    market.table["direction"] = (["adverse"] * 2 + ["=relief|x"]) * 8
    late = market.frame.index > pd.Timestamp(market.table["day0"][3]) + pd.Timedelta(days=3)
    frame = market.frame.drop(columns="F23").assign(F03=lambda f: f["F03"].mask(late))
    return market.fit(frame)


def read_csv(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of the run as anyone would, text as text and without the apostrophe before a
    formula."""
    text = dict.fromkeys(("event_id", "direction", "term", "reason", "label"), str)
    table = read_numbers(folder / f"tables/{name}.csv", dtype=text)
    return unmarked(table)


def unmarked(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the apostrophes that keep a spreadsheet from computing a cell."""
    own = {}
    for name in table.columns[[str(kind) in ("str", "object") for kind in table.dtypes]]:
        cells = [
            cell[1:] if isinstance(cell, str) and cell[:2] in MARKED else cell
            for cell in table[name]
        ]
        own[name] = pd.Series(cells, dtype=table[name].dtype)
    return table.assign(**own)


def markdown_tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a Markdown text as cells of plain text, by a parser of its own."""
    tables: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and tables and token.level > 3:
            tables[-1][-1].append("".join(t.content for t in token.children or []))
    return tables


def number(text: str) -> float:
    """Read a number as it is shown."""
    if text == "–":
        return float("nan")
    return float(re.sub(r"[%()\[\],]", "", text).replace("−", "-").replace("<0.001", "0.0005"))
