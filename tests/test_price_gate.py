"""Unadjusted splits on the way to the answer: what is proven leaves the mean, the rest is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from run_folders import invoke

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.findings.document import read_json
from eventstudy.report.sentences.caveats import asides

OPEN = Sessions.of("XNYS")
SESSIONS = pd.DatetimeIndex(OPEN.dates[OPEN.dates >= np.datetime64("2018-01-01")][:420])
AT = 330
FIRMS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
GONE = ("no_data_one_day_faulty", ["unadjusted split"])


def prices(splits: dict[str, float], seed: int = 5) -> pd.DataFrame:
    """Six shares that fall by 6 % on row AT, and their index; splits of that day are not applied."""
    rng = np.random.default_rng(seed)
    n, market, tables = len(SESSIONS), 0.006 * rng.standard_normal(len(SESSIONS)), []
    for k, name in enumerate([*FIRMS, "^GSPC"]):
        move = market + (name != "^GSPC") * 0.012 * rng.standard_normal(n)
        volume = rng.lognormal(13, 0.3, n)
        if name != "^GSPC":
            move[AT] -= 0.06 + 0.004 * k
        by = splits.get(name, 1.0)
        close = 90 * np.exp(np.cumsum(move)) / np.where(np.arange(n) < AT, 1.0, by)
        start = close * np.exp(0.003 * rng.standard_normal(n))
        span = 0.01 * np.exp(0.3 * rng.standard_normal(n))
        tables.append(pd.DataFrame({
            "symbol": name, "date": SESSIONS, "open": start,
            "high": np.maximum(start, close) * (1 + span),
            "low": np.minimum(start, close) * (1 - span), "close": close, "adj_close": close,
            "volume": volume * np.where(np.arange(n) < AT, 1.0, by),
        }))  # fmt: skip
    return pd.concat(tables)


def run(folder: Path, splits: dict[str, float], without: slice = slice(0)) -> tuple[str, Path]:
    table = prices(splits)
    lacks = (table["symbol"] == "BBB") & table["date"].isin(SESSIONS[without])
    table[~lacks].to_csv(folder / "p.csv", index=False)
    pd.DataFrame({
        "event_id": FIRMS, "ticker": FIRMS, "tz": "America/New_York", "benchmark": "^GSPC",
        "announced_at": str(SESSIONS[AT].date()),
    }).to_csv(folder / "e.csv", index=False)  # fmt: skip
    text = invoke(
        "run", folder / "e.csv", "--prices", folder / "p.csv", "--estimation", "-250:-31",
        "--out", folder, "--name", "study", "--event-pages", "1", "--calibrate", "0",
    )  # fmt: skip
    return " ".join(text.split()), folder / "study"


@pytest.mark.slow
def test_a_proven_split_leaves_the_mean_with_its_reason(tmp_path: Path) -> None:
    text, folder = run(tmp_path, {"AAA": 4.0})
    events = pd.read_csv(folder / "events.csv", index_col="event_id", keep_default_na=False)
    assert ["quarantined" in flags for flags in events["flags"]] == [True, *[False] * 5]
    car = pd.read_csv(folder / "tables" / "car.csv")
    assert car["car"].abs().max() < 0.3
    sample = read_json((folder / "results.json").read_text("utf-8")).sample
    assert sample.answer.n_events == 5
    [remark] = sample.lacking
    assert remark.event_id == "AAA"
    assert (remark.reason.code, remark.reason.facts["kinds"]) == GONE
    assert "quarantined" in set(pd.read_csv(folder / "tables" / "without_flagged.csv")["left_out"])
    assert "unadjusted split" in text


@pytest.mark.slow
def test_the_answer_names_what_may_be_a_split(tmp_path: Path) -> None:
    text, folder = run(tmp_path, {"AAA": 1.5, "BBB": 1.5})
    events = pd.read_csv(folder / "events.csv", index_col="event_id", keep_default_na=False)
    assert ["suspect_split" in flags for flags in events["flags"]] == [True] * 2 + [False] * 4
    findings = read_json((folder / "results.json").read_text("utf-8"))
    answer = findings.sample.answer
    assert answer.n_events == 6
    table = findings.over_main(pd.read_csv(folder / "tables" / "without_flagged.csv"))
    row = table[(table["left_out"] == "suspect_split") & (table["test"] == answer.test)].iloc[0]
    assert row["n_events"] == 4
    assert answer.effect.estimate < row["weighted_caar"] < -0.05
    note = asides(findings)[0]
    assert note.startswith("2 of 6 moves look like unadjusted splits (AAA, BBB); without them ")
    assert f"{abs(100 * row['weighted_caar']):.1f}" in note
    assert f"{abs(100 * row['weighted_low']):.1f}" in note, "its interval stands beside it"
    assert "2 of 6 moves look like unadjusted splits" in text
    for name in ("report.md", "report.html"):
        assert "2 of 6 moves look like unadjusted splits" in (folder / name).read_text("utf-8")


@pytest.mark.slow
def test_issues_are_counted_as_their_words_say(tmp_path: Path) -> None:
    text, folder = run(tmp_path, {}, without=slice(AT - 60, AT - 55))
    [gap] = pd.read_csv(folder / "tables" / "faults.csv").to_dict("records")
    assert (gap["kind"], gap["detail"]) == ("missing_session", "5 sessions without a row")
    assert "5 price-data issues in the windows: 5 missing sessions; tables/faults.csv" in text


@pytest.mark.slow
def test_one_suspect_move_alone_is_named(tmp_path: Path) -> None:
    _, folder = run(tmp_path, {"CCC": 1.5})
    findings = read_json((folder / "results.json").read_text("utf-8"))
    assert asides(findings)[0].startswith(
        "1 of 6 moves looks like an unadjusted split (CCC); without it"
    )


@pytest.mark.slow
@pytest.mark.parametrize("splits", [{}, {"AAA": 1.0}])
def test_without_suspects_the_answer_has_no_such_note(
    tmp_path: Path, splits: dict[str, float]
) -> None:
    text, _ = run(tmp_path, splits)
    assert "split" not in text


def test_the_flag_is_about_the_main_window() -> None:
    panel_prices = prices({"AAA": 1.5})
    news = pd.DataFrame({
        "ticker": ["AAA"], "tz": "America/New_York", "benchmark": "^GSPC",
        "announced_at": str(SESSIONS[AT - 5].date()),
    })  # fmt: skip
    events = es.events_from_frame(news)
    for main, is_flagged in (((0, 1), False), ((0, 8), True)):
        flags = fitted(events, panel_prices, main).split(";")
        assert "suspect_price" in flags
        assert ("suspect_split" in flags) == is_flagged


def fitted(events: es.Events, table: pd.DataFrame, main: tuple[int, int]) -> str:
    panel = es.ReturnsPanel.from_prices(
        table, keys=[("AAA", "XNYS"), ("^GSPC", "XNYS")], sessions={"XNYS": OPEN}
    )
    study = es.EventStudy(events, panel, estimation=(-250, -31), event=(-10, 10), main=main)
    return str(study.fit().events["flags"].iloc[0])
