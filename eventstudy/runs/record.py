"""The record of a run: its manifest with the hash of every file, read again, and verified."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import platform
import secrets
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..calendars import Sessions
from ..errors import AlteredError, ConfigError, RunFolderError
from ..files import InputFile, inside, read_csv
from ..findings import Document, Findings
from ..fitting import FittedStudy
from ..prices import FrozenProvider, Provenance, paths_of
from ..records import decisions_beside
from ..report import Statement, name_prices
from ..returns import ReturnsPanel
from ..settings import StudyConfig
from ..utility import BoolArray, Flag, __version__
from ..words import make_error
from .manifest import LARGEST_TABLE, MANIFEST, SCHEMA, Manifest, read_manifest
from .origin import ASKED, SIZES, Origin, hash_of

PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "yfinance", "matplotlib")
# The key with the hash of all others.
OWN_HASH = "manifest_sha256"
# Bytes of the key of a user.
KEY = 32
# Sessions after its window in which the prices of an event are asked again.
SETTLING = 5
# What file managers leave in any folder.
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, eq=False)
class Record:
    """A run folder.

    Attributes
    ----------
    folder : Path
    manifest : mapping
        What ``manifest.json`` says.
    facts : Manifest
        The same as types.
    """

    folder: Path
    manifest: Mapping[str, Any]
    facts: Manifest

    DOCUMENT: ClassVar = Document(Manifest, SCHEMA, MANIFEST)

    @classmethod
    def read(cls, folder: str | Path) -> Record:
        """Read the manifest of a run folder.

        Raises
        ------
        RunFolderError
            If it is not a run folder, or one of another version.
        """
        return cls(Path(folder), *read_manifest(Path(folder)))

    @cached_property
    def config(self) -> StudyConfig:
        """The settings, with paths as they were given; RunFolderError if they are not valid."""
        try:
            return StudyConfig().with_options(self.facts.config)
        except ConfigError as error:
            raise RunFolderError(f"config: {error}", where=str(self.folder / MANIFEST)) from None

    @cached_property
    def origin(self) -> Origin:
        """Where the study came from, with paths from here.

        Raises
        ------
        RunFolderError
            If the run was written by a program that did not say.
        """
        if not self.facts.origin.files:
            raise make_error(RunFolderError, "wrong.no_origin", where=str(self.folder))
        try:
            return Origin.of(self.facts.origin, self.config, self.folder)
        except KeyError as error:
            problem = f"origin: does not name the file of {error}"
            raise RunFolderError(problem, where=str(self.folder / MANIFEST)) from None

    def refuse_outside(self) -> None:
        """Raise if the study has files outside the folder, and the run was not written here.

        Raises
        ------
        RunFolderError
            Naming a file, which is not read.
        """
        config, places = self.origin.config, list[Path]()
        for spec in () if config.returns else (config.prices, config.fill):
            places += map(Path, paths_of(spec))
        outside = [p for p in (*self.origin.files.values(), *places) if os.path.lexists(p)]
        outside += [Path(self.origin.store)] * bool(self.origin.store)
        if outside and not self.is_written_here:
            where = str(self.folder)
            raise make_error(RunFolderError, "wrong.outside", path=outside[0], where=where)

    @property
    def is_written_here(self) -> bool:
        """Whether this user wrote the run, in this place, as it is."""
        mark = home_of(self.folder, self.manifest)
        return bool(mark) and hmac.compare_digest(mark, self.facts.home)

    @property
    def frozen(self) -> Origin:
        """The same with what the folder keeps in the place of files and prices."""
        return self.origin.frozen(self.folder)

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of the kept inputs, prices included, by place."""
        files = self.facts.files
        sizes = SIZES if self.config.size == ASKED else ""
        places = [place for place in files if place.startswith("data/") or place == sizes]
        return {place: files[place] for place in places}

    def refuse_altered(self) -> None:
        """Raise unless all inputs that the run keeps are as they were written.

        Raises
        ------
        AlteredError
            If one is missing or was changed.
        RunFolderError
            If it keeps none.
        """
        self.origin  # noqa: B018 - says if there are none
        folder = self.folder / "data"
        for path in (folder, self.folder / SIZES, *folder.rglob("*")):
            if path.is_symlink():
                raise AlteredError("is a link, and is not read", where=str(path))
        files = {place: inside(self.folder, place) for place in self.inputs}
        missing = [str(path) for path in files.values() if not path.is_file()]
        present = {place: path for place, path in files.items() if path.is_file()}
        hashes = self.inputs
        changed = [str(p) for place, p in present.items() if hash_kept_file(p) != hashes[place]]
        if missing or changed:
            problems = [f"{', '.join(missing)} is missing"] * bool(missing)
            problems += [f"{', '.join(changed)} was changed since it was written"] * bool(changed)
            problem = "; ".join(problems)
            remedy = "restore it: a run is computed again from its own inputs only"
            raise AlteredError(problem, remedy=remedy)
        for path in files.values():
            InputFile(path).require()

    @property
    def other_versions(self) -> dict[str, tuple[str, str]]:
        """Versions that are not the same here: (that of the run, the present one) by package."""
        used = self.facts.versions
        return {k: (used.get(k, "none"), v) for k, v in versions().items() if used.get(k) != v}

    @cached_property
    def reasons(self) -> dict[str, str]:
        """Codes of the reasons for which events were dropped, by event; none of an older run."""
        try:
            text = inside(self.folder, "results.json", LARGEST_TABLE).read_text(encoding="utf-8")
            events = json.loads(text)["events"]
            return {e["cells"]["event_id"]: e["reason"]["code"] for e in events if e["reason"]}
        except (RunFolderError, OSError, ValueError, KeyError, TypeError):
            return {}

    def cells(self, name: str) -> pd.DataFrame:
        """Return the cells of a table as text.

        Raises
        ------
        RunFolderError
            If the run has no such table any more, or one that cannot be read.
        """
        try:
            return cells_of(inside(self.folder, name, LARGEST_TABLE))
        except FileNotFoundError:
            problem = "the run lacks it"
        except ValueError as error:
            problem = f"cannot be read as a table ({str(error).strip()})"
        remedy = "restore the run, or run the study again"
        raise RunFolderError(problem, where=str(self.folder / name), remedy=remedy)


def home_of(folder: Path, manifest: Mapping[str, Any], *, makes_key: bool = False) -> str:
    """Return the mark of this user on a manifest and its place, which nobody else can make.

    It is an HMAC with a random key, the file ``key`` in the user's data folder.

    Parameters
    ----------
    folder : Path
        Where the run is, or will be.
    manifest : mapping
        With the hashes of all files.
    makes_key : bool
        Whether a key is made where there is none.

    Returns
    -------
    str
        "" without a key.
    """
    from platformdirs import user_data_path

    path = user_data_path("eventstudy", appauthor=False) / "key"
    if makes_key:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY))
    try:
        status = path.lstat()
        is_private = os.name == "nt" or not status.st_mode & 0o077
        is_key = stat.S_ISREG(status.st_mode) and status.st_size == KEY and is_private
        key = path.read_bytes() if is_key else b""
    except OSError:
        key = b""
    content = hash_manifest({k: v for k, v in manifest.items() if k != "home"})
    place = os.fsencode(folder.resolve())
    return hmac.new(key, content.encode() + place, "sha256").hexdigest() if key else ""


def cells_of(path: Path) -> pd.DataFrame:
    """Return the cells of a CSV file as text."""

    try:
        return read_csv(path, dtype="str", keep_default_na=False, na_filter=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def manifest_of(
    results: FittedStudy, findings: Findings, config: StudyConfig, origin: Origin | None,
    target: Path,
) -> dict[str, Any]:  # fmt: skip
    """Return ``manifest.json`` without the hashes; the time of writing stands nowhere else.

    Parameters
    ----------
    results : FittedStudy
    findings : Findings
    config : StudyConfig
    origin : Origin or None
    target : Path
        The run folder, to which paths are relative.

    Returns
    -------
    dict
    """
    events, n = results.events, len(results.events)
    dropped = events.loc[~results.ok, "reason"].value_counts()
    panel, fetched, sources = results.panel, results.panel.fetched, findings.provenance
    is_open: Any = np.ones(n)
    if panel.sessions.size:
        stop = results.abnormal.event.stop
        is_open = open_events(events, panel.sessions[-1], stop) | _are_settling(events, panel, stop)
    failures = fetched.failures if fetched else {}
    decisions = decisions_beside(origin.events) if origin else {}
    needed = {s: [list(map(str, days)) for days in spans] for s, spans in panel.windows.items()}
    return {
        **({"record": decisions} if decisions else {}),
        "schema": SCHEMA,
        "name": findings.name,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sources["command"],
        "config": config.to_dict(),
        "origin": origin.to_dict(target) if origin else {},
        "home": "",
        "windows": list(map(str, config.tested)),
        "engine": results.engine,
        "seed": config.seed,
        "versions": sources["versions"],
        "events": {
            "source": sources["events_source"],
            "sha256": sources["events_sha256"],
            "ok": len(results),
            "dropped": n - len(results),
            "provisional": int(_are_flagged(events, Flag.INCOMPLETE_WINDOW).sum()),
            "open": int(is_open.sum()),
            "reasons": {str(reason): int(count) for reason, count in dropped.items()},
        },
        "answers": answers(findings),
        "asked": {symbol: list(map(str, days)) for symbol, days in panel.requested.items()},
        "asked_on": origin.read_on if origin else "",
        **({"needed": needed} if needed else {}),
        "prices": {symbol: dict(entry) for symbol, entry in panel.provenance.items()},
        "prices_to": name_prices(findings)[1],
        "failures": {s: FrozenProvider.describe(e) for s, e in failures.items()},
        "notices": list(fetched.notices) if fetched else [],
        "warnings": [*panel.notices, *panel.notes],
    }


def seal(stage: Path, manifest: Mapping[str, Any], target: Path | None = None) -> None:
    """Write ``manifest.json`` with the hash of every file that is there, and of itself.

    Keys are sorted but for those of the settings.

    Parameters
    ----------
    stage : Path
        The run folder, complete.
    manifest : mapping
    target : Path, optional
        Where the run will be; it is marked as written there by this user.
    """
    facts = _sorted({**manifest, "files": hash_files(stage)})
    if target is not None:
        facts["home"] = home_of(target, facts, makes_key=True)
    text = _dumped(_sorted({**facts, OWN_HASH: hash_manifest(facts)}))
    (stage / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def hash_manifest(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its own hash."""
    hashed = {key: value for key, value in manifest.items() if key != OWN_HASH}
    return hashlib.sha256(_dumped(hashed).encode()).hexdigest()


def answers(findings: Findings) -> list[dict[str, Any]]:
    """Return the answer over the main window, of each group where the events are split."""
    out = []
    for sample in findings.groups or findings.samples:
        result, statement = sample.answer, Statement.of(findings, sample)
        out.append({
            "group": sample.group, "window": str(findings.setup.main), **asdict(statement),
            "verdict": result.verdict, "test": result.test,
            "estimate": _number(result.effect.estimate),
            "pvalue": _number(result.pvalue), "n_events": result.n_events,
            "n_lacking": sample.n_lacking, "n_used": sample.n_used,
        })  # fmt: skip
    return out


def provenance_of(results: FittedStudy, origin: Origin | None, command: str) -> dict[str, Any]:
    """Return the sources of a study without the clock: equal inputs give an equal report.

    Parameters
    ----------
    results : FittedStudy
    origin : Origin or None
    command : str

    Returns
    -------
    dict
    """
    times = (str(entry.get("retrieved_at", "")) for entry in results.panel.provenance.values())
    day = Provenance.confirmed_on(times)
    return {
        **({"confirmed": day} if day else {}),
        "events_source": origin.events.name if origin else "",
        "events_sha256": origin.hashes[origin.place] if origin else "",
        "versions": versions(),
        "command": command,
    }


def versions() -> dict[str, str]:
    """Return the versions of everything that computes."""
    program = {"eventstudy": __version__, "python": platform.python_version()}
    packages = {name: metadata.version(name) for name in PACKAGES}
    return program | packages | {"exchange_calendars": Sessions.version()}


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder but the manifest, by its path in it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST)
    return {p.relative_to(folder).as_posix(): hash_kept_file(p) for p in files}


def hash_kept_file(path: Path) -> str:
    """Return the SHA-256 of a file of a run; RunFolderError if it cannot be read.

    A link has none: what it leads to is not read, and no file of a run is a link.
    """
    if path.is_symlink():
        return ""
    try:
        return hash_of(path)
    except ConfigError as error:
        raise RunFolderError(error.what, where=error.where or str(path)) from None


def _sorted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with sorted keys at every depth, the settings as they are."""
    unsorted = {key: value for key, value in manifest.items() if key != "config"}
    sorted_ = {**json.loads(json.dumps(unsorted, sort_keys=True)), "config": manifest["config"]}
    return {key: sorted_[key] for key in sorted(sorted_)}


def _dumped(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def open_events(events: pd.DataFrame, last: Any, stop: int) -> Any:
    """Return which events new days can change, shape (n,).

    Those are events with unfinished windows, and those that lack days, or are dropped, with a day 0
    near the last price.

    Parameters
    ----------
    events : DataFrame
        With status, flags and day0, which may be text.
    last : date
        Day of the last price.
    stop : int
        Last day of the event window.
    """
    near = np.timedelta64(int(1.6 * max(stop, 0)) + 20, "D")
    recent = events["day0"].to_numpy().astype("datetime64[D]") > np.datetime64(last, "D") - near
    lacking = (events["status"] != "ok") | _are_flagged(events, Flag.MISSING_DAYS)
    return (lacking & recent) | _are_flagged(events, Flag.INCOMPLETE_WINDOW)


def _are_settling(events: pd.DataFrame, panel: ReturnsPanel, stop: int) -> BoolArray:
    """Return which events had fewer than `SETTLING` sessions since their window, shape (n,)."""
    day0 = events["day0"].to_numpy().astype("datetime64[D]")
    exchanges = events["exchange"].to_numpy()
    settling = np.zeros(len(events), dtype=bool)
    for exchange in set(exchanges):
        closed = panel.closed.get(panel.calendar_of(exchange), np.zeros(0, dtype=int))
        sessions = np.delete(panel.sessions, closed).astype("datetime64[D]")
        rows = exchanges == exchange
        since = len(sessions) - np.searchsorted(sessions, day0[rows], side="right")
        settling[rows] = since < max(stop, 0) + SETTLING
    settling &= ~np.isnat(day0)
    return settling


def _are_flagged(events: pd.DataFrame, flag: str) -> pd.Series[bool]:
    return events["flags"].str.split(";").apply(lambda flags: flag in flags).astype(bool)


def _number(value: float) -> float | None:
    return float(value) if value == value else None


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of checking a run folder.

    Attributes
    ----------
    checked : int
        Files that the manifest names, and the manifest.
    missing, changed, extra : tuple of str
        Files that are not there, have other contents, or are not named.
    """

    checked: int
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, recorded: Mapping[str, str], current: Mapping[str, str], ours: Collection[str]
    ) -> Verification:
        """Compare the files of a folder with those that were recorded.

        Parameters
        ----------
        recorded, current : mapping of str to str
            Hashes by file.
        ours : collection of str
            Files that were not recorded, and are not extra.
        """
        changed = tuple(f for f, sha in recorded.items() if current.get(f, sha) != sha)
        extra = [f for f in current if f not in recorded and f not in ours]
        extra = [file for file in extra if Path(file).name not in LITTER]
        missing = tuple(file for file in recorded if file not in current)
        return cls(len(recorded) + 1, missing, changed, tuple(extra))

    @property
    def lost(self) -> list[str]:
        """The files that are not as they were written, each with what became of it."""
        missing = [f"missing: {file}" for file in self.missing]
        return missing + [f"changed: {file}" for file in self.changed]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.changed or self.extra)

    def __str__(self) -> str:
        if self.ok:
            return f"all {self.checked} files are as they were written"
        states = ("missing", "changed", "extra")
        return "\n".join(f"{state}: {file}" for state in states for file in getattr(self, state))
