"""Pages copied from documents outside `docs`, and links between the two that lead somewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
FOLDER = "copies"
COPIED = {
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "eventstudy/data/example/README.md": "example-list",
    "reports/README.md": "run-folder",
    "tests/reference/README.md": "reference-values",
    "benchmarks/README.md": "benchmarks",
    "benchmarks/conformance/README.md": "conformance",
}
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")

# A notebook is a file to fetch, no page.
NOTEBOOK = re.compile(r"\]\((\.\./[^)]+\.ipynb)\)")


def write_copies(_app: Sphinx) -> None:
    """Write the copies; an equal file is left alone."""
    (DOCS / FOLDER).mkdir(exist_ok=True)
    for source, page in COPIED.items():
        target = DOCS / FOLDER / f"{page}.md"
        text = (ROOT / source).read_text(encoding="utf-8")
        text = relink(text, PurePosixPath(source).parent, PurePosixPath("docs") / FOLDER)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def relink(text: str, home: PurePosixPath, away: PurePosixPath) -> str:
    """Return a document of folder `home` with links that hold in folder `away`.

    Parameters
    ----------
    text : str
    home, away : PurePosixPath
        Both relative to the root of the clone.
    """

    def renew(match: re.Match[str]) -> str:
        named = os.path.normpath(home / match[1])
        if named in COPIED:
            named = f"docs/{FOLDER}/{COPIED[named]}.md"
        if (ROOT / named).is_dir():
            named = f"{named}/README.md" if (ROOT / named / "README.md").exists() else named
        return f"]({os.path.relpath(named, away)}{match[2] or ''})"

    return LINK.sub(renew, text)


def relink_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Lead links of a page that leave `docs` to the copies."""
    folder = PurePosixPath("docs") / PurePosixPath(page).parent
    if folder.name != FOLDER and "](../" in source[0]:
        source[0] = NOTEBOOK.sub(r"](path:\1)", relink(source[0], folder, folder))


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy before files are read."""
    app.connect("builder-inited", write_copies)
    app.connect("source-read", relink_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
