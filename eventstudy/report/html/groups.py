"""The groups side by side, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from ...analysis.answer import DIFFERENT, NOT_DIFFERENT, PROVISIONAL, answer_of
from ...analysis.caar_path import BAND_EVENTS, Path95, path_of
from ...calendars.window import Window
from ...significance import STATISTICS
from ...utility.numbers import (
    LEVEL,
    capitalised,
    clipped,
    listed,
    number_word,
    p_is,
    percent,
    pvalue,
    span,
    window_text,
)
from ...utility.units import words
from ..content.subject import Page
from ..content.wording import in_type, reason_text
from ..figures import caar_plots as plots
from ..figures.matplotlib_svg import svg
from .path import events_between
from .tests import significance_grid

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

SHOWN_PANELS = 6
# In the order of preference; the interval is that of the first that has one.
METHODS = {"date_clustered": "clustered by date", "welch": "Welch", "permutation": "permutation"}


def group_section(page: Page) -> dict[str, Any] | None:
    """Return the groups side by side, their differences, and the tests of all but the first."""
    if len(page.groups) < 2:
        return None
    main, config = page.main, page.config
    rows, lede = group_rows(page.groups, main)
    paths = {
        name: path_of(part).beside_others()
        for name, part in list(page.groups.items())[:SHOWN_PANELS]
    }
    others = {clipped(g, 60): part for g, part in list(page.groups.items())[1:]}
    return {
        "rows": rows,
        "lede": " ".join(filter(None, (lede, _differ(page)))),
        "panels": _panels(paths, main),
        "note": _panels_note(paths, len(page.groups), main),
        "differences": _differences(page),
        "tests": {
            g: significance_grid(part, config.tested, main, config.tests)
            for g, part in others.items()
        },
    }


def _differ(page: Page) -> str:
    """Say whether the first two groups differ."""
    table = page.tables.get("differences")
    if table is None or len(table) == 0:
        return ""
    pair = table[
        (table["one"] == table["one"].iloc[0]) & (table["other"] == table["other"].iloc[0])
    ]
    known = pair[pair["pvalue"].notna()]
    if known.empty:
        return ""
    d = known.iloc[0]
    pair_of = f"{clipped(d['one'], 60)} minus {clipped(d['other'], 60)}"
    verb = "differs" if d["pvalue"] < LEVEL else "is not distinguishable"
    ci = f"95% CI {span(d['ci_low'], d['ci_high'])}, " if pd.notna(d["ci_low"]) else ""
    test = f"{METHODS[d['method']]} {p_is(d['pvalue'])}"
    said = f"The difference, {pair_of}, {verb} from zero: {percent(d['difference'])} ({ci}{test})."
    return f"{said} {capitalised(in_type(d['reason']))}." if d["reason"] else said


def _differences(page: Page) -> list[tuple[str, ...]]:
    """Return pair, events, difference, interval, p clustered by date, Welch's and the
    permutation's."""
    table = page.tables.get("differences")
    if table is None or len(table) == 0:
        return []
    rows = []
    for (one, other), part in table.groupby(["one", "other"], sort=False):
        by = part.set_index("method")
        known = part[part["ci_low"].notna()]
        first = known.iloc[0] if len(known) else part.iloc[0]
        rows.append((
            f"{clipped(one, 60)} minus {clipped(other, 60)}",
            f"{first['n_one']:,} and {first['n_other']:,}",
            percent(first["difference"], unit=False),
            span(first["ci_low"], first["ci_high"], unit=False),
            *(pvalue(by["pvalue"][method]) for method in METHODS),
        ))  # fmt: skip
    return rows


def group_rows(
    groups: Mapping[str, FittedStudy], window: Window
) -> tuple[list[tuple[str, ...]], str]:
    """Return the rows of the groups and the sentence above them.

    Name, events, dates, effect, interval, p, test, and what is beneath the name.
    """
    rows: list[tuple[str, ...]] = []
    for name, sample in groups.items():
        found = answer_of(sample, window)
        why = "provisional" if found.verdict == PROVISIONAL else reason_text(found.reason)
        rows.append((
            clipped(name, 80), f"{found.n_events:,}", f"{found.n_dates:,}",
            percent(found.effect.estimate, unit=False),
            span(found.effect.ci_low, found.effect.ci_high, unit=False),
            pvalue(found.pvalue), STATISTICS[found.test].label,
            capitalised(f"{why}." if why else ""),
        ))  # fmt: skip
    verdicts = {
        clipped(name, 60): answer_of(sample, window).verdict for name, sample in groups.items()
    }
    return rows, _groups_lede(verdicts, window)


def _groups_lede(verdicts: Mapping[str, str], window: Window) -> str:
    """Say which of the groups moved."""
    decided = [name for name, verdict in verdicts.items() if verdict in (DIFFERENT, NOT_DIFFERENT)]
    differ = [name for name in decided if verdicts[name] == DIFFERENT]
    where = f"over {window_text(window)}"
    if not decided:
        kind = "too early to say" if PROVISIONAL in verdicts.values() else "no result"
        return f"{capitalised(kind)} for any group {where}."
    n = len(decided)
    if not differ:
        of = f"any of the {n:,} groups" if n > 1 else f"{decided[0]}, the one group with a verdict,"
        return f"No significant move in {of} {where}."
    of = (
        f"{number_word(len(differ))} of the {n:,} groups"
        if n > 1
        else "the one group with a verdict"
    )
    return f"A significant move in {of} {where}: {listed(differ)}."


def _panels(paths: Mapping[str, Path95], main: Window) -> list[tuple[str, Markup]]:
    """Return the captions and figures of the first groups, on one scale."""
    limits = plots.shared_limits(paths)
    out = []
    for i, (name, path) in enumerate(paths.items()):
        figure = plots.group_figure(path, main, limits, group=i)
        caption = f"{clipped(name, 60)}, {events_between(path)}"
        desc = f"CAAR path ending at {percent(path.end)}, on the scale of its neighbours."
        picture = svg(figure, f"CAAR of {caption}, panel {i + 1}", desc, css_class="half")
        out.append((caption, Markup(picture)))  # noqa: S704
    return out


def _panels_note(paths: Mapping[str, Path95], n_groups: int, window: Window) -> str:
    """Say what the panels show, where they have no band, and which groups have no panel."""
    band = " with its pointwise 95% band" * any(path.has_band for path in paths.values())
    gaps = any(path.has_gap for path in paths.values())
    none = f" No band where fewer than {BAND_EVENTS} events enter." * gaps
    left = n_groups - len(paths)
    more = (
        f" The first {len(paths)} of {n_groups} groups are drawn; the table has all."
        if left
        else ""
    )
    return (
        f"CAAR in {words().axis}{band}, same scale in all panels; {window_text(window)} "
        f"shaded.{none}{more}"
    )
