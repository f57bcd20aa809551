"""Firms of one date that move more than usual: the answer if that spread is the firms' own."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from conftest import Market
from pages import CONFIG, findings, page
from scipy import stats

from eventstudy.analysis import UnequalReactions
from eventstudy.calendars import Window
from eventstudy.findings import Findings, FinishedRun
from eventstudy.report import Terminal
from eventstudy.report.formats.excel import workbook
from eventstudy.report.formats.pages import markdown
from eventstudy.report.sentences.answer import brief, split_answer
from eventstudy.report.tables.checks import list_checks
from eventstudy.report.tables.windows import windows_table, write_tests_note
from eventstudy.studies import EventStudyResults

MAIN = Window(0, 1)
ROW = "If the extra spread is the firms' own"


def one_date(n: int = 25, *, sd: float, mean: float = 0.0, rho: float = 0.15) -> EventStudyResults:
    """Return firms of one date whose reactions on day 0 are normal."""
    market = Market(n, dates=1, rho=rho, seed=5)
    at = market.frame.index.get_loc(market.table["day0"][0])
    market.frame.iloc[at, :n] += np.random.default_rng(8).normal(mean, sd, n)
    return market.fit()


@pytest.fixture(scope="module")
def differ() -> EventStudyResults:
    return one_date(sd=0.08)


@pytest.fixture(scope="module")
def study(differ: EventStudyResults) -> Findings:
    return findings(differ)


def test_the_error_adds_the_shared_part_of_usual_days(differ: EventStudyResults) -> None:
    """Plain numpy: r of the residuals, se^2 = (var z + N r) / N in units of the answer, t(N-1)."""
    a, answer = differ.abnormal, differ.answer(MAIN)
    z, s, n = a.scar(MAIN), np.sqrt(a.var_car(MAIN)), 25
    r = np.corrcoef(a.resid)[np.triu_indices(n, 1)].mean()
    kappa = z.var(ddof=1) / (1 - r)
    assert n * r > 1
    assert kappa > 1.5
    se = np.sqrt((z.var(ddof=1) + n * r) / n) / (1 / s).mean()
    d = z.sum() / (1 / s).sum()
    t = stats.t(n - 1)
    found = answer.unequal
    assert found is not None
    assert (found.kappa, found.swing) == pytest.approx((kappa, np.sqrt(kappa)))
    numbers = (found.effect.estimate, found.effect.se, found.effect.ci_low, found.effect.ci_high)
    assert numbers == pytest.approx((d, se, d - t.ppf(0.975) * se, d + t.ppf(0.975) * se))
    assert found.pvalue == pytest.approx(2 * t.sf(abs(d / se)))
    assert found.effect.estimate == answer.effect.estimate
    assert found.effect.se < answer.effect.se, "the main test multiplies the whole spread"
    assert answer.pvalue > found.pvalue


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "sd", "rho"), [(25, 0.0, 0.15), (25, 0.06, 0.0), (4, 0.06, 0.5)],
    ids=["usual spread", "no shared part", "few events"],
)  # fmt: skip
def test_where_the_question_does_not_arise(n: int, sd: float, rho: float) -> None:
    results = one_date(n, sd=sd, rho=rho)
    assert results.answer(MAIN).unequal is None
    study = findings(results)
    assert ROW not in [check.name for check in list_checks(study)]
    assert "0.5 to 5%" not in page(results)
    assert "average move" not in split_answer(study)[0]


def test_only_the_main_window_has_it(differ: EventStudyResults) -> None:
    assert differ.answer((0, 0)).unequal is None


def test_the_headline_speaks_of_the_average(study: Findings, differ: EventStudyResults) -> None:
    head, sentence = split_answer(study)
    found = differ.answer(MAIN).unequal
    assert found is not None
    assert head == (
        "No clear average move: on average, shares stayed within chance of what the market implied "
        "on the announcement day and the day after."
    )
    assert sentence.startswith(
        f"Single shares swung {found.swing:.1f} times as much as usual, in both directions. Average"
    )
    assert "no significant average move" in str(brief(study, study.sample))


@pytest.mark.slow
def test_every_outlet_with_checks_has_the_row(
    study: Findings, differ: EventStudyResults, tmp_path: Path
) -> None:
    first, second, *_ = list_checks(study)
    found = differ.answer(MAIN).unequal
    assert found is not None
    assert (first.kind, second.name, second.pvalue) == ("main", ROW, found.pvalue)
    assert second.effect == found.effect
    (tmp_path / "book.xlsx").write_bytes(workbook(FinishedRun.of(differ, CONFIG)))
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    for sheet in ("Summary", "Checks"):
        (row,) = (row for row in book[sheet].iter_rows(values_only=True) if row[0] == ROW)
        assert row[4 if sheet == "Summary" else 5] == pytest.approx(found.pvalue)
    texts = page(differ), markdown(study), str(Terminal(study).text(verbose=True))
    for text in texts:
        assert ROW in unescape(text)


def test_the_cell_of_false_alarms_is_a_range(study: Findings, differ: EventStudyResults) -> None:
    rates = {row.key: row.values["false_alarms"] for row in windows_table(study).blocks[0].rows}
    assert [key for key, rate in rates.items() if rate == "0.5 to 5%"] == ["0_1"]
    assert page(differ).count("<td>0.5 to 5%</td>") == 1
    assert str(Terminal(study).text(verbose=True)).count("0.5 to 5%") == 1
    note = write_tests_note(study)
    assert "where it is the firms' own, false alarms are 0.5 to 5%" in note
    assert note.endswith("times as much as usual, in both directions.")


def test_a_clear_move_keeps_its_headline() -> None:
    results = one_date(sd=0.06, mean=-0.12)
    study, answer = findings(results), results.answer(MAIN)
    assert answer.verdict == "different"
    assert answer.unequal is not None
    assert "average move" not in split_answer(study)[0]
    assert "swung" not in split_answer(study)[1]
    assert "swung" in write_tests_note(study)
    assert "both directions" not in write_tests_note(study), "all of these firms fell"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rose", "fell", "n", "both"),
    [(2, 9, 25, True), (1, 9, 25, False), (9, 2, 60, False), (3, 9, 60, True), (0, 0, 5, False)],
)
def test_in_both_directions_only_where_true(rose: int, fell: int, n: int, both: bool) -> None:
    """More than twice the 2.5% that chance makes significant on either side, and two at least."""
    effect, p = findings(one_date(sd=0.08)).sample.answer.effect, 0.001
    found = UnequalReactions(2.0, effect, 0.5, 3.3, p, rose, fell, n)
    assert found.is_both_ways == both
    assert found.is_sure
    assert not UnequalReactions(2.0, effect, 0.5, -3.3, p, rose, fell, n).is_sure
    assert not UnequalReactions(2.0, effect, 0.5, 2.5, 0.012, rose, fell, n).is_sure
