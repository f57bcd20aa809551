"""How far CARs reach: runs beyond a price limit are told and count once, lost events have a
reason."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import page

from eventstudy import EventStudy, events_from_frame
from eventstudy.analysis.caar_path import path_of
from eventstudy.calendars.window import Window
from eventstudy.cli.terminal import losses
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.content.answer import asides
from eventstudy.report.content.tables import path_table
from eventstudy.report.content.window_reach import extended, lacking
from eventstudy.returns import ReturnsPanel
from eventstudy.study import EventStudyResults
from eventstudy.utility.numbers import date_prose

DAY, MAIN, DRIFT = Window(0, 0), Window(0, 1), Window(2, 5)
CONFIG = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5))


@pytest.fixture(scope="module")
def locked() -> EventStudyResults:
    """Six events on three dates; the first firm closes days 0 and +1 at its limit and day +2 off
    it."""
    market = Market(n=6, seed=7, dates=3, effect=-0.05)
    panel = ReturnsPanel.from_frame(market.frame)
    at = market.frame.index.get_loc(market.fit().events["day0"][0])
    codes = np.zeros(panel.values.shape, np.int64)
    codes[0, at : at + 2] = -1
    events = events_from_frame(market.table, calendar="data")
    return EventStudy(
        events, replace(panel, limits=codes), estimation=(-120, -11), event=(-5, 5)
    ).fit()


@pytest.fixture(scope="module")
def halted() -> EventStudyResults:
    """Six events; the second trades on day +2 again, the third on day +1, their returns spanning
    the halt."""
    market = Market(n=6, seed=7, dates=3)
    panel = ReturnsPanel.from_frame(market.frame)
    values, spans = panel.values.copy(), panel.spans.copy()
    for row, (first, last) in {1: (0, 2), 2: (-1, 1)}.items():
        at = market.frame.index.get_loc(market.fit().events["day0"][row])
        values[row, at + first : at + last], spans[row, at + first : at + last] = np.nan, 0
        spans[row, at + last] = last - first + 1
    events = events_from_frame(market.table, calendar="data")
    halted = replace(panel, values=values, spans=spans)
    return EventStudy(events, halted, estimation=(-120, -11), event=(-5, 5)).fit()


def test_the_aar_is_the_mean_of_the_day_and_the_path_adds_up(locked: EventStudyResults) -> None:
    a, path, table = locked.abnormal, path_of(locked), locked.aar_table()
    np.testing.assert_allclose(path.aar, a.ar.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(path.caar, np.cumsum(a.ar.mean(axis=0)), rtol=1e-12)
    written = path_table(locked)
    for column in table:
        np.testing.assert_array_equal(written[column], table[column])
    assert a.car(MAIN)[0] != pytest.approx(a.ar[0, 5:7].sum()), "the window itself is extended"


def test_the_path_is_the_mean_of_complete_events(halted: EventStudyResults) -> None:
    """A return that spans a halt is in the mean AR of no day, and in the CARs that cover the
    halt."""
    table, ar = halted.aar_table().set_index("tau"), halted.abnormal.ar
    assert table.loc[0, ["n_events", "n_complete"]].tolist() == [4, 4]
    assert table.loc[2, ["n_events", "n_complete"]].tolist() == [5, 6]
    assert table.loc[0, "aar"] == pytest.approx(np.nanmean(ar[:, 5]))
    assert table.loc[2, "aar"] == pytest.approx(ar[[0, 2, 3, 4, 5], 7].mean())
    own = halted.test("bmp", (2, 2))
    assert (own.n_events, own.estimate) == (5, pytest.approx(table.loc[2, "aar"]))
    assert table.loc[0, "caar"] == pytest.approx(ar[[0, 3, 4, 5], :6].sum(axis=1).mean())
    assert table.loc[2, "caar"] == pytest.approx(np.nansum(ar[:, :8], axis=1).mean())


def test_sessions_and_bhar_are_those_of_the_car(locked: EventStudyResults) -> None:
    a, car = locked.abnormal, locked.car([DAY, MAIN, DRIFT])
    own = car[car["event_id"] == "e0"].set_index("start")
    dates = a.windows.dates[0]
    assert own["n_sessions"].tolist() == [3, 3, 4]
    assert own["n_days"].tolist() == [1, 2, 4]
    assert (
        own["last_session"].to_numpy().astype("datetime64[D]").tolist()
        == dates[[7, 7, 10]].tolist()
    )
    rest = car[car["event_id"] != "e0"]
    assert (rest["n_sessions"] == rest["stop"] - rest["start"] + 1).all()
    actual, expected = (a.expected + a.ar)[0, 5:8], a.expected[0, 5:8]
    held = np.prod(1 + actual) - np.prod(1 + expected)
    np.testing.assert_allclose([a.bhar(DAY)[0], a.bhar(MAIN)[0]], held, rtol=1e-12)
    assert a.unextended.sessions_of(MAIN)[0].tolist() == [2] * 6


def test_an_extended_window_is_told(locked: EventStudyResults) -> None:
    last = f"{date_prose(locked.abnormal.windows.dates[0, 7])}, day +2"
    (one,) = extended(locked, MAIN)
    assert (one.event_id, one.said) == ("e0", f"[0,\u00a01] extended to {last}")
    said = " ".join(asides(locked, MAIN))
    assert (
        f"1 of 6 CARs over [0,\u00a01] runs on to the first close off the limit (F00 to {last})."
        in said
    )
    assert asides(locked.subset([0]), MAIN)[-1].startswith(
        f"Price limit: [0,\u00a01] extended to {last}"
    )
    text = unescape(page(locked))
    assert one.said in text
    assert "Each day ends at its own close here" in text
    assert f"extended to {last}".replace("\u00a0", " ") in locked.to_markdown(config=CONFIG)
    assert one.said in locked.to_json(config=CONFIG)
    assert "Extended by a price limit" in locked.to_latex("events", config=CONFIG)
    assert extended(locked, DRIFT) == []


def test_events_without_the_main_window_are_named(halted: EventStudyResults) -> None:
    first, second = lacking(halted, MAIN)
    dates = halted.abnormal.windows.dates
    days = " to ".join(date_prose(d) for d in dates[1, 5:7])
    assert first.said == f"no price on 2 of its 2 days ({days})"
    assert second.said == f"no price on 1 of its 2 days ({date_prose(dates[2, 5])})", (
        "day +1 spans day -1"
    )
    assert "--halt shift" in first.remedy
    told = losses(halted, MAIN)
    assert "without a CAR over [0,1]: 2 of 6 events" in told
    assert [name in told for name in ("e1", "e2", "--halt shift", "No event")] == [
        True,
        True,
        True,
        False,
    ]
    lead = "2 of 6 usable events lack days of this window and are not in the mean: F01, no price on 2 of"
    assert any(text.startswith(lead) for text in asides(halted, MAIN))
    for text in (
        unescape(page(halted)),
        halted.to_markdown(config=CONFIG),
        halted.to_latex(config=CONFIG),
    ):
        assert "no price on 2 of its 2 days" in text.replace("~", " ")
    assert lacking(halted, Window(-5, 5)) == []


def test_other_reasons(locked: EventStudyResults, halted: EventStudyResults) -> None:
    strict = replace(locked, abnormal=locked.abnormal.under(limits="drop"))
    assert [r.said for r in lacking(strict, MAIN)] == ["its last day closes at a price limit"]
    assert [r.said for r in lacking(halted, Window(2, 3))] == [
        (
            f"its return of {date_prose(halted.abnormal.windows.dates[1, 7])} spans sessions before "
            "the window"
        )
    ]


def test_a_day_with_a_price_is_not_called_one_without(halted: EventStudyResults) -> None:
    """The third event trades on day +1 again: over [1, 1] it has a price, and a return from
    before."""
    (one,) = [
        r for r in lacking(halted, Window(1, 1)) if r.event_id == halted.records[2]["event_id"]
    ]
    at = date_prose(halted.abnormal.windows.dates[2, 6])
    assert one.said == f"its return of {at} spans sessions before the window"
    (one,) = [
        r for r in lacking(halted, Window(1, 3)) if r.event_id == halted.records[2]["event_id"]
    ]
    assert one.said == f"its return of {at} spans sessions before the window"
    (one,) = [
        r for r in lacking(halted, Window(0, 0)) if r.event_id == halted.records[2]["event_id"]
    ]
    assert one.said == f"no price on {date_prose(halted.abnormal.windows.dates[2, 5])}"
