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
    """Return the order of a study whose prices are those of a run.

    Without a study file the settings, and without events the events, are those of the run as well;
    options go before both. The run itself is never written over.

    Raises
    ------
    ConfigError
        If another source of prices is named, or the name is that of the run.
    AlteredError
        If what the run keeps is not as it was written.
    """
    from dataclasses import replace

    from ..runs.record import Record
    from ..runs.verify import refuse_altered
    from .request import read_order

    given = {name: value for name, value in options.items() if value not in (None, ())}
    twice = next((name for name in SOURCES if name in given), "")
    if twice:
        raise ConfigError(
            f"give --{twice} or --from-lock, not both", remedy="a lock is a source of prices"
        )
    record = Record.read(os.path.normpath(folder))
    refuse_altered(record)
    frozen = record.frozen
    kept = frozen.settings()
    own = {name: kept[name] for name in ("returns" if "returns" in kept else "prices",)}
    from_file = config_file or (events is not None and events.suffix.lower() == ".toml")
    if not from_file:
        own = kept
        own |= (
            {"out": record.folder.parent, "name": f"{record.name}-again"} if events is None else {}
        )
    order = read_order(
        config_file, events if events or config_file else frozen.events, {**own, **given}
    )
    if _same(order.out / order.name, record.folder):
        if "name" in given:
            raise ConfigError(
                "is the run itself", where="--name", value=order.name, remedy="choose another"
            )
        order = replace(order, name=f"{order.name}-again")
    return order


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)
