"""What is not ours in the place of a run: another folder is left alone, a user's file in a run is
kept."""

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
    """Raise if something is there that is no run of ours, of whatever version, damaged or not."""
    if target.exists() and not _is_ours(target / MANIFEST):
        what, remedy = "the folder exists and is not a run", "choose another --name or --out"
        raise RunFolderError(what, value=str(target), remedy=remedy)


def other_study(target: Path, origin: Origin) -> str:
    """Return which run of another events file stands where that of `origin` is to be written; ""
    for none.

    A file that was edited in its place is no other one, nor are the same bytes elsewhere.
    """
    try:
        there = Record.read(target)
        kept = there.origin.events if there.manifest["origin"] else None
    except RunFolderError:
        return ""
    events = there.manifest["events"]
    if events.get("sha256") == origin.events_hash or (
        kept and kept.resolve() == origin.events.resolve()
    ):
        return ""
    of, at = events.get("source") or "events that it does not name", there.manifest["written_at"]
    return f"{target} was a run of {of}, written at {at}; it is replaced by one of {origin.events}"


def carry_over(target: Path, stage: Path) -> None:
    """Copy what the user put into a run to the one that takes its place.

    Raises
    ------
    RunFolderError
        If the new run has a file of that name.
    """
    said = _said(target / MANIFEST).get("files")
    for path in sorted(target.rglob("*")):
        place = path.relative_to(target)
        theirs = (path.is_symlink() or path.is_file()) and place.as_posix() not in (said or ())
        if not theirs or place.name in LITTER or place == Path(MANIFEST):
            continue
        if not (stage / place).exists():
            (stage / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, stage / place, follow_symlinks=False)
        elif said is not None:
            what = "a file that is not the run's is where the new one has its own"
            raise RunFolderError(what, value=str(path), remedy="move it away")


def _is_ours(manifest: Path) -> bool:
    try:
        text = manifest.read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    said = _said(manifest)
    return (
        str(said.get("schema", "")).startswith("eventstudy-run/")
        if said
        else bool(_OURS.search(text))
    )


def _said(manifest: Path) -> dict[str, Any]:
    """Return what a manifest says; nothing if it is damaged or not there."""
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
