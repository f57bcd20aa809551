"""Answers of public records as they were received: kept once, never changed, safe from crashes."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers_standin import CHALLENGE, Authorities, Reply

from eventstudy.errors import AlteredError, RecordError, WireError
from eventstudy.records import Shelf
from eventstudy.records.shelf import INDEX, LOOKED
from eventstudy.wire import Wire

HOST = "lists.example.gov"
URL = f"https://{HOST}/list.json"
FIRST = Reply('{"count": 1}')
SECOND = Reply('{"count": 2}')


def day(number: int) -> dt.datetime:
    return dt.datetime(2026, 7, number, 3, tzinfo=dt.UTC)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authorities]:
    with Authorities({URL: FIRST}) as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        yield standin


@pytest.fixture
def online(tmp_path: Path, servers: Authorities) -> Shelf:
    return Shelf(tmp_path / "record", Wire("jane@example.org", pause=0.01, timeout=2.5))


def files_of(shelf: Shelf) -> dict[str, bytes]:
    """Return all files but the one that a night without news writes."""
    files = [path for path in sorted(shelf.folder.rglob("*")) if path.is_file()]
    return {str(path): path.read_bytes() for path in files if path.name != LOOKED}


def test_an_answer_is_kept_as_it_came(online: Shelf) -> None:
    answer = online.ask(URL, wants="json", hosts=(HOST,))
    assert (answer.body, answer.kind, answer.status) == (FIRST.data, "application/json", 200)
    assert answer.looked_before is None
    assert abs(dt.datetime.now(dt.UTC) - answer.retrieved_at) < dt.timedelta(minutes=1)
    offline = Shelf(online.folder)
    assert offline.kept(URL) == [answer]
    assert offline.urls("https://lists.") == [URL]
    assert offline.urls("https://other.") == []
    path = online.folder / "answers" / answer.sha256[:2] / f"{answer.sha256}.gz"
    assert gzip.decompress(path.read_bytes()) == FIRST.data
    line = json.loads((online.folder / INDEX).read_bytes())
    assert line["url"] == URL
    assert line["bytes"] == len(FIRST.data)


def test_a_night_without_news_writes_when_it_looked(online: Shelf, servers: Authorities) -> None:
    first = online.ask(URL, wants="json", hosts=(HOST,))
    before = files_of(online)
    assert online.ask(URL, wants="json", hosts=(HOST,)) == first
    assert files_of(online) == before
    servers.answers[URL] = SECOND
    looked = online.looked_at(URL)
    second = online.ask(URL, wants="json", hosts=(HOST,))
    assert second.looked_before == looked
    assert looked is not None
    assert first.retrieved_at < looked < second.retrieved_at
    assert Shelf(online.folder).kept(URL) == [first, second]


def test_what_was_there_before_and_comes_back_is_a_third_answer(
    online: Shelf, servers: Authorities
) -> None:
    for reply in (FIRST, SECOND, FIRST):
        servers.answers[URL] = reply
        online.ask(URL, wants="json", hosts=(HOST,))
    assert [answer.body for answer in online.kept(URL)] == [FIRST.data, SECOND.data, FIRST.data]
    assert len([name for name in files_of(online) if name.endswith(".gz")]) == 2


def test_the_server_says_that_nothing_changed(online: Shelf, servers: Authorities) -> None:
    servers.answers[URL] = Reply(
        FIRST.body, headers={"ETag": '"a1"', "Last-Modified": "Wed, 08 Jul 2026 03:00:00 GMT"}
    )
    first = online.ask(URL, wants="json", hosts=(HOST,))
    again = Shelf(online.folder, online.wire).ask(URL, wants="json", hosts=(HOST,))
    assert again == first
    asked = servers.log[-1][1]
    assert asked["if-none-match"] == '"a1"'
    assert asked["if-modified-since"] == "Wed, 08 Jul 2026 03:00:00 GMT"


def test_caches_are_passed_by(online: Shelf, servers: Authorities) -> None:
    """Their age counts: what a cache answers was true when it got it."""
    query = f"{URL}?day=8"
    servers.answers[URL] = Reply(FIRST.body, headers={"Age": "3600"})
    servers.answers[query] = FIRST
    first = online.ask(URL, wants="json", hosts=(HOST,), fresh=True)
    online.ask(query, wants="json", hosts=(HOST,), fresh=True)
    assert "?_=" in servers.urls[0]
    assert "?day=8&_=" in servers.urls[1]
    assert online.urls() == [URL, query]
    servers.answers[URL] = SECOND
    second = online.ask(URL, wants="json", hosts=(HOST,), fresh=True)
    assert second.looked_before is not None
    assert first.retrieved_at - second.looked_before > dt.timedelta(minutes=59)


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=429), Reply(status=500), Reply(FIRST.body, fault="cut"),
        Reply(FIRST.body, fault="hang"), CHALLENGE, Reply(CHALLENGE.body, "text/html", 404),
    ],
)  # fmt: skip
def test_a_fault_is_no_answer_and_no_look(
    online: Shelf, servers: Authorities, fault: Reply
) -> None:
    online.ask(URL, wants="json", hosts=(HOST,))
    before, looked = files_of(online), online.looked_at(URL)
    servers.answers[URL] = fault
    with pytest.raises(WireError) as caught:
        online.ask(URL, wants="json", hosts=(HOST,))
    assert caught.value.exit_code == 75
    assert files_of(online) == before
    assert online.looked_at(URL) == looked


def test_offline_nothing_is_asked(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "none")
    assert shelf.kept(URL) == []
    assert shelf.looked_at(URL) is None
    with pytest.raises(RecordError) as caught:
        shelf.ask(URL, wants="json", hosts=(HOST,))
    assert URL in str(caught.value)
    assert caught.value.exit_code == 1
    assert not shelf.folder.exists()


def test_pages_that_a_person_saved(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number, body in ((6, b"a"), (8, b"b"), (9, b"b"), (24, b"c")):
        shelf.keep(URL, body, kind="text/html", at=day(number))
    looks = [(answer.retrieved_at, answer.looked_before) for answer in shelf.kept(URL)]
    assert looks == [(day(6), None), (day(8), day(6)), (day(24), day(9))]


@given(st.permutations([(6, b"a"), (8, b"b"), (24, b"c")]))
def test_pages_that_were_saved_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, pages: list[tuple[int, bytes]]
) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("saved"))
    for number, body in pages:
        shelf.keep(URL, body, kind="text/html", at=day(number))
    for each in (shelf, Shelf(shelf.folder)):
        assert [answer.body for answer in each.kept(URL)] == [b"a", b"b", b"c"]
        assert [answer.looked_before for answer in each.kept(URL)] == [None, day(6), day(8)]


def test_the_folder_is_private(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "record")
    shelf.keep(URL, b"a", kind="text/html")
    for path in [shelf.folder, *shelf.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_file_that_was_changed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    answer = shelf.keep(URL, b"a", kind="text/html")
    path = tmp_path / "answers" / answer.sha256[:2] / f"{answer.sha256}.gz"
    for spoil in (
        lambda: path.write_bytes(gzip.compress(b"b")),
        lambda: path.write_bytes(path.read_bytes()[:-3]),
        lambda: path.write_bytes(b"not packed"),
        path.unlink,
    ):
        spoil()
        with pytest.raises(AlteredError) as caught:
            Shelf(tmp_path).kept(URL)
        assert caught.value.exit_code == 4


def test_a_line_that_was_changed(tmp_path: Path) -> None:
    Shelf(tmp_path).keep(URL, b"a", kind="text/html")
    index = tmp_path / INDEX
    whole = index.read_bytes()
    for text in (whole.replace(b'"sha256"', b'"hash"'), whole.replace(b":", b" ", 1)):
        index.write_bytes(text)
        with pytest.raises(AlteredError) as caught:
            Shelf(tmp_path).kept(URL)
        assert (caught.value.exit_code, f"{INDEX}" in str(caught.value)) == (4, True)


def test_a_line_that_is_torn_anywhere(tmp_path: Path) -> None:
    """Also behind a brace of its own; what is written next stands on a line of its own."""
    shelf = Shelf(tmp_path)
    shelf.keep(URL, b"a", kind="text/html", at=day(6))
    index = tmp_path / INDEX
    first = index.read_bytes()
    shelf.keep(f"{URL}?}}", b"b", kind="text/{}", at=day(8))
    both = index.read_bytes()
    ends = range(len(first), len(both) - 1)
    for end in [end for end in ends if end % 13 == 0 or both[:end].endswith((b"}", b'"'))][::2]:
        index.write_bytes(both[:end])
        torn = Shelf(tmp_path)
        assert torn.urls() == [URL]
        torn.keep(URL, b"c", kind="text/html", at=day(24))
        again = Shelf(tmp_path)
        assert [answer.body for answer in again.kept(URL)] == [b"a", b"c"]
    index.write_bytes(both)
    assert Shelf(tmp_path).kept(f"{URL}?}}")[0].kind == "text/{}"


def test_a_lost_list_of_looks_makes_no_interval_shorter(
    online: Shelf, servers: Authorities
) -> None:
    first = online.ask(URL, wants="json", hosts=(HOST,))
    for content in (None, b'{"torn', b"7"):
        (online.folder / LOOKED).unlink(missing_ok=True)
        if content is not None:
            (online.folder / LOOKED).write_bytes(content)
        assert Shelf(online.folder).looked_at(URL) == first.retrieved_at


WRITER = """
import datetime as dt, sys
from pathlib import Path
from eventstudy.records import Shelf
shelf = Shelf(Path(sys.argv[1]))
print("ready", flush=True)
for k in range(100_000):
    at = dt.datetime.now(dt.UTC)
    shelf.keep(f"https://lists.example.gov/{k % 7}", sys.argv[2].encode() + b" %d" % k * 3000, kind="text/plain", at=at)
    print(k, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_process_that_is_killed_while_it_writes(tmp_path: Path) -> None:
    """All that it said it had kept is there, and no line lacks its body."""
    said = 0
    for round_ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(round_)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.15 + 0.037 * round_)
        process.send_signal(signal.SIGKILL)
        said += len([line for line in process.stdout.read().split("\n")[:-1] if line.isdecimal()])
        process.stdout.close()
        process.wait()
        shelf = Shelf(tmp_path)
        answers = [answer for url in shelf.urls() for answer in shelf.kept(url)]
        # At most one a round was kept and not yet said.
        assert said <= len(answers) <= said + round_ + 1
        assert all(hashlib.sha256(answer.body).hexdigest() == answer.sha256 for answer in answers)
    assert said > 10


def test_two_processes_that_write_at_once(tmp_path: Path) -> None:
    code = WRITER.replace("100_000", "40").replace("/{k % 7}", "/{sys.argv[2]}")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), name], stdout=subprocess.DEVNULL
        )
        for name in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    shelf = Shelf(tmp_path)
    assert [len(shelf.kept(url)) for url in shelf.urls()] == [40, 40]
