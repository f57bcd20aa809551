"""The command line: options become a config, one library call does the work, the rest is printing."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from .parts import debug_option
from .parts import progress as _progress
from .parts import say as _say
from .prices import prices

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..errors import Problem
    from ..results import EventStudyResults

NO_STUDY, INCOMPLETE, INTERRUPTED = 1, 3, 130
TEXT_WIDTH = 100
EXIT_CODES = """\b
Exit codes: 0 study written, 1 data problem and no study, 2 wrong usage or settings,
3 written but incomplete (--strict, --max-loss), 75 price source unreachable (try later),
130 interrupted."""


class Main(click.Group):
    """A group whose commands end in one clear line and an exit code, never in a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; turn errors into messages on stderr."""
        from ..errors import EventStudyError

        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except EventStudyError as error:
            self._traceback(context)
            click.echo(f"eventstudy: {error}", err=True)
            context.exit(error.exit_code)
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            click.echo("eventstudy: interrupted, nothing was changed", err=True)
            context.exit(INTERRUPTED)
        except OSError as error:
            self._traceback(context)
            where = f": {error.filename}" if error.filename else ""
            click.echo(f"eventstudy: {error.strerror or error}{where}", err=True)
            context.exit(NO_STUDY)
        except Exception as error:
            self._traceback(context)
            click.echo(
                f"eventstudy: unexpected {type(error).__name__}: {error}\n"
                "This is a fault of eventstudy. Run again with --debug and report what it shows.",
                err=True,
            )
            context.exit(NO_STUDY)

    @staticmethod
    def _traceback(context: click.Context) -> None:
        if context.meta.get("eventstudy.debug"):
            import traceback

            traceback.print_exc()


@click.group(
    cls=Main, context_settings={"help_option_names": ["-h", "--help"], "color": False}, epilog=EXIT_CODES
)
@click.version_option(__version__, prog_name="eventstudy")
@debug_option
def main() -> None:
    """Did the market react, by how much, and can we be sure?

    Takes a CSV of announcements, joins it with prices, fits a market model and reports abnormal
    returns with their significance. Start with:  eventstudy run events.csv
    """
    # A scheduler may start a job with its streams closed.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the whole run
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@main.command(epilog=EXIT_CODES)
@click.argument("events", required=False, type=click.Path(path_type=Path))
@click.option(
    "--prices", metavar="auto|yahoo|sample|store|NAME|PATH", help="Where prices come from. [default: auto]"
)
@click.option(
    "--returns", metavar="FILE", help="Decimal returns to use instead of prices (wide, or date,ticker,ret)."
)
@click.option(
    "--calendar",
    type=click.Choice(["exchange", "data"]),
    help="Sessions of the exchange, or dates of the data.",
)
@click.option(
    "--benchmark",
    metavar="TICKER",
    help="One index for all events, whatever the file says; 'A;B;C' for their mean, peers for that column.",
)
@click.option(
    "--currency",
    metavar="local|CODE",
    help="Convert all returns to a currency such as USD. [default: local]",
)
@click.option(
    "--measure",
    type=click.Choice(["return", "volume", "turnover", "volatility"]),
    help="What is studied. [default: return]",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Model of normal returns. [default: market; constant_mean for other measures]",
)
@click.option(
    "--model-option",
    "model_options",
    metavar="NAME=VALUE",
    multiple=True,
    help="An option of the model, such as lags=2; may be repeated.",
)
@click.option(
    "--cov",
    "cov_type",
    type=click.Choice(["nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"]),
    help="Covariance of the parameters. [default: nonrobust]",
)
@click.option(
    "--factors",
    metavar="FILE",
    multiple=True,
    help="Factor returns: a table, or Ken French's daily file; may be repeated.",
)
@click.option(
    "--series",
    metavar="NAME=TICKER",
    multiple=True,
    help="A series that the model needs for all events, such as world=URTH.",
)
@click.option(
    "--estimation", metavar="START:STOP", help="Estimation window in trading days. [default: -250:-31]"
)
@click.option("--window", "event", metavar="START:STOP", help="Event window. [default: -10:10]")
@click.option(
    "--car",
    "windows",
    metavar="START:STOP",
    multiple=True,
    help="A window to test; may be repeated, the first leads.",
)
@click.option(
    "--test", "tests", metavar="NAME", multiple=True, help="A test to show; may be repeated. [default: all]"
)
@click.option(
    "--by",
    metavar="COLUMN",
    help="Split by a column. [default: group or direction, if several; none = never]",
)
@click.option("--kind", type=click.Choice(["simple", "log"]), help="Kind of returns. [default: simple]")
@click.option(
    "--engine",
    type=click.Choice(["statsmodels", "batch"]),
    help="How models are fitted. [default: statsmodels]",
)
@click.option(
    "--min-estimation",
    type=click.IntRange(1),
    metavar="DAYS",
    help="Flag events with fewer days. [default: 100]",
)
@click.option(
    "--halt",
    type=click.Choice(["calendar", "shift"]),
    help="Whether the clock runs through a halt, or day 0 is when trading resumes. [default: calendar]",
)
@click.option(
    "--limits",
    type=click.Choice(["extend", "none", "drop"]),
    help="A window that closes at a price limit: until the first free close, as it is, or out. "
    "[default: extend]",
)
@click.option(
    "--missing",
    type=click.Choice(["drop", "rescale", "zero"]),
    help="An event without all days of a window. [default: drop, from that window]",
)
@click.option(
    "--repeat",
    type=click.Choice(["mask", "first", "keep-all"]),
    help="Several events of one firm: mask their windows in estimation, keep the first. [default: mask]",
)
@click.option(
    "--confounders", metavar="FILE", help="Other news that may have moved prices: a CSV ticker,date,what."
)
@click.option(
    "--confounder-days",
    type=click.IntRange(0),
    metavar="N",
    help="How near: sessions around the main window. [default: 1]",
)
@click.option("--drop-confounded", is_flag=True, default=None, help="Leave events near such news out.")
@click.option(
    "--placebo",
    type=click.IntRange(0),
    metavar="N",
    help="Repeat the study on N other dates, and on the firms in the column peers. [default: 0]",
)
@click.option(
    "--regress",
    metavar="COLUMN",
    multiple=True,
    help="Regress the CARs on a column of the events; may be repeated.",
)
@click.option(
    "--scar", type=click.Choice(["exact", "sum"]), help="How CARs are standardised. [default: exact]"
)
@click.option(
    "--fpc", is_flag=True, default=None, help="Rank tests of windows: finite-population correction."
)
@click.option(
    "--overlap", type=click.Choice(["exact", "share"]), help="Weight of overlapping windows. [default: exact]"
)
@click.option(
    "--draws", type=click.IntRange(1), metavar="N", help="Draws of resampling tests. [default: 999]"
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of resampling tests.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the runs. [default: reports]")
@click.option("--name", help="Name of the run. [default: name of the events file]")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Settings from a file; options win.",
)
@click.option("--offline", is_flag=True, default=None, help="Never use the network.")
@click.option(
    "--store", metavar="DIR|FILE", help="The store of prices. [default: $EVENTSTUDY_STORE, or the user's]"
)
@click.option("--vintage", metavar="DATE", help="Only stored prices, as they were at that date or time.")
@click.option("--strict", is_flag=True, default=None, help="Exit with 3 if any event was dropped.")
@click.option(
    "--max-loss",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with 3 if more than this share was dropped.",
)
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing but problems.")
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
    with _progress(quiet or as_json, "prices") as progress:
        source: Any = {"offline": order.offline, "store": order.store, "vintage": order.vintage}
        results = run_study(listed, config, **source, progress=progress)
    _say(results.panel.notices)
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


@main.command(epilog=EXIT_CODES)
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--calendar", type=click.Choice(["exchange", "data"]), default="exchange", help="As for run.")
@click.option("--json", "as_json", is_flag=True, help="Print events and problems as JSON.")
@debug_option
def check(events: Path, calendar: Any, as_json: bool) -> None:
    """Check EVENTS and show the day 0 of each event; exit with 1 if any row is bad."""
    from ..events.table import check_events

    good, problems = check_events(events, calendar=calendar)
    rows = [] if good is None else _checked(good.table)
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


@main.command("list")
@click.argument("what", type=click.Choice(["models", "tests", "prices"]))
@debug_option
def list_(what: str) -> None:
    """List the models, tests or price sources that can be named in options."""
    click.echo("\n".join(_LISTS[what]()))


def _list_models() -> Iterator[str]:
    from ..models import MODELS, options_of

    for name, model in MODELS.items():
        yield f"{name:<18} {model.label[0].upper()}{model.label[1:]}: {model.source}"
        options = ", ".join(f"{key}={_option(value)}" for key, value in options_of(name).items())
        for line in (model.formula, *filter(None, [options and f"options: {options}"])):
            yield f"{'':<18} {line}"


def _option(value: object) -> str:
    """Return the default of an option as it is typed."""
    if isinstance(value, tuple):
        return "NAME,NAME (all)"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list_tests() -> Iterator[str]:
    from ..significance import STATISTICS

    yield "robust to C clustering on a date, O overlapping windows, V event-induced variance, S skewness"
    yield f"{'name':<20} {'label':<29} {'C':<5} {'O':<5} {'V':<5} {'S':<5} {'reference':<16} source"
    for name, test in STATISTICS.items():
        grades = " ".join(f"{g:<5}" for g in (test.clustering, test.overlap, test.variance, test.skewness))
        yield f"{name:<20} {test.label:<29} {grades} {test.reference.split(', ')[0]:<15} {test.source}"


def _list_prices() -> Iterator[str]:
    from ..prices import listing

    for name, summary in listing():
        yield f"{name:<10} {summary}"


main.add_command(prices)

_LISTS: dict[str, Callable[[], Iterator[str]]] = {
    "models": _list_models,
    "tests": _list_tests,
    "prices": _list_prices,
}


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


def _checked(table: Any) -> list[dict[str, Any]]:
    return [
        {
            "event_id": row.event_id,
            "ticker": row.ticker,
            "announced_at": row.announced_at,
            "exchange": row.exchange,
            "day0": str(row.day0.date()),
            "flags": [flag for flag in row.flags.split(";") if flag],
        }
        for row in table.itertuples(index=False)
    ]


def _report_problems(path: Path, problems: Sequence[Problem], good: int) -> None:
    for problem in problems:
        click.echo(f"{path}:{problem}", err=True)
    click.echo(f"{good} events are good, {len(problems)} problem{'s' * (len(problems) != 1)} found", err=True)


if __name__ == "__main__":
    main()
