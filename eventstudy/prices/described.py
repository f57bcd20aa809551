"""Sources of prices that a small TOML file describes, or a short form of the command line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import ConfigError
from ..utility import did_you_mean
from ..words import make_error
from ._asked import AskedProvider, Meaning
from ._databases import DuckdbProvider, SqlProvider
from ._registered import Place, price_source
from ._url import UrlProvider

SUFFIX = ".toml"
# The keys that every kind has, and those of each kind, with their types; the first are needed.
MEANING: dict[str, type] = {
    "currency": str, "adjusted": bool, "zone": str, "columns": dict, "symbols": dict,
}  # fmt: skip
KINDS: dict[str, dict[str, type]] = {
    "url": {
        "url": str, "format": str, "rows": str, "names": str, "headers": dict, "limit_keys": list,
        "pause": float,
    },
    "sql": {"url": str, "query": str},
    "duckdb": {"query": str, "database": str},
    "parquet": {"path": str},
}  # fmt: skip
NEEDED = {"url": ("url",), "sql": ("url", "query"), "duckdb": ("query",), "parquet": ("path",)}
_PARTITION = re.compile(r"\w+=.+")


def is_partitioned(folder: Path) -> bool:
    """Return whether a folder has partitions of Parquet files, such as ``symbol=AMD``."""
    partitions = (child for child in folder.iterdir() if _PARTITION.fullmatch(child.name))
    return any(next(place.rglob("*.parquet"), None) for place in partitions)


@price_source(
    "duckdb",
    "a query over your files or a database: duckdb:SELECT ...",
    takes_text=True,
    is_query=True,
)
def open_duckdb(text: str, place: Place) -> DuckdbProvider:
    """Return the source of ``duckdb:SELECT ...``.

    Parameters
    ----------
    text : str
        The query.
    place : Place

    Raises
    ------
    ConfigError
        Without a query.
    """
    if not text.strip():
        raise make_error(ConfigError, "asked.short", where="prices")
    return DuckdbProvider("the DuckDB query", Meaning(), text)


@price_source(
    "sql",
    "a query of a database whose address is in a variable: sql:NAME:SELECT ...",
    takes_text=True,
    is_query=True,
)
def open_sql(text: str, place: Place) -> SqlProvider:
    """Return the source of ``sql:NAME:SELECT ...``.

    Parameters
    ----------
    text : str
        The variable that holds the address of the database, a colon, and the query.
    place : Place

    Raises
    ------
    ConfigError
        If it is of another form.
    """
    variable, _, query = text.partition(":")
    if not variable.strip().isidentifier() or not query.strip():
        raise make_error(ConfigError, "asked.short", where="prices")
    url = f"{{env:{variable.strip()}}}"
    return SqlProvider("", Meaning(), url, query, offline=place.offline)


def read_source_file(path: Path, offline: bool) -> AskedProvider:
    """Return the source that a TOML file describes.

    Parameters
    ----------
    path : Path
        Names of files in it are relative to it.
    offline : bool
        Whether no other machine may be asked.

    Raises
    ------
    ConfigError
        Naming the key that is wrong, and nothing that may be secret.
    """
    settings = _read_settings(path)
    kind = settings.pop("kind")
    meaning = Meaning(**{key: settings.pop(key) for key in MEANING if key in settings})
    label, folder = path.name, path.parent
    if kind == "url":
        if offline:
            raise make_error(ConfigError, "wrong.needs_network", where=label)
        return UrlProvider(label, meaning, **settings)
    if kind == "sql":
        return SqlProvider(label, meaning, **settings, folder=folder, offline=offline)
    if kind == "duckdb":
        database = folder / settings["database"] if "database" in settings else None
        query = settings["query"]
        return DuckdbProvider(label, meaning, query, database=database, folder=folder)
    return DuckdbProvider.of_parquet(folder / settings["path"], label, meaning)


def _read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a source file, each of its type; its kind among them."""
    where = path.name
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        place = re.search(r"\(at .*\)", str(error))
        is_deep = isinstance(error, RecursionError)
        why = place[0] if place else "(nested too deeply)" * is_deep
        raise make_error(ConfigError, "asked.toml", where=where, why=why) from None
    kind = settings.get("kind")
    if kind is None:
        raise make_error(ConfigError, "asked.kind", where=where, kinds=list(KINDS))
    if kind not in KINDS:
        facts: dict[str, Any] = {"hint": did_you_mean(str(kind), KINDS), "kinds": list(KINDS)}
        raise make_error(ConfigError, "asked.other_kind", where=where, value=kind, **facts)
    types = {"kind": str, **KINDS[kind], **MEANING}
    for key, value in settings.items():
        if key not in types:
            facts = {"hint": did_you_mean(key, types), "keys": list(types)}
            raise make_error(ConfigError, "asked.key", where=where, value=key, **facts)
        if not _fits(value, types[key]):
            form = types[key].__name__
            raise make_error(ConfigError, "asked.setting", where=f"{where}: {key}", form=form)
    lacking = [key for key in NEEDED[kind] if not settings.get(key)]
    if lacking:
        raise make_error(ConfigError, "asked.lacking", where=where, name=kind, keys=lacking)
    try:
        ZoneInfo(settings.get("zone") or "UTC")
    except (OSError, ValueError, LookupError):
        raise make_error(ConfigError, "asked.zone", where=where, value=settings["zone"]) from None
    return settings


def _fits(value: object, kind: type) -> bool:
    """Return whether a value is of a type; lists and tables hold texts."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, kind) and all(isinstance(part, str) for part in inside)
