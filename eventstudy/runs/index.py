"""The page over all runs of a folder, so that the folder of a scheduled job is a small site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ..files import replacing
from ..report import draw_states
from ..utility import note
from ..words import clipped
from .atomic_swap import locked
from .manifest import MANIFEST
from .rows import CHECKED, DAMAGED, FAILED, run_of

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
        with replacing(target) as file:
            file.write_bytes(text.encode("utf-8", "replace"))
            file.chmod(0o644)
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
    return draw_states(clipped(out.resolve().name, 100), rows, foreign)


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
        (failure if trouble else check).write_text(f"{json.dumps(facts)}\n", encoding="utf-8")
        write_index(out)


@contextmanager
def _aside() -> Iterator[None]:
    """Log what goes wrong inside, and go on: a folder may hold anything, and the run is written."""
    try:
        yield
    except Exception as error:
        note("index_not_written", "warning", text=f"{type(error).__name__}: {error}")
