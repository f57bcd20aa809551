"""Pages of the White House: the minute at which an action was made public there, as claimed.

A page names no candidates of its own. It dates the companies that a list names on the same day.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import DataError
from ..wire import read_xml
from ..words import make_error
from .names import find_name
from .pages import BLOCK, Page
from .shelf import Answer, Shelf
from .types import Action, Named

FEEDS = (
    "https://www.whitehouse.gov/presidential-actions/feed/",
    "https://www.whitehouse.gov/news/feed/",
)
# Letters of an excerpt, at most and before the name.
LONGEST, BEFORE = 200, 60
# What a scrape writes above the text of a page.
_HEAD = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DatedPage:
    """A page with the time that it claims.

    Attributes
    ----------
    action : Action
    text : str
    answer : Answer
    """

    action: Action
    text: str
    answer: Answer

    def mention(self, named: Named) -> Named | None:
        """Return what the page says of somebody, as an entry of this page; None if nothing.

        Parameters
        ----------
        named : Named
            As a list has it: its name, or one that it had, must stand in the page as a whole.
        """
        for name in (named.name, *named.former_names):
            span = find_name(name, self.text)
            if span is None:
                continue
            answer = self.answer
            return replace(
                named, action=self.action,
                excerpt=answer.quote(surroundings(self.text, *span), self.text[slice(*span)]),
                sha256=answer.sha256, retrieved_at=answer.retrieved_at,
            )  # fmt: skip
        return None


class WhiteHouse:
    """whitehouse.gov and its archive of 2021 to 2025.

    Parameters
    ----------
    pages : tuple of str
        Addresses of further pages that are asked for.
    """

    name: ClassVar[str] = "white-house"
    summary: ClassVar[str] = (
        "pages of the White House, which date what a list names on the same day"
    )
    hosts: ClassVar[tuple[str, ...]] = ("www.whitehouse.gov", "bidenwhitehouse.archives.gov")
    time: ClassVar[str] = "minute"
    licence: ClassVar[str] = "US public domain"

    def __init__(self, pages: tuple[str, ...] = ()) -> None:
        self._pages = pages

    def ask(self, shelf: Shelf, since: dt.date, until: dt.date) -> None:
        """Ask for the pages that are named, and for those of the feeds.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
            Both inclusive.
        """
        known = {url for host in self.hosts for url in shelf.urls(f"https://{host}/")}
        for url in self._pages:
            if url not in known:
                shelf.ask(url, wants="html", hosts=self.hosts)
        for feed in FEEDS:
            answer = shelf.ask(feed, wants="xml", hosts=self.hosts)
            for url, day in _items(answer):
                if since <= day <= until:
                    shelf.ask(url, wants="html", hosts=self.hosts)

    def read(self, shelf: Shelf, since: dt.date, until: dt.date) -> Iterator[Named]:
        """Yield nobody: pages date what others name.

        Parameters
        ----------
        shelf : Shelf
        since, until : date
        """
        yield from ()

    def pages(self, shelf: Shelf) -> Iterator[DatedPage]:
        """Yield the kept pages that claim a time, each as it was first seen."""
        for host in self.hosts:
            for url in shelf.urls(f"https://{host}/"):
                if url in FEEDS:
                    continue
                first = shelf.kept(url)[0]
                before = first.looked_before or _last_look_without(shelf, first)
                if page := page_of(replace(first, looked_before=before)):
                    yield page


def _last_look_without(shelf: Shelf, answer: Answer) -> dt.datetime | None:
    """Return when a feed was kept last that did not name a page yet; None if there is none."""
    looks = [
        feed.retrieved_at for url in FEEDS for feed in shelf.kept(url)
        if feed.retrieved_at < answer.retrieved_at and answer.url.encode() not in feed.body
    ]  # fmt: skip
    return max(looks, default=None)


def page_of(answer: Answer) -> DatedPage | None:
    """Return the page that an answer has; None if it claims no time."""
    source = answer.body.decode("utf-8", "replace")
    head = _HEAD.match(source)
    if head:
        facts = dict(re.findall(r"^(\w+): *(.*(?:\n +.*)*)$", head[1], re.MULTILINE))
        title = re.sub(r"\\\n *\\? ?|\\_", " ", facts.get("title", "")).strip("'\"")
        title = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), title)
        text = source[head.end() :]
    else:
        page = Page(answer)
        facts = {name.removeprefix("article:"): fact for name, fact in page.facts.items()}
        title, text = facts.get("og:title", answer.url), page.text
    claimed = _moment(facts.get("published_time", ""), answer.url)
    if claimed is None:
        return None
    action = Action(
        source=WhiteHouse.name, key=answer.url, verb="added", authority="The White House",
        listing="", title=" ".join(title.split()), url=answer.url, claimed=claimed,
        modified=_moment(facts.get("modified_time", ""), answer.url),
        seen=answer.retrieved_at, looked_before=answer.looked_before,
    )  # fmt: skip
    return DatedPage(action, text, answer)


def surroundings(text: str, start: int, end: int) -> str:
    """Return what stands around a place in a text, between two white spaces.

    Parameters
    ----------
    text : str
    start, end : int
        The place.
    """
    first = max(0, start - BEFORE)
    last = min(len(text), max(end, first + LONGEST))
    if first:
        # Begin at a name where names are listed, and never in another block.
        ends = [text.rfind(mark, first, start) + len(mark) for mark in ("; ", BLOCK)]
        first = max(ends) if max(ends) > first else text.find(" ", first, start) + 1 or start
    if last < len(text):
        last = max(text.rfind(" ", end, last), end)
    block = text.find(BLOCK, end, last)
    return text[first : last if block < 0 else block].strip()


def _moment(text: str, url: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise make_error(DataError, "records.no_moment", where=url, value=text)
    return moment


def _items(answer: Answer) -> Iterator[tuple[str, dt.date]]:
    """Yield address and day of each item of a feed (RSS 2.0)."""
    from email.utils import parsedate_to_datetime

    for item in read_xml(answer.body).iter("item"):
        link = (item.findtext("link") or "").strip()
        stamp = item.findtext("pubDate")
        if link and stamp:
            yield link, parsedate_to_datetime(stamp).date()
