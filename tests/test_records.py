"""The public record: candidates, the review, decisions, and what becomes an event."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstudy.cli.main import main
from eventstudy.errors import AlteredError, ConfigError, EventsFileError
from eventstudy.events import Events
from eventstudy.records import Action, EventRecord, Shelf, accept
from eventstudy.records.clocks import Clock, TimeBasis
from eventstudy.records.decisions import Decisions
from eventstudy.records.names import ALIKE, Listing, Names, _alike, find_name, fold
from eventstudy.records.ofac import ALIASES, COMMENTS, PRIMARY
from eventstudy.records.tickers import is_isin, symbol_of

EXAMPLE = ROOT / "eventstudy" / "data" / "example"
SAMPLES = ROOT.parent / "shared" / "record-samples"
BY = "Jane Doe"


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Return the bundled list with its record, in a folder of its own."""
    shutil.copytree(EXAMPLE, tmp_path / "list")
    return tmp_path / "list" / "events.csv"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]], **options: Any) -> None:
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, list(rows[0]), **options)
        writer.writeheader()
        writer.writerows(rows)


def decide(record: EventRecord, answers: dict[str, dict[str, str]]) -> None:
    """Write into the review what a person would, by candidate."""
    rows = rows_of(record.review)
    for row in rows:
        row.update(answers.get(row["candidate_id"], {}))
    write_rows(record.review, rows)


def test_the_whole_list_of_ofac_is_read(listed: Path) -> None:
    found = EventRecord(listed).find(offline=True)
    assert len(found.named) == 68
    tickers = Counter(row.candidate.ticker for row in found.rows if row.candidate.ticker)
    assert sum(tickers.values()) == len(tickers) == 45
    firms = {row.candidate.named.name for row in found.rows if row.candidate.ticker}
    assert len(firms) == 40
    assert {ticker.rpartition(".")[2] for ticker in tickers} == {"SS", "SZ", "HK"}
    # By the list as printed: "601698  CN", "603019CN", "00981 HK", "941 HK".
    assert {"601698.SS", "603019.SS", "0981.HK", "0941.HK", "002415.SZ"} <= tickers.keys()


def test_a_page_of_the_same_day_gives_the_minute(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    rows = rows_of(record.review)
    of_day = [row for row in rows if row["action_id"] == "cmic/2021-06-03"]
    assert len({row["entity_as_printed"] for row in of_day}) == 59
    assert {row["public_no_later_than"] for row in of_day} == {"2021-06-03T13:59:44-04:00"}
    shares = [row for row in of_day if row["ticker"]]
    assert len({row["entity_as_printed"] for row in shares}) == 36
    assert {row["day0"] for row in shares} == {"2021-06-04"}
    others = [row for row in rows if row not in of_day]
    assert {row["public_no_later_than"] for row in others} == {"2021-12-10", "2021-12-16"}
    assert {row["time_basis"] for row in others} == {"printed date"}


def test_what_is_decided_becomes_an_event_and_nothing_else(listed: Path) -> None:
    before = listed.read_bytes()
    record = EventRecord(listed)
    record.find(offline=True)
    assert listed.read_bytes() == before
    taken = record.accept(BY)
    assert (taken.decisions, taken.events, listed.read_bytes()) == ([], [], before)
    wanted = {"600118.SS", "0981.HK"}
    answers = {}
    for row in rows_of(record.review):
        if row["ticker"] in wanted:
            answers[row["candidate_id"]] = {"decision": "yes", "direction": "adverse"}
        elif row["ticker"] == "688981.SS":
            answers[row["candidate_id"]] = {"decision": "no"}
    decide(record, answers)
    taken = record.accept(BY)
    assert Counter(one.decision for one in taken.decisions) == {"yes": 2, "no": 1}
    rows = rows_of(listed)
    new = rows[-2:]
    assert {row["ticker"] for row in new} == wanted
    assert [row["event_id"] for row in rows[:-2]] == [
        row["event_id"] for row in csv.DictReader(before.decode().splitlines())
    ]
    assert {row["decided_by"] for row in new} == {BY}
    assert {row["announced_at"] for row in new} == {"2021-06-03T13:59:44-04:00"}
    assert {row["selection"] for row in new} == {"record"}
    after = listed.read_bytes()
    assert record.accept(BY).events == []
    assert listed.read_bytes() == after


def test_an_event_says_on_what_its_time_rests(listed: Path) -> None:
    record = EventRecord(listed)
    uflpa = SAMPLES / "uflpa" / "uflpa_entity_list_2026-07-24.html"
    if not uflpa.exists():
        pytest.skip("the recorded samples are not here")
    record.keep("https://www.dhs.gov/uflpa-entity-list", uflpa)
    found = record.find(["uflpa"], offline=True)
    by_name = {row.candidate.named.name: row.candidate.id for row in found.rows}
    shares = {row.candidate.ticker: row.candidate.id for row in found.rows}
    yes = {"decision": "yes", "note": "read by hand"}
    earlier = {"announced_at": "2021-06-02T09:00-04:00"}
    hoshine = by_name["Hoshine Silicon Industry (Shanshan) Co., Ltd"]
    decide(record, {
        shares["002415.SZ"]: yes, shares["0981.HK"]: {**yes, **earlier},
        hoshine: {**yes, "chosen_ticker": "603260.SS"},
    })  # fmt: skip
    bases = {event["ticker"]: event["basis"] for event in record.accept(BY).events}
    assert bases == {
        "002415.SZ": "official release", "0981.HK": "first report", "603260.SS": "effective date",
    }  # fmt: skip


def test_a_census_is_an_action_all_of_whose_shares_are_decided(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    of_december = [row for row in rows_of(record.review) if row["action_id"] == "cmic/2021-12-16"]
    shares = [row["candidate_id"] for row in of_december if row["ticker"]]
    assert (len(of_december), len(shares)) == (8, 4)
    decide(
        record, {**{key: {"decision": "yes"} for key in shares[1:]}, shares[0]: {"decision": "no"}}
    )
    assert record.accept(BY).census == {}  # a "no" without a note may be a slip
    decide(record, {shares[0]: {"note": "its shares were not traded"}})
    assert list(record.accept(BY).census.values()) == [
        "ofac/cmic/2021-12-16: 8 named, 4 with a share"
    ]


def test_a_second_file_of_the_record_makes_the_same_rows_again(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    first = record.review.read_bytes()
    record.review.unlink()
    record.find(offline=True)
    assert record.review.read_bytes() == first
    some = next(row["candidate_id"] for row in rows_of(record.review) if row["ticker"])
    decide(record, {some: {"decision": "no", "note": "=cmd()"}})
    record.accept(BY)
    decided = record.review.read_bytes()
    record.review.unlink()
    record.find(offline=True)
    assert record.review.read_bytes() == decided
    assert "'=cmd()" in decided.decode()


def test_every_excerpt_stands_in_a_kept_answer(listed: Path) -> None:
    record = EventRecord(listed)
    found = record.find(offline=True)
    bodies = {}
    for path in record.folder.glob("answers/*/*.gz"):
        bodies[path.stem] = gzip.decompress(path.read_bytes()).decode()
    for row in found.rows:
        for entry in (row.candidate.named, row.candidate.proof):
            assert entry.excerpt
            assert entry.excerpt in bodies[entry.sha256]


def keep_changed_list(record: EventRecord, old: str, new: str) -> None:
    """Keep a later answer of OFAC in which one text is another."""
    shelf = Shelf(record.folder)
    body = shelf.kept(PRIMARY)[-1].body
    assert old.encode() in body
    at = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    shelf.keep(PRIMARY, body.replace(old.encode(), new.encode()), kind="text/csv", at=at)


def test_evidence_that_changed_voids_a_decision_on_it_alone(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    shares = [row["candidate_id"] for row in rows_of(record.review) if row["ticker"]]
    decide(record, {key: {"decision": "yes"} for key in shares})
    record.accept(BY)
    events = listed.read_bytes()
    keep_changed_list(
        record, "Equity Ticker 002415 CN; ", "Equity Ticker 002415 CN; ISIN US0378331005; "
    )
    found = record.find(offline=True)
    stale = [row for row in found.rows if row.state == "stale"]
    assert [row.candidate.ticker for row in stale] == ["002415.SZ"]
    assert stale[0].cells()["decision"] == ""
    done = CliRunner().invoke(main, ["check", str(listed)])
    assert "1 decision is stale: the evidence changed" in done.output
    assert record.accept(BY).decisions == []
    assert listed.read_bytes() == events
    decide(record, {stale[0].candidate.id: {"decision": "yes"}})
    assert len(record.accept(BY).decisions) == 1
    assert listed.read_bytes() == events  # the event is there already


def test_a_decision_on_evidence_that_changed_meanwhile_is_refused(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    decide(record, {some: {"decision": "yes"}})
    keep_changed_list(
        record, "Equity Ticker 002415 CN; ", "Equity Ticker 002415 CN; ISIN US0378331005; "
    )
    before = listed.read_bytes()
    for look_again in (False, True):
        if look_again:
            record.find(offline=True)
        with pytest.raises(EventsFileError, match="the evidence changed since you looked"):
            record.accept(BY)
    assert listed.read_bytes() == before


def test_all_faults_of_a_review_are_told_at_once(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    rows = rows_of(record.review)
    by_ticker = {row["ticker"]: row["candidate_id"] for row in rows}
    wrong = {
        "002415.SZ": {"decision": "yes", "chosen_ticker": "002415.TO"},
        "600118.SS": {"decision": "yes", "announced_at": "2021-06-09"},
        "0981.HK": {"decision": "perhaps"},
        "0883.HK": {"decision": "yes", "announced_at": "2021-06-03T10:00"},
        "1800.HK": {"decision": "yes", "when": "at noon"},
        "": {"decision": "yes"},
        "601800.SS": {"decision": "yes", "chosen_ticker": "0941.HK"},
    }
    decide(record, {by_ticker[ticker]: cells for ticker, cells in wrong.items()})
    before = listed.read_bytes()
    with pytest.raises(EventsFileError) as caught:
        record.accept(BY)
    assert {(problem.column) for problem in caught.value.problems} == {
        "chosen_ticker", "announced_at", "decision", "when", "note",
    }  # fmt: skip
    assert len(caught.value.problems) == len(wrong)
    lines = {k: row["ticker"] for k, row in enumerate(rows, 2)}
    text = record.review.read_text()
    assert all(problem.line <= text.count("\n") + 1 for problem in caught.value.problems)
    assert lines
    assert listed.read_bytes() == before
    assert not record.decisions.path.exists()


def test_a_decision_that_was_edited_is_found(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    shares = [row["candidate_id"] for row in rows_of(record.review) if row["ticker"]][:3]
    decide(record, {key: {"decision": "no"} for key in shares})
    record.accept(BY)
    path = record.decisions.path
    path.write_text(path.read_text().replace(",no,", ",yes,", 1))
    with pytest.raises(AlteredError, match=r"decisions\.csv:2"):
        record.find(offline=True)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_review_that_a_spreadsheet_saved_is_read(listed: Path, end: str) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    rows = rows_of(record.review)
    for row in rows:
        if row["ticker"] == "000768.SZ":
            row.update(decision="Yes", note='"seen", by me', direction="adverse")
    copy = listed.parent / "saved.csv"
    write_rows(copy, rows, encoding="utf-8-sig", delimiter=";", lineterminator=end)
    taken = record.accept(BY, copy)
    assert [one.ticker for one in taken.decisions] == ["000768.SZ"]
    assert taken.decisions[0].note == '"seen", by me'


def test_a_workbook_of_the_review_is_read(listed: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    record = EventRecord(listed)
    record.find(offline=True)
    book = openpyxl.Workbook()
    rows = list(csv.reader(record.review.read_text(encoding="utf-8").splitlines(keepends=True)))
    column = rows[0].index("decision")
    for row in rows:
        if "000768.SZ" in row:
            row[column] = "yes"
        book.active.append(row)
    book.save(listed.parent / "review.xlsx")
    taken = record.accept(BY, listed.parent / "review.xlsx")
    assert [one.ticker for one in taken.decisions] == ["000768.SZ"]


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.slow
@settings(max_examples=25)
@given(
    steps=st.lists(
        st.one_of(
            st.just(("find",)),
            st.tuples(st.just("type"), st.integers(0, 71), st.sampled_from(["yes", "no", "", "x"])),
            st.tuples(st.just("accept"), st.integers(0, 8)),
            st.tuples(st.just("change"), st.integers(0, 5)),
        ),
        min_size=3, max_size=8,
    )
)  # fmt: skip
def test_nothing_becomes_an_event_without_a_decision(steps: list[tuple[Any, ...]]) -> None:
    """Looks, edits, crashes between any two files, and later answers, in any order."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(EXAMPLE, Path(folder, "list"))
        events = Path(folder, "list", "events.csv")
        before = events.read_bytes()
        record = EventRecord(events)
        record.find(offline=True)
        for number, step in enumerate(steps):
            take_step(record, step, number)
            check_events(record, before)
        with suppress(EventsFileError):
            record.accept(BY)
        check_events(record, before)
        accepted = {d.candidate_id for d in record.decisions.all if d.decision == "yes"}
        ids = {name for row in rows_of(events) for name in row.get("record_id", "").split("; ")}
        assert accepted == ids - {""}


def take_step(record: EventRecord, step: tuple[Any, ...], number: int) -> None:
    if step[0] == "find":
        record.find(offline=True)
    elif step[0] == "type":
        rows = rows_of(record.review)
        rows[step[1] % len(rows)]["decision"] = step[2]
        write_rows(record.review, rows)
    elif step[0] == "change":
        shelf = Shelf(record.folder)
        body = shelf.kept(PRIMARY)[-1].body
        changed = body.replace(b"CNE", b"CNF", step[1])
        at = dt.datetime(2026, 11, 30, tzinfo=dt.UTC) + dt.timedelta(hours=number)
        shelf.keep(PRIMARY, changed, kind="text/csv", at=at)
    else:
        accept_until(record, step[1])


def accept_until(record: EventRecord, writes: int) -> None:
    """Accept, in a process that is killed before one of its files takes its place."""
    left = [writes]
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KilledError
        left[0] -= 1
        return replace(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with suppress(KilledError, EventsFileError):
            record.accept(BY)


def check_events(record: EventRecord, before: bytes) -> None:
    rows = rows_of(record.events)
    old = list(csv.DictReader(before.decode().splitlines()))
    assert [{k: row[k] for k in old[0]} for row in rows[: len(old)]] == old
    decisions = record.decisions.all
    for row in rows[len(old) :]:
        for name in row["record_id"].split("; "):
            one = next(d for d in decisions if d.candidate_id == name and d.decision == "yes")
            assert (one.decided_by, row["decided_by"]) == (BY, BY)
        assert row["evidence_sha256"] in {d.evidence_sha256 for d in decisions}
    ids = [name for row in rows for name in row.get("record_id", "").split("; ") if name]
    assert len(ids) == len(set(ids))


def accepted(listed: Path, *tickers: str) -> EventRecord:
    """Return a record in which some shares were decided with yes."""
    record = EventRecord(listed)
    record.find(offline=True)
    rows = rows_of(record.review)
    decide(record, {r["candidate_id"]: {"decision": "yes"} for r in rows if r["ticker"] in tickers})
    record.accept(BY)
    return record


@pytest.mark.parametrize("forge", ["no decisions", "another ticker", "nobody decided", "no note"])
def test_events_that_nobody_decided_are_not_added(listed: Path, forge: str) -> None:
    record = accepted(listed, "002415.SZ")
    event = {k: v for k, v in rows_of(listed)[-1].items() if k in accept.COLUMNS}
    [decision] = [asdict(one) for one in record.decisions.all]
    note: dict[str, Any] = {"decisions": [decision], "events": [event]}
    if forge == "no decisions":
        note["decisions"] = []
    elif forge == "another ticker":
        event |= {"ticker": "NVDA"}
    elif forge == "nobody decided":
        event |= {"record_id": "c0123456789ab"}
    pending = record.folder / ".pending.json"
    pending.write_text("[]" if forge == "no note" else json.dumps(note))
    shutil.copy(EXAMPLE / "events.csv", listed)
    before = listed.read_bytes()
    with pytest.raises(AlteredError, match=r"\.pending\.json"):
        record.accept(BY)
    assert listed.read_bytes() == before


def test_events_of_an_accept_that_was_killed_are_counted(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    rows = rows_of(record.review)
    shares = [row["candidate_id"] for row in rows if row["ticker"] in ("002415.SZ", "0981.HK")]
    before = len(rows_of(listed))
    decide(record, {shares[0]: {"decision": "yes"}})
    accept_until(record, 3)  # the note, the decisions and their head, and no event
    assert (len(record.decisions.all), len(rows_of(listed))) == (1, before)
    decide(record, {shares[1]: {"decision": "yes"}})
    taken = record.accept(BY)
    assert [event["record_id"] for event in taken.events] == shares
    assert (len(taken.decisions), taken.resumed, taken.unchanged) == (1, 1, before)
    assert len(rows_of(listed)) == before + 2


def test_decisions_that_are_gone_are_noticed(listed: Path) -> None:
    record = accepted(listed, "002415.SZ", "0981.HK")
    assert CliRunner().invoke(main, ["check", str(listed)]).exit_code == 0
    for file in ("decisions.csv", ".decisions.head"):
        (record.folder / file).unlink()
    before = listed.read_bytes()
    for command in (["check", str(listed)], ["events", "accept", str(listed), "--by", BY]):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == AlteredError.exit_code, done.output
        assert all(event["event_id"] in done.output for event in rows_of(listed)[-2:])
    assert listed.read_bytes() == before
    assert not record.decisions.path.exists()


def test_no_share_is_found_by_a_name_that_is_not_the_same() -> None:
    shares = Names(
        Listing(symbol, name)
        for symbol, name in {
            "300433.SZ": "Lens Technology Co., Ltd.",
            "0232.HK": "Continental Aerospace Technologies Holding Limited",
            "0883.HK": "CNOOC Limited",
            "0941.HK": "China Mobile Limited",
            "600893.SS": "AECC Aviation Power Co.,Ltd",
        }.items()
    )
    wrong = (
        "Leon Technology Company Limited", "Continental Aerospace Technologies",
        "China National Offshore Oil Corporation", "CNOOC Group", "China Mobile Communications Group",
        "Aero Engine Corporation of China",
    )  # fmt: skip
    assert [shares.same([name]) for name in wrong] == [[]] * len(wrong)
    assert [one.symbol for one in shares.same(["LENS TECHNOLOGY COMPANY LIMITED"])] == ["300433.SZ"]
    assert [one.symbol for one in shares.similar("Leon Technology Company Limited")] == [
        "300433.SZ"
    ]


@given(st.lists(st.text("abc d", min_size=1, max_size=12), min_size=2, max_size=6, unique=True))
def test_names_are_as_alike_without_rapidfuzz(names: list[str]) -> None:
    fuzz = pytest.importorskip("rapidfuzz.fuzz")
    first, *others = names
    expected = {other: fuzz.ratio(first, other) / 100 for other in others}
    found = {other: likeness for likeness, other in _alike(first, others)}
    assert found == pytest.approx({k: v for k, v in expected.items() if v >= ALIKE})


def test_a_similar_name_fills_in_no_ticker(listed: Path) -> None:
    names = listed.parent / "names.csv"
    names.write_text(
        "symbol,name,first_day\n300433.SZ,Megvii Technologies,\n0020.HK,SenseTime Group Inc.,2021-12-30\n"
    )
    record = EventRecord(listed)
    found = record.find(names=[names], offline=True)
    rows = {row.candidate.named.name: row for row in found.rows}
    megvii = rows["MEGVII TECHNOLOGY LIMITED"].candidate
    assert (megvii.ticker, str(megvii.match)) == ("", "similar name")
    assert megvii.alternatives == ("300433.SZ Megvii Technologies",)
    # Listed after the action: no event, whatever its name.
    sense = rows["SENSETIME GROUP LIMITED"].candidate
    assert (sense.ticker, sense.not_listed_then) == ("", "2021-12-30")
    decide(record, {megvii.id: {"decision": "yes"}})
    with pytest.raises(EventsFileError, match="yes needs chosen_ticker and a note"):
        record.accept(BY)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("China Mobile Limited", "and China Mobile Communications Group Co., Ltd.", None),
        ("China Mobile Limited", "and China\nMobile Limited; others", "China\nMobile Limited"),
        ("Electronics Group Co", "of Panda Electronics Group Co., Ltd", None),
        ("AVIC XI'AN AIRCRAFT", "the AVIC Xi’An Aircraft Company Ltd. too", "AVIC Xi’An Aircraft Company Ltd"),
        ("Proven Honour Capital", "Proven Honour Capital Limited.\n\nFor more", "Proven Honour Capital Limited"),
        ("A & B Inc", "named A and B Inc., today", "A and B Inc"),
    ],
)  # fmt: skip
def test_a_name_is_found_as_a_whole(name: str, text: str, found: str | None) -> None:
    span = find_name(name, text)
    assert (text[slice(*span)] if span else None) == found


def test_names_are_equal_but_for_spelling() -> None:
    assert fold("Société Générale S.A.") == fold("SOCIETE GENERALE S.A.")
    assert fold("Costar Group Co., Ltd.") != fold("Costar Co., Ltd.")
    assert fold("Limited Brands Inc.") == "limited brands"


def day0_of(ticker: str, stamp: str) -> str:
    checked, problems = Events.check(pd.DataFrame({"ticker": [ticker], "announced_at": [stamp]}))
    assert not problems
    assert checked is not None
    return str(checked.day0[0])


def test_tickers_of_ofac_are_not_those_of_bloomberg() -> None:
    """Bloomberg's CN is Canada; OFAC's is China."""
    from eventstudy.calendars import Symbol

    assert Symbol.of_bloomberg("002415 CN") == "002415.TO"
    assert symbol_of("002415 CN") == "002415.SZ"
    assert (symbol_of("920002 CN"), day0_of("920002.BJ", "2026-06-03T16:00+08:00")) == (
        "920002.BJ", "2026-06-04",
    )  # fmt: skip
    odd = ("900901 CN", "430047 CN", "833171 CN", "CHA US", "0 HK", "12 CN", "ABC HK", "")
    assert [symbol_of(text) for text in odd] == ["900901.SS", "", "", "", "", "", "", ""]


@pytest.mark.parametrize(
    ("isin", "valid"),
    [("US0378331005", True), ("CNE100000PM8", True), ("CND10002K094", False), ("CND10002G601", False),
     ("US0378331006", False), ("us0378331005", False), ("", False)],
)  # fmt: skip
def test_check_digits_of_isins(isin: str, valid: bool) -> None:
    assert is_isin(isin) is valid


def action(**facts: Any) -> Action:
    return Action("x", "k", "added", "a", "l", "t", "u", **facts)


def test_a_claim_is_measured_by_our_own_clock() -> None:
    claimed = dt.datetime(2025, 2, 1, 20, 3, 58, tzinfo=dt.UTC)
    day, minute = dt.timedelta(days=1), dt.timedelta(minutes=1)

    def basis(**facts: Any) -> TimeBasis:
        return Clock.of(action(**facts)).basis

    assert basis(claimed=claimed, seen=claimed + minute) is TimeBasis.CLAIMED
    assert basis(claimed=claimed, seen=claimed + 300 * day) is TimeBasis.CLAIMED
    assert basis(claimed=claimed, seen=claimed - minute) is TimeBasis.CONTRADICTED
    late = {
        "claimed": claimed,
        "seen": claimed + 2 * day,
        "looked_before": claimed + 2 * day - minute,
    }
    assert basis(**late) is TimeBasis.CONTRADICTED
    assert Clock.of(action(**late)).public_by == claimed + 2 * day
    set_before = claimed.replace(minute=0, second=0)
    assert basis(claimed=set_before, modified=set_before - minute) is TimeBasis.SCHEDULED
    assert basis(claimed=set_before, modified=set_before + minute) is TimeBasis.CLAIMED
    assert basis(claimed=claimed.date()) is TimeBasis.PRINTED_DATE
    assert basis(claimed=claimed.date(), seen=claimed - day) is TimeBasis.CONTRADICTED
    assert basis(seen=claimed) is TimeBasis.SEEN


def test_a_date_is_measured_by_our_own_clock() -> None:
    """All of the day in New York may be meant, and a list may be changed within a day after it."""
    day = dt.date(2025, 2, 1)
    end = dt.datetime(2025, 2, 2, 5, tzinfo=dt.UTC)
    hours = dt.timedelta(hours=1)

    def clock(before: dt.datetime) -> Clock:
        return Clock.of(action(claimed=day, seen=before + hours, looked_before=before))

    assert clock(end + 24 * hours) == Clock(day, TimeBasis.PRINTED_DATE)
    late = end + 25 * hours
    assert clock(late) == Clock(late + hours, TimeBasis.CONTRADICTED)


def test_a_listing_that_our_own_look_contradicts_is_dated_by_the_look(listed: Path) -> None:
    record = EventRecord(listed)
    shelf = Shelf(record.folder)
    body = shelf.kept(PRIMARY)[0].body
    lines = body.decode().splitlines(keepends=True)
    without = [line for line in lines if not line.startswith(("30946,", "30942,"))]
    other = EventRecord(listed.parent / "other.csv")
    shelf = Shelf(other.folder)
    at = dt.datetime(2026, 9, 20, 12, tzinfo=dt.UTC)
    for day, content in ((0, "".join(without).encode()), (5, body)):
        shelf.keep(PRIMARY, content, kind="text/csv", at=at + dt.timedelta(days=day))
    for url in (COMMENTS, ALIASES):
        shelf.keep(url, Shelf(record.folder).kept(url)[0].body, kind="text/csv", at=at)
    rows = other.find(["ofac"], offline=True).rows
    bases = Counter(row.candidate.clock.basis for row in rows)
    late = [row.cells() for row in rows if row.candidate.clock.basis is TimeBasis.CONTRADICTED]
    assert {row["public_no_later_than"] for row in late} == {"2026-09-25T08:00:00-04:00"}
    assert {row["entity_as_printed"] for row in late} == {
        line.split('"')[1] for line in lines if line not in without
    }
    assert bases[TimeBasis.PRINTED_DATE] == len(rows) - len(late)


def test_two_of_twenty_watched_pages_are_contradicted() -> None:
    """Pages that a crawler watched from 3 April 2022 on: it looked some minutes before it saw each."""
    path = SAMPLES / "white-house" / "two_clocks.csv"
    if not path.exists():
        pytest.skip("the recorded samples are not here")
    began = dt.datetime.fromisoformat("2022-04-03T21:26:22+08:00")
    bases = Counter[str]()
    contradicted = []
    for row in rows_of(path):
        seen = dt.datetime.fromisoformat(row["first_seen_by_crawler_utc"])
        modified = row["modified_time_claimed"]
        before = seen - dt.timedelta(hours=1) if seen > began else None
        clock = Clock.of(
            action(
                claimed=dt.datetime.fromisoformat(row["published_time_claimed"]), seen=seen,
                modified=dt.datetime.fromisoformat(modified) if modified else None,
                looked_before=before,
            )
        )  # fmt: skip
        bases[str(clock.basis)] += 1
        if clock.basis is TimeBasis.CONTRADICTED:
            contradicted.append(row["page"])
    assert len(contradicted) == 2
    assert all("2025-02-01" in page for page in contradicted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contact = 5", "contact must be a text"),
        ("sources = 'ofac'", "sources must be a list of texts"),
        ("since = 2019-01-01T10:00:00Z", "since must be a date"),
        ("sorces = []", "did you mean 'sources'"),
        ("sources = [", "is no TOML"),
        ("sources = " + 2000 * "[", "is no TOML"),
        ("contact = 'Zo\udce9'", "is no TOML"),
        ('sources = ["bis"]', "no such record source"),
    ],
)
def test_faults_of_the_settings_are_told(listed: Path, text: str, message: str) -> None:
    record = EventRecord(listed)
    (record.folder / "record.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ConfigError, match=message):
        record.find(offline=True)


def test_settings_that_are_given_are_kept_with_the_comments(listed: Path, tmp_path: Path) -> None:
    record = EventRecord(listed)
    names = tmp_path / "names.csv"
    names.write_text("symbol,name\n0020.HK,SenseTime\n")
    record.find(
        ["ofac"], dt.date(2021, 12, 1), names=[names], contact="me@example.org", offline=True
    )
    text = (record.folder / "record.toml").read_text()
    assert text.startswith("# What `eventstudy events find`")
    assert record.settings.contact == "me@example.org"
    assert record.settings.since == dt.date(2021, 6, 1)  # the earlier one
    assert record.settings.names == (str(names),)


def test_a_list_that_is_no_csv_or_is_faulty_is_refused(listed: Path) -> None:
    with pytest.raises(ConfigError, match="save the list as a CSV"):
        EventRecord(listed.with_suffix(".xlsx"))
    listed.write_text(listed.read_text() + "x,not a date\n")
    with pytest.raises(EventsFileError):
        EventRecord(listed).find(offline=True)


def test_a_new_list_is_begun(tmp_path: Path) -> None:
    record = EventRecord(tmp_path / "new.csv")
    shutil.copytree(EXAMPLE / "events.record", record.folder)
    record.find(offline=True)
    some = next(row["candidate_id"] for row in rows_of(record.review) if row["ticker"])
    decide(record, {some: {"decision": "yes"}})
    record.accept(BY)
    assert [row["record_id"] for row in rows_of(record.events)] == [some]


def test_a_remark_that_is_cut_needs_its_rest(tmp_path: Path) -> None:
    from eventstudy.errors import DataError

    record = EventRecord(tmp_path / "new.csv")
    shelf = Shelf(record.folder)
    bundled = Shelf(EXAMPLE / "events.record")
    shelf.keep(PRIMARY, bundled.kept(PRIMARY)[0].body, kind="text/csv")
    with pytest.raises(DataError, match="record 30930 is cut at 1000 letters"):
        record.find(["ofac"], offline=True)
    shelf.keep(COMMENTS, bundled.kept(COMMENTS)[0].body, kind="text/csv")
    shelf.keep(ALIASES, bundled.kept(ALIASES)[0].body, kind="text/csv")
    assert len(EventRecord(tmp_path / "new.csv").find(["ofac"], offline=True).named) == 68


def test_decisions_are_a_chain(tmp_path: Path) -> None:
    assert Decisions(tmp_path / "none.csv").all == []
    assert Decisions(tmp_path / "none.csv").sha256 == ""


def keep_odd_list(record: EventRecord, changes: dict[str, tuple[str, str]], more: str = "") -> None:
    """Keep the bundled list as the first look at it, with other words in some of its records."""
    bundled = Shelf(EXAMPLE / "events.record")
    lines = bundled.kept(PRIMARY)[0].body.decode().rstrip("\x1a\r\n").splitlines()
    for k, line in enumerate(lines):
        old, new = changes.get(line.partition(",")[0], ("", ""))
        assert old in line
        lines[k] = line.replace(old, new)
    at = dt.datetime(2026, 6, 20, tzinfo=dt.UTC)
    shelf = Shelf(record.folder)
    body = "\r\n".join([*lines, more]) + "\r\n"
    shelf.keep(PRIMARY, body.encode(), kind="text/csv", at=at)
    for url in (COMMENTS, ALIASES):
        shelf.keep(url, bundled.kept(url)[0].body, kind="text/csv", at=at)


def test_dates_of_ofac_in_other_spellings_and_none_at_all(tmp_path: Path) -> None:
    record = EventRecord(tmp_path / "new.csv")
    printed = "Listing Date (CMIC) 03 Jun 2021"
    spelt = {
        "30882": "03 June 2021", "30902": "3 Jun 2021", "30923": "June 3, 2021", "30924": "JUN. 3 2021",
    }  # fmt: skip
    to_come, unreadable, undated = "30930", "30942", "30946"
    changes = {number: (printed, f"Listing Date (CMIC) {text}") for number, text in spelt.items()}
    changes[to_come] = (printed, "Listing Date (CMIC) 16 Dec 2027")
    changes[unreadable] = (printed, "Listing Date (CMIC) the third of June")
    changes[undated] = (f"{printed}; ", "")
    keep_odd_list(record, changes)
    found = record.find(["ofac"], dt.date(2021, 6, 1), offline=True)
    assert len(found.named) == 68
    clocks = {row.candidate.named.number: row.candidate.clock for row in found.rows}
    assert len(clocks) == 68
    june = Clock(dt.date(2021, 6, 3), TimeBasis.PRINTED_DATE)
    assert [clocks[number] for number in spelt] == [june] * len(spelt)
    assert (clocks[to_come].basis, clocks[to_come].cell[:10]) == (
        TimeBasis.CONTRADICTED, "2026-06-19",
    )  # fmt: skip
    assert [clocks[number].public_by for number in (unreadable, undated)] == [None, None]
    names = [row.candidate.named.name for row in found.rows if not row.candidate.announced_at]
    [line] = [text for text in found.describe() if all(name in text for name in names)]
    assert line.startswith("2 ")
    share = next(row.candidate for row in found.rows if row.candidate.ticker == "002415.SZ")
    decide(record, {share.id: {"decision": "yes"}})
    with pytest.raises(EventsFileError) as caught:
        record.accept(BY)
    assert [problem.column for problem in caught.value.problems] == ["announced_at"]
    # On the next night all dates are as they were: but for two, nothing is new.
    shelf = Shelf(record.folder)
    shelf.keep(PRIMARY, Shelf(EXAMPLE / "events.record").kept(PRIMARY)[0].body, kind="text/csv")
    named = record.find(offline=True).named
    assert [(one.action.verb, one.number) for one in named[68:]] == [
        ("relisted", to_come), ("added", undated),
    ]  # fmt: skip
    # It may be on the list since today; that it was since 2021, our first look does not bear out.
    assert Clock.of(named[-1].action).basis is TimeBasis.CONTRADICTED


def test_two_firms_of_one_name_are_two_candidates(tmp_path: Path) -> None:
    record = EventRecord(tmp_path / "new.csv")
    blank = ",-0- " * 7
    twins = [
        f'{number},"AEROSPACE TWIN {form}",-0- ,"CMIC-EO13959"{blank},"Listing Date (CMIC) 03 Jun 2021."'
        for number, form in ((90001, "CORPORATION LIMITED"), (90002, "CORP"))
    ]
    keep_odd_list(record, {}, "\r\n".join(twins))
    found = record.find(["ofac"], dt.date(2021, 6, 1), offline=True)
    assert len({row.candidate.named.number for row in found.rows}) == len(found.named) == 70
    ids = [row.candidate.id for row in found.rows]
    assert len(ids) == len(set(ids))


def test_what_was_removed_from_the_list_is_told(listed: Path) -> None:
    record = EventRecord(listed)
    shelf = Shelf(record.folder)
    lines = shelf.kept(PRIMARY)[0].body.decode().splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith("30946,"))
    at = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    shelf.keep(PRIMARY, without.encode(), kind="text/csv", at=at)
    found = record.find(offline=True)
    removed = [row for row in found.rows if row.candidate.action.verb == "removed"]
    assert [row.candidate.ticker for row in removed] == ["002415.SZ"]
    assert removed[0].candidate.clock.basis is TimeBasis.SEEN
    decide(record, {removed[0].candidate.id: {"decision": "yes"}})
    with pytest.raises(EventsFileError, match="yes needs a note, since the entry is: removed"):
        record.accept(BY)


def test_the_record_can_be_read_by_json(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(main, ["events", "find", str(listed), "--offline", "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert len(document["waiting"]) == 45


def test_events_that_cite_a_document_are_dated(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    before = (
        "event_id,ticker,announced_at,tz,source_url,note\r\n"
        'a,NVDA,2026-09-30,America/New_York,https://www.federalregister.gov/d/2026-20228,"x, ""y"""\r\n'
        "b,NVDA,2026-09-29,America/New_York,https://example.org,\r\n"
    )
    events.write_bytes(before.encode())
    record = EventRecord(events)
    facts = {
        "document_number": "2026-20228", "title": "Addition of Entities", "publication_date": "2026-10-05",
        "filed_at": "2026-09-30T16:15:00.000-04:00", "editorial_note": None, "agencies": [],
    }  # fmt: skip
    url = "https://www.federalregister.gov/api/v1/public-inspection-documents/2026-20228.json"
    at = dt.datetime(2026, 10, 2, 18, tzinfo=dt.UTC)
    Shelf(record.folder).keep(url, json.dumps(facts).encode(), kind="application/json", at=at)
    dated = record.date(offline=True)
    assert [(one.event_id, one.number) for one in dated] == [("a", "2026-20228")]
    assert events.read_bytes() == before.encode()
    record.date(offline=True, write=True)
    rows = rows_of(events)
    assert rows[0]["public_no_later_than"] == "2026-09-30T16:15:00-04:00"
    assert (rows[0]["time_basis"], rows[0]["note"]) == ("claimed", 'x, "y"')
    assert (rows[1]["public_no_later_than"], rows[1]["document_number"]) == ("", "")
    from eventstudy.events import check_events

    checked, problems = check_events(events)
    assert problems == []
    assert checked is not None
    (notice,) = [text for text in checked.notices if "date only" in text]
    assert "day 0 may be a session later (2026-10-01, not 2026-09-30)" in notice


def test_the_page_says_what_a_census_is(tmp_path: Path) -> None:
    rows = ["event_id,ticker,announced_at,company,selection,census"]
    for ticker in ("AMD", "NVDA"):
        census = '"ofac/cmic/2021-06-03: 5 named, 3 with a share"'
        rows.append(f"{ticker},{ticker},2022-08-31T16:30-04:00,{ticker},census,{census}")
    events = tmp_path / "two.csv"
    events.write_text("\n".join([*rows, ""]))
    command = ["run", str(events), "--prices", "sample", "--offline", "-o", str(tmp_path), "-q"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "two" / "report.html").read_text()
    assert (
        "A census of ofac/cmic/2021-06-03: 5 were named there, 3 have a share, 2 are here" in page
    )


@pytest.mark.parametrize(
    ("announced_at", "tz", "late"),
    [
        ("2021-06-03T15:00-04:00", "", True),
        ("2021-06-04T00:30+08:00", "", False),  # 12:30 in New York
        ("2021-06-04 00:30", "Asia/Shanghai", False),
        ("2021-06-04 02:00", "Asia/Shanghai", True),
        ("2021-06-03", "America/New_York", False),
        ("2021-06-04", "America/New_York", True),
    ],
)
def test_a_time_behind_the_bound_is_refused(
    listed: Path, announced_at: str, tz: str, late: bool
) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    cells = {"decision": "yes", "announced_at": announced_at, "tz": tz, "note": "seen earlier"}
    decide(record, {some: cells})
    if late:
        with pytest.raises(EventsFileError, match="when this was public at the latest"):
            record.accept(BY)
        return
    assert record.accept(BY).events[0]["announced_at"] == announced_at
    decide(record, {some: {"note": ""}})
    with pytest.raises(EventsFileError, match="another time than that of the record needs a note"):
        record.accept(BY)


def test_what_cannot_be_read_is_told_as_such(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    decide(record, {some: {"decision": "yes", "announced_at": "yesterday", "note": "x"}})
    with pytest.raises(EventsFileError, match="problem in the review") as caught:
        record.accept(BY)
    (problem,) = caught.value.problems
    assert (problem.column, problem.value) == ("announced_at", "yesterday")


def test_a_candidate_is_decided_on_once_and_its_ticker_is_the_records(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    rows = rows_of(record.review)
    row = next(row for row in rows if row["ticker"] == "002415.SZ")
    write_rows(record.review, [*rows, {**row, "decision": "no"}])
    decide(record, {row["candidate_id"]: {"decision": "yes"}})
    rows = rows_of(record.review)
    rows[-1]["decision"] = "no"
    write_rows(record.review, rows)
    with pytest.raises(EventsFileError, match="the same candidate is decided on in line"):
        record.accept(BY)
    rows.pop()
    for each in rows:
        if each["candidate_id"] == row["candidate_id"]:
            each["ticker"] = "AAPL"
    write_rows(record.review, rows)
    with pytest.raises(EventsFileError, match=r"the record has 002415\.SZ"):
        record.accept(BY)


def test_a_names_file_that_comes_later_takes_no_decision_away(listed: Path) -> None:
    record = EventRecord(listed)
    found = record.find(offline=True)
    aero = next(r for r in found.rows if r.candidate.named.name.startswith("AERO ENGINE CORP"))
    decide(
        record,
        {
            aero.candidate.id: {
                "decision": "yes",
                "chosen_ticker": "600893.SS",
                "note": "its listed company",
            }
        },
    )
    assert len(record.accept(BY).events) == 1
    names = listed.parent / "names.csv"
    names.write_text("symbol,name\n600893.SS,Aero Engine Corporation of China\n")
    rows = {row.candidate.id: row for row in record.find(names=[names], offline=True).rows}
    assert rows[aero.candidate.id].state == "in events"
    before = listed.read_bytes()
    assert record.accept(BY).decisions == []
    assert listed.read_bytes() == before


def test_a_decision_that_the_record_lost_blocks_nothing(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    decide(record, {some: {"decision": "yes"}})
    record.accept(BY)
    settings_file = record.folder / "record.toml"
    settings_file.write_text(
        settings_file.read_text().replace("since = 2021-06-01", "since = 2021-12-01")
    )
    record.find(offline=True)
    gone = next(row for row in rows_of(record.review) if row["candidate_id"] == some)
    assert gone["state"] == "gone"
    assert record.accept(BY).decisions == []


def test_decisions_that_were_taken_away_are_missed(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    shares = [row["candidate_id"] for row in rows_of(record.review) if row["ticker"]][:2]
    decide(record, {key: {"decision": "no"} for key in shares})
    record.accept(BY)
    path = record.decisions.path
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(AlteredError):
        record.find(offline=True)
    path.unlink()
    with pytest.raises(AlteredError):
        record.find(offline=True)


def test_a_no_after_a_yes_leaves_the_row_to_a_person(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    listed.chmod(0o664)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    decide(record, {some: {"decision": "yes"}})
    record.accept(BY)
    assert listed.stat().st_mode & 0o777 == 0o664
    decide(record, {some: {"decision": "no"}})
    before = listed.read_bytes()
    taken = record.accept(BY)
    assert any("take it out there" in line for line in taken.describe(listed))
    assert listed.read_bytes() == before


def test_a_names_file_that_cannot_be_read_is_not_kept(listed: Path) -> None:
    from eventstudy.errors import DataError

    record = EventRecord(listed)
    bad = listed.parent / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no column symbol or name"):
        record.find(names=[bad], offline=True)
    assert record.settings.names == ()


def test_excerpts_of_pages_stand_in_them_letter_for_letter(tmp_path: Path) -> None:
    if not SAMPLES.exists():
        pytest.skip("the recorded samples are not here")
    record = EventRecord(tmp_path / "new.csv")
    fcc = SAMPLES / "fcc-covered-list" / "coveredlist_2026-07-06.html"
    uflpa = SAMPLES / "uflpa" / "uflpa_entity_list_2026-07-24.html"
    record.keep("https://www.fcc.gov/supplychain/coveredlist", fcc)
    record.keep("https://www.dhs.gov/uflpa-entity-list", uflpa)
    found = record.find(["fcc", "uflpa"], offline=True)
    pages = [path.read_text(encoding="utf-8") for path in (fcc, uflpa)]
    excerpts = [row.candidate.named.excerpt for row in found.rows]
    assert len(excerpts) > 150
    assert all(text and any(text in page for page in pages) for text in excerpts)


def test_names_with_control_characters_and_formulas_are_made_harmless(listed: Path) -> None:
    record = EventRecord(listed)
    keep_changed_list(record, '"AEROSUN CORPORATION"', '"=cmd()|\x1b[31mAEROSUN\x07 CORPORATION"')
    record.find(offline=True)
    text = record.review.read_text(encoding="utf-8")
    assert "'=cmd()| [31mAEROSUN CORPORATION" in text
    assert not set(text) & {"\x1b", "\x07"}
    added = next(
        r for r in rows_of(record.review) if (r["ticker"], r["verb"]) == ("600501.SS", "added")
    )
    decide(record, {added["candidate_id"]: {"decision": "yes"}})
    record.accept(BY)
    assert rows_of(listed)[-1]["company"] == "'=cmd()| [31mAEROSUN CORPORATION"
    assert EventRecord(listed).find(offline=True).rows  # the list can be read


def test_a_list_with_faults_is_never_written(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    decide(record, {some: {"decision": "yes", "role": "a\x07b"}})
    before = listed.read_bytes()
    with pytest.raises(EventsFileError, match="control character"):
        record.accept(BY)
    assert listed.read_bytes() == before
    assert not record.decisions.path.exists()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_list_without_commas_is_not_written_to(listed: Path, separator: str) -> None:
    rows = rows_of(listed)
    write_rows(listed, rows, delimiter=separator)
    before = listed.read_bytes()
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(row["candidate_id"] for row in rows_of(record.review) if row["ticker"])
    decide(record, {some: {"decision": "yes"}})
    with pytest.raises(ConfigError, match="not separated by commas"):
        record.accept(BY)
    assert listed.read_bytes() == before
    assert not record.decisions.path.exists()


def test_what_was_written_stays_though_its_candidate_is_gone(listed: Path) -> None:
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(
        row["candidate_id"] for row in rows_of(record.review) if row["ticker"] == "002415.SZ"
    )
    decide(record, {some: {"decision": "yes", "note": "mine"}})
    file = record.folder / "record.toml"
    text = file.read_text()
    file.write_text(text.replace("2021-06-01", "2021-12-01"))
    record.find(offline=True)
    kept = next(row for row in rows_of(record.review) if row["candidate_id"] == some)
    assert (kept["state"], kept["decision"], kept["note"]) == ("gone", "yes", "mine")
    assert record.accept(BY).decisions == []
    file.write_text(text)
    record.find(offline=True)
    kept = next(row for row in rows_of(record.review) if row["candidate_id"] == some)
    assert (kept["state"], kept["note"]) == ("new", "mine")


def test_a_later_look_can_be_accepted_as_it_is(listed: Path) -> None:
    record = EventRecord(listed)
    shelf = Shelf(record.folder)
    lines = shelf.kept(PRIMARY)[0].body.decode().splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith("30946,"))
    at = dt.datetime(2026, 11, 29, 13, 30, tzinfo=dt.UTC)
    shelf.keep(PRIMARY, without.encode(), kind="text/csv", at=at)
    found = record.find(offline=True)
    removed = next(row for row in found.rows if row.candidate.action.verb == "removed")
    assert removed.candidate.announced_at == "2026-11-29T08:30:00-05:00"
    decide(record, {removed.candidate.id: {"decision": "yes", "note": "a relief"}})
    assert record.accept(BY).events[0]["announced_at"] == "2026-11-29T08:30:00-05:00"


def test_a_list_that_is_a_link_stays_one(listed: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.csv"
    listed.rename(real)
    listed.symlink_to(real)
    record = EventRecord(listed)
    record.find(offline=True)
    some = next(row["candidate_id"] for row in rows_of(record.review) if row["ticker"])
    decide(record, {some: {"decision": "yes"}})
    record.accept(BY)
    assert listed.is_symlink()
    assert rows_of(real)[-1]["record_id"] == some


def test_a_page_is_kept_by_its_whole_address_and_not_from_the_future(listed: Path) -> None:
    record = EventRecord(listed)
    with pytest.raises(ConfigError, match="is no address"):
        record.keep("notaurl", listed)
    with pytest.raises(ConfigError, match="in the future"):
        record.keep("https://www.dhs.gov/x", listed, dt.datetime(2100, 1, 1, tzinfo=dt.UTC))


PAGE = """<!DOCTYPE html><html><head><title>Sheet | The White House</title>
<meta property="og:title" content="FACT SHEET: Some Companies">
<meta property="article:published_time" content="2021-06-03T13:59:44-04:00"></head><body>
<h2>The Annex</h2><ul><li>Aerosun Corporation</li><li>China Mobile Communications Group</li>
<li>Costar Group Co.,&nbsp;Ltd.</li><li>CSSC Offshore &amp; <b>Marine</b> Engineering (Group) Company Limited</li>
<li>China</li><li>Spacesat Co., Ltd.</li></ul></body></html>"""


def test_a_page_of_html_is_read_block_by_block(listed: Path) -> None:
    """Names in items of a list do not run together, and none reaches over two of them."""
    record = EventRecord(listed)
    shelf = Shelf(record.folder)
    for path in record.folder.glob("answers.jsonl"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if "whitehouse" not in line))
    url = "https://www.whitehouse.gov/briefing/sheet/"
    Shelf(record.folder).keep(url, PAGE.encode(), kind="text/html")
    found = record.find(offline=True)
    minute = {
        row.candidate.named.name: row.candidate
        for row in found.rows if isinstance(row.candidate.clock.public_by, dt.datetime)
    }  # fmt: skip
    assert set(minute) == {
        "AEROSUN CORPORATION", "CHINA MOBILE COMMUNICATIONS GROUP CO., LTD.",
        "COSTAR GROUP CO., LTD.", "CSSC OFFSHORE & MARINE ENGINEERING (GROUP) COMPANY LIMITED",
    }  # fmt: skip
    for candidate in minute.values():
        assert candidate.proof.action.title == "FACT SHEET: Some Companies"
        assert candidate.proof.excerpt
        assert candidate.proof.excerpt in PAGE
    assert minute["AEROSUN CORPORATION"].proof.excerpt == "Aerosun Corporation"
    assert shelf.kept(PRIMARY)
