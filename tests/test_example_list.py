"""The list of announcements as a data set: its columns, its rule, and how it ships."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT

from eventstudy.cli.main import main

BUNDLED = files("eventstudy") / "data" / "example"
WORDS = {
    "when": {"", "before_open", "in_session", "after_close"},
    "confidence": {"confirmed", "probable", "unverified"},
    "basis": {"first report", "official release", "effective date", "printed date"},
    "selection": {"press", "census"},
    "direction": {"adverse", "relief"},
}
NEWS = {
    "results", "peer results", "company news", "analyst", "other policy", "court",
    "commodity price", "index change", "industry move", "conflict",
}  # fmt: skip
HUAWEI = [f"huawei-2019-05-15-entity-{name}" for name in ("lite", "qrvo", "swks", "qcom", "mu")]
LATE = [
    *HUAWEI, "huawei-2019-05-20-tgl-qcom", "aapl-2020-08-06-wechat-eo", "hesai-2024-01-31-1260h",
    "pg-2022-03-07-russia", "ko-2022-03-08-russia",
]  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(ROOT / "events.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def about() -> str:
    return (BUNDLED / "README.md").read_text(encoding="utf-8")


class TestColumns:
    def test_words_are_those_of_closed_sets(self, rows: pd.DataFrame) -> None:
        for column, words in WORDS.items():
            assert set(rows[column]) <= words, column
        assert {kind for cell in rows["confounders"] for kind in cell.split("; ") if kind} <= NEWS

    def test_every_row_has_a_source_and_a_name_of_its_own(self, rows: pd.DataFrame) -> None:
        assert rows["event_id"].is_unique
        assert rows["source"].ne("").all()
        assert rows["source_url"].str.match(r"https?://\w").all()
        day = rows["announced_at"].str[:10]
        assert not rows.assign(day=day).duplicated(["ticker", "day", "direction"]).any()

    def test_when_is_about_a_date_of_the_exchange(self, rows: pd.DataFrame) -> None:
        """The zone of the row has the hours of the exchange, and the date no time."""
        filled = rows[rows["when"] != ""]
        assert not filled["announced_at"].str.contains("T").any()
        zones = (
            filled["tz"].groupby(filled["ticker"].str.extract(r"\.(\w+)$")[0].fillna("")).unique()
        )
        assert {suffix: sorted(zone) for suffix, zone in zones.items()} == {
            "": ["America/New_York"], "AS": ["Europe/Amsterdam"], "HK": ["Asia/Shanghai"],
            "L": ["Europe/London"], "ME": ["Europe/Moscow"], "SS": ["Asia/Shanghai"],
            "T": ["Asia/Tokyo"],
        }  # fmt: skip
        late = rows.set_index("event_id")["when"][LATE]
        assert (late == "after_close").all()

    def test_unverified_remarks_are_no_confounders(self, rows: pd.DataFrame) -> None:
        """A row whose remarks are all unverified, not only a figure in brackets, names no other news."""
        remarks = rows["context"].str.replace(r"\([^)]*\)", "", regex=True).str.split("; ")
        doubtful = remarks.map(lambda texts: all("[unverified]" in text for text in texts))
        assert doubtful.sum() >= 10
        assert (rows["confounders"][doubtful] == "").all()

    def test_the_file_has_no_fault(self) -> None:
        done = CliRunner().invoke(main, ["check", str(ROOT / "events.csv")])
        assert done.exit_code == 0
        assert done.stderr.startswith("230 events are good, 0 problems")


class TestReadme:
    def test_it_explains_every_column_and_word(self, rows: pd.DataFrame, about: str) -> None:
        explained = set(re.findall(r"`([^`]+)`", about))
        assert set(rows.columns) <= explained
        assert explained >= NEWS
        assert set().union(*WORDS.values()) - {""} <= explained

    def test_its_counts_are_those_of_the_list(self, rows: pd.DataFrame, about: str) -> None:
        assert about.startswith(f"# Sanctions and export controls: {len(rows)} announcements\n")
        unverified = rows.loc[rows["confidence"] == "unverified", "ticker"]
        assert len(unverified) == 7
        assert all(f"{ticker}" in about for ticker in unverified)


class TestCommand:
    def test_the_list_of_the_package_is_that_of_the_project(self) -> None:
        again = "cp events.csv eventstudy/data/example/"
        assert (BUNDLED / "events.csv").read_bytes() == (ROOT / "events.csv").read_bytes(), again

    def test_it_writes_the_list_and_names_the_next_command(self, tmp_path: Path) -> None:
        folder = tmp_path / "my list"
        done = CliRunner().invoke(main, ["example", str(folder)])
        assert done.exit_code == 0, done.output
        assert done.output.endswith(f"\n  eventstudy run '{folder / 'events.csv'}'\n")
        written = {path.name for path in folder.iterdir()}
        assert written == {"events.csv", "README.md", "events.record"}
        assert (folder / "events.csv").read_bytes() == (ROOT / "events.csv").read_bytes()

    @pytest.mark.parametrize("name", ["events.csv", "README.md"])
    def test_it_overwrites_nothing(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).write_text("mine", encoding="utf-8")
        done = CliRunner().invoke(main, ["example", str(tmp_path)])
        assert done.exit_code == 2
        assert f"holds {name} already; nothing was written" in done.stderr
        assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["mine"]
