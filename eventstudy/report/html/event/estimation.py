"""The section of an event page on its estimation: the scatter, and what was estimated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from ....returns.series import MARKET
from ....utility.numbers import clipped, date_iso, parameter_letter, percent, signed
from ....utility.units import words
from ...figures.fit_figure import fit_figure, marked
from ...figures.regression_points import DAY, FITTED, Fit, fit_of
from .one_event import OneEvent

if TYPE_CHECKING:
    from ....utility.typing import FloatArray

# Parameters in the unit of the returns; the others are slopes.
LEVELS = ("alpha", "mu")


def estimation(event: OneEvent) -> dict[str, Any]:
    """Return the scatter of the estimation days, and what was estimated from them."""
    a, fit = event.one.abnormal, fit_of(event.results, event.row)
    used = np.isfinite(a.resid[0])
    at = a.windows.positions[0, : len(used)][used]
    first, last = (date_iso(d) for d in a.windows.sessions[at[[0, -1]]])
    return {
        "figure": Markup(fit_figure(fit, a.event.days, event.main)),  # noqa: S704
        "against": _against(fit),
        "days": len(at),
        "marked": bool(marked(fit)[a.columns(event.main)].any()),
        "facts": [
            ("Sessions", f"{first} to {last}, {len(at):,} of {len(used):,} usable"),
            *_benchmark(event), *_parameters(event), *_residuals(a.resid[0]), *_forecast(event),
        ],
    }  # fmt: skip


def _benchmark(event: OneEvent) -> Iterator[tuple[str, str]]:
    if any(factor.name == MARKET.name for factor in event.results.model.factors):
        yield "Benchmark", clipped(event.cells["benchmark"], 60)


def _parameters(event: OneEvent) -> Iterator[tuple[str, str]]:
    a, by = event.one.abnormal, words().scale
    for name, value, variance in zip(
        a.parameters, a.params[0], np.diag(a.cov_params[0]), strict=True
    ):
        scale, unit = (by, f", {words().head} a day") if name in LEVELS else (1.0, "")
        se = signed(scale * np.sqrt(variance), 3, sign=False)
        text = f"{signed(scale * value, 3, sign=name in LEVELS)} (SE {se})"
        yield f"{parameter_letter(name)}{unit}", text
    yield "R²", signed(a.r2[0], 3, sign=False)
    yield "Residual sd", f"{percent(float(np.sqrt(a.sigma2[0])), sign=False)} a day"


def _residuals(resid: FloatArray) -> Iterator[tuple[str, str]]:
    """Yield the shape of the residuals; Durbin-Watson over pairs of consecutive days."""
    known = np.flatnonzero(np.isfinite(resid))
    e = resid[known]
    z = (e - e.mean()) / e.std()
    skewness, kurtosis = signed(float((z**3).mean())), signed(float((z**4).mean()), sign=False)
    yield "Skewness, kurtosis", f"{skewness}, {kurtosis} (normal: 0, 3)"
    steps = np.diff(e)[np.diff(known) == 1]
    yield "Durbin-Watson", signed(float((steps**2).sum() / (e**2).sum()), sign=False)


def _forecast(event: OneEvent) -> Iterator[tuple[str, str]]:
    a = event.one.abnormal
    if 0 in a.event and np.isfinite(variance := a.var_ar[0, -a.event.start]):
        ratio = signed(variance / a.sigma2[0], 3, sign=False)
        yield "Var(AR) on day 0", f"{ratio} × residual variance"


def _against(fit: Fit) -> str:
    kind = words().what or "returns"
    if fit.axis == DAY:
        return f"Daily {kind} and their mean"
    if fit.axis == FITTED:
        return f"Daily {kind} against what the model fits"
    return f"Daily {kind}, share against {clipped(fit.axis, 60)}"
