"""Work is counted, not timed: calls, and bytes in use, as the number of events grows."""

from __future__ import annotations

import cProfile
import pstats
import tracemalloc
from collections.abc import Callable
from types import ModuleType

import pytest
from test_batch import floor, windows_of

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.dependence import Limits, WeightedSums
from eventstudy.fitting.other_events import find_overlaps, mask_other_events
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.utility import CHUNK
from eventstudy.windows import EventWindows

W = Window(-1, 1)
MB = 1 << 20


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return floor()


def fitted(module: ModuleType, events: int) -> AbnormalReturns:
    return MODELS["market"]().fit(laid(module, events), engine="batch")


def laid(module: ModuleType, events: int) -> EventWindows:
    return windows_of(module.draw(events, firms=50, sessions=900), module)


def calls(work: Callable[[], object]) -> int:
    """Return how many functions are called."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def peak(work: Callable[[], object]) -> int:
    """Return the largest number of bytes in use, beyond those of the result."""
    tracemalloc.start()
    result = work()
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return most - kept


def test_a_chunk_takes_as_many_calls_however_many_events_it_holds(module: ModuleType) -> None:
    """No loop over events: ten times as many in a chunk are not a tenth more calls."""
    few, many = (calls(lambda n=n: fitted(module, n)) for n in (CHUNK // 10, CHUNK))
    assert many < 1.1 * few


def test_calls_grow_with_the_number_of_chunks(module: ModuleType) -> None:
    one, four = (calls(lambda n=n: fitted(module, n * CHUNK)) for n in (1, 4))
    assert four < 4 * one


def test_temporary_arrays_are_those_of_a_chunk(module: ModuleType) -> None:
    windows = [laid(module, n * CHUNK) for n in (2, 6)]
    few, many = (peak(lambda w=w: MODELS["market"]().fit(w, engine="batch")) for w in windows)
    assert many < 1.5 * few


@pytest.mark.parametrize("name", [name for name, own in STATISTICS.items() if not own.per_event])
def test_no_test_loops_over_events(module: ModuleType, name: str) -> None:
    fits = [fitted(module, n) for n in (CHUNK // 5, CHUNK)]
    few, many = (calls(lambda f=f: STATISTICS[name](f, W)) for f in fits)
    assert many < 1.5 * few + 200


def test_correlation_of_many_events_makes_no_array_of_pairs(module: ModuleType) -> None:
    n = Limits.PAIRWISE + 1500
    fit = fitted(module, n)
    fit.sample(W).resid  # noqa: B018 - rows that are taken are no work of the correlation
    assert peak(lambda: WeightedSums(fit.sample(W), W).correlation) < n * n * 8 / 3


def test_repeated_firms_are_looked_at_one_by_one(module: ModuleType) -> None:
    """Calls grow with firms and not with events."""
    drawn = [module.draw(n, firms=20, sessions=900) for n in (200, 400)]
    found = []
    for own in drawn:
        windows, firms = windows_of(own, module), own.firm.astype(object)
        used = own.firm >= 0
        found.append(calls(lambda w=windows, f=firms, u=used: mask_other_events(w, f, u)))
        find_overlaps(windows, firms, used)
    assert found[1] < 1.2 * found[0]
