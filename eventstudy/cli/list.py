"""``eventstudy list``: what can be named in options."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from .shared import debug_option


@click.command("list")
@click.argument("what", type=click.Choice(["models", "tests", "prices"]))
@debug_option
def listing(what: str) -> None:
    """List the models, tests or price sources that can be named in options."""
    click.echo("\n".join(_LISTS[what]()))


def _list_models() -> Iterator[str]:
    from ..models import MODELS, options_of

    for name, model in MODELS.items():
        yield f"{name:<18} {model.label[0].upper()}{model.label[1:]}: {model.source}"
        options = ", ".join(f"{key}={_option(value)}" for key, value in options_of(name).items())
        for line in (model.formula, *filter(None, [options and f"options: {options}"])):
            yield f"{'':<18} {line}"


def _option(value: object) -> str:
    """Return the default of an option as it is typed."""
    if isinstance(value, tuple):
        return "NAME,NAME (all)"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list_tests() -> Iterator[str]:
    from ..significance import STATISTICS

    yield (
        "robust to C clustering on a date, O overlapping windows, V event-induced variance, S "
        "skewness"
    )
    yield f"{'name':<20} {'label':<29} {'C':<5} {'O':<5} {'V':<5} {'S':<5} {'reference':<16} source"
    for name, test in STATISTICS.items():
        grades = " ".join(
            f"{g:<5}" for g in (test.clustering, test.overlap, test.variance, test.skewness)
        )
        yield (
            f"{name:<20} {test.label:<29} {grades} {test.reference.split(', ')[0]:<15} "
            f"{test.source}"
        )


def _list_prices() -> Iterator[str]:
    from ..prices import listing

    for name, summary in listing():
        yield f"{name:<10} {summary}"


_LISTS: dict[str, Callable[[], Iterator[str]]] = {
    "models": _list_models,
    "tests": _list_tests,
    "prices": _list_prices,
}
