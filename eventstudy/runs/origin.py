"""The settings of a run, and the files that it reads."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import ConfigError, ConfigFaultsError, DataError, hide_secrets
from ..events import Events
from ..files import InputFile
from ..fitting import StudyInputs
from ..prices import PriceProvider, with_paths
from ..settings import StudyConfig
from ..words import make_error
from .manifest import Sources
from .plan import NAMING_FILES, Plan

# Where a run folder keeps the events file.
EVENTS = ("data/events.csv", "data/events.parquet", "data/events.dta")
# The source of market values that is no file, and what a run keeps of its answer.
ASKED, SIZES = "yahoo", "tables/sizes.csv"


@dataclass(frozen=True, slots=True)
class Origin:
    """Settings and files of a study.

    Attributes
    ----------
    events : Path
    config : StudyConfig
    offline : bool
    store, vintage : str
        As for :func:`load_returns`.
    hashes : mapping of str to str
        SHA-256 of each file by its place in the run folder, as it was before the study.
    read_on : str
        The civil date when they were hashed: no price was asked for earlier.
    """

    events: Path
    config: StudyConfig
    offline: bool = False
    store: str = ""
    vintage: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    read_on: str = ""

    @property
    def place(self) -> str:
        """The place of the events file in the run folder."""
        ending = f"data/events{self.events.suffix.lower()}"
        return ending if ending in EVENTS else EVENTS[0]

    @property
    def files(self) -> dict[str, Path]:
        """The files that the study reads, prices aside, by their place in the run folder."""
        named: dict[str, str] = {}
        with_files(self.config, named.setdefault)
        return {self.place: self.events, **{place: Path(path) for place, path in named.items()}}

    def read(self) -> tuple[StudyInputs, Origin]:
        """Return the inputs of the study, and the origin with the hashes of its files now.

        Raises
        ------
        EventsFileError, EventStudyError
            As :func:`read_events`.
        ConfigError
            If another file cannot be read.
        """
        config = self.config
        events = Events.given(self.events, config.calendar, config.columns)
        origin = self.hashed()
        # The file may have been changed in between: what was read is what counts.
        inputs = StudyInputs(events, self.config, self.offline, self.store, self.vintage)
        return inputs, replace(origin, hashes={**origin.hashes, self.place: events.sha256})

    def checked(self, source: PriceProvider | None = None) -> tuple[StudyInputs, Origin]:
        """Return them as :meth:`read` does, once all that needs no price was checked.

        Parameters
        ----------
        source : PriceProvider, optional
            In place of the source that the settings name.

        Raises
        ------
        EventStudyError
            The only fault, or a ConfigFaultsError that names all.
        """
        from .preflight import refusals

        # A plan that is not as it was written is told before hours of work.
        Plan.beside(self.events)
        inputs, origin = self.read()
        if source and not self.config.returns:
            inputs = replace(inputs, source=source, vintage="")
        if errors := [error for _, error in refusals(inputs)]:
            raise errors[0] if len(errors) == 1 else ConfigFaultsError(errors)
        return inputs, origin

    def hashed(self) -> Origin:
        """Return the origin with the present hashes of its files; raise if one cannot be read.

        The error names the setting that names the file.
        """

        hashes = {self.place: hashlib.sha256(InputFile(self.events).content()).hexdigest()}
        for place, path in self.files.items():
            if place == self.place:
                continue
            try:
                hashes[place] = hash_of(path)
            except ConfigError as error:
                error.where = error.where or Path(place).parts[-3]
                raise
        return replace(self, hashes=hashes, read_on=str(date.today()))  # noqa: DTZ011

    def copy_to(self, stage: Path) -> None:
        """Copy the files to their places in a run folder, byte for byte.

        Raises
        ------
        DataError
            If a file was changed since it was hashed.
        """
        for place, path in self.files.items():
            copy = stage / place
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            if self.hashes[place] != hash_of(copy):
                raise make_error(DataError, "wrong.changed_amid", where=str(path))

    def frozen(self, folder: Path) -> Origin:
        """Return the origin with the inputs and prices that a run folder keeps."""
        config = with_files(self.config, lambda place, _: str(folder / place))
        if not config.returns:
            config = replace(config, prices=str(folder), fill="")
        if config.size == ASKED:
            config = replace(config, size=str(folder / SIZES))
        return replace(self, events=folder / self.place, config=config, store="", vintage="")

    def settings(self) -> dict[str, Any]:
        """Return the settings as options that ask for the same study."""
        settings = {k: v for k, v in self.config.to_dict().items() if v not in ("", [], {})}
        if self.config.returns:
            settings.pop("prices", None)
        return settings

    def to_dict(self, target: Path) -> dict[str, Any]:
        """Return values for JSON, with paths relative to the run folder: a project can be moved."""
        prices, fill = (
            hide_secrets(with_paths(spec, lambda path: _relative(path, target)))
            for spec in (self.config.prices, self.config.fill)
        )
        return {
            "files": {place: _relative(path, target) for place, path in self.files.items()},
            "prices": prices,
            "fill": fill,
            "store": _relative(self.store, target),
            "vintage": self.vintage,
            "offline": self.offline,
        }

    @classmethod
    def of(cls, sources: Sources, config: StudyConfig, target: Path) -> Origin:
        """Return the origin of a run from what its manifest has of :meth:`to_dict`.

        Parameters
        ----------
        sources : Sources
        config : StudyConfig
        target : Path
            The run folder.

        Returns
        -------
        Origin
        """
        files = sources.files
        config = with_files(config, lambda place, _: _absolute(files[place], target))
        # A query is never kept: one that stands there is of somebody else.
        prices, fill = (
            with_paths(hide_secrets(spec), lambda path: _absolute(path, target))
            for spec in (sources.prices, sources.fill)
        )
        config = replace(config, prices=prices, fill=fill)
        store = _absolute(sources.store, target)
        place = next((place for place in EVENTS if place in files), EVENTS[0])
        events = Path(_absolute(files[place], target))
        return cls(events, config, sources.offline, store, sources.vintage)


def with_files(config: StudyConfig, change: Callable[[str, str], str]) -> StudyConfig:
    """Return the settings with another path for every file that they name.

    Parameters
    ----------
    config : StudyConfig
    change : callable
        Takes the place of a file in the run folder, and its path; returns the new path.

    Returns
    -------
    StudyConfig
    """
    changes: dict[str, Any] = {}
    for name in NAMING_FILES:
        value = getattr(config, name)
        if not value or (name, value) == ("size", ASKED):
            continue
        files = enumerate([value] if isinstance(value, str) else value, 1)
        paths = [change(f"data/{name}/{k}/{Path(file).name}", file) for k, file in files]
        changes[name] = paths[0] if isinstance(value, str) else tuple(paths)
    return replace(config, **changes)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file; ConfigError if it cannot be read."""
    try:
        InputFile(path).require()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ConfigError("no such file", value=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(path)) from None


def _relative(path: str | Path, target: Path) -> str:
    if not str(path):
        return ""
    try:
        return Path(os.path.relpath(path, target)).as_posix()
    except ValueError:  # another drive
        return Path(path).absolute().as_posix()


def _absolute(path: str, target: Path) -> str:
    return os.path.normpath(target / path) if path else ""
