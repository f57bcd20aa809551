"""``eventstudy schema``: the JSON Schema of a file that the program writes or reads."""

from __future__ import annotations

import click

from .json_output import print_json
from .shared import debug_option


@click.command()
@click.argument("file", type=click.Choice(["results", "study"]))
@debug_option
def schema(file: str) -> None:
    """Print the JSON Schema of results.json of a run, or of a study file."""
    if file == "study":
        from ..fitting.study_schema import schema as made
    else:
        from ..findings.document import schema as made
    print_json(made())
