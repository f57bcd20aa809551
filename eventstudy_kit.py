"""Starts ``eventstudy``, and refuses to amid files of another project.

PyPI has another project whose package is called ``eventstudy``. In one environment each overwrites
files of the other, and to uninstall one removes files of both; no installer says so. This module is
outside the package, so the command can say it whatever has become of the package.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGE, CLEAN = "eventstudy", "uninstall {} and eventstudy-kit, then install eventstudy-kit again"


@cache
def require_own_files() -> None:
    """Raise ImportError if the package is another project's in part or whole, or files are gone.

    It lists two folders and looks at the sizes of the installed files. Only if these are not as the
    installer recorded them does it read what other projects have installed.
    """
    folder = HERE / PACKAGE
    spec = importlib.util.find_spec(PACKAGE)
    place = Path(spec.origin).parent if spec and spec.origin else folder
    if place.resolve() != folder.resolve():
        text = (
            f"Python takes eventstudy from {place}, which is another project's, not from {folder}"
        )
        raise ImportError(f"{text}; uninstall eventstudy there")
    record = next(HERE.glob("eventstudy_kit-*.dist-info/RECORD"), None)
    if record is None:
        return
    faults = list(_faults(folder, record.read_text(encoding="utf-8").splitlines()))
    if not faults and not any(HERE.glob("eventstudy-*.dist-info")):
        return
    if owners := _owners():
        text = f"files of another project ({', '.join(owners)}) lie in {folder}"
        raise ImportError(f"{text}; {CLEAN.format(' and '.join(owners))}")
    if gone := [name for name in faults if not (HERE / name).exists()]:
        text = f"{len(gone)} files of eventstudy-kit are gone, the first is {HERE / gone[0]}"
        raise ImportError(f"{text}; uninstall eventstudy-kit and install it again")


def open_face(name: str, file: str) -> Any:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a room: names that load when used.

    Amid files of another project the first room that is imported says so, whatever has become of
    the door of the package.

    Parameters
    ----------
    name, file : str
        ``__name__`` and ``__file__`` of the room; its names stand in the ``.pyi`` beside the file.
    """
    require_own_files()
    import lazy_loader

    return lazy_loader.attach_stub(name, file)


def _faults(folder: Path, rows: list[str]) -> Iterator[str]:
    """Yield what is not as `rows` of RECORD have it: files gone or of another size, modules added.

    Parameters
    ----------
    folder : Path
    rows : list of str
        Path, hash and size; compiled files may go.
    """
    entries = {"__pycache__"}
    for name, _, size in (row.rsplit(",", 2) for row in rows):
        if name.startswith(f"{PACKAGE}/") and "__pycache__" not in name:
            entries.add(name.split("/")[1])
            if _size(f"{HERE}/{name}") != size:
                yield name
    listed = folder.iterdir() if folder.is_dir() else []
    yield from (f"{PACKAGE}/{path.name}" for path in listed if path.name not in entries)


def _size(path: str) -> str:
    try:
        return str(os.stat(path).st_size)  # noqa: PTH116 - five times as fast
    except OSError:
        return "gone"


def _owners() -> list[str]:
    """Return the other projects that have installed files into the package."""
    from importlib.metadata import distributions

    others = (dist for dist in distributions(path=[str(HERE)]) if dist.name != "eventstudy-kit")
    return sorted(
        dist.name for dist in others if any(f.parts[0] == PACKAGE for f in dist.files or ())
    )


def main() -> None:
    """Run the command line; in one sentence say why if it cannot start."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C amid the imports ends as SIGTERM does, at once; then the command line takes over.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        require_own_files()
    except ImportError as error:
        print(f"eventstudy: {error}", file=sys.stderr)
        sys.exit(2)
    # By name: the package imports this module, which so needs nothing of the package.
    importlib.import_module("eventstudy.cli.main").main()
