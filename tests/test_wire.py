"""Requests to public servers over real HTTP and TLS on loopback: no fault reads as "none"."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from servers_standin import CHALLENGE, Authorities, Reply

from eventstudy.errors import ConfigError, EventStudyError, RecordError, WireError
from eventstudy.wire import Response, Wire
from eventstudy.wire.wire import LONGEST_WAIT, read_xml, seconds_to_wait

HOST = "lists.example.gov"
URL = f"https://{HOST}/list.json"
ELSEWHERE = "https://bucket.example.com/list.json"
GOOD = Reply('{"count": 1, "results": [{"name": "A"}]}')
PAGE = "<!DOCTYPE html><html><body><table></table></body></html>"


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authorities]:
    with Authorities({URL: GOOD, ELSEWHERE: GOOD}) as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        yield standin


def make_wire(**options: float) -> Wire:
    return Wire("jane@example.org", **{"pause": 0.01, "timeout": 2.5, **options})  # type: ignore[arg-type]


def get(
    url: str = URL, wants: str = "json", hosts: tuple[str, ...] = (HOST,), **options: str
) -> bytes:
    return make_wire().get(url, wants=wants, hosts=hosts, **options).body  # type: ignore[arg-type]


def test_who_asks_is_said(servers: Authorities) -> None:
    assert json.loads(get())["count"] == 1
    agent = servers.log[0][1]["user-agent"]
    assert agent.startswith("eventstudy/")
    assert agent.endswith(" (jane@example.org)")


def test_a_source_of_prices_may_ask_without_a_contact(servers: Authorities) -> None:
    Wire(pause=0.01).get(URL, wants="json", hosts=(HOST,))
    assert re.fullmatch(r"eventstudy/\S+", servers.log[0][1]["user-agent"])


@pytest.mark.parametrize("contact", ["", "  ", "jane@example.org\r\nX-Evil: 1", "Jané"])
def test_a_contact_is_needed(contact: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Wire(contact)
    assert caught.value.exit_code == 2


FAULTS: dict[str, Reply] = {
    "429": Reply("slow down", "text/plain", 429),
    "500": Reply('{"status": 500}', status=500),
    "503 page": Reply(PAGE, "text/html", 503),
    "403": Reply(PAGE, "text/html", 403),
    "cut": Reply(GOOD.body, fault="cut"),
    "cut without a length": Reply(GOOD.body, fault="open cut"),
    "cut while packed": Reply(GOOD.body, fault="open cut", headers={"Content-Encoding": "gzip"}),
    "dropped": Reply(fault="drop"),
    "hang": Reply(GOOD.body, fault="hang"),
    "page 200": CHALLENGE,
    "page 404": Reply(CHALLENGE.body, "text/html", 404),
    "page that says it is JSON": Reply("\ufeff \n<!DOCTYPE HTML><p>", "application/json"),
    "nothing": Reply(""),
    "junk": Reply('{"results": [{"na'),
    "redirect elsewhere": Reply(status=302, headers={"Location": "https://unblock.example.com/"}),
    "redirect to http": Reply(status=302, headers={"Location": f"http://{HOST}/list.json"}),
    "redirect to a file": Reply(status=302, headers={"Location": "file:///etc/passwd"}),
    "redirect to itself": Reply(status=302, headers={"Location": URL}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_may_pass(servers: Authorities, fault: str) -> None:
    servers.answers[URL] = FAULTS[fault]
    with pytest.raises(WireError) as caught:
        get()
    assert caught.value.exit_code == 75
    assert HOST in str(caught.value)


@pytest.mark.parametrize("fault", ["429", "500", "cut", "cut while packed", "dropped", "junk"])
def test_what_passes_at_once(servers: Authorities, fault: str) -> None:
    servers.answers[URL] = [FAULTS[fault], FAULTS[fault], GOOD]
    assert json.loads(get())["count"] == 1
    assert len(servers.log) == 3


@pytest.mark.parametrize("fault", ["hang", "403", "page 200", "redirect elsewhere"])
def test_what_is_not_asked_again(servers: Authorities, fault: str) -> None:
    servers.answers[URL] = [FAULTS[fault], GOOD]
    with pytest.raises(WireError):
        get()
    assert len(servers.log) == 1


@pytest.mark.parametrize("fault", ["trickle", "head"])
def test_an_answer_that_never_ends(servers: Authorities, fault: str) -> None:
    servers.answers[URL] = Reply(GOOD.body, fault=fault)
    with pytest.raises(WireError):
        make_wire(longest=0.5).get(URL, wants="json", hosts=(HOST,))


def test_a_host_that_does_not_answer(servers: Authorities) -> None:
    del servers.answers[URL]
    with pytest.raises(WireError) as caught:
        get()
    assert caught.value.exit_code == 75


def test_a_certificate_that_is_not_trusted(
    servers: Authorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(WireError):
        get()
    assert servers.log == []


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://other.example.gov/", (HOST,)),
        (f"http://{HOST}/", (HOST,)),
        (f"https://me:secret@{HOST}/", (HOST,)),
        (f"https://{HOST}:8443/", (HOST,)),
        (f"https://{HOST}/a b", (HOST,)),
        (f"https://{HOST}/\r\nX: y", (HOST,)),
        ("file:///etc/passwd", ("",)),
    ],
)
def test_only_named_hosts_are_asked(servers: Authorities, url: str, hosts: tuple[str, ...]) -> None:
    with pytest.raises(RecordError) as caught:
        get(url, hosts=hosts)
    assert caught.value.exit_code == 1
    assert servers.log == []


def test_a_redirect_to_a_named_host(servers: Authorities) -> None:
    servers.answers[URL] = Reply(status=302, headers={"Location": ELSEWHERE})
    body = get(hosts=(HOST, "bucket.example.com"))
    assert json.loads(body)["count"] == 1
    assert servers.urls == [URL, ELSEWHERE]


def test_a_key_goes_to_its_host_alone(servers: Authorities) -> None:
    """Nor from another host on to a third address there; urllib hands other headers on."""
    away = f"{ELSEWHERE}?once"
    key = {"Authorization": "Token c4nary"}
    hosts = (HOST, "bucket.example.com")
    servers.answers[URL] = Reply(status=302, headers={"Location": f"{URL}?again"})
    servers.answers[f"{URL}?again"] = Reply(status=302, headers={"Location": away})
    servers.answers[away] = Reply(status=302, headers={"Location": ELSEWHERE})
    make_wire().get(URL, wants="json", hosts=hosts, headers=key)
    assert servers.urls == [URL, f"{URL}?again", away, ELSEWHERE]
    assert ["authorization" in headers for _, headers in servers.log] == [True, True, False, False]
    assert all("user-agent" in headers for _, headers in servers.log)


def test_the_words_of_an_answer_are_heeded_first(servers: Authorities) -> None:
    """Whatever its status; what they mean is not asked again and is no failure of the host."""
    wire = make_wire()
    seen = []

    def heed(response: Response) -> None:
        seen.append((response.status, response.body))
        raise ConfigError("as it says")

    servers.answers[URL] = Reply("Unauthenticated", "text/html", 401)
    for _ in range(5):
        with pytest.raises(ConfigError):
            wire.get(URL, wants="json", hosts=(HOST,), heed=heed)
    assert seen == [(401, b"Unauthenticated")] * 5


def test_the_end_of_a_limit(servers: Authorities) -> None:
    """It is also that of requests that are not sent any more."""
    wire = make_wire()
    servers.answers[URL] = Reply("", status=429, headers={"Retry-After": "3600"})
    for _ in range(4):
        with pytest.raises(WireError) as caught:
            wire.get(URL, wants="json", hosts=(HOST,))
        assert caught.value.until is not None
        assert 3500 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 3600
    assert len(servers.log) == 3
    servers.answers[URL] = Reply("", status=429)
    with pytest.raises(WireError) as caught:
        get()
    assert caught.value.until is None


def test_unknown_addresses(servers: Authorities) -> None:
    """A 404 in the form that was wanted says that there is nothing; of a page it is an error."""
    servers.answers[URL] = Reply('{"status": 404, "message": "Record Not Found"}', status=404)
    response = make_wire().get(URL, wants="json", hosts=(HOST,))
    assert (response.status, response.kind) == (404, "application/json")
    for wants, reply in [
        ("html", Reply(PAGE, "text/html", 404)),
        ("csv", Reply("no such file", "text/plain", 404)),
        ("json", Reply('{"errors": {"agencies": "x is no agency"}}', status=400)),
    ]:
        servers.answers[URL] = reply
        with pytest.raises(RecordError) as caught:
            get(wants=wants)
        assert (type(caught.value), caught.value.exit_code) == (RecordError, 1)


def test_kinds_of_files(servers: Authorities) -> None:
    for wants, reply in [
        ("csv", Reply(b'1,"A"\r\n\x1a', "application/octet-stream")),
        ("html", Reply(PAGE, "text/html; charset=utf-8")),
        ("xml", Reply("<rss><item>A &amp; B</item></rss>", "application/rss+xml")),
        ("text", Reply(b"[FR Doc. 2019\xe2\x80\x9317920 Filed 8-19-19; 8:45 am]", "text/plain")),
    ]:
        servers.answers[URL] = reply
        assert get(wants=wants) == reply.data


@pytest.mark.parametrize("wants", ["csv", "xml"])
def test_a_page_in_place_of_a_file(servers: Authorities, wants: str) -> None:
    servers.answers[URL] = CHALLENGE
    with pytest.raises(WireError):
        get(wants=wants)


def test_another_page(servers: Authorities) -> None:
    servers.answers[URL] = CHALLENGE
    with pytest.raises(WireError):
        get(wants="html", holds="Covered List")
    servers.answers[URL] = Reply(PAGE.replace("</html>", ""), "text/html")
    with pytest.raises(WireError):
        get(wants="html")


def test_packed_answers(servers: Authorities) -> None:
    servers.answers[URL] = Reply(GOOD.body, headers={"Content-Encoding": "gzip"})
    assert get() == GOOD.data
    assert servers.log[0][1]["accept-encoding"] == "gzip"


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_an_answer_that_is_too_large(servers: Authorities, headers: dict[str, str]) -> None:
    servers.answers[URL] = Reply(b"0" * (50 << 20), "text/csv", headers=headers)
    with pytest.raises(RecordError) as caught:
        make_wire(timeout=60.0).get(URL, wants="csv", hosts=(HOST,))
    assert (type(caught.value), caught.value.exit_code) == (RecordError, 1)


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><lolz>&lol2;</lolz>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_a_document_type(servers: Authorities, encoding: str) -> None:
    servers.answers[URL] = Reply(BOMB.encode(encoding), "text/xml")
    with pytest.raises(RecordError) as caught:
        get(wants="xml")
    assert caught.value.exit_code == 1
    assert len(servers.log) == 1


def test_xml_is_read() -> None:
    root = read_xml(b'<a x="1"><b>one</b>tail<b/></a>')
    assert [child.tag for child in root] == ["b", "b"]
    assert (root[0].text, root[0].tail, root.get("x")) == ("one", "tail", "1")


def test_requests_are_spaced(servers: Authorities) -> None:
    wire = make_wire(pause=0.3)
    start = time.monotonic()
    for _ in range(3):
        wire.get(URL, wants="json", hosts=(HOST,))
    assert time.monotonic() - start >= 0.6


def test_what_the_server_asks_us_to_wait(servers: Authorities) -> None:
    servers.answers[URL] = [Reply(status=429, headers={"Retry-After": "1"}), GOOD]
    start = time.monotonic()
    get()
    assert time.monotonic() - start >= 1
    servers.answers[URL] = [
        Reply(status=429, headers={"Retry-After": str(int(LONGEST_WAIT) + 1)}),
        GOOD,
    ]
    with pytest.raises(WireError):
        get()
    assert len(servers.log) == 3


def test_forms_of_a_wait() -> None:
    later = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 25 < seconds_to_wait(later) <= 30
    assert [seconds_to_wait(text) for text in ("", "7", "soon", "-3")] == [0, 7, 0, 0]


def test_nothing_changed(servers: Authorities) -> None:
    servers.answers[URL] = Reply(GOOD.body, headers={"ETag": '"a1"'})
    response = make_wire().get(URL, wants="json", hosts=(HOST,), etag='"a1"')
    assert (response.status, response.body) == (304, b"")


def test_a_host_that_fails_is_not_asked_for_ever(servers: Authorities) -> None:
    wire = make_wire()
    servers.answers[URL] = Reply(PAGE, "text/html", 403)
    for _ in range(5):
        with pytest.raises(WireError):
            wire.get(URL, wants="json", hosts=(HOST,))
    assert len(servers.log) == 3
    # Another host is.
    wire.get(ELSEWHERE, wants="json", hosts=("bucket.example.com",))


def test_no_secret_of_an_address_is_shown(servers: Authorities) -> None:
    servers.answers[f"{URL}?token=abcdefgh"] = FAULTS["500"]
    with pytest.raises(EventStudyError) as caught:
        get(f"{URL}?token=abcdefgh")
    assert "abcdefgh" not in str(caught.value)


def test_terminal_escapes_of_a_server_are_not_passed_on(servers: Authorities) -> None:
    from eventstudy.words import make_visible

    servers.answers[URL] = Reply("\x1b[31mred", "text/plain", 418)
    with pytest.raises(RecordError) as caught:
        get()
    assert "\x1b" not in make_visible(str(caught.value))
