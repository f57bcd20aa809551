"""The run folder: report, tables, figures, prices and manifest."""

from __future__ import annotations

from .folder import checked_name, write_run

__all__ = ["checked_name", "write_run"]
