"""One small mechanism for everything that can be chosen by name: models, tests, price sources."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from ..errors import ConfigError

T = TypeVar("T")


def did_you_mean(word: str, choices: Iterator[str] | Mapping[str, object] | list[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the closest choice, or an empty string."""
    match = difflib.get_close_matches(word, list(choices), 1)
    return f"did you mean {match[0]!r}?" if match else ""


class Registry(Mapping[str, T], Generic[T]):
    """A read-only mapping from canonical name to entry, filled by decorator.

    Raises
    ------
    ConfigError
        On look-up of an unknown name; the message lists the names and the closest one.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under `name`."""

        def add(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return add

    def __getitem__(self, name: str) -> T:
        # What is no text, such as a list of windows, is no name either.
        if not isinstance(name, str) or name not in self._entries:
            hint = did_you_mean(str(name), list(self._entries))
            known = "known: " + ", ".join(self._entries)
            raise ConfigError(f"unknown {self.kind}", value=name, remedy=f"{hint} {known}".strip())
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
