"""Docstrings: sections of numpydoc, formulas, references, and examples that run."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from numpydoc.validate import validate

import eventstudy as es
from eventstudy.analysis import compute as computed
from eventstudy.analysis import interval
from eventstudy.analysis.answer import answer, diagnosis, influence, situation
from eventstudy.analysis.cross_section import (
    cross_section,
    explain,
    groups,
    multiple_testing,
    regressions,
)
from eventstudy.analysis.over_time import calendar_portfolio, implied_path, long_horizon, weights
from eventstudy.analysis.placebos import placebo
from eventstudy.fitting import FittedStudy
from eventstudy.models import MODELS
from eventstudy.runs import comparison, refresh, verify
from eventstudy.significance import STATISTICS
from eventstudy.studies import figures
from eventstudy.studies.results import INNER

NAMES = [name for name in es.__all__ if name != "__version__"]
# Classes of results, and the analyses that make them.
RESULTS = (
    answer.Answer, answer.Caveat, answer.LeftOut, answer.Overturn, implied_path.Path95,
    influence.Influence, influence.LeaveOut, interval.Interval,
    cross_section.CarRegression, diagnosis.Diagnosis, groups.Difference, diagnosis.Opinion,
    placebo.Placebo, situation.Situation, multiple_testing.Summary, weights.DollarLoss,
    weights.WeightedMean, comparison.Comparison, comparison.Revision, refresh.Refreshed,
    verify.Reproduction, verify.Verification,
    answer.decide, answer.plain_average, calendar_portfolio.calendar_portfolio,
    explain.regress_car, explain.explain, diagnosis.diagnose, groups.difference, long_horizon.abhar,
    computed.with_market_values, multiple_testing.family,
    placebo.placebo_firms, regressions.diagnostics, computed.compute_study,
    weights.dollar_loss, weights.weighted_caar,
)  # fmt: skip
# A first line that is a sentence; sections in order and without double blanks; parameters that
# exist, in order and with types.
CHECKS = {"GL03", "GL07", "GL08", "SS03", "SS04", "SS05", "PR02", "PR03", "PR04"}
# Folders whose modules have examples beyond those of the public names.
FOLDERS = ("abnormal", "models", "significance", "utility", "windows")
MODULES = [
    f"eventstudy.{folder}.{module.name}"
    for folder in FOLDERS
    for module in pkgutil.iter_modules([str(ROOT / "eventstudy" / folder)])
]


# Studies of many specifications; test_specifications computes smaller ones.
EXAMPLES = [
    pytest.param(name, marks=[pytest.mark.slow] if "robustness" in name.lower() else [])
    for name in NAMES
]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses the name, prints values, and needs no network."""
    shutil.copy(ROOT / "events.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(getattr(es, name)) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    assert any(re.search(rf"\b{name}\b", example.source) for example in test.examples)
    assert any(example.want for example in test.examples)
    runner, failures = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE), []
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


# Methods of results whose examples go on from the study of the class's own example.
METHODS = [
    pytest.param(name, marks=[pytest.mark.slow] if name in ("calibrate", "save") else [])
    for name in dir(es.EventStudyResults)
    if name[0] != "_"
    and ">>>" in (inspect.getdoc(getattr(es.EventStudyResults, name)) or "")
    and not isinstance(getattr(es.EventStudyResults, name), int)
]


@pytest.fixture(scope="module")
def results() -> es.EventStudyResults:
    return es.run_study(str(ROOT / "events.csv"), es.StudyConfig(prices="sample"))


def test_all_that_completion_and_the_reference_show_has_an_example(
    results: es.EventStudyResults,
) -> None:
    """Fields of the record have a line in the docstring of the class instead."""
    shown = {name for name in dir(results) if name[0] != "_"}
    assert shown.isdisjoint(INNER)
    assert all(hasattr(results, name) for name in INNER)
    record = {field.name for field in dataclasses.fields(results)}
    tried = {name for parameter in METHODS for name in parameter.values}
    assert shown - record == tried - {*INNER}
    about = inspect.getdoc(es.EventStudyResults) or ""
    for name in (shown & record) - {"specifications"}:
        assert re.search(rf"^{name} : ", about, re.MULTILINE), name


@pytest.mark.slow
def test_the_example_of_an_attribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in comments, which Sphinx reads."""
    shutil.copy(ROOT / "events.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    source = inspect.getsource(FittedStudy).partition("    specifications: ")[0]
    comments = re.findall(r"^    #: ?(.*)$", source, re.MULTILINE)
    text = "\n".join(comments)
    test = doctest.DocTestParser().get_doctest(text, {"es": es}, "specifications", None, 0)
    assert any(".specifications" in example.source for example in test.examples)
    runner, failures = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE), []
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_methods_document_no_argument_that_a_reader_never_passes() -> None:
    drawn = (
        figures.DrawnAnswer, figures.DrawnPower, figures.DrawnInfluence,
        figures.CalibrationWithFigure, figures.DrawnRegression, figures.DrawnRegressions,
        es.RobustnessResults,
    )  # fmt: skip
    members = [getattr(es.EventStudyResults, p.values[0]) for p in METHODS]
    members += [kind.plot for kind in drawn]
    for member in members:
        text = inspect.getdoc(member) or ""
        named = re.findall(
            r"^(\w+)(?:, \w+)* : ",
            text.partition("Parameters\n")[2].partition("\n\n")[0],
            re.MULTILINE,
        )
        if named:
            assert set(named) <= {*inspect.signature(member).parameters} - {"self"}, member


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_example_of_a_method(
    name: str, results: es.EventStudyResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(getattr(es.EventStudyResults, name)) or ""
    names = {"results": results, "es": es, "np": np, "pd": pd, "json": json}
    names |= {"dataclasses": dataclasses}
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    assert any(re.search(rf"\.{name}\b", example.source) for example in test.examples)
    runner, failures = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE), []
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def members(public: Any) -> Iterator[Any]:
    """Yield a public object, and the public methods that it defines."""
    yield public
    if inspect.isclass(public):
        for name, method in vars(public).items():
            method = getattr(method, "__func__", method)
            if inspect.isfunction(method) and not name.startswith("_"):
                yield method


def reached() -> list[Any]:
    """Return what a user reaches from the package: names, results, and entries of registries."""
    entries = [*MODELS.values(), *(test.compute for test in STATISTICS.values())]
    named = [getattr(es, name) for name in NAMES if name not in ("MODELS", "STATISTICS")]
    unique = {id(m): m for public in (*named, *RESULTS, *entries) for m in members(public)}
    return list(unique.values())


def parameters(public: Any) -> int:
    """Return the number of arguments of a function; 0 of a class."""
    if inspect.isclass(public):
        return 0
    return len({*inspect.signature(public).parameters} - {"self", "cls"})


@pytest.mark.parametrize("public", [pytest.param(p, id=p.__qualname__) for p in reached()])
def test_sections(public: Any) -> None:
    """Functions of two or more arguments document all of them, and what they return."""
    checks = CHECKS | ({"PR01", "RT01"} if parameters(public) > 1 else set())
    errors = validate(f"{public.__module__}.{public.__qualname__}")["errors"]
    assert not [text for code, text in errors if code in checks]


def sections(text: str) -> set[str]:
    lines = text.splitlines()
    return {a for a, b in pairwise(lines) if b and not b.strip("-")}


@pytest.mark.parametrize("name", STATISTICS)
def test_every_test_has_its_formula_and_its_reference(name: str) -> None:
    text = inspect.getdoc(STATISTICS[name].compute) or ""
    assert {"Parameters", "Returns", "Notes", "References", "Examples"} <= sections(text)
    assert "Missing data" in " ".join(text.split())
    # Its statistic is that of Johnson's test.
    assert ".. math::" in text or name == "johnson_bootstrap"


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_its_formula_and_its_reference(name: str) -> None:
    text = inspect.getdoc(MODELS[name]) or ""
    assert {"Notes", "References", "Examples"} <= sections(text)
    assert ".. math::" in text
    assert "Missing data" in " ".join(text.split())


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
