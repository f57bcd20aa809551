"""The events file: every row checked, every fault listed at once, then one table."""

from __future__ import annotations

import datetime as dt
import html
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """Events in the order of the file; the row position is the only key.

    Attributes
    ----------
    table : DataFrame, shape (n_events, ...)
        One row per announcement and listing, index 0, 1, 2 ... Columns: ``event_id``, ``ticker``,
        ``announced_at`` (as in the file), ``tz``, ``exchange`` (market identifier code),
        ``benchmark``, ``day0`` (session date without a zone, ``datetime64[s]``),
        ``day0_candidates`` (the sessions that could be day 0, joined by ``;``, of events where
        these are several; no column without such events), ``flags`` (words joined by ``;``), then
        every other column of the file as text. An empty cell is ``""``.
    source : str
        File name, or ``"frame"``.
    sha256 : str
        Hash of the file's bytes, or of the frame written as CSV.
    columns_in : tuple of str
        Columns of the input in their order.
    calendar : {"exchange", "data"}
        Whose sessions they were read for; their returns are laid on the same by default.
    notices : tuple of str
        What may not mean what was meant, though it is no fault.

    Notes
    -----
    Flags: ``time_unknown``, the time is not known and more than one session could be day 0;
    ``day0_given``, the file's day 0 differs from the one the clock gives. Words of an input column
    ``flags`` are kept.

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
        """Tickers, each once, in order of first appearance."""
        return list(dict.fromkeys(self.table["ticker"]))

    @staticmethod
    def check(
        source: Any, calendar: CalendarChoice = "exchange", columns: Mapping[str, str] | None = None
    ) -> tuple[Checked | None, list[Problem]]:
        """Return the good rows of an events file, and every fault by line.

        Parameters
        ----------
        source : DataFrame or path
        calendar, columns : optional
            As for :meth:`given`.

        Returns
        -------
        checked : Checked or None
            The rows without faults; None where there are none, or the header is faulty.
        problems : list of Problem
        """
        return _check(source, Rules.of(calendar), columns)

    @classmethod
    def given(
        cls, events: Any, calendar: CalendarChoice = "exchange",
        columns: Mapping[str, str] | None = None,
    ) -> Events:  # fmt: skip
        """Return events, read from a file or a table where `events` is one.

        Parameters
        ----------
        events : Events, DataFrame or path
            A DataFrame may be one of polars or of another library that narwhals knows.
        calendar : {"exchange", "data"}
        columns : mapping of str to str, optional
            The column that is meant by ``ticker`` and ``announced_at``; by default those of this
            name, or of a usual one such as ``symbol`` and ``date``.

        Returns
        -------
        Events

        Raises
        ------
        ConfigError
            If they are no events, or there is no such column.
        EventsFileError
            If they have faults; all are listed.
        """
        if isinstance(events, Events):
            return events
        checked, problems = cls.check(events, calendar, columns)
        return _all_or_nothing(events, cls.of(checked), problems)

    @classmethod
    def of(cls, checked: Checked | None) -> Events | None:
        """Return the good rows of a file of events as a table; None where there are none."""
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
        """Return the events without white space around the cells of a column that splits them.

        A notice names cells that look alike.

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
    """Read an events file and find day 0 of each event.

    Parameters
    ----------
    path : path or DataFrame
        Text in UTF-8, a header line, cells separated by comma, semicolon, tab or ``|``; or Parquet
        (extra ``parquet``), Excel (extra ``excel``) or Stata, each cell of which is read as it
        would stand in a CSV. Needed: ``ticker`` (or ``symbol``) and ``announced_at`` (or ``date``,
        ``event_date``): a date, a timestamp with its offset, or one with a zone in ``tz``. Dates
        such as 31/10/2022 are read where one of the file shows which number is the day. Optional:
        ``event_id``, ``tz``, ``when`` (``before_open``, ``in_session`` or ``after_close``, of the
        ticker's exchange, beside a date), ``benchmark``, ``day0``. An identifier such as ``permno``
        or ``isin`` stands for ``ticker``, then ``date`` too. All other columns are kept as they
        are, but for white space around ``group`` and ``direction``, and for columns of numbers with
        decimal commas where the separator is no comma, which get points. In a DataFrame missing
        values are empty cells, a date-time at midnight without a zone is a date, and the line of a
        problem is the row's position + 2.
    calendar : {"exchange", "data"}
        ``"exchange"``: day 0 is a session of the ticker's exchange, told by its suffix. ``"data"``:
        any name is a ticker, and day 0 is the date itself until price data say which dates are
        sessions.
    today : date or datetime, optional
        Announcements after it are faults; default now.
    cutoff_minutes : float
        News in the last `cutoff_minutes` before a close belong to the next session.

    Returns
    -------
    Events

    Raises
    ------
    EventsFileError
        The file has faults; all are listed.
    EventStudyError
        The file cannot be read.

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
    """Return the list of announcements that comes with the program, to try it with.

    Returns
    -------
    Events
        230 announcements on sanctions, 2012 to 2026, as ``eventstudy example`` writes them to a
        file. The prices called ``"sample"`` have 25 of their shares and need no network.

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
    """Read an events file as far as it can be read.

    Parameters
    ----------
    path : path or DataFrame
    calendar, today, cutoff_minutes : optional
        As for :func:`read_events`.

    Returns
    -------
    events : Events or None
        The rows without faults; None where there are none, or the header is faulty.
    problems : list of Problem
        Every fault, by line.

    Raises
    ------
    EventStudyError
        The file cannot be read.

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
    sheet, problems, sha256 = Sheet.of(path, REQUIRED)
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
