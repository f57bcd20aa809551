"""The tools of every page: templates that escape text, and hashes that admit a style or script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape
from platformdirs import user_cache_path

from ...utility import __version__
from ...words import LEVEL, MISSING, capitalised, clipped, say, words
from ..figures.specification_curve import SpecificationCurve, draw_curve
from ..figures.svg_canvas import WIDE
from ..tables.columns import Kind
from ..tables.table import Row, Table, is_number

# Letters written from right to left, with the spaces and marks between them.
_FROM_RIGHT = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc](?:[^\w<>&;]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc])*"
)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_TOGETHER = re.compile(r"\bp (?:=|&lt;|≥) [\d.]+|\b[Dd]ay 0\b|\bt\(N − 1\)")
# Pixels of the axis of a rate of false alarms, and where that ends.
RATE_PIXELS, RATE_TOP = 72, 0.12
TEMPLATES = Path(__file__).parents[1] / "templates"


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates in the user's cache folder."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template for later processes, if the folder can be written."""
        with suppress(OSError):
            Path(self.directory).mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)  # type: ignore[no-untyped-call]


def new_environment(inert: Callable[[object], str] | None = None, **syntax: Any) -> Environment:
    """Return templates in which every text is escaped and every name must be known.

    Parameters
    ----------
    inert : callable, optional
        Escapes a text for another format than HTML; what a filter or a macro has made stays.
    **syntax
        Signs of the templates, as for Jinja.
    """

    def finalize(value: object) -> object:
        return value if inert is None or isinstance(value, Markup) else Markup(inert(value))  # noqa: S704

    folder = user_cache_path("eventstudy", appauthor=False) / "templates"
    kept = _Compiled(str(folder), f"{__version__}-{getattr(inert, '__name__', 'html')}-%s")
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=finalize, bytecode_cache=kept, **syntax,
    )  # fmt: skip


def visible_line(text: object) -> str:
    """Return text in one line without controls and marks of direction, which rearrange others."""
    return _UNSEEN.sub("", " ".join(str(text).split()))


@cache
def environment() -> Environment:
    """Return the templates of the pages."""
    templates = new_environment()
    templates.filters |= {
        "capitalised": capitalised, "clipped": clipped, "isolated": isolated, "date": words().date,
        "formula": formula, "table": html_table,
    }  # fmt: skip
    templates.globals |= {"say": say}
    return templates


# Classes of the head and of the cells of a column; numbers and names have none.
CLASSES = {Kind.TEXT: ("l", "l"), Kind.DATE: ("l", "l d")}


def html_table(table: Table, is_linked: bool = True) -> Markup:
    """Return a table as HTML, whose p-values below 0.05 are bold.

    Narrow pages leave out its wide columns; an interval stands beneath the estimate there. Rates of
    false alarms have a dot on an axis.

    Parameters
    ----------
    table : Table
    is_linked : bool
        Whether rows have their links, which lead nowhere outside the page.
    """
    looks = []
    for column in table.columns:
        wide = " iv" if column.is_wide else ""
        names = [f"{name}{wide}".strip() for name in CLASSES.get(column.kind, ("", ""))]
        looks.append([f' class="{name}"' if name else "" for name in names])
    heads = ""
    for column, (look, _) in zip(table.columns, looks, strict=True):
        heads += f'<th scope="col"{look}>{escape(column.page_head)}</th>'
    about = f"<span>{isolated(table.about)}</span>" if table.about else ""
    caption = f"<caption>{isolated(table.caption)}{about}</caption>" if table.caption else ""
    lines = [f"<table>{caption}", f"<thead><tr>{heads}</tr></thead>"]
    for block in table.blocks:
        lines.append("<tbody>")
        if block.title:
            head = f'<th colspan="{len(looks)}" scope="rowgroup">{isolated(block.title)}</th>'
            lines.append(f'<tr class="g">{head}</tr>')
        lines += [_html_row(table, row, looks, is_linked) for row in block.rows]
        lines.append("</tbody>")
    return Markup("\n".join([*lines, "</table>"]))  # noqa: S704


def _html_row(table: Table, row: Row, looks: Sequence[Sequence[str]], is_linked: bool) -> str:
    """Return a row as HTML, where the classes of cells are known."""
    name, *texts = table.write_cells(row)
    remark = f' <span class="remark">{isolated(row.remark)}</span>' if row.remark else ""
    place = f' id="{escape(row.anchor)}"' if row.anchor and is_linked else ""
    place += ' class="main"' if row.is_main else ""
    shown = isolated(name)
    if row.link and is_linked:
        shown = Markup('<a href="%s">%s</a>') % (row.link, shown)
    line = f'<tr{place}><th scope="row">{shown}{remark}</th>'
    cells: list[str] = []
    for text, column, (_, look) in zip(texts, table.columns[1:], looks[1:], strict=True):
        cell = escape(text) if column.is_number else isolated(text)
        value = row.values.get(column.key)
        if column.kind is Kind.PVALUE and isinstance(value, float) and value < LEVEL:
            cell = Markup("<b>%s</b>") % cell
        if column.kind is Kind.RATE and is_number(value):
            cell += _draw_rate(value, is_measured=bool(row.values.get("is_measured")))
        if column.is_wide and column.kind is Kind.INTERVAL and text != MISSING:
            cells[-1] += f'<span class="sub">{cell}</span>'
        cells.append(f"<td{look}>{cell}")
    return f"{line}{'</td>'.join(cells)}</td></tr>" if cells else f"{line}</tr>"


def _draw_rate(rate: float, *, is_measured: bool) -> Markup:
    """Return a rate of false alarms as a dot on an axis, filled where it was measured."""
    x = RATE_PIXELS * min(rate / RATE_TOP, 1.0) + 4
    low, level, high = (RATE_PIXELS * share / RATE_TOP + 4 for share in (0.04, LEVEL, 0.07))
    kind = "check full" if is_measured else "ring"
    marks = (
        f'<rect class="zone" x="{low:.1f}" y="1" width="{high - low:.1f}" height="12"/>'
        f'<path class="d" d="M{level:.1f} 1V13"/>'
        f'<circle class="{kind}" cx="{x:.1f}" cy="7" r="3.6"/>'
    )
    box = f"0 0 {RATE_PIXELS + 8} 14"
    return Markup(f' <svg class="own rate" viewBox="{box}" aria-hidden="true">{marks}</svg>')  # noqa: S704


def curve_file(table: pd.DataFrame) -> str:
    """Return the curve of specifications as an SVG file, in the light colours of the pages."""
    css = read_template("answer.css")
    rules = [css.partition("}")[0], "}", *(r for r in css.split("\n") if r.startswith("svg"))]
    ground = '<svg xmlns="http://www.w3.org/2000/svg" style="background:var(--paper)"'
    label = say("robustness.curve.title")
    figure = str(draw_curve(SpecificationCurve.of(table), width=WIDE, label=label))
    return figure.replace("<svg", ground, 1).replace(">", f"><style>{''.join(rules)}</style>", 1)


def formula(text: str) -> Markup:
    """Return a formula such as ``CAR_i = Σ_{t∈W} AR_it`` with italics and subscripts.

    Letters before an underscore are set in italics, and what is behind it below the line: a word
    with a sign or an argument (``i,t-1``), or all between braces.
    """

    def with_index(match: re.Match[str]) -> str:
        letter, power, braced, index = match.groups()
        base = letter if letter == "Σ" else f"<i>{letter}</i>"
        below = (braced or index).replace("-", "\N{MINUS SIGN}")
        return f"{base}{'<sup>2</sup>' if power else ''}<sub>{below}</sub>"

    index = r"(?:\{([^}]*)\}|(\w+(?:\(\w\))?(?:,\w+)?(?:[+-][1j]\b)?))"
    html = re.sub(rf"([^\W\d_]\u0302?[^\W\d_]*)(\^2)?_{index}", with_index, str(escape(text)))
    return Markup(html)  # noqa: S704


def digest(text: str) -> str:
    """Return the SHA-256 of a style or script as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def style(*names: str) -> dict[str, Any]:
    """Return style sheets as one, with the hash that the policy of the page lets in.

    Parameters
    ----------
    names : str
        Files of the folder of templates.
    """
    css = "\n".join(map(read_template, names))
    return {"css": Markup(css), "style_hash": digest(css)}  # noqa: S704


@cache
def read_template(name: str) -> str:
    """Return the text of a file among the templates, without blanks around it."""
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


@lru_cache(4096, typed=True)
def isolated(text: object) -> Markup:
    """Return a sentence as inert markup: right-to-left names apart, "day 0" on one line."""
    safe = _TOGETHER.sub(lambda m: m[0].replace(" ", "\N{NO-BREAK SPACE}"), _from_right(text))
    return Markup(safe)  # noqa: S704


def _from_right(text: object) -> str:
    safe = str(escape(str(text)))
    return safe if safe.isascii() else _FROM_RIGHT.sub(r"<bdi>\g<0></bdi>", safe)
