"""A finished run: its document and its tables, read from the folder or made from results in
memory."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...calendars.window import Window
from ...errors import RunFolderError
from ...fitting.config import StudyConfig
from ...fitting.fitted import group_column
from ...fitting.listed_events import listed
from ...utility.csv_text import read_csv, to_csv
from .document import SCHEMA, as_json, document_of
from .tables import events_table, study_tables

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

# Columns of text, which may look like numbers.
_TEXT = (
    "event_id", "ticker", "test", "distribution", "reason", "note", "notes", "symbol", "kind",
    "detail",
    "action", "label", "family", "one", "other", "window", "method", "left_out", "term", "errors",
    "weights",
    "trust", "main_test", "verdict", "group", "direction", "variant", "settings",
)  # fmt: skip
_DATES = {
    "abnormal_returns": ["date"],
    "faults": ["date", "last"],
    "events": ["day0"],
    "car": ["last_session"],
}


@dataclass(frozen=True, eq=False)
class Finished:
    """What exports are made from; every number is as in ``tables/*.csv``.

    Attributes
    ----------
    document : dict
        The content of ``results.json``.
    tables : mapping of str to DataFrame
        By file name.
    events : DataFrame
        ``events.csv``, its cells as text except ``day0`` and ``nobs``.
    folder : Path, optional
        The run folder that it was read from.
    """

    document: dict[str, Any]
    tables: Mapping[str, pd.DataFrame]
    events: pd.DataFrame
    folder: Path | None = None

    @property
    def main(self) -> Window:
        """The window of the headline."""
        return Window(*self.document["main"])

    @property
    def measure(self) -> str:
        """What was studied: "return", "volume" ..."""
        return str(self.document["measure"])

    @property
    def returns(self) -> bool:
        """Whether numbers are decimal returns, to be shown in percent."""
        return self.measure == "return"

    @property
    def groups(self) -> list[str]:
        """The groups, that of the answer first; empty if the events are one sample."""
        return [str(s["group"]) for s in self.document["samples"] if s["group"]]

    def beside(self, name: str) -> pd.DataFrame:
        """Return a table about the events of the answer; empty if there is none for them."""
        none = pd.DataFrame(columns=["start", "stop"])
        if not self.groups:
            return self.tables.get(name, none)
        table, column = self.tables.get(f"{name}_by_group"), str(self.document["group_column"])
        if table is None:
            return none
        return table[table[column] == self.groups[0]].drop(columns=column)

    def over_main(self, name: str) -> pd.DataFrame:
        """Return the rows of a table that are over the main window; empty if there is no such
        table."""
        return self.at_main(self.tables.get(name, pd.DataFrame(columns=["start", "stop"])))

    def at_main(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that are over the main window."""
        return table[(table["start"] == self.main.start) & (table["stop"] == self.main.stop)]


def finished(
    results: FittedStudy,
    *,
    config: StudyConfig | None = None,
    name: str = "study",
    groups: Mapping[str, FittedStudy] | None = None,
    provenance: Mapping[str, Any] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> Finished:
    """Return results as a finished run, through the very text of its files; see ``write_run``."""
    windows = results.abnormal.windows
    config = config or StudyConfig(estimation=windows.estimation, event=results.abnormal.event)
    if groups is None:
        column = group_column(results, config.by)
        groups = results.groups(column) if column else {}
    tables = study_tables(results, config) if tables is None else tables
    document = document_of(
        results, config=config, name=name, groups=groups, provenance=provenance or {}, tables=tables
    )
    column = document["group_column"]
    written = {n: _table(io.BytesIO(to_csv(t)), n, column) for n, t in tables.items()}
    events = _events(io.BytesIO(to_csv(events_table(listed(results, config.main)))))
    return Finished(json.loads(as_json(document)), written, events)


def read_run(folder: Path) -> Finished:
    """Return the run in a folder.

    Raises
    ------
    RunFolderError
        If this is no run, or one of another version.
    """
    file = folder / "results.json"
    if not (folder / "manifest.json").is_file():
        raise RunFolderError(
            "this is not a run", value=str(folder), remedy="give a folder of eventstudy run"
        )
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        known = document["schema"] == SCHEMA
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise RunFolderError(
            "the run has no results.json of this version",
            value=str(folder),
            remedy="run the study again",
        )
    column = document["group_column"]
    tables = {p.stem: _table(p, p.stem, column) for p in sorted((folder / "tables").glob("*.csv"))}
    return Finished(document, tables, _events(folder / "events.csv"), folder)


def _table(source: Path | io.BytesIO, name: str, column: str) -> pd.DataFrame:
    """Read a table of a run; blanks are NaN in columns of numbers and "" in columns of text."""
    text = [c for c in (*_TEXT, column) if c]
    table = read_csv(
        source, float_precision="round_trip", dtype=dict.fromkeys(text, str), keep_default_na=False,
        na_values=[""],
    )  # fmt: skip
    blank = [c for c in table.columns if c in text or pd.api.types.is_string_dtype(table[c])]
    table = table.fillna(dict.fromkeys(blank, ""))
    for date in table.columns.intersection(_DATES.get(name, [])):
        table[date] = pd.to_datetime(table[date])
    return table


def _events(source: Path | io.BytesIO) -> pd.DataFrame:
    table = read_csv(source, dtype=str, keep_default_na=False)
    return table.assign(day0=pd.to_datetime(table["day0"]), nobs=table["nobs"].astype(int))
