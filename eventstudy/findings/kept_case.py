"""A kept case: the derived numbers of one event whose prices may not be shipped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import pandas as pd

from ..calendars import Window
from ..errors import AlteredError
from ..fitting import FittedStudy
from ..settings import StudyConfig
from ..significance import STATISTICS
from ..utility import __version__
from ..words import say
from .document import Document, to_json
from .types import Findings

SCHEMA = "eventstudy-case/1"
# What a row of the events file must share with a case, which keeps these and some more cells.
IDENTITY = ("event_id", "ticker", "announced_at")
CELLS = (*IDENTITY, "tz", "company", "benchmark")
# Reasons to drop an event for lack of prices.
WITHOUT_PRICES = {"no_data", "no_data_for", "no_data_on_day0", "no_data_on_day0_for"}
# More digits of errors and tests would give away the market's return on each day, and the firm's.
DECIMALS = dict.fromkeys(("ar", "car", "alpha", "beta", "sigma"), 6) | {
    "se": 4, "statistic": 2, "pvalue": 3, "sq": 3, "event_f": 3, "r2": 3,
}  # fmt: skip
SERIES = ("source", "first", "last", "rows", "sha256")
# What a case has to hold besides its fields.
HELD: Mapping[str, tuple[str, ...]] = {
    "event": CELLS, "fit": ("nobs", "alpha", "sigma", "df_resid"),
    "days": ("tau", "date", "ar", "car"),
    "windows": ("start", "stop", "car", "se", "statistic", "pvalue", "sq", "event_f"),
    "prices": ("symbol", *SERIES),
}  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """The document ``case.json``: one event in derived numbers (decimal), without a price.

    Attributes
    ----------
    schema, name, version : str
        ``eventstudy-case/1``, name of the committed run, and the eventstudy that computed it.
    event : mapping of str to str
        The row of the events file, as far as it decides the study.
    day0, benchmark, model : str
        Session of day 0 (ISO date), index that was used, name of the model.
    estimation, main : Window
    fit : mapping of str to float
        Estimates by parameter, sigma, r2, nobs, df_resid.
    days : DataFrame
        tau, date, ar, car (from the first day on).
    windows : DataFrame
        start, stop, car, se, statistic and pvalue of the main test, p of SQ and of F.
    prices : DataFrame
        symbol, source, first, last, rows, sha256 (of the rows).
    other_index : mapping
        Day 0 against another index: benchmark, beta, car, statistic.
    files : mapping of str to str
        SHA-256 of the other files of the folder.
    sha256 : str
        Hash of this document without it.
    """

    schema: str
    name: str
    version: str
    event: Mapping[str, str]
    day0: str
    benchmark: str
    model: str
    estimation: Window
    main: Window
    fit: Mapping[str, float]
    days: pd.DataFrame
    windows: pd.DataFrame
    prices: pd.DataFrame
    other_index: Mapping[str, Any]
    files: Mapping[str, str]
    sha256: str

    # Those of this package by name.
    SHIPPED: ClassVar = ("hikvision-2019",)

    @classmethod
    def of(cls, study: FittedStudy, config: StudyConfig, name: str) -> Case:
        """Return the derived numbers of a study of one event, rounded so that no price follows.

        Parameters
        ----------
        study : FittedStudy
            Of one used event.
        config : StudyConfig
            With the windows.
        name : str

        Returns
        -------
        Case
            Without hashes of files.
        """
        row, a, entries = study.records[0], study.abnormal, study.panel.provenance
        days = study.abnormal_returns()[["tau", "date", "ar"]]
        windows = study.car_table(config.tested)[["start", "stop", "car", "se"]]
        decisive = [study.test(STATISTICS.main(1), w) for w in config.tested]
        windows["statistic"] = [test.statistic for test in decisive]
        windows["pvalue"] = [test.pvalue for test in decisive]
        for test in ("sq", "event_f"):
            windows[test] = [study.test(test, w).pvalue for w in config.tested]
        models = study.model_table().drop(columns=["event_id", "ticker"])
        fit = models.round(DECIMALS).to_dict("records")[0]
        series = []
        for symbol, entry in sorted(entries.items()):
            series.append({"symbol": symbol, **{key: entry[key] for key in SERIES}})
        return cls(
            schema=SCHEMA, name=name, version=__version__,
            event={cell: str(row.get(cell, "")) for cell in CELLS},
            day0=f"{row['day0']:%Y-%m-%d}", benchmark=str(row["benchmark"]),
            model=study.model.name, estimation=a.windows.estimation, main=config.main,
            fit={**{str(k): float(x) for k, x in fit.items()}, "df_resid": float(a.df_resid[0])},
            days=days.assign(car=days["ar"].cumsum()).round(DECIMALS),
            windows=windows.round(DECIMALS), prices=pd.DataFrame(series),
            other_index={}, files={}, sha256="",
        )  # fmt: skip

    @classmethod
    def read(cls, text: str, where: str) -> Case:
        """Return the case of a document.

        Parameters
        ----------
        text : str
            Content of a ``case.json``.
        where : str
            Name of the file, for errors.

        Raises
        ------
        RunFolderError
            If it is no such document; AlteredError if it was changed since it was written.
        """
        case = Document(cls, SCHEMA, "case.json").read(text, where)
        remedy = say("case.restore")
        if case.sha256 != case.hash or case.text != text:
            raise AlteredError(say("case.altered"), where=where, remedy=remedy)
        if lacking := list(_lacking(case)):
            raise AlteredError(say("case.lacking", names=lacking), where=where, remedy=remedy)
        return case

    @staticmethod
    @cache
    def shipped(name: str) -> Case:
        """Return a case of this package by its name."""
        text = files("eventstudy").joinpath("data", f"{name}.json").read_text("utf-8")
        return Case.read(text, f"{name}.json")

    @staticmethod
    def find(ticker: str, date: str) -> Case | None:
        """Return the shipped case of one announcement; None for another.

        Parameters
        ----------
        ticker, date : str
            ISO date of the announcement.
        """
        for case in map(Case.shipped, Case.SHIPPED):
            if (case.event["ticker"], case.event["announced_at"][:10]) == (ticker.upper(), date):
                return case
        return None

    @staticmethod
    def without_prices(findings: Findings) -> Iterator[Case]:
        """Yield the shipped cases whose event was dropped for lack of prices.

        They are shown and enter nothing: no mean, no number of events, no test.
        """
        reasons = {
            tuple(event.cells.get(cell, "") for cell in IDENTITY): event.reason.code
            for event in findings.events
            if not event.is_used and findings.setup.measure == "return"
        }
        for case in map(Case.shipped, Case.SHIPPED):
            if reasons.get(tuple(case.event[cell] for cell in IDENTITY)) in WITHOUT_PRICES:
                yield case

    def over(self, window: Window) -> Mapping[str, Any]:
        """Return the numbers over a window; KeyError for one that was not tested."""
        rows: Mapping[Any, Any] = self.windows.set_index(["start", "stop"]).to_dict("index")
        return dict(rows[window.start, window.stop])

    @property
    def text(self) -> str:
        """The document."""
        return to_json(self)

    @property
    def hash(self) -> str:
        """The hash that an unaltered document has."""
        return hashlib.sha256(replace(self, sha256="").text.encode()).hexdigest()


def _lacking(case: Case) -> Iterator[str]:
    """Yield what a document does not hold although it is as it was written by its hash."""
    for field, names in HELD.items():
        held: Any = getattr(case, field)
        for name in names:
            values = pd.Series(held.get(name, []), dtype=object)
            if field in ("fit", "windows") or name in ("tau", "ar", "car"):
                values = pd.to_numeric(values, errors="coerce")
            if values.empty or values.isna().any():
                yield f"{field}.{name}"
