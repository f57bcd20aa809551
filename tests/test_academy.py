"""The door for academics: files of CRSP, identifiers, factors by name, windows of many days."""

from __future__ import annotations

import io
import json
import ssl
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import crsp_files
import numpy as np
import pandas as pd
import pytest
import trustme
from click.testing import CliRunner
from crsp_files import DELISTED, LAYOUTS, LOSS, PERMNOS, make_market, write

import eventstudy as es
from eventstudy.cli.main import main
from eventstudy.errors import ConfigError, DataError, EventsFileError, EventStudyError
from eventstudy.files import InputFile
from eventstudy.prices import resolve
from eventstudy.returns import security_files
from eventstudy.returns.factor_files import VARIABLE
from eventstudy.returns.security_files import SecurityTable, market_values, read_securities
from eventstudy.runs import write_run

MARKET = make_market()
AROUND: dict[str, Any] = {"benchmark": "vwretd", "car": ["0:1", "-1:10"], "event": (-10, 10)}
NUMBERS = ["car", "se", "scar", "bhar"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plain_study(**settings: Any) -> es.EventStudyResults:
    events = MARKET.events.astype({"permno": str})
    return es.study(events, returns=MARKET.plain, calendar="data", **{**AROUND, **settings})


@pytest.fixture(scope="module")
def by_plain() -> pd.DataFrame:
    return plain_study().car()


def study_of(file: Any, **settings: Any) -> es.EventStudyResults:
    return es.study(MARKET.events, returns=file, **{**AROUND, **settings})


def refused(file: Any, **settings: Any) -> str:
    with pytest.raises(EventStudyError) as error:
        study_of(file, **settings)
    return str(error.value)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".dta"])
def test_a_file_of_crsp_is_the_plain_table(
    layout: str, ending: str, tmp_path: Path, by_plain: pd.DataFrame
) -> None:
    file = write(LAYOUTS[layout](MARKET), tmp_path / f"crsp{ending}")
    cars = study_of(file).car()
    assert cars["ticker"].tolist() == by_plain["ticker"].tolist()
    np.testing.assert_allclose(cars[NUMBERS], by_plain[NUMBERS], rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".dta"])
def test_a_large_file_is_read_in_pieces_to_the_same_cells(
    layout: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(LAYOUTS[layout](MARKET), tmp_path / f"crsp{ending}")
    wanted = ["12060", "93436", "ewretd"]
    whole = SecurityTable(read_securities(file, wanted), wanted, "crsp")
    monkeypatch.setattr(security_files, "LARGE", 0)
    monkeypatch.setattr(InputFile, "PIECE", 97)
    part = read_securities(file, wanted)
    assert len(part) < 1500 < len(LAYOUTS[layout](MARKET))
    pieces = SecurityTable(part, wanted, "crsp")
    pd.testing.assert_frame_equal(pieces._wide, whole._wide)
    assert pieces.notices == whole.notices
    values = [market_values(table, wanted) for table in (part, InputFile(file).table())]
    pd.testing.assert_frame_equal(*values)
    with pytest.raises(DataError, match="none of the securities is there"):
        SecurityTable(read_securities(file, ["1"]), ["1"], "crsp")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_frame_of_crsp_is_the_plain_table(layout: str, by_plain: pd.DataFrame) -> None:
    frame = LAYOUTS[layout](MARKET)
    for table in (frame, frame.set_index(list(frame.columns[:2]))):
        np.testing.assert_allclose(study_of(table).car()["car"], by_plain["car"], atol=1e-12)


def test_what_was_done_is_counted() -> None:
    old, new = (study_of(LAYOUTS[name](MARKET)).notes[0] for name in ("legacy", "ciz"))
    assert "(B 1, C 2)" in old
    assert "1 return on delisting is compounded" in old
    assert "(NS 2, RA 1)" in new
    assert "1 return on delisting is among them" in new


def test_what_delisting_cost_is_in_the_last_return() -> None:
    event = MARKET.events["permno"].tolist().index(DELISTED)
    day0 = pd.Timestamp(MARKET.events["date"][event])
    with_loss = study_of(crsp_files.legacy(MARKET)).car((0, 7))["car"]
    without = study_of(crsp_files.legacy(MARKET).drop(columns=["dlret", "dlstcd"]))
    last = MARKET.returns[str(DELISTED)].dropna()
    assert len(last[last.index >= day0]) == 8
    expected = without.car((0, 7))["car"][event] + (1 + last.iloc[-1]) * LOSS
    assert with_loss[event] == pytest.approx(expected, abs=1e-12)
    assert "no returns on delisting" in without.notes[0]


@pytest.mark.parametrize("text", ["", "A", "S", ".T", "-55.0"])
def test_a_missing_delisting_return_is_said(text: str) -> None:
    frame = crsp_files.legacy(MARKET).astype({"dlret": object})
    frame.loc[frame["dlstcd"].notna(), "dlret"] = text
    assert "1 security left the exchange for cause" in study_of(frame).notes[0]


def test_delisting_returns_on_all_rows_need_their_day() -> None:
    frame = crsp_files.legacy(MARKET)
    mine = frame["permno"] == DELISTED
    frame.loc[mine, "dlret"] = LOSS
    assert "merge delisting returns by PERMNO and day" in refused(frame)
    frame.loc[mine, "dlstdt"] = frame.loc[mine, "date"].max()
    assert "1 return on delisting is compounded" in study_of(frame).notes[0]


@pytest.mark.parametrize("code", [-44, -55, -66, -77, -88, -99])
def test_numbers_for_missing_returns_are_missing(code: int) -> None:
    frame = crsp_files.ciz(MARKET).drop(columns="DlyRetMissFlg")
    frame.loc[frame["DlyRet"].isna(), "DlyRet"] = code
    assert f"({code} 3)" in study_of(frame).notes[0]


@pytest.mark.parametrize("form", ["%Y%m%d", "%d%b%Y", "%m/%d/%Y", "%Y-%m-%d 00:00:00"])
def test_dates_as_they_are_exported(form: str, by_plain: pd.DataFrame) -> None:
    frame = crsp_files.legacy(MARKET)
    frame["date"] = frame["date"].dt.strftime(form)
    frame["date"] = frame["date"].astype(int) if form == "%Y%m%d" else frame["date"]
    np.testing.assert_allclose(study_of(frame).car()["car"], by_plain["car"], atol=1e-12)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("ret", "oops", "a return that is no number"),
        ("date", "29 Feb", "a date that cannot be read"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(column: str, cell: str, said: str) -> None:
    frame = crsp_files.legacy(MARKET).astype({column: object})
    frame.loc[7, column] = cell
    error = refused(frame)
    assert said in error
    assert cell in error


def test_a_ticker_of_two_firms_is_refused_with_the_remedy() -> None:
    frame = crsp_files.legacy(MARKET)
    frame["TICKER"] = "ABC"
    events = pd.DataFrame({"ticker": ["ABC"], "date": ["2012-03-01"]})
    with pytest.raises(DataError, match="a PERMNO does not"):
        es.study(events, returns=frame, **AROUND)


def test_securities_that_are_not_there_are_told_how_series_are_named() -> None:
    events = pd.DataFrame({"ticker": ["AAPL"], "date": ["2012-03-01"]})
    with pytest.raises(DataError, match="by permno, such as 10107"):
        es.study(events, returns=crsp_files.legacy(MARKET), **AROUND)


@pytest.mark.parametrize("name", ["ewretd", "sprtrn", "VWRETD"])
def test_an_index_is_a_benchmark_by_its_name(name: str) -> None:
    cars = study_of(crsp_files.ciz(MARKET), benchmark=name).car()["car"]
    expected = plain_study(benchmark=name.lower()).car()["car"]
    np.testing.assert_allclose(cars, expected, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_market_values_are_price_times_shares(layout: str, tmp_path: Path) -> None:
    file = write(LAYOUTS[layout](MARKET), tmp_path / "crsp.csv")
    results = study_of(file, size=str(file))
    rows = crsp_files.legacy(MARKET).set_index(["permno", "date"])
    before = MARKET.returns.index[
        MARKET.returns.index.get_indexer(pd.to_datetime(MARKET.events["date"])) - 1
    ]
    expected = [
        abs(rows.loc[(p, day), "prc"]) * rows.loc[(p, day), "shrout"] * 1000
        for p, day in zip(PERMNOS, before, strict=True)
    ]
    table = results.sizes.origin.record()
    held = [
        table[(table["ticker"] == str(p)) & (table["date"].astype(str).str[:10] == str(day.date()))]
        for p, day in zip(PERMNOS, before, strict=True)
    ]
    assert [float(row["mcap"].iloc[0]) for row in held] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["permno", "PERMNO", "cusip", "ISIN", "ric", "gvkey", "Sedol"])
def test_an_identifier_is_a_name_as_it_is(name: str, by_plain: pd.DataFrame) -> None:
    codes = {str(p): f"00{p}1X" if name != "permno" else str(p) for p in PERMNOS}
    events = MARKET.events.astype({"permno": str}).replace({"permno": codes})
    returns = MARKET.plain.rename(columns=codes)
    results = es.study(events.rename(columns={"permno": name}), returns=returns, **AROUND)
    np.testing.assert_allclose(results.car()["car"], by_plain["car"], atol=1e-12)
    assert set(results.events["exchange"]) == {""}
    assert any("It tells of no exchange" in note for note in results.notes)


@pytest.mark.parametrize("form", ["%Y%m%d", "%d%b%Y", "%Y-%m-%d"])
def test_dates_of_events_as_eventus_and_sas_have_them(form: str, by_plain: pd.DataFrame) -> None:
    events = MARKET.events.assign(date=pd.to_datetime(MARKET.events["date"]).dt.strftime(form))
    results = es.study(events, returns=crsp_files.ciz(MARKET), **AROUND)
    np.testing.assert_allclose(results.car()["car"], by_plain["car"], atol=1e-12)


def test_a_date_with_two_readings_is_refused() -> None:
    events = pd.DataFrame({"permno": [10107], "date": ["03/05/2012"]})
    with pytest.raises(EventsFileError, match="ambiguous"):
        es.study(events, returns=crsp_files.ciz(MARKET), **AROUND)


def test_a_file_without_returns_is_refused() -> None:
    frame = crsp_files.legacy(MARKET).drop(columns="ret")
    assert "no column of returns" in refused(frame)


def test_prices_by_permno(tmp_path: Path) -> None:
    rows = crsp_files.long_of(MARKET).rename(columns={"prc": "close"})[["permno", "date", "close"]]
    rows["close"] = rows["close"].abs()
    for ending in (".csv", ".dta"):
        file = write(rows, tmp_path / f"prices{ending}")
        prices = resolve(str(file)).fetch(
            ["10107"], pd.Timestamp("2011-01-01").date(), pd.Timestamp("2013-01-01").date()
        )
        assert prices.symbols == ("10107",)


def test_a_ticker_that_is_called_as_an_identifier_is_a_ticker(tmp_path: Path) -> None:
    wide = MARKET.plain[["vwretd"]].add(1).cumprod().rename(columns={"vwretd": "RIC"})
    file = write(wide.reset_index(), tmp_path / "wide.csv")
    first, last = (day.date() for day in MARKET.plain.index[[0, -1]])
    assert resolve(str(file)).fetch(["RIC"], first, last).symbols == ("RIC",)


def test_a_file_of_crsp_is_no_file_of_prices(tmp_path: Path) -> None:
    file = write(crsp_files.legacy(MARKET), tmp_path / "crsp.csv")
    with pytest.raises(DataError, match="give it as --returns"):
        es.study(MARKET.events, prices=str(file), **AROUND)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".dta"])
def test_one_command_from_an_export_to_the_report(ending: str, tmp_path: Path) -> None:
    events = write(MARKET.events, tmp_path / f"news{ending}")
    file = write(crsp_files.legacy(MARKET), tmp_path / f"crsp{ending}")
    run = ["run", events.name, "--returns", file.name, "-b", "vwretd", "--size", file.name]
    outcome = CliRunner().invoke(main, [*run, "--event-pages", "0", "--calibrate", "0"])
    assert outcome.exit_code == 0, outcome.output
    assert "its dates are the sessions" in outcome.stderr
    folder = tmp_path / "reports" / "news"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["config"]["calendar"] == "data"
    assert (folder / "report.html").is_file()
    assert CliRunner().invoke(main, ["verify", str(folder)]).exit_code == 0
    assert CliRunner().invoke(main, ["check", events.name]).exit_code == 0


def test_exchanges_may_be_asked_for() -> None:
    with pytest.raises(EventsFileError, match="for a PERMNO add --calendar data"):
        study_of(crsp_files.legacy(MARKET), calendar="exchange")


# Factors of Ken French's library.

HEAD = "This file was created using the 202412 CRSP database.\n\n"


def zipped(columns: str) -> bytes:
    """Return a ZIP as the library has it, with factors of the days of the market, in percent."""
    rng = np.random.default_rng(3)
    days = MARKET.returns.index.strftime("%Y%m%d")
    names = columns.split(",")
    cells = rng.normal(0, 0.5, (len(days), len(names))).round(2)
    cells[:, [k for k, name in enumerate(names) if name == "RF"]] = 0.01
    rows = [",".join([day, *map(str, row)]) for day, row in zip(days, cells, strict=True)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("factors.csv", "\n".join([f"{HEAD},{columns}", *rows, ""]))
    return packed.getvalue()


SERVED = {
    "/ftp/F-F_Research_Data_Factors_daily_CSV.zip": zipped("Mkt-RF,SMB,HML,RF"),
    "/ftp/F-F_Research_Data_5_Factors_2x3_daily_CSV.zip": zipped("Mkt-RF,SMB,HML,RMW,CMA,RF"),
    "/ftp/F-F_Momentum_Factor_daily_CSV.zip": zipped("Mom"),
    "/ftp/Europe_5_Factors_Daily_CSV.zip": b"<html>come back later</html>",
}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Serve the library over HTTPS on this machine; the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Keep the test output clean."""

        def do_GET(self) -> None:
            asked.append(self.path)
            body = SERVED.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv(VARIABLE, f"https://localhost:{server.server_address[1]}/ftp/")
    yield asked
    server.shutdown()
    server.server_close()


def test_factors_by_name_are_fetched_once(library: list[str]) -> None:
    first = es.read_factors("ff5:daily")
    assert list(first.columns) == ["mkt_rf", "smb", "hml", "rmw", "cma", "rf"]
    pd.testing.assert_frame_equal(first, es.read_factors("ff5:daily", offline=True))
    assert library == ["/ftp/F-F_Research_Data_5_Factors_2x3_daily_CSV.zip"]


def test_factors_by_name_are_those_of_the_file(library: list[str], tmp_path: Path) -> None:
    by_name = es.read_factors(["ff3:daily", "mom:daily"], store=str(tmp_path / "cache"))
    kept = sorted((tmp_path / "cache" / "factors").glob("*.zip"))
    assert [path.name[:20] for path in kept] == ["F-F_Momentum_Factor_", "F-F_Research_Data_Fa"]
    pd.testing.assert_frame_equal(by_name[["mom"]], es.read_factors(kept[0]))


def test_a_kept_file_that_was_changed_is_refused(library: list[str], tmp_path: Path) -> None:
    es.read_factors("mom:daily", store=str(tmp_path / "cache"))
    (file,) = (tmp_path / "cache" / "factors").glob("*.zip")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="delete it"):
        es.read_factors("mom:daily", store=str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ff5:monthly", "no such daily factors"),
        ("ff6:daily", "ff5:daily"),
        ("ff5", "ff5:daily"),
        ("europe_ff5:daily", "no ZIP file"),
        ("japan_ff3:daily", "404"),
    ],
)
def test_factors_that_cannot_be_had(name: str, said: str, library: list[str]) -> None:
    with pytest.raises(EventStudyError, match=said):
        es.read_factors(name)


def test_factors_offline_before_they_were_fetched() -> None:
    with pytest.raises(EventStudyError, match="fetch https") as error:
        es.read_factors("ff3:daily", offline=True)
    assert error.value.exit_code == 75


@pytest.mark.slow
def test_a_run_says_which_factors_it_used(library: list[str], tmp_path: Path) -> None:
    write(MARKET.events, tmp_path / "news.csv")
    write(crsp_files.ciz(MARKET), tmp_path / "crsp.csv")
    (tmp_path / "study.toml").write_text(
        'events = "news.csv"\nreturns = "crsp.csv"\nbenchmark = "vwretd"\nmodel = "carhart"\n'
        'factors = ["ff3:daily", "mom:daily"]\nevent_pages = 0\ncalibrate = 0\n'
    )
    outcome = CliRunner().invoke(main, ["run", "study.toml"])
    assert outcome.exit_code == 0, outcome.output
    folder = tmp_path / "reports" / "news"
    manifest = json.loads((folder / "manifest.json").read_text())
    (used,) = [text for text in manifest["warnings"] if "Research_Data_Factors" in text]
    assert "CRSP 202412 database" in used
    assert len(list((folder / "data" / "factors").rglob("*.zip"))) == 2
    assert len(library) == 2
    again = CliRunner().invoke(main, ["reproduce", str(folder)])
    assert again.exit_code == 0, again.output
    assert len(library) == 2


def test_the_same_from_python(library: list[str]) -> None:
    settings: dict[str, Any] = {"model": "ff3", "factors": ["ff3:daily"]}
    by_name = study_of(crsp_files.ciz(MARKET), **settings)
    frame = es.read_factors("ff3:daily")
    by_frame = study_of(crsp_files.ciz(MARKET), model="ff3", factors=frame)
    np.testing.assert_allclose(by_name.car()["car"], by_frame.car()["car"], rtol=0, atol=0)
    assert any("Ken French" in note for note in by_name.notes)


# Windows of many days.


def rising() -> es.EventStudyResults:
    return _long(0.008)


def _long(
    growth: float, after: float = 0.0, market: float = 0.0004, **settings: Any
) -> es.EventStudyResults:
    """Return a study of two firms over 250 days, the first of which rose before its event."""
    rng, days = np.random.default_rng(3), pd.bdate_range("2015-01-01", periods=600)
    index = rng.normal(market, 0.01, 600)
    returns = pd.DataFrame({"IDX": index}, index=pd.Index(days, name="date"))
    for k in range(2):
        drift = np.where(np.arange(600) < 300, growth, after) * (k == 0)
        returns[f"F{k}"] = index + drift + rng.normal(0, 0.02, 600)
    events = pd.DataFrame({"ticker": ["F0", "F1"], "date": days[[300, 305]]})
    around: dict[str, Any] = {"benchmark": "IDX", "event": (0, 250), "car": "1:250"}
    return es.study(events, returns=returns, calendar="data", **{**around, **settings})


FLAG = "below_total_loss"


def flagged(results: es.EventStudyResults) -> list[bool]:
    return [FLAG in text.split(";") for text in results.events["flags"]]


def test_a_car_below_total_loss_has_its_explanation() -> None:
    results = rising()
    assert results.car()["car"][0] < -1
    assert flagged(results) == [True, False]
    (note,) = [text for text in results.notes if "-100%" in text]
    alpha = results.models()["alpha"][0]
    assert f"{100 * alpha:.2f}% a day" in note
    assert "zero_alpha=true" in note


def test_zero_alpha_leaves_alpha_out_of_the_event_window() -> None:
    usual, zero = rising(), _long(0.008, model_options=["zero_alpha=true"])
    alpha = usual.models()["alpha"]
    np.testing.assert_allclose(zero.car()["car"], usual.car()["car"] + 250 * alpha, rtol=1e-10)
    np.testing.assert_array_equal(zero.models()["alpha"], alpha)
    assert flagged(zero) == [False, False]
    assert not [text for text in zero.notes if "alpha" in text]


def test_the_variance_of_zero_alpha_is_that_of_its_forecast() -> None:
    results = _long(0.008, model_options=["zero_alpha=true"])
    a = results.abnormal
    X, x = a.x_estimation[0], a.x_event[0, 1:]
    total = np.array([0.0, x[:, 1].sum()])
    expected = a.sigma2[0] * (250 + total @ np.linalg.inv(X.T @ X) @ total)
    assert results.car()["se"][0] ** 2 == pytest.approx(expected, rel=1e-10)


def test_a_long_window_has_a_word_on_alpha_though_nothing_is_below() -> None:
    (note,) = [text for text in _long(0.0).notes if "alpha" in text]
    assert "250 days" in note


@pytest.mark.parametrize(("model", "market"), [("market_adjusted", 0.006), ("market", 0.0)])
def test_events_below_total_loss_are_all_flagged(model: str, market: float) -> None:
    results = _long(0.003, market=market, model=model, event=(0, 90), car="1:60")
    ar, normal = results.abnormal.ar, results.abnormal.expected
    for i, is_flagged in enumerate(flagged(results)):
        r, e = ar[i] + normal[i], normal[i]
        spans = [slice(s, t) for s in range(91) for t in range(s + 1, 92)]
        least = [min(ar[i, d].sum(), np.prod(1 + r[d]) - np.prod(1 + e[d])) for d in spans]
        assert is_flagged == (min(least) < -1)
    if any(flagged(results)):
        assert any("-100%" in text for text in results.notes)


def test_a_bhar_below_total_loss_without_alpha_has_its_explanation() -> None:
    results = _long(0.0, -0.006, 0.006, model="market_adjusted")
    assert (results.car()["bhar"] < -1).any()
    assert any(flagged(results))
    (note,) = [text for text in results.notes if "-100%" in text]
    assert "alpha" not in note


def test_models_without_alpha_have_no_such_option() -> None:
    for model in ("market_adjusted", "constant_mean"):
        with pytest.raises(ConfigError, match="no such option"):
            _long(0.0, model=model, model_options=["zero_alpha=true"])
    with pytest.raises(ConfigError, match="true or false"):
        _long(0.0, model_options=["zero_alpha=maybe"])


@pytest.mark.slow
def test_the_page_says_it(tmp_path: Path) -> None:
    config = es.StudyConfig(event="0:250", windows=["1:250"], calibrate=0)
    folder = write_run(rising(), tmp_path, "long", config=config)
    for name in ("report.html", "report.md"):
        page = (folder / name).read_text(encoding="utf-8")
        assert "below -100%" in page
        assert "zero_alpha=true" in page


def test_a_buy_and_hold_return_against_the_market_says_it() -> None:
    notes = rising().abhar((1, 250), against="model")["note"]
    assert "-100%" in notes[0]
