"""A study file, a kept run and the options of a command become one checked order for a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import click

from ..errors import ConfigError
from ..files import checked_name, inside
from ..findings import Findings
from ..prices import moment
from ..runs import Origin, Record, RunFolder
from ..settings import StudyConfig, StudyFile, StudyFileError, within
from ..words import make_error, say, words
from .shared import HERE, INCOMPLETE, notify, say_home, show_end, tell

# Settings that say where prices come from.
SOURCES = ("prices", "returns", "store", "vintage")
# Events without a result that a message names.
NAMED = 8


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, and where.

    Attributes
    ----------
    origin : Origin
        Settings and files of the study.
    out : Path
        The folder of the runs.
    name : str
        Name of the run; by default that of the events file.
    strict : bool
    max_loss : float
        Largest share of events without a result.
    """

    origin: Origin
    out: Path
    name: str
    strict: bool
    max_loss: float

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.out / self.name

    def begin(self) -> None:
        """Say where prices are kept."""
        config = self.origin.config
        if config.prices in ("auto", "store") and not (config.returns or self.origin.store):
            say_home()

    def stand_ins(self, findings: Findings) -> str:
        """Return a line on prices of the sample, as the source did not answer; "" for none."""
        may_ask = self.origin.config.prices == "auto" and not self.origin.offline
        prices = findings.provenance.get("prices", {}).items() if may_ask else ()
        names = [symbol for symbol, entry in prices if entry["source"] == "sample"]
        line = say("losses.stand_in", n=len(names), symbols=words().and_more(names))
        return f"{line}\n\n" if names else ""

    def end_if_incomplete(self, findings: Findings) -> None:
        """End the command if more events have no CAR over the main window than allowed, or all.

        With `strict` also if another source of prices stood in for the one that was asked.

        Parameters
        ----------
        findings : Findings
            Of the run that was written.
        """
        setup = findings.setup
        if self.strict and (text := self.stand_ins(findings)):
            _end(text.strip())
        lost = setup.n_events - setup.n_used + findings.pooled.n_lacking
        share = lost / setup.n_events
        if not lost or (share <= self.max_loss and share < 1 and not self.strict):
            return
        limit = "--strict" if self.strict else f"--max-loss {self.max_loss:g}"
        code = "losses.head" if share < 1 else "losses.none_left"
        head = say(code, share=share, window=str(setup.main), limit=limit)
        lines = _events_without_car(findings)[:NAMED]
        more = [say("losses.more", n=lost - len(lines))] if lost > len(lines) else []
        _end("\n  ".join([head, *lines, *more]))


def _end(why: str) -> NoReturn:
    """End the command as incomplete; the run that is there was checked nevertheless."""
    tell("incomplete", why, exit_code=INCOMPLETE)
    show_end(click.get_current_context())
    sys.exit(INCOMPLETE)


def _events_without_car(findings: Findings) -> list[str]:
    """Return a line with the reason for each listed event without a CAR over the main window."""
    main, lines = findings.setup.main, []
    for event in findings.events:
        if why := event.car(main).reason if event.is_used else event.reason:
            facts = {name: event.cells[name] for name in ("event_id", "ticker")}
            lines.append(say("losses.event", why=why, **facts))
    return lines


def read_order(config_file: Path | None, events: Path | None, options: Mapping[str, Any]) -> Order:
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
    if events is None and config_file is None:
        events = _find_study(is_silent=bool(click.get_current_context().params.get("quiet")))
    if is_study_file(events):
        if config_file is not None:
            raise make_error(ConfigError, "wrong.two_files", value=f"{events} and {config_file}")
        config_file, events = events, None
    file = _study_file(config_file, events) if config_file else StudyFile()
    chosen = _chosen(options)
    if "grid" in chosen:
        chosen["grid"] = {**file.study.get("grid", {}), **chosen["grid"]}
    if events is not None:
        chosen["events"] = str(events)
    run, config = file.check(**chosen)
    if not run.events:
        raise make_error(ConfigError, "wrong.no_events")
    path = Path(run.events)
    if path.is_dir():
        raise ConfigError("is a folder, not a file of events", where=run.events)
    with within("name" if "name" in chosen else ""):
        name = checked_name(chosen.get("name", run.name or path.stem))
    vintage = moment(run.vintage) if run.vintage else ""
    origin = Origin(path, config, run.offline, run.store, vintage)
    return Order(origin, Path(run.out), name, run.strict, run.max_loss)


def _find_study(*, is_silent: bool) -> Path | None:
    """Return the study or the events of this folder, and say which; None without either."""
    path = next((Path(name) for name in HERE if Path(name).is_file()), None)
    if path and not is_silent:
        tell("found_study", f"Reading {path}.", level="info")
    return path


def _study_file(path: Path, events: Path | None) -> StudyFile:
    """Read a study file; of one with faults those of its columns and files are named as well."""
    from .check import check_study

    try:
        return StudyFile.read(path)
    except StudyFileError:
        faults = [f for f in check_study(path)[3] if f.column != "events" or events is None]
        raise StudyFileError(path, faults) from None


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are given; of several models the first is that of the study."""
    chosen = {name: value for name, value in options.items() if value not in (None, (), {})}
    if isinstance(chosen.get("grid"), tuple):
        chosen["grid"] = _grid(chosen["grid"])
    models = _listed(chosen.get("model", ""))
    if len(models) > 1:
        chosen |= {"model": models[0], "grid": {"model": models, **chosen.get("grid", {})}}
    if isinstance(chosen.get("windows"), tuple):
        listed = (_listed(text) if ":" in text else [text] for text in chosen["windows"])
        chosen["windows"] = tuple(chain.from_iterable(listed))
    return chosen


def _grid(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return the lists of ``NAME=CHOICE,CHOICE``; a sample has commas of its own."""
    lists: dict[str, list[str]] = {}
    for text in texts:
        name, is_list, choices = text.partition("=")
        if not is_list:
            raise make_error(ConfigError, "wrong.no_grid", where="grid", value=text)
        lists.setdefault(name, []).extend([choices] if name == "sample" else _listed(choices))
    return lists


def _listed(text: str) -> list[str]:
    return [member.strip() for member in text.split(",") if member.strip()]


def is_study_file(path: Path | None) -> bool:
    """Return whether a path is that of a study file, by its ending."""
    return path is not None and path.suffix.lower() == ".toml"


def locked_order(
    folder: Path, config_file: Path | None, events: Path | None, options: Mapping[str, Any]
) -> Order:
    """Return the order of a study whose prices are those of a run, which is never written over.

    Without a study file the settings, and without events the events, are those of the run as well;
    options go before both.

    Parameters
    ----------
    folder : Path
        The run.
    config_file, events : Path or None
    options : dict
        Settings by name; None and () are not given.

    Returns
    -------
    Order

    Raises
    ------
    ConfigError
        If another source of prices is named, or the name is that of the run.
    AlteredError
        If the inputs in the run are not as they were written.
    """
    chosen = _chosen(options)
    if twice := next((name for name in SOURCES if name in chosen), ""):
        raise make_error(ConfigError, "wrong.lock", option=twice)
    record = Record.read(os.path.normpath(folder))
    record.refuse_altered()
    base = record.frozen.settings()
    if config_file or is_study_file(events):
        source = "returns" if "returns" in base else "prices"
        base = {source: base[source]}
    elif events is None:
        events = record.frozen.events
        base |= {"out": record.folder.parent, "name": f"{record.facts.name}-again"}
    order = read_order(config_file, events, {**base, **chosen})
    if not (order.folder.exists() and order.folder.samefile(record.folder)):
        return order
    if "name" in chosen:
        raise make_error(ConfigError, "wrong.itself", where="--name", value=order.name)
    return replace(order, name=f"{order.name}-again")


def order_of_run(
    folder: Path, config_file: Path | None, options: Mapping[str, Any], *, trust: bool = False
) -> tuple[Order, StudyConfig | None]:
    """Return the order of a run folder, with the given options in the place of its own.

    Parameters
    ----------
    folder : Path
    config_file : Path or None
        Refused if it is given.
    options : dict
        Settings by name; None and () are not given.
    trust : bool
        Read files outside the folder even if the run was written elsewhere.

    Returns
    -------
    Order
    StudyConfig or None
        The settings as the run shows them, if no option is given.

    Raises
    ------
    ConfigError
        If a study file, or another place, is named.
    """
    fixed = [name for name in ("out", "name") if options.get(name)]
    if config_file or fixed:
        where = f"--{fixed[0] if fixed else 'config'}"
        raise ConfigError(say("wrong.placed"), where=where, value=str(folder))
    folder = RunFolder(Path(os.path.normpath(folder))).path
    record = Record.read(folder)
    origin = record.origin
    if not trust:
        record.refuse_outside()
    if not origin.events.is_file() and (folder / origin.place).is_file():
        notify(f"{origin.events} is not there: the run's own copy of the events is used")
        origin = replace(origin, events=inside(folder, origin.place))
    run = {"store": origin.store, "vintage": origin.vintage, "offline": origin.offline}
    full = folder if folder.name else folder.absolute()
    place = {"out": full.parent, "name": full.name}
    base = {**origin.settings(), **{k: v for k, v in run.items() if v}, **place}
    chosen = _chosen(options)
    order = read_order(None, origin.events, {**base, **chosen})
    return order, None if chosen else record.config
