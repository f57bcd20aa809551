"""The regression of the CARs on characteristics, for a reader: in percentage points, and in
words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...analysis.cross_section import not_possible
from ...utility.numbers import MINUS, MISSING, NBSP, capitalised, clipped, count, pvalue, signed
from ...utility.units import words
from ..content.subject import Page

TERMS = {"const": "Intercept"}
ERRORS = {"HC3": "that allow for unequal variances (HC3)"}
# More decimals than these are written as a power of ten.
MOST_DECIMALS = 6


def regression(page: Page) -> dict[str, Any] | None:
    """Return the rows term, estimate, se, interval, t, p, and what holds for all, or why there are
    none."""
    table = page.tables.get("regression")
    if table is None or table.empty:
        return None
    if why := not_possible(table):
        return {"why": f"CAR on {clipped(table['term'][0], 60)}: {why}."}
    first, wild = table.iloc[0], "wild_pvalue" in table
    errors = str(first["errors"])
    lede = (
        f"{count(int(first['n_events']), 'event')} on {count(int(first['n_dates']), 'date')}, "
        "least squares, "
        f"errors {ERRORS.get(errors, errors)}, R²{NBSP}{first['r2']:.2f}."
    )
    notes = [f"{capitalised(note)}." for note in str(first["notes"]).split("; ") if note]
    return {
        "why": "",
        "rows": [
            _row(row, "wild_pvalue" if wild else "pvalue") for row in table.to_dict("records")
        ],
        "lede": lede,
        "notes": " ".join(notes),
        "unit": "percentage points" if words().unit == "%" else words().axis,
    }


def _row(row: Mapping[Any, Any], p: str) -> tuple[str, ...]:
    """Return one line; all of its numbers have the decimals that its standard error needs."""
    se = words().scale * row["se"]
    least = int(np.ceil(-np.log10(se))) + 1 if np.isfinite(se) and se > 0 else 2
    estimate, low, high = (
        _number(words().scale * row[k], least) for k in ("estimate", "ci_low", "ci_high")
    )
    return (
        clipped(TERMS.get(row["term"], row["term"]), 60), estimate,
        _number(se, least).removeprefix("+"),
        f"{low} to {high}", signed(row["statistic"]), pvalue(row[p]),
    )  # fmt: skip


def _number(value: float, decimals: int) -> str:
    if not np.isfinite(value):
        return MISSING
    if decimals > MOST_DECIMALS:
        return f"{value:+.2e}".replace("-", MINUS)
    return signed(value, max(2, decimals))
