"""The groups side by side, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from ..pvalues import LEVEL, p_is, pvalue
from ..significance import STATISTICS, SignificanceTest
from ..windows import Window
from . import plots
from .answer import DEPENDS, DIFFERENT, NOT_TESTED, verdict
from .facts import interval, interval_known
from .grid import significance_grid
from .measures import words
from .page import Page
from .path_section import events_between
from .paths import BAND_EVENTS, Path95, path_of
from .svg import svg
from .wording import (
    capitalised,
    clipped,
    count,
    in_type,
    level_text,
    listed,
    number_word,
    percent,
    reason_text,
    span,
    window_text,
)

if TYPE_CHECKING:
    from ..results import EventStudyResults

SHOWN_PANELS = 6
# In the order of preference; the interval is that of the first that has one.
METHODS = {"date_clustered": "clustered by date", "welch": "Welch", "permutation": "permutation"}


def group_section(page: Page) -> dict[str, Any] | None:
    """Return the groups side by side, their differences, and the tests of all but the first."""
    if len(page.groups) < 2:
        return None
    main, config = page.main, page.config
    rows, lede = group_rows(page.groups, main)
    paths = {name: path_of(part).beside_others() for name, part in list(page.groups.items())[:SHOWN_PANELS]}
    others = {clipped(g, 60): part for g, part in list(page.groups.items())[1:]}
    return {
        "rows": rows,
        "lede": " ".join(filter(None, (lede, _differ(page)))),
        "panels": _panels(paths, main),
        "note": _panels_note(paths, len(page.groups), main),
        "differences": _differences(page),
        "tests": {
            g: significance_grid(part, config.tested, main, config.tests) for g, part in others.items()
        },
    }


def _differ(page: Page) -> str:
    """Say whether the first two groups differ."""
    table = page.tables.get("differences")
    if table is None or len(table) == 0:
        return ""
    pair = table[(table["one"] == table["one"].iloc[0]) & (table["other"] == table["other"].iloc[0])]
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
    """Return pair, events, difference, interval, p clustered by date, Welch's and the permutation's."""
    table = page.tables.get("differences")
    if table is None or len(table) == 0:
        return []
    rows = []
    for (one, other), part in table.groupby(["one", "other"], sort=False):
        by = part.set_index("method")
        known = part[part["ci_low"].notna()]
        first = known.iloc[0] if len(known) else part.iloc[0]
        rows.append((
            f"{clipped(one, 60)} minus {clipped(other, 60)}", f"{first['n_one']:,} and {first['n_other']:,}",
            percent(first["difference"], unit=False), span(first["ci_low"], first["ci_high"], unit=False),
            *(pvalue(by["pvalue"][method]) for method in METHODS),
        ))  # fmt: skip
    return rows


def group_rows(groups: Mapping[str, EventStudyResults], window: Window) -> tuple[list[tuple[str, ...]], str]:
    """Return the rows of the groups and the sentence above them.

    Name, events, dates, CAAR, interval, p, what is beneath p, test, and what is beneath the name.
    """
    rows: list[tuple[str, ...]] = []
    for name, sample in groups.items():
        test, found = sample.test(sample.recommended_for(window), window), interval(sample, window)
        rows.append((
            clipped(name, 80), f"{test.n_events:,}", f"{sample.diagnose(window).n_dates:,}",
            percent(found.estimate, unit=False),
            span(found.low, found.high, unit=False) if interval_known(sample, window) else "",
            *_evidence(test, verdict(sample, window)),
        ))  # fmt: skip
    verdicts = {clipped(name, 60): verdict(sample, window) for name, sample in groups.items()}
    return rows, _groups_lede(verdicts, window)


def _evidence(test: SignificanceTest, said: str) -> tuple[str, str, str, str]:
    """Return p, what is beneath it, the test, and a reason that is too long for the cell of p."""
    label, least = STATISTICS[test.name].label, STATISTICS[test.name].minimum
    if not test.reason:
        return pvalue(test.pvalue), DEPENDS if said == DEPENDS else "", label, ""
    if test.n_events < least:
        return NOT_TESTED, f"{count(test.n_events, 'event')}, {least} needed", label, ""
    return NOT_TESTED, "", label, capitalised(f"{reason_text(test.reason)}.")


def _groups_lede(verdicts: Mapping[str, str], window: Window) -> str:
    """Say which of the groups tested differ from zero, by the rule of the answer."""
    tested = sum(said != NOT_TESTED for said in verdicts.values())
    if not tested:
        return f"No group has enough events to be tested over {window_text(window)}."
    differ, depend = ([n for n, said in verdicts.items() if said == kind] for kind in (DIFFERENT, DEPENDS))
    verb = "clearly " * bool(depend) + ("differs" if len(differ) < 2 else "differ")
    who = f"{number_word(len(differ)) if differ else 'none'} of the {tested} groups tested {verb}"
    if tested == 1:
        who = f"the one group tested {'differs' if differ else 'does not differ'}"
        who = "for the one group tested it depends on the test whether it differs" if depend else who
    which = f": {listed(differ)}" if differ else ""
    rest = f"; for {number_word(len(depend))} it {DEPENDS}: {listed(depend)}" if depend and tested > 1 else ""
    return f"Over {window_text(window)} {who} from zero at the {level_text(LEVEL)} level{which}{rest}."


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
    more = f" The first {len(paths)} of {n_groups} groups are drawn; the table has all." if left else ""
    return (
        f"CAAR in {words().axis}{band}, same scale in all panels; {window_text(window)} shaded.{none}{more}"
    )
