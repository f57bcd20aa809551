"""Runs of somebody else: every fault of a manifest is one sentence with an exit code, nothing
outside the folder is read, and no file is decompressed into all of memory."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from conftest import ROOT
from platformdirs import user_data_path
from run_folders import Project, invoke
from seeds import seed

from eventstudy.cli.main import OUR_FAULT, main
from eventstudy.findings.document import DocumentError, read_json
from eventstudy.runs import manifest
from eventstudy.runs.origin import hash_of
from eventstudy.runs.record import Record, hash_manifest, seal

SECRET = "s3cret-of-the-machine"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("strangers"))
    made.study()
    return made


@pytest.fixture(scope="module")
def theirs(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a run in a folder of its own: without what it was made of."""
    return Path(shutil.copytree(project.run, tmp_path_factory.mktemp("theirs") / "run"))


def tampered(run: Path, facts: object) -> None:
    """Put a manifest in the place of that of a run, with the right hash of its own."""
    if isinstance(facts, dict):
        facts.pop("manifest_sha256", None)
        with suppress(UnicodeEncodeError):
            facts = {**facts, "manifest_sha256": hash_manifest(facts)}
    (run / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def outcome(*args: object) -> tuple[int, str]:
    """Return exit code and output of a command; it must be no crash, and end in one line."""
    done = CliRunner().invoke(main, [str(a) for a in args])
    crash = done.exception
    assert crash is None or isinstance(crash, SystemExit), (args, repr(crash))
    assert OUR_FAULT not in done.output, (args, done.output)
    assert "Traceback" not in done.output
    assert SECRET not in done.output
    return done.exit_code, done.output


def commands(run: Path, other: Path) -> Iterator[list[object]]:
    yield ["verify", run]
    yield ["reproduce", run]
    yield ["compare", run, other]
    yield ["compare", "--json", other, run]
    yield ["refresh", run, "--offline"]


def try_all(run: Path, other: Path) -> list[int]:
    codes = []
    for command in commands(run, other):
        code, text = outcome(*command)
        assert code in (0, 1, 2, 4, 75), (command, text)
        if code in (1, 2, 75):
            assert text.startswith("eventstudy: ") or "\neventstudy: " in text, text
        codes.append(code)
    return codes


def put(*keys: Any, to: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a change of one member, by its keys."""

    def change(facts: dict[str, Any]) -> None:
        place: Any = facts
        for key in keys[:-1]:
            place = place[key]
        if to is KeyError:
            del place[keys[-1]]
        else:
            place[keys[-1]] = to

    return change


HAND_MADE = {
    "returns elsewhere": put("config", "returns", to="/etc/passwd"),
    "size elsewhere": put("config", "size", to="/etc/passwd"),
    "factors elsewhere": put("config", "factors", to=["../../../etc/passwd"]),
    "a setting of another type": put("config", "estimation", to={"a": 1}),
    "an unknown setting": put("config", "nosuch", to=1),
    "no settings": put("config", to=[]),
    "prices of a symbol null": put("prices", "AAA", to=None),
    "an unknown fact of prices": put("prices", "AAA", "later", to=3),
    "no first day": put("prices", "AAA", "first", to=KeyError),
    "a first day that is none": put("prices", "AAA", "first", to="zzz"),
    "rows in words": put("prices", "AAA", "rows", to="many"),
    "no files": put("origin", "files", to={}),
    "files as a list": put("origin", "files", to=[]),
    "files as a number": put("origin", "files", to=7),
    "events elsewhere": put("origin", "files", "data/events.csv", to="/etc/passwd"),
    "events above": put("origin", "files", "data/events.csv", to="../../../../../etc/passwd"),
    "prices elsewhere": put("origin", "prices", to="/etc"),
    "a store elsewhere": put("origin", "store", to="/etc/passwd"),
    "a file above": put("files", "data/../../secret", to="0" * 64),
    "an absolute file": put("files", "/etc/passwd", to="0" * 64),
    "no hash": put("files", "events.csv", to="abc"),
    "notices as a number": put("notices", to=3),
    "answers in words": put("answers", to=["x"]),
    "an answer without a group": put("answers", to=[{"text": "x"}]),
    "asked for in words": put("asked", "AAA", to="always"),
    "events as a list": put("events", to=[1]),
    "a time that is none": put("written_at", to="noon"),
    "versions null": put("versions", "numpy", to=None),
    "half a letter": put("name", to="\ud800"),
    "failures as text": put("failures", to={"AAA": "x"}),
    "a failure without a kind": put("failures", to={"AAA": {"where": 1}}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", HAND_MADE)
def test_hand_made_manifests(case: str, theirs: Path, project: Project, tmp_path: Path) -> None:
    run = Path(shutil.copytree(theirs, tmp_path / "run"))
    (tmp_path / "secret").write_text(f"ticker,announced_at\n{SECRET},2020-01-02\n")
    facts = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    HAND_MADE[case](facts)
    tampered(run, facts)
    codes = try_all(run, project.run)
    if case not in ("an unknown fact of prices", "no first day"):
        assert any(codes), "something is said"
    kept = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file())
    assert b"root:" not in kept, "nothing of the machine is copied"


@pytest.mark.slow
def test_links_lead_nowhere(theirs: Path, project: Project, tmp_path: Path) -> None:
    """A link is not followed, whether the manifest has the hash of what it leads to or not."""
    for place in ("data/prices.csv.gz", "events.csv", "tables/car.csv", "data", "results.json",
                  "changes.json"):  # fmt: skip
        run = Path(shutil.copytree(theirs, tmp_path / place.replace("/", "-")))
        outside = tmp_path / f"outside-{run.name}"
        if (run / place).exists():
            (run / place).rename(outside)
        else:
            outside.write_text(json.dumps({"changes": [{"at": SECRET, "text": SECRET}]}))
        (run / place).symlink_to(outside)
        facts = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        if outside.is_file():
            facts["files"][place] = hash_of(outside)
        tampered(run, facts)
        assert outcome("verify", run)[0] == 4
        if place not in ("results.json", "changes.json"):
            assert outcome("reproduce", run)[0] in (1, 4)
        try_all(run, project.run)
    run = Path(shutil.copytree(theirs, tmp_path / "linked"))
    (run / "manifest.json").rename(tmp_path / "m.json")
    (run / "manifest.json").symlink_to(tmp_path / "m.json")
    assert {outcome(*command)[0] for command in commands(run, project.run)} == {1}


@pytest.mark.slow
def test_files_elsewhere_are_read_where_the_run_was_written_or_asked_for(tmp_path: Path) -> None:
    made = Project(tmp_path / "a")
    made.study()
    made.announce(("AAA", "BBB"))
    assert "Events removed" in invoke("refresh", made.run)
    (tmp_path / "b").mkdir()
    moved = Path(shutil.move(made.out, tmp_path / "a" / "moved")) / "events"
    assert f"would read {made.events}" in invoke("refresh", moved, code=1).replace(
        "moved/events/../../", ""
    )
    assert "nothing new" in invoke("refresh", moved, "--trust")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says its peak there")
def test_a_bomb_is_refused_within_200_mb(theirs: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(theirs, tmp_path / "run"))
    # A thousand files of a megabyte in one.
    bomb = 1000 * gzip.compress(bytes(1 << 20))
    (run / "data" / "prices.csv.gz").write_bytes(bomb)
    facts = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    facts["files"]["data/prices.csv.gz"] = hashlib.sha256(bomb).hexdigest()
    tampered(run, facts)
    command = [sys.executable, "-c", MEASURED, "reproduce", str(run)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    code, peak = done.stdout.split()
    assert (int(code), "is refused: its content is larger" in done.stderr) == (1, True), done.stderr
    assert int(peak) < 200, "MB"


MEASURED = """
import re, sys
from pathlib import Path
from eventstudy.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(end.code, int(peak) // 1024)
"""


def test_a_large_manifest_is_refused(theirs: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(theirs, tmp_path / "run"))
    with (run / "manifest.json").open("a") as file:
        file.write(" " * manifest.LARGEST)
    assert "larger than 20,000,000 bytes" in invoke("verify", run, code=1)


def test_the_schema_is_that_of_the_types_and_of_what_is_written(theirs: Path) -> None:
    text = (ROOT / "eventstudy" / "data" / "manifest.schema.json").read_text(encoding="utf-8")
    made = "eventstudy schema manifest > eventstudy/data/manifest.schema.json"
    assert json.loads(text) == Record.DOCUMENT.schema(), made
    facts = json.loads((theirs / "manifest.json").read_text(encoding="utf-8"))
    jsonschema.validate(facts, Record.DOCUMENT.schema())


JUNK = [
    None, True, 0, -1, 10**400, 1e308, float("nan"), "", "x", "../..", "/etc/passwd", "\x00",
    "\u202e\x1b[2J", "9999-99-99", [], {}, [[]], {"a": None}, [None], "[" * 50, "2020-01-01",
]  # fmt: skip


def mutated(draw: random.Random, value: Any) -> Any:
    """Return a document with one member changed, lost, added or named anew, at any depth."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice([*value])
        rest = {k: v for k, v in value.items() if k != key}
        way = draw.random()
        if way < 0.1:
            return rest
        if way < 0.2:
            return {**value, draw.choice(["new", "", "../x", key + "x"]): draw.choice(JUNK)}
        if way < 0.25:
            return {**rest, draw.choice(["..", "a/b", "x", "\x1b[0m"]): value[key]}
        return {**value, key: mutated(draw, value[key])}
    if isinstance(value, list) and value and draw.random() < 0.7:
        at = draw.randrange(len(value))
        return [*value[:at], mutated(draw, value[at]), *value[at + 1 :]]
    return draw.choice(JUNK)


def fuzz(n: int, drawn_by: int, theirs: Path, other: Path, tmp_path: Path) -> int:
    """Return how many of n mutated manifests some command says something of."""
    draw, noticed = random.Random(drawn_by), 0
    facts = json.loads((theirs / "manifest.json").read_text(encoding="utf-8"))
    for k in range(n):
        run = Path(shutil.copytree(theirs, tmp_path / f"run{k}"))
        changed: Any = facts
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            changed = mutated(draw, changed)
        tampered(run, changed)
        try:
            noticed += any(try_all(run, other))
        except AssertionError as error:
            raise AssertionError(f"manifest {k} of seed {drawn_by}") from error
        shutil.rmtree(run)
    return noticed


@pytest.mark.parametrize(
    ("n", "drawn_by", "least"),
    [
        pytest.param(60, 1, 24, marks=pytest.mark.slow),
        pytest.param(500, 2, 200, marks=pytest.mark.watch),
    ],
)
def test_mutated_manifests(
    n: int, drawn_by: int, least: int, theirs: Path, project: Project, tmp_path: Path
) -> None:
    assert fuzz(n, seed(drawn_by), theirs, project.run, tmp_path) > least


def test_a_run_is_known_by_the_key_of_its_user(project: Project, tmp_path: Path) -> None:
    """Neither a copy, nor an altered manifest, nor another or an open key makes a run one's own."""
    key = user_data_path("eventstudy", appauthor=False) / "key"
    ours, mode = key.read_bytes(), key.stat().st_mode
    assert len(ours) == 32
    assert os.name == "nt" or mode & 0o077 == 0
    invoke("refresh", project.run)
    theirs = project.copied(tmp_path / "copy")
    refused = "was not written here, and its study would read"
    assert refused in invoke("refresh", theirs.run, code=1)
    facts = json.loads((project.run / "manifest.json").read_text(encoding="utf-8"))
    try:
        for other in (bytes(32), b"", ours[:31]):
            key.write_bytes(other)
            assert refused in invoke("refresh", project.run, code=1)
        key.unlink()
        assert refused in invoke("refresh", project.run, code=1)
        assert not key.exists(), "reading a run makes no key"
        key.write_bytes(ours)
        key.chmod(0o644)
        assert os.name == "nt" or refused in invoke("refresh", project.run, code=1)
        key.chmod(0o600)
        tampered(project.run, {**facts, "seed": 8})
        assert refused in invoke("refresh", project.run, code=1)
    finally:
        key.write_bytes(ours)
        key.chmod(mode)
        seal(project.run, facts, project.run)
    invoke("refresh", project.run)


# Fields of results.json that once ended in "This is a bug", and what was put there.
ALTERED = {
    "setup.measure": "x", "setup.kind": "x", "setup.engine": "x", "setup.first": "2020-02-31",
    "setup.last": "x", "setup.settings.calendar": "x", "setup.conventions.scar": "x",
    "setup.conventions.missing": "x", "setup.main": [1, 0], "samples[0].diagnosis.kind": "x",
    "samples[0].main.answer.verdict": "x", "samples[0].main.answer.influence.leave_outs[0].kind": "x",
    "samples[0].main.answer.influence.leave_outs[0].first": "x",
    "samples[0].main.answer.influence.leave_outs[0].last": "x", "samples[0].main.tests[0].trust": "x",
    "events[0].day0": "x", "events[10].cars[0].until": "x", "events[0].params": ["x"],
    "dropped[0][0]": {"code": "x"}, "tables.specifications.ci_low.type": "x",
    "tables.specifications.ci_low.values": 5, "tables.specifications.is_main.type": "text",
    "tables.specifications.estimate.type": "date", "schema": "x", "setup.group_column": "x",
    "samples[0].main.answer.test": "x", "samples[0].main.tests[0].test": "x", "samples[0].shown": ["x"],
    "events[0].page": "x", "tables.faults.date.values": ["x"], "tables.specifications.model.values": ["x"],
    "tables.specifications.window.values": ["x"], "tables.families.family.values": ["x"],
    "tables.families_by_group.direction.values": ["x"], "provenance.prices": [],
    "tables.announcement_time_by_group.dating.values": ["x"], "provenance.prices.AAPL.last": "x",
}  # fmt: skip


@pytest.fixture(scope="module")
def committed() -> str:
    return (ROOT / "reports/sanctions-sample/results.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", ALTERED)
def test_an_altered_field_is_named(field: str, committed: str) -> None:
    document = json.loads(committed)
    *path, last = [int(k) if k.isdigit() else k for k in re.findall(r"\w+", field)]
    place = document
    for step in path:
        place = place[step]
    assert last in place or isinstance(last, int)
    place[last] = ALTERED[field]
    with pytest.raises(DocumentError) as caught:
        read_json(json.dumps(document), "results.json")
    named = caught.value.where.removeprefix("results.json.")
    assert named.rpartition(".")[0] == field.rpartition(".")[0]
    assert len(str(caught.value).splitlines()) == 1


def test_what_cannot_be_drawn_is_a_sentence_for_a_stranger(theirs: Path, tmp_path: Path) -> None:
    """A lie that the types cannot see: a table without its columns."""
    run = Path(shutil.copytree(theirs, tmp_path / "run"))
    text = (run / "results.json").read_text(encoding="utf-8")
    facts = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    document = json.loads(text)
    document["samples"][0]["main"]["tests"] = []
    document["setup"]["settings"]["windows"] = 5
    document["tables"]["families"] = {"family": {"type": "text", "values": ["days"]}}
    (run / "results.json").write_text(json.dumps(document), encoding="utf-8")
    seal(run, facts)
    code, said = outcome("report", run, "--format", "html", "--out", tmp_path / "out.html")
    assert code == 1
    assert "was not written here, and no report can be drawn" in said
