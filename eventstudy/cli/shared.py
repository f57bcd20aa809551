"""What the commands share: exit codes, an option for tracebacks, the progress bar, notices."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

NO_STUDY, USAGE, INCOMPLETE, DIFFERENT, LATER, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 75, 130, 143
F = TypeVar("F", bound=Callable[..., Any])
# Seconds between two looks at a count, and letters of its line.
OFTEN, LINE = 0.1, 80
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


def reading_codes(good: str, other: str = "") -> str:
    """Return the exit codes of a command that reads runs: of 0, and of what else it may find."""
    return (
        f"\b\nExit codes: 0 {good}, 1 no run, or one that cannot be read,\n"
        f"2 wrong usage, {other}130 interrupted, 143 terminated."
    )


def _debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["eventstudy.debug"] = True


def _log(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    meta = context.find_root().meta
    if value and LOGGING not in meta:
        from .log_output import logged

        meta[LOGGING] = context.find_root().with_resource(logged(value))


_debug_flag = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_debug, help="Show tracebacks of errors."
)
_log_format = click.option(
    "--log-format", type=click.Choice(["text", "json"]), envvar="EVENTSTUDY_LOG_FORMAT",
    is_eager=True,
    expose_value=False, callback=_log, help="Log on stderr what is done, a line an event.",
)  # fmt: skip


def debug_option(command: F) -> F:
    """Give a command what all commands have: tracebacks, and logs."""
    return _log_format(_debug_flag(command))


def tell(event: str, text: str, *, said: str = "", level: str = "error", **facts: object) -> None:
    """Say on stderr what the user must know: `said`, by default `text`, or an entry where logs are
    wanted.

    A stderr that is closed or full stops nothing: nobody can be told there.
    """
    if click.get_current_context().find_root().meta.get(LOGGING):
        from ..utility.log import note

        note(event, level, text=text, **facts)
    else:
        with suppress(OSError):
            click.echo(said or text, err=True)


@contextmanager
def progress(silent: bool, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on stderr if that is a terminal; its line ends when all is done."""
    if not _watched(silent):
        yield None
        return
    with ExitStack() as stack:
        bar: Any = None

        def advance(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:
                bar = stack.enter_context(
                    click.progressbar(length=total, label=label, file=sys.stderr)
                )
            bar.update(done - bar.pos)
            if done >= total:
                stack.close()
                bar = None

        yield advance


@contextmanager
def writing(silent: bool) -> Iterator[None]:
    """Show on stderr, if that is a terminal, what is being written: one line, which is gone
    afterwards."""
    from ..utility.progress import listening

    if not _watched(silent):
        yield
        return
    label, shown, at = "", "", 0.0

    def show(now: str, done: int, total: int) -> None:
        nonlocal label, shown, at
        if now == label and time.monotonic() - at < OFTEN:
            return
        label, at = now, time.monotonic()
        text = f"{now or 'study'}{f'  {done:,} of {total:,}' * (total > 0)}"[: LINE - 1]
        click.echo(f"\r{text.ljust(len(shown))}", err=True, nl=False)
        shown = text

    try:
        with listening(show):
            yield
    finally:
        click.echo(f"\r{' ' * len(shown)}\r", err=True, nl=False)


def _watched(silent: bool) -> bool:
    """Tell whether somebody looks at stderr as it is written."""
    logs = click.get_current_context().find_root().meta.get(LOGGING)
    return not (silent or logs) and sys.stderr.isatty()


def say(notices: Sequence[str]) -> None:
    """Print notices on stderr."""
    for text in notices:
        tell("notice", text, said=f"NOTE: {text}", level="warning")


def say_home() -> None:
    """Say where prices are kept if there is no home folder; for what keeps them."""
    if said := click.get_current_context().find_root().meta.get(HOME, ""):
        say([said])


def remember(out: Path, name: str) -> None:
    """Have the index of `out` show it if the run `name` cannot be made."""
    meta = click.get_current_context().meta
    meta[RUN], meta[BEFORE] = (out, name), _stamp(out, name)


def state_of_run(context: click.Context, unchanged: str) -> str:
    """Return what has become of the run that a command makes, if that is ended: `unchanged`, or it
    is new."""
    from ..runs.outbox import waiting

    if RUN not in context.meta:
        return unchanged
    out, name = context.meta[RUN]
    state: str = "the new report is written" if run_is_new(context) else unchanged
    due = any(waiting(out / name).values())
    return state + ", and the next refresh runs the command of --on-change" * due


def run_is_new(context: click.Context) -> bool:
    """Tell whether the run that a command makes was written by it."""
    if RUN not in context.meta:
        return False
    return bool(_stamp(*context.meta[RUN]) != context.meta[BEFORE])


def _stamp(out: Path, name: str) -> tuple[int, int] | None:
    """Return what tells the manifest of a run from that of another run; None without one."""
    try:
        found = (out / name / "manifest.json").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def show_end(context: click.Context, trouble: str = "") -> None:
    """Show in the index how the run that a command makes has ended; without `trouble` well."""
    if RUN in context.meta:
        from ..runs import index

        out, name = context.meta[RUN]
        index.show_end(out, name, trouble.partition("\n")[0])


def command_line() -> str:
    """Return what was typed, as a shell reads it."""
    import shlex

    return shlex.join(["eventstudy", *sys.argv[1:]])


def ascii_text(text: str) -> str:
    """Return text that any console can show."""
    plain = {
        0x2212: "-",
        0xA0: " ",
        0x2265: ">=",
        0x2264: "<=",
        0x2013: "-",
        0xD7: "x",
        0x2026: "...",
    }
    return text.translate(plain)
