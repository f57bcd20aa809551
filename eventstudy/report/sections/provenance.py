"""Where the numbers come from: command, events, prices, settings and versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import MISSING, clipped, listed
from .table import Row, Table, table_of
from .top import data_notes

# What is known of the prices of a symbol, in the order of the table.
COLUMNS = ("source", "detail", "first", "last", "rows", "currency", "note")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the numbers come from; "" and None for what is unknown.

    Attributes
    ----------
    lede, command, reproduce, events, sha256, prices, settings, software : str
        Command of the run; how it is reproduced without network; source and checksum of the
        events; sources of prices with their numbers of symbols.
    notes : list of str
        Notes on the data that change no reading of the answer.
    symbols : Table, optional
        The source of each symbol.
    """

    lede: str
    command: str
    reproduce: str
    events: str
    sha256: str
    prices: str
    settings: str
    software: str
    notes: list[str]
    symbols: Table | None


def provenance(findings: Findings) -> Provenance:
    """Return where the numbers of a study come from."""
    record = findings.provenance
    prices: dict[str, dict[str, Any]] = record.get("prices") or {}
    sources = Counter(clipped(entry.get("source", "")) for _, entry in sorted(prices.items()))
    last = max((str(entry.get("last") or "") for entry in prices.values()), default="")
    rows = [
        Row((symbol, *(clipped(entry.get(name, "")) or MISSING for name in COLUMNS)))
        for symbol, entry in sorted(prices.items())
    ]
    sha256 = record.get("events_sha256") or ""
    names = listed(f"{source} ({n:,})" for source, n in sources.items()) if sources else ""
    return Provenance(
        lede=say("provenance.lede_until" if last else "provenance.lede", last=last),
        command=record.get("command") or "",
        reproduce=f"eventstudy reproduce {findings.name}" if sha256 else "",
        events=record.get("events_source") or "",
        sha256=sha256,
        prices=say("provenance.prices", n=len(prices), sources=names) if prices else "",
        settings=settings_text(findings.setup.settings),
        software=", ".join(f"{k} {v}" for k, v in (record.get("versions") or {}).items()),
        notes=data_notes(findings),
        symbols=table_of("provenance.symbols", "tttddntt", rows) if rows else None,
    )


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return the settings that are not empty in one line, by their names in a study file."""
    texts = {name.replace("_", " "): _setting(value) for name, value in settings.items()}
    return "; ".join(f"{name}: {text}" for name, text in texts.items() if text)


def _setting(value: object) -> str:
    """Return a setting as text; variants by their names, "" for what is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        pairs = ((k, "" if isinstance(v, Mapping) else f" = {v}") for k, v in value.items())
        return ", ".join(f"{k}{text}" for k, text in pairs)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
