"""The formats a finished run can be had in, and where each is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..content.document import as_json
from ..content.finished_run import Finished
from .excel import write_excel
from .latex import latex_tables
from .markdown import markdown
from .parquet import write_parquet
from .plotly_page import write_interactive


def write_texts(folder: Path, run: Finished) -> None:
    """Write what every run holds into its folder: results.json, report.md and tables/*.tex."""
    for kind in ("json", "md", "tex"):
        exported(run, kind, folder)


def exported(run: Finished, kind: str, folder: Path) -> list[Path]:
    """Write a run in one format below `folder`, under the names of a run folder; return the
    files."""
    files = {folder / path: write for path, write in FORMATS[kind](run).items()}
    for target, write in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target)
    return list(files)


def export_file(run: Finished, kind: str, path: Path) -> Path:
    """Write a run in one format as one file; the tables of LaTeX stand below each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write = _text(latex(run)) if kind == "tex" else next(iter(FORMATS[kind](run).values()))
    write(path)
    return path


def latex(run: Finished) -> str:
    """Return all LaTeX tables in one text."""
    return "\n".join(latex_tables(run).values())


def _text(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8", newline="\n")

    return write


def _tex(run: Finished) -> dict[str, Callable[[Path], None]]:
    return {f"tables/{name}.tex": _text(text) for name, text in latex_tables(run).items()}


# By name: what writes each file, by its path in a run folder.
FORMATS: dict[str, Callable[[Finished], dict[str, Callable[[Path], None]]]] = {
    "tex": _tex,
    "xlsx": lambda run: {"report.xlsx": lambda path: write_excel(run, path)},
    "md": lambda run: {"report.md": _text(markdown(run))},
    "json": lambda run: {"results.json": _text(as_json(run.document))},
    "interactive": lambda run: {
        "report-interactive.html": lambda path: write_interactive(run, path)
    },
    "parquet": lambda run: {"abnormal_returns.parquet": lambda path: write_parquet(run, path)},
}
