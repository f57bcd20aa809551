"""The run folder: report, tables, figures, inputs and manifest, written aside and swapped in whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..blas import one_thread
from ..canonical import to_csv
from ..config import StudyConfig
from ..errors import ConfigError, RunFolderError
from ..listing import listed, many
from ..results import EventStudyResults
from ..steps import step
from ..tables import events_table, group_column, study_tables
from .changes import LOG, log_changes
from .inputs import frozen, gzipped
from .lock import locked
from .long import LONG, write_long
from .manifest import MANIFEST, manifest_of, provenance_of, seal
from .origin import Origin
from .strangers import carry_over, refuse_foreign
from .swap import cleared, followed, kept, refuse_lasting, remove, stage_of, swap

if TYPE_CHECKING:
    import pandas as pd

# Bytes of a name: the files beside a run (``.NAME.on-change.lock``) are in the 255 of file systems.
LONGEST_NAME = 200
# Names that open a device on Windows, with whatever after a dot.
RESERVED = r"con|prn|aux|nul|(com|lpt)[1-9¹²³]"


def write_run(
    results: EventStudyResults,
    out: Path,
    name: str,
    *,
    config: StudyConfig,
    origin: Origin | None = None,
    command: str = "",
) -> Path:
    """Write ``out/name`` and return its path.

    Everything is written to a folder beside it first, so that a reader sees the old run or the new one.

    Parameters
    ----------
    results : EventStudyResults
    out : Path
        Created if it is missing.
    name : str
        Letters, digits, ``. _ -`` and spaces; no path.
    config : StudyConfig
        Goes into the manifest and decides windows, tests and groups.
    origin : Origin, optional
        Files and source of prices of the study: without it the run cannot be reproduced from its folder.
    command : str
        What was typed, for the report.

    Raises
    ------
    RunFolderError
        If the folder cannot be written, or exists and is no run of ours, or another process writes it, or a
        file of the user is where the run has one.
    DataError
        If a file of `origin` was changed since it was hashed.
    """
    target = followed(out / checked_name(name))
    with clear_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        refuse_foreign(target)
        with locked(target), replacing(target) as stage:
            manifest = fill(stage, results, name, config, origin=origin, target=target, command=command)
            seal(stage, manifest)
            if (target / LOG).is_file():
                log_changes(stage, target)
    return target


def checked_name(name: str) -> str:
    """Return `name` if it is safe as the name of a folder on every system.

    Raises
    ------
    ConfigError
        Otherwise.
    """
    if not re.fullmatch(r"\w[\w\-. ]{0,99}", name) or name.endswith((".", " ")):
        what, remedy = "not a name for a study", "use letters, digits, '-', '_' and '.', and no path"
    elif len(name.encode()) > LONGEST_NAME:
        what, remedy = "too long for the name of a study", f"use {LONGEST_NAME} bytes of UTF-8 at most"
    elif re.fullmatch(RESERVED, name.partition(".")[0].rstrip(), re.IGNORECASE):
        what, remedy = "Windows keeps this name for a device", "choose another --name"
    elif name.lower() == "index.html":
        what, remedy = "that is the page over all runs", "choose another --name"
    else:
        return name
    raise ConfigError(what, value=name, remedy=remedy)


@contextmanager
def clear_errors(target: Path) -> Iterator[None]:
    """Turn what the system says of a folder into one clear error."""
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
    from ..report.index import show

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
        kept(stage)
        swap(stage, target)
        show(target.parent)
    finally:
        remove(stage)


def write_tables(stage: Path, results: EventStudyResults, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Write ``events.csv`` and all tables of a run, and return these; of very many events those listed."""
    (stage / "tables").mkdir()
    (stage / "events.csv").write_bytes(to_csv(events_table(listed(results, config.main))))
    tables = study_tables(results, config)
    for table, frame in tables.items():
        (stage / "tables" / f"{table}.csv").write_bytes(to_csv(frame))
    return tables


def fill(
    stage: Path,
    results: EventStudyResults,
    name: str,
    config: StudyConfig,
    *,
    origin: Origin | None,
    target: Path,
    command: str,
) -> dict[str, Any]:
    """Write all files of a run but its manifest, and return what that is to say."""
    from ..exports import exported, finished, write_texts
    from ..report.event.pages import write_event_pages
    from ..report.html import render_report
    from ..report.plots import write_figures

    for folder in ("figures", "data"):
        (stage / folder).mkdir()
    if origin:
        origin.copy_to(stage)
    step("tables")
    tables = write_tables(stage, results, config)
    if not (origin and config.returns):
        kind, prices = frozen(results.panel)
        (stage / "data" / f"{kind}.csv.gz").write_bytes(gzipped(to_csv(prices)))
    column = group_column(results, config.by)
    groups = results.groups(column) if column else {}
    step("figures")
    write_figures(results, stage / "figures", window=config.main)
    provenance = provenance_of(results, origin, command)
    told = {"groups": groups, "provenance": provenance, "tables": tables}
    if many(results):
        step("all events")
        write_long(results, stage / LONG, config)
    pages = write_event_pages(results, stage, config=config, name=name)
    step("report")
    page = render_report(results, config=config, name=name, event_pages=pages, **told)
    (stage / "report.html").write_text(page, encoding="utf-8", newline="\n")
    step("other formats")
    run = finished(results, config=config, name=name, **told)
    write_texts(stage, run)
    if config.interactive and len(results):
        exported(run, "interactive", stage)
    return manifest_of(results, name, config, origin=origin, target=target, command=command)
