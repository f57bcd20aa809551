"""Whether the files of a run folder are those that were written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import RunFolderError
from .manifest import MANIFEST, OWN_HASH, hashes, kept_hash, own_hash
from .outbox import waiting
from .ownership import LITTER
from .record import Record

DIFFERENT = 4


class AlteredError(RunFolderError):
    """The inputs that a run keeps are not as they were written."""

    exit_code = DIFFERENT


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a run folder.

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

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.changed or self.extra)

    def __str__(self) -> str:
        if self.ok:
            return f"all {self.checked} files are as they were written"
        found = {"missing": self.missing, "changed": self.changed, "extra": self.extra}
        return "\n".join(f"{word}: {file}" for word, files in found.items() for file in files)


def verify_run(folder: str | Path) -> Verification:
    """Compare every file of a run folder with the hash in its manifest, and that with its own.

    An entry of the outbox is no extra file: it comes and goes while the run stays as it was
    written.

    Raises
    ------
    RunFolderError
        If it is not a run folder.
    """
    record = Record.read(folder)
    said, found = record.manifest["files"], hashes(record.folder)
    own = [] if record.manifest.get(OWN_HASH) == own_hash(record.manifest) else [MANIFEST]
    changed = [file for file, sha in said.items() if file in found and found[file] != sha]
    entries = [path for path, entry in waiting(record.folder).items() if entry]
    listed = {*said, *(path.relative_to(record.folder).as_posix() for path in entries)}
    extra = [file for file in found if file not in listed and Path(file).name not in LITTER]
    missing = [file for file in said if file not in found]
    return Verification(len(said) + 1, tuple(missing), (*own, *changed), tuple(extra))


def refuse_altered(record: Record) -> None:
    """Raise unless all inputs that a run keeps are as they were written.

    Raises
    ------
    AlteredError
    RunFolderError
        If it keeps none.
    """
    record.origin  # noqa: B018 - says if there are none
    files = {place: record.folder / place for place in record.inputs}
    missing = [str(path) for path in files.values() if not path.is_file()]
    changed = [
        str(path) for place, path in files.items()
        if path.is_file() and kept_hash(path) != record.inputs[place]
    ]  # fmt: skip
    if missing or changed:
        found = {"is missing": missing, "was changed since it was written": changed}
        what = "; ".join(f"{', '.join(own)} {word}" for word, own in found.items() if own)
        remedy = "restore it: a run is computed again from its own inputs only"
        raise AlteredError(what, remedy=remedy)
