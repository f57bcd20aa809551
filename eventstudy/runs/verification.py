"""What is found when the files of a folder are compared with the hashes that were recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .record import LITTER


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of checking a run folder.

    Attributes
    ----------
    checked : int
        Files that the manifest names, and the manifest.
    missing, changed, extra : tuple of str
        Files that are not there, have other contents, or are not named.
    """

    checked: int
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, recorded: Mapping[str, str], current: Mapping[str, str], ours: Collection[str]
    ) -> Verification:
        """Compare the files of a folder with those that were recorded.

        Parameters
        ----------
        recorded, current : mapping of str to str
            Hashes by file.
        ours : collection of str
            Files that were not recorded, and are not extra.
        """
        changed = tuple(f for f, sha in recorded.items() if current.get(f, sha) != sha)
        extra = [f for f in current if f not in recorded and f not in ours]
        extra = [file for file in extra if Path(file).name not in LITTER]
        missing = tuple(file for file in recorded if file not in current)
        return cls(len(recorded) + 1, missing, changed, tuple(extra))

    @property
    def lost(self) -> list[str]:
        """The files that are not as they were written, each with what became of it."""
        missing = [f"missing: {file}" for file in self.missing]
        return missing + [f"changed: {file}" for file in self.changed]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.changed or self.extra)

    def __str__(self) -> str:
        if self.ok:
            return f"all {self.checked} files are as they were written"
        states = ("missing", "changed", "extra")
        return "\n".join(f"{state}: {file}" for state in states for file in getattr(self, state))
