"""What the answer owes to single events: leave-outs are refits, and the rule names what carries."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SHARED, Market
from pages import findings, page
from scipy import stats
from scipy.stats import mstats
from situations import placed

from eventstudy.abnormal import AbnormalReturns
from eventstudy.analysis import Answer, Calibrated, Caveat, Influence, Missing
from eventstudy.analysis.answer.answer import decide
from eventstudy.analysis.answer.influence import LeaveOut, Names, list_sets, measure_influence
from eventstudy.analysis.interval import Interval, robust_means
from eventstudy.calendars import Window
from eventstudy.dependence import Limits
from eventstudy.dependence.pairs import groups_apart
from eventstudy.report import Terminal
from eventstudy.report.formats.latex import latex_tables
from eventstudy.report.formats.pages import markdown
from eventstudy.report.tables.checks import list_checks
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults, run_study
from eventstudy.words import words

MAIN = Window(0, 1)
FROZEN = SHARED / "reference" / "frozen-list" / "events.csv"
# Two events on one date, three on another next to it, three of one cluster further on.
AT = [150, 150, 152, 156, 156, 156, 157, 160, 164, 168, 172, 176, 180]


def sample_of(a: AbnormalReturns) -> tuple[AbnormalReturns, Names]:
    """Return events by a convention whose overlap is the share of common sessions, and names."""
    sample = a.under(overlap="share", min_history=20).tested(MAIN)
    ids = [f"e{i}" for i in range(len(sample))]
    tickers = [f"T{i // 2}" for i in range(len(sample))]
    return sample, Names(ids, tickers, ids, tickers)


def measured(a: AbnormalReturns) -> Influence:
    sample, names = sample_of(a)
    answer = decide(sample, MAIN)
    return measure_influence(sample, MAIN, names, answer.effect, answer.pvalue)


def residuals(sample: AbnormalReturns) -> np.ndarray:
    """Return the residuals of each event on the sessions of the calendar, NaN elsewhere."""
    out = np.full((len(sample), len(sample.windows.sessions)), np.nan)
    for row, at, values in zip(out, sample.windows.estimation_positions, sample.resid, strict=True):
        row[at[at >= 0]] = values[at >= 0]
    return out


def pair_matrix(sample: AbnormalReturns, least: int = 30) -> np.ndarray:
    """Return rho_ij o_ij in plain numpy; a pair with few common sessions takes the mean rho of the
    pairs that overlap."""
    e, day0, n = residuals(sample), sample.windows.day0, len(sample)
    rho, share = np.full((n, n), np.nan), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            both = np.isfinite(e[i]) & np.isfinite(e[j])
            share[i, j] = max(0, 2 - abs(int(day0[i]) - int(day0[j]))) / 2 * (i != j)
            if both.sum() >= least:
                rho[i, j] = np.corrcoef(e[i][both], e[j][both])[0, 1]
    rho[np.isnan(rho)] = np.nanmean(rho[share > 0])
    return rho * share


def by_hand(sample: AbnormalReturns, out: np.ndarray) -> list[float]:
    """Return d, se, p without some events and the distance of these, from CARs, their errors and
    the correlations of residuals."""
    keep = np.setdiff1d(np.arange(len(sample)), out)
    car, s = sample.car(MAIN), np.sqrt(sample.var_car(MAIN))
    z, m = car / s, len(keep)
    r = pair_matrix(sample.take(keep))[np.triu_indices(m, 1)].mean()
    d = z[keep].sum() / (1 / s[keep]).sum()
    if m >= 5:
        f = np.sqrt((1 + (m - 1) * r) / (1 - r))
        se, law = f * z[keep].std(ddof=1) / (np.sqrt(m) * (1 / s[keep]).mean()), stats.t(m - 1)
    else:
        nu = sample.df_resid[keep]
        se = np.sqrt((nu / (nu - 2)).sum() * (1 + (m - 1) * max(r, 0))) / (1 / s[keep]).sum()
        law = stats.norm()
    c = np.full(len(z), -1 / m)
    c[out] = 1 / len(out)
    contrast = c @ (np.eye(len(z)) + pair_matrix(sample)) @ c
    scale = z[keep].std(ddof=1) / np.sqrt(1 - r) * np.sqrt(contrast)
    return [d, se, 2 * law.sf(abs(d / se)), (z[out].mean() - z[keep].mean()) / scale]


def numbers(row: LeaveOut) -> list[float]:
    return [row.effect.estimate, row.effect.se, row.pvalue, row.distance]


@pytest.mark.slow
def test_leave_outs_equal_those_by_hand() -> None:
    sample, names = sample_of(placed(AT, seed=3, rho=0.4, effect=-0.01).fit().abnormal)
    labels, sets = list_sets(sample, MAIN, names)
    rows = measured(sample).leave_outs
    assert [(row.kind, row.name) for row in rows] == labels
    assert {row.kind for row in rows} == {"event", "date", "cluster", "firm"}
    r = pair_matrix(sample)[np.triu_indices(len(sample), 1)].mean()
    assert r > 0.01, "correlation matters here"
    for row, members in zip(rows, sets.toarray(), strict=True):
        np.testing.assert_allclose(
            numbers(row), by_hand(sample, np.flatnonzero(members)), rtol=1e-12, err_msg=row.name
        )


def test_a_pair_without_common_sessions_takes_the_mean_of_the_pairs_that_remain() -> None:
    """Two events of a date have estimation days that hardly meet."""
    market = placed(AT, seed=4, rho=0.4)
    frame = market.frame.copy()
    frame.iloc[:95, 3], frame.iloc[100:140, 4] = np.nan, np.nan
    sample, names = sample_of(market.fit(frame).abnormal)
    assert len(sample) == len(AT)
    e = residuals(sample)
    common = (np.isfinite(e)[:, None] & np.isfinite(e)[None]).sum(axis=2)
    assert common[3, 4] < 30
    _, sets = list_sets(sample, MAIN, names)
    for row, members in zip(measured(sample).leave_outs, sets.toarray(), strict=True):
        np.testing.assert_allclose(
            numbers(row), by_hand(sample, np.flatnonzero(members)), rtol=1e-11, err_msg=row.name
        )


def test_the_test_of_all_events_decides_without_some_of_them_too() -> None:
    """Four of five events are judged as all five are: a check changes one thing."""
    fit = Market(5, dates=5, effect=-0.05, seed=5).fit()
    for i, row in enumerate(fit.influence(MAIN).leave_outs[:5]):
        others = fit.subset(np.arange(5) != i)
        assert row.pvalue == pytest.approx(others.test("bmp_kp", MAIN).pvalue, rel=1e-12)
        car, scar = others.abnormal.car(MAIN), others.abnormal.scar(MAIN)
        assert row.effect.estimate == pytest.approx(scar.sum() / (scar / car).sum(), rel=1e-12)
        assert row.effect.df == 3
    alone = placed([150, 170, 170, 170, 170, 170], days=230, seed=4).fit()
    [date] = [row for row in alone.influence(MAIN).leave_outs if row.n_events == 1]
    assert date.pvalue == pytest.approx(alone.subset([0]).answer(MAIN).pvalue, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_leave_outs_of_few_events_are_answers_of_the_others(n: int) -> None:
    fit = Market(n, dates=2, rho=0.3, effect=-0.05, seed=n).fit()
    found = fit.influence(MAIN)
    for i, row in enumerate(found.leave_outs[:n]):
        others = fit.subset(np.arange(n) != i).answer(MAIN)
        assert numbers(row)[:3] == pytest.approx(
            [others.effect.estimate, others.effect.se, others.pvalue], rel=1e-12
        )
        assert row.effect.df == others.effect.df
    assert all(np.isnan(row.distance) for row in found.leave_outs) == (n < 5)


@pytest.fixture(scope="module")
def sampled() -> EventStudyResults:
    """The example list on the sample prices: several exchanges, some never open together."""
    return run_study(ROOT / "events.csv", StudyConfig(prices="sample"))


@pytest.mark.slow
def test_leave_outs_equal_refits_across_exchanges(sampled: EventStudyResults) -> None:
    assert any(groups_apart(sampled.abnormal)), "the next session counts for some pairs"
    sample = sampled.abnormal.tested(MAIN)
    names = Names(*[sampled.events["event_id"][sampled.abnormal.in_tests(MAIN)].to_list()] * 4)
    _, sets = list_sets(sample, MAIN, names)
    rows = [r for r in sampled.influence(MAIN, group="").leave_outs if r.kind != "firm"]
    for row, members in zip(rows, sets.toarray(), strict=True):
        others = decide(sample.take(members == 0), MAIN)
        assert numbers(row)[:3] == pytest.approx(
            [others.effect.estimate, others.effect.se, others.pvalue], rel=1e-11
        )


@pytest.mark.slow
@pytest.mark.skipif(not FROZEN.is_file(), reason="the list of reference is not here")
def test_the_list_of_reference() -> None:
    """The figures of the method, to the digits that it gives."""
    study = run_study(FROZEN, StudyConfig(prices="sample")).groups("direction")["adverse"]
    found = study.influence(MAIN)
    assert (round(found.p_low, 3), round(found.p_high, 3), found.half) == (0.008, 0.042, 3)
    by_name = {row.name: row for row in found.leave_outs}
    assert round(by_name["2022-03-07"].pvalue, 3) == 0.055
    assert found.carried_by is by_name["2022-03-04/2022-03-16"]
    row = by_name["2022-03-04/2022-03-16"]
    assert (row.n_left_out, round(row.pvalue, 2)) == (11, 0.29)
    assert round(row.effect.estimate, 4) == -0.0034
    text = str(found).replace("\u00a0", " ")
    assert text.startswith("One fortnight carries it: without the 11 announcements from 4 Mar 2022")


def test_the_rule_names_what_carries_the_answer_with_the_largest_p() -> None:
    close = [150, 151, 152, 153]
    market = placed([*close, *range(158, 200, 3)], days=230, seed=2)
    values = market.frame.to_numpy(copy=True)
    values[close, np.arange(4)] -= 0.08
    market.frame[:] = values
    fit = market.fit()
    found, answer = fit.influence(MAIN), fit.answer(MAIN)
    assert answer.verdict == "different"
    row = found.carried_by
    assert row is not None
    assert (row.kind, row.n_left_out) == ("cluster", 4)
    assert row.pvalue == max(r.pvalue for r in found.leave_outs)
    assert abs(row.effect.estimate) < abs(answer.effect.estimate) / 2
    assert row.distance < -2
    assert sum(r.carries for r in found.leave_outs) == 1
    assert answer.caveat is not None
    assert answer.caveat.code == "carried"


def test_one_event_can_hide_a_move() -> None:
    market = Market(12, dates=12, seed=4, effect=-0.03)
    at = market.frame.index.get_loc(market.table["day0"][0])
    market.frame.iloc[at, 0] += 0.12
    fit = market.fit()
    found, answer = fit.influence(MAIN), fit.answer(MAIN)
    assert answer.verdict == "not_different"
    assert found.carried_by is not None
    assert found.carried_by.name == "e0"
    assert found.carried_by.pvalue < 0.05
    n = len(found.leave_outs)
    assert found.omissions == fit.answer(MAIN).influence.omissions == n > 12  # type: ignore[union-attr]
    assert str(found).startswith("Without F00 (")
    assert str(found).endswith(f"%: the most favourable of {n} omissions.")
    assert found.carried_by.pvalue == min(row.pvalue for row in found.leave_outs)


@pytest.mark.slow
def test_a_leave_out_that_turns_no_move_into_one_is_no_caveat() -> None:
    """In every tenth study without an effect some leave-out has p < .05: its range is a row."""
    fit = Market(12, seed=3).fit()
    found, answer = fit.influence(MAIN), fit.answer(MAIN)
    single = [row.pvalue for row in found.leave_outs if row.kind == "event"]
    assert answer.verdict == "not_different"
    assert answer.caveat is None
    assert min(single) < 0.05 < answer.pvalue < 0.15
    low, high = words().pvalue(min(single)), words().pvalue(max(single))
    assert str(found) == f"Without a single announcement p lies between {low} and {high}."
    study, shown = findings(fit), f"{low} to {high}"
    (row,) = (check for check in list_checks(study) if check.p_range)
    assert (row.name, row.p_range) == ("p without single announcements", shown)
    assert f"| p without single announcements | 11 | – | – | {shown} |" in markdown(study)
    assert shown in page(fit)
    assert shown in str(Terminal(study).text(verbose=True))
    n = len(list_checks(study)) - 2
    assert f"of {n} checks" in page(fit), "the range repeats the leave-outs"


@pytest.mark.parametrize(
    ("p", "is_carried", "is_near"),
    [(0.029, False, False), (0.03, False, True), (0.04, True, False), (0.06, True, True),
     (0.149, False, True), (0.15, False, False)],
)  # fmt: skip
def test_the_range_of_p_is_a_row_near_the_border(p: float, is_carried: bool, is_near: bool) -> None:
    found = Market(12, seed=3).fit().influence(MAIN)
    first, *rest = found.leave_outs
    rows = (replace(first, carries=is_carried), *rest)
    assert replace(found, pvalue=p, leave_outs=rows).is_near_border == is_near
    assert not replace(found, pvalue=p, n_events=4).is_near_border


def test_the_event_that_moves_an_unclear_effect_most_is_named() -> None:
    """Without the first of five the effect is next to nothing, and p is as unclear as before."""
    found = Market(5, dates=5, seed=1).fit().influence(MAIN)
    whole = Interval.of(-0.065, 0.061, 4.0)
    cells = zip(found.leave_outs[:3], (-0.008, -0.094, -0.06), (0.81, 0.29, 0.4), strict=True)
    rows = tuple(
        replace(row, effect=Interval.of(estimate, 0.03, 3.0), pvalue=p, carries=False)
        for row, estimate, p in cells
    )
    found = replace(found, effect=whole, pvalue=0.35, leave_outs=rows)
    code, facts = found.caveat()
    assert (code, facts["value"], facts["p"]) == ("moved", -0.008, 0.81)
    assert str(found).startswith("No single announcement, date or company changes the verdict, but")
    assert str(found).endswith("the effect is −0.8%.")
    # The table has it beside the one nearest to 5%, which is tested as all five are.
    assert set(found.rows) == {rows[0], rows[1]}
    assert replace(found, leave_outs=rows[1:]).caveat()[0] == "stands"


def test_up_to_four_events_have_rows_and_no_rule() -> None:
    found = Market(4, dates=4, seed=1, effect=-0.2).fit().influence(MAIN)
    assert len(found.brief().leave_outs) == 4
    assert found.carried_by is None
    assert found.caveat()[0] == "stands"
    assert Market(1, dates=1).fit().influence(MAIN).leave_outs == ()


def test_half_of_the_sum() -> None:
    fit = Market(9, dates=9, seed=2, effect=-0.03).fit()
    z = np.sort(fit.abnormal.scar(MAIN))
    k = next(k for k in range(1, 10) if z[:k].sum() <= z.sum() / 2)
    found = fit.influence(MAIN)
    assert found.half == k
    order = np.argsort(fit.abnormal.scar(MAIN))[:k]
    assert found.half_events == tuple(f"e{i}" for i in order[:5])


def test_robust_means_are_those_of_scipy() -> None:
    """Yuen's standard error by scipy.stats.mstats; the winsorised mean and its spread as well."""
    x, f = np.random.default_rng(1).standard_t(3, 30) / 50, 1.3
    median, trimmed, winsorised = robust_means(x, f)
    assert trimmed.estimate == pytest.approx(stats.trim_mean(x, 0.1))
    assert trimmed.se == pytest.approx(f * mstats.trimmed_stde(x, limits=(0.1, 0.1)))
    assert trimmed.df == winsorised.df == 30 - 6 - 1
    w = np.asarray(mstats.winsorize(x, limits=(0.1, 0.1)))
    assert winsorised.estimate == pytest.approx(w.mean())
    assert winsorised.se == pytest.approx(f * w.std(ddof=1) / np.sqrt(30) * 29 / 23)
    ordered = np.sort(x)
    # k = (n + 1)/2 - 1.96 sqrt(n/4) = 10.1, so the tenth from either end (McKean and Schrader).
    error = (ordered[20] - ordered[9]) / (2 * 1.959964)
    assert (median.estimate, median.se) == pytest.approx((np.median(x), f * error), rel=1e-6)


def test_thousands_of_events_need_no_array_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit r is that of all events, which the result says; the rest is by hand."""
    fit = placed(AT, seed=3, rho=0.4, effect=-0.01).fit()
    monkeypatch.setattr(Limits, "PAIRWISE", 10)

    def never(*_: object) -> None:
        raise AssertionError("an array of pairs")

    monkeypatch.setattr("eventstudy.dependence.pair_sums.layers", never)
    found, answer = fit.influence(MAIN), fit.answer(MAIN)
    z, s = fit.abnormal.scar(MAIN), np.sqrt(fit.abnormal.var_car(MAIN))
    n = len(z)
    f = answer.effect.se * (1 / s).sum() / (np.sqrt(n) * z.std(ddof=1))
    r = (f**2 - 1) / (f**2 + n - 1)
    keep = np.arange(n) != 4
    f = np.sqrt((1 + (n - 2) * r) / (1 - r))
    se = f * z[keep].std(ddof=1) * np.sqrt(n - 1) / (1 / s[keep]).sum()
    assert found.r_kept
    assert found.leave_outs[4].effect.se == pytest.approx(se, rel=1e-9)


@pytest.mark.slow
def test_six_thousand_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays that of a few arrays of events, not of pairs of them."""
    import tracemalloc

    market = Market(60, dates=20, seed=1)
    fit = market.fit().abnormal
    many = fit.take(np.tile(np.arange(60), 100))
    ids = [str(i) for i in range(6000)]
    tickers = [str(i % 1500) for i in range(6000)]
    names = Names(ids, tickers, ids, tickers)
    answer = decide(many, MAIN)
    tracemalloc.start()
    found = measure_influence(many, MAIN, names, answer.effect, answer.pvalue)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.leave_outs) > 7000
    assert peak < 100e6, "an array of pairs would be 288 MB"


def test_the_order_of_caveats() -> None:
    one = Market(1, dates=1, effect=-0.2).fit().answer(MAIN)
    date = Market(8, dates=1, effect=-0.2).fit().answer(MAIN)
    few = Market(3, dates=3, effect=-0.2).fit().answer(MAIN)
    assert [code_of(a) for a in (one, date, few)] == ["one_event", "one_date", "few"]
    clear = Market(12, effect=-0.06, seed=3).fit().answer(MAIN)
    assert code_of(clear) == "stands"
    caveat = clear.caveat
    assert caveat is not None
    assert caveat.facts["p"] == max(row.pvalue for row in clear.influence.leave_outs)  # type: ignore[union-attr]
    missing = Missing(16, {"prices": 3, "history": 1})
    facts = {"used": 12, "total": 16, "lack": "prices", "n": 3}
    for answer in (clear, replace(clear, n_dates=1)):
        partial = replace(answer, missing=missing).find_caveat()
        assert partial == Caveat("many_missing", facts), "goes before all others"
    assert replace(clear, pvalue=np.nan, missing=missing).find_caveat() == caveat
    assert Answer("no_result", "bmp_kp", missing=missing).find_caveat() is None


def code_of(answer: Answer) -> str:
    assert answer.caveat is not None
    return answer.caveat.code


def test_a_calibrated_p_on_the_other_side_is_the_caveat() -> None:
    """On the other side of 5% by more than two Monte Carlo errors: at .07 one error is .011."""
    clear = Market(12, effect=-0.06, seed=3).fit().answer(MAIN)
    for p, code in ((0.08, "calibrated"), (0.07, "stands"), (0.052, "stands"), (0.01, "stands")):
        numbers = Calibrated(pvalue=p, draws=499, effective_draws=499.0, false_alarms=0.05)
        found = replace(clear, calibrated=numbers).find_caveat()
        assert found is not None
        assert found.code == code
    none = Calibrated(reason="too few dates")
    assert code_of(replace(clear, caveat=replace(clear, calibrated=none).find_caveat())) == "stands"


@pytest.mark.slow
def test_every_format_has_the_caveat_behind_the_headline() -> None:
    fit = Market(12, effect=-0.06, seed=3).fit()
    study, text = findings(fit), "No single announcement, date or company changes the verdict."
    assert text in page(fit)
    assert text in markdown(study)
    assert text in " ".join(str(Terminal(study).text(verbose=True)).split())
    assert text in " ".join(latex_tables(study)["caar"].split())


@pytest.mark.slow
def test_the_figure_has_a_row_for_each_way_to_ask() -> None:
    fit = Market(12, seed=3, effect=-0.01).fit()
    study = findings(fit)
    checks = list_checks(study)
    influence = fit.influence(MAIN)
    assert [c.pvalue for c in checks[:2]] == [
        fit.answer(MAIN).pvalue,
        influence.rows[0].pvalue,
    ]
    names = [check.name for check in checks]
    assert names[0] == "All announcements"
    assert "Plain average" in names
    assert names[-1] == "Each day counted once" or "Dates resampled, not events" in names
    average = next(c for c in checks if c.name == "Plain average")
    assert (average.pvalue < 0.05) == (average.effect.ci_low * average.effect.ci_high > 0)
    figure = page(fit).partition("What could change this answer</h2>")[2].partition("</figure>")[0]
    with_effect = [c for c in checks if np.isfinite(c.effect.estimate)]
    unclear = sum(not c.is_clear for c in with_effect)
    assert figure.count('class="check"') == 2 * unclear
    assert figure.count('class="check full"') == 2 * (len(with_effect) - unclear)


def test_frame_table_and_plot() -> None:
    from eventstudy.analysis import study_tables

    fit = Market(12, dates=6, seed=3, effect=-0.03).fit()
    found = fit.influence()
    frame = found.frame()
    assert len(frame) == len(found.leave_outs) >= 12
    config = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5), calibrate=0)
    table = study_tables(fit, config)["influence"]
    pd.testing.assert_series_equal(table["pvalue"], frame["pvalue"])
    assert list(table)[:3] == ["left_out_kind", "left_out", "left_out_first"]
    axes = found.plot()
    assert len(axes.get_yticks()) == 1 + len(found.brief().leave_outs)


@pytest.mark.watch
def test_the_rule_is_rare_by_chance_and_finds_one_group() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    bench = importlib.import_module("influence")
    sys.path.remove(str(ROOT / "benchmarks"))
    n, carried, turned = bench.shares("10 dates x 5", 250, homogeneous=True)
    assert n > 40
    assert carried <= 7 + 200 * np.sqrt(0.07 * 0.93 / n)
    assert turned > 75
    n, carried, _ = bench.shares("10 dates x 5", 250, homogeneous=False)
    assert n > 30
    assert carried >= 75


def test_influence_is_frozen() -> None:
    found = Market(6, dates=6).fit().influence()
    with pytest.raises(AttributeError):
        found.half = 3  # type: ignore[misc]
    assert replace(found, half=3).half == 3


def test_one_announcement_has_windows_models_and_its_rank() -> None:
    study = findings(Market(1, dates=1, effect=-0.1, seed=3).fit())
    checks = list_checks(study)
    assert {check.kind for check in checks} >= {"main", "window", "test"}
    assert checks[-1].pvalue == study.sample.answer.overturn.one_event.rank_pvalue  # type: ignore[union-attr]
    assert "Plain average" not in [check.name for check in checks]
