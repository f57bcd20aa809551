"""Regressors from columns of the events: numbers as they are, text as dummies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import NotPossibleError
from ..utility.typing import BoolArray, FloatArray

# How files write a missing number; in a column of text only an empty cell is missing.
MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")
CONSTANT = "const"
COLLINEAR = 1e-10


@dataclass(frozen=True, eq=False)
class Design:
    """Regressors X (n, k), the constant first; their terms and columns, and notes on dummies."""

    X: FloatArray
    terms: tuple[str, ...]
    origin: tuple[str, ...]
    notes: tuple[str, ...]


def cells_of(cells: pd.Series, column: str) -> tuple[pd.Series, BoolArray]:
    """Return a column as numbers, or as text if it holds any text, and which cells are missing.

    Parameters
    ----------
    cells : (n,) Series
    column : str
        Its name, for errors.

    Returns
    -------
    Series, (n,) bool array

    Raises
    ------
    NotPossibleError
        If numbers and text are mixed.
    """

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
        remedy = "leave the cell empty if it is missing, or let every cell hold text"
        reason, cell = "a column that mixes numbers and text", text[odd].iloc[0]
        raise NotPossibleError(reason, where=column, value=cell, remedy=remedy)
    return text, (text == "").to_numpy()


def design_of(columns: Sequence[tuple[str, pd.Series]], n: int) -> Design:
    """Return the regressors of n complete events.

    The first level of a column of text, in alphabetical order, is the base: it has no dummy.

    Parameters
    ----------
    columns : sequence of (str, Series)
        Names and cells, without missing ones.
    n : int

    Returns
    -------
    Design

    Raises
    ------
    NotPossibleError
        If a column has one value, or the regressors are collinear: all columns that take part are
        named.
    """
    regressors, terms, origin, notes = [np.ones(n)], [CONSTANT], [CONSTANT], []
    for name, cells in columns:
        if pd.api.types.is_float_dtype(cells):
            if np.ptp(cells.to_numpy()) == 0:
                raise _constant(name, f"{cells.iloc[0]:g}")
            values = {name: cells.to_numpy()}
        else:
            base, *levels = sorted(cells.unique())
            if not levels:
                raise _constant(name, base)
            dummies = {level: (cells == level).to_numpy(float) for level in levels}
            values = {f"{name}: {k} (base {base})": v for k, v in dummies.items()}
            notes.append(f"{name}: dummies against {base!r}")
        regressors += values.values()
        terms += values
        origin += [name] * len(values)
    X = np.column_stack(regressors)
    require_rank(X, origin)
    return Design(X, tuple(terms), tuple(origin), tuple(notes))


def _constant(column: str, value: str) -> NotPossibleError:
    message = "a column with one value explains nothing"
    return NotPossibleError(message, where=column, value=value, remedy="leave the column out")


def require_rank(X: FloatArray, origin: list[str]) -> None:
    """Raise NotPossibleError for collinear regressors, and name all columns that take part.

    Parameters
    ----------
    X : (n, k) float array
    origin : list of k str
        The column of each.
    """
    # More columns than events are collinear whatever they hold: the caller refuses them.
    if X.shape[1] <= len(X) and (guilty := _collinear(X, origin)):
        reason, remedy = "the regressors are collinear", "leave one of these columns out"
        raise NotPossibleError(reason, value=", ".join(guilty), remedy=remedy)


def _collinear(X: FloatArray, origin: list[str]) -> list[str]:
    """Return the columns of the events in an exact linear relation, without the constant."""
    length = np.sqrt((X**2).sum(axis=0))
    scaled = X / np.where(length > 0, length, 1.0)
    _, s, vectors = np.linalg.svd(scaled, full_matrices=True)
    values = np.r_[s, np.zeros(X.shape[1] - len(s))]
    null = np.abs(vectors[values < COLLINEAR * values[0]])
    involved = (null > 1e-6).any(axis=0) if len(null) else np.zeros(X.shape[1], dtype=bool)
    return [name for name in dict.fromkeys(np.array(origin)[involved]) if name != CONSTANT]
