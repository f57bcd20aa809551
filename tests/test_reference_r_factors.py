"""Factor models of the R package EventStudy 0.50.0: excess returns on one to five factors."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from r_cases import ENGINES, FACTORS, HERE, by_day, close, events, read, returns, table, windows_of
from scipy import stats

from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS

COLUMNS = {
    "ff3": ["market_excess", "smb", "hml"],
    "carhart": ["market_excess", "smb", "hml", "mom"],
    "ff5": ["market_excess", "smb", "hml", "rmw", "cma"],
}


@functools.cache
def fit_factors(model: str, engine: str, own_market: bool = True) -> Any:
    """Fit with the factors of a file; without its `mkt_rf` the market is the benchmark's less
    rf."""
    file = read(HERE / FACTORS / "inputs" / "factors.csv").set_index("date")
    file = file if own_market else file.drop(columns="mkt_rf")
    bound: Any = MODELS[model]().bound(list(file.columns))
    names = tuple("MKT" if factor.name == "market" else factor.name for factor in bound.factors)
    windows = windows_of(FACTORS, frame=returns(FACTORS).join(file), factors=names)
    return bound.fit(windows, engine=engine)


@pytest.mark.parametrize("own_market", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", list(COLUMNS))
def test_estimates(model: str, engine: str, own_market: bool) -> None:
    """The file's mkt_rf is the market less rf to its eight decimals, so that both ways are one
    regression."""
    ours = fit_factors(model, engine, own_market)
    theirs = table(FACTORS, f"EventStudy__{model}_coefficients")
    rtol = 1e-9 if own_market else 1e-4
    expected = theirs[["(Intercept)", *COLUMNS[model]]]
    np.testing.assert_allclose(ours.params, expected, rtol=rtol, atol=1e-12 if own_market else 1e-6)
    np.testing.assert_allclose(np.sqrt(ours.sigma2), theirs["sigma"], rtol=rtol)
    fits = table(FACTORS, f"EventStudy__{model}_model")
    assert list(ours.df_resid) == list(fits["df"]) == [250 - len(COLUMNS[model]) - 1] * 20
    np.testing.assert_allclose(ours.r2, fits["r2"], rtol=rtol)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", list(COLUMNS))
def test_abnormal_returns(model: str, engine: str) -> None:
    ours, theirs = fit_factors(model, engine), table(FACTORS, f"EventStudy__{model}_ar")
    close(ours.ar, by_day(theirs, "ar"))
    close(np.sqrt(ours.var_ar), by_day(theirs, "fec_sigma"))
    t = ours.ar / np.sqrt(ours.sigma2)[:, None]
    close(2 * stats.t.sf(np.abs(t), ours.df_resid[:, None]), by_day(theirs, "p"))


@pytest.mark.parametrize("engine", ENGINES)
def test_capm(engine: str) -> None:
    """Least squares of R - rf on R_m - rf, by another program."""
    ours = fit_factors("capm", engine)
    file = read(HERE / FACTORS / "inputs" / "factors.csv").set_index("date")
    firms = returns(FACTORS)
    for i, event in enumerate(events(FACTORS).itertuples()):
        at = firms.index.get_loc(event.date)
        days = firms.index[at - 260 : at - 10]
        y = firms.loc[days, event.ticker] - file.loc[days, "rf"]
        line = stats.linregress(file.loc[days, "mkt_rf"], y)
        close(ours.params[i], [line.intercept, line.slope])
        excess = firms.loc[event.date, event.ticker] - file.loc[event.date, "rf"]
        close(ours.ar[i, 10], excess - line.intercept - line.slope * file.loc[event.date, "mkt_rf"])


def test_patell_of_a_factor_model() -> None:
    """nu = M - k: the divisor of Patell knows how many factors there are."""
    ours = fit_factors("ff3", "statsmodels")
    theirs = table(FACTORS, "EventStudy__ff3_ar")
    z = by_day(theirs, "ar") / by_day(theirs, "fec_sigma")
    close(
        z.sum(axis=0)[10] / np.sqrt(20 * 246 / 244),
        STATISTICS["patell"](ours, Window(0, 0)).statistic,
    )
