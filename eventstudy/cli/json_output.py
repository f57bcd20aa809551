"""JSON on stdout and in logs."""

from __future__ import annotations

import sys
from typing import TextIO

import click


def json_text(found: object, stream: TextIO, *, indent: int | None = 1) -> str:
    """Return JSON for a stream, in escapes if that lacks a letter: none is lost, whatever its
    encoding."""
    import json

    text = json.dumps(found, ensure_ascii=False, indent=indent, default=str)
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(found, indent=indent, default=str)
    return text


def print_json(found: object) -> None:
    """Print JSON on stdout."""
    click.echo(json_text(found, sys.stdout))
