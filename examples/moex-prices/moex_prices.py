"""A price source of another package: files as the Moscow exchange's ISS gives them.

``eventstudy run events.csv --prices iss:FOLDER`` reads ``FOLDER/GAZP.json`` or ``FOLDER/GAZP.csv``
for the ticker ``GAZP.ME``: what
``https://iss.moex.com/iss/history/engines/stock/markets/shares/boards/TQBR/securities/ GAZP.json``
(or ``.csv``) answers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from eventstudy.errors import BadAnswerError, ConfigError, UnknownSymbolError
from eventstudy.prices import Prices, Provenance, clean, collect

COLUMNS = {
    "TRADEDATE": "date",
    "OPEN": "open",
    "HIGH": "high",
    "LOW": "low",
    "CLOSE": "close",
    "VOLUME": "volume",
}


class IssFiles:
    """raw closes of the Moscow exchange from files in the shape of its ISS: iss:FOLDER"""

    name = "iss"

    def __init__(self, folder: str, *, offline: bool = False) -> None:
        self.folder = Path(folder)
        if not folder or not self.folder.is_dir():
            raise ConfigError(
                "no such folder of ISS files", value=folder, remedy="write --prices iss:FOLDER"
            )

    def fetch(self, symbols: Sequence[str], start: date, end: date, *, progress=None) -> Prices:
        """Return the prices from `start` to `end`, both inclusive."""
        return collect(symbols, start, end, self._read, progress)

    def _read(self, symbol: str) -> tuple[pd.DataFrame, Provenance]:
        security = symbol.removesuffix(".ME")
        files = [self.folder / f"{security}{suffix}" for suffix in (".json", ".csv")]
        file = next(
            (file for file in files if re.fullmatch(r"\w+", security) and file.is_file()), None
        )
        if file is None:
            raise UnknownSymbolError(f"no file of {security!r} in {self.folder.name}", where=symbol)
        try:
            table = _history(file)
            # one row a session and board: the main board is the one with the largest turnover
            table = table.sort_values(["TRADEDATE", "VALUE"]).drop_duplicates(
                "TRADEDATE", keep="last"
            )
            rows, notes = clean(table.rename(columns=COLUMNS)[[*COLUMNS.values()]], symbol)
        except (KeyError, ValueError) as error:
            raise BadAnswerError(f"not an answer of ISS ({error})", where=file.name) from error
        notes = ("raw closes, no adjusted ones", *notes)
        return rows, Provenance(self.name, file.name, currency="RUB", note="; ".join(notes))


def _history(file: Path) -> pd.DataFrame:
    """Return the block ``history`` of an answer, numbers as numbers."""
    text = file.read_bytes().decode("cp1251" if file.suffix == ".csv" else "utf-8")
    if file.suffix == ".json":
        block = json.loads(text)["history"]
        return pd.DataFrame(block["data"], columns=block["columns"])
    # ISS writes the name of the block, a blank line, the columns, the rows, and a blank line after
    # them
    lines = text.splitlines()
    begin = lines.index("history") + 2
    until = next((k for k in range(begin, len(lines)) if not lines[k].strip()), len(lines))
    header, *cells = csv.reader(io.StringIO("\n".join(lines[begin:until])), delimiter=";")
    table = pd.DataFrame(cells, columns=header)
    numbers = [name for name in (*COLUMNS, "VALUE") if name != "TRADEDATE"]
    return table.assign(**{name: pd.to_numeric(table[name].replace("", None)) for name in numbers})
