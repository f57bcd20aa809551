"""What a release needs: workflows that can be read, one version and one licence, the address named."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from datetime import date
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from test_operations import _parsed

from eventstudy.report import write_bibtex
from eventstudy.utility.version import UNTAGGED

yaml = pytest.importorskip("yaml")
FLOWS = ROOT / ".github" / "workflows"
_PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = _PYPROJECT["project"]
HOME = _PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["home"]
pytestmark = pytest.mark.skipif(not FLOWS.exists(), reason="the source package has no workflows")


def flow(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FLOWS / name).read_text(encoding="utf-8"))
    return read


def scripts(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_matrix_has_every_python_that_is_promised() -> None:
    matrix = flow("ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["versions"] == ["lowest", "newest"]
    promised = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    assert set(promised) <= set(matrix["python"])
    assert min(matrix["python"], key=lambda v: int(v[2:])) == PROJECT["requires-python"][2:]
    [lowest] = [text for text in scripts(flow("ci.yml")["jobs"]["tests"]) if "lowest" in text]
    extras = re.findall(r"--extra ([a-z]+)", lowest)
    assert set(extras) == {*PROJECT["optional-dependencies"]} - {"all", "dev", "docs"}


def test_actions_are_named_by_their_commit() -> None:
    """A tag can be moved, also by who steals the account of its owner."""
    copied = ROOT / "docs" / "operations" / "github-workflow.yml"
    for file in (*FLOWS.glob("*.yml"), copied):
        for used in re.findall(r"uses: (.+)", file.read_text(encoding="utf-8")):
            assert re.fullmatch(r"\./.+|[\w/-]+@[0-9a-f]{40} # v[\d.]+", used), (file.name, used)


@pytest.mark.parametrize("name", sorted(path.name for path in FLOWS.glob("*.yml")))
def test_workflows_have_no_right_that_they_do_not_need(name: str) -> None:
    read = flow(name)
    assert read["permissions"] == {"contents": "read"}
    for job in read["jobs"].values():
        assert job.get("permissions", {}).get("contents", "read") == "read"
        assert all({"run", "uses"} & set(step) for step in job.get("steps", []))
        # Words of a request never stand in a script.
        assert not any("${{ github" in text for text in scripts({"steps": [], **job}))


def test_commands_of_the_release_exist() -> None:
    lines = [t for text in scripts(flow("release.yml")["jobs"]["build"]) for t in text.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.strip().startswith("eventstudy ")]
    assert [words[0] for words in commands] == ["one", "example", "run"]
    assert all(_parsed(words) for words in commands)


def test_the_citation_has_the_version_and_the_licence_of_the_package() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(cited)
    assert cited["license"] == PROJECT["license"]
    assert cited["version"] == UNTAGGED.partition(".dev")[0]
    assert cited.get("repository-code", "") == HOME
    released = date.fromisoformat(str(cited["date-released"]))
    assert f"year = {{{released.year}}}" in write_bibtex()


def test_no_release_is_made_before_the_files_name_its_version(tmp_path: Path) -> None:
    """The check of the workflow, run by bash."""
    [check] = [t for t in scripts(flow("release.yml")["jobs"]["build"]) if "CITATION" in t]
    for name in ("CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path / name)

    def released(version: str) -> bool:
        env = {**os.environ, "GITHUB_REF_NAME": f"v{version}"}
        command = ["bash", "-eo", "pipefail", "-c", check]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
        return done.returncode == 0

    assert released("0.1.0"), "a person tags it, and nothing else"
    assert not released("7.1.0")
    changes = [
        ("CITATION.cff", "version: 0.1.0", "version: 7.1.0"),
        ("CHANGELOG.md", "## 0.1.0", "## 7.1.0"),
    ]
    for name, old, new in changes:
        assert not released("7.1.0"), (name, old)
        path = tmp_path / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert released("7.1.0")


def test_no_file_has_a_placeholder_of_an_owner() -> None:
    listed = subprocess.run(
        ["git", "grep", "-l", "--fixed-strings", "OWNER" + "/"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    assert listed == []


@pytest.mark.parametrize("home", ["", "https://github.com/somebody/eventstudy"])
def test_links_of_the_package_lead_home_or_nowhere(home: str) -> None:
    spec = importlib.util.spec_from_file_location("metadata", ROOT / "tools" / "metadata.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    metadata: dict[str, Any] = {}
    module.HomeHook(str(ROOT), {"home": home}).update(metadata)
    text = metadata["readme"]["text"]
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert all(link.startswith(("https://", "#")) for link in links)
    assert bool(metadata["urls"]) == bool(home)
    for link in [link for link in links if home and link.startswith(f"{home}/blob/main/")]:
        assert (ROOT / link.removeprefix(f"{home}/blob/main/").partition("#")[0]).exists()
    # All that is said stays.
    plain = re.sub(
        r"!?\[([^\]]*)\]\([^)]*\)", r"\1", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text).split()
    lost = set(plain.split()) - set(words)
    assert not lost if home else len(lost) < 30, "but the words of the picture"


def test_all_is_every_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    [everything] = extras["all"]
    named = re.search(r"\[(.+)\]", everything)
    assert named is not None
    assert set(named[1].split(",")) == set(extras) - {"all", "dev", "docs"}


def _name(text: str) -> str:
    return re.split(r"[^\w.-]", text)[0].lower().replace("_", "-")


def test_the_lock_has_every_requirement_of_the_tests_and_of_the_image() -> None:
    extras = PROJECT["optional-dependencies"]
    image = (ROOT / "docs" / "operations" / "Dockerfile").read_text(encoding="utf-8")
    [named] = re.findall(r"'/src\[(.+)\]'", image)
    wanted = [*PROJECT["dependencies"], *extras["dev"]]
    wanted += [one for extra in named.split(",") for one in extras[extra]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert {_name(one) for one in wanted} - set(re.findall(r"^([\w.-]+)==", lock, re.M)) == set()


def test_the_gate_tries_the_lowest_versions_of_the_project() -> None:
    extras = PROJECT["optional-dependencies"]
    named = {name for one in extras["all"] for name in re.findall(r"[\w,]+(?=\])", one)}
    wanted = [*PROJECT["dependencies"]]
    wanted += [one for extra in named.pop().split(",") for one in extras[extra]]
    file = ROOT / ".ci" / "lowest.txt"
    if not file.is_file():
        pytest.skip("the source package has no gate")
    lowest = file.read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lowest, re.M))
    for one in wanted:
        bound = one.partition(">=")[2]
        assert f"{pinned[_name(one)]}.".startswith(f"{bound}."), one


def test_what_is_imported_is_declared() -> None:
    imported = set()
    for file in (ROOT / "eventstudy").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        imported |= set(re.findall(r"^\s*(?:from|import) ([a-z]\w*)[\w. ]* ?", text, re.M))
    groups = PROJECT["optional-dependencies"].values()
    declared = {_name(one) for one in (*PROJECT["dependencies"], *(x for g in groups for x in g))}
    of = packages_distributions()
    ours = {"eventstudy", "eventstudy_kit"}
    there = {name: {_name(one) for one in of[name]} for name in imported & of.keys() - ours}
    assert {name for name, packages in there.items() if not packages & declared} == set()
