"""Robustness: specifications, other firms, weights, many hypotheses, a regression of the CARs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from ...analysis import CarRegression, Specifications
from ...calendars import Window
from ...findings import Findings
from ...significance import STATISTICS
from ...words import LEVEL, clipped, say, words
from ..figures.specification_curve import SpecificationCurve
from ..sentences.answer import calibration_facts, count_subject, name_sample, write_main_days
from .columns import EFFECT, ESTIMATE, EVENTS, INTERVAL, NAME, PVALUE, Column, Kind, columns
from .regressions import tabulate
from .table import Row, Table, effect_values, interval_in, make_table

ADJUSTED = ("holm", "bh", "by", "romano_wolf")
LARGE = {1e12: "trillion", 1e9: "billion", 1e6: "million"}


@dataclass(frozen=True, slots=True)
class SingleEvents:
    """The family of single events: those with a p, and how many are significant.

    Attributes
    ----------
    n, raw, holm : int
        Events; how many have p below 0.05, and how many after Holm's correction.
    smallest : float
        The smallest p after Holm's correction.
    """

    n: int
    raw: int
    holm: int
    smallest: float

    @classmethod
    def of(cls, families: pd.DataFrame) -> SingleEvents | None:
        """Return the counts of a table of families; None without a single event that has a p.

        Parameters
        ----------
        families : DataFrame
        """
        events = families[families["family"] == "events"].dropna(subset=["pvalue"])
        if events.empty:
            return None
        raw, holm = (int((events[name] < LEVEL).sum()) for name in ("pvalue", "holm"))
        return cls(len(events), raw, holm, float(events["holm"].min()))


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis.

    Attributes
    ----------
    name : str
        Name in the catalogue, below ``robustness``.
    lede : str
        Its result in a sentence; "" where the table says it.
    table : Table, optional
    curve : SpecificationCurve, optional
    note : str
    files : tuple of str
        CSV files of the run with all of its numbers.
    """

    name: str
    lede: str = ""
    table: Table | None = None
    curve: SpecificationCurve | None = None
    note: str = ""
    files: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """The title."""
        return say(f"robustness.{self.name}.title")


@lru_cache(maxsize=1)
def robustness(findings: Findings) -> tuple[Analysis, ...]:
    """Return the result of each analysis of the run."""
    makers = (
        _calibration, _specifications, _announcement_time, _placebos, _weights, _families,
        _regression,
    )  # fmt: skip
    return tuple(analysis for maker in makers for analysis in maker(findings))


def _pooled(findings: Findings) -> str:
    """Return that an analysis is of all groups; "" where there are none."""
    return say("robustness.pooled", n=findings.setup.n_used) if findings.groups else ""


def file_of(findings: Findings, name: str) -> str:
    """Return the CSV of a table that has the groups of the answer, where there are any."""
    return f"{name}{'_by_group' * bool(findings.groups)}.csv"


def _calibration(findings: Findings) -> Iterator[Analysis]:
    """Yield how often studies of these firms on other dates show as much."""
    numbers = findings.sample.answer.calibrated
    if numbers is None:
        return
    code = "robustness.calibration"
    if numbers.reason:
        yield Analysis("calibration", lede=say(f"{code}.none", why=numbers.reason))
        return
    facts = calibration_facts(numbers)
    lede = say(f"{code}.lede", share=numbers.share, **facts)
    lede += " " + say(f"{code}.size", **facts)
    if numbers.shared_share < LEVEL:
        facts = {"times": numbers.shared_movement, "share": numbers.shared_share}
        lede += " " + say(f"{code}.shared", **facts)
    moved = say(f"{code}.moved_{'together' if numbers.are_common else 'apart'}")
    yield Analysis("calibration", lede=lede, note=say(f"{code}.note", moved=moved))


# More specifications than a table of windows by models shows have a curve.
FEW_SPECIFICATIONS = 12
# Choices that are windows.
WINDOWS = ("estimation", "window")


def _specifications(findings: Findings) -> Iterator[Analysis]:
    if (table := findings.tables.get("specifications")) is not None:
        yield from (analysis_of_grid(table), analysis_by_choice(table))


def analysis_of_grid(table: pd.DataFrame) -> Analysis:
    """Return the answer by window and model, with the curve of a larger grid.

    Parameters
    ----------
    table : DataFrame
        See :func:`~eventstudy.analysis.robustness.specifications.specifications_table`.
    """
    cells, code = cells_but_for(table, "window", "model"), "robustness.specifications"
    models = list(dict.fromkeys(cells["model"]))
    rows = []
    for window, group in cells.groupby("window", sort=False):
        texts = map(_cell, group["estimate"], group["pvalue"])
        name = words().window(Window.of(str(window)))
        rows.append(Row({"name": name, **dict(zip(group["model"], texts, strict=True))}))
    shown = [NAME, *(Column(model, Kind.NUMBER, head=model) for model in models)]
    head, curve = make_table(code, shown, rows), None
    if len(table) > FEW_SPECIFICATIONS and table["pvalue"].notna().any():
        curve = SpecificationCurve.of(table)
    note, files = say(f"{code}.note"), ("specifications.csv",)
    return Analysis("specifications", str(Specifications(table)), head, curve, note, files)


def analysis_by_choice(table: pd.DataFrame) -> Analysis:
    """Return what the specifications with each value of each choice say.

    Parameters
    ----------
    table : DataFrame
        As for :func:`analysis_of_grid`.
    """
    code, rows = "robustness.choices", list[Row]()
    for row in Specifications(table).by_choice().to_dict("records"):
        value = row["value"] or say("specifications.every_event")
        value = words().window(Window.of(value)) if row["choice"] in WINDOWS else value
        name = say("specifications.choice", choice=row["choice"], value=clipped(value, 40))
        rows.append(Row({**row, "name": name}))
    shares = columns(Kind.SHARE, "same_sign", "significant")
    shown = (NAME, *columns(Kind.COUNT, "n"), *shares, *columns(Kind.EFFECT, "median"))
    head = make_table(code, shown, rows)
    return Analysis("choices", "", head, note=say(f"{code}.note"),
        files=("specifications_by_choice.csv",))  # fmt: skip


def cells_but_for(table: pd.DataFrame, *choices: str) -> pd.DataFrame:
    """Return the specifications that differ from the study in some choices only.

    Parameters
    ----------
    table : DataFrame
        See :func:`~eventstudy.analysis.robustness.specifications.specifications_table`.
    *choices : str
        Such as ``"model"``.
    """
    alike = [name for name in Specifications.CHOICES if name not in choices]
    main = table.loc[table["is_main"], alike].iloc[0]
    return table[(table[alike] == main).all(axis=1)]


def _cell(estimate: float, p: float) -> str:
    return say("specifications.cell", estimate=estimate, p=p)


def _announcement_time(findings: Findings) -> Iterator[Analysis]:
    """Yield how the first day depends on announcements whose time is not known."""
    records = findings.beside("announcement_time").to_dict("records")
    if not records:
        return
    dated, moved = (words().percent(row["caar"]) for row in records)
    window = [records[0]["start"], records[0]["stop"]]
    facts = {"n": int(records[0]["n_uncertain"]), "total": int(records[0]["n_events"])}
    code = "robustness.announcement_time"
    rows = []
    for record in records:
        name = say(f"{code}.{record['dating']}")
        rows.append(Row({"name": name, "events": record["n_events"], "effect": record["caar"]}))
    lede = say(f"{code}.lede", window=window, dated=dated, moved=moved, **facts)
    head = make_table(code, (NAME, EVENTS, EFFECT), rows, window=window)
    files = (file_of(findings, "announcement_time"),)
    yield Analysis("announcement_time", lede, head, note=say(f"{code}.note"), files=files)


def _placebos(findings: Findings) -> Iterator[Analysis]:
    """Yield the study on firms without events."""
    code = "robustness.firms"
    for row in findings.beside("placebo").to_dict("records"):
        lede = say("robustness.failed", why=row["reason"])
        if np.isfinite(row["pvalue"]):
            facts = {"test": STATISTICS[row["test"]].label, "n": row["draws"], "p": row["pvalue"]}
            larger = round(row["pvalue"] * (1 + row["draws"])) - 1
            lede = say(f"{code}.lede", larger=larger, statistic=row["statistic"], **facts)
        files = (file_of(findings, "placebo_draws"),)
        yield Analysis("firms", lede=lede, note=say(f"{code}.note"), files=files)


def _weights(findings: Findings) -> Iterator[Analysis]:
    rows, money = [], _money(findings)
    means = findings.over_main(findings.beside("aggregates"))
    for row in means.to_dict("records"):
        if row["n_events"]:
            name = say(f"robustness.weights.{row['weights']}")
            values = {**row, "name": name, "events": row["n_events"]}
            rows.append(Row({**values, **effect_values(interval_in(row))}, row["reason"]))
    if rows:
        table = make_table("robustness.weights", (NAME, EVENTS, *ESTIMATE), rows)
        note = say("robustness.weights.note") if findings.sample.n_used > 1 else ""
        files = ["aggregates", *["market_value"] * bool(money)]
        in_files = tuple(file_of(findings, name) for name in files)
        yield Analysis("weights", money or _by_precision(means), table, note=note, files=in_files)


def _by_precision(means: pd.DataFrame) -> str:
    """Return the mean CAR weighted by precision, given all weighted means; "" without a p."""
    for row in means[means["weights"] == "precision"].to_dict("records"):
        if np.isfinite(row["pvalue"]):
            return say("robustness.weights.lede", value=row["estimate"], p=row["pvalue"])
    return ""


def _money(findings: Findings) -> str:
    """Return the change of market value in all; "" without market values."""
    table = findings.over_main(findings.beside("market_value"))
    if table.empty or not np.isfinite(table["total"].iloc[0]):
        return ""
    row, setup = table.iloc[0], findings.setup
    ends = {name: write_amount(row[name]) for name in ("total", "ci_low", "ci_high")}
    source = "unit_of" if setup.currency else "unit"
    unit = say(f"robustness.money.{source}", currency=setup.currency, source=setup.sizes_source)
    code = "total_interval" if np.isfinite(row["pvalue"]) else "total"
    facts = {"n": int(row["n_events"]), "p": row["pvalue"], "unit": unit}
    return say(f"robustness.money.{code}", **ends, **facts)


def write_amount(value: float) -> str:
    """Format an amount of money: ``+950``, ``−43,200``, ``−43.7 billion``."""
    size = abs(value)
    for unit, name in LARGE.items():
        if size >= unit:
            decimals = max(0, 2 - int(math.log10(size / unit)))
            return f"{words().signed(value / unit, decimals)}\N{NO-BREAK SPACE}{name}"
    text = words().signed(value, 0)
    return text if size < 1000 else f"{text[0]}{size:,.0f}"


def _families(findings: Findings) -> Iterator[Analysis]:
    """Yield how many p-values of each family are small as they are, and corrected."""
    table = findings.beside("families")
    if table.empty:
        return
    tested, code, rows = table[table["pvalue"].notna()], "robustness.families", []
    for name, family in tested.groupby("family", sort=False):
        values = {"name": say(f"{code}.{name}", main=findings.setup.main), "n": len(family)}
        values |= {method: _small(family[method]) for method in ADJUSTED}
        rows.append(Row({**values, "raw": _small(family["pvalue"])}))
    if not rows:
        return
    lede = ""
    if single := SingleEvents.of(table):
        who = count_subject(single.n, name_sample(findings))
        expected = words().expected(LEVEL * single.n)
        facts = {"who": who, "raw": single.raw, "holm": single.holm, "expected": expected}
        lede = say(f"{code}.lede", **facts)
    shown = (NAME, *columns(Kind.COUNT, "n", "raw", *ADJUSTED))
    table_of = make_table(code, shown, rows)
    files = (file_of(findings, "families"),)
    yield Analysis("families", lede, table_of, note=write_families_note(findings), files=files)


def write_families_note(findings: Findings) -> str:
    """Return what each correction controls, and which p it adjusts.

    Parameters
    ----------
    findings : Findings
    """
    code, sample = "robustness.families", findings.sample
    more = {finding.answer.n_short for finding in (sample.main, *sample.windows)}
    texts = [say(f"{code}.note")]
    if max(more):
        form = "note_short_some" if len(more) > 1 else "note_short"
        texts.append(say(f"{code}.{form}", n=max(more)))
    return " ".join(texts)


def _small(pvalues: pd.Series[float]) -> int | None:
    return int((pvalues < LEVEL).sum()) if pvalues.notna().any() else None


def _regression(findings: Findings) -> Iterator[Analysis]:
    """Yield the regression of the CARs on characteristics, or why it could not be estimated."""
    terms = findings.tables.get("regression")
    if terms is None or terms.empty:
        return
    if why := CarRegression.why_not(terms):
        term = clipped(terms["term"].iloc[0], 60)
        yield Analysis("regression", say("robustness.regression.failed", term=term, why=why))
        return
    main = findings.setup.main
    notes = [[terms["notes"].iloc[0]]]
    regression = tabulate({"": terms}, notes, main, write_main_days(findings))
    code, first = "robustness.regression", terms.iloc[0]
    facts = {"n": int(first["n_events"]), "dates": int(first["n_dates"]), "r2": regression.r2[0]}
    sentences = (f"{regression.headline}.", regression.caveat, regression.evidence)
    lede = " ".join([*filter(None, sentences), say(f"{code}.counts", **facts)])
    compared = Column("compared", Kind.PVALUE, is_wide=True)
    shown = (NAME, *columns(Kind.NUMBER, "difference"), INTERVAL, PVALUE, compared)
    keys = [column.key for column in shown[1:]]
    rows = []
    for row in regression.rows:
        texts = dict(zip(keys, row.texts, strict=True))
        rows.append(Row({"name": row.label, **texts}, row.remark))
    heads = {"compared": regression.compared, "title": regression.title}
    table = make_table(code, shown, rows, **heads)
    note = " ".join(regression.notes)
    lede = f"{_pooled(findings)} {lede}".strip()
    yield Analysis("regression", lede, table, note=note, files=("regression.csv",))
