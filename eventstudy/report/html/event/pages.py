"""A page for each event, beside the report: its price, abnormal returns, estimation and
announcement."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ....analysis.answer import answer_of
from ....fitting.listed_events import listed_rows
from ....utility.numbers import clipped, date_prose, window_text
from ....utility.progress import step
from ....utility.units import in_its_words, words
from ...content.answer import asides, other_news
from ...figures.price_path import Quoted, price_path, quotes_of
from ..events import event_name
from ..templating import environment, style
from .abnormal import abnormal
from .announcement import announcement
from .answer import about, said
from .estimation import estimation
from .flags import flags_in_words
from .key_figures import keys
from .one_event import OneEvent
from .price import price
from .windows import window_table

if TYPE_CHECKING:
    from ....fitting.config import StudyConfig
    from ....fitting.fitted import FittedStudy

FOLDER = "events"
SLUG = 60


@in_its_words
def write_event_pages(
    results: FittedStudy, folder: Path, *, config: StudyConfig, name: str
) -> dict[int, str]:
    """Write the pages of the events into ``folder/events`` and return the address of each by its
    row.

    Parameters
    ----------
    results : FittedStudy
    folder : Path
        The run folder; the folder of the pages is made in it if there is a page.
    config : StudyConfig
        With the largest number of pages: those of the events that moved most.
    name : str
        Name of the study.

    Returns
    -------
    dict of int to str
        In the order of the table of events; of the dropped events only those with prices have a
        page.

    Notes
    -----
    Equal inputs give equal bytes. Names are ``0001-slug.html``, with the row of the event in
    ``events.csv`` of the run and what is left of its id in a-z and 0-9.
    """
    shown = listed_rows(results, config.main)
    if len(shown) < len(results.events):
        written = write_event_pages(results.subset(shown), folder, config=config, name=name)
        return {int(shown[i]): address for i, address in written.items()}
    # A row of one block of objects is taken many times faster than one of a column for each type.
    results = replace(results, events=results.events.astype(object))
    quotes = quotes_of(results.panel)
    names = {i: page_name(results, i) for i in _rows(results, config, quotes)}
    if names:
        (folder / FOLDER).mkdir()
    order = list(names)
    for at, i in enumerate(order):
        step("event pages", at, len(order))
        event = OneEvent(results, i, config, quotes)
        beside = {
            "prev": order[at - 1] if at else None,
            "next": order[at + 1] if i != order[-1] else None,
        }
        links = [(rel, names[k], *_label(results, k)) for rel, k in beside.items() if k is not None]
        text = render_event(event, study=name, links=links)
        (folder / FOLDER / names[i]).write_text(text, encoding="utf-8", newline="\n")
    return {i: f"{FOLDER}/{own}" for i, own in names.items()}


def page_name(results: FittedStudy, i: int) -> str:
    """Return the file name of the page of event `i`: its row makes it unique, its id readable."""
    plain = unicodedata.normalize("NFKD", str(results.events["event_id"].iloc[i])[:500])
    slug = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower()).strip("-")[
        :SLUG
    ]
    return f"{i + 1:04d}-{slug.strip('-') or 'event'}.html"


def render_event(event: OneEvent, *, study: str, links: list[tuple[str, str, str, str]]) -> str:
    """Return the page of one event; `links` are relation, address, name and day of the pages beside
    it."""
    cells, used = event.cells, event.used
    windows = window_table(event) if used else None
    context = {
        "study": clipped(study, 100),
        "title": ": ".join(dict.fromkeys(filter(None, (event_name(cells), about(cells))))),
        "event": event_name(cells),
        "ticker": clipped(cells["ticker"], 60),
        "date": date_prose(cells["day0"]),
        "reason": "" if used else clipped(cells["reason"], 600),
        "answer": said(event.one, event.main) if used else None,
        "asides": _asides(event, cells, used=used),
        "keys": list(keys(event)) if used else [],
        "price": price(event),
        "abnormal": abnormal(event) if used else None,
        "windows": windows,
        "fit": estimation(event) if used else None,
        "flags": flags_in_words(event),
        "announcement": announcement(cells),
        "neighbours": links,
        "words": words(),
        "main": window_text(event.main),
    }
    ticks = windows["ticks"] if windows else ()
    template = environment().get_template("event.html.j2")
    return template.render(context, **style("report.css", "pages.css", ticks=ticks)) + "\n"


def _asides(event: OneEvent, cells: Mapping[str, Any], *, used: bool) -> list[str]:
    """Return what must be said with the answer of one event, other news included."""
    if not used:
        return other_news(cells)
    news = [] if answer_of(event.one, event.main).n_events else other_news(cells)
    return [*asides(event.one, event.main), *news]


def _rows(results: FittedStudy, config: StudyConfig, quotes: Mapping[str, Quoted]) -> list[int]:
    """Return the events that get a page in the order of the table of events, the dropped ones
    last."""
    car, ok = results.abnormal.car(config.main), results.ok
    known = np.isfinite(car)
    ranked = np.argsort(np.where(known, -np.abs(car), np.inf), kind="stable")
    shown = (i for i in map(int, ranked) if ok[i] or price_path(results, i, config.main, quotes))
    chosen = list(islice(shown, config.event_pages))
    return sorted(chosen, key=lambda i: (not ok[i], not known[i], car[i] if known[i] else 0.0, i))


def _label(results: FittedStudy, i: int) -> tuple[str, str]:
    event = results.records[i]
    return clipped(event_name(event), 40), date_prose(event["day0"])
