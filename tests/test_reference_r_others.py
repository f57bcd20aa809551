"""Against R's eventstudies 1.2.2, and the formulas of Stata's estudy 2.1.2 and eventstudy2 3.2b."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from r_cases import (
    CLUSTERED,
    DISPERSED,
    FACTORS,
    MISSING,
    REPEATED,
    WINDOWS,
    close,
    fit,
    of,
    same_day_correlation,
    t_of,
    table,
)
from scipy import stats
from scipy.stats import rankdata

from eventstudy.calendars import Window
from eventstudy.significance import STATISTICS


def held_days(case: str, model: str = "market") -> tuple[object, pd.Series]:
    """Our fit on the days that eventstudies uses, and which events it keeps."""
    ours = fit(case, model, estimation=Window(-259, -10), event=Window(-9, 10))
    kept = table(case, "eventstudies__outcomes")["outcome"] == "success"
    return ours.take(kept.to_numpy()), kept


@pytest.mark.parametrize("case", [DISPERSED, REPEATED, MISSING])
def test_eventstudies_bands(case: str) -> None:
    """It estimates to day -w, starts at -w+1 and leaves that day out of its CARs: shifted, the rest
    is ours.

    Its band is our interval by the cross-sectional t; it keeps the events without a gap in any day,
    and so does ours for the whole window.
    """
    ours, kept = held_days(case)
    everyone = fit(case, estimation=Window(-259, -10), event=Window(-9, 10))
    assert list(everyone.valid(Window(-9, 10))) == list(kept)
    cars = table(case, "eventstudies__mm_car_matrix").set_index("rel_day")
    classic = table(case, "eventstudies__mm_classic").set_index("rel_day")
    median = table(case, "eventstudies__mm_wilcox").set_index("rel_day")["median"]
    assert (cars.loc[-9] == 0).all()
    for day in range(-8, 11):
        window = Window(-8, day)
        car = ours.car(window)
        close(car, cars.loc[day])
        result = STATISTICS["cross_sectional"](ours, window)
        close(
            [result.estimate, *result.confidence_interval()],
            classic.loc[day, ["mean", "lo95", "hi95"]],
        )
        close(np.median(car), median.loc[day])


@pytest.mark.parametrize("case", [DISPERSED, REPEATED, MISSING])
def test_eventstudies_excess_returns(case: str) -> None:
    ours, _ = held_days(case, "market_adjusted")
    theirs = table(case, "eventstudies__excessReturn_classic").set_index("rel_day")
    for day in range(-8, 11):
        result = STATISTICS["cross_sectional"](ours, Window(-8, day))
        close(
            [result.estimate, *result.confidence_interval()],
            theirs.loc[day, ["mean", "lo95", "hi95"]],
        )


def estudy_error(case: str, window: Window) -> np.ndarray:
    """Forecast error of the CAR as in estudy: e'e/(M-1), and M var(R_m) where ours has (M-1)
    var(R_m)."""
    ours = fit(case)
    market = ours.x_estimation[:, :, 1]
    mean, M, L = market.mean(axis=1), 250, len(window)
    away = ours.x_event[:, ours.columns(window), 1].sum(axis=1) - L * mean
    s2 = ours.sigma2 * (M - 2) / (M - 1)
    return np.sqrt(s2 * (L + L**2 / M + away**2 / (M * market.var(axis=1, ddof=1))))


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", [DISPERSED, CLUSTERED, FACTORS])
def test_estudy_of_stata(case: str, text: str) -> None:
    """Each of its conventions by itself; ours is in the tests against base R.

    It refers BMP and KP to N(0,1), ranks with T = M where GRANK has M+1 days, and cumulates
    ln(mean(exp(AR))), which is not the mean of the CARs.
    """
    ours, window = fit(case), Window.of(text)
    whole = table(case, "estudyStata_formulas__group")
    theirs = whole[whole["window"] == text].set_index("diagnostic")["statistic"]
    single = table(case, "estudyStata_formulas__individual")
    single = single[single["window"] == text]
    n, M, error, car = len(ours), 250, estudy_error(case, window), ours.car(window)
    close(car, single["car"])
    close(error, single["sd"])
    assert (error < np.sqrt(ours.var_car(window))).all()
    scar, r = car / error, same_day_correlation(ours.resid)
    patell = scar.sum() / np.sqrt(n * (M - 2) / (M - 4))
    close([patell, patell / np.sqrt(1 + (n - 1) * r)], theirs[["Patell", "ADJPatell"]])
    close([t_of(scar), t_of(scar) * np.sqrt((1 - r) / (1 + (n - 1) * r))], theirs[["BMP", "KP"]])
    mean = np.log(np.exp(ours.ar[:, ours.columns(window)]).mean(axis=0)).sum()
    close(mean / (np.sqrt((error**2).sum()) / n), theirs["Norm"])
    p = whole[(whole["window"] == text) & (whole["diagnostic"] == "BMP")]["p_value"]
    close(2 * stats.norm.sf(abs(t_of(scar))), p)
    standard = ours.resid / np.sqrt(ours.sigma2)[:, None]
    close(grank(standard * np.sqrt((M - 1) / (M - 2)), scar, T=M), theirs["GRANK"])
    close(grank(standard, ours.scar(window), T=M + 1), of(ours, "grank_t", window))


def grank(standard: np.ndarray, scar: np.ndarray, T: int) -> float:
    """Z sqrt((T-2)/(T-1-Z^2)), Z of the mean rank of SCAR/sd among the standardised residuals, over
    T + 1."""
    U = rankdata(np.column_stack([standard, scar / scar.std(ddof=1)]), axis=1) / (T + 1) - 0.5
    mean = U.mean(axis=0)
    Z = mean[-1] / np.sqrt((mean**2).sum() / T)
    return float(Z * np.sqrt((T - 2) / (T - 1 - Z**2)))


@pytest.mark.parametrize("text", WINDOWS)
def test_eventstudy2_port(text: str) -> None:
    """A port of eventstudy2: AR / (s C^(1/4)), C the forecast factor, and sum(SAR_k / sqrt(k)) over
    windows.

    The fourth root takes a square root once too often; days of unequal weight give Patell a null
    variance of 1 + 1/2 + ... + 1/L instead of 1. Its Wilcoxon test ranks the firm-days; ours ranks
    the CARs.
    """
    ours, window = fit(DISPERSED), Window.of(text)
    theirs = table(DISPERSED, "eventstudy2port__simple_window_tests").set_index("window").loc[text]
    cols, n, M = ours.columns(window), len(ours), 250
    C = ours.var_ar[:, cols] / ours.sigma2[:, None]
    sar = ours.ar[:, cols] / np.sqrt(ours.sigma2)[:, None] / C**0.25
    summed = (sar / np.sqrt(np.arange(1, len(window) + 1))).sum(axis=1)
    close(
        [summed.sum() / np.sqrt(n * (M - 2) / (M - 4)), t_of(summed)], theirs[["Patell", "Boehmer"]]
    )
    car, p = ours.car(window), (ours.resid > 0).mean()
    close(
        [car.mean(), ((car > 0).sum() - n * p) / np.sqrt(n * p * (1 - p))],
        theirs[["CAAR", "GenSign"]],
    )
    days = ours.ar[:, cols].ravel()
    m, ranks = len(days), rankdata(np.abs(days))
    z = (ranks[days > 0].sum() - m * (m + 1) / 4) / np.sqrt(m * (m + 1) * (2 * m + 1) / 24)
    close(z, theirs["Wilcoxon"])
    assert (len(window) == 1) == np.isclose(z, of(ours, "wilcoxon", window), rtol=1e-9)
