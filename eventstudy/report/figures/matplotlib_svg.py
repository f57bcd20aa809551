"""Figures as SVG that stands in HTML under a strict policy: the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXT = 13
TITLE = "title: "
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": TEXT,
    "path.simplify": False,
}


def svg(figure: Figure, title: str, desc: str, *, css_class: str = "") -> str:
    """Return a figure as SVG that stands in HTML under a strict policy: the same bytes each time.

    Parameters
    ----------
    figure : Figure
    title, desc : str
        Name of the picture and what it shows, for those who cannot see it.
    css_class : str
        Class of the svg element.

    Notes
    -----
    Styles become presentation attributes, whose colours a page may override; group ids that begin
    with ``title:`` become native tooltips.
    """
    import matplotlib as mpl

    salt = hashlib.sha256(f"{title}|{desc}|{css_class}".encode()).hexdigest()[:8]
    raw = io.BytesIO()
    with mpl.rc_context({**_RC, "svg.hashsalt": salt}), any_script():
        figure.savefig(
            raw, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    # The markup is matplotlib's own, made one line above.
    root = ET.fromstring(_NO_XML.sub("", raw.getvalue().decode()))  # noqa: S314
    for tag in ("metadata", "style"):
        _remove(root, f"{{{_SVG}}}{tag}")
    _plain_attributes(root)
    _unique_ids(root, salt)
    _head(root, salt, title, desc, css_class)
    ET.register_namespace("", _SVG)
    text = ET.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text).strip()


@contextmanager
def any_script() -> Iterator[None]:
    """Let names in scripts that matplotlib's font lacks pass: a browser has the glyphs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _remove(root: ET.Element, tag: str) -> None:
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag == tag]:
            parent.remove(child)


def _plain_attributes(root: ET.Element) -> None:
    for element in root.iter():
        for declaration in element.attrib.pop("style", "").split(";"):
            name, _, value = (part.strip() for part in declaration.partition(":"))
            if name == "font":
                element.attrib |= _font(value)
            elif name:
                element.set(name, value)
        element.attrib.pop("clip-path", None)
        element.attrib.pop("font-family", None)
        if "font-weight" in element.attrib:
            element.set("font-weight", "600")
        if element.get("transform", "").startswith("rotate(-0 "):
            element.attrib.pop("transform")
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
    _remove(root, f"{{{_SVG}}}clipPath")
    _remove_empty_groups(root)


def _remove_empty_groups(parent: ET.Element) -> None:
    for child in list(parent):
        _remove_empty_groups(child)
        if child.tag in (f"{{{_SVG}}}g", f"{{{_SVG}}}defs") and not len(child):
            parent.remove(child)


def _font(value: str) -> dict[str, str]:
    """Split the shorthand ``700 13px 'DejaVu Sans'``; the family is the page's."""
    size = re.search(r"([\d.]+)px", value)
    weight = {"font-weight": "600"} if re.match(r"(bold|[6-9]00)\b", value) else {}
    return {"font-size": size[1] if size else "13", **weight}


def _unique_ids(root: ET.Element, salt: str) -> None:
    used = {e.attrib["href"][1:] for e in root.iter() if "href" in e.attrib}
    names = {name: f"m{salt}{i}" for i, name in enumerate(sorted(used))}
    for element in root.iter():
        own = element.attrib.pop("id", "")
        if own in names:
            element.set("id", names[own])
        elif own.startswith(TITLE):
            element.set("pointer-events", "all")
            tip = ET.Element(f"{{{_SVG}}}title")
            tip.text = own.removeprefix(TITLE)
            element.insert(0, tip)
        if "href" in element.attrib:
            element.set("href", f"#{names[element.attrib['href'][1:]]}")


def _head(root: ET.Element, salt: str, title: str, desc: str, css_class: str) -> None:
    _, _, width, height = root.attrib["viewBox"].split()
    box = {"viewBox": f"0 0 {float(width):g} {float(height):g}", "role": "img"}
    named = {"aria-labelledby": f"t{salt} d{salt}", "font-family": "sans-serif"}
    lines = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    root.attrib.clear()
    root.attrib |= ({"class": css_class} if css_class else {}) | box | named | lines
    for i, (tag, text) in enumerate((("title", title), ("desc", desc))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{tag[0]}{salt}"})
        element.text = text
        root.insert(i, element)
