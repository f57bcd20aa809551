"""Against the R package EventStudy 0.50.0, and the formulas of 0.66.0."""

from __future__ import annotations

import numpy as np
import pytest
from r_cases import (
    CLUSTERED,
    COMPLETE,
    DISPERSED,
    FACTORS,
    REPEATED,
    SINGLE,
    THREE_MODELS,
    by_day,
    close,
    daily,
    events,
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

ALL = [*THREE_MODELS, *((case, "market") for case in (SINGLE, REPEATED, FACTORS))]
DAILY = {"csect_t": ("aar_t", "cross_sectional"), "patell_z": ("aar_z", "patell"), "sign": ("sign_z", "sign"),
         "gsign": ("gsign_z", "generalized_sign")}  # fmt: skip
WINDOW_AGREE = {"csect_t": "cross_sectional", "sign": "sign"}
# A model without parameters gets the forecast error of a mean from it.
EXTRA = np.sqrt(1 + 1 / 250)


@pytest.mark.parametrize(("case", "model"), ALL)
def test_estimates(case: str, model: str) -> None:
    theirs, ours = table(case, "EventStudy__model", model), fit(case, model)
    close(np.sqrt(ours.sigma2), theirs["sigma"])
    assert list(ours.df_resid) == list(theirs["df"])
    if model == "market":
        close(ours.params, theirs[["alpha", "beta"]])
        close(ours.r2, theirs["r2"])
        t = ours.params / np.sqrt(np.einsum("nkk->nk", ours.cov_params))
        close(2 * stats.t.sf(np.abs(t), ours.df_resid[:, None]), theirs[["p_alpha", "p_beta"]])


@pytest.mark.parametrize(("case", "model"), ALL)
def test_abnormal_returns(case: str, model: str) -> None:
    """The forecast errors agree but for the market-adjusted model, to which it adds 1/M for no
    estimate.

    Its daily t has no forecast error at all: AR/s.
    """
    theirs, ours = table(case, "EventStudy__ar", model), fit(case, model)
    close(ours.ar, by_day(theirs, "ar"))
    extra = EXTRA if model == "market_adjusted" else 1.0
    close(np.sqrt(ours.var_ar) * extra, by_day(theirs, "fec_sigma"))
    t = ours.ar / np.sqrt(ours.sigma2)[:, None]
    close(t, by_day(theirs, "t"))
    close(2 * stats.t.sf(np.abs(t), ours.df_resid[:, None]), by_day(theirs, "p"))


def test_cars_have_no_forecast_error() -> None:
    """CAR / (s sqrt(L)) from the first day on; the variance of ours is larger, the more so the
    longer L."""
    theirs, ours = table(DISPERSED, "EventStudy__car"), fit(DISPERSED)
    s = np.sqrt(ours.sigma2)
    for text, rows in theirs.groupby("window"):
        window = Window.of(text)
        close(ours.car(window), rows["car"])
        close(s * np.sqrt(len(window)), rows["se"])
        assert (np.sqrt(ours.var_car(window)) > rows["se"]).all()


@pytest.mark.parametrize(
    ("case", "model", "test"),
    [
        *((case, "market", test) for case in COMPLETE for test in DAILY),
        *((SINGLE, "market", test) for test in DAILY if test != "csect_t"),
        *((case, model, "patell_z") for case, model in THREE_MODELS if model != "market"),
    ],
)
def test_daily_statistics(case: str, model: str, test: str) -> None:
    column, name = DAILY[test]
    extra = EXTRA if (model, test) == ("market_adjusted", "patell_z") else 1.0
    close(daily(fit(case, model), name) / extra, table(case, f"EventStudy__{test}", model)[column])


@pytest.mark.parametrize(("case", "model"), [s for s in ALL if s[0] != SINGLE])
def test_windows(case: str, model: str) -> None:
    """The cross-sectional t and the sign test agree; its Patell is our Patell by `scar="sum"`.

    Its generalized sign test compares CARs with the share of positive *days*.
    """
    ours, theirs = fit(case, model), table(case, "EventStudy__windows", model)
    n, p = len(ours), (ours.resid > 0).mean()
    extra = EXTRA if model == "market_adjusted" else 1.0
    tests = theirs["test"].unique()
    assert {"csect_t", "patell_z", "sign", "gsign"} <= set(tests)
    for row in theirs.itertuples():
        window = Window.of(row.window)
        car = ours.car(window)
        if row.test in WINDOW_AGREE:
            close(list(STATISTICS[WINDOW_AGREE[row.test]](ours, window)), [row.statistic, row.p])
            close(car.mean(), row.caar)
        if row.test == "patell_z":
            close(of(ours.under(scar="sum"), "patell", window) / extra, row.statistic)
        if row.test == "gsign":
            close(((car > 0).sum() - n * p) / np.sqrt(n * p * (1 - p)), row.statistic)


@pytest.mark.parametrize(("case", "model"), [s for s in ALL if s[0] != SINGLE])
def test_bmp_is_standardised_by_the_plain_s(case: str, model: str) -> None:
    """It divides by s, ours by the forecast error: not what Boehmer, Musumeci and Poulsen (1991)
    define.

    Its KP factor pairs residuals by event day. On one date with equal histories all of it cancels
    out, but only for single days.
    """
    ours, n = fit(case, model), len(fit(case, model))
    plain = ours.ar / np.sqrt(ours.sigma2)[:, None]
    theirs = table(case, "EventStudy__bmp", model)
    close(t_of(plain), theirs["bmp_t"])
    close(t_of(np.cumsum(plain, axis=1)), theirs["cbmp_t"])
    r = same_day_correlation(ours.resid)
    factor = np.sqrt((1 - r) / (1 + (n - 1) * r))
    windows = table(case, "EventStudy__windows", model)
    for row in windows[windows["test"].isin(["bmp", "kp"])].itertuples():
        summed = plain[:, ours.columns(Window.of(row.window))].sum(axis=1)
        close(t_of(summed) * (factor if row.test == "kp" else 1), row.statistic)
    same = np.allclose(daily(ours, "bmp"), theirs["bmp_t"], rtol=1e-9)
    assert same == (case == CLUSTERED or model != "market")
    if model == "market":
        close(t_of(plain) * factor, table(case, "EventStudy__kp")["kp_t"])


def centred_ranks(values: np.ndarray) -> np.ndarray:
    return rankdata(values, axis=1) / (values.shape[1] + 1) - 0.5


@pytest.mark.parametrize("case", [*COMPLETE, SINGLE])
def test_rank_test_has_one_value_for_all_days(case: str) -> None:
    """Its RankTest repeats the statistic of the first day on every day (a fault, mended in 0.66.0).

    It ranks within the *firm*: a firm's events are mixed up, and agree with nothing once a firm
    repeats. Then it divides by the standard deviation about the mean; ours is about zero, as
    Corrado (1989).
    """
    ours, theirs = fit(case), table(case, "EventStudy__rank")
    values = np.hstack([ours.resid, ours.ar])
    by_firm = np.empty_like(values)
    for rows in events(case).groupby("ticker").indices.values():
        by_firm[rows] = centred_ranks(values[rows].reshape(1, -1)).reshape(len(rows), -1)
    mean = by_firm.mean(axis=0)
    first = mean[250] / mean.std(ddof=1)
    assert len(theirs) == 21
    close(theirs["rank_z"], np.full(21, first))
    mean = centred_ranks(values).mean(axis=0)
    assert np.isclose(mean[250] / mean.std(ddof=1), first, rtol=1e-9) == (case != REPEATED)
    close(daily(ours, "corrado"), mean[250:] / np.sqrt((mean**2).mean()))


@pytest.mark.parametrize("case", [*COMPLETE, SINGLE])
def test_calendar_time_has_one_value_for_all_days(case: str) -> None:
    """Its CalendarTimePortfolioTest repeats AAR/sd(AAR of the event days) of the first day on every
    day.

    It is in event time: no portfolio of a calendar day. Ours is.
    """
    ours, theirs = fit(case), table(case, "EventStudy__caltime")
    close(theirs["caltime_t"], np.full(21, ours.aar[0] / ours.aar.std(ddof=1)))


def test_calendar_time_of_one_event_a_date() -> None:
    """Ours on 30 different dates: the cross-sectional t, but for the error of the parameters."""
    ours = fit(DISPERSED)
    sessions = np.sort(ours.windows.day0)
    assert len(np.unique(sessions)) == 30
    run = 30 / (1 + (np.diff(sessions) > 1).sum())
    close(of(ours, "calendar_time", Window(0, 0)), t_of(ours.ar[:, 10]) / np.sqrt(1 + run / 250))


@pytest.mark.parametrize("case", COMPLETE)
def test_rank_and_calendar_time_as_mended(case: str) -> None:
    """0.66.0: the ranks about their mean, by event; and what it calls calendar time is the CDA
    t."""
    ours, theirs = fit(case), table(case, "EventStudy066_formulas__rank_caltime")
    mean = centred_ranks(np.hstack([ours.resid, ours.ar])).mean(axis=0)
    close(mean[250:] / mean.std(ddof=1), theirs["rank_z"])
    close(daily(ours, "corrado") * np.sqrt((mean**2).mean()) / mean.std(ddof=1), theirs["rank_z"])
    close(daily(ours, "cda"), theirs["caltime_t"])
    cumulated = [of(ours, "cda", Window(-10, int(d))) for d in theirs["rel_day"]]
    close(cumulated, theirs["ccaltime_t"])
    close(2 * stats.t.sf(np.abs(daily(ours, "cda")), 249), theirs["p_caltime"])
    assert set(theirs["caltime_df"]) == {249}


def test_buy_and_hold_to_date() -> None:
    """Its BHAR model holds, on each day, the buy-and-hold return since the first day less the
    market's."""
    ours = fit(DISPERSED, "market_adjusted")
    theirs = by_day(table(DISPERSED, "EventStudy__bharmodel_ar"), "ar")
    held = [ours.bhar(Window(-10, int(d))) for d in ours.event.days]
    close(np.transpose(held), theirs)
