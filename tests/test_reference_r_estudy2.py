"""Against the R package estudy2 0.10.0: daily statistics, and windows of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from r_cases import (
    CLUSTERED,
    COMPLETE,
    FACTORS,
    MISSING,
    REPEATED,
    SINGLE,
    THREE_MODELS,
    WINDOWS,
    by_day,
    close,
    daily,
    fit,
    of,
    table,
)
from scipy.stats import rankdata

from eventstudy.calendars import Window
from eventstudy.significance import STATISTICS

ALL = [*THREE_MODELS, (REPEATED, "market"), (FACTORS, "market")]
AGREE = {
    "t_test": "cross_sectional", "brown_warner_1985": "cda", "sign_test": "sign",
    "generalized_sign_test": "generalized_sign", "corrado_sign_test": "corrado_zivney_sign",
    "rank_test": "corrado", "modified_rank_test": "corrado",
}  # fmt: skip


def freedom(ours: Any) -> np.ndarray:
    """Their residual variance is e'e/(M-1), ours e'e/(M-2): the ratio of the standard deviations,
    (n,)."""
    ratio: np.ndarray = np.sqrt((ours.nobs - 1) / ours.df_resid)
    return ratio


@pytest.mark.parametrize(("case", "model"), [*ALL, (SINGLE, "market"), (MISSING, "market")])
def test_estimates(case: str, model: str) -> None:
    theirs, ours = table(case, "estudy2__model", model), fit(case, model)
    if model == "market":
        close(ours.params, theirs[["alpha", "beta"]])
    close(np.sqrt(ours.sigma2) / freedom(ours), theirs["sd_resid_nminus1"])
    assert list(ours.nobs) == list(theirs["estimation_length"])
    close(ours.ar, by_day(table(case, "estudy2__ar", model), "ar"))


@pytest.mark.parametrize("test", list(AGREE))
@pytest.mark.parametrize(("case", "model"), ALL)
def test_daily_statistics(case: str, model: str, test: str) -> None:
    """Its pooled p-hat is ours as long as all events have as many days; so are its two rank tests
    one."""
    theirs = table(case, f"estudy2__{test}", model)
    close(daily(fit(case, model), AGREE[test]), theirs["statistic"])


@pytest.mark.parametrize("case", COMPLETE)
def test_bmp_has_no_scale(case: str) -> None:
    """The divisor M-1 cancels in BMP: equal, although the standardised returns are not."""
    close(daily(fit(case), "bmp"), table(case, "estudy2__boehmer")["statistic"])


@pytest.mark.parametrize("case", COMPLETE)
def test_patell_is_larger_by_the_degrees_of_freedom(case: str) -> None:
    """Its residual standard deviation divides by M-1, ours by M-2, as the (M-2)/(M-4) beneath it
    assumes."""
    ours = fit(case)
    close(daily(ours, "patell") * np.sqrt(249 / 248), table(case, "estudy2__patell")["statistic"])


@pytest.mark.parametrize(("case", "model"), ALL)
def test_brown_warner_1980_has_no_forecast_error(case: str, model: str) -> None:
    """AAR / (sqrt(sum s_i^2)/N), with the divisor M-1; ours is CAAR over the exact variance, or
    CDA."""
    ours = fit(case, model)
    s2 = ours.sigma2 / freedom(ours) ** 2
    theirs = table(case, "estudy2__brown_warner_1980", model)["statistic"]
    close(ours.aar / (np.sqrt(s2.sum()) / len(ours)), theirs)


@pytest.mark.parametrize(("case", "model"), ALL)
def test_wilcoxon_is_the_sum_of_ranks(case: str, model: str) -> None:
    """It reports W+, ours the standardised sum; the exact p-values are the same."""
    ours, theirs = fit(case, model), table(case, "estudy2__wilcoxon_test", model)
    n = len(ours)
    z = (theirs["statistic"] - n * (n + 1) / 4) / np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    results = [STATISTICS["wilcoxon"](ours, Window(d, d)) for d in theirs["rel_day"]]
    close([r.statistic for r in results], z)
    close([r.pvalue for r in results], theirs["p_from_distribution"])


def test_lamb_is_the_portfolio_test() -> None:
    """One date: the portfolio's abnormal return over its forecast error, with the divisor M-1.

    For windows it sums the daily statistics over sqrt(L); ours has the variance of the sum.
    """
    ours = fit(CLUSTERED)
    days = daily(ours, "portfolio") * np.sqrt(249 / 248)
    close(days, table(CLUSTERED, "estudy2__lamb")["statistic"])
    theirs = table(CLUSTERED, "estudy2__windows")
    for row in theirs[theirs["test"] == "car_lamb"].itertuples():
        window = Window.of(row.window)
        close(days[ours.columns(window)].sum() / np.sqrt(len(window)), row.statistic)
        exact = of(ours, "portfolio", window) * np.sqrt(249 / 248)
        assert len(window) == 1 or abs(exact) < abs(row.statistic)


@pytest.mark.parametrize("case", COMPLETE)
def test_windows(case: str) -> None:
    """Its Brown and Warner (1985) is our CDA; what it calls the mean CAR is the mean of the daily
    AARs."""
    ours, theirs = fit(case), table(case, "estudy2__windows")
    rows = theirs[theirs["test"] == "car_brown_warner_1985"]
    assert list(rows["window"]) == WINDOWS
    for row in rows.itertuples():
        window = Window.of(row.window)
        close(of(ours, "cda", window), row.statistic)
        close(ours.car(window).mean() / len(window), row.car_mean_as_reported)


@pytest.mark.parametrize("case", COMPLETE)
def test_rank_test_of_windows_ranks_fewer_days(case: str) -> None:
    """It ranks over the estimation days and *this* window, ours over the whole event window.

    Ranks that do not change with the window let one compare windows.
    """
    ours, theirs = fit(case), table(case, "estudy2__windows")
    for row in theirs[theirs["test"] == "car_rank_test"].itertuples():
        window = Window.of(row.window)
        for cols, expected in (
            (ours.columns(window), row.statistic), (slice(None), of(ours, "corrado", window)),
        ):  # fmt: skip
            values = np.hstack([ours.resid, ours.ar[:, cols]])
            U = (rankdata(values, axis=1) / (values.shape[1] + 1) - 0.5).mean(axis=0)
            inside = U[250:] if cols == ours.columns(window) else U[250:][ours.columns(window)]
            close(inside.sum() / np.sqrt(len(window)) / np.sqrt((U**2).mean()), expected)
