"""What every page is made with: templates that escape what they show, and the hash that lets a
style in."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ...utility.numbers import NBSP, capitalised
from ..content.answer import Sentence

# Letters written from right to left, with the spaces and marks between them.
_FROM_RIGHT = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc](?:[^\w<>&;]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc])*"
)
_TOGETHER = re.compile(r"\bp (?:=|&lt;|≥) [\d.]+|\b[Dd]ay 0\b|\bt\(N − 1\)")
TEMPLATES = Path(__file__).parents[1] / "templates"


@cache
def environment() -> Environment:
    """Return templates in which every text is escaped and every name must be known."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"sentence": _emphasised, "capitalised": capitalised, "isolated": isolated}
    return found


def digest(text: str) -> str:
    """Return the SHA-256 of a style or script as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def style(*names: str, ticks: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Return style sheets as one, with the hash that the policy of the page lets in.

    Parameters
    ----------
    names : str
        Files of the folder of templates.
    ticks : iterable of (place, label)
        Of the axis in the tables of CARs, where upright lines are drawn.
    """
    css = "\n".join(map(_sheet, names)) + _grid(ticks)
    return {"css": Markup(css), "style_hash": digest(css)}  # noqa: S704


def script(name: str) -> dict[str, Any]:
    """Return a script of the folder of templates, with the hash that the policy of the page lets
    in."""
    text = (TEMPLATES / name).read_text(encoding="utf-8").strip()
    return {"script": Markup(text), "script_hash": digest(text)}  # noqa: S704


@cache
def _sheet(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _grid(ticks: Iterable[tuple[str, str]]) -> str:
    places = ",".join(f"{place} 0" for place, _ in ticks)
    colors = ("--grid", "--muted", "--grid")
    lines = ",".join(f"linear-gradient(var({c}),var({c}))" for c in colors)
    return f"\ntd.fx{{background-image:{lines};background-position:{places}}}" if places else ""


def isolated(text: object) -> Markup:
    """Return a sentence whose names from right to left leave numbers in place; "day 0" stays on one
    line."""
    return Markup(_TOGETHER.sub(lambda m: m[0].replace(" ", NBSP), _from_right(text)))  # noqa: S704


def _from_right(text: object) -> str:
    return _FROM_RIGHT.sub(r"<bdi>\g<0></bdi>", str(escape(str(text))))


def _emphasised(sentence: Sentence) -> Markup:
    parts = (
        f"<strong>{_from_right(t)}</strong>" if strong else _from_right(t)
        for t, strong in sentence.parts
    )
    unbroken = re.sub(r"\S+ p (=|&lt;) [\d.]+", r'<span class="nw">\g<0></span>', "".join(parts))
    return Markup(unbroken)  # noqa: S704
