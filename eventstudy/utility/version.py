"""The version: of the tag from which the package was built, or of the commit of a clone."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

# Before the first tag; as `fallback_version` of pyproject.toml has it.
UNTAGGED = "0.1.0.dev0"


def _version(root: Path) -> str:
    """Return the version of the package in a folder, as hatch-vcs names it."""
    if (root / ".git").exists():
        return _of_commit(root / ".git")
    try:
        return str(import_module("eventstudy.utility._version").__version__)
    except ImportError:
        return UNTAGGED


def _of_commit(folder: Path) -> str:
    """Return the version of a clone, whose files may have been edited since its last commit."""
    import subprocess

    describe = ("describe", "--tags", "--long", "--always", "--match=v[0-9]*")
    command = ["git", f"--git-dir={folder}", *describe]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return UNTAGGED
    tag, *since = done.stdout.strip().rsplit("-", 2)
    if not since:
        return f"{UNTAGGED}+g{tag}"
    return tag[1:] + (f".post1.dev{since[0]}+{since[1]}" if since[0] != "0" else "")


__version__ = _version(Path(__file__).parents[2])
