"""Market models whose errors have a conditional variance each day: GARCH, GJR and EGARCH."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ..abnormal import Conventions
from ..errors import ConfigError, how_to_install
from ..utility import FloatArray, pd
from ._base import EstimationData, LinearModel
from ._engines import ENGINES, Fit

FALLBACK = "least squares in place of"
# A persistence this close to one has no long-run variance to return to.
STATIONARY = 1 - 1e-6
SIMULATIONS = 1000
# A likelihood that runs away finds variances that leave those of the data by orders of magnitude.
PLAUSIBLE = 1e3


class _Volatility(LinearModel):
    """R = alpha + beta R_m + e, e ~ N(0, h_t), by quasi maximum likelihood.

    The variance of an event day is the forecast h_T+j from the last complete estimation day plus
    the error of the parameters. The recursion starts from the mean squared residual of least
    squares; days that are missing are passed over. Where the likelihood finds no stationary optimum
    the event is fitted by least squares and says so.
    """

    volatility: ClassVar[dict[str, Any]]
    simulated: ClassVar[bool] = False
    exact = False
    by_search = True
    forecasts_variance = True

    def estimate(self, data: EstimationData) -> Fit:
        """Return the estimates, event by event with the package ``arch`` from least squares."""
        y, X, complete, windows, _ = data
        ols = ENGINES["batch"](y, X, complete, "nonrobust")
        gap = windows.event.stop - windows.estimation.stop
        L2 = len(windows.event)
        params = ols.params.copy()
        cov = ols.cov_params.copy()
        remark = ols.remark.copy()
        forecast = np.repeat(ols.sigma2[:, None], L2, axis=1)
        e = np.where(complete, y - np.einsum("nlk,nk->nl", np.nan_to_num(X), params), 0.0)
        for i in np.flatnonzero(np.sqrt(np.nan_to_num(ols.sigma2)) > 0):
            days = complete[i]
            horizon = gap + int(np.argmax(complete[i, ::-1]))
            scale = np.sqrt(ols.sigma2[i])
            estimates = self._fit_one(y[i, days], X[i, days, 1], scale, horizon)
            if estimates is None:
                remark[i] = f"{FALLBACK} {self.name}"
                continue
            params[i], cov[i], h = estimates
            forecast[i] = h[-L2:]
            e[i] = np.where(days, y[i] - np.nan_to_num(X[i]) @ params[i], 0.0)
        sigma2 = (e**2).sum(axis=1) / np.maximum(ols.df_resid, 1)
        sigma2 = np.where(np.isfinite(ols.sigma2), sigma2, np.nan)
        ols = replace(ols, params=params, cov_params=cov, sigma2=sigma2)
        return replace(ols, forecast=forecast, remark=remark)

    def _fit_one(
        self, y: FloatArray, x: FloatArray, scale: float, horizon: int
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Return (alpha, beta), their covariance and h_T+1.., or None without an optimum."""
        import warnings

        # The likelihood is flat in units of 1e-4: errors are brought to unit variance.
        returns = pd.Series(y / scale, name="y")
        market = pd.DataFrame({"beta": x / scale})
        model = _arch()(returns, x=market, mean="LS", rescale=False, **self.volatility)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = model.fit(disp="off", show_warning=False, backcast=1 - 2 / len(y))
            if fit.convergence_flag != 0 or not self.stationary(fit.params):
                return None
            h = _forecast(fit, horizon, simulated=self.simulated)
            path = np.r_[np.asarray(fit.conditional_volatility) ** 2, h]
            if not ((path > 1 / PLAUSIBLE) & (path < PLAUSIBLE)).all():
                return None
            cov = fit.param_cov.to_numpy()[:2, :2]
        unit = np.array([scale, 1.0])
        params = fit.params.to_numpy()[:2] * unit
        if not (np.isfinite(params).all() and np.isfinite(cov).all()):
            return None
        return params, cov * np.outer(unit, unit), h * scale**2

    @staticmethod
    def stationary(params: Any) -> bool:
        """Return whether the variance has a long-run mean."""
        persistence = params["alpha[1]"] + params["beta[1]"] + params.get("gamma[1]", 0.0) / 2
        return bool(params["omega"] > 0 and persistence < STATIONARY)


class Garch(_Volatility, name="garch"):
    r"""The market model with GARCH(1,1) errors.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}, \quad
        h_t = w + a e_{t-1}^2 + b h_{t-1}

    - :math:`R_{it}` and :math:`R_{mt}` are the returns of firm i and of its market on day t.
    - :math:`h_t` is the variance of the error :math:`e_{it}`.
    - :math:`\alpha_i, \beta_i, w, a` and b are the parameters. They are estimated by quasi maximum
      likelihood on the estimation window.
    - :math:`\alpha_i + \beta_i R_{mt}` is the normal return.

    The variance of an abnormal return has two parts. One is the forecast of :math:`h_t`, made on
    the last complete estimation day. The other comes from the estimation errors of alpha and beta.

    If the estimation finds no stationary optimum for an event, the program estimates the market
    model by least squares. The event then has the flag ``fallback_model``.

    Missing data: the estimation leaves out a day if the return of the share or of the market is
    missing.

    References
    ----------
    Bollerslev, T. (1986), Generalized autoregressive conditional heteroskedasticity, Journal of
    Econometrics 31, 307-327.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AAPL"], "announced_at": ["2018-04-04"]})
    >>> results = es.study(news, "sample", model="garch")
    >>> results.car([(0, 1)])["car"].round(4).item()
    0.0027
    """

    label = "market model with GARCH(1,1) errors"
    formula = "E[R_it] = alpha_i + beta_i R_mt; h_t = w + a e^2_t-1 + b h_t-1"
    source = "Bollerslev (1986)"
    volatility: ClassVar[dict[str, Any]] = {"vol": "GARCH", "p": 1, "o": 0, "q": 1}


class Gjr(_Volatility, name="gjr"):
    r"""Market model with GJR-GARCH(1,1) errors: bad news may raise variance more than good news.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}, \quad
        h_t = w + (a + g 1[e_{t-1} < 0]) e_{t-1}^2 + b h_{t-1}

    - :math:`R_{it}` and :math:`R_{mt}` are the returns of firm i and of its market on day t.
    - :math:`h_t` is the variance of the error :math:`e_{it}`.
    - :math:`1[e_{t-1} < 0]` is 1 if the error of the day before is negative, and 0 otherwise.
    - :math:`\alpha_i, \beta_i, w, a, g` and b are the parameters.
    - :math:`\alpha_i + \beta_i R_{mt}` is the normal return.

    The program estimates the parameters, and the variance of an abnormal return, as in the model
    ``garch``.

    Missing data are treated as in the model ``garch``.

    References
    ----------
    Glosten, L. R., Jagannathan, R. and Runkle, D. E. (1993), On the relation between the expected
    value and the volatility of the nominal excess return on stocks, Journal of Finance 48,
    1779-1801.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AAPL"], "announced_at": ["2018-04-04"]})
    >>> results = es.study(news, "sample", model="gjr")
    >>> results.car([(0, 1)])["car"].round(4).item()
    0.0026
    """

    label = "market model with GJR-GARCH(1,1) errors"
    formula = "E[R_it] = alpha_i + beta_i R_mt; h_t = w + (a + g 1[e<0]) e^2_t-1 + b h_t-1"
    source = "Glosten, Jagannathan and Runkle (1993)"
    volatility: ClassVar[dict[str, Any]] = {"vol": "GARCH", "p": 1, "o": 1, "q": 1}


class Egarch(_Volatility, name="egarch"):
    r"""Market model with EGARCH(1,1) errors, whose variance is forecast by simulation.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}, \quad
        \log h_t = w + a (|z_{t-1}| - E|z|) + g z_{t-1} + b \log h_{t-1}

    - :math:`R_{it}` and :math:`R_{mt}` are the returns of firm i and of its market on day t.
    - :math:`h_t` is the variance of the error :math:`e_{it}`, and :math:`z_t = e_{it} /
      \sqrt{h_t}`.
    - :math:`\alpha_i, \beta_i, w, a, g` and b are the parameters.
    - :math:`\alpha_i + \beta_i R_{mt}` is the normal return.

    The program estimates the parameters and the variance of an abnormal return as for the model
    ``garch``. But the forecast of h is the mean of 1,000 simulated paths, with a fixed seed.

    Missing data are treated as in the model ``garch``.

    References
    ----------
    Nelson, D. B. (1991), Conditional heteroskedasticity in asset returns: a new approach,
    Econometrica 59, 347-370.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AAPL"], "announced_at": ["2018-04-04"]})
    >>> results = es.study(news, "sample", model="egarch")
    >>> results.car([(0, 1)])["car"].round(4).item()
    0.003
    """

    label = "market model with EGARCH(1,1) errors"
    formula = (
        "E[R_it] = alpha_i + beta_i R_mt; log h_t = w + a (|z_t-1| - E|z|) + g z_t-1 + b log h_t-1"
    )
    source = "Nelson (1991)"
    volatility: ClassVar[dict[str, Any]] = {"vol": "EGARCH", "p": 1, "o": 1, "q": 1}
    simulated = True

    @staticmethod
    def stationary(params: Any) -> bool:
        """Return whether the log variance reverts."""
        return bool(abs(params["beta[1]"]) < STATIONARY)


def _forecast(fit: Any, horizon: int, *, simulated: bool) -> FloatArray:
    """Return the variance forecasts of the next `horizon` sessions, shape (horizon,)."""
    options: dict[str, Any] = {}
    if simulated:
        draw = np.random.default_rng(Conventions.SEED).standard_normal
        options = {"method": "simulation", "simulations": SIMULATIONS, "rng": draw}
    # The forecast of the mean needs the market of the days ahead, that of the variance does not.
    ahead = {"beta": np.zeros((1, horizon))}
    values = fit.forecast(horizon=horizon, x=ahead, reindex=False, **options).variance
    return np.asarray(values.to_numpy()[-1])


def _arch() -> Any:
    try:
        from arch import arch_model
    except ImportError:
        remedy = how_to_install("arch")
        raise ConfigError("GARCH models need the package arch", remedy=remedy) from None
    return arch_model
