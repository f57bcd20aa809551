"""The run folder: report, tables, figures, inputs and manifest, replaced in one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RunFolderError
from ..findings.tables import events_table, study_tables
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy, is_large, listed
from ..utility.blas import one_thread
from ..utility.csv_text import to_csv
from ..utility.file_names import checked_name
from ..utility.progress import step
from .atomic_swap import cleared, followed, refuse_lasting, remove, stage_of, swap, sync_to_disk
from .change_log import LOG, log_changes
from .inputs import frozen, gzipped
from .lock import locked
from .long_table import LONG, write_long
from .manifest import MANIFEST, manifest_of, provenance_of, seal
from .origin import Origin
from .ownership import carry_over, refuse_foreign

if TYPE_CHECKING:
    import pandas as pd


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
    target = followed(out / checked_name(name))
    with clear_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        refuse_foreign(target)
        with locked(target), replacing(target) as stage:
            study = results, name, config
            manifest = fill(stage, *study, origin=origin, target=target, command=command)
            seal(stage, manifest)
            if (target / LOG).is_file():
                log_changes(stage, target)
    return target


@contextmanager
def clear_errors(target: Path) -> Iterator[None]:
    """Turn an error of the operating system about a folder into a RunFolderError."""
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            f"cannot write the run folder: {error.strerror}", value=str(error.filename or target),
            remedy="the run that was there is as it was" if (target / MANIFEST).is_file() else "",
        ) from error  # fmt: skip


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give an empty folder to write to, and put it in the place of `target` if all went well.

    The lock of `target` must be held. What is computed inside is computed by :func:`one_thread`.
    """
    from .index import show

    cleared(target)
    refuse_foreign(target)
    refuse_lasting(target)
    stage = stage_of(target)
    try:
        stage.mkdir()
        with one_thread():
            yield stage
        carry_over(target, stage)
        step("onto the disk")
        sync_to_disk(stage)
        swap(stage, target)
        show(target.parent)
    finally:
        remove(stage)


def write_tables(stage: Path, results: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Write ``events.csv`` and all tables of a run, and return these.

    Parameters
    ----------
    stage : Path
        The folder to write to.
    results : FittedStudy
        Of very many events those listed are written.
    config : StudyConfig

    Returns
    -------
    dict of str to DataFrame
    """
    (stage / "tables").mkdir()
    (stage / "events.csv").write_bytes(to_csv(events_table(listed(results, config.main))))
    tables = study_tables(results, config)
    for table, frame in tables.items():
        (stage / "tables" / f"{table}.csv").write_bytes(to_csv(frame))
    return tables


def fill(
    stage: Path,
    results: FittedStudy,
    name: str,
    config: StudyConfig,
    *,
    origin: Origin | None,
    target: Path,
    command: str,
) -> dict[str, Any]:
    """Write all files of a run but its manifest, and return the manifest.

    Parameters
    ----------
    stage : Path
        An empty folder.
    results : FittedStudy
    name : str
    config : StudyConfig
    origin : Origin or None
    target : Path
        The folder whose place it will take.
    command : str

    Returns
    -------
    dict
    """
    from ..findings.build import findings_of
    from ..findings.run_files import FinishedRun
    from ..report.formats.formats import HELD, exported

    (stage / "data").mkdir()
    if origin:
        origin.copy_to(stage)
    step("tables")
    tables = write_tables(stage, results, config)
    if not (origin and config.returns):
        kind, prices = frozen(results.panel)
        (stage / "data" / f"{kind}.csv.gz").write_bytes(gzipped(to_csv(prices)))
    if is_large(results):
        step("all events")
        write_long(results, stage / LONG, config)
    step("findings")
    provenance = provenance_of(results, origin, command)
    findings = findings_of(results, config, name=name, provenance=provenance, tables=tables)
    kinds = [*HELD, *["interactive"] * bool(config.interactive and len(results))]
    for kind in kinds:
        step(f"report ({kind})")
        exported(FinishedRun(findings, tables), kind, stage)
    if config.figures and len(results):
        write_figures(results, stage, config)
    return manifest_of(results, findings, config, origin=origin, target=target, command=command)


def write_figures(results: FittedStudy, stage: Path, config: StudyConfig) -> None:
    """Write the figures of a study for papers, as SVG, PDF and PNG.

    Parameters
    ----------
    results : FittedStudy
    stage : Path
        Folder that gets ``figures``.
    config : StudyConfig
    """
    from ..report.figures import plots

    step("figures")
    (stage / "figures").mkdir()
    plots.write_figures(results, stage / "figures", window=config.main)
