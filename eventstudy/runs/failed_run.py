"""The run of a study without a usable event: a page that says why, written where no result is
lost."""

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

    A folder that holds anything else than such a run stays as it is; then the answer is None.
    """
    target = out / name
    if target.exists() and not _without_results(target):
        return None
    return write_run(results, out, name, config=config, origin=origin, command=command)


def nothing_usable(results: FittedStudy, why: str, *, offline: bool) -> DataError:
    """Return the error of a study without a usable event: one that says to try later if that may
    help.

    Parameters
    ----------
    results : FittedStudy
    why : str
        What was dropped and why, in lines of its own.
    offline : bool
        Whether no source was asked, so that trying later is of no use.
    """
    n = len(results.events)
    said = f"none of {n} events could be used" if n != 1 else "the one event could not be used"
    silent = [] if offline else unanswered(results)
    if not silent:
        return DataError(f"{said}\n{why}")
    return UndecidedError(
        f"{said}\n{why}\nThe source did not answer for {some(silent)}: try again later"
    )


def unanswered(results: FittedStudy) -> list[str]:
    """Return the symbols that dropped events need and that no source answered for."""
    failures = results.panel.fetched.failures if results.panel.fetched else {}
    lost = {
        s for s, error in failures.items() if isinstance(error, (NetworkError, RateLimitedError))
    }
    dropped = results.events.loc[~results.ok].drop(columns="reason")
    cells = dict.fromkeys(str(cell) for row in dropped.itertuples(index=False) for cell in row)
    return list(dict.fromkeys(s for cell in cells for s in members(cell) if s in lost))


def _without_results(folder: Path) -> bool:
    try:
        return bool(Record.read(folder).manifest["events"]["ok"] == 0)
    except RunFolderError:
        return False
