"""What the search of the site finds: pages of the manual, not each option of each command.

A page names the words by which people look for it in a directive `index`, with `!` before each:
the search shows such a page first. Ranks of folders are in `ranks.js`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain

# Pages that a search finds by their title alone.
UNREAD = ("copies/", "architecture", "reference/command-line", "api/index", "genindex")


class Domain(StandardDomain):
    """The standard domain, whose options of commands are no objects of the search."""

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for thing in super().get_objects():
            if thing[2] != "cmdoption":
                yield thing


def leave_unread(app: Sphinx, _doctree: Any) -> None:
    """Mark a page whose text is not to be found."""
    page = app.env.docname
    if page.startswith(UNREAD):
        app.env.metadata[page]["nosearch"] = True


def setup(app: Sphinx) -> dict[str, bool]:
    """Put the domain in the place of Sphinx's."""
    app.add_domain(Domain, override=True)
    app.connect("doctree-read", leave_unread)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
