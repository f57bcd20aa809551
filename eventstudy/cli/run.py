"""``eventstudy run``: an order becomes a study, the study a run folder, and a summary is printed."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import study_options
from .parts import EXIT_CODES, INCOMPLETE, debug_option, progress, say

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..results import EventStudyResults


@click.command(epilog=EXIT_CODES)
@click.argument("events", required=False, type=click.Path(path_type=Path))
@study_options
@debug_option
def run(
    events: Path | None, config_file: Path | None, as_json: bool, quiet: bool, **options: Any
) -> None:  # fmt: skip
    """Run a study of EVENTS (a CSV with the columns ticker and announced_at) and write its report."""
    from ..errors import ConfigError, DataError
    from ..events.table import read_events
    from ..registry import did_you_mean
    from ..runs import write_run
    from ..study import run_study
    from .order import read_order
    from .terminal import losses

    order = read_order(config_file, events, options)
    config = order.config
    listed = read_events(order.events, calendar=config.calendar)
    if config.by not in ("", "none", *listed.table.columns):
        hint = did_you_mean(config.by, list(listed.columns_in))
        raise ConfigError("the events file has no such column", where="--by", value=config.by, remedy=hint)
    with progress(quiet or as_json, "prices") as advance:
        source: Any = {"offline": order.offline, "store": order.store, "vintage": order.vintage}
        results = run_study(listed, config, **source, progress=advance)
    say(results.panel.notices)
    if len(results) == 0:
        raise DataError(
            f"none of {len(results.events)} events could be used\n{losses(results, written=False)}"
        )
    origin = {"events": order.events.name, "sha256": listed.sha256}
    folder = write_run(results, order.out, order.name, config=config, source=origin, command=_command())
    if as_json:
        click.echo(_as_json(results, config, folder))
    elif not quiet:
        click.echo(_as_text(results, config, folder))
    lost = 1 - int(results.abnormal.valid(config.main).sum()) / len(results.events)
    if (order.strict and lost > 0) or lost > order.max_loss:
        limit = "--strict" if order.strict else f"--max-loss {order.max_loss:g}"
        what = f"{lost:.0%} of the events have no result for {config.main}, more than {limit} allows"
        click.echo(f"eventstudy: {what}", err=True)
        sys.exit(INCOMPLETE)


def _command() -> str:
    import shlex

    return shlex.join(["eventstudy", *sys.argv[1:]])


def _as_text(results: EventStudyResults, config: StudyConfig, folder: Path) -> str:
    from ..report.answer import headline, leading
    from ..report.wording import subject_of
    from ..tables import group_column
    from .terminal import TEXT_WIDTH, beside, losses, sketch, summary_text

    column = group_column(results, config.by)
    parts = results.groups(column) if column else {"": results}
    blocks = []
    for group, part in parts.items():
        title = f"{column} = {group}: {len(part)} event{'s' * (len(part) != 1)}\n" if column else ""
        blocks.append(title + summary_text(part, config))
        if sys.stdout.isatty():
            blocks.append(sketch(part))
    first = leading(parts, config.main)
    parts = {first: parts[first]} | parts
    lead = _ascii(headline(parts[first], config.main, subject=subject_of(first, column)))
    lead = textwrap.fill(lead, TEXT_WIDTH, break_on_hyphens=False)
    tail = [losses(results), f"Report: {folder / 'report.html'}"]
    return "\n\n".join([lead, *filter(None, [*blocks, *beside(folder)]), *tail])


def _ascii(text: str) -> str:
    """Return text that any console can show."""
    return text.translate({0x2212: "-", 0xA0: " ", 0x2265: ">=", 0x2264: "<=", 0x2013: "-", 0xD7: "x"})


def _as_json(results: EventStudyResults, config: StudyConfig, folder: Path) -> str:
    from ..tables import events_table, group_column

    def rows(frame: Any) -> Any:
        return frame.astype(object).where(frame.notna(), None).to_dict("records")

    column = group_column(results, config.by)
    groups = results.groups(column) if column else {}
    names = config.tests or None
    found = {
        "report": str(folder / "report.html"),
        "run": str(folder),
        "config": config.to_dict(),
        "n_events": len(results.events),
        "n_used": len(results),
        "notices": list(results.panel.notices),
        "tests": rows(results.tests(config.tested, names)),
        "groups": {name: rows(part.tests(config.tested, names)) for name, part in groups.items()},
        "diagnosis": results.diagnose(config.main).to_dict(),
        "group_diagnoses": {name: part.diagnose(config.main).to_dict() for name, part in groups.items()},
        "events": rows(events_table(results)),
    }
    return json.dumps(found, indent=1, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """Return a JSON value for a numpy number or a date."""
    return value.item() if hasattr(value, "item") else str(value.date())
