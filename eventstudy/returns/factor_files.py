"""Factor files: plain tables of decimal returns, and Ken French's daily files as published.

Ken French's files are also had by name: fetched once over HTTPS, and kept by their hash.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np

from ..calendars import bundled_rows
from ..errors import ConfigError, DataError, UnreachableError
from ..files import InputFile, replacing
from ..prices import store_file
from ..quality import Gate, SeriesFault
from ..utility import did_you_mean, pd
from ..words import make_error, say
from .sessions import GATE
from .table import of_file, wide_returns

LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"
# Where to look instead, such as a mirror.
VARIABLE = "EVENTSTUDY_FACTOR_LIBRARY"
FILES = {row["name"]: row["file"] for row in bundled_rows("factor_library.csv")}
NAME = re.compile(r"([a-z][a-z0-9_]+):([a-z]+)")
SECONDS, LARGEST_ARCHIVE = 30, 50_000_000


@dataclass(frozen=True)
class FactorLibrary:
    """Ken French's library of factors, and the folder that keeps what was fetched of it.

    Attributes
    ----------
    folder : Path
    offline : bool
        Never use the network.
    """

    folder: Path
    offline: bool = False

    @classmethod
    def of(cls, store: str = "", *, offline: bool = False) -> FactorLibrary:
        """Return the library with the folder ``factors`` beside a price cache.

        Parameters
        ----------
        store : str
            The price cache; "" = the usual one.
        offline : bool
        """
        return cls(store_file(store or None).parent / "factors", offline)

    @staticmethod
    def has(text: str | Path) -> bool:
        """Return whether a text is a name of the library, such as ``ff5:daily``, and no file."""
        return str(text) in FILES or bool(NAME.fullmatch(str(text)))

    def files(self, factors: Sequence[str | Path]) -> tuple[str, ...]:
        """Return files of factors, each name of the library as its file, fetched if need be.

        Parameters
        ----------
        factors : sequence of path or str

        Raises
        ------
        ConfigError
            If there are no such factors, or only monthly ones.
        DataError
            If the file is not as it was fetched.
        UnreachableError
            If it is not there, and cannot be fetched.
        """
        return tuple(str(self._kept(str(t)) if self.has(t) else t) for t in factors)

    def _kept(self, name: str) -> Path:
        short, _, frequency = name.partition(":")
        if short not in FILES or frequency != "daily":
            names = [f"{stem}:daily" for stem in FILES]
            facts: Any = {"remedy": did_you_mean(name, names), "names": names[:5]}
            raise make_error(
                ConfigError, "factor_library.none", where="factors", value=name, **facts
            )
        path = next(self.folder.glob(f"{FILES[short]}_CSV-*.zip"), None)
        if path is None:
            raw = self._fetched(f"{FILES[short]}_CSV.zip")
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{FILES[short]}_CSV-{_hash_of(raw)}.zip"
            with replacing(path) as file:
                file.write_bytes(raw)
        if not path.stem.endswith(_hash_of(path.read_bytes())):
            raise make_error(DataError, "factor_library.altered", where=str(path))
        return path

    def _fetched(self, file: str) -> bytes:
        """Return a file of the library."""
        from http.client import HTTPException
        from ssl import create_default_context
        from urllib.request import Request, urlopen

        url = f"{os.environ.get(VARIABLE, LIBRARY).rstrip('/')}/{file}"
        remedy = say("factor_library.remedy", url=url)
        if self.offline:
            raise UnreachableError("is not in the cache, and --offline", where=file, remedy=remedy)
        try:
            request = Request(url, headers={"User-Agent": "Mozilla/5.0 (eventstudy)"})  # noqa: S310 - of the library, or the user's own
            with urlopen(request, timeout=SECONDS, context=create_default_context()) as answer:  # noqa: S310
                raw: bytes = answer.read(LARGEST_ARCHIVE)
        except (OSError, HTTPException) as error:
            problem = f"cannot be fetched ({error})"
            raise UnreachableError(problem, where=url, remedy=remedy) from None
        if not is_zipfile(io.BytesIO(raw)):
            raise UnreachableError("the answer is no ZIP file", where=url, remedy=remedy)
        return raw


def _hash_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


# Missing values of Ken French's files, in percent.
FRENCH_MISSING = (-99.99, -999.0)
FRENCH_ROW = re.compile(r"\s*\d{8}\s*,")
FRENCH_MONTH = re.compile(r"\s*\d{6}\s*,")
# What a file was made from, in its first lines.
VINTAGE, HEAD = re.compile(r"(\d{6})\s(\w+)\sdatabase"), 10
ALIASES = {
    "mktrf": "mkt_rf", "mkt": "mkt_rf", "market_excess": "mkt_rf", "umd": "mom", "wml": "mom",
    "risk_free": "rf",
}  # fmt: skip
# A .zip or .csv of daily factors is below this size; what is larger is not one.
LARGEST = 100_000_000
# Half of all days above this rate are a year's rate, or percent.
LARGE_RF = 0.002


def read_factors(
    paths: Sequence[str | Path] | str | Path, *, store: str = "", offline: bool = False
) -> pd.DataFrame:
    """Read daily factor returns from files, or from Ken French's data library.

    The function reads the daily files of Ken French as they are published, as CSV or as ZIP. In
    these files it ignores the text before and after the table, and converts percentages to
    decimals. Any other CSV or Parquet file needs a column ``date`` and one column per factor, with
    returns as decimals. The function writes the names of factors in lower case: ``Mkt-RF`` becomes
    ``mkt_rf``. The momentum factor ``UMD`` or ``WML`` becomes ``mom``. Codes for missing values
    such as -99.99 become NaN, and so do numbers that cannot be factor returns.

    Parameters
    ----------
    paths : path or sequence of paths
        Paths of files, or names of data sets in Ken French's data library such as ``"ff5:daily"``.
        The function downloads a data set once, and keeps it on disk.
    store : str
        The path of the price cache. Downloaded data sets are kept in its folder. By default, it is
        the user's own price cache.
    offline : bool
        If true, the function never uses the network.

    Returns
    -------
    DataFrame
        The factor returns as decimals, with dates as rows and one column per factor.

    Raises
    ------
    ConfigError
        If a file or a data set does not exist.
    DataError
        If a file is not a table of daily factors, if two files have the same factor, or if the
        returns in a file of your own look like percentages.
    UnreachableError
        If a data set of Ken French is not on disk and cannot be downloaded.

    Examples
    --------
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> _ = Path("factors.csv").write_text("date,Mkt-RF,UMD\\n2024-01-02,-0.007,0.011\\n")
    >>> es.read_factors("factors.csv").columns.tolist()
    ['mkt_rf', 'mom']
    """
    named = [paths] if isinstance(paths, (str, Path)) else list(paths)
    files = FactorLibrary.of(store, offline=offline).files(named)
    frames = [_read(Path(p)) for p in files]
    names = [str(c) for frame in frames for c in frame.columns]
    for path, frame in zip(files, frames, strict=True):
        twice = [c for c in frame.columns if names.count(str(c)) > 1 and c != "rf"]
        if twice:
            where = Path(path).name
            raise DataError("a factor is in two files", where=where, value=", ".join(twice))
    records = [frame.attrs.pop(GATE) for frame in frames if GATE in frame.attrs]
    joined = pd.concat(frames, axis=1, sort=True)
    joined = joined.loc[:, ~joined.columns.duplicated()]
    if records:
        joined.attrs[GATE] = {k: [x for record in records for x in record[k]] for k in records[0]}
    return joined


def checked_factors(frame: pd.DataFrame, where: str = "factors") -> pd.DataFrame:
    """Return a table of factors with dates ascending and names as the models use them.

    Parameters
    ----------
    frame : DataFrame
        Dates as index or in a column ``date``; decimal returns.
    where : str
        What errors say is at fault.

    Returns
    -------
    DataFrame
        NaN for a missing value, for one that the gate takes as missing, and throughout a column
        that is not in decimals.

    Raises
    ------
    DataError
        If there is no column or index of dates, a cell is no number, or a date occurs twice.
    """
    with of_file(where):
        values = wide_returns(frame)
    values.columns = list(map(factor_name, values.columns))
    if values.empty or len(values.columns) == 0:
        raise make_error(DataError, "wrong.no_factor", where=where)
    if values.columns.has_duplicates:
        name = str(values.columns[values.columns.duplicated()][0])
        raise DataError("a factor occurs twice", where=where, value=name)
    _refuse_percent(values, where)
    if GATE not in frame.attrs:
        return _through_gate(values, where)
    values.attrs[GATE] = frame.attrs[GATE]
    return values


def gate_of(frame: pd.DataFrame) -> tuple[list[str], list[SeriesFault]]:
    """Return the notices and the faults of the gate that factors went through."""
    record = frame.attrs.get(GATE, {})
    return record.get("notices", []), [SeriesFault(*texts) for texts in record.get("faults", [])]


def factor_name(column: str) -> str:
    """Return a column's name as the models use it: ``Mkt-RF`` is ``mkt_rf``."""
    name = re.sub(r"[^a-z0-9]+", "_", str(column).strip().lower()).strip("_")
    return ALIASES.get(name, name)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ConfigError("no such file", where="factors", value=str(path))
    if path.suffix.lower() == ".parquet":
        return checked_factors(InputFile(path).table(), path.name)
    raw = _contents(path)
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    table = _french(lines, path.name)
    if table is not None:
        return _with_vintage(checked_factors(table, path.name), "\n".join(lines[:HEAD]), path.name)
    if any(FRENCH_MONTH.match(line) for line in lines):
        raise make_error(DataError, "wrong.monthly", where=path.name)
    return checked_factors(InputFile(path).csv(raw), path.name)


def _with_vintage(values: pd.DataFrame, head: str, where: str) -> pd.DataFrame:
    """Return factors with a notice of what they were made from, where their file says it."""
    if vintage := VINTAGE.search(head):
        record = values.attrs.setdefault(GATE, {"notices": [], "faults": [], "missing": []})
        last = str(values.index[-1].date())
        source = f"{vintage[2]} {vintage[1]}"
        record["notices"].insert(0, say("factor_library.used", where=where, of=source, last=last))
    return values


def _contents(path: Path) -> bytes:
    """Return the bytes of a file, or of the one file in a ZIP."""
    if path.suffix.lower() != ".zip":
        return InputFile(path).content()
    try:
        with zipfile.ZipFile(path) as archive:
            files = archive.infolist()
            tables = [f for f in files if f.filename.lower().endswith((".csv", ".txt"))]
            if len(tables) != 1:
                raise DataError("the ZIP does not hold one CSV file", where=path.name)
            if tables[0].file_size > LARGEST:
                raise make_error(DataError, "wrong.large_zip", where=path.name, largest=LARGEST)
            return archive.read(tables[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        raise DataError("not a ZIP file that can be read", where=path.name) from None


def _french(lines: list[str], where: str) -> pd.DataFrame | None:
    """Return the first table in Ken French's layout, in decimals, or None."""
    first = next((i for i, line in enumerate(lines) if FRENCH_ROW.match(line)), None)
    header = next((line for line in reversed(lines[:first]) if line.strip()), "")
    if first is None or not header.lstrip().startswith(","):
        return None
    names = [cell.strip() for cell in header.split(",")][1:]
    rows = []
    for number, line in enumerate(takewhile(FRENCH_ROW.match, lines[first:]), start=first + 1):
        row = [cell.strip() for cell in line.split(",")]
        if len(row) != len(names) + 1:
            cell: Any = {"where": f"{where}, line {number}", "value": line.strip()[:60]}
            raise make_error(DataError, "wrong.french", **cell, n=len(row) - 1, names=len(names))
        rows.append(row)
    frame = pd.DataFrame(rows, columns=["date", *names]).set_index("date")
    frame = frame[[name for name in names if name]].replace("", None)
    numbers = frame.apply(pd.to_numeric, errors="coerce")
    bad = numbers.isna() & frame.notna()
    # The codes stay, for the gate.
    values = numbers.where(numbers.isin(FRENCH_MISSING), numbers / 100)
    # A cell that is no number stays as it is, to be named in the error.
    has_text = bad.to_numpy().any()
    decimals: pd.DataFrame = values.astype(object).mask(bad, frame) if has_text else values
    return decimals


def _through_gate(values: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the factors without what the gate takes as missing, which is in their `attrs`."""
    names = list(values.columns)
    days = values.index.to_numpy().astype("datetime64[D]")
    returns = values.to_numpy(float).T
    gate = Gate(days, names, "simple", where)
    gate.look(names, returns)
    with of_file(where):
        verdict = gate.verdict()
    missing: list[list[str]] = []
    for name in verdict.symbols:
        before = returns[names.index(name)]
        values[name] = verdict.cleaned([name], before[None])[0]
        taken_out = days[values[name].isna() & ~np.isnan(before)]
        missing += [[name, str(day)] for day in taken_out]
    values[[*verdict.failures]] = np.nan
    if verdict.faults:
        faults = [[*astuple(f)] for f in verdict.faults]
        notices = [*map(str, verdict.notices)]
        values.attrs[GATE] = {"notices": notices, "faults": faults, "missing": missing}
    return values


def _refuse_percent(values: pd.DataFrame, where: str) -> None:
    """Refuse a table in percent: a wrong unit would make every abnormal return wrong in silence."""
    numbers = values.drop(columns="rf", errors="ignore").to_numpy(float)
    if median := Gate.find_percent(numbers):
        raise make_error(DataError, "wrong.factors", where=where, value=median)
    rf = values["rf"].abs().clip(upper=1).median() if "rf" in values else 0.0
    if rf > LARGE_RF:
        raise make_error(DataError, "wrong.riskless", where=where, value=float(rf))
