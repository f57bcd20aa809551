"""Event pages: their numbers, their names, and that nothing from the event list runs in them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import CONFIG, MAIN, cells_of, findings, loose, with_columns
from scipy import stats

from eventstudy.calendars.window import Window
from eventstudy.events.table import read_events
from eventstudy.findings.listed_events import page_name
from eventstudy.findings.types import Findings
from eventstudy.report.formats.pages import event_pages, list_event_pages
from eventstudy.report.sections.event_page import render_context
from eventstudy.report.sections.events import in_order
from eventstudy.studies import EventStudyResults
from eventstudy.utility import numbers

HOSTILE = [
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "x" * 5000, "../../etc/passwd",
    "شركة النفط", "华为技术", '=HYPERLINK("http://x")', "\\input{x}",
]  # fmt: skip


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Eight events on four dates that lowered the shares."""
    return Market(8, dates=4, effect=-0.04, seed=3).fit()


def written(results: EventStudyResults, **settings: object) -> dict[str, str]:
    """Return the pages of a study by address."""
    return dict(event_pages(findings(results, **{"event_pages": 99, **settings})))


def attributes(text: str) -> set[str]:
    """Return the names of all attributes as a parser of HTML sees them."""
    names: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: names.update(name for name, _ in attrs)  # type: ignore[method-assign]
    parser.feed(text)
    return names


@pytest.fixture(scope="module")
def study(fallen: EventStudyResults) -> Findings:
    return findings(fallen, event_pages=99)


@pytest.fixture(scope="module")
def pages(study: Findings) -> dict[str, str]:
    return dict(event_pages(study))


def test_a_page_has_the_numbers_of_its_event(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    text = unescape(pages["events/0004-e3.html"])
    row = fallen.car([MAIN]).iloc[3]
    law = stats.t(fallen.abnormal.df_resid[3])
    half, p = law.ppf(0.975) * row["se"], 2 * law.sf(abs(row["car"] / row["se"]))
    assert p > 0.05, "so that the interval has signs"
    ends = [numbers.percent(end, decimals=1) for end in (row["car"] - half, row["car"] + half)]
    top = loose(text.partition('class="answer">')[2].partition("</p>")[0]).replace("\u00a0", " ")
    for number in (numbers.percent(row["car"], decimals=1), *ends, numbers.p_prose(p)):
        assert number.replace("\u00a0", " ") in top
    zero = fallen.abnormal_returns().query("event_id == 'e3' and tau == 0").iloc[0]
    keys = text.partition('<dl class="keys">')[2].partition("</dl>")[0].replace("\u00a0", " ")
    for value in (zero["ret"], zero["expected"], zero["ar"], row["car"]):
        assert numbers.percent(value) in keys
    assert f"β = {fallen.models().iloc[3]['beta']:.2f}" in keys


def test_table_of_windows_equals_the_table_of_cars(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    table = pages["events/0004-e3.html"].partition('<table class="wt">')[2].partition("</table>")[0]
    rows = [cells_of(row.replace("\n", "")) for row in re.findall(r"<tr.*?</tr>", table, re.S)[1:]]
    cars = fallen.car(CONFIG.tested).query("event_id == 'e3'")
    assert len(rows) == len(CONFIG.tested)
    for cells, (_, car), window in zip(rows, cars.iterrows(), CONFIG.tested, strict=True):
        sq = fallen.subset(np.array([3])).test("sq", window)
        assert unescape(cells[0]) == numbers.percent(car["car"], unit=False)
        assert cells[1] == numbers.percent(car["se"], unit=False, sign=False)
        assert unescape(cells[5]) == numbers.pvalue(car["pvalue"])
        assert unescape(cells[6]) == numbers.pvalue(sq.pvalue)


def test_values_of_the_figures_are_in_tables(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    text = pages["events/0004-e3.html"]
    table = text.partition('aria-label="Abnormal returns by day"')[2].partition("</table>")[0]
    rows = [cells_of(row.replace("\n", "")) for row in re.findall(r"<tr>.*?</tr>", table, re.S)[1:]]
    returns = fallen.abnormal_returns().query("event_id == 'e3'")
    assert [unescape(cells[3]) for cells in rows] == [
        numbers.percent(ar, unit=False) for ar in returns["ar"]
    ]
    assert [unescape(cells[4]) for cells in rows] == [
        numbers.percent(x, unit=False) for x in returns["ar"].cumsum()
    ]
    assert text.count("<title>Day ") == 2, "tips are in the scatter alone, which has no table"


def test_prices_of_a_file_are_shown_as_they_are(tmp_path: Path) -> None:
    from eventstudy.studies import run_study

    days = pd.bdate_range("2020-01-01", periods=200)
    rng = np.random.default_rng(4)
    close = {t: 50 * np.cumprod(1 + 0.01 * rng.standard_normal(200)) for t in ("AAA", "^IDX")}
    volume = rng.integers(100, 1000, 200)
    frame = pd.concat([
        pd.DataFrame({"date": days, "ticker": t, "close": c, "volume": volume}) for t,
        c in close.items()
    ])  # fmt: skip
    frame.to_csv(tmp_path / "prices.csv", index=False)
    event = days[160].strftime("%Y-%m-%d")
    (tmp_path / "events.csv").write_text(f"ticker,announced_at,benchmark\nAAA,{event},^IDX\n")
    config = replace(CONFIG, prices=str(tmp_path / "prices.csv"), calendar="data")
    results = run_study(read_events(tmp_path / "events.csv", calendar="data"), config)
    (text,) = written(results, calendar="data").values()
    shown = text.partition('aria-label="Prices by day"')[2].partition("</table>")[0]
    at = 160 + Window(-15, 5).days
    rows = re.findall(r"<tr>.*?</tr>", shown.replace("\n", ""))[1:]
    cells = [cells_of(row) for row in rows]
    assert [c[1] for c in cells] == [f"{close['AAA'][k]:.2f}" for k in at]
    typical = np.median(volume[160 + CONFIG.estimation.days])
    assert [c[5] for c in cells] == [f"{volume[k] / typical:.2f}" for k in at]


def test_pages_are_linked_in_the_order_of_the_table(
    study: Findings, pages: dict[str, str], fallen: EventStudyResults
) -> None:
    order = [event.page for event in in_order(study)]
    assert order == [study.events[i].page for i in np.argsort(fallen.abnormal.car(MAIN))]
    names = [address.removeprefix("events/") for address in order]
    for at, address in enumerate(order):
        assert 'href="../report.html"' in pages[address]
        links = re.findall(r'<a href="(\d{4}-[a-z0-9-]+\.html)" rel="(prev|next)"', pages[address])
        wanted = {names[at - 1]: "prev"} if at else {}
        assert dict(links) == wanted | ({names[at + 1]: "next"} if at + 1 < len(names) else {})
    assert re.findall(r'<a href="(\d[^"]+)"', list_event_pages(study)) == names


def test_names_of_files_are_safe_and_differ(fallen: EventStudyResults) -> None:
    ids = [*HOSTILE[:7], HOSTILE[0].upper()]
    names = list(written(with_columns(fallen, event_id=ids)))
    assert len(set(names)) == 8
    assert all(re.fullmatch(r"events/\d{4}-[a-z0-9][a-z0-9-]{0,59}\.html", name) for name in names)
    assert page_name(ids[4], 4) == "events/0005-event.html"


def test_cells_are_text(fallen: EventStudyResults) -> None:
    urls = [
        "javascript:alert(1)",
        "https://example.com/a?b=1&c=2",
        'http://x" onclick="y',
        "",
        "ftp://x",
    ]
    hostile = with_columns(
        fallen, company=HOSTILE, event_id=HOSTILE, description=HOSTILE[::-1], context=HOSTILE,
        source_url=[*urls, "", "", ""], flags=['"><script>alert(2)</script>'] * 8,
        **{"<b>column": HOSTILE},
    )  # fmt: skip
    for text in written(hostile).values():
        assert "<script" not in text
        assert "<img" not in text
        assert "<b>column" not in text
        assert not {a for a in attributes(text) if a.startswith("on") or a == "style"}
        outside = {href for href in re.findall(r'href="([^"]*)"', text) if "://" in unescape(href)}
        assert outside <= {"https://example.com/a?b=1&amp;c=2"}
        assert text.count('rel="noopener noreferrer"') == len(outside)
        assert "default-src 'none'; style-src 'sha256-" in text
        assert "script-src" not in text


def test_announcement_is_given_with_what_confounds_it(fallen: EventStudyResults) -> None:
    news = ["none known"] * 4 + ["weak results; payrolls"] * 4
    announced = with_columns(
        fallen, description=["a ban\non exports"] * 8, context=news,
        source_url=["https://example.com/x"] * 8, source_title=["The Paper"] * 8,
    )  # fmt: skip
    study = findings(announced, event_pages=99)
    pages = [event for event in in_order(study) if event.page]
    without, with_news = (render_context(study, study.events[i], pages) for i in (0, 4))
    assert any("weak results; payrolls" in text for text in with_news["asides"])
    assert not any("none known" in text for text in without["asides"])
    texts = [text for _, text, _ in without["announcement"]]
    assert {"a ban on exports", "The Paper"} <= set(texts)
    links = [url for _, _, url in without["announcement"] if url]
    assert links == ["https://example.com/x"]


def test_equal_inputs_give_equal_bytes(fallen: EventStudyResults) -> None:
    assert written(fallen) == written(fallen)


def test_dropped_events_have_a_page_only_where_there_is_a_price() -> None:
    market = Market(4, dates=4)
    frame = market.frame.drop(columns="F03")
    zero = frame.index.get_loc(market.table["day0"][2])
    frame.iloc[: zero - 9, 2] = np.nan
    results = market.fit(frame)
    assert results.events["status"].tolist() == ["ok", "ok", "dropped", "dropped"]
    pages = written(results)
    assert list(pages)[2:] == ["events/0003-e2.html"]
    text = unescape(pages["events/0003-e2.html"])
    top = text.partition('class="answer">')[2].partition("</p>")[0]
    assert results.events["reason"][2] in top
    assert re.findall(r'<section id="(\w+)"', text) == ["price", "announcement"]
    assert 'class="band"' not in text


def test_the_number_of_pages_has_a_limit(fallen: EventStudyResults) -> None:
    most = np.argsort(-np.abs(fallen.abnormal.car(MAIN)))[:3]
    assert set(written(fallen, event_pages=3)) == {page_name(f"e{i}", i) for i in most}
    assert written(fallen, event_pages=0) == {}


@pytest.mark.parametrize("missing", [(0,), (-5, -4, -3), (1, 2, 3, 4, 5), (-1,)])
def test_missing_days_leave_gaps(missing: tuple[int, ...]) -> None:
    market = Market(1, dates=1)
    frame = market.frame.copy()
    zero = frame.index.get_loc(market.table["day0"][0])
    frame.iloc[[zero + t for t in missing], 0] = np.nan
    study = findings(market.fit(frame), event_pages=1)
    (text,) = dict(event_pages(study)).values()
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).lower()
    assert numbers.MISSING in text
    car = study.events[0].car(MAIN)
    top = text.partition('class="answer">')[2].partition("</p>")[0]
    assert bool(car.reason) == bool({0, 1} & set(missing)) == np.isnan(car.car)
    assert str(car.reason) in loose(top)
    has_line = 'class="b dot"' in text.partition('id="abnormal"')[2].partition("</figure>")[0]
    assert has_line == (-5 not in missing)


@pytest.mark.parametrize("model", ["constant_mean", "market_adjusted", "dimson"])
def test_other_models_have_pages(model: str) -> None:
    results = Market(2, dates=2).fit(model=model)
    for text in written(results).values():
        assert results.model.label[1:] in text
        assert 'class="own half"' in text
