"""An environment for each program of benchmarks/peers, as the block at its head (PEP 723) wants
it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

BLOCK = re.compile(r"^# /// script\n((?:#.*\n)+?)# ///$", re.MULTILINE)
PYTHONS = (sys.executable, *(f"python3.{minor}" for minor in (13, 12, 11, 10)))
INSTALL_SECONDS = 600


class EnvironmentMissingError(Exception):
    """A program has no environment, and why."""


def wanted(program: Path) -> dict[str, Any] | None:
    """Return the block at the head of a program, None where it runs in the environment of the
    tests."""
    block = BLOCK.search(program.read_text())
    return block and tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))


def interpreter(program: Path, cache: Path) -> str:
    """Return the Python of a program's environment, which is made in `cache` if it is not there.

    Raises
    ------
    EnvironmentMissingError
        No Python of the version, or a package does not install.
    """
    block = wanted(program)
    if block is None:
        return sys.executable
    python = _python(block["requires-python"])
    digest = hashlib.sha256(repr((python, block)).encode()).hexdigest()
    folder = cache / f"{program.stem}-{digest[:12]}"
    own = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "installed").exists():
        _install(python, folder, own, block["dependencies"])
    return str(own)


def own_folder(cache: Path) -> Path:
    """Make the folder of environments, which nobody else can have filled."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and cache.stat().st_uid != os.getuid():
        raise SystemExit(f"{cache} belongs to another user; choose a folder with --cache")
    return cache


def _python(versions: str) -> str:
    """Return the first Python by name that has one of `versions`."""
    for name in PYTHONS:
        found = shutil.which(name)
        if found:
            say = "import platform; print(platform.python_version())"
            done = subprocess.run([found, "-c", say], capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.strip() in SpecifierSet(versions):
                return found
    raise EnvironmentMissingError(f"no Python {versions} under the names python3.10 to python3.13")


def _install(python: str, folder: Path, own: Path, packages: list[str]) -> None:
    """Make the environment; `installed` in its folder says that it is whole, and what it has."""
    shutil.rmtree(folder, ignore_errors=True)
    make = f"import venv; venv.create({str(folder)!r}, with_pip=True)"
    for order in (
        [python, "-c", make],
        [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
    ):
        try:
            done = subprocess.run(
                order, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise EnvironmentMissingError(f"not installed within {INSTALL_SECONDS} s") from None
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
            raise EnvironmentMissingError(f"does not install: {last[0]}")
    (folder / "installed").write_text("\n".join(packages))
