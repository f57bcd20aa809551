"""`eventstudy prices import` of many files: a bad one is named, and the others are kept."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from test_prices_cli import invoke

from eventstudy.errors import DataError
from eventstudy.prices import PriceCache, StoreProvider

HEAD = "date,close,adj_close,volume"
ROWS = ["2019-01-02,10,9.5,100", "2019-01-03,11,10.5,200", "2019-01-04,12,11.5,300"]
GOOD = "\n".join([HEAD, *ROWS, ""])
# What is in a file, and what is told of it: row, column, value, remedy.
BAD: dict[str, tuple[str | bytes, list[str]]] = {
    "LETTER.csv": (GOOD.replace("11,", "1l,"), ["LETTER.csv:3: close", "'1l'", "write 1234.5"]),
    "MORE.csv": (GOOD.replace(",200", ",200,7"), ["MORE.csv:3: 5 cells where the header has 4"]),
    "FIRST.csv": (GOOD.replace(",100", ",100,7"), ["FIRST.csv:2: 5 cells where the header has 4"]),
    "LATIN.csv": (
        GOOD.replace(",300", ",3\xe90").encode("latin-1"),
        ["LATIN.csv:4: the file is not UTF-8", "'0xe9'", "CSV UTF-8"],
    ),
    "PACKED.csv.gz": (
        gzip.compress(GOOD.replace(",300", ",3\xe90").encode("latin-1")),
        ["PACKED.csv.gz:4: the file is not UTF-8", "'0xe9'"],
    ),
    "EMPTY.csv": ("", ["EMPTY.csv:1: the file is empty", "the first line names the columns"]),
    "DATE.csv": (GOOD.replace("2019-01-03", "03/01/2019"), ["DATE.csv:3: date", "'03/01/2019'"]),
    "=1.csv": (GOOD, ["not a symbol, got '=1'", "starts no formula"]),
}
# Cells that can be no price are missing, and the note names the day.
MENDED = {
    "DIGITS.csv": (GOOD.replace("11,", "9" * 400 + ","), "values of close", "2019-01-03"),
    "VOLUME.csv": (GOOD.replace(",200", "," + "9" * 400), "values of volume", "2019-01-03"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "files"
    out.mkdir()
    for name in ("AAA", "ZZZ"):
        (out / f"{name}.csv").write_text(GOOD, encoding="utf-8")
    for name, (content, *_) in {**BAD, **MENDED}.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (out / name).write_bytes(raw)
    return out


@pytest.mark.parametrize("one_by_one", [False, True])
def test_each_good_file_is_kept_and_each_bad_one_named(
    folder: Path, tmp_path: Path, one_by_one: bool
) -> None:
    paths = sorted(folder.iterdir()) if one_by_one else [folder]
    code, out, err = invoke("import", *paths, "--store", tmp_path / "s")
    assert code == 3
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert sorted(lines) == ["AAA", "DIGITS", "VOLUME", "ZZZ"]
    for name, (_, *words) in MENDED.items():
        assert all(word in lines[name.removesuffix(".csv")] for word in words)
    for name, (_, words) in BAD.items():
        assert any(all(word in line for word in words) for line in err.splitlines()), name
    assert sum(line.startswith("eventstudy: ") for line in err.splitlines()) == len(BAD)
    assert StoreProvider(tmp_path / "s", partial=True).symbols() == (*lines,)


def test_bad_files_alone_are_data_problems(folder: Path, tmp_path: Path) -> None:
    bad = [folder / name for name in BAD]
    assert invoke("import", *bad, "--store", tmp_path / "s")[0] == 1
    for path in bad:
        assert invoke("import", path, "--store", tmp_path / "s")[0] == 1
    good = folder / "AAA.csv"
    code, _, err = invoke("import", good, folder / "no.csv", "--store", tmp_path / "s")
    assert (code, "no such file or folder of prices" in err) == (2, True)
    assert not (tmp_path / "s").exists()
    assert invoke("import", "--store", tmp_path / "s")[0] == 2


def test_a_ticker_in_two_files_is_refused(tmp_path: Path) -> None:
    """Before anything is kept: one of the two would be lost."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "AAA.csv").write_text(GOOD, encoding="utf-8")
    cache = PriceCache(tmp_path / "s")
    with pytest.raises(DataError, match="in two files") as error:
        cache.import_files([tmp_path / "a", tmp_path / "b"])
    assert error.value.where == "AAA"
    assert not (tmp_path / "s").exists()
    assert len(cache.import_files([tmp_path / "a", tmp_path / "a"])[0]) == 1
