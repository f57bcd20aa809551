"""What could change the answer: the same question asked in other ways, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...analysis.interval import ROBUST, Interval
from ...calendars.window import Window
from ...findings.types import Findings
from ...significance import name_for_role
from ...utility.catalogue import say
from ...utility.numbers import LEVEL, capitalised, clipped, window_text

# Windows beside the main one, where they were computed.
WINDOWS = (Window(0, 0), Window(-1, 1), Window(0, 5))
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Check:
    """One way to ask; a test alone has no effect.

    Attributes
    ----------
    name : str
        In words.
    n_events : int
    effect : Interval
    pvalue : float
    """

    name: str
    n_events: int
    effect: Interval
    pvalue: float

    @property
    def is_clear(self) -> bool:
        """Whether p is below 0.05."""
        return self.pvalue < LEVEL


def list_checks(findings: Findings) -> tuple[Check, ...]:
    """Return the answer, and what becomes of it in other ways; empty without an influence.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    tuple of Check
        All announcements first.
    """
    influence = findings.sample.answer.influence
    if influence is None or not influence.leave_outs:
        return ()
    return tuple(check for check in _checks(findings) if np.isfinite(check.pvalue))


def _checks(findings: Findings) -> Iterator[Check]:
    sample, answer = findings.sample, findings.sample.answer
    yield Check(capitalised(say("caveat.main")), answer.n_events, answer.effect, answer.pvalue)
    for leave_out in answer.influence.leave_outs if answer.influence else ():
        name = capitalised(clipped(leave_out, LONGEST_NAME))
        yield Check(name, leave_out.n_events, leave_out.effect, leave_out.pvalue)
    for finding in sample.windows:
        if finding.window in WINDOWS and finding.window != sample.main.window:
            name, over = say("checks.window", window=window_text(finding.window)), finding.answer
            yield Check(name, over.n_events, over.effect, over.pvalue)
    average = answer.plain_average
    n = answer.n_events + answer.n_short
    yield Check(say("checks.plain_average"), n, average, average.pvalue)
    for name in ROBUST:
        if mean := getattr(answer.influence, name, None):
            yield Check(say(f"checks.{name}"), answer.n_events, mean, mean.pvalue)
    for role in ("sign flips", "calendar time"):
        if test := sample.main.test(name_for_role(role)):
            name = say(f"checks.{role.replace(' ', '_')}")
            yield Check(name, test.n_events, Interval(), test.pvalue)
