"""The market model."""

from __future__ import annotations

import numpy as np

from ..typing import FloatArray
from ..windows import EventWindows
from ._base import MODELS, LinearModel


@MODELS.register("market")
class Market(LinearModel):
    """R = alpha + beta R_m + e, by least squares on the estimation window."""

    name = "market"
    label = "market model"
    parameters = ("alpha", "beta")
    formula = "E[R_it] = alpha_i + beta_i R_mt"
    source = "Fama, Fisher, Jensen and Roll (1969); MacKinlay (1997), eq. 3"

    def design(self, windows: EventWindows) -> FloatArray:
        """Return the columns intercept and market, shape (n, L1+L2, 2)."""
        intercept = np.where(windows.spans > 0, windows.spans, 1).astype(float)
        return np.stack([intercept, windows.factors[:, :, 0]], axis=2)
