"""Methods, references and provenance, as used in the study."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ...fitting.config import StudyConfig
from ...models.censored import CensoredMarket
from ...significance import STATISTICS, Statistic
from ...significance._correlation import MIN_COMMON, PAIRWISE_LIMIT, mean_correlation
from ...significance.wild_bootstrap import ENUMERATE_UP_TO
from ...utility.numbers import MISSING, clipped, count, listed, parameter_letter, window_text
from ...utility.units import words
from ..content.conventions_text import COVARIANCES, law_of, missing_days, practice
from ..content.references import bibtex, references
from ..content.shown_tests import LAW, exact_law, one_car, shown_tests
from ..content.subject import Page

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy
    from ...models import LinearModel


# What is done beside the tests, by the table that has it.
CORRECTIONS = {
    "families": "Families of hypotheses are corrected after Holm (1979), Benjamini and Hochberg "
    "(1995), "
    "Benjamini and Yekutieli (2001) and by the stepdown of Romano and Wolf (2005, 2016), which "
    "rests on the "
    "date-clustered t.",
    "differences": "Differences of groups have errors clustered by date with the correction CR2 "
    "of Bell and "
    "McCaffrey (2002), beside the test of Welch (1947) and permutations of the labels.",
}
# How a CAR is standardised, by the convention.
SCAR = {
    "exact": "SCAR is the CAR divided by its standard deviation.",
    "sum": "SCAR is the sum of the standardised abnormal returns of the days over the root of "
        "their number "
    "(Patell 1976), which is also the t of a single event; it leaves out that the days of one "
    "event share "
    "the error of the parameters.",
}  # fmt: skip


def methods(page: Page) -> dict[str, Any]:
    """Return model, formulas, tests shown and their references."""
    results, config = page.results, page.config
    names = shown_tests(page.sample, page.main, config.tests) if len(results) else []
    windows, model, conventions = (
        results.abnormal.windows,
        results.model,
        results.abnormal.conventions,
    )
    law, exact = law_of(results), exact_law(model) and conventions.scar == "exact"
    tests = [_as_here(STATISTICS[name], law, exact=exact) for name in names]
    variance, bootstrap = (
        variance_of_car(model),
        _bootstrap(page) if "wild_bootstrap" in names else "",
    )
    corrections = [text for name, text in CORRECTIONS.items() if name in page.tables]
    done = practice(page) if len(results) else []
    scar = SCAR[conventions.scar]
    said = [variance, scar, words().source, bootstrap, *corrections, *done]
    cited = references([model.source, *(t.source for t in tests), *said])
    return {
        "model": model,
        "variance_formula": bool(model.parameters) and model.exact and not model.forecasts_variance,
        "formula": formula(model.formula.replace("R_", f"{words().symbol}_")),
        "variance": variance,
        "scar": scar,
        "scar_exact": conventions.scar == "exact",
        "missing": missing_days(conventions),
        "practice": done,
        "law": law,
        "law_is": LAW[exact_law(model)],
        "method_tests": tests,
        "rbar_words": _rbar(page),
        "one_event": one_car(page.sample, page.main) or len(page.sample) == 1,
        "estimation": window_text(windows.estimation),
        "event": window_text(windows.event),
        "length": f"{len(windows.estimation):,}",
        "days": _days(results),
        "by": " by least squares"
        if results.model.least_squares and results.model.parameters
        else "",
        "after": listed(model.source.split("; ")),
        "corrections": corrections,
        "bootstrap": bootstrap,
        "kind": words().what or f"{windows.kind} returns",
        "measure_formula": formula(words().formula),
        "tested": listed(window_text(w) for w in config.tested),
        "references": cited,
        "bibtex": bibtex(cited),
    }


def _as_here(test: Statistic, law: str, *, exact: bool) -> Statistic:
    """Return a test with the reference that it has here: the t of single CARs is not exact of every
    model."""
    if test.name != "event_t":
        return test
    return replace(test, reference=f"{law.partition(',')[0]}, {LAW[exact]}")


def _rbar(page: Page) -> str:
    """Return what the mean correlation of BMP-KP is a mean of."""
    pairs = (
        "r̄ is the mean over all pairs of events of the correlation of their estimation residuals "
        "on common "
        "calendar dates, "
    )
    sample = page.sample.abnormal.sample(page.main)
    if page.results.abnormal.conventions.overlap == "exact":
        weight = (
            "times the cosine of the weights that the errors of each date have in their CARs: 1 "
            "for events "
            "of one date and equal histories, small for events far apart, whose estimation "
            "windows overlap."
        )
    else:
        weight = (
            "weighted by the sessions that their windows share: events far apart count as "
            "independent."
        )
    if len(sample) > PAIRWISE_LIMIT:
        return (
            f"{pairs}{weight} With more than {PAIRWISE_LIMIT:,} events it comes from sums over "
            "sessions."
        )
    filled = mean_correlation(sample, page.main).filled if len(sample) > 1 else 0
    few = (
        f" {count(filled, 'pair')} with fewer than {MIN_COMMON} common days took the mean of the "
        "others."
        if filled else ""
    )  # fmt: skip
    return pairs + weight + few


def _bootstrap(page: Page) -> str:
    """Return what the wild bootstrap does."""
    draws = page.results.abnormal.conventions.draws
    return (
        "The wild bootstrap by date compares the date-clustered t with its values after the signs "
        "of all "
        f"CARs of a date are flipped together: all flips of up to {ENUMERATE_UP_TO} dates, else "
        f"{draws:,}, "
        "of which half mirror the others; dates whose windows overlap are one."
    )


def _days(results: FittedStudy) -> str:
    """Return how many estimation days events have: ``220``, ``120 to 220``, "" without events."""
    nobs = results.events.loc[results.ok, "nobs"]
    if nobs.empty:
        return ""
    least, most = int(nobs.min()), int(nobs.max())
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def variance_of_car(model: LinearModel) -> str:
    """Return what the variance of a CAR consists of, without the full stop."""
    shared = "the error of the estimated parameters, which the days of one event share"
    papers = "(Salinger 1992; Mikkelson and Partch 1988)"
    if not model.parameters:
        return "The variance of a CAR is that of the deviations on the estimation days"
    if model.forecasts_variance:
        return (
            "The variance of a CAR is the sum of the variances forecast for its days from the end "
            "of the "
            f"estimation window, plus {shared} {papers}; events without a stationary optimum are "
            "estimated "
            "by least squares (flag fallback_model)"
        )
    if isinstance(model, CensoredMarket):
        return (
            "Estimation days that close at a price limit are bounds of a Tobit likelihood (Tobin "
            "1958; Chou "
            f"1997). The variance of a CAR includes {shared}, from the observed information"
        )
    if not model.exact:
        return (
            "The variance of a CAR is, as an approximation, that of least squares around these "
            "estimates and "
            f"includes {shared} {papers}"
        )
    robust = COVARIANCES.get(model.cov_type, "")
    robust = f", by the covariance {robust}" if robust else ""
    return f"The variance of a CAR includes {shared} {papers}{robust}"


def formula(text: str) -> Markup:
    """Set a formula such as ``E[R_it] = alpha_i + beta_i R_mt`` with Greek letters and
    subscripts."""
    text = parameter_letter(text).replace("sum_", "Σ_").replace("sum ", "Σ ").replace(">=", "≥")

    def with_index(found: re.Match[str]) -> str:
        letter, power, index = found.groups()
        base = letter if letter == "Σ" else f"<i>{letter}</i>"
        return f"{base}{'<sup>2</sup>' if power else ''}<sub>{index.replace('-', '−')}</sub>"

    index = r"(\w+(?:\(\w\))?(?:,\w+)?(?:[+-][1j]\b)?)"
    return Markup(re.sub(r"([^\W\d_]+)(\^2)?_" + index, with_index, html.escape(text)))  # noqa: S704


def provenance_of(config: StudyConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the numbers come from."""
    prices = given.get("prices") or {}
    keys = ("source", "detail", "first", "last", "rows", "currency", "note")
    rows = [
        (symbol, *(clipped(entry.get(k, "")) or MISSING for k in keys))
        for symbol, entry in sorted(prices.items())
    ]
    sources: dict[str, int] = {}
    for row in rows:
        sources[row[1]] = sources.get(row[1], 0) + 1
    return {
        "command": given.get("command") or "",
        "source": given.get("events_source") or "",
        "sha256": given.get("events_sha256") or "",
        "versions": [f"{k} {v}" for k, v in (given.get("versions") or {}).items()],
        "rows": rows,
        "sources": listed(f"{s} ({n:,})" for s, n in sources.items()) if sources else "",
        "settings": settings_text({**config.to_dict(), "model": config.normal_model}),
    }


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return the settings that say something in one line, by their names in a study file."""
    said = {name: _setting(value) for name, value in settings.items()}
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.items() if value)


def _setting(value: object) -> str:
    """Return a setting for a reader; variants by their names, "" for what is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(
            str(k) if isinstance(v, Mapping) else f"{k} = {v}" for k, v in value.items()
        )
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
