"""The return of a matched firm or portfolio as the normal return."""

from __future__ import annotations

from dataclasses import dataclass

from ..returns.series import Factor
from ._base import MODELS
from .market_adjusted import MarketAdjusted


@MODELS.register("matched")
@dataclass(frozen=True)
class Matched(MarketAdjusted):
    """R = R_match + e: the firm (or the equal-weight portfolio ``A;B;C``) in the column
    ``match``."""

    name = "matched"
    label = "matched firm or portfolio"
    formula = "E[R_it] = R_match(i),t"
    source = "Barber and Lyon (1997); Lyon, Barber and Tsai (1999)"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The matched firm of each event."""
        return (Factor("match"),)
