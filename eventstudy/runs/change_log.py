"""Differences between two runs in words, and the log of changes that a refreshed run keeps."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import RunFolderError
from .comparison import MOVED, as_markdown
from .manifest import seal
from .record import Record

if TYPE_CHECKING:
    from .comparison import Comparison

SCHEMA = "eventstudy-changes/1"
LOG, PAGE = "changes.json", "changes.md"
# Refreshes that are remembered.
MAX_ENTRIES = 100


def log_changes(stage: Path, target: Path, *, threshold: float = MOVED) -> Comparison | None:
    """Write ``changes.json`` and ``changes.md``: the newest differences first.

    Parameters
    ----------
    stage : Path
        The new run folder, complete.
    target : Path
        The folder whose place it will take, with the log so far; it need not be there.
    threshold : float
        A CAR that moved by no more (decimal) is left out.

    Returns
    -------
    Comparison or None
        The differences; None if there was no run that can be compared.
    """
    from .compare import compare_records

    now, log, comparison = Record.read(stage), read_changes(target), None
    with suppress(RunFolderError):
        comparison = compare_records(Record.read(target), now, threshold=threshold)
    if not (comparison and comparison.same):
        text = as_markdown(comparison) if comparison else "First run.\n"
        head = {"id": uuid4().hex, "at": now.manifest["written_at"], "text": text}
        entry = {**head, **(comparison.to_dict() if comparison else {})}
        log = [entry, *log][:MAX_ENTRIES]
    _write(stage, log)
    seal(stage, now.manifest)
    return comparison


def _write(stage: Path, log: list[dict[str, Any]]) -> None:
    document = {"schema": SCHEMA, "changes": log}
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    (stage / LOG).write_text(text + "\n", encoding="utf-8", newline="\n")
    page = "# Changes\n\n" + "\n".join(f"## {entry['at']}\n\n{entry['text']}" for entry in log)
    (stage / PAGE).write_text(page, encoding="utf-8", newline="\n")


def read_changes(folder: Path) -> list[dict[str, Any]]:
    """Return the log of a run folder, newest first; nothing if there is none."""
    try:
        return list(json.loads((folder / LOG).read_text(encoding="utf-8"))["changes"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
