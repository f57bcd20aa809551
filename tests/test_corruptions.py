"""Data spoiled in the usual ways: nothing is both wrong and silent that its file can reveal."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from conftest import ROOT

SPEC = importlib.util.spec_from_file_location("corruptions", ROOT / "benchmarks" / "corruptions.py")
assert SPEC is not None
assert SPEC.loader is not None
corruptions = importlib.util.module_from_spec(SPEC)
sys.modules["corruptions"] = corruptions
SPEC.loader.exec_module(corruptions)


@pytest.mark.watch
def test_no_corruption_is_wrong_and_silent() -> None:
    done = {k.name: o for k, o in corruptions.outcomes(corruptions.simulated(seed=2))}
    assert len(done) >= 55
    crashed = {name: outcome.detail for name, outcome in done.items() if outcome.what == "CRASH"}
    assert crashed == {}
    silent = {name for name, outcome in done.items() if outcome.what == "silent"}
    assert silent <= set(corruptions.UNSEEN)
    expected = {
        "20:1": "missing", "day and month swapped": "dropped", "a column one session late": "flagged",
        "adjusted closes x 1.2 from then on": "missing", "all in percent": "refused",
        "all in pence": "harmless", "dates one session late": "flagged",
    }  # fmt: skip
    assert {name: done[name].what for name in expected} == expected
