"""The key figures of an event page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....utility.numbers import NBSP, date_prose, p_is, percent, signed, span, window_text
from ....utility.units import words
from .one_event import OneEvent


def keys(event: OneEvent) -> Iterator[tuple[str, str, str]]:
    """Yield label, value and remark of each key figure."""
    a, main, found = event.one.abnormal, event.main, event.cars[event.main]
    if np.isfinite(found.car):
        ends = span(found.car - found.half, found.car + found.half)
        on = f", to {found.until}" * bool(found.until)
        yield f"CAR over {window_text(main)}{on}", percent(found.car), f"95% CI {ends}"
    if 0 in a.event and np.isfinite(ar := a.ar[0, -a.event.start]):
        expected = a.expected[0, -a.event.start]
        said = f"share {percent(ar + expected)}, model {percent(expected)}"
        said = (
            f"value {percent(ar + expected)}, model {percent(expected)}" if words().what else said
        )
        yield f"AR on day 0, {date_prose(event.cells['day0'])}", percent(ar), said
    if np.isfinite(found.p):
        t = f"t({int(a.df_resid[0])}) = {signed(found.t)}".replace(" ", NBSP)
        yield "Exact t", p_is(found.p), t
    if np.isfinite(found.sq):
        rank = f"rank among windows of {len(main)} estimation day{'s' * (len(main) > 1)}"
        yield "SQ", p_is(found.sq), found.remark or rank
    yield _model(event)


def _model(event: OneEvent) -> tuple[str, str, str]:
    """Return the slope of the model with its fit, or the residual standard deviation if it has
    none."""
    a, model = event.one.abnormal, event.one.model.label
    sd = percent(float(np.sqrt(a.sigma2[0])), sign=False)
    label = f"{model[:1].upper()}{model[1:]}"
    if "beta" not in a.parameters:
        return label, sd, "residual standard deviation a day"
    beta = signed(a.params[0, a.parameters.index("beta")], sign=False)
    r2 = signed(a.r2[0], sign=False)
    return label, f"β = {beta}".replace(" ", NBSP), f"R²{NBSP}{r2}, residual sd {sd} a day"
