"""The commands ``eventstudy prices ...``: the contents of the price cache, and ways in and out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import shared
from .options import JSON, QUIET, STORE, SWITCH, Row, WholeNumber, options

if TYPE_CHECKING:
    from ..prices import PriceCache, Prices, ReadBack

YEARS = 10
EXIT_CODES = """\b
Exit codes: 0 done, 1 data problem, damage, or prices that were not kept, 2 wrong usage,
3 some symbols have no prices, 75 price source unreachable (try later), 130 interrupted."""

DAY = {
    "type": click.DateTime(["%Y-%m-%d"]),
    "callback": lambda context, parameter, value: value and value.date(),
}


VINTAGE: Row = ("--vintage", "DATE", "As the price cache was at that date or time.")
SYMBOLS: Row = ("--symbol symbols", "SYMBOL ...", "May be repeated. [default: all]")


@click.group(epilog=EXIT_CODES)
def prices() -> None:
    """Manage the local price cache."""
    shared.say_home()


@prices.command(epilog=EXIT_CODES)
@options(
    ("--ask-again", SWITCH, "Ask sources at once that asked us to wait."), JSON, STORE,
)  # fmt: skip
def status(store: str | None, ask_again: bool, as_json: bool) -> None:
    """Show what each online source did when it was last asked, and what it waits for."""
    from ..prices import SOURCES, SourceState, SourceStates

    states = SourceStates(store)
    if ask_again:
        waiting = states.forget_waits()
        told = f"{', '.join(waiting)} may be asked again" if waiting else "no source waits"
        shared.display(told, err=True)
    known = states.read()
    for name in (name for name, source in SOURCES.items() if source.needs_network):
        known.setdefault(name, SourceState(name))
    stored = Counter(row["source"] for row in _cache(store).list_symbols())
    rows = [{**asdict(known[name]), "symbols": stored[name]} for name in sorted(known)]
    if as_json:
        shared.print_json(rows)
        return
    for row in rows:
        state = f"answered {row['answered']}" if row["answered"] else "never asked"
        if row["fault"]:
            state = f"asked {row['asked']}: {row['fault']}"
        wait = f"; not asked before {row['until']}" if row["until"] else ""
        shared.display(f"{row['name']:<8} {row['symbols']:>5} symbols kept  {state}{wait}")


@prices.command("list", epilog=EXIT_CODES)
@options(JSON, STORE)
def list_(store: str | None, as_json: bool) -> None:
    """List what is stored, a line a symbol."""
    rows = _cache(store).list_symbols()
    if as_json:
        shared.print_json(rows)
        return
    for row in rows:
        head = f"{row['symbol']:<12} {row['first']} {row['last']} {row['rows']:>6}"
        tail = f"{row['source']:<8} {row['fetched']} {row['vintages']:>3}"
        shared.display(f"{head} {row['currency'] or '-':<4} {tail}")
    columns = "first and last day, rows, currency, source, fetched, earlier vintages"
    shared.display(f"{len(rows)} symbols: {columns}", err=True)


@prices.command(epilog=EXIT_CODES)
@click.argument("symbol")
@options(
    ("--rows", (WholeNumber(0), "N", 5), "Last rows to show."), VINTAGE, JSON, STORE,
)  # fmt: skip
def show(store: str | None, symbol: str, rows: int, vintage: str | None, as_json: bool) -> None:
    """Show the last rows of SYMBOL, where they come from, and what its source changed."""
    held = _cache(store, vintage).held(symbol)
    facts = _cache(store).history(symbol)
    last = held.rows.tail(rows)
    if as_json:
        table = json.loads(last.to_json(orient="records", date_format="iso", double_precision=15))
        actions = list(map(asdict, held.actions))
        head = {"symbol": symbol, "provenance": asdict(held.provenance)}
        shared.print_json({**head, "rows": table, "actions": actions, **facts})
        return
    shared.display(last.drop(columns="symbol").to_string(index=False, na_rep="-"))
    for name, value in asdict(held.provenance).items():
        shared.display(f"{name:<12} {value}") if value != "" else None
    for action in held.actions[-5:]:
        shared.display(f"{action.kind:<12} {action.date} {action.value:g}")
    for fetch in facts["fetches"]:
        outcome = fetch["outcome"] + (f" ({fetch['note']})" if fetch["note"] else "")
        shared.display(f"{'fetch':<12} {fetch['fetched']} {fetch['source']}: {outcome}")
    for each in facts["vintages"]:
        span = f"{each['first']} to {each['last']}, {each['rows']} rows"
        number = each["number"] or "held back,"
        shared.display(f"{'vintage':<12} {number} of {each['fetched']}: {span}")


@prices.command(epilog=EXIT_CODES)
@click.argument("symbols", nargs=-1)
@options(
    ("--events", (click.Path(path_type=Path), ""), "Fetch what a study of this file needs."),
    ("--start", DAY, f"First day. [default: {YEARS} years ago, or what the events need]"),
    ("--end", DAY, "Last day. [default: today, or what the events need]"),
    ("--source", (str, "", "yahoo"), "Source to download from."),
    ("--refresh", SWITCH, "Download everything again, to find what the source changed."),
    JSON, QUIET, STORE,
)  # fmt: skip
def fetch(
    store: str | None, symbols: tuple[str, ...], events: Path | None, start: date | None,
    end: date | None, source: str, refresh: bool, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Download what is missing of SYMBOLS, keep it, and read it back."""
    from ..errors import ConfigError
    from ..prices import resolve

    wanted, first, last = _wanted(symbols, events)
    first = start or first
    last = end or last
    if not wanted:
        raise ConfigError("nothing to fetch", remedy="name symbols, or --events FILE")
    if first > last:
        raise ConfigError("the first day is after the last", value=f"{first} to {last}")
    if source in ("auto", "store", "sample"):
        raise ConfigError("not a source to download from", where="--source", value=source)
    try:
        provider = resolve(source, store=store)
    except ConfigError as error:
        error.where = error.where or "--source"
        raise
    with shared.progress(quiet, "prices") as advance:
        answers, prices = _cache(store).fetch_from(
            provider, wanted, first, last, refresh=refresh, progress=advance
        )
    _show_kept(answers, prices, quiet, as_json)


@prices.command(epilog=EXIT_CODES)
@click.argument("symbols", nargs=-1, required=True)
@options(STORE)
def accept(store: str | None, symbols: tuple[str, ...]) -> None:
    """Take the prices of SYMBOLS that were held back into use.

    They did not fit the stored ones: another currency, other returns, or fewer days. The stored
    ones become a vintage.
    """
    for symbol in symbols:
        held = _cache(store).accept(symbol).held.provenance
        shared.display(f"{symbol:<12} accepted  {held.first} {held.last} {held.rows:>6}")


@prices.command("import", epilog=EXIT_CODES)
@click.argument(
    "paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PATH..."
)
@options(JSON, QUIET, STORE)
def import_(store: str | None, paths: tuple[Path, ...], as_json: bool, quiet: bool) -> None:
    """Keep the prices of PATH and read them back: a folder of <ticker>.csv, or one long table."""
    with shared.progress(quiet, "files") as advance:
        answers, prices = _cache(store).import_files(paths, advance)
    _show_kept(answers, prices, quiet, as_json)


@prices.command(epilog=EXIT_CODES)
@click.argument("path", type=click.Path(path_type=Path))
@options(
    SYMBOLS,
    ("--start", DAY, "First day. [default: all]"),
    ("--end", DAY, "Last day. [default: all]"),
    VINTAGE, QUIET, STORE,
)  # fmt: skip
def export(
    store: str | None, path: Path, symbols: tuple[str, ...], start: date | None, end: date | None,
    vintage: str | None, quiet: bool,
) -> None:  # fmt: skip
    """Write stored prices to PATH as one long table, .csv or .parquet."""
    from ..prices import Prices

    first = start or Prices.FIRST_DAY
    last = end or Prices.LAST_DAY
    prices = _cache(store, vintage).export(path, symbols, first, last)
    for symbol in () if quiet else prices.symbols:
        extent = prices.provenance[symbol]
        shared.display(f"{symbol:<12} exported  {extent.first} {extent.last} {extent.rows:>6}")
    _end_with(prices)


def _cache(path: str | None, vintage: str | None = None) -> PriceCache:
    from ..prices import PriceCache

    return PriceCache(path or None, vintage=vintage)


def _wanted(symbols: tuple[str, ...], events: Path | None) -> tuple[list[str], date, date]:
    """Return the symbols and the range to fetch."""
    today = date.today()  # noqa: DTZ011 - a civil date
    if events is None:
        return list(dict.fromkeys(symbols)), today - timedelta(days=round(365.25 * YEARS)), today
    from ..events import Events
    from ..returns import usual_needs

    named, first, last = usual_needs(Events.given(events))
    return list(dict.fromkeys([*symbols, *named])), first, last


def _show_kept(answers: list[ReadBack], prices: Prices, quiet: bool, as_json: bool) -> None:
    """Print the prices that were kept, those that were not on stderr, and exit unless all were."""
    from ..words import words

    shared.notify(*prices.notices)
    if as_json:
        shared.print_json([{**asdict(row), "kept": not row.unkept} for row in answers])
    answered = [row for row in answers if row.outcome != "failed"]
    lacking = [row for row in answered if row.unkept]
    for row in () if quiet or as_json else answered:
        shared.display(_line(row))
    if answered and not quiet:
        rows = words().count(sum(row.rows for row in answered), "row")
        state = f"{len(answered) - len(lacking)} as given, {len(lacking)} not"
        size = f"{words().count(len(answered), 'symbol')}, {rows} read back from the price cache"
        shared.display(f"{size}: {state if lacking else 'all as given'}", err=True)
    for row in lacking:
        fault = f"not kept as given: {row.unkept}; {row.remedy}"
        shared.display(f"eventstudy: {row.symbol}: {fault}", err=True)
    _end_with(prices, 1 if lacking else 0)


def _line(row: ReadBack) -> str:
    extent = f"{row.first or '-':<10} {row.last or '-':<10} {row.rows:>6} {row.currency or '-':<4}"
    state = "not as given" if row.unkept else "as given"
    return f"{row.symbol:<12} {row.outcome:<9} {extent} {'; '.join([state, *row.notes])}"


def _end_with(prices: Prices, code: int = 0) -> None:
    """Say why symbols have no prices, and exit with `code`, or with that of the failures."""
    for error in prices.failures.values():
        shared.display(f"eventstudy: {error}", err=True)
    if prices.failures and not code:
        is_transient = any(error.is_transient for error in prices.failures.values())
        silent = shared.LATER if is_transient else shared.NO_STUDY
        code = shared.INCOMPLETE if prices.symbols else silent
    if code:
        sys.exit(code)
