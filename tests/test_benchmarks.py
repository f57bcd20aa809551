"""The benchmarks run, and the tests of significance hold their size where they should (and only there)."""

from __future__ import annotations

import subprocess
import sys

from conftest import ROOT


def test_size_on_one_date() -> None:
    """60 samples of 20 correlated events: BMP-KP stays below 20 %, plain Patell does not."""
    command = [sys.executable, "benchmarks/size.py", "--samples", "60", "--designs", "C1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    rates = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()[2:]}
    assert rates["bmp_kp"] < 20 < rates["patell"]
