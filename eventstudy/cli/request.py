"""A study file and the options of a command become one checked order for a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..fitting.config import StudyConfig
from ..fitting.settings import COMMAND_NAMES, within
from ..fitting.study_file import StudyFile, check, read_study_file
from ..prices.store import moment
from ..utility.file_names import checked_name

if TYPE_CHECKING:
    from ..runs.origin import Origin


@dataclass(frozen=True, slots=True)
class Order:
    """The settings of a run.

    Attributes
    ----------
    events, out : Path
        The events file, and the folder of the runs.
    name : str
        Name of the run; by default that of the events file.
    offline, strict : bool
    max_loss : float
        Largest share of events without a result.
    store, vintage : str
        The price cache, and the time whose prices are wanted; empty for the default, and for
        the newest.
    config : StudyConfig
    """

    events: Path
    out: Path
    name: str
    offline: bool
    strict: bool
    max_loss: float
    store: str
    vintage: str
    config: StudyConfig

    def origin(self) -> Origin:
        """Return the settings and files of the study, as a run folder keeps them."""
        from ..runs.origin import Origin

        return Origin(self.events, self.config, self.offline, self.store, self.vintage)

    @property
    def keeps_prices(self) -> bool:
        """Whether prices go to the default store."""
        return self.config.prices in ("auto", "store") and not (self.config.returns or self.store)


def read_order(config_file: Path | None, events: Path | None, options: dict[str, Any]) -> Order:
    """Read a study file, put the given options over it, and check all of it.

    Parameters
    ----------
    config_file, events : Path, optional
        `events` may be a study file as well (``.toml``).
    options : dict
        Settings by name; None and () are not given.

    Returns
    -------
    Order

    Raises
    ------
    ConfigError
        For an unknown or missing setting, or a value of the wrong type; a study file is checked as
        it stands, and all its faults are named.
    """
    config_file, events = _which(config_file, events)
    file = read_study_file(config_file) if config_file else StudyFile()
    chosen = {k: v for k, v in options.items() if v is not None and v != ()}
    if events is not None:
        chosen["events"] = str(events)
    try:
        run, config = check(file.run | file.study | chosen)
    except ConfigError as error:
        if error.where in options and error.where in chosen:
            error.where = _option(error.where)
        raise
    if not run.events:
        raise ConfigError("name the events file", remedy="such as: eventstudy run events.csv")
    if Path(run.events).is_dir():
        raise ConfigError("is a folder, not a file of events", where=run.events)
    with within("--name" if "name" in chosen else ""):
        name = checked_name(chosen.get("name", run.name or Path(run.events).stem))
    vintage = moment(run.vintage) if run.vintage else ""
    more = (run.offline, run.strict, run.max_loss, run.store, vintage)
    return Order(Path(run.events), Path(run.out), name, *more, config)


def _option(setting: str) -> str:
    """Return the option of a setting, as it is typed."""
    name = next((option for option, s in COMMAND_NAMES.items() if s == setting), setting)
    return f"--{name.replace('_', '-')}"


def _which(config_file: Path | None, events: Path | None) -> tuple[Path | None, Path | None]:
    """Return the study file and the events file; a study file may stand where events do."""
    if events is None or events.suffix.lower() != ".toml":
        return config_file, events
    if config_file is not None:
        files = f"{events} and {config_file}"
        raise ConfigError("two study files", value=files, remedy="name one of them")
    return events, None
