"""Why a run is not up to date: what it was computed from, compared with what there is now."""

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
    """Return why a run is not that of `origin`, prices aside; the files of `origin` must be
    hashed."""
    old, new = (_settings(o, record.folder) for o in (record.origin, origin))
    names = [name for name in new if old.get(name) != new[name]]
    kept = {place: sha for place, sha in record.inputs.items() if place in record.origin.files}
    files = [
        place for place in {**kept, **origin.hashes} if kept.get(place) != origin.hashes.get(place)
    ]
    said = record.manifest["versions"]
    altered = verify_run(record.folder)
    return [
        *(f"setting {name}" for name in names),
        *(f"{place.removeprefix('data/')} changed" for place in files),
        *(
            f"version of {name}"
            for name, version in versions().items()
            if said.get(name) != version
        ),
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
    """Ask the source for what the run asked; return why the run is not that of the answer, and
    notices.

    Days after the last one of the run count only while there is an event that they can change;
    without one nothing new is asked, and a source with a store answers from it. It is asked again
    for what it did not answer for when the run was computed.

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
    if (
        not (is_open or _unanswered(record))
        and origin.config.prices == "auto"
        and not origin.offline
    ):
        try:
            return _asked_of(record, replace(origin, offline=True), is_open, accept_loss)[0], ()
        except PriceError:  # not in the store of this machine
            pass
    lacking = _no_store(origin)
    why, notices = _asked_of(record, origin, is_open, accept_loss)
    return why, (*lacking, *notices)


def _unanswered(record: Record) -> bool:
    """Tell whether the run lacks prices because its source could not be reached."""
    kinds = {str(own.get("kind")) for own in record.manifest["failures"].values()}
    return not record.origin.offline and bool(kinds & {NetworkError.kind, RateLimitedError.kind})


def _no_store(origin: Origin) -> list[str]:
    """Return a notice if there is no store where one is meant: a wrong path downloads everything
    again."""
    from ..prices.store import StoreProvider

    path = StoreProvider(origin.store or None).path
    if origin.config.prices != "auto" or origin.offline or path.is_file():
        return []
    return [f"there is no price store at {path}: all prices are asked for again"]


def _asked_of(
    record: Record, origin: Origin, is_open: bool, accept_loss: bool
) -> tuple[list[str], tuple[str, ...]]:
    found, longer, notices = list[str](), dict[str, list[str]](), dict[str, None]()
    for days, symbols in asked(record, to_date=is_open).items():
        answer = _answer(record, origin, symbols, days)
        calls = dict.fromkeys(symbols, days)
        gone = refuse_losses(record, answer, calls, origin, accept=accept_loss)
        new = [symbol for symbol in gone if symbol not in record.manifest.get(GIVEN_UP, {})]
        found += [f"{symbol} is given up: {gone[symbol]}" for symbol in new]
        found += _news(record, answer, [s for s in symbols if s not in new], longer)
        notices |= dict.fromkeys(answer.notices)
    found += (
        [f"prices of {some(own)} until {end}" for end, own in longer.items()] if is_open else []
    )
    return found, tuple(notices)


def _answer(record: Record, origin: Origin, symbols: list[str], days: Range) -> Prices:
    """Ask the source of `origin`; a file or folder that is gone is a loss, not a setting to
    correct."""
    own: Any = {"store": origin.store or None, "vintage": origin.vintage or None}
    try:
        return resolve(origin.config.prices, offline=origin.offline, **own).fetch(symbols, *days)
    except (ConfigError, DataError) as error:
        if gone := lost_source(record, origin, error.what):
            raise gone from error
        raise


def asked(record: Record, *, to_date: bool) -> dict[Range, list[str]]:
    """Return the symbols of a run by the range that was asked; one that ended on its day ends
    today.

    The day of a run is the one on which it began: if midnight came amid it some end a day later.
    """
    day, calls = record.manifest["asked_on"], dict[Range, list[str]]()
    # A symbol of a variant only was asked for as many days as it has.
    kept = record.manifest["prices"].items()
    ends = {symbol: (own["first"], own["last"]) for symbol, own in kept if own.get("first")}
    for symbol, (first, last) in {**ends, **record.manifest["asked"]}.items():
        end = date.today() if to_date and last >= day else date.fromisoformat(last)  # noqa: DTZ011
        calls.setdefault((date.fromisoformat(first), end), []).append(symbol)
    return calls


def ask_again(record: Record, origin: Origin, *, accept_loss: bool = False) -> None:
    """Download all stored prices of a run again, so that the store has what the source revised.

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
        raise ConfigError(
            "only --prices auto, with a network, has prices to check again", remedy=remedy
        )
    store, source = StoreProvider(origin.store or None), resolve("yahoo")
    for (first, last), symbols in asked(record, to_date=True).items():
        mine = [
            s for s in symbols if record.manifest["prices"].get(s, {}).get("source") == source.name
        ]
        again = update(store, source, mine, first, last, refresh=True)
        refuse_losses(record, again, {}, origin, accept=accept_loss)


def revised_values(record: Record, origin: Origin, *, accept_loss: bool = False) -> list[str]:
    """Download the market values of a run again; return whose are not the same.

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
    days = [
        date.fromisoformat(text)
        for text in (had["date"].dropna().min(), had["date"].dropna().max())
    ]
    now = YahooProvider().sizes(list(dict.fromkeys(had["ticker"])), *days)
    refuse_lost_sizes(record, now, had["ticker"], accept=accept_loss)
    found = revised_sizes(had, now.record())
    return [f"{own.kind} of {s} {own}" if own.days else f"{s}: {own}" for s, own in found.items()]


def _news(
    record: Record, answer: Prices, symbols: Iterable[str], longer: dict[str, list[str]]
) -> Iterator[str]:
    """Yield what is new of some symbols; those with later prices only go to `longer`, by their last
    day."""
    had: Mapping[str, Any] = record.manifest["prices"]
    lost: Mapping[str, Any] = record.manifest["failures"]
    for symbol in symbols:
        now = answer.provenance.get(symbol)
        if now is None:
            if symbol in had:
                yield f"no prices of {symbol} any more: {_why(answer.failures.get(symbol))}"
        elif symbol not in had:
            yield f"prices of {symbol}" if symbol in lost else f"{symbol} is new"
        elif now.source != had[symbol].get("source"):
            yield f"prices of {symbol} from {now.source}"
    changed = [
        s for s in symbols
        if s in had
        and s in answer.provenance
        and answer.provenance[s].sha256 != had[s].get("sha256")
    ]  # fmt: skip
    if changed:
        yield from _revised(record, answer, changed, longer)


def _revised(
    record: Record, answer: Prices, symbols: list[str], longer: dict[str, list[str]]
) -> Iterator[str]:
    table, parts = read_frozen(record.folder / TABLE), answer.parts()
    for symbol in symbols:
        old, new = (part_of(rows) for rows in (table[table["symbol"] == symbol], parts[symbol]))
        found = revision_of(old, new, columns_of(record.config.measure))
        if found and found.days:
            yield f"prices of {symbol} {found}"
        elif found and found.after > found.before:
            longer.setdefault(found.after, []).append(symbol)


def _why(error: PriceError | None) -> str:
    return error.what if error else "not known"
