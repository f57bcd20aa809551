"""A plan that is written before prices are looked at, and what a run says of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eventstudy.cli.main import main
from eventstudy.prices import StoreProvider, resolve
from eventstudy.runs import Plan

LIST = [
    "event_id,ticker,announced_at",
    "a,AMD,2022-10-07",
    "b,NVDA,2022-08-31",
    "c,AAPL,2022-03-03",
]
SHORT = ["--prices", "sample", "--event-pages", "0", "--calibrate", "0"]


class Study:
    """A list of announcements in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = folder / "events.csv"
        self.plan = folder / "events.plan.json"
        self.run = folder / "reports" / "events"
        self.list(*LIST)

    def list(self, *lines: str) -> None:
        self.events.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def call(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(main, list(words))
        assert done.exit_code == code, done.output
        return done

    def planned(self, *more: str, code: int = 0) -> str:
        words = ["plan", str(self.events), *SHORT, *more]
        return " ".join(self.call(*words, code=code).output.split())

    def study(self, *more: str, code: int = 0) -> str:
        words = ["run", str(self.events), *SHORT, "--out", str(self.run.parent), "--force", *more]
        return " ".join(self.call(*words, code=code).output.split())


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def today() -> str:
    """Return the day in UTC as a report writes it."""
    return f"{datetime.now(UTC):%-d %b %Y}"


def test_a_run_says_that_it_is_as_planned(study: Study) -> None:
    # Midnight may pass while the plan is written.
    days = {today()}
    study.planned("-w", "0:1")
    days.add(today())
    said = study.study("-w", "0:1").replace("\xa0", " ")
    assert any(f"As planned on {day}." in said for day in days)
    page = (study.run / "report.html").read_text(encoding="utf-8")
    assert "As planned on" in page
    kept = study.run / "data" / "events.plan.json"
    assert kept.read_bytes() == study.plan.read_bytes()
    manifest = json.loads((study.run / "manifest.json").read_text(encoding="utf-8"))
    assert "data/events.plan.json" in manifest["files"]
    # The run has all that it needs to say so again.
    study.plan.unlink()
    study.call("reproduce", str(study.run))
    study.call("verify", str(study.run))
    again = study.call("run", "--from-lock", str(study.run), "--event-pages", "0").output
    assert "As planned on" in again


def test_without_a_plan_nothing_is_said(study: Study) -> None:
    assert "lanned on" not in study.study()


@pytest.mark.parametrize(
    ("options", "lines", "said"),
    [
        (["-w", "-1:1"], LIST, "1 difference since: windows is -1:1 instead of 0:1"),
        (["-w", "0:1", "-m", "market_adjusted"], LIST, "model is market_adjusted instead of the default"),
        (["-w", "0:1", "--seed", "7"], LIST, "seed is 7 instead of"),
        (["-w", "0:1"], [*LIST, "d,MSFT,2022-02-24"],
         "1 announcement dated before the plan was added later (d)"),
        (["-w", "0:1"], LIST[:-1], "1 planned announcement is not here (c)"),
        (["-w", "0:1"], [*LIST[:-1], "c,AAPL,2022-03-04"],
         "1 planned announcement has another ticker, time or day 0 (c)"),
        (["-w", "0:1"], [*LIST[:-1], "c,MSFT,2022-03-03"],
         "1 planned announcement has another ticker, time or day 0 (c)"),
        (["-w", "0:2"], [*LIST, "d,MSFT,2022-02-24"], "2 differences since: windows is 0:2"),
    ],
)  # fmt: skip
def test_what_differs_from_the_plan_is_said_line_by_line(
    study: Study, options: list[str], lines: list[str], said: str
) -> None:
    study.planned("-w", "0:1")
    study.list(*lines)
    text = study.study(*options)
    assert said in text
    assert "As planned" not in text


def test_what_only_shows_is_no_difference(study: Study) -> None:
    study.planned("-w", "0:1", "--title", "Chips")
    assert "As planned" in study.study("-w", "0:1", "--title", "Rules on chips")


@pytest.mark.parametrize("rule", ["", "each new rule on chips"])
def test_a_list_grows_by_the_rule_of_its_plan(study: Study, rule: str) -> None:
    study.planned("-w", "0:1", "--rule", rule)
    facts = json.loads(study.plan.read_text(encoding="utf-8"))
    facts["written_at"] = "2022-09-15T12:00:00+00:00"
    plan = Plan.beside(study.events)
    assert plan is not None
    dated = Plan(**{**vars(plan), "written_at": facts["written_at"]})
    facts["sha256"] = dated.digest
    study.plan.write_text(json.dumps(facts), encoding="utf-8")
    study.list(*LIST, "d,MSFT,2022-10-07", "e,AMD,2022-05-05")
    text = study.study("-w", "0:1")
    assert "2 differences since" in text
    assert "1 announcement dated before the plan was added later (e)" in text
    by_rule = "1 announcement came later by the rule of the plan (d; each new rule on chips)"
    no_rule = "1 announcement came after the plan, which has no rule for it (d)"
    assert (by_rule in text, no_rule in text) == (bool(rule), not rule)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"0:1"', '"0:2"'), ("2022-10-07", "2022-10-06"), ('"rule": ""', '"rule": "more"'),
     ('"schema"', "schema"), ('"events": [', '"events": [7,'), ('"version"', '"other"')],
)  # fmt: skip
def test_a_plan_that_was_changed_is_found(study: Study, old: str, new: str) -> None:
    study.planned("-w", "0:1")
    text = study.plan.read_text(encoding="utf-8")
    assert old in text
    study.plan.write_text(text.replace(old, new), encoding="utf-8")
    said = study.study("-w", "0:1", code=4)
    assert "changed after it was written" in said or "is not a plan" in said
    assert not study.run.exists(), "told before any work"


def test_a_plan_is_not_written_over_unasked(study: Study) -> None:
    study.planned()
    before = study.plan.read_bytes()
    assert "there is a plan already" in study.planned("-w", "0:0", code=2)
    assert study.plan.read_bytes() == before
    study.planned("-w", "0:0", "--force")
    assert study.plan.read_bytes() != before


def seen_of(text: str) -> tuple[int, int]:
    """Return how many main windows were over, and how many prices of event days were at hand."""
    [over] = re.findall(r"(\d+) of \d+ main windows were over", text)
    at_hand = re.findall(r"prices of (\d+) event day", text)
    return int(over), int(at_hand[0]) if at_hand else 0


def test_prices_that_were_at_hand_are_said(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the source, of the cache and of an earlier run."""
    store = study.folder / "prices.sqlite"
    monkeypatch.setenv("EVENTSTUDY_STORE", str(store))
    plan = [
        "plan",
        str(study.events),
        "--prices",
        "auto",
        "--out",
        str(study.run.parent),
        "--force",
    ]
    assert "No price of an event day was at hand" in study.call(*plan).output
    sample = resolve("sample").fetch(["AMD"], date(2022, 1, 3), date(2022, 12, 20))
    StoreProvider(store).add(sample)
    text = " ".join(study.call(*plan).output.split())
    assert seen_of(text) == (3, 1)
    assert "(price cache)" in text
    study.study()
    text = " ".join(study.call(*plan).output.split())
    assert seen_of(text) == (3, 3)
    assert "(price cache, an earlier run)" in text
    assert "the source of prices)" in study.planned("--force")


def test_windows_that_are_not_over_are_counted(study: Study) -> None:
    recent = date.today() - timedelta(days=4)  # noqa: DTZ011
    study.list(*LIST, f"d,MSFT,{recent}")
    assert seen_of(study.planned("-w", "0:10"))[0] == 3
    assert seen_of(study.planned("-w", "0:10", "--force"))[0] == 3


def decide(events: Path, *notes: str) -> None:
    """Write decisions on the record beside a list, as `events accept` does."""
    from eventstudy.records import Decisions
    from eventstudy.records.decisions import Decision

    blank = dict.fromkeys(Decision.__dataclass_fields__, "")
    Decisions.beside(events).path.parent.mkdir(exist_ok=True)
    Decisions.beside(events).add(Decision(**{**blank, "note": note}) for note in notes)


def test_a_plan_fixes_the_decisions_on_the_record(study: Study) -> None:
    """Decisions may be added; those that the plan counts may not be others."""
    decide(study.events, "a", "b")
    study.planned("-w", "0:1")
    decide(study.events, "c")
    assert "As planned" in study.study("-w", "0:1")
    folder = study.events.with_name("events.record")
    for path in folder.iterdir():
        path.unlink()
    decide(study.events, "a", "x", "c")
    said = "decisions on the public record that the plan counts were changed"
    assert said in study.study("-w", "0:1")


def test_check_says_that_a_plan_was_changed(study: Study) -> None:
    study.planned()
    study.call("check", str(study.events))
    text = study.plan.read_text(encoding="utf-8")
    study.plan.write_text(text.replace("2022-10-07", "2022-10-06"), encoding="utf-8")
    assert "changed after it was written" in study.call("check", str(study.events), code=4).output


def test_prices_of_several_files_are_at_hand(study: Study) -> None:
    prices = study.folder / "prices.csv"
    rows = resolve("sample").fetch(["AMD"], date(2022, 1, 3), date(2022, 12, 20)).table
    rows.to_csv(prices, index=False)
    words = ["plan", str(study.events), "--prices", f"sample,files:{prices}"]
    assert seen_of(" ".join(study.call(*words).output.split())) == (3, 3)
