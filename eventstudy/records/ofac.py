"""OFAC's consolidated list: who was put on it when, with tickers and ISINs as printed there."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..errors import DataError
from ..words import make_error
from .names import is_body
from .pages import date_in
from .shelf import Answer, Shelf
from .types import Action, Named

PLACE = "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/"
PRIMARY, ALIASES, COMMENTS = (f"{PLACE}CONS_{part}.CSV" for part in ("PRIM", "ALT", "COMMENTS"))
# Letters after which a remark is cut, and goes on in the file of comments.
CUT = 1000
COLUMNS = {PRIMARY: 12, ALIASES: 5, COMMENTS: 2}
# What a list is called, by the code of its program.
LISTS = {"CMIC": "NS-CMIC List"}
_NONE = "-0-"
_LISTED = re.compile(r"Listing Date \(([^()]+)\):?([^;]*)")
_EFFECTIVE = re.compile(r"Effective Date \(([^()]+)\):?([^;]*)")
_FIELD = re.compile(r"(?:alt\. )?(Equity Ticker|ISIN|Legal Entity Number) ([^;]+?)\.?$")
_USCC = re.compile(r"Unified Social Credit Code \(USCC\) (\w+)")
_FIELDS = {"Equity Ticker": "ticker", "ISIN": "isin", "Legal Entity Number": "lei"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the list.

    Attributes
    ----------
    number : str
        OFAC's number of it.
    name, kind, program, remarks : str
    aliases : tuple of (str, str)
        ``aka``, ``fka`` or ``nka``, and the name.
    """

    number: str
    name: str
    kind: str
    program: str
    remarks: str
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """Its names and its remark."""
        return "; ".join((self.name, *(name for _, name in self.aliases), self.remarks))

    @property
    def listed(self) -> dict[str, dt.date | None]:
        """The day on which it was put on each list, by the list's code; None where none is read."""
        return {code: date_in(text) for code, text in _LISTED.findall(self.remarks)}

    @property
    def effective(self) -> dict[str, dt.date | None]:
        """The day on which that came into force, by the list's code; None where none is read."""
        return {code: date_in(text) for code, text in _EFFECTIVE.findall(self.remarks)}

    @property
    def identifiers(self) -> Mapping[str, tuple[str, ...]]:
        """Tickers, ISINs and other numbers, as printed."""
        found = defaultdict(list)
        for part in self.remarks.split("; "):
            if match := _FIELD.fullmatch(part.strip()):
                found[_FIELDS[match[1]]].append(match[2].strip())
        if code := _USCC.search(self.remarks):
            found["uscc"].append(code[1])
        return {kind: tuple(values) for kind, values in found.items()}

    def named(self, action: Action, answer: Answer) -> Named:
        """Return the entry as somebody named in an action.

        Parameters
        ----------
        action : Action
        answer : Answer
            The file that has it.
        """
        if self.kind == "individual":
            return Named(action, "", "person")
        return Named(
            action, self.name, "body" if is_body(self.name) else "company",
            former_names=tuple(name for kind, name in self.aliases if kind == "fka"),
            other_names=tuple(name for kind, name in self.aliases if kind != "fka"),
            number=self.number, identifiers=self.identifiers,
            excerpt=answer.quote(self.remarks or self.name, self.name),
            sha256=answer.sha256, retrieved_at=answer.retrieved_at,
        )  # fmt: skip


class Ofac:
    """The consolidated list (not the SDN list) of the Office of Foreign Assets Control."""

    name: ClassVar[str] = "ofac"
    summary: ClassVar[str] = "OFAC's consolidated list (NS-CMIC and others), with tickers and ISINs"
    hosts: ClassVar[tuple[str, ...]] = (
        "sanctionslistservice.ofac.treas.gov",
        "sls-export-tool-prod.s3.us-gov-west-1.amazonaws.com",
    )
    time: ClassVar[str] = "day"
    licence: ClassVar[str] = "US public domain"

    def ask(self, shelf: Shelf, since: dt.date, until: dt.date) -> None:
        """Ask for the three files of the list as it is now.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Not used: the list has no other state.
        """
        for url in (COMMENTS, ALIASES, PRIMARY):
            shelf.ask(url, wants="csv", hosts=self.hosts)

    def read(self, shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Named]:
        """Yield who was put on a list, taken off, or revised.

        The first file that was kept gives all entries; later ones what changed. When an entry of
        the first file that has no listing date was put there is not known.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Days of the listing, or of the first look that found a change; both inclusive. Entries
            of which neither is known are of every day.

        Raises
        ------
        DataError
            If a remark is cut and its rest is missing, or a file has other columns.
        """
        answers = shelf.kept(PRIMARY)
        states = []
        for k, answer in enumerate(answers):
            next_at = answers[k + 1].retrieved_at if k + 1 < len(answers) else None
            others = (_newest(shelf.kept(url), next_at) for url in (ALIASES, COMMENTS))
            states.append((answer, read_entries(answer, *others)))
        # What an entry says is taken from the newest file that has it.
        newest = {}
        for answer, entries in states:
            newest.update({number: (entry, answer) for number, entry in entries.items()})
        before: dict[str, Entry] | None = None
        for answer, entries in states:
            for number, action in _actions(before, entries, answer):
                # What is listed from a day to come on is known since the look that found it.
                days = (action.claimed, action.seen and action.seen.date())
                day = min(filter(None, days), default=None)
                if day is None or since <= day <= until:
                    entry, source = newest[number]
                    named = entry.named(action, source)
                    if action.verb == "revised" and before is not None:
                        named = replace(named, change=(before[number].words, entries[number].words))
                    yield named
            before = entries


def read_entries(
    answer: Answer, aliases: Answer | None, comments: Answer | None
) -> dict[str, Entry]:
    """Return the records of the list by their numbers.

    Parameters
    ----------
    answer : Answer
        ``CONS_PRIM.CSV``.
    aliases, comments : Answer or None
        ``CONS_ALT.CSV`` and ``CONS_COMMENTS.CSV``.
    """
    names = defaultdict(list)
    for number, _, kind, name, _ in _rows(aliases):
        names[number].append((kind, name))
    rest = {row[0]: row[1] for row in _rows(comments)}
    entries = {}
    for number, name, kind, program, *_, remarks in _rows(answer):
        if len(remarks) >= CUT and number not in rest:
            facts: dict[str, Any] = {"number": number, "letters": CUT}
            raise make_error(DataError, "records.cut", where=answer.url, **facts)
        # What is cut goes on amid a word.
        whole = remarks + rest.get(number, "")
        entries[number] = Entry(number, name, kind, program, whole, tuple(names[number]))
    return entries


def _actions(
    before: dict[str, Entry] | None, now: dict[str, Entry], answer: Answer
) -> Iterator[tuple[str, Action]]:
    """Yield what was done to which entry, by what one file has that the file before had not."""
    for number, entry in now.items():
        old = None if before is None else before.get(number)
        listed = {} if old is None else old.listed
        days = entry.listed or ({entry.program: None} if old is None else {})
        for code, day in days.items():
            if code not in listed:
                action = _action(entry, code, "added", answer, day)
                if day is None and before is None:  # the first look says nothing of when
                    action = replace(action, key=f"{code.lower()}/undated", seen=None)
                yield number, action
            elif None not in (day, listed[code]) and listed[code] != day:
                yield number, _action(entry, code, "relisted", answer, day)
        if old is not None and _identity(old) != _identity(entry):
            yield number, _action(entry, _code(entry), "revised", answer, None)
    for number, entry in (before or {}).items():
        if number not in now:
            yield number, _action(entry, _code(entry), "removed", answer, None)


def _identity(entry: Entry) -> tuple[object, ...]:
    return entry.name, entry.aliases, tuple(entry.identifiers.items())


def _code(entry: Entry) -> str:
    return next(iter(entry.listed), entry.program)


def _action(entry: Entry, code: str, verb: str, answer: Answer, day: dt.date | None) -> Action:
    at = answer.retrieved_at
    listing = LISTS.get(code, f"{code} list")
    return Action(
        source=Ofac.name, key=f"{code.lower()}/{day or at.date()}", verb=verb,
        authority="US Treasury (OFAC)", listing=listing, title=f"OFAC consolidated list, {listing}",
        url=answer.url, claimed=day, seen=at,
        looked_before=answer.looked_before, effective_on=entry.effective.get(code),
    )  # fmt: skip


def _newest(answers: list[Answer], before: dt.datetime | None) -> Answer | None:
    """Return the newest of some answers that came before a moment, else the first, if any."""
    known = [answer for answer in answers if before is None or answer.retrieved_at < before]
    return next(reversed(known or answers[:1]), None)


def _rows(answer: Answer | None) -> Iterator[list[str]]:
    """Yield the rows of a file without a header; its last byte, 0x1A, is no row."""
    if answer is None:
        return
    text = answer.body.decode("utf-8-sig", "replace").rstrip("\x1a\r\n")
    count = COLUMNS[answer.url]
    for line, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1):
        if len(row) != count:
            facts: dict[str, Any] = {"n": len(row), "wanted": count}
            raise make_error(DataError, "records.columns", where=f"{answer.url}:{line}", **facts)
        yield ["" if cell.strip() == _NONE else cell for cell in row]
