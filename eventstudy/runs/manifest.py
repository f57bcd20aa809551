"""What a run says of itself: settings, versions, sources, and the hash of every file."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import __version__
from ..config import StudyConfig
from ..results import EventStudyResults
from ..windows import Window

SCHEMA = "eventstudy-run/1"
PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "exchange_calendars", "yfinance", "matplotlib")


def manifest_of(
    results: EventStudyResults, name: str, config: StudyConfig, source: dict[str, str], hashes: dict[str, str]
) -> str:
    """Return the text of ``manifest.json``; the clock time lives only there."""
    dropped = results.events.loc[~results.ok, "reason"].value_counts()
    record = {
        "schema": SCHEMA,
        "name": name,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": config.to_dict(),
        "windows": [str(Window(w.start, w.stop)) for w in config.tested],
        "engine": results.engine,
        "seed": config.seed,
        "versions": versions(),
        "events": {
            "source": source.get("events", ""),
            "sha256": source.get("sha256", ""),
            "ok": len(results),
            "dropped": len(results.events) - len(results),
            "reasons": {str(reason): int(count) for reason, count in dropped.items()},
        },
        "prices": {symbol: dict(entry) for symbol, entry in results.panel.provenance.items()},
        "warnings": [*results.panel.notices, *results.panel.notes],
        "files": hashes,
    }
    return json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def provenance_of(results: EventStudyResults, source: dict[str, str], command: str) -> dict[str, Any]:
    """Return where everything came from, without the clock: equal inputs give an equal report."""
    prices = {
        symbol: {k: v for k, v in entry.items() if k != "retrieved_at"}
        for symbol, entry in results.panel.provenance.items()
    }
    return {
        "events_source": source.get("events", ""),
        "events_sha256": source.get("sha256", ""),
        "versions": versions(),
        "command": command,
        "prices": prices,
        "notices": list(results.panel.notices),
    }


def versions() -> dict[str, str]:
    """Return the versions of everything that computes."""
    own = {"eventstudy": __version__, "python": platform.python_version()}
    return own | {name: metadata.version(name) for name in PACKAGES}


def hashes(stage: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder by its path in it."""
    files = sorted(p for p in stage.rglob("*") if p.is_file())
    return {p.relative_to(stage).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
