"""What becomes of an event whose data were spoiled in one of the usual ways.

    python benchmarks/corruptions.py --real FOLDER

A study of six shares of New York is run by `eventstudy run` on files of prices, or of returns, in
which one share (or the index) was spoiled; its CAR[0,1] is compared with that of clean files.
FOLDER holds prices, one CSV a ticker (date, open, high, low, close, adj_close, volume), of AMD, MU,
NVDA, QCOM, SWKS, LITE and ^GSPC; without it simulated shares stand in. Prints a Markdown table with
one row a kind: refused (no run, with a reason), dropped (the event has a reason), missing or
flagged (the event is flagged, or its ticker is named in the notes), harmless (the CAR is the clean
one within 0.1 points), or silent.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner

from eventstudy.calendars import Sessions
from eventstudy.cli.main import main as program

FIRMS, INDEX, TARGET = ("AMD", "MU", "NVDA", "QCOM", "SWKS", "LITE"), "^GSPC", "NVDA"
PRICES = ["open", "high", "low", "close", "adj_close"]
DAY0 = "2019-09-17"
SAME = 0.001
# What one series, or one file, cannot reveal.
UNSEEN = ("simple returns in a study of log returns", "a step of 5 % in all prices")
Tables = dict[str, pd.DataFrame]


def simulated(seed: int = 1) -> Tables:
    """Return prices of the shares and the index over New York's sessions of 2017 to 2020."""
    rng, days = np.random.default_rng(seed), Sessions.of("XNYS").dates
    days = days[(days >= np.datetime64("2017-01-01")) & (days < np.datetime64("2021-01-01"))]
    market, tables = 0.008 * rng.standard_normal(len(days)), {}
    for name in (*FIRMS, INDEX):
        moves = market + (name != INDEX) * 0.013 * rng.standard_normal(len(days))
        close = np.round(60 * np.exp(np.cumsum(moves)), 2)
        start = np.round(close * np.exp(0.004 * rng.standard_normal(len(days))), 2)
        wide = 1 + 0.008 * np.exp(0.3 * rng.standard_normal(len(days)))
        tables[name] = pd.DataFrame({
            "date": days.astype(str), "open": start, "high": np.maximum(start, close) * wide,
            "low": np.minimum(start, close) / wide, "close": close,
            "adj_close": np.round(close * 0.97, 4),
            "volume": np.round(rng.lognormal(14, 0.3, len(days))),
        })  # fmt: skip
    return tables


def recorded(folder: Path) -> Tables:
    """Return recorded prices."""
    return {name: pd.read_csv(folder / f"{name}.csv") for name in (*FIRMS, INDEX)}


def row_of(table: pd.DataFrame) -> int:
    """Return the row of day 0."""
    return int(np.searchsorted(table["date"].to_numpy(str), DAY0))


@dataclass(frozen=True)
class Kind:
    """One way to spoil a file: its name, and what it does to the table of the share or index."""

    name: str
    spoil: Callable[[pd.DataFrame, Tables], pd.DataFrame | str | bytes]
    of_returns: bool = False
    symbol: str = TARGET


def times(by: float, columns: list[str], rows: Callable[[int], slice]) -> Callable[..., object]:
    """Return a function that multiplies columns on some rows."""

    def spoil(table: pd.DataFrame, _: Tables) -> pd.DataFrame:
        at = rows(row_of(table))
        table = table.astype(dict.fromkeys(columns, float))
        table.loc[at, columns] *= by
        return table

    return spoil


def split(by: float, *, volume: bool = True) -> Callable[..., object]:
    """Return a function that undoes the adjustment of a split on day 0."""

    def spoil(table: pd.DataFrame, _: Tables) -> pd.DataFrame:
        at = row_of(table)
        table = table.astype(dict.fromkeys([*PRICES, "volume"], float))
        table.loc[: at - 1, PRICES] *= by
        if volume:
            table.loc[: at - 1, "volume"] /= by
        return table

    return spoil


def cell(column: str, value: object, rows: int = 1) -> Callable[..., object]:
    """Return a function that writes one value from day 0 on."""

    def spoil(table: pd.DataFrame, _: Tables) -> pd.DataFrame:
        at = row_of(table)
        table = table.astype({column: object})
        table.loc[at : at + rows - 1, column] = value
        return table

    return spoil


def dated(change: Callable[[pd.Series], pd.Series]) -> Callable[..., object]:
    """Return a function that changes the dates."""

    def spoil(table: pd.DataFrame, _: Tables) -> pd.DataFrame:
        table = table.assign(date=change(pd.to_datetime(table["date"])))
        return table.dropna(subset=["date"]).drop_duplicates("date")

    return spoil


def swapped(days: pd.Series) -> pd.Series:
    """Return days with day and month swapped where that is a date."""
    return days.map(lambda d: d.replace(month=d.day, day=d.month) if d.day <= 12 else d)


def stale(rows: int) -> Callable[..., object]:
    """Return a function that repeats the close before day 0, with volume."""

    def spoil(table: pd.DataFrame, _: Tables) -> pd.DataFrame:
        at = row_of(table)
        for name in PRICES:
            table.loc[at : at + rows - 1, name] = table.loc[at - 1, name]
        return table

    return spoil


def text(change: Callable[[str], str | bytes]) -> Callable[..., object]:
    """Return a function that changes the text of the file."""
    return lambda table, _: change(table.to_csv(index=False))


def longer(content: str) -> str:
    """Return a file whose row of day 0 has a cell too many."""
    return "\n".join(f"{row},7" if row.startswith(DAY0) else row for row in content.split("\n"))


def first(at: int) -> slice:
    """Return the row of day 0 alone."""
    return slice(at, at)


def later(at: int) -> slice:
    """Return the rows from day 0 on."""
    return slice(at, None)


def every(_: int) -> slice:
    """Return all rows."""
    return slice(None)


OF_PRICES = {
    "a split 2:1 not applied": split(2), "3:2": split(1.5), "5:4": split(1.25), "20:1": split(20),
    "a reverse split 1:8": split(1 / 8), "2:1, volume adjusted": split(2, volume=False),
    "one price x 1.5": times(1.5, PRICES, first), "one close x 1.5": times(1.5, PRICES[3:], first),
    "one price x 10": times(10, PRICES, first), "one price x 100": times(100, PRICES, first),
    "a step of 6.9 in all prices": times(6.9, PRICES, later),
    "a step of 13 % in all prices": times(1.13, PRICES, later),
    "a step of 5 % in all prices": times(1.05, PRICES, later),
    "pence become pounds": times(0.01, PRICES, later), "all in pence": times(100, PRICES, every),
    "adjusted closes x 1.2 from then on": times(1.2, ["adj_close"], later),
    "adjusted closes x 0.8 from then on": times(0.8, ["adj_close"], later),
    "no adjusted close": cell("adj_close", "", 10_000),
    "adjusted closes blank for five days": cell("adj_close", "", 5),
    "a negative price": cell("adj_close", -5.0), "a price of 0": cell("adj_close", 0),
    "a word for a price": cell("close", "n/a?"), "a price of 400 digits": cell("close", "9" * 400),
    "a volume of 400 digits": cell("volume", "9" * 400),
    "dates one session late": dated(lambda d: d.shift(-1)),
    "dates one session early": dated(lambda d: d.shift(1)),
    "dates of the next day": dated(lambda d: d + pd.Timedelta(days=1)),
    "day and month swapped": dated(swapped),
    "dates as 17/09/2019": dated(lambda d: d.dt.strftime("%d/%m/%Y")),
    "dates as numbers of a spreadsheet": dated(lambda d: (d - pd.Timestamp("1899-12-30")).dt.days),
    "dates as seconds": dated(lambda d: (d - pd.Timestamp("1970-01-01")) // pd.Timedelta("1s")),
    "the file of another firm": lambda _, tables: tables["AMD"],
    "the file of the index": lambda _, tables: tables[INDEX],
    "closes that stand still for ten days": stale(10), "all closes equal": stale(10_000),
    "no rows for five days": lambda t, _: t.drop(index=range(row_of(t), row_of(t) + 5)),
    "weekly prices": lambda t, _: t.iloc[::5],
    "rows in reverse order": lambda t, _: t.iloc[::-1],
    "two rows of day 0": lambda t, _: pd.concat([t, t.iloc[[row_of(t)]]]),
    "two rows with other prices": lambda t, _: pd.concat([
        t, t.iloc[[row_of(t)]].assign(close=1.0, adj_close=1.0),
    ]),
    "prices without decimals": lambda t, _: t.assign(**{c: t[c].round(-1) for c in PRICES}),
    "returns in place of prices": lambda t, _: t.assign(
        close=t["close"].pct_change(), adj_close=t["adj_close"].pct_change()
    ),
    "thousands with commas": text(lambda c: c.replace(f"{DAY0},", f'{DAY0},"1,234.5",', 1)),
    "one cell too many": text(longer), "an empty file": text(lambda _: ""),
    "another encoding": text(lambda c: c.encode("utf-16")),
}  # fmt: skip


def returns_cell(value: object) -> Callable[..., object]:
    """Return a function that writes one return of the share on day 0."""

    def spoil(table: pd.DataFrame, _: Tables) -> pd.DataFrame:
        table = table.astype({TARGET: object})
        table.loc[row_of(table), TARGET] = value
        return table

    return spoil


def column(change: Callable[[pd.Series], pd.Series]) -> Callable[..., object]:
    """Return a function that changes the column of the share."""
    return lambda table, _: table.assign(**{TARGET: change(table[TARGET])})


def all_columns(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[..., object]:
    """Return a function that changes all returns."""
    return lambda table, _: pd.concat([table[["date"]], change(table.drop(columns="date"))], axis=1)


OF_RETURNS = {
    "a return of 5.0": returns_cell(5.0), "a return of 1e300": returns_cell(1e300),
    "an infinite return": returns_cell("inf"), "a return of -1.3": returns_cell(-1.3),
    "-0.99 for a missing one": returns_cell(-0.99), "-66 for a missing one": returns_cell(-66),
    "the letter C for a missing one": returns_cell("C"), "a word for a return": returns_cell("?"),
    "a column in percent": column(lambda r: r * 100),
    "a column in log percent": column(lambda r: 100 * np.log1p(r)),
    "a column one session late": column(lambda r: r.shift(1)),
    "the column of another firm": lambda t, _: t.assign(**{TARGET: t["AMD"]}),
    "all in percent": all_columns(lambda r: 100 * r), "all in basis points": all_columns(
        lambda r: 1e4 * r
    ),
    "gross returns": all_columns(lambda r: 1 + r),
    "cumulated returns": all_columns(lambda r: (1 + r).cumprod()),
    "dates of returns swapped": dated(swapped),
    "simple returns in a study of log returns": all_columns(np.expm1),
}  # fmt: skip
OF_INDEX = {
    "an index that stands still": stale(10_000),
    "an index one session late": dated(lambda d: d.shift(-1)),
    "a step of 20 % in the index": times(1.2, PRICES, later),
}


def kinds() -> Iterator[Kind]:
    """Yield all kinds."""
    for name, spoil in OF_PRICES.items():
        yield Kind(name, spoil)
    for name, spoil in OF_RETURNS.items():
        yield Kind(name, spoil, of_returns=True)
    for name, spoil in OF_INDEX.items():
        yield Kind(name, spoil, symbol=INDEX)


def returns_of(tables: Tables) -> pd.DataFrame:
    """Return the returns of all series by date."""
    closes = {name: t.set_index("date")["adj_close"].astype(float) for name, t in tables.items()}
    return pd.DataFrame(closes).pct_change(fill_method=None).iloc[1:].reset_index()


def write(path: Path, content: object) -> None:
    """Write a table, text or bytes."""
    if isinstance(content, pd.DataFrame):
        content.to_csv(path, index=False)
    else:
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())


@dataclass(frozen=True)
class Outcome:
    """The CAR of the spoiled event, and what the run did about it."""

    what: str
    car: float = np.nan
    detail: str = ""


def study(folder: Path, tables: Tables, kind: Kind | None) -> Outcome:
    """Run a study on files, one of them spoiled, and return what became of the event."""
    data, target = folder / "data", kind.symbol if kind else TARGET
    data.mkdir()
    rows = "".join(f"{name},{DAY0}\n" for name in FIRMS)
    (folder / "events.csv").write_text(f"ticker,announced_at\n{rows}")
    if kind and kind.of_returns:
        spoiled = kind.spoil(returns_of(tables), tables)
        write(data / "returns.csv", spoiled)
        source = ["--returns", str(data / "returns.csv")]
    else:
        for name, table in tables.items():
            is_target = kind is not None and name == target
            write(data / f"{name}.csv", kind.spoil(table.copy(), tables) if is_target else table)
        source = ["--prices", str(data)]
    command = [
        "run",
        str(folder / "events.csv"),
        *source,
        "--offline",
        "--out",
        str(folder / "out"),
    ]
    done = CliRunner().invoke(program, command)
    found = list(folder.rglob("results.json"))
    if done.exception and not isinstance(done.exception, SystemExit):
        return Outcome("CRASH", detail=repr(done.exception))
    if not found:
        return Outcome("refused", detail=done.output.strip().split("\n")[0])
    run = found[0].parent
    events = pd.read_csv(run / "events.csv").set_index("ticker").loc[TARGET]
    cars = pd.read_csv(run / "tables" / "car.csv").set_index(["ticker", "start", "stop"])["car"]
    car = float(cars.get((TARGET, 0, 1), np.nan))
    if events["status"] != "ok":
        return Outcome("dropped", detail=str(events["reason"]))
    notes = json.dumps(json.loads((run / "results.json").read_text())["notes"])
    flags = {flag for flag in str(events["flags"]).split(";") if flag.startswith(("sus", "quar"))}
    if np.isnan(car):
        return Outcome("missing", car, ";".join(sorted(flags)))
    if flags or f"{target}" in notes:
        return Outcome("flagged", car, ";".join(sorted(flags)) or "named in a note")
    return Outcome("silent", car)


def outcomes(tables: Tables) -> Iterator[tuple[Kind, Outcome]]:
    """Yield each kind with what became of it, harmless ones among them."""
    with tempfile.TemporaryDirectory() as name:
        clean = study(Path(name), tables, None)
    for kind in kinds():
        with tempfile.TemporaryDirectory() as name:
            outcome = study(Path(name), tables, kind)
        if outcome.what in ("silent", "flagged") and abs(outcome.car - clean.car) < SAME:
            outcome = Outcome("harmless", outcome.car, outcome.detail)
        yield kind, outcome


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    tables, counts = recorded(args.real) if args.real else simulated(args.seed), Counter[str]()
    print("| spoiled | what becomes of it | detail |\n|---|---|---|")
    for kind, outcome in outcomes(tables):
        counts[outcome.what] += 1
        print(f"| {kind.name} | {outcome.what} | {outcome.detail[:110]} |", flush=True)
    print(f"\n{sum(counts.values())} kinds: {dict(counts)}")


if __name__ == "__main__":
    main()
