"""What is written in Python is read as a study file is: windows, events, returns, masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market

import eventstudy as es
from eventstudy.analysis.all_tables import caar_table
from eventstudy.errors import ConfigError, DataError

DAY01 = es.Window(0, 1)


@pytest.mark.parametrize(
    "windows",
    [[(0, 1)], ["0:1"], (0, 1), [0, 1], "0:1", ["[0,1]"], DAY01, np.array([[0, 1], [0, 1]])],
)
def test_one_window_or_several(windows: Any) -> None:
    assert es.StudyConfig(windows=windows).windows == (DAY01,)


def test_settings_are_read_as_in_a_study_file() -> None:
    config = es.StudyConfig(event=(-5, 5), estimation="-100:-11", tests="bmp", factors=["a.csv"])  # type: ignore[arg-type]
    assert (config.event, config.estimation) == (es.Window(-5, 5), es.Window(-100, -11))
    assert (config.tests, config.factors) == (("bmp",), ("a.csv",))
    assert config == es.StudyConfig().with_options(config.to_dict())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"windows": 0}, "windows: not a window, got 0"),
        ({"windows": [0]}, "windows: not a window, got [0]"),
        ({"windows": [("a", "b")]}, "not a window, got ('a', 'b')"),
        ({"windows": [(-40, 0)]}, "the estimation window must end before"),
        ({"event": (1.5, 2)}, "event: not a window"),
        ({"event": (float("nan"), 2)}, "event: not a window"),
        ({"draws": "many"}, "draws: not a whole number"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as error:
        es.StudyConfig(**settings)
    assert says in str(error.value)


def test_events_and_returns_may_be_frames_or_a_file(market: Market, tmp_path: Path) -> None:
    listed = market.table[["event_id", "announced_at", "benchmark"]].assign(ticker=market.tickers)
    listed.to_csv(tmp_path / "events.csv", index=False)
    around: Any = {"estimation": (-120, -11), "event": (-5, 5)}
    file, frame = tmp_path / "events.csv", pd.read_csv(tmp_path / "events.csv")
    for events in (file, str(file), frame):
        results = es.EventStudy(events, market.frame, **around).fit()
        np.testing.assert_array_equal(results.car((0, 1))["car"], market.fit().car((0, 1))["car"])
    market.frame.rename_axis("date").to_csv(tmp_path / "returns.csv")
    config = es.StudyConfig(returns=str(tmp_path / "returns.csv"), calendar="data", **around)
    by_file, by_frame = (es.run_study(given, config) for given in (str(file), frame))
    np.testing.assert_array_equal(by_file.car((0, 1))["car"], by_frame.car((0, 1))["car"])
    with pytest.raises(ConfigError, match="events: not events, got 'int'"):
        es.run_study(3, config)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"returns": "sample"}, "returns: not returns, got 'str'; give load_returns"),
        ({"events": 3}, "events: not events, got 'int'; give read_events"),
        ({"model": "markt"}, "did you mean 'market'"),
        ({"engine": "fast"}, "engine: unknown choice"),
        ({"estimation": (-5, -1)}, "must end before the event window starts"),
        ({"event": 3}, "event: not a window"),
    ],
)
def test_a_study_is_refused_before_it_is_fitted(
    what: dict[str, Any], says: str, market: Market
) -> None:
    events = es.events_from_frame(market.table[["ticker", "announced_at"]], calendar="data")
    given: dict[str, Any] = {"events": events, "returns": market.frame, **what}
    with pytest.raises(ConfigError) as error:
        es.EventStudy(**given)
    assert says in str(error.value)


def test_a_frame_without_returns_is_refused() -> None:
    with pytest.raises(DataError, match="no return at all"):
        es.ReturnsPanel.from_frame(pd.DataFrame())


def test_one_window_will_do_wherever_several_are_taken(market: Market) -> None:
    results = market.fit()
    for one in ((0, 1), "0:1", DAY01):
        pd.testing.assert_frame_equal(results.car(one), results.car([(0, 1)]))
        pd.testing.assert_frame_equal(results.tests(one), results.tests([(0, 1)]))
        pd.testing.assert_frame_equal(caar_table(results, one), caar_table(results, [DAY01]))
        assert str(results.summary(one)) == str(results.summary([(0, 1)]))
    with pytest.raises(ConfigError, match="no window"):
        results.car([])


def test_subset_takes_masks_and_positions_and_nothing_else(market: Market) -> None:
    results = market.fit()
    mask = results.events["ticker"] < "F03"
    ids = list(results.events["event_id"][mask])
    for rows in (mask, mask.to_numpy(), [0, 1, 2], np.arange(3)):
        assert list(results.subset(rows).events["event_id"]) == ids
    bad: list[Any] = [None, lambda e: e, mask.astype(str), 1.5]
    for rows in bad:
        with pytest.raises(ConfigError, match="neither a mask of the events nor positions"):
            results.subset(rows)
    with pytest.raises(ConfigError, match="a mask of 12 events is needed"):
        results.subset([True])
    with pytest.raises(ConfigError, match="there are 12 events"):
        results.subset([12])


def test_notebooks_show_panel_study_and_summary(market: Market) -> None:
    events = es.events_from_frame(market.table[["ticker", "announced_at"]], calendar="data")
    study = es.EventStudy(events, market.frame)
    assert all(said in study.returns._repr_html_() for said in ("13 ", "200 ", "2020-01-01"))
    assert "12 events" in study._repr_html_()
    assert "BMP-KP" in str(market.fit().summary((0, 1)))
