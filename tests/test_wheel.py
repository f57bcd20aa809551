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


def start_lines(python: Path, folder: Path, env: dict[str, str]) -> list[str]:
    """Return what the command says without arguments."""
    done = subprocess.run(
        [python.parent / "eventstudy"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.watch
def test_the_wheel_runs_alone(tmp_path: Path) -> None:
    subprocess.run(
        # The wheel is built from the source package, as an index has it.
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", ROOT],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("eventstudy_kit-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.split("/")[0] for n in names if ".dist-info" not in n} == {
        "eventstudy",
        "eventstudy_kit.py",
    }
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
    # installs. Nothing answers at the other end of the network.
    env = {
        **os.environ,
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9"),
        "EVENTSTUDY_STORE": str(tmp_path / "prices.sqlite"),
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    first = "".join(start_lines(python, tmp_path, env))
    assert "eventstudy one" in first
    assert "eventstudy example" in first
    said = [
        subprocess.run(
            [python.parent / "eventstudy", *arguments],
            cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8", timeout=300,
            check=True,
        ).stdout
        for arguments in (["example"], ["run", "events.csv", "--event-pages", "3"])
    ]  # fmt: skip
    assert "Wrote events.csv" in said[0]
    assert "eventstudy run events.csv" in said[0]
    assert "bundled sample" in said[1].splitlines()[0]
    assert "reports/events/report.html" in said[1].replace("\n", "")
    assert (tmp_path / "reports" / "events" / "report.html").is_file()
    where = subprocess.run(
        [python, "-c", "import eventstudy; print(eventstudy.__file__)"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(home) in where.stdout
    reproduced = subprocess.run(
        [python.parent / "eventstudy", "reproduce", "reports/events", "--tolerance", "0"],
        cwd=tmp_path, env={**env, "TZ": "Asia/Shanghai", "LC_ALL": "C"}, capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert reproduced.stdout.startswith("reproduced exactly"), reproduced.stdout + reproduced.stderr
