"""Groups of events beside each other: which of them moved, and how their means differ."""

from __future__ import annotations

import numpy as np

from ...analysis.answer import DIFFERENT, NOT_DIFFERENT, PROVISIONAL
from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import clipped, listed, number_word, percent, pvalue, span
from ...utility.units import words
from .table import Row, Table, make_table


def differences_table(findings: Findings) -> Table | None:
    """Return the mean difference of each pair of groups with two p-values; None without any.

    The interval is that of the first method that has one.
    """
    table = findings.tables.get("differences")
    if table is None or table.empty:
        return None
    rows = []
    for (one, other), pair in table.groupby(["one", "other"], sort=False):
        with_interval = pair[pair["ci_low"].notna()]
        numbers = (with_interval if len(with_interval) else pair).iloc[0]
        name = say("groups.pair", one=clipped(one, 60), other=clipped(other, 60))
        pvalues = pair.set_index("method")["pvalue"].astype(float)
        rows.append(Row((
            name, percent(numbers["difference"], unit=False),
            span(numbers["ci_low"], numbers["ci_high"], unit=False),
            *(pvalue(pvalues.get(method, np.nan)) for method in ("date_clustered", "welch")),
        )))  # fmt: skip
    return make_table("folds.differences", "tnNnN", rows, unit=words().head)


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
    facts = {"n": n, "main": main, "name": decided[0]}
    if not changed:
        return say(f"groups.no_move_{several}", **facts)
    moved = {"k": number_word(len(changed)), "names": listed(changed)}
    return say(f"groups.move_{several}", **facts, **moved)
