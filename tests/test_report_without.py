"""The answer without some of the events: the rows of the section are those of the CSV."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import MAIN, findings
from situations import placed

from eventstudy.findings import Findings
from eventstudy.report.page.folds import list_folds
from eventstudy.report.tables.events import dropped_kinds, dropped_lede, flags_table, left_out_table
from eventstudy.report.tables.table import Row, Table
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Flag
from eventstudy.words import Reason, clipped, say, words

AT = [150] * 5 + [153, 156, 160, 163, 166, 170, 172]


def flagged(market: Market) -> EventStudyResults:
    """Fit events of which some have flags, and one of these lacks the main window."""
    market.table["flags"] = [Flag.TIME_UNKNOWN] * 3 + [""] * (len(market.table) - 3)
    at = market.frame.index.get_loc(market.table["day0"][1])
    return market.fit(market.frame.assign(F01=market.frame["F01"].mask(np.arange(200) == at + 1)))


def left_out(study: Findings) -> pd.DataFrame:
    """Return the rows of the CSV of the main test over the main window; empty without any."""
    table = study.over_main(study.beside("without_flagged"))
    return table[table["test"] == study.sample.answer.test] if len(table) else table


def rows_of(study: Findings) -> tuple[Row, ...]:
    table = left_out_table(study)
    return table.rows if table else ()


def cells_of(study: Findings, row: Row) -> list[str]:
    table = left_out_table(study)
    assert table is not None
    return table.write_cells(row)


@pytest.mark.parametrize("at", [AT, [150 + 3 * i for i in range(12)]])
def test_the_section_has_the_rows_of_the_csv(at: list[int]) -> None:
    results = flagged(placed(at, seed=3, effect=-0.02))
    study = findings(results)
    (everything, *rows), table, answer = rows_of(study), left_out(study), study.sample.answer
    assert answer.n_events == 11
    effect = words().percent(answer.effect.estimate, unit=False)
    assert cells_of(study, everything)[2:] == ["11", effect, words().pvalue(answer.pvalue)]
    assert [row.name.lower() for row in rows] == [f.replace("_", " ") for f in table["left_out"]]
    assert [cells_of(study, row)[2:] for row in rows] == [
        [
            f"{row.n_events}",
            words().percent(row.weighted_caar, unit=False),
            words().pvalue(row.pvalue),
        ]
        for row in table.itertuples()
    ]
    without = results.events["flags"].str.contains(Flag.TIME_UNKNOWN)
    known = table.set_index("left_out").loc[Flag.TIME_UNKNOWN]
    complete = int((results.abnormal.valid(MAIN) & ~without).sum())
    assert known["n_events"] == complete, "the flagged one lacks it"
    remarks = {row.name.lower(): row.remark for row in rows}
    assert remarks["time unknown"] == say("flag.time_unknown")


def test_a_large_date_is_a_leave_out_of_the_answer() -> None:
    results = placed(AT, seed=3, effect=-0.02).fit()
    study = findings(results)
    assert study.sample.diagnosis is not None
    assert study.sample.diagnosis.large_date
    alone = results.subset(np.array(AT) != 150).answer(MAIN)
    influence = study.sample.answer.influence
    assert influence is not None
    (row,) = [row for row in influence.leave_outs if row.kind == "date"]
    assert (row.n_events, row.n_left_out) == (7, len(AT) - 7)
    assert row.pvalue == pytest.approx(alone.pvalue, rel=1e-12)
    assert row.effect.estimate == pytest.approx(alone.effect.estimate, rel=1e-12)


@pytest.mark.parametrize("at", [[150] * 6 + [156], [150 + 3 * i for i in range(12)], [150] * 8])
def test_no_advice_where_no_other_events_are_left(at: list[int]) -> None:
    study = findings(placed(at, seed=3).fit())
    assert study.sample.diagnosis is not None
    assert not study.sample.diagnosis.large_date


def test_dropped_events_stand_with_their_reason() -> None:
    market = Market(12)
    market.table.loc[5, ["ticker", "day0"]] = market.table.loc[6, ["ticker", "day0"]]
    study = findings(market.fit(market.frame.drop(columns=["F03", "F04"])))
    facts = {"n": 12, "used": 9, "lost": 3}
    assert dropped_lede(study) == say("dropped.lede_some", **facts)
    codes = {reason.code: n for reason, n in study.dropped}
    assert codes == {"no_data": 2, "same_session": 1}
    first, second = dropped_kinds(study)
    assert (first.n, len(first.reasons)) == (2, 2)
    assert first.remedy.startswith("Check the tickers F03, F04, or choose")
    assert [event.cells["event_id"] for events in second.reasons.values() for event in events] == [
        "e6"
    ]


def test_equal_reasons_are_said_once() -> None:
    study = findings(Market(12).fit())
    none, other = (Reason("no_data", datum="price", series="", why=w) for w in ("none", "other"))
    reasons = [none] * 8 + [other] + [Reason.of("")] * 3
    events = [
        replace(event, is_used=not why, reason=why)
        for event, why in zip(study.events, reasons, strict=True)
    ]
    (kind,) = dropped_kinds(replace(study, events=tuple(events), dropped=((none, 9),)))
    assert (kind.reason, kind.n) == (none.head, 9)
    assert {reason: len(events) for reason, events in kind.reasons.items()} == {none: 8, other: 1}


def test_events_without_a_car_are_not_in_the_answer() -> None:
    study = findings(flagged(Market(12)))
    (data,) = (fold for fold in list_folds(study) if fold.code == "data")
    dropped = next(block for block in data.blocks if isinstance(block, Table))
    (remark,) = study.sample.lacking
    assert remark.reason.code == "no_data_one_day"
    assert [(row.name, row.remark.partition(":")[0]) for row in dropped.rows] == [
        (clipped(remark.reason, 240), say("dropped.lacking", window=MAIN))
    ]
    assert remark.event_id in dropped.rows[0].remark
    assert any(remark.reason.remedy in str(block) for block in data.blocks)


def test_flags_have_their_meaning_and_number() -> None:
    table = flags_table(findings(flagged(Market(12))))
    assert table is not None
    assert [table.write_cells(row) for row in table.rows] == [
        ["time unknown", say("flag.time_unknown"), "3"],
        ["missing days", say("flag.missing_days", datum="price"), "1"],
    ]


def test_every_flag_has_a_meaning() -> None:
    assert all(say(f"flag.{flag}", datum="price") for flag in Flag)
