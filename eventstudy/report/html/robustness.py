"""The answer seen otherwise: variants, weights, many hypotheses, placebos, a regression of the
CARs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from ...calendars.window import Window
from ...fitting.config import MAIN
from ...significance import STATISTICS
from ...utility.numbers import (
    LEVEL,
    MISSING,
    NBSP,
    clipped,
    count,
    p_is,
    percent,
    pvalue,
    signed,
    span,
)
from ...utility.typing import FloatArray
from ..content.subject import Page
from ..content.wording import in_type, of_number
from ..figures import caar_plots as plots
from ..figures.matplotlib_svg import svg
from .regression import regression

WEIGHTED = {
    "equal": "Plain average", "value": "By market value", "precision": "By precision, 1/Var(CAR)",
}  # fmt: skip
FAMILIES = {
    "events": "Events, each over {main}",
    "days": "Days of the event window",
    "windows": "Windows of the study",
}
ADJUSTED = {"holm": "Holm", "bh": "BH", "by": "BY", "romano_wolf": "Romano-Wolf"}
LARGE = {1e12: "trillion", 1e9: "billion", 1e6: "million"}
MOVED = {
    "dates": "the same study on {n} other dates",
    "firms": "{n} studies with the announcements dealt out anew among the firms and their peers",
}


def robustness(page: Page) -> dict[str, Any] | None:
    """Return what each analysis of the run says; None if there is none."""
    found: dict[str, Any] = {
        "variants": _variants(page), "weights": _weights(page), "money": _money(page),
        "families": _families(page), "placebos": _placebos(page), "regression": regression(page),
    }  # fmt: skip
    if not any(found.values()):
        return None
    return {
        **found, "who": _who(page), "several": len(page.sample) > 1,
        "all": _all(page), "suffix": "_by_group" * bool(page.group),
        "families_lede": _families_lede(page), "families_without": _without_romano_wolf(page),
    }  # fmt: skip


def _who(page: Page) -> str:
    """Name the sample of the answer: ``the 9 adverse announcements``."""
    if not page.group:
        return f"all {count(len(page.results), 'event')}"
    return f"the {of_number(len(page.sample), page.subject)}"


def _all(page: Page) -> str:
    """Say that something is of all groups; "" where there are none."""
    return f"All {count(len(page.results), 'event')} together, of all groups." if page.group else ""


def _over_main(page: Page, name: str) -> pd.DataFrame:
    """Return the rows of the events of the answer over the main window; empty if there is no such
    table."""
    table = page.beside(name)
    if table is None or table.empty:
        return pd.DataFrame()
    return table[(table["start"] == page.main.start) & (table["stop"] == page.main.stop)]


def _variants(page: Page) -> list[dict[str, str]]:
    """Return the study and its variants: who, settings, events, mean CAR, interval, test and p."""
    table = page.tables.get("variants")
    if table is None:
        return []
    rows, of_whom = [], list(page.groups)
    for row in of_groups(table, of_whom).to_dict("records"):
        name = "This study" if row["variant"] == MAIN else clipped(row["variant"], 40)
        window = Window(row["start"], row["stop"])
        settings = [row["settings"], "" if window == page.main else f"over {in_type(str(window))}"]
        first = row["group"] in ("", *of_whom[:1])
        test = STATISTICS[row["test"]].label if row["test"] else ""
        rows.append({
            "name": f"{name}: {clipped(row['group'] or 'all events', 30)}" if of_whom else name,
            "beneath": "; ".join(filter(None, [*settings * first, row["reason"]])),
            "n": f"{row['n_events']:,}", "caar": percent(row["estimate"], unit=False),
            "ci": span(row["ci_low"], row["ci_high"], unit=False), "test": test,
            "p": pvalue(row["pvalue"]),
        })  # fmt: skip
    return rows


def of_groups(table: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return the variants' rows of the groups, in their order.

    A variant that has none of them has the rows of its own groups, if it is split by another
    column, or else that of all events.
    """
    place = {group: i for i, group in enumerate(groups)}
    known = {"", *table.loc[table["variant"] == MAIN, "group"]}
    parts = []
    for _, own in table.groupby("variant", sort=False):
        split = own[own["group"].isin(place)]
        split = split.sort_values("group", key=lambda names: names.map(place), kind="stable")
        others = own[~own["group"].isin(known)]
        parts.append(next((part for part in (split, others) if len(part)), own[own["group"] == ""]))
    return pd.concat(parts)


def _weights(page: Page) -> list[tuple[str, ...]]:
    """Return weights, reason, events, mean CAR, interval and p."""
    return [
        (
            WEIGHTED.get(row["weights"], row["weights"]), row["reason"], f"{row['n_events']:,}",
            percent(row["estimate"], unit=False), *weighted_evidence(row),
        )
        for row in _over_main(page, "aggregates").to_dict("records")
    ]  # fmt: skip


def weighted_evidence(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return interval and p of a weighted mean."""
    return span(row["ci_low"], row["ci_high"], unit=False), pvalue(row["pvalue"])


def _money(page: Page) -> str:
    for row in _over_main(page, "market_value").to_dict("records"):
        if not np.isfinite(row["total"]):
            return ""
        low, total, high = (_amount(row[k]) for k in ("ci_low", "total", "ci_high"))
        ci = f" (95%{NBSP}CI {low} to {high}; {p_is(row['pvalue'])})" * bool(
            np.isfinite(row["pvalue"])
        )
        what = (
            f"The abnormal change of market value of the {count(row['n_events'], 'event')} that "
            "have one"
        )
        return f"{what} is {total} in all{ci}, {_unit(page)}."
    return ""


def _unit(page: Page) -> str:
    sizes = page.results.sizes
    if sizes is None:
        return "in the unit of the column mcap"
    return f"in {sizes.currency} (market values before the window, from {sizes.origin.source})"


def _amount(value: float) -> str:
    """Return an amount of money: ``+950``, ``−43,200``, ``−43.7 billion``."""
    size = abs(value)
    unit, name = next(((u, n) for u, n in LARGE.items() if size >= u), (1.0, ""))
    if not name:
        return signed(value, 0) if size < 1000 else f"{signed(np.sign(value), 0)[0]}{size:,.0f}"
    decimals = max(0, 2 - int(np.log10(size / unit)))
    return f"{signed(value / unit, decimals)}{NBSP}{name}"


def _families(page: Page) -> list[tuple[str, ...]]:
    """Return family, hypotheses, and how many have p below the level raw and adjusted."""
    table = page.tables.get("families")
    if table is None:
        return []
    rows = []
    for name, part in table.groupby("family", sort=False):
        p = part[part["pvalue"].notna()]
        label = FAMILIES.get(str(name), str(name)).format(main=in_type(str(page.main)))
        rows.append((
            label, f"{len(p):,}", f"{int((p['pvalue'] < LEVEL).sum()):,}",
            *(
                f"{int((p[m] < LEVEL).sum()):,}" if p[m].notna().any() else MISSING
                for m in ADJUSTED
            ),
        ))  # fmt: skip
    return [row for row in rows if row[1] != "0"]


def _without_romano_wolf(page: Page) -> str:
    """Say why families of several events to a hypothesis have no p-value of Romano and Wolf."""
    table = page.tables.get("families")
    if table is None or "romano_wolf" not in table:
        return ""
    out = []
    for name, part in table[table["family"] != "events"].groupby("family", sort=False):
        told = part.loc[
            part["romano_wolf"].isna() & part["reason"].str.contains("Romano-Wolf: "), "reason"
        ]
        if len(told) and part["romano_wolf"].isna().all():
            why = told.iloc[0].rpartition("Romano-Wolf: ")[2]
            out.append(f"{FAMILIES.get(str(name), str(name))}: no Romano-Wolf, {why}.")
    return " ".join(out)


def _families_lede(page: Page) -> str:
    """Say how many events have a small p-value on their own, and how many when all are counted."""
    table = page.tables.get("families")
    if table is None:
        return ""
    found = table[(table["family"] == "events") & table["pvalue"].notna()]
    if found.empty:
        return ""
    raw, holm, bh = (int((found[name] < LEVEL).sum()) for name in ("pvalue", "holm", "bh"))
    have, own = ("has", "its own") if raw == 1 else ("have", "their own")
    return (
        f"{raw:,} of {count(len(found), 'event')} {have} p < {LEVEL:g} on {own}, {holm:,} after "
        "Holm, "
        f"{bh:,} after Benjamini and Hochberg."
    )


def _placebos(page: Page) -> list[tuple[str, Markup, Markup]]:
    """Return a sentence and the histogram, wide and narrow, of each kind of placebo study."""
    table, draws = page.beside("placebo"), page.beside("placebo_draws")
    if table is None or draws is None:
        return []
    out = []
    for row in table.to_dict("records"):
        own = draws.loc[draws["kind"] == row["kind"], "statistic"].to_numpy(dtype=float)
        wide, narrow = (_histogram(row, own, width) for width in (plots.WIDE, plots.NARROW))
        out.append((_placebo_said(row), wide, narrow))
    return out


def _placebo_said(row: Mapping[Any, Any]) -> str:
    label = STATISTICS[row["test"]].label
    if not np.isfinite(row["pvalue"]):
        return f"Placebo {row['kind']}: {row['reason']}."
    moved = MOVED[row["kind"]].format(n=f"{row['draws']:,}")
    larger = round(row["pvalue"] * (1 + row["draws"])) - 1
    return (
        f"Against {moved}: {larger:,} of {row['draws']:,} {'has' if larger == 1 else 'have'} a "
        f"{label} at "
        f"least as far from zero as {signed(row['statistic'])} ({p_is(row['pvalue'])})."
    )


def _histogram(row: Mapping[Any, Any], draws: FloatArray, width: int) -> Markup:
    if not np.isfinite(row["pvalue"]):
        return Markup("")
    size = "wide" if width == plots.WIDE else "narrow"
    title = f"Placebo {row['kind']}, {size} figure"
    own = signed(row["statistic"])
    desc = f"Histogram of {len(draws):,} placebo statistics; the study's own, {own}, is marked."
    figure = plots.placebo_figure(float(row["statistic"]), draws, width=width)
    return Markup(svg(figure, title, desc, css_class=size))  # noqa: S704
