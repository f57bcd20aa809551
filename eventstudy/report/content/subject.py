"""What a page is about, handed to all of its sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...utility.csv_text import BLANK
from .answer import leading
from .wording import subject_of

if TYPE_CHECKING:
    import pandas as pd

    from ...calendars.window import Window
    from ...fitting.config import StudyConfig
    from ...fitting.fitted import FittedStudy


@dataclass(frozen=True, eq=False)
class Page:
    """The study of a page.

    Attributes
    ----------
    results : FittedStudy
        All events.
    config : StudyConfig
    groups : dict of str to FittedStudy
        Parts of the events, the one that the answer is about first; empty = no groups.
    tables : mapping of str to DataFrame
        The tables of the run by file name, from which the page takes what they hold.
    event_pages : mapping of int to str
        Address of the page of each event that has one, by its row.
    """

    results: FittedStudy
    config: StudyConfig
    groups: dict[str, FittedStudy]
    tables: Mapping[str, pd.DataFrame]
    event_pages: Mapping[int, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The group that the answer is about, "" if there are none."""
        return next(iter(self.groups), "")

    @property
    def sample(self) -> FittedStudy:
        """The events that the answer is about."""
        return self.groups.get(self.group, self.results)

    def beside(self, name: str) -> pd.DataFrame | None:
        """Return a table about the events of the answer; None if the run has none for them."""
        if not self.group:
            return self.tables.get(name)
        table = self.tables.get(f"{name}_by_group")
        if table is None:
            return None
        column = table.columns[0]
        own = table[table[column] == self.group].drop(columns=column)
        return own if len(own) else None

    @property
    def main(self) -> Window:
        """The window of the headline."""
        return self.config.main

    @property
    def column(self) -> str:
        """The column that the groups come from, "" if the events file does not show it."""
        by = self.config.by
        for column in [by] if by not in ("", "none") else ["group", "direction"]:
            if self.groups and column in self.results.events:
                values = {str(v) or BLANK for v in self.results.events.loc[self.results.ok, column]}
                if set(self.groups) <= values:
                    return column
        return ""

    @property
    def subject(self) -> str:
        """What the events of the answer are called."""
        return subject_of(self.group, self.column)


def page_of(
    results: FittedStudy,
    config: StudyConfig,
    groups: Mapping[str, FittedStudy],
    tables: Mapping[str, pd.DataFrame],
    event_pages: Mapping[int, str] | None = None,
) -> Page:
    """Return the page of a study, its leading group first."""
    first = leading(groups, config.main)
    ordered = {n: groups[n] for n in sorted(groups, key=lambda n: n != first)}
    return Page(results, config, ordered, tables, event_pages or {})
