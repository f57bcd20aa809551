"""Each file of a study is read once, and every kind of table by one reader."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from eventstudy.errors import ConfigError, DataError
from eventstudy.events import Events
from eventstudy.files import InputFile
from eventstudy.fitting import StudyInputs
from eventstudy.returns import read_factors
from eventstudy.settings import StudyConfig

EVENTS = """event_id,ticker,announced_at
apple,AAPL,2020-08-06
amd,AMD,2019-05-15
exxon,XOM,2019-05-16
pfizer,PFE,2018-07-03
"""
STUDY = """events = "events.csv"
prices = "sample"
factors = "factors.csv"
model = "ff3"
confounders = "news.csv"
size = "sizes.csv"
event_pages = 0
calibrate = 0
[grid]
model = "market"
estimation = "-400:-31"
"""
# Counts how often a run opens the files that its settings name.
COUNT = """
import collections, sys
counts = collections.Counter()
def heard(event, args):
    if event == "open" and str(args[0]) in sys.argv[2:]:
        counts[str(args[0])] += 1
sys.addaudithook(heard)
from eventstudy.cli.main import main
main(["run", sys.argv[1], "--quiet", "--offline"], standalone_mode=False)
print(*(counts[name] for name in sys.argv[2:]))
"""


@pytest.mark.slow
def test_a_run_opens_each_file_for_its_hash_its_contents_and_its_copy(tmp_path: Path) -> None:
    days = pd.bdate_range("2014-01-01", "2023-09-21", name="date")
    numbers = np.random.default_rng(5).normal(0, 0.01, (len(days), 3))
    factors = pd.DataFrame(numbers, index=days, columns=["mkt_rf", "smb", "hml"])
    factors.assign(rf=1e-4).to_csv(tmp_path / "factors.csv")
    sizes = [f"{line.split(',')[1]},2018-01-02,1e12" for line in EVENTS.split()[1:]]
    (tmp_path / "sizes.csv").write_text("\n".join(["ticker,date,mcap", *sizes]))
    (tmp_path / "news.csv").write_text("ticker,date,what\nAAPL,2020-08-06,earnings\n")
    (tmp_path / "events.csv").write_text(EVENTS)
    (tmp_path / "study.toml").write_text(STUDY)
    names = [str(tmp_path / f"{name}.csv") for name in ("events", "factors", "news", "sizes")]
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(tmp_path / "study.toml"), *names],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    # Two headers are looked at first: events may have identifiers in place of tickers, and market
    # values may be a large file of which a part is read.
    assert done.stdout.split() == ["4", "3", "3", "4"], done.stdout + done.stderr


def test_inputs_hold_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_text("ticker,date,what\nAAPL,2020-08-06,earnings\n")
    inputs = StudyInputs(Events.none(), StudyConfig(confounders=str(tmp_path / "news.csv")))
    first = inputs.news
    (tmp_path / "news.csv").unlink()
    assert inputs.news is first
    assert inputs.factors is None
    assert inputs.sizes is None


@pytest.mark.parametrize(
    ("model", "kept"),
    [("market", ((), ())), ("capm", (("ff.csv",), ())), ("two_index", ((), ("world=X",)))],
)
def test_without_its_grid_a_study_has_no_input_that_its_model_does_not_use(
    tmp_path: Path, model: str, kept: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    (tmp_path / "ff.csv").write_text("date,mkt_rf,rf\n2020-01-02,0.01,0.0001\n")
    files, series = kept
    config = StudyConfig(
        model=model, factors=(str(tmp_path / "ff.csv"),), series=("world=X",),
        grid={"model": ["market", "capm", "two_index"]},
    )  # fmt: skip
    inputs = StudyInputs(Events.none(), config).without_grid()
    inputs.require_used()
    assert [Path(file).name for file in inputs.config.factors] == list(files)
    assert inputs.config.series == series
    assert inputs.config.grid == {}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_separator_gives_the_same_table(tmp_path: Path, separator: str) -> None:
    frame = pd.DataFrame({"date": ["2020-01-02", "2020-01-03"], "A": [0.1, 1 / 3], "7": [1.0, 2]})
    path = tmp_path / "table.csv"
    frame.to_csv(path, sep=separator, index=False, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(InputFile(path).table(), frame, check_exact=True)
    pd.testing.assert_frame_equal(InputFile(path).csv(path.read_bytes()), frame, check_exact=True)


def test_decimal_commas_are_read_where_the_separator_is_no_comma(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("date;A;B;note\n2020-01-02;0,1;;1,5 million\n2020-01-03;-,25e-1;1,5;x\n")
    table = InputFile(path).table()
    assert table["A"].tolist() == [0.1, -0.025]
    assert table["B"].isna().tolist() == [True, False]
    assert table["note"].tolist() == ["1,5 million", "x"]
    assert read_factors(path_of_factors(tmp_path))["smb"].tolist() == [0.001, -0.002]


@pytest.mark.parametrize("blank", ["-", "na", " none", "NULL", "n/a"])
def test_a_blank_cell_among_decimal_commas_is_missing(tmp_path: Path, blank: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"date;A\n2020-01-02;0,5\n2020-01-03;{blank}\n")
    numbers = InputFile(path).table()["A"]
    assert (numbers[0], np.isnan(numbers[1])) == (0.5, True)


def path_of_factors(folder: Path) -> Path:
    path = folder / "factors.csv"
    path.write_text("date;smb\n2020-01-02;0,001\n2020-01-03;-0,002\n")
    return path


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"PK\x03\x04 and more", "the file is a spreadsheet"),
        (gzip.compress(b"date,A", mtime=0), "the file is compressed"),
        ("date,A\n".encode("utf-16"), "encoded as UTF-16"),
        (b"date,\xff\n", "not UTF-8"),
        (b"date,A\n2020-01-02,\xff\n", "cannot be read as a table"),
        (b"", "cannot be read as a table"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(
    tmp_path: Path, raw: bytes, reason: str
) -> None:
    (tmp_path / "table.csv").write_bytes(raw)
    with pytest.raises(DataError, match=f"table.csv: .*{reason}"):
        InputFile(tmp_path / "table.csv").table()
    with pytest.raises(ConfigError, match="no such file"):
        InputFile(tmp_path / "none.csv").table()
