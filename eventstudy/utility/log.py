"""Log events with a name and facts, through the logger ``eventstudy``."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("eventstudy")
LOGGER.addHandler(logging.NullHandler())
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def note(event: str, level: str = "info", **facts: object) -> None:
    """Log an event: a stable name in lower case, and facts that JSON can hold.

    Parameters
    ----------
    event : str
    level : {"info", "warning", "error"}
    **facts
        What JSON can hold.
    """
    LOGGER.log(LEVELS[level], event, extra={"facts": facts})
