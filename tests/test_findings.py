"""Findings: the document of a study, written, read strictly, and described by a schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from conftest import ROOT, Market

from eventstudy.calendars import Window
from eventstudy.errors import RunFolderError
from eventstudy.findings import Findings, FinishedRun
from eventstudy.findings.document import read_json, to_json
from eventstudy.findings.finished_run import findings_of
from eventstudy.settings import StudyConfig

CONFIG = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5), event_pages=3)


@pytest.fixture(scope="module")
def findings() -> Findings:
    market = Market(n=12, dates=6, effect=-0.02)
    market.table["direction"] = (["adverse"] * 2 + ["relief"]) * 4
    return findings_of(market.fit(), CONFIG, name="a study")


@pytest.fixture(scope="module")
def document(findings: Findings) -> dict[str, Any]:
    return dict(json.loads(FinishedRun(findings).text))


@pytest.mark.slow
def test_written_and_read_again_it_is_the_same(findings: Findings) -> None:
    text = to_json(findings)
    assert to_json(read_json(text)) == text


@pytest.mark.slow
def test_it_is_as_its_schema_says(document: dict[str, Any]) -> None:
    jsonschema.validate(document, FinishedRun.DOCUMENT.schema())
    jsonschema.Draft202012Validator.check_schema(FinishedRun.DOCUMENT.schema())


def test_the_shipped_schema_is_that_of_the_types() -> None:
    shipped = (ROOT / "eventstudy/data/results.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == FinishedRun.DOCUMENT.schema()


def test_missing_numbers_are_null_and_infinite_ones_are_named(findings: Findings) -> None:
    text = to_json(findings)
    assert "NaN" not in text
    assert "Infinity" not in text


def test_the_answer_is_of_the_first_group_with_a_verdict(findings: Findings) -> None:
    assert [sample.group for sample in findings.samples] == ["adverse", "relief", ""]
    assert findings.sample.answer.n_events == 8
    assert findings.pooled.answer.n_events == 12
    assert {event.page != "" for event in findings.events} == {True, False}
    assert sum(event.detail is not None for event in findings.events) == 3


def test_cars_of_events_are_those_of_the_means(findings: Findings) -> None:
    main = findings.setup.main
    cars = [event.car(main).car for event in findings.used]
    assert np.mean(cars) == pytest.approx(findings.pooled.answer.plain_average.estimate, rel=1e-12)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("setup", "n_events"), "twelve"),
        (("setup", "main"), [0]),
        (("samples", 0, "n_used"), 1.5),
        (("samples", 0, "answer"), {}),
        (("events", 0, "flags"), "time_unknown"),
        (("events", 0, "reason"), {"code": "no_such_reason"}),
        (("samples",), None),
    ],
)
def test_another_type_is_refused_with_its_place(
    document: dict[str, Any], place: tuple[Any, ...], value: Any
) -> None:
    broken = json.loads(json.dumps(document))
    inner = broken
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(RunFolderError, match=str(place[0])):
        read_json(json.dumps(broken))


def test_a_missing_part_is_refused(document: dict[str, Any]) -> None:
    broken = {name: value for name, value in document.items() if name != "events"}
    with pytest.raises(RunFolderError, match="events is missing"):
        read_json(json.dumps(broken))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "eventstudy-results/1"}', "null"])
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(RunFolderError):
        read_json(text)
