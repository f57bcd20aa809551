"""``eventstudy list`` and ``schema``: the names that options take, and the form of files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from .options import options
from .shared import display, print_json

if TYPE_CHECKING:
    from ..models import LinearModel
    from ..significance import Statistic


@click.command("list")
@click.argument("kind", type=click.Choice(["models", "tests", "prices"]))
@options()
def listing(kind: str) -> None:
    """List the models, tests or price sources that can be named in options."""
    lists = {"models": _list_models, "tests": _list_tests, "prices": _list_prices}
    display("\n".join(lists[kind]()))


@click.command()
@click.argument("file", type=click.Choice(["results", "study", "manifest"]))
@options()
def schema(file: str) -> None:
    """Print the JSON Schema of results.json or manifest.json of a run, or of a study file."""
    if file == "study":
        from ..fitting.study_file import schema as form
    elif file == "manifest":
        from ..runs.manifest import schema as form
    else:
        from ..findings.document import schema as form
    print_json(form())


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

    program, complete = click.get_current_context().find_root().command, get_completion_class(shell)
    if complete:
        display(complete(program, {}, "eventstudy", "_EVENTSTUDY_COMPLETE").source())


def _list_models() -> Iterator[str]:
    from ..models import MODELS, options_of

    for name, model in MODELS.items():
        yield f"{name:<18} {_model_line(model)}"
        options = ", ".join(f"{key}={_option(value)}" for key, value in options_of(name).items())
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


def _list_prices() -> Iterator[str]:
    from ..prices import listing

    for name, summary in listing():
        yield f"{name:<10} {summary}"
