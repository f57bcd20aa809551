"""Market model with leads and lags of the market: Dimson."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigError
from ._base import MARKET, MODELS, Factor, LinearModel


@MODELS.register("dimson")
@dataclass(frozen=True)
class Dimson(LinearModel):
    """R = alpha + sum_j b_j R_m,t+j + e, j from -lags to leads; k = 2 + lags + leads.

    Abnormal returns come from the full regression, whose variance is exact.

    Parameters
    ----------
    lags, leads : int
        Sessions before and after, at least 0.
    """

    name = "dimson"
    label = "Dimson model"
    formula = "E[R_it] = alpha_i + sum_j beta_ij R_m,t+j"
    source = "Dimson (1979)"

    lags: int = 1
    leads: int = 1

    def __post_init__(self) -> None:
        if self.lags < 0 or self.leads < 0:
            raise ConfigError("lags and leads are counts", where=self.name, value=(self.lags, self.leads))

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The market on each of the days."""
        return tuple(MARKET._replace(lag=j) for j in range(-self.lags, self.leads + 1))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Intercept and a slope for each day; their sum is Dimson's beta."""
        return ("alpha", *(f"beta{j:+d}" if j else "beta" for j in range(-self.lags, self.leads + 1)))
