"""Where a run goes: a study takes the place of its own last run, and of no other unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..errors import RunFolderError
from ..fitting.fitted import FittedStudy, listed
from ..utility.catalogue import say
from ..utility.csv_text import unquoted
from .atomic_swap import follow_link, locked
from .folder import clear_errors, refuse_foreign
from .origin import EVENTS, Origin
from .record import Record
from .rows import SHOWING
from .staleness import differing_files, differing_settings

if TYPE_CHECKING:
    from ..fitting.config import StudyConfig


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
            there = [table[name].map(unquoted).tolist() for name in ("event_id", "day0")]
            return there != mine or any(record.settings.get(k) != v for k, v in settings.items())
        except (RunFolderError, KeyError):
            return False

    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(named for named in names if not is_taken(follow_link(out / named)))


def _differ(place: str, old: dict[str, Path], new: dict[str, Path]) -> bool:
    """Return whether two studies name different files for one place in the run folder."""
    paths = old.get(place), new.get(place)
    return None in paths or len({path.resolve() for path in paths if path}) > 1
