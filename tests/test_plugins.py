"""Tests and models of other packages: they work by name, and a broken one is one clear line."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ROOT, Market

from eventstudy.calendars import Window
from eventstudy.cli.main import main
from eventstudy.errors import ConfigError
from eventstudy.models import MODELS
from eventstudy.settings import StudyFile
from eventstudy.significance import STATISTICS

Install = Callable[[str, str, str], Path]
# The package of docs/plug-ins.md.
CODE = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs/plug-ins.md").read_text("utf-8"), re.S | re.M
)
CODE = CODE[0].partition("\nassert")[0]
ENTRIES = "[eventstudy.tests]\nmedian_sign = my_events:median_sign\n[eventstudy.models]\nhalf_market = my_events:HalfMarket\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a maker of an installed package: its code and its metadata, as pip would leave them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules: list[str] = []
    for registry in (STATISTICS, MODELS):
        monkeypatch.setattr(registry, "_further", {})

    def installed(package: str, entries: str, code: str) -> Path:
        info = site / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        (info / "entry_points.txt").write_text(entries, encoding="utf-8")
        for module in re.findall(r"= (\w+):", entries):
            (site / f"{module}.py").write_text(code, encoding="utf-8")
            modules.append(module)
        importlib.invalidate_caches()
        return site

    yield installed
    for module in modules:
        sys.modules.pop(module, None)


def listed(kind: str, name: str) -> str:
    result = CliRunner().invoke(main, ["list", kind])
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if line.split()[0] == name]
    return line


def test_a_test_and_a_model_of_another_package_are_used_by_name(install: Install) -> None:
    install("my-events", ENTRIES, CODE)
    assert "median_sign" in STATISTICS
    assert "median_sign" not in list(STATISTICS)
    results = Market(n=12, seed=3, effect=-0.05).fit()
    result = results.test("median_sign", (0, 0))
    n_positive = int((results.abnormal.car(Window(0, 0)) > 0).sum())
    assert result.statistic == pytest.approx((n_positive - 6) / (np.sqrt(12) / 2))
    assert str(result).startswith("Median sign: N(0,1) = ")
    assert list(results.tests(names=["median_sign"])["test"].unique()) == ["median_sign"]
    fit = MODELS["half_market"]().fit(results.abnormal.windows, engine="batch")
    other = MODELS["half_market"]().fit(results.abnormal.windows)
    np.testing.assert_allclose(fit.ar, other.ar, rtol=1e-12)
    assert (fit.model, fit.k) == ("half_market", 1)
    assert MODELS.make("half_market").label == "half-market model"


def test_tables_hold_built_in_tests_unless_others_are_named(install: Install) -> None:
    install("my-events", ENTRIES, CODE)
    before = list(STATISTICS)
    results = Market(n=12, seed=3).fit()
    results.test("median_sign", (0, 0))
    assert list(STATISTICS) == before
    assert "median_sign" not in set(results.tests([(0, 0)])["test"])


def test_lists_name_the_package(install: Install) -> None:
    install("my-events", ENTRIES, CODE)
    assert listed("tests", "median_sign").endswith("of our own (my-events)")
    assert listed("models", "half_market").endswith("Half-market model: of our own (my-events)")


TWICE = """
from eventstudy.models import MODELS, LinearModel
MODELS.register("market")(LinearModel)
"""
BROKEN = {
    "import": ("import nothing_of_that_name", "is broken (ModuleNotFoundError: No module"),
    "syntax": ("def", "is broken (SyntaxError: "),
    "name": ("", "is broken (AttributeError: "),
    "registers": ("entry = 3", "is broken (LookupError: it registers no "),
    "twice": (TWICE, "is broken (ValueError: model 'market' is registered twice"),
    "class": (
        "from eventstudy.models import MODELS\nentry = MODELS.register('oddly')(int)\n",
        "is broken (TypeError: model 'oddly' is no LinearModel",
    ),
}  # fmt: skip


@pytest.mark.parametrize("group", ["tests", "models"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_package_is_one_line(kind: str, group: str, install: Install) -> None:
    code, words = BROKEN[kind]
    install("odd-events", f"[eventstudy.{group}]\noddly = odd_{kind}:entry\n", code)
    registry = STATISTICS if group == "tests" else MODELS
    names = list(registry)
    with pytest.raises(ConfigError) as caught:
        registry["oddly"]
    message = str(caught.value)
    assert words in message
    assert "odd-events" in message
    assert "\n" not in message
    assert list(registry) == names
    assert "oddly" not in registry
    assert "cannot be used: " in listed(group, "oddly")


def test_no_built_in_name_is_shadowed(install: Install) -> None:
    entries = "[eventstudy.tests]\nbmp = cuckoo:entry\n[eventstudy.models]\nmarket = cuckoo:entry\n"
    install("cuckoo", entries, "raise SystemExit('loaded')")
    assert STATISTICS["bmp"].label == "BMP"
    assert MODELS["market"].label == "market model"
    result = CliRunner().invoke(main, ["list", "tests"])
    assert "ignored: cuckoo cannot take the name of a built-in test" in result.stdout
    result = CliRunner().invoke(main, ["list", "models"])
    assert "ignored: cuckoo cannot take the name of a built-in model" in result.stdout


def test_an_entry_of_a_notebook_is_used_by_name(install: Install) -> None:
    """Defined twice, as a cell that is run again."""
    before = list(MODELS), list(STATISTICS)
    for _ in range(2):
        exec(compile(CODE, "cell", "exec"), {"__name__": "__main__"})
    assert MODELS["half_market"].__module__ == "__main__"
    assert (list(MODELS), list(STATISTICS)) == before


def test_two_packages_of_one_name_are_refused(install: Install) -> None:
    for package in ("one-events", "two-events"):
        install(package, "[eventstudy.tests]\ntwin = twin_events:twin\n", "twin = 1")
    with pytest.raises(ConfigError, match="uninstall all but one of one-events, two-events"):
        STATISTICS["twin"]
    result = CliRunner().invoke(main, ["list", "tests"])
    assert result.stdout.count("cannot be used: several packages have a test of that name") == 2


def test_a_study_file_names_them(install: Install) -> None:
    install("my-events", ENTRIES, CODE)
    _, config = StudyFile().check(events="e.csv", model="half_market", tests=["median_sign", "bmp"])
    assert (config.model, config.tests) == ("half_market", ("median_sign", "bmp"))
    with pytest.raises(ConfigError, match="unknown test"):
        StudyFile().check(events="e.csv", tests=["median_sin"])


def test_help_and_built_in_names_look_up_no_package() -> None:
    program = (
        "import importlib.metadata as m, sys\n"
        "m.entry_points = lambda **k: sys.exit('looked up')\n"
        "from click.testing import CliRunner\n"
        "from eventstudy.cli.main import main\n"
        "from eventstudy.models import MODELS\n"
        "from eventstudy.significance import STATISTICS\n"
        "texts = [CliRunner().invoke(main, [*c, '--help']).exit_code for c in ([], ['run'], ['list'])]\n"
        "print(texts, MODELS.make('market').name, STATISTICS['bmp'].name)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert (run.stdout.strip(), run.stderr) == ("[0, 0, 0] market bmp", "")
