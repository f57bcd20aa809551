"""The outbox of a run: changes that wait for a command, one small file each in the run folder.

A refresh writes an entry into the new run before it swaps that in: whoever sees the change sees the
entry. The entry is removed once the command has succeeded. It is data: the command comes from the
user alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from ..errors import RunFolderError
from ..files import flush_names
from ..findings import Document
from ..utility import note
from ..words import clipped, has, say
from .atomic_swap import as_run_folder_errors, follow_link, locked

SCHEMA = "eventstudy-outbox/1"
OUTBOX = "outbox"
# Number, which gives the order, and id.
_NAME = re.compile(r"(\d{6})-([0-9a-f]{32})\.json")
_LAST = 999_999
# Bytes of an entry that is read; letters and reasons of one that is written, which is far smaller.
LARGEST, LETTERS, REASONS = 1 << 20, 100_000, 20
# Differences after which it is not the program alone that changed.
_DATA = {"prices", "sources", "files", "settings", "added", "removed", "edited"}
# Seconds to wait for another process that delivers, and for one that writes the run.
TURN, WRITER = 300.0, 600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that waits for a command.

    Attributes
    ----------
    id : str
        32 hexadecimal digits: the same at each attempt, and in ``changes.json``.
    at : str
        When the run was written, ISO 8601 in UTC.
    run : str
        Name of the run.
    kind : str
        ``changed`` or ``first_run``; others may be added.
    why : tuple of str
        Why the run was computed again.
    counts : mapping of str to int
        How many differences there are by kind.
    text : str
        What changed, as in ``changes.md``.
    """

    is_open: ClassVar = True
    id: str
    at: str
    run: str
    kind: str
    why: tuple[str, ...]
    counts: Mapping[str, int]
    text: str

    def facts(self, file: Path) -> dict[str, str]:
        """Return what a command is told of the entry in a file, by name."""
        run = file.parent.parent
        facts: dict[str, Any] = {"RUN": run, "CHANGES": run / "changes.json", "ENTRY": file}
        facts |= {"ID": self.id, "SUMMARY": self.summary}
        return {name: str(fact) for name, fact in facts.items()}

    @property
    def summary(self) -> str:
        """The change in one line without control characters, of at most 300 letters."""
        kinds = {name: f"outbox.kinds.{name}" for name in self.counts}
        counts = self.counts.items()
        changes = [say(kinds[k], n=n) if has(kinds[k]) else f"{n} {k}" for k, n in counts]
        is_first = self.kind == "first_run"
        if "versions" in self.counts and not _DATA & self.counts.keys():
            changes.append(say("outbox.program"))
        text = ", ".join(changes) or say(f"outbox.{'first_run' if is_first else 'changed'}")
        why = f" ({'; '.join(self.why)})" if self.why and not is_first else ""
        line = clipped(f"{self.run}: {text}{why}", 300)
        return "".join(letter if letter.isprintable() else " " for letter in line)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox of a run.

    Attributes
    ----------
    run : Path
        The run folder.
    """

    run: Path

    @property
    def due(self) -> dict[Path, Entry]:
        """Its entries by their files, the oldest first."""
        return {path: entry for path, entry in waiting(self.run).items() if entry}

    @property
    def damaged(self) -> list[Path]:
        """Files that are no entries."""
        return [path for path, entry in waiting(self.run).items() if entry is None]

    def add(
        self, stage: Path, change: Mapping[str, Any], why: Sequence[str],
        counts: Mapping[str, int] | None, kind: str = "",
    ) -> None:  # fmt: skip
        """Write the newest change into the new run, behind the entries that wait here.

        Parameters
        ----------
        stage : Path
            The new run folder, sealed, which takes the place of this one.
        change : mapping
            The newest entry of ``changes.json``.
        why : sequence of str
            Why the run was computed again.
        counts : mapping of str to int, or None
            How many differences there are by kind; None for a first run.
        kind : str
            Default ``changed``, or ``first_run``.
        """
        reasons = tuple(reason[:500] for reason in why[:REASONS])
        entry = Entry(
            id=change["id"], at=change["at"], run=self.run.name,
            kind=kind or ("first_run" if counts is None else "changed"),
            why=reasons, counts=counts or {}, text=change["text"][:LETTERS],
        )  # fmt: skip
        text = json.dumps({"schema": SCHEMA, **asdict(entry)}, indent=1, ensure_ascii=False) + "\n"
        names = map(_NAME.fullmatch, (file.name for file in (self.run / OUTBOX).glob("*")))
        numbers = [int(name[1]) for name in names if name]
        number = min(max(numbers, default=0) + 1, _LAST)
        path = stage / OUTBOX / f"{number:06d}-{entry.id}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")

    def announce(self, candidates: Sequence[str]) -> None:
        """Write that candidates of a record wait for a decision; each set of them once.

        Parameters
        ----------
        candidates : sequence of str
            Their ids.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        key = hashlib.sha256("\n".join(candidates).encode()).hexdigest()[:32]
        if all(entry.id != key for entry in self.due.values()):
            change = {"id": key, "at": at, "text": "\n".join(candidates)}
            self.add(self.run, change, (), {"candidates": len(candidates)}, "candidates")

    def deliver(self, send: Callable[[Mapping[str, str]], str]) -> str:
        """Send each entry in order, and remove it once it is sent.

        One process at a time delivers. An entry is sent again if a process ends between the two
        steps.

        Parameters
        ----------
        send : callable
            Takes what a command is told of an entry, by name; returns how it failed, or "".

        Returns
        -------
        str
            How an entry failed, or "".

        Raises
        ------
        RunBusyError
            If another process delivers, or writes the run, for very long.
        RunFolderError
            If an entry cannot be removed.
        """
        with as_run_folder_errors(self.run):
            run = follow_link(self.run)
            if not Outbox(run).due:
                return ""
            with locked(run.with_name(f"{run.name}.on-change"), wait=TURN):
                for path, entry in Outbox(run).due.items():
                    if failure := send(entry.facts(path.absolute())):
                        return failure
                    _acknowledge(run, path)
                    note("delivered", id=entry.id, at=entry.at)
        return ""


def waiting(run: Path) -> dict[Path, Entry | None]:
    """Return the files of the outbox of a run, the oldest first; None for one that is no entry."""
    folder = run / OUTBOX
    if folder.is_symlink() or not folder.is_dir():
        return {}
    with suppress(FileNotFoundError):  # another process has removed the last entry
        files = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        entries = {path: _read(path) for path in files}
        return {path: entry for path, entry in entries.items() if entry or os.path.lexists(path)}
    return {}


def _acknowledge(run: Path, path: Path) -> None:
    """Remove an entry for good, while no other process copies it to a newer run."""
    with locked(run, wait=WRITER):
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()
        for folder in (path.parent, run):
            flush_names(folder)


def _read(path: Path) -> Entry | None:
    """Return an entry; None for anything else, such as a link, a pipe, or a very large file."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        facts = json.loads(data) if len(data) <= LARGEST else None
        if not isinstance(facts, dict) or facts.pop("schema", "") != SCHEMA:
            return None
        entry: Entry = Document.decode(Entry, facts, path.name)
    except (OSError, ValueError, RecursionError, RunFolderError):
        return None
    return entry if path.name.endswith(f"-{entry.id}.json") else None
