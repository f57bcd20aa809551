"""The page over all runs of a folder, so that the folder of a scheduled job is a small site."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from markupsafe import Markup

from ..report import Panel, Scale, environment, picture, settings_text, style, write_file
from ..utility import note
from ..words import clipped, say, words
from .atomic_swap import locked
from .manifest import MANIFEST
from .rows import CHECKED, DAMAGED, FAILED, Run, run_of

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
    target = out / INDEX
    if target.exists() and MARK not in target.read_text(encoding="utf-8", errors="replace")[:4000]:
        return None
    with locked(target):
        text = render_index(out)
        # A name may have characters that UTF-8 cannot encode: they become ``?``.
        write_file(target, text.encode("utf-8", "replace"))
    return target


def render_index(out: Path) -> str:
    """Return the page over the runs in `out`; equal folders give equal bytes."""
    runs, foreign = [], []
    for folder in sorted(p for p in out.iterdir() if p.is_dir() and not p.name.startswith(".")):
        try:
            runs.append(run_of(folder))
        except DAMAGED as error:
            why = clipped(getattr(error, "what", error), 200)
            foreign.append((clipped(folder.name, 100), why))
    rows = sorted(runs, key=lambda run: (-run.written.timestamp(), run.name))
    reach = _reaches(rows)
    context = {
        "folder": clipped(out.resolve().name, 100),
        "runs": [(run, _spark(run, reach), _differences(run, rows)) for run in rows],
        "others": foreign,
        "note": _note(rows, reach),
    }
    template = environment().get_template("index.html.j2")
    return template.render(context, **style("index.css")) + "\n"


def show_written(run: Path) -> None:
    """Write the index after a run was written, which ends what is said of a failure before it.

    What happens to the index is never an error of the run.
    """
    with _aside():
        run.with_name(f".{run.name}{FAILED}").unlink(missing_ok=True)
        write_index(run.parent)


def show_end(
    out: Path, name: str, trouble: str, *, is_new: bool = False, confirmed: str = ""
) -> None:
    """Show in the index when a run was last checked, and whether it could be brought up to date.

    That is shown only if the run exists: a mistyped name leaves no trace.

    Parameters
    ----------
    out : Path
        Folder of the runs.
    name : str
        Name of the run.
    trouble : str
        Why it could not be brought up to date; "" if it could.
    is_new : bool
        Whether it was written just now, which the index shows already.
    confirmed : str
        ISO date on which the source had given or repeated all its prices.
    """
    with _aside():
        failure, check = (out / f".{name}{ending}" for ending in (FAILED, CHECKED))
        if not trouble:
            failure.unlink(missing_ok=True)
        if (is_new and not trouble) or not (out / name / MANIFEST).is_file():
            return
        at = datetime.now(UTC).isoformat(timespec="seconds")
        facts = {"name": name, "at": at, "error": trouble[:2000], "confirmed": confirmed}
        document = json.dumps(facts)
        (failure if trouble else check).write_text(f"{document}\n", encoding="utf-8")
        write_index(out)


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
    name = f"{run.name}: CAAR from day {words().day(int(days[0]))} to {words().day(int(days[-1]))}"
    zero = panel.post(0, "z") if days[0] <= 0 <= days[-1] else ""
    last = np.where(np.arange(len(days)) == len(days) - 1, caar, np.nan)
    elements = (
        panel.band(days, low, high, "band"), panel.rule(0, "g"), zero, panel.line(days, caar, "b"),
        panel.dots(days, last, "b dot"),
    )  # fmt: skip
    return Markup(picture(150, 48, elements, title=name, desc="Line with band.", kind="spark"))  # noqa: S704


def _differences(run: Run, runs: Sequence[Run]) -> str:
    """Return what tells a run from others of events, or of a name, as its own; "" for nothing."""
    family = [r.study for r in runs if {*r.study["family"]} & {*run.study["family"]}]
    study = {
        k: v for k, v in run.study.items() if any(f.get(k) != v and (k in f or v) for f in family)
    }
    study.pop("family", None)
    return clipped(settings_text({k: v or say("index.default") for k, v in study.items()}), 160)


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
    scales = {name: words(name).within(largest) for name, largest in reach.items() if largest}
    notes = [say("index.paths")] * bool(drawn)
    if len(scales) == 1:
        notes += [say("index.one_scale", scale=scale) for scale in scales.values()]
    elif scales:
        each = [f"{words(name).what or 'returns'} {scale}" for name, scale in scales.items()]
        notes.append(say("index.scales", scales=each))
    notes += [say("index.single")] * any(not run.several for run in drawn)
    return " ".join(notes)
