"""Tests as others compute them, to show what a convention is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from designs import RANKS
from scipy import stats

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.dependence import WeightedSums
from eventstudy.significance import STATISTICS, Alternative, pvalue

PValue = Callable[[AbnormalReturns, Window], float]


def registered(name: str, alternative: Alternative = "two-sided", **conventions: object) -> PValue:
    """Return a registered test under other conventions, or one-sided."""

    def p(fit: AbnormalReturns, window: Window) -> float:
        sample = fit.under(**conventions) if conventions else fit
        return STATISTICS[name](sample, window, alternative=alternative).pvalue

    return p


def cr1(fit: AbnormalReturns, window: Window) -> float:
    """Date-clustered t with CR1 and t(G-1)."""
    t, G = _cr1(fit, window)
    return pvalue(t, G - 1.0)


def cr1_normal(fit: AbnormalReturns, window: Window) -> float:
    """The same against the normal law."""
    return pvalue(_cr1(fit, window)[0], np.inf)


def _cr1(fit: AbnormalReturns, window: Window) -> tuple[float, int]:
    car = fit.car(window)
    _, cluster = np.unique(fit.windows.day0, return_inverse=True)
    G = int(cluster.max()) + 1
    total = np.bincount(cluster, weights=car - car.mean())
    return float(car.sum() / np.sqrt(G / (G - 1) * (total**2).sum())), G


def calendar_time_plain(fit: AbnormalReturns, window: Window) -> float:
    """Calendar time without the factor for the error of the parameters."""
    return _calendar_time(fit, window, 0)


def calendar_time_window(fit: AbnormalReturns, window: Window) -> float:
    """Return the p of calendar time with sqrt(1 + L/M).

    Only the days of one event share the error of its parameters, not those of events in a row.
    """
    return _calendar_time(fit, window, len(window))


def _calendar_time(fit: AbnormalReturns, window: Window, days: int) -> float:
    """Return the p of calendar time with `days` in place of the length of the runs of sessions."""
    result = STATISTICS["calendar_time"](fit, window)
    sessions = np.unique(fit.windows.positions[:, -len(fit.event) :][:, fit.columns(window)])
    runs, M = 1 + int((np.diff(sessions) > 1).sum()), fit.nobs.mean()
    factor = np.sqrt((1 + len(sessions) / runs / M) / (1 + days / M))
    return pvalue(result.statistic * factor, result.df) if np.isfinite(result.df) else np.nan


def same_session(fit: AbnormalReturns, window: Window) -> float:
    """BMP-KP that pairs New York and Shanghai on the same session only."""
    windows = fit.windows.altered(hours=np.tile([0.0, 24.0], (len(fit), 1)))
    return STATISTICS["bmp_kp"](fit.as_study(windows=windows), window).pvalue


def larger_p(fit: AbnormalReturns, window: Window) -> float:
    """The larger p of BMP-KP and calendar time."""
    return max(STATISTICS[name](fit, window).pvalue for name in ("bmp_kp", "calendar_time"))


def mvrm_f(fit: AbnormalReturns, window: Window) -> float:
    """MVRM against F(N, nu-N+1), exact for normal returns."""
    n, nu = len(fit), int(fit.df_resid[0])
    return float(stats.f.sf(STATISTICS["mvrm"](fit, window).statistic, n, nu - n + 1))


def equal_scale(name: str) -> PValue:
    """Return a rank test whose day sums take no account of the correlation of events on one
    date."""

    def p(fit: AbnormalReturns, window: Window) -> float:
        without = fit.as_study()
        known = WeightedSums(without, window).correlation
        keys = [key for key, value in without.facts.items() if value is known]
        without.facts.update(dict.fromkeys(keys, replace(known, same_date=0.0)))
        return STATISTICS[name](without, window).pvalue

    return p


def naive(fit: AbnormalReturns, window: Window) -> float:
    """CAR / (s sqrt L) of one event against t(M-k): no error of the forecast."""
    return pvalue(_naive(fit, window), float(fit.df_resid[0]))


def ddof0(fit: AbnormalReturns, window: Window) -> float:
    """The same with s^2 = e'e/M against the normal law."""
    return pvalue(_naive(fit, window) * np.sqrt(fit.nobs[0] / fit.df_resid[0]), np.inf)


def _naive(fit: AbnormalReturns, window: Window) -> float:
    return float(fit.car(window)[0] / np.sqrt(fit.sigma2[0] * len(window)))


VARIANTS: dict[str, PValue] = {
    "patell_sum": registered("patell", scar="sum"),
    "corrado_fpc": registered("corrado", fpc=True),
    "bmp_kp_share": registered("bmp_kp", overlap="share"),
    "bmp_kp_same_session": same_session,
    "date_clustered_cr1": cr1,
    "date_clustered_normal": cr1_normal,
    "calendar_time_plain": calendar_time_plain,
    "calendar_time_window": calendar_time_window,
    "larger_p": larger_p,
    "mvrm_f": mvrm_f,
    **{f"{name}_equal_scale": equal_scale(name) for name in RANKS},
    "event_t_naive": naive,
    "event_t_ddof0": ddof0,
    "event_t_less": registered("event_t", "less"),
    "event_t_greater": registered("event_t", "greater"),
    "sq_less": registered("sq", "less"),
    "sq_greater": registered("sq", "greater"),
}
