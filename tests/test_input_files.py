"""Input files of any kind: what is no regular file, or would fill the memory, is one sentence."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from run_folders import SHORT, Project, invoke

# Bytes of the content of the bombs: far above what their own size allows.
CONTENT = 30_000_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("inputs"))


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
@pytest.mark.parametrize("special", ["pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "option", ["", "--prices", "--returns", "--factors", "--size", "--confounders", "--config"]
)
def test_what_is_no_regular_file_is_not_read(
    option: str, special: str, project: Project, tmp_path: Path
) -> None:
    """A pipe would be waited for, and a device be read, until somebody ends the command."""
    path = tmp_path / "strange.csv"
    if special == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(special)
    out = ["--out", tmp_path / "out", *SHORT]
    if option:
        said = invoke("run", project.events, option, path, *out, code=1)
    else:
        said = invoke("check", path, code=1)
    assert "is no regular file but a pipe, a device or a socket" in said
    assert "strange.csv" in said


def test_a_study_file_names_no_device(tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text('events = "/dev/zero"\n')
    expected = "no regular file" if Path("/dev/zero").exists() else "no such file"
    assert expected in invoke("check", study, code=2)


def test_a_compressed_file_is_not_inflated_without_end(project: Project, tmp_path: Path) -> None:
    prices = tmp_path / "px"
    prices.mkdir()
    packed = gzip.compress(b"date,close\n" + b"0" * CONTENT)
    (prices / "AAA.csv.gz").write_bytes(packed)
    store = ["--store", tmp_path / "store"]
    refused = "is refused: its content is larger than"
    assert refused in invoke("prices", "import", prices, *store, code=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert refused in invoke("run", project.events, "--prices", prices, *SHORT, code=1)


@pytest.mark.parametrize("option", ["", "--factors", "--returns"])
def test_a_parquet_file_is_not_inflated_without_end(
    option: str, project: Project, tmp_path: Path
) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path, rows = tmp_path / "bomb.parquet", np.zeros(CONTENT // 8)
    parquet.write_table(pa.table({"ticker": rows, "date": rows}), path, compression="zstd")
    call = ["run", project.events, option, path, *SHORT] if option else ["check", path]
    assert "is refused: its content is larger than" in invoke(*call, code=1)


def test_returns_with_a_header_alone(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    path.write_text("date,AAA,BBB,MKT\n")
    said = invoke("run", project.events, "--returns", path, "--out", tmp_path, *SHORT, code=1)
    assert said == (
        f"eventstudy: {path.name}: the file has no rows below its header; save it again with its"
        " rows\n"
    )


@pytest.mark.parametrize("setting", ["series = " + "[" * 3000, "a." * 3000 + "b = 1"])
def test_a_study_file_that_is_nested_too_deeply(setting: str, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text(f'events = "events.csv"\n{setting}\n')
    assert "is nested too deeply" in invoke("check", study, code=2)


def test_a_date_is_no_source_of_prices(project: Project) -> None:
    study = project.folder / "study.toml"
    study.write_text('events = "events.csv"\nprices = 2020-01-01T00:00:00\n')
    said = invoke("check", study, code=2)
    assert "study.toml:2: prices: no such price source or path, got '2020-01-01 00:00:00'" in said
