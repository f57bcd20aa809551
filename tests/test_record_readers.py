"""Readers of the UFLPA list, the Covered List and the Federal Register, on recorded and made answers."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st
from servers_standin import CHALLENGE, Authorities, Reply

from eventstudy.errors import RecordError, WireError
from eventstudy.records import Named, RecordSource, Shelf
from eventstudy.records.clocks import Clock, TimeBasis
from eventstudy.records.fcc import Fcc, maker_in
from eventstudy.records.federal_register import (
    DESK,
    PRINT,
    QUERIES,
    FederalRegister,
    desk_of,
    document,
    names_in,
    print_of,
    read_documents,
    read_verb,
)
from eventstudy.records.pages import Entry, Page, PageSource, changes, date_in
from eventstudy.records.uflpa import Uflpa, read_names
from eventstudy.wire import Wire

SAMPLES = SHARED / "record-samples"
EVER = (dt.date(2000, 1, 1), dt.date(2040, 1, 1))
NIGHT = (dt.date(2026, 7, 7), dt.date(2026, 7, 31))
recorded = pytest.mark.skipif(not SAMPLES.exists(), reason="needs the recorded answers")


def moment(day: int, hour: int = 3, month: int = 7) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


def keep(shelf: Shelf, url: str, body: bytes | str | dict[str, Any], at: dt.datetime) -> None:
    body = json.dumps(body) if isinstance(body, dict) else body
    data = body.encode() if isinstance(body, str) else body
    shelf.keep(url, data, kind="text/html", at=at)


def verbs(named: list[Named]) -> list[tuple[str, str]]:
    return [(one.action.verb, one.name) for one in named]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "record")


def page(rows: list[tuple[str, str]], above: str = "", other: str = "") -> str:
    """Return a page in the shape of the UFLPA list: a table of names and days, and one of more."""
    cells = "".join(f"<tr><td>{name}</td><td>{day}</td></tr>" for name, day in rows)
    return (
        f"<!doctype html><html><head><style>td {{}}</style><script>var a = '<table>';</script></head>"
        f"<body><h1>UFLPA Entity List</h1><table><tr><th>News</th><th>Day</th></tr><tr><td>{other}</td>"
        f"<td>today</td></tr></table><p>{above}</p><table><thead><tr><th>Name of Entity</th>"
        f"<th>Effective Date</th></tr></thead><tbody>{cells}</tbody></table></body></html>"
    )


A, B, C = (
    ("A Co., Ltd.", "June 21, 2022"),
    ("B Corp.", "August 9, 2024"),
    ("C Inc.", "July 9, 2026"),
)


# ------------------------------------------------------------------ recorded pages


@recorded
def test_three_nights_of_the_covered_list(shelf: Shelf) -> None:
    source = Fcc()
    for day in (6, 8, 24):
        file = SAMPLES / "fcc-covered-list" / f"coveredlist_2026-07-{day:02}.html"
        keep(shelf, source.url, file.read_bytes(), moment(day))
    named = list(source.read(shelf, *EVER))
    nights = Counter((one.action.verb, one.action.seen) for one in named)
    assert nights == {("added", moment(6)): 13, ("added", moment(8)): 1, ("revised", moment(24)): 1}
    new, reworded = list(source.read(shelf, *NIGHT))
    assert (new.name, new.action.claimed) == ("Digitalsystem Technology Inc.", dt.date(2026, 7, 7))
    assert new.action.looked_before == moment(6)
    assert (reworded.name, reworded.action.claimed) == ("Kaspersky Lab, Inc.", None)
    assert reworded.action.looked_before == moment(8)
    makers = {one.name for one in named if one.kind == "company"}
    assert {
        "Huawei Technologies Company",
        "ZTE Corporation",
        "China Telecom (Americas) Corp.",
    } <= makers
    # Drones and routers of any country have no maker.
    assert len([one for one in named if one.kind == "unknown"]) == 2


@recorded
def test_two_nights_of_the_uflpa_list(shelf: Shelf) -> None:
    source = Uflpa()
    body = (SAMPLES / "uflpa" / "uflpa_entity_list_2026-07-24.html").read_bytes()
    keep(shelf, source.url, body, moment(24))
    named = list(source.read(shelf, *EVER))
    assert sorted(Counter(one.action.listing for one in named).values()) == [9, 43, 108]
    assert all(isinstance(one.action.claimed, dt.date) for one in named)
    text = Page(shelf.kept(source.url)[0]).text
    assert all(one.excerpt in text for one in named)
    rows = {row[0] for table in Page(shelf.kept(source.url)[0]).tables for row in table.rows[1:]}
    assert len(rows) == 150
    keep(shelf, source.url, body, moment(25))
    assert list(source.read(shelf, *EVER)) == named
    assert list(source.read(shelf, *NIGHT)) == []
    # The same rows in another design, on a night later.
    keep(shelf, source.url, body.replace(b"<td>", b"<td class='new'>\n "), moment(26))
    assert list(source.read(shelf, *NIGHT)) == []
    by_name = {one.name: one for one in named}
    assert by_name["Hoshine Silicon Industry (Shanshan) Co., Ltd"].other_names == (
        "Hesheng Silicon Industry (Shanshan) Co.",
    )
    assert by_name["Changhong Meiling Co., Ltd."].former_names == (
        "Hefei Meiling Co., Ltd.", "Hefei Meiling Group Holdings Limited",
    )  # fmt: skip


# ------------------------------------------------------------------ lists on pages


@pytest.mark.parametrize("source", [Uflpa(), Fcc(), FederalRegister()], ids=lambda one: one.name)
def test_a_source_is_one(source: RecordSource) -> None:
    assert isinstance(source, RecordSource)


def test_what_became_of_a_list(shelf: Shelf) -> None:
    source = Uflpa()
    nights = [
        page([A, B], other="one"),
        page([A, B], other="two"),
        page([A, B, C], other="three"),
        page([A, (f"{B[0]} (formerly known as D Ltd.)", B[1]), C]),
        page([(A[0], "June 22, 2022"), C]),
    ]
    for day, body in enumerate(nights, 20):
        keep(shelf, source.url, body, moment(day))
    later = [one for one in source.read(shelf, *EVER) if one.action.seen != moment(20)]
    assert verbs(later) == [
        ("added", "C Inc."), ("revised", "B Corp."), ("revised", "A Co., Ltd."), ("removed", "B Corp."),
    ]  # fmt: skip
    seen = [(one.action.seen, one.action.looked_before) for one in later]
    assert seen == [(moment(day), moment(day - 1)) for day in (22, 23, 24, 24)]
    # What was removed stands in the answer before.
    assert later[-1].retrieved_at == moment(23)
    assert later[-1].former_names == ("D Ltd.",)
    assert later[0].action.claimed == dt.date(2026, 7, 9)
    assert [one.action.claimed for one in later[1:]] == [None] * 3


def test_a_day_to_come_is_not_that_of_the_news(shelf: Shelf) -> None:
    keep(shelf, Uflpa.url, page([A]), moment(1))
    keep(shelf, Uflpa.url, page([A, C]), moment(8))
    (named,) = Uflpa().read(shelf, dt.date(2026, 7, 8), dt.date(2026, 7, 8))
    assert (named.action.claimed, named.action.effective_on) == (None, dt.date(2026, 7, 9))
    assert (named.action.seen, named.action.looked_before) == (moment(8), moment(1))


@pytest.mark.parametrize("source", [Uflpa(), Fcc()], ids=lambda one: one.name)
def test_a_day_on_which_the_page_did_not_have_it_is_contradicted(
    source: PageSource, shelf: Shelf
) -> None:
    nights = {10: [A], 12: [A, B], 20: [A, B, C]}  # C is of 9 July
    for day, rows in nights.items():
        body = page(rows).replace("Name of Entity", "Covered Equipment (name)")
        keep(shelf, source.url, body, moment(day))
    bases = [Clock.of(one.action) for one in source.read(shelf, *EVER)]
    assert [clock.basis for clock in bases] == [
        TimeBasis.PRINTED_DATE, TimeBasis.CONTRADICTED, TimeBasis.CONTRADICTED,
    ]  # fmt: skip
    assert [clock.public_by for clock in bases[1:]] == [moment(12), moment(20)]


def test_days_that_are_asked_for(shelf: Shelf) -> None:
    keep(shelf, Uflpa.url, page([A, B, C]), moment(20))
    source = Uflpa()
    assert verbs(list(source.read(shelf, dt.date(2024, 8, 9), dt.date(2024, 8, 9)))) == [
        ("added", "B Corp.")
    ]
    assert list(source.read(shelf, dt.date(2026, 7, 20), dt.date(2026, 7, 20))) == []
    assert list(Uflpa().read(Shelf(shelf.folder / "none"), *EVER)) == []


def test_parts_of_a_list_and_their_names_on_the_page(shelf: Shelf) -> None:
    keep(shelf, Uflpa.url, page([A], above="Section 2(d)(2)(B)(ii)"), moment(20))
    # One night the page does not name the part: nothing was added.
    keep(shelf, Uflpa.url, page([A, C]), moment(21))
    named = list(Uflpa().read(shelf, *EVER))
    assert [one.action.listing for one in named[:1]] == ["UFLPA Entity List (ii)"]
    assert sorted(verbs(named[1:])) == [("added", "C Inc."), ("revised", "A Co., Ltd.")]


entries = st.builds(
    Entry, st.sampled_from(["", "(ii)"]), st.text("ab ", min_size=1, max_size=4),
    st.sampled_from([None, dt.date(2022, 6, 21), dt.date(2024, 8, 9)]), st.sampled_from("AB"),
)  # fmt: skip


@given(st.lists(entries, max_size=6), st.lists(entries, max_size=6))
def test_changes_lead_from_one_list_to_the_other(before: list[Entry], now: list[Entry]) -> None:
    found = list(changes(before, now))
    count = Counter(verb for verb, _, _ in found)
    assert len(before) + count["added"] - count["removed"] == len(now)
    assert not Counter(entry for verb, entry, _ in found if verb != "removed") - Counter(now)
    assert not Counter(entry for verb, entry, _ in found if verb == "removed") - Counter(before)
    old = Counter(text for verb, _, text in found if verb == "revised")
    assert not old - Counter(entry.text for entry in before)
    assert list(changes(now, now)) == []
    assert list(changes(now, now[::-1])) == []


@pytest.mark.parametrize(
    "body",
    [
        page([]), "<html><p>UFLPA</p></html>", page([A]).partition("</tbody>")[0],
        page([A]).replace("Effective Date", "Remark"), "",
    ],
)  # fmt: skip
def test_a_page_without_the_list_is_no_empty_list(shelf: Shelf, body: str) -> None:
    keep(shelf, Uflpa.url, page([A]), moment(20))
    keep(shelf, Uflpa.url, body, moment(21))
    keep(shelf, Fcc.url, body, moment(21))
    for source in (Uflpa(), Fcc()):
        with pytest.raises(RecordError) as caught:
            list(source.read(shelf, *EVER))
        assert caught.value.exit_code == 1
        assert source.hosts[0] in str(caught.value)


def test_cells_that_do_not_end_and_odd_letters(shelf: Shelf) -> None:
    row = "<tr><td>A &amp; B\u202e Co.\x1b[31m<br>(and one alias: C)<td>06/21/2022<tr><td>=cmd()<td>no day"
    body = f"<html>UFLPA<table><tr><th>Name<th>Date{row}</table></html>"
    keep(shelf, Uflpa.url, body, moment(20))
    named = list(Uflpa().read(shelf, *EVER))
    assert [(one.name, one.action.effective_on) for one in named] == [
        ("A & B\u202e Co.\x1b[31m", dt.date(2022, 6, 21)), ("=cmd()", None),
    ]  # fmt: skip
    assert named[0].other_names == ("C",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A Co.", ("A Co.", (), ())),
        ("A (Group) Co., Ltd.", ("A (Group) Co., Ltd.", (), ())),
        ("A Ltd. (and two aliases: B; and C (North))", ("A Ltd.", (), ("B", "C (North)"))),
        ("A Ltd. (including one alias: B (C) Co.) and subsidiaries", ("A Ltd.", (), ("B (C) Co.",))),
        ("A Ltd., and Subsidiaries", ("A Ltd.", (), ())),
        ("A Corps (XPCC) and its subordinate and affiliated entities", ("A Corps (XPCC)", (), ())),
        ("A Ltd. (also known as B Co. and formerly known as C Trade and D Co.)", ("A Ltd.", ("C Trade and D Co.",), ("B Co.",))),
        ("A Ltd. (also known as B; and formerly known as C; D)", ("A Ltd.", ("C", "D"), ("B",))),
        ("A Ltd. (also known as B Ltd. and C)", ("A Ltd.", (), ("B Ltd.", "C"))),
        ("(formerly known as B", ("(formerly known as B", (), ())),
    ],
)  # fmt: skip
def test_names_of_a_row(text: str, names: tuple[str, tuple[str, ...], tuple[str, ...]]) -> None:
    assert read_names(text) == names


@pytest.mark.parametrize(
    ("text", "maker"),
    [
        (
            "Equipment produced by A Company, including services provided by such entity",
            "A Company",
        ),
        ("Software produced or provided by A Lab, Inc. or any of its successors", "A Lab, Inc."),
        ("Services supplied, directly or indirectly, by A Lab or any of its parents", "A Lab"),
        ("Services provided by A Inc. subject to section 214", "A Inc."),
        ("Services provided by A Corp and its wholly-owned subsidiary B LLC subject to", "A Corp"),
        ("Routers produced in a foreign country, except those approved by DoW", ""),
        ("Equipment produced by such entity", ""),
    ],
)
def test_who_makes_it(text: str, maker: str) -> None:
    assert maker_in(text) == maker


def test_days_as_printed() -> None:
    texts = (
        "June 21, 2022",
        "on Sept. 3 2024*",
        "6/21/2022",
        "February 30, 2024",
        "May be",
        "13/40/2022",
        "",
    )
    assert [date_in(text) for text in texts] == [
        dt.date(2022, 6, 21), dt.date(2024, 9, 3), dt.date(2022, 6, 21), None, None, None, None,
    ]  # fmt: skip


# ------------------------------------------------------------------ Federal Register

RULE = {
    "document_number": "2019-22210", "title": "Addition of Certain Entities to the Entity List",
    "action": "Final rule.", "abstract": "The rule adds 28 entities.", "effective_on": "2019-10-09",
    "publication_date": "2019-10-09", "citation": "84 FR 54002", "html_url": "https://www.federalregister.gov/d/2019-22210",
    "agencies": [
        {"name": "Commerce Department", "slug": "commerce-department"},
        {"name": "Industry and Security Bureau", "slug": "industry-and-security-bureau"},
    ],
}  # fmt: skip
FILED = {
    "document_number": "2019-22210", "title": "Addition of Certain Entities to the Entity List",
    "filed_at": "2019-10-07T16:15:00.000-04:00", "publication_date": "2019-10-09", "editorial_note": None,
    "agencies": RULE["agencies"][1:],  # type: ignore[index]
}  # fmt: skip
WITHDRAWN = FILED | {
    "filed_at": None, "publication_date": None,
    "editorial_note": "An agency letter requesting withdrawal of this document was received.",
}  # fmt: skip


def results(*documents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"count": len(documents), "results": list(documents), **more}


@recorded
def test_the_recorded_desk(shelf: Shelf) -> None:
    file = SAMPLES / "federal-register" / "public_inspection_current_2026-10-02_trimmed.json"
    keep(shelf, f"{DESK}/current.json", file.read_bytes(), moment(2, 18, 10))
    found = {number: document(shelf, number) for number in read_documents(shelf)}
    assert {number: (one.verb, str(one.claimed)) for number, one in found.items() if one} == {
        "2026-20295": ("withdrawn", "None"),
        "2026-20228": ("unclear", "2026-10-01 14:00:00-04:00"),
        "2026-20338": ("unclear", "2026-10-01 16:15:00-04:00"),
        "2026-20282": ("unclear", "2026-10-02 08:45:00-04:00"),
    }
    assert all(one and one.seen == moment(2, 18, 10) for one in found.values())


@recorded
def test_older_forms_of_the_desk(shelf: Shelf) -> None:
    shapes = json.loads((SAMPLES / "federal_register_public_inspection.json").read_text())
    keep(shelf, desk_of(dt.date(2020, 4, 22)), shapes["by_date_shape"]["body"], moment(1))
    keep(shelf, f"{DESK}.json", results(shapes["current_search_shape"]["result"]), moment(1))
    claimed = [
        str(one.claimed) for number in read_documents(shelf) if (one := document(shelf, number))
    ]
    assert sorted(claimed) == [
        "2020-04-20 16:15:00-04:00", "2020-04-21 08:45:00-04:00", "2026-09-23 20:15:00+00:00",
    ]  # fmt: skip


@recorded
def test_verbs_of_recorded_titles() -> None:
    file = SAMPLES / "federal-register" / "list_documents_2020_2025.csv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    found = {row["document_number"]: read_verb(row["title"], "", row["abstract"]) for row in rows}
    assert len(found) == 66
    # One correction adds an omitted entity; the others add nothing.
    assert (found["2022-07643"], found["2023-13196"]) == ("corrected", "unclear")
    # Of these the abstract says what the title does not.
    assert {found[number] for number in ("2020-27931", "2022-02536", "2025-07185")} == {"unclear"}
    # Notices that a list is printed again name nobody new for certain.
    assert {found[number] for number in ("2024-06895", "2025-00070", "2022-03378")} == {"unclear"}
    plain = re.compile(
        r"^(?:Additions? (?:of |to )(?:Certain )?(?:Entities )?(?:to )?the Entity List|Entity List Additions)$"
    )
    assert {found[row["document_number"]] for row in rows if plain.match(row["title"])} <= {
        "added",
        "unclear",
    }
    assert [number for number, verb in found.items() if verb == "removed"] == [
        "2023-25557",
        "2023-27932",
        "2024-01253",
    ]


@pytest.mark.parametrize(
    ("title", "action", "verb"),
    [
        ("Additions to the Entity List", "Final rule.", "added"),
        ("Removal of an Entity From the Entity List", "", "removed"),
        ("Additions and Modifications to the Entity List", "", "unclear"),
        ("Modification to the Entity List", "", "revised"),
        ("Additions to the Entity List", "Final rule; correction.", "corrected"),
        ("Notice of OFAC Sanctions Actions", "Notice.", "unclear"),
        ("", "", "unclear"),
    ],
)
def test_verbs(title: str, action: str, verb: str) -> None:
    assert read_verb(title, action) == verb
    assert read_verb(title, action, is_correction=True) == "corrected"


def test_a_document_is_dated(shelf: Shelf) -> None:
    assert document(shelf, "2019-22210") is None
    keep(shelf, f"{PRINT}/2019-22210.json", RULE, moment(2))
    action = document(shelf, "2019-22210")
    assert action is not None
    # Print alone gives a day.
    assert action.claimed == dt.date(2019, 10, 9)
    keep(shelf, f"{DESK}/2019-22210.json", FILED, moment(3))
    action = document(shelf, "2019-22210")
    assert action is not None
    assert str(action.claimed) == "2019-10-07 16:15:00-04:00"
    assert (action.printed_on, action.effective_on) == (dt.date(2019, 10, 9), dt.date(2019, 10, 9))
    assert (action.citation, action.verb, action.listing) == ("84 FR 54002", "added", "Entity List")
    assert (action.seen, action.looked_before) == (moment(2), None)
    assert action.authority == "Industry and Security Bureau"


def test_a_withdrawn_document_keeps_the_time_of_an_earlier_answer(shelf: Shelf) -> None:
    url = desk_of(dt.date(2019, 10, 8))
    keep(shelf, url, results(FILED), moment(1, 3))
    keep(shelf, url, results(WITHDRAWN), moment(1, 6))
    days = (dt.date(2019, 10, 1), dt.date(2019, 10, 31))
    filed, withdrawn = FederalRegister().actions(shelf, *days)
    assert (filed.verb, str(filed.claimed)) == ("added", "2019-10-07 16:15:00-04:00")
    assert (withdrawn.verb, withdrawn.claimed) == ("withdrawn", None)
    assert (withdrawn.seen, withdrawn.looked_before) == (moment(1, 6), moment(1, 3))
    last = document(shelf, "2019-22210")
    assert last is not None
    assert (last.verb, last.claimed) == ("withdrawn", filed.claimed)


def test_a_document_that_vanishes_from_the_desk(shelf: Shelf) -> None:
    other = FILED | {"document_number": "2019-99999"}
    url = desk_of(dt.date(2019, 10, 8))
    keep(shelf, url, results(FILED, other), moment(1, 3))
    # At night the desk is closed, and lists another day.
    keep(shelf, url, results(other, meta={"pil_unavailability_message": "..."}), moment(1, 4))
    assert [one.verb for one in FederalRegister().actions(shelf, *EVER)] == ["added", "added"]
    keep(shelf, url, results(FILED, other), moment(1, 5))
    keep(shelf, url, results(other), moment(1, 6))
    assert [one.verb for one in FederalRegister().actions(shelf, *EVER)] == [
        "added",
        "withdrawn",
        "added",
    ]
    # It was printed all the same.
    keep(shelf, f"{PRINT}/2019-22210.json", RULE, moment(3))
    assert [one.verb for one in FederalRegister().actions(shelf, *EVER)] == ["added", "added"]


def test_a_document_leaves_the_desk_when_it_is_printed(shelf: Shelf) -> None:
    url = desk_of(dt.date(2019, 10, 9))
    keep(shelf, url, results(FILED), moment(1, 3))
    keep(shelf, url, results(), moment(1, 6))
    assert [one.verb for one in FederalRegister().actions(shelf, *EVER)] == ["added"]


def test_only_documents_about_lists_are_yielded(shelf: Shelf) -> None:
    meeting = FILED | {"document_number": "2019-1", "title": "Meetings; Sunshine Act"}
    ofac = FILED | {
        "document_number": "2019-2", "title": "Notice of OFAC Sanctions Actions",
        "agencies": [{"name": "Treasury", "slug": "treasury-department"}, {"slug": "foreign-assets-control-office"}],
    }  # fmt: skip
    keep(shelf, desk_of(dt.date(2019, 10, 8)), results(FILED, meeting, ofac), moment(1))
    found = [one.document_number for one in FederalRegister().actions(shelf, *EVER)]
    assert found == ["2019-2", "2019-22210"]


@pytest.mark.parametrize("body", ["<html>a page</html>", "[]", 2000 * "["])
def test_a_kept_answer_that_is_no_json_is_told(shelf: Shelf, body: str) -> None:
    url = f"{PRINT}/2019-22210.json"
    keep(shelf, url, body, moment(1))
    with pytest.raises(RecordError) as caught:
        list(FederalRegister().actions(shelf, *EVER))
    assert caught.value.where == url
    assert caught.value.remedy


def test_names_in_an_answer(shelf: Shelf) -> None:
    abstract = 'by revising the entry for "Huawei Cloud Brazil" and adding "Huawei Technologies Co., Ltd." to it'
    assert [name for name, _ in names_in("", abstract)] == ["Huawei Technologies Co., Ltd."]
    keep(shelf, f"{PRINT}/2019-22210.json", RULE | {"abstract": abstract}, moment(2))
    (named,) = FederalRegister().read(shelf, *EVER)
    assert (named.name, named.action.verb) == ("Huawei Technologies Co., Ltd.", "unclear")
    assert named.excerpt in abstract


# ------------------------------------------------------------------ asking


def all_queries(since: dt.date, *replies: Reply) -> dict[str, Reply | list[Reply]]:
    """Return empty answers for all that is asked of print, the first as given."""
    empty = Reply('{"description": "All Documents", "count": 0}')
    answers: dict[str, Reply | list[Reply]] = {print_of(query, since): empty for query in QUERIES}
    if replies:
        answers[print_of(QUERIES[0], since)] = list(replies)
    return answers


SINCE, UNTIL = dt.date(2019, 10, 8), dt.date(2019, 10, 9)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authorities]:
    with Authorities(all_queries(SINCE)) as standin:
        for day in (SINCE, UNTIL):
            standin.answers[desk_of(day)] = Reply(json.dumps(results()))
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        yield standin


@pytest.fixture
def online(shelf: Shelf, servers: Authorities) -> Shelf:
    return Shelf(shelf.folder, Wire("jane@example.org", pause=0.01, timeout=2.5))


def files_of(shelf: Shelf) -> dict[str, bytes]:
    files = [path for path in sorted(shelf.folder.rglob("*")) if path.is_file()]
    return {str(path): path.read_bytes() for path in files if not path.name.startswith(".")}


def test_a_night_of_the_register(online: Shelf, servers: Authorities) -> None:
    """Print names a document by pages, the desk is asked for its minute; nothing is asked twice."""
    second = f"{PRINT}?format=json&order=oldest&page=2&search_after_cursor=WzE3"
    old = RULE | {"document_number": "2019-1", "publication_date": "2019-10-08"}
    servers.answers |= all_queries(
        SINCE, Reply(json.dumps(results(old, count=2, next_page_url=f"{second}&_=1570000000")))
    )
    servers.answers[second] = Reply(json.dumps(results(RULE, count=2)))
    minute = FILED | {"document_number": "2019-1", "filed_at": "2019-10-07T08:45:00.000-04:00"}
    servers.answers[f"{DESK}/2019-1,2019-22210.json"] = Reply(json.dumps(results(FILED, minute)))
    source = FederalRegister()
    source.ask(online, SINCE, UNTIL)
    claimed = [str(one.claimed) for one in source.actions(online, *EVER)]
    assert claimed == ["2019-10-07 08:45:00-04:00", "2019-10-07 16:15:00-04:00"]
    first = files_of(online)
    count = len(servers.log)
    source.ask(online, SINCE, UNTIL)
    assert files_of(online) == first
    # All but the desk of the two documents.
    assert len(servers.log) == 2 * count - 1
    assert all("_=" in urlsplit(url).query for url in servers.urls)


def test_an_empty_register(online: Shelf) -> None:
    FederalRegister().ask(online, SINCE, UNTIL)
    assert list(FederalRegister().actions(online, *EVER)) == []


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        (results(RULE, count=2, next_page_url=print_of(QUERIES[0], SINCE)), WireError),
        (results(RULE, count=3), WireError),
        (results(RULE, count=10_000), RecordError),
        (results(RULE, next_page_url="https://elsewhere.example.com/"), RecordError),
    ],
    ids=["back to the first page", "not whole", "too many", "elsewhere"],
)
def test_lists_that_are_not_whole(
    online: Shelf, servers: Authorities, facts: dict[str, Any], error: type[RecordError]
) -> None:
    servers.answers |= all_queries(SINCE, Reply(json.dumps(facts)))
    with pytest.raises(RecordError) as caught:
        FederalRegister().ask(online, SINCE, UNTIL)
    assert type(caught.value) is error


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_page_in_place_of_the_register(online: Shelf, servers: Authorities, status: int) -> None:
    servers.answers |= all_queries(SINCE, Reply(CHALLENGE.body, "text/html", status))
    with pytest.raises(WireError) as caught:
        FederalRegister().ask(online, SINCE, UNTIL)
    assert caught.value.exit_code == 75


def test_one_document_is_asked_for(online: Shelf, servers: Authorities) -> None:
    """Of what it does not have the server answers a page with status 404."""
    source, number = FederalRegister(), "2019-22210"
    desk, print_ = f"{DESK}/{number}.json", f"{PRINT}/{number}.json"
    servers.answers |= {
        desk: Reply(json.dumps(FILED)),
        print_: Reply(CHALLENGE.body, "text/html", 404),
    }
    source.ask_document(online, number)
    action = document(online, number)
    assert action is not None
    assert (str(action.claimed), action.printed_on) == ("2019-10-07 16:15:00-04:00", None)
    servers.answers[desk] = Reply('{"status": 404, "message": "Record Not Found"}', status=404)
    with pytest.raises(WireError) as caught:
        source.ask_document(online, number)
    assert number in str(caught.value)
    servers.answers[print_] = CHALLENGE
    with pytest.raises(WireError):
        source.ask_document(online, number)


@pytest.mark.parametrize("source", [Uflpa(), Fcc()], ids=lambda one: one.name)
def test_a_challenge_in_place_of_a_list(
    online: Shelf, servers: Authorities, source: Uflpa | Fcc
) -> None:
    servers.answers[source.url] = CHALLENGE
    with pytest.raises(WireError):
        source.ask(online, SINCE, UNTIL)
    assert online.kept(source.url) == []
    servers.answers[source.url] = Reply(page([A]).replace("UFLPA", source.holds), "text/html")
    source.ask(online, SINCE, UNTIL)
    assert len(online.kept(source.url)) == 1
