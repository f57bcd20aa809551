"""Market model over trade-to-trade returns: Maynes and Rumsey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..utility.typing import FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel


@MODELS.register("trade_to_trade")
@dataclass(frozen=True)
class TradeToTrade(LinearModel):
    """R / sqrt(n) = alpha sqrt(n) + beta (sum R_m) / sqrt(n) + e: returns over n sessions count as
    such.

    Estimation residuals are those of the weighted regression, one variance for all.
    """

    name = "trade_to_trade"
    label = "trade-to-trade market model"
    formula = "E[R_it] = n_t alpha_i + beta_i sum R_m over the n_t sessions since the last trade"
    source = "Maynes and Rumsey (1993)"
    keep_spans: ClassVar[bool] = True

    def design(self, windows: EventWindows) -> FloatArray:
        """Return intercept and market, (n, L1+L2, 2); weighted on the estimation days."""
        return super().design(windows) / self._root(windows)[:, :, None]

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the returns, (n, L1+L2); weighted on the estimation days."""
        weighted: FloatArray = windows.returns / self._root(windows)
        return weighted

    @staticmethod
    def _root(windows: EventWindows) -> FloatArray:
        root = np.sqrt(np.maximum(windows.length, 1))
        root[:, len(windows.estimation) :] = 1.0
        return root
