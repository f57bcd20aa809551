"""Names that may become files."""

from __future__ import annotations

import re

from ..errors import ConfigError

# Bytes of a name: the files beside a run (``.NAME.on-change.lock``) are in the 255 of file systems.
LONGEST_NAME = 200
# Names that open a device on Windows, with whatever after a dot.
RESERVED = r"con|prn|aux|nul|(com|lpt)[1-9¹²³]"


def checked_name(name: str) -> str:
    """Return `name` if it is safe as the name of a folder on every system.

    Raises
    ------
    ConfigError
        Otherwise.
    """
    if not re.fullmatch(r"\w[\w\-. ]{0,99}", name) or name.endswith((".", " ")):
        fault = "not a name for a study"
        remedy = "use letters, digits, '-', '_' and '.', and no path"
    elif len(name.encode()) > LONGEST_NAME:
        fault = "too long for the name of a study"
        remedy = f"use {LONGEST_NAME} bytes of UTF-8 at most"
    elif re.fullmatch(RESERVED, name.partition(".")[0].rstrip(), re.IGNORECASE):
        fault, remedy = "Windows keeps this name for a device", "choose another --name"
    elif name.lower() == "index.html":
        fault, remedy = "that is the page over all runs", "choose another --name"
    else:
        return name
    raise ConfigError(fault, value=name, remedy=remedy)
