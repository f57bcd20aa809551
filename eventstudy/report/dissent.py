"""Which tests disagree with the one that leads, and what to think of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..analysis.verdicts import RECOMMENDED
from ..pvalues import p_is, pvalue
from ..significance import STATISTICS
from .facts import Cell
from .measures import words
from .wording import in_type, listed, number_word, reason_text, short_reason


def of_mean(cell: Cell) -> bool:
    """Tell whether the test is one of the mean CAR."""
    return STATISTICS[cell.result.name].about_mean


def dissenters(recommended: str, tests: Mapping[str, Cell], level: float) -> list[Cell]:
    """Return the tests whose verdict differs from that of the recommended one."""
    main = tests[recommended].result
    if main.reason:
        return []
    return [
        cell
        for name, cell in tests.items()
        if name != recommended
        and not cell.result.reason
        and (cell.result.pvalue < level) != (main.pvalue < level)
    ]


def dissent(recommended: str, tests: Mapping[str, Cell], level: float, named: list[str]) -> list[str]:
    """Name the tests that differ, by what to think of them; `named` are spoken of elsewhere."""
    if tests[recommended].result.reason:
        return []
    others = [c for c in dissenters(recommended, tests, level) if c.result.name not in named]
    rejects = tests[recommended].result.pvalue < level
    bracketed = [c for c in tests.values() if not c.valid and np.isfinite(c.result.pvalue)]
    weak = [c for c in bracketed if (c.result.pvalue < level) != rejects and c.result.name not in named]
    beside = [c for c in others if c.valid and of_mean(c) and c.trust != RECOMMENDED]
    elsewhere = [c for c in others if c.valid and not of_mean(c)]
    out = []
    if weak:
        side = "≥" if rejects else "<"
        many = _of_brackets(len(weak), len(bracketed))
        verb, are, they = ("gives", "is", "it") if len(weak) == 1 else ("give", "are", "they")
        out.append(
            f"{many} {verb} p {side} {level:g} for this window ({_named(weak)}); {they} {are} not to be "
            f"relied on here: {_why(weak)}."
        )
    if beside:
        are, find = ("is", "finds") if len(beside) == 1 else ("are", "find")
        one = "a" if beside[0].result.pvalue < level else "no"
        out.append(f"{_with_p(beside)} {are} usable here too and {find} {one} difference from zero.")
    if elsewhere:
        nulls = "; ".join(dict.fromkeys(words().say(STATISTICS[c.result.name].null) for c in elsewhere))
        verb, they = ("disagrees", "it tests") if len(elsewhere) == 1 else ("disagree", "they test")
        out.append(f"{_with_p(elsewhere)} {verb}; {they} another hypothesis: {nulls}.")
    return out


def _of_brackets(n: int, total: int) -> str:
    """Return which of the tests in brackets: ``Of the six tests in brackets two``."""
    if total == 1:
        return "The one test in brackets"
    if n == total:
        return f"{'Both' if n == 2 else f'All {number_word(n)}'} tests in brackets"
    return f"Of the {number_word(total)} tests in brackets {number_word(n)}"


def _with_p(group: list[Cell]) -> str:
    return listed(f"{STATISTICS[c.result.name].label} ({p_is(c.result.pvalue)})" for c in group)


def _named(group: list[Cell]) -> str:
    return ", ".join(f"{STATISTICS[c.result.name].label} {pvalue(c.result.pvalue)}" for c in group)


def _why(group: list[Cell]) -> str:
    """Say what speaks against which tests; those with the same faults are named together."""
    by_fault: dict[str, list[str]] = {}
    for cell in group:
        own = [reason_text(cell.result.reason)] * bool(cell.result.reason)
        fault = in_type(short_reason("; ".join([*own, *cell.faults])))
        by_fault.setdefault(fault, []).append(STATISTICS[cell.result.name].label)
    if len(by_fault) == 1:
        return next(iter(by_fault))
    return "; ".join(f"{why} ({listed(names)})" for why, names in by_fault.items())
