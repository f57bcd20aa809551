"""The checks of a finished run: its files as they were written, its tables computed again."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ..errors import AlteredError
from ..files import InputFile, inside
from ..utility import one_thread
from .contents import write_tables
from .manifest import MANIFEST
from .origin import SIZES
from .outbox import waiting
from .record import LITTER, OWN_HASH, Record, cells_of, hash_files, hash_kept_file, hash_manifest

TOLERANCE = 1e-9
# Numbers below this differ by rounding alone: differences are taken relative to no less.
SMALLEST = 1e-6


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
        states = ("missing", "changed", "extra")
        return "\n".join(f"{state}: {file}" for state in states for file in getattr(self, state))


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
    recorded, current = record.facts.files, hash_files(record.folder)
    entries = [path for path, entry in waiting(record.folder).items() if entry]
    ours = {path.relative_to(record.folder).as_posix() for path in entries}
    state = compare_hashes(recorded, current, ours)
    is_sealed = record.manifest.get(OWN_HASH) == hash_manifest(record.manifest)
    return state if is_sealed else replace(state, changed=(MANIFEST, *state.changed))


def compare_hashes(
    recorded: Mapping[str, str], current: Mapping[str, str], ours: Collection[str]
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
    return Verification(len(recorded) + 1, missing, changed, tuple(extra))


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
    folder = record.folder / "data"
    for path in (folder, record.folder / SIZES, *folder.rglob("*")):
        if path.is_symlink():
            raise AlteredError("is a link, and is not read", where=str(path))
    files = {place: inside(record.folder, place) for place in record.inputs}
    missing = [str(path) for path in files.values() if not path.is_file()]
    present = {place: path for place, path in files.items() if path.is_file()}
    changed = [str(p) for place, p in present.items() if hash_kept_file(p) != record.inputs[place]]
    if missing or changed:
        states = {"is missing": missing, "was changed since it was written": changed}
        problem = "; ".join(f"{', '.join(paths)} {word}" for word, paths in states.items() if paths)
        remedy = "restore it: a run is computed again from its own inputs only"
        raise AlteredError(problem, remedy=remedy)
    for path in files.values():
        InputFile(path).require()


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that differs.

    Attributes
    ----------
    table : str
    row : int
        Line of the file; 1 is the header.
    column, written, computed : str
    size : float
        Relative difference of numbers; infinite for anything else.
    """

    table: str
    row: int
    column: str
    written: str
    computed: str
    size: float

    def __str__(self) -> str:
        place = f"{self.table}, line {self.row}, {self.column}"
        size = "" if math.isinf(self.size) else f" (relative difference {self.size:.1e})"
        written, computed = self.written or "blank", self.computed or "blank"
        return f"{place}: {written} was written, {computed} computed{size}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The outcome of computing a run again.

    Attributes
    ----------
    tables, cells : int
        Number of tables and cells that were compared.
    differences : tuple of Difference
        The worst cell of each table in which any differs, worst first.
    differing : int
        Cells that differ.
    versions : mapping of str to (written, here)
        Versions that are not the same.
    tolerance : float
    """

    tables: int
    cells: int
    differences: tuple[Difference, ...]
    differing: int
    versions: Mapping[str, tuple[str, str]]
    tolerance: float

    @property
    def exact(self) -> bool:
        """Whether every cell is the same to the last digit."""
        return not self.differences

    @property
    def ok(self) -> bool:
        """Whether no cell differs by more than the tolerance."""
        return all(difference.size <= self.tolerance for difference in self.differences)

    def __str__(self) -> str:
        cells = f"{self.cells:,} cells of {self.tables} tables"
        lines = [f"{k} {old} was used, {new} is here" for k, (old, new) in self.versions.items()]
        if self.exact:
            return "\n".join([f"reproduced exactly: {cells}", *lines])
        count = f"{self.differing:,} of {cells} differ"
        verdict, word = ("reproduced", "within") if self.ok else ("not reproduced", "by more than")
        head = f"{verdict}: {count} {word} {self.tolerance:g}; the worst:"
        return "\n".join([head, *map(str, self.differences), *lines])


def reproduce_run(folder: str | Path, *, tolerance: float = TOLERANCE) -> Reproduction:
    """Compute a run again from the inputs in its folder, offline, and compare all tables.

    Parameters
    ----------
    folder : path
    tolerance : float
        Largest relative difference of two numbers that counts as rounding; numbers below 1e-6 in
        size are compared as if they were 1e-6.

    Returns
    -------
    Reproduction

    Raises
    ------
    RunFolderError
        If it is not a run folder, or does not keep its inputs.
    AlteredError
        If these are not as they were written.

    Examples
    --------
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> from eventstudy.runs import Origin
    >>> _ = Path("amd.csv").write_text("ticker,announced_at" + chr(10) + "AMD,2022-10-07")
    >>> origin = Origin(Path("amd.csv"), es.StudyConfig(prices="sample"))
    >>> _ = es.refresh_run(origin, Path("reports/amd"))
    >>> es.reproduce_run("reports/amd").exact
    True
    """
    from ..analysis import compute_study

    record = Record.read(folder)
    refuse_altered(record)
    inputs, origin = record.frozen.read()
    results = compute_study(inputs)
    with tempfile.TemporaryDirectory(prefix="eventstudy-") as place:
        stage = Path(place)
        with one_thread():
            write_tables(stage, results, origin.config)
        tables = dict(_compared(record, stage))
        cells = sum(n for n, _ in tables.values())
        differing = [d for _, cells_ in tables.values() for d in cells_]
    worst = {d.table: d for d in sorted(differing, key=lambda d: d.size)}
    order = tuple(sorted(worst.values(), key=lambda d: -d.size))
    counts, others = (len(tables), cells), record.other_versions
    return Reproduction(*counts, order, len(differing), others, tolerance)


def _compared(record: Record, stage: Path) -> Iterator[tuple[str, tuple[int, list[Difference]]]]:
    """Yield every table of either folder, with the number of its cells and those that differ."""
    written = {f for f in hash_files(record.folder) if _is_table(f)}
    for name in sorted(written | {f for f in hash_files(stage) if _is_table(f)}):
        if name not in written or not (stage / name).is_file():
            states = ("no table", "a table") if name not in written else ("a table", "no table")
            yield name, (1, [Difference(name, 0, "the file", *states, math.inf)])
        else:
            old, new = record.cells(name), cells_of(stage / name)
            yield name, (old.size, list(differences(name, old, new)))


def _is_table(file: str) -> bool:
    return file == "events.csv" or (file.startswith("tables/") and file.endswith(".csv"))


def differences(name: str, old: pd.DataFrame, new: pd.DataFrame) -> Iterator[Difference]:
    """Yield the cells of two tables, as text, that differ.

    Parameters
    ----------
    name : str
        Name of the table.
    old, new : DataFrame

    Yields
    ------
    Difference
    """
    if list(old.columns) != list(new.columns):
        written, computed = ", ".join(old.columns), ", ".join(new.columns)
        yield Difference(name, 1, "columns", written, computed, math.inf)
        return
    if len(old) != len(new):
        yield Difference(name, 0, "lines", str(len(old) + 1), str(len(new) + 1), math.inf)
        return
    for column in old.columns:
        a, b = old[column].to_numpy(object), new[column].to_numpy(object)
        for row in (a != b).nonzero()[0]:
            yield Difference(name, int(row) + 2, column, a[row], b[row], _size(a[row], b[row]))


def _size(old: str, new: str) -> float:
    """Return the relative difference of two numbers, infinite if they are not numbers."""
    try:
        a, b = float(old), float(new)
    except ValueError:
        return math.inf
    size = abs(a - b) / max(abs(a), abs(b), SMALLEST)
    return 0.0 if a == b else size if math.isfinite(size) else math.inf
