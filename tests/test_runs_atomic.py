"""A run folder is never half-written: exchanged in one step, and as it was when the disk is
full."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ROOT
from run_folders import FIRMS, Project, contents, invoke, left_in

from eventstudy.cli.main import Terminated, terminable
from eventstudy.runs import atomic_swap as module
from eventstudy.runs import verify_run
from eventstudy.runs.atomic_swap import clear_remains, exchange, stage_of, staged, swap


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "f").write_text(text)
    return path


def test_exchange(tmp_path: Path) -> None:
    one, other = folder(tmp_path / "a", "A"), folder(tmp_path / "b", "B")
    if exchange(one, other):
        assert ((one / "f").read_text(), (other / "f").read_text()) == ("B", "A")
        with pytest.raises(OSError, match="No such file") as caught:
            exchange(one, tmp_path / "missing")
        assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize("can", [True, False])
def test_swap(can: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the exchange of the kernel and with two renames, as on Windows."""
    if not can:
        monkeypatch.setattr(module, "exchange", lambda one, other: False)
    target = tmp_path / "run"
    for text in ("first", "second"):
        swap(folder(stage_of(target), text), target)
        assert (target / "f").read_text() == text
        assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    """A run between two renames comes back; a half-written stage goes; other folders stay."""
    target = tmp_path / "run"
    folder(tmp_path / ".run.old", "good")
    folder(tmp_path / ".run.new", "half")
    folder(tmp_path / ".run2.new", "of another run")
    clear_remains(target)
    assert (target / "f").read_text() == "good"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".run2.new", "run"]


@pytest.fixture
def project(studied: Project, tmp_path: Path) -> Project:
    made = studied.copied(tmp_path)
    made.announce(FIRMS[:4])
    return made


def limited(project: Project, limit: Callable[[], None], *args: object) -> tuple[int, str]:
    """Run the study, or another command, in a process with a limit; return exit code and what it
    said."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "eventstudy",
        *map(str, args or ["run", "--force", *project.options]),
    ]
    done = subprocess.run(
        command,
        preexec_fn=limit,
        env=env,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.watch
def test_a_file_that_cannot_grow_leaves_the_old_run(project: Project) -> None:
    before = contents(project.run, without="")
    code, said = limited(project, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)))
    assert (code, len(said.splitlines())) == (1, 1), said
    assert "cannot write the run folder: File too large" in said
    assert "the earlier run is unchanged" in said
    assert contents(project.run, without="") == before
    assert left_in(project.out) == []


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"), reason="only root can make a small disk"
)
def test_a_full_disk_leaves_the_old_run(project: Project, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no right to mount")
    try:
        project.out = shutil.copytree(project.out, place / "out")
        run = project.out / "events"
        before = contents(run, without="")
        (place / "filler").write_bytes(bytes(2_000_000 - sum(map(len, before.values())) - 200_000))
        code, said = limited(project, lambda: None)
        assert (code, len(said.splitlines())) == (1, 1), said
        assert "cannot write the run folder: No space left on device" in said
        assert contents(run, without="") == before
        assert left_in(project.out) == []
        assert verify_run(run).ok
        (place / "filler").unlink()
        invoke("refresh", *project.options)
        with suppress(OSError), (place / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        assert shutil.disk_usage(place).free == 0
        assert invoke("refresh", *project.options[:-1]).startswith("nothing new"), (
            "no room, and none needed"
        )
        project.announce(FIRMS)
        assert "No space left on device" in invoke("refresh", *project.options, code=1)
        assert left_in(project.out) == []
        assert verify_run(run).ok
    finally:
        subprocess.run(["umount", place], check=True)


def powerless() -> None:
    """Give up root's right to write where it may not (CAP_DAC_OVERRIDE); others never had it."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


@pytest.mark.slow
def test_no_right_to_write_is_one_clear_line(project: Project) -> None:
    before = contents(project.run, without="")
    project.out.chmod(0o555)
    try:
        code, said = limited(project, powerless)
    finally:
        project.out.chmod(0o755)
    assert (code, len(said.splitlines())) == (1, 1), said
    assert "cannot write the run folder: Permission denied" in said
    assert contents(project.run, without="") == before
    assert left_in(project.out) == []


@pytest.mark.slow
def test_a_run_that_may_not_be_removed_is_not_exchanged(project: Project) -> None:
    """What would be left of it barred every later run."""
    before = contents(project.run, without="")
    (project.run / "tables").chmod(0o555)
    try:
        code, said = limited(project, powerless)
    finally:
        (project.run / "tables").chmod(0o755)
    assert (code, len(said.splitlines())) == (1, 1), said
    assert f"cannot write the run folder: Permission denied, got '{project.run / 'tables'}'" in said
    assert contents(project.run, without="") == before
    assert left_in(project.out) == []


@pytest.mark.watch
def test_what_the_user_may_only_read_bars_no_run(project: Project, tmp_path: Path) -> None:
    """A note of the user's that is protected, and links to such a file, to a folder and to
    nothing."""
    other = tmp_path / "elsewhere.txt"
    for path in (project.run / "note.txt", other):
        path.write_text("mine")
        path.chmod(0o444)
    links = {"to-file": other, "to-folder": project.prices, "to-nothing": tmp_path / "gone"}
    for name, meant in links.items():
        (project.run / name).symlink_to(meant)
    for command in ("run", "refresh"):
        more = ["--force"] if command == "run" else []
        code, said = limited(project, powerless, command, *project.options, *more)
        assert (code, said) == (0, "")
        assert (project.run / "note.txt").stat().st_mode & 0o777 == 0o444
        assert {name: (project.run / name).readlink() for name in links} == links
        project.announce(FIRMS)
    assert left_in(project.out) == []


def blind() -> None:
    """Give up root's right to read what it may not as well (CAP_DAC_READ_SEARCH)."""
    powerless()
    ctypes.CDLL(None).prctl(24, 2, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "command", "code", "says"),
    [
        ("px", "run", 2, "px: cannot be read (Permission denied)"),
        (
            "px",
            "refresh",
            75,
            "px: cannot be read (Permission denied); the last report is unchanged",
        ),
        (
            "px/AAA.csv",
            "refresh",
            3,
            "AAA: cannot be read (Permission denied); its events keep the prices that they had",
        ),
        ("events.csv", "refresh", 1, "events.csv: cannot be read (Permission denied)"),
        ("out/events", "verify", 1, "manifest.json: cannot be read (Permission denied)"),
        (
            "out/events/data/prices.csv.gz",
            "reproduce",
            1,
            "csv.gz: cannot be read (Permission denied)",
        ),
    ],
)
def test_no_right_to_read_is_one_clear_line(
    place: str, command: str, code: int, says: str, project: Project
) -> None:
    project.announce(FIRMS)
    before = contents(project.run, without="")
    path = project.folder / place
    mode = path.stat().st_mode
    path.chmod(0)
    args = project.options if command in ("run", "refresh") else [project.run]
    try:
        found, said = limited(project, blind, command, *args)
    finally:
        path.chmod(mode)
    n_notes = int(code == 3)
    assert (found, len(said.splitlines())) == (code, 1 + n_notes), said
    assert says in said
    assert contents(project.run, without="") == before


def test_a_path_under_a_file(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "Not a directory" in invoke(
        "run", *project.options, "--out", tmp_path / "file" / "out", code=1
    )


def set_up_amid_sigterm() -> None:
    """Do what the set-up of a compiled module does."""
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    except Terminated:
        raise ImportError("initialization failed") from None


def test_sigterm_amid_an_import_is_sigterm() -> None:
    """Compiled modules raise an ImportError of their own for what is raised while they are set
    up."""
    with pytest.raises(Terminated), terminable():
        set_up_amid_sigterm()
    with pytest.raises(ImportError), terminable():
        raise ImportError("no such module")


@pytest.mark.parametrize(
    ("number", "module", "code", "said"),
    [
        ("SIGTERM", "click", -signal.SIGTERM, ""),
        ("SIGINT", "click", -signal.SIGINT, ""),
        ("SIGTERM", "pandas._libs.lib", 143, "terminated, the last report is unchanged"),
        ("SIGINT", "pandas._libs.lib", 130, "interrupted, nothing was changed"),
    ],
)
def test_a_signal_amid_the_imports_ends_without_a_traceback(
    number: str, module: str, code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "signalled.py").write_text(
        f"""import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{number})

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
from eventstudy_kit import main
sys.argv[1:] = ["refresh", "events.csv"]
main()
"""
    )
    done = subprocess.run(
        [sys.executable, tmp_path / "signalled.py"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, f"eventstudy: {said}\n" * bool(said))


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_signal_that_python_passes_over_comes_again(seconds: int) -> None:
    class Thing:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    def work() -> None:
        Thing()
        time.sleep(seconds)

    start = time.monotonic()
    with pytest.raises(Terminated), terminable():
        work()
    assert time.monotonic() - start < 4


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files are those of Linux")
def test_folders_are_flushed_before_and_after_the_swap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their names too: a power cut does not undo a swap that was reported."""
    flushed: list[Path] = []
    sync = os.fsync

    def fsync(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink())
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with staged(tmp_path / "run") as stage:
        (stage / "deep").mkdir()
        (stage / "deep" / "file").write_text("x")
    assert [path.name for path in flushed[:3]] == ["file", stage.name, "deep"]
    assert flushed[-1] == tmp_path
