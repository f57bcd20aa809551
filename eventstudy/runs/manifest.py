"""The manifest of a run as types: one strict reading, its limits, and its JSON Schema.

A manifest may be of somebody else. It names no file that is read outside its run folder, but for
the files of the study in `Origin`, which a refresh reads (:func:`.origin.refuse_outside`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

from ..errors import RunFolderError
from ..files import is_place
from ..findings import Document
from ..prices import Provenance
from ..words import make_error

FAMILY = "eventstudy-run/"
SCHEMA = f"{FAMILY}2"
MANIFEST = "manifest.json"
# Bytes of a manifest, and of a table, that are read at most.
LARGEST, LARGEST_TABLE = 20_000_000, 500_000_000
# A package and a version: `archive` writes them into a list that pip reads.
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")


@dataclass(frozen=True)
class Failure:
    """Why a symbol has no prices."""

    is_open: ClassVar = True
    kind: str
    what: str
    where: str = ""
    value: Any = None
    remedy: str = ""
    transient: bool = False


@dataclass(frozen=True)
class EventCounts:
    """The events file, and how many events were used, dropped, or are still to be completed."""

    is_open: ClassVar = True
    ok: int
    source: str = ""
    sha256: str = ""
    dropped: int = 0
    provisional: int = 0
    open: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """The files and the source of prices of the study, by paths from the run folder."""

    is_open: ClassVar = True
    files: Mapping[str, str] = field(default_factory=dict)
    prices: str = ""
    fill: str = ""
    store: str = ""
    vintage: str = ""
    offline: bool = False


@dataclass(frozen=True)
class Stated:
    """The answer over the main window, of all events or of a group."""

    is_open: ClassVar = True
    group: str
    text: str
    verdict: str
    estimate: float
    pvalue: float
    window: str = ""
    headline: str = ""
    test: str = ""
    n_events: int = 0
    n_lacking: int = 0
    n_used: int = 0
    caveat: str = ""
    fragility: str = ""


@dataclass(frozen=True)
class Manifest:
    """The settings, sources and answers of a run, and the SHA-256 of each of its files."""

    is_open: ClassVar = True
    schema: str
    name: str
    written_at: str
    asked_on: str
    answers: tuple[Stated, ...]
    asked: Mapping[str, tuple[str, str]]
    config: Mapping[str, Any]
    events: EventCounts
    failures: Mapping[str, Failure]
    files: Mapping[str, str]
    origin: Sources
    prices: Mapping[str, Provenance]
    versions: Mapping[str, str]
    command: str = ""
    engine: str = ""
    seed: int | None = None
    home: str = ""
    windows: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    given_up: Mapping[str, str] = field(default_factory=dict)
    manifest_sha256: str = ""
    prices_to: str = ""
    record: Mapping[str, str] = field(default_factory=dict)
    needed: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def read_manifest(folder: Path) -> tuple[dict[str, Any], Manifest]:
    """Return the manifest of a run folder as it stands, and as types.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    RunFolderError
        If it is not a run folder, one of another version, or its manifest is damaged.
    """
    path = folder / MANIFEST
    facts = _document(folder, path)
    schema = facts.get("schema") if isinstance(facts, dict) else None
    if not str(schema).startswith(FAMILY):
        raise RunFolderError("is not the manifest of a run", where=str(path))
    if schema != SCHEMA:
        facts = {"schema": str(schema)[:40], "ours": SCHEMA}
        raise make_error(RunFolderError, "wrong.version", where=str(folder), **facts)
    members = dict[str, Any]()
    faults = dict[str, str]()
    for name, kind in get_type_hints(Manifest).items():
        try:
            if name in facts or name in _NEEDED:
                members[name] = Document.decode(kind, facts.get(name), name)
        except (RunFolderError, OverflowError, RecursionError) as error:
            faults[name] = str(error).partition(";")[0]
    if not faults:
        faults = dict(_faults(manifest := Manifest(**members)))
    if faults:
        problem = f"is damaged: no usable {', '.join(faults)} ({next(iter(faults.values()))[:200]})"
        raise RunFolderError(problem, where=str(path))
    return facts, manifest


_NEEDED = {f.name for f in fields(Manifest) if f.default is f.default_factory is MISSING}


def _document(folder: Path, path: Path) -> Any:
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST:
            raise RunFolderError(f"is a link, or larger than {LARGEST:,} bytes", where=str(path))
        document = json.loads(path.read_text(encoding="utf-8"))
        # Raises for half a letter, which has no bytes.
        json.dumps(document, ensure_ascii=False).encode()
        return document
    except (FileNotFoundError, NotADirectoryError):
        raise make_error(RunFolderError, "wrong.no_run", where=str(folder)) from None
    except OSError as error:
        raise RunFolderError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except (ValueError, RecursionError):
        raise make_error(RunFolderError, "wrong.cut", where=str(path)) from None


def _faults(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the members whose texts are no dates, places in a run folder or versions, and why."""
    days = {
        "asked_on": [manifest.asked_on],
        "asked": [day for pair in manifest.asked.values() for day in pair],
        "needed": [day for each in manifest.needed.values() for pair in each for day in pair],
        "prices": [day for each in manifest.prices.values() for day in (each.first, each.last)],
        "prices_to": [manifest.prices_to],
    }
    for name, texts in days.items():
        for text in filter(None, texts):
            if not _is_read(date.fromisoformat, text):
                yield name, f"no date: {text!r}"
    if not _is_read(datetime.fromisoformat, manifest.written_at):
        yield "written_at", f"no time: {manifest.written_at!r}"
    for name, places in {"files": manifest.files, "origin": manifest.origin.files}.items():
        for place in places:
            if not is_place(place):
                yield name, f"leads out of the run folder: {place!r}"
    for file, sha in manifest.files.items():
        if not re.fullmatch("[0-9a-f]{64}", sha):
            yield "files", f"no hash of {file!r}"
    for package, version in manifest.versions.items():
        if not (_PACKAGE.fullmatch(package) and _VERSION.fullmatch(version)):
            yield "versions", f"no package with its version: {package!r}, {version!r}"


def _is_read(read: Any, text: str) -> bool:
    try:
        return bool(read(text))
    except ValueError:
        return False
