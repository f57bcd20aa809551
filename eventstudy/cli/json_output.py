"""JSON on stdout and in logs."""

from __future__ import annotations

import sys
from typing import TextIO

import click


def json_text(document: object, stream: TextIO, *, indent: int | None = 1) -> str:
    """Return JSON for a stream, in escapes if its encoding lacks a letter.

    Parameters
    ----------
    document : object
    stream : text file
    indent : int or None

    Returns
    -------
    str
    """
    import json

    text = json.dumps(document, ensure_ascii=False, indent=indent, default=str)
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, default=str)
    return text


def print_json(document: object) -> None:
    """Print JSON on stdout."""
    click.echo(json_text(document, sys.stdout))
