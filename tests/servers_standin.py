"""A stand-in for public servers on loopback, over real HTTP and TLS.

It is an HTTP proxy that answers for the hosts of its addresses itself, with a certificate made for
the occasion, and refuses all others. The program under test needs only the environment of
`Authorities.env`.
"""

from __future__ import annotations

import gzip
import re
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme


@dataclass
class Reply:
    """An answer; `fault` is ``drop``, ``cut``, ``open cut``, ``hang``, ``trickle`` or ``head``.

    ``cut`` promises all of the body and sends half; ``open cut`` promises nothing; ``trickle`` sends
    a byte a time, ``head`` does so with the header.
    """

    body: bytes | str = b""
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def data(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


# A reply, several in turn, or a function that makes one from the address.
Answer = Reply | list[Any] | Callable[[str], Reply]
CHALLENGE = Reply(
    "<!doctype html><html><h1>Request Access</h1><p>Your request has been flagged.</p></html>",
    "text/html",
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class Authorities:
    """The stand-in; a context manager that serves `answers` while it is open.

    Parameters
    ----------
    answers : dict of str to Reply, list of Reply or function
        By address, with its query or without; of several replies each is given once, the last for
        ever; a function makes one from the address. The number that is sent to pass by caches is no
        part of an address.
    """

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.log: list[tuple[str, dict[str, str]]] = []
        self.lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="servers-standin-")
        self.authority = trustme.CA()
        self.ca_file = Path(self._folder.name) / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"standin": self}))

    def __enter__(self) -> Authorities:
        serve = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        serve.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    @property
    def env(self) -> dict[str, str]:
        """The variables that lead a program here; nothing else about it has to change."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        names = ("HTTPS_PROXY", "https_proxy")
        empty = dict.fromkeys(("NO_PROXY", "no_proxy"), "")
        return {**dict.fromkeys(names, proxy), **empty, "SSL_CERT_FILE": str(self.ca_file)}

    @property
    def urls(self) -> list[str]:
        """The addresses that were asked for so far."""
        with self.lock:
            return [url for url, _ in self.log]

    def reply_to(self, url: str, headers: dict[str, str]) -> Reply:
        with self.lock:
            self.log.append((url, headers))
            plain = self.answers.get(url.partition("?")[0], Reply("{}", status=404))
            reply = self.answers.get(re.sub(r"[?&]_=\d+$", "", url), plain)
            if isinstance(reply, list):
                reply = reply.pop(0) if len(reply) > 1 else reply[0]
            if not isinstance(reply, Reply):
                reply = reply(url)
        etag = reply.headers.get("ETag")
        if etag and headers.get("if-none-match") == etag:
            return Reply(status=304, headers={"ETag": etag})
        return reply


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    standin: Authorities
    host = ""

    def log_message(self, *arguments: Any) -> None:
        """Keep the test output clean."""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        self.close_connection = True
        if host not in {urlsplit(url).netloc for url in self.standin.answers}:
            self.send_response(502, "no such host")
            self.end_headers()
            return
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.standin.authority.issue_cert(host).configure_cert(tls)
        self.send_response(200, "Connection established")
        self.end_headers()
        with tls.wrap_socket(self.connection, server_side=True) as tunnel:
            type(self)(tunnel, self.client_address, self.server)

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.standin.reply_to(f"https://{headers['host']}{self.path}", headers)
        self.close_connection = True
        if reply.fault == "drop":
            return
        if reply.fault == "hang":
            time.sleep(10)
        data = reply.data
        if reply.headers.get("Content-Encoding") == "gzip":
            data = gzip.compress(data)
        if reply.fault == "head":
            for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60:
                self.wfile.write(bytes([letter]))
                time.sleep(0.05)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.kind and reply.status != 304:
            self.send_header("Content-Type", reply.kind)
        if reply.fault != "open cut":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if "cut" in reply.fault:
            data = data[: len(data) // 2]
        if reply.fault == "trickle":
            for letter in data:
                self.wfile.write(bytes([letter]))
                time.sleep(0.05)
            return
        self.wfile.write(data)
