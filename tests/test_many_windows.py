"""Mean correlations over many windows at once are those of one window at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import Market

from eventstudy.calendars.window import Window
from eventstudy.significance._correlation import by_pair, least_common, mean_correlation
from eventstudy.significance._many_windows import FEWEST_WINDOWS, prepare_correlations

WINDOWS = [*(Window(t, t) for t in range(-5, 6)), *(Window(-5, t) for t in range(-4, 6))]


def fitted(n: int = 24, **market: Any) -> Any:
    return Market(n, seed=5, rho=0.3, **market).fit().abnormal


def with_short_histories(abnormal: Any) -> Any:
    """Events of the first firms use fewer estimation days, so that one lies within another."""
    resid = abnormal.resid.copy()
    for i in range(0, len(resid), 3):
        resid[i, : 40 + 15 * (i % 4)] = np.nan
    resid[1, 5:] = np.nan
    return replace(abnormal, resid=resid, memo={})


@pytest.mark.parametrize("dates", [1, 4, 24])
@pytest.mark.parametrize("short", [False, True])
def test_the_numbers_are_those_of_each_window_by_itself(dates: int, short: bool) -> None:
    sample = fitted(dates=dates)
    sample = with_short_histories(sample) if short else sample
    prepare_correlations((sample, window) for window in WINDOWS)
    need = least_common(sample)
    for window in WINDOWS:
        assert ("mean_correlation", window, need) in sample.memo
        together, apart = mean_correlation(sample, window), by_pair(sample, window, need)
        assert together.rbar == pytest.approx(apart.rbar, rel=1e-11)
        assert together.same_date == apart.same_date
        assert bool(together.filled) == bool(apart.filled)


def test_pairs_in_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventstudy.significance._pairs.BLOCK", 5)
    sample = with_short_histories(fitted(dates=9))
    prepare_correlations((sample, window) for window in WINDOWS)
    for window in WINDOWS:
        apart = by_pair(sample, window, least_common(sample))
        assert mean_correlation(sample, window).rbar == pytest.approx(apart.rbar, rel=1e-11)


def test_what_another_way_suits_better_is_left_to_it() -> None:
    few = fitted()
    prepare_correlations((few, window) for window in WINDOWS[: FEWEST_WINDOWS - 1])
    shared = fitted().under(overlap="share")
    prepare_correlations((shared, window) for window in WINDOWS)
    for sample in (few, shared):
        assert not [key for key in sample.memo if "mean_correlation" in key]
