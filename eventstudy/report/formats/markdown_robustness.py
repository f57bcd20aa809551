"""What stands beside the answer in Markdown: groups, other weights, families, placebos, a
regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...analysis.cross_section import not_possible
from ...significance import STATISTICS
from ...utility.numbers import (
    LEVEL,
    MISSING,
    clipped,
    count,
    p_is,
    percent,
    pvalue,
    signed,
    span,
    window_text,
)
from ...utility.units import words
from ..content.finished_run import Finished
from ..content.wording import flag_words
from ..html.robustness import ADJUSTED, FAMILIES, MOVED, WEIGHTED, of_groups, weighted_evidence
from .markdown_text import block, items, table

# Parts that name their groups in each row, and those that are of all events whatever the groups.
SPLIT = ("Differences of groups", "Variants of the study")
POOLED = ("Many hypotheses", "CAR on characteristics")


def groups_and_robustness(run: Finished) -> Iterator[str]:
    """Yield the parts, each with its title if it has something to say."""
    parts = {
        "Differences of groups": _differences(run), "Variants of the study": _variants(run),
        "Other weights": _weights(run),
        "Many hypotheses": _families(run), "Without some events": _flagged(run),
        "Placebo studies": _placebos(run), "CAR on characteristics": _regression(run),
    }  # fmt: skip
    told = {title: text for title, text in parts.items() if text}
    if told:
        yield f"## Groups and robustness, over {window_text(run.main)}"
    for title, text in told.items():
        yield f"### {title}"
        yield _of_whom(run, title)
        yield text


def _of_whom(run: Finished, title: str) -> str:
    """Say which events a part is about, where the events are of several groups."""
    if not run.groups or title in SPLIT:
        return ""
    if title in POOLED:
        return f"All {count(run.document['n_used'], 'event')} together, of all groups."
    return f"Of the {block(run.document['text']['subject'])}."


def _records(run: Finished, name: str) -> list[dict[Any, Any]]:
    return run.tables[name].to_dict("records") if name in run.tables else []


def _differences(run: Finished) -> str:
    rows = [
        [
            f"{clipped(d['one'], 60)} minus {clipped(d['other'], 60)}",
            d["method"].replace("_", " "),
            percent(d["difference"], unit=False), span(d["ci_low"], d["ci_high"], unit=False),
            pvalue(d["pvalue"]),
        ]
        for d in _records(run, "differences")
    ]  # fmt: skip
    head = ["Groups", "Method", f"Difference, {words().head}", "95% CI", "p"]
    return table(head, rows, left=2) if rows else ""


def _variants(run: Finished) -> str:
    rows = [
        [
            clipped(v["variant"], 40)
            + f": {clipped(v['group'] or 'all events', 30)}" * bool(run.groups),
            clipped("; ".join(filter(None, (v["settings"], v["reason"])))),
            f"[{v['start']}, {v['stop']}]",
            STATISTICS[v["test"]].label if v["test"] else MISSING, f"{v['n_events']:,}",
            percent(v["estimate"], unit=False), span(v["ci_low"], v["ci_high"], unit=False),
            pvalue(v["pvalue"]),
        ]
        for v in _of_groups(run)
    ]  # fmt: skip
    head = ["Variant", "Settings", "Window", "Test", "N", f"Effect, {words().head}", "95% CI", "p"]
    return table(head, rows, left=4) if rows else ""


def _of_groups(run: Finished) -> list[dict[Any, Any]]:
    table = run.tables.get("variants")
    return [] if table is None else of_groups(table, run.groups).to_dict("records")


def _weights(run: Finished) -> str:
    rows = [
        [
            WEIGHTED.get(r["weights"], r["weights"]), r["reason"], f"{r['n_events']:,}",
            percent(r["estimate"], unit=False), *weighted_evidence(r),
        ]
        for r in run.at_main(run.beside("aggregates")).to_dict("records")
    ]  # fmt: skip
    head = ["Weights", "Remark", "N", f"Mean CAR, {words().head}", "95% CI", "p"]
    return table(head, rows, left=2) if rows else ""


def _families(run: Finished) -> str:
    if "families" not in run.tables:
        return ""
    rows = []
    for name, part in run.tables["families"].groupby("family", sort=False):
        known = part[part["pvalue"].notna()]
        label = FAMILIES.get(str(name), str(name)).format(main=window_text(run.main))
        small = (
            f"{int((known[m] < LEVEL).sum()):,}"
            if m in known and known[m].notna().any()
            else MISSING
            for m in ("pvalue", *ADJUSTED)
        )  # fmt: skip
        rows.append([label, f"{len(known):,}", *small])
    rows = [row for row in rows if row[1] != "0"]
    return table(["Family", "Tests", f"p < {LEVEL:g}", *ADJUSTED.values()], rows) if rows else ""


def _flagged(run: Finished) -> str:
    found = run.at_main(run.beside("without_flagged"))
    if found.empty:
        return ""
    rows = [
        [
            f"without {clipped(flag_words(r['left_out']), 60)}", STATISTICS[r["test"]].label,
            f"{r['n_events']:,}", percent(r["weighted_caar"], unit=False), pvalue(r["pvalue"]),
        ]
        for r in found.drop_duplicates("left_out").to_dict("records")
    ]  # fmt: skip
    return table(["Events", "Test", "N", f"Effect, {words().head}", "p"], rows, left=2)


def _placebos(run: Finished) -> str:
    return items(_placebo(row) for row in run.beside("placebo").to_dict("records"))


def _placebo(row: dict[Any, Any]) -> str:
    if not np.isfinite(row["pvalue"]):
        return f"{row['kind']}: {row['reason']}."
    moved = MOVED[row["kind"]].format(n=f"{row['draws']:,}")
    label = f"{STATISTICS[row['test']].label} {signed(row['statistic'])}"
    return f"Rank of {label} among {moved}: {p_is(row['pvalue'])}."


def _regression(run: Finished) -> str:
    found = _records(run, "regression")
    if not found:
        return ""
    if why := not_possible(run.tables["regression"]):
        return items([f"CAR on {clipped(found[0]['term'], 60)}: {why}"])
    p = "wild_pvalue" if "wild_pvalue" in found[0] else "pvalue"
    rows = [
        [
            clipped(t["term"], 60), f"{t['estimate']:+.4g}", f"{t['se']:.4g}",
            signed(t["statistic"]),
            pvalue(t[p]),
        ]
        for t in found
    ]  # fmt: skip
    first = found[0]
    sample = f"{first['n_events']} events on {first['n_dates']} dates"
    about = f"{sample}, errors {first['errors']}, R² {first['r2']:.2f}"
    notes = [about, *filter(None, str(first["notes"]).split("; "))]
    return f"{table(['Term', 'Estimate', 'SE', 't', 'p'], rows)}\n\n{items(notes)}"
