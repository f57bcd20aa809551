"""What a folder of runs says of each: its row of the index, and its state for monitors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import numpy as np

from ..analysis import Answer
from ..errors import EventStudyError, RunFolderError
from ..prices import Provenance
from ..returns import Measure
from ..settings import StudyConfig
from ..significance import STATISTICS
from ..utility import FloatArray
from ..words import MISSING, clipped, say, speaking_of, words
from .manifest import MANIFEST, EventCounts, Stated
from .outbox import Outbox
from .plan import NAMING_FILES
from .record import Record
from .verify import verify_files

# Files beside a run: how its last refresh failed, and when the last one found it up to date.
FAILED, CHECKED = ".failed.json", ".checked.json"
# Letters of a headline that are read at most.
LONGEST = 1200
# Other groups that have a line.
MOST_GROUPS = 5
NEVER = datetime(1, 1, 1, tzinfo=UTC)
# Settings that say what a run shows, and where its prices are; they move no number.
SHOWING = ("event_pages", "figures", "title")
_SILENT = ("prices", *SHOWING)
# The path of the report; a measure other than returns has the mean CAR from the first day on.
PATH, OTHER_PATH = (("tau", name, f"{name}_low", f"{name}_high") for name in ("gap", "caar"))
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
        The verdict, and the sentence that follows it with the caveat.
    setup : mapping
        Model, estimation window, and the settings that are not as by default.
    others : tuple of str
        How many events are not in the answer, and the answers of the other groups, in short.
    effect, pvalue, test, used, status : str
        What is missing is a dash; `test` is the one that `pvalue` is of.
    faulty : bool
        Whether the status says that something went wrong.
    written, checked : datetime
        When it was written, and when a refresh last found it up to date, or wrote it.
    data_to, confirmed : str
        Last day on which a share and its index have prices, and on which the source had given or
        repeated all prices, ISO; "" where there is none.
    is_open : bool
        Whether new prices can change it.
    waiting : int
        Changes that wait for the command of ``--on-change``.
    trouble : str
        When and why the run could not be brought up to date; "" if it could.
    path : (m, 4) FloatArray
        Event day, effect and the ends of its interval; no row where there is no path.
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
    setup: Mapping[str, object]
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
    confirmed: str
    is_open: bool
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
    RunFolderError
        If the folder has no manifest of ours that can be read.
    """
    record = Record.read(folder)
    facts, config = record.facts, record.facts.config
    measure = str(config.get("measure"))
    measure = measure if measure in get_args(Measure) else "return"
    entries = facts.answers or (Stated("", "", "", np.nan, np.nan),)
    first = entries[0]
    is_there = (folder / "report.html").is_file()
    used, dropped = facts.events.ok, facts.events.dropped
    written = _time(facts.written_at)
    check = _beside(folder, CHECKED)
    confirmed = Provenance.confirmed_on(entry.retrieved_at for entry in facts.prices.values())
    trouble = _trouble(folder, written)
    with speaking_of(measure):
        effect = words().percent(first.estimate)
        others = tuple(_others(entries))
    return Run(
        name=folder.name,
        href=f"{quote(folder.name)}/report.html" if is_there else "",
        about=_about(first, facts.events),
        measure=measure,
        headline=first.headline[:LONGEST],
        answer=_answer(first) or say("index.earlier"),
        setup=_setup(config, measure),
        others=others,
        effect=effect,
        pvalue=words().pvalue(first.pvalue),
        test=_label(first) if np.isfinite(first.pvalue) else "",
        used=f"{used:,} of {used + dropped:,}",
        status=say("index.failed") if trouble else _status(facts.events, first, is_there=is_there),
        faulty=bool(trouble) or not is_there,
        written=written,
        checked=max(written, _time(check.get("at"))),
        data_to=facts.prices_to or max((e.last for e in facts.prices.values()), default=""),
        confirmed=max(confirmed, _day(check.get("confirmed"))),
        is_open=facts.events.open > 0,
        waiting=len(Outbox(folder).due),
        trouble=trouble,
        path=_path(record, first.group),
        several=first.n_events > 1,
        study=_study(folder.name, config, facts.events),
    )


def _answer(first: Stated) -> str:
    """Return what follows the headline, the caveat, and in how many checks the verdict holds."""
    text = first.text.removeprefix(first.headline)[:LONGEST]
    fragility = f"{first.fragility[:LONGEST]}." if first.fragility else ""
    return " ".join(filter(None, (text, first.caveat[:LONGEST], fragility)))


def _path(record: Record, group: str) -> FloatArray:
    """Return event day, effect and the ends of its interval by the tables of a run, (n, 4)."""
    path = np.empty((0, len(PATH)))
    with suppress(*DAMAGED):
        table = record.cells(f"tables/path{'_by_group' * bool(group)}.csv")
        rows = table[table.iloc[:, 0] == group] if group else table
        names = PATH if set(PATH) <= {*rows} else OTHER_PATH
        path = rows[list(names)].replace("", "nan").to_numpy(dtype=float)
    finite: FloatArray = path[np.isfinite(path[:, :2]).all(axis=1)]
    return finite


def _trouble(folder: Path, written: datetime) -> str:
    """Return when and why the last refresh since the run was `written` failed; "" if none did."""
    failure = _beside(folder, FAILED)
    at = _time(failure.get("at"))
    error = clipped(failure.get("error"), 400)
    return f"{_moment(at)}: {error}" if failure and at >= written else ""


def _beside(folder: Path, ending: str) -> Mapping[str, Any]:
    """Return the document of a file beside a run; an empty one if there is none."""
    return read_object(folder.with_name(f".{folder.name}{ending}"))


def read_object(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file; an empty one if it is damaged or not there."""
    with suppress(*DAMAGED):
        document = json.loads(path.read_text(encoding="utf-8"))
        return document if isinstance(document, dict) else {}
    return {}


def _moment(at: datetime) -> str:
    return f"{words().date(at.date())}, {at:%H:%M} UTC"


def _about(first: Stated, events: EventCounts) -> str:
    group = clipped(first.group, 60)
    source = clipped(events.source, 80)
    lead = say("index.first", group=group, n=first.n_events) if group else ""
    return ", ".join(filter(None, (source, lead)))


def _setup(config: Mapping[str, Any], measure: str) -> dict[str, object]:
    """Return model, estimation window and what else is not as by default; files by their names."""
    if not config:
        return {}
    usual = StudyConfig().to_dict()
    model = config.get("model") or StudyConfig().with_options({"measure": measure}).normal_model
    shown = {"model": model, "estimation": config.get("estimation", usual["estimation"])}
    hidden = {*shown, *_SILENT}
    other = [k for k, v in usual.items() if k not in hidden and config.get(k, v) != v]
    shown |= {name: _short_setting(name, config[name]) for name in other}
    return shown


def _study(name: str, config: Mapping[str, Any], events: EventCounts) -> dict[str, Any]:
    """Return what tells a study from others: all settings, and the hash of its events."""
    settings = {k: _short_setting(k, v) for k, v in config.items() if k not in SHOWING}
    family = re.sub(r"-\d+$", "", name), events.source or name
    file = {"events": events.source, say("index.file"): events.sha256[:8]}
    return {**settings, **file, "family": family}


def _short_setting(name: str, value: object) -> object:
    if name not in NAMING_FILES:
        return value
    return [Path(str(file)).name for file in (value if isinstance(value, list) else [value])]


def _others(entries: Sequence[Stated]) -> Iterator[str]:
    """Yield how many events have no CAR, if any; the other answers in short; how many are left."""
    first, *further = entries
    if first.n_lacking:
        yield say("index.lacking", n=first.n_lacking, total=first.n_used)
    for entry in further[:MOST_GROUPS]:  # such as ``relief: −0.15%, BMP-KP p 0.820, 14 events``
        p = f"{_label(entry)} p {words().pvalue(entry.pvalue)}".lstrip()
        facts = {"p": p, "effect": words().percent(entry.estimate), "n": entry.n_events}
        yield say("index.group", group=clipped(entry.group, 60), **facts)
    if len(further) > MOST_GROUPS:
        yield say("index.more_groups", n=len(further) - MOST_GROUPS)


def _label(entry: Stated) -> str:
    """Return the label of the test of an answer; "" for a test that is not known."""
    return STATISTICS[entry.test].label if entry.test in STATISTICS else ""


def _status(events: EventCounts, first: Stated, *, is_there: bool) -> str:
    if not is_there:
        return say("index.no_report")
    if first.verdict == Answer.NO_RESULT:
        return say("index.no_result")
    if first.verdict == Answer.PROVISIONAL:
        return say("index.provisional")
    n = events.provisional
    return say("terminal.open_windows", n=n) if n else say("index.complete")


def _time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(value))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return NEVER


def _day(value: object) -> str:
    """Return an ISO date; "" for anything else."""
    return str(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) else ""


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of one run.

    Attributes
    ----------
    run : str
    state : str
        ``good``, or the first that applies of ``unreadable``, ``damaged`` (files are missing or not
        as they were written), ``failed`` (the last refresh), ``undelivered`` (changes wait for the
        command of ``--on-change``) and ``stale``.
    written, checked : str
        ISO 8601, UTC; "" where unknown.
    data_to, confirmed : str
        Last day on which a share and its index have prices, and on which the source had given or
        repeated all prices.
    why : str
    """

    run: str
    state: str
    written: str = ""
    checked: str = ""
    data_to: str = ""
    confirmed: str = ""
    why: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.state == "good"


def list_states(
    out: Path, max_age: timedelta | None = None, data_age: timedelta | None = None
) -> list[RunState]:
    """Return the state of each run of a folder, by name.

    Parameters
    ----------
    out : Path
        Folder of runs, or one run.
    max_age : timedelta, optional
        A run whose last check is longer ago is stale.
    data_age : timedelta, optional
        So is one that new prices can change, and whose newest price is older.

    Raises
    ------
    RunFolderError
        If there is no run.

    Examples
    --------
    >>> import eventstudy as es
    >>> news = {"ticker": ["AMD"], "announced_at": ["2022-10-07"]}
    >>> import pandas as pd
    >>> results = es.run_study(pd.DataFrame(news), es.StudyConfig(prices="sample"))
    >>> run = results.save("watched", "amd")
    >>> [(state.run, state.state, state.data_to) for state in list_states(run.parent)]
    [('amd', 'good', '2022-12-28')]
    """
    folders = [out]
    if not (out / MANIFEST).exists():
        folders = [path for path in (*sorted(out.glob("[!.]*/")), out) if _was_run(path)]
    states = [_state(folder.absolute(), max_age, data_age) for folder in folders]
    if not states:
        raise RunFolderError("there is no run", where=str(out), remedy="name a folder of runs")
    return states


def _was_run(folder: Path) -> bool:
    """Return whether a folder is a run, or the rest of one; a kept case is none."""
    names = (MANIFEST, "report.html", "results.json", "tables")
    return any((folder / name).exists() for name in names) and not (folder / "case.json").exists()


def _state(folder: Path, max_age: timedelta | None, data_age: timedelta | None) -> RunState:
    try:
        run = run_of(folder)
        files = verify_files(Record.read(folder))
    except DAMAGED as error:
        return RunState(folder.name, "unreadable", why=str(error)[:200])
    times = run.written.isoformat(), run.checked.isoformat()
    now = datetime.now(UTC)
    aged = []
    if max_age is not None and now - run.checked > max_age:
        aged.append(say("index.unchecked"))
    if data_age is not None and run.is_open and run.data_to < f"{now - data_age:%Y-%m-%d}":
        aged.append(say("index.old_prices"))
    altered = words().some([*files.missing, *files.changed])
    troubles = {
        "damaged": bool(altered), "failed": run.faulty, "undelivered": run.waiting > 0,
        "stale": bool(aged),
    }  # fmt: skip
    state = next((code for code, holds in troubles.items() if holds), "good")
    why = say("status.altered", files=altered) if altered else run.trouble or ", ".join(aged)
    return RunState(run.name, state, *times, run.data_to, run.confirmed, why)
