"""A plan of a study, written before its prices are looked at, and how a run differs from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

from ..errors import AlteredError, ConfigError, PriceError, RunFolderError
from ..events import Events
from ..files import InputFile, replacing
from ..findings import Document
from ..fitting import StudyInputs
from ..prices import ChainProvider, FrozenProvider, PriceProvider, Prices, StoreProvider, resolve
from ..records import Decisions, decisions_beside, folder_beside
from ..returns import windows_of
from ..settings import StudyConfig
from ..utility import __version__
from ..words import Reason, make_error, say, words

SCHEMA = "eventstudy-plan/1"
SUFFIX = ".plan.json"
# Settings that change no number, and where prices come from: those of a run are in its folder.
ASIDE = {"event_pages", "figures", "title", "prices", "fill"}
# Settings that name files, prices aside: a run folder keeps those.
NAMING_FILES = ("returns", "size", "factors", "confounders")
# Events that a line names.
NAMED = 5


@dataclass(frozen=True)
class PlannedEvent:
    """An announcement as it was planned."""

    event_id: str
    ticker: str
    announced_at: str
    day0: str


@dataclass(frozen=True)
class Seen:
    """What was known of the days of the event windows when a plan was written.

    Attributes
    ----------
    still_open : int
        Events whose main window was not over.
    at_hand : int
        Events with a price of their day 0 at hand.
    where : tuple of str
        Where such prices were.
    """

    still_open: int
    at_hand: int
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A plan, as it stands in its file.

    Attributes
    ----------
    written_at : str
        ISO time in UTC.
    version : str
        Of the program.
    settings : mapping
        Every setting of the study.
    windows : tuple of str
        The windows that are tested, the main one first.
    events : tuple of PlannedEvent
    events_sha256 : str
        Of the file of events.
    rule : str
        By which rule the list grows; "" = it does not.
    decisions : mapping
        Hash, number and time of the decisions on the public record beside the list.
    seen : Seen
    sha256 : str
        Of all this.
    """

    schema: str
    written_at: str
    version: str
    settings: Mapping[str, Any]
    windows: tuple[str, ...]
    events: tuple[PlannedEvent, ...]
    events_sha256: str
    seen: Seen
    rule: str = ""
    decisions: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""

    FILE: ClassVar = SUFFIX

    @staticmethod
    def place(events: Path) -> Path:
        """Return where the plan of a list stands: ``events.plan.json`` beside ``events.csv``."""
        return events.with_name(f"{events.stem}{SUFFIX}")

    @classmethod
    def of(
        cls, inputs: StudyInputs, file: Path, *, rule: str = "", run: Path | None = None
    ) -> Plan:
        """Return the plan of a study.

        Parameters
        ----------
        inputs : StudyInputs
        file : Path
            Of the events.
        rule : str
            By which rule the list grows.
        run : Path, optional
            Where a run of the study may be, whose prices are known.
        """
        config = inputs.config
        main = [config.main, *(window for window in config.tested if window != config.main)]
        plan = cls(
            schema=SCHEMA, version=__version__, rule=rule.strip(),
            written_at=datetime.now(UTC).isoformat(timespec="seconds"),
            settings=config.to_dict(), windows=tuple(map(str, main)),
            events=tuple(_list_events(inputs.events)), events_sha256=inputs.events.sha256,
            seen=_see(inputs, run), decisions=decisions_beside(file),
        )  # fmt: skip
        return cls(**{**vars(plan), "sha256": plan.digest})

    @classmethod
    def beside(cls, events: Path) -> Plan | None:
        """Return the plan beside a list; None without one.

        Raises
        ------
        AlteredError
            If it is not as it was written.
        """
        path = cls.place(events)
        if not path.is_file():
            return None
        try:
            facts = json.loads(InputFile(path).content())
            kinds = get_type_hints(cls)
            kinds.pop("FILE")
            plan = cls(**{n: Document.decode(k, facts.get(n), n) for n, k in kinds.items()})
        except (ValueError, TypeError, AttributeError, RecursionError, RunFolderError) as error:
            raise make_error(AlteredError, "plan.damaged", where=str(path)) from error
        if plan.sha256 != plan.digest:
            raise make_error(AlteredError, "plan.altered", where=str(path))
        return plan

    @property
    def digest(self) -> str:
        """SHA-256 of all but the hash itself."""
        facts = {name: value for name, value in asdict(self).items() if name != "sha256"}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def write(self, events: Path, *, force: bool = False) -> Path:
        """Write the plan beside a list, and return its path.

        Raises
        ------
        ConfigError
            If there is one, without `force`.
        """
        path = self.place(events)
        if path.exists() and not force:
            raise make_error(ConfigError, "plan.exists", where=str(path))
        with replacing(path) as stage:
            text = json.dumps(asdict(self), indent=1, ensure_ascii=False, sort_keys=True)
            stage.write_text(text + "\n", encoding="utf-8", newline="\n")
        return path

    def compare(self, config: StudyConfig, events: Events, file: Path) -> list[str]:
        """Return how a study differs from the plan, a line each; none if it does not.

        Parameters
        ----------
        config : StudyConfig
        events : Events
        file : Path
            Of the events.
        """
        return [
            *self._compare_settings(config), *self._compare_events(events),
            *self._compare_record(file),
        ]  # fmt: skip

    def _compare_settings(self, config: StudyConfig) -> Iterator[str]:
        if self.version != __version__:
            yield Reason("planned_version", planned=self.version, now=__version__)
        settings = config.to_dict()
        for name in sorted({*self.settings, *settings} - ASIDE):
            planned, now = (_shown(name, each.get(name, "")) for each in (self.settings, settings))
            if planned != now:
                yield Reason("planned_setting", setting=name, planned=planned, now=now)

    def _compare_events(self, events: Events) -> Iterator[str]:
        """Yield what was added, taken out, or moved to another day 0."""
        planned = {event.event_id: event for event in self.events}
        now = {event.event_id: event for event in _list_events(events)}
        gone = [name for name in planned if name not in now]
        if gone:
            yield Reason("planned_gone", n=len(gone), events=_named(gone))
        moved = [n for n, event in now.items() if n in planned and event != planned[n]]
        if moved:
            yield Reason("planned_moved", n=len(moved), events=_named(moved))
        added = [event for name, event in now.items() if name not in planned]
        later = [event.event_id for event in added if event.day0 > self.written_at[:10]]
        earlier = [event.event_id for event in added if event.event_id not in later]
        if later and self.rule:
            yield Reason("planned_rule", n=len(later), events=_named(later), rule=self.rule)
        elif later:
            yield Reason("planned_later", n=len(later), events=_named(later))
        if earlier:
            yield Reason("planned_added", n=len(earlier), events=_named(earlier))

    def _compare_record(self, file: Path) -> Iterator[str]:
        """Yield that decisions on the public record were not only added to."""
        if not self.decisions or not folder_beside(file).is_dir():
            return
        n = int(self.decisions.get("decisions", "0"))
        if Decisions.beside(file).chain_of(n) != self.decisions.get("chain", ""):
            yield Reason("planned_decisions")


def describe_plan(file: Path, config: StudyConfig) -> dict[str, Any]:
    """Return what a run says of the plan beside its list; {} without one.

    Parameters
    ----------
    file : Path
        Of the events.
    config : StudyConfig
    """
    plan = Plan.beside(file)
    if plan is None:
        return {}
    events = Events.given(file, config.calendar, config.columns)
    facts = {"written_at": plan.written_at, "sha256": plan.sha256, "n": len(plan.events)}
    differs = plan.compare(config, events, file)
    return {**facts, "seen": asdict(plan.seen), "differs": list(map(str, differs))}


def describe_seen(plan: Plan) -> str:
    """Return what was known of the event windows when a plan was written, as a sentence."""
    seen = plan.seen
    code = "plan.seen" if seen.at_hand else "plan.unseen"
    where = [say(f"plan.where.{name}") for name in seen.where]
    n = len(plan.events)
    facts: Any = {"n": n, "over": n - seen.still_open, "at_hand": seen.at_hand}
    return say(code, **facts, where=where)


def _list_events(events: Events) -> Iterator[PlannedEvent]:
    table = events.table
    days = table["day0"].to_numpy().astype("datetime64[D]").astype(str).tolist()
    cells = (table[name].astype(str) for name in ("event_id", "ticker", "announced_at"))
    for name, ticker, announced_at, day in zip(*cells, days, strict=True):
        yield PlannedEvent(name, ticker, announced_at, day)


def _see(inputs: StudyInputs, run: Path | None) -> Seen:
    """Return which main windows are not over, and where a price of a day 0 is at hand."""
    table = inputs.events.table
    main = inputs.config.main
    today = date.today()  # noqa: DTZ011
    is_open = 0
    days: dict[str, dict[int, date]] = {}
    rows = zip(table["ticker"], table["exchange"], table["day0"], strict=True)
    for i, (ticker, code, stamp) in enumerate(rows):
        day = stamp.date()
        days.setdefault(ticker, {})[i] = day
        [(_, last)] = windows_of({(ticker, code): [day]}, main, main)[ticker]
        is_open += last >= today
    at_hand: set[int] = set()
    where: list[str] = []
    for name, ends in _find_prices(inputs, list(days), run):
        for symbol, (first, last) in ends.items():
            seen = {i for i, day in days[symbol].items() if first <= day <= last}
            at_hand |= seen
            if seen and name not in where:
                where.append(name)
    return Seen(is_open, len(at_hand), tuple(where))


def _find_prices(
    inputs: StudyInputs, symbols: Sequence[str], run: Path | None
) -> Iterator[tuple[str, dict[str, tuple[date, date]]]]:
    """Yield where prices of some symbols are at hand, with the first and the last day of each."""
    extents = StoreProvider(inputs.store or None).extents(symbols)
    yield "cache", {s: _days(row[3], row[4]) for s, row in extents.items() if row[3]}
    if run is not None and (run / FrozenProvider.TABLE).is_file():
        yield "run", _extents(FrozenProvider(run), symbols)
    if inputs.config.returns:
        yield "returns", dict.fromkeys(symbols, (date.min, date.max))
        return
    source = inputs.source or resolve(inputs.config.prices, **inputs.price_options)
    sources = source.sources.values() if isinstance(source, ChainProvider) else [source]
    for each in sources:
        if getattr(each, "is_local", False) and not isinstance(each, StoreProvider):
            yield "source", _extents(each, symbols)


def _extents(source: PriceProvider, symbols: Sequence[str]) -> dict[str, tuple[date, date]]:
    """Return the first and the last day that a source has of each symbol."""
    try:
        prices = source.fetch(symbols, Prices.FIRST_DAY, Prices.LAST_DAY)
    except PriceError:
        return {}
    return {s: _days(entry.first, entry.last) for s, entry in prices.provenance.items()}


def _days(first: str, last: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


def _shown(name: str, value: Any) -> str:
    """Return the value of a setting for a line; of a file only its name."""
    values = value if isinstance(value, list) else [value]
    if name in NAMING_FILES:
        values = [Path(text).name for text in values]
    texts = [json.dumps(each) if isinstance(each, dict | bool) else str(each) for each in values]
    return ", ".join(filter(None, texts)) or say("plan.blank")


def _named(names: Sequence[str]) -> str:
    return words().some(names, NAMED)
