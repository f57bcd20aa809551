"""Every format has the numbers of the tables, and cells of the events file are inert in all of
them."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from conftest import ROOT, Market
from exported import CONFIG, HOSTILE, hostile_market, markdown_tables, number, read_csv, unmarked
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from pages import cells_of, loose, with_columns
from situations import ONE, placed

from eventstudy.calendars import Window
from eventstudy.errors import ConfigError, DataError, RunFolderError
from eventstudy.findings import Findings, FinishedRun, types
from eventstudy.report import Export
from eventstudy.report.formats.excel import FORMS
from eventstudy.report.formats.latex import latex_table
from eventstudy.report.formats.pages import markdown
from eventstudy.report.formats.terminal import summary
from eventstudy.report.page.folds import list_folds
from eventstudy.report.sentences.answer import short_name, split_answer
from eventstudy.report.sentences.caveats import second_sentence
from eventstudy.report.tables.checks import list_checks
from eventstudy.report.tables.columns import Column, Kind
from eventstudy.report.tables.windows import windows_table
from eventstudy.runs import write_run
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults
from eventstudy.words import say, words

SCHEMA = json.loads((ROOT / "eventstudy/data/results.schema.json").read_text(encoding="utf-8"))
PLAIN = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5), calibrate=0)
KINDS = (*Export.HELD, "xlsx", "parquet", "card", "dta")
VALID = Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    return hostile_market()


@pytest.fixture(scope="module")
def folder(results: EventStudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; what it was computed from is gone, so that nothing can be computed again."""
    folder = write_run(results, tmp_path_factory.mktemp("runs"), "host_ile 1", config=CONFIG)
    shutil.rmtree(folder / "data")
    return folder


@pytest.fixture(scope="module")
def findings(folder: Path) -> Findings:
    return FinishedRun.read(folder).findings


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def book(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = Export(FinishedRun.read(folder)).write_file(
        "xlsx", tmp_path_factory.mktemp("x") / "r.xlsx"
    )
    return openpyxl.load_workbook(path)


def same(mine: pd.DataFrame, table: pd.DataFrame, rtol: float = 0) -> None:
    """Assert that frames hold the same, blanks being blanks of any kind."""
    assert list(mine) == list(table)
    for column in table:
        if pd.api.types.is_numeric_dtype(table[column]):
            np.testing.assert_allclose(
                mine[column].where(mine[column] != "").astype(float),
                table[column].astype(float),
                rtol=rtol,
            )
        else:
            assert mine[column].fillna("").tolist() == table[column].fillna("").tolist(), column


def result_of(window: types.WindowFinding, name: str) -> types.TestFinding:
    """Return a test that was computed over a window."""
    test = window.test(name)
    assert test is not None
    return test


def table_of(folder: Path, name: str, group: str) -> pd.DataFrame:
    """Return the rows of a group of one of the tables, of all events for ""."""
    if not group:
        return read_csv(folder, name)
    table = read_csv(folder, f"{name}_by_group")
    return table[table["direction"] == group]


@pytest.mark.slow
def test_a_run_holds_the_texts_and_export_gives_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    run = FinishedRun.read(folder)
    for kind in Export.HELD:
        for path in Export(run).write(kind, tmp_path):
            assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path
    assert {p.name for p in (tmp_path / "tables").iterdir()} == {
        "caar.tex",
        "robustness.tex",
        "events.tex",
        "regression.tex",
        "references.bib",
    }


@pytest.mark.slow
def test_equal_runs_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        one, other = (Export(FinishedRun.read(folder)).write(kind, tmp_path / d) for d in "ab")
        assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]


class TestJson:
    @pytest.mark.slow
    def test_follows_the_schema(self, document: dict[str, Any]) -> None:
        Draft202012Validator.check_schema(SCHEMA)
        VALID.validate(document)
        assert document["schema"] == "eventstudy-results/2"

    def test_the_schema_is_that_of_the_types(self) -> None:
        assert FinishedRun.DOCUMENT.schema() == SCHEMA, (
            "eventstudy schema results > eventstudy/data/results.schema.json"
        )

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.pop("samples"),
            lambda d: d.pop("answer"),
            lambda d: d["answer"].pop("pooled"),
            lambda d: d["answer"]["pooled"].pop("verdict"),
            lambda d: d["setup"].update(extra=1),
            lambda d: d["samples"][0]["main"].update(median="-1.2%"),
            lambda d: d["samples"][0]["windows"][0]["tests"][0].pop("trust"),
            lambda d: d["events"][0].update(is_used="yes"),
            lambda d: d["setup"].update(main=[0]),
        ],
    )
    def test_the_schema_refuses(self, document: dict[str, Any], change: Any) -> None:
        changed = json.loads(json.dumps(document))
        change(changed)
        assert not VALID.is_valid(changed)

    @pytest.mark.slow
    def test_numbers_are_those_of_the_tables(self, findings: Findings, folder: Path) -> None:
        for name, rows in findings.tables.items():
            same(rows, read_csv(folder, name))
        for sample in findings.samples:
            table = table_of(folder, "tests", sample.group).set_index(["start", "stop", "test"])
            means = table_of(folder, "caar", sample.group).set_index(["start", "stop"])
            for shown in sample.windows:
                days = shown.window.start, shown.window.stop
                row = means.loc[days]
                assert (shown.answer.n_events, shown.median) == (row["n_events"], row["median"])
                assert shown.answer.plain_average.estimate == row["caar"]
                for name in STATISTICS:
                    test = shown.test(name)
                    if (*days, name) in table.index and test:
                        own = table.loc[(*days, name)]
                        np.testing.assert_equal(
                            [test.statistic, test.pvalue, test.n_events],
                            own[["statistic", "pvalue", "n_events"]].tolist(),
                        )

    def test_cars_are_those_of_the_tables(self, findings: Findings, folder: Path) -> None:
        table = read_csv(folder, "car").set_index(["event_id", "start", "stop"])
        for event in findings.used:
            for car in event.cars:
                own = table.loc[(event.cells["event_id"], car.window.start, car.window.stop)]
                np.testing.assert_equal([car.car, car.se], own[["car", "se"]].tolist())

    def test_null_has_a_reason(self, findings: Findings) -> None:
        tests = [test for sample in findings.samples for w in sample.windows for test in w.tests]
        nulls = [test for test in tests if np.isnan(test.pvalue)]
        lacking = {e.cells["event_id"]: c for e in findings.used for c in e.cars if c.car != c.car}
        assert nulls
        assert set(lacking) == {"e3"}
        assert all(test.reasons for test in nulls)
        assert all(car.reason for car in lacking.values())

    def test_cells_are_kept_whole(self, findings: Findings) -> None:
        assert [event.cells["company"] for event in findings.events][:-1] == HOSTILE


def test_caar_is_the_mean_with_the_interval_of_the_page(
    results: EventStudyResults, folder: Path
) -> None:
    """By hand: mean, standard error of independent events, and the factor of Kolari and
    Pynnonen."""
    row = read_csv(folder, "caar").iloc[1]
    car = results.abnormal.car(results.main)
    car = car[np.isfinite(car)]
    bmp, kp = (results.test(name, results.main).statistic for name in ("bmp", "bmp_kp"))
    assert row["caar"] == pytest.approx(car.mean(), rel=1e-12)
    assert row["se"] == pytest.approx(car.std(ddof=1) / math.sqrt(len(car)) * bmp / kp, rel=1e-12)
    assert (row["n_events"], row["positive"]) == (len(car), (car > 0).sum())
    assert row["median"] == np.median(car)


def read_sheet(book: openpyxl.Workbook, name: str) -> pd.DataFrame:
    """Return a sheet behind the first, by its heads."""
    head, *rows = book[name].iter_rows(values_only=True)
    return pd.DataFrame(rows, columns=head)


class TestExcel:
    @pytest.mark.slow
    def test_the_first_sheet_is_the_answer(
        self, book: openpyxl.Workbook, findings: Findings
    ) -> None:
        page, (head, sentence) = book["Summary"], split_answer(findings)
        said = [head, second_sentence(findings), sentence]
        assert [page.cell(i, 1).value for i in (1, 2, 3)] == said
        assert page["A4"].value.endswith("Source: eventstudy")
        assert not page._charts
        assert not book.defined_names
        names = [str(row[0].value) for row in page.iter_rows(max_col=1)]
        assert [check.name for check in list_checks(findings)] == [
            name for name in names if name in {check.name for check in list_checks(findings)}
        ]

    def test_numbers_are_those_of_the_findings(
        self, book: openpyxl.Workbook, findings: Findings, folder: Path
    ) -> None:
        days = read_sheet(book, "Daily returns")
        table = read_csv(folder, "abnormal_returns")
        for head, name in {
            "Return": "ret", "Market implied": "expected", "Abnormal": "ar", "Day": "tau"
        }.items():  # fmt: skip
            np.testing.assert_allclose(days[head].astype(float), table[name], rtol=1e-15)
        assert [f"{day:%Y-%m-%d}" for day in days["Date"]] == table["date"].tolist()
        tests = read_sheet(book, "Windows and tests")
        assert set(tests["Valid"]) <= {"main test", "valid", "valid with care", "not valid"}
        assert (tests["Valid"] == "main test").sum() == sum(
            len(s.windows) for s in findings.samples
        )
        first = tests.iloc[0]
        shown = findings.samples[0].windows[0]
        assert first["Effect"] == pytest.approx(shown.answer.effect.estimate, rel=1e-15)
        assert first["p"] == pytest.approx(shown.answer.pvalue, rel=1e-15)
        path, implied = read_sheet(book, "Path"), findings.sample.implied
        assert implied is not None
        np.testing.assert_allclose(path["Shares"], implied.shares, rtol=1e-15)
        np.testing.assert_allclose(path["Gap"], implied.gap / 100, rtol=1e-12)

    def test_every_cell_is_a_value(self, book: openpyxl.Workbook) -> None:
        cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
        assert {c.data_type for c in cells} <= {"s", "n", "d"}
        assert not any(c.hyperlink for c in cells)
        risky = [
            c for c in cells if c.data_type == "s" and c.value.startswith(("=", "+", "-", "@"))
        ]
        assert risky
        assert all(c.quotePrefix for c in risky), "text stays text when it is edited"

    def test_announcements_have_names_status_and_reason(
        self, book: openpyxl.Workbook, findings: Findings
    ) -> None:
        sheet, main = read_sheet(book, "Announcements"), findings.setup.main
        events = {event.cells["event_id"]: event for event in findings.events}
        assert sorted(sheet["Event"]) == sorted(events)
        assert set(sheet["Company"]) == {*(name.strip() for name in HOSTILE), "plain"}
        for row in sheet.to_dict("records"):
            event = events[row["Event"]]
            assert (row["Used"] == "no") == (pd.notna(row["Why not"]))
            if event.is_used and np.isfinite(event.car(main).car):
                assert row["Effect"] == pytest.approx(event.car(main).car, rel=1e-15)
                assert pd.isna(row["Why not"])
            else:
                assert row["Why not"]
                assert pd.isna(row["Effect"])

    def test_sheets_can_be_read(self, book: openpyxl.Workbook) -> None:
        sheet = book["Windows and tests"]
        formats = {c.value: sheet.cell(2, c.column).number_format for c in sheet[1]}
        assert formats["Effect"] == "+0.00%;\N{MINUS SIGN}0.00%;0.00%"
        assert formats["p"] == '[<0.0005]"<0.001";0.000'
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", f"A1:L{sheet.max_row}")
        announcements = book["Announcements"]
        assert announcements.cell(2, [c.value for c in announcements[1]].index("Day 0") + 1).is_date
        assert all(8 < d.width < 70 for d in sheet.column_dimensions.values())
        assert book.sheetnames == [
            "Summary", "Path", "Windows and tests", "Announcements", "Checks", "Daily returns",
            "Settings",
        ]  # fmt: skip

    def test_every_kind_of_number_has_a_format(self) -> None:
        """An interval is two columns of effects."""
        numbers = {kind for kind in Kind if Column("x", kind).is_number}
        assert set(FORMS) == {*numbers, Kind.DATE} - {Kind.INTERVAL}

    def test_a_test_of_before_keeps_its_name(self, folder: Path, tmp_path: Path) -> None:
        run = FinishedRun.read(folder)
        first, *others = run.findings.samples
        finding, *windows = first.windows
        *tests, last = finding.tests
        finding = replace(finding, tests=(*tests, replace(last, test="savickas")))
        samples = (replace(first, windows=(finding, *windows)), *others)
        run = replace(run, findings=replace(run.findings, samples=samples))
        path = Export(run).write_file("xlsx", tmp_path / "before.xlsx")
        names = {row[3].value for row in openpyxl.load_workbook(path)["Windows and tests"]}
        assert "savickas" in names

    def test_a_long_sheet_says_what_it_leaves_out(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("eventstudy.report.formats.excel.MOST_ROWS", 7)
        path = Export(FinishedRun.read(folder)).write_file("xlsx", tmp_path / "short.xlsx")
        sheet = openpyxl.load_workbook(path)["Daily returns"]
        assert sheet.max_row == 9
        assert sheet["A9"].value.startswith(f"{23 * 11 - 7} rows more")


def test_parquet_is_the_long_table(folder: Path, tmp_path: Path) -> None:
    path = Export(FinishedRun.read(folder)).write_file("parquet", tmp_path / "deep" / "ar.parquet")
    mine, table = pd.read_parquet(path), read_csv(folder, "abnormal_returns")
    events = unmarked(pd.read_csv(folder / "events.csv", keep_default_na=False))
    events = events.set_index("event_id")["direction"]
    assert mine["direction"].tolist() == events[table["event_id"]].tolist()
    mine["date"] = [f"{d:%Y-%m-%d}" for d in mine["date"]]
    same(mine.drop(columns="direction"), table)
    assert len(mine) == 23 * 11


def test_parquet_keeps_groups_with_the_name_of_a_result(market: Market, tmp_path: Path) -> None:
    results = with_columns(market.fit(), ar=["a", "b"] * (len(market.table) // 2))
    config = PLAIN.with_options({"by": "ar", "event_pages": 0})
    folder = write_run(results, tmp_path, "study", config=config)
    run = FinishedRun.read(folder)
    mine = pd.read_parquet(Export(run).write_file("parquet", tmp_path / "ar.parquet"))
    groups = dict(zip(results.events["event_id"], results.events["ar"], strict=True))
    assert mine["own_ar"].tolist() == mine["event_id"].map(groups).tolist()
    same(mine[["ar"]], read_csv(folder, "abnormal_returns")[["ar"]])


class TestMarkdown:
    @pytest.fixture
    def text(self, folder: Path) -> str:
        return (folder / "report.md").read_text(encoding="utf-8")

    def test_numbers_are_those_of_the_findings(self, text: str, findings: Findings) -> None:
        (windows,) = (t for t in markdown_tables(text) if t[0][0] == "Days")
        others = [t for t in markdown_tables(text) if t[0][0] == "Window or test"]
        assert len(others) == len(findings.samples) - 2, "all but the answer and all together"
        for grid, sample in zip([windows, *others], findings.samples[:-1], strict=True):
            for row, shown in zip(grid[1:], sample.windows, strict=False):
                answer, effect = shown.answer, shown.answer.effect
                assert words().window(shown.window).replace("\u00a0", " ") in row[0]
                for value, expected in zip(
                    map(number, (row[1], *row[2].split(" to "))),
                    (effect.estimate, effect.ci_low, effect.ci_high),
                    strict=True,
                ):
                    assert value == pytest.approx(100 * expected, abs=0.0051)
                assert row[3] == words().pvalue(answer.pvalue)
        (grid,) = (grid for grid in markdown_tables(text) if "Allows for" in grid[0])
        compared = 0
        for test in findings.sample.main.tests:
            for row in grid[1:]:
                if row[0].endswith(f" · {STATISTICS[test.test].label}"):
                    assert row[1] == words().pvalue(test.pvalue)
                    compared += 1
        assert compared > 5

    def test_events_are_those_of_the_tables(self, text: str, folder: Path) -> None:
        (table,) = (t for t in markdown_tables(text) if t[0][0] == "Company")
        car = read_csv(folder, "car").query("start == 0 and stop == 1")["car"].sort_values()
        at = table[0].index("Group") + 1
        np.testing.assert_allclose([number(row[at]) for row in table[1:]], 100 * car, atol=0.0051)

    def test_nothing_but_text_comes_out(self, text: str) -> None:
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
        kinds = {c.type for t in tokens for c in t.children or []} | {t.type for t in tokens}
        assert not kinds & {
            "html_inline", "html_block", "link_open", "image", "code_inline", "s_open", "em_open",
            "fence",
            "code_block", "hr",
        }  # fmt: skip
        strong = [t for t in tokens if any(c.type == "strong_open" for c in t.children or [])]
        assert len(strong) == 1, "only the answer is set bold"

    def test_names_are_shown_as_they_are(self, text: str) -> None:
        (table,) = (t for t in markdown_tables(text) if t[0][0] == "Company")
        names = [
            row[0].strip("\u2068\u2069").partition(" · ")[0].partition(" (")[0] for row in table[1:]
        ]
        for name in HOSTILE:
            shown = short_name(name.replace("\u202e", "")).partition(" (")[0]
            assert shown in names

    def test_has_the_sections_of_the_page(self, text: str, findings: Findings) -> None:
        titles = re.findall(r"\n## (.*)\n", text)
        folds = [fold.title.replace("|", r"\|") for fold in list_folds(findings)]
        sections = ["Windows", "Tests", "Which announcements are missing"]
        assert titles[:1] == ["What could change this answer"]
        titles = [title for title in titles[1:] if title not in sections[2:]]
        assert titles[:2] == sections[:2]
        in_numbers = say("checks.table.title")
        assert titles[2:] == [title for title in folds if title != in_numbers]
        assert str(findings.events[-1].reason) in text

    def test_the_page_has_what_it_draws_in_numbers_and_other_weights(
        self, text: str, folder: Path
    ) -> None:
        page = (folder / "report.html").read_text(encoding="utf-8")
        rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
        shown = {tuple(loose(cell) for cell in cells_of(row)[-4:]) for row in rows}
        heads = {grid[0][0]: grid for grid in markdown_tables(text)}
        for head in ("What was changed", "Weights"):
            numbers = {tuple(loose(cell) for cell in row[-4:]) for row in heads[head][1:]}
            assert len(numbers) > 1
            assert numbers <= shown


@pytest.mark.slow
@pytest.mark.parametrize("only", [None, [0], []])
def test_small_runs_have_every_format(
    market: Market, tmp_path: Path, only: list[int] | None
) -> None:
    """All events, one event, none at all."""
    results = market.fit()
    results = results if only is None else results.subset(only)
    folder = write_run(results, tmp_path, "small", config=CONFIG.with_options({"regress": []}))
    run = FinishedRun.read(folder)
    VALID.validate(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    for kind in KINDS:
        if kind in ("card", "dta") and only == []:
            with pytest.raises(DataError, match=r"no answer to draw|no CAR"):
                Export(run).write(kind, tmp_path / "out")
        else:
            assert (kind == "tex" and only == []) or Export(run).write(kind, tmp_path / "out")


def test_every_event_dropped(market: Market, tmp_path: Path) -> None:
    results = market.fit(market.frame[["MKT"]])
    folder = write_run(results, tmp_path, "none", config=CONFIG.with_options({"regress": []}))
    VALID.validate(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    assert "No result:" in (folder / "report.md").read_text(encoding="utf-8")
    assert len(pd.read_parquet(Export(FinishedRun.read(folder)).write("parquet", tmp_path)[0])) == 0


@pytest.mark.slow
def test_log_points_are_not_percent(tmp_path: Path, market: Market) -> None:
    results = market.fit()
    object.__setattr__(results.panel, "measure", "volume")
    text = results.to_markdown(config=PLAIN)
    assert "Effect, log pts" in text
    assert "in log points" in results.to_latex(config=PLAIN)
    sheet = openpyxl.load_workbook(results.to_excel(tmp_path / "v.xlsx", config=PLAIN))[
        "Daily returns"
    ]
    assert sheet["F2"].number_format == "+0.0000;\N{MINUS SIGN}0.0000;0.0000"


@pytest.mark.slow
def test_the_workbook_names_what_the_model_sets_returns_against(
    tmp_path: Path, market: Market
) -> None:
    results = market.fit(model="constant_mean")
    file = results.to_excel(tmp_path / "m.xlsx", config=PLAIN)
    for sheet, column in (("Path", 2), ("Daily returns", 4)):
        heads = [cell.value for cell in openpyxl.load_workbook(file)[sheet][1]]
        assert heads[column] == "Own average"


@pytest.mark.slow
def test_one_line_in_the_library(market: Market, tmp_path: Path) -> None:
    results = market.fit()
    VALID.validate(json.loads(results.to_json(config=PLAIN)))
    assert results.to_markdown(config=PLAIN).startswith("# 12 announcements")
    with pytest.raises(ConfigError, match="caar, robustness, events"):
        results.to_latex("regression", config=PLAIN)
    assert (
        len(pd.read_parquet(results.to_parquet(tmp_path / "ar.parquet", config=PLAIN))) == 12 * 11
    )


def test_not_a_run(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run"):
        FinishedRun.read(tmp_path)
    shutil.copytree(folder, tmp_path / "old")
    (tmp_path / "old" / "results.json").write_text('{"schema": "eventstudy-results/0"}')
    with pytest.raises(RunFolderError, match="run the study again"):
        FinishedRun.read(tmp_path / "old")


@pytest.mark.parametrize(("kind", "module"), [("xlsx", "xlsxwriter"), ("parquet", "pyarrow")])
def test_what_is_not_installed_is_named(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    module: str,
) -> None:
    run = FinishedRun.read(folder)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"pip install .*{module}$"):
        Export(run).write(kind, tmp_path)


class TestNotebook:
    def test_events_are_compact_and_inert(self, results: EventStudyResults) -> None:
        from eventstudy.events import events_from_frame

        given = results.events[["event_id", "ticker", "announced_at", "company"]].assign(
            note="x" * 5000
        )
        shown = events_from_frame(given, calendar="data")._repr_html_()
        assert "<script>" not in shown
        assert "Further columns: tz, exchange, day0_candidates, note" in shown
        assert len(shown) < 40_000

    @pytest.mark.slow
    def test_results_print_as_a_table(self, market: Market) -> None:
        results = market.fit()
        lines = str(results).splitlines()
        assert repr(results).startswith(" ".join(lines[:2])[:60])
        assert max(map(len, lines)) < 80
        assert any(line.strip().startswith("[0, +1]") for line in lines)

    def test_tests_print_as_a_line(self, market: Market) -> None:
        test = market.fit().test("bmp", (0, 1))
        assert str(test) == f"BMP: t(11) = {test.statistic:.2f}, p = {test.pvalue:.4f}, 12 events"
        assert str(market.fit().test("portfolio", (0, 1))).startswith(
            "Portfolio t: not tested, 12 events ("
        )


def test_tests_that_are_not_valid_over_the_main_window_have_no_column() -> None:
    """Fifteen correlated events on one date: BMP and Patell would give far too small p-values."""
    results = placed(ONE, rho=0.3, seed=33).fit()
    run = FinishedRun.of(results, PLAIN)
    weak = {v.test for v in results.diagnose().opinions if v.trust == "not valid"}
    assert {"bmp", "patell"} <= weak
    blocks = windows_table(run.findings).blocks
    labels = {STATISTICS[name].label for name in run.findings.sample.shown}
    shown = {row.name for block in blocks[1:] for row in block.rows} & labels
    assert shown == {STATISTICS[n].label for n in run.findings.sample.shown[1:] if n not in weak}
    (grid,) = (t for t in markdown_tables(markdown(run.findings)) if t[0][0] == "Test")
    named = {label for label in labels for row in grid[2:] if row[0].endswith(f" · {label}")}
    assert shown == named
    assert latex_table(run.findings, "caar").count("Patell") == 0
    assert {"bmp", "patell"} <= set(run.tables["tests"]["test"]), "the tables have all"


def test_the_main_test_is_in_every_format_though_others_were_asked_for() -> None:
    results = Market(n=8, dates=4, effect=-0.03).fit()
    run, main = FinishedRun.of(results, replace(PLAIN, tests=("grank_t",))), results.main_test()
    assert run.findings.sample.shown == (main, "grank_t")
    expected = results.test(main, (0, 1)).pvalue
    assert result_of(run.findings.sample.main, main).pvalue == expected
    text = markdown(run.findings)
    (grid,) = (t for t in markdown_tables(text) if t[0][0] == "Days")
    (row,) = (row for row in grid[1:] if row[0].endswith("[0, 1]"))
    assert row[3] == words().pvalue(expected)
    tests, *others = (t for t in markdown_tables(text) if "Allows for" in t[0])
    assert tests[1][:2] == [f"Main test · {STATISTICS[main].label}", words().pvalue(expected)]
    assert "Generalised ranks · GRANK-T" in [row[0] for other in others for row in other]
    text = latex_table(run.findings, "caar")
    assert "GRANK-T & (" in text
    statistics = text.partition("Precision")[2].splitlines()[1]
    assert "--" not in statistics


def test_a_window_of_fewer_events_names_the_test_that_decides_there() -> None:
    """Five events have the main window, four of them [-3,3] and [-5,5]: p is that of their
    interval."""
    market = Market(5, dates=5, effect=-0.04)
    day = market.frame.index[market.frame.index.get_loc(market.table["day0"][3]) + 3]
    market.frame.loc[day, "F03"] = np.nan
    results = market.fit()
    findings, answer = results.findings(config=PLAIN), results.answer(Window(-5, 5))
    assert (results.main_test(), answer.test) == ("bmp_kp", "patell_kp_regime")
    (grid,) = (t for t in markdown_tables(markdown(findings)) if t[0][0] == "Days")
    assert grid[-1][3] == words().pvalue(answer.pvalue)
    assert grid[1][3] == words().pvalue(results.answer(Window(0, 0)).pvalue)
    text = latex_table(findings, "caar")
    assert all(f"{STATISTICS[name].label}: " in text for name in ("bmp_kp", "patell_kp_regime"))
    text = " ".join(summary(findings, findings.sample).split())
    assert (
        "Patell-KP, variance of these days over [-3, +3], Patell-KP, variance of these days over [-5, +5])"
        in text
    )


def test_every_format_has_one_answer(folder: Path, document: dict[str, Any]) -> None:
    """The verdict and numbers of `answer` are those of the manifest, and of the row of the main
    window."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    by_group = {own["group"]: own for own in manifest["answers"]}
    assert set(document["answer"]) == {"pooled", *by_group} == {"pooled", "adverse", "=relief|x"}
    for group, own in document["answer"].items():
        table = table_of(folder, "caar", "" if group == "pooled" else group)
        (row,) = table.query("start == 0 and stop == 1").to_dict("records")
        assert (own["verdict"], own["test"]) == (row["verdict"], row["main_test"])
        names = {
            "estimate": "weighted_caar", "ci_low": "weighted_low", "ci_high": "weighted_high",
            "pvalue": "pvalue", "n_events": "n_events",
        }  # fmt: skip
        assert {name: own[name] for name in names} == {
            name: row[column] for name, column in names.items()
        }
        average = own["plain_average"]
        assert list(average.values()) == [row[name] for name in ("caar", "ci_low", "ci_high")]
        if group in by_group:
            shared = ("verdict", "test", "estimate", "pvalue", "n_events")
            assert {name: by_group[group][name] for name in shared} == {
                name: own[name] for name in shared
            }
