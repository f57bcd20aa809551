"""Methods as used in the study, with their references; and where its numbers come from."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ...analysis import CarRegression
from ...dependence import Limits
from ...findings import Findings, ModelFacts
from ...significance import STATISTICS, DateClusters
from ...utility import Flag, __version__
from ...words import clipped, has, say, speaking_of, words
from ..sentences.answer import has_exact_law
from .columns import NAME, Kind, columns
from .table import Row, Table, make_table

# Analyses that have a paragraph of methods, by the table of the run.
CORRECTIONS = ("families", "differences")
# What is known of the prices of a symbol, in the order of the table.
COLUMNS = (
    *columns(Kind.TEXT, "source", "detail"), *columns(Kind.DATE, "first", "last"),
    *columns(Kind.COUNT, "rows"), *columns(Kind.TEXT, "currency"),
)  # fmt: skip
OF_SOURCE = ("source", "detail", "currency", "note")
# Surnames, joined by commas and "and", before years; the first of them is kept.
_CITED = re.compile(r"([A-Z][\w-]*)(?:(?:, | and )[A-Z][\w-]*)* (\((?:\d{4}(?:, )?)+\)|\d{4}\b)")
_ENTRY = re.compile(r"@article\{(\w+),\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^ *(\w+) = \{(.*)\},?$", re.MULTILINE)
_PLAIN = {r"\&": "&", r"{\"o}": "ö", "--": "–"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One article: its parts as text, and its entry as BibTeX.

    Attributes
    ----------
    key : str
        Surname of the first author and year, such as ``kolari2010``.
    authors : str
        With the year: ``Kolari, J. W. and Pynnönen, S. (2010)``.
    title, journal, place : str
        The title ends as a sentence; the place is volume and pages.
    bibtex : str
    """

    key: str
    authors: str
    title: str
    journal: str
    place: str
    bibtex: str

    def __str__(self) -> str:
        return f"{self.authors}. {self.title} {self.journal} {self.place}."


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, or a formula in a line of its own."""

    text: str
    is_formula: bool = False


@dataclass(frozen=True, slots=True)
class Methods:
    """The methods of a study.

    Attributes
    ----------
    paragraphs : tuple of Paragraph
    references : list of Reference
        All that the text and the tests shown name.
    """

    paragraphs: tuple[Paragraph, ...]
    references: list[Reference]


def methods(findings: Findings) -> Methods:
    """Return what was done, or would be done where no event can be used."""
    used, model = findings.setup.n_used > 0, findings.setup.model
    paragraphs = tuple(_paragraphs(findings))
    names = findings.sample.shown if used else ()
    sources = [model.source, *(STATISTICS[name].source for name in names)]
    cited = find_references([*sources, *(paragraph.text for paragraph in paragraphs)])
    return Methods(paragraphs, cited)


def parameter_letter(text: str) -> str:
    """Write the names of Greek letters as letters."""
    greek = {"alpha": "α", "beta": "β", "mu": "μ", "gamma": "γ", "sigma": "σ"}
    return re.sub(r"[a-z]{2,}", lambda name: greek.get(name[0], name[0]), text)


def write_formula(text: str) -> str:
    """Return a formula of the registries with Greek letters: ``E[R_it] = α_i + β_i R_mt``."""
    letters = parameter_letter(text).replace("sum_", "Σ_").replace("sum ", "Σ ")
    return letters.replace(">=", "≥")


def _paragraphs(findings: Findings) -> Iterator[Paragraph]:
    setup, used = findings.setup, findings.setup.n_used > 0
    if not used:
        yield Paragraph(say("methods.unused"))
    if words().what:
        yield Paragraph(say(f"methods.measure_{setup.measure}", source=words().source))
        yield Paragraph(write_formula(words().formula), is_formula=True)
        yield Paragraph(say("methods.log_points", quantity=words().quantity))
    yield from _model(findings)
    yield from _variance(findings)
    if done := describe_choices(findings):
        yield Paragraph(" ".join(done))
    if not used:
        return
    if findings.sample.answer.n_events == 1 or findings.sample.n_used == 1:
        law, letters = describe_law(findings)
        kind = say("law.exact" if has_exact_law(findings.setup.model) else "law.approximate")
        yield Paragraph(say("methods.single", kind=kind, law=law, letters=letters))
    else:
        yield from _several(findings)
    texts = [say(f"methods.{name}") for name in CORRECTIONS if name in findings.tables]
    if "wild_bootstrap" in findings.sample.shown:
        draws = {"limit": DateClusters.ENUMERATED, "draws": setup.conventions["draws"]}
        texts.insert(0, say("methods.wild_bootstrap", **draws))
    yield Paragraph(" ".join([*texts, say("methods.two_sided")]))


def _model(findings: Findings) -> Iterator[Paragraph]:
    setup, model, symbol = findings.setup, findings.setup.model, words().symbol
    days = ""
    if setup.estimation_days:
        least, most = setup.estimation_days
        code = "methods.days" if least == most else "methods.days_between"
        days = say(code, least=least, most=most)
    by = say("methods.by_least_squares") if model.least_squares and model.parameters else ""
    source = words().listed(model.source.split("; "))
    facts = {"estimation": setup.estimation, "length": len(setup.estimation), "days": days}
    facts |= {"kind": words().what or setup.kind, "model": model.label, "source": source, "by": by}
    yield Paragraph(say(f"methods.model_{'values' if words().what else 'returns'}", **facts))
    formula = write_formula(model.formula.replace("R_", f"{symbol}_"))
    yield Paragraph(say("methods.ar_car", formula=formula, symbol=symbol), is_formula=True)


def _variance(findings: Findings) -> Iterator[Paragraph]:
    """Yield what was computed, and of what the variance of a CAR consists."""
    setup, model = findings.setup, findings.setup.model
    scar = setup.conventions["scar"]
    code = "methods.computed" if setup.n_used else "methods.would_be_computed"
    tested = words().listed(map(words().window, setup.tested))
    computed = say(code, event=setup.event, tested=tested)
    variance = f"{computed} {describe_variance(model)}"
    missing = explain_missing_days(findings)
    defined = say(f"methods.scar_{scar}")
    if not (model.parameters and model.exact and not model.forecasts_variance):
        yield Paragraph(f"{variance}. {defined} {missing}")
        return
    yield Paragraph(f"{variance}:")
    yield Paragraph(say(f"methods.var_car_{scar}"), is_formula=True)
    letters = say(f"methods.letters_{scar}")
    yield Paragraph(" ".join([letters, *[defined] * (scar == "sum"), missing]))


def describe_variance(model: ModelFacts) -> str:
    """Return of what the variance of a CAR consists, without the full stop."""
    kinds = {
        "no_parameters": not model.parameters, "forecast": model.forecasts_variance,
        "approximate": not model.exact,
    }  # fmt: skip
    if kind := next((kind for kind, holds in kinds.items() if holds), ""):
        return say(f"variance.{kind}")
    if has(f"covariance.{model.cov_type}"):
        return say("variance.robust", covariance=say(f"covariance.{model.cov_type}"))
    return say("variance.exact")


def _several(findings: Findings) -> Iterator[Paragraph]:
    yield Paragraph(say("methods.bmp_kp"))
    yield Paragraph(say("methods.bmp_kp_formula"), is_formula=True)
    exact, filled = findings.setup.conventions["overlap"] == "exact", findings.sample.filled_pairs
    texts = [say("methods.rbar_exact" if exact else "methods.rbar_shared")]
    if findings.sample.answer.n_events > Limits.PAIRWISE:
        texts.append(say("methods.rbar_sums", limit=Limits.PAIRWISE))
    elif filled:
        texts.append(say("methods.rbar_filled", n=filled, least=Limits.COMMON))
    yield Paragraph(" ".join(texts))
    yield Paragraph(say("methods.one_test"))


def describe_choices(findings: Findings) -> list[str]:
    """Return a sentence for each choice of the settings that came to bear on these events."""
    return list(_choices(findings)) if findings.setup.n_used else []


def _choices(findings: Findings) -> Iterator[str]:
    setup, settings = findings.setup, findings.setup.settings
    short, flags = findings.pooled.short, Counter(findings.pooled.flags)
    if short:
        facts = {"needed": short[0].reason.facts["needed"], "n": findings.pooled.answer.n_short}
        yield say("practice.short", **facts)
    if settings.get("firm"):
        yield say("practice.listings", column=clipped(settings["firm"], 60))
    if settings["repeat"] == "first":
        yield say("practice.first", n=setup.overlapped)
    if settings["repeat"] == "keep-all" and setup.has_repeats:
        yield say("practice.keep_all")
    if flags[Flag.MASKED_DAYS]:
        yield say("practice.masked", n=flags[Flag.MASKED_DAYS])
    if shifted := say_shifted(findings):
        yield shifted
        yield say("practice.halt_drift", n=settings["halt_drift"])
    if setup.extended:
        yield say("practice.limits_extend", n=setup.extended)
    elif flags[Flag.PRICE_LIMIT] and (rule := setup.conventions["limits"]) in ("drop", "none"):
        yield say(f"practice.limits_{rule}", n=flags[Flag.PRICE_LIMIT])
    if n := setup.confounded or flags[Flag.CONFOUNDED]:
        near = say("practice.near", n=settings["confounder_days"], window=setup.main)
        done = "dropped" if setup.confounded else "flagged"
        yield say(f"practice.confounded_{done}", near=near, n=n)
    if setup.conventions["fpc"]:
        yield say("practice.fpc")
    yield from _regression(findings)
    placebo = findings.tables.get("placebo")
    if placebo is not None and len(placebo):
        yield say("practice.placebo", test=STATISTICS[placebo["test"].iloc[0]].label)


def say_shifted(findings: Findings) -> str:
    """Return that halts leave the clock of an event; "" where they do not.

    Parameters
    ----------
    findings : Findings
    """
    if findings.setup.settings.get("halt") != "shift":
        return ""
    return say("practice.shift", n=findings.pooled.flags.get(Flag.HALT_SHIFTED, 0))


def explain_missing_days(findings: Findings) -> str:
    """Return what becomes of an event that lacks days of a window."""
    datum = words().datum if words().what else "return"
    return say(f"practice.missing_{findings.setup.conventions['missing']}", datum=datum)


def describe_law(findings: Findings) -> tuple[str, str]:
    """Return the law of the t of a single CAR, such as ``t(M − k)``, and what its letters are."""
    model = findings.setup.model
    k = model.freedom_lost[0] if len(model.freedom_lost) == 1 else None
    if k is None:
        code = "varying"
    elif model.parameters:
        code = "parameters"
    else:
        code = {0: "nothing", 1: "mean"}.get(k, "several")
    return say(f"law.{code}", k=k), say(f"law.{code}_letters", k=k)


def _regression(findings: Findings) -> Iterator[str]:
    table = findings.tables.get("regression")
    if table is None or table.empty or CarRegression.why_not(table):
        return
    names = [clipped(name, 60) for name in findings.setup.settings["regress"]]
    characteristics = words().listed(names) if names else say("practice.characteristics")
    errors = table["errors"].iloc[0]
    compared = str(table["compared"].iloc[0])
    yield say(
        "practice.regression", window=findings.setup.main, names=characteristics,
        errors=say(f"errors.{errors}"),
    )  # fmt: skip
    # Such as HC3, or CR2 by date.
    code = compared.partition(" ")[0]
    known = [name for name in (f"covariance.{code}", f"errors.{code}") if has(name)]
    if known and code != errors:
        yield say("practice.regression_beside", errors=say(known[0]))


@cache
def read_bibliography() -> Mapping[str, Reference]:
    """Return all references by key, in the order of a list of references."""
    text = files("eventstudy").joinpath("data", "references.bib").read_text("utf-8")
    return {entry[1]: _reference(entry) for entry in _ENTRY.finditer(text)}


def _reference(entry: re.Match[str]) -> Reference:
    field = {name: _plain(value) for name, value in _FIELD.findall(entry[2])}
    title = field["title"].strip("{}")
    return Reference(
        key=entry[1],
        authors=f"{words().listed(field['author'].split(' and '))} ({field['year']})",
        title=title if title.endswith("?") else f"{title}.",
        journal=field["journal"],
        place=f"{field['volume']}, {field['pages']}",
        bibtex=entry[0],
    )


def _plain(text: str) -> str:
    for tex, letter in _PLAIN.items():
        text = text.replace(tex, letter)
    return text


def find_references(sources: Iterable[str]) -> list[Reference]:
    """Return the references that texts name, as ``Brown and Warner (1980, 1985)``."""
    named = set[str]()
    for source in sources:
        for surname, years in _CITED.findall(source):
            named.update(f"{surname.lower()}{year}" for year in re.findall(r"\d{4}", years))
    return [reference for key, reference in read_bibliography().items() if key in named]


def name_prices(findings: Findings) -> tuple[str, str]:
    """Return the sources of prices with their numbers of symbols, and the last day, or "".

    The last day is the latest on which a share and its index both have prices.
    """
    prices = sorted((findings.provenance.get("prices") or {}).items())
    sources = Counter(clipped(entry.get("source", "")) for _, entry in prices)
    ends = {symbol: str(entry.get("last") or "") for symbol, entry in prices}
    lasts = [""]
    for event in findings.events:
        pair = (str(event.cells.get(column) or "") for column in ("ticker", "benchmark"))
        lasts.append(min((ends[symbol] for symbol in pair if symbol in ends), default=""))
    named = [f"{source} ({n:,})" for source, n in sources.items()]
    return words().listed(named) if named else "", max(lasts)


def source_line(findings: Findings) -> str:
    """Return what stands below a figure: the program, the sources of prices, and their last day."""
    names, last = name_prices(findings)
    return say("provenance.source_until" if last else "provenance.source", names=names, last=last)


def provenance(findings: Findings) -> dict[str, str]:
    """Return where the numbers of a study come from, as texts by name; "" for what is unknown."""
    record = findings.provenance
    prices = record.get("prices") or {}
    versions = record.get("versions") or {}
    sources, _ = name_prices(findings)
    text = say("provenance.sources", n=len(prices), sources=sources) if prices else ""
    if prices and (day := record.get("confirmed")):
        text += say("provenance.confirmed", day=day)
    return {
        "events": record.get("events_source") or "",
        "sha256": record.get("events_sha256") or "",
        "prices": text,
        "settings": settings_text(findings.setup.settings),
        "software": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "command": record.get("command") or "",
    }


def symbols_table(findings: Findings) -> Table | None:
    """Return the source of each symbol, those of one source in one row; None without prices."""
    prices: dict[str, dict[str, Any]] = findings.provenance.get("prices") or {}
    alike = defaultdict[tuple[Any, ...], list[str]](list)
    for symbol, entry in sorted(prices.items()):
        alike[tuple(entry.get(key, "") for key in OF_SOURCE)].append(symbol)
    rows = []
    for symbols in alike.values():
        entries = [prices[symbol] for symbol in symbols]
        texts: dict[str, str | None] = {"name": ", ".join(symbols)}
        for column in COLUMNS:
            ends = sorted({entry[column.key] for entry in entries if entry.get(column.key)})
            ends = list(dict.fromkeys(ends[:1] + ends[-1:]))
            texts[column.key] = " to ".join(map(clipped, ends)) or None
        rows.append(Row(texts, clipped(entries[0].get("note", ""))))
    return make_table("provenance.symbols", (NAME, *COLUMNS), rows) if rows else None


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return the settings that are not empty in one line, by their names in a study file."""
    texts = {name.replace("_", " "): _setting(value) for name, value in settings.items()}
    return "; ".join(f"{name}: {text}" for name, text in texts.items() if text)


def _setting(value: object) -> str:
    """Return a setting as text; "" for what is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        pairs = ((k, "" if isinstance(v, Mapping) else f" = {v}") for k, v in value.items())
        return ", ".join(f"{k}{text}" for k, text in pairs)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def write_bibtex(findings: Findings | None = None, tests: Iterable[str] = ()) -> str:
    """Return how to cite the program as BibTeX, and all methods of a study that are given.

    Parameters
    ----------
    findings : Findings, optional
    tests : iterable of str
        Further tests, such as those of a table.
    """
    record = findings.provenance.get("versions") or {} if findings else {}
    entries = [say("cite.program", version=record.get("eventstudy", __version__))]
    if findings:
        with speaking_of(findings.setup.measure):
            done = methods(findings).references
        keys = {*done, *find_references(STATISTICS[name].source for name in tests)}
        entries += [entry.bibtex for entry in read_bibliography().values() if entry in keys]
    return "\n\n".join(entries) + "\n"
