"""The regression of the CARs on characteristics, in percentage points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.cross_section import not_possible
from ...findings.types import Findings
from ...utility.catalogue import has, say
from ...utility.numbers import MINUS, MISSING, capitalised, clipped, pvalue, signed
from ...utility.units import words
from .table import Row, Table, table_of

# More decimals than these are written as a power of ten.
MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Regression:
    """The coefficients, what holds for all of them, and remarks; no table where it failed."""

    lede: str
    table: Table | None
    notes: str


def regression(findings: Findings) -> Regression | None:
    """Return the regression of the run, or why it could not be estimated; None without one."""
    table = findings.tables.get("regression")
    if table is None or table.empty:
        return None
    first, p = table.iloc[0], "wild_pvalue" if "wild_pvalue" in table else "pvalue"
    if why := not_possible(table):
        failed = say("robustness.regression.failed", term=clipped(first["term"], 60), why=why)
        return Regression(failed, None, "")
    facts = {"n": int(first["n_events"]), "dates": int(first["n_dates"]), "r2": first["r2"]}
    unit = "percentage points" if words().unit == "%" else words().axis
    rows = [_row(row, p) for row in table.to_dict("records")]
    return Regression(
        lede=say("robustness.regression.lede", errors=errors_text(first["errors"]), **facts),
        table=table_of(
            "robustness.regression", "tnNNnn", rows, main=findings.setup.main, unit=unit
        ),
        notes=f"{capitalised(first['notes'])}." if first["notes"] else "",
    )


def errors_text(cov: str) -> str:
    """Return a covariance in words with its source."""
    if has(f"covariance.{cov}"):
        return say("errors.robust", covariance=say(f"covariance.{cov}"))
    return say(f"errors.{cov}") if has(f"errors.{cov}") else str(cov)


def _row(row: Mapping[Any, Any], p: str) -> Row:
    """Return one line; all of its numbers have the decimals that its standard error needs."""
    scale = words().scale
    se = scale * row["se"]
    decimals = int(np.ceil(-np.log10(se))) + 1 if np.isfinite(se) and se > 0 else 2
    estimate, low, high = (
        _number(scale * row[k], decimals) for k in ("estimate", "ci_low", "ci_high")
    )
    term = say("robustness.regression.const") if row["term"] == "const" else row["term"]
    return Row((
        clipped(term, 60), estimate, _number(se, decimals).removeprefix("+"), f"{low} to {high}",
        signed(row["statistic"]), pvalue(row[p]),
    ))  # fmt: skip


def _number(value: float, decimals: int) -> str:
    if not np.isfinite(value):
        return MISSING
    if decimals > MOST_DECIMALS:
        return f"{value:+.2e}".replace("-", MINUS)
    return signed(value, max(2, decimals))
