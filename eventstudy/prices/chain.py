"""Prices from several sources: of each symbol the first that covers it, beside what others say.

No series has rows of two sources: where one lacks sessions, or another says something else, the
rows of the other are kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from ..calendars import Sessions, Symbol
from ..errors import PriceError, RateLimitedError, UnknownSymbolError
from ..quality import Quotes
from ..utility import DateArray, np, pd
from ..words import Reason, say
from ._base import COLUMNS, unique
from ._prices import Answer, Names, PriceProvider, Prices, Progress

Range = tuple[date, date]
# A source may be so late with the newest sessions.
LATE = timedelta(days=3)


class ChainProvider:
    """Several sources, of which each symbol has the first that covers its windows whole.

    Parameters
    ----------
    sources : mapping of str to PriceProvider
        By the name that messages have for them, first choice first. Those that need no network are
        asked for every symbol, the others only for what no source before them covers.
    fill : (str, PriceProvider), optional
        Asked for the sessions that the source of a symbol lacks.

    Attributes
    ----------
    windows : dict of str to list of (first, last)
        The days that each symbol is needed on; of a symbol that is not there all days asked for.

    Notes
    -----
    Where no source covers a symbol whole, the one that lacks the fewest sessions is taken. Sessions
    are those of the symbol's exchange, or the days on which any symbol has a price.
    ``Prices.others`` has the rows of other sources on days whose returns differ by more than
    0.25 %, and around the sessions that `fill` has and the source lacks.
    """

    def __init__(
        self, sources: Mapping[str, PriceProvider], fill: tuple[str, PriceProvider] | None = None
    ) -> None:
        self.sources = sources
        self.fill = fill
        self.name = ",".join(sources)
        self.windows: Mapping[str, Sequence[Range]] = {}

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            Notices say which symbols are not from the first source, and which sources were silent.
        """
        wanted = unique(symbols)
        said = _Said(self.windows, (start, end))
        for label, source in self.sources.items():
            names = wanted if _is_local(source) else [s for s in wanted if said.lacks(s)]
            done = len(wanted) - len(names)
            said.ask(label, source, names, _shifted(progress, done, len(wanted)))
        chosen = {s: said.choose(s) for s in wanted if said.answers.get(s)}
        first = next(iter(self.sources))
        fill, holes = "", dict[str, DateArray]()
        if self.fill:
            fill, source = self.fill
            for symbol, name in chosen.items():
                holes[symbol] = said.find_holes(symbol, name)
            holed = [s for s, days in holes.items() if len(days) or _home_days(s) is None]
            said.ask(fill, source, holed)
        answers = {s: said.with_others(s, name, fill) for s, name in chosen.items()}
        failures = {s: said.failure(s) for s in wanted if s not in chosen}
        notices = [
            *said.notices(),
            *_name_used(chosen, first),
            *_count_filled(answers, holes, fill),
        ]
        return Prices.of(answers, failures, notices, said.stale)


class _Said:
    """What sources said of symbols during one fetch.

    Parameters
    ----------
    windows : mapping of str to sequence of (first, last)
    days : (date, date)
        All days that are asked for.
    """

    def __init__(self, windows: Mapping[str, Sequence[Range]], days: Range) -> None:
        self.windows = windows
        self.days = days
        self.answers: dict[str, dict[str, Answer]] = {}
        self.failures: dict[str, dict[str, PriceError]] = {}
        self.stale: dict[str, PriceError] = {}
        self.market: DateArray = np.empty(0, "datetime64[D]")
        self._notices: dict[str, None] = {}
        self._read: dict[tuple[str, str], Quotes] = {}

    def ask(
        self, label: str, source: PriceProvider, names: Sequence[str], progress: Progress = None
    ) -> None:
        """Ask a source for symbols; if it fails, it fails for each of them."""
        if not names:
            return
        try:
            prices = source.fetch(names, *self.days, progress=progress)
        except PriceError as error:
            prices = Prices.of({}, dict.fromkeys(names, error))
        for symbol, answer in prices.answers().items():
            self.answers.setdefault(symbol, {}).setdefault(label, answer)
        for symbol, failure in prices.failures.items():
            self.failures.setdefault(symbol, {})[label] = failure
        self.stale |= prices.stale
        self.market = np.union1d(self.market, _days_of(prices.table))
        self._notices |= dict.fromkeys(prices.notices)
        silent = [s for s, fault in prices.failures.items() if fault.is_transient]
        if silent:
            why = prices.failures[silent[0]].what
            facts = {"source": label, "why": why, "n": len(silent), "symbols": silent}
            self._notices[Reason("source_silent", **facts)] = None

    def lacks(self, symbol: str) -> bool:
        """Return whether no source so far covers the windows of a symbol whole."""
        labels = self.answers.get(symbol, {})
        return all(len(self._find_lacking(symbol, label)) for label in labels)

    def choose(self, symbol: str) -> str:
        """Return the source that lacks the fewest sessions of a symbol, the first of several."""
        labels = self.answers[symbol]
        return min(labels, key=lambda label: len(self._find_lacking(symbol, label)))

    def find_holes(self, symbol: str, label: str) -> DateArray:
        """Return the needed sessions that a source lacks between two prices of a symbol."""
        priced = self._quotes(symbol, label).bars.dates
        lacking = self._find_lacking(symbol, label)
        is_inside = np.zeros(len(lacking), dtype=bool)
        if len(priced):
            is_inside = (lacking > priced[0]) & (lacking < priced[-1])
        return np.compress(is_inside, lacking)

    def with_others(self, symbol: str, label: str, fill: str) -> Answer:
        """Return the answer of a source, with the rows of others that matter beside it."""
        answer = self.answers[symbol][label]
        if ":" in label:  # one of several folders or files
            detail = f"{label} | {answer.provenance.detail}"
            answer = answer._replace(provenance=replace(answer.provenance, detail=detail))
        pieces = []
        for name, other in self.answers[symbol].items():
            if name == label:
                continue
            currencies = {answer.provenance.currency, other.provenance.currency} - {""}
            if len(currencies) > 1:
                names = sorted(currencies)
                facts = {"symbol": symbol, "source": name, "currencies": names}
                self._notices[say("price_chain.currency", **facts)] = None
                continue
            ours, theirs = self._quotes(symbol, label), self._quotes(symbol, name)
            differing = ours.differing(theirs)
            needed = np.union1d(differing.before, differing.days)
            if name == fill:
                needed = np.union1d(needed, _find_around_holes(ours, theirs))
            rows = other.rows[np.isin(_dates_of(other.rows), needed)]
            pieces.append(rows.assign(source=name, is_fill=name == fill))
        pieces = [piece for piece in pieces if len(piece)]
        if not pieces:
            return answer
        others = pd.concat(pieces, ignore_index=True)[["source", "is_fill", *COLUMNS]]
        return answer._replace(others=others)

    def failure(self, symbol: str) -> PriceError:
        """Return why no source has a symbol.

        One that may answer later counts first, one that does not know it last.
        """
        errors = self.failures[symbol]
        if len(errors) == 1:
            return next(iter(errors.values()))

        def rank(error: PriceError) -> tuple[bool, bool]:
            return not error.is_transient, isinstance(error, UnknownSymbolError)

        leading = min(errors.values(), key=rank)
        what = "; ".join(f"{label}: {error.what}" for label, error in errors.items())
        failure = type(leading)(what, where=symbol, remedy=leading.remedy)
        failure.is_transient = leading.is_transient
        if isinstance(failure, RateLimitedError):
            failure.until = leading.until  # type: ignore[attr-defined]
        return failure

    def notices(self) -> list[str]:
        """Return what the sources said of themselves, and which of them were silent."""
        return list(self._notices)

    def _find_lacking(self, symbol: str, label: str) -> DateArray:
        """Return the sessions of the windows of a symbol on which a source has no price."""
        sessions = _home_days(symbol)
        sessions = self.market if sessions is None else sessions
        newest = np.datetime64(date.today() - LATE)  # noqa: DTZ011
        is_needed = np.zeros(len(sessions), dtype=bool)
        for first, last in self.windows.get(symbol, [self.days]):
            is_needed |= (sessions >= np.datetime64(first)) & (sessions <= np.datetime64(last))
        needed = sessions[is_needed & (sessions <= newest)]
        return needed[~np.isin(needed, self._quotes(symbol, label).bars.dates)]

    def _quotes(self, symbol: str, label: str) -> Quotes:
        """Return what a source says of a symbol, as its rows are judged."""
        key = symbol, label
        if key not in self._read:
            self._read[key], _ = next(Quotes.by_symbol(self.answers[symbol][label].rows))
        return self._read[key]


def _is_local(source: PriceProvider) -> bool:
    """Return whether a source answers without a network, at no cost."""
    return getattr(source, "is_local", False)


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return None if progress is None else lambda done, _: progress(before + done, total)


def _home_days(symbol: str) -> DateArray | None:
    """Return the sessions of a symbol's exchange; None where that is not known."""
    home = Symbol(symbol).home
    return Sessions.of(home.calendar).dates if home and home.calendar else None


def _dates_of(rows: pd.DataFrame) -> DateArray:
    return rows["date"].to_numpy().astype("datetime64[D]")


def _days_of(table: pd.DataFrame) -> DateArray:
    """Return the days on which any symbol of a table has a price."""
    priced = table[["close", "adj_close"]].notna().any(axis=1).to_numpy()
    return np.unique(_dates_of(table)[priced])


def _find_around_holes(ours: Quotes, theirs: Quotes) -> DateArray:
    """Return the days that another source has between two prices of a source, and these two."""
    days = ours.bars.dates
    holes = theirs.dates[~np.isin(theirs.dates, days)]
    after = np.searchsorted(days, holes)
    is_inside = (after > 0) & (after < len(days))
    after = after[is_inside]
    return np.unique(np.concatenate([holes[is_inside], days[after - 1], days[after]]))


def _count_filled(
    answers: Mapping[str, Answer], holes: Mapping[str, DateArray], fill: str
) -> Iterable[str]:
    """Yield how many of the needed sessions that are not there the second source fills."""
    missing = {symbol: len(days) for symbol, days in holes.items() if len(days)}
    filled = dict[str, int]()
    for symbol in missing:
        quotes, _ = next(Quotes.by_symbol(answers[symbol].rows))
        others = Quotes.of_others(answers[symbol].others).get(symbol, ())
        dates = replace(quotes, others=others).filled
        filled[symbol] = int(np.isin(holes[symbol], dates).sum())
    if missing:
        code = "source_filled" if any(filled.values()) else "source_no_fill"
        facts = {"n": len(missing), "symbols": list(missing), "missing": missing, "filled": filled}
        yield Reason(code, source=fill, **facts)


def _name_used(chosen: Mapping[str, str], first: str) -> Iterable[str]:
    """Yield which symbols have another source than the first."""
    groups: dict[str, list[str]] = {}
    for symbol, label in chosen.items():
        groups.setdefault(label, []).append(symbol)
    groups.pop(first, None)
    for label, names in groups.items():
        yield Reason("source_used", source=label, first=first, n=len(names), symbols=names)
