"""Files of factors and of market values go through a gate, as files of returns do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import FACTORS, Market
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import invoke
from test_factors import FRENCH, MOMENTUM

from eventstudy.errors import ConfigError, DataError
from eventstudy.fitting.market_values import SizesFile, read_sizes
from eventstudy.prices.sizes import market_values
from eventstudy.returns import checked_factors, gate_of, read_factors
from eventstudy.returns.sessions import factor_rows
from eventstudy.runs import reproduce_run

DAYS = pd.bdate_range("2019-01-01", periods=400, name="date")
AT = 300


def factors(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sizes = dict(zip(("mkt_rf", "smb", "hml", "mom"), (0.008, 0.004, 0.004, 0.006), strict=True))
    table = {name: size * rng.standard_t(5, len(DAYS)) for name, size in sizes.items()}
    return pd.DataFrame({**table, "rf": 0.0001}, DAYS).clip(-0.1, 0.1).round(6)


def planted(value: object, name: str = "smb") -> pd.DataFrame:
    frame = factors().astype(object)
    frame.loc[DAYS[AT], name] = value
    return frame


def read(tmp_path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    frame.to_csv(tmp_path / "f.csv")
    return read_factors(tmp_path / "f.csv")


# Factors

CELLS = {
    "missing_code": [-99, -999, -66, -0.99, "C", ".", 999],
    "infinite_return": ["inf", "-inf", "1e400", "9" * 400],
    "impossible_return": [5, 0.2e2],
    "impossible_loss": [-1.3],
}


@pytest.mark.parametrize(
    ("kind", "cell"), [(kind, cell) for kind, cells in CELLS.items() for cell in cells]
)
def test_a_wrong_cell_of_a_factor_is_missing_and_named(
    kind: str, cell: object, tmp_path: Path
) -> None:
    table = read(tmp_path, planted(cell))
    expected = factors()
    expected.loc[DAYS[AT], "smb"] = np.nan
    np.testing.assert_array_equal(table.to_numpy(), expected.to_numpy())
    notices, faults = gate_of(table)
    day = f"{DAYS[AT]:%Y-%m-%d}"
    assert [(f.symbol, f.date, f.last, f.kind) for f in faults] == [("smb", day, day, kind)]
    assert len(notices) == 1
    assert notices[0].startswith("f.csv: 1 ")
    assert f"smb on {day} is " in notices[0]
    # A frame that was read is not judged again, and Parquet keeps what was seen.
    assert gate_of(checked_factors(table)) == (notices, faults)
    table.to_parquet(tmp_path / "g.parquet")
    assert gate_of(pd.read_parquet(tmp_path / "g.parquet")) == (notices, faults)


def test_clean_factors_and_large_ones_pass(tmp_path: Path) -> None:
    assert gate_of(read(tmp_path, factors())) == ([], [])
    # October 1987, and momentum in April 2009.
    table = read(tmp_path, planted(-0.174, "mkt_rf"))
    assert gate_of(table) == ([], [])
    assert table["mkt_rf"].iloc[AT] == -0.174


def test_codes_of_french_files_are_counted(tmp_path: Path) -> None:
    for name, text in (("ff.csv", FRENCH), ("mom.csv", MOMENTUM)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    notices, faults = gate_of(read_factors([tmp_path / "ff.csv", tmp_path / "mom.csv"]))
    assert [(f.symbol, f.date, f.detail) for f in faults] == [
        ("mkt_rf", "2024-01-04", "ff.csv: -99.99"), ("mom", "2024-01-04", "mom.csv: -999"),
    ]  # fmt: skip
    names = [notice.split(":")[0] for notice in notices if "missing" in notice]
    assert names == ["ff.csv", "mom.csv"], "the others name the vintage of each"


def test_a_factor_in_percent_is_refused_where_it_is_used() -> None:
    """A model that does without it goes on."""
    market = Market(n=3, seed=61)
    table = market.wide[list(FACTORS)].copy()
    table["hml"] *= 100
    with pytest.raises(DataError, match="hml: not in decimals, got 'factors: median") as error:
        market.fit(model="ff3", factors=table)
    assert "divide the column by 100" in str(error.value)
    used = market.fit(model="capm", factors=table)
    assert [f.kind for f in used.panel.faults] == ["percent_column"]
    clean = market.fit(model="capm", factors=market.wide[list(FACTORS)])
    np.testing.assert_array_equal(used.abnormal.ar, clean.abnormal.ar)


def test_no_factor_spans_a_value_that_was_taken_out() -> None:
    """Its next value is of one day: it is no holiday of its market."""
    market = Market(n=1, seed=62)
    at = market.frame.index.get_loc(market.table["day0"][0])
    table = market.wide[list(FACTORS)].copy()
    table.iloc[at - 60, 1] = table.iloc[at + 1, 1] = -99
    fit, full = market.fit(model="ff3", factors=table).abnormal, market.fit(model="ff3").abnormal
    assert fit.nobs[0] == full.nobs[0] - 1
    np.testing.assert_array_equal(fit.spans[0, 5:9], [1, 0, 1, 1])
    assert np.isnan(fit.ar[0, 6])
    days = np.array(["2024-01-05", "2024-01-08", "2024-01-09"], dtype="datetime64[D]")
    frame = pd.DataFrame(
        {"smb": [0.01, -99, 0.02]}, pd.DatetimeIndex(["2024-01-05", "2024-01-06", "2024-01-08"])
    )
    values, spans = factor_rows(checked_factors(frame), days, "simple")["smb"]
    # A Saturday that is not known makes Monday unknown.
    np.testing.assert_array_equal(values, [0.01, np.nan, np.nan])
    assert spans.tolist() == [1, 0, 0]


# Market values and share counts


def sizes(tmp_path: Path, *rows: str, value: str = "mcap") -> SizesFile:
    text = "\n".join([f"ticker,date,{value}", *rows, ""])
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    return read_sizes(tmp_path / "s.csv")


SERIES = ("1.0e9", "1.1e9", "1.2e9", "1.1e9", "1.3e9")
SIZES: dict[str, list[str]] = {
    "missing_size": ["", "-99", "-999", "C", ".", "-9999"],
    "impossible_size": ["0", "-5", "inf", "9" * 400],
    "size_slip": ["1.2e6", "1.2e12", "2e7"],
}


@pytest.mark.parametrize(
    ("kind", "cell"), [(kind, cell) for kind, cells in SIZES.items() for cell in cells]
)
@pytest.mark.parametrize("value", ["mcap", "shares"])
def test_a_wrong_market_value_is_left_out_and_named(
    kind: str, cell: str, value: str, tmp_path: Path
) -> None:
    cells = [*SERIES[:2], cell, *SERIES[3:]]
    rows = [f"AAA,2020-01-0{k + 1},{text}" for k, text in enumerate(cells)]
    file = sizes(tmp_path, *rows, "BBB,2020-01-03,1e6", value=value)
    assert file.table[value].tolist() == [1e9, 1.1e9, 1.1e9, 1.3e9, 1e6]
    assert [(f.symbol, f.date, f.kind) for f in file.faults] == [("AAA", "2020-01-03", kind)]
    assert len(file.notices) == 1
    assert file.notices[0].startswith("s.csv: 1 ")
    assert f"AAA on 2020-01-03 is {cell[:20] or 'blank'}" in file.notices[0]


def test_jumps_that_stay_are_flagged(tmp_path: Path) -> None:
    rows = [f"AAA,2020-01-0{k + 1},{text}" for k, text in enumerate(("1e9", "1e9", "2e9", "2e9"))]
    assert not sizes(tmp_path, *rows).faults
    counts = sizes(tmp_path, *rows, value="shares")
    assert [(f.kind, f.date) for f in counts.faults] == [("suspect_size", "2020-01-03")]
    assert counts.table["shares"].tolist() == [1e9, 1e9, 2e9, 2e9]
    assert "were kept" in counts.notices[0] or "was kept" in counts.notices[0]
    unit = [row.replace("2e9", "1e12") for row in rows]
    assert [f.kind for f in sizes(tmp_path, *unit).faults] == ["suspect_size"]


def test_which_of_alternating_values_is_off(tmp_path: Path) -> None:
    """The first and the last cannot be judged by two neighbours."""
    cells = ("1e9", "1e3", "1e9", "1e3", "1e9", "1e9")
    rows = [f"AAA,2020-01-0{k + 1},{text}" for k, text in enumerate(cells)]
    file = sizes(tmp_path, *rows)
    assert [f.date for f in file.faults] == ["2020-01-02", "2020-01-04"]
    assert file.table["mcap"].tolist() == [1e9] * 4


REFUSED = {
    "text": (["AAA,2020-01-02,1e9", "AAA,2020-01-03,\"1,2\""], "s.csv: row 3, mcap: not a number, got '1,2'; write"),
    "date": (["AAA,2.1.2020,1e9"], "s.csv: row 2, date: not a date, got '2.1.2020'; write YYYY-MM-DD"),
    "no ticker": ([",2020-01-02,1e9"], "s.csv: row 2, ticker: no ticker"),
    "signs": (["AAA,2020-01-02,-1", "AAA,2020-01-03,-2", "AAA,2020-01-04,1"], "most numbers are not positive"),
    "one cell more at once": (["AAA,2020-01-02,1e9,7"], "s.csv: row 2: the first row has more cells"),
    "one cell more": (["AAA,2020-01-02,1e9", "AAA,2020-01-03,1e9,7"], "cannot be read as a table; .*line 3, saw 4"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSED))
def test_a_file_that_is_refused_is_named_with_its_cell(case: str, tmp_path: Path) -> None:
    rows, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        sizes(tmp_path, *rows)


def test_a_firm_without_a_usable_number_has_that_reason(tmp_path: Path) -> None:
    file = sizes(tmp_path, "AAA,2020-01-02,-99", "BBB,2020-01-02,1e9")
    assert file.failures == {"AAA": "s.csv has no number for it that can be used"}


def test_counts_of_yahoo_go_through_the_gate() -> None:
    days = pd.DatetimeIndex(pd.date_range("2020-01-01", periods=8), tz="America/New_York")
    history = pd.DataFrame({"Close": 10.0, "Stock Splits": 0.0}, days)
    counts = pd.Series([1e6, 1e6, 1e9, 1e6, 1e6, 2e6, 2e6, 2e6], days)
    span = days[0].date(), days[-1].date()
    table = market_values("AAA", history, counts, "USD", *span)
    assert table["shares"].tolist() == [1e6] * 5 + [2e6] * 3
    ((faults, _),) = [table.attrs["remarks"]]
    assert [(f.kind, f.date) for f in faults] == [
        ("size_slip", "2020-01-03"), ("suspect_size", "2020-01-06"),
    ]  # fmt: skip


# The way to the report


@pytest.mark.slow
def test_a_run_names_what_was_taken_out(tmp_path: Path) -> None:
    market = Market(n=4, seed=63)
    table = market.wide[list(FACTORS)].astype(object)
    at = market.frame.index.get_loc(market.table["day0"][0])
    table.iloc[at - 40, 1] = "C"
    table.iloc[at - 41, 2] = 5
    table.rename_axis("date").to_csv(tmp_path / "f.csv")
    market.frame.rename_axis("date").to_csv(tmp_path / "r.csv")
    listed = market.table[["event_id", "ticker", "announced_at", "benchmark"]]
    listed.to_csv(tmp_path / "e.csv", index=False)
    near = market.frame.index[[at - 3, at - 2, at - 1]].strftime("%Y-%m-%d")
    firm = listed["ticker"].iloc[0]
    rows = [
        f"{firm},{day},{text},USD" for day, text in zip(near, ("1e9", "-99", "1.1e9"), strict=True)
    ]
    rows += [f"{t},{near[0]},1e9,USD" for t in listed["ticker"].iloc[1:]]
    (tmp_path / "s.csv").write_text(
        "\n".join(["ticker,date,mcap,currency", *rows, ""]), encoding="utf-8"
    )
    text = invoke(
        "run", tmp_path / "e.csv", "--returns", tmp_path / "r.csv", "--calendar", "data",
        "--model", "ff3", "--factors", tmp_path / "f.csv", "--size", tmp_path / "s.csv",
        "--out", tmp_path, "--name", "study", "--draws", "99",
        "--event-pages", "1", "--calibrate", "0", *("--estimation", "-120:-11", "--min-estimation", "60"),
    )  # fmt: skip
    for kind in ("1 code for a missing return", "1 impossible return", "1 blank cell or code"):
        assert re.search(rf"NOTE: [fs]\.csv: {kind}", text), kind
    faults = pd.read_csv(tmp_path / "study" / "tables" / "faults.csv")
    assert {*zip(faults["symbol"], faults["kind"], strict=True)} == {
        ("smb", "missing_code"), ("hml", "impossible_return"), (firm, "missing_size"),
    }  # fmt: skip
    flags = pd.read_csv(tmp_path / "study" / "events.csv", keep_default_na=False)["flags"]
    assert "quarantined" in flags[0]
    assert "suspect_missing_code" in flags[0]
    assert reproduce_run(tmp_path / "study").exact


# Whatever is in a cell

CELL = st.one_of(
    st.sampled_from(
        ["", "-99", "C", ".", "inf", "-inf", "nan", "9" * 400, "1e-320", "1,5", "0", "-0", "x",
         "\u0661", "1_0", "0x1", "True", "2020-01-01", '"', "-1", "5", "\x00", ";", "1e9\t"]
    ),
    st.floats(allow_nan=True).map(repr), st.text(max_size=4),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), CELL), min_size=1, max_size=4),
    st.booleans(), st.sampled_from(["mcap", "shares"]),
)  # fmt: skip
def test_no_cell_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, int, str]],
    longer: bool,
    value: str,
) -> None:
    """Only the package's errors; what passes is finite, and positive for market values."""
    for header, rows, reader in (
        (["date", "smb", "hml", "rf"], factors()[["smb", "hml", "rf"]].iloc[:5], read_factors),
        (["ticker", "date", value, "currency"], None, read_sizes),
    ):
        cells = (
            [
                [f"{day:%Y-%m-%d}", *map(repr, row)]
                for day, row in zip(rows.index, rows.to_numpy().tolist(), strict=True)
            ]
            if rows is not None
            else [["AAA", f"2020-01-0{k}", "1e9", "USD"] for k in range(1, 6)]
        )
        lines = [list(header), *cells]
        for row, column, cell in changes:
            lines[row][column] = cell
        if longer:
            lines[changes[0][0]].append("7")
        path = tmp_path_factory.mktemp("fuzz") / "f.csv"
        path.write_text("\n".join(map(",".join, lines)), encoding="utf-8", newline="")
        try:
            out = reader(path)
        except (DataError, ConfigError):
            continue
        if isinstance(out, SizesFile):
            numbers = out.table[value].to_numpy(float)
            assert ((numbers > 0) & np.isfinite(numbers)).all()
        else:
            assert not np.isinf(out.to_numpy(float)).any()


# Files that once ended in a traceback


def test_whole_numbers_of_many_digits_are_infinite(tmp_path: Path) -> None:
    """They are more than pandas can hold as a number."""
    for mark in (",", ";"):
        text = f"date,smb,rf\n2024-01-02,0,0\n2024-01-03,{'9' * 400},0\n2024-01-04,0,0\n"
        (tmp_path / "f.csv").write_text(text.replace(",", mark), encoding="utf-8")
        table = read_factors(tmp_path / "f.csv")
        np.testing.assert_array_equal(table["smb"], [0, np.nan, 0])
        assert [f.kind for f in gate_of(table)[1]] == ["infinite_return"]


@pytest.mark.parametrize("day", ["99999999", "0001-01-01", "2300-01-01"])
def test_dates_outside_of_all_calendars_are_refused(day: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(f"date,smb\n2024-01-02,0.01\n{day},0.01\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"date that cannot be read, got '{day}'"):
        read_factors(tmp_path / "f.csv")
    with pytest.raises(DataError, match=f"row 2, date: not a date, got '{day}'"):
        sizes(tmp_path, f"AAA,{day},1")


def test_dates_of_market_values_are_civil(tmp_path: Path) -> None:
    """With or without a time and a zone."""
    rows = ("AAA,2020-01-02T23:00+09:00,1", "AAA,2020-01-03 10:00-05:00,1", "AAA,20200106,1")
    days = sizes(tmp_path, *rows).table["date"].dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2020-01-02", "2020-01-03", "2020-01-06"]


def test_huge_numbers_do_not_overflow() -> None:
    frame = factors().assign(smb=np.where(np.arange(len(DAYS)) % 2, 1e308, -1e308))
    assert gate_of(checked_factors(frame))[1][0].kind == "infinite_return"
