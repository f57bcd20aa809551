"""Prices of several sources: which of them a symbol has, and what is filled or doubted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.cli.main import main
from eventstudy.errors import NetworkError, PriceError, RateLimitedError, UnknownSymbolError
from eventstudy.files import read_csv
from eventstudy.prices import ChainProvider, Prices, is_chain, paths_of, resolve, with_paths
from eventstudy.prices.sources import split_chain
from eventstudy.returns.load import Basket

FIRMS = ["AAA", "BBB", "CCC"]
INDEX = "^GSPC"
SESSIONS = Sessions.of("XNYS").dates
DAYS = SESSIONS[np.isin(SESSIONS.astype("datetime64[Y]"), np.array(["2020", "2021"], "M8[Y]"))]
NEWS = {"AAA": "2021-06-01", "BBB": "2021-07-01", "CCC": "2021-08-02"}
Change = Callable[[str, pd.DataFrame], pd.DataFrame]


def same(symbol: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def without(*days: str) -> Change:
    return lambda symbol, rows: rows[~rows["date"].isin(pd.to_datetime(list(days)))]


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    rng = np.random.default_rng(36)
    market = rng.normal(0.0003, 0.01, len(DAYS))
    returns = {INDEX: market}
    for firm in FIRMS:
        returns[firm] = market + rng.normal(0, 0.015, len(DAYS))
    return 100 * (1 + pd.DataFrame(returns, pd.Index(DAYS, name="date"))).cumprod()


@pytest.fixture
def vendor(closes: pd.DataFrame, tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, change: Change = same, symbols: Sequence[str] = (*FIRMS, INDEX)) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for symbol in symbols:
            rows = pd.DataFrame({"close": closes[symbol], "adj_close": closes[symbol]})
            rows["volume"] = 1000.0
            change(symbol, rows.reset_index()).to_csv(folder / f"{symbol}.csv", index=False)
        return folder

    return write


@pytest.fixture
def events(tmp_path: Path) -> Path:
    lines = [f"{firm},{day}" for firm, day in NEWS.items()]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["ticker,announced_at", *lines]), encoding="utf-8")
    return path


def study(events: Path, prices: Any, **settings: Any) -> Any:
    return es.study(es.read_events(events), prices=str(prices), **settings)


def cars(results: Any) -> np.ndarray[Any, Any]:
    return results.car((0, 1))["car"].to_numpy()


def kinds(results: Any) -> set[str]:
    return {fault.kind for fault in results.panel.faults}


# Which source a symbol has


def test_a_symbol_has_the_first_source_that_covers_its_windows(
    vendor: Callable[..., Path], events: Path
) -> None:
    first = vendor("first", without("2021-06-02"))
    second = vendor("second")
    results = study(events, f"{first},files:{second}")
    assert np.array_equal(cars(results), cars(study(events, second)))
    (notice,) = results.panel.notices
    # The windows of CCC begin in July 2020 and end in August 2021: they hold the session too.
    assert notice == (
        "files:second has the prices of 4 symbols (AAA, BBB, CCC, ^GSPC): "
        "files:first lacks them, or some of their sessions"
    )


def test_a_hole_outside_of_the_windows_does_not_matter(
    vendor: Callable[..., Path], events: Path
) -> None:
    hole = "2021-12-01"
    results = study(events, f"{vendor('first', without(hole))},files:{vendor('second')}")
    assert results.panel.notices == ()


def test_of_sources_that_all_lack_something_the_fullest_is_taken(
    vendor: Callable[..., Path], events: Path
) -> None:
    first = vendor("first", without("2021-06-02", "2021-06-03"))
    second = vendor("second", without("2021-06-04"))
    results = study(events, f"{first},files:{second}")
    assert "files:second has the prices of 4 symbols" in results.panel.notices[0]


def test_a_symbol_that_the_first_source_does_not_know_is_asked_of_the_next(
    vendor: Callable[..., Path], events: Path
) -> None:
    first = vendor("first", symbols=["AAA", INDEX])
    second = vendor("second", symbols=["BBB", INDEX])
    results = study(events, f"{first},files:{second}")
    assert results.events["status"].tolist() == ["ok", "ok", "dropped"]
    reason = results.events["reason"].iloc[2]
    assert "files:first: " in reason
    assert "files:second: " in reason


class Silent:
    """A source that asks us to slow down."""

    name = "silent"

    def __init__(self, error: PriceError) -> None:
        self.error = error
        self.asked: list[str] = []

    def fetch(self, symbols: Sequence[str], start: date, end: date, **_: Any) -> Prices:
        self.asked += symbols
        return Prices.of({}, dict.fromkeys(symbols, self.error))


def test_a_source_that_is_blocked_is_said_and_the_next_one_answers(
    vendor: Callable[..., Path],
) -> None:
    blocked = Silent(RateLimitedError("asks us to wait"))
    chain = ChainProvider({"silent": blocked, "second": resolve(vendor("second"))})
    prices = chain.fetch(["AAA"], date(2021, 1, 1), date(2021, 6, 30))
    assert prices.symbols == ("AAA",)
    assert prices.notices == (
        "silent did not answer for 1 symbol (AAA): asks us to wait",
        "second has the prices of 1 symbol (AAA): silent lacks it, or some of its sessions",
    )


@pytest.mark.parametrize("is_first", [True, False])
def test_a_symbol_that_one_source_was_silent_about_may_come_later(
    vendor: Callable[..., Path], is_first: bool
) -> None:
    sources = {"silent": Silent(NetworkError("no answer")), "files": resolve(vendor("second"))}
    chain = ChainProvider(sources if is_first else dict(reversed(sources.items())))
    error = chain.fetch(["ZZZ"], date(2021, 1, 1), date(2021, 6, 30)).failures["ZZZ"]
    assert isinstance(error, NetworkError)
    assert error.is_transient
    assert "files: " in error.what
    assert "silent: no answer" in error.what


def test_a_source_online_is_asked_only_for_what_none_before_it_covers(
    vendor: Callable[..., Path],
) -> None:
    online = Silent(UnknownSymbolError("not known"))
    chain = ChainProvider({"files": resolve(vendor("second")), "online": online})
    chain.fetch(["AAA", "ZZZ"], date(2021, 1, 4), date(2021, 6, 30))
    assert online.asked == ["ZZZ"]


# Holes


@pytest.mark.parametrize("kind", ["simple", "log"])
@pytest.mark.parametrize(
    "hole", [("2021-06-01",), ("2021-06-02",), ("2021-06-01", "2021-06-02"), ("2021-03-01",)]
)
def test_a_filled_hole_gives_the_numbers_of_the_complete_folder(
    vendor: Callable[..., Path], events: Path, hole: tuple[str, ...], kind: str
) -> None:
    whole = vendor("whole")
    results = study(events, vendor("holed", without(*hole)), fill=f"files:{whole}", kind=kind)
    complete = study(events, whole, kind=kind)
    np.testing.assert_allclose(results.panel.values, complete.panel.values, rtol=0, atol=1e-12)
    assert np.array_equal(results.panel.spans, complete.panel.spans)
    np.testing.assert_allclose(cars(results), cars(complete), rtol=0, atol=1e-12)
    assert kinds(results) == {"filled"}
    assert str(results.panel.notices[-1]).startswith(
        f"files:whole fills {4 * len(hole)} of {4 * len(hole)} missing sessions of 4 symbols"
    )


def test_without_another_source_the_hole_is_spanned(
    vendor: Callable[..., Path], events: Path
) -> None:
    results = study(events, vendor("holed", without("2021-06-01")))
    assert kinds(results) >= {"lost_session"} or kinds(results) >= {"missing_session"}


def scaled(factor: float) -> Change:
    def change(symbol: str, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(close=rows["close"] * factor, adj_close=rows["adj_close"] * factor)

    return change


def moved(day: str, share: float, until: str = "2030-01-01") -> Change:
    """Return a change of all closes from a day on, or until another one."""

    def change(symbol: str, rows: pd.DataFrame) -> pd.DataFrame:
        later = (rows["date"] >= day) & (rows["date"] < until)
        factor = np.where(later, 1 + share, 1.0)
        return rows.assign(close=rows["close"] * factor, adj_close=rows["adj_close"] * factor)

    return change


@pytest.mark.parametrize(
    ("change", "is_filled"),
    [
        (scaled(0.01), True),  # another unit: returns are the same
        (moved("2021-06-02", 0.0004), True),
        (moved("2021-06-02", 0.0007), False),  # 7 basis points over the hole
        (moved("2021-06-02", -0.5), False),  # a split that only one of them applied
        (moved("2021-06-01", 5.0, "2021-06-02"), False),  # a spike: the total agrees
        (moved("2021-06-01", -0.9, "2021-06-02"), False),
        (without("2021-06-01"), False),
        (without("2021-05-28"), False),  # it lacks the close before the hole
    ],
)
def test_a_hole_is_filled_only_if_both_sources_agree_on_the_return_over_it(
    vendor: Callable[..., Path], events: Path, change: Change, is_filled: bool
) -> None:
    holed = vendor("holed", without("2021-06-01"))
    results = study(events, holed, fill=f"files:{vendor('other', change)}")
    assert ("filled" in kinds(results)) == is_filled
    row = results.panel.row("AAA", "XNYS")
    at = np.searchsorted(results.panel.sessions, np.datetime64("2021-06-01"))
    assert results.panel.spans[row, at] == (1 if is_filled else 0)
    assert results.panel.spans[row, at + 1] == (1 if is_filled else 2)


def test_what_several_calls_fill_is_added_up(vendor: Callable[..., Path]) -> None:
    hole = without("2021-06-01", "2021-06-02")
    chain = {"holed": resolve(vendor("holed", hole))}
    basket = Basket(ChainProvider(chain, fill=("whole", resolve(vendor("whole")))))
    basket.fetch({"AAA": (date(2021, 1, 1), date(2021, 7, 1))})
    basket.fetch({"BBB": (date(2021, 1, 1), date(2021, 7, 1))})
    # A wider range of a symbol that was asked for already.
    basket.fetch({"AAA": (date(2021, 1, 1), date(2021, 9, 1))})
    assert basket.prices.notices == ("whole fills 4 of 4 missing sessions of 2 symbols (AAA, BBB)",)


def test_a_last_close_that_is_repeated_fills_nothing(
    vendor: Callable[..., Path], closes: pd.DataFrame, events: Path
) -> None:
    def repeat(symbol: str, rows: pd.DataFrame) -> pd.DataFrame:
        before = rows["date"] == "2021-05-28"
        at = rows["date"] == "2021-06-01"
        close = rows["close"].mask(at, rows.loc[before, "close"].item())
        return rows.assign(close=close, adj_close=close)

    other = vendor("other", repeat)
    results = study(events, vendor("holed", without("2021-06-01")), fill=f"files:{other}")
    assert "filled" not in kinds(results)
    assert "files:other fills none of 4 missing sessions of 4 symbols" in results.panel.notices[-1]


def test_a_halt_is_not_filled(vendor: Callable[..., Path], events: Path) -> None:
    def halt(symbol: str, rows: pd.DataFrame) -> pd.DataFrame:
        at = rows["date"].isin(pd.to_datetime(["2021-06-01", "2021-06-02"]))
        close = rows["close"].mask(at).ffill()
        return rows.assign(close=close, adj_close=close, volume=rows["volume"].mask(at, 0.0))

    results = study(events, vendor("halted", halt), fill=f"files:{vendor('other')}")
    assert "filled" not in kinds(results)
    assert "suspension" in kinds(results)


def test_another_currency_fills_nothing(vendor: Callable[..., Path], events: Path) -> None:
    holed = vendor("holed", lambda s, r: without("2021-06-01")(s, r.assign(currency="USD")))
    other = vendor("other", lambda s, r: r.assign(currency="EUR"))
    results = study(events, holed, fill=f"files:{other}")
    assert "filled" not in kinds(results)
    assert any("another currency (EUR, USD)" in notice for notice in results.panel.notices)


def test_a_filled_main_window_is_in_the_caveat_the_manifest_and_the_table(
    vendor: Callable[..., Path], events: Path, tmp_path: Path
) -> None:
    holed, whole = vendor("holed", without("2021-06-01")), vendor("whole")
    arguments = ["run", str(events), "--prices", str(holed), "--fill", f"files:{whole}"]
    arguments += ["--out", str(tmp_path / "reports"), "--event-pages", "0"]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    caveat = "1 of 3 moves has returns of a second source, since the first lacks a session (AAA)"
    assert caveat in " ".join(shown.output.split())
    run = tmp_path / "reports" / "events"
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["origin"]["fill"] == "files:../../whole"
    assert set(manifest["needed"]) == {*FIRMS, INDEX}
    faults = pd.read_csv(run / "tables" / "faults.csv")
    assert set(faults.loc[faults["kind"] == "filled", "symbol"]) == {*FIRMS, INDEX}
    table = pd.read_csv(run / "events.csv")
    assert table["flags"].fillna("").str.contains("filled").tolist() == [True, False, False]
    assert caveat in " ".join((run / "report.html").read_text(encoding="utf-8").split())
    # The rows of the second source are kept: the run stands alone.
    for path in whole.iterdir():
        path.unlink()
    again = CliRunner().invoke(main, ["reproduce", str(run)])
    assert again.exit_code == 0, again.output


@pytest.mark.slow
def test_a_refresh_sees_that_a_hole_can_be_filled(
    vendor: Callable[..., Path], events: Path, tmp_path: Path
) -> None:
    holed, other = vendor("holed", without("2021-06-01")), vendor("other", without("2021-06-01"))
    arguments = ["run", str(events), "--prices", str(holed), "--fill", f"files:{other}"]
    arguments += ["--out", str(tmp_path / "reports"), "--event-pages", "0"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    run = str(tmp_path / "reports" / "events")
    assert "nothing new" in CliRunner().invoke(main, ["refresh", run]).output
    for path in vendor("whole").iterdir():
        path.replace(other / path.name)
    shown = CliRunner().invoke(main, ["refresh", run])
    assert "prices of AAA in other sources" in shown.output


# Seams


SEAMS: Mapping[str, Change] = {
    "adjusted for dividends": lambda s, r: r.assign(
        adj_close=r["close"] * np.where(r["date"] < "2021-05-03", 0.98, 1.0)
    ),
    "in pence": scaled(100.0),
    "a split a session late": moved("2021-04-06", -0.5),
    "one revised close": moved("2021-06-01", 0.02, "2021-06-02"),
    "rounded": lambda s, r: r.assign(close=r["close"].round(2), adj_close=r["adj_close"].round(2)),
}


@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize("lost", ["a symbol", "the end", "a session"])
@pytest.mark.parametrize("how", ["chain", "fill", "both"])
def test_no_return_spans_two_sources(
    vendor: Callable[..., Path], events: Path, seam: str, lost: str, how: str
) -> None:
    """Every return of the panel is one of the first source, or one of the second."""
    losses: dict[str, Change] = {
        "a symbol": same,
        "the end": lambda s, r: r[r["date"] < "2021-06-15"],
        "a session": without("2021-04-06"),
    }
    symbols = ["AAA", INDEX] if lost == "a symbol" else [*FIRMS, INDEX]
    first, second = vendor("first", losses[lost], symbols), vendor("second", SEAMS[seam])
    prices = str(first) if how == "fill" else f"{first},files:{second}"
    fill = "" if how == "chain" else f"files:{second}"
    panel = study(events, prices, fill=fill).panel
    panels = {source: study(events, source).panel for source in (first, second)}
    for symbol, calendar in panel.keys:
        row = panel.row(symbol, calendar)
        apart = []
        for source, own in panels.items():
            if (source / f"{symbol}.csv").exists():
                at = own.row(symbol, calendar)
                days = np.isin(panel.sessions, own.sessions)
                gap = np.full(len(panel.sessions), np.inf)
                shared = np.isin(own.sessions, panel.sessions)
                is_same = panel.spans[row, days] == own.spans[at, shared]
                far = np.abs(panel.values[row, days] - own.values[at, shared])
                gap[days] = np.where(is_same, np.nan_to_num(far), np.inf)
                apart.append(gap)
        assert (np.min(apart, axis=0)[panel.spans[row] > 0] < 1e-12).all(), symbol


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000), holes=st.sets(st.integers(2, 57), max_size=8),
    factor=st.floats(0.2, 5), noise=st.sampled_from([0.0, 2e-4, 5e-3]),
)  # fmt: skip
def test_returns_are_of_one_source(
    seed: int, holes: set[int], factor: float, noise: float, tmp_path_factory: Any
) -> None:
    rng = np.random.default_rng(seed)
    days = DAYS[:60]
    true = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, 60)))
    other = true * factor * np.exp(rng.normal(0, noise, 60))
    frames = [pd.DataFrame({"date": days, "close": p, "symbol": "AAA"}) for p in (true, other)]
    frames[0] = frames[0].drop(index=sorted(holes))
    sources = {name: resolve(frame) for name, frame in zip("ab", frames, strict=True)}
    chain = ChainProvider({"a": sources["a"]}, ("b", sources["b"]))
    fetched = chain.fetch(["AAA"], date(2020, 1, 1), date(2020, 12, 31))
    panel = es.ReturnsPanel.from_prices(
        fetched.table, keys=[("AAA", "XNYS")], sessions={"XNYS": Sessions.of("XNYS")},
        others=fetched.others,
    )  # fmt: skip
    kept = np.sort([k for k in range(60) if k not in holes])
    for k in range(1, 60):
        value, span = panel.values[0, k], panel.spans[0, k]
        before = kept[kept < k][-1] if (kept < k).any() else -1
        allowed = [other[k] / other[k - 1] - 1] if span == 1 else []
        if k not in holes and before >= 0 and span == k - before:
            allowed.append(true[k] / true[before] - 1)
        assert span == 0 or min(abs(value - each) for each in allowed) < 1e-12


def test_sources_that_disagree_on_an_event_day_are_a_finding(
    vendor: Callable[..., Path], events: Path, tmp_path: Path
) -> None:
    first = vendor("first")
    second = vendor("second", moved("2021-06-01", 0.02, "2021-06-02"))
    arguments = ["run", str(events), "--prices", f"{first},files:{second}"]
    arguments += ["--out", str(tmp_path / "reports"), "--event-pages", "0"]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    run = tmp_path / "reports" / "events"
    text = " ".join(shown.output.split())
    assert "Two sources of prices do not agree on 1 of 3 moves (AAA)" in text
    faults = pd.read_csv(run / "tables" / "faults.csv")
    seen = faults[(faults["kind"] == "sources_differ") & (faults["symbol"] == "AAA")]
    assert seen["date"].tolist() == ["2021-06-01", "2021-06-02"]
    assert seen["detail"].str.contains("is used, files:second has ").all()
    # The first source is used as it is.
    numbers = read_csv(run / "tables" / "car.csv")
    own = study(events, first).car((0, 1))["car"]
    main_window = numbers[(numbers["start"] == 0) & (numbers["stop"] == 1)]
    assert np.array_equal(main_window["car"], own)


def test_differences_by_rounding_are_none(vendor: Callable[..., Path], events: Path) -> None:
    results = study(events, f"{vendor('first')},files:{vendor('second', SEAMS['rounded'])}")
    assert kinds(results) == set()


# Names


@pytest.mark.parametrize(
    ("spec", "pieces"),
    [
        ("yahoo,moex", ["yahoo", "moex"]),
        ("yahoo, files:my prices", ["yahoo", "files:my prices"]),
        ("files:a,b,files:c", ["files:a,b", "files:c"]),
        ("prices, old", ["prices, old"]),
        ("prices.csv,yahoo", ["prices.csv", "yahoo"]),
    ],
)
def test_commas_part_sources_where_a_name_follows(spec: str, pieces: list[str]) -> None:
    assert split_chain(spec) == pieces
    assert is_chain(spec) == (len(pieces) > 1)


def test_paths_among_sources_are_found() -> None:
    spec = "yahoo,files:a/b,moex"
    assert paths_of(spec) == ["a/b"]
    assert with_paths(spec, lambda path: f"/x/{path}") == "yahoo,files:/x/a/b,moex"
    assert paths_of("auto") == []


def test_a_source_that_is_not_there_is_named(events: Path) -> None:
    shown = CliRunner().invoke(main, ["run", str(events), "--prices", "sample,files:nowhere"])
    assert shown.exit_code == 2
    assert "'nowhere'" in shown.output


def test_a_second_source_that_is_not_there_is_named(
    vendor: Callable[..., Path], events: Path
) -> None:
    command = ["run", str(events), "--prices", str(vendor("first")), "--fill", "yahooo"]
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 2
    assert (
        "--fill: no such price source or path, got 'yahooo'; did you mean 'yahoo'?" in shown.output
    )


def test_a_study_file_names_sources_beside_it(
    vendor: Callable[..., Path], events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor("first", symbols=["AAA", INDEX])
    vendor("second")
    text = 'events = "events.csv"\nprices = "files:first,files:second"\nfill = "files:second"\n'
    (tmp_path / "study.toml").write_text(text + "event_pages = 0\n", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    shown = CliRunner().invoke(main, ["run", "--config", str(tmp_path / "study.toml")])
    assert shown.exit_code == 0, shown.output
    assert "files:second has the prices of 2 symbols (BBB, CCC)" in shown.output
