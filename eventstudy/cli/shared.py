"""Shared parts of the commands: exit codes, the progress bar, notices, JSON."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import click

NO_STUDY, USAGE, INCOMPLETE, DIFFERENT, LATER, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 75, 130, 143
# Seconds between two looks at a count, and letters of its line.
OFTEN, LINE = 0.1, 80
# What a message on stderr begins with.
PREFIXES = {"error": "eventstudy: ", "warning": "NOTE: ", "info": ""}
# Where the root context keeps that logs are wanted.
LOGGING = "eventstudy.logging"
# Where it keeps what is to be said of a store of prices that has no home folder.
HOME = "eventstudy.home"
# A path whose faults are told in our words.
PATH = click.Path(path_type=Path, readable=False)
# Where it keeps folder and name of the run that a command makes, and what its manifest was before.
RUN, BEFORE = "eventstudy.run", "eventstudy.before"
EXIT_CODES = """\b
Exit codes: 0 study written, 1 data problem and no study, 2 wrong usage or settings,
3 written but incomplete (--strict, --max-loss), 4 a run is not as it was written,
75 price source unreachable or short, run busy, --on-change failed (try later),
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
    return (
        f"\b\nExit codes: 0 {good}, 1 no run, or one that cannot be read,\n"
        f"2 wrong usage, {also}130 interrupted, 143 terminated."
    )


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
        from ..utility.log import note

        note(event, level, text=text, **facts)
    else:
        with suppress(OSError):
            click.echo(f"{PREFIXES[level]}{text}", err=True)


@contextmanager
def progress(silent: bool, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on stderr if that is a terminal; its line ends when all is done.

    Parameters
    ----------
    silent : bool
    label : str

    Yields
    ------
    callable or None
        Takes (done, total).
    """
    if not _watched(silent):
        yield None
        return
    with ExitStack() as stack:
        bar: Any = None

        def advance(done: int, total: int) -> None:
            """Draw the bar, which appears with the first call and closes at the end.

            Parameters
            ----------
            done, total : int
                Symbols done, and symbols in all.
            """
            nonlocal bar
            if bar is None:
                new = click.progressbar(length=total, label=label, file=sys.stderr)
                bar = stack.enter_context(new)
            bar.update(done - bar.pos)
            if done >= total:
                stack.close()
                bar = None

        yield advance


@contextmanager
def writing(silent: bool) -> Iterator[None]:
    """Show the file that is being written in one line on stderr, if that is a terminal."""
    from ..utility.progress import listening

    if not _watched(silent):
        yield
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
        click.echo(f"\r{text.ljust(len(line))}", err=True, nl=False)
        line = text

    try:
        with listening(show):
            yield
    finally:
        click.echo(f"\r{' ' * len(line)}\r", err=True, nl=False)


def _watched(silent: bool) -> bool:
    """Return whether somebody looks at stderr as it is written."""
    logs = click.get_current_context().find_root().meta.get(LOGGING)
    return not (silent or logs) and sys.stderr.isatty()


def notify(notices: Sequence[str]) -> None:
    """Print notices on stderr."""
    for text in notices:
        tell("notice", text, level="warning")


def say_home() -> None:
    """Print where prices are kept if there is no home folder."""
    if notice := click.get_current_context().find_root().meta.get(HOME, ""):
        notify([notice])


def remember(out: Path, name: str) -> None:
    """Have the index of `out` show it if the run `name` cannot be made.

    Parameters
    ----------
    out : Path
    name : str
    """
    meta = click.get_current_context().meta
    meta[RUN], meta[BEFORE] = (out, name), _stamp(out, name)


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
    from ..runs.outbox import waiting

    if RUN not in context.meta:
        return unchanged
    out, name = context.meta[RUN]
    state: str = "the new report is written" if run_is_new(context) else unchanged
    due = any(waiting(out / name).values())
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
    if RUN in context.meta:
        from ..runs import index

        out, name = context.meta[RUN]
        index.show_end(out, name, trouble.partition("\n")[0], is_new=run_is_new(context))


def command_line() -> str:
    """Return the command line, as a shell reads it."""
    return shlex.join(["eventstudy", *sys.argv[1:]])


def json_text(document: object, stream: TextIO, *, indent: int | None = 1) -> str:
    """Return JSON for a stream, in escapes if its encoding lacks a letter.

    Parameters
    ----------
    document : object
    stream : text stream
    indent : int or None

    Returns
    -------
    str
    """
    text = json.dumps(document, ensure_ascii=False, indent=indent, default=str)
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, default=str)
    return text


def print_json(document: object) -> None:
    """Print JSON on stdout."""
    click.echo(json_text(document, sys.stdout))
