"""PDF: the page as a browser of this machine prints it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...errors import ConfigError
from ...findings.types import Findings
from .html import render_report

# Commands and places of the browsers that print by themselves.
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
    "microsoft-edge", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)  # fmt: skip
# Of $BROWSER, those that cannot.
_OTHERS = re.compile(r"firefox|safari|lynx|w3m|links", re.IGNORECASE)
# No network, no traces.
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
SECONDS = 120
REMEDY = "set BROWSER to Chrome, Chromium or Edge, or print report.html from any browser"
# Links to other files of the run, which a PDF does not have beside it.
# Names of rows, which stand in one line on the page; here they may have several.
_NAME = re.compile(r"<th\ss[^>]*row[^>]*>(.*?)</th>", re.DOTALL)
CELL = r'<td class="l">\1</td>'
_NEAR = re.compile(r' href="(?!#|https?:)[^"]*"')


def pdf(findings: Findings, *, full: bool = False) -> bytes:
    """Return the page as PDF (A4); the bytes are those of the browser, and differ each time.

    Parameters
    ----------
    findings : Findings
    full : bool
        Whether everything that the page folds is printed too; else it is a summary.

    Returns
    -------
    bytes

    Raises
    ------
    ConfigError
        If there is no browser that prints, or it wrote nothing.
    """
    browser, page, reason = find_browser(), _NEAR.sub("", render_report(findings)), ""
    if full:
        page = re.sub(r"(</?)details\b", r"\1div", page).replace("summary>", "h3>")
        page = page.replace("</b><span>", "</b>: <span>")
        page = _NAME.sub(CELL, page)
    with tempfile.TemporaryDirectory(prefix="eventstudy-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        # The sandbox of Chromium does not start for root, as in a container.
        root = ["--no-sandbox"] * (getattr(os, "geteuid", lambda: 1)() == 0)
        places = (f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}")
        command = [browser, *OPTIONS, *root, *places, source.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f" ({type(error).__name__})"
        if not target.exists():
            raise ConfigError(f"the browser wrote no PDF{reason}", value=browser, remedy=REMEDY)
        return target.read_bytes()


def find_browser() -> str:
    """Return the path of a browser that prints: that of $BROWSER, or one of this machine.

    Raises
    ------
    ConfigError
        If there is none.
    """
    named = os.environ.get("BROWSER", "")
    names = [named] * bool(named and not _OTHERS.search(named)) + list(BROWSERS)
    if path := next(filter(None, map(shutil.which, names)), None):
        return path
    raise ConfigError("a PDF needs Chrome, Chromium or Edge, and none is here", remedy=REMEDY)
