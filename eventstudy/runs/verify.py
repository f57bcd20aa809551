"""The checks of a finished run: its files as they were written, its tables computed again."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..utility import one_thread
from .contents import write_tables
from .kept_case import LIMIT, CaseReproduction, is_case, reproduce_case, verify_case
from .manifest import MANIFEST
from .outbox import Outbox
from .record import OWN_HASH, Record, Verification, cells_of, hash_files, hash_manifest

if TYPE_CHECKING:
    from .proof import Proof

TOLERANCE = 1e-9
# Numbers below this differ by rounding alone: differences are taken relative to no less.
SMALLEST = 1e-6


def verify_run(folder: str | Path) -> Verification:
    """Check whether files of a saved study were changed, added or removed afterwards.

    The function compares the files in the folder of a study (its run folder) with the hashes in its
    file ``manifest.json``. It does not check the files in the subfolder ``outbox`` (see
    :func:`refresh_run`).

    Parameters
    ----------
    folder : path
        A run folder, or the folder of an example of this project, such as
        ``reports/hikvision-2019``.

    Returns
    -------
    Verification
        Its attribute ``ok`` is True if all files are as they were saved.

    Raises
    ------
    RunFolderError
        If `folder` is not the folder of a study.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.run_study(news, es.StudyConfig(prices="sample"))
    >>> es.verify_run(results.save("reports", "amd")).ok
    True
    """
    if is_case(Path(folder)):
        return verify_case(Path(folder))
    return verify_files(Record.read(folder))


def verify_files(record: Record) -> Verification:
    """Compare the files of a run with its manifest, as :func:`verify_run` does."""
    ours = {path.relative_to(record.folder).as_posix() for path in Outbox(record.folder).due}
    state = Verification.of(record.facts.files, hash_files(record.folder), ours)
    is_sealed = record.manifest.get(OWN_HASH) == hash_manifest(record.manifest)
    return state if is_sealed else replace(state, changed=(MANIFEST, *state.changed))


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
        written = self.written or "blank"
        computed = self.computed or "blank"
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
    beyond : int
        Cells that differ by more than the tolerance.
    versions : mapping of str to (written, here)
        Versions that are not the same.
    tolerance : float
    """

    tables: int
    cells: int
    differences: tuple[Difference, ...]
    differing: int
    beyond: int
    versions: Mapping[str, tuple[str, str]]
    tolerance: float

    @property
    def exact(self) -> bool:
        """Whether every cell is the same to the last digit."""
        return not self.differences

    @property
    def ok(self) -> bool:
        """Whether no cell differs by more than the tolerance."""
        return self.beyond == 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; a size may be infinite."""
        return {"ok": self.ok, "exact": self.exact, **asdict(self)}

    def __str__(self) -> str:
        cells = f"{self.cells:,} cells of {self.tables} tables"
        lines = [f"{k} {old} was used, {new} is here" for k, (old, new) in self.versions.items()]
        if self.exact:
            return "\n".join([f"reproduced exactly: {cells}", *lines])
        head = f"reproduced: {self.differing:,} of {cells} differ within {self.tolerance:g}"
        if not self.ok:
            within = self.differing - self.beyond
            head = f"not reproduced: {self.beyond:,} of {cells} differ by more than"
            head += f" {self.tolerance:g}" + f" ({within:,} within it)" * bool(within)
        head += "; the worst:"
        return "\n".join([head, *map(str, self.differences), *lines])


def reproduce_run(
    folder: str | Path, *, tolerance: float | None = None
) -> Reproduction | CaseReproduction | Proof:
    """Compute a saved study again, and compare the new tables with the saved ones.

    The function needs no network: the command ``eventstudy run`` and the function
    :func:`refresh_run` write the events, the prices and the settings into the folder of a study
    (its run folder). The function cannot compute a folder that ``results.save()`` wrote, because
    some inputs are missing there. A few example folders of the project, such as
    ``reports/hikvision-2019``, have no prices. For these folders, the function fetches the prices
    from Yahoo Finance.

    For a folder that ``eventstudy proof`` wrote, the function computes the claimed numbers with the
    check program of this package. It runs no program in that folder.

    Parameters
    ----------
    folder : path
        The folder of the study, or the folder of a proof.
    tolerance : float
        The largest difference at which two numbers count as equal. For a run folder, this is a
        relative difference: the function divides the difference by the larger of the two numbers,
        or by 1e-6 if both are smaller. The default is then 1e-9. For an example folder without
        prices, it is the difference of two returns as decimals, and the default is 0.001. For a
        proof, it is always 1e-9.

    Returns
    -------
    Reproduction, CaseReproduction or Proof
        Its attribute ``ok`` is True if no difference is larger than `tolerance`.

    Raises
    ------
    RunFolderError
        If `folder` is not a run folder, or if its inputs are missing.
    AlteredError
        If the inputs in the folder were changed after the study was saved.

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
    from .proof import check_proof, is_proof

    if is_proof(Path(folder)):
        return check_proof(Path(folder))
    if is_case(Path(folder)):
        return reproduce_case(Path(folder), limit=LIMIT if tolerance is None else tolerance)
    record = Record.read(folder)
    record.refuse_altered()
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
    within = TOLERANCE if tolerance is None else tolerance
    beyond = sum(difference.size > within for difference in differing)
    return Reproduction(*counts, order, len(differing), beyond, others, within)


def _compared(record: Record, stage: Path) -> Iterator[tuple[str, tuple[int, list[Difference]]]]:
    """Yield every table of either folder, with the number of its cells and those that differ."""
    written = {f for f in hash_files(record.folder) if _is_table(f)}
    for name in sorted(written | {f for f in hash_files(stage) if _is_table(f)}):
        if name not in written or not (stage / name).is_file():
            states = ("no table", "a table") if name not in written else ("a table", "no table")
            yield name, (1, [Difference(name, 0, "the file", *states, math.inf)])
        else:
            old = record.cells(name)
            new = cells_of(stage / name)
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
        written = ", ".join(old.columns)
        yield Difference(name, 1, "columns", written, ", ".join(new.columns), math.inf)
        return
    if len(old) != len(new):
        yield Difference(name, 0, "lines", str(len(old) + 1), str(len(new) + 1), math.inf)
        return
    for column in old.columns:
        a = old[column].to_numpy(object)
        b = new[column].to_numpy(object)
        for row in (a != b).nonzero()[0]:
            yield Difference(name, int(row) + 2, column, a[row], b[row], _size(a[row], b[row]))


def _size(old: str, new: str) -> float:
    """Return the relative difference of two numbers, infinite if they are not numbers."""
    try:
        a = float(old)
        b = float(new)
    except ValueError:
        return math.inf
    size = abs(a - b) / max(abs(a), abs(b), SMALLEST)
    return 0.0 if a == b else size if math.isfinite(size) else math.inf
