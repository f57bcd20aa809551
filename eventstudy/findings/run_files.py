"""A finished run: its findings, and the tables that they leave to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..errors import RunFolderError
from ..utility.csv_text import OUTCOME, read_csv
from .document import read_json, to_json
from .tables import SHOWN_ELSEWHERE
from .types import Findings

if TYPE_CHECKING:
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy

RESULTS = "results.json"
# Columns of text of the tables that stand only in files, which may look like numbers.
TEXTS = ("event_id", "ticker")
DATES = {"date", "last_session"}


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What every format is made from.

    Attributes
    ----------
    findings : Findings
    tables : mapping of str to DataFrame
        All of ``tables/*.csv`` by file name, with their types.
    folder : Path, optional
        The run folder that it was read from.
    """

    findings: Findings
    tables: Mapping[str, pd.DataFrame]
    folder: Path | None = None

    @cached_property
    def events(self) -> pd.DataFrame:
        """The table of ``events.csv``, its cells as text but for ``day0`` and ``nobs``."""
        rows = [
            {
                **event.cells,
                "day0": event.day0,
                "status": "ok" if event.is_used else "dropped",
                "reason": str(event.reason),
                "flags": ";".join(event.flags),
                "nobs": event.nobs,
            }
            for event in self.findings.events
        ]
        table = pd.DataFrame(rows, columns=None if rows else OUTCOME)
        return table.assign(day0=pd.to_datetime(table["day0"].replace("", None)))


def finished(
    study: FittedStudy,
    *,
    config: StudyConfig | None = None,
    name: str = "study",
    provenance: Mapping[str, Any] | None = None,
) -> FinishedRun:
    """Return results as a finished run; nothing is written.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig, optional
        By default one with the windows of the study.
    name : str
        Name of the run.
    provenance : mapping, optional
        As for :func:`~eventstudy.findings.build.findings_of`.
    """
    from .build import findings_of
    from .tables import study_tables

    config = config or settings_of(study)
    tables = study_tables(study, config)
    findings = findings_of(study, config, name=name, provenance=provenance, tables=tables)
    return FinishedRun(findings, tables)


def settings_of(study: FittedStudy) -> StudyConfig:
    """Return the settings of a study that was fitted without any: its windows and its model."""
    from ..fitting.config import StudyConfig

    a = study.abnormal
    return StudyConfig(estimation=a.windows.estimation, event=a.event, model=study.model.name)


def read_run(folder: Path) -> FinishedRun:
    """Return the run in a folder; tables that the findings have are taken from there.

    Raises
    ------
    RunFolderError
        If this is no run, or one of another version.
    """
    if not (folder / "manifest.json").is_file():
        raise RunFolderError(
            "this is not a run" if folder.exists() else "there is no such folder",
            value=str(folder),
            remedy="give a folder of eventstudy run",
        )
    findings = read_findings(folder)
    files = {path.stem: path for path in (folder / "tables").glob("*.csv")}
    column = findings.setup.group_column
    tables = {n: _table(files[n], column) for n in SHOWN_ELSEWHERE & files.keys()}
    return FinishedRun(findings, {**findings.tables, **tables}, folder)


def read_findings(folder: Path) -> Findings:
    """Return the findings of the run in a folder; RunFolderError if it has none of this form."""
    try:
        text = (folder / RESULTS).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunFolderError(
            f"the run has no {RESULTS}",
            where=str(folder),
            remedy="restore it, or run the study again",
        ) from None
    except (OSError, UnicodeError):
        text = "{}"
    return read_json(text, str(folder / RESULTS))


def results_text(findings: Findings) -> str:
    """Return ``results.json``: the findings, and the answers of all events and of each group."""
    names = {"": "pooled", "pooled": "pooled (group)"}
    samples = (findings.pooled, *findings.groups)
    answers = {names.get(s.group, s.group): s.answer.to_dict() for s in samples}
    return to_json(findings, answer=answers)


def _table(path: Path, column: str) -> pd.DataFrame:
    """Return a table of a run with its types; a blank cell is NaN."""
    texts = dict.fromkeys([*TEXTS, *filter(None, [column])], str)
    table = read_csv(
        path, float_precision="round_trip", dtype=texts, keep_default_na=False, na_values=[""]
    )
    dates = {
        name: pd.to_datetime(table[name]).astype("datetime64[s]")
        for name in DATES & {*table.columns}
    }
    return table.assign(**dates)
