"""Regressors from columns of the events: numbers as they are, text as dummies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import ConfigError, NotPossibleError
from ..utility.registry import did_you_mean
from ..utility.typing import BoolArray, FloatArray

# How files write a missing number; in a column of text only an empty cell is missing.
MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")
CONSTANT = "const"
COLLINEAR = 1e-10


@dataclass(frozen=True, eq=False)
class Design:
    """Regressors X (n, k), the constant first, with their terms, the column of each, and notes on
    dummies."""

    X: FloatArray
    terms: tuple[str, ...]
    origin: tuple[str, ...]
    notes: tuple[str, ...]


def cells_of(table: pd.DataFrame, column: str) -> tuple[pd.Series, BoolArray]:
    """Return one column as numbers, or as text if it holds any text, and which cells are missing.

    Raises
    ------
    ConfigError
        If there is no such column.
    NotPossibleError
        If numbers and text are mixed.
    """
    if column not in table:
        hint = did_you_mean(column, [str(c) for c in table.columns])
        raise ConfigError("the events have no such column", value=column, remedy=hint)
    cells = table[column]
    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
        numbers = pd.Series(cells.to_numpy(dtype=float, na_value=np.nan), index=cells.index)
        return numbers, ~np.isfinite(numbers.to_numpy())
    text = cells.astype(str).where(cells.notna(), "").str.strip()
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    finite = np.isfinite(numbers.to_numpy())
    blank = text.str.lower().isin(MISSING).to_numpy()
    odd = ~finite & ~blank
    if not odd.any():
        return numbers, ~finite
    if finite.any():
        raise NotPossibleError(
            "a column that mixes numbers and text", where=column, value=text[odd].iloc[0],
            remedy="leave the cell empty if it is missing, or let every cell hold text",
        )  # fmt: skip
    return text, (text == "").to_numpy()


def design_of(columns: Sequence[tuple[str, pd.Series]], n: int) -> Design:
    """Return the regressors of n complete events.

    The first level of a column of text, in alphabetical order, is the base: it has no dummy.

    Raises
    ------
    NotPossibleError
        If the regressors are collinear; all columns that take part are named.
    """
    parts, terms, origin, notes = [np.ones(n)], [CONSTANT], [CONSTANT], []
    for name, cells in columns:
        if pd.api.types.is_float_dtype(cells):
            if np.ptp(cells.to_numpy()) == 0:
                raise _constant(name, f"{cells.iloc[0]:g}")
            parts, terms, origin = [*parts, cells.to_numpy()], [*terms, name], [*origin, name]
            continue
        base, *levels = sorted(cells.unique())
        if not levels:
            raise _constant(name, base)
        parts += [(cells == level).to_numpy(float) for level in levels]
        terms += [f"{name}: {level} (base {base})" for level in levels]
        origin += [name] * len(levels)
        notes.append(f"{name}: dummies against {base!r}")
    X = np.column_stack(parts)
    # More columns than events are collinear whatever they hold: the caller refuses them for their
    # number.
    if X.shape[1] <= n and (guilty := _collinear(X, origin)):
        raise NotPossibleError(
            "the regressors are collinear",
            value=", ".join(guilty),
            remedy="leave one of these columns out",
        )
    return Design(X, tuple(terms), tuple(origin), tuple(notes))


def _constant(column: str, value: str) -> NotPossibleError:
    what = "a column with one value explains nothing"
    return NotPossibleError(what, where=column, value=value, remedy="leave the column out")


def _collinear(X: FloatArray, origin: list[str]) -> list[str]:
    """Return the columns of the events that take part in an exact linear relation, the constant
    aside."""
    length = np.sqrt((X**2).sum(axis=0))
    scaled = X / np.where(length > 0, length, 1.0)
    _, s, vectors = np.linalg.svd(scaled, full_matrices=True)
    values = np.r_[s, np.zeros(X.shape[1] - len(s))]
    null = np.abs(vectors[values < COLLINEAR * values[0]])
    part = (null > 1e-6).any(axis=0) if len(null) else np.zeros(X.shape[1], dtype=bool)
    return [name for name in dict.fromkeys(np.array(origin)[part]) if name != CONSTANT]
