"""The report as a document of Word, and CARs for Stata."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT, Market
from exported import CONFIG, hostile_market, markdown_tables
from pages import with_columns

from eventstudy.cli.main import main
from eventstudy.files import read_csv
from eventstudy.findings import FinishedRun
from eventstudy.report.formats.pages import markdown
from eventstudy.report.formats.word import word
from eventstudy.report.sentences.caveats import Statement
from eventstudy.runs import write_run
from eventstudy.settings import StudyConfig

docx = pytest.importorskip("docx")
RUN = ROOT / "reports" / "sanctions-sample"


def written(kind: str, target: Path) -> Path:
    done = CliRunner().invoke(main, ["report", str(RUN), "--format", kind, "--out", str(target)])
    assert done.exit_code == 0, done.output
    return target


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written("docx", tmp_path_factory.mktemp("word") / "report.docx")


def test_the_document_has_the_answer_its_caveat_and_the_tables(document: Path) -> None:
    read = docx.Document(str(document))
    text = "\n".join(paragraph.text for paragraph in read.paragraphs)
    statement = Statement.of(FinishedRun.read(RUN).findings)
    for sentence in (statement.headline, statement.caveat):
        assert sentence.removesuffix(".") in text
    assert len(read.inline_shapes) == 1
    cells = [cell.text for table in read.tables for row in table.rows for cell in row.cells]
    assert {"BMP", "Announcement day only", "Best Buy"} <= {
        c.rpartition("apart · ")[2].partition(" · ")[0] for c in cells
    }
    assert any("0.026" in cell for cell in cells)
    assert "Salinger" in text + "".join(cells)


def test_word_and_markdown_have_the_same_cells(document: Path, tmp_path: Path) -> None:
    """Also the remark behind a name, and the dot of a rate that was measured."""
    text = written("md", tmp_path / "report.md").read_text(encoding="utf-8").replace("\\", "")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
    kept = {tuple(cell.strip() for cell in line) for line in lines}
    for table in docx.Document(str(document)).tables:
        for row in table.rows:
            cells = tuple(cell.text for cell in row.cells)
            assert cells in kept or len({*cells}) == 1, cells
    rates = {line[0]: line[2] for line in kept if line[0].startswith(("Main test ·", "Ranks"))}
    assert rates["Main test · BMP-KP"].endswith("% ●")
    assert rates["Ranks · Corrado rank"].endswith("% ○")


def test_the_document_has_what_its_methods_describe(tmp_path: Path) -> None:
    """Regression, families, other weights, and why an announcement is not in the answer."""
    results = hostile_market()
    run = FinishedRun.read(write_run(results, tmp_path, "study", config=CONFIG))
    read = docx.Document(io.BytesIO(word(run.findings)))
    rows = [tuple(cell.text for cell in row.cells) for table in read.tables for row in table.rows]
    grids = {grid[0][0]: grid for grid in markdown_tables(markdown(run.findings))}
    for head in ("Difference", "Hypotheses", "Weights", "Reason, and announcements"):
        (grid,) = (grid for grid in grids.values() if head in grid[0])
        assert len(grid) > 1
        assert {row[1:] for row in map(tuple, grid)} <= {row[1:] for row in rows}
    titles = [one.text for one in read.paragraphs if one.style.name.startswith("Heading")]
    assert {"CARs on characteristics", "Many hypotheses", "Other weights"} <= {*titles}


def test_a_column_alone_is_as_wide_as_the_text(document: Path) -> None:
    alone = [t for t in docx.Document(str(document)).tables if len(t.columns) == 1]
    assert alone
    assert all(table.rows[0].cells[0].width.inches == pytest.approx(6) for table in alone)


def test_a_table_stays_on_a_page_or_repeats_its_head(document: Path) -> None:
    for table in docx.Document(str(document)).tables:
        xml = [row._tr.xml for row in table.rows]
        assert ["w:tblHeader" in row for row in xml] == [True, *[False] * (len(xml) - 1)]
        assert all("w:cantSplit" in row for row in xml)
        joined = ["<w:keepNext/>" in row for row in xml]
        assert joined[0]
        assert len(xml) > 20 or joined == [*[True] * (len(xml) - 1), False]


def test_no_word_of_a_table_is_broken(document: Path) -> None:
    """A letter of 8 points takes at most 0.07 inches, the edges of a cell 0.15."""
    for table in docx.Document(str(document)).tables:
        for row in table.rows[:1]:
            for cell in row.cells:
                longest = max(map(len, cell.text.split()), default=0)
                assert cell.width.inches >= 0.07 * longest + 0.15, cell.text


def test_the_document_is_the_same_twice(document: Path, tmp_path: Path) -> None:
    again = written("docx", tmp_path / "again.docx")
    with zipfile.ZipFile(document) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        for name in one.namelist():
            assert one.read(name) == other.read(name), name


def test_nothing_in_a_cell_becomes_a_field(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    name = '"=cmd() { HYPERLINK x } <w:p>"'
    events.write_text(f"ticker,announced_at,company\nAMD,2022-10-07,{name}\n", encoding="utf-8")
    options = ["--prices", "sample", "--event-pages", "0", "--calibrate", "0"]
    done = CliRunner().invoke(main, ["run", str(events), *options, "--out", str(tmp_path / "r")])
    assert done.exit_code == 0, done.output
    target = tmp_path / "x.docx"
    command = ["report", str(tmp_path / "r" / "events"), "--format", "docx", "--out", str(target)]
    assert CliRunner().invoke(main, command).exit_code == 0
    with zipfile.ZipFile(target) as parts:
        xml = parts.read("word/document.xml").decode()
    assert "w:fldSimple" not in xml
    assert "instrText" not in xml
    assert "&lt;w:p&gt;" in xml


def test_stata_reads_the_cars(tmp_path: Path) -> None:
    table = pd.read_stata(written("dta", tmp_path / "car.dta"))
    kept = read_csv(RUN / "tables" / "car.csv")
    assert len(table) == len(kept)
    assert table["car"].tolist() == kept["car"].tolist()
    assert table["event_id"].tolist() == kept["event_id"].tolist()
    assert table["day0"].dtype.kind == "M"
    assert {"company", "direction", "day0"} <= set(table)
    assert max(map(len, table)) <= 32
    with pd.io.stata.StataReader(io.BytesIO((tmp_path / "car.dta").read_bytes())) as reader:
        assert "main window" in reader.data_label
        labels = reader.variable_labels()
    described = {name for name, text in labels.items() if text != name}
    assert {*kept.columns, "day0", "benchmark"} <= described
    assert all(0 < len(text) <= 80 for text in labels.values())
    assert written("dta", tmp_path / "b.dta").read_bytes() == (tmp_path / "car.dta").read_bytes()


def test_names_that_stata_cannot_have_are_told_once_and_kept_as_labels(tmp_path: Path) -> None:
    names = ["if", "größe & <b>", "a b", "a_b", "n-days", "7th", "x" * 40, "car", "se", "own_se"]
    market, cells = Market(6), {name: [*range(6)] for name in names}
    results = with_columns(market.fit(), **cells, tweet=["1045678901234567890"] * 6)
    config, target = StudyConfig().with_options({"event": "-5:5"}), tmp_path / "car.dta"
    run = write_run(results, tmp_path, "study", config=config)
    done = CliRunner().invoke(main, ["report", str(run), "--format", "dta", "--out", str(target)])
    assert done.exit_code == 0, done.output
    (note,) = done.stderr.splitlines()
    with pd.io.stata.StataReader(io.BytesIO(target.read_bytes())) as reader:
        named = {label: name for name, label in reader.variable_labels().items()}
        table = reader.read()
    assert (named["car"], named["se"], named["own_se"]) == ("own_car", "own_own_se", "own_se")
    for name in names:
        assert table[named[name]].dtype.kind == "i", "numbers are numbers"
        assert (f"{name} becomes {named[name]}" in note) == (name not in ("a_b", "own_se"))
    assert table["tweet"].iloc[0] == "1045678901234567890"


def test_without_the_extra_the_remedy_is_one_command(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['docx'] = None; from eventstudy.cli.main import main;"
        f"main(['report', {str(RUN)!r}, '--format', 'docx', '--out', {str(tmp_path / 'x.docx')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "install" in done.stderr
    assert done.stderr.rstrip().endswith("python-docx")
