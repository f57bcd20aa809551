"""What the index says of one run, from its manifest and its tables; nothing in them is trusted."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ..analysis.answer import NO_RESULT
from ..fitting.config import StudyConfig
from ..report.content.answer import Sentence
from ..report.html.methods import settings_text
from ..significance import STATISTICS
from ..utility.csv_text import unquoted
from ..utility.numbers import MISSING, clipped, count, date_prose, pvalue, signed
from ..utility.typing import FloatArray
from ..utility.units import WORDS
from .origin import NAMING_FILES

MANIFEST, SCHEMA = "manifest.json", "eventstudy-run/"
FAILED = ".failed.json"
# Bytes of a manifest, and rows of a table, that are read at most.
LARGEST, MOST_ROWS = 20_000_000, 100_000
# Other groups that are told of.
MOST_GROUPS = 5
NEVER = datetime(1, 1, 1, tzinfo=UTC)
# Settings that say where prices are or what a run shows, and nothing of its numbers.
_SILENT = ("prices", "event_pages", "interactive")
PATH = ("tau", "caar", "caar_low", "caar_high")
FOREIGN = "its manifest is not one of a study"


@dataclass(frozen=True, eq=False)
class Run:
    """One row of the index; texts are as in the manifest, not yet escaped.

    Attributes
    ----------
    name, href, about : str
        Name of the folder, address of its report ("" if it has none), and what its events are.
    measure : str
        What is studied; one that is not known counts as returns.
    answer : Sentence
    setup : str
        Model, estimation window, and the settings that are not as by default.
    others : tuple of str
        How many events are not in the answer, and the answers of the other groups, in short.
    effect, pvalue, test, used, status : str
        What is missing is a dash; `test` is the one that `pvalue` is of.
    trouble : str
        When and why the run could not be brought up to date; "" if it could.
    faulty : bool
        Whether the status says that something went wrong.
    written : datetime
    path : (m, 4) FloatArray
        Event day, CAAR and the ends of its interval; no row where there is no path.
    several : bool
        Whether it is a mean of several events.
    """

    name: str
    href: str
    about: str
    measure: str
    answer: Sentence
    setup: str
    others: tuple[str, ...]
    effect: str
    pvalue: str
    test: str
    used: str
    status: str
    faulty: bool
    written: datetime
    trouble: str
    path: FloatArray
    several: bool

    @property
    def when(self) -> str:
        """When the run was written."""
        return (
            MISSING
            if self.written == NEVER
            else f"{date_prose(self.written.date())}, {self.written:%H:%M} UTC"
        )


def run_of(folder: Path) -> Run:
    """Return the row of one run.

    Raises
    ------
    OSError, ValueError
        If the folder has no manifest of ours that can be read.
    """
    told = _read(folder / MANIFEST)
    if not str(told.get("schema", "")).startswith(SCHEMA):
        raise ValueError(FOREIGN)
    answers = [a for a in _list(told.get("answers")) if isinstance(a, Mapping)]
    first, events = (answers[0] if answers else {}), _mapping(told.get("events"))
    used, dropped = (_count(events.get(name)) for name in ("ok", "dropped"))
    config = _mapping(told.get("config"))
    measure = str(config.get("measure"))
    measure = measure if measure in WORDS else "return"
    scale, unit = WORDS[measure].scale, WORDS[measure].unit
    run = Run(
        name=folder.name,
        href=f"{quote(folder.name)}/report.html" if (folder / "report.html").is_file() else "",
        about=_about(first, events),
        measure=measure,
        answer=_answer(first),
        setup=_setup(config, measure),
        others=(*_lacking(first), *_others(answers[1:], scale, unit)),
        effect=_shown(first.get("estimate"), scale, unit),
        pvalue=pvalue(_number(first.get("pvalue"))),
        test=_label(first) if np.isfinite(_number(first.get("pvalue"))) else "",
        used=f"{used:,} of {used + dropped:,}" if events else MISSING,
        status=_status(folder, events, first),
        trouble="",
        faulty=not (folder / "report.html").is_file(),
        written=_time(told.get("written_at")),
        path=_path(folder, str(first.get("group") or "")),
        several=_count(first.get("n_events")) > 1,
    )  # fmt: skip
    trouble = _trouble(folder, run.written)
    return replace(run, status="last run failed", trouble=trouble, faulty=True) if trouble else run


def _trouble(folder: Path, written: datetime) -> str:
    """Return when and why the run could not be brought up to date since it was `written`; else
    ""."""
    try:
        told = _read(folder.with_name(f".{folder.name}{FAILED}"))
    except (OSError, ValueError):
        return ""
    at = _time(told.get("at"))
    error = clipped(told.get("error"), 400)
    return f"{date_prose(at.date())}, {at:%H:%M} UTC: {error}" if at >= written else ""


def _about(first: Mapping[str, Any], events: Mapping[str, Any]) -> str:
    group, source = clipped(first.get("group") or "", 60), clipped(events.get("source") or "", 80)
    return ", ".join(filter(None, (source, f"first: {group}" if group else "")))


def _answer(first: Mapping[str, Any]) -> Sentence:
    """Return the headline with its verdict emphasised."""
    text = str(first.get("text") or "")[:1200]
    if not text:
        return Sentence((("Written by an earlier version: its headline is in its report.", False),))
    head = str(first.get("headline") or "")[:1200]
    parts = (
        ((head, True), (text.removeprefix(head), False))
        if text.startswith(head)
        else ((text, False),)
    )
    return Sentence(tuple((part, strong) for part, strong in parts if part))


def _lacking(first: Mapping[str, Any]) -> list[str]:
    """Return how many events have no CAR, if there are any; which and why is in the report."""
    text = first.get("lacking")
    if not isinstance(text, str) or not text:
        return []
    counted = re.match(r"[\d,]+ of [\d,]+ usable events?", text)
    return [f"{counted[0]} without a CAR" if counted else clipped(text, 120)]


def _setup(config: Mapping[str, Any], measure: str) -> str:
    """Return model, estimation window and what else is not as by default; files by their names."""
    if not config:
        return ""
    usual = StudyConfig().to_dict()
    model = config.get("model") or StudyConfig().with_options({"measure": measure}).normal_model
    said = {"model": model, "estimation": config.get("estimation", usual["estimation"])}
    other = {k: v for k, v in usual.items() if k not in {*said, *_SILENT} and config.get(k, v) != v}
    said |= {name: _short_setting(name, config[name]) for name in other}
    return clipped(settings_text(said), 160)


def _short_setting(name: str, value: object) -> object:
    if name not in NAMING_FILES:
        return value
    return [Path(str(file)).name for file in (value if isinstance(value, list) else [value])]


def _others(answers: list[Mapping[str, Any]], scale: float, unit: str) -> list[str]:
    """Return the answers of the other groups in short, and how many are left out."""
    left = len(answers) - MOST_GROUPS
    shown = [_short(a, scale, unit) for a in answers[:MOST_GROUPS]]
    return shown + [f"{count(left, 'more group')} in its report"] * (left > 0)


def _short(answer: Mapping[str, Any], scale: float, unit: str) -> str:
    """Return the answer of one more group: ``relief: −0.15%, BMP-KP p 0.820, 14 events``."""
    effect = _shown(answer.get("estimate"), scale, unit)
    p = f"{_label(answer)} p {pvalue(_number(answer.get('pvalue')))}".lstrip()
    n = count(_count(answer.get("n_events")), "event")
    return f"{clipped(answer.get('group'), 60)}: {effect}, {p}, {n}"


def _label(answer: Mapping[str, Any]) -> str:
    """Return what the test of an answer is called; "" for a test that is not known."""
    name = str(answer.get("test"))
    return STATISTICS[name].label if name in STATISTICS else ""


def _status(folder: Path, events: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    if not (folder / "report.html").is_file():
        return "its report is missing"
    if str(first.get("verdict")).replace(" ", "_") == NO_RESULT:
        return "no result"
    waiting = _count(events.get("provisional"))
    return f"provisional: {count(waiting, 'window')} open" if waiting else "complete"


def _path(folder: Path, group: str) -> FloatArray:
    """Return event day, CAAR and the ends of its interval from the tables of a run, if it has
    them."""
    name = "path_by_group.csv" if group else "path.csv"
    points: list[list[float]] = []
    with (
        contextlib.suppress(OSError, ValueError, KeyError, TypeError, csv.Error),
        (folder / "tables" / name).open(encoding="utf-8", newline="") as file,
    ):
        rows = islice(csv.DictReader(file), MOST_ROWS)
        own = (row for row in rows if not group or unquoted(next(iter(row.values()))) == group)
        points += [[float(row[column] or "nan") for column in PATH] for row in own]
    found = np.array(points, dtype=float).reshape(-1, len(PATH))
    known: FloatArray = found[np.isfinite(found[:, :2]).all(axis=1)]
    return known


def _read(path: Path) -> Mapping[str, Any]:
    if path.stat().st_size > LARGEST:
        raise ValueError("its manifest is too large")
    found = json.loads(path.read_text(encoding="utf-8"))
    json.dumps(
        found, ensure_ascii=False
    ).encode()  # raises for half a letter, which no page can have
    if not isinstance(found, Mapping):
        raise ValueError(FOREIGN)
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.nan


def _count(value: object) -> int:
    found = _number(value)
    return int(found) if np.isfinite(found) else 0


def _shown(value: object, scale: float, unit: str) -> str:
    text = signed(scale * _number(value))
    return text if text == MISSING else text + unit


def _time(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return NEVER
