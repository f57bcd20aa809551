"""Lists that an authority keeps as a table on a page: what is on it, and what changed since.

The first answer gives all that the list has, each with the day that is printed beside it. Later
answers give what was added, removed or reworded; whatever else changes on the page says nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from html.parser import HTMLParser
from typing import ClassVar

from ..errors import RecordError
from ..words import make_error
from .shelf import Answer, Shelf
from .types import Action, Named

# Rows of a table in which its heads may stand.
HEAD_ROWS = 3
# How alike two rows without a date are of which one is the other in new words.
ALIKE = 0.6
_UNSEEN = ("script", "style", "template", "noscript")
_CELLS = ("td", "th")
# What stands between two blocks of a text.
BLOCK = "\n\n"
# Tags between which words do not run together.
_BREAKS = (
    "br", "p", "div", "li", "ul", "ol", "table", "tr", "section", "article", "caption", *_CELLS,
    "h1", "h2", "h3", "h4", "h5", "h6",
)  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]*\.?"
# June 21, 2022; 21 June 2022; 6/21/2022.
_DATE = re.compile(
    rf"\b(?:{_MONTH} (\d\d?),?|(\d\d?) {_MONTH},?) (\d{{4}})\b|\b(\d\d?)/(\d\d?)/(\d{{4}})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page.

    Attributes
    ----------
    lead : str
        The text above it, from the table before.
    rows : list of list of str
        Texts of the cells, with single blanks.
    """

    lead: str
    rows: list[list[str]]

    def below(self, *heads: str) -> list[list[str]]:
        """Return the cells below some heads, row by row; none where it has other heads.

        Parameters
        ----------
        *heads : str
            Patterns, each of which stands in a head of its own.
        """
        for number, row in enumerate(self.rows[:HEAD_ROWS]):
            places = [_place(head, row) for head in heads]
            if None not in places and len(set(places)) == len(places):
                rows = self.rows[number + 1 :]
                return [[row[k] if k < len(row) else "" for k in places if k is not None]
                        for row in rows]  # fmt: skip
        return []


def _place(head: str, row: list[str]) -> int | None:
    fits = [k for k, cell in enumerate(row) if re.search(head, cell, re.IGNORECASE)]
    return fits[0] if fits else None


class Page(HTMLParser):
    """The text of a page, its tables, and what it states of itself.

    Parameters
    ----------
    answer : Answer

    Attributes
    ----------
    tables : list of Table
        Those inside another table come first.
    facts : dict of str to str
        Content of its meta elements, by their property.

    Raises
    ------
    RecordError
        If a table does not end: the page is cut.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.facts: dict[str, str] = {}
        self._text: list[str] = []
        self._end = 0
        self._cell: int | None = None
        self._open: list[Table] = []
        self._hidden = 0
        self.feed(answer.body.decode("utf-8", "replace"))
        self.close()
        if self._open:
            raise make_error(RecordError, "record_page.cut", where=answer.url)

    @property
    def text(self) -> str:
        """What a reader sees; blocks such as paragraphs and cells stand apart by blank lines."""
        return "".join(self._text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell, or take what a meta element states.

        Parameters
        ----------
        tag : str
        attrs : list of (str, str or None)
        """
        if tag == "meta":
            given = dict(attrs)
            self.facts[given.get("property") or ""] = given.get("content") or ""
        if tag in _UNSEEN:
            self._hidden += 1
        if tag in _BREAKS:
            self._text.append(BLOCK)
        if tag == "table":
            self._open.append(Table(_joined(self._text[self._end :]), []))
        elif tag == "tr" and self._open:
            self._end_cell()
            self._open[-1].rows.append([])
        elif tag in _CELLS:
            self._end_cell()
            self._cell = len(self._text)

    def handle_endtag(self, tag: str) -> None:
        """End a table or a cell."""
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        if tag in _CELLS:
            self._end_cell()
        elif tag == "table" and self._open:
            self._end_cell()
            self.tables.append(self._open.pop())
            self._end = len(self._text)
        if tag in _BREAKS:
            self._text.append(BLOCK)

    def _end_cell(self) -> None:
        """End the open cell, if any: the tag that does so may be left out."""
        if self._cell is not None and self._open and self._open[-1].rows:
            self._open[-1].rows[-1].append(_joined(self._text[self._cell :]))
        self._cell = None

    def handle_data(self, data: str) -> None:
        """Add text."""
        if not self._hidden:
            self._text.append(data)


def _joined(parts: list[str]) -> str:
    return " ".join("".join(parts).split())


def date_in(text: str) -> dt.date | None:
    """Return the first date of a text, such as June 21, 2022 or 6/21/2022; None without one.

    Examples
    --------
    >>> {date_in(text).isoformat() for text in ("03 Jun 2026", "3 June 2026", "JUN. 3, 2026")}
    {'2026-06-03'}
    """
    match = _DATE.search(text)
    if match is None:
        return None
    name = match[1] or match[4]
    month = _MONTHS.index(name.lower()) + 1 if name else int(match[6])
    try:
        return dt.date(int(match[5] or match[8]), month, int(match[2] or match[3] or match[7]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a list.

    Attributes
    ----------
    listing : str
        Which part of the list it stands in.
    text : str
        Of the row, as printed.
    day : date or None
        Printed beside it.
    name : str
        Of whom it names.
    kind : str
        As of `Named`.
    former_names, other_names : tuple of str
    """

    listing: str
    text: str
    day: dt.date | None
    name: str = field(compare=False)
    kind: str = field(default="company", compare=False)
    former_names: tuple[str, ...] = field(default=(), compare=False)
    other_names: tuple[str, ...] = field(default=(), compare=False)


def changes(before: list[Entry], now: list[Entry]) -> Iterator[tuple[str, Entry, str]]:
    """Yield what became of a list: ``added``, ``revised`` or ``removed``, the entry, its old words.

    An entry in new words, or in another part of the list, is revised: it has the name or the day of
    one that is gone.

    Parameters
    ----------
    before, now : list of Entry
    """
    gone = list(before)
    new = []
    for entry in now:
        if entry in gone:
            gone.remove(entry)
        else:
            new.append(entry)
    for entry in new:
        earlier = max(gone, key=lambda old: _likeness(old, entry), default=None)
        if earlier is not None and _likeness(earlier, entry) > 0:
            gone.remove(earlier)
            yield "revised", entry, earlier.text
        else:
            yield "added", entry, ""
    for entry in gone:
        yield "removed", entry, ""


def _likeness(old: Entry, new: Entry) -> float:
    """Return how alike two entries are, above 0 where the one may be the other in new words."""
    has_name = old.name.casefold() == new.name.casefold()
    if not has_name and old.day != new.day:
        return 0.0
    ratio = SequenceMatcher(None, old.text, new.text, autojunk=False).ratio()
    if not has_name and new.day is None and ratio < ALIKE:
        return 0.0
    return 2 * (old.listing == new.listing) + has_name + ratio


class PageSource:
    """A record source that is one page; what the page has is read by `entries`.

    Attributes
    ----------
    url : str
    holds : str
        A text that the page has, unless it is another page.
    authority, listing : str
        As of `Action`.
    prints_effect : bool
        Whether the printed day is the one on which it takes effect.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    url: ClassVar[str]
    holds: ClassVar[str]
    authority: ClassVar[str]
    listing: ClassVar[str]
    prints_effect: ClassVar[bool] = False
    time: ClassVar[str] = "day"
    licence: ClassVar[str] = "US public domain"

    def entries(self, answer: Answer) -> list[Entry]:
        """Return the rows of the list.

        Parameters
        ----------
        answer : Answer

        Raises
        ------
        RecordError
            If the page has no such table.
        """
        raise NotImplementedError

    def ask(self, shelf: Shelf, since: dt.date, until: dt.date) -> None:
        """Ask for the page as it is now.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Not used: the page has no other state.
        """
        shelf.ask(self.url, wants="html", hosts=self.hosts, holds=self.holds)

    def read(self, shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Named]:
        """Yield who was put on the list, taken off, or described in new words.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Days printed on the page, or of the answer that first showed a change; both inclusive.

        Raises
        ------
        RecordError
            If an answer has no such table.
        """
        before: list[Entry] | None = None
        earlier: Answer | None = None
        for answer in shelf.kept(self.url):
            now = self.entries(answer)
            seen = answer.retrieved_at.date()
            first = (("added", entry, "") for entry in now)
            for verb, entry, old in first if before is None else changes(before, now):
                day = entry.day if verb == "added" else None
                is_printed_then = day is not None and since <= day <= until
                is_seen_then = since <= seen <= until and (before is not None or day is None)
                if is_printed_then or is_seen_then:
                    source = earlier if verb == "removed" and earlier else answer
                    named = self._named(verb, entry, day, answer, source)
                    yield replace(named, change=(old, entry.text)) if old else named
            before = now
            earlier = answer

    def _named(
        self, verb: str, entry: Entry, day: dt.date | None, answer: Answer, source: Answer
    ) -> Named:
        """Return an entry as somebody named.

        Parameters
        ----------
        verb : str
        entry : Entry
        day : date or None
            Printed for this action.
        answer, source : Answer
            The one that shows the change, and the one that has the entry.
        """
        seen = answer.retrieved_at
        # A day yet to come is not that of the news, which is here already.
        is_past = day is not None and day <= seen.date()
        action = Action(
            source=self.name, key="/".join(filter(None, (str(day or seen.date()), entry.listing))),
            verb=verb, authority=self.authority,
            listing=" ".join(filter(None, (self.listing, entry.listing))),
            title=self.listing, url=self.url, claimed=day if is_past else None, seen=seen,
            looked_before=answer.looked_before, effective_on=day if self.prints_effect else None,
        )  # fmt: skip
        return Named(
            action, entry.name, entry.kind, entry.former_names, entry.other_names,
            excerpt=source.quote(entry.text, entry.name), sha256=source.sha256,
            retrieved_at=source.retrieved_at,
        )  # fmt: skip
