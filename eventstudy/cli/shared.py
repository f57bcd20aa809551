"""Shared parts of the commands: exit codes, the progress bar, notices, JSON."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import click

from ..errors import hide_secrets
from ..utility import json_number
from ..words import make_visible

NO_STUDY, USAGE, INCOMPLETE, DIFFERENT, LATER, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 75, 130, 143
# Seconds between two looks at a count, and letters of its line.
OFTEN, LINE = 0.1, 80
# Options whose values stand in no command line that is written down.
PRIVATE = ("--on-change", "--cluster", "--store")
# What a message on stderr begins with.
PREFIXES = {"error": "eventstudy: ", "warning": "NOTE: ", "info": ""}
# Where the root context keeps that logs are wanted.
LOGGING = "eventstudy.logging"
# Where it keeps what is to be said of a store of prices that has no home folder.
HOME = "eventstudy.home"
# A path whose faults are told in our words.
PATH = click.Path(path_type=Path, readable=False)


class _RunFolder(click.Path):
    """The folder of a run, or its name alone where it stands in the folder ``reports``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; of a name that is not here, that of the run in ``reports``."""
        path = Path(str(super().convert(value, param, ctx)))
        named = Path("reports", path.name)
        return named if path == Path(path.name) and not path.exists() and named.is_dir() else path


RUN_FOLDER = _RunFolder(path_type=Path, readable=False)
# Names of a study in the folder where a command is called without one.
HERE = ("study.toml", "events.csv")


class EventsFile(click.Path):
    """A file of events; "-" is a CSV from stdin, which is kept until the command ends."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; that of a copy for "-".

        Parameters
        ----------
        value : object
            As it was typed.
        param : click.Parameter or None
        ctx : click.Context or None
        """
        if str(value) != "-" or ctx is None or ctx.resilient_parsing:
            return super().convert(value, param, ctx)
        folder: str = ctx.with_resource(tempfile.TemporaryDirectory())
        path = Path(folder, "stdin.csv")
        path.write_bytes(sys.stdin.buffer.read())
        return path


EVENTS = EventsFile(path_type=Path, readable=False)
# Where it keeps folder and name of the run that a command makes, what its manifest was before, and
# whether that is of another study.
RUN, BEFORE, ANOTHER = "eventstudy.run", "eventstudy.before", "eventstudy.another"
# The day on which all prices of an unchanged run were confirmed.
CONFIRMED = "eventstudy.confirmed"
EXIT_CODES = """\b
Exit codes: 0 study written, 1 data problem or no event used, 2 wrong usage or settings,
3 written but incomplete (--strict, --max-loss, prices held back), 4 a run is not as it was written,
75 prices unreachable or lost, run busy, --on-change failed (try later),
130 interrupted, 143 terminated."""


def reading_codes(good: str, also: str = "") -> str:
    """Return the exit codes of a command that reads runs.

    Parameters
    ----------
    good : str
        Meaning of 0.
    also : str
        Further codes.

    Returns
    -------
    str
    """
    first = f"\b\nExit codes: 0 {good}, 1 no run, or one that cannot be read,"
    return f"{first}\n2 wrong usage, {also}130 interrupted, 143 terminated."


def display(text: object, *, err: bool = False, start: str = "", nl: bool = True) -> None:
    """Print text: the one way to the terminal, where no text moves the cursor or turns letters.

    Parameters
    ----------
    text : object
        A :class:`Sentence` has its emphasis in bold on a terminal that shows it.
    err : bool
        Whether it goes to stderr.
    start : str
        Our own control before it, such as a carriage return.
    nl : bool
        Whether the line ends.
    """
    if err:
        text = hide_secrets(str(text))
    stream = sys.stderr if err else sys.stdout
    is_dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    has_bold = stream.isatty() and not is_dumb
    pieces: Sequence[tuple[str, bool]] = getattr(text, "pieces", ((str(text), False),))
    line = "".join(
        click.style(make_visible(piece), bold=bold or None, reset=bold)
        for piece, bold in ((piece, has_bold and is_strong) for piece, is_strong in pieces)
    )
    click.echo(start + line, err=err, nl=nl, color=has_bold)


def tell(event: str, text: str, *, level: str = "error", **facts: object) -> None:
    """Print a message on stderr, or log an entry where logs are wanted.

    A stderr that is closed or full stops nothing: nobody can be told there.

    Parameters
    ----------
    event : str
        Name of the entry.
    text : str
    level : {"error", "warning", "info"}
    **facts
        Of the entry.
    """
    if click.get_current_context().find_root().meta.get(LOGGING):
        from ..utility import note

        note(event, level, text=text, **facts)
    else:
        with suppress(OSError):
            display(f"{PREFIXES[level]}{text}", err=True)


@contextmanager
def progress(silent: bool, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show on stderr how far a step is, if that is a terminal.

    Parameters
    ----------
    silent : bool
    label : str

    Yields
    ------
    callable or None
        Takes (done, total).
    """
    with _line(silent) as show:
        yield show and (lambda done, total: show(label, done, total))


@contextmanager
def writing(silent: bool) -> Iterator[None]:
    """Show the file that is being written on stderr, if that is a terminal."""
    from ..utility import listening

    with _line(silent) as show, listening(show):
        yield


@contextmanager
def _line(silent: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Yield what replaces one line on stderr, which is gone at the end; None if nobody looks."""
    logs = click.get_current_context().find_root().meta.get(LOGGING)
    if silent or logs or not sys.stderr.isatty():
        yield None
        return
    label, line, at = "", "", 0.0

    def show(now: str, done: int, total: int) -> None:
        """Replace the line on stderr.

        Parameters
        ----------
        now : str
            The file or step; "" for the study itself.
        done, total : int
            Progress in units of the step; a `total` of 0 shows none.
        """
        nonlocal label, line, at
        if now == label and time.monotonic() - at < OFTEN:
            return
        label, at = now, time.monotonic()
        text = f"{now or 'study'}{f'  {done:,} of {total:,}' * (total > 0)}"[: LINE - 1]
        display(text.ljust(len(line)), err=True, start="\r", nl=False)
        line = text

    try:
        yield show
    finally:
        display("", err=True, start=f"\r{' ' * len(line)}\r", nl=False)


def notify(*notices: str) -> None:
    """Print notices on stderr."""
    for text in notices:
        tell("notice", text, level="warning")


def say_home() -> None:
    """Print where prices are kept if there is no home folder."""
    if notice := click.get_current_context().find_root().meta.get(HOME, ""):
        notify(notice)


def remember(out: Path, name: str, *, is_another: bool = False) -> None:
    """Have the index of `out` show it if the run `name` cannot be made.

    Parameters
    ----------
    out : Path
    name : str
    is_another : bool
        Whether the run that is there is one of another study, of which a failure says nothing.
    """
    meta = click.get_current_context().meta
    meta[RUN], meta[BEFORE], meta[ANOTHER] = (out, name), _stamp(out, name), is_another


def state_of_run(context: click.Context, unchanged: str) -> str:
    """Return the state of the run that an ended command makes.

    Parameters
    ----------
    context : click.Context
    unchanged : str
        The state if the run is not new.

    Returns
    -------
    str
    """
    from ..runs import Outbox

    if RUN not in context.meta:
        return unchanged
    out, name = context.meta[RUN]
    state: str = "the new report is written" if run_is_new(context) else unchanged
    due = bool(Outbox(out / name).due)
    return state + ", and the next refresh runs the command of --on-change" * due


def run_is_new(context: click.Context) -> bool:
    """Return whether the run that a command makes was written by it."""
    if RUN not in context.meta:
        return False
    return bool(_stamp(*context.meta[RUN]) != context.meta[BEFORE])


def _stamp(out: Path, name: str) -> tuple[int, int] | None:
    """Return a mark of the manifest that another run will not share; None without a manifest."""
    try:
        status = (out / name / "manifest.json").stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def show_end(context: click.Context, trouble: str = "") -> None:
    """Show in the index how the run that a command makes has ended.

    Parameters
    ----------
    context : click.Context
    trouble : str
        Why it failed; "" if all is well.
    """
    if RUN in context.meta and not (trouble and context.meta[ANOTHER]):
        from ..runs import show_end as show_in_index

        out, name = context.meta[RUN]
        first = hide_secrets(trouble).partition("\n")[0]
        confirmed = context.meta.get(CONFIRMED, "")
        show_in_index(out, name, first, is_new=run_is_new(context), confirmed=confirmed)


def command_line() -> str:
    """Return the command line, as a shell reads it; a comment names the options left out."""
    kept, left = split_arguments()
    comment = f"  # without {', '.join(left)}" if left else ""
    return shlex.join(["eventstudy", *kept]) + comment


def split_arguments() -> tuple[list[str], list[str]]:
    """Return the arguments that may be written down, and the options that are left out."""
    kept: list[str] = []
    left: list[str] = []
    words = iter(sys.argv[1:])
    for word in words:
        name, has_value, _ = word.replace("_", "-").partition("=")
        if name not in PRIVATE:
            kept.append(hide_secrets(word))
            continue
        left.append(name)
        if not has_value:
            next(words, "")
    return kept, left


def json_text(document: object, stream: TextIO, *, indent: int | None = 1) -> str:
    """Return JSON for a stream, in escapes unless it is UTF-8; numbers are as in ``results.json``.

    Parameters
    ----------
    document : object
    stream : text stream
    indent : int or None

    Returns
    -------
    str
    """
    is_ascii = "utf" not in (stream.encoding or "").lower()
    plain = _with_json_numbers(document)
    return json.dumps(plain, ensure_ascii=is_ascii, indent=indent, default=str, allow_nan=False)


def _with_json_numbers(value: object) -> object:
    """Return a document with numbers that JSON has."""
    match value:
        case float():
            return json_number(value)
        case Mapping():
            return {key: _with_json_numbers(each) for key, each in value.items()}
        case list() | tuple():
            return [_with_json_numbers(each) for each in value]
    return value


def print_json(document: object) -> None:
    """Print JSON on stdout."""
    display(json_text(document, sys.stdout))
