"""Simulated events: they are what the designs say, known rates come out, and tests hold their size."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from scipy import stats

from eventstudy.significance import STATISTICS

BENCHMARKS = ROOT / "benchmarks"
ONE_DAY = ((0, 0),)


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Return the modules of the benchmark."""
    sys.path.insert(0, str(BENCHMARKS))
    names = ("designs", "variants", "tables", "size")
    modules = {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(BENCHMARKS))
    return SimpleNamespace(**modules)


def rate(bench: SimpleNamespace, design: Any, test: str, samples: int) -> float:
    """Return the share of samples of a design in which a test rejects over day 0, in percent."""
    seeds = np.random.SeedSequence(7).spawn(samples)
    rejected, applied = bench.size.count(replace(design, windows=ONE_DAY), (test,), seeds)
    assert applied == samples
    return float(100 * rejected[0, 0] / samples)


def within(percent: float, expected: float, samples: int) -> bool:
    """Tell whether a rate is within four standard errors of what is expected."""
    return abs(percent - expected) < 4 * np.sqrt(expected * (100 - expected) / samples)


# --- the samples ---


def shocks(bench: SimpleNamespace, design: Any, samples: int) -> np.ndarray:
    """Return the shocks of firms with beta 0 for certain: returns less the market's part, over sigma .02."""
    plain = replace(design, sigma=(0.02, 0.02))
    draws = []
    for seed in range(samples):
        windows = bench.designs.simulate(plain, np.random.default_rng(seed))
        x = windows.factors[:, : design.days, 0]
        y = windows.returns[:, : design.days]
        beta = np.nansum(x * y, axis=1) / np.nansum(x * x, axis=1)
        draws.append((windows.returns - beta[:, None] * windows.factors[:, :, 0]) / 0.02)
    return np.array(draws)


@pytest.mark.parametrize(
    ("name", "event", "pairs"),
    [("C0", 1.0, 0.1), ("C1", 2.0, 0.2), ("C2", 2.0, 0.1), ("C3", 1.3, 0.4)],
)
def test_variance_and_correlation_of_one_date(
    bench: SimpleNamespace, name: str, event: float, pairs: float
) -> None:
    """rho = .1: variance .9 + .1, each times its factor in the event window, plus that of effects."""
    design = replace(bench.designs.DESIGNS[name], tail=np.inf)
    e = shocks(bench, design, 60)
    before, inside = e[:, :, : design.days], e[:, :, design.days :]
    assert before.var() == pytest.approx(1, rel=0.03)
    assert inside.var() == pytest.approx(event, rel=0.12)
    n = e.shape[1]
    covariance = (inside.sum(axis=1).var() / n - inside.var()) / (n - 1)
    assert covariance == pytest.approx(pairs, rel=0.3)


@pytest.mark.parametrize(("name", "skewness"), [("D0", 0.0), ("D5", 0.7), ("D2", 2.0)])
def test_skewness(bench: SimpleNamespace, name: str, skewness: float) -> None:
    design = replace(bench.designs.DESIGNS[name], dates=tuple(range(0, 140 * 50, 140)))
    e = shocks(bench, design, 20)
    assert stats.skew(e, axis=None) == pytest.approx(skewness, abs=0.25)
    assert e.var() == pytest.approx(1, rel=0.05)


def test_effect_is_on_day_0(bench: SimpleNamespace) -> None:
    """The same draws with and without the effect differ by it on one day."""
    plain, moved = bench.designs.DESIGNS["D0"], bench.designs.DESIGNS["DP"]
    a, b = (bench.designs.simulate(d, np.random.default_rng(1)).returns for d in (plain, moved))
    assert np.allclose((b - a).sum(axis=1), 0.005)
    assert np.allclose((b - a)[:, 120 + 5], 0.005)


def test_uneven_histories(bench: SimpleNamespace) -> None:
    """Every other event has 60 to 219 estimation days, the last ones; the rest have all 220."""
    windows = bench.designs.simulate(bench.designs.DESIGNS["H1"], np.random.default_rng(1))
    days = np.isfinite(windows.returns[:, :220]).sum(axis=1)
    assert (days[::2] == 220).all()
    assert days[1::2].min() >= 60
    assert days[1::2].max() <= 219
    assert np.isfinite(windows.returns[:, 160:]).all()
    assert ((windows.spans == 1) == np.isfinite(windows.returns)).all()


def test_shanghai_hears_a_session_later(bench: SimpleNamespace) -> None:
    """Shocks of New York agree with those of Shanghai one session later, and with no others."""
    design = replace(bench.designs.DESIGNS["X1"], rho=0.9, tail=np.inf)
    windows = bench.designs.simulate(design, np.random.default_rng(1))
    assert (windows.day0[1::2] == windows.day0[::2] + 1).all()
    e = shocks(bench, design, 3)[0]
    # Days of the event's own clock: day t in New York is day t in Shanghai, which is a session later.
    assert np.corrcoef(e[0], e[1])[0, 1] > 0.7
    assert abs(np.corrcoef(e[0, 1:], e[1, :-1])[0, 1]) < 0.35


# --- rates that are known ---


@pytest.mark.parametrize(("n", "rho"), [(30, 0.05), (30, 0.1), (50, 0.02)])
def test_bmp_under_equicorrelation(bench: SimpleNamespace, n: int, rho: float) -> None:
    """Unadjusted BMP rejects in 2 Phi(-1.96 sqrt((1-rho)/(1+(N-1)rho))) of the samples: 22, 35 and 17 %."""
    design = replace(bench.designs.DESIGNS["C0"], dates=(0,) * n, rho=rho, tail=np.inf)
    expected = 200 * stats.norm.sf(1.96 * np.sqrt((1 - rho) / (1 + (n - 1) * rho)))
    assert within(rate(bench, design, "bmp", 400), expected, 400)


@pytest.mark.parametrize("theta", [1.5, 3.0])
def test_patell_under_variance(bench: SimpleNamespace, theta: float) -> None:
    """Variance times theta: Patell rejects in 2 Phi(-1.96/sqrt(theta)), 11 and 26 %."""
    design = replace(bench.designs.DESIGNS["D1"], spread=theta - 1, tail=np.inf)
    assert within(rate(bench, design, "patell", 300), 200 * stats.norm.sf(1.96 / np.sqrt(theta)), 300)


def test_power(bench: SimpleNamespace) -> None:
    """+0.5 %, sigma 2 %, N = 50: x = AR sqrt(N)/sigma, Phi(x-1.96) + Phi(-x-1.96) = 42 %."""
    design = replace(bench.designs.DESIGNS["DP"], sigma=(0.02, 0.02), tail=np.inf)
    x = 0.005 * np.sqrt(50) / 0.02
    expected = 100 * (stats.norm.cdf(x - 1.96) + stats.norm.cdf(-x - 1.96))
    assert within(rate(bench, design, "patell", 300), expected, 300)


def test_variants(bench: SimpleNamespace) -> None:
    """What a variant drops is what it says: equal clusters under CR1 are CR2, one-sided p add up to 1."""
    from eventstudy.models import MODELS
    from eventstudy.windows import Window

    def fit(name: str) -> Any:
        windows = bench.designs.simulate(bench.designs.DESIGNS[name], np.random.default_rng(1))
        return MODELS["market"]().fit(windows, engine="batch")

    p, day, variants = bench.variants.registered, Window(0, 0), bench.variants.VARIANTS
    assert variants["date_clustered_cr1"](fit("F10"), day) == pytest.approx(
        p("date_clustered")(fit("F10"), day)
    )
    one = fit("E1")
    assert variants["event_t_less"](one, day) + variants["event_t_greater"](one, day) == pytest.approx(1)
    assert variants["event_t_ddof0"](one, day) < variants["event_t_naive"](one, day) < p("event_t")(one, day)
    uneven, even = fit("H1"), fit("C20")
    for name in bench.designs.RANKS:
        plain = variants[f"{name}_equal_scale"]
        assert plain(uneven, day) != pytest.approx(p(name)(uneven, day), rel=1e-6)
        # With equal histories every day has the same scale. GRANK and the rest are then unchanged.
        assert plain(even, day) == pytest.approx(p(name)(even, day))


# --- the program ---


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "size.py"), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_numbers_do_not_depend_on_workers(bench: SimpleNamespace, tmp_path: Path) -> None:
    """60 samples by two processes, and by this one; another design is kept in the file."""
    file = tmp_path / "sizes.json"
    file.write_text(json.dumps({"E1": {"rates": {"[0,0]": {"event_t": [5, 100]}}}}))
    done = run(
        "--designs", "C20", "--tests", "bmp,mvrm", "--samples", "60", "--workers", "2", "--json", str(file)
    )
    assert done.returncode == 0, done.stderr
    kept = json.loads(file.read_text())
    here = bench.size.rejections("C20", 60, names=("bmp", "mvrm"))
    assert kept["C20"]["rates"] == json.loads(json.dumps(here))
    assert here["[0,0]"]["bmp"][1] == 60
    assert here != bench.size.rejections("C20", 60, names=("bmp", "mvrm"), seed=1)
    assert list(kept) == ["C20", "E1"]
    assert kept["C20"]["samples"] == 60


def test_unknown_names_are_refused() -> None:
    done = run("--designs", "D9", "--samples", "2")
    assert done.returncode == 2
    assert "unknown: D9" in done.stderr


@pytest.mark.parametrize(
    ("design", "test", "percent", "code"),
    [
        ("D0", "bmp", 6.2, 0), ("D0", "bmp", 6.4, 1), ("D0", "bmp", 3.0, 1), ("D1", "patell", 11.0, 1),
        ("D1", "patell", 30.0, 0), ("D1", "cda", 30.0, 0), ("D1", "cda", 17.0, 0),
    ],
)  # fmt: skip
def test_exit_code(
    bench: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    design: str, test: str, percent: float, code: int,
) -> None:  # fmt: skip
    """1 where an acceptance cell is off by more than 1.5 points; a star beyond three standard errors too."""
    file = tmp_path / "sizes.json"
    rates = {"[0,0]": {test: [int(10 * percent), 1000]}}
    file.write_text(json.dumps({design: {"rates": rates}}))
    assert bench.size.main(["--show", "--json", str(file)]) == code
    out = capsys.readouterr().out
    assert ("FAILS" in out) == (code == 1)
    assert ("*" in out) == (percent in (3.0, 11.0, 30.0))


def test_published_rates_have_their_designs(bench: SimpleNamespace) -> None:
    for design, window, test in bench.tables.published():
        own = bench.designs.DESIGNS[design]
        assert window in [f"[{a},{b}]" for a, b in own.windows]
        assert test in bench.size.applicable(own), (design, test)
    for test, designs in bench.tables.ACCEPTANCE.items():
        assert all((design, "[0,0]", test) in bench.tables.published() for design in designs)
        assert test in STATISTICS


def test_stored_results_are_accepted_and_printed(bench: SimpleNamespace) -> None:
    """Every acceptance cell of sizes.json is met, and docs/methods.md prints the rates of that file."""
    results = json.loads((BENCHMARKS / "sizes.json").read_text())
    assert {k: v["says"] for k, v in results.items()} == {k: d.says for k, d in bench.designs.DESIGNS.items()}
    judged = [cell for cell in bench.tables.cells(results) if cell.accepted is not None]
    wanted = sum(map(len, bench.tables.ACCEPTANCE.values())) + len(bench.tables.ALARMS)
    assert len(judged) == wanted
    assert all(cell.accepted for cell in judged)
    printed = list(printed_rates())
    assert len(printed) > 250
    for design, window, test, text in printed:
        rates = results[design]["rates"][window]
        found = f"{100 * rates[test][0] / rates[test][1]:.1f}" if test in rates else "-"
        assert text == found, (design, window, test)


def printed_rates() -> Any:
    """Yield design, window, test and text of each cell of the tables of docs/methods.md, 5."""
    section = (ROOT / "docs" / "methods.md").read_text().split("## 5 Size and power")[1].split("\n## ")[0]
    header: list[str] = []
    for line in section.splitlines():
        entries = [entry.strip() for entry in line.strip("| ").split("|")]
        if line.startswith("| test"):
            header = [entry.replace("(L)", " [-5,5]") for entry in entries[1:]]
        elif line.startswith("| `"):
            for column, text in zip(header, entries[1:], strict=True):
                design, _, window = column.partition(" ")
                yield design, window or "[0,0]", entries[0].strip("`"), text


# --- size ---


@pytest.mark.slow
@pytest.mark.parametrize("name", ["D0", "D1", "D2", "C0", "C1", "P1", "O1"])
def test_acceptance(bench: SimpleNamespace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 samples: each acceptance cell within four standard errors, and alarms ring."""
    tables, samples = bench.tables, 300
    tests = [t for t, designs in tables.ACCEPTANCE.items() if name in designs]
    tests += [t for design, t in tables.ALARMS if design == name]
    day = replace(bench.designs.DESIGNS[name], windows=ONE_DAY)
    monkeypatch.setitem(bench.designs.DESIGNS, name, day)
    results = {name: {"rates": bench.size.rejections(name, samples, names=tuple(tests))}}
    judged = {cell.test: cell for cell in tables.cells(results)}
    assert set(judged) == set(tests)
    band = 400 * np.sqrt(0.05 * 0.95 / samples)
    assert all(cell.met(band) for cell in judged.values()), judged
