"""A weighted portfolio of donors as the normal return."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..returns.series import Factor
from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, SPARE_DAYS, LinearModel
from ._engines import Fit
from .market_adjusted import variance_only

MIN_DONORS = 2


@MODELS.register("synthetic_control")
@dataclass(frozen=True)
class SyntheticControl(LinearModel):
    """R = Z w + e with w >= 0 and sum w = 1: the donors in the column ``donors`` (``A;B;C``).

    Weights have no sampling error in the usual sense and are no parameters: V = s2 I with
    s2 = SSE / (M - #(w > 0) + 1); inference is by the rank of the event among its donors
    (``placebo_in_space``). Firms of the list of events are no donors.
    """

    name = "synthetic_control"
    label = "synthetic control"
    formula = "E[R_it] = sum_j w_ij R_jt, w >= 0, sum w = 1"
    source = "Abadie, Diamond and Hainmueller (2010)"
    exact = False

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The donors of each event."""
        return (Factor("donors", several=True),)

    @property
    def parameters(self) -> tuple[str, ...]:
        """None that events would have in common."""
        return ()

    def design(self, windows: EventWindows) -> FloatArray:
        """Return no regressor, shape (n, L1+L2, 0)."""
        return np.empty((*windows.returns.shape, 0))

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return less that of the weighted donors, shape (n, L1+L2)."""
        gap: FloatArray = windows.returns - np.einsum(
            "nlj,nj->nl", windows.factors, self.weights(windows)
        )
        return gap

    def weights(self, windows: EventWindows) -> FloatArray:
        """Return the weights of the donors in the order of the column, shape (n, J).

        0 behind an event's last donor; NaN for events with fewer than two, or too few complete
        days.
        """
        known, used = _donors(windows)
        weights = np.full(used.shape, np.nan)
        for i in np.flatnonzero(
            (used.sum(axis=1) >= MIN_DONORS) & (known.sum(axis=1) > SPARE_DAYS)
        ):
            own, days = used[i], np.flatnonzero(known[i])
            weights[i] = 0.0
            weights[i, own] = convex_weights(
                windows.returns[i, days], windows.factors[i, days][:, own]
            )
        return weights

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Return the variance around the weighted donors; either engine comes to the same."""
        del X, engine
        (known, used), few = _donors(windows), np.full(len(y), "", dtype=object)
        for i in np.flatnonzero(used.sum(axis=1) < MIN_DONORS):
            n = int(used[i].sum())
            few[i] = f"{n} donor{'s' * (n != 1)} with prices, at least {MIN_DONORS} are needed"
        fit = variance_only(y, complete, centred=False)
        df = known.sum(axis=1) - np.maximum((self.weights(windows) > 0).sum(axis=1), 1) + 1
        sse = np.where(complete, y, 0.0) ** 2
        sigma2 = np.where(complete.any(axis=1), sse.sum(axis=1) / np.maximum(df, 1), np.nan)
        return replace(fit, sigma2=sigma2, nobs=known.sum(axis=1), df_resid=df, problem=few)


def _donors(windows: EventWindows) -> tuple[BoolArray, BoolArray]:
    """Return the estimation days on which all is known (n, L1), and the places with a donor (n,
    J)."""
    L1 = len(windows.estimation)
    y, Z = windows.returns[:, :L1], windows.factors[:, :L1]
    known: BoolArray = np.isfinite(y) & np.isfinite(Z).all(axis=2)
    used: BoolArray = (np.where(known[:, :, None], Z, 0.0) != 0).any(axis=1)
    return known, used


def convex_weights(y: FloatArray, Z: FloatArray) -> FloatArray:
    """Return w (J,) that minimises ||y - Z w|| with w >= 0 and sum w = 1, exactly.

    With D = y 1' - Z this is the point of the convex hull of D's columns nearest to 0, which
    non-negative least squares of [D; 1'] on [0; 1] finds up to a factor (Lawson and Hanson 1974,
    ch. 23).
    """
    from scipy.optimize import nnls

    D = y[:, None] - Z
    size = np.sqrt((D**2).sum() / D.shape[1])
    if size == 0:
        return np.full(Z.shape[1], 1 / Z.shape[1])
    u, _ = nnls(np.vstack([D / size, np.ones(Z.shape[1])]), np.r_[np.zeros(len(y)), 1.0])
    weights: FloatArray = u / u.sum()
    return weights
