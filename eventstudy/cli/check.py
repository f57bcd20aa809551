"""``eventstudy check``: the events of a file and their day 0, or everything that is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .parts import EXIT_CODES, NO_STUDY, debug_option

if TYPE_CHECKING:
    from ..errors import Problem
    from ..events.checks import Checked


@click.command(epilog=EXIT_CODES)
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--calendar", type=click.Choice(["exchange", "data"]), default="exchange", help="As for run.")
@click.option("--json", "as_json", is_flag=True, help="Print events and problems as JSON.")
@debug_option
def check(events: Path, calendar: Any, as_json: bool) -> None:
    """Check EVENTS and show the day 0 of each event; exit with 1 if any row is bad.

    Of a study file (.toml) its settings are checked first, then the events that it names.
    """
    from ..events.table import check_file

    if events.suffix.lower() == ".toml":
        from .order import read_order

        order = read_order(None, events, {})
        events, calendar = order.events, order.config.calendar
    good, problems, _ = check_file(events, calendar=calendar)
    rows = [] if good is None else _checked(good)
    if as_json:
        found = [{k: getattr(p, k) for k in ("line", "column", "what", "value", "remedy")} for p in problems]
        click.echo(json.dumps({"events": rows, "problems": found}, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            flags = ", ".join(row["flags"])
            click.echo(
                f"{row['day0']}  {row['ticker']:<12} {row['event_id']}{f'  ({flags})' if flags else ''}"
            )
        _report_problems(events, problems, len(rows))
    if problems:
        sys.exit(NO_STUDY)


def _checked(good: Checked) -> list[dict[str, Any]]:
    shown = ("event_id", "ticker", "announced_at", "exchange")
    columns = [*map(good.column, shown), good.day0.astype(str).tolist(), good.column("flags")]
    return [
        {**dict(zip(shown, row, strict=False)), "day0": day0, "flags": [f for f in flags.split(";") if f]}
        for *row, day0, flags in zip(*columns, strict=True)
    ]


def _report_problems(path: Path, problems: Sequence[Problem], good: int) -> None:
    for problem in problems:
        click.echo(f"{path}:{problem}", err=True)
    click.echo(f"{good} events are good, {len(problems)} problem{'s' * (len(problems) != 1)} found", err=True)
