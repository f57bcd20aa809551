"""Variants of a study are the studies that they name, on prices that are fetched once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT, Market
from pages import PROVENANCE, cells_of, page, section

import eventstudy as es
from eventstudy.analysis.variant_studies import fit_with_variants, settings_text, variants_table
from eventstudy.cli.main import main
from eventstudy.errors import ConfigError
from eventstudy.findings.finished_run import findings_of
from eventstudy.fitting.config import StudyConfig
from eventstudy.fitting.inputs import StudyInputs
from eventstudy.prices import Prices, resolve
from eventstudy.prices.shared import SharedSource
from eventstudy.report.formats.html import render_report
from eventstudy.report.sections.robustness import choose_variants
from eventstudy.studies import run_study
from eventstudy.utility import numbers as pvalues

EVENTS = """event_id,ticker,announced_at,direction
apple,AAPL,2020-08-06,adverse
nvidia,NVDA,2022-08-31T16:30-04:00,adverse
amd,AMD,2019-05-15,adverse
exxon,XOM,2019-05-16,relief
pfizer,PFE,2018-07-03,relief
microsoft,MSFT,2018-04-16,adverse
"""
SETTINGS = {
    "prices": "sample",
    "variants": {
        "adjusted": {"model": "market_adjusted", "tests": ["cross_sectional"]},
        "long": {"estimation": "-400:-31", "windows": ["-1:1"]},
        "late": {"event": "-5:60", "windows": ["0:60"], "by": "none"},
        "one index": {"benchmark": "AAPL"},
    },
}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> es.Events:
    path = tmp_path_factory.mktemp("events") / "events.csv"
    path.write_text(EVENTS, encoding="utf-8")
    return es.read_events(path)


@pytest.fixture(scope="module")
def config() -> StudyConfig:
    return StudyConfig().with_options(SETTINGS)


@pytest.fixture(scope="module")
def results(events: es.Events, config: StudyConfig) -> es.EventStudyResults:
    return run_study(events, config)


class Counting:
    """The bundled sample, with what it was asked for."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[tuple[str, date, date]] = []
        self.sample = resolve("sample", offline=True)

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: object = None
    ) -> Prices:
        self.asked += [(symbol, start, end) for symbol in symbols]
        return self.sample.fetch(symbols, start, end)


def test_each_row_is_a_study_of_its_own(
    results: es.EventStudyResults, events: es.Events, config: StudyConfig
) -> None:
    table = results.variants.set_index(["variant", "group"])
    for name, own in {"main": StudyConfig(prices="sample"), **config.studies}.items():
        alone = run_study(events, own)
        row = table.loc[(name, "")]
        assert (row["start"], row["stop"]) == (own.main.start, own.main.stop)
        assert row["n_events"] == alone.abnormal.valid(own.main).sum()
        found, test = alone.answer(own.main), alone.test(row["test"], own.main)
        np.testing.assert_allclose([row["statistic"], row["pvalue"]], list(test), rtol=1e-12)
        effect = found.plain_average if name == "adjusted" else found.effect
        np.testing.assert_allclose(
            list(row[["estimate", "ci_low", "ci_high"]]),
            [effect.estimate, effect.ci_low, effect.ci_high],
            rtol=1e-12,
        )
        if name != "adjusted":
            assert (row["test"], row["pvalue"]) == (
                found.test,
                pytest.approx(found.pvalue, rel=1e-12),
            )
    row = table.loc[("adjusted", "")]
    assert row["test"] == "cross_sectional"
    car = run_study(events, config.studies["adjusted"]).abnormal.car(es.Window(0, 1))
    assert row["estimate"] == pytest.approx(np.nanmean(car), rel=1e-12)


def test_groups_have_rows_of_their_own(results: es.EventStudyResults) -> None:
    table = results.variants
    of = {name: part["group"].tolist() for name, part in table.groupby("variant", sort=False)}
    assert of["main"] == of["adjusted"] == ["", "adverse", "relief"]
    assert of["late"] == [""]
    assert table.query("variant == 'main'")["n_events"].tolist() == [6, 4, 2]


def test_the_study_itself_is_as_it_is_alone(
    results: es.EventStudyResults, events: es.Events
) -> None:
    alone = run_study(events, StudyConfig(prices="sample"))
    pd.testing.assert_frame_equal(results.abnormal_returns(), alone.abnormal_returns(), rtol=1e-13)
    assert results.events.equals(alone.events)
    assert alone.variants is None
    assert results.subset(results.ok).variants is None


def test_a_symbol_is_asked_for_once(
    events: es.Events, config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventstudy.analysis import variant_studies as variants

    source = Counting()
    monkeypatch.setattr(variants, "resolve", lambda *_, **__: source)
    own = {name: v for name, v in config.variants.items() if name != "one index"}
    results = fit_with_variants(StudyInputs(events, StudyConfig(prices="sample", variants=own)))
    symbols = [symbol for symbol, _, _ in source.asked]
    assert len(symbols) == len(set(symbols)) > 6
    assert set(results.variants["variant"]) == {"main", *own}


def test_rows_that_grow_are_those_of_all_studies() -> None:
    """A symbol that is asked for more days later is answered whole, and that is remembered."""
    shared = SharedSource(Counting())
    short = shared.fetch(["AAPL"], date(2020, 3, 1), date(2020, 3, 31))
    assert not shared.regrown
    long = shared.fetch(["AAPL", "MSFT"], date(2020, 1, 1), date(2020, 2, 28))
    assert shared.regrown
    again = shared.fetch(["AAPL"], date(2020, 3, 1), date(2020, 3, 31))
    rows = long.by_symbol()["AAPL"]
    assert rows["date"].min() < short.table["date"].min()
    assert rows["date"].max() == short.table["date"].max()
    pd.testing.assert_frame_equal(again.by_symbol()["AAPL"], rows)
    assert [len(s.source.asked) for s in [shared]] == [3]  # type: ignore[attr-defined]


def test_prices_of_all_variants_are_kept(results: es.EventStudyResults, events: es.Events) -> None:
    alone = run_study(events, StudyConfig(prices="sample"))
    kept = results.panel.prices
    assert kept["date"].min() < alone.panel.prices["date"].min(), (
        "the long estimation window is in it"
    )
    assert set(results.panel.provenance) == set(kept["symbol"])


def test_what_all_variants_share_is_refused() -> None:
    for name, value in {
        "prices": "sample",
        "measure": "volume",
        "placebo": 99,
        "factors": ["f"],
    }.items():
        with pytest.raises(ConfigError, match=rf"variants.a.{name}: a variant cannot set this"):
            StudyConfig().with_options({"variants": {"a": {name: value}}})
    with pytest.raises(
        ConfigError, match=r"variants.a.modle: unknown setting; did you mean 'model'"
    ):
        StudyConfig().with_options({"variants": {"a": {"modle": "market"}}})


def test_a_fault_of_a_variant_names_it(events: es.Events) -> None:
    config = StudyConfig(prices="sample", variants={"three": {"model": "ff3"}})
    with pytest.raises(ConfigError, match=r"^variants.three: .* needs factors"):
        run_study(events, config)


def test_factors_may_serve_a_variant_alone(events: es.Events, tmp_path: Path) -> None:
    days = pd.bdate_range("2014-01-01", "2023-09-21")
    rng = np.random.default_rng(5)
    names = ["mkt_rf", "smb", "hml", "rf"]
    frame = pd.DataFrame(rng.normal(0, 0.01, (len(days), 4)), index=days, columns=names)
    frame.assign(rf=1e-4).rename_axis("date").to_csv(tmp_path / "factors.csv")
    factors = (str(tmp_path / "factors.csv"),)
    base = StudyConfig(prices="sample", factors=factors)
    with pytest.raises(ConfigError, match="uses no factor"):
        run_study(events, base)
    results = run_study(
        events, StudyConfig(prices="sample", factors=factors, variants={"v": {"model": "ff3"}})
    )
    alone = run_study(events, StudyConfig(prices="sample"))
    pd.testing.assert_frame_equal(results.abnormal_returns(), alone.abnormal_returns(), rtol=1e-13)
    assert results.variants.query("variant == 'v'")["n_events"].iloc[0] == 6


def test_a_variant_without_events_has_a_reason() -> None:
    fitted = Market(4).fit()
    none = fitted.subset(np.zeros(0, dtype=int))
    config = StudyConfig().with_options(
        {"estimation": "-120:-11", "event": "-5:5", "variants": {"none": {}}}
    )
    row = variants_table(fitted, config, {"none": none}).query("variant == 'none'").iloc[0]
    assert (row["n_events"], row["test"]) == (0, "")
    assert np.isnan(row["pvalue"])
    assert row["reason"] == "none of 0 events could be used"


def test_settings_in_one_line() -> None:
    assert settings_text({"windows": ["0:1", "0:5"], "fpc": True, "by": "x"}) == (
        "windows = 0:1, 0:5; fpc = true; by = x"
    )


def test_the_page_shows_what_the_table_holds(results: es.EventStudyResults) -> None:
    config = StudyConfig().with_options(SETTINGS)
    text = unescape(render_report(findings_of(results, config, provenance=PROVENANCE)))
    table = section(text, "robustness").partition("<caption>The study with other settings")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("</table>")[0], re.DOTALL)[1:]
    # The page is about the groups of its answer, and about all events only where a variant has none
    # of them.
    told = results.variants
    own = told[
        (told["group"] != "") | ~told["variant"].isin(told.loc[told["group"] != "", "variant"])
    ]
    assert len(rows) == len(own)
    for shown, row in zip(rows, own.itertuples(), strict=True):
        assert cells_of(shown)[:2] == [str(row.n_events), pvalues.percent(row.estimate, unit=False)]
        assert cells_of(shown)[-1] == pvalues.pvalue(row.pvalue)
        assert row.group in shown
    assert "This study" in rows[0]
    assert "estimation = -400:-31; windows = -1:1; over [−1, 1]".replace(" ", "") in "".join(
        rows
    ).replace("\u00a0", "").replace(" ", "")
    assert "Variants" not in section(page(replace(results, variants=None)), "robustness")


def test_other_groups_have_their_rows(events: es.Events) -> None:
    own = {"other": {"tests": ["patell"]}, "kinds": {"by": "kind"}}
    listed = replace(events, table=events.table.assign(kind=["a", "b"] * (len(events) // 2)))
    config = StudyConfig().with_options({**SETTINGS, "variants": own})
    table = fit_with_variants(StudyInputs(listed, config)).variants
    assert table is not None
    groups = [g for g in table.query("variant == 'main'")["group"].unique() if g]
    assert len(groups) == 2
    shown = choose_variants(table, groups)
    assert shown.query("variant == 'kinds'")["group"].tolist() == ["a", "b"]
    assert shown.query("variant == 'other'")["group"].tolist() == groups
    assert (
        choose_variants(table, groups[:1]).query("variant == 'other'")["group"].tolist()
        == groups[:1]
    )


def test_a_run_keeps_its_variants(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        'events = "events.csv"\nprices = "sample"\n[variants.adjusted]\nmodel = '
        '"market_adjusted"\n',
        encoding="utf-8",
    )
    done = CliRunner().invoke(main, ["run", str(tmp_path / "study.toml")])
    assert done.exit_code == 0, done.output
    folder = tmp_path / "reports" / "events"
    table = pd.read_csv(folder / "tables" / "variants.csv")
    assert table["variant"].unique().tolist() == ["main", "adjusted"]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["variants"] == {"adjusted": {"model": "market_adjusted"}}
    assert 'id="robustness"' in (folder / "report.html").read_text(encoding="utf-8")
    again = CliRunner().invoke(main, ["reproduce", str(folder)])
    assert again.exit_code == 0, again.output


def test_the_document_names_every_column(results: es.EventStudyResults) -> None:
    text = (ROOT / "docs" / "study-file.md").read_text(encoding="utf-8")
    assert all(column in text for column in results.variants.columns)
