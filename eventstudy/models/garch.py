"""Market models whose errors have a variance of their own each day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..abnormal.conventions import SEED
from ..errors import ConfigError, how_to_install
from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel
from ._engines import ENGINES, Fit

FALLBACK = "least squares in place of"
# A persistence this close to one has no long-run variance to return to.
STATIONARY = 1 - 1e-6
SIMULATIONS = 1000
# A likelihood that runs away finds variances that leave those of the data by orders of magnitude.
PLAUSIBLE = 1e3


@dataclass(frozen=True)
class _Volatility(LinearModel):
    """R = alpha + beta R_m + e, e ~ N(0, h_t), by quasi maximum likelihood on the estimation
    window.

    The variance of an event day is the forecast h_T+j from the last complete estimation day plus
    the error of the parameters. The recursion starts from the mean squared residual of least
    squares; days that are missing are passed over. Where the likelihood finds no stationary optimum
    the event is fitted by least squares and says so.
    """

    volatility: ClassVar[dict[str, Any]]
    simulated: ClassVar[bool] = False
    exact = False
    forecasts_variance = True

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Fit event by event with the package ``arch``, starting from least squares."""
        del engine
        ols = ENGINES["batch"](y, X, complete, "nonrobust")
        gap, L2 = windows.event.stop - windows.estimation.stop, len(windows.event)
        params, cov, remark = ols.params.copy(), ols.cov_params.copy(), ols.remark.copy()
        forecast = np.repeat(ols.sigma2[:, None], L2, axis=1)
        e = np.where(complete, y - np.einsum("nlk,nk->nl", np.nan_to_num(X), params), 0.0)
        for i in np.flatnonzero(np.sqrt(np.nan_to_num(ols.sigma2)) > 0):
            horizon = gap + int(np.argmax(complete[i, ::-1]))
            found = self._fit_one(
                y[i, complete[i]], X[i, complete[i], 1], np.sqrt(ols.sigma2[i]), horizon
            )
            if found is None:
                remark[i] = f"{FALLBACK} {self.name}"
                continue
            params[i], cov[i], h = found
            forecast[i] = h[-L2:]
            e[i] = np.where(complete[i], y[i] - np.nan_to_num(X[i]) @ params[i], 0.0)
        sigma2 = (e**2).sum(axis=1) / np.maximum(ols.df_resid, 1)
        sigma2 = np.where(np.isfinite(ols.sigma2), sigma2, np.nan)
        return replace(
            ols, params=params, cov_params=cov, sigma2=sigma2, forecast=forecast, remark=remark
        )

    def _fit_one(
        self, y: FloatArray, x: FloatArray, scale: float, horizon: int
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Return (alpha, beta), their covariance and h_T+1.. of one event, or None without an
        optimum."""
        import warnings

        import pandas as pd

        arch_model = _arch()
        # The likelihood is flat in units of 1e-4: errors are brought to unit variance.
        frame = pd.DataFrame({"beta": x / scale})
        model = arch_model(
            pd.Series(y / scale, name="y"), x=frame, mean="LS", rescale=False, **self.volatility
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = model.fit(disp="off", show_warning=False, backcast=1 - 2 / len(y))
            if fit.convergence_flag != 0 or not self.stationary(fit.params):
                return None
            h = _forecast(fit, horizon, simulated=self.simulated)
            seen = np.r_[np.asarray(fit.conditional_volatility) ** 2, h]
            if not ((seen > 1 / PLAUSIBLE) & (seen < PLAUSIBLE)).all():
                return None
            cov = fit.param_cov.to_numpy()[:2, :2]
        unit = np.array([scale, 1.0])
        params = fit.params.to_numpy()[:2] * unit
        if not (np.isfinite(params).all() and np.isfinite(cov).all()):
            return None
        return params, cov * np.outer(unit, unit), h * scale**2

    @staticmethod
    def stationary(params: Any) -> bool:
        """Tell whether the variance has a long-run mean."""
        gamma = params.get("gamma[1]", 0.0)
        persistence = params["alpha[1]"] + params["beta[1]"] + gamma / 2
        return bool(params["omega"] > 0 and persistence < STATIONARY)


@MODELS.register("garch")
@dataclass(frozen=True)
class Garch(_Volatility):
    """h_t = w + a e^2_t-1 + b h_t-1."""

    name = "garch"
    label = "market model with GARCH(1,1) errors"
    formula = "E[R_it] = alpha_i + beta_i R_mt; h_t = w + a e^2_t-1 + b h_t-1"
    source = "Bollerslev (1986)"
    volatility: ClassVar[dict[str, Any]] = {"vol": "GARCH", "p": 1, "o": 0, "q": 1}


@MODELS.register("gjr")
@dataclass(frozen=True)
class Gjr(_Volatility):
    """GARCH with a larger response to bad news."""

    name = "gjr"
    label = "market model with GJR-GARCH(1,1) errors"
    formula = "E[R_it] = alpha_i + beta_i R_mt; h_t = w + (a + g 1[e<0]) e^2_t-1 + b h_t-1"
    source = "Glosten, Jagannathan and Runkle (1993)"
    volatility: ClassVar[dict[str, Any]] = {"vol": "GARCH", "p": 1, "o": 1, "q": 1}


@MODELS.register("egarch")
@dataclass(frozen=True)
class Egarch(_Volatility):
    """log h_t = w + a (|z_t-1| - E|z|) + g z_t-1 + b log h_t-1; forecasts by seeded simulation."""

    name = "egarch"
    label = "market model with EGARCH(1,1) errors"
    formula = (
        "E[R_it] = alpha_i + beta_i R_mt; log h_t = w + a (|z_t-1| - E|z|) + g z_t-1 + b log h_t-1"
    )
    source = "Nelson (1991)"
    volatility: ClassVar[dict[str, Any]] = {"vol": "EGARCH", "p": 1, "o": 1, "q": 1}
    simulated = True

    @staticmethod
    def stationary(params: Any) -> bool:
        """Tell whether the log variance reverts."""
        return bool(abs(params["beta[1]"]) < STATIONARY)


def _forecast(fit: Any, horizon: int, *, simulated: bool) -> FloatArray:
    """Return the variance forecasts of the next `horizon` sessions, shape (horizon,)."""
    how: dict[str, Any] = {}
    if simulated:
        draw = np.random.default_rng(SEED).standard_normal
        how = {"method": "simulation", "simulations": SIMULATIONS, "rng": draw}
    # The forecast of the mean needs the market of the days ahead, that of the variance does not.
    ahead = {"beta": np.zeros((1, horizon))}
    values = fit.forecast(horizon=horizon, x=ahead, reindex=False, **how).variance
    variance: FloatArray = values.to_numpy()[-1]
    return variance


def _arch() -> Any:
    try:
        from arch import arch_model
    except ImportError:
        raise ConfigError(
            "models of variance need the package arch", remedy=how_to_install("garch")
        ) from None
    return arch_model
