"""The run folder: where a run goes, replaced in one step, and never over the files of others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import DataError, RunFolderError
from ..files import checked_name
from ..fitting import FittedStudy, listed
from ..returns import members
from ..settings import StudyConfig
from ..utility import one_thread, step
from ..words import make_error, say, words
from .atomic_swap import clear_remains, follow_link, locked, staged
from .compare import LOG, log_changes
from .contents import fill
from .manifest import FAMILY, MANIFEST
from .origin import EVENTS, Origin
from .record import LITTER, Record
from .rows import SHOWING, read_object
from .staleness import differing_files, differing_settings

_OURS = re.compile(rf'"schema":\s*"{FAMILY}')


class UndecidedError(DataError):
    """No event could be studied, and a source did not answer for some: try again later."""

    exit_code = 75


def write_run(
    results: FittedStudy,
    out: Path,
    name: str,
    *,
    config: StudyConfig,
    origin: Origin | None = None,
    command: str = "",
) -> Path:
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
    target = follow_link(out / checked_name(name))
    with clear_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        refuse_foreign(target)
    with locked(target):
        return write_claimed(results, target, config=config, origin=origin, command=command)


def write_claimed(results: FittedStudy, target: Path, **settings: Any) -> Path:
    """Write a run folder whose lock is held, as :func:`write_run` does.

    Parameters
    ----------
    results : FittedStudy
    target : Path
        The run folder.
    **settings
        Config, origin and command, as for :func:`write_run`.

    Returns
    -------
    Path
        The run folder.
    """
    with clear_errors(target), replacing(target) as stage:
        fill(stage, target, results, **settings)
        if (target / LOG).is_file():
            log_changes(stage, target)
    return target


def write_failed(results: FittedStudy, target: Path, **settings: Any) -> Path | None:
    """Write the run of a study without a usable event as :func:`write_claimed` does.

    Parameters
    ----------
    results : FittedStudy
    target : Path
    **settings
        As for :func:`write_claimed`.

    Returns
    -------
    Path or None
        None if the folder holds anything else than such a run: it stays as it is.
    """
    try:
        if target.exists() and Record.read(target).facts.events.ok != 0:
            return None
    except RunFolderError:
        return None
    return write_claimed(results, target, **settings)


def nothing_usable(results: FittedStudy, why: str) -> DataError:
    """Return the error of a study without a usable event.

    Parameters
    ----------
    results : FittedStudy
    why : str
        The dropped events and the reasons, on lines of their own.

    Returns
    -------
    DataError
        An UndecidedError, which says to try later, if that may help.
    """
    n = len(results.events)
    problem = f"none of {n} events could be used" if n != 1 else "the one event could not be used"
    if not (silent := _silent_symbols(results)):
        return DataError(f"{problem}\n{why}")
    remedy = f"The source did not answer for {words().and_more(silent)}: try again later"
    return UndecidedError(f"{problem}\n{why}\n{remedy}")


def _silent_symbols(results: FittedStudy) -> list[str]:
    """Return the symbols that dropped events need and that no source answered for."""
    failures = results.panel.fetched.failures if results.panel.fetched else {}
    silent = {symbol for symbol, error in failures.items() if error.is_transient}
    dropped = results.events.loc[~results.ok].drop(columns="reason")
    cells = dict.fromkeys(map(str, dropped.to_numpy().ravel()))
    return list(dict.fromkeys(s for cell in cells for s in members(cell) if s in silent))


@contextmanager
def clear_errors(target: Path) -> Iterator[None]:
    """Turn an error of the operating system about a folder into a RunFolderError."""
    try:
        yield
    except OSError as error:
        problem, place = f"cannot write the run folder: {error.strerror}", error.filename or target
        remedy = "the earlier run is unchanged" if (target / MANIFEST).is_file() else ""
        raise RunFolderError(problem, value=str(place), remedy=remedy) from error


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


@contextmanager
def claimed(
    target: Path, origin: Origin, *, force: bool, notify: Callable[[str], None]
) -> Iterator[Path]:
    """Hold the lock of the folder of a study: `target`, or ``target-2`` ... if that is another's.

    Parameters
    ----------
    target : Path
        The folder by the name of the run.
    origin : Origin
        Settings and files of the study, hashed.
    force : bool
        Take `target`, whatever is there.
    notify : callable
        Takes a text for the user.

    Yields
    ------
    Path
        A folder that is not there yet, or has a run of the same settings and events, or one in
        which no event could be used.

    Raises
    ------
    RunBusyError
        At once, if another process writes the run.
    RunFolderError
        If `target` is no run of ours, or cannot be written.
    """
    refused: list[str] = []
    for number in count(1):
        named = target if number == 1 else target.with_name(f"{target.name}-{number}")
        place = follow_link(named)
        if number == 1:
            refuse_foreign(place)
        if not force and (differences := list_differences(place, origin)):
            refused = refused or differences
            continue
        with ExitStack() as held:
            with clear_errors(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(locked(place, wait=0, notify=notify))
            # Another process may have been quicker.
            if not force and list_differences(place, origin):
                continue
            if refused:
                facts = {"place": str(target), "new": str(named), "differ": refused}
                notify(say("place.taken", n=len(refused), **facts))
            yield place
            return


def list_differences(place: Path, origin: Origin) -> list[str]:
    """Return what tells the run in a folder from a study, in words; nothing if there is none.

    Parameters
    ----------
    place : Path
    origin : Origin
        Of the study, hashed.

    Returns
    -------
    list of str
        A file that was edited in its place is another one for the events alone: tables of returns
        or of other news go on, as prices do.
    """
    if not place.exists():
        return []
    try:
        record = Record.read(place)
        if record.facts.events.ok == 0:
            return []
        settings = [n for n in differing_settings(record, origin) if n not in SHOWING]
        old, new = record.origin.files, origin.files
        edited = [p for p in differing_files(record, origin) if p in EVENTS or _differ(p, old, new)]
    except RunFolderError:
        return [say("place.unknown")]
    return [*settings, *(say("place.events") if p in EVENTS else Path(p).name for p in edited)]


def free_name(out: Path, name: str, results: FittedStudy, config: StudyConfig) -> str:
    """Return `name`, or ``name-2`` ... where runs of other settings or events have it.

    Parameters
    ----------
    out : Path
        Folder of the runs.
    name : str
    results : FittedStudy
    config : StudyConfig
        Of the run to be written.
    """
    events = listed(results, config.main).events
    day0 = pd.to_datetime(events["day0"]).dt.strftime("%Y-%m-%d").fillna("").tolist()
    mine = [events["event_id"].astype("str").tolist(), day0]
    settings = {k: v for k, v in config.to_dict().items() if k not in SHOWING}

    def is_taken(place: Path) -> bool:
        try:
            record = Record.read(place)
            table = record.cells("events.csv")
            there = [table[name].tolist() for name in ("event_id", "day0")]
            return there != mine or not settings.items() <= record.facts.config.items()
        except (RunFolderError, KeyError):
            return False

    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(named for named in names if not is_taken(follow_link(out / named)))


def _differ(place: str, old: dict[str, Path], new: dict[str, Path]) -> bool:
    """Return whether two studies name different files for one place in the run folder."""
    paths = old.get(place), new.get(place)
    return None in paths or len({path.resolve() for path in paths if path}) > 1
