"""What differs in two runs is named, with its cause: prices, events, settings, files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from run_folders import AT, DAYS, FIRMS, Project, invoke

from eventstudy.runs import compare_runs
from eventstudy.runs.compare import _source
from eventstudy.runs.comparison import (
    Answer,
    Comparison,
    Moved,
    Revision,
    _sources,
    price_revision,
)
from eventstudy.runs.outbox import Entry
from eventstudy.runs.record import seal


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    made.study("--name", "first")
    return made


def changed(project: Project, tmp_path: Path, **changes: object) -> tuple[Project, Comparison]:
    """Copy a project, change it, run it beside the first run, and compare the two."""
    copy = Project(tmp_path / "copy")
    firms = changes.pop("firms", FIRMS)
    copy.announce(firms, **changes.pop("shifted", {}))  # type: ignore[arg-type]
    for name, own in changes.pop("closes", {}).items():  # type: ignore[attr-defined]
        copy.closes[name] = own
        copy.write(name)
    shutil.copytree(project.out / "first", copy.out / "first")
    copy.study("--name", "second", *changes.pop("options", ()))  # type: ignore[misc]
    return copy, compare_runs(copy.out / "first", copy.out / "second")


@pytest.mark.slow
def test_a_run_is_the_same_as_itself(project: Project) -> None:
    found = compare_runs(project.out / "first", project.out / "first")
    assert found.same
    assert str(found) == "nothing differs"
    assert invoke("compare", project.out / "first", project.out / "first") == "nothing differs\n"


def test_a_revised_price_is_named_with_its_day_and_what_it_moved(
    project: Project, tmp_path: Path
) -> None:
    """One close, on day 0 of one firm: its CAR moves and no other firm's."""
    close = project.closes["BBB"].copy()
    close[AT[1]] *= 1.01
    _, found = changed(project, tmp_path, closes={"BBB": close})
    assert list(found.prices) == ["BBB"]
    days = found.prices["BBB"].days
    assert days == tuple(DAYS[AT[1] : AT[1] + 2].strftime("%Y-%m-%d"))
    first = found.prices["BBB"].first
    assert first is not None
    assert first[1:] == (project.closes["BBB"][AT[1]], close[AT[1]])
    assert {move.event_id for move in found.moves} == {"e-BBB"}
    assert {move.why for move in found.moves} == {("prices of BBB revised",)}
    day0 = next(move for move in found.moves if move.window == "[0,0]")
    assert day0.after is not None
    assert day0.before is not None
    assert day0.after - day0.before == pytest.approx(0.01, rel=0.1)
    assert not any((found.added, found.removed, found.edited, found.settings))


@pytest.mark.slow
def test_after_an_upgrade_the_program_changed_and_not_the_prices(
    project: Project, tmp_path: Path
) -> None:
    def of_another_version(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["versions"]["eventstudy"] = "0.0.1"
        seal(folder, manifest)

    same, found = changed(project, tmp_path / "same")
    of_another_version(same.out / "first")
    found = compare_runs(same.out / "first", same.out / "second")
    assert "The program changed, not the prices:\n  eventstudy: 0.0.1 -> " in str(found)
    summary = Entry("0" * 32, "", "r", "changed", (), found.counts, "").summary
    assert summary == "r: 1 version changed, the program changed, not the prices"
    close = project.closes["BBB"].copy()
    close[AT[1]] *= 1.01
    revised, _ = changed(project, tmp_path / "revised", closes={"BBB": close})
    of_another_version(revised.out / "first")
    found = compare_runs(revised.out / "first", revised.out / "second")
    assert "Versions:\n  eventstudy: 0.0.1 -> " in str(found)
    summary = Entry("0" * 32, "", "r", "changed", (), found.counts, "").summary
    assert "the program" not in summary


def test_another_base_of_adjusted_prices_is_no_revision(project: Project, tmp_path: Path) -> None:
    _, found = changed(project, tmp_path, closes={"CCC": project.closes["CCC"] * 0.97})
    assert not found.prices
    assert not found.moves


def revision_of(old: np.ndarray, new: np.ndarray) -> Revision | None:
    """Return the difference of two series of closes."""
    tables = [pd.DataFrame({"date": DAYS, "close": c, "adj_close": c}) for c in (old, new)]
    return price_revision(*tables, "return")


@pytest.mark.parametrize("factor", [0.25, 0.99, 3.0])
@pytest.mark.parametrize("decimals", [2, 4])
def test_another_base_is_no_revision_within_the_decimals_of_the_prices(
    project: Project, factor: float, decimals: int
) -> None:
    """A day that is revised as well is found, and it alone."""
    close = project.closes["CCC"]
    old = close.round(decimals)
    assert revision_of(old, (close * factor).round(decimals)) is None
    close = close.copy()
    close[150] *= 1.01
    revision = revision_of(old, (close * factor).round(decimals))
    assert revision is not None
    assert revision.days == tuple(f"{day:%Y-%m-%d}" for day in DAYS[150:152])
    assert revision.values == 1


def test_a_revision_by_the_last_decimal_is_one(project: Project) -> None:
    old = project.closes["CCC"].round(2)
    new = old.copy()
    new[150] += 0.01
    revision = revision_of(old, new)
    assert revision is not None
    assert revision.days == tuple(f"{day:%Y-%m-%d}" for day in DAYS[150:152])


def test_a_price_that_one_run_alone_has_is_none_in_the_other(project: Project) -> None:
    old = project.closes["CCC"]
    new = old.copy()
    new[150] = np.nan
    text = f"revised on {DAYS[150]:%Y-%m-%d} ({old[150]:.10g} before, none now)"
    assert str(revision_of(old, new)).replace("2 days, first on ", "") == text


def test_prices_of_fewer_days_are_why_a_car_is_gone(project: Project, tmp_path: Path) -> None:
    """Also where one of them was revised as well; and they are why it is back."""
    close = project.closes["BBB"].copy()
    close[AT[1] - 20] *= 1.01
    close[AT[1] + 4 :] = np.nan
    copy, found = changed(project, tmp_path, closes={"BBB": close})
    ends = [f"{DAYS[i]:%Y-%m-%d}" for i in (AT[1] + 3, len(DAYS) - 1)]
    (gone,) = (move for move in found.moves if move.after is None and move.window == "[-5,5]")
    assert gone.why == ("prices of BBB revised", f"prices of BBB until {ends[0]}, {ends[1]} before")
    assert "Prices revised:\n  BBB: revised on " in str(found)
    assert f"Prices of fewer days:\n  BBB: prices until {ends[0]}, {ends[1]} before" in str(found)
    found = compare_runs(copy.out / "second", copy.out / "first")
    (back,) = (move for move in found.moves if move.before is None and move.window == "[-5,5]")
    assert back.why == ("prices of BBB revised", f"prices of BBB until {ends[1]}, {ends[0]} before")
    assert f"Prices of more days:\n  BBB: prices until {ends[1]}, {ends[0]} before" in str(found)


def test_events_added_removed_and_edited_are_named(project: Project, tmp_path: Path) -> None:
    later = f"{DAYS[AT[0]]:%Y-%m-%d}", f"{DAYS[AT[0] + 3]:%Y-%m-%d}"
    copy, found = changed(project, tmp_path, firms=FIRMS[:4], shifted={"AAA": 3})
    assert found.removed == ("e-EEE",)
    assert found.edited == {"e-AAA": {"announced_at": later}}
    assert found.days == {"e-AAA": Moved(*later, ("event edited: announced_at",))}
    assert {move.why[:2] for move in found.moves if move.event_id == "e-AAA"} == {
        ("event edited: announced_at", f"day 0 moved from {later[0]} to {later[1]}")
    }
    assert "e-AAA: announced_at" in str(found)
    back = compare_runs(copy.out / "second", copy.out / "first")
    assert back.added == ("e-EEE",)
    assert "Events added:\n  e-EEE" in str(back)


@pytest.mark.slow
def test_a_day_0_that_a_setting_moved_is_no_edit(tmp_path: Path) -> None:
    """The file is the same: trading stops on day 0, and --halt shift takes the day it resumes."""
    made = Project(tmp_path)
    made.closes["BBB"][AT[1] : AT[1] + 12] = np.nan
    made.write("BBB")
    made.study("--name", "first")
    made.study("--name", "second", "--halt", "shift")
    found = compare_runs(made.out / "first", made.out / "second")
    assert not found.edited
    days = tuple(f"{DAYS[i]:%Y-%m-%d}" for i in (AT[1], AT[1] + 12))
    assert found.days == {"e-BBB": Moved(*days, ("setting halt",))}
    assert f"Day 0 moved:\n  e-BBB: {days[0]} -> {days[1]}, setting halt" in str(found)


def test_settings_and_answers(project: Project, tmp_path: Path) -> None:
    _, found = changed(project, tmp_path, options=["--model", "constant_mean", "--car", "0:0"])
    assert set(found.settings) == {"model", "windows"}
    assert {move.why for move in found.moves} == {("setting model",)}
    assert found.main == "[0,0]"
    assert len(found.answers) == 1
    text = found.markdown()
    assert "**Settings**\n\n- model: default -> constant_mean\n" in text


def test_an_answer_in_other_words_is_no_change(project: Project, tmp_path: Path) -> None:
    """A sealed run whose answer a former version worded otherwise, or with another number."""
    new = project.out / "first"
    for i, (facts, differs) in enumerate((
        ({"text": "Nothing to see.", "headline": "Nothing."}, False),
        ({"estimate": 1e-6}, False),
        ({"estimate": 1e-3}, True),
        ({"pvalue": 0.01}, True),
        ({"n_events": 1}, True),
        ({"test": "ordinary_t"}, True),
    )):  # fmt: skip
        old = Path(shutil.copytree(new, tmp_path / f"old{i}"))
        manifest = json.loads((old / "manifest.json").read_text(encoding="utf-8"))
        (answer,) = manifest["answers"]
        moved = {k: v if isinstance(v, str | int) else answer[k] + v for k, v in facts.items()}
        answer |= moved
        seal(old, manifest)
        found = compare_runs(old, new)
        assert bool(found.answers) == differs
        assert found.same != differs


def test_symbols_of_other_sources_are_summed_up() -> None:
    found = {f"S{i:02d}": ("files", "") for i in range(40)} | {"T": ("files", "yahoo")}
    assert _sources(found) == ["S00, S01, S02 and 37 more: files -> none", "T: files -> yahoo"]
    assert _source("T", "files", "yahoo") == "prices of T from another source"
    assert _source("S00", "files", "") == "no prices of S00 any more"
    assert _source("S00", "", "files") == "prices of S00, none before"


def test_status_changes(project: Project, tmp_path: Path) -> None:
    close = project.closes["DDD"].copy()
    close[: AT[3] + 1] = np.nan
    _, found = changed(project, tmp_path, closes={"DDD": close})
    assert list(found.statuses) == ["e-DDD"]
    before, after = found.statuses["e-DDD"]
    assert before == "ok"
    assert after.startswith("dropped: no price data")
    assert not found.completed


def test_the_same_reason_in_other_words_is_no_change(project: Project, tmp_path: Path) -> None:
    """A sealed run whose reason a former version worded otherwise; another kind of reason is a
    change."""
    (project.prices / "EEE.csv").rename(tmp_path / "EEE.csv")
    project.study("--name", "without")
    (tmp_path / "EEE.csv").rename(project.prices / "EEE.csv")
    old, new = tmp_path / "old", project.out / "without"
    for words, facts in (
        ("no price data: it was not there", {}),
        ("no variance in the window", {"code": "no_variance"}),
    ):
        shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(new, old)
        table = pd.read_csv(old / "events.csv", dtype=str, keep_default_na=False)
        table.loc[table["reason"] != "", "reason"] = words
        table.to_csv(old / "events.csv", index=False, lineterminator="\n")
        document = json.loads((old / "results.json").read_text(encoding="utf-8"))
        (dropped,) = (event for event in document["events"] if event["reason"])
        dropped["reason"] |= facts
        (old / "results.json").write_text(json.dumps(document), encoding="utf-8")
        seal(old, json.loads((old / "manifest.json").read_text(encoding="utf-8")))
        found = compare_runs(old, new)
        assert found.same == (not facts)
        assert list(found.statuses) == ["e-EEE"] * bool(facts)


def test_a_run_that_was_altered_is_said_and_ends_with_4(project: Project, tmp_path: Path) -> None:
    """One digit of a table; a table of events that lacks a column; and one that is gone."""
    first, other = (
        project.out / "first",
        Path(shutil.copytree(project.out / "first", tmp_path / "other")),
    )
    cars = other / "tables" / "car.csv"
    text = cars.read_text(encoding="utf-8")
    row = text.splitlines()[1]
    cars.write_text(text.replace(row, row.replace("1", "2")), encoding="utf-8")
    told = f"{other}: changed tables/car.csv"
    said = invoke("compare", first, other, code=4)
    assert said.startswith(f"Not as it was written:\n  {told}\n")
    plain = json.loads(invoke("compare", other, first, "--json", code=4))
    assert (plain["altered"], plain["moves"]) == ([told], [])
    assert invoke("verify", other, code=4) == "changed: tables/car.csv\n"
    events = other / "events.csv"
    events.write_text("a,b\n1,2\n", encoding="utf-8")
    said = invoke("compare", first, other, code=4)
    assert "the runs cannot be compared" in said
    assert f"{other}: changed events.csv" in said
    events.unlink()
    said = invoke("compare", first, other, code=4)
    assert f"{other}: missing events.csv" in said
    assert "restore the run, or run the study again" in said
    assert said.count("\n") == 1


def test_flips() -> None:
    zero, other = "not_different", "different"

    def said(verdict: str, estimate: float) -> dict[str, object]:
        return {"text": "...", "verdict": verdict, "estimate": estimate}

    assert Answer("", said(zero, 0.01), said("different", 0.01)).flipped
    assert Answer("", said(other, -0.01), said("different", 0.01)).flipped
    assert Answer("", None, said(other, 0.01)).flipped
    assert not Answer("", said(zero, -0.01), said("not_different", 0.01)).flipped
    assert not Answer("", said(other, 0.02), said("different", 0.01)).flipped


@pytest.mark.slow
def test_a_group_that_an_edit_empties_has_no_events_any_more(tmp_path: Path) -> None:
    """Where one group is left the events are not split any more; with several the others stay."""
    made = Project(tmp_path)
    table = pd.read_csv(made.events)
    for name, groups in (("three", "aabbc"), ("two", "aabbb"), ("one", "aaaaa")):
        table.assign(group=list(groups)).to_csv(made.events, index=False)
        made.study("--name", name)
    runs = {name: made.out / name for name in ("three", "two", "one")}
    found = compare_runs(runs["three"], runs["two"])
    lines = dict(
        line.strip().split(": ", 1) for line in str(found).splitlines() if line.startswith("  c, ")
    )
    before = next(a.before for a in found.answers if a.group == "c")
    assert lines["c, was"] == f"{before['text']} {before['caveat']}"
    assert lines["c, is"] == "no such events any more"
    assert found.lead == {"group": ("a", "b")}
    assert "The first sentence is of another group:\n  a -> b\n" in str(found)
    assert "c, was: no such events\n" in str(compare_runs(runs["two"], runs["three"]))
    said = str(compare_runs(runs["two"], runs["one"]))
    assert "b, is: no group of its own any more\n" in said
    assert "  was: told by group\n" in said
    assert "  is: told by group now\n" in str(compare_runs(runs["one"], runs["two"]))


@pytest.mark.slow
def test_equal_prices_from_elsewhere_are_no_difference(project: Project, tmp_path: Path) -> None:
    """Those that a run keeps, and those of another folder; the others are named with their
    source."""
    run = Path(shutil.copytree(project.out / "first", tmp_path / "out" / "first"))
    invoke("run", "--from-lock", run, "--quiet")
    assert invoke("compare", run, tmp_path / "out" / "first-again") == "nothing differs\n"
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.out = elsewhere.folder / "a" / "b"
    elsewhere.run = elsewhere.out / "events"
    elsewhere.closes["BBB"] = elsewhere.closes["BBB"] * 1.5
    assert compare_runs(run, elsewhere.study()).same
    elsewhere.write("BBB")
    found = compare_runs(run, elsewhere.study())
    assert set(found.settings) == {"prices"}


def test_json_is_the_same_report(project: Project, tmp_path: Path) -> None:
    close = project.closes["BBB"].copy()
    close[AT[1]] *= 1.01
    copy, found = changed(project, tmp_path, closes={"BBB": close})
    said = json.loads(invoke("compare", copy.out / "first", copy.out / "second", "--json"))
    assert said["prices"]["BBB"]["n_days"] == 2
    assert len(said["moves"]) == len(found.moves)
    assert said["same"] is False
    few = json.loads(
        invoke("compare", copy.out / "first", copy.out / "second", "--json", "--moved", "0.5")
    )
    assert few["moves"] == []
