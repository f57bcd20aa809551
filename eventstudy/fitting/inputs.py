"""What a study is computed from besides prices; each file is read and checked once."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import ConfigError, DataError, EventsFileError, Problem
from ..events.announcements import parse_date
from ..events.table import Events
from ..models import LinearModel, make_model
from ..prices import PriceProvider
from ..prices._base import FIRST_DAY, LAST_DAY
from ..prices.quality.return_faults import CODE_TEXTS, CODES
from ..prices.sizes import RECORD, Sizes, judge_sizes
from ..returns.factor_files import checked_factors, read_factors
from ..returns.security_files import market_values, read_securities
from ..returns.series import MARKET
from ..utility.catalogue import make_error, say
from ..utility.frames import frame_of
from ..utility.identifiers import is_crsp
from ..utility.sheets import sheet_of_csv
from ..utility.tables import column_names, number_of, read_bytes, read_table, strip
from .config import StudyConfig

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

    Preflight, fit and refresh take the same inputs. A file is read when its contents are
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
    source : PriceProvider, optional
        Prices that the settings do not name.
    tables : mapping of str to table
        Tables by name of the setting, ``returns`` or ``factors``, in place of its files.
    """

    events: Events
    config: StudyConfig = field(default_factory=StudyConfig)
    offline: bool = False
    store: str = ""
    vintage: str = ""
    source: PriceProvider | None = None
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prices(self) -> str | PriceProvider:
        """The source of prices."""
        return self.source or self.config.prices

    @cached_property
    def factors(self) -> pd.DataFrame | None:
        """The factors of the settings' files (dates x names, decimal returns); None without any."""
        if "factors" in self.tables:
            return checked_factors(frame_of(self.tables["factors"], "factors"))
        if not self.config.factors:
            return None
        return read_factors(self.config.factors, store=self.store, offline=self.offline)

    @cached_property
    def news(self) -> list[Confounder]:
        """The other news of the settings' file; empty without one."""
        return read_confounders(self.config.confounders) if self.config.confounders else []

    @cached_property
    def sizes(self) -> SizesFile | None:
        """The file of market values that the settings name; None without one."""
        if self.config.size in ("", YAHOO):
            return None
        return read_sizes(self.config.size, self.events.table["ticker"].tolist())

    @property
    def price_options(self) -> dict[str, Any]:
        """The options of :func:`eventstudy.prices.resolve` besides the source."""
        vintage = self.vintage or None
        return {"offline": self.offline, "store": self.store or None, "vintage": vintage}

    def model_of(self, config: StudyConfig) -> LinearModel:
        """Return the model of settings of the study, bound to the factors of the files."""
        model = make_model(config.normal_model, config.model_options, cov_type=config.cov_type)
        return model.bound(() if self.factors is None else list(self.factors.columns))

    def factors_of(self, model: LinearModel) -> pd.DataFrame | None:
        """Return the factors of the files if the model uses any of them, else None."""
        names = {factor.name for factor in model.factors}
        uses = self.factors is not None and bool(names & set(self.factors.columns))
        return self.factors if uses else None

    def require_used(self) -> None:
        """Raise ConfigError for factor files and series that no model of the study uses."""
        in_grid = map(self.config.with_model, self.config.grid.get("model", ()))
        models = [self.model_of(config) for config in (self.config, *in_grid)]
        needed = {factor.name for model in models for factor in model.factors} - {MARKET.name}
        series = self.config.named_series.items()
        unused = dict.fromkeys(f"{name}={ticker}" for name, ticker in series if name not in needed)
        if unused:
            facts: Any = {"where": "series", "value": ", ".join(unused)}
            facts |= {"model": models[0].name, "names": sorted(needed) or ["no further series"]}
            raise make_error(ConfigError, "setting.unused_series", **facts)
        if self.factors is not None and all(self.factors_of(model) is None for model in models):
            facts = {"where": "factors", "value": ", ".join(self.config.factors)}
            raise make_error(ConfigError, "setting.no_factor", model=models[0].name, **facts)


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


class SizesFile(Sizes):
    """The numbers of a file of market values.

    Attributes
    ----------
    table : DataFrame
        Columns ticker, date, currency, and mcap or shares, in order of ticker and date.
    failures : mapping of str to str
        Why a firm has none.
    source : str
        Where the numbers are from.
    """


def read_sizes(path: str | Path, firms: Sequence[str] = ()) -> SizesFile:
    """Return the market values in a file with the columns ticker, date, and mcap or shares.

    Of a daily file of CRSP they are price times shares, for `firms`.

    Each number holds from its date on, for 370 days at most. Market values are in the column
    ``currency`` of the file, or the currency of the ticker. Shares will be multiplied with the
    closes of the study, so they must be in the unit of these: restated for later splits where the
    closes are. Codes for missing values, and values that cannot be meant, are left out
    (docs/faults.md, files of market values).

    Raises
    ------
    DataError
        On a missing column, a cell that is no date or no number, or if most are not positive.
    """
    if is_crsp(column_names(path)):
        table = market_values(read_securities(path, firms), firms)
    else:
        table = read_table(path, text=("mcap", "shares", "close")).reset_index(drop=True)
    table = table.rename(columns={c: str(c).strip().lower() for c in table.columns})
    table = table.rename(columns={"symbol": "ticker"})
    value, name = next((c for c in ("mcap", "shares") if c in table), ""), Path(path).name
    missing = [c for c in ("ticker", "date") if c not in table] + ["mcap or shares"] * (not value)
    if missing:
        raise DataError("a column is missing", where=name, value=", ".join(missing))
    is_record, failures = set(RECORD) <= set(table.columns), dict[str, str]()
    if is_record:
        noted = table[table[value].isna() & table["note"].notna()]
        failures |= zip(noted["ticker"], noted["note"].astype(str), strict=True)
        table = table.drop(index=noted.index)
    texts = table[value].fillna("").astype(str).str.strip()
    dates = pd.to_datetime(table["date"].astype(str).str[:10], errors="coerce", format="ISO8601")
    dates = dates.where(dates.between(str(FIRST_DAY), str(LAST_DAY)))
    numbers = texts.map(number_of).astype(float)
    is_code = texts.isin(["", *CODE_TEXTS]) | numbers.isin(CODES[CODES < 0])
    _refuse_cells(table["ticker"], table["ticker"].isna(), name)
    _refuse_cells(table["date"], dates.isna(), name)
    _refuse_cells(table[value], numbers.isna() & ~is_code, name)
    tickers, shown = table["ticker"].astype(str).str.strip(), texts.str[:40].replace("", "blank")
    table = table.assign(ticker=tickers, date=dates, text=shown)
    table[value] = numbers.mask(is_code)
    table = table.sort_values(["ticker", "date"], kind="stable")
    source = str(table["source"].iloc[0]) if is_record and len(table) else name
    # The record of a run has blank cells on days before the first share count.
    judged = table[table["text"].ne("blank") | (not is_record)]
    stays, faults, notices = judge_sizes(judged, value, name)
    usable = table.drop(index=judged.index[~stays], columns="text")
    lacking = sorted(set(table["ticker"]) - set(usable["ticker"]))
    failures |= dict.fromkeys(lacking, say("size_cell.none", where=name))
    usable = usable.assign(currency=usable.get("currency", ""))
    return SizesFile(usable, failures, source, faults=faults, notices=notices)


def _refuse_cells(cells: pd.Series[Any], bad: pd.Series[bool], name: str) -> None:
    """Raise DataError for the first bad cell of a column of market values."""
    for row in cells.index[bad][:1]:
        place: Any = {"where": f"{name}: row {row + 2}, {cells.name}", "value": str(cells[row])}
        raise make_error(DataError, f"size_cell.{cells.name}", **place)
