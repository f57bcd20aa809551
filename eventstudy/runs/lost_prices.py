"""Prices that a run has and a refresh cannot get: the report stays as it is, with an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadAnswerError, NetworkError, PriceError, RateLimitedError
from ..prices import is_name
from ..returns.benchmarks import members
from ..utility.flags import Flag
from .origin import SIZES

if TYPE_CHECKING:
    import pandas as pd

    from ..prices import Prices
    from ..prices.sizes import Sizes
    from .origin import Origin
    from .record import Record

Range = tuple[date, date]
# The key of a manifest with the symbols whose loss was accepted.
GIVEN_UP = "given_up"
NAMED = 3
AS_IT_WAS = "the last report is as it was"
NO_SUBSTITUTE = "the source cannot be reached, and the bundled sample is no substitute"


class LostPricesError(PriceError):
    """Prices that a run has, or that it waits for, cannot be had now: try again later."""

    kind = "lost_prices"
    exit_code = 75


def refuse_losses(
    record: Record,
    answer: Prices,
    ranges: Mapping[str, Range],
    origin: Origin,
    *,
    accept: bool = False,
) -> dict[str, str]:
    """Raise if an answer lacks prices that the run has or waits for.

    Parameters
    ----------
    record : Record
    answer : Prices
    ranges : mapping of str to (first, last)
        The days that the source was asked for, by symbol.
    origin : Origin
        With the source that was asked. A source that is not the run's may have less.
    accept : bool
        Go on without what the source does not have any more; never without a source that does not
        answer.

    Returns
    -------
    dict of str to str
        The losses that were accepted, now or before, by symbol.

    Raises
    ------
    LostPricesError
        If a loss was not accepted.
    """
    losses = dict(_losses(record, answer, ranges, origin))
    named = is_name(origin.config.prices)
    before = record.manifest.get(GIVEN_UP, {})
    silent = {s: error for s, error in losses.items() if _unanswered(error, named=named)}
    gone = {s: error for s, error in losses.items() if s not in silent}
    refused = silent | {s: e for s, e in gone.items() if not (accept or s in before)}
    if refused:
        raise loss_error(refused, silent=bool(silent))
    return {symbol: error.what for symbol, error in gone.items()}


def refuse_lost_sizes(
    record: Record, now: Sizes, events: Iterable[str], *, accept: bool = False
) -> None:
    """Raise if a firm that is still studied has no market value any more.

    Parameters
    ----------
    record : Record
    now : Sizes
        The new market values.
    events : iterable of str
        Tickers of the study.
    accept : bool
        As for :func:`refuse_losses`.

    Raises
    ------
    LostPricesError
        If a loss was not accepted.
    """
    had, studied = record.table(SIZES), set(events)
    if had.empty or "mcap" not in had:
        return
    firms = studied & set(had.loc[had["mcap"].notna(), "ticker"])
    failures = {s: why for s, why in now.failures.items() if s in firms}
    gone = {s: PriceError(f"no market value: {why}") for s, why in failures.items()}
    silent = {s: error for s, error in gone.items() if s in now.unanswered}
    if refused := silent or ({} if accept else gone):
        raise loss_error(refused, silent=bool(silent))


def loss_error(errors: Mapping[str, PriceError], *, silent: bool) -> LostPricesError:
    """Return one error for symbols without prices.

    Parameters
    ----------
    errors : mapping of str to PriceError
    silent : bool
        Whether the source did not answer, so that trying later may help.

    Returns
    -------
    LostPricesError
    """
    first = next(iter(errors.values()))
    same = [s for s, error in errors.items() if error.what == first.what]
    remedy = "try again later" if silent else "--accept-loss goes on without"
    names = some(same, len(errors))
    return LostPricesError(first.what, where=names, remedy=f"{AS_IT_WAS}; {remedy}")


def some(symbols: Sequence[str], total: int = 0) -> str:
    """Return the first symbols, and the number of the remaining ones.

    Parameters
    ----------
    symbols : sequence of str
    total : int
        Number of symbols in all, if more than these.

    Returns
    -------
    str
    """
    more = max(total, len(symbols)) - len(symbols[:NAMED])
    return ", ".join(symbols[:NAMED]) + (f" and {more} more" if more else "")


def _unanswered(error: PriceError, *, named: bool) -> bool:
    """Return whether a source has not answered; a bad file is a loss, a bad answer is none."""
    return isinstance(error, (NetworkError, RateLimitedError)) or (
        named and isinstance(error, BadAnswerError)
    )


def _losses(
    record: Record, answer: Prices, ranges: Mapping[str, Range], origin: Origin
) -> Iterator[tuple[str, PriceError]]:
    had, same = record.manifest["prices"], same_source(record, origin)
    named = is_name(origin.config.prices)
    for symbol, error in answer.failures.items():
        if (same and symbol in had) or (not origin.offline and _unanswered(error, named=named)):
            yield symbol, error
    spare = spare_symbols(record) if answer.stale else set()
    yield from ((symbol, error) for symbol, error in answer.stale.items() if symbol not in spare)
    for symbol in had if same else ():
        if symbol in answer.provenance and symbol in ranges:
            now, (first, last) = answer.provenance[symbol], ranges[symbol]
            old = had[symbol]["first"], had[symbol]["last"]
            if str(first) <= old[0] < now.first:
                yield (
                    symbol,
                    PriceError(f"prices start on {now.first}, those of the run on {old[0]}"),
                )
            if str(last) >= old[1] > now.last:
                yield symbol, PriceError(f"prices end on {now.last}, those of the run on {old[1]}")
    for symbol, entry in answer.provenance.items() if origin.config.prices == "auto" else ():
        if entry.source == "sample" and had.get(symbol, {}).get("source", "sample") != "sample":
            yield symbol, NetworkError(NO_SUBSTITUTE)


def same_source(record: Record, origin: Origin) -> bool:
    """Return whether prices are asked of the source that the run asked.

    Parameters
    ----------
    record : Record
    origin : Origin

    Returns
    -------
    bool
    """
    a, b = (o.to_dict(record.folder) for o in (record.origin, origin))
    return all(a[name] == b[name] for name in ("prices", "store", "vintage"))


def lost_source(record: Record, origin: Origin, problem: str) -> LostPricesError | None:
    """Return the error for a file or folder of prices that cannot be read any more.

    Parameters
    ----------
    record : Record
    origin : Origin
    problem : str

    Returns
    -------
    LostPricesError or None
        None if the run had another source.
    """
    if is_name(origin.config.prices) or not same_source(record, origin):
        return None
    remedy = f"{AS_IT_WAS}; mount or restore the prices"
    return LostPricesError(problem, where=str(Path(origin.config.prices)), remedy=remedy)


def spare_symbols(record: Record) -> set[str]:
    """Return the firms whose windows are over and that no event names: no new day changes them."""
    events = record.cells("events.csv")
    if events.empty:
        return set()
    still = _open(record, events)
    config = record.config
    cells_ = events.drop(columns=["event_id", "ticker"]).to_numpy().ravel()
    cells = [*{str(cell) for cell in cells_}, config.benchmark, *config.named_series.values()]
    named = {symbol for cell in cells for symbol in members(cell)}
    return set(events["ticker"]) - set(events.loc[still, "ticker"]) - named


def _open(record: Record, events: pd.DataFrame) -> pd.Series[bool]:
    """Return which events new days can change, as the manifest counts them."""
    entries = record.manifest["prices"].values()
    ends = [date.fromisoformat(entry["last"]) for entry in entries if entry.get("last")]
    near = timedelta(days=int(1.6 * max(record.config.event.stop, 0)) + 20)
    flags = events["flags"].str.split(";")
    unfinished = flags.apply(lambda cell: Flag.INCOMPLETE_WINDOW in cell)
    lacking = (events["status"] != "ok") | flags.apply(lambda cell: Flag.MISSING_DAYS in cell)
    recent = events["day0"] > str(max(ends, default=date.max) - near if ends else date.min)
    return unfinished | (lacking & recent)
