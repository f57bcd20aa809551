"""The adverse events of the bundled list on shifted dates: real returns where nothing is known to
have happened."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from designs import student

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.fitting import FittedStudy
from eventstudy.models import MODELS
from eventstudy.utility import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.windows import EventWindows

WINDOW = Window(0, 1)
LIST = Path(es.__file__).parent / "data" / "example" / "events.csv"
# Least share of the events of a draw and of the estimation days of an event, and the correlation
# that shared shocks are taken to have.
MIN_SHARE, RHO = 0.8, 0.1


def shifted_study(
    number: int, rng: np.random.Generator, *, own: float = 1, common: float = 1
) -> AbnormalReturns:
    """Return the list on shifted dates, its variance raised by shocks that are added.

    All dates move by the same number of sessions, around the end of the prices to their beginning;
    days in windows of the real events of a firm are neither estimation nor event days.
    """
    windows, used = around(int(shifts()[number]))
    fit = MODELS["market"]().fit(windows, engine="batch").take(used)
    return fit.as_study(ar=fit.ar + raised(fit, rng, own, common))


def around(shift: int) -> tuple[EventWindows, BoolArray]:
    """Return the windows of a shift, and which events have the days that they need."""
    study, sessions, at = listed()
    estimation = study.abnormal.windows.estimation
    assert study.layout is not None
    first, last = -estimation.start, len(sessions) - WINDOW.stop - 1
    day0 = sessions[first + (at - first + shift) % (last + 1 - first)]
    windows = study.layout.around(day0, estimation=estimation, event=WINDOW)
    real = touched(windows.positions)
    past, days = np.split(np.isfinite(windows.returns) & ~real, [len(estimation)], axis=1)
    return windows.without(~past), days.all(axis=1) & (past.mean(axis=1) >= MIN_SHARE)


def raised(fit: AbnormalReturns, rng: np.random.Generator, own: float, common: float) -> FloatArray:
    """Return shocks (n, L) that multiply variances: own ones are residuals of the firm, shared ones
    belong to sessions."""
    n, shape = len(fit), fit.ar.shape
    sigma = np.sqrt(fit.sigma2)[:, None]
    if own > 1:
        days = np.where(np.isfinite(fit.resid), rng.random(fit.resid.shape), -1).argsort(axis=1)
        return np.sqrt(own - 1) * np.take_along_axis(fit.resid, days[:, -shape[1] :], axis=1)
    if common == 1:
        return np.zeros(shape)
    positions = fit.windows.event_positions
    shared = student(rng, 5.0, (int(positions.max()) + 1,))[positions]
    return np.sqrt((common - 1) * RHO) * sigma * shared.reshape(n, -1)


@cache
def listed() -> tuple[FittedStudy, DateArray, IntArray]:
    """Return the adverse events of the bundled list on the sample prices, all sessions, and where
    the events are among them."""
    study = es.run_study(es.read_events(LIST), es.StudyConfig(prices="sample"))
    study = study.subset(study.ok & (study.events["direction"] == "adverse").to_numpy())
    panel = study.panel
    assert study.layout is not None
    known = np.isfinite(panel.values[study.layout.rows]).any(axis=0)
    sessions = panel.sessions[known]
    day0 = study.events["day0"].to_numpy().astype("datetime64[D]")
    return study, sessions, np.searchsorted(sessions, day0)


@cache
def shifts() -> IntArray:
    """Return the shifts by an event window or more that keep most events, every beginning of them
    spread out."""
    study, sessions, _ = listed()
    free = len(sessions) - WINDOW.stop + study.abnormal.windows.estimation.start
    every = np.arange(near := len(study.abnormal.event), free - near)
    every = every[np.argsort(np.arange(len(every)) * 0.6180339887498949 % 1.0, kind="stable")]
    return every[[around(int(shift))[1].mean() >= MIN_SHARE for shift in every]]


def touched(positions: IntArray) -> BoolArray:
    """Return which days (n, days) lie in windows of real events of the same firm."""
    study, _, _ = listed()
    event, firms = study.abnormal.windows.event_positions, study.events["ticker"].to_numpy()
    inside = np.zeros((len(firms), len(study.panel.sessions) + 1), dtype=bool)
    for i, firm in enumerate(firms):
        inside[i, event[firms == firm]] = True
    inside[:, -1] = False
    return np.take_along_axis(inside, positions, axis=1)
