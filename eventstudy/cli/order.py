"""A study file and the options of a command become one checked order for a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..config import StudyConfig, read_toml
from ..errors import ConfigError
from ..models import make_model
from ..prices import is_name
from ..prices.store import moment
from ..runs import checked_name
from ..significance import STATISTICS


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked for.

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
        The store of prices, and the time whose prices are wanted; empty for the default, and for the newest.
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


def read_order(config_file: Path | None, events: Path | None, options: dict[str, Any]) -> Order:
    """Read a study file, put the options that were given over it, and check all of it.

    Raises
    ------
    ConfigError
        For an unknown or missing setting, or a value of the wrong type.
    """
    return _order(_settings(config_file, events, options))


def _settings(config_file: Path | None, events: Path | None, options: dict[str, Any]) -> dict[str, Any]:
    """Merge a study file with the options that were given; paths in the file are relative to it."""
    settings = read_toml(config_file) if config_file else {}
    own = settings.get("factors")
    if config_file and isinstance(own, (str, list)):
        files = [own] if isinstance(own, str) else own
        settings["factors"] = [str(config_file.parent / f) if isinstance(f, str) else f for f in files]
    for key in ("events", "out", "returns", "prices", "store", "confounders"):
        value = settings.get(key)
        if config_file and isinstance(value, str) and value and not (key == "prices" and is_name(value)):
            settings[key] = str(config_file.parent / value)
    settings |= {k: v for k, v in options.items() if v is not None and v != ()}
    if events is not None:
        settings["events"] = str(events)
    if "events" not in settings:
        raise ConfigError("name the events file", remedy="such as: eventstudy run events.csv")
    if settings.get("returns") and settings.get("prices"):
        raise ConfigError("give --prices or --returns, not both")
    if settings.get("returns") and settings.get("vintage"):
        raise ConfigError("--vintage is of stored prices, not of --returns")
    return settings


def _order(settings: dict[str, Any]) -> Order:
    """Take from the settings what is not part of the study, each in its own type."""
    kinds: dict[str, tuple[Any, Any, str]] = {
        "events": ("", (str, Path), "a path"),
        "out": ("reports", (str, Path), "a path"),
        "name": ("", str, "a text"),
        "offline": (False, bool, "true or false"),
        "strict": (False, bool, "true or false"),
        "max_loss": (1.0, (int, float), "a share between 0 and 1"),
        "store": ("", (str, Path), "a path"),
        "vintage": ("", (str, date), "a date or time"),
    }
    taken: dict[str, Any] = {}
    for key, (default, kind, words) in kinds.items():
        taken[key] = settings.get(key, default)
        number = not isinstance(taken[key], bool) and key == "max_loss"
        if not isinstance(taken[key], kind) or (key == "max_loss" and not (number and 0 <= taken[key] <= 1)):
            raise ConfigError(f"not {words}", where=key, value=taken[key])
    events = Path(taken["events"])
    study = {key: value for key, value in settings.items() if key not in kinds}
    name = checked_name(taken["name"] or events.stem)
    vintage = str(moment(taken["vintage"])) if taken["vintage"] else ""
    rest = (taken["offline"], taken["strict"], float(taken["max_loss"]), str(taken["store"]), vintage)
    return Order(events, Path(taken["out"]), name, *rest, _known(StudyConfig().with_options(study)))


def _known(config: StudyConfig) -> StudyConfig:
    """Look up model and tests now: a typing error should not cost a download."""
    make_model(config.normal_model, config.model_options, cov_type=config.cov_type)
    for name in config.tests:
        STATISTICS[name]
    return config
