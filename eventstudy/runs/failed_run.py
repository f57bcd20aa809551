"""The run of a study without a usable event: a page with the reasons, written over no result."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, NetworkError, RateLimitedError, RunFolderError, UndecidedError
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy
from ..returns.benchmarks import members
from .folder import write_run
from .lost_prices import some
from .origin import Origin
from .record import Record


def write_failed(
    results: FittedStudy,
    out: Path,
    name: str,
    *,
    config: StudyConfig,
    origin: Origin | None = None,
    command: str = "",
) -> Path | None:
    """Write the run of a study without a usable event as :func:`write_run` does; return its path.

    Parameters
    ----------
    results : FittedStudy
    out : Path
    name : str
    config : StudyConfig
    origin : Origin, optional
    command : str
        As for :func:`write_run`.

    Returns
    -------
    Path or None
        None if the folder holds anything else than such a run: it stays as it is.
    """
    target = out / name
    if target.exists() and not _without_results(target):
        return None
    return write_run(results, out, name, config=config, origin=origin, command=command)


def nothing_usable(results: FittedStudy, why: str, *, offline: bool) -> DataError:
    """Return the error of a study without a usable event.

    Parameters
    ----------
    results : FittedStudy
    why : str
        The dropped events and the reasons, on lines of their own.
    offline : bool
        Whether no source was asked, so that trying later is of no use.

    Returns
    -------
    DataError
        An UndecidedError, which says to try later, if that may help.
    """
    n = len(results.events)
    problem = f"none of {n} events could be used" if n != 1 else "the one event could not be used"
    silent = [] if offline else unanswered(results)
    if not silent:
        return DataError(f"{problem}\n{why}")
    remedy = f"The source did not answer for {some(silent)}: try again later"
    return UndecidedError(f"{problem}\n{why}\n{remedy}")


def unanswered(results: FittedStudy) -> list[str]:
    """Return the symbols that dropped events need and that no source answered for."""
    failures = results.panel.fetched.failures if results.panel.fetched else {}
    kinds = NetworkError, RateLimitedError
    silent = {symbol for symbol, error in failures.items() if isinstance(error, kinds)}
    dropped = results.events.loc[~results.ok].drop(columns="reason")
    cells = dict.fromkeys(str(cell) for row in dropped.itertuples(index=False) for cell in row)
    return list(dict.fromkeys(s for cell in cells for s in members(cell) if s in silent))


def _without_results(folder: Path) -> bool:
    try:
        return bool(Record.read(folder).manifest["events"]["ok"] == 0)
    except RunFolderError:
        return False
