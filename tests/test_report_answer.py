"""Sentences: the answer, what must be said with it, and what limits a study."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import CONFIG, MAIN, findings, page, with_columns

from eventstudy.analysis import Answer, Interval, Missing
from eventstudy.calendars import Window
from eventstudy.events import read_events
from eventstudy.findings import FinishedRun
from eventstudy.report import Terminal
from eventstudy.report.sentences import answer
from eventstudy.report.sentences import top as limits
from eventstudy.report.sentences.caveats import asides, headline, second_sentence
from eventstudy.report.tables.table import stars
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults, run_study
from eventstudy.words import words

NOTHING = "No single announcement, date or company changes the verdict."


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def quiet() -> EventStudyResults:
    """Twelve events without an effect."""
    return Market(12, seed=5).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.01024, "−1.02%"), (0.003, "+0.30%"), (0.0, "0.00%"), (-0.00001, "0.00%"), (np.nan, "–")],
)
def test_percent_has_a_true_minus_and_no_sign_at_zero(value: float, text: str) -> None:
    assert words().percent(value) == text


@pytest.mark.parametrize(
    ("p", "text", "marks"),
    [
        (0.0612, "p = 0.061", "*"),
        (0.00099, "p < 0.001", "***"),
        (1.0, "p = 1.000", ""),
        (0.02, "p = 0.020", "**"),
        (0.0497, "p = 0.0497", "**"),
        (0.04996, "p = 0.04996", "**"),
        (0.0503, "p = 0.050", "*"),
        (0.05, "p = 0.050", "*"),
        (0.0998, "p = 0.100", "*"),
    ],
)
def test_p_is_never_written_as_zero(p: float, text: str, marks: str) -> None:
    assert (words().p_is(p), stars(p)) == (text, marks)


def test_other_formats() -> None:
    assert words().window(Window(-10, 2)) == "[−10,\u00a02]"
    assert [words().day(t) for t in (-1, 0, 1)] == ["−1", "0", "+1"]
    assert words().date("2022-09-01").replace("\u00a0", " ") == "1 Sep 2022"
    assert words().iso(pd.Timestamp("2022-09-01")) == "2022-09-01"
    assert words().span(-0.0204, 0.0001) == "−2.04% to +0.01%"
    assert words().span(-0.0346, -0.00003) == "−3.46% to −0.003%"
    assert words().span(0.0, 0.000004, unit=False) == "0.00 to +0.0004"
    assert words().listed(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("n", "dates", "effect", "who", "of", "caveat"),
    [
        (
            1,
            1,
            -0.06,
            "F00 fell 6.3% more",
            "One announcement",
            "check the news of these days.",
        ),
        (
            1,
            1,
            0.0,
            "F00 stayed within chance",
            "One announcement",
            "check the news of these days.",
        ),
        (
            2,
            1,
            -0.06,
            "Shares did 4.3% worse",
            "Average of two {} on one date",
            "so any other shock of these days would look the same.",
        ),
        (
            3,
            3,
            -0.06,
            "Shares did 5.0% worse",
            "Average of three {} on three dates",
            "chance explains this only if these shares swung",
        ),
        (
            4,
            4,
            0.0,
            "shares stayed within chance",
            "Average of four {} on four dates",
            "with 80% power this study finds an average effect of about",
        ),
        (
            12,
            1,
            -0.06,
            "Shares fell 6.4% more",
            "Average of twelve {} on one date",
            "so any other shock of these days would look the same.",
        ),
        (
            12,
            1,
            0.0,
            "shares stayed within chance",
            "Average of twelve {} on one date",
            "so any other shock of these days would look the same.",
        ),
        (12, 12, -0.06, "Shares did 7.3% worse", "Average of twelve {} on twelve dates", NOTHING),
        (12, 12, 0.08, "Shares rose 6.7% more", "Average of twelve {} on twelve dates", NOTHING),
        (
            12,
            12,
            0.0,
            "shares stayed within chance",
            "Average of twelve {} on twelve dates",
            "",
        ),
    ],
)
def test_headline_sentence_and_caveat(
    n: int, dates: int, effect: float, who: str, of: str, caveat: str
) -> None:
    """The fact, then its numbers and p, then one caveat; what the market implied says which verb is
    true."""
    results = Market(n, dates=dates, effect=effect, seed=3).fit()
    study = findings(results)
    decided, sentences = results.answer(MAIN), answer.answer(study)
    when, market = "on the announcement day and the day after.", "what the market implied"
    different, d = decided.verdict == "different", decided.effect
    assert different == (effect != 0)
    implied = (
        f"{who} than {market[5:]} {when}"
        if different
        else f"No clear move: {who} of {market} {when}"
    )
    (head, strong), (sentence, weak) = sentences.pieces
    assert (head, strong, weak) == (implied, True, False)
    low, high = sorted((d.ci_low, d.ci_high), key=abs) if different else (d.ci_low, d.ci_high)
    ends = [f"{abs(100 * x):.1f}%" if different else f"{100 * x:+.1f}%" for x in (low, high)]
    numbers = f"(95% interval {ends[0]} to {ends[1]}; {words().p(decided.pvalue)})"
    least = 100 * decided.overturn.smallest_effect
    average = "an effect" if n == 1 else "an average effect"
    could = f" With 80% power this study finds {average} of about {least:.1f}%."
    if n == 4:
        # The sentence that travels with the headline says it.
        could = ""
    expected = (
        f" {of} {numbers}." if different else f" {of}: {100 * d.estimate:+.1f}% {numbers}.{could}"
    )
    assert plain(sentence) == plain(expected.format("announcements"))
    caveats = asides(study)
    assert bool(caveats) == bool(caveat)
    if caveat:
        assert caveat in caveats[0]
        assert caveats[0] == second_sentence(study)
    assert plain(headline(study)) == plain(" ".join([str(sentences), *caveats]))


def plain(text: str) -> str:
    """Return a sentence as it is typed."""
    return text.replace("\u00a0", " ").replace("−", "-")


@pytest.mark.slow
def test_the_verb_is_true_of_shares_and_market() -> None:
    """Shares "fell more than the market implied" only where both fell; else they did worse than
    it."""
    seen = set()
    for seed in range(8):
        results = Market(12, effect=-0.06, seed=seed).fit()
        decided = results.answer(MAIN)
        fell = " fell " in str(answer.answer(findings(results)))
        assert fell == (decided.market_implied < 0)
        seen.add(fell)
        if seen == {True, False}:
            break
    assert seen == {True, False}, "the design must have both"


@pytest.mark.parametrize(("model", "implied"), [("market", "the market implied"),
                                                ("constant_mean", "their own average implied")])  # fmt: skip
def test_what_implied_the_return_is_that_of_the_model(model: str, implied: str) -> None:
    assert implied in str(
        answer.answer(findings(Market(12, effect=-0.06, seed=3).fit(model=model)))
    )


def test_the_own_average_of_one_share_is_its_own() -> None:
    results = Market(1, dates=1, effect=-0.2, seed=3).fit(model="constant_mean")
    assert "than its own average implied" in str(answer.answer(findings(results)))


@pytest.mark.parametrize(
    ("window", "when"),
    [((0, 0), "on the announcement day"), ((0, 1), "on the announcement day and the day after"),
     ((-1, 1), "from day −1 to day +1"), ((2, 2), "on day +2")],
)  # fmt: skip
def test_windows_in_words(window: tuple[int, int], when: str) -> None:
    assert answer.write_days(Window(*window)) == when


def test_a_small_effect_is_never_written_as_zero() -> None:
    assert [words().size(x) for x in (0.078, -0.0004, 0.00002, 0.0)] == [
        "7.8%",
        "0.04%",
        "0.002%",
        "0.0%",
    ]
    effect = Interval(-0.0068, 0.003, -0.01463, -0.0003)
    assert plain(answer.write_interval(effect, sizes=True)) == "95% interval 0.03% to 1.5%"
    assert plain(answer.write_interval(effect)) == "95% interval -1.5% to -0.03%"
    assert plain(answer.write_full_interval(effect)) == "95% interval -1.46% to -0.03%"


def test_other_news_of_a_single_event_is_named() -> None:
    results = with_columns(
        Market(1, effect=-0.06).fit(), confounder="Quarterly results", context="none"
    )
    assert "Quarterly results" in asides(findings(results))[0]


@pytest.mark.slow
def test_few_of_many_announcements_are_not_representative() -> None:
    market = Market(24, dates=12, effect=-0.06)
    results = market.fit(market.frame.drop(columns=market.tickers[:14]))
    used = results.answer(MAIN).n_events
    assert used < 12
    assert asides(findings(results))[0].startswith(
        f"Only {used} of 24 announcements are in this average; the other {24 - used} have no prices"
    )
    assert asides(findings(market.fit()))[0].startswith(NOTHING)


@pytest.mark.slow
def test_one_car_left_of_several_events_is_told_as_that_of_one_event() -> None:
    market = Market(3, dates=3, effect=-0.05)
    alone = market.fit().subset(np.array([False, True, False]))
    frame = market.frame.copy()
    for k in (0, 2):
        frame.iloc[frame.index.get_loc(market.table["day0"][k]) + 1, k] = np.nan
    left = market.fit(frame)
    assert str(answer.answer(findings(left))) == str(answer.answer(findings(alone)))
    assert "2 of 3 used events lack days of this window and are left out: F00" in " ".join(
        asides(findings(left))
    )
    sample, single = findings(left).sample, Answer.of(alone, MAIN)
    counts = {"": {"used": 1, "days": 2}}
    assert left.answer(MAIN).missing == Missing(3, {"days": 2}, by_place=counts)
    for answered in (left.answer(MAIN), sample.answer):
        same = replace(answered, missing=None, caveat=single.caveat)
        assert same.to_dict() == single.to_dict()
    run = FinishedRun.of(left, CONFIG)
    by_test = run.findings.over_main(run.tables["tests"]).set_index("test")["pvalue"]
    for name in ("event_t_regime", "event_t", "sq"):
        assert by_test[name] == pytest.approx(alone.test(name, MAIN).pvalue)
    decided = sample.main.test("event_t_regime")
    assert decided is not None
    assert decided.pvalue == pytest.approx(single.pvalue)
    assert sample.shown[0] == "event_t_regime"
    assert re.search(r"\[0, \+1\] +main +1 ", str(Terminal(findings(left)).text(verbose=True)))


def test_the_main_test_decides_alone_where_ranks_disagree(tmp_path: Path) -> None:
    """One event on real prices: its residuals are not normal and SQ rejects, which is a second
    opinion."""
    (tmp_path / "events.csv").write_text(
        "ticker,announced_at\nPFE,2022-02-08T10:00-05:00\n", encoding="utf-8"
    )
    results = run_study(
        read_events(tmp_path / "events.csv"), StudyConfig(prices="sample", calibrate=0)
    )
    assert results.test("sq", MAIN).pvalue < 0.05 < results.test("event_t", MAIN).pvalue
    decided = results.answer(MAIN)
    assert (decided.verdict, decided.test) == ("not_different", "event_t_regime")
    assert decided.effect.ci_low < 0 < decided.effect.ci_high


@pytest.mark.slow
def test_too_unequal_volatilities_point_to_the_plain_average() -> None:
    """Five equal effects on firms of which one is very calm: no effect could reach the critical
    value."""
    market = Market(5, dates=5, seed=3)
    for name, scale in zip(market.tickers, (0.01, 1, 1, 1, 1), strict=True):
        market.frame[name] = market.frame["MKT"] + scale * (
            market.frame[name] - market.frame["MKT"]
        )
    results = market.fit()
    decided = results.answer(MAIN)
    assert decided.verdict == "not_different"
    assert decided.overturn.largest_t < 2.776
    sentences, average = str(answer.answer(findings(results))), decided.plain_average
    assert "differ too much in volatility" in sentences
    assert plain(f"see the plain average, {100 * average.estimate:+.1f}%") in plain(sentences)
    assert "80% power" not in sentences


@pytest.mark.slow
def test_open_windows_make_the_answer_provisional() -> None:
    market = Market(12)
    last = market.table["day0"].sort_values().iloc[-3]
    results = market.fit(market.frame.loc[:last])
    decided, sentences = results.answer(MAIN), answer.answer(findings(results))
    assert decided.verdict == "provisional"
    head, sentence = (text for text, _ in sentences.pieces)
    # Of the twelve, two have day 0 after the last price.
    assert len(results) == 10
    assert (
        head == f"Too early to say: {decided.n_events} of 12 announcements have both days so far."
    )
    assert plain(f"{100 * decided.effect.estimate:+.1f}%") in plain(sentence)
    assert "p\u00a0" not in headline(findings(results))
    assert "is not over yet" in limits.find_limitations(findings(results))[0]
    text = page(results)
    assert ('id="tests"' in text, 'id="shock"' in text) == (False, False)
    assert results.tests(MAIN)["pvalue"].isna().all()


def test_news_after_the_close_is_of_the_day_after_in_a_list_too() -> None:
    """Where only some of the news came so late, the announcement day is that of the others."""
    late = ["2022-08-31T16:30-04:00", "2021-10-28T18:00-04:00"]
    news = pd.DataFrame({"ticker": ["NVDA", "AAPL"], "announced_at": late})
    day = "on the first trading day after the news"
    settings = StudyConfig(prices="sample", calibrate=0)
    assert day in headline(run_study(news, settings).findings())
    mixed = news.assign(announced_at=[late[0], "2021-10-28T10:00-04:00"])
    assert day not in headline(run_study(mixed, settings).findings())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "effect", "strong"),
    [(8, 0.0, "no significant move"), (8, -0.06, "worse than"), (1, -0.06, "than")],
)
def test_a_group_in_short(n: int, effect: float, strong: str) -> None:
    results = with_columns(Market(n, effect=effect, seed=3).fit(), direction="relief")
    decided, study = results.answer(MAIN), findings(results, by="direction")
    sentences = answer.brief(study, study.sample)
    events = "one relief announcement" if n == 1 else f"{words().word(n)} relief announcements"
    assert str(sentences).startswith(f"The {events}: ")
    assert f"{words().p(decided.pvalue)})." in str(sentences)
    assert ("times as much as usual" in str(sentences)) == (n == 1)
    assert strong in next(text for text, emphasised in sentences.pieces if emphasised)


@pytest.mark.slow
def test_the_first_group_with_a_verdict_leads(fallen: EventStudyResults) -> None:
    direction = ["a"] * 8 + ["b"] * 6 + ["c"] * 6
    results = with_columns(fallen, direction=direction)
    assert [s.group for s in findings(results).samples] == ["a", "b", "c", ""]
    market = Market(20, dates=7, effect=-0.04, seed=3)
    for i, day in enumerate(market.table["day0"][:8]):
        market.frame.iloc[market.frame.index.get_loc(day), i] = np.nan
    without = findings(with_columns(market.fit(), direction=direction))
    assert [s.group for s in without.samples] == ["b", "a", "c", ""]
    assert [s.answer.n_events for s in without.samples] == [6, 0, 6, 12]


@pytest.mark.slow
def test_without_a_main_test_there_is_no_result() -> None:
    market = Market(15, dates=1, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    results = market.fit(frame, model="market_adjusted")
    sentences = str(answer.answer(findings(results)))
    assert sentences.startswith("No result: ")
    assert "so the benchmark may consist of these firms" in sentences
    assert not asides(findings(results)), "without a verdict there is nothing to doubt"


def test_the_terminal_has_the_difference_of_two_groups(
    fallen: EventStudyResults, split: EventStudyResults
) -> None:
    """That of the plain averages, with the p of the table; of three groups there are three."""
    cars = split.car((0, 1))["car"]
    by_hand = 100 * (cars[:12].mean() - cars[12:].mean())
    p = words().p(split.difference("direction", "adverse", "relief").pvalue)
    said = f"Difference of the plain averages, adverse minus relief: {by_hand:+.2f}% ({p})."
    text = " ".join(str(Terminal(findings(split)).text()).split())
    assert said.replace("\N{NO-BREAK SPACE}", " ") in text
    three = with_columns(fallen, direction=["adverse"] * 8 + ["relief"] * 6 + ["other"] * 6)
    assert "Difference of" not in str(Terminal(findings(three)).text())
