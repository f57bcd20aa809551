"""Pages made from the program: one a test, a model and a public name, and the directive `words`."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import eventstudy
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.studies.results import INNER

DOCS = Path(__file__).parents[1]
BENCHMARKS = DOCS.parent / "benchmarks"
WORDS = DOCS.parent / "eventstudy" / "data" / "words.en.toml"
IDEAS = tomllib.loads((DOCS / "ideas.toml").read_text(encoding="utf-8"))
# Designs of benchmarks/size.py in the words of a reader, and their windows.
DESIGNS = {
    ("D0", "[0,0]"): "50 events on separate dates, window of one day",
    ("D0", "[-5,5]"): "50 events on separate dates, window of eleven days",
    ("D1", "[0,0]"): "50 events on separate dates, with effects that differ between events and are "
    "zero on average",
    ("D5", "[0,0]"): "50 events on separate dates, skewed returns (skewness 0.7)",
    ("D2", "[0,0]"): "50 events on separate dates, very skewed returns (skewness 2)",
    ("P1", "[0,0]"): "10 events on each of 5 dates, correlation 0.1 between shares, variance "
    "doubled in the event window",
    ("C0", "[0,0]"): "50 events on one date, correlation 0.1 between shares",
    ("C1", "[0,0]"): "50 events on one date, correlation 0.1 between shares, variance doubled in "
    "the event window",
    ("O1", "[-5,5]"): "5 events on each of 10 consecutive dates, window of eleven days, "
    "correlation 0.1 between shares, variance doubled in the event window",
    ("E1", "[0,0]"): "one event, 120 estimation days, window of one day",
    ("E1", "[-5,5]"): "one event, 120 estimation days, window of eleven days",
    ("E2", "[0,0]"): "one event, 60 estimation days, window of one day",
    ("E3", "[0,0]"): "one event, skewed returns, window of one day",
}
# In these the variance rises: a test of the variance is right to reject.
RAISED = ("D1", "P1", "C1", "O1")
GRADES = {
    "yes": "yes", "fair": "nearly", "weak": "with care", "no": "**no**",
}  # fmt: skip
TRAITS = {
    "clustering": "Valid if several events share a date?",
    "overlap": "Valid if event windows of different dates overlap?",
    "variance": "Valid if the news makes returns more variable?",
    "skewness": "Valid if returns are skewed?",
}
GROUPS = {
    "Studies": (
        "study", "robustness", "compare", "run_study", "EventStudy", "EventStudyResults",
        "RobustnessResults", "SignificanceTest",
    ),
    "Events": (
        "example", "read_events", "events_from_frame", "check_events", "Events", "Window",
    ),
    "Prices and returns": (
        "load_returns", "read_returns", "read_factors", "ReturnsPanel", "PriceProvider",
    ),
    "Settings and errors": (
        "StudyConfig", "Conventions", "read_config", "EventStudyError", "EventsFileError",
    ),
    "Finished runs": ("verify_run", "reproduce_run", "refresh_run", "compare_runs"),
    "Parts": ("EventWindows", "AbnormalReturns", "LinearModel", "MODELS", "STATISTICS"),
}  # fmt: skip


def write_pages(_app: Sphinx) -> None:
    """Rewrite the folders `tests`, `models` and `api`."""
    write_folder("tests", "Tests of significance", TESTS, {n: test_page(n) for n in STATISTICS})
    write_folder("models", "Models of normal returns", MODEL, {n: model_page(n) for n in MODELS})
    names = [name for group in GROUPS.values() for name in group]
    if set(names) != set(eventstudy.__all__) - {"__version__"}:
        raise ValueError("GROUPS of registry_pages.py lacks a name of eventstudy.__all__")
    write_folder("api", "Python", PYTHON, {name: name_page(name) for name in names})


# A bar that ends no cell of a table.
BAR = r"\|"
TESTS = """The page of each test explains the test, says when it is valid, and gives its rate of
false alarms.
For each study the program chooses one [main test](../how-to/choose-a-test.md). The main test
decides whether the report finds an effect. All other tests are second opinions.

The last four columns of the table below say whether a test stays valid in four situations:

- *one date*: several events are on one date;
- *overlap*: the event windows of different dates overlap;
- *variance*: the news makes returns more variable;
- *skewness*: returns are skewed.

In the cells, `yes` means that the test is valid, and `fair` that it is nearly valid. A test with
`weak` is less valid, so use it with care. A test with `no` is not valid. The entry `n/a` means
that the situation does not apply to the test.

| test | name | one date | overlap | variance | skewness |
|---|---|---|---|---|---|
""" + "\n".join(
    f"| [{t.label.replace('|', BAR)}]({name}.md) | `{name}` | {t.clustering} | {t.overlap} "
    f"| {t.variance} | {t.skewness} |"
    for name, t in STATISTICS.items()
)  # fmt: skip
MODEL = """The normal return is the return that a share would have had without the news. The page
of each model says when to choose the model, and explains the letters of its formula. The market
model is the default. The page on
[windows and models](../how-to/windows-and-models.md) explains how to compare several models.

| model | name | normal return |
|---|---|---|
""" + "\n".join(
    f"| [{m.label[0].upper()}{m.label[1:]}]({name}.md) | `{name}` | `{m.formula}` |".replace(
        "|z_t-1| - E|z|", r"\|z_t-1\| - E\|z\|"
    )
    for name, m in MODELS.items()
)  # fmt: skip
# What pages of classes leave out, as only other parts of the package need it.
LEFT_OUT = {
    "EventStudyResults": INNER,
    "AbnormalReturns": (
        "all_events", "as_study", "by_chunk", "cached", "columns", "delayed", "groups", "hidden",
        "is_group", "is_of_many", "keep", "kept", "least_history", "left_out", "level_car",
        "loading_parts", "made_up_of", "of_each_event", "over", "positions_over",
        "prepare_recent", "recent_days", "require_returns", "runs", "taken", "unextended", "where",
    ),
    "EventWindows": (
        "altered", "before", "index_returns", "keeps_days", "of", "reach", "source_rows", "without",
        "without_gap",
    ),
    "Events": ("check", "none", "of", "with_bare_cells"),
    "LinearModel": ("bound", "check_covariance", "fitted", "recent_days", "regressors"),
    "ReturnsPanel": (
        "calendar_of", "closed", "from_table", "sessions_of", "with_factors", "with_portfolios",
        "with_rows",
    ),
    "StudyConfig": ("choices", "columns", "named_series", "with_model"),
}  # fmt: skip
# Names whose pages list what they hold, and what these pages say first.
REGISTRIES = {
    "MODELS": MODEL.replace("](", "](models/"),
    "STATISTICS": TESTS.replace("](", "](tests/"),
}
ABOUT = {
    "MODELS": """A mapping from the name of each model of normal returns to its class. For example,
   ``es.MODELS["market"]`` is the class of the market model. To use a model, give its name or an
   instance of its class, such as ``es.MODELS["market"]()``, to ``es.EventStudy(model=...)``. The
   mapping also has the models of installed plug-ins.""",
    "STATISTICS": """A mapping from the name of each significance test to the test. For example,
   ``results.test("bmp_kp", (0, 1))`` uses ``es.STATISTICS["bmp_kp"]``. The attributes ``label``,
   ``null`` and ``source`` of a test hold its name in words, its null hypothesis and its
   publication. The mapping also has the tests of installed plug-ins.""",
}
PYTHON = (
    "After `import eventstudy as es`, a Python program can use the names below. "
    "The page [In a notebook](../notebook.md) shows how to use them.\n"
)
PYTHON += "\n".join(
    f"\n## {group}\n\n"
    + "\n".join(f"- [`es.{name}`]({name}.md)" for name in names)
    for group, names in GROUPS.items()
)  # fmt: skip


def write_folder(folder: str, title: str, text: str, pages: dict[str, str]) -> None:
    """Write the pages of a folder and the one that lists them; an equal file is left alone.

    Parameters
    ----------
    folder, title, text : str
        Where the pages go, and the head and body of the list.
    pages : dict of str to str
        Text of each page by its name.
    """
    path = DOCS / folder
    listed = "\n".join(pages)
    index = f"# {title}\n\n{text}\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    wanted = {**pages, "index": index}
    path.mkdir(exist_ok=True)
    for old in path.glob("*.md"):
        if old.stem not in wanted:
            old.unlink()
    for name, page in wanted.items():
        file = path / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != page:
            file.write_text(page, encoding="utf-8")


def test_page(name: str) -> str:
    """Return the page of a test."""
    test = STATISTICS[name]
    where = f"{test.compute.__module__}.{test.compute.__qualname__}"
    rows = [("Reference distribution", test.reference)]
    grades = {text: getattr(test, trait) for trait, text in TRAITS.items()}
    rows += [(text, GRADES[grade]) for text, grade in grades.items() if grade != "n/a"]
    if test.standardised and not test.per_event:
        rows.append(("Estimation days that an event needs", HISTORY))
    if test.minimum > FEWEST:
        rows.append(("The program warns if the number of events is below", str(test.minimum)))
    rows.append(("Source", test.source))
    idea = IDEAS["tests"][name].strip()
    letters = (text for part, text in LETTERS.items() if re.search(part, test.reference))
    alarms = size_rows(name)
    argument = f', model="{test.model}"' if test.model else ""
    return "\n\n".join(
        [
            f"# {test.label}",
            idea,
            f"`{name}` tests the hypothesis that {test.null}.\n"
            + CAR * ("CAR" in test.null and "cumulative abnormal return" not in idea)
            + SCALED * ("standardised" in test.null),
            "## When it is valid",
            VALID,
            table(("", ""), rows),
            "\n".join(f"- {text}" for text in letters),
            SHARED if test.clustering == test.variance == "yes" else "",
            *(["## False alarms", ALARMS, table(alarm_head(), alarms)] if alarms else []),
            "## Use it",
            (USE_EVENT_TEST if test.per_event else USE_TEST).format(name=name, argument=argument),
            "## Formula and code",
            *(text for names, text in DETAILS.items() if name in names),
            f"```{{eval-rst}}\n.. autofunction:: {where}\n```",
        ]
    )


# Every test of a mean needs as many events.
FEWEST = 2
HISTORY = "60 ([default](../methods/missing-days.md#fewest-days))"
CAR = "The CAR of an event is its cumulative abnormal return over the window.\n"
VALID = (
    "A valid test at the 5% level finds an effect in about 5% of the studies that have none.\n"
    "The table says whether this test stays valid in difficult situations."
)
# One case that the grades of a test leave out.
SHARED = (
    "In one case, no test of the mean is valid: all events are on one date, and the news raises\n"
    "only the variance of a shock that all firms share."
)
SCALED = "To standardise a number means to divide it by its standard error.\n"
# What the names of distributions say, by a pattern of these names.
LETTERS = {
    r"N\(0,1\)": "N(0,1) is the standard normal distribution.",
    r"t\(": "t(d) is Student's t distribution with d degrees of freedom.",
    "Satterthwaite": "The degrees of freedom come from Satterthwaite's formula, at the end of this "
    "page.",
    r"F\(": "F(a,b) is Fisher's F distribution with a and b degrees of freedom.",
    r"N(?!\(0)": "N is the number of events.",
    "Rao": "*Rao* is the number df_2 in the formula at the end of this page.",
    "M-": "M is the number of estimation days.",
    "-k": "k is the number of parameters of the model.",
    "L": "L is the number of days of the window.",
    "days-": "The word *days* stands for the number of abnormal returns that the test uses, over "
    "all events.",
    "sessions-": "The word *sessions* stands for the number of trading days on which at least one "
    "firm is in its tested window.",
    "nu": "nu is the number of estimation days minus the number of parameters of the model.",
    "rank of days": "For a window of one day, the p-value comes from the rank of the statistic "
    "of the event day among the statistics of the estimation days.",
}
# Sections that have more of the formula of some tests.
DETAILS = {
    ("bmp_kp", "patell_kp", "patell_kp_regime", "grank_z_kp"): "The section "
    "[Mean correlation](../methods/tests.md#mean-correlation) explains the correlation r.",
    ("patell_kp_regime", "event_t_regime"): "The section "
    "[Violent days](../methods/answer.md#violent-days) explains the factor k.",
    ("placebo_windows", "sq"): "The section "
    "[Placebo blocks](../methods/tests.md#placebo-blocks) explains the blocks.",
}
ALARMS = (
    "A false alarm is a p-value below 0.05 in a sample without an effect on average. Each row of\n"
    "the table is one kind of simulated sample. The rate of false alarms is the percentage of\n"
    "these samples in which this test gives a false alarm.\n"
    "\n"
    "- A filled dot is the rate of `eventstudy`. A ring is the rate of a second, independent\n"
    "  program.\n"
    "- The dashed line is the right rate of 5%. Rates of 4 to 7% are good (the shaded part).\n"
    "- A rate above 20% is drawn at the end of the axis.\n"
    "\n"
    "The page on [size and power](../methods/size.md) explains the simulations."
)
# Where the axis of false alarms ends, in percent.
LAST_RATE = 20
USE_TEST = """The option `--test` replaces the other second opinions, not the main test:

```sh
eventstudy run events.csv --test {name}
```

In Python, `(0, 1)` is the window from day 0 to day 1:

```py
results.test("{name}", (0, 1))
```"""
USE_EVENT_TEST = """The method `subset` takes some events from the results of a study. The example
tests the first event, over the window from day 0 to day 1:

```py
results = es.study("events.csv"{argument})
results.subset([0]).test("{name}", (0, 1))
```"""
USE_MODEL = """{needs}

```sh
eventstudy run events.csv --model {name}{option}
```

```py
es.study("events.csv", model="{name}"{argument})
```

{options}"""
# What a model needs beside the market: a sentence, an option and an argument.
NEEDS = {
    "factors": (
        ("The model needs a [file of factor returns](../methods/normal-returns.md#factor-files), "
         "such as Kenneth French's daily file."),
        " --factors FILE", ', factors=["FILE"]',
    ),
    "two_index": (
        ("The model needs a world index. Name one ticker for all events, as below, or add a column "
         "`world` with tickers to the events file."),
        " --series world=URTH", ', series=["world=URTH"]',
    ),
    "industry": (
        "The events file needs a column `industry` with the ticker of an industry index.", "", "",
    ),
    "matched": (
        "The events file needs a column `match` with tickers of similar firms, such as `A;B;C`.",
        "", "",
    ),
    "synthetic_control": (
        "The events file needs a column `donors` with tickers of firms without news: `A;B;C`.",
        "", "",
    ),
    "garch": ("The model needs the package `arch`. Install it with `pip install arch`.", "", ""),
}  # fmt: skip
LIKE = {"gjr": "garch", "egarch": "garch"}


def size_rows(name: str) -> list[tuple[str, str, str]]:
    """Return the false-alarm rates of a test in percent: ours, and another program's."""
    ours = json.loads((BENCHMARKS / "sizes.json").read_text(encoding="utf-8"))
    with (BENCHMARKS / "sizes.csv").open(encoding="utf-8") as lines:
        theirs = {(r["design"], r["window"], r["test"]): r["low"] for r in csv.DictReader(lines)}
    rows = []
    for (design, window), text in DESIGNS.items():
        if design in RAISED and STATISTICS[name].variance == "n/a":
            continue
        if rate := ours[design]["rates"].get(window, {}).get(name):
            their = theirs.get((design, window, name))
            share = f"{100 * rate[0] / rate[1]:.1f}"
            dots = axis_of(dot(share, "full") + dot(their or "", "ring"))
            rows.append((text, dots, f"{share}%", f"{their}%" if their else ""))
    return rows


def alarm_head() -> tuple[str, str, str, str]:
    """Return the heads of false alarms, with the axis over the dots."""
    ticks = "".join(
        f'<text x="{place(rate)}%" y="60%" text-anchor="middle">{rate}</text>'
        for rate in (0, 5, 10, LAST_RATE)
    )
    return "simulated samples", axis_of(ticks), "false alarms", "another program"


def axis_of(marks: str) -> str:
    """Return marks on the axis of a cell; its numbers stand in the cells after it."""
    return f'<svg class="alarms" aria-hidden="true">{marks}</svg>'


def dot(rate: str, kind: str) -> str:
    """Return the dot of a rate in percent; a rate beyond the axis has its number written out."""
    if not rate:
        return ""
    x = place(min(float(rate), LAST_RATE))
    mark = f'<circle class="{kind}" cx="{x}%" cy="50%"></circle>'
    if float(rate) > LAST_RATE and kind == "full":
        at = f'x="{x}%" y="50%" dx="-11" dy="4" text-anchor="end"'
        mark += f"<text {at}>{float(rate):.0f}</text>"
    return mark


def place(rate: float) -> float:
    """Return where a rate stands on the axis, in percent of its width."""
    return round(5 + 90 * rate / LAST_RATE, 2)


def model_page(name: str) -> str:
    """Return the page of a model."""
    model = MODELS[name]
    options = MODELS.options_of(name)
    rows = [(f"Option `{key}`", option_text(key, value)) for key, value in options.items()]
    rows.append(("Source", model.source))
    where = f"{model.__module__}.{model.__qualname__}"
    kind = "factors" if hasattr(model, "needed") else LIKE.get(name, name)
    needs, option, argument = NEEDS.get(kind, ("", "", ""))
    return "\n\n".join(
        [
            f"# {model.label[0].upper()}{model.label[1:]}",
            IDEAS["models"][name].strip(),
            table(("", ""), rows),
            "## Use it",
            USE_MODEL.format(
                name=name,
                needs=needs,
                option=option,
                argument=argument,
                options="".join(SET_OPTION.format(name=o, value=OTHER[o]) for o in [*options][:1]),
            ).strip(),
            "## Formula and code",
            f"```{{eval-rst}}\n.. autoclass:: {where}\n   :no-members:\n```",
        ]
    )


def option_text(key: str, default: Any) -> str:
    """Return what a table says about an option of a model."""
    text = ALL_COLUMNS if default == () else f"default `{str(default).lower()}`"
    return f"{text}; {ZERO_ALPHA}" if key == "zero_alpha" else text


ALL_COLUMNS = "default: all columns except `rf`"
ZERO_ALPHA = (
    "`true` [leaves alpha out](../methods/normal-returns.md#no-alpha-in-long-windows) of the "
    "normal return"
)
# A value of each option that is not its default.
OTHER = {
    "lags": "2", "leads": "2", "sum_beta": "true", "centred": "false", "columns": "oil,gold",
    "zero_alpha": "true",
}  # fmt: skip
SET_OPTION = (
    "You set an option of the table with `--model-option`, for example "
    "`--model-option {name}={value}`."
)


def name_page(name: str) -> str:
    """Return the page of a public name."""
    thing: Any = getattr(eventstudy, name)
    kind = "autofunction" if not isinstance(thing, type) else "autoclass"
    lines = [f".. {kind}:: eventstudy.{name}", "   :members:"]
    if name in LEFT_OUT:
        lines.append(f"   :exclude-members: {', '.join(LEFT_OUT[name])}")
    if name == "EventStudyResults":
        lines.append("   :inherited-members:")
    if name in REGISTRIES:
        rows = REGISTRIES[name].partition("\n\n")[2].replace("](", "](../")
        head = f".. py:data:: eventstudy.{name}\n\n   {ABOUT[name]}"
        return f"# {name}\n\n```{{eval-rst}}\n{head}\n```\n\n{rows}\n"
    if not callable(thing):
        lines = [f".. autodata:: eventstudy.{name}", "   :no-value:"]
    elif kind == "autofunction":
        lines = lines[:1]
    body = "\n".join(lines)
    return f"# {name}\n\n```{{eval-rst}}\n{body}\n```\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table of Markdown.

    Parameters
    ----------
    head : tuple of str
    rows : iterable of tuple of str
    """
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class Words(SphinxDirective):
    """The glossary of the report, so that site and report explain a word alike."""

    def run(self) -> list[nodes.Node]:
        words = tomllib.loads(WORDS.read_text(encoding="utf-8"))["glossary"]
        entries = "\n\n".join(f"{word['term']}\n: {word['text']}" for word in words.values())
        return self.parse_text_to_nodes(entries)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before files are read, and register the directive."""
    app.add_directive("words", Words)
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
