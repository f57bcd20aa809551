"""The command line: options become a config, and one library call does the work."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import stat
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click
from click.exceptions import Exit, NoArgsIsHelpError

from ..utility import __version__, did_you_mean
from . import shared
from .analyses import calibrate, explain, robustness
from .basics import completion, example, init, listing, schema
from .check import check
from .finished_runs import archive, card, cite, compare, proof, report, reproduce, status, verify
from .options import options
from .plan import plan
from .prices import prices
from .records import events
from .refresh import refresh
from .run import one, run

START = """\
eventstudy one NVDA 2022-08-31 --prices sample --offline    studies one announcement
eventstudy example list                                     writes 230 announcements
eventstudy run list/events.csv --prices sample --offline    says whether the market reacted
eventstudy --help                                           lists all commands"""
OUR_FAULT = "This is a bug in eventstudy. Run again with --debug and report what it shows."
# How alike an option must be to be proposed ("--quiet" is not meant by "--out"), and a command.
ALIKE, ALIKE_COMMAND = 0.7, 0.6
# What people type for options of another name: options of ours with what to say, of which a command
# takes the first that it has; "" needs none.
_KIND, _DAYS = "--kind", "days are counted from day 0: --estimation=-250:-31 --windows 0:1"
_LEVEL = "intervals have 95%, and p is printed for any other level"
MEANT_OPTIONS = {
    "--log-returns": [(_KIND, "did you mean --kind log?")],
    "--log": [(_KIND, "did you mean --kind log?")],
    "--simple-returns": [(_KIND, "did you mean --kind simple?")],
    "--index": [("--benchmark", "did you mean --benchmark?")],
    "--notify": [("--on-change", "did you mean --on-change?")],
    "--email": [("--on-change", "did you mean --on-change?")],
    "--out": [("--to", "did you mean --to?"), ("--json", "-j prints its result as JSON")],
    "--format": [("", "eventstudy report RUN -f FORMAT writes a finished run in another form")],
    "--start": [("--estimation", _DAYS)], "--end": [("--estimation", _DAYS)],
    "--alpha": [("--windows", _LEVEL)], "--confidence": [("--windows", _LEVEL)],
}  # fmt: skip
# Where libraries and the store look, and what they take without it.
FOLDERS = {
    "XDG_CACHE_HOME": ".cache", "XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share",
}  # fmt: skip


class Terminated(BaseException):
    """The process was asked to end."""


# What a signal raises.
ENDS: dict[int, type[BaseException]] = {
    signal.SIGTERM: Terminated, signal.SIGINT: KeyboardInterrupt,
}  # fmt: skip
# Where code runs while a module is imported.
IMPORTING = "<frozen importlib._bootstrap>"


@contextmanager
def terminable() -> Iterator[None]:
    """Raise :class:`Terminated` in the main thread when SIGTERM comes, KeyboardInterrupt at Ctrl-C.

    The command ends as an error ends it: files are cleared away, and one line is printed. What is
    raised amid an import leaves half a module behind, so it is raised a moment later; and again if
    it was raised where Python passes over all errors.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted: type[BaseException] | None = None

    def end(number: int, frame: FrameType | None) -> None:
        """Handle a signal, or the alarm after it.

        Parameters
        ----------
        number : int
            Of the signal.
        frame : frame or None
            Where the program was interrupted.

        Raises
        ------
        Terminated, KeyboardInterrupt
            Outside imports.
        """
        nonlocal wanted
        wanted = ENDS.get(number, wanted)
        places = [place.f_code.co_filename for place, _ in traceback.walk_stack(frame)]
        if wanted and not (IMPORTING in places and _come_again(end)):
            raise wanted

    def heed(unraisable: Any) -> None:
        """Come again if what was raised is passed over; print other errors."""
        if unraisable.exc_type is not wanted or not _come_again(end):
            hook(unraisable)

    # A job in the background is told to ignore Ctrl-C.
    numbers = [n for n in ENDS if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in numbers}
    hook, sys.unraisablehook = sys.unraisablehook, heed
    try:
        yield
        if wanted:
            raise wanted
    except Exception:
        # Compiled code may turn what is raised amid it into its own error.
        if wanted:
            raise wanted from None
        raise
    finally:
        if wanted:
            _come_again(end, after=0)
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook


def _come_again(handler: Callable[[int, FrameType | None], None], after: float = 0.05) -> bool:
    """Have a handler called after some seconds, by 0 never; return whether the system can do it."""
    if sys.platform == "win32":
        return False
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, after)
    return True


class Main(click.Group):
    """A group whose commands end in one clear line and an exit code, never in a traceback."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        """Return the context of a call; a wrong option of all commands ends it.

        Parameters
        ----------
        info_name : str or None
            Name of the program.
        args : list of str
        parent : click.Context, optional
        **extra
            For the context.
        """
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            shared.display(f"eventstudy: {describe_misuse(error)}", err=True)
            raise Exit(error.exit_code) from None

    def invoke(self, context: click.Context) -> Any:
        """Run a command; turn errors into messages on stderr."""
        from ..errors import EventStudyError

        try:
            with terminable():
                result = super().invoke(context)
            shared.show_end(context)
            return result
        except (Exit, NoArgsIsHelpError, click.Abort, BrokenPipeError):
            raise
        except click.ClickException as error:
            _end(context, describe_misuse(error), error.exit_code)
        except EventStudyError as error:
            _end(context, str(error), error.exit_code, is_traced=True, trouble=_trouble(error))
        except KeyboardInterrupt:
            state = shared.state_of_run(context, "nothing was changed")
            _end(context, f"interrupted, {state}", shared.INTERRUPTED)
        except Terminated:
            state = shared.state_of_run(context, "the last report is unchanged")
            _end(context, f"terminated, {state}", shared.TERMINATED)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            new = shared.run_is_new(context)
            text = f"{error.strerror or error}{where}{'; the new report is written' * new}"
            _end(context, text, shared.NO_STUDY, failed=not new, is_traced=True)
        except Exception as error:
            text = f"unexpected {type(error).__name__}: {error}\n{OUR_FAULT}"
            if isinstance(error, MemoryError):
                text = "there is not enough memory: raise its limit, or study fewer events"
            _end(context, text, shared.NO_STUDY, is_traced=True)


def describe_misuse(error: click.ClickException) -> str:
    """Return what is wrong with a command line, what to do instead, and where its help is."""
    possible = getattr(error, "possibilities", None) or ()
    typed = getattr(error, "option_name", "") or getattr(error, "command_name", "")
    text = (error.message if possible else error.format_message()).rstrip(".")
    context = getattr(error, "ctx", None)
    where = f"see {context.command_path} --help" if context else ""
    like = ALIKE if typed.startswith("-") else ALIKE_COMMAND
    ours = {"", *(name for p in context.command.params for name in p.opts)} if context else set()
    meant = (remedy for option, remedy in MEANT_OPTIONS.get(typed, []) if option in ours)
    remedy = next(meant, "") or did_you_mean(typed, possible, like=like)
    if isinstance(error, click.UsageError) and Path(typed).suffix in (".csv", ".toml", ".xlsx"):
        remedy = f"did you mean eventstudy run {typed}?"
    return "; ".join(filter(None, [text, remedy, where]))


def _trouble(error: Exception) -> str:
    """Return what the index says of an error: of several problems the first."""
    from ..errors import EventsFileError

    text = str(error).partition("\n")[0]
    if isinstance(error, EventsFileError) and error.problems:
        return f"{text}; line {error.problems[0]}"
    return text


def _end(
    context: click.Context, text: str, code: int, *, failed: bool = True, is_traced: bool = False,
    trouble: str = "",
) -> None:  # fmt: skip
    """Print why a command ends, and end it; the index shows a failed run unless it was written."""
    if is_traced and context.meta.get("eventstudy.debug"):
        shared.display(traceback.format_exc(), err=True)
    shared.tell("failed", text, exit_code=code)
    if code not in (shared.INTERRUPTED, shared.USAGE):
        shared.show_end(context, (trouble or text) if failed else "")
    context.exit(code)


def settle() -> str:
    """Point caches and the store to a temporary folder if they have none to write to.

    Returns
    -------
    str
        A notice for the user; "" if nothing was changed, or no prices are kept there.

    Notes
    -----
    Without a home yfinance does not import, and matplotlib makes its fonts anew in every process.
    This is done for the process of a command only; a program that imports the library keeps its
    environment.
    """
    if os.name == "nt":
        return ""
    has_store = bool(os.environ.get("EVENTSTUDY_STORE"))
    lacking = [name for name in FOLDERS if not _writable(name)]
    if not lacking or (has_store and lacking == ["XDG_DATA_HOME"]):
        return ""
    scratch = _scratch()
    for name in lacking:
        os.environ[name] = str(scratch / FOLDERS[name])
    os.environ.setdefault("MPLCONFIGDIR", str(scratch / "matplotlib"))
    if has_store or "XDG_DATA_HOME" not in lacking:
        return ""
    elsewhere = "set EVENTSTUDY_STORE for another place"
    return f"no home folder to write to: prices are kept in {scratch}; {elsewhere}"


def _writable(name: str) -> bool:
    """Return whether a folder can be written, or made."""
    try:
        folder = Path(os.environ.get(name) or Path.home() / FOLDERS[name])
    except RuntimeError:
        return False
    existing = next((p for p in (folder, *folder.parents) if os.path.lexists(p)), Path("/"))
    return folder.is_absolute() and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _scratch() -> Path:
    """Return a folder that nobody else can write to, the same in every run if possible."""
    folder = Path(tempfile.gettempdir()) / f"eventstudy-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        is_private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if is_private and status.st_uid == os.getuid():
            return folder
    return Path(tempfile.mkdtemp(prefix="eventstudy-"))


@click.group(
    cls=Main,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "color": False,
        "token_normalize_func": lambda name: name.replace("_", "-"),
    },
    invoke_without_command=True,
    epilog=shared.EXIT_CODES,
)
@click.version_option(__version__, prog_name="eventstudy")
@options()
def main() -> None:
    """Did the market react, by how much, and can we be sure?

    Takes a CSV of announcements, joins it with prices, fits a market model and reports abnormal
    returns with their significance. Start with:  eventstudy run events.csv
    """
    context = click.get_current_context()
    for name in ("stdout", "stderr"):
        # A scheduler may start a job with its streams closed.
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the whole run
        setattr(sys, name, stream)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    context.meta[shared.HOME] = settle()
    # Matrix products take one thread (`one_thread` of utility): others need not be started.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A study makes many objects and few cycles: looking for these often is time for nothing.
    gc.set_threshold(200_000, 20, 100)
    atexit.register(gc.freeze)
    if context.invoked_subcommand is None:
        shared.display(START)


for command in (
    init, example, plan, one, run, calibrate, explain, refresh, report, verify, reproduce, proof,
    archive, compare, check, listing, completion, schema, robustness, status, prices, events, card,
    cite,
):  # fmt: skip
    main.add_command(command)

if __name__ == "__main__":
    main()
