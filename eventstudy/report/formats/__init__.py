"""A finished run in other formats: LaTeX, Markdown, Excel, JSON and Parquet; nothing is computed
anew."""

from __future__ import annotations

from ..content.document import as_json
from ..content.finished_run import Finished, finished, read_run
from .formats import FORMATS, export_file, exported, write_texts
from .latex import latex_table
from .markdown import markdown

__all__ = [
    "FORMATS", "Finished", "as_json", "export_file", "exported", "finished", "latex_table",
    "markdown",
    "read_run", "write_texts",
]  # fmt: skip
