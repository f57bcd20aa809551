"""The table of events: the numbers of the results in one order, for every format."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import MAIN, events_section, findings, with_columns

from eventstudy.findings.types import Findings
from eventstudy.report.sections.events import events_table, find_common_flags, safe_url
from eventstudy.study import EventStudyResults
from eventstudy.utility import numbers


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def study(fallen: EventStudyResults) -> Findings:
    return findings(
        with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8), by="direction"
    )


def test_rows_are_the_events_by_car(fallen: EventStudyResults, study: Findings) -> None:
    rows, cars = events_table(study).rows, fallen.car([MAIN]).sort_values("car")
    assert [row.event_id for row in rows] == cars["event_id"].tolist()
    for field in ("car", "se", "pvalue", "bhar"):
        shown = [getattr(row, field) for row in rows]
        np.testing.assert_allclose(shown, cars[field], rtol=1e-12)
    np.testing.assert_allclose([row.interval for row in rows], cars[["ci_low", "ci_high"]])
    assert [row.is_significant for row in rows] == (cars["pvalue"] < 0.05).tolist()
    paths = fallen.abnormal_returns().groupby("event_id")["ar"].sum()
    np.testing.assert_allclose([row.path[-1] for row in rows], paths[cars["event_id"]])
    models = fallen.models().set_index("event_id")
    for row in rows:
        model = models.loc[row.event_id]
        for value in (f"{model['beta']:.2f}", f"{model['r2']:.2f}", f"{model['nobs']}"):
            assert value in row.fit


def test_effects_of_the_groups_are_on_top(fallen: EventStudyResults, study: Findings) -> None:
    table = events_table(study)
    assert table.groups == ("adverse", "relief")
    for place, (row, sample) in enumerate(zip(table.means, study.groups, strict=True)):
        answer = sample.answer
        assert (row.car, row.pvalue, row.place) == (answer.effect.estimate, answer.pvalue, place)
        assert row.interval == (answer.effect.ci_low, answer.effect.ci_high)
        assert row.bhar == sample.main.bhar
        assert row.is_significant == (answer.verdict == "different")
        assert {r.place for r in table.rows if r.group == row.group} == {place}
    assert not events_table(findings(fallen.subset(np.arange(20) == 0))).means


def test_the_page_has_every_number(study: Findings) -> None:
    table, text = events_table(study), unescape(events_section(study))
    body = text.rpartition("<tbody>")[2]
    cars = re.findall(r'<td class="num c-n" data-v="([^"]*)">([^<]*)<span', body)
    assert cars == [(f"{r.car:.6g}", numbers.percent(r.car, unit=False)) for r in table.rows]
    ps = re.findall(r'<td class="num c-p" data-v="[^"]*">(.*?)</td>', body)
    assert ps == [numbers.pvalue(row.pvalue) for row in table.rows]
    tips = re.findall(r"<title>(CAR .*?)</title>", text)
    assert tips == [row.tip for row in (*table.means, *table.rows)]
    row = table.rows[0]
    for value in (numbers.percent(row.car, unit=False), numbers.span(*row.interval, unit=False)):
        assert value in row.tip
    assert len(re.findall('<td class="c-s"><svg', text)) == 22


def test_flags_about_day_zero_are_no_warnings(fallen: EventStudyResults) -> None:
    flags = ["day0_given"] * 3 + ["missing_days"] * 3 + [""] * 14
    rows = events_table(findings(with_columns(fallen, flags=flags))).rows
    tags = [tag for row in rows for tag in row.tags]
    assert tags.count(("day0 given", False)) == tags.count(("missing days", True)) == 3


def test_a_flag_of_nearly_all_events_is_said_once(fallen: EventStudyResults) -> None:
    study = findings(with_columns(fallen, flags=["missing_days"] * 17 + [""] * 3))
    assert find_common_flags(study) == {"missing_days": 17}
    assert not any(row.tags for row in events_table(study).rows)


def test_cells_of_the_events_file_are_text(fallen: EventStudyResults) -> None:
    names = [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "x" * 5000,
        "شركة",
        "华",
    ]
    urls = ["javascript:alert(1)", "https://a.com/a?b=1&c=2", 'http://x" onclick="y', "", "ftp://x"]
    hostile = with_columns(
        fallen, company=names * 4, event_id=names * 4, source_url=urls * 4,
        flags=['"><script>alert(2)</script>'] * 10 + [""] * 10,
        direction=["<b>adverse</b>"] * 12 + ["y" * 3000] * 8,
    )  # fmt: skip
    text = events_section(findings(hostile, by="direction"))
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"<[^>]*\s(on\w+|style)=", text)
    assert "<b>adverse" not in text
    assert "x" * 300 not in text
    assert "y" * 300 not in text
    links = {link for link in re.findall(r'<a href="([^"]*)"([^>]*)>', text) if "://" in link[0]}
    assert links == {("https://a.com/a?b=1&amp;c=2", ' rel="noopener noreferrer"')}


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//x", "http://a b", "nan", ""]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert safe_url(url) == ""
    assert safe_url("HTTPS://example.com/x") == "HTTPS://example.com/x"


def test_many_events_stay_small() -> None:
    text = events_section(findings(Market(160, dates=30).fit()))
    assert text.count('<td class="num c-n"') == 161
    assert len(text.encode()) < 160 * 3000


def test_the_lede_counts_what_is_significant(fallen: EventStudyResults, study: Findings) -> None:
    lede, p = events_table(study).lede.replace("\u00a0", " "), fallen.car([MAIN])["pvalue"]
    n = int((p < 0.05).sum())
    assert study.pooled.main.significant == n
    assert lede.startswith(numbers.number_word(n, capital=True))
    assert numbers.p_is(min(1.0, 20 * p.min())) in lede
    without = replace(study, tables={})
    assert "Holm" not in events_table(without).lede


def test_an_event_without_a_car_has_its_reason() -> None:
    market = Market(6, dates=6, seed=2)
    frame = market.frame.copy()
    frame.iloc[frame.index.get_loc(market.table["day0"][0]) :, 0] = np.nan
    study = findings(market.fit(frame))
    *others, last = events_table(study).rows
    assert (last.event_id, np.isnan(last.car), last.reason.code) == ("e0", True, "beyond_data")
    assert not any(row.reason for row in others)
    assert str(last.reason) in unescape(events_section(study))


def test_without_a_car_there_is_no_axis() -> None:
    market = Market(2, dates=2)
    frame = market.frame.copy()
    for i, day in enumerate(market.table["day0"]):
        frame.iloc[frame.index.get_loc(day) :, i] = np.nan
    study = findings(market.fit(frame))
    head = events_section(study).partition("<thead>")[2].partition("</thead>")[0]
    assert "<text" not in head
    assert events_table(study).ticks == ()
