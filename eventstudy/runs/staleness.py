"""Whether a run is up to date: which of its inputs have changed, and which prices are lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np

from .. import prices
from ..errors import (
    ConfigError,
    DataError,
    EventStudyError,
    HeldBackError,
    NetworkError,
    PriceError,
    RateLimitedError,
    RunFolderError,
)
from ..files import inside
from ..fitting import GONE, SOON, FittedStudy
from ..returns import Benchmarks, range_around
from ..words import Reason, say, words
from .comparison import price_revision
from .origin import ASKED, SIZES, Origin, with_files
from .record import Record, open_events
from .verify import verify_files

# The key of a manifest with the symbols whose loss was accepted.
GIVEN_UP = "given_up"
AS_IT_WAS = "the last report is unchanged"
# Reasons of losses that a message has.
REASONS = 3


class LostPricesError(PriceError):
    """Prices that a run has, or that it waits for, cannot be had now: try again later."""

    kind = "lost_prices"
    is_transient = True


def utc_now() -> str:
    """Return the time as it stands with prices, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(eq=False)
class KeptSource:
    """The source of a refresh; of a symbol that it lost, the prices that the last run has.

    Parameters
    ----------
    record : Record
        The last run.
    origin : Origin
        With the source that is asked. One that is not the run's may have less.
    accept_loss : bool
        Give up what the source does not have any more; never what it does not answer for.

    Attributes
    ----------
    lost : dict of str to PriceError
        Symbols of which the source has less than the run, and why.
    ends : dict of str to str
        ISO date of the last price that the source has, by symbol.
    given_up : dict of str to str
        Losses that are accepted, now or before.
    accepted : dict of str to PriceError
        Those of them that the source has told now.
    since : str
        ISO time (UTC) from which on the source is asked.
    windows : mapping of str to list of (first, last)
        The days that each symbol is needed on, where one of several sources is chosen for it.
    """

    record: Record
    origin: Origin
    accept_loss: bool
    lost: dict[str, PriceError] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, PriceError] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    since: str = field(default_factory=utc_now)
    windows: Mapping[str, Sequence[tuple[date, date]]] = field(init=False)
    name: str = "kept"

    def __post_init__(self) -> None:
        self.windows = {
            symbol: [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in spans]
            for symbol, spans in self.record.facts.needed.items()
        }

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: prices.Progress = None
    ) -> prices.Prices:
        """Return prices as `PriceProvider.fetch` does; a source that fails is a loss of each."""
        try:
            days = start, end
            windows = self.windows
            answer = _answer(self.record, self.origin, symbols, days, progress, windows)
        except PriceError as error:
            answer = prices.Prices.of({}, dict.fromkeys(symbols, error))
        ranges = dict.fromkeys(symbols, (start, end))
        losses = dict(_losses(self.record, answer, ranges, self.origin))
        before = self.record.facts.given_up
        accepted = losses if self.accept_loss else before
        self.ends |= {symbol: entry.last for symbol, entry in answer.provenance.items()}
        kept = []
        for symbol in symbols:
            self.lost.pop(symbol, None)
            loss = losses.get(symbol)
            if loss and symbol in accepted and not loss.is_transient:
                self.given_up[symbol] = loss.what
                self.accepted[symbol] = loss
            elif loss and symbol in before and symbol not in self.record.facts.prices:
                # Its events have no prices, so nothing waits for a source that is silent.
                self.given_up[symbol] = before[symbol]
            elif loss:
                kept.append(symbol)
                self.lost[symbol] = loss
        lost = {*losses, *answer.stale}
        for symbol, entry in answer.provenance.items():
            if symbol not in lost and self._is_of_source(entry, end):
                self.answered.add(symbol)
        return self._with_run(answer, kept, losses)

    def _is_of_source(self, entry: prices.Provenance, end: date) -> bool:
        """Return whether the source was asked, where the cache or the sample may answer for it."""
        if self.origin.config.prices != "auto":
            return True
        # The cache answers without asking for days that are over.
        is_asked = end >= date.today() or entry.retrieved_at >= self.since  # noqa: DTZ011
        return entry.source == "yahoo" and is_asked

    @property
    def held_back(self) -> dict[str, PriceError]:
        """Symbols whose events have to wait, and why.

        One whose prices ended `GONE` before the newest that the source has is not waited for. They
        ended with the last price that the run or the source has: a file that was cut makes no share
        older. The newest is that of the source alone: one that lost the newest days of all symbols
        would never be waited for.
        """
        had = {symbol: entry.last for symbol, entry in self.record.facts.prices.items()}
        lasts = {s: max(had.get(s, ""), self.ends.get(s, "")) for s in self.lost}
        newest = np.datetime64(max(self.ends.values(), default=""), "D")
        ages = {s: newest - np.datetime64(last, "D") for s, last in lasts.items()}
        return {s: error for s, error in self.lost.items() if not ages[s] >= GONE}

    def _with_run(
        self, answer: prices.Prices, symbols: list[str], why: Mapping[str, PriceError]
    ) -> prices.Prices:
        """Return an answer with the rows of the run for symbols of which it has less."""
        lacking = []
        for symbol in symbols:
            now = answer.provenance.get(symbol)
            had = self.record.facts.prices.get(symbol)
            if had and not (now and now.first <= had.first and had.last <= now.last):
                lacking.append(symbol)
        if not lacking:
            return answer
        run = prices.FrozenProvider(self.record.folder).fetch(lacking, date.min, date.max)
        kept = [s for s in run.symbols if run.provenance[s] == self.record.facts.prices[s]]
        notices = [Reason("stored_used", symbol=s, why=why[s].what) for s in kept]
        stale = {symbol: why[symbol] for symbol in kept}
        run = replace(run.select(kept), notices=tuple(notices), stale=stale)
        return run.merge(answer)

    def refuse(self) -> None:
        """Raise LostPricesError if the source answered for no symbol as it should."""
        if self.answered:
            return
        losses = self.held_back
        if not self.ends:  # without any price there is no study, whatever is accepted
            losses = self.lost | self.accepted
        silent = (NetworkError, RateLimitedError, LostPricesError)
        errors = {s: error for s, error in losses.items() if isinstance(error, silent)}
        refused = errors or losses
        if not refused:
            return
        first = next(iter(refused.values()))
        if isinstance(first, LostPricesError):
            raise first
        hint = other_source(self.record, self.origin)
        may_accept = has_events_without(self.record, losses)
        raise _loss_error(refused, AS_IT_WAS, hint, may_accept=may_accept)


class News(NamedTuple):
    """Why a run is not up to date, and what its source of prices said."""

    why: list[str]
    notices: tuple[str, ...] = ()
    held_back: Mapping[str, PriceError] = MappingProxyType({})
    confirmed: str = ""


def list_changes(record: Record | None, origin: Origin, *, accept_loss: bool) -> News:
    """Return why a run is not up to date, and what its source of prices said.

    Parameters
    ----------
    record : Record or None
        None if there is no run yet.
    origin : Origin
        Its files must be hashed.
    accept_loss : bool
        Go on without prices that the source does not have any more.

    Returns
    -------
    News

    Raises
    ------
    LostPricesError
        If the source does not answer, lets something else stand in for what it gave before, or has
        nothing any more.
    """
    if record is None:
        return News(["first run"])
    if changes := _changed_inputs(record, origin):
        return News(changes)
    return _changed_prices(record, origin, accept_loss)


def refuse_lost_inputs(source: KeptSource, results: FittedStudy) -> dict[str, Any]:
    """Raise if a study lacks prices, returns or market values that its last run has or waits for.

    Parameters
    ----------
    source : KeptSource
        From which `results` were computed.
    results : FittedStudy

    Returns
    -------
    dict
        What the manifest of the study says of them: the losses that were accepted, now or before,
        by symbol.

    Raises
    ------
    LostPricesError
        If the source did not answer, lost everything, or a return or market value was lost.
    """
    source.refuse()
    record, origin = source.record, source.origin
    losses = dict(_lost_returns(record, origin, results))
    if losses and not source.accept_loss:
        raise _loss_error(losses, AS_IT_WAS)
    if results.sizes and record.config.size == origin.config.size == ASKED:
        firms = results.events["ticker"]
        _refuse_lost_sizes(record, results.sizes.origin, firms, source.accept_loss)
    return {GIVEN_UP: source.given_up} if source.given_up else {}


def refuse_lost_returns(record: Record | None, origin: Origin, error: EventStudyError) -> None:
    """Raise LostPricesError if an error says that the file of returns of a run cannot be read.

    Parameters
    ----------
    record : Record or None
    origin : Origin
    error : EventStudyError
    """
    file = Path(origin.config.returns)
    is_of_file = error.where == "returns" or error.where.startswith(file.name)
    if record and origin.config.returns and is_of_file and _have_same_source(record, origin):
        where = error.where if isinstance(error, DataError) else str(file)
        remedy = f"{AS_IT_WAS}; restore the returns"
        raise LostPricesError(error.what, where=where, remedy=remedy) from error


def _lost_returns(
    record: Record, origin: Origin, results: FittedStudy
) -> Iterator[tuple[str, PriceError]]:
    """Yield the symbols of which a file of returns has less than the run, of what is needed."""
    if not origin.config.returns or not _have_same_source(record, origin):
        return
    panel = results.panel
    entries: Mapping[str, Mapping[str, Any]] = panel.provenance
    days = [day.date() for day in results.events["day0"].dropna()]
    config = origin.config
    needed = str(range_around(days, config.estimation, config.event)[0]) if days else ""
    for symbol, had in record.facts.prices.items():
        if symbol in panel.failures:
            yield symbol, PriceError(panel.failures[symbol])
        elif symbol in entries:
            now = prices.Provenance(**entries[symbol])
            if had.last and not now.last:
                yield symbol, PriceError("it has no return any more")
            elif now.last < had.last:
                yield symbol, PriceError(f"returns end on {now.last}, in the run on {had.last}")
            elif had.first and now.first > max(had.first, needed):
                yield symbol, PriceError(f"returns start on {now.first}, in the run on {had.first}")


def _changed_inputs(record: Record, origin: Origin) -> list[str]:
    """Return why a run is not that of `origin`, prices aside."""
    altered = verify_files(record)
    return [
        *(f"setting {name}" for name in differing_settings(record, origin)),
        *(f"{origin.files.get(p, Path(p)).name} changed" for p in differing_files(record, origin)),
        *(f"version of {name}" for name in record.other_versions),
        *(f"{file} was altered" for file in altered.changed),
        *(f"{file} was missing" for file in altered.missing),
    ]


def differing_settings(record: Record, origin: Origin) -> list[str]:
    """Return the settings that are not those of a run, where prices come from among them.

    Parameters
    ----------
    record : Record
    origin : Origin
    """
    old, new = (_settings(o, record) for o in (record.origin, origin))
    return [name for name in new if old.get(name) != new[name]]


def differing_files(record: Record, origin: Origin) -> list[str]:
    """Return the files, by place in the run folder, whose contents are not those of a run.

    Parameters
    ----------
    record : Record
    origin : Origin
        Its files must be hashed.
    """
    hashes = {place: sha for place, sha in record.inputs.items() if place in record.origin.files}
    return [p for p in {**hashes, **origin.hashes} if hashes.get(p) != origin.hashes.get(p)]


def _settings(origin: Origin, record: Record) -> dict[str, Any]:
    """Return all settings of a study, files by their places, whose contents are compared."""
    config = with_files(origin.config, lambda place, _: place)
    return {**config.to_dict(), **origin.to_dict(record.folder), "files": ""}


def _changed_prices(record: Record, origin: Origin, accept_loss: bool) -> News:
    """Ask the source for the prices of the run; return the differences, notices and losses.

    Days after the last one of the run count only while there is an event that they can change;
    without one nothing new is asked but for the symbols whose turn it is to be confirmed, and a
    source with a store answers from it. It is asked again for what it did not answer for when the
    run was computed.
    """
    from ..prices import StoreProvider

    if origin.config.returns:
        return News([])
    is_open = record.facts.events.open > 0
    stored = origin.config.prices == "auto" and not origin.offline
    failures = record.facts.failures.values()
    unanswered = not record.origin.offline and any(failure.transient for failure in failures)
    since = utc_now()
    confirmed = _confirm(record, origin, is_open) if stored and not origin.vintage else ()
    # The cache alone can say that nothing is new, unless a second source is asked beside it.
    if stored and not (is_open or unanswered or origin.config.fill):
        cache = KeptSource(record, replace(origin, offline=True), accept_loss)
        with suppress(PriceError):
            news = _news(cache, is_open)
            if not cache.held_back:  # else it is not in the store of this machine
                return news._replace(notices=confirmed)
    store, lacking = StoreProvider(origin.store or None).path, []
    if stored and not store.is_file():
        lacking = [f"there is no price cache at {store}: all prices are asked for again"]
    source = KeptSource(record, origin, accept_loss, since=since)
    news = _news(source, is_open)
    notices = dict.fromkeys((*lacking, *confirmed, *news.notices))
    return news._replace(notices=tuple(notices))


def _confirm(record: Record, origin: Origin, is_open: bool) -> tuple[str, ...]:
    """Have the symbols of a run confirmed whose turn it is; return the notices."""
    provider = prices.resolve("auto", store=origin.store or None)
    notices: list[str] = []
    for days, symbols in _calls(record, to_date=is_open).items():
        notices += cast("prices.AutoProvider", provider).confirm(symbols, *days)
    return tuple(notices)


def _news(source: KeptSource, is_open: bool) -> News:
    """Return what a source has that the run has not, in words, and what it said."""
    reasons = list[str]()
    longer = dict[str, list[str]]()
    notices = dict[str, None]()
    record, times = source.record, list[str]()
    for days, symbols in _calls(record, to_date=is_open).items():
        answer = source.fetch(symbols, *days)
        losses = {s: why for s, why in source.given_up.items() if s in symbols}
        new = {s: why for s, why in losses.items() if s not in record.facts.given_up}
        reasons += [f"{symbol} is given up: {why}" for symbol, why in new.items()]
        reasons += _changes(record, answer, [s for s in symbols if s not in new], longer)
        notices |= dict.fromkeys(answer.notices)
        times += [entry.retrieved_at for entry in answer.provenance.values()]
    source.refuse()
    for end, names in longer.items():
        late = [name for name in names if is_open or _ended_early(record, name)]
        if late:
            reasons.append(f"prices of {words().and_more(late)} until {end}")
    return News(reasons, tuple(notices), source.held_back, prices.Provenance.confirmed_on(times))


def _ended_early(record: Record, symbol: str) -> bool:
    """Return whether a run lacks prices of a symbol of days on which it has those of others."""
    had = record.facts.prices
    asked = record.facts.asked.get(symbol)
    if asked is None:
        return False
    end = min(asked[1], max(entry.last for entry in had.values()))
    return bool(np.datetime64(had[symbol].last, "D") + SOON < np.datetime64(end, "D"))


def _answer(
    record: Record, origin: Origin, symbols: Sequence[str], days: tuple[date, date],
    progress: prices.Progress, windows: Mapping[str, Sequence[tuple[date, date]]],
) -> prices.Prices:  # fmt: skip
    """Ask the source of `origin`; a file or folder that has gone is a loss, not a wrong setting."""
    options: Any = {"store": origin.store or None, "vintage": origin.vintage or None}
    source = origin.config.prices
    try:
        provider = prices.resolve(
            source, offline=origin.offline, fill=origin.config.fill, **options
        )
        if isinstance(provider, prices.ChainProvider):
            provider.windows = windows
        return provider.fetch(symbols, *days, progress=progress)
    except (ConfigError, DataError) as error:
        if not prices.paths_of(source) or not _have_same_source(record, origin):
            raise
        remedy = f"{AS_IT_WAS}; mount or restore the prices"
        # A fault of a table has its line.
        where = error.where if isinstance(error, DataError) else str(Path(source))
        raise LostPricesError(error.what, where=where, remedy=remedy) from error


def _calls(record: Record, *, to_date: bool) -> dict[tuple[date, date], list[str]]:
    """Return the symbols of a run by the range that was asked for, up to today with `to_date`.

    A range that ended on the day of the run ends today. That day is the one on which the run began:
    if it spanned midnight, some ranges end a day later.
    """
    day, calls = record.facts.asked_on, dict[tuple[date, date], list[str]]()
    # A symbol of a specification only was asked for as many days as it has.
    ends = {symbol: (e.first, e.last) for symbol, e in record.facts.prices.items() if e.first}
    for symbol, (first, last) in {**ends, **record.facts.asked}.items():
        end = date.today() if to_date and last >= day else date.fromisoformat(last)  # noqa: DTZ011
        calls.setdefault((date.fromisoformat(first), end), []).append(symbol)
    return calls


def _changes(
    record: Record, answer: prices.Prices, symbols: list[str], longer: dict[str, list[str]]
) -> Iterator[str]:
    """Yield the news of some symbols; those that only go on are added to `longer`, by last day."""
    had = record.facts.prices
    for symbol in symbols:
        now = answer.provenance.get(symbol)
        if now is None:
            if symbol in had:
                error = answer.failures.get(symbol)
                yield f"no prices of {symbol} any more: {error.what if error else 'not known'}"
        elif symbol not in had:
            failed = symbol in record.facts.failures
            yield f"prices of {symbol}" if failed else f"{symbol} is new"
        elif now.source != had[symbol].source:
            yield f"prices of {symbol} from {now.source}"
    for symbol in _find_said_otherwise(record, answer, symbols):
        yield f"prices of {symbol} in other sources"
    common = [s for s in symbols if s in had and s in answer.provenance]
    changed = [s for s in common if answer.provenance[s].sha256 != had[s].sha256]
    if not changed:
        return
    table = prices.FrozenProvider.read_table(inside(record.folder, prices.FrozenProvider.TABLE))
    answered = answer.by_symbol()
    for symbol in changed:
        rows = table[table["symbol"] == symbol]
        revision = price_revision(rows, answered[symbol], record.config.measure)
        if revision and revision.days:
            yield f"prices of {symbol} {revision}"
        if revision and revision.is_longer:
            longer.setdefault(revision.after, []).append(symbol)


def _find_said_otherwise(
    record: Record, answer: prices.Prices, symbols: list[str]
) -> Iterator[str]:
    """Yield the symbols of which other sources do not say what they said in the run."""
    has_others = (record.folder / prices.FrozenProvider.OTHERS).is_file()
    if answer.others is None and not has_others:
        return
    run = prices.FrozenProvider(record.folder).fetch(symbols, date.min, date.max)
    had, now = _write_others(run), _write_others(answer)
    yield from (symbol for symbol in symbols if had.get(symbol) != now.get(symbol))


def _write_others(answer: prices.Prices) -> dict[str, str]:
    """Return what other sources say of each symbol, as text."""
    if answer.others is None:
        return {}
    groups = answer.others.groupby("symbol")
    return {str(symbol): rows.to_csv(index=False) for symbol, rows in groups}


def _refuse_lost_sizes(
    record: Record, now: prices.Sizes, events: Iterable[str], accept_loss: bool
) -> None:
    """Raise if a firm that is still studied has no market value any more."""
    if not (record.folder / SIZES).is_file():
        return
    had = record.cells(SIZES)
    firms = set(events) & set(had.loc[had["mcap"] != "", "ticker"])
    failures = {s: why for s, why in now.failures.items() if s in firms}
    losses = {s: PriceError(f"no market value: {why}") for s, why in failures.items()}
    silent = {s: error for s, error in losses.items() if s in now.unanswered}
    if refused := silent or ({} if accept_loss else losses):
        raise _loss_error(refused, AS_IT_WAS)


def other_source(record: Record, origin: Origin) -> str:
    """Return the option with which a run was made where `origin` has another source, or ""."""
    source = record.config.prices
    is_same = source == origin.config.prices
    return "" if is_same else f", or give --prices {source}, with which it was made"


def has_events_without(record: Record, symbols: Collection[str]) -> bool:
    """Return whether a run has events that need none of some symbols.

    Parameters
    ----------
    record : Record
    symbols : collection of str

    Returns
    -------
    bool
    """
    try:
        events = record.cells("events.csv")
        used = events.loc[events["status"] == "ok", ["ticker", "benchmark"]]
    except (RunFolderError, KeyError):  # somebody has altered the run
        return True
    for ticker, benchmark in used.itertuples(index=False):
        indices = set(Benchmarks.members(benchmark))
        has_index = not indices or bool(indices - set(symbols))
        if ticker not in symbols and has_index:
            return True
    return False


def _loss_error(
    errors: Mapping[str, PriceError], state: str, hint: str = "", *, may_accept: bool = True
) -> LostPricesError:
    """Return one error for symbols without prices; of a silent source one may try again later."""
    what, where, remedy = describe_losses(errors, may_accept=may_accept)
    return LostPricesError(what, where=where, remedy=f"{state}; {remedy}{hint}")


def describe_losses(
    errors: Mapping[str, PriceError], *, may_accept: bool = True
) -> tuple[str, str, str]:
    """Return why prices are lost, the symbols that share the first reason, and what to do.

    Each reason is told once; those after the first stand behind their symbols.

    Parameters
    ----------
    errors : mapping of str to PriceError
        One or more.
    may_accept : bool
        Whether there is a study without these symbols.

    Returns
    -------
    str, str, str
    """
    groups = dict[str, list[str]]()
    for symbol, error in errors.items():
        groups.setdefault(error.what, []).append(symbol)
    (first, same), *others = list(groups.items())[:REASONS]
    texts = [first, *(f"{words().and_more(symbols)}: {what}" for what, symbols in others)]
    shown = [same, *(symbols for _, symbols in others)]
    if n := len(errors) - sum(map(len, shown)):
        texts.append(say("losses.other_reasons", n=n))
    remedies = dict.fromkeys(_remedy(errors[symbols[0]], may_accept) for symbols in shown)
    return "; ".join(texts), words().and_more(same), "; ".join(remedies)


def _remedy(error: PriceError, may_accept: bool) -> str:
    """Return what to do about a loss."""
    if isinstance(error, HeldBackError):
        return error.remedy
    if error.is_transient:
        return "try again later"
    if may_accept:
        return "--accept-loss goes on without"
    return error.remedy or "try again later"


def _losses(
    record: Record, answer: prices.Prices, ranges: Mapping[str, tuple[date, date]], origin: Origin
) -> Iterator[tuple[str, PriceError]]:
    had, is_same = record.facts.prices, _have_same_source(record, origin)
    for symbol, error in answer.failures.items():
        if (is_same and symbol in had) or (error.is_transient and not origin.offline):
            yield symbol, error
    spare = _spare_symbols(record) if answer.stale else set()
    yield from ((symbol, error) for symbol, error in answer.stale.items() if symbol not in spare)
    for symbol in had if is_same else ():
        if symbol in answer.provenance and symbol in ranges:
            now = answer.provenance[symbol]
            (first, last) = ranges[symbol]
            start = had[symbol].first
            end = had[symbol].last
            if str(first) <= start < now.first:
                what = f"prices start on {now.first}, in the run on {start}"
                yield symbol, PriceError(what)
            if str(last) >= end > now.last:
                yield symbol, PriceError(f"prices end on {now.last}, in the run on {end}")
    for symbol, entry in answer.provenance.items() if origin.config.prices == "auto" else ():
        if entry.source == "sample" and symbol in had and had[symbol].source != "sample":
            what = "the source cannot be reached, and the bundled sample is no substitute"
            yield symbol, NetworkError(what)


def _have_same_source(record: Record, origin: Origin) -> bool:
    """Return whether prices are asked of the source that the run asked, returns of its file."""
    a, b = (o.to_dict(record.folder) for o in (record.origin, origin))
    if any(a[name] != b[name] for name in ("prices", "fill", "store", "vintage")):
        return False
    file, new = record.origin.config.returns, origin.config.returns
    return Path(file).resolve() == Path(new).resolve()


def _spare_symbols(record: Record) -> set[str]:
    """Return the firms whose windows are over and that no event names: no new day changes them."""
    events = record.cells("events.csv")
    if events.empty:
        return set()
    config, entries = record.config, record.facts.prices.values()
    last = max((entry.last for entry in entries if entry.last), default=str(date.min))
    still = events["ticker"][open_events(events, last, config.event.stop)]
    texts = set(events.drop(columns=["event_id", "ticker"]).to_numpy().ravel())
    cells = [*texts, config.benchmark, *config.named_series.values()]
    named = {symbol for cell in cells for symbol in Benchmarks.members(cell)}
    return set(events["ticker"]) - set(still) - named
