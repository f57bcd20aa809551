"""Draw the first screen of a report with numbered notes, for docs/start/read-the-report.md.

    python tools/make_report_picture.py reports/events/report.html docs/_static/report.png
    python tools/make_report_picture.py reports/events/report.html docs/_static/headline.png plain
    python tools/make_report_picture.py site/index.html docs/_static/manual.png screen

The second one, for the first page of the manual, ends below the path and has no notes. The third
one, for the README, is the first screen of the built manual.

Needs Chromium with its driver, and selenium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from selenium import webdriver

SIZE = (1280, 760)
# What each number stands beside, in the order of the notes.
PLACES = (
    "h1", ".lead", ".chart", ".keys div:nth-child(1)", ".keys div:nth-child(2)",
    ".keys div:nth-child(3)", ".keys div:nth-child(4)", ".checks", ".strip",
)  # fmt: skip
MARK = """
const [selector, number] = arguments;
const box = document.querySelector(selector).getBoundingClientRect();
const mark = document.createElement('div');
mark.textContent = number;
mark.style.cssText = `position:absolute;left:${box.left - 30}px;top:${box.top + 2}px;width:24px;
height:24px;border-radius:12px;background:#b3261e;color:#fff;font:bold 15px/24px sans-serif;
text-align:center`;
document.body.append(mark);
"""
END = "return Math.ceil(document.querySelector('.chart').getBoundingClientRect().bottom) + 8"


def draw(page: Path, picture: Path, kind: str) -> None:
    """Write the picture of a page.

    Parameters
    ----------
    page, picture : Path
    kind : {"notes", "plain", "screen"}
        The first screen with notes, without them as far as the end of the path, or as it is.
    """
    options = webdriver.ChromeOptions()
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")
    options.add_argument("--hide-scrollbars")
    with webdriver.Chrome(options=options) as browser:
        size = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.resolve().as_uri())
        if kind == "plain":
            size["height"] = browser.execute_script(END)
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        elif kind == "notes":
            for number, place in enumerate(PLACES, 1):
                browser.execute_script(MARK, place, number)
        browser.save_screenshot(str(picture))


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if sys.argv[3:] else "notes")
