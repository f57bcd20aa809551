"""``record.toml``: what is looked at for a list of events."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import replacing
from ..utility import did_you_mean
from ..words import make_error

SETTINGS = "record.toml"
TEMPLATE = """\
# What `eventstudy events find` looks at for this list. It is not a sanctions screening.

# Who asks: an address at which those who run a public server can reach you.
contact = ""
# The sources (eventstudy list records), and the first day of the actions.
sources = []
since = 2000-01-01
# Your own files of shares, with the columns symbol and name, perhaps isin and first_day.
names = []
# Pages of the White House that date what a list names on the same day.
pages = []
"""
TEXTS = (list, "a list of texts")
# Each setting with its type, in Python and in words.
KINDS: dict[str, tuple[type, str]] = {
    "contact": (str, "a text"), "sources": TEXTS, "since": (dt.date, "a date"), "names": TEXTS,
    "pages": TEXTS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What ``record.toml`` says.

    Attributes
    ----------
    contact : str
        For the User-Agent.
    sources : tuple of str
    since : date
    names, pages : tuple of str
        Paths of names files, and addresses.
    """

    contact: str = ""
    sources: tuple[str, ...] = ()
    since: dt.date = dt.date(2000, 1, 1)
    names: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> RecordSettings:
        """Return the settings in a folder; the usual ones where there are none.

        Raises
        ------
        ConfigError
            If the file cannot be read, or has a key or a value that it may not have.
        """
        path = folder / SETTINGS
        if not path.exists():
            return cls()
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise make_error(ConfigError, "records.toml", where=str(path), why=str(error)) from None
        for key, value in found.items():
            if key not in KINDS:
                facts: dict[str, Any] = {"hint": did_you_mean(key, KINDS), "keys": list(KINDS)}
                raise make_error(ConfigError, "records.key", where=str(path), value=key, **facts)
            if not _fits(value, KINDS[key][0]):
                facts = {"key": key, "form": KINDS[key][1]}
                shown = str(value)
                raise make_error(
                    ConfigError, "records.setting", where=str(path), value=shown, **facts
                )
        given: dict[str, Any] = {}
        for key, value in found.items():
            given[key] = tuple(value) if isinstance(value, list) else value
        return cls(**given)

    def added(self, **more: Sequence[str] | dt.date | None) -> RecordSettings:
        """Return the settings with what is given besides: longer lists, an earlier first day."""
        changed = {field.name: getattr(self, field.name) for field in fields(self)}
        for key, value in more.items():
            if isinstance(value, dt.date):
                is_first = not self.sources
                changed[key] = value if is_first else min(value, self.since)
            elif value:
                changed[key] = tuple(dict.fromkeys((*changed[key], *value)))
        return RecordSettings(**changed)

    def write(self, folder: Path) -> None:
        """Write what differs from the file in a folder into it; its comments stay.

        Raises
        ------
        ConfigError
            If the line of a setting is not found.
        """
        path = folder / SETTINGS
        before = RecordSettings.read(folder)
        text = path.read_text(encoding="utf-8") if path.exists() else TEMPLATE
        for field in fields(self):
            value = getattr(self, field.name)
            if value == getattr(before, field.name):
                continue
            line = f"{field.name} = {_toml(value)}"
            pattern = rf"^{field.name}\s*=\s*(?:\[[^\]]*\]|[^\n\[]*)$"
            text, count = re.subn(pattern, lambda _, line=line: line, text, flags=re.MULTILINE)  # type: ignore[misc]
            if not count:
                text = f"{line}\n{text}"
        if not path.exists() or text != path.read_text(encoding="utf-8"):
            with replacing(path) as stage:
                stage.write_text(text, encoding="utf-8", newline="\n")


def _fits(value: object, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, kind) and not isinstance(value, dt.datetime)


def _toml(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    assert isinstance(value, tuple)  # noqa: S101
    return "[" + ", ".join(map(_toml, value)) + "]"
