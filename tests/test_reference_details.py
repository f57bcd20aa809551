"""What the reference files hold beside test results: intermediate values, statistics that we do not
offer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import rankdata, skew
from test_reference import CLOSE, large_windows, read, windows_of

from eventstudy.calendars import Window
from eventstudy.dependence import WeightedSums
from eventstudy.dependence.loadings import loadings_on
from eventstudy.dependence.pairs import correlations
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS, DateClusters
from eventstudy.significance.ranks import all_days, day_sums, grank, scaled_ranks
from eventstudy.windows import EventWindows

LARGE, TINY = "large_example.json", "worked_example.json"
WINDOWS = {LARGE: ["[0,0]", "[1,1]", "[0,1]", "[-1,1]", "[-5,-1]", "[-5,5]"],
           TINY: ["[-1,-1]", "[0,0]", "[1,1]", "[0,1]", "[-1,1]"]}  # fmt: skip
ALL = [(name, text) for name, texts in WINDOWS.items() for text in texts]


def tiny_windows() -> EventWindows:
    """Event days -10..-3 and -1..1 of three firms; the day between is in no window."""
    tiny = read(TINY)
    returns = np.insert(
        np.hstack([tiny["estimation"]["ret"], tiny["event"]["ret"]]).T, 8, np.nan, axis=0
    )
    mkt = np.insert(np.r_[tiny["estimation"]["mkt"], tiny["event"]["mkt"]], 8, 0.5)
    frame = pd.DataFrame(
        returns, columns=tiny["firms"], index=pd.bdate_range("2024-01-01", periods=12)
    )
    day0 = [frame.index[10]] * 3
    return windows_of(frame.assign(mkt=mkt), tiny["firms"], day0, Window(-10, -3), Window(-1, 1))


@pytest.fixture(scope="module")
def fits() -> dict[str, Any]:
    model = MODELS["market"]()
    return {LARGE: model.fit(large_windows()), TINY: model.fit(tiny_windows())}


def same(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, **CLOSE)


@pytest.mark.parametrize(("name", "text"), ALL)
def test_aggregates(fits: dict[str, Any], name: str, text: str) -> None:
    """Median, count of positive CARs, mean SCAR, sums of SARs, and CAAR over independent forecast
    errors."""
    ours, window = fits[name], Window.of(text)
    ref = read(name)["windows"][text]["aggregate"]
    car, n = ours.car(window), len(ours)
    same(
        [np.median(car), (car > 0).sum(), car.mean()],
        [ref["median_CAR"], ref["n_pos"], ref["CAAR"]],
    )
    same(ours.scar(window).mean(), ref["ASCAR"])
    same(ours.sar[:, ours.columns(window)].sum(axis=1), ref["CSAR_sum"])
    same(ours.under(scar="sum").scar(window) * np.sqrt(len(window)), ref["CSAR_sum"])
    variance = ours.var_car(window).sum() / n**2
    same(variance, ref["var_CAAR_MacKinlay"])
    J1 = car.mean() / np.sqrt(variance)
    same([J1, 2 * stats.norm.sf(abs(J1))], [ref["mackinlay_J1"]["stat"], ref["mackinlay_J1"]["p"]])


@pytest.mark.parametrize(("name", "text"), ALL)
def test_scales_of_the_tests(fits: dict[str, Any], name: str, text: str) -> None:
    """The denominators and rank sums that the statistics are made of."""
    ours, window = fits[name], Window.of(text)
    ref = read(name)["windows"][text]["tests"]
    car, n = ours.car(window), len(ours)
    same(ours.resid.mean(axis=0).std(ddof=1), ref["cda_t"]["s_aar"])
    g = day_sums(scaled_ranks(all_days(ours)), 0.0)
    same(np.sqrt((g**2).mean()), ref["corrado"]["S_U"])
    median = np.median(np.hstack([ours.resid, ours.ar]), axis=1, keepdims=True)
    signs = np.sign(np.round(np.hstack([ours.resid, ours.ar]) - median, 12))
    same(np.sqrt((signs.sum(axis=0) ** 2).mean() / n), ref["corrado_zivney_sign"]["S_G"])
    ubar = grank(ours, window).days.total / len(ours)
    S = np.sqrt((ubar**2).mean())
    same([ubar[-1], S, ubar[-1] / S], [ref["grank_t"][key] for key in ("ubar0", "S", "Z")])
    same(ubar[-1], ref["grank_z"]["ubar0"])
    positive = (car > 0).sum()
    assert positive == ref["sign"]["npos"]
    z = STATISTICS["generalized_sign"](ours, window).statistic
    p = ref["generalized_sign"]["p_hat"]
    same((positive - n * p) / np.sqrt(n * p * (1 - p)), z)
    assert rankdata(np.abs(car))[car > 0].sum() == ref["wilcoxon"]["W_plus"]
    same(skew(car, bias=False), ref["hall"]["gamma"])
    same(((car - car.mean()) ** 3).sum() / (n * car.std(ddof=1) ** 3), ref["johnson"]["gamma"])


@pytest.mark.parametrize("text", WINDOWS[LARGE])
def test_pairs_that_share_days(fits: dict[str, Any], text: str) -> None:
    """How many pairs have CARs that share errors *and* 30 estimation days; others take the mean of
    these.

    Their `rbar_same_date_only` is the mean over pairs whose *windows* share sessions: more than the
    pairs of one date where dates are closer than the window is long. Our r0 is that of one date.
    """
    ours, window = fits[LARGE], Window.of(text)
    ref, upper = read(LARGE)["windows"][text], np.triu_indices(40, 1)
    loadings = loadings_on(ours, window, np.unique(ours.windows.positions))
    shared = np.abs(loadings @ loadings.T)[upper] > 1e-12
    known = np.isfinite(correlations(ours, 30)[upper])
    assert (shared & known).sum() == ref["pairs_overlapping"] == 705
    assert WeightedSums(ours, window).correlation.filled == (shared & ~known).sum() == 75
    one_date = np.equal.outer(ours.windows.day0, ours.windows.day0)[upper]
    assert one_date.sum() == 80
    rho = correlations(ours, 30)[upper]
    covered = ours.windows.positions[:, 120:][:, ours.columns(window)]
    common = np.array([[np.isin(a, b).any() for b in covered] for a in covered])[upper]
    assert common.sum() == (130 if text == "[-5,5]" else 80)
    same(np.nanmean(rho[common]), ref["rbar_same_date_only"])
    same(WeightedSums(ours, window).correlation.same_date, rho[one_date].sum() / 780)


@pytest.mark.parametrize("text", WINDOWS[LARGE])
def test_sign_flips_of_single_events(fits: dict[str, Any], text: str) -> None:
    """Each event a cluster of its own: the studentised flips of a plain mean, with their seeded
    draws.

    Ours flip whole dates; with single events the CR2 variance is the usual one.
    """
    ref = read(LARGE)["windows"][text]["wild_iid"]
    car = fits[LARGE].car(Window.of(text))
    signs = np.random.default_rng(ref["seed"]).choice([-1.0, 1.0], size=(ref["draws"], 40))
    stars = DateClusters(np.arange(40)).flipped_t(car, signs)
    t = stats.ttest_1samp(car, 0.0).statistic
    same(t, ref["stat"])
    same((1 + (np.abs(stars) >= abs(t) - 1e-9).sum()) / (1 + ref["draws"]), ref["p"])


@pytest.mark.parametrize(("name", "text"), ALL)
def test_placebo_sums_in_sample(fits: dict[str, Any], name: str, text: str) -> None:
    """Sums of the mean residuals themselves: smaller than forecast errors, so that this rejects too
    often.

    Ours leaves the days of each placebo window out of the estimation.
    """
    ours, window = fits[name], Window.of(text)
    ref = read(name)["windows"][text]["tests"]["placebo_in_sample"]
    sums = np.lib.stride_tricks.sliding_window_view(ours.resid.mean(axis=0), len(window)).sum(
        axis=1
    )
    caar = ours.car(window).mean()
    assert len(sums) == ref["n"]
    same(
        [caar, (1 + (np.abs(sums) >= abs(caar) - 1e-15).sum()) / (1 + len(sums))],
        [ref["stat"], ref["p"]],
    )


@pytest.mark.parametrize("text", WINDOWS[TINY])
def test_naive_t_of_single_events(fits: dict[str, Any], text: str) -> None:
    """CAR / (s sqrt(L)) leaves the forecast error out; the statistic of ours is smaller."""
    ours, window = fits[TINY], Window.of(text)
    for i, ref in enumerate(read(TINY)["windows"][text]["single_event"]):
        check_naive(ours, window, i, ref)


def test_naive_t_of_a_large_single_event(fits: dict[str, Any]) -> None:
    check_naive(fits[LARGE], Window(0, 1), 0, read(LARGE)["single_event_F00_[0,1]"])


def check_naive(ours: Any, window: Window, i: int, ref: dict[str, Any]) -> None:
    naive = ours.car(window)[i] / np.sqrt(len(window) * ours.sigma2[i])
    same(
        [naive, 2 * stats.t.sf(abs(naive), ours.df_resid[i])],
        [ref["naive"]["stat"], ref["naive"]["p"]],
    )
    same([ours.car(window)[i], np.sqrt(ours.var_car(window)[i])], [ref["car"], ref["se"]])
    assert abs(ours.scar(window)[i]) < abs(naive)


def test_tiny_intermediates(fits: dict[str, Any]) -> None:
    ours, ref = fits[TINY], read(TINY)
    same(ours.r2, [m["r2"] for m in ref["model"]])
    same(np.sqrt(ours.sigma2), [m["s"] for m in ref["model"]])
    same(ours.resid.mean(axis=0), ref["estimation_AAR"])
    days = np.hstack([ours.resid, ours.ar])
    same(np.median(days, axis=1), ref["ranks"]["medians"])
    same(
        np.sign(np.round(days - np.median(days, axis=1, keepdims=True), 12)), ref["ranks"]["signs"]
    )
    for text in ("[0,0]", "[-1,1]"):
        own = ref["ranks"][f"grank{text}"]
        sd = ours.scar(Window.of(text)).std(ddof=1)
        same(sd, own["sd_scar"])
        values = np.column_stack(
            [ours.resid / np.sqrt(ours.sigma2)[:, None], ours.scar(Window.of(text)) / sd]
        )
        same((scaled_ranks(values) + 0.5) * 10, own["rank"])
        same(grank(ours, Window.of(text)).days.total, scaled_ranks(values).sum(axis=0))


def test_tiny_models_by_other_conventions() -> None:
    """Market-adjusted: the uncentred variance has M degrees of freedom and trusts the model's zero
    mean.

    Ours is centred, with M-1: a mean that is not zero is no variance.
    """
    ref = read(TINY)["alternative_models"]
    ours = MODELS["market_adjusted"]().fit(tiny_windows())
    M, s2 = 8, (ours.resid**2).mean(axis=1)
    same(s2, ref["market_adjusted"]["s2_uncentred"])
    assert ref["market_adjusted"]["df_uncentred"] == M
    same(ours.car(Window(-1, 1)) / np.sqrt(3 * s2), ref["market_adjusted"]["t_uncentred"])
    same(ours.sigma2, (s2 - ours.resid.mean(axis=1) ** 2) * M / (M - 1))
    mean = MODELS["constant_mean"]().fit(tiny_windows())
    same(mean.scar(Window(-1, 1)), ref["constant_mean"]["SCAR"])
    assert set(mean.df_resid) == {ref["constant_mean"]["df"]}


def test_wald_chi2_of_the_multivariate_regression(fits: dict[str, Any]) -> None:
    """T2 against chi2(N) rejects up to 74% of true hypotheses; ours is the exact F of the same
    T2."""
    for text in WINDOWS[TINY]:
        ref = read(TINY)["windows"][text]["mvrm"]
        check_t2(STATISTICS["mvrm"](fits[TINY], Window.of(text)).statistic, ref, n=3, nu=6)
        same(ref["gamma"], fits[TINY].car(Window.of(text)))
        same(ref["d"] * fits[TINY].sigma2, fits[TINY].var_car(Window.of(text)))
    first = fits[LARGE].take(np.arange(5))
    for text, ref in read(LARGE)["mvrm_first_date"].items():
        check_t2(STATISTICS["mvrm"](first, Window.of(text)).statistic, ref, n=5, nu=118)


def check_t2(F: float, ref: dict[str, Any], n: int, nu: int) -> None:
    T2 = F * n * nu / (nu - n + 1)
    wald = ref["wald_chi2"]
    same([T2, T2, stats.chi2.sf(T2, n)], [ref["hotelling_T2"], wald["stat"], wald["p"]])
    assert wald["p"] < ref["F"]["p"]
