"""Printed results on real data that cannot be passed on: tests where the data are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from scipy.stats import rankdata

from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.windows import build_windows

PUBLISHED = SHARED / "reference" / "published"
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
PERCENT = {"rtol": 1e-9, "atol": 1e-10}
pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason="the published data are not here")


def read(folder: str, name: str) -> pd.DataFrame:
    return pd.read_csv(PUBLISHED / folder / f"{name}.csv")


def fit(
    frame: pd.DataFrame,
    tickers: list[str],
    day0: Any,
    estimation: Window,
    event: Window,
    *,
    market: str = "",
    kind: Any = "simple",
) -> Any:
    """Fit the market model, or the constant-mean model without a market."""
    panel = ReturnsPanel.from_frame(frame, kind=kind)
    factors = [panel.row(market, "data")] if market else []
    windows = build_windows(
        panel,
        calendars=["data"] * len(tickers),
        day0=np.asarray(day0, dtype="datetime64[D]"),
        rows=np.array([panel.row(ticker, "data") for ticker in tickers]),
        factor_rows=np.array([factors] * len(tickers)).reshape(len(tickers), -1),
        estimation=estimation,
        event=event,
    )
    return MODELS["market" if market else "constant_mean"]().fit(windows)


COVID_FIRMS = ["AMZN", "ZM", "UBER", "NFLX", "SHOP", "FB", "UPWK"]


@pytest.fixture(scope="module")
def covid() -> Any:
    """Seven firms in the week of 2020-03-16; log returns of 2019-04-01 to 2020-03-13 before it."""
    frame = read("estudy2_covid", "data_rates").set_index("date")
    frame = frame.join(read("estudy2_covid", "data_rates_index").set_index("date"))
    before = int((frame.index <= "2020-03-13").sum())
    windows = Window(-before, -1), Window(0, 4)
    return fit(frame, COVID_FIRMS, ["2020-03-16"] * 7, *windows, market="GSPC", kind="log")


def daily(ours: Any, test: str) -> list[float]:
    return [STATISTICS[test](ours, Window(d, d)).statistic for d in range(5)]


def test_covid_estimates(covid: Any) -> None:
    theirs = read("estudy2_covid", "estudy2__model")
    np.testing.assert_allclose(covid.params, theirs[["alpha", "beta"]], **CLOSE)
    assert list(covid.nobs) == list(theirs["n_est"]) == [240, 227, 212, 240, 240, 240, 240]
    s = np.sqrt(covid.sigma2 * covid.df_resid / (covid.nobs - 1))
    np.testing.assert_allclose(s, theirs["sd_resid_nminus1"], **CLOSE)
    ar = read("estudy2_covid", "estudy2__ar").set_index("date").to_numpy().T
    np.testing.assert_allclose(covid.ar, ar, **CLOSE)


def test_covid_statistics_that_agree(covid: Any) -> None:
    """The t-test and the sign test; the mean of each day."""
    parametric = read("estudy2_covid", "estudy2__parametric_tests")
    np.testing.assert_allclose(covid.aar, parametric["mean"], **CLOSE)
    np.testing.assert_allclose(daily(covid, "cross_sectional"), parametric["t_test_stat"], **CLOSE)
    others = read("estudy2_covid", "estudy2__nonparametric_tests")
    np.testing.assert_allclose(daily(covid, "sign"), others["sign_stat"], **CLOSE)
    sums = [rankdata(np.abs(x))[x > 0].sum() for x in covid.ar.T]
    assert sums == list(others["wlcx_stat"])
    z = (np.array(sums) - 14) / np.sqrt(7 * 8 * 15 / 24)
    np.testing.assert_allclose(daily(covid, "wilcoxon"), z, **CLOSE)


def test_covid_patell_and_bmp(covid: Any) -> None:
    """Three firms were listed late: estudy2 takes the market's mean over days that these did not
    have.

    It divides the residual variance by M-1; ours by M-2, and has the market of the days that were
    used.
    """
    theirs = read("estudy2_covid", "estudy2__parametric_tests")
    market = read("estudy2_covid", "data_rates_index").set_index("date")["GSPC"]
    before, week = market[:"2020-03-13"].to_numpy(), market["2020-03-16":"2020-03-20"].to_numpy()
    M = covid.nobs[:, None]
    away = (week - before.mean()) ** 2 / ((before - before.mean()) ** 2).sum()
    s2 = covid.sigma2[:, None] * (M - 2) / (M - 1)
    sar = covid.ar / np.sqrt(s2 * (1 + 1 / M + away))
    patell = sar.sum(axis=0) / np.sqrt(((M - 2) / (M - 4)).sum())
    np.testing.assert_allclose(patell, theirs["pt_stat"], **CLOSE)
    bmp = sar.mean(axis=0) / (sar.std(axis=0, ddof=1) / np.sqrt(7))
    np.testing.assert_allclose(bmp, theirs["bh_stat"], **CLOSE)
    np.testing.assert_allclose(daily(covid, "patell"), theirs["pt_stat"], rtol=0.02)
    np.testing.assert_allclose(daily(covid, "bmp"), theirs["bh_stat"], rtol=0.02)


def test_covid_estimation_portfolio(covid: Any) -> None:
    """Brown and Warner (1985): AARs of five to seven firms; ours scales days by the firms on
    them."""
    theirs = read("estudy2_covid", "estudy2__parametric_tests")
    aar = pd.DataFrame(covid.resid).mean()
    np.testing.assert_allclose(covid.aar / aar.std(), theirs["bw_1985_stat"], **CLOSE)
    p = (covid.resid > 0).sum() / np.isfinite(covid.resid).sum()
    own = np.nanmean(np.where(np.isfinite(covid.resid), covid.resid > 0, np.nan), axis=1).mean()
    positive = (covid.ar > 0).sum(axis=0)
    statistics = [(positive - 7 * q) / np.sqrt(7 * q * (1 - q)) for q in (p, own)]
    others = read("estudy2_covid", "estudy2__nonparametric_tests")
    np.testing.assert_allclose(statistics[0], others["gsign_stat"], **CLOSE)
    np.testing.assert_allclose(statistics[1], daily(covid, "generalized_sign"), **CLOSE)


@pytest.fixture(scope="module")
def terror() -> tuple[Any, pd.DataFrame]:
    """33 stock indices around 2001-09-11, each on its own trading days; constant mean of
    [-30,-11]."""
    returns = read("chen_siems_2004", "data_TerrorIndiceReturns_pct").set_index("date") / 100
    theirs = read("chen_siems_2004", "baseR__constant_mean_cars")
    ours = [
        fit(returns[[name]].dropna(), [name], [day], Window(-30, -11), Window(0, 10))
        for name, day in zip(theirs["market"], theirs["day0"], strict=True)
    ]
    return ours, theirs


def test_chen_and_siems(terror: tuple[Any, pd.DataFrame]) -> None:
    """6-day and 11-day CARs of Chen and Siems (2004, EJPE 20, table 2), to the seven digits
    printed."""
    ours, theirs = terror
    assert len(ours) == 33
    for window, printed, exact in (
        (Window(0, 5), "vignette_6day", "car_0_5"), (Window(0, 10), "vignette_11day", "car_0_10"),
    ):  # fmt: skip
        car = np.array([one.car(window)[0] for one in ours]) * 100
        np.testing.assert_allclose(car, theirs[exact], **CLOSE)
        np.testing.assert_allclose(car, theirs[printed], rtol=0, atol=5e-6)
    np.testing.assert_allclose(
        [one.params[0, 0] * 100 for one in ours], theirs["mean_est"], **PERCENT
    )
    np.testing.assert_allclose(
        [np.sqrt(one.sigma2[0]) * 100 for one in ours], theirs["sd_est"], **CLOSE
    )


@pytest.fixture(scope="module")
def splits() -> tuple[list[Any], pd.DataFrame]:
    """Stock splits of six Indian firms in per cent; eventstudies estimates on all days before the
    window."""
    frame = read("eventstudies_splits", "data_StockPriceReturns_pct").set_index("date")
    frame = frame.join(
        read("eventstudies_splits", "data_OtherReturns_pct").set_index("date")[["NiftyIndex"]]
    )
    theirs = read("eventstudies_splits", "baseR__w5_marketModel_by_event")
    ours = []
    for row in theirs.itertuples():
        own = frame[[row.name, "NiftyIndex"]].dropna() / 100
        first = int(own.index.get_loc(row.day0))
        ours.append(
            fit(own, [row.name], [row.day0], Window(-first, -5), Window(-4, 5), market="NiftyIndex")
        )
    return ours, theirs


def test_stock_splits(splits: tuple[list[Any], pd.DataFrame]) -> None:
    """The package drops the first day of its window from the CAR; base R with and without it."""
    ours, theirs = splits
    np.testing.assert_allclose([one.params[0, 1] for one in ours], theirs["beta"], **CLOSE)
    np.testing.assert_allclose([one.params[0, 0] * 100 for one in ours], theirs["alpha"], **PERCENT)
    np.testing.assert_allclose(
        [np.sqrt(one.sigma2[0]) * 100 for one in ours], theirs["sigma"], **CLOSE
    )
    cars = {Window(-4, 5): "car_incl_first_day", Window(-3, 5): "car_as_package_excl_first_day"}
    for window, column in cars.items():
        np.testing.assert_allclose(
            [one.car(window)[0] * 100 for one in ours], theirs[column], **PERCENT
        )
    matrix = read("eventstudies_splits", "eventstudies__w5_marketModel_car_matrix").set_index(
        "rel_day"
    )
    for day in range(-3, 6):
        car = [one.car(Window(-3, day))[0] * 100 for one in ours]
        np.testing.assert_allclose(car, matrix.loc[day], **PERCENT)


def test_stock_splits_band(splits: tuple[list[Any], pd.DataFrame]) -> None:
    """Its classic band is the interval of the cross-sectional t with t(N-1)."""
    from eventstudy.significance import pvalue
    from eventstudy.significance._base import t_of_mean

    ours, _ = splits
    band = read("eventstudies_splits", "eventstudies__w5_marketModel_classic").set_index("rel_day")
    for day in range(-3, 6):
        car = np.array([one.car(Window(-3, day))[0] for one in ours]) * 100
        t, df = t_of_mean(car)[:2]
        low, high = band.loc[day, ["lo95", "hi95"]]
        np.testing.assert_allclose([car.mean(), df], [band.loc[day, "mean"], 5], **CLOSE)
        # At either end of the band the mean lies at the 5% point of the test.
        se = car.mean() / t
        for end in (low, high):
            assert pvalue((car.mean() - end) / se, df) == pytest.approx(0.05, rel=1e-8)
