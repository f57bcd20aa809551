"""Returns in Parquet: the panel that a CSV gives, read for the symbols that are needed and in
portions."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from run_folders import QUICK, invoke

from eventstudy.errors import DataError
from eventstudy.events import Events, events_from_frame
from eventstudy.quality import gate
from eventstudy.returns import ReturnsPanel, read_returns
from eventstudy.returns import table as returns_table
from eventstudy.runs import reproduce_run, verify_run

pq = pytest.importorskip("pyarrow.parquet")
SYMBOLS = ["VOD.L", "AAPL", "^GSPC", "0700.HK", "^FTSE", "^HSI", "SPY", "ZZZ"]


def returns(seed: int) -> pd.DataFrame:
    """Returns with holes, late listings, and some on days that the exchanges were closed."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2019-01-01", periods=150, name="date")
    days = days[(days.day_of_week < 5) | (days.day == 5)]
    values = np.round(rng.standard_normal((len(days), len(SYMBOLS))) * 0.02, 5)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:40, 1] = np.nan
    return pd.DataFrame(values, days, SYMBOLS)


def long_of(wide: pd.DataFrame) -> pd.DataFrame:
    return wide.reset_index().melt("date", var_name="ticker", value_name="ret")


def events_of(calendar: str, *tickers: str) -> Events:
    rows = {"ticker": tickers or ("AAPL", "VOD.L", "0700.HK", "GONE"), "announced_at": "2019-03-06"}
    return events_from_frame(pd.DataFrame(rows), calendar=calendar)


def same(one: ReturnsPanel, other: ReturnsPanel) -> None:
    assert one.keys == other.keys
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.spans, other.spans)
    np.testing.assert_array_equal(one.sessions, other.sessions)
    assert one.notes == other.notes
    assert one.failures.keys() == other.failures.keys()
    assert {k: v.tolist() for k, v in one.calendars.items()} == {
        k: v.tolist() for k, v in other.calendars.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("calendar", ["exchange", "data"])
@pytest.mark.parametrize("cells", [1, 250, 2**20])
def test_the_panel_of_a_csv_whatever_form_and_portions(
    calendar: str, cells: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, wide = events_of(calendar), returns(3)
    wide.to_csv(tmp_path / "r.csv")
    expected = read_returns(tmp_path / "r.csv", events, calendar=calendar)
    assert np.isnan(expected.values).any()
    assert any("days that" in note for note in expected.notes)
    for module, name in (
        (returns_table, "LONG_CELLS"),
        (returns_table, "CELLS"),
    ):
        monkeypatch.setattr(module, name, cells)
    same(read_returns(tmp_path / "r.csv", events, calendar=calendar), expected)
    long = long_of(wide)
    for k, frame in enumerate([
        wide, wide.reset_index(), wide.reset_index().iloc[::-1],
        wide.reset_index().astype({"date": str}),
        long, long.sample(frac=1, random_state=1), long.astype({"ticker": "category", "ret": str}),
        long.dropna().rename(columns={"ticker": "Symbol", "ret": "Return"}),
        long.assign(date=long["date"].dt.date),
        long.assign(date=long["date"].dt.tz_localize("Asia/Tokyo")),
    ]):  # fmt: skip
        path = tmp_path / f"{k}.parquet"
        frame = frame.replace({"ret": {"nan": None}}) if "ret" in frame else frame
        frame.to_parquet(path, row_group_size=37)
        same(read_returns(path, events, calendar=calendar), expected)


def test_what_no_event_needs_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells of other columns, and row groups of other tickers, may be damaged and it is not
    noticed."""
    wide = returns(4)
    events = events_of("data", "AAPL")
    wide.astype({"ZZZ": str}).assign(ZZZ="x").reset_index().to_parquet(tmp_path / "w.parquet")
    long = long_of(wide).sort_values(["ticker", "date"])
    long.to_parquet(tmp_path / "l.parquet", row_group_size=len(wide))
    expected = read_returns(tmp_path / "w.parquet", events, calendar="data")
    assert expected.symbols == ("AAPL", "^GSPC", "SPY")[: len(expected.symbols)]
    path = tmp_path / "l.parquet"
    raw, file = bytearray(path.read_bytes()), pq.ParquetFile(path).metadata
    for k, ticker in enumerate(long["ticker"].iloc[:: len(wide)]):
        ret = file.row_group(k).column(2)
        start = ret.dictionary_page_offset or ret.data_page_offset
        size = ret.total_compressed_size if ticker != "AAPL" else 0
        raw[start : start + size] = b"x" * size
    path.write_bytes(raw)
    (_, block), *_ = returns_table.table_of(path).blocks(["AAPL"])
    np.testing.assert_array_equal(block[0], wide["AAPL"])
    with pytest.raises(OSError, match="deserialize"):
        list(returns_table.table_of(path).blocks(["ZZZ"]))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"date": ["2024-01-02", "03/04/2024"], "A": [0.1, 0.2]}, "date that cannot be read"),
        ({"date": ["2024-01-02", "2024-01-02"], "A": [0.1, 0.2]}, "occurs twice"),
        ({"date": ["2024-01-02"], "A": ["1.5%"]}, "A on 2024-01-02: a return that is no number"),
        ({"date": ["2024-01-02"], "A": [0.1], "A ": [0.2]}, "two columns"),
        ({"A": [0.1, 0.2]}, "has no dates"),
        (
            {"date": ["2024-01-02", "2024-01-03"], "A": [0.1, -1.5]},
            "A on 2024-01-03: .* below -100 %",
        ),
        (
            {"date": ["2024-01-02"] * 2, "ticker": ["A", "A"], "ret": [0.1, 0.2]},
            "two returns.*A 2024-01-02",
        ),
        (
            {"date": ["2024-01-02"], "ticker": ["A"], "ret": ["x"]},
            "A on 2024-01-02: a return that is no number",
        ),
        (
            {"date": ["2024-01-02", None], "ticker": ["A"] * 2, "ret": [0.1, 0.2]},
            "date that cannot be read",
        ),
        ({"day": ["2024-01-02"], "ret": [0.1]}, "needs the columns"),
        ({"date": ["2024-01-02"], "B": [0.1]}, "none of the tickers"),
        ({"date": [], "ticker": [], "ret": []}, "no return at all"),
    ],
)
def test_bad_files(frame: dict[str, list[object]], message: str, tmp_path: Path) -> None:
    pd.DataFrame(frame).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match=message) as found:
        read_returns(tmp_path / "r.parquet", events_of("data", "A"), calendar="data")
    assert str(found.value).startswith("r.parquet")


def test_faults_of_a_csv_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("date,ticker,ret\n2024-01-02,A,0.1\n2024-01-03,A,x\n")
    with pytest.raises(
        DataError, match=r"^r\.csv, A on 2024-01-03: a return that is no number, got 'x'"
    ):
        read_returns(tmp_path / "r.csv", events_of("data", "A"), calendar="data")


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "r.parquet").write_text("date,A\n2024-01-02,0.1\n")
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_returns(tmp_path / "r.parquet", events_of("data", "A"), calendar="data")


@pytest.mark.watch
def test_memory_is_that_of_the_panel_and_a_portion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = pd.bdate_range("2012-01-02", periods=2500, name="date")
    rng = np.random.default_rng(1)
    names = [f"S{k:03d}" for k in range(300)]
    wide = pd.DataFrame(rng.standard_normal((len(days), len(names))) * 0.02, days, names)
    wide.to_parquet(tmp_path / "w.parquet")
    long_of(wide).to_parquet(tmp_path / "l.parquet", row_group_size=50_000)
    events = events_of("data", *names)
    for name in ("CELLS", "LONG_CELLS", "ROWS"):
        monkeypatch.setattr(returns_table, name, 20_000)
    monkeypatch.setattr(gate, "SAMPLE", 20_000)
    for file in ("w.parquet", "l.parquet"):
        read_returns(tmp_path / file, events_of("data", "S000"), calendar="data")
        tracemalloc.start()
        panel = read_returns(tmp_path / file, events, calendar="data")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert panel.spans.dtype == np.int16
        assert panel.values.nbytes == 300 * 2500 * 8
        assert peak < 1.9 * panel.values.nbytes, file


def test_spans_longer_than_two_bytes_hold() -> None:
    days = pd.date_range("1930-01-01", periods=33_000)
    frame = pd.DataFrame({"A": np.full(len(days), 0.001)}, index=days)
    panel = ReturnsPanel.from_frame(frame)
    assert panel.spans.dtype == np.int32
    assert int(panel.spans.sum()) == len(days)


@pytest.mark.slow
def test_a_run_of_parquet_returns_is_that_of_a_csv(tmp_path: Path) -> None:
    market = Market(n=4)
    wide = market.wide.rename_axis("date")
    wide.to_csv(tmp_path / "r.csv")
    wide.to_parquet(tmp_path / "r.parquet")
    own = market.table[["event_id", "ticker", "announced_at", "benchmark"]]
    own.to_csv(tmp_path / "e.csv", index=False)
    for name in ("r.csv", "r.parquet"):
        invoke(
            "run", tmp_path / "e.csv", "--returns", tmp_path / name, "--calendar", "data",
            "--estimation",
            "-100:-11", "--event-window", "-5:5", "--out", tmp_path, "--name", f"run-{name[2:]}",
            "--quiet", *QUICK,
        )  # fmt: skip
    one, other = (tmp_path / name / "tables" / "car.csv" for name in ("run-csv", "run-parquet"))
    assert one.read_bytes() == other.read_bytes()
    run = tmp_path / "run-parquet"
    assert (run / "data/returns/1/r.parquet").is_file()
    assert verify_run(run).ok
    assert reproduce_run(run).exact
