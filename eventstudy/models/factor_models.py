"""Models on factor files: CAPM, Fama-French, Carhart, and any columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import ConfigError
from ..returns.series import MARKET, Factor
from ..utility.typing import FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel

RF, EXCESS_MARKET = "rf", "mkt_rf"


@dataclass(frozen=True)
class FactorModel(LinearModel):
    """R - rf = alpha + b'F + e; plain returns where the files have no column ``rf``.

    Parameters
    ----------
    columns : tuple of str
        Columns of the factor files. ``mkt_rf`` is made of the benchmark and ``rf`` where the files
        lack it.
    excess : bool
        Whether there is a column ``rf``.
    own_market : bool
        Whether ``mkt_rf`` comes from the files.
    """

    needed: ClassVar[tuple[str, ...]] = ()

    columns: tuple[str, ...] = ()
    excess: bool = True
    own_market: bool = False

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The columns, the market first where it is the benchmark's, and ``rf`` last."""
        own = tuple(MARKET if self._made(c) else Factor(c) for c in self.columns)
        return own + ((Factor(RF),) if self.excess else ())

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
            raise ConfigError(
                f"the {self.label} needs factors",
                remedy="give a file of factors with --factors FILE",
            )
        wanted = self.columns or self.needed or tuple(c for c in columns if c != RF)
        missing = [c for c in wanted if c not in columns and c != EXCESS_MARKET]
        if missing or (self.needed and RF not in columns):
            lacking = ", ".join(missing or [RF])
            raise ConfigError(
                f"the {self.label} needs the factors "
                f"{', '.join((*wanted, RF) if self.needed else wanted)}",
                value=", ".join(columns), remedy=f"add {lacking} with another --factors FILE",
            )  # fmt: skip
        return replace(
            self, columns=wanted, excess=RF in columns, own_market=EXCESS_MARKET in columns
        )

    def design(self, windows: EventWindows) -> FloatArray:
        """Return intercept and factors, shape (n, L1+L2, k); the benchmark less the riskless
        rate."""
        X = super().design(windows)[:, :, : len(self.columns) + 1]
        for j, column in enumerate(self.columns, start=1):
            if self._made(column) and self.excess:
                X[:, :, j] -= windows.factors[:, :, -1]
        return X

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return, less the riskless rate if there is one, shape (n, L1+L2)."""
        return windows.returns - windows.factors[:, :, -1] if self.excess else windows.returns

    def _made(self, column: str) -> bool:
        return column == EXCESS_MARKET and not self.own_market


@MODELS.register("capm")
@dataclass(frozen=True)
class Capm(FactorModel):
    """R - rf = alpha + beta (R_m - rf) + e."""

    name = "capm"
    label = "CAPM"
    formula = "E[R_it] = rf_t + alpha_i + beta_i (R_mt - rf_t)"
    source = "Sharpe (1964); Lintner (1965)"
    needed = (EXCESS_MARKET,)


@MODELS.register("ff3")
@dataclass(frozen=True)
class FamaFrench3(FactorModel):
    """Market, size and value."""

    name = "ff3"
    label = "Fama-French three-factor model"
    formula = "E[R_it] = rf_t + alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t"
    source = "Fama and French (1993)"
    needed = (EXCESS_MARKET, "smb", "hml")


@MODELS.register("carhart")
@dataclass(frozen=True)
class Carhart(FactorModel):
    """Market, size, value and momentum."""

    name = "carhart"
    label = "Carhart four-factor model"
    formula = "E[R_it] = rf_t + alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + m_i MOM_t"
    source = "Carhart (1997)"
    needed = (EXCESS_MARKET, "smb", "hml", "mom")


@MODELS.register("ff5")
@dataclass(frozen=True)
class FamaFrench5(FactorModel):
    """Market, size, value, profitability and investment."""

    name = "ff5"
    label = "Fama-French five-factor model"
    formula = "E[R_it] = rf_t + alpha_i + b_i MKT_t + s_i SMB_t + h_i HML_t + r_i RMW_t + c_i CMA_t"
    source = "Fama and French (2015)"
    needed = (EXCESS_MARKET, "smb", "hml", "rmw", "cma")


@MODELS.register("factors")
@dataclass(frozen=True)
class Factors(FactorModel):
    """All columns of the factor files; in excess of ``rf`` if they have it."""

    name = "factors"
    label = "factor model"
    formula = "E[R_it] = (rf_t +) alpha_i + b_i' F_t"
    source = "Ross (1976)"
