"""What a company did to its shares: the events behind adjusted closes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date


@dataclass(frozen=True, slots=True, order=True)
class Action:
    """A dividend, split or distribution of capital gains, as the source gives it.

    Parameters
    ----------
    date : str
        ISO date of the first session without it.
    kind : str
        ``dividend``, ``split`` or ``capital_gain``.
    value : float
        Amount for a share in the currency of the prices; new shares for an old one if a split.
    """

    date: str
    kind: str
    value: float


def to_json(actions: Iterable[Action]) -> str:
    """Return the actions as a JSON list of [date, kind, value]."""
    return json.dumps([astuple(action) for action in sorted(actions)])


def from_json(text: str) -> tuple[Action, ...]:
    """Return the actions that `to_json` wrote."""
    return tuple(Action(*each) for each in json.loads(text))


def between(actions: Iterable[Action], start: date | None, end: date | None) -> tuple[Action, ...]:
    """Return the actions dated from `start` to `end`, both inclusive; None leaves a side open."""
    first, last = str(start or "0001-01-01"), str(end or "9999-12-31")
    return tuple(action for action in actions if first <= action.date <= last)
