"""Ken French's daily factors by name: fetched once over HTTPS, and kept by their hash."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from ssl import create_default_context
from urllib.request import Request, urlopen
from zipfile import is_zipfile

from ..errors import ConfigError, DataError, UnreachableError
from ..prices.store import default_path, store_file
from ..utility.atomic_file import replacing
from ..utility.catalogue import say
from ..utility.registry import did_you_mean

LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"
# Where to look instead, such as a mirror.
VARIABLE = "EVENTSTUDY_FACTOR_LIBRARY"
FILES = {
    "ff3": "F-F_Research_Data_Factors_daily", "ff5": "F-F_Research_Data_5_Factors_2x3_daily",
    "mom": "F-F_Momentum_Factor_daily", "st_rev": "F-F_ST_Reversal_Factor_daily",
    "lt_rev": "F-F_LT_Reversal_Factor_daily",
    **{
        f"{region.lower()}_{name}": f"{region}_{stem}_Daily"
        for region in ("Developed", "Developed_ex_US", "Europe", "Japan", "Asia_Pacific_ex_Japan",
                       "North_America")
        for name, stem in {"ff3": "3_Factors", "ff5": "5_Factors", "mom": "Mom_Factor"}.items()
    },
}  # fmt: skip
NAME = re.compile(r"([a-z][a-z0-9_]+):([a-z]+)")
SECONDS, LARGEST = 30, 50_000_000


def is_library(text: str | Path) -> bool:
    """Return whether a text names factors of the library, such as ``ff5:daily``, and no file."""
    return str(text) in FILES or bool(NAME.fullmatch(str(text)))


def library_files(
    factors: Sequence[str | Path], *, store: str = "", offline: bool = False
) -> tuple[str, ...]:
    """Return files of factors, each name of the library as its file, fetched where it is not there.

    Parameters
    ----------
    factors : sequence of path or str
    store : str
        The price cache, whose folder ``factors`` keeps the files; "" = the usual one.
    offline : bool
        Never use the network.

    Raises
    ------
    ConfigError
        If there are no such factors, or only monthly ones.
    DataError
        If the file is not as it was fetched.
    UnreachableError
        If it is not there, and cannot be fetched.
    """
    folder = (store_file(store) if store else default_path()).parent / "factors"
    return tuple(
        str(_kept(str(text), folder, offline)) if is_library(text) else str(text)
        for text in factors
    )


def _kept(name: str, folder: Path, offline: bool) -> Path:
    short, _, frequency = name.partition(":")
    if short not in FILES or frequency != "daily":
        names = [f"{known}:daily" for known in FILES]
        remedy = did_you_mean(name, names) or f"the library has {', '.join(names[:5])} ..."
        raise ConfigError("no such daily factors", where="factors", value=name, remedy=remedy)
    path = next(folder.glob(f"{FILES[short]}_CSV-*.zip"), None)
    if path is None:
        raw = _fetched(f"{FILES[short]}_CSV.zip", offline)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{FILES[short]}_CSV-{_hash_of(raw)}.zip"
        with replacing(path) as file:
            file.write_bytes(raw)
    if not path.stem.endswith(_hash_of(path.read_bytes())):
        remedy = "delete it, and it is fetched again"
        raise DataError("factors are not as they were fetched", where=str(path), remedy=remedy)
    return path


def _hash_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


def _fetched(file: str, offline: bool) -> bytes:
    """Return a file of the library."""
    url = f"{os.environ.get(VARIABLE, LIBRARY).rstrip('/')}/{file}"
    remedy = say("factor_library.remedy", url=url)
    if offline:
        raise UnreachableError("is not in the cache, and --offline", where=file, remedy=remedy)
    try:
        request = Request(url, headers={"User-Agent": "Mozilla/5.0 (eventstudy)"})  # noqa: S310 - of the library, or the user's own
        with urlopen(request, timeout=SECONDS, context=create_default_context()) as answer:  # noqa: S310
            raw: bytes = answer.read(LARGEST)
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"cannot be fetched ({error})", where=url, remedy=remedy) from None
    if not is_zipfile(io.BytesIO(raw)):
        raise UnreachableError("the answer is no ZIP file", where=url, remedy=remedy)
    return raw
