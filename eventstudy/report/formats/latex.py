"""LaTeX: tables as the field prints them, with booktabs, stars, standard errors and notes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from ...analysis.cross_section import not_possible
from ...calendars.window import Window
from ...errors import ConfigError
from ...significance import STATISTICS
from ...utility.numbers import capitalised, clipped, count, stars
from ...utility.units import speaking_of, words
from ..content.finished_run import Finished
from ..content.paper_tables import Cell, EventRow, Panel, WindowRow, event_rows, labels, panels

T = TypeVar("T")
# Letters of a head in a narrow column.
NARROW = 11
# What fits on a page.
MOST_PANELS, MOST_TESTS = 3, 6
LEGEND = r"\sym{***} $p<0.01$, \sym{**} $p<0.05$, \sym{*} $p<0.1$"
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#",
    "$": r"\$",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "\u00a0": "~", "–": "--", "—": "---",
    "…": r"\ldots{}", "−": "$-$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$", "²": "$^2$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "σ": r"$\sigma$", "μ": r"$\mu$",
    "Σ": r"$\Sigma$",
    "“": "``", "”": "''", "\u200b": r"\allowbreak{}", "‘": "`", "’": "'",
}  # fmt: skip
# Controls and marks of direction, which would rearrange what stands around them.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# A word that no line can hold may be broken.
_LONG = re.compile(r"(\S{16})(?=\S)")
_HEAD = r"""% {what}
% Needs \usepackage{{booktabs}}{more} in the preamble.{script}
\providecommand{{\sym}}[1]{{\ifmmode^{{#1}}\else\textsuperscript{{#1}}\fi}}
"""
_SCRIPT = r"""
% Has characters beyond Latin: compile with XeLaTeX or LuaLaTeX, and choose a font that has them,
% such as \usepackage{fontspec}\setmainfont{Noto Serif CJK SC}"""


def escaped(text: object) -> str:
    r"""Return text that TeX prints as it is: nothing in it is a command, ``\input{}`` neither."""
    plain = _LONG.sub("\\1\u200b", _UNSEEN.sub("", " ".join(str(text).split())))
    return re.sub("-(?=-)", "-{}", "".join(_SPECIAL.get(letter, letter) for letter in plain))


def latex_tables(run: Finished) -> dict[str, str]:
    """Return the LaTeX tables of a run by file name: caar, events, and regression if there is
    one."""
    with speaking_of(run.measure):
        found = {"caar": caar_table(run), "events": events_table(run)}
        terms = run.tables.get("regression")
        if terms is not None and len(terms) and not not_possible(terms):
            found["regression"] = regression_table(run)
    return {name: text for name, text in found.items() if text}


def latex_table(run: Finished, name: str) -> str:
    """Return one of the LaTeX tables of a run.

    Raises
    ------
    ConfigError
        If there is no such table, or nothing to put into it.
    """
    found = latex_tables(run)
    if name not in found:
        raise ConfigError(
            "no such table", value=name, remedy=f"use {', '.join(found) or 'a run with events'}"
        )
    return found[name]


def caar_table(run: Finished) -> str:
    """Return windows by tests; a panel for each group. "" for a run without events."""
    shown, left = panels(run, MOST_PANELS, MOST_TESTS)
    if not shown:
        return ""
    tests = max((panel.tests for panel in shown), key=len)
    wide = 4 + len(tests)
    heads = " & ".join(map(_stacked, labels(tests)))
    body = "\n\\addlinespace\n".join(_panel(p, i, run, tests) for i, p in enumerate(shown))
    text = rf"""\begin{{table}}[htbp]
\centering\footnotesize
\caption{{Average cumulative abnormal {_kind()} by event window}}
\label{{tab:{_slug(run)}-caar}}
\setlength{{\tabcolsep}}{{4pt}}
\resizebox{{\ifdim\width>\linewidth\linewidth\else\width\fi}}{{!}}{{%
\begin{{tabular}}{{@{{}}lrr@{{\hspace{{1.7em}}}}*{{{wide - 3}}}{{r@{{\hspace{{1.7em}}}}}}@{{}}}}
\toprule
 & & & & \multicolumn{{{len(tests)}}}{{c}}{{Test statistics}} \\
\cmidrule(lr){{5-{wide}}}
Window & $N$ & Effect {_unit()} & (SE) & {heads} \\
\midrule
{body}
\bottomrule
\end{{tabular}}}}

{_notes(_caar_notes(run, shown, left, body))}
\end{{table}}
"""
    return _head("Windows by tests", text, r"\usepackage{graphicx}") + text


def events_table(run: Finished) -> str:
    """Return one row an event with its CAR over the main window, its error and its own t."""
    rows = event_rows(run)
    if not rows:
        return ""
    column = run.document["group_column"]
    grouped = f" & {escaped(capitalised(clipped(column, 40)))}" if column else ""
    head = rf"Day 0 & Event{grouped} & CAR {_unit()} & SE {_unit()} & $t$ \\"
    window, lines = _window(run.main), _lines(rows, _event)
    name = r">{\raggedright\arraybackslash}p{0.33\linewidth}"
    layout = rf"@{{}}l{name}{'l' * bool(column)}r@{{\hspace{{1.7em}}}}rr@{{}}"
    text = rf"""\begingroup\footnotesize
\begin{{longtable}}{{{layout}}}
\caption{{Cumulative abnormal {_kind()} of each event over {window}}}
\label{{tab:{_slug(run)}-events}} \\
\toprule
{head}
\midrule
\endfirsthead
\toprule
{head}
\midrule
\endhead
\bottomrule
\endlastfoot
{lines}
\end{{longtable}}
{_notes(_event_notes(run, lines))}
\endgroup
"""
    return _head("Events", text, r"\usepackage{array,longtable}") + text


def regression_table(run: Finished) -> str:
    """Return the coefficients of CARs on characteristics of the events, errors in parentheses."""
    table = run.tables["regression"]
    first = table.iloc[0]
    wild = "wild_pvalue" in table
    p = "wild_pvalue" if wild else "pvalue"
    lines = "\n".join(
        rf"{escaped(clipped(t['term'], 60))} & {_starred(_number(t['estimate'], 4), t[p])} \\"
        "\n"
        rf" & ({t['se']:.4f}) \\"
        for t in table.to_dict("records")
    )
    law = "p-values of the wild bootstrap. " if wild else ""
    notes = (
        rf"Least squares; standard errors ({escaped(first['errors'])}) in parentheses. {law}"
        rf"{escaped(first['notes'])}.{_legend(lines)}"
    )
    text = rf"""\begin{{table}}[htbp]
\centering\footnotesize
\caption{{CAR over {_window(run.main)} on characteristics of the events}}
\label{{tab:{_slug(run)}-regression}}
\begin{{tabular}}{{@{{}}lr@{{\hspace{{1.7em}}}}@{{}}}}
\toprule
 & CAR \\
\midrule
{lines}
\midrule
Events & {first["n_events"]} \\
Dates & {first["n_dates"]} \\
$R^2$ & {first["r2"]:.3f} \\
\bottomrule
\end{{tabular}}

{_notes(notes)}
\end{{table}}
"""
    return _head("Regression of CARs", text) + text


def _panel(panel: Panel, i: int, run: Finished, tests: tuple[str, ...]) -> str:
    """Return the lines of one panel beneath the heads of `tests`, or its own where it has other
    tests."""
    single = len(run.document["samples"]) == 1
    column = run.document["group_column"]
    who = f"{clipped(column, 40)} = {clipped(panel.group, 60)}" if panel.group else "all events"
    letter = f"Panel {chr(65 + i)}: " if i < 26 else ""
    wide, name = 4 + len(tests), f"{letter}{escaped(who)}"
    title = rf"\multicolumn{{{wide}}}{{@{{}}l}}{{\textit{{{name}}}}} \\" + "\n"
    blank = " &" * (len(tests) - len(panel.tests))
    own = " & ".join(_stacked(label) for label in labels(panel.tests))
    heads = rf" & & & & {own}{blank} \\" + "\n\\addlinespace\n" if panel.tests != tests else ""
    rows = _lines(panel.rows, lambda row: _window_line(row, blank))
    return ("" if single else title + heads) + rows


def _window_line(row: WindowRow, blank: str) -> str:
    effect = _starred(_percent(row.effect), row.pvalue)
    cells = " & ".join(_statistic(cell) for cell in row.cells)
    se = f"({words().scale * row.se:.2f})" if np.isfinite(row.se) else "--"
    return rf"{_window(row.window)} & {row.n_events:,} & {effect} & {se} & {cells}{blank} \\"


def _statistic(cell: Cell) -> str:
    if not np.isfinite(cell.statistic):
        return "--"
    return _starred(_number(cell.statistic, 2), cell.pvalue)


def _event(row: EventRow) -> str:
    cells = [row.date, escaped(row.name)] + [escaped(row.group)] * bool(row.group)
    if not np.isfinite(row.car):
        return " & ".join([*cells, "--", "--", r"-- \\"])
    se = f"{words().scale * row.se:.2f}"
    numbers = [_starred(_percent(row.car), row.pvalue), se, _number(row.statistic, 2) + r" \\"]
    return " & ".join([*cells, *numbers])


def _lines(rows: Iterable[T], line: Callable[[T], str]) -> str:
    return "\n".join(map(line, rows))


def _caar_notes(run: Finished, shown: list[Panel], left: int, body: str) -> str:
    main = dict.fromkeys(STATISTICS[row.main].label for panel in shown for row in panel.rows)
    several, one = (
        any(STATISTICS[panel.main].per_event == single for panel in shown)
        for single in (False, True)
    )
    errors = ["the standard error of the main test"] * several + [
        "the standard error of its forecast"
    ] * one
    error = " or, for one event, ".join(errors)
    names = dict.fromkeys(name for panel in shown for name in panel.tests)
    sources = "; ".join(f"{t.label}: {t.source}" for t in (STATISTICS[n] for n in names))
    legend = _legend(body)
    stars_of = (
        f"; the stars of an effect come from the main test ({escaped(', '.join(main))})"
        * bool(legend)
    )
    more = f"{count(left, 'more group')} in tests\\_by\\_group.csv. " if left else ""
    return (
        f"{_study(run)} The effect is the average of the CARs weighted by 1/s, s the standard "
        "error of each. "
        f"In parentheses {error}{stars_of}. {more}"
        f"Tests: {escaped(sources)}.{legend}"
    )


def _event_notes(run: Finished, lines: str) -> str:
    own = "SE and $t$ are those of the single event, its parameters being estimated."
    return f"{_study(run)} {own}{_legend(lines)}"


def _legend(body: str) -> str:
    """Say what the stars mean, where there are any."""
    return f" {LEGEND}." if r"\sym{" in body else ""


def _study(run: Finished) -> str:
    """Say what was estimated where, and how many events entered."""
    d = run.document
    dropped = d["n_events"] - d["n_used"]
    lost = f", {dropped:,} dropped" if dropped else ""
    windows = (Window.of(d["config"][k]) for k in ("estimation", "event"))
    estimation, event = map(_window, windows)
    model = escaped(d["model"]["label"])
    return (
        rf"{count(d['n_used'], 'event')} of {d['n_events']:,}{lost}. Normal {_kind()}: {model}, "
        r"estimated on "
        rf"{estimation} trading days before the event; event window {event}.{_reach(run)}"
    )


def _reach(run: Finished) -> str:
    """Name the events without a CAR over the main window, and those whose CAR runs on beyond it."""
    text, out = run.document["text"], ""
    for head, key in (("Without a CAR", "lacking"), ("Extended by a price limit", "extended")):
        if text[key]:
            said = escaped("; ".join(one.rstrip(".") for one in text[key]))
            out += rf" {head} over {_window(run.main)}: {said}."
    return out


def _notes(text: str) -> str:
    width = r"\smallskip\noindent\begin{minipage}{\linewidth}"
    return rf"{width}\footnotesize\emph{{Notes.}} {text}\end{{minipage}}"


def _head(what: str, text: str, more: str = "") -> str:
    script = _SCRIPT if any(ord(letter) > 0x17F for letter in text) else ""
    return _HEAD.format(
        what=f"{what}. Written by eventstudy", more=f" {more}" * bool(more), script=script
    )


def _starred(text: str, p: float) -> str:
    mark = stars(p) if np.isfinite(p) else ""
    return rf"{text}\rlap{{\sym{{{mark}}}}}" if mark else text


def _percent(value: float) -> str:
    return _number(words().scale * value, 2)


def _number(value: float, decimals: int) -> str:
    if not np.isfinite(value):
        return "--"
    text = f"{value:.{decimals}f}"
    return f"${text.removeprefix('-') if float(text) == 0 else text}$"


def _window(window: Window) -> str:
    return f"$[{window.start},{window.stop}]$"


def _unit() -> str:
    return r"(\%)" if words().unit == "%" else "(log)"


def _kind() -> str:
    return escaped(words().what or "returns")


def _slug(run: Finished) -> str:
    """Return the name of the study as it may stand in a label."""
    return re.sub(r"[^A-Za-z0-9]+", "-", run.document["name"]).strip("-") or "study"


def _stacked(label: str) -> str:
    """Return a label in lines for a narrow column."""
    lines = r" \\ ".join(map(escaped, textwrap.wrap(label, NARROW)))
    return rf"\scriptsize\shortstack[r]{{{lines}}}"
