"""Prices as a run has kept them: its table, its failures and its provenance."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import ConfigError, PriceError, RunFolderError, UnknownSymbolError
from ..files import InputFile, inside, read_csv
from ..utility import pd
from ..words import make_error, say
from ._base import DATE_DTYPE, NUMBER_COLUMNS, Provenance, stamp
from ._prices import Answer, Names, Prices, Progress, gather

MANIFEST = "manifest.json"
_KINDS = {kind.kind: kind for kind in PriceError.__subclasses__()}


def is_run(path: str | Path) -> bool:
    """Return whether a folder is a run."""
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
    # A chain of sources asks it for every symbol.
    is_local = True
    # The table of prices in the folder.
    TABLE = "data/prices.csv.gz"
    # The rows of other sources, where there are any.
    OTHERS = "data/other_prices.csv.gz"

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / self.TABLE).is_file():
            raise make_error(ConfigError, "wrong.no_frozen_prices", value=str(folder))

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return all rows of the symbols, and the failures.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
        """
        rows, failures = gather(symbols, self._read, progress)
        sources = {s: self._source(s) for s in rows}
        answers = {
            s: Answer(rows[s], stamp(sources[s], rows[s]), others=self._others.get(s)) for s in rows
        }
        hashes = {s: answer.provenance.sha256 for s, answer in answers.items()}
        altered = [s for s in rows if sources[s].sha256 not in ("", hashes[s])]
        notices = [say("price_cache.altered", symbol=s, run=self.folder.name) for s in altered]
        notices += map(str, self._member("notices", []))
        return Prices.of(answers, failures, notices)

    def _source(self, symbol: str) -> Provenance:
        facts = self._member("prices", {}).get(symbol)
        facts = facts if isinstance(facts, dict) else {}
        kinds = {f.name: str if f.type == "str" else int for f in fields(Provenance)}
        valid: dict[str, Any] = {k: v for k, v in facts.items() if type(v) is kinds.get(k)}
        return Provenance(**{"source": self.name} | valid)

    def _member(self, name: str, default: Any) -> Any:
        """Return a member of the manifest, or the default if it has none of that type."""
        member = self._manifest.get(name)
        return member if isinstance(member, type(default)) else default

    def _read(self, symbol: str) -> pd.DataFrame:
        if symbol not in self._tables:
            raise self._failure(symbol)
        return self._tables[symbol]

    def _failure(self, symbol: str) -> PriceError:
        entry = self._member("failures", {}).get(symbol)
        if not isinstance(entry, dict):
            facts = {"where": symbol, "run": self.folder.name}
            return make_error(UnknownSymbolError, "wrong.not_frozen", **facts)
        kind = entry.get("kind")
        texts = {k: str(entry.get(k, "")) for k in ("where", "remedy")}
        error = _KINDS.get(str(kind), PriceError)
        return error(str(entry.get("what", kind)), value=entry.get("value"), **texts)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads(inside(self.folder, MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            manifest = None
        if not isinstance(manifest, dict):
            raise RunFolderError("its manifest is damaged", where=str(self.folder))
        return manifest

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        return Prices(self.read_table(inside(self.folder, self.TABLE))).by_symbol()

    @cached_property
    def _others(self) -> dict[str, pd.DataFrame]:
        if not (self.folder / self.OTHERS).is_file():
            return {}
        table = self.read_table(inside(self.folder, self.OTHERS))
        return {str(name): rows for name, rows in table.groupby("symbol")}

    @staticmethod
    def read_table(path: Path) -> pd.DataFrame:
        """Return a frozen table of prices, exact to the last bit.

        Raises
        ------
        RunFolderError
            If the file is damaged.
        """
        InputFile(path).require()
        try:
            table = read_csv(
                path, compression="gzip", keep_default_na=False, dtype={"symbol": "str"},
                na_values={name: [""] for name in NUMBER_COLUMNS}, parse_dates=["date"],
                date_format="%Y-%m-%d",
            )  # fmt: skip
            return table.astype({"date": DATE_DTYPE, **dict.fromkeys(NUMBER_COLUMNS, "float64")})
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            problem = f"the frozen prices are damaged ({reason})"
            raise RunFolderError(problem, where=path.name) from None

    @staticmethod
    def describe(error: PriceError) -> dict[str, Any]:
        """Return a failure as a mapping that can become JSON."""
        is_json = isinstance(error.value, (str, int, float, type(None)))
        value = error.value if is_json else str(error.value)
        return {
            "kind": error.kind, "what": error.what, "where": error.where, "value": value,
            "remedy": error.remedy, "transient": error.is_transient,
        }  # fmt: skip
