"""The door for a notebook: tables in memory give the numbers of files, and results as tables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from run_folders import QUICK
from test_cli import invoke

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.errors import ConfigError, EventStudyError
from eventstudy.prices import Prices
from eventstudy.prices.files import FrameProvider

AROUND: dict[str, Any] = {
    "estimation": (-120, -11),
    "event_window": (-5, 5),
    "car": ["0:1", "-1:1"],
    "calibrate": 0,
    "event_pages": 0,
}
FLAGS = ["--estimation", "-120:-11", "--event-window", "-5:5", "--car", "0:1", "--car", "-1:1"]
# Firms and indices by the calendar of their exchange: their holidays differ.
LISTED = {
    "XNYS": ("NVDA", "MSFT", "^GSPC"),
    "XHKG": ("0700.HK", "9988.HK", "^HSI"),
    "XSHG": ("002415.SZ", "300750.SZ", "000300.SS"),
    "XETR": ("SAP.DE", "SIE.DE", "^GDAXI"),
}
NEWS = """event_id,ticker,announced_at,direction,size,code
nv,NVDA,2023-07-05,adverse,10,007
ms,MSFT,2023-10-09,relief,2.5,008
hk,0700.HK,2023-10-02T18:30+08:00,adverse,4,009
bb,9988.HK,2023-07-17,adverse,1,010
hi,002415.SZ,2023-10-04,adverse,7,011
ca,300750.SZ,2023-06-22,relief,3,012
sp,SAP.DE,2023-10-03,relief,6,013
si,SIE.DE,2023-05-29,adverse,8,014
"""


def closes() -> pd.DataFrame:
    """Return adjusted closes on the days of each exchange, dates x tickers; some days lack one."""
    rng, columns = np.random.default_rng(7), {}
    for calendar, symbols in LISTED.items():
        known = Sessions.of(calendar).dates
        days = known[
            (known >= np.datetime64("2022-06-01")) & (known <= np.datetime64("2024-01-31"))
        ]
        market = 0.01 * rng.standard_normal(len(days))
        for symbol in symbols:
            own = 0.0 if symbol == symbols[-1] else 0.015 * rng.standard_normal(len(days))
            path = pd.Series(100 * np.exp(np.cumsum(market + own)), pd.DatetimeIndex(days))
            if symbol != symbols[-1]:
                # A halt in the estimation window, and one that ends on day 0 of some.
                path = path.drop(path.index[rng.integers(150, 250, 4)])
            columns[symbol] = path
    return pd.DataFrame(columns).sort_index()


WIDE = closes()


def long(wide: pd.DataFrame) -> pd.DataFrame:
    table = wide.rename_axis(index="date", columns="symbol").stack().rename("close")
    return table.reset_index().assign(adj_close=lambda t: t["close"])


def as_yfinance(wide: pd.DataFrame) -> pd.DataFrame:
    """Return prices as ``yfinance.download(auto_adjust=False)`` has them."""
    return pd.concat(
        {"Close": wide, "Adj Close": wide}, axis=1, names=["Price", "Ticker"]
    ).rename_axis(index="Date")


def polars_like(wide: pd.DataFrame) -> Any:
    """Return prices as a table of another library that narwhals knows."""
    pa = pytest.importorskip("pyarrow")
    return pa.Table.from_pandas(wide.rename_axis("date").reset_index())


SHAPES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "wide": lambda wide: wide,
    "wide, with a column": lambda wide: wide.rename_axis("Date").reset_index(),
    "texts": lambda wide: wide.set_axis(wide.index.strftime("%Y-%m-%d")).rename_axis("date"),
    "time zone": lambda wide: wide.tz_localize("Asia/Shanghai"),
    "long": long,
    "long, by index": lambda wide: long(wide).set_index(["symbol", "date"]),
    "yfinance": as_yfinance,
    "other library": polars_like,
    "provider": lambda wide: FrameProvider(wide),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study from files, by the command as a process of its own."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "events.csv").write_text(NEWS)
    (folder / "prices").mkdir()
    for symbol in WIDE:
        table = WIDE[symbol].dropna().rename("close").rename_axis("date").reset_index()
        table.assign(adj_close=table["close"]).to_csv(
            folder / "prices" / f"{symbol}.csv", index=False
        )
    simple(WIDE).rename_axis("date").to_csv(folder / "returns.csv")
    return folder


def simple(wide: pd.DataFrame) -> pd.DataFrame:
    """Return decimal returns from each close to the next."""
    return pd.DataFrame({s: wide[s].dropna().pct_change() for s in wide}).reindex(wide.index)


def command(folder: Path, *source: str) -> dict[str, pd.DataFrame]:
    """Return the tables of a run made by the command."""
    arguments = ["run", "events.csv", *source, *FLAGS, "--offline", *QUICK, "--quiet"]
    arguments += ["--name", source[0].strip("-")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = [sys.executable, "-m", "eventstudy", *arguments]
    subprocess.run(process, cwd=folder, env=env, check=True, capture_output=True)
    tables = folder / "reports" / source[0].strip("-") / "tables"
    return {name: pd.read_csv(tables / f"{name}.csv") for name in ("car", "tests", "models")}


@pytest.fixture(scope="module")
def by_prices(run: Path) -> dict[str, pd.DataFrame]:
    return command(run, "--prices", "prices")


@pytest.fixture(scope="module")
def by_returns(run: Path) -> dict[str, pd.DataFrame]:
    return command(run, "--returns", "returns.csv")


def news() -> pd.DataFrame:
    return pd.read_csv(StringIO(NEWS), dtype={"code": str})


def agree(results: es.EventStudyResults, tables: dict[str, pd.DataFrame]) -> None:
    """Require the CARs, tests and estimates of a run of the command, to 1e-12."""
    close: dict[str, Any] = {"rtol": 0, "atol": 1e-12}
    car, table = results.car(), tables["car"]
    assert len(car) == len(table) == 2 * 8
    assert car["event_id"].tolist() == table["event_id"].tolist()
    for name in ("car", "se", "statistic", "scar", "bhar", "n_days", "n_sessions"):
        np.testing.assert_allclose(car[name], table[name], **close)
    np.testing.assert_array_equal(car["last_session"].astype(str), table["last_session"])
    models = results.models()
    for name in ("nobs", "alpha", "beta", "sigma"):
        np.testing.assert_allclose(models[name], tables["models"][name], **close)
    tests = (
        tables["tests"][lambda t: t["group"].isna()]
        if "group" in tables["tests"]
        else tables["tests"]
    )
    ours = results.tests().merge(tests, on=["test", "start", "stop"], suffixes=("", "_file"))
    assert len(ours) > 20
    np.testing.assert_allclose(ours["statistic"], ours["statistic_file"], rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_prices_in_memory_are_those_of_files(
    shape: str, by_prices: dict[str, pd.DataFrame]
) -> None:
    results = es.study(news(), SHAPES[shape](WIDE), **AROUND)
    agree(results, by_prices)
    assert results.main == es.Window(0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["wide", "long", "other library"])
def test_returns_in_memory_are_those_of_a_file(
    shape: str, by_returns: dict[str, pd.DataFrame]
) -> None:
    frame = simple(WIDE)
    given = frame if shape == "wide" else polars_like(frame)
    if shape == "long":
        given = long(frame)[["date", "symbol", "close"]].set_axis(["date", "ticker", "ret"], axis=1)
    agree(es.study(news(), returns=given, **AROUND), by_returns)


@pytest.mark.slow
def test_files_and_a_folder_may_be_named_as_well(
    run: Path, by_prices: dict[str, pd.DataFrame], by_returns: dict[str, pd.DataFrame]
) -> None:
    agree(es.study(run / "events.csv", run / "prices", **AROUND), by_prices)
    agree(es.study(str(run / "events.csv"), returns=run / "returns.csv", **AROUND), by_returns)


@pytest.fixture(scope="module")
def results() -> es.EventStudyResults:
    return es.study(news(), WIDE, by="direction", **AROUND)


@pytest.mark.slow
def test_usual_names_of_columns_are_taken_and_said() -> None:
    named = news().rename(columns={"ticker": "Symbol", "announced_at": "event_date"})
    results = es.study(named, WIDE, **AROUND)
    assert results.notes[:2] == (
        "the column 'Symbol' of the events is read as ticker",
        "the column 'event_date' of the events is read as announced_at",
    )
    assert "event_date" in str(results)
    assert "event_date" in results._repr_html_()


def test_a_column_can_be_chosen() -> None:
    filed = news().rename(columns={"ticker": "listing", "announced_at": "filed"})
    chosen = es.study(
        filed.assign(date="2023-01-01"), WIDE, date="filed", ticker="listing", **AROUND
    )
    other = es.study(news(), WIDE, **AROUND)
    assert (chosen.events["day0"] == other.events["day0"]).all()
    assert "date" in chosen.car()


@pytest.mark.slow
def test_a_column_is_chosen_by_options_and_in_a_study_file(tmp_path: Path) -> None:
    filed = news().rename(columns={"ticker": "listing", "announced_at": "filed"})
    filed.to_csv(tmp_path / "events.csv", index=False)
    wide = tmp_path / "returns.csv"
    simple(WIDE).rename_axis("date").to_csv(wide)
    named = ["--returns", wide, "--estimation", "-60:-11", *QUICK]
    chosen = ["--ticker", "listing", "--date", "filed"]
    code, _, err = invoke(
        "run", tmp_path / "events.csv", *named, *chosen, "--out", tmp_path, "--json"
    )
    assert code == 0, err
    assert "'filed' of the events is read as announced_at" in err
    study = tmp_path / "study.toml"
    study.write_text('events = "events.csv"\nticker = "listing"\ndate = "filed"\ncalibrate = 0\n')
    assert invoke("check", study)[0] == 0
    again = es.read_config(study)
    assert again.columns == {"ticker": "listing", "announced_at": "filed"}
    assert invoke("reproduce", tmp_path / "events")[0] == 0
    results = es.study(tmp_path / "events.csv", returns=wide, config=again)
    saved = results.save(tmp_path, "saved")
    code, _, err = invoke("verify", saved)
    assert code == 0, err
    (saved / "manifest.json").write_text('{"schema": "eventstudy-run/')
    assert results.save(tmp_path, "saved").name == "saved-2", "what cannot be read stays"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"events": 3}, "events: not events, got 'int'; give read_events"),
        ({"prices": 3}, "prices: not prices, got 'int'; give a DataFrame, a name, the path"),
        ({"prices": WIDE.to_numpy()}, "prices: not prices, got 'ndarray'"),
        ({"prices": None, "returns": 3}, "returns: not returns, got 'int'; give a DataFrame"),
        ({"returns": WIDE}, "both prices and returns are given; give one of them"),
        (
            {"prices": "smaple"},
            "no such price source or path, got 'smaple'; did you mean 'sample'?",
        ),
        ({"prices": long(WIDE).drop(columns="symbol")}, "add a column symbol"),
        (
            {"prices": long(WIDE).drop(columns="date")},
            "no date column, got 'symbol, close, adj_close'; name the column of the dates",
        ),
        (
            {"prices": as_yfinance(WIDE).reset_index(drop=True)},
            "'date' (pandas loses the dates of an index by index=False and drop=True)",
        ),
        ({"car": 3}, "windows: not a window, got 3"),
        ({"car": "0:1", "windows": "0:2"}, "one setting is given by two names"),
        ({"modle": "ff3"}, "modle: unknown setting; did you mean 'model'?"),
        ({"date": "filed"}, "no such column of the events, got 'filed'"),
        ({"date": "size"}, "two columns for announced_at, got 'size'; drop or rename"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(options: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {"events": news(), "prices": WIDE, "event_window": (-5, 5)}
    with pytest.raises(EventStudyError) as error:
        es.study(**{**given, **options})
    assert says in str(error.value)


def test_a_price_that_is_none_costs_its_own_event_alone() -> None:
    results = es.study(news(), WIDE.assign(NVDA="x"), **AROUND)
    lost = results.events.set_index("event_id").loc["nv"]
    assert "frame:2, 3, 4, 5, 6, 7, 8, 9, ...: adj_close: not a number" in lost["reason"]
    assert len(results) == 7


def test_several_dates_are_not_guessed_at() -> None:
    twice = news().drop(columns="announced_at").assign(date="2023-07-05", event_date="2023-07-06")
    with pytest.raises(
        ConfigError,
        match=r"got 'date, .*--date date or .*date='date'",
    ):
        es.study(twice, WIDE)


def test_tables_have_the_columns_of_the_user(results: es.EventStudyResults) -> None:
    car = results.car()
    assert car["size"].tolist()[:2] == [10, 2.5], "numbers are numbers"
    assert car["code"].tolist()[:2] == ["007", "008"], "codes keep their zeros"
    assert "when" not in car
    wide = results.wide()
    assert list(wide) == ["event_id", "ticker", "[0,1]", "[-1,1]", "direction", "size", "code"]
    np.testing.assert_array_equal(wide["[-1,1]"], car["car"][8:])
    tidy = results.tidy()
    assert len(tidy) == 8 * 11
    assert (tidy.groupby("event_id")["size"].nunique() == 1).all()
    picked = results.subset("direction == 'relief'")
    assert set(picked.car()["direction"]) == {"relief"}
    assert picked.car()["size"].tolist() == [2.5, 3, 6] * 2
    assert list(results.car_table()) == list(car)[:-3], "a run folder has its own columns alone"


def test_columns_of_the_user_with_the_name_of_a_result_are_kept(
    results: es.EventStudyResults,
) -> None:
    cells = {"se": "x", "own_se": "y", "[0,1]": "z"}
    own = replace(results, events=results.events.assign(**cells))
    for table in (own.car(), own.tidy()):
        assert (table["own_own_se"] == "x").all()
        assert (table["own_se"] == "y").all()
        assert table["se"].dtype.kind == "f"
    wide = own.wide()
    assert (wide["own_[0,1]"] == "z").all()
    assert wide["[0,1]"].dtype.kind == "f"


def test_standard_errors_are_those_of_the_regression(results: es.EventStudyResults) -> None:
    models = results.models().set_index("event_id")
    fit = results.regression("sp")
    np.testing.assert_allclose(models.loc["sp", ["se_alpha", "se_beta"]].astype(float), fit.bse)


def test_groups_by_several_columns(results: es.EventStudyResults) -> None:
    big = news().assign(big=lambda t: np.where(t["size"] > 5, "big", "small"))
    groups = es.study(big, WIDE, **AROUND).groups(["direction", "big"])
    counts = {name: len(group) for name, group in groups.items()}
    assert counts == {("adverse", "big"): 3, ("adverse", "small"): 2, ("relief", "small"): 2,
                      ("relief", "big"): 1}  # fmt: skip
    with pytest.raises(ConfigError, match="no such column, got 3"):
        results.groups(3)  # type: ignore[arg-type]


def test_answers_side_by_side(results: es.EventStudyResults) -> None:
    others = es.study(news(), WIDE, model="market_adjusted", **AROUND)
    table = es.compare({"market": results, "adjusted": others})
    assert table.index.tolist() == ["market", "adjusted"]
    answer = others.answer()
    row = table.loc["adjusted"]
    assert (row["test"], row["pvalue"], row["estimate"]) == (
        answer.test, answer.pvalue, answer.effect.estimate
    )  # fmt: skip
    assert len(es.compare({"market": results}, [(0, 1), (-1, 1)])) == 2
    assert es.compare(results.groups(["direction"])).index.tolist() == ["adverse", "relief"]
    for wrong in ({}, results, {"a": 3}, [results]):
        with pytest.raises(ConfigError, match=r"not results by name.*give results by name"):
            es.compare(wrong)  # type: ignore[arg-type]


def test_an_empty_result_is_a_row_with_its_reason(results: es.EventStudyResults) -> None:
    nothing = es.study(news()[:2], WIDE.drop(columns="MSFT"), **AROUND).subset([1])
    row = es.compare({"nothing": nothing}).iloc[0]
    assert row["reason"].startswith("none of 1 event could be used")
    assert nothing.car().empty
    assert nothing.wide().empty


@pytest.mark.slow
def test_windows_are_given_once(results: es.EventStudyResults, tmp_path: Path) -> None:
    assert set(zip(results.car()["start"], results.car()["stop"], strict=True)) == {(0, 1), (-1, 1)}
    folder = results.save(tmp_path)
    table = pd.read_csv(folder / "tables" / "car.csv")
    assert list(table)[: len(results.car_table().columns)] == list(results.car_table())
    assert len(table) == 16
    assert results.save(tmp_path) == folder
    other = results.subset("direction == 'relief'")
    assert other.save(tmp_path) == results.subset("direction == 'relief'").save(tmp_path)
    assert other.save(tmp_path).name == "study-2"
    assert other.save(tmp_path, force=True) == folder
    assert results.subset("direction == 'relief'").main == es.Window(0, 1)


def test_a_study_with_settings_of_another_kind(results: es.EventStudyResults) -> None:
    config = es.StudyConfig(estimation=(-120, -11), event=(-5, 5), model="market_adjusted")  # type: ignore[arg-type]
    given = es.study(news(), WIDE, config=config, model="market", car=["0:1", "-1:1"])
    pd.testing.assert_frame_equal(given.car(), results.car())
    factors = pd.DataFrame({"Mkt-RF": 0.001, "rf": 0.0}, index=WIDE.index)
    factors["Mkt-RF"] += 0.01 * np.random.default_rng(1).standard_normal(len(factors))
    capm = es.study(news(), WIDE, model="capm", factors=factors, **AROUND)
    assert {"alpha", "beta"} <= set(capm.models()) or {"alpha", "mkt_rf"} <= set(capm.models())


def test_a_text_is_short(results: es.EventStudyResults) -> None:
    assert len(repr(results)) < 400
    for drawn in (results.answer(), results.power(), results.influence()):
        assert repr(drawn) == str(drawn)
    lacking = es.study(news(), WIDE[["NVDA", "^GSPC"]], **AROUND)
    assert "002415.SZ" not in lacking.panel._repr_html_()


def test_the_long_way_says_that_it_takes_the_dates_of_the_table() -> None:
    frame = simple(WIDE)
    around: Any = {"estimation": (-120, -11), "event": (-5, 5)}
    long_way = es.EventStudy(news(), frame, **around).fit()
    assert any("es.study(events, returns=table)" in note for note in long_way.notes)
    by_data = es.study(news(), returns=frame, calendar="data", **AROUND)
    assert not any("es.study" in note for note in by_data.notes)


class Asked:
    """A provider of the user's."""

    name = "own"

    def fetch(self, symbols: Any, start: Any, end: Any, *, progress: Any = None) -> Prices:
        return FrameProvider(WIDE).fetch(symbols, start, end, progress=progress)


@pytest.mark.slow
def test_a_provider_of_the_user(by_prices: dict[str, pd.DataFrame]) -> None:
    agree(
        es.study(
            news(), Asked(), grid={"model": ["market", "market_adjusted"], "car": ["0:1"]}, **AROUND
        ),
        by_prices,
    )


@pytest.mark.slow
def test_prices_of_a_list_in_a_file(run: Path) -> None:
    panel = es.load_returns(run / "events.csv", WIDE)  # type: ignore[arg-type]
    assert set(panel.symbols) == set(WIDE)
