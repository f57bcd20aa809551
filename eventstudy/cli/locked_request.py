"""``--from-lock``: a study again on the prices that a run has kept, edited or not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    from .request import Order

SOURCES = ("prices", "returns", "store", "vintage")


def locked_order(
    folder: Path, config_file: Path | None, events: Path | None, options: dict[str, Any]
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
    from dataclasses import replace

    from ..runs.record import Record
    from ..runs.verify import refuse_altered
    from .request import read_order

    chosen = {name: value for name, value in options.items() if value not in (None, ())}
    twice = next((name for name in SOURCES if name in chosen), "")
    if twice:
        problem = f"give --{twice} or --from-lock, not both"
        raise ConfigError(problem, remedy="a lock is a source of prices")
    record = Record.read(os.path.normpath(folder))
    refuse_altered(record)
    base = record.frozen.settings()
    if config_file or (events is not None and events.suffix.lower() == ".toml"):
        source = "returns" if "returns" in base else "prices"
        base = {source: base[source]}
    elif events is None:
        base |= {"out": record.folder.parent, "name": f"{record.name}-again"}
    if not (events or config_file):
        events = record.frozen.events
    order = read_order(config_file, events, {**base, **chosen})
    target = order.out / order.name
    if not (target.exists() and target.samefile(record.folder)):
        return order
    if "name" in chosen:
        problem, remedy = "is the run itself", "choose another"
        raise ConfigError(problem, where="--name", value=order.name, remedy=remedy)
    return replace(order, name=f"{order.name}-again")
