"""The base of every model of normal returns: estimation, forecast, its error; a model by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns, Estimates, RecentDays, form
from ..errors import ConfigError
from ..returns import Factor
from ..utility import (
    CHUNK,
    SMALL_CHUNK,
    AnyArray,
    BoolArray,
    FloatArray,
    IntArray,
    ObjectArray,
    Pieces,
    Registry,
    current,
    did_you_mean,
    joined,
)
from ..windows import EventWindows
from ..words import Reason
from ._engines import ENGINES, CovType, Fit

Engine = Literal["statsmodels", "batch"]

# A smaller residual standard deviation than this is a price that does not move, not a forecast.
NO_VARIANCE = 1e-10
# The arrays of a fit that abnormal returns keep.
FITTED = ("nobs", "df_resid", "sigma2", "params", "cov_params", "bread", "r2", "remark")
# docs/methods/missing-days.md: fewer complete estimation days than k + 5 leave no usable variance.
SPARE_DAYS = 5
# Names in the order of every list; a model that is not in it follows.
ORDER = (
    "market", "market_adjusted", "constant_mean", "capm", "ff3", "carhart", "ff5", "factors",
    "two_index", "industry", "scholes_williams", "dimson", "trade_to_trade", "theil_sen", "huber",
    "garch", "gjr", "egarch", "matched", "synthetic_control",
)  # fmt: skip


class EstimationData(NamedTuple):
    """The estimation days of n events.

    Attributes
    ----------
    y : (n, L1) float array
        The response, decimal; NaN where missing.
    X : (n, L1, k) float array
        Regressors.
    complete : (n, L1) bool array
        Days on which neither is missing.
    windows : EventWindows
    engine : {"statsmodels", "batch"}
        A model that has one way to its estimates only ignores it.
    """

    y: FloatArray
    X: FloatArray
    complete: BoolArray
    windows: EventWindows
    engine: Engine


@dataclass(frozen=True)
class LinearModel:
    r"""Base class of all models of normal returns.

    The models are linear in their parameters. To define a model of your own, write a subclass with
    three members:

    - ``factors`` lists the return series that the model needs.
    - ``parameters`` lists the names of its parameters.
    - The method ``design`` returns the regressors.

    From these members, the base class computes the estimates, the abnormal returns and the
    variances of their prediction errors.

    Parameters
    ----------
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
        Estimator of the covariance matrix of the parameters, by its name in statsmodels. The
        standard errors of the abnormal returns use this matrix.
    zero_alpha : bool
        Whether the normal returns of the event window leave out alpha, the estimated constant of
        the model.

    Attributes
    ----------
    name, label, formula, source : str
        Short name of the model, its name in words, the formula of its normal return, and its
        publication.
    exact : bool
        Whether the variance of the prediction errors is exact for this model. If False, it is an
        approximation.
    by_search : bool
        Whether a slow numerical search estimates the parameters of each event.
    forecasts_variance : bool
        Whether the model forecasts the variance of its error on each event day, as GARCH does.
    keep_spans : bool
        Whether the estimation also uses returns that cover several sessions.

    Notes
    -----
    The program estimates the model of each event by least squares:

    .. math::

        \hat\theta = (X'X)^{-1} X'y, \quad s^2 = \frac{e'e}{M - k}, \quad
        AR^* = y^* - X^* \hat\theta, \quad V = s^2 (I + X^* (X'X)^{-1} X^{*\prime})

    - y has the returns of the share on the M estimation days with complete data.
    - X has one row per estimation day and one column for each of the k regressors.
    - y* and X* are the returns and the regressors of the event days.
    - e = y - X theta are the residuals.
    - AR* are the abnormal returns, and V is the covariance matrix of their prediction errors.

    Missing data: if the return or a regressor is missing on an estimation day, the estimation
    leaves out this day. If it is missing on an event day, the abnormal return of this day is NaN.
    An event has no estimates if:

    - it has fewer than k + 5 complete estimation days;
    - the regressors are collinear;
    - the returns or the residuals do not vary.

    References
    ----------
    Salinger, M. (1992), Standard errors in event studies, Journal of Financial and Quantitative
    Analysis 27, 39-53. Mikkelson, W. H. and Partch, M. M. (1988), Withdrawn security offerings,
    Journal of Financial and Quantitative Analysis 23, 119-133.

    Examples
    --------
    >>> import eventstudy as es
    >>> model = es.MODELS["market"]()
    >>> isinstance(model, es.LinearModel), model.parameters
    (True, ('alpha', 'beta'))
    """

    name: ClassVar[str]
    label: ClassVar[str]
    formula: ClassVar[str]
    source: ClassVar[str]
    exact: ClassVar[bool] = True
    by_search: ClassVar[bool] = False
    forecasts_variance: ClassVar[bool] = False
    keep_spans: ClassVar[bool] = False

    cov_type: CovType = "nonrobust"
    zero_alpha: bool = field(default=False, kw_only=True)

    def __init_subclass__(cls, *, name: str = "", **options: Any) -> None:
        """File the model under its name: ``class Mine(LinearModel, name="mine")``."""
        super().__init_subclass__(**options)
        if name:
            cls.name = name
            REGISTERED.register(name)(cls)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The return series that the model needs, in the order of :attr:`EventWindows.factors`."""
        return (Factor.MARKET,)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the model estimates, such as ``alpha`` and ``beta``."""
        return ("alpha", "beta")

    def bound(self, columns: Collection[str]) -> LinearModel:
        """Return the model for factor files that have these columns.

        A model that needs no columns is returned unchanged.
        """
        return self

    def design(self, windows: EventWindows) -> FloatArray:
        """Return the regressors of all days, shape (events, days, parameters).

        The days are first the estimation days, then the event days. If the return of the share
        covers m sessions, the regressors are:

        - for a factor: the sum of the factor's returns in these sessions;
        - for the constant: m, or less after a long trading halt (see :attr:`EventWindows.drift`).
        """
        factors = windows.factors[:, :, : len(self.factors)]
        # Each regressor lies in one piece of memory: the engines take them one by one.
        X = np.moveaxis(np.empty((factors.shape[2] + 1, *factors.shape[:2])), 0, 2)
        X[:, :, 0] = windows.drift
        X[:, :, 1:] = factors
        return X

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the variable that the model explains, shape (events, days).

        By default, this variable is the return of the share.
        """
        return windows.returns

    def market_returns(self, windows: EventWindows) -> FloatArray | None:
        """Return the market returns that the model uses, shape (events, days).

        The result is None for a model without a market.
        """
        if Factor.MARKET not in self.factors:
            return None
        return np.asarray(windows.factors[:, :, self.factors.index(Factor.MARKET)])

    def fit(self, windows: EventWindows, *, engine: Engine = "statsmodels") -> AbnormalReturns:
        """Estimate the model on the estimation window and return the abnormal returns.

        Parameters
        ----------
        windows : EventWindows
            Returns of the shares and of the factors of the model. The estimation leaves out days on
            which a return or a regressor is missing.
        engine : {"statsmodels", "batch"}
            How the least-squares estimates are computed: one event after another ("statsmodels"),
            or all events at once ("batch").

        Returns
        -------
        AbnormalReturns
            The abnormal returns. If the model cannot be estimated for an event, all numbers of this
            event are NaN, and the attribute `problem` has the reason.

        Raises
        ------
        ConfigError
            If the engine or the model cannot compute the covariance matrix `cov_type`. The engine
            "batch", and a model that is not estimated by least squares, allow only "nonrobust".
        """
        self.check_covariance(engine)
        # Least squares all at once takes less time than to send its arrays away.
        local = engine == "batch" and self.least_squares
        over, size = (current().threads, CHUNK) if local else (current().map, SMALL_CHUNK)
        fit_chunk = partial(self.fitted, engine=engine, keep_days=windows.keeps_days)
        arrays = joined(len(windows), over(fit_chunk, Pieces(windows, size)))
        names: dict[str, Any] = {"model": self.name, "parameters": self.parameters}
        is_known = windows.source is not None and not self.forecasts_variance
        recent = self.recent_days if is_known else None
        if not windows.keeps_days:
            windows = windows.altered(masked=arrays.pop("masked"))
        return AbnormalReturns(
            Estimates(**names, windows=windows, **arrays, regressors=self.regressors, recent=recent)
        )

    def fitted(
        self, windows: EventWindows, *, engine: Engine, keep_days: bool = True
    ) -> dict[str, AnyArray]:
        """Return the arrays of :meth:`fit` for a chunk of m events.

        Parameters
        ----------
        windows : EventWindows
            Returns and factors of m events.
        engine : {"statsmodels", "batch"}
        keep_days : bool
            Whether the result has the regressors of the estimation days. If false, the result has
            the number of days that were left out because of other events.

        Returns
        -------
        dict of str to array
            Arrays by attribute of :class:`AbnormalReturns`, each with m rows. The values of days
            without complete data are NaN. All values of an event with a ``problem`` are NaN.
        """
        y, X, complete = self._data(windows)
        L1 = len(windows.estimation)
        fit = self.estimate(EstimationData(y[:, :L1], X[:, :L1], complete[:, :L1], windows, engine))
        fit, problem = checked(fit, _moves(windows.returns[:, :L1]), self.factors)
        errors = _unexplained(y, X, complete & (problem == "")[:, None], fit.params)
        resid, ar = np.split(errors, [L1], axis=1)
        finite = np.isfinite(ar)
        spans, length = (np.where(finite, a[:, L1:], 0) for a in (windows.spans, windows.length))
        arrays = {
            "ar": ar, "resid": resid, "expected": windows.returns[:, L1:] - ar, "spans": spans,
            "length": length,
            "noise": noise(fit, spans, length), "x_event": X[:, L1:], "problem": problem,
            **{name: getattr(fit, name) for name in FITTED},
        }  # fmt: skip
        return arrays | ({"x_estimation": X[:, :L1]} if keep_days else {"masked": windows.masked})

    def regressors(self, windows: EventWindows) -> FloatArray:
        """Return the regressors that :meth:`fit` uses on estimation days, shape (n, L1, k)."""
        before = windows.before
        return self.design(before)[:, : len(before.estimation)]

    def recent_days(self, abnormal: AbnormalReturns) -> RecentDays:
        """Return the errors of the fitted model and the market's moves up to the event days.

        Parameters
        ----------
        abnormal : AbnormalReturns
            Abnormal returns of n events.

        Returns
        -------
        RecentDays
            Errors and market moves; NaN where data are missing.
        """
        windows = abnormal.windows.without_gap()
        L1 = len(windows.estimation)
        y, X, complete = self._data(windows)
        used = complete[:, L1:] & (abnormal.problem == "")[:, None]
        after = _unexplained(y[:, L1:], X[:, L1:], used, abnormal.params)
        noise = abnormal.sigma2[:, None] * np.maximum(windows.length[:, L1:], 1)
        variance = noise + form(X[:, L1:], abnormal.cov_params)
        after *= np.sqrt(abnormal.sigma2[:, None] / variance)
        if windows.other_news.shape[1]:
            after[windows.other_news] = np.nan
        errors = np.hstack([abnormal.resid, after])
        days = np.r_[windows.estimation.days, windows.event.days]
        return RecentDays(days, errors, self._market_moves(windows, np.isfinite(abnormal.resid)))

    def _market_moves(self, windows: EventWindows, used: BoolArray) -> FloatArray:
        """Return the market's returns in standard deviations of the days `used` (n, L1), (n, L)."""
        market, length = self.market_returns(windows), windows.length
        if market is None:
            market, length = windows.index_returns()
        before = np.where(used, market[:, : used.shape[1]], np.nan)
        n = np.maximum(length, 1)
        count = np.maximum(np.isfinite(before).sum(axis=1), 1)
        mean = np.nansum(before, axis=1) / count
        variance = np.nansum((before - mean[:, None]) ** 2, axis=1) / count
        with np.errstate(divide="ignore", invalid="ignore"):
            moves = (market - n * mean[:, None]) / np.sqrt(n * variance[:, None])
        return np.where(np.isfinite(moves), moves, np.nan)

    def _data(self, windows: EventWindows) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return the response (n, L), regressors (n, L, k), and days without a gap (n, L)."""
        y = self.response(windows)
        X = self.design(windows)
        if self.zero_alpha:
            X[:, len(windows.estimation) :, 0] = 0.0
        complete = np.isfinite(y)
        for j in range(X.shape[2]):
            complete &= np.isfinite(X[:, :, j])
        return y, X, complete

    @property
    def least_squares(self) -> bool:
        """Whether the model is estimated by least squares."""
        return type(self).estimate is LinearModel.estimate

    def check_covariance(self, engine: Engine = "statsmodels") -> None:
        """Raise ConfigError if the model or engine cannot compute the covariance `cov_type`."""
        if self.cov_type == "nonrobust":
            return
        if not self.least_squares:
            reason = f"the {self.label} is not fitted by least squares and has no such covariance"
            value, remedy = self.cov_type, "leave it out"
            raise ConfigError(reason, where="cov_type", value=value, remedy=remedy)
        if engine != "statsmodels":
            reason = "this covariance needs the engine statsmodels"
            raise ConfigError(reason, where="cov_type", value=self.cov_type)

    def estimate(self, data: EstimationData) -> Fit:
        """Return the estimated parameters of each event.

        By default, the program uses least squares on the estimation days with complete data. A
        subclass can use another estimator.
        """
        return ENGINES[data.engine](data.y, data.X, data.complete, self.cov_type)


# Other names of models in papers and programs.
MEANT = {
    "fama_french": "ff3", "famafrench": "ff3", "fama_french_3": "ff3", "three_factor": "ff3",
    "fama_french_5": "ff5", "five_factor": "ff5", "four_factor": "carhart", "mean": "constant_mean",
    "mean_adjusted": "constant_mean", "market_model": "market", "ols": "market",
}  # fmt: skip


class Models(Registry["type[LinearModel]"]):
    """All models, by name; those of other packages are found as well.

    Examples
    --------
    >>> from eventstudy import MODELS
    >>> MODELS["market"].label, MODELS.options_of("dimson")["lags"]
    ('market model', 1)
    """

    def make(
        self, name: str, options: Iterable[str] = (), *, cov_type: CovType = "nonrobust"
    ) -> LinearModel:
        """Return a registered model with its options.

        Parameters
        ----------
        name : str
        options : iterable of str
            ``name=value``, such as ``lags=2``; the names are the parameters of the class.
        cov_type : str
            Covariance of the parameters.

        Raises
        ------
        ConfigError
            For an unknown model or option (with the closest one), or a value of the wrong type.
        """
        kind = self[name]
        defaults = self.options_of(name)
        chosen: dict[str, Any] = {}
        for text in options:
            key, _, value = text.partition("=")
            if key not in defaults:
                listed = f"{name} has: {', '.join(defaults) or 'no options'}"
                hint = did_you_mean(key, defaults) or listed
                raise ConfigError(f"the model {name} has no such option", value=key, remedy=hint)
            chosen[key] = _typed(f"{name}: {key}", value, defaults[key])
        model = kind(cov_type=cov_type, **chosen)
        model.check_covariance()
        return model

    def options_of(self, name: str) -> dict[str, Any]:
        """Return the options of a model with their defaults, but those that factor files decide."""
        model = self[name]
        decided = {"cov_type", "excess", "own_market"}
        if "alpha" not in model().parameters or name == "constant_mean":
            decided.add("zero_alpha")
        if getattr(model, "needed", ()):
            decided.add("columns")
        listed = sorted(fields(model), key=lambda option: option.name == "zero_alpha")
        return {f.name: f.default for f in listed if f.name not in decided}


def _typed(where: str, text: str, default: Any) -> Any:
    """Return `text` as the type of `default`."""
    words = {"true": True, "false": False}
    if isinstance(default, bool):
        if text.lower() not in words:
            raise ConfigError("not true or false", where=where, value=text)
        return words[text.lower()]
    if isinstance(default, tuple):
        return tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        return type(default)(text)
    except ValueError:
        reason = f"not a value of the kind {type(default).__name__}"
        raise ConfigError(reason, where=where, value=text) from None


REGISTERED = Models("model", "eventstudy.models", ORDER, LinearModel, MEANT)


class ParameterFree(LinearModel):
    """A model without estimated parameters: normal returns are those of other firms."""

    parameters = ()

    def design(self, windows: EventWindows) -> FloatArray:
        """Return no regressor, shape (n, L1+L2, 0)."""
        return np.empty((*windows.returns.shape, 0))


def noise(fit: Fit, spans: IntArray, length: IntArray) -> FloatArray:
    """Return the variance of the error of each event day, without that of the parameters, (n, L2).

    Parameters
    ----------
    fit : Fit
    spans, length : (n, L2) int arrays
        Days of the clock, and sessions, that each return spans.

    Notes
    -----
    It is s2 times the sessions of a return, or the forecast of a model of variance. A forecast is
    summed over the days of the clock that a return spans, and scaled to its sessions where halted
    ones have left the clock.
    """
    if fit.forecast is None:
        return fit.sigma2[:, None] * length
    total = np.pad(np.cumsum(fit.forecast, axis=1), ((0, 0), (1, 0)))
    stop = np.arange(1, total.shape[1])
    before = np.take_along_axis(total, np.maximum(stop - spans, 0), axis=1)
    return np.where(spans > 0, (total[:, 1:] - before) * length / np.maximum(spans, 1), 0.0)


def checked(
    fit: Fit, moves: BoolArray, factors: tuple[Factor, ...] = (Factor.MARKET,)
) -> tuple[Fit, ObjectArray]:
    """Return the fit with rows without information set to NaN, and the reason for each, (n,).

    Parameters
    ----------
    fit : Fit
        Of n events.
    moves : (n,) bool array
        Events whose estimation returns differ.
    factors : tuple of Factor
        The series of the model.
    """
    need = fit.k + SPARE_DAYS
    problem = fit.problem.copy()
    with np.errstate(invalid="ignore"):
        flat = (problem == "") & (~(np.sqrt(fit.sigma2) > NO_VARIANCE) | ~moves)
    problem[flat] = Reason("no_variance")
    problem[fit.collinear] = Reason("flat_benchmark" if len(factors) == 1 else "collinear")
    for i in np.flatnonzero(fit.nobs < need):
        problem[i] = Reason("few_days", n=int(fit.nobs[i]), needed=need)
    return fit.blanked(problem != ""), problem


def _unexplained(y: FloatArray, X: FloatArray, used: BoolArray, params: FloatArray) -> FloatArray:
    """Return y - X params on the days that are `used`, NaN elsewhere, shape (n, L)."""
    out = np.where(used, y, np.nan)
    with np.errstate(invalid="ignore"):
        for j in range(params.shape[1]):
            out -= X[:, :, j] * params[:, j, None]
    return out


def _moves(returns: FloatArray) -> BoolArray:
    """Return which events have estimation returns (n, L1) that differ, shape (n,)."""
    return np.asarray(np.fmax.reduce(returns, axis=1) > np.fmin.reduce(returns, axis=1))
