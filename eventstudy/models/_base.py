"""What every model of normal returns shares: estimation, forecast and its error."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..abnormal.conventions import Conventions
from ..errors import ConfigError
from ..returns.series import MARKET, Factor
from ..utility.chunks import CHUNK, SMALL_CHUNK, joined
from ..utility.lazy_records import Pieces
from ..utility.registry import Registry
from ..utility.typing import AnyArray, BoolArray, CovType, Engine, FloatArray, IntArray, ObjectArray
from ..utility.workers import current
from ..windows.event_windows import EventWindows
from ._engines import ENGINES, Fit

MODELS: Registry[type[LinearModel]] = Registry("model")

# A smaller residual standard deviation than this is a price that does not move, not a forecast.
NO_VARIANCE = 1e-10
# docs/methods.md, 1.4: fewer complete estimation days than k + 5 leave no usable variance.
SPARE_DAYS = 5


@dataclass(frozen=True)
class LinearModel:
    """A model of normal returns that is linear in its parameters.

    A subclass states what it needs (`factors`), what it estimates (`parameters`) and how the
    regressors are made (`design`); estimation, abnormal returns and their exact prediction-error
    variance follow from that (docs/methods.md, 2).

    Parameters
    ----------
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
        Covariance of the parameters, which enters the prediction-error variance.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    formula: ClassVar[str]
    source: ClassVar[str]
    # Whether the prediction-error variance is that of the estimator, or of least squares in its
    # place.
    exact: ClassVar[bool] = True
    # Whether each event day has a forecast variance of its own.
    forecasts_variance: ClassVar[bool] = False
    # Whether returns over several sessions belong into the estimation window.
    keep_spans: ClassVar[bool] = False

    cov_type: CovType = "nonrobust"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The series that the model needs, in the order of ``EventWindows.factors``."""
        return (MARKET,)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the k estimated parameters."""
        return ("alpha", "beta")

    def bound(self, columns: Collection[str]) -> LinearModel:
        """Return the model for factor files with these columns; itself if it needs none."""
        del columns
        return self

    def design(self, windows: EventWindows) -> FloatArray:
        """Return the regressors, shape (n, L1+L2, k).

        A return that spans m sessions has the intercept m and the sum of the factor
        (docs/methods.md, 1.5).
        """
        own = windows.factors[:, :, : len(self.factors)]
        # Each regressor lies in one piece of memory: what follows takes them one by one.
        X = np.moveaxis(np.empty((own.shape[2] + 1, *own.shape[:2])), 0, 2)
        np.maximum(windows.length, 1, out=X[:, :, 0])
        X[:, :, 1:] = own
        return X

    def response(self, windows: EventWindows) -> FloatArray:
        """Return what is explained, shape (n, L1+L2): the firm's return."""
        return windows.returns

    def fit(self, windows: EventWindows, *, engine: Engine = "statsmodels") -> AbnormalReturns:
        """Estimate on the estimation window and forecast the event window.

        Parameters
        ----------
        windows : EventWindows
            n events; days with a missing return or regressor are left out of the estimation.
        engine : {"statsmodels", "batch"}

        Returns
        -------
        AbnormalReturns
            Rows of events that cannot be estimated are NaN; `problem` says why.

        Raises
        ------
        ConfigError
            If `cov_type` is not "nonrobust" with the batch engine, which knows no other, or for a
            model that is not fitted by least squares.
        """
        self.check_covariance(engine)
        # Least squares all at once takes less time than to send its arrays away.
        alone = engine == "batch" and self.least_squares
        over, size = (current().threads, CHUNK) if alone else (current().map, SMALL_CHUNK)
        one = partial(self.fitted, engine=engine, kept=windows.kept)
        found = joined(len(windows), over(one, Pieces(windows, size)))
        own: dict[str, Any] = {"model": self.name, "parameters": self.parameters}
        if windows.kept:
            return AbnormalReturns(**own, windows=windows, **found)
        windows = windows.altered(masked=found.pop("masked"))
        return AbnormalReturns.holding(
            **own, windows=windows, **found, estimation_days=self.estimation_days, runs=None,
            memo={},
            conventions=Conventions(), parent=None, rows=None,
        )  # fmt: skip

    def fitted(
        self, windows: EventWindows, *, engine: Engine, kept: bool = True
    ) -> dict[str, AnyArray]:
        """Return the arrays by event of :meth:`fit` for a chunk of events.

        Without those of estimation days, but with the number of masked ones, if they are not
        `kept`.
        """
        y, X, complete = self._data(windows)
        L1 = len(windows.estimation)
        fit = self.estimate(y[:, :L1], X[:, :L1], complete[:, :L1], windows, engine=engine)
        fit, problem = checked(fit, _moves(windows.returns[:, :L1]), self.factors)
        days = slice(0 if kept else L1, None)
        ar = _unexplained(
            y[:, days], X[:, days], complete[:, days] & (problem == "")[:, None], fit.params
        )
        resid, ar = np.split(ar, [ar.shape[1] - len(windows.event)], axis=1)
        seen = np.isfinite(ar)
        spans, length = (np.where(seen, own[:, L1:], 0) for own in (windows.spans, windows.length))
        found = {
            "ar": ar, "expected": windows.returns[:, L1:] - ar,
            "spans": spans, "length": length, "noise": noise(fit, spans, length),
            "x_event": X[:, L1:], "nobs": fit.nobs, "df_resid": fit.df_resid,
            "sigma2": fit.sigma2, "params": fit.params, "cov_params": fit.cov_params,
            "bread": fit.bread,
            "r2": fit.r2, "problem": problem, "remark": fit.remark,
        }  # fmt: skip
        if not kept:
            return found | {"masked": windows.masked}
        return found | {"resid": resid, "x_estimation": X[:, :L1]}

    def estimation_days(self, abnormal: AbnormalReturns) -> dict[str, FloatArray]:
        """Return `resid` and `x_estimation` of fitted events, the bits of :meth:`fit`."""
        windows = abnormal.windows.before
        (y, X, complete), before = self._data(windows), slice(0, len(windows.estimation))
        used = complete[:, before] & (abnormal.problem == "")[:, None]
        resid = _unexplained(y[:, before], X[:, before], used, abnormal.params)
        return {"resid": resid, "x_estimation": X[:, before]}

    def _data(self, windows: EventWindows) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return the response (n, L), the regressors (n, L, k), and where none of them is missing
        (n, L)."""
        y, X = self.response(windows), self.design(windows)
        complete = np.isfinite(y)
        for j in range(X.shape[2]):
            complete &= np.isfinite(X[:, :, j])
        return y, X, complete

    @property
    def least_squares(self) -> bool:
        """Whether the estimates are those of least squares on the design."""
        return type(self).estimate is LinearModel.estimate

    def check_covariance(self, engine: Engine = "statsmodels") -> None:
        """Raise ConfigError where there is no covariance of the kind `cov_type`."""
        if self.cov_type == "nonrobust":
            return
        if not self.least_squares:
            raise ConfigError(
                f"the {self.label} is not fitted by least squares and has no such covariance",
                where="cov_type", value=self.cov_type, remedy="leave it out",
            )  # fmt: skip
        if engine != "statsmodels":
            raise ConfigError(
                "this covariance needs the engine statsmodels",
                where="cov_type",
                value=self.cov_type,
            )

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Estimate the parameters of n events from y (n, L1) and X (n, L1, k) on the complete
        days."""
        del windows
        return ENGINES[engine](y, X, complete, self.cov_type)


def noise(fit: Fit, spans: IntArray, length: IntArray) -> FloatArray:
    """Return the variance of the error of each event day, (n, L2): s2 or its forecast, over the
    sessions.

    A forecast is summed over the days of the clock that a return spans, and scaled to its sessions
    where halted ones have left the clock.
    """
    if fit.forecast is None:
        return fit.sigma2[:, None] * length
    total = np.pad(np.cumsum(fit.forecast, axis=1), ((0, 0), (1, 0)))
    stop = np.arange(1, total.shape[1])
    before = np.take_along_axis(total, np.maximum(stop - spans, 0), axis=1)
    return np.where(spans > 0, (total[:, 1:] - before) * length / np.maximum(spans, 1), 0.0)


def checked(
    fit: Fit, moves: BoolArray, factors: tuple[Factor, ...] = (MARKET,)
) -> tuple[Fit, ObjectArray]:
    """Blank the fits that carry no information and say why, one text per event."""
    need = fit.k + SPARE_DAYS
    problem = fit.problem.copy()
    with np.errstate(invalid="ignore"):
        flat = (problem == "") & (~(np.sqrt(fit.sigma2) > NO_VARIANCE) | ~moves)
    problem[flat] = (
        "the residuals have no variance: the price does not move, or is the benchmark itself"
    )
    alone = len(factors) == 1
    problem[fit.collinear] = (
        "the benchmark does not vary over the estimation window"
        if alone
        else "the regressors are collinear, or one does not vary, over the estimation window"
    )
    for i in np.flatnonzero(fit.nobs < need):
        problem[i] = (
            f"{fit.nobs[i]} usable days in the estimation window, at least {need} are needed"
        )
    return fit.blanked(problem != ""), problem


def _unexplained(y: FloatArray, X: FloatArray, used: BoolArray, params: FloatArray) -> FloatArray:
    """Return y - X params on the days that are `used`, NaN elsewhere, shape (n, L)."""
    out = np.where(used, y, np.nan)
    with np.errstate(invalid="ignore"):
        for j in range(params.shape[1]):
            out -= X[:, :, j] * params[:, j, None]
    return out


def _moves(returns: FloatArray) -> BoolArray:
    """Tell which events have estimation returns (n, L1) that differ, shape (n,)."""
    # Two days tell it of nearly all events.
    with np.errstate(invalid="ignore"):
        moves: BoolArray = abs(returns[:, 0] - returns[:, -1]) > 0
    rest = returns[~moves]
    moves[~moves] = np.fmax.reduce(rest, axis=1) > np.fmin.reduce(rest, axis=1)
    return moves
