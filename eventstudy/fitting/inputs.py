"""What a study is computed from besides prices; each file is read and checked once."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, DataError, EventsFileError, Problem
from ..events.announcements import parse_date
from ..events.sheets import sheet_of_csv
from ..events.table import Events, events_from_frame, read_events
from ..models import LinearModel, make_model
from ..prices.sizes import RECORD
from ..returns.factor_files import read_factors
from ..returns.series import MARKET
from ..utility.tables import read_bytes, read_table, strip
from .config import StudyConfig
from .settings import within

if TYPE_CHECKING:
    import pandas as pd

# The source of market values that is no file.
YAHOO = "yahoo"


# Columns of a file of other news, and the firm of a row that is about all.
REQUIRED, EVERY_FIRM = ("ticker", "date", "what"), "*"
# The column of the events that names other news, that of all news near an event, and what their
# cells say where nothing is known.
NEWS_COLUMN, CONFOUNDER = "confounders", "confounder"
NO_NEWS = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """The events of a study, its settings, and the files that these name.

    Preflight, fit, variants and refresh take the same inputs. A file is read when its contents are
    first needed, and never again.

    Attributes
    ----------
    events : Events
    config : StudyConfig
    offline : bool
        Never use the network.
    store : str
        The price cache; "" = ``$EVENTSTUDY_STORE``, or the user's.
    vintage : str
        ISO date or time: only what the price cache had then; "" = the newest.
    """

    events: Events
    config: StudyConfig = field(default_factory=StudyConfig)
    offline: bool = False
    store: str = ""
    vintage: str = ""

    @cached_property
    def factors(self) -> pd.DataFrame | None:
        """The factors of the settings' files (dates x names, decimal returns); None without any."""
        return read_factors(self.config.factors) if self.config.factors else None

    @cached_property
    def news(self) -> list[Confounder]:
        """The other news of the settings' file; empty without one."""
        return read_confounders(self.config.confounders) if self.config.confounders else []

    @cached_property
    def sizes(self) -> SizesFile | None:
        """The file of market values that the settings name; None without one."""
        return read_sizes(self.config.size) if self.config.size not in ("", YAHOO) else None

    @property
    def price_options(self) -> dict[str, Any]:
        """The options of :func:`eventstudy.prices.resolve` besides the source."""
        vintage = self.vintage or None
        return {"offline": self.offline, "store": self.store or None, "vintage": vintage}

    def model_of(self, config: StudyConfig) -> LinearModel:
        """Return the model of the study or of a variant, bound to the factors of the files."""
        model = make_model(config.normal_model, config.model_options, cov_type=config.cov_type)
        return model.bound(() if self.factors is None else list(self.factors.columns))

    def factors_of(self, model: LinearModel) -> pd.DataFrame | None:
        """Return the factors of the files if the model uses any of them, else None."""
        names = {factor.name for factor in model.factors}
        uses = self.factors is not None and bool(names & set(self.factors.columns))
        return self.factors if uses else None

    def require_used(self) -> None:
        """Raise ConfigError for factor files and series that no model of the study uses."""
        models = [self.model_of(self.config)]
        for name, variant in self.config.studies.items():
            with within(f"variants.{name}"):
                models.append(self.model_of(variant))
        in_grid = map(self.config.with_model, self.config.grid.get("model", ()))
        models += map(self.model_of, in_grid)
        needed = {factor.name for model in models for factor in model.factors} - {MARKET.name}
        configs = [self.config, *self.config.studies.values()]
        series = [pair for config in configs for pair in config.named_series.items()]
        unused = dict.fromkeys(f"{name}={ticker}" for name, ticker in series if name not in needed)
        if unused:
            names = ", ".join(sorted(needed)) or "no further series"
            reason = f"the model {models[0].name} uses no such series"
            remedy = f"leave it out; it uses {names}, and its index is --benchmark"
            raise ConfigError(reason, where="series", value=", ".join(unused), remedy=remedy)
        if self.factors is not None and all(self.factors_of(model) is None for model in models):
            reason = f"the model {models[0].name} uses no factor of these files"
            files = ", ".join(self.config.factors)
            remedy = "name one that does, such as --model ff3"
            raise ConfigError(reason, where="factors", value=files, remedy=remedy)


def events_given(events: Any) -> Events:
    """Return events, read from a file or a frame where `events` is one."""
    if isinstance(events, Events):
        return events
    if isinstance(events, (str, Path)):
        return read_events(events)
    if hasattr(events, "columns"):
        return events_from_frame(events)
    remedy = "give read_events(path) or events_from_frame(frame)"
    raise ConfigError("not events", where="events", value=type(events).__name__, remedy=remedy)


class ConfoundersFileError(EventsFileError):
    """The file of confounders has faults; ``problems`` lists all of them, in file order."""

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        super().__init__(path, problems)
        self.what = self.what.replace("the events file", "the file of confounders")


@dataclass(frozen=True, slots=True)
class Confounder:
    """One piece of other news: of one listing, or of all (``*``)."""

    ticker: str
    date: dt.date
    text: str


def read_confounders(path: str | os.PathLike[str]) -> list[Confounder]:
    """Read a CSV with the columns ticker (``*`` for all), date (YYYY-MM-DD) and what.

    Raises
    ------
    ConfoundersFileError
        The file has faults; all are listed.
    EventStudyError
        The file cannot be read.
    """
    sheet, problems = sheet_of_csv(read_bytes(path), REQUIRED)
    news: list[Confounder] = []
    if sheet:
        columns = [strip(name).strip('"').lower() for name in sheet.names]
        lacking = [name for name in REQUIRED if name not in columns]
        remedy = f"the first line names {', '.join(REQUIRED)}"
        for name in lacking:
            problems.append(Problem(sheet.header, name, "column is missing", remedy=remedy))
        problems += sheet.odd_rows() if not lacking else []
        lines = zip(sheet.lines.tolist(), sheet.rows(), strict=True) if not lacking else ()
        for line, cells in lines:
            row, faults = _row(line, cells, columns)
            problems += faults
            news += row
    if problems:
        raise ConfoundersFileError(str(path), sorted(problems, key=lambda p: p.line))
    return news


def _row(
    line: int, cells: Sequence[str], columns: list[str]
) -> tuple[list[Confounder], list[Problem]]:
    row = {name: strip(cell) for name, cell in zip(columns, cells, strict=True)}
    faults = [Problem(line, name, "is empty") for name in REQUIRED if not row[name]]
    day = None
    if row["date"]:
        try:
            day = parse_date(row["date"])
        except DataError as error:
            faults.append(Problem(line, "date", error.what, row["date"], error.remedy))
    return ([Confounder(row["ticker"], day, row["what"])] if day and not faults else []), faults


@dataclass(frozen=True, eq=False)
class SizesFile:
    """The numbers of a file of market values.

    Attributes
    ----------
    table : DataFrame
        Columns ticker, date, currency, and mcap or shares, in order of ticker and date.
    failures : mapping of str to str
        Why a firm has none, where the file is the record of a run.
    source : str
        Where the numbers are from.
    """

    table: pd.DataFrame
    failures: Mapping[str, str]
    source: str


def read_sizes(path: str | Path) -> SizesFile:
    """Return the market values in a file with the columns ticker, date, and mcap or shares.

    Each number holds from its date on, for 370 days at most. Market values are in the column
    ``currency`` of the file, or the currency of the ticker. Shares will be multiplied with the
    closes of the study, so they must be in the unit of these: restated for later splits where the
    closes are.

    Raises
    ------
    DataError
        On a missing column, or a cell that is no date or no positive number.
    """
    import pandas as pd

    cells = read_table(path, text=("mcap", "shares", "close"))
    table = cells.rename(columns={c: str(c).strip().lower() for c in cells.columns})
    table = table.rename(columns={"symbol": "ticker"})
    value, name = next((c for c in ("mcap", "shares") if c in table), ""), Path(path).name
    missing = [c for c in ("ticker", "date") if c not in table] + ["mcap or shares"] * (not value)
    if missing:
        raise DataError("a column is missing", where=name, value=", ".join(missing))
    table["date"] = pd.to_datetime(table["date"], errors="coerce", format="ISO8601")
    is_record = set(RECORD) <= set(table.columns)
    blank = table[value].isna().to_numpy() & is_record
    table = table.assign(**{value: table[value].map(_number).astype(float)})
    failed = blank & table["note"].notna().to_numpy() if is_record else blank
    notes = table["note"][failed].astype(str) if is_record else ()
    failures = dict(zip(table["ticker"][failed], notes, strict=True))
    table, blank = table[~failed], blank[~failed]
    valid = (table[value] > 0) & np.isfinite(table[value])
    bad = np.flatnonzero(table["date"].isna() | ~blank & ~valid)
    if len(bad):
        row = table.index[bad[0]]
        where, text = f"{name}: row {row + 2}", ", ".join(map(str, cells.loc[row]))
        raise DataError("not a date and a positive number", where=where, value=text)
    table = table.sort_values(["ticker", "date"], kind="stable")
    source = str(table["source"].iloc[0]) if is_record and len(table) else name
    return SizesFile(table.assign(currency=table.get("currency", "")), failures, source)


def _number(cell: object) -> float:
    """Return a cell as a number, exact to the last bit; NaN where it is none."""
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")
