"""Volume, turnover and volatility in the place of returns: numbers, gaps, reasons, and words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import plain
from run_folders import QUICK
from test_reference import CLOSE, HERE, check_test, read

from eventstudy.abnormal import Conventions
from eventstudy.calendars import Sessions, Window
from eventstudy.cli.main import main
from eventstudy.errors import ConfigError, DataError
from eventstudy.events import Events
from eventstudy.prices._base import COLUMNS
from eventstudy.report import Terminal
from eventstudy.report.formats.pages import render_report
from eventstudy.report.sentences.answer import split_answer, write_days
from eventstudy.returns import ReturnsPanel, shares_of
from eventstudy.returns.measures import compute_measure, explain_lack, note_several_shares
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import capitalised, say, speaking_of, words

MEASURES = ("volume", "turnover", "volatility")
DAYS = pd.bdate_range("2020-01-01", periods=180)
AT = 150
FIRMS = [f"F{i}" for i in range(8)]
SHARES = 1e6
ESTIMATION, EVENT = Window(-120, -11), Window(-5, 5)


def bars(name: str, seed: int, *, spike: float = 1.0, at: int = AT) -> pd.DataFrame:
    """Return seeded OHLCV of one symbol; volume and squared log range are `spike` times larger on
    day 0."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(DAYS))))
    volume = np.round(1e5 * np.exp(rng.normal(0, 0.3, len(DAYS))))
    half = 0.01 * np.exp(rng.normal(0, 0.3, len(DAYS)))
    volume[at] *= spike
    half[at] *= np.sqrt(spike)
    return pd.DataFrame({
        "symbol": name, "date": DAYS, "open": close, "high": close * np.exp(half),
        "low": close * np.exp(-half), "close": close, "adj_close": close, "volume": volume,
    })  # fmt: skip


def market_table(spike: float = 4.0) -> pd.DataFrame:
    parts = [bars(name, i, spike=spike, at=AT - 3 * i) for i, name in enumerate(FIRMS)]
    return pd.concat([*parts, bars("IDX", 99)], ignore_index=True)


def events_for(firms: list[str] = FIRMS, **columns: Any) -> Events:
    day0 = DAYS[[AT - 3 * FIRMS.index(f) for f in firms]]
    table = pd.DataFrame({
        "event_id": [f"e{f}" for f in firms], "ticker": firms,
        "announced_at": day0.strftime("%Y-%m-%d"),
        "tz": "", "exchange": "", "benchmark": "IDX", "day0": day0, "flags": "",
    }).assign(**columns)  # fmt: skip
    return Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))


def fitted(
    table: pd.DataFrame | None = None,
    measure: Any = "volume",
    model: str = "constant_mean",
    firms: list[str] = FIRMS,
    **options: Any,
) -> EventStudyResults:
    table = market_table() if table is None else table
    days = np.unique(table["date"].to_numpy().astype("datetime64[D]"))
    panel = ReturnsPanel.from_prices(
        table, keys=[(s, "data") for s in (*firms, "IDX")], measure=measure,
        sessions={"data": Sessions.of_days("data", "UTC", days, None)},
        shares=dict.fromkeys(firms, SHARES),
    )  # fmt: skip
    settings = {"estimation": ESTIMATION, "event": EVENT, **options}
    return EventStudy(events_for(firms), panel, model=model, **settings).fit()


def changed(column: str, value: float, *, day: int, firm: str = "F0") -> pd.DataFrame:
    table = market_table()
    table.loc[(table["symbol"] == firm) & (table["date"] == DAYS[day]), column] = value
    return table


def test_log_turnover_of_the_large_example() -> None:
    """Through prices: volumes of a million shares outstanding have the turnover of the
    reference."""
    ref = read("large_example.json")["log_turnover_[0,1]"]
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    firms = list(long["firm"].unique())
    table = pd.DataFrame(
        {"symbol": long["firm"], "date": long["date"], "volume": long["turnover"] * SHARES}
    )
    table = table.assign(close=1.0, adj_close=1.0, open=1.0, high=1.0, low=1.0)[list(COLUMNS)]
    days = np.unique(table["date"].to_numpy().astype("datetime64[D]"))
    panel = ReturnsPanel.from_prices(
        table, keys=[(f, "data") for f in firms], measure="turnover",
        shares=dict.fromkeys(firms, SHARES),
        sessions={"data": Sessions.of_days("data", "UTC", days, None)},
    )  # fmt: skip
    day0 = long.drop_duplicates("firm")["event_date"].to_numpy()
    events = pd.DataFrame({
        "event_id": firms, "ticker": firms, "announced_at": "", "tz": "", "exchange": "",
        "benchmark": "",
        "day0": day0, "flags": "",
    })  # fmt: skip
    listed = Events(table=events, source="frame", sha256="", columns_in=tuple(events.columns))
    settings = {"model": "constant_mean", "estimation": (-130, -11), "event": (-5, 5)}
    results = EventStudy(listed, panel, **settings).fit()  # type: ignore[arg-type]
    assert results.abnormal.car(Window(0, 1)).mean() == pytest.approx(ref["CAAR"], rel=1e-9)
    for name in ("patell", "bmp", "bmp_kp", "cda", "corrado"):
        check_test(results.test(name, (0, 1)), ref[name])


def test_formulas_by_hand() -> None:
    part = pd.DataFrame({
        "date": pd.to_datetime(["2020-01-03", "2020-01-01", "2020-01-02", "2020-01-06"]),
        "high": [np.e, 2.0, 3.0, 1.0], "low": [1.0, 2.0, np.nan, 2.0],
        "volume": [1000.0, 0.0, np.nan, 10.0],
    })  # fmt: skip
    dates, volume = compute_measure(part, "volume")
    assert list(dates.astype(str)) == ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"]
    np.testing.assert_allclose(
        volume, [np.nan, np.nan, 6.907755278982137, 2.302585092994046], **CLOSE
    )
    _, turnover = compute_measure(part, "turnover", 1e5)
    # No trade is ln 0.000255; 1000 of 100,000 shares are one percent.
    np.testing.assert_allclose(turnover[[0, 2]], [-8.274247013, 0.000254967493], rtol=1e-8)
    assert np.isnan(turnover[1])
    _, variance = compute_measure(part, "volatility")
    # (ln e)^2 / (4 ln 2) = 0.360673760; high = low, a missing price and high < low have none.
    np.testing.assert_allclose(
        variance, [np.nan, np.nan, np.log(0.360673760222), np.nan], rtol=1e-10
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_second_route_by_statsmodels(measure: Any) -> None:
    """Market model on the benchmark's own measure; the index has shares outstanding here too."""
    import statsmodels.api as sm

    model = "constant_mean" if measure == "turnover" else "market"
    results = fitted(measure=measure, model=model)
    table = market_table()
    y, x = (compute_measure(table[table["symbol"] == s], measure, SHARES)[1] for s in ("F0", "IDX"))
    X = np.ones((len(y), 1)) if model == "constant_mean" else sm.add_constant(x)
    fit = sm.OLS(y[AT - 120 : AT - 10], X[AT - 120 : AT - 10]).fit()
    expected = fit.predict(X[AT - 5 : AT + 6])
    np.testing.assert_allclose(results.abnormal.ar[0], y[AT - 5 : AT + 6] - expected, **CLOSE)
    np.testing.assert_allclose(results.abnormal.sigma2[0], fit.mse_resid, **CLOSE)


@pytest.mark.parametrize("model", ["constant_mean", "market"])
@pytest.mark.parametrize("measure", ["volume", "volatility"])
def test_the_spike_is_found(measure: Any, model: str) -> None:
    results = fitted(measure=measure, model=model)
    assert len(results) == len(FIRMS)
    # Volume x 4 is ln 4 log points; a range x 2 is a variance x 4.
    assert results.aar[0] == pytest.approx(np.log(4), abs=0.35)
    assert results.test("corrado", (0, 0)).pvalue < 0.001
    assert abs(results.aar[-3]) < 0.4


@pytest.mark.parametrize(
    ("measure", "column", "value"),
    [("volume", "volume", 0.0), ("volume", "volume", np.nan), ("turnover", "volume", np.nan),
     ("volatility", "low", np.nan)],
)  # fmt: skip
def test_a_day_without_a_value_is_missing_and_the_next_spans_one(
    measure: Any, column: str, value: float
) -> None:
    results = fitted(changed(column, value, day=AT + 1), measure)
    a = results.abnormal
    assert np.isnan(a.ar[0, 6])
    assert list(a.spans[0]) == [1] * 6 + [0] + [1] * 4
    assert list(a.valid(Window(0, 2))) == [False] + [True] * 7
    assert np.isnan(a.car(Window(0, 2))[0])
    assert np.isfinite(a.car(Window(2, 5))[0])
    assert results.test("bmp_kp", (0, 1)).n_events == len(FIRMS) - 1


def test_high_equal_to_low_is_missing() -> None:
    table = market_table()
    day = (table["symbol"] == "F0") & (table["date"] == DAYS[AT + 1])
    table.loc[day, "high"] = table.loc[day, "low"]
    assert np.isnan(fitted(table, "volatility").abnormal.ar[0, 6])


def test_no_trade_is_finite_for_turnover() -> None:
    usual = fitted(market_table(), "turnover")
    halted = fitted(changed("volume", 0.0, day=AT + 1), "turnover")
    assert halted.abnormal.valid(Window(0, 5)).all()
    difference = usual.abnormal.ar[0, 6] - halted.abnormal.ar[0, 6]
    own = market_table().query("symbol == 'F0'")["volume"].iloc[AT + 1]
    assert difference == pytest.approx(
        np.log(100 * own / SHARES + 0.000255) - np.log(0.000255), rel=1e-9
    )


def test_a_halted_day_with_a_stale_price_has_no_volume_but_a_turnover() -> None:
    table = market_table()
    own = table["symbol"] == "F0"
    last = table.loc[own & (table["date"] == DAYS[AT]), "close"].iloc[0]
    prices = ["open", "high", "low", "close", "adj_close"]
    table.loc[own & (table["date"] == DAYS[AT + 1]), [*prices, "volume"]] = [*[last] * 5, 0.0]
    present = {
        m: bool(np.isfinite(fitted(table, m).abnormal.ar[0, 6])) for m in ("return", *MEASURES)
    }
    assert present == {"return": False, "volume": False, "turnover": True, "volatility": False}


def test_a_session_without_a_row_is_missing_for_all() -> None:
    table = market_table()
    table = table[~((table["symbol"] == "F0") & (table["date"] == DAYS[AT + 1]))]
    for measure in MEASURES:
        a = fitted(table, measure).abnormal
        assert np.isnan(a.ar[0, 6])
        assert a.spans[0, 7] == 1
        assert not a.valid(Window(0, 2))[0]


def test_a_gap_of_the_benchmark_alone_is_not_bridged() -> None:
    a = fitted(changed("volume", 0.0, day=AT + 1, firm="IDX"), "volume", "market").abnormal
    assert list(a.spans[0]) == [1] * 6 + [0] + [1] * 4


@pytest.mark.parametrize("kind", ["simple", "log"])
def test_the_kind_of_returns_changes_nothing(kind: Any) -> None:
    table = market_table()
    days = np.unique(table["date"].to_numpy().astype("datetime64[D]"))
    panel = ReturnsPanel.from_prices(
        table, keys=[("F0", "data")], measure="volume", kind=kind,
        sessions={"data": Sessions.of_days("data", "UTC", days, None)},
    )  # fmt: skip
    assert panel.kind == "simple"
    np.testing.assert_allclose(
        np.exp(panel.values[0]), table.query("symbol == 'F0'")["volume"], rtol=1e-12
    )


def test_every_symbol_without_the_measure_has_its_reason() -> None:
    table = market_table()
    table.loc[table["symbol"] == "F1", "volume"] = np.nan
    table.loc[table["symbol"] == "F2", "volume"] = 0.0
    events = fitted(table, "volume").events.set_index("ticker")
    assert events.loc["F1", "reason"].startswith(
        "no volume data: the source gives no volume; use files with"
    )
    assert events.loc["F2", "reason"] == "no volume data: the volume is 0 every day"
    assert (events["status"] == "ok").sum() == 6
    table = table.assign(high=np.nan, low=np.nan)
    reasons = set(fitted(table, "volatility").events["reason"])
    text = "no volatility data: the source gives no high and no low; use files with the columns high and low"
    assert reasons == {f"{text}, or yahoo"}


def test_an_index_without_volume_is_named_for_each_event() -> None:
    table = market_table()
    table.loc[table["symbol"] == "IDX", "volume"] = 0.0
    reasons = set(fitted(table, "volume", "market").events["reason"])
    assert reasons == {"no volume data for the benchmark: the volume is 0 every day"}
    reasons = set(fitted(measure="turnover", model="market").events["reason"])
    assert len(reasons) == 1
    assert "for the benchmark: its shares outstanding are not known" in reasons.pop()


def test_high_that_equals_low_throughout_is_a_reason() -> None:
    part = bars("F0", 0).assign(high=1.0, low=1.0)
    assert explain_lack(part, "volatility") == "high equals low every day"


@pytest.mark.parametrize("model", ["market_adjusted", "matched", "synthetic_control"])
def test_a_level_needs_an_intercept(model: str) -> None:
    with pytest.raises(ConfigError, match="needs a model with an intercept"):
        fitted(measure="volume", model=model)


def test_shares_outstanding_of_each_ticker() -> None:
    twice = ["F0", "F1", "F0"]
    given_ = events_for(twice, shares_outstanding=["1e6", "", ""])
    assert shares_of(given_) == {"F0": 1e6}
    for cells, what in (
        (["1e6", "-5", ""], "not a positive number"),
        (["1e6", "many", ""], "not a positive number"),
        (["inf", "1", ""], "not a positive number"),
    ):
        with pytest.raises(DataError, match=what):
            shares_of(events_for(twice, shares_outstanding=cells))
    with pytest.raises(DataError, match="add a column shares_outstanding"):
        shares_of(events_for())


def test_the_first_of_several_shares_outstanding_counts_on_all_days() -> None:
    """A step from one event to the next would be an abnormal turnover of that day."""
    events = events_for(["F0", "F1", "F0"], shares_outstanding=["1e6", "5", "2e6"])
    assert shares_of(events) == {"F0": 1e6, "F1": 5.0}
    assert note_several_shares(events) == [
        (
            "F0: several numbers of shares outstanding. The first is used on all days, as it "
            "cancels out of "
            "the abnormal turnover"
        )
    ]
    assert note_several_shares(events_for(["F0", "F0"], shares_outstanding=["1e6", "1e6"])) == []


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 100), min_size=len(FIRMS), max_size=len(FIRMS)))
def test_another_unit_of_volume_changes_nothing(factors: list[float]) -> None:
    """A constant added to the log volume of a firm is in its mean."""
    table = market_table()
    scaled = table.assign(
        volume=table["volume"] * table["symbol"].map(dict(zip(FIRMS, factors, strict=True)))
    )
    scaled.loc[table["symbol"] == "IDX", "volume"] = table["volume"]
    usual, other = fitted(table).abnormal, fitted(scaled).abnormal
    np.testing.assert_allclose(other.ar, usual.ar, atol=1e-11)
    np.testing.assert_allclose(other.var_ar, usual.var_ar, rtol=1e-9)


def test_another_unit_changes_nothing_under_the_market_model_either() -> None:
    table = market_table()
    usual, other = (
        fitted(t, "volume", "market") for t in (table, table.assign(volume=table["volume"] * 7))
    )
    for name in ("bmp_kp", "corrado", "grank_t", "generalized_sign"):
        np.testing.assert_allclose(
            [*other.test(name, (0, 1))], [*usual.test(name, (0, 1))], rtol=1e-8
        )


@pytest.mark.parametrize("measure", MEASURES)
def test_contract_of_tests_order_and_missing_firms(measure: Any) -> None:
    usual = fitted(measure=measure)
    turned = fitted(measure=measure, firms=FIRMS[::-1])
    names = [n for n in usual.all_tests if n not in RANDOM]
    for name in names:
        one, other = (STATISTICS[name](r.abnormal, Window(0, 1)) for r in (usual, turned))
        np.testing.assert_allclose([*other], [*one], rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(turned.abnormal.ar[::-1], usual.abnormal.ar, atol=1e-12)
    batch = fitted(measure=measure, engine="batch")
    np.testing.assert_allclose(batch.abnormal.ar, usual.abnormal.ar, atol=1e-11)
    np.testing.assert_allclose(batch.abnormal.var_ar, usual.abnormal.var_ar, rtol=1e-9)


# Draws go by the position of the events.
RANDOM = ("johnson_bootstrap", "wild_bootstrap", "placebo_in_space")


@pytest.mark.parametrize("measure", MEASURES)
def test_nobody_can_hold_a_measure(measure: Any) -> None:
    results = fitted(measure=measure)
    assert np.isnan(results.abnormal.bhar(Window(0, 1))).all()
    assert results.car([(0, 1)])["bhar"].isna().all()
    assert results.car([(0, 1)])["car"].notna().all()
    results.events["mcap"] = 1.0
    for call in (
        lambda: results.abhar((0, 1)),
        lambda: results.calendar_portfolio((0, 1)),
        lambda: results.dollar_loss((0, 1)),
    ):
        with pytest.raises(ConfigError, match="needs a study of returns"):
            call()


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES)
def test_page_and_terminal_speak_of_the_measure(measure: Any) -> None:
    results = fitted(measure=measure)
    config = StudyConfig(estimation=ESTIMATION, event=EVENT, measure=measure, calibrate=0)
    study = results.findings(config=config)
    spoken, found = words(measure), results.answer(config.main)
    meaning = spoken.meaning(found.effect.estimate, 2).removeprefix(spoken.quantity).strip()
    facts = {
        "who": "shares",
        "quantity": spoken.quantity,
        "meaning": meaning,
        "when": write_days(config.main),
    }
    with speaking_of(measure):
        head, sentence = split_answer(study)
    assert head == capitalised(say("answer.quantity", **facts)) + "."
    low, high = (f"{end:+.2f}" for end in (found.effect.ci_low, found.effect.ci_high))
    assert f"(95%\u00a0interval {low} to {high} log points; p" in sentence
    text = render_report(study)
    assert head.removesuffix(".") in plain(text)
    assert sentence.strip() in plain(text)
    assert f"<dt>Abnormal {spoken.what}</dt>" in text
    body, references = text.split("<caption>References</caption>")
    assert "abnormal return" not in body
    assert spoken.source.split(" (")[0].split(" and ")[0] in references
    for word in ("BHAR", "CAAR, %", "CAR,&nbsp;%", "simple returns", "the shares", "than implied"):
        assert word not in text.split("</style>")[1].split('id="files"')[0], word
    table = str(Terminal(study).text(verbose=True))
    assert f"Effect: {spoken.what} in log points." in table
    assert f"Effect: {spoken.what} in log points." in str(Terminal(study).text())
    assert not re.search(r"[+-][\d.]+%", table)
    assert f"CAAR[0,1] of 8: {results.weighted((0, 1)).estimate:+.2f} log points" in str(
        results.weighted((0, 1))
    )
    assert "CAAR log points" in str(results.summary([(0, 1)]))
    assert words().percent(0.5) == "+50.00%", "the words are those of returns again"
    assert words() is words("return")


def test_meaning_of_log_points() -> None:
    volume = words("volume")
    assert volume.meaning(0.42, 1) == "volume 52% above normal"
    assert volume.meaning(0.84, 2) == "volume 52% above normal a day"
    assert volume.meaning(-0.105360516, 1) == "volume 10% below normal"
    assert volume.meaning(np.log(3), 1) == "volume 3.0 times normal"
    assert volume.meaning(np.nan, 1) == ""
    assert words("return").meaning(0.42, 1) == ""


# --- the command line


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with events, and prices with a spike of volume and range on each day 0."""
    base = tmp_path_factory.mktemp("measures")
    (base / "prices").mkdir()
    for name, part in market_table().groupby("symbol"):
        part.drop(columns="symbol").to_csv(base / "prices" / f"{name}.csv", index=False)
    events = events_for(shares_outstanding=SHARES, company=[f"Firm {f}" for f in FIRMS]).table
    kept = events[
        ["event_id", "ticker", "announced_at", "benchmark", "shares_outstanding", "company"]
    ]
    kept.to_csv(base / "events.csv", index=False)
    return base


COMMON = ("--calendar", "data", "--estimation", "-120:-11", "--event-window", "-5:5", *QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES)
def test_run(folder: Path, tmp_path: Path, measure: str) -> None:
    code, out, err = invoke(
        "run", folder / "events.csv", "--prices", folder / "prices", "--measure", measure, *COMMON,
        "--out", tmp_path, "--name", "m", "--figures",
    )  # fmt: skip
    assert code == 0, err
    assert out.startswith(f"{words(measure).quantity.capitalize()} of shares was ")
    assert out.isascii()
    car = pd.read_csv(tmp_path / "m" / "tables" / "car.csv")
    day0 = car[(car["start"] == 0) & (car["stop"] == 0)]["car"].mean()
    assert day0 == pytest.approx(np.log(4), abs=0.35), "tables hold log points as they are"
    assert car["bhar"].isna().all()
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["measure"] == measure
    frozen = pd.read_csv(tmp_path / "m" / "data" / "prices.csv.gz")
    assert list(frozen) == list(COLUMNS)
    assert frozen["close"].max() > 40, "the frozen prices stay prices"
    svg = (tmp_path / "m" / "figures" / "caar.svg").read_text(encoding="utf-8")
    assert "log points" in svg


@pytest.mark.slow
def test_market_volume(folder: Path, tmp_path: Path) -> None:
    code, out, err = invoke(
        "run", folder / "events.csv", "--prices", folder / "prices", "--measure", "volume", *COMMON,
        "--model", "market", "--out", tmp_path, "--name", "m", "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["setup"]["n_used"] == len(FIRMS)
    assert "beta" in pd.read_csv(tmp_path / "m" / "tables" / "models.csv")


@pytest.mark.slow
def test_files_of_closes_alone_say_what_they_lack(folder: Path, tmp_path: Path) -> None:
    for name in (*FIRMS, "IDX"):
        part = pd.read_csv(folder / "prices" / f"{name}.csv")[["date", "close"]]
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    for measure, column in (("volume", "volume"), ("turnover", "volume"), ("volatility", "high")):
        code, _, err = invoke(
            "run",
            folder / "events.csv",
            "--prices",
            tmp_path,
            "--measure",
            measure,
            *COMMON,
            "--out",
            tmp_path / "r",
        )
        assert code == 1
        why = f"no {measure} data, e.g. eF0: the source gives no {column}"
        assert why in " ".join(err.split())
        page = (tmp_path / "r" / "events" / "report.html").read_text(encoding="utf-8")
        assert "No result:" in page


def test_the_bundled_sample_has_no_volume(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(
        "event_id,ticker,announced_at\na,AAPL,2020-08-06\nb,NVDA,2022-08-31\n", encoding="utf-8"
    )
    code, _, err = invoke(
        "run", events, "--prices", "sample", "--measure", "volume", "--out", tmp_path / "r"
    )
    assert code == 1
    assert "none of 2 events could be used" in err
    why = "2 no volume data, e.g. a: the source gives no volume; use files with the column volume"
    assert why in " ".join(err.split())


def test_turnover_without_shares_is_an_error(folder: Path, tmp_path: Path) -> None:
    events = pd.read_csv(folder / "events.csv").drop(columns="shares_outstanding")
    events.to_csv(tmp_path / "events.csv", index=False)
    code, _, err = invoke(
        "run",
        tmp_path / "events.csv",
        "--prices",
        folder / "prices",
        "--measure",
        "turnover",
        *COMMON,
    )
    assert code == 1
    assert "add a column shares_outstanding to the events file" in err


def test_a_file_of_returns_has_no_other_measure(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("date,F0\n2020-01-01,0.1\n", encoding="utf-8")
    code, _, err = invoke(
        "run", folder / "events.csv", "--returns", tmp_path / "r.csv", "--measure", "volume"
    )
    assert code == 2
    assert "a file of returns holds no other measure" in err


@pytest.mark.parametrize("measure", MEASURES)
def test_a_price_limit_delays_no_measure(measure: Any) -> None:
    """A day that closes at a limit has the volume of that day: only its price is yet to come."""
    results, hit = fitted(measure=measure), "price_limit"
    limits = np.zeros(results.panel.values.shape, np.int8)
    limits[results.panel.row("F0", "data"), AT : AT + 3] = 2
    panel = replace(results.panel, limits=limits)
    options: Any = {"model": "constant_mean", "estimation": ESTIMATION, "event": EVENT}
    found = EventStudy(events_for(), panel, **options).fit()
    assert hit in found.events["flags"][0].split(";")
    for window in ((0, 0), (0, 1), (-1, 1)):
        np.testing.assert_array_equal(
            found.abnormal.car(Window(*window)), results.abnormal.car(Window(*window))
        )
    with pytest.raises(ConfigError, match="price limits delay returns, not the"):
        EventStudy(events_for(), panel, conventions=Conventions(limits="drop"), **options).fit()
