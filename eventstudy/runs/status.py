"""The state of all runs of a folder, for monitors: what has failed, is stale, or waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..errors import RunFolderError
from .manifest import MANIFEST
from .rows import DAMAGED, run_of

GOOD = "good"


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of one run.

    Attributes
    ----------
    run : str
    state : str
        ``good``, or the first that applies of ``unreadable``, ``failed`` (the last refresh),
        ``undelivered`` (changes wait for the command of ``--on-change``) and ``stale``.
    written, checked : str
        ISO 8601, UTC; "" where unknown.
    data_to : str
        Day of the newest price.
    why : str
    """

    run: str
    state: str
    written: str = ""
    checked: str = ""
    data_to: str = ""
    why: str = ""


def list_states(out: Path, max_age: timedelta | None = None) -> list[RunState]:
    """Return the state of each run of a folder, by name.

    Parameters
    ----------
    out : Path
        Folder of runs, or one run.
    max_age : timedelta, optional
        A run whose last check is longer ago is stale.

    Raises
    ------
    RunFolderError
        If there is no run.

    Examples
    --------
    >>> import eventstudy as es
    >>> news = {"ticker": ["AMD"], "announced_at": ["2022-10-07"]}
    >>> import pandas as pd
    >>> results = es.run_study(pd.DataFrame(news), es.StudyConfig(prices="sample"))
    >>> run = results.save("watched", "amd")
    >>> [(state.run, state.state, state.data_to) for state in list_states(run.parent)]
    [('amd', 'good', '2022-12-28')]
    """
    is_run = (out / MANIFEST).exists()
    folders = [out] if is_run else sorted(path.parent for path in out.glob(f"[!.]*/{MANIFEST}"))
    states = [_state(folder.absolute(), max_age) for folder in folders]
    if not states:
        raise RunFolderError("there is no run", where=str(out), remedy="name a folder of runs")
    return states


def _state(folder: Path, max_age: timedelta | None) -> RunState:
    try:
        run = run_of(folder)
    except DAMAGED as error:
        return RunState(folder.name, "unreadable", why=str(error)[:200])
    times = run.written.isoformat(), run.checked.isoformat()
    is_stale = max_age is not None and datetime.now(UTC) - run.checked > max_age
    troubles = {"failed": run.faulty, "undelivered": run.waiting > 0, "stale": is_stale}
    state = next((code for code, holds in troubles.items() if holds), GOOD)
    return RunState(run.name, state, *times, run.data_to, run.trouble)
