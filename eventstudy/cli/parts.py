"""What the commands share: exit codes, an option for tracebacks, the progress bar, notices."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import click

NO_STUDY, INCOMPLETE, INTERRUPTED = 1, 3, 130
EXIT_CODES = """\b
Exit codes: 0 study written, 1 data problem and no study, 2 wrong usage or settings,
3 written but incomplete (--strict, --max-loss), 75 price source unreachable (try later),
130 interrupted."""


def _debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["eventstudy.debug"] = True


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_debug, help="Show tracebacks of errors."
)


@contextmanager
def progress(silent: bool, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on stderr if that is a terminal."""
    if silent or not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        bar: Any = None

        def advance(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:
                bar = stack.enter_context(click.progressbar(length=total, label=label, file=sys.stderr))
            bar.update(done - bar.pos)

        yield advance


def say(notices: Sequence[str]) -> None:
    """Print notices on stderr."""
    for text in notices:
        click.echo(f"NOTE: {text}", err=True)
