"""The constant-mean-return model."""

from __future__ import annotations

from dataclasses import dataclass

from ..returns.series import Factor
from ._base import MODELS, LinearModel


@MODELS.register("constant_mean")
@dataclass(frozen=True)
class ConstantMean(LinearModel):
    """R = mu + e: the firm's own mean return over the estimation window."""

    name = "constant_mean"
    label = "constant-mean model"
    formula = "E[R_it] = mu_i"
    source = "Brown and Warner (1980, 1985); MacKinlay (1997), eq. 2"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """No series beside the firm's own."""
        return ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """The mean."""
        return ("alpha",)
