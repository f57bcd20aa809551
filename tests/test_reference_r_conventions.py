"""Where base R was told to follow another convention than ours: theirs and ours, both by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from r_cases import (
    CLUSTERED,
    COMPLETE,
    DISPERSED,
    FACTORS,
    REPEATED,
    SINGLE,
    WINDOWS,
    close,
    fit,
    of,
    same_day_correlation,
    table,
)
from scipy import stats

from eventstudy.calendars import Window
from eventstudy.dependence import WeightedSums
from eventstudy.significance import STATISTICS

INDEPENDENT = [DISPERSED, REPEATED, FACTORS]


def rows_of(case: str, text: str) -> pd.DataFrame:
    whole = table(case, "baseR__window_tests")
    return whole[whole["window"] == text].set_index("test")


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", [*COMPLETE, SINGLE])
def test_generalized_sign_takes_sums_of_as_many_days(case: str, text: str) -> None:
    """Theirs compares L-day CARs with the share of positive single days; ours with that of L-day
    sums.

    Sums of skewed returns are positive at another rate than single days.
    """
    ours, window = fit(case), Window.of(text)
    n, positive = len(ours), (ours.car(window) > 0).sum()
    sums = np.lib.stride_tricks.sliding_window_view(ours.resid, len(window), axis=1).sum(axis=2)
    z = [
        (positive - n * p) / np.sqrt(n * p * (1 - p))
        for p in ((ours.resid > 0).mean(), (sums > 0).mean())
    ]
    close(z[0], rows_of(case, text).loc["generalized_sign_z", "statistic"])
    close(z[1], of(ours, "generalized_sign", window))
    assert (len(window) == 1) == (abs(z[0] - z[1]) < 1e-9)


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", COMPLETE)
def test_hall_is_referred_to_t(case: str, text: str) -> None:
    """The statistic is theirs; they refer it to N(0,1), which rejects too often, we to t(N-1)."""
    ours, theirs = fit(case), rows_of(case, text).loc["skewness_adjusted_t_hall"]
    result = STATISTICS["hall"](ours, Window.of(text))
    close(2 * stats.norm.sf(abs(result.statistic)), theirs["p_value"])
    close(result.pvalue, 2 * stats.t.sf(abs(theirs["statistic"]), len(ours) - 1))
    assert result.pvalue > theirs["p_value"]


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", COMPLETE)
def test_johnson_has_the_biased_skewness(case: str, text: str) -> None:
    """Theirs takes the skewness N/((N-1)(N-2)) sum(z^3), ours that of Lyon, Barber and Tsai,
    sum(z^3)/N."""
    ours, theirs = fit(case), rows_of(case, text).loc["skewness_adjusted_t_johnson"]
    n, t = len(ours), rows_of(case, text).loc["cross_sectional_t", "statistic"]

    def johnson(g: float) -> float:
        return t + g * (2 * t**2 + 1) / (6 * np.sqrt(n))

    close(johnson(theirs["estimate"]), theirs["statistic"])
    close(
        of(ours, "johnson", Window.of(text)), johnson(theirs["estimate"] * (n - 1) * (n - 2) / n**2)
    )


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", COMPLETE)
def test_mean_car_over_forecast_errors(case: str, text: str) -> None:
    """CAAR / sqrt(sum Var(CAR_i)/N^2) with the exact variance; s^2 L leaves the forecast out."""
    ours, window, rows = fit(case), Window.of(text), rows_of(case, text)
    caar, n = ours.car(window).mean(), len(ours)
    forecast = caar / (np.sqrt(ours.var_car(window).sum()) / n)
    naive = caar / (np.sqrt((len(window) * ours.sigma2).sum()) / n)
    close(forecast, rows.loc["time_series_independent_forecast", "statistic"])
    close(naive, rows.loc["time_series_independent_naive", "statistic"])
    assert abs(naive) > abs(forecast)


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", COMPLETE)
def test_other_laws_for_one_statistic(case: str, text: str) -> None:
    """BMP against N(0,1), and the sign test against the binomial law: ours are t(N-1) and
    N(0,1)."""
    ours, window, rows = fit(case), Window.of(text), rows_of(case, text)
    bmp = STATISTICS["bmp"](ours, window)
    normal = [bmp.statistic, 2 * stats.norm.sf(abs(bmp.statistic))]
    close(normal, rows.loc["bmp_z_scar", ["statistic", "p_value"]])
    n, z = len(ours), of(ours, "sign", window)
    positive = round(z * np.sqrt(n) / 2 + n / 2)
    theirs = rows.loc["sign_exact_binomial"]
    assert positive == theirs["statistic"]
    close(stats.binomtest(positive, n).pvalue, theirs["p_value"])


@pytest.mark.parametrize("text", WINDOWS)
def test_correlation_of_one_date(text: str) -> None:
    """All on one date with equal histories: pairing by event day, by calendar day and ours are one
    thing."""
    ours, window, rows = fit(CLUSTERED), Window.of(text), rows_of(CLUSTERED, text)
    for pairing in ("event", "calendar"):
        for theirs, name in {"bmp_t": "bmp_kp", "patell_z": "patell_kp"}.items():
            row = rows.loc[f"kp_adjusted_{theirs}_{pairing}"]
            close(list(STATISTICS[name](ours, window)), row[["statistic", "p_value"]])
        close(
            WeightedSums(ours, window).correlation.rbar,
            rows.loc[f"kp_adjusted_bmp_t_{pairing}", "estimate"],
        )


def on_calendar(case: str, values: np.ndarray) -> np.ndarray:
    """Lay values (n, L) of the first L days on the calendar, NaN elsewhere."""
    windows = fit(case).windows
    out = np.full((len(values), len(windows.sessions)), np.nan)
    for row, own, at in zip(out, values, windows.positions, strict=True):
        row[at[: len(own)]] = own
    return out


def loadings(case: str, window: Window) -> np.ndarray:
    """Weight of every session's error in the CAR: 1 in the window, minus x*'(X'X)^-1 x_s before
    it."""
    ours = fit(case)
    out = np.zeros((len(ours), 271))
    for i in range(len(ours)):
        x = ours.x_event[i, ours.columns(window)].sum(axis=0)
        out[i, :250] = -np.linalg.pinv(ours.x_estimation[i]).T @ x
        out[i, 250:][ours.columns(window)] = 1.0
    return np.nan_to_num(on_calendar(case, out))


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", INDEPENDENT)
def test_correlation_of_several_dates(case: str, text: str) -> None:
    """Theirs averages the residual correlations, by event day or by calendar day, of all pairs
    alike.

    Ours weighs the calendar pairing by what two CARs share: events far apart are not correlated,
    however much their residuals were; event days of different dates have nothing in common at all.
    """
    ours, window, rows = fit(case), Window.of(text), rows_of(case, text)
    n, upper = len(ours), np.triu_indices(len(ours), 1)
    rho = pd.DataFrame(on_calendar(case, ours.resid).T).corr(min_periods=30).to_numpy()[upper]
    close(same_day_correlation(ours.resid), rows.loc["kp_adjusted_bmp_t_event", "estimate"])
    close(np.nanmean(rho), rows.loc["kp_adjusted_bmp_t_calendar", "estimate"])
    a = loadings(case, window)
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    overlap = (a @ a.T)[upper]
    weighed = np.where(np.isnan(rho), np.nanmean(rho[np.abs(overlap) > 1e-10]), rho) * overlap
    r = weighed.mean()
    close(WeightedSums(ours, window).correlation.rbar, r)
    bmp, patell = of(ours, "bmp", window), of(ours, "patell", window)
    for pairing in ("event", "calendar"):
        theirs = rows.loc[f"kp_adjusted_bmp_t_{pairing}"]
        q = theirs["estimate"]
        close(bmp * np.sqrt((1 - q) / (1 + (n - 1) * q)), theirs["statistic"])
        z = rows.loc[f"kp_adjusted_patell_z_{pairing}", "statistic"]
        close(patell / np.sqrt(1 + (n - 1) * q), z)
    close(of(ours, "bmp_kp", window), bmp * np.sqrt((1 - r) / (1 + (n - 1) * r)))
    close(of(ours, "patell_kp", window), patell / np.sqrt(1 + (n - 1) * r))


@pytest.mark.parametrize("case", [DISPERSED, CLUSTERED, REPEATED])
def test_clusters_of_pooled_daily_returns(case: str) -> None:
    """crseEventStudy clusters the pooled days by firm: with one event a firm this is the
    cross-sectional t.

    With several events a firm its clusters hold them all; ours are dates, and CR2 instead of CR1.
    """
    ours, own = fit(case), table(case, "crseEventStudy__clustered_t")
    for text in ("[-10,10]", "[-1,1]", "[0,1]"):
        chosen = (own["window"] == text) & (own["variable"] == "ar") & own["cluster2"].isna()
        row = own[chosen & (own["cluster1"] == "firm")].iloc[0]
        car = pd.Series(ours.car(Window.of(text))).groupby(table(case, "baseR__model")["ticker"])
        days, size = int(row["N"]), len(Window.of(text))
        deviations = car.sum() - size * car.size() * row["mean"]
        G = len(deviations)
        cr1 = G / (G - 1) * (deviations**2).sum() / days**2
        close(row["mean"] / np.sqrt(cr1), row["t_cl1"])
        close(2 * stats.t.sf(abs(row["t_cl1"]), G - 1), row["p_cl1_df_Gminus1"])
        result = STATISTICS["cross_sectional"](ours, Window.of(text))
        same = [row["t_cl1"], row["p_cl1_df_Gminus1"]]
        assert np.allclose(list(result), same, rtol=1e-9) == (case != REPEATED)


def test_erer_has_no_forecast_error() -> None:
    """erer: CAR / (s sqrt(L)) against N(0,1); ours adds the error of the forecast and takes
    t(M-2)."""
    window = Window(-10, 10)
    for case in (DISPERSED, CLUSTERED, SINGLE, REPEATED, FACTORS):
        ours, theirs, own = fit(case), table(case, "erer__abc"), table(case, "erer__reg")
        n = len(ours)
        np.testing.assert_allclose(ours.params, own[["alpha.c", "beta.c"]], rtol=0, atol=1e-11)
        se = np.sqrt(np.einsum("nkk->nk", ours.cov_params))
        np.testing.assert_allclose(se, own[["alpha.e", "beta.e"]], rtol=0, atol=1e-11)
        error = np.sqrt(len(window) * ours.sigma2)
        car = ours.car(window)
        np.testing.assert_allclose(car, theirs["estimate"][:n], rtol=0, atol=1e-11)
        np.testing.assert_allclose(error, theirs["error"][:n], rtol=0, atol=1e-11)
        p = 2 * stats.norm.sf(np.abs(car / error))
        np.testing.assert_allclose(p, theirs["p.value"][:n], rtol=0, atol=1e-9)
        mean = theirs[theirs["name"] == "GNT"].iloc[0]
        t = car.mean() / (np.sqrt((error**2).sum()) / n)
        np.testing.assert_allclose(t, mean["t.value"], rtol=1e-9)
        assert (error < np.sqrt(ours.var_car(window))).all()
