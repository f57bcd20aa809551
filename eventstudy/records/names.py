"""Names of companies: what is the same name, and what is only a similar one."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from ..calendars import Exchange, Symbol
from ..errors import DataError
from ..files import Sheet, bare
from ..words import make_error

# Words for the legal form of a company, which its name may end with or not.
LEGAL_FORMS = {
    "co", "company", "corp", "corporation", "inc", "incorporated", "jsc", "limited", "ltd", "plc",
}  # fmt: skip
# Words in the names of those that have no shares.
BODIES = {
    "academy", "administration", "agency", "bureau", "center", "committee", "corps", "department",
    "institute", "ministry", "park", "police", "university",
}  # fmt: skip
# How many similar names are shown, and how alike they are at least, from 0 to 1.
MOST_SIMILAR, ALIKE = 5, 0.8
_QUOTES = dict.fromkeys(map(ord, "'’‘`´ʼ"))
_FORM = "|".join(sorted(LEGAL_FORMS))
# A word of a name that follows another, or goes before it, with nothing but white space between.
_CAPITAL_NEXT = re.compile(r"[ \t]*\n?[ \t]*\(?[A-Z]")
_CAPITAL_LAST = re.compile(r"(?:^|[\s(])[A-Z][\w&-]*[ \t]*\n?[ \t]*$")


@lru_cache(maxsize=100_000)
def fold(name: str) -> str:
    """Return a name without what may differ between two spellings of it.

    Case, accents, apostrophes and other punctuation are left out, and words for the legal form at
    its end; nothing else. A group, its holding and its listed company have names of their own.

    Examples
    --------
    >>> fold("Hangzhou Hikvision Digital Technology Co., Ltd.")
    'hangzhou hikvision digital technology'
    >>> fold("AVIC Xi’An Aircraft") == fold("Avic Xi'an Aircraft Company Ltd.")
    True
    """
    text = unicodedata.normalize("NFKD", name.translate(_QUOTES)).replace("&", " and ")
    letters = (letter for letter in text.casefold() if not unicodedata.combining(letter))
    words = re.findall(r"\w+", "".join(letters))
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    return " ".join(words)


def is_body(name: str) -> bool:
    """Return whether a name is that of an authority, a university or an institute.

    A name that ends with a legal form is a company's.

    Examples
    --------
    >>> is_body("Hangzhou Public Security Bureau"), is_body("Hi-Tech Park Development Co., Ltd.")
    (True, False)
    """
    words = re.findall(r"\w+", name.casefold())
    return not BODIES.isdisjoint(words) and words[-1] not in LEGAL_FORMS


def find_name(name: str, text: str) -> tuple[int, int] | None:
    """Return where a text has a name, as its start and end; None where it has not.

    A name amid a longer one is not found: neither *China Mobile* in *China Mobile Communications
    Group*, nor *Electronics Group* in *Panda Electronics Group*.

    Parameters
    ----------
    name, text : str

    Examples
    --------
    >>> find_name("CHINA MOBILE LIMITED", "China Mobile Group; China Mobile\\nLimited; and others")
    (20, 40)
    """
    words = r"(?:(?!\n\s*\n)[^\w;:]|_)+".join(map(_spellings, fold(name).split()))
    pattern = rf"(?i:\b{words}(?:[\s.,(]+(?:{_FORM})\b)*)(?![\w-])"
    for match in re.finditer(pattern, text):
        start, end = match.span()
        goes_on = _CAPITAL_NEXT.match(text, end)
        begins_before = _CAPITAL_LAST.search(text[max(0, start - 60) : start])
        if not goes_on and not begins_before:
            return start, end
    return None


def _spellings(word: str) -> str:
    """Return a pattern for a word with or without an apostrophe, and of ``and``."""
    if word == "and":
        return "(?:and|&)"
    return "['’‘`]?".join(map(re.escape, word))


@dataclass(frozen=True, slots=True)
class Listing:
    """A share as a names file has it.

    Attributes
    ----------
    symbol : str
        As Yahoo spells it.
    name : str
    isin : str
    first_day : str
        Day of its first trade, ISO 8601; "" where unknown.
    """

    symbol: str
    name: str
    isin: str = ""
    first_day: str = ""


class Names:
    """The user's own files of shares and their names.

    Parameters
    ----------
    listings : iterable of Listing
    """

    def __init__(self, listings: Iterable[Listing] = ()) -> None:
        self._by_symbol: dict[str, Listing] = {}
        self._by_name: dict[str, list[Listing]] = defaultdict(list)
        self._by_isin: dict[str, Listing] = {}
        for listing in listings:
            if listing.symbol in self._by_symbol:
                continue
            self._by_symbol[listing.symbol] = listing
            self._by_name[fold(listing.name)].append(listing)
            if listing.isin:
                self._by_isin.setdefault(listing.isin, listing)

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Names:
        """Return the shares of some files.

        Parameters
        ----------
        paths : sequence of Path
            CSV, Excel, Parquet or Stata with the columns ``symbol`` (or ``ticker``) and ``name``
            (or ``company``); ``isin`` and ``first_day`` where there are such. A row without a name,
            and one whose symbol has no known exchange, is passed over.

        Raises
        ------
        DataError
            If a file cannot be read, or lacks a column.
        """
        return cls(listing for path in paths for listing in _listings(path))

    @cached_property
    def _folded(self) -> list[str]:
        return list(self._by_name)

    def of_symbol(self, symbol: str) -> Listing | None:
        """Return the share of a symbol; None where no file has it."""
        return self._by_symbol.get(symbol)

    def of_isin(self, isin: str) -> Listing | None:
        """Return the share of an ISIN; None where no file has it."""
        return self._by_isin.get(isin)

    def same(self, names: Iterable[str]) -> list[Listing]:
        """Return the shares that have one of some names."""
        found: dict[str, Listing] = {}
        for name in names:
            for listing in self._by_name.get(fold(name), ()):
                found[listing.symbol] = listing
        return list(found.values())

    def similar(self, name: str) -> list[Listing]:
        """Return at most five shares of similar names, the likest first.

        They are a hint for a person: most of them are other companies. ``rapidfuzz`` (extra
        ``records``) finds them faster than the standard library.
        """
        best = _likest(fold(name), self._folded)
        return [self._by_name[folded][0] for folded in best]


def _likest(name: str, names: Sequence[str]) -> list[str]:
    """Return the names that are likest, by twice the letters in common over those of both."""
    try:
        from rapidfuzz import fuzz, process
    except ImportError:
        found = list(_alike(name, names))
    else:
        every = process.extract_iter(name, names, scorer=fuzz.ratio, score_cutoff=100 * ALIKE)
        found = [(score / 100, other) for other, score, _ in every]
    best = sorted(found, key=lambda pair: (-pair[0], pair[1]))[:MOST_SIMILAR]
    return [other for _, other in best]


def _alike(name: str, names: Iterable[str]) -> Iterator[tuple[float, str]]:
    """Yield likeness and name of those that are alike, as rapidfuzz does, some 40 times slower.

    Letters in common are those of the longest common subsequence (Hyyrö 2004, bit-parallel).
    """
    places: dict[str, int] = defaultdict(int)
    for k, letter in enumerate(name):
        places[letter] |= 1 << k
    all_ones = (1 << len(name)) - 1
    for other in names:
        total = len(name) + len(other)
        if 2 * min(len(name), len(other)) < ALIKE * total:
            continue
        state = all_ones
        for letter in other:
            matched = state & places.get(letter, 0)
            state = (state + matched) | (state - matched)
        likeness = 2 * (~state & all_ones).bit_count() / total
        if likeness >= ALIKE:
            yield likeness, other


def _listings(path: Path) -> Iterable[Listing]:
    sheet, problems, _ = Sheet.of(path, ("symbol", "name"))
    if sheet is None:
        reason = str(problems[0].what) if problems else ""
        raise make_error(DataError, "records.names_unreadable", where=str(path), why=reason)
    columns = {bare(name): column for name, column in zip(sheet.names, sheet.columns, strict=True)}
    symbols = columns.get("symbol") or columns.get("ticker")
    names = columns.get("name") or columns.get("company")
    if symbols is None or names is None:
        raise make_error(DataError, "records.names_columns", where=str(path), names=sheet.names)
    blank = [""] * len(sheet.lines)
    rows = zip(
        symbols, names, columns.get("isin") or blank, columns.get("firstday") or blank, strict=True
    )
    for symbol, name, isin, first_day in rows:
        if name.strip() and _has_exchange(symbol.strip()):
            yield Listing(symbol.strip(), name.strip(), isin.strip(), first_day.strip()[:10])


@lru_cache(maxsize=1024)
def _suffix_is_known(suffix: str) -> bool:
    try:
        return Exchange.of(f"X.{suffix}" if suffix else "X") is not None
    except DataError:
        return False


def _has_exchange(symbol: str) -> bool:
    return bool(symbol) and _suffix_is_known(Symbol(symbol).suffix)
