"""The run of a study without a usable event: a page that says why, written where no result is lost."""

from __future__ import annotations

from pathlib import Path

from ..config import StudyConfig
from ..errors import RunFolderError
from ..results import EventStudyResults
from .folder import write_run
from .origin import Origin
from .record import Record


def write_failed(
    results: EventStudyResults,
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


def _without_results(folder: Path) -> bool:
    try:
        return bool(Record.read(folder).manifest["events"]["ok"] == 0)
    except RunFolderError:
        return False
