"""Factor files: Ken French's as published, plain tables, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import FACTORS, Market

from eventstudy.calendars import Window
from eventstudy.errors import ConfigError, DataError
from eventstudy.returns import ReturnsPanel, checked_factors, read_factors
from eventstudy.returns import factor_files as module
from eventstudy.returns.sessions import factor_rows

FRENCH = """This file was created using the 202412 CRSP database.
The Tbill return is the simple daily rate that, over the number of trading days
in the month, compounds to 1-month TBill rate, from Ibbotson and Associates, Inc.

,Mkt-RF,SMB,HML,RF
20240102,   -0.70,   -1.02,    1.54,   0.022
20240103,   -1.06,   -1.76,    0.27,   0.022
20240104,  -99.99,    0.21,   -0.05,   0.022
20240105,    0.14,   -0.33,    0.36,   0.022

Copyright 2024 Eugene F. Fama and Kenneth R. French
"""
MOMENTUM = """This file was created by using the 202412 CRSP database, with daily data.
Missing data are indicated by -99.99 or -999.


,Mom   
20240102,    1.10
20240103,   -0.35
20240104,   -999
20240105,    0.08

Copyright 2024 Eugene F. Fama and Kenneth R. French
"""  # noqa: W291 - as published
PLAIN = "date,Mkt-RF,UMD,rf\n2024-01-02,-0.007,0.011,0.00022\n2024-01-03,,0.002,0.00022\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def zipped(folder: Path, name: str, *texts: str) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, text in enumerate(texts):
            archive.writestr(f"table{i}.CSV", text)
    return folder / name


def refused(*paths: Path) -> DataError | ConfigError:
    with pytest.raises((DataError, ConfigError)) as error:
        read_factors(paths)
    return error.value


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [False, True])
def test_french_file_as_published(tmp_path: Path, ending: str, pack: bool) -> None:
    text = FRENCH.replace("\n", ending)
    path = zipped(tmp_path, "F-F_daily_CSV.zip", text) if pack else write(tmp_path, "F-F.CSV", text)
    table = read_factors(path)
    assert list(table.columns) == ["mkt_rf", "smb", "hml", "rf"]
    assert [str(d.date()) for d in table.index] == [
        "2024-01-02",
        "2024-01-03",
        "2024-01-04",
        "2024-01-05",
    ]
    np.testing.assert_allclose(table["mkt_rf"], [-0.007, -0.0106, np.nan, 0.0014], rtol=1e-12)
    np.testing.assert_allclose(table["rf"], 0.00022, rtol=1e-12)


def test_momentum_beside_the_three_factors(tmp_path: Path) -> None:
    table = read_factors([write(tmp_path, "ff.csv", FRENCH), write(tmp_path, "mom.csv", MOMENTUM)])
    assert list(table.columns) == ["mkt_rf", "smb", "hml", "rf", "mom"]
    np.testing.assert_allclose(table["mom"], [0.011, -0.0035, np.nan, 0.0008], rtol=1e-12)


def test_annual_table_behind_the_daily_one_is_left_out(tmp_path: Path) -> None:
    more = FRENCH.replace(
        "\nCopyright",
        "\n  Annual Factors\n,Mkt-RF,SMB,HML,RF\n  2023, 21.7, -3.2, -13.6, 4.9\n\nCopyright",
    )
    assert len(read_factors(write(tmp_path, "ff.csv", more))) == 4


def test_plain_table_in_decimals(tmp_path: Path) -> None:
    table = read_factors(str(write(tmp_path, "f.csv", PLAIN)))
    assert list(table.columns) == ["mkt_rf", "mom", "rf"]
    assert table["mkt_rf"].iloc[0] == -0.007
    assert np.isnan(table["mkt_rf"].iloc[1])
    table.reset_index().to_parquet(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(read_factors(tmp_path / "f.parquet"), table, check_freq=False)
    table.to_parquet(tmp_path / "g.parquet")
    pd.testing.assert_frame_equal(read_factors(tmp_path / "g.parquet"), table, check_freq=False)


def test_compact_dates_do_not_make_decimals_percent(tmp_path: Path) -> None:
    """The layout of a French file is told by its line of names, not by the dates alone."""
    table = read_factors(write(tmp_path, "f.csv", "date,smb\n20240102,-0.0102\n20240103,-0.0176\n"))
    np.testing.assert_allclose(table["smb"], [-0.0102, -0.0176])
    assert str(table.index[0].date()) == "2024-01-02"


def test_one_riskless_rate_may_be_in_two_files(tmp_path: Path) -> None:
    other = write(tmp_path, "b.csv", "date,cma,rf\n2024-01-02,0.001,0.0002\n")
    table = read_factors([write(tmp_path, "a.csv", FRENCH), other])
    assert list(table.columns) == ["mkt_rf", "smb", "hml", "rf", "cma"]
    assert table["rf"].iloc[0] == pytest.approx(0.00022)


CASES = {
    "percent": ("date,smb\n2024-01-02,-1.02\n2024-01-03,0.8\n", "look like percent", "0.01 is 1 %"),
    "rf of a year": ("date,smb,rf\n2024-01-02,0.01,0.05\n", "riskless rate is not a daily rate", "252"),
    "no date": ("day,smb\n2024-01-02,0.01\n", "no date column, got 'day, smb'", "'date'"),
    "not a date": ("date,smb\nyesterday,0.01\n", "date that cannot be read, got 'yesterday'", "YYYY-MM-DD"),
    "not a number": ("date,smb\n2024-01-02,abc\n", "smb on 2024-01-02: a return that is no number", "'abc'"),
    "date twice": ("date,smb\n2024-01-02,0.01\n2024-01-02,0.02\n", "a date occurs twice", "2024-01-02"),
    "factor twice": ("date,mom,umd\n2024-01-02,0.01,0.02\n", "a factor occurs twice", "mom"),
    "empty": ("", "cannot be read as a table", ""),
    "monthly": (FRENCH.replace("2024010", "20240"), "the factors are monthly", "daily"),
    "names missing": (FRENCH.replace(",HML", ""), "line 6: a line of 4 values under 3 names", "20240102"),
    "no number": (FRENCH.replace("-1.76", "n.a."), "SMB on 20240103: a return that is no number", "n.a."),
    "no such day": (FRENCH.replace("20240103", "20240199"), "date that cannot be read", "20240199"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
def test_malformed(tmp_path: Path, case: str) -> None:
    text, what, other = CASES[case]
    said = str(refused(write(tmp_path, "f.csv", text)))
    assert said.startswith("f.csv")
    assert what in said
    assert other in said


def test_one_factor_in_two_files(tmp_path: Path) -> None:
    said = str(refused(write(tmp_path, "a.csv", FRENCH), write(tmp_path, "b.csv", PLAIN)))
    assert "a factor is in two files" in said
    assert "mkt_rf" in said


def test_no_such_file(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.csv")
    assert isinstance(error, ConfigError)
    assert str(error).startswith("factors: no such file")


def test_zip_that_is_none_or_holds_other_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not a ZIP file" in str(refused(write(tmp_path, "a.zip", FRENCH)))
    assert "does not hold one CSV" in str(refused(zipped(tmp_path, "b.zip", FRENCH, MOMENTUM)))
    assert "does not hold one CSV" in str(refused(zipped(tmp_path, "c.zip")))
    damaged = bytearray(zipped(tmp_path, "d.zip", FRENCH * 3).read_bytes())
    damaged[60:90] = bytes(30)
    (tmp_path / "d.zip").write_bytes(damaged)
    assert "not a ZIP file" in str(refused(tmp_path / "d.zip"))
    # A bomb is told by the size it unpacks to, before it is unpacked.
    monkeypatch.setattr(module, "LARGEST", 1000)
    assert "larger than" in str(refused(zipped(tmp_path, "e.zip", FRENCH + " " * 5000)))


# --- in a study
# --------------------------------------------------------------------------------------------


def test_file_and_frame_give_one_study(tmp_path: Path) -> None:
    market = Market(n=4, seed=51)
    lines = [
        f"{d:%Y%m%d}," + ",".join(f"{100 * v:10.6f}" for v in row)
        for d, row in zip(market.wide.index, market.wide[list(FACTORS)].to_numpy(), strict=True)
    ]
    text = (
        "As published.\n\n,Mkt-RF,SMB,HML,RMW,CMA,Mom   ,RF\n"
        + "\n".join(lines)
        + "\n\nCopyright\n"
    )
    table = read_factors(write(tmp_path, "f.csv", text))
    one, other = market.fit(model="ff5").abnormal, market.fit(model="ff5", factors=table).abnormal
    np.testing.assert_allclose(one.ar, other.ar, atol=1e-7)
    assert (one.problem == "").all()


def test_factors_that_end_before_the_event_drop_it_with_the_reason() -> None:
    market = Market(n=6, seed=52)
    day0 = market.table["day0"]
    last = day0.sort_values().iloc[2]
    results = market.fit(model="ff3", factors=market.wide[list(FACTORS)].loc[:last])
    late = (day0 > last).to_numpy()
    assert 0 < late.sum() < 6
    assert (results.events["status"][late] == "dropped").all()
    assert results.events["reason"][late].str.contains(f"mkt_rf ends {last.date()}").all()
    # The others are used for the days that are covered.
    assert (results.events["status"][~late] == "ok").all()
    assert np.isnan(results.abnormal.ar[list(day0).index(last), 6:]).all()


def test_a_holiday_of_the_factors_is_bridged_in_the_event_window() -> None:
    """AR over two sessions = sum of the returns - rf - 2 alpha - b' (sums); left out of the
    estimation."""
    market = Market(n=1, seed=53)
    at = market.frame.index.get_loc(market.table["day0"][0])
    table = market.wide[list(FACTORS)].copy()
    # What happened on the holiday of their market is part of the next value.
    for day in (at - 60, at + 1):
        table.iloc[day + 1] = (1 + table.iloc[day]) * (1 + table.iloc[day + 1]) - 1
        table.iloc[day] = np.nan
    fit, full = market.fit(model="ff3", factors=table).abnormal, market.fit(model="ff3").abnormal
    assert fit.nobs[0] == full.nobs[0] - 2
    np.testing.assert_array_equal(fit.spans[0, 5:9], [1, 0, 2, 1])
    r = market.frame["F00"].to_numpy()
    x = np.r_[2.0, table[["mkt_rf", "smb", "hml"]].iloc[at + 2]]
    held = (1 + r[at + 1]) * (1 + r[at + 2]) - 1
    expected = held - table["rf"].iloc[at + 2] - x @ fit.params[0]
    assert fit.ar[0, 7] == pytest.approx(expected, rel=1e-10)
    assert fit.var_ar[0, 7] == pytest.approx(
        2 * fit.sigma2[0] + x @ fit.cov_params[0] @ x, rel=1e-10
    )


def test_calendars_of_their_own_and_log_returns() -> None:
    """One factor on two calendars: compounded over the days that a calendar was closed; log(1+f)
    for logs."""
    sessions = np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]")
    frame = pd.DataFrame(
        {"smb": [0.01, 0.02, np.nan, -0.01, 0.03, 0.04]}, index=pd.DatetimeIndex(sessions)
    )
    for kind in ("simple", "log"):
        panel = ReturnsPanel(
            keys=(), values=np.empty((0, 6)), spans=np.empty((0, 6), np.int64), sessions=sessions,
            calendars={"A": np.arange(6), "B": np.array([0, 3, 5])}, kind=kind,
            # type: ignore[arg-type]
        ).with_factors(frame, "factor:")  # fmt: skip
        a, b = (panel.row("factor:smb", c) for c in "AB")
        shown = np.expm1 if kind == "log" else np.array
        np.testing.assert_allclose(shown(panel.values[a]), frame["smb"], rtol=1e-12)
        np.testing.assert_array_equal(panel.spans[a], [1, 1, 0, 2, 1, 1])
        held = [0.01, 1.02 * 0.99 - 1, 1.03 * 1.04 - 1]
        np.testing.assert_allclose(shown(panel.values[b][[0, 3, 5]]), held, rtol=1e-12)
        np.testing.assert_array_equal(panel.spans[b], [1, 0, 0, 1, 0, 1])
        assert np.isnan(panel.values[b][[1, 2, 4]]).all()


def test_a_day_off_before_a_session_without_a_value_is_not_lost() -> None:
    """+2% on a Saturday, no value on Monday, +1% on Tuesday: Tuesday has 1.02 x 1.01 - 1."""
    days = np.array(["2024-01-05", "2024-01-08", "2024-01-09"], dtype="datetime64[D]")
    stamps = pd.DatetimeIndex(["2024-01-05", "2024-01-06", "2024-01-09"])
    for kind in ("simple", "log"):
        values, spans = factor_rows(pd.DataFrame({"smb": [0.03, 0.02, 0.01]}, stamps), days, kind)[
            "smb"
        ]
        shown = np.expm1(values) if kind == "log" else values
        np.testing.assert_allclose(shown, [0.03, np.nan, 1.02 * 1.01 - 1], rtol=1e-12)
        assert spans.tolist() == [1, 0, 2]


def test_models_say_which_factors_they_lack() -> None:
    market = Market(n=2)
    table = market.wide[list(FACTORS)]
    with pytest.raises(DataError, match="there is no factor"):
        checked_factors(table[[]])
    with pytest.raises(ConfigError, match="needs factors") as error:
        market.fit(model="ff3", factors=None)
    assert "--factors FILE" in str(error.value)
    with pytest.raises(ConfigError, match="needs the factors mkt_rf, smb, hml, mom, rf") as error:
        market.fit(model="carhart", factors=table[["smb", "hml", "rf"]])
    assert "add mom with another --factors FILE" in str(error.value)
    with pytest.raises(ConfigError, match="add rf"):
        market.fit(model="ff3", factors=table[["mkt_rf", "smb", "hml"]])


def test_all_columns_with_and_without_a_riskless_rate() -> None:
    market = Market(n=3, seed=54)
    table = market.wide[["smb", "hml"]]
    plain = market.fit(model="factors", factors=table)
    assert plain.abnormal.parameters == ("alpha", "beta_smb", "beta_hml")
    excess = market.fit(model="factors", factors=table.assign(rf=0.0))
    np.testing.assert_allclose(plain.abnormal.ar, excess.abnormal.ar, rtol=1e-12)
    a = market.fit(model="capm", factors=table.assign(rf=0.0)).abnormal
    np.testing.assert_allclose(a.ar, market.fit().abnormal.ar, rtol=1e-12)
    assert a.event == Window(-5, 5)


def test_a_frame_is_checked_like_a_file() -> None:
    with pytest.raises(DataError, match="look like percent"):
        checked_factors(
            pd.DataFrame({"smb": [1.0, -0.8]}, index=pd.bdate_range("2024-01-01", periods=2))
        )
