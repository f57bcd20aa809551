"""The benchmark of verdicts: its samples, its bounds, its page, and a fixed-seed part of it."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT
from scipy import stats

from eventstudy.analysis.answer.answer import decide
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS

BENCHMARKS = ROOT / "benchmarks"
SAMPLES = 300
# Design, kind, and the power of its effect in 2,000 other samples (docs/verdicts.md), in percent.
PART = [
    pytest.param("10 dates x 5", "x1", 60.9, marks=pytest.mark.watch),
    pytest.param("30 on one date", "x2", 30.2, marks=pytest.mark.watch),
    pytest.param("6 dates x 5", "thin", 83.7, marks=pytest.mark.watch),
    pytest.param("3 events", "t(3)", 66.7, marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Return the modules of the benchmark."""
    names = ("designs", "shifted_dates", "verdict_cells", "verdict_page", "verdicts")
    sys.path.insert(0, str(BENCHMARKS))
    modules = {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(BENCHMARKS))
    return SimpleNamespace(**modules)


def seeds(n: int) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence(3).spawn(n)


def bounds(share: float, n: int, tail: float = 1e-4) -> tuple[float, float]:
    """Return counts of n that a share of this size leaves with probability `tail` at each end."""
    low, high = stats.binom.ppf([tail, 1 - tail], n, share)
    return float(low), float(high)


@pytest.mark.parametrize(("design", "kind", "power"), PART)
def test_size_coherence_and_power(
    bench: SimpleNamespace, design: str, kind: str, power: float
) -> None:
    """300 samples: counts within binomial bounds of 5, 95 and the power of 2,000 other samples."""
    found = bench.verdicts.Counts(*bench.verdicts.count((design, kind), seeds(SAMPLES)))
    assert (found.samples, found.missing, found.incoherent) == (SAMPLES, 0, 0)
    low, high = bounds(0.05, SAMPLES)
    assert low <= found.different <= high
    assert found.covered == SAMPLES - found.different
    low, high = bounds(0.95, SAMPLES)
    assert low <= found.held <= high
    low, high = bounds(power / 100, SAMPLES)
    assert low <= found.power <= high
    assert found.power == found.main


@pytest.mark.watch
def test_samples_are_hard(bench: SimpleNamespace) -> None:
    """What ignores the correlation rejects far too often in them."""
    fits = [bench.verdicts.draw("30 on one date", "x2", seed) for seed in seeds(100)]
    assert sum(STATISTICS["bmp"](fit, bench.verdicts.WINDOW).pvalue < 0.05 for fit in fits) > 15


@pytest.mark.parametrize("design", ["10 dates x 5", "3 events", "1 event"])
def test_an_effect_that_is_added_is_that_of_a_sample_with_it(
    bench: SimpleNamespace, design: str
) -> None:
    (seed,), study = seeds(1), bench.verdicts.STUDIES[design]
    none = bench.verdicts.draw(design, "x1", seed)
    decide(none, bench.verdicts.WINDOW)
    drawn = bench.designs.Design("", study.dates, effect=study.effect, **dict(study.more))
    windows = bench.designs.simulate(drawn, np.random.default_rng(seed))
    refitted = decide(MODELS["market"]().fit(windows, engine="batch"), bench.verdicts.WINDOW)
    added = decide(bench.verdicts.shifted(none, study.effect), bench.verdicts.WINDOW)
    for name in ("estimate", "ci_low", "ci_high"):
        assert getattr(added.effect, name) == pytest.approx(getattr(refitted.effect, name))
    assert added.pvalue == pytest.approx(refitted.pvalue)
    assert added.pvalue != decide(none, bench.verdicts.WINDOW).pvalue


def test_every_kind_of_shocks_does_what_it_says(bench: SimpleNamespace) -> None:
    """Variances of event days, tails, skewness and days without a trade, from the samples."""
    base = bench.designs.Design("", tuple(range(0, 140 * 300, 140)), rho=0.1, sigma=(0.02, 0.02))

    def residuals(**kind: float) -> tuple[np.ndarray, np.ndarray]:
        windows = bench.designs.simulate(replace(base, **kind), np.random.default_rng(1))
        x = windows.factors[:, :, 0]
        y = windows.returns
        fit = [np.polyfit(x[i, :120], y[i, :120], 1) for i in range(len(y))]
        off = np.array([y[i] - np.polyval(fit[i], x[i]) for i in range(len(y))])
        return off[:, :120], off[:, 120:]

    for name, times in (("x1", 1.0), ("x2", 2.0), ("common x3", 1.2)):
        before, during = residuals(**bench.verdicts.KINDS[name])
        assert during.var() / before.var() == pytest.approx(times, rel=0.1), name
    before, during = residuals(**bench.verdicts.KINDS["own x3"])
    assert during.var() / before.var() == pytest.approx(1 + 0.9 * 2, rel=0.1)
    before, during = residuals(**bench.verdicts.KINDS["effects differ"])
    raised = during.var(axis=0) - before.var()
    assert raised[5] == pytest.approx(0.04**2, rel=0.15)
    assert np.abs(np.delete(raised, 5)).max() < 0.2 * raised[5]
    assert stats.skew(residuals(skew=2)[0].ravel()) > 1
    assert stats.kurtosis(residuals(tail=3)[0].ravel()) > stats.kurtosis(residuals()[0].ravel())
    windows = bench.designs.simulate(
        replace(base, thin=0.2, untraded="stale"), np.random.default_rng(1)
    )
    whole = bench.designs.simulate(base, np.random.default_rng(1))
    assert (windows.returns == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert (windows.returns[:, 125] != 0).all(), "all trade on day 0"
    seen = bench.designs.simulate(replace(base, thin=0.2), np.random.default_rng(1))
    assert np.isnan(seen.returns[:, 1:120]).mean() == pytest.approx(1 - 0.8**2, abs=0.02)
    assert np.isfinite(seen.returns[:, 125:127]).all()
    resting = bench.designs.simulate(
        replace(base, thin=0.2, untraded="stale_day0"), np.random.default_rng(1)
    )
    assert (resting.returns[:, 125] == 0).mean() == pytest.approx(0.2, abs=0.07)
    totals = windows.returns.cumsum(axis=1)[:, 125], whole.returns.cumsum(axis=1)[:, 125]
    np.testing.assert_allclose(*totals, err_msg="what is held back comes with the next trade")


@pytest.mark.slow
def test_real_draws_keep_the_pattern_and_avoid_real_windows(bench: SimpleNamespace) -> None:
    shifted, rng = bench.shifted_dates, np.random.default_rng(1)
    study, sessions, at = shifted.listed()
    shift = int(min(shifted.shifts()))
    windows, used = shifted.around(shift)
    assert used.mean() >= 0.8
    near = at + shift < len(sessions) - 2
    assert near.mean() > 0.5
    days = windows.sessions[windows.day0[near]]
    np.testing.assert_array_equal(days, sessions[at[near] + shift])
    real = {(t, d) for t, d in zip(study.events["ticker"], sessions[at], strict=True)}
    for ticker, row, kept in zip(study.events["ticker"], windows.positions, used, strict=True):
        own = {d for t, d in real if t == ticker}
        assert not kept or not own & set(windows.sessions[row[220:]])
    plain = shifted.shifted_study(0, np.random.default_rng(1))
    raised = [
        shifted.shifted_study(0, rng, own=2, common=2).ar - plain.ar for _ in range(60)
    ]  # fmt: skip
    ratio = np.var(raised, axis=0).mean(axis=1) / plain.sigma2
    assert np.median(ratio) == pytest.approx(1, abs=0.2), "twice the variance"


def test_samples_can_be_added_to(bench: SimpleNamespace, tmp_path: Path) -> None:
    """Two runs of 6 and 12 samples have the counts of one of 12, by one process or two."""
    order = ["--cells", "5 events,x2", "--json"]
    for samples in ("6", "12"):
        bench.verdicts.main([*order, str(tmp_path / "a.json"), "--samples", samples])
    bench.verdicts.main([*order, str(tmp_path / "b.json"), "--samples", "12"])
    kept = json.loads((tmp_path / "a.json").read_text())
    assert kept == json.loads((tmp_path / "b.json").read_text())
    assert list(kept) == ["5 events | x2"]
    assert kept["5 events | x2"][0] == 12


def test_cells_that_do_not_exist_are_refused(bench: SimpleNamespace) -> None:
    with pytest.raises(SystemExit):
        bench.verdicts.main(["--cells", "nowhere"])


@pytest.mark.parametrize(
    ("design", "kind", "weak"),
    [
        ("3 events", "x2", "up to four events with raised variance"),
        ("1 event", "common x3", "up to four events with raised variance"),
        ("5 events", "x2", ""), ("3 events", "x1", ""), ("3 events", "t(3)", ""),
        ("8 events", "skewed", "skewed shocks of ten events or fewer"),
        ("50 dispersed", "skewed", ""),
        ("30 on one date", "common x3", "common variance x3 on close dates"),
        ("50 dispersed", "common x3", ""), ("8 events", "common x3", ""),
        ("14 dates in 3 clusters", "sector x2", "sector variance x2"),
        ("14 dates in 3 clusters", "x2", ""),
        ("25 on one date", "own x3", "unequal reactions on one date"),
    ],
)  # fmt: skip
def test_known_weak_cells(bench: SimpleNamespace, design: str, kind: str, weak: str) -> None:
    assert bench.verdict_cells.Cell(design, kind, bench.verdict_cells.Counts()).weak == weak


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, ()), ({"different": 159, "covered": 1880}, ()), ({"different": 41}, ()),
        ({"different": 170}, ("size",)), ({"different": 35}, ("size",)),
        ({"held": 1859}, ("coverage",)), ({"covered": 1850}, ("coverage",)),
        ({"incoherent": 1}, ("coherence",)), ({"power": 950}, ("power",)), ({"power": 960}, ()),
    ],
)  # fmt: skip
def test_bounds(bench: SimpleNamespace, changes: dict[str, int], faults: tuple[str, ...]) -> None:
    """2,000 samples: size 3 to 7 widened by .97, coverage 93, power less 2.2 points."""
    good = bench.verdict_cells.Counts(2000, 100, 1900, 0, 0, 1000, 1000, 1900)
    cell = bench.verdict_cells.Cell("10 dates x 5", "x1", good._replace(**changes))
    assert cell.faults == faults
    assert (bench.verdict_page.failures([cell]) == ["nothing"]) == (
        not faults and abs(cell.counts.percent("different") - 5) <= 0.7
    )


def test_stored_counts_are_those_of_the_page(bench: SimpleNamespace) -> None:
    """docs/verdicts.md prints every line that the stored counts decide."""
    stored = json.loads((BENCHMARKS / "verdicts.json").read_text())
    found = bench.verdicts.results(stored)
    assert len(found) == len(stored) == len(bench.verdicts.cells())
    page = (ROOT / "docs" / "verdicts.md").read_text().splitlines()
    lines = list(bench.verdict_page.page(found))
    at = page.index(lines[0])
    assert page[at : at + len(lines)] == lines
    assert all(cell.counts.incoherent == 0 for cell in found)


def test_other_pages_quote_the_stored_counts(bench: SimpleNamespace) -> None:
    stored = json.loads((BENCHMARKS / "verdicts.json").read_text())
    found = bench.verdicts.results(stored)
    pooled = f"{bench.verdict_page.pooled(found):.2f}%"
    answer, validation = (
        (ROOT / "docs" / name).read_text()
        for name in ("methods/answer.md", "reference/validation.md")
    )
    assert f"In all other cases together, the rate is {pooled}." in answer
    assert f"must be between 4.3% and 5.7%. It is {pooled}." in validation
    designs, kinds = {c.design for c in found}, {c.kind for c in found}
    facts = f"simulations of {len(designs)} kinds of studies and {len(kinds)} kinds of shocks"
    assert facts in " ".join(answer.split())
    unequal = [cell for cell in found if cell.design == bench.verdict_cells.UNEQUAL]
    sizes = [f"{cell.counts.percent('different'):.1f}" for cell in unequal]
    assert [cell.kind for cell in unequal] == ["own x3", "effects differ"]
    text = " ".join((ROOT / "docs" / "verdicts.md").read_text().split())
    for size in sizes:
        assert f"{size}%" in text
