"""Requests to public servers: honest, slow, bounded, and to named hosts only.

A page in place of data, such as a request to prove that one is a person, is a fault. So are a cut
answer and one that takes too long: none of them ever reads as "there is nothing".
"""

from __future__ import annotations

import http.client
import json
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPDefaultErrorHandler, HTTPRedirectHandler, Request, build_opener
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..errors import ConfigError, EventStudyError, RecordError, WireError
from ..utility import __version__
from ..words import clipped, make_error
from .worker import Worker

Wants = Literal["json", "csv", "html", "xml", "text"]
RETRIES = 2
# Failures in a row after which a host is not asked again.
BREAK_AFTER = 3
# Seconds that a server may ask us to wait; one that asks for more is asked another night.
LONGEST_WAIT = 60.0
PIECE = 1 << 16
GZIP = 16 + zlib.MAX_WBITS
PAGES = ("text/html", "application/xhtml+xml")
# How a page begins whose media type says otherwise, and how one ends that is whole.
PAGE_STARTS = (b"<!doctype html", b"<html")
PAGE_END = b"</html"
UNCHANGED = 304
GONE = (404, 410)


class BriefError(WireError):
    """A fault that may pass within seconds.

    Attributes
    ----------
    wait : float
        Seconds that the server asks us to wait; 0 where it does not say.
    """

    wait = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """What a server sent.

    Attributes
    ----------
    status : int
        200; 304 where nothing changed; 404 where JSON was wanted and says that there is nothing.
    kind : str
        Media type.
    headers : mapping of str to str
        By names in small letters.
    body : bytes
    """

    status: int
    kind: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Wire:
    """Asks public servers for files and pages; not for use by several threads at once.

    Parameters
    ----------
    contact : str, optional
        Of the person who asks, such as a mail address; servers are told it. Records need one.
    pause : float
        Seconds between two requests to one host.
    timeout : float
        Seconds that a server may be silent.
    longest : float
        Seconds that one answer may take in all.
    most_bytes : int
        Size of the largest answer that is taken.

    Raises
    ------
    ConfigError
        If the contact is blank, or not in plain letters.
    """

    def __init__(
        self, contact: str | None = None, *, pause: float = 1.0, timeout: float = 30.0,
        longest: float = 300.0, most_bytes: int = 50_000_000,
    ) -> None:  # fmt: skip
        self.agent = f"eventstudy/{__version__}"
        if contact is not None:
            if not contact.strip() or not contact.isascii() or not contact.isprintable():
                raise make_error(ConfigError, "wire.no_contact", value=contact)
            self.agent += f" ({contact.strip()})"
        self.pause = pause
        self.timeout = timeout
        self.longest = longest
        self.most_bytes = most_bytes
        self._asked_at: dict[str, float] = {}
        self._failures: dict[str, list[WireError]] = {}

    def get(
        self, url: str, *, wants: Wants, hosts: Collection[str], holds: str = "", etag: str = "",
        modified: str = "", headers: Mapping[str, str] | None = None,
        heed: Callable[[Response], None] | None = None,
    ) -> Response:  # fmt: skip
        """Return what a server answers.

        Parameters
        ----------
        url : str
        wants : {"json", "csv", "html", "xml", "text"}
        hosts : collection of str
            The only hosts that may be asked, also where the server sends us on.
        holds : str
            A text that the answer has, unless it is another page.
        etag, modified : str
            ETag and Last-Modified of the last answer: the server may say that nothing changed.
        headers : mapping of str to str, optional
            Such as a key: sent to the host of `url` alone, also where it sends us on.
        heed : callable, optional
            Sees each answer before its form is judged, and raises what its words mean. Only a
            BriefError makes us ask again.

        Returns
        -------
        Response

        Raises
        ------
        WireError
            If the server cannot be reached, asks us to wait, is at fault, falls silent, cuts its
            answer, sends us elsewhere, or answers a page in place of data: all may pass.
        RecordError
            If the address is not of a named host, or unknown there, or its answer is too large.
        """
        require_named(url, hosts)
        host = urlsplit(url).netloc
        failures = self._failures.setdefault(host, [])
        if len(failures) >= BREAK_AFTER:
            refusal = make_error(WireError, "wire.not_asked", where=url, why=failures[-1].what)
            refusal.status = failures[-1].status
            refusal.until = failures[-1].until
            raise refusal
        always = {"User-Agent": self.agent, "Accept-Encoding": "gzip"}
        if etag:
            always["If-None-Match"] = etag
        if modified:
            always["If-Modified-Since"] = modified

        def ask() -> Response:
            self._keep_pace(host)
            request = Request(url, headers=always)  # noqa: S310 - https, by require_named
            to_host(request, host, headers)
            try:
                response = Worker().do(self.longest, lambda: self._receive(request, hosts, headers))
            except (OSError, http.client.HTTPException, zlib.error) as error:
                raise classify(error, url) from error
            if heed:
                heed(response)
            judge(response, url, wants, holds)
            return response

        try:
            response = self._retry(ask)
        except WireError as error:
            failures.append(error)
            raise
        except EventStudyError:
            failures.clear()
            raise
        failures.clear()
        return response

    def _retry(self, ask: Callable[[], Response]) -> Response:
        """Ask, and ask again where that may help within a minute."""
        for attempt in range(RETRIES):
            try:
                return ask()
            except BriefError as error:
                wait = error.wait or self.pause * 2 ** (attempt + 1)
                if wait > LONGEST_WAIT:
                    raise
            time.sleep(wait)
        return ask()

    def _keep_pace(self, host: str) -> None:
        """Wait until the host may be asked again."""
        due = self._asked_at.get(host, float("-inf")) + self.pause
        time.sleep(max(0.0, due - time.monotonic()))
        self._asked_at[host] = time.monotonic()

    def _receive(
        self, request: Request, hosts: Collection[str], headers: Mapping[str, str] | None
    ) -> Response:
        """Return one answer, whatever its status."""
        until = time.monotonic() + self.longest
        first = urlsplit(request.full_url).netloc
        opener = build_opener(_NamedHosts(hosts, first, headers), _AnyStatus())
        with opener.open(request, timeout=self.timeout) as answer:
            received = {name.lower(): value for name, value in answer.headers.items()}
            return Response(
                answer.status,
                answer.headers.get_content_type() if "content-type" in received else "",
                received,
                self._read(answer, received.get("content-encoding") == "gzip", until),
            )

    def _read(self, answer: http.client.HTTPResponse, is_gzip: bool, until: float) -> bytes:
        """Return the body of an answer; its size counts unpacked."""
        unpack = zlib.decompressobj(GZIP)
        pieces = []
        room = self.most_bytes
        while piece := answer.read1(PIECE):
            if is_gzip:
                piece = unpack.decompress(piece, room + 1)
            room -= len(piece)
            if room < 0:
                url = answer.geturl()
                raise make_error(RecordError, "wire.large", where=url, most=self.most_bytes)
            if time.monotonic() > until:
                raise TimeoutError
            pieces.append(piece)
        # Bytes that were announced and did not come.
        missing = answer.length or 0
        if missing or (is_gzip and not unpack.eof):
            raise http.client.IncompleteRead(b"", missing)
        return b"".join(pieces)


class _NamedHosts(HTTPRedirectHandler):
    """Goes on to named hosts only, and takes headers of a request to its first host alone."""

    def __init__(
        self, hosts: Collection[str], first: str, headers: Mapping[str, str] | None
    ) -> None:
        self.hosts = hosts
        self.first = first
        self.headers = headers

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not is_named(newurl, self.hosts):
            fp.close()
            host = urlsplit(newurl).netloc
            raise make_error(WireError, "wire.elsewhere", where=req.full_url, host=host)
        onward = super().redirect_request(req, fp, code, msg, headers, newurl)
        if onward:
            to_host(onward, self.first, self.headers)
        return onward


class _AnyStatus(HTTPDefaultErrorHandler):
    """Returns an answer of any status."""

    def http_error_default(self, req: Request, fp: Any, code: int, msg: str, hdrs: Any) -> Any:
        return fp


def to_host(request: Request, host: str, headers: Mapping[str, str] | None) -> None:
    """Add headers to a request in place if it is to their host; urllib takes them no further."""
    if urlsplit(request.full_url).netloc == host:
        for name, value in (headers or {}).items():
            request.add_unredirected_header(name, value)


def is_named(url: str, hosts: Collection[str]) -> bool:
    """Return whether an address is one of a named host, by https."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.netloc in hosts


def require_named(url: str, hosts: Collection[str]) -> None:
    """Raise RecordError unless an address is one of a named host, by https, in plain letters."""
    if not is_named(url, hosts) or not url.isascii() or not url.isprintable() or " " in url:
        raise make_error(RecordError, "wire.not_named", value=url, hosts=list(hosts))


def classify(error: Exception, url: str) -> WireError:
    """Return the fault that an error of the connection means.

    Parameters
    ----------
    error : Exception
    url : str
        What was asked for.
    """
    if isinstance(error, HTTPError):
        error.close()
        return make_error(WireError, "wire.circle", where=url)
    cause = error.reason if isinstance(error, URLError) else error
    why = clipped(cause, 160) or type(cause).__name__
    if isinstance(cause, TimeoutError):
        return make_error(WireError, "wire.slow", where=url)
    if isinstance(error, URLError):
        return make_error(WireError, "wire.unreachable", where=url, why=why)
    return make_error(BriefError, "wire.cut", where=url, why=why)


def judge(response: Response, url: str, wants: Wants, holds: str) -> None:
    """Raise WireError or RecordError unless an answer is of the kind that was wanted.

    Parameters
    ----------
    response : Response
    url, wants, holds : str
        As for `Wire.get`.
    """
    status = response.status
    facts: dict[str, Any] = {"where": url, "status": status, "wants": wants}
    fault: RecordError | None = None
    if status == 429 or status >= 500:
        code = "wire.limited" if status == 429 else "wire.at_fault"
        fault = make_error(BriefError, code, **facts)
        fault.wait = seconds_to_wait(response.headers.get("retry-after", ""))
        if fault.wait:
            fault.until = datetime.now(UTC) + timedelta(seconds=fault.wait)
    elif status in (401, 403):
        fault = make_error(WireError, "wire.refused", **facts)
    elif status != UNCHANGED and is_page(response) and wants not in ("html", "text"):
        fault = make_error(WireError, "wire.page", **facts)
    elif status not in (200, UNCHANGED) and not (status in GONE and wants == "json"):
        why = clipped(response.body[:PIECE].decode("utf-8", "replace"), 160)
        fault = make_error(RecordError, "wire.odd", **facts, why=why)
    elif status != UNCHANGED:
        why = fault_of_body(response.body, wants)
        fault = make_error(BriefError, "wire.cut", **facts, why=why) if why else None
        if fault is None and holds.encode() not in response.body:
            fault = make_error(WireError, "wire.other_page", **facts)
    if fault is not None:
        fault.status = status
        raise fault


def is_page(response: Response) -> bool:
    """Return whether an answer is a page for people, by its media type or its first letters."""
    start = response.body[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return response.kind in PAGES or start.startswith(PAGE_STARTS)


def fault_of_body(body: bytes, wants: Wants) -> str:
    """Return what is wrong with the form of a body, or ""; RecordError for XML with a DTD."""
    try:
        if wants == "json":
            json.loads(body)
        elif wants == "xml":
            read_xml(body)
    except (ValueError, RecursionError, expat.ExpatError) as error:
        return clipped(error, 160)
    is_cut = wants == "html" and PAGE_END not in body.lower()
    return f"no {PAGE_END.decode()}>" if is_cut else ""


def read_xml(body: bytes) -> Element:
    """Return the root of an XML document.

    Raises
    ------
    RecordError
        If it has a document type: that can make a small document huge, or name files.
    """

    def refuse(name: str, *rest: object) -> None:
        raise make_error(RecordError, "wire.document_type", value=name)

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.Parse(body, True)
    return builder.close()


def seconds_to_wait(text: str) -> float:
    """Return what a header Retry-After asks for: seconds, or a date; 0 where it says neither."""
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
