"""The market model."""

from __future__ import annotations

from dataclasses import dataclass

from ._base import MODELS, LinearModel


@MODELS.register("market")
@dataclass(frozen=True)
class Market(LinearModel):
    """R = alpha + beta R_m + e, by least squares on the estimation window."""

    name = "market"
    label = "market model"
    formula = "E[R_it] = alpha_i + beta_i R_mt"
    source = "Fama, Fisher, Jensen and Roll (1969); MacKinlay (1997), eq. 3"
