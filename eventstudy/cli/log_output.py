"""Logs on stderr, a line an event: for people, or JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ..errors import hide_secrets
from ..utility import __version__, note
from ..words import make_visible
from .shared import json_text, split_arguments


@contextmanager
def logged(form: str) -> Iterator[bool]:
    """Write the events of the journal and the warnings of other packages to stderr, until it ends.

    Parameters
    ----------
    form : {"text", "json"}
    """
    root = logging.getLogger()
    journal = logging.getLogger("eventstudy")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(form))
    before, start = journal.level, time.monotonic()
    root.addHandler(handler)
    journal.setLevel(logging.INFO)
    logging.captureWarnings(True)
    kept, left = split_arguments()
    note("started", version=__version__, arguments=kept, left_out=left)
    try:
        yield True
    finally:
        note("ended", seconds=round(time.monotonic() - start, 3))
        logging.captureWarnings(False)
        journal.setLevel(before)
        root.removeHandler(handler)


class Lines(logging.Formatter):
    """One line an entry: time in UTC, level, event and its facts."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; text of another package is an event ``message`` with its logger."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": at.replace("+00:00", "Z"), "level": record.levelname.lower()}
        facts: dict[str, Any] | None = getattr(record, "facts", None)
        name = record.msg
        if facts is None:
            name, facts = "message", {"logger": record.name, "text": record.getMessage()}
        pairs = (f"{key}={_short(value)}" for key, value in facts.items())
        line = " ".join([*head.values(), name, *pairs])
        if self.form == "json":
            line = json_text({**head, "event": name, **facts}, sys.stderr, indent=None)
        return make_visible(hide_secrets(line))


def _short(value: object) -> str:
    """Return a fact as one word, in quotes if it has blanks."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if text and not any(c.isspace() or c in '"=' for c in text) else json.dumps(text)
