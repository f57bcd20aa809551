"""The manifest of a run: settings, versions, sources, the answer, and the hash of every file."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calendars.window import Window
from ..errors import ConfigError, RunFolderError
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy
from ..fitting.status import dates_of
from ..prices.frozen import described
from ..utility.flags import Flag
from ..utility.version import __version__
from .origin import hash_of

if TYPE_CHECKING:
    from ..findings.types import Findings
    from .origin import Origin

SCHEMA = "eventstudy-run/2"
MANIFEST = "manifest.json"
PACKAGES = (
    "numpy", "pandas", "scipy", "statsmodels", "exchange_calendars", "yfinance", "matplotlib",
)  # fmt: skip
# The key with the hash of all others.
OWN_HASH = "manifest_sha256"


def manifest_of(
    results: FittedStudy,
    findings: Findings,
    config: StudyConfig,
    *,
    origin: Origin | None,
    target: Path,
    command: str,
) -> dict[str, Any]:
    """Return ``manifest.json`` without the hashes; the time of writing stands nowhere else.

    Parameters
    ----------
    results : FittedStudy
    findings : Findings
    config : StudyConfig
    origin : Origin or None
    target : Path
        The run folder, to which paths are relative.
    command : str

    Returns
    -------
    dict
    """
    dropped = results.events.loc[~results.ok, "reason"].value_counts()
    panel, fetched = results.panel, results.panel.fetched
    return {
        "schema": SCHEMA,
        "name": findings.name,
        "written_at": now(),
        "command": command,
        "config": config.to_dict(),
        "origin": origin.to_dict(target) if origin else {},
        "windows": [str(Window(w.start, w.stop)) for w in config.tested],
        "engine": results.engine,
        "seed": config.seed,
        "versions": versions(),
        "events": {
            "source": origin.events.name if origin else "",
            "sha256": origin.events_hash if origin else "",
            "ok": len(results),
            "dropped": len(results.events) - len(results),
            "provisional": int((results.ok & _flagged(results, Flag.INCOMPLETE_WINDOW)).sum()),
            "open": _open(results),
            "reasons": {str(reason): int(count) for reason, count in dropped.items()},
        },
        "answers": answers(findings),
        "asked": {symbol: [str(day) for day in days] for symbol, days in panel.requested.items()},
        "asked_on": origin.read_on if origin else "",
        "prices": {symbol: dict(entry) for symbol, entry in panel.provenance.items()},
        "failures": {s: described(e) for s, e in fetched.failures.items()} if fetched else {},
        "notices": list(fetched.notices) if fetched else [],
        "warnings": [*panel.notices, *panel.notes],
    }


def seal(stage: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json`` with the hash of every file that is there, and of itself.

    Keys are sorted but for those of the settings: the order of variants is that of their table.

    Parameters
    ----------
    stage : Path
        The run folder, complete.
    manifest : mapping
    """
    facts = _sorted({**manifest, "files": hashes(stage)})
    text = _dumped(_sorted({**facts, OWN_HASH: own_hash(facts)}))
    (stage / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def own_hash(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its own hash."""
    hashed = {key: value for key, value in manifest.items() if key != OWN_HASH}
    return hashlib.sha256(_dumped(hashed).encode()).hexdigest()


def answers(findings: Findings) -> list[dict[str, Any]]:
    """Return the answer over the main window, of each group where the events are split."""
    from ..report.sections.answer import answer
    from ..utility.units import speaking_of

    out = []
    with speaking_of(findings.setup.measure):
        for sample in findings.groups or findings.samples:
            result, text = sample.answer, answer(findings, sample)
            out.append({
                "group": sample.group, "window": str(findings.setup.main),
                "headline": text.pieces[0][0], "text": str(text),
                "verdict": result.verdict, "test": result.test,
                "estimate": _number(result.effect.estimate),
                "pvalue": _number(result.pvalue), "n_events": result.n_events,
                "n_lacking": sample.n_lacking, "n_used": sample.n_used,
            })  # fmt: skip
    return out


def provenance_of(results: FittedStudy, origin: Origin | None, command: str) -> dict[str, Any]:
    """Return the sources of a study without the clock: equal inputs give an equal report.

    Parameters
    ----------
    results : FittedStudy
    origin : Origin or None
    command : str

    Returns
    -------
    dict
    """
    prices = {
        symbol: {k: v for k, v in entry.items() if k != "retrieved_at"}
        for symbol, entry in results.panel.provenance.items()
    }
    return {
        "events_source": origin.events.name if origin else "",
        "events_sha256": origin.events_hash if origin else "",
        "versions": versions(),
        "command": command,
        "prices": prices,
        "notices": list(results.panel.notices),
    }


def versions() -> dict[str, str]:
    """Return the versions of everything that computes."""
    versions_ = {"eventstudy": __version__, "python": platform.python_version()}
    return versions_ | {name: metadata.version(name) for name in PACKAGES}


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder but the manifest, by its path in it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST)
    return {p.relative_to(folder).as_posix(): kept_hash(p) for p in files}


def kept_hash(path: Path) -> str:
    """Return the SHA-256 of a file of a run; RunFolderError if it cannot be read."""
    try:
        return hash_of(path)
    except ConfigError as error:
        raise RunFolderError(error.what, where=error.where or str(path)) from None


def now() -> str:
    """Return the time in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _sorted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with sorted keys at every depth, the settings as they are."""
    unsorted = {key: value for key, value in manifest.items() if key != "config"}
    sorted_ = {**json.loads(json.dumps(unsorted, sort_keys=True)), "config": manifest["config"]}
    return {key: sorted_[key] for key in sorted(sorted_)}


def _dumped(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _flagged(results: FittedStudy, flag: str) -> Any:
    return results.events["flags"].str.split(";").apply(lambda flags: flag in flags).to_numpy(bool)


def _open(results: FittedStudy) -> int:
    """Return the number of events that new days can change.

    Those are events with unfinished windows, or with a day 0 near the last price.
    """
    if len(results.panel.sessions) == 0:
        return len(results.events)
    near = np.timedelta64(int(1.6 * max(results.abnormal.event.stop, 0)) + 20, "D")
    recent = dates_of(results.events["day0"]) > results.panel.sessions[-1] - near
    lacking = (~results.ok | _flagged(results, Flag.MISSING_DAYS)) & recent
    return int((lacking | (results.ok & _flagged(results, Flag.INCOMPLETE_WINDOW))).sum())


def _number(value: float) -> float | None:
    return float(value) if value == value else None
