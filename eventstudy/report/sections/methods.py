"""Methods as used in the study: model, formulas, tests shown, and their references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...findings.types import Findings, ModelFacts
from ...significance import STATISTICS
from ...significance._correlation import MIN_COMMON
from ...significance._pairs import PAIRWISE_LIMIT
from ...significance.clusters import ENUMERATE_UP_TO
from ...utility.catalogue import has, say
from ...utility.numbers import listed, parameter_letter, window_text
from ...utility.units import words
from .conventions import law_of, missing_days, practice
from .references import Reference, references
from .table import Row, Table, table_of

# Analyses that have a paragraph of methods, by the table of the run.
CORRECTIONS = ("families", "differences")


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
    title, lede : str
    paragraphs : tuple of Paragraph
    tests : Table, optional
        Tests shown: null hypothesis, reference and source.
    references : list of Reference
        All that the text and the table name.
    """

    title: str
    lede: str
    paragraphs: tuple[Paragraph, ...]
    tests: Table | None
    references: list[Reference]

    @property
    def bibtex(self) -> str:
        """The references as BibTeX."""
        return "\n\n".join(reference.bibtex for reference in self.references)


def methods(findings: Findings) -> Methods:
    """Return what was done, or would be done where no event can be used."""
    used, model = findings.setup.n_used > 0, findings.setup.model
    paragraphs = tuple(_paragraphs(findings))
    names = findings.sample.shown if used else ()
    sources = [model.source, *(STATISTICS[name].source for name in names)]
    return Methods(
        title=say("methods.title" if used else "methods.title_unused"),
        lede="" if used else say("methods.unused"),
        paragraphs=paragraphs,
        tests=_tests(findings, names) if used else None,
        references=references([*sources, *(paragraph.text for paragraph in paragraphs)]),
    )


def formula_text(text: str) -> str:
    """Return a formula of the registries with Greek letters: ``E[R_it] = α_i + β_i R_mt``."""
    letters = parameter_letter(text).replace("sum_", "Σ_").replace("sum ", "Σ ")
    return letters.replace(">=", "≥")


def _paragraphs(findings: Findings) -> Iterator[Paragraph]:
    setup, used = findings.setup, findings.setup.n_used > 0
    if words().what:
        yield Paragraph(say(f"methods.measure_{setup.measure}", source=words().source))
        yield Paragraph(formula_text(words().formula), is_formula=True)
        yield Paragraph(say("methods.log_points", quantity=words().quantity))
    yield from _model(findings)
    yield from _variance(findings)
    if done := practice(findings):
        yield Paragraph(" ".join(done))
    if not used:
        return
    if findings.sample.answer.n_events == 1 or findings.sample.n_used == 1:
        yield Paragraph(_single(findings))
    else:
        yield from _several(findings)
    wild = "wild_bootstrap" in findings.sample.shown
    draws = {"limit": ENUMERATE_UP_TO, "draws": setup.conventions["draws"]}
    texts = [say("methods.wild_bootstrap", **draws)] if wild else []
    texts += [say(f"methods.{name}") for name in CORRECTIONS if name in findings.tables]
    yield Paragraph(" ".join([*texts, say("methods.two_sided")]))


def _model(findings: Findings) -> Iterator[Paragraph]:
    setup, model, symbol = findings.setup, findings.setup.model, words().symbol
    days = ""
    if setup.estimation_days:
        least, most = setup.estimation_days
        days = say(
            "methods.days" if least == most else "methods.days_between", least=least, most=most
        )
    fitted = model.least_squares and model.parameters
    yield Paragraph(
        say(
            "methods.model_values" if words().what else "methods.model_returns",
            kind=words().what or setup.kind,
            model=model.label,
            source=listed(model.source.split("; ")),
            by=say("methods.by_least_squares") if fitted else "",
            length=len(setup.estimation),
            estimation=setup.estimation,
            days=days,
        )
    )
    formula = formula_text(model.formula.replace("R_", f"{symbol}_"))
    yield Paragraph(say("methods.ar_car", formula=formula, symbol=symbol), is_formula=True)


def _variance(findings: Findings) -> Iterator[Paragraph]:
    """Yield what was computed, and of what the variance of a CAR consists."""
    setup, model = findings.setup, findings.setup.model
    scar = setup.conventions["scar"]
    computed = say(
        "methods.computed" if setup.n_used else "methods.would_be_computed",
        event=setup.event,
        tested=listed(window_text(window) for window in setup.tested),
    )
    variance, missing = f"{computed} {variance_of_car(model)}", missing_days(findings)
    defined = say(f"methods.scar_{scar}")
    if not (model.parameters and model.exact and not model.forecasts_variance):
        yield Paragraph(f"{variance}. {defined} {missing}")
        return
    yield Paragraph(f"{variance}:")
    yield Paragraph(say(f"methods.var_car_{scar}"), is_formula=True)
    letters = say(f"methods.letters_{scar}")
    yield Paragraph(" ".join([letters, *[defined] * (scar == "sum"), missing]))


def variance_of_car(model: ModelFacts) -> str:
    """Return of what the variance of a CAR consists, without the full stop."""
    if not model.parameters:
        return say("variance.no_parameters")
    if model.forecasts_variance:
        return say("variance.forecast")
    if model.is_censored:
        return say("variance.censored")
    if not model.exact:
        return say("variance.approximate")
    if has(f"covariance.{model.cov_type}"):
        return say("variance.robust", covariance=say(f"covariance.{model.cov_type}"))
    return say("variance.exact")


def _single(findings: Findings) -> str:
    """Return what the interval of a single CAR is."""
    law, letters = law_of(findings)
    return say("methods.single", kind=say(f"law.{_exactness(findings)}"), law=law, letters=letters)


def _exactness(findings: Findings) -> str:
    """Return "exact" if the t of a single CAR has the variance of the estimator."""
    model = findings.setup.model
    return "exact" if model.exact and model.cov_type == "nonrobust" else "approximate"


def _several(findings: Findings) -> Iterator[Paragraph]:
    yield Paragraph(say("methods.bmp_kp"))
    yield Paragraph(say("methods.bmp_kp_formula"), is_formula=True)
    exact, filled = findings.setup.conventions["overlap"] == "exact", findings.sample.filled_pairs
    texts = [say("methods.rbar_exact" if exact else "methods.rbar_shared")]
    if findings.sample.answer.n_events > PAIRWISE_LIMIT:
        texts.append(say("methods.rbar_sums", limit=PAIRWISE_LIMIT))
    elif filled:
        texts.append(say("methods.rbar_filled", n=filled, least=MIN_COMMON))
    yield Paragraph(" ".join(texts))
    yield Paragraph(say("methods.one_test"))


def _tests(findings: Findings, names: tuple[str, ...]) -> Table:
    """Return the tests shown; the t of single CARs is not exact for every model."""
    rows = []
    for name in names:
        test = STATISTICS[name]
        reference = test.reference
        if name == "event_t":
            scar = findings.setup.conventions["scar"]
            kind = _exactness(findings) if scar == "exact" else "approximate"
            reference = f"{law_of(findings)[0]}, {say(f'law.{kind}')}"
        rows.append(Row((test.label, words().say(test.null), reference, test.source)))
    return table_of("methods.tests", "ttdt", rows)
