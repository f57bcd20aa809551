"""A run brought up to date: nothing is done if nothing is new, and what changed is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, RunFolderError
from .changes import MOVED, log_changes
from .lock import locked
from .manifest import MANIFEST, seal
from .record import Record
from .stale import ask_again, changed_inputs, changed_prices, refuse_worse
from .swap import cleared

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..results import EventStudyResults
    from .compare import Comparison
    from .origin import Origin

# Seconds to wait for another refresh: the time of a large study.
WAIT = 600.0


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    folder : Path
    why : tuple of str
        What was new; empty if nothing was, and then nothing was written.
    comparison : Comparison or None
        What changed; None if nothing was written, or it is the first run.
    results : EventStudyResults or None
        None if nothing was written.
    """

    folder: Path
    why: tuple[str, ...] = ()
    comparison: Comparison | None = None
    results: EventStudyResults | None = None

    @property
    def changed(self) -> bool:
        """Whether the run says anything that it did not say before."""
        return self.results is not None and not (self.comparison and self.comparison.same)


def refresh_run(
    origin: Origin,
    target: Path,
    *,
    config: StudyConfig | None = None,
    command: str = "",
    moved: float = MOVED,
    wait: float = WAIT,
    recheck: bool = False,
    told: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Refreshed:
    """Compute a run anew if anything is new, and keep a log of what changed in it.

    Parameters
    ----------
    origin : Origin
        Settings and files of the study.
    target : Path
        The run folder; it is made if it is not there.
    config : StudyConfig, optional
        The settings as they are shown, with paths as they were given; by default those of `origin`.
    command : str
        What was typed, for the report.
    moved : float
        A CAR that moved by no more (decimal) is not told.
    wait : float
        Seconds to wait for another process that writes the run.
    recheck : bool
        Download stored prices again, to find what the source revised.
    told, progress : callable, optional
        Take a text, and (symbols done, symbols in all).

    Raises
    ------
    RunBusyError
        If another process writes the run for longer than `wait`.
    PriceError
        If prices that the run has cannot be had now; the run is as it was.
    DataError
        If no event could be used; the run is as it was.
    RunFolderError
        If the folder cannot be written.
    """
    from .folder import clear_errors

    origin = origin.hashed()
    with clear_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target, wait=wait, told=told):
            cleared(target)
            record = _record(target, told)
            if record and recheck:
                ask_again(record, origin)
            why = _why(record, origin)
            if record and not why:
                return Refreshed(target)
            return _anew(
                record, origin, target, tuple(why), config=config, command=command, moved=moved,
                progress=progress,
            )  # fmt: skip


def _record(target: Path, told: Callable[[str], None] | None) -> Record | None:
    """Return the run that is there; one that cannot be read is written anew."""
    if not (target / MANIFEST).is_file():
        return None
    try:
        record = Record.read(target)
        record.origin  # noqa: B018 - raises if it is not there
    except RunFolderError as error:
        if told:
            told(f"the run is written anew: {error}")
        return None
    return record


def _why(record: Record | None, origin: Origin) -> list[str]:
    if record is None:
        return ["first run"]
    return changed_inputs(record, origin) or changed_prices(record, origin)


def _anew(
    record: Record | None,
    origin: Origin,
    target: Path,
    why: tuple[str, ...],
    *,
    config: StudyConfig | None,
    command: str,
    moved: float,
    progress: Callable[[int, int], None] | None,
) -> Refreshed:
    from ..study import run_study
    from .folder import fill, replacing

    events, origin = origin.read()
    source: Any = {"offline": origin.offline, "store": origin.store, "vintage": origin.vintage}
    results = run_study(events, origin.config, **source, progress=progress)
    if record and results.panel.fetched:
        refuse_worse(record, results.panel.fetched, offline=origin.offline)
    if len(results) == 0:
        reason = next(iter(results.events["reason"]), "")
        raise DataError(f"none of {len(results.events)} events could be used, such as: {reason}")
    with replacing(target) as stage:
        shown = config or origin.config
        manifest = fill(stage, results, target.name, shown, origin=origin, target=target, command=command)
        seal(stage, manifest)
        found = log_changes(stage, target, moved=moved)
    return Refreshed(target, why, found, results)
