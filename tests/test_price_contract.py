"""The contract of a source of prices: each of ours keeps it, and each check finds what breaks it."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT
from test_moex import Exchange, day
from vendors_standin import Eodhd, Tiingo, days_of, eodhd_row, tiingo_row
from yahoo_standin import Yahoo, synthetic

from eventstudy.errors import DataError, NoPricesError, UnknownSymbolError
from eventstudy.prices import (
    Action,
    ChainProvider,
    EodhdProvider,
    MoexProvider,
    PriceProvider,
    Prices,
    StoreProvider,
    TiingoProvider,
    YahooProvider,
    resolve,
)
from eventstudy.prices._base import stamp
from eventstudy.prices.auto import update
from eventstudy.prices.testing import CHECKS, PriceCase, check_price_source

START, END = date(2023, 1, 3), date(2023, 2, 28)
DAYS = days_of("2022-12-01", 80)
NOW = datetime(2023, 6, 1, 12, tzinfo=UTC)
Make = Callable[[Path, ExitStack, pytest.MonkeyPatch], PriceCase]


def closes(seed: str) -> list[float]:
    draw = random.Random(seed)
    return [round(100 + 10 * draw.random(), 2) for _ in DAYS]


def table_of(*symbols: str) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"symbol": s, "date": pd.to_datetime(DAYS), "close": closes(s)})
        for s in symbols
    ]
    return pd.concat(frames, ignore_index=True)


def sample(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    return PriceCase(
        resolve("sample"), ["MSFT", "AAPL", "^GSPC"], date(2020, 1, 2), date(2020, 2, 28)
    )


def frame(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    return PriceCase(resolve(table_of("BBB", "AAA")), ["BBB", "AAA"], START, END)


def files(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    table_of("BBB", "AAA").to_csv(folder / "prices.csv", index=False)
    return PriceCase(resolve(folder / "prices.csv"), ["BBB", "AAA"], START, END)


def store(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    kept = StoreProvider(folder / "prices.sqlite")
    source = resolve(table_of("BBB", "AAA"))
    update(kept, source, ["BBB", "AAA"], START - timedelta(days=20), END)
    return PriceCase(resolve("store", store=folder / "prices.sqlite"), ["BBB", "AAA"], START, END)


def chain(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    sources = {"one": resolve(table_of("AAA")), "two": resolve(table_of("BBB", "AAA"))}
    return PriceCase(ChainProvider(sources), ["BBB", "AAA"], START, END)


def serve(standin: Any, stack: ExitStack, patch: pytest.MonkeyPatch) -> None:
    stack.enter_context(standin)
    env = standin.env() if callable(standin.env) else standin.env
    for name, value in env.items():
        patch.setenv(name, value)


def yahoo(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    serve(Yahoo(synthetic("AAA"), synthetic("BBB")), stack, patch)
    source = YahooProvider(sleep=lambda seconds: None)
    return PriceCase(source, ["BBB", "AAA"], date(2019, 1, 2), date(2019, 3, 29))


def moex(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    sessions = days_of("2023-01-09", 60, "XMOS")
    rows = [day(at, 100.0 + k % 7) for k, at in enumerate(sessions)]
    standin = Exchange(rows)
    standin.acts([["2023-02-06", "SBER", 1, 10]], [["2023-02-20", 5, "RUB"]])
    serve(standin, stack, patch)
    source = MoexProvider(pause=0, now=lambda: NOW)
    return PriceCase(source, ["SBER.ME"], date(2023, 1, 9), END, unknown="NONE.ME")


def tiingo(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    series = {
        name: [tiingo_row(at, close) for at, close in zip(DAYS, closes(name), strict=True)]
        for name in ("aapl", "brk-b")
    }
    series["aapl"][40] |= {"splitFactor": 4.0, "divCash": 0.5}
    serve(Tiingo(series), stack, patch)
    source = TiingoProvider(pause=0, now=lambda: NOW)
    return PriceCase(source, ["BRK-B", "AAPL"], START, END, unknown="NONE")


def eodhd(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    series = {
        name: [
            eodhd_row(at, close, close / 2) for at, close in zip(DAYS, closes(name), strict=True)
        ]
        for name in ("VOD.LSE", "GSPC.INDX")
    }
    series["VOD.LSE"][40]["volume"] = 0
    serve(Eodhd(series), stack, patch)
    source = EodhdProvider(pause=0, now=lambda: NOW)
    return PriceCase(source, ["^GSPC", "VOD.L"], START, END, unknown="NONE.L")


def example(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> PriceCase:
    """The package of `examples`."""
    path = ROOT / "examples" / "moex-prices" / "moex_prices.py"
    spec = importlib.util.spec_from_file_location("moex_prices", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    columns = ["TRADEDATE", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "VALUE"]
    for name in ("RUAL", "GAZP"):
        rows = [[at, c, c, c, c, 9, 9 * c] for at, c in zip(DAYS, closes(name), strict=True)]
        answer = {"history": {"columns": columns, "data": rows}}
        (folder / f"{name}.json").write_text(json.dumps(answer), "utf-8")
    return PriceCase(module.IssFiles(str(folder)), ["RUAL.ME", "GAZP.ME"], START, END)


SOURCES: list[Make] = [
    sample, frame, files, store, chain, yahoo, moex, tiingo, eodhd, example,
]  # fmt: skip


@pytest.mark.parametrize("make", SOURCES)
def test_our_sources_keep_the_contract(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        case = make(tmp_path, stack, monkeypatch)
        for check in CHECKS:
            check(case)


class Broken:
    """A good source whose answers are altered."""

    name = "broken"

    def __init__(self, alter: Callable[..., Prices]) -> None:
        self.good: PriceProvider = resolve(table_of("AAA", "BBB"))
        self.alter = alter
        self.asked = 0

    def fetch(self, symbols: Any, start: date, end: date, *, progress: Any = None) -> Prices:
        self.asked += 1
        prices = self.good.fetch(symbols, start, end)
        return self.alter(self, prices, list(symbols), start, end)


def with_table(prices: Prices, table: pd.DataFrame) -> Prices:
    return replace(prices, table=table)


def answer_again(prices: Prices, table: pd.DataFrame) -> Prices:
    """Return prices of another table, with provenance that fits it."""
    answers = {}
    for name, answer in prices.answers().items():
        rows = table[table["symbol"] == name].reset_index(drop=True)
        answers[name] = answer._replace(rows=rows, provenance=stamp(answer.provenance, rows))
    return Prices.of(answers, prices.failures)


def lose(source: Broken, prices: Prices, symbols: list[str], start: date, end: date) -> Prices:
    return replace(prices, failures={})


def answer_another(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, failures={**prices.failures, "ZZZ": UnknownSymbolError("no")})


def answer_both(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, failures={**prices.failures, "AAA": NoPricesError("no")})


def fail_otherwise(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, failures=dict.fromkeys(prices.failures, DataError("no")))  # type: ignore[arg-type]


def have_nothing(source: Broken, prices: Prices, symbols: list[str], *asked: Any) -> Prices:
    return Prices.of({}, {name: NoPricesError("none", where=name) for name in symbols})


def swap_columns(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table[[*prices.table.columns[::-1]]])


def round_volume(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table.assign(volume=1))


def lose_columns_when_empty(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return prices if len(prices.table) else with_table(prices, pd.DataFrame())


def index_by_date(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table.set_index(prices.table["date"].rename(None)))


def newest_first(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table[::-1].reset_index(drop=True))


def repeat_rows(source: Broken, prices: Prices, *asked: Any) -> Prices:
    table = pd.concat([prices.table, prices.table]).sort_values(["symbol", "date"])
    return with_table(prices, table.reset_index(drop=True))


def stamp_hours(source: Broken, prices: Prices, *asked: Any) -> Prices:
    dates = prices.table["date"] + pd.Timedelta(hours=16)
    return with_table(prices, prices.table.assign(date=dates))


def close_at_nothing(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table.assign(close=0.0))


def negative_volume(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table.assign(volume=-1.0))


def blank_closes(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table.assign(close=float("nan"), adj_close=float("nan")))


def leave_out_the_end(
    source: Broken, prices: Prices, symbols: list[str], start: date, end: date
) -> Prices:
    return source.good.fetch(symbols, start, end - timedelta(days=1))


def give_more(source: Broken, prices: Prices, symbols: list[str], start: date, end: date) -> Prices:
    return source.good.fetch(symbols, start - timedelta(days=9), end)


def scale_by_the_range(source: Broken, prices: Prices, *asked: Any) -> Prices:
    """Adjusted to the first day of the range: two ranges do not fit together."""
    first = prices.table["close"].iloc[0] if len(prices.table) else 1
    return answer_again(prices, prices.table.assign(close=prices.table["close"] / first))


def not_know_otherwise(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, failures=dict.fromkeys(prices.failures, NoPricesError("no")))


def fail_for_all(source: Broken, prices: Prices, symbols: list[str], *asked: Any) -> Prices:
    if prices.failures and prices.symbols:
        return Prices.of({}, dict.fromkeys(symbols, UnknownSymbolError("no")))
    return prices


def answer_twice(source: Broken, prices: Prices, symbols: list[str], *asked: Any) -> Prices:
    return repeat_rows(source, prices) if len(symbols) > len({*symbols}) else prices


def follow_the_order(source: Broken, prices: Prices, symbols: list[str], *asked: Any) -> Prices:
    factor = 2.0 if symbols[:1] == ["AAA"] else 1.0
    return answer_again(prices, prices.table.assign(close=prices.table["close"] * factor))


def drift(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return answer_again(prices, prices.table.assign(close=prices.table["close"] + source.asked))


def note_the_time(source: Broken, prices: Prices, *asked: Any) -> Prices:
    entries = prices.provenance.items()
    noted = {name: replace(entry, note=f"answer {source.asked}") for name, entry in entries}
    return replace(prices, provenance=noted)


def know_nothing_early(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, failures=dict.fromkeys(prices.failures, UnknownSymbolError("no")))


def forget_provenance(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, provenance=dict(list(prices.provenance.items())[:1]))


def name_no_source(source: Broken, prices: Prices, *asked: Any) -> Prices:
    entries = prices.provenance.items()
    return replace(prices, provenance={n: replace(entry, source="") for n, entry in entries})


def stamp_another(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return with_table(prices, prices.table.assign(close=prices.table["close"] + 1))


def act(name: str, day: str, kind: str, value: float) -> Callable[..., Prices]:
    def alter(source: Broken, prices: Prices, *asked: Any) -> Prices:
        return replace(prices, actions={name: (Action(day, kind, value),)})

    return alter


def show_the_key(source: Broken, prices: Prices, *asked: Any) -> Prices:
    entries = prices.provenance.items()
    detail = "https://prices.example.org/daily?token=c4nary"
    return replace(prices, provenance={n: replace(entry, detail=detail) for n, entry in entries})


def tell_the_key(source: Broken, prices: Prices, *asked: Any) -> Prices:
    return replace(prices, notices=("asked with token=c4nary",))


BROKEN: list[tuple[str, Callable[..., Prices], str]] = [
    ("every_symbol_is_answered", lose, "neither rows nor a failure for NO-SUCH-SYMBOL"),
    ("every_symbol_is_answered", answer_another, "an answer for ZZZ"),
    ("every_symbol_is_answered", answer_both, "rows and a failure at once for AAA"),
    ("every_symbol_is_answered", fail_otherwise, "no PriceError but DataError"),
    ("columns", have_nothing, "the checks need some"),
    ("columns", swap_columns, "the columns of the table are not symbol"),
    ("columns", round_volume, "column volume is int64"),
    ("columns", lose_columns_when_empty, "the columns of the table are not symbol"),
    ("columns", index_by_date, "the index of the table"),
    ("order_and_dates", newest_first, "not in order"),
    ("order_and_dates", repeat_rows, "one symbol and one date"),
    ("order_and_dates", stamp_hours, "a time of day"),
    ("numbers", close_at_nothing, "column close has 0"),
    ("numbers", negative_volume, "column volume has -1"),
    ("numbers", blank_closes, "has rows and no close"),
    ("ends", leave_out_the_end, "both ends are in a range"),
    ("ends", give_more, "outside the range"),
    ("ends", scale_by_the_range, "other numbers than"),
    ("unknown_symbol", not_know_otherwise, "but NoPricesError"),
    ("unknown_symbol", lose, "but NoneType"),
    ("unknown_symbol", fail_for_all, "have other rows beside it"),
    ("repeated_symbols", answer_twice, "named twice"),
    ("order_of_symbols", follow_the_order, "the order in which symbols are named"),
    ("same_answer_twice", drift, "another answer the second time"),
    ("same_answer_twice", note_the_time, "another answer the second time"),
    ("empty_range", know_nothing_early, "but UnknownSymbolError"),
    ("provenance", forget_provenance, "rows without provenance"),
    ("provenance", name_no_source, "names no source"),
    ("provenance", stamp_another, "are not those of its rows"),
    ("actions", act("ZZZ", "2023-02-01", "split", 2.0), "dividends and splits of ZZZ"),
    ("actions", act("AAA", "2022-02-01", "split", 2.0), "dividends and splits of AAA"),
    ("actions", act("AAA", "2023-02-01", "spin", 2.0), "dividends and splits of AAA"),
    ("actions", act("AAA", "2023-02-01", "dividend", 0.0), "dividends and splits of AAA"),
    ("secrets", show_the_key, "a secret may be in a text"),
    ("secrets", tell_the_key, "a secret may be in a text"),
]


@pytest.mark.parametrize(("name", "alter", "words"), BROKEN)
def test_each_check_finds_what_breaks_it(
    name: str, alter: Callable[..., Prices], words: str
) -> None:
    (check,) = [each for each in CHECKS if each.__name__ == f"check_{name}"]
    with pytest.raises(AssertionError) as caught:
        check(PriceCase(Broken(alter), ["BBB", "AAA"], START, END))
    assert words in str(caught.value)
    assert "c4nary" not in str(caught.value)
    with pytest.raises(AssertionError):
        check_price_source(Broken(alter), ["BBB", "AAA"], START, END)


def test_every_check_is_tried() -> None:
    assert {f"check_{name}" for name, _, _ in BROKEN} == {check.__name__ for check in CHECKS}
    good = Broken(lambda source, prices, *asked: prices)
    check_price_source(good, ["BBB", "AAA"], START, END)
