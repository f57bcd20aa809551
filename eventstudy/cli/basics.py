"""The commands that need no study: files to begin with, names that options take, forms of files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import options
from .shared import display, print_json

if TYPE_CHECKING:
    from ..models import LinearModel
    from ..significance import Statistic

STUDY, EVENTS, SCHEMA = "study.toml", "events.csv", "study.schema.json"
ABOUT, RECORD = "README.md", "events.record"
DATA = files("eventstudy") / "data"


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@options()
def init(folder: Path) -> None:
    """Write a commented study file and an events file into FOLDER (this one).

    Nothing is overwritten.
    """
    from ..settings import StudyFile

    # The prices of one firm come from the network, of the other they are bundled.
    rows = (DATA / "init" / EVENTS).read_text(encoding="utf-8")
    schema = (DATA / SCHEMA).read_text(encoding="utf-8")
    texts = {EVENTS: rows, STUDY: StudyFile.template(), SCHEMA: schema}
    contents = {name: text.encode() for name, text in texts.items()}
    _write_new(folder, contents, STUDY, f", {EVENTS} and {SCHEMA} (for editors)")


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@options()
def example(folder: Path) -> None:
    """Write a list of announcements on sanctions, and its README, into FOLDER (this one).

    Beside it stands a public record to be decided on: the companies that the US put on its NS-CMIC
    list (eventstudy events find FOLDER/events.csv --offline). Nothing is overwritten.
    """
    place = Path(str(DATA / "example"))
    contents = {}
    for path in sorted(place.rglob("*")):
        if path.is_file():
            contents[path.relative_to(place).as_posix()] = path.read_bytes()
    more = f", {ABOUT} (what its columns mean) and {RECORD} (proposals of the public record)"
    _write_new(folder, contents, EVENTS, more)


def _write_new(folder: Path, contents: Mapping[str, bytes], to_run: str, more: str) -> None:
    """Write files by their names, all or none; one that has appeared meanwhile stays."""
    from ..errors import ConfigError
    from ..words import make_error

    places = sorted({name.partition("/")[0] for name in contents})
    if existing := [name for name in places if (folder / name).exists()]:
        names = " and ".join(existing)
        raise make_error(ConfigError, "wrong.holds", where=str(folder), names=names)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as file:
            file.write(content)
    display(f"Wrote {folder / to_run}{more}.\nNext:\n")
    display(f"  eventstudy run {shlex.quote(str(folder / to_run))}")


@click.command("list")
@click.argument("kind", type=click.Choice(["models", "tests", "prices", "records"]))
@options()
def listing(kind: str) -> None:
    """List the models, tests, price sources or record sources that can be named in options."""
    lists = {
        "models": _list_models, "tests": _list_tests, "prices": _list_prices,
        "records": _list_records,
    }  # fmt: skip
    display("\n".join(lists[kind]()))


@click.command()
@click.argument("file", type=click.Choice(["results", "study", "manifest"]))
@options()
def schema(file: str) -> None:
    """Print the JSON Schema of results.json or manifest.json of a run, or of a study file."""
    from .. import findings, runs, settings

    forms: dict[str, Any] = {
        "results": findings.FinishedRun.DOCUMENT,
        "study": settings.StudyFile,
        "manifest": runs.Record.DOCUMENT,
    }
    print_json(forms[file].schema())


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@options()
def completion(shell: str) -> None:
    """Print the script by which SHELL completes commands, options and their values.

    \b
      eval "$(eventstudy completion bash)"             in ~/.bashrc (zsh: in ~/.zshrc)
      eventstudy completion fish | source              in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    program = click.get_current_context().find_root().command
    complete = get_completion_class(shell)
    if complete:
        display(complete(program, {}, "eventstudy", "_EVENTSTUDY_COMPLETE").source())


def _list_models() -> Iterator[str]:
    from ..models import MODELS

    for name, model in MODELS.items():
        yield f"{name:<18} {_model_line(model)}"
        defaults = MODELS.options_of(name)
        options = ", ".join(f"{key}={_option(value)}" for key, value in defaults.items())
        for line in (model.formula, *filter(None, [options and f"options: {options}"])):
            yield f"{'':<18} {line}"
    for name, text in MODELS.plugin_lines(_model_line):
        yield f"{name:<18} {text}"


def _model_line(model: type[LinearModel]) -> str:
    return f"{model.label[0].upper()}{model.label[1:]}: {model.source}"


def _option(value: object) -> str:
    """Return the default of an option as it is typed."""
    if isinstance(value, tuple):
        return "NAME,NAME (all)"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list_tests() -> Iterator[str]:
    from ..significance import STATISTICS

    variance = "V event-induced variance, S skewness"
    yield f"robust to C clustering on a date, O overlapping windows, {variance}"
    yield f"{'name':<20} {'label':<29} {'C':<5} {'O':<5} {'V':<5} {'S':<5} {'reference':<16} source"
    for name, test in STATISTICS.items():
        yield f"{name:<20} {_test_line(test)}"
    for name, text in STATISTICS.plugin_lines(_test_line):
        yield f"{name:<20} {text}"


def _test_line(test: Statistic) -> str:
    grades = (test.clustering, test.overlap, test.variance, test.skewness)
    columns = " ".join(f"{grade:<5}" for grade in grades)
    return f"{test.label:<29} {columns} {test.reference.split(', ')[0]:<15} {test.source}"


def _list_records() -> Iterator[str]:
    from ..records import listing

    return (f"{name:<18} {summary}" for name, summary in listing())


def _list_prices() -> Iterator[str]:
    from ..prices import listing

    return (f"{name:<10} {summary}" for name, summary in listing())
