"""The methods say what was done under the settings of the study, with full references."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import findings

from eventstudy.abnormal import Conventions
from eventstudy.calendars import Window
from eventstudy.events import events_from_frame
from eventstudy.fitting.found_news import with_confounders
from eventstudy.models import MODELS
from eventstudy.report.tables.methods import (
    Methods,
    describe_choices,
    describe_law,
    explain_missing_days,
    methods,
)
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import Reason, say


def under(
    market: Market, frame: pd.DataFrame | None = None, model: str = "market", **conventions: Any
) -> EventStudyResults:
    return market.fit(frame, model, conventions=Conventions(**conventions))


def cited(section: Methods) -> set[str]:
    return {reference.key for reference in section.references}


def text_of(section: Methods) -> str:
    return "\n".join(paragraph.text for paragraph in section.paragraphs)


@pytest.mark.slow
def test_the_sum_of_standardised_returns_is_not_called_the_exact_one(market: Market) -> None:
    summed, usual = (
        methods(findings(under(market, scar=scar), scar=scar)) for scar in ("sum", "exact")
    )
    formulas = [[p.text for p in m.paragraphs if p.is_formula] for m in (summed, usual)]
    assert [say("methods.var_car_sum") in formulas[0], say("methods.var_car_exact") in formulas[1]]
    assert say("methods.scar_sum") in text_of(summed)
    assert say("methods.scar_sum") not in text_of(usual)
    assert "patell1976" in cited(summed)


@pytest.mark.parametrize("rule", ["drop", "rescale", "zero"])
def test_days_that_are_lacking(market: Market, rule: Any) -> None:
    study = findings(under(market, missing=rule), missing=rule)
    assert explain_missing_days(study) == say(f"practice.missing_{rule}", datum="return")
    assert explain_missing_days(study) in text_of(methods(study))


@pytest.mark.slow
def test_several_events_of_a_firm() -> None:
    market = Market(8, dates=8)
    market.table["ticker"] = [*market.tickers[:4], *market.tickers[:4]]
    masked = market.fit()
    n = int(masked.events["flags"].str.contains("masked_days").sum())
    assert describe_choices(findings(masked)) == [say("practice.masked", n=n)]
    first = market.fit(repeat="first")
    lost = int((~first.ok).sum())
    assert lost > 0
    assert describe_choices(findings(first, repeat="first"))[0] == say("practice.first", n=lost)
    kept = findings(market.fit(repeat="keep-all"), repeat="keep-all")
    assert describe_choices(kept) == [say("practice.keep_all")]


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
    ("settings", "codes"),
    [
        ({}, ["limits_extend"]),
        ({"limits": "drop"}, ["limits_drop"]),
        ({"limits": "none"}, ["limits_none"]),
        ({"halt": "shift", "fpc": True}, ["shift", "halt_drift", "limits_extend", "fpc"]),
    ],
)
def test_halts_limits_and_ranks(settings: dict[str, Any], codes: list[str]) -> None:
    market, panel = halted_and_at_limits()
    conventions = Conventions(**{k: v for k, v in settings.items() if k != "halt"})
    fitted = EventStudy(
        events_from_frame(market.table, calendar="data"), panel, estimation=(-120, -11),
        event=(-5, 5), conventions=conventions, halt=settings.get("halt", "calendar"),
    ).fit()  # fmt: skip
    said = describe_choices(findings(fitted, **settings))
    said_of = {"halt_drift": 5}
    assert said == [say(f"practice.{code}", n=said_of.get(code, 1)) for code in codes]


def test_what_did_not_come_to_bear_is_not_told(market: Market) -> None:
    assert describe_choices(findings(market.fit())) == []


@pytest.mark.slow
def test_other_news(market: Market) -> None:
    results, news = market.fit(), np.array(["strike", *[""] * 11], dtype=object)
    near = say("practice.near", n=1, window=Window(0, 1))
    flagged = describe_choices(findings(with_confounders(results, news)))
    assert flagged == [say("practice.confounded_flagged", near=near, n=1)]
    study = EventStudy(
        events_from_frame(market.table, calendar="data"), ReturnsPanel.from_frame(market.frame),
        estimation=(-120, -11), event=(-5, 5),
        left_out=[Reason("confounded", news=text) if text else "" for text in news],
    )  # fmt: skip
    dropped = findings(with_confounders(study.fit(), news), drop_confounded=True)
    assert describe_choices(dropped) == [say("practice.confounded_dropped", near=near, n=1)]
    assert [(reason.code, n) for reason, n in dropped.dropped] == [("confounded", 1)]


@pytest.mark.parametrize(
    ("cov", "source"), [("HC3", "mackinnon1985"), ("HC0", "white1980"), ("date", "bell2002")]
)
def test_regressions_have_their_sources(cov: str, source: str) -> None:
    market = Market(24, dates=12)
    market.table["size"] = np.linspace(1, 2, 24).round(3).astype(str)
    section = methods(findings(market.fit(), regress=("size",), regress_cov=cov))
    assert source in cited(section)


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        ("market", {}, "exact"),
        ("market_adjusted", {}, "exact"),
        ("theil_sen", {}, "approximate"),
        ("huber", {}, "approximate"),
        ("scholes_williams", {}, "approximate"),
        ("market", {"cov_type": "HC3"}, "approximate"),
    ],
)
def test_the_law_of_one_event(
    market: Market, model: str, options: dict[str, Any], kind: str
) -> None:
    one = market.fit(model=MODELS.make(model, (), **options)).subset(np.arange(12) == 0)
    study = findings(one)
    law, letters = describe_law(study)
    assert law == ("t(M − 1)" if model == "market_adjusted" else "t(M − k)")
    facts = {"kind": say(f"law.{kind}"), "law": law, "letters": letters}
    section = methods(study)
    assert say("methods.single", **facts) in text_of(section)
    assert study.setup.model.freedom_lost == ((1,) if model == "market_adjusted" else (2,))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "options", "conventions"),
    [
        ("market", {"regress": ("size",), "calibrate": 40, "by": "side"}, {}),
        ("market", {"regress": ("size",), "regress_cov": "date", "scar": "sum"}, {"scar": "sum"}),
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
    study = findings(under(market, model=model, **conventions), **options)
    section = methods(study)
    sources = "\n".join(STATISTICS[name].source for name in study.sample.shown)
    named = re.findall(r"([A-Z]\w+) (?:\((\d{4})[),]|(\d{4})[;)])", text_of(section) + sources)
    authors = "\n".join(r.authors.replace("ö", "o") for r in section.references)
    assert len(named) > 3
    for surname, year, other in named:
        assert re.search(rf"{surname}[^\n]*\({year or other}\)", authors), (surname, year or other)
