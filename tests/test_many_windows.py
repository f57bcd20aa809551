"""Mean correlations over many windows at once are those of one window at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from conftest import Market

from eventstudy.calendars import Window
from eventstudy.dependence import Limits, WeightedSums
from eventstudy.dependence.loadings import LoadingSums, loadings_on
from eventstudy.dependence.pair_sums import by_pair
from eventstudy.dependence.pairs import least_common
from eventstudy.dependence.session_sums import Sums
from eventstudy.significance.ranks import Totals, ranks

WINDOWS = [*(Window(t, t) for t in range(-5, 6)), *(Window(-5, t) for t in range(-4, 6))]


def fitted(n: int = 24, *, short: bool = False, **market: Any) -> Any:
    """Return abnormal returns, some firms with returns only from 100, 80 or 60 days before."""
    made = Market(n, seed=5, rho=0.3, **market)
    frame = made.frame.copy()
    for i in range(0, n, 2 if short else n):
        day0 = [f"{day:%Y-%m-%d}" for day in frame.index].index(made.table["announced_at"].iloc[i])
        frame.loc[frame.index[: day0 - 100 + 10 * (i % 6)], f"F{i:02d}"] = np.nan
    return made.fit(frame).abnormal


def prepare(sample: Any, windows: Sequence[Window] = WINDOWS) -> None:
    WeightedSums.prepare(sample, windows, main=Window(0, 1))


@pytest.mark.parametrize("dates", [1, 4, 24])
@pytest.mark.parametrize("short", [False, True])
def test_the_numbers_are_those_of_each_window_by_itself(
    dates: int, short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "COMMON", 85)
    sample = fitted(short=short, dates=dates)
    prepare(sample)
    need = least_common(sample)
    for window in WINDOWS:
        assert ("mean_correlation", window, need, sample.conventions) in sample.facts
        together, apart = WeightedSums(sample, window).correlation, by_pair(sample, window)
        assert together.rbar == pytest.approx(apart.rbar, rel=1e-11)
        assert together.same_date == apart.same_date
        assert bool(together.filled) == bool(apart.filled)


def test_pairs_in_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limits, "BLOCK", 5)
    sample = fitted(short=True, dates=9)
    prepare(sample)
    for window in WINDOWS:
        apart = by_pair(sample, window)
        assert WeightedSums(sample, window).correlation.rbar == pytest.approx(apart.rbar, rel=1e-11)


def test_many_events_are_added_up_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events without an estimate, and without a day of a window, leave no trace."""
    made = Market(12, seed=5, dates=5)
    frame = made.frame.copy()
    days = [f"{day:%Y-%m-%d}" for day in frame.index]
    day0 = [days.index(day) for day in made.table["announced_at"]]
    frame.loc[frame.index[: day0[0] - 5], "F00"] = np.nan
    frame.loc[frame.index[day0[1] + 2], "F01"] = np.nan
    sample = made.fit(frame).abnormal
    assert not np.isfinite(sample.sigma2).all()
    monkeypatch.setattr(Limits, "PAIRWISE", 5)
    prepare(sample)
    for window in WINDOWS:
        chosen = sample.sample(window)
        together = chosen.facts["loading_sums", window, chosen.conventions]
        apart = LoadingSums.of(chosen.as_study(), window)
        loading = loadings_on(chosen, window)
        unit = loading / np.sqrt((loading**2).sum(axis=1, keepdims=True))
        assert np.abs(together.all).sum() == pytest.approx(np.abs(unit.sum(axis=0)).sum(), rel=1e-9)
        for name in ("all", "inside", "squares"):
            assert np.isfinite(getattr(together, name)).all()
            np.testing.assert_allclose(getattr(together, name), getattr(apart, name), atol=1e-14)
    assert len(sample.sample(Window(2, 2))) < len(sample.sample(Window(0, 0))) < len(sample)


def test_what_another_way_suits_better_is_left_to_it() -> None:
    few = fitted()
    prepare(few, WINDOWS[: Limits.FEWEST_WINDOWS - 1])
    shared = fitted().under(overlap="share")
    prepare(shared)
    longer = fitted(short=True)
    positions = np.where(np.isnan(longer.windows.returns), -1, longer.windows.positions)
    longer = longer.as_study(windows=longer.windows.altered(positions=positions))
    prepare(longer)
    for sample in (few, shared, longer):
        assert not [key for key in sample.facts if "mean_correlation" in key]


def test_sums_of_groups_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that the groups do not make up is summed by itself."""
    monkeypatch.setattr(Limits, "PAIRWISE", 5)
    sample = fitted(short=True, dates=9)
    is_first = np.arange(len(sample)) % 3 == 0
    groups = [sample.take(is_first), sample.take(~is_first)]
    for group in groups:
        prepare(group)
    asked: list[int] = []
    summed = LoadingSums._summed.__func__  # type: ignore[attr-defined]

    def counted(cls: Any, abnormal: Any, windows: Any) -> Any:
        asked.append(len(windows))
        return summed(cls, abnormal, windows)

    monkeypatch.setattr(LoadingSums, "_summed", classmethod(counted))
    for parts, is_whole in ((groups, True), (groups[:1], False)):
        whole = sample.as_study()
        whole.made_up_of(parts)
        prepare(whole)
        assert (asked.pop() == 0) is is_whole
        for window in WINDOWS:
            together = whole.sample(window).facts["loading_sums", window, whole.conventions]
            apart = LoadingSums.of(whole.sample(window).as_study(), window)
            asked.pop()
            for name in ("all", "inside", "squares"):
                np.testing.assert_allclose(
                    getattr(together, name), getattr(apart, name), atol=1e-13
                )


@pytest.mark.parametrize("first", ["group", "all"])
def test_totals_of_ranks_are_those_of_the_groups(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever is asked for first, and also where one group holds most of the events."""
    monkeypatch.setattr("eventstudy.abnormal.abnormal_returns.KEPT", 4)
    sample = fitted(short=True, dates=9)
    is_small = np.arange(len(sample)) % 4 == 0
    groups = [sample.take(~is_small), sample.take(is_small)]
    assert groups[0].left_out is not None
    sample.made_up_of(groups)
    most = sample.take(np.arange(len(sample)) != 3)
    asked = {"group": [*groups, sample, most], "all": [sample, most, *groups]}[first]
    for events in asked:
        found, alone = Totals.once(events, "ranks", ranks), Totals.over(events, ranks)
        np.testing.assert_allclose(found.total, alone.total, atol=1e-13)
        np.testing.assert_array_equal(found.days, alone.days)


def test_groups_that_are_not_all_events_are_no_parts() -> None:
    sample = fitted()
    sample.made_up_of([sample.take(np.arange(5))])
    assert not sample.groups


def test_sums_of_the_last_samples_are_kept() -> None:
    study = fitted()
    samples = [study.take(np.arange(len(study)) != i) for i in range(Limits.SUMS_KEPT + 2)]
    sums = [Sums.kept(sample) for sample in samples]
    assert Sums.kept(samples[-1]) is sums[-1]
    assert Sums.kept(samples[0]) is not sums[0]
    assert Sums.kept(samples[0]).rho == sums[0].rho
    assert len(study.facts["session_sums",]) == Limits.SUMS_KEPT
