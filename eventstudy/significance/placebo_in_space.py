"""Rank of one event among the donors of its synthetic control."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..models.synthetic_control import convex_weights
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value, statistic
from ._ranks import DECIMALS

# With fewer donors p cannot fall below 0.05.
ENOUGH = 20


@statistic(
    "placebo_in_space",
    label="Placebo in space",
    minimum=1,
    robust=("n/a", "n/a", "no", "yes"),
    null="the event stands out from its synthetic control no more than each donor from its own",
    reference="rank among donors",
    source="Abadie, Diamond and Hainmueller (2010)",
    about_mean=False,
    per_event=True,
)
def placebo_in_space(sample: AbnormalReturns, window: Window) -> Value:
    """Return |CAR| / RMSE of the estimation days, compared by its rank among the donors' own.

    Each of the J donors is given a synthetic control from the other J-1, on the days and over the
    window of the event: p = (1 + #{donors >= event}) / (1 + J), for effects of either sign.
    """
    if len(sample) != 1:
        raise InapplicableError("tests one event at a time")
    if sample.model != "synthetic_control":
        raise InapplicableError("needs the model synthetic_control")
    past, ahead = np.split(sample.windows.factors[0], [sample.resid.shape[1]])
    Z, cols = past[np.isfinite(sample.resid[0])], sample.columns(window)
    total = ahead[cols][np.isfinite(sample.ar[0, cols])].sum(axis=0)
    used = Z.any(axis=0)
    donors = _ratios(Z[:, used], total[used])
    rmse = np.sqrt(np.nanmean(sample.resid[0] ** 2))
    own = float(abs(sample.unextended.car(window)[0]) / rmse)
    above = int((np.round(donors - own, DECIMALS) >= 0).sum())
    few = f"{len(donors)} donors, {ENOUGH} needed for p below 0.05" if len(donors) < ENOUGH else ""
    return Value(own, np.nan, "donors", upper=(1 + above) / (1 + len(donors)), caution=few)


def _ratios(Z: FloatArray, total: FloatArray) -> FloatArray:
    """Return |CAR| / RMSE of each donor against a synthetic control of the others, shape (J,).

    Parameters
    ----------
    Z : (M, J) float array
        Returns on the estimation days.
    total : (J,) float array
        Returns summed over the window.
    """
    out = np.empty(len(total))
    for j in range(len(total)):
        others = np.delete(np.arange(len(total)), j)
        w = convex_weights(Z[:, j], Z[:, others])
        gap = Z[:, j] - Z[:, others] @ w
        rmse = np.sqrt((gap**2).mean())
        out[j] = abs(total[j] - total[others] @ w) / rmse if rmse > 0 else np.inf
    return out
