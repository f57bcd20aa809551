"""Refreshing a run: nothing is done if nothing is new, and changes are reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError, PriceError, RunFolderError
from ..fitting import FittedStudy
from ..settings import StudyConfig
from ..words import say
from . import staleness
from .atomic_swap import as_run_folder_errors, clear_remains, follow_link, locked
from .compare import log_changes, read_changes
from .comparison import MOVED, Comparison
from .contents import fill
from .folder import refuse_foreign, replacing
from .manifest import MANIFEST
from .origin import Origin
from .outbox import Outbox
from .preflight import nothing_usable
from .record import Record

# Seconds to wait for another refresh: the time of a large study.
WAIT = 600.0


class PartialError(DataError):
    """A run was brought up to date but for some symbols, whose events wait."""

    exit_code = 3


@dataclass(frozen=True)
class Refreshed:
    """The outcome of a refresh.

    Attributes
    ----------
    folder : Path
    why : tuple of str
        The news; empty if there was none, and then nothing was written.
    comparison : Comparison or None
        The changes; None if nothing was written, or it is the first run.
    results : FittedStudy or None
        None if nothing was written.
    notices : tuple of str
        Notices of the source, also where nothing was written.
    held_back : mapping of str to PriceError
        Symbols that the source lost or that cannot be believed, and why: their events keep the
        prices that they had, the others are up to date.
    confirmed : str
        ISO date on which the source had given or repeated all prices; "" if the run was written.
    """

    folder: Path
    why: tuple[str, ...] = ()
    comparison: Comparison | None = None
    results: FittedStudy | None = None
    notices: tuple[str, ...] = ()
    held_back: Mapping[str, PriceError] = field(default_factory=dict)
    confirmed: str = ""

    @property
    def changed(self) -> bool:
        """Whether the run says anything that it did not say before."""
        return self.results is not None and not (self.comparison and self.comparison.same)

    def raise_if_partial(self) -> None:
        """Raise PartialError if prices are held back, for the events that wait for them."""
        if self.held_back:
            record = Record.read(self.folder)
            may_accept = staleness.has_events_without(record, self.held_back)
            what, where, remedy = staleness.describe_losses(self.held_back, may_accept=may_accept)
            state = say("losses.waiting", n=len(self.held_back))
            raise PartialError(what, where=where, remedy=f"{state}; {remedy}")


def refresh_run(
    origin: Origin, target: Path, *, config: StudyConfig | None = None, command: str = "",
    moved: float = MOVED, wait: float = WAIT, accept_loss: bool = False, outbox: bool = False,
    told: Callable[[str], None] | None = None, progress: Callable[[int, int], None] | None = None,
) -> Refreshed:  # fmt: skip
    """Compute a saved study again if an input, such as a price, has changed since it was saved.

    The function replaces the folder of the study (its run folder). It adds the changed results to
    the file ``changes.json`` in this folder. If no input has changed, the folder stays as it is.

    Parameters
    ----------
    origin : Origin
        The events file and the settings of the study, for example
        ``Origin(Path("events.csv"), StudyConfig())``.
    target : Path
        The run folder. If the folder does not exist, the function creates it.
    config : StudyConfig, optional
        The settings to show in the report, if they should differ from those of `origin`.
    command : str
        The command line to show in the report.
    moved : float
        The function lists only changes of a CAR that are larger than this decimal (0.0001 is
        0.01%).
    wait : float
        How many seconds to wait if another process is writing the same run folder.
    accept_loss : bool
        What to do if the source no longer has some prices of a share or index that the saved study
        used. If true, the function computes the study without these prices. If false, it uses the
        saved prices of this share or index. If a file of returns has lost some, it raises a
        PriceError.
    outbox : bool
        If true, the function also writes a file with the changed results into the subfolder
        ``outbox``. The next command ``eventstudy refresh --on-change COMMAND`` then runs COMMAND
        for each file in ``outbox``.
    told : callable, optional
        Function that gets each message for the user, as ``told(text)``.
    progress : callable, optional
        As in :func:`study`.

    Returns
    -------
    Refreshed
        Its attribute ``why`` lists what has changed. Its attribute ``changed`` says whether any
        result has changed.

    Raises
    ------
    RunBusyError
        If another process still writes the run folder after `wait` seconds.
    PriceError
        If the source of prices does not answer, or has none of the prices any more. The run folder
        does not change.
    DataError
        If no event can be used. The run folder does not change.
    RunFolderError
        If the run folder cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> from eventstudy.runs import Origin
    >>> _ = Path("amd.csv").write_text("ticker,announced_at" + chr(10) + "AMD,2022-10-07")
    >>> origin = Origin(Path("amd.csv"), es.StudyConfig(prices="sample"))
    >>> es.refresh_run(origin, Path("reports/amd")).why
    ('first run',)
    >>> es.refresh_run(origin, Path("reports/amd")).changed
    False
    """
    target = follow_link(target)
    try:
        origin = origin.hashed()
    except ConfigError as error:
        staleness.refuse_lost_returns(_record(target, None), origin, error)
        raise
    with as_run_folder_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target, wait=wait, notify=told):
            clear_remains(target)
            refuse_foreign(target)
            record = _record(target, told)
            since = staleness.utc_now()
            news = staleness.list_changes(record, origin, accept_loss=accept_loss)
            why = news.why
            if not why:
                facts: Any = {"held_back": news.held_back, "confirmed": news.confirmed}
                return Refreshed(target, notices=news.notices, **facts)
            source = None
            if record:
                source = staleness.KeptSource(record, origin, accept_loss, since=since)
            results, origin, facts = _compute(source, origin, progress)
            with replacing(target) as stage:
                written: Any = {"config": config or origin.config, "origin": origin}
                fill(stage, target, results, command=command, facts=facts, **written)
                comparison = log_changes(stage, target, threshold=moved)
                if outbox and not (comparison and comparison.same):
                    counts = comparison.counts if comparison else None
                    Outbox(target).add(stage, read_changes(stage)[0], why, counts)
    notices, held_back = results.panel.notices, source.held_back if source else {}
    return Refreshed(target, tuple(why), comparison, results, notices, held_back)


def _record(target: Path, notify: Callable[[str], None] | None) -> Record | None:
    """Return the run that is there; one that cannot be read is written anew."""
    if not (target / MANIFEST).is_file():
        return None
    try:
        record = Record.read(target)
        record.origin  # noqa: B018 - raises if it is not there
    except RunFolderError as error:
        if notify:
            notify(f"the run is written anew: {error}")
        return None
    return record


def _compute(
    source: staleness.KeptSource | None, origin: Origin, progress: Callable[[int, int], None] | None
) -> tuple[FittedStudy, Origin, dict[str, Any]]:
    """Return the study, its origin as it was read, and what the manifest has on losses.

    The failure of all prices is a loss where a run had some.
    """
    from ..analysis import compute_study

    inputs, origin = origin.checked(source)
    try:
        results = compute_study(inputs, progress=progress)
    except PriceError as error:
        if source is None:
            raise
        source.refuse()
        other = staleness.other_source(source.record, origin)
        remedy = f"{staleness.AS_IT_WAS}; try again later{other}"
        raise staleness.LostPricesError(error.what, where=error.where, remedy=remedy) from error
    except DataError as error:
        if source:
            staleness.refuse_lost_returns(source.record, origin, error)
        raise
    facts = staleness.refuse_lost_inputs(source, results) if source else {}
    if len(results) == 0:
        reason = next(iter(results.events["reason"]), "")
        raise nothing_usable(results, f"such as: {reason}")
    return results, origin, facts
