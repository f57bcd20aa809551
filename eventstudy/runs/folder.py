"""The run folder: report, tables, figures, prices and manifest, written aside and swapped in whole."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..config import StudyConfig
from ..errors import ConfigError, RunFolderError
from ..results import EventStudyResults
from ..tables import events_table, group_column, study_tables, to_csv
from .inputs import frozen, gzipped
from .manifest import hashes, manifest_of, provenance_of


def write_run(
    results: EventStudyResults,
    out: Path,
    name: str,
    *,
    config: StudyConfig,
    source: Mapping[str, str] | None = None,
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
    source : mapping, optional
        ``events`` (file name) and ``sha256`` of the events file.
    command : str
        What was typed, for the report.

    Raises
    ------
    RunFolderError
        If the folder cannot be written, or exists and is no run of ours.
    """
    target = out / checked_name(name)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _restore(target)
        if target.exists() and not (target / "manifest.json").is_file():
            raise RunFolderError(
                "the folder exists and is not a run",
                value=str(target),
                remedy="choose another --name or --out",
            )
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=out))
        try:
            _write_files(stage, results, name, config, dict(source or {}), command)
            stage.chmod(0o755)
            _swap(stage, target)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise RunFolderError(
            f"cannot write the run folder: {error.strerror}", value=str(error.filename or target)
        ) from error
    return target


def checked_name(name: str) -> str:
    """Return `name` if it is safe as the name of a folder on every system.

    Raises
    ------
    ConfigError
        Otherwise.
    """
    if not re.fullmatch(r"\w[\w\-. ]{0,99}", name) or name.endswith((".", " ")):
        raise ConfigError(
            "not a name for a study", value=name, remedy="use letters, digits, '-', '_' and '.', and no path"
        )
    return name


def _write_files(
    stage: Path,
    results: EventStudyResults,
    name: str,
    config: StudyConfig,
    source: dict[str, str],
    command: str,
) -> None:
    from ..report.html import render_report
    from ..report.plots import write_figures

    for folder in ("tables", "figures", "data"):
        (stage / folder).mkdir()
    (stage / "events.csv").write_bytes(to_csv(events_table(results)))
    tables = study_tables(results, config)
    for table, frame in tables.items():
        (stage / "tables" / f"{table}.csv").write_bytes(to_csv(frame))
    kind, prices = frozen(results.panel)
    (stage / "data" / f"{kind}.csv.gz").write_bytes(gzipped(to_csv(prices)))
    column = group_column(results, config.by)
    groups = results.groups(column) if column else {}
    write_figures(results, stage / "figures", window=config.main)
    provenance = provenance_of(results, source, command)
    page = render_report(
        results, config=config, name=name, groups=groups, provenance=provenance, tables=tables
    )
    (stage / "report.html").write_text(page, encoding="utf-8", newline="\n")
    manifest = manifest_of(results, name, config, source, hashes(stage))
    (stage / "manifest.json").write_text(manifest, encoding="utf-8", newline="\n")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _restore(target: Path) -> None:
    """Put back the run of a process that was killed between the two renames of :func:`_swap`."""
    if not target.exists() and _old(target).exists():
        _old(target).rename(target)


def _swap(stage: Path, target: Path) -> None:
    old = _old(target)
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    stage.rename(target)
    shutil.rmtree(old, ignore_errors=True)
