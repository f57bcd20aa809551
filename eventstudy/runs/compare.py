"""The differences between two runs, and their causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import RunFolderError
from ..prices.frozen import TABLE
from ..returns.benchmarks import NAMED, members
from ..utility.csv_text import OUTCOME
from ..utility.flags import Flag
from .comparison import MOVED, Answer, Comparison, Move, Moved
from .origin import ASKED, EVENTS, NAMING_FILES, SIZES
from .price_revisions import revisions, size_revisions, unequal
from .record import Record
from .verify import AlteredError, verify_run

if TYPE_CHECKING:
    import pandas as pd

PROVISIONAL = Flag.INCOMPLETE_WINDOW
# Columns of a run's events that are not the user's.
_OURS = {*OUTCOME, "confounder", NAMED}
# Settings and columns that day 0 follows from.
_OF_DAY0 = {"halt", "calendar", "cutoff_minutes"}
_CELLS_OF_DAY0 = {"announced_at", "tz", "day0", "ticker"}
# Settings that say only where prices come from.
_WHENCE = ("prices", "store", "vintage", "offline")
# Settings that move no CAR; prices are compared themselves.
_ASIDE = {
    *_WHENCE,
    "windows", "tests", "by", "placebo", "regress", "regress_cov", "draws", "seed", "variants",
    "event_pages",
    "interactive", "figures", "size",
}  # fmt: skip


def compare_runs(one: str | Path, other: str | Path, *, moved: float = MOVED) -> Comparison:
    """Return the differences of the second of two runs from the first, and their causes.

    Parameters
    ----------
    one, other : path
        Run folders, the earlier first.
    moved : float
        A CAR that moved by no more (decimal) is left out.

    Returns
    -------
    Comparison

    Raises
    ------
    RunFolderError
        If one of them is not a run folder.
    AlteredError
        If one of them lacks its events, or was altered so that it cannot be compared.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.run_study(news, es.StudyConfig(prices="sample"))
    >>> first, second = results.save("reports", "first"), results.save("reports", "second")
    >>> es.compare_runs(first, second).moves
    ()
    """
    a, b = Record.read(one), Record.read(other)
    altered = [f"{record.folder}: {line}" for record in (a, b) for line in _altered(record)]
    try:
        comparison = compare_records(a, b, threshold=moved)
    except (RunFolderError, KeyError, TypeError, ValueError):
        if not altered:
            raise
        message = f"the runs cannot be compared ({', '.join(altered)})"
        raise AlteredError(message, remedy="restore the run, or run the study again") from None
    return replace(comparison, altered=tuple(altered))


def _altered(record: Record) -> list[str]:
    verification = verify_run(record.folder)
    states = {"missing": verification.missing, "changed": verification.changed}
    return [f"{state} {file}" for state, files in states.items() for file in files]


def compare_records(a: Record, b: Record, *, threshold: float = MOVED) -> Comparison:
    """Return the differences of two runs that were read, as :func:`compare_runs` does.

    Parameters
    ----------
    a, b : Record
    threshold : float
        A CAR that moved by no more (decimal) is left out.

    Returns
    -------
    Comparison
    """
    old, new = (r.cells("events.csv").set_index("event_id", drop=False) for r in (a, b))
    both = [name for name in new.index if name in old.index]
    other_prices, sources = unequal(a, b), _unlike(*map(_sources, (a, b)))
    changes: dict[str, Any] = {
        "added": tuple(name for name in new.index if name not in old.index),
        "removed": tuple(name for name in old.index if name not in new.index),
        "edited": {} if _same_events(a, b) else _edits(old, new, both),
        "settings": _unlike(*(_settings(r, whence=bool(other_prices)) for r in (a, b))),
        "versions": _unlike(a.manifest["versions"], b.manifest["versions"]),
        "prices": revisions(a, b),
        "sizes": size_revisions(a, b),
        "sources": {s: pair for s, pair in sources.items() if s in other_prices},
        "files": tuple(_files(a, b)),
    }
    unsaid = "not known" if _same_events(a, b) else "events file changed"
    changes["days"] = _days(old, new, both, changes, unsaid)
    indices = _unlike(*({e: str(t.loc[e].get("benchmark", "")) for e in both} for t in (old, new)))
    states = [{e: _state(table.loc[e]) for e in both} for table in (old, new)]
    codes = {e: (a.reasons.get(e, ""), b.reasons.get(e, "")) for e in both}
    statuses = {e: pair for e, pair in _unlike(*states).items() if not _reworded(*codes[e])}
    causes = _Causes(new, b, changes, statuses, indices)
    return Comparison(
        **changes, statuses=statuses, moves=tuple(_moves(a, b, set(both), threshold, causes)),
        answers=tuple(_answers(a, b)), main=str(b.config.main), moved=threshold,
        measure=b.config.measure,
    )  # fmt: skip


@dataclass(frozen=True)
class _Causes:
    """Why the CAR of an event may have moved.

    Attributes
    ----------
    events : DataFrame
        Of the second run, by event_id.
    record : Record
        The second run.
    changes : mapping
        The differences.
    statuses, indices : mapping of str to (before, after)
    """

    events: pd.DataFrame
    record: Record
    changes: Mapping[str, Any]
    statuses: Mapping[str, tuple[str, str]]
    indices: Mapping[str, tuple[str, str]]

    def of(self, event: str) -> tuple[str, ...]:
        """Return the causes of one event, nearest first."""
        changes, row = self.changes, self._row(event)
        edited, day, why = changes["edited"].get(event, ()), changes["days"].get(event), []
        if edited:
            why.append(f"event edited: {', '.join(edited)}")
        if day:
            why.append(f"day 0 moved from {day.before} to {day.after}")
        if event in self.indices and "benchmark" not in edited:
            why.append("benchmark {1} instead of {0}".format(*self.indices[event]))
        if event in self.statuses and "provisional" in self.statuses[event]:
            why.append("new sessions")
        config, near = self.record.config, self._symbols(row)
        reach = -config.estimation.start, max(config.event.stop, 0)
        for symbol, revision in changes["prices"].items():
            if symbol in near and row["day0"] and revision.touches(row["day0"], *reach):
                why.append(f"prices of {symbol} revised")
        why += [f"prices of {s} from another source" for s in changes["sources"] if s in near]
        why += [f"setting {name}" for name in changes["settings"] if name not in _ASIDE]
        why += [f"{file} changed" for file in changes["files"] if not _is_size(file)]
        touched = {*changes["added"], *changes["edited"]} - {event}
        if any(self.events.loc[e, "ticker"] == row["ticker"] for e in touched):
            why.append("another event of the firm")
        if not why and (changes["added"] or changes["removed"] or changes["edited"]):
            why.append("other events")
        if not why and changes["versions"]:
            why.append(f"versions: {', '.join(changes['versions'])}")
        return tuple(why or ["not known"])

    def _row(self, event: str) -> pd.Series[Any]:
        row: Any = self.events.loc[event]
        return cast("pd.Series[Any]", row)

    def _symbols(self, row: pd.Series[Any]) -> set[str]:
        """Return the symbols that an event or a setting names, and all exchange rates."""
        config = self.record.config
        cells = [str(cell) for cell in row] + [config.benchmark, *config.named_series.values()]
        rates = {symbol for symbol in self.record.manifest["prices"] if "=" in symbol}
        return {symbol for cell in cells for symbol in members(cell)} | rates


def _same_events(a: Record, b: Record) -> bool:
    """Return whether two runs keep the same events file."""
    first, second = ([sha for place, sha in r.inputs.items() if place in EVENTS] for r in (a, b))
    return bool(first) and first == second


def _edits(
    old: pd.DataFrame, new: pd.DataFrame, both: list[str]
) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the edits of the events file: (before, after) by event and column."""
    old, new = map(_as_named, (old, new))
    columns = [name for name in dict.fromkeys([*old.columns, *new.columns]) if name not in _OURS]

    def cells(table: pd.DataFrame, event: str) -> dict[str, str]:
        """Return the cells of an event as text by column.

        Parameters
        ----------
        table : DataFrame
            Events by id.
        event : str

        Returns
        -------
        dict of str to str
            "" for a column that the table lacks.
        """
        return {name: str(table.loc[event].get(name, "")) for name in columns}

    edits = {event: _unlike(cells(old, event), cells(new, event)) for event in both}
    return {event: changed for event, changed in edits.items() if changed}


def _as_named(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events of a run with the benchmarks that its events file names."""
    if NAMED not in events:
        return events
    return events.assign(benchmark=events[NAMED].where(events[NAMED] != "", events["benchmark"]))


def _days(
    old: pd.DataFrame, new: pd.DataFrame, both: list[str], changes: Mapping[str, Any], unsaid: str
) -> dict[str, Moved]:
    """Return the days 0 that differ, and why; `unsaid` where no reason is known."""
    days = _unlike(*({e: str(table.loc[e, "day0"]) for e in both} for table in (old, new)))
    settings = [f"setting {name}" for name in changes["settings"] if name in _OF_DAY0]
    out = {}
    for event, (before, after) in days.items():
        cells = [name for name in changes["edited"].get(event, ()) if name in _CELLS_OF_DAY0]
        ticker = str(new.loc[event, "ticker"])
        prices = [f"prices of {ticker} revised"] * (ticker in changes["prices"])
        why = [f"event edited: {', '.join(cells)}"] * bool(cells) + settings + prices
        out[event] = Moved(before, after, tuple(why or [unsaid]))
    return out


def _state(row: pd.Series[str]) -> str:
    if row["status"] != "ok":
        return f"dropped: {row['reason']}"
    return "provisional" if PROVISIONAL in row["flags"].split(";") else "ok"


def _reworded(old: str, new: str) -> bool:
    """Return whether two codes of reasons are of one kind, so that only the words may differ."""
    return old not in ("", "other") and old == new


def _settings(record: Record, *, whence: bool) -> dict[str, Any]:
    """Return all settings, but for files, whose contents are compared; paths as seen from the run.

    Without `whence` those are left out that say where prices come from, which differ where these do
    not.
    """
    config, origin = dict(record.settings), dict(record.manifest["origin"])
    source = {name: origin.get(name, config.get(name, "")) for name in _WHENCE}
    source |= {"size": ASKED} if record.config.size == ASKED else {}
    settings = {k: v for k, v in config.items() if k not in NAMING_FILES} | source
    return {k: v for k, v in settings.items() if whence or k not in _WHENCE}


def _sources(record: Record) -> dict[str, str]:
    prices = record.manifest["prices"]
    return {symbol: str(entry.get("source", "")) for symbol, entry in prices.items()}


def _files(a: Record, b: Record) -> Iterator[str]:
    """Yield the places of inputs, events and prices aside, that differ or are in one run only."""
    for place, pair in _unlike(a.inputs, b.inputs).items():
        if place not in (*EVENTS, TABLE, SIZES) and any(pair):
            yield place


def _is_size(place: str) -> bool:
    """Return whether a kept input has market values, which move no CAR."""
    return Path(place).parts[-3:-2] == ("size",)


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    pairs = {name: (a.get(name, ""), b.get(name, "")) for name in dict.fromkeys([*a, *b])}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _moves(
    a: Record, b: Record, both: set[str], threshold: float, causes: _Causes
) -> Iterator[Move]:
    old, new = (_cars(record) for record in (a, b))
    for event, ticker, start, stop in dict.fromkeys([*new, *old]):
        key = event, ticker, start, stop
        if event in both and key in old and key in new:
            x, y = old[key], new[key]
            if x is not y if x is None or y is None else abs(x - y) > threshold:
                yield Move(event, ticker, f"[{start},{stop}]", x, y, causes.of(event))


def _cars(record: Record) -> dict[tuple[str, str, int, int], float | None]:
    table = record.table("tables/car.csv")
    if table.empty:
        return {}
    rows = table[["event_id", "ticker", "start", "stop", "car"]].itertuples(index=False)
    return {(r[0], r[1], int(r[2]), int(r[3])): None if r[4] != r[4] else float(r[4]) for r in rows}


def _answers(a: Record, b: Record) -> Iterator[Answer]:
    old, new = (
        {answer["group"]: answer for answer in record.manifest["answers"]} for record in (a, b)
    )
    for group in dict.fromkeys([*new, *old]):
        x, y = old.get(group), new.get(group)
        if x is None or y is None or x["text"] != y["text"]:
            yield Answer(group, x, y)
