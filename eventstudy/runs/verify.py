"""The check that the files of a run folder are those that were written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import RunFolderError
from .outbox import waiting
from .record import LITTER, MANIFEST, OWN_HASH, Record, hashes, kept_hash, own_hash

DIFFERENT = 4


class AlteredError(RunFolderError):
    """The inputs that a run keeps are not as they were written."""

    exit_code = DIFFERENT


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

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.changed or self.extra)

    def __str__(self) -> str:
        if self.ok:
            return f"all {self.checked} files are as they were written"
        files_by_state = {"missing": self.missing, "changed": self.changed, "extra": self.extra}
        return "\n".join(
            f"{word}: {file}" for word, files in files_by_state.items() for file in files
        )


def verify_run(folder: str | Path) -> Verification:
    """Compare every file of a run folder with the hash in its manifest, and that with its own hash.

    An entry of the outbox is no extra file: it comes and goes while the run stays as it was
    written.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Verification

    Raises
    ------
    RunFolderError
        If it is not a run folder.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.run_study(news, es.StudyConfig(prices="sample"))
    >>> es.verify_run(results.save("reports", "amd")).ok
    True
    """
    record = Record.read(folder)
    recorded, current = record.manifest["files"], hashes(record.folder)
    manifest = [] if record.manifest.get(OWN_HASH) == own_hash(record.manifest) else [MANIFEST]
    changed = [file for file, sha in recorded.items() if file in current and current[file] != sha]
    entries = [path for path, entry in waiting(record.folder).items() if entry]
    listed = {*recorded, *(path.relative_to(record.folder).as_posix() for path in entries)}
    extra = [file for file in current if file not in listed and Path(file).name not in LITTER]
    missing = [file for file in recorded if file not in current]
    return Verification(len(recorded) + 1, tuple(missing), (*manifest, *changed), tuple(extra))


def refuse_altered(record: Record) -> None:
    """Raise unless all inputs that a run keeps are as they were written.

    Parameters
    ----------
    record : Record

    Raises
    ------
    AlteredError
        If one is missing or was changed.
    RunFolderError
        If it keeps none.
    """
    record.origin  # noqa: B018 - says if there are none
    files = {place: record.folder / place for place in record.inputs}
    missing = [str(path) for path in files.values() if not path.is_file()]
    present = {place: path for place, path in files.items() if path.is_file()}
    changed = [str(p) for place, p in present.items() if kept_hash(p) != record.inputs[place]]
    if missing or changed:
        states = {"is missing": missing, "was changed since it was written": changed}
        problem = "; ".join(f"{', '.join(paths)} {word}" for word, paths in states.items() if paths)
        remedy = "restore it: a run is computed again from its own inputs only"
        raise AlteredError(problem, remedy=remedy)
