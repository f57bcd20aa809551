"""How far CARs reach: runs beyond a price limit are told and count once, lost events have a
reason."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import findings, page

from eventstudy.analysis import ImpliedPath, Path95
from eventstudy.analysis.all_tables import path_table
from eventstudy.calendars import Window
from eventstudy.events import events_from_frame
from eventstudy.findings.sampling import list_extended_cars, list_lacking_cars
from eventstudy.report.page.first_screen import days_outside
from eventstudy.report.sentences.answer import split_answer
from eventstudy.report.tables.windows import windows_around
from eventstudy.returns import ReturnsPanel
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import words

DAY, MAIN, DRIFT = Window(0, 0), Window(0, 1), Window(2, 5)
CONFIG = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5), calibrate=0)


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
    a, path, table = locked.abnormal, Path95.of(locked), locked.aar_table()
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


def test_days_of_a_window_are_those_that_it_has(halted: EventStudyResults) -> None:
    """A return that spans sessions before the window has no day of it."""
    for window in ((1, 2), (2, 2), (0, 2)):
        cars = halted.car(window)
        assert (cars["n_days"] <= window[1] - window[0] + 1).all()
        assert (cars["n_days"] == window[1] - window[0] + 1).equals(cars["car"].notna())


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


@pytest.mark.slow
def test_an_extended_window_is_named(locked: EventStudyResults) -> None:
    last = locked.abnormal.windows.dates[0, 7]
    (one,) = list_extended_cars(locked, MAIN)
    assert (one.event_id, one.name, one.reason.code) == ("e0", "F00", "extended_to_day")
    assert one.reason.facts == {"window": [0, 1], "until": str(last), "day": 2}
    assert list(list_extended_cars(locked, DRIFT)) == []
    study = findings(locked)
    assert study.sample.extended == (one,)
    assert (study.setup.extended, study.sample.at_limit) == (1, 1)
    car = study.events[0].car(MAIN)
    assert (car.until, car.until_day) == (str(last), 2)
    assert findings(locked.subset([0])).sample.extended == (one,)
    for text in (unescape(page(locked)), locked.to_markdown(config=CONFIG)):
        assert words().date(last).replace("\u00a0", " ") in text.replace("\u00a0", " ")
    assert str(last) in locked.to_json(config=CONFIG)


def test_one_share_at_its_limit_is_drawn_day_by_day(locked: EventStudyResults) -> None:
    """Its headline says until when it ran, and no window after the news repeats these days."""
    single = locked.subset([0])
    last, a, study = locked.abnormal.windows.dates[0, 7], single.abnormal, findings(single)
    assert f"from day 0 to {words().date(last)}, its first close off the price limit" in " ".join(
        split_answer(study)
    )
    path = ImpliedPath.of(single)
    assert path is not None
    gap = dict(zip(path.days.tolist(), (path.gap / 100).tolist(), strict=True))
    returns = np.array([a.expected[0, 5:8], a.expected[0, 5:8] + a.ar[0, 5:8]])
    normal, share = np.prod(1 + returns, axis=1)
    assert gap[0] == pytest.approx(a.ar[0, 5])
    assert gap[2] == pytest.approx(share - normal), "as prices do, returns compound"
    assert path.end == 2, "the first close off the limit"
    assert "after" not in windows_around(study)
    assert days_outside(path) == "", "its band is that of added returns"
    several = ImpliedPath.of(locked)
    assert several is not None
    effect = locked.answer(MAIN).effect.estimate
    assert (several.gap / 100)[several.days == 1] == pytest.approx(effect), "as the headline"


@pytest.mark.slow
def test_events_without_the_main_window_are_named(halted: EventStudyResults) -> None:
    first, second = list_lacking_cars(halted, MAIN)
    dates = halted.abnormal.windows.dates
    assert (first.event_id, first.reason.code) == ("e1", "no_data_days")
    facts = {"datum": "price", "length": 2}
    assert first.reason.facts == facts | {
        "n": 2, "first": str(dates[1, 5]), "last": str(dates[1, 6]),
    }  # fmt: skip
    day = str(dates[2, 5])
    assert second.reason.code == "no_data_one_day", "day +1 spans day -1"
    assert second.reason.facts == facts | {"n": 1, "first": day, "last": day}
    assert "--halt shift" in first.reason.remedy
    sample = findings(halted).sample
    assert (sample.n_lacking, sample.lacking) == (2, (first, second))
    for text in (
        unescape(page(halted)),
        halted.to_markdown(config=CONFIG),
        halted.to_latex(config=CONFIG),
    ):
        assert str(first.reason).replace("\u00a0", " ") in text.replace("\u00a0", " ").replace(
            "~", " "
        )
    assert list(list_lacking_cars(halted, Window(-5, 5))) == []


def test_other_reasons(locked: EventStudyResults, halted: EventStudyResults) -> None:
    strict = replace(locked, abnormal=locked.abnormal.under(limits="drop"))
    assert [one.reason.code for one in list_lacking_cars(strict, MAIN)] == ["at_limit"]
    (one,) = list_lacking_cars(halted, Window(2, 3))
    at = str(halted.abnormal.windows.dates[1, 7])
    assert (one.reason.code, one.reason.facts) == ("spans_before", {"date": at})


def test_a_day_with_a_price_is_not_called_one_without(halted: EventStudyResults) -> None:
    """Return after a halt: over [1, 1] the third event has a price, and a return from before."""

    def reason(window: Window) -> tuple[str, str]:
        (one,) = [r for r in list_lacking_cars(halted, window) if r.event_id == "e2"]
        return one.reason.code, one.reason.facts.get("date", one.reason.facts.get("first"))

    dates = halted.abnormal.windows.dates[2]
    assert reason(Window(1, 1)) == reason(Window(1, 3)) == ("spans_before", str(dates[6]))
    assert reason(Window(0, 0)) == ("no_data_day", str(dates[5]))
