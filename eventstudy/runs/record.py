"""A run folder that is read: its manifest and its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, RunFolderError
from ..fitting.config import StudyConfig
from ..utility.csv_text import read_csv
from .manifest import MANIFEST, SCHEMA
from .origin import ASKED, SIZES, Origin

if TYPE_CHECKING:
    import pandas as pd


FAMILY = SCHEMA.partition("/")[0] + "/"
# What is read of a manifest, and what it must be.
KEYS: dict[str, type] = {
    "name": str, "written_at": str, "asked_on": str, "answers": list, "asked": dict, "config": dict,
    "events": dict, "failures": dict, "files": dict, "origin": dict, "prices": dict,
    "versions": dict,
}  # fmt: skip
# What runs did before there was a setting for it.
BEFORE = {"benchmark_policy": "strict"}


@dataclass(frozen=True, eq=False)
class Record:
    """A run folder.

    Attributes
    ----------
    folder : Path
    manifest : mapping
        What ``manifest.json`` says.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def read(cls, folder: str | Path) -> Record:
        """Read the manifest of a run folder.

        Raises
        ------
        RunFolderError
            If it is not a run folder, or one of another version.
        """
        path = Path(folder) / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            remedy = "name a folder with a manifest.json"
            raise RunFolderError("is not a run folder", where=str(folder), remedy=remedy) from None
        except OSError as error:
            raise RunFolderError(f"cannot be read ({error.strerror})", where=str(path)) from None
        except (ValueError, RecursionError):
            raise RunFolderError("is cut short, or is no JSON", where=str(path)) from None
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if not str(schema).startswith(FAMILY):
            raise RunFolderError("is not the manifest of a run", where=str(path))
        if schema != SCHEMA:
            problem = f"is a run of another version, {schema}, and this program reads {SCHEMA}"
            remedy = "run the study again, or use the eventstudy that wrote it"
            raise RunFolderError(problem, where=str(folder), remedy=remedy)
        bad = [key for key, kind in KEYS.items() if not isinstance(manifest.get(key), kind)]
        if bad:
            raise RunFolderError(f"is damaged: no usable {', '.join(bad)}", where=str(path))
        return cls(Path(folder), manifest)

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.manifest["name"])

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as they were written; one that came later has its former behaviour."""
        return {**BEFORE, **self.manifest["config"]}

    @cached_property
    def config(self) -> StudyConfig:
        """The settings, with paths as they were given; RunFolderError if they are not valid."""
        try:
            return StudyConfig().with_options(self.settings)
        except ConfigError as error:
            raise RunFolderError(f"config: {error}", where=str(self.folder / MANIFEST)) from None

    @cached_property
    def origin(self) -> Origin:
        """Where the study came from, with paths from here.

        Raises
        ------
        RunFolderError
            If the run was written by a program that did not say.
        """
        if not self.manifest["origin"]:
            problem = "does not keep what it was computed from"
            remedy = "pass origin= to write_run, or use eventstudy run"
            raise RunFolderError(problem, where=str(self.folder), remedy=remedy)
        return Origin.of(self.manifest["origin"], self.config, self.folder)

    @property
    def frozen(self) -> Origin:
        """The same with what the folder keeps in the place of files and prices."""
        return self.origin.frozen(self.folder)

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of the kept inputs, prices included, by place."""
        files: Mapping[str, str] = self.manifest["files"]
        sizes = SIZES if self.config.size == ASKED else ""
        places = [place for place in files if place.startswith("data/") or place == sizes]
        return {place: files[place] for place in places}

    @cached_property
    def reasons(self) -> dict[str, str]:
        """Codes of the reasons for which events were dropped, by event; none of an older run."""
        try:
            text = (self.folder / "results.json").read_text(encoding="utf-8")
            events = json.loads(text)["events"]
            return {e["cells"]["event_id"]: e["reason"]["code"] for e in events if e["reason"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    @property
    def without_result(self) -> pd.DataFrame:
        """The events as text, with a column `lost`: whether they lack a CAR of the main window."""
        events, cars = self.cells("events.csv"), self.table("tables/car.csv").dropna(subset="car")
        main = (cars["start"] == self.config.main.start) & (cars["stop"] == self.config.main.stop)
        return events.assign(lost=~events["event_id"].isin(cars.loc[main, "event_id"]))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the run, such as ``tables/car.csv``, numbers exact, or an empty one."""
        import pandas as pd

        path = self.folder / name
        if not path.is_file():
            return pd.DataFrame()
        exact: Any = {"dtype": {"event_id": "str", "ticker": "str"}, "na_values": [""]}
        return read_csv(path, float_precision="round_trip", keep_default_na=False, **exact)

    def cells(self, name: str) -> pd.DataFrame:
        """Return the cells of a table as text.

        Raises
        ------
        RunFolderError
            If the run has no such table any more, or one that cannot be read.
        """
        try:
            return cells_of(self.folder / name)
        except FileNotFoundError:
            problem = "the run lacks it"
        except ValueError as error:
            problem = f"cannot be read as a table ({str(error).strip()})"
        remedy = "restore the run, or run the study again"
        raise RunFolderError(problem, where=str(self.folder / name), remedy=remedy)


def cells_of(path: Path) -> pd.DataFrame:
    """Return the cells of a CSV file as text."""
    import pandas as pd

    try:
        return read_csv(path, dtype="str", keep_default_na=False, na_filter=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
