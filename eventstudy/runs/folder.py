"""The run folder: where a run goes, replaced in one step, and never over the files of others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import DataError, RunFolderError
from ..files import checked_name
from ..fitting import FittedStudy
from ..settings import StudyConfig
from ..utility import one_thread, step
from ..words import make_error, say
from .atomic_swap import as_run_folder_errors, clear_remains, follow_link, locked, staged
from .compare import LOG, log_changes
from .contents import fill, require_parquet_for
from .manifest import FAMILY, MANIFEST
from .origin import EVENTS, Origin
from .preflight import nothing_usable
from .record import LITTER, Record
from .rows import SHOWING, read_object
from .staleness import differing_files, differing_settings

_OURS = re.compile(rf'"schema":\s*"{FAMILY}')


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The place of a run.

    Attributes
    ----------
    named : Path
        As it was given; it need not be there, and may be a link.
    """

    named: Path

    @property
    def path(self) -> Path:
        """The folder itself, which a link leads to."""
        return follow_link(self.named)

    @contextmanager
    def claim(
        self, origin: Origin, n_events: int, *, force: bool, notify: Callable[[str], None]
    ) -> Iterator[RunFolder]:
        """Hold the lock of this folder, or of ``NAME-2`` ... if this is that of another study.

        Parameters
        ----------
        origin : Origin
            Settings and files of the study, hashed.
        n_events : int
            Many need Parquet.
        force : bool
            Take this folder, whatever is there.
        notify : callable
            Takes a text for the user.

        Yields
        ------
        RunFolder
            A folder that is not there yet, or has a run of the same settings and events, or one in
            which no event could be used.

        Raises
        ------
        ConfigError
            If there are so many events that they are written to Parquet, which is not installed.
        RunBusyError
            At once, if another process writes the run.
        RunFolderError
            If this folder is no run of ours, or cannot be written.
        """
        require_parquet_for(n_events)
        refused: list[str] = []
        for number in count(1):
            name = self.named.name if number == 1 else f"{self.named.name}-{number}"
            named = self.named.with_name(name)
            folder = RunFolder(follow_link(named))
            if number == 1:
                refuse_foreign(folder.path)
            if not force and (differences := folder.differences(origin)):
                refused = refused or differences
                continue
            with ExitStack() as held:
                with as_run_folder_errors(folder.path):
                    folder.path.parent.mkdir(parents=True, exist_ok=True)
                    held.enter_context(locked(folder.path, wait=0, notify=notify))
                # Another process may have been quicker.
                if not force and folder.differences(origin):
                    continue
                if refused:
                    facts = {"place": str(self.named), "new": str(named), "differ": refused}
                    notify(say("place.taken", n=len(refused), **facts))
                yield folder
                return

    def differences(self, origin: Origin) -> list[str]:
        """Return what tells the run that is there from a study, in words; nothing without one.

        Parameters
        ----------
        origin : Origin
            Of the study, hashed.

        Returns
        -------
        list of str
            Edited contents count as a difference for the file of events alone; other files differ
            by their paths.
        """
        if not self.path.exists():
            return []
        try:
            record = Record.read(self.path)
            if record.facts.events.ok == 0:
                return []
            settings = [n for n in differing_settings(record, origin) if n not in SHOWING]
            old, new = record.origin.files, origin.files
            files = differing_files(record, origin)
        except RunFolderError:
            return [say("place.unknown")]
        edited = [p for p in files if p in EVENTS or _differ(p, old, new)]
        return [*settings, *(say("place.events") if p in EVENTS else Path(p).name for p in edited)]

    def write(self, results: FittedStudy, **settings: Any) -> Path:
        """Write the run, whose lock is held, as :func:`write_run` does; return its path.

        Parameters
        ----------
        results : FittedStudy
        **settings
            Config, origin and command, as for :func:`write_run`.
        """
        target = self.path
        with as_run_folder_errors(target), replacing(target) as stage:
            fill(stage, target, results, **settings)
            if (target / LOG).is_file():
                log_changes(stage, target)
        return target

    def fail(
        self, results: FittedStudy, *, is_shown: bool, **settings: Any
    ) -> tuple[Path | None, DataError]:
        """Return the run of a study without a usable event, if it was written, and its error.

        Parameters
        ----------
        results : FittedStudy
        is_shown : bool
            Whether it is written; it never takes the place of a run that has a result.
        **settings
            As for :meth:`write`.
        """
        from ..findings import FinishedRun
        from ..report import Terminal

        failed = self.write(results, **settings) if is_shown and self._is_free() else None
        terminal = Terminal(FinishedRun.of(results, settings["config"]).findings)
        lines = [terminal.losses(written=False), *terminal.cases()]
        if failed:
            lines.append(f"Report: {failed / 'report.html'}")
        return failed, nothing_usable(results, "\n".join(lines))

    def _is_free(self) -> bool:
        """Return whether there is nothing here but perhaps a run without a usable event."""
        try:
            return not self.path.exists() or Record.read(self.path).facts.events.ok == 0
        except RunFolderError:
            return False


def write_run(
    results: FittedStudy, out: Path, name: str, *, config: StudyConfig,
    origin: Origin | None = None, command: str = "", force: bool = True,
) -> Path:  # fmt: skip
    """Write ``out/name`` and return its path.

    Everything is written to a temporary folder first, so a reader sees the old run or the new one.

    Parameters
    ----------
    results : FittedStudy
    out : Path
        Created if it is missing.
    name : str
        Letters, digits, ``. _ -`` and spaces; no path.
    config : StudyConfig
        Goes into the manifest and decides windows, tests and groups.
    origin : Origin, optional
        Files and source of prices of the study: without it the run cannot be reproduced from its
        folder.
    command : str
        The command line, for the report.
    force : bool
        Replace the run of that name; else one of other settings or events stays, and this one is
        ``name-2`` ...

    Returns
    -------
    Path

    Raises
    ------
    RunFolderError
        If the folder cannot be written, or exists and is no run of ours, or another process writes
        it, or a file of the user is where the run has one.
    DataError
        If a file of `origin` was changed since it was hashed.
    """
    name = checked_name(name)
    target = follow_link(out / (name if force else _free_name(out, name, results, config)))
    with as_run_folder_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        refuse_foreign(target)
    with locked(target):
        return RunFolder(target).write(results, config=config, origin=origin, command=command)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give an empty folder to write to, and put it in the place of `target` if all went well.

    The lock of `target` must be held. What is computed inside is computed by :func:`one_thread`.
    """
    from .index import show_written

    clear_remains(target)
    refuse_foreign(target)
    with staged(target) as stage:
        with one_thread():
            yield stage
        carry_over(target, stage)
        step("onto the disk")
    show_written(target)


def refuse_foreign(target: Path) -> None:
    """Raise if the folder is no run of ours, of whatever version, damaged or not."""
    if target.exists() and not _is_ours(target / MANIFEST):
        raise make_error(RunFolderError, "wrong.foreign", value=str(target))


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
            raise make_error(RunFolderError, "wrong.yours", value=str(path))


def _is_ours(manifest: Path) -> bool:
    if facts := _facts_of(manifest):
        return str(facts.get("schema", "")).startswith(FAMILY)
    with suppress(OSError):
        text = manifest.read_bytes().decode("utf-8", "replace")
        return not manifest.is_symlink() and bool(_OURS.search(text))
    return False


def _facts_of(manifest: Path) -> dict[str, Any]:
    """Return the contents of a manifest; nothing if it is damaged or not there."""
    return {} if manifest.is_symlink() else read_object(manifest)


def _free_name(out: Path, name: str, results: FittedStudy, config: StudyConfig) -> str:
    """Return `name`, or ``name-2`` ... where runs of other settings or events have it."""
    events = results.listed(config.main).events
    day0 = pd.to_datetime(events["day0"]).dt.strftime("%Y-%m-%d").fillna("").tolist()
    mine = [events["event_id"].astype("str").tolist(), day0]
    settings = {k: v for k, v in config.to_dict().items() if k not in SHOWING}

    def is_taken(place: Path) -> bool:
        try:
            record = Record.read(place)
            if record.facts.events.ok == 0:
                return False
            table = record.cells("events.csv")
            there = [table[name].tolist() for name in ("event_id", "day0")]
            return there != mine or not settings.items() <= record.facts.config.items()
        except (RunFolderError, KeyError):
            # What cannot be read is not overwritten.
            return place.exists()

    refuse_foreign(follow_link(out / name))
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(named for named in names if not is_taken(follow_link(out / named)))


def _differ(place: str, old: dict[str, Path], new: dict[str, Path]) -> bool:
    """Return whether two studies name different files for one place in the run folder."""
    paths = old.get(place), new.get(place)
    return None in paths or len({path.resolve() for path in paths if path}) > 1
