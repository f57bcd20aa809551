"""The groups side by side, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...analysis.answer import DIFFERENT, NOT_DIFFERENT, PROVISIONAL
from ...analysis.caar_path import Path95
from ...findings.samples import Sample
from ...findings.types import Findings
from ...significance import STATISTICS
from ...utility.catalogue import say
from ...utility.numbers import LEVEL, capitalised, clipped, listed, number_word, p_is, span
from ...utility.units import words
from .path import events_between
from .top import SHOWN_GROUPS
from .windows import WindowsTable, windows_table

# In the order of preference; the interval is that of the first that has one.
METHODS = ("date_clustered", "welch", "permutation")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group: its name, answer, label of its main test, and a remark beneath the name."""

    name: str
    sample: Sample
    test: str
    remark: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """The difference of two groups.

    Attributes
    ----------
    pair : str
    n_one, n_other : int
    difference, ci_low, ci_high : float
        Decimal returns.
    pvalues : dict of str to float
        By method.
    reason : str
    """

    pair: str
    n_one: int
    n_other: int
    difference: float
    ci_low: float
    ci_high: float
    pvalues: dict[str, float]
    reason: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The path of one group."""

    caption: str
    path: Path95


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups side by side, their differences, and the tests of all but the first."""

    rows: list[GroupRow]
    lede: str
    panels: list[Panel]
    note: str
    differences: list[DifferenceRow]
    tests: list[WindowsTable]


def group_section(findings: Findings) -> Groups | None:
    """Return the groups; None for fewer than two."""
    groups = findings.groups
    if len(groups) < 2:
        return None
    differences = difference_rows(findings)
    panels = [
        Panel(f"{clipped(sample.group, 60)}, {events_between(sample.path)}", sample.path)
        for sample in groups[:SHOWN_GROUPS]
        if sample.path is not None
    ]
    panels = [Panel(panel.caption, panel.path.beside_others()) for panel in panels]
    return Groups(
        rows=group_rows(findings),
        lede=" ".join(filter(None, (_lede(findings), _differ(differences)))),
        panels=panels,
        note=_note(findings, panels),
        differences=differences,
        tests=[windows_table(findings, sample) for sample in groups[1:]],
    )


def group_rows(findings: Findings) -> list[GroupRow]:
    """Return a row for each group, that of the answer first."""
    rows = []
    for sample in findings.groups:
        result = sample.answer
        why = say("groups.provisional") if result.verdict == PROVISIONAL else str(result.reason)
        label = STATISTICS[result.test].label
        remark = f"{capitalised(why)}." if why else ""
        rows.append(GroupRow(clipped(sample.group, 80), sample, label, remark))
    return rows


def difference_rows(findings: Findings) -> list[DifferenceRow]:
    """Return a row for each pair of groups, with the interval of the best method that has one."""
    table = findings.tables.get("differences")
    if table is None or table.empty:
        return []
    rows = []
    for (one, other), pair in table.groupby(["one", "other"], sort=False):
        with_interval = pair[pair["ci_low"].notna()]
        first: Any = (with_interval if len(with_interval) else pair).iloc[0]
        rows.append(
            DifferenceRow(
                pair=say("groups.pair", one=clipped(one, 60), other=clipped(other, 60)),
                n_one=int(first["n_one"]),
                n_other=int(first["n_other"]),
                difference=float(first["difference"]),
                ci_low=float(first["ci_low"]),
                ci_high=float(first["ci_high"]),
                pvalues=dict(zip(pair["method"], pair["pvalue"].astype(float), strict=True)),
                reason=str(_tested(pair)["reason"]),
            )
        )
    return rows


def _tested(pair: pd.DataFrame) -> Any:
    """Return the row of the first method that has a p-value."""
    tested_rows = pair[pair["pvalue"].notna()]
    return (tested_rows if len(tested_rows) else pair).iloc[0]


def _differ(rows: list[DifferenceRow]) -> str:
    """Return whether the first two groups differ; "" where no method says it."""
    if not rows:
        return ""
    row = rows[0]
    method = next((m for m in METHODS if row.pvalues.get(m) == row.pvalues.get(m)), "")
    p = row.pvalues.get(method)
    if p is None:
        return ""
    interval = f"95% CI {span(row.ci_low, row.ci_high)}, " if pd.notna(row.ci_low) else ""
    test = f"{interval}{say(f'groups.{method}')} {p_is(p)}"
    code = "groups.differ" if p < LEVEL else "groups.not_differ"
    sentence = say(code, pair=row.pair, value=row.difference, test=test)
    return f"{sentence} {capitalised(row.reason)}." if row.reason else sentence


def _lede(findings: Findings) -> str:
    """Return which of the groups moved."""
    verdicts = {clipped(s.group, 60): s.answer.verdict for s in findings.groups}
    decided = [name for name, v in verdicts.items() if v in (DIFFERENT, NOT_DIFFERENT)]
    changed = [name for name in decided if verdicts[name] == DIFFERENT]
    n, main = len(decided), findings.setup.main
    if not decided:
        kind = "early" if PROVISIONAL in verdicts.values() else "none"
        return say(f"groups.{kind}", main=main)
    several = "several" if n > 1 else "one"
    facts = {"n": n, "main": main, "name": decided[0]}
    if not changed:
        return say(f"groups.no_move_{several}", **facts)
    return say(
        f"groups.move_{several}", k=number_word(len(changed)), names=listed(changed), **facts
    )


def _note(findings: Findings, panels: list[Panel]) -> str:
    """Return what the panels show, where they have no band, and which groups have no panel."""
    total, drawn = len(findings.groups), len(panels)
    banded = any(panel.path.has_band for panel in panels)
    notes = [
        say(
            "groups.panels_banded" if banded else "groups.panels",
            axis=words().axis,
            main=findings.setup.main,
        )
    ]
    if any(panel.path.has_gap for panel in panels):
        notes.append(say("path.no_band", least=5))
    if total > drawn:
        notes.append(say("groups.first_drawn", drawn=drawn, total=total))
    return " ".join(notes)
