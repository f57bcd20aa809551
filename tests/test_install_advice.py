"""What is optional is added by a command that is right for the environment that runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import lazy_loader
import pytest
from conftest import ROOT

from eventstudy.errors import how_to_install

ASK = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from eventstudy.errors import how_to_install as h; print(h('arch'))"


@pytest.mark.skipif(find_spec("pip") is None, reason="an environment of uv")
def test_it_names_the_python_that_runs() -> None:
    assert shlex.split(how_to_install("arch")) == [sys.executable, "-m", "pip", "install", "arch"]


@pytest.mark.slow
@pytest.mark.parametrize("has_uv", [True, False])
def test_an_environment_without_pip(has_uv: bool, tmp_path: Path) -> None:
    """One of uv takes uv where it is found; else pip is added first."""
    venv.create(tmp_path / "my env")
    # What the faces of the rooms need, and no more.
    folder = next((tmp_path / "my env").rglob("site-packages"))
    shutil.copytree(Path(lazy_loader.__file__).parent, folder / "lazy_loader")
    python = tmp_path / "my env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    found = tmp_path / "found"
    found.mkdir()
    if has_uv:
        program = found / ("uv.exe" if os.name == "nt" else "uv")
        program.write_bytes(b"")
        program.chmod(0o755)
    around = {**os.environ, "PATH": str(found)}
    done = subprocess.run(
        [python, "-c", ASK], capture_output=True, text=True, check=True, env=around
    )
    if has_uv:
        wanted = ["uv", "pip", "install", "--python", str(python), "arch"]
    else:
        pip = [str(python), "-m"]
        wanted = [*pip, "ensurepip", "&&", *pip, "pip", "install", "arch"]
    assert shlex.split(done.stdout) == wanted


def test_every_package_that_a_message_names_is_of_an_extra() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = {
        re.split(r"[<>=]", requirement)[0]
        for name, packages in extras["optional-dependencies"].items()
        if name not in ("all", "dev", "docs")
        for requirement in packages
    }
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "eventstudy").rglob("*.py")
    )
    named = set(re.findall(r"(?:how_to_install|[^_]module)\([\"']([\w-]+)[\"']", code))
    assert named - {"narwhals"} == listed
