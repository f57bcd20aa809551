"""The UFLPA Entity List of Homeland Security: whose goods are barred as made by forced labour."""

from __future__ import annotations

import re
from typing import ClassVar

from ..errors import RecordError
from ..words import make_error
from .pages import Entry, Page, PageSource, date_in
from .shelf import Answer

# Which of the law's lists a table is; the last one above it counts.
_PART = re.compile(r"2\(d\)\(2\)\(B\)(\([iv]+\))")
_SUBSIDIARIES = re.compile(
    r",?\s+(?:and|including)(?: \S+){0,4} (?:subsidiar|affiliat|subordinat).*$", re.IGNORECASE
)
_FORMER = re.compile(r"(?:and )?(?:formerly(?: known as)?|f/?k/?a\.?):?\s+", re.IGNORECASE)
_OTHER = re.compile(
    r"(?:and |including )?(?:also known as|a/?k/?a\.?|\w+ alias(?:es)?):?\s+", re.IGNORECASE
)
# Between two names; "and" is within a name too, but not behind a legal form.
_BETWEEN = re.compile(
    r";\s*(?:and\s+)?|\s+and\s+(?=formerly|also)|(?:(?<=Co\.)|(?<=Ltd\.)|(?<=Inc\.))\s+and\s+"
)


class Uflpa(PageSource):
    """The Uyghur Forced Labor Prevention Act Entity List, as Homeland Security prints it.

    The page has the day from which goods are barred; a release told it one to three days before.
    """

    name: ClassVar = "uflpa"
    summary: ClassVar = "the UFLPA Entity List of Homeland Security"
    hosts: ClassVar = ("www.dhs.gov",)
    url: ClassVar = "https://www.dhs.gov/uflpa-entity-list"
    holds: ClassVar = "UFLPA"
    authority: ClassVar = "US Homeland Security (FLETF)"
    listing: ClassVar = "UFLPA Entity List"
    prints_effect: ClassVar = True

    def entries(self, answer: Answer) -> list[Entry]:
        """Return the rows of all its tables.

        Parameters
        ----------
        answer : Answer

        Raises
        ------
        RecordError
            If the page has no table of names and days.
        """
        found = []
        for table in Page(answer).tables:
            listing = (_PART.findall(table.lead) or [""])[-1]
            for text, day in table.below("name|entit|facilit", "date"):
                if text:
                    name, former, other = read_names(text)
                    found.append(Entry(listing, text, date_in(day), name, "company", former, other))
        if not found:
            raise make_error(RecordError, "record_page.no_table", where=answer.url)
        return found


def read_names(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the name of a row, its former names, and its aliases.

    Parameters
    ----------
    text : str
        Such as ``"A Co., Ltd. (and two aliases: B (North) Co.; and C) and subsidiaries"``.

    Examples
    --------
    >>> read_names("A Co., Ltd. (and two aliases: B (North) Co.; and C) and subsidiaries")
    ('A Co., Ltd.', (), ('B (North) Co.', 'C'))
    """
    former: list[str] = []
    other: list[str] = []
    rest = text
    for bracket in brackets(text):
        names: list[str] | None = None
        for piece in _BETWEEN.split(bracket[1:-1]):
            if match := _FORMER.match(piece):
                names = former
            elif match := _OTHER.match(piece):
                names = other
            if names is None:
                break
            names.append(piece[match.end() :] if match else piece)
        if names is not None:
            rest = rest.replace(bracket, " ")
    name = " ".join(_SUBSIDIARIES.sub("", rest).split()).rstrip(" ,;*")
    return name or text, tuple(former), tuple(other)


def brackets(text: str) -> list[str]:
    """Return the bracketed parts of a text, each with those inside it."""
    found = []
    depth = 0
    start = 0
    for place, letter in enumerate(text):
        if letter == "(":
            start = start if depth else place
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            if not depth:
                found.append(text[start : place + 1])
    return found
