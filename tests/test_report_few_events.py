"""Two to four events have a verdict, and every surface gives the same one with its caveat."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, findings, page

from eventstudy.findings import FinishedRun
from eventstudy.report import Terminal
from eventstudy.report.formats.latex import latex_tables
from eventstudy.report.formats.terminal import p_text
from eventstudy.report.sentences.caveats import second_sentence
from eventstudy.runs.index import render_index
from eventstudy.studies import EventStudyResults
from eventstudy.words import words


@pytest.fixture(scope="module", params=[2, 3, 4])
def few(request: pytest.FixtureRequest) -> EventStudyResults:
    """The first events of a study with an effect that twenty show."""
    fallen = Market(20, dates=7, effect=-0.06, seed=3).fit()
    return fallen.subset(np.arange(len(fallen)) < request.param)


@pytest.mark.slow
def test_a_band_of_all_days_needs_clusters_of_dates(few: EventStudyResults) -> None:
    assert "all days at once" not in unescape(page(few))
    market = Market(20, days=420, seed=3)
    market.table["day0"] = market.frame.index[150 + 13 * np.arange(20)]
    assert "all days at once" in unescape(page(market.fit()))


@pytest.mark.slow
def test_every_output_of_a_run_has_the_same_answer(few: EventStudyResults, tmp_path: Path) -> None:
    folder = few.save(tmp_path, "run", config=replace(CONFIG, event_pages=0))
    decided, shown = few.answer(MAIN), words().pvalue(few.answer(MAIN).pvalue)
    (listed,) = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["answers"]
    assert (listed["verdict"], listed["test"], listed["pvalue"]) == (
        "different",
        "patell_kp_regime",
        decided.pvalue,
    )
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))["answer"]["pooled"]
    assert document["overturn"]["variance_multiple"] == decided.overturn.variance_multiple
    assert len(document["overturn"]["leave_one_out"]) == len(few)
    around = few.abnormal.sar[:, [0, 1, 2, 3, 4, 7, 8, 9, 10]] ** 2
    assert decided.overturn.firm_variance == pytest.approx(around.mean())
    swing = f"these shares swung {np.sqrt(around.mean()):.1f} times as much as usual."
    assert swing in (folder / "report.md").read_text(encoding="utf-8")
    row = re.search(r"\[0, \+1\] +main .*", str(Terminal(findings(few)).text(verbose=True)))[0]  # type: ignore[index]
    assert p_text(decided.pvalue) in row.split()
    assert f"{100 * decided.effect.estimate:+.2f}%" in row
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    caveat = second_sentence(findings(few))
    assert caveat.replace("\N{NO-BREAK SPACE}", " ") in markdown
    # Where the events differ so much that chance could do it, the deck says so.
    assert ("Judged by how far" in caveat) == (decided.overturn.spread_pvalue >= 0.05)
    assert "Patell-KP" in latex_tables(FinishedRun.read(folder).findings)["caar"]
    index = render_index(tmp_path)
    assert shown in unescape(index)
    assert "Patell-KP" in index
