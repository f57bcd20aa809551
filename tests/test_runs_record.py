"""A run folder keeps all that its numbers came from: they can be verified, and computed again
anywhere."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from run_folders import DAYS, FIRMS, QUICK, SHORT, Project, contents, invoke, started
from yahoo_standin import Yahoo, synthetic

from eventstudy.analysis import study_tables
from eventstudy.calendars import Window
from eventstudy.errors import RunFolderError
from eventstudy.files import to_csv
from eventstudy.files.csv_text import read_numbers
from eventstudy.runs import (
    Origin,
    Record,
    compare_runs,
    refresh_run,
    reproduce_run,
    verify_run,
    write_run,
)
from eventstudy.runs.atomic_swap import locked
from eventstudy.runs.record import seal
from eventstudy.settings import StudyConfig
from eventstudy.studies import run_study
from eventstudy.utility import one_thread


@pytest.fixture
def project(studied: Project) -> Project:
    return studied


@pytest.fixture
def run(project: Project, tmp_path: Path) -> Path:
    """A copy of the run in another place, without what it was made of."""
    return Path(shutil.copytree(project.run, tmp_path / "moved"))


def test_the_manifest_says_where_everything_came_from(project: Project) -> None:
    manifest = json.loads((project.run / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest) == sorted(manifest)
    assert manifest["origin"]["files"] == {"data/events.csv": "../../events.csv"}
    assert manifest["origin"]["prices"] == "../../px"
    assert set(manifest["prices"]) == {"MKT", *FIRMS}
    assert {len(entry["sha256"]) for entry in manifest["prices"].values()} == {64}
    assert (manifest["events"]["ok"], manifest["events"]["provisional"]) == (5, 0)
    assert manifest["answers"][0]["n_events"] == 5
    assert (project.run / "data" / "events.csv").read_bytes() == project.events.read_bytes()


def test_frozen_prices_are_those_of_the_files_to_the_last_bit(project: Project) -> None:
    text = gzip.decompress((project.run / "data" / "prices.csv.gz").read_bytes()).decode()
    lines = [line.split(",") for line in text.splitlines()]
    mine = [float(row[5]) for row in lines if row[0] == "CCC"]
    assert len(mine) > 100
    assert mine == project.closes["CCC"][-len(mine) :].tolist()


@pytest.mark.slow
def test_a_run_is_reproduced_exactly_from_its_folder_alone(run: Path) -> None:
    found = reproduce_run(run)
    assert found.exact, str(found)
    assert found.ok
    assert found.cells > 1000
    assert str(found).startswith("reproduced exactly")
    assert invoke("reproduce", run) == f"{found}\n"


@pytest.mark.parametrize(
    "zone",
    [
        pytest.param({"TZ": "Asia/Shanghai", "LC_ALL": "C"}, marks=pytest.mark.slow),
        pytest.param({"TZ": "America/Los_Angeles"}, marks=pytest.mark.watch),
    ],
)
def test_the_same_bytes_in_another_folder_time_zone_and_locale(
    zone: dict[str, str], project: Project, tmp_path: Path
) -> None:
    """The installed package runs from its wheel in test_wheel; here a second place, zone and
    locale."""
    for name in ("here", "there"):
        shutil.copytree(project.prices, tmp_path / name / "px")
        shutil.copy(project.events, tmp_path / name)
    options = [
        "events.csv",
        "--prices",
        "px",
        "--calendar",
        "data",
        "--estimation",
        "-100:-11",
        "--calibrate",
        "99",
        "--quiet",
    ]
    one = started("run", *options, cwd=tmp_path / "here", TZ="UTC", LC_ALL="C.UTF-8")
    other = started("run", *options, cwd=tmp_path / "there", **zone)
    assert [one.communicate()[1], other.communicate()[1]] == ["", ""]
    folders = [tmp_path / name / "reports" / "events" for name in ("here", "there")]
    assert contents(folders[0]) == contents(folders[1])
    said = [Record.read(folder).manifest for folder in folders]
    for manifest in said:
        for of_the_place in ("written_at", "asked_on", "home", "manifest_sha256"):
            manifest.pop(of_the_place)
    assert said[0] == said[1]
    again = started("reproduce", folders[0], "--tolerance", "0", **zone)
    assert "reproduced exactly" in again.communicate()[0]


@pytest.mark.slow
def test_everything_that_an_option_names_is_kept(tmp_path: Path) -> None:
    """Factors, other news, shares: the run is reproduced without the files it was made of."""
    made = Project(tmp_path / "p")
    market = np.diff(made.closes["MKT"], prepend=np.nan) / made.closes["MKT"]
    factors = pd.DataFrame(
        {"date": DAYS.strftime("%Y-%m-%d"), "mkt_rf": market, "rf": 0.0001}
    ).iloc[1:]
    factors.to_csv(tmp_path / "factors.csv", index=False)
    (tmp_path / "news.csv").write_text(
        f"ticker,date,what\nAAA,{DAYS[150]:%Y-%m-%d},profit warning\n"
    )
    shares = [f"{name},{DAYS[0]:%Y-%m-%d},{1000 + k},USD" for k, name in enumerate(FIRMS)]
    (tmp_path / "shares.csv").write_text("\n".join(["ticker,date,shares,currency", *shares, ""]))
    run = made.study(
        "--model", "capm", "--factors", tmp_path / "factors.csv", "--confounders",
        tmp_path / "news.csv",
        "--drop-confounded", "--by", "none", "--size", tmp_path / "shares.csv",
    )  # fmt: skip
    assert (run / "data/factors/1/factors.csv").read_bytes() == (
        tmp_path / "factors.csv"
    ).read_bytes()
    assert (run / "data/confounders/1/news.csv").read_bytes() == (
        tmp_path / "news.csv"
    ).read_bytes()
    assert (run / "data/size/1/shares.csv").read_bytes() == (tmp_path / "shares.csv").read_bytes()
    for path in (made.prices, made.events, *tmp_path.glob("*.csv")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    moved = Path(shutil.move(run, tmp_path / "moved"))
    assert reproduce_run(moved).exact


@pytest.mark.slow
def test_a_run_with_a_grid_is_reproduced(tmp_path: Path) -> None:
    """Prices of its longest estimation window are kept; another order is another table."""
    made, study = Project(tmp_path), tmp_path / "study.toml"
    head = 'events = "events.csv"\nprices = "px"\ncalendar = "data"\nestimation = "-60:-11"\nevent = "-5:5"\n'
    head += "calibrate = 49\nevent_pages = 0\n"
    grid = '[grid]\nmodel = ["market", "constant_mean"]\nestimation = ["-60:-11", "-100:-11"]\n'
    study.write_text(head + grid)
    invoke("run", study, "--quiet")
    run, again = tmp_path / "reports" / "events", "tables/specifications.csv"
    assert verify_run(run).ok
    assert "nothing new" in invoke("refresh", study)
    assert "nothing new" in invoke("refresh", run)
    invoke("run", "--from-lock", run, "--quiet")
    assert (tmp_path / "reports/events-again" / again).read_bytes() == (run / again).read_bytes()
    study.write_text(head + grid.replace('"-60:-11", ', ""))
    assert "refreshed: setting grid" in invoke("refresh", study)
    study.write_text(head + grid)
    invoke("refresh", study)
    shutil.rmtree(made.prices)
    assert reproduce_run(run).exact


def test_a_manifest_whose_settings_are_sorted_is_as_it_was_written(run: Path) -> None:
    """As runs were written before; sample runs among them."""
    path = run / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    del said["manifest_sha256"]

    def dumped() -> str:
        return json.dumps(said, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    said["manifest_sha256"] = hashlib.sha256(dumped().encode()).hexdigest()
    path.write_text(dumped(), encoding="utf-8")
    assert verify_run(run).ok


@pytest.mark.slow
def test_a_run_of_returns_is_reproduced(tmp_path: Path) -> None:
    market = Market(n=4)
    market.wide.to_csv(tmp_path / "ret.csv", index_label="date")
    market.table[["event_id", "ticker", "announced_at", "benchmark"]].to_csv(
        tmp_path / "e.csv", index=False
    )
    invoke(
        "run", tmp_path / "e.csv", "--returns", tmp_path / "ret.csv", "--calendar", "data",
        "--estimation",
        "-100:-11", "--event-window", "-5:5", "--out", tmp_path / "out", "--quiet",
    )  # fmt: skip
    run = tmp_path / "out" / "e"
    assert (run / "data/returns/1/ret.csv").read_bytes() == (tmp_path / "ret.csv").read_bytes()
    (tmp_path / "ret.csv").unlink()
    assert reproduce_run(run).exact
    assert not (run / "data" / "returns.csv.gz").exists()


@pytest.mark.slow
def test_market_values_that_were_downloaded_are_kept(tmp_path: Path) -> None:
    """A run whose --size was asked of Yahoo is reproduced from its own table of them."""
    events = tmp_path / "events.csv"
    events.write_text("event_id,ticker,announced_at\na,AAPL,2020-08-06\nn,NVDA,2020-06-01\n")
    days = {"start": date(2019, 1, 2), "end": date(2021, 3, 31)}
    counts = {"counts": {date(2019, 1, 2): 1e6, date(2020, 1, 2): 1.1e6}}
    series = [
        synthetic(s, **days, **(counts if s != "^GSPC" else {})) for s in ("AAPL", "NVDA", "^GSPC")
    ]
    with Yahoo(*series) as yahoo:
        env = {**yahoo.env(), "EVENTSTUDY_STORE": str(tmp_path / "store.sqlite")}
        done = started(
            "run", events, "--size", "yahoo", "--out", tmp_path / "out", "--quiet", **env
        )
        assert done.communicate(timeout=300) == ("", "")
    run = tmp_path / "out" / "events"
    assert len(Record.read(run).cells("tables/sizes.csv")) > 100
    assert reproduce_run(run).exact


@pytest.mark.slow
def test_many_events_on_several_cores_are_reproduced_and_refreshed_to_the_last_digit(
    tmp_path: Path,
) -> None:
    """From some 260 correlated events on a BLAS of several threads sums in another order."""
    market = Market(300, days=700, dates=30)
    days = market.frame.index[300 + 10 * np.random.default_rng(2).integers(0, 30, 300)]
    market.frame.to_csv(tmp_path / "ret.csv", index_label="date")
    table = market.table[["event_id", "ticker", "benchmark"]]
    table = table.assign(announced_at=days.strftime("%Y-%m-%d"), mcap=np.arange(1, 301))
    table.to_csv(tmp_path / "e.csv", index=False)
    settings = StudyConfig(
        returns=str(tmp_path / "ret.csv"), calendar="data", event=Window(-2, 2), draws=9,
        event_pages=0, calibrate=0,
        engine="batch",
    )  # fmt: skip
    origin, run = Origin(tmp_path / "e.csv", settings), tmp_path / "e"
    refresh_run(origin, run)
    assert reproduce_run(run).exact
    results = run_study(origin.read()[0].events, settings)
    with one_thread():
        tables = study_tables(results, settings)
    for name, table in tables.items():
        assert (run / f"tables/{name}.csv").read_bytes() == to_csv(table), name


@pytest.mark.slow
def test_failures_are_kept_with_their_reasons(tmp_path: Path) -> None:
    """An event without prices has the same reason in the second life of the run."""
    made = Project(tmp_path)
    (made.prices / "DDD.csv").unlink()
    (made.prices / "EEE.csv").write_text("date,close\n2020-13-77,1\n")
    run = made.study()
    reasons = pd.read_csv(run / "events.csv").set_index("event_id")["reason"]
    assert "no DDD.csv in the folder" in reasons["e-DDD"]
    assert "not a date" in reasons["e-EEE"]
    shutil.rmtree(made.prices)
    assert reproduce_run(run).exact


@pytest.mark.parametrize(
    ("file", "word"),
    [("tables/car.csv", "changed"), ("data/prices.csv.gz", "changed"), ("report.html", "changed")],
)
def test_a_changed_digit_is_named(file: str, word: str, run: Path) -> None:
    assert verify_run(run).ok
    data = (run / file).read_bytes()
    if file.endswith(".gz"):
        text = gzip.decompress(data).decode()
        at = max(k for k, c in enumerate(text) if c.isdigit())
        data = gzip.compress(
            (text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]).encode(), mtime=0
        )
    else:
        at = max(k for k, c in enumerate(data) if 48 <= c <= 57)
        data = data[:at] + str((data[at] - 47) % 10).encode() + data[at + 1 :]
    (run / file).write_bytes(data)
    found = verify_run(run)
    assert found.changed == (file,)
    assert invoke("verify", run, code=4) == f"{word}: {file}\n"


def test_missing_and_extra_files_and_an_edited_manifest_are_named(run: Path) -> None:
    (run / "tables" / "tests.csv").unlink()
    (run / "tables" / "mine.csv").write_text("a\n1\n")
    (run / ".DS_Store").write_text("")
    text = (run / "manifest.json").read_text(encoding="utf-8")
    (run / "manifest.json").write_text(text.replace('"seed": ', '"seed": 1'), encoding="utf-8")
    said = json.loads(invoke("verify", run, "--json", code=4))
    assert said["missing"] == ["tables/tests.csv"]
    assert said["extra"] == ["tables/mine.csv"]
    assert said["changed"] == ["manifest.json"]


def test_altered_inputs_are_not_computed_from(run: Path) -> None:
    (run / "data" / "events.csv").write_bytes((run / "data" / "events.csv").read_bytes() + b"\n")
    assert "data/events.csv" in invoke("reproduce", run, code=4)
    (run / "data" / "events.csv").unlink()
    assert "data/events.csv" in invoke("reproduce", run, code=4)


@pytest.mark.slow
def test_another_number_is_found_and_the_worst_is_named(run: Path) -> None:
    """Within the tolerance it is rounding, beyond it the run is not reproduced."""
    path = run / "tables" / "car.csv"
    table = read_numbers(path)
    table.loc[3, "car"] *= 1 + 1e-12
    table.loc[7, "se"] *= 1 + 1e-6
    table.to_csv(path, index=False, lineterminator="\n")
    found = reproduce_run(run)
    assert not found.ok
    assert found.differing == 2
    assert (found.differences[0].row, found.differences[0].column) == (9, "se")
    assert found.differences[0].size == pytest.approx(1e-6, rel=1e-3)
    assert "tables/car.csv, line 9, se" in invoke("reproduce", run, code=4)
    near = reproduce_run(run, tolerance=1e-5)
    assert near.ok
    assert not near.exact
    assert str(near).startswith("reproduced: 2 of")


def test_a_difference_without_size_is_json(run: Path) -> None:
    """JSON has no infinite number; it is written as in ``results.json``."""
    with (run / "tables" / "car.csv").open("a", encoding="utf-8") as table:
        table.write("x\n")
    text = invoke("reproduce", run, "--json", code=4)
    assert json.loads(text, parse_constant=pytest.fail)["differences"][0]["size"] == "inf"


def test_versions_that_differ_are_named(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["versions"]["scipy"] = "0.1"
    seal(run, manifest)
    assert "scipy 0.1 was used" in str(reproduce_run(run))


@pytest.mark.slow
def test_what_is_no_run_is_said_clearly(tmp_path: Path) -> None:
    assert "is not a run folder" in invoke("verify", tmp_path, code=1)
    (tmp_path / "manifest.json").write_text("{}")
    assert "is not the manifest of a run" in invoke("reproduce", tmp_path, code=1)
    (tmp_path / "manifest.json").write_text('{"schema": "eventstudy-run/1"}')
    assert "run the study again" in invoke("verify", tmp_path, code=1)
    run = write_run(Market(n=3).fit(), tmp_path, "r", config=StudyConfig(event=Window(-5, 5)))
    with pytest.raises(RunFolderError, match="does not keep what it was computed from"):
        reproduce_run(run)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[:3000], "is cut short, or is no JSON"),
        (lambda text: "", "is cut short, or is no JSON"),
        (lambda text: "[1]", "is not the manifest of a run"),
        (lambda text: "null", "is not the manifest of a run"),
        (lambda text: text.replace("eventstudy-run/2", "dbt/12"), "is not the manifest of a run"),
        (lambda text: text.replace("-run/2", "-run/3"), "another version, eventstudy-run/3"),
        (
            lambda text: '{"schema": "eventstudy-run/2", "files": [1]}',
            "is damaged: no usable name,",
        ),
    ],
)
def test_a_damaged_manifest_is_one_clear_line(
    damage: Callable[[str], str], says: str, run: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(run, tmp_path / "broken")
    manifest = broken / "manifest.json"
    manifest.write_text(damage(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    calls = (["verify"], ["reproduce"], ["compare", run], ["compare", "--json", run], ["refresh"])
    for call in (*calls, ["run", "--from-lock"]):
        said = invoke(*call, broken, code=1)
        assert len(said.splitlines()) == 1, said
        assert says in said
        assert "broken" in said


def test_a_name_in_a_manifest_is_no_path(run: Path, tmp_path: Path) -> None:
    """A run of somebody else cannot have files written where it likes."""
    theirs, place = shutil.copytree(run, tmp_path / "theirs"), Path(tempfile.gettempdir())
    manifest = json.loads((theirs / "manifest.json").read_text(encoding="utf-8"))
    out = tmp_path / "out"
    seal(theirs, {**manifest, "name": os.path.relpath(out, place / "any")})
    assert "reproduced exactly" in invoke("reproduce", theirs)
    assert not out.exists()
    assert "not a name for a study" in invoke("run", "--from-lock", theirs, code=2)


@pytest.mark.slow
def test_prices_of_a_lock_are_told_of_as_they_are(tmp_path: Path) -> None:
    """What Yahoo or the sample said when the run was computed is no notice of a run on its lock."""
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nAAPL,2020-08-06\nNVDA,2022-08-31\n")
    first = invoke("run", events, "--offline", "--out", tmp_path, *QUICK)
    assert "NOTE: no network with --offline: bundled sample used for 3 symbols" in first
    again = invoke("run", "--from-lock", tmp_path / "events")
    assert "NOTE" not in again
    page = (tmp_path / "events-again" / "report.html").read_text(encoding="utf-8")
    assert "bundled sample" in page, "where the prices once came from stays on the page"


@pytest.mark.slow
def test_an_edited_study_on_the_frozen_prices(project: Project, tmp_path: Path) -> None:
    """--from-lock: settings, events and prices are the run's unless given; the run itself stays."""
    run = Path(shutil.copytree(project.run, tmp_path / "events"))
    before = contents(run, without="")
    assert invoke("run", "--from-lock", run, "--quiet") == ""
    assert compare_runs(run, tmp_path / "events-again").statuses == {}
    assert not compare_runs(run, tmp_path / "events-again").moves
    invoke("run", "--from-lock", run, "--model", "market_adjusted", "--name", "other", "--quiet")
    found = compare_runs(run, tmp_path / "other")
    assert found.settings["model"] == ("", "market_adjusted")
    assert {move.why for move in found.moves} == {("setting model",)}
    edited = tmp_path / "edited.csv"
    edited.write_text(project.events.read_text().replace("e-AAA,AAA", "e-ZZZ,ZZZ"))
    invoke("run", edited, "--from-lock", run, "--out", tmp_path, "--quiet")
    status = pd.read_csv(tmp_path / "edited" / "events.csv").set_index("event_id")
    assert status["status"].to_dict() == {f"e-{n}": "ok" for n in FIRMS if n != "AAA"} | {
        "e-ZZZ": "dropped"
    }
    assert "not among the frozen prices of events" in status.loc["e-ZZZ", "reason"]
    assert "give --prices or --from-lock" in invoke(
        "run", "--from-lock", run, "--prices", "sample", "--quiet", code=2
    )
    assert "is the run itself" in invoke("run", "--from-lock", run, "--name", "events", code=2)
    assert contents(run, without="") == before


@pytest.mark.slow
def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    """A run of other settings or events has a place of its own, where it is replaced by its own
    next; what a report shows is no other study, and neither is a copy of the events."""
    made, other = Project(tmp_path), tmp_path / "other.csv"
    study = ["--prices", made.prices, "--out", made.out, *SHORT, "--name", "mine"]
    first, second, third = (made.out / f"mine{end}" for end in ("", "-2", "-3"))
    assert invoke("run", made.events, *study) == ""
    before = contents(first, without="")
    shutil.copy(made.events, other)
    assert "mine-2" in invoke("run", other, *study, "--model", "constant_mean")
    made.announce(FIRMS[:4])
    assert "mine-3" in invoke("run", made.events, *study)
    assert contents(first, without="") == before
    assert [Record.read(run).manifest["events"]["ok"] for run in (first, second, third)] == [
        5,
        5,
        4,
    ]
    invoke("run", other, *study, "--model", "constant_mean", "--figures")
    assert (second / "figures").is_dir()
    assert invoke("run", other, *study) == "", "the first study again, from a copy of its events"
    assert len(list(made.out.iterdir())) == 4, "three runs and the index"
    assert invoke("run", made.events, *study, "--force") == ""
    assert Record.read(first).manifest["events"]["ok"] == 4
    rows = (made.out / "index.html").read_text(encoding="utf-8").split('<tr><th scope="row">')[1:]
    told = {
        row.partition("</bdi>")[0].rpartition(">")[2]: row.partition("<strong>")[0] for row in rows
    }
    assert "model: constant_mean; events: other.csv" in told["mine-2"]
    assert "model: default" in told["mine"]
    assert all("list of events: " in head for head in told.values())


@pytest.mark.slow
def test_the_second_of_two_equal_runs_says_so_at_once(tmp_path: Path) -> None:
    """It holds the lock of its place before it computes, whatever that takes."""
    made = Project(tmp_path)
    made.out.mkdir()
    with locked(made.run):
        text = invoke("run", *made.options, code=75)
    assert "writes this run" in text
    assert not made.run.exists()
    invoke("run", *made.options)
    before = contents(made.run, without="")
    with locked(made.run):
        assert "events-2" in invoke("run", *made.options, "--model", "constant_mean")
        invoke("run", *made.options, code=75)
    assert contents(made.run, without="") == before


def test_a_file_edited_while_the_study_runs_is_refused(project: Project, tmp_path: Path) -> None:
    from eventstudy.errors import DataError
    from eventstudy.studies import run_study

    made = project.copied(tmp_path)
    record = Record.read(made.run)
    inputs, origin = record.origin.read()
    results = run_study(inputs.events, origin.config)
    made.announce(FIRMS[:3])
    with pytest.raises(DataError, match="was changed while the study ran"):
        write_run(results, tmp_path, "x", config=origin.config, origin=origin)
    assert not (tmp_path / "x").exists()
