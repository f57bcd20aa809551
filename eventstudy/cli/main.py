"""The command line: options become a config, one library call does the work, the rest is printing."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from .. import __version__
from .check import check
from .listing import listing
from .parts import EXIT_CODES, INTERRUPTED, NO_STUDY, debug_option
from .prices import prices
from .run import run


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


for command in (run, check, listing, prices):
    main.add_command(command)

if __name__ == "__main__":
    main()
