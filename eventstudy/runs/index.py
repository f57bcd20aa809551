"""The page over all runs of a folder, so that the folder of a scheduled job is a small site.

The row of a run is made from its results, or else its manifest; neither is trusted.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from ..analysis.answer import NO_RESULT
from ..errors import EventStudyError
from ..findings.document import from_document
from ..findings.finished_run import RESULTS
from ..fitting.config import StudyConfig
from ..report.figures.svg_canvas import Panel, Scale, picture
from ..report.formats.templating import environment, style
from ..report.sections.methods import settings_text
from ..significance import STATISTICS
from ..utility.atomic_file import replacing
from ..utility.catalogue import say
from ..utility.csv_text import unquoted
from ..utility.log import note
from ..utility.numbers import MISSING, clipped, date_prose, day, pvalue, signed
from ..utility.typing import FloatArray
from ..utility.units import WORDS, Words
from .atomic_swap import locked
from .origin import NAMING_FILES
from .record import FAMILY, MANIFEST, answers

INDEX = "index.html"
# Stands near the beginning of every index that this module wrote; another file is left alone.
MARK = 'content="eventstudy index"'
FAILED = ".failed.json"
# Bytes of a document, rows of a table, and letters of a headline, that are read at most.
LARGEST, MOST_ROWS, LONGEST = 20_000_000, 100_000, 1200
# Other groups that have a line.
MOST_GROUPS = 5
NEVER = datetime(1, 1, 1, tzinfo=UTC)
# Settings that say where prices are or what a run shows, and nothing of its numbers.
_SILENT = ("prices", "event_pages", "figures", "title")
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
    written : datetime
    trouble : str
        When and why the run could not be brought up to date; "" if it could.
    path : (m, 4) FloatArray
        Event day, CAAR and the ends of its interval; no row where there is no path.
    several : bool
        Whether it is a mean of several events.
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
    trouble: str
    path: FloatArray
    several: bool

    @property
    def when(self) -> str:
        """When the run was written."""
        return MISSING if self.written == NEVER else _moment(self.written)


def write_index(out: Path) -> Path | None:
    """Write ``out/index.html`` over all runs in `out`, the newest first, and return its path.

    Folders that are no runs, or whose manifest cannot be read, are named below the table. The file
    is put in its place in one step, and one process at a time looks and writes: the last one has
    seen all runs. None if there is an ``index.html`` that is not ours: it is left alone.

    Raises
    ------
    OSError
        If the folder cannot be read or written.
    RunBusyError
        If another process writes the index for very long.
    """
    target = out / INDEX
    if target.exists() and MARK not in target.read_text(encoding="utf-8", errors="replace")[:4000]:
        return None
    with locked(target):
        text = render_index(out)
        with replacing(target) as file:
            # A name may have characters that UTF-8 cannot encode: they become ``?``.
            file.write_text(text, encoding="utf-8", errors="replace", newline="\n")
            file.chmod(0o644)
    return target


def render_index(out: Path) -> str:
    """Return the page over the runs in `out`; equal folders give equal bytes."""
    runs, foreign = [], []
    for folder in sorted(p for p in out.iterdir() if p.is_dir() and not p.name.startswith(".")):
        try:
            runs.append(run_of(folder))
        except (OSError, ValueError, ArithmeticError, RecursionError) as error:
            foreign.append((clipped(folder.name, 100), _why(error)))
    rows = sorted(runs, key=lambda run: (-run.written.timestamp(), run.name))
    reach = _reaches(rows)
    context = {
        "folder": clipped(out.resolve().name, 100),
        "runs": [(run, _spark(run, reach)) for run in rows],
        "others": foreign,
        "note": _note(rows, reach),
    }
    template = environment().get_template("index.html.j2")
    return template.render(context, **style("report.css", "pages.css")) + "\n"


def show(out: Path) -> None:
    """Write the index after a run was written; what happens to it is never an error of the run."""
    with _aside():
        write_index(out)


def show_end(out: Path, name: str, trouble: str) -> None:
    """Show in the index whether a run could be brought up to date.

    A failure is shown only if the run exists: a mistyped name leaves no trace.

    Parameters
    ----------
    out : Path
        Folder of the runs.
    name : str
        Name of the run.
    trouble : str
        Why it could not be brought up to date; "" if it could.
    """
    with _aside():
        file = out / f".{name}{FAILED}"
        if trouble and (out / name / MANIFEST).is_file():
            at = datetime.now(UTC).isoformat(timespec="seconds")
            failure = {"name": name, "at": at, "error": trouble[:2000]}
            file.write_text(json.dumps(failure) + "\n", encoding="utf-8")
            show(out)
        elif file.exists():
            file.unlink()
            show(out)


@contextmanager
def _aside() -> Iterator[None]:
    """Log what goes wrong inside, and go on: a folder may hold anything, and the run is written."""
    try:
        yield
    except Exception as error:
        note("index_not_written", "warning", text=f"{type(error).__name__}: {error}")


def _spark(run: Run, reach: Mapping[str, float]) -> Markup | str:
    """Return the path as a small picture; a mean of several on the scale of its measure."""
    days, caar, low, high = run.path.T
    if len(days) < 2 or np.ptp(days) == 0:
        return ""
    height = (reach[run.measure] if run.several else _reach(run)) or 0.01
    panel = Panel(Scale(days.min(), days.max(), 3, 147), Scale(-height, height, 45, 3))
    name = f"{run.name}: CAAR from day {day(int(days[0]))} to {day(int(days[-1]))}"
    zero = panel.post(0, "z") if days[0] <= 0 <= days[-1] else ""
    last = np.where(np.arange(len(days)) == len(days) - 1, caar, np.nan)
    elements = (
        panel.band(days, low, high, "band"), panel.rule(0, "g"), zero, panel.line(days, caar, "b"),
        panel.dots(days, last, "b dot"),
    )  # fmt: skip
    return Markup(picture(150, 48, elements, title=name, desc="Line with band.", kind="spark"))  # noqa: S704


def _reach(run: Run) -> float:
    """Return the largest distance of the path or its band from zero."""
    return float(np.nanmax(np.abs(run.path[:, 1:]), initial=0.0))


def _reaches(runs: list[Run]) -> dict[str, float]:
    """Return, by measure, the largest distance from zero of the paths that are means."""
    rows: dict[str, float] = {}
    for run in runs:
        if run.several and run.path.size:
            rows[run.measure] = max(rows.get(run.measure, 0.0), _reach(run))
    return rows


def _note(runs: list[Run], reach: Mapping[str, float]) -> str:
    """Return what the small paths show, and which scale those of each measure share."""
    drawn = [run for run in runs if run.path.size]
    scales = {name: WORDS[name].within(largest) for name, largest in reach.items() if largest}
    notes = [say("index.paths")] * bool(drawn)
    if len(scales) == 1:
        notes += [say("index.one_scale", scale=scale) for scale in scales.values()]
    elif scales:
        each = [f"{WORDS[name].what or 'returns'} {scale}" for name, scale in scales.items()]
        notes.append(say("index.scales", scales=each))
    notes += [say("index.single")] * any(not run.several for run in drawn)
    return " ".join(notes)


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no run: it has no {MANIFEST}"
    if isinstance(error, json.JSONDecodeError | UnicodeError | RecursionError):
        return "its manifest cannot be read: it is damaged"
    return clipped(error.strerror if isinstance(error, OSError) else error, 200)


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
    listed = manifest.get("answers")
    entries: Sequence[Mapping[str, Any]] = (
        [a for a in listed if isinstance(a, Mapping)] if isinstance(listed, list) else []
    )
    with suppress(*DAMAGED):
        # No row needs the events and the tables.
        document = {**_read(folder / RESULTS), "events": [], "tables": {}}
        entries = answers(from_document(document, str(folder / RESULTS))) or entries
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
        trouble=trouble,
        path=_path(folder, str(first.get("group") or "")),
        several=_count(first.get("n_events")) > 1,
    )


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
    try:
        failure = _read(folder.with_name(f".{folder.name}{FAILED}"))
    except (OSError, ValueError):
        return ""
    at, error = _time(failure.get("at")), clipped(failure.get("error"), 400)
    return f"{_moment(at)}: {error}" if at >= written else ""


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
