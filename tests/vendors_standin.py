"""Tiingo and EODHD on loopback, in the forms that they are known by; all numbers are made up."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from servers_standin import Authorities, Reply

from eventstudy.calendars import Sessions

# No other text has it: it must be sent to the host of a vendor, and stand nowhere else.
CANARY = "c4nary0000f0000the0000mine"
Row = dict[str, Any]


def days_of(first: str, n: int, calendar: str = "XNYS") -> list[str]:
    """Return the first `n` sessions from a day on."""
    dates = Sessions.of(calendar).dates.astype(str)
    return dates[dates >= first][:n].tolist()  # type: ignore[no-any-return]


class Vendor(Authorities):
    """A vendor with rows by the code of a symbol, and no other symbols."""

    host = ""
    path = ""
    ends = ("", "")
    variable = ""

    def __init__(self, series: dict[str, list[Row]]) -> None:
        super().__init__()
        self.series = series
        self.answers[f"https://{self.host}/"] = Reply("{}", status=404)
        # In the place of every answer, while it is set.
        self.fault: Reply | None = None

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, self.variable: CANARY}

    def reply_to(self, url: str, headers: dict[str, str]) -> Reply:
        super().reply_to(url, headers)
        if urlsplit(url).netloc != self.host:
            return Reply("{}")
        return self.fault or self.answer(url, headers)

    def answer(self, url: str, headers: dict[str, str]) -> Reply:
        raise NotImplementedError

    def rows(self, code: str, url: str) -> list[Row]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        first, last = (query[name] for name in self.ends)
        return [row for row in self.series[code] if first <= row["date"][:10] <= last]


class Tiingo(Vendor):
    host = "api.tiingo.com"
    ends = ("startDate", "endDate")
    variable = "TIINGO_API_KEY"

    def answer(self, url: str, headers: dict[str, str]) -> Reply:
        if headers.get("authorization") != f"Token {CANARY}":
            return Reply("None", "text/plain", 403)
        parts = urlsplit(url).path.split("/")
        code = parts[3]
        if code not in self.series:
            return Reply(json.dumps({"detail": f"Error: Ticker '{code}' not found"}), status=404)
        if parts[-1] == "prices":
            return Reply(json.dumps(self.rows(code, url)))
        rows = self.series[code]
        about = {"ticker": code.upper(), "name": "Made Up", "exchangeCode": "NASDAQ"}
        ends = {"startDate": rows[0]["date"][:10], "endDate": rows[-1]["date"][:10]}
        return Reply(json.dumps({**about, **ends, "description": "Not found in any directory."}))


class Eodhd(Vendor):
    host = "eodhd.com"
    ends = ("from", "to")
    variable = "EODHD_API_TOKEN"

    def answer(self, url: str, headers: dict[str, str]) -> Reply:
        query = parse_qs(urlsplit(url).query)
        if query.get("api_token") != [CANARY]:
            return Reply("Unauthenticated", "text/html", 401)
        code = urlsplit(url).path.rpartition("/")[2]
        if code not in self.series:
            return Reply("Ticker Not Found.", "text/html", 404)
        if query.get("fmt") != ["json"] or query.get("order") != ["a"]:
            return Reply("Date,Open,High,Low,Close\n", "text/csv")
        return Reply(json.dumps(self.rows(code, url)), headers={"X-RateLimit-Remaining": "1"})


def tiingo_row(at: str, close: float | None, adjusted: float | None = None, **more: Any) -> Row:
    """Return a row; other adjusted numbers are those of nobody."""
    prices = {"open": close, "high": close, "low": close, "close": close, "volume": 1000}
    after = {"adjClose": close if adjusted is None else adjusted, "adjOpen": 1.0, "adjHigh": 1.0}
    acts = {"adjLow": 1.0, "adjVolume": 7, "divCash": 0.0, "splitFactor": 1.0}
    return {"date": f"{at}T00:00:00.000Z", **prices, **after, **acts, **more}


def eodhd_row(at: str, close: float | None, adjusted: float | None = None, **more: Any) -> Row:
    prices = {"open": close, "high": close, "low": close, "close": close, "volume": 1000}
    return {"date": at, **prices, "adjusted_close": close if adjusted is None else adjusted, **more}
