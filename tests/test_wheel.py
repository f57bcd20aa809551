"""The wheel, installed alone into an empty environment, runs the main job from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_the_wheel_runs_alone(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "dist", ROOT],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("eventstudy_kit-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.split("/")[0] for n in names if ".dist-info" not in n} == {"eventstudy"}
    assert any(n.endswith("NOTICE") for n in names)
    bundled = {f"eventstudy/data/example/{name}" for name in ("events.csv", "README.md")}
    assert bundled <= set(names)
    assert "eventstudy/data/hikvision-2019.json" in names
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [
        python,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
        wheel,
    ]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    # Dependencies come from the environment of the tests; a path entry does not bring its editable
    # installs.
    env = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    command = [
        python.parent / "eventstudy",
        "run",
        ROOT / "events.csv",
        "--offline",
        "--out",
        "here",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here" / "events" / "report.html").is_file()
    where = subprocess.run(
        [python, "-c", "import eventstudy; print(eventstudy.__file__)"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(home) in where.stdout
    reproduced = subprocess.run(
        [python.parent / "eventstudy", "reproduce", "here/events", "--tolerance", "0"],
        cwd=tmp_path, env={**env, "TZ": "Asia/Shanghai", "LC_ALL": "C"}, capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert reproduced.stdout.startswith("reproduced exactly"), reproduced.stdout + reproduced.stderr
