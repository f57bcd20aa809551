"""Market model with leads and lags of the market: Dimson."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ConfigError
from ..returns.series import MARKET, Factor
from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel
from ._engines import Fit, around


@MODELS.register("dimson")
@dataclass(frozen=True)
class Dimson(LinearModel):
    """R = alpha + sum_j b_j R_m,t+j + e, j from -lags to leads; k = 2 + lags + leads.

    Abnormal returns come from the full regression, whose variance is exact.

    Parameters
    ----------
    lags, leads : int
        Sessions before and after, at least 0.
    sum_beta : bool
        Normal returns are alpha + (sum_j b_j) R_m of the day, alpha = mean(R) - (sum_j b_j)
        mean(R_m); the variance is then that of least squares around them (approximate).
    """

    name = "dimson"
    label = "Dimson model"
    formula = "E[R_it] = alpha_i + sum_j beta_ij R_m,t+j"
    source = "Dimson (1979)"

    lags: int = 1
    leads: int = 1
    sum_beta: bool = False

    def __post_init__(self) -> None:
        if self.lags < 0 or self.leads < 0:
            raise ConfigError(
                "lags and leads are counts", where=self.name, value=(self.lags, self.leads)
            )

    @property
    def least_squares(self) -> bool:
        """Whether the estimates are those of least squares on the design."""
        return not self.sum_beta

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Return the estimates of the full regression, or those with the slopes in one."""
        fit = super().estimate(y, X, complete, windows, engine=engine)
        if not self.sum_beta:
            return fit
        today = 1 + self.lags
        params, days = np.zeros_like(fit.params), np.maximum(fit.nobs, 1)
        params[:, today] = fit.params[:, 1:].sum(axis=1)
        R, R_m = (np.where(complete, v, 0.0).sum(axis=1) / days for v in (y, X[:, :, today]))
        params[:, 0] = R - params[:, today] * R_m
        return replace(around(params, y, X, complete), collinear=fit.collinear)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The market on each of the days."""
        return tuple(MARKET._replace(lag=j) for j in range(-self.lags, self.leads + 1))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Intercept and a slope for each day; their sum is Dimson's beta."""
        return (
            "alpha",
            *(f"beta{j:+d}" if j else "beta" for j in range(-self.lags, self.leads + 1)),
        )
