"""Prices as a run has kept them: its table, its failures, and what its source said."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import (
    BadAnswerError,
    ConfigError,
    NetworkError,
    NoPricesError,
    PriceError,
    RateLimitedError,
    RunFolderError,
    UnknownSymbolError,
)
from ..utility.csv_text import read_csv
from ._base import DATE_DTYPE, NUMBER_COLUMNS, Prices, Progress, Provenance, stamp, unique

if TYPE_CHECKING:
    import pandas as pd

TABLE = "data/prices.csv.gz"
MANIFEST = "manifest.json"
_KINDS: dict[str, type[PriceError]] = {
    kind.kind: kind
    for kind in (
        PriceError,
        UnknownSymbolError,
        NoPricesError,
        BadAnswerError,
        RateLimitedError,
        NetworkError,
    )
}


def is_run(path: str | Path) -> bool:
    """Tell whether a folder is that of a run."""
    manifest = Path(path) / MANIFEST
    return manifest.is_file() and b'"eventstudy-run/' in manifest.read_bytes()


class FrozenProvider:
    """The prices of a run folder.

    Parameters
    ----------
    folder : path
        A run that was computed from prices.

    Raises
    ------
    ConfigError
        If the run keeps no prices.

    Notes
    -----
    A symbol is answered with all its rows, whatever the range: the run used them all. One that
    failed when the run was computed fails again, for the same reason. Hashes are those of the rows
    as they are now; a notice names the symbols whose rows are not those of the run.
    """

    name = "frozen"

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / TABLE).is_file():
            raise ConfigError(
                "the run keeps no prices", value=str(folder), remedy="name one that used prices"
            )

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return all rows of the symbols, and the failures as they were."""
        said, parts = self._manifest, self._parts
        wanted = unique(symbols)
        found = [symbol for symbol in wanted if symbol in parts]
        failures = {s: self._failure(s) for s in wanted if s not in parts}
        if progress:
            progress(len(wanted), len(wanted))
        sources = {symbol: Provenance(**said["prices"][symbol]) for symbol in found}
        used = {symbol: stamp(sources[symbol], parts[symbol]) for symbol in found}
        altered = [s for s in found if sources[s].sha256 and used[s].sha256 != sources[s].sha256]
        told = [
            f"prices of {s} are not those that {self.folder.name} was computed from"
            for s in altered
        ]
        rows = {symbol: parts[symbol] for symbol in found}
        return Prices.of(rows, failures, used, [*told, *said.get("notices", [])])

    def _failure(self, symbol: str) -> PriceError:
        entry = dict(self._manifest.get("failures", {}).get(symbol, {}))
        if not entry:
            return UnknownSymbolError(
                f"not among the frozen prices of {self.folder.name}", where=symbol
            )
        return _KINDS.get(entry.pop("kind"), PriceError)(entry.pop("what"), **entry)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return found

    @cached_property
    def _parts(self) -> dict[str, pd.DataFrame]:
        table = read_frozen(self.folder / TABLE)
        return {
            str(name): rows.reset_index(drop=True)
            for name, rows in table.groupby("symbol", sort=True)
        }


def read_frozen(path: Path) -> pd.DataFrame:
    """Return a frozen table of prices, exact to the last bit.

    Raises
    ------
    RunFolderError
        If the file is damaged.
    """
    try:
        text = gzip.decompress(path.read_bytes())
        table = read_csv(
            io.BytesIO(text), float_precision="round_trip", keep_default_na=False,
            dtype={"symbol": "str"},
            na_values={name: [""] for name in NUMBER_COLUMNS}, parse_dates=["date"],
            date_format="%Y-%m-%d",
        )  # fmt: skip
        numbers = dict.fromkeys(NUMBER_COLUMNS, "float64")
        return table.astype({"date": DATE_DTYPE, **numbers})
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise RunFolderError(f"the frozen prices are damaged ({reason})", where=path.name) from None


def described(error: PriceError) -> dict[str, Any]:
    """Return a failure in plain values."""
    plain = (
        error.value if isinstance(error.value, (str, int, float, type(None))) else str(error.value)
    )
    return {
        "kind": error.kind, "what": error.what, "where": error.where, "value": plain,
        "remedy": error.remedy,
    }  # fmt: skip
