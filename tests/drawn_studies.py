"""Studies drawn at random, of the shape of real ones: their files, and what their proof says."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner
from proof_studies import SHORT, World

from eventstudy.cli.main import main


@dataclass(frozen=True)
class Market:
    """An exchange: its sessions, its index, its tickers ({k} a digit, {c} a letter)."""

    calendar: str
    index: str
    ticker: str
    zone: str
    rate: str = ""
    limit: float = 10.0


MARKETS = {
    "New York": Market("XNYS", "^GSPC", "FIR{c}", "America/New_York"),
    "London": Market("XLON", "^FTSE", "FI{c}.L", "Europe/London", "GBPUSD=X"),
    "Hong Kong": Market("XHKG", "^HSI", "010{k}.HK", "Asia/Hong_Kong", "HKD=X"),
    "Shanghai": Market("XSHG", "000300.SS", "60010{k}.SS", "Asia/Shanghai", "CNY=X", 0.1),
    "Taiwan": Market("XTAI", "^TWII", "231{k}.TW", "Asia/Taipei", "TWD=X", 0.1),
    "Sao Paulo": Market("BVMF", "^BVSP", "FIR{c}3.SA", "America/Sao_Paulo", "BRL=X"),
    "Tel Aviv": Market("XTAE", "^TA125.TA", "FIR{c}.TA", "Asia/Jerusalem", "ILS=X"),
    "Riyadh": Market("XSAU", "^TASI.SR", "201{k}.SR", "Asia/Riyadh", "SAR=X", 0.1),
    "Athens": Market("ASEX", "GD.AT", "FI{c}.AT", "Europe/Athens", "EURUSD=X"),
    "Moscow": Market("XMOS", "IMOEX.ME", "FIR{c}.ME", "Europe/Moscow", "RUB=X"),
}
EVERYWHERE = ("New York", "London", "Hong Kong", "Shanghai", "Taiwan", "Sao Paulo", "Tel Aviv")
# Span of the prices, the exchange that was closed for weeks, its last session before that, others.
ERAS = (
    ("2013-09-02", "2016-06-30", "Athens", "2015-06-26", EVERYWHERE),
    ("2021-01-04", "2023-09-29", "Moscow", "2022-02-25", (*EVERYWHERE, "Riyadh")),
)
FX, COINS = "weekdays 17:00 America/New_York", "daily 24:00 UTC"
# Rows that a study drops: a ticker, and the calendar of its prices; none where there are none.
DROPPED = {
    "BTC-USD": COINS, "ETH-USD": COINS, "GBPJPY=X": FX, "GONE": "", "GON.L": "", "GONE.TA": "",
    "OMV.VI": "XWBO", "ENI.MI": "XMIL", "CL=F": "XNYS 14:30",
}  # fmt: skip
WINDOWS = ("0:0", "0:1", "-1:1", "-3:3", "-5:5", "-10:10", "0:10", "2:6", "-8:-2")
ESTIMATIONS = ("-250:-31", "-250:-11", "-120:-11", "-90:-21")


class DrawnStudy(World):
    """A study drawn from a seed; its shape decides which faults it can show.

    Attributes
    ----------
    options : list of str
        What ``eventstudy run`` takes after the events.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        first, last, self.closed, closing, others = ERAS[self.rng.integers(len(ERAS))]
        self.span = first, last
        self.has_volume, self.is_adjusted, self.in_one_file, self.has_times = self.chances(
            0.5, 0.4, 0.3, 0.3
        )
        self.tables: list[pd.DataFrame] = []
        names = list(self.rng.choice(others, self.rng.integers(0, 4), replace=False))
        if not names or self.chance(0.6):
            names.append(self.closed)
        self.centres = [pd.Timestamp(closing)] if self.closed in names else []
        while len(self.centres) < 2:
            days = self.days("XNYS")
            self.centres.append(days[self.rng.integers(340, len(days) - 60)])
        for name in names:
            self.fill(MARKETS[name])
        self.drop_some()
        self.options = self.choose([MARKETS[name] for name in names])
        self.save()

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def chances(self, *shares: float) -> list[bool]:
        return [self.chance(share) for share in shares]

    def any_of(self, choices: Sequence[str]) -> str:
        return choices[self.rng.integers(len(choices))]

    def fill(self, market: Market) -> None:
        """Add the index of an exchange, shares, and their events."""
        T = len(self.days(market.calendar))
        few = self.rng.choice(T, self.rng.integers(0, 6), replace=False)
        self.add(market.index, market.calendar, sd=0.01, holes=[few] if self.chance(0.3) else [])
        for k in range(self.rng.integers(2, 6)):
            self.list_share(market, market.ticker.format(k=k, c="ABCDEFGHIJ"[k]))

    def list_share(self, market: Market, ticker: str) -> None:
        """Add a share, which may be thin, halted, or new, and one to three events of it."""
        days = self.days(market.calendar)
        at = sorted(self.event_place(days) for _ in range(self.rng.choice([1, 1, 1, 2, 3])))
        misses, halts, lists, moves, stands_still = self.chances(0.4, 0.2, 0.1, 0.4, 0.4)
        holes: list[object] = []
        if misses:
            holes.append(np.flatnonzero(self.rng.random(len(days)) < self.rng.uniform(0.01, 0.15)))
        if halts:
            begin = at[0] + self.rng.integers(-12, 8)
            holes.append(slice(begin, begin + self.rng.integers(1, 25)))
        if lists:
            holes.append(slice(0, at[0] - self.rng.integers(40, 200)))
        if market == MARKETS[self.closed]:  # trade in a share may end earlier and begin later
            reopened = int(np.argmax(np.diff(days))) + 1
            holes.append(
                slice(reopened - self.rng.choice([0, 0, 1]), reopened + self.rng.choice(4))
            )
        size = self.rng.choice([-1, 1]) * self.rng.uniform(0.03, 0.35)
        self.add(
            ticker, market.calendar, index=market.index, beta=self.rng.uniform(0.3, 1.5),
            sd=self.rng.uniform(0.01, 0.03), holes=holes,
            still=self.rng.uniform(0.12, 0.5) if stands_still else 0.0,
            jump=(at[0], size) if moves else None, limit=market.limit,
        )  # fmt: skip
        for place in at:
            self.report(ticker, days[place], market)

    def event_place(self, days: pd.DatetimeIndex) -> int:
        """Return the place of a session: of a date of many events, near one, or of any."""
        lowest = 255 if self.chance(0.9) else 60
        if self.chance(0.3):
            return int(self.rng.integers(lowest, len(days) - 40))
        place = days.searchsorted(self.centres[self.rng.integers(len(self.centres))])
        away = 0 if self.chance(0.5) else self.rng.integers(-10, 11)
        return int(np.clip(place + away, lowest, len(days) - 40))

    def report(self, ticker: str, day: pd.Timestamp, market: Market) -> None:
        """Add an event of a day, perhaps with a time or a part of the day."""
        cells = {"group": self.any_of(["first", "second", "third one"])}
        if self.has_times:
            match self.rng.integers(5):
                case 0:
                    return self.announce(ticker, f"{day.date()}T{self.rng.integers(7, 23):02}:15",
                                         tz=self.any_of([market.zone, "America/New_York"]), **cells)  # fmt: skip
                case 1:
                    return self.announce(ticker, f"{day.date()}T15:59:00+00:00", **cells)
                case 2:
                    cells["when"] = self.any_of(["before_open", "in_session", "after_close"])
                case 3:
                    cells["day0"] = str(day.date())
        return self.announce(ticker, day.date(), **cells)

    def drop_some(self) -> None:
        """Add rows that the study cannot use: no prices, no index, no share, no history."""
        for ticker in self.rng.choice(list(DROPPED), self.rng.choice([0, 1, 2, 4]), replace=False):
            if DROPPED[ticker]:
                self.add(ticker, DROPPED[ticker], sd=0.03)
            day = "2012-06-01" if self.chance(0.2) else self.centres[0].date()
            self.announce(ticker, day, group="first")
        for place in (0, 1):
            if self.chance(0.15):
                self.announce(self.news[0]["ticker"], self.span[place], group="second")

    def choose(self, markets: Sequence[Market]) -> list[str]:
        """Return the settings, and add the exchange rates that they need."""
        model = self.any_of(["market", "market", "market_adjusted", "constant_mean"])
        options = ["--model", model, "--estimation", self.any_of(ESTIMATIONS)]
        for window in self.rng.choice(WINDOWS, self.rng.integers(2, 5), replace=False):
            options.append(f"--windows={window}")
        for name, choices, share in (
            ("--kind", ["log"], 0.3), ("--limits", ["none", "drop"], 0.3),
            ("--repeat", ["first", "keep-all"], 0.3), ("--event-window", ["-10:20"], 0.2),
            ("--by", ["none"], 0.2), ("--calendar", ["data"], 0.15), ("--currency", ["USD"], 0.15),
        ):  # fmt: skip
            if self.chance(share):
                options += [name, self.any_of(choices)]
        if "USD" in options:
            for rate in dict.fromkeys(market.rate for market in markets if market.rate):
                holes = [self.rng.choice(700, 4, replace=False)]
                self.add(rate, FX, sd=0.004, holes=holes)
        return options

    def write(self, ticker: str, close: pd.Series[float]) -> None:
        """Keep the rows of a ticker for the files, as a vendor has them."""
        close = close.round(2)
        table = pd.DataFrame({"date": close.index, "ticker": ticker, "close": close.to_numpy()})
        if self.is_adjusted:  # for a dividend of one per cent
            paid = np.arange(len(close)) < self.rng.integers(len(close))
            table["adj_close"] = close.to_numpy() * np.where(paid, 0.99, 1.0)
        if self.has_volume:
            table["volume"] = self.rng.lognormal(12, 1, len(close)).round()
            if self.chance(0.3):  # this vendor repeats the last close where there was no trade
                gone = close.isna().to_numpy()
                table.loc[gone, "volume"] = 0
                table = table.ffill()
        self.tables.append(table.dropna(subset="close"))

    def save(self) -> None:
        """Write the events, and the prices as one file or as one a ticker."""
        pd.DataFrame(self.news).fillna("").to_csv(self.folder / "events.csv", index=False)
        files = {table["ticker"].iat[0]: table.drop(columns="ticker") for table in self.tables}
        if self.in_one_file:
            shutil.rmtree(self.prices)
            self.prices = self.prices.with_suffix(".csv")
            files = {"px": pd.concat(self.tables)}
        for name, table in files.items():
            path = self.prices if self.in_one_file else self.prices / f"{name}.csv"
            table.to_csv(path, index=False, date_format="%Y-%m-%d")


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    Attributes
    ----------
    numbers : int
        How many agreed.
    failure : str
        What failed, in a line; "" for nothing.
    text : str
        All that was printed.
    """

    numbers: int
    failure: str
    text: str


def outcome_of(folder: Path, options: Sequence[str]) -> Outcome:
    """Run the events of a folder by the command, prove the run by the command, and compare.

    A warning is an error.
    """
    (prices,), out = folder.glob("px*"), folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    commands = (
        ("run", folder / "events.csv", "--prices", prices, "--out", out, *SHORT, *options),
        ("proof", out / "events"),
    )
    text, code = "", 0
    for command in commands:
        if not code:
            with warnings.catch_warnings(action="error"):
                done = CliRunner().invoke(main, [*map(str, command), "--debug"])
            code = done.exit_code
            text += done.output
    if match := re.search(r"^(\d+) of (\d+) numbers agree", text, re.M):
        agree, all_numbers = int(match[1]), int(match[2])
        return Outcome(agree, "" if agree == all_numbers and not code else "numbers differ", text)
    lines = [line for line in text.splitlines() if line.startswith("eventstudy: ")]
    return Outcome(0, lines[-1] if lines else f"exit code {code}", text)


def smallest(folder: Path, options: Sequence[str]) -> list[str]:
    """Take away events and windows as long as the study fails in the same way.

    Rewrites the events of the folder, and returns the options that are left.
    """
    path, options = folder / "events.csv", list(options)
    events = pd.read_csv(path, dtype=str, keep_default_na=False)
    failure = outcome_of(folder, options).failure

    def fails(rows: pd.DataFrame, chosen: Sequence[str]) -> bool:
        rows.to_csv(path, index=False)
        return len(rows) > 0 and outcome_of(folder, chosen).failure == failure

    for option in [each for each in options if each.startswith("--windows=")][:-1]:
        fewer = [each for each in options if each != option]
        if fails(events, fewer):
            options = fewer
    size = len(events) // 2
    while size:
        for begin in range(0, len(events), size):
            rows = events.drop(index=events.index[begin : begin + size])
            if fails(rows, options):
                events = rows.reset_index(drop=True)
                break
        else:
            size //= 2
    events.to_csv(path, index=False)
    return options
