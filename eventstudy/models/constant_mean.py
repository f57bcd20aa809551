"""The constant-mean-return model."""

from __future__ import annotations

import numpy as np

from ..typing import FloatArray
from ..windows import EventWindows
from ._base import MODELS, LinearModel


@MODELS.register("constant_mean")
class ConstantMean(LinearModel):
    """R = mu + e: the firm's own mean return over the estimation window."""

    name = "constant_mean"
    label = "constant-mean model"
    factors = ()
    parameters = ("alpha",)
    formula = "E[R_it] = mu_i"
    source = "Brown and Warner (1980, 1985); MacKinlay (1997), eq. 1"

    def design(self, windows: EventWindows) -> FloatArray:
        """Return the intercept, shape (n, L1+L2, 1)."""
        return np.where(windows.spans > 0, windows.spans, 1).astype(float)[:, :, None]
