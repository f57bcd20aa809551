"""The p-value of an answer among the same study on other dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The p of the answer among the same study on other days (docs/methods.md, 4.9).

    Attributes
    ----------
    pvalue : float
        (1 + #{p* <= p}) / (1 + draws); NaN with a `reason`.
    draws : int
    effective_draws : float
        To how many independent ones they are worth.
    false_alarms : float
        Share of them with p below 5%.
    reason : str
        Why there is no p; "" otherwise.
    """

    pvalue: float = np.nan
    draws: int = 0
    effective_draws: float = np.nan
    false_alarms: float = np.nan
    reason: str = ""

    @property
    def share(self) -> float:
        """Share of the draws that show as much as the study."""
        return (self.pvalue * (1 + self.draws) - 1) / self.draws if self.draws else np.nan
