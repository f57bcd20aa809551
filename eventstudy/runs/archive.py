"""A replication package of a run: one zip as data editors of journals ask for it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import AlteredError, RunFolderError
from ..files import replacing
from ..findings import FinishedRun
from ..words import make_error, say, words
from .plan import Plan
from .proof import write_proof
from .record import PACKAGES, Record
from .verify import verify_files

# The earliest time that a zip can have: that of every file in it.
NO_TIME = (1980, 1, 1, 0, 0, 0)
LISTED_TABLES = 40
TEMPLATE = files("eventstudy") / "data" / "archive" / "README.md.txt"


@dataclass(frozen=True, slots=True)
class Archive:
    """A replication package, and why it has no proof, if it has none."""

    path: Path
    n_files: int
    no_proof: str = ""


def write_archive(run: str | Path, target: Path | None = None, *, force: bool = False) -> Archive:
    """Write a run with its proof, plan, environment and sources as one zip.

    Parameters
    ----------
    run : path
        A run folder.
    target : Path, optional
        By default ``NAME.zip`` beside it.
    force : bool
        Take the place of a file that is there.

    Returns
    -------
    Archive
        The same run gives the same bytes.

    Raises
    ------
    RunFolderError
        If it is no run folder, or the file is there.
    AlteredError
        If a file of the run is not as it was written, or a number of its proof does not agree.
    """
    from ..report import write_bibtex

    record = Record.read(run)
    state = verify_files(record)
    if not state.ok:
        raise AlteredError(str(state), where=str(record.folder))
    folder = record.folder.absolute()
    target = target or folder.with_name(f"{folder.name}.zip")
    if target.exists() and not force:
        raise make_error(RunFolderError, "archive.exists", where=str(target))
    contents = {f"run/{name}": data for name, data in _read_files(folder)}
    no_proof = ""
    with TemporaryDirectory() as place:
        try:
            proof = write_proof(folder, Path(place) / "proof")
        except RunFolderError as error:
            no_proof = error.what
        else:
            if not proof.ok:
                raise make_error(AlteredError, "archive.disagrees", where=str(folder))
            contents |= {f"proof/{name}": data for name, data in _read_files(proof.folder)}
    findings = FinishedRun.read(folder).findings
    contents["references.bib"] = write_bibtex(findings).encode()
    contents["requirements.txt"] = _list_requirements(record).encode()
    contents["README.md"] = _write_readme(record, contents, no_proof).encode()
    sums = (f"{hashlib.sha256(contents[name]).hexdigest()}  {name}" for name in sorted(contents))
    contents["SHA256SUMS"] = ("\n".join(sums) + "\n").encode()
    with replacing(target) as stage:
        stage.write_bytes(_zipped(folder.name, contents))
    return Archive(target, len(contents), no_proof)


def _read_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files below a folder, by name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _zipped(name: str, contents: Mapping[str, bytes]) -> bytes:
    """Return a zip of files, the same for the same contents, whatever machine writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(contents):
            entry = zipfile.ZipInfo(f"{name}/{place}", NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, contents[place])
    return buffer.getvalue()


def _list_requirements(record: Record) -> str:
    """Return the packages that computed the run, as pip takes them."""
    versions = record.facts.versions
    lines = [f"# Python {versions.get('python', '')}"]
    lines.append(f"eventstudy-kit=={versions.get('eventstudy', '')}")
    lines += [f"{name}=={versions[name]}" for name in PACKAGES if name in versions]
    return "\n".join(lines) + "\n"


def _write_readme(record: Record, contents: Mapping[str, bytes], no_proof: str) -> str:
    """Return the README in the order of the template of the AEA's data editor."""
    facts = record.facts
    statement = facts.answers[0].text if facts.answers else ""
    plan = Plan.place(record.folder / record.origin.place)
    planned = ""
    if plan.is_file():
        planned = say("archive.plan", place=f"run/data/{plan.name}")
    tables = [name for name in contents if name.startswith("run/tables/")]
    proof = say("archive.no_proof", why=no_proof) if no_proof else say("archive.proof")
    places = {
        "NAME": facts.name,
        "ANSWER": statement,
        "EVENTS": f"{facts.events.ok + facts.events.dropped:,}",
        "SOURCES": "\n".join(_describe_sources(record)),
        "PYTHON": facts.versions.get("python", ""),
        "VERSION": facts.versions.get("eventstudy", ""),
        "PLAN": planned,
        "PROOF": proof,
        "TABLES": "\n".join(f"- `{name}`" for name in tables[:LISTED_TABLES]),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    if no_proof:
        text = "\n".join(line for line in text.splitlines() if "proof/" not in line) + "\n"
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def _describe_sources(record: Record) -> Iterator[str]:
    """Yield a line on each source of prices: how many series, of which days, and whose they are."""
    groups: dict[str, list[str]] = {}
    for symbol, entry in record.facts.prices.items():
        groups.setdefault(entry.source, []).append(symbol)
    for source, symbols in sorted(groups.items()):
        entries = [record.facts.prices[symbol] for symbol in symbols]
        first = min(entry.first for entry in entries)
        last = max(entry.last for entry in entries)
        code = source if source in RIGHTS else "other"
        facts = {"source": source, "n": len(symbols), "first": first, "last": last}
        names = words().some(sorted(symbols), 8)
        yield "- " + say("archive.source", **facts, symbols=names, rights=say(f"archive.{code}"))


RIGHTS = ("yahoo", "moex", "tiingo", "eodhd", "sample", "files")
