"""Simulated events: they are what the designs say, known rates come out, and tests hold their size.

Other packages: programs that need no installation agree, wrong numbers are told, limits hold.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import zipfile
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
    names = (
        "designs",
        "variants",
        "tables",
        "size",
        "environments",
        "protocol",
        "peers",
    )
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
    """Return the shocks of firms with beta 0 for certain: returns less the market's part, over
    sigma .02."""
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
    """rho = .1: variance .9 + .1, each times its factor in the event window, plus that of
    effects."""
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
    # Days of the event's own clock: day t in New York is day t in Shanghai, which is a session
    # later.
    assert np.corrcoef(e[0], e[1])[0, 1] > 0.7
    assert abs(np.corrcoef(e[0, 1:], e[1, :-1])[0, 1]) < 0.35


# --- rates that are known ---


@pytest.mark.watch
@pytest.mark.parametrize(("n", "rho"), [(30, 0.05), (30, 0.1), (50, 0.02)])
def test_bmp_under_equicorrelation(bench: SimpleNamespace, n: int, rho: float) -> None:
    """Unadjusted BMP rejects in 2 Phi(-1.96 sqrt((1-rho)/(1+(N-1)rho))) of the samples: 22, 35 and
    17 %."""
    design = replace(bench.designs.DESIGNS["C0"], dates=(0,) * n, rho=rho, tail=np.inf)
    expected = 200 * stats.norm.sf(1.96 * np.sqrt((1 - rho) / (1 + (n - 1) * rho)))
    assert within(rate(bench, design, "bmp", 400), expected, 400)


@pytest.mark.watch
@pytest.mark.parametrize("theta", [1.5, 3.0])
def test_patell_under_variance(bench: SimpleNamespace, theta: float) -> None:
    """Variance times theta: Patell rejects in 2 Phi(-1.96/sqrt(theta)), 11 and 26 %."""
    design = replace(bench.designs.DESIGNS["D1"], spread=theta - 1, tail=np.inf)
    assert within(
        rate(bench, design, "patell", 300), 200 * stats.norm.sf(1.96 / np.sqrt(theta)), 300
    )


@pytest.mark.watch
def test_power(bench: SimpleNamespace) -> None:
    """+0.5 %, sigma 2 %, N = 50: x = AR sqrt(N)/sigma, Phi(x-1.96) + Phi(-x-1.96) = 42 %."""
    design = replace(bench.designs.DESIGNS["DP"], sigma=(0.02, 0.02), tail=np.inf)
    x = 0.005 * np.sqrt(50) / 0.02
    expected = 100 * (stats.norm.cdf(x - 1.96) + stats.norm.cdf(-x - 1.96))
    assert within(rate(bench, design, "patell", 300), expected, 300)


def test_variants(bench: SimpleNamespace) -> None:
    """What a variant drops is what it says: equal clusters under CR1 are CR2, one-sided p add up to
    1."""
    from eventstudy.calendars import Window
    from eventstudy.models import MODELS

    def fit(name: str) -> Any:
        windows = bench.designs.simulate(bench.designs.DESIGNS[name], np.random.default_rng(1))
        return MODELS["market"]().fit(windows, engine="batch")

    p, day, variants = bench.variants.registered, Window(0, 0), bench.variants.VARIANTS
    assert variants["date_clustered_cr1"](fit("F10"), day) == pytest.approx(
        p("date_clustered")(fit("F10"), day)
    )
    one = fit("E1")
    assert variants["event_t_less"](one, day) + variants["event_t_greater"](
        one, day
    ) == pytest.approx(1)
    assert (
        variants["event_t_ddof0"](one, day)
        < variants["event_t_naive"](one, day)
        < p("event_t")(one, day)
    )
    uneven, even = fit("H1"), fit("C20")
    for name in bench.designs.RANKS:
        plain = variants[f"{name}_equal_scale"]
        assert plain(uneven, day) != pytest.approx(p(name)(uneven, day), rel=1e-6)
        # With equal histories every day has the same scale. GRANK and the rest are then unchanged.
        assert plain(even, day) == pytest.approx(p(name)(even, day))


# --- the program ---


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "size.py"), *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.watch
def test_numbers_do_not_depend_on_workers(bench: SimpleNamespace, tmp_path: Path) -> None:
    """60 samples by two processes, and by this one; another design is kept in the file."""
    file = tmp_path / "sizes.json"
    file.write_text(json.dumps({"E1": {"rates": {"[0,0]": {"event_t": [5, 100]}}}}))
    done = run(
        "--designs",
        "C20",
        "--tests",
        "bmp,mvrm",
        "--samples",
        "60",
        "--workers",
        "2",
        "--json",
        str(file),
    )
    assert done.returncode == 0, done.stderr
    kept = json.loads(file.read_text())
    here = bench.size.rejections("C20", 60, names=("bmp", "mvrm"))
    assert kept["C20"]["rates"] == json.loads(json.dumps(here))
    assert here["[0,0]"]["bmp"][1] == 60
    assert here != bench.size.rejections("C20", 60, names=("bmp", "mvrm"), seed=1)
    assert list(kept) == ["C20", "E1"]
    assert kept["C20"]["samples"] == 60


@pytest.mark.slow
def test_unknown_names_are_refused() -> None:
    done = run("--designs", "D9", "--samples", "2")
    assert done.returncode == 2
    assert "unknown: D9" in done.stderr


@pytest.mark.parametrize(
    ("design", "test", "percent", "code"),
    [
        ("D0", "bmp", 6.2, 0), ("D0", "bmp", 6.4, 1), ("D0", "bmp", 3.0, 1),
        ("D1", "patell", 11.0, 1),
        ("D1", "patell", 30.0, 0), ("D1", "cda", 30.0, 0), ("D1", "cda", 17.0, 0),
    ],
)  # fmt: skip
def test_exit_code(
    bench: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    design: str, test: str, percent: float, code: int,
) -> None:  # fmt: skip
    """1 where an acceptance cell is off by more than 1.5 points; a star beyond three standard
    errors too."""
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
    """Every acceptance cell of sizes.json is met, and docs/methods/size.md prints the
    rates of that file."""
    results = json.loads((BENCHMARKS / "sizes.json").read_text())
    assert {k: v["says"] for k, v in results.items()} == {
        k: d.says for k, d in bench.designs.DESIGNS.items()
    }
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
    """Yield design, window, test and text of each cell of the tables of docs/methods/size.md."""
    section = (ROOT / "docs" / "methods" / "size.md").read_text()
    header: list[str] = []
    for line in section.splitlines():
        entries = [entry.strip() for entry in line.strip("| ").split("|")]
        if line.startswith("| test"):
            header = [entry.replace("(L)", " [-5,5]") for entry in entries[1:]]
        elif line.startswith("| `"):
            for column, text in zip(header, entries[1:], strict=True):
                design, _, window = column.partition(" ")
                yield design, window or "[0,0]", entries[0].strip("`"), text


# --- other packages ---


@pytest.mark.watch
def test_programs_agree_on_the_same_sample(bench: SimpleNamespace, tmp_path: Path) -> None:
    """The command on those that need no installation: ours and the floor have the numbers of
    statsmodels."""
    programs, sizes = ["floor", "library", "statsmodels-loop", "study"], [25, 60]
    order = [
        sys.executable, str(BENCHMARKS / "peers.py"), "--events", "60,25", "--rounds", "1",
        "--programs",
        ",".join(programs), "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    done = subprocess.run(
        order, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "out" / "measured.json").read_text())
    rows = kept["measured"]
    assert kept["ended"] == {}
    assert [(r["events"], r["program"]) for r in rows] == [(e, p) for e in sizes for p in programs]
    assert all(row["seconds"] > 0 and row["memory"] > 10 for row in rows)
    for events in sizes:
        own = {row["program"]: row["numbers"] for row in rows if row["events"] == events}
        expected = own["statsmodels-loop"]
        assert list(expected) == list(bench.peers.LABELS)
        for program in programs:
            assert own[program] == pytest.approx(
                {k: expected[k] for k in own[program]}, rel=1e-9
            ), program
    table = (tmp_path / "out" / "table.md").read_text()
    assert table in done.stdout
    # Both sizes; the library is what the others are compared with.
    assert table.count("CAAR, Patell, BMP, cross-sectional t") == 6
    assert "<svg" in (tmp_path / "out" / "peers.svg").read_text()


@pytest.mark.parametrize("events", [30, 20_001])
def test_events_of_the_comparison(bench: SimpleNamespace, events: int) -> None:
    """No holes, sessions of New York, one event a firm up to 10,000, and never the same day of a
    firm."""
    sample = bench.peers.draw(events)
    firms = min(events, 10_000)
    assert sample.returns.shape == (firms, 500)
    assert np.isfinite(sample.returns).all()
    assert (
        len(sample.firm)
        == len(sample.day)
        == len({*zip(sample.firm, sample.day, strict=True)})
        == events
    )
    assert set(sample.firm[:firms]) == set(range(firms))
    assert sample.day.min() >= 260
    assert sample.day.max() < 490
    assert np.datetime64("2018-12-05") not in sample.dates
    head = sample.head(20)
    assert head.returns.shape == (20, 500)
    assert [t for t, _ in head.events] == head.tickers
    assert head.events == sample.events[:20]


def line(seconds: float, **numbers: float) -> dict[str, Any]:
    """Return what a program says."""
    return {"events": 50, "seconds": seconds, "memory": 99.0, "numbers": numbers}


def test_wrong_numbers_are_told(bench: SimpleNamespace) -> None:
    """2e-6 off is wrong, 5e-7 is rounding; times are ratios within a round."""
    ours = {"caar": 0.01, "patell": 2.0, "bmp": 3.0, "j1": -2.5}
    found = bench.peers.Found({
        ("library", 50): [line(1, **ours), line(10, **ours)],
        ("eventstudy", 50): [line(60, **{**ours, "patell": 2.000004, "j1": 2.5, "bmp": 3.0000015})] * 2,
        ("easy-es", 50): [line(70, caar=0.01)],
    })  # fmt: skip
    same, other = bench.peers.agreement(found, "eventstudy", 50)
    assert same == ["CAAR", "BMP"]
    assert other == ["Patell 2 (2)", "J1 2.5 (-2.5)"]
    assert bench.peers.fastest_peer(found, 50) == ("eventstudy", 33.0)
    assert "| 50 | eventstudy 0.1a12 | 60.000 | - | 33.0 | 99 | CAAR, BMP | Patell 2 (2)" in (
        bench.peers.report(found, [50])
    )


def program(folder: Path, work: str, head: str = "") -> Path:
    """Write a program of the comparison that does `work`."""
    file = folder / "by_test.py"
    text = f"{head}from protocol import run\n\ndef prepare(sample):\n    n = len(sample.firm)\n    def work():\n"
    file.write_text(
        f"{text}        {work}\n        return {{'caar': n}}\n    return work\n\nrun(prepare)\n"
    )
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "why"),
    [
        ("while n > 20: pass", "out of time"),
        ("bytearray(1 << 32)", "out of memory"),
        ("raise ValueError('no such day')", "ValueError: no such day"),
    ],
)
def test_where_a_program_ends(bench: SimpleNamespace, tmp_path: Path, work: str, why: str) -> None:
    """A process beyond its limits, or that fails, ends there; larger samples are not tried."""
    bench.peers.draw(30).save(tmp_path / "30.npz")
    order = [sys.executable, str(program(tmp_path, work)), str(tmp_path / "30.npz")]
    found, limits = bench.peers.Found(), bench.peers.Limits(1, 1024)
    bench.peers.one_turn(found, "floor", 30, order, limits)
    assert found.ended == {"floor": f"30 events: {why}"}
    bench.peers.one_turn(found, "floor", 300, ["no such program"], limits)
    assert not found.measured
    assert f"floor ended: 30 events: {why}" in bench.peers.report(found, [30, 300])


def test_what_would_take_too_long_is_not_tried(bench: SimpleNamespace) -> None:
    found = bench.peers.Found({("floor", 50): [line(7)]})
    bench.peers.one_turn(found, "floor", 500, ["no such program"], bench.peers.Limits(60, 1024))
    assert list(found.ended) == ["floor"]
    assert not found.measured.get(("floor", 500))


@pytest.mark.watch
def test_environments(bench: SimpleNamespace, tmp_path: Path) -> None:
    """A package of a block is installed once, beside ours; what does not install has a reason."""
    environments, missing = bench.environments, bench.environments.EnvironmentMissingError
    wheel = tmp_path / "nothing-1.0-py3-none-any.whl"
    info = {"METADATA": "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n", "RECORD": ""}
    info["WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nothing.py", "")
        for name, text in info.items():
            archive.writestr(f"nothing-1.0.dist-info/{name}", text)
    cache = environments.own_folder(tmp_path / "cache")

    def python(versions: str, package: str) -> str:
        head = f'# /// script\n# requires-python = "{versions}"\n# dependencies = ["{package}"]\n# ///\n'
        return str(environments.interpreter(program(tmp_path, "pass", head), cache))

    own = python(">=3.10", wheel.as_uri())
    subprocess.run([own, "-c", "import nothing"], check=True)
    assert (
        subprocess.run([own, "-c", "import numpy"], check=False, capture_output=True).returncode
        == 1
    )
    made = Path(own).stat().st_ctime_ns
    assert python(">=3.10", wheel.as_uri()) == own
    assert Path(own).stat().st_ctime_ns == made
    assert environments.interpreter(program(tmp_path, "pass"), cache) == sys.executable
    with pytest.raises(missing, match="does not install"):
        python(">=3.10", str(tmp_path / "absent.whl"))
    with pytest.raises(missing, match=r"no Python >=9 under the names python3\.10"):
        python(">=9", "nothing")


def test_programs_pin_what_they_measure(bench: SimpleNamespace) -> None:
    """Every package of an environment has one version, and the first is the one that is named."""
    blocks = {name: bench.environments.wanted(path) for name, path in bench.peers.PROGRAMS.items()}
    assert {name for name, block in blocks.items() if not block} == {
        "floor", "library", "statsmodels-loop", "study"
    }  # fmt: skip
    for name, block in blocks.items():
        if block:
            assert all("==" in package for package in block["dependencies"])
            assert bench.peers.version(name).split()[0] == name


# --- size ---


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("D0", marks=pytest.mark.slow),
        *(
            pytest.param(each, marks=pytest.mark.watch)
            for each in ("D1", "D2", "C0", "C1", "P1", "O1")
        ),
    ],
)
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
