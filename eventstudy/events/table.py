"""The events file: every row checked, every fault listed at once, then one table."""

from __future__ import annotations

import datetime as dt
import html
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from ..calendars import CalendarChoice
from ..errors import ConfigError, EventsFileError, Problem
from ..files import Sheet, strip
from ..utility import pd
from . import checks
from .checks import Checked
from .rows import KNOWN, REQUIRED, Rules

# What a table in memory is called in place of its file.
FRAME = "frame"
FIXED = (
    "event_id", "ticker", "announced_at", "tz", "exchange", "benchmark", "day0", checks.CANDIDATES,
    "flags",
)  # fmt: skip
# Columns that a notebook shows.
SHOWN = (
    "event_id", "ticker", "company", "group", "direction", "announced_at", "day0", "benchmark",
    "flags",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Events:
    """The events of a study, read from an events file or a DataFrame and checked.

    Attributes
    ----------
    table : DataFrame, shape (n_events, ...)
        One row per event, in the order of the events file. The first columns are:

        - ``event_id``: name of the event
        - ``ticker``: ticker of the share
        - ``announced_at``, ``tz``: time of the announcement as in the file, and its time zone
        - ``exchange``: market identifier code of the exchange
        - ``benchmark``: index that the file names for the event
        - ``day0``: date of the session that is day 0
        - ``flags``: words about the event, joined by ``;``

        All other columns of the file follow as text. An empty cell is ``""``. If the program cannot
        know which of several sessions is day 0, the column ``day0_candidates`` lists these
        sessions, joined by ``;``.
    source : str
        Name of the events file; ``"frame"`` if the events come from a DataFrame.
    sha256 : str
        SHA-256 hash of the events file, or of the DataFrame written as a CSV file.
    columns_in : tuple of str
        Names of the columns of the events file, in the order of the file. If the program knows a
        column under another name, the tuple has that name: ``ticker`` for a column ``symbol``.
    calendar : {"exchange", "data"}
        Which days can be day 0: sessions of the exchange ("exchange"), or dates in the price data
        ("data").
    notices : tuple of str
        Remarks on what is allowed in the file but may be a mistake.

    Notes
    -----
    The program can write two words into the column ``flags``:

    - ``time_unknown``: the time of day of the announcement is not known, so more than one session
      could be day 0.
    - ``day0_given``: the file gives a day 0 that differs from the day 0 computed from the time of
      the announcement.

    If the events file has a column ``flags``, the words of this column are kept.

    Examples
    --------
    >>> import eventstudy as es
    >>> events = es.read_events("events.csv")
    >>> isinstance(events, es.Events), len(events)
    (True, 230)
    >>> events.table["ticker"].iloc[0], str(events.table["day0"].iloc[0].date())
    ('002415.SZ', '2019-05-22')
    """

    # Columns that we make, those that we write in the place of others, that of market values, and
    # that of the sessions that could be day 0; what a table in memory is called.
    COLUMNS: ClassVar[tuple[str, ...]] = (*FIXED, *KNOWN, *checks.REPLACED)
    REPLACED: ClassVar[tuple[str, ...]] = checks.REPLACED
    SIZE: ClassVar[str] = checks.SIZE
    CANDIDATES: ClassVar[str] = checks.CANDIDATES
    FRAME: ClassVar[str] = FRAME

    table: pd.DataFrame
    source: str
    sha256: str
    columns_in: tuple[str, ...] = ()
    calendar: CalendarChoice = "exchange"
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Events({len(self)} events, {len(self.symbols)} tickers, source={self.source!r})"

    def _repr_html_(self) -> str:
        columns = [c for c in SHOWN if c in self.table and (self.table[c] != "").any()]
        body: str = self.table[columns].to_html(max_rows=20, escape=True, border=0)
        more = [c for c in self.table if c not in SHOWN]
        names = html.escape(", ".join(map(str, more)))
        further = f"<p>Further columns: {names}</p>" if more else ""
        return f"<p>{html.escape(repr(self))}</p>\n{body}{further}"

    @property
    def symbols(self) -> list[str]:
        """Tickers of the events without repetitions, in order of first appearance."""
        return list(dict.fromkeys(self.table["ticker"]))

    @staticmethod
    def check(
        source: Any, calendar: CalendarChoice = "exchange", columns: Mapping[str, str] | None = None
    ) -> tuple[Checked | None, list[Problem]]:
        """Return the rows of an events file that have no faults, and every fault by line.

        Parameters
        ----------
        source : DataFrame or path
        calendar, columns : optional
            The same arguments as those of the method `given`.

        Returns
        -------
        checked : Checked or None
            The rows without faults; None if every row or the header has a fault.
        problems : list of Problem
        """
        return _check(source, Rules.of(calendar), columns)

    @classmethod
    def given(
        cls, events: Any, calendar: CalendarChoice = "exchange",
        columns: Mapping[str, str] | None = None,
    ) -> Events:  # fmt: skip
        """Return an Events object made from a file or a table.

        If `events` is already an Events object, the method returns it unchanged.

        Parameters
        ----------
        events : Events, DataFrame or path
            The events. A DataFrame may come from pandas, polars or another library that the package
            narwhals supports.
        calendar : {"exchange", "data"}
            Which days are trading days, as in :func:`read_events`.
        columns : mapping of str to str, optional
            Which of your columns have the ticker and the announcement date. For example,
            ``{"ticker": "ric"}`` means that your column ``ric`` has the tickers. By default, the
            columns are ``ticker`` and ``announced_at``, or columns with well-known names such as
            ``symbol`` and ``date``.

        Returns
        -------
        Events

        Raises
        ------
        ConfigError
            If `events` is neither a file nor a table, or if a column in `columns` does not exist.
        EventsFileError
            If the events have faults; the error lists all faults.
        """
        if isinstance(events, Events):
            return events
        checked, problems = cls.check(events, calendar, columns)
        return _all_or_nothing(events, cls.of(checked), problems)

    @classmethod
    def of(cls, checked: Checked | None) -> Events | None:
        """Return the rows without faults of a checked events file; None if all rows have faults."""
        if checked is None:
            return None
        table: dict[str, pd.Series[Any]] = {}
        for name in dict.fromkeys((*FIXED, *checked.columns_in)):
            column = checked.column(name)
            if name == checks.CANDIDATES and not any(column.texts):
                continue
            table[name] = pd.Series(pd.Series(column.texts, dtype=str).array.take(column.codes))
        table["day0"] = pd.Series(checked.day0.astype("datetime64[s]"))
        facts = (checked.source, checked.sha256, tuple(checked.columns_in), checked.calendar)
        return cls(pd.DataFrame(table), *facts, checked.notices)

    def with_bare_cells(self, column: str) -> Events:
        """Return the events after removing white space around the cells of a column.

        A notice lists cells that differ only in capital letters or white space.

        Parameters
        ----------
        column : str
        """
        if column not in self.table or column in checks.GROUPS:
            return self
        cells = self.table[column]
        bare = cells.map(lambda cell: strip(cell) if isinstance(cell, str) else cell)
        texts = [text for text in bare.unique() if isinstance(text, str)]
        notices = checks.note_alike(column, texts)
        table = self.table.assign(**{column: bare})
        return replace(self, table=table, notices=tuple(dict.fromkeys([*self.notices, *notices])))

    @classmethod
    def none(cls) -> Events:
        """Return a table without any event."""
        return cls(pd.DataFrame(columns=["ticker"], dtype=str), "", "")


def read_events(
    path: str | os.PathLike[str] | pd.DataFrame, *, calendar: CalendarChoice = "exchange",
    today: dt.date | None = None, cutoff_minutes: float = 0,
) -> Events:  # fmt: skip
    """Read the events from a file or a DataFrame, and find day 0 of each event.

    Day 0 is the first trading day on which the share could react to the announcement.

    Parameters
    ----------
    path : path or DataFrame
        The events, as a DataFrame or as a file. The file may be CSV, Parquet, Excel or Stata.
        Parquet and Excel need optional packages: ``pip install "eventstudy-kit[parquet,excel]"``. A
        CSV file is in UTF-8, has a header line, and separates cells by comma, semicolon, tab or
        ``|``.

        Two columns are needed. The column ``ticker`` (or ``symbol``) names the share. The column
        ``announced_at`` (or ``date``, ``event_date``) has the date of the announcement, or its date
        and time. A time needs its offset from UTC, or a time zone in the column ``tz``. The
        function reads dates such as 31/10/2022 if at least one date of the file shows which number
        is the day. A column with an identifier such as ``permno`` or ``isin`` can replace
        ``ticker``.

        The page docs/events-file.md explains the columns ``event_id``, ``tz``, ``when``,
        ``benchmark`` and ``day0``, which may be missing. The function keeps all other columns. In
        columns of numbers, it reads a decimal comma as a decimal point (1,5 is 1.5), unless commas
        separate the cells of the file.

        In a DataFrame, a missing value is an empty cell, and a date-time at midnight without a time
        zone is a date. In error messages, the first row of a DataFrame is line 2.
    calendar : {"exchange", "data"}
        With ``"exchange"``, day 0 is a trading day of the exchange of the ticker. The suffix of the
        ticker shows the exchange: ``VOD.L`` is in London. With ``"data"``, every name is accepted
        as a ticker, and the trading days are the dates in the price data. This function reads no
        prices, so with ``"data"`` day 0 is the date of the announcement until prices are read.
    today : date or datetime, optional
        An announcement after this date or time is an error in the file. By default, this is the
        present time.
    cutoff_minutes : float
        If an announcement comes in the last `cutoff_minutes` minutes before the exchange closes,
        day 0 is the next trading day.

    Returns
    -------
    Events

    Raises
    ------
    EventsFileError
        If the header or rows of the file have errors. The message lists every error.
    EventStudyError
        If the file cannot be read.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.read_events("events.csv")
    Events(230 events, 120 tickers, source='events.csv')
    >>> import pandas as pd
    >>> news = pd.DataFrame({"ticker": ["NVDA"], "announced_at": ["2022-10-07T16:30-04:00"]})
    >>> es.events_from_frame(news).table["day0"].dt.date.astype(str).to_list()
    ['2022-10-10']
    """
    checked = check_events(path, calendar=calendar, today=today, cutoff_minutes=cutoff_minutes)
    return _all_or_nothing(path, *checked)


def example() -> Events:
    """Return the list of example announcements that comes with the package.

    Returns
    -------
    Events
        230 announcements of sanctions from 2012 to 2026. The command ``eventstudy example`` writes
        this list to a file. The package also has prices of 22 shares of the list
        (``prices="sample"``).

    Examples
    --------
    >>> import eventstudy as es
    >>> events = es.example()
    >>> len(events)
    230
    >>> len(es.study(events, prices="sample"))
    70
    """
    return read_events(Path(str(files("eventstudy") / "data" / "example" / "events.csv")))


def check_events(
    path: str | os.PathLike[str] | pd.DataFrame, *, calendar: CalendarChoice = "exchange",
    today: dt.date | None = None, cutoff_minutes: float = 0,
) -> tuple[Events | None, list[Problem]]:  # fmt: skip
    """Check an events file: return its events without errors, and a list of all errors.

    Parameters
    ----------
    path : path or DataFrame
        The events, as a file or DataFrame that :func:`read_events` can read.
    calendar, today, cutoff_minutes : optional
        The same as for :func:`read_events`.

    Returns
    -------
    events : Events or None
        The rows without errors; None if all rows have errors, or if the header has one.
    problems : list of Problem
        All errors of the file, in the order of its lines. Each has the attributes ``line``,
        ``column``, ``what``, ``value`` and ``remedy``.

    Raises
    ------
    EventStudyError
        If the file cannot be read.

    Examples
    --------
    >>> import eventstudy as es
    >>> events, problems = es.check_events("events.csv")
    >>> len(events), problems
    (230, [])
    """
    checked, problems = _check(path, Rules.of(calendar, today, cutoff_minutes), None)
    return Events.of(checked), problems


def _check(
    path: str | os.PathLike[str] | pd.DataFrame, rules: Rules, columns: Mapping[str, str] | None
) -> tuple[Checked | None, list[Problem]]:
    named = partial(checks.names_events, chosen=columns or {})
    sheet, problems, sha256 = Sheet.of(path, REQUIRED, named)
    if sheet is not None:
        try:
            sheet = checks.with_known_names(sheet, columns or {})
        except ConfigError as error:
            if columns or _name_of(path) == FRAME:
                raise
            value = None if error.value is None else str(error.value)
            return None, [*problems, Problem(1, "", error.what, value, error.remedy)]
    checked, more = (None, []) if sheet is None else checks.check_sheet(sheet, rules)
    if checked:
        name = Path(_name_of(path)).name
        checked = replace(checked, source=name, sha256=sha256, calendar=rules.calendar)
    return checked, sorted([*problems, *more], key=lambda p: p.line)


def _name_of(source: Any) -> str:
    return str(source) if isinstance(source, str | os.PathLike) else FRAME


# The same for a table in memory, by the name that says so.
events_from_frame = read_events


def _all_or_nothing(source: Any, events: Events | None, problems: list[Problem]) -> Events:
    if problems or events is None:
        raise EventsFileError(_name_of(source), problems)
    return events
