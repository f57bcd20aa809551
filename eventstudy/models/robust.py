"""Market models whose beta stands thin trading or outliers in the estimation window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..errors import ConfigError
from ..returns import Factor
from ..utility import BoolArray, FloatArray
from ..windows import EventWindows
from ..words import Reason
from ._base import EstimationData, LinearModel
from ._engines import Fit, around

# Below this 1 + 2 rho the sum of the three slopes is divided by next to nothing.
SMALLEST_DIVISOR = 0.25
FEWEST = 3


class ScholesWilliams(LinearModel, name="scholes_williams"):
    r"""The market model for shares that trade seldom, with the beta of Scholes and Williams.

    Notes
    -----
    .. math::

        \beta_{SW} = \frac{b_{-1} + b_0 + b_{+1}}{1 + 2 \rho_m}, \quad
        \alpha = \bar R - \beta_{SW} \bar R_m

    - :math:`b_{-1}, b_0` and :math:`b_{+1}` are the slopes of three regressions of the return of
      the share: on the return of the market the day before, the same day and the day after.
    - :math:`\rho_m` is the correlation between the market returns of two consecutive days of the
      estimation window.
    - :math:`\bar R` and :math:`\bar R_m` are the mean returns of the share and of the market.

    The normal return of day t is :math:`\alpha + \beta_{SW} R_{mt}`. The variance of an abnormal
    return is an approximation. The program uses the variance formula of the market model, with the
    residuals :math:`R_{it} - \alpha - \beta_{SW} R_{mt}`.

    If the divisor :math:`1 + 2 \rho_m` is below 0.25, the model has no result for the event.

    Missing data: the regressions and the means use a day only if the share and the market have
    returns on the day itself, the day before and the day after. All three days must be in the
    estimation window.

    References
    ----------
    Scholes, M. and Williams, J. (1977), Estimating betas from nonsynchronous data, Journal of
    Financial Economics 5, 309-327.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="scholes_williams")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.083
    """

    label = "Scholes-Williams model"
    formula = "E[R_it] = alpha_i + beta_SW,i R_mt"
    source = "Scholes and Williams (1977)"
    exact = False

    def estimate(self, data: EstimationData) -> Fit:
        """Return the estimates; events with a market too negatively autocorrelated have none."""
        n = len(data.y)
        params = np.full((n, 2), np.nan)
        problem = np.full(n, "", dtype=object)
        for i in range(n):
            alpha, beta, divisor = thin_beta(data.y[i], data.X[i, :, 1], data.complete[i])
            params[i] = alpha, beta
            if np.isnan(divisor):
                problem[i] = Reason("few_neighbours", needed=FEWEST)
            elif divisor < SMALLEST_DIVISOR:
                problem[i] = Reason("no_scholes_williams", divisor=float(divisor))
        return replace(around(params, data.y, data.X, data.complete), problem=problem)


@dataclass(frozen=True)
class Dimson(LinearModel, name="dimson"):
    r"""Market model that also uses the market's returns of the days before and after.

    Parameters
    ----------
    lags, leads : int
        Numbers of sessions before and after a day, each at least 0. The regression uses the market
        returns of the day itself and of all these sessions.
    sum_beta : bool
        If true, the normal return is alpha + beta R_m, and the variance of the abnormal returns is
        only an approximation. Beta is the sum of the slopes of the regression, and R_m is the
        market return of the same day. Alpha is the mean return of the share minus beta times the
        mean of R_m, both over the estimation days.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \sum_{j=-lags}^{leads} \beta_{ij} R_{m,t+j} + e_{it}

    - :math:`R_{it}` is the return of firm i on day t.
    - :math:`R_{m,t+j}` is the return of the market j days after day t. If j is negative, the day is
      before day t.
    - :math:`\alpha_i` and :math:`\beta_{ij}` are the k = 2 + lags + leads parameters, and
      :math:`e_{it}` is the error.

    If `sum_beta` is false, the normal return is the forecast of this regression, and the variance
    of the abnormal returns is exact.

    Missing data: the estimation leaves out a day if the return of the share, or one of the market
    returns in the formula, is missing.

    References
    ----------
    Dimson, E. (1979), Risk measurement when shares are subject to infrequent trading, Journal of
    Financial Economics 7, 197-226.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="dimson")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0811
    """

    label = "Dimson model"
    formula = "E[R_it] = alpha_i + sum_j beta_ij R_m,t+j"
    source = "Dimson (1979)"

    lags: int = 1
    leads: int = 1
    sum_beta: bool = False

    def __post_init__(self) -> None:
        if self.lags < 0 or self.leads < 0:
            counts = self.lags, self.leads
            raise ConfigError("lags and leads are counts", where=self.name, value=counts)

    @property
    def exact(self) -> bool:  # type: ignore[override]
        """Whether the forecast variance is exact."""
        return not self.sum_beta

    @property
    def least_squares(self) -> bool:
        """Whether the estimates are those of least squares on the design."""
        return not self.sum_beta

    def estimate(self, data: EstimationData) -> Fit:
        """Return the estimates of the full regression, or those with the slopes in one."""
        fit = super().estimate(data)
        if not self.sum_beta:
            return fit
        today = 1 + self.lags
        (y, X, complete) = data[:3]
        params = np.zeros_like(fit.params)
        days = np.maximum(fit.nobs, 1)
        params[:, today] = fit.params[:, 1:].sum(axis=1)
        R, R_m = (np.where(complete, v, 0.0).sum(axis=1) / days for v in (y, X[:, :, today]))
        params[:, 0] = R - params[:, today] * R_m
        return replace(around(params, y, X, complete), collinear=fit.collinear)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The market on each of the days."""
        return tuple(Factor("market", lag=j) for j in self._days)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Intercept and a slope for each day; their sum is Dimson's beta."""
        return ("alpha", *(f"beta{j:+d}" if j else "beta" for j in self._days))

    @property
    def _days(self) -> range:
        return range(-self.lags, self.leads + 1)


class TradeToTrade(LinearModel, name="trade_to_trade"):
    r"""The market model for returns from one trade to the next, which may cover several sessions.

    Notes
    -----
    .. math::

        \frac{R_{it}}{\sqrt{n_t}} = \alpha_i \sqrt{n_t}
        + \beta_i \frac{\sum R_m}{\sqrt{n_t}} + e_{it}

    - :math:`R_{it}` is the return of firm i from its last trade before day t to day t.
    - :math:`n_t` is the number of sessions that this return covers.
    - :math:`\sum R_m` is the sum of the market returns of these sessions.
    - :math:`\alpha_i` and :math:`\beta_i` are the parameters, and :math:`e_{it}` is the error. The
      square root of :math:`n_t` gives the errors of all days the same variance.

    The normal return of day t is :math:`n_t \alpha_i + \beta_i \sum R_m`. With ``halt="shift"``,
    the normal return includes alpha for at most ``halt_drift`` sessions of a halt, as in all
    models.

    Missing data: if a share did not trade for some sessions, its next return covers these sessions,
    and the estimation uses this return.

    References
    ----------
    Maynes, E. and Rumsey, J. (1993), Conducting event studies with thinly traded stocks, Journal of
    Banking & Finance 17, 145-157.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="trade_to_trade")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0744
    """

    label = "trade-to-trade market model"
    formula = "E[R_it] = n_t alpha_i + beta_i sum R_m over the n_t sessions since the last trade"
    source = "Maynes and Rumsey (1993)"
    keep_spans: ClassVar[bool] = True

    def design(self, windows: EventWindows) -> FloatArray:
        """Return intercept and market, (n, L1+L2, 2); weighted on the estimation days."""
        return super().design(windows) / self._root(windows)[:, :, None]

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the returns, (n, L1+L2); weighted on the estimation days."""
        return windows.returns / self._root(windows)

    @staticmethod
    def _root(windows: EventWindows) -> FloatArray:
        root = np.sqrt(np.maximum(windows.length, 1))
        root[:, len(windows.estimation) :] = 1.0
        return root


def thin_beta(y: FloatArray, market: FloatArray, complete: BoolArray) -> tuple[float, float, float]:
    """Return alpha, beta and 1 + 2 rho_m of one event; the first two are raw if the last is small.

    Parameters
    ----------
    y, market : (L1,) float arrays
    complete : (L1,) bool array
        Days that have both; a day enters with both its neighbours only.

    Returns
    -------
    alpha, beta, divisor : float
        NaN for fewer than three days.
    """
    inner = np.flatnonzero(complete[1:-1] & complete[:-2] & complete[2:]) + 1
    pairs = np.flatnonzero(complete[1:] & complete[:-1]) + 1
    if len(inner) < FEWEST:
        return np.nan, np.nan, np.nan
    divisor = 1 + 2 * float(np.corrcoef(market[pairs], market[pairs - 1])[0, 1])
    beta = sum(_slope(y[inner], market[inner + lag]) for lag in (-1, 0, 1)) / divisor
    return float(y[inner].mean() - beta * market[inner].mean()), beta, divisor


def _slope(y: FloatArray, x: FloatArray) -> float:
    deviation = x - x.mean()
    return float(deviation @ y / (deviation @ deviation))


class _Robust(LinearModel):
    """Estimates by another method, with the variance of least squares around them."""

    exact = False
    by_search = True

    def estimate(self, data: EstimationData) -> Fit:
        """Return the estimates, event by event; either engine comes to the same."""
        params = np.full((len(data.y), 2), np.nan)
        for i in np.flatnonzero(data.complete.sum(axis=1) > 2):
            days = data.complete[i]
            y = data.y[i, days]
            market = data.X[i, days, 1]
            if np.ptp(y) > 0 and np.ptp(market) > 0:
                params[i] = self.line(y, market)
        return around(params, data.y, data.X, data.complete)

    def line(self, y: FloatArray, x: FloatArray) -> tuple[float, float]:
        """Return intercept and slope of a line.

        Parameters
        ----------
        y, x : (M,) float arrays
            Decimal returns of the firm and of the market.

        Returns
        -------
        intercept, slope : float
        """
        raise NotImplementedError


class TheilSen(_Robust, name="theil_sen"):
    r"""The market model whose slope is the median of the slopes of all pairs of days.

    Notes
    -----
    .. math::

        \beta_i = \operatorname{median}_{s<t} \frac{R_{it} - R_{is}}{R_{mt} - R_{ms}}, \quad
        \alpha_i = \operatorname{median}_t (R_{it} - \beta_i R_{mt})

    - :math:`R_{it}` and :math:`R_{mt}` are the returns of firm i and of its market on day t.
    - The first median is taken over all pairs of estimation days s and t, the second over all
      estimation days t.

    The normal return of day t is :math:`\alpha_i + \beta_i R_{mt}`. The variance of an abnormal
    return is an approximation. The program uses the formula of least squares, with the residuals of
    the Theil-Sen line.

    Missing data: the estimation leaves out a day if the return of the share or of the market is
    missing.

    References
    ----------
    Theil, H. (1950), A rank-invariant method of linear and polynomial regression analysis,
    Proceedings of the Koninklijke Nederlandse Akademie van Wetenschappen 53, 386-392, 521-525,
    1397-1412. Sen, P. K. (1968), Estimates of the regression coefficient based on Kendall's tau,
    Journal of the American Statistical Association 63, 1379-1389. Dombrow, J., Rodriguez, M. and
    Sirmans, C. F. (2000), A complete nonparametric event study approach, Review of Quantitative
    Finance and Accounting 14, 361-380.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="theil_sen")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0685
    """

    label = "Theil-Sen market model"
    formula = "E[R_it] = alpha_i + beta_i R_mt, beta_i the median slope of all pairs of days"
    source = "Theil (1950); Sen (1968); Dombrow, Rodriguez and Sirmans (2000)"

    def line(self, y: FloatArray, x: FloatArray) -> tuple[float, float]:
        """Return intercept and slope by ``scipy.stats.theilslopes``.

        Parameters
        ----------
        y, x : (M,) float arrays
            Decimal returns of the firm and of the market.

        Returns
        -------
        intercept, slope : float
        """
        from scipy.stats import theilslopes

        fit = theilslopes(y, x, method="joint")
        return float(fit.intercept), float(fit.slope)


class Huber(_Robust, name="huber"):
    r"""The market model estimated by Huber's M-estimator, which limits the weight of outliers.

    Notes
    -----
    .. math:: \min_{\alpha, \beta} \sum_t \rho_c\Bigl(
        \frac{R_{it} - \alpha - \beta R_{mt}}{\hat\sigma} \Bigr), \quad c = 1.345

    - :math:`R_{it}` and :math:`R_{mt}` are the returns of firm i and of its market on estimation
      day t.
    - :math:`\alpha` and :math:`\beta` are the parameters. The normal return of a day is
      :math:`\alpha + \beta R_{mt}`.
    - The function :math:`\rho_c` is quadratic from -c to c, and linear beyond.
    - :math:`\hat\sigma` is the median absolute residual divided by 0.6745.

    The variance of an abnormal return is an approximation. The program uses the formula of least
    squares, with the residuals of the Huber line.

    Missing data: the estimation leaves out a day if the return of the share or of the market is
    missing.

    References
    ----------
    Huber, P. J. (1964), Robust estimation of a location parameter, Annals of Mathematical
    Statistics 35, 73-101; (1973), Robust regression: asymptotics, conjectures and Monte Carlo,
    Annals of Statistics 1, 799-821.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="huber")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0753
    """

    label = "Huber market model"
    formula = "E[R_it] = alpha_i + beta_i R_mt by Huber's M-estimator"
    source = "Huber (1964, 1973)"

    def line(self, y: FloatArray, x: FloatArray) -> tuple[float, float]:
        """Return intercept and slope by ``statsmodels.RLM``.

        Parameters
        ----------
        y, x : (M,) float arrays
            Decimal returns of the firm and of the market.

        Returns
        -------
        intercept, slope : float
        """
        from statsmodels.robust.norms import HuberT
        from statsmodels.robust.robust_linear_model import RLM

        X = np.column_stack([np.ones_like(x), x])
        fit = RLM(y, X, M=HuberT(1.345)).fit(maxiter=200, tol=1e-12)
        return float(fit.params[0]), float(fit.params[1])
