"""Mean abnormal return in calendar time, each session in units of its portfolio's standard
deviation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..significance._base import InapplicableError
from ..significance._correlation import MIN_COMMON, Residuals, residuals_on
from ..significance._mean import t_of_mean
from ..utility.typing import FloatArray, IntArray


class JaffeMandelker(NamedTuple):
    """The statistic, its degrees of freedom and what it rests on."""

    statistic: float
    df: float
    sessions: int
    mean_firms: float
    note: str


def jaffe_mandelker(
    abnormal: AbnormalReturns, window: Window, weight: FloatArray, *, min_firms: int, minimum: int
) -> JaffeMandelker:
    """Return the t of the standardised daily means over the calendar, divided by sqrt(1 + D/M).

    The mean AR of a session is divided by the standard deviation of the mean residual of the same
    events over the sessions that are in the estimation windows of all of them. D is the mean length
    of runs of consecutive sessions and M the mean number of estimation days, as in the test
    ``calendar_time``.

    Parameters
    ----------
    abnormal : AbnormalReturns
        n events; each is in on the days of `window` that it has.
    window : Window
    weight : (n,) float array
        0 for events that are not in.
    min_firms : int
        Sessions with fewer events are left out.
    minimum : int
        Fewer sessions are refused.

    Raises
    ------
    InapplicableError
        If too few sessions have a portfolio whose events share 30 estimation sessions (or L1, if
        less).

    Notes
    -----
    Source: Jaffe (1974); Mandelker (1974).
    """
    cols, L1 = abnormal.columns(window), len(abnormal.windows.estimation)
    position, ar = abnormal.windows.event_positions[:, cols], abnormal.ar[:, cols]
    seen = np.isfinite(ar) & (abnormal.length[:, cols] == 1) & (weight > 0)[:, None]
    event, _ = np.nonzero(seen)
    at, which = np.unique(position[seen], return_inverse=True)
    if not len(at):
        raise InapplicableError(f"0 sessions, at least {minimum} are needed")
    past = abnormal.windows.estimation_positions
    residuals = residuals_on(abnormal, np.unique(past[past >= 0]))
    order = np.argsort(which.ravel(), kind="stable")
    bounds = np.cumsum(np.bincount(which.ravel(), minlength=len(at)))[:-1]
    members, values = np.split(event[order], bounds), np.split(ar[seen][order], bounds)
    thick = np.array([len(m) >= min_firms for m in members], dtype=bool)[: len(at)]
    sd = _deviations(residuals, members, weight, max(abnormal.k, 1), min(MIN_COMMON, L1))
    keep = thick & np.isfinite(sd)
    if keep.sum() < minimum:
        raise InapplicableError(f"{keep.sum()} sessions, at least {minimum} are needed")
    mean = np.array(
        [np.average(v, weights=weight[m]) for m, v in zip(members, values, strict=True)]
    )
    t, df = t_of_mean((mean / sd)[keep])[:2]
    runs = 1 + int((np.diff(at[keep]) > 1).sum())
    M = abnormal.nobs[
        np.unique(np.concatenate([m for m, k in zip(members, keep, strict=True) if k]))
    ].mean()
    firms = float(np.mean([len(m) for m, k in zip(members, keep, strict=True) if k]))
    note = "mean AR of each session in standard deviations of its portfolio"
    if lost := int((thick & ~keep).sum()):
        note += f"; {lost} sessions whose events share too few estimation sessions left out"
    return JaffeMandelker(
        float(t / np.sqrt(1 + keep.sum() / runs / M)), df, int(keep.sum()), firms, note
    )


def _deviations(
    residuals: Residuals, members: list[IntArray], weight: FloatArray, k: int, need: int
) -> FloatArray:
    """Return the standard deviation of the mean residual of each set of events; NaN below `need`
    sessions."""
    known: dict[tuple[int, ...], float] = {}
    for own in members:
        if (key := tuple(map(int, own))) not in known:
            common = residuals.mask[own].all(axis=0)
            mean = weight[own] @ residuals.values[own][:, common] / weight[own].sum()
            enough = len(mean) >= max(need, k + 1)
            known[key] = (
                float(np.sqrt(((mean - mean.mean()) ** 2).sum() / (len(mean) - k)))
                if enough
                else np.nan
            )
    return np.array([known[tuple(map(int, own))] for own in members])
