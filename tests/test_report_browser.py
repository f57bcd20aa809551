"""The page in a real browser: its policy obeyed, nothing asked of the network, no wider than the
screen."""

from __future__ import annotations

import base64
import datetime as dt
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import Market
from pages import page

from eventstudy.calendars.window import Window
from eventstudy.findings.finished_run import findings_of
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.formats.html import render_report
from eventstudy.utility.catalogue import Reason
from eventstudy.utility.numbers import date_prose

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


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium that keeps its console and its requests."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


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
    config = replace(config, placebo=39, regress=("l" * 300,))
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
    assert min(browser.execute_script(size, shown)) > 250
    assert browser.execute_script(size, hidden) == [0, 0]
    marks = browser.execute_script(
        "const rows = [...document.querySelectorAll('table.ev tbody td.fx > svg')];"
        "return rows.map(s => s.getBoundingClientRect().width)"
    )
    assert min(marks) > 60


@pytest.mark.parametrize(("width", "shown"), [(390, False), (900, False), (1280, True)])
def test_paths_of_events_are_seen_where_there_is_room(
    browser: Any, report: Path, width: int, shown: bool
) -> None:
    show(browser, report, width=width)
    sizes, names = browser.execute_script(
        "const all = [...document.querySelectorAll('table.ev .c-s svg')];"
        "return [all.map(s => s.getBoundingClientRect().width), all.map(s => "
        "s.firstChild.textContent)]"
    )
    assert len(sizes) == 22
    assert all((size > 60) is shown for size in sizes)
    assert all(name.startswith("Path: ") and name.endswith(" by day +5") for name in names)


@pytest.mark.parametrize(
    ("width", "names", "marks"), [(390, 100, 80), (768, 250, 200), (1280, 200, 190)]
)
def test_names_and_intervals_of_events_have_room(
    browser: Any, report: Path, width: int, names: int, marks: int
) -> None:
    show(browser, report, width=width)
    size = "return document.querySelector('table.ev thead .' + arguments[0]).getBoundingClientRect().width"
    assert browser.execute_script(size, "c-c") >= names
    assert browser.execute_script(size, "c-f") >= marks


def test_no_table_runs_off_a_phone(browser: Any, report: Path) -> None:
    """But that of windows and tests, above which stands how to read it."""
    show(browser, report, width=390)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = (
        "return [...document.querySelectorAll('table:not(.tests)')]"
        ".map(t => [t.caption.textContent, t.getBoundingClientRect().right]).filter(found => "
        "found[1] > 391)"
    )
    assert browser.execute_script(wide) == []


@pytest.mark.parametrize(("width", "phone"), [(390, True), (1280, False)])
def test_a_phone_is_told_to_scroll_and_has_the_groups_whole(
    browser: Any, report: Path, width: int, phone: bool
) -> None:
    show(browser, report, width=width)
    hint = browser.execute_script("return document.querySelector('.hint').offsetHeight")
    assert (hint > 0) is phone
    edge = "return document.querySelector('table.by').getBoundingClientRect().right"
    assert browser.execute_script(edge) <= width


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
    assert browser.execute_script(style, "body", "backgroundColor") == paper
    assert browser.execute_script(style, "svg.wide path.b", "stroke") == line
    assert browser.execute_script(style, "svg.wide text.s", "fill") == ink


def test_text_of_figures_is_never_tiny(browser: Any, report: Path) -> None:
    for width in (390, 761, 1000, 1280):
        show(browser, report, width=width)
        heights = browser.execute_script(
            "return [...document.querySelectorAll('svg text')].map(t => {"
            "const m = t.getScreenCTM(); return parseFloat(getComputedStyle(t).fontSize) * m.a})"
            ".filter(h => h > 0)"
        )
        assert min(heights) >= 10.9


# Text of the cells of one column of the listed events, in their order.
CELLS = """
const rows = [...document.querySelector('table.ev').tBodies[1].rows].filter(r => !r.hidden);
return rows.map(r => r.querySelector(arguments[0]).firstChild.textContent.trim());
"""


def numbers(browser: Any, column: str) -> list[float]:
    """Return the numbers of a column of the listed events, in their order."""
    return [
        float(t.replace("−", "-").replace("<", "")) for t in browser.execute_script(CELLS, column)
    ]


def said(browser: Any) -> str:
    return str(browser.execute_script("return document.getElementById('said').textContent"))


def test_events_are_sorted_by_their_heads_and_by_keyboard(browser: Any, report: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    show(browser, report, width=1280)
    car = numbers(browser, "td.c-n")
    assert car == sorted(car)
    button = browser.find_element("css selector", "th.c-p button")
    button.send_keys(Keys.ENTER)
    p = numbers(browser, "td.c-p")
    assert p == sorted(p)
    assert sorted(numbers(browser, "td.c-n")) == car
    sort = "return [...document.querySelectorAll('th[aria-sort]')].map(t => t.getAttribute('aria-sort'))"
    assert browser.execute_script(sort) == ["ascending"]
    assert said(browser) == "20 of 20 events shown; sorted by p, ascending."
    full = "return [...document.querySelectorAll('table.ev tbody td.c-p[data-v]')].map(c => +c.dataset.v)"
    assert (found := browser.execute_script(full)) == sorted(found), "in full, not as shown"
    assert (
        browser.execute_script("return document.getElementById('by').textContent")
        == "by p, ascending"
    )
    button.send_keys(Keys.SPACE)
    assert numbers(browser, "td.c-p") == sorted(p, reverse=True)
    assert browser.execute_script(sort) == ["descending"]
    sessions = browser.find_element("css selector", "th.c-d button")
    sessions.click()
    dates = browser.execute_script(CELLS, "td.c-d")
    assert dates == sorted(dates)


def test_filters_list_and_never_recompute(browser: Any, report: Path) -> None:
    show(browser, report, width=1280)
    means = "return document.querySelector('table.ev tbody.sum').textContent"
    before = browser.execute_script(means)
    find = browser.find_element("id", "find")
    find.send_keys("华为")
    assert len(browser.execute_script(CELLS, "td.c-n")) == 4
    assert said(browser) == "4 of 20 events shown; means and tests are of all."
    browser.find_element("id", "reset").click()
    assert said(browser) == "20 of 20 events shown."
    browser.execute_script("const s = document.getElementById('group'); s.value = 'adverse';")
    browser.execute_script("document.getElementById('group').dispatchEvent(new Event('input'))")
    assert len(browser.execute_script(CELLS, "td.c-n")) == 12
    assert browser.execute_script(means) == before
    shown = "return [...document.querySelectorAll('table.ev tbody.sum tr')].map(row => !row.hidden)"
    assert browser.execute_script(shown) == [True, False], "the mean of the group that is listed"
    browser.find_element("id", "reset").click()
    assert browser.execute_script(shown) == [True, True]
    browser.execute_script("const s = document.getElementById('group'); s.value = 'adverse';")
    browser.execute_script("document.getElementById('group').dispatchEvent(new Event('change'))")
    assert len(browser.execute_script(CELLS, "td.c-n")) == 12
    browser.find_element("id", "reset").click()
    iso = browser.execute_script(CELLS, "td.c-d")[0]
    find.send_keys(date_prose(dt.date.fromisoformat(iso)).replace("\u00a0", " "))
    dates = browser.execute_script(CELLS, "td.c-d")
    assert set(dates) == {iso}
    assert browser.get_log("browser") == []


def test_without_scripts_there_are_no_controls(browser: Any, report: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, report, width=1280)
        found = browser.execute_cdp_cmd(
            "DOMSnapshot.captureSnapshot", {"computedStyles": ["display"]}
        )
        strings, nodes = found["strings"], found["documents"][0]["nodes"]
        buttons = [n for n in nodes["nodeName"] if strings[n] == "BUTTON"]
        assert len(buttons) == 3, "the reset of the filters, and two to copy: all hidden"
        assert "0 of 20 events" not in strings
        shown = found["documents"][0]["layout"]["text"]
        assert not any(strings[t] in ("Show all", "Copy", "Search") for t in shown if t >= 0)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def printed(browser: Any, page: Path, to: Path) -> list[str]:
    """Print a page as Chromium does without being asked for anything, and return the text of each
    sheet."""
    show(browser, page, width=1280)
    told = {"printBackground": False, "preferCSSPageSize": True}
    to.write_bytes(base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", told)["data"]))
    read = subprocess.run(["pdftotext", "-layout", to, "-"], capture_output=True, check=True)
    return read.stdout.decode().split("\f")[:-1]


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no reader of PDF")
def test_printed_pages_are_numbered_and_hold_every_event(
    browser: Any, report: Path, tmp_path: Path
) -> None:
    sheets = printed(browser, report, tmp_path / "report.pdf")
    assert len(sheets) > 2
    for number, sheet in enumerate(sheets, start=1):
        assert sheet.rstrip().endswith(f"{number} / {len(sheets)}")
        assert len(sheet.split()) > 12, f"sheet {number} is blank"
    assert "".join(sheets).count("R² ") >= 20, "the fit of every event"


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no reader of PDF")
def test_print_holds_what_is_folded_on_the_screen(browser: Any, tmp_path: Path) -> None:
    results = Market(20, dates=7, effect=-0.02, seed=3).fit()
    gone = [i % 2 == 0 for i in range(20)]
    lack = Reason("no_data", datum="price", why="none")
    events = results.events.assign(
        status=["dropped" if lost else "ok" for lost in gone],
        reason=pd.Series([lack if lost else "" for lost in gone], dtype=object),
    )
    (tmp_path / "report.html").write_text(page(replace(results, events=events)), encoding="utf-8")
    show(browser, tmp_path / "report.html", width=1280)
    folded = "return [...document.querySelectorAll('details:not([open]) > summary')].map(s => s.textContent)"
    names = [name for name in browser.execute_script(folded) if name != "BibTeX"]
    assert "Dropped: 10 · no price data" in names
    text = " ".join(
        "".join(printed(browser, tmp_path / "report.html", tmp_path / "report.pdf")).split()
    )
    assert all(" ".join(name.split()) in text for name in names)
    assert all(name in text for name in events["event_id"][gone])
    assert "BibTeX" not in text, "its entries are those of References"


def test_reasons_of_tests_and_badges_have_room_in_print(browser: Any, report: Path) -> None:
    """Laid out on a sheet of A4, without its margins 182 mm wide."""
    try:
        show(browser, report, width=688)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        lines = (
            "return [...document.querySelectorAll('table.trust td.why')].filter(cell => "
            "cell.textContent)"
            ".map(cell => { const text = document.createRange(); text.selectNodeContents(cell);"
            "return [...text.getClientRects()].length })"
        )
        found = browser.execute_script(lines)
        assert len(found) > 5
        assert max(found) <= 3
        over = (
            "return [...document.querySelectorAll('table.ev .c-g')]"
            ".map(cell => cell.scrollWidth - cell.clientWidth)"
        )
        assert max(browser.execute_script(over)) <= 0
        split = (
            "const tag = document.createElement('b'); tag.className = 'tag flag';"
            "document.querySelector('table.ev tbody .c-g').append(tag);"
            "const heights = ['event', 'overlapping', 'incomplete'].map(word => {"
            "tag.textContent = word; return tag.getBoundingClientRect().height});"
            "tag.remove(); return heights"
        )
        assert len(set(browser.execute_script(split))) == 1, "a word of a badge is broken"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("#path svg.wide .hit", "Day −5: shares "),
        ("table.ev tbody td.fx > svg", "CAR "),
    ],
)
def test_pointing_at_a_mark_tells_its_numbers(
    browser: Any, report: Path, mark: str, told: str
) -> None:
    """With a pointer that is moved there: what lies under it has a title, of which browsers make
    the tip."""
    from selenium.webdriver import ActionChains

    show(browser, report, width=1280)
    (first,) = browser.find_elements("css selector", mark)[:1]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", first)
    browser.execute_script(
        "addEventListener('mousemove', e => { window.at = [e.clientX, e.clientY] }, {capture: "
        "true})"
    )
    ActionChains(browser).move_to_element(first).perform()
    tip = browser.execute_script(
        "const under = document.elementFromPoint(...window.at);"
        "for (let e = under; e; e = e.parentElement) {"
        "  const title = [...e.children].find(child => child.localName === 'title');"
        "  if (title) return title.textContent }"
    )
    assert tip is not None
    assert tip.startswith(told), tip
    hovered = "return document.querySelectorAll(arguments[0])[0].matches(':hover')"
    assert browser.execute_script(hovered, mark)


def test_500_events_are_light() -> None:
    text = page(Market(500, effect=-0.01).fit())
    rows = re.findall(r"<tr><td class=\"c-d.*?</tr>", text, re.S)
    assert len(rows) == 500
    assert max(len(row.encode()) for row in rows) <= 3000
    assert len(text.encode()) < 5_000_000


@pytest.mark.slow
def test_500_events_open_fast(browser: Any, tmp_path: Path) -> None:
    text = page(Market(500, effect=-0.01).fit())
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    opened = []
    for _ in range(3):
        show(browser, tmp_path / "report.html", width=1280)
        opened.append(
            browser.execute_script(
                "return performance.getEntriesByType('navigation')[0].loadEventEnd"
            )
        )
    assert 0 < min(opened) < 3000


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_axe_finds_no_serious_violation(browser: Any, report: Path, width: int, dark: bool) -> None:
    import axe_core_python

    source = next(Path(axe_core_python.__file__).parent.rglob("axe.min.js")).read_text(
        encoding="utf-8"
    )
    show(browser, report, width=width, dark=dark)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.execute_script(source)
    browser.set_script_timeout(60)
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v =>"
        " [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 120))])))"
    )
    assert [v for v in found if v[0] in ("serious", "critical")] == []
