"""``results.json``: one document with everything a run found, in plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...analysis.answer import answers
from ...analysis.diagnosis import diagnose
from ...analysis.opinions import NOT_VALID
from ...fitting.fitted import group_column
from ...fitting.listed_events import listed
from ...utility.units import in_its_words
from .prose import prose
from .shown_tests import shown_tests
from .subject import Page, page_of
from .tables import caar_table, events_table
from .window_reach import lacking

if TYPE_CHECKING:
    import pandas as pd

    from ...calendars.window import Window
    from ...fitting.config import StudyConfig
    from ...fitting.fitted import FittedStudy

SCHEMA = "eventstudy-results/2"
# Tables that the document holds elsewhere, or that are too long for it.
_APART = {
    "tests", "tests_by_group", "car", "caar", "caar_by_group", "choosing", "choosing_by_group",
    "abnormal_returns", "placebo_draws", "placebo_draws_by_group",
}  # fmt: skip


@in_its_words
def document_of(
    results: FittedStudy,
    *,
    config: StudyConfig,
    name: str,
    groups: Mapping[str, FittedStudy],
    provenance: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """Return the document of ``results.json``; equal inputs give an equal document.

    A missing number is None: rows of tests and of CARs say why in ``reason``. Infinite numbers are
    the strings ``inf`` and ``-inf``. The form is ``eventstudy/data/results.schema.json``.
    """
    page = page_of(results, config, groups, tables)
    shown = listed(results, config.main)
    car = tables["car"]
    document: dict[str, Any] = _plain({
        "schema": SCHEMA,
        "name": name,
        "config": config.to_dict(),
        "measure": results.panel.measure,
        "model": {k: getattr(results.model, k) for k in ("label", "formula", "source")},
        "engine": results.engine,
        "main": [config.main.start, config.main.stop],
        "n_events": len(results.events),
        "n_used": len(results),
        "notices": list(results.panel.notices),
        "group_column": group_column(results, config.by),
        "answer": answers(groups, results, config.main),
        "text": prose(page),
        "samples": [_sample(part, group, page) for group, part in _samples(page)],
        "tests": _rows(tables["tests"]),
        "groups": _by_group(tables),
        "diagnosis": diagnose(results, config.main).to_dict(),
        "group_diagnoses": {g: diagnose(part, config.main).to_dict() for g, part in groups.items()},
        "car": _rows(car.assign(reason=_reasons(shown, config.tested))),
        "events": _rows(events_table(shown)),
        "tables": {n: _rows(table) for n, table in tables.items() if n not in _APART},
        "provenance": {k: v for k, v in provenance.items() if k != "notices"},
    })  # fmt: skip
    return document


def as_json(document: Mapping[str, Any]) -> str:
    """Return the text of ``results.json``."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _samples(page: Page) -> list[tuple[str, FittedStudy]]:
    """Return the groups, that of the answer first, and all events together, which have the name
    ""."""
    return [*page.groups.items(), ("", page.results)]


def _sample(results: FittedStudy, group: str, page: Page) -> dict[str, Any]:
    """Return what holds of one group: mean CARs, and which tests count over which window."""
    tested = page.config.tested if len(results) else ()
    means = _rows(caar_table(results, tested)) if tested else []
    unjudged = dict.fromkeys(page.tables["tests"]["test"], False)
    for window, row in zip(tested, means, strict=True):
        found = diagnose(results, window)
        judged = {v.test: v.trust != NOT_VALID for v in found.opinions}
        row["not_valid"] = [name for name in judged | unjudged if not judged.get(name)]
    shown = shown_tests(results, page.main, page.config.tests) if len(results) else []
    return {"group": group, "n_events": len(results), "shown": shown, "windows": means}


def _reasons(results: FittedStudy, windows: Iterable[Window]) -> list[str]:
    """Return why each row of the table of CARs has none, "" where it has one."""
    out = []
    for window in windows:
        lost = iter(lacking(results, window))
        out += [
            next(lost).said if none else "" for none in ~results.abnormal.valid(window)[results.ok]
        ]
    return out


def _by_group(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[dict[str, Any]]]:
    """Return the tests of each group, without the column that names it."""
    table = tables.get("tests_by_group")
    if table is None:
        return {}
    column = table.columns[0]
    return {
        str(g): _rows(part.drop(columns=column)) for g, part in table.groupby(column, sort=False)
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    """Return a JSON value: NaN and NaT become None, dates ISO text, numpy numbers Python's."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, (str, bool)):
        return value
    if hasattr(value, "strftime"):
        return None if value != value else value.strftime("%Y-%m-%d")
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and not math.isfinite(number):
        return None if math.isnan(number) else str(number)
    return number
