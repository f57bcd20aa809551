"""The options of the commands: what a study file can say, and what is of one call alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from .shared import EXIT_CODES, LOGGING, PATH, display

F = TypeVar("F", bound=Callable[..., Any])
# A flag of this call alone, and where the context keeps that all options are wanted.
SWITCH, ALL = False, "eventstudy.all"
# The option that may have a word behind it, and these words; alone it means the first.
FIGURES, STYLES = "--figures", ("titled", "plain")
# Options of which there is one help, and names that stand in a metavar.
FEW, MANY = 15, 8
# Bytes that a process must be allowed to address.
LEAST_MEMORY = 1 << 30
# What follows the first sentence of a help, but its default.
_REST = re.compile(r"\. [A-Z][^[]*\.")
# Entry points whose names a metavar stands for, beside those of the study file.
PLUGINS = {"NAME,...": "eventstudy.models", "NAME": "eventstudy.tests"}
# What a study file can say, from the docstrings of its records (eventstudy schema study).
_FILE = json.loads(files("eventstudy.data").joinpath("study.schema.json").read_bytes())
SETTINGS: dict[str, dict[str, Any]] = {**_FILE["properties"], **_FILE["$defs"]}


class WholeNumber(click.IntRange):
    """A whole number within bounds, called so where a value is none."""

    name = "whole number"


class Number(click.FloatRange):
    """A number within bounds, called so where a value is none."""

    name = "number"


class Option(click.Option):
    """An option with its group in a help, and its names; with a letter it is in the short help."""

    def __init__(self, *args: Any, group: str, names: Iterable[str] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.group, self.names = group, list(filter(None, names))
        self.is_common = any(len(name) == 2 for name in self.opts)


def _settings(*texts: str) -> Iterator[Row]:
    """Yield rows of settings that a study file describes: names, then perhaps a metavar."""
    for text in texts:
        names, _, last = text.rpartition(" ")
        yield (text, "", "") if re.fullmatch("[-a-z_]+", last) else (names, last, "")


# Option, with the name of its setting if that is another; metavar (dots: may be repeated), flag,
# type and metavar and default, or attributes of click; help. What a study file has is known from
# there, also its help. A row without an option is the head of a group.
Row = tuple[str, Any, str]
STORE: Row = (
    "--store", "DIR|FILE", "The price cache. [default: $EVENTSTUDY_STORE, or the user's cache]"
)  # fmt: skip
QUIET: Row = ("-q --quiet", SWITCH, "Print no results, only notices and errors.")
JSON: Row = ("-j --json as_json", SWITCH, "Print results as JSON.")
MOVED: Row = (
    "--moved threshold", (Number(0), "SHARE", 0.0001), "List CARs that moved by more than SHARE."
)  # fmt: skip
WORKERS: tuple[Row, ...] = (
    ("--workers", (WholeNumber(1), "N", 1),
     "Processes for fits and shifted calendars; worth it for GARCH, robust models and HC errors."),
    ("--cluster", {"default": "", "metavar": "ADDRESS"},
     "A Dask scheduler whose workers do this: 8% of a usual run, 99% of a grid with GARCH."),
)  # fmt: skip
# Of a command that computes a study; those with a letter are in its short help.
STUDY_OPTIONS: tuple[Row, ...] = (
    ("Study", "", ""),
    ("-c --config config_file", (PATH, "FILE.toml"),
     "A study file with settings; options override the file."),
    ("-m --model", "NAME,...",
     "Model of normal returns; of several models the first is used, the others are checks."),
    *_settings(
        "--model-option --model-options model_options NAME=VALUE", "--cov --cov-type cov_type",
        "--factors FILE", "--series NAME=TICKER", "-e --estimation START:STOP",
        "--min-estimation DAYS", "--min-history DAYS", "--measure", "--kind", "--engine",
    ),
    ("Prices", "", ""),
    *_settings(
        "-p --prices auto|yahoo|moex|tiingo|eodhd|sample|store|NAME|PATH", "--fill NAME|PATH",
        "-b --benchmark TICKER",
        "--benchmark-policy", "--returns FILE", "--calendar", "--currency local|CODE",
        "--size yahoo|FILE", "--offline", "--store DIR|FILE", "--vintage DATE",
    ),
    ("Windows", "", ""),
    ("-w --windows --window --car windows", "START:STOP",
     "A window to test; may be repeated, the first is the main window."),
    *_settings(
        "--event-window --event event START:STOP", "--missing", "--halt", "--halt-drift N",
        "--limits",
    ),
    ("Events", "", ""),
    *_settings(
        "--ticker COLUMN", "--date COLUMN", "-g --by COLUMN", "--firm COLUMN", "--repeat",
        "--confounders FILE", "--confounder-days N", "--find-confounders", "--drop-confounded",
    ),
    ("Tests", "", ""),
    ("-t --test --tests tests", "NAME", "A test in place of the usual tests; may be repeated."),
    *_settings(
        "--scar", "--fpc", "--overlap", "--draws N", "--seed N", "--calibrate N",
        "--regress COLUMN", "--regress-cov",
    ),
    ("Output", "", ""),
    ("-o --out", (click.Path(path_type=Path), ""), "Folder of the runs. [default: reports]"),
    *_settings(
        "-n --name TEXT", "--title TEXT", "--event-pages N",
    ),
    (FIGURES, {"is_flag": False, "flag_value": "titled", "type": click.Choice(STYLES)},
     "Write figures as well (SVG, PDF, PNG). Plain figures have no titles and no sources."),
    *_settings("--strict", "--max-loss SHARE"),
    JSON,
    QUIET,
)  # fmt: skip


def without(*names: str, rows: Iterable[Row] = STUDY_OPTIONS) -> Iterator[Row]:
    """Yield the options of a study, or of another command, but some."""
    return (row for row in rows if not {*names}.intersection(row[0].split()))


class StudyCommand(click.Command):
    """A command that computes a study: its help is short, and its errors name options as typed."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; what stands behind ``--figures`` is of it only if it is a style.

        Parameters
        ----------
        ctx : click.Context
        args : list of str

        Returns
        -------
        list of str
        """
        for place, word in enumerate(args):
            if word == FIGURES and args[place + 1 : place + 2] not in [[style] for style in STYLES]:
                args[place] = f"{FIGURES}={STYLES[0]}"
        super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            also = f"one at a time, got {ctx.args[0]!r} as well"
            raise click.UsageError(f"{also}; a file name with spaces needs quotes", ctx)
        return ctx.args

    def invoke(self, context: click.Context) -> Any:
        """Run the command; say of the fault of a setting that is an option which option it is."""
        _refuse_little_memory()
        import pandas as pd

        from ..errors import ConfigError, ConfigFaultsError

        names = {p.name: next((o for o in p.opts if o[:2] == "--"), "") for p in self.params}
        try:
            # Columns of text are short here, and Arrow's pass through Python cell by cell.
            with pd.option_context("mode.string_storage", "python"):
                return super().invoke(context)
        except ConfigError as error:
            for fault in error.errors if isinstance(error, ConfigFaultsError) else [error]:
                table, _, name = fault.where.rpartition(".")
                in_grid = table == "grid" and bool(context.params.get("grid"))
                where = name if table == "grid" and not in_grid else fault.where
                if in_grid:
                    fault.where = f"--grid {name}"
                elif context.params.get(where) not in (None, ()):
                    fault.where = names[where]
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the common options, or all of them, in their groups.

        Parameters
        ----------
        ctx : click.Context
        formatter : click.HelpFormatter
        """
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            if not isinstance(option, Option) or not (ALL in ctx.meta or option.is_common):
                continue
            if record := option.get_help_record(ctx):
                about = record[1] if ALL in ctx.meta else _REST.sub(".", record[1])
                groups.setdefault(option.group, []).append((record[0], about))
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where the other options are, or the exit codes.

        Parameters
        ----------
        ctx : click.Context
        formatter : click.HelpFormatter
        """
        more = f"All options: {ctx.command_path} --help-all"
        self.epilog = EXIT_CODES if ALL in ctx.meta else more
        super().format_epilog(ctx, formatter)


def _refuse_little_memory() -> None:
    """Raise MemoryError under a limit of addresses in which OpenBLAS cannot be loaded.

    Then it would try again without end.
    """
    with suppress(ImportError):  # Windows has no such limits
        import resource

        if 0 <= resource.getrlimit(resource.RLIMIT_AS)[0] < LEAST_MEMORY:
            raise MemoryError


def options(*rows: Row) -> Callable[[F], F]:
    """Return a decorator that gives a command options, and those of all commands behind them."""

    def decorate(command: F) -> F:
        group, made = "More", []
        for names, kind, text in (*rows, *(_HELP_ALL,) * (len(rows) > FEW), *_OF_ALL):
            if not names.startswith("-"):
                group = names
                continue
            attributes = _attributes(names.split()[-1], kind, text)
            made.append(click.option(*names.split(), cls=Option, group=group, **attributes))
        for add in reversed(made):
            command = add(command)
        return command

    return decorate


def _attributes(name: str, kind: Any, text: str) -> dict[str, Any]:
    """Return the type of an option as click takes it, with its help."""
    form = SETTINGS.get(name.removeprefix("--").replace("-", "_"), {"type": "object"})
    if isinstance(kind, dict):
        return {**kind, "help": text}
    if isinstance(kind, list):
        return {"type": click.Choice(kind), "help": text}
    if kind is SWITCH:
        return {"is_flag": True, "default": kind, "help": text}
    if isinstance(kind, tuple):
        option_type, metavar, *defaults = kind
        default = {"default": defaults[0], "show_default": True} if defaults else {}
        return {"type": option_type, "metavar": metavar or None, "help": text, **default}
    if form.get("type") != "object":
        return _of_setting(form, kind, text)
    metavar, repeated, _ = kind.partition(" ...")
    return {"metavar": metavar or None, "multiple": bool(repeated), "help": text}


def _of_setting(form: dict[str, Any], metavar: str, text: str) -> dict[str, Any]:
    """Return the attributes of an option that a study file has as well."""
    either = form.get("anyOf", [form])
    is_several = either[-1].get("items") == either[0]
    single = either[0] if is_several else form
    if single.get("type") == "boolean":
        return {"is_flag": True, "default": None, "help": text or form["description"]}
    names = single.get("enum") or [word for word in metavar.split("|") if word.islower()]
    about = [text or form["description"].replace('"" = ', "by default ")]
    if is_several and not text:
        about.append("May be repeated.")
    if len(names) > MANY:
        about.append(f"One of {', '.join(filter(None, names))}, or of another package.")
    if form["default"] not in ("", []):
        about.append(f"[default: {form['default']}]")
    types = {"integer": WholeNumber(form.get("minimum")), "number": Number(0, 1)}
    return {
        "type": types.get(single.get("type", "")), "multiple": is_several, "names": names,
        "shell_complete": _complete,
        "metavar": metavar or f"[{'|'.join(names)}]", "help": " ".join(about),
    }  # fmt: skip


def _complete(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names that a setting can have and that begin so, behind the last comma."""
    from importlib.metadata import entry_points

    before, comma, begun = incomplete.rpartition(",")
    metavar = str(parameter.metavar)
    plugins = [point.name for point in entry_points(group=PLUGINS.get(metavar, " "))]
    names = [*getattr(parameter, "names", ()), *plugins]
    items = [CompletionItem(before + comma + name) for name in names if name.startswith(begun)]
    is_path = bool(re.search("FILE|PATH|DIR", metavar))
    return [*items, *[CompletionItem(incomplete, type="file")] * is_path]


def _debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["eventstudy.debug"] = True


def _log(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    meta = context.find_root().meta
    if value and LOGGING not in meta:
        from .log_output import logged

        meta[LOGGING] = context.find_root().with_resource(logged(value))


def _help_all(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        context.meta[ALL] = True
        display(context.get_help())
        context.exit()


_HELP_ALL: Row = (
    "--help-all", {"is_flag": True, "is_eager": True, "expose_value": False, "callback": _help_all},
    "Show all options.",
)  # fmt: skip
_OF_ALL: tuple[Row, ...] = (
    ("--log-format",
     {"type": click.Choice(["text", "json"]), "envvar": "EVENTSTUDY_LOG_FORMAT", "is_eager": True,
      "expose_value": False, "callback": _log},
     "Write one log line per step to stderr."),
    ("--debug", {"is_flag": True, "expose_value": False, "callback": _debug},
     "Show tracebacks of errors."),
)  # fmt: skip
