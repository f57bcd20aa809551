"""Every format has the numbers of the tables, and cells of the events file are inert in all of
them."""

from __future__ import annotations

import json
import math
import shutil
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
from situations import ONE, placed

from eventstudy.calendars.window import Window
from eventstudy.cli.terminal import summary_text
from eventstudy.errors import ConfigError, RunFolderError
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.content.finished_run import finished
from eventstudy.report.content.paper_tables import panels
from eventstudy.report.formats import export_file, exported, latex_table, markdown, read_run
from eventstudy.report.formats.excel import sheet_name
from eventstudy.report.html.tests import significance_grid
from eventstudy.runs import write_run
from eventstudy.significance import STATISTICS
from eventstudy.study import EventStudyResults
from eventstudy.utility.numbers import pvalue

SCHEMA = json.loads((ROOT / "eventstudy/data/results.schema.json").read_text(encoding="utf-8"))
PLAIN = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5))
KINDS = ("json", "md", "tex", "xlsx", "parquet")
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
def document(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def book(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = export_file(read_run(folder), "xlsx", tmp_path_factory.mktemp("x") / "r.xlsx")
    return openpyxl.load_workbook(path)


def same(mine: pd.DataFrame, table: pd.DataFrame, rtol: float = 0) -> None:
    """Assert that frames hold the same, blanks being blanks of any kind."""
    assert list(mine) == list(table)
    for column in table:
        if pd.api.types.is_numeric_dtype(table[column]):
            np.testing.assert_allclose(
                mine[column].astype(float), table[column].astype(float), rtol=rtol
            )
        else:
            assert mine[column].fillna("").tolist() == table[column].fillna("").tolist(), column


def table_of(folder: Path, name: str, group: str) -> pd.DataFrame:
    """Return the rows of a group of one of the tables, of all events for ""."""
    if not group:
        return read_csv(folder, name)
    table = read_csv(folder, f"{name}_by_group")
    return table[table["direction"] == group]


def test_a_run_holds_the_texts_and_export_gives_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    run = read_run(folder)
    for kind in ("json", "md", "tex"):
        for path in exported(run, kind, tmp_path):
            assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path
    assert {p.name for p in (tmp_path / "tables").iterdir()} == {
        "caar.tex",
        "events.tex",
        "regression.tex",
    }


def test_equal_runs_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        one, other = (exported(read_run(folder), kind, tmp_path / d) for d in "ab")
        assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]


class TestJson:
    def test_follows_the_schema(self, document: dict[str, Any]) -> None:
        Draft202012Validator.check_schema(SCHEMA)
        VALID.validate(document)
        assert document["schema"] == "eventstudy-results/2"

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.pop("tests"),
            lambda d: d.update(extra=1),
            lambda d: d["tests"][0].update(pvalue=1.2),
            lambda d: d["tests"][0].update(pvalue=None, reason=""),
            lambda d: d["car"][0].update(car=None, reason=""),
            lambda d: d["events"][0].update(status="dropped", reason=""),
            lambda d: d["samples"][0]["windows"][0].update(caar="-1.2%"),
        ],
    )
    def test_the_schema_refuses(self, document: dict[str, Any], change: Any) -> None:
        changed = json.loads(json.dumps(document))
        change(changed)
        assert not VALID.is_valid(changed)

    def test_numbers_are_those_of_the_tables(self, document: dict[str, Any], folder: Path) -> None:
        same(pd.DataFrame(document["tests"]), read_csv(folder, "tests"))
        same(pd.DataFrame(document["car"]).drop(columns="reason"), read_csv(folder, "car"))
        groups = [pd.DataFrame(rows).assign(direction=g) for g, rows in document["groups"].items()]
        table = read_csv(folder, "tests_by_group")
        same(pd.concat(groups, ignore_index=True)[list(table)], table)
        for name, rows in document["tables"].items():
            same(pd.DataFrame(rows).replace({"inf": math.inf}), read_csv(folder, name))
        *parts, whole = document["samples"]
        means = [pd.DataFrame(s["windows"]).assign(direction=s["group"]) for s in parts]
        table = read_csv(folder, "caar_by_group")
        same(pd.concat(means, ignore_index=True)[list(table)], table)
        table = read_csv(folder, "caar")
        same(pd.DataFrame(whole["windows"])[list(table)], table)

    def test_null_has_a_reason(self, document: dict[str, Any]) -> None:
        nulls = [t for t in document["tests"] if t["pvalue"] is None]
        lacking = [c for c in document["car"] if c["car"] is None]
        assert nulls
        assert {c["event_id"] for c in lacking} == {"e3"}
        assert all(row["reason"] for row in (*nulls, *lacking))

    def test_cells_are_kept_whole(self, document: dict[str, Any]) -> None:
        assert [e["company"] for e in document["events"]][:-1] == HOSTILE


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


class TestExcel:
    def test_numbers_are_those_of_the_tables(self, book: openpyxl.Workbook, folder: Path) -> None:
        for path in sorted((folder / "tables").glob("*.csv")):
            sheet = book[sheet_name(path.stem)]
            head, *rows = sheet.iter_rows(values_only=True)
            mine, table = pd.DataFrame(rows, columns=head), read_csv(folder, path.stem)
            for date in {"date", "last", "last_session"} & set(table):
                mine[date] = [f"{d:%Y-%m-%d}" if pd.notna(d) else None for d in mine[date]]
            same(mine, table, rtol=1e-15)

    def test_every_cell_is_a_value(self, book: openpyxl.Workbook) -> None:
        cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
        assert {c.data_type for c in cells} <= {"s", "n", "d"}
        assert not any(c.hyperlink for c in cells)
        risky = [
            c for c in cells if c.data_type == "s" and c.value.startswith(("=", "+", "-", "@"))
        ]
        assert risky
        assert all(c.quotePrefix for c in risky), "text stays text when it is edited"

    def test_cells_of_events_are_kept_whole(self, book: openpyxl.Workbook) -> None:
        head, *rows = book["events"].iter_rows(values_only=True)
        assert [row[head.index("company")] for row in rows][:-1] == HOSTILE

    def test_sheets_can_be_read(self, book: openpyxl.Workbook) -> None:
        sheet = book["tests"]
        formats = {c.value: sheet.cell(2, c.column).number_format for c in sheet[1]}
        assert formats["estimate"] == "0.00%"
        assert formats["pvalue"] == '[<0.001]"<0.001";0.000'
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:I{sheet.max_row}")
        assert (
            book["events"].cell(2, [c.value for c in book["events"][1]].index("day0") + 1).is_date
        )
        assert all(8 < d.width < 70 for d in sheet.column_dimensions.values())
        assert book.sheetnames[0] == "overview"
        assert [len(name) <= 31 for name in book.sheetnames] == [True] * len(book.sheetnames)

    def test_names_of_sheets(self) -> None:
        assert sheet_name("a[b]:c*d?e/f\\" + "g" * 40) == "a b  c d e f " + "g" * 18


def test_parquet_is_the_long_table(folder: Path, tmp_path: Path) -> None:
    path = export_file(read_run(folder), "parquet", tmp_path / "deep" / "ar.parquet")
    mine, table = pd.read_parquet(path), read_csv(folder, "abnormal_returns")
    events = unmarked(pd.read_csv(folder / "events.csv", keep_default_na=False))
    events = events.set_index("event_id")["direction"]
    assert mine["direction"].tolist() == events[table["event_id"]].tolist()
    mine["date"] = [f"{d:%Y-%m-%d}" for d in mine["date"]]
    same(mine.drop(columns="direction"), table)
    assert len(mine) == 23 * 11


class TestMarkdown:
    @pytest.fixture
    def text(self, folder: Path) -> str:
        return (folder / "report.md").read_text(encoding="utf-8")

    def test_numbers_are_those_of_the_tables(
        self, text: str, folder: Path, document: dict[str, Any]
    ) -> None:
        grids = [t for t in markdown_tables(text) if t[0][0] == "Window"]
        assert len(grids) == len(document["samples"]) == 3
        labels = {t.label: name for name, t in STATISTICS.items()}
        for grid, sample in zip(grids, document["samples"], strict=True):
            tests, means = (table_of(folder, name, sample["group"]) for name in ("tests", "caar"))
            by = tests.set_index(["start", "stop", "test"])["pvalue"]
            main = labels[grid[0][4].removeprefix("p, ")]
            for row, own in zip(grid[1:], means.to_dict("records"), strict=True):
                days = own["start"], own["stop"]
                assert (
                    tuple(map(number, row[0].removesuffix(", main").strip("[]").split(", ")))
                    == days
                )
                assert (int(row[1]), main) == (own["n_events"], own["main_test"])
                names = ("weighted_caar", "weighted_low", "weighted_high", "caar")
                shown = map(number, (row[2], *row[3].split(" to "), row[5]))
                for value, name in zip(shown, names, strict=True):
                    assert value == pytest.approx(100 * own[name], abs=0.0051), name
                if own["verdict"] == "provisional":
                    assert row[4] == "–"
                else:
                    assert number(row[4]) == pytest.approx(by[(*days, main)], abs=0.00051)
                for head, cell in zip(grid[0][6:], row[6:], strict=True):
                    assert number(cell) == pytest.approx(
                        by[(*days, labels[head])], abs=0.00051, nan_ok=True
                    )

    def test_events_are_those_of_the_tables(self, text: str, folder: Path) -> None:
        (table,) = (
            t for t in markdown_tables(text) if t[0][:2] == ["Day 0", "Event"] and "Flags" in t[0]
        )
        car = read_csv(folder, "car").query("start == 0 and stop == 1").set_index("event_id")["car"]
        mine = {row[3]: number(row[5]) for row in table[1:]}
        assert list(mine) == car.sort_values().index.tolist()
        np.testing.assert_allclose(list(mine.values()), 100 * car.sort_values(), atol=0.0051)

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
        (table,) = (
            t for t in markdown_tables(text) if t[0][:2] == ["Day 0", "Event"] and "Flags" in t[0]
        )
        names = {row[3]: row[1].strip("\u2068\u2069") for row in table[1:]}
        for i, name in enumerate(HOSTILE):
            plain = " ".join(name.replace("\u202e", "").split())
            shown = plain if len(plain) <= 60 else plain[:59] + "…"
            assert names[f"e{i}"] == shown

    def test_says_what_the_page_says(self, text: str, document: dict[str, Any]) -> None:
        for title in (
            "Windows and tests",
            "Events",
            "Diagnosis",
            "Dropped and flagged",
            "Methods",
            "Provenance",
        ):
            assert f"\n## {title}\n" in text
        plain = [t.content for t in MarkdownIt("commonmark").parse(text) if t.type == "inline"]
        said = " ".join(plain).replace("\\", "")
        assert document["text"]["answer"].replace("\u00a0", " ") in said.replace("\u00a0", " ")
        assert "F23 is not in the data" in text


@pytest.mark.parametrize("only", [None, [0], []])
def test_small_runs_have_every_format(
    market: Market, tmp_path: Path, only: list[int] | None
) -> None:
    """All events, one event, none at all."""
    results = market.fit()
    results = results if only is None else results.subset(only)
    folder = write_run(
        results, tmp_path, "small", config=CONFIG.with_options({"placebo": 0, "regress": []})
    )
    run = read_run(folder)
    VALID.validate(run.document)
    for kind in KINDS:
        assert (kind == "tex" and only == []) or exported(run, kind, tmp_path / "out")


def test_every_event_dropped(market: Market, tmp_path: Path) -> None:
    results = market.fit(market.frame[["MKT"]])
    folder = write_run(
        results, tmp_path, "none", config=CONFIG.with_options({"placebo": 0, "regress": []})
    )
    VALID.validate(read_run(folder).document)
    assert "No result:" in (folder / "report.md").read_text(encoding="utf-8")
    assert len(pd.read_parquet(exported(read_run(folder), "parquet", tmp_path)[0])) == 0


def test_log_points_are_not_percent(tmp_path: Path, market: Market) -> None:
    results = market.fit()
    object.__setattr__(results.panel, "measure", "volume")
    text = results.to_markdown()
    assert "CAAR, log pts" in text
    assert "(log)" in results.to_latex()
    sheet = openpyxl.load_workbook(results.to_excel(tmp_path / "v.xlsx"))["car"]
    assert sheet["E2"].number_format == "0.0000"


def test_one_line_in_the_library(market: Market, tmp_path: Path) -> None:
    results = market.fit()
    VALID.validate(json.loads(results.to_json()))
    assert results.to_markdown().startswith("# study\n")
    with pytest.raises(ConfigError, match="caar, events"):
        results.to_latex("regression")
    assert len(pd.read_parquet(results.to_parquet(tmp_path / "ar.parquet"))) == 12 * 11


def test_not_a_run(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run"):
        read_run(tmp_path)
    shutil.copytree(folder, tmp_path / "old")
    (tmp_path / "old" / "results.json").write_text('{"schema": "eventstudy-results/0"}')
    with pytest.raises(RunFolderError, match="run the study again"):
        read_run(tmp_path / "old")


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [("xlsx", "xlsxwriter", "excel"), ("parquet", "pyarrow", "parquet")],
)
def test_what_is_not_installed_is_named(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ConfigError, match=rf"pip install .*\[{extra}\]"):
        exported(read_run(folder), kind, tmp_path)


class TestNotebook:
    def test_events_are_compact_and_inert(self, results: EventStudyResults) -> None:
        from eventstudy.events.table import events_from_frame

        given = results.events[["event_id", "ticker", "announced_at", "company"]].assign(
            note="x" * 5000
        )
        shown = events_from_frame(given, calendar="data")._repr_html_()
        assert "<script>" not in shown
        assert "Further columns: tz, exchange, note" in shown
        assert len(shown) < 40_000

    def test_results_print_as_a_table(self, market: Market) -> None:
        results = market.fit()
        lines = str(results).splitlines()
        assert lines[0] == repr(results) == "<event study: 12 of 12 events, market model, [-5,5]>"
        assert max(map(len, lines)) < 145
        assert any(line.startswith("[0,1]") for line in lines)

    def test_tests_print_as_a_line(self, market: Market) -> None:
        test = market.fit().test("bmp", (0, 1))
        assert str(test) == f"BMP: t(11) = {test.statistic:.2f}, p = {test.pvalue:.4f}, 12 events"
        assert str(market.fit().test("portfolio", (0, 1))).startswith(
            "Portfolio t: not tested, 12 events ("
        )


def test_variants_stand_beside_the_answer(folder: Path) -> None:
    run = read_run(folder)
    row = {
        "variant": "a|b", "group": "", "settings": "model constant_mean", "start": 0, "stop": 1,
        "n_events": 23, "estimate": -0.0123, "ci_low": -0.02, "ci_high": 0.001, "test": "bmp",
        "statistic": -2.0, "pvalue": 0.0004, "reason": "",
    }  # fmt: skip
    none = {
        **row,
        "n_events": 0,
        "test": "",
        "estimate": math.nan,
        "ci_low": math.nan,
        "pvalue": math.nan,
    }
    told = replace(run, tables={**run.tables, "variants": pd.DataFrame([row, none])})
    (table,) = (t for t in markdown_tables(markdown(told)) if t[0][0] == "Variant")
    assert table[1] == [
        "a|b: all events", "model constant_mean", "[0, 1]", "BMP", "23", "−1.23", "−2.00 to +0.10",
        "<0.001",
    ]  # fmt: skip
    assert table[2][3:] == ["–", "0", "–", "–", "–"]


def test_tests_that_are_not_valid_over_the_main_window_have_no_column() -> None:
    """Fifteen correlated events on one date: BMP and Patell would say far too much."""
    results = placed(ONE, rho=0.3, seed=33).fit()
    run = finished(results, config=PLAIN)
    weak = {v.test for v in results.diagnose().opinions if v.trust == "not valid"}
    shown = [name for name in run.document["samples"][0]["shown"] if name not in weak]
    assert {"bmp", "patell"} <= weak
    (panel,), _ = panels(run, 1)
    assert list(panel.tests) == shown
    (grid,) = (t for t in markdown_tables(markdown(run)) if t[0][0] == "Window")
    assert grid[0][6:] == [STATISTICS[name].label for name in shown[1:]]
    assert latex_table(run, "caar").count("Patell") == 0
    assert {"bmp", "patell"} <= set(run.tables["tests"]["test"]), "the tables have all"


def test_the_main_test_is_in_every_format_though_others_were_asked_for() -> None:
    asked = replace(PLAIN, tests=("grank_t",))
    results = Market(n=8, dates=4, effect=-0.03).fit()
    run, main = finished(results, config=asked), results.main_test()
    assert [run.document["samples"][0]["shown"]] == [[main, "grank_t"]]
    found = run.tables["tests"].set_index(["test", "start", "stop"])["pvalue"]
    assert found[main, 0, 1] == pytest.approx(results.test(main, (0, 1)).pvalue, rel=1e-12)
    label = STATISTICS[main].label
    (grid,) = (t for t in markdown_tables(markdown(run)) if t[0][0] == "Window")
    assert (grid[0][4], *grid[0][6:]) == (f"p, {label}", "GRANK-T")
    (row,) = (row for row in grid[1:] if row[0].endswith("main"))
    assert number(row[4]) == pytest.approx(found[main, 0, 1], abs=0.00051)
    lines = [line for line in latex_table(run, "caar").splitlines() if line.startswith("$[")]
    assert lines
    assert all("--" not in line.split("&")[4] for line in lines)


def test_a_window_of_fewer_events_names_the_test_that_decides_there() -> None:
    """Five events have the main window, four of them [-3,3] and [-5,5]: p is that of their
    interval."""
    market = Market(5, dates=5, effect=-0.04)
    day = market.frame.index[market.frame.index.get_loc(market.table["day0"][3]) + 3]
    market.frame.loc[day, "F03"] = np.nan
    results = market.fit()
    run, wide = finished(results, config=PLAIN), Window(-5, 5)
    found = results.answer(wide)
    assert (results.main_test(), found.test) == ("bmp_kp", "patell_kp")
    p = pvalue(found.pvalue)
    (grid,) = (t for t in markdown_tables(markdown(run)) if t[0][0] == "Window")
    assert (grid[0][4], grid[-1][4]) == ("p, BMP-KP", f"{p} (Patell-KP)")
    assert grid[1][4] == pvalue(results.answer(Window(0, 0)).pvalue)
    assert "(BMP-KP, Patell-KP)" in latex_table(run, "caar")
    assert "BMP-KP (main test), Patell-KP over [-3,3], Patell-KP over [-5,5]." in summary_text(
        results, PLAIN
    )
    shown = significance_grid(results, PLAIN.tested, PLAIN.main, None).groups[0][1][0].cells[-1]
    assert shown.pvalue == p
    assert shown.statistic.startswith("Patell-KP ")


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
