"""What pages have for readers without eyes or mouse, and for lists of results."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.jinja2glue import BuiltinTemplateLoader

# Captions have the level of a heading, regions a name, and a keyboard scrolls what is wide and
# opens the side panels of a narrow screen (with `site.css`).
BETTER = {
    ' role="heading"': ' role="heading" aria-level="2"',
    '<aside class="sidebar-drawer"': '<aside aria-label="Pages" class="sidebar-drawer"',
    '<aside class="toc-drawer': '<aside aria-label="This page" class="toc-drawer',
    '<input type="checkbox" class="sidebar-toggle" name="__navigation"': (
        '<nav aria-label="Panels"><input type="checkbox" class="sidebar-toggle" name="__navigation"'
    ),
    '<label class="overlay sidebar-overlay"': '</nav><label class="overlay sidebar-overlay"',
    '<div id="search-results">': '<h1>Search</h1><div id="search-results">',
    "<pre>": '<pre tabindex="0">',
    'role="doc-biblioentry"': 'role="listitem"',
    '<div class="math">': '<div tabindex="0" class="math">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}
LONGEST = 160
# Words by which people look for a page: a comment, which other readers of Markdown do not show.
SEARCHED = re.compile(r"^<!-- search: (.+) -->$", re.M)


class Templates(BuiltinTemplateLoader):
    """The templates of the theme, with attributes that they lack."""

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        text = super().render(template, context)
        for lacking, better in BETTER.items():
            text = text.replace(lacking, better)
        return text


def name_searches(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Put the words by which people look for a page into the index of the search."""

    def write(match: re.Match[str]) -> str:
        return f"```{{index}} ! {match[1].replace(', ', ', ! ')}\n```"

    source[0] = SEARCHED.sub(write, source[0])


def describe(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Describe a page by its first paragraph."""
    first = tree.next_node(nodes.paragraph) if tree else None
    if first:
        words = " ".join(first.astext().split())
        text = words if len(words) <= LONGEST else f"{words[:LONGEST].rpartition(' ')[0]} …"
        context["metatags"] += f'<meta name="description" content="{escape(text)}">'


def name_figures(_app: Sphinx, tree: nodes.document, _page: str) -> None:
    """Name a figure that a cell has drawn by the title above it, in place of its file."""
    for image in tree.findall(nodes.image):
        section = image.parent
        while section and not isinstance(section, nodes.section):
            section = section.parent
        if section and not image.get("alt"):
            image["alt"] = f"Figure: {section.next_node(nodes.title).astext()}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Describe pages, and name what they answer; `conf.py` names the templates."""
    app.connect("source-read", name_searches)
    app.connect("html-page-context", describe)
    app.connect("doctree-resolved", name_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
