"""Market models with a second index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..returns.series import MARKET, Factor
from ._base import MODELS, LinearModel


@dataclass(frozen=True)
class _SecondIndex(LinearModel):
    second: ClassVar[str]

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The benchmark and the second index."""
        return (MARKET, Factor(self.second))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Intercept and one slope each."""
        return ("alpha", "beta", f"beta_{self.second}")


@MODELS.register("two_index")
@dataclass(frozen=True)
class TwoIndex(_SecondIndex):
    """R = alpha + b R_m + c R_world + e; orthogonalising one index on the other would change no
    AR."""

    name = "two_index"
    label = "two-index model"
    formula = "E[R_it] = alpha_i + beta_i R_mt + c_i R_world,t"
    source = "Solnik (1974)"
    second = "world"


@MODELS.register("industry")
@dataclass(frozen=True)
class Industry(_SecondIndex):
    """R = alpha + b R_m + c R_industry + e."""

    name = "industry"
    label = "market-and-industry model"
    formula = "E[R_it] = alpha_i + beta_i R_mt + c_i R_industry,t"
    source = "King (1966)"
    second = "industry"
