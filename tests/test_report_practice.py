"""The paragraph on methods says what was done under the settings of the study, with full
references."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import CONFIG, section

from eventstudy.abnormal.conventions import Conventions
from eventstudy.events.table import events_from_frame
from eventstudy.fitting.confounding import reasons_of, with_confounders
from eventstudy.fitting.fitted import group_column
from eventstudy.report.content.conventions_text import law_of
from eventstudy.report.content.finished_run import finished
from eventstudy.report.content.tables import study_tables
from eventstudy.report.html.page import render_report
from eventstudy.returns import ReturnsPanel
from eventstudy.study import EventStudy, EventStudyResults

EXACT = "CAR</i><sub>i</sub> / √Var(<i>CAR"


def told(results: EventStudyResults, **settings: Any) -> tuple[str, str]:
    """Return the section on methods as HTML, and the paragraphs and references of the other
    reports."""
    config = CONFIG.with_options({"event_pages": 0, **settings})
    column = group_column(results, config.by)
    groups, tables = results.groups(column) if column else {}, study_tables(results, config)
    html = render_report(
        results, config=config, name="x", groups=groups, provenance={}, tables=tables
    )  # fmt: skip
    text = finished(results, config=config).document["text"]
    return unescape(section(html, "methods")), "\n".join([*text["methods"], *text["references"]])


def both(said: tuple[str, str], *parts: str) -> None:
    for part in parts:
        assert part in said[0], part
        assert part in said[1], part


def under(
    market: Market, frame: pd.DataFrame | None = None, model: str = "market", **own: Any
) -> Any:
    return market.fit(frame, model, conventions=Conventions(**own))


def test_the_sum_of_standardised_returns_is_not_called_the_exact_one(market: Market) -> None:
    summed = told(under(market, scar="sum"), scar="sum")
    both(summed, "over the root of their number (Patell 1976)", "Patell, J. M. (1976)")
    assert EXACT not in summed[0]
    usual = told(market.fit())
    assert EXACT in usual[0]
    both(usual, "An event without all days of a window is left out of that window")


@pytest.mark.parametrize(
    ("rule", "said"),
    [("rescale", "times the days of the window over these"), ("zero", "as if nothing abnormal")],
)
def test_days_that_are_lacking(market: Market, rule: Any, said: str) -> None:
    found = told(under(market, missing=rule), missing=rule)
    both(found, said)
    assert "An event without all days" not in "".join(found)


def test_several_events_of_a_firm() -> None:
    market = Market(8, dates=8)
    market.table["ticker"] = [*market.tickers[:4], *market.tickers[:4]]
    both(
        told(market.fit()), "within the event window of another event of the same firm are left out"
    )
    first = market.fit(repeat="first")
    lost = int((~first.ok).sum())
    assert lost > 0
    both(told(first, repeat="first"), f"the first is kept ({lost} left out)")
    both(told(market.fit(repeat="keep-all"), repeat="keep-all"), "neither left out nor masked")


def halted_and_at_limits() -> tuple[Market, ReturnsPanel]:
    """Return twelve events; the first trades on day +2 again, the second closes day +1 at its
    limit."""
    market = Market()
    panel = ReturnsPanel.from_frame(market.frame)
    values, spans, codes = (
        panel.values.copy(),
        panel.spans.copy(),
        np.zeros(panel.values.shape, np.int64),
    )
    at = market.frame.index.get_indexer(market.table["day0"])
    values[0, at[0] : at[0] + 2], spans[0, at[0] : at[0] + 2], spans[0, at[0] + 2] = np.nan, 0, 3
    codes[1, at[1] + 1] = -1
    return market, replace(panel, values=values, spans=spans, limits=codes)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (
            {},
            [
                (
                    "runs on to the first close off it, as one compounded return (1 event in some "
                    "window)"
                )
            ],
        ),
        ({"limits": "drop"}, ["An event leaves a window that closes at a price limit (1 event)"]),
        ({"limits": "none"}, ["Closes at a price limit (1 event) are taken as any other price"]),
        (
            {"halt": "shift", "fpc": True},
            ["the clock of its event", "it on (1 event)", "√((T − L) / (T − 1))"],
        ),
    ],
)
def test_halts_limits_and_ranks(settings: dict[str, Any], parts: list[str]) -> None:
    market, panel = halted_and_at_limits()
    events = events_from_frame(market.table, calendar="data")
    own = dict(settings)
    study: dict[str, Any] = {"halt": own.pop("halt")} if "halt" in own else {}
    study |= {"estimation": (-120, -11), "event": (-5, 5), "conventions": Conventions(**own)}
    both(told(EventStudy(events, panel, **study).fit(), **settings), *parts)


def test_what_did_not_come_to_bear_is_not_told(market: Market) -> None:
    plain = "".join(told(market.fit()))
    for absent in (
        "clock of its event",
        "√((T − L)",
        "other news",
        "price limit",
        "same firm",
        "Placebo",
    ):
        assert absent not in plain


def test_other_news(market: Market) -> None:
    results, news = market.fit(), np.array(["strike", *[""] * 11], dtype=object)
    kept = with_confounders(results, news)
    both(
        told(kept),
        "Events with other news (within 1 session of [0,\u00a01]",
        "flagged and kept (1)",
    )
    study = EventStudy(
        events_from_frame(market.table, calendar="data"), ReturnsPanel.from_frame(market.frame),
        estimation=(-120, -11), event=(-5, 5), left_out=reasons_of(news),
    )  # fmt: skip
    left = with_confounders(study.fit(), news)
    both(told(left, drop_confounded=True), "or named by the list of events) are left out (1)")


@pytest.mark.parametrize(
    ("cov", "cited"),
    [
        ("HC3", "MacKinnon, J. G. and White, H. (1985)"),
        ("HC0", "White, H. (1980)"),
        ("date", "Bell, R. M."),
    ],
)
def test_regressions_and_placebos_have_their_sources(cov: str, cited: str) -> None:
    market = Market(24, dates=12)
    market.table["size"] = np.linspace(1, 2, 24).round(3).astype(str)
    found = told(market.fit(), regress=["size"], regress_cov=cov, placebo=40)
    both(
        found,
        "regressed on size by least squares",
        cited,
        "Bertrand, M., Duflo, E. and Mullainathan, S. (2004)",
    )


@pytest.mark.parametrize(
    ("model", "options", "law"),
    [
        ("market", {}, "exact under normality: ± its standard error times the quantile of t(M − k)"),
        ("market_adjusted", {}, ("exact under normality: ± its standard error times the quantile "
            "of t(M − 1)")),
        ("theil_sen", {}, "approximate"), ("huber", {}, "approximate"),
        ("scholes_williams", {}, "approximate"),
        ("market", {"cov_type": "HC3"}, "approximate"),
    ],
)  # fmt: skip
def test_the_law_of_one_event(
    market: Market, model: str, options: dict[str, Any], law: str
) -> None:
    from eventstudy.models import make_model

    one = market.fit(model=make_model(model, (), **options)).subset(np.arange(12) == 0)
    found = told(one)
    both(found, f"The 95% interval of a single CAR is {law}")
    if law == "approximate":
        assert "exact" not in "".join(found)
    assert law_of(one).startswith("t(M − 1)" if model == "market_adjusted" else "t(M − k)")
    assert int(one.abnormal.nobs[0] - one.abnormal.df_resid[0]) == (
        1 if model == "market_adjusted" else 2
    )


@pytest.mark.parametrize(
    ("model", "options", "conventions"),
    [
        ("market", {"regress": ["size"], "placebo": 40, "by": "side"}, {}),
        ("market", {"regress": ["size"], "regress_cov": "date", "scar": "sum"}, {"scar": "sum"}),
        ("constant_mean", {"missing": "zero"}, {"missing": "zero"}), ("ff3", {}, {}),
        ("theil_sen", {}, {}),
    ],
)  # fmt: skip
def test_whoever_is_named_is_in_the_list(
    model: str, options: dict[str, Any], conventions: dict[str, Any]
) -> None:
    """By a pattern of its own: each surname directly before a year, or before "and" and another
    name."""
    market = Market(24, dates=8, rho=0.2)
    market.table["size"] = np.linspace(1, 2, 24).round(3).astype(str)
    market.table["side"] = ["a", "b"] * 12
    results = under(market, model=model, **conventions)
    for text in told(results, **options):
        body, listed = (
            (text.partition('<ol class="refs">')[0], text.partition('<ol class="refs">')[2])
            if "<ol" in text
            else (text.partition("All p-values")[0], text.partition("All p-values")[2])
        )
        plain = re.sub(r"<[^>]+>", " ", body)
        named = re.findall(r"([A-Z]\w+) (?:\((\d{4})[),]|(\d{4})[;)])", plain)
        assert len(named) > 3
        for surname, one, other in named:
            year = one or other
            assert re.search(rf"{surname}[^\n<]*\({year}\)", listed.replace("ö", "o")), (
                surname,
                year,
            )
