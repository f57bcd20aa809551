"""Files of returns are looked at: what is impossible is taken as missing and named, what is news
stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import invoke

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.errors import DataError
from eventstudy.events import Events, events_from_frame
from eventstudy.findings.sampling import list_lacking_cars
from eventstudy.quality import ReturnFault, ReturnKind
from eventstudy.quality.faults import MISSING
from eventstudy.returns import FrameTable, ReturnsPanel, read_returns
from eventstudy.runs import reproduce_run
from eventstudy.utility import FloatArray

DAYS = pd.bdate_range("2018-01-01", periods=600, name="date")
FIRMS = [f"F{k}" for k in range(6)]
AT = 400
KINDS: tuple[ReturnKind, ...] = ("simple", "log")
NAN = np.nan


def clean(kind: ReturnKind = "simple", seed: int = 1) -> pd.DataFrame:
    """Six shares and their market; no return is above 20 %."""
    rng = np.random.default_rng(seed)
    market = 0.008 * rng.standard_t(5, len(DAYS)) / 1.3
    noise = 0.015 * rng.standard_t(5, (len(DAYS), len(FIRMS))) / 1.3
    frame = (
        pd.DataFrame(market[:, None] + noise, DAYS, FIRMS)
        .assign(MKT=market)
        .clip(-0.2, 0.2)
        .round(6)
    )
    return frame if kind == "simple" else np.log1p(frame)


def with_cells(frame: pd.DataFrame, cells: dict[tuple[int, str], float]) -> pd.DataFrame:
    frame = frame.copy()
    for (row, column), value in cells.items():
        frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


def listed(**columns: object) -> Events:
    """One event of each firm, all with their day 0 on row AT but the last, 100 days earlier."""
    rows = [AT] * (len(FIRMS) - 1) + [AT - 100]
    table = {"event_id": FIRMS, "ticker": FIRMS, "announced_at": DAYS[rows].strftime("%Y-%m-%d")}
    return events_from_frame(
        pd.DataFrame({**table, "benchmark": "MKT", **columns}), calendar="data"
    )


def panel_of(frame: pd.DataFrame, kind: ReturnKind = "simple") -> ReturnsPanel:
    return ReturnsPanel.from_frame(frame, kind=kind)


def fitted(frame: pd.DataFrame, kind: ReturnKind = "simple") -> es.EventStudyResults:
    study = es.EventStudy(listed(), panel_of(frame, kind), estimation=(-250, -31), event=(-10, 10))
    return study.fit()


def kinds_of(frame: pd.DataFrame, kind: ReturnKind = "simple") -> list[tuple[str, str, str]]:
    return [(f.kind, f.symbol, f.date) for f in panel_of(frame, kind).faults]


def returns_of(panel: ReturnsPanel, symbol: str) -> FloatArray:
    return panel.values[[name for name, _ in panel.keys].index(symbol)]


def day(row: int) -> str:
    return str(DAYS[row].date())


# kind of fault: cells written into the clean file, by kind of return
CASES: dict[tuple[str, ReturnKind], dict[tuple[int, str], float]] = {
    ("infinite_return", "simple"): {(AT, "F0"): np.inf},
    ("infinite_return", "log"): {(AT, "F0"): -np.inf},
    ("impossible_loss", "simple"): {(AT, "F0"): -1.3},
    ("missing_code", "simple"): {(AT, "F0"): -99.0},
    ("missing_code", "log"): {(AT, "F0"): 999.0},
    ("impossible_return", "simple"): {(AT, "F0"): 5.0},
    ("impossible_return", "log"): {(AT, "F0"): 5.0},
}


def test_every_kind_that_is_taken_as_missing_has_a_case() -> None:
    assert {kind for kind, _ in CASES} | {"percent_column"} == {
        kind for kind in ReturnFault if kind.action == MISSING
    }
    assert {flag for kind in ReturnFault for flag in kind.flags} == set(ReturnFault.all_flags())


def test_a_clean_file_passes() -> None:
    for kind in KINDS:
        frame = clean(kind)
        panel = panel_of(frame, kind)
        assert (panel.faults, panel.notices, panel.failures) == ((), (), {})
        np.testing.assert_array_equal(panel.values, frame.to_numpy().T)


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_a_cell_is_taken_as_missing_and_nothing_else(fault: str, kind: ReturnKind) -> None:
    frame = with_cells(clean(kind), CASES[fault, kind])
    panel, blank = panel_of(frame, kind), with_cells(clean(kind), {(AT, "F0"): NAN})
    assert kinds_of(frame, kind) == [(fault, "F0", day(AT))]
    assert panel.faults[0].action == MISSING
    np.testing.assert_array_equal(panel.values, panel_of(blank, kind).values)
    assert ((panel.spans > 0) == np.isfinite(panel.values)).all()
    [notice] = panel.notices
    value = CASES[fault, kind][AT, "F0"]
    assert notice.startswith("returns: 1 ")
    assert f"F0 on {day(AT)} is {value:g}" in notice


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_events_carry_the_flag_and_the_mean_is_that_without_the_cell(
    fault: str, kind: ReturnKind
) -> None:
    results, without = (
        fitted(with_cells(clean(kind), cells), kind)
        for cells in (CASES[fault, kind], {(AT, "F0"): NAN})
    )
    pd.testing.assert_frame_equal(results.car([(0, 1)]), without.car([(0, 1)]))
    flags = results.events["flags"].str.split(";")
    for name in ReturnFault.all_flags():
        touched = [name in ReturnFault(fault).flags, *[False] * (len(FIRMS) - 1)]
        assert [name in text for text in flags] == touched


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_in_percent_is_out_with_its_event(kind: ReturnKind) -> None:
    frame = clean(kind).assign(F0=100 * clean(kind)["F0"])
    results, without = fitted(frame, kind), fitted(clean(kind).drop(columns="F0"), kind)
    assert results.events["status"].tolist() == ["dropped", *["ok"] * 5]
    assert re.search(
        "the column F0 of returns is not in decimals.*divide it by 100", results.events["reason"][0]
    )
    assert {"quarantined", "suspect_unit"} <= set(results.events["flags"][0].split(";"))
    pd.testing.assert_frame_equal(results.car([(0, 1)]), without.car([(0, 1)]))
    [fault] = results.panel.faults
    assert (fault.kind, fault.symbol, fault.date, fault.last) == (
        "percent_column",
        "F0",
        day(0),
        day(599),
    )


def test_a_fault_of_the_benchmark_touches_all_events_of_the_day() -> None:
    results = fitted(with_cells(clean(), {(AT, "MKT"): 1.4}))
    assert ["quarantined" in flags for flags in results.events["flags"]] == [*[True] * 5, False]
    assert results.abnormal.valid(es.Window(0, 1)).tolist() == [*[False] * 5, True]
    reasons = [one.reason for one in list_lacking_cars(results, es.Window(0, 0))]
    assert {reason.code for reason in reasons} == {"series_faulty"}
    assert all(reason.facts["kinds"] == ["impossible return"] for reason in reasons)
    percent = fitted(clean().assign(MKT=100 * clean()["MKT"]))
    assert percent.events["reason"].str.contains("benchmark: the column MKT").all()
    assert percent.events["flags"].str.contains("suspect_unit").all()


@pytest.mark.parametrize("value", [0.6, -0.3, -0.42, 0.99, -0.94])
@pytest.mark.parametrize("kind", KINDS)
def test_news_stays_however_large(value: float, kind: ReturnKind) -> None:
    written = value if kind == "simple" else np.log1p(value)
    results = fitted(with_cells(clean(kind), {(AT, "F0"): written}), kind)
    assert results.panel.faults == ()
    assert results.panel.values[0, AT] == written
    assert not set(ReturnFault.all_flags()) & set(";".join(results.events["flags"]).split(";"))


def wild_after(frame: pd.DataFrame, times: float) -> pd.DataFrame:
    frame = frame.copy()
    frame.iloc[AT + 1 : AT + 11, 0] *= times
    return frame


@pytest.mark.parametrize("times", [8.0, 0.05])
def test_a_rise_that_changes_the_share_is_flagged_and_stays(times: float) -> None:
    """Wild days follow a real rise, calm ones a bid."""
    results = fitted(wild_after(with_cells(clean(), {(AT, "F0"): 4.0}), times))
    assert [f.kind for f in results.panel.faults] == ["suspect_return"]
    assert results.panel.values[0, AT] == 4.0
    assert "suspect_unit" in results.events["flags"][0]
    assert "kept" in results.panel.notices[0]


def test_a_day_of_the_market_is_flagged_and_stays() -> None:
    frame = with_cells(clean(), {(AT, "F0"): 5.0, (AT, "F1"): 0.5, (AT, "F2"): 0.4})
    assert kinds_of(frame) == [("suspect_return", "F0", day(AT))]
    other = with_cells(clean(), {(AT, "F0"): 5.0, (AT, "F1"): 0.5, (AT + 1, "F2"): 0.4})
    assert kinds_of(other) == [("impossible_return", "F0", day(AT))]


def test_without_a_history_nothing_is_impossible_but_by_its_value() -> None:
    frame = with_cells(clean(), {(20, "F0"): 5.0, (21, "F1"): -5.0})
    assert kinds_of(frame) == [
        ("suspect_return", "F0", day(20)),
        ("impossible_loss", "F1", day(21)),
    ]
    short = with_cells(clean(), {(580, "F0"): 5.0}).iloc[560:]
    assert kinds_of(short) == []


def test_a_loss_of_everything_is_the_end_of_a_share() -> None:
    frame = clean()
    frame.iloc[AT:, 0] = NAN
    ended = with_cells(frame, {(AT, "F0"): -1.0})
    assert kinds_of(ended) == []
    assert panel_of(ended).values[0, AT] == -1.0
    assert kinds_of(with_cells(clean(), {(AT, "F0"): -1.0})) == [("impossible_loss", "F0", day(AT))]
    both = with_cells(ended, {(300, "F0"): 5.0})
    assert kinds_of(both) == [("impossible_return", "F0", day(300))]


@pytest.mark.parametrize(
    "value", [-44, -66.0, -77.0, -88.0, -99.0, -999.0, -9999.0, 99.0, 9999.0, -99.99]
)
@pytest.mark.parametrize("kind", KINDS)
def test_codes_of_missing_values(value: float, kind: ReturnKind) -> None:
    rows = [300, 301, 302, 350]
    frame = with_cells(clean(kind), {(row, "F0"): value for row in rows})
    panel = panel_of(frame, kind)
    assert [(f.kind, f.date, f.last) for f in panel.faults] == [
        ("missing_code", day(300), day(302)), ("missing_code", day(350), day(350)),
    ]  # fmt: skip
    assert np.isnan(panel.values[0, rows]).all()
    assert panel.notices[0].startswith("returns: 4 ")


def test_a_code_that_fills_most_of_a_column() -> None:
    frame = clean()
    frame.iloc[:400, 0] = -99.0
    panel = panel_of(frame)
    assert [(f.kind, f.date, f.last) for f in panel.faults] == [("missing_code", day(0), day(399))]
    np.testing.assert_array_equal(panel.values[0, 400:], clean()["F0"].iloc[400:])


@pytest.mark.parametrize("value", [-5555.0, 7777.0])
def test_one_absurd_number_again_and_again_is_a_code(value: float) -> None:
    frame = with_cells(clean(), {(row, "F0"): value for row in (200, 300, 350, 420)})
    assert [kind for kind, *_ in kinds_of(frame)] == ["missing_code"] * 4


def test_a_loss_of_99_percent_is_a_code_where_ordinary_days_follow() -> None:
    cells = {(row, "F0"): -0.99 for row in (300, 303, 306)}
    assert [kind for kind, *_ in kinds_of(with_cells(clean(), cells))] == ["missing_code"] * 3
    crash = wild_after(with_cells(clean(), {(AT, "F0"): -0.99}), 9.0)
    assert [kind for kind, *_ in kinds_of(crash)] == ["suspect_return"]
    assert panel_of(crash).values[0, AT] == -0.99
    other = with_cells(clean(), {(AT, "F0"): -0.9863})
    assert "missing_code" not in [kind for kind, *_ in kinds_of(other)]


def forms(frame: pd.DataFrame, folder: Path) -> Iterator[Path]:
    """Yield the file as wide and long CSV and, where pyarrow is, Parquet."""
    long = frame.reset_index().melt("date", var_name="ticker", value_name="ret")
    long = long.astype({"ret": str}) if long["ret"].dtype == object else long
    for name, table in (("wide", frame.reset_index()), ("long", long)):
        table.to_csv(folder / f"{name}.csv", index=False)
        yield folder / f"{name}.csv"
        try:
            table.to_parquet(folder / f"{name}.parquet", row_group_size=500)
        except ImportError:
            continue
        yield folder / f"{name}.parquet"


def test_every_form_of_a_file_is_looked_at(tmp_path: Path) -> None:
    cells = {(AT, "F0"): 5.0, (AT, "F1"): -99.0, (AT, "F2"): -1.3, (AT, "F3"): np.inf}
    frame = with_cells(clean(), cells).assign(F4=100 * clean()["F4"])
    expected = panel_of(frame)
    assert len(expected.faults) == 5
    for path in forms(frame, tmp_path):
        panel = read_returns(path, listed(), calendar="data")
        assert {(f.kind, f.symbol, f.date) for f in panel.faults} == {
            (f.kind, f.symbol, f.date) for f in expected.faults
        }
        assert all(f.detail.startswith(path.name) for f in panel.faults)
        assert all(notice.startswith(path.name) for notice in panel.notices)
        assert set(panel.symbols) == {*FIRMS, "MKT"} - {"F4"}
        for symbol in panel.symbols:
            np.testing.assert_array_equal(returns_of(panel, symbol), returns_of(expected, symbol))
        assert "F4" in panel.failures


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        ("0.012345", ""),
        ("-0\n", ""),
        ("0.0", ""),
        ("-0", "line 601: the file seems cut off"),
        ("-0.01", "line 601: the file seems cut off"),
        (None, "line 601: 7 cells where the header has 8"),
    ],
)
@pytest.mark.parametrize("form", ["wide", "long"])
def test_a_file_that_ends_within_its_last_line(
    form: str, end: str | None, fault: str, tmp_path: Path
) -> None:
    """As a file of prices that does; zeros, blanks and exponents before it are no measure."""
    path, frame = tmp_path / "returns.csv", clean()
    if form == "long":
        frame = frame.rename_axis(columns="ticker").stack().rename("ret").reset_index()
    lines = frame.to_csv(index=form == "wide").rstrip("\n").split("\n")
    column = [line.rpartition(",") for line in lines]
    cells = [f"{float(cell):.6f}" for _, _, cell in column[1:]]
    cells[-7:-5] = "0.0", "1.23456e-05"
    if form == "wide":
        cells[-8] = ""
    rows = [f"{start},{cell}" for (start, _, _), cell in zip(column[1:], cells, strict=True)]
    last = column[-1][0] if end is None else f"{column[-1][0]},{end}"
    path.write_text("\n".join([lines[0], *rows[:-1], last]))
    if not fault:
        assert read_returns(path, listed(), benchmark="MKT").failures == {}
        return
    if form == "long":
        fault = fault.replace("601", str(len(lines))).replace("7", "2").replace("8", "3")
    with pytest.raises(DataError, match=f"returns.csv, {fault}"):
        read_returns(path, listed(), benchmark="MKT")


def test_letters_of_crsp_are_codes(tmp_path: Path) -> None:
    letters = {0: "C", 1: ".C", 2: "B", 300: "A", 301: " E ", 302: "."}
    frame = clean().astype(object)
    for row, text in letters.items():
        frame.iloc[row, 0] = text
    blank = with_cells(clean(), {(row, "F0"): NAN for row in letters})
    events = listed()
    for path in forms(frame.astype({"F0": str}), tmp_path):
        panel = read_returns(path, events, calendar="data")
        np.testing.assert_array_equal(returns_of(panel, "F0"), blank["F0"])
        assert {f.kind for f in panel.faults} == {"missing_code"}
        assert panel.notices[0].startswith(f"{path.name}: {len(letters)} ")
        assert f"F0 on {day(0)} is -66 (C)" in panel.notices[0]
    frame.iloc[5, 0] = "x"
    for path in forms(frame.astype({"F0": str}), tmp_path):
        with pytest.raises(
            DataError, match=f"F0 on {day(5)}.*: a return that is no number, got 'x'"
        ):
            read_returns(path, events, calendar="data")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [FIRMS, ["MKT"], [*FIRMS, "MKT"]])
def test_a_file_in_percent_is_refused(kind: ReturnKind, columns: list[str]) -> None:
    with pytest.raises(DataError, match=r"not decimal returns.*divide percent by 100"):
        panel_of(100 * clean(kind)[columns], kind)


def test_a_file_with_many_impossible_losses_is_refused() -> None:
    frame = clean().iloc[:20]
    cells = {(5, "F1"): -1.5, (4, "F2"): -1.5}
    with pytest.raises(DataError, match=f"F2 on {day(4)}: a simple return below -100 %"):
        panel_of(with_cells(frame, cells))


def test_a_column_in_doubt_is_flagged_and_stays() -> None:
    """A bond fund in percent, as log returns: its size is that of a share of a hundredth of a
    penny."""
    rng = np.random.default_rng(3)
    frame = clean("log").assign(F0=0.25 * rng.standard_normal(len(DAYS)))
    results = fitted(frame, "log")
    assert [f.kind for f in results.panel.faults] == ["suspect_column"]
    np.testing.assert_array_equal(results.panel.values[0], frame["F0"])
    assert ["suspect_unit" in flags for flags in results.events["flags"]] == [True, *[False] * 5]


class Recorded(FrameTable):
    """A table that remembers what is read of it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__(frame)
        self.read: list[list[str]] = []

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        self.read.append(list(symbols))
        return super().blocks(symbols)


def test_only_columns_with_something_to_clean_are_read_twice() -> None:
    for cells, again in (({}, []), ({(AT, "F2"): 5.0}, [["F2"]]), ({(AT, "F2"): 0.9}, [])):
        table = Recorded(with_cells(clean(), cells))
        ReturnsPanel.from_table(table)
        assert table.read == [[*FIRMS, "MKT"], *again]


def test_returns_on_days_without_a_session_are_cleaned_before_they_are_compounded() -> None:
    days = DAYS.delete(AT).to_numpy().astype("datetime64[s]")
    mine = Sessions(
        "A", "Europe/London", days.astype("datetime64[D]"), days, days + np.timedelta64(8, "h")
    )
    values = {}
    for name, value in (("faulty", 5.0), ("blank", NAN)):
        frame = with_cells(clean(), {(AT, "F0"): value})
        panel = ReturnsPanel.from_frame(frame, keys=[("F0", "A")], sessions={"A": mine})
        values[name] = panel.values
    assert len(values["faulty"][0]) == len(DAYS) - 1
    np.testing.assert_array_equal(values["faulty"], values["blank"])


VALUES = st.sampled_from([
    NAN, np.inf, -np.inf, 0.0, 0.01, -0.02, 0.013, -1.0, -1.3, 5.0, 1e300, -1e300, -99.0, -66.0,
    -0.99, 999.0,
])  # fmt: skip


@pytest.mark.slow
@settings(max_examples=100)
@given(
    st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=40, max_size=90),
    st.sampled_from(KINDS),
)
def test_no_table_of_numbers_is_too_faulty(rows: list[list[float]], kind: ReturnKind) -> None:
    """Whatever the numbers: refused with a sentence, or finite returns that a share can have; no
    warning."""
    ordinary = clean(kind).iloc[:200, :3].to_numpy()
    values = np.vstack([ordinary, rows]) if len(rows) % 2 else np.array(rows)
    refused = ""
    try:
        panel = panel_of(pd.DataFrame(values, DAYS[: len(values)], list("ABC")), kind)
    except DataError as error:
        refused = error.what
    if refused:
        assert "decimal returns" in refused or "below -100 %" in refused
        return
    assert ((panel.spans > 0) == np.isfinite(panel.values)).all()
    assert not np.isinf(panel.values).any()
    if kind == "simple":
        assert ((panel.values >= -1) | np.isnan(panel.values)).all()
    assert not np.isin(panel.values, [-99.0, -66.0, 999.0]).any()
    assert {f.kind for f in panel.faults} <= set(ReturnFault)


# The way to the report


@pytest.mark.slow
def test_a_run_names_it_everywhere(tmp_path: Path) -> None:
    with_cells(clean(), {(AT, "F0"): 5.0}).to_csv(tmp_path / "r.csv")
    listed().table[["event_id", "ticker", "announced_at", "benchmark"]].to_csv(
        tmp_path / "e.csv", index=False
    )
    text = invoke(
        "run", tmp_path / "e.csv", "--returns", tmp_path / "r.csv", "--calendar", "data",
        "--estimation",
        "-250:-31", "--out", tmp_path, "--name", "study", "--draws", "99", "--event-pages", "1", "--calibrate", "0",
        "-v",
    )  # fmt: skip
    run = tmp_path / "study"
    assert re.search(rf"NOTE: r\.csv: 1 .*F0 on {day(AT)} is 5\.", text)
    assert "in the windows: 1 impossible return; tables/faults.csv" in " ".join(text.split())
    events = pd.read_csv(run / "events.csv", index_col="event_id", keep_default_na=False)
    assert ["quarantined" in flags for flags in events["flags"]] == [True, *[False] * 5]
    [fault] = pd.read_csv(run / "tables" / "faults.csv").to_dict("records")
    assert (fault["symbol"], fault["date"], fault["kind"]) == ("F0", day(AT), "impossible_return")
    assert fault["detail"] == "r.csv: 5"
    car = pd.read_csv(run / "tables" / "car.csv")
    assert car["car"].abs().max() < 1
    assert "quarantined" in set(pd.read_csv(run / "tables" / "without_flagged.csv")["left_out"])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "r.csv: 1 impossible return" in page
    assert reproduce_run(run).exact


def test_the_document_has_every_flag() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert all(f"`{flag}`" in text for flag in ReturnFault.all_flags())
