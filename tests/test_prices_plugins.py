"""Price sources of other packages: the example works, a broken one is one clear line, no name is
shadowed."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT

from eventstudy.cli.main import main
from eventstudy.cli.request import read_order
from eventstudy.errors import ConfigError, DataError
from eventstudy.prices import (
    SOURCES,
    PatientProvider,
    Place,
    is_name,
    listing,
    price_source,
    resolve,
)
from eventstudy.prices.sample import SampleProvider

EXAMPLE = ROOT / "examples" / "moex-prices"
FIRST, LAST = date(2018, 1, 1), date(2018, 12, 31)
COLUMNS = ["BOARDID", "TRADEDATE", "SECID", "OPEN", "LOW", "HIGH", "CLOSE", "VOLUME", "VALUE"]
ROWS = [
    ["SMAL", "2018-04-06", "RUAL", 29.0, 28.0, 30.0, 27.0, 10, 300.0],
    ["TQBR", "2018-04-06", "RUAL", 34.4, 27.5, 34.5, 28.305, 24000000, 7e8],
    ["TQBR", "2018-04-09", "RUAL", 25.0, 19.0, 25.4, 20.86, 210000000, 4.6e9],
    ["TQBR", "2018-04-10", "RUAL", None, None, None, None, 0, 0.0],
    ["TQBR", "2018-04-11", "RUAL", 21.5, 20.1, 22.3, 21.0, 90000000, 1.9e9],
]


@pytest.fixture
def iss(tmp_path: Path) -> Path:
    """Return a folder with two answers in the two shapes of ISS."""
    folder = tmp_path / "iss"
    folder.mkdir()
    answer = {"history": {"metadata": {}, "columns": COLUMNS, "data": ROWS}, "history.cursor": {}}
    (folder / "RUAL.json").write_text(json.dumps(answer), encoding="utf-8")
    lines = [
        ";".join("" if cell is None else str(cell) for cell in row) for row in [COLUMNS, *ROWS]
    ]
    text = "\r\n".join(["history", "", *lines, "", "history.cursor", "", "INDEX;TOTAL", "0;3", ""])
    (folder / "GAZP.csv").write_bytes(text.encode("cp1251"))
    (folder / "BAD.json").write_text('{"history": {"columns": ["A"]}}', encoding="utf-8")
    return folder


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, str], Path]]:
    """Return a maker of an installed package: its code and its metadata, as pip would leave
    them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(SOURCES, "_further", {})
    modules: list[str] = []

    def install(package: str, entry: str, code: str) -> Path:
        info = site / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(f"[eventstudy.prices]\n{entry}\n", encoding="utf-8")
        module = entry.partition("=")[2].partition(":")[0].strip()
        (site / f"{module}.py").write_text(code, encoding="utf-8")
        modules.append(module)
        importlib.invalidate_caches()
        return site

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.mark.slow
def test_the_example_is_built_installed_and_used(iss: Path, tmp_path: Path) -> None:
    """By pip, into a folder of its own; a new process finds it by its entry point alone."""
    site = tmp_path / "target"
    pip = ["-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run(
        [sys.executable, *pip, "--target", site, EXAMPLE],
        check=True, timeout=300, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    command = [sys.executable, "-W", "error", "-m", "eventstudy"]
    shown = subprocess.run(
        [*command, "list", "prices"],
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "iss        raw closes of the Moscow exchange" in shown.stdout
    assert "(moex-prices)" in shown.stdout
    store = tmp_path / "store"
    fetched = subprocess.run(
        [*command, "prices", "fetch", "RUAL.ME", "--source", f"iss:{iss}", "--store", store,
         "--start", "2018-01-01", "--end", "2018-12-31"],
        env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (fetched.returncode, fetched.stderr.count("\n")) == (0, 1), fetched.stderr
    assert fetched.stdout.split()[:5] == ["RUAL.ME", "new", "2018-04-06", "2018-04-11", "4"]
    found = resolve("store", store=store).fetch(["RUAL.ME"], FIRST, LAST)
    assert found.table["close"].tolist()[:2] == [28.305, 20.86]
    assert (found.provenance["RUAL.ME"].source, found.provenance["RUAL.ME"].currency) == (
        "iss",
        "RUB",
    )


def test_the_example_reads_both_shapes(
    iss: Path, installed: Callable[[str, str, str], Path]
) -> None:
    installed(
        "moex-prices",
        "iss = moex_prices:IssFiles",
        (EXAMPLE / "moex_prices.py").read_text("utf-8"),
    )
    prices = resolve(f"iss:{iss}").fetch(["RUAL.ME", "GAZP", "BAD", "NONE", "../RUAL"], FIRST, LAST)
    parts = prices.by_symbol()
    pd.testing.assert_frame_equal(
        parts["RUAL.ME"].drop(columns="symbol"),
        parts["GAZP"].drop(columns="symbol"),
        check_exact=True,
    )
    assert parts["GAZP"]["close"].isna().tolist() == [False, False, True, False]
    assert {name: error.kind for name, error in prices.failures.items()} == {
        "../RUAL": "unknown_symbol", "BAD": "bad_answer", "NONE": "unknown_symbol",
    }  # fmt: skip
    with pytest.raises(ConfigError, match="iss:FOLDER"):
        resolve("iss")


BROKEN = {
    "import": ("import nothing_of_that_name", "is broken (ModuleNotFoundError: No module"),
    "syntax": ("def", "is broken (SyntaxError: "),
    "name": ("", "is broken (AttributeError: "),
    "call": ("def Source(): pass", "is broken (TypeError: "),
    "none": ("def Source(argument, offline): return 3", "has no fetch or no name, got 'int'"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_source_is_one_line(
    kind: str, installed: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    code, words = BROKEN[kind]
    installed("odd-prices", f"oddly = odd_{kind}:Source", code)
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nAAPL,2020-08-06\n", encoding="utf-8")
    result = CliRunner().invoke(
        main, ["run", str(events), "--prices", "oddly", "--out", str(tmp_path / "r")]
    )
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert words in result.stderr
    assert "odd-prices" in result.stderr
    result = CliRunner().invoke(main, ["list", "prices"])
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("oddly")]
    assert "cannot be used: " in line or kind in ("call", "none")


FAULTY = """
class Source:
    "Of another package."
    name = "faulty"
    def __init__(self, argument, offline): self.argument = argument
    def fetch(self, symbols, start, end, *, progress=None):
        from eventstudy.prices import Prices
        if self.argument == "raise":
            raise RuntimeError("out of order")
        return Prices.of({}, {}) if self.argument == "lose" else [1, 2]
"""


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("raise", "RuntimeError: out of order"),
        ("lose", "nor a failure for AAPL"),
        ("list", "is not prices"),
    ],
)
def test_faults_of_a_source_are_told_as_its_own(
    argument: str, words: str, installed: Callable[[str, str, str], Path]
) -> None:
    installed("faulty-prices", "faulty = faulty_prices:Source", FAULTY)
    with pytest.raises(DataError, match=words) as caught:
        resolve(f"faulty:{argument}").fetch(["AAPL"], FIRST, LAST)
    assert caught.value.where == "faulty of faulty-prices"


OF_ITSELF = """
from eventstudy.prices import price_source

@price_source("afar", "of a server", needs_network=True)
class Source:
    name = "afar"
    def __init__(self, text, place): pass
    def fetch(self, symbols, start, end, *, progress=None): raise RuntimeError("out of order")
"""


def test_a_source_of_another_package_registers_itself(
    installed: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    """What it says of itself holds, and its faults are told as its own."""
    installed("afar-prices", "afar = afar_prices:Source", OF_ITSELF)
    with pytest.raises(ConfigError, match="no such price source or path"):
        resolve("afar:text")
    with pytest.raises(ConfigError, match="needs the network"):
        resolve("afar", offline=True)
    source = resolve("afar", store=tmp_path / "prices.sqlite")
    assert isinstance(source, PatientProvider)
    with pytest.raises(DataError, match="out of order") as caught:
        source.fetch(["AAPL"], FIRST, LAST)
    assert caught.value.where == "afar of afar-prices"
    assert dict(listing())["afar"] == "of a server (afar-prices)"


def test_no_built_in_name_is_shadowed(installed: Callable[[str, str, str], Path]) -> None:
    installed("cuckoo", "sample = cuckoo:Source", "raise SystemExit('loaded')")
    assert isinstance(resolve("sample"), SampleProvider)
    assert ("sample", "ignored: cuckoo cannot take the name of a built-in source") in list(
        listing()
    )


def test_two_packages_of_one_name_are_refused(installed: Callable[[str, str, str], Path]) -> None:
    for package in ("one-prices", "two-prices"):
        installed(package, "twin = twin_prices:Source", FAULTY)
    with pytest.raises(ConfigError, match="uninstall all but one of one-prices, two-prices"):
        resolve("twin")
    assert dict(listing())["twin"].startswith("cannot be used: several packages")


def test_a_study_file_names_a_source_of_another_package(
    installed: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    installed("faulty-prices", "faulty = faulty_prices:Source", FAULTY)
    study = tmp_path / "study.toml"
    study.write_text('events = "e.csv"\nprices = "faulty:x"\nstore = "kept"\n', encoding="utf-8")
    order = read_order(study, None, {})
    assert (order.origin.config.prices, order.origin.store) == ("faulty:x", str(tmp_path / "kept"))
    assert is_name("faulty")
    assert not is_name("folder")
    assert not is_name("C:\\prices")


def test_packages_are_looked_up_only_for_other_names() -> None:
    program = (
        "import importlib.metadata as m, sys\n"
        "m.entry_points = lambda **k: sys.exit('looked up')\n"
        "from eventstudy.prices import resolve\n"
        "print([resolve(name).name for name in ('auto', 'yahoo', 'store', 'sample')])\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert (run.stdout.strip(), run.stderr) == ("['auto', 'yahoo', 'store', 'sample']", "")


RECIPE = """
from datetime import date
from eventstudy.errors import ConfigError
from eventstudy.prices import resolve
from eventstudy.prices.testing import check_price_source
try:
    source = resolve("jsonfolder:{folder}")
except ConfigError as error:
    print(error.what)
else:
    print(source.name)
    check_price_source(source, ["AAA", "BBB"], date(2023, 1, 3), date(2023, 2, 28))
"""


def test_a_source_is_added_as_contributing_says(tmp_path: Path) -> None:
    """To a copy of the package: the file and one name, and it is the source, and a good one."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Add a source of prices")[2]
    code = re.findall(r"^```py\n(.*?)^```", text, re.S | re.M)[0]
    copy = tmp_path / "copy"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "eventstudy", copy / "eventstudy", ignore=ignore)
    shutil.copy(ROOT / "eventstudy_kit.py", copy)
    days = pd.bdate_range("2022-12-01", "2023-03-31").astype(str)
    for name, price in {"AAA": 10.0, "BBB": 20.0}.items():
        closes = {day: price + i % 7 for i, day in enumerate(days)}
        (tmp_path / f"{name}.json").write_text(json.dumps(closes), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", RECIPE.format(folder=tmp_path.as_posix())]

    def printed() -> str:
        env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, check=False
        )
        assert not done.stderr, done.stderr
        return done.stdout.strip()

    prices = copy / "eventstudy" / "prices"
    (prices / "jsonfolder.py").write_text(code, encoding="utf-8")
    assert printed() == "no such price source or path"
    families = (prices / "families.py").read_text("utf-8")
    named = families.replace("from . import auto, ", "from . import auto, jsonfolder, ")
    (prices / "families.py").write_text(named, encoding="utf-8")
    assert printed() == "jsonfolder"


def test_what_a_source_says_of_itself_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A source that is registered is opened with its text; one that needs the network, patiently."""
    monkeypatch.setattr(SOURCES, "_further", {})
    places: list[tuple[str, Place]] = []

    def opened(text: str, place: Place) -> SampleProvider:
        places.append((text, place))
        return SampleProvider()

    price_source("mine", "of my own", takes_text=True)(opened)
    price_source("afar", "of a server", needs_network=True)(opened)
    store = tmp_path / "prices.sqlite"
    assert isinstance(resolve("mine:a", offline=True, store=store), SampleProvider)
    assert isinstance(resolve("afar", store=store), PatientProvider)
    assert places == [("a", Place(True, store)), ("", Place(False, store))]
    with pytest.raises(ConfigError, match="needs the network"):
        resolve("afar", offline=True)
    for spec in ("afar:a", "min", "mine2:a"):
        with pytest.raises(ConfigError, match="no such price source or path"):
            resolve(spec)


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (["run", "events.csv", "--prices", "jsonfolder", "--out", "run"], "--prices"),
        (["run", "events.csv", "--prices", "sample", "--fill", "jsonfolder"], "--fill"),
        (["run", "study.toml", "--out", "run"], "prices"),
        (["prices", "fetch", "AAPL", "--source", "jsonfolder", "--store", "kept"], "--source"),
    ],
)
def test_a_name_that_nobody_registered_is_refused_everywhere(
    command: list[str], where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that has its place among the names; nothing answers for it, and nothing is kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SOURCES, "_order", (*SOURCES, "jsonfolder"))
    Path("events.csv").write_text("ticker,announced_at\nAAPL,2020-08-06\n", encoding="utf-8")
    Path("study.toml").write_text('events = "events.csv"\nprices = "jsonfolder"\n', "utf-8")
    with pytest.raises(ConfigError, match="no such price source or path"):
        resolve("jsonfolder")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert f" {where}: no such price source or path, got 'jsonfolder'" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"events.csv", "study.toml"}
