"""The command of ``refresh --on-change``: run after a change, and again until it has succeeded."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

# Seconds that it may take.
LONGEST = 300


def notify(command: str, run: Path, *, changed: bool) -> str:
    """Run a command without a shell if `run` has changed since it last succeeded; say how it failed, or "".

    What it prints goes to stderr: stdout is that of the refresh. A file beside the run, ``.NAME.on-change``,
    remembers that it is due, also if this process is killed.
    """
    due = run.with_name(f".{run.name}.on-change")
    if changed:
        due.write_text(f"{command}\n", encoding="utf-8")
    failed = _failure(command, run.absolute()) if due.exists() else ""
    if not failed:
        due.unlink(missing_ok=True)
    return failed


def _failure(command: str, run: Path) -> str:
    told = {"EVENTSTUDY_RUN": str(run), "EVENTSTUDY_CHANGES": str(run / "changes.json")}
    try:
        ended = subprocess.run(  # noqa: S603 - the user's own command
            shlex.split(command), env={**os.environ, **told}, timeout=LONGEST, check=False, stdout=2
        )
    except (OSError, ValueError) as error:
        return f"the command of --on-change cannot be run ({getattr(error, 'strerror', None) or error})"
    except subprocess.TimeoutExpired:
        return f"the command of --on-change took longer than {LONGEST} s"
    return f"the command of --on-change failed with exit code {ended.returncode}" if ended.returncode else ""
