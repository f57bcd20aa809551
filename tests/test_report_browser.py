"""The page in a real browser: its policy obeyed, nothing asked of the network, no wider than the
screen."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Market
from pages import page, with_columns

from eventstudy.calendars import Window
from eventstudy.findings.finished_run import findings_of
from eventstudy.report.formats.pages import render_report
from eventstudy.settings import StudyConfig

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no chromium with its driver"),
    pytest.mark.xdist_group("browser"),
]


@contextmanager
def open_browser(profile: Path) -> Iterator[Any]:
    """Headless Chromium that keeps its console and its requests."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with two groups and cells that try to break it."""
    results = Market(20, dates=7, effect=-0.02, seed=3).fit()
    cells = ["<script>alert(1)</script>", "x" * 5000, "شركة النفط", "华为技术", "A&B"] * 4
    groups = ["adverse"] * 12 + ["y" * 3000] * 8
    late = [i % 4 for i in range(20)]
    events = results.events.assign(company=cells, direction=groups, mcap=1e9, **{"l" * 300: late})
    results = replace(results, events=events)
    config = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5), by="direction")
    config = replace(config, regress=("l" * 300,), calibrate=0)
    study = findings_of(results, config, name="z" * 400, provenance={"command": "w" * 500})
    text = render_report(study)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


def show(browser: Any, report: Path, *, width: int, dark: bool = False) -> None:
    """Open the page on a screen of this width, with empty logs."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(report.as_uri())


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 760, 900, 1280])
def test_page_fits_and_is_silent(browser: Any, report: Path, width: int) -> None:
    show(browser, report, width=width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    asked = [
        e["message"]
        for e in browser.get_log("performance")
        if "Network.requestWillBeSent" in e["message"]
    ]
    assert len(asked) == 1
    assert report.name in asked[0]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page for each kind of study: by the number of events and of dates."""
    sizes = {"many": (40, 12), "nine": (9, 9), "twelve": (12, 12), "three": (3, 3), "one": (1, 1),
             "date": (30, 1)}  # fmt: skip
    folder, pages = tmp_path_factory.mktemp("studies"), {}
    for name, (n, dates) in sizes.items():
        results = Market(n, dates=dates, effect=-0.05, seed=3).fit()
        pages[name] = folder / f"{name}.html"
        pages[name].write_text(page(results), encoding="utf-8")
    results = Market(50, dates=23, effect=-0.02, seed=3).fit()
    groups = [
        ("adverse", "relief", "report", "a rule of another kind")[i % 7 % 4] for i in range(50)
    ]
    grouped = with_columns(results, direction=groups, company=["A company with a name"] * 50)
    pages["groups"] = folder / "groups.html"
    pages["groups"].write_text(page(grouped, by="direction", calibrate=40), encoding="utf-8")
    return pages


KINDS = ("many", "nine", "twelve", "three", "one", "date")


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_the_first_screen_fits_a_desk(browser: Any, studies: dict[str, Path], name: str) -> None:
    show(browser, studies[name], width=1280)
    foot = "return document.querySelector('.first').getBoundingClientRect().bottom"
    assert browser.execute_script(foot) <= 800
    parts = "return [...document.querySelectorAll('.first > *')].map(e => e.className)"
    assert {"chart", "keys", "strip"} <= set(browser.execute_script(parts))


@pytest.mark.parametrize("name", KINDS)
def test_headline_caveat_and_chart_fit_a_phone(
    browser: Any, studies: dict[str, Path], name: str
) -> None:
    show(browser, studies[name], width=390)
    foot = "return document.querySelector('.chart svg.narrow').getBoundingClientRect().bottom"
    assert browser.execute_script(foot) <= 844
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_texts_of_a_figure_do_not_touch(
    browser: Any, studies: dict[str, Path], name: str, width: int
) -> None:
    """As they are drawn, by the boxes of their letters; rows of numbers may be close."""
    show(browser, studies[name], width=width)
    touching = browser.execute_script(
        "const found = [];"
        "for (const svg of document.querySelectorAll('.first svg')) {"
        "  const texts = [...svg.querySelectorAll('text')].filter(t => t.textContent)"
        "    .map(t => [t.textContent, t.getBoundingClientRect()]).filter(t => t[1].width);"
        "  texts.forEach(([name, a], i) => texts.slice(i + 1).forEach(([other, b]) => {"
        "    if (a.left + 1 < b.right && b.left + 1 < a.right && a.top + 4 < b.bottom"
        "        && b.top + 4 < a.bottom) found.push([name, other]) })) }"
        "return found"
    )
    assert touching == []


@pytest.mark.parametrize(
    ("width", "shown", "hidden"), [(390, "narrow", "wide"), (1280, "wide", "narrow")]
)
def test_one_size_of_the_figure_is_visible(
    browser: Any, report: Path, width: int, shown: str, hidden: str
) -> None:
    show(browser, report, width=width)
    size = (
        "const b = document.querySelector('svg.' + arguments[0]).getBoundingClientRect();"
        "return [b.width, b.height]"
    )
    assert min(browser.execute_script(size, shown)) > 200
    assert browser.execute_script(size, hidden) == [0, 0]


@pytest.mark.parametrize(
    ("dark", "paper", "line", "ink"),
    [(False, "rgb(252, 251, 248)", "rgb(11, 83, 148)", "rgb(26, 30, 34)"),
     (True, "rgb(20, 23, 26)", "rgb(130, 189, 245)", "rgb(233, 230, 223)")],
)  # fmt: skip
def test_colours_follow_the_scheme(
    browser: Any, report: Path, dark: bool, paper: str, line: str, ink: str
) -> None:
    show(browser, report, width=1280, dark=dark)
    style = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    assert browser.execute_script(style, "html", "backgroundColor") == paper
    assert browser.execute_script(style, "svg.wide path.b", "stroke") == line
    assert browser.execute_script(style, "svg.wide text.s", "fill") == ink


def test_text_of_figures_is_never_tiny(browser: Any, report: Path) -> None:
    for width in (390, 761, 1000, 1280):
        show(browser, report, width=width)
        heights = browser.execute_script(
            "return [...document.querySelectorAll('.first svg text')].map(t => {"
            "const m = t.getScreenCTM(); return parseFloat(getComputedStyle(t).fontSize) * m.a})"
            ".filter(h => h > 0)"
        )
        assert min(heights) >= 10.9


def printed(browser: Any, page: Path, to: Path) -> list[str]:
    """Print a page as Chromium does without being asked for anything, and return the text of each
    sheet."""
    show(browser, page, width=1280)
    options = {"printBackground": False, "preferCSSPageSize": True}
    to.write_bytes(base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", options)["data"]))
    read = subprocess.run(["pdftotext", "-layout", to, "-"], capture_output=True, check=True)
    return read.stdout.decode().split("\f")[:-1]


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no reader of PDF")
@pytest.mark.parametrize("name", [*KINDS, "groups"])
def test_two_sheets_are_printed_and_nothing_folded(
    browser: Any, studies: dict[str, Path], tmp_path: Path, name: str
) -> None:
    first, second = printed(browser, studies[name], tmp_path / "report.pdf")
    assert "market implied" in " ".join(first.split())
    assert second.strip().startswith("Windows")
    assert "Files and citation" in second
    assert "Cite as" not in second


@pytest.mark.slow
def test_500_events_are_light() -> None:
    assert len(page(Market(500, effect=-0.01).fit()).encode()) < 1_000_000


def violations(browser: Any) -> list[Any]:
    """Return what axe finds wrong on the page that is open: impact, rule and elements."""
    import axe_core_python

    source = next(Path(axe_core_python.__file__).parent.rglob("axe.min.js")).read_text(
        encoding="utf-8"
    )
    browser.execute_script(source)
    browser.set_script_timeout(60)
    found: list[Any] = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v =>"
        " [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 120))])))"
    )
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_axe_finds_no_serious_violation(browser: Any, report: Path, width: int, dark: bool) -> None:
    show(browser, report, width=width, dark=dark)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = violations(browser)
    assert [v for v in found if v[0] in ("serious", "critical")] == []
