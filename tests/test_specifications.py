"""The specification curve: each cell is the answer of a study with those settings."""

from __future__ import annotations

import json
import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT, Market
from run_folders import QUICK

import eventstudy as es
from eventstudy.analysis import Specifications, specifications_table
from eventstudy.analysis.robustness.specifications import cells_of, joint_pvalues
from eventstudy.calendars import Window
from eventstudy.cli.main import main
from eventstudy.errors import ConfigError
from eventstudy.files.csv_text import read_numbers
from eventstudy.findings.finished_run import read_findings
from eventstudy.report import Terminal
from eventstudy.report.formats.pages import render_report
from eventstudy.report.tables.checks import checks_table, list_checks
from eventstudy.settings import StudyConfig
from eventstudy.settings.config import usual_grid
from eventstudy.utility import Workers, listening

EVENTS = ROOT / "events.csv"
GRID = {
    "model": ["market", "market_adjusted"],
    "estimation": ["-250:-31", "-120:-21"],
    "car": ["0:1", "-1:1"],
    "sample": ["", "without flagged", "sector == 'no such sector'"],
    "halt": ["calendar", "shift"],
}
CONFIG = StudyConfig(prices="sample", calibrate=49)
NUMBERS = ["estimate", "se", "ci_low", "ci_high", "pvalue", "n_events", "n_dates"]


@pytest.fixture(scope="module")
def results() -> es.RobustnessResults:
    return es.robustness(EVENTS, GRID, CONFIG, offline=True)


def _answer(study: es.EventStudyResults, window: str) -> list[float]:
    answer = study.answer(window)
    effect = answer.effect
    interval = [effect.estimate, effect.se, effect.ci_low, effect.ci_high]
    return [*interval, answer.pvalue, answer.n_events, answer.n_dates]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "estimation", "engine"), [
    ("market", "-250:-31", "statsmodels"),
    ("market_adjusted", "-120:-21", "batch"),
])  # fmt: skip
def test_a_cell_is_the_answer_of_a_run_with_its_settings(
    results: es.RobustnessResults, model: str, estimation: str, engine: str
) -> None:
    table = results.frame()
    for window in ("0:1", "-1:1"):
        options = {"model": model, "estimation": estimation, "engine": engine, "windows": [window]}
        study = es.run_study(EVENTS, CONFIG.with_options(options), offline=True)
        adverse = study.groups("direction")["adverse"]
        chosen = {"model": model, "halt": "calendar", "estimation": str(Window.of(estimation)),
                  "window": str(Window.of(window))}  # fmt: skip
        rows = table[(table[list(chosen)] == pd.Series(chosen)).all(axis=1)].set_index("sample")
        assert rows.loc["", NUMBERS].tolist() == _answer(adverse, window)
        flagged = adverse.subset("not flagged")
        assert 0 < len(flagged) < len(adverse)
        assert rows.loc["without flagged", NUMBERS].tolist() == _answer(flagged, window)


def test_all_combinations_are_there_and_one_is_the_study(results: es.RobustnessResults) -> None:
    table = results.frame()
    choices = ["model", "estimation", "window", "sample", "halt"]
    assert len(table) == 24
    assert not table.duplicated(choices).any()
    main_row = table[table["is_main"]]
    assert main_row[choices].to_numpy().tolist() == [
        ["market", "[-250,-31]", "[0,1]", "", "calendar"]
    ]


def test_a_cell_without_a_result_says_why(results: es.RobustnessResults) -> None:
    table = results.frame()
    lacking = table["pvalue"].isna()
    assert (lacking == (table["sample"] == "sector == 'no such sector'")).all()
    assert table.loc[lacking, "reason"].str.contains("none of the 54 events in the answer").all()
    assert (table.loc[~lacking, "reason"] == "").all()


def test_a_list_without_a_usable_event_says_so() -> None:
    news = pd.DataFrame({"ticker": ["ZZZZ", "YYYY"], "announced_at": ["2020-03-04"] * 2})
    results = es.robustness(news, config=CONFIG, offline=True)
    assert results.summary()["n"] == 0
    assert "has a result: none of 2 events could be used" in str(results)


@pytest.mark.slow
def test_choices_that_change_nothing_are_merged(results: es.RobustnessResults) -> None:
    """The bundled sample has no halt: its cells by either clock are the same and count once."""
    table = results.frame()
    assert set(table["halt"]) == {"calendar"}
    assert set(table["n_merged"]) == {24}
    assert set(table["inert"]) == {"halt=shift"}
    assert "24 more are merged, as no event is affected by halt=shift." in str(results)
    grid = {"sample": ["", "sector != 'none'", "not flagged", "flags == 'no such'"], "car": ["0:1"]}
    table = es.robustness(EVENTS, grid, replace(CONFIG, calibrate=0), offline=True).frame()
    assert table["sample"].tolist() == ["", "not flagged", "flags == 'no such'"]
    assert set(table["inert"]) == {"sample=sector != 'none'"}


def test_by_choice_counts_the_cells_of_each_value(results: es.RobustnessResults) -> None:
    rows = results.by_choice().set_index(["choice", "value"])
    table = results.frame().dropna(subset=["pvalue"])
    without = table[table["sample"] == "without flagged"]
    shares = rows.loc[("sample", "without flagged")]
    assert shares["n"] == len(without) == 8
    significant = (without["estimate"] < 0) & (without["pvalue"] < 0.05)
    assert shares["significant"] == significant.mean()
    assert shares["median"] == without["estimate"].median()
    assert set(rows.index.get_level_values("choice")) == {
        "model", "estimation", "window", "sample"
    }  # fmt: skip


def test_windows_that_leave_events_out_have_fits_of_their_own() -> None:
    grid = {"car": ["0:0", "0:1"], "sample": ["", "without flagged"]}
    assert len({id(s) for s, *_ in cells_of(replace(CONFIG, grid=grid))}) == 2
    mains = {s.main for s, *_ in cells_of(replace(CONFIG, grid=grid))}
    assert mains == {Window(0, 1)}
    config = replace(CONFIG, grid=grid, firm="company")
    assert {s.main for s, *_ in cells_of(config)} == {Window(0, 0), Window(0, 1)}


def test_the_choice_of_the_study_is_always_there() -> None:
    config = replace(CONFIG, grid={"model": ["constant_mean"], "car": ["0:5"]})
    cells = [(s.model, str(window), sample) for s, window, sample in cells_of(config)]
    assert cells == [
        ("market", "[0,1]", ""), ("market", "[0,5]", ""),
        ("constant_mean", "[0,1]", ""), ("constant_mean", "[0,5]", ""),
    ]  # fmt: skip


def test_the_summary_counts_what_the_table_has(results: es.RobustnessResults) -> None:
    rows = results.frame().dropna(subset=["pvalue"])
    negative = rows["estimate"] < 0
    summary = results.summary()
    assert results.sign == -1
    assert summary["n"] == 16
    assert summary["lacking"] == 8
    assert summary["median"] == np.median(rows["estimate"])
    assert summary["same_sign"] == negative.sum() / 16
    assert summary["significant"] == (negative & (rows["pvalue"] < 0.05)).sum() / 16
    assert str(results).startswith("Of 16 specifications ")
    assert "8 more have no result." in str(results)


class TestJoint:
    """By hand: four draws of three cells, the third of which has no result in one of them."""

    T = np.array([[2.5, 2.2, 0.1], [-2.1, -2.4, -3.0], [1.0, -1.0, np.nan], [-0.2, 0.1, 0.0]])
    P = np.array([[0.01, 0.03, 0.9], [0.04, 0.02, 0.01], [0.3, 0.3, np.nan], [0.8, 0.9, 1.0]])

    @pytest.mark.parametrize(("t", "p", "significant", "median"), [
        # Two significant of the sign of the study: draws one (two above) and two (three below).
        ([-2.0, -2.2, -0.3], [0.04, 0.03, 0.8], 3 / 5, 3 / 5),
        ([-2.2, -2.3, -2.4], [0.03, 0.02, 0.02], 2 / 5, 2 / 5),
        # None is significant: every draw has as many.
        ([-0.1, -0.1, 0.1], [0.9, 0.9, 0.9], 1.0, 3 / 5),
        # Those against the sign of the study do not count for it.
        ([-3.0, 2.5, 2.6], [0.01, 0.02, 0.02], 3 / 5, 1 / 5),
    ])  # fmt: skip
    def test_by_hand(
        self, t: list[float], p: list[float], significant: float, median: float
    ) -> None:
        joint = joint_pvalues(np.array(t), np.array(p), (self.T, self.P), -1.0)
        assert joint.significant == pytest.approx(significant, abs=1e-15)
        assert joint.median == pytest.approx(median, abs=1e-15)
        assert joint.n_draws == 4

    def test_each_draw_has_its_own_larger_sign(self) -> None:
        p = np.full((999, 6), 0.01)
        t = np.where(np.arange(999)[:, None] % 2, 3.0, -3.0) * np.ones((999, 6))
        joint = joint_pvalues(t[0], p[0], (t, p), float(np.sign(t[0, 0])))
        assert joint.significant == joint.median == 1.0

    def test_under_the_null_it_is_uniform(self) -> None:
        rng = np.random.default_rng(1)
        z = rng.standard_normal((400, 1)) + 0.3 * rng.standard_normal((400, 8))
        p = np.where(np.abs(z) > 1.96, 0.01, 0.5)
        rest = np.arange(400)
        medians = [
            joint_pvalues(z[i], p[i], (z[rest != i], p[rest != i]), np.sign(z[i, 0])).median
            for i in range(100)
        ]
        assert 0.0 <= np.mean(np.array(medians) <= 0.1) <= 0.2

    def test_without_a_draw_there_is_none(self) -> None:
        none = np.full((3, 2), np.nan)
        joint = joint_pvalues(np.ones(2), np.ones(2), (none, none), 1.0)
        assert joint.n_draws == 0
        assert np.isnan([joint.significant, joint.median]).all()

    def test_it_is_in_the_sentence(self, results: es.RobustnessResults) -> None:
        table = results.table.assign(joint_pvalue=0.25, joint_median=0.5, draws=4)
        assert "with 4 other dates of these firms" in str(Specifications(table))
        table = table.assign(joint_pvalue=np.nan)
        assert "other dates" not in str(Specifications(table))


@pytest.mark.parametrize(("grid", "where", "said"), [
    ({"modle": ["market"]}, "grid.modle", "did you mean 'model'"),
    ({"model": 3}, "grid.model", "not a list"),
    ({"halt": ["stop"]}, "grid.halt", "use calendar, shift"),
    ({"car": ["0"]}, "grid.car", "not a window"),
    ({"car": ["0:90"]}, "grid.car", "beyond the event window"),
    ({"estimation": ["-50:-5"]}, "grid.estimation", "end before the event window"),
    ({"sample": [str(i) for i in range(3000)]}, "grid", "too many specifications"),
])  # fmt: skip
def test_faults_of_a_grid_are_named(grid: dict[str, object], where: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as raised:
        StudyConfig(grid=grid)
    assert raised.value.where == where


@pytest.mark.slow
def test_a_model_that_its_settings_forbid_is_a_reason() -> None:
    grid = {"model": ["market", "dimson"], "halt": ["calendar", "shift"], "car": ["0:1"]}
    table = es.robustness(EVENTS, grid, CONFIG, offline=True).frame()
    lacking = table[table["pvalue"].isna()]
    assert lacking[["model", "halt"]].to_numpy().tolist() == [["dimson", "shift"]]
    assert "leads and lags" in lacking["reason"].iloc[0]


def test_settings_with_a_grid_survive_a_round_trip() -> None:
    config = replace(CONFIG, grid=GRID)
    assert StudyConfig(**config.to_dict()) == config
    assert json.loads(json.dumps(config.to_dict()["grid"])) == GRID
    # Without one nothing changes in what runs of before have.
    assert "grid" not in CONFIG.to_dict()


def _study(market: Market) -> es.EventStudy:
    events = es.events_from_frame(
        market.table[["ticker", "announced_at", "benchmark"]], calendar="data"
    )
    return es.EventStudy(events, market.frame, estimation="-120:-11", event="-5:5")


@pytest.mark.slow
def test_a_study_with_its_returns_has_them_too(market: Market) -> None:
    study = _study(market)
    grid = {"model": ["market", "constant_mean"], "car": ["0:0", "0:1"]}
    table = es.robustness(study, grid).frame()
    other = replace(study, model="constant_mean", engine="batch").fit()
    cell = table[(table["model"] == "constant_mean") & (table["window"] == "[0,0]")]
    assert cell[NUMBERS].to_numpy().tolist() == [_answer(other, "0:0")]
    usual = es.robustness(study).frame()
    assert len(usual) == 3 * 4
    with pytest.raises(ConfigError, match="a study has its prices and settings"):
        es.robustness(study, prices="sample")


def test_prices_and_settings_are_given_as_to_a_study(market: Market) -> None:
    """Returns in memory, a column by its name, and a study that is fitted already."""
    news = market.table[["ticker", "announced_at", "benchmark"]]
    named: dict[str, Any] = {
        "calendar": "data", "estimation": "-120:-11", "event": "-5:5", "calibrate": 0
    }  # fmt: skip
    grid = {"model": ["market", "constant_mean"], "car": ["0:0", "0:1"]}
    close = 100 * (1 + market.frame).cumprod()
    news = news.rename(columns={"announced_at": "said"})
    table = es.robustness(news, grid, prices=close, date="said", **named).frame()
    fitted = es.study(news, close, date="said", **named, car="0:0")
    pd.testing.assert_frame_equal(
        table[NUMBERS], es.robustness(fitted, grid).frame()[NUMBERS], rtol=1e-12
    )
    cell = table[(table["model"] == "market") & (table["window"] == "[0,0]")]
    np.testing.assert_allclose(cell[NUMBERS].to_numpy(float)[0], _answer(fitted, "0:0"), rtol=1e-9)


def test_the_usual_grid_keeps_within_the_windows() -> None:
    main = Window(-250, -31)
    grid = usual_grid(main, Window(-1, 1), "return")
    assert grid["car"] == ["0:0", "0:1", "-1:1"]
    assert grid["estimation"] == ["-250:-31", "-150:-31"]
    assert "estimation" not in usual_grid(Window(-100, -31), Window(-1, 1), "return")
    assert "model" not in usual_grid(main, Window(-1, 1), "volume")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    study = folder / "study.toml"
    lists = "\n".join(f"{name} = {json.dumps(choices)}" for name, choices in GRID.items())
    head = (
        f'events = "{EVENTS}"\nname = "grid"\nprices = "sample"\noffline = true\ncalibrate = 49\n'
    )
    study.write_text(f"{head}[grid]\n{lists}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["run", str(study)])
    assert result.exit_code == 0, result.output
    return folder / "reports" / "grid"


class TestRun:
    @pytest.mark.slow
    def test_the_cells_are_in_the_run(self, run: Path, results: es.RobustnessResults) -> None:
        table = read_numbers(run / "tables" / "specifications.csv")
        table = table.fillna({"sample": "", "test": "", "reason": "", "inert": ""})
        pd.testing.assert_frame_equal(table, results.frame(), check_exact=True, check_dtype=False)
        kept = read_findings(run).tables["specifications"]
        assert kept["estimate"].equals(results.frame()["estimate"])
        assert kept["sample"].tolist() == results.frame()["sample"].tolist()

    @pytest.mark.slow
    def test_page_and_terminal_have_sentence_and_curve(
        self, run: Path, results: es.RobustnessResults
    ) -> None:
        html = (run / "report.html").read_text(encoding="utf-8")
        assert str(results) in unescape(html).replace("\xa0", " ")
        figure = re.search(r'<details id="choices">.*?</figure>', html, re.DOTALL)
        assert figure
        for svg in re.findall(r"<svg.*?</svg>", figure[0], re.DOTALL):
            texts = [t.text for t in ElementTree.fromstring(svg).iter("text")]
            assert {"model", "estimation", "window", "sample"} <= set(texts)
        findings = read_findings(run)
        assert render_report(findings) == html
        assert "Other choices\nOf 16 specifications" in str(Terminal(findings).text(verbose=True))

    @pytest.mark.slow
    def test_the_windows_by_models_are_in_markdown_and_latex(self, run: Path) -> None:
        markdown = (run / "report.md").read_text(encoding="utf-8")
        assert "| Window | market | market_adjusted |" in markdown
        latex = (run / "tables" / "caar.tex").read_text(encoding="utf-8")
        assert latex.count("\nMarket-adjusted model & ") == 1
        assert "Rows of other models repeat" in latex


class TestModelsThatAreFittedEventByEvent:
    """A joint p of GARCH fits every event anew in every draw: a run has a bound for that."""

    WIDE = pd.read_csv(EVENTS).iloc[:80]
    LISTED = WIDE.iloc[:40]
    GRID: ClassVar = {"model": ["market", "market_adjusted", "theil_sen"], "car": ["0:1", "-1:1"]}
    QUICK: ClassVar = {**GRID, "model": ["market", "market_adjusted"]}

    @pytest.fixture
    def study(self) -> es.EventStudyResults:
        return es.run_study(self.LISTED, replace(CONFIG, calibrate=0, by="none"))

    @pytest.mark.slow
    def test_above_the_bound_they_are_left_out_and_counted(
        self, study: es.EventStudyResults
    ) -> None:
        config = replace(CONFIG, grid=self.GRID, by="none")
        fits = 49 * len(study)
        whole, part = (
            Specifications(specifications_table(study, config, most_fits=n))
            for n in (fits, fits - 1)
        )
        assert whole.table["n_undrawn"].eq(0).all()
        assert part.table["n_undrawn"].eq(2).all()
        assert "leaves out" not in str(whole)
        assert "leaves out 2 specifications" in str(part)
        quick = specifications_table(study, replace(config, grid=self.QUICK))
        assert part.joint == Specifications(quick).joint
        assert part.joint.n_draws == whole.joint.n_draws == 49

    def test_without_a_significant_specification_there_is_no_joint_p_of_their_number(
        self, study: es.EventStudyResults
    ) -> None:
        """74% of null studies have 1 there."""
        table = specifications_table(study, replace(CONFIG, grid=self.QUICK, by="none"))
        quiet = Specifications(table.assign(pvalue=0.5, joint_pvalue=1.0))
        assert "No specification is significant. Compared with 49 other dates" in str(quiet)
        assert "p = 1.000 for the number" not in str(quiet)
        some = table.assign(pvalue=0.01, joint_pvalue=0.04, estimate=-0.01)
        assert "p = 0.040 for the number of significant" in str(Specifications(some))

    def test_where_all_are_left_out_there_is_no_joint_p(self) -> None:
        config = replace(CONFIG, model="theil_sen", grid={"car": ["0:1", "-1:1"]})
        study = es.run_study(self.LISTED, replace(config, calibrate=0))
        part = Specifications(specifications_table(study, config, most_fits=1))
        assert np.isnan(part.joint.significant)
        assert "leaves out 2 specifications" in str(part)

    @pytest.mark.slow
    def test_a_run_has_the_bound(self) -> None:
        study = es.run_study(self.WIDE, replace(CONFIG, calibrate=499, grid=self.GRID))
        assert study.specifications is not None
        assert study.specifications["n_undrawn"].eq(2).all()
        assert study.specifications["draws"].eq(499).all()

    @pytest.mark.watch
    def test_robustness_has_none(self) -> None:
        listed = es.robustness(self.WIDE, self.GRID, replace(CONFIG, calibrate=499)).table
        assert listed["n_undrawn"].eq(0).all()

    @pytest.mark.watch
    def test_processes_give_the_same_bits_and_say_how_far_they_are(
        self, study: es.EventStudyResults
    ) -> None:
        config, heard = replace(CONFIG, grid=self.GRID), list[tuple[str, int, int]]()
        alone = specifications_table(study, config)
        with (
            ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool,
            Workers(2, executor=pool) as workers,
            listening(lambda *said: heard.append(said)),
        ):
            table = specifications_table(study, config)
        assert not workers.lost
        pd.testing.assert_frame_equal(table, alone, check_exact=True)
        assert ("specifications: other dates", 2, 3) in heard


def _invoked(*args: str) -> str:
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 0, result.output
    return result.output


class TestCommands:
    SAMPLE = (str(EVENTS), "--prices", "sample", "--offline")

    @pytest.mark.slow
    def test_robustness_writes_table_and_curve(self, tmp_path: Path) -> None:
        out = tmp_path / "new" / "folder"
        grid = ("--grid", "model=market,market_adjusted", "--grid", "car=0:0,0:1",
                "--grid", "sample=not flagged", "--grid", "sample=sector in ('chips', 'x')",
                "--grid", "estimation=-250:-31,-150:-31", "--calibrate", "49")  # fmt: skip
        text = _invoked("robustness", *self.SAMPLE, "--out", str(out), *grid)
        assert re.search(r"^Of \d+ specifications \d+% have the sign", text, re.M)
        assert "market_adjusted" in text
        table = pd.read_csv(out / "specifications.csv")
        assert len(table) == 2 * 2 * 3 * 2
        svg = ElementTree.parse(out / "specifications.svg").getroot()
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        assert (out / "specifications.png").read_bytes().startswith(b"\x89PNG")

    @pytest.mark.slow
    def test_json_has_every_cell(self, tmp_path: Path) -> None:
        args = (
            "--out",
            str(tmp_path),
            "--grid",
            "sample=sector == 'none such'",
            "--calibrate",
            "0",
            "--json",
        )
        document = json.loads(_invoked("robustness", *self.SAMPLE, *args))
        cells = document["specifications"]
        assert {cell["window"] for cell in cells} == {"[0,0]", "[0,1]", "[-1,1]", "[0,5]"}
        assert sum(cell["pvalue"] is None for cell in cells) == 4 == len(cells) / 2

    @pytest.mark.slow
    def test_several_models_and_windows_are_one_small_table(self, tmp_path: Path) -> None:
        args = ("--out", str(tmp_path), "--model", "market,market_adjusted", "--car", "0:1,-1:1")
        text = _invoked("run", *self.SAMPLE, *args, *QUICK, "-v")
        rows = re.findall(r"^ *(\[-?\d, \d\]) +(\S+) \((\S+)\) +(\S+) \((\S+)\)$", text, re.M)
        table = pd.read_csv(tmp_path / "events" / "tables" / "specifications.csv")
        assert [row[0] for row in rows] == ["[0, 1]", "[-1, 1]"]
        effects = table.pivot_table(index="window", columns="model", values="estimate", sort=False)
        printed = np.array([[float(row[1]), float(row[3])] for row in rows])
        expected = effects.loc[["[0,1]", "[-1,1]"], ["market", "market_adjusted"]].to_numpy()
        np.testing.assert_allclose(printed, 100 * expected, atol=0.005)
        html = (tmp_path / "events" / "report.html").read_text(encoding="utf-8")
        assert "Specification curve" not in html

    @pytest.mark.slow
    def test_a_run_without_a_grid_has_the_usual_one_without_draws(self, tmp_path: Path) -> None:
        _invoked(
            "run",
            *self.SAMPLE,
            "--out",
            str(tmp_path),
            "--calibrate",
            "49",
            "--event-pages",
            "0",
            "--quiet",
        )
        folder = tmp_path / "events"
        file = folder / "tables" / "specifications.csv"
        table = read_numbers(file)
        assert len(table) == 3 * 2 * 4
        assert table["draws"].eq(0).all()
        assert "grid" not in json.loads((folder / "results.json").read_text())["setup"]["settings"]
        shares = pd.read_csv(folder / "tables" / "specifications_by_choice.csv")
        assert shares.groupby("choice")["n"].sum().eq(24).all()
        findings = read_findings(folder)
        assert "Other choices" not in str(Terminal(findings).text(verbose=True))
        checks = list_checks(findings)
        kinds = [check.kind for check in checks]
        assert kinds == sorted(kinds, key=["main", "leave_out", "window", "model", "test"].index)
        assert 10 <= len(checks) <= 14
        by_name = {check.name: check for check in checks}
        adjusted = table[(table["model"] == "market_adjusted") & (table["window"] == "[0,1]")]
        row = by_name["Share minus market"]
        assert row.pvalue == adjusted["pvalue"].iloc[0]
        assert by_name["Days 0 to +5"].n_events == 54
        assert "120 days of estimation" in by_name
        held = sum(check.pvalue < 0.05 for check in checks[1:])
        # 49 shifted calendars are too few for a calibrated p, so that check is not there.
        assert checks_table(findings).about == f"Holds in {held} of 12 checks"

    @pytest.mark.slow
    def test_a_grid_of_one_choice_turns_it_off(self, tmp_path: Path) -> None:
        study = tmp_path / "study.toml"
        study.write_text(
            f'events = "{EVENTS}"\nprices = "sample"\noffline = true\ncalibrate = 0\n'
            'event_pages = 0\n[grid]\ncar = ["0:1"]\n', encoding="utf-8",
        )  # fmt: skip
        _invoked("run", str(study), "--quiet")
        tables = tmp_path / "reports" / "events" / "tables"
        assert not list(tables.glob("specifications*"))

    @pytest.mark.parametrize(("option", "said"), [
        ("model", "--grid: not a list of choices, got 'model'; write NAME=CHOICE,CHOICE"),
        ("modle=market", "did you mean 'model'?"),
        ("model=markt", "did you mean 'market'?"),
        ("sample=directoin == 'adverse'", "did you mean 'direction'?"),
        ("sample=direction = 'adverse'", "not an expression"),
        ("model=ff3", "needs factors; give a file of factors with --factors"),
    ])  # fmt: skip
    def test_faults_are_one_sentence(self, tmp_path: Path, option: str, said: str) -> None:
        args = ["robustness", *self.SAMPLE, "--out", str(tmp_path), "--grid", option]
        result = CliRunner().invoke(main, args)
        assert result.exit_code == 2
        assert said in result.output
        assert result.output.count("\n") == 1
        assert not list(tmp_path.iterdir())

    def test_check_names_the_line_of_a_bad_sample(self, tmp_path: Path) -> None:
        study = tmp_path / "study.toml"
        study.write_text(
            f'events = "{EVENTS}"\nprices = "sample"\n\n[grid]\nmodel = ["market"]\n'
            'sample = ["", "sectr == 1"]\n', encoding="utf-8",
        )  # fmt: skip
        result = CliRunner().invoke(main, ["check", str(study)])
        assert f"{study}:6: grid.sample: the events have no such column, got 'sectr'" in (
            result.output
        )


def test_a_subset_takes_an_expression(market: Market) -> None:
    results = _study(market).fit()
    ticker = results.events["ticker"].iloc[0]
    by_text = results.subset(f"ticker == '{ticker}'")
    by_mask = results.subset(results.events["ticker"] == ticker)
    assert 0 < len(by_text.events) < len(results.events)
    assert by_text.events["event_id"].tolist() == by_mask.events["event_id"].tolist()
