"""What a package says of where the project lives; `home` in pyproject.toml is the one place.

Without a home nothing is linked: the readme of the package keeps its words, and loses links that
lead to files of the project.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

IMAGE = re.compile(r"(!\[[^\]]*\])\((?!https?:|#)([^)\s]+)\)\n*")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)\s]+)\)")
PLACES = {
    "Homepage": "", "Documentation": "/blob/main/docs/index.md", "Issues": "/issues",
    "Changelog": "/blob/main/CHANGELOG.md", "Source": "",
}  # fmt: skip


class HomeHook(MetadataHookInterface):
    """Adds the links and the readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``urls`` and ``readme`` of the project."""
        home = self.config.get("home", "").rstrip("/")
        metadata["urls"] = {name: home + place for name, place in PLACES.items()} if home else {}
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": with_links(text, home)}


def with_links(text: str, home: str) -> str:
    """Return a text whose links to files of the project are absolute, or gone without a home."""
    if not home:
        return LINK.sub(r"\1", IMAGE.sub("", text))
    raw = home.replace("https://github.com/", "https://raw.githubusercontent.com/")
    text = IMAGE.sub(rf"\1({raw}/main/\2)\n\n", text)
    return LINK.sub(rf"[\1]({home}/blob/main/\2)", text)
