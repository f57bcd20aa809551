"""The CSVs of a run: no cell is a formula in a spreadsheet, and every cell is read back as it
was."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from exported import CONFIG, HOSTILE, hostile_market
from hypothesis import given
from hypothesis import strategies as st

from eventstudy.events import read_events
from eventstudy.files import read_csv, to_csv
from eventstudy.files.csv_text import quoted, read_numbers, unquoted
from eventstudy.findings import FinishedRun
from eventstudy.runs import write_run
from eventstudy.runs.index import run_of

FORMULAS = [
    '=HYPERLINK("http://evil.example","x")', "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)",
    "＝1+1",
    " =1+1", "\t=1+1", "\n=1+1", "--1a", "=A1", "+44 20 7946", "-3.5% in a day", "-1e5x", "=\u0661",
]  # fmt: skip
PLAIN = [
    "", "-", "--", "=", "+ -", "-1", "+1", "-1.5e-3", "+3%", "-1,000.5", "-.5", "'q'", "'", "a=b",
    "e-mail",
    "[-1,1]", "me@firm.example", "1-2", "'-1", "x;-1", "rose; =", "x; -bar",
]  # fmt: skip
# Made of what matters, so that every kind of collision is met, or of all that an events file may
# hold.
MIXED = st.text(st.sampled_from("='+-@;\t 1.eEa%＝\n\r,\""))
CELLS = MIXED | st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text: str) -> None:
    assert quoted(text) == f"'{text}"
    assert quoted(f"x;{text.lstrip()}") == f"x;'{text.lstrip()}"


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_stay(text: str) -> None:
    assert quoted(text) == unquoted(text) == text


@given(CELLS)
def test_each_text_is_read_back(text: str) -> None:
    assert unquoted(quoted(text)) == text
    assert not any(formula(cell) for cell in [quoted(text), *quoted(text).split(";")])


def formula(cell: str) -> bool:
    """Return whether a spreadsheet would compute this cell: it has an operator first, and an
    operand."""
    number = re.fullmatch(r"[+-][\d.,]+([eE][+-]?\d+)?\s*%?\s*", cell)
    return cell[:1] in tuple("=+-@＝＋－＠") and re.search(r"\w", cell) is not None and not number


@given(st.lists(CELLS, min_size=1, max_size=5), CELLS)
def test_tables_are_read_back(cells: list[str], name: str) -> None:
    head = name if name not in ("", "r", "day") else "x"
    table = pd.DataFrame(
        {head: cells, "r": np.arange(len(cells)) / 3, "day": pd.Timestamp("2019-05-22")}
    )
    text = to_csv(table)
    back = read_csv(
        io.BytesIO(text), dtype={head: "str", "day": "str"}, keep_default_na=False, na_filter=False
    )  # fmt: skip
    assert list(back) == list(table)
    assert back[head].tolist() == cells
    assert (back["r"] == table["r"]).all()
    rows = [*csv.reader(io.StringIO(text.decode(), newline=""))]
    assert not any(formula(cell) for row in rows for cell in row)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.booleans())
def test_numbers_are_read_to_the_last_bit(numbers: list[float], has_many_digits: bool) -> None:
    """Python's own reader of numbers rounds correctly."""
    cells = [f"{number:.30e}" if has_many_digits else repr(number) for number in numbers]
    text = io.BytesIO("\n".join(["r", *cells]).encode())
    back = read_numbers(text, dtype="float64")["r"]
    assert back.to_numpy().tobytes() == np.array([float(cell) for cell in cells]).tobytes()


def test_only_cells_with_a_line_end_are_quoted_for_it() -> None:
    table = pd.DataFrame({"a": ["x\ry", "x\r\ny", "x"], "b": ["1", "2", 'say "\r\n"']})
    assert to_csv(table) == b'a,b\n"x\ry",1\n"x\r\ny",2\nx,"say ""\r\n"""\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(hostile_market(), tmp_path_factory.mktemp("runs"), "hostile", config=CONFIG)


@pytest.mark.slow
def test_no_csv_of_a_run_has_a_formula(folder: Path) -> None:
    files = [folder / "events.csv", *(folder / "tables").glob("*.csv")]
    assert len(files) > 15
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            found = [cell for row in csv.reader(lines) for cell in row if formula(cell)]
        assert found == [], file.name
    assert "'=HYPERLINK" in (folder / "events.csv").read_text(encoding="utf-8")


def test_the_apostrophe_is_no_part_of_the_cell(folder: Path) -> None:
    run = FinishedRun.read(folder)
    names = [event.cells["company"] for event in run.findings.events]
    assert names == [*HOSTILE, "plain"]
    groups = {sample.group for sample in run.findings.groups}
    assert "=relief|x" in groups
    assert set(run.tables["tests_by_group"]["direction"]) == groups


@pytest.mark.slow
def test_groups_and_columns_may_be_named_like_formulas(tmp_path: Path) -> None:
    market = Market(n=8)
    market.table["=kind()"] = ["=a()", "+b()"] * 4
    config = CONFIG.with_options({"by": "=kind()", "regress": []})
    run = write_run(market.fit(), tmp_path, "named", config=config)
    assert "'=kind()" in (run / "tables" / "tests_by_group.csv").read_text().partition("\n")[0]
    back = FinishedRun.read(run)
    groups = {sample.group for sample in back.findings.groups}
    assert groups == {"=a()", "+b()"}
    assert set(back.tables["caar_by_group"]["=kind()"]) == groups
    assert len(run_of(run).path) == 11, "the index draws the path of the group of the headline"


def test_events_of_a_run_are_studied_again_with_their_own_cells(
    folder: Path, tmp_path: Path
) -> None:
    again = read_events(folder / "events.csv", calendar="data").table
    assert again["company"].tolist() == [*HOSTILE, "plain"]
    file = tmp_path / "own.csv"
    file.write_text("ticker,announced_at,label\nAAPL,2019-05-22,'=x\n", encoding="utf-8")
    assert read_events(file).table["label"].tolist() == ["'=x"], (
        "a file of the user has no mark of ours"
    )
