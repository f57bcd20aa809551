"""Abnormal returns, and everything that is cumulated from them, with exact forecast errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..calendars.window import Window
from ..errors import ConfigError
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray, ObjectArray
from ..windows.event_windows import EventWindows
from .conventions import Conventions
from .limit_runs import EXTENDING, RUN, Runs
from .subsamples import Sampled


@dataclass(frozen=True, eq=False, repr=False)
class AbnormalReturns(Sampled):
    """Abnormal returns of n events on L1 estimation and L2 event days; k parameters were estimated.

    Attributes
    ----------
    ar : (n, L2) float array
        Abnormal returns (decimal); NaN where missing, never 0.
    resid : (n, L1) float array
        Estimation residuals; NaN on days left out.
    expected : (n, L2) float array
        Normal returns that the model expects.
    spans, length : (n, L2) int arrays
        Days of the event's clock, and sessions, that each abnormal return spans; 0 where missing.
    x_estimation, x_event : (n, L1, k), (n, L2, k) float arrays
        Regressors.
    nobs, df_resid : (n,) int arrays
        M, the complete estimation days, and M - k.
    sigma2, r2 : (n,) float arrays
        Residual variance e'e/(M-k), and R2.
    noise : (n, L2) float array
        Variance of the error of each event day, without that of the parameters: s2 times the span,
        or the forecast of a model of variance.
    params, cov_params, bread : (n, k), (n, k, k), (n, k, k) float arrays
        Estimates, their covariance, (X'X)^-1.
    problem, remark : (n,) object arrays
        Why an event could not be estimated, and what to know of one that was; "" otherwise.
    runs : Runs, optional
        For each day the return until the first close off a price limit, where limits are known.
    conventions : Conventions
        What tests do where authors differ.
    memo : dict
        What has been computed from this object already, so that tests share it.
    parent, rows : AbnormalReturns and (n,) int array, optional
        The study that these events were taken from, and which of its events they are.
    estimation_days : callable, optional
        Makes `resid` and `x_estimation` anew from the windows and the estimates where they are not
        kept.

    Notes
    -----
    Var(CAR) = sum(noise) + c'X* Cov(theta) X*'c with c selecting the window: the forecast errors of
    an event share one parameter error, so that its days are not independent (Salinger 1992;
    Mikkelson and Partch 1988). The (n, L2, L2) matrix is never built.
    """

    by_event: ClassVar = (
        "ar", "resid", "expected", "spans", "length", "x_estimation", "x_event", "nobs", "df_resid",
        "sigma2",
        "noise", "params", "cov_params", "bread", "r2", "problem", "remark",
    )  # fmt: skip

    model: str
    parameters: tuple[str, ...]
    windows: EventWindows
    ar: FloatArray
    resid: FloatArray
    expected: FloatArray
    spans: IntArray
    length: IntArray
    x_estimation: FloatArray
    x_event: FloatArray
    nobs: IntArray
    df_resid: IntArray
    sigma2: FloatArray
    noise: FloatArray
    params: FloatArray
    cov_params: FloatArray
    bread: FloatArray
    r2: FloatArray
    problem: ObjectArray
    remark: ObjectArray
    runs: Runs | None = None
    conventions: Conventions = field(default_factory=Conventions)
    memo: dict[object, Any] = field(default_factory=dict, repr=False)
    parent: AbnormalReturns | None = field(default=None, repr=False)
    rows: IntArray | None = field(default=None, repr=False)
    estimation_days: Callable[[AbnormalReturns], Mapping[str, FloatArray]] | None = None

    def __repr__(self) -> str:
        return f"<abnormal returns of {len(self)} events over {self.event}, model {self.model}>"

    @property
    def event(self) -> Window:
        """The event window."""
        return self.windows.event

    @property
    def k(self) -> int:
        """Number of parameters estimated per event."""
        return int(self.params.shape[1])

    @cached_property
    def var_ar(self) -> FloatArray:
        """Prediction-error variance of each AR, shape (n, L2): s2 (span + x*'(X'X)^-1 x*)."""
        own = self.noise + form(self.x_event, self.cov_params)
        return np.where(np.isfinite(self.ar), own, np.nan)

    @cached_property
    def sar(self) -> FloatArray:
        """Standardised abnormal returns AR / sqrt(Var(AR)), shape (n, L2) (Patell 1976)."""
        return self.ar / np.sqrt(self.var_ar)

    def sar_over(self, window: Window) -> FloatArray:
        """The `sar` of the days of a window, shape (n, L)."""
        return self.once(("sar", window), lambda study: study.sar[:, self.columns(window)].copy())

    def columns(self, window: Window) -> slice:
        """Return the columns of the event window that `window` covers.

        Raises
        ------
        ConfigError
            If it reaches beyond the event window.
        """
        if window not in self.event:
            raise ConfigError(
                "the window reaches beyond the event window",
                value=str(window),
                remedy=f"keep it inside {self.event}, or widen the event window",
            )
        return slice(window.start - self.event.start, window.stop - self.event.start + 1)

    def inside(self, window: Window) -> BoolArray:
        """Tell which abnormal returns of the window begin and end inside it, shape (n, L)."""
        spans = self.over("spans", self.columns(window))
        begins = np.arange(len(window)) - spans + 1
        inside: BoolArray = (spans > 0) & (begins >= 0)
        return inside

    def covered(self, window: Window) -> IntArray:
        """Count the days of `window` that abnormal returns inside it cover, shape (n,)."""
        spans = self.over("spans", self.columns(window))
        days: IntArray = np.where(self.inside(window), spans, 0).sum(axis=1)
        return days

    def delayed(self, window: Window) -> BoolArray:
        """Tell which events close the last day of `window` at a price limit, shape (n,)."""
        if self.runs is None or self.conventions.limits == "none":
            return np.zeros(len(self), dtype=bool)
        return self.runs.at_limit[:, self.columns(window).stop - 1] & self.inside(window)[:, -1]

    def valid(self, window: Window) -> BoolArray:
        """Tell which events can be used over `window`, shape (n,): those that have all its days.

        Days bridged by a return that spans several sessions count as present if the return ends and
        begins inside the window; a window that ends while trading is halted is not complete. By
        convention ``missing`` an event with some of the days is enough; by ``limits`` one that
        closes the window at a price limit leaves it (drop), or needs a close off the limit later on
        (extend).
        """
        covered, delayed = self.covered(window), self.delayed(window)
        whole: BoolArray = (
            covered == len(window) if self.conventions.missing == "drop" else covered > 0
        )
        if self.conventions.limits == "drop":
            return whole & ~delayed
        if self.runs is None or not delayed.any():
            return whole
        found = np.isfinite(self.runs.ar[:, self.columns(window).stop - 1])
        return whole & (~delayed | found)

    def car(self, window: Window) -> FloatArray:
        """Cumulative abnormal return over `window`, shape (n,); NaN unless :meth:`valid`."""
        return self.once(("car", window), lambda study: study._car(window))

    def var_car(self, window: Window) -> FloatArray:
        """Prediction-error variance of the CAR, c'Vc, shape (n,); NaN unless :meth:`valid`."""
        return self.once(("var_car", window), lambda study: study._var_car(window))

    def _car(self, window: Window) -> FloatArray:
        total = self._taken(window, "ar").sum(axis=1) * self._rescaled(window)
        return np.where(self.valid(window), total, np.nan)

    def _var_car(self, window: Window) -> FloatArray:
        x, noise = self._summed(window), self._taken(window, "noise").sum(axis=1)
        variance = noise + np.einsum("nk,nkj,nj->n", x, self.cov_params, x)
        return np.where(self.valid(window), variance * self._rescaled(window) ** 2, np.nan)

    def extended(self, window: Window) -> BoolArray:
        """Tell which CARs over `window` run on to the first close off a price limit, shape (n,)."""
        if self.conventions.limits not in EXTENDING:
            return np.zeros(len(self), dtype=bool)
        return self.valid(window) & self.delayed(window)

    def sessions_of(self, window: Window) -> tuple[IntArray, DateArray]:
        """Return how many sessions the CAR over `window` covers, and the last of them, each (n,).

        Sessions of an extended window and those that a return bridges count; 0 and NaT without a
        CAR.
        """
        cols = self.columns(window)
        valid, run_on = self.valid(window), self.extended(window)
        count = np.where(self.inside(window), self.over("length", cols), 0).sum(axis=1)
        last = self.windows.dates[:, cols.stop - 1].copy()
        for i in np.flatnonzero(run_on if self.runs is not None else []):
            more = self.runs.length[i, cols.stop - 1] - self.length[i, cols.stop - 1]  # type: ignore[union-attr]
            own = self.windows.calendars[self.windows.calendar[i]]
            at = int(np.searchsorted(own, self.windows.event_positions[i, cols.stop - 1]))
            count[i], last[i] = count[i] + more, self.windows.sessions[own[at + more]]
        return np.where(valid, count, 0), np.where(valid, last, np.datetime64("NaT", "D"))

    def level_car(self, window: Window) -> FloatArray:
        """CAR with the variance of L single sessions, shape (n,), for tests that compare it with
        such sums.

        The sum of the abnormal returns inside the window, times the root of L over the sessions
        that they cover: 1 unless a halt has left the clock, or days are missing by convention.
        """
        inside, cols = self.inside(window), self.columns(window)
        total = np.where(inside, self.over("ar", cols), 0.0).sum(axis=1)
        sessions = np.where(inside, self.over("length", cols), 0).sum(axis=1)
        return np.where(
            self.valid(window), total * np.sqrt(len(window) / np.maximum(sessions, 1)), np.nan
        )

    def _taken(self, window: Window, name: str) -> FloatArray:
        """Return what of `ar`, `noise` or `x_event` enters the CAR, 0 elsewhere, shape (n, L) or
        (n, L, k).

        A last day that closes at a limit is a longer run.
        """
        cols, seen = self.columns(window), self.inside(window)
        own: FloatArray = self.over(name, cols)
        delayed = self.delayed(window) & (self.conventions.limits in EXTENDING)
        if self.runs is not None and delayed.any():
            own = own.copy()
            own[delayed, -1] = getattr(self.runs, RUN[name])[delayed, cols.stop - 1]
        return np.where(seen if own.ndim == 2 else seen[:, :, None], own, 0.0)

    def _summed(self, window: Window) -> FloatArray:
        """The regressors of the days that enter the CAR, summed, shape (n, k)."""
        total: FloatArray = np.einsum("nlk->nk", self._taken(window, "x_event"))
        return total

    def _rescaled(self, window: Window) -> FloatArray:
        """L over the days covered, shape (n,), by convention ``missing="rescale"``; else 1."""
        if self.conventions.missing != "rescale":
            return np.ones(len(self))
        scale: FloatArray = len(window) / np.maximum(self.covered(window), 1)
        return scale

    def car_t(self, window: Window) -> FloatArray:
        """CAR / sqrt(Var(CAR)), the t of each event, shape (n,)."""
        return self.car(window) / np.sqrt(self.var_car(window))

    def car_half_widths(self, window: Window) -> FloatArray:
        """Half the width of the 95% interval of each CAR, shape (n,); NaN where it has no CAR."""
        from scipy.special import stdtrit

        with np.errstate(invalid="ignore"):
            return np.asarray(
                stdtrit(self.df_resid, 0.975) * np.sqrt(self.var_car(window)), dtype=float
            )

    def scar(self, window: Window) -> FloatArray:
        """Standardised CAR, shape (n,): CAR / sqrt(Var(CAR)), or sum SAR / sqrt(L) by
        convention."""
        if self.conventions.scar == "exact":
            return self.car_t(window)
        seen = self.inside(window)
        sar = np.where(seen, self.sar[:, self.columns(window)], 0.0)
        total = sar.sum(axis=1) / np.sqrt(np.maximum(seen.sum(axis=1), 1))
        return np.where(self.valid(window), total, np.nan)

    def bhar(self, window: Window) -> FloatArray:
        """Buy-and-hold abnormal return against the model, prod(1+R) - prod(1+E[R]), shape (n,).

        Of the sessions that the CAR covers. Log returns are turned into simple ones first. NaN for
        volume, turnover and volatility, which nobody can hold.
        """
        cols = self.columns(window)
        if self.windows.measure != "return":
            return np.full(len(self), np.nan)
        expected = self.expected[:, cols]
        actual = expected + self.over("ar", cols)
        run_on = self.extended(window)
        if self.runs is not None and run_on.any():
            expected = expected.copy()
            actual[run_on, -1] = self.runs.actual[run_on, cols.stop - 1]
            expected[run_on, -1] = self.runs.expected[run_on, cols.stop - 1]
        if self.windows.kind == "log":
            actual, expected = np.expm1(actual), np.expm1(expected)
        seen = self.inside(window)
        actual, expected = np.where(seen, actual, 0.0), np.where(seen, expected, 0.0)
        held = np.prod(1 + actual, axis=1) - np.prod(1 + expected, axis=1)
        return np.where(self.valid(window), held, np.nan)

    @cached_property
    def aar(self) -> FloatArray:
        """Mean abnormal return of each day, shape (L2,), limits not extended; NaN where no event
        has one.

        Of the events whose return is of this day alone: one over several sessions is none of its
        last day.
        """
        return _mean(np.where(self.spans == 1, self.ar, np.nan))

    @property
    def in_aar(self) -> IntArray:
        """Number of events in each point of `aar`, shape (L2,)."""
        count: IntArray = ((self.spans == 1) & np.isfinite(self.ar)).sum(axis=0)
        return count

    @cached_property
    def caar(self) -> FloatArray:
        """Mean CAR from the first day of the event window up to each day, shape (L2,).

        Of the events that have all of these days, limits not extended; the cumulated AAR if all
        have them. NaN where none has.
        """
        return np.array([own.mean() if len(own) else np.nan for own in self._from_start])

    @cached_property
    def complete(self) -> IntArray:
        """Number of events in each point of `caar`, shape (L2,)."""
        return np.array([len(own) for own in self._from_start])

    @cached_property
    def _from_start(self) -> list[FloatArray]:
        """The CARs from the first day up to each, of the events that have all of these days."""
        car = (self.unextended.car(Window(self.event.start, int(t))) for t in self.event.days)
        return [own[np.isfinite(own)] for own in car]

    def loadings(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Return the weight of every day's error in the CAR over `window` (docs/methods.md, 4).

        Returns
        -------
        estimation : (n, L1) float array
            -c'X*(X'X)^-1 x_s on the days that were used, else 0.
        event : (n, L2) float array
            1 on the days of the window that are covered, else 0.
        """
        x = self._summed(window)
        inner = -np.einsum("nk,nkj->nj", x, self.bread)
        weights = np.einsum("nj,nlj->nl", inner, np.nan_to_num(self.x_estimation))
        inside, spans = self.inside(window), self.over("spans", self.columns(window))
        event = np.zeros_like(self.ar)
        own = event[:, self.columns(window)]
        for back in range(int(spans.max(initial=1))):
            reached = inside[:, back:] & (spans[:, back:] > back)
            own[:, : len(window) - back][reached] = 1.0
        return np.where(np.isfinite(self.resid), weights, 0.0), event

    def hidden(self, window: Window) -> list[tuple[int, IntArray]]:
        """Return events and the sessions that their CAR covers beside the days of `window`.

        Halted sessions that have left the clock, and the sessions after the window until a close
        off the price limit; as columns of ``windows.sessions``.
        """
        cols = self.columns(window)
        inside, delayed = (
            self.inside(window),
            self.delayed(window) & (self.conventions.limits in EXTENDING),
        )
        bridged = inside & (self.over("length", cols) > self.over("spans", cols))
        out = []
        for i in np.flatnonzero(bridged.any(axis=1) | delayed):
            own = self.windows.calendars[self.windows.calendar[i]]
            at = np.searchsorted(own, self.windows.event_positions[i, cols])
            parts = [
                own[at[t] - self.length[i, cols][t] + 1 : at[t]] for t in np.flatnonzero(bridged[i])
            ]
            if delayed[i] and self.runs is not None:
                first = self.length[i, cols.stop - 1]
                parts.append(
                    own[at[-1] + 1 : at[-1] + self.runs.length[i, cols.stop - 1] - first + 1]
                )
            out.append((int(i), np.concatenate(parts)))
        return out

    @cached_property
    def unextended(self) -> AbnormalReturns:
        """The same abnormal returns with windows that end where they end, limit or not."""
        return self if self.runs is None else self.under(limits="none")


def form(x: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return the quadratic forms x'Ax of n events and L days, (n, L), given x (n, L, k) and A (n,
    k, k)."""
    out: FloatArray = np.einsum("nlk,nlk->nl", x @ matrix, x)
    return out


def _mean(values: FloatArray) -> FloatArray:
    """Mean over events of each column, NaN where none is finite."""
    count = np.isfinite(values).sum(axis=0)
    mean: FloatArray = np.nansum(values, axis=0) / np.where(count > 0, count, np.nan)
    return mean
