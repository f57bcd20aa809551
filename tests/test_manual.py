"""The site of docs/ is built without a warning, has every page, and loads nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from conftest import ROOT
from test_report_browser import CHROMIUM, DRIVER, open_browser, show, violations

import eventstudy
from eventstudy.cli.main import main
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.studies.results import INNER
from eventstudy.words.catalogue import sentences

pytest.importorskip("myst_nb", reason="needs the extra docs")
# Attributes by which a browser loads a file without being asked.
LOADED = {
    "audio": "src", "embed": "src", "iframe": "src", "img": "src", "object": "data",
    "script": "src", "source": "src", "video": "src",
}  # fmt: skip
LINKS = ("stylesheet", "icon", "preload", "manifest", "font")


class Page(HTMLParser):
    """The anchors of a page, where it leads to, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: text or "" for name, text in attrs}
        self.ids += [facts["id"]] if "id" in facts else []
        self.anchors |= {facts[name] for name in ("id", "name") if name in facts}
        if tag == "a" and "href" in facts:
            self.links.append(facts["href"])
        if LOADED.get(tag) in facts:
            self.loads.append(facts[LOADED[tag]])
        if tag == "link" and any(kind in facts.get("rel", "") for kind in LINKS):
            self.loads.append(facts["href"])


@pytest.mark.watch
def test_the_site(tmp_path: Path) -> None:
    """One test, as the build takes minutes and workers share nothing."""
    site = build(tmp_path / "clone")
    pages = {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}
    check_every_public_name_test_and_model_has_its_page(pages)
    check_every_command_and_option_is_on_its_page(pages)
    check_no_link_within_the_site_is_dead(site, pages)
    check_no_name_of_a_place_is_on_a_page_twice(pages)
    check_nothing_is_loaded_from_elsewhere(site, pages)
    check_formulas_need_no_script(site, pages)
    check_messages_are_those_of_the_catalogue(site)
    check_readers_without_eyes_or_mouse_are_helped(site)
    check_false_alarms_stand_where_their_numbers_say(site)
    check_searches_find_their_page_first(site)
    check_axe_finds_nothing(site, tmp_path / "profile")


# Pages of each kind: tables, formulas, code, drawings, notebooks, literature.
LOOKED_AT = (
    "index", "start/words", "how-to/times", "how-to/gallery", "how-to/coming-from", "methods/size",
    "methods/price-limits", "tests/patell", "models/market", "api/study", "reference/command-line",
    "reference/bibliography", "tutorials/shared-dates", "search",
)  # fmt: skip


def check_axe_finds_nothing(site: Path, profile: Path) -> None:
    """On a desk in the light, a phone in the dark; none is too wide, and formulas have our font."""
    if CHROMIUM is None or DRIVER is None:
        return
    with open_browser(profile) as browser:
        for name in LOOKED_AT:
            for width in (1280, 390):
                show(browser, site / f"{name}.html", width=width, dark=width < 500)
                assert violations(browser) == [], (name, width)
                wide = browser.execute_script("return document.documentElement.scrollWidth")
                assert wide <= width, name
        browser.get((site / "explanation" / "power.html").as_uri())
        fonts = browser.execute_script("return [...document.fonts].map(f => [f.family, f.status])")
        assert fonts == [["eventstudy math", "loaded"]]


def check_false_alarms_stand_where_their_numbers_say(site: Path) -> None:
    """On an axis from 0 at 5% of its cell to 20 at 95%; a rate beyond it stands at its end."""
    text = (site / "tests" / "patell.html").read_text(encoding="utf-8")
    rows = re.findall(r'class="full" cx="([\d.]+)%".*?<p>([\d.]+)%</p>', text, re.S)
    assert len(rows) > 5
    assert {float(rate) > 20 for _, rate in rows} == {True, False}
    for x, rate in rows:
        assert float(x) == pytest.approx(5 + 4.5 * min(float(rate), 20), abs=0.01)


def check_readers_without_eyes_or_mouse_are_helped(site: Path) -> None:
    """Captions have a level, a keyboard scrolls code, lists have a summary, figures a name."""
    assert 'alt="Figure: ' in (site / "how-to" / "gallery.html").read_text(encoding="utf-8")
    for name in ("index.html", "how-to/times.html", "start/five-minutes.html"):
        text = (site / name).read_text(encoding="utf-8")
        assert text.count('role="heading"') == text.count('role="heading" aria-level="2"') > 0
        assert "<pre>" not in text
        assert re.search('<meta name="description" content="[^"]{20,165}">', text)


def build(clone: Path) -> Path:
    """Build the site in a copy of the clone, so that nothing of an earlier build is used."""
    ignored = shutil.ignore_patterns("_build", "__pycache__")
    for name in ("eventstudy", "docs", "benchmarks", "examples", "tests"):
        shutil.copytree(ROOT / name, clone / name, ignore=ignored)
    (clone / "reports").mkdir()
    copied = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "events.csv", "eventstudy_kit.py")
    for name in (*copied, "reports/README.md"):
        shutil.copy(ROOT / name, clone / name)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-j", "auto", "-b", "html"]
    command += ["docs", "docs/_build/html"]
    env = {**os.environ, "PYTHONPATH": str(clone)}
    done = subprocess.run(
        command, cwd=clone, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout[-5000:]
    return clone / "docs" / "_build" / "html"


def check_every_public_name_test_and_model_has_its_page(pages: dict[str, Page]) -> None:
    """With the anchor that its docstring makes."""
    for name in set(eventstudy.__all__) - {"__version__"}:
        assert f"eventstudy.{name}" in pages[f"api/{name}.html"].anchors, name
    members = pages["api/EventStudyResults.html"].anchors
    for name in ("tests", "test", "subset", "groups", "specifications", "wide", "answer", "car"):
        assert f"eventstudy.EventStudyResults.{name}" in members, name
    assert not {f"eventstudy.EventStudyResults.{name}" for name in INNER} & {*members}
    for name, test in STATISTICS.items():
        where = f"{test.compute.__module__}.{test.compute.__qualname__}"
        assert where in pages[f"tests/{name}.html"].anchors, name
    for name, model in MODELS.items():
        where = f"{model.__module__}.{model.__qualname__}"
        assert where in pages[f"models/{name}.html"].anchors, name


def check_every_command_and_option_is_on_its_page(pages: dict[str, Page]) -> None:
    anchors = pages["reference/command-line.html"].anchors
    for command in main.commands.values():
        for option in command.params:
            for name in option.opts:
                anchor = f"cmdoption-eventstudy-{command.name}-{name.lstrip('-')}"
                assert not name.startswith("--") or anchor in anchors, anchor


def check_no_link_within_the_site_is_dead(site: Path, pages: dict[str, Page]) -> None:
    dead = []
    for name, page in pages.items():
        for link in page.links:
            address, anchor = urldefrag(link)
            if urlsplit(link).scheme:
                continue
            target = (site / name).parent / unquote(address) if address else site / name
            target = Path(os.path.normpath(target))
            other = pages.get(target.relative_to(site).as_posix())
            if not target.exists() or (other and anchor and unquote(anchor) not in other.anchors):
                dead.append((name, link))
    assert not dead


def check_no_name_of_a_place_is_on_a_page_twice(pages: dict[str, Page]) -> None:
    """As where the words of a search stand right above a table: put them above its heading."""
    twice = {name: [i for i in page.ids if page.ids.count(i) > 1] for name, page in pages.items()}
    assert not {name: ids for name, ids in twice.items() if ids}


def check_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    loads = {(name, load) for name, page in pages.items() for load in page.loads}
    outside = {pair for pair in loads if re.match(r"(https?:)?//", pair[1])}
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        outside |= {
            (style.name, load) for load in re.findall(r"url\(\s*['\"]?((?:https?:)?//[^)]*)", text)
        }
        outside |= {(style.name, load) for load in re.findall(r"@import[^;]*//[^;]*", text)}
    assert not outside


def check_formulas_need_no_script(site: Path, pages: dict[str, Page]) -> None:
    text = (site / "tests" / "bmp_kp.html").read_text(encoding="utf-8")
    assert text.count("<math") >= 3
    assert not [load for page in pages.values() for load in page.loads if "mathjax" in load.lower()]


def check_messages_are_those_of_the_catalogue(site: Path) -> None:
    """Every flag and every price-data issue has its row, and what to do about it."""
    text = (site / "reference" / "messages.html").read_text(encoding="utf-8")
    known = sentences()
    codes = [code.split(".") for code in known if code.startswith(("flag.", "fault."))]
    assert len(codes) > 50
    for parts in codes:
        assert f">{parts[-1]}</span>" in text, parts
    remedies = [known[code] for code in known if code.startswith("fault.remedy.")]
    assert all(escape(text_of, quote=False).split("--")[0] in text for text_of in remedies)


# What people type, and the page that answers.
SEARCHES = {
    "few events": "how-to/choose-a-test", "3 events": "how-to/choose-a-test",
    "which test": "how-to/choose-a-test", "after the close": "how-to/times",
    "time zone": "how-to/times", "stata": "how-to/coming-from",
    "factor model": "how-to/windows-and-models", "estimation window": "how-to/windows-and-models",
    "cite": "how-to/cite", "citation": "how-to/cite", "provisional": "how-to/every-night",
    "nightly": "how-to/every-night", "exit code": "how-to/every-night",
    "bloomberg": "how-to/vendors", "refinitiv prices": "how-to/vendors",
    "moscow": "how-to/vendors", "exclude events": "how-to/other-news",
    "confounded": "how-to/other-news", "earnings": "how-to/other-news",
    "bmp-kp": "tests/bmp_kp", "one date": "how-to/choose-a-test", "shared dates": "tutorials/shared-dates",
    "log returns": "how-to/own-prices", "bhar": "how-to/long-horizon",
    "long horizon": "how-to/long-horizon", "latex": "how-to/tables",
    "cross-section": "how-to/regressions", "regression": "how-to/regressions",
    "compare groups": "how-to/groups", "memory": "speed", "100,000 events": "speed",
    "dropped events": "start/read-the-report", "jupyter": "start/python",
    "offline": "prices", "recompute": "how-to/proof", "write a paper": "tutorials/paper",
    "how many events": "explanation/power", "event-induced variance": "how-to/choose-a-test",
    "p-value": "start/words", "p value": "start/words", "CAR": "start/words",
    "confidence interval": "start/words", "leakage": "start/read-the-report",
    "bonferroni": "methods/groups", "intraday": "how-to/own-prices", "bitcoin": "methods/dates",
    "heterogeneity": "how-to/groups", "volume": "methods/measures",
    "three factor": "how-to/windows-and-models",
}  # fmt: skip
# The site's own search of each query, by the files that its page of searches loads.
ASK = """<!doctype html><html data-content_root="./"><body><script src="_static/documentation_options.js">
</script><script src="_static/doctools.js"></script><script src="_static/sphinx_highlight.js"></script>
<script src="_static/language_data.js"></script><script src="_static/searchtools.js"></script>
<script src="searchindex.js"></script><pre id="found"></pre><script>
const found = {};
for (const query of QUERIES) {
  const parsed = Search._parseQuery(query);
  found[query] = Search._performSearch(...parsed).reverse().map((result) => result[0]);
}
document.getElementById("found").textContent = JSON.stringify(found);
</script></body></html>"""


def check_searches_find_their_page_first(site: Path) -> None:
    """And none is in the list of changes, or an option of a command."""
    if CHROMIUM is None:
        return
    page = site / "ask.html"
    page.write_text(ASK.replace("QUERIES", json.dumps(list(SEARCHES))), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    page.unlink()
    found = json.loads(unescape(re.findall(r'<pre id="found">(.*?)</pre>', done.stdout)[0]))
    first = {query: pages[0] if pages else None for query, pages in found.items()}
    wrong = {query: page for query, page in first.items() if page != SEARCHES[query]}
    assert not wrong
    assert "copies/changelog" not in {page for pages in found.values() for page in pages}


@pytest.mark.slow
def test_pages_can_be_read_in_three_minutes() -> None:
    """At most 900 words, with the code of their sources, but without comments; not reference."""
    for folder in ("start", "tutorials", "how-to", "explanation"):
        for path in (ROOT / "docs" / folder).glob("*.md"):
            text = re.sub("<!--.*?-->", "", path.read_text(encoding="utf-8"))
            assert len(text.split()) <= 900, path.name
