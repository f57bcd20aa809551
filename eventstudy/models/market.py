"""The market model, and models whose normal return is that of others or a mean."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..returns import Factor
from ..utility import BoolArray, FloatArray
from ..windows import EventWindows
from ..words import Reason
from ._base import SPARE_DAYS, EstimationData, LinearModel, ParameterFree
from ._engines import Fit


class Market(LinearModel, name="market"):
    r"""The market model, estimated by least squares on the estimation window.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}

    - :math:`R_{it}` and :math:`R_{mt}` are the decimal returns of the firm and of its market index
      on day t.
    - :math:`\alpha_i` and :math:`\beta_i` are the k = 2 parameters.
    - :math:`e_{it}` is the error. The rest of the right side is the normal return.

    The forecast error of an event day has this variance:

    .. math:: s^2 \Bigl( 1 + \frac1M + \frac{(R_{mt} - \bar R_m)^2}{S_{mm}} \Bigr)

    - :math:`s^2` is the variance of the residuals on the M estimation days.
    - :math:`\bar R_m` is the mean market return of the estimation days.
    - :math:`S_{mm}` is the sum of :math:`(R_{mt} - \bar R_m)^2` over the estimation days.

    Missing data: the estimation leaves out a day if the return of the firm or of the market is
    missing.

    References
    ----------
    Fama, E. F., Fisher, L., Jensen, M. C. and Roll, R. (1969), The adjustment of stock prices to
    new information, International Economic Review 10, 1-21. MacKinlay, A. C. (1997), Event studies
    in economics and finance, Journal of Economic Literature 35, 13-39, eq. 3.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="market")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0744
    """

    label = "market model"
    formula = "E[R_it] = alpha_i + beta_i R_mt"
    source = "Fama, Fisher, Jensen and Roll (1969); MacKinlay (1997), eq. 3"


@dataclass(frozen=True)
class MarketAdjusted(ParameterFree, name="market_adjusted"):
    r"""The model in which the normal return is the return of the market.

    The model estimates only the variance of abnormal returns.

    Parameters
    ----------
    centred : bool
        If true, the variance of abnormal returns is measured around their mean, with M-1 degrees of
        freedom. If false, the variance is measured around zero, with M degrees of freedom. M is the
        number of estimation days.

    Notes
    -----
    .. math:: R_{it} = R_{mt} + e_{it}

    - :math:`R_{it}` and :math:`R_{mt}` are the returns of firm i and of its market on day t.
    - :math:`e_{it}` is the abnormal return.

    The abnormal returns of all days have the same variance, estimated on the estimation days.

    Missing data: the estimation leaves out a day if the return of the share or of the market is
    missing.

    References
    ----------
    Brown, S. J. and Warner, J. B. (1980), Measuring security price performance, Journal of
    Financial Economics 8, 205-258; (1985), Using daily stock returns: the case of event studies,
    Journal of Financial Economics 14, 3-31.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="market_adjusted")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.114
    """

    label = "market-adjusted model"
    formula = "E[R_it] = R_mt"
    source = "Brown and Warner (1980, 1985)"

    centred: bool = True

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return less the market's, shape (n, L1+L2)."""
        return windows.returns - windows.factors[:, :, 0]

    def estimate(self, data: EstimationData) -> Fit:
        """Return the variance; either engine has nothing to fit."""
        return estimate_variance(data.y, data.complete, centred=self.centred)


class ConstantMean(LinearModel, name="constant_mean"):
    r"""Model in which the normal return is the mean return of the share in the estimation window.

    Notes
    -----
    .. math:: R_{it} = \mu_i + e_{it}

    - :math:`R_{it}` is the return of firm i on day t.
    - :math:`\mu_i` is the mean return of the estimation days, the only parameter. It is the normal
      return.
    - :math:`e_{it}` is the error.

    The variance of an abnormal return is :math:`s^2 (1 + 1/M)`. Here :math:`s^2` is the variance of
    the residuals, and M is the number of estimation days.

    Missing data: the estimation leaves out days without a return.

    References
    ----------
    Brown, S. J. and Warner, J. B. (1980), Measuring security price performance, Journal of
    Financial Economics 8, 205-258; (1985), Using daily stock returns: the case of event studies,
    Journal of Financial Economics 14, 3-31. MacKinlay, A. C. (1997), Event studies in economics and
    finance, Journal of Economic Literature 35, 13-39, eq. 2.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="constant_mean")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.1498
    """

    label = "constant-mean model"
    formula = "E[R_it] = mu_i"
    source = "Brown and Warner (1980, 1985); MacKinlay (1997), eq. 2"
    factors = ()
    parameters = ("alpha",)


def estimate_variance(y: FloatArray, complete: BoolArray, *, centred: bool) -> Fit:
    """Return the fit of a model without parameters: the variance of y on the complete days.

    Parameters
    ----------
    y : (n, L1) float array
    complete : (n, L1) bool array
    centred : bool
        Around the mean with M-1 degrees of freedom, or around zero with M.
    """
    n = len(y)
    nobs = complete.sum(axis=1)
    df = nobs - centred
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(complete, y, 0.0).sum(axis=1) / nobs if centred else np.zeros(n)
        sse = (np.where(complete, y - mean[:, None], 0.0) ** 2).sum(axis=1)
        sigma2 = np.where(df > 0, sse / df, np.nan)
    empty = np.empty((n, 0, 0))
    return Fit(
        params=np.empty((n, 0)), cov_params=empty, bread=empty, sigma2=sigma2,
        r2=np.full(n, np.nan), nobs=nobs, df_resid=df, collinear=np.zeros(n, bool),
    )  # fmt: skip


MIN_DONORS = 2


class Matched(MarketAdjusted, name="matched"):
    r"""The model in which the normal return is the return of a matched firm or portfolio.

    The column ``match`` of the events file has the ticker of the matched firm. If the column has
    several tickers, such as ``A;B;C``, the normal return is the return of a portfolio of these
    firms with equal weights.

    Parameters
    ----------
    centred : bool
        If true, the variance of abnormal returns is measured around their mean, with M-1 degrees of
        freedom. If false, the variance is measured around zero, with M degrees of freedom. M is the
        number of estimation days.

    Notes
    -----
    .. math:: R_{it} = R_{match(i),t} + e_{it}

    - :math:`R_{it}` is the return of firm i on day t.
    - :math:`R_{match(i),t}` is the return of the matched firm or portfolio.
    - :math:`e_{it}` is the abnormal return.

    The abnormal returns of all days have the same variance, estimated on the estimation days.

    Missing data: the estimation leaves out a day if the return of the share or of the matched firm
    is missing. A portfolio has the mean return of those matched firms that have a return on the
    day.

    References
    ----------
    Barber, B. M. and Lyon, J. D. (1997), Detecting long-run abnormal stock returns: the empirical
    power and specification of test statistics, Journal of Financial Economics 43, 341-372. Lyon, J.
    D., Barber, B. M. and Tsai, C.-L. (1999), Improved methods for tests of long-run abnormal stock
    returns, Journal of Finance 54, 165-201.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"], "match": ["NVDA"]})
    >>> results = es.study(news, "sample", model="matched")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0356
    """

    label = "matched firm or portfolio"
    formula = "E[R_it] = R_match(i),t"
    source = "Barber and Lyon (1997); Lyon, Barber and Tsai (1999)"
    factors = (Factor("match"),)


class SyntheticControl(ParameterFree, name="synthetic_control"):
    r"""The model in which the normal return is the return of a weighted portfolio of donors.

    The column ``donors`` of the events file has the tickers of the donors, such as ``A;B;C``. A
    donor may have events of its own in the events file. The program drops a donor if the event
    window of one of its events overlaps the estimation window or the event window of the firm under
    study.

    Notes
    -----
    .. math:: R_{it} = \sum_j w_{ij} R_{jt} + e_{it}, \quad w_{ij} \ge 0, \quad \sum_j w_{ij} = 1

    - :math:`R_{it}` and :math:`R_{jt}` are the returns of firm i and of donor j on day t.
    - :math:`w_{ij}` is the weight of donor j.
    - :math:`e_{it}` is the error. The rest of the right side is the normal return.

    The weights minimise SSE, the sum of the squared errors on the M estimation days. The covariance
    matrix of the abnormal returns ignores that the weights are estimated:

    .. math:: V = s^2 I, \quad s^2 = \frac{SSE}{M - \#(w > 0) + 1}

    - I is the identity matrix.
    - :math:`\#(w > 0)` is the number of donors with a weight above zero.

    To test an event, use the test ``placebo_in_space``.

    Missing data: the estimation leaves out a day if the return of the firm or of any donor is
    missing.

    References
    ----------
    Abadie, A., Diamond, A. and Hainmueller, J. (2010), Synthetic control methods for comparative
    case studies, Journal of the American Statistical Association 105, 493-505.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> donors = "AAPL;AMZN;CVX;GE;JNJ;JPM;MSFT;PFE;WMT;XOM"
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"], "donors": [donors]})
    >>> results = es.study(news, "sample", model="synthetic_control")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0991
    """

    label = "synthetic control"
    formula = "E[R_it] = sum_j w_ij R_jt, w >= 0, sum w = 1"
    source = "Abadie, Diamond and Hainmueller (2010)"
    exact = False
    by_search = True
    factors = (Factor("donors", several=True),)

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return less that of the weighted donors, shape (n, L1+L2)."""
        donors = np.einsum("nlj,nj->nl", windows.factors, self.weights(windows))
        return np.asarray(windows.returns - donors)

    def weights(self, windows: EventWindows) -> FloatArray:
        """Return the weights of the donors in the order of the column, shape (n, J).

        0 behind an event's last donor; NaN for events with fewer than two, or too few complete
        days.
        """
        complete, used = _donors(windows)
        weights = np.full(used.shape, np.nan)
        enough = (used.sum(axis=1) >= MIN_DONORS) & (complete.sum(axis=1) > SPARE_DAYS)
        for i in np.flatnonzero(enough):
            donors = used[i]
            days = np.flatnonzero(complete[i])
            weights[i] = 0.0
            Z = windows.factors[i, days][:, donors]
            weights[i, donors] = convex_weights(windows.returns[i, days], Z)
        return weights

    def estimate(self, data: EstimationData) -> Fit:
        """Return the variance around the weighted donors; either engine comes to the same."""
        (complete, used) = _donors(data.windows)
        problem = np.full(len(data.y), "", dtype=object)
        for i in np.flatnonzero(used.sum(axis=1) < MIN_DONORS):
            problem[i] = Reason("few_donors", n=int(used[i].sum()), needed=MIN_DONORS)
        fit = estimate_variance(data.y, data.complete, centred=False)
        nobs = complete.sum(axis=1)
        df = nobs - np.maximum((self.weights(data.windows) > 0).sum(axis=1), 1) + 1
        sse = (np.where(data.complete, data.y, 0.0) ** 2).sum(axis=1)
        sigma2 = np.where(data.complete.any(axis=1), sse / np.maximum(df, 1), np.nan)
        return replace(fit, sigma2=sigma2, nobs=nobs, df_resid=df, problem=problem)


def _donors(windows: EventWindows) -> tuple[BoolArray, BoolArray]:
    """Return the estimation days without a gap (n, L1), and the places with a donor (n, J)."""
    L1 = len(windows.estimation)
    y = windows.returns[:, :L1]
    Z = windows.factors[:, :L1]
    complete: BoolArray = np.isfinite(y) & np.isfinite(Z).all(axis=2)
    used: BoolArray = (np.where(complete[:, :, None], Z, 0.0) != 0).any(axis=1)
    return complete, used


def convex_weights(y: FloatArray, Z: FloatArray) -> FloatArray:
    r"""Return the convex weights of the columns of Z that are nearest to y, shape (J,).

    Parameters
    ----------
    y : (M,) float array
    Z : (M, J) float array

    Notes
    -----
    .. math:: \min_w \lVert y - Z w \rVert, \quad w \ge 0, \quad 1'w = 1

    exactly: with D = y 1' - Z this is the point of the convex hull of D's columns nearest to 0,
    which non-negative least squares of [D; 1'] on [0; 1] finds up to a factor.

    References
    ----------
    Lawson, C. L. and Hanson, R. J. (1974), Solving least squares problems, Prentice-Hall, ch. 23.

    Examples
    --------
    >>> Z = np.array([[0.01, 0.03], [0.02, -0.02], [-0.01, 0.01]])
    >>> convex_weights(Z @ [0.25, 0.75], Z).round(6)
    array([0.25, 0.75])
    """
    from scipy.optimize import nnls

    D = y[:, None] - Z
    size = np.sqrt((D**2).sum() / D.shape[1])
    if size == 0:
        return np.full(Z.shape[1], 1 / Z.shape[1])
    u, _ = nnls(np.vstack([D / size, np.ones(Z.shape[1])]), np.r_[np.zeros(len(y)), 1.0])
    return np.asarray(u / u.sum())
