"""Missing returns, thin trading, short histories, a delisting: base R, EventStudy, estudy2 against
ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_cases import HERE, MISSING, WINDOWS, by_day, close, daily, fit, of, read, t_of, table
from scipy.stats import rankdata

from eventstudy.calendars import Window
from eventstudy.significance import STATISTICS

DAYS = range(-10, 11)


def of_day(sample: Any, day: int) -> np.ndarray:
    return sample.ar[:, day + 10]


@pytest.mark.parametrize("text", WINDOWS)
def test_an_event_without_all_days_leaves_the_window(text: str) -> None:
    """Base R sums the days that there are, and keeps every event with one of them: a shorter CAR
    for some.

    Ours leaves such events out of this window, and of no other.
    """
    ours, window = fit(MISSING), Window.of(text)
    days = ours.ar[:, ours.columns(window)]
    some, every = np.isfinite(days).any(axis=1), np.isfinite(days).all(axis=1)
    theirs = table(MISSING, "baseR__window_tests")
    row = theirs[(theirs["window"] == text) & (theirs["test"] == "cross_sectional_t")].iloc[0]
    assert row["N"] == some.sum()
    close(t_of(np.nansum(days, axis=1)[some]), row["statistic"])
    result = STATISTICS["cross_sectional"](ours, window)
    assert result.n_events == every.sum()
    close(t_of(days.sum(axis=1)[every]), result.statistic)


def test_days_with_fewer_events_have_another_variance() -> None:
    """Base R's CDA divides by the sd of AARs of unequal N_t; ours scales each day by sqrt(N_t)
    first."""
    theirs = table(MISSING, "baseR__daily_tests")
    rows = theirs[theirs["test"] == "crude_dependence_adjusted_t"].set_index("rel_day")["statistic"]
    for day in DAYS:
        window = Window(day, day)
        sample = fit(MISSING).sample(window)
        aar = of_day(sample, day).mean()
        close(aar / np.nanmean(sample.resid, axis=0).std(ddof=1), rows[day])
        count = np.isfinite(sample.resid).sum(axis=0)
        scaled = np.nansum(sample.resid, axis=0) / np.sqrt(count)
        close(aar * np.sqrt(len(sample)) / scaled.std(ddof=1), of(fit(MISSING), "cda", window))


def test_ranks_of_unequal_histories() -> None:
    """Base R's GRANK-Z has one T for all events; ours the T_i of each, whose ranks have that
    variance."""
    theirs = table(MISSING, "baseR__daily_tests")
    rows = theirs[theirs["test"] == "grank_z"].set_index("rel_day")["statistic"]
    for day in DAYS:
        window = Window(day, day)
        sample = fit(MISSING).sample(window)
        scar = of_day(sample, day) / np.sqrt(sample.var_ar[:, day + 10])
        values = np.column_stack(
            [sample.resid / np.sqrt(sample.sigma2)[:, None], scar / scar.std(ddof=1)]
        )
        T = np.isfinite(values).sum(axis=1)
        U = np.array([rankdata(v[np.isfinite(v)])[-1] for v in values]) / (T + 1) - 0.5
        close(U.mean() * np.sqrt(12 * len(sample) * 252 / 250), rows[day])
        close(
            U.sum() / np.sqrt(((T - 1) / (12 * (T + 1))).sum()), of(fit(MISSING), "grank_z", window)
        )


def market() -> tuple[np.ndarray, np.ndarray]:
    """Return the market on all days (n, 271), and on estimation days since the firm was listed (n,
    250)."""
    positions = fit(MISSING).windows.positions
    values = read(HERE / MISSING / "inputs" / "market.csv")["return"].to_numpy()[positions]
    rows = table(MISSING, "EventStudy__model")["n_est_rows"].to_numpy()
    listed = np.arange(250)[None, :] >= 250 - rows[:, None]
    return values, np.where(listed, values[:, :250], np.nan)


def forecast_error(days: np.ndarray, M: np.ndarray) -> np.ndarray:
    """Return s sqrt(1 + 1/M + (R_m - mean)^2 / S_mm) with the market's mean and S_mm over `days`
    (n, 250)."""
    ours, (values, _) = fit(MISSING), market()
    mean = np.nanmean(days, axis=1, keepdims=True)
    spread = np.nansum((days - mean) ** 2, axis=1, keepdims=True)
    leverage = 1 / M[:, None] + (values[:, 250:] - mean) ** 2 / spread
    error: np.ndarray = np.sqrt(ours.sigma2[:, None] * (1 + leverage))
    return error


def test_the_market_of_days_that_were_not_used() -> None:
    """EventStudy takes the market's mean and S_mm over all its rows, ours over the M complete days.

    Only these are in X'X, whose inverse gives the forecast error.
    """
    ours, (values, listed) = fit(MISSING), market()
    theirs = by_day(table(MISSING, "EventStudy__ar"), "fec_sigma")
    known = np.isfinite(theirs)
    close(forecast_error(listed, ours.nobs)[known], theirs[known])
    used = np.where(np.isfinite(ours.resid), values[:, :250], np.nan)
    seen = np.isfinite(ours.ar)
    close(forecast_error(used, ours.nobs)[seen], np.sqrt(ours.var_ar)[seen])


def test_patell_counts_events_that_are_not_there() -> None:
    """EventStudy's variance runs over all events, also those without the day, and counts rows for
    M."""
    ours, rows = fit(MISSING), table(MISSING, "EventStudy__model")["n_est_rows"]
    sar = ours.ar / by_day(table(MISSING, "EventStudy__ar"), "fec_sigma")
    Q = (rows - 2) / (rows - 4)
    close(
        np.nansum(sar, axis=0) / np.sqrt(Q.sum()), table(MISSING, "EventStudy__patell_z")["aar_z"]
    )
    nu = ours.df_resid[:, None]
    present = np.where(np.isfinite(ours.ar), nu / (nu - 2), 0.0).sum(axis=0)
    close(np.nansum(ours.sar, axis=0) / np.sqrt(present), daily(ours, "patell"))


def test_mean_car_of_eventstudy_mixes_events() -> None:
    """It sums the AARs of changing sets of events; ours is the mean CAR of one set. Its t has 0 for
    NA."""
    ours, theirs = fit(MISSING), table(MISSING, "EventStudy__windows")
    for row in theirs[theirs["test"] == "csect_t"].itertuples():
        window = Window.of(row.window)
        days = ours.ar[:, ours.columns(window)]
        close(np.nanmean(days, axis=0).sum(), row.caar)
        same = np.isclose(row.caar, np.nanmean(ours.car(window)), rtol=1e-6)
        assert same == (len(window) == 1)
        if row.n_events == len(ours):
            zero = np.nansum(days, axis=1)
            close(row.caar * np.sqrt(row.n_valid_last_day) / zero.std(ddof=1), row.statistic)


def test_days_on_which_programs_agree() -> None:
    """Across the events of a day there is one t-test and one sign test; estudy2's where none is
    missing."""
    ours, there = fit(MISSING), np.isfinite(fit(MISSING).ar).all(axis=0)
    assert there.sum() == 5
    close(daily(ours, "sign")[there], table(MISSING, "estudy2__sign_test")["statistic"][there])
    close(daily(ours, "cross_sectional"), table(MISSING, "estudy2__t_test")["statistic"])
    close(daily(ours, "cross_sectional"), table(MISSING, "EventStudy__csect_t")["aar_t"])
    close(daily(ours, "sign"), table(MISSING, "EventStudy__sign")["sign_z"])


def test_generalized_sign_of_the_events_that_are_there() -> None:
    """EventStudy's p-hat is the mean over all events, estudy2's the share of all firm-days, N_all
    in its sum.

    Ours is the mean over the events of the day.
    """
    ours, N = fit(MISSING), len(fit(MISSING))
    count, positive = np.isfinite(ours.ar).sum(axis=0), (ours.ar > 0).sum(axis=0)
    days = np.isfinite(ours.resid).sum(axis=1)
    share = (ours.resid > 0).sum(axis=1) / days

    def z(number: np.ndarray, p: Any) -> np.ndarray:
        return (number - count * p) / np.sqrt(count * p * (1 - p))

    close(z(positive, share.mean()), table(MISSING, "EventStudy__gsign")["gsign_z"])
    pooled = (ours.resid > 0).sum() / days.sum()
    close(
        z(positive * N / count, pooled),
        table(MISSING, "estudy2__generalized_sign_test")["statistic"],
    )
    own = np.array([share[np.isfinite(day)].mean() for day in ours.ar.T])
    close(z(positive, own), daily(ours, "generalized_sign"))


def test_estudy2_multiplies_the_mean_by_all_events() -> None:
    """For a sum over the events of a day it takes the mean times *all* N: larger by N/N_t, with N_t
    beneath.

    Ours is the sum over the events that are there.
    """
    ours, N = fit(MISSING), len(fit(MISSING))
    count = np.isfinite(ours.ar).sum(axis=0)
    positive = (ours.ar > 0).sum(axis=0)
    sign = table(MISSING, "estudy2__sign_test")["statistic"]
    close((positive * N / count - count / 2) / (np.sqrt(count) / 2), sign)
    close((positive - count / 2) / (np.sqrt(count) / 2), daily(ours, "sign"))
    sums = [rankdata(np.abs(x[np.isfinite(x)]))[x[np.isfinite(x)] > 0].sum() for x in ours.ar.T]
    close(np.array(sums) * N / count, table(MISSING, "estudy2__wilcoxon_test")["statistic"])
    z = (np.array(sums) - count * (count + 1) / 4) / np.sqrt(
        count * (count + 1) * (2 * count + 1) / 24
    )
    close(z, daily(ours, "wilcoxon"))


def test_estudy2_parametric_statistics() -> None:
    """Its Patell has all three: the divisor M-1, the market of all rows, the mean times all N."""
    ours, N = fit(MISSING), len(fit(MISSING))
    M = ours.nobs
    values, _ = market()
    sar = ours.ar / (forecast_error(values[:, :250], M) * np.sqrt((M - 2) / (M - 1))[:, None])
    patell = np.nanmean(sar, axis=0) * N / np.sqrt(((M - 2) / (M - 4)).sum())
    close(patell, table(MISSING, "estudy2__patell")["statistic"])
    count = np.isfinite(sar).sum(axis=0)
    bmp = np.nanmean(sar, axis=0) / (np.nanstd(sar, axis=0, ddof=1) / np.sqrt(count))
    close(bmp, table(MISSING, "estudy2__boehmer")["statistic"])
    aar = pd.DataFrame(ours.resid).mean()
    close(ours.aar / aar.std(), table(MISSING, "estudy2__brown_warner_1985")["statistic"])
    s2 = ours.sigma2 * (M - 2) / (M - 1)
    close(
        ours.aar / (np.sqrt(s2.sum()) / N),
        table(MISSING, "estudy2__brown_warner_1980")["statistic"],
    )
