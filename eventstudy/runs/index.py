"""The page over all runs of a folder, so that the folder of a scheduled job is a small site."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from markupsafe import Markup

from ..report.figures.svg_canvas import Panel, Scale, picture
from ..report.html.templating import environment, style
from ..utility.log import note
from ..utility.numbers import clipped, day, listed
from ..utility.units import WORDS
from .index_row import FAILED, MANIFEST, Run, run_of

INDEX = "index.html"
# Stands near the beginning of every index that this module wrote; another file is left alone.
MARK = 'content="eventstudy index"'


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
    from .lock import locked

    target = out / INDEX
    if target.exists() and MARK not in target.read_text(encoding="utf-8", errors="replace")[:4000]:
        return None
    with locked(target):
        _replace(target, render_index(out))
    return target


def _replace(target: Path, text: str) -> None:
    """Put a page in its place in one step; what is no letter (of the name of a folder) becomes
    ``?``."""
    handle, name = tempfile.mkstemp(prefix=".index-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def render_index(out: Path) -> str:
    """Return the page over the runs in `out`; equal folders give equal bytes."""
    runs, others = [], []
    for folder in sorted(p for p in out.iterdir() if p.is_dir() and not p.name.startswith(".")):
        try:
            runs.append(run_of(folder))
        except (OSError, ValueError, ArithmeticError, RecursionError) as error:
            others.append((clipped(folder.name, 100), _why(error)))
    found = sorted(runs, key=lambda run: (-run.written.timestamp(), run.name))
    reach = _reaches(found)
    context = {
        "folder": clipped(out.resolve().name, 100),
        "runs": [(run, _spark(run, reach)) for run in found],
        "others": others,
        "note": _note(found, reach),
    }
    return (
        environment()
        .get_template("index.html.j2")
        .render(context, **style("report.css", "pages.css"))
        + "\n"
    )


def show(out: Path) -> None:
    """Write the index after a run was written; what happens to it is never an error of the run."""
    with _aside():
        write_index(out)


def show_end(out: Path, name: str, trouble: str) -> None:
    """Show in the index that a run could not be brought up to date, or ("") that it could.

    A run that was never there is not missed: whoever mistyped a name has been told.
    """
    with _aside():
        file = _note_file(out, name)
        if trouble and (out / name / MANIFEST).is_file():
            told = {
                "name": name,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "error": trouble[:2000],
            }
            file.write_text(json.dumps(told) + "\n", encoding="utf-8")
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


def _note_file(out: Path, name: str) -> Path:
    return out / f".{name}{FAILED}"


def _spark(run: Run, reach: Mapping[str, float]) -> Markup | str:
    """Return the path as a small picture; a mean of several on the scale of its measure."""
    days, caar, low, high = run.path.T
    if len(days) < 2 or np.ptp(days) == 0:
        return ""
    own = (reach[run.measure] if run.several else _reach(run)) or 0.01
    panel = Panel(Scale(days.min(), days.max(), 3, 147), Scale(-own, own, 45, 3))
    name = f"{run.name}: CAAR from day {day(int(days[0]))} to {day(int(days[-1]))}"
    zero = panel.post(0, "z") if days[0] <= 0 <= days[-1] else ""
    last = np.where(np.arange(len(days)) == len(days) - 1, caar, np.nan)
    parts = (
        panel.band(days, low, high, "band"), panel.rule(0, "g"), zero, panel.line(days, caar, "b"),
        panel.dots(days, last, "b dot"),
    )  # fmt: skip
    return Markup(picture(150, 48, parts, title=name, desc="Line with band.", kind="spark"))  # noqa: S704


def _reach(run: Run) -> float:
    """Return the largest distance of the path or its band from zero."""
    return float(np.nanmax(np.abs(run.path[:, 1:]), initial=0.0))


def _reaches(runs: list[Run]) -> dict[str, float]:
    """Return, by measure, the largest distance from zero of the paths that are means."""
    found: dict[str, float] = {}
    for run in runs:
        if run.several and run.path.size:
            found[run.measure] = max(found.get(run.measure, 0.0), _reach(run))
    return found


def _note(runs: list[Run], reach: Mapping[str, float]) -> str:
    """Say what the small paths show."""
    if not any(run.path.size for run in runs):
        return ""
    alone = (
        " A path of one event has a scale of its own."
        if any(r.path.size and not r.several for r in runs)
        else ""
    )
    return (
        f"Paths: CAAR by event day with its 95% band; upright line: day 0.{_scales(reach)}{alone}"
    )


def _scales(reach: Mapping[str, float]) -> str:
    """Say which scale the paths of each measure share."""
    said = [
        (WORDS[name].what or "returns", WORDS[name].within(most))
        for name, most in reach.items()
        if most
    ]
    if len(said) < 2:
        return "".join(f" They share one scale, {most}." for _, most in said)
    return (
        f" Those of one measure share a scale: {listed(f'{what} {most}' for what, most in said)}."
    )


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no run: it has no {MANIFEST}"
    if isinstance(error, json.JSONDecodeError | UnicodeError | RecursionError):
        return "its manifest cannot be read: it is damaged"
    return clipped(error.strerror if isinstance(error, OSError) else error, 200)
