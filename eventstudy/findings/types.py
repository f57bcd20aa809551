"""Findings: the typed document of a study, from which every format is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..calendars.window import Window
from ..utility.catalogue import Reason
from .events import Event
from .samples import Sample

SCHEMA = "eventstudy-results/2"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model of normal returns, as the methods describe it.

    Attributes
    ----------
    name, label, formula, source : str
        As in the registry of models.
    factors, parameters : tuple of str
        Names of the factors of the model and of what it estimates for each event.
    least_squares, exact, forecasts_variance, is_censored : bool
        How it is estimated, and whether the variance of a CAR is that of the estimator.
    cov_type : str
        Covariance of the parameters, "nonrobust" for the classical one.
    freedom_lost : tuple of int
        Values of M - degrees of freedom over the used events, ascending.
    """

    name: str
    label: str
    formula: str
    source: str
    factors: tuple[str, ...]
    parameters: tuple[str, ...]
    least_squares: bool
    exact: bool
    forecasts_variance: bool
    is_censored: bool
    cov_type: str
    freedom_lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the study is: its settings, model, windows, and how many events it has.

    Attributes
    ----------
    settings : dict
        The settings by their names in a study file.
    measure, kind, engine : str
        What is studied ("return", "volume" ...), simple or log returns, and the engine of the fit.
    model : ModelFacts
    main, estimation, event : Window
    tested : tuple of Window
        The windows of the tables, in their order.
    conventions : dict
        What tests do where authors differ, see :class:`~eventstudy.Conventions`.
    group_column : str
        Column that splits the events; "" for one sample.
    n_events, n_used, n_firms : int
        Events in the file, events used, and companies among these.
    is_sampled : bool
        Whether only the most unusual of very many events are listed one by one.
    first, last : str
        Earliest and latest day 0 of the used events (ISO date); "" without any.
    benchmarks, directions : tuple of str
        Distinct values of the used events.
    estimation_days : tuple of int
        Smallest and largest number of complete estimation days; empty without used events.
    has_repeats : bool
        Whether a company has several used events.
    overlapped, confounded, extended : int
        Events left out for an earlier event of the firm, events left out for other news, and
        events whose CAR runs on beyond a price limit in some window.
    issues : dict of str to int
        Price-data issues in the windows of used events by kind, the most frequent first.
    currency, sizes_source : str
        Of the market values; "" without any.
    """

    settings: Mapping[str, Any]
    measure: str
    kind: str
    engine: str
    model: ModelFacts
    main: Window
    estimation: Window
    event: Window
    tested: tuple[Window, ...]
    conventions: Mapping[str, Any]
    group_column: str
    n_events: int
    n_used: int
    n_firms: int
    is_sampled: bool
    first: str
    last: str
    benchmarks: tuple[str, ...]
    directions: tuple[str, ...]
    estimation_days: tuple[int, ...]
    has_repeats: bool
    overlapped: int
    confounded: int
    extended: int
    issues: Mapping[str, int]
    currency: str
    sizes_source: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the data.

    Attributes
    ----------
    text : Reason
        With the code of what happened; ``symbol`` among its facts where it is about one series.
    is_notice : bool
        Whether it is about the source of the data, not about one series of them.
    is_warning : bool
        Whether it may change the reading of the answer.
    is_serious : bool
        Whether all numbers are wrong if it is true.
    """

    text: Reason
    is_notice: bool
    is_warning: bool
    is_serious: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """The document of a study: what it found, in plain values, without a sentence.

    Attributes
    ----------
    schema : str
        ``eventstudy-results/2``.
    name : str
    setup : Setup
    samples : tuple of Sample
        The group of the answer first, the other groups, and all events together (the group "").
    events : tuple of Event
        Those that are listed one by one, in the order of the file.
    dropped : tuple of (Reason, int)
        Kinds of reasons with the number of events, the most frequent first.
    notes : tuple of Note
        On the data.
    tables : dict of str to table
        Analyses that stand beside the answer, by file name; each table a list of columns.
    provenance : dict
        Source and checksum of the events, versions, command, prices by symbol.
    """

    schema: str
    name: str
    setup: Setup
    samples: tuple[Sample, ...]
    events: tuple[Event, ...]
    dropped: tuple[tuple[Reason, int], ...]
    notes: tuple[Note, ...]
    tables: Mapping[str, pd.DataFrame]
    provenance: Mapping[str, Any]

    @property
    def sample(self) -> Sample:
        """The sample that the answer is about."""
        return self.samples[0]

    @property
    def pooled(self) -> Sample:
        """All events together."""
        return self.samples[-1]

    @property
    def groups(self) -> tuple[Sample, ...]:
        """The groups, that of the answer first; empty for one sample."""
        return self.samples[:-1]

    @property
    def used(self) -> tuple[Event, ...]:
        """The listed events that were used."""
        return tuple(event for event in self.events if event.is_used)

    def beside(self, name: str) -> pd.DataFrame | None:
        """Return a table about the events of the answer; None if the run has none for them."""
        if not self.groups:
            return self.tables.get(name)
        table = self.tables.get(f"{name}_by_group")
        if table is None:
            return None
        column = table.columns[0]
        rows = table[table[column] == self.sample.group].drop(columns=column)
        return rows if len(rows) else None

    def over_main(self, table: pd.DataFrame | None) -> pd.DataFrame:
        """Return the rows of a table that are over the main window; none without a table."""
        if table is None or table.empty:
            return pd.DataFrame()
        main = self.setup.main
        return table[(table["start"] == main.start) & (table["stop"] == main.stop)]
