"""Files of others in the place of a run: a foreign folder is left alone, a user's file is kept."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RunFolderError
from .manifest import MANIFEST
from .record import Record

if TYPE_CHECKING:
    from .origin import Origin

# What file managers leave in any folder.
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
_OURS = re.compile(r'"schema":\s*"eventstudy-run/')


def refuse_foreign(target: Path) -> None:
    """Raise if the folder is no run of ours, of whatever version, damaged or not."""
    if target.exists() and not _is_ours(target / MANIFEST):
        problem, remedy = "the folder exists and is not a run", "choose another --name or --out"
        raise RunFolderError(problem, value=str(target), remedy=remedy)


def other_study(target: Path, origin: Origin) -> str:
    """Return a note on a run of another events file that will be replaced.

    Parameters
    ----------
    target : Path
        The run folder.
    origin : Origin
        Of the new run.

    Returns
    -------
    str
        "" for none. A file that was edited in its place is no other one, nor are the same bytes
        elsewhere.
    """
    try:
        record = Record.read(target)
        old_events = record.origin.events if record.manifest["origin"] else None
    except RunFolderError:
        return ""
    events = record.manifest["events"]
    same_file = old_events and old_events.resolve() == origin.events.resolve()
    if same_file or events.get("sha256") == origin.events_hash:
        return ""
    of, at = events.get("source") or "events that it does not name", record.manifest["written_at"]
    return f"{target} was a run of {of}, written at {at}; it is replaced by one of {origin.events}"


def carry_over(target: Path, stage: Path) -> None:
    """Copy the user's files in a run to the one that takes its place.

    Parameters
    ----------
    target : Path
        The old run.
    stage : Path
        The new one.

    Raises
    ------
    RunFolderError
        If the new run has a file of that name.
    """
    files = _facts_of(target / MANIFEST).get("files")
    for path in sorted(target.rglob("*")):
        place = path.relative_to(target)
        theirs = (path.is_symlink() or path.is_file()) and place.as_posix() not in (files or ())
        if not theirs or place.name in LITTER or place == Path(MANIFEST):
            continue
        if not (stage / place).exists():
            (stage / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, stage / place, follow_symlinks=False)
        elif files is not None:
            problem = "a file that is not the run's is where the new one has its own"
            raise RunFolderError(problem, value=str(path), remedy="move it away")


def _is_ours(manifest: Path) -> bool:
    try:
        text = manifest.read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    facts = _facts_of(manifest)
    schema = str(facts.get("schema", ""))
    return schema.startswith("eventstudy-run/") if facts else bool(_OURS.search(text))


def _facts_of(manifest: Path) -> dict[str, Any]:
    """Return the contents of a manifest; nothing if it is damaged or not there."""
    try:
        facts = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
