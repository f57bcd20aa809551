"""The answer of every price source: one long table, failures, provenance, corporate actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, NamedTuple, Protocol, TypeVar, runtime_checkable

from ..errors import NoPricesError, OtherDaysError, PriceError, UnknownSymbolError
from ..utility import pd
from . import _base as base
from ._base import FIRST_DAY, LAST_DAY

# Called with the number of symbols done, and the number of all.
Progress = Callable[[int, int], None] | None
Names = Sequence[str]
T = TypeVar("T")


@runtime_checkable
class PriceProvider(Protocol):
    """A source of daily prices.

    You can use any object as a source of prices if it has the attribute ``name`` (a text) and the
    method ``fetch`` below.

    Examples
    --------
    >>> import eventstudy as es
    >>> from eventstudy.prices import resolve
    >>> sample = resolve("sample")
    >>> sample.name, isinstance(sample, es.PriceProvider)
    ('sample', True)
    """

    name: str

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the daily prices of `symbols` from `start` to `end`, both dates included.

        Parameters
        ----------
        symbols : sequence of str
            Tickers such as ``"002415.SZ"``. For a ticker that occurs twice, the source returns the
            prices once.
        start, end : date
            First and last date of the prices.
        progress : callable, optional
            Function that the source calls to report progress. The function gets two numbers: how
            many symbols are done, and how many symbols there are in all.

        Returns
        -------
        Prices
            Its attribute ``table`` has the prices, in the columns symbol, date, open, high, low,
            close, adj_close and volume. For each symbol without prices, its attribute ``failures``
            has the reason.

        Raises
        ------
        NetworkError
            If the source cannot be reached at all.
        """
        ...


class Answer(NamedTuple):
    """The rows of one symbol as `clean` makes them, their provenance, and corporate actions.

    ``others`` has rows of other sources, as ``Prices.others``.
    """

    rows: pd.DataFrame
    provenance: base.Provenance
    actions: tuple[base.Action, ...] = ()
    others: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class Prices:
    """Daily prices of many symbols.

    Parameters
    ----------
    table : DataFrame
        Columns `COLUMNS`, sorted by symbol and date, unique in (symbol, date). ``date`` holds naive
        session dates (datetime64[ns]); prices and volume are float64, NaN when missing, in the
        currency that the symbol's provenance names.
    failures : dict of str to PriceError
        Symbols that were asked for and have no rows, with the reason.
    provenance : dict of str to Provenance
        One entry for each symbol of `table`.
    notices : tuple of str
        Messages for the user, whatever the output format.
    actions : dict of str to tuple of Action
        Dividends, splits and distributions of the symbols that have any, where the source has them.
    stale : dict of str to PriceError
        Symbols of ``table`` whose rows were stored before, as the source did not answer, and why.
    others : DataFrame, optional
        Rows of other sources where these disagree, or have what the source of a symbol lacks:
        columns ``source``, ``is_fill`` (whether they may fill a hole) and `COLUMNS`.
    """

    # Days before and after which nothing has a price.
    FIRST_DAY: ClassVar[date] = FIRST_DAY
    LAST_DAY: ClassVar[date] = LAST_DAY

    table: pd.DataFrame
    failures: dict[str, PriceError] = field(default_factory=dict)
    provenance: dict[str, base.Provenance] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    actions: dict[str, tuple[base.Action, ...]] = field(default_factory=dict)
    stale: dict[str, PriceError] = field(default_factory=dict)
    others: pd.DataFrame | None = None

    @classmethod
    def of(
        cls, answers: Mapping[str, Answer], failures: Mapping[str, PriceError],
        notices: Iterable[str] = (), stale: Mapping[str, PriceError] | None = None,
    ) -> Prices:  # fmt: skip
        """Return prices assembled from one answer a symbol.

        Parameters
        ----------
        answers : mapping of str to Answer
        failures, notices, stale
            As for the class; of `stale` only symbols of `answers` are kept.

        Returns
        -------
        Prices
        """
        by_name = dict(sorted(answers.items()))
        frames = [answer.rows for answer in by_name.values()]
        others = [answer.others for answer in by_name.values() if answer.others is not None]
        return cls(
            table=pd.concat(frames, ignore_index=True) if frames else base.make_empty_table(),
            failures=dict(sorted(failures.items())),
            provenance={name: answer.provenance for name, answer in by_name.items()},
            notices=tuple(dict.fromkeys(notices)),
            actions={name: answer.actions for name, answer in by_name.items() if answer.actions},
            stale={name: error for name in by_name if (error := (stale or {}).get(name))},
            others=pd.concat(others, ignore_index=True) if others else None,
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have rows, in alphabetical order."""
        return tuple(sorted(self.provenance))

    def by_symbol(self) -> dict[str, pd.DataFrame]:
        """Return the rows of each symbol, shape (n_sessions, 8), by symbol."""
        grouped = self.table.groupby("symbol", sort=True)
        return {str(name): rows.reset_index(drop=True) for name, rows in grouped}

    def answers(self) -> dict[str, Answer]:
        """Return the answer for each symbol that has rows."""
        others = {}
        if self.others is not None:
            others = {str(name): rows for name, rows in self.others.groupby("symbol")}
        out = {}
        for symbol, rows in self.by_symbol().items():
            facts = self.provenance[symbol], self.actions.get(symbol, ()), others.get(symbol)
            out[symbol] = Answer(rows, *facts)
        return out

    def merge(self, second: Prices) -> Prices:
        """Return the symbols of both; where both have a symbol, the rows of `self` win.

        Rows of two sources are never mixed within a symbol: a splice of two adjustments is a false
        return. A symbol that has rows in either is no failure.
        """
        answers = {**second.answers(), **self.answers()}
        errors = {**self.failures, **second.failures}.items()
        failures = {symbol: error for symbol, error in errors if symbol not in answers}
        stale = {s: error for s, error in second.stale.items() if s not in self.provenance}
        notices = (*self.notices, *second.notices)
        return Prices.of(answers, failures, notices, {**stale, **self.stale})

    def select(self, symbols: Iterable[str]) -> Prices:
        """Return some symbols; one that is not here fails with UnknownSymbolError."""
        answers = self.answers()

        def read(symbol: str) -> Answer:
            if symbol not in answers:
                unknown = UnknownSymbolError("not among these prices", where=symbol)
                raise self.failures.get(symbol) or unknown
            return answers[symbol]

        return Prices.of(*gather(symbols, read), self.notices, self.stale)


def gather(
    symbols: Iterable[str], read: Callable[[str], T], progress: Progress = None
) -> tuple[dict[str, T], dict[str, PriceError]]:
    """Return the answer of `read` for each symbol, and the failures.

    Parameters
    ----------
    symbols : iterable of str
        Duplicates are read once.
    read : callable
        Takes a symbol; raises PriceError.
    progress : callable, optional
        Function that the source calls to report progress. The function gets two numbers: how many
        symbols are done, and how many symbols there are in all.

    Returns
    -------
    answers : dict of str to object
    failures : dict of str to PriceError
    """
    answers, failures, wanted = {}, {}, base.unique(symbols)
    for done, symbol in enumerate(wanted, 1):
        try:
            answers[symbol] = read(symbol)
        except PriceError as error:
            failures[symbol] = error
        if progress:
            progress(done, len(wanted))
    return answers, failures


def collect(
    symbols: Iterable[str], start: date, end: date,
    read: Callable[[str], Answer | tuple[pd.DataFrame, base.Provenance]], progress: Progress = None,
) -> Prices:  # fmt: skip
    """Return the prices that `read` gives, symbol by symbol: a complete `fetch` for a source.

    Parameters
    ----------
    symbols : iterable of str
        Duplicates are read once.
    start, end : date
        Inclusive.
    read : callable
        Takes a symbol and returns all its rows as `clean` makes them, and their provenance without
        extent and hash, or an `Answer`; raises PriceError.
    progress : callable, optional
        Function that the source calls to report progress. The function gets two numbers: how many
        symbols are done, and how many symbols there are in all.

    Returns
    -------
    Prices
        A symbol without a close in the range fails with NoPricesError.
    """

    def read_range(symbol: str) -> Answer:
        return cut_range(symbol, Answer(*read(symbol)), start, end)

    return Prices.of(*gather(symbols, read_range, progress))


def cut_range(symbol: str, answer: Answer, start: date, end: date) -> Answer:
    """Return the answer of a source for a range of days, with extent and hash.

    Parameters
    ----------
    symbol : str
    answer : Answer
        For any days.
    start, end : date
        Inclusive.

    Returns
    -------
    Answer

    Raises
    ------
    NoPricesError
        When there is no close in the range.
    """
    rows, provenance = base.in_range(answer.rows, start, end), answer.provenance
    if not rows[["close", "adj_close"]].notna().any(axis=None):
        raise no_rows(symbol, answer.rows, start, end)
    stamped = provenance if len(rows) == provenance.rows else base.stamp(provenance, rows)
    return Answer(rows, stamped, between(answer.actions, start, end))


def no_rows(symbol: str, rows: pd.DataFrame, start: date, end: date) -> NoPricesError:
    """Return the error for a symbol without a price in a range of days.

    Parameters
    ----------
    symbol : str
    rows : DataFrame
        All its rows, whose extent the remedy names.
    start, end : date
        The range that was wanted.

    Returns
    -------
    NoPricesError
        An OtherDaysError if it has prices at all.
    """
    wanted = f"no prices from {start} to {end}"
    priced = rows[rows[["close", "adj_close"]].notna().any(axis=1)]
    if priced.empty:
        return NoPricesError(wanted, where=symbol)
    have = f"{priced['date'].min():%Y-%m-%d} to {priced['date'].max():%Y-%m-%d}"
    return OtherDaysError(wanted, where=symbol, remedy=f"prices are there from {have}")


def between(actions: Iterable[base.Action], start: date, end: date) -> tuple[base.Action, ...]:
    """Return the actions of a range of days.

    Parameters
    ----------
    actions : iterable of Action
    start, end : date
        Both inclusive.

    Returns
    -------
    tuple of Action
    """
    return tuple(action for action in actions if str(start) <= action.date <= str(end))
