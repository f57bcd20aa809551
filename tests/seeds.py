"""Where the tests that draw take their seed from: always the same one, or one that is given.

Without `EVENTSTUDY_SEED` every run of the tests draws the same. With it, a whole number, all draw
anew from that number.
"""

from __future__ import annotations

import os

VARIABLE = "EVENTSTUDY_SEED"


def given() -> int | None:
    """Return the seed of the environment; None where there is none."""
    text = os.environ.get(VARIABLE, "")
    return int(text) if text else None


def seed(default: int) -> int:
    """Return a seed to draw from.

    Parameters
    ----------
    default : int
        The seed where none is given. Tests with other defaults draw from other numbers then too.
    """
    base = given()
    return default if base is None else base * 10_000 + default
