"""A stand-in for Yahoo Finance on loopback, so that tests drive the real yfinance over real HTTP.

It answers what yfinance asks for daily prices:

    https://fc.yahoo.com/                              a cookie
    https://query1.finance.yahoo.com/v1/test/getcrumb  a crumb
    https://query2.finance.yahoo.com/v8/finance/chart/SYMBOL?range=1d | period1&period2
    https://query2.finance.yahoo.com/ws/fundamentals-timeseries/v1/finance/timeseries/SYMBOL?period1&period2

It is an HTTP proxy that answers every ``*.yahoo.com`` itself, with a certificate made for the
occasion, and refuses any other host. The program under test needs only the environment of
`Yahoo.env`.
"""

from __future__ import annotations

import json
import math
import random
import re
import socket
import ssl
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from datetime import time as clock
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import trustme

Row = tuple[date, float, float, float, float, int]  # all but the date may be None: a hole


@dataclass(frozen=True)
class Market:
    """Time zone, regular session, currency and Yahoo's name of an exchange."""

    zone: str
    opens: str
    closes: str
    currency: str
    exchange: str


MARKETS = {
    "": Market("America/New_York", "09:30", "16:00", "USD", "NMS"),
    "SS": Market("Asia/Shanghai", "09:30", "15:00", "CNY", "SHH"),
    "SZ": Market("Asia/Shanghai", "09:30", "15:00", "CNY", "SHZ"),
    "HK": Market("Asia/Hong_Kong", "09:30", "16:00", "HKD", "HKG"),
    "L": Market("Europe/London", "08:00", "16:30", "GBp", "LSE"),
    "TW": Market("Asia/Taipei", "09:00", "13:30", "TWD", "TAI"),
    "KS": Market("Asia/Seoul", "09:00", "15:30", "KRW", "KSC"),
    "T": Market("Asia/Tokyo", "09:00", "15:30", "JPY", "JPX"),
    "NS": Market("Asia/Kolkata", "09:15", "15:30", "INR", "NSI"),
    "IS": Market("Europe/Istanbul", "10:00", "18:00", "TRY", "IST"),
    "AS": Market("Europe/Amsterdam", "09:00", "17:30", "EUR", "AMS"),
    "PA": Market("Europe/Paris", "09:00", "17:30", "EUR", "PAR"),
    "VI": Market("Europe/Vienna", "09:00", "17:30", "EUR", "VIE"),
    "CO": Market("Europe/Copenhagen", "09:00", "17:00", "DKK", "CPH"),
}


@dataclass
class Series:
    """One symbol; closes are adjusted for splits, as Yahoo's are.

    `fault` is a key of `FAULTS`, or ``drop``, ``hang``, ``cut`` or ``trickle``; the first
    `fault_times` requests for prices get it. `home` is the suffix of the market of an index, which
    has none of its own.
    """

    symbol: str
    rows: list[Row]
    dividends: dict[date, float] = field(default_factory=dict)
    splits: dict[date, tuple[int, int]] = field(default_factory=dict)
    counts: dict[date, float] = field(default_factory=dict)
    instrument: str = "EQUITY"
    fault: str = ""
    fault_times: int = 10**9
    home: str = ""

    @property
    def market(self) -> Market:
        return MARKETS[self.home or (self.symbol.rpartition(".")[2] if "." in self.symbol else "")]

    def adjusted(self) -> list[float]:
        """Return closes times the product of 1 - dividend / previous close over the later
        ex-days."""
        factor, closes = 1.0, []
        for position in range(len(self.rows) - 1, -1, -1):
            day, close = self.rows[position][0], self.rows[position][4]
            closes.append(None if close is None else close * factor)
            if day in self.dividends and position:
                factor *= 1 - self.dividends[day] / self.rows[position - 1][4]
        return closes[::-1]

    def stamp(self, day: date, at: str = "") -> int:
        """Return the Unix time of the opening, or of the local time `at`, on `day`."""
        local = clock.fromisoformat(at or self.market.opens)
        return int(datetime.combine(day, local, ZoneInfo(self.market.zone)).timestamp())


def synthetic(
    symbol: str,
    start: date = date(2018, 1, 2),
    end: date = date(2020, 12, 31),
    *,
    price: float = 100.0,
    **options: Any,
) -> Series:
    """Return a random walk on weekdays, the same for the same symbol."""
    draw = random.Random(zlib.crc32(symbol.encode()))
    rows: list[Row] = []
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        if day.weekday() < 5:
            opened, price = price, price * math.exp(draw.gauss(0.0003, 0.02))
            high, low = max(opened, price) * 1.004, min(opened, price) * 0.996
            prices = (round(value, 4) for value in (opened, high, low, price))
            rows.append((day, *prices, draw.randrange(10**5, 10**7)))
    return Series(symbol, rows, **options)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class Yahoo:
    """The stand-in; a context manager that serves `series` while it is open."""

    def __init__(self, *series: Series) -> None:
        self.series = {each.symbol: each for each in series}
        self.recorded: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="yahoo-standin-")
        authority = trustme.CA()
        self.ca_file = Path(self._folder.name) / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.set_alpn_protocols(["http/1.1"])
        authority.issue_cert("*.yahoo.com", "*.finance.yahoo.com").configure_cert(self.tls)
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"yahoo": self}))

    def __enter__(self) -> Yahoo:
        serve = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        serve.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def env(self) -> dict[str, str]:
        """Return the variables that lead a program here; nothing else about it has to change."""
        return proxy_env(self._server.server_address[1], self.ca_file)

    def charts(self, symbol: str = "") -> list[dict[str, Any]]:
        """Return the requests for prices so far, of one symbol or of all."""
        with self.lock:
            return [
                call for call in self.log if call["path"].startswith(f"/v8/finance/chart/{symbol}")
            ]


def proxy_env(port: int, ca_file: Path | None = None) -> dict[str, str]:
    """Return the variables that send every request through a proxy on this machine."""
    proxy = f"http://127.0.0.1:{port}"
    names = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy")
    trust = dict.fromkeys(("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"), str(ca_file)) if ca_file else {}
    return {**dict.fromkeys(names, proxy), "NO_PROXY": "", "no_proxy": "", **trust}


def connections(silent: socket.socket) -> int:
    """Return how many have called a port that listens and never answers."""
    silent.setblocking(False)
    count = 0
    while True:
        try:
            silent.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


NOT_FOUND = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
FAULTS: dict[str, tuple[int, str, str]] = {
    "429": (429, "text/plain", "Edge: Too Many Requests"),
    "500": (
        500,
        "application/json",
        '{"finance":{"result":null,"error":{"code":"Internal Server Error"}}}',
    ),
    "500-chart": (
        500,
        "application/json",
        '{"chart":{"result":null,"error":{"code":"Server","description":"x"}}}',
    ),
    "consent": (200, "text/html", "<!doctype html><html><title>Before you continue</title></html>"),
    "down": (200, "text/html", "<html>Will be right back...</html>"),
    "junk": (200, "application/json", '{"chart": {"result": [{"me'),
    "empty": (200, "application/json", '{"chart": {"result": [], "error": null}}'),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    yahoo: Yahoo

    def log_message(self, *arguments: Any) -> None:
        """Keep the test output clean."""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        self.close_connection = True
        if not re.fullmatch(r"([\w-]+\.)*yahoo\.com", host):
            self.reply(403, "text/plain", "")
            return
        self.send_response(200, "Connection established")
        self.end_headers()
        with self.yahoo.tls.wrap_socket(self.connection, server_side=True) as tunnel:
            type(self)(tunnel, self.client_address, self.server)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = unquote(url.path)
        with self.yahoo.lock:
            self.yahoo.log.append(
                {"host": self.headers.get("Host", ""), "path": path, "query": query}
            )
        if path == "/v1/test/getcrumb":
            self.reply(200, "text/plain", "TestCrumb1")
        elif path.startswith("/v8/finance/chart/"):
            self.chart(path.rpartition("/")[2], query)
        elif path.startswith("/ws/fundamentals-timeseries/v1/finance/timeseries/"):
            self.shares(path.rpartition("/")[2], query)
        elif path == "/":
            self.cookie()
        else:
            self.json(
                404,
                {"finance": {"result": None, "error": {"code": "Not Found", "description": path}}},
            )

    def cookie(self) -> None:
        expires = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3e7))
        cookie = f"A3=d=AQAB; Expires={expires}; Domain=.yahoo.com; Path=/; Secure; HttpOnly"
        self.reply(404, "text/html", "", ("Set-Cookie", cookie))

    def chart(self, symbol: str, query: dict[str, str]) -> None:
        series = self.yahoo.series.get(symbol)
        if symbol in self.yahoo.recorded:
            self.json(200, self.yahoo.recorded[symbol])
            return
        if series is None:
            self.json(404, {"chart": {"result": None, "error": NOT_FOUND}})
            return
        fault = self.fault_of(series)
        if fault == "drop":
            self.connection.close()
            self.close_connection = True
        elif fault == "hang":
            time.sleep(3)
        elif fault in ("cut", "trickle"):
            self.half(json.dumps(answer(series, query)[1]).encode(), slowly=fault == "trickle")
        elif fault:
            self.reply(*FAULTS[fault])
        else:
            self.json(*answer(series, query))

    def shares(self, symbol: str, query: dict[str, str]) -> None:
        series = self.yahoo.series[symbol]
        low, high = int(query["period1"]), int(query["period2"])
        found = {series.stamp(day): count for day, count in series.counts.items()}
        own = {at: count for at, count in sorted(found.items()) if low <= at < high}
        known = {"timestamp": [*own], "shares_out": [*own.values()]} if own else {}
        result = {"meta": {"symbol": [symbol], "type": ["shares_out"]}, **known}
        self.json(200, {"timeseries": {"result": [result], "error": None}})

    def half(self, body: bytes, *, slowly: bool) -> None:
        """Promise all of a body and send a part: at once, or byte after byte for three seconds."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(30 if slowly else 1):
            self.wfile.write(body[at : at + 1] if slowly else body[: len(body) // 2])
            time.sleep(0.1 if slowly else 0)
        self.connection.close()

    def fault_of(self, series: Series) -> str:
        with self.yahoo.lock:
            series.fault_times -= 1
            return series.fault if series.fault_times >= 0 else ""

    def json(self, status: int, body: dict[str, Any]) -> None:
        self.reply(status, "application/json", json.dumps(body))

    def reply(self, status: int, kind: str, body: str, *headers: tuple[str, str]) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def answer(series: Series, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Return status and body of the chart of one symbol."""
    stamps = [series.stamp(row[0]) for row in series.rows]
    low, high = stamps[-1], stamps[-1] + 1
    if "period1" in query:
        low, high = int(query["period1"]), int(query["period2"])
    keep = [position for position, stamp in enumerate(stamps) if low <= stamp < high]
    if not keep:
        text = f"Data doesn't exist for startDate = {low}, endDate = {high}"
        return 400, {
            "chart": {"result": None, "error": {"code": "Bad Request", "description": text}}
        }
    columns = zip(*(series.rows[position][1:] for position in keep), strict=True)
    quote = dict(zip(("open", "high", "low", "close", "volume"), map(list, columns), strict=True))
    adjusted = series.adjusted()
    result = {
        "meta": meta(series),
        "timestamp": [stamps[position] for position in keep],
        "events": events(series, low, high),
        "indicators": {
            "quote": [quote],
            "adjclose": [{"adjclose": [adjusted[position] for position in keep]}],
        },
    }
    return 200, {"chart": {"result": [result], "error": None}}


def meta(series: Series) -> dict[str, Any]:
    """Return the head of a chart; the current session is that of the last row."""
    market, last = series.market, series.rows[-1]
    start, end = series.stamp(last[0]), series.stamp(last[0], market.closes)
    offset = datetime.fromtimestamp(start, ZoneInfo(market.zone)).utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    session = {"timezone": "X", "start": start, "end": end, "gmtoffset": seconds}
    return {
        "currency": market.currency,
        "symbol": series.symbol,
        "exchangeName": market.exchange,
        "instrumentType": series.instrument,
        "firstTradeDate": series.stamp(series.rows[0][0]),
        "regularMarketTime": end,
        "hasPrePostMarketData": False,
        "gmtoffset": seconds,
        "timezone": "X",
        "exchangeTimezoneName": market.zone,
        "regularMarketPrice": last[4],
        "priceHint": 2,
        "currentTradingPeriod": {name: dict(session) for name in ("pre", "regular", "post")},
        "dataGranularity": "1d",
        "validRanges": ["1d", "5d", "1mo", "1y", "max"],
    }


def events(series: Series, low: int, high: int) -> dict[str, Any]:
    """Return the dividends and splits of a chart."""
    dividends = {series.stamp(day): {"amount": amount} for day, amount in series.dividends.items()}
    splits = {
        series.stamp(day): {"numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}
        for day, (new, old) in series.splits.items()
    }
    named = {"dividends": dividends, "splits": splits}
    return {
        name: {str(at): {**body, "date": at} for at, body in found.items() if low <= at < high}
        for name, found in named.items()
        if any(low <= at < high for at in found)
    }


# Faults of one symbol, while the others are answered.


def gone(yahoo: Yahoo, series: Series) -> None:
    del yahoo.series[series.symbol]


def of_another_name(yahoo: Yahoo, series: Series) -> None:
    yahoo.series[series.symbol] = replace(series, symbol="OTHER")


def of_another_firm(yahoo: Yahoo, series: Series) -> None:
    rows = synthetic("OTHER", start=series.rows[0][0], end=series.rows[-1][0]).rows
    yahoo.series[series.symbol] = replace(series, rows=rows)


def half(yahoo: Yahoo, series: Series) -> None:
    yahoo.series[series.symbol] = replace(series, rows=series.rows[: len(series.rows) // 2])


def of_the_wire(fault: str) -> Callable[[Yahoo, Series], None]:
    """Return the fault that no request for prices of a symbol is answered as it should be."""

    def spoil(yahoo: Yahoo, series: Series) -> None:
        series.fault = fault

    spoil.__name__ = f"wire_{fault}"
    return spoil


def without_a_day(yahoo: Yahoo, series: Series) -> None:
    """Leave out the last day but one, which is new on that night."""
    rows = [*series.rows[:-2], series.rows[-1]]
    yahoo.series[series.symbol] = replace(series, rows=rows)


def with_a_blank(yahoo: Yahoo, series: Series) -> None:
    day = series.rows[-2][0]
    blank: Row = (day, None, None, None, None, None)  # type: ignore[assignment]
    yahoo.series[series.symbol] = replace(series, rows=[*series.rows[:-2], blank, series.rows[-1]])


def second_half(yahoo: Yahoo, series: Series) -> None:
    yahoo.series[series.symbol] = replace(series, rows=series.rows[len(series.rows) // 2 :])


def in_another_currency(yahoo: Yahoo, series: Series) -> None:
    yahoo.series[series.symbol] = replace(series, home="L")
