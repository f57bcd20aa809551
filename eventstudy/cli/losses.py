"""Exit code 3: more events without a result than the user allows."""

from __future__ import annotations

import sys

from ..findings.events import Event
from ..findings.types import Findings
from ..utility.catalogue import say
from .shared import INCOMPLETE, tell

NAMED = 8


def end_if_incomplete(findings: Findings, *, strict: bool, max_loss: float) -> None:
    """End the command if more events have no CAR over the main window than allowed.

    Parameters
    ----------
    findings : Findings
        Of the run that was written.
    strict : bool
        Whether none may be lost.
    max_loss : float
        Largest share that may be lost.
    """
    text = excess_loss(findings, strict=strict, max_loss=max_loss)
    if text:
        tell("incomplete", text, message=f"eventstudy: {text}", exit_code=INCOMPLETE)
        sys.exit(INCOMPLETE)


def excess_loss(findings: Findings, *, strict: bool, max_loss: float) -> str:
    """Return which events lack a CAR over the main window if more than allowed do; else "".

    Parameters
    ----------
    findings : Findings
        Of the run that was written.
    strict : bool
        Whether none may be lost.
    max_loss : float
        Largest share that may be lost, 0 to 1.

    Returns
    -------
    str
        The share and the limit, then one line for each of the first events.
    """
    setup = findings.setup
    lost = setup.n_events - setup.n_used + findings.pooled.n_lacking
    share = lost / setup.n_events
    if not lost or (share <= max_loss and not strict):
        return ""
    limit = "--strict" if strict else f"--max-loss {max_loss:g}"
    reasons = ((event.cells, _reason(event, findings)) for event in findings.events)
    lines = [
        say("losses.event", event_id=cells["event_id"], ticker=cells["ticker"], why=why)
        for cells, why in reasons
        if why
    ][:NAMED]
    more = [say("losses.more", n=lost - len(lines))] if lost > len(lines) else []
    head = say("losses.head", share=share, window=str(setup.main), limit=limit)
    return "\n  ".join([head, *lines, *more])


def _reason(event: Event, findings: Findings) -> str:
    """Return why an event has no CAR over the main window; "" if it has one."""
    return event.car(findings.setup.main).reason if event.is_used else event.reason
