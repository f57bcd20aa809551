"""A folder of derived numbers alone: its check, and its comparison with prices fetched anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import AlteredError, RunFolderError
from ..findings import Case
from ..settings import StudyConfig
from ..words import say
from .manifest import MANIFEST
from .preflight import nothing_usable
from .record import Verification, hash_files

CASE = "case.json"
# Largest difference of two returns that counts as the same: 0.1 percentage points.
LIMIT = 0.001


@dataclass(frozen=True, eq=False)
class CaseReproduction:
    """The outcome of computing a case again from prices fetched now.

    Attributes
    ----------
    committed, computed : Case
    limit : float
        Largest difference of two returns that counts as the same (decimal).
    """

    committed: Case
    computed: Case
    limit: float

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Each return as committed, computed, and the size of the difference, the worst first.

        A session that one of the two lacks has an infinite difference.
        """
        pair = {"committed": _returns(self.committed), "computed": _returns(self.computed)}
        table = pd.DataFrame(pair)
        size = (table["committed"] - table["computed"]).abs().fillna(np.inf)
        return table.assign(size=size).sort_values("size", ascending=False, kind="stable")

    @property
    def ok(self) -> bool:
        """Whether no return differs by more than the limit."""
        return bool((self.differences["size"] <= self.limit).all())

    @property
    def exact(self) -> bool:
        """Whether every return is the same to the last digit."""
        return bool((self.differences["size"] == 0).all())

    def __str__(self) -> str:
        table, name = self.differences, self.committed.name
        facts = {"n": len(table), "run": name, "limit": 100 * self.limit, "label": table.index[0]}
        facts |= {"beyond": int((table["size"] > self.limit).sum()), **table.iloc[0]}
        verdict = say("case.reproduced" if self.ok else "case.not_reproduced", **facts)
        return "\n".join([verdict, *self.reasons()])

    def reasons(self) -> Iterator[str]:
        """Yield whether the prices of each symbol are those of the case, and what that does."""
        now = self.computed.prices.set_index("symbol").to_dict("index")
        before = self.committed.prices.set_index("symbol").to_dict("index")
        for symbol in (symbol for symbol in before if symbol in now):
            old = before[symbol]
            new = now[symbol]
            code = "equal" if old["sha256"] == new["sha256"] else "differ"
            rows = {"symbol": symbol, "rows": old["rows"], "rows_now": new["rows"]}
            yield say(f"case.prices_{code}", **rows, source=old["source"], now=new["source"])
            if old["rows"] != new["rows"]:
                yield say("case.rows_differ", symbol=symbol)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; a size may be infinite, and a return missing."""
        rows = self.differences.reset_index(names="label").to_dict("records")
        facts = {"ok": self.ok, "limit": self.limit, "prices": list(self.reasons())}
        return {**facts, "differences": rows}


def _returns(case: Case) -> pd.Series[float]:
    """Return the numbers of a case that are returns, by what they are called."""
    ars = {f"AR of {date:%Y-%m-%d}": ar for _, date, ar, _ in case.days.itertuples(index=False)}
    cars = {
        f"CAR[{start:.0f},{stop:.0f}]": car
        for start, stop, car in case.windows.iloc[:, :3].to_numpy()
    }
    return pd.Series({**ars, **cars, **{name: case.fit[name] for name in ("alpha", "sigma")}})


def is_case(folder: Path) -> bool:
    """Return whether a folder holds a case, or its name is that of one of this package."""
    with suppress(OSError):
        if folder.exists():
            return (folder / CASE).exists() and not (folder / MANIFEST).exists()
        return str(folder) in Case.SHIPPED
    return False


def verify_case(folder: Path) -> Verification:
    """Compare every file of the folder of a case with its hash; errors as of `Case.read`."""
    return Verification.of(_read(folder).files, hash_files(folder), {CASE})


def _read(folder: Path) -> Case:
    try:
        text = (folder / CASE).read_bytes().decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise RunFolderError(f"cannot be read ({error})", where=str(folder / CASE)) from None
    return Case.read(text, str(folder / CASE))


def reproduce_case(folder: Path, *, limit: float = LIMIT) -> CaseReproduction:
    """Fetch the prices of a case from Yahoo Finance, compute it again and compare.

    Parameters
    ----------
    folder : Path
        With ``case.json``, or the name of a case of this package.
    limit : float
        Largest difference of two returns that counts as the same (decimal).

    Raises
    ------
    AlteredError
        If a file of the folder is not as it was written.
    EventStudyError
        If the prices cannot be had.
    """
    if folder.exists() and not (verification := verify_case(folder)).ok:
        problem = say("case.altered_files", files=", ".join(str(verification).splitlines()))
        raise AlteredError(problem, where=str(folder), remedy=say("case.restore"))
    case = _read(folder) if folder.exists() else Case.shipped(str(folder))
    windows = zip(case.windows["start"], case.windows["stop"], strict=True)
    config = StudyConfig(prices="yahoo", model=case.model, benchmark=case.benchmark).with_options(
        {"estimation": str(case.estimation), "windows": [f"{a}:{b}" for a, b in windows]}
    )
    return CaseReproduction(case, compute_case(case.event, config, case.name), limit)


def compute_case(event: Mapping[str, str], config: StudyConfig, name: str) -> Case:
    """Return the case of one event, without hashes of files.

    Parameters
    ----------
    event : mapping of str to str
        Cells of its row of the events file.
    config : StudyConfig
    name : str

    Raises
    ------
    EventStudyError
        If the event cannot be used.
    """
    from ..analysis import compute_study
    from ..events import Events
    from ..fitting import StudyInputs

    study = compute_study(StudyInputs(Events.given(pd.DataFrame([event])), config))
    if not len(study):
        raise nothing_usable(study, str(study.events["reason"].iloc[0]))
    return Case.of(study, config, name)
