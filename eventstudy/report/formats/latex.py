"""LaTeX: tables as the field prints them, with booktabs, stars, statistics, intervals, notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from math import ceil
from typing import Any
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from ...analysis import Answer, CarRegression, Interval
from ...calendars import Window
from ...errors import ConfigError
from ...files import BLANK
from ...findings import Findings, Sample
from ...models import MODELS
from ...significance import STATISTICS
from ...words import capitalised, clipped, make_error, say, speaking_of, words
from ..sentences.answer import name_sample, write_main_days
from ..sentences.caveats import doubts, lacking_lines, list_caveats, write_short_note
from ..sentences.top import name_market
from ..tables.checks import list_checks, name_fragile, say_fragility
from ..tables.events import in_order
from ..tables.methods import say_shifted, source_line
from ..tables.regressions import RegressionTable, tabulate
from ..tables.robustness import ADJUSTED, cells_but_for, write_families_note
from ..tables.table import stars
from ..tables.windows import find_role, say_open
from .templating import new_environment, visible_line

# What fits on a page, and into a cell.
MOST_PANELS, MOST_WINDOWS = 3, 6
LONGEST_NAME, LONGEST_GROUP = 60, 40
# Regressions side by side: so many with p, and so many in a row of the table without.
MOST_FULL, MOST_BRIEF = 2, 4
# Points of a line of a default article, and of the labels beside none, one and two regressions.
PAGE, LABELS = 345, (120, 200, 106)
# Points of the head of a regression with p and without.
FULL_HEAD, BRIEF_HEAD = 100, 46
# Points of a page for a table and its note, of a line of each, and of what else a table of
# regressions and one of windows have.
HEIGHT, LINE, NOTE_LINE, FRAME, WINDOWS_FRAME = 540, 11, 9.5, 90, 35
# Points of a digit, of one in an interval, and of a star; what parts two columns; the least for
# labels.
DIGIT, SMALL_DIGIT, STAR, APART, LEAST_LABEL = 4.3, 4.0, 3.8, 4, 80
# Points that the numbers of a list of events take, and the most that its groups take.
EVENT_NUMBERS, MOST_OF_GROUP = 186, 70
# The label of the events of a row.
COUNTS = Markup(r"\quad $N$")
# Points of a check beside its name and p; so many rows are more than the answer alone.
NUMBERS, FEWEST_CHECKS = 150, 2
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#",
    "$": r"\$", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "\u00a0": "~",
    "–": "--", "—": "---", "…": r"\ldots{}", "−": "$-$", "×": r"$\times$", "≥": r"$\geq$",
    "≤": r"$\leq$", "²": "$^2$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "σ": r"$\sigma$", "μ": r"$\mu$", "Σ": r"$\Sigma$", "“": "``", "”": "''",
    "\u200b": r"\allowbreak{}", "‘": "`", "’": "'",
}  # fmt: skip
# A head that is a formula, too long for two lines, or has a word too wide for its column, is a
# number in the table.
_FORMULA = re.compile(r"[+:*()~]|.{41}")
# What takes no room beside the number in a cell: stars, and commands.
_NO_NUMBER = re.compile(r"\\rlap.*|\\[a-z]+|[^\d.,()\[\]-]")
# A word of more letters may be broken.
LONGEST_WORD = 16


def escaped(text: object, longest: int = LONGEST_WORD) -> str:
    r"""Return text that TeX prints as it is: nothing in it is a command, ``\input{}`` neither.

    Parameters
    ----------
    text : object
    longest : int
        Letters of a word after which it may be broken.
    """
    long = rf"([^\s-]{{{longest}}})(?=[^\s-])"
    visible = re.sub(long, "\\1\u200b", visible_line(text))
    return re.sub("-(?=-)", "-{}", "".join(_SPECIAL.get(letter, letter) for letter in visible))


def latex_tables(
    findings: Findings, windows: Sequence[Window] = (), tests: Sequence[str] = ()
) -> dict[str, str]:
    """Return the LaTeX tables of a run by file name: caar, robustness, events, and regression.

    Parameters
    ----------
    findings : Findings
    windows, tests : sequence
        Of the table of windows; by default those that fit.
    """
    with speaking_of(findings.setup.measure):
        contexts = {
            "caar": _windows(findings, windows, tests), "robustness": _robustness(findings),
            "events": _events(findings),
        }  # fmt: skip
        terms = findings.tables.get("regression", pd.DataFrame())
        if len(terms) and not CarRegression.why_not(terms):
            main = findings.setup.main
            table = tabulate(
                {"": terms}, [[terms["notes"].iloc[0]]], main, write_main_days(findings)
            )
            contexts["regression"] = _regression(table, slug_of(findings.name))
        return {name: _table(findings, name, c) for name, c in contexts.items() if c}


def latex_table(findings: Findings, name: str) -> str:
    """Return one of the LaTeX tables of a run.

    Parameters
    ----------
    findings : Findings
    name : {"caar", "robustness", "events", "regression"}

    Raises
    ------
    ConfigError
        If there is no such table, or nothing to put into it.
    """
    tables = latex_tables(findings)
    if name not in tables:
        names = ", ".join(tables) or "a run with events"
        raise make_error(ConfigError, "wrong.no_table", tables=names, value=name)
    return tables[name]


def _table(findings: Findings, name: str, context: Mapping[str, Any]) -> str:
    """Return the file of a table; letters beyond Latin need another engine, which its head says."""
    setup, pooled = findings.setup, findings.pooled
    reach = {"Without a CAR": pooled.lacking, "Extended by a price limit": pooled.extended}
    shared = {
        "setup": setup, "window": setup.main, "words": words(),
        "slug": slug_of(findings.name),
        "kind": words().what or "returns",
        "unit": "(%)" if words().unit == "%" else "(log)",
        "reach": {head: lacking_lines(remarks) for head, remarks in reach.items()},
        "shifted": say_shifted(findings), "short": write_short_note(pooled),
        "dropped": [(clipped(why.head), n) for why, n in findings.dropped],
    }  # fmt: skip
    table = _file(name, {**shared, **context})
    if name == "caar" and _height(table, context) > HEIGHT:
        return _file(name, {**shared, **context, "is_long": True})
    return table


def _height(table: str, context: Mapping[str, Any]) -> float:
    """Return about how many points the table of windows takes with its notes."""
    rows = [(label, context["room"]) for _, _, lines in context["panels"] for label, _ in lines]
    rows += [(name, PAGE - 130) for name, _, _ in context["panels"]]
    notes = table.partition(r"\emph{Notes.}")[2].splitlines()
    height = WINDOWS_FRAME + LINE * sum(_lines(text, 8, width) for text, width in rows)
    shown = re.sub(r"\\[a-z]+|[$\\{}]", "", " ".join(notes))
    return height + NOTE_LINE * _lines(shown, 8, PAGE)


def slug_of(name: str) -> str:
    """Return the name of a run as a label of LaTeX."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "study"


def _file(name: str, context: Mapping[str, Any]) -> str:
    tables = environment().get_template(f"{name}.tex.j2").render(context)
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
        "percent": _percent,
        "error": _error,
        "number": _number,
        "points": _points,
        "starred": _starred,
        "marked": _marked,
        "window": _window,
        "count": "{:,}".format,
        "clipped": clipped,
        "capitalised": capitalised,
        "pvalue": words().pvalue,
    }
    templates.globals["say"] = say
    return templates


# A row of a panel: its label, "" for one that goes on, and its cells.
Line = tuple[str, list[Any]]
# Its name, what stands in brackets behind that, and its rows.
Panel = tuple[str, Markup, list[Line]]


def _points(text: str) -> float:
    """Return about how wide a text is in letters of 10 pt, a little more rather than less."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    large = sum(letter.isupper() for letter in text)
    return 5.3 * len(text) + 2.3 * large + 4.9 * wide


def _starred(text: Markup, p: float) -> Markup:
    mark = stars(p)
    return Markup(rf"{text}\rlap{{\sym{{{mark}}}}}") if mark else text  # noqa: S704


def _marked(text: Markup, mark: str) -> Markup:
    return Markup(rf"{text}\sym{{{mark}}}") if mark else text  # noqa: S704


def _number(value: float, decimals: int = 2) -> Markup:
    if not np.isfinite(value):
        return Markup("--")
    text = f"{value:.{decimals}f}"
    return Markup(f"${text.removeprefix('-') if float(text) == 0 else text}$")  # noqa: S704


def _percent(value: float) -> Markup:
    return _number(words().scale * value)


def _error(se: float) -> str:
    return f"{words().scale * se:.2f}" if np.isfinite(se) else _number(se)


def _bracketed(statistic: float) -> Markup:
    text = _number(statistic)
    return Markup(f"({text})") if np.isfinite(statistic) else text  # noqa: S704


def _interval(effect: Interval) -> tuple[Markup, Markup]:
    """Return the ends of an interval, each in its bracket."""
    low, high = map(_percent, (effect.ci_low, effect.ci_high))
    if not np.isfinite(effect.ci_low + effect.ci_high):
        return low, Markup("")
    return (
        Markup(rf"{{\scriptsize [{low},}}"),  # noqa: S704
        Markup(rf"{{\scriptsize {high}]}}"),  # noqa: S704
    )


def _cell(text: str, width: float) -> Markup:
    """Return a text of 8 pt in a column, where a word that the column has no room for may break."""
    fits = all(0.8 * _points(word) <= width for word in text.split())
    return Markup(escaped(text, LONGEST_WORD if fits else int(width // 7)))  # noqa: S704


def _width(panels: Sequence[Panel], windows: Sequence[Window]) -> float:
    """Return the points of a column of windows; stars may reach into what parts two columns."""
    widths = [DIGIT * len(str(window)) for window in windows]
    for _, _, lines in panels:
        for cell in (str(cell) for _, cells in lines for cell in cells):
            digit = SMALL_DIGIT if "scriptsize" in cell else DIGIT
            stars_beside = max(0.0, STAR * cell.count("*") - APART / 2)
            widths.append(digit * len(_NO_NUMBER.sub("", cell)) + stars_beside)
    return max(widths)


def _window(window: Window) -> Markup:
    return Markup(f"$[{window.start},{window.stop}]$")  # noqa: S704


def _windows(findings: Findings, windows: Sequence[Window], names: Sequence[str]) -> dict[str, Any]:
    """Return the panels of windows: the first groups, and all events; empty without any."""
    samples = [s for s in (*findings.groups[:MOST_PANELS], findings.pooled) if s.n_used]
    if not samples:
        return {}
    windows = _chosen(findings, windows)
    names = _tests(findings, names)
    grid = findings.tables.get("specifications")
    by_window = {finding.window: finding.answer for finding in samples[0].windows}
    first = [by_window[window] for window in windows]
    models = [] if grid is None else list(_models(grid, windows, first))
    shown = [w for s in samples for w in s.windows if w.window in windows]
    answers = [finding.answer for finding in shown]
    for is_stacked in (False, True):
        panels = [
            (*_title(findings, s), list(_estimates(s, windows, names, is_stacked=is_stacked)))
            for s in samples
        ]
        panels[0][2].extend(models)
        width = _width(panels, windows)
        room = PAGE - len(windows) * (width + APART)
        if room >= LEAST_LABEL:
            break
    main = findings.setup.main
    lost = [[_say_counts(sample, main), write_short_note(sample)] for sample in samples]
    remarks = [[*list_caveats(findings, s), *doubts(findings, s)] for s in samples]
    remarks[0].append(name_fragile(findings))
    pairs = zip(lost, remarks, strict=True)
    caveats = [" ".join(filter(None, [*counts, *texts])) for counts, texts in pairs]
    return {
        "windows": windows, "panels": panels, "of_row": COUNTS, "is_long": False,
        "has_counts": any(label == COUNTS for _, _, rows in panels for label, _ in rows),
        "models": models, "page": PAGE, "room": room, "width": width,
        "tests": [STATISTICS[name] for name in names],
        "main_tests": [STATISTICS[name] for name in dict.fromkeys(a.test for a in answers)],
        "singles": {sample.n_used == 1 for sample in samples},
        "starred": any(stars(answer.pvalue) for answer in answers),
        "open": say_open(shown), "caveats": dict(zip("ABCD", caveats, strict=False)),
        "market": name_market(findings),
        "n_more": max(0, len(findings.groups) - MOST_PANELS),
        "last": source_line(findings),
    }  # fmt: skip


def _chosen(findings: Findings, windows: Sequence[Window]) -> list[Window]:
    """Return the windows of the columns: by default the first of those around day 0."""
    tested, main = findings.setup.tested, findings.setup.main
    if missing := [window for window in windows if window not in tested]:
        texts = list(map(str, tested))
        raise make_error(ConfigError, "wrong.no_window", tested=texts, value=str(missing[0]))
    if len(windows) > MOST_WINDOWS:
        raise ConfigError("too many windows for a page", remedy=f"choose {MOST_WINDOWS} at most")
    if windows or len(tested) <= MOST_WINDOWS:
        return list(windows or tested)
    around = sorted(tested, key=lambda w: (w != main, find_role(w, main) in ("leakage", "drift")))
    return [window for window in tested if window in around[:MOST_WINDOWS]]


def _tests(findings: Findings, names: Sequence[str]) -> list[str]:
    """Return further tests, by default those of the settings; the main one has its own rows."""
    names_of_run = {test.test for test in findings.sample.main.tests}
    if missing := [name for name in names if name not in names_of_run]:
        raise make_error(ConfigError, "wrong.no_test", tests=sorted(names_of_run), value=missing[0])
    names, main = names or findings.setup.settings.get("tests") or (), findings.sample.answer.test
    return [name for name in names if name in names_of_run and name != main]


def _title(findings: Findings, sample: Sample) -> tuple[str, Markup]:
    """Return the name of a sample, and what stands in brackets behind it."""
    name = capitalised(name_sample(findings, sample)) if sample.group else say("paper.all")
    n, dates = sample.answer.n_events, sample.answer.n_dates
    return name, Markup(f"($N={n}$, {say('paper.dates', n=dates)})")  # noqa: S704


def _say_counts(sample: Sample, main: Window) -> str:
    """Return how many events of a sample are listed, used and in its answer; "" if all are."""
    answer = sample.answer
    if answer.n_events == sample.n_events:
        return ""
    facts = {"n": sample.n_events, "used": sample.n_used, "averaged": answer.n_averaged}
    code = "counts_one" if sample.n_used == 1 else "counts"
    if answer.n_events == sample.n_used:
        code = "counts_all"
    return say(f"paper.{code}", **facts, answer=answer.n_events, window=main)


def _estimates(
    sample: Sample, windows: list[Window], names: list[str], *, is_stacked: bool
) -> Iterator[Line]:
    """Yield the rows of a sample: the effect, the plain average, further tests, and N."""
    findings = {finding.window: finding for finding in sample.windows}
    answers = [findings[window].answer for window in windows]

    def statistics(tests: Iterable[str]) -> list[Markup]:
        """Return the statistic of the test of each window."""
        each = [findings[w].test(name) for w, name in zip(windows, tests, strict=True)]
        return [_bracketed(test.statistic if test else np.nan) for test in each]

    label = say(f"paper.{'car' if sample.n_used == 1 else 'weighted'}")
    yield (label, [_starred(_percent(a.effect.estimate), a.pvalue) for a in answers])
    yield ("", statistics(answer.test for answer in answers))
    ends = [_interval(answer.effect) for answer in answers]
    if is_stacked:
        yield ("", [low for low, _ in ends])
        yield ("", [high for _, high in ends])
    else:
        yield ("", [low + high for low, high in ends])
    if sample.n_used > 1:
        means = [answer.plain_average for answer in answers]
        yield (say("paper.plain"), [_percent(mean.estimate) for mean in means])
        ratios = [mean.estimate / (mean.se or np.nan) for mean in means]
        decided = [answer.verdict != Answer.PROVISIONAL for answer in answers]
        yield ("", [_bracketed(r if d else np.nan) for r, d in zip(ratios, decided, strict=True)])
        yield from _other_counts(answers, [answer.n_averaged for answer in answers])
    for name in names:
        yield (STATISTICS[name].label, statistics([name] * len(windows)))
        tests = [findings[window].test(name) for window in windows]
        counts = [t.n_events if t and np.isfinite(t.statistic) else None for t in tests]
        yield from _other_counts(answers, counts)
    if len({answer.n_events for answer in answers}) > 1:
        yield (Markup("$N$"), [f"{answer.n_events:,}" for answer in answers])


def _other_counts(answers: Sequence[Answer], counts: Sequence[int | None]) -> Iterator[Line]:
    """Yield the events of a row by window where some differ from the answer's; None for no row."""
    pairs = zip(answers, counts, strict=True)
    if any(n is not None and n != answer.n_events for answer, n in pairs):
        yield (COUNTS, ["--" if n is None else f"{n:,}" for n in counts])


def _models(grid: pd.DataFrame, windows: list[Window], answers: Sequence[Answer]) -> Iterator[Line]:
    """Yield estimates and statistics of the other models of a grid, and other N than `answers`."""
    cells = cells_but_for(grid, "window", "model")
    mine = cells.loc[cells["is_main"], "model"].iloc[0]
    for model, table in cells[cells["model"] != mine].groupby("model", sort=False):
        names = ["estimate", "se", "pvalue", "n_events"]
        table = table.set_index(table["window"].map(Window.of))[names]
        rows = table.reindex(windows).to_numpy(dtype=float)
        label = capitalised(MODELS[str(model)].label)
        yield (label, [_starred(_percent(value), p) for value, _, p, _ in rows])
        yield ("", [_bracketed(value / se if np.isfinite(p) else p) for value, se, p, _ in rows])
        counts = [int(n) if np.isfinite(value) else None for value, _, _, n in rows]
        yield from _other_counts(answers, counts)


def _robustness(findings: Findings) -> dict[str, Any]:
    """Return the checks of the answer, and its windows with adjusted p; {} without any check."""
    checks = list_checks(findings)
    if len(checks) < FEWEST_CHECKS:
        return {}
    answer, table = findings.sample.answer, findings.beside("families")
    family = table[table["family"] == "windows"] if len(table) else table
    is_family = len(family) > 1
    methods = [name for name in ADJUSTED if is_family and family[name].notna().any()]
    answers = {finding.window: finding.answer for finding in findings.sample.windows}
    rows = [(Window.of(row["label"]), row) for row in family.to_dict("records")]
    letters = max(len(check.p_text) for check in checks)
    intervals = []
    for check in checks:
        low, high = _interval(check.effect)
        intervals.append(low + Markup(" ") + high)
    return {
        "title": _title(findings, findings.sample),
        "rows": list(zip(checks, intervals, strict=True)),
        "room": PAGE - NUMBERS - DIGIT * letters, "page": PAGE,
        "family": [(window, answers[window], row) for window, row in rows],
        "methods": methods, "adjusted": write_families_note(findings),
        "has_leave_outs": any(check.kind == "leave_out" for check in checks),
        "test": STATISTICS[answer.test], "fragility": say_fragility(findings, checks),
        "open": say_open(findings.sample.windows) if methods else "",
        "last": source_line(findings),
    }  # fmt: skip


def _events(findings: Findings) -> dict[str, Any]:
    """Return the used events by CAR over the main window, those without one last; {} for none."""
    column, main = findings.setup.group_column, findings.setup.main
    events: list[dict[str, Any]] = []
    for event in in_order(findings):
        if event.is_used:
            group = clipped(event.cells[column], LONGEST_GROUP) or BLANK if column else ""
            name = clipped(event.name, LONGEST_NAME)
            car = event.car(main)
            events.append({"day0": event.day0, "name": name, "group": group, "car": car})
    if not events:
        return {}
    head = capitalised(clipped(column, LONGEST_GROUP))
    longest = max(_points(text) for text in (head, *(event["group"] for event in events)))
    of_group = min(round(0.8 * longest), MOST_OF_GROUP) if column else 0
    of_name = PAGE - EVENT_NUMBERS - of_group - 12 * bool(column)
    for row in events:
        row["name"] = _cell(row["name"], of_name)
        row["group"] = _cell(row["group"], of_group)
    return {
        "events": events, "starred": any(stars(event["car"].pvalue) for event in events),
        "head": _cell(head, of_group), "of_group": of_group, "of_name": of_name,
    }  # fmt: skip


def regression_file(table: RegressionTable, name: str, key: str) -> str:
    """Return the file of a table of regressions that is none of the tables of its run.

    Parameters
    ----------
    table : RegressionTable
    name : str
        Of the run.
    key : str
        What tells the label from those of other regressions of the run.
    """
    return _file("regression", _regression(table, slug_of(name), key))


def _regression(table: RegressionTable, slug: str, key: str = "") -> dict[str, Any]:
    """Return what a template says of regressions: with all columns of one or two, else the main."""
    n = len(table.heads)
    is_full = n <= MOST_FULL
    panels = [range(n)[k : k + MOST_BRIEF] for k in range(0, n, MOST_BRIEF)]
    elsewhere = say("regression.elsewhere") if table.is_published else table.compared
    heads, named = list(table.heads), ""
    widths = [0.9 * _points(word) for head in heads for word in head.split()]
    width = FULL_HEAD if is_full else BRIEF_HEAD
    if any(_FORMULA.search(head) for head in heads) or max(widths, default=0) > width:
        heads = [f"({k + 1})" for k in range(n)]
        pairs = zip(heads, table.heads, strict=True)
        named = "; ".join(f"{number} {head}" for number, head in pairs)
    room = LABELS[n] if is_full else LABELS[0]
    lines = sum(_lines(row.label, 9, room) + _lines(row.remark, 8, room - 10) for row in table.rows)
    height = len(panels) * (LINE * (lines + len(table.rows) / 2) + FRAME)
    height += NOTE_LINE * sum(_lines(note, 8, PAGE) for note in table.notes)
    return {
        "table": table, "heads": heads, "named": named, "panels": panels, "is_full": is_full,
        "width": width, "elsewhere": elsewhere, "slug": slug, "key": key, "room": room,
        "is_long": height > HEIGHT,
    }  # fmt: skip


def _lines(text: str, size: float, width: float) -> int:
    """Return how many lines a text takes in letters of so many points."""
    return max(1, ceil(_points(text) * size / 10 / width))
