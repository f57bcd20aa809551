"""Market values: the real yfinance against a stand-in, files, splits, currencies, weights."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_prices_yahoo import serving
from yahoo_standin import Series, synthetic

import eventstudy
from eventstudy.errors import BadAnswerError, DataError
from eventstudy.events import read_events
from eventstudy.prices import YahooProvider, as_of
from eventstudy.prices.sizes import checked, restated
from eventstudy.quality import judge_sizes
from eventstudy.returns import Quotation
from eventstudy.settings import StudyConfig
from eventstudy.studies import run_study

RECORD = "ticker,date,close,shares,mcap,currency,source,note"
NOW = datetime(2021, 3, 1, tzinfo=UTC)
SPLIT = date(2020, 8, 31)


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def provider() -> YahooProvider:
    return YahooProvider(sleep=lambda seconds: None, now=lambda: NOW)


def firm(symbol: str, **options: object) -> Series:
    return synthetic(symbol, date(2017, 6, 1), date(2020, 12, 31), **options)  # type: ignore[arg-type]


def test_market_value_is_the_same_on_both_sides_of_a_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closes are restated for the split, counts are not: 10 shares at 400 were 40 at 100."""
    counts = {
        date(2019, 1, 2): 10e6,
        date(2020, 8, 3): 10e6,
        date(2020, 9, 2): 10e6,
        date(2020, 9, 30): 40e6,
    }
    series = firm("AAA", splits={SPLIT: (4, 1)}, counts=counts)
    with serving(monkeypatch, series):
        sizes = provider().sizes(["AAA"], date(2019, 3, 1), date(2020, 12, 1))
    assert not sizes.failures
    closes = {row[0]: row[4] for row in series.rows}
    known = sizes.table.dropna()
    for row in known.itertuples():
        assert row.shares == 40e6
        assert row.mcap == pytest.approx(closes[row.date.date()] * 40e6, rel=1e-12)
    assert set(sizes.table["currency"]) == {"USD"}
    # a count of January 2019 is too old from January 2020 on, until that of August
    assert not known["date"].between("2020-01-08", "2020-08-02").any()
    assert sizes.table["date"].between("2020-01-08", "2020-08-02").any()


def test_each_failure_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = {date(2020, 1, 2): 1e6, date(2020, 10, 1): 1e6, date(2021, 2, 1): 1e6}
    with serving(
        monkeypatch, firm("AAA", counts={date(2019, 1, 2): 1e6}), firm("BBB"),
        firm("CCC", splits={SPLIT: (4, 1)}, counts=stuck),
        firm("EEE", counts={date(2018, 1, 2): 1e6}),
    ):  # fmt: skip
        sizes = provider().sizes(
            ["AAA", "BBB", "CCC", "DDD", "EEE"], date(2019, 3, 1), date(2019, 4, 1)
        )
    assert set(sizes.table["ticker"]) == {"AAA"}
    assert sizes.failures == {
        "BBB": "no shares outstanding from this source",
        "CCC": "the shares outstanding do not move with the split of 2020-08-31",
        "DDD": "Yahoo does not know the symbol, or no longer has it",
        "EEE": "no shares outstanding from this source",
    }


def test_counts_around_a_split() -> None:
    dates, counts = days("2020-01-02", "2020-02-03", "2020-03-02"), np.array([1.0, 1.0, 2.0])
    kept = checked(dates, counts, {np.datetime64("2020-02-01"): 2.0}, "A")
    np.testing.assert_array_equal(kept[1], [1, 2])
    np.testing.assert_array_equal(restated(*kept, {np.datetime64("2020-02-01"): 2.0}), [2, 2])
    with pytest.raises(BadAnswerError, match="do not move"):
        checked(dates[:2], counts[:2], {np.datetime64("2020-02-01"): 2.0}, "A")
    # a buyback of half the shares over the years is no sign of a split that was not seen
    late = days("2020-01-02", "2020-02-03", "2025-01-02")
    assert (
        len(checked(late, np.array([1.0, 2.0, 1.0]), {np.datetime64("2020-02-01"): 2.0}, "A")[0])
        == 3
    )


def test_as_of_takes_the_last_and_forgets_the_old() -> None:
    found = as_of(days("2020-01-02", "2020-02-03"), np.array([1.0, 2.0]), days("2020-01-01", "2020-01-02",
                  "2020-02-02", "2020-02-03", "2022-01-01"), 370)  # fmt: skip
    np.testing.assert_array_equal(found, [np.nan, 1, 1, 2, np.nan])


def study(
    tmp_path: Path,
    size: str = "",
    tickers: tuple[str, ...] = ("AAPL", "MSFT", "NVDA"),
    **config: object,
):
    rows = [f"{t},2019-05-0{6 + i},{100 * (i + 1)}" for i, t in enumerate(tickers)]
    (tmp_path / "events.csv").write_text("\n".join(["ticker,announced_at,mcap", *rows, ""]))
    events = read_events(tmp_path / "events.csv")
    return run_study(
        events,
        StudyConfig(**{"prices": "sample", "size": size, "calibrate": 0, **config}),
        offline=True,
    )


def test_weights_are_those_before_the_window(tmp_path: Path) -> None:
    """The number of the day before the window holds, whatever the column says."""
    lines = ["ticker,date,mcap,currency"]
    for ticker, before, later in (("AAPL", 3, 50), ("MSFT", 1, 60), ("NVDA", 2, 70)):
        lines += [f"{ticker},2019-04-30,{before},USD", f"{ticker},2019-05-06,{later},USD"]
    (tmp_path / "sizes.csv").write_text("\n".join([*lines, ""]))
    results = study(tmp_path, str(tmp_path / "sizes.csv"))
    assert results.sizes is not None
    assert results.sizes.currency == "USD"
    # the windows of the second and third event begin after 6 May
    np.testing.assert_array_equal(results.sizes.before(0), [3, 60, 70])
    np.testing.assert_array_equal(results.sizes.before(-3), [3, 1, 2])
    car = results.abnormal.car(eventstudy.Window(-3, 0))
    loss = results.dollar_loss((-3, 0))
    assert loss.total == pytest.approx(float(car @ [3, 1, 2]), rel=1e-12)
    assert results.weighted((-3, 0), "value").estimate == pytest.approx(loss.total / 6, rel=1e-12)
    part = results.subset([2])
    assert part.dollar_loss((-3, 0)).total == pytest.approx(2 * car[2], rel=1e-12)


def test_an_event_without_a_market_value_has_no_weight(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("ticker,date,mcap\nAAPL,2019-05-01,3\nNVDA,2017-05-01,2\n")
    results = study(tmp_path, str(tmp_path / "sizes.csv"))
    loss = results.dollar_loss((0, 1))
    assert list(loss.events["ticker"]) == ["AAPL"]
    ids = dict(zip(results.events["ticker"], results.events["event_id"], strict=True))
    assert f"no usable market value (not in sizes.csv): {ids['MSFT']}" in loss.reason
    before = "no market value before the event, or no exchange rate"
    assert f"no usable market value ({before}): {ids['NVDA']}" in loss.reason
    assert set(loss.reason.split("; ")) == {
        text.removeprefix("size: ") for text in results.panel.notices if text.startswith("size: ")
    }


def test_two_currencies_are_not_added(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text(
        "ticker,date,mcap,currency\nAAPL,2019-05-01,3,USD\nMSFT,2019-05-01,3,GBp\nNVDA,2019-05-01,3,USD\n"
    )
    loss = study(tmp_path, str(tmp_path / "sizes.csv")).dollar_loss((0, 1))
    assert len(loss.events) == 0
    assert "market values are in GBP, USD: use --currency USD" in loss.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ticker,mcap\nAAPL,3\n", "date"),
        ("ticker,date\nAAPL,2019-05-01\n", "mcap or shares"),
        ("ticker,date,mcap\nAAPL,2019-05-01,-3\n", "row 2"),
        ("ticker,date,mcap\nAAPL,2019-05-01,3\nAAPL,x,3\n", "row 3"),
        ("ticker,date,mcap,note\nAAPL,2019-05-01,1OO,seen\nMSFT,2019-05-01,3,\n", "row 2.*1OO"),
        (f"{RECORD}\nMSFT,,,,,,Yahoo,no shares\nAAPL,2019-05-01,,,1OO,USD,Yahoo,\n", "row 3.*1OO"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sizes.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        study(tmp_path, str(tmp_path / "sizes.csv"))


def test_a_column_note_of_the_user_is_no_record_of_ours(tmp_path: Path) -> None:
    bare = "ticker,date,mcap\nAAPL,2019-05-01,3\nMSFT,2019-05-01,4\n"
    noted = (
        "ticker,date,mcap,note,source\nAAPL,2019-05-01,3,rounded,\nMSFT,2019-05-01,4,,Bloomberg\n"
    )
    for name, text in (("bare", bare), ("noted", noted)):
        (tmp_path / f"{name}.csv").write_text(text)
    one, two = (study(tmp_path, str(tmp_path / f"{name}.csv")).sizes for name in ("bare", "noted"))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.values, two.values)
    assert [r.replace("bare", "noted") for r in one.reasons] == [*two.reasons]
    (tmp_path / "counts.csv").write_text("ticker,date,shares,note\nAAPL,2019-05-01,3,as filed\n")
    assert study(tmp_path, str(tmp_path / "counts.csv")).sizes is not None


def test_a_run_keeps_its_market_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yahoo's answer is in the run: a study of that file alone has the same numbers and the same
    reasons."""
    counts = {date(2019, 1, 2): 1e9 / 3}
    with serving(
        monkeypatch, firm("AAPL", counts=counts), firm("MSFT", counts=counts), firm("NVDA")
    ):
        results = study(tmp_path, "").with_market_values("yahoo")
    assert results.sizes is not None
    assert results.sizes.currency == "USD"
    results.sizes.origin.record().to_csv(tmp_path / "kept.csv", index=False)
    again = study(tmp_path, str(tmp_path / "kept.csv"))
    assert again.sizes is not None
    np.testing.assert_array_equal(again.sizes.values, results.sizes.values)
    one, two = (r.dollar_loss((0, 1)) for r in (results, again))
    assert (one.total, one.se, one.reason) == (two.total, two.se, two.reason)
    assert "no shares outstanding from this source" in one.reason


def test_shares_are_multiplied_with_the_closes_of_the_study(tmp_path: Path) -> None:
    days = pd.bdate_range("2018-01-01", "2019-06-28", name="date")
    rng = np.random.default_rng(1)
    for name in ("AAPL", "MSFT", "NVDA", "^GSPC"):
        close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        frame = pd.DataFrame(
            {"date": days, "close": close, "adj_close": close * 0.9, "currency": "USD"}
        )
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "shares").mkdir()
    (tmp_path / "shares/shares.csv").write_text(
        "ticker,date,shares\nAAPL,2018-01-01,5\nAAPL,2019-05-03,6\nMSFT,2018-12-01,7\nNVDA,2018-12-01,7\n"
    )
    results = study(
        tmp_path, str(tmp_path / "shares/shares.csv"), prices=str(tmp_path), calendar="data"
    )
    assert results.sizes is not None
    assert results.sizes.currency == "USD"
    closes = pd.read_csv(tmp_path / "AAPL.csv", index_col="date")["close"]
    assert results.sizes.before(0)[0] == pytest.approx(6 * closes["2019-05-03"], rel=1e-12)
    # the count of January 2018 is more than 370 days old in May
    assert np.isnan(results.sizes.before(-3)[0])
    assert results.sizes.before(-3)[1] == pytest.approx(
        7 * pd.read_csv(tmp_path / "MSFT.csv", index_col="date")["close"]["2019-05-01"], rel=1e-12
    )


def test_pence_are_counted_in_pounds(tmp_path: Path) -> None:
    cells = [f"{t},2019-04-30,{n},GBp" for t, n in (("AAPL", 300), ("MSFT", 100), ("NVDA", 200))]
    (tmp_path / "sizes.csv").write_text("\n".join(["ticker,date,mcap,currency", *cells, ""]))
    sizes = study(tmp_path, str(tmp_path / "sizes.csv")).sizes
    assert sizes is not None
    assert sizes.currency == "GBP"
    np.testing.assert_allclose(sizes.before(0), [3, 1, 2], rtol=1e-15)
    assert (Quotation("X", "KWF").unit, Quotation("X", "USD").unit) == (0.001, 1.0)


@pytest.mark.parametrize(("n_infinite", "is_refused"), [(5, False), (6, True)])
def test_a_column_is_refused_where_most_of_its_numbers_are_impossible(
    n_infinite: int, is_refused: bool
) -> None:
    values = [float("inf")] * n_infinite + [5e9] * (10 - n_infinite) + [float("nan")] * 3
    table = pd.DataFrame({
        "ticker": "AMD", "date": pd.date_range("2022-01-03", periods=13), "mcap": values,
        "text": [str(value) for value in values],
    })  # fmt: skip
    if is_refused:
        with pytest.raises(DataError, match="sizes"):
            judge_sizes(table, "mcap", "sizes.csv")
    else:
        assert judge_sizes(table, "mcap", "sizes.csv")[0].sum() == 5
