"""The page to explore: all that it needs is in it, its numbers are those of the tables, cells stay
text."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, with_columns

from eventstudy.errors import ConfigError
from eventstudy.findings.finished_run import FinishedRun, finish_run
from eventstudy.report.formats.formats import export_file
from eventstudy.report.formats.interactive import interactive_page

HOSTILE = ["</script><script>alert(1)</script>", "<b>x</b>", "var(--blue)", "شركة النفط", "华为"]


@pytest.fixture(scope="module")
def run() -> FinishedRun:
    """Twenty events in two groups with cells that try to break the page; one lacks a day of [0,
    1]."""
    market = Market(20, dates=7, effect=-0.04, seed=3)
    frame = market.frame.copy()
    frame.loc[market.table["day0"][0], "F00"] = np.nan
    results = with_columns(
        market.fit(frame), company=HOSTILE * 4, direction=["<i>a</i>"] * 12 + ["b"] * 8
    )
    return finish_run(results, config=CONFIG, name="<script>alert(0)</script>")


@pytest.fixture(scope="module")
def page(run: FinishedRun) -> str:
    return interactive_page(run.findings)


def data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def test_every_event_with_the_window_is_in_its_forest(run: FinishedRun, page: str) -> None:
    shown = data(page)["forest"]
    windows = run.tables["car"][["start", "stop"]].drop_duplicates().to_numpy().tolist()
    assert len(shown) == len(windows)
    for (start, stop), forest in zip(windows, shown, strict=True):
        car = run.tables["car"]
        car = car[(car["start"] == start) & (car["stop"] == stop) & car["car"].notna()]
        drawn = [t for t in forest["traces"] if "error_x" in t]
        marks = sorted((y, x, e) for t in drawn for y, x, e in zip(
            t["y"], t["x"], t["error_x"]["array"], strict=True))  # fmt: skip
        assert len(forest["labels"]) == len(marks) == len(car)
        by_car = car.sort_values("car")
        np.testing.assert_allclose([x for _, x, _ in marks], 100 * by_car["car"], atol=1e-6)
        np.testing.assert_allclose([x - e for _, x, e in marks], 100 * by_car["ci_low"], atol=2e-6)
    main = next(i for i, w in enumerate(windows) if w == [0, 1])
    assert len(shown[main]["labels"]) == 19


def test_groups_are_told_apart_by_colour_and_symbol() -> None:
    results = with_columns(
        Market(40, dates=9, seed=3).fit(), sector=[f"s{i % 10}" for i in range(40)]
    )
    run = finish_run(results, config=replace(CONFIG, by="sector"))
    made = interactive_page(run.findings)
    means = [t for t in data(made)["paths"] if "mean of" in t.get("name", "")]
    keys = [t for t in data(made)["forest"][0]["traces"] if t["x"] == [None]]
    for looks in (
        [(t["line"]["color"], t["marker"]["symbol"]) for t in means],
        [(t["marker"]["color"], t["marker"]["symbol"]) for t in keys],
    ):
        assert len(set(looks)) == 10
        assert (
            len({color for color, _ in looks[:8]}) == len({symbol for _, symbol in looks[:8]}) == 8
        )
    for color in {t["line"]["color"][6:-1] for t in means} - {"blue", "orange", "ink"}:
        assert made.count(f"--{color}:#") == 2


def test_keys_of_groups_are_filled_and_alone_in_the_legend(page: str) -> None:
    for forest in data(page)["forest"]:
        keys, drawn = forest["traces"][::2], forest["traces"][1::2]
        assert [t["name"] for t in keys] == ["&lt;i&gt;a&lt;/i&gt;", "b"]
        assert [t["marker"]["symbol"] for t in keys] == ["circle", "square"]
        assert not any(t["showlegend"] for t in drawn)
        assert [t["legendgroup"] for t in keys] == [t["legendgroup"] for t in drawn]


def test_links_lead_into_the_run_from_wherever_the_page_is(
    run: FinishedRun, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "a b"
    folder.mkdir(parents=True)
    kept = replace(run, folder=folder)
    homes = {
        folder.parent / "p.html": "a%20b/",
        folder / "p.html": "",
        tmp_path / "p.html": "runs/a%20b/",
    }
    for path, home in homes.items():
        export_file(kept, "interactive", path)
        links = re.findall(
            r'<a href="([^"]*)"', path.read_text(encoding="utf-8").partition("<script")[0]
        )
        names = (
            "report.html",
            "tables/path_by_group.csv",
            "tables/abnormal_returns.csv",
            "tables/car.csv",
        )
        assert links == [home + name for name in names]


def test_paths_are_those_of_the_tables(run: FinishedRun, page: str) -> None:
    traces = data(page)["paths"]
    means = [t for t in traces if "mean of" in t.get("name", "")]
    # One of the first group lacks day 0: all 12 enter before it, and 11 from there on.
    assert [t["name"].partition(" (")[2] for t in means] == ["mean of 11 to 12)", "mean of 8)"]
    table = run.tables["path_by_group"]
    caar = table[table["direction"] == "b"]["caar"]
    np.testing.assert_allclose(means[1]["y"], 100 * caar, atol=1e-6)
    single = next(t for t in traces if t.get("name") == "b: single events")
    gaps = [v is None for v in single["x"]]
    assert sum(gaps) == 8
    ar = run.tables["abnormal_returns"]
    last = ar[ar["event_id"] == "e19"]["ar"].sum()
    assert single["y"][-2] == pytest.approx(100 * last, abs=1e-6)


def test_bands_stand_where_the_report_has_them() -> None:
    market = Market(7, dates=7, seed=3)
    few = with_columns(market.fit(), direction=["a"] * 3 + ["b"] * 4)
    made = data(interactive_page(few.findings(config=replace(CONFIG, by="direction"), name="few")))
    bands = [t for t in made["paths"] if t.get("hoverinfo") == "skip"]
    assert bands
    assert not any(v is not None for t in bands for v in t["y"])
    one = data(interactive_page(Market(1, dates=1).fit().findings(config=CONFIG, name="one")))
    assert all(v is not None for v in one["paths"][0]["y"]), "the exact interval of the event"
    assert one["paths"][2]["name"] == "all events"


def test_the_script_names_the_pictures_and_knows_of_one_event(page: str) -> None:
    own = page.rpartition("<script>")[2]
    assert 'setAttribute("role", "img")' in own
    assert 'event${rows === 1 ? " has" : "s have"}' in own
    assert 'data-unit="%"' in page
    assert "&quot;" not in json.dumps(data(page))


def test_cells_are_text_and_nothing_is_asked_of_a_network(page: str) -> None:
    assert re.findall(r"<script[^>]*>", page.replace(_library(), "")) == [
        '<script type="application/json" id="data">', "<script>", "<script>",
    ]  # fmt: skip
    names = json.dumps(data(page), ensure_ascii=False)
    assert "<b>x" not in names
    assert "&lt;b&gt;x" in names
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"script-src[^;]*unsafe|connect-src|https?:", policy)


def _library() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def test_equal_runs_have_equal_bytes(run: FinishedRun, page: str) -> None:
    assert interactive_page(run.findings) == page


def test_a_missing_extra_is_one_clear_error(
    run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(ConfigError, match=r"pip install .*\[interactive\]"):
        interactive_page(run.findings)


def test_a_run_holds_the_page_if_asked(tmp_path: Path) -> None:
    from dataclasses import replace

    from eventstudy.runs import write_run

    results = Market(6).fit()
    config = replace(CONFIG, event_pages=0)
    plain = write_run(results, tmp_path, "plain", config=config)
    asked = write_run(results, tmp_path, "asked", config=replace(config, interactive=True))
    assert not (plain / "report-interactive.html").exists()
    assert "all events (mean of 6)" in (asked / "report-interactive.html").read_text(
        encoding="utf-8"
    )
