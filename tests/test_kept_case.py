"""The first event, whose prices may not be shipped, as a committed case of derived numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SHARED
from run_folders import QUICK, invoke
from yahoo_standin import Series, Yahoo, proxy_env
from yahoo_world import series

from eventstudy.calendars import Window
from eventstudy.errors import EventStudyError
from eventstudy.findings import Case
from eventstudy.findings.document import to_json
from eventstudy.findings.finished_run import read_findings
from eventstudy.runs.kept_case import CASE, compute_case, reproduce_case, verify_case
from eventstudy.settings import StudyConfig

NAME, EVENT = "hikvision-2019", "hikvision-2019-05-22-report"
FIRM, INDEX, NAMED = "002415.SZ", "399001.SZ", "000300.SS"
FOLDER, REAL = ROOT / "reports" / NAME, SHARED / "market-data" / "prices"
TITLE, ORIGIN = (
    "A case of its own: Hangzhou Hikvision, 22 May 2019",
    f"These numbers come from the committed run {NAME}",
)
LINE = "Hangzhou Hikvision, 22 May 2019"
committed = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="the source package has no reports"
)
priced = pytest.mark.skipif(not REAL.is_dir(), reason="no market data")


@committed
def test_the_package_ships_what_is_committed() -> None:
    data = ROOT / "eventstudy" / "data" / f"{NAME}.json"
    assert (FOLDER / CASE).read_bytes() == data.read_bytes()
    assert verify_case(FOLDER).ok
    assert "all 3 files are as they were written" in invoke("verify", FOLDER)
    assert (FOLDER / "abnormal.svg").read_text(encoding="utf-8").count("<svg") == 1


def test_its_numbers_are_those_of_another_program() -> None:
    """As other engineers computed them from the same prices."""
    case = Case.shipped(NAME)
    day0 = case.over(Window(0, 0))
    assert day0["car"] == pytest.approx(-0.0492, abs=5e-5)
    assert day0["car"] / day0["se"] == pytest.approx(-2.59, abs=0.005)
    # A plain numpy program: k is 1.3406 on day 0 and 1.3762 over [0,1], where the return of
    # 6 May spans three sessions; against the other index it is 1.3009 and the textbook's t -2.54.
    assert day0["statistic"] == pytest.approx(-2.593 / 1.3406**0.5, abs=0.005)
    assert case.over(Window(0, 1))["statistic"] == pytest.approx(-2.803 / 1.3762**0.5, abs=0.005)
    assert case.other_index["statistic"] == pytest.approx(-2.541 / 1.3009**0.5, abs=0.005)
    assert case.other_index["benchmark"] == NAMED
    assert case.other_index["car"] == pytest.approx(-0.0486, abs=5e-5)
    assert len(case.days) == 21
    assert case.fit["df_resid"] == 218


def closes(symbol: str) -> pd.Series[float]:
    table = pd.read_csv(REAL / f"{symbol}.csv", parse_dates=["date"], index_col="date")
    return table["adj_close"].dropna()


def regression(index: str) -> tuple[pd.Series[float], pd.Series[float], float]:
    """Return the ARs about day 0, the returns of the index there, and their sum of squares in the
    estimation window."""
    prices = pd.concat([closes(FIRM), closes(index)], axis=1, keys=["y", "x"], join="inner")
    returns, sessions = prices.pct_change(fill_method=None), closes(FIRM).index
    at = sessions.get_loc(pd.Timestamp("2019-05-22"))
    estimation = returns.loc[sessions[at - 250 : at - 30]]
    event = returns.loc[sessions[at - 10 : at + 11]]
    slope, level = np.polyfit(estimation["x"], estimation["y"], 1)
    spread = float(((estimation["x"] - estimation["x"].mean()) ** 2).sum())
    return event["y"] - level - slope * event["x"], event["x"], spread


@priced
def test_its_abnormal_returns_are_those_of_a_regression() -> None:
    case = Case.shipped(NAME)
    ar = regression(INDEX)[0]
    assert [f"{day:%Y-%m-%d}" for day in ar.index] == [f"{d:%Y-%m-%d}" for d in case.days["date"]]
    assert case.days["ar"].to_numpy() == pytest.approx(ar.to_numpy(), abs=1e-5)
    assert case.days["car"].to_numpy() == pytest.approx(ar.cumsum().to_numpy(), abs=1e-4)
    other = regression(NAMED)[0]["2019-05-22"]
    assert case.other_index["car"] == pytest.approx(other, abs=1e-5)


@priced
def test_no_price_and_no_return_follows_from_it() -> None:
    """Neither stands in it, and the error of day 0 leaves the index's return of day 0 open.

    Var(AR) = s2 (1 + 1/M + (x - mean)2 / Sxx), and Sxx follows from R2, beta and sigma.
    """
    case = Case.shipped(NAME)
    text = to_json(case)
    for symbol in (FIRM, INDEX, NAMED):
        near = closes(symbol)["2018-03":"2019-10"]  # type: ignore[misc]
        assert not any(f"{price:.4f}" in text or f" {price:.2f}," in text for price in near)
        returns = near.pct_change().dropna()["2019-05-08":"2019-06-05"]  # type: ignore[misc]
        assert not any(f"{value:.6f}" in text for value in returns)
    fit, (_, index, spread) = case.fit, regression(INDEX)
    r2 = fit["r2"]
    known = r2 / (1 - r2) * fit["sigma"] ** 2 * fit["df_resid"] / fit["beta"] ** 2
    assert known == pytest.approx(spread, rel=0.01)
    # The most that the error, as it was rounded, can be; from t it follows a little better.
    most = abs(case.over(Window(0, 0))["car"]) / 2.585
    reach = np.sqrt(((most / fit["sigma"]) ** 2 - 1 - 1 / fit["nobs"]) * known)
    assert reach > 0.015
    assert abs(index).median() < reach


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first event and two whose prices are in the bundled sample."""
    rows = pd.read_csv(ROOT / "events.csv", dtype=str, keep_default_na=False)
    rows = rows[
        rows["event_id"].isin([EVENT, "amd-2019-06-21-sugon-entity", "aapl-2019-12-13-phase-one"])
    ]
    file = tmp_path_factory.mktemp("events") / "events.csv"
    rows.to_csv(file, index=False)
    return file


def run_of(events: Path, out: Path, *options: object) -> str:
    return invoke(
        "run", events, "--prices", "sample", "--out", out, "--draws", "99", *QUICK, *options
    )


@pytest.mark.slow
def test_it_is_shown_and_enters_nothing(events: Path, tmp_path: Path) -> None:
    output = run_of(events, tmp_path / "a")
    assert f"{LINE}, -7.6%" in " ".join(output.split())
    run = tmp_path / "a" / "events"
    for file in ("report.html", "report.md"):
        text = (run / file).read_text(encoding="utf-8")
        assert text.count(ORIGIN) == 1
        assert "(prices of 002415.SZ and 399001.SZ) and are not recomputed here" in text
        assert "−4.92" in text
    row = pd.read_csv(run / "events.csv", index_col="event_id").loc[EVENT]
    assert row["status"] == "dropped"
    assert row["reason"].startswith("no price data")
    renamed = tmp_path / "events.csv"
    renamed.write_text(
        events.read_text(encoding="utf-8").replace(EVENT, "another"), encoding="utf-8"
    )
    assert LINE not in run_of(renamed, tmp_path / "b")
    with_case, without = (read_findings(tmp_path / out / "events") for out in "ab")
    assert to_json(replace(with_case, events=(), dropped=(), provenance={})) == to_json(
        replace(without, events=(), dropped=(), provenance={})
    )
    assert [e.is_used for e in with_case.events] == [False, True, True]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"), [(f",{FIRM},", ",002236.SZ,"), (f"{EVENT},2019-05-22", f"{EVENT},2019-05-23")]
)
def test_another_event_of_that_name_is_not_it(
    events: Path, tmp_path: Path, old: str, new: str
) -> None:
    text = events.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "events.csv").write_text(text.replace(old, new), encoding="utf-8")
    assert LINE not in run_of(tmp_path / "events.csv", tmp_path / "out")


@pytest.mark.slow
def test_it_is_of_returns(events: Path, tmp_path: Path) -> None:
    sources = {symbol: series(symbol) for symbol in (FIRM, "AMD", "AAPL")}
    folder = tmp_path / "prices"
    folder.mkdir()
    for symbol in ("AMD", "AAPL"):
        rows = [(r[0], r[4], r[5]) for r in sources[symbol].rows]
        table = pd.DataFrame(rows, columns=["date", "adj_close", "volume"])
        table.to_csv(folder / f"{symbol}.csv", index=False)
    options = ("--measure", "volume", "--out", tmp_path / "out", "--draws", "99", *QUICK)
    assert LINE not in invoke("run", events, "--prices", folder, *options)


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Yahoo]]:
    """Serve the two series, perhaps changed, to this process."""
    with pytest.MonkeyPatch.context() as patch:
        open_ones = []

        def serve(*shares: Series) -> Yahoo:
            yahoo = Yahoo(*shares).__enter__()
            open_ones.append(yahoo)
            for name, value in yahoo.env().items():
                patch.setenv(name, value)
            return yahoo

        yield serve
        for yahoo in open_ones:
            yahoo.__exit__()


@pytest.fixture
def folder(listing: Callable[..., Yahoo], tmp_path: Path) -> Path:
    """A committed case of synthetic prices, made from what the stand-in serves."""
    listing(series(FIRM), series(INDEX))
    event = dict(Case.shipped(NAME).event)
    config = StudyConfig(prices="yahoo", benchmark=INDEX, model="market")
    case = compute_case(event, config, "synthetic")
    case = replace(case, event=event)
    place = tmp_path / "synthetic"
    place.mkdir()
    text = to_json(replace(case, sha256=case.hash))
    (place / CASE).write_text(text, encoding="utf-8", newline="\n")
    return place


def changed(share: Series, day: str, factor: float) -> Series:
    """Return a series whose prices of one day are others."""
    rows = [
        (r[0], *(p * factor if str(r[0]) == day else p for p in r[1:5]), r[5]) for r in share.rows
    ]
    return replace(share, rows=rows)  # type: ignore[arg-type]


class TestReproduce:
    @pytest.mark.slow
    def test_the_same_prices_are_the_same_rows(self, folder: Path) -> None:
        output = invoke("reproduce", folder)
        assert output.startswith("reproduced: all 31 numbers")
        assert output.count("row for row") == 2

    def test_a_later_dividend_changes_the_rows_and_no_return(
        self, folder: Path, listing: Callable[..., Yahoo]
    ) -> None:
        later = replace(series(FIRM), dividends={date(2020, 6, 1): 1.0})
        listing(later, series(INDEX))
        output = invoke("reproduce", folder)
        assert output.startswith("reproduced: all 31 numbers")
        assert output.count("row for row") == 1
        assert f"{FIRM}: the prices differ from the committed run" in output
        assert "Later dividends and splits" in output

    def test_a_row_more_or_less_is_explained(
        self, folder: Path, listing: Callable[..., Yahoo]
    ) -> None:
        share = series(FIRM)
        rows = [row for row in share.rows if str(row[0]) != "2019-01-08"]
        listing(replace(share, rows=rows), series(INDEX))
        case = reproduce_case(folder)
        assert any("lacks sessions" in text for text in case.reasons())

    @pytest.mark.slow
    def test_another_price_on_day_0_is_beyond(
        self, folder: Path, listing: Callable[..., Yahoo]
    ) -> None:
        listing(changed(series(FIRM), "2019-05-22", 1.01), series(INDEX))
        output = invoke("reproduce", folder, code=4)
        assert output.startswith("not reproduced: ")
        document = json.loads(invoke("reproduce", folder, "--json", code=4))
        assert document["ok"] is False
        worst = document["differences"][0]
        assert worst["size"] == pytest.approx(abs(worst["committed"] - worst["computed"]))
        assert worst["size"] == pytest.approx(0.01, abs=0.003)
        assert invoke("reproduce", folder, "--tolerance", "0.05").startswith("reproduced: ")

    def test_a_session_without_a_return_is_beyond(
        self, folder: Path, listing: Callable[..., Yahoo]
    ) -> None:
        share = series(FIRM)
        rows = [row for row in share.rows if str(row[0]) != "2019-05-24"]
        listing(replace(share, rows=rows), series(INDEX))
        assert invoke("reproduce", folder, code=4).startswith("not reproduced: ")
        text = invoke("reproduce", folder, "--json", code=4)
        worst = json.loads(text, parse_constant=pytest.fail)["differences"][0]
        assert (worst["computed"], worst["size"]) == (None, "inf")

    def test_real_numbers_are_not_those_of_synthetic_prices(
        self, listing: Callable[..., Yahoo]
    ) -> None:
        listing(series(FIRM), series(INDEX))
        output = invoke("reproduce", NAME, code=4)
        assert "of a public file of daily closes" in output

    @committed
    def test_without_a_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in proxy_env(1).items():
            monkeypatch.setenv(name, value)
        for place in (FOLDER, NAME):
            assert "cannot be reached" in invoke("reproduce", place, code=75)

    @pytest.mark.slow
    def test_with_prices_it_is_an_ordinary_event(
        self, listing: Callable[..., Yahoo], events: Path, tmp_path: Path
    ) -> None:
        listing(series(FIRM), series(INDEX), series("AMD"), series("AAPL"), series("^GSPC"))
        options = ("--prices", "yahoo", "--out", tmp_path, "--draws", "99", *QUICK)
        assert LINE not in invoke("run", events, *options)
        assert read_findings(tmp_path / "events").events[0].is_used


@committed
@pytest.mark.parametrize("file", ["README.md", "abnormal.svg", CASE])
@pytest.mark.parametrize("command", ["verify", "reproduce"])
def test_a_changed_file_is_refused_in_one_sentence(tmp_path: Path, file: str, command: str) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "copy"))
    text = (copy / file).read_text(encoding="utf-8")
    assert "4" in text
    (copy / file).write_text(text.replace("4", "5", 1), encoding="utf-8")
    output = invoke(command, copy, code=4)
    assert file in output
    assert output.count("\n") == 1
    (copy / file).unlink()
    invoke(command, copy, code=1 if file == CASE else 4)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"schema": "eventstudy-run/2"}', '{"schema": "eventstudy-case/1"}', "[" * 9999],
)  # fmt: skip
def test_what_is_no_case_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EventStudyError):
        Case.read(text, CASE)
    (tmp_path / CASE).write_text(text, encoding="utf-8")
    assert invoke("reproduce", tmp_path, code=1).count("\n") == 1


LACKING: dict[str, Callable[[Case], dict[str, object]]] = {
    "fit.alpha": lambda case: {"fit": {k: x for k, x in case.fit.items() if k != "alpha"}},
    "fit.sigma": lambda case: {"fit": {**case.fit, "sigma": float("nan")}},
    "days.ar": lambda case: {"days": case.days.drop(columns="ar")},
    "days.car": lambda case: {"days": case.days.assign(car="x")},
    "windows.start": lambda case: {"windows": case.windows.iloc[:0]},
    "prices.sha256": lambda case: {"prices": case.prices.drop(columns="sha256")},
    "event.tz": lambda case: {"event": {k: x for k, x in case.event.items() if k != "tz"}},
}


@pytest.mark.parametrize("name", list(LACKING))
@pytest.mark.parametrize("command", ["verify", "reproduce"])
def test_a_document_that_lacks_a_number_is_told_in_one_sentence(
    name: str, command: str, tmp_path: Path
) -> None:
    """Although its hash is right."""
    case = Case.shipped(NAME)
    forged = replace(case, files={}, sha256="", **LACKING[name](case))
    (tmp_path / CASE).write_text(to_json(replace(forged, sha256=forged.hash)), encoding="utf-8")
    text = invoke(command, tmp_path, code=4)
    assert f"lacks {name}" in text
    assert "restore it" in text
    assert len(text.splitlines()) == 1


@committed
@pytest.mark.parametrize("json_too", [False, True])
def test_a_list_of_that_event_alone_has_a_page(tmp_path: Path, json_too: bool) -> None:
    """No price at all: no result, and the case as a case of its own."""
    first = (ROOT / "events.csv").read_text(encoding="utf-8").splitlines()[:2]
    (tmp_path / "e.csv").write_text("\n".join([*first, ""]), encoding="utf-8")
    options = ["--prices", "sample", "--out", tmp_path / "out", *["--json"] * json_too]
    text = invoke("run", tmp_path / "e.csv", *options, code=1)
    assert "the one event could not be used" in text
    assert LINE in text
    run = tmp_path / "out" / "e"
    assert '<details id="case"' in (run / "report.html").read_text(encoding="utf-8")
    assert TITLE in (run / "report.md").read_text(encoding="utf-8")
    findings = read_findings(run)
    assert [sample.n_used for sample in findings.samples] == [0]
    events = pd.read_csv(run / "events.csv")
    assert events["status"].tolist() == ["dropped"]
    assert events["day0"].tolist() == ["2019-05-22"]
