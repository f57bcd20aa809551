"""The path of the mean abnormal return around day 0, and groups beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...analysis.answer import DIFFERENT, NOT_DIFFERENT, PROVISIONAL
from ...analysis.caar_path import Path95
from ...analysis.implied_path import Surroundings
from ...findings.types import Findings, Sample, WindowFinding
from ...utility.catalogue import say
from ...utility.numbers import (
    LEVEL,
    capitalised,
    clipped,
    listed,
    number_word,
    p_is,
    p_prose,
    percent,
    span,
)
from ...utility.units import words
from .answer import name_sample, write_full_interval

# Tests of a difference in the order of preference; the interval is that of the first that has one.
METHODS = ("date_clustered", "welch", "permutation")


@dataclass(frozen=True, slots=True)
class PathSection:
    """The path of the events of the answer.

    Attributes
    ----------
    lede, caption, note : str
    path : Path95
    """

    lede: str
    caption: str
    note: str
    path: Path95


def path_section(findings: Findings) -> PathSection | None:
    """Return the path of the events of the answer in words; None if no event was used."""
    sample = findings.sample
    path, n = sample.path, sample.n_used
    if path is None:
        return None
    facts = {"path": path_name(findings, sample), "datum": words().what or "return"}
    caption = say("path.caption", first=int(path.days[0]), **facts)
    notes = ["" if n == 1 else say("path.mean") + " " + words().say(say("path.day_mean"))]
    if sample.at_limit:
        notes.append(say("path.at_limit", n=sample.at_limit))
    lede = [describe_path(sample), *_describe_around(sample.around, sample.answer.verdict)]
    return PathSection(" ".join(lede), caption, " ".join(filter(None, notes)), path)


def _describe_around(around: Surroundings | None, verdict: str) -> Iterator[str]:
    """Yield what share of the move came before, and what became of it, where that is known."""
    if around is None or verdict != DIFFERENT:
        return
    share, low, high = around.run_up_share
    if np.isfinite(low) and low > 0:
        yield say("path.run_up", share=share, low=low, high=high)
        if around.first_day_pvalue < LEVEL:
            yield say("path.run_up_from", first=around.first_day, p=around.first_day_pvalue)
    share, low, high = around.drift_share
    if np.isfinite(low) and (high < 0 or low > 0):
        ends = sorted((abs(low), abs(high)))
        code = "path.reversal" if share < 0 else "path.drift"
        yield say(code, share=abs(share), low=ends[0], high=ends[1])


def path_name(findings: Findings, sample: Sample) -> str:
    """Return the name of the line of a sample, such as ``CAAR of 11 adverse announcements``.

    Parameters
    ----------
    findings : Findings
    sample : Sample

    Returns
    -------
    str
    """
    if sample.n_used == 1:
        return say("path.of_one", firm=sample.firm)
    return say("path.of_several", n=sample.n_used, subject=name_sample(findings, sample))


def describe_path(sample: Sample) -> str:
    """Return what the path shows before, on and after day 0, by the main test."""
    before = next((w for w in sample.windows if w.window.stop < 0), None)
    after = next((w for w in sample.windows if w.window.start > 0), None)
    texts = (_shown(before, "before"), _shown(sample.day0, "day0"), _shown(after, "after"))
    total = _total(sample.path, sample.n_used) if sample.path else ""
    return " ".join(filter(None, [*texts, total]))


def _shown(finding: WindowFinding | None, when: str) -> str:
    """Return what one window shows; "" without an estimate."""
    if finding is None or not np.isfinite(finding.answer.effect.estimate):
        return ""
    result = finding.answer
    p = f", {p_prose(result.pvalue)}" if np.isfinite(result.pvalue) else ""
    facts = {
        "value": f"{percent(result.effect.estimate)} ({write_full_interval(result.effect)}{p})",
        "window": finding.window,
    }
    if when == "day0":
        return say("path.day0_extended" if finding.is_extended else "path.day0", **facts)
    return say(f"path.{when}" if result.pvalue < LEVEL else f"path.not_{when}", **facts)


def _total(path: Path95, n_events: int) -> str:
    """Return what the whole path adds up to, and for how many events if not for all."""
    n = int(path.counts[-1])
    ends = {"first": int(path.days[0]), "last": int(path.days[-1])}
    facts = {**ends, "value": float(path.caar[-1]), "n": n, "total": n_events}
    if n == 0:
        return say("path.incomplete", **facts)
    kind = "one" if n_events == 1 else "all" if n == n_events else "some"
    return say(f"path.total_{kind}", **facts)


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups side by side.

    Attributes
    ----------
    lede : str
    differences : list of dict
        Of each pair of groups, see :func:`find_differences`.
    """

    lede: str
    differences: list[dict[str, Any]]


def group_section(findings: Findings) -> Groups | None:
    """Return the groups; None for fewer than two."""
    groups = findings.groups
    if len(groups) < 2:
        return None
    differences = find_differences(findings)
    texts = [group_lede(findings), _differ(differences)]
    return Groups(" ".join(filter(None, texts)), differences)


def find_differences(findings: Findings) -> list[dict[str, Any]]:
    """Return the mean difference of each pair of groups, with its p-value by method.

    The interval is that of the best method that has one.
    """
    table = findings.tables.get("differences")
    if table is None or table.empty:
        return []
    rows = []
    for (one, other), pair in table.groupby(["one", "other"], sort=False):
        numbers = _first_with(pair, "ci_low")
        rows.append({
            "pair": say("groups.pair", one=clipped(one, 60), other=clipped(other, 60)),
            "n_one": int(numbers["n_one"]), "n_other": int(numbers["n_other"]),
            **{name: float(numbers[name]) for name in ("difference", "ci_low", "ci_high")},
            "pvalues": dict(zip(pair["method"], pair["pvalue"].astype(float), strict=True)),
            "reason": str(_first_with(pair, "pvalue")["reason"]),
        })  # fmt: skip
    return rows


def _first_with(rows: pd.DataFrame, column: str) -> Any:
    """Return the first row that has a number in a column, or else the first."""
    having = rows[rows[column].notna()]
    return (having if len(having) else rows).iloc[0]


def _differ(rows: list[dict[str, Any]]) -> str:
    """Return whether the first two groups differ; "" where no method says it."""
    row = rows[0] if rows else {"pvalues": {}}
    method = next((m for m in METHODS if not np.isnan(row["pvalues"].get(m, np.nan))), "")
    if not method:
        return ""
    p, interval = row["pvalues"][method], ""
    if pd.notna(row["ci_low"]):
        interval = f"95% CI {span(row['ci_low'], row['ci_high'])}, "
    test = f"{interval}{say(f'groups.{method}')} {p_is(p)}"
    code = "groups.differ" if p < LEVEL else "groups.not_differ"
    sentence = say(code, pair=row["pair"], value=row["difference"], test=test)
    return f"{sentence} {capitalised(row['reason'])}." if row["reason"] else sentence


def group_lede(findings: Findings) -> str:
    """Return which of the groups moved."""
    verdicts = {clipped(s.group, 60): s.answer.verdict for s in findings.groups}
    decided = [name for name, v in verdicts.items() if v in (DIFFERENT, NOT_DIFFERENT)]
    changed = [name for name in decided if verdicts[name] == DIFFERENT]
    n, main = len(decided), findings.setup.main
    if not decided:
        kind = "early" if PROVISIONAL in verdicts.values() else "none"
        return say(f"groups.{kind}", main=main)
    several = "several" if n > 1 else "one"
    facts: dict[str, Any] = {"n": n, "main": main, "name": decided[0]}
    if not changed:
        return say(f"groups.no_move_{several}", **facts)
    facts |= {"k": number_word(len(changed)), "names": listed(changed)}
    return say(f"groups.move_{several}", **facts)
