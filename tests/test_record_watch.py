"""Looking at the record every night: real processes, over HTTP and TLS to a stand-in on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from servers_standin import CHALLENGE, Authorities, Reply

from eventstudy.records import Shelf
from eventstudy.records.ofac import ALIASES, COMMENTS, PRIMARY
from eventstudy.records.white_house import FEEDS

FEED = '<?xml version="1.0"?><rss><channel></channel></rss>'
TELL = """\
import os, pathlib
with pathlib.Path("told.txt").open("a") as file:
    print(os.environ["EVENTSTUDY_SUMMARY"], file=file)
"""


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[tuple[Path, Authorities]]:
    """Yield a folder with a list, and servers that have the list of OFAC but for one record."""
    bundled = Shelf(ROOT / "eventstudy" / "data" / "example" / "events.record")
    bodies = {url: bundled.kept(url)[-1].body for url in (PRIMARY, ALIASES, COMMENTS)}
    (tmp_path / "events.csv").write_text("event_id,ticker,announced_at\nme,AMD,2019-05-22\n")
    (tmp_path / "tell.py").write_text(TELL)
    answers: dict[str, Reply | list[Reply]] = {
        url: Reply(body, "text/csv") for url, body in bodies.items()
    }
    answers |= {feed: Reply(FEED, "application/rss+xml") for feed in FEEDS}
    lines = bodies[PRIMARY].splitlines(keepends=True)
    answers[PRIMARY] = Reply(b"".join(x for x in lines if not x.startswith(b"30946,")), "text/csv")
    with Authorities(answers) as servers:
        servers.whole = Reply(bodies[PRIMARY], "text/csv")  # type: ignore[attr-defined]
        yield tmp_path, servers


def call(nights: tuple[Path, Authorities], *words: str) -> subprocess.CompletedProcess[str]:
    folder, servers = nights
    return subprocess.run(
        [sys.executable, "-m", "eventstudy", "events", *words],
        cwd=folder, env={**os.environ, **servers.env, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    kept = folder / "events.record"
    quiet = {".looked.json", ".asked.json"}
    return {
        str(path.relative_to(kept)): path.read_bytes()
        for path in kept.rglob("*") if path.is_file() and path.name not in quiet
    }  # fmt: skip


WATCH = ("watch", "events.csv", "--on-change", f"{sys.executable} tell.py")


@pytest.mark.slow
def test_only_news_is_told_and_nothing_is_added(nights: tuple[Path, Authorities]) -> None:
    folder, servers = nights
    listed = (folder / "events.csv").read_bytes()
    first = call(
        nights,
        "find",
        "events.csv",
        "--source",
        "ofac",
        "--source",
        "white-house",
        "--contact",
        "me@example.org",
    )
    assert first.returncode == 0, first.stderr
    assert "44 rows wait for a decision" in first.stdout
    before = contents(folder)
    quiet = call(nights, *WATCH)
    assert (quiet.returncode, quiet.stdout) == (0, ""), quiet.stderr
    assert contents(folder) == before
    assert not (folder / "told.txt").exists()
    servers.answers[PRIMARY] = servers.whole  # type: ignore[attr-defined]
    news = call(nights, *WATCH, "--fail-if-new")
    assert news.returncode == 3, news.stderr
    assert (folder / "told.txt").read_text() == "events.record: 1 candidate to decide on\n"
    call(nights, *WATCH)
    assert (folder / "told.txt").read_text().count("\n") == 1
    assert (folder / "events.csv").read_bytes() == listed
    shown = call(nights, "review", "events.csv", "--json")
    assert any(row["ticker"] == "002415.SZ" for row in json.loads(shown.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["page", "busy"])
def test_an_outage_is_no_news(nights: tuple[Path, Authorities], fault: str) -> None:
    folder, servers = nights
    call(nights, "find", "events.csv", "--source", "ofac", "--contact", "me@example.org")
    before = contents(folder)
    asked = (folder / "events.record" / ".asked.json").read_bytes()
    servers.answers[PRIMARY] = CHALLENGE if fault == "page" else Reply("", status=500)
    done = call(nights, *WATCH)
    assert done.returncode == 75
    assert "ofac" in done.stderr
    assert contents(folder) == before
    assert (folder / "events.record" / ".asked.json").read_bytes() == asked
    assert not (folder / "told.txt").exists()


@pytest.mark.slow
def test_who_asks_must_say_so(nights: tuple[Path, Authorities]) -> None:
    done = call(nights, "find", "events.csv", "--source", "ofac")
    assert done.returncode == 2
    assert "no contact" in done.stderr


@pytest.mark.slow
def test_a_command_that_fails_is_called_again(nights: tuple[Path, Authorities]) -> None:
    folder, _ = nights
    (folder / "events.record").mkdir()
    (folder / "events.record" / "record.toml").write_text(
        'sources = ["ofac"]\ncontact = "me@example.org"\n'
    )
    failing = call(nights, "watch", "events.csv", "--on-change", f"{sys.executable} none.py")
    assert failing.returncode == 75
    assert not (folder / "told.txt").exists()
    assert call(nights, *WATCH).returncode == 0
    assert (folder / "told.txt").read_text() == "events.record: 44 candidates to decide on\n"
