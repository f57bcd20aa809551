"""``eventstudy one``: the study of one announcement, whose events file is written by the way."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from .options import StudyCommand, options
from .run import RUN_OPTIONS, run

# Where a fault of the row stands on the command line.
ARGUMENTS = {"ticker": "TICKER", "announced_at": "DATE"}
# Options of `run` that choose columns of a file.
COLUMNS = {"--ticker", "--date"}


@click.command(cls=StudyCommand)
@click.argument("ticker")
@click.argument("date")
@options(*(row for row in RUN_OPTIONS if not COLUMNS.intersection(row[0].split())))
def one(ticker: str, date: str, **settings: Any) -> None:
    """Study one announcement: TICKER as Yahoo spells it, DATE as YYYY-MM-DD.

    DATE may have a time and its zone. The run is named after both and keeps them as an events file
    of one row (data/events.csv), to which other announcements can be added.

    \b
      eventstudy one 002415.SZ 2019-05-22
      eventstudy one NVDA 2022-08-31T16:30-04:00 -p sample --offline
    \f

    Parameters
    ----------
    ticker, date : str
    **settings
        As the options of `run` have them.
    """
    from ..errors import ConfigError, ConfigFaultsError, EventsFileError

    context = click.get_current_context()
    path = Path(context.with_resource(TemporaryDirectory()), "events.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([ARGUMENTS, (ticker, date)])
    name = re.sub(r"[^\w.-]+", "-", f"{ticker}-{date[:10]}").strip("-.")
    settings["name"] = settings["name"] or name
    try:
        context.invoke(run, events=path, from_lock=None, **settings)
    except EventsFileError as error:
        faults = [
            ConfigError(p.what, where=ARGUMENTS.get(p.column, ""), value=p.value, remedy=p.remedy)
            for p in error.problems
        ]
        raise ConfigFaultsError(faults) from None
