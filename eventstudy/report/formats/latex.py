"""LaTeX: tables as the field prints them, with booktabs, stars, standard errors and notes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from ...analysis.cross_section import not_possible
from ...calendars.window import Window
from ...errors import ConfigError
from ...findings.types import Findings, WindowFinding
from ...significance import STATISTICS
from ...utility.csv_text import BLANK
from ...utility.numbers import capitalised, clipped, stars
from ...utility.units import speaking_of, words
from ..sections.caveats import lacking_lines, write_caveat_of
from ..sections.events import in_order
from ..sections.robustness import model_cells
from ..sections.windows import WindowsTable, WindowValue, windows_table
from .templating import new_environment, visible_line

# Letters of a head in a narrow column.
NARROW = 11
# What fits on a page, and into a cell.
MOST_PANELS, MOST_TESTS = 3, 6
LONGEST_NAME, LONGEST_GROUP = 60, 40
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#",
    "$": r"\$", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "\u00a0": "~",
    "–": "--", "—": "---", "…": r"\ldots{}", "−": "$-$", "×": r"$\times$", "≥": r"$\geq$",
    "≤": r"$\leq$", "²": "$^2$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "σ": r"$\sigma$", "μ": r"$\mu$", "Σ": r"$\Sigma$", "“": "``", "”": "''",
    "\u200b": r"\allowbreak{}", "‘": "`", "’": "'",
}  # fmt: skip
# A word that no line can hold may be broken.
_LONG = re.compile(r"(\S{16})(?=\S)")


def escaped(text: object) -> str:
    r"""Return text that TeX prints as it is: nothing in it is a command, ``\input{}`` neither."""
    visible = _LONG.sub("\\1\u200b", visible_line(text))
    return re.sub("-(?=-)", "-{}", "".join(_SPECIAL.get(letter, letter) for letter in visible))


def latex_tables(findings: Findings) -> dict[str, str]:
    """Return the LaTeX tables of a run by file name: caar, events, and what else it has."""
    with speaking_of(findings.setup.measure):
        terms = findings.tables.get("regression")
        grid = findings.tables.get("specifications")
        contexts: dict[str, dict[str, Any]] = {
            "caar": _windows(findings),
            "events": _events(findings) if findings.used else {},
            "regression": _regression(findings) if terms is not None else {},
            "specifications": _specifications(grid) if grid is not None else {},
        }
        return {name: _table(findings, name, c) for name, c in contexts.items() if c}


def latex_table(findings: Findings, name: str) -> str:
    """Return one of the LaTeX tables of a run.

    Parameters
    ----------
    findings : Findings
    name : {"caar", "events", "regression", "specifications"}

    Raises
    ------
    ConfigError
        If there is no such table, or nothing to put into it.
    """
    tables = latex_tables(findings)
    if name not in tables:
        raise ConfigError(
            "no such table", value=name, remedy=f"use {', '.join(tables) or 'a run with events'}"
        )
    return tables[name]


def _table(findings: Findings, name: str, context: Mapping[str, Any]) -> str:
    """Return the file of a table; letters beyond Latin need another engine, which its head says."""
    setup, pooled = findings.setup, findings.pooled
    shared = {
        "setup": setup,
        "slug": re.sub(r"[^A-Za-z0-9]+", "-", findings.name).strip("-") or "study",
        "kind": words().what or "returns",
        "unit": "(%)" if words().unit == "%" else "(log)",
        "reach": {
            "Without a CAR": lacking_lines(pooled.lacking),
            "Extended by a price limit": lacking_lines(pooled.extended),
        },
    }
    tables = environment().get_template(f"{name}.tex.j2").render(shared, **context)
    beyond = any(ord(letter) > 0x17F for letter in tables)
    head = environment().get_template("head.tex.j2").render(name=name, beyond=beyond)
    return f"{head}{tables}\n"


@cache
def environment() -> Environment:
    """Return templates with ``<< >>`` in place of braces, which escape every text for TeX."""
    templates = new_environment(
        escaped, block_start_string="<%", block_end_string="%>", variable_start_string="<<",
        variable_end_string=">>", comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    templates.filters |= {
        "percent": lambda value: _number(words().scale * value),
        "error": lambda value: f"{words().scale * value:.2f}" if np.isfinite(value) else "--",
        "number": _number,
        "starred": _starred,
        "window": _window,
        "stacked": _stacked,
        "count": "{:,}".format,
        "clipped": clipped,
        "capitalised": capitalised,
        "numbers": _numbers,
        "tested": _tested,
    }
    return templates


def _starred(text: Markup, p: float) -> Markup:
    mark = stars(p)
    return Markup(rf"{text}\rlap{{\sym{{{mark}}}}}") if mark else text  # noqa: S704


def _numbers(value: WindowValue, finding: WindowFinding) -> Markup | str:
    """Return what a value of the table of windows is; the effect has the stars of the main test."""
    number = value.numbers(finding)[0]
    if value.kind == "count":
        return f"{int(number):,}"
    if value.kind == "error":
        return f"({words().scale * number:.2f})" if np.isfinite(number) else "--"
    text = _number(words().scale * number)
    return _starred(text, finding.answer.pvalue) if value.code == "effect" else text


def _number(value: float, decimals: int = 2) -> Markup:
    if not np.isfinite(value):
        return Markup("--")
    text = f"{value:.{decimals}f}"
    return Markup(f"${text.removeprefix('-') if float(text) == 0 else text}$")  # noqa: S704


def _window(window: Window) -> Markup:
    return Markup(f"$[{window.start},{window.stop}]$")  # noqa: S704


def _stacked(label: str) -> Markup:
    """Return a label in lines for a narrow column."""
    lines = r" \\ ".join(map(escaped, textwrap.wrap(label, NARROW)))
    return Markup(rf"\scriptsize\shortstack[r]{{{lines}}}")  # noqa: S704


def _windows(findings: Findings) -> dict[str, Any]:
    """Return the panels of windows by tests: the first groups, and all events."""
    samples = [s for s in (*findings.groups[:MOST_PANELS], findings.pooled) if s.n_used]
    tables = [windows_table(findings, sample) for sample in samples]
    if not tables:
        return {}
    panels = [(table, _tests(table, tables)) for table in tables]
    answers = [column.finding.answer for table in tables for column in table.columns]
    return {
        "panels": panels,
        "values": max((table.values("paper") for table in tables), key=len),
        "tests": max((tests for _, tests in panels), key=len),
        "statistics": STATISTICS,
        "main_tests": [STATISTICS[name].label for name in dict.fromkeys(a.test for a in answers)],
        "sources": [STATISTICS[n] for n in dict.fromkeys(n for _, tests in panels for n in tests)],
        "singles": {_is_of_one(table) for table in tables},
        "starred": any(stars(answer.pvalue) for answer in answers),
        "caveat": write_caveat_of(findings, findings.sample),
        "n_more": max(0, len(findings.groups) - MOST_PANELS),
        "column": clipped(findings.setup.group_column, LONGEST_GROUP),
    }


def _is_of_one(table: WindowsTable) -> bool:
    """Return whether a panel is about one event, of which other tests speak than of several."""
    return STATISTICS[table.main.name].per_event


def _tests(table: WindowsTable, tables: list[WindowsTable]) -> list[str]:
    """Return the tests of the columns of a panel, the same in all but those about one event.

    These are the main tests, then the tests that are valid in some panel; a test that is not valid
    in one panel has no number there.
    """
    alike = [t for t in tables if _is_of_one(t) is _is_of_one(table)]
    rows = [*(t.main for t in alike), *(row for t in alike for row in t.others)]
    return list(dict.fromkeys(row.name for row in rows))[:MOST_TESTS]


def _tested(table: WindowsTable, name: str, i: int) -> Markup:
    """Return the statistic of a test over window i; a dash where another test takes its place."""
    row = next((row for row in (table.main, *table.others) if row.name == name), None)
    if row is None or row.cells[i].label:
        return _number(np.nan)
    return _starred(_number(row.cells[i].statistic), row.cells[i].pvalue)


def _events(findings: Findings) -> dict[str, Any]:
    """Return the used events by CAR over the main window, those without one last."""
    column, main = findings.setup.group_column, findings.setup.main
    used = [event for event in in_order(findings) if event.is_used]
    events = [
        {
            "day0": event.day0,
            "name": clipped(event.name, LONGEST_NAME),
            "group": clipped(event.cells[column], LONGEST_GROUP) or BLANK if column else "",
            "car": event.car(main),
        }
        for event in used
    ]
    return {"events": events, "starred": any(stars(event.car(main).pvalue) for event in used)}


def _regression(findings: Findings) -> dict[str, Any]:
    """Return the coefficients of CARs on characteristics of the events; empty without any."""
    terms = findings.tables["regression"]
    if terms.empty or not_possible(terms):
        return {}
    is_wild = "wild_pvalue" in terms
    pvalues = terms["wild_pvalue" if is_wild else "pvalue"]
    return {
        "terms": terms.assign(p=pvalues).to_dict("records"),
        "first": terms.iloc[0].to_dict(),
        "is_wild": is_wild,
        "starred": any(map(stars, pvalues)),
    }


def _specifications(grid: pd.DataFrame) -> dict[str, Any]:
    """Return the effects of windows by models; empty where there is one only."""
    cells = model_cells(grid)
    rows: dict[Window, list[Any]] = {}
    for row in cells.to_dict("records"):
        rows.setdefault(Window.of(row["window"]), []).append(row)
    models, starred = list(dict.fromkeys(cells["model"])), any(map(stars, cells["pvalue"]))
    return {"models": models, "rows": rows, "starred": starred} if len(cells) > 1 else {}
