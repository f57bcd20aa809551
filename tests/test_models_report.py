"""What the report says of a model."""

from __future__ import annotations

import pytest
from conftest import Market
from pages import findings

from eventstudy.models import MODELS
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
