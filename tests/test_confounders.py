"""Other news near an event: read with all faults, flagged within the window, left out on
request."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import findings

import eventstudy as es
from eventstudy.analysis import study_tables
from eventstudy.calendars import Window
from eventstudy.events import Events
from eventstudy.fitting.found_news import confounded_by, with_confounders
from eventstudy.fitting.press import Confounder, ConfoundersFileError, read_confounders
from eventstudy.prices._base import Action
from eventstudy.prices.files import FrameProvider
from eventstudy.runs.contents import list_outcomes
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults, run_study

W = Window(0, 1)


def is_confounded(results: EventStudyResults) -> np.ndarray:
    """Return which events are flagged."""
    return np.array(["confounded" in flags.split(";") for flags in results.events["flags"]])


def news(day: object, ticker: str = "F00", what: str = "earnings") -> Confounder:
    return Confounder(ticker, pd.Timestamp(str(day)).date(), what)


def texts(market: Market, *found: Confounder, days: int = 1, window: Window = W) -> list[str]:
    return list(confounded_by(market.fit(), found, window, days=days))


def test_found_in_the_prices_and_in_the_list(market: Market) -> None:
    """A dividend, a split, a jump of the index, and another event of the firm; none is dropped."""
    table = market.table.copy()
    days, at = market.frame.index, market.frame.index.get_indexer(table["day0"])
    frame = market.frame.copy()
    frame.iloc[at[2] + 2, frame.columns.get_loc("MKT")] = 0.09
    close = 100 * (1 + frame).cumprod()
    table.loc[11, ["ticker", "announced_at"]] = ["F04", str(days[at[4] + 2].date())]
    dates = {i: [str(days[at[i] + k].date()) for k in (-2, -1, 2, 3)] for i in (0, 1)}
    first = [Action(day, "dividend", 0.1) for day in dates[0]]
    second = [Action(dates[1][2], "split", 2.0)]

    class Source(FrameProvider):
        def fetch(self, *args: Any, **options: Any) -> Any:
            actions = {"F00": tuple(first), "F01": tuple(second)}
            return replace(super().fetch(*args, **options), actions=actions)

    news_ = table[["event_id", "ticker", "announced_at", "benchmark"]]
    named: dict[str, Any] = {"calendar": "data", "estimation": "-100:-11", "event": "-5:5"}
    options = {**named, "car": "0:1", "drop_confounded": True}
    found = es.study(news_, Source(close), find_confounders=True, **options)
    said = found.events["confounder"]
    assert said[0] == f"dividend ({dates[0][1]}); dividend ({dates[0][2]})"
    assert said[1] == f"split ({dates[1][2]})"
    assert said[2] == f"MKT moved by +9.00% ({days[at[2] + 2].date()})"
    assert said[4] == f"event e11 of the list ({news_['announced_at'][11]})"
    assert said[11].endswith(f"of the list ({news_['announced_at'][4]})") or not said[11]
    assert len(found) == len(es.study(news_, Source(close), **options)) == 12
    assert is_confounded(found)[[0, 1, 2, 4]].all()


class TestReading:
    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "news.csv"
        path.write_text(
            "date;what;ticker;source\n2020-08-14;earnings;F00;x\n\n2020-08-17;tariffs;*;y\n"
        )
        assert read_confounders(path) == [
            Confounder("F00", date(2020, 8, 14), "earnings"),
            Confounder("*", date(2020, 8, 17), "tariffs"),
        ]  # fmt: skip

    def test_all_faults_at_once_with_their_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "news.csv"
        path.write_text(
            "ticker,date,what\nF00,2020-13-01,a\n,2020-08-14,\nF00,2020-08-14\n*,2020-08-14,b,c\n"
        )
        with pytest.raises(ConfoundersFileError) as caught:
            read_confounders(path)
        assert [(p.line, p.column) for p in caught.value.problems] == [
            (2, "date"), (3, "ticker"), (3, "what"), (4, ""), (5, ""),
        ]  # fmt: skip
        assert str(caught.value).startswith(
            f"{path}: 5 problems in the file of confounders\n{path}:2: date:"
        )

    def test_columns_that_are_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "news.csv"
        path.write_text("firm,date\nF00,2020-08-14\n")
        with pytest.raises(ConfoundersFileError) as caught:
            read_confounders(path)
        assert [p.column for p in caught.value.problems] == ["ticker", "what"]

    def test_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "news.csv"
        path.write_text("")
        with pytest.raises(ConfoundersFileError, match="is empty"):
            read_confounders(path)


class TestWhichEvents:
    def test_from_k_sessions_before_the_window_to_k_after(self) -> None:
        market = Market(n=3)
        sessions = market.frame.index
        zero = sessions.get_loc(market.table["day0"][0])
        for k in (0, 1, 2):
            near = [
                bool(texts(market, news(sessions[zero + d].date()), days=k)[0])
                for d in range(-4, 6)
            ]
            assert near == [-k <= d <= 1 + k for d in range(-4, 6)]

    def test_a_day_without_trade_counts_for_the_next_session(self) -> None:
        market = Market(n=1)
        monday = pd.Timestamp("2020-08-17")
        market.table["day0"] = [monday]
        assert texts(market, news("2020-08-15"), days=0, window=Window(0, 0)) == [
            "earnings (2020-08-15)"
        ]
        assert texts(market, news("2020-08-14"), days=0, window=Window(0, 0)) == [""]

    def test_of_the_firm_or_of_all(self) -> None:
        market = Market(n=3, dates=1)
        day = market.table["day0"][0].date()
        assert texts(market, news(day, "F01")) == ["", f"earnings ({day})", ""]
        assert all(texts(market, news(day, "*", "tariffs")))
        both = texts(market, news(day), news(day, "*", "tariffs"))
        assert both[0] == f"earnings ({day}); tariffs ({day})"

    def test_a_column_of_the_events(self) -> None:
        market = Market(n=4)
        market.table["confounders"] = ["merger", "", "none known", " "]
        assert texts(market) == ["merger", "", "", ""]

    def test_order_of_events_does_not_matter(self) -> None:
        market, turned = Market(n=6), Market(n=6)
        turned.table = turned.table.iloc[::-1].reset_index(drop=True)
        found = [news(market.table["day0"][i].date(), f"F0{i}") for i in (1, 4)]
        assert texts(turned, *found)[::-1] == texts(market, *found)


def study(
    market: Market, tmp_path: Path, **options: object
) -> tuple[EventStudyResults, StudyConfig]:
    market.frame.rename_axis("date").to_csv(tmp_path / "returns.csv")
    table = market.table.assign(announced_at=market.table["day0"].dt.strftime("%Y-%m-%d"))
    events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    (tmp_path / "news.csv").write_text(
        "ticker,date,what\n"
        + "".join(f"F0{i},{market.table['day0'][i].date()},earnings\n" for i in (1, 4))
    )
    config = StudyConfig(
        returns=str(tmp_path / "returns.csv"), confounders=str(tmp_path / "news.csv"),
        calendar="data",
        estimation=Window(-120, -11), event=Window(-5, 5), calibrate=0, **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return run_study(events, config), config


class TestStudies:
    def test_with_and_without(self, tmp_path: Path) -> None:
        market = Market(n=8)
        results, config = study(market, tmp_path)
        assert np.flatnonzero(is_confounded(results)).tolist() == [1, 4]
        assert len(results) == 8
        shown = list_outcomes(results)
        assert shown["confounder"].astype(bool).tolist() == is_confounded(results).tolist()
        kept = market.table.drop([1, 4]).reset_index(drop=True)
        alone = Market(n=8)
        alone.table = kept
        other = alone.fit()
        tables = study_tables(results, config)
        flagged = tables["without_flagged"]
        ours = flagged[flagged["left_out"] == "confounded"].set_index(["test", "start", "stop"])
        theirs = other.test("bmp_kp", W)
        row = ours.loc[("bmp_kp", 0, 1)]
        assert row["statistic"] == pytest.approx(theirs.statistic, rel=1e-12)
        assert row["n_events"] == 6
        all_of_them = tables["tests"].set_index(["test", "start", "stop"])
        assert all_of_them.loc[("bmp", 0, 1), "n_events"] == 8
        assert len(results.subset(~is_confounded(results))) == 6

    @pytest.mark.slow
    def test_left_out_with_a_reason(self, tmp_path: Path) -> None:
        market = Market(n=8)
        results, config = study(market, tmp_path, drop_confounded=True)
        assert results.events["status"].tolist() == [
            "dropped" if i in (1, 4) else "ok" for i in range(8)
        ]
        assert (
            results.events["reason"][1]
            == f"other news near the event: earnings ({market.table['day0'][1].date()})"
        )
        assert "without_flagged" not in study_tables(results, config)
        rest, _ = study(Market(n=8), tmp_path)
        assert results.test("bmp", W).statistic == pytest.approx(
            rest.subset(~is_confounded(rest)).test("bmp", W).statistic, rel=1e-12
        )

    @pytest.mark.slow
    def test_leaving_them_out_does_not_change_which_group_leads(self, tmp_path: Path) -> None:
        leads = []
        for drop in (False, True):
            market = Market(n=13)
            market.table["direction"] = ["a"] * 7 + ["b"] * 6
            results = study(market, tmp_path, drop_confounded=drop)[0]
            groups = results.groups("direction")
            leading = findings(results, by="direction").sample.group
            leads.append((leading, list(groups), {k: len(v) for k, v in groups.items()}))
        assert leads == [("a", ["a", "b"], {"a": 7, "b": 6}), ("a", ["a", "b"], {"a": 5, "b": 6})]

    def test_nothing_is_added_without_news(self, tmp_path: Path) -> None:
        results = Market(n=3).fit()
        assert "confounder" not in results.events
        none = run_study(
            Events(Market(n=3).table, "frame", "", ()),
            replace(study(Market(n=8), tmp_path)[1], confounders=""),
        )
        assert "confounder" not in none.events

    def test_flags_of_an_earlier_run_do_not_stay(self) -> None:
        market = Market(n=2)
        market.table["flags"] = ["confounded;mine", ""]
        results = with_confounders(market.fit(), np.array(["", "merger"], dtype=object))
        flags = [text.split(";") for text in results.events["flags"]]
        assert ["confounded" in own for own in flags] == [False, True]
        assert "mine" in flags[0]
