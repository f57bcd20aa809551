"""Models of several series: CAPM, Fama-French, Carhart, any factor files, and a second index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import ConfigError
from ..returns import Factor
from ..utility import FloatArray
from ..windows import EventWindows
from ..words import make_error
from ._base import LinearModel

RF, EXCESS_MARKET = "rf", "mkt_rf"


@dataclass(frozen=True)
class FactorModel(LinearModel):
    r"""A regression on columns of factor files, in excess of ``rf`` where they have that column.

    Parameters
    ----------
    columns : tuple of str
        Columns of the factor files. ``mkt_rf`` is made of the benchmark and ``rf`` where the files
        lack it.
    excess : bool
        Whether there is a column ``rf``.
    own_market : bool
        Whether ``mkt_rf`` comes from the files.

    Notes
    -----
    .. math:: R_{it} - r_{ft} = \alpha_i + b_i' F_t + e_{it}

    Returns and factors are decimal. Missing data: days without the return or a factor are left out.
    """

    needed: ClassVar[tuple[str, ...]] = ()

    columns: tuple[str, ...] = ()
    excess: bool = True
    own_market: bool = False

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The columns, the market first where it is the benchmark's, and ``rf`` last."""
        columns = tuple(Factor.MARKET if self._from_market(c) else Factor(c) for c in self.columns)
        return columns + ((Factor(RF),) if self.excess else ())

    @property
    def parameters(self) -> tuple[str, ...]:
        """Intercept and one slope per column."""
        return ("alpha", *("beta" if c == EXCESS_MARKET else f"beta_{c}" for c in self.columns))

    def bound(self, columns: Collection[str]) -> LinearModel:
        """Return the model for factor files with these columns.

        Raises
        ------
        ConfigError
            If a column that the model needs is missing.
        """
        if not columns:
            raise make_error(ConfigError, "wrong.needs_factors", model=self.label)
        wanted = self.columns or self.needed or tuple(c for c in columns if c != RF)
        missing = [c for c in wanted if c not in columns and c != EXCESS_MARKET]
        if missing or (self.needed and RF not in columns):
            lacking = ", ".join(missing or [RF])
            needed = ", ".join((*wanted, RF) if self.needed else wanted)
            reason = f"the {self.label} needs the factors {needed}"
            remedy = f"add {lacking} with another --factors FILE"
            raise ConfigError(reason, value=", ".join(columns), remedy=remedy)
        excess = RF in columns
        own_market = EXCESS_MARKET in columns
        return replace(self, columns=wanted, excess=excess, own_market=own_market)

    def design(self, windows: EventWindows) -> FloatArray:
        """Return intercept and factors, (n, L1+L2, k); the benchmark less the riskless rate."""
        X = super().design(windows)[:, :, : len(self.columns) + 1]
        for j, column in enumerate(self.columns, start=1):
            if self._from_market(column) and self.excess:
                X[:, :, j] -= windows.factors[:, :, -1]
        return X

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return, less the riskless rate if there is one, shape (n, L1+L2)."""
        return windows.returns - windows.factors[:, :, -1] if self.excess else windows.returns

    def market_returns(self, windows: EventWindows) -> FloatArray | None:
        """Return the market's returns in excess of ``rf``, (n, L1+L2); None without ``mkt_rf``."""
        if EXCESS_MARKET not in self.columns:
            return None
        return self.design(windows)[:, :, 1 + self.columns.index(EXCESS_MARKET)]

    def _from_market(self, column: str) -> bool:
        return column == EXCESS_MARKET and not self.own_market


class Capm(FactorModel, name="capm"):
    r"""Capital asset pricing model (CAPM): a market model of returns minus the riskless rate.

    Notes
    -----
    .. math:: R_{it} - r_{ft} = \alpha_i + \beta_i (R_{mt} - r_{ft}) + e_{it}

    - :math:`R_{it}` is the return of firm i on day t, and :math:`r_{ft}` is the riskless rate.
    - :math:`R_{mt} - r_{ft}` is the return of the market minus the riskless rate.
    - :math:`\alpha_i` and :math:`\beta_i` are the parameters.
    - :math:`e_{it}` is the error. The normal return is :math:`r_{ft}` plus the rest of the right
      side.

    Missing data: the estimation leaves out a day if the return of the share, the return of the
    market or the riskless rate is missing.

    References
    ----------
    Sharpe, W. F. (1964), Capital asset prices: a theory of market equilibrium under conditions of
    risk, Journal of Finance 19, 425-442. Lintner, J. (1965), The valuation of risk assets and the
    selection of risky investments in stock portfolios and capital budgets, Review of Economics and
    Statistics 47, 13-37.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> days = pd.bdate_range("2021-06-01", "2022-12-30", name="date")
    >>> draw = np.random.default_rng(1).normal(0, 0.01, (len(days), 1))
    >>> factors = pd.DataFrame(draw, days, ["mkt_rf"])
    >>> factors["rf"] = 0.0001
    >>> results = es.study(news, "sample", model="capm", factors=factors)
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.1462
    """

    label = "CAPM"
    formula = "E[R_it] = rf_t + alpha_i + beta_i (R_mt - rf_t)"
    source = "Sharpe (1964); Lintner (1965)"
    needed = (EXCESS_MARKET,)


class FamaFrench3(FactorModel, name="ff3"):
    r"""Fama-French model with the three factors market, size and value.

    Notes
    -----
    .. math:: R_{it} - r_{ft} = \alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + e_{it}

    - :math:`R_{it}` is the return of firm i on day t, and :math:`r_{ft}` is the riskless rate.
    - :math:`MKT_t` is the return of the market minus the riskless rate.
    - :math:`SMB_t` is the return of small firms minus the return of large firms.
    - :math:`HML_t` is the return of cheap firms minus the return of expensive firms.
    - :math:`e_{it}` is the error. The normal return is :math:`r_{ft}` plus the rest of the right
      side.

    Missing data: the estimation leaves out a day without a return of the share, and a day without a
    value of a factor.

    References
    ----------
    Fama, E. F. and French, K. R. (1993), Common risk factors in the returns on stocks and bonds,
    Journal of Financial Economics 33, 3-56.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> days = pd.bdate_range("2021-06-01", "2022-12-30", name="date")
    >>> draw = np.random.default_rng(1).normal(0, 0.01, (len(days), 3))
    >>> factors = pd.DataFrame(draw, days, ["mkt_rf", "smb", "hml"])
    >>> factors["rf"] = 0.0001
    >>> results = es.study(news, "sample", model="ff3", factors=factors)
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.1587
    """

    label = "Fama-French three-factor model"
    formula = "E[R_it] = rf_t + alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t"
    source = "Fama and French (1993)"
    needed = (EXCESS_MARKET, "smb", "hml")


class Carhart(FactorModel, name="carhart"):
    r"""Carhart model with the four factors market, size, value and momentum.

    Notes
    -----
    .. math:: R_{it} - r_{ft} = \alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + m_i MOM_t + e_{it}

    - :math:`R_{it}` is the return of firm i on day t, and :math:`r_{ft}` is the riskless rate.
    - :math:`MKT_t` is the return of the market minus the riskless rate.
    - :math:`SMB_t` is the return of small firms minus the return of large firms.
    - :math:`HML_t` is the return of cheap firms minus the return of expensive firms.
    - :math:`MOM_t` is the return of past winners minus the return of past losers.
    - :math:`e_{it}` is the error. The normal return is :math:`r_{ft}` plus the rest of the right
      side.

    Missing data: the estimation leaves out a day without a return of the share, and a day without a
    value of a factor.

    References
    ----------
    Carhart, M. M. (1997), On persistence in mutual fund performance, Journal of Finance 52, 57-82.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> days = pd.bdate_range("2021-06-01", "2022-12-30", name="date")
    >>> draw = np.random.default_rng(1).normal(0, 0.01, (len(days), 4))
    >>> factors = pd.DataFrame(draw, days, ["mkt_rf", "smb", "hml", "mom"])
    >>> factors["rf"] = 0.0001
    >>> results = es.study(news, "sample", model="carhart", factors=factors)
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.1425
    """

    label = "Carhart four-factor model"
    formula = "E[R_it] = rf_t + alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + m_i MOM_t"
    source = "Carhart (1997)"
    needed = (EXCESS_MARKET, "smb", "hml", "mom")


class FamaFrench5(FactorModel, name="ff5"):
    r"""Fama-French model with the factors market, size, value, profitability and investment.

    Notes
    -----
    .. math:: R_{it} - r_{ft} = \alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + r_i RMW_t
        + c_i CMA_t + e_{it}

    - :math:`R_{it}` is the return of firm i on day t, and :math:`r_{ft}` is the riskless rate.
    - :math:`MKT_t` is the return of the market minus the riskless rate.
    - :math:`SMB_t` is the return of small firms minus the return of large firms.
    - :math:`HML_t` is the return of cheap firms minus the return of expensive firms.
    - :math:`RMW_t` is the return of profitable firms minus the return of unprofitable firms.
    - :math:`CMA_t` is the return of firms that invest little minus the return of firms that invest
      much.
    - :math:`e_{it}` is the error. The normal return is :math:`r_{ft}` plus the rest of the right
      side.

    Missing data: the estimation leaves out a day without a return of the share, and a day without a
    value of a factor.

    References
    ----------
    Fama, E. F. and French, K. R. (2015), A five-factor asset pricing model, Journal of Financial
    Economics 116, 1-22.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> days = pd.bdate_range("2021-06-01", "2022-12-30", name="date")
    >>> draw = np.random.default_rng(1).normal(0, 0.01, (len(days), 5))
    >>> factors = pd.DataFrame(draw, days, ["mkt_rf", "smb", "hml", "rmw", "cma"])
    >>> factors["rf"] = 0.0001
    >>> results = es.study(news, "sample", model="ff5", factors=factors)
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.1519
    """

    label = "Fama-French five-factor model"
    formula = "E[R_it] = rf_t + alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + r_i RMW_t + c_i CMA_t"
    source = "Fama and French (2015)"
    needed = (EXCESS_MARKET, "smb", "hml", "rmw", "cma")


class Factors(FactorModel, name="factors"):
    r"""Model that explains the return of a share by the factors in files of your own.

    If the files have a column ``rf`` with the riskless rate, the model subtracts this rate from the
    return of the share.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns of the factor files that the model uses as factors. By default, the
        model uses all columns except ``rf``.

    Notes
    -----
    .. math:: R_{it} (- r_{ft}) = \alpha_i + b_i' F_t + e_{it}

    - :math:`R_{it}` is the return of firm i on day t.
    - :math:`r_{ft}` is the riskless rate. It is in the formula only if the files have a column
      ``rf``.
    - :math:`F_t` is the vector of the factors on day t.
    - :math:`\alpha_i` and the vector :math:`b_i` are the parameters, and :math:`e_{it}` is the
      error.

    Missing data: the estimation leaves out a day without a return of the share, and a day without a
    value of a factor.

    References
    ----------
    Ross, S. A. (1976), The arbitrage theory of capital asset pricing, Journal of Economic Theory
    13, 341-360.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> days = pd.bdate_range("2021-06-01", "2022-12-30", name="date")
    >>> draw = np.random.default_rng(1).normal(0, 0.01, (len(days), 2))
    >>> factors = pd.DataFrame(draw, days, ["oil", "gold"])
    >>> results = es.study(news, "sample", model="factors", factors=factors)
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.1453
    """

    label = "factor model"
    formula = "E[R_it] = (rf_t +) alpha_i + b_i' F_t"
    source = "Ross (1976)"


class TwoIndex(LinearModel, name="two_index"):
    r"""The market model with the return of a world index as a second regressor.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + c_i R_{world,t} + e_{it}

    - :math:`R_{it}, R_{mt}` and :math:`R_{world,t}` are the returns of firm i, of its market and of
      the world index on day t.
    - :math:`\alpha_i, \beta_i` and :math:`c_i` are the parameters. They are estimated together by
      least squares.
    - :math:`e_{it}` is the error. The rest of the right side is the normal return.

    Missing data: the estimation leaves out a day if the return of the share, of the market or of
    the world index is missing.

    References
    ----------
    Solnik, B. H. (1974), An equilibrium model of the international capital market, Journal of
    Economic Theory 8, 500-524.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> results = es.study(news, "sample", model="two_index", series="world=NVDA")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0536
    """

    label = "two-index model"
    formula = "E[R_it] = alpha_i + beta_i R_mt + c_i R_world,t"
    source = "Solnik (1974)"
    factors = (Factor.MARKET, Factor("world"))
    parameters = ("alpha", "beta", "beta_world")


class Industry(LinearModel, name="industry"):
    r"""The market model with the return of an industry index as a second regressor.

    Notes
    -----
    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + c_i R_{industry,t} + e_{it}

    - :math:`R_{it}, R_{mt}` and :math:`R_{industry,t}` are the returns of firm i, of its market and
      of the industry index on day t.
    - :math:`\alpha_i, \beta_i` and :math:`c_i` are the parameters. They are estimated together by
      least squares.
    - :math:`e_{it}` is the error. The rest of the right side is the normal return.

    Missing data: the estimation leaves out a day if the return of the share, of the market or of
    the industry index is missing.

    References
    ----------
    King, B. F. (1966), Market and industry factors in stock price behavior, Journal of Business 39,
    139-190.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = {"ticker": ["AMD"], "announced_at": ["2022-10-07"], "industry": ["NVDA"]}
    >>> results = es.study(pd.DataFrame(news), "sample", model="industry")
    >>> results.car([(0, 1)])["car"].round(4).item()
    -0.0536
    """

    label = "market-and-industry model"
    formula = "E[R_it] = alpha_i + beta_i R_mt + c_i R_industry,t"
    source = "King (1966)"
    factors = (Factor.MARKET, Factor("industry"))
    parameters = ("alpha", "beta", "beta_industry")
