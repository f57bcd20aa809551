"""Studies whose runs are proved: the bundled sample, and made prices with all that goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from run_folders import QUICK, invoke

from eventstudy.calendars import Sessions

SPAN = "2019-01-01", "2021-12-31"
SHORT = ("--draws", "99", *QUICK, "--quiet")


class World:
    """A folder with made prices of tickers on their exchanges, and events of them."""

    def __init__(self, folder: Path, seed: int = 3) -> None:
        self.folder, self.prices = folder, folder / "px"
        self.prices.mkdir(parents=True)
        self.rng = np.random.default_rng(seed)
        self.news: list[dict[str, str]] = []
        self.span = SPAN
        self.moves: dict[str, pd.Series[float]] = {}

    def days(self, calendar: str) -> pd.DatetimeIndex:
        """Return the sessions of a calendar within the span."""
        dates = Sessions.of(calendar).dates
        return pd.DatetimeIndex(
            dates[(dates >= np.datetime64(self.span[0])) & (dates <= np.datetime64(self.span[1]))]
        )

    def add(
        self, ticker: str, calendar: str = "XNYS", *, index: str = "", beta: float = 1.0,
        sd: float = 0.015, holes: Sequence[object] = (), still: float = 0.0,
        jump: tuple[int, float] | None = None, limit: float = 0.1,
    ) -> pd.DatetimeIndex:  # fmt: skip
        """Write the closes of a ticker; `holes` are places or slices without a price."""
        days = self.days(calendar)
        moves = pd.Series(self.rng.standard_normal(len(days)) * sd, index=days)
        if index:
            moves += beta * self.moves[index].reindex(days).fillna(0.0)
        self.moves[ticker] = moves
        close = 50 * np.exp(moves.cumsum())
        if jump is not None:
            close = self.limited(close, *jump, limit)
        close[1:] = np.where(self.rng.random(len(days) - 1) < still, np.nan, close[1:])
        close = close.ffill()
        for hole in holes:
            close.iloc[hole] = np.nan
        self.write(ticker, close)
        return days

    def write(self, ticker: str, close: pd.Series[float]) -> None:
        """Write closes, NaN where there is none, to the file of a ticker."""
        table = close.dropna().rename("close").rename_axis("date").reset_index()
        table.to_csv(self.prices / f"{ticker}.csv", index=False, date_format="%Y-%m-%d")

    @staticmethod
    def limited(
        close: pd.Series[float], at: int, size: float, limit: float = 0.1
    ) -> pd.Series[float]:
        """Return closes that move by a size on one day, none by more than the limit to a cent."""
        wanted = close.to_numpy() * np.where(np.arange(len(close)) >= at, 1 + size, 1.0)
        out = [round(wanted[0], 2)]
        for price in wanted[1:]:
            low, high = (round(out[-1] * (1 + move), 2) for move in (-limit, limit))
            out.append(min(max(round(price, 2), low), high))
        return pd.Series(out, index=close.index)

    def announce(self, ticker: str, at: object, **cells: str) -> None:
        """Add an event."""
        self.news.append(
            {
                "event_id": f"e{len(self.news)}",
                "ticker": ticker,
                "announced_at": str(at)[:25],
                **cells,
            }
        )

    def study(self, *options: object) -> Path:
        """Run the study; return its folder."""
        events = self.folder / "events.csv"
        pd.DataFrame(self.news).fillna("").to_csv(events, index=False)
        return run(events, "--prices", self.prices, *options)


def run(events: Path, *options: object) -> Path:
    """Run a study of a list; return the folder of its run."""
    invoke("run", events, "--out", events.parent / "out", *SHORT, *options)
    return events.parent / "out" / "events"


def of_sample(folder: Path, rows: Sequence[tuple[str, str]], *options: object) -> Path:
    """Run a study of shares of the bundled sample."""
    folder.mkdir(parents=True)
    table = pd.DataFrame(rows, columns=["ticker", "announced_at"])
    table.to_csv(folder / "events.csv", index=False)
    return run(folder / "events.csv", "--prices", "sample", *options)


SIX = [
    ("AAPL", "2018-04-04"), ("AMD", "2018-06-15"), ("NVDA", "2022-10-07"), ("XOM", "2019-08-05"),
    ("CVX", "2020-03-09"), ("AMZN", "2021-07-30"),
]  # fmt: skip
SAME_DAY = [
    (ticker, "2020-03-16") for ticker in ("AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN", "JNJ")
]


def one_event(folder: Path) -> Path:
    return of_sample(folder, [("AMD", "2022-10-07")])


def few_events(folder: Path) -> Path:
    return of_sample(folder, [("AMD", "2022-10-07"), ("NVDA", "2022-10-07"), ("JNJ", "2020-03-16")])


def odd_names(folder: Path) -> Path:
    """Names with all that CSV, JSON and R could stumble over, and a group of that kind."""
    folder.mkdir(parents=True)
    names = ['a "b": {c}', "d, [e] \\ NA", "NULL", "Ünïcode – 新", "=1+1", "true"]
    table = pd.DataFrame(SIX, columns=["ticker", "announced_at"])
    table.insert(0, "event_id", names)
    table["group"] = ["NA", "NA", "{x} | y", "NA", "{x} | y", "NA"]
    table.to_csv(folder / "events.csv", index=False)
    return run(folder / "events.csv", "--prices", "sample")


def six_events(folder: Path) -> Path:
    return of_sample(folder, SIX)


def market_adjusted(folder: Path) -> Path:
    return of_sample(folder, SIX, "--model", "market_adjusted", "-w", "0:1", "-w", "-3:3")


def constant_mean(folder: Path) -> Path:
    return of_sample(folder, SIX[:4], "--model", "constant_mean", "--kind", "log")


def shared_dates(folder: Path) -> Path:
    return of_sample(folder, [*SAME_DAY, *SIX], "--overlap", "exact")


def repeated_firms(folder: Path) -> Path:
    days = ["2018-04-04", "2018-06-15", "2018-06-20", "2019-01-03", "2019-06-12"]
    return of_sample(folder, [(t, day) for t in ("AAPL", "XOM") for day in days])


def halts(folder: Path) -> Path:
    """Halts over day 0, at its edge and at the ends of the event window."""
    world = World(folder)
    world.add("^GSPC", sd=0.01)
    for k, hole in enumerate(
        [slice(398, 403), slice(400, 401), slice(405, 409), slice(390, 393), slice(360, 372)]
    ):
        days = world.add(f"FIR{'ABCDE'[k]}", index="^GSPC", beta=0.6 + 0.2 * k, holes=[hole])
        world.announce(f"FIR{'ABCDE'[k]}", days[400].date())
    for name in "FG":
        days = world.add(f"FIR{name}", index="^GSPC")
        world.announce(f"FIR{name}", days[430].date())
    return world.study()


def holes(folder: Path) -> Path:
    """Single days without a price of firms and of the index, and a short history."""
    world = World(folder, seed=8)
    world.add("^GSPC", sd=0.01, holes=[np.arange(200, 460, 23), [401]])
    for k, name in enumerate("ABCDEF"):
        gaps = [world.rng.choice(450, 60, replace=False)]
        if name == "F":
            gaps.append(slice(0, 330))
        days = world.add(f"FIR{name}", index="^GSPC", holes=gaps)
        world.announce(f"FIR{name}", days[400 + 3 * k].date())
    return world.study("--estimation", "-200:-21", "--event-window", "-8:8")


def still_prices(folder: Path) -> Path:
    """Prices that stand still on one day in five: the move comes with the next trade."""
    world = World(folder, seed=5)
    world.add("^GSPC", sd=0.01)
    for name in "ABCDEF":
        days = world.add(f"FIR{name}", index="^GSPC", still=0.2)
        world.announce(f"FIR{name}", days[400].date())
    return world.study()


def still_of_two_exchanges(folder: Path) -> Path:
    """Prices that stand still in New York and London, beside two events that are not used."""
    world = World(folder, seed=6)
    world.add("^GSPC", sd=0.01)
    world.add("^FTSE", "XLON", index="^GSPC", beta=0.6, sd=0.006)
    world.announce("BTC-USD", world.add("BTC-USD", "daily 00:00 UTC")[590].date())
    world.announce("OLD.PA", "1999-06-01")
    for k in range(3):
        days = world.add(f"FIR{'ABC'[k]}", index="^GSPC", still=0.2)
        world.announce(f"FIR{'ABC'[k]}", days[400 + k].date())
        days = world.add(f"FI{'ABC'[k]}.L", "XLON", index="^FTSE")
        world.announce(f"FI{'ABC'[k]}.L", days[400 + k].date())
    return world.study()


def still_adjusted(folder: Path) -> Path:
    """The same against the index itself."""
    world = World(folder, seed=5)
    world.add("^GSPC", sd=0.01)
    for name in "ABCDEF":
        days = world.add(f"FIR{name}", index="^GSPC", still=0.2)
        world.announce(f"FIR{name}", days[400].date())
    return world.study("--model", "market_adjusted")


def no_common_days(folder: Path) -> Path:
    """Two events that overlap with too few common estimation days: there is no effect."""
    world = World(folder, seed=5)
    world.add("^GSPC", sd=0.01)
    for k, name in enumerate("AB"):
        days = world.add(f"FIR{name}", index="^GSPC")
        world.announce(f"FIR{name}", days[400 + 35 * k].date())
    return world.study("--estimation", "-60:-11", "-w", "-10:10", "-w", "0:0", "-w", "-1:1")


def factors(folder: Path) -> Path:
    """Three factors and a riskless rate of a file."""
    world = World(folder, seed=4)
    days = world.add("^GSPC", sd=0.01)
    table = pd.DataFrame(
        world.rng.standard_normal((len(days), 2)) * 0.004, index=days, columns=["smb", "hml"]
    )
    table.insert(0, "mkt_rf", world.moves["^GSPC"] + world.rng.standard_normal(len(days)) * 0.002)
    table["rf"] = 0.0001
    table.rename_axis("date").to_csv(folder / "ff.csv", date_format="%Y-%m-%d")
    for k, name in enumerate("ABCDEF"):
        days = world.add(f"FIR{name}", index="^GSPC", holes=[[401 + k]])
        world.announce(f"FIR{name}", days[400].date())
    return world.study("--model", "ff3", "--factors", folder / "ff.csv")


def riskless(folder: Path) -> Path:
    """The CAPM, whose market is the index less the riskless rate."""
    world = World(folder, seed=6)
    days = world.add("^GSPC", sd=0.01)
    pd.DataFrame({"rf": 0.0001 + 0.00001 * np.sin(np.arange(len(days)))}, index=days).rename_axis(
        "date"
    ).to_csv(folder / "rf.csv", date_format="%Y-%m-%d")
    for name in "ABC":
        days = world.add(f"FIR{name}", index="^GSPC", holes=[[399]])
        world.announce(f"FIR{name}", days[399].date())
    return world.study("--model", "capm", "--factors", folder / "rf.csv")


def mixed_exchanges(folder: Path) -> Path:
    """New York, London and Shanghai: news reaches Shanghai a session later."""
    world = World(folder, seed=7)
    world.add("^GSPC", sd=0.01)
    world.add("^FTSE", "XLON", index="^GSPC", beta=0.6, sd=0.006)
    world.add("000300.SS", "XSHG", index="^GSPC", beta=0.5, sd=0.008)
    for k in range(4):
        cells = {"tz": "America/New_York"}
        days = world.add(f"FIR{'ABCD'[k]}", index="^GSPC")
        world.announce(f"FIR{'ABCD'[k]}", f"{days[400 + k].date()}T10:00", **cells)
        world.add(f"60010{k}.SS", "XSHG", index="000300.SS")
        world.announce(f"60010{k}.SS", f"{days[400 + k].date()}T10:00", **cells)
        world.add(f"FI{'ABCD'[k]}.L", "XLON", index="^FTSE")
        world.announce(f"FI{'ABCD'[k]}.L", f"{days[400 + k].date()}T10:00", **cells)
    return world.study()


def price_limits(folder: Path) -> Path:
    """Shanghai, where a close moves by 10% at most: the window runs on to the first free close."""
    world = World(folder, seed=12)
    world.add("000300.SS", "XSHG", sd=0.008)
    for k, jump in enumerate(
        [(400, -0.25), (401, -0.3), (400, 0.14), (410, -0.35), (399, -0.22), (300, 0.2)]
    ):
        days = world.add(f"60010{k}.SS", "XSHG", index="000300.SS", jump=jump, holes=[[402 + k]])
        world.announce(f"60010{k}.SS", days[400].date())
    return world.study()


def peers(folder: Path) -> Path:
    """An equal-weight portfolio as the index, whose members do not trade every day."""
    world = World(folder, seed=13)
    world.add("^GSPC", sd=0.01)
    for name in "PQR":
        world.add(f"FIR{name}", index="^GSPC", holes=[world.rng.choice(600, 40, replace=False)])
    for name in "ABC":
        days = world.add(f"FIR{name}", index="^GSPC")
        world.announce(f"FIR{name}", days[400].date(), benchmark="FIRP; FIRQ;FIRR")
    return world.study()


def closed_exchange(folder: Path) -> Path:
    """Moscow, closed from 28 February to 23 March 2022; two shares miss a session beside it."""
    world = World(folder, seed=14)
    world.span = "2020-06-01", "2023-06-30"
    days = world.add("IMOEX.ME", "XMOS", sd=0.01)
    reopening = days.get_loc("2022-03-24")
    missed = {"FIRB.ME": [reopening], "FIRC.ME": [reopening - 1]}
    for k, day in enumerate(["2022-02-22", "2022-03-24", "2022-03-01", "2022-09-21", "2022-06-01"]):
        name = f"FIR{'ABCDE'[k]}.ME"
        world.add(name, "XMOS", index="IMOEX.ME", beta=0.8, holes=missed.get(name, ()))
        world.announce(name, day)
    return world.study()


def currencies(folder: Path) -> Path:
    """Shares of London and Frankfurt in dollars."""
    world = World(folder, seed=9)
    world.add("^FTSE", "XLON", sd=0.01)
    world.add("^GDAXI", "XETR", index="^FTSE", sd=0.006)
    world.add("GBPUSD=X", "weekdays 17:00 America/New_York", sd=0.005)
    world.add("EURUSD=X", "weekdays 17:00 America/New_York", sd=0.004, holes=[slice(300, 303)])
    for k in range(3):
        days = world.add(f"FI{'ABC'[k]}.L", "XLON", index="^FTSE")
        world.announce(f"FI{'ABC'[k]}.L", days[400 + k].date())
        world.add(f"DE{'ABC'[k]}.DE", "XETR", index="^GDAXI", holes=[[401]])
        world.announce(f"DE{'ABC'[k]}.DE", days[400 + k].date())
    return world.study("--currency", "USD")


def clock_times(folder: Path) -> Path:
    """Times around the close, an early close, a weekend, offsets, zones and parts of the day."""
    world = World(folder, seed=10)
    world.add("^GSPC", sd=0.01)
    stamps = [
        ("2020-11-27T12:59:00-05:00", {}), ("2020-11-27T13:00", {"tz": "America/New_York"}),
        ("2020-11-25T21:00:00Z", {}), ("2020-11-21", {}), ("2020-11-24", {"tz": "Asia/Shanghai"}),
        ("2020-11-23", {"when": "after_close"}), ("2020-11-20", {"when": "before_open"}),
        ("2020-11-19", {"when": "in_session", "tz": "Europe/London"}),
        ("2020-11-18", {"when": "after_close", "tz": "Asia/Tokyo"}), ("2020-11-17", {"day0": "2020-11-19"}),
    ]  # fmt: skip
    for name, (stamp, cells) in zip("ABCDEFGHIJ", stamps, strict=True):
        world.add(f"FIR{name}", index="^GSPC")
        world.announce(f"FIR{name}", stamp, **cells)
    return world.study("-w", "0:0", "-w", "0:1")


def own_returns(folder: Path) -> Path:
    """A file of returns in place of prices, on the dates of the data."""
    world = World(folder, seed=11)
    world.add("^GSPC", sd=0.01)
    for name in "ABCDE":
        days = world.add(f"FIR{name}", index="^GSPC")
        world.announce(f"FIR{name}", days[400].date(), benchmark="^GSPC")
    table = pd.DataFrame(world.moves).rename_axis("date")
    table.iloc[[150, 395], 2] = np.nan
    table.to_csv(folder / "returns.csv", date_format="%Y-%m-%d")
    events = folder / "events.csv"
    pd.DataFrame(world.news).to_csv(events, index=False)
    return run(events, "--returns", folder / "returns.csv", "--calendar", "data")


def groups(folder: Path) -> Path:
    """Two groups, one of a single event."""
    folder.mkdir(parents=True)
    table = pd.DataFrame(SIX + SAME_DAY[:3], columns=["ticker", "announced_at"])
    table["direction"] = ["adverse"] * 8 + ["relief"]
    table.to_csv(folder / "events.csv", index=False)
    return run(folder / "events.csv", "--prices", "sample")


STUDIES: dict[str, Callable[[Path], Path]] = {
    f.__name__: f
    for f in (
        one_event, few_events, odd_names, six_events, market_adjusted, constant_mean, shared_dates,
        repeated_firms, halts, holes, still_prices,
        still_of_two_exchanges, still_adjusted, no_common_days, factors, riskless, mixed_exchanges, price_limits, peers, closed_exchange,
        currencies,
        clock_times, own_returns, groups,
    )
}  # fmt: skip
