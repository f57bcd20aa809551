"""Answers of public servers as they were received: kept once, and never changed.

A folder has bodies, each in a file named by its hash (``answers/ab/abcdef....gz``), and a line for
each in ``answers.jsonl``. A body is on the disk before its line is. Both are only added to, so all
that is read from a shelf can be read again. When an address was last asked stands in
``.looked.json``, all that is written where nothing changed.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import re
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import AlteredError, RecordError
from ..files import flush_names, replacing
from ..wire import UNCHANGED, Wants, Wire
from ..words import make_error

INDEX = "answers.jsonl"
BODIES = "answers"
LOOKED = ".looked.json"
# Letters of an excerpt.
LONGEST_EXCERPT = 300
# Headers that are kept beside an answer.
HEADERS = ("etag", "last-modified", "age", "date")
PRIVATE = 0o700
# The last letter of a line of the index, and what it has at least.
LAST = b"}"
NEEDED = {"url", "status", "kind", "retrieved_at", "as_of", "looked_before", "sha256"}
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a public server, as it was received.

    Attributes
    ----------
    url : str
        What was asked for.
    status : int
        Of HTTP.
    kind : str
        Media type, such as ``"text/html"``; "" where none was given.
    retrieved_at : datetime
        When it came, in UTC.
    looked_before : datetime or None
        When the same address was asked last and had another body; None where it never was.
    sha256 : str
        Hash of the body.
    body : bytes
    """

    url: str
    status: int
    kind: str
    retrieved_at: dt.datetime
    looked_before: dt.datetime | None
    sha256: str
    body: bytes = field(repr=False)

    def quote(self, text: str, name: str = "") -> str:
        """Return what it has of a text letter for letter, as an excerpt of at most 300 letters.

        Parameters
        ----------
        text : str
            As a reader sees it: without tags, escapes and some of the white space.
        name : str
            What the excerpt has to name.

        Returns
        -------
        str
            All of the text, else the part around the name, else the longest run of its words.
        """
        source = self.body.decode("utf-8", "replace")
        text = text[:LONGEST_EXCERPT]
        if text in source:
            return text
        if name and name in text and name in source:
            return _common_part(text, source, name)
        return _longest_run(text, source)


class Shelf:
    """Answers that are kept in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first answer is kept.
    wire : Wire, optional
        Asks the servers; without one the shelf is offline.
    """

    def __init__(self, folder: Path, wire: Wire | None = None) -> None:
        self.folder = Path(folder)
        self.wire = wire
        self._lines: dict[str, list[Line]] | None = None

    def ask(
        self, url: str, *, wants: Wants, hosts: Collection[str], holds: str = "",
        fresh: bool = False,
    ) -> Answer:  # fmt: skip
        """Ask a server, and return its answer as it is kept.

        Parameters
        ----------
        url : str
        wants : {"json", "csv", "html", "xml", "text"}
        hosts : collection of str
            The only hosts that may be asked.
        holds : str
            A text that the answer has, unless it is another page.
        fresh : bool
            Whether to ask past caches between here and the server, by a number behind the address.

        Returns
        -------
        Answer
            The one that was kept before, where nothing changed.

        Raises
        ------
        WireError
            If the server did not answer with its data and may do so later. Nothing is kept.
        RecordError
            If the answer cannot be taken, or the shelf is offline.
        AlteredError
            If a file of the shelf is not as it was written.
        """
        if self.wire is None:
            raise make_error(RecordError, "shelf.offline", where=url)
        lines = self._of(url)
        last = lines[-1] if lines else {}
        asked = f"{url}{'&' if urlsplit(url).query else '?'}_={int(time.time())}" if fresh else url
        response = self.wire.get(
            asked, wants=wants, hosts=hosts, holds=holds,
            etag=last.get("etag", ""), modified=last.get("last-modified", ""),
        )  # fmt: skip
        at = dt.datetime.now(dt.UTC)
        # A cache between us and the server answers with what the server had then.
        age = response.headers.get("age", "")
        as_of = at - dt.timedelta(seconds=int(age) if age.isdecimal() else 0)
        if response.status == UNCHANGED and lines:
            self._note_look(url, as_of)
            return self._answer(last)
        headers = {name: response.headers[name] for name in HEADERS if name in response.headers}
        return self._put(url, response.body, response.kind, response.status, at, as_of, headers)

    def keep(
        self, url: str, body: bytes, *, kind: str, status: int = 200, at: dt.datetime | None = None
    ) -> Answer:
        """Keep an answer that a person saved, and return it.

        Parameters
        ----------
        url : str
        body : bytes
        kind : str
            Media type.
        status : int
        at : datetime, optional
            When it came, with a time zone; by default now.
        """
        at = dt.datetime.now(dt.UTC) if at is None else at.astimezone(dt.UTC)
        return self._put(url, body, kind, status, at, at, {})

    def kept(self, url: str) -> list[Answer]:
        """Return all kept answers of an address, the oldest first.

        Parameters
        ----------
        url : str

        Raises
        ------
        AlteredError
            If a file is not as it was written.
        """
        return [self._answer(line) for line in self._of(url)]

    def urls(self, prefix: str = "") -> list[str]:
        """Return the addresses that begin in some way and have kept answers, in order."""
        return sorted(url for url in self._index() if url.startswith(prefix))

    def looked_at(self, url: str) -> dt.datetime | None:
        """Return when an address answered last, in UTC; None where it never did."""
        lines = self._of(url)
        text = self._looks().get(url) or (lines[-1]["as_of"] if lines else "")
        return dt.datetime.fromisoformat(text) if text else None

    def _put(
        self, url: str, body: bytes, kind: str, status: int, at: dt.datetime, as_of: dt.datetime,
        headers: Mapping[str, str],
    ) -> Answer:  # fmt: skip
        """Keep a body unless it is that of the answer before."""
        sha256 = hashlib.sha256(body).hexdigest()
        now = _text(at)
        earlier = [line for line in self._of(url) if line["retrieved_at"] <= now]
        last = earlier[-1] if earlier else {}
        if (last.get("sha256"), last.get("status")) == (sha256, status):
            self._note_look(url, as_of)
            return self._answer(last)
        look = self._looks().get(url, "")
        before = look if look <= now else ""
        line = {
            "url": url, "status": status, "kind": kind, **headers, "retrieved_at": now,
            "as_of": _text(as_of), "looked_before": before, "sha256": sha256, "bytes": len(body),
        }  # fmt: skip
        self._write_body(sha256, body)
        self._write_line(line)
        self._note_look(url, as_of)
        self._index()[url] = in_order([*self._of(url), line])
        return self._answer(line)

    def _answer(self, line: Line) -> Answer:
        before = line["looked_before"]
        return Answer(
            url=line["url"], status=line["status"], kind=line["kind"],
            retrieved_at=dt.datetime.fromisoformat(line["retrieved_at"]),
            looked_before=dt.datetime.fromisoformat(before) if before else None,
            sha256=line["sha256"], body=self._read_body(line),
        )  # fmt: skip

    def _of(self, url: str) -> list[Line]:
        return self._index().get(url, [])

    def _index(self) -> dict[str, list[Line]]:
        """Return the lines of each address, the oldest first."""
        if self._lines is None:
            by_url: dict[str, list[Line]] = {}
            for line in self._read_lines():
                by_url.setdefault(line["url"], []).append(line)
            self._lines = {url: in_order(lines) for url, lines in by_url.items()}
        return self._lines

    def _read_lines(self) -> Iterator[Line]:
        """Yield the lines of the index; one that was torn when its process was killed is none."""
        path = self.folder / INDEX
        content = path.read_bytes() if path.exists() else b""
        for number, text in enumerate(content.split(b"\n"), 1):
            if not text.endswith(LAST):
                continue
            try:
                line = json.loads(text)
            except ValueError:
                line = {}
            if not line.keys() >= NEEDED:
                raise make_error(AlteredError, "shelf.line", where=str(path), line=number)
            yield line

    def _write_line(self, line: Line) -> None:
        """Add a line to the index, below what a killed process may have left of another.

        The only brace that closes is the last letter, by which a whole line is known.
        """
        text = json.dumps(line)[:-1].replace("}", "\\u007d").encode() + LAST + b"\n"
        path = self.folder / INDEX
        path.touch(mode=0o600)
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else b"\n" + text
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        flush_names(self.folder)

    def _write_body(self, sha256: str, body: bytes) -> None:
        path = self._path(sha256)
        self.folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        path.parent.parent.mkdir(mode=PRIVATE, exist_ok=True)
        path.parent.mkdir(mode=PRIVATE, exist_ok=True)
        if not path.exists():
            with replacing(path) as new:
                new.write_bytes(gzip.compress(body, mtime=0))
            flush_names(path.parent)
            flush_names(path.parent.parent)

    def _read_body(self, line: Line) -> bytes:
        """Return the body of a line; AlteredError where it is not the one that was kept."""
        path = self._path(line["sha256"])
        try:
            body = gzip.decompress(path.read_bytes())
        except FileNotFoundError:
            why = "it is gone"
        except (EOFError, gzip.BadGzipFile, zlib.error):
            why = "it cannot be unpacked"
        else:
            why = "" if hashlib.sha256(body).hexdigest() == line["sha256"] else "its hash differs"
        if why:
            url = line["url"]
            raise make_error(AlteredError, "shelf.altered", where=str(path), url=url, why=why)
        return body

    def _path(self, sha256: str) -> Path:
        return self.folder / BODIES / sha256[:2] / f"{sha256}.gz"

    def _looks(self) -> dict[str, str]:
        """Return when each address answered last."""
        path = self.folder / LOOKED
        try:
            return dict(json.loads(path.read_bytes()))
        except (FileNotFoundError, TypeError, ValueError):
            return {}

    def _note_look(self, url: str, at: dt.datetime) -> None:
        looks = self._looks()
        looks[url] = max(_text(at), looks.get(url, ""))
        with replacing(self.folder / LOOKED) as new:
            new.write_text(json.dumps(looks, indent=0, sort_keys=True), encoding="utf-8")


def _common_part(text: str, source: str, name: str) -> str:
    """Return the name with what stands around it in both, at the place where that is most."""
    parts = []
    for in_text in re.finditer(re.escape(name), text):
        for in_source in re.finditer(re.escape(name), source):
            begin = max(0, in_source.start() - LONGEST_EXCERPT)
            left = source[begin : in_source.start()][::-1]
            before = _common_start(text[: in_text.start()][::-1], left)[::-1]
            right = source[in_source.end() : in_source.end() + LONGEST_EXCERPT]
            after = _common_start(text[in_text.end() :], right)
            parts.append(f"{before}{name}{after}".strip())
    return max(parts, key=len)


def _common_start(text: str, other: str) -> str:
    """Return the letters with which two texts begin."""
    length = 0
    for letter, another in zip(text, other, strict=False):
        if letter != another:
            break
        length += 1
    return text[:length]


def _longest_run(text: str, source: str) -> str:
    """Return the most words of a text that stand in a source one behind the other."""
    words = text.split(" ")
    longest = ""
    for first in range(len(words)):
        last = first + 1
        while last <= len(words) and (run := " ".join(words[first:last])) in source:
            longest = max(longest, run, key=len)
            last += 1
    return longest


def in_order(lines: list[Line]) -> list[Line]:
    """Return the lines of one address, the oldest first, each with the look before it.

    A person may keep an older page later on: it is a look before the newer ones too.
    """
    lines = sorted(lines, key=lambda line: line["retrieved_at"])
    for older, newer in pairwise(lines):
        newer["looked_before"] = max(newer["looked_before"], older["as_of"])
    return lines


def _text(moment: dt.datetime) -> str:
    """Return a moment in UTC as a text that sorts as moments do."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
