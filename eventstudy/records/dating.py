"""Events that cite a document: when that was public at the latest."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import ConfigError, EventStudyError
from ..files import bare
from ..words import make_error
from .accept import rows_with_commas
from .clocks import Clock
from .federal_register import FederalRegister, read_documents
from .shelf import Shelf
from .types import Action

# What is written beside an event.
COLUMNS = ("document_number", "public_no_later_than", "time_basis")
# A document in the address of an event: federalregister.gov/d/2019-22210, or with day and title.
_CITED = re.compile(r"federalregister\.gov/(?:d|documents/\d{4}/\d\d/\d\d)/([A-Z]?\d*-?\d{4}-\d+)")


@dataclass(frozen=True, slots=True)
class Dated:
    """An event with the document that it cites.

    Attributes
    ----------
    event_id, announced_at, number : str
    action : Action or None
        None where no answer has the document.
    failure : EventStudyError or None
        Why it could not be asked for.
    """

    event_id: str
    announced_at: str
    number: str
    action: Action | None
    failure: EventStudyError | None = None

    @property
    def cells(self) -> dict[str, str]:
        """Cells of the event that it fills; none where the document is not known."""
        if self.action is None:
            return {}
        clock = Clock.of(self.action)
        return dict(zip(COLUMNS, (self.number, clock.cell, str(clock.basis)), strict=True))


def number_of(event: Mapping[str, str]) -> str:
    """Return the number of the document that an event cites; "" for none.

    Examples
    --------
    >>> number_of({"source_url": "https://www.federalregister.gov/d/2019-22210"})
    '2019-22210'
    """
    given = str(event.get("document_number", "")).strip()
    found = _CITED.search(str(event.get("source_url", "")))
    return given or (found[1] if found else "")


def date_events(events: Iterable[Mapping[str, str]], shelf: Shelf, *, offline: bool) -> list[Dated]:
    """Return the events that cite a document, each with what is known of that.

    Parameters
    ----------
    events : iterable of mapping of str to str
        Cells by column.
    shelf : Shelf
    offline : bool
        Read what is kept and ask nobody.
    """
    register = FederalRegister()
    cited = [(event, number) for event in events if (number := number_of(event))]
    failures: dict[str, EventStudyError] = {}
    for number in dict.fromkeys(number for _, number in cited if not offline):
        try:
            register.ask_document(shelf, number)
        except EventStudyError as error:
            failures[number] = error
    known = read_documents(shelf)
    dated = []
    for event, number in cited:
        action = known[number].dated if number in known else None
        facts = (event["event_id"], event["announced_at"], number)
        dated.append(Dated(*facts, action, failures.get(number)))
    return dated


def with_cells(raw: bytes, cells: Mapping[str, Mapping[str, str]]) -> bytes:
    """Return an events file with cells of some events filled in; all others stay as they are.

    Parameters
    ----------
    raw : bytes
    cells : mapping of str to (mapping of str to str)
        By event id, then by column.
    """
    rows = list(csv.reader(rows_with_commas(raw)))
    head = [bare(name) for name in rows[0]]
    if "eventid" not in head:
        raise make_error(ConfigError, "records.no_event_id", value=", ".join(rows[0])[:80])
    new = [name for name in COLUMNS if bare(name) not in head]
    places = {name: k for k, name in enumerate([*head, *map(bare, new)])}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n" if b"\r\n" in raw else "\n")
    writer.writerow([*rows[0], *new])
    for row in rows[1:]:
        filled = [*row, *[""] * len(new)]
        for name, cell in cells.get(row[places["eventid"]] if row else "", {}).items():
            filled[places[bare(name)]] = cell
        writer.writerow(filled if row else row)
    return text.getvalue().encode()
