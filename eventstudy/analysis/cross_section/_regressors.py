"""Regressors from columns of the events: their cells, terms, names, and whether they are apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...utility import BoolArray, FloatArray
from ...words import clipped, make_error
from ._car_errors import NotPossibleError

# How files write a missing number; in a column of text only an empty cell is missing.
MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")
CONSTANT = "const"
COLLINEAR = 1e-10
LONGEST_LABEL = 60
# A factor of a term with a level, such as ``C(sector)[T.oil]``.
_LEVEL = re.compile(r"(?P<factor>.+?)\[(?:[TS]\.)?(?P<level>.*)\]", re.DOTALL)
_FUNCTION = re.compile(r"np\.(\w+)\((.*)\)", re.DOTALL)
_QUOTED = re.compile(r"""Q\((["'])(.*)\1\)""", re.DOTALL)
# The step of a number in the words of the user: ``Return before, per 10%``.
_STEP = re.compile(r"per\s+([\d.,]*\d)\s*(%?)")

Kind = Literal["constant", "class", "number"]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Term:
    """One regressor, and what it is called.

    Attributes
    ----------
    name : str
        As in the formula; ``const`` for the constant.
    columns : tuple of str
        The columns of the events that are in it.
    label : str
        In words.
    kind : {"constant", "class", "number"}
    base : str
        The class with which it is compared; "" for all others.
    count : int
        Events of the class; of a number those where it is not zero.
    smallest : int
        Events of the smaller class that its coefficient compares; all events for a number.
    step : float
        The change of a number whose effect tables show.
    per : str
        That change in words; "" for a class.
    """

    name: str
    columns: tuple[str, ...]
    label: str
    kind: Kind
    base: str
    count: int
    smallest: int
    step: float = 1.0
    per: str = ""


@dataclass(frozen=True, eq=False)
class Design:
    """Regressors X (n, k), their terms, and notes on them."""

    X: FloatArray
    terms: tuple[Term, ...]
    notes: tuple[str, ...] = ()

    @property
    def slopes(self) -> list[int]:
        """The places of the terms but the constant; of a constant alone its own."""
        return [i for i, term in enumerate(self.terms) if term.name != CONSTANT] or [0]


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
        raise make_error(NotPossibleError, "wrong.mixed", where=column, value=text[odd].iloc[0])
    return text, (text == "").to_numpy()


def name_terms(
    names: Sequence[str], X: FloatArray, cells: Mapping[str, pd.Series], labels: Labels
) -> tuple[Term, ...]:
    """Return the terms of a design.

    Parameters
    ----------
    names : sequence of k str
        Of the columns of `X`, as a formula makes them.
    X : (n, k) float array
    cells : mapping of str to (n,) Series
        The columns of the events in the formula.
    labels : mapping of str to str
        Words of the user for a column, or for one class of it (``sector=oil``). Words that end in
        ", per 10%" set the step of a number.

    Returns
    -------
    tuple of Term
    """
    parsed = [[_read_factor(text, cells) for text in _split(name)] for name in names]
    pairs = zip(names, parsed, X.T, strict=True)
    return tuple(_name_term(name, factors, x, cells, labels, parsed) for name, factors, x in pairs)


@dataclass(frozen=True)
class _Factor:
    """One factor of a term: a column and what is done with it, and a level if it has levels."""

    column: str
    text: str
    level: str | None = None

    def label(self, labels: Labels) -> str:
        words = labels.get(self.column, self.text.replace("_", " "))
        if self.level is None:
            return words
        words = words.partition(", per ")[0]
        named = words if self.level == "True" else f"{words}: {self.level}"
        return labels.get(f"{self.column}={self.level}", named)


def _split(name: str) -> list[str]:
    """Return the factors of a term: colons in brackets and quotation marks part nothing."""
    factors, depth, quote = [""], 0, ""
    for letter in name:
        if quote or letter in "\"'":
            quote = "" if letter == quote else quote or letter
        depth += 0 if quote else (letter in "([") - (letter in ")]")
        if letter == ":" and not depth and not quote:
            factors.append("")
        else:
            factors[-1] += letter
    return factors


def _read_factor(text: str, cells: Mapping[str, pd.Series]) -> _Factor:
    match = _LEVEL.fullmatch(text)
    factor, level = (match["factor"], match["level"]) if match else (text, None)
    if factor.startswith("C("):
        factor = re.split(r",\s*(?:Treatment|Sum|reference|levels)", factor[2:-1])[0].strip()
    if quoted := _QUOTED.fullmatch(factor):
        factor = quoted[2]
    column = factor
    if function := _FUNCTION.fullmatch(factor):
        inside = _read_factor(function[2], cells)
        factor, column = f"{function[1]} of {inside.text}", inside.column
    elif factor not in cells:
        inside_names = [name for name in cells if re.search(rf"\b{re.escape(name)}\b", factor)]
        column = ", ".join(inside_names)
        factor = re.sub(r"^I\((.*)\)$", r"\1", factor)
    return _Factor(column, factor, level)


def _name_term(
    name: str, factors: Sequence[_Factor], x: FloatArray, cells: Mapping[str, pd.Series],
    labels: Labels, all_factors: Sequence[Sequence[_Factor]],
) -> Term:  # fmt: skip
    n = len(x)
    count = int((x != 0).sum())
    values = np.unique(x)
    columns = tuple(factor.column for factor in factors)
    label = clipped(" × ".join(factor.label(labels) for factor in factors), LONGEST_LABEL)
    if name == CONSTANT:
        return Term(name, (), labels.get(CONSTANT, ""), "constant", "", n, n)
    smallest = n
    if any(factor.level is not None for factor in factors):
        smallest = count
    elif len(values) == 2:
        smallest = int(min(count, (x == values[0]).sum(), (x == values[1]).sum()))
    if not np.isin(values, (0, 1)).all():
        label, step, per = _find_step(label, x[x != 0])
        return Term(name, columns, label, "number", "", count, smallest, step, per)
    base, n_base = "", n - count
    if len(factors) == 1 and factors[0].level is not None:
        base, n_base = _find_base(factors[0], cells, all_factors, n_base)
        base = base and _Factor(factors[0].column, factors[0].text, base).label(labels)
    return Term(name, columns, label, "class", base, count, min(count, n_base))


def _find_base(
    factor: _Factor, cells: Mapping[str, pd.Series], all_factors: Sequence[Sequence[_Factor]],
    n_else: int,
) -> tuple[str, int]:  # fmt: skip
    """Return the level with which those of a column are compared, and its events."""
    if factor.column not in cells:
        return "", n_else
    counts = cells[factor.column].astype(str).value_counts()
    with_term = {
        factors[0].level for factors in all_factors
        if len(factors) == 1 and factors[0].column == factor.column
    }  # fmt: skip
    bases = [level for level in counts.index if level not in with_term]
    return (bases[0], int(counts[bases[0]])) if len(bases) == 1 else ("", n_else)


def _find_step(label: str, values: FloatArray) -> tuple[str, float, str]:
    """Return label, step and words of a number: the user's step, or a power of ten near its sd."""
    words, comma, per = label.partition(", per ")
    if comma:
        number = _STEP.match(f"per {per}")
        step = float(number[1].replace(",", "")) if number else 1.0
        return words, step / 100 if number and number[2] else step, f"per {per}"
    sd = float(values.std())
    step = float(10.0 ** np.round(np.log10(sd))) if sd > 0 else 1.0
    return label, step, f"per {100 * step:g}%" if step < 1 else f"per {step:,.0f}"


def require_variation(cells: Mapping[str, Any]) -> None:
    """Raise NotPossibleError for a column with one value.

    Parameters
    ----------
    cells : mapping of str to Series
        Columns of the events without missing values.
    """
    for name, values in cells.items():
        value = values.iloc[0]
        if (values == value).all():
            text = f"{value:g}" if pd.api.types.is_number(value) else value
            raise make_error(NotPossibleError, "wrong.one_value", where=name, value=text)


def require_rank(X: FloatArray, terms: Sequence[Term]) -> None:
    """Raise NotPossibleError for collinear regressors, and name all columns that take part.

    Parameters
    ----------
    X : (n, k) float array
    terms : sequence of k Term
    """
    # More columns than events are collinear whatever they hold: the caller refuses them.
    if X.shape[1] <= len(X) and (guilty := _collinear(X, [term.name for term in terms])):
        raise make_error(NotPossibleError, "wrong.collinear", value=", ".join(guilty))


def _collinear(X: FloatArray, origin: list[str]) -> list[str]:
    """Return the columns of the events in an exact linear relation, without the constant."""
    length = np.sqrt((X**2).sum(axis=0))
    scaled = X / np.where(length > 0, length, 1.0)
    _, s, vectors = np.linalg.svd(scaled, full_matrices=True)
    values = np.r_[s, np.zeros(X.shape[1] - len(s))]
    null = np.abs(vectors[values < COLLINEAR * values[0]])
    involved = (null > 1e-6).any(axis=0) if len(null) else np.zeros(X.shape[1], dtype=bool)
    return [name for name in dict.fromkeys(np.array(origin)[involved]) if name != CONSTANT]
