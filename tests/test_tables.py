"""The reader of tables that price files go through, and files that are replaced in one step."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from eventstudy.files import replacing
from eventstudy.files.tables import numbered_rows, separator_of


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
