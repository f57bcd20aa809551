"""The version is that of the tag: of a clone, of a wheel, and of what is built without git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

from eventstudy import __version__
from eventstudy.utility.version import UNTAGGED

NEEDED = (
    ".git_archival.txt", ".gitattributes", ".gitignore", "LICENSE", "README.md", "eventstudy",
    "eventstudy_kit.py", "pyproject.toml", "tools",
)  # fmt: skip
pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a source package is no clone")
VERSION = re.compile(r"(\d+\.\d+\.\d+)(\.post1)?(\.dev\d+)?(\+g[0-9a-f]+)?")


def run(*command: object, cwd: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(cwd)} | {
        f"GIT_{role}_{what}": "nobody@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def program(folder: Path) -> str:
    """Return what the program in a folder says."""
    return run(sys.executable, "-m", "eventstudy", "--version", cwd=folder).rpartition(" ")[2]


def built(folder: Path) -> str:
    """Return the version that a package built from a folder has."""
    return run(sys.executable, "-m", "hatchling", "version", cwd=folder)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository of the package with the tag of a version."""
    folder = tmp_path / "clone"
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "_version.py")
    for name in NEEDED:
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        more = {} if copy is shutil.copy else {"ignore": ignored}
        copy(ROOT / name, folder / name, **more)
    for command in (("init",), ("add", "."), ("commit", "-m", "x"), ("tag", "v3.2.1")):
        run("git", *command, "-q" if command[0] in ("init", "commit") else "--", cwd=folder)
    return folder


def test_it_is_one_in_every_place() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    options = settings["tool"]["hatch"]["version"]["raw-options"]
    assert options["fallback_version"] == UNTAGGED
    match = VERSION.fullmatch(__version__)
    assert match
    assert f"## {match[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_of_a_clone_it_is_that_of_its_commit(clone: Path) -> None:
    assert program(clone) == built(clone) == "3.2.1"
    (clone / "new").write_text("", encoding="utf-8")
    run("git", "add", ".", cwd=clone)
    run("git", "commit", "-qm", "y", cwd=clone)
    node = run("git", "rev-parse", "--short", "HEAD", cwd=clone)
    assert program(clone) == f"3.2.1.post1.dev1+g{node}"
    assert built(clone).startswith(program(clone))
    run("git", "tag", "-d", "v3.2.1", cwd=clone)
    assert program(clone) == f"{UNTAGGED}+g{node}"
    # Another repository is none of its business.
    (clone / ".git").rename(clone.parent / ".git")
    assert program(clone) == built(clone) == UNTAGGED


@pytest.mark.slow
def test_an_archive_of_a_tag_has_its_version_without_git(clone: Path, tmp_path: Path) -> None:
    run("git", "archive", "--output", tmp_path / "a.tar", "--prefix=archive/", "HEAD", cwd=clone)
    with tarfile.open(tmp_path / "a.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    assert built(tmp_path / "archive") == "3.2.1"


@pytest.mark.slow
def test_a_wheel_made_of_the_source_package_has_it(clone: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, cwd=clone)
    [wheel] = tmp_path.glob("eventstudy_kit-3.2.1-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    assert program(tmp_path / "site") == "3.2.1"
    readme = (tmp_path / "site" / "eventstudy_kit-3.2.1.dist-info" / "METADATA").read_text("utf-8")
    assert re.findall(r"\]\((?!https://|#|mailto:)", readme) == []
    # A clone in which something was built goes on asking git.
    run("git", "tag", "-d", "v3.2.1", cwd=clone)
    assert program(clone).startswith(f"{UNTAGGED}+g")
