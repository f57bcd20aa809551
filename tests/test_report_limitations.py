"""What limits a study, and which notes on its data change no reading of the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Market
from pages import findings, with_columns

from eventstudy.findings import Findings
from eventstudy.findings.types import Note
from eventstudy.report.sentences.top import data_notes, find_limitations, is_price_index
from eventstudy.report.tables.methods import provenance, symbols_table
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Flag
from eventstudy.words import Reason


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    fitted = Market(20, effect=-0.04, seed=3).fit()
    return with_columns(fitted, direction=["adverse"] * 12 + ["relief"] * 8)


def codes(study: Findings) -> list[str]:
    return [reason.code for reason in find_limitations(study)]


def noted(study: Findings, *reasons: str, **kinds: bool) -> Findings:
    marks = {"is_notice": False, "is_warning": True, "is_serious": False, **kinds}
    return replace(study, notes=tuple(Note(Reason.of(reason), **marks) for reason in reasons))


def test_the_most_serious_come_first(results: EventStudyResults) -> None:
    study = findings(with_columns(results, benchmark="^GSPC", flags=Flag.TIME_UNKNOWN), by="none")
    assert codes(study) == ["limit_directions", "limit_price_index", "limit_no_times"]
    serious = noted(study, "all is wrong", is_notice=True, is_serious=True)
    assert codes(serious) == ["other", *codes(study)]


@pytest.mark.slow
def test_good_studies_have_no_warning(results: EventStudyResults) -> None:
    assert codes(findings(with_columns(results, direction="adverse", benchmark="^GDAXI"))) == []
    assert codes(findings(results, by="direction")) == []


@pytest.mark.slow
def test_directions_within_a_group_of_another_column(results: EventStudyResults) -> None:
    mixed = with_columns(results, sector=["a", "b"] * 10)
    assert codes(findings(mixed, by="sector")) == ["limit_directions"]
    alike = with_columns(results, sector=["a"] * 12 + ["b"] * 8)
    assert codes(findings(alike, by="sector")) == []


def test_open_windows_are_provisional() -> None:
    market = Market(12)
    last = market.table["day0"].sort_values().iloc[-3]
    study = findings(market.fit(market.frame.loc[:last]))
    assert codes(study)[0] == "limit_open_windows"


@pytest.mark.slow
def test_few_events_and_many_dropped() -> None:
    market = Market(12)
    study = findings(market.fit(market.frame.drop(columns=market.tickers[:4])))
    assert codes(study) == ["limit_few_events", "limit_dropped"]
    warning = find_limitations(study)[1]
    assert (warning.facts["lost"], warning.facts["n"]) == (4, 4)
    most = findings(market.fit(market.frame.drop(columns=market.tickers[:8])))
    assert "limit_most_dropped" in codes(most)


@pytest.mark.parametrize(
    ("symbol", "price"),
    [("^GSPC", True), ("000300.SS", True), ("399001.SZ", True), ("IMOEX.ME", True), ("SPY", False),
     ("510300.SS", False), ("^GDAXI", False), ("MCFTR.ME", False)],
)  # fmt: skip
def test_price_indices(symbol: str, price: bool) -> None:
    assert is_price_index(symbol) is price


def test_few_notes_are_listed_and_many_counted(results: EventStudyResults) -> None:
    study = findings(results, by="direction")
    few, many = (find_limitations(noted(study, *(f"note {i}" for i in range(n)))) for n in (5, 7))
    assert few == [f"Note {i}." for i in range(5)]
    assert [str(reason) for reason in many[:5]] == few
    assert (many[5].code, many[5].facts) == ("limit_more_notes", {"n": 2})


@pytest.mark.slow
def test_notes_that_change_no_reading_stand_with_the_provenance(
    results: EventStudyResults,
) -> None:
    routine = Reason("no_trade", symbol="F01", n=4)
    foreign, serious = (Reason("of_symbol", symbol=s, text="odd prices") for s in ("ZZZ", "F01"))
    sources = {**results.panel.provenance, "F01": {}, "ZZZ": {}}
    panel = replace(results.panel, notes=(routine, foreign, serious), provenance=sources)
    study = findings(replace(results, panel=panel), by="direction")
    assert [note.text.code for note in study.notes] == ["no_trade", "of_symbol", "of_symbol"]
    assert find_limitations(study) == [f"{serious}."]
    assert data_notes(study) == [f"{routine}.", f"{foreign}."]


def test_returns_like_percent_are_serious() -> None:
    market = Market(12)
    study = findings(market.fit(10 * market.frame))
    assert [note.text.code for note in study.notes if note.is_serious] == ["like_percent"]
    assert find_limitations(study)[0].startswith("The returns look like percent")


def test_a_notice_that_begins_with_a_host_is_not_capitalised(results: EventStudyResults) -> None:
    study = noted(findings(results), "query2.finance.example did not answer", is_notice=True)
    assert "query2.finance.example did not answer." in find_limitations(study)


def test_a_study_without_a_used_event_has_its_notices() -> None:
    market = Market(6)
    study = findings(market.fit(market.frame.drop(columns=market.tickers)))
    assert codes(study) == []
    assert find_limitations(noted(study, "no answer", is_notice=True)) == ["No answer."]


def test_provenance(results: EventStudyResults) -> None:
    study = findings(results)
    sources, symbols = provenance(study), symbols_table(study)
    assert sources["command"] == "eventstudy run events.csv"
    assert (sources["events"], sources["sha256"]) == ("events.csv", "ab" * 32)
    assert sources["software"] == "eventstudy 0.1.0"
    assert "model: market" in sources["settings"]
    assert symbols is not None
    assert [symbols.write_cells(row)[:3] for row in symbols.rows] == [["F00", "files", "a.csv"]]


def test_symbols_of_one_source_are_one_row(results: EventStudyResults) -> None:
    study, held = findings(results), {"source": "files", "detail": "a.csv", "first": "2020-01-02"}
    prices = {
        "B": held | {"last": "2021-03-01", "rows": 9, "note": "adjusted"},
        "A": held | {"last": "2020-12-30", "rows": 10, "note": "adjusted"},
        "C": held | {"source": "yahoo", "last": "2021-03-01", "rows": 9},
    }
    table = symbols_table(replace(study, provenance={"prices": prices}))
    assert table is not None
    assert [(row.label, *table.write_cells(row)[3:6]) for row in table.rows] == [
        ("A, B · adjusted", "2020-01-02", "2020-12-30 to 2021-03-01", "9 to 10"),
        ("C", "2020-01-02", "2021-03-01", "9"),
    ]


@pytest.mark.slow
def test_the_press_chose_the_events(results: EventStudyResults) -> None:
    mixed = with_columns(results, selection=["press"] * 5 + ["census"] * 15)
    (reason,) = [r for r in find_limitations(findings(mixed)) if r.code == "limit_press"]
    assert reason.facts == {"n": 5, "total": 20}
    for cells in ("census", ""):
        limits = find_limitations(findings(with_columns(results, selection=cells)))
        assert "limit_press" not in [limit.code for limit in limits]
