"""What the report says of a model."""

from __future__ import annotations

import re

import pytest

from eventstudy.models import MODELS, make_model
from eventstudy.report.content.references import references
from eventstudy.report.html.methods import formula, variance_of_car


def test_formulas_are_set_without_leftovers(model_name: str) -> None:
    shown = re.sub(r"</?(?:i|sub|sup)>", "", str(formula(MODELS[model_name].formula)))
    assert not re.search(r"[_^<>]", shown)
    assert "E[Rit] = " in shown


def test_index_power_and_sum() -> None:
    assert str(formula("h_t = w + a e^2_t-1")) == (
        "<i>h</i><sub>t</sub> = w + a <i>e</i><sup>2</sup><sub>t−1</sub>"
    )
    assert str(formula("sum_j w_ij R_m,t+j >= 0")) == (
        "Σ<sub>j</sub> <i>w</i><sub>ij</sub> <i>R</i><sub>m,t+j</sub> ≥ 0"
    )
    assert str(formula("b_i MKT_t")) == "<i>b</i><sub>i</sub> <i>MKT</i><sub>t</sub>"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ff3", "includes the error of the estimated parameters"),
        ("huber", "as an approximation"),
        ("scholes_williams", "as an approximation"),
        ("garch", "sum of the variances forecast"),
        ("matched", "that of the deviations on the estimation days"),
        ("synthetic_control", "that of the deviations on the estimation days"),
    ],
)
def test_variance(name: str, said: str) -> None:
    assert said in variance_of_car(MODELS[name]())
    assert ("error of the estimated parameters" in variance_of_car(MODELS[name]())) == bool(
        MODELS[name]().parameters
    )


def test_robust_covariance_is_named() -> None:
    assert "HC3" in variance_of_car(make_model("market", cov_type="HC3"))
    assert "HC3" not in variance_of_car(make_model("market"))


def test_sources_have_full_references(model_name: str) -> None:
    source = MODELS[model_name].source
    years = set(re.findall(r"(?:19|20)\d\d", source))
    found = " ".join(str(entry) for entry in references([source]))
    assert years
    assert all(f"({year})" in found for year in years)
