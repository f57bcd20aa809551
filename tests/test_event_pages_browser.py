"""Event pages and the index in a real browser: silent, inert, no wider than the screen,
readable."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Market
from pages import CONFIG
from test_event_pages import HOSTILE
from test_report_browser import CHROMIUM, DRIVER, browser, show

from eventstudy.runs import write_run

__all__ = ["browser"]
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no chromium with its driver"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose event list tries to break its pages."""
    out = tmp_path_factory.mktemp("reports")
    results = Market(8, dates=4, effect=-0.04, seed=3).fit()
    events = results.events.assign(
        company=HOSTILE, event_id=HOSTILE, description=HOSTILE[::-1], context=HOSTILE[::-1],
        source_url=["https://example.com/" + "a" * 900] * 8, **{"k" * 400: HOSTILE},
    )  # fmt: skip
    write_run(
        replace(results, events=events), out, "hostile", config=replace(CONFIG, event_pages=500)
    )
    (out / ("t" * 200)).mkdir()
    return out


@pytest.fixture(params=["event", "long event", "index"])
def address(reports: Path, request: pytest.FixtureRequest) -> Path:
    """The page of the script, that of 5,000 letters, and the index."""
    pages = sorted((reports / "hostile" / "events").iterdir())
    return {"event": pages[0], "long event": pages[2], "index": reports / "index.html"}[
        request.param
    ]


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 760, 1280])
def test_pages_fit_and_are_silent(browser: Any, address: Path, width: int) -> None:
    show(browser, address, width=width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    asked = [
        e for e in browser.get_log("performance") if "Network.requestWillBeSent" in e["message"]
    ]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("width", "shown", "hidden"), [(390, "narrow", "wide"), (1280, "wide", "narrow")]
)
def test_text_of_figures_is_readable(
    browser: Any, reports: Path, width: int, shown: str, hidden: str
) -> None:
    show(browser, min((reports / "hostile" / "events").iterdir()), width=width)
    heights = browser.execute_script(
        "return [...document.querySelectorAll('svg text')].map(t => {"
        "const m = t.getScreenCTM(); return parseFloat(getComputedStyle(t).fontSize) * m.a})"
        ".filter(h => h > 0)"
    )
    assert min(heights) >= 10.9
    size = "return document.querySelector('svg.own.' + arguments[0]).getBoundingClientRect().height"
    assert browser.execute_script(size, shown) > 150
    assert browser.execute_script(size, hidden) == 0


@pytest.mark.parametrize(
    ("dark", "paper", "line"),
    [
        (False, "rgb(252, 251, 248)", "rgb(11, 83, 148)"),
        (True, "rgb(20, 23, 26)", "rgb(130, 189, 245)"),
    ],
)
def test_colours_follow_the_scheme(
    browser: Any, reports: Path, dark: bool, paper: str, line: str
) -> None:
    show(browser, min((reports / "hostile" / "events").iterdir()), width=1280, dark=dark)
    style = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    assert browser.execute_script(style, "html", "backgroundColor") == paper
    assert browser.execute_script(style, "svg.own path.b", "stroke") == line


@pytest.mark.slow
def test_links_lead_to_pages_that_are_there(browser: Any, reports: Path) -> None:
    show(browser, reports / "index.html", width=1280)
    links = "return [...document.querySelectorAll(arguments[0])].map(a => a.href)"
    (report,) = browser.execute_script(links, "table.runs a")
    browser.get(report.replace("report.html", "events/index.html"))
    pages = browser.execute_script(links, "a[href$='.html']")[1:]
    assert len(pages) == 8
    for page in pages:
        browser.get(page)
        assert (
            browser.execute_script("return document.querySelectorAll('svg.own.wide').length") == 2
        )
        back = browser.execute_script(links, "header a, nav.pages a")
        assert all(Path(href.removeprefix("file://")).is_file() for href in back)


def test_an_event_page_prints(browser: Any, reports: Path) -> None:
    show(browser, min((reports / "hostile" / "events").iterdir()), width=1280, dark=True)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        style = "return getComputedStyle(document.documentElement).backgroundColor"
        assert browser.execute_script(style) == "rgb(255, 255, 255)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_order_of_the_pages_is_told(browser: Any, reports: Path) -> None:
    show(browser, sorted((reports / "hostile" / "events").iterdir())[1], width=1280)
    text = browser.execute_script(
        "return ['nav.pages', 'nav.pages + .note'].map(name => "
        "document.querySelector(name).textContent).join(' ')"
    )
    assert "by effect over [0,\u00a01], the lowest first" in text
    assert "← " in text or " →" in text
