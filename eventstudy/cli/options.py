"""The options of the commands, as tables of their names, types and help."""

# ruff: noqa: ISC004 - the help of an option may take two lines

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .shared import LOGGING, PATH

F = TypeVar("F", bound=Callable[..., Any])
# Flags: of a setting, which a study file may have as well, and of this call alone.
FLAG, SWITCH = None, False


class WholeNumber(click.IntRange):
    """A whole number within bounds, called so where a value is none."""

    name = "whole number"


class Number(click.FloatRange):
    """A number within bounds, called so where a value is none."""

    name = "number"


# Option, with the name of its setting if that is another; metavar, choices, flag, type and metavar
# and default, or attributes of click; help. What may be repeated has dots behind its metavar.
Row = tuple[str, Any, str]
STORE: Row = (
    "--store", "DIR|FILE", "The price cache. [default: $EVENTSTUDY_STORE, or the user's]"
)  # fmt: skip
QUIET: Row = ("--quiet", SWITCH, "Print nothing but problems.")
MOVED: Row = (
    "--moved threshold", (Number(0), "SHARE", 0.0001), "Tell of CARs that moved by more than this."
)  # fmt: skip
# Of a command that computes a study. In the order of --help: data, model, windows, events, tests,
# and where it goes.
# fmt: off
STUDY_OPTIONS: tuple[Row, ...] = (
    ("--prices", "auto|yahoo|sample|store|NAME|PATH",
     "Where prices come from; NAME is a source of another package: eventstudy list prices. "
     "[default: auto]"),
    ("--returns", "FILE", "Decimal returns to use instead of prices (wide, or date,ticker,ret)."),
    ("--calendar", ["exchange", "data"], "Sessions of the exchange, or dates of the data."),
    ("--benchmark", "TICKER",
     "One index for all events, whatever the file says; 'A;B;C' for their mean, peers for that"
     " column."),
    ("--benchmark-policy", ["fallback", "strict"],
     "An index that the file names lacks prices: use one of the exchange, or drop the event. "
     "[default: fallback]"),
    ("--currency", "local|CODE", "Convert all returns to a currency such as USD. [default: local]"),
    ("--size", "yahoo|FILE",
     "Market values for weights and losses in money. [default: the column mcap]"),
    ("--measure", ["return", "volume", "turnover", "volatility"],
     "What is studied. [default: return]"),
    ("--model", "NAME",
     "Model of normal returns. [default: market; constant_mean for other measures]"),
    ("--model-option model_options", "NAME=VALUE ...",
     "An option of the model, such as lags=2; may be repeated."),
    ("--cov cov_type", ["nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"],
     "Covariance of the parameters. [default: nonrobust]"),
    ("--factors", "FILE ...",
     "Factor returns: a table, or Ken French's daily file; may be repeated."),
    ("--series", "NAME=TICKER ...",
     "A series that the model needs for all events, such as world=URTH."),
    ("--estimation", "START:STOP", "Estimation window in trading days. [default: -250:-31]"),
    ("--window event", "START:STOP", "Event window. [default: -10:10]"),
    ("--car windows", "START:STOP ...", "A window to test; may be repeated, the first leads."),
    ("--test tests", "NAME ...",
     "A further test to show; may be repeated. [default: all in tables, the usual ones in "
     "summaries]"),
    ("--by", "COLUMN",
     "Split by a column; the group with most rows that can be tested leads. [default: group or"
     " direction, if several; none = never]"),
    ("--firm", "COLUMN",
     "Count the listings of a firm with one announced_at once: the first that has a CAR."),
    ("--kind", ["simple", "log"], "Kind of returns. [default: simple]"),
    ("--engine", ["statsmodels", "batch"], "How models are fitted. [default: statsmodels]"),
    ("--min-estimation", (WholeNumber(1), "DAYS"),
     "Flag events with fewer days. [default: 100]"),
    ("--min-history", (WholeNumber(0), "DAYS"),
     "Events with fewer days leave standardised tests and the answer. [default: 60]"),
    ("--halt", ["calendar", "shift"],
     "Whether the clock runs through a halt, or day 0 is when trading resumes. [default: "
     "calendar]"),
    ("--halt-drift", (WholeNumber(0), "N"),
     "After a halt by shift the expected return counts alpha for N sessions at most. [default: 5]"),
    ("--limits", ["extend", "none", "drop", "censored"],
     "A window that closes at a price limit: until the first free close, as it is, or out; "
     "censored: as extend, and a Tobit beta. [default: extend]"),
    ("--missing", ["drop", "rescale", "zero"],
     "An event without all days of a window. [default: drop, from that window]"),
    ("--repeat", ["mask", "first", "keep-all"],
     "Several events of one firm: mask their windows in estimation, keep the first. [default: "
     "mask]"),
    ("--confounders", "FILE", "Other news that may have moved prices: a CSV ticker,date,what."),
    ("--confounder-days", (WholeNumber(0), "N"),
     "How near: sessions around the main window. [default: 1]"),
    ("--drop-confounded", FLAG, "Leave events near such news out."),
    ("--placebo", (WholeNumber(0), "N"),
     "Repeat the study on N other dates, and on the firms in the column peers. [default: 0]"),
    ("--calibrate", (WholeNumber(0), "N"),
     "Repeat the main test on at most N other dates, for up to 200 events; 0 = never. "
     "[default: 499]"),
    ("--regress", "COLUMN ...", "Regress the CARs on a column of the events; may be repeated."),
    ("--regress-cov", ["HC3", "HC0", "HC1", "HC2", "nonrobust", "date"],
     "Errors of that regression; date: clustered by event date. [default: HC3]"),
    ("--scar", ["exact", "sum"], "How CARs are standardised. [default: exact]"),
    ("--fpc", FLAG, "Rank tests of windows: finite-population correction."),
    ("--overlap", ["exact", "share"], "Weight of overlapping windows. [default: exact]"),
    ("--draws", (WholeNumber(1), "N"), "Draws of resampling tests. [default: 999]"),
    ("--seed", (WholeNumber(0), "N"), "Seed of resampling tests."),
    ("--event-pages", (WholeNumber(0), "N"),
     "Pages of single events: of the N that moved most. [default: 500]"),
    ("--interactive", {"is_flag": True, "default": None, "hidden": True}, ""),
    ("--title", "TEXT", "Title of the report. [default: made from the events]"),
    ("--figures", FLAG, "Figures for papers beside the report (SVG, PDF and PNG)."),
    ("--out", (click.Path(path_type=Path), ""), "Folder of the runs. [default: reports]"),
    ("--name", "", "Name of the run. [default: name of the events file]"),
    ("--config config_file", (PATH, "FILE.toml"), "Settings from a file; options win."),
    ("--offline", FLAG, "Never use the network."),
    STORE,
    ("--vintage", "DATE", "Only stored prices, as they were at that date or time."),
    ("--strict", FLAG, "Exit with 3 if any event has no result for the main window."),
    ("--max-loss", (Number(0, 1), "SHARE"),
     "Exit with 3 if more than this share of the events has none."),
    ("--json as_json", SWITCH, "Print results as JSON."),
    QUIET,
)
# fmt: on


class StudyCommand(click.Command):
    """A command that computes a study; its errors name an option as it is typed."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; say of the fault of a setting that is an option which option it is."""
        from ..errors import ConfigError, ConfigFaultsError

        names = {option.name: option.opts[0] for option in self.params}
        try:
            return super().invoke(context)
        except ConfigError as error:
            for fault in error.errors if isinstance(error, ConfigFaultsError) else [error]:
                if context.params.get(fault.where) not in (None, ()):
                    fault.where = names[fault.where]
            raise


def options(*rows: Row) -> Callable[[F], F]:
    """Return a decorator that gives a command options, and those of all commands behind them."""

    def decorate(command: F) -> F:
        for names, kind, text in reversed((*rows, *_OF_ALL)):
            command = click.option(*names.split(), **_attributes(kind), help=text)(command)
        return command

    return decorate


def _attributes(kind: Any) -> dict[str, Any]:
    """Return the type of an option as click takes it."""
    if isinstance(kind, dict):
        return kind
    if kind is FLAG or kind is SWITCH:
        return {"is_flag": True, "default": kind}
    if isinstance(kind, list):
        return {"type": click.Choice(kind)}
    if isinstance(kind, tuple):
        option_type, metavar, *defaults = kind
        shown = {"default": defaults[0], "show_default": True} if defaults else {}
        return {"type": option_type, "metavar": metavar or None, **shown}
    metavar, repeated, _ = kind.partition(" ...")
    return {"metavar": metavar or None, "multiple": bool(repeated)}


def _debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["eventstudy.debug"] = True


def _log(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    meta = context.find_root().meta
    if value and LOGGING not in meta:
        from .log_output import logged

        meta[LOGGING] = context.find_root().with_resource(logged(value))


_OF_ALL: tuple[Row, ...] = (
    ("--log-format",
     {"type": click.Choice(["text", "json"]), "envvar": "EVENTSTUDY_LOG_FORMAT", "is_eager": True,
      "expose_value": False, "callback": _log},
     "Log on stderr what is done, a line an event."),
    ("--debug", {"is_flag": True, "expose_value": False, "callback": _debug},
     "Show tracebacks of errors."),
)  # fmt: skip
