"""Symbols that are gone, and what a run says of the announcements that it lost."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.cli.main import main
from eventstudy.errors import NetworkError, NoPricesError, UnknownSymbolError
from eventstudy.prices import explain_gone, with_successors

KINDS = {
    "rename", "merger", "redomiciled", "adr_delisted", "moved_to_otc", "suspended", "cash", "delisted",
}  # fmt: skip


def rows() -> Iterator[dict[str, str]]:
    with (ROOT / "eventstudy" / "data" / "renamed.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def test_every_row_has_a_day_a_kind_a_source_and_a_sentence() -> None:
    seen = set()
    for row in rows():
        assert date.fromisoformat(row["date"]) < date(2026, 1, 1)
        assert row["kind"] in KINDS
        assert row["source"]
        assert "memory" not in row["source"] + row["certainty"]
        assert row["old"] not in seen
        seen.add(row["old"])
        text = explain_gone(row["old"])
        assert row["old"] in text
        assert row["new"] in text


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        ("FB", "since 9 Jun 2022 FB is META, whose prices go on from before"),
        ("RTN", "RTN was merged into RTX on 3 Apr 2020: before that day RTX is another security"),
        ("TWTR", "TWTR was bought for cash and last traded before 28 Oct 2022"),
        (
            "CHL",
            "CHL left NYSE on 11 Jan 2021; 0941.HK is the listing at home, in another currency",
        ),
        ("AAPL", ""),
    ],
)
def test_what_became_of_a_symbol(symbol: str, text: str) -> None:
    assert explain_gone(symbol).replace("\xa0", " ") == text


def test_only_answers_of_a_source_name_a_successor() -> None:
    failures = {
        "FB": UnknownSymbolError("not known", where="FB", remedy="check the spelling"),
        "UTX": NoPricesError("no prices", where="UTX"),
        "RTN": NetworkError("no answer", where="RTN"),
        "AAPL": UnknownSymbolError("not known", where="AAPL"),
    }
    named = with_successors(failures)
    assert named["FB"].remedy.replace("\xa0", " ").startswith("since 9 Jun 2022 FB is META")
    assert named["FB"].remedy.endswith("; check the spelling")
    assert named["UTX"].remedy.replace("\xa0", " ").startswith("since 3 Apr 2020 UTX is RTX")
    assert named["RTN"].remedy == named["AAPL"].remedy == ""
    assert failures["UTX"].remedy == ""
    assert with_successors(named)["FB"].remedy == named["FB"].remedy


def write_study(folder: Path, lost: list[str]) -> list[str]:
    """Write prices of firms of New York and Moscow but for some, and announcements of all."""
    rng = np.random.default_rng(5)
    prices = folder / "prices"
    prices.mkdir()
    firms = [f"F{k}" for k in range(8)] + [f"F{k}.ME" for k in range(7)]
    for symbol in [*firms, "^GSPC", "IMOEX.ME"]:
        sessions = Sessions.of("XMOS" if symbol.endswith(".ME") else "XNYS").dates
        years = (sessions > np.datetime64("2018-01-01")) & (sessions < np.datetime64("2020-01-01"))
        days = sessions[years]
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        if symbol not in lost:
            frame = pd.DataFrame({"date": days, "close": close})
            frame.to_csv(prices / f"{symbol}.csv", index=False)
    lines = [f"{firm},2019-{3 + k % 8:02d}-12" for k, firm in enumerate(firms)]
    text = "\n".join(["ticker,announced_at", *lines])
    (folder / "events.csv").write_text(text, encoding="utf-8")
    return ["run", str(folder / "events.csv"), "--prices", str(prices), "--event-pages", "0",
            "--out", str(folder / "reports")]  # fmt: skip


MOSCOW = [f"F{k}.ME" for k in range(7)]


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        (MOSCOW, "7 of the 7 missing are Moscow: the answer is not about Moscow."),
        (MOSCOW[:6], "6 of the 6 missing are Moscow, of which the answer has 1."),
        ([*MOSCOW, "F0"], "7 of the 8 missing are Moscow: the answer is not about Moscow."),
        (["F0", "F1", "F2", "F3"], ""),  # as many of New York are in the answer
        ([*MOSCOW[:3], "F0", "F1", "F2", "F3"], ""),
    ],
)
def test_a_market_that_is_lost_is_in_the_caveat(
    tmp_path: Path, lost: list[str], sentence: str
) -> None:
    shown = CliRunner().invoke(main, write_study(tmp_path, lost))
    assert shown.exit_code == 0, shown.output
    text = " ".join(shown.output.split())
    assert ("missing are" in text) == bool(sentence)
    assert sentence in text
    page = (tmp_path / "reports" / "events" / "report.html").read_text(encoding="utf-8")
    assert sentence in " ".join(page.split())


def test_a_dropped_event_names_the_successor_of_its_ticker(tmp_path: Path) -> None:
    news = pd.DataFrame({"ticker": ["AMD", "FB"], "announced_at": ["2022-10-07", "2022-01-12"]})
    results = es.study(news, prices="sample")
    assert "since 9 Jun 2022 FB is META" in results.events["reason"].iloc[1].replace("\xa0", " ")


def test_the_command_says_what_is_gone_and_which_files_cannot_be_read(tmp_path: Path) -> None:
    arguments = write_study(tmp_path, [])
    bad = tmp_path / "prices" / "F0.csv"
    bad.write_text("date,close\n2019-01-02,abc\n", encoding="utf-8")
    events = tmp_path / "events.csv"
    events.write_text(events.read_text(encoding="utf-8") + "\nFB,2019-03-05\n", encoding="utf-8")
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    said = shown.stderr.replace("\xa0", " ")
    assert "F0.csv:2: close: not a number, got 'abc'" in said
    assert "1 symbol is gone: since 9 Jun 2022 FB is META" in said
