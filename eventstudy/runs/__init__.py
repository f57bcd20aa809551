"""The run folder: report, tables, figures, inputs and manifest, and what one does with it."""

from __future__ import annotations

from .compare import compare_runs
from .folder import write_run
from .origin import Origin
from .record import Record
from .refresh import refresh_run
from .verify import reproduce_run, verify_run

__all__ = [
    "Origin", "Record", "compare_runs", "refresh_run", "reproduce_run", "verify_run", "write_run",
]  # fmt: skip
