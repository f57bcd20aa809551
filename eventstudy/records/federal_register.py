"""The Federal Register: when a document was filed, to the minute, and when it was printed.

The desk of public inspection says when a document was filed; print says its citation and what it
amends. A document that is withdrawn from the desk loses its time there: only kept answers have it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urlencode

from ..errors import RecordError, WireError
from ..wire import GONE
from ..words import make_error
from .names import is_body
from .shelf import Answer, Shelf
from .types import Action, Named

API = "https://www.federalregister.gov/api/v1/"
PRINT = f"{API}documents"
DESK = f"{API}public-inspection-documents"
PER_PAGE = 1000
# The server counts no further.
MOST = 10_000
# Documents of one request to the desk, and days before the last one whose desk is looked at again:
# a document may lie there for weeks before it is printed, and be withdrawn.
AT_ONCE, DESK_DAYS = 50, 10
# The desk has no records of earlier documents.
FIRST_DESK = "2011-01-01"
LONGEST_EXCERPT = 300
FIELDS = (
    "document_number", "title", "type", "action", "abstract", "effective_on", "publication_date",
    "citation", "html_url", "agencies", "correction_of",
)  # fmt: skip
# Without the number of readers, which changes all the time.
DESK_FIELDS = (
    "document_number", "title", "type", "filed_at", "filing_type", "publication_date",
    "editorial_note", "html_url", "agencies",
)  # fmt: skip
Facts = Mapping[str, Any]
# Documents about lists: what is asked of print.
QUERIES: tuple[Mapping[str, str], ...] = (
    {"agencies][": "industry-and-security-bureau", "type][": "RULE", "cfr][title": "15",
     "cfr][part": "744"},
    {"agencies][": "foreign-assets-control-office"},
    {"agencies][": "defense-department", "term": '"Chinese military companies"'},
    {"agencies][": "homeland-security-department",
     "term": '"Uyghur Forced Labor Prevention Act Entity List"'},
)  # fmt: skip
# Lists, as titles name them. Of OFAC every document is taken.
LISTS = {
    "Uyghur Forced Labor Prevention Act": "UFLPA Entity List",
    r"(?<!Act )Entity List": "Entity List",
    "Unverified List": "Unverified List",
    "Military.End.User": "Military End-User List",
    "Chinese Military Compan": "Section 1260H list",
    "Chinese Military-Industrial Complex": "NS-CMIC List",
}
OFAC = "foreign-assets-control-office"
_VERBS = {
    "added": r"\badd(?:itions?|ing|s|ed)\b",
    "removed": r"\bremov(?:als?|ing|es|ed)\b|\bdelist",
    "revised": r"\brevis(?:ions?|ing|es|ed)\b|\bmodif|\bamendments?\b|\bcorrection of\b",
}
_CORRECTION = re.compile(r"(?:^|[;:] ?)(?:technical )?corrections?\.?$", re.IGNORECASE)
_WITHDRAWN = re.compile(r"withdraw", re.IGNORECASE)
_COMPANY = r"[^\"“”]*(?:Co\.|Ltd\.|Inc\.|Corp\.|LLC|Limited|Company|Corporation)"
_QUOTED = re.compile(rf"[\"“]({_COMPANY}),?[\"”]")
_MATTER = re.compile(rf"In the Matter of:? ({_COMPANY})")


@dataclass
class Document:
    """What kept answers say of one document.

    Attributes
    ----------
    number : str
    desk, printed : list of (Answer, mapping)
        What the desk and print said of it, the oldest first.
    missed : Answer or None
        The first list of the desk that should still have it and has not.
    """

    number: str
    desk: list[tuple[Answer, Facts]] = field(default_factory=list)
    printed: list[tuple[Answer, Facts]] = field(default_factory=list)
    missed: Answer | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """All that is said of it; print counts more than the desk, and later more than earlier."""
        facts: dict[str, Any] = {}
        for _, newer in [*self.desk, *self.printed]:
            facts |= {name: value for name, value in newer.items() if value not in (None, "")}
        return facts

    @property
    def withdrawal(self) -> Answer | None:
        """The answer that first shows that it was withdrawn; None where none does."""
        if self.printed:
            return None
        first = None
        for answer, facts in self.desk:
            note = facts.get("editorial_note") or ""
            is_withdrawn = not facts.get("filed_at") and bool(_WITHDRAWN.search(note))
            first = (first or answer) if is_withdrawn else None
        return first or self.missed

    @property
    def actions(self) -> list[Action]:
        """The filing, where a time of it is known, and the withdrawal, if any."""
        facts = self.facts
        filed_at = facts.get("filed_at")
        printed_on = _day(self.printed[-1][1].get("publication_date")) if self.printed else None
        answer = min((one for one, _ in [*self.desk, *self.printed]), key=_retrieved)
        title = " ".join(str(facts.get("title", "")).split())
        agencies = [agency.get("name") or "" for agency in facts.get("agencies", ())]
        filing = Action(
            source=FederalRegister.name, key=self.number,
            verb=read_verb(title, facts.get("action", ""), facts.get("abstract", ""),
                           is_correction=bool(facts.get("correction_of"))),
            authority=agencies[-1] if agencies else "", listing=lists_in(title), title=title,
            url=facts.get("html_url", f"{PRINT}/{self.number}"),
            claimed=dt.datetime.fromisoformat(filed_at) if filed_at else printed_on,
            seen=answer.retrieved_at, looked_before=answer.looked_before,
            effective_on=_day(facts.get("effective_on")), printed_on=printed_on,
            document_number=self.number, citation=facts.get("citation", ""),
        )  # fmt: skip
        gone = self.withdrawal
        if gone is None:
            return [filing]
        withdrawal = replace(
            filing, verb="withdrawn", claimed=None, seen=gone.retrieved_at,
            looked_before=gone.looked_before,
        )  # fmt: skip
        return [filing, withdrawal] if filed_at else [withdrawal]

    @property
    def dated(self) -> Action:
        """The last action with the time of the filing, also of one that was withdrawn later."""
        actions = self.actions
        return replace(actions[-1], claimed=actions[0].claimed)


class FederalRegister:
    """Documents about lists, by the desk of public inspection and by print."""

    name: ClassVar = "federal-register"
    summary: ClassVar = "documents about lists, with the minute of their filing"
    hosts: ClassVar[tuple[str, ...]] = ("www.federalregister.gov",)
    time: ClassVar = "minute"
    licence: ClassVar = "US public domain"

    def ask(self, shelf: Shelf, since: dt.date, until: dt.date) -> None:
        """Ask print for documents about lists, and the desk for when they were filed.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Both inclusive; print is asked for all since the year of the first.

        Raises
        ------
        WireError
            If an answer repeats a document, or has fewer than it counts: the list is not whole.
        RecordError
            If there are too many documents.
        """
        numbers: list[str] = []
        for query in QUERIES:
            numbers += self._ask_print(shelf, query, since)
        for back in range(DESK_DAYS, -1, -1):
            day = until - dt.timedelta(days=back)
            if day >= since:
                shelf.ask(desk_of(day), wants="json", hosts=self.hosts, fresh=True)
        known = read_documents(shelf)
        asked = {number for url in shelf.urls(f"{DESK}/") for number in _numbers_of(url)}
        missing = sorted(
            number for number in set(numbers)
            if number not in asked and not known[number].desk
            and known[number].facts.get("publication_date", "") >= FIRST_DESK
        )  # fmt: skip
        for start in range(0, len(missing), AT_ONCE):
            self._ask_numbers(shelf, DESK, missing[start : start + AT_ONCE])

    def read(self, shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Named]:
        """Yield companies that titles and abstracts name; the texts are not read.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Of the first public time; both inclusive.
        """
        for document in _between(shelf, since, until):
            facts = document.facts
            answer = (document.printed or document.desk)[-1][0]
            for name, excerpt in names_in(facts.get("title", ""), facts.get("abstract", "")):
                for action in document.actions:
                    yield Named(
                        action, name, "body" if is_body(name) else "company",
                        excerpt=answer.quote(excerpt, name),
                        sha256=answer.sha256, retrieved_at=answer.retrieved_at,
                    )  # fmt: skip

    def actions(self, shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Action]:
        """Yield the documents about lists, whoever they name.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Of the first public time; both inclusive.
        """
        for document in _between(shelf, since, until):
            yield from document.actions

    def ask_document(self, shelf: Shelf, number: str) -> None:
        """Ask the desk and print for one document.

        Parameters
        ----------
        shelf : Shelf
        number : str
            Such as 2019-22210.

        Raises
        ------
        WireError
            If neither has it, or one cannot be asked.
        """
        has_desk = self._ask_numbers(shelf, DESK, [number])
        has_print = self._ask_numbers(shelf, PRINT, [number])
        if not has_desk and not has_print:
            raise make_error(WireError, "register.unknown", where=self.name, value=number)

    def _ask_numbers(self, shelf: Shelf, place: str, numbers: list[str]) -> bool:
        """Ask for documents by number; return whether there are any.

        Of what it does not have the server answers a page with status 404.
        """
        url = f"{place}/{','.join(numbers)}.json"
        try:
            answer = shelf.ask(url, wants="json", hosts=self.hosts, fresh=True)
        except WireError as error:
            if error.status not in GONE:
                raise
            return False
        return answer.status not in GONE

    def _ask_print(self, shelf: Shelf, query: Mapping[str, str], since: dt.date) -> list[str]:
        """Ask print page by page; return the numbers of the documents."""
        url: str | None = print_of(query, since)
        numbers: list[str] = []
        count = 0
        while url:
            answer = shelf.ask(url, wants="json", hosts=self.hosts, fresh=True)
            facts = _json(answer)
            count = max(count, int(facts.get("count", 0)))
            if count >= MOST:
                raise make_error(RecordError, "register.too_many", where=url, most=MOST)
            new = [result["document_number"] for result in facts.get("results", ())]
            repeated = sorted({*new} & {*numbers})
            if repeated:
                raise make_error(WireError, "register.repeats", where=url, value=repeated[0])
            numbers += new
            url = re.sub(r"&_=\d+|(?<=\?)_=\d+&", "", facts.get("next_page_url") or "")
        if len(numbers) < count:
            facts = {"n": len(numbers), "count": count}
            raise make_error(WireError, "register.lacks", where=self.name, **facts)
        return numbers


def document(shelf: Shelf, number: str) -> Action | None:
    """Return what kept answers say of one document; None if nothing.

    Parameters
    ----------
    shelf : Shelf
    number : str
        Such as 2019-22210.

    Returns
    -------
    Action or None
        ``claimed`` is when it was filed, with its offset, or the day of print alone. One that was
        withdrawn is so in its verb; its time is that of an answer kept before.
    """
    found = read_documents(shelf).get(number)
    return found.dated if found else None


def read_documents(shelf: Shelf) -> dict[str, Document]:
    """Return all that kept answers say of documents, by number."""
    documents: dict[str, Document] = {}

    def of(facts: Facts) -> Document:
        return documents.setdefault(facts["document_number"], Document(facts["document_number"]))

    for url in shelf.urls(PRINT):
        for answer in shelf.kept(url):
            for facts in _results(answer):
                of(facts).printed.append((answer, facts))
    for url in shelf.urls(DESK):
        before: dict[str, Facts] = {}
        for answer in shelf.kept(url):
            now = {facts["document_number"]: facts for facts in _results(answer)}
            for facts in now.values():
                of(facts).desk.append((answer, facts))
            for number in _vanished(url, before, now, answer):
                if documents[number].missed is None:
                    documents[number].missed = answer
            before = now
    for found in documents.values():
        found.desk.sort(key=lambda pair: _retrieved(pair[0]))
        found.printed.sort(key=lambda pair: _retrieved(pair[0]))
        if found.missed and any(a.retrieved_at > found.missed.retrieved_at for a, _ in found.desk):
            found.missed = None
    return documents


def _vanished(
    url: str, before: Mapping[str, Facts], now: Mapping[str, Facts], answer: Answer
) -> list[str]:
    """Return the documents that the desk of a day had and has no more, though not printed by then.

    While the desk is closed, at night, it lists another day.
    """
    day = re.search(r"\d{4}-\d\d-\d\d$", url)
    is_closed = "pil_unavailability_message" in (_json(answer).get("meta") or {})
    if day is None or is_closed:
        return []
    gone = [number for number in before if number not in now]
    return [n for n in gone if (before[n].get("publication_date") or "9999") > day[0]]


def print_of(query: Mapping[str, str], since: dt.date) -> str:
    """Return the address of documents in print since the year of a day.

    It is the same on every night of a year, so that a night without news keeps nothing.
    """
    pairs = [(f"conditions[{name}]", value) for name, value in query.items()]
    pairs += [("conditions[publication_date][gte]", f"{since.year}-01-01")]
    pairs += [("fields[]", name) for name in FIELDS]
    pairs += [("per_page", str(PER_PAGE)), ("order", "oldest")]
    return f"{PRINT}.json?{urlencode(pairs)}"


def desk_of(day: dt.date) -> str:
    """Return the address of what lay on the desk on a day."""
    pairs = [("fields[]", name) for name in DESK_FIELDS]
    pairs += [("conditions[available_on]", day.isoformat())]
    return f"{DESK}.json?{urlencode(pairs)}"


def read_verb(
    title: str, action: str = "", abstract: str = "", *, is_correction: bool = False
) -> str:
    """Return what a document does, by its title, its action line and its abstract.

    Parameters
    ----------
    title, action, abstract : str
    is_correction : bool
        Whether it says of which document it is a correction.

    Returns
    -------
    str
        ``unclear`` where it does several things, or says nothing of what it does.

    Examples
    --------
    >>> read_verb("Additions to the Entity List")
    'added'
    >>> read_verb("Additions and Revisions of Entities to the Entity List")
    'unclear'
    >>> read_verb("Addition of Certain Entities to the Entity List; Correction")
    'corrected'
    """
    if is_correction or _CORRECTION.search(title.strip()) or _CORRECTION.search(action.strip()):
        return "unclear" if "omit" in f"{title} {abstract}".lower() else "corrected"
    by_title = _verbs_in(f"{title}; {action}")
    found = by_title | _verbs_in(abstract)
    return min(found) if by_title and len(found) == 1 else "unclear"


def _verbs_in(text: str) -> set[str]:
    return {verb for verb, sign in _VERBS.items() if re.search(sign, text, re.IGNORECASE)}


def lists_in(title: str) -> str:
    """Return the lists that a title names, joined by semicolons."""
    found = [name for sign, name in LISTS.items() if re.search(sign, title, re.IGNORECASE)]
    return "; ".join(found)


def names_in(title: str, abstract: str) -> Iterator[tuple[str, str]]:
    """Yield the companies that a title or an abstract names, each with the words around it.

    Only what has a legal form counts: persons are not taken.
    """
    seen = set()
    for sign, text in ((_MATTER, title or ""), (_QUOTED, abstract or "")):
        for match in sign.finditer(text):
            if match[1] not in seen:
                seen.add(match[1])
                start = max(0, match.start() - LONGEST_EXCERPT // 2)
                yield match[1], text[start : start + LONGEST_EXCERPT]


def _between(shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Document]:
    """Yield the documents about lists that became public on some days, in order of number."""
    for _, found in sorted(read_documents(shelf).items()):
        facts = found.facts
        slugs = [agency.get("slug") for agency in facts.get("agencies", ())]
        actions = found.actions
        moments = [action.claimed or action.seen for action in actions]
        days = [m.date() if isinstance(m, dt.datetime) else m for m in moments]
        is_then = any(day is not None and since <= day <= until for day in days)
        if is_then and (OFAC in slugs or lists_in(str(facts.get("title", "")))):
            yield found


def _results(answer: Answer) -> list[Facts]:
    """Return the documents of an answer: of a list, or the one that was asked for."""
    facts = _json(answer)
    if "document_number" in facts:
        return [facts]
    return [facts for facts in facts.get("results", ()) if facts.get("document_number")]


def _json(answer: Answer) -> dict[str, Any]:
    facts = None
    with suppress(ValueError, RecursionError):
        facts = json.loads(answer.body)
    if not isinstance(facts, dict):
        raise make_error(RecordError, "register.form", where=answer.url)
    return facts


def _numbers_of(url: str) -> list[str]:
    return url.rpartition("/")[2].removesuffix(".json").split(",")


def _retrieved(answer: Answer) -> dt.datetime:
    return answer.retrieved_at


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
