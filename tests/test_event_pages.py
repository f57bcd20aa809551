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
from pages import CONFIG, MAIN, cells_of, loose, page, with_columns
from scipy import stats

from eventstudy.calendars.window import Window
from eventstudy.events.table import read_events
from eventstudy.report.html.event.pages import page_name, write_event_pages
from eventstudy.study import EventStudyResults
from eventstudy.utility import numbers as pvalues
from eventstudy.utility import numbers as wording

HOSTILE = [
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "x" * 5000, "../../etc/passwd",
    "شركة النفط", "华为技术", '=HYPERLINK("http://x")', "\\input{x}",
]  # fmt: skip


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Eight events on four dates that lowered the shares."""
    return Market(8, dates=4, effect=-0.04, seed=3).fit()


def written(results: EventStudyResults, folder: Path, **settings: object) -> dict[str, str]:
    """Return the pages of a study by address."""
    folder.mkdir()
    config = replace(CONFIG, **settings)
    found = write_event_pages(results, folder, config=config, name="a study")
    assert list(found) == list(dict.fromkeys(found))
    return {name: (folder / name).read_text(encoding="utf-8") for name in found.values()}


def attributes(text: str) -> set[str]:
    """Return the names of all attributes as a parser of HTML sees them."""
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.update(name for name, _ in attrs)  # type: ignore[method-assign]
    parser.feed(text)
    return found


@pytest.fixture(scope="module")
def pages(fallen: EventStudyResults, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(fallen, tmp_path_factory.mktemp("pages") / "run")


def test_a_page_has_the_numbers_of_its_event(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    text = unescape(pages["events/0004-e3.html"])
    row = fallen.car([MAIN]).iloc[3]
    law = stats.t(fallen.abnormal.df_resid[3])
    half, p = law.ppf(0.975) * row["se"], 2 * law.sf(abs(row["car"] / row["se"]))
    assert p > 0.05, "so that the interval has signs"
    low, high = (wording.percent(end, decimals=1) for end in (row["car"] - half, row["car"] + half))
    top = loose(text.partition('class="answer">')[2].partition("</p>")[0]).replace("\u00a0", " ")
    assert f": {wording.percent(row['car'], decimals=1)} (" in top
    assert f"(95% interval {low} to {high}; {pvalues.p_prose(p)})".replace("\u00a0", " ") in top
    zero = fallen.abnormal_returns().query("event_id == 'e3' and tau == 0").iloc[0]
    assert (
        f"share {wording.percent(zero['ret'])}, model {wording.percent(zero['expected'])}" in text
    )
    assert f"β = {fallen.models().iloc[3]['beta']:.2f}" in text.replace("\u00a0", " ")


def test_table_of_windows_equals_the_table_of_cars(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    table = pages["events/0004-e3.html"].partition('<table class="wt">')[2].partition("</table>")[0]
    rows = [cells_of(row) for row in re.findall(r"<tr.*?</tr>", table, re.S)[1:]]
    cars = fallen.car(CONFIG.tested).query("event_id == 'e3'")
    assert len(rows) == len(CONFIG.tested)
    for cells, (_, own), window in zip(rows, cars.iterrows(), CONFIG.tested, strict=True):
        sq = fallen.subset(np.array([3])).test("sq", window)
        assert unescape(cells[0]) == wording.percent(own["car"], unit=False)
        assert cells[1] == wording.percent(own["se"], unit=False, sign=False)
        assert unescape(cells[5]) == pvalues.pvalue(own["pvalue"])
        assert unescape(cells[6]) == pvalues.pvalue(sq.pvalue)


def test_values_of_the_figures_are_in_tables(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    text = pages["events/0004-e3.html"]
    table = text.partition('aria-label="Abnormal returns by day"')[2].partition("</table>")[0]
    rows = [cells_of(row) for row in re.findall(r"<tr>.*?</tr>", table, re.S)[1:]]
    own = fallen.abnormal_returns().query("event_id == 'e3'")
    assert [unescape(cells[3]) for cells in rows] == [
        wording.percent(ar, unit=False) for ar in own["ar"]
    ]
    assert [unescape(cells[4]) for cells in rows] == [
        wording.percent(x, unit=False) for x in own["ar"].cumsum()
    ]
    in_price, in_returns, in_scatter = 2 * 21, 2 * 11, 2
    assert text.count("<title>Day ") == in_price + in_returns + in_scatter
    assert "Index, close of day −1 = 100" in text


def test_prices_of_a_file_are_shown_as_they_are(tmp_path: Path) -> None:
    from eventstudy.study import run_study

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
    (text,) = written(results, tmp_path / "run", calendar="data").values()
    assert "<figcaption>Close" in text or "<figcaption>Adjusted close" in text
    shown = text.partition('aria-label="Prices by day"')[2].partition("</table>")[0]
    at = 160 + Window(-15, 5).days
    cells = [cells_of(row) for row in re.findall(r"<tr>.*?</tr>", shown, re.S)[1:]]
    assert [c[1] for c in cells] == [f"{close['AAA'][k]:.2f}" for k in at]
    typical = np.median(volume[160 + CONFIG.estimation.days])
    assert [c[5] for c in cells] == [f"{volume[k] / typical:.2f}" for k in at]


def test_pages_are_linked_in_the_order_of_the_table(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    names = [name.removeprefix("events/") for name in pages]
    order = np.argsort(fallen.abnormal.car(MAIN))
    assert names == [page_name(fallen, int(i)) for i in order]
    for at, text in enumerate(pages.values()):
        assert 'href="../report.html"' in text
        found = dict(re.findall(r'<a href="(\d{4}-[a-z0-9-]+\.html)" rel="(prev|next)"', text))
        wanted = {names[at - 1]: "prev"} if at else {}
        assert found == wanted | ({names[at + 1]: "next"} if at + 1 < len(names) else {})
    report = page(fallen, event_pages=dict(zip(map(int, order), pages, strict=True)))
    linked = re.findall(r'<a href="(events/[^"]+)"', report)
    assert linked == list(pages)


def test_names_of_files_are_safe_and_differ(fallen: EventStudyResults, tmp_path: Path) -> None:
    ids = [*HOSTILE[:7], HOSTILE[0].upper()]
    hostile = with_columns(fallen, event_id=ids)
    names = list(written(hostile, tmp_path / "run"))
    assert len(names) == 8
    assert all(re.fullmatch(r"events/\d{4}-[a-z0-9][a-z0-9-]{0,59}\.html", name) for name in names)
    assert sorted(p.name for p in (tmp_path / "run" / "events").iterdir()) == sorted(
        n[7:] for n in names
    )
    assert page_name(hostile, 4) == "0005-event.html"


def test_cells_are_text(fallen: EventStudyResults, tmp_path: Path) -> None:
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
    for text in written(hostile, tmp_path / "run").values():
        assert "<script" not in text
        assert "<img" not in text
        assert "<b>column" not in text
        assert not {a for a in attributes(text) if a.startswith("on") or a == "style"}
        outside = {href for href in re.findall(r'href="([^"]*)"', text) if "://" in unescape(href)}
        assert outside <= {"https://example.com/a?b=1&amp;c=2"}
        assert text.count('rel="noopener noreferrer"') == len(outside)
        assert "default-src 'none'; style-src 'sha256-" in text
        assert "script-src" not in text


def test_announcement_is_given_whole_with_what_confounds_it(
    fallen: EventStudyResults, tmp_path: Path
) -> None:
    news = ["none known"] * 4 + ["weak results; payrolls"] * 4
    told = with_columns(
        fallen, description=["a ban\non exports"] * 8, context=news,
        source_url=["https://example.com/x"] * 8, source_title=["The Paper"] * 8,
    )  # fmt: skip
    pages = written(told, tmp_path / "run")
    with_news, without = pages["events/0005-e4.html"], pages["events/0001-e0.html"]
    assert "The event list names: weak results; payrolls." in with_news
    assert "The event list names" not in without
    assert "<dd><bdi>a ban on exports</bdi></dd>" in without
    assert '<a href="https://example.com/x" rel="noopener noreferrer">' in without
    assert "<bdi>The Paper</bdi>" in without


def test_equal_inputs_give_equal_bytes(fallen: EventStudyResults, tmp_path: Path) -> None:
    assert written(fallen, tmp_path / "a") == written(fallen, tmp_path / "b")


def test_dropped_events_have_a_page_only_where_there_is_a_price(tmp_path: Path) -> None:
    market = Market(4, dates=4)
    frame = market.frame.drop(columns="F03")
    zero = frame.index.get_loc(market.table["day0"][2])
    frame.iloc[: zero - 9, 2] = np.nan
    results = market.fit(frame)
    assert results.events["status"].tolist() == ["ok", "ok", "dropped", "dropped"]
    pages = written(results, tmp_path / "run")
    assert list(pages)[2:] == ["events/0003-e2.html"]
    text = unescape(pages["events/0003-e2.html"])
    assert f"<strong>Not used:</strong> {results.events['reason'][2]}" in text
    assert "By window" not in text
    assert "Model" not in text.partition("<section")[2].partition("</section>")[0]


def test_the_number_of_pages_has_a_limit(fallen: EventStudyResults, tmp_path: Path) -> None:
    most = np.argsort(-np.abs(fallen.abnormal.car(MAIN)))[:3]
    names = {f"events/{page_name(fallen, int(i))}" for i in most}
    assert set(written(fallen, tmp_path / "three", event_pages=3)) == names
    assert written(fallen, tmp_path / "none", event_pages=0) == {}
    assert not (tmp_path / "none" / "events").exists()


@pytest.mark.parametrize("missing", [(0,), (-5, -4, -3), (1, 2, 3, 4, 5), (-1,)])
def test_missing_days_leave_gaps(missing: tuple[int, ...], tmp_path: Path) -> None:
    market = Market(1, dates=1)
    frame = market.frame.copy()
    zero = frame.index.get_loc(market.table["day0"][0])
    frame.iloc[[zero + t for t in missing], 0] = np.nan
    (text,) = written(market.fit(frame), tmp_path / "run").values()
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).lower()
    assert wording.MISSING in text
    lacks = {0, 1} & set(missing)
    assert ("<strong>No result.</strong> Over [0,\u00a01]: no price on " in text) == bool(lacks)
    assert ("95%\u00a0interval" in text.partition('class="answer">')[2].partition("</p>")[0]) == (
        not lacks
    )
    assert ("no sum from day" in text) == (-5 in missing)


@pytest.mark.parametrize("model", ["constant_mean", "market_adjusted", "dimson"])
def test_other_models_have_pages(model: str, tmp_path: Path) -> None:
    results = Market(2, dates=2).fit(model=model)
    for text in written(results, tmp_path / "run").values():
        assert results.model.label[1:] in text
        assert 'class="own half"' in text
