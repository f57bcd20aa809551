"""The reader of tables that price files go through, and files that are replaced in one step."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest

from eventstudy.errors import DataError
from eventstudy.utility.atomic_file import replacing
from eventstudy.utility.tables import (
    numbered_rows,
    read_csv_cells,
    read_parquet,
    separator_of,
)


@pytest.mark.parametrize(
    ("header", "columns", "separator"),
    [
        ("date,close\n", (), ","),
        ("date;close\n", (), ";"),
        ("date\tclose, adjusted\tvolume\n", (), "\t"),
        ("date|close|volume\n", (), "|"),
        ("ticker;a, b, c, d\n", ("ticker",), ";"),
        ("date\n", (), ","),
    ],
)
def test_the_separator(header: str, columns: tuple[str, ...], separator: str) -> None:
    assert separator_of(header, columns) == separator


def test_rows_have_the_lines_of_the_file() -> None:
    text = 'a,b\n\n"two\nlines",1\n ,\u200b\nx,"y" z\nlast,2\n'
    rows = list(numbered_rows(text.splitlines(keepends=True), ",", strict=True))
    assert [line for line, _ in rows] == [1, 3, 6, 7]
    assert rows[1][1] == ["two\nlines", "1"]
    assert isinstance(rows[2][1], csv.Error)
    assert rows[3][1] == ["last", "2"], "rows after a broken one are read"


def test_cells_of_a_packed_file(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(gzip.compress("\ufeffdate|close\n\n2019-01-02|1.50\n".encode()))
    cells = read_csv_cells(path)
    assert cells.to_dict("index") == {3: {"date": "2019-01-02", "close": "1.50"}}
    path.write_bytes(b"no gzip")
    with pytest.raises(DataError, match="cannot be read"):
        read_csv_cells(path)


@pytest.mark.parametrize(
    ("content", "message", "where"),
    [
        (b"", "no header line", "table.csv:1"),
        (b"a,b\n1,2\n\n1,2,3\n", "3 cells, the header has 2", "table.csv:4"),
        (b"a\n\xff\n", "not UTF-8: unreadable byte", "table.csv:2"),
    ],
)
def test_faults_name_the_line(tmp_path: Path, content: bytes, message: str, where: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_csv_cells(path)
    assert caught.value.where == where


def test_a_named_index_of_parquet_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"close": [1.0]}, index=pd.Index(["2019-01-02"], name="date")).to_parquet(path)
    assert list(read_parquet(path)) == ["date", "close"]
    path.write_bytes(b"no Parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_parquet(path)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.write_text(file.write_text("half"))
    assert path.read_text() == "old"
    with replacing(path) as file:
        file.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
