"""Names that are not there say which one was meant."""

from __future__ import annotations

import copy
import pickle
import re

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.words.catalogue import sentences


@pytest.fixture(scope="module")
def results() -> es.EventStudyResults:
    news = pd.DataFrame({"ticker": ["AMD", "NVDA"], "announced_at": ["2022-10-07", "2022-08-31"]})
    return es.study(news, prices="sample")


NAMES = sorted(code.partition(".")[2] for code in sentences() if code.startswith("names."))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_people_try_says_where_it_is(name: str, results: es.EventStudyResults) -> None:
    with pytest.raises(AttributeError, match=f"results have no '{name}': ") as caught:
        getattr(results, name)
    # Every name that the hint gives is there.
    hint = str(caught.value).partition(": ")[2]
    for method in re.findall(r"(?<![.\w])([a-z_]+)\(", hint):
        assert hasattr(results, method)


def test_hints_of_p_lead_to_the_p_of_the_answer() -> None:
    """And not to that of all groups together."""
    results = es.study(es.example(), prices="sample")
    with pytest.raises(AttributeError) as caught:
        results.pvalue  # type: ignore[attr-defined]  # noqa: B018
    one, several = re.findall(r"[a-z_]+\(\)[.a-z]+(?:\(\))?", str(caught.value))
    answer = results.answer()
    assert eval(f"results.{one}") == answer.pvalue
    tests = eval(f"results.{several}").set_index(["test", "start", "stop"])
    assert tests.loc[(answer.test, 0, 1), "pvalue"] == answer.pvalue
    assert results.tests((0, 1), [answer.test])["pvalue"].item() > 2 * answer.pvalue


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("to_stata", "--format dta"), ("card", "eventstudy card"), ("caveat", "answer()"),
        ("stats", "of_group().tests()"), ("robust", "es.robustness"), ("nobs", "models()"),
        ("ols", "models()"), ("long", "tidy()"), ("write", "save()"), ("CAR", "'car'"),
        ("text", ""), ("windows", ""),
    ],
)  # fmt: skip
def test_a_guess_leads_to_the_right_method_or_to_none(
    name: str, hint: str, results: es.EventStudyResults
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(results, name)
    said = str(caught.value).partition(": ")[2]
    assert hint in said
    assert bool(hint) == bool(said)


def test_a_path_for_a_latex_table_says_how_to_write_it(results: es.EventStudyResults) -> None:
    with pytest.raises(es.EventStudyError, match=r"\.write_text\(results\.to_latex"):
        results.to_latex("table.tex")


def test_a_slip_proposes_the_nearest_name(results: es.EventStudyResults) -> None:
    with pytest.raises(AttributeError, match="did you mean 'plot_path'"):
        results.plot_pth  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"results have no 'zzz'$"):
        results.zzz  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(results, "zzz")


def test_results_can_still_be_copied_and_pickled(results: es.EventStudyResults) -> None:
    assert copy.copy(results).answer().pvalue == results.answer().pvalue
    with pytest.raises(AttributeError):
        results.__nothing__  # type: ignore[attr-defined]  # noqa: B018
    frame = pickle.loads(pickle.dumps(results.car((0, 1))))
    assert frame.equals(results.car((0, 1)))


@pytest.mark.parametrize("name", ["run", "plot", "read_csv", "event_study", "Study", "tests"])
def test_a_name_of_the_package_says_where_it_is(name: str) -> None:
    with pytest.raises(AttributeError, match=f"eventstudy has no '{name}': ") as caught:
        getattr(es, name)
    hint = str(caught.value).partition(": ")[2]
    for function, method in re.findall(r"(?<![.\w])([a-z_]+)\([^)]*\)(?:\.([a-z_]+))?", hint):
        assert hasattr(es.EventStudyResults if method else es, method or function)


def test_other_names_of_the_package_are_told_plainly() -> None:
    with pytest.raises(AttributeError, match=r"eventstudy has no 'zzz'$"):
        es.zzz  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(es, "zzz")
