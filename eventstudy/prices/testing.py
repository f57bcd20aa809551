"""Checks that a source of prices keeps its contract, for the tests of a plug-in.

Each check of `CHECKS` takes a `PriceCase` and raises AssertionError with one sentence. In pytest::

    @pytest.mark.parametrize("check", CHECKS)
    def test_my_source(check):
        check(PriceCase(MySource(), ["AAPL"], date(2023, 1, 2), date(2023, 3, 31)))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property

from ..errors import NoPricesError, PriceError, UnknownSymbolError, hide_secrets
from ..utility import pd
from ..words import say
from ._base import COLUMNS, NUMBER_COLUMNS, are_possible, make_empty_table, stamp
from ._prices import PriceProvider, Prices, between

KINDS = ("dividend", "split", "capital_gain")
# No market was open, and no source has prices.
LONG_AGO = (date(1801, 1, 5), date(1801, 1, 9))


@dataclass(frozen=True)
class PriceCase:
    """What a source is asked by the checks, a dozen times.

    Parameters
    ----------
    source : PriceProvider
    symbols : sequence of str
        At least one has prices in the range; several show more.
    start, end : date
        Both inclusive; a month or so with prices.
    unknown : str
        A symbol that the source does not know.
    """

    source: PriceProvider
    symbols: Sequence[str]
    start: date
    end: date
    unknown: str = "NO-SUCH-SYMBOL"

    @cached_property
    def prices(self) -> Prices:
        """The answer for all symbols, asked once."""
        prices = self.fetch(self.symbols)
        facts = {"start": self.start, "end": self.end}
        insist(bool(prices.symbols), "price_check.no_prices", names=list(self.symbols), **facts)
        return prices

    def fetch(
        self, symbols: Sequence[str], start: date | None = None, end: date | None = None
    ) -> Prices:
        """Return what the source answers, for the whole range unless another is given."""
        return self.source.fetch(symbols, start or self.start, end or self.end)


def insist(is_kept: bool, code: str, **facts: object) -> None:
    """Raise AssertionError with a sentence of the catalogue unless a condition is kept."""
    if not is_kept:
        raise AssertionError(say(code, **facts))


def check_every_symbol_is_answered(case: PriceCase) -> None:
    """Each symbol has rows or a failure, and nothing else has."""
    asked = [*case.symbols, case.unknown]
    prices = case.fetch(asked)
    with_rows = {str(name) for name in prices.table["symbol"].unique()}
    lost = sorted({*asked} - with_rows - {*prices.failures})
    insist(not lost, "price_check.lost", names=lost)
    others = sorted((with_rows | {*prices.failures}) - {*asked})
    insist(not others, "price_check.others", names=others)
    both = sorted(with_rows & {*prices.failures})
    insist(not both, "price_check.both", names=both)
    for name, failure in prices.failures.items():
        kind = type(failure).__name__
        insist(isinstance(failure, PriceError), "price_check.failure", name=name, kind=kind)


def check_columns(case: PriceCase) -> None:
    """The table has the columns, kinds of data and index that are agreed, also without rows."""
    wanted = make_empty_table().dtypes
    for prices in (case.prices, case.fetch([])):
        insist(tuple(prices.table) == COLUMNS, "price_check.columns", names=list(COLUMNS))
        for column in COLUMNS:
            kind = prices.table[column].dtype
            facts = {"column": column, "kind": kind, "wanted": wanted[column]}
            insist(kind == wanted[column], "price_check.dtype", **facts)
        index = pd.RangeIndex(len(prices.table))
        insist(prices.table.index.equals(index), "price_check.index")


def check_order_and_dates(case: PriceCase) -> None:
    """Rows are in order of symbol and date, each once, by days without a time."""
    keys = case.prices.table[["symbol", "date"]]
    ordered = keys.sort_values(["symbol", "date"], ignore_index=True)
    insist(keys.equals(ordered), "price_check.order")
    insist(not keys.duplicated().any(), "price_check.repeated")
    insist(bool((keys["date"] == keys["date"].dt.normalize()).all()), "price_check.time")


def check_numbers(case: PriceCase) -> None:
    """Prices are possible or missing, volumes not negative; each symbol has a close."""
    for column in NUMBER_COLUMNS:
        values = case.prices.table[column].dropna()
        wrong = values[~are_possible(column, values)].tolist()
        for value in wrong:
            insist(False, "price_check.number", column=column, value=value)
    for symbol, rows in case.prices.by_symbol().items():
        has_close = bool(rows[["close", "adj_close"]].notna().any(axis=None))
        insist(has_close, "price_check.no_close", name=symbol)


def check_ends(case: PriceCase) -> None:
    """Both ends of a range are in it, nothing beyond is, and a shorter one changes no number."""
    days = case.prices.table["date"]
    inside = days.between(str(case.start), str(case.end))
    insist(bool(inside.all()), "price_check.beyond", day=str(days[~inside].min())[:10])
    symbol, rows = next(iter(case.prices.by_symbol().items()))
    last = rows["date"].iloc[-1].date()
    for k in range(min(2, len(rows))):
        first = rows["date"].iloc[k].date()
        part = case.fetch([symbol], first, last).table
        facts = {"name": symbol, "first": first, "last": last}
        insist(part["date"].tolist() == rows["date"].tolist()[k:], "price_check.ends", **facts)
        insist(part.equals(rows[k:].reset_index(drop=True)), "price_check.range", **facts)


def check_unknown_symbol(case: PriceCase) -> None:
    """A symbol that is not known fails as such, and takes no other with it."""
    failure = case.fetch([case.unknown]).failures.get(case.unknown)
    facts = {"name": case.unknown, "kind": type(failure).__name__}
    insist(isinstance(failure, UnknownSymbolError), "price_check.unknown", **facts)
    beside = case.fetch([case.unknown, *case.symbols]).table
    insist(beside.equals(case.prices.table), "price_check.harm", name=case.unknown)


def check_repeated_symbols(case: PriceCase) -> None:
    """A symbol that is named twice is answered once."""
    twice = case.fetch([*case.symbols, *case.symbols]).table
    insist(twice.equals(case.prices.table), "price_check.twice")


def check_order_of_symbols(case: PriceCase) -> None:
    """The order in which symbols are named changes nothing."""
    back = case.fetch([*reversed(case.symbols)])
    insist(back.table.equals(case.prices.table), "price_check.order_of_symbols")


def check_same_answer_twice(case: PriceCase) -> None:
    """The same question has the same answer, but for the time at which it was given."""
    again = case.fetch(case.symbols)
    insist(again.table.equals(case.prices.table), "price_check.changes")
    insist(_timeless(again) == _timeless(case.prices), "price_check.changes")
    insist(again.actions == case.prices.actions, "price_check.changes")


def _timeless(prices: Prices) -> list[tuple[str, object]]:
    entries = prices.provenance.items()
    return [(name, replace(entry, retrieved_at="")) for name, entry in entries]


def check_empty_range(case: PriceCase) -> None:
    """A known symbol without prices in a range fails with NoPricesError."""
    prices = case.fetch(case.prices.symbols, *LONG_AGO)
    for name in case.prices.symbols:
        kind = type(prices.failures.get(name)).__name__
        is_told = isinstance(prices.failures.get(name), NoPricesError)
        insist(is_told, "price_check.empty", name=name, kind=kind)


def check_provenance(case: PriceCase) -> None:
    """Each symbol with rows says where they are from, and has their extent and their hash."""
    by_symbol = case.prices.by_symbol()
    names = sorted({*by_symbol} ^ {*case.prices.provenance})
    insist(not names, "price_check.provenance", names=names)
    for name, rows in by_symbol.items():
        entry = case.prices.provenance[name]
        insist(bool(entry.source), "price_check.source", name=name)
        insist(entry == stamp(entry, rows), "price_check.stamp", name=name)


def check_actions(case: PriceCase) -> None:
    """Dividends and splits are of symbols with rows, in the range, in order, and positive."""
    for name, actions in case.prices.actions.items():
        insist(name in case.prices.provenance, "price_check.action", name=name)
        inside = between(actions, case.start, case.end)
        insist(actions == tuple(sorted(inside)), "price_check.action", name=name)
        for action in actions:
            is_one = action.kind in KINDS and action.value > 0
            insist(is_one, "price_check.action", name=name)


def check_secrets(case: PriceCase) -> None:
    """No key, password or query of an address is in what is shown or kept."""
    prices = case.fetch([*case.symbols, case.unknown])
    texts = [repr(case.source), *prices.notices]
    for entry in prices.provenance.values():
        texts += [str(value) for value in asdict(entry).values()]
    for text in texts:
        insist(hide_secrets(text) == text, "price_check.secret", text=hide_secrets(text))


CHECKS: tuple[Callable[[PriceCase], None], ...] = (
    check_every_symbol_is_answered, check_columns, check_order_and_dates, check_numbers, check_ends,
    check_unknown_symbol, check_repeated_symbols, check_order_of_symbols, check_same_answer_twice,
    check_empty_range, check_provenance, check_actions, check_secrets,
)  # fmt: skip


def check_price_source(
    source: PriceProvider, symbols: Sequence[str], start: date, end: date, *,
    unknown: str = "NO-SUCH-SYMBOL",
) -> None:  # fmt: skip
    """Raise AssertionError with one sentence unless a source keeps its contract.

    Parameters
    ----------
    source, symbols, start, end, unknown
        As for `PriceCase`.

    Raises
    ------
    AssertionError
        At the first check of `CHECKS` that fails.

    Examples
    --------
    >>> from datetime import date
    >>> from eventstudy.prices import resolve
    >>> check_price_source(resolve("sample"), ["AAPL", "^GSPC"], date(2020, 1, 2), date(2020, 2, 3))
    """
    case = PriceCase(source, symbols, start, end, unknown)
    for check in CHECKS:
        check(case)
