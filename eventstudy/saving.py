"""What results are written as: a run folder, and other formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from .config import StudyConfig

if TYPE_CHECKING:
    from .results import EventStudyResults


class Saves:
    """Methods that write results; `config` is of the study where it is not that of the results."""

    def save(
        self, out: str | Path = "reports", name: str = "study", *, config: StudyConfig | None = None
    ) -> Path:
        """Write the run folder ``out/name`` (report, tables, figures, prices, manifest); return its path."""
        from .runs import write_run

        return write_run(
            _own(self), Path(out), name, config=config or StudyConfig(event=_own(self).abnormal.event)
        )

    def to_json(self, *, config: StudyConfig | None = None) -> str:
        """Return the text of ``results.json``; its form is in ``eventstudy/data/results.schema.json``."""
        from .exports import as_json, finished

        return as_json(finished(_own(self), config=config).document)

    def to_markdown(self, *, config: StudyConfig | None = None) -> str:
        """Return the report as Markdown."""
        from .exports import finished, markdown

        return markdown(finished(_own(self), config=config))

    def to_latex(self, table: str = "caar", *, config: StudyConfig | None = None) -> str:
        """Return a LaTeX table: "caar" (windows by tests), "events", or "regression"."""
        from .exports import finished, latex_table

        return latex_table(finished(_own(self), config=config), table)

    def to_excel(self, path: str | Path, *, config: StudyConfig | None = None) -> Path:
        """Write a workbook with one sheet a table (extra ``excel``); return its path."""
        from .exports import export_file, finished

        return export_file(finished(_own(self), config=config), "xlsx", Path(path))

    def to_parquet(self, path: str | Path, *, config: StudyConfig | None = None) -> Path:
        """Write the long table of abnormal returns (extra ``parquet``); return its path."""
        from .exports import export_file, finished

        return export_file(finished(_own(self), config=config), "parquet", Path(path))


def _own(results: Saves) -> EventStudyResults:
    return cast("EventStudyResults", results)
