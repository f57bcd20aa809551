"""What could change the answer: the same question asked in other ways, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from ...analysis import Caveat, Interval
from ...calendars import Window
from ...findings import Findings
from ...settings import Grid
from ...significance import FULL_SAMPLE, STATISTICS
from ...words import LEVEL, capitalised, clipped, say, words
from ..sentences.answer import has_two_ways, is_day_later, name_swinging
from .columns import ESTIMATE, EVENTS, NAME
from .events import name_anchors
from .robustness import cells_but_for
from .table import Row, Table, effect_values, interval_in, make_table

LONGEST_NAME = 64
# Where on the page a check of a kind leads to.
LINKS = {"leave_out": "all", "window": "windows", "model": "combinations", "test": "tests"}
# Up to so many events whose p is above by the answer, and below by their usual moves, show both.
NEAR_FEW, SURE, HARDLY = 6, 0.01, 0.001


@dataclass(frozen=True, slots=True)
class Check:
    """One way to ask; a test alone has no effect.

    Attributes
    ----------
    kind : {"main", "once", "leave_out", "window", "model", "test"}
    name : str
        In words.
    n_events : int
    effect : Interval
    pvalue : float
        Of a range the largest.
    lowest : float
        The smallest p of a range; NaN elsewhere.
    anchor : str
        Of the one announcement that is left out, on the page; "" of anything else.
    """

    kind: str
    name: str
    n_events: int
    effect: Interval
    pvalue: float
    lowest: float = np.nan
    anchor: str = ""

    @property
    def link(self) -> str:
        """The part of the page that the check leads to."""
        place = self.anchor or LINKS.get(self.kind, "")
        return f"#{place}" if place else ""

    @property
    def is_clear(self) -> bool:
        """Whether p is below 0.05."""
        return self.pvalue < LEVEL

    @property
    def p_range(self) -> str:
        """The smallest and the largest p of a range; "" of a single p."""
        if not np.isfinite(self.lowest):
            return ""
        return f"{words().pvalue(self.lowest)} to {words().pvalue(self.pvalue)}"

    @property
    def p_text(self) -> str:
        """The p or its range, as a table shows it."""
        return self.p_range or words().pvalue(self.pvalue)


@lru_cache(maxsize=1)
def list_checks(findings: Findings) -> tuple[Check, ...]:
    """Return the answer, and what becomes of it in other ways; empty without an influence.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    tuple of Check
        All announcements, then leave-outs, windows, models and tests.
    """
    if findings.sample.answer.influence is None:
        return ()
    makers = (_main, _leave_outs, _windows, _models, _tests)
    checks = (check for maker in makers for check in maker(findings))
    return tuple(check for check in checks if np.isfinite(check.pvalue))


def checks_table(findings: Findings) -> Table:
    """Return the checks as a table, a row each, and in how many the verdict holds."""
    checks, rows = list_checks(findings), []
    for check in checks:
        values = {"name": check.name, "events": check.n_events, **effect_values(check.effect)}
        rows.append(Row({**values, "pvalue": check.p_range or check.pvalue}))
    fragility = say_fragility(findings, checks)
    return make_table("checks.table", (NAME, EVENTS, *ESTIMATE), rows, fragility=fragility)


def count_checks(checks: Sequence[Check]) -> dict[str, int]:
    """Return how many checks there are (`n`), and in how many the verdict holds (`k`).

    Parameters
    ----------
    checks : sequence of Check
        The first is the answer itself.
    """
    # A range repeats the leave-outs.
    counted = [check for check in checks[1:] if not check.p_range]
    held = sum(check.is_clear == checks[0].is_clear for check in counted)
    return {"n": len(counted), "k": held}


def say_fragility(findings: Findings, checks: Sequence[Check]) -> str:
    """Return in how many checks the verdict holds, or the set of announcements that it rests on.

    Parameters
    ----------
    findings : Findings
    checks : sequence of Check
        The first is the answer itself.

    Returns
    -------
    str
        "" without a check.
    """
    counts = count_checks(checks)
    if not counts["n"]:
        return ""
    influence = findings.sample.answer.influence
    carrying = influence.carried_by if influence and checks[0].is_clear else None
    if carrying:
        return Caveat("rests", carrying.facts).sentence()
    return say("checks.holds_all" if counts["k"] == counts["n"] else "checks.holds", **counts)


def name_fragile(findings: Findings) -> str:
    """Return in how many checks the verdict holds, and the leave-out that turns a significant one.

    Parameters
    ----------
    findings : Findings
    """
    checks = list_checks(findings)
    fragility = say_fragility(findings, checks)
    leave_outs = [check for check in checks if check.kind == "leave_out" and not check.p_range]
    turned = [check for check in leave_outs if not check.is_clear]
    if not turned or not checks[0].is_clear:
        return f"{fragility}." if fragility else ""
    worst = max(turned, key=lambda check: check.pvalue)
    facts = {"leave_out": worst.name[:1].lower() + worst.name[1:], "p": worst.pvalue}
    return say("checks.fragile", fragility=fragility, **facts)


def _main(findings: Findings) -> Iterator[Check]:
    """Yield the answer, and what it is if the extra spread on shared dates is the firms' own."""
    answer = findings.sample.answer
    name = capitalised(say(f"caveat.main{'_one' * (answer.n_events == 1)}"))
    yield Check("main", name, answer.n_events, answer.effect, answer.pvalue)
    if unequal := answer.unequal:
        name, n = say("checks.own_spread"), unequal.n_events
        yield Check("test", name, n, unequal.effect, unequal.pvalue)
    yield from _two_ways(findings)
    if once := findings.sample.once:
        result = once.answer
        yield Check("once", say("checks.once"), result.n_events, result.effect, result.pvalue)


def _two_ways(findings: Findings) -> Iterator[Check]:
    """Yield the other way to judge few events: by how far they differ, or by their usual moves.

    Up to four are judged by their usual moves, five and more by how far they differ. So five or six
    near the border are shown with the first as well.
    """
    answer, sample = findings.sample.answer, findings.sample
    if has_two_ways(answer):
        p, n = answer.overturn.spread_pvalue, answer.n_events
        yield Check("test", say("checks.by_spread", n=n), n, Interval(), p)
    usual = sample.main.test("patell_kp") if FULL_SAMPLE <= answer.n_events <= NEAR_FEW else None
    if usual and answer.pvalue > SURE and usual.pvalue < HARDLY:
        rate, what = usual.false_alarms, name_swinging(answer)
        code = "checks.by_usual_rate" if np.isfinite(rate) else "checks.by_usual"
        name = say(code, rate=rate, what=what)
        yield Check("test", name, usual.n_events, Interval(), usual.pvalue)


def _leave_outs(findings: Findings) -> Iterator[Check]:
    answer = findings.sample.answer
    rows = answer.influence.rows if answer.influence else ()
    anchors = name_anchors(findings)
    firms = [row.firm for row in rows if row.kind == "event"]
    for row in rows:
        first, last = (words().date(day) for day in (row.first, row.last))
        if row.kind == "cluster" and row.first[:7] == row.last[:7]:
            first = first.split()[0]
        facts = {**row.facts, "first": first, "last": last}
        name = say(f"checks.leave_out.{row.kind}", **facts)
        if row.kind == "event" and firms.count(row.firm) > 1:
            name = f"{name}, {first}"
        name = clipped(name, LONGEST_NAME)
        if row.n_events < FULL_SAMPLE <= answer.n_events:
            name = say("checks.leave_out.same_test", name=name)
        # Of several announcements no single row speaks: the check leads to the table.
        anchor = anchors.get(row.name, "") if row.kind == "event" else ""
        check = Check("leave_out", name, row.n_events, row.effect, row.pvalue)
        yield replace(check, anchor=anchor)
    if (influence := answer.influence) and influence.is_near_border:
        name, ends = say("checks.leave_out.any"), (influence.p_high, influence.p_low)
        yield Check("leave_out", name, answer.n_events - 1, Interval(), *ends)


def _windows(findings: Findings) -> Iterator[Check]:
    """Yield the answer over other windows: of the grid, else of those that are tested.

    A window that a price limit extends to the days of the main window is no other one.
    """
    sample, main = findings.sample, findings.setup.main
    same = {
        f.window
        for f in sample.windows
        if f.is_extended and f.answer.effect == sample.answer.effect
    }
    tested = {str(f.window): f.answer for f in sample.windows}
    cells = {row["window"]: row for row in _cells(findings, "window")}
    for window in Grid.CARS:
        name = _window_name(window, is_day_later(findings))
        if window == main or window in same:
            continue
        if row := cells.get(str(window)):
            # The table of windows may not have it, the combinations do.
            place = "" if str(window) in tested else LINKS["model"]
            yield replace(_check("window", name, row), anchor=place)
        elif over := tested.get(str(window)):
            yield Check("window", name, over.n_events, over.effect, over.pvalue)


def _window_name(window: Window, is_late: bool) -> str:
    if window in (Window(0, 0), Window(0, 1)):
        return say(f"checks.{'late' if is_late else 'days'}_{len(window)}")
    days = (f"{day:+d}".replace("+0", "0") for day in (window.start, window.stop))
    return say("checks.days", days=" to ".join(days).replace("-", "\N{MINUS SIGN}"))


def _models(findings: Findings) -> Iterator[Check]:
    """Yield the answer by the usual other models, and by another estimation window."""
    for row in _cells(findings, "model"):
        if row["model"] in (*Grid.MODELS, "dimson"):
            yield _check("model", say(f"checks.{row['model']}"), row)
    for row in _cells(findings, "estimation")[:1]:
        yield _check("model", say("checks.estimation", n=len(Window.of(row["estimation"]))), row)


def _tests(findings: Findings) -> Iterator[Check]:
    sample, answer = findings.sample, findings.sample.answer
    average, effect, numbers = answer.plain_average, answer.effect, answer.calibrated
    n = answer.n_averaged
    if n > 1:
        yield Check("test", say("checks.plain_average"), n, average, average.pvalue)
    if (single := answer.overturn.one_event) and single.earlier:
        name = say("checks.rank", n=single.earlier)
        yield Check("test", name, 1, Interval(), single.rank_pvalue)
    if numbers:
        half = numbers.critical * effect.se
        ends = effect.estimate - half, effect.estimate + half
        interval = Interval(effect.estimate, effect.se, *ends)
        yield Check("test", say("checks.calibrated"), answer.n_events, interval, numbers.pvalue)
    for role in ("sign flips", "calendar time"):
        if test := sample.main.test(STATISTICS.for_role(role)):
            name = say(f"checks.{role.replace(' ', '_')}")
            yield Check("test", name, test.n_events, Interval(), test.pvalue)


def _cells(findings: Findings, choice: str) -> list[dict[Any, Any]]:
    """Return the specifications that differ from the study in one choice alone."""
    table = findings.tables.get("specifications", pd.DataFrame())
    if table.empty:
        return []
    cells = cells_but_for(table, choice)
    return cells[~cells["is_main"]].to_dict("records")


def _check(kind: str, name: str, row: dict[Any, Any]) -> Check:
    return Check(kind, name, int(row["n_events"]), interval_in(row), row["pvalue"])
