"""Formulas as MathML, which browsers draw by themselves: no script, no network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

TEXT = re.compile(r"(\\(?:text|mathrm|operatorname)\{[^{}]*\})")
# Names of several letters, which stand upright.
NAMES = re.compile(
    r"(?<![\\A-Za-z{])(S?CAR|CAAR|S?AR|AAR|BHAR|ADL|SSE|RMSE|BMP|Patell|ER|se|sd)(?![A-Za-z])"
)


def to_mathml(latex: str, display: str) -> str:
    """Return the MathML of a formula; rows that end with ``\\\\`` are aligned.

    Parameters
    ----------
    latex : str
    display : {"inline", "block"}
    """
    parts = TEXT.split(latex.replace(r"\lvert", "|").replace(r"\rvert", "|").strip())
    parts[::2] = [NAMES.sub(r"\\mathrm{\1}", part) for part in parts[::2]]
    rows = re.sub(r"\n\s*\n", r" \\\\ ", "".join(parts))
    if r"\\" in rows and r"\begin" not in rows:
        rows = rf"\begin{{aligned}} {rows} \end{{aligned}}"
    return convert(rows, display=display)


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula of the text."""
    translator.body.append(to_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula of its own line."""
    translator.body.append(f'<div class="math">{to_mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
