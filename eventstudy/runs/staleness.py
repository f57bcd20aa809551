"""The reasons why a run is not up to date: its inputs compared with the present ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, DataError, NetworkError, PriceError, RateLimitedError
from ..prices import resolve
from ..prices.frozen import TABLE, read_frozen
from .lost_prices import GIVEN_UP, lost_source, refuse_losses, refuse_lost_sizes, some
from .manifest import versions
from .origin import ASKED, SIZES, with_files
from .price_revisions import columns_of, part_of, revised_sizes, revision_of
from .record import Record
from .verify import verify_run

if TYPE_CHECKING:
    from ..prices import Prices
    from .origin import Origin

Range = tuple[date, date]


def changed_inputs(record: Record, origin: Origin) -> list[str]:
    """Return why a run is not that of `origin`, prices aside.

    Parameters
    ----------
    record : Record
    origin : Origin
        Its files must be hashed.

    Returns
    -------
    list of str
    """
    old, new = (_settings(o, record.folder) for o in (record.origin, origin))
    names = [name for name in new if old.get(name) != new[name]]
    hashes = {place: sha for place, sha in record.inputs.items() if place in record.origin.files}
    files = [p for p in {**hashes, **origin.hashes} if hashes.get(p) != origin.hashes.get(p)]
    used = record.manifest["versions"]
    altered = verify_run(record.folder)
    newer = [name for name, version in versions().items() if used.get(name) != version]
    return [
        *(f"setting {name}" for name in names),
        *(f"{place.removeprefix('data/')} changed" for place in files),
        *(f"version of {name}" for name in newer),
        *(f"{file} was altered" for file in altered.changed),
        *(f"{file} was missing" for file in altered.missing),
    ]


def _settings(origin: Origin, folder: Path) -> dict[str, Any]:
    """Return all settings of a study, files by their places, whose contents are compared."""
    config = with_files(origin.config, lambda place, _: place)
    ordered = {"variants": list(config.variants.items())}
    return {**config.to_dict(), **ordered, **origin.to_dict(folder), "files": ""}


def changed_prices(
    record: Record, origin: Origin, *, accept_loss: bool = False
) -> tuple[list[str], tuple[str, ...]]:
    """Ask the source for the prices of the run; return the differences, and notices.

    Days after the last one of the run count only while there is an event that they can change;
    without one nothing new is asked, and a source with a store answers from it. It is asked again
    for what it did not answer for when the run was computed.

    Parameters
    ----------
    record : Record
    origin : Origin
    accept_loss : bool
        Go on without prices that the source does not have any more.

    Returns
    -------
    list of str, tuple of str

    Raises
    ------
    PriceError
        If the source cannot be reached, or lets something else stand in for what it gave before.
    LostPricesError
        If prices that the run has, or waits for, cannot be had.
    """
    if origin.config.returns:
        return [], ()
    is_open = record.manifest["events"]["open"] > 0
    stored = origin.config.prices == "auto" and not origin.offline
    if stored and not (is_open or _unanswered(record)):
        try:
            return _asked_of(record, replace(origin, offline=True), is_open, accept_loss)[0], ()
        except PriceError:  # not in the store of this machine
            pass
    lacking = _no_store(origin)
    why, notices = _asked_of(record, origin, is_open, accept_loss)
    return why, (*lacking, *notices)


def _unanswered(record: Record) -> bool:
    """Return whether the run lacks prices because its source could not be reached."""
    kinds = {str(failure.get("kind")) for failure in record.manifest["failures"].values()}
    return not record.origin.offline and bool(kinds & {NetworkError.kind, RateLimitedError.kind})


def _no_store(origin: Origin) -> list[str]:
    """Return a notice if there is no store where one is meant: all would be downloaded again."""
    from ..prices.store import StoreProvider

    path = StoreProvider(origin.store or None).path
    if origin.config.prices != "auto" or origin.offline or path.is_file():
        return []
    return [f"there is no price cache at {path}: all prices are asked for again"]


def _asked_of(
    record: Record, origin: Origin, is_open: bool, accept_loss: bool
) -> tuple[list[str], tuple[str, ...]]:
    reasons, longer, notices = list[str](), dict[str, list[str]](), dict[str, None]()
    for days, symbols in calls_of(record, to_date=is_open).items():
        answer = _answer(record, origin, symbols, days)
        calls = dict.fromkeys(symbols, days)
        gone = refuse_losses(record, answer, calls, origin, accept=accept_loss)
        new = [symbol for symbol in gone if symbol not in record.manifest.get(GIVEN_UP, {})]
        reasons += [f"{symbol} is given up: {gone[symbol]}" for symbol in new]
        reasons += _news(record, answer, [s for s in symbols if s not in new], longer)
        notices |= dict.fromkeys(answer.notices)
    for end, names in longer.items() if is_open else ():
        reasons.append(f"prices of {some(names)} until {end}")
    return reasons, tuple(notices)


def _answer(record: Record, origin: Origin, symbols: list[str], days: Range) -> Prices:
    """Ask the source of `origin`; a file or folder that has gone is a loss, not a wrong setting."""
    options: Any = {"store": origin.store or None, "vintage": origin.vintage or None}
    try:
        source = resolve(origin.config.prices, offline=origin.offline, **options)
        return source.fetch(symbols, *days)
    except (ConfigError, DataError) as error:
        if gone := lost_source(record, origin, error.what):
            raise gone from error
        raise


def calls_of(record: Record, *, to_date: bool) -> dict[Range, list[str]]:
    """Return the symbols of a run by the range that was asked for.

    A range that ended on the day of the run ends today. That day is the one on which the run began:
    if it spanned midnight, some ranges end a day later.

    Parameters
    ----------
    record : Record
    to_date : bool
        Whether ranges go on to today.

    Returns
    -------
    dict of (date, date) to list of str
    """
    day, calls = record.manifest["asked_on"], dict[Range, list[str]]()
    # A symbol of a variant only was asked for as many days as it has.
    entries = record.manifest["prices"].items()
    ends = {symbol: (e["first"], e["last"]) for symbol, e in entries if e.get("first")}
    for symbol, (first, last) in {**ends, **record.manifest["asked"]}.items():
        end = date.today() if to_date and last >= day else date.fromisoformat(last)  # noqa: DTZ011
        calls.setdefault((date.fromisoformat(first), end), []).append(symbol)
    return calls


def ask_again(record: Record, origin: Origin, *, accept_loss: bool = False) -> None:
    """Download all stored prices of a run again, so that the store has what the source revised.

    Parameters
    ----------
    record : Record
    origin : Origin
    accept_loss : bool

    Raises
    ------
    ConfigError
        If the prices are of a source without a store.
    PriceError
        If the source cannot be reached.
    LostPricesError
        If it does not have all of them any more.
    """
    from ..prices.store import StoreProvider
    from ..prices.sync import update

    if origin.config.prices != "auto" and origin.config.size == ASKED and not origin.offline:
        return  # there are market values to ask for
    if origin.config.prices != "auto" or origin.offline:
        remedy = "other sources are asked anew by every refresh"
        problem = "only --prices auto, with a network, has prices to check again"
        raise ConfigError(problem, remedy=remedy)
    had = record.manifest["prices"]
    store, source = StoreProvider(origin.store or None), resolve("yahoo")
    for (first, last), symbols in calls_of(record, to_date=True).items():
        mine = [s for s in symbols if had.get(s, {}).get("source") == source.name]
        again = update(store, source, mine, first, last, refresh=True)
        refuse_losses(record, again, {}, origin, accept=accept_loss)


def revised_values(record: Record, origin: Origin, *, accept_loss: bool = False) -> list[str]:
    """Download the market values of a run again; return the revised ones.

    Parameters
    ----------
    record : Record
    origin : Origin
    accept_loss : bool

    Returns
    -------
    list of str

    Raises
    ------
    PriceError
        If the source cannot be reached.
    LostPricesError
        If it does not have all of them any more.
    """
    from ..prices.yahoo import YahooProvider

    had = record.table(SIZES)
    if origin.config.size != ASKED or had.empty or had["date"].isna().all():
        return []
    dates = had["date"].dropna()
    days = [date.fromisoformat(text) for text in (dates.min(), dates.max())]
    now = YahooProvider().sizes(list(dict.fromkeys(had["ticker"])), *days)
    refuse_lost_sizes(record, now, had["ticker"], accept=accept_loss)
    revised = revised_sizes(had, now.record())
    return [f"{r.kind} of {s} {r}" if r.days else f"{s}: {r}" for s, r in revised.items()]


def _news(
    record: Record, answer: Prices, symbols: Iterable[str], longer: dict[str, list[str]]
) -> Iterator[str]:
    """Yield the news of some symbols; those that only go on are added to `longer`, by last day."""
    had: Mapping[str, Any] = record.manifest["prices"]
    failures: Mapping[str, Any] = record.manifest["failures"]
    for symbol in symbols:
        now = answer.provenance.get(symbol)
        if now is None:
            if symbol in had:
                yield f"no prices of {symbol} any more: {_why(answer.failures.get(symbol))}"
        elif symbol not in had:
            yield f"prices of {symbol}" if symbol in failures else f"{symbol} is new"
        elif now.source != had[symbol].get("source"):
            yield f"prices of {symbol} from {now.source}"
    common = [s for s in symbols if s in had and s in answer.provenance]
    changed = [s for s in common if answer.provenance[s].sha256 != had[s].get("sha256")]
    if changed:
        yield from _revised(record, answer, changed, longer)


def _revised(
    record: Record, answer: Prices, symbols: list[str], longer: dict[str, list[str]]
) -> Iterator[str]:
    table, answered = read_frozen(record.folder / TABLE), answer.by_symbol()
    for symbol in symbols:
        old, new = (part_of(rows) for rows in (table[table["symbol"] == symbol], answered[symbol]))
        revision = revision_of(old, new, columns_of(record.config.measure))
        if revision and revision.days:
            yield f"prices of {symbol} {revision}"
        elif revision and revision.after > revision.before:
            longer.setdefault(revision.after, []).append(symbol)


def _why(error: PriceError | None) -> str:
    return error.what if error else "not known"
