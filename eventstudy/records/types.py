"""What a record gives: actions, and who is named in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol, runtime_checkable

from .shelf import Shelf

# Zone of the authorities whose records are read here.
HOME = "America/New_York"


@dataclass(frozen=True, slots=True)
class Action:
    """One act of an authority: a document, or the changes of a list on one day.

    Attributes
    ----------
    source : str
        Name of the record source, such as ``"ofac"``.
    key : str
        What tells it from all others of its source, the same on every reading.
    verb : str
        One of `VERBS`.
    authority, listing : str
        Who acted, and the list that was changed, in words.
    title, url : str
        Of the document, or of the page.
    claimed : datetime, date or None
        When it became public, as the source says; a date where it says no more.
    modified : datetime or None
        When the source says that it was changed last.
    seen : datetime or None
        When an answer first had it, in UTC.
    looked_before : datetime or None
        When an answer last did not have it, in UTC; None where it was there at the first look.
    effective_on, printed_on : date or None
    document_number, citation : str
    tz : str
        Zone of the authority, in which its dates are meant.
    """

    source: str
    key: str
    verb: str
    authority: str
    listing: str
    title: str
    url: str
    claimed: dt.datetime | dt.date | None = None
    modified: dt.datetime | None = None
    seen: dt.datetime | None = None
    looked_before: dt.datetime | None = None
    effective_on: dt.date | None = None
    printed_on: dt.date | None = None
    document_number: str = ""
    citation: str = ""
    tz: str = HOME


# What an action does to an entry: `unclear` where its document does several of these.
VERBS = ("added", "removed", "revised", "corrected", "withdrawn", "relisted", "unclear")


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody named in an action, as printed.

    Attributes
    ----------
    action : Action
    name : str
        As printed.
    kind : {"company", "body", "person", "unknown"}
        A body is an authority, a university or an institute. Persons are counted, never kept:
        their name is "".
    former_names, other_names : tuple of str
        Names that it had, and that it has besides.
    number : str
        The authority's number of it, by which its source tells it from others of its name; "" where
        there is none.
    identifiers : mapping of str to tuple of str
        As printed, by their kind: ``ticker``, ``isin``, ``uscc``, ``lei``.
    excerpt : str
        What the answer says of it, letter for letter, at most 300 letters.
    sha256 : str
        Hash of the answer that has the excerpt.
    retrieved_at : datetime or None
        When that answer came.
    change : (str, str)
        What was said of it before and what is said now, where the action is a revision.
    """

    action: Action
    name: str
    kind: str = "company"
    former_names: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excerpt: str = ""
    sha256: str = ""
    retrieved_at: dt.datetime | None = None
    change: tuple[str, str] = ("", "")
    number: str = ""

    def without_controls(self) -> Named:
        """Return the entry without control characters in its names, which a terminal would obey."""
        if bare(self.name) == self.name and all(map(str.isprintable, self.other_names)):
            return self
        return replace(
            self, name=bare(self.name), former_names=tuple(map(bare, self.former_names)),
            other_names=tuple(map(bare, self.other_names)),
        )  # fmt: skip


def bare(text: str) -> str:
    """Return a text without control characters; white space is single blanks."""
    return " ".join("".join(x if x.isprintable() else " " for x in text).split())


@runtime_checkable
class RecordSource(Protocol):
    """A public record of which somebody wrote a reader.

    A source turns answers into :class:`Named`. It compares no names and decides nothing.

    Attributes
    ----------
    name : str
    summary : str
        One line for the list of sources.
    hosts : tuple of str
        The only hosts that are asked for it.
    time : str
        What it says of the time of an action: ``"minute"`` or ``"day"``.
    licence : str
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    time: ClassVar[str]
    licence: ClassVar[str]

    def ask(self, shelf: Shelf, since: dt.date, until: dt.date) -> None:
        """Ask for what is needed to read the actions of some days; answers go to the shelf.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Both inclusive.
        """
        ...

    def read(self, shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Named]:
        """Yield who is named in the actions of some days, from kept answers alone.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Both inclusive.
        """
        ...
