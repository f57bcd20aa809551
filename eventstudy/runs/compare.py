"""What is not the same in two runs, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import RunFolderError
from ..prices.frozen import TABLE
from ..report.content.wording import reason_head
from ..returns.benchmarks import NAMED, members
from ..utility.csv_text import OUTCOME
from .comparison import MOVED, Answer, Comparison, Move, Moved
from .origin import ASKED, EVENTS, NAMING_FILES, SIZES
from .price_revisions import revisions, size_revisions, unequal
from .record import Record
from .verify import AlteredError, verify_run

if TYPE_CHECKING:
    import pandas as pd

PROVISIONAL = "incomplete_window"
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
    "interactive", "size",
}  # fmt: skip


def compare_runs(one: str | Path, other: str | Path, *, moved: float = MOVED) -> Comparison:
    """Return what is not the same in the second of two runs, and why.

    Parameters
    ----------
    one, other : path
        Run folders, the earlier first.
    moved : float
        A CAR that moved by no more (decimal) is not told.

    Raises
    ------
    RunFolderError
        If one of them is not a run folder.
    AlteredError
        If one of them lacks its events, or was altered so that it cannot be compared.
    """
    a, b = Record.read(one), Record.read(other)
    altered = [f"{record.folder}: {line}" for record in (a, b) for line in _altered(record)]
    try:
        found = compare_records(a, b, moved=moved)
    except (RunFolderError, KeyError, TypeError, ValueError):
        if not altered:
            raise
        what = f"the runs cannot be compared ({', '.join(altered)})"
        raise AlteredError(what, remedy="restore the run, or run the study again") from None
    return replace(found, altered=tuple(altered))


def _altered(record: Record) -> list[str]:
    found = verify_run(record.folder)
    return [f"{word} {file}" for word in ("missing", "changed") for file in getattr(found, word)]


def compare_records(a: Record, b: Record, *, moved: float = MOVED) -> Comparison:
    """Return what :func:`compare_runs` does, of runs that were read."""
    old, new = (r.cells("events.csv").set_index("event_id", drop=False) for r in (a, b))
    both = [name for name in new.index if name in old.index]
    other_prices = unequal(a, b)
    found: dict[str, Any] = {
        "added": tuple(name for name in new.index if name not in old.index),
        "removed": tuple(name for name in old.index if name not in new.index),
        "edited": {} if _same_events(a, b) else _edits(old, new, both),
        "settings": _unlike(*(_settings(r, whence=bool(other_prices)) for r in (a, b))),
        "versions": _unlike(a.manifest["versions"], b.manifest["versions"]),
        "prices": revisions(a, b),
        "sizes": size_revisions(a, b),
        "sources": {
            s: pair for s, pair in _unlike(*map(_sources, (a, b))).items() if s in other_prices
        },
        "files": tuple(_files(a, b)),
    }
    unsaid = "not known" if _same_events(a, b) else "events file changed"
    found["days"] = _days(old, new, both, found, unsaid)
    indices = _unlike(
        *({e: str(table.loc[e].get("benchmark", "")) for e in both} for table in (old, new))
    )
    states = [{e: _state(table.loc[e]) for e in both} for table in (old, new)]
    statuses = {e: pair for e, pair in _unlike(*states).items() if not _reworded(*pair)}
    causes = _Causes(new, b, found, statuses, indices)
    return Comparison(
        **found, statuses=statuses, moves=tuple(_moves(a, b, set(both), moved, causes)),
        answers=tuple(_answers(a, b)), main=str(b.config.main), moved=moved,
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
    found : mapping
        What differs.
    statuses, indices : mapping of str to (before, after)
    """

    events: pd.DataFrame
    record: Record
    found: Mapping[str, Any]
    statuses: Mapping[str, tuple[str, str]]
    indices: Mapping[str, tuple[str, str]]

    def of(self, event: str) -> tuple[str, ...]:
        """Return the causes of one event, nearest first."""
        found, row = self.found, self._row(event)
        why = (
            [f"event edited: {', '.join(found['edited'][event])}"]
            if event in found["edited"]
            else []
        )
        why += (
            [f"day 0 moved from {day.before} to {day.after}"]
            if (day := found["days"].get(event))
            else []
        )
        if event in self.indices and "benchmark" not in found["edited"].get(event, ()):
            why.append("benchmark {1} instead of {0}".format(*self.indices[event]))
        if event in self.statuses and "provisional" in self.statuses[event]:
            why.append("new sessions")
        config, near = self.record.config, self._symbols(row)
        reach = -config.estimation.start, max(config.event.stop, 0)
        for symbol, revision in found["prices"].items():
            if symbol in near and row["day0"] and revision.touches(row["day0"], *reach):
                why.append(f"prices of {symbol} revised")
        why += [f"prices of {s} from another source" for s in found["sources"] if s in near]
        why += [f"setting {name}" for name in found["settings"] if name not in _ASIDE]
        why += [f"{file} changed" for file in found["files"] if not _is_size(file)]
        others = {*found["added"], *found["edited"]} - {event}
        if any(self.events.loc[e, "ticker"] == row["ticker"] for e in others):
            why.append("another event of the firm")
        if not why and (found["added"] or found["removed"] or found["edited"]):
            why.append("other events")
        if not why and found["versions"]:
            why.append(f"versions: {', '.join(found['versions'])}")
        return tuple(why or ["not known"])

    def _row(self, event: str) -> pd.Series[Any]:
        row: Any = self.events.loc[event]
        return cast("pd.Series[Any]", row)

    def _symbols(self, row: pd.Series[Any]) -> set[str]:
        """Return the symbols that the row of an event, or a setting, names; and all exchange
        rates."""
        config = self.record.config
        cells = [str(cell) for cell in row] + [config.benchmark, *config.named_series.values()]
        rates = {symbol for symbol in self.record.manifest["prices"] if "=" in symbol}
        return {symbol for cell in cells for symbol in members(cell)} | rates


def _same_events(a: Record, b: Record) -> bool:
    """Tell whether two runs keep the same events file."""
    one, other = ([sha for place, sha in r.inputs.items() if place in EVENTS] for r in (a, b))
    return bool(one) and one == other


def _edits(
    old: pd.DataFrame, new: pd.DataFrame, both: list[str]
) -> dict[str, dict[str, tuple[str, str]]]:
    """Return what was edited in the rows of the events file: (before, after) by event and
    column."""
    old, new = map(_as_named, (old, new))
    own = [name for name in dict.fromkeys([*old.columns, *new.columns]) if name not in _OURS]
    rows = (
        [{name: str(table.loc[e].get(name, "")) for name in own} for e in both]
        for table in (old, new)
    )
    return {e: cells for e, x, y in zip(both, *rows, strict=True) if (cells := _unlike(x, y))}


def _as_named(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events of a run with the benchmarks that its events file names."""
    if NAMED not in events:
        return events
    return events.assign(benchmark=events[NAMED].where(events[NAMED] != "", events["benchmark"]))


def _days(
    old: pd.DataFrame, new: pd.DataFrame, both: list[str], found: Mapping[str, Any], unsaid: str
) -> dict[str, Moved]:
    """Return the days 0 that are not the same, and why; `unsaid` where nothing says it."""
    days = _unlike(*({e: str(table.loc[e, "day0"]) for e in both} for table in (old, new)))
    settings = [f"setting {name}" for name in found["settings"] if name in _OF_DAY0]
    out = {}
    for event, (before, after) in days.items():
        cells = [name for name in found["edited"].get(event, ()) if name in _CELLS_OF_DAY0]
        prices = [
            f"prices of {s} revised" for s in found["prices"] if s == new.loc[event, "ticker"]
        ]
        why = [f"event edited: {', '.join(cells)}"] * bool(cells) + settings + prices
        out[event] = Moved(before, after, tuple(why or [unsaid]))
    return out


def _state(row: pd.Series[str]) -> str:
    if row["status"] != "ok":
        return f"dropped: {row['reason']}"
    return "provisional" if PROVISIONAL in row["flags"].split(";") else "ok"


def _reworded(before: str, after: str) -> bool:
    """Tell whether an event was dropped for the same kind of reason both times, in other words."""
    dropped = "dropped: "
    if not (before.startswith(dropped) and after.startswith(dropped)):
        return False
    return reason_head(before.removeprefix(dropped)) == reason_head(after.removeprefix(dropped))


def _settings(record: Record, *, whence: bool) -> dict[str, Any]:
    """Return all settings, but for files, whose contents are compared; paths as seen from the run.

    Without `whence` those are left out that say where prices come from, which differ where these do
    not.
    """
    config, origin = dict(record.settings), dict(record.manifest["origin"])
    own = {name: origin.get(name, config.get(name, "")) for name in _WHENCE}
    own |= {"size": ASKED} if record.config.size == ASKED else {}
    found = {k: v for k, v in config.items() if k not in NAMING_FILES} | own
    return {k: v for k, v in found.items() if whence or k not in _WHENCE}


def _sources(record: Record) -> dict[str, str]:
    return {
        symbol: str(entry.get("source", "")) for symbol, entry in record.manifest["prices"].items()
    }


def _files(a: Record, b: Record) -> Iterator[str]:
    """Yield the places of inputs, events and prices aside, that differ or are in one run only."""
    for place, pair in _unlike(a.inputs, b.inputs).items():
        if place not in (*EVENTS, TABLE, SIZES) and any(pair):
            yield place


def _is_size(place: str) -> bool:
    """Tell whether a kept input has market values, which move no CAR."""
    return Path(place).parts[-3:-2] == ("size",)


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys([*a, *b])
    return {
        name: (a.get(name, ""), b.get(name, ""))
        for name in names
        if a.get(name, "") != b.get(name, "")
    }


def _moves(a: Record, b: Record, both: set[str], moved: float, causes: _Causes) -> Iterator[Move]:
    old, new = (_cars(record) for record in (a, b))
    for event, ticker, start, stop in dict.fromkeys([*new, *old]):
        key = event, ticker, start, stop
        x, y = old.get(key), new.get(key)
        told = (key in old or key in new) and event in both and (key in old) + (key in new) == 2
        came = told and (x is None) != (y is None)
        if told and (came or (x is not None and y is not None and abs(x - y) > moved)):
            yield Move(event, ticker, f"[{start},{stop}]", x, y, causes.of(event))


def _cars(record: Record) -> dict[tuple[str, str, int, int], float | None]:
    table = record.table("tables/car.csv")
    if table.empty:
        return {}
    rows = table[["event_id", "ticker", "start", "stop", "car"]].itertuples(index=False)
    return {(r[0], r[1], int(r[2]), int(r[3])): None if r[4] != r[4] else float(r[4]) for r in rows}


def _answers(a: Record, b: Record) -> Iterator[Answer]:
    old, new = ({own["group"]: own for own in record.manifest["answers"]} for record in (a, b))
    for group in dict.fromkeys([*new, *old]):
        x, y = old.get(group), new.get(group)
        if x is None or y is None or x["text"] != y["text"]:
            yield Answer(group, x, y)
