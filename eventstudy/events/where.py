"""Where-expressions: the events that a text such as ``direction == 'adverse'`` means."""

from __future__ import annotations

import ast
import datetime as dt
import operator
import re
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ConfigError
from ..files import number_of
from ..utility import BoolArray, Flag, did_you_mean
from ..words import make_error

LONGEST, LISTS = 500, (tuple, list)
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.NotEq: lambda a, b: a < b or a > b,
}  # fmt: skip
# Flags that say how day 0 was chosen, or what came out, and point at no issue of the data.
NEUTRAL = frozenset({Flag.DAY0_GIVEN, Flag.TIME_UNKNOWN, Flag.BELOW_TOTAL_LOSS})
# What can be said of an event without a comparison, beside its flags.
MARKS = {
    "flagged": frozenset(Flag) - NEUTRAL, "halted": {Flag.HALT_SHIFTED, Flag.MULTI_DAY_RETURN},
    "repeated": frozenset[Flag](), **{str(flag): {flag} for flag in Flag},
}  # fmt: skip


def rows_where(table: pd.DataFrame, text: str) -> BoolArray:
    """Return which events a where-expression means, shape (n,).

    Parameters
    ----------
    table : DataFrame
        The n events of a study, with their status and flags.
    text : str
        Comparisons (``== != < <= > >= in``) of columns, texts and numbers, and marks (``flagged``,
        ``halted``, ``repeated``, or the name of a flag), joined by ``and``, ``or`` and ``not``;
        ``without flagged`` is ``not flagged``. "" means all events.

    Returns
    -------
    (n,) bool array

    Raises
    ------
    ConfigError
        For what is no such expression, or a column that there is not.

    Notes
    -----
    Against a number a cell counts as a number, and one that is none (a blank one too) meets no
    comparison, ``!=`` neither. All else is compared as text, dates as ``YYYY-MM-DD``. Nothing of
    the text is executed.
    """
    source = re.sub(r"^\s*without\s+", "not ", text).strip()
    if len(source) > LONGEST:
        raise make_error(ConfigError, "where.long", value=f"{source[:40]} ...", most=LONGEST)
    if not source:
        return np.ones(len(table), dtype=bool)
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise make_error(ConfigError, "where.syntax", value=text) from None
    return _rows(tree, table)


def _refused(node: ast.AST) -> ConfigError:
    return make_error(ConfigError, "where.refused", value=ast.unparse(node))


def _rows(node: ast.expr, table: pd.DataFrame) -> BoolArray:
    if isinstance(node, ast.BoolOp):
        joined = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return np.asarray(joined.reduce([_rows(operand, table) for operand in node.values]))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_rows(node.operand, table)
    if isinstance(node, ast.Name):
        return _marked(table, node.id)
    if not isinstance(node, ast.Compare):
        raise _refused(node)
    sides = [_side(side, table) for side in (node.left, *node.comparators)]
    pairs = zip(sides, node.ops, sides[1:], strict=False)
    met = [_met(node, op, left, right, len(table)) for left, op, right in pairs]
    return np.asarray(np.logical_and.reduce(met))


def _marked(table: pd.DataFrame, mark: str) -> BoolArray:
    """Return which events have a flag, or are not the first used one of their firm."""
    if mark not in MARKS:
        hint = did_you_mean(mark, MARKS)
        raise make_error(ConfigError, "where.no_mark", value=mark, hint=hint, mark=mark)
    if mark == "repeated":
        used = table[table["status"] == "ok"].sort_values("day0", kind="stable")
        return np.isin(table.index, used.index[used["ticker"].duplicated()])
    return np.array([not MARKS[mark].isdisjoint(Flag.of(cell)) for cell in table["flags"]], bool)


def _side(node: ast.expr, table: pd.DataFrame) -> Any:
    """Return a side of a comparison: a column, a text, a number or a list of them."""
    if isinstance(node, ast.Name):
        if node.id not in table:
            names = list(map(str, table.columns))
            hint = did_you_mean(node.id, names) or f"put text in quotes: {node.id!r};"
            raise make_error(ConfigError, "where.no_column", value=node.id, hint=hint, names=names)
        return table[node.id]
    try:
        side = ast.literal_eval(node)
    except (ValueError, TypeError):
        raise _refused(node) from None
    if any(type(m) not in (str, int, float) for m in (side if type(side) in LISTS else [side])):
        raise _refused(node)
    return side


def _met(node: ast.Compare, op: ast.cmpop, left: Any, right: Any, n: int) -> BoolArray:
    """Return which of n events meet a comparison."""
    if isinstance(op, (ast.In, ast.NotIn)) and type(right) in LISTS:
        is_in = isinstance(op, ast.In)
        each = [_met(node, ast.Eq() if is_in else ast.NotEq(), left, m, n) for m in right]
        return np.asarray((np.any if is_in else np.all)([np.full(n, not is_in), *each], axis=0))
    if type(op) not in COMPARISONS or type(left) in LISTS or type(right) in LISTS:
        raise _refused(node)
    for side, date in ((left, right), (right, left)):
        if isinstance(date, str) and not np.isscalar(side) and side.dtype.kind == "M":
            _require_date(date)
    read = number_of if _is_number(left) or _is_number(right) else _text
    cells = (repeat(side, n) if np.isscalar(side) else side for side in (left, right))
    pairs = zip(*(map(read, column) for column in cells), strict=True)
    return np.fromiter((COMPARISONS[type(op)](a, b) for a, b in pairs), bool, n)


def _require_date(text: str) -> None:
    """Refuse a text that is no date, nor the year or month of one, nor blank."""
    if not text:
        return
    try:
        dt.date.fromisoformat(f"{text}{'-01-01'[len(text) - 4 :]}")
    except ValueError:
        raise make_error(ConfigError, "wrong.not_date", value=text) from None


def _is_number(side: Any) -> bool:
    """Return whether a side is a number, or a column of numbers."""
    return not isinstance(side, str) and (np.isscalar(side) or side.dtype.kind in "iuf")


def _text(cell: Any) -> str:
    if cell is None or cell != cell:
        return ""
    return f"{cell:%Y-%m-%d}" if isinstance(cell, dt.date) else str(cell)
