"""The Covered List of the FCC: equipment and services that are held a risk to national security."""

from __future__ import annotations

import re
from typing import ClassVar

from ..errors import RecordError
from ..words import clipped, make_error
from .pages import Entry, Page, PageSource, date_in
from .shelf import Answer

LONGEST_NAME = 120
# A company stands within a sentence, behind what it makes and before what else is said of it.
_MAKES = "(?:produced|provided|supplied|manufactured|offered|sold)"
_MAKER = re.compile(
    rf"\b{_MAKES}(?:,? (?:or|and|directly|indirectly|{_MAKES}))*,? by (?P<name>[A-Z].*)"
)
_END = re.compile(
    r"\s*(?:,(?! (?:Inc|Ltd|LLC|L\.L\.C|Corp|Co|S\.A|GmbH|PLC)\b)"
    r"| (?:or|and) (?:any|its|their|all)\b| subject to\b| to the extent\b"
    r"| that | which |;|\(as |\*)"
)


class Fcc(PageSource):
    """The Covered List of the Federal Communications Commission.

    Beside each entry stands the day of the public notice that put it there.
    """

    name: ClassVar = "fcc"
    summary: ClassVar = "the Covered List of the FCC"
    hosts: ClassVar = ("www.fcc.gov",)
    url: ClassVar = "https://www.fcc.gov/supplychain/coveredlist"
    holds: ClassVar = "Covered List"
    authority: ClassVar = "US Federal Communications Commission"
    listing: ClassVar = "FCC Covered List"

    def entries(self, answer: Answer) -> list[Entry]:
        """Return the rows of the list; other tables of the page are passed over.

        Parameters
        ----------
        answer : Answer

        Raises
        ------
        RecordError
            If the page has no table of equipment or services and days.
        """
        found = []
        for table in Page(answer).tables:
            for text, day in table.below("covered equipment|equipment or services", "date"):
                if text:
                    name = maker_in(text)
                    kind = "company" if name else "unknown"
                    found.append(
                        Entry("", text, date_in(day), name or clipped(text, LONGEST_NAME), kind)
                    )
        if not found:
            raise make_error(RecordError, "record_page.no_table", where=answer.url)
        return found


def maker_in(text: str) -> str:
    """Return the company within a sentence; "" where it names none.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> maker_in("Software provided by A B, Inc. or any of its successors, including updates")
    'A B, Inc.'
    >>> maker_in("Drones produced in a foreign country")
    ''
    """
    match = _MAKER.search(text)
    if match is None:
        return ""
    end = _END.search(match["name"])
    name = match["name"][: end.start()] if end else match["name"]
    return name.strip(" *†‡")
