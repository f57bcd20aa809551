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
from pages import CONFIG, MAIN, cells_of, findings, loose, page, with_columns
from scipy import stats

from eventstudy.calendars import Window
from eventstudy.events import read_events
from eventstudy.findings import Findings
from eventstudy.findings.event_series import price_path
from eventstudy.findings.listed_events import page_name
from eventstudy.report.formats.pages import event_pages, list_event_pages
from eventstudy.report.page.event_page import render_context
from eventstudy.report.tables.events import in_order
from eventstudy.studies import EventStudyResults, run_study
from eventstudy.words import words

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


def table_after(text: str, caption: str) -> list[list[str]]:
    """Return the cells of the rows of a table, the name of each row first."""
    body = text.partition(f"<caption>{caption}")[2].partition("</table>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr.*?</tr>", unescape(body).replace("\n", ""))
    names = [re.sub(r"<[^>]+>", "", re.findall(r"<th[^>]*>(.*?)</th>", row)[0]) for row in rows]
    return [[name, *cells_of(row)] for name, row in zip(names, rows, strict=True)]


def test_a_page_has_the_numbers_of_its_event(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    text = loose(unescape(pages["events/0004-e3.html"])).replace("\u00a0", " ")
    row = fallen.car([MAIN]).iloc[3]
    law = stats.t(fallen.abnormal.df_resid[3])
    k = fallen.abnormal.recent_variance(MAIN)[3]
    se = row["se"] * np.sqrt(k)
    half, p = law.ppf(0.975) * se, 2 * law.sf(abs(row["car"] / se))
    assert p > 0.05, "so that the interval has signs"
    ends = [words().percent(end, decimals=1) for end in (row["car"] - half, row["car"] + half)]
    lead = text.partition('<p class="lead">')[2].partition("</p>")[0]
    for number in (words().percent(row["car"], decimals=1), *ends, words().p(p)):
        assert number.replace("\u00a0", " ") in lead
    keys = text.partition('<dl class="keys">')[2].partition("</dl>")[0]
    assert words().percent(row["car"]) in keys
    beta = fallen.models().iloc[3]["beta"]
    assert f"moves {beta:.2f}% for 1% of the market" in text


def test_a_page_is_the_report_of_a_study_of_its_event_alone(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    """Headline, path and key figures, to the byte of the pictures."""
    alone = page(fallen.subset([3]))
    for start, end in (("<h1>", "</h1>"), ('<figure class="chart">', "</figure>"),
                       ('<dl class="keys">', "</dl>"), ('<figure class="strip">', "</figure>")):  # fmt: skip
        part = alone.partition(start)[2].partition(end)[0]
        # Each page names its own files.
        other = pages["events/0004-e3.html"].partition(start)[2].partition(end)[0]
        part, other = (re.sub(r'<p class="use">.*?</p>\n', "", text) for text in (part, other))
        assert part
        assert part == other


def test_table_of_windows_equals_the_table_of_cars(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    rows = table_after(pages["events/0004-e3.html"], "Windows")
    assert len(rows) == len(CONFIG.tested)
    law = stats.t(fallen.abnormal.df_resid[3])
    for (_, effect, interval, p), window in zip(rows, CONFIG.tested, strict=True):
        car = fallen.car([window]).iloc[3]
        se = car["se"] * np.sqrt(fallen.abnormal.recent_variance(window)[3])
        half = law.ppf(0.975) * se
        assert effect == words().percent(car["car"], unit=False)
        assert interval == words().span(car["car"] - half, car["car"] + half, unit=False)
        assert p == words().pvalue(2 * law.sf(abs(car["car"] / se)))


def test_values_of_the_path_are_in_a_table(
    fallen: EventStudyResults, pages: dict[str, str]
) -> None:
    rows = table_after(pages["events/0004-e3.html"], "Levels by day")
    returns = fallen.abnormal_returns().query("event_id == 'e3'")
    sums = returns["ar"].cumsum()
    gap = sums - sums[returns["tau"] == -1].item()
    assert [cells[4] for cells in rows] == [words().percent(x, unit=False) for x in gap]


DAYS = pd.bdate_range("2020-01-01", periods=260)
CLOSE = 50 * np.cumprod(1 + 0.01 * np.random.default_rng(4).standard_normal((260, 2)), axis=0)
VOLUME = np.random.default_rng(5).integers(100, 1000, 260)
DAY0 = 160


def study_of_files(folder: Path, close: np.ndarray) -> EventStudyResults:
    """Return one event of a share without a price where its close is missing."""
    for name, values in (("AAA", close), ("^IDX", CLOSE[:, 1])):
        table = pd.DataFrame({"date": DAYS, "close": values, "volume": VOLUME})
        table.dropna().to_csv(folder / f"{name}.csv", index=False)
    event = f"AAA,{DAYS[DAY0]:%Y-%m-%d},^IDX"
    (folder / "list.txt").write_text(f"ticker,announced_at,benchmark\n{event}\n")
    config = replace(CONFIG, prices=str(folder), calendar="data")
    return run_study(read_events(folder / "list.txt", calendar="data"), config)


def test_volumes_are_shown_over_the_usual_one(tmp_path: Path) -> None:
    results = study_of_files(tmp_path, CLOSE[:, 0])
    path = price_path(results, 0, MAIN)
    assert path is not None
    at = DAY0 + Window(-15, 5).days
    np.testing.assert_allclose(path.close, CLOSE[at, 0])
    typical = np.median(VOLUME[DAY0 + CONFIG.estimation.days])
    np.testing.assert_allclose(path.volume, VOLUME[at] / typical)
    (text,) = written(results, calendar="data").values()
    drawn = text.partition('<figure class="volume">')[2].partition("</svg>")[0]
    bars = re.findall(r'<rect class="(vol|bar)" x="([\d.]+)"[^>]* height="([\d.]+)"', drawn)
    bars.sort(key=lambda bar: float(bar[1]))
    assert [kind for kind, *_ in bars] == ["vol"] * 5 + ["bar"] * 2 + ["vol"] * 4
    heights = np.array([float(height) for *_, height in bars])
    np.testing.assert_allclose(heights / heights[0], VOLUME[at[-11:]] / VOLUME[at[-11]], rtol=0.01)


def test_a_suspended_share_is_drawn_to_its_first_free_price(tmp_path: Path) -> None:
    """Thirty days without a price from day 1 on, then 40 % lower."""
    close = CLOSE[:, 0].copy()
    close[DAY0 + 1 : DAY0 + 31] = np.nan
    close[DAY0 + 31 :] *= 0.6 * CLOSE[DAY0, 0] / CLOSE[DAY0 + 31, 0]
    results = study_of_files(tmp_path, close)
    (text,) = written(results, calendar="data").values()
    text = unescape(text).replace("\u00a0", " ")
    days = (DAYS[DAY0 + 31] - DAYS[DAY0]).days - 1
    head = text.partition("<h1>")[2].partition("</h1>")[0]
    assert head == f"AAA fell 40% once trading resumed, after {days} days without trading"
    assert "AAA is not in the average of the list." in text
    keys = text.partition('<dl class="keys">')[2].partition("</dl>")[0]
    assert f"{days} days" in keys
    wide = text.partition('<figure class="chart">')[2].partition("</svg>")[0]
    assert wide.count('class="range"') == 1, "one stretch without trade, in grey"
    # The market goes on: alpha and beta by least squares, compounded through the halt.
    path = findings(results, event_pages=1, calendar="data").events[0].detail.price
    share, market = (c[1:] / c[:-1] - 1 for c in (close, CLOSE[:, 1]))
    fitted = DAY0 - 1 + CONFIG.estimation.days
    beta, alpha = np.polyfit(market[fitted], share[fitted], 1)
    after = np.flatnonzero(path.days > -1)
    growth = np.cumprod(1 + alpha + beta * market[DAY0 - 1 :][: len(after)])
    np.testing.assert_allclose(path.implied[after], close[DAY0 - 1] * growth, rtol=1e-10)
    assert np.isnan(path.implied[path.days < -1]).all()
    assert words().percent(growth[31] - 1, decimals=1) in keys
    assert np.isnan(path.implied_change("1999-01-04", str(path.dates[-1])))
    assert ">Market implied</text>" in wide


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
    assert "weak results; payrolls" in " ".join(with_news["first"].caveat)
    assert "none known" not in " ".join(without["first"].caveat)
    texts = [text for _, text, _ in without["announcement"]]
    assert {"a ban on exports", "The Paper"} <= set(texts)
    links = [url for _, _, url in without["announcement"] if url]
    assert links == ["https://example.com/x"]


@pytest.mark.slow
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
    assert str(results.events["reason"][2]) in text.partition("<h1>")[2].partition("</h1>")[0]
    assert re.findall(r'<details id="(\w+)" open>', text) == ["announcement"]
    assert 'class="range"' not in text
    assert 'class="b dot"' in text


def test_the_number_of_pages_has_a_limit(fallen: EventStudyResults) -> None:
    most = np.argsort(-np.abs(fallen.abnormal.car(MAIN)))[:3]
    assert set(written(fallen, event_pages=3)) == {page_name(f"e{i}", i) for i in most}
    assert written(fallen, event_pages=0) == {}


@pytest.mark.parametrize("missing", [(0,), (-5, -4, -3), (1, 2, 3, 4, 5), (-1,), (5,)])
def test_missing_days_leave_gaps(missing: tuple[int, ...]) -> None:
    market = Market(1, dates=1)
    frame = market.frame.copy()
    zero = frame.index.get_loc(market.table["day0"][0])
    frame.iloc[[zero + t for t in missing], 0] = np.nan
    study = findings(market.fit(frame), event_pages=1)
    (text,) = dict(event_pages(study)).values()
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).lower()
    car = study.events[0].car(MAIN)
    assert bool(car.reason) == bool({0, 1} & set(missing)) == np.isnan(car.car)
    top = loose(unescape(text)).partition("<h1>")[2].partition("</header>")[0]
    assert str(car.reason).replace("\u00a0", " ") in top.replace("\u00a0", " ")
    assert ("Market implied" in text) == np.isfinite(car.car)
    assert "the gap is –" not in text


@pytest.mark.parametrize(
    ("model", "implied", "line"),
    [
        ("constant_mean", "its own average implied", "Own average"),
        ("market_adjusted", "the market implied", "Market implied"),
        ("dimson", "the market implied", "Market implied"),
    ],
)
def test_other_models_have_pages(model: str, implied: str, line: str) -> None:
    """Sentence, titles, lines and glossary name what the model sets the shares against."""
    results = Market(2, dates=2).fit(model=model)
    for text in written(results).values():
        assert f"What {implied}</h2>" in text
        assert f"shares, against what {implied}" in text
        assert f">{line}</text>" in text
        assert 'class="own half"' in text
