"""Which events are of one company: one count and one name on a page."""

from __future__ import annotations

import pandas as pd
from conftest import Market
from pages import findings, with_columns

from eventstudy.calendars import Window
from eventstudy.events import Events
from eventstudy.fitting import name_firms
from eventstudy.report.page.first_screen import first_screen
from eventstudy.report.sentences.top import describe_setup
from eventstudy.studies import EventStudyResults

MAIN = Window(0, 1)


def test_a_ticker_and_a_name_are_one_company() -> None:
    rows = [
        ("A", "Acme"), ("A", "Acme Inc."), ("B", "  acme "), ("C", ""), ("C", "Cee"), ("D", None),
        ("E", "Acme Inc."), ("000063.SZ", "Zhongxing"), ("0763.HK", "ZTE"),
    ]  # fmt: skip
    tickers, companies = zip(*rows, strict=True)
    assert name_firms(companies, tickers) == [
        "Acme", "Acme", "Acme", "Cee", "Cee", "D", "Acme Inc.", "Zhongxing", "Zhongxing",
    ]  # fmt: skip


def study(*, is_short: bool = False) -> EventStudyResults:
    """Twelve events of ten tickers: F00 and F01 are of one company, F02 has three names.

    The history of F03 is that of a share that was listed lately.
    """
    market = Market(12)
    tickers = [*market.tickers[:10], "F02", "F02"]
    market.table["ticker"] = tickers
    names = ["One", "One", "Two", *tickers[3:10], "Two Ltd.", "The Two"]
    frame = market.frame
    if is_short:
        early = frame.index < market.table["day0"][3] - pd.Timedelta(days=50)
        frame = frame.assign(F03=frame["F03"].mask(early))
    return with_columns(market.fit(frame, min_estimation=15), company=names)


def test_one_page_counts_companies_once() -> None:
    results = study()
    one = findings(results)
    assert one.sample.answer.n_events == 12
    first = first_screen(one)
    remarks = [key.remark for key in first.keys]
    for text in (first.title, describe_setup(one), *(r for r in remarks if "compan" in r)):
        assert "9 companies" in text
    assert sum("9 companies" in remark for remark in remarks) == 1


def test_companies_are_of_the_events_in_the_answer() -> None:
    """An event with a short history has a CAR, and is in the plain average only."""
    one = findings(study(is_short=True))
    assert one.sample.answer.n_events == 11
    assert one.sample.answer.n_short == 1
    assert one.setup.n_firms == one.count_firms(one.sample) == 8


def test_a_company_is_left_out_with_all_its_tickers_and_names() -> None:
    rows = [row for row in study().influence(MAIN).leave_outs if row.kind == "firm"]
    found = {row.firm: (row.name, row.n_left_out, row.n_events) for row in rows}
    assert found == {"One": ("F00", 2, 10), "Two": ("F02", 3, 9)}


def test_the_companies_of_a_group_are_named_as_in_the_whole_list() -> None:
    part = study().subset([10, 11, 1])
    assert part.firms == ["Two", "Two", "One"]


def test_names_of_a_ticker_that_differ_are_told() -> None:
    table = pd.DataFrame({
        "ticker": ["AMD", "AMD", "NVDA", "NVDA"],
        "announced_at": ["2022-10-07", "2023-10-17"] * 2,
        "company": ["AMD", "Advanced Micro Devices", "Nvidia", "NVIDIA "],
    })  # fmt: skip
    (notice,) = [text for text in Events.given(table).notices if text.startswith("company")]
    assert "AMD ('AMD' and 'Advanced Micro Devices')" in notice
    assert "NVDA" not in notice
