"""What a folder of runs says of each: a row of the index, made from its results, or its manifest.

Neither is trusted.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ..analysis.answer import NO_RESULT
from ..errors import EventStudyError
from ..findings.document import from_document
from ..findings.finished_run import RESULTS
from ..findings.types import SCHEMA, Findings
from ..fitting.config import StudyConfig
from ..report.sections.methods import settings_text
from ..significance import STATISTICS
from ..utility.catalogue import say
from ..utility.csv_text import unquoted
from ..utility.numbers import MISSING, clipped, date_prose, pvalue, signed
from ..utility.typing import FloatArray
from ..utility.units import WORDS, Words
from .manifest import FAMILY, MANIFEST
from .origin import NAMING_FILES
from .outbox import waiting
from .record import answers

# Files beside a run: how its last refresh failed, and when the last one found it up to date.
FAILED, CHECKED = ".failed.json", ".checked.json"
# Bytes of a document, rows of a table, and letters of a headline, that are read at most.
LARGEST, MOST_ROWS, LONGEST = 20_000_000, 100_000, 1200
# Other groups that have a line.
MOST_GROUPS = 5
NEVER = datetime(1, 1, 1, tzinfo=UTC)
# Settings that say what a run shows, and those that say where prices are, and nothing of its
# numbers.
SHOWING = ("event_pages", "figures", "title")
_SILENT = ("prices", *SHOWING)
PATH = ("tau", "caar", "caar_low", "caar_high")
FOREIGN = "its manifest is not one of a study"
# What a document that is not one of ours can raise; a value that is none of its type is one.
DAMAGED = (
    EventStudyError, OSError, ValueError, ArithmeticError, RecursionError, LookupError, TypeError,
    AttributeError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Run:
    """One row of the index; texts are not yet escaped.

    Attributes
    ----------
    name, href, about : str
        Name of the folder, address of its report ("" if it has none), and what its events are.
    measure : str
        What is studied; one that is not known counts as returns.
    headline, answer : str
        The verdict, and the sentence that follows it.
    setup : str
        Model, estimation window, and the settings that are not as by default.
    others : tuple of str
        How many events are not in the answer, and the answers of the other groups, in short.
    effect, pvalue, test, used, status : str
        What is missing is a dash; `test` is the one that `pvalue` is of.
    faulty : bool
        Whether the status says that something went wrong.
    written, checked : datetime
        When it was written, and when a refresh last found it up to date, or wrote it.
    data_to : str
        Day of its newest price, ISO; "" where it has none.
    waiting : int
        Changes that wait for the command of ``--on-change``.
    trouble : str
        When and why the run could not be brought up to date; "" if it could.
    path : (m, 4) FloatArray
        Event day, CAAR and the ends of its interval; no row where there is no path.
    several : bool
        Whether it is a mean of several events.
    study : mapping
        What tells it from other runs of events of the same name: its settings, and which file of
        events it was.
    """

    name: str
    href: str
    about: str
    measure: str
    headline: str
    answer: str
    setup: str
    others: tuple[str, ...]
    effect: str
    pvalue: str
    test: str
    used: str
    status: str
    faulty: bool
    written: datetime
    checked: datetime
    data_to: str
    waiting: int
    trouble: str
    path: FloatArray
    several: bool
    study: Mapping[str, Any]

    @property
    def when(self) -> str:
        """When it was written, when it was last checked, and the day of its newest price."""
        times = [MISSING if self.written == NEVER else _moment(self.written)]
        if self.checked > self.written:
            times.append(say("index.checked", at=_moment(self.checked)))
        if self.data_to:
            times.append(say("index.data_to", day=self.data_to))
        return "; ".join(times)


def run_of(folder: Path) -> Run:
    """Return the row of one run.

    Raises
    ------
    OSError, ValueError
        If the folder has no manifest of ours that can be read.
    """
    manifest = _read(folder / MANIFEST)
    if not str(manifest.get("schema", "")).startswith(FAMILY):
        raise ValueError(FOREIGN)
    config, events = _mapping(manifest.get("config")), _mapping(manifest.get("events"))
    measure = str(config.get("measure"))
    measure = measure if measure in WORDS else "return"
    entries = _answers(folder, manifest)
    first, is_there = (entries[0] if entries else {}), (folder / "report.html").is_file()
    used, dropped = (_count(events.get(name)) for name in ("ok", "dropped"))
    words, written = WORDS[measure], _time(manifest.get("written_at"))
    trouble, p = _trouble(folder, written), _number(first.get("pvalue"))
    return Run(
        name=folder.name,
        href=f"{quote(folder.name)}/report.html" if is_there else "",
        about=_about(first, events),
        measure=measure,
        headline=str(first.get("headline") or "")[:LONGEST],
        answer=_answer(first),
        setup=_setup(config, measure),
        others=(*_lacking(first), *_others(entries[1:], words)),
        effect=_effect(first.get("estimate"), words),
        pvalue=pvalue(p),
        test=_label(first) if np.isfinite(p) else "",
        used=f"{used:,} of {used + dropped:,}" if events else MISSING,
        status=say("index.failed") if trouble else _status(events, first, is_there=is_there),
        faulty=bool(trouble) or not is_there,
        written=written,
        checked=max(written, _time(_beside(folder, CHECKED).get("at"))),
        data_to=_last_day(_mapping(manifest.get("prices"))),
        waiting=sum(map(bool, waiting(folder).values())),
        trouble=trouble,
        path=_path(folder, str(first.get("group") or "")),
        several=_count(first.get("n_events")) > 1,
        study=_study(folder.name, config, events),
    )


def _answers(folder: Path, manifest: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the answers of a run, in the words of now where its results can be read."""
    listed = manifest.get("answers")
    with suppress(*DAMAGED):
        # No row needs the events and the tables.
        document = {**_read(folder / RESULTS), "events": [], "tables": {}}
        findings = from_document(Findings, SCHEMA, document, str(folder / RESULTS))
        if entries := answers(findings):
            return entries
    return [a for a in listed if isinstance(a, Mapping)] if isinstance(listed, list) else []


def _path(folder: Path, group: str) -> FloatArray:
    """Return event day, CAAR and the ends of its interval by the tables of a run, shape (n, 4)."""
    name = "path_by_group.csv" if group else "path.csv"
    points: list[list[float]] = []
    with (
        suppress(OSError, ValueError, KeyError, TypeError, csv.Error),
        (folder / "tables" / name).open(encoding="utf-8", newline="") as file,
    ):
        rows = islice(csv.DictReader(file), MOST_ROWS)
        chosen = (row for row in rows if not group or unquoted(next(iter(row.values()))) == group)
        points += [[float(row[column] or "nan") for column in PATH] for row in chosen]
    path = np.array(points, dtype=float).reshape(-1, len(PATH))
    finite: FloatArray = path[np.isfinite(path[:, :2]).all(axis=1)]
    return finite


def _trouble(folder: Path, written: datetime) -> str:
    """Return when and why the last refresh since the run was `written` failed; "" if none did."""
    failure = _beside(folder, FAILED)
    at, error = _time(failure.get("at")), clipped(failure.get("error"), 400)
    return f"{_moment(at)}: {error}" if failure and at >= written else ""


def _beside(folder: Path, ending: str) -> Mapping[str, Any]:
    """Return the document of a file beside a run; an empty one if there is none."""
    try:
        return _read(folder.with_name(f".{folder.name}{ending}"))
    except (OSError, ValueError):
        return {}


def _last_day(prices: Mapping[str, Any]) -> str:
    """Return the day of the newest price in a manifest, ISO; "" for none."""
    days = [str(_mapping(entry).get("last")) for entry in prices.values()]
    return max((day for day in days if re.fullmatch(r"\d{4}-[01]\d-[0-3]\d", day)), default="")


def _moment(at: datetime) -> str:
    return f"{date_prose(at.date())}, {at:%H:%M} UTC"


def _about(first: Mapping[str, Any], events: Mapping[str, Any]) -> str:
    group, source = clipped(first.get("group") or "", 60), clipped(events.get("source") or "", 80)
    return ", ".join(filter(None, (source, say("index.first", group=group) if group else "")))


def _answer(first: Mapping[str, Any]) -> str:
    """Return what follows the headline."""
    text, headline = (str(first.get(name) or "")[:LONGEST] for name in ("text", "headline"))
    return text.removeprefix(headline) or say("index.earlier")


def _lacking(first: Mapping[str, Any]) -> list[str]:
    """Return how many events have no CAR, if there are any; which and why is in the report."""
    lost, used = (_count(first.get(name)) for name in ("n_lacking", "n_used"))
    return [say("index.lacking", n=lost, total=used)] if lost else []


def _setup(config: Mapping[str, Any], measure: str) -> str:
    """Return model, estimation window and what else is not as by default; files by their names."""
    if not config:
        return ""
    usual = StudyConfig().to_dict()
    model = config.get("model") or StudyConfig().with_options({"measure": measure}).normal_model
    shown = {"model": model, "estimation": config.get("estimation", usual["estimation"])}
    other = {
        k: v for k, v in usual.items() if k not in {*shown, *_SILENT} and config.get(k, v) != v
    }
    shown |= {name: _short_setting(name, config[name]) for name in other}
    return clipped(settings_text(shown), 160)


def _study(name: str, config: Mapping[str, Any], events: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells a study from others: all settings, and the hash of its events."""
    settings = {k: _short_setting(k, v) for k, v in config.items() if k not in SHOWING}
    source, file = str(events.get("source") or ""), str(events.get("sha256") or "")[:8]
    family = re.sub(r"-\d+$", "", name), source or name
    return {**settings, "events": source, say("index.file"): file, "family": family}


def _short_setting(name: str, value: object) -> object:
    if name not in NAMING_FILES:
        return value
    return [Path(str(file)).name for file in (value if isinstance(value, list) else [value])]


def _others(entries: Sequence[Mapping[str, Any]], words: Words) -> list[str]:
    """Return the answers of the other groups in short, and how many are left out."""
    n = len(entries) - MOST_GROUPS
    lines = []  # such as ``relief: −0.15%, BMP-KP p 0.820, 14 events``
    for entry in entries[:MOST_GROUPS]:
        p = f"{_label(entry)} p {pvalue(_number(entry.get('pvalue')))}".lstrip()
        facts = {"p": p, "effect": _effect(entry.get("estimate"), words)}
        count, group = _count(entry.get("n_events")), clipped(entry.get("group"), 60)
        lines.append(say("index.group", group=group, n=count, **facts))
    return lines + [say("index.more_groups", n=n)] * (n > 0)


def _label(entry: Mapping[str, Any]) -> str:
    """Return the label of the test of an answer; "" for a test that is not known."""
    name = str(entry.get("test"))
    return STATISTICS[name].label if name in STATISTICS else ""


def _status(events: Mapping[str, Any], first: Mapping[str, Any], *, is_there: bool) -> str:
    if not is_there:
        return say("index.no_report")
    if first.get("verdict") == NO_RESULT:
        return say("index.no_result")
    waiting = _count(events.get("provisional"))
    return say("index.provisional", n=waiting) if waiting else say("index.complete")


def _read(path: Path) -> Mapping[str, Any]:
    if path.stat().st_size > LARGEST:
        raise ValueError("its manifest is too large")
    document = json.loads(text := path.read_text(encoding="utf-8"))
    # Raises for half a letter, which no page can have.
    if "\\u" in text:
        json.dumps(document, ensure_ascii=False).encode()
    if not isinstance(document, Mapping):
        raise ValueError(FOREIGN)
    return document


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.nan


def _count(value: object) -> int:
    number = _number(value)
    return int(number) if np.isfinite(number) else 0


def _effect(value: object, words: Words) -> str:
    text = signed(words.scale * _number(value))
    return text if text == MISSING else text + words.unit


def _time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(value))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return NEVER
