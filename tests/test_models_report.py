"""What the report says of a model."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from conftest import FACTORS, Market
from pages import findings

from eventstudy.findings import Findings
from eventstudy.models import MODELS
from eventstudy.report import Terminal
from eventstudy.report.formats.latex import latex_tables
from eventstudy.report.formats.pages import markdown
from eventstudy.report.sentences.top import name_market
from eventstudy.report.tables.methods import describe_variance
from eventstudy.words import say


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("ff3", {}, "exact"),
        ("huber", {}, "approximate"),
        ("scholes_williams", {}, "approximate"),
        ("garch", {}, "forecast"),
        ("matched", {}, "no_parameters"),
        ("synthetic_control", {}, "no_parameters"),
        ("market", {"cov_type": "HC3"}, "robust"),
    ],
)
def test_variance(market: Market, name: str, options: dict[str, str], code: str) -> None:
    model = MODELS.make(name, (), **options) if options else name
    facts = findings(market.fit(model=model)).setup.model
    covariance = {"covariance": say("covariance.HC3")} if options else {}
    assert describe_variance(facts) == say(f"variance.{code}", **covariance)
    assert (code == "no_parameters") == (not MODELS[name]().parameters)


def of_files(market: Market, model: str, columns: tuple[str, ...]) -> Findings:
    """Return the findings of a model on columns of a file of factors."""
    found = findings(market.fit(model=model, factors=market.wide[list(columns)]))
    settings = {**found.setup.settings, "factors": ["../data/ff.csv"]}
    return replace(found, setup=replace(found.setup, settings=settings))


@pytest.mark.parametrize(
    ("model", "columns", "named"),
    [
        ("capm", ("mkt_rf", "rf"), "the market factor of ff.csv"),
        ("capm", ("rf",), "MKT"),
        ("factors", ("smb", "hml"), ""),
        ("matched", ("rf",), ""),
    ],
)
def test_the_market_named_is_that_of_the_model(
    market: Market, model: str, columns: tuple[str, ...], named: str
) -> None:
    assert name_market(of_files(market, model, columns)) == named


def test_no_format_names_an_index_that_the_model_does_not_use(market: Market) -> None:
    found = of_files(market, "ff3", FACTORS)
    texts = [markdown(found), Terminal(found).text(), Terminal(found).text(verbose=True)]
    texts.append(latex_tables(found)["caar"])
    for text in texts:
        words = " ".join(str(text).split())
        assert "the market factor of ff.csv" in words
        assert not re.search(r"\b([Oo]n|[Aa]gainst) MKT\b", words)
    unnamed = replace(
        found, setup=replace(found.setup, settings={**found.setup.settings, "factors": []})
    )
    assert name_market(unnamed) == say("setup.factor_given")
