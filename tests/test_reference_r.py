"""Agreement with base R: lm(), predict(), t.test(), wilcox.test(), and sums of them
(reference/README.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_cases import (
    CLUSTERED,
    COMPLETE,
    DISPERSED,
    ENGINES,
    FACTORS,
    MISSING,
    REPEATED,
    SINGLE,
    THREE_MODELS,
    WINDOWS,
    by_day,
    close,
    events,
    fit,
    returns,
    table,
    windows_of,
)
from scipy import stats

from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS

ALL = [*THREE_MODELS, *((case, "market") for case in (MISSING, SINGLE, REPEATED, FACTORS))]
AGREE = {
    "cross_sectional_t": "cross_sectional", "patell_z_scar": "patell", "bmp_t_scar": "bmp",
    "sign_z": "sign",
    "wilcoxon_signed_rank_z": "wilcoxon", "skewness_adjusted_t_hall": "hall", "grank_t": "grank_t",
    "grank_z": "grank_z", "crude_dependence_adjusted_t": "cda", "corrado_zivney_rank_z": "corrado",
}  # fmt: skip
# p-values that we take from another law: t(N-1), and the exact distribution.
OTHER_LAW = ("hall", "wilcoxon")
# Unequal histories: test_reference_r_missing.py.
UNEQUAL = ("cda", "grank_z")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("case", "model"), ALL)
def test_estimates(case: str, model: str, engine: str) -> None:
    theirs, ours = table(case, "baseR__model", model), fit(case, model, engine)
    close(np.sqrt(ours.sigma2), theirs["sigma"])
    assert list(ours.nobs) == list(theirs["n_est"])
    assert list(ours.df_resid) == list(theirs["df"])
    names = {"market": ["alpha", "beta"], "constant_mean": ["alpha"], "market_adjusted": []}[model]
    close(ours.params, theirs[names])
    se = np.sqrt(np.einsum("nkk->nk", ours.cov_params))
    close(se, theirs[[f"se_{name}" for name in names]])
    if model == "market":
        close(ours.r2, theirs["r2"])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("case", "model"), ALL)
def test_abnormal_returns_and_their_forecast_errors(case: str, model: str, engine: str) -> None:
    theirs, ours = table(case, "baseR__ar", model), fit(case, model, engine)
    close(ours.ar, by_day(theirs, "ar"))
    close(ours.expected, np.where(np.isfinite(ours.ar), by_day(theirs, "expected"), np.nan))
    se = np.where(np.isfinite(ours.ar), by_day(theirs, "se_forecast"), np.nan)
    close(np.sqrt(ours.var_ar), se)
    close(ours.sar, by_day(theirs, "t_forecast"))
    close(2 * stats.t.sf(np.abs(ours.sar), ours.df_resid[:, None]), by_day(theirs, "p_forecast"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("case", "model"), ALL)
def test_cars_and_their_standard_errors(case: str, model: str, engine: str) -> None:
    """Where an event has all days of the window; base R also sums what is left of others."""
    ours = fit(case, model, engine)
    everyone = pd.RangeIndex(1, len(ours) + 1)
    whole = table(case, "baseR__car_by_event", model)
    for text in WINDOWS:
        window = Window.of(text)
        theirs = whole[whole["window"] == text].set_index("event_id").reindex(everyone)
        complete = theirs["n_days"] == len(window)
        assert list(ours.valid(window)) == list(complete)
        close(ours.car(window), theirs["car"].where(complete))
        close(np.sqrt(ours.var_car(window)), theirs["se_forecast"].where(complete))
        close(ours.scar(window), theirs["t_forecast"].where(complete))


def check_tests(
    ours: Any, window: Window, theirs: pd.DataFrame, without: tuple[str, ...] = ()
) -> int:
    """Compare the tests that follow one convention; return how many."""
    rows = theirs.set_index("test")
    compared = [
        (their, our) for their, our in AGREE.items() if their in rows.index and our not in without
    ]
    for their, our in compared:
        row, result = rows.loc[their], STATISTICS[our](ours, window)
        close(result.statistic, row["statistic"], f"{our} {window}")
        assert result.n_events == row["N"]
        if our not in OTHER_LAW:
            close(result.pvalue, row["p_value"], f"{our} {window}")
            assert result.distribution == row["distribution"]
    if "wilcoxon" in [our for _, our in compared]:
        close(
            STATISTICS["wilcoxon"](ours, window).pvalue,
            rows.loc["wilcoxon_signed_rank_exact", "p_value"],
        )
    return len(compared)


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize(("case", "model"), [s for s in ALL if s[0] != MISSING])
def test_windows(case: str, model: str, text: str) -> None:
    theirs = table(case, "baseR__window_tests", model)
    compared = check_tests(fit(case, model), Window.of(text), theirs[theirs["window"] == text])
    assert compared == (4 if case == SINGLE else len(AGREE))


@pytest.mark.parametrize("case", [DISPERSED, CLUSTERED, MISSING, SINGLE, REPEATED, FACTORS])
def test_days(case: str) -> None:
    """For single days the generalized sign test agrees too: no sums of residuals are needed."""
    theirs, ours = table(case, "baseR__daily_tests"), fit(case)
    without = UNEQUAL if case == MISSING else ()
    for day, rows in theirs.groupby("rel_day"):
        window = Window(int(day), int(day))
        compared = check_tests(ours, window, rows, without)
        assert compared == (4 if case == SINGLE else len(AGREE) - len(without))
        result = STATISTICS["generalized_sign"](ours, window)
        row = rows.set_index("test").loc["generalized_sign_z"]
        close(list(result), row[["statistic", "p_value"]])
    close(ours.aar, theirs[theirs["test"] == "crude_dependence_adjusted_t"]["estimate"])


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize("case", COMPLETE)
def test_sums_of_standardised_days_by_convention(case: str, text: str) -> None:
    """Patell and BMP on sum(SAR)/sqrt(L), which we compute on request only: it over-rejects as L
    grows."""
    ours, window = fit(case).under(scar="sum"), Window.of(text)
    rows = table(case, "baseR__window_tests")
    rows = rows[rows["window"] == text].set_index("test")
    for their, our in {"patell_z_sum_of_sar": "patell", "bmp_t_sum_of_sar": "bmp"}.items():
        close(list(STATISTICS[our](ours, window)), rows.loc[their, ["statistic", "p_value"]])


@pytest.mark.parametrize("text", WINDOWS)
@pytest.mark.parametrize(("case", "model"), THREE_MODELS)
def test_buy_and_hold_returns(case: str, model: str, text: str) -> None:
    """Against the model, and, with the market-adjusted model, against the market."""
    rows = table(case, "baseR__window_tests", model)
    rows = rows[rows["window"] == text].set_index("test")
    bhar, window = fit(case, model).bhar(Window.of(text)), Window.of(text)
    theirs = rows.loc["bhar_expected_cross_sectional_t"]
    close([bhar.mean(), bhar.std(ddof=1) / np.sqrt(len(bhar))], theirs[["estimate", "se"]])
    if model == "market_adjusted":
        own = table(case, "baseR__car_by_event", model)
        close(bhar, own[own["window"] == str(window)]["bhar_market"])
        close(bhar.mean(), rows.loc["bhar_market_cross_sectional_t", "estimate"])


@pytest.mark.parametrize("text", WINDOWS)
def test_one_event(text: str) -> None:
    """One firm, one event: CAR / sqrt(c'Vc) against t(M-2), as from predict(lm()); no test across
    events."""
    ours, window = fit(SINGLE), Window.of(text)
    theirs = table(SINGLE, "baseR__window_tests")
    row = theirs[
        (theirs["window"] == text) & (theirs["test"] == "single_event_car_t_forecast")
    ].iloc[0]
    result = STATISTICS["event_t"](ours, window)
    close(list(result), row[["statistic", "p_value"]])
    assert result.distribution == row["distribution"] == "t(248)"
    assert STATISTICS["cross_sectional"](ours, window).reason


def test_events_of_one_firm_stay_apart() -> None:
    """Eight firms with three events each: every event has its own fit, and the same as when it is
    alone."""
    ours, own = fit(REPEATED), events(REPEATED)
    assert own["ticker"].duplicated().sum() == 16
    theirs = table(REPEATED, "baseR__model")
    assert list(theirs["ticker"]) == list(own["ticker"])
    close(ours.params, theirs[["alpha", "beta"]])
    frame, windows = returns(REPEATED), windows_of(REPEATED)
    for i in range(len(own)):
        alone = MODELS["market"]().fit(windows.take(np.array([i])))
        np.testing.assert_array_equal(alone.ar[0], ours.ar[i])
        np.testing.assert_array_equal(
            ours.windows.returns[i, 260], frame[own["ticker"][i]].loc[own["date"][i]]
        )
