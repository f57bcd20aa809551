"""Full references of the sources that models, tests and methods name, from ``references.bib``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ...utility.numbers import listed

# Surnames, joined by commas and "and", before years; the first of them is kept.
_CITED = re.compile(r"([A-Z][\w-]*)(?:(?:, | and )[A-Z][\w-]*)* (\((?:\d{4}(?:, )?)+\)|\d{4}\b)")
_ENTRY = re.compile(r"@article\{(\w+),\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^ *(\w+) = \{(.*)\},?$", re.MULTILINE)
_PLAIN = {r"\&": "&", r"{\"o}": "ö", "--": "–"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One article: its parts as text, and its entry as BibTeX.

    Attributes
    ----------
    key : str
        Surname of the first author and year, such as ``kolari2010``.
    authors : str
        With the year: ``Kolari, J. W. and Pynnönen, S. (2010)``.
    title, journal, place : str
        The title ends as a sentence; the place is volume and pages.
    bibtex : str
    """

    key: str
    authors: str
    title: str
    journal: str
    place: str
    bibtex: str

    def __str__(self) -> str:
        return f"{self.authors}. {self.title} {self.journal} {self.place}."


@cache
def bibliography() -> Mapping[str, Reference]:
    """Return all references by key, in the order of a list of references."""
    text = files("eventstudy").joinpath("data", "references.bib").read_text("utf-8")
    return {entry[1]: _reference(entry) for entry in _ENTRY.finditer(text)}


def _reference(entry: re.Match[str]) -> Reference:
    field = {name: _plain(value) for name, value in _FIELD.findall(entry[2])}
    title = field["title"].strip("{}")
    return Reference(
        key=entry[1],
        authors=f"{listed(field['author'].split(' and '))} ({field['year']})",
        title=title if title.endswith("?") else f"{title}.",
        journal=field["journal"],
        place=f"{field['volume']}, {field['pages']}",
        bibtex=entry[0],
    )


def _plain(text: str) -> str:
    for tex, letter in _PLAIN.items():
        text = text.replace(tex, letter)
    return text


def references(sources: Iterable[str]) -> list[Reference]:
    """Return the references that texts name, as ``Brown and Warner (1980, 1985)``."""
    named = {
        f"{surname.lower()}{year}"
        for source in sources
        for surname, years in _CITED.findall(source)
        for year in re.findall(r"\d{4}", years)
    }
    return [reference for key, reference in bibliography().items() if key in named]
