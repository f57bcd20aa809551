"""CARs by a formula, against reference numbers, statsmodels, and sums by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import Market
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from run_folders import Project
from test_cli import invoke
from test_cross_section import HERE, brute_cr2, large_results, with_columns

from eventstudy.analysis import CarRegression
from eventstudy.analysis.cross_section.explain import columns_of
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.studies import EventStudyResults
from eventstudy.words import say

CLOSE: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-13}
DAY01 = Window(0, 1)


@pytest.fixture(scope="module")
def large() -> EventStudyResults:
    return large_results()


@pytest.fixture(scope="module")
def study() -> EventStudyResults:
    """Sixty events of three sectors, four countries and two directions, with sizes."""
    rng, n = np.random.default_rng(3), 60
    return with_columns(
        Market(n, dates=20, seed=3).fit(engine="batch"),
        sector=rng.choice(["banks", "tech", "oil"], n),
        country=rng.choice(["CN", "DE", "HK", "US"], n),
        direction=np.where(np.arange(n) % 3, "adverse", "relief"),
        size=np.round(rng.lognormal(2, 1, n), 3).astype(str),
        leverage=np.round(rng.uniform(0, 1, n), 3).astype(str),
    )


def one(explained: Any) -> CarRegression:
    assert isinstance(explained, CarRegression)
    return explained


@pytest.mark.parametrize(
    ("options", "part", "key"),
    [
        ({"cov": "nonrobust"}, "ols", "se_ols"),
        ({"cov": "HC0"}, "ols", "se_hc0"),
        ({"cov": "HC1"}, "ols", "se_hc1"),
        ({}, "ols", "se_hc3"),
        ({"cluster": "date", "se": "CR1"}, "ols", "se_cluster"),
        ({"weights": "precision", "cov": "nonrobust"}, "wls", "se_scaled"),
    ],
)
def test_the_large_example(
    large: EventStudyResults, options: dict[str, Any], part: str, key: str
) -> None:
    reference = json.loads((HERE / "large_example.json").read_text(encoding="utf-8"))
    numbers = reference["cross_section_CAR[0,1]"][part]
    own = one(large.explain("x1 + x2", (0, 1), **options))
    assert own.params.index.tolist() == ["const", "x1", "x2"]
    assert_allclose(own.params, numbers["b"], rtol=1e-9)
    assert_allclose(own.by(own.compared)["se"], numbers[key], rtol=1e-9)


def by_hand(study: EventStudyResults) -> tuple[np.ndarray, np.ndarray]:
    """Return regressors of ``size + C(sector) + direction:leverage``, column by column."""
    cells = study.events
    size, leverage = cells["size"].astype(float), cells["leverage"].astype(float)
    dummies = [cells["sector"] == "oil", cells["sector"] == "tech"]
    crossed = [(cells["direction"] == name) * leverage for name in ("adverse", "relief")]
    X = np.column_stack([np.ones(len(cells)), *dummies, size, *crossed]).astype(float)
    return X, study.abnormal.car(DAY01)


FORMULA = "size + C(sector) + direction:leverage"
TERMS = ["const", "C(sector)[T.oil]", "C(sector)[T.tech]", "size",
         "direction[adverse]:leverage", "direction[relief]:leverage"]  # fmt: skip


def test_a_formula_is_the_regression_on_its_columns(study: EventStudyResults) -> None:
    X, y = by_hand(study)
    own = one(study.explain(FORMULA))
    assert own.params.index.tolist() == TERMS
    fit = sm.OLS(y, X).fit(cov_type="HC3", use_t=True)
    assert_allclose(own.params, fit.params, **CLOSE)
    beside = own.by("HC3")
    assert_allclose(beside["se"], fit.bse, **CLOSE)
    assert_allclose(beside["pvalue"], fit.pvalues, **CLOSE)
    assert_allclose(beside[["ci_low", "ci_high"]], fit.conf_int(), **CLOSE)
    weights = 1 / study.abnormal.var_car(DAY01)
    heavy = one(study.explain(FORMULA, weights="precision"))
    weighted = sm.WLS(y, X, weights).fit(cov_type="HC3", use_t=True)
    assert_allclose(heavy.by("HC3")["se"], weighted.bse, **CLOSE)


# Of pyfixest 0.60.0: feols(FORMULA, vcov={"CRV1": ...}, ssc=ssc(G_df="conventional")) on these events.
PYFIXEST = {
    "country+day0": [0.013798475836643372, 0.0035595413371404135, 0.021251927457290657,
                     0.0003993616856016878, 0.020274918414773583, 0.0320276927773665],
    "day0": [0.013875350499883718, 0.010807822968839335, 0.015261040260512452,
             0.0003428402543566393, 0.019470049073075597, 0.024298571180928596],
}  # fmt: skip


def test_clusters_of_any_column(study: EventStudyResults) -> None:
    X, y = by_hand(study)
    codes = pd.factorize(study.events["ticker"].str[-1])[0]
    named = with_columns(study, last=study.events["ticker"].str[-1].map("x{}".format))
    own = one(named.explain(FORMULA, cluster="last"))
    e = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    se, df = brute_cr2(X, e, codes)
    assert own.compared == "CR2 by last"
    assert_allclose(own.by(own.compared)["se"], se, rtol=1e-8)
    assert_allclose(own.by(own.compared)["df"], df, rtol=1e-8)


def test_two_clusters_are_the_sum_of_the_variances_less_that_of_both(
    study: EventStudyResults,
) -> None:
    X, y = by_hand(study)
    fit = sm.OLS(y, X).fit()
    bread, scores = np.linalg.inv(X.T @ X), X * np.asarray(fit.resid)[:, None]
    groups = [study.events[name].astype(str) for name in ("country", "day0")]

    def meat(codes: np.ndarray) -> np.ndarray:
        sums = pd.DataFrame(scores).groupby(codes).sum().to_numpy()
        G, (N, k) = len(sums), X.shape
        return G / (G - 1) * (N - 1) / (N - k) * sums.T @ sums

    a, b, both = (pd.factorize(cells)[0] for cells in (*groups, groups[0] + groups[1]))
    V = bread @ (meat(a) + meat(b) - meat(both)) @ bread
    own = one(study.explain(FORMULA, cluster=["country", "day0"]))
    assert own.compared == "CR1 by country and day0"
    assert_allclose(own.by(own.compared)["se"], np.sqrt(np.diag(V)), **CLOSE)
    assert_allclose(own.by(own.compared)["df"], 3)
    alone = one(study.explain(FORMULA, cluster="day0", se="CR1"))
    for name, fit_ in (("country+day0", own), ("day0", alone)):
        assert_allclose(fit_.by(fit_.compared)["se"], PYFIXEST[name], **CLOSE)


def test_several_formulas_stand_side_by_side(study: EventStudyResults) -> None:
    table = study.explain(["size", "size + C(sector)"]).frame()
    assert table.index.tolist() == ["const", "size", *TERMS[1:3], "n_events", "r2"]
    alone = one(study.explain("size"))
    assert_allclose(table["size", "se"].dropna(), alone.bse)
    assert table.loc["n_events", ("size + C(sector)", "estimate")] == 60
    assert "tabular" in table.to_latex()


def test_tables_for_a_paper_and_a_page_have_the_numbers(study: EventStudyResults) -> None:
    fits = study.explain(["size", FORMULA], cov="HC1")
    tables = [fit.table for fit in fits.regressions.values()]
    latex, html = fits.to_latex(), fits.to_html()
    assert fits._repr_html_() == html
    for table in tables:
        shown = 100 * table["step"] * table["estimate"]
        assert all(f"{abs(b):.2f}" in text for b in shown for text in (latex, html))
        assert all(f"({s:.2f})" in latex for s in 100 * table["step"] * table["se"])
    assert "& \\multicolumn{3}{c}{(1)} & \\multicolumn{3}{c}{(2)}" in latex
    assert html.count('<th scope="row">') == 6 + 3
    for raw in (">const<", "const &", "[T.", "C(sector)["):
        assert raw not in html
        assert raw not in latex
    assert say("regression.together", n=len(tables[1]) - 1) + ", p" in latex
    assert "Both together, p" in one(study.explain("size + leverage")).to_latex()
    uneven = study.explain(["C(country)", "C(country) + C(sector)"]).to_latex()
    assert "All rows of the column together, p" in uneven
    alone = one(study.explain("size", cov="HC1"))
    assert "60, 20" in alone.to_latex()
    assert ">60 · 20<" in alone.to_html()


def test_each_regression_has_a_label_of_its_own(study: EventStudyResults) -> None:
    fits = [
        study.explain("size"), study.explain("leverage"), study.explain(["size", "leverage"]),
        study.explain("size", (0, 2)), study.explain("size", weights="precision"),
        study.explain("size", cluster="country"),
    ]  # fmt: skip
    labels = [re.findall(r"\\label\{(.*?)\}", fit.to_latex()) for fit in fits]
    assert all(re.fullmatch("tab:study-regression-[0-9a-f]{6}", label) for [label] in labels)
    assert len({label for [label] in labels}) == len(fits)
    assert f"label{{{labels[0][0]}}}" in one(study.explain("size")).to_latex()


def test_regress_says_that_a_formula_is_for_explain(study: EventStudyResults) -> None:
    with pytest.raises(ConfigError, match=r"names of columns are needed.*results\.explain"):
        study.regress("size + C(sector)")


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_coefficients_are_drawn_in_their_axes(study: EventStudyResults, style: str) -> None:
    fits = study.explain(["size", FORMULA])
    with plt.style.context(style):
        figure = Figure(layout="constrained")
        ax = figure.subplots()
        assert fits.plot(ax) is ax
        assert ax.title.get_color() == plt.rcParams["text.color"]
        names = [t.get_text() for t in ax.get_yticklabels()]
        assert names[1:3] == ["sector: oil", "sector: tech"]
        assert [name.partition(",")[0] for name in names] == [
            "size", *names[1:3], "direction: adverse × leverage", "direction: relief × leverage",
        ]  # fmt: skip
        points = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    slopes = [fit.table.iloc[1:] for fit in fits.regressions.values()]
    shown = np.concatenate([table["step"] * table["estimate"] for table in slopes])
    assert_allclose(sorted(points), sorted(shown))
    assert study.explain("1").plot(title="").get_title() == ""


def test_names_in_a_formula() -> None:
    found = columns_of('np.log(size) + C(sector, Treatment("oil")) + Q("my x"):d + I(size**2) - 1')
    assert found == ["size", "sector", "my x", "d"]
    assert columns_of('Q("a:b"):np.log(size)') == ["a:b", "size"]
    assert columns_of("C(sector, Treatment(reference='oil')) * leverage") == ["sector", "leverage"]


def test_functions_and_quoted_names(study: EventStudyResults) -> None:
    named = with_columns(study, **{"my size": study.events["size"]})
    own = one(named.explain('np.log(Q("my size")) + I(leverage**2)'))
    X, y = by_hand(study)
    regressors = np.column_stack([X[:, 0], np.log(X[:, 3]), (X[:, 4] + X[:, 5]) ** 2])
    assert_allclose(own.params, sm.OLS(y, regressors).fit().params, **CLOSE)
    base = one(study.explain("car ~ C(sector, Treatment('tech'))"))
    assert base.params.index[1].endswith("[T.banks]")


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('id')", 'f"{open(1)}"', 'Q(f"{size}")', "size.map(print)",
        'np.load("x")', "[x for x in size]", 'C((open))("x")', "size (1)", "np.log.__class__",
        "Q('size').__class__", 'rb"x"', "size + 'a\\' + open(1)", "I(lambda x: x)",
        "C(x for x in leverage)", "I([size for size in leverage])", "size if size else leverage",
        "I(size if leverage else size)", "size and leverage", "I(size or leverage)", "I(not size)",
        "I(size.values)", "np.sin(size)", "size[0:1]", "I(x := 3)", "I(*size)", "size @ leverage",
        "I(size in leverage)", "I(size is leverage)", "I(None)",
    ],
)  # fmt: skip
def test_nothing_of_a_formula_is_executed(study: EventStudyResults, formula: str) -> None:
    # Columns of these names let nothing through either.
    names = {"x": 1.0, "lambda": 1.0, "for": 1.0, "if": 1.0, "and": 1.0, "or": 1.0, "not": 1.0}
    with pytest.raises(ConfigError, match="a formula that cannot be read"):
        with_columns(study, **names).explain(formula)


@pytest.mark.parametrize(
    "formula",
    [
        "size - 1", "-1 + size", "size*leverage", "(size + leverage)**2", "size +\n leverage",
        "size/leverage", "np.log(size):C(sector)", "C(sector, Sum())", "I(-size)", "I(size//2)",
        "C(sector, levels=('oil', 'tech', 'banks'))", "I((size - leverage) / 2)", "I(size * 1e-3)",
        "I(size >= 3)", "~ size", "np . log(size)",
    ],
)  # fmt: skip
def test_what_a_formula_may_hold(study: EventStudyResults, formula: str) -> None:
    assert np.isfinite(one(study.explain(formula)).table["estimate"]).all()


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("sze", "the events have no such column, got 'sze'; did you mean 'size'?"),
        ("size +", "a formula that cannot be read, got 'size +'"),
        ("C(sector", "a formula that cannot be read"),
        ("0", "a formula that cannot be read, got '0'; it has no term"),
        ("flat", "flat: a column with one value explains nothing (1)"),
        ("size + I(2 * size)", "the regressors are collinear (size, I(2 * size))"),
        ("np.log(size - 8)", "a term is not finite"),
        ("np.log(0 * size)", "exog contains inf or nans"),
        ("C(event_id)", "60 events cannot determine 60 coefficients"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    study: EventStudyResults, formula: str, says: str
) -> None:
    with pytest.raises(ConfigError) as error:
        with_columns(study, flat=1.0).explain(formula)
    assert says in str(error.value)


def test_what_clusters_cannot_be(study: EventStudyResults) -> None:
    for cluster, says in (
        ("ctry", "no such column"),
        (["sector", "country", "day0"], "clustered by one column or by two"),
    ):
        with pytest.raises(ConfigError, match=says):
            study.explain("size", cluster=cluster)
    few = one(study.explain("size", cluster="direction"))
    assert any("2 clusters, at least 3 are needed" in note for note in few.notes)
    assert few.table["compared_pvalue"].isna().all()


def test_an_event_without_a_value_is_left_out_and_counted(study: EventStudyResults) -> None:
    sizes = study.events["size"].mask(np.arange(60) < 2, "")
    own = one(with_columns(study, size=sizes).explain("size"))
    assert own.n_events == 58
    assert "2 left out: no value of size" in own.notes
    assert one(study.explain("1")).n_events == 60


def test_a_level_of_one_event_is_named(study: EventStudyResults) -> None:
    rare = with_columns(study, sector=["rare", *study.events["sector"][1:]])
    own = one(rare.explain("C(sector)"))
    assert say("regression.lone_classes", names=["sector: rare"]) in own.notes
    (row,) = (row for row in own.table.to_dict("records") if row["label"] == "sector: rare")
    assert np.isnan(row["compared_pvalue"])
    assert row["compared_reason"] == say("regression.small_class", n=1)
    assert 0 < row["pvalue"] < 1
    others = own.by("HC3").set_index("term").drop("C(sector)[T.rare]")
    X = np.column_stack(
        [np.ones(60), *(rare.events["sector"] == s for s in ("oil", "rare", "tech"))]
    )
    fit = sm.OLS(rare.abnormal.car(DAY01), X.astype(float)).fit()
    left = np.arange(60) > 0
    without = sm.OLS(rare.abnormal.car(DAY01)[left], X[left][:, [0, 1, 3]].astype(float)).fit(
        cov_type="HC3", use_t=True
    )
    assert_allclose(others["estimate"], fit.params[[0, 1, 3]], **CLOSE)
    assert_allclose(others["se"], without.bse, **CLOSE)


@pytest.mark.parametrize(("column", "formula"), [("sector", "sector"), ("code", "C( code )")])
def test_a_base_level_of_one_event_is_named(
    study: EventStudyResults, column: str, formula: str
) -> None:
    cells = {"sector": ["a", *study.events["sector"][1:]], "code": ["0", "1", *["2", "3"] * 29]}
    rare = with_columns(study, **cells)
    base = {"sector": "a", "code": "0"}[column]
    own = one(rare.explain(formula, cov="HC1"))
    slopes = own.table.iloc[1:]
    assert set(slopes["base"]) == {f"{column}: {base}"}
    assert (slopes["smallest"] == 1).all()
    assert slopes["compared_pvalue"].isna().all()


@pytest.mark.slow
def test_the_command_explains_a_finished_run(studied: Project, tmp_path: Path) -> None:
    column = "C(event_id)"
    code, out, err = invoke("explain", studied.run, "--on", "1", "--cov", "HC1")
    assert (code, err) == (0, "")
    assert out.startswith("The average effect is ")
    code, out, err = invoke("explain", studied.run, "--on", "1", "--on", "car ~ 1", "--json")
    assert (code, err) == (0, "")
    assert (code, set(json.loads(out))) == (0, {"1", "car ~ 1"})
    file, on = tmp_path / "b.svg", ["--on", "1", "--on", "car ~ 1", "--format"]
    code, out, err = invoke("explain", studied.run, *on, "html", "--plot", file)
    assert (code, err, out.count("<table>")) == (0, "", 1)
    assert out.startswith("<!doctype html>")
    assert file.read_text(encoding="utf-8").startswith("<?xml")
    code, out, err = invoke("explain", studied.run, *on, "latex")
    assert (code, err) == (0, "")
    assert r"\begin{tabular}" in out
    assert rf"\label{{tab:{studied.run.name}-regression-" in out
    for arguments, says in (
        (["--on", "1", "--plot", "b.txt"], "no ending of a figure, got 'b.txt'"),
        ([], "name a formula; such as --on"),
        (["--on", column], "cannot determine"),
        (["--on", "sze"], "the events have no such column, got 'sze'"),
    ):
        code, out, err = invoke("explain", studied.run, *arguments)
        assert (code, out) == (2, "")
        assert says in err
    assert invoke("explain", studied.run / "tables", "--on", "1")[0] == 1
