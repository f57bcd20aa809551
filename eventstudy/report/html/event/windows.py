"""The table of an event page with its CAR over each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ....utility.numbers import LEVEL, percent, pvalue, signed, span, window_text
from ...content.shown_tests import LAW, exact_law
from ..events import axis_bound, axis_ticks, mark_of
from .one_event import Car, OneEvent

if TYPE_CHECKING:
    from ....calendars.window import Window


def window_table(event: OneEvent) -> dict[str, Any]:
    """Return the CAR over each window with its interval and p-values, and the axis that they
    share."""
    car, half = (
        np.array([getattr(c, name) for c in event.cars.values()]) for name in ("car", "half")
    )
    bound = axis_bound(car, half) if np.isfinite(car).any() else 0.01
    rows = [_window_row(w, own, event.main, bound) for w, own in event.cars.items()]
    ticks = axis_ticks(bound) if np.isfinite(car).any() else ()
    law = LAW[exact_law(event.results.model)]
    return {"rows": rows, "ticks": ticks, "df": int(event.one.abnormal.df_resid[0]), "law": law}


def _window_row(window: Window, own: Car, main: Window, bound: float) -> dict[str, Any]:
    role = "leakage" if window.stop < 0 else "drift" if window.start > 0 else ""
    return {
        "window": window_text(window), "role": "main" if window == main else role,
        "main": window == main,
        "until": own.until,
        "car": percent(own.car, unit=False), "se": percent(own.se, unit=False, sign=False),
        "interval": span(own.car - own.half, own.car + own.half, unit=False),
        "t": signed(own.t), "p": pvalue(own.p), "sq": pvalue(own.sq),
        "mark": mark_of(own.car, own.half, bound, 0, filled=bool(own.p < LEVEL)),
    }  # fmt: skip
